#include "tables/iceberg/iceberg_snapshot_cut.h"

#include <math.h>

#include "io/io_path.h"
#include "io/io_wakeup.h"
#include "memory/text_builder.h"

// Parquet files longer than this are several tasks; a row group goes to the part it begins in.
#define TASK_BYTES ((uint64_t)64 << 20)
#define TASKS_MAX 65536 // Of one of these; a manifest may say anything of its size.
// Parts of remote files have so many bytes at least, so that a request is little beside them.
#define REMOTE_BYTES_MIN ((uint64_t)4 << 20)

firn_status ice_file_cutter_open(ice_file_cutter *self, const ice_table *table,
                                 const scan_request *request, const scan_env *env, arena *memory,
                                 firn_error *err) {
    *self = (ice_file_cutter){.table = table, .request = request, .env = env, .memory = memory};
    parquet_cutter_open(&self->cutter, env);
    self->fields = ARENA_NEW(memory, pq_file_field, (size_t)request->column_count + 1);
    return self->fields == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

void ice_file_cutter_close(ice_file_cutter *self) {
    parquet_cutter_close(&self->cutter);
    pq_opener_close(self->opener);
    for (uint32_t i = 0; i < self->opened_count; i++) {
        pq_file_release(self->opened[i]);
    }
}

// Of the tasks that the table should have, a file's are as many as it has rows of all: the nearest
// number, for three files rounded up would be cut where their row groups are enough.
static uint64_t wanted_tasks(const ice_file_cutter *self, uint64_t row_count) {
    const ice_table *table = self->table;
    const double tasks = self->env->workers * (double)PARQUET_TASKS_PER_WORKER;
    const double rows = (double)row_count;
    const bool is_part = table->base.rows.is_known && table->base.rows.value > rows;
    const double wanted = is_part ? round(tasks * (rows / table->base.rows.value)) : tasks;
    return wanted > 1 ? (uint64_t)wanted : 1;
}

// ---- By footer ---------------------------------------------------------------------------------

// Opens the local file of a task. What can't be opened is left to the reader, which says why.
static pq_file *open_to_cut(ice_file_cutter *self, const ice_task *task) {
    const pq_file_options parquet = ice_parquet_options();
    const io_open_options options = {.cancel = self->env->cancel, .is_immutable = true};
    io_file *input = NULL;
    pq_file *file = NULL;
    firn_error ignored = ERR_INIT;
    if (self->opened_count < ICE_CUT_MAX &&
        io_file_open(self->env->io, task->path, &options, &input, &ignored) == FIRN_OK &&
        pq_file_open(input, &parquet, self->env->pool, self->env->cancel, &file, &ignored) ==
            FIRN_OK) {
        self->opened[self->opened_count++] = file;
    }
    io_file_release(input);
    return file;
}

// Begins to open a remote file.
static firn_status begin_opening(ice_file_cutter *self, firn_error *err) {
    const pq_file_options parquet = ice_parquet_options();
    const io_open_options options = {.cancel = self->env->cancel, .is_immutable = true};
    io_request request = {.cancel = self->env->cancel};
    io_file *input = NULL;
    if (self->env->wakeup != NULL) {
        request.waker = io_waker_of(self->env->wakeup);
    }
    TRY(io_file_open(self->env->io, self->last->path, &options, &input, err));
    const firn_status status =
        pq_opener_open(input, &parquet, self->env->pool, &request, &self->opener, err);
    io_file_release(input);
    return status;
}

static firn_status begin_by_footer(ice_file_cutter *self, pq_file *file, firn_error *err) {
    const ice_table *table = self->table;
    const uint64_t rows = self->last->row_count;
    const parquet_cut_sizes sizes = parquet_cut_sizes_for(rows, pq_file_row_group_count(file),
                                                          wanted_tasks(self, rows), self->env);
    for (uint32_t i = 0; i < self->request->column_count; i++) {
        const uint32_t number = self->request->columns[i].path[0];
        const ice_mapping *below;
        self->fields[i] = ice_parquet_find(file, table->metadata.mapping,
                                           &table->schema->columns.fields[number].id, 1, &below);
    }
    self->way = ICE_CUT_BY_FOOTER;
    self->last->part.file = file;
    return parquet_cutter_begin(&self->cutter, file, sizes, self->fields,
                                self->request->column_count, err);
}

// ---- By size -----------------------------------------------------------------------------------

// Where the part that begins at rest_from ends: at the first row group that is far enough.
static uint64_t end_of_part(const ice_file_cutter *self) {
    const uint64_t to = self->rest_from + self->rest_step;
    for (uint32_t i = 0; i < self->start_count; i++) {
        if (self->starts[i] >= to) {
            return self->starts[i];
        }
    }
    return self->start_count > 0 ? self->rest_end : to;
}

// Cuts at every `step` bytes, or at row groups behind them.
static void begin_by_size(ice_file_cutter *self, uint64_t step) {
    scan_task *task = &self->last->base;
    const uint64_t least = task->bytes / TASKS_MAX + 1;
    self->rest_step = step > least ? step : least;
    self->rest_from = 0;
    self->rest_end = task->bytes;
    const uint64_t count = task->bytes / self->rest_step + 1; // About.
    self->way = count > 1 ? ICE_CUT_BY_SIZE : ICE_CUT_WHOLE;
    task->row_estimate /= count;
    task->bytes /= count;
}

// ---- Remote files ------------------------------------------------------------------------------

static void begin_remote(ice_file_cutter *self, const ice_walk *walk, const ice_entry *entry) {
    const uint64_t wanted = wanted_tasks(self, entry->row_count);
    const bool is_worth_it = self->env->workers > 1 && self->file_count <= ICE_CUT_MAX &&
                             entry->size >= 2 * REMOTE_BYTES_MIN;
    self->start_count =
        is_worth_it ? ice_walk_split_offsets(walk, entry, self->memory, &self->starts) : 0;
    if (self->start_count > 1) {
        const uint64_t even = entry->size / wanted + 1;
        const uint64_t step = even < REMOTE_BYTES_MIN ? REMOTE_BYTES_MIN : even;
        begin_by_size(self, step < TASK_BYTES ? step : TASK_BYTES);
    } else if (self->start_count == 0 && is_worth_it && wanted > 1) {
        self->way = ICE_CUT_OPENING;
    } else {
        self->start_count = 0;
        begin_by_size(self, TASK_BYTES);
    }
}

// Where there is no memory for a footer that tasks share, each of them has it for itself.
static firn_status go_on_opening(ice_file_cutter *self, scan_answer *answer, firn_error *err) {
    pq_file *file = NULL;
    pq_answer got = PQ_READY;
    firn_status status = self->opener == NULL ? begin_opening(self, err) : FIRN_OK;
    status = status == FIRN_OK ? pq_opener_next(self->opener, &file, &got, err) : status;
    if (status == FIRN_OK && got == PQ_WAIT) {
        *answer = SCAN_WAIT;
        return FIRN_OK;
    }
    pq_opener_close(self->opener);
    self->opener = NULL;
    if (status == FIRN_NO_MEMORY) {
        begin_by_size(self, TASK_BYTES);
        return err_forgive(err, status, FIRN_NO_MEMORY);
    }
    TRY(status);
    self->opened[self->opened_count++] = file;
    return begin_by_footer(self, file, err);
}

// ---- Tasks -------------------------------------------------------------------------------------

firn_status ice_file_cutter_task(ice_file_cutter *self, const ice_entry *entry, ice_task **out,
                                 firn_error *err) {
    ice_task *task = ARENA_NEW(self->memory, ice_task, 1);
    if (task == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    *task = (ice_task){.part = {.part = PARQUET_WHOLE},
                       .row_count = entry->row_count,
                       .file_number = self->file_count++};
    TRY(text_copy(self->memory, entry->path, &task->path, err));
    TRY(text_copy(self->memory, entry->format, &task->format, err));
    task->base =
        (scan_task){.row_estimate = entry->row_count, .bytes = entry->size, .name = task->path};
    *out = task;
    return FIRN_OK;
}

firn_status ice_file_cutter_begin(ice_file_cutter *self, const ice_walk *walk,
                                  const ice_entry *entry, ice_task *task, firn_error *err) {
    self->last = task;
    self->way = ICE_CUT_WHOLE;
    if (!text_equal_nocase(task->format, TEXT("parquet"))) {
        return FIRN_OK;
    }
    if (!io_path_is_local(task->path)) {
        begin_remote(self, walk, entry);
        return FIRN_OK;
    }
    pq_file *file = open_to_cut(self, task);
    if (file != NULL) {
        return begin_by_footer(self, file, err);
    }
    self->start_count = 0;
    begin_by_size(self, TASK_BYTES);
    return FIRN_OK;
}

// Another task for the file at hand.
static firn_status add_task(ice_file_cutter *self, firn_error *err) {
    ice_task *task = ARENA_NEW(self->memory, ice_task, 1);
    if (task == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    *task = *self->last;
    self->last = task;
    return FIRN_OK;
}

static firn_status next_by_footer(ice_file_cutter *self, firn_error *err) {
    parquet_part part;
    uint64_t rows;
    bool has_part;
    TRY(parquet_cutter_next(&self->cutter, &part, &rows, &has_part, err));
    if (!has_part) {
        self->way = ICE_CUT_ENDED;
        return FIRN_OK;
    }
    TRY(add_task(self, err));
    self->last->part.part = part;
    self->last->base.row_estimate = rows;
    return FIRN_OK;
}

static firn_status next_by_size(ice_file_cutter *self, firn_error *err) {
    if (self->rest_from >= self->rest_end) {
        self->way = ICE_CUT_ENDED;
        return FIRN_OK;
    }
    TRY(add_task(self, err));
    const uint64_t to = end_of_part(self);
    self->last->part.begins_from = self->rest_from;
    self->last->part.begins_to = to < self->rest_end ? to : UINT64_MAX;
    self->rest_from = to;
    return FIRN_OK;
}

firn_status ice_file_cutter_next(ice_file_cutter *self, const ice_task **out, scan_answer *answer,
                                 firn_error *err) {
    *out = NULL;
    *answer = SCAN_READY;
    if (self->way == ICE_CUT_OPENING) {
        TRY(go_on_opening(self, answer, err));
        if (*answer == SCAN_WAIT) {
            return FIRN_OK;
        }
    }
    const bool is_whole = self->way == ICE_CUT_WHOLE;
    if (self->way == ICE_CUT_BY_FOOTER) {
        TRY(next_by_footer(self, err));
    } else if (self->way == ICE_CUT_BY_SIZE) {
        TRY(next_by_size(self, err));
    }
    if (self->way == ICE_CUT_ENDED) {
        return FIRN_OK;
    }
    self->way = is_whole ? ICE_CUT_ENDED : self->way;
    self->last->base.number = self->task_count++;
    *out = self->last;
    return FIRN_OK;
}
