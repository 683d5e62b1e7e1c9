#include "kernels/gather.h"

#include <assert.h>
#include <string.h>

#include "base/isa.h"
#include "kernels/gather_v4.h"

// Runs LOOP(size) with the width as a constant, so that its memcpy is a move.
#define FOR_WIDTH(LOOP)                                                                            \
    switch (width) {                                                                               \
    case 1:                                                                                        \
        LOOP(1) break;                                                                             \
    case 2:                                                                                        \
        LOOP(2) break;                                                                             \
    case 4:                                                                                        \
        LOOP(4) break;                                                                             \
    case 8:                                                                                        \
        LOOP(8) break;                                                                             \
    case 16:                                                                                       \
        LOOP(16) break;                                                                            \
    case 32:                                                                                       \
        LOOP(32) break;                                                                            \
    default:                                                                                       \
        assert(false);                                                                             \
    }

#define AT(base, index, size) ((base) + (size_t)(index) * (size))

void gather_rows(uint32_t width, const void *in, const uint16_t *rows, uint32_t count, void *out) {
    const uint8_t *from = in;
    uint8_t *to = out;
#define LOOP(size)                                                                                 \
    for (uint32_t k = 0; k < count; k++) {                                                         \
        memcpy(AT(to, k, size), AT(from, rows[k], size), size);                                    \
    }
    FOR_WIDTH(LOOP)
#undef LOOP
}

void gather_codes(uint32_t width, const void *in, const uint32_t *codes, uint32_t count,
                  void *out) {
    const uint8_t *from = in;
    uint8_t *to = out;
#define LOOP(size)                                                                                 \
    for (uint32_t i = 0; i < count; i++) {                                                         \
        memcpy(AT(to, i, size), AT(from, codes[i], size), size);                                   \
    }
    FOR_WIDTH(LOOP)
#undef LOOP
}

void gather_codes_rows(uint32_t width, const void *in, const uint32_t *codes, const uint16_t *rows,
                       uint32_t count, void *out) {
    const uint8_t *from = in;
    uint8_t *to = out;
#define LOOP(size)                                                                                 \
    for (uint32_t k = 0; k < count; k++) {                                                         \
        memcpy(AT(to, rows[k], size), AT(from, codes[rows[k]], size), size);                       \
    }
    FOR_WIDTH(LOOP)
#undef LOOP
}

void gather_blend(uint32_t width, const void *in, const uint16_t *rows, uint32_t count, void *out) {
    const uint8_t *from = in;
    uint8_t *to = out;
#define LOOP(size)                                                                                 \
    for (uint32_t k = 0; k < count; k++) {                                                         \
        memcpy(AT(to, rows[k], size), AT(from, rows[k], size), size);                              \
    }
    FOR_WIDTH(LOOP)
#undef LOOP
}

// One by one, a word of bits at a time.
static void blend_words(uint32_t width, const uint8_t *from, bool is_constant, const uint64_t *bits,
                        uint32_t count, uint8_t *to) {
    for (uint32_t first = 0; first < count; first += 64) {
        uint64_t word = bits[first / 64];
        word &= count - first < 64 ? (UINT64_C(1) << (count - first)) - 1 : UINT64_MAX;
        while (word != 0) {
            const uint32_t i = first + (uint32_t)__builtin_ctzll(word);
            word &= word - 1;
            const uint8_t *value = AT(from, is_constant ? 0 : i, width);
#define LOOP(size) memcpy(AT(to, i, size), value, size);
            FOR_WIDTH(LOOP)
#undef LOOP
        }
    }
}

void gather_blend_bits(uint32_t width, const void *in, bool in_is_constant, const uint64_t *bits,
                       uint32_t count, void *out) {
#if defined(__x86_64__)
    if (isa_best() == ISA_V4 && (width == 4 || width == 8)) {
        gather_blend_bits_v4(width, in, in_is_constant, bits, count, out);
        return;
    }
#endif
    blend_words(width, in, in_is_constant, bits, count, out);
}

void gather_fill(uint32_t width, const void *value, const uint16_t *rows, uint32_t count,
                 void *out) {
    uint8_t *to = out;
#define LOOP(size)                                                                                 \
    {                                                                                              \
        uint8_t one[size];                                                                         \
        memcpy(one, value, size);                                                                  \
        for (uint32_t k = 0; k < count; k++) {                                                     \
            memcpy(AT(to, rows[k], size), one, size);                                              \
        }                                                                                          \
    }
    FOR_WIDTH(LOOP)
#undef LOOP
}

void gather_repeat(uint32_t width, const void *value, uint32_t count, void *out) {
    uint8_t *to = out;
#define LOOP(size)                                                                                 \
    {                                                                                              \
        uint8_t one[size];                                                                         \
        memcpy(one, value, size);                                                                  \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            memcpy(AT(to, i, size), one, size);                                                    \
        }                                                                                          \
    }
    FOR_WIDTH(LOOP)
#undef LOOP
}
