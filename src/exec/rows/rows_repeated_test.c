#include "exec/rows/rows_repeated.h"

#include "base/test.h"

#define LISTS 4
#define ROWS 1000
#define ELEMENTS 20000
#define TEXT_BYTES 100000

static firn_error err = FIRN_ERROR_INIT;

// Rows of a list, a long text, a short one and a number; the last of them has none.
typedef struct fixture {
    arena memory;
    pool *engine;
    pool *keeper;
    spill_area *area;
    spill *file;
    row_layout layout;
    row_store store;
    row_writer writer;
    column columns[4];
    uint8_t *rows[LISTS];
} fixture;

static void make_columns(fixture *self) {
    arena *memory = &self->memory;
    column *elements = ARENA_NEW(memory, column, 1);
    CHECK(column_new(memory, TYPE_OF(BIGINT), LISTS * ELEMENTS, elements, &err) == FIRN_OK);
    CHECK(column_new(memory, type_list(memory, TYPE_OF(BIGINT)), LISTS, &self->columns[0], &err) ==
          FIRN_OK);
    CHECK(column_new(memory, TYPE_OF(VARCHAR), LISTS, &self->columns[1], &err) == FIRN_OK);
    CHECK(column_new(memory, TYPE_OF(VARCHAR), LISTS, &self->columns[2], &err) == FIRN_OK);
    CHECK(column_new(memory, TYPE_OF(INTEGER), LISTS, &self->columns[3], &err) == FIRN_OK);
    self->columns[0].children = elements;
    for (uint32_t i = 0; i < LISTS * ELEMENTS; i++) {
        COLUMN_OUT(elements, int64_t)[i] = i;
    }
    for (uint32_t i = 0; i < LISTS; i++) {
        char *text = ARENA_NEW(memory, char, TEXT_BYTES);
        memset(text, 'a' + (int)i, TEXT_BYTES);
        COLUMN_OUT(&self->columns[0], list_value)[i] = (list_value){i * ELEMENTS, ELEMENTS};
        COLUMN_OUT(&self->columns[1], string_value)[i] = string_of(text, TEXT_BYTES);
        COLUMN_OUT(&self->columns[2], string_value)[i] = string_of(text, i);
        COLUMN_OUT(&self->columns[3], int32_t)[i] = (int32_t)i;
    }
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(column_set_null(memory, &self->columns[i], LISTS - 1));
    }
}

static void fixture_open(fixture *self) {
    *self = (fixture){.memory = arena_open(SIZE_MAX)};
    const spill_options options = {.folder = "/tmp", .form = SPILL_RAW};
    const pool_options keeper = {.kind = POOL_STATE, .name = "rows"};
    make_columns(self);
    const type **types = ARENA_NEW(&self->memory, const type *, 4);
    for (uint32_t i = 0; i < 4; i++) {
        types[i] = self->columns[i].type;
    }
    CHECK(pool_open_engine((size_t)64 << 20, &self->engine, &err) == FIRN_OK);
    CHECK(pool_open(self->engine, &keeper, &self->keeper, &err) == FIRN_OK);
    CHECK(spill_area_open(self->engine, &options, &self->area, &err) == FIRN_OK);
    CHECK(spill_open(self->area, self->engine, &self->file, &err) == FIRN_OK);
    CHECK(row_layout_make(types, 4, false, 0, &self->memory, &self->layout, &err) == FIRN_OK);
    CHECK(row_store_open(&self->layout, self->keeper, self->file, &self->store, &err) == FIRN_OK);
    CHECK(row_writer_open(&self->store, 1, 0, &self->memory, &self->writer, &err) == FIRN_OK);
    row_input in = {.columns = self->columns, .count = LISTS};
    CHECK(row_writer_append(&self->writer, &in, self->rows, &self->memory, &err) == FIRN_OK);
    CHECK(in.next == LISTS);
}

static void fixture_close(fixture *self) {
    row_writer_close(&self->writer);
    row_store_close(&self->store);
    spill_close(self->file);
    spill_area_close(self->area);
    pool_close(self->keeper);
    pool_close(self->engine);
    arena_close(&self->memory);
}

static void check_rows(const fixture *self, uint32_t number, const column *out,
                       const uint32_t *lanes) {
    REQUIRE(out->length == ROWS);
    for (uint32_t k = 0; k < ROWS; k += 7) {
        CHECK(column_rows_equal(out, k, &self->columns[number], lanes[k]));
    }
}

TEST(rows_that_repeat_are_gathered_once) {
    fixture self;
    fixture_open(&self);
    const uint8_t *rows[ROWS];
    uint32_t lanes[ROWS];
    for (uint32_t k = 0; k < ROWS; k++) {
        lanes[k] = k * 3 % LISTS;
        rows[k] = self.rows[lanes[k]];
    }
    arena scratch = arena_open((size_t)2 << 20); // In each row they would take hundreds of MiB.
    repeated_rows repeated = {.store = &self.store, .rows = rows, .count = ROWS};
    for (uint32_t i = 0; i < 4; i++) {
        column out;
        REQUIRE(repeated_rows_gather(&repeated, i, &scratch, &out, &err) == FIRN_OK);
        CHECK((out.form == FORM_DICTIONARY) == (i < 2));
        CHECK(i >= 2 || out.dictionary->size == LISTS);
        check_rows(&self, i, &out, lanes);
    }
    arena_close(&scratch);
    fixture_close(&self);
}

TEST(rows_that_hardly_repeat_are_gathered_one_by_one) {
    fixture self;
    fixture_open(&self);
    const uint8_t *rows[LISTS] = {self.rows[2], self.rows[0], self.rows[1], self.rows[1]};
    arena scratch = arena_open(SIZE_MAX);
    repeated_rows repeated = {.store = &self.store, .rows = rows, .count = LISTS};
    column out;
    REQUIRE(repeated_rows_gather(&repeated, 0, &scratch, &out, &err) == FIRN_OK);
    CHECK(out.form == FORM_FLAT && column_rows_equal(&out, 0, &self.columns[0], 2));
    CHECK(column_rows_equal(&out, 3, &self.columns[0], 1));
    REQUIRE(repeated_rows_gather(&repeated, 1, &scratch, &out, &err) == FIRN_OK);
    CHECK(out.form == FORM_FLAT && column_rows_equal(&out, 1, &self.columns[1], 0));
    arena_close(&scratch);
    fixture_close(&self);
}

TEST(lanes_that_repeat_are_taken_once) {
    fixture self;
    fixture_open(&self);
    uint32_t lanes[ROWS];
    for (uint32_t k = 0; k < ROWS; k++) {
        lanes[k] = k * LISTS / ROWS;
    }
    arena scratch = arena_open(SIZE_MAX);
    repeated_lanes repeated = {.lanes = lanes, .count = ROWS, .text_bytes = REPEATED_TEXT_BYTES};
    for (uint32_t i = 0; i < 4; i++) {
        column out;
        REQUIRE(repeated_lanes_take(&repeated, &self.columns[i], &scratch, &out, &err) == FIRN_OK);
        CHECK((out.form == FORM_DICTIONARY) == (i < 2));
        check_rows(&self, i, &out, lanes);
    }
    const uint32_t few[] = {3, 3, 0, 1};
    repeated = (repeated_lanes){.lanes = few, .count = 4, .text_bytes = REPEATED_TEXT_BYTES};
    column out;
    REQUIRE(repeated_lanes_take(&repeated, &self.columns[0], &scratch, &out, &err) == FIRN_OK);
    CHECK(out.form == FORM_FLAT && out.length == 4 && !column_is_valid(&out, 1));
    arena_close(&scratch);
    fixture_close(&self);
}
