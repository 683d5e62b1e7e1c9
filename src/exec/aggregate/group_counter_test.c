#include "exec/aggregate/group_counter.h"

#include "base/hash.h"
#include "base/test.h"

#define BATCH 2048

// Puts `rows` rows of `groups` groups in; how often it looked.
static uint32_t count_rows(group_counter *self, uint64_t rows, uint64_t groups) {
    uint64_t hashes[BATCH];
    uint32_t looks = 0;
    for (uint64_t at = 0; at < rows; at += BATCH) {
        for (uint64_t k = 0; k < BATCH; k++) {
            hashes[k] = hash_u64((at + k) % groups);
        }
        looks += group_counter_add(self, hashes, BATCH);
    }
    return looks;
}

TEST(group_counter_looks_at_each_doubling_and_sees_groups_that_come_again) {
    arena memory = arena_open(1 << 20);
    group_counter self = group_counter_open(&memory);
    CHECK(count_rows(&self, 1 << 20, 50000) == 3); // At 256, 512 and 1,024 Ki rows.
    CHECK(self.rows == 1 << 20 && self.groups > 47000 && self.groups < 53000);
    arena_close(&memory);
}

TEST(group_counter_without_memory_counts_nothing) {
    arena memory = arena_open(16);
    group_counter self = group_counter_open(&memory);
    CHECK(count_rows(&self, 1 << 19, 10) == 0 && self.rows == 0);
    arena_close(&memory);
}
