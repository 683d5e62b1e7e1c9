// Plain, slow decoders of Parquet's encodings, for tests and fuzz targets only: bit by bit and
// value by value, with no state between values. What the fast ones must agree with.
//
// Each decodes up to `count` values and returns how many it could before the input ended or broke
// the format; SIZE_MAX stands for input that is refused from the start.
#ifndef FIRN_FORMATS_PARQUET_PQ_SLOW_DECODERS_H
#define FIRN_FORMATS_PARQUET_PQ_SLOW_DECODERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"

typedef struct slow_input {
    bytes data;
    size_t at;
    bool is_bad; // Something was read behind the end, or does not fit.
} slow_input;

static inline uint64_t slow_varint(slow_input *in, uint32_t bits) {
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < 70; shift += 7) {
        if (in->at >= in->data.size) {
            break;
        }
        const uint64_t part = in->data.data[in->at++];
        if (shift + 7 > bits && shift < bits && (part & 0x7f) >> (bits - shift) != 0) {
            break;
        }
        if (shift >= bits) {
            break;
        }
        value |= (part & 0x7f) << shift;
        if (part < 0x80) {
            return value;
        }
    }
    in->is_bad = true;
    return 0;
}

static inline uint64_t slow_bits(bytes data, size_t bit, uint32_t width) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < width; i++) {
        value |= (uint64_t)(data.data[(bit + i) / 8] >> ((bit + i) % 8) & 1) << i;
    }
    return value;
}

static inline size_t slow_hybrid(bytes data, uint32_t width, size_t count, uint32_t *out) {
    slow_input in = {.data = data};
    size_t done = 0;
    while (done < count) {
        const uint64_t header = slow_varint(&in, 32);
        const uint64_t length = header >> 1;
        if (in.is_bad || length == 0) {
            return done;
        }
        if ((header & 1) == 0) {
            const size_t size = (width + 7) / 8;
            if (size > data.size - in.at) {
                return done;
            }
            const uint64_t value =
                slow_bits((bytes){.data = data.data + in.at, .size = size}, 0, (uint32_t)size * 8);
            if (value >> width != 0) {
                return done;
            }
            in.at += size;
            for (uint64_t i = 0; i < length && done < count; i++) {
                out[done++] = (uint32_t)value;
            }
            continue;
        }
        const size_t from = in.at * 8;
        for (uint64_t i = 0; i < length * 8 && done < count; i++) {
            if (from + (size_t)(i + 1) * width > data.size * 8) {
                return done;
            }
            out[done++] = (uint32_t)slow_bits(data, from + (size_t)i * width, width);
        }
        const uint64_t size = length * width;
        in.at = size < data.size - in.at ? in.at + (size_t)size : data.size;
    }
    return done;
}

WRAPS static inline uint64_t slow_zigzag(uint64_t raw) {
    return (raw >> 1) ^ (0 - (raw & 1));
}

// `rest`, if not NULL, becomes the offset of what follows all values; count must cover them all.
WRAPS static inline size_t slow_delta(bytes data, size_t count, int64_t *out, size_t *rest) {
    slow_input in = {.data = data};
    const uint64_t block_values = slow_varint(&in, 32);
    const uint64_t miniblocks = slow_varint(&in, 32);
    const uint64_t total = slow_varint(&in, 64);
    uint64_t value = slow_zigzag(slow_varint(&in, 64));
    if (in.is_bad || miniblocks == 0 || block_values == 0 || block_values % miniblocks != 0 ||
        block_values / miniblocks % 32 != 0 || total > UINT32_MAX) {
        return SIZE_MAX;
    }
    const uint64_t per_miniblock = block_values / miniblocks;
    size_t done = 0;
    uint64_t seen = 0;
    if (total > 0) {
        seen = 1;
        if (done < count) {
            out[done++] = (int64_t)value;
        }
    }
    while (seen < total && (done < count || rest != NULL)) {
        const uint64_t least = slow_zigzag(slow_varint(&in, 64));
        if (in.is_bad || miniblocks > data.size - in.at) {
            return done;
        }
        const uint8_t *widths = data.data + in.at;
        in.at += (size_t)miniblocks;
        for (uint64_t m = 0; m < miniblocks && seen < total; m++) {
            const uint32_t width = widths[m];
            const uint64_t values = total - seen < per_miniblock ? total - seen : per_miniblock;
            if (width > 64 || (values * width + 7) / 8 > data.size - in.at) {
                return done;
            }
            for (uint64_t i = 0; i < values; i++) {
                value += least + slow_bits(data, in.at * 8 + (size_t)i * width, width);
                if (done < count) {
                    out[done++] = (int64_t)value;
                } else if (rest == NULL) {
                    return done;
                }
            }
            seen += values;
            const uint64_t whole = per_miniblock / 8 * width;
            in.at = whole < data.size - in.at ? in.at + (size_t)whole : data.size;
        }
    }
    if (rest != NULL) {
        *rest = in.at;
    }
    return done;
}

#endif
