// Nanoseconds a row of expressions over batches, as operators run them: compiled once, run again
// and again over batches of BATCH_ROWS rows, scratch rewound between them. The fastest of several
// rounds counts. An argument picks cases by a part of their name.
#include <stdio.h>
#include <string.h>

#include "base/host.h"
#include "base/test.h"
#include "expr/program.h"
#include "functions/overload.h"
#include "functions/registry.h"
#include "kernels/hash_column.h"

#define ROUNDS 40
#define BATCHES 64

typedef struct table {
    arena memory;
    arena scratch;
    uint32_t rows;
    uint32_t count;
    column columns[16];
    expr *exprs[16];
} table;

static uint64_t seed = 42;

static void stop(const firn_error *err) {
    fprintf(stderr, "%s\n", err->text);
    __builtin_trap();
}

static expr *add_column(table *self, const char *name, column values) {
    self->columns[self->count] = values;
    self->exprs[self->count] =
        expr_column(&self->memory, self->count + 1, text_of(name), values.type);
    return self->exprs[self->count++];
}

static column new_column(table *self, const type *of) {
    firn_error err = ERR_INIT;
    column out;
    if (column_new(&self->memory, of, self->rows, &out, &err) != FIRN_OK) {
        stop(&err);
    }
    return out;
}

static expr *numbers(table *self, const char *name, const type *of, uint64_t below) {
    column values = new_column(self, of);
    for (uint32_t row = 0; row < self->rows; row++) {
        const uint64_t value = test_random(&seed) % below;
        if (type_physical(of) == PHYSICAL_I32) {
            COLUMN_OUT(&values, int32_t)[row] = (int32_t)value;
        } else if (type_physical(of) == PHYSICAL_F64) {
            COLUMN_OUT(&values, double)[row] = (double)value;
        } else {
            COLUMN_OUT(&values, int64_t)[row] = (int64_t)value;
        }
    }
    return add_column(self, name, values);
}

static expr *words(table *self, const char *name, bool is_dictionary) {
    static const char *const list[] = {"AIR",        "MAIL", "SHIP", "TRUCK",
                                       "REG AIR",    "FOB",  "RAIL", "DELIVER IN PERSON",
                                       "COLLECT COD"};
    column values = new_column(self, TYPE_OF(VARCHAR));
    uint32_t *codes = ARENA_NEW(&self->memory, uint32_t, self->rows);
    for (uint32_t row = 0; row < self->rows; row++) {
        codes[row] = (uint32_t)(test_random(&seed) % 9);
        COLUMN_OUT(&values, string_value)
        [row] = string_of(list[codes[row]], (uint32_t)strlen(list[codes[row]]));
    }
    if (!is_dictionary) {
        return add_column(self, name, values);
    }
    column *entries = ARENA_NEW(&self->memory, column, 1);
    dictionary *dict = ARENA_NEW(&self->memory, dictionary, 1);
    *entries = new_column(self, TYPE_OF(VARCHAR));
    entries->length = 9;
    for (uint32_t i = 0; i < 9; i++) {
        COLUMN_OUT(entries, string_value)[i] = string_of(list[i], (uint32_t)strlen(list[i]));
    }
    *dict = (dictionary){.identity = dictionary_identity_new(), .size = 9, .values = entries};
    return add_column(self, name,
                      (column){.type = TYPE_OF(VARCHAR),
                               .form = FORM_DICTIONARY,
                               .length = self->rows,
                               .values = codes,
                               .dictionary = dict});
}

static expr *call(table *self, const char *name, expr *left, expr *right) {
    firn_error err = ERR_INIT;
    expr *out = NULL;
    expr *const args[] = {left, right};
    if (function_call_named(text_of(name), args, right == NULL ? 1 : 2, &self->memory, &out,
                            &err) != FIRN_OK) {
        stop(&err);
    }
    return out;
}

static expr *integer(table *self, const type *of, int64_t value) {
    return expr_i64(&self->memory, of, value);
}

static expr *word(table *self, const char *value) {
    return expr_string(&self->memory, TYPE_OF(VARCHAR), text_of(value));
}

static expr *choice(table *self, expr *condition, expr *value, expr *otherwise) {
    expr *out = expr_new(&self->memory, EXPR_CASE, value->type);
    expr **items = ARENA_NEW(&self->memory, expr *, 2);
    items[0] = condition;
    items[1] = value;
    out->case_.conditions = (expr_list){1, &items[0]};
    out->case_.values = (expr_list){1, &items[1]};
    out->case_.otherwise = otherwise;
    return out;
}

static expr *in_list(table *self, expr *arg, uint32_t count, int64_t step) {
    expr *out = expr_new(&self->memory, EXPR_IN, TYPE_OF(BOOLEAN));
    column *list = ARENA_NEW(&self->memory, column, 1);
    *list = new_column(self, arg->type);
    list->length = count;
    for (uint32_t i = 0; i < count; i++) {
        COLUMN_OUT(list, int64_t)[i] = (int64_t)i * step;
    }
    out->in_.arg = arg;
    out->in_.values = list;
    return out;
}

static const char *wanted = "";

static void measure(table *self, const char *name, const expr *root, bool is_filter,
                    bool is_narrow) {
    if (strstr(name, wanted) == NULL) {
        return;
    }
    firn_error err = ERR_INIT;
    static const statement_context context = {.now_us = 0};
    uint32_t ids[16];
    for (uint32_t i = 0; i < 16; i++) {
        ids[i] = i + 1;
    }
    const input_layout layout = {.count = self->count, .ids = ids};
    expr_program *program;
    expr_state *state;
    if (expr_compile(&root, 1, &layout, &self->memory, &program, &err) != FIRN_OK) {
        stop(&err);
    }
    if (is_narrow) {
        expr_allow_narrow(program, 0);
    }
    if (expr_open(program, &context, NULL, &self->memory, &state, &err) != FIRN_OK) {
        stop(&err);
    }
    const batch in = batch_of(self->columns, self->count, self->rows);
    int64_t best = INT64_MAX;
    uint32_t selected = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t start = host_clock_ns();
        for (int i = 0; i < BATCHES; i++) {
            const arena_mark mark = arena_mark_take(&self->scratch);
            column out;
            const uint16_t *selection;
            const firn_status status =
                is_filter ? expr_filter(state, &in, &self->scratch, &selection, &selected, &err)
                          : expr_run(state, &in, &self->scratch, &out, &err);
            if (status != FIRN_OK) {
                stop(&err);
            }
            arena_rewind(&self->scratch, mark);
        }
        const int64_t took = host_clock_ns() - start;
        best = took < best ? took : best;
    }
    printf("%-44s %8.3f ns/row %8.0f ns/batch", name, (double)best / BATCHES / (double)self->rows,
           (double)best / BATCHES);
    printf(is_filter ? "  %u rows\n" : "\n", selected);
    expr_close(state);
}

static void run_numbers(table *t) {
    const type *bigint = TYPE_OF(BIGINT);
    const type *d15_2 = type_decimal(&t->memory, 15, 2);
    expr *a = numbers(t, "a", bigint, 1000);
    expr *b = numbers(t, "b", bigint, 1000);
    expr *i = numbers(t, "i", TYPE_OF(INTEGER), 1000);
    expr *x = numbers(t, "x", TYPE_OF(DOUBLE), 1000);
    expr *price = numbers(t, "price", d15_2, 10000000);
    expr *discount = numbers(t, "discount", d15_2, 11);
    expr *tax = numbers(t, "tax", d15_2, 9);
    expr *ship = numbers(t, "ship", TYPE_OF(DATE), 2500);
    measure(t, "column", a, false, false);
    measure(t, "bigint < constant", call(t, "<", a, integer(t, bigint, 500)), false, false);
    measure(t, "bigint < bigint", call(t, "<", a, b), false, false);
    measure(t, "integer = constant", call(t, "=", i, integer(t, TYPE_OF(INTEGER), 5)), false,
            false);
    measure(t, "bigint + bigint", call(t, "+", a, b), false, false);
    measure(t, "bigint * constant", call(t, "*", a, integer(t, bigint, 3)), false, false);
    measure(t, "bigint / constant", call(t, "/", a, integer(t, bigint, 7)), false, false);
    measure(t, "integer + constant", call(t, "+", i, integer(t, TYPE_OF(INTEGER), 3)), false,
            false);
    measure(t, "double * double", call(t, "*", x, x), false, false);
    expr *one = integer(t, TYPE_OF(INTEGER), 1);
    expr *net = call(t, "*", price, call(t, "-", one, discount));
    measure(t, "price * (1 - discount)", net, false, false);
    measure(t, "price * (1 - discount), narrow", net, false, true);
    expr *charge = call(t, "*", net, call(t, "+", one, tax));
    measure(t, "price * (1 - discount) * (1 + tax), narrow", charge, false, true);
    measure(t, "price / discount + 1", call(t, "/", price, call(t, "+", discount, one)), false,
            false);
    const expr *case_ =
        choice(t, call(t, "<", a, integer(t, bigint, 300)), b, integer(t, bigint, 0));
    measure(t, "CASE WHEN a < 300 THEN b ELSE 0", case_, false, false);
    measure(t, "a IN (3 values)", in_list(t, a, 3, 100), false, false);
    measure(t, "a IN (100 near values)", in_list(t, a, 100, 10), false, false);
    measure(t, "a IN (100 far values)", in_list(t, a, 100, 1000000), false, false);
    measure(t, "CAST(a AS DOUBLE)", expr_cast(&t->memory, a, TYPE_OF(DOUBLE), false, false), false,
            false);
    measure(t, "CAST(a AS VARCHAR)", expr_cast(&t->memory, a, TYPE_OF(VARCHAR), false, false),
            false, false);
    measure(t, "CAST(i AS BIGINT)", expr_cast(&t->memory, i, bigint, false, false), false, false);
    measure(t, "CAST(price AS DOUBLE)", expr_cast(&t->memory, price, TYPE_OF(DOUBLE), false, false),
            false, false);
    expr *q6 = call(t, ">=", ship, integer(t, TYPE_OF(DATE), 400));
    q6 = expr_and(&t->memory, q6, call(t, "<", ship, integer(t, TYPE_OF(DATE), 765)));
    q6 = expr_and(&t->memory, q6, call(t, ">=", discount, integer(t, d15_2, 5)));
    q6 = expr_and(&t->memory, q6, call(t, "<=", discount, integer(t, d15_2, 7)));
    q6 = expr_and(&t->memory, q6, call(t, "<", a, integer(t, bigint, 480)));
    measure(t, "filter: five conjuncts of Q6", q6, true, false);
    measure(t, "filter: a < 10", call(t, "<", a, integer(t, bigint, 10)), true, false);
    measure(t, "filter: a < 500", call(t, "<", a, integer(t, bigint, 500)), true, false);
}

static void run_words(table *t) {
    expr *plain = words(t, "w", false);
    expr *coded = words(t, "d", true);
    measure(t, "varchar = short constant", call(t, "=", plain, word(t, "MAIL")), false, false);
    measure(t, "varchar < short constant", call(t, "<", plain, word(t, "MAIL")), false, false);
    measure(t, "varchar = long constant", call(t, "=", plain, word(t, "DELIVER IN PERSON")), false,
            false);
    measure(t, "dictionary = constant", call(t, "=", coded, word(t, "MAIL")), false, false);
    measure(t, "filter: dictionary = constant", call(t, "=", coded, word(t, "MAIL")), true, false);
    measure(t, "dictionary IS NULL", call(t, "is_null", coded, NULL), false, false);
    measure(t, "dictionary = varchar", call(t, "=", coded, plain), false, false);
}

static void run_hashes(table *t) {
    uint64_t *hashes = ARENA_NEW(&t->memory, uint64_t, t->rows);
    for (uint32_t i = 0; i < t->count; i++) {
        char name[40];
        snprintf(name, sizeof name, "hash of %.*s", TEXT_ARGS(t->exprs[i]->column_.name));
        if (strstr(name, wanted) == NULL) {
            continue;
        }
        int64_t best = INT64_MAX;
        for (int round = 0; round < ROUNDS; round++) {
            const int64_t start = host_clock_ns();
            for (int k = 0; k < BATCHES; k++) {
                const arena_mark mark = arena_mark_take(&t->scratch);
                (void)hash_column(&t->columns[i], NULL, t->rows, false, &t->scratch, hashes);
                arena_rewind(&t->scratch, mark);
            }
            const int64_t took = host_clock_ns() - start;
            best = took < best ? took : best;
        }
        printf("%-44s %8.3f ns/row\n", name, (double)best / BATCHES / (double)t->rows);
    }
}

int main(int argc, char **argv) {
    wanted = argc > 1 ? argv[1] : "";
    static const uint32_t sizes[] = {BATCH_ROWS, 64};
    for (size_t i = 0; i < 2; i++) {
        printf("batches of %u rows\n", sizes[i]);
        table t = {.memory = arena_open(SIZE_MAX), .scratch = arena_open(SIZE_MAX)};
        t.rows = sizes[i];
        run_numbers(&t);
        run_hashes(&t);
        t.count = 0;
        run_words(&t);
        run_hashes(&t);
        arena_close(&t.memory);
        arena_close(&t.scratch);
    }
    return 0;
}
