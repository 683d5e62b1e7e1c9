// Foreign Arrow arrays as columns that borrow from them. Everything is checked once, here: formats,
// buffers, offsets, UTF-8, dictionary indexes; what came through may be trusted like our own.
#include "base/checked.h"
#include "base/number_text.h"
#include "column/arrow_private.h"

#define ROWS_MAX (UINT64_C(1) << 56)

// `count` rows of a child from its row `from` on. Row numbers stay below 2^62, so that sums of two
// and products with the width of a value fit.
static firn_status child_of(const arrow_source *self, const struct ArrowSchema *types,
                            const struct ArrowArray *child, uint64_t from, uint64_t count,
                            arrow_source *out, firn_error *err) {
    if (child == NULL || child->release == NULL) {
        return arrow_broken(self, "no child", err);
    }
    if (child->offset < 0 || (uint64_t)child->offset > ROWS_MAX || from > ROWS_MAX ||
        count > UINT32_MAX) {
        return arrow_broken(self, "rows behind all memory", err);
    }
    *out = (arrow_source){.schema = types,
                          .array = child,
                          .from = from + (uint64_t)child->offset,
                          .count = (uint32_t)count};
    return FIRN_OK;
}

static firn_status import_validity(const arrow_source *self, arena *memory, column *out,
                                   firn_error *err) {
    TRY(arrow_check_array(self, 0, err));
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

static firn_status import_column(const arrow_source *self, const type *wanted, arena *memory,
                                 uint32_t depth, column *out, firn_error *err);

// The fields of a struct, or of the pairs of a map.
static firn_status import_parts(const arrow_source *self, const type *wanted, arena *memory,
                                uint32_t depth, column *out, firn_error *err) {
    if (self->array->n_children != (int64_t)wanted->child_count ||
        (wanted->child_count > 0 && self->array->children == NULL)) {
        return arrow_broken(self, "another number of fields than its schema", err);
    }
    for (uint32_t i = 0; i < wanted->child_count; i++) {
        arrow_source part;
        TRY(child_of(self, self->schema->children[i], self->array->children[i], self->from,
                     self->count, &part, err));
        TRY(import_column(&part, wanted->children[i].type, memory, depth + 1, &out[i], err));
    }
    return FIRN_OK;
}

// Where the elements of lists and maps lie: begin and end of a row, by the kind of list.
typedef struct list_places {
    const void *offsets; // NULL: lists of fixed size.
    const void *sizes;   // Of views, whose rows may lie anywhere.
    uint64_t width;      // Of lists of fixed size.
    bool is_large;
} list_places;

static firn_status find_places(const arrow_source *self, list_places *out, firn_error *err) {
    const char *format = self->schema->format;
    const bool is_fixed = format[1] == 'w';
    const bool is_view = format[1] == 'v';
    int64_t width = 0;
    size_t cells;
    TRY(arrow_check_array(self, is_fixed ? 1 : (is_view ? 3 : 2), err));
    if (is_fixed && (number_parse_i64(text_of(format + 3), &width) != NUMBER_OK || width < 0 ||
                     !mul_fits(self->from + self->count, (uint64_t)width, &cells))) {
        return arrow_broken(self, "no width, or one beyond all memory", err);
    }
    *out = (list_places){.offsets = is_fixed ? NULL : self->array->buffers[1],
                         .sizes = is_view ? self->array->buffers[2] : NULL,
                         .width = (uint64_t)width,
                         .is_large = strchr(format, 'L') != NULL};
    return is_view && self->count > 0 && out->sizes == NULL
               ? arrow_broken(self, "no sizes of its lists", err)
               : FIRN_OK;
}

static void place_of(const list_places *self, uint64_t row, uint64_t *begin, uint64_t *end) {
    if (self->offsets == NULL) {
        *begin = row * self->width;
        *end = *begin + self->width;
    } else if (self->sizes == NULL) {
        *begin = arrow_offset_at(self->offsets, row, self->is_large);
        *end = arrow_offset_at(self->offsets, row + 1, self->is_large);
    } else {
        const uint64_t size = arrow_offset_at(self->sizes, row, self->is_large);
        *begin = arrow_offset_at(self->offsets, row, self->is_large);
        *end = size > ROWS_MAX || *begin > ROWS_MAX ? UINT64_MAX : *begin + size;
    }
}

// Lists and maps: slices of the child rows that the rows span.
static firn_status import_lists(const arrow_source *self, arena *memory, uint32_t depth,
                                column *out, firn_error *err) {
    list_places places = {0};
    TRY(find_places(self, &places, err));
    list_value *slices = COLUMN_OUT(out, list_value);
    uint64_t first = UINT64_MAX;
    uint64_t last = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < self->count; i++) {
            uint64_t begin;
            uint64_t end;
            if (!column_is_valid(out, i)) {
                continue;
            }
            place_of(&places, self->from + i, &begin, &end);
            if (begin > end || end > ROWS_MAX) {
                return arrow_broken(self, "offsets that fall", err);
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
            return arrow_broken(self, "lists of over 2^31 elements in one batch", err);
        }
    }
    const bool has_child = self->array->n_children == 1 && self->array->children != NULL;
    arrow_source part;
    TRY(child_of(self, self->schema->children[0], has_child ? self->array->children[0] : NULL,
                 first, last - first, &part, err));
    TRY(arrow_check_array(&part, 0, err));
    column *children = ARENA_NEW(memory, column, 2);
    if (children == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->children = children;
    return out->type->id == TYPE_MAP ? import_parts(&part, out->type, memory, depth, children, err)
                                     : import_column(&part, out->type->children[0].type, memory,
                                                     depth + 1, children, err);
}

static firn_status import_struct(const arrow_source *self, arena *memory, uint32_t depth,
                                 column *out, firn_error *err) {
    TRY(arrow_check_array(self, 1, err));
    column *children = ARENA_NEW(memory, column, out->type->child_count + 1);
    if (children == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->children = children;
    return import_parts(self, out->type, memory, depth, children, err);
}

static uint64_t index_at(const arrow_source *self, uint32_t row) {
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
static firn_status import_dictionary(const arrow_source *self, const type *wanted, arena *memory,
                                     uint32_t depth, column *out, firn_error *err) {
    TRY(arrow_check_array(self, 2, err));
    const struct ArrowArray *values = self->array->dictionary;
    if (values == NULL || values->length < 0 || values->length > UINT32_MAX / 2) {
        return arrow_broken(self, "no dictionary", err);
    }
    arrow_source entries;
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
                return arrow_broken(self, "an index behind its dictionary", err);
            }
            rows[i] = (uint32_t)index;
        }
    }
    return column_take(memory, &words, rows, self->count, out, err);
}

// Where a run ends: the row behind its last one. A negative end becomes one behind all rows.
static uint64_t run_end(const arrow_source *ends, uint64_t run) {
    const uint8_t *data = ends->array->buffers[1];
    const uint64_t at = ends->from + run;
    int16_t narrow;
    if (ends->schema->format[0] == 's') {
        memcpy(&narrow, data + at * sizeof narrow, sizeof narrow);
        return (uint64_t)(int64_t)narrow;
    }
    return arrow_offset_at(data, at, ends->schema->format[0] == 'l');
}

// The first run that ends behind a row.
static uint32_t find_run(const arrow_source *ends, uint64_t row) {
    uint32_t low = 0;
    uint32_t high = ends->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (run_end(ends, middle) <= row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// An array of runs (the run ends, a value each) becomes the column of its values.
static firn_status import_runs(const arrow_source *self, const type *wanted, arena *memory,
                               uint32_t depth, column *out, firn_error *err) {
    TRY(arrow_check_array(self, 0, err));
    const struct ArrowArray *array = self->array;
    if (array->n_children != 2 || array->children == NULL || array->children[0] == NULL ||
        array->children[0]->length < 0 || array->children[0]->length > UINT32_MAX / 2) {
        return arrow_broken(self, "no runs", err);
    }
    arrow_source ends;
    TRY(child_of(self, self->schema->children[0], array->children[0], 0,
                 (uint64_t)array->children[0]->length, &ends, err));
    TRY(arrow_check_array(&ends, 2, err));
    uint32_t *rows = ARENA_NEW(memory, uint32_t, self->count + 1);
    if (rows == NULL) {
        return ARENA_FULL(memory, err);
    }
    const uint32_t first = find_run(&ends, self->from);
    uint32_t run = first;
    for (uint32_t i = 0; i < self->count; i++) {
        while (run < ends.count && run_end(&ends, run) <= self->from + i) {
            run++;
        }
        if (run == ends.count) {
            return arrow_broken(self, "runs that end before its rows do", err);
        }
        if (run_end(&ends, run) > ROWS_MAX) {
            return arrow_broken(self, "a run that ends behind all memory", err);
        }
        rows[i] = run - first;
    }
    const uint64_t used = self->count == 0 ? 0 : (uint64_t)run - first + 1;
    arrow_source values;
    column kept;
    TRY(child_of(self, self->schema->children[1], array->children[1], first, used, &values, err));
    TRY(import_column(&values, wanted, memory, depth + 1, &kept, err));
    return column_take(memory, &kept, rows, self->count, out, err);
}

static firn_status import_column(const arrow_source *self, const type *wanted, arena *memory,
                                 uint32_t depth, column *out, firn_error *err) {
    if (depth > TYPE_DEPTH_MAX) {
        return arrow_broken(self, "too deep a nesting", err);
    }
    if (self->schema->dictionary != NULL) {
        return import_dictionary(self, wanted, memory, depth, out, err);
    }
    if (strcmp(self->schema->format, "+r") == 0) {
        return import_runs(self, wanted, memory, depth, out, err);
    }
    TRY(arrow_check_array(self, 0, err));
    TRY(column_new(memory, wanted, self->count, out, err));
    if (wanted->id == TYPE_NULL) {
        return FIRN_OK;
    }
    TRY(import_validity(self, memory, out, err));
    switch ((int)type_physical(wanted)) {
    case PHYSICAL_LIST:
        return import_lists(self, memory, depth, out, err);
    case PHYSICAL_STRUCT:
        return import_struct(self, memory, depth, out, err);
    default:
        return arrow_import_values(self, out, err);
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
    const arrow_source whole = {.schema = types,
                                .array = self,
                                .from = rows.from + (uint64_t)self->offset,
                                .count = rows.count};
    for (uint32_t i = 0; i < fields->count; i++) {
        arrow_source part;
        TRY(child_of(&whole, types->children[i], self->children[i], whole.from, rows.count, &part,
                     err));
        TRY(import_column(&part, fields->fields[i].type, memory, 0, &columns[i], err));
    }
    *out = batch_of(columns, fields->count, rows.count);
    return FIRN_OK;
}
