#include "exec/sort/sort_entries.h"

#include "exec/sort/sort_by_prefix.h"
#include "exec/sort/sort_key.h"

#define INSERTION_MAX 16
#define LEVEL_MAX 6 // Parts of keys that are sorted by; what is equal in all is compared whole.
#define LOOK_EVERY 65536 // Comparisons between two looks at the cancel flag.
#define PREFETCH_AHEAD 16

// ---- Sorting: introsort (D. Musser, 1997) -------------------------------------------------------

typedef struct sorting {
    const row_store *store;
    const cancel_flag *cancel;
    arena *scratch;
    firn_error *err;
    firn_status status; // Of the first fault; from then on all compare equal, and loops end.
    uint32_t until_look;
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

static void sort_part(sorting *self, sort_entry *items, uint64_t count) {
    uint32_t depth = 2;
    for (uint64_t size = count; size > 1; size /= 2) {
        depth += 2;
    }
    intro_sort(self, items, count, depth);
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
        sort_part(self, items, count);
        return;
    }
    sort_level(self, items, count, level + 1);
    for (uint64_t i = 0; i < count; i++) {
        items[i].prefix = before;
    }
}

static void sort_level(sorting *self, sort_entry *items, uint64_t count, uint32_t level) {
    if (self->status == FIRN_OK) {
        self->status = sort_by_prefix(items, count, self->cancel, self->err);
    }
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

firn_status sort_entries_packed(const row_store *store, const sort_packing *packing,
                                sort_entry *entries, uint64_t count, const cancel_flag *cancel,
                                arena *scratch, firn_error *err) {
    const uint32_t offset = store->layout->extra_offset;
    for (uint64_t i = 0; i < count; i++) {
        if (i % LOOK_EVERY == 0) {
            TRY(cancel_check(cancel, err));
        }
        entries[i].prefix = sort_pack(packing, entries[i].row + offset);
    }
    return packing->is_whole ? sort_by_prefix(entries, count, cancel, err)
                             : sort_entries(store, entries, count, cancel, scratch, err);
}

firn_status sort_entries_unpack(const row_store *store, sort_entry *entries, uint64_t count,
                                const cancel_flag *cancel, firn_error *err) {
    for (uint64_t i = 0; i < count; i++) {
        if (i % LOOK_EVERY == 0) {
            TRY(cancel_check(cancel, err));
        }
        __builtin_prefetch(entries[i + PREFETCH_AHEAD < count ? i + PREFETCH_AHEAD : i].row);
        entries[i].prefix = sort_key_prefix(sort_row_key(store, entries[i].row));
    }
    return FIRN_OK;
}
