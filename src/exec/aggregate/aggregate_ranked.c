// Collected rows that stay where they are, in memory and in the file, because their group's value
// is one of a rank (aggregate_rank.h) and they would not fit: those of an aggregation without
// groups, and of a partition of a few groups, of which a split would make no less.
#include <assert.h>

#include "exec/aggregate/aggregate_rank.h"
#include "exec/aggregate/aggregate_unit.h"

#define RANKED_SHARE 3 // Of what a worker may have: rows, their order, their values.
#define RANK_SHARE 8   // Of it: what is brought together to find a rank.
// Groups of them, for each of which the rows are read again and again: few.
#define RANKED_GROUPS_MAX 16

typedef struct ranking_groups {
    aggregate_unit *unit;
    uint32_t collector;
    uint64_t hashes[RANKED_GROUPS_MAX];
    uint32_t count; // One more than the most: there are more.
    bool is_refused;
    arena *scratch;
} ranking_groups;

static firn_status count_hashes(void *user, uint8_t *const *rows, uint32_t count, bool *is_done,
                                firn_error *err) {
    ranking_groups *self = user;
    (void)err;
    for (uint32_t k = 0; k < count && !*is_done; k++) {
        const uint64_t hash = row_hash(rows[k]);
        uint32_t i = 0;
        while (i < self->count && self->hashes[i] != hash) {
            i++;
        }
        *is_done = i == RANKED_GROUPS_MAX;
        if (!*is_done && i == self->count) {
            self->hashes[i] = hash;
        }
        self->count = i == self->count ? i + 1 : self->count;
    }
    return FIRN_OK;
}

static firn_status count_rows(void *user, uint8_t *const *rows, uint32_t count, bool *is_done,
                              firn_error *err) {
    ranking_groups *self = user;
    bool done;
    TRY(unit_count_rows(self->unit, self->collector, rows, count, &done, self->scratch, err));
    self->is_refused = !done;
    *is_done = !done;
    return FIRN_OK;
}

static uint64_t bytes_of(const row_store *store, const row_pages *rows) {
    return (rows->page_count + rows->spilled.count) * (uint64_t)store->page_size;
}

bool unit_is_ranked(const aggregate_state *shared, uint32_t number, const row_pages *rows) {
    const aggregate_collector *collector = &shared->shape.collectors[number];
    const bool has_place = shared->shape.slots[collector->slot].overload->place != NULL;
    const uint64_t bytes = bytes_of(&shared->table_store, rows);
    return has_place && !collector->is_distinct &&
           (rows->spilled.count > 0 || bytes > aggregate_share(shared) / RANKED_SHARE);
}

firn_status unit_rank_rows(aggregate_unit *self, uint32_t number, row_pages *from, bool *is_refused,
                           arena *scratch, firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    const aggregate_collector *collector = &shape->collectors[number];
    row_store *store = self->shared->collected[number].store;
    if (!shape->has_groups || shape->slots[collector->slot].overload->place == NULL ||
        from->spilled.count == 0 || bytes_of(store, from) <= aggregate_share(self->shared)) {
        return FIRN_OK;
    }
    ranking_groups groups = {.unit = self, .collector = number, .scratch = scratch};
    const ranked_rows rows = {
        .store = store, .pages = from, .desk = &self->desk, .buffer = self->buffer};
    TRY(aggregate_rank_visit(&rows, count_hashes, &groups, scratch, err));
    if (groups.count > RANKED_GROUPS_MAX) {
        return FIRN_OK;
    }
    TRY(aggregate_rank_visit(&rows, count_rows, &groups, scratch, err));
    *is_refused = groups.is_refused;
    self->collected[number].ranked = groups.is_refused ? NULL : from;
    return FIRN_OK;
}

// ---- Values ------------------------------------------------------------------------------------

// Of a group; NULL: of all rows.
typedef struct ranked_group {
    aggregate_unit *unit;
    uint32_t collector;
    const uint8_t *group;
} ranked_group;

static firn_status filter_group(void *user, uint8_t *const *rows, uint32_t count, uint16_t *out,
                                uint32_t *out_count, arena *scratch, firn_error *err) {
    const ranked_group *self = user;
    uint8_t *groups[RANKED_CHUNK];
    uint8_t *alike[RANKED_CHUNK]; // Those with the group's hash.
    uint32_t found = 0;
    for (uint32_t k = 0; k < count; k++) {
        out[found] = (uint16_t)k;
        alike[found] = rows[k];
        found += row_hash(rows[k]) == row_hash(self->group);
    }
    if (found > 0) {
        TRY(unit_find_groups(self->unit, self->collector, alike, found, groups, scratch, err));
    }
    uint32_t taken = 0;
    for (uint32_t k = 0; k < found; k++) {
        out[taken] = out[k];
        taken += groups[k] == self->group;
    }
    *out_count = taken;
    return FIRN_OK;
}

// The values of the ranks between which a group's value lies, and how far, as the arguments of
// `collect`.
typedef struct ranked_args {
    column columns[2];
    uint32_t row_count;
} ranked_args;

static firn_status find_args(aggregate_unit *self, const aggregate_slot *slot,
                             const ranked_rows *rows, uint64_t count, ranked_args *out,
                             arena *scratch, firn_error *err) {
    column kept[2];
    column first[2];
    const column *const pointers[2] = {&first[0], &first[1]};
    const uint32_t kept_count = self->shared->shape.collectors[slot->collector].arg_count;
    aggregate_place place;
    double *rest = ARENA_NEW(scratch, double, 1);
    if (rest == NULL) {
        return ARENA_FULL(scratch, err);
    }
    assert(slot->arg_count <= 2);
    TRY(aggregate_rank_args(rows, kept_count, scratch, &self->memory, kept, err));
    for (uint32_t i = 0, at = 0; i < slot->arg_count; i++) {
        first[i] = aggregate_is_kept(slot, i) ? kept[at++] : aggregate_constant(slot, i, 1);
    }
    if (!slot->overload->place(pointers, count, &place)) {
        return aggregate_fail(slot, 0, scratch, err);
    }
    out->row_count = place.rest > 0 && place.rank + 1 < count ? 2 : 1;
    column held;
    TRY(aggregate_rank_values(rows, place.rank, out->row_count, scratch, &self->memory, &held,
                              err));
    TRY(column_copy(scratch, &held, &out->columns[0], err));
    *rest = place.rest;
    out->columns[1] = (column){
        .type = TYPE_OF(DOUBLE), .form = FORM_CONSTANT, .length = out->row_count, .values = rest};
    return FIRN_OK;
}

// The value of one group; `group` is NULL without groups.
static firn_status ranked_value(aggregate_unit *self, const aggregate_slot *slot,
                                const uint8_t *group, uint64_t count, column *out, arena *scratch,
                                firn_error *err) {
    const aggregate_context context = aggregate_context_of(self->shared, &self->heap, scratch, err);
    const aggregate_collector *collector = &context.shape->collectors[slot->collector];
    ranked_group of = {.unit = self, .collector = slot->collector, .group = group};
    const ranked_rows rows = {.store = self->shared->collected[slot->collector].store,
                              .pages = self->collected[slot->collector].ranked,
                              .filter = group == NULL ? NULL : filter_group,
                              .user = &of,
                              .column = context.shape->group_keys,
                              .desk = &self->desk,
                              .buffer = self->buffer,
                              .bytes_max = aggregate_share(self->shared) / RANK_SHARE};
    ranked_args found = {.row_count = 0};
    column *args;
    const arena_mark mark = arena_mark_take(&self->memory);
    TRY(unit_gather_args(self, collector, NULL, 0, &args, scratch, err));
    if (count > 0) {
        TRY(find_args(self, slot, &rows, count, &found, scratch, err));
        for (uint32_t i = 0; i < slot->arg_count; i++) {
            args[i] = found.columns[i];
        }
    }
    arena_rewind(&self->memory, mark);
    return aggregate_collect(&context, slot, args, &found.row_count, 1, out);
}

firn_status unit_ranked_values(aggregate_unit *self, const aggregate_slot *slot,
                               uint8_t *const *groups, uint32_t count, column *out, arena *scratch,
                               firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    const row_pages *pages = self->collected[slot->collector].ranked;
    if (!shape->has_groups) {
        return ranked_value(self, slot, NULL, pages->row_count + pages->spilled_rows, out, scratch,
                            err);
    }
    column *values = ARENA_NEW(scratch, column, count);
    const column **sources = ARENA_NEW(scratch, const column *, count);
    uint32_t *rows = ARENA_NEW(scratch, uint32_t, count);
    if (values == NULL || sources == NULL || rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t g = 0; g < count; g++) {
        TRY(ranked_value(self, slot, groups[g], unit_collected_of(shape, slot, groups[g])->count,
                         &values[g], scratch, err));
        sources[g] = &values[g];
        rows[g] = 0;
    }
    const gathered_rows gathered = {.sources = sources, .rows = rows, .count = count};
    return column_gather(scratch, slot->call->type, &gathered, out, err);
}
