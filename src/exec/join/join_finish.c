// The end of a join's build: which partitions stay, how rows will be found, a directory for each
// partition in parallel, and the dynamic filters.
#include <assert.h>

#include "exec/join/join_state.h"

#define BITMAP_BITS_A_ROW 64 // An array of keys is worth so many bits a row as a bitmap …
#define ARRAY_SLOTS_A_ROW 8  // … and so many pointers.
#define ARRAY_BYTES_FREE ((uint64_t)256 << 10) // One that stays in the cache is always worth it.
#define RANGE_MAX (UINT64_C(1) << 40)
#define ROWS_AT_ONCE 256
#define BLOOM_DENSE_BITS 5 // Of so many bits a row four are set, of fewer two.

// ---- Which partitions stay ---------------------------------------------------------------------

static uint64_t rows_of(const join_part *part) {
    return part->rows.row_count + part->rows.spilled_rows;
}

static uint64_t pages_of(const join_part *part) {
    return part->rows.page_count + part->rows.spilled.count;
}

static uint64_t kept_bytes(const join_state *self, const join_part *part) {
    return pages_of(part) * self->rows.page_size +
           join_slots_bytes(&self->plan.right.layout, rows_of(part));
}

// Is it rather one than the other that goes? The one with more of it in the file already, then the
// larger one.
static bool goes_before(const join_part *one, const join_part *other) {
    const uint64_t left = one->rows.spilled.count * pages_of(other);
    const uint64_t right = other->rows.spilled.count * pages_of(one);
    return left != right ? left > right : pages_of(one) > pages_of(other);
}

// NULL if each takes no more than the open pages that it would need in the file.
static join_part *first_to_go(join_state *self) {
    join_part *first = NULL;
    for (uint32_t i = 0; i < self->part_count; i++) {
        join_part *part = &self->parts[i];
        if (!atomic_load(&part->is_spilled) && pages_of(part) > self->run->worker_count &&
            (first == NULL || goes_before(part, first))) {
            first = part;
        }
    }
    return first;
}

// Puts partitions out until the directories of the others, the bloom filter and a page for every
// spilled one and worker fit into the budget.
static void choose_spilled(join_state *self) {
    uint64_t need = 0;
    const uint64_t spilled_page = (uint64_t)self->run->worker_count * self->rows.page_size;
    for (uint32_t i = 0; i < self->part_count; i++) {
        need += kept_bytes(self, &self->parts[i]);
    }
    for (join_part *part; need > self->budget && (part = first_to_go(self)) != NULL;) {
        need += self->table.has_spilled ? 0 : join_bloom_words(self, self->row_count) * 8;
        need += spilled_page;
        need -= kept_bytes(self, part);
        atomic_store(&part->is_spilled, true);
        self->table.has_spilled = true;
    }
}

// Opens a directory, writing pages out until there is room. False: there is none.
static firn_status open_directory(join_state *self, uint64_t bytes, directory *out, bool *is_open,
                                  firn_error *err) {
    spill_desk desk = spill_desk_open(self->keeper);
    firn_status status = FIRN_OK;
    join_part *part = &self->parts[0];
    *is_open = false;
    while (status == FIRN_OK && part != NULL && !*is_open) {
        *is_open = directory_open(self->keeper, bytes, out);
        part = NULL;
        for (uint32_t i = 0; !*is_open && i < self->part_count; i++) {
            join_part *each = &self->parts[i];
            const bool may_go = each->rows.page_count > 0 &&
                                (atomic_load(&each->is_spilled) || !self->table.has_spilled);
            part = may_go ? each : part;
        }
        if (part != NULL) {
            status = row_pages_spill(&self->rows, &part->rows, &desk, 0, err);
        }
    }
    spill_desk_close(&desk);
    return status;
}

static firn_status open_bloom(join_state *self, firn_error *err) {
    uint64_t rows = 0;
    for (uint32_t i = 0; i < self->part_count; i++) {
        rows += atomic_load(&self->parts[i].is_spilled) ? rows_of(&self->parts[i]) : 0;
    }
    const uint64_t words = join_bloom_words(self, rows);
    if (!self->table.has_spilled || words == 0) {
        return FIRN_OK;
    }
    bool is_open;
    TRY(open_directory(self, words * 8, &self->bloom_memory, &is_open, err));
    if (is_open) {
        self->bloom = self->bloom_memory.data;
        self->bloom_words = words;
        self->bloom_is_sparse = words * 64 < rows * BLOOM_DENSE_BITS;
    }
    return FIRN_OK;
}

// ---- How rows are found ------------------------------------------------------------------------

// An integer key in a small range needs no hash. The bounds are those of the rows.
static bool has_range(const join_state *self, uint64_t *range) {
    const join_plan *plan = &self->plan;
    *range = join_bounds_range(&self->bounds[0]);
    return plan->right.key_count == 1 && !plan->null_equal[0] && !self->decides_by_group &&
           *range <= RANGE_MAX;
}

static bool is_worth_it(const join_state *self, uint64_t bytes, uint64_t row_bytes) {
    const uint64_t limit = pool_limit(pool_engine(self->run->pool));
    return bytes <= limit / 4 &&
           (bytes <= self->row_count * row_bytes || bytes <= ARRAY_BYTES_FREE);
}

static void use_array(join_state *self, join_lookup lookup, uint64_t range) {
    self->table.lookup = lookup;
    self->table.first = self->bounds[0].low;
    self->table.range = range;
}

// Where rows need not be seen, none of them need stay.
static firn_status choose_bitmap(join_state *self, firn_error *err) {
    const join_plan *plan = &self->plan;
    uint64_t range;
    if (!plan->is_first_match || plan->residual != NULL || !has_range(self, &range)) {
        return FIRN_OK;
    }
    const uint64_t bytes = BITMAP_WORDS(range) * 8;
    if (is_worth_it(self, bytes, BITMAP_BITS_A_ROW / 8) && bytes <= self->budget) {
        bool is_open;
        TRY(open_directory(self, bytes, &self->table.array, &is_open, err));
        if (is_open) {
            use_array(self, JOIN_LOOKUP_BITMAP, range);
        }
    }
    return FIRN_OK;
}

static void choose_direct(join_state *self) {
    uint64_t range;
    if (self->table.has_spilled || self->table.lookup == JOIN_LOOKUP_BITMAP ||
        !has_range(self, &range)) {
        return;
    }
    uint64_t pages = 0;
    bool is_in_memory = true; // What is in the file may not come back, and this has no other way.
    for (uint32_t i = 0; i < self->part_count; i++) {
        pages += pages_of(&self->parts[i]);
        is_in_memory &= self->parts[i].rows.spilled.count == 0;
    }
    const uint64_t bytes = range * 8;
    if (is_in_memory && is_worth_it(self, bytes, (uint64_t)ARRAY_SLOTS_A_ROW * 8) &&
        pages * self->rows.page_size + bytes <= self->budget &&
        directory_open(self->keeper, bytes, &self->table.array)) {
        use_array(self, JOIN_LOOKUP_DIRECT, range);
    }
}

// ---- Tasks -------------------------------------------------------------------------------------

static firn_status add_filters(join_state *self, row_page *page, arena *scratch, firn_error *err) {
    if (self->filter_count == 0 && self->bloom == NULL) {
        return FIRN_OK;
    }
    uint8_t *rows[ROWS_AT_ONCE];
    uint32_t at = 0;
    uint32_t count;
    while ((count = row_page_rows(page, &self->plan.right.layout, &at, rows, ROWS_AT_ONCE)) > 0) {
        TRY(join_filters_add(self, rows, count, scratch, err));
    }
    return FIRN_OK;
}

typedef firn_status page_visit(join_state *self, row_page *page, arena *scratch, firn_error *err);

// Shows pages that are in the file.
static firn_status visit_spilled(join_state *self, const row_pages *pages, page_visit *visit,
                                 arena *scratch, firn_error *err) {
    void *into = ARENA_NEW(scratch, uint8_t, self->rows.page_size);
    if (into == NULL) {
        return ARENA_FULL(scratch, err);
    }
    spill_desk desk = spill_desk_open(self->keeper);
    firn_status status = FIRN_OK;
    for (size_t i = 0; status == FIRN_OK && i < pages->spilled.count; i++) {
        status = row_pages_peek(&self->rows, pages, i, &desk, into, err);
        if (status == FIRN_OK) {
            status = visit(self, into, scratch, err);
        }
    }
    spill_desk_close(&desk);
    return status;
}

// A partition that goes, or has gone, to the file.
static firn_status spill_part(join_state *self, join_part *part, arena *scratch, firn_error *err) {
    atomic_store(&part->is_spilled, true);
    for (row_page *page = part->rows.first; page != NULL; page = page->next) {
        TRY(add_filters(self, page, scratch, err));
    }
    if (self->filter_count > 0 || self->bloom != NULL) {
        TRY(visit_spilled(self, &part->rows, add_filters, scratch, err));
    }
    spill_desk desk = spill_desk_open(self->keeper);
    const firn_status status = row_pages_spill(&self->rows, &part->rows, &desk, 0, err);
    spill_desk_close(&desk);
    return status;
}

// What went to the file of a partition that stays comes back. False: there is no memory for it.
static firn_status read_back(join_state *self, join_part *part, bool *is_whole, firn_error *err) {
    spill_desk desk = spill_desk_open(self->keeper);
    firn_status status = FIRN_OK;
    *is_whole = true;
    atomic_fetch_add(&self->read_back_pages, part->rows.spilled.count);
    while (status == FIRN_OK && *is_whole && part->rows.spilled.count > 0) {
        row_page *page = page_get(self->keeper);
        *is_whole = page != NULL;
        if (page != NULL) {
            bool found;
            status = row_pages_read(&self->rows, &part->rows, &desk, page, &found, err);
            if (status == FIRN_OK) {
                row_pages_push_last(&part->rows, page);
            } else {
                page_put(self->keeper, page);
            }
        }
    }
    spill_desk_close(&desk);
    return status;
}

static firn_status add_to_array(join_state *self, row_page *page, arena *scratch, firn_error *err) {
    join_table_add_page(&self->table, &self->plan, 0, page, true);
    return add_filters(self, page, scratch, err);
}

static firn_status keep_part(join_state *self, uint32_t number, arena *scratch, firn_error *err) {
    join_table *table = &self->table;
    join_part *part = &self->parts[number];
    bool is_whole = true;
    if (table->lookup == JOIN_LOOKUP_BITMAP) {
        atomic_fetch_add(&self->read_back_pages, part->rows.spilled.count);
        TRY(visit_spilled(self, &part->rows, add_to_array, scratch, err));
    } else {
        TRY(read_back(self, part, &is_whole, err));
    }
    if (table->lookup == JOIN_LOOKUP_HASH &&
        (!is_whole ||
         !join_slots_open(&table->parts[number], &self->rows, part->rows.row_count, false))) {
        return spill_part(self, part, scratch, err);
    }
    const bool is_direct = table->lookup != JOIN_LOOKUP_HASH;
    for (row_page *page = part->rows.first; page != NULL; page = page->next) {
        join_table_add_page(table, &self->plan, number, page, is_direct);
        TRY(add_filters(self, page, scratch, err));
    }
    return FIRN_OK;
}

static firn_status run_task(finish_task *task, op_call *call, firn_error *err) {
    join_state *self = task->shared;
    const uint32_t number = (uint32_t)task->index;
    join_part *part = &self->parts[number];
    return atomic_load(&part->is_spilled) ? spill_part(self, part, call->scratch, err)
                                          : keep_part(self, number, call->scratch, err);
}

// ---- The end -----------------------------------------------------------------------------------

// What must be there while left rows go by. Every worker needs an open page for each spilled
// partition, or pages of few rows would go to the file; and the drain must be able to begin.
static uint64_t probe_need(const join_state *self) {
    const uint64_t page = (uint64_t)self->run->worker_count * self->rows.page_size;
    const uint64_t floor = join_state_min_bytes(self, self->run->worker_count);
    uint64_t open = 0;
    for (uint32_t i = 0; i < self->part_count; i++) {
        open += atomic_load(&self->parts[i].is_spilled) ? page : 0;
    }
    return pool_used(self->keeper) + (open > 0 && open < floor ? floor : open);
}

// Holds that, putting further partitions out until it fits.
static firn_status hold_for_probe(join_state *self, arena *memory, firn_error *err) {
    const bool can_spill = self->table.lookup == JOIN_LOOKUP_HASH;
    join_part *part = &self->parts[0];
    while (part != NULL && !pool_hold(self->keeper, probe_need(self))) {
        part = can_spill ? first_to_go(self) : NULL;
        if (part != NULL) {
            join_slots_close(&self->table.parts[part - self->parts]);
            TRY(spill_part(self, part, memory, err));
        }
    }
    return FIRN_OK;
}

static firn_status begin_probe(join_state *self, firn_error *err) {
    for (uint32_t i = 0; i < self->part_count; i++) {
        if (atomic_load(&self->parts[i].is_spilled)) {
            self->spilled_part_count++;
            self->table.parts[i] = (join_slots){.slots = &self->no_slot, .is_spilled = true};
        }
        if (self->table.lookup == JOIN_LOOKUP_BITMAP) { // The rows have said what they had to.
            row_pages_close(&self->rows, &self->parts[i].rows);
        }
    }
    self->table.has_spilled = self->spilled_part_count > 0;
    atomic_store(&self->is_probing, true);
    pool_settle(self->keeper);
    return join_filters_publish(self, err);
}

typedef firn_status task_run(finish_task *task, op_call *call, firn_error *err);

// One for each partition that is in the file, or in memory.
static firn_status plan_tasks(join_state *self, bool is_spilled, task_run *run, finish_plan *out,
                              firn_error *err) {
    finish_task *tasks = ARENA_NEW(out->memory, finish_task, self->part_count);
    if (tasks == NULL) {
        return ARENA_FULL(out->memory, err);
    }
    out->count = 0;
    for (uint32_t i = 0; i < self->part_count; i++) {
        if (atomic_load(&self->parts[i].is_spilled) == is_spilled) {
            tasks[out->count++] = (finish_task){.run = run, .shared = self, .index = i};
        }
    }
    out->tasks = tasks;
    return FIRN_OK;
}

// Runs are there, if there is room for them beside what must be.
static firn_status begin_runs(void *shared, finish_plan *next, firn_error *err) {
    join_state *self = shared;
    (void)next;
    if (!pool_hold(self->keeper, probe_need(self))) {
        for (uint32_t i = 0; i < self->part_count; i++) {
            join_part_runs_close(&self->parts[i].runs);
        }
    }
    join_runs_gather(self);
    return begin_probe(self, err);
}

static firn_status run_chains_task(finish_task *task, op_call *call, firn_error *err) {
    return join_part_runs_build(task->shared, (uint32_t)task->index, call->scratch, err);
}

// All directories are there.
static firn_status make_runs(void *shared, finish_plan *next, firn_error *err) {
    join_state *self = shared;
    TRY(hold_for_probe(self, next->memory, err));
    if (!join_runs_may_pay(self)) {
        return begin_probe(self, err);
    }
    TRY(plan_tasks(self, false, run_chains_task, next, err));
    next->then = begin_runs;
    return FIRN_OK;
}

// First what goes to the file makes room, then directories take it.
static firn_status plan_round(join_state *self, bool is_spilled, finish_plan *out, firn_error *err);

static firn_status keep_others(void *shared, finish_plan *next, firn_error *err) {
    return plan_round(shared, false, next, err);
}

static firn_status plan_round(join_state *self, bool is_spilled, finish_plan *out,
                              firn_error *err) {
    TRY(plan_tasks(self, is_spilled, run_task, out, err));
    out->then = is_spilled ? keep_others : make_runs;
    return FIRN_OK;
}

// Rows of workers that never partitioned, when others did.
static firn_status deal_loose(join_state *self, arena *memory, firn_error *err) {
    row_writer writer;
    TRY(row_writer_open(&self->rows, self->part_count, 0, memory, &writer, err));
    firn_status status = FIRN_OK;
    join_state_lend(self, UINT32_MAX, &writer.spares);
    (void)row_writer_keep(&writer, PAGE_SPLIT_COUNT);
    while (status == FIRN_OK && self->loose.first != NULL) {
        row_page *page = row_pages_pop(&self->loose);
        uint8_t *rows[ROWS_AT_ONCE];
        uint32_t at = 0;
        uint32_t count;
        while (status == FIRN_OK && (count = row_page_rows(page, &self->plan.right.layout, &at,
                                                           rows, ROWS_AT_ONCE)) > 0) {
            uint32_t done = 0;
            status = row_writer_copy(&writer, rows, NULL, count, &done, err);
        }
        page_put(self->keeper, page);
    }
    for (uint32_t i = 0; status == FIRN_OK && i < self->part_count; i++) {
        status = row_pages_append(&self->parts[i].rows, &writer.parts[i], err);
    }
    join_state_take_back(self, &writer.spares);
    row_writer_close(&writer);
    return status;
}

firn_status join_state_finish(join_state *self, finish_plan *out, firn_error *err) {
    join_table *table = &self->table;
    if (self->is_partitioned) {
        TRY(deal_loose(self, out->memory, err));
    } else {
        self->part_count = 1;
        TRY(row_pages_append(&self->parts[0].rows, &self->loose, err));
    }
    table->part_count = self->part_count;
    table->shift = self->part_count == 1 ? 0 : 64 - (uint32_t)__builtin_ctz(self->part_count);
    table->parts = ARENA_NEW(&self->memory, join_slots, self->part_count);
    if (table->parts == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < self->part_count; i++) {
        table->parts[i] = (join_slots){0};
        atomic_store(&self->parts[i].is_spilled, false); // What was given up may come back.
    }
    TRY(join_state_keep(self, err));
    self->budget = join_state_budget(self);
    TRY(choose_bitmap(self, err));
    if (table->lookup == JOIN_LOOKUP_HASH) {
        choose_spilled(self);
        choose_direct(self);
        TRY(open_bloom(self, err));
    }
    join_filters_open(self);
    return plan_round(self, table->has_spilled, out, err);
}
