// Insert: rows into a table's sink, one part a worker; its companion count_source hands out how
// many there were. Nothing is visible before the statement has taken the ended sink and committed
// it, or the change that the rows ended in.
//
// Write is the same for sinks that need the order of the rows (row_sink_kind.needs_order): they are
// told which tasks of the source are complete, and take columns in any form.
#include "exec/operator.h"
#include "exec/order.h"
#include "tables/row_change.h"

typedef struct insert_shared {
    const plan_node *node;
    execution *run;
    table_snapshot *table;
    const row_sink_kind *kind;
    row_sink_request request;
    row_sink *sink;
    uint32_t piece_count;
    scan_env env;
    uint32_t width;
    uint32_t *positions; // Of the table's columns in the input.
    uint64_t changed_rows;
    atomic_bool is_counted;
} insert_shared;

typedef struct insert_local {
    insert_shared *owner;
    row_sink_worker *part;
    scan_env env; // The owner's, with this worker's wakeup.
    column columns[];
} insert_local;

static firn_status find_positions(insert_shared *self, const input_layout *input, firn_error *err) {
    const u32_list *ids = &self->node->insert_.input_ids;
    for (uint32_t i = 0; i < ids->count; i++) {
        self->positions[i] = input_layout_find(input, ids->items[i]);
        if (self->positions[i] == NO_PLACE) {
            return FAIL(err, FIRN_INTERNAL, "inserted column %u is made nowhere", ids->items[i]);
        }
    }
    return FIRN_OK;
}

// ---- What the statement reads of the table ------------------------------------------------------

// Of the scans below a node: the one that hands out the row ids, and whether others read the table.
typedef struct reading {
    const insert_shared *sink;
    const plan_node *changed; // NULL: none does.
    bool is_read_again;
} reading;

// Of whatever snapshot, or with whatever options.
static bool is_same_table(const table_ref *left, const table_ref *right) {
    return text_equal(left->kind, right->kind) && text_equal(left->catalog, right->catalog) &&
           text_equal(left->name, right->name) && left->local == right->local;
}

static bool find_scans(void *user, plan_node **slot) {
    reading *self = user;
    const plan_node *node = *slot;
    if (node->kind == PLAN_SCAN) {
        const bool is_changed = node->scan_.row_id != NO_SLOT;
        const table_ref *read = &self->sink->run->tables[node->scan_.table]->ref;
        self->changed = is_changed ? node : self->changed;
        self->is_read_again |= !is_changed && is_same_table(read, &self->sink->table->ref);
    }
    return plan_visit_children(*slot, find_scans, user);
}

// Columns become their positions in the table; false for what is known to this run alone, or is
// about a field of a column.
static bool to_position(void *user, expr **slot) {
    const scan_column_list *columns = user;
    if ((*slot)->kind == EXPR_DYNAMIC || (*slot)->kind == EXPR_LAMBDA) {
        return false;
    }
    if ((*slot)->kind != EXPR_COLUMN) {
        return expr_visit_children(*slot, to_position, user);
    }
    for (uint32_t i = 0; i < columns->count; i++) {
        if (columns->items[i].id == (*slot)->column_.id) {
            (*slot)->column_.id = columns->items[i].path[0];
            return columns->items[i].path_length == 1;
        }
    }
    return false;
}

// DELETE of all rows that the scan's filters let through.
static bool takes_all(const insert_shared *self, const plan_node *scan) {
    const plan_node *input = self->node->insert_.input;
    while (input->kind == PLAN_PROJECT) {
        input = input->project_.input;
    }
    bool takes =
        self->request.kind == CHANGE_DELETE && input == scan && scan->scan_.limit == UINT64_MAX;
    for (uint32_t i = 0; takes && i < scan->scan_.filters.count; i++) {
        takes = !expr_is_volatile(scan->scan_.filters.items[i]);
    }
    return takes;
}

// A filter that cannot be told is left out: then more counts as read than was. What a subquery
// reads of the table has filters of its own: then all of it counts.
static firn_status find_filters(insert_shared *self, arena *memory, firn_error *err) {
    reading found = {.sink = self};
    plan_node *input = self->node->insert_.input;
    (void)find_scans(&found, &input);
    const plan_node *scan = found.changed;
    if (scan == NULL || found.is_read_again) {
        return FIRN_OK;
    }
    if (takes_all(self, scan)) {
        row_files_drop_covered(self->run->row_files);
    }
    const expr_list *written = &scan->scan_.filters;
    expr_list *filters = ARENA_NEW(memory, expr_list, 1);
    expr **items = ARENA_NEW(memory, expr *, (size_t)written->count + 1);
    if (filters == NULL || items == NULL) {
        return ARENA_FULL(memory, err);
    }
    *filters = (expr_list){.items = items};
    for (uint32_t i = 0; i < written->count; i++) {
        scan_column_list columns = scan->scan_.columns;
        expr *copy = expr_copy(memory, written->items[i]);
        if (copy == NULL) {
            return ARENA_FULL(memory, err);
        }
        if (to_position(&columns, &copy)) {
            items[filters->count++] = copy;
        }
    }
    self->request.filters = filters->count == 0 ? NULL : filters;
    return FIRN_OK;
}

// ---- The sink -----------------------------------------------------------------------------------

static firn_status open_sink(const plan_node *node, const input_layout *input, execution *run,
                             void **shared, firn_error *err) {
    insert_shared *self = ARENA_NEW(&run->memory, insert_shared, 1);
    const uint32_t width = node->insert_.input_ids.count;
    uint32_t *positions = ARENA_NEW(&run->memory, uint32_t, width + 1);
    if (self == NULL || positions == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    table_snapshot *table = run->tables[node->insert_.table];
    *self = (insert_shared){.node = node,
                            .run = run,
                            .table = table,
                            .kind = table->kind->sink,
                            .env = {.io = run->io,
                                    .pool = run->pool,
                                    .context = run->context,
                                    .cancel = &run->cancel,
                                    .workers = run->worker_count},
                            .request = {.change = run->change,
                                        .base = table,
                                        .isolation = (isolation)run->isolation,
                                        .kind = (change_kind)node->insert_.change,
                                        .overwrite = (overwrite_kind)node->insert_.overwrite,
                                        .files = run->row_files,
                                        .fan_out = node->insert_.fan_out,
                                        .columns = &table->columns,
                                        .positions = node->insert_.positions.items},
                            .width = width,
                            .positions = positions};
    if (self->kind == NULL) {
        return FAIL(err, FIRN_INVALID, "the table \"%.*s\" can only be read",
                    TEXT_ARGS(table->ref.name));
    }
    TRY(find_positions(self, input, err));
    TRY(find_filters(self, &run->memory, err));
    run->node_state[node->number] = self;
    *shared = self;
    return self->kind->open(&self->request, &self->env, &self->sink, err);
}

static void close_sink(void *shared) {
    insert_shared *self = shared;
    if (self != NULL && self->sink != NULL) {
        self->kind->close(self->sink);
    }
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    insert_shared *owner = shared;
    insert_local *self =
        arena_alloc(memory, 1, sizeof(insert_local) + owner->width * sizeof(column));
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    self->owner = owner;
    self->part = NULL;
    self->env = owner->env;
    *local = self;
    return owner->kind->open_worker(owner->sink, &self->env, &self->part, err);
}

static void close_worker(void *local) {
    insert_local *self = local;
    if (self != NULL && self->part != NULL && self->owner->kind->close_worker != NULL) {
        self->owner->kind->close_worker(self->part);
    }
}

static uint64_t min_bytes(const void *shared, uint32_t workers) {
    (void)workers;
    const insert_shared *self = shared;
    return self->kind->min_bytes == NULL ? 0 : self->kind->min_bytes(self->sink);
}

// Tells a sink that needs order how far the source is.
static void advance(const insert_shared *self, const op_call *call) {
    if (self->kind->advance != NULL) {
        self->kind->advance(self->sink,
                            call->order == NULL ? UINT64_MAX : order_gate_watermark(call->order));
    }
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    (void)output;
    insert_local *self = call->local;
    const insert_shared *owner = self->owner;
    for (uint32_t i = 0; i < owner->width; i++) {
        self->columns[i] = input->columns[owner->positions[i]];
    }
    batch rows = *input;
    rows.columns = self->columns;
    rows.column_count = owner->width;
    bool must_wait;
    self->env.wakeup = call->wakeup;
    advance(owner, call);
    TRY(owner->kind->push(self->part, &rows, &must_wait, err));
    if (must_wait && call->order != NULL) {
        // Its own task may be the next one by now, without any other row: no end goes unnoticed.
        order_gate_watch(call->order, call->wakeup);
        advance(owner, call);
        TRY(owner->kind->push(self->part, &rows, &must_wait, err));
    }
    *out = must_wait ? STEP_WAIT : STEP_NEXT;
    return FIRN_OK;
}

static firn_status merge(op_call *call, firn_error *err) {
    insert_local *self = call->local;
    return self->owner->kind->finish_worker(self->part, err);
}

static firn_status run_piece(finish_task *self, op_call *call, firn_error *err) {
    const insert_shared *owner = self->shared;
    scan_env env = owner->env;
    env.wakeup = call->wakeup;
    return owner->kind->run_piece(owner->sink, (uint32_t)self->index, &env, &call->must_wait, err);
}

static firn_status end(void *shared, finish_plan *out, firn_error *err) {
    (void)out;
    insert_shared *self = shared;
    TRY(self->kind->end(self->sink, &self->changed_rows, err));
    if (self->request.change != NULL) { // Which has the rows: close_sink frees the rest.
        return FIRN_OK;
    }
    mutex_lock(&self->run->lock);
    self->run->ended = (ended_sink){.kind = self->kind, .sink = self->sink};
    mutex_unlock(&self->run->lock);
    self->sink = NULL;
    return FIRN_OK;
}

static firn_status finish(void *shared, finish_plan *out, firn_error *err) {
    insert_shared *self = shared;
    TRY(self->kind->finish(self->sink, &self->piece_count, err));
    finish_task *tasks = ARENA_NEW(out->memory, finish_task, (size_t)self->piece_count + 1);
    if (tasks == NULL) {
        return ARENA_FULL(out->memory, err);
    }
    for (uint32_t i = 0; i < self->piece_count; i++) {
        tasks[i] = (finish_task){.run = run_piece, .shared = self, .index = i};
    }
    out->count = self->piece_count;
    out->tasks = tasks;
    out->then = end;
    return FIRN_OK;
}

// What both sinks do the same way.
#define SINK_CALLS                                                                                 \
    .writes_values = operator_always, .min_bytes = min_bytes, .open = open_sink,                   \
    .open_worker = open_worker, .push = push, .merge = merge, .finish = finish,                    \
    .close_worker = close_worker, .close = close_sink

const operator_kind operator_insert_sink = {.name = "Insert", SINK_CALLS};

const operator_kind operator_write_sink = {
    .name = "Write", .needs_order = true, .takes_forms = true, SINK_CALLS};

// ---- The count ----------------------------------------------------------------------------------

static firn_status next_count(op_call *call, batch *output, step_answer *out, firn_error *err) {
    insert_shared *self = call->shared;
    *out = STEP_DONE;
    if (atomic_exchange(&self->is_counted, true)) {
        op_end_task(call, 0);
        return FIRN_OK;
    }
    if (!op_begin_task(call, 0)) {
        atomic_store(&self->is_counted, false);
        *out = STEP_WAIT;
        return FIRN_OK;
    }
    column *count = ARENA_NEW(call->scratch, column, 1);
    if (count == NULL) {
        return ARENA_FULL(call->scratch, err);
    }
    TRY(column_new(call->scratch, TYPE_OF(BIGINT), 1, count, err));
    *COLUMN_OUT(count, int64_t) = (int64_t)self->changed_rows;
    *output = batch_of(count, 1, 1);
    *out = STEP_NEXT;
    return FIRN_OK;
}

const operator_kind operator_count_source = {
    .name = "Count",
    .open = op_open_kept,
    .next = next_count,
};
