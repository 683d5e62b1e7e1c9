#include "exec/rows/row_buffer.h"

#include <assert.h>

#include "exec/rows/rows.h"
#include "memory/pool.h"

#define BYTES_PER_WORKER ((uint64_t)256 << 10) // With a page of the smallest size.
#define MANY_BYTES ((size_t)64 << 10)          // Less is not worth writing out.
#define SMALL_ROWS 256                         // Batches of no more rows are read several at once.

// A batch as it was copied, or a page in the file with rows of one task.
typedef struct kept {
    batch_sequence sequence;
    bool is_spilled;
    size_t size; // Of the copy, about.
    batch rows;
    spill_slot slot;
    struct kept *following;
} kept;

// A worker's.
typedef struct part {
    arena records;  // What of the list lies in the file.
    arena memory;   // Batches, and their part of the list.
    row_page *unit; // What rows are written from.
    kept *first, *last;
    kept *last_spilled; // Those behind it lie in memory; NULL: all do.
    uint32_t count;
} part;

struct row_buffer {
    execution *run;
    row_layout layout;
    mutex lock;
    bool is_open;
    pool *keeper;
    row_store store;
    part *parts;
    const kept **ordered;
    uint32_t *firsts; // Of those that are read as one batch, in `ordered`; and their end.
    uint32_t count;   // Of those.
};

// ---- Opening and closing ------------------------------------------------------------------------

firn_status row_buffer_open(execution *run, const plan_node *node, row_buffer **out,
                            firn_error *err) {
    *out = NULL;
    arena *memory = &run->memory;
    plan_columns columns;
    TRY(plan_outputs(node, memory, &columns, err));
    row_buffer *self = ARENA_NEW(memory, row_buffer, 1);
    part *parts = ARENA_NEW(memory, part, run->worker_count);
    const type **types = ARENA_NEW(memory, const type *, columns.count + 1);
    if (self == NULL || parts == NULL || types == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < columns.count; i++) {
        types[i] = columns.items[i].type;
    }
    for (uint32_t i = 0; i < run->worker_count; i++) {
        parts[i] = (part){.records = arena_open_in(run->pool, SIZE_MAX)};
    }
    *self = (row_buffer){.run = run, .parts = parts};
    TRY(row_layout_make(types, columns.count, false, 0, memory, &self->layout, err));
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    *out = self;
    return FIRN_OK;
}

void row_buffer_close(row_buffer *self) {
    if (self == NULL) {
        return;
    }
    for (uint32_t i = 0; i < self->run->worker_count; i++) {
        part *mine = &self->parts[i];
        for (const kept *each = mine->first; each != NULL; each = each->following) {
            if (each->is_spilled) {
                spill_free(self->run->spill, each->slot);
            }
        }
        if (self->keeper != NULL) {
            arena_close(&mine->memory);
            page_put(self->keeper, mine->unit);
        }
        arena_close(&mine->records);
    }
    row_store_close(&self->store);
    pool_close(self->keeper);
    mutex_end(&self->lock);
}

uint64_t row_buffer_min_bytes(const row_buffer *self, uint32_t workers) {
    const size_t page_size = page_size_least(row_page_bytes(&self->layout));
    return workers * (BYTES_PER_WORKER - PAGE_BYTES_MIN + page_size);
}

static firn_status begin(row_buffer *self, firn_error *err) {
    const uint32_t workers = self->run->worker_count;
    TRY(row_keeper_open(self->run->pool, "row buffer", row_buffer_min_bytes(self, workers),
                        row_page_bytes(&self->layout), &self->keeper, err));
    for (uint32_t i = 0; i < workers; i++) {
        self->parts[i].memory = arena_open_in(self->keeper, SIZE_MAX);
    }
    TRY(row_store_open(&self->layout, self->keeper, self->run->spill, &self->store, err));
    for (uint32_t i = 0; i < workers; i++) {
        self->parts[i].unit = page_get(self->keeper);
        if (self->parts[i].unit == NULL) {
            return POOL_FULL(self->keeper, self->store.page_size, err);
        }
    }
    return FIRN_OK;
}

// With the first rows: then the query has its minimum.
static firn_status begin_once(row_buffer *self, firn_error *err) {
    firn_status status = FIRN_OK;
    mutex_lock(&self->lock);
    if (!self->is_open && self->keeper == NULL) {
        status = begin(self, err);
        self->is_open = status == FIRN_OK;
    } else if (!self->is_open) {
        status = FAIL(err, FIRN_NO_MEMORY, "a row buffer could not begin");
    }
    mutex_unlock(&self->lock);
    return status;
}

// ---- Writing out --------------------------------------------------------------------------------

typedef struct writing {
    row_buffer *owner;
    part *mine;
    arena *scratch;
    row_writer rows;
    uint32_t page_rows; // A page is read as one batch: no more than that may have.
    kept *after;        // New records follow it; NULL: they are the first.
    batch_sequence sequence;
} writing;

static void link_record(writing *self, kept *made) {
    part *mine = self->mine;
    kept **place = self->after == NULL ? &mine->first : &self->after->following;
    made->following = *place;
    *place = made;
    mine->last = mine->last == self->after ? made : mine->last;
    self->after = made;
    mine->count++;
}

// The page of the writer becomes a record; the page is its spare again.
static firn_status write_page(writing *self, firn_error *err) {
    row_page *page = row_pages_pop(&self->rows.parts[0]);
    if (page == NULL) {
        return FIRN_OK;
    }
    page->next = NULL;
    self->rows.spares = page;
    self->rows.page_count = 0;
    self->page_rows = 0;
    kept *made = ARENA_NEW(&self->mine->records, kept, 1);
    if (made == NULL) {
        return ARENA_FULL(&self->mine->records, err);
    }
    *made = (kept){.sequence = self->sequence, .is_spilled = true};
    const bytes whole = {.data = (const uint8_t *)page, .size = page->filled};
    row_store *store = &self->owner->store;
    TRY(spill_write(store->spill, &self->rows.desk, whole, &made->slot, err));
    atomic_fetch_add_explicit(&store->spilled_bytes, made->slot.size, memory_order_relaxed);
    link_record(self, made);
    return FIRN_OK;
}

// Batches of a task follow each other and share pages.
static firn_status write_batch(writing *self, const batch *rows, firn_error *err) {
    row_store *store = &self->owner->store;
    column *columns = ARENA_NEW(self->scratch, column, rows->column_count + 1);
    uint8_t **places = ARENA_NEW(self->scratch, uint8_t *, rows->selected_count + 1);
    if (columns == NULL || places == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    memcpy(columns, rows->columns, rows->column_count * sizeof *columns);
    TRY(rows_flatten_runs(columns, rows->column_count, self->scratch, err));
    if (rows->sequence.task != self->sequence.task) {
        TRY(write_page(self, err));
    }
    self->sequence = self->rows.page_count == 0 ? rows->sequence : self->sequence;
    row_input in = {.columns = columns, .rows = rows->selection, .count = rows->selected_count};
    while (in.next < rows->selected_count) {
        TRY(cancel_check(&self->owner->run->cancel, err));
        const uint32_t from = in.next;
        const uint32_t room = self->owner->run->options->batch_rows - self->page_rows;
        const uint32_t left = rows->selected_count - from;
        in.count = from + (left < room ? left : room);
        TRY(row_writer_append(&self->rows, &in, places, self->scratch, err));
        for (uint32_t k = from; k < in.next; k++) {
            TRY(row_store_write_blob(store, places[k], err));
        }
        self->page_rows += in.next - from;
        if (in.next == from) {
            TRY(write_page(self, err));
            self->sequence = rows->sequence;
        }
    }
    return FIRN_OK;
}

// Writes all batches of the list that lie in memory, and `rows` behind them if that is not NULL.
static firn_status write_all(writing *self, const batch *rows, firn_error *err) {
    part *mine = self->mine;
    self->after = mine->last_spilled;
    kept *next = self->after == NULL ? mine->first : self->after->following;
    while (next != NULL) {
        const kept *old = next;
        next = old->following;
        const arena_mark mark = arena_mark_take(self->scratch);
        // The record leaves the list; those of its pages take its place.
        *(self->after == NULL ? &mine->first : &self->after->following) = next;
        mine->last = next == NULL ? self->after : mine->last;
        mine->count--;
        TRY(write_batch(self, &old->rows, err));
        arena_rewind(self->scratch, mark);
    }
    if (rows != NULL) {
        TRY(write_batch(self, rows, err));
    }
    return write_page(self, err);
}

// The worker's batches go to the file, and what they took comes back.
static firn_status spill_part(row_buffer *self, part *mine, const batch *rows, arena *scratch,
                              firn_error *err) {
    writing state = {.owner = self, .mine = mine, .scratch = scratch};
    TRY(row_writer_open(&self->store, 1, 0, scratch, &state.rows, err));
    state.rows.may_spill = false;
    state.rows.prefers_spares = true;
    state.rows.stops_at_blobs = true;
    state.rows.page_max = 1;
    state.rows.spares = mine->unit;
    mine->unit->next = NULL;
    mine->unit = NULL;
    const firn_status status = write_all(&state, rows, err);
    if (status == FIRN_OK) {
        mine->last_spilled = state.after;
        arena_close(&mine->memory);
        mine->memory = arena_open_in(self->keeper, SIZE_MAX);
    }
    if (state.rows.spares != NULL) {
        mine->unit = state.rows.spares;
        state.rows.spares = NULL;
    }
    row_writer_close(&state.rows);
    return status;
}

// ---- Keeping ------------------------------------------------------------------------------------

// False: memory is refused.
static firn_status copy(part *mine, const batch *rows, bool *is_kept, firn_error *err) {
    firn_error refused = ERR_INIT;
    const size_t before = mine->memory.used;
    const arena_mark mark = arena_mark_take(&mine->memory);
    kept *made = ARENA_NEW(&mine->memory, kept, 1);
    const firn_status status =
        made == NULL ? FIRN_NO_MEMORY : batch_copy(&mine->memory, rows, &made->rows, &refused);
    *is_kept = status == FIRN_OK;
    if (!*is_kept) {
        arena_rewind(&mine->memory, mark);
        if (status != FIRN_NO_MEMORY) {
            *err = refused;
        }
        return status == FIRN_NO_MEMORY ? FIRN_OK : status;
    }
    made->sequence = rows->sequence;
    made->is_spilled = false;
    made->size = mine->memory.used - before;
    made->following = NULL;
    *(mine->last == NULL ? &mine->first : &mine->last->following) = made;
    mine->last = made;
    mine->count++;
    return FIRN_OK;
}

firn_status row_buffer_push(row_buffer *self, op_call *call, const batch *rows, firn_error *err) {
    part *mine = &self->parts[call->worker];
    bool is_kept = false;
    TRY(begin_once(self, err));
    TRY(copy(mine, rows, &is_kept, err));
    if (!is_kept) {
        return spill_part(self, mine, rows, call->scratch, err);
    }
    // Half of what it may have is left to those who come later: then nothing can be given back.
    const bool is_much = pool_used(self->keeper) > pool_target(self->keeper) / 2;
    return is_much && mine->memory.used > MANY_BYTES
               ? spill_part(self, mine, NULL, call->scratch, err)
               : FIRN_OK;
}

// ---- In order -----------------------------------------------------------------------------------

static bool is_before(const kept *left, const kept *right) {
    if (left->sequence.task != right->sequence.task) {
        return left->sequence.task < right->sequence.task;
    }
    return left->sequence.part < right->sequence.part;
}

// Merges two neighbouring sorted stretches through `room`.
static void merge(const kept **items, uint32_t middle, uint32_t end, const kept **room) {
    uint32_t left = 0;
    uint32_t right = middle;
    for (uint32_t i = 0; i < end; i++) {
        const bool takes_right =
            left == middle || (right < end && is_before(items[right], items[left]));
        room[i] = takes_right ? items[right++] : items[left++];
    }
    memcpy(items, room, end * sizeof(kept *));
}

// Stable: batches of one task come in their order already, which several parts of a number keep.
static void sort(const kept **items, uint32_t count, const kept **room) {
    if (count < 2) {
        return;
    }
    const uint32_t middle = count / 2;
    sort(items, middle, room);
    sort(items + middle, count - middle, room);
    merge(items, middle, count, room);
}

// Small batches that follow each other are read as one: a subplan that doubles another one over
// and over again would hand on batches of a row each.
static void group(row_buffer *self, uint32_t kept_count) {
    const uint32_t row_max = self->run->options->batch_rows;
    uint32_t rows = 0;
    size_t size = 0;
    bool is_open = false; // The group may take more.
    for (uint32_t i = 0; i < kept_count; i++) {
        const kept *each = self->ordered[i];
        const bool is_small = !each->is_spilled && each->rows.row_count <= SMALL_ROWS;
        const bool joins = is_open && is_small && rows + each->rows.row_count <= row_max &&
                           size + each->size <= BATCH_BYTES;
        if (!joins) {
            self->firsts[self->count++] = i;
            rows = 0;
            size = 0;
        }
        rows += each->rows.row_count;
        size += each->size;
        is_open = is_small;
    }
    self->firsts[self->count] = kept_count;
}

firn_status row_buffer_finish(row_buffer *self, firn_error *err) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < self->run->worker_count; i++) {
        count += self->parts[i].count;
    }
    if (count > UINT32_MAX) {
        return FAIL(err, FIRN_NO_MEMORY, "%llu batches in a row buffer, at most %u are allowed",
                    (unsigned long long)count, UINT32_MAX);
    }
    arena *memory = &self->parts[0].records;
    self->ordered = ARENA_NEW(memory, const kept *, count + 1);
    const kept **room = ARENA_NEW(memory, const kept *, count + 1);
    self->firsts = ARENA_NEW(memory, uint32_t, count + 1);
    if (self->ordered == NULL || room == NULL || self->firsts == NULL) {
        return ARENA_FULL(memory, err);
    }
    uint32_t kept_count = 0;
    for (uint32_t i = 0; i < self->run->worker_count; i++) {
        for (const kept *each = self->parts[i].first; each != NULL; each = each->following) {
            self->ordered[kept_count++] = each;
        }
    }
    assert(kept_count == count);
    sort(self->ordered, kept_count, room);
    group(self, kept_count);
    return FIRN_OK;
}

// ---- Reading ------------------------------------------------------------------------------------

uint32_t row_buffer_batches(const row_buffer *self) {
    return self->count;
}

static firn_status read_page(const row_buffer *self, spill_slot slot, arena *memory, row_page **out,
                             firn_error *err) {
    const row_store *store = &self->store;
    row_page *page = arena_alloc(memory, 1, store->page_size);
    if (page == NULL) {
        return ARENA_FULL(memory, err);
    }
    spill_desk desk = spill_desk_open(store->keeper);
    const firn_status status = row_page_read(store, &desk, slot, page, err);
    spill_desk_close(&desk);
    *out = page;
    return status;
}

// The batches from `first` on as one.
static firn_status read_joined(const row_buffer *self, uint32_t first, uint32_t count,
                               arena *memory, batch *out, firn_error *err) {
    const kept *const *from = self->ordered + first;
    const uint32_t width = self->layout.column_count;
    uint32_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += from[i]->rows.row_count;
    }
    const column **sources = ARENA_NEW(memory, const column *, total + 1);
    uint32_t *rows = ARENA_NEW(memory, uint32_t, total + 1);
    column *columns = ARENA_NEW(memory, column, width + 1);
    if (sources == NULL || rows == NULL || columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    const gathered_rows gathered = {.sources = sources, .rows = rows, .count = total};
    for (uint32_t number = 0; number < width; number++) {
        uint32_t filled = 0;
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t row = 0; row < from[i]->rows.row_count; row++) {
                sources[filled] = &from[i]->rows.columns[number];
                rows[filled++] = row;
            }
        }
        const type *of = from[0]->rows.columns[number].type;
        TRY(column_gather(memory, of, &gathered, &columns[number], err));
    }
    *out = batch_of(columns, width, total);
    out->sequence = from[0]->sequence;
    return FIRN_OK;
}

firn_status row_buffer_read(const row_buffer *self, uint32_t index, arena *memory, batch *out,
                            firn_error *err) {
    const uint32_t first = self->firsts[index];
    const kept *from = self->ordered[first];
    if (self->firsts[index + 1] - first > 1) {
        return read_joined(self, first, self->firsts[index + 1] - first, memory, out, err);
    }
    if (!from->is_spilled) {
        *out = from->rows;
        return FIRN_OK;
    }
    row_page *page;
    TRY(read_page(self, from->slot, memory, &page, err));
    const uint32_t width = self->layout.column_count;
    uint8_t **rows = ARENA_NEW(memory, uint8_t *, page->row_count + 1);
    column *columns = ARENA_NEW(memory, column, width + 1);
    if (rows == NULL || columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    uint32_t at = 0;
    const uint32_t count = row_page_rows(page, &self->layout, &at, rows, page->row_count);
    for (uint32_t i = 0; i < width; i++) {
        TRY(rows_gather(&self->store, i, (const uint8_t *const *)rows, count, memory, &columns[i],
                        err));
    }
    *out = batch_of(columns, width, count);
    out->sequence = from->sequence;
    return FIRN_OK;
}

void row_buffer_measure(const row_buffer *self, node_statistics *add_to) {
    if (self->is_open) {
        add_to->memory_peak += pool_peak(self->keeper);
        add_to->spilled_bytes += atomic_load(&self->store.spilled_bytes);
    }
}
