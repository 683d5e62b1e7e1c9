#include "exec/sort/sort_run.h"

#include <assert.h>

#include "exec/sort/sort_key.h"

#define HEADS_MIN 8
#define PREFETCH_AHEAD 16

void sort_run_close(row_store *store, sort_run *self) {
    row_pages_close(store, &self->pages);
    pool_block_give(store->keeper, self->entries, self->entries_bytes);
    self->entries = NULL;
    if (self->is_spilled) {
        spill_run_free(store->spill, &self->units);
        pool_block_give(store->keeper, self->heads, self->heads_bytes);
        self->heads = NULL;
    }
}

text sort_row_key(const row_store *store, const uint8_t *row) {
    const row_layout *layout = store->layout;
    if (layout->extra_size > 0) {
        return (text){.data = (const char *)row + layout->extra_offset, .size = layout->extra_size};
    }
    const uint8_t *slot = row + layout->offsets[0];
    uint32_t size;
    memcpy(&size, slot, sizeof size);
    if (size <= STRING_INLINE_MAX) {
        return (text){.data = (const char *)slot + 4, .size = size};
    }
    const row_heap heap = row_heap_of(layout, row);
    if (heap.blob != ROW_NONE) {
        return (text){.data = NULL, .size = size};
    }
    uint64_t offset;
    memcpy(&offset, slot + 8, sizeof offset);
    return (text){.data = (const char *)row + layout->size + offset, .size = size};
}

firn_status sort_compare(const row_store *store, const sort_entry *left, const sort_entry *right,
                         arena *scratch, int *out, firn_error *err) {
    if (left->prefix != right->prefix) {
        *out = left->prefix < right->prefix ? -1 : 1;
        return FIRN_OK;
    }
    const text l = sort_row_key(store, left->row);
    const text r = sort_row_key(store, right->row);
    if (l.data != NULL && r.data != NULL) {
        *out = text_compare(l, r);
        return FIRN_OK;
    }
    TRY(cancel_check(scratch->cancel, err)); // Keys in blobs are long.
    const arena_mark mark = arena_mark_take(scratch);
    firn_status status = rows_compare(store, 0, left->row, right->row, scratch, out, err);
    arena_rewind(scratch, mark);
    return status;
}

firn_status sort_lower_bound(const row_store *store, const sort_run *run, const sort_entry *key,
                             arena *scratch, uint64_t *out, firn_error *err) {
    uint64_t low = 0;
    uint64_t high = run->count;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        const sort_entry *entry = &run->entries[middle];
        int order = entry->prefix < key->prefix ? -1 : 1;
        if (key->row != NULL) {
            TRY(sort_compare(store, entry, key, scratch, &order, err));
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    *out = low;
    return FIRN_OK;
}

// ---- Spilling -----------------------------------------------------------------------------------

sort_run_writer sort_run_writer_open(row_store *store, spill_desk *desk, void *room,
                                     sort_run *out) {
    *out = (sort_run){.is_spilled = true,
                      .pages = {.spilled = {.owner = store->keeper}},
                      .units = spill_run_open(store->keeper)};
    return (sort_run_writer){
        .store = store, .desk = desk, .page = row_page_begin(room), .out = out};
}

// Notes the first key of the unit that is about to be written.
static firn_status note_head(const sort_run_writer *self, firn_error *err) {
    const row_store *store = self->store;
    sort_run *out = self->out;
    const size_t count = out->units.units.count;
    if (count == out->head_room) {
        const size_t room = count < HEADS_MIN ? HEADS_MIN : count * 2;
        const size_t wanted = room * sizeof *out->heads;
        size_t size;
        uint64_t *grown = pool_block_take_urgent(store->keeper, wanted, &size);
        if (grown == NULL) {
            return POOL_FULL(store->keeper, wanted, err);
        }
        if (count > 0) {
            memcpy(grown, out->heads, count * sizeof *grown);
        }
        pool_block_give(store->keeper, out->heads, out->heads_bytes);
        out->heads = grown;
        out->head_room = room;
        out->heads_bytes = size;
    }
    const text key = sort_row_key(store, (const uint8_t *)self->page + ROW_PAGE_HEADER);
    out->heads[count] = key.data == NULL ? 0 : sort_key_prefix(key);
    return FIRN_OK;
}

firn_status sort_run_writer_finish(sort_run_writer *self, firn_error *err) {
    row_page *page = self->page;
    if (page->row_count == 0) {
        return FIRN_OK;
    }
    TRY(note_head(self, err));
    const bytes unit = {.data = (const uint8_t *)page, .size = page->filled};
    TRY(spill_run_write(self->store->spill, self->desk, &self->out->units, unit, err));
    const spill_list *units = &self->out->units.units;
    atomic_fetch_add_explicit(&self->store->spilled_bytes, units->slots[units->count - 1].size,
                              memory_order_relaxed);
    self->out->count += page->row_count;
    (void)row_page_begin(page);
    return FIRN_OK;
}

firn_status sort_run_writer_add(sort_run_writer *self, const uint8_t *row, firn_error *err) {
    const row_store *store = self->store;
    self->out->has_blob_keys |= sort_row_key(store, row).data == NULL;
    if (row_page_add(self->page, store->page_size, store->layout, row) != NULL) {
        return FIRN_OK;
    }
    TRY(sort_run_writer_finish(self, err));
    if (row_page_add(self->page, store->page_size, store->layout, row) == NULL) {
        return FAIL(err, FIRN_INTERNAL, "a row of a sort is larger than a page");
    }
    return FIRN_OK;
}

// ---- Reading ------------------------------------------------------------------------------------

static void set_row(const row_store *store, sort_cursor *self, uint8_t *row) {
    const text key = sort_row_key(store, row);
    self->row = row;
    self->has_prefix = key.data != NULL;
    self->prefix = self->has_prefix ? sort_key_prefix(key) : 0;
}

static firn_status read_unit(const row_store *store, sort_cursor *self, spill_desk *desk,
                             firn_error *err) {
    const spill_slot slot = self->run->units.units.slots[self->unit++];
    TRY(row_page_read(store, desk, slot, self->page, err));
    self->is_loaded = true;
    self->offset = 0;
    return FIRN_OK;
}

// The next row of a spilled run, whatever its key.
static firn_status next_row(const row_store *store, sort_cursor *self, spill_desk *desk,
                            firn_error *err) {
    for (;;) {
        uint8_t *row;
        if (self->is_loaded &&
            row_page_rows(self->page, store->layout, &self->offset, &row, 1) == 1) {
            set_row(store, self, row);
            return FIRN_OK;
        }
        if (self->unit == self->run->units.units.count) {
            self->row = NULL;
            return FIRN_OK;
        }
        TRY(read_unit(store, self, desk, err));
    }
}

firn_status sort_cursor_next(row_store *store, sort_cursor *self, spill_desk *desk,
                             firn_error *err) {
    if (!self->run->is_spilled) {
        self->range.from += self->row != NULL;
        const bool is_there = self->range.from < self->range.end;
        if (self->range.end - self->range.from > PREFETCH_AHEAD) { // Rows lie in no order.
            __builtin_prefetch(self->run->entries[self->range.from + PREFETCH_AHEAD].row);
        }
        const sort_entry *entry = is_there ? &self->run->entries[self->range.from] : NULL;
        self->row = is_there ? entry->row : NULL;
        self->prefix = is_there ? entry->prefix : 0;
        self->has_prefix = true;
        return FIRN_OK;
    }
    TRY(next_row(store, self, desk, err));
    if (self->row != NULL && !self->range.goes_to_end && self->prefix >= self->range.behind) {
        self->row = NULL;
        self->unit = self->run->units.units.count;
    }
    return FIRN_OK;
}

bool sort_cursor_is_last_of_unit(const sort_cursor *self) {
    return self->run->is_spilled && self->offset >= self->page->filled;
}

// The unit that holds the first row whose prefix is at least `prefix`, or the one before it: keys
// of that prefix may begin at the end of a unit whose own first key is smaller.
static size_t first_unit(const sort_run *run, uint64_t prefix) {
    size_t low = 0;
    size_t high = run->units.units.count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        low = run->heads[middle] < prefix ? middle + 1 : low;
        high = run->heads[middle] < prefix ? high : middle;
    }
    return low == 0 ? 0 : low - 1;
}

firn_status sort_cursor_open(row_store *store, const sort_run *run, sort_range range, void *page,
                             spill_desk *desk, sort_cursor *out, firn_error *err) {
    *out = (sort_cursor){.run = run, .range = range, .page = page};
    if (!run->is_spilled) {
        out->range.end = range.end < run->count ? range.end : run->count;
        return sort_cursor_next(store, out, desk, err);
    }
    assert(!run->has_blob_keys || (range.first == 0 && range.goes_to_end));
    out->unit = range.first == 0 ? 0 : first_unit(run, range.first);
    do {
        TRY(sort_cursor_next(store, out, desk, err));
    } while (out->row != NULL && out->has_prefix && out->prefix < range.first);
    return FIRN_OK;
}
