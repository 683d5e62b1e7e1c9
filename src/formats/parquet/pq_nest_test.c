#include "formats/parquet/pq_nest.h"

#include <string.h>

#include "base/test.h"
#include "column/column.h"
#include "formats/parquet/pq_unpack.h"

#define LISTS_MAX 3
#define ENTRIES_MAX 4000

// Lists in lists of nullable values, `depth` deep, all nullable, made at random: the levels as a
// writer shreds them, and what every list and value is. List k is not NULL from definition level
// 2k + 1 on and has an element from 2k + 2 on; the value is there at 2 * depth + 1.
typedef struct sample {
    uint64_t seed;
    uint32_t depth;
    uint32_t entry_count;
    uint8_t repetition[ENTRIES_MAX + PQ_PAD];
    uint8_t definition[ENTRIES_MAX + PQ_PAD];
    uint32_t slot_count[LISTS_MAX + 1];
    bool is_valid[LISTS_MAX + 1][ENTRIES_MAX];
    list_value lists[LISTS_MAX][ENTRIES_MAX];
} sample;

static void put_entry(sample *self, uint32_t repetition, uint32_t definition) {
    self->repetition[self->entry_count] = (uint8_t)repetition;
    self->definition[self->entry_count] = (uint8_t)definition;
    self->entry_count += 1;
}

// Makes one value of list `level`, or of the leaf; `repetition` is that of its first entry.
static void make(sample *self, uint32_t level, uint32_t repetition) {
    const uint32_t slot = self->slot_count[level]++;
    const uint64_t random = test_random(&self->seed);
    const bool is_valid = random % 5 != 0;
    self->is_valid[level][slot] = is_valid;
    if (level == self->depth) {
        put_entry(self, repetition, 2 * level + is_valid);
        return;
    }
    const uint32_t size = is_valid ? (uint32_t)(random >> 8) % 4 : 0;
    self->lists[level][slot] = (list_value){.offset = self->slot_count[level + 1], .size = size};
    if (size == 0) {
        put_entry(self, repetition, 2 * level + is_valid);
    }
    for (uint32_t i = 0; i < size; i++) {
        make(self, level + 1, i == 0 ? repetition : level + 1);
    }
}

static pq_slots slots_of(uint32_t level) {
    return (pq_slots){.repetition = (uint8_t)level, .definition = (uint8_t)(2 * level)};
}

static void check(const sample *self, const pq_nest_kernels *kernels) {
    const pq_entries entries = {
        .repetition = self->repetition, .definition = self->definition, .count = self->entry_count};
    for (uint32_t level = 0; level <= self->depth; level++) {
        const uint32_t expected = self->slot_count[level];
        static uint64_t validity[ENTRIES_MAX / 64 + 1];
        uint32_t valid_count;
        uint32_t valid_expected = 0;
        CHECK(kernels->count(&entries, slots_of(level)) == expected);
        CHECK(kernels->validity(&entries, slots_of(level), (uint8_t)(2 * level + 1), validity,
                                &valid_count) == expected);
        bool same = true;
        for (uint32_t i = 0; i < expected; i++) {
            same = same && bitmap_get(validity, i) == self->is_valid[level][i];
            valid_expected += self->is_valid[level][i];
        }
        CHECK(same && valid_count == valid_expected);
        if (level < self->depth) {
            static list_value lists[ENTRIES_MAX];
            uint32_t element_count;
            CHECK(kernels->lists(&entries, slots_of(level), slots_of(level + 1), lists,
                                 &element_count) == expected);
            CHECK(element_count == self->slot_count[level + 1]);
            CHECK(memcmp(lists, self->lists[level], expected * sizeof *lists) == 0);
        }
    }
}

TEST(pq_nest_puts_together_what_was_shredded) {
    static sample made;
    for (uint32_t depth = 0; depth <= LISTS_MAX; depth++) {
        for (uint32_t rows = 0; rows < 40; rows++) {
            memset(&made, 0, sizeof made);
            made.seed = depth * 100 + rows;
            made.depth = depth;
            for (uint32_t row = 0; row < rows; row++) {
                make(&made, 0, 0);
            }
            for (int level = 0; level <= (int)isa_best(); level++) {
                check(&made, pq_nest_at((isa_level)level));
            }
        }
    }
}

// Levels that no writer makes give columns whose slices lie within their children.
TEST(pq_nest_stays_inside_for_any_levels) {
    uint64_t seed = 9;
    for (int round = 0; round < 2000; round++) {
        static uint8_t repetition[200 + PQ_PAD];
        static uint8_t definition[200 + PQ_PAD];
        const pq_entries entries = {.repetition = repetition,
                                    .definition = definition,
                                    .count = (uint32_t)(test_random(&seed) % 200)};
        for (uint32_t i = 0; i < entries.count; i++) {
            repetition[i] = (uint8_t)(test_random(&seed) % 3);
            definition[i] = (uint8_t)(test_random(&seed) % 6);
        }
        for (uint32_t level = 0; level < 2; level++) {
            list_value lists[200];
            uint32_t element_count;
            const uint32_t count = pq_nest()->lists(&entries, slots_of(level), slots_of(level + 1),
                                                    lists, &element_count);
            CHECK(element_count == pq_nest()->count(&entries, slots_of(level + 1)));
            for (uint32_t i = 0; i < count; i++) {
                CHECK(lists[i].offset <= element_count &&
                      lists[i].size <= element_count - lists[i].offset);
            }
        }
    }
}
