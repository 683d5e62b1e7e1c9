// Rows that go: noted while ids come, then chunks without them, then the exchange. Half of the rows
// of a chunk may go until those that are left are copied.
#include "tables/memory/memory_removal.h"

#include "base/host.h"

#define MEMORY_MAX ((size_t)1 << 40) // The pool is what limits it.
#define CHUNKS_PER_PIECE 64

struct memory_removal {
    memory_snapshot *base;
    mutex lock;
    arena memory;   // In the table's pool: the statement's is gone when it commits.
    bool takes_all; // Of the snapshot.
    // Under the lock until all workers are through.
    uint64_t *gone; // By row of the snapshot: does it go? NULL if all do.
    uint64_t gone_count;
    uint64_t *starts;    // By piece: the position of its first row.
    chunk **kept;        // By chunk of the snapshot, without its tail: what is left of it.
    chunk_list *left;    // The same, joined.
    uint64_t left_rows;  // Of those.
    uint64_t tail_start; // The position of the tail's first row.
};

// ---- Which rows go ------------------------------------------------------------------------------

firn_status memory_removal_open(const row_sink_request *request, memory_removal **out,
                                firn_error *err) {
    if (request->kind == CHANGE_OVERWRITE && request->overwrite != OVERWRITE_ALL) {
        return FAIL(err, FIRN_UNSUPPORTED, "a table in memory has no partitions or files");
    }
    memory_removal *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    memory_snapshot *base = (memory_snapshot *)table_snapshot_retain(request->base);
    const uint64_t rows = base->base.row_count.value;
    *self = (memory_removal){.base = base,
                             .memory = arena_open_in(base->table->pool, MEMORY_MAX),
                             .takes_all = request->kind == CHANGE_OVERWRITE};
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    *out = self;
    if (self->takes_all) {
        return FIRN_OK;
    }
    uint64_t *gone = ARENA_NEW(&self->memory, uint64_t, BITMAP_WORDS(rows) + 1);
    if (gone == NULL) {
        memory_removal_close(self);
        *out = NULL;
        return FAIL(err, FIRN_NO_MEMORY,
                    "no memory for %llu bytes: which rows of the table \"%.*s\" "
                    "are changed",
                    (unsigned long long)rows / 8, TEXT_ARGS(base->base.ref.name));
    }
    memset(gone, 0, (BITMAP_WORDS(rows) + 1) * sizeof *gone);
    self->gone = gone;
    return FIRN_OK;
}

void memory_removal_close(memory_removal *self) {
    if (self == NULL) {
        return;
    }
    for (uint64_t i = 0; self->kept != NULL && i < self->base->chunk_count; i++) {
        chunk_release(self->kept[i]);
    }
    chunk_list_close(self->left);
    mutex_end(&self->lock);
    arena_close(&self->memory);
    table_snapshot_release(&self->base->base);
    host_free(self);
}

static firn_status mark_gone(memory_removal *self, uint64_t id, bool may_repeat,
                             uint64_t *changed_rows, firn_error *err) REQUIRES(&self->lock) {
    const uint64_t position = row_id_position(id);
    if (row_id_file(id) != 0 || position >= self->base->base.row_count.value ||
        self->gone == NULL) {
        return FAIL(err, FIRN_INTERNAL, "row %llu of file %llu is none of the table's",
                    (unsigned long long)position, (unsigned long long)row_id_file(id));
    }
    if (!bitmap_get(self->gone, position)) {
        bitmap_set(self->gone, position);
        self->gone_count++;
        *changed_rows += 1;
        return FIRN_OK;
    }
    return may_repeat ? FIRN_OK
                      : FAIL_SQL(err, FIRN_INVALID, "21000", NO_POSITION,
                                 "a row of the table would be changed twice");
}

// One row; *is_added if it comes.
static firn_status take_row(memory_removal *self, int8_t action, uint64_t id, bool *is_added,
                            uint64_t *changed_rows, firn_error *err) REQUIRES(&self->lock) {
    *is_added = action == ROW_INSERT || action == ROW_UPDATE;
    switch (action) {
    case ROW_INSERT:
        *changed_rows += 1;
        return FIRN_OK;
    case ROW_DELETE:
    case ROW_UPDATE:
        return mark_gone(self, id, action == ROW_DELETE, changed_rows, err);
    case ROW_KEEP: // It stays where it is.
        return FIRN_OK;
    default:
        return FAIL(err, FIRN_INTERNAL, "row action %d", action);
    }
}

firn_status memory_removal_take(memory_removal *self, const batch *rows, uint16_t *selection,
                                batch *added, uint64_t *changed_rows, firn_error *err) {
    const column *action = &rows->columns[rows->column_count - 2];
    const column *ids = &rows->columns[rows->column_count - 1];
    uint32_t count = 0;
    firn_status status = FIRN_OK;
    mutex_lock(&self->lock);
    for (uint32_t i = 0; i < rows->selected_count && status == FIRN_OK; i++) {
        const uint32_t row = batch_row(rows, i);
        const uint64_t id = COLUMN_VALUES(ids, uint64_t)[row & column_mask(ids)];
        const int8_t what = COLUMN_VALUES(action, int8_t)[row & column_mask(action)];
        bool is_added;
        status = take_row(self, what, id, &is_added, changed_rows, err);
        selection[count] = (uint16_t)row;
        count += is_added;
    }
    mutex_unlock(&self->lock);
    *added = *rows;
    added->column_count -= 2;
    added->selection = selection;
    added->selected_count = count;
    return status;
}

// ---- What is left -------------------------------------------------------------------------------

// The rows of a chunk that stay; NULL if none does, the chunk itself if all do. `start`: the
// position of its first row.
static firn_status cut(const memory_removal *self, const chunk_home *home, chunk *from,
                       uint64_t start, arena *scratch, chunk **out, firn_error *err) {
    const uint64_t read = self->base->base.row_count.value;
    uint16_t *selection = ARENA_NEW(scratch, uint16_t, BATCH_ROWS);
    uint32_t count = 0;
    if (selection == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t k = 0; k < chunk_rows(from); k++) {
        const bool is_gone =
            start + k < read && (self->takes_all || bitmap_get(self->gone, start + k));
        selection[count] = (uint16_t)batch_row(&from->rows, k);
        count += !is_gone;
    }
    if (count == chunk_rows(from) || count == 0) {
        *out = count == 0 ? NULL : chunk_retain(from);
        return FIRN_OK;
    }
    if (count >= from->rows.row_count / 2) {
        return chunk_cut(home, from, selection, count, out, err);
    }
    batch rows = from->rows;
    rows.selection = selection;
    rows.selected_count = count;
    TRY(chunk_make(home, scratch, &rows, out, err));
    (*out)->number = from->number;
    return FIRN_OK;
}

firn_status memory_removal_finish(memory_removal *self, uint32_t *piece_count, firn_error *err) {
    const uint64_t chunks = self->base->chunk_count;
    const uint64_t pieces = chunks / CHUNKS_PER_PIECE + (chunks % CHUNKS_PER_PIECE > 0);
    if (pieces > UINT32_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "a table in memory of %llu chunks",
                    (unsigned long long)chunks);
    }
    chunk **kept = ARENA_NEW(&self->memory, chunk *, chunks + 1);
    self->starts = ARENA_NEW(&self->memory, uint64_t, pieces + 1);
    if (kept == NULL || self->starts == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    uint64_t position = 0;
    for (uint64_t i = 0; i < chunks; i++) {
        if (i % CHUNKS_PER_PIECE == 0) {
            self->starts[i / CHUNKS_PER_PIECE] = position;
        }
        position += chunk_rows(self->base->chunks->items[i]);
        kept[i] = NULL;
    }
    self->kept = kept;
    self->tail_start = position;
    *piece_count = self->takes_all ? 0 : (uint32_t)pieces;
    return FIRN_OK;
}

firn_status memory_removal_run(memory_removal *self, const chunk_home *home, uint32_t piece,
                               const scan_env *env, firn_error *err) {
    arena scratch = arena_open_in(env->pool, MEMORY_MAX);
    scratch.cancel = env->cancel;
    const arena_mark mark = arena_mark_take(&scratch);
    const uint64_t first = (uint64_t)piece * CHUNKS_PER_PIECE;
    const uint64_t left = self->base->chunk_count - first;
    const uint64_t end = first + (left < CHUNKS_PER_PIECE ? left : CHUNKS_PER_PIECE);
    uint64_t start = self->starts[piece];
    firn_status status = FIRN_OK;
    for (uint64_t i = first; i < end && status == FIRN_OK; i++) {
        chunk *from = self->base->chunks->items[i];
        status = cut(self, home, from, start, &scratch, &self->kept[i], err);
        start += chunk_rows(from);
        arena_rewind(&scratch, mark);
    }
    arena_close(&scratch);
    return status;
}

firn_status memory_removal_end(memory_removal *self, const chunk_home *home, firn_error *err) {
    for (uint64_t i = 0; i < self->base->chunk_count; i++) {
        if (self->kept[i] != NULL) {
            TRY(chunk_list_add(&self->left, self->kept[i], err));
            self->left_rows += chunk_rows(self->kept[i]);
            self->kept[i] = NULL;
        }
    }
    if (self->left != NULL) {
        chunk_list_compact(self->left, home);
    }
    return FIRN_OK;
}

// ---- Into the table -----------------------------------------------------------------------------

// Of chunk `i` of the table's, those of the tail behind the others; NULL if there are no more.
static chunk *chunk_at(const memory_table *self, uint64_t i) REQUIRES(&self->lock) {
    const chunk_list *list = self->store->chunks;
    const uint64_t count = list == NULL ? 0 : list->count;
    if (i < count) {
        return list->items[i];
    }
    return self->tail == NULL || i - count >= self->tail->count ? NULL
                                                                : self->tail->items[i - count];
}

// What is left of the chunks that the pieces did not look at: of the tail, and what came since.
static firn_status cut_rest(const memory_removal *self, const memory_table *table,
                            const chunk_home *home, chunk_list **rest, firn_error *err)
    REQUIRES(&table->lock) {
    arena scratch = arena_open_in(table->pool, MEMORY_MAX);
    const arena_mark mark = arena_mark_take(&scratch);
    uint64_t start = self->tail_start;
    firn_status status = FIRN_OK;
    for (uint64_t i = self->base->chunk_count; status == FIRN_OK; i++) {
        chunk *from = chunk_at(table, i);
        if (from == NULL) {
            break;
        }
        chunk *made;
        status = cut(self, home, from, start, &scratch, &made, err);
        if (status == FIRN_OK && made != NULL) {
            status = chunk_list_add(rest, made, err);
            if (status != FIRN_OK) {
                chunk_release(made);
            }
        }
        start += chunk_rows(from);
        arena_rewind(&scratch, mark);
    }
    arena_close(&scratch);
    return status;
}

static firn_status add_all(chunk_list **to, const chunk_list *from, firn_error *err) {
    for (uint64_t i = 0; from != NULL && i < from->count; i++) {
        const firn_status status = chunk_list_add(to, chunk_retain(from->items[i]), err);
        if (status != FIRN_OK) {
            chunk_release(from->items[i]);
            return status;
        }
    }
    return FIRN_OK;
}

static uint64_t count_rows(const chunk_list *list) {
    uint64_t count = 0;
    for (uint64_t i = 0; list != NULL && i < list->count; i++) {
        count += chunk_rows(list->items[i]);
    }
    return count;
}

// A store and a tail of what is left and comes.
static firn_status make_store(memory_removal *self, const chunk_home *home, const chunk_list *rest,
                              chunk_store **store, chunk_tail **tail, firn_error *err) {
    *tail = NULL;
    TRY(chunk_store_open(store, err));
    (*store)->chunks = self->left;
    firn_status status = FIRN_OK;
    if (rest != NULL) {
        status = chunk_store_add(*store, tail, rest, home, err);
    }
    if (status != FIRN_OK) {
        (*store)->chunks = NULL;
        chunk_store_release(*store);
        return status;
    }
    self->left = NULL;
    return FIRN_OK;
}

static firn_status exchange(memory_removal *self, memory_table *table, const chunk_home *home,
                            const chunk_list *added, chunk_list **rest, chunk_store **old,
                            firn_error *err) REQUIRES(&table->lock) {
    if (table->change_count != self->base->change_count) {
        const firn_status status =
            FAIL_SQL(err, FIRN_CONFLICT, "40001", NO_POSITION,
                     "another statement changed rows of the table \"%.*s\" meanwhile",
                     TEXT_ARGS(table->name));
        err_hint(err, "run the statement again");
        return status;
    }
    chunk_store *store;
    chunk_tail *tail;
    TRY(cut_rest(self, table, home, rest, err));
    TRY(add_all(rest, added, err));
    const uint64_t row_count = self->left_rows + count_rows(*rest);
    TRY(make_store(self, home, *rest, &store, &tail, err));
    *old = table->store;
    chunk_tail_release(table->tail);
    table->store = store;
    table->tail = tail;
    table->row_count = row_count;
    table->change_count++;
    return FIRN_OK;
}

firn_status memory_removal_commit(memory_removal *self, const chunk_home *home,
                                  const chunk_list *added, firn_error *err) {
    memory_table *table = self->base->table;
    if (self->gone_count == 0 && !self->takes_all && added == NULL) {
        return FIRN_OK;
    }
    chunk_list *rest = NULL;
    chunk_store *old = NULL;
    mutex_lock(&table->lock);
    const firn_status status = exchange(self, table, home, added, &rest, &old, err);
    mutex_unlock(&table->lock);
    chunk_list_close(rest);
    chunk_store_release(old);
    return status;
}
