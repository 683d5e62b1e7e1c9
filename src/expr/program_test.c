// How programs run: laziness, forms, TRY, selections, filters; with functions made for the purpose
// that count how many rows they were asked for.
#include "expr/expr_testing.h"

// ---- Functions -------------------------------------------------------------------------------

// Rows that kernels were called for since the last reset.
static uint32_t computed_rows;

static uint32_t inverse(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        const int64_t value = COLUMN_VALUES(args[0], int64_t)[row & column_mask(args[0])];
        if (value == 0) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, int64_t)[row] = 100 / value;
    }
    computed_rows += call->count;
    return call->count;
}

static void explain_inverse(const function_call *call, const column *const *args, uint32_t row,
                            firn_error *err) {
    (void)call;
    (void)args;
    (void)row;
    err_set_sql(err, FIRN_INVALID, "22012", NO_POSITION, "division by zero");
}

static const scalar_function function_inverse = {
    .name = "inverse",
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .explain_failure = explain_inverse,
    .overloads = (const overload[]){{.signature = "BIGINT <- BIGINT", .kernel = inverse}, {0}},
};

static uint32_t positive(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        bitmap_put(COLUMN_OUT(out, uint64_t), row,
                   COLUMN_VALUES(args[0], int64_t)[row & column_mask(args[0])] > 0);
    }
    computed_rows += call->count;
    return call->count;
}

static const scalar_function function_positive = {
    .name = "positive",
    .flags = FUNCTION_NULL_STRICT,
    .overloads = (const overload[]){{.signature = "BOOLEAN <- BIGINT", .kernel = positive}, {0}},
};

static uint32_t shout(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        const string_value *value =
            &COLUMN_VALUES(args[0], string_value)[row & column_mask(args[0])];
        char bytes[64];
        const uint32_t size = value->size < 60 ? value->size : 60;
        memcpy(bytes, string_data(value), size);
        bytes[size] = '!';
        if (size > 0 && bytes[0] == 'x') {
            return ROW_VISIT(row); // Words with an x are forbidden.
        }
        if (!string_new(call->scratch, bytes, size + 1, &COLUMN_OUT(out, string_value)[row])) {
            return KERNEL_NO_MEMORY;
        }
    }
    computed_rows += call->count;
    return call->count;
}

static const scalar_function function_shout = {
    .name = "shout",
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads = (const overload[]){{.signature = "VARCHAR <- VARCHAR", .kernel = shout}, {0}},
};

static uint32_t shorten(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        const string_value *value =
            &COLUMN_VALUES(args[0], string_value)[row & column_mask(args[0])];
        if (value->size == 0) {
            if (!column_set_null(call->scratch, out, row)) {
                return KERNEL_NO_MEMORY;
            }
            continue;
        }
        COLUMN_OUT(out, string_value)[row] = string_of(string_data(value), 1);
    }
    computed_rows += call->count;
    return call->count;
}

static const scalar_function function_shorten = {
    .name = "shorten",
    .flags = FUNCTION_NULL_STRICT,
    .overloads = (const overload[]){{.signature = "VARCHAR <- VARCHAR", .kernel = shorten}, {0}},
};

static uint32_t plus(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int64_t)
        [row] = COLUMN_VALUES(args[0], int64_t)[row & column_mask(args[0])] +
                COLUMN_VALUES(args[1], int64_t)[row & column_mask(args[1])];
    }
    computed_rows += call->count;
    return call->count;
}

static const scalar_function function_plus = {
    .name = "+",
    .flags = FUNCTION_NULL_STRICT,
    .overloads = (const overload[]){{.signature = "BIGINT <- BIGINT, BIGINT", .kernel = plus}, {0}},
};

static uint32_t count_up(function_call *call, const column *const *args, column *out) {
    (void)args;
    int64_t *next = call->local;
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int64_t)[row] = (*next)++;
    }
    return call->count;
}

static firn_status open_count(const function_bind_call *bound, arena *memory, void **local,
                              firn_error *err) {
    (void)bound;
    int64_t *next = ARENA_NEW(memory, int64_t, 1);
    if (next == NULL) {
        return ARENA_FULL(memory, err);
    }
    *next = 1;
    *local = next;
    return FIRN_OK;
}

static const scalar_function function_count_up = {
    .name = "count_up",
    .flags = FUNCTION_VOLATILE,
    .open = open_count,
    .overloads = (const overload[]){{.signature = "BIGINT <-", .kernel = count_up}, {0}},
};

// Only elements of the rows of the call go through the lambda.
static uint32_t transform(function_call *call, const column *const *args, column *out) {
    const list_value *lists = args[0]->values;
    const uint32_t mask = column_mask(args[0]);
    const column *elements = &args[0]->children[0];
    uint32_t *owners = ARENA_NEW(call->scratch, uint32_t, elements->length + 1);
    uint32_t *taken = ARENA_NEW(call->scratch, uint32_t, elements->length + 1);
    column *results = ARENA_NEW(call->scratch, column, 1);
    if (owners == NULL || taken == NULL || results == NULL) {
        return KERNEL_NO_MEMORY;
    }
    uint32_t count = 0;
    FOR_ROWS(call, row) {
        const list_value slice = lists[row & mask];
        COLUMN_OUT(out, list_value)[row] = (list_value){count, slice.size};
        for (uint32_t i = 0; i < slice.size; i++) {
            owners[count] = ROW_VISIT(row);
            taken[count++] = slice.offset + i;
        }
    }
    column dense;
    firn_error err = ERR_INIT;
    if (column_take(call->scratch, elements, taken, count, &dense, &err) != FIRN_OK) {
        return KERNEL_NO_MEMORY;
    }
    function_lambda *lambda = call->lambdas[1];
    const uint32_t done = lambda->run(lambda, call, &dense, owners, count, results);
    if (done != count) {
        return done == KERNEL_NO_MEMORY ? done : owners[done];
    }
    out->children = results;
    return call->count;
}

static const scalar_function function_transform = {
    .name = "transform",
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "LIST<U> <- LIST<T>, LAMBDA(T)->U", .kernel = transform},
                           {0}},
};

static expr *call1(testing *table, const scalar_function *function, const type *result, expr *arg) {
    return expr_call(&table->memory, function, 0, result, &arg, 1);
}

static expr *inverse_of(testing *table, expr *arg) {
    return call1(table, &function_inverse, TYPE_OF(BIGINT), arg);
}

static expr *is_positive(testing *table, expr *arg) {
    return call1(table, &function_positive, TYPE_OF(BOOLEAN), arg);
}

static expr *shouted(testing *table, expr *arg) {
    return call1(table, &function_shout, TYPE_OF(VARCHAR), arg);
}

static expr *plus_of(testing *table, expr *left, expr *right) {
    expr *const args[] = {left, right};
    return expr_call(&table->memory, &function_plus, 0, TYPE_OF(BIGINT), args, 2);
}

static expr *new_list(testing *table, expr_kind kind, const type *of, expr **items,
                      uint32_t count) {
    expr *out = expr_new(&table->memory, kind, of);
    expr **copy = ARENA_NEW(&table->memory, expr *, count);
    memcpy(copy, items, count * sizeof *copy);
    out->coalesce_.args = (expr_list){.count = count, .items = copy};
    return out;
}

static expr *case_of(testing *table, expr *condition, expr *value, expr *otherwise) {
    expr *out = expr_new(&table->memory, EXPR_CASE, value->type);
    expr **items = ARENA_NEW(&table->memory, expr *, 2);
    items[0] = condition;
    items[1] = value;
    out->case_.conditions = (expr_list){.count = 1, .items = &items[0]};
    out->case_.values = (expr_list){.count = 1, .items = &items[1]};
    out->case_.otherwise = otherwise;
    return out;
}

static expr *try_of(testing *table, expr *arg) {
    expr *out = expr_new(&table->memory, EXPR_TRY, arg->type);
    out->try_.arg = arg;
    return out;
}

#define BIGINT_COLUMN(table, name, values)                                                         \
    testing_column((table), (name), TYPE_OF(BIGINT), (values))
#define BIGINT_LITERAL(table, value) testing_literal((table), TYPE_OF(BIGINT), (value))

// ---- Laziness --------------------------------------------------------------------------------

TEST(program_evaluates_arms_only_for_the_rows_that_reach_them) {
    testing table = testing_open(5);
    expr *a = BIGINT_COLUMN(&table, "a", "5 0 -2 NULL 0");
    expr *zero = BIGINT_LITERAL(&table, "0");
    CHECK_RUN(&table, inverse_of(&table, a), "error: 22012 invalid: division by zero...");
    CHECK_RUN(&table, case_of(&table, is_positive(&table, a), inverse_of(&table, a), zero),
              "20 0 0 0 0");
    CHECK_RUN(&table, case_of(&table, is_positive(&table, a), inverse_of(&table, a), NULL),
              "20 NULL NULL NULL NULL");
    expr *guarded =
        expr_and(&table.memory, is_positive(&table, a), is_positive(&table, inverse_of(&table, a)));
    CHECK_RUN(&table, guarded, "true false false NULL false");
    expr *reversed =
        expr_and(&table.memory, is_positive(&table, inverse_of(&table, a)), is_positive(&table, a));
    CHECK_RUN(&table, reversed, "true false false NULL false");
    expr *either = expr_or(&table.memory, is_positive(&table, plus_of(&table, a, a)),
                           is_positive(&table, inverse_of(&table, a)));
    CHECK_RUN(&table, either, "error: 22012 ...");
    expr *items[] = {a, inverse_of(&table, zero)};
    CHECK_RUN(&table, new_list(&table, EXPR_COALESCE, TYPE_OF(BIGINT), items, 2),
              "error: 22012 ...");
    const uint16_t some[] = {0, 2};
    table.selection = some;
    table.selected_count = 2;
    CHECK_RUN(&table, new_list(&table, EXPR_COALESCE, TYPE_OF(BIGINT), items, 2), "5 -2");
    CHECK_RUN(&table, inverse_of(&table, a), "20 -50");
    testing_close(&table);
}

TEST(program_has_three_valued_logic) {
    testing table = testing_open(9);
    expr *a = testing_column(&table, "a", TYPE_OF(BOOLEAN),
                             "true true true false false false NULL NULL NULL");
    expr *b = testing_column(&table, "b", TYPE_OF(BOOLEAN),
                             "true false NULL true false NULL true false NULL");
    CHECK_RUN(&table, expr_and(&table.memory, a, b),
              "true false NULL false false false NULL false NULL");
    CHECK_RUN(&table, expr_or(&table.memory, a, b),
              "true true true true false NULL true NULL NULL");
    expr *always = expr_bool(&table.memory, true);
    expr *null = expr_null(&table.memory, TYPE_OF(BOOLEAN));
    CHECK_RUN(&table, expr_and(&table.memory, a, always),
              "true true true false false false NULL NULL NULL");
    CHECK_RUN(&table, expr_or(&table.memory, a, null),
              "true true true NULL NULL NULL NULL NULL NULL");
    testing_close(&table);
}

TEST(program_computes_equal_parts_once_but_volatile_ones_each_time) {
    testing table = testing_open(3);
    expr *a = BIGINT_COLUMN(&table, "a", "1 2 5");
    computed_rows = 0;
    CHECK_RUN(&table, plus_of(&table, plus_of(&table, a, a), plus_of(&table, a, a)), "4 8 20");
    CHECK(computed_rows == 6); // Two sums of three rows.
    expr *first = expr_call(&table.memory, &function_count_up, 0, TYPE_OF(BIGINT), NULL, 0);
    CHECK(expr_is_volatile(first));
    CHECK(!expr_equal(first, first));
    CHECK_RUN(&table, plus_of(&table, first, expr_copy(&table.memory, first)), "2 4 6");
    testing_close(&table);
}

// ---- TRY -------------------------------------------------------------------------------------

TEST(program_makes_rows_null_that_fail_under_try) {
    testing table = testing_open(5);
    expr *a = BIGINT_COLUMN(&table, "a", "5 0 -2 NULL 0");
    expr *zero = BIGINT_LITERAL(&table, "0");
    CHECK(!expr_can_fail(try_of(&table, inverse_of(&table, a))));
    CHECK_RUN(&table, try_of(&table, inverse_of(&table, a)), "20 NULL -50 NULL NULL");
    // The failure is the whole TRY's: COALESCE inside does not catch it, outside it does.
    expr *inside[] = {inverse_of(&table, a), BIGINT_LITERAL(&table, "7")};
    CHECK_RUN(&table, try_of(&table, new_list(&table, EXPR_COALESCE, TYPE_OF(BIGINT), inside, 2)),
              "20 NULL -50 7 NULL");
    expr *outside[] = {try_of(&table, inverse_of(&table, a)), BIGINT_LITERAL(&table, "7")};
    CHECK_RUN(&table, new_list(&table, EXPR_COALESCE, TYPE_OF(BIGINT), outside, 2), "20 7 -50 7 7");
    CHECK_RUN(&table, try_of(&table, inverse_of(&table, zero)), "NULL NULL NULL NULL NULL");
    // The same call outside of TRY is an error all the same.
    CHECK_RUN(&table, plus_of(&table, try_of(&table, inverse_of(&table, a)), inverse_of(&table, a)),
              "error: 22012 ...");
    testing_close(&table);
}

TEST(program_try_cast_is_null_for_what_does_not_fit) {
    testing table = testing_open(4);
    expr *text = testing_column(&table, "t", TYPE_OF(VARCHAR), "1 x NULL 99999999999");
    expr *cast = expr_cast(&table.memory, text, TYPE_OF(INTEGER), true, false);
    CHECK(!expr_can_fail(cast));
    CHECK_RUN(&table, cast, "1 NULL NULL NULL");
    CHECK_RUN(&table, expr_cast(&table.memory, text, TYPE_OF(INTEGER), false, false),
              "error: 22P02 invalid: \"x\" is no INTEGER\n  while evaluating CAST(t AS INTEGER) "
              "with t = x");
    testing_close(&table);
}

// ---- Dictionaries and runs ---------------------------------------------------------------------

TEST(program_evaluates_a_dictionary_once_an_entry) {
    testing table = testing_open(7);
    expr *word = testing_dictionary(&table, "w", TYPE_OF(VARCHAR), "red green blue", 3);
    expr_state *state = testing_state(&table, shouted(&table, word));
    computed_rows = 0;
    CHECK(testing_is(testing_run_state(&table, state), "red! green! blue! red! green! blue! red!"));
    CHECK(testing_is(testing_run_state(&table, state), "red! green! blue! red! green! blue! red!"));
    CHECK(computed_rows == 3); // The second batch had them all.
    expr_close(state);
    testing_close(&table);
}

TEST(program_evaluates_only_the_entries_that_rows_ask_for) {
    testing table = testing_open(6);
    expr *word = testing_dictionary(&table, "w", TYPE_OF(VARCHAR), "red xxx blue", 3);
    const uint16_t some[] = {0, 2, 5};
    table.selection = some;
    table.selected_count = 3;
    CHECK_RUN(&table, shouted(&table, word), "red! blue! blue!"); // Not the bad one.
    table.selection = NULL;
    CHECK_RUN(&table, shouted(&table, word), "error: 22003 ...");
    CHECK_RUN(&table, try_of(&table, shouted(&table, word)), "red! NULL blue! red! NULL blue!");
    testing_close(&table);
}

// Sets the codes of column 0 and runs the state.
static text run_codes(testing *table, expr_state *state, uint32_t a, uint32_t b, uint32_t c) {
    uint32_t *codes = (uint32_t *)(uintptr_t)table->columns[0].values;
    codes[0] = a;
    codes[1] = b;
    codes[2] = c;
    return testing_run_state(table, state);
}

TEST(program_evaluates_few_entries_of_many) {
    testing table = testing_open(3);
    expr *word = testing_dictionary(&table, "w", TYPE_OF(VARCHAR),
                                    "a b c d e f g h i j k l xxx n o xxx", 16);
    expr_state *state = testing_state(&table, try_of(&table, shouted(&table, word)));
    CHECK(testing_is(run_codes(&table, state, 14, 12, 1), "o! NULL b!"));
    CHECK(testing_is(run_codes(&table, state, 12, 14, 0), "NULL o! a!"));
    CHECK(testing_is(run_codes(&table, state, 15, 12, 15), "NULL NULL NULL"));
    const uint32_t before = computed_rows;
    CHECK(testing_is(run_codes(&table, state, 1, 0, 15), "b! a! NULL"));
    CHECK(computed_rows == before); // All are known.
    expr_close(state);
    CHECK_RUN(&table, shouted(&table, word), "error: 22003 ...");
    state = testing_state(&table, shouted(&table, word));
    CHECK(testing_is(run_codes(&table, state, 13, 3, 13), "n! d! n!"));
    expr_close(state);
    testing_close(&table);
}

TEST(program_calls_what_costs_little_for_rows_until_there_were_as_many_as_entries) {
    testing table = testing_open(3);
    expr *number = testing_dictionary(&table, "n", TYPE_OF(BIGINT), "1 2 0 4 5 10", 6);
    expr_state *state = testing_state(&table, try_of(&table, inverse_of(&table, number)));
    computed_rows = 0;
    CHECK(testing_is(run_codes(&table, state, 0, 2, 1), "100 NULL 50"));
    const uint32_t by_rows = computed_rows;
    CHECK(testing_is(run_codes(&table, state, 2, 5, 1), "NULL 10 50"));
    const uint32_t by_entries = computed_rows;
    CHECK(by_rows > 0 && by_entries > by_rows); // Those of the first batch again.
    CHECK(testing_is(run_codes(&table, state, 5, 1, 2), "10 50 NULL"));
    CHECK(computed_rows == by_entries);
    expr_close(state);
    testing_close(&table);
}

TEST(program_hands_text_on_as_a_dictionary_of_distinct_values) {
    testing table = testing_open(8);
    expr *word = testing_dictionary(&table, "w", TYPE_OF(VARCHAR), "red rust blue _", 4);
    // "_" is a blank; make the last entry empty, which shortens to NULL.
    string_value *entries = (string_value *)(uintptr_t)table.columns[0].dictionary->values->values;
    entries[3] = string_of("", 0);
    const expr *root = call1(&table, &function_shorten, TYPE_OF(VARCHAR), word);
    expr_state *state = testing_state(&table, root);
    firn_error err = ERR_INIT;
    column out;
    const batch in = testing_batch(&table);
    REQUIRE(expr_run(state, &in, &table.memory, &out, &err) == FIRN_OK);
    CHECK(out.form == FORM_DICTIONARY);
    CHECK(out.dictionary->size == 2); // r and b.
    CHECK(testing_is(testing_print(&table, &out), "r r b NULL r r b NULL"));
    // A function over it is called for two entries.
    const expr *twice = shouted(&table, (expr *)(uintptr_t)root);
    expr_state *outer = testing_state(&table, twice);
    computed_rows = 0;
    CHECK(testing_is(testing_run_state(&table, outer), "r! r! b! NULL r! r! b! NULL"));
    CHECK(computed_rows == 4 + 2);
    expr_close(state);
    expr_close(outer);
    testing_close(&table);
}

TEST(program_forgets_entries_when_the_dictionary_changes) {
    testing table = testing_open(4);
    expr *word = testing_dictionary(&table, "w", TYPE_OF(VARCHAR), "red green", 2);
    expr_state *state = testing_state(&table, shouted(&table, word));
    CHECK(testing_is(testing_run_state(&table, state), "red! green! red! green!"));
    table.column_count = 0;
    (void)testing_dictionary(&table, "w", TYPE_OF(VARCHAR), "blue pink", 2);
    CHECK(testing_is(testing_run_state(&table, state), "blue! pink! blue! pink!"));
    expr_close(state);
    testing_close(&table);
}

TEST(program_looks_up_truths_of_entries_as_bits) {
    testing table = testing_open(200);
    expr *number = testing_dictionary(&table, "n", TYPE_OF(BIGINT), "5 -1 0 7", 4);
    firn_error err = ERR_INIT;
    REQUIRE(column_set_null(&table.memory, &table.columns[0], 3));
    expr_state *state = testing_state(&table, is_positive(&table, number));
    computed_rows = 0;
    column out;
    const batch in = testing_batch(&table);
    REQUIRE(expr_run(state, &in, &table.memory, &out, &err) == FIRN_OK);
    CHECK(computed_rows == 4);
    for (uint32_t row = 0; row < 200; row++) {
        CHECK(column_is_valid(&out, row) == (row != 3));
        CHECK(row == 3 || bitmap_get(out.values, row) == (row % 4 == 0 || row % 4 == 3));
    }
    expr_close(state);
    testing_close(&table);
}

TEST(program_evaluates_runs_once_a_run) {
    testing table = testing_open(6);
    static const uint32_t ends[] = {2, 3, 6};
    column values = testing_values(&table, TYPE_OF(BIGINT), "5 NULL -4", 3);
    values.form = FORM_RUNS;
    values.length = 6;
    values.run_ends = ends;
    values.run_count = 3;
    expr *a = testing_add(&table, "a", values);
    computed_rows = 0;
    CHECK_RUN(&table, inverse_of(&table, a), "20 20 NULL -25 -25 -25");
    CHECK(computed_rows <= 3);
    CHECK_RUN(&table, is_positive(&table, a), "true true NULL false false false");
    expr *b = BIGINT_COLUMN(&table, "b", "1 2 3 4 5 6");
    CHECK_RUN(&table, plus_of(&table, a, b), "6 7 NULL 0 1 2");
    const uint16_t some[] = {1, 4};
    table.selection = some;
    table.selected_count = 2;
    CHECK_RUN(&table, inverse_of(&table, a), "20 -25");
    testing_close(&table);
}

TEST(program_computes_constants_once) {
    testing table = testing_open(1000);
    computed_rows = 0;
    expr *sum = plus_of(&table, BIGINT_LITERAL(&table, "1"), BIGINT_LITERAL(&table, "2"));
    expr_state *state = testing_state(&table, sum);
    firn_error err = ERR_INIT;
    column out;
    const batch in = testing_batch(&table);
    REQUIRE(expr_run(state, &in, &table.memory, &out, &err) == FIRN_OK);
    CHECK(out.form == FORM_CONSTANT && out.length == 1000);
    CHECK(computed_rows == 1);
    expr_close(state);
    testing_close(&table);
}

// ---- Nested results, lambdas -------------------------------------------------------------------

TEST(program_merges_lists_from_the_arms_of_a_case) {
    testing table = testing_open(4);
    const type *lists = type_list(&table.memory, TYPE_OF(INTEGER));
    expr *a = testing_column(&table, "a", lists, "[1,2] [] NULL [3]");
    expr *b = testing_column(&table, "b", lists, "[9] [8,NULL] [7] NULL");
    expr *takes_a = testing_column(&table, "c", TYPE_OF(BOOLEAN), "true false false true");
    CHECK_RUN(&table, case_of(&table, takes_a, a, b), "[1, 2] [8, NULL] [7] [3]");
    expr *items[] = {a, b};
    CHECK_RUN(&table, new_list(&table, EXPR_COALESCE, lists, items, 2), "[1, 2] [] [7] [3]");
    testing_close(&table);
}

TEST(program_runs_lambdas_with_columns_of_their_row) {
    testing table = testing_open(3);
    const type *lists = type_list(&table.memory, TYPE_OF(BIGINT));
    expr *list = testing_column(&table, "l", lists, "[1,2] [] [3,NULL]");
    expr *a = BIGINT_COLUMN(&table, "a", "10 20 30");
    expr *lambda = expr_new(&table.memory, EXPR_LAMBDA, TYPE_OF(BIGINT));
    uint32_t parameter = 99;
    expr *x = expr_column(&table.memory, parameter, TEXT("x"), TYPE_OF(BIGINT));
    lambda->lambda_.parameters = (u32_list){.count = 1, .items = &parameter};
    lambda->lambda_.body = plus_of(&table, x, a);
    expr *const args[] = {list, lambda};
    expr *root = expr_call(&table.memory, &function_transform, 0, lists, args, 2);
    CHECK_RUN(&table, root, "[11, 12] [] [33, NULL]");
    lambda->lambda_.body = inverse_of(&table, plus_of(&table, x, BIGINT_LITERAL(&table, "-2")));
    CHECK_RUN(&table, root, "error: 22012 invalid: division by zero...");
    CHECK(expr_can_fail(root));
    CHECK_RUN(&table, try_of(&table, root), "NULL [] [100, NULL]");
    testing_close(&table);
}

// ---- IN --------------------------------------------------------------------------------------

static expr *in_list(testing *table, expr *arg, const char *values, uint32_t count, bool has_null,
                     bool is_negated) {
    expr *out = expr_new(&table->memory, EXPR_IN, TYPE_OF(BOOLEAN));
    column *list = ARENA_NEW(&table->memory, column, 1);
    *list = testing_values(table, arg->type, values, count);
    out->in_.arg = arg;
    out->in_.values = list;
    out->in_.has_null = has_null;
    out->in_.is_negated = is_negated;
    return out;
}

TEST(program_in_lists_know_null) {
    testing table = testing_open(4);
    expr *a = BIGINT_COLUMN(&table, "a", "1 2 NULL 900000");
    CHECK_RUN(&table, in_list(&table, a, "1 3", 2, false, false), "true false NULL false");
    CHECK_RUN(&table, in_list(&table, a, "1 3", 2, true, false), "true NULL NULL NULL");
    CHECK_RUN(&table, in_list(&table, a, "1 3", 2, false, true), "false true NULL true");
    CHECK_RUN(&table, in_list(&table, a, "1 3", 2, true, true), "false NULL NULL NULL");
    CHECK_RUN(&table, in_list(&table, a, "", 0, false, true), "true true NULL true");
    // By bitmap, by hash.
    CHECK_RUN(&table, in_list(&table, a, "1 3 5 7 9 11", 6, false, false), "true false NULL false");
    CHECK_RUN(&table, in_list(&table, a, "-5 3 5 7 9 900000", 6, false, false),
              "false false NULL true");
    expr *word = testing_column(&table, "w", TYPE_OF(VARCHAR), "a abcdefghijklmnop NULL z");
    CHECK_RUN(&table, in_list(&table, word, "q w e r t abcdefghijklmnop", 6, false, false),
              "false true NULL false");
    expr *entry = testing_dictionary(&table, "e", TYPE_OF(VARCHAR), "a b", 2);
    CHECK_RUN(&table, in_list(&table, entry, "b", 1, false, false), "false true false true");
    expr *number = testing_column(&table, "d", TYPE_OF(DOUBLE), "NaN -0.0 NULL 1.5");
    CHECK_RUN(&table, in_list(&table, number, "NaN 0.0 1 2 3 4", 6, false, false),
              "true true NULL false");
    testing_close(&table);
}

// ---- Filters ---------------------------------------------------------------------------------

static text run_filter(testing *table, const expr *root) {
    expr_state *state = testing_state(table, root);
    firn_error err = ERR_INIT;
    const uint16_t *selection = NULL;
    uint32_t count = 0;
    const batch in = testing_batch(table);
    text_builder out = text_builder_open(&table->memory);
    for (int round = 0; round < 40; round++) { // Often enough to change the order of conjuncts.
        out.size = 0;
        if (expr_filter(state, &in, &table->memory, &selection, &count, &err) != FIRN_OK) {
            text_append_format(&out, "error: %s", err.sqlstate);
            break;
        }
        text_append(&out, selection == NULL ? TEXT("all ") : TEXT(""));
        for (uint32_t k = 0; k < count; k++) {
            text_append_format(&out, "%s%u", k > 0 ? " " : "",
                               selection == NULL ? k : selection[k]);
        }
    }
    text printed;
    CHECK(text_builder_finish(&out, &printed, &err) == FIRN_OK);
    expr_close(state);
    return printed;
}

TEST(program_filters_keep_rows_that_are_true) {
    testing table = testing_open(6);
    expr *a = BIGINT_COLUMN(&table, "a", "5 0 -2 NULL 1 3");
    expr *b = BIGINT_COLUMN(&table, "b", "1 1 1 1 0 0");
    expr *first = is_positive(&table, a);
    expr *second = is_positive(&table, b);
    CHECK(testing_is(run_filter(&table, first), "0 4 5"));
    CHECK(testing_is(run_filter(&table, expr_and(&table.memory, first, second)), "0"));
    CHECK(testing_is(run_filter(&table, expr_bool(&table.memory, true)), "all 0 1 2 3 4 5"));
    CHECK(testing_is(run_filter(&table, expr_bool(&table.memory, false)), ""));
    CHECK(testing_is(run_filter(&table, expr_null(&table.memory, TYPE_OF(BOOLEAN))), ""));
    // What can fail runs behind what cannot, wherever it was written.
    expr *dangerous = is_positive(&table, inverse_of(&table, a));
    CHECK(testing_is(run_filter(&table, dangerous), "error: 22012"));
    CHECK(testing_is(run_filter(&table, expr_and(&table.memory, dangerous, first)), "0 4 5"));
    const uint16_t some[] = {1, 2, 5};
    table.selection = some;
    table.selected_count = 3;
    CHECK(testing_is(run_filter(&table, first), "5"));
    CHECK(testing_is(run_filter(&table, expr_bool(&table.memory, true)), "1 2 5"));
    testing_close(&table);
}

TEST(program_filters_agree_with_plain_code_at_every_selectivity) {
    for (uint32_t one_in = 1; one_in <= 64; one_in *= 4) {
        testing table = testing_open(BATCH_ROWS > 2000 ? 2000 : BATCH_ROWS);
        firn_error err = ERR_INIT;
        uint64_t seed = one_in;
        expr *columns[3];
        for (int i = 0; i < 3; i++) {
            column values;
            REQUIRE(column_new(&table.memory, TYPE_OF(BIGINT), table.row_count, &values, &err) ==
                    FIRN_OK);
            for (uint32_t row = 0; row < table.row_count; row++) {
                COLUMN_OUT(&values, int64_t)
                [row] = test_random(&seed) % one_in == 0 ? 1 : i == 1 ? -1 : 0;
            }
            columns[i] = testing_add(&table, "c", values);
        }
        expr *root = expr_and(&table.memory, is_positive(&table, columns[0]),
                              is_positive(&table, columns[1]));
        // 100 / c fails for 0: only rows that passed the others may get there.
        expr *ratio = is_positive(&table, inverse_of(&table, columns[0]));
        root = expr_and(&table.memory, ratio, root);
        expr_state *state = testing_state(&table, root);
        const uint16_t *selection;
        uint32_t count;
        const batch in = testing_batch(&table);
        REQUIRE(expr_filter(state, &in, &table.memory, &selection, &count, &err) == FIRN_OK);
        uint32_t k = 0;
        for (uint32_t row = 0; row < table.row_count; row++) {
            const bool passes = COLUMN_VALUES(&table.columns[0], int64_t)[row] > 0 &&
                                COLUMN_VALUES(&table.columns[1], int64_t)[row] > 0;
            if (passes) {
                REQUIRE(k < count && (selection == NULL ? k : selection[k]) == row);
                k++;
            }
        }
        CHECK(k == count);
        expr_close(state);
        testing_close(&table);
    }
}

// How many rows of the table pass.
static uint32_t filter_once(testing *table, expr_state *state) {
    firn_error err = ERR_INIT;
    const uint16_t *selection = NULL;
    uint32_t count = 0;
    const batch in = testing_batch(table);
    CHECK(expr_filter(state, &in, &table->memory, &selection, &count, &err) == FIRN_OK);
    return count;
}

TEST(program_looks_at_a_dynamic_filter_from_the_batch_on_behind_which_it_is_published) {
    testing table = testing_open(4);
    expr *key = BIGINT_COLUMN(&table, "a", "5 7 9 NULL");
    expr *root = expr_new(&table.memory, EXPR_DYNAMIC, TYPE_OF(BOOLEAN));
    root->dynamic_.args = (expr_list){.count = 1, .items = &key};
    dynamic_filter slot = {.content = NULL};
    const dynamic_filters filters = {.count = 1, .slots = &slot};
    table.filters = &filters;
    expr_state *state = testing_state(&table, root);
    const column high = testing_values(&table, TYPE_OF(BIGINT), "9 7 5", 3);
    const dynamic_content contents[] = {
        {.key_count = 1, .maximum = (const column *[]){&high}},
        {.key_count = 1, .minimum = (const column *[]){&high}},
    };
    for (uint32_t i = 0; i < 3; i++) { // Before it is there, it is no filter that helps little.
        CHECK(filter_once(&table, state) == 4);
    }
    atomic_store(&slot.content, &contents[0]);
    CHECK(filter_once(&table, state) == 3);
    atomic_store(&slot.content, &contents[1]);
    CHECK(filter_once(&table, state) == 1);
    expr_close(state);
    testing_close(&table);
}

// ---- Compilation -----------------------------------------------------------------------------

TEST(program_refuses_what_it_cannot_compile) {
    testing table = testing_open(1);
    firn_error err = ERR_INIT;
    const expr *unknown = expr_column(&table.memory, 77, TEXT("q"), TYPE_OF(BIGINT));
    const input_layout nothing = {.count = 0};
    expr_program *program;
    CHECK(expr_compile(&unknown, 1, &nothing, &table.memory, &program, &err) == FIRN_INTERNAL);
    CHECK(strstr(err.text, "column 77 (\"q\") is not in the input") != NULL);
    expr *deep = BIGINT_COLUMN(&table, "a", "1");
    for (int level = 0; level < 2000; level++) {
        deep = inverse_of(&table, deep);
    }
    const expr *root = deep;
    CHECK(expr_compile(&root, 1, &nothing, &table.memory, &program, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "nested deeper than") != NULL);
    testing_close(&table);
}

TEST(program_folds_constants_and_not_errors) {
    testing table = testing_open(1);
    firn_error err = ERR_INIT;
    expr *folded = NULL;
    const expr *sum = plus_of(&table, BIGINT_LITERAL(&table, "1"), BIGINT_LITERAL(&table, "2"));
    CHECK(expr_is_constant(sum));
    REQUIRE(expr_fold(sum, &table.context, &table.memory, &folded, &err) == FIRN_OK);
    CHECK(folded->kind == EXPR_LITERAL);
    CHECK(COLUMN_VALUES(folded->literal_.value.value, int64_t)[0] == 3);
    const expr *bad = inverse_of(&table, BIGINT_LITERAL(&table, "0"));
    CHECK(expr_fold(bad, &table.context, &table.memory, &folded, &err) == FIRN_INVALID);
    const expr *null = plus_of(&table, BIGINT_LITERAL(&table, "1"), BIGINT_LITERAL(&table, "NULL"));
    REQUIRE(expr_fold(null, &table.context, &table.memory, &folded, &err) == FIRN_OK);
    CHECK(folded->literal_.value.is_null);
    testing_close(&table);
}

TEST(program_gives_columns_back_as_they_are) {
    testing table = testing_open(4);
    const expr *word = testing_dictionary(&table, "w", TYPE_OF(VARCHAR), "red green", 2);
    expr_state *state = testing_state(&table, word);
    firn_error err = ERR_INIT;
    column out;
    const batch in = testing_batch(&table);
    REQUIRE(expr_run(state, &in, &table.memory, &out, &err) == FIRN_OK);
    CHECK(out.form == FORM_DICTIONARY && out.values == table.columns[0].values);
    CHECK(expr_values_decoded(state) == 0);
    expr_close(state);
    testing_close(&table);
}

TEST(program_runs_over_batches_without_rows) {
    testing table = testing_open(0);
    expr *a = BIGINT_COLUMN(&table, "a", "");
    CHECK_RUN(&table, inverse_of(&table, a), "");
    CHECK(testing_is(run_filter(&table, is_positive(&table, a)), "all "));
    testing_close(&table);
}
