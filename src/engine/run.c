// One run of a statement: binding, optimizing, executing.
#include <assert.h>

#include "base/host.h"
#include "engine/information_schema.h"
#include "engine/transactions.h"
#include "exec/test_modes.h"
#include "expr/cast.h"
#include "functions/registry.h"
#include "optimize/optimize.h"

#define MEMORY_MAX ((size_t)1 << 40)
#define TINY_BATCH_ROWS 3

static run_options options_of(const firn_session *session, const settings *chosen) {
    firn_engine *engine = session->engine;
    const unsigned modes = engine->test_modes;
    mutex_lock(&engine->lock);
    const uint32_t threads = engine->settings.threads; // Another session may have set it.
    mutex_unlock(&engine->lock);
    return (run_options){
        .threads = threads,
        .preserve_order = chosen->is_on[SETTING_preserve_order],
        .batch_rows = (modes & TEST_MODE_TINY) != 0 ? TINY_BATCH_ROWS : BATCH_ROWS,
        .test_modes = modes,
    };
}

firn_status run_open(firn_session *session, const settings *with, run **out, firn_error *err) {
    run *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (run){.session = session_retain(session),
                  .memory = arena_open_in(session->pool, MEMORY_MAX),
                  .settings = *with,
                  .ended = FIRN_PROGRESS_INIT,
                  .changed_rows = -1};
    self->memory.cancel = &self->cancel;
    atomic_init(&self->references, 1);
    mutex_begin(&self->lock, MUTEX_TABLE);
    self->options = options_of(session, &self->settings);
    self->context = (statement_context){
        .now_us = host_time_us(),
        .zone = self->settings.time_zone,
        .zone_name = text_of(self->settings.texts[SETTING_time_zone]),
        .user = TEXT("firn"),
        .version = text_of(firn_version()),
        .cancel = &self->cancel,
    };
    firn_status status = host_random(&self->context.seed, sizeof self->context.seed, err);
    session_add_run(session, self); // Which also tells it what names mean.
    if (status != FIRN_OK) {
        run_release(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

run *run_retain(run *self) {
    (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

bool run_retain_living(run *self) {
    unsigned count = atomic_load_explicit(&self->references, memory_order_relaxed);
    while (count > 0 &&
           !atomic_compare_exchange_weak_explicit(&self->references, &count, count + 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
    return count > 0;
}

void run_cancel(run *self) {
    cancel_raise(&self->cancel);
    mutex_lock(&self->lock);
    if (self->execution != NULL) {
        execution_cancel(self->execution);
    }
    mutex_unlock(&self->lock);
}

void run_set_idle(run *self, bool is_idle) {
    mutex_lock(&self->lock);
    self->is_idle = is_idle;
    mutex_unlock(&self->lock);
}

// Of a run that nobody works with. With the lock.
static bool is_left(const run *self) {
    return self->is_idle && self->execution != NULL && cancel_is_raised(&self->cancel);
}

bool run_is_left(run *self) {
    mutex_lock(&self->lock);
    const bool found = is_left(self);
    mutex_unlock(&self->lock);
    return found;
}

// Takes the execution out; how far it was stays. With the lock.
static execution *take_execution(run *self) {
    execution *taken = self->execution;
    self->execution = NULL;
    if (taken != NULL) {
        execution_progress(taken, &self->ended);
    }
    return taken;
}

void run_end_left(run *self) {
    mutex_lock(&self->lock);
    execution *taken = is_left(self) ? take_execution(self) : NULL;
    self->is_ending = self->is_ending || taken != NULL;
    mutex_unlock(&self->lock);
    if (taken != NULL) {
        execution_close(taken); // Reads the plan, which therefore stays.
        mutex_lock(&self->lock);
        self->is_ending = false;
        mutex_unlock(&self->lock);
    }
}

void run_finish(run *self) {
    mutex_lock(&self->lock);
    execution *taken = take_execution(self);
    const bool is_ending = self->is_ending;
    mutex_unlock(&self->lock);
    execution_close(taken);
    // Constants in the plan may be large too. Who reads the columns does so on this thread.
    arena kept = arena_open_in(self->session->pool, MEMORY_MAX);
    kept.cancel = &self->cancel; // Who stopped it does not wait for that.
    schema columns;
    firn_error ignored = ERR_INIT;
    if (is_ending || schema_copy(&kept, &self->columns, &columns, &ignored) != FIRN_OK) {
        arena_close(&kept);
        return;
    }
    bind_result_release(&self->bound);
    self->bound = (bind_result){0};
    arena_close(&self->memory);
    kept.cancel = NULL;
    self->memory = kept;
    self->columns = columns;
}

void run_progress(run *self, firn_progress *out) {
    const uint32_t size = out->size;
    mutex_lock(&self->lock);
    *out = self->ended;
    if (self->execution != NULL) {
        execution_progress(self->execution, out);
    }
    mutex_unlock(&self->lock);
    out->size = size;
    out->changed_rows = self->changed_rows;
}

void run_release(run *self) {
    if (self == NULL ||
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    session_remove_run(self->session, self); // From here on nobody cancels it.
    execution_close(self->execution);
    block_release(self->own);
    block_release(self->block);
    host_free(self->stream);
    if (self->counted.release != NULL) {
        self->counted.release(&self->counted);
    }
    bind_result_release(&self->bound);
    catalog_set_release(self->catalogs);
    arena_close(&self->memory);
    mutex_end(&self->lock);
    statement_release(self->statement);
    session_release(self->session);
    host_free(self);
}

// ---- Plans --------------------------------------------------------------------------------------

typedef struct binding {
    run *self;
    const literal *values;
    uint32_t count;
    const type *const *types;
    firn_status status;
    firn_error *err;
} binding;

static bool bind_plan(void *user, plan_node **slot);

// A text bound where the statement wants something else is read as a text literal would be.
static bool cast_bound(binding *state, expr **slot, const type *wanted) {
    if (cast_find((*slot)->type, wanted).kind == CAST_NONE) {
        state->status = FAIL_SQL(state->err, FIRN_INVALID, "42846", NO_POSITION,
                                 "a %.*s is bound where %.*s is needed",
                                 TEXT_ARGS(type_text((*slot)->type, &state->self->memory)),
                                 TEXT_ARGS(type_text(wanted, &state->self->memory)));
        return false;
    }
    expr *cast = expr_cast(&state->self->memory, *slot, wanted, false, true);
    if (cast == NULL) {
        state->status = ARENA_FULL(&state->self->memory, state->err);
        return false;
    }
    cast->position = (*slot)->position;
    *slot = cast;
    return true;
}

// A parameter becomes the literal that is bound to it.
static bool bind_expr_slot(void *user, expr **slot) {
    binding *state = user;
    expr *value = *slot;
    if (value->kind == EXPR_SUBQUERY && !bind_plan(user, &value->subquery_.plan)) {
        return false;
    }
    if (value->kind != EXPR_PARAMETER) {
        return expr_visit_children(value, bind_expr_slot, user);
    }
    if (value->parameter_.index >= state->count) {
        state->status = FAIL_SQL(state->err, FIRN_INVALID, "08P01",
                                 value->position == UINT32_MAX ? NO_POSITION : value->position,
                                 "parameter $%u has no value, %u are bound",
                                 value->parameter_.index + 1, state->count);
        err_hint(state->err, "values are given to a prepared statement, by firn_statement_bind");
        return false;
    }
    const literal *given = &state->values[value->parameter_.index];
    const bool is_other = !given->is_null && !type_same_values(given->value->type, value->type);
    expr *bound =
        expr_new(&state->self->memory, EXPR_LITERAL, is_other ? given->value->type : value->type);
    if (bound == NULL) {
        state->status = ARENA_FULL(&state->self->memory, state->err);
        return false;
    }
    bound->literal_.value = *given;
    bound->position = value->position;
    *slot = bound;
    return !is_other || cast_bound(state, slot, value->type);
}

static bool bind_plan(void *user, plan_node **slot) {
    return plan_visit_exprs(*slot, bind_expr_slot, user) &&
           plan_visit_children(*slot, bind_plan, user);
}

static firn_status bind_values(run *self, const literal *values, uint32_t count, firn_error *err) {
    binding state = {.self = self, .values = values, .count = count, .status = FIRN_OK, .err = err};
    (void)bind_plan(&state, &self->bound.plan.root);
    return state.status;
}

// In the test mode `plans` the plan that runs is what came out of its own encoding.
static firn_status recode(run *self, firn_error *err) {
    bytes encoded;
    const struct function_lookup functions = {.scalar = function_find, .aggregate = aggregate_find};
    TRY(plan_encode(&self->bound.plan, &self->memory, &encoded, err));
    plan decoded;
    TRY(plan_decode(encoded, &functions, &self->memory, &decoded, err));
    bytes again; // Not plan_equal: two calls of random() are never equal.
    TRY(plan_encode(&decoded, &self->memory, &again, err));
    if (again.size != encoded.size || memcmp(again.data, encoded.data, again.size) != 0) {
        return FAIL(err, FIRN_INTERNAL, "a plan differs from what its encoding gives");
    }
    self->bound.plan = decoded;
    plan_number(self->bound.plan.root);
    return FIRN_OK;
}

static optimizer optimizer_of(run *self, firn_error *err) {
    return (optimizer){.memory = &self->memory,
                       .plan = &self->bound.plan,
                       .context = &self->context,
                       .tables = self->bound.snapshots,
                       .memory_bytes = pool_limit(pool_engine(self->session->engine->pool)),
                       .err = err};
}

firn_status run_show_rows(run *self, firn_error *err) {
    optimizer state = optimizer_of(self, err);
    return optimize_show_rows(&state);
}

firn_status run_optimize(run *self, const literal *values, uint32_t value_count, plan_watch watch,
                         void *user, firn_error *err) {
    TRY(bind_values(self, values, value_count, err));
    optimizer state = optimizer_of(self, err);
    state.watch = watch;
    state.user = user;
    TRY(optimize(&state));
    if ((self->session->engine->test_modes & TEST_MODE_PLANS) != 0) {
        TRY(recode(self, err));
    }
    return FIRN_OK;
}

firn_status run_execute(run *self, bool is_analyzed, firn_error *err) {
    firn_engine *engine = self->session->engine;
    const execution_request request = {
        .plan = &self->bound.plan,
        .options = &self->options,
        .arrow = &self->settings.arrow,
        .context = &self->context,
        .cancel = &self->cancel,
        .pool = self->session->pool,
        .io = engine->io,
        .cache = self->settings.is_on[SETTING_block_cache] ? engine->cache : NULL,
        .scheduler = engine->scheduler,
        .spill_area = engine_spill(engine),
        .tables = self->bound.snapshots,
        .change = self->change,
        .isolation = run_isolation(self),
        .is_analyzed = is_analyzed};
    self->columns = self->bound.plan.root->output_.columns;
    TRY(information_schema_fill(self, err));
    execution *made;
    TRY(execution_open(&request, &made, err));
    mutex_lock(&self->lock);
    self->execution = made;
    mutex_unlock(&self->lock);
    return FIRN_OK;
}

firn_status run_count(run *self, firn_error *err) {
    arena *memory = &self->memory;
    field *name = ARENA_NEW(memory, field, 1);
    column *data = ARENA_NEW(memory, column, 1);
    if (name == NULL || data == NULL) {
        return ARENA_FULL(memory, err);
    }
    *name = (field){.name = TEXT("count"), .type = TYPE_OF(BIGINT), .id = -1};
    const schema columns = {.count = 1, .fields = name};
    TRY(column_new(memory, TYPE_OF(BIGINT), 1, data, err));
    *COLUMN_OUT(data, int64_t) = self->changed_rows;
    const batch row = batch_of(data, 1, 1);
    arrow_builder *builder;
    TRY(arrow_builder_open(&columns, &self->settings.arrow, self->session->pool, &builder, err));
    firn_status status = arrow_builder_push(builder, &row, err);
    if (status == FIRN_OK) {
        status = arrow_builder_finish(builder, &self->counted, err);
    }
    arrow_builder_close(builder);
    self->columns = columns;
    return status == FIRN_OK ? stream_reserve(self, err) : status;
}

ended_sink run_end(run *self) {
    mutex_lock(&self->lock);
    execution *done = take_execution(self);
    mutex_unlock(&self->lock);
    const ended_sink ended = done == NULL ? (ended_sink){0} : execution_take_sink(done);
    execution_close(done);
    return ended;
}

firn_status run_commit(run *self, firn_error *err) {
    const ended_sink ended = run_end(self);
    return ended_sink_commit(&ended, err);
}

// What an error of the plan says last: in which view, for which column.
static firn_status while_running(const run *self, firn_status status, firn_error *err) {
    if (status != FIRN_OK) {
        bind_say_origin(&self->bound, err);
    }
    return status;
}

firn_status run_next(run *self, const cancel_flag *outer, struct ArrowArray *out, firn_error *err) {
    return while_running(self, execution_next(self->execution, outer, out, err), err);
}

firn_status run_keep_rows(run *self, firn_error *err) {
    TRY(run_next(self, NULL, &self->counted, err));
    const ended_sink ended = run_end(self);
    ended_sink_close(&ended);
    return stream_reserve(self, err);
}

firn_status run_start(run *self, const literal *values, uint32_t value_count, bool is_analyzed,
                      firn_error *err) {
    TRY(while_running(self, run_optimize(self, values, value_count, NULL, NULL, err), err));
    return while_running(self, run_execute(self, is_analyzed, err), err);
}

static firn_status run_any(run *self, const sql_statement *statement, const bind_parameters *known,
                           const literal *values, firn_error *err) {
    if (sql_statement_kind_of(statement) != SQL_QUERY_STATEMENT) {
        return command_run(self, statement, known, values, err);
    }
    if (!self->is_bound) {
        const bind_env env = session_bind_env(self);
        TRY(bind_query(sql_query_statement_of(statement)->query, &env, known, &self->memory,
                       &self->bound, err));
    }
    return run_start(self, values, known == NULL ? 0 : known->count, false, err);
}

firn_status run_statement(run *self, const sql_statement *statement, const bind_parameters *known,
                          const literal *values, firn_error *err) {
    if (self->is_bound && self->execution != NULL) {
        return FIRN_OK; // What DESCRIBE shows was found when it was prepared.
    }
    firn_status status = run_enter_transaction(self, statement, err);
    status = status == FIRN_OK ? run_any(self, statement, known, values, err) : status;
    if (sql_statement_kind_of(statement) == SQL_TRANSACTION) {
        (void)run_leave_transaction(self, FIRN_OK); // A BEGIN too many does no harm.
        return status;
    }
    return run_leave_transaction(self, status);
}

firn_status run_drain(run *self, firn_error *err) {
    struct ArrowArray rows = {0};
    while (self->execution != NULL) {
        TRY(run_next(self, NULL, &rows, err));
        if (rows.release == NULL) {
            return FIRN_OK;
        }
        if (self->changed_rows >= 0 && rows.n_children == 1 && rows.length == 1) {
            const int64_t *counts = rows.children[0]->buffers[1];
            self->changed_rows += counts[rows.offset + rows.children[0]->offset];
        }
        rows.release(&rows);
    }
    return FIRN_OK;
}

static firn_status change(run *self, const literal *values, uint32_t value_count, bool is_counted,
                          firn_error *err) {
    self->changed_rows = is_counted ? 0 : self->changed_rows;
    TRY(run_start(self, values, value_count, false, err));
    TRY(run_drain(self, err));
    if (is_counted) {
        return run_count(self, err);
    }
    self->columns = (schema){0}; // Those of the plan are the count.
    return FIRN_OK;
}

firn_status run_change(run *self, const literal *values, uint32_t value_count, bool is_counted,
                       firn_error *err) {
    const firn_status status = change(self, values, value_count, is_counted, err);
    if (status != FIRN_OK) { // Others still write for it, and end before what they write into.
        const ended_sink ended = run_end(self);
        ended_sink_close(&ended);
        return status;
    }
    return run_commit(self, err);
}
