#include "exec/form_shuffle.h"

#include "base/test.h"

#define ROWS 50
#define TURNS 200

typedef struct shuffled {
    arena memory;
    batch in;
} shuffled;

// Text with repetitions and NULLs, doubles with both zeros, bits, and lists of one element.
static shuffled open_rows(void) {
    shuffled self = {.memory = arena_open((size_t)1 << 30)};
    firn_error err = ERR_INIT;
    column *columns = ARENA_NEW(&self.memory, column, 4);
    CHECK(column_new(&self.memory, TYPE_OF(VARCHAR), ROWS, &columns[0], &err) == FIRN_OK);
    CHECK(column_new(&self.memory, TYPE_OF(DOUBLE), ROWS, &columns[1], &err) == FIRN_OK);
    CHECK(column_new(&self.memory, TYPE_OF(BOOLEAN), ROWS, &columns[2], &err) == FIRN_OK);
    const type *list = type_list(&self.memory, TYPE_OF(DOUBLE));
    CHECK(column_new(&self.memory, list, ROWS, &columns[3], &err) == FIRN_OK);
    columns[3].children = &columns[1];
    for (uint32_t row = 0; row < ROWS; row++) {
        const char *word = row / 4 % 2 == 0 ? "a text of more than twelve bytes" : "firn";
        COLUMN_OUT(&columns[0], string_value)[row] = string_of(word, (uint32_t)strlen(word));
        COLUMN_OUT(&columns[1], double)[row] = row % 3 == 0 ? -0.0 : row % 3 == 1 ? 0.0 : 1.5;
        bitmap_put(COLUMN_OUT(&columns[2], uint64_t), row, row / 7 % 2 == 0);
        COLUMN_OUT(&columns[3], list_value)[row] = (list_value){row, 1};
        if (row % 5 == 2) {
            CHECK(column_set_null(&self.memory, &columns[row % 3], row));
        }
    }
    self.in = batch_of(columns, 4, ROWS);
    return self;
}

static text printed(shuffled *self, const column *of, uint32_t row) {
    text out = {0};
    firn_error err = ERR_INIT;
    text_builder builder = text_builder_open(&self->memory);
    column_print_row(of, row, &builder);
    CHECK(text_builder_finish(&builder, &out, &err) == FIRN_OK);
    return out;
}

TEST(shuffled_forms_hold_the_same_rows) {
    shuffled table = open_rows();
    firn_error err = ERR_INIT;
    uint64_t random = 42;
    uint32_t seen[FORM_RUNS + 1] = {0};
    uint32_t selections = 0;
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        const arena_mark mark = arena_mark_take(&table.memory);
        batch out;
        batch again; // Any form may come in.
        REQUIRE(form_shuffle(&table.memory, &random, &table.in, &again, &err) == FIRN_OK);
        REQUIRE(form_shuffle(&table.memory, &random, &again, &out, &err) == FIRN_OK);
        REQUIRE(out.selected_count == ROWS);
        selections += out.selection != NULL;
        for (uint32_t i = 0; i < out.column_count; i++) {
            seen[out.columns[i].form]++;
            for (uint32_t row = 0; row < ROWS; row++) {
                REQUIRE(text_equal(printed(&table, &out.columns[i], batch_row(&out, row)),
                                   printed(&table, &table.in.columns[i], row)));
            }
        }
        arena_rewind(&table.memory, mark);
    }
    CHECK(seen[FORM_FLAT] > 0 && seen[FORM_DICTIONARY] > 0 && seen[FORM_RUNS] > 0);
    CHECK(selections > 0 && selections < TURNS);
    arena_close(&table.memory);
}

TEST(shuffled_forms_of_one_value_may_be_constant) {
    shuffled table = open_rows();
    firn_error err = ERR_INIT;
    uint64_t random = 7;
    uint32_t constants = 0;
    table.in.row_count = table.in.selected_count = 1;
    for (uint32_t i = 0; i < table.in.column_count; i++) {
        ((column *)(uintptr_t)table.in.columns)[i].length = 1;
    }
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        batch out;
        REQUIRE(form_shuffle(&table.memory, &random, &table.in, &out, &err) == FIRN_OK);
        for (uint32_t i = 0; i < out.column_count; i++) {
            constants += out.columns[i].form == FORM_CONSTANT;
            REQUIRE(text_equal(printed(&table, &out.columns[i], 0),
                               printed(&table, &table.in.columns[i], 0)));
        }
    }
    CHECK(constants > 0);
    arena_close(&table.memory);
}
