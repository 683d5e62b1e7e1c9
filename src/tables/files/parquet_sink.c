// COPY's files: rows by folder into the files of a parquet_target.
#include "tables/files/parquet_sink.h"

#include "base/host.h"
#include "memory/pool.h"
#include "tables/files/parquet_lines.h"
#include "tables/files/parquet_target.h"

struct row_sink {
    const parquet_target *target;
    arena memory;
    uint32_t width;   // Columns in the files, …
    uint32_t *places; // … and where they come from.
    parquet_outputs *outputs;
    parquet_lines *lines;
};

// By partition, so that one file is open at a time.
static firn_status wish(table_snapshot *base, change_kind kind, arena *memory, row_wish *out,
                        firn_error *err) {
    (void)kind;
    const parquet_target_options *options = &parquet_target_of(base)->options;
    row_wish_key *keys = ARENA_NEW(memory, row_wish_key, (size_t)options->partition_count + 1);
    if (keys == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < options->partition_count; i++) {
        keys[i] = (row_wish_key){.column = options->partitions[i], .transform = TEXT("identity")};
    }
    *out = (row_wish){.cluster_count = options->partition_count,
                      .key_count = options->partition_count,
                      .keys = keys,
                      .keeps_order = true};
    return FIRN_OK;
}

// ---- Partitions --------------------------------------------------------------------------------

static bool same_partition(const parquet_target *target, const batch *rows, uint32_t left,
                           uint32_t right) {
    bool is_same = true;
    for (uint32_t i = 0; i < target->options.partition_count && is_same; i++) {
        const column *key = &rows->columns[target->options.partitions[i]];
        is_same = column_rows_equal(key, left, key, right);
    }
    return is_same;
}

static firn_status split(void *user, const batch *rows, arena *memory, arena *scratch,
                         parquet_runs *out, firn_error *err) {
    const parquet_target *target = ((const row_sink *)user)->target;
    (void)scratch;
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        const uint32_t row = batch_row(rows, k);
        if (k > 0 && same_partition(target, rows, batch_row(rows, k - 1), row)) {
            continue;
        }
        if (k > 0) {
            out->ends[out->count++] = k;
        }
        TRY(parquet_target_folder(target, rows->columns, row, memory, &out->partitions[out->count],
                                  err));
    }
    out->ends[out->count++] = rows->selected_count;
    return FIRN_OK;
}

static firn_status next_file(void *user, text partition, text *path, firn_error *err) {
    return parquet_outputs_next(((const row_sink *)user)->outputs, partition, path, err);
}

// ---- Opening -----------------------------------------------------------------------------------

static firn_status written_columns(row_sink *self, schema *out, firn_error *err) {
    const schema *all = &self->target->base.columns;
    const parquet_target_options *options = &self->target->options;
    field *fields = ARENA_NEW(&self->memory, field, (size_t)all->count + 1);
    self->places = ARENA_NEW(&self->memory, uint32_t, (size_t)all->count + 1);
    if (fields == NULL || self->places == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < all->count; i++) {
        bool is_folder = false;
        for (uint32_t k = 0; k < options->partition_count; k++) {
            is_folder |= options->partitions[k] == i;
        }
        if (!is_folder) {
            fields[self->width] = all->fields[i];
            self->places[self->width++] = i;
        }
    }
    *out = (schema){.count = self->width, .fields = fields};
    return FIRN_OK;
}

static firn_status prepare(row_sink *self, const scan_env *env, firn_error *err) {
    static const parquet_lines_user whole = {.next = next_file};
    static const parquet_lines_user by_folder = {.split = split, .next = next_file};
    const parquet_target_options *options = &self->target->options;
    schema columns;
    parquet_lines_options wanted = {
        .writer = &options->writer,
        .file_size = options->file_size,
        .has_file = options->partition_count == 0,
        .user = options->partition_count == 0 ? &whole : &by_folder,
        .of_user = self,
    };
    TRY(written_columns(self, &columns, err));
    wanted.places = self->places;
    TRY(pw_schema_make(&columns, &self->memory, &wanted.schema, err));
    TRY(parquet_lines_open(&wanted, env, &self->lines, err));
    return parquet_outputs_open(self->target, env->io, env->pool, env->cancel, &self->outputs, err);
}

static void close_sink(row_sink *self) {
    if (self != NULL) {
        table_snapshot *base = (table_snapshot *)(uintptr_t)&self->target->base;
        parquet_lines_close(self->lines);
        parquet_outputs_close(self->outputs);
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
    *self = (row_sink){.target = parquet_target_of(request->base),
                       .memory = arena_open_in(env->pool, SIZE_MAX)};
    (void)table_snapshot_retain(request->base);
    const firn_status status = prepare(self, env, err);
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
    (void)self;
    (void)err;
    return FIRN_OK;
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
    return parquet_outputs_commit(self->outputs, err);
}

const row_sink_kind parquet_sink_kind = {
    .name = "parquet",
    .needs_order = true,
    .wish = wish,
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
