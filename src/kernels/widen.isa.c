// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's table.
#include "base/isa.h"
#include "kernels/widen_table.h"

#define LOOP(FROM, from_word, from_type, TO, to_word, to_type)                                     \
    static void ISA_NAME(widen_##from_word##_##to_word)(const void *in, size_t count, void *out) { \
        const from_type *restrict from = in;                                                       \
        to_type *restrict to = out;                                                                \
        for (size_t i = 0; i < count; i++) {                                                       \
            to[i] = (to_type)from[i];                                                              \
        }                                                                                          \
    }
WIDEN_LIST(LOOP)

static bool ISA_NAME(widen_decimals_)(const int64_t *restrict in, size_t count, double power,
                                      double *restrict out) {
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++) {
        all |= (uint64_t)(in[i] ^ (in[i] >> 63));
    }
    if (all >> 53 != 0) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = (double)in[i] / power;
    }
    return true;
}

#define to_I64(FROM, from_word, to_word)                                                           \
    .to_i64[PHYSICAL_##FROM] = ISA_NAME(widen_##from_word##_##to_word),
#define to_F64(FROM, from_word, to_word)                                                           \
    .to_f64[PHYSICAL_##FROM] = ISA_NAME(widen_##from_word##_##to_word),
#define ENTRY(FROM, from_word, from_type, TO, to_word, to_type) to_##TO(FROM, from_word, to_word)
const widen_table ISA_NAME(widen_table) = {.decimals = ISA_NAME(widen_decimals_),
                                           WIDEN_LIST(ENTRY)};
