// Values in Avro's binary encoding, read from a byte_reader.
//
//     null              nothing
//     boolean           a byte, 0 or 1
//     int, long, enum   zigzag number in groups of 7 bits, lowest first, at most 10 bytes
//     float, double     4 or 8 bytes, little-endian
//     bytes, string     long: size; so many bytes
//     fixed             its bytes
//     record            its fields, one after the other
//     union             long: number of the branch; its value
//     array, map        blocks, until one of 0 items: long: item count; the items. A negative count
//                       is followed by the size of the block in bytes. A map's item is a string and
//                       a value.
//
// Nothing here allocates; slices point into the input. Every function fails with FIRN_CORRUPT when
// the bytes end too early or break the encoding, and leaves the reader where it was or in the
// value.
//
// Specification: Apache Avro 1.12, "Binary Encoding".
#ifndef FIRN_FORMATS_AVRO_AVRO_READER_H
#define FIRN_FORMATS_AVRO_AVRO_READER_H

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/compiler.h"

#define AVRO_NUMBER_BYTES_MAX 10
/// Items of an array that take no bytes (nulls, empty records): without a bound a few bytes could
/// stand for 2^63 of them.
#define AVRO_EMPTY_ITEMS_MAX 4096

/// The error of a number that is cut off or too long; apart, so that the loop stays small.
firn_status avro_number_fail(const byte_reader *in, firn_error *err);

/// Reads an int, long, enum or union branch, without its zigzag.
static inline firn_status avro_read_unsigned(byte_reader *in, uint64_t *out, firn_error *err) {
    const uint8_t *at = in->at;
    if (LIKELY(at < in->end) && *at < 0x80) {
        *out = *at;
        in->at = at + 1;
        return FIRN_OK;
    }
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < 7 * AVRO_NUMBER_BYTES_MAX && at < in->end; shift += 7) {
        const uint64_t part = *at++;
        if (shift == 63 && part > 1) {
            break;
        }
        value |= (part & 0x7f) << shift;
        if (part < 0x80) {
            *out = value;
            in->at = at;
            return FIRN_OK;
        }
    }
    return avro_number_fail(in, err);
}

static inline int64_t avro_zigzag(uint64_t value) {
    const uint64_t half = value >> 1;
    return (int64_t)((value & 1) == 0 ? half : ~half);
}

static inline firn_status avro_read_long(byte_reader *in, int64_t *out, firn_error *err) {
    uint64_t value = 0;
    TRY(avro_read_unsigned(in, &value, err));
    *out = avro_zigzag(value);
    return FIRN_OK;
}

static inline firn_status avro_read_int(byte_reader *in, int32_t *out, firn_error *err) {
    int64_t value;
    TRY(avro_read_long(in, &value, err));
    if (value < INT32_MIN || value > INT32_MAX) {
        return FAIL(err, FIRN_CORRUPT, "int of value %lld", (long long)value);
    }
    *out = (int32_t)value;
    return FIRN_OK;
}

/// Reads the number of one of `count` branches of a union, or symbols of an enum.
static inline firn_status avro_read_choice(byte_reader *in, uint32_t count, uint32_t *out,
                                           firn_error *err) {
    int64_t value;
    TRY(avro_read_long(in, &value, err));
    if (value < 0 || value >= (int64_t)count) {
        return FAIL(err, FIRN_CORRUPT, "number %lld of a union or enum of %u", (long long)value,
                    count);
    }
    *out = (uint32_t)value;
    return FIRN_OK;
}

static inline firn_status avro_read_boolean(byte_reader *in, bool *out, firn_error *err) {
    bytes raw;
    TRY(reader_take(in, 1, &raw, err));
    if (raw.data[0] > 1) {
        return FAIL(err, FIRN_CORRUPT, "boolean of value %u", raw.data[0]);
    }
    *out = raw.data[0] == 1;
    return FIRN_OK;
}

static inline firn_status avro_read_float(byte_reader *in, float *out, firn_error *err) {
    bytes raw;
    TRY(reader_take(in, sizeof *out, &raw, err));
    uint32_t bits;
    memcpy(&bits, raw.data, sizeof bits);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bits = __builtin_bswap32(bits);
#endif
    memcpy(out, &bits, sizeof bits);
    return FIRN_OK;
}

static inline firn_status avro_read_double(byte_reader *in, double *out, firn_error *err) {
    bytes raw;
    TRY(reader_take(in, sizeof *out, &raw, err));
    uint64_t bits;
    memcpy(&bits, raw.data, sizeof bits);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bits = __builtin_bswap64(bits);
#endif
    memcpy(out, &bits, sizeof bits);
    return FIRN_OK;
}

/// Reads bytes or a string, without copying.
static inline firn_status avro_read_bytes(byte_reader *in, bytes *out, firn_error *err) {
    int64_t size;
    TRY(avro_read_long(in, &size, err));
    if (size < 0 || (uint64_t)size > reader_left(in)) {
        return FAIL(err, FIRN_CORRUPT, "bytes or string of size %lld, %zu bytes left",
                    (long long)size, reader_left(in));
    }
    return reader_take(in, (size_t)size, out, err);
}

/// The items of an array or map that are still to be read of the current block.
///
///     avro_items items = {.item_size_min = 1};
///     bool has_item;
///     TRY(avro_items_next(&items, in, &has_item, err));
///     while (has_item) {
///         ... read one item from `in` ...
///         TRY(avro_items_next(&items, in, &has_item, err));
///     }
typedef struct avro_items {
    size_t item_size_min; // Fewest bytes of an item: bounds what a count may claim.
    uint64_t left;        // Items to come before the next block.
    uint64_t empty_count; // If items take no bytes: how many there were.
} avro_items;

/// Enters the next block: self->left is 0 behind the last. If the block tells its size, that is in
/// *block_size, else SIZE_MAX.
firn_status avro_items_enter(avro_items *self, byte_reader *in, size_t *block_size,
                             firn_error *err);

/// Says whether there is another item, and counts it as read.
static inline firn_status avro_items_next(avro_items *self, byte_reader *in, bool *has_item,
                                          firn_error *err) {
    if (self->left == 0) {
        size_t block_size;
        TRY(avro_items_enter(self, in, &block_size, err));
    }
    *has_item = self->left > 0;
    self->left -= *has_item ? 1 : 0;
    return FIRN_OK;
}

/// Passes over `count` numbers.
firn_status avro_skip_numbers(byte_reader *in, uint64_t count, firn_error *err);

#endif
