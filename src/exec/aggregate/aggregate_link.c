// Collected rows and their groups.
//
//     link     each row's group is found, or made, and noted in the row; the group counts its rows
//     arrange  by these counts each group has its part of an array, into which its rows go: a
//              counting sort, so that nothing is walked from row to row
//
// DISTINCT rows of a fold whose order does not matter go into its state instead. Groups of a shape
// that is collected are made while its rows are loaded, so memory may be refused and the unit
// split: then the notes are taken back.
#include "exec/aggregate/aggregate_unit.h"

#include <assert.h>

// ---- Groups of rows -----------------------------------------------------------------------------

// Rows of a collector.
typedef struct linking {
    const aggregate_collector *collector;
    const row_store *store;
    uint8_t *const *rows;
    uint32_t count;
    uint8_t **groups; // Of the k-th row.
    uint32_t done;    // So many have one; the others were refused.
} linking;

static linking linking_of(const aggregate_unit *self, uint32_t number, uint8_t *const *rows,
                          uint32_t count, uint8_t **groups) {
    return (linking){.collector = &self->shared->shape.collectors[number],
                     .store = self->shared->collected[number].store,
                     .rows = rows,
                     .count = count,
                     .groups = groups};
}

// Rows that are not told apart have the hash of their group.
static bool hash_keys(const linking *self, const column *keys, uint32_t key_count, arena *scratch,
                      uint64_t *out) {
    if (self->collector->is_distinct) {
        return group_hash_rows(keys, key_count, NULL, self->count, scratch, out);
    }
    for (uint32_t k = 0; k < self->count; k++) {
        out[k] = row_hash(self->rows[k]);
    }
    return true;
}

static firn_status look_up(aggregate_unit *self, group_lookup *call, bool *fits, arena *scratch,
                           firn_error *err) {
    group_table *table = &self->table;
    *fits = true;
    return table->direct.is_on
               ? group_direct_find(table, call, table->direct.slot_max, fits, scratch, err)
               : group_table_find(table, call, scratch, err);
}

// The groups of rows, by the keys that they begin with.
static firn_status find_keys(aggregate_unit *self, linking *from, arena *scratch, firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    column *keys = ARENA_NEW(scratch, column, shape->group_keys + 1);
    uint64_t *hashes = ARENA_NEW(scratch, uint64_t, from->count);
    uint16_t *fresh = ARENA_NEW(scratch, uint16_t, from->count);
    if (keys == NULL || hashes == NULL || fresh == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < shape->group_keys; i++) {
        TRY(rows_gather(from->store, i, (const uint8_t *const *)from->rows, from->count, scratch,
                        &keys[i], err));
    }
    if (!hash_keys(from, keys, shape->group_keys, scratch, hashes)) {
        return ARENA_FULL(scratch, err);
    }
    group_lookup call = {.columns = keys,
                         .count = from->count,
                         .hashes = hashes,
                         .allows_text = true,
                         .groups = from->groups,
                         .fresh = fresh};
    bool fits;
    TRY(look_up(self, &call, &fits, scratch, err));
    if (!shape->is_collected && (!fits || call.fresh_count + call.missing_count > 0)) {
        return FAIL(err, FIRN_INTERNAL, "collected rows of %u groups that are not there",
                    call.fresh_count + call.missing_count);
    }
    from->done = from->count;
    for (uint32_t k = 0; k < from->done && call.missing_count > 0; k++) {
        from->done = from->groups[k] == NULL ? k : from->done;
    }
    return call.fresh_count == 0 ? FIRN_OK
                                 : aggregate_init_fresh(shape, call.groups, call.fresh,
                                                        call.fresh_count, scratch, err);
}

// Rows with ids, by number. Those of groups that were not looked for yet find them by their keys.
static firn_status find_numbers(aggregate_unit *self, bool may_make, linking *from, arena *scratch,
                                firn_error *err) {
    const aggregate_numbers *numbers = &self->shared->numbers;
    uint8_t *keys[UNIT_CHUNK];
    uint8_t *made[UNIT_CHUNK];
    uint16_t ks[UNIT_CHUNK];
    uint32_t count = 0;
    for (uint32_t k = 0; k < from->count; k++) {
        from->groups[k] = self->numbered[aggregate_number_of(from->rows[k])];
        ks[count] = (uint16_t)k;
        count += from->groups[k] == NULL;
    }
    from->done = from->count;
    if (count == 0) {
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = numbers->rows[aggregate_number_of(from->rows[ks[i]])];
    }
    linking fresh = {.collector = from->collector,
                     .store = &numbers->store,
                     .rows = keys,
                     .count = count,
                     .groups = made};
    if (!may_make || group_table_reserve(&self->table, count)) {
        TRY(find_keys(self, &fresh, scratch, err));
    }
    for (uint32_t i = 0; i < fresh.done; i++) {
        from->groups[ks[i]] = made[i];
        self->numbered[aggregate_number_of(from->rows[ks[i]])] = made[i];
    }
    from->done = fresh.done < count ? ks[fresh.done] : from->count;
    return FIRN_OK;
}

static bool is_numbered(const aggregate_unit *self, const aggregate_collector *collector) {
    const aggregate_slot *slot = &self->shared->shape.slots[collector->slot];
    return self->shared->collected[slot->collector].is_numbered;
}

static firn_status find_groups(aggregate_unit *self, bool may_make, linking *from, arena *scratch,
                               firn_error *err) {
    if (is_numbered(self, from->collector)) {
        return find_numbers(self, may_make, from, scratch, err);
    }
    if (self->shared->shape.has_groups) {
        from->done = 0;
        return may_make && !group_table_reserve(&self->table, from->count)
                   ? FIRN_OK
                   : find_keys(self, from, scratch, err);
    }
    for (uint32_t k = 0; k < from->count; k++) {
        from->groups[k] = self->single;
    }
    from->done = from->count;
    return FIRN_OK;
}

// ---- Linking ------------------------------------------------------------------------------------

static firn_status feed(aggregate_unit *self, const linking *from, arena *scratch,
                        firn_error *err) {
    const aggregate_context context = aggregate_context_of(self->shared, &self->heap, scratch, err);
    column *args;
    TRY(unit_gather_args(self, from->collector, from->rows, from->done, &args, scratch, err));
    return aggregate_update_one_slot(
        &context, &context.shape->slots[from->collector->slot], args,
        &(aggregate_rows){.count = from->done, .groups = from->groups});
}

static void note(aggregate_unit *self, const linking *from) {
    const aggregate_shape *shape = &self->shared->shape;
    const aggregate_slot *slot = &shape->slots[from->collector->slot];
    const uint32_t offset = from->collector->group_offset;
    const bool notes = !is_numbered(self, from->collector);
    if (!shape->has_groups) { // Nothing to be told apart.
        unit_collected_of(shape, slot, self->single)->count += from->done;
    }
    for (uint32_t k = 0; k < from->done && shape->has_groups; k++) {
        if (notes) {
            memcpy(from->rows[k] + offset, &from->groups[k], sizeof from->groups[k]);
        }
        unit_collected_of(shape, slot, from->groups[k])->count++;
    }
    self->collected[slot->collector].row_count += from->done;
}

static firn_status link_some(aggregate_unit *self, uint32_t number, uint8_t *const *rows,
                             uint32_t count, uint32_t *done, arena *scratch, firn_error *err) {
    uint8_t *groups[UNIT_CHUNK];
    const aggregate_collector *collector = &self->shared->shape.collectors[number];
    linking from = linking_of(self, number, rows, count, groups);
    const arena_mark mark = arena_mark_take(scratch);
    TRY(find_groups(self, self->shared->shape.is_collected, &from, scratch, err));
    if (!collector->feeds_at_once) {
        note(self, &from);
    } else if (from.done > 0) {
        TRY(feed(self, &from, scratch, err));
    }
    arena_rewind(scratch, mark);
    *done = from.done;
    return FIRN_OK;
}

// As many at a time as may come back from the spill file.
firn_status unit_link_rows(aggregate_unit *self, uint32_t number, uint8_t *const *rows,
                           uint32_t count, uint32_t *done, arena *scratch, firn_error *err) {
    const aggregate_slot *slot =
        &self->shared->shape.slots[self->shared->shape.collectors[number].slot];
    const row_store *store = self->shared->collected[slot->collector].store;
    assert(count <= UNIT_CHUNK);
    *done = 0;
    for (uint32_t some, linked = 1; *done < count && linked > 0; *done += linked) {
        some = rows_readable(store, (const uint8_t *const *)rows + *done, count - *done,
                             self->pace.most);
        TRY(link_some(self, number, rows + *done, some, &linked, scratch, err));
    }
    return FIRN_OK;
}

firn_status unit_find_groups(aggregate_unit *self, uint32_t number, uint8_t *const *rows,
                             uint32_t *count, uint8_t **groups, arena *scratch, firn_error *err) {
    linking from = linking_of(self, number, rows, *count, groups);
    assert(*count <= UNIT_CHUNK);
    TRY(find_groups(self, self->shared->shape.is_collected, &from, scratch, err));
    *count = from.done;
    return FIRN_OK;
}

firn_status unit_known_groups(aggregate_unit *self, uint32_t number, uint8_t *const *rows,
                              uint32_t count, uint8_t **groups, arena *scratch, firn_error *err) {
    linking from = linking_of(self, number, rows, count, groups);
    assert(count <= UNIT_CHUNK);
    return find_groups(self, false, &from, scratch, err);
}

// ---- All rows of a collector --------------------------------------------------------------------

typedef struct walk {
    group_cursor cursor; // Of DISTINCT rows,
    row_page *page;      // of others.
    uint32_t at;
} walk;

static walk walk_of(const unit_collected *self) {
    return (walk){.page = self->rows.first};
}

static uint32_t next_rows(const unit_collected *self, walk *at, const row_layout *layout,
                          uint8_t **out) {
    if (self->distinct.store != NULL) {
        return group_table_next(&self->distinct, &at->cursor, out, UNIT_CHUNK);
    }
    uint32_t count = 0;
    while (at->page != NULL &&
           (count = row_page_rows(at->page, layout, &at->at, out, UNIT_CHUNK)) == 0) {
        at->page = at->page->next;
        at->at = 0;
    }
    return count;
}

static firn_status link_all(aggregate_unit *self, uint32_t number, arena *scratch,
                            firn_error *err) {
    const unit_collected *collected = &self->collected[number];
    const row_layout *layout = self->shared->collected[number].store->layout;
    uint8_t *rows[UNIT_CHUNK];
    walk at = walk_of(collected);
    for (uint32_t n; (n = next_rows(collected, &at, layout, rows)) > 0;) {
        uint32_t done;
        TRY(unit_link_rows(self, number, rows, n, &done, scratch, err));
        assert(done == n);
    }
    return FIRN_OK;
}

firn_status unit_note_groups(aggregate_unit *self, arena *scratch, firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    for (uint32_t i = 0; i < shape->collector_count && !shape->is_collected; i++) {
        if (!shape->collectors[i].feeds_at_once) {
            TRY(link_all(self, i, scratch, err));
            self->collected[i].is_linked = true;
        }
    }
    return FIRN_OK;
}

// ---- Taking back --------------------------------------------------------------------------------

// The first `count` rows of a page have their hashes again.
static void unlink_page(const row_layout *layout, row_page *page, uint32_t count) {
    uint8_t *rows[UNIT_CHUNK];
    uint32_t at = 0;
    for (uint32_t n; count > 0 && (n = row_page_rows(page, layout, &at, rows, UNIT_CHUNK)) > 0;) {
        n = n < count ? n : count;
        count -= n;
        for (uint32_t k = 0; k < n; k++) {
            const uint8_t *group;
            memcpy(&group, rows[k], sizeof group);
            row_hash_set(rows[k], row_hash(group));
        }
    }
}

static void unlink_groups(aggregate_unit *self) {
    const aggregate_shape *shape = &self->shared->shape;
    uint8_t *groups[UNIT_CHUNK];
    group_cursor cursor = {0};
    for (uint32_t n; (n = group_table_next(&self->table, &cursor, groups, UNIT_CHUNK)) > 0;) {
        for (uint32_t i = 0; i < shape->slot_count && !shape->is_collected; i++) {
            const aggregate_slot *slot = &shape->slots[i];
            for (uint32_t k = 0; k < n && slot->collector != ROW_NONE; k++) {
                *unit_collected_of(shape, slot, groups[k]) = (aggregate_collected){0};
            }
        }
        for (uint32_t k = 0; k < n; k++) {
            groups[k] = row_extra(&shape->table, groups[k]);
        }
        if (shape->is_collected) {
            aggregate_init(shape, groups, n);
        }
    }
}

void unit_unlink(aggregate_unit *self) {
    const aggregate_shape *shape = &self->shared->shape;
    for (uint32_t i = 0; i < shape->collector_count; i++) {
        unit_collected *collected = &self->collected[i];
        const row_layout *layout = &shape->collectors[i].layout;
        const bool has_notes = !self->shared->collected[i].is_numbered;
        const bool is_hidden =
            collected->is_linked && has_notes && !shape->collectors[i].is_distinct;
        for (row_page *page = collected->rows.first; page != NULL && is_hidden; page = page->next) {
            unlink_page(layout, page, page->row_count);
        }
        if (self->linking != NULL && i == self->linking_number && has_notes) {
            unlink_page(layout, self->linking, self->linking_count);
            self->linking_count = 0;
        }
        collected->is_linked = false;
        collected->row_count = 0;
        directory_close(&collected->order);
    }
    if (shape->has_groups && shape->collector_count > 0) {
        unlink_groups(self);
    }
}

// ---- The order ----------------------------------------------------------------------------------

bool unit_open_orders(aggregate_unit *self, bool is_urgent) {
    bool is_open = true;
    for (uint32_t i = 0; i < self->shared->shape.collector_count && is_open; i++) {
        unit_collected *collected = &self->collected[i];
        const size_t size = (size_t)collected->row_count * sizeof(uint8_t *);
        pool *keeper = self->shared->keeper;
        if (size > 0 && collected->order.data == NULL) {
            is_open = is_urgent ? directory_open_urgent(keeper, size, &collected->order)
                                : directory_open(keeper, size, &collected->order);
        }
    }
    return is_open;
}

// Each group's part of the order begins where the one before ends.
static void place_groups(aggregate_unit *self, const aggregate_slot *slot) {
    const aggregate_shape *shape = &self->shared->shape;
    if (!shape->has_groups) {
        unit_collected_of(shape, slot, self->single)->end = 0;
        return;
    }
    uint8_t *groups[UNIT_CHUNK];
    group_cursor cursor = {0};
    uint64_t end = 0;
    for (uint32_t n; (n = group_table_next(&self->table, &cursor, groups, UNIT_CHUNK)) > 0;) {
        for (uint32_t k = 0; k < n; k++) {
            aggregate_collected *group = unit_collected_of(shape, slot, groups[k]);
            group->end = end;
            end += group->count;
        }
    }
}

static firn_status place_rows(aggregate_unit *self, const aggregate_slot *slot, arena *scratch,
                              firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    const unit_collected *collected = &self->collected[slot->collector];
    const aggregate_collector *collector = &shape->collectors[slot->collector];
    const row_layout *layout = self->shared->collected[slot->collector].store->layout;
    const bool has_numbers = is_numbered(self, collector);
    uint8_t **order = collected->order.data;
    uint8_t *rows[UNIT_CHUNK];
    walk at = walk_of(collected);
    for (uint32_t n; (n = next_rows(collected, &at, layout, rows)) > 0;) {
        TRY(cancel_check(scratch->cancel, err)); // Of one group there may be millions.
        for (uint32_t k = 0; k < n; k++) {
            uint8_t *group = self->single;
            if (has_numbers) {
                group = self->numbered[aggregate_number_of(rows[k])];
            } else if (shape->has_groups) {
                memcpy(&group, rows[k] + collector->group_offset, sizeof group);
            }
            order[unit_collected_of(shape, slot, group)->end++] = rows[k];
        }
    }
    return FIRN_OK;
}

firn_status unit_arrange(aggregate_unit *self, arena *scratch, firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    for (uint32_t i = 0; i < shape->collector_count; i++) {
        const aggregate_slot *slot = &shape->slots[shape->collectors[i].slot];
        group_table *distinct = &self->collected[i].distinct;
        if (!shape->collectors[i].feeds_at_once) {
            place_groups(self, slot);
            TRY(place_rows(self, slot, scratch, err));
            continue;
        }
        if (!shape->is_collected) {
            TRY(link_all(self, i, scratch, err));
        }
        group_table_close_rows(distinct);
    }
    return FIRN_OK;
}
