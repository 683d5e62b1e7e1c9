// EXPLAIN of queries, INSERT, COPY … TO and CREATE TABLE AS: as text, or as JSON.
#include "base/host.h"
#include "engine/explain_json.h"
#include "engine/measured_plan.h"
#include "engine/transactions.h"

static firn_status add_lines(listing *rows, text printed, firn_error *err) {
    size_t from = 0;
    for (size_t i = 0; i < printed.size; i++) {
        if (printed.data[i] == '\n') {
            const text line = text_slice(printed, from, i);
            TRY(listing_add(rows, &line, err));
            from = i + 1;
        }
    }
    return FIRN_OK;
}

static void note_estimate(void *user, const plan_node *node, text_builder *out) {
    (void)user;
    if (node->row_estimate >= 0 && node->kind != PLAN_OUTPUT) {
        text_append_format(out, "  (rows≈%.0f)", node->row_estimate);
    }
}

typedef struct explaining {
    run *self;  // Of the EXPLAIN.
    run *inner; // Of what it explains.
    listing *rows;
    bool is_json;
    staged_table staged; // Of CREATE TABLE AS.
    int64_t begun_ns, planned_ns, ended_ns;
    int64_t planning_cpu_ns; // Of this thread; planning has no other.
    text before;             // What watch_rule printed last.
    firn_status watched;
    firn_error *err;
} explaining;

// EXPLAIN (VERBOSE): the plan after each rule that changed it.
static void watch_rule(void *user, const char *rule, const plan *changed) {
    explaining *state = user;
    text_builder builder = text_builder_open(&state->self->memory);
    plan_print(changed, NULL, NULL, &builder);
    text printed;
    if (state->watched != FIRN_OK) {
        return;
    }
    state->watched = text_builder_finish(&builder, &printed, state->err);
    if (state->watched != FIRN_OK || text_equal(printed, state->before)) {
        return;
    }
    text title;
    state->before = printed;
    state->watched = text_format(&state->self->memory, &title, state->err, "-- after %s", rule);
    if (state->watched == FIRN_OK) {
        state->watched = listing_add(state->rows, &title, state->err);
    }
    if (state->watched == FIRN_OK) {
        state->watched = add_lines(state->rows, printed, state->err);
    }
}

// ---- Running -----------------------------------------------------------------------------------

static firn_status bind(explaining *state, const sql_explain *written, const bind_parameters *known,
                        firn_error *err) {
    run *inner = state->inner;
    const sql_statement *statement = written->statement;
    switch ((int)sql_statement_kind_of(statement)) {
    case SQL_QUERY_STATEMENT: {
        if (state->self->is_bound) { // In that run's memory, which lives longer.
            inner->bound = state->self->bound;
            state->self->bound = (bind_result){0};
            return FIRN_OK;
        }
        const bind_env env = session_bind_env(inner);
        return bind_query(sql_query_statement_of(statement)->query, &env, known, &inner->memory,
                          &inner->bound, err);
    }
    case SQL_INSERT:
        return command_bind_insert(inner, sql_insert_of(statement), known, err);
    case SQL_DELETE:
    case SQL_UPDATE:
    case SQL_MERGE:
        return command_bind_change(inner, statement, known, err);
    case SQL_COPY:
        return command_bind_copy(inner, sql_copy_of(statement), known, err);
    case SQL_CREATE_TABLE:
        if (sql_create_table_of(statement)->query != NULL) {
            return command_stage_table(inner, sql_create_table_of(statement), known, &state->staged,
                                       err);
        }
        break;
    default:
        break;
    }
    firn_status status = FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", statement->position,
                                  "this statement has no plan to explain");
    err_hint(err,
             "EXPLAIN takes a query, INSERT, DELETE, UPDATE, MERGE, COPY … TO and CREATE TABLE AS");
    return status;
}

static firn_status run_inner(explaining *state, const sql_explain *written, firn_error *err) {
    if (!written->is_analyze) {
        return FIRN_OK;
    }
    TRY(run_execute(state->inner, true, err));
    TRY(run_drain(state->inner, err));
    state->ended_ns = host_clock_ns();
    return FIRN_OK;
}

static firn_status plan_inner(explaining *state, const sql_explain *written,
                              const bind_parameters *known, const literal *values,
                              firn_error *err) {
    const int64_t begun_cpu_ns = host_cpu_ns();
    state->begun_ns = host_clock_ns();
    TRY(bind(state, written, known, err));
    TRY(run_optimize(state->inner, values, known == NULL ? 0 : known->count,
                     written->is_verbose ? watch_rule : NULL, state, err));
    TRY(state->watched);
    state->planned_ns = host_clock_ns();
    state->planning_cpu_ns = host_cpu_ns() - begun_cpu_ns;
    return run_inner(state, written, err);
}

// ---- Printing ----------------------------------------------------------------------------------

static firn_status print_json(const explaining *state, bool is_run, firn_error *err) {
    run *inner = state->inner;
    pool_report memory;
    pool_describe(inner->session->engine->pool, &memory);
    const explain_measures measures = {
        .done = is_run ? inner->execution : NULL,
        .planning_ms = (double)(state->planned_ns - state->begun_ns) / 1e6,
        .planning_cpu_ms = (double)state->planning_cpu_ns / 1e6,
        .running_ms = (double)(state->ended_ns - state->planned_ns) / 1e6,
        .memory_peak_bytes = memory.resident_peak,
    };
    text_builder builder = text_builder_open(&state->self->memory);
    explain_json_print(&inner->bound.plan, &measures, &inner->memory, &builder);
    text printed;
    TRY(text_builder_finish(&builder, &printed, err));
    return listing_add(state->rows, &printed, err);
}

static firn_status print_text(const explaining *state, bool is_run, firn_error *err) {
    run *inner = state->inner;
    text_builder builder = text_builder_open(&state->self->memory);
    if (is_run) {
        pool_report memory;
        pool_describe(inner->session->engine->pool, &memory);
        measured_plan_print(&inner->bound.plan, inner->execution, &inner->memory, &builder);
        text_append_format(&builder, "time: %.2f ms planning (%.2f ms CPU), %.2f ms running\n",
                           (double)(state->planned_ns - state->begun_ns) / 1e6,
                           (double)state->planning_cpu_ns / 1e6,
                           (double)(state->ended_ns - state->planned_ns) / 1e6);
        text_append_format(&builder, "memory: peak %.1f MB of %.1f MB\n",
                           (double)memory.resident_peak / 1048576, (double)memory.limit / 1048576);
    } else {
        plan_print(&inner->bound.plan, note_estimate, inner, &builder);
    }
    text printed;
    TRY(text_builder_finish(&builder, &printed, err));
    return add_lines(state->rows, printed, err);
}

static firn_status explain(explaining *state, const sql_explain *written,
                           const bind_parameters *known, const literal *values, firn_error *err) {
    TRY(plan_inner(state, written, known, values, err));
    TRY(run_show_rows(state->inner, err)); // Behind what is measured.
    if (state->is_json) {
        return print_json(state, written->is_analyze, err);
    }
    if (written->is_verbose) {
        const text title = TEXT("-- runs as");
        TRY(listing_add(state->rows, &title, err));
    }
    return print_text(state, written->is_analyze, err);
}

static firn_status read_format(const sql_explain *written, bool *is_json, firn_error *err) {
    const sql_name *format = &written->format;
    *is_json = text_equal_nocase(format->value, TEXT("json"));
    if (!*is_json && format->value.size > 0 && !text_equal_nocase(format->value, TEXT("text"))) {
        firn_status status =
            FAIL_SQL(err, FIRN_INVALID, "22023", format->position,
                     "there is no EXPLAIN format \"%.*s\"", TEXT_ARGS(format->value));
        err_hint(err, "there are TEXT and JSON");
        return status;
    }
    return *is_json && written->is_verbose
               ? FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", format->position,
                          "VERBOSE tells the steps of planning as text, not as JSON")
               : FIRN_OK;
}

// What an analyzed statement does to tables, last: nothing can fail any more once it is visible.
static firn_status change_tables(explaining *state, const ended_sink *inserted, firn_error *err) {
    TRY(ended_sink_commit(inserted, err));
    if (state->staged.made != NULL) {
        TRY(command_publish_table(state->inner, &state->staged, err));
    }
    return run_commit_transaction(state->inner, err);
}

firn_status command_explain(run *self, const sql_explain *written, const bind_parameters *known,
                            const literal *values, firn_error *err) {
    static const char *const names[] = {"plan"};
    explaining state = {.self = self, .watched = FIRN_OK, .err = err};
    TRY(read_format(written, &state.is_json, err));
    TRY(listing_open(self, names, 1, &state.rows, err));
    TRY(run_open(self->session, &self->settings, &state.inner, err));
    state.inner->is_description = !written->is_analyze; // Then nothing is begun for it.
    firn_status status = explain(&state, written, known, values, err);
    const ended_sink inserted = run_end(state.inner); // The listing runs as well.
    status = status == FIRN_OK ? listing_finish(state.rows, err) : status;
    if (status == FIRN_OK && written->is_analyze) {
        status = change_tables(&state, &inserted, err);
    } else {
        ended_sink_close(&inserted);
    }
    command_close_staged(state.inner, &state.staged);
    (void)run_leave_transaction(state.inner, FIRN_OK); // What failed the outer statement tells.
    run_release(state.inner);
    return status;
}
