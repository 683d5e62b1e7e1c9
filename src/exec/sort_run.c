#include "exec/sort_run.h"

#include <assert.h>

#include "exec/sort_key.h"

#define INSERTION_MAX 16
#define RADIX_MIN 256 // Fewer entries are sorted by comparing.
#define LEVEL_MAX 6   // Parts of keys that are sorted by; what is equal in all is compared whole.
#define LOOK_EVERY 65536 // Comparisons between two looks at the cancel flag.
#define HEADS_MIN 64
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

// ---- Sorting: introsort (D. Musser, 1997) -------------------------------------------------------

typedef struct sorting {
    const row_store *store;
    const cancel_flag *cancel;
    arena *scratch;
    firn_error *err;
    firn_status status; // Of the first fault; from then on all compare equal, and loops end.
    uint32_t until_look;
    bool is_whole; // Keys of equal prefixes are compared.
} sorting;

// Looks at the cancel flag when enough was done.
static void look(sorting *self, uint64_t steps) {
    self->until_look = steps < self->until_look ? self->until_look - (uint32_t)steps : 0;
    if (self->until_look == 0) {
        self->until_look = LOOK_EVERY;
        if (self->status == FIRN_OK) {
            self->status = cancel_check(self->cancel, self->err);
        }
    }
}

static bool less(sorting *self, const sort_entry *left, const sort_entry *right) {
    look(self, 1);
    if (left->prefix != right->prefix || !self->is_whole) {
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
    for (uint64_t root = count / 2; root > 0 && self->status == FIRN_OK; root--) {
        sift_down(self, items, root - 1, count);
    }
    for (uint64_t end = count; end > 1 && self->status == FIRN_OK; end--) {
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
        if (left >= right || self->status != FIRN_OK) {
            break;
        }
        swap(&items[left], &items[right]);
    }
    swap(&items[left], &items[count - 2]);
    return left;
}

static void intro_sort(sorting *self, sort_entry *items, uint64_t count, uint32_t depth) {
    while (count > INSERTION_MAX && self->status == FIRN_OK) {
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
    if (self->status == FIRN_OK) { // Else `count` may be large: nobody will read the order.
        insertion_sort(self, items, count);
    }
}

// ---- Sorting by prefix -------------------------------------------------------------------------
// Radix sort in place, a byte at a time ("American flag", P. McIlroy, K. Bostic, D. McIlroy 1993).
// Small parts are left to the sort above.

static uint32_t byte_of(const sort_entry *entry, uint32_t shift) {
    return (uint32_t)(entry->prefix >> shift & 0xff);
}

static void sort_part(sorting *self, sort_entry *items, uint64_t count) {
    uint32_t depth = 2;
    for (uint64_t size = count; size > 1; size /= 2) {
        depth += 2;
    }
    intro_sort(self, items, count, depth);
}

// The highest byte in which prefixes differ, as a shift; UINT32_MAX: they are all equal.
static uint32_t top_shift(sorting *self, const sort_entry *items, uint64_t count) {
    uint64_t differing = 0;
    for (uint64_t from = 0; from < count && self->status == FIRN_OK; from += LOOK_EVERY) {
        const uint64_t end = count - from < LOOK_EVERY ? count : from + LOOK_EVERY;
        look(self, end - from);
        for (uint64_t i = from; i < end; i++) {
            differing |= items[i].prefix ^ items[0].prefix;
        }
    }
    return differing == 0 ? UINT32_MAX : (63 - (uint32_t)__builtin_clzll(differing)) / 8 * 8;
}

// Puts every entry into the part of its byte; parts begin at ends[b - 1].
static void permute(sorting *self, sort_entry *items, const uint64_t ends[256], uint32_t shift) {
    uint64_t next[256];
    for (uint32_t b = 0; b < 256; b++) {
        next[b] = b == 0 ? 0 : ends[b - 1];
    }
    for (uint32_t b = 0; b < 256; b++) {
        while (next[b] < ends[b] && self->status == FIRN_OK) {
            look(self, 1);
            sort_entry moved = items[next[b]];
            for (uint32_t to = byte_of(&moved, shift); to != b; to = byte_of(&moved, shift)) {
                const sort_entry kept = items[next[to]];
                items[next[to]++] = moved;
                moved = kept;
            }
            items[next[b]++] = moved;
        }
    }
}

static void radix_sort(sorting *self, sort_entry *items, uint64_t count) {
    const uint32_t shift = count < RADIX_MIN ? UINT32_MAX : top_shift(self, items, count);
    if (shift == UINT32_MAX) {
        sort_part(self, items, count);
        return;
    }
    uint64_t ends[256] = {0};
    for (uint64_t i = 0; i < count; i++) {
        ends[byte_of(&items[i], shift)]++;
    }
    for (uint32_t b = 1; b < 256; b++) {
        ends[b] += ends[b - 1];
    }
    permute(self, items, ends, shift);
    for (uint32_t b = 0; b < 256 && self->status == FIRN_OK; b++) {
        const uint64_t from = b == 0 ? 0 : ends[b - 1];
        if (ends[b] - from > 1) { // Its prefixes differ further down if at all: recursion ends.
            radix_sort(self, items + from, ends[b] - from);
        }
    }
}

// ---- Sorting by keys ---------------------------------------------------------------------------
// Entries of equal prefixes get the next part of their keys for a prefix, so that each row is
// looked at once a part and not at every comparison ("caching multikey quicksort", W. Ng, K. Kakehi
// 2007).

static void sort_level(sorting *self, sort_entry *items, uint64_t count, uint32_t level);

// Prefixes become the keys' parts of a level. False: a key lies in a blob; they are as they were.
static bool load_parts(sorting *self, sort_entry *items, uint64_t count, uint32_t level) {
    const uint64_t before = items[0].prefix;
    for (uint64_t i = 0; i < count; i++) {
        __builtin_prefetch(items[i + PREFETCH_AHEAD < count ? i + PREFETCH_AHEAD : i].row);
        const text key = sort_row_key(self->store, items[i].row);
        if (key.data == NULL) {
            while (i > 0) {
                items[--i].prefix = before;
            }
            return false;
        }
        items[i].prefix = sort_key_part(key, level);
    }
    look(self, count);
    return true;
}

// Entries whose keys are equal up to and in the part of `level`.
static void sort_equal(sorting *self, sort_entry *items, uint64_t count, uint32_t level) {
    const text key = sort_row_key(self->store, items[0].row);
    if (key.data != NULL && key.size <= ((size_t)level + 1) * sizeof(uint64_t)) {
        return;
    }
    const uint64_t before = items[0].prefix;
    if (level == LEVEL_MAX || !load_parts(self, items, count, level + 1)) {
        self->is_whole = true;
        sort_part(self, items, count);
        self->is_whole = false;
        return;
    }
    sort_level(self, items, count, level + 1);
    for (uint64_t i = 0; i < count; i++) {
        items[i].prefix = before;
    }
}

static void sort_level(sorting *self, sort_entry *items, uint64_t count, uint32_t level) {
    radix_sort(self, items, count);
    for (uint64_t from = 0; from < count && self->status == FIRN_OK;) {
        uint64_t end = from + 1;
        while (end < count && items[end].prefix == items[from].prefix) {
            end++;
        }
        if (end - from > 1) {
            sort_equal(self, items + from, end - from, level);
        }
        from = end;
    }
}

firn_status sort_entries(const row_store *store, sort_entry *entries, uint64_t count,
                         const cancel_flag *cancel, arena *scratch, firn_error *err) {
    sorting state = {.store = store,
                     .cancel = cancel,
                     .scratch = scratch,
                     .err = err,
                     .status = FIRN_OK,
                     .until_look = LOOK_EVERY};
    sort_level(&state, entries, count, 0);
    return state.status;
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
