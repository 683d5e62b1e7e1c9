// Statements: firn_query and firn_execute are prepare and run in one.
//
// Preparing parses and binds once, for the types of parameters and result; each run binds again
// with the values as constants and the snapshots of that moment.
#include <assert.h>

#include "base/host.h"
#include "engine/objects.h"
#include "sql/parser.h"

#define MEMORY_MAX ((size_t)1 << 40)

static text text_with_size(const char *sql, size_t size) {
    return size == FIRN_NUL_TERMINATED ? text_of(sql) : (text){.data = sql, .size = size};
}

// ---- At once
// ---------------------------------------------------------------------------------------

// Nothing but blanks, comments and semicolons may follow a single statement.
static firn_status check_rest(text sql, size_t from, arena *memory, firn_error *err) {
    const sql_statement *more;
    size_t used;
    TRY(sql_parse_statement(sql, from, memory, &more, &used, err));
    if (more != NULL) {
        firn_status status = FAIL_SQL(err, FIRN_INVALID, "42601", more->position,
                                      "one statement is expected, another follows");
        err_hint(err, "firn_execute runs scripts of many statements");
        return status;
    }
    return FIRN_OK;
}

static firn_status query(firn_session *session, text sql, run **out, firn_error *err) {
    run *self;
    TRY(run_open(session, &session->settings, &self, err));
    const sql_statement *statement = NULL;
    size_t used = 0;
    text copy;
    firn_status status = text_copy(&self->memory, sql, &copy, err);
    if (status == FIRN_OK) {
        status = sql_parse_statement(copy, 0, &self->memory, &statement, &used, err);
    }
    if (status == FIRN_OK) {
        status = check_rest(copy, used, &self->memory, err);
    }
    if (status == FIRN_OK && statement == NULL) {
        status = FAIL_SQL(err, FIRN_INVALID, "42601", 0, "there is no statement in the text");
    }
    if (status == FIRN_OK) {
        status = run_statement(self, statement, NULL, NULL, err);
    }
    if (status != FIRN_OK) {
        run_release(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

firn_status firn_query(firn_session *session, const char *sql, size_t size,
                       struct ArrowArrayStream *out, firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    *out = (struct ArrowArrayStream){0};
    TRY(engine_check(session->engine, err));
    run *made;
    TRY(query(session, text_with_size(sql, size), &made, err));
    return stream_open(made, out, err);
}

static firn_status execute_next(firn_session *session, text sql, size_t *at, int64_t *changed,
                                bool *is_end, firn_error *err) {
    run *self;
    TRY(run_open(session, &session->settings, &self, err));
    const sql_statement *statement = NULL;
    firn_status status = sql_parse_statement(sql, *at, &self->memory, &statement, at, err);
    *is_end = statement == NULL;
    if (status == FIRN_OK && statement != NULL) {
        status = run_statement(self, statement, NULL, NULL, err);
    }
    if (status == FIRN_OK && statement != NULL) {
        status = run_drain(self, err);
    }
    if (status == FIRN_OK && self->changed_rows > 0) {
        *changed += self->changed_rows;
    }
    run_release(self);
    return status;
}

firn_status firn_execute(firn_session *session, const char *sql, size_t size, int64_t *changed_rows,
                         firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    int64_t changed = 0;
    TRY(engine_check(session->engine, err));
    const text whole = text_with_size(sql, size);
    size_t at = 0;
    bool is_end = false;
    firn_status status = FIRN_OK;
    while (!is_end && status == FIRN_OK) {
        status = execute_next(session, whole, &at, &changed, &is_end, err);
    }
    if (changed_rows != NULL) {
        *changed_rows = changed;
    }
    return status;
}

// ---- Prepared
// ----------------------------------------------------------------------------------------

void statement_retain(firn_statement *self) {
    (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void statement_release(firn_statement *self) {
    if (atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    run_release(self->newest);
    if (self->rows.release != NULL) {
        self->rows.release(&self->rows);
    }
    arena_close(&self->memory);
    mutex_end(&self->lock);
    session_release(self->session);
    host_free(self);
}

// Binds a query once without values, for the types of parameters and of the result.
static firn_status describe(firn_statement *self, firn_error *err) {
    run *probe;
    TRY(run_open(self->session, &self->settings, &probe, err));
    firn_status status = FIRN_OK;
    const bind_env env = session_bind_env(probe);
    if (sql_statement_kind_of(self->written) == SQL_QUERY_STATEMENT) {
        status = bind_query(sql_query_statement_of(self->written)->query, &env, NULL,
                            &probe->memory, &probe->bound, err);
    }
    const bind_parameters *found = &probe->bound.parameters;
    const type **types = NULL;
    if (status == FIRN_OK && probe->bound.plan.root != NULL) {
        status = schema_copy(&self->memory, &probe->bound.plan.root->output_.columns,
                             &self->columns, err);
        types = ARENA_NEW(&self->memory, const type *, found->count + 1);
        status = status == FIRN_OK && types == NULL ? ARENA_FULL(&self->memory, err) : status;
    }
    for (uint32_t i = 0; status == FIRN_OK && types != NULL && i < found->count; i++) {
        types[i] = NULL;
        if (found->types[i] != NULL) {
            status = type_copy(&self->memory, found->types[i], &types[i], err);
        }
    }
    self->inferred = (bind_parameters){.count = types == NULL ? 0 : found->count, .types = types};
    self->parameters = self->inferred;
    run_release(probe);
    return status;
}

static firn_status prepare(firn_statement *self, text sql, size_t *used, firn_error *err) {
    TRY(text_copy(&self->memory, sql, &self->sql, err));
    TRY(sql_parse_statement(self->sql, 0, &self->memory, &self->written, used, err));
    if (self->written == NULL) {
        return FIRN_OK;
    }
    return describe(self, err);
}

firn_status firn_prepare(firn_session *session, const char *sql, size_t size, firn_statement **out,
                         size_t *used, firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    *out = NULL;
    TRY(engine_check(session->engine, err));
    firn_statement *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (firn_statement){.session = session_retain(session),
                             .memory = arena_open(MEMORY_MAX),
                             .settings = session->settings};
    atomic_init(&self->references, 1);
    mutex_begin(&self->lock, MUTEX_SESSION);
    size_t end = 0;
    const text whole = text_with_size(sql, size);
    firn_status status = prepare(self, whole, &end, err);
    if (status == FIRN_OK && used == NULL) {
        status = check_rest(self->sql, end, &self->memory, err);
    }
    if (used != NULL) {
        *used = end;
    }
    if (status != FIRN_OK || self->written == NULL) {
        statement_release(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

static void keep_newest(firn_statement *self, run *made) {
    mutex_lock(&self->lock);
    run *before = self->newest;
    self->newest = made == NULL ? NULL : run_retain(made);
    mutex_unlock(&self->lock);
    run_release(before);
}

void firn_statement_close(firn_statement *statement) {
    if (statement != NULL) {
        keep_newest(statement, NULL); // Runs hold their statement: it must not hold them for ever.
        statement_release(statement);
    }
}

firn_status firn_statement_set(firn_statement *statement, const char *key, const char *value,
                               firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(engine_check(statement->session->engine, err));
    return settings_set(&statement->settings, text_of(key), text_of(value), err);
}

firn_status firn_statement_parameters(firn_statement *statement, struct ArrowSchema *out,
                                      firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    *out = (struct ArrowSchema){0};
    TRY(engine_check(statement->session->engine, err));
    arena memory = arena_open(MEMORY_MAX);
    const uint32_t count = statement->inferred.count;
    field *fields = ARENA_NEW(&memory, field, count + 1);
    firn_status status = fields == NULL ? ARENA_FULL(&memory, err) : FIRN_OK;
    for (uint32_t i = 0; i < count && status == FIRN_OK; i++) {
        const type *known = statement->inferred.types[i];
        fields[i] =
            (field){.type = known == NULL ? TYPE_OF(NULL) : known, .is_nullable = true, .id = -1};
        status = text_format(&memory, &fields[i].name, err, "$%u", i + 1);
    }
    if (status == FIRN_OK) {
        const schema columns = {.count = count, .fields = fields};
        status = arrow_schema_export(&columns, &statement->settings.arrow, out, err);
    }
    arena_close(&memory);
    return status;
}

firn_status firn_statement_schema(firn_statement *statement, struct ArrowSchema *out,
                                  firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    *out = (struct ArrowSchema){0};
    TRY(engine_check(statement->session->engine, err));
    return arrow_schema_export(&statement->columns, &statement->settings.arrow, out, err);
}

// The type that a bound value gives its parameter: none to a NULL, and none to a text where the
// statement wants something else, as it reads a text literal there.
static const type *type_of_value(const firn_statement *self, const column *value, uint32_t index) {
    const type *wanted = index < self->inferred.count ? self->inferred.types[index] : NULL;
    const bool is_text = type_category_of(value->type) == CATEGORY_TEXT;
    const bool says_nothing =
        value->type->id == TYPE_NULL ||
        (is_text && wanted != NULL && type_category_of(wanted) != CATEGORY_TEXT);
    return says_nothing ? NULL : value->type;
}

// Row `row` of a struct array as literals in the statement's memory.
static firn_status bind_row(firn_statement *self, const struct ArrowSchema *types,
                            const struct ArrowArray *rows, uint64_t row, firn_error *err) {
    schema columns;
    batch one;
    TRY(arrow_schema_import(types, &self->memory, &columns, err));
    TRY(arrow_array_import(types, &columns, (arrow_rows){.array = rows, .from = row, .count = 1},
                           &self->memory, &one, err));
    const bool is_query = sql_statement_kind_of(self->written) == SQL_QUERY_STATEMENT;
    if (is_query && columns.count != self->inferred.count) {
        return FAIL_SQL(err, FIRN_INVALID, "08P01", NO_POSITION,
                        "%u values are bound, the statement has %u parameters", columns.count,
                        self->inferred.count);
    }
    literal *values = ARENA_NEW(&self->memory, literal, columns.count + 1);
    const type **known = ARENA_NEW(&self->memory, const type *, columns.count + 1);
    column *copies = ARENA_NEW(&self->memory, column, columns.count + 1);
    if (values == NULL || known == NULL || copies == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < columns.count; i++) {
        known[i] = type_of_value(self, &one.columns[i], i);
        values[i] = (literal){.is_null = !column_is_valid(&one.columns[i], 0)};
        if (!values[i].is_null) {
            TRY(column_copy(&self->memory, &one.columns[i], &copies[i], err));
            copies[i].form = FORM_CONSTANT;
            values[i].value = &copies[i];
        }
    }
    self->values = values;
    self->parameters = (bind_parameters){.count = columns.count, .types = known};
    return FIRN_OK;
}

firn_status firn_statement_bind(firn_statement *statement, struct ArrowSchema *types,
                                struct ArrowArray *rows, firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(engine_check(statement->session->engine, err));
    if (rows->length != 1) {
        return FAIL(err, FIRN_INVALID, "%lld rows of parameters, one is needed",
                    (long long)rows->length);
    }
    TRY(bind_row(statement, types, rows, 0, err));
    types->release(types);
    rows->release(rows);
    return FIRN_OK;
}

firn_status firn_statement_bind_stream(firn_statement *statement, struct ArrowArrayStream *rows,
                                       firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(engine_check(statement->session->engine, err));
    if (statement->rows.release != NULL) {
        statement->rows.release(&statement->rows);
    }
    statement->rows = *rows;
    rows->release = NULL;
    return FIRN_OK;
}

firn_status statement_run_once(firn_statement *self, run **out, firn_error *err) {
    run *made;
    if (self->values == NULL && self->inferred.count > 0) {
        return FAIL_SQL(err, FIRN_INVALID, "08P01", NO_POSITION,
                        "the statement has %u parameters, no values are bound",
                        self->inferred.count);
    }
    TRY(run_open(self->session, &self->settings, &made, err));
    statement_retain(self); // Its text, tree and values.
    made->statement = self;
    keep_newest(self, made);
    firn_status status = run_statement(made, self->written, &self->parameters, self->values, err);
    if (status != FIRN_OK) {
        run_release(made);
        return status;
    }
    *out = made;
    return FIRN_OK;
}

firn_status statement_bind_next(firn_statement *self, const struct ArrowSchema *types,
                                const struct ArrowArray *rows, uint64_t row, firn_error *err) {
    return bind_row(self, types, rows, row, err);
}

firn_status firn_statement_run(firn_statement *statement, struct ArrowArrayStream *out,
                               firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    *out = (struct ArrowArrayStream){0};
    TRY(engine_check(statement->session->engine, err));
    if (statement->rows.release != NULL) {
        return many_open(statement, out, err);
    }
    run *made;
    TRY(statement_run_once(statement, &made, err));
    return stream_open(made, out, err);
}

void firn_statement_cancel(firn_statement *statement) {
    mutex_lock(&statement->lock);
    if (statement->newest != NULL) {
        run_cancel(statement->newest);
    }
    mutex_unlock(&statement->lock);
}

void firn_statement_progress(firn_statement *statement, firn_progress *out) {
    const uint32_t size = out->size;
    *out = (firn_progress)FIRN_PROGRESS_INIT;
    out->size = size;
    mutex_lock(&statement->lock);
    run *newest = statement->newest;
    if (newest != NULL) {
        mutex_lock(&newest->lock);
        out->changed_rows = newest->changed_rows;
        if (newest->execution != NULL) {
            execution_progress(newest->execution, out);
        }
        mutex_unlock(&newest->lock);
    }
    mutex_unlock(&statement->lock);
}
