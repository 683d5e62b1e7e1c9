// Statements: firn_query and firn_execute are prepare and run in one.
//
// Preparing parses and binds, for the types of parameters and result. A run that follows at once
// takes that binding (prepared_binding.c), each other binds again, with the values as constants and
// the snapshots of that moment.
#include <assert.h>

#include "base/host.h"
#include "engine/transactions.h"
#include "sql/parser.h"

#define MEMORY_MAX ((size_t)1 << 40)

static text text_with_size(const char *sql, size_t size) {
    return size == FIRN_NUL_TERMINATED ? text_of(sql) : (text){.data = sql, .size = size};
}

// ---- At once ------------------------------------------------------------------------------------

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
    status = status == FIRN_OK ? run_statement(self, statement, NULL, NULL, err)
                               : run_leave_transaction(self, status);
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
    TRY(check_given(out, "out", err));
    *out = (struct ArrowArrayStream){0};
    TRY(check_given(sql, "sql", err));
    TRY(session_enter(session, err));
    run *made;
    firn_status status = query(session, text_with_size(sql, size), &made, err);
    session_leave(session);
    return status == FIRN_OK ? err_done(stream_open(made, out, err), err) : status;
}

static firn_status execute_next(firn_session *session, text sql, size_t *at, int64_t *changed,
                                firn_error *err) {
    run *self;
    TRY(run_open(session, &session->settings, &self, err));
    const sql_statement *statement = NULL;
    firn_status status = sql_parse_statement(sql, *at, &self->memory, &statement, at, err);
    if (status == FIRN_OK && statement != NULL) {
        status = run_statement(self, statement, NULL, NULL, err);
    } else {
        status = run_leave_transaction(self, status);
    }
    if (status == FIRN_OK &&
        self->changed_rows < 0) { // Else it has run, and its row says how much.
        status = run_leave_transaction(self, run_drain(self, err));
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
    if (changed_rows != NULL) {
        *changed_rows = 0;
    }
    TRY(check_given(sql, "sql", err));
    TRY(session_enter(session, err));
    const text whole = text_with_size(sql, size);
    size_t at = 0;
    firn_status status = FIRN_OK;
    while (at < whole.size && status == FIRN_OK) { // Behind the last one nothing can fail any more.
        status = execute_next(session, whole, &at, &changed, err);
    }
    session_leave(session);
    if (changed_rows != NULL) {
        *changed_rows = changed;
    }
    return err_done(status, err);
}

// ---- Prepared -----------------------------------------------------------------------------------

firn_statement *statement_retain(firn_statement *self) {
    (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

void statement_release(firn_statement *self) {
    if (self == NULL ||
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (self->rows.release != NULL) {
        self->rows.release(&self->rows);
    }
    prepared_drop(self);
    bound_row_close(&self->bound);
    arena_close(&self->memory);
    mutex_end(&self->lock);
    session_release(self->session);
    host_free(self);
}

static firn_status keep_columns(firn_statement *self, const schema *columns, firn_error *err) {
    return schema_copy(&self->memory, columns, &self->columns, err);
}

// What INSERT and COPY … TO hand out.
static firn_status keep_count(firn_statement *self, firn_error *err) {
    field count = {.name = TEXT("count"), .type = TYPE_OF(BIGINT), .id = -1};
    return keep_columns(self, &(schema){.count = 1, .fields = &count}, err);
}

static firn_status keep_parameters(firn_statement *self, const bind_parameters *found,
                                   firn_error *err) {
    const type **types = ARENA_NEW(&self->memory, const type *, found->count + 1);
    if (types == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < found->count; i++) {
        types[i] = NULL;
        if (found->types[i] != NULL) {
            TRY(type_copy(&self->memory, found->types[i], &types[i], err));
        }
    }
    self->parameters = (bind_parameters){.count = found->count, .types = types};
    return FIRN_OK;
}

static firn_status describe_query(firn_statement *self, run *probe, const sql_query *query,
                                  firn_error *err) {
    const bind_env env = session_bind_env(probe);
    TRY(bind_query(query, &env, NULL, &probe->memory, &probe->bound, err));
    TRY(keep_columns(self, &probe->bound.plan.root->output_.columns, err));
    return keep_parameters(self, &probe->bound.parameters, err);
}

// The parameters of CREATE TABLE AS and COPY … TO. Their query (which may be NULL) is bound when it
// runs, with a table to fill; it is bound here only where there may be a parameter to find.
static firn_status describe_source(firn_statement *self, run *probe, const sql_query *query,
                                   firn_error *err) {
    const bool may_have_some = text_find(self->sql, TEXT("$")) < self->sql.size ||
                               text_find(self->sql, TEXT("?")) < self->sql.size;
    if (query == NULL || !may_have_some) {
        return FIRN_OK;
    }
    const bind_env env = session_bind_env(probe);
    bind_result found = {0};
    TRY(bind_query(query, &env, NULL, &probe->memory, &found, err));
    const firn_status status = keep_parameters(self, &found.parameters, err);
    bind_result_release(&found);
    return status;
}

// Parameters and columns of a statement. What only shows something is run for it. The probe
// becomes "bound" where a run has nothing more to find out.
static firn_status describe_with(firn_statement *self, run *probe, firn_error *err) {
    const sql_statement *written = self->written;
    switch ((int)sql_statement_kind_of(written)) {
    case SQL_QUERY_STATEMENT:
        probe->is_bound = true;
        return describe_query(self, probe, sql_query_statement_of(written)->query, err);
    case SQL_INSERT:
        TRY(command_bind_insert(probe, sql_insert_of(written), NULL, err));
        probe->is_bound = !probe->needs_change;
        TRY(keep_parameters(self, &probe->bound.parameters, err));
        return keep_count(self, err);
    case SQL_DELETE:
    case SQL_UPDATE:
    case SQL_MERGE:
        TRY(command_bind_change(probe, written, NULL, err));
        probe->is_bound = !probe->needs_change;
        TRY(keep_parameters(self, &probe->bound.parameters, err));
        return keep_count(self, err);
    case SQL_CREATE_TABLE: {
        const sql_create_table *create = sql_create_table_of(written);
        TRY(describe_source(self, probe, create->query, err));
        return create->query == NULL || create->with_no_data ? FIRN_OK : keep_count(self, err);
    }
    case SQL_COPY:
        TRY(describe_source(self, probe, sql_copy_of(written)->query, err));
        return sql_copy_of(written)->is_from ? FIRN_OK : keep_count(self, err);
    case SQL_EXPLAIN: {
        const sql_statement *explained = sql_explain_of(written)->statement;
        if (sql_statement_kind_of(explained) == SQL_QUERY_STATEMENT) {
            probe->is_bound = true;
            TRY(describe_query(self, probe, sql_query_statement_of(explained)->query, err));
        } else if (sql_statement_kind_of(explained) == SQL_CREATE_TABLE) {
            TRY(describe_source(self, probe, sql_create_table_of(explained)->query, err));
        } else if (sql_statement_kind_of(explained) == SQL_COPY) {
            TRY(describe_source(self, probe, sql_copy_of(explained)->query, err));
        }
        field plan = {.name = TEXT("plan"), .type = TYPE_OF(VARCHAR), .is_nullable = true};
        return keep_columns(self, &(schema){.count = 1, .fields = &plan}, err);
    }
    case SQL_CALL_STATEMENT: {
        schema columns;
        TRY(command_call_columns(sql_call_statement_of(written), &probe->memory, &columns, err));
        return keep_columns(self, &columns, err);
    }
    case SQL_SHOW:
    case SQL_DESCRIBE:
        TRY(command_run(probe, written, NULL, NULL, err));
        probe->is_bound = sql_statement_kind_of(written) == SQL_DESCRIBE;
        return keep_columns(self, &probe->columns, err);
    default:
        return FIRN_OK;
    }
}

static firn_status parse(firn_statement *self, text sql, size_t *used, firn_error *err) {
    TRY(text_copy(&self->memory, sql, &self->sql, err));
    return sql_parse_statement(self->sql, 0, &self->memory, &self->written, used, err);
}

// All of it is of a run, so that it can be stopped.
static firn_status prepare(firn_statement *self, text sql, size_t *used, firn_error *err) {
    run *probe;
    const uint64_t changes = engine_changes(self->session->engine);
    TRY(run_open(self->session, &self->settings, &probe, err));
    probe->is_description = true;
    self->memory.cancel = &probe->cancel;
    firn_status status = parse(self, sql, used, err);
    if (status == FIRN_OK && self->written != NULL) {
        status = run_enter_transaction(probe, self->written, err);
        status = status == FIRN_OK ? describe_with(self, probe, err) : status;
    }
    status = run_leave_transaction(probe, status);
    self->memory.cancel = NULL;
    if (status == FIRN_OK && probe->is_bound) {
        prepared_keep(self, probe, changes);
    } else {
        run_release(probe);
    }
    return status;
}

static firn_status open_statement(firn_session *session, text sql, firn_statement **out,
                                  size_t *used, firn_error *err) {
    firn_statement *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (firn_statement){.session = session_retain(session),
                             .memory = arena_open_in(session->pool, MEMORY_MAX),
                             .settings = session->settings};
    atomic_init(&self->references, 1);
    mutex_begin(&self->lock, MUTEX_SESSION);
    size_t end = 0;
    firn_status status = prepare(self, sql, &end, err);
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

firn_status firn_prepare(firn_session *session, const char *sql, size_t size, firn_statement **out,
                         size_t *used, firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(check_given(out, "out", err));
    *out = NULL;
    TRY(check_given(sql, "sql", err));
    TRY(session_enter(session, err));
    firn_status status = open_statement(session, text_with_size(sql, size), out, used, err);
    session_leave(session);
    return err_done(status, err);
}

void firn_statement_close(firn_statement *statement) {
    if (statement == NULL || !engine_is_ours(statement->session->engine)) {
        return;
    }
    mutex_lock(&statement->lock);
    run *newest = statement->newest;
    statement->newest = NULL;
    statement->is_closed = true;
    mutex_unlock(&statement->lock);
    run_release(newest);
    prepared_drop(statement);
    statement_release(statement);
}

firn_status statement_enter(firn_statement *self, firn_error *err) {
    TRY(check_given(self, "statement", err));
    TRY(engine_check(self->session->engine, err));
    TRY(caller_enter(&self->caller, "statement", err));
    return FIRN_OK;
}

void statement_leave(firn_statement *self) {
    caller_leave(&self->caller);
}

// What a statement does not have of its own would be set in vain.
static firn_status refuse_setting(setting_id id, firn_error *err) {
    const bool is_of_engine = setting_is_of_engine(id);
    firn_status status =
        FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION, "the setting \"%.*s\" belongs to the %s",
                 TEXT_ARGS(setting_name(id)), is_of_engine ? "engine" : "session");
    err_hint(err, "firn_%s_set sets it for statements that begin later",
             is_of_engine ? "engine" : "session");
    return status;
}

static firn_status set_option(firn_statement *self, text key, text value, firn_error *err) {
    setting_id id;
    TRY(settings_find(key, &id, err));
    if (setting_is_of_engine(id) || id == SETTING_search_path) {
        return refuse_setting(id, err);
    }
    return settings_set(&self->settings, key, value, err);
}

firn_status firn_statement_set(firn_statement *statement, const char *key, const char *value,
                               firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(check_given(key, "key", err));
    TRY(check_given(value, "value", err));
    TRY(statement_enter(statement, err));
    firn_status status = set_option(statement, text_of(key), text_of(value), err);
    prepared_drop(statement); // It was made with others.
    statement_leave(statement);
    return status;
}

static firn_status export_parameters(const firn_statement *self, arena *memory,
                                     struct ArrowSchema *out, firn_error *err) {
    const uint32_t count = self->parameters.count;
    field *fields = ARENA_NEW(memory, field, count + 1);
    if (fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        const type *known = self->parameters.types[i];
        fields[i] =
            (field){.type = known == NULL ? TYPE_OF(NULL) : known, .is_nullable = true, .id = -1};
        TRY(text_format(memory, &fields[i].name, err, "$%u", i + 1));
    }
    const schema columns = {.count = count, .fields = fields};
    return arrow_schema_export(&columns, &self->settings.arrow, out, err);
}

firn_status firn_statement_parameters(firn_statement *statement, struct ArrowSchema *out,
                                      firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(check_given(out, "out", err));
    *out = (struct ArrowSchema){0};
    TRY(statement_enter(statement, err));
    arena memory = arena_open_in(statement->session->pool, MEMORY_MAX);
    firn_status status = export_parameters(statement, &memory, out, err);
    arena_close(&memory);
    statement_leave(statement);
    return status;
}

firn_status firn_statement_schema(firn_statement *statement, struct ArrowSchema *out,
                                  firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(check_given(out, "out", err));
    *out = (struct ArrowSchema){0};
    TRY(statement_enter(statement, err));
    firn_status status =
        arrow_schema_export(&statement->columns, &statement->settings.arrow, out, err);
    statement_leave(statement);
    return status;
}

// ---- Running -----------------------------------------------------------------------------------

static void keep_newest(firn_statement *self, run *made) {
    mutex_lock(&self->lock);
    run *before = NULL;
    if (!self->is_closed) {
        before = self->newest;
        self->newest = run_retain(made);
    }
    mutex_unlock(&self->lock);
    run_release(before);
}

// What is bound may be bound anew while the run goes on: it gets copies.
static firn_status copy_row(run *made, const bound_row *row, bind_parameters *known,
                            literal **values, firn_error *err) {
    const uint32_t count = row->parameters.count;
    arena *memory = &made->memory;
    const type **types = ARENA_NEW(memory, const type *, count + 1);
    column *columns = ARENA_NEW(memory, column, count + 1);
    *values = ARENA_NEW(memory, literal, count + 1);
    if (types == NULL || columns == NULL || *values == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        const column *given = row->values[i].value;
        types[i] = NULL;
        if (row->parameters.types[i] != NULL) {
            TRY(type_copy(memory, row->parameters.types[i], &types[i], err));
        }
        (*values)[i] = (literal){.is_null = row->values[i].is_null};
        if (!row->values[i].is_null) {
            TRY(column_copy(memory, given, &columns[i], err));
            TRY(type_copy(memory, given->type, &columns[i].type, err));
            columns[i].form = FORM_CONSTANT;
            (*values)[i].value = &columns[i];
        }
    }
    *known = (bind_parameters){.count = count, .types = types};
    return FIRN_OK;
}

firn_status statement_run_once(firn_statement *self, const settings *with, const bound_row *row,
                               run **out, firn_error *err) {
    run *made = prepared_take(self, &row->parameters);
    if (made == NULL) {
        TRY(run_open(self->session, with, &made, err));
    }
    made->statement = statement_retain(self);
    keep_newest(self, made);
    bind_parameters known;
    literal *values;
    firn_status status = copy_row(made, row, &known, &values, err);
    if (status == FIRN_OK) {
        status = run_statement(made, self->written, &known, values, err);
    }
    if (status != FIRN_OK) {
        run_finish(made); // The statement keeps its newest run.
        run_release(made);
        return status;
    }
    *out = made;
    return FIRN_OK;
}

static firn_status run_bound(firn_statement *self, struct ArrowArrayStream *out, firn_error *err) {
    if (self->rows.release != NULL) {
        return many_open(self, out, err);
    }
    run *made;
    TRY(statement_run_once(self, &self->settings, &self->bound, &made, err));
    return stream_open(made, out, err);
}

firn_status firn_statement_run(firn_statement *statement, struct ArrowArrayStream *out,
                               firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(check_given(out, "out", err));
    *out = (struct ArrowArrayStream){0};
    TRY(statement_enter(statement, err));
    firn_status status = session_enter(statement->session, err);
    if (status == FIRN_OK) {
        status = run_bound(statement, out, err);
        session_leave(statement->session);
    }
    statement_leave(statement);
    return err_done(status, err);
}

uint64_t statement_cancel_count(firn_statement *self) {
    mutex_lock(&self->lock);
    const uint64_t count = self->cancel_count;
    mutex_unlock(&self->lock);
    return count;
}

void firn_statement_cancel(firn_statement *statement) {
    if (statement == NULL || !engine_is_ours(statement->session->engine)) {
        return;
    }
    mutex_lock(&statement->lock);
    statement->cancel_count++;
    run *newest = statement->newest == NULL ? NULL : run_retain(statement->newest);
    if (newest != NULL) {
        run_cancel(newest);
    }
    mutex_unlock(&statement->lock);
    if (newest != NULL && !scheduler_is_on_thread(statement->session->engine->scheduler)) {
        run_end_left(newest);
    }
    run_release(newest);
}

void firn_statement_progress(firn_statement *statement, firn_progress *out) {
    if (out == NULL) {
        return;
    }
    const uint32_t size = out->size;
    *out = (firn_progress)FIRN_PROGRESS_INIT;
    out->size = size;
    if (statement == NULL || !engine_is_ours(statement->session->engine)) {
        return;
    }
    mutex_lock(&statement->lock);
    if (statement->newest != NULL) {
        run_progress(statement->newest, out);
    }
    mutex_unlock(&statement->lock);
}
