#include "formats/parquet/pq_values.h"

#include <assert.h>

#include "base/checked.h"

#define RLE_SIZE_BYTES 4

static bool is_dictionary(int32_t encoding) {
    return encoding == PQ_ENCODING_PLAIN_DICTIONARY || encoding == PQ_ENCODING_RLE_DICTIONARY;
}

bool pq_values_need_room(int32_t encoding) {
    return encoding == PQ_ENCODING_DELTA_BYTE_ARRAY;
}

// Whether the format has the encoding for the type. Dictionaries are for all but booleans.
static bool is_allowed(int32_t encoding, pq_type type) {
    const bool is_integer = type == PQ_INT32 || type == PQ_INT64;
    switch (encoding) {
    case PQ_ENCODING_PLAIN:
        return true;
    case PQ_ENCODING_PLAIN_DICTIONARY:
    case PQ_ENCODING_RLE_DICTIONARY:
        return type != PQ_BOOLEAN;
    case PQ_ENCODING_RLE:
        return type == PQ_BOOLEAN;
    case PQ_ENCODING_DELTA_BINARY_PACKED:
        return is_integer;
    case PQ_ENCODING_DELTA_LENGTH_BYTE_ARRAY:
        return type == PQ_BYTE_ARRAY;
    case PQ_ENCODING_DELTA_BYTE_ARRAY:
        return type == PQ_BYTE_ARRAY || type == PQ_FIXED;
    case PQ_ENCODING_BYTE_STREAM_SPLIT:
        return is_integer || type == PQ_FLOAT || type == PQ_DOUBLE || type == PQ_FIXED;
    default:
        return false;
    }
}

static pq_values_form form_of(int32_t encoding, pq_type type) {
    if (is_dictionary(encoding)) {
        return PQ_VALUES_CODES;
    }
    return type == PQ_BOOLEAN      ? PQ_VALUES_BITS
           : type == PQ_BYTE_ARRAY ? PQ_VALUES_STRINGS
                                   : PQ_VALUES_FIXED;
}

static firn_status open_codes(pq_values *self, bytes page, uint32_t dictionary_size,
                              firn_error *err) {
    if (dictionary_size == UINT32_MAX) {
        return FAIL(err, FIRN_CORRUPT, "page of dictionary indexes without a dictionary");
    }
    return pq_codes_open(&self->as.codes, page, dictionary_size, err);
}

static firn_status open_plain(pq_values *self, bytes page) {
    if (self->form == PQ_VALUES_BITS) {
        self->as.bits.data = page;
        self->as.bits.bit = 0;
    } else {
        self->as.plain = reader_open(page);
    }
    return FIRN_OK;
}

// RLE booleans: a size, then runs of one bit.
static firn_status open_runs(pq_values *self, bytes page, firn_error *err) {
    byte_reader in = reader_open(page);
    bytes raw;
    TRY(reader_take(&in, RLE_SIZE_BYTES, &raw, err));
    const uint32_t size = (uint32_t)raw.data[0] | (uint32_t)raw.data[1] << 8 |
                          (uint32_t)raw.data[2] << 16 | (uint32_t)raw.data[3] << 24;
    TRY(reader_take(&in, size, &raw, err));
    self->as.runs = pq_hybrid_open(raw, 1);
    return FIRN_OK;
}

firn_status pq_values_open(pq_values *self, int32_t encoding, const pq_leaf *leaf, bytes page,
                           uint32_t dictionary_size, uint8_t *room, firn_error *err) {
    if (!is_allowed(encoding, leaf->type)) {
        return FAIL(err, FIRN_CORRUPT, "encoding %s (%d) of values of type %s",
                    pq_encoding_name(encoding), encoding, pq_type_name((int32_t)leaf->type));
    }
    self->form = form_of(encoding, leaf->type);
    self->encoding = encoding;
    self->width = leaf->width;
    switch (encoding) {
    case PQ_ENCODING_PLAIN:
        return open_plain(self, page);
    case PQ_ENCODING_RLE:
        return open_runs(self, page, err);
    case PQ_ENCODING_DELTA_BINARY_PACKED:
        return pq_delta_open(&self->as.delta, page, err);
    case PQ_ENCODING_DELTA_LENGTH_BYTE_ARRAY:
        return pq_delta_lengths_open(&self->as.delta_lengths, page, err);
    case PQ_ENCODING_DELTA_BYTE_ARRAY:
        return pq_delta_bytes_open(&self->as.delta_bytes, page, room, err);
    case PQ_ENCODING_BYTE_STREAM_SPLIT:
        return pq_split_open(&self->as.split, page, leaf->width, err);
    default:
        return open_codes(self, page, dictionary_size, err);
    }
}

static firn_status take_plain(pq_values *self, uint64_t count, const uint8_t **out,
                              firn_error *err) {
    const size_t left = reader_left(&self->as.plain) / self->width;
    if (count > left) {
        return FAIL(err, FIRN_CORRUPT, "%llu values wanted, %zu are left in the page",
                    (unsigned long long)count, left);
    }
    *out = self->as.plain.at;
    self->as.plain.at += (size_t)count * self->width;
    return FIRN_OK;
}

static firn_status read_delta(pq_values *self, uint32_t count, uint8_t *scratch, firn_error *err) {
    assert((uintptr_t)scratch % self->width == 0);
    if (self->width == sizeof(int32_t)) {
        return pq_delta_read_i32(&self->as.delta, count, (int32_t *)(void *)scratch, err);
    }
    return pq_delta_read_i64(&self->as.delta, count, (int64_t *)(void *)scratch, err);
}

firn_status pq_values_fixed(pq_values *self, uint32_t count, uint8_t *scratch, const uint8_t **out,
                            firn_error *err) {
    assert(self->form == PQ_VALUES_FIXED);
    if (self->encoding == PQ_ENCODING_PLAIN) {
        return take_plain(self, count, out, err);
    }
    *out = scratch;
    if (self->encoding == PQ_ENCODING_DELTA_BINARY_PACKED) {
        return read_delta(self, count, scratch, err);
    }
    if (self->encoding == PQ_ENCODING_BYTE_STREAM_SPLIT) {
        return pq_split_read(&self->as.split, count, scratch, err);
    }
    return pq_delta_bytes_read_fixed(&self->as.delta_bytes, count, self->width, scratch, err);
}

static firn_status take_bits(pq_values *self, uint64_t count, size_t *from, firn_error *err) {
    const size_t left = self->as.bits.data.size * 8 - self->as.bits.bit;
    if (count > left) {
        return FAIL(err, FIRN_CORRUPT, "%llu values wanted, %zu are left in the page",
                    (unsigned long long)count, left);
    }
    *from = self->as.bits.bit;
    self->as.bits.bit += (size_t)count;
    return FIRN_OK;
}

firn_status pq_values_bits(pq_values *self, uint32_t count, uint64_t *out, size_t at,
                           firn_error *err) {
    assert(self->form == PQ_VALUES_BITS);
    if (self->encoding == PQ_ENCODING_RLE) {
        uint32_t ones;
        return pq_hybrid_read_bits(&self->as.runs, count, out, at, &ones, err);
    }
    size_t from;
    TRY(take_bits(self, count, &from, err));
    (void)pq_copy_bits(self->as.bits.data.data, from, count, out, at);
    return FIRN_OK;
}

firn_status pq_values_strings(pq_values *self, uint32_t count, arena *memory, string_value *out,
                              firn_error *err) {
    assert(self->form == PQ_VALUES_STRINGS);
    if (self->encoding == PQ_ENCODING_PLAIN) {
        return pq_plain_bytes_read(&self->as.plain, count, out, err);
    }
    if (self->encoding == PQ_ENCODING_DELTA_LENGTH_BYTE_ARRAY) {
        return pq_delta_lengths_read(&self->as.delta_lengths, count, out, err);
    }
    return pq_delta_bytes_read(&self->as.delta_bytes, count, memory, out, err);
}

firn_status pq_values_skip(pq_values *self, uint64_t count, firn_error *err) {
    size_t from;
    const uint8_t *ignored;
    switch (self->encoding) {
    case PQ_ENCODING_PLAIN:
        return self->form == PQ_VALUES_BITS      ? take_bits(self, count, &from, err)
               : self->form == PQ_VALUES_STRINGS ? pq_plain_bytes_skip(&self->as.plain, count, err)
                                                 : take_plain(self, count, &ignored, err);
    case PQ_ENCODING_RLE:
        return pq_hybrid_skip(&self->as.runs, count, err);
    case PQ_ENCODING_DELTA_BINARY_PACKED:
        return pq_delta_skip(&self->as.delta, count, err);
    case PQ_ENCODING_DELTA_LENGTH_BYTE_ARRAY:
        return pq_delta_lengths_skip(&self->as.delta_lengths, count, err);
    case PQ_ENCODING_DELTA_BYTE_ARRAY:
        return pq_delta_bytes_skip(&self->as.delta_bytes, count, err);
    case PQ_ENCODING_BYTE_STREAM_SPLIT:
        return pq_split_skip(&self->as.split, count, err);
    default:
        return pq_codes_skip(&self->as.codes, count, err);
    }
}
