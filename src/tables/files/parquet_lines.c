#include "tables/files/parquet_lines.h"

#include <assert.h>

#include "base/host.h"
#include "tables/files/parquet_lines_private.h"

#define MIN_BYTES_SHARE 8 // Of the limit, at most …
#define MIN_BYTES_MAX (UINT64_C(32) << 20)
#define LEAF_BYTES (UINT64_C(96) << 10) // … and what a leaf takes at least, about.
#define PAGE_SHARE 64                   // Of the limit, for pages of all leaves.
#define PAGE_BYTES_MIN (UINT64_C(8) << 10)
#define FAN_PAGE_SHARE 8 // Of the limit, at most FAN_PAGES_MAX, for pages of all open groups.
#define FAN_PAGES_MAX (UINT64_C(64) << 20)
#define FAN_PAGE_BYTES_MIN (UINT64_C(64) << 10)
#define FAN_ROW_BYTES 8 // Of a page, for each of its rows at most.

// ---- Opening -----------------------------------------------------------------------------------

// Of all open groups there is a page that is being filled, and in the first one a dictionary of all
// values until it is known whether that pays: so these come sooner.
static uint64_t page_bytes(const parquet_lines *self, uint64_t limit, uint64_t leaves) {
    const uint64_t page = lines_at_least(limit / PAGE_SHARE / leaves, PAGE_BYTES_MIN);
    if (self->fan_out == 0) {
        return page;
    }
    const uint64_t all = lines_at_most(limit / FAN_PAGE_SHARE, FAN_PAGES_MAX);
    return lines_at_most(page, lines_at_least(all / leaves / self->fan_out, FAN_PAGE_BYTES_MIN));
}

// Sizes that go with the memory there is.
static void set_sizes(parquet_lines *self) {
    const uint64_t limit = pool_limit(pool_engine(self->env.pool));
    const uint64_t leaves = self->schema->tree->leaf_count;
    const uint64_t page = page_bytes(self, limit, leaves);
    pw_options *options = &self->options;
    options->page_bytes = (uint32_t)lines_at_most(options->page_bytes, page);
    options->dictionary_bytes = (uint32_t)lines_at_most(options->dictionary_bytes, page);
    if (self->fan_out > 0) {
        options->page_rows = (uint32_t)lines_at_most(options->page_rows, page / FAN_ROW_BYTES);
    }
    if (self->file_size > 0) {
        options->group_bytes = lines_at_most(options->group_bytes, self->file_size);
    }
    const uint64_t share = lines_at_most(limit / MIN_BYTES_SHARE, MIN_BYTES_MAX);
    const uint64_t leaf_bytes = leaves * LEAF_BYTES * lines_at_least(self->fan_out, 1);
    self->min_bytes =
        lines_at_most(lines_at_least(share, leaf_bytes), lines_at_least(share, limit / 4));
}

static firn_status prepare(parquet_lines *self, firn_error *err) {
    set_sizes(self);
    TRY(pw_options_check(&self->options, (uint32_t)self->schema->tree->leaf_count, err));
    self->lanes = ARENA_NEW(&self->memory, lane, (size_t)self->width + 1);
    self->idle = ARENA_NEW(&self->memory, pw_worker, (size_t)self->env.workers + 1);
    TRY(wakeup_list_open(self->env.workers * 2 + 2, &self->memory, &self->waiting, err));
    if (self->lanes == NULL || self->idle == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < self->width; i++) {
        self->lanes[i] = (lane){.next = NULL};
    }
    return text_format(&self->memory, &self->options.created_by, err, "firn version %.*s",
                       TEXT_ARGS(self->env.context->version));
}

firn_status parquet_lines_open(const parquet_lines_options *options, const scan_env *env,
                               parquet_lines **out, firn_error *err) {
    parquet_lines *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (parquet_lines){.user = options->user,
                            .of_user = options->of_user,
                            .env = *env,
                            .memory = arena_open_in(env->pool, SIZE_MAX),
                            .schema = options->schema,
                            .options = *options->writer,
                            .file_size = options->file_size,
                            .syncs_later = options->syncs_later,
                            .has_file = options->has_file,
                            .width = options->schema->columns.count,
                            .columns = options->places,
                            .fan_out = options->fan_out};
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    const firn_status status = prepare(self, err);
    if (status != FIRN_OK) {
        parquet_lines_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

uint64_t parquet_lines_min_bytes(const parquet_lines *self) {
    return self->min_bytes;
}

// Once what it needs is reserved. A place that cannot be written to is found out now, and not when
// a row group is there.
static firn_status begin(parquet_lines *self, firn_error *err) REQUIRES(&self->lock) {
    if (self->keeper != NULL) {
        return FIRN_OK;
    }
    const pool_options options = {
        .kind = POOL_STATE, .name = "parquet writer", .min_bytes = self->min_bytes};
    TRY(pool_open(self->env.pool, &options, &self->keeper, err));
    return self->has_file ? lines_open_file(self, &self->only, TEXT(""), err) : FIRN_OK;
}

firn_status parquet_lines_open_worker(parquet_lines *self, const scan_env *env,
                                      parquet_lines_worker **out, firn_error *err) {
    mutex_lock(&self->lock);
    const firn_status status = begin(self, err);
    mutex_unlock(&self->lock);
    TRY(status);
    parquet_lines_worker *made = host_alloc(sizeof *made);
    column *columns = host_alloc(((size_t)self->width + 1) * sizeof *columns);
    if (made == NULL || columns == NULL) {
        host_free(made);
        host_free(columns);
        return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for a writer");
    }
    *made = (parquet_lines_worker){.owner = self,
                                   .env = env,
                                   .with = pw_worker_open(env->pool, env->cancel),
                                   .columns = columns,
                                   .gathered = {.plain = arena_open_in(self->keeper, SIZE_MAX),
                                                .texts = arena_open_in(self->keeper, SIZE_MAX)}};
    *out = made;
    return FIRN_OK;
}

static void forget_waiter(parquet_lines *self, const wakeup *which) {
    mutex_lock(&self->lock);
    wakeup_list_forget(&self->waiting, which);
    mutex_unlock(&self->lock);
}

void parquet_lines_close_worker(parquet_lines_worker *self) {
    if (self != NULL) {
        forget_waiter(self->owner, self->env->wakeup);
        lines_close_gathered(self);
        pw_worker_close(&self->with);
        host_free(self->columns);
        host_free(self);
    }
}

void parquet_lines_advance(parquet_lines *self, uint64_t complete) {
    mutex_lock(&self->lock);
    self->complete = complete > self->complete ? complete : self->complete;
    mutex_unlock(&self->lock);
}

// ---- Pushing -----------------------------------------------------------------------------------

// May rows of this task be kept? Those whose turn it is must come in at last, for all others wait
// for them.
static bool has_room(const parquet_lines *self, uint64_t task) {
    const uint64_t most = lines_queue_bytes(self);
    if (task > self->complete) {
        return self->held_bytes < most;
    }
    const uint64_t all = self->fan_out == 0 ? most * 2 : most;
    return self->held_bytes < all || lines_is_idle(self);
}

// Neighbours of one partition.
static firn_status split(const parquet_lines *self, const batch *rows, arena *memory,
                         arena *scratch, parquet_runs *out, firn_error *err) {
    const parquet_lines_user *user = self->user;
    const column *values;
    uint32_t count;
    TRY(user->values(self->of_user, rows, scratch, &values, &count, err));
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        const uint32_t row = batch_row(rows, k);
        if (k > 0 && parquet_lines_is_same(values, count, batch_row(rows, k - 1), row)) {
            continue;
        }
        if (k > 0) {
            out->ends[out->count++] = k;
        }
        TRY(user->key(self->of_user, values, row, memory, &out->partitions[out->count], err));
    }
    out->ends[out->count++] = rows->selected_count;
    return FIRN_OK;
}

static firn_status find_runs(const parquet_lines *self, const batch *rows, arena *memory,
                             arena *scratch, parquet_runs *out, firn_error *err) {
    const bool is_split = self->user->values != NULL;
    const uint32_t most = is_split ? rows->selected_count : 1;
    *out =
        (parquet_runs){.ends = ARENA_NEW(memory, uint32_t, (size_t)most + 1),
                       .partitions = is_split ? ARENA_NEW(memory, text, (size_t)most + 1) : NULL};
    if (out->ends == NULL || (is_split && out->partitions == NULL)) {
        return ARENA_FULL(memory, err);
    }
    if (is_split) {
        return split(self, rows, memory, scratch, out, err);
    }
    out->ends[out->count++] = rows->selected_count;
    return FIRN_OK;
}

batch lines_file_columns(parquet_lines_worker *self, const batch *rows) {
    const parquet_lines *owner = self->owner;
    for (uint32_t i = 0; i < owner->width; i++) {
        self->columns[i] = rows->columns[owner->columns == NULL ? i : owner->columns[i]];
    }
    batch out = *rows;
    out.columns = self->columns;
    out.column_count = owner->width;
    return out;
}

// A dictionary that is larger than the rows it is for is not copied.
static firn_status copy_column(arena *memory, arena *scratch, const column *from, column *out,
                               firn_error *err) {
    column flat = *from;
    if (from->form == FORM_RUNS ||
        (from->form == FORM_DICTIONARY && from->dictionary->size > from->length)) {
        TRY(column_flatten(scratch, from, &flat, err));
    }
    return column_copy(memory, &flat, out, err);
}

static firn_status fill_staged(parquet_lines_worker *self, const batch *rows, staged *made,
                               firn_error *err) {
    arena *memory = &made->memory;
    arena *scratch = &self->with.scratch;
    const arena_mark mark = arena_mark_take(scratch);
    const batch whole = lines_file_columns(self, rows);
    batch compact;
    TRY(find_runs(self->owner, rows, memory, scratch, &made->runs, err));
    TRY(batch_compact(scratch, &whole, &compact, err));
    column *columns = ARENA_NEW(memory, column, (size_t)compact.column_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < compact.column_count; i++) {
        TRY(copy_column(memory, scratch, &compact.columns[i], &columns[i], err));
    }
    made->rows = compact;
    made->rows.columns = columns;
    arena_rewind(scratch, mark);
    return FIRN_OK;
}

arena lines_take_spare(parquet_lines *self) {
    mutex_lock(&self->lock);
    const bool has_spare = self->spare_count > 0;
    const arena taken =
        has_spare ? self->spares[--self->spare_count] : arena_open_in(self->keeper, SIZE_MAX);
    self->spare_bytes -= taken.used;
    mutex_unlock(&self->lock);
    return taken;
}

static firn_status stage(parquet_lines_worker *self, const batch *rows, staged **out,
                         firn_error *err) {
    arena memory = lines_take_spare(self->owner);
    staged *made = ARENA_NEW(&memory, staged, 1);
    if (made == NULL) {
        const firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *made = (staged){.memory = memory, .use_count = 1};
    const firn_status status = fill_staged(self, rows, made, err);
    if (status != FIRN_OK) {
        arena failed = made->memory;
        arena_close(&failed);
        return status;
    }
    made->bytes = made->memory.used;
    *out = made;
    return FIRN_OK;
}

// Of a single worker: encoded where they lie, and through before the next ones come.
static firn_status push_alone(parquet_lines_worker *self, const batch *rows, firn_error *err) {
    parquet_lines *owner = self->owner;
    staged *given = &owner->alone;
    arena *memory = &self->with.scratch;
    const arena_mark mark = arena_mark_take(memory);
    *given = (staged){.is_borrowed = true, .use_count = 1, .rows = lines_file_columns(self, rows)};
    TRY(find_runs(owner, rows, memory, memory, &given->runs, err));
    mutex_lock(&owner->lock);
    owner->row_count += rows->selected_count;
    firn_status status = FIRN_OK;
    while (given->run < given->runs.count && status == FIRN_OK) {
        bool did;
        status = lines_admit(owner, given, &did, err);
        while (!lines_is_idle(owner) && status == FIRN_OK) {
            status = lines_work(owner, &self->with, &did, err);
        }
    }
    mutex_unlock(&owner->lock);
    arena_rewind(memory, mark);
    return status;
}

static firn_status make_room(parquet_lines *self, parquet_lines_worker *by, uint64_t task,
                             bool *must_wait, firn_error *err) REQUIRES(&self->lock) {
    TRY(lines_admit_early(self, err));
    while (!has_room(self, task)) {
        bool did;
        TRY(lines_work(self, &by->with, &did, err));
        if (!did && !has_room(self, task)) {
            wakeup_list_add(&self->waiting, by->env->wakeup);
            *must_wait = true;
            return FIRN_OK;
        }
    }
    return FIRN_OK;
}

// Puts rows where they belong, and works if many wait.
static firn_status put_staged(parquet_lines *self, staged *made, pw_worker *with, firn_error *err)
    REQUIRES(&self->lock) {
    self->held_bytes += made->bytes;
    self->row_count += made->rows.selected_count;
    lines_add_early(self, made);
    TRY(lines_admit_early(self, err));
    if (self->held_bytes <= lines_queue_bytes(self) / 4) {
        return FIRN_OK;
    }
    wakeup_list_fire(&self->waiting);
    bool did;
    return lines_work(self, with, &did, err);
}

// With fan-out rows go on when they are many; by a single worker all of that is done at once.
static firn_status hand_over(parquet_lines_worker *self, firn_error *err) {
    parquet_lines *owner = self->owner;
    staged *made;
    TRY(lines_stage_gathered(self, &made, err));
    mutex_lock(&owner->lock);
    firn_status status = put_staged(owner, made, &self->with, err);
    while (status == FIRN_OK && owner->env.workers == 1 &&
           !(owner->early == NULL && lines_is_idle(owner))) {
        bool did;
        status = lines_work(owner, &self->with, &did, err);
    }
    mutex_unlock(&owner->lock);
    return status;
}

static firn_status push_fan(parquet_lines_worker *self, const batch *rows, bool *must_wait,
                            firn_error *err) {
    parquet_lines *owner = self->owner;
    if (!lines_can_gather(self, rows)) {
        mutex_lock(&owner->lock);
        const firn_status status = make_room(owner, self, 0, must_wait, err);
        mutex_unlock(&owner->lock);
        if (status != FIRN_OK || *must_wait) {
            return status;
        }
        TRY(hand_over(self, err));
    }
    return lines_gather(self, rows, err);
}

firn_status parquet_lines_push(parquet_lines_worker *self, const batch *rows, bool *must_wait,
                               firn_error *err) {
    parquet_lines *owner = self->owner;
    *must_wait = false;
    if (rows->selected_count == 0) {
        return FIRN_OK;
    }
    if (owner->fan_out > 0) {
        return push_fan(self, rows, must_wait, err);
    }
    if (owner->env.workers == 1) {
        return push_alone(self, rows, err);
    }
    mutex_lock(&owner->lock);
    firn_status status = make_room(owner, self, rows->sequence.task, must_wait, err);
    mutex_unlock(&owner->lock);
    if (status != FIRN_OK || *must_wait) {
        return status;
    }
    staged *made;
    TRY(stage(self, rows, &made, err));
    mutex_lock(&owner->lock);
    status = put_staged(owner, made, &self->with, err);
    mutex_unlock(&owner->lock);
    return status;
}

firn_status parquet_lines_finish_worker(parquet_lines_worker *self, firn_error *err) {
    TRY(self->gathered.row_count > 0 ? hand_over(self, err) : FIRN_OK);
    lines_close_gathered(self); // Their pool may be closed before the worker is.
    return FIRN_OK;
}

// ---- The end -----------------------------------------------------------------------------------

firn_status parquet_lines_finish(parquet_lines *self, uint32_t *piece_count, firn_error *err) {
    *piece_count = self->env.workers;
    mutex_lock(&self->lock);
    const firn_status status = lines_end_line(self, err);
    mutex_unlock(&self->lock);
    return status;
}

firn_status parquet_lines_run_piece(parquet_lines *self, const scan_env *env, bool *must_wait,
                                    firn_error *err) {
    firn_status status = FIRN_OK;
    bool did = true;
    mutex_lock(&self->lock);
    pw_worker with = self->idle_count > 0 ? self->idle[--self->idle_count]
                                          : pw_worker_open(env->pool, env->cancel);
    while (did && status == FIRN_OK) {
        status = lines_work(self, &with, &did, err);
        status = status == FIRN_OK ? lines_end_line(self, err) : status;
    }
    *must_wait = status == FIRN_OK && !lines_is_idle(self);
    if (*must_wait) {
        wakeup_list_add(&self->waiting, env->wakeup);
    }
    assert(self->idle_count < self->env.workers);
    self->idle[self->idle_count++] = with;
    mutex_unlock(&self->lock);
    return status;
}

static void close_idle(parquet_lines *self) {
    while (self->idle_count > 0) {
        self->idle_count--;
        pw_worker_close(&self->idle[self->idle_count]);
    }
}

static void close_spares(parquet_lines *self) {
    while (self->spare_count > 0) {
        self->spare_count--;
        arena_close(&self->spares[self->spare_count]);
    }
}

// Those that nothing ended: without rows, or their last group did not know that it is the last.
static firn_status finish_files(parquet_lines *self, firn_error *err) {
    TRY(self->only.file == NULL ? FIRN_OK : lines_finish_file(self, &self->only, err));
    for (uint32_t i = 0; i < self->keys.count; i++) {
        TRY(self->places[i]->file == NULL ? FIRN_OK
                                          : lines_finish_file(self, self->places[i], err));
    }
    return FIRN_OK;
}

firn_status parquet_lines_end(parquet_lines *self, uint64_t *row_count, firn_error *err) {
    assert(self->early == NULL && lines_is_idle(self) && self->open == NULL);
    TRY(finish_files(self, err));
    close_spares(self);
    close_idle(self);
    pool_close(self->keeper); // The pool above it may be closed before the lines are.
    self->keeper = NULL;
    *row_count = self->row_count;
    return FIRN_OK;
}

// After a fault: one use less of rows that nobody works on.
static void abandon(staged *rows) {
    rows->use_count--;
    if (rows->use_count == 0 && !rows->is_borrowed) {
        arena memory = rows->memory;
        arena_close(&memory);
    }
}

static void close_places(parquet_lines *self) {
    pw_file_close(self->only.file);
    for (uint32_t i = 0; i < self->keys.count; i++) {
        pw_file_close(self->places[i]->file);
    }
    for (const place *each = self->open; each != NULL; each = each->open) {
        pw_group_close(each->group->group);
    }
}

void parquet_lines_close(parquet_lines *self) {
    if (self == NULL) {
        return;
    }
    close_places(self);
    for (staged *each = self->early; each != NULL;) {
        staged *next = each->following;
        abandon(each);
        each = next;
    }
    for (const item *each = self->first; each != NULL; each = each->following) {
        if (each->rows != NULL) {
            abandon(each->rows);
        } else {
            pw_group_close(each->group->group); // Each group by its end, or above.
        }
    }
    for (out_group *each = self->ready; each != NULL; each = each->following) {
        pw_group_close(each->group);
    }
    close_spares(self);
    close_idle(self);
    arena_close(&self->memory);
    pool_close(self->keeper);
    mutex_end(&self->lock);
    host_free(self);
}
