// Join, build side: keeps the rows of the right input.
//
// A worker begins with one list of rows. When that grows past a few megabytes, or memory is
// refused, it deals its rows out into partitions, with pages taken ahead for each of them. Refused
// again, it goes on with those, and before the next batch it sends its part of partitions to the
// spill file: first those that some worker has given up already, then its largest, which everybody
// gives up from then on. So only pages that are full go to the file.
#include "exec/join/join_state.h"

#define LOOSE_BYTES ((uint64_t)4 << 20) // What one list may hold.

typedef struct build_local {
    join_state *owner;
    arena *memory;
    expr_state *keys;
    row_writer writer;
    bool is_partitioned;
    const row_page *first_spare; // When it last had enough of them.
    uint32_t given_up_seen;      // Of the owner's count.
    join_bounds *bounds;
    uint64_t seen_count;
    uint64_t null_count;
} build_local;

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    (void)input;
    join_state *self;
    TRY(join_state_open(node, run, &self, err));
    run->node_state[node->number] = self;
    *shared = self;
    return FIRN_OK;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    join_state *owner = shared;
    const uint32_t key_count = owner->plan.right.key_count;
    TRY(join_state_begin(owner, err));
    build_local *self = ARENA_NEW(memory, build_local, 1);
    join_bounds *bounds = ARENA_NEW(memory, join_bounds, key_count + 1);
    if (self == NULL || bounds == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < key_count; i++) {
        // Not copied from the owner's, which another worker may be merging into.
        bounds[i] = (join_bounds){
            .is_known = physical_is_integer(type_physical(owner->plan.right.column_types[i]))};
    }
    *self = (build_local){.owner = owner, .memory = memory, .bounds = bounds};
    *local = self;
    TRY(expr_open(owner->plan.right.keys, owner->run->context, &owner->run->dynamic, memory,
                  &self->keys, err));
    TRY(row_writer_open(&owner->rows, 1, 0, memory, &self->writer, err));
    join_state_lend(owner, JOIN_PAGES_KEPT, &self->writer.spares);
    return FIRN_OK;
}

// ---- Partitions --------------------------------------------------------------------------------

#define ROWS_AT_ONCE 256

static firn_status deal_page(row_writer *writer, row_page *page, firn_error *err) {
    uint8_t *rows[ROWS_AT_ONCE];
    uint32_t at = 0;
    uint32_t count;
    while ((count = row_page_rows(page, writer->store->layout, &at, rows, ROWS_AT_ONCE)) > 0) {
        uint32_t next = 0;
        TRY(row_writer_copy(writer, rows, NULL, count, &next, err));
    }
    return FIRN_OK;
}

// Deals the one list out. Each page is copied first, so that it can take part of what it held: this
// may be the time when memory is refused.
static firn_status deal_loose(build_local *self, row_writer *loose, firn_error *err) {
    join_state *owner = self->owner;
    const size_t page_size = owner->rows.page_size;
    arena held = arena_open_in(owner->run->pool, page_size * 4);
    void *copy = loose->spares; // Kept since the worker began.
    if (copy == NULL) {
        copy = ARENA_NEW(&held, uint8_t, page_size);
    } else {
        loose->spares = loose->spares->next;
    }
    const bool is_spare = held.used == 0;
    firn_status status = copy == NULL ? ARENA_FULL(&held, err) : FIRN_OK;
    uint32_t spare_count = 0;
    for (const row_page *each = self->writer.spares; each != NULL; each = each->next) {
        spare_count++;
    }
    while (status == FIRN_OK && loose->parts[0].first != NULL) {
        row_page *page = row_pages_pop(&loose->parts[0]);
        memcpy(copy, page, page->filled);
        if (spare_count < self->writer.part_count + PAGE_SPLIT_COUNT) {
            page->next = self->writer.spares;
            self->writer.spares = page;
            spare_count++;
        } else {
            page_put(owner->keeper, page);
        }
        status = deal_page(&self->writer, copy, err);
    }
    if (is_spare) {
        page_put(owner->keeper, copy);
    }
    arena_close(&held);
    return status;
}

static firn_status begin_partitions(build_local *self, firn_error *err) {
    row_writer loose = self->writer;
    join_state *owner = self->owner;
    self->is_partitioned = true;
    self->writer = (row_writer){0};
    row_page *spares = NULL;
    const uint32_t part_count = join_state_partition(owner, &spares);
    firn_status status =
        row_writer_open(&owner->rows, part_count, 0, self->memory, &self->writer, err);
    if (status != FIRN_OK) {
        join_state_take_back(owner, &spares);
    } else {
        self->writer.spares = spares;
        status = deal_loose(self, &loose, err);
    }
    if (status == FIRN_OK) {
        self->writer.row_count = loose.row_count;
    }
    row_writer_close(&loose);
    return status;
}

// Writes out this worker's pages of a partition that is given up, or gives one up.
static firn_status make_room(build_local *self, bool *has_freed, firn_error *err) {
    join_state *owner = self->owner;
    row_writer *writer = &self->writer;
    uint32_t largest = 0;
    uint64_t freed = 0;
    for (uint32_t i = 0; i < writer->part_count; i++) {
        row_pages *pages = &writer->parts[i];
        if (atomic_load_explicit(&owner->parts[i].is_spilled, memory_order_relaxed) &&
            pages->page_count > 1) {
            freed += pages->page_count - 1;
            TRY(row_pages_spill(&owner->rows, pages, &writer->desk, 1, err));
        }
        if (pages->page_count > writer->parts[largest].page_count) {
            largest = i;
        }
    }
    if (freed == 0 && writer->parts[largest].page_count > 1) {
        freed = writer->parts[largest].page_count - 1;
        atomic_store_explicit(&owner->parts[largest].is_spilled, true, memory_order_relaxed);
        self->given_up_seen += 1;
        atomic_fetch_add_explicit(&owner->given_up_count, 1, memory_order_relaxed);
        TRY(row_pages_spill(&owner->rows, &writer->parts[largest], &writer->desk, 1, err));
    }
    *has_freed = freed > 0;
    return FIRN_OK;
}

// Between batches: follows others who gave partitions up, and sees to it that there are spare pages
// for the next one.
static firn_status keep_up(build_local *self, firn_error *err) {
    join_state *owner = self->owner;
    row_writer *writer = &self->writer;
    const uint32_t given_up =
        (uint32_t)atomic_load_explicit(&owner->given_up_count, memory_order_relaxed);
    bool has_freed = true;
    if (given_up != self->given_up_seen) {
        self->given_up_seen = given_up;
        TRY(make_room(self, &has_freed, err));
    }
    has_freed = writer->spares != self->first_spare;
    while (has_freed && !row_writer_keep(writer, PAGE_SPLIT_COUNT)) {
        TRY(make_room(self, &has_freed, err));
    }
    self->first_spare = writer->spares;
    return FIRN_OK;
}

static firn_status append(build_local *self, row_input *in, uint8_t **rows, arena *scratch,
                          firn_error *err) {
    const row_layout *layout = &self->owner->plan.right.layout;
    bool has_room = true;
    bool has_freed = false;
    while (in->next < in->count) {
        const uint32_t from = in->next;
        self->writer.may_spill = !has_room && self->is_partitioned;
        TRY(row_writer_append(&self->writer, in, rows, scratch, err));
        for (uint32_t k = from; k < in->next; k++) {
            memset(row_extra(layout, rows[k]), 0, layout->extra_size);
        }
        if (in->next > from) {
            has_room = true;
            continue;
        }
        if (!self->is_partitioned) {
            TRY(begin_partitions(self, err));
        } else {
            TRY(make_room(self, &has_freed, err));
            has_room = false; // If there is still none: one page out for one that fills.
            self->writer.may_spill = true;
            TRY(has_freed ? FIRN_OK : row_writer_order(&self->writer, in, scratch, err));
        }
    }
    self->writer.may_spill = true;
    return FIRN_OK;
}

static firn_status look(build_local *self, firn_error *err) {
    join_state *owner = self->owner;
    const uint64_t bytes = self->writer.parts[0].page_count * (uint64_t)owner->rows.page_size;
    const bool is_pressed = pool_excess(owner->keeper) > 0;
    if (!self->is_partitioned && (bytes > LOOSE_BYTES || is_pressed)) {
        TRY(begin_partitions(self, err));
    }
    bool has_freed = self->is_partitioned;
    for (uint32_t i = 0; has_freed && pool_excess(owner->keeper) > 0 && i < 4; i++) {
        TRY(make_room(self, &has_freed, err));
    }
    return self->is_partitioned ? keep_up(self, err) : FIRN_OK;
}

// ---- Rows --------------------------------------------------------------------------------------

// Rows that equal nothing need not be kept, unless they are handed out or leave others undecided.
static uint32_t drop_null_keys(build_local *self, const column *keys, uint16_t *lanes,
                               uint16_t *valid, uint32_t count) {
    const join_plan *plan = &self->owner->plan;
    if (plan->right_survives) {
        return count;
    }
    memcpy(valid, lanes, count * sizeof *lanes);
    const uint32_t valid_count = join_plan_valid_keys(plan, keys, valid, count);
    self->null_count += count - valid_count;
    if (self->owner->decides_by_group) {
        return count;
    }
    memcpy(lanes, valid, valid_count * sizeof *lanes);
    return valid_count;
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    (void)output;
    build_local *self = call->local;
    join_state *owner = self->owner;
    arena *scratch = call->scratch;
    *out = STEP_NEXT;
    column *keys;
    TRY(join_side_keys(&owner->plan.right, self->keys, input, scratch, &keys, err));
    uint32_t count = input->selected_count;
    uint16_t *lanes = ARENA_NEW(scratch, uint16_t, count + 1);
    uint16_t *valid = ARENA_NEW(scratch, uint16_t, count + 1);
    uint64_t *hashes = ARENA_NEW(scratch, uint64_t, count + 1);
    uint8_t **rows = ARENA_NEW(scratch, uint8_t *, count + 1);
    if (lanes == NULL || valid == NULL || hashes == NULL || rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t k = 0; k < count; k++) {
        lanes[k] = (uint16_t)batch_row(input, k);
    }
    self->seen_count += count;
    count = drop_null_keys(self, keys, lanes, valid, count);
    TRY(join_state_hash(owner, keys, lanes, count, scratch, hashes, err));
    for (uint32_t i = 0; i < owner->plan.right.key_count; i++) {
        if (self->bounds[i].is_known) {
            join_bounds_add(&self->bounds[i], &keys[i], lanes, count);
        }
    }
    column *columns;
    TRY(join_side_columns(&owner->plan.right, keys, input, scratch, &columns, err));
    row_input in = {.columns = columns, .rows = lanes, .count = count, .hashes = hashes};
    TRY(append(self, &in, rows, scratch, err));
    return look(self, err);
}

static firn_status merge(op_call *call, firn_error *err) {
    build_local *self = call->local;
    join_state *owner = self->owner;
    join_state_take_back(owner, &self->writer.spares);
    owner->row_count += self->writer.row_count;
    owner->seen_count += self->seen_count;
    owner->null_count += self->null_count;
    for (uint32_t i = 0; i < owner->plan.right.key_count; i++) {
        join_bounds_merge(&owner->bounds[i], &self->bounds[i]);
    }
    if (!self->is_partitioned) {
        return row_pages_append(&owner->loose, &self->writer.parts[0], err);
    }
    owner->is_partitioned = true;
    for (uint32_t i = 0; i < owner->part_count; i++) {
        TRY(row_pages_append(&owner->parts[i].rows, &self->writer.parts[i], err));
    }
    return FIRN_OK;
}

static firn_status finish(void *shared, finish_plan *out, firn_error *err) {
    return join_state_finish(shared, out, err);
}

static unsigned split_depth(const join_state *self) NO_LOCK_CHECK {
    return self->split_depth; // Nobody is at work any more.
}

static void report(const void *shared, op_report *out) {
    const join_state *self = shared;
    static const char *const lookups[] = {"hash", "direct", "bitmap"};
    text_append_format(out->out, " build_rows=%llu partitions=%u lookup=%s",
                       (unsigned long long)self->seen_count, self->table.part_count,
                       lookups[self->table.lookup]);
    if (self->run_count > 0) {
        text_append_format(out->out, " runs=%llu", (unsigned long long)self->run_count);
    }
    const uint64_t read_back = atomic_load(&self->read_back_pages);
    if (read_back > 0) {
        text_append_format(out->out, " read_back=%llu", (unsigned long long)read_back);
    }
    if (self->spilled_part_count > 0) {
        text_append_format(out->out,
                           " spilled_partitions=%u probe_rows_spilled=%llu"
                           " bloom_dropped=%llu splits=%u split_depth=%u blocks=%u",
                           self->spilled_part_count,
                           (unsigned long long)atomic_load(&self->probe_spilled_rows),
                           (unsigned long long)atomic_load(&self->bloom_dropped_rows),
                           (unsigned)atomic_load(&self->split_count), split_depth(self),
                           (unsigned)atomic_load(&self->block_count));
    }
}

static uint64_t decoded(const void *local) {
    const build_local *self = local;
    return self->keys == NULL ? 0 : expr_values_decoded(self->keys);
}

static void close_worker(void *local) {
    build_local *self = local;
    if (self != NULL) {
        expr_close(self->keys);
        row_writer_close(&self->writer);
    }
}

static void close_shared(void *shared) {
    join_state_close(shared);
}

static uint64_t min_bytes(const void *shared, uint32_t workers) {
    return join_state_min_bytes(shared, workers);
}

static void measure(const void *shared, node_statistics *add_to) {
    const join_state *self = shared;
    add_to->memory_peak += join_state_peak_bytes(self);
    add_to->spilled_bytes += join_state_spilled_bytes(self);
}

const operator_kind operator_join_build_sink = {
    .name = "JoinBuild",
    .takes_forms = true,
    .writes_values = operator_always,
    .min_bytes = min_bytes,
    .open = open_shared,
    .open_worker = open_worker,
    .push = push,
    .merge = merge,
    .finish = finish,
    .report = report,
    .measure = measure,
    .decoded = decoded,
    .close_worker = close_worker,
    .close = close_shared,
};
