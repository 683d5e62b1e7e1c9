// ORDER BY, with a limit Top-N: a worker gathers rows with their keys; when it is refused memory it
// sorts them, writes them out as a run and begins anew. See exec/sort/sort_state.h for the rest.
//
// With a small limit a worker throws away what can no longer be among the first rows whenever it
// has seen a few times as many, and from then on takes no row that comes behind the last of them;
// nor do scans that can tell. Of a batch no more rows are gathered than are wanted of all: keys say
// which, before any other column is written.
#include <assert.h>

#include "exec/operator.h"
#include "exec/sort/sort_state.h"
#include "memory/page.h"
#include "memory/pool.h"

#define LEFT_SHARE 8 // Of a keeper's target: little.
#define TOP_SLACK 2048
#define BOUND_BYTES 64

typedef struct sort_local {
    sort_state *owner;
    uint32_t worker;
    expr_state *state;
    row_writer writer;
    sort_entry *entries;
    uint64_t count, capacity;
    size_t entries_bytes;
    uint64_t blob_bytes; // Of what was gathered.
    column *columns;     // Key and columns of a batch.
    column *keys;
    sort_bits bits; // Of keys in extra bytes.
    // Top-N: how many rows came that could be among the first since fewer were kept, and the key of
    // the last row that is wanted so far, or its beginning.
    uint64_t seen;
    bool has_bound;
    uint64_t bound_prefix;
    char bound[BOUND_BYTES];
    uint32_t bound_size;
    bool is_bound_whole;
} sort_local;

// ---- Opening ------------------------------------------------------------------------------------

static firn_status open_sink(const plan_node *node, const input_layout *input, execution *run,
                             void **shared, firn_error *err) {
    sort_state *self;
    TRY(sort_state_open(node, input, run, &self, err));
    run->node_state[node->number] = self;
    *shared = self;
    return FIRN_OK;
}

// The worker's room becomes its own.
static void take_room(sort_local *self) {
    sort_room *room = &self->owner->rooms[self->worker];
    self->entries = room->entries;
    self->entries_bytes = room->entries_bytes;
    self->capacity = room->entries == NULL ? 0 : SORT_ENTRIES_MIN;
    room->entries = NULL;
    self->writer.spares = room->spare;
    if (room->spare != NULL) {
        room->spare->next = NULL;
        room->spare = NULL;
    }
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    sort_state *owner = shared;
    TRY(sort_state_begin(owner, err));
    sort_local *self = ARENA_NEW(memory, sort_local, 1);
    column *columns = ARENA_NEW(memory, column, owner->width + 1);
    column *keys = ARENA_NEW(memory, column, owner->key_count + 1);
    if (self == NULL || columns == NULL || keys == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (sort_local){.owner = owner,
                         .worker = worker,
                         .columns = columns,
                         .keys = keys,
                         .bits = {.word_count = owner->key_bytes / (uint32_t)sizeof(uint64_t)}};
    *local = self;
    TRY(row_writer_open(&owner->store, 1, 0, memory, &self->writer, err));
    self->writer.may_spill = false; // Pages stay where they are: entries point to their rows.
    self->writer.stops_at_blobs = true;
    take_room(self);
    return expr_open(owner->program, owner->run->context, &owner->run->dynamic, memory,
                     &self->state, err);
}

static uint64_t decoded(const void *local) {
    const sort_local *self = local;
    return self->state == NULL ? 0 : expr_values_decoded(self->state);
}

static void close_worker(void *local) {
    sort_local *self = local;
    if (self != NULL) {
        expr_close(self->state);
        row_writer_close(&self->writer);
        pool_block_give(self->owner->keeper, self->entries, self->entries_bytes);
    }
}

static void close_sink(void *shared) {
    sort_state_close(shared);
}

static uint64_t blob_size(const sort_local *self, const uint8_t *row) {
    const row_layout *layout = &self->owner->layout;
    if (layout->heap_offset == ROW_NONE) {
        return 0;
    }
    const row_heap heap = row_heap_of(layout, row);
    return heap.blob == ROW_NONE ? 0 : heap.size;
}

// ---- Writing out --------------------------------------------------------------------------------

// Lets go of the pages, but for one.
static void empty_pages(sort_local *self) {
    row_store *store = &self->owner->store;
    row_pages *pages = &self->writer.parts[0];
    if (self->writer.spares == NULL) {
        row_page *page = row_pages_pop(pages);
        page->next = NULL;
        self->writer.spares = page;
    }
    row_pages_close(store, pages);
    self->writer.page_count = 0;
    self->blob_bytes = 0;
    self->count = 0;
    self->seen = 0;
}

// Back to the room that a worker always has.
static firn_status shrink_entries(sort_local *self, firn_error *err) {
    const size_t least = SORT_ENTRIES_MIN * sizeof *self->entries;
    if (self->capacity > SORT_ENTRIES_MIN) {
        void *entries = self->entries;
        if (!pool_block_replace(self->owner->keeper, &entries, &self->entries_bytes, least) &&
            entries == NULL) {
            self->entries = NULL;
            self->capacity = 0;
            return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", least);
        }
        self->entries = entries;
        self->capacity = SORT_ENTRIES_MIN;
    }
    return FIRN_OK;
}

static firn_status sort_gathered(sort_local *self, arena *scratch, firn_error *err) {
    const sort_state *owner = self->owner;
    const cancel_flag *cancel = &owner->run->cancel;
    if (owner->key_bytes == 0) {
        return sort_entries(&owner->store, self->entries, self->count, cancel, scratch, err);
    }
    const sort_packing packing = sort_packing_of(&self->bits);
    return sort_entries_packed(&owner->store, &packing, self->entries, self->count, cancel, scratch,
                               err);
}

// Sorts what was gathered, writes it out, and begins anew with empty pages.
static firn_status write_run(sort_local *self, arena *scratch, firn_error *err) {
    sort_state *owner = self->owner;
    if (self->count == 0) {
        return POOL_FULL(owner->keeper, owner->store.page_size, err);
    }
    TRY(sort_gathered(self, scratch, err));
    sort_run made;
    TRY(sort_state_spill(owner, self->worker, self->entries, self->count, &made, err));
    const firn_status status = sort_state_add(owner, &made, err);
    if (status != FIRN_OK) {
        sort_run_close(&owner->store, &made);
        return status;
    }
    empty_pages(self);
    return pool_excess(owner->keeper) > 0 ? shrink_entries(self, err) : FIRN_OK;
}

static uint64_t held_bytes(const sort_local *self) {
    return self->writer.page_count * (uint64_t)self->owner->store.page_size + self->entries_bytes;
}

// Does the worker hold what belongs to its minimum, and no more?
static bool is_modest(const sort_local *self) {
    return held_bytes(self) <= sort_state_min_bytes(self->owner, 1) / 2;
}

// Does it hold more than its share where little is left? The runs of others, who are refused then,
// would be short.
static bool is_greedy(const sort_local *self) {
    const pool *keeper = self->owner->keeper;
    const uint64_t target = pool_target(keeper);
    return held_bytes(self) > target / self->owner->run->worker_count &&
           pool_used(keeper) > target - target / LEFT_SHARE;
}

// Is the keeper over its target, and not for what belongs to the minimum, or about to be?
static bool must_write(const sort_local *self) {
    return !is_modest(self) && (pool_excess(self->owner->keeper) > 0 ||
                                (self->owner->run->worker_count > 1 && is_greedy(self)));
}

// A page where the keeper refused one. Short runs are no way out: each takes a list of its units
// and their first keys, which the keeper has to hold to the end.
static bool take_page(sort_local *self) {
    row_page *page = is_modest(self) ? page_get_urgent(self->owner->keeper) : NULL;
    if (page != NULL) {
        page->next = self->writer.spares;
        self->writer.spares = page;
    }
    return page != NULL;
}

// ---- Top-N --------------------------------------------------------------------------------------

static void set_bound(sort_local *self, const sort_entry *last) {
    const text key = sort_row_key(&self->owner->store, last->row);
    if (key.data != NULL) {
        self->has_bound = true;
        self->bound_prefix = sort_key_prefix(key);
        self->is_bound_whole = key.size <= BOUND_BYTES;
        self->bound_size = self->is_bound_whole ? (uint32_t)key.size : BOUND_BYTES;
        memcpy(self->bound, key.data, self->bound_size);
    }
}

// Whether a row with this key can be among the first.
static bool is_wanted(const sort_local *self, text key) {
    const uint64_t prefix = sort_key_prefix(key);
    if (prefix != self->bound_prefix) {
        return prefix < self->bound_prefix;
    }
    const text head = {.data = key.data, .size = key.size < BOUND_BYTES ? key.size : BOUND_BYTES};
    const int order = text_compare(head, (text){.data = self->bound, .size = self->bound_size});
    return order < 0 || (order == 0 && !(self->is_bound_whole && key.size <= BOUND_BYTES));
}

// Keeps the first rows of what was gathered, on new pages; without memory for those they are
// written out as a run.
static firn_status cut_to_top(sort_local *self, arena *scratch, firn_error *err) {
    sort_state *owner = self->owner;
    const uint64_t wanted = owner->wanted;
    const uint64_t slack = self->has_bound ? 0 : TOP_SLACK; // Few rows pass a bound.
    if (self->seen < wanted * 4 + slack || self->count < wanted) {
        return FIRN_OK;
    }
    TRY(sort_entries(&owner->store, self->entries, self->count, &owner->run->cancel, scratch, err));
    if (wanted > 0) {
        set_bound(self, &self->entries[wanted - 1]);
        TRY(sort_bound_tighten(owner, self->entries[wanted - 1].row, scratch, err));
    }
    uint8_t **rows = ARENA_NEW(scratch, uint8_t *, wanted + 1);
    if (rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    row_writer kept;
    TRY(row_writer_open(&owner->store, 1, 0, scratch, &kept, err));
    kept.may_spill = false;
    kept.stops_at_blobs = true;
    for (uint64_t i = 0; i < wanted; i++) {
        const firn_status status = row_writer_copy_row(&kept, self->entries[i].row, &rows[i], err);
        if (status != FIRN_OK || rows[i] == NULL) {
            row_writer_close(&kept);
            return status != FIRN_OK ? status : write_run(self, scratch, err);
        }
    }
    for (uint64_t i = wanted; i < self->count; i++) {
        row_store_drop_blob(&owner->store, self->entries[i].row);
    }
    empty_pages(self);
    for (uint64_t i = 0; i < wanted; i++) {
        self->entries[i].row = rows[i];
        self->blob_bytes += blob_size(self, rows[i]);
    }
    self->writer.parts[0] = kept.parts[0];
    self->writer.page_count = kept.page_count;
    kept.parts[0] = (row_pages){.spilled = {.owner = owner->keeper}};
    row_writer_close(&kept);
    self->count = wanted;
    self->seen = wanted;
    return FIRN_OK;
}

// ---- Gathering ----------------------------------------------------------------------------------

// Free entries, at most `wanted`; 0: there are none, and memory is refused.
static uint64_t make_room(sort_local *self, uint64_t wanted) {
    if (self->count + wanted > self->capacity) {
        const uint64_t needed = self->count + wanted;
        const uint64_t doubled = self->capacity * 2;
        const uint64_t capacity = doubled < needed ? needed : doubled;
        size_t bytes;
        pool *keeper = self->owner->keeper;
        sort_entry *grown = pool_block_take(keeper, capacity * sizeof *grown, &bytes);
        if (grown == NULL && is_modest(self)) {
            grown = pool_block_take_urgent(keeper, capacity * sizeof *grown, &bytes);
        }
        if (grown != NULL) {
            memcpy(grown, self->entries, self->count * sizeof *grown);
            pool_block_give(keeper, self->entries, self->entries_bytes);
            self->entries = grown;
            self->entries_bytes = bytes;
            self->capacity = capacity;
        }
    }
    const uint64_t free = self->capacity - self->count;
    return free < wanted ? free : wanted;
}

// Rows of a batch with their keys.
typedef struct keyed_rows {
    row_input in;
    uint8_t *fixed; // Of key_bytes each, in the order of `in`; NULL: keys are column 0.
} keyed_rows;

static text key_of(const sort_local *self, const keyed_rows *rows, uint32_t k) {
    const uint32_t size = self->owner->key_bytes;
    if (rows->fixed != NULL) {
        return (text){.data = (const char *)rows->fixed + (size_t)k * size, .size = size};
    }
    const uint32_t row = rows->in.rows == NULL ? k : rows->in.rows[k];
    return string_text(&COLUMN_VALUES(&self->columns[0], string_value)[row]);
}

// Encodes `count` keys that have a fixed size, `size` bytes each.
static firn_status encode_fixed(const sort_local *self, const batch *input, uint32_t count,
                                uint32_t size, arena *scratch, uint8_t **out, firn_error *err) {
    *out = ARENA_NEW(scratch, uint8_t, ((size_t)input->selected_count + 1) * size);
    uint32_t *lanes = ARENA_NEW(scratch, uint32_t, (size_t)input->selected_count + 1);
    if (*out == NULL || lanes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    sort_keys_encode_fixed(self->keys, self->owner->orders, count, input, size, lanes, *out);
    return FIRN_OK;
}

// Leaves the rows out whose first key alone puts them behind the bound: their other keys, of which
// one is a text, need not be made.
static firn_status drop_by_first_key(const sort_local *self, batch *rows, arena *scratch,
                                     firn_error *err) {
    const sort_state *owner = self->owner;
    const uint32_t stride = owner->first_bytes;
    const uint32_t size = sort_key_offset(owner->key_types, 1);
    const uint8_t valid = owner->orders[0].nulls_first;
    uint8_t *first;
    TRY(encode_fixed(self, rows, 1, stride, scratch, &first, err));
    uint16_t *kept = ARENA_NEW(scratch, uint16_t, rows->selected_count + 1);
    if (kept == NULL) {
        return ARENA_FULL(scratch, err);
    }
    uint32_t count = 0;
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        const uint8_t *key = first + (size_t)k * stride;
        kept[count] = (uint16_t)batch_row(rows, k);
        count += memcmp(key, self->bound, key[0] == valid ? size : 1) <= 0;
    }
    rows->selection = kept;
    rows->selected_count = count;
    return FIRN_OK;
}

// Keys of the rows of a batch, which lose some that are not wanted.
static firn_status encode_keys(sort_local *self, batch *rows, arena *scratch, keyed_rows *out,
                               firn_error *err) {
    const sort_state *owner = self->owner;
    TRY(expr_run(self->state, rows, scratch, self->keys, err));
    TRY(rows_flatten_runs(self->keys, owner->key_count, scratch, err));
    if (owner->key_bytes > 0) {
        return encode_fixed(self, rows, owner->key_count, owner->key_bytes, scratch, &out->fixed,
                            err);
    }
    if (self->has_bound && owner->first_bytes > 0) {
        TRY(drop_by_first_key(self, rows, scratch, err));
    }
    return sort_keys_encode(self->keys, owner->orders, owner->key_count, rows, scratch,
                            &self->columns[0], err);
}

// Leaves the rows out that come behind the bound.
static firn_status drop_unwanted(const sort_local *self, const batch *input, arena *scratch,
                                 keyed_rows *out, firn_error *err) {
    const uint32_t key_bytes = self->owner->key_bytes;
    uint16_t *rows = ARENA_NEW(scratch, uint16_t, input->selected_count + 1);
    if (rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    uint32_t count = 0;
    for (uint32_t k = 0; k < input->selected_count; k++) {
        const text key = key_of(self, out, k);
        if (is_wanted(self, key)) {
            if (out->fixed != NULL) {
                memmove(out->fixed + (size_t)count * key_bytes, key.data, key_bytes);
            }
            rows[count++] = (uint16_t)batch_row(input, k);
        }
    }
    out->in.rows = rows;
    out->in.count = count;
    return FIRN_OK;
}

// A row of a batch among the first ones so far; the last of them is at the top of a heap.
typedef struct ranked {
    uint64_t prefix;
    uint32_t k; // Of the batch's rows.
} ranked;

// Of equal rows the one that comes first is before the other.
static bool is_behind(const sort_local *self, const keyed_rows *rows, ranked left, ranked right) {
    if (left.prefix != right.prefix) {
        return left.prefix > right.prefix;
    }
    const int order = text_compare(key_of(self, rows, left.k), key_of(self, rows, right.k));
    return order != 0 ? order > 0 : left.k > right.k;
}

static void sift_down(const sort_local *self, const keyed_rows *rows, ranked *heap, uint32_t count,
                      uint32_t at) {
    const ranked moved = heap[at];
    for (uint32_t child = at * 2 + 1; child < count; child = at * 2 + 1) {
        if (child + 1 < count && is_behind(self, rows, heap[child + 1], heap[child])) {
            child++;
        }
        if (!is_behind(self, rows, heap[child], moved)) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

// Leaves the rows out that are not among the first ones of their own batch.
static firn_status keep_first(const sort_local *self, arena *scratch, keyed_rows *out,
                              firn_error *err) {
    const uint32_t key_bytes = self->owner->key_bytes;
    const uint32_t wanted = (uint32_t)self->owner->wanted; // At most half of a batch.
    ranked *heap = ARENA_NEW(scratch, ranked, wanted + 1);
    uint64_t *chosen = ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(out->in.count));
    uint16_t *rows = ARENA_NEW(scratch, uint16_t, wanted + 1);
    if (heap == NULL || chosen == NULL || rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t k = 0; k < wanted; k++) {
        heap[k] = (ranked){.prefix = sort_key_prefix(key_of(self, out, k)), .k = k};
    }
    for (uint32_t at = wanted / 2; at > 0; at--) {
        sift_down(self, out, heap, wanted, at - 1);
    }
    for (uint32_t k = wanted; k < out->in.count && wanted > 0; k++) {
        const ranked next = {.prefix = sort_key_prefix(key_of(self, out, k)), .k = k};
        if (is_behind(self, out, heap[0], next)) {
            heap[0] = next;
            sift_down(self, out, heap, wanted, 0);
        }
    }
    memset(chosen, 0, BITMAP_WORDS(out->in.count) * sizeof *chosen);
    for (uint32_t i = 0; i < wanted; i++) {
        bitmap_set(chosen, heap[i].k);
    }
    uint32_t count = 0;
    for (uint32_t k = 0; k < out->in.count; k++) {
        if (bitmap_get(chosen, k)) {
            if (out->fixed != NULL) {
                memmove(out->fixed + (size_t)count * key_bytes, out->fixed + (size_t)k * key_bytes,
                        key_bytes);
            }
            rows[count++] = out->in.rows == NULL ? (uint16_t)k : out->in.rows[k];
        }
    }
    out->in.rows = rows;
    out->in.count = count;
    return FIRN_OK;
}

// Key and columns of the rows that are to be kept.
static firn_status prepare(sort_local *self, const batch *input, arena *scratch, keyed_rows *out,
                           firn_error *err) {
    const sort_state *owner = self->owner;
    batch rows = *input;
    *out = (keyed_rows){.in = {.columns = self->columns}};
    TRY(encode_keys(self, &rows, scratch, out, err));
    out->in.rows = rows.selection;
    out->in.count = rows.selected_count;
    if (self->has_bound) {
        TRY(drop_unwanted(self, &rows, scratch, out, err));
    }
    self->seen += out->in.count;
    if (owner->is_top && out->in.count / 2 >= owner->wanted) {
        TRY(keep_first(self, scratch, out, err));
    }
    if (out->fixed != NULL) {
        sort_bits_note(&self->bits, out->fixed, out->in.count);
    }
    return sort_columns_keep(owner, input, self->columns, scratch, err);
}

// Entries for the rows that were just written, from the from-th on.
static void add_entries(sort_local *self, const keyed_rows *added, uint32_t from, uint8_t **rows) {
    const uint32_t key_bytes = self->owner->key_bytes;
    for (uint32_t k = from; k < added->in.next; k++) {
        const text key = key_of(self, added, k);
        if (key_bytes > 0) {
            memcpy(row_extra(&self->owner->layout, rows[k]), key.data, key_bytes);
        }
        self->blob_bytes += blob_size(self, rows[k]);
        self->entries[self->count++] = (sort_entry){.prefix = sort_key_prefix(key), .row = rows[k]};
    }
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    (void)output;
    sort_local *self = call->local;
    sort_state *owner = self->owner;
    arena *scratch = call->scratch;
    *out = STEP_NEXT;
    keyed_rows keyed;
    TRY(prepare(self, input, scratch, &keyed, err));
    row_input *in = &keyed.in;
    uint8_t **rows = ARENA_NEW(scratch, uint8_t *, in->count + 1);
    if (rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    const uint32_t count = in->count;
    while (in->next < count) {
        const uint32_t from = in->next;
        in->count = from + (uint32_t)make_room(self, count - from);
        if (in->count > from) {
            TRY(row_writer_append(&self->writer, in, rows, scratch, err));
        }
        add_entries(self, &keyed, from, rows);
        if (in->next == from && (in->count == from || !take_page(self))) {
            TRY(write_run(self, scratch, err));
        }
    }
    if (owner->is_top) {
        TRY(cut_to_top(self, scratch, err));
    }
    return must_write(self) ? write_run(self, scratch, err) : FIRN_OK;
}

// A run in memory takes the worker's pages and entries over. It is sorted in finish: here the
// others wait.
static firn_status merge(op_call *call, firn_error *err) {
    sort_local *self = call->local;
    sort_state *owner = self->owner;
    if (self->count == 0) {
        return FIRN_OK;
    }
    const sort_run made = {.pages = self->writer.parts[0],
                           .entries = self->entries,
                           .count = self->count,
                           .entries_bytes = self->entries_bytes};
    TRY(sort_state_add(owner, &made, err));
    sort_state_add_bits(owner, &self->bits);
    self->writer.parts[0] = (row_pages){.spilled = {.owner = owner->keeper}};
    self->entries = NULL;
    self->count = 0;
    return FIRN_OK;
}

static firn_status finish(void *shared, finish_plan *out, firn_error *err) {
    return sort_state_finish(shared, out, err);
}

static void report(const void *shared, op_report *out) {
    const sort_state *self = shared;
    text_append_format(out->out, " runs=%u", self->run_count + self->merged_run_count);
    const uint32_t spilled = (uint32_t)atomic_load(&self->spilled_run_count);
    if (spilled > 0) {
        text_append_format(out->out, " spilled_runs=%u", spilled);
    }
    if (self->round_count > 0) {
        text_append_format(out->out, " merge_rounds=%u", self->round_count);
    }
}

static uint64_t min_bytes(const void *shared, uint32_t workers) {
    return sort_state_min_bytes(shared, workers);
}

static void measure(const void *shared, node_statistics *add_to) {
    const sort_state *self = shared;
    add_to->memory_peak += self->keeper == NULL ? self->peak_bytes : pool_peak(self->keeper);
    add_to->spilled_bytes += self->spilled_bytes + atomic_load(&self->store.spilled_bytes);
}

// Of a batch no more rows are written than are wanted of all: if those are few, it is better whole.
// Long keys are written of all its rows, but for a single one, which is written once an entry.
static bool writes_values(const void *shared) {
    const sort_state *owner = shared;
    return !owner->is_top || owner->wanted > BATCH_ROWS / 2 ||
           (owner->key_bytes == 0 && owner->key_count > 1);
}

const operator_kind operator_sort_sink = {
    .name = "Sort",
    .takes_forms = true,
    .writes_values = writes_values,
    .min_bytes = min_bytes,
    .open = open_sink,
    .open_worker = open_worker,
    .push = push,
    .merge = merge,
    .finish = finish,
    .report = report,
    .measure = measure,
    .decoded = decoded,
    .close_worker = close_worker,
    .close = close_sink,
};
