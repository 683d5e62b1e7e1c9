// What arrow_builder hands out. Round trips are tests/interop's and fuzz_arrow_incoming's.
#include "column/arrow.h"

#include "base/test.h"

#define ROWS 5

// A column with a NULL in row 3, and one of NULLs only.
static void make(arena *memory, column columns[2]) {
    firn_error err = ERR_INIT;
    REQUIRE(column_new(memory, TYPE_OF(BIGINT), ROWS, &columns[0], &err) == FIRN_OK);
    for (uint32_t i = 0; i < ROWS; i++) {
        COLUMN_OUT(&columns[0], int64_t)[i] = 10 + i;
    }
    REQUIRE(column_set_null(memory, &columns[0], 3));
    REQUIRE(column_new_null(memory, TYPE_OF(INTEGER), ROWS, &columns[1], &err) == FIRN_OK);
}

TEST(arrow_export_cuts_rows_and_stays_a_record_batch) {
    const field fields[] = {{.name = TEXT("a"), .type = TYPE_OF(BIGINT), .is_nullable = true},
                            {.name = TEXT("b"), .type = TYPE_OF(INTEGER), .is_nullable = true}};
    const schema both = {.count = 2, .fields = fields};
    const arrow_options options = {.batch_rows = ARROW_BATCH_ROWS_DEFAULT};
    arena memory = arena_open(1 << 20);
    column columns[2];
    arrow_builder *builder;
    struct ArrowArray rows;
    firn_error err = ERR_INIT;
    make(&memory, columns);
    const batch all = batch_of(columns, 2, ROWS);
    REQUIRE(arrow_builder_open(&both, &options, NULL, &builder, &err) == FIRN_OK);
    REQUIRE(arrow_builder_push(builder, &all, &err) == FIRN_OK);
    REQUIRE(arrow_builder_finish(builder, &rows, &err) == FIRN_OK);
    arrow_rows_cut(&rows, 1, 2);
    CHECK(rows.offset == 0 && rows.length == 2);
    for (int i = 0; i < 2; i++) {
        CHECK(rows.children[i]->offset == 1 && rows.children[i]->length == 2);
    }
    CHECK(((const int64_t *)rows.children[0]->buffers[1])[1] == 11);
    CHECK(rows.children[0]->null_count == -1 && rows.children[1]->null_count == 2);
    arrow_rows_cut(&rows, 1, 1); // Again: row 2.
    CHECK(rows.length == 1 && rows.children[0]->offset == 2 && rows.children[0]->length == 1);
    arrow_rows_cut(&rows, 0, 0);
    CHECK(rows.length == 0 && rows.children[1]->length == 0);
    rows.release(&rows);
    arrow_builder_close(builder);
    arena_close(&memory);
}
