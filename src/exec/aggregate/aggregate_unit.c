#include "exec/aggregate/aggregate_unit.h"

#include <assert.h>

#include "memory/arena_measure.h"

#define HEAP_GROWTH 2                    // What a state may take for a value, …
#define HEAP_PROBED (UINT64_C(64) << 10) // … which is not looked at where it is little.
#define CHUNK UNIT_CHUNK
#define DIRECTORY_BYTES 16 // Of a group.
#define ORDER_BYTES 8      // Of a collected row.
#define KEPT_MIN 4         // Pages for a split without which a unit had better not begin.
#define REFUSALS_MAX 4     // Before a unit is split.
#define PAGES_SMALL 4      // Of rows: a unit of fewer is not split for want of memory.

// ---- Opening and closing ------------------------------------------------------------------------

static bool is_used(const aggregate_unit *self) {
    return self->shared != NULL;
}

static firn_status open_tables(aggregate_unit *self, firn_error *err) {
    aggregate_state *shared = self->shared;
    TRY(group_table_open(&shared->table_store, shared->shape.group_keys, shared->run->pool,
                         &self->table, err));
    for (uint32_t i = 0; i < shared->shape.collector_count; i++) {
        const aggregate_kept *kept = &shared->collected[i];
        if (kept->table_store != NULL) {
            TRY(group_table_open(kept->table_store, kept->key_count, shared->run->pool,
                                 &self->collected[i].distinct, err));
        }
    }
    return FIRN_OK;
}

firn_status unit_open(aggregate_state *shared, arena *memory, aggregate_unit *out,
                      firn_error *err) {
    const uint32_t count = shared->shape.collector_count;
    *out = (aggregate_unit){.shared = shared,
                            .memory = execution_arena(shared->run, SIZE_MAX),
                            .pace = row_pace_open(shared->run),
                            .emit_pace = row_pace_open(shared->run),
                            .desk = spill_desk_open(shared->keeper),
                            .heap = aggregate_heap_open(shared->keeper)};
    out->collected = ARENA_NEW(memory, unit_collected, count + 1);
    for (uint32_t i = 0; out->collected != NULL && i < count; i++) {
        out->collected[i] = (unit_collected){.rows = {.spilled = {.owner = shared->keeper}}};
    }
    out->single = ARENA_NEW(memory, uint8_t, shared->shape.table.size);
    out->left = ARENA_NEW(memory, uint8_t *, BATCH_ROWS);
    for (uint32_t i = 0; i < AGGREGATE_DEPTH_MAX; i++) {
        out->levels[i] = (unit_level){.collected = ARENA_NEW(&out->memory, row_writer, count + 1)};
        if (out->levels[i].collected == NULL) {
            return ARENA_FULL(memory, err);
        }
        for (uint32_t k = 0; k < count; k++) {
            out->levels[i].collected[k] = (row_writer){0};
        }
    }
    if (out->collected == NULL || out->single == NULL || out->left == NULL) {
        return ARENA_FULL(memory, err);
    }
    return open_tables(out, err);
}

static void close_level(aggregate_unit *self, unit_level *level) {
    row_writer_close(&level->groups);
    row_writer_close(&level->passed);
    for (uint32_t i = 0; i < self->shared->shape.collector_count; i++) {
        row_writer_close(&level->collected[i]);
    }
}

static void clear_groups(aggregate_unit *self) {
    group_table_close_rows(&self->table);
    if (self->numbered != NULL) {
        memset(self->numbered, 0, aggregate_numbers_count(self->shared) * sizeof *self->numbered);
    }
}

void unit_clear_rows(aggregate_unit *self) {
    clear_groups(self);
    for (uint32_t i = 0; i < self->shared->shape.collector_count; i++) {
        unit_collected *collected = &self->collected[i];
        if (collected->distinct.store != NULL) {
            group_table_close_rows(&collected->distinct);
        }
        row_pages_close(self->shared->collected[i].store, &collected->rows);
        directory_close(&collected->order);
        if (collected->ranked != NULL) {
            row_pages_close(self->shared->collected[i].store, collected->ranked);
            collected->ranked = NULL;
            collected->ranked_count = 0;
        }
        collected->is_linked = false;
        collected->row_count = 0;
    }
    self->cursor = (group_cursor){0};
    self->left_count = 0;
}

void unit_clear(aggregate_unit *self) {
    unit_clear_rows(self);
    aggregate_heap_close(&self->heap);
}

static void adopt_table(aggregate_kept *kept, group_table *table) {
    if (kept->table_count > 0) {
        group_table_close(table);
        *table = kept->tables[0];
        kept->tables[0] = (group_table){0};
    }
}

void unit_adopt(aggregate_unit *self) {
    aggregate_state *shared = self->shared;
    if (shared->groups.table_count > 0) {
        adopt_table(&shared->groups, &self->table);
        self->heap = shared->groups.heaps[0];
        shared->groups.heaps[0] = aggregate_heap_open(shared->keeper);
    }
    for (uint32_t i = 0; i < shared->shape.collector_count; i++) {
        adopt_table(&shared->collected[i], &self->collected[i].distinct);
    }
}

static void give_kept(aggregate_unit *self) {
    while (self->kept != NULL) {
        row_page *page = self->kept;
        self->kept = page->next;
        page_put(self->shared->keeper, page);
    }
    self->kept_count = 0;
    page_put(self->shared->keeper, self->buffer);
    self->buffer = NULL;
}

void unit_close(aggregate_unit *self) {
    if (!is_used(self)) {
        return;
    }
    self->writing = NULL;
    for (uint32_t i = 0; i < AGGREGATE_DEPTH_MAX && self->levels[i].collected != NULL; i++) {
        close_level(self, &self->levels[i]);
    }
    if (self->collected != NULL) {
        unit_clear(self);
        for (uint32_t i = 0; i < self->shared->shape.collector_count; i++) {
            group_table_close(&self->collected[i].distinct);
        }
    }
    group_table_close(&self->table);
    give_kept(self);
    spill_desk_close(&self->desk);
    arena_close(&self->memory);
    *self = (aggregate_unit){0};
}

// ---- Pages for a split --------------------------------------------------------------------------

// The pages that a worker always has here: one to read into, and `count` for a split.
static firn_status keep_pages(aggregate_unit *self, uint32_t count, firn_error *err) {
    pool *keeper = self->shared->keeper;
    while (self->buffer == NULL || self->kept_count < count) {
        row_page *page = page_get(keeper);
        bool has_shed = false;
        if (page == NULL) {
            TRY(aggregate_shed(self->shared, &self->desk, &has_shed, err));
            if (has_shed) {
                continue;
            }
        }
        if (page == NULL) {
            page = page_get(keeper); // Others may have given something back.
        }
        if (page == NULL) {
            aggregate_lend(self->shared, 1, &page);
        }
        if (page == NULL) { // A split with fewer pages writes out more often.
            return FIRN_OK;
        }
        if (self->buffer == NULL) {
            self->buffer = page;
        } else {
            page->next = self->kept;
            self->kept = page;
            self->kept_count++;
        }
    }
    return FIRN_OK;
}

firn_status unit_prepare(aggregate_unit *self, bool *has_room, firn_error *err) {
    TRY(keep_pages(self, PAGE_SPLIT_COUNT, err));
    *has_room = self->buffer != NULL && self->kept_count >= KEPT_MIN;
    return FIRN_OK;
}

// A split does with its own pages, and at most as many. All its writers do: one after the other,
// since groups and the rows of each collector are moved one after the other.
static firn_status take_back_pages(aggregate_unit *self, firn_error *err) {
    row_writer *from = self->writing;
    self->writing = NULL;
    if (from == NULL) {
        return FIRN_OK;
    }
    const firn_status status = row_writer_spill(from, PAGE_SPLIT_COUNT, err);
    while (from->spares != NULL) {
        row_page *page = from->spares;
        from->spares = page->next;
        page->next = self->kept;
        self->kept = page;
        self->kept_count++;
    }
    return status;
}

static firn_status lend_pages(aggregate_unit *self, row_writer *to, firn_error *err) {
    if (self->writing == to) {
        return FIRN_OK;
    }
    TRY(take_back_pages(self, err));
    self->writing = to;
    to->spares = self->kept;
    self->kept = NULL;
    self->kept_count = 0;
    return FIRN_OK;
}

// ---- Splitting ---------------------------------------------------------------------------------

static firn_status move_pages(aggregate_unit *self, row_store *store, row_pages *from,
                              row_writer *to, firn_error *err);

static void bound_pages(row_writer *self) {
    self->prefers_spares = true;
    self->page_max = PAGE_SPLIT_COUNT;
}

static firn_status open_level(aggregate_unit *self, unit_level *level, firn_error *err) {
    aggregate_state *shared = self->shared;
    level->next_part = 0;
    level->mark = arena_mark_take(&self->memory);
    TRY(row_writer_open(aggregate_kept_store(shared), AGGREGATE_SPLIT_COUNT, self->bits,
                        &self->memory, &level->groups, err));
    bound_pages(&level->groups);
    if (shared->shape.has_passed) {
        TRY(row_writer_open(&shared->passed_store, AGGREGATE_SPLIT_COUNT, self->bits, &self->memory,
                            &level->passed, err));
        bound_pages(&level->passed);
    }
    for (uint32_t i = 0; i < shared->shape.collector_count; i++) {
        TRY(row_writer_open(shared->collected[i].store, AGGREGATE_SPLIT_COUNT, self->bits,
                            &self->memory, &level->collected[i], err));
        bound_pages(&level->collected[i]);
    }
    return FIRN_OK;
}

static bool may_split(const aggregate_unit *self) {
    return self->depth < AGGREGATE_DEPTH_MAX && !self->is_whole;
}

// Pages of groups and rows that are in memory.
static uint64_t count_pages(const aggregate_unit *self) {
    uint64_t pages = self->table.rows.parts[0].page_count;
    for (uint32_t i = 0; i < self->shared->shape.collector_count; i++) {
        const group_table *distinct = &self->collected[i].distinct;
        pages += self->collected[i].rows.page_count;
        pages += distinct->store == NULL ? 0 : distinct->rows.parts[0].page_count;
    }
    return pages;
}

// Where a split would not help: so little is in the tables that its parts would take as much.
static bool is_small(const aggregate_unit *self) {
    const uint64_t page_size = self->shared->table_store.page_size;
    return count_pages(self) + self->heap.size / page_size < PAGES_SMALL;
}

// Where there is no further split, its pages are of use to the table, and what the query has left.
// NULL: nothing.
static row_page *last_page(aggregate_unit *self) {
    row_page *page = self->kept;
    if (page == NULL || may_split(self)) {
        return page_get_urgent(self->shared->keeper);
    }
    self->kept = page->next;
    self->kept_count--;
    return page;
}

// What the table needs to take a few rows more, whatever it was that was refused.
static bool give_last_to(aggregate_unit *self, group_table *table) {
    if (table == NULL ||
        !(group_table_reserve(table, CHUNK) || group_table_reserve_urgent(table, CHUNK))) {
        return false;
    }
    row_page *page = last_page(self);
    if (page != NULL) {
        page->next = table->rows.spares;
        table->rows.spares = page;
    }
    return page != NULL;
}

// The unit does not fit: what it holds so far moves into 16 parts, and the rest will follow.
static firn_status begin_split(aggregate_unit *self, arena *scratch, firn_error *err) {
    aggregate_state *shared = self->shared;
    if (!may_split(self)) {
        const firn_status status = POOL_FULL(shared->keeper, self->table.store->page_size, err);
        err_while(err, "bringing the rows of one group together");
        return status;
    }
    unit_unlink(self);
    unit_level *level = &self->levels[self->depth];
    TRY(open_level(self, level, err));
    self->is_splitting = true;
    atomic_fetch_add_explicit(&shared->split_count, 1, memory_order_relaxed);
    if (self->has_groups) {
        TRY(lend_pages(self, &level->groups, err));
        TRY(aggregate_flush_groups(shared, &self->table, &self->heap, &level->groups, 0, scratch,
                                   err));
    }
    clear_groups(self);
    aggregate_heap_close(&self->heap);
    for (uint32_t i = 0; i < shared->shape.collector_count; i++) {
        unit_collected *collected = &self->collected[i];
        if (collected->distinct.store != NULL) {
            TRY(lend_pages(self, &level->collected[i], err));
            TRY(group_table_flush(&collected->distinct, &level->collected[i], 0, err));
        }
        if (collected->ranked != NULL) {
            unit_unrank_rows(self, i);
        }
        TRY(move_pages(self, shared->collected[i].store, &collected->rows, &level->collected[i],
                       err));
    }
    return FIRN_OK;
}

// Rows that stayed where they were follow last: they are read into the buffer, where a page may lie
// whose rows were being taken in when the split began.
static firn_status end_split(aggregate_unit *self, firn_error *err) {
    const unit_level *level = &self->levels[self->depth];
    for (uint32_t i = 0; i < self->shared->shape.collector_count; i++) {
        row_pages *ranked = self->collected[i].ranked;
        if (ranked != NULL) {
            TRY(move_pages(self, self->shared->collected[i].store, ranked, &level->collected[i],
                           err));
            self->collected[i].ranked = NULL;
        }
    }
    TRY(take_back_pages(self, err));
    self->is_splitting = false;
    self->depth++;
    uint_fast32_t deepest = atomic_load(&self->shared->split_depth);
    while (deepest < self->depth &&
           !atomic_compare_exchange_weak(&self->shared->split_depth, &deepest, self->depth)) {
    }
    self->bits += AGGREGATE_SPLIT_BITS;
    return FIRN_OK;
}

// Memory was refused, to `table` unless it is NULL: another partition makes room, or the unit is
// split. Before that it asks a few times: others may have given something back.
static firn_status make_room(aggregate_unit *self, group_table *table, arena *scratch,
                             firn_error *err) {
    bool has_shed;
    TRY(aggregate_shed(self->shared, &self->desk, &has_shed, err));
    self->refusals++;
    if (has_shed || self->refusals < REFUSALS_MAX) {
        return FIRN_OK;
    }
    self->refusals = 0;
    if ((!may_split(self) || is_small(self)) && give_last_to(self, table)) {
        return FIRN_OK;
    }
    return begin_split(self, scratch, err);
}

static firn_status copy_rows(aggregate_unit *self, row_writer *to, uint8_t **rows, uint32_t count,
                             firn_error *err) {
    uint32_t live = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows[live] = rows[i];
        live += row_hash(rows[i]) != 0;
    }
    TRY(lend_pages(self, to, err));
    for (uint32_t next = 0; next < live;) {
        TRY(row_writer_copy(to, rows, NULL, live, &next, err));
    }
    return FIRN_OK;
}

static firn_status copy_page(aggregate_unit *self, const row_layout *layout, row_page *page,
                             row_writer *to, firn_error *err) {
    uint8_t *rows[CHUNK];
    uint32_t at = 0;
    for (uint32_t n; (n = row_page_rows(page, layout, &at, rows, CHUNK)) > 0;) {
        TRY(copy_rows(self, to, rows, n, err));
    }
    return FIRN_OK;
}

static firn_status move_pages(aggregate_unit *self, row_store *store, row_pages *from,
                              row_writer *to, firn_error *err) {
    for (row_page *page; (page = row_pages_pop(from)) != NULL;) {
        const firn_status status = copy_page(self, store->layout, page, to, err);
        page_put(store->keeper, page);
        TRY(status);
    }
    for (bool found = true; found;) {
        TRY(row_pages_read(store, from, &self->desk, self->buffer, &found, err));
        if (found) {
            TRY(copy_page(self, store->layout, self->buffer, to, err));
        }
    }
    return FIRN_OK;
}

// ---- Rows into a table --------------------------------------------------------------------------

typedef enum filling_form {
    FILLING_AS_IS,    // Rows of the table's layout.
    FILLING_EXPORTED, // Groups of the kept layout, where that is another.
    FILLING_PASSED,   // Rows of the passed layout.
} filling_form;

// What is being filled: the groups' table, or a collector's.
typedef struct unit_filling {
    aggregate_unit *unit;
    group_table *table;
    row_store *store; // Of the rows.
    filling_form form;
    row_writer *split;
    bool is_groups;
    uint32_t number; // Of the collector.
    arena *scratch;
    firn_error *err;
} unit_filling;

// States of rows that found their group.
static firn_status combine(const unit_filling *self, uint8_t *const *rows, uint8_t **groups,
                           const bool *is_fresh, uint32_t count) {
    aggregate_state *shared = self->unit->shared;
    uint8_t *sources[CHUNK];
    uint32_t taken = 0;
    for (uint32_t k = 0; k < count; k++) {
        groups[taken] = groups[k];
        sources[taken] = rows[k];
        taken += !is_fresh[k];
    }
    if (taken == 0) {
        return FIRN_OK;
    }
    const aggregate_context context =
        aggregate_context_of(shared, &self->unit->heap, self->scratch, self->err);
    return aggregate_combine(&context, groups, sources, taken, false);
}

// Puts rows to groups that are made. If the unit is split meanwhile, that is over.
static firn_status link_rows(aggregate_unit *self, uint32_t number, uint8_t *const *rows,
                             uint32_t count, arena *scratch, firn_error *err) {
    for (uint32_t from = 0; from < count && !self->is_splitting;) {
        uint32_t done;
        TRY(unit_link_rows(self, number, rows + from, count - from, &done, scratch, err));
        from += done;
        self->linking_count += done;
        self->refusals = done == 0 ? self->refusals : 0;
        if (from < count) {
            TRY(make_room(self, &self->table, scratch, err));
        }
    }
    return FIRN_OK;
}

// Rows that DISTINCT has not seen yet.
static firn_status link_fresh(const unit_filling *self, uint8_t **rows, const bool *is_fresh,
                              uint32_t count) {
    if (!self->unit->shared->shape.is_collected) {
        return FIRN_OK;
    }
    uint32_t taken = 0;
    for (uint32_t k = 0; k < count; k++) {
        rows[taken] = rows[k];
        taken += is_fresh[k];
    }
    return link_rows(self->unit, self->number, rows, taken, self->scratch, self->err);
}

// Rows of the table's own layout. *done: how many went in.
static firn_status absorb(const unit_filling *self, uint8_t *const *rows, uint32_t count,
                          bool in_place, uint32_t *done) {
    uint8_t *groups[CHUNK];
    bool is_fresh[CHUNK];
    group_absorbing call = {
        .rows = rows, .count = count, .in_place = in_place, .groups = groups, .is_fresh = is_fresh};
    TRY(group_table_absorb(self->table, &call, self->scratch, self->err));
    *done = call.done;
    return self->is_groups ? combine(self, rows, groups, is_fresh, *done)
                           : link_fresh(self, groups, is_fresh, *done);
}

// Rows of the kept layout; those that did not fit are left in `rows`.
static firn_status import(const unit_filling *self, uint8_t **rows, uint32_t count,
                          uint32_t *done) {
    uint8_t *groups[CHUNK];
    const aggregate_taking from = {
        .store = self->store, .rows = rows, .count = count, .groups = groups};
    TRY(aggregate_take_rows(self->unit->shared, self->table, &self->unit->heap, &from,
                            self->scratch, self->err));
    uint32_t left = 0;
    for (uint32_t k = 0; k < count; k++) {
        rows[left] = rows[k];
        left += groups[k] == NULL;
    }
    // The caller goes on behind `done` rows.
    *done = count - left;
    memmove(rows + *done, rows, left * sizeof *rows);
    return FIRN_OK;
}

// Takes rows in; those that did not fit come last in `rows`.
static firn_status take_rows(const unit_filling *self, uint8_t **rows, uint32_t count,
                             uint32_t *done) {
    switch (self->form) {
    case FILLING_AS_IS:
        return absorb(self, rows, count, false, done);
    case FILLING_EXPORTED:
        return import(self, rows, count, done);
    case FILLING_PASSED:
        break;
    }
    aggregate_passed from = {.rows = rows, .count = count};
    TRY(aggregate_take_passed(self->unit->shared, self->table, &self->unit->heap, &from,
                              self->scratch, self->err));
    *done = from.taken;
    return FIRN_OK;
}

// Rows that do not fit, into the parts of the split.
static firn_status split_rows(const unit_filling *self, uint8_t **rows, uint32_t count) {
    if (self->form != FILLING_PASSED) {
        return copy_rows(self->unit, self->split, rows, count, self->err);
    }
    TRY(lend_pages(self->unit, self->split, self->err));
    return aggregate_copy_passed(self->unit->shared, rows, count, self->split, self->scratch,
                                 self->err);
}

// Whether the unit, with `more` rows of a collector, has its share of what all workers may have.
// Then it is split, so that each of them finds its own.
static bool is_over_share(const aggregate_unit *self, const row_pages *more) {
    const aggregate_state *shared = self->shared;
    const uint64_t page_size = shared->table_store.page_size;
    uint64_t pages = count_pages(self);
    uint64_t rows = 0; // That will be in order.
    for (uint32_t i = 0; i < shared->shape.collector_count; i++) {
        rows += self->collected[i].rows.row_count;
    }
    if (more != NULL) {
        pages += more->page_count + more->spilled.count;
        rows += more->row_count + more->spilled_rows;
    }
    const uint64_t share = pool_target(shared->keeper) / shared->run->worker_count;
    const uint64_t kept = (PAGE_SPLIT_COUNT + 1) * page_size;
    const uint64_t least = share / 2;
    return shared->run->worker_count > 1 && may_split(self) &&
           pages * page_size + self->heap.size + self->table.group_count * DIRECTORY_BYTES +
                   rows * ORDER_BYTES >
               (share > kept + least ? share - kept : least);
}

// Whether what states keep of the rows outside themselves is likely to fit: an update cannot be
// left half-way. Where a split is of no use, what is refused ends the query.
static bool has_heap_room(const unit_filling *self, uint8_t *const *rows, uint32_t count) {
    const aggregate_unit *unit = self->unit;
    const row_layout *layout = self->store->layout;
    if (!unit->shared->shape.has_heap || layout->heap_offset == ROW_NONE || !may_split(unit)) {
        return true;
    }
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < count; k++) {
        bytes += (uint64_t)row_heap_of(layout, rows[k]).size * HEAP_GROWTH;
    }
    if (bytes < HEAP_PROBED) {
        return true;
    }
    const bool has_room = pool_take(unit->shared->keeper, bytes);
    if (has_room) {
        pool_give(unit->shared->keeper, bytes);
    }
    return has_room;
}

// Rows that lie on a page of somebody else.
static firn_status fill_rows(const unit_filling *self, uint8_t **rows, uint32_t count) {
    uint32_t from = 0;
    while (from < count && !self->unit->is_splitting) {
        uint32_t done = 0;
        if (is_over_share(self->unit, NULL)) {
            TRY(begin_split(self->unit, self->scratch, self->err));
            break;
        }
        const arena_mark mark = arena_mark_take(self->scratch);
        const uint32_t some =
            rows_readable(self->store, (const uint8_t *const *)rows + from,
                          row_pace_rows(&self->unit->pace, count - from), self->unit->pace.most);
        const bool has_room = has_heap_room(self, rows + from, some);
        if (has_room && group_table_reserve(self->table, some)) {
            TRY(take_rows(self, rows + from, some, &done));
            if (done > 0) { // Of rows that are refused nothing is made.
                row_pace_learn(&self->unit->pace, done, arena_bytes_since(self->scratch, mark));
            }
        }
        arena_rewind(self->scratch, mark);
        from += done;
        self->unit->refusals = done == 0 ? self->unit->refusals : 0;
        if (done < some && !self->unit->is_splitting) {
            TRY(make_room(self->unit, has_room ? self->table : NULL, self->scratch, self->err));
        }
    }
    return from < count ? split_rows(self, rows + from, count - from) : FIRN_OK;
}

static firn_status fill_page(const unit_filling *self, row_page *page) {
    uint8_t *rows[CHUNK];
    uint32_t at = 0;
    for (uint32_t n; (n = row_page_rows(page, self->store->layout, &at, rows, CHUNK)) > 0;) {
        TRY(fill_rows(self, rows, n));
    }
    return FIRN_OK;
}

// A page in memory becomes one of the table.
static firn_status adopt_page(const unit_filling *self, row_page *page) {
    uint8_t *rows[CHUNK];
    uint32_t at = 0;
    row_pages_push_last(&self->table->rows.parts[0], page);
    // A split moves what is on the page.
    for (uint32_t n; !self->unit->is_splitting &&
                     (n = row_page_rows(page, self->store->layout, &at, rows, CHUNK)) > 0;) {
        uint32_t done;
        const arena_mark mark = arena_mark_take(self->scratch);
        TRY(absorb(self, rows, n, true, &done));
        arena_rewind(self->scratch, mark);
        assert(done == n);
    }
    return FIRN_OK;
}

static firn_status fill_from_memory(const unit_filling *self, row_page *page) {
    while (self->form == FILLING_AS_IS && !self->unit->is_splitting) {
        if (group_table_reserve(self->table, page->row_count)) {
            self->unit->refusals = 0;
            return adopt_page(self, page);
        }
        const firn_status status = make_room(self->unit, self->table, self->scratch, self->err);
        if (status != FIRN_OK) {
            page_put(self->store->keeper, page);
            return status;
        }
    }
    const firn_status status = fill_page(self, page);
    page_put(self->store->keeper, page);
    return status;
}

static firn_status fill(const unit_filling *self, row_pages *from) {
    for (row_page *page; (page = row_pages_pop(from)) != NULL;) {
        TRY(fill_from_memory(self, page));
        TRY(cancel_check(&self->unit->shared->run->cancel, self->err));
    }
    for (bool found = true; found;) {
        TRY(row_pages_read(self->store, from, &self->unit->desk, self->unit->buffer, &found,
                           self->err));
        if (found) {
            TRY(fill_page(self, self->unit->buffer));
            TRY(cancel_check(&self->unit->shared->run->cancel, self->err));
        }
    }
    return FIRN_OK;
}

// ---- Rows beside the table ----------------------------------------------------------------------

// Puts the rows of a page to groups, as many as go before the unit is split.
static firn_status link_page(aggregate_unit *self, uint32_t number, row_page *page, arena *scratch,
                             firn_error *err) {
    const row_layout *layout = self->shared->collected[number].store->layout;
    uint8_t *rows[CHUNK];
    uint32_t at = 0;
    firn_status status = FIRN_OK;
    self->linking = page;
    self->linking_number = number;
    self->linking_count = 0;
    for (uint32_t n; status == FIRN_OK && !self->is_splitting &&
                     (n = row_page_rows(page, layout, &at, rows, CHUNK)) > 0;) {
        status = link_rows(self, number, rows, n, scratch, err);
    }
    self->linking = NULL;
    return status;
}

// Keeps a page of a collector's rows in memory, or moves them on if the unit is split.
static firn_status keep_page(aggregate_unit *self, uint32_t number, row_page *page, arena *scratch,
                             firn_error *err) {
    const row_store *store = self->shared->collected[number].store;
    unit_collected *collected = &self->collected[number];
    if (self->shared->shape.is_collected) {
        collected->is_linked = true;
        firn_status status = link_page(self, number, page, scratch, err);
        if (status == FIRN_OK && self->is_splitting) {
            status = copy_page(self, store->layout, page,
                               &self->levels[self->depth].collected[number], err);
        }
        if (status != FIRN_OK || self->is_splitting) {
            page_put(store->keeper, page);
            return status;
        }
    }
    row_pages_push(&collected->rows, page);
    return FIRN_OK;
}

// Keeps all rows of a collector in memory.
static firn_status load_rows(aggregate_unit *self, uint32_t number, row_pages *from, arena *scratch,
                             firn_error *err) {
    row_store *store = self->shared->collected[number].store;
    // All will lie here: where that is too much no row need find its group before.
    if (!self->is_splitting && is_over_share(self, from)) {
        TRY(begin_split(self, scratch, err));
    }
    for (row_page *page; !self->is_splitting && (page = row_pages_pop(from)) != NULL;) {
        TRY(keep_page(self, number, page, scratch, err));
        TRY(cancel_check(&self->shared->run->cancel, err));
    }
    while (!self->is_splitting && from->spilled.count > 0) {
        if (is_over_share(self, NULL)) {
            TRY(begin_split(self, scratch, err));
            break;
        }
        row_page *page = page_get(self->shared->keeper);
        page = page == NULL && !may_split(self) ? last_page(self) : page;
        if (page == NULL) {
            TRY(make_room(self, NULL, scratch, err));
            continue;
        }
        self->refusals = 0;
        bool found;
        const firn_status status = row_pages_read(store, from, &self->desk, page, &found, err);
        if (status != FIRN_OK) {
            page_put(self->shared->keeper, page);
            return status;
        }
        TRY(keep_page(self, number, page, scratch, err));
        TRY(cancel_check(&self->shared->run->cancel, err));
    }
    return self->is_splitting
               ? move_pages(self, store, from, &self->levels[self->depth].collected[number], err)
               : FIRN_OK;
}

// Groups of DISTINCT rows that came as a table.
static firn_status link_table(aggregate_unit *self, uint32_t number, arena *scratch,
                              firn_error *err) {
    const group_table *distinct = &self->collected[number].distinct;
    uint8_t *rows[CHUNK];
    group_cursor cursor = {0};
    for (uint32_t n; self->shared->shape.is_collected && !self->is_splitting &&
                     (n = group_table_next(distinct, &cursor, rows, CHUNK)) > 0;) {
        TRY(link_rows(self, number, rows, n, scratch, err));
    }
    return FIRN_OK;
}

static firn_status load_collected(aggregate_unit *self, uint32_t number, row_pages *from,
                                  arena *scratch, firn_error *err) {
    unit_collected *collected = &self->collected[number];
    if (collected->distinct.store == NULL) {
        bool is_refused = false;
        if (!self->is_splitting) {
            TRY(unit_rank_rows(self, number, from, &is_refused, scratch, err));
        }
        TRY(is_refused ? begin_split(self, scratch, err) : FIRN_OK);
        return collected->ranked == NULL ? load_rows(self, number, from, scratch, err) : FIRN_OK;
    }
    const unit_filling filling = {
        .unit = self,
        .table = &collected->distinct,
        .store = collected->distinct.store,
        .split =
            self->depth < AGGREGATE_DEPTH_MAX ? &self->levels[self->depth].collected[number] : NULL,
        .number = number,
        .scratch = scratch,
        .err = err,
    };
    TRY(link_table(self, number, scratch, err));
    return fill(&filling, from);
}

// All rows are here: they get their order, unless that takes memory that is refused.
static firn_status order_rows(aggregate_unit *self, arena *scratch, firn_error *err) {
    if (!self->is_splitting) {
        TRY(unit_note_groups(self, scratch, err));
    }
    while (!self->is_splitting && !unit_open_orders(self, false)) {
        if (!may_split(self) && unit_open_orders(self, true)) {
            break;
        }
        TRY(make_room(self, NULL, scratch, err));
    }
    return FIRN_OK;
}

// Before there are levels, with which the arena goes back.
static firn_status open_numbered(aggregate_unit *self, firn_error *err) {
    const uint64_t count = aggregate_numbers_count(self->shared);
    if (self->numbered != NULL || count == 0) {
        return FIRN_OK;
    }
    assert(self->depth == 0);
    self->numbered = ARENA_NEW(&self->memory, uint8_t *, count);
    if (self->numbered == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    memset(self->numbered, 0, count * sizeof *self->numbered);
    return FIRN_OK;
}

firn_status unit_load(aggregate_unit *self, const unit_source *source, bool *is_ready,
                      arena *scratch, firn_error *err) {
    aggregate_state *shared = self->shared;
    *is_ready = false;
    self->has_groups = true;
    TRY(open_numbered(self, err));
    const bool has_rows = source->groups != NULL || shared->shape.collector_count > 0;
    TRY(has_rows ? keep_pages(self, may_split(self) ? PAGE_SPLIT_COUNT : 0, err) : FIRN_OK);
    if (has_rows && self->buffer == NULL) {
        self->buffer = page_get_urgent(shared->keeper);
    }
    if (has_rows && self->buffer == NULL) {
        return POOL_FULL(shared->keeper, shared->table_store.page_size, err);
    }
    unit_level *level = self->depth < AGGREGATE_DEPTH_MAX ? &self->levels[self->depth] : NULL;
    unit_filling filling = {
        .unit = self,
        .table = &self->table,
        .store = aggregate_kept_store(shared),
        .form = shared->shape.has_heap ? FILLING_EXPORTED : FILLING_AS_IS,
        .split = level == NULL ? NULL : &level->groups,
        .is_groups = true,
        .scratch = scratch,
        .err = err,
    };
    TRY(source->groups == NULL ? FIRN_OK : fill(&filling, source->groups));
    filling.store = &shared->passed_store;
    filling.form = FILLING_PASSED;
    filling.split = level == NULL ? NULL : &level->passed;
    TRY(source->passed == NULL ? FIRN_OK : fill(&filling, source->passed));
    self->has_groups = !shared->shape.is_collected || self->table.group_count > 0;
    for (uint32_t i = 0; i < shared->shape.collector_count; i++) {
        if (source->collected[i] != NULL) {
            TRY(load_collected(self, i, source->collected[i], scratch, err));
        }
    }
    TRY(order_rows(self, scratch, err));
    if (self->is_splitting) {
        return end_split(self, err);
    }
    *is_ready = true;
    return FIRN_OK;
}

firn_status unit_next_part(aggregate_unit *self, bool *found, bool *is_ready, arena *scratch,
                           firn_error *err) {
    *found = false;
    *is_ready = false;
    while (self->depth > 0) {
        unit_level *level = &self->levels[self->depth - 1];
        if (level->next_part == AGGREGATE_SPLIT_COUNT) {
            close_level(self, level);
            arena_rewind(&self->memory, level->mark);
            self->depth--;
            self->bits -= AGGREGATE_SPLIT_BITS;
            continue;
        }
        const uint32_t part = level->next_part++;
        row_pages **collected =
            ARENA_NEW(scratch, row_pages *, self->shared->shape.collector_count + 1);
        if (collected == NULL) {
            return ARENA_FULL(scratch, err);
        }
        for (uint32_t i = 0; i < self->shared->shape.collector_count; i++) {
            collected[i] = &level->collected[i].parts[part];
        }
        *found = true;
        const unit_source source = {
            .groups = &level->groups.parts[part],
            .passed = self->shared->shape.has_passed ? &level->passed.parts[part] : NULL,
            .collected = collected};
        return unit_load(self, &source, is_ready, scratch, err);
    }
    return FIRN_OK;
}
