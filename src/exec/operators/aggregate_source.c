// Aggregate, where groups come out: a partition is a task. See exec/aggregate/aggregate_unit.h.
#include "exec/aggregate/aggregate_unit.h"

#define PAGES_A_TASK 8 // Of a table that is handed out page by page.

typedef struct source_local {
    aggregate_unit unit;
    row_pages claimed; // Of such a table.
    bool has_task;     // A partition is claimed;
    bool must_begin;   // the driver has not been told of it;
    bool has_begun;    // its rows are being worked off.
    uint64_t task;
    uint32_t part;     // The partition; part_count: all of what is not partitioned.
    bool is_emitting;  // The unit has groups to hand out.
    uint32_t sequence; // Batches of the task so far.
} source_local;

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    source_local *self = ARENA_NEW(memory, source_local, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (source_local){.claimed = {.spilled = {.owner = ((aggregate_state *)shared)->keeper}}};
    *local = self;
    return unit_open(shared, memory, &self->unit, err);
}

static bool is_empty(const aggregate_state *self, uint32_t part) {
    const row_pages *groups = &self->groups.parts[part];
    const row_pages *passed = self->groups.passed == NULL ? NULL : &self->groups.passed[part];
    bool empty = groups->first == NULL && groups->spilled.count == 0;
    empty = empty && (passed == NULL || (passed->first == NULL && passed->spilled.count == 0));
    for (uint32_t i = 0; i < self->shape.collector_count; i++) {
        const row_pages *rows = &self->collected[i].parts[part];
        empty = empty && rows->first == NULL && rows->spilled.count == 0;
    }
    return empty;
}

// Whether the one table there is need not be handed out as a whole.
static bool is_by_pages(const aggregate_state *self) {
    return !self->is_partitioned && self->shape.has_groups && self->shape.collector_count == 0;
}

// Some pages of the table. Under the lock.
static void claim_pages(aggregate_state *shared, source_local *self) {
    group_table *table = &shared->groups.tables[0];
    for (uint32_t i = 0; i < PAGES_A_TASK && table->store != NULL; i++) {
        row_page *page = row_pages_pop(&table->rows.parts[0]);
        if (page == NULL) {
            break;
        }
        row_pages_push_last(&self->claimed, page);
    }
    self->has_task = self->claimed.first != NULL;
}

// The next partition that nobody has, or everything if there are no partitions. The one row of an
// aggregation without groups comes after all partitions.
// Without room for another one those that are at work do the rest.
static void claim(aggregate_state *shared, source_local *self, bool has_room) {
    mutex_lock(&shared->lock);
    uint32_t part = shared->part_count;
    const bool may_begin = shared->is_partitioned && (has_room || shared->busy_count == 0);
    for (uint32_t i = 0; may_begin && i < shared->part_count; i++) {
        if (!shared->has_begun[i] && part == shared->part_count) {
            shared->has_begun[i] = true;
            part = is_empty(shared, i) ? part : i;
        }
    }
    self->has_task = part < shared->part_count;
    if (is_by_pages(shared)) {
        claim_pages(shared, self);
    } else if (!self->has_task && !shared->single_is_taken &&
               (!shared->is_partitioned || !shared->shape.has_groups) && shared->busy_count == 0) {
        shared->single_is_taken = true;
        self->has_task = true;
    }
    if (self->has_task) {
        self->part = part;
        self->task = shared->next_task++;
        shared->busy_count++;
    }
    mutex_unlock(&shared->lock);
    self->has_begun = false;
    self->sequence = 0;
}

// ---- With groups --------------------------------------------------------------------------------

static firn_status load(aggregate_state *shared, source_local *self, bool *is_ready, arena *scratch,
                        firn_error *err) {
    const uint32_t collectors = shared->shape.collector_count;
    if (self->claimed.first != NULL) {
        *is_ready = true;
        return row_pages_append(&self->unit.table.rows.parts[0], &self->claimed, err);
    }
    row_pages **collected = ARENA_NEW(scratch, row_pages *, collectors + 1);
    if (collected == NULL) {
        return ARENA_FULL(scratch, err);
    }
    unit_source source = {.collected = collected};
    if (self->part < shared->part_count) {
        source.groups = shared->shape.has_groups ? &shared->groups.parts[self->part] : NULL;
        source.passed = shared->shape.has_passed ? &shared->groups.passed[self->part] : NULL;
        for (uint32_t i = 0; i < collectors; i++) {
            collected[i] = &shared->collected[i].parts[self->part];
        }
        self->unit.bits = (uint32_t)__builtin_ctz(shared->part_count);
    } else {
        unit_adopt(&self->unit);
        for (uint32_t i = 0; i < collectors; i++) {
            collected[i] = &shared->collected[i].list;
        }
        self->unit.bits = 0;
    }
    return unit_load(&self->unit, &source, is_ready, scratch, err);
}

// Brings the next groups of the task together. *found is false when it has no more.
static firn_status advance(aggregate_state *shared, source_local *self, bool *found, arena *scratch,
                           firn_error *err) {
    bool is_ready = false;
    *found = true;
    unit_clear(&self->unit);
    if (!self->has_begun) {
        self->has_begun = true;
        TRY(load(shared, self, &is_ready, scratch, err));
    }
    while (!is_ready && *found) {
        TRY(unit_next_part(&self->unit, found, &is_ready, scratch, err));
    }
    return is_ready ? unit_arrange(&self->unit, scratch, err) : FIRN_OK;
}

static void end_claim(aggregate_state *shared, source_local *self) {
    mutex_lock(&shared->lock);
    shared->busy_count--;
    mutex_unlock(&shared->lock);
    self->has_task = false;
}

static firn_status next_groups(op_call *call, source_local *self, batch *output, firn_error *err) {
    aggregate_state *shared = call->shared;
    if (!self->is_emitting) {
        bool found;
        TRY(advance(shared, self, &found, call->scratch, err));
        self->is_emitting = found;
        if (!found) {
            end_claim(shared, self);
            op_end_task(call, self->task);
            return FIRN_OK;
        }
    }
    const uint32_t room = call->run->options->batch_rows;
    TRY(unit_emit(&self->unit, room, call->scratch, output, err));
    self->is_emitting = output->selected_count > 0;
    output->sequence = (batch_sequence){.task = self->task, .part = self->sequence++};
    return FIRN_OK;
}

// ---- Without groups: one row --------------------------------------------------------------------

// Which of a collector's rows a task of such an aggregation takes: DISTINCT is worked off partition
// by partition; all other rows are needed by the row itself.
static row_pages *rows_of(aggregate_state *shared, uint32_t collector, uint32_t part) {
    aggregate_kept *kept = &shared->collected[collector];
    const bool feeds_at_once = shared->shape.collectors[collector].feeds_at_once;
    if (part < shared->part_count) {
        return feeds_at_once ? &kept->parts[part] : NULL;
    }
    if (!shared->is_partitioned) {
        return &kept->list;
    }
    return feeds_at_once ? NULL : &kept->parts[0]; // They have no hash.
}

static firn_status load_single(aggregate_state *shared, source_local *self, bool *is_ready,
                               arena *scratch, firn_error *err) {
    const uint32_t collectors = shared->shape.collector_count;
    row_pages **collected = ARENA_NEW(scratch, row_pages *, collectors + 1);
    if (collected == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < collectors; i++) {
        row_pages *rows = rows_of(shared, i, self->part);
        const bool is_ranked = rows != NULL && unit_is_ranked(shared, i, rows);
        self->unit.collected[i].ranked = is_ranked ? rows : NULL;
        collected[i] = is_ranked ? NULL : rows;
        if (is_ranked && rows->spilled.count > 0) { // They have all memory, and what is held of
                                                    // them to find the rank needs some.
            TRY(row_pages_spill(shared->collected[i].store, rows, &self->unit.desk,
                                rows->page_count / 2, err));
        }
    }
    self->unit.is_whole = self->part == shared->part_count;
    return unit_load(&self->unit, &(unit_source){.collected = collected}, is_ready, scratch, err);
}

// A partition of DISTINCT values: into a state of this worker, and from there into the shared one.
static firn_status feed_part(aggregate_state *shared, source_local *self, arena *scratch,
                             firn_error *err) {
    const aggregate_shape *shape = &shared->shape;
    unit_clear(&self->unit);
    aggregate_init(shape, (uint8_t *[]){row_extra(&shape->table, self->unit.single)}, 1);
    self->unit.bits = (uint32_t)__builtin_ctz(shared->part_count);
    bool is_ready;
    TRY(load_single(shared, self, &is_ready, scratch, err));
    for (bool found = true; found;) {
        TRY(is_ready ? unit_arrange(&self->unit, scratch, err) : FIRN_OK);
        unit_clear_rows(&self->unit);
        TRY(unit_next_part(&self->unit, &found, &is_ready, scratch, err));
    }
    const aggregate_context context = {.shape = shape,
                                       .statement = shared->run->context,
                                       .scratch = scratch,
                                       .heap = &shared->single_heap,
                                       .err = err};
    mutex_lock(&shared->lock);
    const firn_status status =
        aggregate_combine(&context, &shared->single, &self->unit.single, 1, false);
    mutex_unlock(&shared->lock);
    unit_clear(&self->unit);
    return status;
}

static firn_status next_single(op_call *call, source_local *self, batch *output, firn_error *err) {
    aggregate_state *shared = call->shared;
    if (self->part < shared->part_count) {
        TRY(feed_part(shared, self, call->scratch, err));
    } else if (!self->has_begun) {
        self->has_begun = true;
        memcpy(self->unit.single, shared->single, shared->shape.table.size);
        if (!shared->is_partitioned) {
            unit_adopt(&self->unit);
        }
        bool is_ready;
        TRY(load_single(shared, self, &is_ready, call->scratch, err));
        TRY(unit_arrange(&self->unit, call->scratch, err));
        TRY(unit_emit_single(&self->unit, call->scratch, output, err));
        output->sequence.task = self->task;
        return FIRN_OK;
    }
    end_claim(shared, self);
    op_end_task(call, self->task);
    return FIRN_OK;
}

static firn_status next(op_call *call, batch *output, step_answer *out, firn_error *err) {
    aggregate_state *shared = call->shared;
    source_local *self = call->local;
    *out = STEP_NEXT;
    bool has_room = true;
    if (!self->has_task && shared->is_partitioned) {
        TRY(unit_prepare(&self->unit, &has_room, err));
    }
    if (!self->has_task) {
        claim(shared, self, has_room);
        self->must_begin = self->has_task;
    }
    if (!self->has_task) {
        *out = STEP_DONE;
        return FIRN_OK;
    }
    if (self->must_begin && !op_begin_task(call, self->task)) {
        *out = STEP_WAIT;
        return FIRN_OK;
    }
    self->must_begin = false;
    return shared->shape.has_groups ? next_groups(call, self, output, err)
                                    : next_single(call, self, output, err);
}

static void close_worker(void *local) {
    source_local *self = local;
    if (self != NULL) {
        if (self->unit.shared != NULL) {
            row_pages_close(&self->unit.shared->table_store, &self->claimed);
        }
        unit_close(&self->unit);
    }
}

static void release(void *shared) {
    aggregate_state_release(shared);
}

const operator_kind operator_aggregate_source = {
    .name = "Groups",
    .open = op_open_kept,
    .open_worker = open_worker,
    .next = next,
    .release = release,
    .close_worker = close_worker,
};
