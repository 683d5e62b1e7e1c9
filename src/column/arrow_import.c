// Foreign Arrow arrays as columns that borrow from them. Everything is checked once, here: formats,
// buffers, offsets, UTF-8, dictionary indexes; what came through may be trusted like our own.
#include "base/calendar.h"
#include "base/checked.h"
#include "base/number_text.h"
#include "base/utf8.h"
#include "column/arrow_private.h"

#define ROWS_MAX (UINT64_C(1) << 56)

// One array with its schema; `rows` begins at row `from` of the array (its own offset included).
typedef struct source {
    const struct ArrowSchema *schema;
    const struct ArrowArray *array;
    uint64_t from;
    uint32_t count;
} source;

static firn_status broken(const source *self, const char *what, firn_error *err) {
    return FAIL(err, FIRN_INVALID, "the Arrow array of column \"%s\" has %s",
                self->schema->name == NULL ? "" : self->schema->name, what);
}

// What every array must hold: its rows and, if `buffers` of them are looked at, a second buffer.
static firn_status check_array(const source *self, int64_t buffers, firn_error *err) {
    const struct ArrowArray *array = self->array;
    if (array == NULL || array->release == NULL) {
        return broken(self, "been released", err);
    }
    if (array->length < 0 || array->offset < 0 || array->n_buffers < buffers ||
        (array->n_buffers > 0 && array->buffers == NULL) ||
        (uint64_t)array->length + (uint64_t)array->offset < self->from + self->count) {
        return broken(self, "too few rows or buffers", err);
    }
    if (buffers > 1 && self->count > 0 && array->buffers[1] == NULL) {
        return broken(self, "no values", err);
    }
    return FIRN_OK;
}

// `count` rows of a child from its row `from` on. Row numbers stay below 2^62, so that sums of two
// and products with the width of a value fit.
static firn_status child_of(const source *self, const struct ArrowSchema *types,
                            const struct ArrowArray *child, uint64_t from, uint64_t count,
                            source *out, firn_error *err) {
    if (child == NULL || child->release == NULL) {
        return broken(self, "no child", err);
    }
    if (child->offset < 0 || (uint64_t)child->offset > ROWS_MAX || from > ROWS_MAX ||
        count > UINT32_MAX) {
        return broken(self, "rows behind all memory", err);
    }
    *out = (source){.schema = types,
                    .array = child,
                    .from = from + (uint64_t)child->offset,
                    .count = (uint32_t)count};
    return FIRN_OK;
}

static firn_status import_validity(const source *self, arena *memory, column *out,
                                   firn_error *err) {
    TRY(check_array(self, 0, err));
    const uint8_t *bits = self->array->n_buffers > 0 ? self->array->buffers[0] : NULL;
    if (bits == NULL || self->array->null_count == 0) {
        return FIRN_OK;
    }
    uint64_t *words = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(self->count) + 1);
    if (words == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(words, 0, (BITMAP_WORDS(self->count) + 1) * sizeof *words);
    for (uint32_t i = 0; i < self->count; i++) { // Foreign bitmaps may end at any byte.
        const uint64_t bit = self->from + i;
        if ((bits[bit / 8] >> (bit % 8) & 1) != 0) {
            bitmap_set(words, i);
        }
    }
    out->validity = words;
    return FIRN_OK;
}

static firn_status import_bits(const source *self, column *out, firn_error *err) {
    TRY(check_array(self, 2, err));
    const uint8_t *bits = self->array->buffers[1];
    for (uint32_t i = 0; i < self->count; i++) {
        const uint64_t bit = self->from + i;
        if ((bits[bit / 8] >> (bit % 8) & 1) != 0) {
            bitmap_set(COLUMN_OUT(out, uint64_t), i);
        }
    }
    return FIRN_OK;
}

// Decimals narrow to the width that their precision has here.
static firn_status import_decimal(const source *self, column *out, firn_error *err) {
    const uint8_t *data = self->array->buffers[1];
    const physical kind = type_physical(out->type);
    const text format = text_of(self->schema->format);
    const bool is_wide = text_ends_with(format, TEXT(",256"));
    for (uint32_t i = 0; i < self->count; i++) {
        i256 wide = I256_ZERO;
        i128 value = 0;
        if (!column_is_valid(out, i)) {
            memset(COLUMN_OUT(out, uint8_t) + (size_t)i * physical_size(kind), 0,
                   physical_size(kind));
            continue;
        }
        if (is_wide) {
            memcpy(&wide, data + (self->from + i) * 32, 32);
        } else {
            memcpy(&value, data + (self->from + i) * 16, 16);
            wide = i256_from_i128(value);
        }
        if (!i256_has_digits(wide, out->type->precision)) {
            return broken(self, "a decimal of more digits than its type", err);
        }
        if (kind != PHYSICAL_I256 && !i256_to_i128_fits(wide, &value)) {
            return broken(self, "a decimal of more digits than its type", err);
        }
        switch ((int)kind) {
        case PHYSICAL_I32:
            COLUMN_OUT(out, int32_t)[i] = (int32_t)value;
            break;
        case PHYSICAL_I64:
            COLUMN_OUT(out, int64_t)[i] = (int64_t)value;
            break;
        case PHYSICAL_I128:
            COLUMN_OUT(out, i128)[i] = value;
            break;
        default:
            COLUMN_OUT(out, i256)[i] = wide;
        }
    }
    return FIRN_OK;
}

// tiM: months; tiD: days and milliseconds; durations: a count of units as nanoseconds.
static firn_status import_interval(const source *self, column *out, firn_error *err) {
    const char *format = self->schema->format;
    const uint8_t *data = self->array->buffers[1];
    static const int64_t nanos[] = {1000000000, 1000000, 1000, 1};
    for (uint32_t i = 0; i < self->count; i++) {
        interval_value value = {0};
        const uint64_t row = self->from + i;
        if (format[1] == 'D') {
            int64_t units;
            time_unit unit = UNIT_MICRO;
            memcpy(&units, data + row * 8, 8);
            (void)arrow_unit_of(format[2], &unit);
            if (column_is_valid(out, i) &&
                __builtin_mul_overflow(units, nanos[unit], &value.nanos)) {
                return broken(self, "a duration beyond 292 years", err);
            }
        } else if (format[2] == 'M') {
            memcpy(&value.months, data + row * 4, 4);
        } else if (format[2] == 'D') {
            int32_t millis;
            memcpy(&value.days, data + row * 8, 4);
            memcpy(&millis, data + row * 8 + 4, 4);
            value.nanos = (int64_t)millis * nanos[UNIT_MILLI];
        } else {
            memcpy(&value, data + row * 16, 16);
        }
        COLUMN_OUT(out, interval_value)[i] = value;
    }
    return FIRN_OK;
}

// Times lie within a day; seconds (tts) become milliseconds.
static firn_status check_times(const source *self, column *out, firn_error *err) {
    const bool is_seconds = strcmp(self->schema->format, "tts") == 0;
    const int64_t units = is_seconds ? 1 : calendar_units_per_second(out->type->unit);
    const bool is_narrow = type_physical(out->type) == PHYSICAL_I32;
    for (uint32_t i = 0; i < self->count; i++) {
        const int64_t value = is_narrow ? COLUMN_OUT(out, int32_t)[i] : COLUMN_OUT(out, int64_t)[i];
        const bool fits = value >= 0 && value <= CALENDAR_DAY_SECONDS * units;
        if (!fits && column_is_valid(out, i)) {
            return broken(self, "a time that is of no day", err);
        }
        if (is_seconds) {
            COLUMN_OUT(out, int32_t)[i] = fits ? (int32_t)value * 1000 : 0;
        }
    }
    return FIRN_OK;
}

// Values as they are; tdm (dates as milliseconds) a timestamp as it is.
static firn_status import_fixed(const source *self, column *out, firn_error *err) {
    TRY(check_array(self, 2, err));
    if (self->count == 0) {
        return FIRN_OK;
    }
    if (out->type->id == TYPE_DECIMAL) {
        return import_decimal(self, out, err);
    }
    if (out->type->id == TYPE_INTERVAL) {
        return import_interval(self, out, err);
    }
    const uint32_t width = physical_size(type_physical(out->type));
    memcpy(COLUMN_OUT(out, uint8_t), (const uint8_t *)self->array->buffers[1] + self->from * width,
           (size_t)self->count * width);
    return out->type->id == TYPE_TIME ? check_times(self, out, err) : FIRN_OK;
}

static firn_status put_string(const source *self, column *out, uint32_t row, const char *data,
                              uint64_t size, firn_error *err) {
    if (size > UINT32_MAX) {
        return broken(self, "a text of over 4 GiB", err);
    }
    const bytes raw = {.data = (const uint8_t *)data, .size = size};
    if (out->type->id != TYPE_BINARY && out->type->id != TYPE_UUID && !utf8_is_valid(raw)) {
        firn_status status = broken(self, "text that is not UTF-8", err);
        err_hint(err, "hand it over as binary");
        return status;
    }
    COLUMN_OUT(out, string_value)[row] = string_of(data, (uint32_t)size);
    return FIRN_OK;
}

static uint64_t offset_at(const void *offsets, uint64_t row, bool is_large) {
    if (is_large) {
        int64_t value;
        memcpy(&value, (const uint8_t *)offsets + row * 8, 8);
        return (uint64_t)value;
    }
    int32_t value;
    memcpy(&value, (const uint8_t *)offsets + row * 4, 4);
    return (uint64_t)(int64_t)value;
}

static firn_status import_strings(const source *self, column *out, bool is_large, firn_error *err) {
    TRY(check_array(self, 3, err));
    if (self->count == 0) {
        return FIRN_OK;
    }
    const void *offsets = self->array->buffers[1];
    const char *data = self->array->buffers[2];
    // The last offset of the array is where its bytes end.
    const uint64_t rows = (uint64_t)self->array->length + (uint64_t)self->array->offset;
    const uint64_t size = offset_at(offsets, rows, is_large);
    for (uint32_t i = 0; i < self->count; i++) {
        const uint64_t begin = offset_at(offsets, self->from + i, is_large);
        const uint64_t end = offset_at(offsets, self->from + i + 1, is_large);
        if (!column_is_valid(out, i)) {
            continue;
        }
        if (begin > end || end > size || size > INT64_MAX || (end > begin && data == NULL)) {
            return broken(self, "offsets that fall", err);
        }
        TRY(put_string(self, out, i, data == NULL ? "" : data + begin, end - begin, err));
    }
    return FIRN_OK;
}

static firn_status import_views(const source *self, column *out, firn_error *err) {
    TRY(check_array(self, 3, err));
    const uint8_t *views = self->array->buffers[1];
    const int64_t data_count = self->array->n_buffers - 3;
    const uint8_t *sizes = self->array->buffers[self->array->n_buffers - 1];
    for (uint32_t i = 0; i < self->count; i++) {
        const uint8_t *view = views + (self->from + i) * 16;
        int32_t parts[4];
        memcpy(parts, view, 16);
        if (!column_is_valid(out, i)) {
            continue;
        }
        if (parts[0] < 0) {
            return broken(self, "a view of negative size", err);
        }
        if (parts[0] <= 12) {
            TRY(put_string(self, out, i, (const char *)view + 4, (uint64_t)parts[0], err));
            continue;
        }
        int64_t size = 0;
        if (parts[2] >= 0 && parts[2] < data_count && sizes != NULL) {
            memcpy(&size, sizes + (size_t)parts[2] * sizeof size, sizeof size);
        }
        if (parts[3] < 0 || (int64_t)parts[3] + parts[0] > size ||
            self->array->buffers[2 + parts[2]] == NULL) {
            return broken(self, "a view that points outside of its buffers", err);
        }
        const char *data = self->array->buffers[2 + parts[2]];
        TRY(put_string(self, out, i, data + parts[3], (uint64_t)parts[0], err));
    }
    return FIRN_OK;
}

static firn_status import_fixed_bytes(const source *self, column *out, firn_error *err) {
    TRY(check_array(self, 2, err));
    const char *data = self->array->buffers[1];
    const uint32_t width = out->type->id == TYPE_UUID ? 16 : out->type->width;
    uint64_t size;
    if (!mul_fits(self->from + self->count, (uint64_t)width, &size)) {
        return broken(self, "rows behind all memory", err);
    }
    for (uint32_t i = 0; i < self->count; i++) {
        if (column_is_valid(out, i)) {
            TRY(put_string(self, out, i, data + (self->from + i) * width, width, err));
        }
    }
    return FIRN_OK;
}

static firn_status import_column(const source *self, const type *wanted, arena *memory,
                                 uint32_t depth, column *out, firn_error *err);

// The fields of a struct, or of the pairs of a map.
static firn_status import_parts(const source *self, const type *wanted, arena *memory,
                                uint32_t depth, column *out, firn_error *err) {
    if (self->array->n_children != (int64_t)wanted->child_count ||
        (wanted->child_count > 0 && self->array->children == NULL)) {
        return broken(self, "another number of fields than its schema", err);
    }
    for (uint32_t i = 0; i < wanted->child_count; i++) {
        source part;
        TRY(child_of(self, self->schema->children[i], self->array->children[i], self->from,
                     self->count, &part, err));
        TRY(import_column(&part, wanted->children[i].type, memory, depth + 1, &out[i], err));
    }
    return FIRN_OK;
}

// Lists and maps: slices of the child rows that the rows span.
static firn_status import_lists(const source *self, arena *memory, uint32_t depth, column *out,
                                firn_error *err) {
    const char kind = self->schema->format[1];
    const bool is_fixed = kind == 'w';
    TRY(check_array(self, is_fixed ? 1 : 2, err));
    int64_t width = 0;
    size_t cells;
    if (is_fixed && (number_parse_i64(text_of(self->schema->format + 3), &width) != NUMBER_OK ||
                     width < 0 || !mul_fits(self->from + self->count, (uint64_t)width, &cells))) {
        return broken(self, "no width, or one beyond all memory", err);
    }
    list_value *slices = COLUMN_OUT(out, list_value);
    uint64_t first = UINT64_MAX;
    uint64_t last = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < self->count; i++) {
            const uint64_t row = self->from + i;
            const uint64_t begin = is_fixed ? row * (uint64_t)width
                                            : offset_at(self->array->buffers[1], row, kind == 'L');
            const uint64_t end = is_fixed
                                     ? begin + (uint64_t)width
                                     : offset_at(self->array->buffers[1], row + 1, kind == 'L');
            if (!column_is_valid(out, i)) {
                continue;
            }
            if (begin > end || end > ROWS_MAX) {
                return broken(self, "offsets that fall", err);
            }
            first = begin < first ? begin : first;
            last = end > last ? end : last;
            if (pass == 1) {
                slices[i] = (list_value){.offset = (uint32_t)(begin - first),
                                         .size = (uint32_t)(end - begin)};
            }
        }
        first = first > last ? last : first;
        if (last - first > UINT32_MAX / 2) {
            return broken(self, "lists of over 2^31 elements in one batch", err);
        }
    }
    const bool has_child = self->array->n_children == 1 && self->array->children != NULL;
    source part;
    TRY(child_of(self, self->schema->children[0], has_child ? self->array->children[0] : NULL,
                 first, last - first, &part, err));
    TRY(check_array(&part, 0, err));
    column *children = ARENA_NEW(memory, column, 2);
    if (children == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->children = children;
    return out->type->id == TYPE_MAP ? import_parts(&part, out->type, memory, depth, children, err)
                                     : import_column(&part, out->type->children[0].type, memory,
                                                     depth + 1, children, err);
}

static firn_status import_struct(const source *self, arena *memory, uint32_t depth, column *out,
                                 firn_error *err) {
    TRY(check_array(self, 1, err));
    column *children = ARENA_NEW(memory, column, out->type->child_count + 1);
    if (children == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->children = children;
    return import_parts(self, out->type, memory, depth, children, err);
}

static uint64_t index_at(const source *self, uint32_t row) {
    const char kind = self->schema->format[0];
    const uint8_t *data = self->array->buffers[1];
    const uint64_t at = self->from + row;
    uint64_t value = 0;
    int16_t narrow; // A negative index becomes one behind any dictionary.
    int32_t middle;
    switch (kind) {
    case 'c':
        return (uint64_t)(int64_t)(int8_t)data[at];
    case 'C':
        return data[at];
    case 's':
        memcpy(&narrow, data + at * 2, 2);
        return (uint64_t)(int64_t)narrow;
    case 'S':
        memcpy(&value, data + at * 2, 2);
        return value;
    case 'i':
        memcpy(&middle, data + at * 4, 4);
        return (uint64_t)(int64_t)middle;
    case 'I':
        memcpy(&value, data + at * 4, 4);
        return value;
    default:
        memcpy(&value, data + at * 8, 8);
        return value;
    }
}

// A dictionary array becomes the column of its values.
static firn_status import_dictionary(const source *self, const type *wanted, arena *memory,
                                     uint32_t depth, column *out, firn_error *err) {
    TRY(check_array(self, 2, err));
    const struct ArrowArray *values = self->array->dictionary;
    if (values == NULL || values->length < 0 || values->length > UINT32_MAX / 2) {
        return broken(self, "no dictionary", err);
    }
    source entries;
    TRY(child_of(self, self->schema->dictionary, values, 0, (uint64_t)values->length, &entries,
                 err));
    column words;
    TRY(import_column(&entries, wanted, memory, depth + 1, &words, err));
    column valid = {.type = wanted, .form = FORM_FLAT, .length = self->count};
    TRY(import_validity(self, memory, &valid, err));
    uint32_t *rows = ARENA_NEW(memory, uint32_t, self->count + 1);
    if (rows == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->count; i++) {
        rows[i] = UINT32_MAX;
        if (column_is_valid(&valid, i)) {
            const uint64_t index = index_at(self, i);
            if (index >= words.length) {
                return broken(self, "an index behind its dictionary", err);
            }
            rows[i] = (uint32_t)index;
        }
    }
    return column_take(memory, &words, rows, self->count, out, err);
}

static firn_status import_column(const source *self, const type *wanted, arena *memory,
                                 uint32_t depth, column *out, firn_error *err) {
    if (depth > TYPE_DEPTH_MAX) {
        return broken(self, "too deep a nesting", err);
    }
    if (self->schema->dictionary != NULL) {
        return import_dictionary(self, wanted, memory, depth, out, err);
    }
    TRY(check_array(self, 0, err));
    TRY(column_new(memory, wanted, self->count, out, err));
    if (wanted->id == TYPE_NULL) {
        return FIRN_OK;
    }
    TRY(import_validity(self, memory, out, err));
    const char first = self->schema->format[0];
    switch ((int)type_physical(wanted)) {
    case PHYSICAL_BIT:
        return import_bits(self, out, err);
    case PHYSICAL_STRING:
        if (first == 'w') {
            return import_fixed_bytes(self, out, err);
        }
        return first == 'v' ? import_views(self, out, err)
                            : import_strings(self, out, first == 'U' || first == 'Z', err);
    case PHYSICAL_LIST:
        return import_lists(self, memory, depth, out, err);
    case PHYSICAL_STRUCT:
        return import_struct(self, memory, depth, out, err);
    default:
        return import_fixed(self, out, err);
    }
}

firn_status arrow_array_import(const struct ArrowSchema *types, const schema *fields,
                               arrow_rows rows, arena *memory, batch *out, firn_error *err) {
    const struct ArrowArray *self = rows.array;
    if (self->release == NULL || self->n_children != (int64_t)fields->count || self->length < 0 ||
        self->offset < 0 || (uint64_t)self->offset > ROWS_MAX ||
        rows.from > (uint64_t)self->length || rows.count > (uint64_t)self->length - rows.from ||
        (self->n_children > 0 && self->children == NULL)) {
        return FAIL(err, FIRN_INVALID, "an Arrow array of %lld columns and %lld rows does not fit",
                    (long long)self->n_children, (long long)self->length);
    }
    column *columns = ARENA_NEW(memory, column, fields->count + 1);
    if (columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    const source whole = {.schema = types,
                          .array = self,
                          .from = rows.from + (uint64_t)self->offset,
                          .count = rows.count};
    for (uint32_t i = 0; i < fields->count; i++) {
        source part;
        TRY(child_of(&whole, types->children[i], self->children[i], whole.from, rows.count, &part,
                     err));
        TRY(import_column(&part, fields->fields[i].type, memory, 0, &columns[i], err));
    }
    *out = batch_of(columns, fields->count, rows.count);
    return FIRN_OK;
}
