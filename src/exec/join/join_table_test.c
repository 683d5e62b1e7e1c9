#include "exec/join/join_table.h"

#include "base/test.h"

#define ROWS 6

// Rows that are nothing but links, each to the one behind it.
static void link_rows(uint64_t *rows, const row_layout *layout) {
    for (uint32_t i = 0; i < ROWS; i++) {
        atomic_store(join_link_of(layout, (const uint8_t *)&rows[i]),
                     i + 1 == ROWS ? 0 : (uint64_t)(uintptr_t)&rows[i + 1]);
    }
}

static uint32_t row_at(const uint64_t *rows, const uint8_t *row) {
    return row == NULL ? ROWS : (uint32_t)((const uint64_t *)(const void *)row - rows);
}

TEST(join_chains_lose_the_rows_that_are_marked) {
    uint64_t rows[ROWS];
    const row_layout layout = {.extra_offset = 0};
    const uint8_t *first = (const uint8_t *)&rows[0];
    link_rows(rows, &layout);
    CHECK(row_at(rows, join_next_unmarked(&layout, first)) == 1);
    for (uint32_t i = 1; i < 4; i++) {
        CHECK(!join_row_mark(&layout, (const uint8_t *)&rows[i]));
    }
    CHECK(join_row_mark(&layout, (const uint8_t *)&rows[1]));
    CHECK(row_at(rows, join_next(&layout, first)) == 1);
    CHECK(row_at(rows, join_next_unmarked(&layout, first)) == 4);
    CHECK(row_at(rows, join_next(&layout, first)) == 4); // At once for who comes next.
    CHECK(!join_row_is_matched(&layout, first) && join_row_is_matched(&layout, first + 8));
    (void)join_row_mark(&layout, first);
    (void)join_row_mark(&layout, (const uint8_t *)&rows[4]);
    (void)join_row_mark(&layout, (const uint8_t *)&rows[5]);
    CHECK(row_at(rows, join_next_unmarked(&layout, first)) == ROWS);
    CHECK(row_at(rows, join_next(&layout, first)) == ROWS && join_row_is_matched(&layout, first));
}
