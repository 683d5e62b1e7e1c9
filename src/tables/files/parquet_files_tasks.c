// Plans a scan of a table of Parquet files.
//
// A task is a file when there are many, else a row group, or some of them where there are plenty:
// the reader decodes their dictionaries together. When row groups are fewer than four a worker, big
// ones are cut into ranges of rows, at pages of the column that takes most.
#include <math.h>

#include "expr/facts.h"
#include "formats/parquet/pq_page_starts.h"
#include "tables/files/parquet_files_private.h"

#define MEMORY_MAX ((size_t)1 << 40)
#define SCRATCH_MAX ((size_t)64 << 20)
#define TASKS_PER_WORKER 4
// A piece has at least so many batches: 128 Ki rows.
#define PIECE_BATCHES_MIN 64
#define GROUPS_MAX 3 // Row groups of a task.
// Rows of a task, about, beyond which it does not get more row groups: 512 Ki.
#define TASK_BATCHES 256
#define NO_LEAF UINT32_MAX

struct scan_planner {
    const parquet_files *table;
    const scan_request *request;
    const scan_env *env;
    bool is_cut; // Tasks are row groups or pieces of them.
    bool has_constant_filter;
    uint64_t piece_rows;  // 0: row groups stay whole, ...
    uint64_t task_groups; // ... and so many of them are a task.
    uint32_t file, row_group;
    bool is_entered; // The file at hand was looked at.
    pq_page_starts starts;
    uint64_t row; // Where the next piece of the row group begins.
    uint64_t number;
    scan_counters counters;
    arena memory;
    arena scratch; // Of the row group.
};

// ---- Files that no row of can pass -------------------------------------------------------------

// What is the same in all rows of a file, as facts.
typedef struct file_facts {
    unit_facts unit; // First, so that the evaluator's pointer is ours.
    const scan_request *request;
    bool *is_known; // By column of the request.
    column_facts *columns;
} file_facts;

static const column_facts *find_constant(const unit_facts *unit, uint32_t id) {
    const file_facts *self = (const file_facts *)(const void *)unit;
    for (uint32_t i = 0; i < self->request->column_count; i++) {
        if (self->request->columns[i].id == id) {
            return self->is_known[i] ? &self->columns[i] : NULL;
        }
    }
    return NULL;
}

static firn_status make_facts(const scan_planner *self, arena *scratch, file_facts *out,
                              firn_error *err) {
    const uint32_t count = self->request->column_count;
    // All rows are the same in these columns, so one stands for all.
    const exact_u64 one = {.is_known = true, .value = 1};
    *out = (file_facts){
        .unit = {.row_count = one, .find = find_constant, .filters = self->env->dynamic},
        .request = self->request,
        .is_known = ARENA_NEW(scratch, bool, (size_t)count + 1),
        .columns = ARENA_NEW(scratch, column_facts, (size_t)count + 1)};
    if (out->is_known == NULL || out->columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t number = self->request->columns[i].path[0];
        const parquet_column_kind kind = self->table->kinds[number];
        out->is_known[i] = kind == COLUMN_HIVE || kind == COLUMN_FILENAME;
        if (out->is_known[i]) {
            pq_pick pick;
            TRY(parquet_constant_column(self->table, self->file, number, scratch, &pick, err));
            const column *value = pick.constant;
            const bool is_null = !column_is_valid(value, 0);
            out->columns[i] = (column_facts){.minimum = is_null ? NULL : value,
                                             .maximum = is_null ? NULL : value,
                                             .null_count = {.is_known = true, .value = is_null},
                                             .may_have_null = is_null};
        }
    }
    return FIRN_OK;
}

// Whether the folders' keys and the name of the file let any of its rows pass.
static firn_status may_pass(scan_planner *self, bool *out, firn_error *err) {
    const expr_list *filters = &self->request->filters;
    *out = true;
    if (!self->has_constant_filter) {
        return FIRN_OK;
    }
    arena scratch = arena_open(SCRATCH_MAX);
    file_facts facts;
    firn_status status = make_facts(self, &scratch, &facts, err);
    for (uint32_t i = 0; i < filters->count && *out && status == FIRN_OK; i++) {
        *out = facts_evaluate(filters->items[i], &facts.unit, &scratch) != VERDICT_NEVER;
    }
    arena_close(&scratch);
    return status;
}

// ---- Pieces ------------------------------------------------------------------------------------

// The leaf of a request that takes most bytes in a row group; NO_LEAF if the row group can't be
// read in pieces cheaply: a leaf inside lists has no rows that can be counted by page headers.
static uint32_t heaviest_leaf(const scan_planner *self, const pq_file *file, uint32_t row_group) {
    uint32_t out = NO_LEAF;
    int64_t most = -1;
    for (uint32_t i = 0; i < self->request->column_count; i++) {
        const uint32_t number = self->request->columns[i].path[0];
        if (self->table->kinds[number] != COLUMN_FILE) {
            continue;
        }
        const text name = self->table->base.columns.fields[number].name;
        const pq_file_field field = pq_file_find(file, PQ_MATCH_NAME, name, -1);
        const uint32_t count = field.node == NULL ? 0 : field.node->leaf_count;
        for (uint32_t k = 0; k < count; k++) {
            const uint32_t leaf = field.node->first_leaf + k;
            const pq_column_metadata *chunk = pq_chunk_metadata(file->metadata, row_group, leaf);
            if (file->metadata->schema->leaves[leaf].repetition_max > 0) {
                return NO_LEAF;
            }
            if (chunk->uncompressed_size > most) {
                most = chunk->uncompressed_size;
                out = leaf;
            }
        }
    }
    return out;
}

// Begins the row group at hand: finds out where it may be cut.
static firn_status begin_row_group(scan_planner *self, const pq_file *file, firn_error *err) {
    self->row = 0;
    self->starts = (pq_page_starts){.count = 0};
    const uint64_t rows = pq_file_rows_of(file, self->row_group);
    if (self->piece_rows == 0 || rows < self->piece_rows + self->piece_rows / 2 ||
        io_file_is_remote(file->input)) {
        return FIRN_OK;
    }
    const uint32_t leaf = heaviest_leaf(self, file, self->row_group);
    if (leaf == NO_LEAF) {
        return FIRN_OK;
    }
    arena_reset(&self->scratch);
    return pq_page_starts_read(file, self->row_group, leaf, self->env->cancel, &self->scratch,
                               &self->starts, err);
}

static uint64_t distance(uint64_t left, uint64_t right) {
    return left > right ? left - right : right - left;
}

// Where the piece that begins at self->row ends: at the page nearest to the wanted size. What would
// be left as a small last piece belongs to the one before.
static uint64_t piece_end(const scan_planner *self, uint64_t rows) {
    const uint64_t wanted = self->row + self->piece_rows;
    uint64_t end = self->starts.is_any ? wanted : rows;
    for (uint32_t i = 0; i < self->starts.count && !self->starts.is_any; i++) {
        const uint64_t start = self->starts.rows[i];
        if (start > self->row && distance(start, wanted) < distance(end, wanted)) {
            end = start;
        }
    }
    return end >= rows || rows - end < self->piece_rows / 2 ? rows : end;
}

// ---- Tasks -------------------------------------------------------------------------------------

static uint64_t count_rows(const parquet_files *table, uint64_t *groups) {
    uint64_t rows = 0;
    *groups = 0;
    for (uint32_t i = 0; i < table->file_count; i++) {
        const pq_file *file = table->files[i].file;
        for (uint32_t group = 0; group < pq_file_row_group_count(file); group++) {
            rows += pq_file_rows_of(file, group);
            *groups += 1;
        }
    }
    return rows;
}

// Decides how big a task is.
static void choose_sizes(scan_planner *self) {
    const uint64_t workers = self->env->workers;
    uint64_t groups;
    self->task_groups = 1;
    if (!self->is_cut) {
        return;
    }
    const uint64_t rows = count_rows(self->table, &groups);
    const uint64_t wanted = workers * TASKS_PER_WORKER;
    if (groups < wanted && workers > 1) {
        const uint64_t least = (uint64_t)self->env->batch_rows * PIECE_BATCHES_MIN;
        self->piece_rows = rows / wanted > least ? rows / wanted : least;
    } else if (groups > wanted) {
        const uint64_t group_rows = rows / groups + 1;
        const uint64_t fitting = (uint64_t)self->env->batch_rows * TASK_BATCHES / group_rows;
        const uint64_t even = groups / wanted;
        self->task_groups = even < fitting ? even : fitting;
        self->task_groups = self->task_groups < 1            ? 1
                            : self->task_groups > GROUPS_MAX ? GROUPS_MAX
                                                             : self->task_groups;
    }
}

static bool asks_constants(const parquet_files *table, const scan_request *request) {
    for (uint32_t i = 0; i < request->column_count && request->filters.count > 0; i++) {
        const parquet_column_kind kind = table->kinds[request->columns[i].path[0]];
        if (kind == COLUMN_HIVE || kind == COLUMN_FILENAME) {
            return true;
        }
    }
    return false;
}

firn_status parquet_tasks_plan(table_snapshot *base, const scan_request *request,
                               const scan_env *env, scan_planner **out, firn_error *err) {
    arena memory = arena_open(MEMORY_MAX);
    const parquet_files *table = parquet_files_of(base);
    scan_planner *self = ARENA_NEW(&memory, scan_planner, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (scan_planner){
        .table = table,
        .request = request,
        .env = env,
        .is_cut = table->file_count <= PARQUET_FILES_CUT_MAX,
        .has_constant_filter = asks_constants(table, request),
        .memory = memory,
        .scratch = arena_open(SCRATCH_MAX),
    };
    choose_sizes(self);
    *out = self;
    return FIRN_OK;
}

// Goes to the next file with rows that may pass and to its next row group; false behind the last.
static firn_status find_place(scan_planner *self, bool *found, firn_error *err) {
    *found = false;
    while (!*found && self->file < self->table->file_count) {
        const pq_file *file = self->table->files[self->file].file;
        bool has_more = true;
        if (!self->is_entered) {
            TRY(may_pass(self, &has_more, err));
            self->counters.files_pruned_partition += !has_more;
            self->is_entered = true;
            self->row_group = 0;
            if (has_more && self->is_cut && pq_file_row_group_count(file) > 0) {
                TRY(begin_row_group(self, file, err));
            }
        }
        *found = has_more && (!self->is_cut || self->row_group < pq_file_row_group_count(file));
        if (!*found) {
            self->file++;
            self->is_entered = false;
        }
    }
    return FIRN_OK;
}

// Some whole row groups.
static void take_groups(scan_planner *self, parquet_task *task) {
    const pq_file *file = self->table->files[self->file].file;
    const uint32_t left = pq_file_row_group_count(file) - self->row_group;
    task->first_row_group = self->row_group;
    task->row_group_count = self->task_groups < left ? (uint32_t)self->task_groups : left;
    for (uint32_t i = 0; i < task->row_group_count; i++) {
        task->base.row_estimate += pq_file_rows_of(file, self->row_group++);
    }
}

// The next piece of the row group at hand, or all of it.
static firn_status cut(scan_planner *self, parquet_task *task, firn_error *err) {
    const pq_file *file = self->table->files[self->file].file;
    const uint64_t rows = pq_file_rows_of(file, self->row_group);
    const uint64_t end = piece_end(self, rows);
    task->first_row_group = self->row_group;
    task->row_group_count = 1;
    task->from = self->row;
    task->to = end == rows ? UINT64_MAX : end;
    task->base.row_estimate = end - self->row;
    self->row = end;
    if (end == rows) {
        self->row_group++;
        if (self->row_group < pq_file_row_group_count(file)) {
            return begin_row_group(self, file, err);
        }
    }
    return FIRN_OK;
}

firn_status parquet_tasks_next(scan_planner *self, const scan_task **out, scan_answer *answer,
                               firn_error *err) {
    bool found;
    TRY(find_place(self, &found, err));
    *answer = found ? SCAN_READY : SCAN_END;
    if (!found) {
        return FIRN_OK;
    }
    parquet_task *task = ARENA_NEW(&self->memory, parquet_task, 1);
    if (task == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *task = (parquet_task){
        .base = {.number = self->number++, .name = self->table->files[self->file].path},
        .file = self->file,
        .row_group_count = UINT32_MAX,
        .to = UINT64_MAX,
    };
    if (self->is_cut && self->piece_rows > 0) {
        TRY(cut(self, task, err));
    } else if (self->is_cut) {
        take_groups(self, task);
    } else {
        task->base.row_estimate =
            (uint64_t)ceil(self->table->base.rows.value / self->table->file_count);
        self->file++;
        self->is_entered = false;
    }
    *out = &task->base;
    return FIRN_OK;
}

void parquet_tasks_counters(const scan_planner *self, scan_counters *add_to) {
    add_to->files_pruned_partition += self->counters.files_pruned_partition;
}

void parquet_tasks_close(scan_planner *self) {
    if (self != NULL) {
        arena_close(&self->scratch);
        arena memory = self->memory;
        arena_close(&memory);
    }
}
