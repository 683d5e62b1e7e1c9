// Values for the parameters of a statement: one row, kept until it is bound anew, or a stream of
// rows, which the next run uses up (many.c).
#include "engine/objects.h"

#define MEMORY_MAX ((size_t)1 << 40)

void bound_row_close(bound_row *self) {
    arena_close(&self->memory);
    *self = (bound_row){0};
}

// The type that a bound value gives its parameter: none to a NULL, and none to a text where the
// statement wants something else, as it reads a text literal there: of a decimal or a moment with
// all its digits.
static firn_status type_of_value(const bind_parameters *wanted, const column *value, uint32_t index,
                                 arena *memory, const type **out, firn_error *err) {
    const type *said = wanted->types[index];
    const bool is_text = type_category_of(value->type) == CATEGORY_TEXT;
    const bool says_nothing = value->type->id == TYPE_NULL ||
                              (is_text && said != NULL && type_category_of(said) != CATEGORY_TEXT);
    *out = says_nothing ? NULL : value->type;
    if (!says_nothing || !is_text || !column_is_valid(value, 0)) {
        return FIRN_OK;
    }
    text_builder builder = text_builder_open(memory);
    text written;
    const type *exact;
    column_print_row(value, 0, &builder);
    TRY(text_builder_finish(&builder, &written, err));
    TRY(bind_type_of_text(written, said, memory, &exact, err));
    *out = exact == said ? NULL : exact;
    return FIRN_OK;
}

static firn_status read_row(bound_row *self, const bind_parameters *wanted, const arrow_rows *in,
                            const struct ArrowSchema *types, firn_error *err) {
    schema columns;
    batch one;
    arena *memory = &self->memory;
    TRY(arrow_schema_import(types, memory, &columns, err));
    if (columns.count != wanted->count) {
        return FAIL_SQL(err, FIRN_INVALID, "08P01", NO_POSITION,
                        "%u values are bound, the statement has %u parameters", columns.count,
                        wanted->count);
    }
    TRY(arrow_array_import(types, &columns, *in, memory, &one, err));
    literal *values = ARENA_NEW(memory, literal, columns.count + 1);
    const type **known = ARENA_NEW(memory, const type *, columns.count + 1);
    column *copies = ARENA_NEW(memory, column, columns.count + 1);
    if (values == NULL || known == NULL || copies == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < columns.count; i++) {
        TRY(type_of_value(wanted, &one.columns[i], i, memory, &known[i], err));
        values[i] = (literal){.is_null = !column_is_valid(&one.columns[i], 0)};
        if (!values[i].is_null) {
            TRY(column_copy(memory, &one.columns[i], &copies[i], err));
            copies[i].form = FORM_CONSTANT;
            values[i].value = &copies[i];
        }
    }
    self->values = values;
    self->parameters = (bind_parameters){.count = columns.count, .types = known};
    return FIRN_OK;
}

firn_status bound_row_set(bound_row *self, const firn_statement *of,
                          const struct ArrowSchema *types, const struct ArrowArray *rows,
                          uint64_t row, firn_error *err) {
    bound_row made = {.memory = arena_open_in(of->session->pool, MEMORY_MAX)};
    const arrow_rows in = {.array = rows, .from = row, .count = 1};
    firn_status status = read_row(&made, &of->parameters, &in, types, err);
    if (status != FIRN_OK) {
        bound_row_close(&made);
        return status;
    }
    bound_row_close(self);
    *self = made;
    return FIRN_OK;
}

static firn_status bind_one(firn_statement *self, const struct ArrowSchema *types,
                            const struct ArrowArray *rows, firn_error *err) {
    if (types->release == NULL || rows->release == NULL) {
        return FAIL(err, FIRN_INVALID, "\"%s\" is released already",
                    types->release == NULL ? "types" : "rows");
    }
    if (rows->length != 1) {
        return FAIL(err, FIRN_INVALID, "%lld rows of parameters, one is needed",
                    (long long)rows->length);
    }
    return bound_row_set(&self->bound, self, types, rows, 0, err);
}

static void drop_stream(firn_statement *self) {
    if (self->rows.release != NULL) {
        self->rows.release(&self->rows);
        self->rows.release = NULL;
    }
}

firn_status firn_statement_bind(firn_statement *statement, struct ArrowSchema *types,
                                struct ArrowArray *rows, firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(check_given(types, "types", err));
    TRY(check_given(rows, "rows", err));
    TRY(statement_enter(statement, err));
    firn_status status = bind_one(statement, types, rows, err);
    if (status == FIRN_OK) {
        drop_stream(statement); // The newest binding is the one that counts.
        types->release(types);
        rows->release(rows);
    }
    statement_leave(statement);
    return status;
}

firn_status firn_statement_bind_stream(firn_statement *statement, struct ArrowArrayStream *rows,
                                       firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(check_given(rows, "rows", err));
    if (rows->release == NULL || rows->get_schema == NULL || rows->get_next == NULL) {
        return FAIL(err, FIRN_INVALID, "\"rows\" is released already");
    }
    TRY(statement_enter(statement, err));
    drop_stream(statement);
    bound_row_close(&statement->bound);
    statement->rows = *rows;
    rows->release = NULL;
    statement_leave(statement);
    return FIRN_OK;
}
