// Radix sort in place, a byte at a time ("American flag", P. McIlroy, K. Bostic, D. McIlroy 1993),
// from the highest byte that differs; few entries by quicksort, whose worst case is small then.
#include "exec/sort/sort_by_prefix.h"

#define INSERTION_MAX 20
#define RADIX_MIN 192 // Fewer entries are sorted by comparing.
#define PREFETCH_AHEAD 8
#define LOOK_EVERY 65536 // Entries moved between two looks at the cancel flag.

typedef struct sorter {
    const cancel_flag *cancel;
    firn_error *err;
    firn_status status; // Of the first fault; from then on loops end.
    uint64_t until_look;
} sorter;

static void look(sorter *self, uint64_t steps) {
    self->until_look = steps < self->until_look ? self->until_look - steps : 0;
    if (self->until_look == 0) {
        self->until_look = LOOK_EVERY;
        if (self->status == FIRN_OK) {
            self->status = cancel_check(self->cancel, self->err);
        }
    }
}

static void swap(sort_entry *left, sort_entry *right) {
    const sort_entry kept = *left;
    *left = *right;
    *right = kept;
}

static void insertion_sort(sort_entry *items, uint64_t count) {
    for (uint64_t i = 1; i < count; i++) {
        const sort_entry item = items[i];
        uint64_t at = i;
        while (at > 0 && item.prefix < items[at - 1].prefix) {
            items[at] = items[at - 1];
            at--;
        }
        items[at] = item;
    }
}

// Splits around the median of three: what is at the answer is in its place.
static uint64_t partition(sort_entry *items, uint64_t count) {
    sort_entry *first = &items[0];
    sort_entry *middle = &items[count / 2];
    sort_entry *last = &items[count - 1];
    if (middle->prefix < first->prefix) {
        swap(first, middle);
    }
    if (last->prefix < middle->prefix) {
        swap(middle, last);
        if (middle->prefix < first->prefix) {
            swap(first, middle);
        }
    }
    swap(middle, &items[count - 2]);
    const uint64_t pivot = items[count - 2].prefix;
    uint64_t left = 0;
    uint64_t right = count - 2;
    for (;;) { // What the median of three left at both ends stops the loops.
        while (items[++left].prefix < pivot) {
        }
        while (pivot < items[--right].prefix) {
        }
        if (left >= right) {
            break;
        }
        swap(&items[left], &items[right]);
    }
    swap(&items[left], &items[count - 2]);
    return left;
}

static void quick_sort(sort_entry *items, uint64_t count) {
    while (count > INSERTION_MAX) {
        const uint64_t middle = partition(items, count);
        const uint64_t behind = count - middle - 1;
        if (middle < behind) { // The smaller side by recursion, so that its depth is logarithmic.
            quick_sort(items, middle);
            items += middle + 1;
            count = behind;
        } else {
            quick_sort(items + middle + 1, behind);
            count = middle;
        }
    }
    insertion_sort(items, count);
}

static uint32_t byte_of(const sort_entry *entry, uint32_t shift) {
    return (uint32_t)(entry->prefix >> shift & 0xff);
}

// The highest byte in which prefixes differ, as a shift; UINT32_MAX: they are all equal.
static uint32_t top_shift(const sort_entry *items, uint64_t count) {
    uint64_t differing = 0;
    for (uint64_t i = 1; i < count; i++) {
        differing |= items[i].prefix ^ items[0].prefix;
    }
    return differing == 0 ? UINT32_MAX : (63 - (uint32_t)__builtin_clzll(differing)) / 8 * 8;
}

// Puts every entry into the part of its byte; parts begin at ends[b - 1].
static void permute(sorter *self, sort_entry *items, const uint64_t ends[256], uint32_t shift) {
    uint64_t next[256];
    for (uint32_t b = 0; b < 256; b++) {
        next[b] = b == 0 ? 0 : ends[b - 1];
    }
    for (uint32_t b = 0; b < 256; b++) {
        while (next[b] < ends[b] && self->status == FIRN_OK) {
            sort_entry moved = items[next[b]];
            uint64_t steps = 1;
            for (uint32_t to = byte_of(&moved, shift); to != b; to = byte_of(&moved, shift)) {
                const sort_entry kept = items[next[to]];
                __builtin_prefetch(&items[next[to] + PREFETCH_AHEAD], 1); // So many streams no
                items[next[to]++] = moved;                                // processor follows.
                moved = kept;
                steps++;
            }
            items[next[b]++] = moved;
            look(self, steps);
        }
    }
}

static void radix_sort(sorter *self, sort_entry *items, uint64_t count) {
    if (count < RADIX_MIN) {
        look(self, count);
        quick_sort(items, count);
        return;
    }
    const uint32_t shift = top_shift(items, count);
    if (shift == UINT32_MAX) {
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

firn_status sort_by_prefix(sort_entry *entries, uint64_t count, const cancel_flag *cancel,
                           firn_error *err) {
    sorter state = {.cancel = cancel, .err = err, .status = FIRN_OK, .until_look = LOOK_EVERY};
    radix_sort(&state, entries, count);
    return state.status;
}
