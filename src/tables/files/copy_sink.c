// COPY's files of all formats but Parquet: rows that come in, and the steps of the sink.
#include "tables/files/copy_sink.h"

#include <assert.h>

#include "base/host.h"
#include "tables/files/copy_sink_private.h"

#define MIN_BYTES_SHARE 8 // Of the limit, at most …
#define MIN_BYTES_MAX (UINT64_C(8) << 20)
#define BLOCK_BYTES_MIN (UINT64_C(32) << 10)
#define BLOCK_BYTES_MAX (UINT64_C(1) << 20)
#define QUEUE_BYTES_MIN (UINT64_C(256) << 10)
#define QUEUE_BYTES_MAX (UINT64_C(32) << 20)
#define QUEUE_SHARE 64 // Of the limit.
#define BLOCK_SHARE 512
#define CODEC_MEMORY_MAX (UINT64_C(256) << 20)

static uint64_t between(uint64_t value, uint64_t least, uint64_t most) {
    return value < least ? least : value > most ? most : value;
}

// ---- Opening -----------------------------------------------------------------------------------

static void set_sizes(row_sink *self) {
    const uint64_t limit = pool_limit(pool_engine(self->env.pool));
    const uint64_t file = self->target->options.file_size;
    self->queue_bytes = between(limit / QUEUE_SHARE, QUEUE_BYTES_MIN, QUEUE_BYTES_MAX);
    self->block_bytes = between(limit / BLOCK_SHARE, BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
    if (file > 0 && file < self->block_bytes) {
        self->block_bytes = file;
    }
    self->min_bytes = between(limit / MIN_BYTES_SHARE, 0, MIN_BYTES_MAX);
}

static firn_status prepare(row_sink *self, const scan_env *env, firn_error *err) {
    const copy_target_options *options = &self->target->options;
    set_sizes(self);
    TRY(copy_written_columns(self->target, &self->memory, &self->written, err));
    self->encoder = (copy_encoder){.format = options->format,
                                   .columns = &self->written.columns,
                                   .csv = &options->csv,
                                   .at = env->context->zone,
                                   .piece_bytes = self->block_bytes,
                                   .pool = env->pool,
                                   .cancel = env->cancel};
    self->codec = options->format->is_text ? options->writer.codec : CODEC_NONE;
    TRY(options->format->open(&self->encoder, &self->memory, err));
    TRY(wakeup_list_open(env->workers * 2 + 2, &self->memory, &self->waiting, err));
    self->idle = ARENA_NEW(&self->memory, codec_scratch, (size_t)env->workers + 1);
    if (self->idle == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    return copy_outputs_open(self->target, env->io, env->pool, env->cancel, &self->outputs, err);
}

static void close_idle(row_sink *self) {
    while (self->idle_count > 0) {
        self->idle_count--;
        codec_scratch_close(&self->idle[self->idle_count]);
    }
}

static void close_sink(row_sink *self) {
    if (self == NULL) {
        return;
    }
    table_snapshot *base = (table_snapshot *)(uintptr_t)&self->target->base;
    copy_close_blocks(self);
    close_idle(self);
    io_writer_close(self->file);
    copy_outputs_close(self->outputs);
    arena_close(&self->of_file);
    arena_close(&self->memory);
    pool_close(self->keeper);
    mutex_end(&self->lock);
    host_free(self);
    table_snapshot_release(base);
}

static firn_status open_sink(const row_sink_request *request, const scan_env *env, row_sink **out,
                             firn_error *err) {
    row_sink *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (row_sink){.target = copy_target_of(request->base),
                       .env = *env,
                       .memory = arena_open_in(env->pool, SIZE_MAX),
                       .of_file = arena_open_in(env->pool, SIZE_MAX)};
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    (void)table_snapshot_retain(request->base);
    const firn_status status = prepare(self, env, err);
    if (status != FIRN_OK) {
        close_sink(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

static uint64_t min_bytes(const row_sink *self) {
    return self->min_bytes;
}

// Once what it needs is reserved. A place that cannot be written to is found out now.
static firn_status begin(row_sink *self, firn_error *err) REQUIRES(&self->lock) {
    if (self->keeper != NULL) {
        return FIRN_OK;
    }
    const pool_options options = {
        .kind = POOL_STATE, .name = "file writer", .min_bytes = self->min_bytes};
    TRY(pool_open(self->env.pool, &options, &self->keeper, err));
    return self->target->options.partition_count == 0 ? copy_open_file(self, TEXT(""), err)
                                                      : FIRN_OK;
}

static firn_status open_worker(row_sink *self, const scan_env *env, row_sink_worker **out,
                               firn_error *err) {
    mutex_lock(&self->lock);
    const firn_status status = begin(self, err);
    mutex_unlock(&self->lock);
    TRY(status);
    row_sink_worker *made = host_alloc(sizeof *made);
    column *columns = host_alloc(((size_t)self->written.columns.count + 1) * sizeof *columns);
    if (made == NULL || columns == NULL) {
        host_free(made);
        host_free(columns);
        return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for a writer");
    }
    *made = (row_sink_worker){.owner = self,
                              .env = env,
                              .scratch = arena_open_in(env->pool, SIZE_MAX),
                              .codecs = codec_scratch_open_in(env->pool, CODEC_MEMORY_MAX),
                              .columns = columns};
    made->scratch.cancel = env->cancel;
    *out = made;
    return FIRN_OK;
}

static void forget_waiter(row_sink *self, const wakeup *which) {
    mutex_lock(&self->lock);
    wakeup_list_forget(&self->waiting, which);
    mutex_unlock(&self->lock);
}

static void close_worker(row_sink_worker *self) {
    if (self != NULL) {
        forget_waiter(self->owner, self->env->wakeup);
        codec_scratch_close(&self->codecs);
        arena_close(&self->scratch);
        host_free(self->columns);
        host_free(self);
    }
}

static void advance(row_sink *self, uint64_t complete) {
    mutex_lock(&self->lock);
    self->complete = complete > self->complete ? complete : self->complete;
    mutex_unlock(&self->lock);
}

// ---- Pushing -----------------------------------------------------------------------------------

static batch file_columns(row_sink_worker *self, const batch *rows) {
    const copy_written *written = &self->owner->written;
    for (uint32_t i = 0; i < written->columns.count; i++) {
        self->columns[i] = rows->columns[written->places[i]];
    }
    batch out = *rows;
    out.columns = self->columns;
    out.column_count = written->columns.count;
    return out;
}

static firn_status find_runs(row_sink_worker *self, const batch *rows, parquet_runs *out,
                             firn_error *err) {
    const copy_target *target = self->owner->target;
    arena *scratch = &self->scratch;
    const bool is_split = target->options.partition_count > 0;
    const size_t most = is_split ? rows->selected_count : 1;
    *out = (parquet_runs){.ends = ARENA_NEW(scratch, uint32_t, most + 1),
                          .partitions = ARENA_NEW(scratch, text, most + 1)};
    if (out->ends == NULL || out->partitions == NULL) {
        return ARENA_FULL(scratch, err);
    }
    if (is_split) {
        return copy_split(target, rows, scratch, out, err);
    }
    out->partitions[0] = TEXT("");
    out->ends[out->count++] = rows->selected_count;
    return FIRN_OK;
}

// Columns of runs are made flat once; the others are read in their form.
static firn_status flatten_runs(row_sink_worker *self, batch *rows, firn_error *err) {
    for (uint32_t i = 0; i < rows->column_count; i++) {
        if (self->columns[i].form == FORM_RUNS) {
            const column runs = self->columns[i];
            TRY(column_flatten(&self->scratch, &runs, &self->columns[i], err));
        }
    }
    return FIRN_OK;
}

// What is left of rows that are pushed.
typedef struct rows_left {
    batch rows; // The columns of the files.
    parquet_runs runs;
    uint32_t from; // Of those that count.
    uint32_t run;
} rows_left;

// The next rows of one folder, encoded in the scratch, so that what is kept is as large as it has
// to be.
static firn_status encode_piece(row_sink_worker *self, rows_left *left, encoded *made,
                                text_builder *out, firn_error *err) {
    const copy_encoder *encoder = &self->owner->encoder;
    const text folder = left->runs.partitions[left->run];
    piece *each = &made->pieces[made->count];
    copy_part part = {.count = left->runs.ends[left->run] - left->from};
    text content;
    *each = (piece){.of = made, .folder = TEXT("")};
    out->size = 0;
    TRY(encoder->format->put_rows(encoder, &left->rows, left->from, &part, out, err));
    each->prefix = part.prefix;
    TRY(text_builder_finish(out, &content, err));
    TRY(text_copy(&made->memory, content, &each->content, err));
    TRY(text_copy(&made->memory, folder, &each->folder, err));
    made->count++;
    left->from += part.count;
    left->run += left->from == left->runs.ends[left->run];
    return FIRN_OK;
}

static firn_status fill(row_sink_worker *self, rows_left *left, encoded *made, firn_error *err) {
    const size_t most = (size_t)left->runs.count - left->run;
    const uint32_t first = left->from;
    uint64_t size = 0;
    made->pieces = ARENA_NEW(&made->memory, piece, most);
    if (made->pieces == NULL) {
        return ARENA_FULL(&made->memory, err);
    }
    text_builder out = text_builder_open(&self->scratch);
    while (left->run < left->runs.count && made->count < most && size < self->owner->block_bytes) {
        TRY(encode_piece(self, left, made, &out, err));
        size += made->pieces[made->count - 1].content.size;
    }
    made->row_count = left->from - first;
    return FIRN_OK;
}

static firn_status encode_rows(row_sink_worker *self, rows_left *left, encoded **out,
                               firn_error *err) {
    arena memory = arena_open_in(self->owner->keeper, SIZE_MAX);
    encoded *made = ARENA_NEW(&memory, encoded, 1);
    if (made == NULL) {
        const firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *made = (encoded){.memory = memory, .sequence = left->rows.sequence};
    const arena_mark mark = arena_mark_take(&self->scratch);
    const firn_status status = fill(self, left, made, err);
    arena_rewind(&self->scratch, mark);
    if (status != FIRN_OK) {
        copy_release(made);
        return status;
    }
    made->left = made->count;
    made->bytes = made->memory.used;
    *out = made;
    return FIRN_OK;
}

static bool is_before(const encoded *left, const encoded *right) {
    const batch_sequence *a = &left->sequence;
    const batch_sequence *b = &right->sequence;
    if (a->task != b->task) {
        return a->task < b->task;
    }
    return left->arrival < right->arrival; // Of one task they come in order.
}

static void add_early(row_sink *self, encoded *made) REQUIRES(&self->lock) {
    made->arrival = self->arrivals++;
    encoded **place = &self->early;
    while (*place != NULL && is_before(*place, made)) {
        place = &(*place)->following;
    }
    made->following = *place;
    *place = made;
}

// Who stands where the order is complete may always go on once what is to be written is.
static bool has_room(const row_sink *self, uint64_t task) {
    if (task > self->complete) {
        return self->held_bytes < self->queue_bytes;
    }
    return self->held_bytes < self->queue_bytes * 2 || copy_is_idle(self);
}

static firn_status make_room(row_sink *self, row_sink_worker *by, uint64_t task, bool *must_wait,
                             firn_error *err) REQUIRES(&self->lock) {
    TRY(copy_admit(self, err));
    while (!has_room(self, task)) {
        bool did;
        TRY(copy_work(self, &by->codecs, &did, err));
        if (!did && !has_room(self, task)) {
            wakeup_list_add(&self->waiting, by->env->wakeup);
            *must_wait = true;
            return FIRN_OK;
        }
    }
    return FIRN_OK;
}

// As many rows as a block holds, about: one batch may be much text.
static firn_status push_some(row_sink_worker *self, rows_left *left, firn_error *err) {
    row_sink *owner = self->owner;
    encoded *made;
    TRY(encode_rows(self, left, &made, err));
    mutex_lock(&owner->lock);
    owner->held_bytes += made->bytes;
    owner->row_count += made->row_count;
    add_early(owner, made);
    firn_status status = copy_admit(owner, err);
    bool did = true;
    while (status == FIRN_OK && did) {
        status = copy_work(owner, &self->codecs, &did, err);
    }
    mutex_unlock(&owner->lock);
    return status;
}

static firn_status push(row_sink_worker *self, const batch *rows, bool *must_wait,
                        firn_error *err) {
    row_sink *owner = self->owner;
    *must_wait = false;
    if (rows->selected_count == 0) {
        return FIRN_OK;
    }
    mutex_lock(&owner->lock);
    firn_status status = make_room(owner, self, rows->sequence.task, must_wait, err);
    mutex_unlock(&owner->lock);
    if (status != FIRN_OK || *must_wait) {
        return status;
    }
    const arena_mark mark = arena_mark_take(&self->scratch);
    rows_left left = {.rows = file_columns(self, rows)};
    TRY(find_runs(self, rows, &left.runs, err));
    TRY(flatten_runs(self, &left.rows, err));
    while (left.from < rows->selected_count && status == FIRN_OK) {
        status = push_some(self, &left, err);
    }
    arena_rewind(&self->scratch, mark);
    return status;
}

// ---- The end -----------------------------------------------------------------------------------

static firn_status finish_worker(row_sink_worker *self, firn_error *err) {
    (void)self;
    (void)err;
    return FIRN_OK;
}

static firn_status finish(row_sink *self, uint32_t *piece_count, firn_error *err) {
    *piece_count = self->env.workers;
    mutex_lock(&self->lock);
    self->complete = UINT64_MAX;
    const firn_status status = copy_admit(self, err);
    copy_end_block(self);
    mutex_unlock(&self->lock);
    return status;
}

static firn_status run_piece(row_sink *self, uint32_t number, const scan_env *env, bool *must_wait,
                             firn_error *err) {
    (void)number;
    firn_status status = FIRN_OK;
    bool did = true;
    mutex_lock(&self->lock);
    codec_scratch codecs = self->idle_count > 0
                               ? self->idle[--self->idle_count]
                               : codec_scratch_open_in(env->pool, CODEC_MEMORY_MAX);
    while (did && status == FIRN_OK) {
        status = copy_work(self, &codecs, &did, err);
    }
    *must_wait = status == FIRN_OK && !copy_is_idle(self);
    if (*must_wait) {
        wakeup_list_add(&self->waiting, env->wakeup);
    }
    assert(self->idle_count < self->env.workers);
    self->idle[self->idle_count++] = codecs;
    mutex_unlock(&self->lock);
    return status;
}

static firn_status end(row_sink *self, uint64_t *changed_rows, firn_error *err) {
    assert(self->early == NULL && self->filling == NULL && copy_is_idle(self));
    if (self->file != NULL) {
        codec_scratch codecs = codec_scratch_open_in(self->env.pool, CODEC_MEMORY_MAX);
        const firn_status status = copy_finish_file(self, &codecs, err);
        codec_scratch_close(&codecs);
        TRY(status);
    }
    close_idle(self);
    pool_close(self->keeper); // The pool above it may be closed before the sink is.
    self->keeper = NULL;
    *changed_rows = self->row_count;
    return FIRN_OK;
}

static firn_status commit(row_sink *self, firn_error *err) {
    return copy_outputs_commit(self->outputs, err);
}

const row_sink_kind copy_sink_kind = {
    .name = "files",
    .needs_order = true,
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
