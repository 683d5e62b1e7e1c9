#include "exec/sort/sort_by_prefix.h"

#include <stdlib.h>

#include "base/test.h"

#define COUNT_MAX 3000

static firn_error err = FIRN_ERROR_INIT;

static int compare(const void *left, const void *right) {
    const uint64_t l = *(const uint64_t *)left;
    const uint64_t r = *(const uint64_t *)right;
    return l < r ? -1 : l > r;
}

// The row of an entry says which prefix it had.
static void check_sorted(uint64_t *prefixes, uint32_t count) {
    static sort_entry entries[COUNT_MAX];
    static uint64_t before[COUNT_MAX];
    memcpy(before, prefixes, count * sizeof *prefixes);
    for (uint32_t i = 0; i < count; i++) {
        entries[i] = (sort_entry){.prefix = prefixes[i], .row = (uint8_t *)&before[i]};
    }
    CHECK(sort_by_prefix(entries, count, NULL, &err) == FIRN_OK);
    qsort(prefixes, count, sizeof *prefixes, compare);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(entries[i].prefix == prefixes[i]);
        CHECK(memcmp(entries[i].row, &prefixes[i], sizeof(uint64_t)) == 0);
    }
}

TEST(sort_by_prefix_orders_any_numbers_of_any_count) {
    static const uint32_t counts[] = {0, 1, 2, 20, 21, 22, 191, 192, 193, 1000, COUNT_MAX};
    static const uint64_t masks[] = {0, 1, 0xff, 0xff00, UINT64_C(0xf00000000000000f), UINT64_MAX};
    static uint64_t prefixes[COUNT_MAX];
    uint64_t seed = 9;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
            for (uint32_t k = 0; k < counts[i]; k++) {
                prefixes[k] = test_random(&seed) & masks[m];
            }
            check_sorted(prefixes, counts[i]);
            check_sorted(prefixes, counts[i]); // They are sorted now.
            for (uint32_t k = 0; k < counts[i]; k++) {
                prefixes[k] = (counts[i] - k) * (masks[m] / COUNT_MAX);
            }
            check_sorted(prefixes, counts[i]);
        }
    }
}

TEST(sort_by_prefix_is_stopped_by_the_cancel_flag) {
    static sort_entry entries[70000];
    uint64_t seed = 1;
    for (size_t i = 0; i < 70000; i++) {
        entries[i].prefix = test_random(&seed);
    }
    cancel_flag cancel = {0};
    cancel_raise(&cancel);
    CHECK(sort_by_prefix(entries, 70000, &cancel, &err) == FIRN_CANCELLED);
}
