// The end of a join's build: which partitions stay, how rows will be found, a directory for each
// partition in parallel, and the dynamic filters.
#include <assert.h>

#include "exec/join_state.h"

#define BITMAP_BITS_A_ROW 64 // An array of keys is worth so many bits a row as a bitmap …
#define ARRAY_SLOTS_A_ROW 8  // … and so many pointers.
#define ARRAY_BYTES_FREE ((uint64_t)256 << 10) // One that stays in the cache is always worth it.
#define RANGE_MAX (UINT64_C(1) << 40)
#define ROWS_AT_ONCE 256

// ---- How rows are found ------------------------------------------------------------------------

// An integer key in a small range needs no hash. The bounds are those of the rows.
static void choose_lookup(join_state *self) {
    const join_plan *plan = &self->plan;
    join_table *table = &self->table;
    const uint64_t range = join_bounds_range(&self->bounds[0]);
    const uint64_t limit = pool_limit(pool_engine(self->run->pool));
    const uint64_t rows = self->row_count;
    if (plan->right.key_count != 1 || plan->null_equal[0] || self->decides_by_group ||
        table->has_spilled || range == UINT64_MAX) {
        return;
    }
    const bool needs_rows = !plan->is_first_match || plan->residual != NULL;
    if (range > RANGE_MAX) {
        return;
    }
    const uint64_t bytes = needs_rows ? range * 8 : BITMAP_WORDS(range) * 8;
    const uint64_t most = rows * (needs_rows ? ARRAY_SLOTS_A_ROW * 8 : BITMAP_BITS_A_ROW / 8);
    if (bytes > limit / 4 || (bytes > most && bytes > ARRAY_BYTES_FREE) ||
        pool_used(self->keeper) + bytes > self->budget) {
        return;
    }
    if (directory_open(self->keeper, bytes, &table->array)) {
        table->lookup = needs_rows ? JOIN_LOOKUP_DIRECT : JOIN_LOOKUP_BITMAP;
        table->first = self->bounds[0].low;
        table->range = range;
    }
}

// ---- Which partitions stay ---------------------------------------------------------------------

static uint64_t rows_of(const join_part *part) {
    return part->rows.row_count + part->rows.spilled_rows;
}

static uint64_t bytes_of(const join_state *self, const join_part *part) {
    return part->rows.page_count * (uint64_t)self->rows.page_size;
}

// NULL if each takes no more than the open pages that it would need in the file.
static join_part *largest_kept(join_state *self) {
    join_part *largest = NULL;
    for (uint32_t i = 0; i < self->part_count; i++) {
        join_part *part = &self->parts[i];
        if (!atomic_load(&part->is_spilled) && part->rows.page_count > self->run->worker_count &&
            (largest == NULL || part->rows.page_count > largest->rows.page_count)) {
            largest = part;
        }
    }
    return largest;
}

// Puts partitions out until the directories of the others and a page for every spilled one and
// worker fit into the budget.
static void choose_spilled(join_state *self) {
    uint64_t need = 0;
    uint64_t spilled_page = (uint64_t)self->run->worker_count * self->rows.page_size;
    for (uint32_t i = 0; i < self->part_count; i++) {
        join_part *part = &self->parts[i];
        if (part->rows.spilled.count > 0) {
            atomic_store(&part->is_spilled, true);
        }
        need += atomic_load(&part->is_spilled)
                    ? spilled_page
                    : bytes_of(self, part) + join_slots_bytes(rows_of(part));
    }
    for (join_part *largest; need > self->budget && (largest = largest_kept(self)) != NULL;) {
        need -= bytes_of(self, largest) + join_slots_bytes(rows_of(largest));
        need += spilled_page;
        atomic_store(&largest->is_spilled, true);
    }
    for (uint32_t i = 0; i < self->part_count; i++) {
        self->table.has_spilled |= atomic_load(&self->parts[i].is_spilled);
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

// A partition that goes, or has gone, to the file.
static firn_status spill_part(join_state *self, join_part *part, arena *scratch, firn_error *err) {
    atomic_store(&part->is_spilled, true);
    spill_desk desk = spill_desk_open(self->keeper);
    const size_t page_size = self->rows.page_size;
    void *into = ARENA_NEW(scratch, uint8_t, page_size);
    firn_status status = into == NULL ? ARENA_FULL(scratch, err) : FIRN_OK;
    const bool has_filters = self->filter_count > 0 || self->bloom != NULL;
    for (row_page *page = part->rows.first; status == FIRN_OK && page != NULL; page = page->next) {
        status = add_filters(self, page, scratch, err);
    }
    for (size_t i = 0; status == FIRN_OK && has_filters && i < part->rows.spilled.count; i++) {
        status = row_pages_peek(&self->rows, &part->rows, i, &desk, into, err);
        if (status == FIRN_OK) {
            status = add_filters(self, into, scratch, err);
        }
    }
    if (status == FIRN_OK) {
        status = row_pages_spill(&self->rows, &part->rows, &desk, 0, err);
    }
    spill_desk_close(&desk);
    return status;
}

static firn_status keep_part(join_state *self, uint32_t number, arena *scratch, firn_error *err) {
    join_table *table = &self->table;
    const bool is_direct = table->lookup != JOIN_LOOKUP_HASH;
    for (row_page *page = self->parts[number].rows.first; page != NULL; page = page->next) {
        join_table_add_page(table, &self->plan, number, page, is_direct);
        TRY(add_filters(self, page, scratch, err));
    }
    return FIRN_OK;
}

static firn_status run_task(finish_task *task, op_call *call, firn_error *err) {
    join_state *self = task->shared;
    const uint32_t number = (uint32_t)task->index;
    join_part *part = &self->parts[number];
    if (atomic_load(&part->is_spilled) ||
        (self->table.lookup == JOIN_LOOKUP_HASH &&
         !join_slots_open(&self->table.parts[number], self->keeper, part->rows.row_count, false))) {
        return spill_part(self, part, call->scratch, err);
    }
    return keep_part(self, number, call->scratch, err);
}

// ---- The end -----------------------------------------------------------------------------------

// What must be there while left rows go by. Every worker needs an open page for each spilled
// partition, or pages of few rows would go to the file; and the drain must be able to begin.
static uint64_t probe_need(const join_state *self) {
    const uint64_t page = (uint64_t)self->run->worker_count * self->rows.page_size;
    const uint64_t floor = keeper_min_bytes(self->run->worker_count);
    uint64_t open = 0;
    for (uint32_t i = 0; i < self->part_count; i++) {
        open += atomic_load(&self->parts[i].is_spilled) ? page : 0;
    }
    return pool_used(self->keeper) + (open > 0 && open < floor ? floor : open);
}

// Holds that, putting further partitions out until it fits.
static firn_status hold_for_probe(join_state *self, firn_error *err) {
    const bool can_spill = self->table.lookup == JOIN_LOOKUP_HASH;
    spill_desk desk = spill_desk_open(self->keeper);
    firn_status status = FIRN_OK;
    join_part *part = &self->parts[0];
    while (status == FIRN_OK && part != NULL && !pool_hold(self->keeper, probe_need(self))) {
        part = can_spill ? largest_kept(self) : NULL;
        if (part != NULL) {
            atomic_store(&part->is_spilled, true);
            join_slots_close(&self->table.parts[part - self->parts]);
            status = row_pages_spill(&self->rows, &part->rows, &desk, 0, err);
        }
    }
    spill_desk_close(&desk);
    return status;
}

static firn_status then(void *shared, finish_plan *next, firn_error *err) {
    (void)next;
    join_state *self = shared;
    TRY(hold_for_probe(self, err));
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
            status = row_writer_copy(&writer, rows, count, &done, err);
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
    finish_task *tasks = ARENA_NEW(out->memory, finish_task, self->part_count);
    if (table->parts == NULL || tasks == NULL) {
        return ARENA_FULL(out->memory, err);
    }
    for (uint32_t i = 0; i < self->part_count; i++) {
        table->parts[i] = (join_slots){0};
        tasks[i] = (finish_task){.run = run_task, .shared = self, .index = i};
    }
    TRY(join_state_keep(self, err));
    self->budget = join_state_budget(self);
    choose_spilled(self);
    choose_lookup(self);
    join_filters_open(self);
    out->count = self->part_count;
    out->tasks = tasks;
    out->then = then;
    return FIRN_OK;
}
