// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's table.
#include "base/compiler.h"
#include "base/hash.h"
#include "base/isa.h"
#include "kernels/hash_column_table.h"

static inline uint64_t hash_f64(double value) {
    const double positive = value + 0.0; // -0.0 + 0.0 is 0.0.
    uint64_t bits;
    memcpy(&bits, &positive, sizeof bits);
    return hash_u64(value != value ? UINT64_C(0x7ff8000000000000) : bits);
}

static inline uint64_t hash_f32(float value) {
    return hash_f64((double)value);
}

static inline uint64_t hash_i128(i128 value) {
    return hash_combine(hash_u64((uint64_t)((u128)value & UINT64_MAX)),
                        hash_u64((uint64_t)((u128)value >> 64)));
}

// Sign-extended, so that a key may widen without changing its hash.
#define hash_i8(value) hash_u64((uint64_t)(int64_t)(value))
#define hash_i16(value) hash_u64((uint64_t)(int64_t)(value))
#define hash_i32(value) hash_u64((uint64_t)(int64_t)(value))
#define hash_i64(value) hash_u64((uint64_t)(value))
#define hash_u8(value) hash_u64(value)
#define hash_u16(value) hash_u64(value)
#define hash_u32_(value) hash_u64(value)
#define hash_u64_(value) hash_u64(value)

#define LOOP(NAME, word, c_type, hash_of)                                                          \
    static void ISA_NAME(hash_column_##word)(const void *values, size_t count, bool combines,      \
                                             uint64_t *restrict out) {                             \
        const c_type *restrict in = values;                                                        \
        if (combines) {                                                                            \
            for (size_t i = 0; i < count; i++) {                                                   \
                out[i] = hash_combine(out[i], hash_of(in[i]));                                     \
            }                                                                                      \
            return;                                                                                \
        }                                                                                          \
        for (size_t i = 0; i < count; i++) {                                                       \
            out[i] = hash_of(in[i]);                                                               \
        }                                                                                          \
    }
LOOP(I8, i8, int8_t, hash_i8)
LOOP(I16, i16, int16_t, hash_i16)
LOOP(I32, i32, int32_t, hash_i32)
LOOP(I64, i64, int64_t, hash_i64)
LOOP(U8, u8, uint8_t, hash_u8)
LOOP(U16, u16, uint16_t, hash_u16)
LOOP(U32, u32, uint32_t, hash_u32_)
LOOP(U64, u64, uint64_t, hash_u64_)
LOOP(F32, f32, float, hash_f32)
LOOP(F64, f64, double, hash_f64)
LOOP(I128, i128, i128, hash_i128)

#define ROW(NAME, word, c_type) [PHYSICAL_##NAME] = ISA_NAME(hash_column_##word),
const hash_table_of_level ISA_NAME(hash_kernels) = {{HASH_TYPE_LIST(ROW)}};
