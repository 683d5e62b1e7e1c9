// Collected rows that stay where they are, in memory and in the file, because their group's value
// is one of a rank (aggregate_rank.h) and they would not fit: those of an aggregation without
// groups, and of the few groups that have most rows of a partition, of which a split would make no
// less. What other groups have there is copied into memory.
#include <assert.h>

#include "exec/aggregate/aggregate_rank.h"
#include "exec/aggregate/aggregate_unit.h"

#define RANKED_SHARE 3 // Of what a worker may have: rows, their order, their values.
#define RANK_SHARE 4   // Of it: what is held to find a rank.
#define GROUP_SHARE 4  // Of it: a group's rows, where all of them would fit, if not what follows.
#define COPIED_SHARE 4 // Of it: copies of other groups' rows.
#define LOOK_EVERY 8   // Of so many rows one is looked at.
#define LOOK_MIN 4096  // So many of them show whether there are groups of many rows.
#define MANY_ROWS 32   // Of so many rows such a group has one.

// ---- Which groups have many rows ----------------------------------------------------------------

// Hashes that may be frequent (Misra and Gries 1982, Finding repeated elements): what each was seen
// more often than all others together could take from it.
typedef struct frequent_hashes {
    uint64_t hashes[UNIT_RANKED_MAX];
    uint64_t counts[UNIT_RANKED_MAX];
    uint32_t count;
    uint64_t seen;
    uint64_t mask; // Of what rows have as hash.
} frequent_hashes;

static void drop_rare(frequent_hashes *self, uint64_t count_min) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        self->hashes[kept] = self->hashes[i];
        self->counts[kept] = self->counts[i];
        kept += self->counts[i] >= count_min;
    }
    self->count = kept;
}

static uint32_t find_hash(const frequent_hashes *self, uint64_t hash) {
    uint32_t i = 0;
    while (i < self->count && self->hashes[i] != hash) {
        i++;
    }
    return i;
}

static void see_hash(frequent_hashes *self, uint64_t hash) {
    const uint32_t at = find_hash(self, hash);
    self->seen++;
    if (at < self->count) {
        self->counts[at]++;
    } else if (at < UNIT_RANKED_MAX) {
        self->hashes[at] = hash;
        self->counts[at] = 1;
        self->count++;
    } else {
        for (uint32_t i = 0; i < self->count; i++) {
            self->counts[i]--;
        }
        drop_rare(self, 1);
    }
}

// What rows of a group have in common: its hash, or its number.
static uint64_t common_hash(const frequent_hashes *self, const uint8_t *row) {
    return row_hash(row) & self->mask;
}

static firn_status see_hashes(void *user, uint8_t *const *rows, uint32_t count, bool *is_done,
                              firn_error *err) {
    frequent_hashes *self = user;
    (void)err;
    for (uint32_t k = 0; k < count; k += LOOK_EVERY) {
        see_hash(self, common_hash(self, rows[k]));
    }
    uint64_t most = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        most = self->counts[i] > most ? self->counts[i] : most;
    }
    *is_done = self->seen >= LOOK_MIN && most < self->seen / MANY_ROWS / 2;
    return FIRN_OK;
}

// ---- Their rows and those of others -------------------------------------------------------------

typedef struct separating {
    aggregate_unit *unit;
    uint32_t collector;
    const frequent_hashes *frequent;
    row_writer others;
    bool is_too_much; // There are more others than may be copied.
    bool is_refused;  // Or a group found no memory.
    arena *scratch;
} separating;

// Counts a row for its group. False: there are too many groups, of one hash.
static bool count_row(unit_collected *self, const uint8_t *group) {
    uint32_t i = 0;
    while (i < self->ranked_count && self->ranked_groups[i].group != group) {
        i++;
    }
    if (i == UNIT_RANKED_MAX) {
        return false;
    }
    if (i == self->ranked_count) {
        self->ranked_groups[self->ranked_count++] = (unit_ranked_group){.group = group};
    }
    self->ranked_groups[i].row_count++;
    return true;
}

static firn_status separate_rows(void *user, uint8_t *const *rows, uint32_t count, bool *is_done,
                                 firn_error *err) {
    separating *self = user;
    uint8_t *ranked[RANKED_CHUNK];
    uint8_t *others[RANKED_CHUNK];
    uint8_t *groups[RANKED_CHUNK];
    uint32_t ranked_count = 0;
    uint32_t other_count = 0;
    for (uint32_t k = 0; k < count; k++) {
        const bool is_ranked =
            find_hash(self->frequent, common_hash(self->frequent, rows[k])) < self->frequent->count;
        ranked[ranked_count] = rows[k];
        others[other_count] = rows[k];
        ranked_count += is_ranked;
        other_count += !is_ranked;
    }
    uint32_t done = ranked_count;
    if (ranked_count > 0) {
        TRY(unit_find_groups(self->unit, self->collector, ranked, &done, groups, self->scratch,
                             err));
    }
    self->is_refused = done < ranked_count;
    for (uint32_t k = 0; k < done && !self->is_too_much; k++) {
        self->is_too_much = !count_row(&self->unit->collected[self->collector], groups[k]);
    }
    for (uint32_t next = 0; next < other_count && !self->is_too_much;) {
        const uint32_t before = next;
        TRY(row_writer_copy(&self->others, others, NULL, other_count, &next, err));
        self->is_too_much = next == before;
    }
    *is_done = self->is_refused || self->is_too_much;
    return FIRN_OK;
}

// Copies go to their groups, as rows that are read do. They are thrown away if one finds none.
static firn_status link_others(separating *self, firn_error *err) {
    unit_collected *collected = &self->unit->collected[self->collector];
    const row_store *store = self->others.store;
    row_pages *pages = &self->others.parts[0];
    // Of other shapes once all groups are there.
    collected->is_linked = self->unit->shared->shape.is_collected;
    row_page *page = collected->is_linked ? pages->first : NULL;
    for (; page != NULL && !self->is_refused; page = page->next) {
        uint8_t *rows[UNIT_CHUNK];
        uint32_t at = 0;
        for (uint32_t n; !self->is_refused &&
                         (n = row_page_rows(page, store->layout, &at, rows, UNIT_CHUNK)) > 0;) {
            uint32_t done;
            TRY(unit_link_rows(self->unit, self->collector, rows, n, &done, self->scratch, err));
            self->is_refused = done < n;
        }
    }
    return self->is_refused ? FIRN_OK : row_pages_append(&collected->rows, pages, err);
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

void unit_unrank_rows(aggregate_unit *self, uint32_t number) {
    unit_collected *collected = &self->collected[number];
    row_pages_close(self->shared->collected[number].store, &collected->rows);
    collected->ranked_count = 0;
}

static firn_status separate(separating *self, const ranked_rows *rows, firn_error *err) {
    unit_collected *collected = &self->unit->collected[self->collector];
    collected->ranked_count = 0;
    TRY(aggregate_rank_visit(rows, separate_rows, self, self->scratch, err));
    if (!self->is_too_much && !self->is_refused) {
        TRY(link_others(self, err));
    }
    if (self->is_too_much || self->is_refused) {
        collected->ranked_count = 0;
    }
    return FIRN_OK;
}

firn_status unit_rank_rows(aggregate_unit *self, uint32_t number, row_pages *from, bool *is_refused,
                           arena *scratch, firn_error *err) {
    const aggregate_state *shared = self->shared;
    const aggregate_shape *shape = &shared->shape;
    const aggregate_collector *collector = &shape->collectors[number];
    row_store *store = shared->collected[number].store;
    const uint64_t share = aggregate_share(shared);
    const uint64_t bytes = bytes_of(store, from);
    if (!shape->has_groups || shape->slots[collector->slot].overload->place == NULL ||
        bytes <= share / RANKED_SHARE) {
        return FIRN_OK;
    }
    const bool is_numbered = shared->collected[number].is_numbered;
    frequent_hashes frequent = {.mask = is_numbered ? AGGREGATE_NUMBER_MASK : UINT64_MAX};
    const ranked_rows rows = {
        .store = store, .pages = from, .desk = &self->desk, .buffer = self->buffer};
    TRY(aggregate_rank_visit(&rows, see_hashes, &frequent, scratch, err));
    const bool has_room = from->spilled.count == 0 || bytes <= share;
    const double part = has_room ? (double)share / GROUP_SHARE / (double)bytes : 1.0 / MANY_ROWS;
    drop_rare(&frequent, (uint64_t)((double)frequent.seen * part) + 1);
    if (frequent.count == 0) {
        return FIRN_OK;
    }
    separating state = {
        .unit = self, .collector = number, .frequent = &frequent, .scratch = scratch};
    const arena_mark mark = arena_mark_take(&self->memory);
    TRY(row_writer_open(store, 1, 0, &self->memory, &state.others, err));
    state.others.may_spill = false;
    state.others.page_max = (uint32_t)(share / COPIED_SHARE / store->page_size) + 1;
    const firn_status status = separate(&state, &rows, err);
    row_writer_close(&state.others);
    arena_rewind(&self->memory, mark);
    *is_refused = state.is_refused;
    self->collected[number].ranked = state.is_refused || state.is_too_much ? NULL : from;
    return status;
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
    const bool is_numbered = self->unit->shared->collected[self->collector].is_numbered;
    for (uint32_t k = 0; k < count; k++) {
        out[found] = (uint16_t)k;
        alike[found] = rows[k];
        found += is_numbered || row_hash(rows[k]) == row_hash(self->group);
    }
    if (found > 0) {
        TRY(unit_known_groups(self->unit, self->collector, alike, found, groups, scratch, err));
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
        const aggregate_context context =
            aggregate_context_of(self->shared, &self->heap, scratch, err);
        return aggregate_fail(&context, slot, 0);
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

// What is held to find a rank. Without groups one collector after another is looked at, when no row
// comes any more: its sample may take what the stages of all had. A sample of half the rows can
// cost a pass more over all of them.
static uint64_t rank_bytes(const aggregate_state *self) {
    const uint64_t stages = self->shape.has_groups ? 1 : self->shape.collector_count;
    return aggregate_share(self) * stages / RANK_SHARE;
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
                              .row_count = count,
                              .column = aggregate_first_arg(self->shared, slot->collector),
                              .desk = &self->desk,
                              .buffer = self->buffer,
                              .bytes_max = rank_bytes(self->shared)};
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

firn_status unit_ranked_single(aggregate_unit *self, const aggregate_slot *slot, column *out,
                               arena *scratch, firn_error *err) {
    const row_pages *pages = self->collected[slot->collector].ranked;
    return ranked_value(self, slot, NULL, pages->row_count + pages->spilled_rows, out, scratch,
                        err);
}

firn_status unit_ranked_values(aggregate_unit *self, const aggregate_slot *slot,
                               uint8_t *const *groups, uint32_t count, column *out, arena *scratch,
                               firn_error *err) {
    const unit_collected *collected = &self->collected[slot->collector];
    const column others = *out;
    column *values = ARENA_NEW(scratch, column, UNIT_RANKED_MAX);
    const column **sources = ARENA_NEW(scratch, const column *, count);
    uint32_t *rows = ARENA_NEW(scratch, uint32_t, count);
    if (values == NULL || sources == NULL || rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    bool is_any = false;
    for (uint32_t g = 0; g < count; g++) {
        sources[g] = &others;
        rows[g] = g;
        for (uint32_t i = 0; i < collected->ranked_count; i++) {
            const unit_ranked_group *ranked = &collected->ranked_groups[i];
            if (ranked->group == groups[g]) {
                TRY(ranked_value(self, slot, groups[g], ranked->row_count, &values[i], scratch,
                                 err));
                sources[g] = &values[i];
                rows[g] = 0;
                is_any = true;
            }
        }
    }
    const gathered_rows gathered = {.sources = sources, .rows = rows, .count = count};
    return is_any ? column_gather(scratch, slot->call->type, &gathered, out, err) : FIRN_OK;
}
