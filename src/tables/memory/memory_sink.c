// How rows get into tables in memory.
//
// A worker keeps thin batches of a task until together they make a chunk; larger ones become chunks
// at once. When all are through, the chunks of the statement are brought into the order of the
// query and thin neighbours joined. Nothing of that touches the table: commit alone adds, all at
// once, and has little left to do that can fail. Which rows a statement takes away is known to
// memory_removal.h; updated rows come anew, behind the others.
#include <stdlib.h>

#include "base/host.h"
#include "memory/arena_measure.h"
#include "tables/memory/memory_removal.h"
#include "tables/row_check.h"

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
    uint64_t changed_rows;
    memory_removal *removal; // NULL: rows are only added.
};

struct row_sink_worker {
    row_sink *owner;
    chunk_list *chunks;
    uint64_t row_count;
    uint64_t changed_rows;
    arena scratch;
    arena_mark start; // Behind the pieces' list.
    batch *pieces;    // Thin batches of one task, in order; in `scratch`.
    uint32_t piece_count;
    uint32_t piece_rows;
};

static void close_sink(row_sink *self) {
    if (self != NULL) {
        memory_removal_close(self->removal);
        chunk_list_close(self->chunks);
        memory_table_release(self->table);
        mutex_end(&self->lock);
        host_free(self);
    }
}

static firn_status open_sink(const row_sink_request *request, const scan_env *env, row_sink **out,
                             firn_error *err) {
    (void)env;
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
    if (request->kind == CHANGE_APPEND) {
        return FIRN_OK;
    }
    const firn_status status = memory_removal_open(request, &self->removal, err);
    if (status != FIRN_OK) {
        close_sink(self);
        *out = NULL;
    }
    return status;
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

static firn_status add_rows(row_sink_worker *self, const batch *rows, firn_error *err) {
    const uint32_t count = rows->selected_count;
    if (count == 0) {
        return FIRN_OK;
    }
    TRY(row_check_nulls(&self->owner->table->columns, self->owner->positions, rows, err));
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

static firn_status push(row_sink_worker *self, const batch *rows, bool *must_wait,
                        firn_error *err) {
    *must_wait = false;
    if (self->owner->removal == NULL) {
        self->changed_rows += rows->selected_count;
        return add_rows(self, rows, err);
    }
    uint16_t selection[BATCH_ROWS];
    batch added;
    TRY(memory_removal_take(self->owner->removal, rows, selection, &added, &self->changed_rows,
                            err));
    return add_rows(self, &added, err);
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
    owner->changed_rows += self->changed_rows;
    mutex_unlock(&owner->lock);
    return status;
}

// ---- The statement's part -----------------------------------------------------------------------

static firn_status finish(row_sink *self, uint32_t *piece_count, firn_error *err) {
    *piece_count = 0;
    return self->removal == NULL ? FIRN_OK : memory_removal_finish(self->removal, piece_count, err);
}

static firn_status run_piece(row_sink *self, uint32_t piece, const scan_env *env, bool *must_wait,
                             firn_error *err) {
    *must_wait = false;
    return memory_removal_run(self->removal, &self->home, piece, env, err);
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
    *changed_rows = self->changed_rows;
    if (self->chunks != NULL) {
        // As the query gave them: workers were through in any order.
        qsort(self->chunks->items, self->chunks->count, sizeof self->chunks->items[0],
              compare_chunks);
        chunk_list_compact(self->chunks, &self->home);
    }
    return self->removal == NULL ? FIRN_OK : memory_removal_end(self->removal, &self->home, err);
}

// ---- Into the table -----------------------------------------------------------------------------

static firn_status commit(row_sink *self, firn_error *err) {
    if (self->removal != NULL) {
        return memory_removal_commit(self->removal, &self->home, self->chunks, err);
    }
    if (self->chunks == NULL) {
        return FIRN_OK;
    }
    memory_table *table = self->table;
    mutex_lock(&table->lock);
    const firn_status status = memory_table_add(table, self->chunks, &self->home, err);
    table->row_count += status == FIRN_OK ? self->row_count : 0;
    mutex_unlock(&table->lock);
    return status;
}

const row_sink_kind memory_sink_kind = {
    .name = "memory",
    .open = open_sink,
    .open_worker = open_worker,
    .push = push,
    .finish_worker = finish_worker,
    .close_worker = close_worker,
    .finish = finish,
    .run_piece = run_piece,
    .end = end,
    .commit = commit,
    .close = close_sink,
};
