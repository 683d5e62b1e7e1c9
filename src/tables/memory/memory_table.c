#include "tables/memory/memory_table.h"

#include <assert.h>

#include "base/host.h"
#include "tables/known_tasks.h"
#include "tables/memory/memory_private.h"
#include "tables/row_pick.h"
#include "tables/transaction.h"

#define MEMORY_MAX ((size_t)1 << 40)
#define CHUNKS_PER_TASK 16

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
        self->notes[i].children = NULL;
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
    status = chunk_store_open(&self->store, err);
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

void memory_table_release(memory_table *self) {
    if (self == NULL ||
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    chunk_tail_release(self->tail);
    chunk_store_release(self->store);
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
        .store = chunk_store_retain(self->store),
        .chunks = self->store->chunks,
        .chunk_count = self->store->chunks == NULL ? 0 : self->store->chunks->count,
        .tail = chunk_tail_retain(self->tail),
        .change_count = self->change_count,
    };
    mutex_unlock(&self->lock);
    atomic_init(&made->base.references, 1);
    *out = &made->base;
    return FIRN_OK;
}

text memory_table_comment(const memory_table *self) {
    return self->comment;
}

firn_status memory_table_rename(memory_table *self, text name, firn_error *err) {
    text copy;
    mutex_lock(&self->lock);
    const firn_status status = text_copy(&self->memory, name, &copy, err);
    self->name = status == FIRN_OK ? copy : self->name; // The old one lives in snapshots.
    mutex_unlock(&self->lock);
    return status;
}

memory_table *memory_table_of(table_snapshot *snapshot) {
    assert(snapshot->kind == &memory_table_kind);
    return memory_table_retain(((memory_snapshot *)snapshot)->table);
}

static void free_snapshot(table_snapshot *base) {
    memory_snapshot *self = (memory_snapshot *)base; // `base` is its first member.
    chunk_tail_release(self->tail);
    chunk_store_release(self->store);
    memory_table_release(self->table);
    host_free(self);
}

// ---- Scanning --------------------------------------------------------------------------------

const batch *memory_snapshot_rows(const memory_snapshot *self, uint64_t number) {
    return number < self->chunk_count ? &self->chunks->items[number]->rows
                                      : &self->tail->items[number - self->chunk_count]->rows;
}

typedef struct memory_task {
    scan_task base;
    uint64_t first, count; // Chunks.
    uint64_t row_id;       // Of its first row, if they have any.
} memory_task;

// All rows are those of one file, whose positions are those in the snapshot: INSERTs that come
// meanwhile join thin chunks, and no row changes its place by that.
static firn_status give_row_ids(const memory_snapshot *self, const scan_env *env,
                                scan_planner *tasks, uint64_t task_count, firn_error *err) {
    uint32_t file;
    uint64_t position = 0;
    TRY(row_files_add(env->row_files, self->base.ref.name, self->base.row_count.value,
                      (bytes){.size = 0}, &file, err));
    for (uint64_t i = 0; i < task_count; i++) {
        memory_task *task = (memory_task *)known_tasks_at(tasks, i);
        task->row_id = row_id_make(file, position);
        for (uint64_t chunk = 0; chunk < task->count; chunk++) {
            position += memory_snapshot_rows(self, task->first + chunk)->selected_count;
        }
    }
    return FIRN_OK;
}

static firn_status plan(table_snapshot *base, const scan_request *request, const scan_env *env,
                        scan_planner **out, firn_error *err) {
    const memory_snapshot *self = (memory_snapshot *)base;
    const uint64_t all = self->chunk_count + (self->tail == NULL ? 0 : self->tail->count);
    const uint64_t count = all / CHUNKS_PER_TASK + (all % CHUNKS_PER_TASK > 0);
    TRY(known_tasks_open(sizeof(memory_task), count, out, err));
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t first = i * CHUNKS_PER_TASK;
        const uint64_t left = all - first;
        const uint64_t chunks = left < CHUNKS_PER_TASK ? left : CHUNKS_PER_TASK;
        *(memory_task *)known_tasks_at(*out, i) = (memory_task){
            .base = {.number = i, .row_estimate = chunks * BATCH_ROWS, .name = self->base.ref.name},
            .first = first,
            .count = chunks};
    }
    return request->needs_row_ids ? give_row_ids(self, env, *out, count, err) : FIRN_OK;
}

struct scan_reader {
    memory_snapshot *table;
    const scan_env *env;
    const memory_task *task;
    uint64_t chunk; // Of the task.
    uint32_t row;   // Of the chunk: test modes hand out fewer rows than it has.
    uint32_t part;
    uint64_t row_id; // Of the next row.
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
                          .row_id = ((const memory_task *)task)->row_id,
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
    self->row_id = self->task->row_id;
    return FIRN_OK;
}

static firn_status next(scan_reader *self, arena *scratch, batch *out, scan_answer *answer,
                        firn_error *err) {
    if (self->chunk == self->task->count) {
        *answer = SCAN_END;
        return FIRN_OK;
    }
    const batch *rows = memory_snapshot_rows(self->table, self->task->first + self->chunk);
    const uint32_t left = rows->row_count - self->row;
    const uint32_t count = left < self->env->batch_rows ? left : self->env->batch_rows;
    TRY(row_pick_apply(&self->pick, rows, self->row, count, scratch, out, err));
    if (self->pick.request->needs_row_ids) {
        TRY(row_pick_number(&self->pick, rows, self->row, &self->row_id, scratch, out, err));
    }
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

// ---- The kind --------------------------------------------------------------------------------

static firn_status define(const table_snapshot *self, arena *memory, table_definition *out,
                          firn_error *err) {
    (void)memory;
    (void)err;
    *out = (table_definition){.comment = ((const memory_snapshot *)self)->table->comment};
    return FIRN_OK;
}

const table_kind memory_table_kind = {
    .name = "memory",
    .bounds = memory_table_bounds,
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
    .sink = &memory_sink_kind,
};
