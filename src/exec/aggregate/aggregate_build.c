// A worker's part of an aggregation: batches into its table, its partitions and its collectors, and
// what becomes of them when all rows are there.
#include <assert.h>

#include "exec/aggregate/aggregate_cache.h"
#include "exec/aggregate/aggregate_state.h"
#include "memory/arena_measure.h"

#define HEAP_BYTES_MAX ((uint64_t)1 << 20) // Of the local table's states before they move, …
#define HEAP_BYTES_FEW                                                                             \
    ((uint64_t)64 << 20) // … of few groups, to which rows come again and again; …
#define GROUPS_FEW 1024
#define HEAP_SHARE 4 // … of what the worker may have, if that is less.
#define CHUNK 512
#define EXPORTED_ROWS 128
#define NUMBERS_LOOK_ROWS 8192 // Of collected rows of few groups: the first look at how few.

// ---- Opening -----------------------------------------------------------------------------------

static firn_status open_seen(seen_codes **out, uint32_t count, arena *memory, firn_error *err) {
    *out = ARENA_NEW(memory, seen_codes, (size_t)count + 1);
    for (uint32_t i = 0; *out != NULL && i < count; i++) {
        (*out)[i] = seen_codes_open(memory);
    }
    return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

static firn_status open_values(aggregate_worker *self, arena *memory, firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    const uint32_t count = shape->root_count;
    self->values = (aggregate_values){.columns = ARENA_NEW(memory, column, count + 1),
                                      .flats = ARENA_NEW(memory, column, count + 1),
                                      .is_flat = ARENA_NEW(memory, bool, count + 1),
                                      .codes = ARENA_NEW(memory, aggregate_codes *, count + 1)};
    TRY(open_seen(&self->values.taken_codes, shape->slot_count, memory, err));
    TRY(open_seen(&self->collected_codes, shape->collector_count, memory, err));
    return self->values.columns == NULL || self->values.flats == NULL ||
                   self->values.is_flat == NULL || self->values.codes == NULL
               ? ARENA_FULL(memory, err)
               : FIRN_OK;
}

static uint64_t rows_expected(const plan_node *node) {
    const double rows = node->aggregate_.input->row_estimate;
    return rows >= 0 && rows < 0x1p62 ? (uint64_t)rows : 0;
}

static uint32_t count_parts(void *user) {
    return aggregate_partition(user);
}

firn_status aggregate_open_collected(aggregate_state *self, uint32_t collector, bool is_numbered,
                                     arena *memory, aggregate_stage *out, firn_error *err) {
    const aggregate_collector *of = &self->shape.collectors[collector];
    row_store *store = is_numbered && of->may_number ? &self->numbered_stores[collector]
                                                     : &self->collector_stores[collector];
    const stage_options options = {.table = of->is_distinct ? store : NULL,
                                   .key_count = of->layout.column_count,
                                   .kept = store,
                                   .count_parts = count_parts,
                                   .user = self,
                                   .part_max = aggregate_part_max(self),
                                   .table_bytes = aggregate_table_bytes(self),
                                   .share_bytes = aggregate_share(self),
                                   .may_be_direct = of->is_direct};
    return stage_open(&options, memory, out, err);
}

static firn_status open_stages(aggregate_worker *self, arena *memory, firn_error *err) {
    aggregate_state *shared = self->shared;
    const aggregate_shape *shape = &shared->shape;
    if (shape->has_groups) {
        const stage_options options = {.table = &shared->table_store,
                                       .key_count = shape->group_keys,
                                       .kept = aggregate_kept_store(shared),
                                       .passed = aggregate_passed_store(shared),
                                       .count_parts = count_parts,
                                       .user = shared,
                                       .part_max = aggregate_part_max(shared),
                                       .table_bytes = aggregate_table_bytes(shared),
                                       .share_bytes = aggregate_share(shared),
                                       .may_be_direct = shape->is_direct,
                                       .group_estimate = shape->node->aggregate_.group_estimate,
                                       .row_estimate = rows_expected(shape->node)};
        TRY(stage_open(&options, memory, &self->groups, err));
        aggregate_lend(shared, aggregate_pages_kept(shared), &self->groups.spares);
    }
    for (uint32_t i = 0; i < shape->collector_count; i++) {
        TRY(aggregate_open_collected(shared, i, self->is_numbered, memory, &self->collected[i],
                                     err));
        aggregate_lend(shared, aggregate_pages_kept(shared), &self->collected[i].spares);
    }
    return FIRN_OK;
}

firn_status aggregate_worker_open(aggregate_state *shared, arena *memory, aggregate_worker **out,
                                  firn_error *err) {
    TRY(aggregate_state_open(shared, err));
    const aggregate_shape *shape = &shared->shape;
    aggregate_worker *self = ARENA_NEW(memory, aggregate_worker, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (aggregate_worker){
        .shared = shared,
        .heap = aggregate_heap_open(shared->keeper),
        .is_numbered = shape->may_number && !atomic_load(&shared->numbers.is_over),
        .may_be_direct =
            shape->set_count == 0 && group_direct_takes(shape->numbers.types, shape->group_keys),
        .rows_expected = rows_expected(shape->node),
        .look_rows = NUMBERS_LOOK_ROWS,
        .pace = row_pace_open(shared->run)};
    *out = self;
    self->collected = ARENA_NEW(memory, aggregate_stage, shape->collector_count + 1);
    for (uint32_t i = 0; self->collected != NULL && i < shape->collector_count; i++) {
        self->collected[i] = (aggregate_stage){0};
    }
    self->single = ARENA_NEW(memory, uint8_t, shape->table.size);
    if (self->collected == NULL || self->single == NULL) {
        return ARENA_FULL(memory, err);
    }
    aggregate_init(shape, (uint8_t *[]){row_extra(&shape->table, self->single)}, 1);
    TRY(open_values(self, memory, err));
    if (self->is_numbered) {
        TRY(group_table_open(&shared->numbers.store, shape->group_keys, memory->owner,
                             &self->key_table, err));
    }
    TRY(open_stages(self, memory, err));
    TRY(aggregate_cache_open(shape, memory, &self->cache, err));
    TRY(aggregate_totals_open(&shared->totals, shared->run->context, memory, &self->totals, err));
    return expr_open(shape->program, shared->run->context, &shared->run->dynamic, memory,
                     &self->exprs, err);
}

void aggregate_worker_close(aggregate_worker *self) {
    if (self == NULL) {
        return;
    }
    stage_close(&self->groups);
    for (uint32_t i = 0; self->collected != NULL && i < self->shared->shape.collector_count; i++) {
        stage_close(&self->collected[i]);
    }
    group_table_close(&self->key_table);
    aggregate_heap_close(&self->heap);
    aggregate_totals_close(self->totals);
    expr_close(self->exprs);
}

// ---- Groups of a batch --------------------------------------------------------------------------

// What the stage's callbacks know.
typedef struct building {
    aggregate_worker *worker;
    aggregate_context context;
    bool puts_totals; // Rows are keys of totals.
} building;

static uint32_t number_at(const stage_input *in, uint32_t k) {
    return in->rows == NULL ? k : in->rows[k];
}

static firn_status put_totals(const building *self, const stage_places *placed) {
    for (uint32_t i = 0; i < placed->count; i++) {
        const uint32_t k = placed->ks == NULL ? i : placed->ks[i];
        TRY(aggregate_totals_put(self->worker->totals, &self->context, number_at(placed->in, k),
                                 placed->places[i]));
    }
    return FIRN_OK;
}

// Rows have their group, in the table or as a row of a partition: into its states.
static firn_status update_placed(void *user, const stage_places *placed, firn_error *err) {
    building *self = user;
    TRY(aggregate_init_fresh(self->context.shape, placed->places, placed->fresh,
                             placed->fresh_count, self->context.scratch, err));
    if (self->puts_totals) {
        return put_totals(self, placed);
    }
    aggregate_rows rows = {
        .rows = placed->in->rows, .count = placed->count, .groups = placed->places};
    if (placed->ks != NULL) {
        uint16_t *numbers = ARENA_NEW(self->context.scratch, uint16_t, (size_t)placed->count + 1);
        if (numbers == NULL) {
            return ARENA_FULL(self->context.scratch, err);
        }
        for (uint32_t i = 0; i < placed->count; i++) {
            numbers[i] = (uint16_t)number_at(placed->in, placed->ks[i]);
        }
        rows.rows = numbers;
    }
    return aggregate_update_all(&self->context, &self->worker->values, &rows);
}

static firn_status flush_stage(void *user, aggregate_stage *stage, firn_error *err) {
    building *self = user;
    aggregate_worker *worker = self->worker;
    aggregate_cache_clear(worker->cache);
    return aggregate_flush_groups(worker->shared, &stage->table, &worker->heap, &stage->parts,
                                  stage_kept_pages(stage), self->context.scratch, err);
}

// Rows into partitions as groups of one row whose states have a heap: the states are made in
// scratch memory, then exported.
static firn_status append_states(building *self, aggregate_stage *stage, const stage_input *in,
                                 firn_error *err) {
    const aggregate_shape *shape = self->context.shape;
    arena *scratch = self->context.scratch;
    const uint32_t size = shape->table.size;
    uint8_t *block = arena_alloc(scratch, in->count, size);
    uint8_t **groups = ARENA_NEW(scratch, uint8_t *, in->count);
    uint16_t *fresh = ARENA_NEW(scratch, uint16_t, in->count);
    if (block == NULL || groups == NULL || fresh == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t k = 0; k < in->count; k++) {
        groups[k] = block + (size_t)k * size;
        fresh[k] = (uint16_t)k;
    }
    const stage_places placed = {
        .in = in, .count = in->count, .places = groups, .fresh = fresh, .fresh_count = in->count};
    // What the states keep is needed until it is exported, unlike that of the table's groups.
    aggregate_heap heap = aggregate_heap_open(self->worker->shared->keeper);
    aggregate_heap_lend(&self->worker->heap, &heap);
    building passing = *self;
    passing.context.heap = &heap;
    firn_status status = update_placed(&passing, &placed, err);
    if (status == FIRN_OK) {
        status = aggregate_append_exported(&passing.context, &stage->parts, in->columns, in->rows,
                                           in->hashes, groups, in->count);
    }
    heap.step = heap.filled > heap.step ? heap.filled : heap.step;
    aggregate_heap_clear(&heap);
    aggregate_heap_lend(&heap, &self->worker->heap);
    return status;
}

// What was made flat, or counted, since `values` was this goes with the scratch memory it lies in.
static void forget_made(aggregate_values *values, uint32_t root_count, const bool *was_flat) {
    for (uint32_t i = 0; i < root_count; i++) {
        values->is_flat[i] = was_flat[i];
        values->codes[i] = NULL;
    }
}

// A few rows at a time: their states and what is exported of them take far more than they.
static firn_status append_exported(void *user, aggregate_stage *stage, const stage_input *in,
                                   firn_error *err) {
    building *self = user;
    aggregate_values *values = &self->worker->values;
    arena *scratch = self->context.scratch;
    const uint32_t root_count = self->context.shape->root_count;
    bool *was_flat = ARENA_NEW(scratch, bool, root_count + 1);
    uint16_t *rows = ARENA_NEW(scratch, uint16_t, in->count);
    if (was_flat == NULL || rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t k = 0; k < in->count; k++) {
        rows[k] = (uint16_t)number_at(in, k);
    }
    memcpy(was_flat, values->is_flat, root_count * sizeof *was_flat);
    for (uint32_t from = 0; from < in->count; from += EXPORTED_ROWS) {
        const uint32_t left = in->count - from;
        const stage_input some = {.columns = in->columns,
                                  .rows = rows + from,
                                  .count = left < EXPORTED_ROWS ? left : EXPORTED_ROWS,
                                  .hashes = in->hashes + from};
        const arena_mark mark = arena_mark_take(scratch);
        TRY(append_states(self, stage, &some, err));
        arena_rewind(scratch, mark);
        forget_made(values, root_count, was_flat);
    }
    return FIRN_OK;
}

static firn_status append_passed(void *user, aggregate_stage *stage, const stage_input *in,
                                 firn_error *err) {
    building *self = user;
    (void)err;
    return aggregate_pass(&self->context, &self->worker->values, &stage->passed, in);
}

// Rows whose keys find their group without a hash; the others stay in *in.
static firn_status add_without_hash(building *self, stage_input *in, const stage_owner *owner,
                                    firn_error *err) {
    aggregate_worker *worker = self->worker;
    aggregate_stage *stage = &worker->groups;
    bool is_done = false;
    if (!stage->table.direct.is_on && !self->puts_totals) {
        TRY(aggregate_cache_add(worker->cache, stage, in, owner, &self->context, &worker->values,
                                &is_done));
    }
    if (is_done) {
        in->count = 0;
        return FIRN_OK;
    }
    return stage_add_direct(stage, in, aggregate_share(worker->shared), owner, err);
}

static firn_status add_groups(building *self, const stage_input *in, firn_error *err) {
    aggregate_worker *worker = self->worker;
    arena *scratch = self->context.scratch;
    const bool has_heap = self->context.shape->has_heap;
    const bool passes =
        !self->puts_totals && aggregate_may_pass(self->context.shape, &worker->values);
    const stage_owner owner = {.user = self,
                               .scratch = scratch,
                               .placed = update_placed,
                               .flush = flush_stage,
                               .append = has_heap ? append_exported
                                         : passes ? append_passed
                                                  : NULL,
                               .passes = passes};
    stage_input left = *in;
    const bool has_room = !has_heap || aggregate_heap_reserve(&worker->heap);
    if (!has_room && worker->groups.table.group_count > 0) {
        TRY(stage_partition(&worker->groups, &owner, err));
    }
    const uint64_t filled = worker->heap.filled;
    TRY(add_without_hash(self, &left, &owner, err));
    if (left.count > 0) {
        uint64_t *hashes = ARENA_NEW(scratch, uint64_t, left.count);
        if (hashes == NULL || !group_hash_rows(left.columns, self->context.shape->group_keys,
                                               left.rows, left.count, scratch, hashes)) {
            return ARENA_FULL(scratch, err);
        }
        left.hashes = hashes;
        TRY(stage_add(&worker->groups, &left, &owner, err));
    }
    if (worker->heap.filled > filled + worker->heap.step) {
        worker->heap.step = worker->heap.filled - filled;
    }
    const uint64_t share = aggregate_share(worker->shared);
    const uint64_t most =
        worker->groups.table.group_count <= GROUPS_FEW ? HEAP_BYTES_FEW : HEAP_BYTES_MAX;
    const uint64_t heap_max = share / HEAP_SHARE < most ? share / HEAP_SHARE : most;
    if (worker->heap.size > heap_max && worker->groups.table.group_count > 0) {
        TRY(stage_partition(&worker->groups, &owner, err));
    }
    return stage_look(&worker->groups, share, err);
}

// ---- Totals ------------------------------------------------------------------------------------

// What is in the cells goes into the states.
static firn_status settle_totals(building *self, firn_error *err) {
    aggregate_worker *worker = self->worker;
    arena *scratch = self->context.scratch;
    column *keys;
    stage_input in = {.rows = NULL};
    TRY(aggregate_totals_keys(worker->totals, scratch, &keys, &in.count, err));
    in.columns = keys;
    if (self->context.shape->has_groups) {
        self->puts_totals = true;
        TRY(add_groups(self, &in, err));
        self->puts_totals = false;
    } else if (in.count > 0) {
        TRY(aggregate_totals_put(worker->totals, &self->context, 0, worker->single));
    }
    aggregate_totals_clear(worker->totals);
    return FIRN_OK;
}

static firn_status add_totals(building *self, const batch *input, bool *is_done, firn_error *err) {
    aggregate_totals *totals = self->worker->totals;
    totals_answer answer = totals == NULL ? TOTALS_REFUSED : TOTALS_FULL;
    if (totals != NULL) {
        TRY(aggregate_totals_add(totals, input, self->context.scratch, &answer, err));
    }
    if (answer == TOTALS_FULL) {
        TRY(settle_totals(self, err));
        TRY(aggregate_totals_add(totals, input, self->context.scratch, &answer, err));
        assert(answer != TOTALS_FULL);
    }
    *is_done = answer == TOTALS_TAKEN;
    return FIRN_OK;
}

static building building_of(aggregate_worker *self, const op_call *call, firn_error *err) {
    return (building){.worker = self,
                      .context = {.shape = &self->shared->shape,
                                  .statement = self->shared->run->context,
                                  .scratch = call->scratch,
                                  .heap = &self->heap,
                                  .err = err}};
}

firn_status aggregate_worker_put_totals(aggregate_worker *self, op_call *call, firn_error *err) {
    building state = building_of(self, call, err);
    return self->totals == NULL || !aggregate_totals_has_rows(self->totals)
               ? FIRN_OK
               : settle_totals(&state, err);
}

// ---- Batches -----------------------------------------------------------------------------------

// Rows of a batch by one set of keys, into groups and collectors.
static firn_status push_keys(building *self, const column *keys, const aggregate_rows *rows,
                             batch_sequence sequence, firn_error *err) {
    const aggregate_shape *shape = self->context.shape;
    aggregate_rows left;
    self->context.sequence = sequence;
    TRY(aggregate_collect_rows(self->worker, &self->context, keys, rows, &left));
    if (shape->has_groups) {
        const stage_input in = {.columns = keys, .rows = left.rows, .count = left.count};
        return in.count == 0 ? FIRN_OK : add_groups(self, &in, err);
    }
    aggregate_rows all = *rows;
    all.single = self->worker->single;
    return aggregate_update_all(&self->context, &self->worker->values, &all);
}

// Key columns of a grouping set: keys that it does not have are NULL; the set's number is one more.
static firn_status push_sets(building *self, const column *keys, const aggregate_rows *rows,
                             const batch *input, firn_error *err) {
    const aggregate_shape *shape = self->context.shape;
    arena *scratch = self->context.scratch;
    column *chosen = ARENA_NEW(scratch, column, shape->group_keys);
    int32_t *numbers = ARENA_NEW(scratch, int32_t, shape->set_count);
    if (chosen == NULL || numbers == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t set = 0; set < shape->set_count; set++) {
        const uint32_t mask = shape->node->aggregate_.sets.items[set];
        for (uint32_t i = 0; i < shape->key_count; i++) {
            chosen[i] = keys[i];
            if ((mask >> i & 1) == 0) {
                TRY(column_new_null(scratch, keys[i].type, input->row_count, &chosen[i], err));
            }
        }
        numbers[set] = (int32_t)set;
        chosen[shape->key_count] = (column){.type = TYPE_OF(INTEGER),
                                            .form = FORM_CONSTANT,
                                            .length = input->row_count,
                                            .values = &numbers[set]};
        TRY(push_keys(self, chosen, rows, input->sequence, err));
    }
    return FIRN_OK;
}

static firn_status push_rows(aggregate_worker *self, op_call *call, const batch *input,
                             firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    building state = building_of(self, call, err);
    TRY(expr_run(self->exprs, input, call->scratch, self->values.columns, err));
    for (uint32_t i = 0; i < shape->root_count; i++) {
        self->values.is_flat[i] = false;
        self->values.codes[i] = NULL;
    }
    column *keys = ARENA_NEW(call->scratch, column, shape->key_count + 1);
    if (keys == NULL) {
        return ARENA_FULL(call->scratch, err);
    }
    for (uint32_t i = 0; i < shape->key_count; i++) {
        keys[i] = self->values.columns[i];
        if (keys[i].form == FORM_RUNS) {
            const column *flat;
            TRY(aggregate_value_flat(&self->values, i, call->scratch, &flat, err));
            keys[i] = *flat;
        }
    }
    const aggregate_rows rows = {.rows = input->selection, .count = input->selected_count};
    return shape->set_count > 0 ? push_sets(&state, keys, &rows, input, err)
                                : push_keys(&state, keys, &rows, input->sequence, err);
}

// Where arguments may be long, or states keep bytes of them, as many rows at a time as there is
// room for.
static firn_status push_paced(aggregate_worker *self, op_call *call, const batch *input,
                              firn_error *err) {
    for (uint32_t from = 0; from < input->selected_count;) {
        const uint32_t count = row_pace_rows(&self->pace, input->selected_count - from);
        const arena_mark mark = arena_mark_take(call->scratch);
        batch part;
        TRY(batch_slice(call->scratch, input, from, count, &part, err));
        TRY(push_rows(self, call, &part, err));
        row_pace_learn(&self->pace, count, arena_bytes_since(call->scratch, mark));
        arena_rewind(call->scratch, mark);
        from += count;
    }
    return FIRN_OK;
}

firn_status aggregate_worker_push(aggregate_worker *self, op_call *call, const batch *input,
                                  firn_error *err) {
    building state = building_of(self, call, err);
    bool is_done;
    self->input_rows += input->selected_count;
    TRY(add_totals(&state, input, &is_done, err));
    if (is_done) {
        return FIRN_OK;
    }
    const aggregate_shape *shape = &self->shared->shape;
    return shape->makes_values || shape->has_heap ? push_paced(self, call, input, err)
                                                  : push_rows(self, call, input, err);
}

bool aggregate_has_enough(aggregate_worker *self) {
    aggregate_state *shared = self->shared;
    const uint64_t limit = shared->shape.node->aggregate_.group_limit;
    if (limit == 0) {
        return false;
    }
    if (self->groups.table.group_count >= limit) {
        atomic_store_explicit(&shared->has_enough, true, memory_order_relaxed);
    }
    return atomic_load_explicit(&shared->has_enough, memory_order_relaxed);
}

// ---- Groups whose states have a heap, as rows of partitions -------------------------------------

firn_status aggregate_append_exported(const aggregate_context *self, row_writer *to,
                                      const column *keys, const uint16_t *rows,
                                      const uint64_t *hashes, uint8_t *const *groups,
                                      uint32_t count) {
    const aggregate_shape *shape = self->shape;
    arena *scratch = self->scratch;
    column *columns = ARENA_NEW(scratch, column, shape->kept.column_count + 1);
    uint8_t **places = ARENA_NEW(scratch, uint8_t *, (size_t)count + 1);
    if (columns == NULL || places == NULL) {
        return ARENA_FULL(scratch, self->err);
    }
    for (uint32_t i = 0; i < shape->group_keys; i++) {
        columns[i] = keys[i];
        if (rows != NULL) {
            TRY(column_take_selection(scratch, &keys[i], rows, count, &columns[i], self->err));
        }
    }
    TRY(aggregate_export(self, groups, count, columns + shape->group_keys));
    row_input in = {.columns = columns, .count = count, .hashes = hashes};
    while (in.next < in.count) {
        const uint32_t from = in.next;
        TRY(row_writer_append(to, &in, places, scratch, self->err));
        for (uint32_t k = from; k < in.next; k++) {
            memcpy(row_extra(&shape->kept, places[k]), row_extra(&shape->table, groups[k]),
                   shape->plain_size);
        }
    }
    return FIRN_OK;
}

static firn_status flush_some(const aggregate_context *self, aggregate_state *shared,
                              uint8_t *const *rows, uint32_t count, row_writer *to) {
    const aggregate_shape *shape = self->shape;
    uint64_t hashes[CHUNK];
    column *keys = ARENA_NEW(self->scratch, column, shape->group_keys + 1);
    if (keys == NULL) {
        return ARENA_FULL(self->scratch, self->err);
    }
    for (uint32_t i = 0; i < shape->group_keys; i++) {
        TRY(rows_gather(&shared->table_store, i, (const uint8_t *const *)rows, count, self->scratch,
                        &keys[i], self->err));
    }
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = row_hash(rows[i]);
    }
    return aggregate_append_exported(self, to, keys, NULL, hashes, rows, count);
}

// As many at a time as there is room for what their states export.
static firn_status flush_exported(const aggregate_context *self, aggregate_state *shared,
                                  const group_table *table, row_writer *to) {
    uint8_t *rows[CHUNK];
    group_cursor cursor = {0};
    row_pace pace = row_pace_open(shared->run);
    const arena_mark mark = arena_mark_take(self->scratch);
    for (uint32_t n; (n = group_table_next(table, &cursor, rows, CHUNK)) > 0;) {
        for (uint32_t at = 0, some; at < n; at += some) {
            some = rows_readable(&shared->table_store, (const uint8_t *const *)rows + at,
                                 row_pace_rows(&pace, n - at), pace.most);
            TRY(flush_some(self, shared, rows + at, some, to));
            row_pace_learn(&pace, some, arena_bytes_since(self->scratch, mark));
            arena_rewind(self->scratch, mark);
        }
    }
    return FIRN_OK;
}

firn_status aggregate_flush_groups(aggregate_state *self, group_table *table, aggregate_heap *heap,
                                   row_writer *to, uint32_t kept_count, arena *scratch,
                                   firn_error *err) {
    if (!self->shape.has_heap) {
        return group_table_flush(table, to, kept_count, err);
    }
    const aggregate_context context = {.shape = &self->shape,
                                       .statement = self->run->context,
                                       .scratch = scratch,
                                       .heap = heap,
                                       .err = err};
    TRY(flush_exported(&context, self, table, to));
    group_table_clear(table);
    aggregate_heap_clear(heap);
    return FIRN_OK;
}
