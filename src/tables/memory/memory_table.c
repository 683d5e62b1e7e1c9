#include "tables/memory/memory_table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/host.h"
#include "memory/pool.h"
#include "tables/known_tasks.h"
#include "tables/row_pick.h"
#include "tables/transaction.h"

#define MEMORY_MAX ((size_t)1 << 40)
#define CHUNKS_PER_TASK 16

// Up to BATCH_ROWS rows. Immutable once it is in a table.
typedef struct chunk {
    arena memory;
    batch rows;
    batch_sequence sequence; // Where the rows came in the statement that inserted them.
    uint64_t number;         // Of the chunks of its worker: for those of one sequence.
} chunk;

typedef struct chunk_list {
    uint64_t count, capacity;
    chunk *items[];
} chunk_list;

struct memory_table {
    atomic_uint references;
    arena memory;
    text catalog, name;
    text comment;
    schema columns;
    column_note *notes; // NULL: nothing is said of any column.
    struct pool *pool;
    mutex lock;
    chunk_list *chunks; // Replaced by a larger copy when full; snapshots read a prefix of theirs.
    chunk_list **old;   // Lists that snapshots may still read.
    uint32_t old_count;
    uint64_t row_count;
};

typedef struct memory_snapshot {
    table_snapshot base;
    memory_table *table;
    chunk_list *chunks;
    uint64_t chunk_count;
} memory_snapshot;

// ---- The table -------------------------------------------------------------------------------

static firn_status copy_notes(memory_table *self, const new_table *of, arena *memory,
                              firn_error *err) {
    TRY(text_copy(memory, of->comment, &self->comment, err));
    if (of->notes == NULL) {
        return FIRN_OK;
    }
    self->notes = ARENA_NEW(memory, column_note, of->columns.count + 1);
    if (self->notes == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < of->columns.count; i++) {
        TRY(text_copy(memory, of->notes[i].default_value, &self->notes[i].default_value, err));
        TRY(text_copy(memory, of->notes[i].comment, &self->notes[i].comment, err));
    }
    return FIRN_OK;
}

firn_status memory_table_open(text catalog, text name, const new_table *of, struct pool *pool,
                              memory_table **out, firn_error *err) {
    arena memory = arena_open(MEMORY_MAX);
    memory_table *self = ARENA_NEW(&memory, memory_table, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (memory_table){.pool = pool};
    firn_status status = text_copy(&memory, catalog, &self->catalog, err);
    status = status == FIRN_OK ? text_copy(&memory, name, &self->name, err) : status;
    status = status == FIRN_OK ? schema_copy(&memory, &of->columns, &self->columns, err) : status;
    status = status == FIRN_OK ? copy_notes(self, of, &memory, err) : status;
    if (status != FIRN_OK) {
        arena_close(&memory);
        return status;
    }
    atomic_init(&self->references, 1);
    mutex_begin(&self->lock, MUTEX_TABLE);
    self->memory = memory;
    *out = self;
    return FIRN_OK;
}

memory_table *memory_table_retain(memory_table *self) {
    (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

static void close_chunk(chunk *self) {
    arena memory = self->memory; // It holds `self`.
    arena_close(&memory);
}

void memory_table_release(memory_table *self) {
    if (self == NULL ||
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (uint64_t i = 0; self->chunks != NULL && i < self->chunks->count; i++) {
        close_chunk(self->chunks->items[i]);
    }
    for (uint32_t i = 0; i < self->old_count; i++) {
        host_free(self->old[i]);
    }
    host_free(self->old);
    host_free(self->chunks);
    mutex_end(&self->lock);
    arena memory = self->memory;
    arena_close(&memory);
}

firn_status memory_table_snapshot(memory_table *self, table_snapshot **out, firn_error *err) {
    memory_snapshot *made = host_alloc(sizeof *made);
    if (made == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *made);
    }
    mutex_lock(&self->lock);
    *made = (memory_snapshot){
        .base = {.kind = &memory_table_kind,
                 .columns = self->columns,
                 .notes = self->notes,
                 .ref = {.kind = TEXT("memory"),
                         .catalog = self->catalog,
                         .name = self->name,
                         .snapshot_id = -1,
                         .schema_id = -1,
                         .local = 1},
                 .row_count = {.is_known = true, .value = self->row_count},
                 .rows = {.is_known = true, .value = (double)self->row_count}},
        .table = memory_table_retain(self),
        .chunks = self->chunks,
        .chunk_count = self->chunks == NULL ? 0 : self->chunks->count,
    };
    mutex_unlock(&self->lock);
    atomic_init(&made->base.references, 1);
    *out = &made->base;
    return FIRN_OK;
}

text memory_table_comment(const memory_table *self) {
    return self->comment;
}

memory_table *memory_table_of(table_snapshot *snapshot) {
    assert(snapshot->kind == &memory_table_kind);
    return memory_table_retain(((memory_snapshot *)snapshot)->table);
}

static void free_snapshot(table_snapshot *base) {
    memory_snapshot *self = (memory_snapshot *)base; // `base` is its first member.
    memory_table_release(self->table);
    host_free(self);
}

// ---- Scanning --------------------------------------------------------------------------------

typedef struct memory_task {
    scan_task base;
    uint64_t first, count; // Chunks.
} memory_task;

static firn_status plan(table_snapshot *base, const scan_request *request, const scan_env *env,
                        scan_planner **out, firn_error *err) {
    const memory_snapshot *self = (memory_snapshot *)base;
    (void)request;
    (void)env;
    const uint64_t count =
        self->chunk_count / CHUNKS_PER_TASK + (self->chunk_count % CHUNKS_PER_TASK > 0);
    TRY(known_tasks_open(sizeof(memory_task), count, out, err));
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t first = i * CHUNKS_PER_TASK;
        const uint64_t left = self->chunk_count - first;
        const uint64_t chunks = left < CHUNKS_PER_TASK ? left : CHUNKS_PER_TASK;
        *(memory_task *)known_tasks_at(*out, i) = (memory_task){
            .base = {.number = i, .row_estimate = chunks * BATCH_ROWS, .name = self->table->name},
            .first = first,
            .count = chunks};
    }
    return FIRN_OK;
}

struct scan_reader {
    memory_snapshot *table;
    const scan_env *env;
    const memory_task *task;
    uint64_t chunk; // Of the task.
    uint32_t row;   // Of the chunk: test modes hand out fewer rows than it has.
    uint32_t part;
    uint64_t rows_read;
    row_pick pick;
    arena memory;
};

static void close_reader(scan_reader *self) {
    if (self != NULL) {
        row_pick_close(&self->pick);
        arena memory = self->memory;
        arena_close(&memory);
    }
}

static firn_status open_reader(table_snapshot *base, const scan_request *request,
                               const scan_task *task, const scan_env *env, scan_reader **out,
                               firn_error *err) {
    arena memory = arena_open(MEMORY_MAX);
    scan_reader *self = ARENA_NEW(&memory, scan_reader, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (scan_reader){.table = (memory_snapshot *)base,
                          .env = env,
                          .task = (const memory_task *)task,
                          .memory = memory};
    firn_status status = row_pick_open(&self->pick, request, env, &self->memory, err);
    if (status != FIRN_OK) {
        close_reader(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

static firn_status reopen(scan_reader *self, const scan_task *task, firn_error *err) {
    (void)err;
    self->task = (const memory_task *)task;
    self->chunk = 0;
    self->row = 0;
    self->part = 0;
    return FIRN_OK;
}

static firn_status next(scan_reader *self, arena *scratch, batch *out, scan_answer *answer,
                        firn_error *err) {
    if (self->chunk == self->task->count) {
        *answer = SCAN_END;
        return FIRN_OK;
    }
    const batch *rows = &self->table->chunks->items[self->task->first + self->chunk]->rows;
    const uint32_t left = rows->row_count - self->row;
    const uint32_t count = left < self->env->batch_rows ? left : self->env->batch_rows;
    TRY(row_pick_apply(&self->pick, rows, self->row, count, scratch, out, err));
    out->sequence.part = self->part++;
    self->rows_read += count;
    self->row += count;
    if (self->row == rows->row_count) {
        self->row = 0;
        self->chunk++;
    }
    *answer = SCAN_READY;
    return FIRN_OK;
}

static void counters(const scan_reader *self, scan_counters *add_to) {
    add_to->rows_read += self->rows_read;
}

// ---- Inserting -------------------------------------------------------------------------------

struct row_sink {
    memory_table *table;
    const uint32_t *positions; // Of row_sink_request.
    mutex lock;
    chunk_list *chunks; // Of workers that finished.
    uint64_t row_count;
};

struct row_sink_worker {
    row_sink *owner;
    chunk_list *chunks;
    uint64_t row_count;
};

static firn_status add_chunk(chunk_list **list, chunk *made, firn_error *err) {
    chunk_list *old = *list;
    if (old == NULL || old->count == old->capacity) {
        const uint64_t capacity = old == NULL ? 16 : old->capacity * 2;
        chunk_list *grown = host_alloc(sizeof *grown + capacity * sizeof(chunk *));
        if (grown == NULL) {
            return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for a list of chunks");
        }
        *grown = (chunk_list){.count = 0, .capacity = capacity};
        if (old != NULL) {
            memcpy(grown->items, old->items, old->count * sizeof(chunk *));
            grown->count = old->count;
            host_free(old);
        }
        *list = grown;
    }
    (*list)->items[(*list)->count++] = made;
    return FIRN_OK;
}

static void close_list(chunk_list *list) {
    for (uint64_t i = 0; list != NULL && i < list->count; i++) {
        close_chunk(list->items[i]);
    }
    host_free(list);
}

static firn_status sink_open(const row_sink_request *request, const scan_env *env, row_sink **out,
                             firn_error *err) {
    (void)env;
    if (request->kind != CHANGE_APPEND) {
        return FAIL(err, FIRN_UNSUPPORTED, "only INSERT changes tables in memory");
    }
    row_sink *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (row_sink){.table = memory_table_retain(((memory_snapshot *)request->base)->table),
                       .positions = request->positions};
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    *out = self;
    return FIRN_OK;
}

static firn_status sink_open_worker(row_sink *self, const scan_env *env, row_sink_worker **out,
                                    firn_error *err) {
    (void)env;
    row_sink_worker *made = host_alloc(sizeof *made);
    if (made == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *made);
    }
    *made = (row_sink_worker){.owner = self};
    *out = made;
    return FIRN_OK;
}

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

// Types that live as long as the table; those of the batch die with its plan.
static void adopt_type(column *self, const type *own) {
    self->type = own;
    for (uint32_t i = 0; i < own->child_count && self->children != NULL; i++) {
        adopt_type((column *)(uintptr_t)&self->children[i], own->children[i].type);
    }
}

static firn_status sink_push(row_sink_worker *self, const batch *rows, bool *must_wait,
                             firn_error *err) {
    memory_table *table = self->owner->table;
    *must_wait = false;
    TRY(check_nulls(self->owner, rows, err));
    arena memory = arena_open_in(table->pool, MEMORY_MAX);
    chunk *made = ARENA_NEW(&memory, chunk, 1);
    firn_status status = made == NULL ? ARENA_FULL(&memory, err) : FIRN_OK;
    if (status == FIRN_OK) {
        status = batch_copy(&memory, rows, &made->rows, err);
    }
    if (status == FIRN_OK) {
        for (uint32_t i = 0; i < table->columns.count; i++) {
            adopt_type((column *)(uintptr_t)&made->rows.columns[i], table->columns.fields[i].type);
        }
        made->memory = memory;
        made->sequence = rows->sequence;
        made->number = self->chunks == NULL ? 0 : self->chunks->count;
        status = add_chunk(&self->chunks, made, err);
        self->row_count += made->rows.row_count;
    }
    if (status != FIRN_OK) {
        arena_close(&memory);
    }
    return status;
}

static firn_status sink_finish_worker(row_sink_worker *self, firn_error *err) {
    row_sink *owner = self->owner;
    firn_status status = FIRN_OK;
    mutex_lock(&owner->lock);
    while (self->chunks != NULL && self->chunks->count > 0 && status == FIRN_OK) {
        chunk *last = self->chunks->items[self->chunks->count - 1];
        status = add_chunk(&owner->chunks, last, err);
        self->chunks->count -= status == FIRN_OK;
    }
    owner->row_count += self->row_count;
    mutex_unlock(&owner->lock);
    return status;
}

static void sink_close_worker(row_sink_worker *self) {
    if (self != NULL) {
        close_list(self->chunks);
        host_free(self);
    }
}

// Keeps a list that snapshots may read until the table goes.
static firn_status retire(memory_table *table, firn_error *err) {
    chunk_list **old = host_alloc((table->old_count + 1) * sizeof(chunk_list *));
    if (old == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for a list of chunks");
    }
    if (table->old_count > 0) {
        memcpy(old, table->old, table->old_count * sizeof(chunk_list *));
    }
    host_free(table->old);
    table->old = old;
    table->old[table->old_count++] = table->chunks;
    return FIRN_OK;
}

// All chunks of the statement become visible at once.
static firn_status append(memory_table *table, row_sink *self, firn_error *err) {
    const uint64_t before = table->chunks == NULL ? 0 : table->chunks->count;
    const uint64_t count = before + self->chunks->count;
    if (table->chunks == NULL || count > table->chunks->capacity) {
        chunk_list *grown = host_alloc(sizeof *grown + count * 2 * sizeof(chunk *));
        if (grown == NULL) {
            return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for a list of chunks");
        }
        *grown = (chunk_list){.count = before, .capacity = count * 2};
        if (table->chunks != NULL) {
            memcpy(grown->items, table->chunks->items, before * sizeof(chunk *));
            firn_status status = retire(table, err);
            if (status != FIRN_OK) {
                host_free(grown);
                return status;
            }
        }
        table->chunks = grown;
    }
    memcpy(table->chunks->items + before, self->chunks->items,
           self->chunks->count * sizeof(chunk *));
    table->chunks->count = count;
    table->row_count += self->row_count;
    self->chunks->count = 0;
    return FIRN_OK;
}

static int compare_chunks(const void *left, const void *right) {
    const batch_sequence l = (*(const chunk *const *)left)->sequence;
    const batch_sequence r = (*(const chunk *const *)right)->sequence;
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

static firn_status sink_finish(row_sink *self, uint32_t *piece_count, firn_error *err) {
    (void)self;
    (void)err;
    *piece_count = 0;
    return FIRN_OK;
}

static firn_status sink_end(row_sink *self, uint64_t *changed_rows, firn_error *err) {
    *changed_rows = self->row_count;
    if (self->chunks == NULL) {
        return FIRN_OK;
    }
    // As the query gave them: workers were through in any order.
    qsort(self->chunks->items, self->chunks->count, sizeof self->chunks->items[0], compare_chunks);
    mutex_lock(&self->table->lock);
    firn_status status = append(self->table, self, err);
    mutex_unlock(&self->table->lock);
    return status;
}

static void sink_close(row_sink *self) {
    if (self != NULL) {
        close_list(self->chunks);
        memory_table_release(self->table);
        mutex_end(&self->lock);
        host_free(self);
    }
}

static const row_sink_kind memory_sink = {
    .name = "memory",
    .open = sink_open,
    .open_worker = sink_open_worker,
    .push = sink_push,
    .finish_worker = sink_finish_worker,
    .close_worker = sink_close_worker,
    .finish = sink_finish,
    .end = sink_end,
    .close = sink_close,
};

static firn_status define(const table_snapshot *self, arena *memory, table_definition *out,
                          firn_error *err) {
    (void)memory;
    (void)err;
    *out = (table_definition){.comment = ((const memory_snapshot *)self)->table->comment};
    return FIRN_OK;
}

const table_kind memory_table_kind = {
    .name = "memory",
    .define = define,
    .plan = plan,
    .planner_next = known_tasks_next,
    .planner_counters = known_tasks_counters,
    .planner_close = known_tasks_close,
    .open = open_reader,
    .reopen = reopen,
    .next = next,
    .counters = counters,
    .close = close_reader,
    .free = free_snapshot,
    .sink = &memory_sink,
};
