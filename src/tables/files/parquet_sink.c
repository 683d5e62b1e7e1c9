// COPY's files: rows by folder into the files of a copy_target.
#include "tables/files/parquet_sink.h"

#include "base/host.h"
#include "memory/pool.h"
#include "tables/files/copy_outputs.h"
#include "tables/files/copy_split.h"
#include "tables/files/parquet_lines.h"

struct row_sink {
    const copy_target *target;
    arena memory;
    copy_outputs *outputs;
    parquet_lines *lines;
};

static firn_status values_of(void *user, const batch *rows, arena *memory, const column **out,
                             uint32_t *count, firn_error *err) {
    const copy_target *target = ((const row_sink *)user)->target;
    *count = target->options.partition_count;
    return copy_split_values(target, rows, memory, out, err);
}

static firn_status key_of(void *user, const column *values, uint32_t row, arena *memory, text *out,
                          firn_error *err) {
    return copy_target_folder(((const row_sink *)user)->target, values, row, memory, out, err);
}

static firn_status next_file(void *user, text partition, text *path, void **file, firn_error *err) {
    *file = NULL;
    return copy_outputs_next(((const row_sink *)user)->outputs, partition, path, err);
}

// ---- Opening -----------------------------------------------------------------------------------

static firn_status prepare(row_sink *self, uint32_t fan_out, const scan_env *env, firn_error *err) {
    static const parquet_lines_user whole = {.next = next_file};
    static const parquet_lines_user by_folder = {
        .values = values_of, .key = key_of, .next = next_file};
    const copy_target_options *options = &self->target->options;
    copy_written written;
    parquet_lines_options wanted = {
        .writer = &options->writer,
        .file_size = options->file_size,
        .has_file = options->partition_count == 0,
        .user = options->partition_count == 0 ? &whole : &by_folder,
        .of_user = self,
        .fan_out = options->partition_count == 0 ? 0 : fan_out,
    };
    TRY(copy_written_columns(self->target, &self->memory, &written, err));
    wanted.places = written.places;
    TRY(pw_schema_make(&written.columns, &self->memory, &wanted.schema, err));
    TRY(parquet_lines_open(&wanted, env, &self->lines, err));
    return copy_outputs_open(self->target, env->io, env->pool, env->cancel, &self->outputs, err);
}

static void close_sink(row_sink *self) {
    if (self != NULL) {
        table_snapshot *base = (table_snapshot *)(uintptr_t)&self->target->base;
        parquet_lines_close(self->lines);
        copy_outputs_close(self->outputs);
        arena_close(&self->memory);
        host_free(self);
        table_snapshot_release(base);
    }
}

static firn_status open_sink(const row_sink_request *request, const scan_env *env, row_sink **out,
                             firn_error *err) {
    row_sink *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (row_sink){.target = copy_target_of(request->base),
                       .memory = arena_open_in(env->pool, SIZE_MAX)};
    (void)table_snapshot_retain(request->base);
    const firn_status status = prepare(self, request->fan_out, env, err);
    if (status != FIRN_OK) {
        close_sink(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

// ---- Steps -------------------------------------------------------------------------------------

// A worker of the sink is one of its lines.
static parquet_lines_worker *worker_of(row_sink_worker *self) {
    return (parquet_lines_worker *)(void *)self;
}

static uint64_t min_bytes(const row_sink *self) {
    return parquet_lines_min_bytes(self->lines);
}

static firn_status open_worker(row_sink *self, const scan_env *env, row_sink_worker **out,
                               firn_error *err) {
    parquet_lines_worker *made;
    TRY(parquet_lines_open_worker(self->lines, env, &made, err));
    *out = (row_sink_worker *)(void *)made;
    return FIRN_OK;
}

static void advance(row_sink *self, uint64_t complete) {
    parquet_lines_advance(self->lines, complete);
}

static firn_status push(row_sink_worker *self, const batch *rows, bool *must_wait,
                        firn_error *err) {
    return parquet_lines_push(worker_of(self), rows, must_wait, err);
}

static firn_status finish_worker(row_sink_worker *self, firn_error *err) {
    return parquet_lines_finish_worker(worker_of(self), err);
}

static void close_worker(row_sink_worker *self) {
    parquet_lines_close_worker(worker_of(self));
}

static firn_status finish(row_sink *self, uint32_t *piece_count, firn_error *err) {
    return parquet_lines_finish(self->lines, piece_count, err);
}

static firn_status run_piece(row_sink *self, uint32_t piece, const scan_env *env, bool *must_wait,
                             firn_error *err) {
    (void)piece;
    return parquet_lines_run_piece(self->lines, env, must_wait, err);
}

static firn_status end(row_sink *self, uint64_t *changed_rows, firn_error *err) {
    return parquet_lines_end(self->lines, changed_rows, err);
}

static firn_status commit(row_sink *self, firn_error *err) {
    return copy_outputs_commit(self->outputs, err);
}

const row_sink_kind parquet_sink_kind = {
    .name = "parquet",
    .needs_order = true,
    .fans_out = true,
    .wish = copy_wish,
    .open = open_sink,
    .min_bytes = min_bytes,
    .open_worker = open_worker,
    .advance = advance,
    .push = push,
    .finish_worker = finish_worker,
    .close_worker = close_worker,
    .finish = finish,
    .run_piece = run_piece,
    .end = end,
    .commit = commit,
    .close = close_sink,
};
