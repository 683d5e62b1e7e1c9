#include "exec/sort/sort_state.h"

#include "memory/page.h"
#include "memory/pool.h"

#define MEMORY_MAX ((size_t)1 << 40) // The pool is what limits it.
#define LOOK_EVERY 256               // Rows between two looks at the cancel flag.
#define TOP_ROWS_MAX 100000          // Above it a limit is sorted like any other order.

// ---- Opening ------------------------------------------------------------------------------------

static firn_status fill(sort_state *self, const plan_node *node, const input_layout *input,
                        firn_error *err) NO_LOCK_CHECK {
    const uint32_t count = node->sort_.keys.count;
    arena *memory = &self->memory;
    const expr **keys = ARENA_NEW(memory, const expr *, count + 1);
    self->orders = ARENA_NEW(memory, sort_order, count + 1);
    self->rooms = ARENA_NEW(memory, sort_room, self->run->worker_count);
    if (keys == NULL || self->orders == NULL || self->rooms == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->run->worker_count; i++) {
        self->rooms[i] = (sort_room){0};
    }
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = node->sort_.keys.items[i].value;
        self->orders[i] = (sort_order){.is_descending = node->sort_.keys.items[i].is_descending,
                                       .nulls_first = node->sort_.keys.items[i].nulls_first};
    }
    self->key_count = count;
    TRY(sort_columns_open(self, err));
    self->bits.word_count = self->key_bytes / (uint32_t)sizeof(uint64_t);
    self->limit = node->sort_.limit;
    self->offset = node->sort_.offset;
    if (__builtin_add_overflow(self->limit, self->offset, &self->wanted)) {
        self->wanted = UINT64_MAX;
    }
    self->is_top = self->wanted <= TOP_ROWS_MAX;
    TRY(expr_compile(keys, count, input, memory, &self->program, err));
    sort_bound_open(self, input);
    return FIRN_OK;
}

firn_status sort_state_open(const plan_node *node, const input_layout *input, execution *run,
                            sort_state **out, firn_error *err) {
    *out = NULL;
    arena memory = execution_arena(run, MEMORY_MAX);
    sort_state *self = ARENA_NEW(&memory, sort_state, 1);
    if (self == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (sort_state){.run = run, .node = node, .memory = memory};
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    firn_status status = fill(self, node, input, err);
    if (status != FIRN_OK) {
        sort_state_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

static firn_status fill_room(sort_state *self, sort_room *room, firn_error *err) {
    pool *keeper = self->keeper;
    const size_t wanted = SORT_ENTRIES_MIN * sizeof *room->entries;
    room->unit = page_get(keeper);
    room->spare = page_get(keeper);
    room->entries = pool_block_take(keeper, wanted, &room->entries_bytes);
    if (room->unit == NULL || room->spare == NULL || room->entries == NULL) {
        return POOL_FULL(keeper, wanted, err);
    }
    return FIRN_OK;
}

static firn_status begin(sort_state *self, firn_error *err) {
    const uint32_t workers = self->run->worker_count;
    TRY(row_keeper_open(self->run->pool, "sort", sort_state_min_bytes(self, workers),
                        row_page_bytes(&self->layout), &self->keeper, err));
    TRY(row_store_open(&self->layout, self->keeper, self->run->spill, &self->store, err));
    for (uint32_t i = 0; i < workers; i++) {
        TRY(fill_room(self, &self->rooms[i], err));
    }
    return FIRN_OK;
}

// The keeper is opened with the first worker: then the query has its minimum.
firn_status sort_state_begin(sort_state *self, firn_error *err) {
    firn_status status = FIRN_OK;
    mutex_lock(&self->lock);
    if (!self->is_open && self->keeper == NULL) {
        status = begin(self, err);
        self->is_open = status == FIRN_OK;
    } else if (!self->is_open) {
        status = FAIL(err, FIRN_NO_MEMORY, "a sort could not begin");
    }
    mutex_unlock(&self->lock);
    return status;
}

// ---- Closing ------------------------------------------------------------------------------------

void sort_state_empty(sort_state *self) NO_LOCK_CHECK {
    for (sort_run *run = self->runs; run != NULL; run = run->following) {
        sort_run_close(&self->store, run);
    }
    if (self->keeper != NULL) {
        pool_settle(self->keeper);
    }
}

static void close_rooms(sort_state *self) {
    for (uint32_t i = 0; i < self->run->worker_count; i++) {
        sort_room *room = &self->rooms[i];
        page_put(self->keeper, room->unit);
        page_put(self->keeper, room->spare);
        pool_block_give(self->keeper, room->entries, room->entries_bytes);
    }
}

void sort_state_release(sort_state *self) {
    if (self->keeper != NULL) {
        sort_state_empty(self);
        close_rooms(self);
        self->spilled_bytes = atomic_load(&self->store.spilled_bytes);
        self->peak_bytes = pool_peak(self->keeper);
        row_store_close(&self->store);
        pool_close(self->keeper);
        self->keeper = NULL;
    }
}

void sort_state_close(sort_state *self) {
    if (self == NULL) {
        return;
    }
    sort_state_release(self);
    mutex_end(&self->lock);
    arena memory = self->memory; // It holds `self`.
    arena_close(&memory);
}

// ---- Runs ---------------------------------------------------------------------------------------

firn_status sort_state_add(sort_state *self, const sort_run *made, firn_error *err) {
    mutex_lock(&self->lock);
    sort_run *run = ARENA_NEW(&self->memory, sort_run, 1);
    if (run != NULL) {
        *run = *made;
        run->following = self->runs;
        self->runs = run;
    }
    mutex_unlock(&self->lock);
    return run == NULL ? ARENA_FULL(&self->memory, err) : FIRN_OK;
}

void sort_state_add_bits(sort_state *self, const sort_bits *bits) {
    mutex_lock(&self->lock);
    sort_bits_add(&self->bits, bits);
    mutex_unlock(&self->lock);
}

static firn_status write_rows(sort_state *self, sort_run_writer *writer, const sort_entry *entries,
                              uint64_t count, firn_error *err) {
    const uint64_t kept = count < self->wanted ? count : self->wanted;
    for (uint64_t i = 0; i < kept; i++) {
        if (i % LOOK_EVERY == 0) {
            TRY(cancel_check(&self->run->cancel, err));
        }
        TRY(row_store_write_blob(&self->store, entries[i].row, err));
        TRY(sort_run_writer_add(writer, entries[i].row, err));
    }
    for (uint64_t i = kept; i < count; i++) {
        row_store_drop_blob(&self->store, entries[i].row);
    }
    return sort_run_writer_finish(writer, err);
}

firn_status sort_state_spill(sort_state *self, uint32_t worker, const sort_entry *entries,
                             uint64_t count, sort_run *out, firn_error *err) {
    spill_desk desk = spill_desk_open(self->keeper);
    sort_run_writer writer =
        sort_run_writer_open(&self->store, &desk, self->rooms[worker].unit, out);
    const firn_status status = write_rows(self, &writer, entries, count, err);
    spill_desk_close(&desk);
    if (status != FIRN_OK) {
        sort_run_close(&self->store, out);
        return status;
    }
    atomic_fetch_add_explicit(&self->spilled_run_count, 1, memory_order_relaxed);
    return FIRN_OK;
}
