// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: split_join.
//
// Widths of numbers have loops of their own, which compilers turn into widening loads and shifts.
#include <string.h>

#include "base/compiler.h"
#include "base/isa.h"
#include "formats/parquet/pq_split_table.h"

static void join_2(const uint8_t *restrict data, size_t stride, size_t count,
                   uint8_t *restrict out) {
    for (size_t i = 0; i < count; i++) {
        const uint16_t value = (uint16_t)(data[i] | data[stride + i] << 8);
        memcpy(out + i * sizeof value, &value, sizeof value);
    }
}

static void join_4(const uint8_t *restrict data, size_t stride, size_t count,
                   uint8_t *restrict out) {
    const uint8_t *restrict b = data + stride;
    const uint8_t *restrict c = b + stride;
    const uint8_t *restrict d = c + stride;
    for (size_t i = 0; i < count; i++) {
        const uint32_t value =
            data[i] | (uint32_t)b[i] << 8 | (uint32_t)c[i] << 16 | (uint32_t)d[i] << 24;
        memcpy(out + i * sizeof value, &value, sizeof value);
    }
}

static void join_8(const uint8_t *restrict data, size_t stride, size_t count,
                   uint8_t *restrict out) {
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 0;
        for (size_t k = 0; k < 8; k++) {
            value |= (uint64_t)data[k * stride + i] << (8 * k);
        }
        memcpy(out + i * sizeof value, &value, sizeof value);
    }
}

void ISA_NAME(split_join)(const uint8_t *data, size_t stride, uint32_t width, size_t count,
                          uint8_t *out) {
    switch (width) {
    case 2:
        join_2(data, stride, count, out);
        break;
    case 4:
        join_4(data, stride, count, out);
        break;
    case 8:
        join_8(data, stride, count, out);
        break;
    default:
        for (size_t k = 0; k < width; k++) {
            for (size_t i = 0; i < count; i++) {
                out[i * width + k] = data[k * stride + i];
            }
        }
        break;
    }
}
