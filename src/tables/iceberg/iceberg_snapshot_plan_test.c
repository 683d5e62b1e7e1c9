// Tasks of tests/data/iceberg/lines, which is one row group of many pages, and of remote, which is
// three files of 100 MiB and a million rows that are not there.
#include "base/test.h"
#include "io/io.h"
#include "memory/pool.h"
#include "tables/files/parquet_cut.h"
#include "tables/iceberg/iceberg_snapshot_private.h"

#define MEMORY_LIMIT ((size_t)64 << 20)

typedef struct scene {
    io *io;
    pool *engine;
    pool *query;
    table_snapshot *table;
    scan_env env;
    scan_request request;
    scan_column column;
    uint32_t path;
    firn_error err;
} scene;

static void scene_open(scene *self, const char *metadata, uint32_t workers) {
    *self = (scene){.err = ERR_INIT};
    REQUIRE(io_open(&(io_options){.has_thread = false}, &self->io, &self->err) == FIRN_OK);
    REQUIRE(pool_open_engine(MEMORY_LIMIT, &self->engine, &self->err) == FIRN_OK);
    const pool_options options = {.kind = POOL_QUERY, .name = "test"};
    REQUIRE(pool_open(self->engine, &options, &self->query, &self->err) == FIRN_OK);
    const ice_open what = {.location = text_of(metadata)};
    REQUIRE(ice_table_open(self->io, &what, NULL, &self->table, &self->err) == FIRN_OK);
    self->column = (scan_column){
        .path = &self->path, .path_length = 1, .type = TYPE_OF(BIGINT), .name = TEXT("id")};
    self->request = (scan_request){
        .column_count = 1, .columns = &self->column, .output_count = 1, .limit = UINT64_MAX};
    self->env =
        (scan_env){.io = self->io, .pool = self->query, .batch_rows = 3, .workers = workers};
}

static void scene_close(scene *self) {
    table_snapshot_release(self->table);
    CHECK(pool_used(self->query) == 0);
    pool_close(self->query);
    pool_close(self->engine);
    io_close(self->io);
}

// NULL: there is none any more.
static const ice_task *next_task(scan_planner *planner, firn_error *err) {
    const scan_task *base = NULL;
    scan_answer answer = SCAN_END;
    CHECK(ice_planner_next(planner, &base, &answer, err) == FIRN_OK);
    return answer == SCAN_END ? NULL : (const ice_task *)base;
}

TEST(iceberg_tasks_are_pieces_of_a_row_group_that_share_its_footer) {
    static const struct {
        uint32_t workers, tasks_min, tasks_max;
    } cases[] = {{1, 1, 1}, {2, 6, 8}, {4, 12, 16}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene s;
        scan_planner *planner;
        uint32_t count = 0;
        uint64_t row = 0;
        uint64_t end = 0;
        const pq_file *file = NULL;
        scene_open(&s, "tests/data/iceberg/lines/metadata/v1.metadata.json", cases[i].workers);
        REQUIRE(ice_plan(s.table, &s.request, &s.env, &planner, &s.err) == FIRN_OK);
        for (;;) {
            const ice_task *task = next_task(planner, &s.err);
            if (task == NULL) {
                break;
            }
            CHECK(task->base.number == count && task->part.part.from == row);
            CHECK(task->part.file != NULL && (file == NULL || task->part.file == file));
            file = task->part.file;
            row += task->base.row_estimate;
            end = task->part.part.to;
            count++;
        }
        CHECK(row == 3000 && end == UINT64_MAX);
        CHECK(count >= cases[i].tasks_min && count <= cases[i].tasks_max);
        ice_planner_close(planner);
        scene_close(&s);
    }
}

// Where row groups begin is known of the first only; the others are cut at every 64 MiB.
TEST(iceberg_tasks_of_remote_files_begin_where_row_groups_do) {
    static const struct {
        uint32_t workers, tasks[3];
    } cases[] = {{1, {2, 2, 2}}, {2, {3, 2, 2}}, {4, {4, 2, 2}}, {64, {10, 2, 2}}};
    const uint64_t mib = 1 << 20;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene s;
        scan_planner *planner;
        uint32_t tasks[3] = {0};
        uint64_t from[3] = {0};
        scene_open(&s, "tests/data/iceberg/remote/metadata/v1.metadata.json", cases[i].workers);
        REQUIRE(ice_plan(s.table, &s.request, &s.env, &planner, &s.err) == FIRN_OK);
        for (;;) {
            const ice_task *task = next_task(planner, &s.err);
            if (task == NULL) {
                break;
            }
            const uint64_t file = task->file_number;
            REQUIRE(file < 3 && task->part.file == NULL);
            CHECK(task->part.begins_from == from[file] && task->part.begins_to > from[file]);
            from[file] = task->part.begins_to;
            tasks[file]++;
            CHECK(file > 0 || cases[i].workers == 1 || from[0] == UINT64_MAX ||
                  from[0] % (10 * mib) == 4);
        }
        for (size_t file = 0; file < 3; file++) {
            CHECK(from[file] == UINT64_MAX && tasks[file] == cases[i].tasks[file]);
        }
        ice_planner_close(planner);
        scene_close(&s);
    }
}

TEST(parquet_cut_sizes_are_of_one_task_at_least) {
    const scan_env env = {.workers = 1, .batch_rows = 2048};
    const parquet_cut_sizes sizes = parquet_cut_sizes_for(0, 3, 0, &env);
    CHECK(sizes.task_groups >= 1 && sizes.task_groups <= 3 && sizes.piece_rows == 0);
}
