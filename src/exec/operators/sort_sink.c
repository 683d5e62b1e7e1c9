// ORDER BY, with a limit Top-N: workers make sorted runs, the source merges them.
//
// A run is sorted when its worker is through, or when memory is refused; then it goes to the spill
// file and the next one begins. As long as all runs are in memory the merge is cut into ranges of
// the keys, one task each; spilled runs are merged by one worker, a page of each in memory. With a
// limit a worker throws away what can no longer be among the first rows whenever it has gathered a
// few times as many.
#include <assert.h>

#include "exec/operator.h"
#include "exec/sort_key.h"
#include "exec/sort_run.h"
#include "memory/page.h"
#include "memory/pool.h"

#define RANGES_PER_WORKER 2
#define TOP_ROWS_MAX 100000 // Above it a limit is sorted like any other order.
#define TOP_SLACK 2048

typedef struct sort_shared {
    execution *run;
    const plan_node *node;
    uint32_t key_count, width; // Width: columns of the rows without the key.
    sort_order *orders;
    expr_program *program; // Of the keys.
    row_layout layout;
    pool *keeper;
    row_store store;
    bool is_open;
    mutex lock;
    sort_run *runs;
    uint32_t run_count;
    uint64_t row_count;
    bool has_spilled;
    // Reading:
    uint64_t limit, offset;
    uint32_t range_count;
    sort_run **ordered;
    uint64_t *borders; // Entry of run r where range t begins: [r * (range_count + 1) + t].
    atomic_uint next_range;
} sort_shared;

typedef struct sort_local {
    sort_shared *owner;
    arena *memory;
    expr_state *state;
    row_writer writer;
    spill_desk desk;
    sort_entry *entries;
    uint64_t count, capacity;
    size_t entries_bytes;
    column *columns; // Key and columns of a batch.
    column *keys;
} sort_local;

// ---- Opening
// -------------------------------------------------------------------------------------

static uint64_t min_bytes(const plan_node *node, uint32_t workers) {
    (void)node;
    return keeper_min_bytes(workers);
}

static firn_status make_layout(sort_shared *self, const plan_node *node, firn_error *err) {
    arena *memory = &self->run->memory;
    plan_columns columns;
    TRY(plan_outputs(node->sort_.input, memory, &columns, err));
    const type **types = ARENA_NEW(memory, const type *, columns.count + 1);
    if (types == NULL) {
        return ARENA_FULL(memory, err);
    }
    types[0] = TYPE_OF(BINARY);
    for (uint32_t i = 0; i < columns.count; i++) {
        types[i + 1] = columns.items[i].type;
    }
    self->width = columns.count;
    return row_layout_make(types, columns.count + 1, false, 0, memory, &self->layout, err);
}

static firn_status open_sink(const plan_node *node, const input_layout *input, execution *run,
                             void **shared, firn_error *err) {
    const uint32_t count = node->sort_.keys.count;
    sort_shared *self = ARENA_NEW(&run->memory, sort_shared, 1);
    sort_order *orders = ARENA_NEW(&run->memory, sort_order, count + 1);
    const expr **keys = ARENA_NEW(&run->memory, const expr *, count + 1);
    if (self == NULL || orders == NULL || keys == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    *self = (sort_shared){.run = run,
                          .node = node,
                          .key_count = count,
                          .orders = orders,
                          .limit = node->sort_.limit,
                          .offset = node->sort_.offset};
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = node->sort_.keys.items[i].value;
        orders[i] = (sort_order){.is_descending = node->sort_.keys.items[i].is_descending,
                                 .nulls_first = node->sort_.keys.items[i].nulls_first};
    }
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    *shared = self;
    run->node_state[node->number] = self;
    TRY(expr_compile(keys, count, input, &run->memory, &self->program, err));
    TRY(make_layout(self, node, err));
    return FIRN_OK;
}

// The keeper is opened with the first worker: then the query has its minimum.
static firn_status open_store(sort_shared *self, firn_error *err) {
    firn_status status = FIRN_OK;
    mutex_lock(&self->lock);
    if (!self->is_open) {
        const pool_options options = {.kind = POOL_STATE, .name = "sort"};
        status = pool_open(self->run->pool, &options, &self->keeper, err);
        if (status == FIRN_OK) {
            status =
                row_store_open(&self->layout, self->keeper, self->run->spill, &self->store, err);
        }
        self->is_open = status == FIRN_OK;
    }
    mutex_unlock(&self->lock);
    return status;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    sort_shared *owner = shared;
    TRY(open_store(owner, err));
    sort_local *self = ARENA_NEW(memory, sort_local, 1);
    column *columns = ARENA_NEW(memory, column, owner->width + 1);
    column *keys = ARENA_NEW(memory, column, owner->key_count + 1);
    if (self == NULL || columns == NULL || keys == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (sort_local){.owner = owner,
                         .memory = memory,
                         .columns = columns,
                         .keys = keys,
                         .desk = spill_desk_open(owner->keeper)};
    *local = self;
    TRY(row_writer_open(&owner->store, 1, 0, memory, &self->writer, err));
    self->writer.may_spill = false; // Pages stay where they are: entries point to their rows.
    return expr_open(owner->program, owner->run->context, &owner->run->dynamic, memory,
                     &self->state, err);
}

static void close_worker(void *local) {
    sort_local *self = local;
    if (self != NULL) {
        expr_close(self->state);
        row_writer_close(&self->writer);
        spill_desk_close(&self->desk);
        if (self->entries != NULL) {
            pool_block_give(self->owner->keeper, self->entries, self->entries_bytes);
        }
    }
}

static void close_sink(void *shared) {
    sort_shared *self = shared;
    if (self == NULL) {
        return;
    }
    for (sort_run *run = self->runs; run != NULL; run = run->following) {
        row_pages_close(&self->store, &run->pages);
        if (run->entries != NULL) {
            pool_block_give(self->keeper, run->entries, run->entries_bytes);
        }
        for (size_t i = 0; i < run->written.count; i++) {
            spill_free(self->run->spill, run->written.slots[i]);
        }
        spill_list_close(&run->written);
    }
    if (self->is_open) {
        row_store_close(&self->store);
    }
    pool_close(self->keeper);
    mutex_end(&self->lock);
}

// ---- Runs
// ----------------------------------------------------------------------------------------

static firn_status add_run(sort_shared *self, sort_run made, firn_error *err) {
    mutex_lock(&self->lock);
    sort_run *run = ARENA_NEW(&self->run->memory, sort_run, 1);
    if (run != NULL) {
        *run = made;
        run->following = self->runs;
        self->runs = run;
        self->run_count++;
        self->row_count += made.count;
        self->has_spilled |= made.is_spilled;
    }
    mutex_unlock(&self->lock);
    return run == NULL ? ARENA_FULL(&self->run->memory, err) : FIRN_OK;
}

// Sorts what was gathered, writes it out, and begins anew with empty pages.
static firn_status spill_run_of(sort_local *self, arena *scratch, firn_error *err) {
    sort_shared *owner = self->owner;
    if (self->count == 0) {
        return FAIL(err, FIRN_NO_MEMORY, "a sort has no memory for a single page of rows");
    }
    TRY(sort_entries(&owner->store, self->entries, self->count, scratch, err));
    sort_run run = {.is_spilled = true, .count = self->count, .written = {.owner = owner->keeper}};
    firn_status status =
        sort_spill(&owner->store, self->entries, self->count, &self->desk, &run.written, err);
    if (status != FIRN_OK) {
        spill_list_close(&run.written);
        return status;
    }
    row_pages_close(&owner->store, &self->writer.parts[0]);
    self->writer.parts[0] = (row_pages){.spilled = {.owner = owner->keeper}};
    self->writer.page_count = 0;
    self->count = 0;
    return add_run(owner, run, err);
}

// Room for `more` entries; false when memory is refused.
static bool make_room(sort_local *self, uint64_t more) {
    if (self->count + more <= self->capacity) {
        return true;
    }
    uint64_t capacity = self->capacity == 0 ? 4096 : self->capacity * 2;
    capacity = capacity < self->count + more ? self->count + more : capacity;
    size_t bytes;
    sort_entry *grown = pool_block_take(self->owner->keeper, capacity * sizeof *grown, &bytes);
    if (grown == NULL) {
        return false;
    }
    if (self->entries != NULL) {
        memcpy(grown, self->entries, self->count * sizeof *grown);
        pool_block_give(self->owner->keeper, self->entries, self->entries_bytes);
    }
    self->entries = grown;
    self->entries_bytes = bytes;
    self->capacity = bytes / sizeof *grown;
    return true;
}

static bool is_top(const sort_shared *self, uint64_t *wanted) {
    return !__builtin_add_overflow(self->limit, self->offset, wanted) && *wanted <= TOP_ROWS_MAX;
}

// Of a Top-N: keeps the first rows of what was gathered, on new pages.
static firn_status cut_to_top(sort_local *self, uint64_t wanted, arena *scratch, firn_error *err) {
    sort_shared *owner = self->owner;
    if (self->count < wanted * 4 + TOP_SLACK) {
        return FIRN_OK;
    }
    TRY(sort_entries(&owner->store, self->entries, self->count, scratch, err));
    row_writer kept;
    TRY(row_writer_open(&owner->store, 1, 0, self->memory, &kept, err));
    kept.may_spill = false;
    for (uint64_t i = 0; i < wanted; i++) {
        uint8_t *row;
        firn_status status = row_writer_copy_row(&kept, self->entries[i].row, &row, err);
        if (status != FIRN_OK || row == NULL) {
            row_writer_close(&kept); // No room for a copy: go on with what is there.
            return status;
        }
        self->entries[i].row = row;
    }
    row_writer_close(&self->writer);
    self->writer = kept;
    self->count = wanted;
    return FIRN_OK;
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    (void)output;
    sort_local *self = call->local;
    sort_shared *owner = self->owner;
    arena *scratch = call->scratch;
    *out = STEP_NEXT;
    TRY(expr_run(self->state, input, scratch, self->keys, err));
    for (uint32_t i = 0; i < owner->key_count; i++) {
        if (self->keys[i].form == FORM_RUNS) {
            const column runs = self->keys[i];
            TRY(column_flatten(scratch, &runs, &self->keys[i], err));
        }
    }
    TRY(sort_keys_encode(self->keys, owner->orders, owner->key_count, input, scratch,
                         &self->columns[0], err));
    for (uint32_t i = 0; i < owner->width; i++) {
        self->columns[i + 1] = input->columns[i];
    }
    uint8_t **rows = ARENA_NEW(scratch, uint8_t *, input->selected_count + 1);
    if (rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    row_input in = {
        .columns = self->columns, .rows = input->selection, .count = input->selected_count};
    while (in.next < in.count) {
        const uint32_t from = in.next;
        if (!make_room(self, in.count - from)) {
            TRY(spill_run_of(self, scratch, err));
            continue;
        }
        TRY(row_writer_append(&self->writer, &in, rows, scratch, err));
        for (uint32_t k = from; k < in.next; k++) {
            const string_value *key =
                &COLUMN_VALUES(&self->columns[0], string_value)[batch_row(input, k)];
            self->entries[self->count++] =
                (sort_entry){.prefix = sort_key_prefix(string_text(key)), .row = rows[k]};
        }
        if (in.next < in.count && in.next == from) {
            TRY(spill_run_of(self, scratch, err));
        }
    }
    uint64_t wanted;
    if (is_top(owner, &wanted)) {
        return cut_to_top(self, wanted, scratch, err);
    }
    return pool_excess(owner->keeper) > 0 ? spill_run_of(self, scratch, err) : FIRN_OK;
}

// A run in memory takes the worker's pages and entries over.
static firn_status merge(op_call *call, firn_error *err) {
    sort_local *self = call->local;
    sort_shared *owner = self->owner;
    if (self->count == 0) {
        return FIRN_OK;
    }
    TRY(sort_entries(&owner->store, self->entries, self->count, call->scratch, err));
    sort_run run = {.pages = self->writer.parts[0],
                    .entries = self->entries,
                    .count = self->count,
                    .entries_bytes = self->entries_bytes,
                    .written = {.owner = owner->keeper}};
    TRY(add_run(owner, run, err));
    self->writer.parts[0] = (row_pages){.spilled = {.owner = owner->keeper}};
    self->entries = NULL;
    self->count = 0;
    return FIRN_OK;
}

// ---- Ranges
// --------------------------------------------------------------------------------------

// How many entries of a run in memory come before a key.
static firn_status lower_bound(sort_shared *self, const sort_run *run, const sort_entry *key,
                               uint64_t *out, firn_error *err) {
    uint64_t low = 0;
    uint64_t high = run->count;
    arena scratch = arena_open((size_t)1 << 20);
    firn_status status = FIRN_OK;
    while (low < high && status == FIRN_OK) {
        const uint64_t middle = low + (high - low) / 2;
        int order;
        status = sort_compare(&self->store, &run->entries[middle], key, &scratch, &order, err);
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    arena_close(&scratch);
    *out = low;
    return status;
}

static firn_status cut_ranges(sort_shared *self, firn_error *err) {
    const sort_run *largest = self->ordered[0];
    for (uint32_t i = 1; i < self->run_count; i++) {
        largest = self->ordered[i]->count > largest->count ? self->ordered[i] : largest;
    }
    for (uint32_t i = 0; i < self->run_count; i++) {
        uint64_t *borders = &self->borders[i * (self->range_count + 1)];
        borders[0] = 0;
        borders[self->range_count] = self->ordered[i]->count;
        for (uint32_t range = 1; range < self->range_count; range++) {
            const sort_entry *key = &largest->entries[largest->count * range / self->range_count];
            TRY(lower_bound(self, self->ordered[i], key, &borders[range], err));
        }
    }
    return FIRN_OK;
}

static firn_status finish(void *shared, finish_plan *out, firn_error *err) {
    (void)out;
    sort_shared *self = shared;
    uint64_t wanted;
    const bool one_range = self->has_spilled || self->run_count == 0 || self->row_count < 65536 ||
                           is_top(self, &wanted) || self->offset > 0 || self->limit != UINT64_MAX;
    self->range_count = one_range ? 1 : self->run->worker_count * RANGES_PER_WORKER;
    self->ordered = ARENA_NEW(&self->run->memory, sort_run *, self->run_count + 1);
    self->borders =
        arena_alloc(&self->run->memory, (size_t)(self->run_count + 1) * (self->range_count + 1),
                    sizeof(uint64_t));
    if (self->ordered == NULL || self->borders == NULL) {
        return ARENA_FULL(&self->run->memory, err);
    }
    uint32_t count = 0;
    for (sort_run *run = self->runs; run != NULL; run = run->following) {
        self->ordered[count++] = run;
    }
    return one_range ? FIRN_OK : cut_ranges(self, err);
}

static void report(const void *shared, op_report *out) {
    const sort_shared *self = shared;
    const uint64_t spilled = self->is_open ? atomic_load(&self->store.spilled_bytes) : 0;
    text_append_format(out->out, " runs=%u", self->run_count);
    if (self->has_spilled) {
        spill_report file;
        spill_describe(self->run->spill, &file);
        text_append_format(out->out, " spilled=%llu",
                           (unsigned long long)(file.page_bytes + spilled));
    }
}

const operator_kind operator_sort_sink = {
    .name = "Sort",
    .takes_forms = true,
    .min_bytes = min_bytes,
    .open = open_sink,
    .open_worker = open_worker,
    .push = push,
    .merge = merge,
    .finish = finish,
    .report = report,
    .close_worker = close_worker,
    .close = close_sink,
};

// ---- The source: merges the runs, range by range
// -------------------------------------------------

typedef struct sort_reader {
    sort_shared *owner;
    arena *memory;
    spill_desk desk;
    sort_cursor *cursors; // A heap by key: the first row is cursors[0]'s.
    uint32_t cursor_count;
    bool is_running, is_waiting;
    bool is_step_due; // The cursor in front stands on a row that was handed out.
    uint32_t range;
    uint32_t part;
    uint64_t skipped, given;
    void *pages; // One for each spilled run.
} sort_reader;

static firn_status open_source(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    (void)input;
    *shared = run->node_state[node->number];
    return *shared == NULL ? FAIL(err, FIRN_INTERNAL, "a sort without its sink") : FIRN_OK;
}

static firn_status open_reader(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    sort_shared *owner = shared;
    sort_reader *self = ARENA_NEW(memory, sort_reader, 1);
    sort_cursor *cursors = ARENA_NEW(memory, sort_cursor, owner->run_count + 1);
    if (self == NULL || cursors == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (sort_reader){.owner = owner,
                          .memory = memory,
                          .cursors = cursors,
                          .desk = spill_desk_open(owner->keeper)};
    *local = self;
    return FIRN_OK;
}

static void close_reader(void *local) {
    sort_reader *self = local;
    if (self != NULL) {
        spill_desk_close(&self->desk);
    }
}

static firn_status cursor_before(sort_reader *self, const sort_cursor *left,
                                 const sort_cursor *right, arena *scratch, bool *out,
                                 firn_error *err) {
    const sort_entry l = {.prefix = left->prefix, .row = left->row};
    const sort_entry r = {.prefix = right->prefix, .row = right->row};
    int order;
    TRY(sort_compare(&self->owner->store, &l, &r, scratch, &order, err));
    *out = order < 0;
    return FIRN_OK;
}

static firn_status sift(sort_reader *self, uint32_t root, arena *scratch, firn_error *err) {
    sort_cursor *items = self->cursors;
    for (uint32_t child = root * 2 + 1; child < self->cursor_count; child = root * 2 + 1) {
        bool is_before;
        if (child + 1 < self->cursor_count) {
            TRY(cursor_before(self, &items[child + 1], &items[child], scratch, &is_before, err));
            child += is_before;
        }
        TRY(cursor_before(self, &items[child], &items[root], scratch, &is_before, err));
        if (!is_before) {
            return FIRN_OK;
        }
        const sort_cursor kept = items[root];
        items[root] = items[child];
        items[child] = kept;
        root = child;
    }
    return FIRN_OK;
}

// Pages of the reader for spilled runs: part of what the query reserved for the sort.
static firn_status take_pages(sort_reader *self, firn_error *err) {
    sort_shared *owner = self->owner;
    uint32_t spilled = 0;
    for (uint32_t i = 0; i < owner->run_count; i++) {
        spilled += owner->ordered[i]->is_spilled;
    }
    if (spilled == 0 || self->pages != NULL) {
        return FIRN_OK;
    }
    self->pages = arena_alloc(self->memory, spilled, owner->store.page_size);
    return self->pages == NULL ? ARENA_FULL(self->memory, err) : FIRN_OK;
}

static firn_status begin_range(sort_reader *self, arena *scratch, firn_error *err) {
    sort_shared *owner = self->owner;
    TRY(take_pages(self, err));
    self->cursor_count = 0;
    uint32_t spilled = 0;
    for (uint32_t i = 0; i < owner->run_count; i++) {
        sort_run *run = owner->ordered[i];
        const uint64_t *borders = &owner->borders[i * (owner->range_count + 1)];
        const bool is_cut = owner->range_count > 1;
        void *page =
            run->is_spilled ? (uint8_t *)self->pages + owner->store.page_size * spilled++ : NULL;
        sort_cursor *cursor = &self->cursors[self->cursor_count];
        const sort_range range = {.from = is_cut ? borders[self->range] : 0,
                                  .end = is_cut ? borders[self->range + 1] : run->count};
        TRY(sort_cursor_open(&owner->store, run, range, page, &self->desk, cursor, err));
        self->cursor_count += cursor->row != NULL;
    }
    for (uint32_t root = self->cursor_count / 2; root > 0; root--) {
        TRY(sift(self, root - 1, scratch, err));
    }
    return FIRN_OK;
}

// Gathers columns 1 to width of rows that stay where they are until they are gathered.
static firn_status gather(sort_reader *self, uint8_t *const *rows, uint32_t count, arena *scratch,
                          batch *out, firn_error *err) {
    sort_shared *owner = self->owner;
    column *columns = ARENA_NEW(scratch, column, owner->width + 1);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < owner->width; i++) {
        TRY(rows_gather(&owner->store, i + 1, (const uint8_t *const *)rows, count, scratch,
                        &columns[i], err));
    }
    *out = batch_of(columns, owner->width, count);
    return FIRN_OK;
}

// The cursor in front goes to its next row.
static firn_status advance(sort_reader *self, arena *scratch, firn_error *err) {
    sort_cursor *first = &self->cursors[0];
    TRY(sort_cursor_next(&self->owner->store, first, &self->desk, err));
    if (first->row == NULL) {
        *first = self->cursors[--self->cursor_count];
    }
    return self->cursor_count > 1 ? sift(self, 0, scratch, err) : FIRN_OK;
}

// Takes rows in order. The last row of a spilled page ends the batch: going on would read the next
// page over rows that are not gathered yet, so the step from it waits for the next call.
static firn_status take_rows(sort_reader *self, uint8_t **rows, uint32_t room, uint32_t *count,
                             arena *scratch, firn_error *err) {
    sort_shared *owner = self->owner;
    *count = 0;
    if (self->is_step_due) {
        self->is_step_due = false;
        TRY(advance(self, scratch, err));
    }
    while (*count < room && self->cursor_count > 0 && self->given < owner->limit) {
        const sort_cursor *first = &self->cursors[0];
        if (self->skipped < owner->offset) {
            self->skipped++;
        } else {
            rows[(*count)++] = first->row;
            self->given++;
        }
        if (first->run->is_spilled && first->offset >= first->current->filled && *count > 0) {
            self->is_step_due = true;
            return FIRN_OK;
        }
        TRY(advance(self, scratch, err));
    }
    return FIRN_OK;
}

static firn_status next(op_call *call, batch *output, step_answer *out, firn_error *err) {
    sort_reader *self = call->local;
    sort_shared *owner = self->owner;
    *out = STEP_NEXT;
    if (!self->is_running) {
        if (!self->is_waiting) {
            self->range = atomic_fetch_add(&owner->next_range, 1);
        }
        if (self->range >= owner->range_count) {
            *out = STEP_DONE;
            return FIRN_OK;
        }
        self->is_waiting = !op_begin_task(call, self->range);
        if (self->is_waiting) {
            *out = STEP_WAIT;
            return FIRN_OK;
        }
        self->is_running = true;
        self->part = 0;
        TRY(begin_range(self, call->scratch, err));
    }
    const uint32_t room = call->run->options->batch_rows;
    uint8_t **rows = ARENA_NEW(call->scratch, uint8_t *, room);
    if (rows == NULL) {
        return ARENA_FULL(call->scratch, err);
    }
    uint32_t count;
    TRY(take_rows(self, rows, room, &count, call->scratch, err));
    if (count == 0) {
        self->is_running = false;
        op_end_task(call, self->range);
        return FIRN_OK;
    }
    TRY(gather(self, rows, count, call->scratch, output, err));
    output->sequence = (batch_sequence){.task = self->range, .part = self->part++};
    return FIRN_OK;
}

const operator_kind operator_sort_source = {
    .name = "Sort",
    .open = open_source,
    .open_worker = open_reader,
    .next = next,
    .close_worker = close_reader,
};
