// From batches to rows: first each row gets its place, then the columns are written one by one. A
// page that must be written out ends the call, so that the places handed out stay good until the
// next one.
#include <assert.h>

#include "exec/rows/rows_private.h"

#define TOO_LONG "a row of more than 4 GiB cannot be kept"

// ---- A worker's partitions ----------------------------------------------------------------------

firn_status row_writer_open(row_store *store, uint32_t part_count, uint32_t bits_before,
                            arena *memory, row_writer *out, firn_error *err) {
    assert(part_count > 0 && (part_count & (part_count - 1)) == 0);
    row_pages *parts = ARENA_NEW(memory, row_pages, part_count);
    if (parts == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < part_count; i++) {
        parts[i] = (row_pages){.spilled = {.owner = store->keeper}};
    }
    const uint32_t bits = (uint32_t)__builtin_ctz(part_count);
    assert(bits_before + bits < 64);
    *out = (row_writer){.store = store,
                        .part_count = part_count,
                        .shift = part_count == 1 ? 0 : 64 - bits_before - bits,
                        .parts = parts,
                        .desk = spill_desk_open(store->keeper),
                        .may_spill = true,
                        .page_max = UINT32_MAX};
    return FIRN_OK;
}

void row_writer_close(row_writer *self) {
    if (self->store == NULL) {
        return;
    }
    for (uint32_t i = 0; i < self->part_count; i++) {
        row_pages_close(self->store, &self->parts[i]);
    }
    while (self->spares != NULL) {
        row_page *page = self->spares;
        self->spares = page->next;
        page_put(self->store->keeper, page);
    }
    spill_desk_close(&self->desk);
    *self = (row_writer){0};
}

bool row_writer_keep(row_writer *self, uint32_t count) {
    for (const row_page *each = self->spares; each != NULL && count > 0; each = each->next) {
        count--;
    }
    for (; count > 0; count--) {
        row_page *page = page_get(self->store->keeper);
        if (page == NULL) {
            return false;
        }
        page->next = self->spares;
        self->spares = page;
    }
    return true;
}

// Of those with equally many pages the one whose open page is fullest.
static row_pages *largest_part(const row_writer *self) {
    row_pages *largest = &self->parts[0];
    for (uint32_t i = 1; i < self->part_count; i++) {
        row_pages *each = &self->parts[i];
        const bool is_fuller = each->page_count > 0 && each->page_count == largest->page_count &&
                               each->first->filled > largest->first->filled;
        largest = is_fuller || each->page_count > largest->page_count ? each : largest;
    }
    return largest;
}

firn_status row_writer_look(row_writer *self, firn_error *err) {
    row_store *store = self->store;
    self->page_count = 0;
    for (uint32_t i = 0; i < self->part_count; i++) {
        self->page_count += self->parts[i].page_count;
    }
    // What belongs to the keeper's minimum stays, and a page for each partition.
    const uint32_t least =
        self->part_count > PAGE_SPLIT_COUNT ? self->part_count : PAGE_SPLIT_COUNT;
    for (; self->page_count > least &&
           (self->page_count > self->page_max || pool_excess(store->keeper) > 0);
         self->page_count--) {
        row_pages *largest = largest_part(self);
        TRY(row_pages_spill(store, largest, &self->desk, largest->page_count - 1, err));
    }
    return FIRN_OK;
}

firn_status row_writer_spill(row_writer *self, uint32_t spare_count, firn_error *err) {
    for (const row_page *each = self->spares; each != NULL && spare_count > 0; each = each->next) {
        spare_count--;
    }
    for (uint32_t i = 0; i < self->part_count; i++) {
        for (row_page *page; (page = row_pages_pop(&self->parts[i])) != NULL;) {
            const firn_status status =
                row_page_write(self->store, &self->parts[i], &self->desk, page, err);
            if (status == FIRN_OK && spare_count > 0) {
                spare_count--;
                page->next = self->spares;
                self->spares = page;
            } else {
                page_put(self->store->keeper, page);
            }
            TRY(status);
        }
    }
    self->page_count = 0;
    return FIRN_OK;
}

// A free page without writing anything out, or NULL.
static void *easy_page(row_writer *self) {
    const bool asks =
        (self->spares == NULL || !self->prefers_spares) && self->page_count < self->page_max;
    void *page = asks ? page_get(self->store->keeper) : NULL;
    if (page == NULL && self->spares != NULL) {
        row_page *spare = self->spares;
        self->spares = spare->next;
        page = spare;
    }
    return page;
}

// Writes out the page of `part` that just filled, or one of the largest partition, for reuse. NULL
// if this writer has none.
static firn_status evict_page(row_writer *self, row_pages *part, void **out, firn_error *err) {
    row_pages *victim = part->page_count > 0 ? part : largest_part(self);
    row_page *page = row_pages_pop(victim);
    *out = page;
    if (page == NULL) {
        return FIRN_OK;
    }
    self->page_count--;
    const firn_status status = row_page_write(self->store, victim, &self->desk, page, err);
    if (status != FIRN_OK) {
        page_put(self->store->keeper, page);
    }
    return status;
}

// Finds room for a row of `size` bytes. NULL in *out if that needs a page to be written out and the
// call may not do that any more.
static firn_status place_row(row_writer *self, row_pages *part, uint32_t size, bool may_evict,
                             uint8_t **out, firn_error *err) {
    row_page *page = part->first;
    if (page == NULL || size > self->store->page_size - page->filled) {
        void *fresh = easy_page(self);
        if (fresh == NULL && may_evict) {
            TRY(evict_page(self, part, &fresh, err));
            if (fresh == NULL) { // Nothing to write out.
                fresh = page_get_urgent(self->store->keeper);
            }
            if (fresh == NULL) {
                return POOL_FULL(self->store->keeper, self->store->page_size, err);
            }
        }
        if (fresh == NULL) {
            *out = NULL;
            return FIRN_OK;
        }
        page = row_page_begin(fresh);
        row_pages_push(part, page);
        self->page_count++;
    }
    *out = (uint8_t *)page + page->filled;
    page->filled += size;
    page->row_count++;
    part->row_count++;
    self->row_count++;
    return FIRN_OK;
}

// ---- Moving rows -------------------------------------------------------------------------------

static firn_status copy_to(row_writer *self, uint32_t part, const uint8_t *row, uint8_t **out,
                           firn_error *err) {
    const uint32_t size = row_bytes(self->store->layout, row);
    TRY(place_row(self, &self->parts[part], size, self->may_spill, out, err));
    if (*out != NULL) {
        memcpy(*out, row, size);
    }
    return FIRN_OK;
}

static uint32_t part_of(const row_writer *self, uint8_t *const *rows, const uint64_t *hashes,
                        uint32_t k) {
    return self->part_count == 1
               ? 0
               : row_writer_part(self, hashes == NULL ? row_hash(rows[k]) : hashes[k]);
}

firn_status row_writer_copy_row(row_writer *self, const uint8_t *row, uint8_t **out,
                                firn_error *err) {
    const uint32_t part = self->part_count == 1 ? 0 : row_writer_part(self, row_hash(row));
    return copy_to(self, part, row, out, err);
}

// With fewer pages than partitions a page is written out for nearly each row that comes in another
// order than theirs.
static bool is_short_of_pages(const row_writer *self) {
    return self->may_spill && self->page_count < self->part_count && self->spares == NULL;
}

static firn_status copy_by_part(row_writer *self, uint8_t *const *rows, const uint64_t *hashes,
                                uint32_t from, uint32_t count, firn_error *err) {
    for (uint32_t part = 0; part < self->part_count; part++) {
        for (uint32_t k = from; k < count; k++) {
            uint8_t *out;
            if (part_of(self, rows, hashes, k) == part) {
                TRY(copy_to(self, part, rows[k], &out, err));
            }
        }
    }
    return FIRN_OK;
}

firn_status row_writer_copy(row_writer *self, uint8_t *const *rows, const uint64_t *hashes,
                            uint32_t count, uint32_t *next, firn_error *err) {
    while (*next < count) {
        if (is_short_of_pages(self)) {
            TRY(copy_by_part(self, rows, hashes, *next, count, err));
            *next = count;
            break;
        }
        uint8_t *out;
        TRY(copy_to(self, part_of(self, rows, hashes, *next), rows[*next], &out, err));
        if (out == NULL) {
            break;
        }
        *next += 1;
    }
    return FIRN_OK;
}

// ---- Rows of a batch ----------------------------------------------------------------------------

firn_status rows_flatten_runs(column *columns, uint32_t count, arena *scratch, firn_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i].form == FORM_RUNS) {
            const column runs = columns[i];
            TRY(column_flatten(scratch, &runs, &columns[i], err));
        }
    }
    return FIRN_OK;
}

// One call of append: rows [from, to) of the input.
typedef struct appending {
    row_writer *writer;
    const row_input *in;
    uint32_t from;
    uint32_t to;
    uint8_t **rows;        // By number in the input.
    uint32_t *heap_sizes;  // By number; NULL without heap.
    uint8_t **heaps;       // Where the heap bytes go.
    uint32_t *heap_filled; // Of them.
    uint32_t *lanes;       // Of the column being written.
    bool has_blobs;
    cancel_watch watch;
    arena *scratch;
} appending;

static uint32_t row_number(const row_input *in, uint32_t k) {
    return in->rows == NULL ? k : in->rows[k];
}

static bool value_is_valid(const column *values, uint32_t row) {
    return values->validity == NULL ||
           bitmap_get(values->validity, values->form == FORM_CONSTANT ? 0 : row);
}

// The flat column of values and the lane of each row in it.
static const column *find_lanes(const appending *self, const column *values) {
    assert(values->form != FORM_RUNS);
    const uint32_t *codes = values->form == FORM_DICTIONARY ? values->values : NULL;
    for (uint32_t k = self->from; k < self->to; k++) {
        const uint32_t row = row_number(self->in, k);
        self->lanes[k] = codes != NULL ? codes[row] : values->form == FORM_CONSTANT ? 0 : row;
    }
    return codes != NULL ? values->dictionary->values : values;
}

// Of the column being written, the rows that have a value: their numbers and lanes. How many.
static uint32_t valid_lanes(const appending *self, const column *values, uint32_t *numbers,
                            uint32_t *lanes) {
    uint32_t count = 0;
    for (uint32_t k = self->from; k < self->to; k++) {
        numbers[count] = k;
        lanes[count] = self->lanes[k];
        count += value_is_valid(values, row_number(self->in, k));
    }
    return count;
}

static bool is_nested(const column *values) {
    const physical kind = type_physical(values->type);
    return kind == PHYSICAL_LIST || kind == PHYSICAL_STRUCT;
}

// Adds what a column of nested values needs.
static firn_status add_nested_sizes(appending *self, const column *values, firn_error *err) {
    const column *flat = find_lanes(self, values);
    uint32_t *numbers = ARENA_NEW(self->scratch, uint32_t, self->to);
    uint32_t *lanes = ARENA_NEW(self->scratch, uint32_t, self->to);
    uint64_t *sizes = ARENA_NEW(self->scratch, uint64_t, self->to);
    if (numbers == NULL || lanes == NULL || sizes == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    const uint32_t count = valid_lanes(self, values, numbers, lanes);
    memset(sizes, 0, count * sizeof *sizes);
    row_nested_add_sizes(flat, lanes, count, sizes, &self->watch);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t *heap = &self->heap_sizes[numbers[i]];
        if (sizes[i] > UINT32_MAX - 8 - (uint64_t)*heap) {
            return FAIL(err, FIRN_NO_MEMORY, TOO_LONG);
        }
        *heap += (uint32_t)sizes[i];
    }
    return FIRN_OK;
}

static firn_status add_string_sizes(appending *self, const column *values, firn_error *err) {
    const column *flat = find_lanes(self, values);
    for (uint32_t k = self->from; k < self->to; k++) {
        if (!value_is_valid(values, row_number(self->in, k))) {
            continue;
        }
        const string_value *value = &COLUMN_VALUES(flat, string_value)[self->lanes[k]];
        const uint64_t size = string_is_inline(value) ? 0 : value->size;
        if (size > UINT32_MAX - 8 - (uint64_t)self->heap_sizes[k]) {
            return FAIL(err, FIRN_NO_MEMORY, TOO_LONG);
        }
        self->heap_sizes[k] += (uint32_t)size;
    }
    return FIRN_OK;
}

static firn_status size_heaps(appending *self, firn_error *err) {
    const row_layout *layout = self->writer->store->layout;
    memset(self->heap_sizes + self->from, 0, (self->to - self->from) * sizeof *self->heap_sizes);
    for (uint32_t i = 0; i < layout->column_count; i++) {
        const column *values = &self->in->columns[i];
        if (is_nested(values)) {
            TRY(add_nested_sizes(self, values, err));
        } else if (type_physical(values->type) == PHYSICAL_STRING) {
            TRY(add_string_sizes(self, values, err));
        }
    }
    return cancel_check(self->watch.cancel, err);
}

// Gives a blob to a row whose heap is too long for a page.
static firn_status open_blob(appending *self, uint32_t k, firn_error *err) {
    row_store *store = self->writer->store;
    row_heap heap = {.size = self->heap_sizes[k]};
    TRY(row_blob_new(store, heap.size, &heap.blob, &self->heaps[k], err));
    if (self->heaps[k] == NULL) { // Refused: it is put together in scratch and written out.
        self->heaps[k] = ARENA_NEW(self->scratch, uint8_t, heap.size);
        if (self->heaps[k] == NULL) {
            return ARENA_FULL(self->scratch, err);
        }
        self->has_blobs = true;
    }
    row_heap_put(store->layout, self->rows[k], heap);
    return FIRN_OK;
}

// Finds places for rows from in->next on, as many as go.
static firn_status place_rows(appending *self, firn_error *err) {
    row_writer *writer = self->writer;
    const row_layout *layout = writer->store->layout;
    const uint32_t room = (uint32_t)writer->store->page_size - ROW_PAGE_HEADER - layout->size;
    for (uint32_t k = self->from; k < self->to; k++) {
        const uint64_t hash = self->in->hashes == NULL ? 0 : self->in->hashes[k];
        row_pages *part = &writer->parts[row_writer_part(writer, hash)];
        const uint32_t heap = self->heap_sizes == NULL ? 0 : (self->heap_sizes[k] + 7) / 8 * 8;
        const bool has_blob = heap > room;
        const bool may_evict = writer->may_spill && k == self->from;
        TRY(place_row(writer, part, layout->size + (has_blob ? 0 : heap), may_evict, &self->rows[k],
                      err));
        if (self->rows[k] == NULL) {
            self->to = k;
            return FIRN_OK;
        }
        if (layout->has_hash) {
            memcpy(self->rows[k], &hash, sizeof hash);
        }
        if (self->heap_sizes == NULL) {
            continue;
        }
        self->heap_filled[k] = 0;
        if (has_blob) {
            TRY(open_blob(self, k, err));
            self->to = self->has_blobs && writer->stops_at_blobs ? k + 1 : self->to;
        } else {
            self->heaps[k] = self->rows[k] + layout->size;
            row_heap_put(layout, self->rows[k],
                         (row_heap){.size = self->heap_sizes[k], .blob = ROW_NONE});
        }
    }
    return FIRN_OK;
}

#define WRITE_WIDTH(width)                                                                         \
    case width:                                                                                    \
        for (uint32_t k = self->from; k < self->to; k++) {                                         \
            memcpy(self->rows[k] + offset, in + (size_t)self->lanes[k] * (width), (width));        \
        }                                                                                          \
        return;

static void write_fixed(const appending *self, const column *flat, uint32_t offset) {
    const uint8_t *in = flat->values;
    switch (physical_size(type_physical(flat->type))) {
        WRITE_WIDTH(1)
        WRITE_WIDTH(2)
        WRITE_WIDTH(4)
        WRITE_WIDTH(8)
        WRITE_WIDTH(16)
        WRITE_WIDTH(32)
    default:
        return; // Type NULL has no values.
    }
}

static void write_bits(const appending *self, const column *flat, uint32_t offset) {
    for (uint32_t k = self->from; k < self->to; k++) {
        self->rows[k][offset] = bitmap_get(flat->values, self->lanes[k]);
    }
}

static void write_strings(const appending *self, const column *values, const column *flat,
                          uint32_t offset) {
    const string_value *in = flat->values;
    assert(self->heap_filled != NULL); // Layouts with texts have a heap.
    for (uint32_t k = self->from; k < self->to; k++) {
        string_value value = in[self->lanes[k]];
        if (values->validity != NULL && !value_is_valid(values, row_number(self->in, k))) {
            value = (string_value){.size = 0};
        }
        uint8_t *out = self->rows[k] + offset;
        const char *data = value.data;
        if (!string_is_inline(&value)) {
            const uint64_t at = self->heap_filled[k];
            (void)cancel_copy(self->watch.cancel, self->heaps[k] + at, data, value.size);
            self->heap_filled[k] += value.size;
            memcpy(out, &value, 8);
            memcpy(out + 8, &at, sizeof at);
        } else {
            memcpy(out, &value, sizeof value);
        }
    }
}

static firn_status write_nested(appending *self, const column *values, const column *flat,
                                uint32_t offset, firn_error *err) {
    assert(self->heap_filled != NULL);
    uint32_t *numbers = ARENA_NEW(self->scratch, uint32_t, self->to);
    uint32_t *lanes = ARENA_NEW(self->scratch, uint32_t, self->to);
    uint8_t **ends = ARENA_NEW(self->scratch, uint8_t *, self->to);
    if (numbers == NULL || lanes == NULL || ends == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    const uint32_t count = valid_lanes(self, values, numbers, lanes);
    for (uint32_t i = 0; i < count; i++) {
        ends[i] = self->heaps[numbers[i]] + self->heap_filled[numbers[i]];
    }
    row_nested_write_all(flat, lanes, count, ends, &self->watch);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t k = numbers[i];
        row_slice slice = {.offset = self->heap_filled[k]};
        slice.size = (uint32_t)(ends[i] - self->heaps[k]) - slice.offset;
        self->heap_filled[k] += slice.size;
        memcpy(self->rows[k] + offset, &slice, sizeof slice);
    }
    return FIRN_OK;
}

static void write_validity(const appending *self, const column *values, uint32_t number) {
    const bool is_null = values->type->id == TYPE_NULL;
    if (values->validity == NULL && !is_null) {
        return;
    }
    const row_layout *layout = self->writer->store->layout;
    const uint32_t offset = layout->validity_offset + number / 8;
    const uint8_t mask = (uint8_t)(1u << (number % 8));
    const size_t size = row_value_size(values->type);
    for (uint32_t k = self->from; k < self->to; k++) {
        if (is_null || !value_is_valid(values, row_number(self->in, k))) {
            self->rows[k][offset] &= (uint8_t)~mask;
            memset(self->rows[k] + layout->offsets[number], 0, size); // Equal rows, equal bytes.
        }
    }
}

#define FILL_WIDTH(width)                                                                          \
    case width:                                                                                    \
        for (uint32_t k = self->from; k < self->to; k++) {                                         \
            memset(self->rows[k] + offset, 0xff, (width));                                         \
        }                                                                                          \
        return;

static void fill_ones(const appending *self, uint32_t offset, uint32_t size) {
    switch (size) {
        FILL_WIDTH(0)
        FILL_WIDTH(1)
        FILL_WIDTH(2)
        FILL_WIDTH(3)
        FILL_WIDTH(4)
        FILL_WIDTH(5)
        FILL_WIDTH(6)
        FILL_WIDTH(7)
        FILL_WIDTH(8)
    default:
        for (uint32_t k = self->from; k < self->to; k++) {
            memset(self->rows[k] + offset, 0xff, size);
        }
    }
}

// All valid; what fills the row up to a multiple of 8 has one value too.
static void write_all_valid(const appending *self) {
    const row_layout *layout = self->writer->store->layout;
    fill_ones(self, layout->tail_offset, layout->size - layout->tail_offset);
    if (layout->validity_offset < layout->tail_offset) {
        fill_ones(self, layout->validity_offset, (layout->column_count + 7) / 8);
    }
}

static firn_status write_columns(appending *self, firn_error *err) {
    const row_layout *layout = self->writer->store->layout;
    write_all_valid(self);
    for (uint32_t i = 0; i < layout->column_count; i++) {
        const column *values = &self->in->columns[i];
        const column *flat = find_lanes(self, values);
        const physical kind = type_physical(values->type);
        if (kind == PHYSICAL_STRING) {
            write_strings(self, values, flat, layout->offsets[i]);
        } else if (is_nested(values)) {
            TRY(write_nested(self, values, flat, layout->offsets[i], err));
        } else if (kind == PHYSICAL_BIT) {
            write_bits(self, flat, layout->offsets[i]);
        } else {
            write_fixed(self, flat, layout->offsets[i]);
        }
        write_validity(self, values, i);
    }
    return FIRN_OK;
}

// Writes out the blobs for which there was no memory.
static firn_status write_blobs(const appending *self, firn_error *err) {
    row_store *store = self->writer->store;
    for (uint32_t k = self->from; k < self->to; k++) {
        const row_heap heap = row_heap_of(store->layout, self->rows[k]);
        if (heap.blob != ROW_NONE && !row_blob_is_in_memory(store, heap.blob)) {
            TRY(row_blob_write(store, heap.blob, (bytes){.data = self->heaps[k], .size = heap.size},
                               err));
        }
    }
    return FIRN_OK;
}

static bool open_arrays(appending *self) {
    const uint32_t count = self->in->count;
    self->lanes = ARENA_NEW(self->scratch, uint32_t, count);
    if (self->writer->store->layout->heap_offset == ROW_NONE) {
        return self->lanes != NULL;
    }
    self->heap_sizes = ARENA_NEW(self->scratch, uint32_t, count);
    self->heap_filled = ARENA_NEW(self->scratch, uint32_t, count);
    self->heaps = ARENA_NEW(self->scratch, uint8_t *, count);
    return self->lanes != NULL && self->heap_sizes != NULL && self->heap_filled != NULL &&
           self->heaps != NULL;
}

firn_status row_writer_order(const row_writer *self, row_input *in, arena *scratch,
                             firn_error *err) {
    const uint32_t count = in->count - in->next;
    if (!is_short_of_pages(self) || count == 0) {
        return FIRN_OK;
    }
    uint16_t *rows = ARENA_NEW(scratch, uint16_t, in->count);
    uint64_t *hashes = ARENA_NEW(scratch, uint64_t, in->count);
    uint32_t *starts = ARENA_NEW(scratch, uint32_t, self->part_count + 1);
    if (rows == NULL || hashes == NULL || starts == NULL) {
        return ARENA_FULL(scratch, err);
    }
    memset(starts, 0, (self->part_count + 1) * sizeof *starts);
    for (uint32_t k = in->next; k < in->count; k++) {
        starts[row_writer_part(self, in->hashes[k]) + 1]++;
    }
    starts[0] = in->next;
    for (uint32_t part = 0; part < self->part_count; part++) {
        starts[part + 1] += starts[part];
    }
    for (uint32_t k = in->next; k < in->count; k++) {
        const uint32_t to = starts[row_writer_part(self, in->hashes[k])]++;
        rows[to] = (uint16_t)row_number(in, k);
        hashes[to] = in->hashes[k];
    }
    in->rows = rows;
    in->hashes = hashes;
    return FIRN_OK;
}

static firn_status append(row_writer *self, row_input *in, uint8_t **out_rows, arena *scratch,
                          firn_error *err) {
    appending call = {.writer = self,
                      .in = in,
                      .from = in->next,
                      .to = in->count,
                      .rows = out_rows,
                      .watch = {.cancel = scratch->cancel},
                      .scratch = scratch};
    if (!open_arrays(&call)) {
        return ARENA_FULL(scratch, err);
    }
    if (call.heap_sizes != NULL) {
        TRY(size_heaps(&call, err));
    }
    TRY(place_rows(&call, err));
    if (call.to > call.from) {
        TRY(write_columns(&call, err));
        TRY(cancel_check(scratch->cancel, err)); // Large values may be written in part.
    }
    if (call.has_blobs) {
        TRY(write_blobs(&call, err));
    }
    in->next = call.to;
    return FIRN_OK;
}

firn_status row_writer_append(row_writer *self, row_input *in, uint8_t **out_rows, arena *scratch,
                              firn_error *err) {
    assert(self->part_count == 1 || in->hashes != NULL);
    if (in->next == in->count) {
        return FIRN_OK;
    }
    const arena_mark mark = arena_mark_take(scratch);
    const firn_status status = append(self, in, out_rows, scratch, err);
    arena_rewind(scratch, mark); // Refused memory makes many small calls of a batch.
    return status;
}
