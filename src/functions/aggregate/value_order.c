#include "functions/aggregate/value_order.h"

#include <math.h>

#include "base/hash.h"

#define INSERTION_MAX 16 // Items that are sorted by insertion.
#define COMPARING 16     // Of a cancel_watch: a comparison, with its cache misses.
#define CHUNK 256        // Values whose numbers are made at a time.
#define BUCKET_BITS 11
#define BUCKET_COUNT 2048 // Into which a range is divided: values are counted by them.
#define FEW_OF_ALL 8      // A range with this part of all values is not divided further.

// ---- Numbers ------------------------------------------------------------------------------------

static uint64_t number_of_double(double value) {
    uint64_t bits;
    value += 0.0; // -0.0 + 0.0 is 0.0.
    memcpy(&bits, &value, sizeof bits);
    bits = isnan(value) ? UINT64_C(0x7ff8000000000000) : bits;
    return bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

static uint64_t number_of_text(const string_value *value) {
    uint64_t number = 0;
    memcpy(&number, string_data(value), value->size < 8 ? value->size : 8);
    return __builtin_bswap64(number);
}

static uint64_t number_of_signed(int64_t value) {
    return (uint64_t)value ^ UINT64_C(1) << 63;
}

#define NUMBER_CASE(NAME, c_type, ordered)                                                         \
    case PHYSICAL_##NAME:                                                                          \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            const c_type value = COLUMN_VALUES(values, c_type)[(from + i) & mask];                 \
            out[i] = (ordered);                                                                    \
        }                                                                                          \
        break;

// The numbers of rows `from` to from + count - 1.
static void list_numbers(const column *values, uint32_t from, uint32_t count, uint64_t *out) {
    const uint32_t mask = column_mask(values);
    switch ((int)type_physical(values->type)) {
        NUMBER_CASE(I8, int8_t, number_of_signed(value))
        NUMBER_CASE(I16, int16_t, number_of_signed(value))
        NUMBER_CASE(I32, int32_t, number_of_signed(value))
        NUMBER_CASE(I64, int64_t, number_of_signed(value))
        NUMBER_CASE(U8, uint8_t, value)
        NUMBER_CASE(U16, uint16_t, value)
        NUMBER_CASE(U32, uint32_t, value)
        NUMBER_CASE(U64, uint64_t, value)
        NUMBER_CASE(F32, float, number_of_double((double)value))
        NUMBER_CASE(F64, double, number_of_double(value))
        NUMBER_CASE(I128, i128, number_of_signed((int64_t)(value >> 64)))
        NUMBER_CASE(STRING, string_value, number_of_text(&value))
    default:
        memset(out, 0, count * sizeof *out);
        break;
    }
}

void value_order_list(const value_order *self, uint32_t from, uint32_t count, ordered_value *out) {
    UNINITIALISED uint64_t numbers[CHUNK];
    for (uint32_t start = 0; start < count; start += CHUNK) {
        const uint32_t n = count - start < CHUNK ? count - start : CHUNK;
        list_numbers(self->values, from + start, n, numbers);
        for (uint32_t i = 0; i < n; i++) {
            out[start + i] = (ordered_value){.number = numbers[i], .row = from + start + i};
        }
    }
}

bool value_order_is_exact(const type *of) {
    const physical kind = type_physical(of);
    return physical_is_integer(kind) || kind == PHYSICAL_F32 || kind == PHYSICAL_F64;
}

value_order value_order_of(const column *values, const cancel_flag *cancel) {
    return (value_order){.values = values,
                         .is_exact = value_order_is_exact(values->type),
                         .watch = {.cancel = cancel}};
}

int value_order_compare(value_order *self, const ordered_value *left, const ordered_value *right) {
    if (left->number != right->number) {
        return left->number < right->number ? -1 : 1;
    }
    return self->is_exact ? 0
                          : column_compare_rows_watched(self->values, left->row, self->values,
                                                        right->row, &self->watch);
}

static bool is_below(value_order *self, const ordered_value *left, const ordered_value *right) {
    return self->is_exact ? left->number < right->number
                          : value_order_compare(self, left, right) < 0;
}

// ---- Selecting: Hoare's, with the median of three at random as pivot ----------------------------

static uint64_t next_random(value_order *self, uint64_t below) {
    return hash_u64(self->seed++) % below;
}

static ordered_value choose_pivot(value_order *self, const ordered_value *items, uint64_t count) {
    const ordered_value a = items[next_random(self, count)];
    const ordered_value b = items[next_random(self, count)];
    const ordered_value c = items[next_random(self, count)];
    if (is_below(self, &a, &b)) {
        return is_below(self, &b, &c) ? b : is_below(self, &a, &c) ? c : a;
    }
    return is_below(self, &a, &c) ? a : is_below(self, &b, &c) ? c : b;
}

void value_order_select(value_order *self, ordered_value *items, uint32_t count, uint32_t rank) {
    int64_t low = 0;
    int64_t high = (int64_t)count - 1;
    while (low < high) {
        const uint64_t length = (uint64_t)(high - low) + 1;
        if (cancel_watch_is_raised(&self->watch, length * COMPARING)) {
            return;
        }
        const ordered_value pivot = choose_pivot(self, items + low, length);
        int64_t left = low;
        int64_t right = high;
        // The bounds hold where a raised flag makes the order any.
        while (left <= right) {
            while (left < high && is_below(self, &items[left], &pivot)) {
                left++;
            }
            while (right > low && is_below(self, &pivot, &items[right])) {
                right--;
            }
            if (left <= right) {
                const ordered_value swapped = items[left];
                items[left++] = items[right];
                items[right--] = swapped;
            }
        }
        if ((int64_t)rank <= right) {
            high = right;
        } else if ((int64_t)rank >= left) {
            low = left;
        } else {
            return;
        }
    }
}

// ---- Finding: by counting numbers, so that few values are ever listed --------------------------

// The numbers among which that of a rank lies.
typedef struct number_range {
    uint64_t low;
    uint64_t high; // Not below `low`; where they are equal, it is found.
    uint64_t left; // How many values have such numbers,
    uint64_t rank; // and the rank among them.
} number_range;

static bool number_range_has(const number_range *self, uint64_t number) {
    return number >= self->low && number <= self->high;
}

// By how many bits the distance of a number from `low` is shifted to give its bucket.
static uint32_t number_range_shift(const number_range *self) {
    const uint64_t span = self->high - self->low;
    const uint32_t bits = span == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(span);
    return bits > BUCKET_BITS ? bits - BUCKET_BITS : 0;
}

// Leaves the bucket with the rank.
static void number_range_narrow(number_range *self, const uint64_t *counts) {
    const uint32_t shift = number_range_shift(self);
    uint64_t bucket = 0;
    while (bucket + 1 < BUCKET_COUNT && self->rank >= counts[bucket]) {
        self->rank -= counts[bucket++];
    }
    const uint64_t last = (UINT64_C(1) << shift) - 1; // Of a bucket, counted from its first.
    self->left = counts[bucket];
    self->low += bucket << shift;
    self->high = self->high - self->low < last ? self->high : self->low + last;
}

// Values among which the rank lies.
typedef struct finding {
    value_order *order;
    uint32_t from; // The rows are of all values.
    uint32_t count;
    number_range range;
} finding;

// The numbers of rows from `start` on, counted from self->from; at most CHUNK. 0: that was all, or
// the flag is raised.
static uint32_t next_numbers(const finding *self, uint32_t start, uint64_t *out) {
    const uint32_t left = self->count - start;
    const uint32_t count = left < CHUNK ? left : CHUNK;
    if (count == 0 || cancel_watch_is_raised(&self->order->watch, count)) {
        return 0;
    }
    list_numbers(self->order->values, self->from + start, count, out);
    return count;
}

static bool is_cancelled(const finding *self) {
    return cancel_is_raised(self->order->watch.cancel);
}

static void find_bounds(finding *self) {
    UNINITIALISED uint64_t numbers[CHUNK];
    uint64_t low = UINT64_MAX;
    uint64_t high = 0;
    uint32_t start = 0;
    for (uint32_t n; (n = next_numbers(self, start, numbers)) > 0; start += n) {
        for (uint32_t i = 0; i < n; i++) {
            low = numbers[i] < low ? numbers[i] : low;
            high = numbers[i] > high ? numbers[i] : high;
        }
    }
    self->range.low = low;
    self->range.high = high;
}

// Divides the range of numbers and leaves the part with the rank.
static void narrow(finding *self) {
    UNINITIALISED uint64_t numbers[CHUNK];
    uint64_t counts[BUCKET_COUNT] = {0};
    const number_range range = self->range;
    const uint32_t shift = number_range_shift(&self->range);
    uint32_t start = 0;
    for (uint32_t n; (n = next_numbers(self, start, numbers)) > 0; start += n) {
        for (uint32_t i = 0; i < n; i++) {
            if (number_range_has(&range, numbers[i])) {
                counts[(numbers[i] - range.low) >> shift]++;
            }
        }
    }
    number_range_narrow(&self->range, counts);
}

// Lists up to `max` of those that are left. How many there are, up to that.
static uint32_t list_left(const finding *self, uint32_t max, ordered_value *out) {
    UNINITIALISED uint64_t numbers[CHUNK];
    uint32_t start = 0;
    uint32_t found = 0;
    for (uint32_t n; found < max && (n = next_numbers(self, start, numbers)) > 0; start += n) {
        for (uint32_t i = 0; i < n && found < max; i++) {
            out[found] = (ordered_value){.number = numbers[i], .row = self->from + start + i};
            found += number_range_has(&self->range, numbers[i]);
        }
    }
    return found;
}

bool value_order_find(value_order *self, uint32_t from, uint32_t count, uint32_t rank,
                      arena *scratch, uint32_t *out) {
    finding state = {
        .order = self, .from = from, .count = count, .range = {.left = count, .rank = rank}};
    number_range *range = &state.range;
    *out = from;
    if (count > CHUNK) {
        find_bounds(&state);
        while (range->low < range->high && range->left > count / FEW_OF_ALL &&
               !is_cancelled(&state)) {
            narrow(&state);
        }
    } else {
        range->high = UINT64_MAX;
    }
    const bool is_any = self->is_exact && range->low == range->high; // They are all the same.
    const uint32_t left = is_any ? 1 : (uint32_t)range->left;
    const uint32_t at = is_any ? 0 : (uint32_t)range->rank;
    const arena_mark mark = arena_mark_take(scratch);
    UNINITIALISED ordered_value few[CHUNK];
    ordered_value *items = left <= CHUNK ? few : ARENA_NEW(scratch, ordered_value, left);
    if (items == NULL) {
        return false;
    }
    if (!is_cancelled(&state) && list_left(&state, left, items) == left) {
        value_order_select(self, items, left, at);
        *out = items[at].row;
    }
    arena_rewind(scratch, mark);
    return true;
}

// ---- Sorting: merge sort, bottom up -------------------------------------------------------------

static void insert_all(value_order *self, ordered_value *items, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        const ordered_value item = items[i];
        uint32_t at = i;
        for (; at > 0 && is_below(self, &item, &items[at - 1]); at--) {
            items[at] = items[at - 1];
        }
        items[at] = item;
    }
}

static void merge(value_order *self, const ordered_value *items, uint64_t middle, uint64_t end,
                  ordered_value *out) {
    uint64_t left = 0;
    uint64_t right = middle;
    for (uint64_t at = 0; at < end; at++) {
        const bool takes_left =
            left < middle && (right == end || !is_below(self, &items[right], &items[left]));
        out[at] = items[takes_left ? left++ : right++];
    }
}

ordered_value *value_order_sort(value_order *self, ordered_value *items, ordered_value *spare,
                                uint32_t count) {
    for (uint64_t start = 0; start < count; start += INSERTION_MAX) {
        const uint64_t left = count - start;
        insert_all(self, items + start, left < INSERTION_MAX ? (uint32_t)left : INSERTION_MAX);
    }
    for (uint64_t width = INSERTION_MAX; width < count; width *= 2) {
        for (uint64_t start = 0; start < count; start += 2 * width) {
            const uint64_t left = count - start;
            const uint64_t end = left < 2 * width ? left : 2 * width;
            if (cancel_watch_is_raised(&self->watch, end * COMPARING)) {
                return items;
            }
            merge(self, items + start, end < width ? end : width, end, spare + start);
        }
        ordered_value *swapped = items;
        items = spare;
        spare = swapped;
    }
    return items;
}
