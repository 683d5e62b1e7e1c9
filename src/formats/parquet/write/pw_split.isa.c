// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: split_part.
//
// Widths of numbers have loops of their own, which compilers turn into shifts and narrowing stores.
// They work in blocks, so that the values stay in the nearest cache while each stream takes its
// byte.
#include <string.h>

#include "base/compiler.h"
#include "base/isa.h"
#include "formats/parquet/write/pw_split_table.h"

#define BLOCK_VALUES 512

static ALWAYS_INLINE void part_2(const uint8_t *restrict values, size_t stride, size_t count,
                                 uint8_t *restrict out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = values[2 * i];
        out[stride + i] = values[2 * i + 1];
    }
}

static ALWAYS_INLINE void part_4(const uint8_t *restrict values, size_t stride, size_t count,
                                 uint8_t *restrict out) {
    for (uint32_t k = 0; k < 4; k++) {
        uint8_t *restrict stream = out + k * stride;
        for (size_t i = 0; i < count; i++) {
            uint32_t value;
            memcpy(&value, values + i * sizeof value, sizeof value);
            stream[i] = (uint8_t)(value >> (8 * k));
        }
    }
}

static ALWAYS_INLINE void part_8(const uint8_t *restrict values, size_t stride, size_t count,
                                 uint8_t *restrict out) {
    for (uint32_t k = 0; k < 8; k++) {
        uint8_t *restrict stream = out + k * stride;
        for (size_t i = 0; i < count; i++) {
            uint64_t value;
            memcpy(&value, values + i * sizeof value, sizeof value);
            stream[i] = (uint8_t)(value >> (8 * k));
        }
    }
}

static ALWAYS_INLINE void part_any(const uint8_t *restrict values, size_t stride, uint32_t width,
                                   size_t count, uint8_t *restrict out) {
    for (size_t k = 0; k < width; k++) {
        for (size_t i = 0; i < count; i++) {
            out[k * stride + i] = values[i * width + k];
        }
    }
}

void ISA_NAME(split_part)(const uint8_t *values, size_t stride, uint32_t width, size_t count,
                          uint8_t *out) {
    for (size_t at = 0; at < count; at += BLOCK_VALUES) {
        const uint8_t *from = values + at * width;
        const size_t step = count - at < BLOCK_VALUES ? count - at : BLOCK_VALUES;
        switch (width) {
        case 2:
            part_2(from, stride, step, out + at);
            break;
        case 4:
            part_4(from, stride, step, out + at);
            break;
        case 8:
            part_8(from, stride, step, out + at);
            break;
        default:
            part_any(from, stride, width, step, out + at);
            break;
        }
    }
}
