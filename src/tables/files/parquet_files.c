#include "tables/files/parquet_files.h"

#include <assert.h>

#include "base/host.h"
#include "base/number_text.h"
#include "expr/cast.h"
#include "io/hive_keys.h"
#include "tables/files/parquet_facts.h"
#include "tables/files/parquet_int96.h"
#include "tables/files/parquet_scan.h"

#define MEMORY_MAX ((size_t)1 << 40)
#define FOOTERS_MAX 64 // Files whose footers are read when the table is opened.
#define SMALL_FILES 16 // Up to so many files are cut into a task per row group.

// Where a column of the table comes from.
typedef enum column_kind {
    COLUMN_FILE,
    COLUMN_HIVE,
    COLUMN_FILENAME,
    COLUMN_ROW_NUMBER
} column_kind;

typedef struct parquet_file {
    text path;
    pq_file *file; // NULL: its footer was not read yet.
} parquet_file;

typedef struct parquet_files {
    table_snapshot base;
    parquet_files_options options;
    uint32_t file_count;
    parquet_file *files;
    column_kind *kinds;  // By column.
    column_facts *facts; // By column, of all files; is_known says whether.
    bool *is_known;
    struct pool *pool;
} parquet_files;

static parquet_files *of(const table_snapshot *base) {
    return (parquet_files *)(uintptr_t)base; // `base` is its first member.
}

static void free_table(table_snapshot *base) {
    parquet_files *self = of(base);
    for (uint32_t i = 0; i < self->file_count; i++) {
        pq_file_release(self->files[i].file);
    }
    arena memory = base->memory; // It holds `self`.
    arena_close(&memory);
}

// ---- Opening -----------------------------------------------------------------------------------

static firn_status open_file(parquet_files *self, uint32_t index, struct io *io,
                             const cancel_flag *cancel, firn_error *err) {
    io_file *input;
    const io_open_options options = {.cancel = cancel};
    const pq_file_options parquet = {.types = self->options.types};
    TRY(io_file_open(io, self->files[index].path, &options, &input, err));
    firn_status status =
        pq_file_open(input, &parquet, self->pool, cancel, &self->files[index].file, err);
    io_file_release(input);
    return status;
}

// Opens the first file and decides by it what INT96 is in all of them.
static firn_status open_first(parquet_files *self, struct io *io, const cancel_flag *cancel,
                              firn_error *err) {
    bool *in_micros = &self->options.types.int96_in_micros;
    TRY(open_file(self, 0, io, cancel, err));
    if (*in_micros) {
        return FIRN_OK;
    }
    TRY(parquet_int96_is_far(self->files[0].file, self->pool, cancel, in_micros, err));
    if (!*in_micros) {
        return FIRN_OK;
    }
    pq_file_release(self->files[0].file);
    self->files[0].file = NULL;
    return open_file(self, 0, io, cancel, err);
}

typedef struct columns_build {
    parquet_files *self;
    field *fields;
    column_kind *kinds;
    uint32_t count, capacity;
    firn_error *err;
} columns_build;

static firn_status add_column(columns_build *build, text name, const type *type, column_kind kind) {
    arena *memory = &build->self->base.memory;
    if (build->count == build->capacity) {
        const uint32_t capacity = build->capacity == 0 ? 16 : build->capacity * 2;
        field *fields = ARENA_NEW(memory, field, capacity);
        column_kind *kinds = ARENA_NEW(memory, column_kind, capacity);
        if (fields == NULL || kinds == NULL) {
            return ARENA_FULL(memory, build->err);
        }
        if (build->count > 0) {
            memcpy(fields, build->fields, build->count * sizeof *fields);
            memcpy(kinds, build->kinds, build->count * sizeof *kinds);
        }
        build->fields = fields;
        build->kinds = kinds;
        build->capacity = capacity;
    }
    field *made = &build->fields[build->count];
    *made = (field){.is_nullable = true, .id = -1};
    TRY(text_copy(memory, name, &made->name, build->err));
    TRY(type_copy(memory, type, &made->type, build->err));
    build->kinds[build->count++] = kind;
    return FIRN_OK;
}

static uint32_t find_column(const columns_build *build, text name) {
    for (uint32_t i = 0; i < build->count; i++) {
        if (text_equal(build->fields[i].name, name)) {
            return i;
        }
    }
    return UINT32_MAX;
}

static firn_status add_file_columns(columns_build *build, const pq_file *file, bool is_first) {
    const schema *columns = &file->types.columns;
    for (uint32_t i = 0; i < columns->count; i++) {
        const uint32_t found = is_first ? UINT32_MAX : find_column(build, columns->fields[i].name);
        if (found == UINT32_MAX) {
            TRY(add_column(build, columns->fields[i].name, columns->fields[i].type, COLUMN_FILE));
            build->fields[build->count - 1].is_nullable = columns->fields[i].is_nullable;
            continue;
        }
        const type *common;
        TRY(type_common(build->fields[found].type, columns->fields[i].type,
                        &build->self->base.memory, &common, build->err));
        if (common == NULL) {
            return FAIL(build->err, FIRN_INVALID,
                        "column \"%.*s\" has types that do not go together",
                        TEXT_ARGS(columns->fields[i].name));
        }
        build->fields[found].type = common;
    }
    return FIRN_OK;
}

// Values of Hive keys are BIGINT if those of all files are numbers, else text.
static bool is_number(text value) {
    int64_t number;
    return number_parse_i64(value, &number) == NUMBER_OK;
}

static firn_status add_hive_columns(columns_build *build) {
    parquet_files *self = build->self;
    arena scratch = arena_open(MEMORY_MAX);
    hive_keys first;
    firn_status status = hive_keys_read(self->files[0].path, &scratch, &first, build->err);
    for (uint32_t i = 0; status == FIRN_OK && i < first.count; i++) {
        bool numbers = true;
        bool in_all = true;
        for (uint32_t k = 0; k < self->file_count && status == FIRN_OK && in_all; k++) {
            hive_keys keys;
            status = hive_keys_read(self->files[k].path, &scratch, &keys, build->err);
            bool found = false;
            for (uint32_t j = 0; status == FIRN_OK && j < keys.count; j++) {
                if (text_equal(keys.items[j].name, first.items[i].name)) {
                    found = true;
                    numbers &= keys.items[j].is_null || is_number(keys.items[j].value);
                }
            }
            in_all = found;
        }
        if (status == FIRN_OK && in_all && find_column(build, first.items[i].name) == UINT32_MAX) {
            status = add_column(build, first.items[i].name,
                                numbers ? TYPE_OF(BIGINT) : TYPE_OF(VARCHAR), COLUMN_HIVE);
        }
    }
    arena_close(&scratch);
    return status;
}

static firn_status find_columns(parquet_files *self, firn_error *err) {
    columns_build build = {.self = self, .err = err};
    for (uint32_t i = 0; i < self->file_count && self->files[i].file != NULL; i++) {
        if (i == 0 || self->options.union_by_name) {
            TRY(add_file_columns(&build, self->files[i].file, i == 0));
        }
    }
    if (self->options.hive != HIVE_OFF) {
        TRY(add_hive_columns(&build));
    }
    if (self->options.with_filename) {
        TRY(add_column(&build, TEXT("filename"), TYPE_OF(VARCHAR), COLUMN_FILENAME));
    }
    if (self->options.with_row_number) {
        TRY(add_column(&build, TEXT("file_row_number"), TYPE_OF(BIGINT), COLUMN_ROW_NUMBER));
    }
    self->base.columns = (schema){.count = build.count, .fields = build.fields};
    self->kinds = build.kinds;
    return FIRN_OK;
}

// Rows and facts of all files, if all footers were read.
static firn_status find_facts(parquet_files *self, uint32_t opened, firn_error *err) {
    arena *memory = &self->base.memory;
    const uint32_t count = self->base.columns.count;
    uint64_t rows = 0;
    self->facts = ARENA_NEW(memory, column_facts, count + 1);
    self->is_known = ARENA_NEW(memory, bool, count + 1);
    if (self->facts == NULL || self->is_known == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        self->is_known[i] = false;
    }
    for (uint32_t i = 0; i < opened; i++) {
        for (uint32_t group = 0; group < pq_file_row_group_count(self->files[i].file); group++) {
            rows += pq_file_rows_of(self->files[i].file, group);
        }
    }
    self->base.rows = (estimate){
        .is_known = true, .value = (double)rows * self->file_count / (opened == 0 ? 1 : opened)};
    if (opened < self->file_count) {
        return FIRN_OK;
    }
    self->base.row_count = (exact_u64){.is_known = true, .value = rows};
    if (self->file_count == 1) {
        for (uint32_t i = 0; i < self->files[0].file->types.columns.count; i++) {
            TRY(parquet_column_facts(self->files[0].file, i, memory, &self->facts[i],
                                     &self->is_known[i], err));
        }
    }
    return FIRN_OK;
}

static firn_status fill(parquet_files *self, const io_paths *files, text name, struct io *io,
                        const cancel_flag *cancel, firn_error *err) {
    arena *memory = &self->base.memory;
    self->files = ARENA_NEW(memory, parquet_file, files->count);
    if (self->files == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < files->count; i++) {
        self->files[i] = (parquet_file){0};
        TRY(text_copy(memory, files->items[i], &self->files[i].path, err));
        self->file_count++;
    }
    TRY(text_copy(memory, name, &self->base.ref.name, err));
    self->base.ref.kind = TEXT("parquet");
    self->base.ref.snapshot_id = -1;
    self->base.ref.schema_id = -1;
    const bool reads_all = self->options.union_by_name || files->count <= FOOTERS_MAX;
    const uint32_t opened = reads_all ? files->count : 1;
    TRY(open_first(self, io, cancel, err));
    for (uint32_t i = 1; i < opened; i++) {
        TRY(cancel_check(cancel, err));
        TRY(open_file(self, i, io, cancel, err));
    }
    TRY(find_columns(self, err));
    return find_facts(self, opened, err);
}

firn_status parquet_files_open(const io_paths *files, text name,
                               const parquet_files_options *options, const file_env *env,
                               table_snapshot **out, firn_error *err) {
    assert(files->count > 0);
    arena memory = arena_open(MEMORY_MAX);
    parquet_files *self = ARENA_NEW(&memory, parquet_files, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (parquet_files){.base = {.kind = &parquet_files_kind, .memory = memory},
                            .options = *options,
                            .pool = env->pool};
    atomic_init(&self->base.references, 1);
    firn_status status = fill(self, files, name, env->io, env->cancel, err);
    if (status != FIRN_OK) {
        free_table(&self->base);
        return status;
    }
    *out = &self->base;
    return FIRN_OK;
}

static const column_facts *facts(const table_snapshot *base, uint32_t column) {
    const parquet_files *self = of(base);
    return self->is_known[column] ? &self->facts[column] : NULL;
}

// ---- Planning ----------------------------------------------------------------------------------

typedef struct parquet_task {
    scan_task base;
    uint32_t file;
    uint32_t first_row_group, row_group_count;
} parquet_task;

struct scan_planner {
    const parquet_files *table;
    uint32_t file, row_group;
    uint64_t number;
    arena memory;
};

static firn_status plan(table_snapshot *base, const scan_request *request, const scan_env *env,
                        scan_planner **out, firn_error *err) {
    (void)request;
    (void)env;
    arena memory = arena_open(MEMORY_MAX);
    scan_planner *self = ARENA_NEW(&memory, scan_planner, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (scan_planner){.table = of(base), .memory = memory};
    *out = self;
    return FIRN_OK;
}

static firn_status planner_next(scan_planner *self, const scan_task **out, scan_answer *answer,
                                firn_error *err) {
    const parquet_files *table = self->table;
    // Row groups of few files are tasks; a file of many is one.
    const bool is_cut = table->file_count <= SMALL_FILES;
    while (is_cut && self->file < table->file_count &&
           self->row_group >= pq_file_row_group_count(table->files[self->file].file)) {
        self->file++;
        self->row_group = 0;
    }
    *answer = self->file == table->file_count ? SCAN_END : SCAN_READY;
    if (*answer == SCAN_END) {
        return FIRN_OK;
    }
    const parquet_file *file = &table->files[self->file];
    parquet_task *task = ARENA_NEW(&self->memory, parquet_task, 1);
    if (task == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *task = (parquet_task){.base = {.number = self->number++, .name = file->path},
                           .file = self->file,
                           .first_row_group = is_cut ? self->row_group : 0,
                           .row_group_count = is_cut ? 1 : UINT32_MAX};
    if (is_cut) {
        task->base.row_estimate = pq_file_rows_of(file->file, self->row_group++);
    } else {
        self->file++;
    }
    *out = &task->base;
    return FIRN_OK;
}

static void planner_counters(const scan_planner *self, scan_counters *add_to) {
    (void)self;
    (void)add_to;
}

static void planner_close(scan_planner *self) {
    if (self != NULL) {
        arena memory = self->memory;
        arena_close(&memory);
    }
}

// ---- Reading -----------------------------------------------------------------------------------

struct scan_reader {
    const parquet_files *table;
    const scan_request *request;
    const parquet_task *task;
    parquet_scan *scan;
    arena memory;
};

static firn_status constant_text(text value, arena *memory, pq_pick *out, firn_error *err) {
    column *made = ARENA_NEW(memory, column, 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    TRY(column_new(memory, TYPE_OF(VARCHAR), 1, made, err));
    made->form = FORM_CONSTANT;
    *COLUMN_OUT(made, string_value) = string_of(value.data, (uint32_t)value.size);
    *out = pq_pick_constant(made);
    return FIRN_OK;
}

static firn_status pick_hive(const scan_reader *self, uint32_t number, arena *memory, pq_pick *out,
                             firn_error *err) {
    const field *wanted = &self->table->base.columns.fields[number];
    hive_keys keys;
    TRY(hive_keys_read(self->table->files[self->task->file].path, memory, &keys, err));
    for (uint32_t i = 0; i < keys.count; i++) {
        const hive_key *key = &keys.items[i];
        if (!text_equal(key->name, wanted->name) || key->is_null) {
            continue;
        }
        if (wanted->type->id == TYPE_VARCHAR) {
            return constant_text(key->value, memory, out, err);
        }
        column *made = ARENA_NEW(memory, column, 1);
        if (made == NULL) {
            return ARENA_FULL(memory, err);
        }
        TRY(column_new(memory, TYPE_OF(BIGINT), 1, made, err));
        made->form = FORM_CONSTANT;
        if (number_parse_i64(key->value, COLUMN_OUT(made, int64_t)) != NUMBER_OK) {
            return FAIL(err, FIRN_INVALID, "\"%.*s\" is no number", TEXT_ARGS(key->value));
        }
        *out = pq_pick_constant(made);
        return FIRN_OK;
    }
    return pq_pick_null(wanted->type, memory, out, err);
}

// The place of a scan column in a file: by name from the top, since files may differ.
static firn_status pick_file(const scan_reader *self, const pq_file *file,
                             const scan_column *wanted, arena *memory, pq_pick *out,
                             firn_error *err) {
    const schema *columns = &self->table->base.columns;
    const field *at = &columns->fields[wanted->path[0]];
    pq_file_field found =
        wanted->path[0] < file->types.columns.count &&
                text_equal(file->types.columns.fields[wanted->path[0]].name, at->name)
            ? pq_file_column(file, wanted->path[0])
            : pq_file_find(file, PQ_MATCH_NAME, at->name, -1);
    for (uint32_t i = 1; i < wanted->path_length && found.node != NULL; i++) {
        at = &at->type->children[wanted->path[i]];
        found = pq_file_find_child(&found, PQ_MATCH_NAME, at->name, -1);
    }
    if (found.node == NULL) {
        if (!self->table->options.union_by_name) {
            return FAIL(err, FIRN_INVALID,
                        "the file \"%.*s\" has no column \"%.*s\", which the first one has",
                        TEXT_ARGS(pq_file_path(file)), TEXT_ARGS(at->name));
        }
        return pq_pick_null(wanted->type, memory, out, err);
    }
    return pq_pick_make(file, &found, wanted->type, PQ_MATCH_NAME, memory, out, err);
}

static firn_status pick(void *user, const pq_file *file, arena *memory, pq_pick *picks,
                        firn_error *err) {
    const scan_reader *self = user;
    for (uint32_t i = 0; i < self->request->column_count; i++) {
        const scan_column *wanted = &self->request->columns[i];
        switch (self->table->kinds[wanted->path[0]]) {
        case COLUMN_FILE:
            TRY(pick_file(self, file, wanted, memory, &picks[i], err));
            break;
        case COLUMN_HIVE:
            TRY(pick_hive(self, wanted->path[0], memory, &picks[i], err));
            break;
        case COLUMN_FILENAME:
            TRY(constant_text(self->table->files[self->task->file].path, memory, &picks[i], err));
            break;
        case COLUMN_ROW_NUMBER:
            picks[i] = pq_pick_position();
            picks[i].type = wanted->type; // BIGINT and UBIGINT lie alike; positions fit both.
            break;
        }
    }
    return FIRN_OK;
}

static firn_status reopen(scan_reader *self, const scan_task *base, firn_error *err) {
    self->task = (const parquet_task *)base;
    const parquet_file *file = &self->table->files[self->task->file];
    const parquet_scan_target target = {
        .path = file->path,
        .file = file->file,
        .options = {.types = self->table->options.types},
        .verify_checksums = self->table->options.verify_checksums,
        .first_row_group = self->task->first_row_group,
        .row_group_count = self->task->row_group_count,
        .pick = pick,
        .user = self,
    };
    return parquet_scan_begin(self->scan, &target, err);
}

static void close_reader(scan_reader *self) {
    if (self != NULL) {
        parquet_scan_close(self->scan);
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
    *self = (scan_reader){.table = of(base), .request = request, .memory = memory};
    firn_status status = parquet_scan_open(request, env, &self->scan, err);
    status = status == FIRN_OK ? reopen(self, task, err) : status;
    if (status != FIRN_OK) {
        close_reader(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

static firn_status next(scan_reader *self, arena *scratch, batch *out, scan_answer *answer,
                        firn_error *err) {
    firn_status status = parquet_scan_next(self->scan, scratch, out, answer, err);
    if (status != FIRN_OK && status != FIRN_CANCELLED) {
        err_while(err, "scanning %.*s", TEXT_ARGS(self->task->base.name));
    }
    return status;
}

static void counters(const scan_reader *self, scan_counters *add_to) {
    parquet_scan_counters(self->scan, add_to);
}

const table_kind parquet_files_kind = {
    .name = "parquet",
    .facts = facts,
    .plan = plan,
    .planner_next = planner_next,
    .planner_counters = planner_counters,
    .planner_close = planner_close,
    .open = open_reader,
    .reopen = reopen,
    .next = next,
    .counters = counters,
    .close = close_reader,
    .free = free_table,
};
