// Pages of rows, and lists of them: in memory first, then in the spill file.
#include <assert.h>

#include "exec/rows/rows_private.h"

// ---- Pages -------------------------------------------------------------------------------------

row_page *row_page_begin(void *memory) {
    row_page *self = memory;
    *self = (row_page){.filled = ROW_PAGE_HEADER};
    return self;
}

uint8_t *row_page_add(row_page *self, size_t capacity, const row_layout *layout,
                      const uint8_t *row) {
    const uint32_t size = row_bytes(layout, row);
    if (size > capacity - self->filled) {
        return NULL;
    }
    uint8_t *out = (uint8_t *)self + self->filled;
    memcpy(out, row, size);
    self->filled += size;
    self->row_count++;
    return out;
}

uint32_t row_page_rows(row_page *self, const row_layout *layout, uint32_t *at, uint8_t **out,
                       uint32_t max) {
    uint32_t offset = *at == 0 ? ROW_PAGE_HEADER : *at;
    uint32_t count = 0;
    while (count < max && offset < self->filled) {
        uint8_t *row = (uint8_t *)self + offset;
        out[count++] = row;
        offset += row_bytes(layout, row);
    }
    *at = offset;
    return count;
}

// ---- Lists -------------------------------------------------------------------------------------

row_page *row_pages_pop(row_pages *self) {
    row_page *page = self->first;
    if (page == NULL) {
        return NULL;
    }
    self->first = page->next;
    self->last = self->first == NULL ? NULL : self->last;
    self->page_count--;
    self->row_count -= page->row_count;
    page->next = NULL;
    return page;
}

void row_pages_push(row_pages *self, row_page *page) {
    page->next = self->first;
    self->first = page;
    self->last = self->last == NULL ? page : self->last;
    self->page_count++;
    self->row_count += page->row_count;
}

void row_pages_push_last(row_pages *self, row_page *page) {
    page->next = NULL;
    if (self->last == NULL) {
        self->first = page;
    } else {
        self->last->next = page;
    }
    self->last = page;
    self->page_count++;
    self->row_count += page->row_count;
}

firn_status row_pages_append(row_pages *self, row_pages *from, firn_error *err) {
    TRY(spill_list_append(&self->spilled, &from->spilled, err));
    if (from->first != NULL) {
        if (self->first == NULL) {
            self->first = from->first;
        } else {
            self->last->next = from->first;
        }
        self->last = from->last;
    }
    self->page_count += from->page_count;
    self->row_count += from->row_count;
    self->spilled_rows += from->spilled_rows;
    *from = (row_pages){.spilled = from->spilled};
    return FIRN_OK;
}

void row_pages_close(row_store *store, row_pages *self) {
    while (self->first != NULL) {
        page_put(store->keeper, row_pages_pop(self));
    }
    for (size_t i = 0; i < self->spilled.count; i++) {
        spill_free(store->spill, self->spilled.slots[i]);
    }
    spill_list_close(&self->spilled);
    self->spilled_rows = 0;
}

// ---- To the file and back ----------------------------------------------------------------------

firn_status row_page_write(row_store *store, row_pages *list, spill_desk *desk, row_page *page,
                           firn_error *err) {
    const uint32_t row_count = page->row_count;
    spill_slot slot;
    TRY(spill_write(store->spill, desk, (bytes){.data = (uint8_t *)page, .size = page->filled},
                    &slot, err));
    const firn_status status = spill_list_push(&list->spilled, slot, err);
    if (status != FIRN_OK) {
        spill_free(store->spill, slot);
        return status;
    }
    list->spilled_rows += row_count;
    atomic_fetch_add_explicit(&store->spilled_bytes, slot.size, memory_order_relaxed);
    return FIRN_OK;
}

// Takes the page behind another out of a list; NULL: the first one.
static row_page *take_behind(row_pages *self, row_page *before) {
    if (before == NULL) {
        return row_pages_pop(self);
    }
    row_page *page = before->next;
    before->next = page->next;
    self->last = page->next == NULL ? before : self->last;
    self->page_count--;
    self->row_count -= page->row_count;
    return page;
}

firn_status row_pages_spill(row_store *store, row_pages *self, spill_desk *desk,
                            uint32_t keep_count, firn_error *err) {
    row_page *kept = NULL; // The last one that stays: the page being filled is the first.
    for (uint32_t i = 0; i < keep_count && i < self->page_count; i++) {
        kept = kept == NULL ? self->first : kept->next;
    }
    while (self->page_count > keep_count) {
        row_page *page = take_behind(self, kept);
        const firn_status status = row_page_write(store, self, desk, page, err);
        page_put(store->keeper, page);
        TRY(status);
    }
    return FIRN_OK;
}

firn_status row_page_read(const row_store *store, spill_desk *desk, spill_slot slot, row_page *into,
                          firn_error *err) {
    size_t size = 0;
    TRY(spill_read(store->spill, desk, slot, into, store->page_size, &size, err));
    if (size < ROW_PAGE_HEADER || into->filled != size) {
        return FAIL(err, FIRN_CORRUPT, "a page of %zu bytes came back from the spill file as %u",
                    size, into->filled);
    }
    return FIRN_OK;
}

firn_status row_pages_peek(row_store *store, const row_pages *self, size_t index, spill_desk *desk,
                           void *into, firn_error *err) {
    assert(index < self->spilled.count);
    return row_page_read(store, desk, self->spilled.slots[index], into, err);
}

firn_status row_pages_read(row_store *store, row_pages *self, spill_desk *desk, void *into,
                           bool *found, firn_error *err) {
    *found = self->spilled.count > 0;
    if (!*found) {
        return FIRN_OK;
    }
    const size_t last = self->spilled.count - 1;
    TRY(row_pages_peek(store, self, last, desk, into, err));
    spill_free(store->spill, self->spilled.slots[last]);
    self->spilled.count = last;
    self->spilled_rows -= ((row_page *)into)->row_count;
    return FIRN_OK;
}
