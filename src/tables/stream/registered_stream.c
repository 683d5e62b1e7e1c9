#include "tables/stream/registered_stream.h"

#include <errno.h>
#include <string.h>

#include "memory/pool.h"
#include "tables/known_tasks.h"
#include "tables/row_pick.h"

typedef struct stream_table {
    table_snapshot base;
    struct ArrowArrayStream source;
    stream_pull_function pull;
    struct ArrowSchema types; // As the stream says; base.columns are made of it.
    atomic_bool is_read;
} stream_table;

static stream_table *of(table_snapshot *base) {
    return (stream_table *)base; // `base` is its first member.
}

static firn_status status_of(int code) {
    switch (code) {
    case ENOMEM:
        return FIRN_NO_MEMORY;
    case ECANCELED:
        return FIRN_CANCELLED;
    case EINVAL:
        return FIRN_INVALID;
    default:
        return FIRN_IO;
    }
}

// The words of a stream about its last error, which are foreign: no longer than a message.
static firn_status say(struct ArrowArrayStream *source, text name, int code, firn_error *err) {
    const char *words = source->get_last_error == NULL ? NULL : source->get_last_error(source);
    return FAIL(err, status_of(code), "stream \"%.*s\": %.*s", TEXT_ARGS(name), 400,
                words != NULL ? words : strerror(code));
}

static void free_table(table_snapshot *base) {
    stream_table *self = of(base);
    if (self->types.release != NULL) {
        self->types.release(&self->types);
    }
    if (self->source.release != NULL) {
        self->source.release(&self->source);
    }
    arena memory = base->memory; // It holds `self`.
    arena_close(&memory);
}

static firn_status read_schema(stream_table *self, struct ArrowArrayStream *source, text name,
                               arena *memory, firn_error *err) {
    TRY(text_copy(memory, name, &self->base.ref.name, err));
    const int code = source->get_schema(source, &self->types);
    if (code != 0) {
        self->types.release = NULL;
        return say(source, name, code, err);
    }
    return arrow_schema_import(&self->types, memory, &self->base.columns, err);
}

firn_status registered_stream_open(text name, struct ArrowArrayStream *source,
                                   stream_pull_function pull, table_snapshot **out,
                                   firn_error *err) {
    if (source == NULL || source->release == NULL || source->get_schema == NULL ||
        source->get_next == NULL) {
        return FAIL(err, FIRN_INVALID, "the stream \"%.*s\" was released already", TEXT_ARGS(name));
    }
    arena memory = arena_open(SIZE_MAX);
    stream_table *self = ARENA_NEW(&memory, stream_table, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (stream_table){
        .base = {.kind = &registered_stream_kind,
                 .ref = {.kind = TEXT("stream"), .snapshot_id = -1, .schema_id = -1, .local = 1}}};
    atomic_init(&self->base.references, 1);
    atomic_init(&self->is_read, false);
    firn_status status = read_schema(self, source, name, &memory, err);
    self->base.memory = memory;
    if (status != FIRN_OK) {
        free_table(&self->base); // The stream stays the caller's.
        return status;
    }
    self->source = *source;
    self->pull = pull;
    source->release = NULL; // Moved, as the Arrow specification says.
    *out = &self->base;
    return FIRN_OK;
}

void registered_stream_give_back(table_snapshot *taken, struct ArrowArrayStream *source) {
    *source = of(taken)->source;
    of(taken)->source.release = NULL;
    table_snapshot_release(taken);
}

// ---- Planning ----------------------------------------------------------------------------------

static firn_status plan(table_snapshot *base, const scan_request *request, const scan_env *env,
                        scan_planner **out, firn_error *err) {
    (void)request;
    (void)env;
    if (atomic_exchange(&of(base)->is_read, true)) {
        firn_status status = FAIL_SQL(err, FIRN_INVALID, "55000", NO_POSITION,
                                      "the stream \"%.*s\" was read before, and can be read once",
                                      TEXT_ARGS(base->ref.name));
        err_hint(err, "keep its rows with CREATE TABLE t AS SELECT * FROM the stream");
        return status;
    }
    TRY(known_tasks_open(sizeof(scan_task), 1, out, err));
    *known_tasks_at(*out, 0) = (scan_task){.name = base->ref.name};
    return FIRN_OK;
}

// ---- Reading -----------------------------------------------------------------------------------

struct scan_reader {
    stream_table *table;
    const scan_env *env;
    row_pick pick;
    struct ArrowArray array; // The current one; release is NULL if there is none.
    uint64_t row;            // Of it: the next one to hand out.
    uint32_t part;
    uint64_t rows_read;
    arena memory;
};

static void drop_array(scan_reader *self) {
    if (self->array.release != NULL) {
        self->array.release(&self->array);
        self->array.release = NULL;
    }
}

static void close_reader(scan_reader *self) {
    if (self != NULL) {
        drop_array(self);
        row_pick_close(&self->pick);
        arena memory = self->memory;
        arena_close(&memory);
    }
}

static firn_status open_reader(table_snapshot *base, const scan_request *request,
                               const scan_task *task, const scan_env *env, scan_reader **out,
                               firn_error *err) {
    (void)task;
    arena memory = arena_open(SIZE_MAX);
    scan_reader *self = ARENA_NEW(&memory, scan_reader, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (scan_reader){.table = of(base), .env = env, .memory = memory};
    firn_status status = row_pick_open(&self->pick, request, env, &self->memory, err);
    if (status != FIRN_OK) {
        close_reader(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

// Until there is an array with rows left; `is_end` when the stream has no more.
static firn_status fetch(scan_reader *self, bool *is_end, firn_error *err) {
    struct ArrowArrayStream *source = &self->table->source;
    *is_end = false;
    while (self->array.release == NULL || self->row >= (uint64_t)self->array.length) {
        drop_array(self);
        TRY(cancel_check(self->env->cancel, err));
        const int code = self->table->pull(source, self->env->cancel, &self->array);
        if (code != 0) {
            self->array.release = NULL;
            TRY(cancel_check(self->env->cancel, err));
            return say(source, self->table->base.ref.name, code, err);
        }
        if (self->array.release == NULL) {
            *is_end = true;
            return FIRN_OK;
        }
        if (self->array.length < 0) {
            return FAIL(err, FIRN_CORRUPT, "stream \"%.*s\": an array of a negative length",
                        TEXT_ARGS(self->table->base.ref.name));
        }
        self->row = 0;
    }
    return FIRN_OK;
}

static firn_status next(scan_reader *self, arena *scratch, batch *out, scan_answer *answer,
                        firn_error *err) {
    bool is_end;
    TRY(fetch(self, &is_end, err));
    *answer = is_end ? SCAN_END : SCAN_READY;
    if (is_end) {
        return FIRN_OK;
    }
    const uint64_t left = (uint64_t)self->array.length - self->row;
    const uint32_t count = left < self->env->batch_rows ? (uint32_t)left : self->env->batch_rows;
    batch *rows = ARENA_NEW(scratch, batch, 1);
    if (rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    TRY(arrow_array_import(&self->table->types, &self->table->base.columns,
                           (arrow_rows){.array = &self->array, .from = self->row, .count = count},
                           scratch, rows, err));
    TRY(row_pick_apply(&self->pick, rows, 0, count, scratch, out, err));
    out->sequence.part = self->part++;
    self->rows_read += count;
    self->row += count;
    *answer = SCAN_READY;
    return FIRN_OK;
}

static void counters(const scan_reader *self, scan_counters *add_to) {
    add_to->rows_read += self->rows_read;
}

const table_kind registered_stream_kind = {
    .name = "stream",
    .is_read_once = true,
    .plan = plan,
    .planner_next = known_tasks_next,
    .planner_counters = known_tasks_counters,
    .planner_close = known_tasks_close,
    .open = open_reader,
    .next = next,
    .counters = counters,
    .close = close_reader,
    .free = free_table,
};
