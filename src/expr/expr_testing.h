// For tests: columns written as text, expressions run over them, results read as text.
#ifndef FIRN_EXPR_EXPR_TESTING_H
#define FIRN_EXPR_EXPR_TESTING_H

#include <stdio.h>

#include "base/test.h"
#include "expr/cast.h"
#include "expr/program.h"

#define TESTING_COLUMNS_MAX 8

/// A table of a few columns; column i has id i + 1.
typedef struct testing {
    arena memory;
    uint32_t row_count;
    uint32_t column_count;
    column columns[TESTING_COLUMNS_MAX];
    statement_context context;
    const dynamic_filters *filters;
    const uint16_t *selection;
    uint32_t selected_count;
} testing;

static inline testing testing_open(uint32_t row_count) {
    return (testing){.memory = arena_open(SIZE_MAX), .row_count = row_count};
}

static inline void testing_close(testing *self) {
    arena_close(&self->memory);
}

/// A flat column of values separated by blanks, `NULL` among them; "_" is a blank in a value.
static inline column testing_values(testing *self, const type *of, const char *values,
                                    uint32_t count) {
    firn_error err = ERR_INIT;
    column texts;
    column out = {.type = of};
    CHECK(column_new(&self->memory, TYPE_OF(VARCHAR), count, &texts, &err) == FIRN_OK);
    for (uint32_t row = 0; row < count; row++) {
        while (*values == ' ') {
            values++;
        }
        const size_t size = strcspn(values, " ");
        char *word = ARENA_NEW(&self->memory, char, size + 1);
        for (size_t i = 0; i < size; i++) {
            word[i] = values[i] == '_' ? ' ' : values[i];
        }
        COLUMN_OUT(&texts, string_value)[row] = string_of(word, (uint32_t)size);
        if (size == 4 && memcmp(word, "NULL", 4) == 0) {
            CHECK(column_set_null(&self->memory, &texts, row));
        }
        values += size;
    }
    if (of->id == TYPE_NULL) {
        CHECK(column_new_null(&self->memory, of, count, &out, &err) == FIRN_OK);
        return out;
    }
    if (of->id == TYPE_VARCHAR) {
        return texts;
    }
    expr *column_of_text = expr_column(&self->memory, 0, TEXT("text"), TYPE_OF(VARCHAR));
    const expr *cast = expr_cast(&self->memory, column_of_text, of, false, false);
    const uint32_t id = 0;
    const input_layout layout = {.count = 1, .ids = &id};
    expr_program *program;
    expr_state *state;
    const batch in = batch_of(&texts, 1, count);
    CHECK(expr_compile(&cast, 1, &layout, &self->memory, &program, &err) == FIRN_OK);
    CHECK(expr_open(program, &self->context, NULL, &self->memory, &state, &err) == FIRN_OK);
    const bool is_good = expr_run(state, &in, &self->memory, &out, &err) == FIRN_OK &&
                         column_flatten(&self->memory, &out, &out, &err) == FIRN_OK;
    if (!is_good) {
        fprintf(stderr, "%s\n", err.text);
    }
    CHECK(is_good);
    expr_close(state);
    return out;
}

/// Adds a column and gives the expression that names it.
static inline expr *testing_add(testing *self, const char *name, column values) {
    CHECK(self->column_count < TESTING_COLUMNS_MAX);
    self->columns[self->column_count++] = values;
    return expr_column(&self->memory, self->column_count, text_of(name), values.type);
}

static inline expr *testing_column(testing *self, const char *name, const type *of,
                                   const char *values) {
    return testing_add(self, name, testing_values(self, of, values, self->row_count));
}

/// The same values behind codes 0, 1, 2, 0, 1 … of a dictionary of `entry_count` entries.
static inline expr *testing_dictionary(testing *self, const char *name, const type *of,
                                       const char *entries, uint32_t entry_count) {
    column *values = ARENA_NEW(&self->memory, column, 1);
    dictionary *words = ARENA_NEW(&self->memory, dictionary, 1);
    uint32_t *codes = ARENA_NEW(&self->memory, uint32_t, self->row_count + 1);
    *values = testing_values(self, of, entries, entry_count);
    *words =
        (dictionary){.identity = dictionary_identity_new(), .size = entry_count, .values = values};
    for (uint32_t row = 0; row < self->row_count; row++) {
        codes[row] = row % entry_count;
    }
    return testing_add(self, name,
                       (column){.type = of,
                                .form = FORM_DICTIONARY,
                                .length = self->row_count,
                                .values = codes,
                                .dictionary = words});
}

/// A literal from its text.
static inline expr *testing_literal(testing *self, const type *of, const char *value) {
    firn_error err = ERR_INIT;
    if (strcmp(value, "NULL") == 0) {
        return expr_null(&self->memory, of);
    }
    const column values = testing_values(self, of, value, 1);
    expr *out = NULL;
    CHECK(expr_literal_of(&self->memory, &values, 0, &out, &err) == FIRN_OK);
    return out;
}

/// Compiles and opens an expression over the table.
static inline expr_state *testing_state(testing *self, const expr *root) {
    firn_error err = ERR_INIT;
    uint32_t *ids = ARENA_NEW(&self->memory, uint32_t, TESTING_COLUMNS_MAX);
    for (uint32_t i = 0; i < self->column_count; i++) {
        ids[i] = i + 1;
    }
    const input_layout layout = {.count = self->column_count, .ids = ids};
    expr_program *program = NULL;
    expr_state *state = NULL;
    CHECK(expr_compile(&root, 1, &layout, &self->memory, &program, &err) == FIRN_OK);
    if (err.status != FIRN_OK) {
        fprintf(stderr, "%s\n", err.text);
        return NULL;
    }
    CHECK(expr_open(program, &self->context, self->filters, &self->memory, &state, &err) ==
          FIRN_OK);
    return state;
}

static inline batch testing_batch(const testing *self) {
    batch in = batch_of(self->columns, self->column_count, self->row_count);
    if (self->selection != NULL) {
        in.selection = self->selection;
        in.selected_count = self->selected_count;
    }
    return in;
}

/// The rows that count of a column, separated by blanks.
static inline text testing_print(testing *self, const column *values) {
    const batch in = testing_batch(self);
    text_builder out = text_builder_open(&self->memory);
    for (uint32_t k = 0; k < in.selected_count; k++) {
        text_append(&out, k > 0 ? TEXT(" ") : TEXT(""));
        column_print_row(values, batch_row(&in, k), &out);
    }
    text printed;
    firn_error err = ERR_INIT;
    CHECK(text_builder_finish(&out, &printed, &err) == FIRN_OK);
    return printed;
}

/// What a state gives for the table, or "error: SQLSTATE message".
static inline text testing_run_state(testing *self, expr_state *state) {
    firn_error err = ERR_INIT;
    column out;
    const batch in = testing_batch(self);
    if (expr_run(state, &in, &self->memory, &out, &err) == FIRN_OK) {
        return testing_print(self, &out);
    }
    text message;
    firn_error ignored = ERR_INIT;
    CHECK(text_format(&self->memory, &message, &ignored, "error: %s %s", err.sqlstate, err.text) ==
          FIRN_OK);
    return message;
}

static inline text testing_run(testing *self, const expr *root) {
    expr_state *state = testing_state(self, root);
    const text out = testing_run_state(self, state);
    expr_close(state);
    return out;
}

/// Checks that the text is the expected one; an expected text that ends in "…" is a beginning.
static inline bool testing_is(text got, const char *expected) {
    const text wanted = text_of(expected);
    const bool is_prefix = text_ends_with(wanted, TEXT("..."));
    const bool is_right = is_prefix ? text_starts_with(got, text_slice(wanted, 0, wanted.size - 3))
                                    : text_equal(got, wanted);
    if (!is_right) {
        fprintf(stderr, "expected %s\n     got %.*s\n", expected, TEXT_ARGS(got));
    }
    return is_right;
}

#define CHECK_RUN(table, root, expected) CHECK(testing_is(testing_run((table), (root)), (expected)))

#endif
