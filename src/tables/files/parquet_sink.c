// Rows into Parquet files, in order and by all workers.
//
// There is **one line** of rows, in the order of the source, and a **lane** for each column:
//
//     push ─► early ──────► line: rows rows rows END rows rows          lane a ───────────►
//             (rows of tasks      of row group 1 │ of row group 2       lane b ────►
//             whose turn has not                                        lane c ──────────►
//             come yet)                                                 how far each column is
//
// A worker that pushes copies its rows, puts them where they belong, and then works: it takes a
// lane that nobody has and encodes its column of all that waits there. So the columns of a row
// group are encoded side by side, at their own pace, and the files are the same whatever the number
// of workers is: row groups are full although their rows came from many tasks, and no more than one
// row group is being filled. When all lanes are through with an END its row group is finished, and
// one worker at a time writes those, in order. With one worker nothing waits: its rows are encoded
// where they lie, without a copy.
//
// (The other design, a row group of its own for each worker, keeps order only if row groups end
// where tasks do: files of small row groups where tasks are small, and as many of them in memory as
// there are workers.)
//
// Partitions: the plan gives rows by partition (row_wish.cluster_count), so the file of one ends
// before that of the next begins, and many partitions take no more memory than one.
//
// Memory: all of it is a keeper's. What waits is bounded (`queue_bytes`); pages and dictionaries
// are small where there are many columns or little memory; a row group ends early when the keeper
// is told to shrink, or the group has grown to half of what it may hold. A worker that finds no
// room works, and if there is nothing to do waits for who does.
//
// Longer than most: what waits, lanes and groups are one state under one lock.
#include "tables/files/parquet_sink.h"

#include <assert.h>

#include "base/host.h"
#include "formats/parquet/write/pw_file.h"
#include "memory/pool.h"
#include "tables/files/parquet_target.h"
#include "threads/scheduler.h"

#define LANE_ITEMS 64 // That a worker takes of a lane at once.
#define SPARE_COUNT 32
#define QUEUE_BYTES_MIN (UINT64_C(256) << 10)
#define QUEUE_BYTES_MAX (UINT64_C(32) << 20)
#define QUEUE_SHARE 64    // Of the limit.
#define MIN_BYTES_SHARE 8 // Of the limit, at most …
#define MIN_BYTES_MAX (UINT64_C(32) << 20)
#define LEAF_BYTES (UINT64_C(96) << 10) // … and what a leaf takes at least, about.
#define GROUP_SHARE 8                   // Of the limit, for the pages of a row group, and …
#define FREE_SHARE 4                    // … of what nobody has.
#define PAGE_SHARE 64                   // Of the limit, for pages of all leaves.
#define PAGE_BYTES_MIN (UINT64_C(8) << 10)
#define LINE_SHARE 8 // Of a row group's size, what waits for it at most.
#define GROUPS_MAX 2 // One that is being filled, one whose last columns are being encoded.

typedef struct out_group {
    pw_group *group;
    uint32_t lanes_left; // That have not finished their columns.
    bool ends_file;
    text folder;
    struct out_group *following; // Among those that are to be written.
} out_group;

// Rows that were pushed at once.
typedef struct staged {
    arena memory; // Holds this; or, of a single worker, nothing does.
    bool is_borrowed;
    batch rows; // Only the columns of the file.
    uint64_t arrival;
    uint64_t bytes;
    uint32_t use_count; // Items of the line that need it, and one until it is in the line whole.
    uint32_t admitted;  // Rows that are in the line, and of the runs …
    uint32_t run;       // … the one that comes next.
    uint32_t run_count; // Runs of one partition each; without partitions one.
    const uint32_t *run_ends;
    const text *folders;
    struct staged *following;
} staged;

// A piece of the line: rows for a group, or its end.
typedef struct item {
    staged *rows; // NULL: the end of the group.
    uint32_t from;
    uint32_t count;
    uint64_t bytes; // Of those rows where they wait, about.
    out_group *group;
    uint32_t lanes_left;
    struct item *following;
} item;

typedef struct lane {
    item *next;    // NULL: through with the line.
    uint64_t done; // Items.
    bool is_claimed;
    const out_group *measured; // The group that it was last at, …
    uint64_t size;             // … of its chunks there …
    uint64_t memory;           // … and their memory.
} lane;

struct row_sink {
    const parquet_target *target;
    scan_env env;
    arena memory; // Of what is below; under the lock.
    pool *keeper; // NULL until the first worker comes.
    const pw_schema *schema;
    pw_options options;
    uint64_t min_bytes;
    uint32_t width;   // Columns in the files, …
    uint32_t *places; // … and where they come from.
    mutex lock;
    uint64_t complete;
    uint64_t arrivals;
    staged *early; // In order.
    uint64_t held_bytes;
    item *first; // The line: those that some lane is not through with.
    item *last;
    item *spare_items;
    uint64_t line_bytes;
    lane *lanes;
    out_group *group; // NULL: none is being filled.
    uint64_t group_rows;
    uint64_t file_bytes;  // Of ended groups of the file, about.
    uint32_t group_count; // In memory.
    out_group *ready;     // To be written, in order.
    out_group *ready_last;
    bool is_writing;
    uint64_t spare_bytes;
    uint32_t spare_count;
    arena spares[SPARE_COUNT];
    uint32_t waiter_max;
    struct wakeup **waiters;
    uint64_t row_count;
    staged alone; // What a single worker is at.
    // Of who is writing, and of `end`:
    parquet_outputs *outputs;
    pw_file *file;
};

struct row_sink_worker {
    row_sink *owner;
    const scan_env *env;
    pw_worker with;
    column *columns;
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

static uint64_t at_most(uint64_t value, uint64_t most) {
    return value < most ? value : most;
}

static uint64_t at_least(uint64_t value, uint64_t least) {
    return value > least ? value : least;
}

// Sizes that go with the memory there is.
static void set_sizes(row_sink *self) {
    const uint64_t limit = pool_limit(pool_engine(self->env.pool));
    const uint64_t leaves = self->schema->tree->leaf_count;
    const uint64_t page = at_least(limit / PAGE_SHARE / leaves, PAGE_BYTES_MIN);
    pw_options *options = &self->options;
    options->page_bytes = (uint32_t)at_most(options->page_bytes, page);
    options->dictionary_bytes = (uint32_t)at_most(options->dictionary_bytes, page);
    if (self->target->options.file_size > 0) {
        options->group_bytes = at_most(options->group_bytes, self->target->options.file_size);
    }
    const uint64_t share = at_most(limit / MIN_BYTES_SHARE, MIN_BYTES_MAX);
    self->min_bytes = at_most(at_least(share, leaves * LEAF_BYTES), at_least(share, limit / 4));
}

static firn_status prepare(row_sink *self, firn_error *err) {
    schema columns;
    TRY(written_columns(self, &columns, err));
    TRY(pw_schema_make(&columns, &self->memory, &self->schema, err));
    TRY(text_format(&self->memory, &self->options.created_by, err, "firn version %.*s",
                    TEXT_ARGS(self->env.context->version)));
    set_sizes(self);
    TRY(pw_options_check(&self->options, (uint32_t)self->schema->tree->leaf_count, err));
    self->lanes = ARENA_NEW(&self->memory, lane, (size_t)self->width + 1);
    self->waiter_max = self->env.workers * 2 + 2;
    self->waiters = ARENA_NEW(&self->memory, struct wakeup *, self->waiter_max);
    if (self->lanes == NULL || self->waiters == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < self->width; i++) {
        self->lanes[i] = (lane){.next = NULL};
    }
    for (uint32_t i = 0; i < self->waiter_max; i++) {
        self->waiters[i] = NULL;
    }
    return parquet_outputs_open(self->target, self->env.io, self->env.pool, self->env.cancel,
                                &self->outputs, err);
}

static void close_sink(row_sink *self);

static firn_status open_sink(const row_sink_request *request, const scan_env *env, row_sink **out,
                             firn_error *err) {
    row_sink *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    const parquet_target *target = parquet_target_of(request->base);
    *self = (row_sink){.target = target,
                       .env = *env,
                       .memory = arena_open_in(env->pool, SIZE_MAX),
                       .options = target->options.writer};
    (void)table_snapshot_retain(request->base);
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    const firn_status status = prepare(self, err);
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

static firn_status open_file(row_sink *self, text folder, firn_error *err) {
    text path;
    TRY(parquet_outputs_next(self->outputs, folder, &path, err));
    io_writer *writer;
    TRY(io_writer_open(self->env.io, path, false, &writer, err));
    return pw_file_open(writer, self->schema, &self->options, self->keeper, &self->file, err);
}

// Once what it needs is reserved. A place that cannot be written to is found out now, and not when
// a row group is there.
static firn_status begin(row_sink *self, firn_error *err) REQUIRES(&self->lock) {
    if (self->keeper != NULL) {
        return FIRN_OK;
    }
    const pool_options options = {
        .kind = POOL_STATE, .name = "parquet writer", .min_bytes = self->min_bytes};
    TRY(pool_open(self->env.pool, &options, &self->keeper, err));
    return self->target->options.partition_count > 0 ? FIRN_OK : open_file(self, TEXT(""), err);
}

static firn_status open_worker(row_sink *self, const scan_env *env, row_sink_worker **out,
                               firn_error *err) {
    mutex_lock(&self->lock);
    const firn_status status = begin(self, err);
    mutex_unlock(&self->lock);
    TRY(status);
    row_sink_worker *made = host_alloc(sizeof *made);
    column *columns = host_alloc(((size_t)self->width + 1) * sizeof *columns);
    if (made == NULL || columns == NULL) {
        host_free(made);
        host_free(columns);
        return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for a writer");
    }
    *made = (row_sink_worker){.owner = self,
                              .env = env,
                              .with = pw_worker_open(env->pool, env->cancel),
                              .columns = columns};
    *out = made;
    return FIRN_OK;
}

static void forget_waiter(row_sink *self, const struct wakeup *which) {
    mutex_lock(&self->lock);
    for (uint32_t i = 0; i < self->waiter_max; i++) {
        if (self->waiters[i] == which) {
            self->waiters[i] = NULL;
        }
    }
    mutex_unlock(&self->lock);
}

static void close_worker(row_sink_worker *self) {
    if (self != NULL) {
        forget_waiter(self->owner, self->env->wakeup);
        pw_worker_close(&self->with);
        host_free(self->columns);
        host_free(self);
    }
}

// ---- Waiting -----------------------------------------------------------------------------------

static void add_waiter(row_sink *self, struct wakeup *which) REQUIRES(&self->lock) {
    for (uint32_t i = 0; i < self->waiter_max; i++) {
        if (self->waiters[i] == NULL || self->waiters[i] == which) {
            self->waiters[i] = which;
            return;
        }
    }
    assert(false);
}

static void wake_all(row_sink *self) REQUIRES(&self->lock) {
    for (uint32_t i = 0; i < self->waiter_max; i++) {
        if (self->waiters[i] != NULL) {
            wakeup_fire(self->waiters[i]);
            self->waiters[i] = NULL;
        }
    }
}

// ---- The line ----------------------------------------------------------------------------------

static firn_status add_item(row_sink *self, const item *content, firn_error *err)
    REQUIRES(&self->lock) {
    item *made = self->spare_items;
    if (made != NULL) {
        self->spare_items = made->following;
    } else {
        made = ARENA_NEW(&self->memory, item, 1);
    }
    if (made == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *made = *content;
    made->lanes_left = self->width;
    made->following = NULL;
    *(self->last == NULL ? &self->first : &self->last->following) = made;
    self->last = made;
    for (uint32_t i = 0; i < self->width; i++) {
        if (self->lanes[i].next == NULL) {
            self->lanes[i].next = made;
        }
    }
    return FIRN_OK;
}

// Of the group that is being filled, as far as lanes have come.
static uint64_t group_size(const row_sink *self) {
    uint64_t size = 0;
    for (uint32_t i = 0; i < self->width; i++) {
        size += self->lanes[i].measured == self->group ? self->lanes[i].size : 0;
    }
    return size;
}

// What the group may hold: a part of the limit, and more while nobody else wants it.
static uint64_t group_budget(const row_sink *self) {
    pool_report now;
    pool_describe(self->keeper, &now);
    const uint64_t promised = at_least(now.committed, now.used);
    const bool is_free = now.limit > promised && pool_excess(self->keeper) == 0;
    const uint64_t left = is_free ? now.limit - promised : 0;
    return now.limit / GROUP_SHARE + left / FREE_SHARE;
}

// Is there so little memory that the group should end?
static bool is_short(const row_sink *self) {
    uint64_t held = 0;
    for (uint32_t i = 0; i < self->width; i++) {
        held += self->lanes[i].measured == self->group ? self->lanes[i].memory : 0;
    }
    return held > group_budget(self);
}

static firn_status end_group(row_sink *self, bool ends_file, firn_error *err)
    REQUIRES(&self->lock) {
    const uint64_t file_size = self->target->options.file_size;
    out_group *group = self->group;
    self->file_bytes += group_size(self);
    group->ends_file = ends_file || (file_size > 0 && self->file_bytes >= file_size);
    if (group->ends_file) {
        self->file_bytes = 0;
    }
    self->group = NULL;
    return add_item(self, &(item){.group = group}, err);
}

static firn_status begin_group(row_sink *self, text folder, firn_error *err) REQUIRES(&self->lock) {
    out_group *made = ARENA_NEW(&self->memory, out_group, 1);
    if (made == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *made = (out_group){.lanes_left = self->width};
    TRY(text_copy(&self->memory, folder, &made->folder, err));
    TRY(pw_group_open(self->schema, &self->options, self->keeper, &made->group, err));
    self->group = made;
    self->group_rows = 0;
    self->group_count++;
    return FIRN_OK;
}

// For rows that wait, and for the memory of those that did.
static uint64_t queue_bytes(const row_sink *self) {
    const uint64_t share = pool_limit(pool_engine(self->env.pool)) / QUEUE_SHARE;
    return at_least(at_most(share, QUEUE_BYTES_MAX), QUEUE_BYTES_MIN);
}

static void drop_staged(row_sink *self, staged *rows) REQUIRES(&self->lock) {
    rows->use_count--;
    if (rows->use_count > 0) {
        return;
    }
    self->held_bytes -= rows->bytes;
    if (rows->is_borrowed) {
        return;
    }
    arena memory = rows->memory; // It holds `rows`.
    if (self->spare_count < SPARE_COUNT &&
        self->held_bytes + self->spare_bytes < queue_bytes(self)) {
        arena_reset(&memory);
        self->spare_bytes += memory.used;
        self->spares[self->spare_count++] = memory;
    } else {
        arena_close(&memory);
    }
}

// The next rows for one group go into the line; *did is false if there may be no more groups yet.
static firn_status admit(row_sink *self, staged *rows, bool *did, firn_error *err)
    REQUIRES(&self->lock) {
    const text folder = rows->folders == NULL ? TEXT("") : rows->folders[rows->run];
    const uint32_t left = rows->run_ends[rows->run] - rows->admitted;
    if (self->group != NULL && !text_equal(self->group->folder, folder)) {
        TRY(end_group(self, true, err));
    }
    // How large the group is shows behind the line only.
    const uint64_t bytes = rows->bytes * left / rows->rows.selected_count;
    const bool is_ahead =
        self->line_bytes > 0 && self->line_bytes + bytes > self->options.group_bytes / LINE_SHARE;
    *did = !is_ahead && (self->group != NULL || self->group_count < GROUPS_MAX);
    if (!*did) {
        return FIRN_OK;
    }
    if (self->group == NULL) {
        TRY(begin_group(self, folder, err));
    }
    const uint64_t room = self->options.group_rows - self->group_rows;
    const item made = {.rows = rows,
                       .from = rows->admitted,
                       .count = (uint32_t)at_most(left, room),
                       .bytes = bytes,
                       .group = self->group};
    TRY(add_item(self, &made, err));
    self->line_bytes += bytes;
    rows->use_count++;
    rows->admitted += made.count;
    rows->run += made.count == left;
    self->group_rows += made.count;
    self->group->group->row_count += made.count;
    const bool is_full = self->group_rows >= self->options.group_rows ||
                         group_size(self) >= self->options.group_bytes || is_short(self);
    return is_full ? end_group(self, false, err) : FIRN_OK;
}

// Whose turn has come goes into the line, as far as there may be another group.
static firn_status admit_early(row_sink *self, firn_error *err) REQUIRES(&self->lock) {
    bool did = true;
    while (did && self->early != NULL && self->early->rows.sequence.task <= self->complete) {
        staged *next = self->early;
        TRY(admit(self, next, &did, err));
        if (next->run == next->run_count) {
            self->early = next->following;
            drop_staged(self, next);
        }
    }
    return FIRN_OK;
}

static bool is_before(const staged *left, const staged *right) {
    const batch_sequence l = left->rows.sequence;
    const batch_sequence r = right->rows.sequence;
    // Batches of one task come from one worker, in order.
    return l.task != r.task ? l.task < r.task : left->arrival < right->arrival;
}

static void add_early(row_sink *self, staged *made) REQUIRES(&self->lock) {
    made->arrival = self->arrivals++;
    staged **place = &self->early;
    while (*place != NULL && is_before(*place, made)) {
        place = &(*place)->following;
    }
    made->following = *place;
    *place = made;
}

static void advance(row_sink *self, uint64_t complete) {
    mutex_lock(&self->lock);
    self->complete = complete > self->complete ? complete : self->complete;
    mutex_unlock(&self->lock);
}

// ---- Work --------------------------------------------------------------------------------------

// All lanes are through with the first item of the line.
static void retire_first(row_sink *self) REQUIRES(&self->lock) {
    item *done = self->first;
    self->first = done->following;
    if (self->first == NULL) {
        self->last = NULL;
    }
    if (done->rows == NULL) {
        *(self->ready_last == NULL ? &self->ready : &self->ready_last->following) = done->group;
        self->ready_last = done->group;
    } else {
        self->line_bytes -= done->bytes;
        drop_staged(self, done->rows);
    }
    done->following = self->spare_items;
    self->spare_items = done;
}

static firn_status work_on(row_sink *self, uint32_t column, const item *what, pw_worker *with,
                           firn_error *err) {
    pw_group *group = what->group->group;
    if (what->rows == NULL) {
        return pw_group_finish_column(group, column, with, err);
    }
    const arena_mark mark = arena_mark_take(&with->scratch);
    batch rows;
    TRY(batch_part(&with->scratch, &what->rows->rows, what->from, what->count, &rows, err));
    TRY(pw_group_put_column(group, column, &rows, with, err));
    arena_rewind(&with->scratch, mark);
    return cancel_check(self->env.cancel, err);
}

static void measure_lane(const row_sink *self, uint32_t column, const out_group *at, uint64_t *size,
                         uint64_t *memory) {
    const pq_node *node = &self->schema->tree->root.children[column];
    *size = 0;
    *memory = 0;
    for (uint32_t i = node->first_leaf; i < node->first_leaf + node->leaf_count; i++) {
        *size += pw_chunk_size(at->group->chunks[i]);
        *memory += pw_chunk_memory(at->group->chunks[i]);
    }
}

// The lane that is behind the others, of those that nobody has.
static uint32_t find_lane(const row_sink *self) {
    uint32_t found = self->width;
    for (uint32_t i = 0; i < self->width; i++) {
        const lane *each = &self->lanes[i];
        if (!each->is_claimed && each->next != NULL &&
            (found == self->width || each->done < self->lanes[found].done)) {
            found = i;
        }
    }
    return found;
}

static firn_status run_lane(row_sink *self, uint32_t column, pw_worker *with, firn_error *err)
    REQUIRES(&self->lock) {
    lane *mine = &self->lanes[column];
    item *items[LANE_ITEMS];
    uint32_t count = 0;
    for (item *each = mine->next; each != NULL && count < LANE_ITEMS; each = each->following) {
        items[count++] = each;
        if (each->rows == NULL) {
            break; // Others may go on with it before the next group begins here.
        }
    }
    mine->is_claimed = true;
    mutex_unlock(&self->lock);
    firn_status status = FIRN_OK;
    for (uint32_t i = 0; i < count && status == FIRN_OK; i++) {
        status = work_on(self, column, items[i], with, err);
    }
    uint64_t size;
    uint64_t memory;
    const out_group *at = items[count - 1]->group;
    measure_lane(self, column, at, &size, &memory);
    mutex_lock(&self->lock);
    if (status != FIRN_OK) {
        return status; // The query ends; until then nobody goes on here.
    }
    mine->is_claimed = false;
    mine->measured = at;
    mine->size = size;
    mine->memory = memory;
    mine->next = items[count - 1]->following;
    mine->done += count;
    for (uint32_t i = 0; i < count; i++) {
        items[i]->lanes_left--;
    }
    while (self->first != NULL && self->first->lanes_left == 0) {
        retire_first(self);
    }
    return FIRN_OK;
}

static firn_status finish_file(row_sink *self, firn_error *err) {
    TRY(pw_file_finish(self->file, NULL, err));
    pw_file_close(self->file);
    self->file = NULL;
    return FIRN_OK;
}

static firn_status write_group(row_sink *self, out_group *group, firn_error *err) {
    if (self->file == NULL) {
        TRY(open_file(self, group->folder, err));
    }
    TRY(pw_file_add(self->file, group->group, err));
    pw_group_close(group->group);
    group->group = NULL;
    return group->ends_file ? finish_file(self, err) : FIRN_OK;
}

static firn_status write_ready(row_sink *self, firn_error *err) REQUIRES(&self->lock) {
    out_group *group = self->ready;
    self->is_writing = true;
    mutex_unlock(&self->lock);
    const firn_status status = write_group(self, group, err);
    mutex_lock(&self->lock);
    if (status != FIRN_OK) {
        return status; // As above.
    }
    self->is_writing = false;
    self->ready = group->following;
    self->ready_last = self->ready == NULL ? NULL : self->ready_last;
    self->group_count--;
    return FIRN_OK;
}

// Does one thing that is to be done; *did is false if there is nothing that nobody does.
static firn_status work(row_sink *self, pw_worker *with, bool *did, firn_error *err)
    REQUIRES(&self->lock) {
    *did = true;
    firn_status status = FIRN_OK;
    if (self->ready != NULL && !self->is_writing) {
        status = write_ready(self, err);
    } else {
        const uint32_t column = find_lane(self);
        *did = column < self->width;
        status = *did ? run_lane(self, column, with, err) : FIRN_OK;
    }
    if (status == FIRN_OK) {
        status = admit_early(self, err);
    }
    if (*did) {
        wake_all(self);
    }
    return status;
}

static bool is_idle(const row_sink *self) {
    return self->first == NULL && self->ready == NULL && !self->is_writing;
}

// May rows of this task be kept? Those whose turn it is must come in at last, for all others wait
// for them.
static bool has_room(const row_sink *self, uint64_t task) {
    const uint64_t most = queue_bytes(self);
    if (task > self->complete) {
        return self->held_bytes < most;
    }
    return self->held_bytes < most * 2 || is_idle(self);
}

// ---- Pushing -----------------------------------------------------------------------------------

static bool same_partition(const parquet_target *target, const batch *rows, uint32_t left,
                           uint32_t right) {
    bool is_same = true;
    for (uint32_t i = 0; i < target->options.partition_count && is_same; i++) {
        const column *key = &rows->columns[target->options.partitions[i]];
        is_same = column_rows_equal(key, left, key, right);
    }
    return is_same;
}

static firn_status find_runs(const row_sink *self, const batch *rows, arena *memory, staged *out,
                             firn_error *err) {
    const bool is_split = self->target->options.partition_count > 0;
    const uint32_t most = is_split ? rows->selected_count : 1;
    uint32_t *ends = ARENA_NEW(memory, uint32_t, (size_t)most + 1);
    text *folders = is_split ? ARENA_NEW(memory, text, (size_t)most + 1) : NULL;
    if (ends == NULL || (is_split && folders == NULL)) {
        return ARENA_FULL(memory, err);
    }
    out->run_ends = ends;
    out->folders = folders;
    for (uint32_t k = 0; is_split && k < rows->selected_count; k++) {
        const uint32_t row = batch_row(rows, k);
        if (k > 0 && same_partition(self->target, rows, batch_row(rows, k - 1), row)) {
            continue;
        }
        if (k > 0) {
            ends[out->run_count++] = k;
        }
        TRY(parquet_target_folder(self->target, rows->columns, row, memory,
                                  &folders[out->run_count], err));
    }
    ends[out->run_count++] = rows->selected_count;
    return FIRN_OK;
}

static batch file_columns(row_sink_worker *self, const batch *rows) {
    const row_sink *owner = self->owner;
    for (uint32_t i = 0; i < owner->width; i++) {
        self->columns[i] = rows->columns[owner->places[i]];
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

static firn_status fill_staged(row_sink_worker *self, const batch *rows, staged *made,
                               firn_error *err) {
    arena *memory = &made->memory;
    arena *scratch = &self->with.scratch;
    const arena_mark mark = arena_mark_take(scratch);
    const batch whole = file_columns(self, rows);
    batch compact;
    TRY(find_runs(self->owner, rows, memory, made, err));
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

static arena take_spare(row_sink *self) {
    mutex_lock(&self->lock);
    const bool has_spare = self->spare_count > 0;
    const arena taken =
        has_spare ? self->spares[--self->spare_count] : arena_open_in(self->keeper, SIZE_MAX);
    self->spare_bytes -= taken.used;
    mutex_unlock(&self->lock);
    return taken;
}

static firn_status stage(row_sink_worker *self, const batch *rows, staged **out, firn_error *err) {
    arena memory = take_spare(self->owner);
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
static firn_status push_alone(row_sink_worker *self, const batch *rows, firn_error *err) {
    row_sink *owner = self->owner;
    staged *given = &owner->alone;
    arena *memory = &self->with.scratch;
    const arena_mark mark = arena_mark_take(memory);
    *given = (staged){.is_borrowed = true, .use_count = 1, .rows = file_columns(self, rows)};
    TRY(find_runs(owner, rows, memory, given, err));
    mutex_lock(&owner->lock);
    owner->row_count += rows->selected_count;
    firn_status status = FIRN_OK;
    while (given->run < given->run_count && status == FIRN_OK) {
        bool did;
        status = admit(owner, given, &did, err);
        while (!is_idle(owner) && status == FIRN_OK) {
            status = work(owner, &self->with, &did, err);
        }
    }
    mutex_unlock(&owner->lock);
    arena_rewind(memory, mark);
    return status;
}

static firn_status make_room(row_sink *self, row_sink_worker *by, uint64_t task, bool *must_wait,
                             firn_error *err) REQUIRES(&self->lock) {
    TRY(admit_early(self, err));
    while (!has_room(self, task)) {
        bool did;
        TRY(work(self, &by->with, &did, err));
        if (!did && !has_room(self, task)) {
            add_waiter(self, by->env->wakeup);
            *must_wait = true;
            return FIRN_OK;
        }
    }
    return FIRN_OK;
}

static firn_status push(row_sink_worker *self, const batch *rows, bool *must_wait,
                        firn_error *err) {
    row_sink *owner = self->owner;
    *must_wait = false;
    if (rows->selected_count == 0) {
        return FIRN_OK;
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
    owner->held_bytes += made->bytes;
    owner->row_count += rows->selected_count;
    add_early(owner, made);
    status = admit_early(owner, err);
    if (owner->held_bytes > queue_bytes(owner) / 4) {
        wake_all(owner);
        bool did;
        status = status == FIRN_OK ? work(owner, &self->with, &did, err) : status;
    }
    mutex_unlock(&owner->lock);
    return status;
}

static firn_status finish_worker(row_sink_worker *self, firn_error *err) {
    (void)self;
    (void)err;
    return FIRN_OK;
}

// ---- The end -----------------------------------------------------------------------------------

static firn_status end_line(row_sink *self, firn_error *err) REQUIRES(&self->lock) {
    self->complete = UINT64_MAX;
    TRY(admit_early(self, err));
    return self->early == NULL && self->group != NULL ? end_group(self, true, err) : FIRN_OK;
}

static firn_status finish(row_sink *self, uint32_t *piece_count, firn_error *err) {
    *piece_count = self->env.workers;
    mutex_lock(&self->lock);
    const firn_status status = end_line(self, err);
    mutex_unlock(&self->lock);
    return status;
}

static firn_status run_piece(row_sink *self, uint32_t piece, const scan_env *env, bool *must_wait,
                             firn_error *err) {
    (void)piece;
    pw_worker with = pw_worker_open(env->pool, env->cancel);
    firn_status status = FIRN_OK;
    bool did = true;
    mutex_lock(&self->lock);
    while (did && status == FIRN_OK) {
        status = work(self, &with, &did, err);
        status = status == FIRN_OK ? end_line(self, err) : status;
    }
    *must_wait = status == FIRN_OK && !is_idle(self);
    if (*must_wait) {
        add_waiter(self, env->wakeup);
    }
    mutex_unlock(&self->lock);
    pw_worker_close(&with);
    return status;
}

static void close_spares(row_sink *self) {
    while (self->spare_count > 0) {
        self->spare_count--;
        arena_close(&self->spares[self->spare_count]);
    }
}

static firn_status end(row_sink *self, uint64_t *changed_rows, firn_error *err) {
    assert(self->early == NULL && is_idle(self) && self->group == NULL);
    if (self->file != NULL) { // Of no rows, or the last group of it was full.
        TRY(finish_file(self, err));
    }
    close_spares(self);
    pool_close(self->keeper); // The pool above it may be closed before this sink is.
    self->keeper = NULL;
    *changed_rows = self->row_count;
    return FIRN_OK;
}

static firn_status commit(row_sink *self, firn_error *err) {
    return parquet_outputs_commit(self->outputs, err);
}

// After a fault: one use less of rows that nobody works on.
static void abandon(staged *rows) {
    rows->use_count--;
    if (rows->use_count == 0 && !rows->is_borrowed) {
        arena memory = rows->memory;
        arena_close(&memory);
    }
}

static void close_sink(row_sink *self) {
    if (self == NULL) {
        return;
    }
    pw_file_close(self->file);
    parquet_outputs_close(self->outputs);
    for (staged *each = self->early; each != NULL;) {
        staged *next = each->following;
        abandon(each);
        each = next;
    }
    for (const item *each = self->first; each != NULL; each = each->following) {
        if (each->rows != NULL) {
            abandon(each->rows);
        } else {
            pw_group_close(each->group->group); // Each group by its end, or below.
        }
    }
    if (self->group != NULL) {
        pw_group_close(self->group->group);
    }
    for (out_group *each = self->ready; each != NULL; each = each->following) {
        pw_group_close(each->group);
    }
    close_spares(self);
    arena_close(&self->memory);
    pool_close(self->keeper);
    table_snapshot *base = (table_snapshot *)(uintptr_t)&self->target->base;
    mutex_end(&self->lock);
    host_free(self);
    table_snapshot_release(base);
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
