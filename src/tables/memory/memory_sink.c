// How rows get into tables in memory.
//
// A worker keeps thin batches of a task until together they make a chunk; larger ones become chunks
// at once. When all are through, the chunks of the statement are brought into the order of the
// query and thin neighbours joined. Nothing of that touches the table: commit alone adds, all at
// once, and has little left to do that can fail.
#include <stdlib.h>

#include "base/host.h"
#include "memory/arena_measure.h"
#include "tables/memory/memory_private.h"

#define SCRATCH_MAX ((size_t)1 << 40) // The pool is what limits it.
#define PIECES_MAX 256
#define PIECE_ROWS_MAX (BATCH_ROWS / 2) // Of one that is put to others.

struct row_sink {
    memory_table *table;
    chunk_home home;
    const uint32_t *positions; // Of row_sink_request.
    mutex lock;
    chunk_list *chunks; // Of workers that finished.
    uint64_t row_count;
};

struct row_sink_worker {
    row_sink *owner;
    chunk_list *chunks;
    uint64_t row_count;
    arena scratch;
    arena_mark start; // Behind the pieces' list.
    batch *pieces;    // Thin batches of one task, in order; in `scratch`.
    uint32_t piece_count;
    uint32_t piece_rows;
};

static firn_status open_sink(const row_sink_request *request, const scan_env *env, row_sink **out,
                             firn_error *err) {
    (void)env;
    if (request->kind != CHANGE_APPEND) {
        return FAIL(err, FIRN_UNSUPPORTED, "only INSERT changes tables in memory");
    }
    row_sink *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    memory_table *table = memory_table_retain(((memory_snapshot *)request->base)->table);
    *self = (row_sink){
        .table = table,
        .home = {.pool = table->pool, .columns = &table->columns, .table = request->base->ref.name},
        .positions = request->positions};
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    *out = self;
    return FIRN_OK;
}

static firn_status open_worker(row_sink *self, const scan_env *env, row_sink_worker **out,
                               firn_error *err) {
    row_sink_worker *made = host_alloc(sizeof *made);
    if (made == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *made);
    }
    *made = (row_sink_worker){.owner = self, .scratch = arena_open_in(env->pool, SCRATCH_MAX)};
    made->scratch.cancel = env->cancel;
    *out = made;
    return FIRN_OK;
}

static void close_worker(row_sink_worker *self) {
    if (self != NULL) {
        chunk_list_close(self->chunks);
        arena_close(&self->scratch);
        host_free(self);
    }
}

// ---- Rows ---------------------------------------------------------------------------------------

static firn_status check_nulls(const row_sink *self, const batch *rows, firn_error *err) {
    const schema *columns = &self->table->columns;
    for (uint32_t i = 0; i < columns->count; i++) {
        if (columns->fields[i].is_nullable) {
            continue;
        }
        const uint32_t position = self->positions == NULL ? UINT32_MAX : self->positions[i];
        for (uint32_t k = 0; k < rows->selected_count; k++) {
            if (!column_is_valid(&rows->columns[i], batch_row(rows, k))) {
                return FAIL_SQL(err, FIRN_INVALID, "23502",
                                position == UINT32_MAX ? NO_POSITION : position,
                                "NULL in column \"%.*s\", which is NOT NULL",
                                TEXT_ARGS(columns->fields[i].name));
            }
        }
    }
    return FIRN_OK;
}

static firn_status add_chunk(row_sink_worker *self, chunk *made, firn_error *err) {
    made->number = self->chunks == NULL ? 0 : self->chunks->count;
    const firn_status status = chunk_list_add(&self->chunks, made, err);
    if (status != FIRN_OK) {
        chunk_release(made);
    }
    return status;
}

// Makes a chunk of the pieces.
static firn_status flush(row_sink_worker *self, firn_error *err) {
    if (self->piece_count == 0) {
        return FIRN_OK;
    }
    const chunk_home *home = &self->owner->home;
    const batch *parts[PIECES_MAX];
    for (uint32_t i = 0; i < self->piece_count; i++) {
        parts[i] = &self->pieces[i];
    }
    chunk *made;
    TRY(chunk_join(home, &self->scratch, parts, self->piece_count, &made, err));
    self->piece_count = 0;
    self->piece_rows = 0;
    arena_rewind(&self->scratch, self->start);
    return add_chunk(self, made, err);
}

static firn_status add_piece(row_sink_worker *self, const batch *rows, firn_error *err) {
    if (self->pieces == NULL) {
        self->pieces = ARENA_NEW(&self->scratch, batch, PIECES_MAX);
        if (self->pieces == NULL) {
            return ARENA_FULL(&self->scratch, err);
        }
        self->start = arena_mark_take(&self->scratch);
    }
    TRY(batch_copy(&self->scratch, rows, &self->pieces[self->piece_count], err));
    self->piece_count++;
    self->piece_rows += rows->selected_count;
    const bool is_full = self->piece_count == PIECES_MAX ||
                         arena_bytes_since(&self->scratch, self->start) >= CHUNK_THIN_BYTES;
    return is_full ? flush(self, err) : FIRN_OK;
}

// Is this batch behind the pieces in the order of the query, with nothing between that another
// worker may have?
static bool follows(const row_sink_worker *self, const batch *rows) {
    const batch_sequence last = self->pieces[self->piece_count - 1].sequence;
    return rows->sequence.task == last.task && rows->sequence.part >= last.part;
}

static firn_status push(row_sink_worker *self, const batch *rows, bool *must_wait,
                        firn_error *err) {
    const uint32_t count = rows->selected_count;
    *must_wait = false;
    if (count == 0) {
        return FIRN_OK;
    }
    TRY(check_nulls(self->owner, rows, err));
    if (self->piece_count > 0 &&
        (!follows(self, rows) || self->piece_rows + count > BATCH_ROWS || count > PIECE_ROWS_MAX)) {
        TRY(flush(self, err));
    }
    self->row_count += count;
    if (count < CHUNK_THIN_ROWS || self->piece_count > 0) {
        return add_piece(self, rows, err);
    }
    const arena_mark mark = arena_mark_take(&self->scratch);
    chunk *made;
    TRY(chunk_make(&self->owner->home, &self->scratch, rows, &made, err));
    arena_rewind(&self->scratch, mark);
    return add_chunk(self, made, err);
}

static firn_status finish_worker(row_sink_worker *self, firn_error *err) {
    row_sink *owner = self->owner;
    TRY(flush(self, err));
    firn_status status = FIRN_OK;
    mutex_lock(&owner->lock);
    while (self->chunks != NULL && self->chunks->count > 0 && status == FIRN_OK) {
        chunk *last = self->chunks->items[self->chunks->count - 1];
        status = chunk_list_add(&owner->chunks, last, err);
        self->chunks->count -= status == FIRN_OK;
    }
    owner->row_count += self->row_count;
    mutex_unlock(&owner->lock);
    return status;
}

// ---- The statement's part -----------------------------------------------------------------------

static firn_status finish(row_sink *self, uint32_t *piece_count, firn_error *err) {
    (void)self;
    (void)err;
    *piece_count = 0;
    return FIRN_OK;
}

static int compare_chunks(const void *left, const void *right) {
    const batch_sequence l = (*(const chunk *const *)left)->rows.sequence;
    const batch_sequence r = (*(const chunk *const *)right)->rows.sequence;
    if (l.task != r.task) {
        return l.task < r.task ? -1 : 1;
    }
    if (l.part != r.part) {
        return l.part < r.part ? -1 : 1;
    }
    // What one batch became on its way came to one worker, in order.
    const uint64_t first = (*(const chunk *const *)left)->number;
    const uint64_t second = (*(const chunk *const *)right)->number;
    return first == second ? 0 : first < second ? -1 : 1;
}

static firn_status end(row_sink *self, uint64_t *changed_rows, firn_error *err) {
    (void)err;
    *changed_rows = self->row_count;
    if (self->chunks != NULL) {
        // As the query gave them: workers were through in any order.
        qsort(self->chunks->items, self->chunks->count, sizeof self->chunks->items[0],
              compare_chunks);
        chunk_list_compact(self->chunks, &self->home);
    }
    return FIRN_OK;
}

// ---- Into the table -----------------------------------------------------------------------------

// How many of the statement's chunks stay as they are; those behind them are thin.
static uint64_t settled_count(const chunk_list *added) {
    uint64_t count = added->count;
    while (count > 0 && chunk_is_thin(added->items[count - 1])) {
        count--;
    }
    return count;
}

// Makes room for `more` chunks. A list that snapshots may read is kept until the table goes.
static firn_status reserve(memory_table *table, uint64_t more, firn_error *err)
    REQUIRES(&table->lock) {
    chunk_list *list = table->chunks;
    const uint64_t count = list == NULL ? 0 : list->count;
    if (more == 0 || (list != NULL && more <= list->capacity - count)) {
        return FIRN_OK;
    }
    const uint64_t capacity = (count + more) * 2;
    chunk_list *grown = host_alloc(sizeof *grown + capacity * sizeof(chunk *));
    chunk_list **old = host_alloc(((size_t)table->old_count + 1) * sizeof(chunk_list *));
    if (grown == NULL || old == NULL) {
        host_free(grown);
        host_free(old);
        return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for a list of chunks");
    }
    *grown = (chunk_list){.count = count, .capacity = capacity};
    if (table->old_count > 0) {
        memcpy(old, table->old, table->old_count * sizeof(chunk_list *));
    }
    host_free(table->old);
    table->old = old;
    if (list != NULL) {
        memcpy(grown->items, list->items, count * sizeof(chunk *));
        table->old[table->old_count++] = list;
    }
    table->chunks = grown;
    return FIRN_OK;
}

static void append(memory_table *table, chunk *const *chunks, uint64_t count)
    REQUIRES(&table->lock) {
    for (uint64_t i = 0; i < count; i++) {
        table->chunks->items[table->chunks->count++] = chunk_retain(chunks[i]);
    }
}

// All chunks of the statement become visible at once: those of the tail go behind the others if
// chunks come that stay as they are.
static firn_status add_to_table(const row_sink *self, memory_table *table, firn_error *err)
    REQUIRES(&table->lock) {
    const uint64_t settled = settled_count(self->chunks);
    chunk_tail *old = table->tail;
    chunk_tail *next;
    TRY(chunk_tail_add(settled > 0 ? NULL : old, self->chunks, settled, &self->home, &next, err));
    const uint64_t before = settled > 0 && old != NULL ? old->count : 0;
    const uint32_t joined = chunk_tail_settled_count(next);
    const firn_status status = reserve(table, before + settled + joined, err);
    if (status != FIRN_OK) {
        chunk_tail_release(next);
        return status;
    }
    if (before > 0) {
        append(table, old->items, before);
    }
    append(table, self->chunks->items, settled);
    append(table, next->items, joined);
    chunk_tail_drop(next, joined);
    chunk_tail_release(old);
    table->tail = next;
    table->row_count += self->row_count;
    return FIRN_OK;
}

static firn_status commit(row_sink *self, firn_error *err) {
    if (self->chunks == NULL) {
        return FIRN_OK;
    }
    memory_table *table = self->table;
    mutex_lock(&table->lock);
    const firn_status status = add_to_table(self, table, err);
    mutex_unlock(&table->lock);
    return status;
}

static void close_sink(row_sink *self) {
    if (self != NULL) {
        chunk_list_close(self->chunks);
        memory_table_release(self->table);
        mutex_end(&self->lock);
        host_free(self);
    }
}

const row_sink_kind memory_sink_kind = {
    .name = "memory",
    .open = open_sink,
    .open_worker = open_worker,
    .push = push,
    .finish_worker = finish_worker,
    .close_worker = close_worker,
    .finish = finish,
    .end = end,
    .commit = commit,
    .close = close_sink,
};
