#include "kernels/gather.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

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
