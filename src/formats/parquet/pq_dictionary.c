#include "formats/parquet/pq_dictionary.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "formats/parquet/pq_unpack.h"

void pq_dictionary_open(pq_dictionary *self, pool *owner) {
    *self = (pq_dictionary){.owner = owner};
}

void pq_dictionary_close(pq_dictionary *self) {
    pq_block_close(&self->entries, self->owner);
}

// ---- Values of a target -------------------------------------------------------------------------

static firn_status fail_value(const pq_target *self, uint32_t number, firn_error *err) {
    arena memory = arena_open(1 << 14);
    const text name = type_text(self->type, &memory);
    const firn_status status =
        FAIL(err, FIRN_CORRUPT, "value %u does not fit %.*s", number, TEXT_ARGS(name));
    if (self->leaf->type == PQ_INT96) {
        err_hint(err, "with int96_in_micros => true years beyond 1677 to 2262 can be read");
    }
    arena_close(&memory);
    return status;
}

firn_status pq_target_convert(const pq_target *self, const uint8_t *raw, uint32_t count, void *out,
                              firn_error *err) {
    const pq_conversion *conversion = &self->conversion;
    if (conversion->fixed == NULL) {
        if (count > 0) {
            memcpy(out, raw, (size_t)count * conversion->width);
        }
        return FIRN_OK;
    }
    const uint32_t done = conversion->fixed(conversion, raw, count, out);
    return done == count ? FIRN_OK : fail_value(self, done, err);
}

firn_status pq_target_check(const pq_target *self, const uint8_t *raw, uint32_t count,
                            firn_error *err) {
    const pq_conversion *conversion = &self->conversion;
    if (conversion->fixed == NULL) {
        return FIRN_OK;
    }
    assert(conversion->keeps_bytes);
    // What it would write is what is there.
    const uint32_t done = conversion->fixed(conversion, raw, count, (void *)(uintptr_t)raw);
    return done == count ? FIRN_OK : fail_value(self, done, err);
}

// Bytes of `size`, the first 8 or fewer of a value, with all of the others zero.
static bool is_ascii_word(uint64_t word) {
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

static bool is_text_value(const string_value *value) {
    if (string_is_inline(value)) {
        uint64_t words[2];
        memcpy(words, value, sizeof words);
        // The size, at most 12, has no high bits either.
        if (is_ascii_word(words[0] | words[1])) {
            return true;
        }
    }
    return utf8_is_valid((bytes){.data = (const uint8_t *)string_data(value), .size = value->size});
}

firn_status pq_target_check_text(const pq_target *self, const string_value *values, uint32_t count,
                                 firn_error *err) {
    if (type_category_of(self->type) != CATEGORY_TEXT) {
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!is_text_value(&values[i])) {
            const firn_status status = FAIL(err, FIRN_CORRUPT, "value %u is no UTF-8 text", i);
            err_hint(err, "the writer called these bytes text; the other columns can be read");
            return status;
        }
    }
    return FIRN_OK;
}

firn_status pq_target_convert_strings(const pq_target *self, string_value *raw, uint32_t count,
                                      void *out, firn_error *err) {
    const pq_conversion *conversion = &self->conversion;
    if (conversion->strings != NULL) {
        const uint32_t done = conversion->strings(conversion, raw, count, out);
        return done == count ? FIRN_OK : fail_value(self, done, err);
    }
    if (out != raw && count > 0) {
        memcpy(out, raw, count * sizeof *raw);
    }
    return pq_target_check_text(self, raw, count, err);
}

// ---- Dictionary ---------------------------------------------------------------------------------

// Byte arrays are views first, and may have to become decimals: these are never wider than two
// views, so they go behind them.
static firn_status load_strings(pq_dictionary *self, bytes body, uint32_t count,
                                const pq_target *target, firn_error *err) {
    const bool is_converted = target->conversion.strings != NULL;
    const size_t view_bytes = (size_t)count * sizeof(string_value);
    const size_t value_bytes = (size_t)count * target->conversion.size;
    const size_t size = view_bytes + (is_converted ? value_bytes + 32 : 0) + PQ_PAD;
    TRY(pq_block_reserve(&self->entries, self->owner, size, 0, err));
    string_value *views = (string_value *)(void *)self->entries.data;
    byte_reader in = reader_open(body);
    TRY(pq_plain_bytes_read(&in, count, views, err));
    void *out = views;
    if (is_converted) {
        out = self->entries.data + (view_bytes + 31) / 32 * 32;
    }
    self->values.values = out;
    const text whole = {.data = (const char *)body.data, .size = body.size};
    if (!is_converted && utf8_is_ascii(whole)) { // Sizes are ASCII, too, unless a text is long.
        return FIRN_OK;
    }
    return pq_target_convert_strings(target, views, count, out, err);
}

static firn_status load_fixed(pq_dictionary *self, bytes body, uint32_t count,
                              const pq_target *target, firn_error *err) {
    if (pq_target_is_in_place(target, body.data)) {
        self->values.values = body.data;
        return pq_target_check(target, body.data, count, err);
    }
    const size_t size = target->conversion.size > target->conversion.width
                            ? target->conversion.size
                            : target->conversion.width;
    TRY(pq_block_reserve(&self->entries, self->owner, (size_t)count * size + PQ_PAD, 0, err));
    TRY(pq_target_convert(target, body.data, count, self->entries.data, err));
    self->values.values = self->entries.data;
    return FIRN_OK;
}

firn_status pq_dictionary_load(pq_dictionary *self, const pq_page *page, bytes body,
                               const pq_target *target, uint64_t identity, firn_error *err) {
    const uint32_t count = page->value_count;
    const pq_leaf *leaf = target->leaf;
    const size_t bytes_min = leaf->type == PQ_BYTE_ARRAY ? sizeof(uint32_t) : leaf->width;
    if (leaf->type == PQ_BOOLEAN || count > body.size / bytes_min) {
        return FAIL(err, FIRN_CORRUPT, "dictionary of %u values of type %s in %zu bytes", count,
                    pq_type_name((int32_t)leaf->type), body.size);
    }
    if (page->encoding != PQ_ENCODING_PLAIN && page->encoding != PQ_ENCODING_PLAIN_DICTIONARY) {
        return FAIL(err, FIRN_CORRUPT, "dictionary in the encoding %s (%d)",
                    pq_encoding_name(page->encoding), page->encoding);
    }
    self->values = (column){.type = target->type, .form = FORM_FLAT, .length = count};
    if (leaf->type == PQ_BYTE_ARRAY) {
        TRY(load_strings(self, body, count, target, err));
    } else {
        TRY(load_fixed(self, body, count, target, err));
    }
    self->view = (dictionary){.identity = identity, .size = count, .values = &self->values};
    self->is_there = true;
    return FIRN_OK;
}
