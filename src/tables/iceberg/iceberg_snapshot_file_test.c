// Row ids of tests/data/iceberg/deletes: files of four rows a row group, whose column `id` counts
// up, so that it tells the position; with position and equality deletes.
#include "base/host.h"
#include "base/test.h"
#include "codecs/codec.h"
#include "expr/expr.h"
#include "io/io.h"
#include "memory/pool.h"
#include "tables/iceberg/iceberg_row_file.h"
#include "tables/iceberg/iceberg_snapshot_private.h"

#define MEMORY_LIMIT ((size_t)64 << 20)
#define CODEC_BYTES ((size_t)16 << 20)

typedef struct scene {
    io *io;
    pool *engine;
    pool *query;
    table_snapshot *table;
    row_files *files;
    codec_scratch codecs;
    scan_env env;
    scan_request request;
    scan_column column;
    uint32_t path;
    firn_error err;
} scene;

static void scene_open(scene *self, uint32_t workers) {
    *self = (scene){.err = ERR_INIT};
    REQUIRE(io_open(&(io_options){.has_thread = false}, &self->io, &self->err) == FIRN_OK);
    REQUIRE(pool_open_engine(MEMORY_LIMIT, &self->engine, &self->err) == FIRN_OK);
    const pool_options options = {.kind = POOL_QUERY, .name = "test"};
    REQUIRE(pool_open(self->engine, &options, &self->query, &self->err) == FIRN_OK);
    REQUIRE(row_files_open(self->query, &self->files, &self->err) == FIRN_OK);
    const ice_open what = {.location =
                               TEXT("tests/data/iceberg/deletes/metadata/v1.metadata.json")};
    REQUIRE(ice_table_open(self->io, &what, NULL, &self->table, &self->err) == FIRN_OK);
    self->codecs = codec_scratch_open_in(self->query, CODEC_BYTES);
    self->column = (scan_column){
        .path = &self->path, .path_length = 1, .type = TYPE_OF(BIGINT), .name = TEXT("id")};
    self->request = (scan_request){.column_count = 1,
                                   .columns = &self->column,
                                   .output_count = 1,
                                   .limit = UINT64_MAX,
                                   .needs_row_ids = true};
    self->env = (scan_env){.io = self->io,
                           .pool = self->query,
                           .codecs = &self->codecs,
                           .row_files = self->files,
                           .batch_rows = 3,
                           .workers = workers};
}

static void scene_close(scene *self) {
    table_snapshot_release(self->table);
    row_files_close(self->files);
    codec_scratch_close(&self->codecs);
    CHECK(pool_used(self->query) == 0);
    pool_close(self->query);
    pool_close(self->engine);
    io_close(self->io);
}

// What `id` of the first row of a file is; the file's name says it.
static int64_t first_id(text path) {
    return text_ends_with(path, TEXT("a-2.parquet"))   ? 20
           : text_ends_with(path, TEXT("b-3.parquet")) ? 40
                                                       : 0;
}

typedef struct found {
    uint32_t rows;
    int64_t sum;
} found;

static void read_task(scene *self, const scan_task *task, found *out) {
    scan_reader *reader = NULL;
    arena scratch = arena_open((size_t)16 << 20);
    scan_answer answer = SCAN_READY;
    REQUIRE(ice_reader_open(self->table, &self->request, task, &self->env, &reader, &self->err) ==
            FIRN_OK);
    while (answer != SCAN_END) {
        batch rows = {0};
        arena_reset(&scratch);
        REQUIRE(ice_reader_next(reader, &scratch, &rows, &answer, &self->err) == FIRN_OK);
        for (uint32_t k = 0; answer == SCAN_READY && k < rows.selected_count; k++) {
            const uint32_t row = batch_row(&rows, k);
            const int64_t id = COLUMN_VALUES(&rows.columns[0], int64_t)[row];
            const uint64_t row_id = COLUMN_VALUES(&rows.columns[1], uint64_t)[row];
            REQUIRE(rows.column_count == 2 && rows.columns[1].type->id == TYPE_UBIGINT);
            REQUIRE(row_id_file(row_id) < row_files_count(self->files));
            const text path = row_files_path(self->files, (uint32_t)row_id_file(row_id));
            CHECK(id == first_id(path) + (int64_t)row_id_position(row_id));
            out->rows++;
            out->sum += id;
        }
    }
    ice_reader_close(reader);
    arena_close(&scratch);
}

static void check_file(row_files *files, uint32_t ordinal) {
    const ice_row_file file = ice_row_file_at(files, ordinal);
    const text path = row_files_path(files, ordinal);
    const bool is_a = text_find(path, TEXT("/a-")) < path.size;
    CHECK(text_equal(file.whole->name, path) && text_equal_nocase(file.format, TEXT("parquet")));
    CHECK(file.spec->count == 1 && file.partition[0].kind == ICE_SCALAR_BYTES);
    CHECK(file.partition[0].data.size == 1 && file.partition[0].data.data[0] == (is_a ? 'a' : 'b'));
    CHECK(file.size > 100 && file.size < 10000);
    CHECK(file.sequence_number == (text_ends_with(path, TEXT("b-3.parquet")) ? 4 : 1));
    CHECK(file.row_count == (first_id(path) == 40 ? 6 : 10));
}

static void scan_all(scene *self, found *out) {
    scan_planner *planner = NULL;
    const scan_task *task = NULL;
    scan_answer answer = SCAN_READY;
    REQUIRE(ice_plan(self->table, &self->request, &self->env, &planner, &self->err) == FIRN_OK);
    while (answer != SCAN_END) {
        REQUIRE(ice_planner_next(planner, &task, &answer, &self->err) == FIRN_OK);
        if (answer == SCAN_READY) {
            read_task(self, task, out);
        }
    }
    for (uint32_t i = 0; i < row_files_count(self->files); i++) {
        check_file(self->files, i);
    }
    // Opened again as a whole, a file gives its live rows.
    const uint32_t before = out->rows;
    const expr_list filters = self->request.filters;
    found again = {0};
    self->request.filters = (expr_list){0};
    for (uint32_t i = 0; i < row_files_count(self->files); i++) {
        read_task(self, ice_row_file_at(self->files, i).whole, &again);
    }
    self->request.filters = filters;
    CHECK(again.rows >= before && (filters.count > 0 || again.rows == before));
    ice_planner_close(planner);
}

TEST(iceberg_row_ids_are_files_and_positions_whatever_was_deleted) {
    for (uint32_t workers = 1; workers <= 4; workers++) {
        scene s;
        found all = {0};
        scene_open(&s, workers);
        scan_all(&s, &all);
        CHECK(all.rows == 26 && row_files_count(s.files) == 4);
        CHECK(all.sum == 1 + 2 + 3 + 6 + 7 + 8 + 20 + 23 + 24 + 25 + 26 + 27 + 28 + 29 + 2 + 3 + 4 +
                             6 + 7 + 8 + 40 + 41 + 42 + 43 + 44 + 45);
        scene_close(&s);
    }
}

static const int64_t live[] = {1,  2, 3, 6, 7, 8, 20, 23, 24, 25, 26, 27, 28,
                               29, 2, 3, 4, 6, 7, 8,  40, 41, 42, 43, 44, 45};

// id IN (`first`, `first` + 1, `first` + 20), or the opposite.
static expr *make_filter(arena *memory, int64_t first, bool is_negated) {
    firn_error err = ERR_INIT;
    expr *made = expr_new(memory, EXPR_IN, TYPE_OF(BOOLEAN));
    column *values = ARENA_NEW(memory, column, 1);
    if (made == NULL || values == NULL ||
        column_new(memory, TYPE_OF(BIGINT), 3, values, &err) != FIRN_OK) {
        return NULL;
    }
    for (int i = 0; i < 3; i++) {
        COLUMN_OUT(values, int64_t)[i] = first + (i == 2 ? 20 : i);
    }
    made->in_.arg = expr_column(memory, 0, TEXT("id"), TYPE_OF(BIGINT));
    made->in_.values = values;
    made->in_.is_negated = is_negated;
    return made;
}

TEST(iceberg_row_ids_are_those_of_the_rows_that_filters_leave) {
    for (int64_t i = 0; i < 100; i++) {
        scene s;
        found all = {0};
        found wanted = {0};
        const int64_t first = i / 2;
        arena memory = arena_open((size_t)1 << 20);
        scene_open(&s, 2);
        expr *filter = make_filter(&memory, first, i % 2 == 1);
        REQUIRE(filter != NULL);
        s.request.filters = (expr_list){.count = 1, .items = &filter};
        scan_all(&s, &all);
        for (size_t k = 0; k < sizeof live / sizeof *live; k++) {
            const bool is_in = live[k] == first || live[k] == first + 1 || live[k] == first + 20;
            if (is_in == (i % 2 == 0)) {
                wanted.rows++;
                wanted.sum += live[k];
            }
        }
        CHECK(all.rows == wanted.rows && all.sum == wanted.sum);
        arena_close(&memory);
        scene_close(&s);
    }
}
