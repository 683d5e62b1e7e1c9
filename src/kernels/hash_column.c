#include "kernels/hash_column.h"

#include "base/hash.h"
#include "base/isa.h"
#include "column/value_memo.h"
#include "kernels/bits.h"
#include "kernels/gather.h"
#include "kernels/hash_column_table.h"

static hash_kernel kernel_of(physical layout) {
    static const hash_table_of_level *const tables[ISA_COUNT] = {
        [ISA_BASE] = &hash_kernels_base,
#if defined(__x86_64__)
        [ISA_V3] = &hash_kernels_v3,
        [ISA_V4] = &hash_kernels_v4,
#endif
    };
    return layout < PHYSICAL_COUNT ? tables[isa_best()]->kernels[layout] : NULL;
}

static void store(uint64_t hash, bool combines, uint64_t *out) {
    *out = combines ? hash_combine(*out, hash) : hash;
}

// What a call is about: the rows of a list or the first `count`, and where the hashes go.
typedef struct hashing {
    const uint16_t *rows;
    uint32_t first; // Without a list of rows: where they begin. 0 but for parts of lists.
    uint32_t count;
    bool combines;
    arena *scratch;
    uint64_t *out;
} hashing;

static uint32_t row_of(const hashing *self, uint32_t k) {
    return self->rows == NULL ? self->first + k : self->rows[k];
}

static void hash_strings(const hashing *self, const string_value *values) {
    cancel_watch watch = {.cancel = self->scratch->cancel};
    for (uint32_t k = 0; k < self->count; k++) {
        const string_value *value = &values[row_of(self, k)];
        const uint64_t hash = value->size <= CANCEL_LONG
                                  ? hash_bytes(string_data(value), value->size)
                                  : hash_bytes_watched(value->data, value->size, &watch);
        store(hash, self->combines, &self->out[k]);
    }
}

// The place of a list that rows may have in common; false: the value is of another kind, or short.
static bool is_long_list(const column *values, uint32_t row, value_place *out) {
    if (values->form != FORM_FLAT || type_physical(values->type) != PHYSICAL_LIST ||
        (values->validity != NULL && !bitmap_get(values->validity, row))) {
        return false;
    }
    const list_value slice = COLUMN_VALUES(values, list_value)[row];
    *out = (value_place){.offset = slice.offset, .size = slice.size};
    return slice.size >= VALUE_MEMO_ELEMENTS;
}

static void hash_by_rows(const hashing *self, const column *values) {
    cancel_watch watch = {.cancel = self->scratch->cancel};
    value_memo memo = {.oldest = {0}};
    uint64_t last = 0;
    for (uint32_t k = 0; k < self->count; k++) {
        const uint32_t row = row_of(self, k);
        bool is_there = k > 0 && column_rows_alike(values, row_of(self, k - 1), row);
        uint64_t *hash = &last;
        value_place place;
        if (!is_there && is_long_list(values, row, &place)) {
            hash = value_memo_find(&memo, place, &is_there);
        }
        if (!is_there) {
            *hash = column_hash_row_watched(values, row, &watch);
        }
        last = *hash;
        store(last, self->combines, &self->out[k]);
    }
}

// NULL rows among `count`: their hash is computed anew from what `before` holds.
static void patch_nulls(const hashing *self, const column *values, const uint64_t *before) {
    for (uint32_t k = 0; k < self->count; k++) {
        if (!bitmap_get(values->validity, row_of(self, k))) {
            self->out[k] = self->combines ? hash_combine(before[k], HASH_NULL) : HASH_NULL;
        }
    }
}

static bool hash_numbers(const hashing *self, const column *values, hash_kernel kernel) {
    if (self->rows == NULL) {
        kernel(values->values, self->count, self->combines, self->out);
        return true;
    }
    const uint32_t width = physical_size(type_physical(values->type));
    uint8_t *dense = ARENA_NEW(self->scratch, uint8_t, (size_t)self->count *width + 1);
    if (dense == NULL) {
        return false;
    }
    gather_rows(width, values->values, self->rows, self->count, dense);
    kernel(dense, self->count, self->combines, self->out);
    return true;
}

// ---- Structs and lists --------------------------------------------------------------------------

// Those of the rows that are not NULL; others get their hash. NULL when scratch is full.
static uint16_t *valid_rows(const hashing *self, const column *values, uint16_t *numbers,
                            uint32_t *count) {
    uint16_t *rows = ARENA_NEW(self->scratch, uint16_t, self->count + 1);
    *count = 0;
    for (uint32_t k = 0; k < self->count && rows != NULL; k++) {
        const uint32_t row = row_of(self, k);
        if (bitmap_get(values->validity, row)) {
            rows[*count] = (uint16_t)row;
            numbers[(*count)++] = (uint16_t)k;
        } else {
            store(HASH_NULL, self->combines, &self->out[k]);
        }
    }
    return rows;
}

// A struct's hash is made of its fields', as that of a key is of its columns'.
static bool hash_structs(const hashing *self, const column *values) {
    const arena_mark mark = arena_mark_take(self->scratch);
    const bool has_nulls = values->validity != NULL;
    const uint16_t *rows = self->rows;
    uint32_t count = self->count;
    uint16_t *numbers = has_nulls ? ARENA_NEW(self->scratch, uint16_t, self->count + 1) : NULL;
    if (has_nulls) {
        rows = numbers == NULL ? NULL : valid_rows(self, values, numbers, &count);
        if (rows == NULL) {
            return false;
        }
    }
    uint64_t *hashes = ARENA_NEW(self->scratch, uint64_t, count + 1);
    if (hashes == NULL) {
        return false;
    }
    const uint64_t first = hash_u64(values->type->child_count);
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = first;
    }
    for (uint32_t field = 0; field < values->type->child_count; field++) {
        if (!hash_column(&values->children[field], rows, count, true, self->scratch, hashes)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        store(hashes[i], self->combines, &self->out[has_nulls ? numbers[i] : i]);
    }
    arena_rewind(self->scratch, mark);
    return true;
}

// Elements of lists that lie together, and their hashes.
typedef struct hashed_elements {
    uint32_t from;
    uint32_t to;
    const uint64_t *hashes;
} hashed_elements;

#define ELEMENTS_MAX 8192 // That are hashed at once.
#define GAPS_MAX 64       // Elements of no list that are hashed with them.

static uint64_t hash_of_list(const hashed_elements *elements, list_value slice) {
    uint64_t hash = hash_u64(slice.size);
    for (uint32_t i = 0; i < slice.size; i++) {
        hash = hash_combine(hash, elements->hashes[slice.offset - elements->from + i]);
    }
    return hash;
}

// How many of the rows from the k-th on have their elements in a range that may be hashed as a
// whole: `out` is that. At least one; its range may be longer.
static uint32_t gather_lists(const hashing *self, const column *values, uint32_t from,
                             hashed_elements *out, uint64_t *element_count) {
    const list_value *lists = values->values;
    *out = (hashed_elements){.from = UINT32_MAX};
    *element_count = 0;
    uint32_t k = from;
    for (; k < self->count; k++) {
        const uint32_t row = row_of(self, k);
        const bool is_valid = values->validity == NULL || bitmap_get(values->validity, row);
        if (!is_valid || lists[row].size == 0) {
            continue;
        }
        const uint32_t end = lists[row].offset + lists[row].size;
        const uint32_t low = lists[row].offset < out->from ? lists[row].offset : out->from;
        const uint32_t high = end > out->to ? end : out->to;
        if (high - low > ELEMENTS_MAX && k > from) {
            break;
        }
        out->from = low;
        out->to = high;
        *element_count += lists[row].size;
    }
    return k - from;
}

static bool hash_elements(const hashing *self, const column *values, uint32_t count,
                          hashed_elements *elements) {
    if (count == 0) { // All lists are empty or NULL.
        return true;
    }
    uint64_t *hashes = ARENA_NEW(self->scratch, uint64_t, (size_t)count + 1);
    column part;
    firn_error ignored = ERR_INIT;
    if (hashes == NULL || column_slice(self->scratch, &values->children[0], elements->from, count,
                                       &part, &ignored) != FIRN_OK) {
        return false;
    }
    elements->hashes = hashes;
    return hash_column(&part, NULL, count, false, self->scratch, hashes);
}

static void hash_lists_of(const hashing *self, const column *values,
                          const hashed_elements *elements) {
    const list_value *lists = values->values;
    value_memo memo = {.oldest = {0}};
    for (uint32_t k = 0; k < self->count; k++) {
        const uint32_t row = row_of(self, k);
        uint64_t hash = HASH_NULL;
        if (values->validity == NULL || bitmap_get(values->validity, row)) {
            const value_place place = {.offset = lists[row].offset, .size = lists[row].size};
            bool is_there = false;
            uint64_t *known =
                place.size < VALUE_MEMO_ELEMENTS ? &hash : value_memo_find(&memo, place, &is_there);
            if (!is_there) {
                *known = hash_of_list(elements, lists[row]);
            }
            hash = *known;
        }
        store(hash, self->combines, &self->out[k]);
    }
}

static bool hash_lists(const hashing *self, const column *values) {
    for (uint32_t from = 0; from < self->count;) {
        const arena_mark mark = arena_mark_take(self->scratch);
        hashed_elements elements;
        uint64_t element_count;
        const uint32_t count = gather_lists(self, values, from, &elements, &element_count);
        const hashing part = {.rows = self->rows == NULL ? NULL : self->rows + from,
                              .first = from,
                              .count = count,
                              .combines = self->combines,
                              .scratch = self->scratch,
                              .out = self->out + from};
        const uint32_t range = element_count == 0 ? 0 : elements.to - elements.from;
        if (range > ELEMENTS_MAX || range > element_count + GAPS_MAX) {
            hash_by_rows(&part, values);
        } else if (!hash_elements(self, values, range, &elements)) {
            return false;
        } else {
            hash_lists_of(&part, values, &elements);
        }
        arena_rewind(self->scratch, mark);
        from += count;
    }
    return true;
}

static bool hash_flat(const hashing *self, const column *values) {
    const physical layout = type_physical(values->type);
    const hash_kernel kernel = kernel_of(layout);
    if (layout == PHYSICAL_STRUCT) {
        return hash_structs(self, values);
    }
    if (layout == PHYSICAL_LIST && values->type->child_count == 1 &&
        !type_is_nested(values->children[0].type)) {
        return hash_lists(self, values);
    }
    if (kernel == NULL && layout != PHYSICAL_STRING) {
        hash_by_rows(self, values); // Looks at validity itself.
        return true;
    }
    uint64_t *before = NULL;
    if (values->validity != NULL && self->combines) {
        before = ARENA_NEW(self->scratch, uint64_t, self->count + 1);
        if (before == NULL) {
            return false;
        }
        memcpy(before, self->out, self->count * sizeof *before);
    }
    if (layout == PHYSICAL_STRING) {
        hash_strings(self, values->values);
    } else if (!hash_numbers(self, values, kernel)) {
        return false;
    }
    if (values->validity != NULL) {
        patch_nulls(self, values, before);
    }
    return true;
}

// Fewer rows than there are entries: their values side by side.
static bool hash_by_codes(const hashing *self, const column *values) {
    const column *entries = values->dictionary->values;
    const physical layout = type_physical(values->type);
    if (layout != PHYSICAL_STRING && kernel_of(layout) == NULL) {
        hash_by_rows(self, values);
        return true;
    }
    const uint32_t width = physical_size(layout);
    uint32_t *codes = ARENA_NEW(self->scratch, uint32_t, (size_t)self->count + 1);
    uint8_t *dense = ARENA_NEW(self->scratch, uint8_t, (size_t)self->count *width + 1);
    uint64_t *before = ARENA_NEW(self->scratch, uint64_t, (size_t)self->count + 1);
    if (codes == NULL || dense == NULL || before == NULL) {
        return false;
    }
    for (uint32_t k = 0; k < self->count; k++) {
        codes[k] = ((const uint32_t *)values->values)[row_of(self, k)];
    }
    gather_codes(width, entries->values, codes, self->count, dense);
    if (self->combines) {
        memcpy(before, self->out, self->count * sizeof *before);
    }
    hashing of_values = *self;
    of_values.rows = NULL;
    of_values.first = 0;
    const column flat = {
        .type = values->type, .form = FORM_FLAT, .length = self->count, .values = dense};
    const bool is_done = hash_flat(&of_values, &flat);
    if (is_done && values->validity != NULL) {
        patch_nulls(self, values, before);
    }
    return is_done;
}

static bool hash_dictionary(const hashing *self, const column *values) {
    const dictionary *entries = values->dictionary;
    if (entries->size > self->count) {
        return hash_by_codes(self, values);
    }
    uint64_t *hashes = ARENA_NEW(self->scratch, uint64_t, (size_t)entries->size + 1);
    if (hashes == NULL || !hash_entries(entries->values, self->scratch, hashes)) {
        return false;
    }
    const uint32_t *codes = values->values;
    for (uint32_t k = 0; k < self->count; k++) {
        const uint32_t row = row_of(self, k);
        const bool is_valid = values->validity == NULL || bitmap_get(values->validity, row);
        store(is_valid ? hashes[codes[row]] : HASH_NULL, self->combines, &self->out[k]);
    }
    return true;
}

static void hash_runs(const hashing *self, const column *values) {
    uint32_t next_run = 0;
    uint32_t end = 0;
    uint64_t hash = HASH_NULL;
    cancel_watch watch = {.cancel = self->scratch->cancel};
    for (uint32_t k = 0; k < self->count; k++) {
        const uint32_t row = row_of(self, k);
        while (row >= end) { // The first time, and behind each run's end.
            end = values->run_ends[next_run++];
            hash = row < end ? column_hash_row_watched(values, row, &watch) : hash;
        }
        store(hash, self->combines, &self->out[k]);
    }
}

bool hash_column(const column *self, const uint16_t *rows, uint32_t count, bool combines,
                 arena *scratch, uint64_t *out) {
    const hashing call = {
        .rows = rows, .count = count, .combines = combines, .scratch = scratch, .out = out};
    if (self->form == FORM_CONSTANT || self->type->id == TYPE_NULL) {
        cancel_watch watch = {.cancel = scratch->cancel};
        const uint64_t hash = count == 0 ? 0 : column_hash_row_watched(self, 0, &watch);
        for (uint32_t k = 0; k < count; k++) {
            store(hash, combines, &out[k]);
        }
        return true;
    }
    switch (self->form) {
    case FORM_DICTIONARY:
        return hash_dictionary(&call, self);
    case FORM_RUNS:
        hash_runs(&call, self);
        return true;
    case FORM_FLAT:
    case FORM_CONSTANT:
        break;
    }
    return hash_flat(&call, self);
}

bool hash_entries(const column *values, arena *scratch, uint64_t *out) {
    return hash_column(values, NULL, values->length, false, scratch, out) &&
           !cancel_is_raised(scratch->cancel); // Hashes of entries are kept.
}
