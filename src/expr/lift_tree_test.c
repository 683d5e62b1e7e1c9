// Trees over one dictionary column, against the same trees over the same values made flat.
#include "expr/expr_testing.h"
#include "expr/program_state.h"
#include "kernels/compare.h"

// ---- Functions -------------------------------------------------------------------------------

static uint32_t computed_rows; // Rows that kernels were called for since the last reset.

static uint32_t above(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        const int32_t left = COLUMN_VALUES(args[0], int32_t)[row & column_mask(args[0])];
        const int32_t right = COLUMN_VALUES(args[1], int32_t)[row & column_mask(args[1])];
        bitmap_put(COLUMN_OUT(out, uint64_t), row, left > right);
    }
    computed_rows += call->count;
    return call->count;
}

static const scalar_function function_above = {
    .name = "above",
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "BOOLEAN <- INTEGER, INTEGER", .kernel = above}, {0}},
};

static expr *is_above(testing *self, expr *left, const char *right) {
    expr *args[] = {left, testing_literal(self, TYPE_OF(INTEGER), right)};
    return expr_call(&self->memory, &function_above, 0, TYPE_OF(BOOLEAN), args, 2);
}

static expr *case_of(testing *self, expr *condition, expr *value, expr *otherwise) {
    expr *out = expr_new(&self->memory, EXPR_CASE, value->type);
    expr **conditions = ARENA_NEW(&self->memory, expr *, 1);
    expr **values = ARENA_NEW(&self->memory, expr *, 1);
    conditions[0] = condition;
    values[0] = value;
    out->case_.conditions = (expr_list){.count = 1, .items = conditions};
    out->case_.values = (expr_list){.count = 1, .items = values};
    out->case_.otherwise = otherwise;
    return out;
}

// A dictionary column whose rows 2, 7, 12 … are NULL, and the same values flat.
static void add_columns(testing *self, const char *entries, uint32_t entry_count, expr **coded,
                        expr **flat) {
    *coded = testing_dictionary(self, "coded", TYPE_OF(INTEGER), entries, entry_count);
    column *values = &self->columns[self->column_count - 1];
    for (uint32_t row = 2; row < self->row_count; row += 5) {
        CHECK(column_set_null(&self->memory, values, row));
    }
    column made;
    firn_error err = ERR_INIT;
    CHECK(column_flatten(&self->memory, values, &made, &err) == FIRN_OK);
    *flat = testing_add(self, "flat", made);
}

// The trees that the tests are about, over one of the two columns.
static expr *tree_of(testing *self, uint32_t number, expr *from) {
    expr *low = is_above(self, from, "3");
    expr *high = is_above(self, from, "9");
    switch (number) {
    case 0:
        return expr_and(&self->memory, low, high);
    case 1:
        return expr_or(&self->memory, high, low);
    case 2: // NULL where no condition holds.
        return case_of(self, high, testing_literal(self, TYPE_OF(BIGINT), "70"), NULL);
    case 3: // A value for NULL rows too.
        return case_of(self, high, testing_literal(self, TYPE_OF(BIGINT), "70"),
                       testing_literal(self, TYPE_OF(BIGINT), "-1"));
    default:
        return case_of(self, high, testing_literal(self, TYPE_OF(BOOLEAN), "false"),
                       testing_literal(self, TYPE_OF(BOOLEAN), "true"));
    }
}

#define TREE_COUNT 5

// ---- Tests -------------------------------------------------------------------------------------

TEST(trees_over_a_dictionary_give_what_they_give_over_its_rows) {
    testing table = testing_open(40);
    expr *coded;
    expr *flat;
    add_columns(&table, "1 5 9 13", 4, &coded, &flat);
    for (uint32_t i = 0; i < TREE_COUNT; i++) {
        const text expected = testing_run(&table, tree_of(&table, i, flat));
        expr_state *state = testing_state(&table, tree_of(&table, i, coded));
        for (uint32_t turn = 0; turn < 3; turn++) {
            const text got = testing_run_state(&table, state);
            CHECK(text_equal(got, expected));
        }
        expr_close(state);
    }
    testing_close(&table);
}

TEST(trees_over_a_dictionary_are_evaluated_once_an_entry) {
    testing table = testing_open(60);
    expr *coded;
    expr *flat;
    add_columns(&table, "1 5 9 13", 4, &coded, &flat);
    expr_state *state = testing_state(&table, tree_of(&table, 1, coded));
    (void)testing_run_state(&table, state);
    computed_rows = 0;
    (void)testing_run_state(&table, state);
    CHECK(computed_rows == 0);
    // Another dictionary: its entries are other ones.
    column *entries = ARENA_NEW(&table.memory, column, 1);
    dictionary *words = ARENA_NEW(&table.memory, dictionary, 1);
    *entries = testing_values(&table, TYPE_OF(INTEGER), "20 1 20 1", 4);
    *words = (dictionary){.identity = dictionary_identity_new(), .size = 4, .values = entries};
    table.columns[0].dictionary = words;
    table.row_count = 6;
    table.columns[0].length = 6;
    CHECK(testing_is(testing_run_state(&table, state), "true false NULL false true false"));
    expr_close(state);
    testing_close(&table);
}

// Only slices would be kept of them, and not what they point to.
TEST(trees_that_give_lists_are_evaluated_over_rows) {
    testing table = testing_open(10);
    expr *coded;
    expr *flat;
    add_columns(&table, "1 5 9 13", 4, &coded, &flat);
    expr *lists = testing_literal(&table, type_list(&table.memory, TYPE_OF(INTEGER)), "NULL");
    uint32_t column;
    uint32_t operation_count;
    expr *tree = case_of(&table, is_above(&table, coded, "9"), lists, lists);
    CHECK(!lift_tree_column(tree, &column, &operation_count));
    CHECK(lift_tree_column(tree_of(&table, 3, coded), &column, &operation_count));
    testing_close(&table);
}

TEST(large_dictionaries_wait_until_enough_rows_have_asked) {
    testing table = testing_open(3);
    char entries[400];
    size_t size = 0;
    for (int i = 0; i < 100; i++) {
        size += (size_t)snprintf(entries + size, sizeof entries - size, "%d ", i % 20);
    }
    expr *coded = testing_dictionary(&table, "coded", TYPE_OF(INTEGER), entries, 100);
    expr_state *state = testing_state(&table, tree_of(&table, 1, coded));
    computed_rows = 0;
    for (uint32_t turn = 0; turn < 8; turn++) {
        CHECK(testing_is(testing_run_state(&table, state), "false false false"));
        CHECK(computed_rows < 50); // Entries that rows asked for only.
    }
    CHECK(testing_is(testing_run_state(&table, state), "false false false"));
    CHECK(computed_rows >= 100);
    expr_close(state);
    testing_close(&table);
}

TEST(conjuncts_over_one_column_are_looked_up_together) {
    testing table = testing_open(40);
    expr *coded;
    expr *flat;
    add_columns(&table, "1 5 9 13", 4, &coded, &flat);
    expr *other =
        testing_column(&table, "other", TYPE_OF(INTEGER),
                       "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 "
                       "26 27 28 29 30 31 32 33 34 35 36 37 38 39 40");
    expr *filter = expr_and(
        &table.memory, is_above(&table, coded, "3"),
        expr_and(&table.memory, is_above(&table, other, "30"), is_above(&table, coded, "5")));
    expr_state *state = testing_state(&table, filter);
    const batch in = testing_batch(&table);
    const uint16_t *rows;
    uint32_t count;
    firn_error err = ERR_INIT;
    CHECK(expr_filter(state, &in, &table.memory, &rows, &count, &err) == FIRN_OK);
    CHECK(count == 6 && rows[0] == 30 && rows[1] == 31 && rows[2] == 34 && rows[5] == 39);
    expr_close(state);
    testing_close(&table);
}
