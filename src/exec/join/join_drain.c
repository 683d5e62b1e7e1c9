#include "exec/join/join_drain.h"

#include <assert.h>

#define BLOCK_COUNT_MAX 3 // More blocks cost more than a split.
#define SPLIT_BITS 4      // At most: each part has an open page.
#define SPLIT_PARTS (1u << SPLIT_BITS)
#define SPLIT_BITS_ALL 16                // Of all splits of a partition.
#define KEPT_COUNT (JOIN_PAGES_KEPT - 1) // The third is a probe worker's.
#define HELD_MAX (UINT64_C(1) << 40)     // The pool is what limits it.
#define ROWS_AT_ONCE 256

// ---- Opening and closing -----------------------------------------------------------------------

firn_status join_drain_open(join_drain *self, join_state *state, arena *memory, firn_error *err) {
    *self = (join_drain){
        .state = state,
        .desk = spill_desk_open(state->keeper),
        .held = execution_arena(state->run, HELD_MAX),
        .phase = JOIN_DRAIN_DONE,
    };
    join_state_lend(state, KEPT_COUNT, &self->kept);
    for (const row_page *page = self->kept; page != NULL; page = page->next) {
        self->kept_count++;
    }
    return join_probe_open(&self->probe, state, &self->table, memory, err);
}

// One that a job cannot do without.
static row_page *take_page(join_drain *self) {
    row_page *page = page_get(self->state->keeper);
    if (page == NULL && self->kept != NULL) {
        page = self->kept;
        self->kept = page->next;
        self->kept_count--;
    }
    return page == NULL && self->is_urgent ? page_get_urgent(self->state->keeper) : page;
}

static void give_page(join_drain *self, row_page *page) {
    if (page != NULL && self->kept_count < KEPT_COUNT) {
        page->next = self->kept;
        self->kept = page;
        self->kept_count++;
    } else {
        page_put(self->state->keeper, page);
    }
}

static void close_block(join_drain *self) {
    while (self->block != NULL) {
        row_page *page = self->block;
        self->block = page->next;
        give_page(self, page);
    }
    join_slots_close(&self->slots);
}

void join_drain_end(join_drain *self) {
    close_block(self);
    if (self->carry.data != NULL) {
        directory_close(&self->carry);
        self->carry = (directory){0};
    }
    if (self->job != NULL) {
        row_pages_close(&self->state->rows, &self->job->rows);
        row_pages_close(&self->state->probe_rows, &self->job->probe);
        self->job = NULL;
        mutex_lock(&self->state->lock);
        self->state->busy_count--;
        mutex_unlock(&self->state->lock);
    }
    if (self->read != NULL) {
        give_page(self, self->read);
        self->read = NULL;
    }
    self->phase = JOIN_DRAIN_DONE;
}

void join_drain_close(join_drain *self) {
    if (self->state != NULL) {
        join_drain_end(self);
        while (self->kept != NULL) {
            row_page *page = self->kept;
            self->kept = page->next;
            page_put(self->state->keeper, page);
        }
        join_probe_close(&self->probe);
        spill_desk_close(&self->desk);
        arena_close(&self->held);
    }
}

// ---- Jobs --------------------------------------------------------------------------------------

static firn_status add_job(join_state *state, row_pages *rows, row_pages *probe, join_job options,
                           firn_error *err) REQUIRES(&state->lock) {
    join_job *job = ARENA_NEW(&state->memory, join_job, 1);
    if (job == NULL) {
        return ARENA_FULL(&state->memory, err);
    }
    *job = options;
    job->rows = *rows;
    job->probe = *probe;
    *rows = (row_pages){.spilled = {.owner = state->keeper}};
    *probe = (row_pages){.spilled = {.owner = state->keeper}};
    job->next = state->jobs;
    state->jobs = job;
    return FIRN_OK;
}

// The first worker that comes makes jobs of all spilled partitions. What stayed in memory has been
// probed, and goes, unless its rows without partner are still to be handed out.
static firn_status make_jobs(join_state *state, firn_error *err) REQUIRES(&state->lock) {
    state->has_jobs = true;
    const uint32_t bits = (uint32_t)__builtin_ctz(state->part_count);
    for (uint32_t i = 0; i < state->part_count; i++) {
        join_part *part = &state->parts[i];
        if (atomic_load(&part->is_spilled)) {
            TRY(add_job(state, &part->rows, &part->probe, (join_job){.bits_before = bits}, err));
            continue;
        }
        join_slots_close(&state->table.parts[i]);
        join_part_runs_close(&part->runs);
        if (!state->plan.right_survives) {
            row_pages_close(&state->rows, &part->rows);
        }
    }
    join_filters_close(state); // No left row comes any more.
    if (state->bloom_memory.data != NULL) {
        directory_close(&state->bloom_memory);
        state->bloom = NULL;
    }
    const uint64_t used = pool_used(state->keeper);
    const uint64_t floor = join_state_min_bytes(state, state->run->worker_count);
    (void)pool_hold(state->keeper, used + floor); // Less than while left rows went by.
    const uint64_t budget = join_state_budget(state);
    const uint64_t free = budget > used && budget - used > floor ? budget - used : floor;
    state->job_share = free / state->run->worker_count;
    return FIRN_OK;
}

firn_status join_drain_take(join_drain *self, bool *found, firn_error *err) {
    join_state *state = self->state;
    firn_status status = FIRN_OK;
    mutex_lock(&state->lock);
    if (!state->has_jobs) {
        status = make_jobs(state, err);
    }
    if (status == FIRN_OK && state->jobs != NULL && !self->has_left) {
        self->job = state->jobs;
        state->jobs = self->job->next;
        state->busy_count++;
    }
    mutex_unlock(&state->lock);
    *found = self->job != NULL;
    self->phase = *found ? JOIN_DRAIN_LOAD : JOIN_DRAIN_DONE;
    self->next_build = 0;
    self->is_last = false;
    self->has_split = false;
    self->is_urgent = false;
    return status;
}

// ---- Splitting ---------------------------------------------------------------------------------

static firn_status deal(row_writer *writer, const row_pages *from, spill_desk *desk, void *page,
                        const cancel_flag *cancel, firn_error *err) {
    row_store *store = writer->store;
    for (size_t i = 0; i < from->spilled.count; i++) {
        TRY(cancel_check(cancel, err));
        TRY(row_pages_peek(store, from, i, desk, page, err));
        uint8_t *rows[ROWS_AT_ONCE];
        uint32_t at = 0;
        uint32_t count;
        while ((count = row_page_rows(page, store->layout, &at, rows, ROWS_AT_ONCE)) > 0) {
            uint32_t next = 0;
            TRY(row_writer_copy(writer, rows, NULL, count, &next, err));
        }
    }
    return FIRN_OK;
}

// The pages for a split of both sides: as many as it can use, if they are to be had. Returns by how
// many bits it splits: with fewer pages than parts each would be written with a row or two.
static uint32_t open_split(join_drain *self) {
    while (self->kept_count < SPLIT_PARTS) {
        row_page *page = page_get(self->state->keeper);
        if (page == NULL && self->kept_count < KEPT_COUNT) {
            page = page_get_urgent(self->state->keeper);
        }
        if (page == NULL) {
            break;
        }
        page->next = self->kept;
        self->kept = page;
        self->kept_count++;
    }
    uint32_t bits = 1;
    while (bits < SPLIT_BITS && 2u << bits <= self->kept_count) {
        bits++;
    }
    return bits;
}

static void close_split(join_drain *self) {
    while (self->kept_count > KEPT_COUNT) {
        row_page *page = self->kept;
        self->kept = page->next;
        self->kept_count--;
        page_put(self->state->keeper, page);
    }
}

// One side in parts, all of them in the file.
static firn_status split_side(join_drain *self, row_store *store, const row_pages *from,
                              uint32_t bits, row_pages *parts, arena *scratch, firn_error *err) {
    row_writer writer;
    TRY(row_writer_open(store, 1u << bits, self->job->bits_before, scratch, &writer, err));
    writer.prefers_spares = true; // And no more: others are at work, too.
    writer.page_max = 1u << bits;
    writer.spares = self->kept; // Lent.
    self->kept = NULL;
    self->kept_count = 0;
    firn_status status =
        deal(&writer, from, &self->desk, self->read, &self->state->run->cancel, err);
    if (status == FIRN_OK) {
        status = row_writer_spill(&writer, UINT32_MAX, err);
    }
    for (uint32_t i = 0; status == FIRN_OK && i < writer.part_count; i++) {
        parts[i] = writer.parts[i];
        writer.parts[i] = (row_pages){.spilled = {.owner = self->state->keeper}};
    }
    for (row_page *page; (page = writer.spares) != NULL; self->kept_count++) {
        writer.spares = page->next;
        page->next = self->kept;
        self->kept = page;
    }
    row_writer_close(&writer);
    return status;
}

static firn_status add_parts(join_drain *self, uint32_t bits, row_pages *rows, row_pages *probe,
                             firn_error *err) {
    join_state *state = self->state;
    const join_job *whole = self->job;
    firn_status status = FIRN_OK;
    mutex_lock(&state->lock);
    state->split_depth =
        whole->depth + 1 > state->split_depth ? whole->depth + 1 : state->split_depth;
    for (uint32_t i = 0; status == FIRN_OK && i < SPLIT_PARTS; i++) {
        const join_job options = {
            .bits_before = whole->bits_before + bits,
            .depth = whole->depth + 1,
            .is_hot = rows[i].spilled_rows > whole->rows.spilled_rows / 10 * 9,
        };
        if (rows[i].spilled_rows > 0 || probe[i].spilled_rows > 0) {
            status = add_job(state, &rows[i], &probe[i], options, err);
        }
    }
    mutex_unlock(&state->lock);
    return status;
}

static firn_status split(join_drain *self, arena *scratch, firn_error *err) {
    join_state *state = self->state;
    row_pages rows[SPLIT_PARTS];
    row_pages probe[SPLIT_PARTS];
    for (uint32_t i = 0; i < SPLIT_PARTS; i++) {
        rows[i] = (row_pages){.spilled = {.owner = state->keeper}};
        probe[i] = rows[i];
    }
    atomic_fetch_add(&state->split_count, 1);
    self->has_split = true;
    const uint32_t bits = open_split(self);
    firn_status status = split_side(self, &state->rows, &self->job->rows, bits, rows, scratch, err);
    if (status == FIRN_OK) {
        status = split_side(self, &state->probe_rows, &self->job->probe, bits, probe, scratch, err);
    }
    if (status == FIRN_OK) {
        status = add_parts(self, bits, rows, probe, err);
    }
    close_split(self);
    for (uint32_t i = 0; i < SPLIT_PARTS; i++) {
        row_pages_close(&state->rows, &rows[i]);
        row_pages_close(&state->probe_rows, &probe[i]);
    }
    self->phase = JOIN_DRAIN_DONE;
    return status;
}

// ---- Blocks ------------------------------------------------------------------------------------

// Does what is found in one block matter for the next one?
static bool needs_carry(const join_plan *plan) {
    return plan->left_survives || plan->is_first_match;
}

// Opens the two bits for each left row, if they are needed; false: refused.
static bool open_carry(join_drain *self, bool is_urgent) {
    const uint64_t rows = self->job->probe.spilled_rows;
    const size_t bytes = BITMAP_WORDS(rows * 2) * sizeof(uint64_t);
    if (!needs_carry(&self->state->plan) || self->carry.data != NULL || rows == 0) {
        return true;
    }
    self->carry_rows = rows;
    return is_urgent ? directory_open_urgent(self->state->keeper, bytes, &self->carry)
                     : directory_open(self->state->keeper, bytes, &self->carry);
}

// Pages and their directory, for that many pages of the job.
static uint64_t block_bytes(const join_drain *self, uint64_t pages) {
    const row_pages *rows = &self->job->rows;
    const uint64_t per_page = rows->spilled_rows / rows->spilled.count + 1;
    return pages * self->state->rows.page_size +
           join_slots_bytes(self->state->rows.layout, pages * per_page);
}

// Reads pages until the share is used up or refused; at least one.
static firn_status load_pages(join_drain *self, uint64_t *row_count, firn_error *err) {
    join_state *state = self->state;
    const row_pages *rows = &self->job->rows;
    uint64_t pages = 0;
    while (self->next_build < rows->spilled.count &&
           (pages == 0 || block_bytes(self, pages + 1) <= state->job_share)) {
        row_page *page = pages == 0 ? take_page(self) : page_get(state->keeper);
        if (page == NULL) {
            break;
        }
        const firn_status status =
            row_pages_peek(&state->rows, rows, self->next_build, &self->desk, page, err);
        if (status != FIRN_OK) {
            give_page(self, page);
            return status;
        }
        page->next = self->block;
        self->block = page;
        *row_count += page->row_count;
        self->next_build++;
        pages++;
    }
    return pages > 0 || rows->spilled.count == 0
               ? FIRN_OK
               : POOL_FULL(state->keeper, state->rows.page_size, err);
}

// Gives a page of the block back, unless it is the only one.
static bool drop_page(join_drain *self, uint64_t *row_count) {
    row_page *page = self->block;
    if (page == NULL || page->next == NULL) {
        return false;
    }
    self->block = page->next;
    self->next_build--;
    *row_count -= page->row_count;
    page_put(self->state->keeper, page);
    return true;
}

// Opens the directory, giving pages back until there is room for it, and for what has to be
// remembered if rows of the job are left for another block.
static firn_status open_block(join_drain *self, uint64_t row_count, firn_error *err) {
    join_state *state = self->state;
    const row_pages *rows = &self->job->rows;
    for (;;) {
        const bool is_least = self->is_urgent && (self->block == NULL || self->block->next == NULL);
        const bool has_carry =
            self->next_build == rows->spilled.count || open_carry(self, is_least);
        if (has_carry && join_slots_open(&self->slots, &state->rows, row_count, is_least)) {
            self->is_last = self->next_build == rows->spilled.count;
            return FIRN_OK;
        }
        if (!drop_page(self, &row_count)) {
            return POOL_FULL(state->keeper, join_slots_bytes(state->rows.layout, row_count), err);
        }
    }
}

// How many blocks would the job have?
static uint64_t count_blocks(const join_drain *self) {
    const uint64_t pages = self->job->rows.spilled.count;
    return pages == 0 ? 1 : block_bytes(self, pages) / self->state->job_share + 1;
}

// There is no room to begin the job: those that are at work do it later. False: nobody is.
static bool leave(join_drain *self) {
    join_state *state = self->state;
    mutex_lock(&state->lock);
    self->has_left = state->busy_count > 1;
    if (self->has_left) {
        self->job->next = state->jobs;
        state->jobs = self->job;
        state->busy_count--;
    }
    mutex_unlock(&state->lock);
    if (self->has_left) {
        self->job = NULL;
        join_drain_end(self);
    }
    return self->has_left;
}

static bool may_split(const join_drain *self) {
    const uint32_t bits_first = (uint32_t)__builtin_ctz(self->state->part_count);
    return self->job->bits_before < bits_first + SPLIT_BITS_ALL;
}

static firn_status load_block(join_drain *self, arena *scratch, firn_error *err) {
    join_state *state = self->state;
    const join_job *job = self->job;
    if (self->read == NULL) {
        self->read = take_page(self);
        if (self->read == NULL) {
            return POOL_FULL(state->keeper, state->rows.page_size, err);
        }
    }
    if (self->next_build == 0) {
        const uint64_t blocks = count_blocks(self);
        if (blocks > BLOCK_COUNT_MAX && !job->is_hot && may_split(self)) {
            return split(self, scratch, err);
        }
        if (blocks > 1) {
            (void)open_carry(self,
                             false); // Before pages take the room; else open_block sees to it.
        }
    }
    uint64_t row_count = 0;
    TRY(load_pages(self, &row_count, err));
    TRY(open_block(self, row_count, err));
    self->table = (join_table){.part_count = 1, .parts = &self->slots};
    for (row_page *page = self->block; page != NULL; page = page->next) {
        join_table_add_page(&self->table, &state->plan, 0, page, false);
    }
    atomic_fetch_add(&state->block_count, 1);
    self->next_probe = 0;
    self->read_at = UINT32_MAX;
    self->first_row = 0;
    self->batch_size = 0;
    self->phase = JOIN_DRAIN_READ;
    return FIRN_OK;
}

// Refused memory, a job that has begun, or that nobody else will do, goes on with the least there
// is.
static firn_status load(join_drain *self, arena *scratch, firn_error *err) {
    const size_t from = self->next_build;
    const firn_status status = load_block(self, scratch, err);
    if (status != FIRN_NO_MEMORY || self->has_split || self->is_urgent) {
        return status;
    }
    if (from == 0 && leave(self)) {
        return FIRN_OK;
    }
    close_block(self);
    self->next_build = from;
    self->is_urgent = true;
    return load_block(self, scratch, err);
}

// ---- Left rows ---------------------------------------------------------------------------------

static void load_carry(join_drain *self, uint16_t *lanes, uint64_t *hashes, uint32_t *count) {
    join_probe *probe = &self->probe;
    probe->has_carry = self->carry.data != NULL;
    if (!probe->has_carry) {
        return;
    }
    const uint64_t *bits = self->carry.data;
    memset(probe->matched, 0, BITMAP_WORDS(*count) * sizeof(uint64_t));
    memset(probe->undecided, 0, BITMAP_WORDS(*count) * sizeof(uint64_t));
    const join_kind kind = self->state->plan.kind;
    const bool forgets = kind == JOIN_SEMI || kind == JOIN_ANTI;
    uint32_t kept = 0;
    for (uint32_t k = 0; k < *count; k++) {
        const uint64_t row = self->first_row + k;
        const bool is_matched = bitmap_get(bits, row);
        bitmap_put(probe->matched, k, is_matched);
        bitmap_put(probe->undecided, k, bitmap_get(bits, self->carry_rows + row));
        lanes[kept] = lanes[k];
        hashes[kept] = hashes[k];
        kept += forgets && is_matched ? 0 : 1;
    }
    *count = kept;
}

static void store_carry(join_drain *self) {
    if (self->carry.data == NULL) {
        return;
    }
    for (uint32_t k = 0; k < self->batch_size; k++) {
        const uint64_t row = self->first_row + k;
        bitmap_put(self->carry.data, row, bitmap_get(self->probe.matched, k));
        bitmap_put(self->carry.data, self->carry_rows + row, bitmap_get(self->probe.undecided, k));
    }
}

// Rows of the page become a batch that looks for partners.
static firn_status begin_batch(join_drain *self, uint8_t *const *rows, uint32_t count,
                               arena *scratch, firn_error *err) {
    join_state *state = self->state;
    const join_side *side = &state->plan.left;
    const uint8_t *const *held_rows = (const uint8_t *const *)rows;
    column *keys = ARENA_NEW(&self->held, column, side->key_count + 1);
    uint16_t *lanes = ARENA_NEW(&self->held, uint16_t, count);
    uint64_t *hashes = ARENA_NEW(&self->held, uint64_t, count);
    if (keys == NULL || lanes == NULL || hashes == NULL) {
        return ARENA_FULL(&self->held, err);
    }
    TRY(join_side_batch(side, &state->probe_rows, held_rows, count, &self->held, &self->left, err));
    for (uint32_t i = 0; i < side->key_count; i++) {
        TRY(rows_gather(&state->probe_rows, i, held_rows, count, &self->held, &keys[i], err));
    }
    for (uint32_t k = 0; k < count; k++) {
        lanes[k] = (uint16_t)k;
        hashes[k] = row_hash(rows[k]);
    }
    self->batch_size = count;
    uint32_t lane_count = count;
    load_carry(self, lanes, hashes, &lane_count);
    self->probe.is_last = self->is_last;
    self->phase = JOIN_DRAIN_PROBE;
    const join_lanes looking = {.lanes = lanes, .hashes = hashes, .count = lane_count};
    return join_probe_begin(&self->probe, &self->left, keys, &looking, scratch, err);
}

static firn_status read(join_drain *self, arena *scratch, firn_error *err) {
    join_state *state = self->state;
    const row_pages *probe = &self->job->probe;
    const uint32_t most = state->run->options->batch_rows;
    self->first_row += self->batch_size;
    self->batch_size = 0;
    arena_reset(&self->held);
    uint8_t **rows = ARENA_NEW(&self->held, uint8_t *, most);
    if (rows == NULL) {
        return ARENA_FULL(&self->held, err);
    }
    uint32_t count = 0;
    if (self->read_at != UINT32_MAX) {
        count = row_page_rows(self->read, state->probe_rows.layout, &self->read_at, rows, most);
    }
    if (count == 0 && self->next_probe < probe->spilled.count) {
        TRY(row_pages_peek(&state->probe_rows, probe, self->next_probe++, &self->desk, self->read,
                           err));
        self->read_at = 0;
        count = row_page_rows(self->read, state->probe_rows.layout, &self->read_at, rows, most);
    }
    if (count > 0) {
        return begin_batch(self, rows, count, scratch, err);
    }
    self->page = self->block;
    self->page_at = 0;
    self->phase = JOIN_DRAIN_UNMATCHED;
    return FIRN_OK;
}

// ---- Rows without partner ----------------------------------------------------------------------

static firn_status unmatched(join_drain *self, arena *scratch, batch *output, firn_error *err) {
    join_state *state = self->state;
    const row_layout *layout = &state->plan.right.layout;
    const uint32_t most = state->run->options->batch_rows;
    uint8_t **rows = ARENA_NEW(scratch, uint8_t *, most);
    if (rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    while (state->plan.right_survives && self->page != NULL) {
        const uint32_t count = row_page_rows(self->page, layout, &self->page_at, rows, most);
        uint32_t kept = 0;
        for (uint32_t k = 0; k < count; k++) {
            rows[kept] = rows[k];
            kept += join_row_is_matched(layout, rows[k]) ? 0 : 1;
        }
        if (count == 0) {
            self->page = self->page->next;
            self->page_at = 0;
        } else if (kept > 0) {
            return join_output_right(&state->plan, &state->rows, (const uint8_t *const *)rows, kept,
                                     scratch, output, err);
        }
    }
    close_block(self);
    self->phase = self->is_last ? JOIN_DRAIN_DONE : JOIN_DRAIN_LOAD;
    return FIRN_OK;
}

firn_status join_drain_next(join_drain *self, arena *scratch, batch *output, firn_error *err) {
    while (self->phase != JOIN_DRAIN_DONE && output->selected_count == 0) {
        const arena_mark mark = arena_mark_take(scratch);
        TRY(cancel_check(&self->state->run->cancel, err));
        switch (self->phase) {
        case JOIN_DRAIN_LOAD:
            TRY(load(self, scratch, err));
            break;
        case JOIN_DRAIN_READ:
            TRY(read(self, scratch, err));
            break;
        case JOIN_DRAIN_PROBE:
            if (!self->probe.is_done) {
                TRY(join_probe_next(&self->probe, scratch, output, err));
            } else {
                store_carry(self);
                self->phase = JOIN_DRAIN_READ;
            }
            break;
        case JOIN_DRAIN_UNMATCHED:
            TRY(unmatched(self, scratch, output, err));
            break;
        case JOIN_DRAIN_DONE:
            break;
        }
        if (output->selected_count == 0) { // A block that is not the last one hands nothing out.
            arena_rewind(scratch, mark);
        }
    }
    return FIRN_OK;
}
