// Plans a scan of a table of Parquet files.
//
// A task is a file when there are many, else what parquet_cut makes of it.
#include <math.h>

#include "base/checked.h"
#include "expr/facts.h"
#include "tables/files/parquet_cut.h"
#include "tables/files/parquet_files_private.h"

#define MEMORY_MAX ((size_t)1 << 40)
#define SCRATCH_MAX ((size_t)64 << 20)

struct scan_planner {
    const parquet_files *table;
    const scan_request *request;
    const scan_env *env;
    bool is_cut; // Tasks are row groups or pieces of them.
    bool has_constant_filter;
    parquet_cut_sizes sizes;
    parquet_cutter cutter;
    uint32_t field_count; // What is read of the file at hand.
    pq_file_field *fields;
    uint32_t file;
    bool is_entered; // The file at hand was looked at.
    uint64_t number;
    scan_counters counters;
    arena memory;
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
    arena scratch = arena_open_in(self->env->pool, SCRATCH_MAX);
    file_facts facts;
    firn_status status = make_facts(self, &scratch, &facts, err);
    for (uint32_t i = 0; i < filters->count && *out && status == FIRN_OK; i++) {
        *out = facts_evaluate(filters->items[i], &facts.unit, &scratch) != VERDICT_NEVER;
    }
    arena_close(&scratch);
    return status;
}

// ---- Tasks -------------------------------------------------------------------------------------

// Decides how big a task is.
static void choose_sizes(scan_planner *self) {
    const parquet_files *table = self->table;
    uint64_t rows = 0;
    uint64_t groups = 0;
    for (uint32_t i = 0; i < table->file_count && self->is_cut; i++) {
        const pq_file *file = table->files[i].file;
        for (uint32_t group = 0; group < pq_file_row_group_count(file); group++) {
            rows = sum_capped(rows, pq_file_rows_of(file, group));
            groups++;
        }
    }
    const uint64_t wanted = (uint64_t)self->env->workers * PARQUET_TASKS_PER_WORKER;
    self->sizes = parquet_cut_sizes_for(rows, groups, wanted, self->env);
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
    arena memory = arena_open_in(env->pool, MEMORY_MAX);
    const parquet_files *table = parquet_files_of(base);
    scan_planner *self = ARENA_NEW(&memory, scan_planner, 1);
    pq_file_field *fields = ARENA_NEW(&memory, pq_file_field, (size_t)request->column_count + 1);
    if (self == NULL || fields == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (scan_planner){
        .table = table,
        .request = request,
        .env = env,
        .is_cut = table->file_count <= PARQUET_FILES_CUT_MAX,
        .has_constant_filter = asks_constants(table, request),
        .fields = fields,
        .memory = memory,
    };
    parquet_cutter_open(&self->cutter, env);
    choose_sizes(self);
    *out = self;
    return FIRN_OK;
}

// The fields of the file at hand that are read.
static void find_fields(scan_planner *self, const pq_file *file) {
    self->field_count = 0;
    for (uint32_t i = 0; i < self->request->column_count; i++) {
        const uint32_t number = self->request->columns[i].path[0];
        if (self->table->kinds[number] == COLUMN_FILE) {
            const text name = self->table->base.columns.fields[number].name;
            self->fields[self->field_count++] = pq_file_find(file, PQ_MATCH_NAME, name, -1);
        }
    }
}

// Enters the file at hand, unless no row of it can pass.
static firn_status enter_file(scan_planner *self, bool *has_rows, firn_error *err) {
    const pq_file *file = self->table->files[self->file].file;
    TRY(may_pass(self, has_rows, err));
    self->counters.files_pruned_partition += !*has_rows;
    if (*has_rows && self->is_cut) {
        find_fields(self, file);
        return parquet_cutter_begin(&self->cutter, file, self->sizes, self->fields,
                                    self->field_count, err);
    }
    return FIRN_OK;
}

// The next part of the file at hand; *found is false behind its last.
static firn_status find_part(scan_planner *self, parquet_part *out, uint64_t *rows, bool *found,
                             firn_error *err) {
    *found = true;
    if (!self->is_entered) {
        TRY(enter_file(self, found, err));
        self->is_entered = *found;
    } else {
        *found = self->is_cut;
    }
    if (*found && self->is_cut) {
        return parquet_cutter_next(&self->cutter, out, rows, found, err);
    }
    *out = PARQUET_WHOLE;
    *rows = (uint64_t)ceil(self->table->base.rows.value / self->table->file_count);
    return FIRN_OK;
}

firn_status parquet_tasks_next(scan_planner *self, const scan_task **out, scan_answer *answer,
                               firn_error *err) {
    bool found = false;
    parquet_part part = PARQUET_WHOLE;
    uint64_t rows = 0;
    *answer = SCAN_END;
    while (!found && self->file < self->table->file_count) {
        TRY(find_part(self, &part, &rows, &found, err));
        self->file += !found;
        self->is_entered = found;
    }
    if (!found) {
        return FIRN_OK;
    }
    parquet_task *task = ARENA_NEW(&self->memory, parquet_task, 1);
    if (task == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *task = (parquet_task){
        .base = {.number = self->number++,
                 .row_estimate = rows,
                 .name = self->table->files[self->file].path},
        .file = self->file,
        .part = part,
    };
    *out = &task->base;
    *answer = SCAN_READY;
    return FIRN_OK;
}

void parquet_tasks_counters(const scan_planner *self, scan_counters *add_to) {
    add_to->files_pruned_partition += self->counters.files_pruned_partition;
}

void parquet_tasks_close(scan_planner *self) {
    if (self != NULL) {
        parquet_cutter_close(&self->cutter);
        arena memory = self->memory;
        arena_close(&memory);
    }
}
