// Pruning as a table: facts of a column, a predicate on it, what can be said of the unit.
#include "expr/facts.h"

#include "base/hash.h"
#include "expr/dynamic.h"
#include "expr/expr_testing.h"

// The evaluator knows operators by name; nothing here calls these.
static uint32_t no_kernel(function_call *call, const column *const *args, column *out) {
    (void)args;
    (void)out;
    return call->count;
}

// x + 1, ascending; fails for the largest number.
static uint32_t next(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        const int32_t value = COLUMN_VALUES(args[0], int32_t)[row & column_mask(args[0])];
        if (value == INT32_MAX) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, int32_t)[row] = value + 1;
    }
    return call->count;
}

#define FUNCTION_NAMED(symbol, word, kernel_, flags_)                                              \
    static const scalar_function symbol = {                                                        \
        .name = word,                                                                              \
        .flags = flags_,                                                                           \
        .overloads = (const overload[]){{.signature = "T <- T", .kernel = kernel_}, {0}},          \
    }
FUNCTION_NAMED(test_eq, "=", no_kernel, FUNCTION_NULL_STRICT);
FUNCTION_NAMED(test_ne, "<>", no_kernel, FUNCTION_NULL_STRICT);
FUNCTION_NAMED(test_lt, "<", no_kernel, FUNCTION_NULL_STRICT);
FUNCTION_NAMED(test_le, "<=", no_kernel, FUNCTION_NULL_STRICT);
FUNCTION_NAMED(test_gt, ">", no_kernel, FUNCTION_NULL_STRICT);
FUNCTION_NAMED(test_ge, ">=", no_kernel, FUNCTION_NULL_STRICT);
FUNCTION_NAMED(test_not, "not", no_kernel, FUNCTION_NULL_STRICT);
FUNCTION_NAMED(test_is_null, "is_null", no_kernel, 0);
FUNCTION_NAMED(test_is_not_null, "is_not_null", no_kernel, 0);
FUNCTION_NAMED(test_is_true, "is_true", no_kernel, 0);
FUNCTION_NAMED(test_is_false, "is_false", no_kernel, 0);
FUNCTION_NAMED(test_same, "is_not_distinct_from", no_kernel, 0);
FUNCTION_NAMED(test_distinct, "is_distinct_from", no_kernel, 0);
FUNCTION_NAMED(test_like, "like", no_kernel, FUNCTION_NULL_STRICT);
FUNCTION_NAMED(test_starts, "starts_with", no_kernel, FUNCTION_NULL_STRICT);
FUNCTION_NAMED(test_next, "next", next,
               FUNCTION_NULL_STRICT | FUNCTION_MONOTONE | FUNCTION_CAN_FAIL);

static const scalar_function *const all_functions[] = {
    &test_eq,       &test_ne,      &test_lt,          &test_le,      &test_gt,       &test_ge,
    &test_not,      &test_is_null, &test_is_not_null, &test_is_true, &test_is_false, &test_same,
    &test_distinct, &test_like,    &test_starts,      &test_next};

static expr *call(testing *table, const char *name, expr *left, expr *right) {
    expr *const args[] = {left, right};
    for (size_t i = 0; i < sizeof all_functions / sizeof all_functions[0]; i++) {
        if (strcmp(all_functions[i]->name, name) == 0) {
            const type *result = strcmp(name, "next") == 0 ? TYPE_OF(INTEGER) : TYPE_OF(BOOLEAN);
            return expr_call(&table->memory, all_functions[i], 0, result, args,
                             right == NULL ? 1 : 2);
        }
    }
    CHECK(false);
    return NULL;
}

// ---- Units -----------------------------------------------------------------------------------

// Facts of column 1 of a unit of 100 rows.
typedef struct test_unit {
    unit_facts face;
    column minimum, maximum;
    column_facts facts;
    bool has_facts;
    const column *excluded; ///< What the bloom filter rules out; NULL: nothing.
} test_unit;

static const column_facts *find(const unit_facts *self, uint32_t column_id) {
    const test_unit *unit = (const test_unit *)self;
    return unit->has_facts && column_id == 1 ? &unit->facts : NULL;
}

static bool may_contain(const unit_facts *self, uint32_t column_id, const column *value,
                        uint32_t row) {
    const test_unit *unit = (const test_unit *)self;
    return column_id != 1 || unit->excluded == NULL ||
           !column_rows_equal(unit->excluded, 0, value, row);
}

typedef struct unit_case {
    const type *type;
    const char *minimum; ///< NULL: unknown.
    const char *maximum;
    int32_t nulls; ///< -1: unknown.
    int32_t nans;
} unit_case;

static void open_unit(test_unit *self, testing *table, const unit_case *of) {
    *self = (test_unit){.face = {.row_count = {true, 100}, .find = find},
                        .has_facts = true,
                        .facts = {.may_have_null = of->nulls != 0}};
    if (of->minimum != NULL) {
        self->minimum = testing_values(table, of->type, of->minimum, 1);
        self->facts.minimum = &self->minimum;
    }
    if (of->maximum != NULL) {
        self->maximum = testing_values(table, of->type, of->maximum, 1);
        self->facts.maximum = &self->maximum;
    }
    if (of->nulls >= 0) {
        self->facts.null_count = (exact_u64){true, (uint64_t)of->nulls};
    }
    if (of->nans >= 0) {
        self->facts.nan_count = (exact_u64){true, (uint64_t)of->nans};
    }
}

static const unit_case integers = {&type_constants[TYPE_INTEGER], "10", "20", 0, 0};
static const unit_case with_nulls = {&type_constants[TYPE_INTEGER], "10", "20", 3, 0};
static const unit_case one_value = {&type_constants[TYPE_INTEGER], "10", "10", 0, 0};
static const unit_case all_null = {&type_constants[TYPE_INTEGER], NULL, NULL, 100, 0};
static const unit_case from_ten = {&type_constants[TYPE_INTEGER], "10", NULL, -1, 0};
static const unit_case doubles = {TYPE_OF(DOUBLE), "1.5", "2.5", 0, 0};
static const unit_case doubles_nan = {TYPE_OF(DOUBLE), "1.5", "2.5", 0, -1};
static const unit_case bad_bounds = {TYPE_OF(DOUBLE), "NaN", "NaN", 0, -1};
static const unit_case only_nan = {TYPE_OF(DOUBLE), NULL, NULL, 10, 90};
static const unit_case words = {TYPE_OF(VARCHAR), "abc", "abd", 0, 0};
static const unit_case same_start = {TYPE_OF(VARCHAR), "abca", "abcz", 0, 0};
static const unit_case truths = {TYPE_OF(BOOLEAN), "true", "true", 0, 0};

typedef struct fact_case {
    const unit_case *unit;
    const char *name;
    const char *value; ///< NULL: none.
    verdict expected;
    verdict negated; ///< Of NOT of the same.
} fact_case;

#define NEVER VERDICT_NEVER
#define MAYBE VERDICT_MAYBE
#define ALWAYS VERDICT_ALWAYS

static const fact_case cases[] = {
    {&integers, "=", "5", NEVER, ALWAYS},
    {&integers, "=", "10", MAYBE, MAYBE},
    {&integers, "=", "15", MAYBE, MAYBE},
    {&integers, "=", "NULL", NEVER, NEVER},
    {&integers, "<>", "5", ALWAYS, NEVER},
    {&integers, "<", "10", NEVER, ALWAYS},
    {&integers, "<", "11", MAYBE, MAYBE},
    {&integers, "<", "21", ALWAYS, NEVER},
    {&integers, "<=", "20", ALWAYS, NEVER},
    {&integers, ">", "20", NEVER, ALWAYS},
    {&integers, ">", "9", ALWAYS, NEVER},
    {&integers, ">=", "20", MAYBE, MAYBE},
    {&integers, "is_null", NULL, NEVER, ALWAYS},
    {&integers, "is_not_null", NULL, ALWAYS, NEVER},
    {&integers, "is_distinct_from", "5", ALWAYS, NEVER},
    {&integers, "is_not_distinct_from", "NULL", NEVER, ALWAYS},
    {&with_nulls, "=", "5", NEVER, MAYBE}, // NULL rows are neither true nor false.
    {&with_nulls, "<", "21", MAYBE, NEVER},
    {&with_nulls, "is_null", NULL, MAYBE, MAYBE},
    {&with_nulls, "is_distinct_from", "5", ALWAYS, NEVER},
    {&with_nulls, "is_not_distinct_from", "NULL", MAYBE, MAYBE},
    {&one_value, "=", "10", ALWAYS, NEVER},
    {&one_value, "<>", "10", NEVER, ALWAYS},
    {&all_null, "=", "5", NEVER, NEVER},
    {&all_null, "is_null", NULL, ALWAYS, NEVER},
    {&from_ten, "<", "10", NEVER, MAYBE},
    {&from_ten, ">", "1000", MAYBE, MAYBE},
    {&doubles, ">", "3.0", NEVER, ALWAYS},
    {&doubles_nan, ">", "3.0", MAYBE, MAYBE}, // NaN is above.
    {&doubles_nan, "<", "1.0", NEVER, ALWAYS},
    {&doubles_nan, "=", "NaN", MAYBE, MAYBE},
    {&doubles, "=", "NaN", NEVER, ALWAYS},
    {&doubles, "<", "NaN", ALWAYS, NEVER},
    {&only_nan, "<", "1.0", NEVER, MAYBE},
    {&only_nan, "<>", "NaN", NEVER, MAYBE},
    {&only_nan, "=", "NaN", MAYBE, NEVER},
    {&bad_bounds, "<", "1.0", MAYBE, MAYBE}, // Bounds that are no numbers tell nothing.
    {&words, "like", "abc%", MAYBE, MAYBE},
    {&words, "like", "abe%", NEVER, ALWAYS},
    {&words, "like", "aaz%", NEVER, ALWAYS},
    {&words, "like", "%x", MAYBE, MAYBE},
    {&words, "like", "ab\\\\%", MAYBE, MAYBE},
    {&words, "like", "abcd", MAYBE, MAYBE},
    {&words, "like", "b", NEVER, ALWAYS},
    {&same_start, "like", "abc%", ALWAYS, NEVER},
    {&same_start, "like", "abc%d", MAYBE, MAYBE},
    {&same_start, "starts_with", "ab", ALWAYS, NEVER},
    {&same_start, "starts_with", "abd", NEVER, ALWAYS},
    {&truths, "=", "true", ALWAYS, NEVER},
    {&truths, "is_true", NULL, ALWAYS, NEVER},
    {&truths, "is_false", NULL, NEVER, ALWAYS},
};

TEST(facts_say_what_a_predicate_can_be) {
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        testing table = testing_open(1);
        const fact_case *row = &cases[i];
        test_unit unit;
        open_unit(&unit, &table, row->unit);
        expr *x = expr_column(&table.memory, 1, TEXT("x"), row->unit->type);
        expr *value =
            row->value == NULL ? NULL : testing_literal(&table, row->unit->type, row->value);
        expr *predicate = call(&table, row->name, x, value);
        const verdict got = facts_evaluate(predicate, &unit.face, &table.memory);
        expr *negated = call(&table, "not", predicate, NULL);
        const verdict other = facts_evaluate(negated, &unit.face, &table.memory);
        if (got != row->expected || other != row->negated) {
            fprintf(stderr, "case %zu: x %s %s\n", i, row->name,
                    row->value == NULL ? "" : row->value);
        }
        CHECK(got == row->expected && other == row->negated);
        testing_close(&table);
    }
}

static verdict judge(testing *table, const test_unit *unit, const expr *predicate) {
    return facts_evaluate(predicate, &unit->face, &table->memory);
}

TEST(facts_combine_as_three_valued_logic_does) {
    testing table = testing_open(1);
    test_unit unit;
    open_unit(&unit, &table, &integers);
    expr *x = expr_column(&table.memory, 1, TEXT("x"), TYPE_OF(INTEGER));
    expr *y = expr_column(&table.memory, 2, TEXT("y"), TYPE_OF(INTEGER)); // Nothing is known.
    expr *never = call(&table, "<", x, testing_literal(&table, TYPE_OF(INTEGER), "1"));
    expr *always = call(&table, ">", x, testing_literal(&table, TYPE_OF(INTEGER), "1"));
    expr *maybe = call(&table, "=", y, x);
    arena *memory = &table.memory;
    CHECK(judge(&table, &unit, expr_and(memory, never, maybe)) == NEVER);
    CHECK(judge(&table, &unit, expr_and(memory, always, maybe)) == MAYBE);
    CHECK(judge(&table, &unit, expr_and(memory, always, always)) == ALWAYS);
    CHECK(judge(&table, &unit, expr_or(memory, never, maybe)) == MAYBE);
    CHECK(judge(&table, &unit, expr_or(memory, never, never)) == NEVER);
    CHECK(judge(&table, &unit, expr_or(memory, always, maybe)) == ALWAYS);
    CHECK(judge(&table, &unit, call(&table, "<", x, y)) == MAYBE);
    CHECK(judge(&table, &unit, call(&table, "<", x, x)) == MAYBE);
    CHECK(judge(&table, &unit, expr_bool(memory, false)) == NEVER);
    CHECK(judge(&table, &unit, expr_null(memory, TYPE_OF(BOOLEAN))) == NEVER);
    testing_close(&table);
}

TEST(facts_look_through_ascending_casts_and_functions) {
    testing table = testing_open(1);
    test_unit unit;
    open_unit(&unit, &table, &integers);
    expr *x = expr_column(&table.memory, 1, TEXT("x"), TYPE_OF(INTEGER));
    expr *wide = expr_cast(&table.memory, x, TYPE_OF(BIGINT), false, true);
    expr *limit = testing_literal(&table, TYPE_OF(BIGINT), "21");
    CHECK(judge(&table, &unit, call(&table, ">=", wide, limit)) == NEVER);
    CHECK(judge(&table, &unit, call(&table, "<", wide, limit)) == ALWAYS);
    expr *text = expr_cast(&table.memory, x, TYPE_OF(VARCHAR), false, false);
    expr *word = testing_literal(&table, TYPE_OF(VARCHAR), "9");
    CHECK(judge(&table, &unit, call(&table, "=", text, word)) == MAYBE); // Not ascending.
    expr *small = expr_cast(&table.memory, x, TYPE_OF(TINYINT), false, false);
    CHECK(judge(&table, &unit,
                call(&table, "=", small, testing_literal(&table, TYPE_OF(TINYINT), "5"))) == NEVER);
    expr *after = call(&table, "next", x, NULL);
    expr *ten = testing_literal(&table, TYPE_OF(INTEGER), "10");
    CHECK(judge(&table, &unit, call(&table, "=", after, ten)) == NEVER);
    // A bound for which the function fails is none: the error must come when the rows are read.
    test_unit large;
    const unit_case up_to_end = {&type_constants[TYPE_INTEGER], "10", "2147483647", 0, 0};
    open_unit(&large, &table, &up_to_end);
    expr *far = testing_literal(&table, TYPE_OF(INTEGER), "2147483647");
    CHECK(judge(&table, &large, call(&table, ">", after, far)) == MAYBE);
    testing_close(&table);
}

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

TEST(facts_prune_lists_of_values) {
    testing table = testing_open(1);
    test_unit unit;
    open_unit(&unit, &table, &integers);
    expr *x = expr_column(&table.memory, 1, TEXT("x"), TYPE_OF(INTEGER));
    CHECK(judge(&table, &unit, in_list(&table, x, "1 2 30", 3, false, false)) == NEVER);
    CHECK(judge(&table, &unit, in_list(&table, x, "1 15 30", 3, false, false)) == MAYBE);
    CHECK(judge(&table, &unit, in_list(&table, x, "1 2 30", 3, false, true)) == ALWAYS);
    CHECK(judge(&table, &unit, in_list(&table, x, "1 2 30", 3, true, true)) == NEVER);
    CHECK(judge(&table, &unit, in_list(&table, x, "", 0, false, true)) == ALWAYS);
    test_unit single;
    open_unit(&single, &table, &one_value);
    CHECK(judge(&table, &single, in_list(&table, x, "10 11", 2, false, false)) == ALWAYS);
    CHECK(judge(&table, &single, in_list(&table, x, "10 11", 2, false, true)) == NEVER);
    testing_close(&table);
}

TEST(facts_ask_bloom_filters_for_equality_only) {
    testing table = testing_open(1);
    test_unit unit;
    open_unit(&unit, &table, &integers);
    const column fifteen = testing_values(&table, TYPE_OF(INTEGER), "15", 1);
    unit.excluded = &fifteen;
    unit.face.may_contain = may_contain;
    expr *x = expr_column(&table.memory, 1, TEXT("x"), TYPE_OF(INTEGER));
    expr *value = testing_literal(&table, TYPE_OF(INTEGER), "15");
    CHECK(judge(&table, &unit, call(&table, "=", x, value)) == NEVER);
    CHECK(judge(&table, &unit, call(&table, "=", value, x)) == NEVER);
    CHECK(judge(&table, &unit, call(&table, "<=", x, value)) == MAYBE);
    CHECK(judge(&table, &unit, in_list(&table, x, "1 15", 2, false, false)) == NEVER);
    CHECK(judge(&table, &unit, in_list(&table, x, "1 16", 2, false, false)) == MAYBE);
    testing_close(&table);
}

// ---- Dynamic filters ---------------------------------------------------------------------------

static text selected(testing *table, const dynamic_content *content, const column *keys) {
    const column *const pointers[] = {&keys[0], &keys[1]};
    uint16_t *rows = ARENA_NEW(&table->memory, uint16_t, table->row_count + 1);
    const uint32_t count =
        dynamic_select(content, pointers, NULL, table->row_count, &table->memory, rows);
    text_builder out = text_builder_open(&table->memory);
    for (uint32_t k = 0; k < count; k++) {
        text_append_format(&out, "%s%u", k > 0 ? " " : "", rows[k]);
    }
    text printed;
    firn_error err = ERR_INIT;
    CHECK(text_builder_finish(&out, &printed, &err) == FIRN_OK);
    return printed;
}

TEST(dynamic_filters_select_by_bounds_and_bitmaps) {
    testing table = testing_open(6);
    const column low = testing_values(&table, TYPE_OF(INTEGER), "10", 1);
    const column high = testing_values(&table, TYPE_OF(INTEGER), "20", 1);
    const column *const lows[] = {&low};
    const column *const highs[] = {&high};
    const column keys = testing_values(&table, TYPE_OF(INTEGER), "5 10 NULL 15 20 21", 6);
    dynamic_content content = {.key_count = 1, .minimum = lows, .maximum = highs};
    CHECK(testing_is(selected(&table, &content, &keys), "1 3 4"));
    content.passes_null = true;
    CHECK(testing_is(selected(&table, &content, &keys), "1 2 3 4"));
    const uint64_t bitmap = UINT64_C(1) << 5 | 1; // 10 and 15.
    content.bitmap = &bitmap;
    content.bitmap_first = 10;
    content.bitmap_bits = 11;
    CHECK(testing_is(selected(&table, &content, &keys), "1 2 3"));
    content.is_empty = true;
    CHECK(testing_is(selected(&table, &content, &keys), ""));
    content =
        (dynamic_content){.key_count = 1, .bitmap = &bitmap, .bitmap_first = 10, .bitmap_bits = 11};
    const expr *coded = testing_dictionary(&table, "d", TYPE_OF(INTEGER), "10 11 15", 3);
    (void)coded;
    CHECK(testing_is(selected(&table, &content, &table.columns[0]), "0 2 3 5"));
    column constant = testing_values(&table, TYPE_OF(INTEGER), "11", 1);
    constant.form = FORM_CONSTANT;
    constant.length = 6;
    CHECK(testing_is(selected(&table, &content, &constant), ""));
    testing_close(&table);
}

TEST(dynamic_filters_select_by_bloom_filter_of_several_keys) {
    testing table = testing_open(4);
    column keys[2];
    keys[0] = testing_values(&table, TYPE_OF(BIGINT), "1 2 3 NULL", 4);
    keys[1] = testing_values(&table, TYPE_OF(VARCHAR), "a b c d", 4);
    uint64_t bloom[64] = {0};
    for (uint32_t row = 0; row < 2; row++) {
        const uint64_t hash =
            hash_combine(column_hash_row(&keys[0], row), column_hash_row(&keys[1], row));
        dynamic_bloom_add(bloom, 64, hash);
    }
    dynamic_content content = {.key_count = 2, .bloom = bloom, .bloom_blocks = 64};
    CHECK(testing_is(selected(&table, &content, keys), "0 1"));
    content.passes_null = true;
    CHECK(testing_is(selected(&table, &content, keys), "0 1 3"));
    testing_close(&table);
}

TEST(dynamic_filters_prune_units_and_filter_batches_once_published) {
    testing table = testing_open(4);
    test_unit unit;
    open_unit(&unit, &table, &integers);
    expr *x = testing_column(&table, "x", TYPE_OF(INTEGER), "10 15 NULL 20");
    expr *filter = expr_new(&table.memory, EXPR_DYNAMIC, TYPE_OF(BOOLEAN));
    filter->dynamic_.args = (expr_list){.count = 1, .items = &x};
    dynamic_filter slots[1] = {{.content = NULL}};
    const dynamic_filters filters = {.count = 1, .slots = slots};
    table.filters = &filters;
    unit.face.filters = &filters;
    CHECK_RUN(&table, filter, "true true true true"); // Nothing is published yet.
    CHECK(judge(&table, &unit, filter) == ALWAYS);
    const column low = testing_values(&table, TYPE_OF(INTEGER), "12", 1);
    const column *const lows[] = {&low};
    dynamic_content content = {.key_count = 1, .minimum = lows};
    atomic_store_explicit(&slots[0].content, &content, memory_order_release);
    CHECK_RUN(&table, filter, "false true false true");
    CHECK(judge(&table, &unit, filter) == MAYBE);
    const column above = testing_values(&table, TYPE_OF(INTEGER), "21", 1);
    const column *const aboves[] = {&above};
    content.minimum = aboves;
    CHECK(judge(&table, &unit, filter) == NEVER);
    const uint64_t bitmap[2] = {1, 1}; // 0 and 64: nothing from 10 to 20.
    content = (dynamic_content){.key_count = 1, .bitmap = bitmap, .bitmap_bits = 100};
    CHECK(judge(&table, &unit, filter) == NEVER);
    content.bitmap_first = 15;
    CHECK(judge(&table, &unit, filter) == MAYBE);
    testing_close(&table);
}
