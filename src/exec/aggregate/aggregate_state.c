#include "exec/aggregate/aggregate_state.h"

#include <assert.h>

#define TABLE_BYTES_MAX ((uint64_t)512 << 10)
#define TABLE_BYTES_MIN ((uint64_t)64 << 10)

// ---- Opening and closing ------------------------------------------------------------------------

firn_status aggregate_state_make(const plan_node *node, const input_layout *input, execution *run,
                                 aggregate_state **out, firn_error *err) {
    aggregate_state *self = ARENA_NEW(&run->memory, aggregate_state, 1);
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    *self = (aggregate_state){.run = run, .memory = execution_arena(run, SIZE_MAX)};
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    atomic_init(&self->numbers.is_over, true);
    atomic_init(&self->group_count, 0);
    atomic_init(&self->split_count, 0);
    atomic_init(&self->split_depth, 0);
    *out = self;
    TRY(aggregate_shape_make(node, input, &run->memory, &self->shape, err));
    return totals_plan_make(&self->shape, input, &run->memory, &self->totals, err);
}

// The stages of a worker that share what it may hold.
static uint32_t stage_count(const aggregate_shape *self) {
    return (self->has_groups && !self->is_collected) + self->collector_count;
}

uint32_t aggregate_pages_kept(const aggregate_state *self) {
    return stage_count(&self->shape) > AGGREGATE_STAGES_FEW ? 1 : 3;
}

uint64_t aggregate_share(const aggregate_state *self) {
    const uint32_t stages = stage_count(&self->shape);
    return pool_target(self->keeper) / self->run->worker_count / (stages == 0 ? 1 : stages);
}

static row_pages *open_lists(aggregate_state *self) {
    row_pages *lists = ARENA_NEW(&self->memory, row_pages, self->part_count);
    for (uint32_t i = 0; lists != NULL && i < self->part_count; i++) {
        lists[i] = (row_pages){.spilled = {.owner = self->keeper}};
    }
    return lists;
}

static firn_status open_kept(aggregate_state *self, row_store *store, row_store *table_store,
                             uint32_t key_count, aggregate_kept *out, firn_error *err) {
    arena *memory = &self->memory;
    const uint32_t workers = self->run->worker_count;
    *out = (aggregate_kept){.store = store,
                            .table_store = table_store,
                            .key_count = key_count,
                            .list = {.spilled = {.owner = self->keeper}}};
    out->parts = open_lists(self);
    out->tables = ARENA_NEW(memory, group_table, workers);
    out->heaps = ARENA_NEW(memory, aggregate_heap, workers);
    if (out->parts == NULL || out->tables == NULL || out->heaps == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < workers; i++) {
        out->tables[i] = (group_table){0};
        out->heaps[i] = aggregate_heap_open(self->keeper);
    }
    return FIRN_OK;
}

static firn_status open_stores(aggregate_state *self, firn_error *err) {
    const aggregate_shape *shape = &self->shape;
    arena *memory = &self->memory;
    spill *file = self->run->spill;
    const row_layout *table = &shape->table;
    if (!shape->has_groups) { // Its one row lies on no page, so it may be of any size.
        row_layout *none = ARENA_NEW(memory, row_layout, 1);
        if (none == NULL) {
            return ARENA_FULL(memory, err);
        }
        TRY(row_layout_make(NULL, 0, true, 0, memory, none, err));
        table = none;
    }
    TRY(row_store_open(table, self->keeper, file, &self->table_store, err));
    if (shape->has_heap && shape->has_groups) {
        TRY(row_store_open(&shape->kept, self->keeper, file, &self->kept_store, err));
    }
    if (shape->has_passed) {
        TRY(row_store_open(&shape->passed, self->keeper, file, &self->passed_store, err));
    }
    self->collector_stores = ARENA_NEW(memory, row_store, shape->collector_count + 1);
    aggregate_kept *collected = ARENA_NEW(memory, aggregate_kept, shape->collector_count + 1);
    self->numbered_stores = ARENA_NEW(memory, row_store, shape->collector_count + 1);
    self->numbered = ARENA_NEW(memory, aggregate_kept, shape->collector_count + 1);
    if (self->collector_stores == NULL || collected == NULL || self->numbered_stores == NULL ||
        self->numbered == NULL) {
        return ARENA_FULL(memory, err);
    }
    self->collected = collected; // All are there.
    for (uint32_t i = 0; i < shape->collector_count; i++) {
        self->collector_stores[i] = (row_store){0};
        self->numbered_stores[i] = (row_store){0};
        self->collected[i] = (aggregate_kept){0};
        self->numbered[i] = (aggregate_kept){0};
    }
    TRY(open_kept(self, aggregate_kept_store(self), &self->table_store, shape->group_keys,
                  &self->groups, err));
    self->groups.passed = shape->has_passed ? open_lists(self) : NULL;
    if (shape->has_passed && self->groups.passed == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < shape->collector_count; i++) {
        const aggregate_collector *collector = &shape->collectors[i];
        row_store *store = &self->collector_stores[i];
        TRY(row_store_open(&collector->layout, self->keeper, file, store, err));
        TRY(open_kept(self, store, collector->is_distinct ? store : NULL,
                      collector->layout.column_count, &self->collected[i], err));
        if (collector->may_number) {
            store = &self->numbered_stores[i];
            TRY(row_store_open(&collector->numbered, self->keeper, file, store, err));
            TRY(open_kept(self, store, NULL, 0, &self->numbered[i], err));
            self->numbered[i].is_numbered = true;
        }
    }
    return aggregate_numbers_open(self, err);
}

static firn_status open_single(aggregate_state *self, firn_error *err) {
    arena *memory = &self->memory;
    self->single_heap = aggregate_heap_open(self->keeper);
    self->single = ARENA_NEW(memory, uint8_t, self->shape.table.size);
    if (self->single == NULL) {
        return ARENA_FULL(memory, err);
    }
    aggregate_init(&self->shape, (uint8_t *[]){row_extra(&self->shape.table, self->single)}, 1);
    return FIRN_OK;
}

// What groups and collected rows take together, by the plan; 0: it does not know.
static uint64_t expected_bytes(const aggregate_shape *self) {
    const double rows = self->node->aggregate_.input->row_estimate;
    const uint64_t groups = self->node->aggregate_.group_estimate;
    if (rows < 0 || (self->has_groups && groups == 0)) {
        return 0;
    }
    double bytes = (double)groups * self->kept.size;
    for (uint32_t i = 0; i < self->collector_count; i++) {
        bytes += rows * self->collectors[i].layout.size;
    }
    return bytes < 0x1p62 ? (uint64_t)bytes : 0;
}

// Says at once what tables of all workers may come to: a keeper that feeds this one has much of the
// limit by now, and gives some of it back only to one that is known to want it. Stages that begin
// with what is left would send rows on to partitions for which there soon is room.
static void want_expected(aggregate_state *self) {
    uint64_t bytes;
    if (!__builtin_mul_overflow(expected_bytes(&self->shape), self->run->worker_count, &bytes)) {
        pool_want(self->keeper, bytes);
    }
}

// Taken at once: later another worker may have what the keeper gives.
static void keep_pages(aggregate_state *self) {
    const uint32_t wanted =
        aggregate_pages_kept(self) * stage_count(&self->shape) * self->run->worker_count;
    for (uint32_t i = 0; i < wanted; i++) {
        row_page *page = page_get(self->keeper);
        if (page == NULL) {
            break;
        }
        page->next = self->kept_pages;
        self->kept_pages = page;
    }
}

// Of many stages each has fewer partitions than usual, where pages for all would not be there.
static void bound_parts(aggregate_state *self) {
    const uint64_t pages = aggregate_share(self) / 2 / page_size_of(self->keeper);
    while (stage_count(&self->shape) > AGGREGATE_STAGES_FEW && self->part_count > 1 &&
           self->part_count > pages) {
        self->part_count /= 2;
    }
}

uint32_t aggregate_partition(aggregate_state *self) {
    mutex_lock(&self->lock);
    if (!self->has_parts) {
        self->has_parts = true;
        const uint32_t writers = stage_count(&self->shape) + self->shape.has_passed;
        self->part_count =
            partitions_hold(self->keeper, self->run->worker_count * writers, self->part_count);
        bound_parts(self);
    }
    const uint32_t count = self->part_count;
    mutex_unlock(&self->lock);
    return count;
}

uint32_t aggregate_part_max(aggregate_state *self) {
    mutex_lock(&self->lock);
    const uint32_t count = self->part_count;
    mutex_unlock(&self->lock);
    return count;
}

void aggregate_lend(aggregate_state *self, uint32_t count, row_page **list) {
    mutex_lock(&self->lock);
    for (; count > 0 && self->kept_pages != NULL; count--) {
        row_page *page = self->kept_pages;
        self->kept_pages = page->next;
        page->next = *list;
        *list = page;
    }
    mutex_unlock(&self->lock);
}

void aggregate_take_back(aggregate_state *self, row_page **list) {
    mutex_lock(&self->lock);
    for (row_page *page; (page = *list) != NULL;) {
        *list = page->next;
        page->next = self->kept_pages;
        self->kept_pages = page;
    }
    mutex_unlock(&self->lock);
}

static firn_status open_all(aggregate_state *self, firn_error *err) {
    execution *run = self->run;
    TRY(row_keeper_open(run->pool, "aggregate",
                        aggregate_min_bytes(&self->shape, run->worker_count),
                        self->shape.page_bytes, &self->keeper, err));
    keep_pages(self);
    want_expected(self);
    self->part_count = partition_count_for(aggregate_share(self), page_size_of(self->keeper),
                                           expected_bytes(&self->shape));
    self->has_begun = ARENA_NEW(&self->memory, bool, self->part_count);
    if (self->has_begun == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    memset(self->has_begun, 0, self->part_count * sizeof *self->has_begun);
    TRY(open_stores(self, err));
    return open_single(self, err);
}

aggregate_context aggregate_context_of(aggregate_state *self, aggregate_heap *heap, arena *scratch,
                                       firn_error *err) {
    return (aggregate_context){.shape = &self->shape,
                               .statement = self->run->context,
                               .scratch = scratch,
                               .heap = heap,
                               .err = err};
}

firn_status aggregate_state_open(aggregate_state *self, firn_error *err) {
    mutex_lock(&self->lock);
    firn_status status = FIRN_OK;
    if (self->has_failed) {
        status = FAIL(err, FIRN_NO_MEMORY, "an aggregate could not begin");
    } else if (!self->is_open) {
        status = open_all(self, err);
        self->is_open = status == FIRN_OK;
        self->has_failed = status != FIRN_OK;
    }
    mutex_unlock(&self->lock);
    return status;
}

static void close_kept(aggregate_state *self, aggregate_kept *kept) {
    if (kept->store == NULL) {
        return;
    }
    for (uint32_t i = 0; kept->parts != NULL && i < self->part_count; i++) {
        row_pages_close(kept->store, &kept->parts[i]);
    }
    for (uint32_t i = 0; kept->passed != NULL && i < self->part_count; i++) {
        row_pages_close(&self->passed_store, &kept->passed[i]);
    }
    row_pages_close(kept->store, &kept->list);
    for (uint32_t i = 0; i < kept->table_count; i++) {
        group_table_close(&kept->tables[i]);
        aggregate_heap_close(&kept->heaps[i]);
    }
    *kept = (aggregate_kept){0};
}

uint64_t aggregate_spilled_bytes(const aggregate_state *self) {
    uint64_t bytes = self->spilled_bytes + atomic_load(&self->table_store.spilled_bytes) +
                     atomic_load(&self->kept_store.spilled_bytes) +
                     atomic_load(&self->passed_store.spilled_bytes);
    for (uint32_t i = 0; self->collected != NULL && i < self->shape.collector_count; i++) {
        bytes += atomic_load(&self->collector_stores[i].spilled_bytes);
        bytes += atomic_load(&self->numbered_stores[i].spilled_bytes);
    }
    return bytes;
}

uint64_t aggregate_peak_bytes(const aggregate_state *self) {
    return self->keeper == NULL ? self->peak_bytes : pool_peak(self->keeper);
}

void aggregate_state_release(aggregate_state *self) {
    self->spilled_bytes = aggregate_spilled_bytes(self);
    self->peak_bytes = aggregate_peak_bytes(self);
    close_kept(self, &self->groups);
    for (uint32_t i = 0; self->collected != NULL && i < self->shape.collector_count; i++) {
        close_kept(self, &self->collected[i]);
        close_kept(self, &self->numbered[i]);
        row_store_close(&self->collector_stores[i]);
        row_store_close(&self->numbered_stores[i]);
    }
    aggregate_numbers_close(self);
    aggregate_heap_close(&self->single_heap);
    for (row_page *page; (page = self->kept_pages) != NULL;) {
        self->kept_pages = page->next;
        page_put(self->keeper, page);
    }
    row_store_close(&self->passed_store);
    row_store_close(&self->kept_store);
    row_store_close(&self->table_store);
    pool_close(self->keeper);
    self->keeper = NULL;
}

void aggregate_state_close(aggregate_state *self) {
    if (self == NULL) {
        return;
    }
    aggregate_state_release(self);
    arena_close(&self->memory);
    mutex_end(&self->lock);
}

uint64_t aggregate_table_bytes(const aggregate_state *self) {
    const uint64_t bytes = aggregate_share(self) / 16;
    return bytes > TABLE_BYTES_MAX   ? TABLE_BYTES_MAX
           : bytes < TABLE_BYTES_MIN ? TABLE_BYTES_MIN
                                     : bytes;
}

// ---- Making room --------------------------------------------------------------------------------

static uint32_t pages_of(const aggregate_state *self, uint32_t part) {
    uint32_t count = self->groups.parts[part].page_count;
    count += self->groups.passed == NULL ? 0 : self->groups.passed[part].page_count;
    for (uint32_t i = 0; i < self->shape.collector_count; i++) {
        count += self->collected[i].parts[part].page_count;
    }
    return count;
}

static firn_status spill_part(aggregate_state *self, uint32_t part, spill_desk *desk,
                              firn_error *err) {
    TRY(row_pages_spill(self->groups.store, &self->groups.parts[part], desk, 0, err));
    if (self->groups.passed != NULL) {
        TRY(row_pages_spill(&self->passed_store, &self->groups.passed[part], desk, 0, err));
    }
    for (uint32_t i = 0; i < self->shape.collector_count; i++) {
        TRY(row_pages_spill(self->collected[i].store, &self->collected[i].parts[part], desk, 0,
                            err));
    }
    return FIRN_OK;
}

firn_status aggregate_shed(aggregate_state *self, spill_desk *desk, bool *has_shed,
                           firn_error *err) {
    firn_status status = FIRN_OK;
    *has_shed = false;
    mutex_lock(&self->lock);
    uint32_t largest = self->part_count;
    uint32_t most = 0;
    for (uint32_t i = 0; self->is_partitioned && i < self->part_count; i++) {
        const uint32_t count = self->has_begun[i] ? 0 : pages_of(self, i);
        largest = count > most ? i : largest;
        most = count > most ? count : most;
    }
    if (most > 0) { // A partition's pages are few; nobody begins it meanwhile.
        *has_shed = true;
        status = spill_part(self, largest, desk, err);
    }
    mutex_unlock(&self->lock);
    return status;
}
