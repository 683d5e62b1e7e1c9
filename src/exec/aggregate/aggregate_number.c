// Collected rows of few groups do without keys: each has the number of its group. All workers
// together have one table of keys, which gives the numbers; each has a copy of what it met, where
// rows find theirs.
//
//     keys ─► worker's table ─► id                 no lock
//                  └ new ─► table of all ─► id     under the lock
//
// Where keys are too many nobody gives numbers any more: rows that have one are
// written again with their keys, and all that follow have them from the start.
#include "exec/aggregate/aggregate_state.h"

#include <assert.h>

#define NUMBERS_MAX UINT64_C(16384)
#define TABLE_SHARE 32 // Of what a worker may have.
#define DIRECT_SLOTS (UINT64_C(1) << 17)
#define CHUNK 512

// ---- The table of all ---------------------------------------------------------------------------

firn_status aggregate_numbers_open(aggregate_state *self, firn_error *err) {
    aggregate_numbers *numbers = &self->numbers;
    const aggregate_shape *shape = &self->shape;
    if (!shape->may_number) {
        return FIRN_OK;
    }
    TRY(row_store_open(&shape->numbers, self->keeper, self->run->spill, &numbers->store, err));
    TRY(group_table_open(&numbers->store, shape->group_keys, self->run->pool, &numbers->table,
                         err));
    numbers->rows = ARENA_NEW(&self->memory, uint8_t *, NUMBERS_MAX);
    if (numbers->rows == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    numbers->page_max =
        (uint32_t)(aggregate_share(self) / TABLE_SHARE / page_size_of(self->keeper));
    atomic_store(&numbers->is_over, numbers->page_max < 2);
    return FIRN_OK;
}

void aggregate_numbers_close(aggregate_state *self) {
    group_table_close(&self->numbers.table);
    row_store_close(&self->numbers.store);
}

uint64_t aggregate_numbers_count(const aggregate_state *self) {
    return atomic_load(&self->numbers.is_over) ? 0 : self->numbers.table.group_count;
}

static bool is_over(const aggregate_state *self) {
    return atomic_load_explicit(&self->numbers.is_over, memory_order_acquire);
}

static void end_numbers(aggregate_state *self) {
    mutex_lock(&self->lock);
    atomic_store(&self->numbers.is_over, true);
    mutex_unlock(&self->lock);
}

static uint8_t *id_of(const aggregate_state *self, uint8_t *row) {
    return row_extra(&self->shape.numbers, row);
}

// Rows of a worker's table get their ids. Under the lock. False: there are too many keys.
static firn_status give_ids(aggregate_state *self, uint8_t *const *rows, uint32_t count, bool *fits,
                            arena *scratch, firn_error *err) {
    aggregate_numbers *numbers = &self->numbers;
    uint8_t *groups[CHUNK];
    bool is_fresh[CHUNK];
    group_table *table = &numbers->table;
    assert(count <= CHUNK);
    *fits = !is_over(self) && table->group_count + count <= NUMBERS_MAX &&
            table->rows.parts[0].page_count <= numbers->page_max &&
            group_table_reserve(table, count);
    if (!*fits) {
        atomic_store(&numbers->is_over, true);
        return FIRN_OK;
    }
    group_absorbing call = {.rows = rows, .count = count, .groups = groups, .is_fresh = is_fresh};
    uint64_t number = table->group_count;
    TRY(group_table_absorb(table, &call, scratch, err));
    for (uint32_t k = 0; k < call.done; k++) {
        if (is_fresh[k]) {
            numbers->rows[number++] = groups[k];
            const uint64_t id = (row_hash(groups[k]) & ~AGGREGATE_NUMBER_MASK) | number;
            memcpy(id_of(self, groups[k]), &id, sizeof id);
        }
        memcpy(id_of(self, rows[k]), id_of(self, groups[k]), sizeof(uint64_t));
    }
    *fits = call.done == count;
    if (!*fits) {
        atomic_store(&numbers->is_over, true);
    }
    return FIRN_OK;
}

// Keys that are too long for a page are no less to have than rows with them.
static bool has_blobs(const row_layout *layout, uint8_t *const *rows, uint32_t count) {
    bool any = false;
    for (uint32_t k = 0; k < count && layout->heap_offset != ROW_NONE; k++) {
        any |= row_heap_of(layout, rows[k]).blob != ROW_NONE;
    }
    return any;
}

// Groups that a look-up made in a worker's table. *fits is false if that was the end of numbers.
static firn_status number_fresh(aggregate_state *self, const group_lookup *call, bool *fits,
                                arena *scratch, firn_error *err) {
    uint8_t *rows[CHUNK];
    *fits = true;
    for (uint32_t from = 0; from < call->fresh_count && *fits; from += CHUNK) {
        const uint32_t left = call->fresh_count - from;
        const uint32_t count = left < CHUNK ? left : CHUNK;
        for (uint32_t i = 0; i < count; i++) {
            rows[i] = call->groups[call->fresh[from + i]];
        }
        if (has_blobs(&self->shape.numbers, rows, count)) {
            *fits = false;
            end_numbers(self);
            break;
        }
        mutex_lock(&self->lock);
        const firn_status status = give_ids(self, rows, count, fits, scratch, err);
        mutex_unlock(&self->lock);
        TRY(status);
    }
    return FIRN_OK;
}

// ---- Rows of a worker ---------------------------------------------------------------------------

// *fits is false if not all rows have a group by key. Those that were made have their ids.
static firn_status find_direct(aggregate_worker *self, group_lookup *call, bool *fits,
                               arena *scratch, firn_error *err) {
    group_table *table = &self->key_table;
    if (!table->direct.is_on) {
        TRY(group_direct_begin(table, DIRECT_SLOTS, &self->may_be_direct, scratch, err));
    }
    *fits = self->may_be_direct;
    if (*fits) {
        TRY(group_direct_find(table, call, DIRECT_SLOTS, fits, scratch, err));
    }
    if (*fits) {
        TRY(number_fresh(self->shared, call, fits, scratch, err));
        *fits = *fits && call->missing_count == 0;
    }
    if (!*fits) {
        self->may_be_direct = false;
        group_direct_end(table);
    }
    return FIRN_OK;
}

static firn_status find_by_hash(aggregate_worker *self, group_lookup *call, bool *fits,
                                arena *scratch, firn_error *err) {
    group_table *table = &self->key_table;
    uint64_t *hashes = ARENA_NEW(scratch, uint64_t, call->count);
    if (hashes == NULL || !group_hash_rows(call->columns, table->key_count, call->rows, call->count,
                                           scratch, hashes)) {
        return ARENA_FULL(scratch, err);
    }
    call->hashes = hashes;
    *fits = group_table_reserve(table, call->count);
    if (*fits) {
        TRY(group_table_find(table, call, scratch, err));
        TRY(number_fresh(self->shared, call, fits, scratch, err));
        *fits = *fits && call->missing_count == 0;
    }
    return FIRN_OK;
}

static firn_status find_ids(aggregate_worker *self, const column *keys, const aggregate_rows *rows,
                            uint64_t **out, arena *scratch, firn_error *err) {
    group_lookup call = {.columns = keys, .rows = rows->rows, .count = rows->count};
    call.groups = ARENA_NEW(scratch, uint8_t *, call.count);
    call.fresh = ARENA_NEW(scratch, uint16_t, call.count);
    uint64_t *ids = ARENA_NEW(scratch, uint64_t, BATCH_ROWS);
    if (call.groups == NULL || call.fresh == NULL || ids == NULL) {
        return ARENA_FULL(scratch, err);
    }
    bool fits = false;
    if (self->may_be_direct) {
        TRY(find_direct(self, &call, &fits, scratch, err));
    }
    if (!fits && !is_over(self->shared)) {
        TRY(find_by_hash(self, &call, &fits, scratch, err));
    }
    if (!fits) {
        return FIRN_OK;
    }
    for (uint32_t k = 0; k < call.count; k++) {
        memcpy(&ids[call.rows == NULL ? k : call.rows[k]], id_of(self->shared, call.groups[k]),
               sizeof *ids);
    }
    *out = ids;
    return FIRN_OK;
}

// Where keys come in order there is always another one: what is seen of them, each time that rows
// are twice as many, tells how many there will be.
static bool will_be_many(aggregate_worker *self) {
    if (self->numbered_rows < self->look_rows) {
        return false;
    }
    const uint64_t keys = self->key_table.group_count;
    const bool goes_on = keys > self->looked_keys + self->looked_keys / 2;
    const double times = (double)self->rows_expected / (double)self->numbered_rows;
    const bool has_looked = self->looked_keys > 0;
    self->looked_keys = keys;
    self->look_rows = self->numbered_rows * 2;
    return has_looked && goes_on && (double)keys * times > (double)NUMBERS_MAX;
}

firn_status aggregate_number_rows(aggregate_worker *self, const column *keys,
                                  const aggregate_rows *rows, uint64_t **out, arena *scratch,
                                  firn_error *err) {
    *out = NULL;
    if (!is_over(self->shared) && !will_be_many(self)) {
        TRY(find_ids(self, keys, rows, out, scratch, err));
        self->numbered_rows += rows->count;
    }
    if (*out != NULL) {
        return FIRN_OK;
    }
    end_numbers(self->shared);
    return aggregate_number_end(self, scratch, err);
}

// ---- Rows get their keys ------------------------------------------------------------------------

typedef struct rekeying {
    aggregate_state *shared;
    uint32_t collector;
    aggregate_stage *to;
    uint8_t *const *rows;
    arena *scratch;
} rekeying;

static firn_status copy_extra(void *user, const stage_places *placed, firn_error *err) {
    const rekeying *self = user;
    const aggregate_collector *collector = &self->shared->shape.collectors[self->collector];
    (void)err;
    for (uint32_t i = 0; i < placed->count; i++) {
        const uint32_t k = placed->ks == NULL ? i : placed->ks[i];
        const uint32_t row = placed->in->rows == NULL ? k : placed->in->rows[k];
        memcpy(row_extra(&collector->layout, placed->places[i]),
               row_extra(&collector->numbered, self->rows[row]), collector->layout.extra_size);
    }
    return FIRN_OK;
}

static firn_status rekey_rows(rekeying *self, uint32_t count, firn_error *err) {
    const aggregate_state *shared = self->shared;
    const aggregate_numbers *numbers = &shared->numbers;
    const row_store *store = &shared->numbered_stores[self->collector];
    arena *scratch = self->scratch;
    const uint32_t key_count = shared->shape.group_keys;
    const uint32_t value_count = store->layout->column_count;
    const uint8_t *keys[CHUNK];
    uint64_t hashes[CHUNK];
    column *columns = ARENA_NEW(scratch, column, (size_t)key_count + value_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t k = 0; k < count; k++) {
        keys[k] = numbers->rows[aggregate_number_of(self->rows[k])];
        hashes[k] = row_hash(keys[k]);
    }
    for (uint32_t i = 0; i < key_count; i++) {
        TRY(rows_gather(&numbers->store, i, keys, count, scratch, &columns[i], err));
    }
    for (uint32_t i = 0; i < value_count; i++) {
        TRY(rows_gather(store, i, (const uint8_t *const *)self->rows, count, scratch,
                        &columns[key_count + i], err));
    }
    const stage_owner owner = {.user = self, .scratch = scratch, .placed = copy_extra};
    const stage_input in = {.columns = columns, .count = count, .hashes = hashes};
    TRY(stage_add(self->to, &in, &owner, err));
    for (uint32_t k = 0; k < count; k++) {
        row_store_drop_blob(&self->shared->numbered_stores[self->collector], self->rows[k]);
    }
    return FIRN_OK;
}

static firn_status rekey_page(rekeying *self, row_page *page, firn_error *err) {
    uint8_t *rows[CHUNK];
    const row_layout *layout = &self->shared->shape.collectors[self->collector].numbered;
    const arena_mark mark = arena_mark_take(self->scratch);
    uint32_t at = 0;
    self->rows = rows;
    for (uint32_t n; (n = row_page_rows(page, layout, &at, rows, CHUNK)) > 0;) {
        TRY(rekey_rows(self, n, err));
        arena_rewind(self->scratch, mark);
    }
    TRY(stage_look(self->to, aggregate_share(self->shared), err));
    return cancel_check(self->scratch->cancel, err);
}

// A page to read into: one of the list's own if there is any.
static firn_status rekey_spilled(rekeying *self, row_pages *from, row_page *buffer,
                                 firn_error *err) {
    row_store *store = &self->shared->numbered_stores[self->collector];
    spill_desk desk = spill_desk_open(store->keeper);
    firn_status status = FIRN_OK;
    for (bool found = true; found && status == FIRN_OK;) {
        status = row_pages_read(store, from, &desk, buffer, &found, err);
        if (found && status == FIRN_OK) {
            status = rekey_page(self, buffer, err);
        }
    }
    spill_desk_close(&desk);
    return status;
}

firn_status aggregate_rekey(aggregate_state *self, uint32_t collector, row_pages *from,
                            aggregate_stage *to, arena *scratch, firn_error *err) {
    rekeying state = {.shared = self, .collector = collector, .to = to, .scratch = scratch};
    row_page *buffer = NULL;
    firn_status status = FIRN_OK;
    for (row_page *page; status == FIRN_OK && (page = row_pages_pop(from)) != NULL;) {
        status = rekey_page(&state, page, err);
        page_put(self->keeper, buffer);
        buffer = page;
    }
    if (status == FIRN_OK && from->spilled.count > 0) {
        buffer = buffer == NULL ? page_get_urgent(self->keeper) : buffer;
        if (buffer == NULL) {
            return POOL_FULL(self->keeper, page_size_of(self->keeper), err);
        }
        status = rekey_spilled(&state, from, buffer, err);
    }
    page_put(self->keeper, buffer);
    return status;
}

// Puts a list of spare pages in front of another.
static void move_spares(row_page **from, row_page **to) {
    for (row_page *page; (page = *from) != NULL;) {
        *from = page->next;
        page->next = *to;
        *to = page;
    }
}

static firn_status rekey_stage(aggregate_worker *self, uint32_t collector, aggregate_stage *old,
                               arena *scratch, firn_error *err) {
    aggregate_stage *to = &self->collected[collector];
    TRY(aggregate_open_collected(self->shared, collector, false, old->memory, to, err));
    move_spares(&old->spares, &to->spares);
    move_spares(&old->parts.spares, &to->spares);
    move_spares(&old->list.spares, &to->spares);
    TRY(aggregate_rekey(self->shared, collector, &old->list.parts[0], to, scratch, err));
    for (uint32_t i = 0; old->is_partitioned && i < old->parts.part_count; i++) {
        TRY(aggregate_rekey(self->shared, collector, &old->parts.parts[i], to, scratch, err));
    }
    return FIRN_OK;
}

firn_status aggregate_number_end(aggregate_worker *self, arena *scratch, firn_error *err) {
    firn_status status = FIRN_OK;
    group_table_close(&self->key_table);
    if (!self->is_numbered || !is_over(self->shared)) {
        return FIRN_OK;
    }
    self->is_numbered = false;
    for (uint32_t i = 0; i < self->shared->shape.collector_count && status == FIRN_OK; i++) {
        if (self->shared->shape.collectors[i].may_number) {
            aggregate_stage old = self->collected[i];
            self->collected[i] = (aggregate_stage){0};
            status = rekey_stage(self, i, &old, scratch, err);
            stage_close(&old);
        }
    }
    return status;
}
