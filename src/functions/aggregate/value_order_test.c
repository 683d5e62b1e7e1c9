#include "functions/aggregate/value_order.h"

#include <math.h>

#include "base/hash.h"
#include "base/test.h"
#include "memory/arena.h"

#define COUNT 1000

static uint64_t next(uint64_t *seed) {
    return hash_u64((*seed)++) >> 40;
}

// A column with many equal values and long common beginnings.
static column make_texts(arena *memory) {
    column out;
    firn_error err = ERR_INIT;
    uint64_t seed = 1;
    (void)column_new(memory, TYPE_OF(VARCHAR), COUNT, &out, &err);
    for (uint32_t i = 0; i < COUNT; i++) {
        text value;
        (void)text_format(memory, &value, &err, i % 3 == 0 ? "%u" : "begins alike %u",
                          (unsigned)(next(&seed) % 300));
        COLUMN_OUT(&out, string_value)[i] = string_of(value.data, (uint32_t)value.size);
    }
    return out;
}

static column make_doubles(arena *memory) {
    column out;
    firn_error err = ERR_INIT;
    uint64_t seed = 1000000;
    (void)column_new(memory, TYPE_OF(DOUBLE), COUNT, &out, &err);
    for (uint32_t i = 0; i < COUNT; i++) {
        const double values[] = {-0.0, 0.0, -1.5, (double)NAN, (double)INFINITY};
        const uint64_t number = next(&seed) % 100;
        COLUMN_OUT(&out, double)[i] = number < 5 ? values[number] : (double)number - 50;
    }
    return out;
}

static void check_column(const column *values, arena *memory) {
    value_order order = value_order_of(values, NULL);
    ordered_value *items = ARENA_NEW(memory, ordered_value, COUNT);
    ordered_value *spare = ARENA_NEW(memory, ordered_value, COUNT);
    for (uint32_t count = 1; count <= COUNT; count += count < 40 ? 1 : 160) {
        value_order_list(&order, 0, count, items);
        const ordered_value *sorted = value_order_sort(&order, items, spare, count);
        for (uint32_t i = 1; i < count; i++) {
            CHECK(column_compare_rows(values, sorted[i - 1].row, values, sorted[i].row) <= 0);
        }
        ordered_value *others = ARENA_NEW(memory, ordered_value, COUNT);
        for (uint32_t rank = 0; rank < count; rank += 1 + count / 7) {
            value_order_list(&order, 0, count, others);
            value_order_select(&order, others, count, rank);
            CHECK(column_compare_rows(values, sorted[rank].row, values, others[rank].row) == 0);
            uint32_t found;
            REQUIRE(value_order_find(&order, 0, count, rank, memory, &found));
            CHECK(column_compare_rows(values, sorted[rank].row, values, found) == 0);
            for (uint32_t i = 0; i < count; i++) {
                const int side = value_order_compare(&order, &others[i], &others[rank]);
                CHECK(i < rank ? side <= 0 : side >= 0);
            }
        }
    }
}

TEST(value_order_selects_what_sorting_puts_at_a_rank) {
    arena memory = arena_open(1 << 24);
    const column texts = make_texts(&memory);
    const column doubles = make_doubles(&memory);
    check_column(&texts, &memory);
    check_column(&doubles, &memory);
    arena_close(&memory);
}
