// Tables of Parquet files that are made here and written to a folder.
#include "tables/files/parquet_files.h"

#include "expr/expr.h"
#include "formats/parquet/pq_sample.h"
#include "io/test_folder.h"
#include "memory/pool.h"
#include "threads/scheduler.h"

#define MEMORY_LIMIT ((size_t)512 << 20)
#define FILES_MAX 8
#define NAME_MAX_BYTES 400

typedef struct scene {
    arena memory;
    test_folder folder;
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
    char names[FILES_MAX][NAME_MAX_BYTES];
    text paths[FILES_MAX];
    uint32_t file_count;
    parquet_files_options options;
    table_snapshot *table;
    scan_column columns[FILES_MAX];
    uint32_t numbers[FILES_MAX];
    scan_request request;
    scan_env env;
    statement_context context;
    expr *filter;
    scan_counters counters;
    firn_error err;
} scene;

static int64_t row_itself(uint64_t row) {
    return (int64_t)row;
}

static int64_t row_behind(uint64_t row) {
    return (int64_t)row + 100000;
}

static const pq_sample_column number = {
    .name = "n", .type = PQ_INT64, .value = row_itself, .page_rows = 500, .has_statistics = true};

static void scene_open(scene *self, const char *name) {
    *self = (scene){.memory = arena_open(MEMORY_LIMIT),
                    .folder = test_folder_open(name),
                    .codecs = codec_scratch_open((size_t)16 << 20),
                    .options = {.hive = HIVE_AUTO},
                    .err = ERR_INIT};
    REQUIRE(io_open(&(io_options){.has_thread = false}, &self->io, &self->err) == FIRN_OK);
    REQUIRE(pool_open_engine(MEMORY_LIMIT, &self->engine, &self->err) == FIRN_OK);
    const pool_options options = {.kind = POOL_QUERY, .name = "test"};
    REQUIRE(pool_open(self->engine, &options, &self->query, &self->err) == FIRN_OK);
    self->env = (scan_env){.io = self->io,
                           .pool = self->query,
                           .context = &self->context,
                           .codecs = &self->codecs,
                           .batch_rows = 16,
                           .workers = 1};
}

static void scene_close(scene *self) {
    table_snapshot_release(self->table);
    codec_scratch_close(&self->codecs);
    CHECK(pool_used(self->query) == 0);
    pool_close(self->query);
    pool_close(self->engine);
    io_close(self->io);
    test_folder_close(&self->folder);
    arena_close(&self->memory);
}

// Writes a file of columns below the folder.
static void add_file(scene *self, const char *name, const pq_sample_column *columns, uint32_t count,
                     uint64_t rows, uint64_t group_rows) {
    const pq_sample sample = {
        .columns = columns, .column_count = count, .row_count = rows, .group_rows = group_rows};
    const bytes content = pq_sample_make(&sample, &self->memory);
    char *full = self->names[self->file_count];
    host_file file;
    test_folder_write(&self->folder, name, "");
    (void)snprintf(full, NAME_MAX_BYTES, "%s/%s", self->folder.path, name);
    REQUIRE(host_open(full, HOST_MODE_CREATE, &file, &self->err) == FIRN_OK);
    CHECK(host_write(file, 0, content, &self->err) == FIRN_OK);
    host_close(&file);
    self->paths[self->file_count++] = text_of(full);
}

static firn_status open_table(scene *self) {
    const io_paths files = {.count = self->file_count, .items = self->paths};
    const parquet_files_paths paths = {.patterns = files, .files = files};
    const file_env env = {.io = self->io, .pool = self->query};
    return parquet_files_open(&paths, TEXT("test"), &self->options, &env, &self->table, &self->err);
}

// Asks for all columns of the table; ids are their numbers.
static void ask_all(scene *self) {
    const schema *columns = &self->table->columns;
    for (uint32_t i = 0; i < columns->count; i++) {
        self->numbers[i] = i;
        self->columns[i] = (scan_column){.id = i,
                                         .path = &self->numbers[i],
                                         .path_length = 1,
                                         .type = columns->fields[i].type,
                                         .name = columns->fields[i].name};
    }
    self->request = (scan_request){.column_count = columns->count,
                                   .columns = self->columns,
                                   .output_count = columns->count,
                                   .limit = UINT64_MAX};
}

static uint32_t column_number(const scene *self, const char *name) {
    for (uint32_t i = 0; i < self->table->columns.count; i++) {
        if (text_equal(self->table->columns.fields[i].name, text_of(name))) {
            return i;
        }
    }
    return UINT32_MAX;
}

// Keeps the rows where a column is one value: a number, or a text.
static void filter_by(scene *self, const char *name, int64_t value, const char *words) {
    const uint32_t at = column_number(self, name);
    REQUIRE(at != UINT32_MAX);
    column *made = ARENA_NEW(&self->memory, column, 1);
    const type *kind = self->table->columns.fields[at].type;
    self->filter = expr_new(&self->memory, EXPR_IN, TYPE_OF(BOOLEAN));
    REQUIRE(column_new(&self->memory, kind, 1, made, &self->err) == FIRN_OK);
    if (words != NULL) {
        *COLUMN_OUT(made, string_value) = string_of(words, (uint32_t)strlen(words));
    } else if (kind->id == TYPE_DATE) {
        *COLUMN_OUT(made, int32_t) = (int32_t)value;
    } else {
        *COLUMN_OUT(made, int64_t) = value;
    }
    self->filter->in_.arg = expr_column(&self->memory, at, text_of(name), kind);
    self->filter->in_.values = made;
    self->request.filters = (expr_list){.count = 1, .items = &self->filter};
}

// What a scan gave: rows, and whether the numbers of the first column ascend by one.
typedef struct outcome {
    firn_status status;
    uint32_t tasks;
    uint64_t rows;
    uint64_t nulls;
    int64_t last;
    bool ascends;
} outcome;

static void take_rows(const batch *rows, outcome *out) {
    arena memory = arena_open(MEMORY_LIMIT);
    firn_error err = ERR_INIT;
    column flat;
    REQUIRE(column_flatten(&memory, &rows->columns[0], &flat, &err) == FIRN_OK);
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        const uint32_t row = batch_row(rows, k);
        if (column_is_valid(&flat, row)) {
            const int64_t value = COLUMN_VALUES(&flat, int64_t)[row];
            out->ascends = out->ascends && value == out->last + 1;
            out->last = value;
        } else {
            out->nulls += 1;
        }
    }
    out->rows += rows->selected_count;
    arena_close(&memory);
}

// Runs a task with the reader of the task before, or with a new one.
static void read_task(scene *self, const scan_task *task, scan_reader **reader, outcome *out) {
    arena scratch = arena_open(MEMORY_LIMIT);
    const table_kind *kind = self->table->kind;
    out->status = *reader != NULL ? kind->reopen(*reader, task, &self->err)
                                  : kind->open(self->table, &self->request, task, &self->env,
                                               reader, &self->err);
    scan_answer answer = SCAN_READY;
    while (out->status == FIRN_OK && answer != SCAN_END) {
        batch rows;
        out->status = kind->next(*reader, &scratch, &rows, &answer, &self->err);
        if (out->status == FIRN_OK && answer == SCAN_READY) {
            take_rows(&rows, out);
        }
    }
    arena_close(&scratch);
}

static void end_reader(scene *self, scan_reader **reader) {
    if (*reader != NULL) {
        self->table->kind->counters(*reader, &self->counters);
        self->table->kind->close(*reader);
        *reader = NULL;
    }
}

static outcome scan(scene *self) {
    outcome out = {.last = -1, .ascends = true};
    const table_kind *kind = self->table->kind;
    scan_planner *planner;
    scan_reader *reader = NULL;
    scan_answer answer = SCAN_READY;
    self->counters = (scan_counters){0};
    out.status = kind->plan(self->table, &self->request, &self->env, &planner, &self->err);
    while (out.status == FIRN_OK && answer == SCAN_READY) {
        const scan_task *task;
        out.status = kind->planner_next(planner, &task, &answer, &self->err);
        if (out.status == FIRN_OK && answer == SCAN_READY) {
            CHECK(task->number == out.tasks);
            out.tasks += 1;
            read_task(self, task, &reader, &out);
            if (out.tasks % 4 == 0) {
                end_reader(self, &reader);
            }
        }
    }
    end_reader(self, &reader);
    kind->planner_counters(planner, &self->counters);
    kind->planner_close(planner);
    return out;
}

// ---- Tasks -------------------------------------------------------------------------------------

TEST(parquet_files_cut_one_row_group_for_several_workers) {
    static const struct {
        uint32_t workers;
        uint64_t rows;
        uint64_t group_rows;
        bool has_index;
        uint32_t tasks_min;
        uint32_t tasks_max;
    } cases[] = {
        {1, 20000, 0, false, 1, 1},     // Alone: nobody to share with.
        {1, 20000, 500, false, 14, 14}, // Three row groups a task.
        {2, 20000, 1000, false, 10, 10},
        {2, 20000, 0, false, 7, 9},
        {2, 20000, 0, true, 7, 9},
        {8, 20000, 0, false, 19, 20}, // Pieces of at least 64 batches: 1024 rows.
        {2, 1500, 0, false, 1, 1},
        {2, 20000, 2000, false, 10, 10},
        {4, 20000, 7000, true, 12, 20},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene s;
        scene_open(&s, "cut");
        pq_sample_column column = number;
        column.has_index = cases[i].has_index;
        add_file(&s, "a.parquet", &column, 1, cases[i].rows, cases[i].group_rows);
        REQUIRE(open_table(&s) == FIRN_OK);
        ask_all(&s);
        s.env.workers = cases[i].workers;
        const outcome out = scan(&s);
        CHECK(out.status == FIRN_OK && out.rows == cases[i].rows && out.ascends);
        if (out.tasks < cases[i].tasks_min || out.tasks > cases[i].tasks_max) {
            printf("case %zu: %u tasks\n", i, out.tasks);
        }
        CHECK(out.tasks >= cases[i].tasks_min && out.tasks <= cases[i].tasks_max);
        // No page is decompressed twice: pieces begin at pages.
        CHECK(s.counters.pages == (cases[i].rows + 499) / 500);
        const uint64_t groups =
            cases[i].group_rows == 0
                ? 1
                : (cases[i].rows + cases[i].group_rows - 1) / cases[i].group_rows;
        CHECK(s.counters.files == 1 && s.counters.row_groups == groups);
        scene_close(&s);
    }
}

// ---- Several files -----------------------------------------------------------------------------

TEST(parquet_files_know_the_bounds_over_all_files) {
    scene s;
    scene_open(&s, "bounds");
    pq_sample_column column = number;
    add_file(&s, "a.parquet", &column, 1, 1000, 300);
    column.value = row_behind;
    add_file(&s, "b.parquet", &column, 1, 500, 0);
    REQUIRE(open_table(&s) == FIRN_OK);
    const column_facts *facts = s.table->kind->facts(s.table, 0, NULL);
    REQUIRE(facts != NULL && facts->minimum != NULL && facts->maximum != NULL);
    CHECK(*COLUMN_VALUES(facts->minimum, int64_t) == 0);
    CHECK(*COLUMN_VALUES(facts->maximum, int64_t) == 100499);
    CHECK(facts->null_count.is_known && facts->null_count.value == 0);
    CHECK(s.table->row_count.is_known && s.table->row_count.value == 1500);
    CHECK(s.table->kind->facts(s.table, 0, NULL) == facts); // Found out once.
    scene_close(&s);
}

TEST(parquet_files_leave_out_files_by_their_folders) {
    static const struct {
        const char *column;
        int64_t value;
        const char *words;
        uint64_t files, pruned;
    } cases[] = {
        {"year", 2024, NULL, 2, 1}, {"year", 1999, NULL, 0, 3}, {"day", 19723, NULL, 1, 2},
        {"place", 0, "a b", 1, 2},  {"place", 0, "c", 1, 2},    {"n", 5, NULL, 3, 0},
        {"place", 0, "zzz", 0, 3},
    };
    scene s;
    scene_open(&s, "folders");
    add_file(&s, "year=2023/day=2023-12-31/place=a%20b/x.parquet", &number, 1, 100, 0);
    add_file(&s, "year=2024/day=2024-01-01/place=c/x.parquet", &number, 1, 100, 0);
    add_file(&s, "year=2024/day=2024-01-02/place=__HIVE_DEFAULT_PARTITION__/x.parquet", &number, 1,
             100, 0);
    REQUIRE(open_table(&s) == FIRN_OK);
    CHECK(s.table->columns.fields[column_number(&s, "year")].type->id == TYPE_BIGINT);
    CHECK(s.table->columns.fields[column_number(&s, "day")].type->id == TYPE_DATE);
    CHECK(s.table->columns.fields[column_number(&s, "place")].type->id == TYPE_VARCHAR);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask_all(&s);
        filter_by(&s, cases[i].column, cases[i].value, cases[i].words);
        const outcome out = scan(&s);
        CHECK(out.status == FIRN_OK && s.counters.files == cases[i].files);
        CHECK(s.counters.files_pruned_partition == cases[i].pruned);
        CHECK(out.rows == (strcmp(cases[i].column, "n") == 0 ? 3 : cases[i].files * 100));
    }
    scene_close(&s);
}

TEST(parquet_files_unite_columns_by_name) {
    scene s;
    scene_open(&s, "unite");
    const pq_sample_column two[] = {number,
                                    {.name = "t", .type = PQ_BYTE_ARRAY, .value = row_itself}};
    const pq_sample_column other = {.name = "t", .type = PQ_BYTE_ARRAY, .value = row_behind};
    add_file(&s, "a.parquet", two, 2, 100, 0);
    add_file(&s, "b.parquet", &other, 1, 50, 0);
    REQUIRE(open_table(&s) == FIRN_OK);
    ask_all(&s);
    const outcome refused = scan(&s);
    CHECK(refused.status == FIRN_INVALID);
    CHECK(strstr(s.err.text, "b.parquet\" has no column \"n\"") != NULL);
    table_snapshot_release(s.table);
    s.table = NULL;
    s.err = (firn_error){.size = sizeof s.err};
    s.options.union_by_name = true;
    REQUIRE(open_table(&s) == FIRN_OK);
    ask_all(&s);
    const outcome out = scan(&s);
    CHECK(out.status == FIRN_OK && out.rows == 150 && out.nulls == 50);
    scene_close(&s);
}

TEST(parquet_files_refuse_what_does_not_go_together) {
    static const struct {
        bool union_by_name, with_filename;
        const char *words;
    } cases[] = {
        {true, false, "column \"n\" is VARCHAR in \""},
        {false, true, "the option filename => true adds a column of that name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene s;
        scene_open(&s, "refuse");
        const pq_sample_column columns[] = {
            number, {.name = "filename", .type = PQ_INT64, .value = row_itself}};
        const pq_sample_column text_column = {
            .name = "n", .type = PQ_BYTE_ARRAY, .value = row_itself};
        add_file(&s, "a.parquet", columns, 2, 10, 0);
        add_file(&s, "b.parquet", &text_column, 1, 10, 0);
        s.options.union_by_name = cases[i].union_by_name;
        s.options.with_filename = cases[i].with_filename;
        CHECK(open_table(&s) == FIRN_INVALID);
        CHECK(strstr(s.err.text, cases[i].words) != NULL);
        scene_close(&s);
    }
}
