#include "exec/sort_run.h"

#include <assert.h>

#include "exec/sort_key.h"

#define INSERTION_MAX 16

text sort_row_key(const row_store *store, const uint8_t *row) {
    const row_layout *layout = store->layout;
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
    const arena_mark mark = arena_mark_take(scratch);
    firn_status status = rows_compare(store, 0, left->row, right->row, scratch, out, err);
    arena_rewind(scratch, mark);
    return status;
}

// ---- Sorting: introsort (D. Musser, 1997)
// --------------------------------------------------------

typedef struct sorting {
    const row_store *store;
    arena *scratch;
    firn_error *err;
    firn_status status; // The first failed comparison; from then on all compare equal.
} sorting;

static bool less(sorting *self, const sort_entry *left, const sort_entry *right) {
    if (left->prefix != right->prefix) {
        return left->prefix < right->prefix;
    }
    int order = 0;
    if (self->status == FIRN_OK) {
        self->status = sort_compare(self->store, left, right, self->scratch, &order, self->err);
    }
    return self->status == FIRN_OK && order < 0;
}

static void swap(sort_entry *left, sort_entry *right) {
    const sort_entry kept = *left;
    *left = *right;
    *right = kept;
}

static void insertion_sort(sorting *self, sort_entry *items, uint64_t count) {
    for (uint64_t i = 1; i < count; i++) {
        const sort_entry item = items[i];
        uint64_t at = i;
        while (at > 0 && less(self, &item, &items[at - 1])) {
            items[at] = items[at - 1];
            at--;
        }
        items[at] = item;
    }
}

static void sift_down(sorting *self, sort_entry *items, uint64_t root, uint64_t count) {
    for (uint64_t child = root * 2 + 1; child < count; child = root * 2 + 1) {
        if (child + 1 < count && less(self, &items[child], &items[child + 1])) {
            child++;
        }
        if (!less(self, &items[root], &items[child])) {
            return;
        }
        swap(&items[root], &items[child]);
        root = child;
    }
}

static void heap_sort(sorting *self, sort_entry *items, uint64_t count) {
    for (uint64_t root = count / 2; root > 0; root--) {
        sift_down(self, items, root - 1, count);
    }
    for (uint64_t end = count; end > 1; end--) {
        swap(&items[0], &items[end - 1]);
        sift_down(self, items, 0, end - 1);
    }
}

static void order_three(sorting *self, sort_entry *a, sort_entry *b, sort_entry *c) {
    if (less(self, b, a)) {
        swap(a, b);
    }
    if (less(self, c, b)) {
        swap(b, c);
        if (less(self, b, a)) {
            swap(a, b);
        }
    }
}

// Splits around the median of three: what is at the answer is in its place.
static uint64_t partition(sorting *self, sort_entry *items, uint64_t count) {
    order_three(self, &items[0], &items[count / 2], &items[count - 1]);
    swap(&items[count / 2], &items[count - 2]);
    const sort_entry pivot = items[count - 2];
    uint64_t left = 0;
    uint64_t right = count - 2;
    for (;;) {
        do {
            left++;
        } while (left < count - 2 && less(self, &items[left], &pivot));
        do {
            right--;
        } while (right > 0 && less(self, &pivot, &items[right]));
        if (left >= right) {
            break;
        }
        swap(&items[left], &items[right]);
    }
    swap(&items[left], &items[count - 2]);
    return left;
}

static void intro_sort(sorting *self, sort_entry *items, uint64_t count, uint32_t depth) {
    while (count > INSERTION_MAX) {
        if (depth == 0) {
            heap_sort(self, items, count);
            return;
        }
        depth--;
        const uint64_t middle = partition(self, items, count);
        const uint64_t behind = count - middle - 1;
        if (middle < behind) { // The smaller side by recursion, so that its depth is logarithmic.
            intro_sort(self, items, middle, depth);
            items += middle + 1;
            count = behind;
        } else {
            intro_sort(self, items + middle + 1, behind, depth);
            count = middle;
        }
    }
    insertion_sort(self, items, count);
}

firn_status sort_entries(const row_store *store, sort_entry *entries, uint64_t count,
                         arena *scratch, firn_error *err) {
    sorting state = {.store = store, .scratch = scratch, .err = err, .status = FIRN_OK};
    uint32_t depth = 2;
    for (uint64_t size = count; size > 1; size /= 2) {
        depth += 2;
    }
    intro_sort(&state, entries, count, depth);
    return state.status;
}

// ---- Spilling
// ------------------------------------------------------------------------------------

firn_status sort_spill(row_store *store, const sort_entry *entries, uint64_t count,
                       spill_desk *desk, spill_list *out, firn_error *err) {
    _Alignas(8) static _Thread_local uint8_t room[SPILL_PAGE_BYTES_MAX];
    row_page *page = row_page_begin(room);
    for (uint64_t i = 0; i < count || page->row_count > 0;) {
        if (i < count &&
            row_page_add(page, store->page_size, store->layout, entries[i].row) != NULL) {
            i++;
            continue;
        }
        spill_slot slot;
        TRY(spill_write(store->spill, desk, (bytes){.data = room, .size = page->filled}, &slot,
                        err));
        TRY(spill_list_push(out, slot, err));
        page = row_page_begin(room);
    }
    return FIRN_OK;
}

// ---- Reading
// -------------------------------------------------------------------------------------

static void set_row(row_store *store, sort_cursor *self, uint8_t *row) {
    self->row = row;
    if (row == NULL) {
        return;
    }
    const text key = sort_row_key(store, row);
    self->prefix = key.data == NULL ? 0 : sort_key_prefix(key);
}

static firn_status read_page(row_store *store, sort_cursor *self, spill_desk *desk,
                             firn_error *err) {
    size_t size;
    TRY(spill_read(store->spill, desk, self->run->written.slots[self->page++], self->memory,
                   store->page_size, &size, err));
    self->current = self->memory;
    self->offset = 0;
    return FIRN_OK;
}

firn_status sort_cursor_next(row_store *store, sort_cursor *self, spill_desk *desk,
                             firn_error *err) {
    if (!self->run->is_spilled) {
        self->at += self->row != NULL;
        const bool is_there = self->at < self->end;
        self->row = is_there ? self->run->entries[self->at].row : NULL;
        self->prefix = is_there ? self->run->entries[self->at].prefix : 0;
        return FIRN_OK;
    }
    for (;;) {
        uint8_t *row;
        if (self->current != NULL &&
            row_page_rows(self->current, store->layout, &self->offset, &row, 1) == 1) {
            set_row(store, self, row);
            return FIRN_OK;
        }
        if (self->page == self->run->written.count) {
            self->row = NULL;
            return FIRN_OK;
        }
        TRY(read_page(store, self, desk, err));
    }
}

firn_status sort_cursor_open(row_store *store, sort_run *run, sort_range range, void *memory,
                             spill_desk *desk, sort_cursor *out, firn_error *err) {
    *out = (sort_cursor){.run = run, .at = range.from, .end = range.end, .memory = memory};
    return sort_cursor_next(store, out, desk, err);
}
