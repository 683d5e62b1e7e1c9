// Random schemas, batches and options for tests and fuzz targets of the writer, and how to compare
// what was read back.
//
// Every decision is taken from a pw_source: from bytes while there are any, which a fuzzer steers
// by, then from a fixed sequence of random numbers.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_SAMPLE_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_SAMPLE_H

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "column/batch.h"
#include "formats/parquet/write/pw_options.h"

#define PW_SAMPLE_COLUMNS_MAX 3
#define PW_SAMPLE_ENTRIES_MAX 20000 // Then lists are empty.

typedef struct pw_source {
    bytes steer;
    uint64_t seed;
} pw_source;

static inline void pw_must(bool condition) {
    if (!condition) {
        abort();
    }
}

/// A number below `count`, which is at most 256.
static inline uint32_t pw_pick(pw_source *self, uint32_t count) {
    if (self->steer.size == 0) {
        return (uint32_t)(test_random(&self->seed) % count);
    }
    const uint8_t byte = self->steer.data[0];
    self->steer.data += 1;
    self->steer.size -= 1;
    return byte % count;
}

/// 64 bits: a few values often, extremes, any.
static inline uint64_t pw_word(pw_source *self) {
    static const uint64_t some[] = {0,
                                    1,
                                    UINT64_MAX,
                                    INT64_MAX,
                                    UINT64_C(1) << 63,
                                    INT32_MAX,
                                    UINT64_C(0x80000000),
                                    UINT64_C(0x7ff8000000000000),
                                    UINT64_C(0x7fc00000),
                                    UINT64_C(0xffc00000)};
    const uint32_t kind = pw_pick(self, 8);
    if (kind == 0) {
        return some[pw_pick(self, sizeof some / sizeof *some)];
    }
    if (kind < 4) {
        return pw_pick(self, 50);
    }
    const uint64_t word = test_random(&self->seed);
    return kind < 6 ? word : word >> (word & 63);
}

static inline void *pw_take(arena *memory, size_t count, size_t size) {
    void *out = arena_alloc(memory, count + 1, size);
    if (out == NULL) {
        abort();
    }
    memset(out, 0, (count + 1) * size);
    return out;
}

// ---- Types -------------------------------------------------------------------------------------

/// Times of seconds come back as another type, so they are left to pw_stored_test.c.
static inline const type *pw_sample_scalar(arena *memory, pw_source *from) {
    static const uint8_t precisions[] = {1, 4, 9, 10, 18, 19, 38, 39, 76};
    static const time_unit units[] = {UNIT_MILLI, UNIT_MICRO, UNIT_NANO};
    const type_id id = (type_id)pw_pick(from, TYPE_JSON + 1);
    switch ((int)id) {
    case TYPE_DECIMAL: {
        const uint8_t precision = precisions[pw_pick(from, sizeof precisions)];
        return type_decimal(memory, precision, (uint8_t)pw_pick(from, precision));
    }
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return type_temporal(id, units[pw_pick(from, 3)]);
    case TYPE_BINARY: {
        const uint32_t width = pw_pick(from, 20);
        return width == 0 ? TYPE_OF(BINARY) : type_binary(memory, width);
    }
    default:
        return &type_constants[id];
    }
}

static inline const type *pw_sample_type(arena *memory, uint32_t depth, pw_source *from) {
    const uint32_t kind = depth == 0 ? 0 : pw_pick(from, 6);
    if (kind <= 2) {
        return pw_sample_scalar(memory, from);
    }
    const uint32_t count = kind == 3 ? 1 : kind == 4 ? 2 : pw_pick(from, 3) + 1;
    static const char *const names[] = {"f", "g", "h"};
    field *fields = pw_take(memory, count, sizeof *fields);
    for (uint32_t i = 0; i < count; i++) {
        const bool is_key = kind == 4 && i == 0;
        fields[i] = (field){.name = text_of(names[i]),
                            .type = pw_sample_type(memory, depth - 1, from),
                            .is_nullable = !is_key && pw_pick(from, 3) != 0,
                            .id = -1};
        if (!fields[i].is_nullable && fields[i].type->id == TYPE_NULL) {
            fields[i].type = TYPE_OF(INTEGER);
        }
    }
    type *made = pw_take(memory, 1, sizeof *made);
    *made = (type){.id = kind == 3   ? TYPE_LIST
                         : kind == 4 ? TYPE_MAP
                                     : TYPE_STRUCT,
                   .child_count = count,
                   .children = fields};
    return made;
}

static inline schema pw_sample_schema(arena *memory, pw_source *from) {
    static const char *const names[PW_SAMPLE_COLUMNS_MAX] = {"a", "b", "c"};
    const uint32_t count = pw_pick(from, PW_SAMPLE_COLUMNS_MAX) + 1;
    field *fields = pw_take(memory, count, sizeof *fields);
    for (uint32_t i = 0; i < count; i++) {
        fields[i] = (field){.name = text_of(names[i]),
                            .type = pw_sample_type(memory, pw_pick(from, 4), from),
                            .is_nullable = pw_pick(from, 4) != 0,
                            .id = (int32_t)i + 1};
        fields[i].is_nullable |= fields[i].type->id == TYPE_NULL;
    }
    return (schema){.count = count, .fields = fields};
}

// ---- Columns -----------------------------------------------------------------------------------

static inline column pw_sample_flat(arena *memory, const type *of, bool is_nullable,
                                    uint32_t length, pw_source *from);

static inline void pw_sample_lists(arena *memory, column *out, pw_source *from) {
    list_value *lists = COLUMN_OUT(out, list_value);
    const uint32_t most = pw_pick(from, 8) == 0 ? 100 : pw_pick(from, 5);
    uint32_t count = pw_pick(from, 2);
    for (uint32_t i = 0; i < out->length; i++) {
        const uint32_t size = count < PW_SAMPLE_ENTRIES_MAX ? pw_pick(from, most + 1) : 0;
        lists[i] = (list_value){.offset = count, .size = size};
        count += lists[i].size;
    }
    column *children = pw_take(memory, out->type->child_count, sizeof *children);
    for (uint32_t i = 0; i < out->type->child_count; i++) {
        const field *child = &out->type->children[i];
        children[i] = pw_sample_flat(memory, child->type, child->is_nullable, count, from);
    }
    out->children = children;
}

/// Strings of few values, of common starts, of any length.
static inline void pw_sample_strings(arena *memory, column *out, pw_source *from) {
    string_value *values = COLUMN_OUT(out, string_value);
    const uint32_t width = out->type->id == TYPE_UUID ? 16 : out->type->width;
    const uint32_t kind = pw_pick(from, 4);
    for (uint32_t i = 0; i < out->length; i++) {
        char made[700];
        const uint32_t longest = kind == 0 ? 3 : kind == 1 ? 40 : 14;
        uint32_t size = pw_pick(from, longest);
        size = kind == 3 && pw_pick(from, 50) == 0 ? 600 : size;
        size = width > 0 ? width : size;
        uint64_t random = kind == 0 ? pw_pick(from, 5) : pw_word(from);
        for (uint32_t k = 0; k < size; k++) {
            made[k] = (char)('a' + (kind == 1 && k < 20 ? 0 : random % 3));
            random = random / 3 + (random % 3) * UINT64_C(0x55555555);
        }
        if (out->type->id == TYPE_BINARY || out->type->id == TYPE_UUID) {
            for (uint32_t k = 0; k < size; k++) {
                made[k] = made[k] == 'c' ? (char)0xff : made[k];
            }
        }
        pw_must(string_new(memory, made, size, &values[i]));
    }
}

static inline uint64_t pw_power_of_ten(uint32_t exponent) {
    uint64_t out = 1;
    for (uint32_t i = 0; i < exponent && i < 18; i++) {
        out *= 10;
    }
    return out;
}

/// Numbers by the bytes of their layout; within what the type may hold.
WRAPS static inline void pw_sample_numbers(column *out, pw_source *from) {
    const uint32_t size = physical_size(type_physical(out->type));
    uint8_t *values = COLUMN_OUT(out, uint8_t);
    const uint32_t kind = pw_pick(from, 4);
    uint64_t last = pw_word(from);
    for (uint32_t i = 0; i < out->length; i++) {
        last = kind == 0 ? last + pw_pick(from, 9) : kind == 1 ? pw_pick(from, 9) : pw_word(from);
        int64_t number = (int64_t)last;
        if (out->type->id == TYPE_DECIMAL) {
            number %= (int64_t)pw_power_of_ten(out->type->precision);
        } else if (out->type->id == TYPE_TIME) {
            number = (int64_t)(last % (86400 * UINT64_C(1000)));
        } else if (out->type->id == TYPE_INTERVAL) {
            const interval_value made = {.months = (int32_t)(last % 1000),
                                         .days = (int32_t)(last >> 10 & 0xff),
                                         .nanos = (int64_t)(last >> 40) * 1000000};
            memcpy(values + (size_t)i * size, &made, sizeof made);
            continue;
        }
        uint64_t wide[4] = {(uint64_t)number, 0, 0, 0};
        wide[1] = wide[2] = wide[3] = number < 0 ? UINT64_MAX : 0;
        memcpy(values + (size_t)i * size, wide, size);
    }
}

static inline void pw_sample_values(arena *memory, column *out, pw_source *from) {
    const physical layout = type_physical(out->type);
    if (layout == PHYSICAL_BIT) {
        const uint32_t kind = pw_pick(from, 3);
        for (uint32_t i = 0; i < out->length; i++) {
            bitmap_put(COLUMN_OUT(out, uint64_t), i, kind == 2 ? i > 9 : pw_pick(from, 2) > kind);
        }
    } else if (layout == PHYSICAL_STRING) {
        pw_sample_strings(memory, out, from);
    } else if (layout != PHYSICAL_NONE) {
        pw_sample_numbers(out, from);
    }
}

static inline column pw_sample_flat(arena *memory, const type *of, bool is_nullable,
                                    uint32_t length, pw_source *from) {
    firn_error err = ERR_INIT;
    column out;
    pw_must(column_new(memory, of, length, &out, &err) == FIRN_OK);
    if (of->id == TYPE_STRUCT) {
        column *children = pw_take(memory, of->child_count, sizeof *children);
        for (uint32_t i = 0; i < of->child_count; i++) {
            children[i] = pw_sample_flat(memory, of->children[i].type, of->children[i].is_nullable,
                                         length, from);
        }
        out.children = children;
    } else if (type_is_nested(of)) {
        pw_sample_lists(memory, &out, from);
    } else {
        pw_sample_values(memory, &out, from);
    }
    const uint32_t rate = pw_pick(from, 6); // No bitmap, no NULLs, few, many, nearly all, all.
    if (rate > 0 && is_nullable && of->id != TYPE_NULL) {
        uint64_t *valid = column_validity_out(memory, &out);
        pw_must(valid != NULL);
        const uint32_t first = rate == 4 ? length / 2 : 0; // NULLs in front.
        for (uint32_t i = 0; i < length; i++) {
            bitmap_put(valid, i, i >= first && rate < 5 && (rate == 1 || pw_pick(from, 6) >= rate));
        }
    }
    return out;
}

/// A dictionary of a few entries.
static inline dictionary *pw_sample_dictionary(arena *memory, const type *of, pw_source *from) {
    column *entries = pw_take(memory, 1, sizeof *entries);
    dictionary *out = pw_take(memory, 1, sizeof *out);
    const uint32_t size = pw_pick(from, 10) == 0 ? 250 : pw_pick(from, 10) + 1;
    *entries = pw_sample_flat(memory, of, false, size, from);
    *out = (dictionary){.identity = dictionary_identity_new(), .size = size, .values = entries};
    return out;
}

/// A column in some form. `shared`: dictionaries of earlier batches by column, to be used again.
static inline column pw_sample_column(arena *memory, const type *of, bool is_nullable,
                                      uint32_t length, dictionary **shared, pw_source *from) {
    const column_form form = (column_form)(pw_pick(from, 5) % 4);
    if (form == FORM_CONSTANT) {
        column out = pw_sample_flat(memory, of, is_nullable, 1, from);
        out.form = FORM_CONSTANT;
        out.length = length;
        return out;
    }
    if (form == FORM_DICTIONARY && of->id != TYPE_NULL) {
        if (*shared == NULL || pw_pick(from, 3) == 0) {
            *shared = pw_sample_dictionary(memory, of, from);
        }
        uint32_t *codes = pw_take(memory, length, sizeof *codes);
        for (uint32_t i = 0; i < length; i++) {
            codes[i] = pw_pick(from, 256) % (*shared)->size;
        }
        const column validity = pw_sample_flat(memory, TYPE_OF(BOOLEAN), is_nullable, length, from);
        return (column){.type = of,
                        .form = FORM_DICTIONARY,
                        .length = length,
                        .values = codes,
                        .dictionary = *shared,
                        .children = (*shared)->values->children,
                        .validity = validity.validity};
    }
    if (form == FORM_RUNS && !type_is_nested(of) && of->id != TYPE_NULL && length > 0) {
        const uint32_t run_count = pw_pick(from, 200) % length + 1;
        column out = pw_sample_flat(memory, of, is_nullable, run_count, from);
        uint32_t *ends = pw_take(memory, run_count, sizeof *ends);
        for (uint32_t i = 0; i < run_count; i++) {
            ends[i] = i + 1 == run_count ? length : i + 1;
        }
        out.form = FORM_RUNS;
        out.length = length;
        out.run_ends = ends;
        out.run_count = run_count;
        return out;
    }
    return pw_sample_flat(memory, of, is_nullable, length, from);
}

static inline batch pw_sample_batch(arena *memory, const schema *of, uint32_t row_count,
                                    dictionary *shared[PW_SAMPLE_COLUMNS_MAX], pw_source *from) {
    column *columns = pw_take(memory, of->count, sizeof *columns);
    for (uint32_t i = 0; i < of->count; i++) {
        columns[i] = pw_sample_column(memory, of->fields[i].type, of->fields[i].is_nullable,
                                      row_count, &shared[i], from);
    }
    batch out = batch_of(columns, of->count, row_count);
    const uint32_t keep = pw_pick(from, 5); // All of them in most cases, few, many, none.
    if (keep < 2) {
        return out;
    }
    uint16_t *selection = pw_take(memory, row_count, sizeof *selection);
    out.selected_count = 0;
    for (uint32_t row = 0; row < row_count; row++) {
        if (keep < 4 && pw_pick(from, 4) < keep * 2 - 3) {
            selection[out.selected_count++] = (uint16_t)row;
        }
    }
    out.selection = selection;
    return out;
}

// ---- Options -----------------------------------------------------------------------------------

static inline pw_options pw_sample_options(pw_source *from) {
    static const codec codecs[] = {CODEC_NONE, CODEC_SNAPPY, CODEC_GZIP, CODEC_ZSTD, CODEC_LZ4};
    static const uint32_t rows[] = {1, 7, 100, 1000, 20000};
    static const uint32_t sizes[] = {1, 30, 500, 10000, 1 << 20};
    pw_options out = pw_options_default();
    out.page_rows = rows[pw_pick(from, 5)];
    out.page_bytes = sizes[pw_pick(from, 5)];
    out.group_rows = rows[pw_pick(from, 5)];
    out.dictionary_bytes = sizes[pw_pick(from, 5)];
    out.codec_choice = (pw_codec_choice)pw_pick(from, 2);
    out.codec = codecs[pw_pick(from, 5)];
    out.has_page_index = pw_pick(from, 4) != 0;
    out.has_checksums = pw_pick(from, 2) != 0;
    out.bloom_bytes_max = pw_pick(from, 2) == 0 ? 32 : 1024;
    out.leaf.has_bloom = pw_pick(from, 2) != 0;
    out.leaf.bloom_rate = 0.05;
    out.leaf.bloom_values = pw_pick(from, 3) * UINT64_C(10);
    out.leaf.statistics =
        pw_pick(from, 4) == 0 ? (pw_statistics_mode)pw_pick(from, 2) : PW_STATISTICS_BOUNDS;
    out.leaf.bound_bytes = sizes[pw_pick(from, 4)];
    out.leaf.encodings = pw_pick(from, 2) == 0 ? PW_ENCODINGS_ALL : pw_pick(from, 32);
    return out;
}

// ---- Comparing ---------------------------------------------------------------------------------

/// Whether a value is another one, bit by bit, children included. Any forms; of types that differ
/// in names and nullability at most.
static inline bool pw_same_value(const column *left, uint32_t i, const column *right, uint32_t k) {
    const bool is_valid = column_is_valid(left, i);
    if (is_valid != column_is_valid(right, k)) {
        return false;
    }
    if (!is_valid || left->type->id == TYPE_NULL) {
        return true;
    }
    const uint32_t l = column_lane(left, i);
    const uint32_t r = column_lane(right, k);
    const column *a = left->form == FORM_DICTIONARY ? left->dictionary->values : left;
    const column *b = right->form == FORM_DICTIONARY ? right->dictionary->values : right;
    const uint32_t child_count = left->type->child_count;
    if (left->type->id == TYPE_STRUCT) {
        bool is_same = true;
        for (uint32_t c = 0; c < child_count && is_same; c++) {
            is_same = pw_same_value(&a->children[c], l, &b->children[c], r);
        }
        return is_same;
    }
    const physical layout = type_physical(left->type);
    if (layout == PHYSICAL_LIST) {
        const list_value m = COLUMN_VALUES(a, list_value)[l];
        const list_value n = COLUMN_VALUES(b, list_value)[r];
        bool is_same = m.size == n.size;
        for (uint32_t e = 0; e < m.size && is_same; e++) {
            for (uint32_t c = 0; c < child_count && is_same; c++) {
                is_same =
                    pw_same_value(&a->children[c], m.offset + e, &b->children[c], n.offset + e);
            }
        }
        return is_same;
    }
    if (layout == PHYSICAL_BIT) {
        return bitmap_get(a->values, l) == bitmap_get(b->values, r);
    }
    if (layout == PHYSICAL_STRING) {
        return text_equal(string_text(&COLUMN_VALUES(a, string_value)[l]),
                          string_text(&COLUMN_VALUES(b, string_value)[r]));
    }
    const size_t size = physical_size(layout);
    return memcmp(COLUMN_VALUES(a, uint8_t) + l * size, COLUMN_VALUES(b, uint8_t) + r * size,
                  size) == 0;
}

#endif
