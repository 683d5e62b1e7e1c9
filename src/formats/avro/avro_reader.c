#include "formats/avro/avro_reader.h"

firn_status avro_number_fail(const byte_reader *in, firn_error *err) {
    if (reader_left(in) < AVRO_NUMBER_BYTES_MAX) {
        return FAIL(err, FIRN_CORRUPT, "number is cut off, %zu bytes left", reader_left(in));
    }
    return FAIL(err, FIRN_CORRUPT, "number does not fit 64 bits");
}

firn_status avro_items_enter(avro_items *self, byte_reader *in, size_t *block_size,
                             firn_error *err) {
    int64_t count;
    TRY(avro_read_long(in, &count, err));
    *block_size = SIZE_MAX;
    if (count < 0) {
        int64_t size;
        TRY(avro_read_long(in, &size, err));
        if (count == INT64_MIN || size < 0 || (uint64_t)size > reader_left(in)) {
            return FAIL(err, FIRN_CORRUPT, "array or map block of size %lld, %zu bytes left",
                        (long long)size, reader_left(in));
        }
        *block_size = (size_t)size;
        count = -count;
    }
    if (self->item_size_min > 0 && (uint64_t)count > reader_left(in) / self->item_size_min) {
        return FAIL(err, FIRN_CORRUPT, "array or map block of %lld items in %zu bytes",
                    (long long)count, reader_left(in));
    }
    if (self->item_size_min == 0) {
        if (count > AVRO_EMPTY_ITEMS_MAX || self->empty_count > AVRO_EMPTY_ITEMS_MAX) {
            return FAIL(err, FIRN_UNSUPPORTED, "array of more than %d items without content",
                        AVRO_EMPTY_ITEMS_MAX);
        }
        self->empty_count += (uint64_t)count;
    }
    self->left = (uint64_t)count;
    return FIRN_OK;
}

// How many numbers end in 8 bytes: bytes without their high bit.
WRAPS static inline uint32_t ends_in(uint64_t word) {
    const uint64_t ends = (~word >> 7) & UINT64_C(0x0101010101010101);
    return (uint32_t)((ends * UINT64_C(0x0101010101010101)) >> 56);
}

firn_status avro_skip_numbers(byte_reader *in, uint64_t count, firn_error *err) {
    const uint8_t *at = in->at;
    // While more than 8 are to be passed, all that end in the next 8 bytes are among them.
    while (count > 8 && in->end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        count -= ends_in(word);
        at += 8;
    }
    while (count > 0 && at < in->end) {
        count -= *at < 0x80 ? 1 : 0;
        at += 1;
    }
    if (count > 0) {
        return FAIL(err, FIRN_CORRUPT, "%llu numbers wanted behind the last byte",
                    (unsigned long long)count);
    }
    in->at = at;
    return FIRN_OK;
}
