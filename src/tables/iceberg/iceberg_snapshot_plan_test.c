// Tasks of tests/data/iceberg/lines, which is one row group of many pages, and of remote, which is
// three files of 100 MiB and a million rows; a fake network has another file in their place.
#include "base/host.h"
#include "base/test.h"
#include "io/fake_net.h"
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

static void scene_open_with(scene *self, const io_options *bytes, const char *metadata,
                            uint32_t workers) {
    *self = (scene){.err = ERR_INIT};
    REQUIRE(io_open(bytes, &self->io, &self->err) == FIRN_OK);
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

static void scene_open(scene *self, const char *metadata, uint32_t workers) {
    scene_open_with(self, &(io_options){.has_thread = false}, metadata, workers);
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
    while (answer == SCAN_WAIT) {
        host_sleep_ms(1);
        CHECK(ice_planner_next(planner, &base, &answer, err) == FIRN_OK);
    }
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

// ---- Remote files ------------------------------------------------------------------------------

#define REMOTE "tests/data/iceberg/remote/metadata/v1.metadata.json"
#define REMOTE_FILE "tests/data/iceberg/large/data/0.parquet" // Of three row groups.

static void serve_file(arena *memory, fake_object **object) {
    io *files = NULL;
    firn_error err = ERR_INIT;
    fake_object *out = ARENA_NEW(memory, fake_object, 1);
    REQUIRE(out != NULL);
    *object = out;
    *out = (fake_object){.etag = "\"1\"", .pause_ms = 2};
    REQUIRE(io_open(&(io_options){.has_thread = false}, &files, &err) == FIRN_OK);
    REQUIRE(io_get(files, TEXT(REMOTE_FILE), (size_t)1 << 20, NULL, memory, &out->content, &err) ==
            FIRN_OK);
    io_close(files);
}

// Where row groups begin is said of the first file only; footers say it of the others, unless one
// worker reads all and they are cut at every 64 MiB.
TEST(iceberg_tasks_of_remote_files_begin_where_row_groups_do) {
    static const struct {
        uint32_t workers, tasks[3], requests;
    } cases[] = {{1, {2, 2, 2}, 0}, {2, {3, 3, 3}, 2}, {4, {4, 3, 3}, 2}, {64, {10, 3, 3}, 2}};
    const uint64_t mib = 1 << 20;
    arena memory = arena_open((size_t)4 << 20);
    fake_object *object = NULL;
    serve_file(&memory, &object);
    REQUIRE(object != NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene s;
        fake_net net;
        scan_planner *planner;
        uint32_t tasks[3] = {0};
        uint64_t from[3] = {0};
        uint32_t groups[3] = {0};
        fake_net_begin(&net, fake_object_script, object);
        scene_open_with(&s, &(io_options){.has_thread = true, .net = fake_net_module()}, REMOTE,
                        cases[i].workers);
        REQUIRE(ice_plan(s.table, &s.request, &s.env, &planner, &s.err) == FIRN_OK);
        for (;;) {
            const ice_task *task = next_task(planner, &s.err);
            if (task == NULL) {
                break;
            }
            const uint64_t file = task->file_number;
            REQUIRE(file < 3);
            tasks[file]++;
            if (task->part.file != NULL) { // One footer for all.
                CHECK(task->part.part.first_row_group == groups[file]);
                groups[file] += task->part.part.row_group_count;
                CHECK(task->base.row_estimate == 40000);
                continue;
            }
            CHECK(task->part.begins_from == from[file] && task->part.begins_to > from[file]);
            from[file] = task->part.begins_to;
            CHECK(file > 0 || cases[i].workers == 1 || from[0] == UINT64_MAX ||
                  from[0] % (10 * mib) == 4);
        }
        for (size_t file = 0; file < 3; file++) {
            const bool by_footer = file > 0 && cases[i].workers > 1;
            CHECK(tasks[file] == cases[i].tasks[file]);
            CHECK(by_footer ? groups[file] == 3 : from[file] == UINT64_MAX);
        }
        CHECK(net.request_count == cases[i].requests);
        ice_planner_close(planner);
        scene_close(&s);
        fake_net_end(&net);
    }
    arena_close(&memory);
}

static void answer_gone(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    (void)user;
    (void)number;
    (void)call;
    *out = (fake_answer){.status = 404, .end = NET_DONE};
}

TEST(iceberg_planning_names_the_remote_file_that_is_not_there) {
    scene s;
    fake_net net;
    scan_planner *planner;
    const scan_task *task = NULL;
    scan_answer answer = SCAN_READY;
    firn_status status = FIRN_OK;
    fake_net_begin(&net, answer_gone, NULL);
    scene_open_with(&s, &(io_options){.has_thread = true, .net = fake_net_module()}, REMOTE, 2);
    REQUIRE(ice_plan(s.table, &s.request, &s.env, &planner, &s.err) == FIRN_OK);
    for (int i = 0; status == FIRN_OK && answer != SCAN_END && i < 1000; i++) {
        status = ice_planner_next(planner, &task, &answer, &s.err);
        if (answer == SCAN_WAIT) {
            host_sleep_ms(1);
        }
    }
    CHECK(status == FIRN_NOT_FOUND);
    CHECK(strstr(s.err.text, "http://127.0.0.1:1/1.parquet") != NULL);
    CHECK(strstr(s.err.text, "manifest") == NULL);
    ice_planner_close(planner);
    scene_close(&s);
    fake_net_end(&net);
}

TEST(iceberg_planning_of_remote_files_may_end_while_a_footer_is_on_its_way) {
    scene s;
    fake_net net;
    scan_planner *planner;
    const scan_task *task = NULL;
    scan_answer answer = SCAN_READY;
    arena memory = arena_open((size_t)4 << 20);
    fake_object *object = NULL;
    serve_file(&memory, &object);
    REQUIRE(object != NULL);
    object->pause_ms = FAKE_NEVER;
    fake_net_begin(&net, fake_object_script, object);
    scene_open_with(&s, &(io_options){.has_thread = true, .net = fake_net_module()}, REMOTE, 2);
    REQUIRE(ice_plan(s.table, &s.request, &s.env, &planner, &s.err) == FIRN_OK);
    while (answer == SCAN_READY) {
        REQUIRE(ice_planner_next(planner, &task, &answer, &s.err) == FIRN_OK);
    }
    CHECK(answer == SCAN_WAIT);
    ice_planner_close(planner);
    scene_close(&s);
    fake_net_end(&net);
    arena_close(&memory);
}

// Who is stopped while facts are gathered leaves the question open for others.
TEST(iceberg_facts_that_nobody_waited_for_are_not_taken_as_unknown) {
    scene s;
    cancel_flag cancel = {.parent = NULL};
    cancel_raise(&cancel);
    scene_open(&s, "tests/data/iceberg/sales/metadata/v1.metadata.json", 1);
    CHECK(ice_column_facts(s.table, 0, &cancel) == NULL);
    const column_facts *facts = ice_column_facts(s.table, 0, NULL);
    REQUIRE(facts != NULL && facts->minimum != NULL && facts->maximum != NULL);
    CHECK(*COLUMN_VALUES(facts->minimum, int64_t) == 100);
    CHECK(*COLUMN_VALUES(facts->maximum, int64_t) == 509);
    CHECK(ice_column_facts(s.table, 0, &cancel) == facts); // They are there.
    scene_close(&s);
}

TEST(parquet_cut_sizes_are_of_one_task_at_least) {
    const scan_env env = {.workers = 1, .batch_rows = 2048};
    const parquet_cut_sizes sizes = parquet_cut_sizes_for(0, 3, 0, &env);
    CHECK(sizes.task_groups >= 1 && sizes.task_groups <= 3 && sizes.piece_rows == 0);
}
