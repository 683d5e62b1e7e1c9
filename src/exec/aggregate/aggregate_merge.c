// From workers' parts to what the source hands out: lists of pages by partition, or one table when
// all of it is small.
#include <assert.h>

#include "exec/aggregate/aggregate_state.h"
#include "memory/arena_measure.h"

#define SMALL_GROUPS 20000 // Of all workers: combined by one of them.
#define CHUNK 1024

// ---- A worker's part becomes shared -------------------------------------------------------------

static firn_status take_parts(row_pages *to, row_writer *parts, firn_error *err) {
    for (uint32_t i = 0; i < parts->part_count; i++) {
        TRY(row_pages_append(&to[i], &parts->parts[i], err));
    }
    return FIRN_OK;
}

static firn_status take_stage(aggregate_state *self, aggregate_kept *kept, aggregate_stage *stage,
                              aggregate_heap *heap, arena *scratch, firn_error *err) {
    aggregate_take_back(self, &stage->spares);
    if (heap != NULL) {
        aggregate_heap_end(heap);
    }
    if (stage->is_partitioned) {
        self->is_partitioned = true;
        if (stage->has_table && stage->table.group_count > 0) {
            if (kept == &self->groups) {
                TRY(aggregate_flush_groups(self, &stage->table, heap, &stage->parts, false, scratch,
                                           err));
            } else {
                TRY(group_table_flush(&stage->table, &stage->parts, false, err));
            }
        }
        aggregate_take_back(self, &stage->parts.spares);
        aggregate_take_back(self, &stage->passed.spares);
        TRY(take_parts(kept->parts, &stage->parts, err));
        return take_parts(kept->passed, &stage->passed, err);
    }
    if (stage->has_table) {
        kept->tables[kept->table_count] = stage->table;
        stage->table = (group_table){0};
        if (heap != NULL) {
            kept->heaps[kept->table_count] = *heap;
            *heap = aggregate_heap_open(self->keeper);
        }
        kept->table_count++;
        return FIRN_OK;
    }
    return stage->list.store == NULL ? FIRN_OK
                                     : row_pages_append(&kept->list, &stage->list.parts[0], err);
}

firn_status aggregate_worker_merge(aggregate_worker *self, op_call *call, firn_error *err) {
    aggregate_state *shared = self->shared;
    const aggregate_shape *shape = &shared->shape;
    TRY(aggregate_worker_put_totals(self, call, err));
    shared->input_rows += self->input_rows;
    shared->decoded_count += self->values.decoded_count + expr_values_decoded(self->exprs);
    TRY(aggregate_number_end(self, call->scratch, err));
    for (uint32_t i = 0; i < shape->collector_count; i++) {
        aggregate_kept *kept = self->is_numbered && shape->collectors[i].may_number
                                   ? &shared->numbered[i]
                                   : &shared->collected[i];
        TRY(take_stage(shared, kept, &self->collected[i], NULL, call->scratch, err));
    }
    if (shape->has_groups) {
        return take_stage(shared, &shared->groups, &self->groups, &self->heap, call->scratch, err);
    }
    const aggregate_context context =
        aggregate_context_of(shared, &shared->single_heap, call->scratch, err);
    return aggregate_combine(&context, &shared->single, &self->single, 1, false);
}

// ---- Rows of other tables -----------------------------------------------------------------------

// Splits rows into those that made a group and those that found one, and combines states. Rows of
// fresh groups need it as well: their states have only begun.
static firn_status combine_rows(aggregate_state *self, const group_lookup *call,
                                aggregate_heap *heap, const aggregate_taking *from, arena *scratch,
                                firn_error *err) {
    const aggregate_shape *shape = &self->shape;
    const aggregate_context context = aggregate_context_of(self, heap, scratch, err);
    const bool is_exported = shape->has_heap && from->store == &self->kept_store;
    uint8_t **targets = ARENA_NEW(scratch, uint8_t *, (size_t)call->count + 1);
    uint8_t **sources = ARENA_NEW(scratch, uint8_t *, (size_t)call->count + 1);
    if (targets == NULL || sources == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < call->fresh_count; i++) {
        targets[i] = row_extra(&shape->table, call->groups[call->fresh[i]]);
    }
    aggregate_init(shape, targets, call->fresh_count);
    uint32_t count = 0;
    for (uint32_t k = 0; k < call->count; k++) {
        targets[count] = call->groups[k];
        sources[count] = from->rows[k];
        count += call->groups[k] != NULL;
    }
    TRY(aggregate_combine(&context, targets, sources, count, is_exported));
    if (!is_exported) {
        return FIRN_OK;
    }
    const uint32_t exported = shape->kept.column_count - shape->group_keys;
    column *columns = ARENA_NEW(scratch, column, exported + 1);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < exported; i++) {
        TRY(rows_gather(from->store, shape->group_keys + i, (const uint8_t *const *)sources, count,
                        scratch, &columns[i], err));
    }
    return aggregate_import(&context, columns, targets, count);
}

firn_status aggregate_take_rows(aggregate_state *self, group_table *table, aggregate_heap *heap,
                                const aggregate_taking *from, arena *scratch, firn_error *err) {
    const uint32_t count = from->count;
    uint64_t *hashes = ARENA_NEW(scratch, uint64_t, (size_t)count + 1);
    uint16_t *fresh = ARENA_NEW(scratch, uint16_t, (size_t)count + 1);
    column *keys = ARENA_NEW(scratch, column, table->key_count + 1);
    if (hashes == NULL || fresh == NULL || keys == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t k = 0; k < count; k++) {
        hashes[k] = row_hash(from->rows[k]);
    }
    for (uint32_t i = 0; i < table->key_count; i++) {
        TRY(rows_gather(from->store, i, (const uint8_t *const *)from->rows, count, scratch,
                        &keys[i], err));
    }
    group_lookup call = {
        .columns = keys, .count = count, .hashes = hashes, .groups = from->groups, .fresh = fresh};
    TRY(group_table_find(table, &call, scratch, err));
    if (table->store != &self->table_store) { // A collector's: no states.
        return FIRN_OK;
    }
    return combine_rows(self, &call, heap, from, scratch, err);
}

// ---- Tables that find groups by key -------------------------------------------------------------

// Takes in the numbers of all keys of a page. Groups move for new ones, and only those of the table
// are known then: so this comes before the first of the page's rows becomes one. *fits is false if
// there are too many.
static firn_status learn_page(group_table *to, row_page *page, bool *fits, arena *scratch,
                              firn_error *err) {
    uint8_t *rows[CHUNK];
    uint32_t at = 0;
    uint32_t n;
    const arena_mark mark = arena_mark_take(scratch);
    while (*fits && (n = row_page_rows(page, to->store->layout, &at, rows, CHUNK)) > 0) {
        const group_absorbing call = {.rows = rows, .count = n};
        TRY(group_direct_learn(to, &call, fits, scratch, err));
        arena_rewind(scratch, mark);
    }
    return FIRN_OK;
}

// Some rows of a page that belongs to the first table from now on. *fits is false if memory was
// refused.
static firn_status take_in_place(aggregate_state *self, aggregate_kept *kept, uint8_t **rows,
                                 uint32_t count, bool *fits, arena *scratch, firn_error *err) {
    uint8_t *groups[CHUNK];
    bool is_fresh[CHUNK];
    uint32_t live = 0;
    for (uint32_t k = 0; k < count; k++) {
        rows[live] = rows[k];
        live += row_hash(rows[k]) != 0;
    }
    group_absorbing call = {
        .rows = rows, .count = live, .in_place = true, .groups = groups, .is_fresh = is_fresh};
    TRY(group_direct_absorb(&kept->tables[0], &call, scratch, err));
    uint32_t found = 0;
    for (uint32_t k = 0; k < call.done; k++) {
        groups[found] = groups[k];
        rows[found] = rows[k];
        found += !is_fresh[k];
    }
    *fits = call.done == live;
    if (kept != &self->groups) { // A collector's: no states.
        return FIRN_OK;
    }
    const aggregate_context context = aggregate_context_of(self, &kept->heaps[0], scratch, err);
    return aggregate_combine(&context, groups, rows, found, false);
}

// All groups of a table into the first one, which finds them by key, on the pages where they are.
static firn_status unite_in_place(aggregate_state *self, aggregate_kept *kept, uint32_t from,
                                  bool *fits, arena *scratch, firn_error *err) {
    group_table *to = &kept->tables[0];
    group_table *source = &kept->tables[from];
    uint8_t *rows[CHUNK];
    const arena_mark mark = arena_mark_take(scratch);
    to->direct.slot_max = UINT64_MAX;
    for (row_page *page; *fits && (page = row_pages_pop(&source->rows.parts[0])) != NULL;) {
        uint32_t at = 0;
        uint32_t n;
        const firn_status status = learn_page(to, page, fits, scratch, err);
        row_pages_push_last(&to->rows.parts[0], page);
        TRY(status);
        while (*fits && (n = row_page_rows(page, to->store->layout, &at, rows, CHUNK)) > 0) {
            TRY(take_in_place(self, kept, rows, n, fits, scratch, err));
            arena_rewind(scratch, mark);
        }
    }
    return FIRN_OK;
}

// The first table that finds groups by key; table_count if there is none.
static uint32_t first_direct(const aggregate_kept *kept) {
    uint32_t found = 0;
    while (found < kept->table_count && !kept->tables[found].direct.is_on) {
        found++;
    }
    return found;
}

// Brings all groups together in such a table, which becomes the first. The others' heaps stay:
// states point into them.
static firn_status unite_by_key(aggregate_state *self, aggregate_kept *kept, uint32_t number,
                                bool *fits, arena *scratch, firn_error *err) {
    const group_table table = kept->tables[number];
    const aggregate_heap heap = kept->heaps[number];
    kept->tables[number] = kept->tables[0];
    kept->heaps[number] = kept->heaps[0];
    kept->tables[0] = table;
    kept->heaps[0] = heap;
    *fits = true;
    for (uint32_t i = 1; i < kept->table_count && *fits; i++) {
        TRY(unite_in_place(self, kept, i, fits, scratch, err));
        if (*fits) {
            group_table_close(&kept->tables[i]);
        }
    }
    return FIRN_OK;
}

// ---- Settling ----------------------------------------------------------------------------------

// Whether one table is to take in all others.
static bool is_small(const aggregate_kept *self) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < self->table_count; i++) {
        count += self->tables[i].group_count;
    }
    return self->table_count <= 1 || count <= SMALL_GROUPS ||
           first_direct(self) < self->table_count;
}

// Rows that went over stay in both tables, marked as gone. Whether all did.
static bool mark_taken(const aggregate_taking *self) {
    bool all = true;
    for (uint32_t k = 0; k < self->count; k++) {
        all &= self->groups[k] != NULL;
        if (self->groups[k] != NULL) {
            row_hash_set(self->rows[k], 0);
        }
    }
    return all;
}

// All groups of the second table into the first. *fits is false if memory was refused.
static firn_status unite(aggregate_state *self, aggregate_kept *kept, uint32_t from, bool *fits,
                         arena *scratch, firn_error *err) {
    group_table *to = &kept->tables[0];
    group_table *source = &kept->tables[from];
    uint8_t *rows[CHUNK];
    uint8_t *groups[CHUNK];
    group_cursor cursor = {0};
    *fits = group_table_reserve(to, source->group_count);
    row_pace pace = row_pace_open(self->run);
    const arena_mark mark = arena_mark_take(scratch);
    for (uint32_t n; *fits && (n = group_table_next(source, &cursor, rows, CHUNK)) > 0;) {
        for (uint32_t at = 0; at < n && *fits;) {
            const uint32_t count =
                rows_readable(kept->table_store, (const uint8_t *const *)rows + at,
                              row_pace_rows(&pace, n - at), pace.most);
            const aggregate_taking some = {
                .store = kept->table_store, .rows = rows + at, .count = count, .groups = groups};
            TRY(aggregate_take_rows(self, to, &kept->heaps[0], &some, scratch, err));
            *fits &= mark_taken(&some);
            row_pace_learn(&pace, count, arena_bytes_since(scratch, mark));
            arena_rewind(scratch, mark);
            at += count;
        }
    }
    return FIRN_OK;
}

static firn_status unite_all(aggregate_state *self, aggregate_kept *kept, bool *fits,
                             arena *scratch, firn_error *err) {
    const uint32_t direct = first_direct(kept);
    *fits = true;
    if (direct < kept->table_count) {
        return unite_by_key(self, kept, direct, fits, scratch, err);
    }
    for (uint32_t i = 1; i < kept->table_count && *fits; i++) {
        TRY(unite(self, kept, i, fits, scratch, err));
        if (*fits) {
            group_table_close(&kept->tables[i]);
            aggregate_heap_close(&kept->heaps[i]);
        }
    }
    return FIRN_OK;
}

// ---- Partitions ---------------------------------------------------------------------------------

// Tables and lists of workers that had no partitions into partitions.
static firn_status part_kept(aggregate_state *self, aggregate_kept *kept, row_writer *parts,
                             arena *scratch, firn_error *err) {
    for (uint32_t i = 0; i < kept->table_count; i++) {
        group_table *table = &kept->tables[i];
        if (table->store == NULL) {
            continue;
        }
        if (kept == &self->groups) {
            TRY(aggregate_flush_groups(self, table, &kept->heaps[i], parts, false, scratch, err));
        } else {
            TRY(group_table_flush(table, parts, false, err));
        }
        group_table_close(table);
    }
    uint8_t *rows[CHUNK];
    for (row_page *page; (page = row_pages_pop(&kept->list)) != NULL;) {
        uint32_t at = 0;
        firn_status status = FIRN_OK;
        for (uint32_t n; status == FIRN_OK &&
                         (n = row_page_rows(page, kept->store->layout, &at, rows, CHUNK)) > 0;) {
            for (uint32_t next = 0; next < n && status == FIRN_OK;) {
                status = row_writer_copy(parts, rows, NULL, n, &next, err);
            }
        }
        page_put(self->keeper, page);
        TRY(status);
    }
    return take_parts(kept->parts, parts, err);
}

static firn_status part_all(aggregate_state *self, arena *scratch, firn_error *err) {
    self->is_partitioned = true;
    (void)aggregate_partition(self);
    for (uint32_t i = 0; i <= self->shape.collector_count; i++) {
        aggregate_kept *kept =
            i < self->shape.collector_count ? &self->collected[i] : &self->groups;
        row_writer parts;
        const uint32_t part_count = kept->store->layout->has_hash ? self->part_count : 1;
        TRY(row_writer_open(kept->store, part_count, 0, &self->memory, &parts, err));
        aggregate_lend(self, UINT32_MAX, &parts.spares);
        const firn_status status = part_kept(self, kept, &parts, scratch, err);
        aggregate_take_back(self, &parts.spares);
        row_writer_close(&parts);
        TRY(status);
        TRY(row_store_shrink(kept->store, err));
    }
    return FIRN_OK;
}

// Without input, a grouping set without keys still is one group.
static firn_status add_grand_totals(aggregate_state *self, arena *scratch, firn_error *err) {
    const aggregate_shape *shape = &self->shape;
    group_table *table = &self->groups.tables[0];
    column *keys = ARENA_NEW(scratch, column, shape->group_keys + 1);
    if (keys == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t set = 0; set < shape->set_count; set++) {
        if (shape->node->aggregate_.sets.items[set] != 0) {
            continue;
        }
        for (uint32_t i = 0; i < shape->key_count; i++) {
            TRY(column_new_null(scratch, shape->table.types[i], 1, &keys[i], err));
        }
        TRY(column_new(scratch, TYPE_OF(INTEGER), 1, &keys[shape->key_count], err));
        COLUMN_OUT(&keys[shape->key_count], int32_t)[0] = (int32_t)set;
        if (!group_table_reserve(table, 1)) {
            return POOL_FULL(self->keeper, self->table_store.page_size, err);
        }
        uint8_t *group;
        uint16_t fresh;
        group_lookup call = {.columns = keys,
                             .count = 1,
                             .hashes = &(uint64_t){set + 1},
                             .groups = &group,
                             .fresh = &fresh};
        TRY(group_table_find(table, &call, scratch, err));
        if (group == NULL) {
            return POOL_FULL(self->keeper, self->table_store.page_size, err);
        }
        aggregate_init(shape, (uint8_t *[]){row_extra(&shape->table, group)}, 1);
    }
    return FIRN_OK;
}

// ---- Ids ----------------------------------------------------------------------------------------

// Rows of workers that merged before keys were too many.
static firn_status rekey_kept(aggregate_state *self, uint32_t collector, arena *scratch,
                              firn_error *err) {
    aggregate_kept *kept = &self->numbered[collector];
    aggregate_stage stage;
    TRY(aggregate_open_collected(self, collector, false, &self->memory, &stage, err));
    aggregate_lend(self, UINT32_MAX, &stage.spares);
    firn_status status = aggregate_rekey(self, collector, &kept->list, &stage, scratch, err);
    for (uint32_t i = 0; i < self->part_count && status == FIRN_OK; i++) {
        status = aggregate_rekey(self, collector, &kept->parts[i], &stage, scratch, err);
    }
    if (status == FIRN_OK) {
        status = take_stage(self, &self->collected[collector], &stage, NULL, scratch, err);
    }
    stage_close(&stage);
    return status;
}

// Ids are what all rows have, or none.
static firn_status settle_numbers(aggregate_state *self, arena *scratch, firn_error *err) {
    for (uint32_t i = 0; i < self->shape.collector_count; i++) {
        if (!self->shape.collectors[i].may_number) {
            continue;
        }
        if (atomic_load(&self->numbers.is_over)) {
            TRY(rekey_kept(self, i, scratch, err));
            continue;
        }
        const aggregate_kept none = self->collected[i];
        self->collected[i] = self->numbered[i];
        self->numbered[i] = none;
    }
    return FIRN_OK;
}

firn_status aggregate_settle(aggregate_state *self, arena *scratch, firn_error *err) {
    TRY(settle_numbers(self, scratch, err));
    bool fits = !self->is_partitioned && is_small(&self->groups);
    for (uint32_t i = 0; i < self->shape.collector_count; i++) {
        fits = fits && is_small(&self->collected[i]);
    }
    if (fits && self->shape.has_groups) {
        TRY(unite_all(self, &self->groups, &fits, scratch, err));
    }
    for (uint32_t i = 0; i < self->shape.collector_count && fits; i++) {
        TRY(unite_all(self, &self->collected[i], &fits, scratch, err));
    }
    if (!fits) {
        const firn_status status = part_all(self, scratch, err);
        (void)pool_hold(self->keeper, 0); // No row comes any more.
        return status;
    }
    pool_settle(self->keeper);
    if (self->shape.set_count > 0 && self->input_rows == 0) {
        return add_grand_totals(self, scratch, err);
    }
    return FIRN_OK;
}
