#include "exec/execution.h"

#include <assert.h>
#include <math.h>

#include "base/host.h"
#include "exec/execution_memory.h"
#include "exec/pipeline.h"
#include "exec/result.h"
#include "io/block_cache.h"
#include "memory/pool.h"
#include "memory/spill.h"
#include "tables/row_change.h"

#define MEMORY_MAX ((size_t)1 << 40) // The pool is what limits it.

void execution_fail(execution *self, const firn_error *err) {
    mutex_lock(&self->lock);
    if (self->error.status == FIRN_OK) {
        self->error = *err;
    }
    mutex_unlock(&self->lock);
    cancel_raise(&self->cancel);
    task_group_wake_all(self->group);
    task_group_notify(self->group);
}

void execution_cancel(execution *self) {
    cancel_raise(&self->cancel);
    task_group_wake_all(self->group);
    task_group_notify(self->group);
}

bool execution_has_failed(execution *self) {
    mutex_lock(&self->lock);
    const bool has_failed = self->error.status != FIRN_OK;
    mutex_unlock(&self->lock);
    return has_failed;
}

// ---- Opening ------------------------------------------------------------------------------------

static firn_status new_counters(execution *self, firn_error *err) {
    self->worker_statistics = ARENA_NEW(&self->memory, node_statistics *, self->worker_count);
    if (self->worker_statistics == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < self->worker_count; i++) {
        node_statistics *row = ARENA_NEW(&self->memory, node_statistics, self->node_count + 1);
        if (row == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
        memset(row, 0, (self->node_count + 1) * sizeof *row);
        self->worker_statistics[i] = row;
    }
    return FIRN_OK;
}

static void **new_slots(execution *self, uint32_t count) {
    void **slots = ARENA_NEW(&self->memory, void *, count + 1);
    for (uint32_t i = 0; slots != NULL && i <= count; i++) {
        slots[i] = NULL;
    }
    return slots;
}

static firn_status new_tables(execution *self, const execution_request *request, firn_error *err) {
    const uint32_t slot_count = request->plan->slot_count;
    self->node_state = new_slots(self, self->node_count);
    self->shared_slots = new_slots(self, request->plan->shared_count);
    dynamic_filter *filters = ARENA_NEW(&self->memory, dynamic_filter, slot_count + 1);
    if (self->node_state == NULL || self->shared_slots == NULL || filters == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < slot_count; i++) {
        atomic_init(&filters[i].content, NULL);
        atomic_init(&filters[i].will_come, false);
    }
    self->dynamic = (dynamic_filters){.count = slot_count, .slots = filters};
    table_snapshot **tables =
        ARENA_NEW(&self->memory, table_snapshot *, request->plan->table_count + 1);
    if (tables == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < request->plan->table_count; i++) {
        tables[i] = table_snapshot_retain(request->tables[i]);
    }
    self->tables = tables;
    return new_counters(self, err);
}

arena execution_arena(execution *self, size_t limit) {
    arena made = arena_open_in(self->pool, limit);
    made.cancel = &self->cancel;
    return made;
}

typedef struct largest {
    uint32_t number;
    bool has_row_ids;
} largest;

static bool find_largest(void *user, plan_node **slot) {
    largest *state = user;
    state->number = (*slot)->number > state->number ? (*slot)->number : state->number;
    state->has_row_ids |= (*slot)->kind == PLAN_SCAN && (*slot)->scan_.row_id != NO_SLOT;
    return plan_visit_children(*slot, find_largest, user);
}

static firn_status fill(execution *self, const execution_request *request, firn_error *err) {
    self->memory = execution_arena(self, MEMORY_MAX);
    largest last = {0};
    plan_node *root = request->plan->root;
    (void)find_largest(&last, &root);
    self->node_count = last.number;
    if (last.has_row_ids) {
        TRY(row_files_open(self->pool, &self->row_files, err));
    }
    TRY(new_tables(self, request, err));
    TRY(task_group_open(self->scheduler, &self->group, err));
    TRY(spill_open(request->spill_area, self->pool, &self->spill, err));
    TRY(result_open(self, &request->plan->root->output_.columns, request->arrow, &self->result,
                    err));
    TRY(pipelines_build(self, request->plan->root, err));
    TRY(execution_reserve(self, err));
    pipelines_start(self);
    return FIRN_OK;
}

firn_status execution_open(const execution_request *request, execution **out, firn_error *err) {
    *out = NULL;
    execution *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (execution){.plan = request->plan,
                        .run_options = *request->options,
                        .context = request->context,
                        .cancel = {.parent = request->cancel},
                        .io = request->io,
                        .cache = request->cache,
                        .cache_query = block_cache_query(request->cache),
                        .scheduler = request->scheduler,
                        .worker_count = request->options->threads,
                        .change = request->change,
                        .isolation = request->isolation,
                        .is_analyzed = request->is_analyzed,
                        .error = FIRN_ERROR_INIT};
    self->options = &self->run_options;
    mutex_begin(&self->lock, MUTEX_EXECUTION);
    scan_permits_begin(&self->permits);
    const pool_options options = {.kind = POOL_QUERY, .name = "query"};
    firn_status status = pool_open(request->pool, &options, &self->pool, err);
    if (status == FIRN_OK) {
        status = fill(self, request, err);
    }
    if (status != FIRN_OK) {
        execution_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

void execution_close(execution *self) {
    if (self == NULL) {
        return;
    }
    cancel_raise(&self->cancel);
    if (self->group != NULL) {
        task_group_wake_all(self->group);
        task_group_close(self->group);
    }
    for (pipeline *each = self->pipelines; each != NULL; each = each->following) {
        pipeline_close(each);
    }
    for (op_instance *each = self->closing; each != NULL; each = each->closed_after) {
        each->kind->close(each->shared);
    }
    ended_sink_close(&self->ended);
    row_files_close(self->row_files);
    result_close(self->result);
    spill_close(self->spill);
    for (uint32_t i = 0; self->tables != NULL && i < self->plan->table_count; i++) {
        table_snapshot_release(self->tables[i]);
    }
    arena_close(&self->memory);
    pool_close(self->pool);
    scan_permits_end(&self->permits);
    mutex_end(&self->lock);
    host_free(self);
}

// ---- Running ------------------------------------------------------------------------------------

typedef struct reader {
    execution *run;
    const cancel_flag *outer;
} reader;

static bool has_news(void *user) {
    const reader *self = user;
    return cancel_is_raised(&self->run->cancel) || cancel_is_raised(self->outer) ||
           result_is_ready(self->run->result);
}

// Works and waits until there is something to take.
static firn_status await(execution *self, const cancel_flag *outer, firn_error *err) {
    reader waiting = {.run = self, .outer = outer};
    task_group_run_until(self->group, has_news, &waiting);
    if (execution_has_failed(self)) {
        mutex_lock(&self->lock);
        *err = self->error;
        mutex_unlock(&self->lock);
        return err->status;
    }
    TRY(cancel_check(&self->cancel, err));
    return cancel_check(outer, err);
}

firn_status execution_next(execution *self, const cancel_flag *outer, struct ArrowArray *out,
                           firn_error *err) {
    *out = (struct ArrowArray){0};
    do {
        TRY(await(self, outer, err));
    } while (!result_take(self->result, out));
    return FIRN_OK;
}

ended_sink execution_take_sink(execution *self) {
    mutex_lock(&self->lock);
    const ended_sink taken = self->ended;
    self->ended = (ended_sink){0};
    mutex_unlock(&self->lock);
    return taken;
}

void ended_sink_close(const ended_sink *self) {
    if (self->kind != NULL) {
        self->kind->close(self->sink);
    }
}

firn_status ended_sink_commit(const ended_sink *self, firn_error *err) {
    const firn_status status = self->kind == NULL ? FIRN_OK : self->kind->commit(self->sink, err);
    ended_sink_close(self);
    return status;
}

// ---- What was done ------------------------------------------------------------------------------

void execution_statistics(execution *self, uint32_t number, node_statistics *out) {
    *out = (node_statistics){0};
    for (uint32_t i = 0; i < self->worker_count; i++) {
        const node_statistics *part = &self->worker_statistics[i][number];
        out->rows_out += part->rows_out;
        out->batches_out += part->batches_out;
        out->cpu_ns += part->cpu_ns;
        out->values_decoded += part->values_decoded;
    }
    for (const op_instance *each = self->instances; each != NULL; each = each->listed) {
        if (each->node->number == number && each->kind->measure != NULL) {
            each->kind->measure(each->shared, out);
        }
    }
}

void execution_report(execution *self, uint32_t number, text_builder *out) {
    op_report report = {.out = out};
    for (const op_instance *each = self->instances; each != NULL; each = each->listed) {
        if (each->node->number == number && each->kind->report != NULL) {
            each->kind->report(each->shared, &report);
        }
    }
}

void execution_progress(execution *self, firn_progress *out) {
    op_progress sum = {0};
    for (const op_instance *each = self->instances; each != NULL; each = each->listed) {
        if (each->kind->progress != NULL) {
            each->kind->progress(each->shared, &sum);
        }
    }
    spill_report spilled;
    spill_describe(self->spill, &spilled);
    out->rows = sum.rows;
    out->bytes = sum.bytes;
    out->spilled_bytes = spilled.written_bytes;
    out->share = sum.total > 0 ? fmin(1, sum.ended / sum.total) : -1;
}
