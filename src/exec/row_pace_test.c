#include "exec/row_pace.h"

#include "base/test.h"

#define M ((uint64_t)1 << 20)

static row_pace pace_of(uint64_t most) {
    return (row_pace){.most = most, .rows = 1};
}

TEST(row_pace_of_short_rows_soon_takes_whole_batches) {
    row_pace pace = pace_of(4 * M);
    uint32_t calls = 0;
    while (row_pace_rows(&pace, BATCH_ROWS) < BATCH_ROWS && calls < 10) {
        const uint32_t rows = row_pace_rows(&pace, BATCH_ROWS);
        row_pace_learn(&pace, rows, 6 * M / 2 + rows * 100); // Most of it whatever the rows.
        calls++;
    }
    CHECK(calls == 4); // 1, 2, 32, 512 rows.
    CHECK(row_pace_rows(&pace, 7) == 7);
    row_pace_learn(&pace, 7, 3 * M + 700);
    row_pace_learn(&pace, 1, 3 * M + 100);
    CHECK(row_pace_rows(&pace, BATCH_ROWS) == BATCH_ROWS); // A short batch says nothing else.
}

TEST(row_pace_of_long_rows_keeps_within_the_bytes) {
    static const uint64_t sizes[] = {3000, 30000, 300000, 3 << 20, 64 << 20};
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        row_pace pace = pace_of(4 * M);
        for (uint32_t call = 0; call < 10; call++) {
            const uint32_t rows = row_pace_rows(&pace, BATCH_ROWS);
            CHECK(rows >= 1);
            CHECK(rows * sizes[i] <= 4 * M + sizes[i] * 16);
            row_pace_learn(&pace, rows, rows * sizes[i] + 50000);
        }
        const uint32_t last = row_pace_rows(&pace, BATCH_ROWS);
        CHECK(last >= 4 * M / sizes[i] / 2 || last == BATCH_ROWS);
    }
}
