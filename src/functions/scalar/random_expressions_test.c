// Random expressions over random columns, evaluated in two ways that must agree:
//   - a batch, in any form of its columns and with a selection, against each row by itself
//   - the verdict of facts against the rows that they describe
#include "base/test.h"
#include "expr/expr_testing.h"
#include "expr/facts.h"
#include "functions/overload.h"

#define ROWS 60

static expr *call(testing *table, const char *name, expr *left, expr *right) {
    firn_error err = ERR_INIT;
    expr *const args[] = {left, right};
    expr *out = NULL;
    CHECK(function_call_named(text_of(name), args, right == NULL ? 1 : 2, &table->memory, &out,
                              &err) == FIRN_OK);
    return out;
}

static uint32_t below(uint64_t *seed, uint32_t bound) {
    return (uint32_t)(test_random(seed) % bound);
}

// ---- Columns ---------------------------------------------------------------------------------

// Few different small numbers, so that zeros, equality and overflow of TINYINT happen.
static column random_numbers(testing *table, const type *of, uint64_t *seed) {
    firn_error err = ERR_INIT;
    column out = {.type = of};
    CHECK(column_new(&table->memory, of, ROWS, &out, &err) == FIRN_OK);
    const uint32_t null_one_in = 1 + below(seed, 10);
    for (uint32_t row = 0; row < ROWS; row++) {
        const int32_t value = (int32_t)below(seed, 9) - 3;
        if (of->id == TYPE_DOUBLE) {
            COLUMN_OUT(&out, double)[row] = value == 5 ? (double)__builtin_nan("") : value * 0.5;
        } else if (of->id == TYPE_TINYINT) {
            COLUMN_OUT(&out, int8_t)[row] = (int8_t)(value * 20);
        } else {
            COLUMN_OUT(&out, int64_t)[row] = value;
        }
        if (null_one_in < 8 && below(seed, null_one_in + 1) == 0) {
            CHECK(column_set_null(&table->memory, &out, row));
        }
    }
    return out;
}

// The same values in another form, if one fits.
static column reformed(testing *table, const column *flat, uint64_t *seed) {
    column out = *flat;
    arena *memory = &table->memory;
    uint32_t *numbers = ARENA_NEW(memory, uint32_t, ROWS);
    switch (below(seed, 3)) {
    case 0: { // Each row an entry of its own, in reverse.
        firn_error err = ERR_INIT;
        column *entries = ARENA_NEW(memory, column, 1);
        dictionary *words = ARENA_NEW(memory, dictionary, 1);
        for (uint32_t row = 0; row < ROWS; row++) {
            numbers[row] = ROWS - 1 - row;
        }
        CHECK(column_take(memory, flat, numbers, ROWS, entries, &err) == FIRN_OK);
        entries->validity = NULL;
        *words =
            (dictionary){.identity = dictionary_identity_new(), .size = ROWS, .values = entries};
        out.form = FORM_DICTIONARY;
        out.values = numbers;
        out.dictionary = words;
        break;
    }
    case 1: // Each row a run of its own.
        for (uint32_t row = 0; row < ROWS; row++) {
            numbers[row] = row + 1;
        }
        out.form = FORM_RUNS;
        out.run_ends = numbers;
        out.run_count = ROWS;
        break;
    default:
        break;
    }
    return out;
}

// ---- Expressions -----------------------------------------------------------------------------

typedef struct maker {
    testing *table;
    uint64_t seed;
    expr *columns[4]; ///< BIGINT, BIGINT, TINYINT, DOUBLE
} maker;

static expr *make_truth(maker *self, uint32_t depth);

static expr *make_number(maker *self, uint32_t depth) {
    testing *t = self->table;
    if (depth == 0 || below(&self->seed, 4) == 0) {
        return below(&self->seed, 3) > 0
                   ? self->columns[below(&self->seed, 3)]
                   : expr_i64(&t->memory, TYPE_OF(BIGINT), (int64_t)below(&self->seed, 5) - 2);
    }
    static const char *const names[] = {"+", "-", "*", "/", "%"};
    switch (below(&self->seed, 9)) {
    case 0: {
        expr *out = expr_new(&t->memory, EXPR_CASE, TYPE_OF(BIGINT));
        expr **items = ARENA_NEW(&t->memory, expr *, 2);
        items[0] = make_truth(self, depth - 1);
        items[1] =
            expr_cast(&t->memory, make_number(self, depth - 1), TYPE_OF(BIGINT), false, true);
        out->case_.conditions = (expr_list){.count = 1, .items = &items[0]};
        out->case_.values = (expr_list){.count = 1, .items = &items[1]};
        out->case_.otherwise =
            below(&self->seed, 2) == 0
                ? NULL
                : expr_cast(&t->memory, make_number(self, depth - 1), TYPE_OF(BIGINT), false, true);
        return out;
    }
    case 1: {
        expr *out = expr_new(&t->memory, EXPR_COALESCE, TYPE_OF(BIGINT));
        expr **items = ARENA_NEW(&t->memory, expr *, 2);
        for (int i = 0; i < 2; i++) {
            items[i] =
                expr_cast(&t->memory, make_number(self, depth - 1), TYPE_OF(BIGINT), false, true);
        }
        out->coalesce_.args = (expr_list){.count = 2, .items = items};
        return out;
    }
    case 2: {
        expr *arg = make_number(self, depth - 1);
        expr *out = expr_new(&t->memory, EXPR_TRY, arg->type);
        out->try_.arg = arg;
        return out;
    }
    case 3:
        return expr_cast(&t->memory, make_number(self, depth - 1), TYPE_OF(TINYINT), true, false);
    default:
        return call(t, names[below(&self->seed, 5)], make_number(self, depth - 1),
                    make_number(self, depth - 1));
    }
}

static expr *make_in(maker *self, uint32_t depth) {
    testing *t = self->table;
    expr *out = expr_new(&t->memory, EXPR_IN, TYPE_OF(BOOLEAN));
    column *values = ARENA_NEW(&t->memory, column, 1);
    firn_error err = ERR_INIT;
    const uint32_t count = below(&self->seed, 8);
    CHECK(column_new(&t->memory, TYPE_OF(BIGINT), count, values, &err) == FIRN_OK);
    for (uint32_t i = 0; i < count; i++) {
        COLUMN_OUT(values, int64_t)[i] = (int64_t)below(&self->seed, 9) - 3;
    }
    out->in_.arg = expr_cast(&t->memory, make_number(self, depth), TYPE_OF(BIGINT), false, true);
    out->in_.values = values;
    out->in_.has_null = below(&self->seed, 4) == 0;
    out->in_.is_negated = below(&self->seed, 2) == 0;
    return out;
}

static expr *make_truth(maker *self, uint32_t depth) {
    testing *t = self->table;
    static const char *const comparisons[] = {
        "=", "<>", "<", "<=", ">", ">=", "is_distinct_from", "is_not_distinct_from"};
    const uint32_t choice = depth == 0 ? 5 : below(&self->seed, 9);
    switch (choice) {
    case 0:
        return expr_and(&t->memory, make_truth(self, depth - 1), make_truth(self, depth - 1));
    case 1:
        return expr_or(&t->memory, make_truth(self, depth - 1), make_truth(self, depth - 1));
    case 2:
        return call(t, "not", make_truth(self, depth - 1), NULL);
    case 3:
        return call(t, below(&self->seed, 2) == 0 ? "is_null" : "is_not_null",
                    make_number(self, depth - 1), NULL);
    case 4:
        return make_in(self, depth - 1);
    case 5: {
        const uint32_t limit = below(&self->seed, 7);
        expr *constant = limit == 6 ? testing_literal(t, TYPE_OF(DOUBLE), "NaN")
                                    : expr_i64(&t->memory, TYPE_OF(BIGINT), (int64_t)limit - 3);
        return call(t, comparisons[below(&self->seed, 8)], self->columns[below(&self->seed, 4)],
                    constant);
    }
    case 6:
        return call(t, below(&self->seed, 2) == 0 ? "is_true" : "is_false",
                    make_truth(self, depth - 1), NULL);
    default:
        return call(t, comparisons[below(&self->seed, 8)], make_number(self, depth - 1),
                    make_number(self, depth - 1));
    }
}

static maker open_maker(testing *table, uint64_t seed) {
    maker out = {.table = table, .seed = seed};
    const type *const types[] = {TYPE_OF(BIGINT), TYPE_OF(BIGINT), TYPE_OF(TINYINT),
                                 TYPE_OF(DOUBLE)};
    for (int i = 0; i < 4; i++) {
        out.columns[i] = testing_add(table, "c", random_numbers(table, types[i], &out.seed));
    }
    return out;
}

// ---- Batches and rows --------------------------------------------------------------------------

// One row by itself: "NULL", its text, or "error".
static text run_row(testing *table, expr_state *state, uint32_t row) {
    firn_error err = ERR_INIT;
    column singles[4];
    for (int i = 0; i < 4; i++) {
        CHECK(column_take(&table->memory, &table->columns[i], &row, 1, &singles[i], &err) ==
              FIRN_OK);
    }
    const batch in = batch_of(singles, 4, 1);
    column out;
    if (expr_run(state, &in, &table->memory, &out, &err) != FIRN_OK) {
        return TEXT("error");
    }
    text_builder builder = text_builder_open(&table->memory);
    column_print_row(&out, 0, &builder);
    text printed;
    CHECK(text_builder_finish(&builder, &printed, &err) == FIRN_OK);
    return printed;
}

// Do the rows of a batch have the values (or one of them the error) that they have alone?
static bool batch_agrees(testing *table, expr_state *state, const batch *in, const text *expected) {
    firn_error err = ERR_INIT;
    column out;
    bool any_fails = false;
    for (uint32_t k = 0; k < in->selected_count; k++) {
        any_fails |= text_equal(expected[batch_row(in, k)], TEXT("error"));
    }
    const firn_status status = expr_run(state, in, &table->memory, &out, &err);
    if (status != FIRN_OK || any_fails) {
        return (status != FIRN_OK) == any_fails;
    }
    for (uint32_t k = 0; k < in->selected_count; k++) {
        const uint32_t row = batch_row(in, k);
        text_builder builder = text_builder_open(&table->memory);
        column_print_row(&out, row, &builder);
        text printed;
        if (text_builder_finish(&builder, &printed, &err) != FIRN_OK ||
            !text_equal(printed, expected[row])) {
            fprintf(stderr, "row %u: %.*s, alone %.*s\n", row, TEXT_ARGS(printed),
                    TEXT_ARGS(expected[row]));
            return false;
        }
    }
    return true;
}

TEST(random_expressions_give_a_batch_what_they_give_each_row) {
    for (uint64_t round = 0; round < 400; round++) {
        testing table = testing_open(ROWS);
        maker make = open_maker(&table, round * 7919 + 1);
        const expr *root = round % 2 == 0 ? make_number(&make, 4) : make_truth(&make, 4);
        expr_state *state = testing_state(&table, root);
        text expected[ROWS];
        for (uint32_t row = 0; row < ROWS; row++) {
            expected[row] = run_row(&table, state, row);
        }
        for (int variant = 0; variant < 4; variant++) {
            column columns[4];
            uint16_t rows[ROWS];
            uint32_t count = 0;
            for (int i = 0; i < 4; i++) {
                columns[i] = reformed(&table, &table.columns[i], &make.seed);
            }
            for (uint32_t row = 0; row < ROWS; row++) {
                rows[count] = (uint16_t)row;
                count += below(&make.seed, 1 + 4 * (uint32_t)variant) == 0 ? 1 : 0;
            }
            batch in = batch_of(columns, 4, ROWS);
            in.selection = rows;
            in.selected_count = count;
            const bool agrees = batch_agrees(&table, state, &in, expected);
            if (!agrees) {
                fprintf(stderr, "round %u: %.*s\n", (uint32_t)round,
                        TEXT_ARGS(expr_text(root, &table.memory)));
            }
            REQUIRE(agrees);
        }
        expr_close(state);
        testing_close(&table);
    }
}

// ---- Facts -----------------------------------------------------------------------------------

typedef struct row_facts {
    unit_facts face;
    column_facts facts[4];
    column bounds[4][2];
} row_facts;

static const column_facts *find_facts(const unit_facts *self, uint32_t column_id) {
    return &((const row_facts *)self)->facts[column_id - 1];
}

static bool is_nan(const column *values, uint32_t row) {
    return values->type->id == TYPE_DOUBLE &&
           COLUMN_VALUES(values, double)[row] != COLUMN_VALUES(values, double)[row];
}

// What is true of the rows, some of it left out.
static void learn(row_facts *self, testing *table, uint64_t *seed) {
    firn_error err = ERR_INIT;
    *self = (row_facts){.face = {.row_count = {true, ROWS}, .find = find_facts}};
    for (int i = 0; i < 4; i++) {
        const column *values = &table->columns[i];
        column_facts *facts = &self->facts[i];
        uint64_t nulls = 0;
        uint64_t nans = 0;
        uint32_t low = UINT32_MAX;
        uint32_t high = UINT32_MAX;
        for (uint32_t row = 0; row < ROWS; row++) {
            if (!column_is_valid(values, row)) {
                nulls++;
            } else if (is_nan(values, row)) {
                nans++;
            } else {
                low = low == UINT32_MAX || column_compare_rows(values, row, values, low) < 0 ? row
                                                                                             : low;
                high = high == UINT32_MAX || column_compare_rows(values, row, values, high) > 0
                           ? row
                           : high;
            }
        }
        facts->may_have_null = nulls > 0 || below(seed, 2) == 0;
        facts->null_count = (exact_u64){below(seed, 2) == 0, nulls};
        facts->nan_count = (exact_u64){below(seed, 2) == 0, nans};
        if (low != UINT32_MAX && below(seed, 4) > 0) {
            CHECK(column_take(&table->memory, values, &low, 1, &self->bounds[i][0], &err) ==
                  FIRN_OK);
            facts->minimum = &self->bounds[i][0];
        }
        if (high != UINT32_MAX && below(seed, 4) > 0) {
            CHECK(column_take(&table->memory, values, &high, 1, &self->bounds[i][1], &err) ==
                  FIRN_OK);
            facts->maximum = &self->bounds[i][1];
        }
    }
}

TEST(random_facts_never_lose_a_row_nor_promise_one) {
    uint32_t decided = 0;
    for (uint64_t round = 0; round < 3000; round++) {
        testing table = testing_open(ROWS);
        maker make = open_maker(&table, round * 104729 + 5);
        const expr *root = make_truth(&make, 2);
        row_facts facts;
        learn(&facts, &table, &make.seed);
        const verdict judged = facts_evaluate(root, &facts.face, &table.memory);
        decided += judged == VERDICT_MAYBE ? 0 : 1;
        expr_state *state = testing_state(&table, root);
        for (uint32_t row = 0; judged != VERDICT_MAYBE && row < ROWS; row++) {
            const text value = run_row(&table, state, row);
            const bool is_true = text_equal(value, TEXT("true"));
            const bool is_right =
                judged == VERDICT_ALWAYS ? is_true || text_equal(value, TEXT("error")) : !is_true;
            if (!is_right) {
                fprintf(stderr, "round %u, row %u is %.*s: %.*s\n", (uint32_t)round, row,
                        TEXT_ARGS(value), TEXT_ARGS(expr_text(root, &table.memory)));
            }
            REQUIRE(is_right);
        }
        expr_close(state);
        testing_close(&table);
    }
    CHECK(decided > 300); // The test is about something.
}
