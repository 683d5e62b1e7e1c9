// Which tables a query over information_schema opens, and what EXPLAIN (FORMAT JSON) tells.
#include "base/host.h"
#include "engine/scene_testing.h"
#include "memory/json_tree.h"
#include "memory/text_builder.h"

static const firn_option one_thread = {.key = "threads", .value = "1"};

static void execute(scene *self, const char *sql) {
    REQUIRE(scene_execute(self, sql) == FIRN_OK);
}

// Reads of files that a query makes; UINT64_MAX after a failure.
static uint64_t reads_of(scene *self, const char *sql) {
    host_fault_set(HOST_READ, 0);
    const uint64_t before = host_fault_count(HOST_READ);
    const firn_status status = scene_execute(self, sql);
    return status == FIRN_OK ? host_fault_count(HOST_READ) - before : UINT64_MAX;
}

#define COLUMNS "SELECT column_name FROM information_schema.columns WHERE "

TEST(information_schema_opens_only_tables_that_are_asked_about) {
    scene here;
    REQUIRE(scene_open(&here, &one_thread, 1));
    execute(&here, "ATTACH 'tests/data/iceberg/mixed' AS mixed (TYPE iceberg)");
    execute(&here, "CREATE TABLE t (a INTEGER)");
    const uint64_t of_one = reads_of(&here, COLUMNS "table_name = 'good'");
    const uint64_t of_all = reads_of(&here, COLUMNS "column_name <> ''");
    CHECK(of_one > 0 && of_one < of_all && of_all < UINT64_MAX);
    static const char *const nothing[] = {
        COLUMNS "table_catalog = 'memory'",
        COLUMNS "table_catalog IN ('memory', 'temp') AND column_name = 'a'",
        COLUMNS "table_schema = 'main'",
        COLUMNS "table_name LIKE 'nope%'",
        COLUMNS "table_catalog = 'mixed' AND table_name = 't'",
        "SELECT * FROM information_schema.tables",
        "EXPLAIN " COLUMNS "table_name = 'good'",
        "DESCRIBE information_schema.columns",
    };
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        if (reads_of(&here, nothing[i]) != 0) {
            printf("%s\n", nothing[i]);
            CHECK(false);
        }
    }
    host_fault_set(HOST_READ, 0);
    scene_close(&here);
}

TEST(information_schema_is_as_it_is_when_the_statement_runs) {
    scene here;
    REQUIRE(scene_open(&here, &one_thread, 1));
    firn_statement *statement = NULL;
    const char *sql = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'main'";
    REQUIRE(firn_prepare(here.session, sql, FIRN_NUL_TERMINATED, &statement, NULL, &here.err) ==
            FIRN_OK);
    for (int64_t expected = 0; expected < 3; expected++) {
        struct ArrowArrayStream rows = {0};
        struct ArrowArray batch = {0};
        REQUIRE(firn_statement_run(statement, &rows, &here.err) == FIRN_OK);
        REQUIRE(rows.get_next(&rows, &batch) == 0 && batch.release != NULL);
        CHECK(((const int64_t *)batch.children[0]->buffers[1])[batch.children[0]->offset] ==
              expected);
        batch.release(&batch);
        rows.release(&rows);
        execute(&here, expected == 0 ? "CREATE TABLE a (x INTEGER)"
                                     : "CREATE OR REPLACE VIEW b AS SELECT 1");
    }
    firn_statement_close(statement);
    scene_close(&here);
}

// The only cell of an EXPLAIN, as JSON.
static void explain(scene *self, const char *sql, arena *memory, const json_node **out) {
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    REQUIRE(firn_query(self->session, sql, FIRN_NUL_TERMINATED, &rows, &self->err) == FIRN_OK);
    REQUIRE(rows.get_next(&rows, &batch) == 0 && batch.release != NULL);
    CHECK(batch.length == 1);
    const int32_t *ends = batch.children[0]->buffers[1];
    const char *data = batch.children[0]->buffers[2];
    const text cell = {.data = data + ends[0], .size = (size_t)(ends[1] - ends[0])};
    text kept; // The tree points into it.
    REQUIRE(text_copy(memory, cell, &kept, &self->err) == FIRN_OK);
    const bytes json = {.data = (const uint8_t *)kept.data, .size = kept.size};
    REQUIRE(json_tree_read(memory, json, out, &self->err) == FIRN_OK);
    batch.release(&batch);
    rows.release(&rows);
}

// The node at the end of a chain of plan nodes.
static const json_node *last_input(const json_node *node) {
    const json_node *inputs = node == NULL ? NULL : json_find(node, "inputs");
    while (inputs != NULL && inputs->kind == JSON_ARRAY && inputs->count == 1) {
        node = inputs->first;
        inputs = json_find(node, "inputs");
    }
    return node;
}

TEST(explain_as_json_is_the_plan_as_a_tree) {
    scene here;
    REQUIRE(scene_open(&here, &one_thread, 1));
    arena memory = arena_open((size_t)1 << 20);
    text label;
    execute(&here, "CREATE TABLE t AS SELECT x AS \"a\"\"b\" FROM generate_series(1, 10) g(x)");
    const char *sql = "EXPLAIN (FORMAT JSON) SELECT * FROM t WHERE \"a\"\"b\" > 3";
    const json_node *tree = NULL;
    explain(&here, sql, &memory, &tree);
    REQUIRE(tree != NULL);
    const json_node *output = json_find(tree, "plan");
    REQUIRE(output != NULL && json_find(tree, "planning_ms") != NULL);
    CHECK(json_find(tree, "running_ms") == NULL);
    CHECK(json_get_text(output, "operator", &label, &here.err) == FIRN_OK);
    CHECK(text_equal(label, TEXT("Output")));
    CHECK(json_get_text(output, "detail", &label, &here.err) == FIRN_OK);
    CHECK(text_equal(label, TEXT("a\"b")));
    const json_node *scan = last_input(output);
    CHECK(json_get_text(scan, "operator", &label, &here.err) == FIRN_OK);
    CHECK(text_equal(label, TEXT("Scan")) && json_find(scan, "rows") == NULL);

    explain(&here, "EXPLAIN (ANALYZE, FORMAT JSON) SELECT count(*) FROM t WHERE \"a\"\"b\" > 3",
            &memory, &tree);
    CHECK(json_find(tree, "running_ms") != NULL && json_find(tree, "memory_peak_bytes") != NULL);
    scan = last_input(json_find(tree, "plan"));
    int32_t rows = 0;
    CHECK(json_get_i32(scan, "rows", &rows, &here.err) == FIRN_OK && rows == 7);
    const json_node *facts = json_find(scan, "facts");
    REQUIRE(facts != NULL);
    CHECK(json_get_i32(facts, "rows read", &rows, &here.err) == FIRN_OK && rows == 10);
    arena_close(&memory);
    scene_close(&here);
}

TEST(explain_analyze_tells_what_planning_a_scan_took) {
    scene here;
    REQUIRE(scene_open(&here, &one_thread, 1));
    arena memory = arena_open((size_t)1 << 20);
    const json_node *tree = NULL;
    explain(&here,
            "EXPLAIN (ANALYZE, FORMAT JSON) SELECT area FROM "
            "iceberg_scan('tests/data/iceberg/sales') WHERE sold >= DATE '2024-04-01'",
            &memory, &tree);
    double ms = -1;
    CHECK(json_get_f64(tree, "planning_cpu_ms", &ms, &here.err) == FIRN_OK && ms > 0);
    const json_node *facts = json_find(last_input(json_find(tree, "plan")), "facts");
    REQUIRE(facts != NULL);
    static const struct {
        const char *name;
        int32_t least, most;
    } counts[] = {{"manifests", 1, 1}, {"manifests pruned", 2, 2}, {"manifest bytes", 4000, 6000}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        int32_t count = 0;
        CHECK(json_get_i32(facts, counts[i].name, &count, &here.err) == FIRN_OK);
        CHECK(count >= counts[i].least && count <= counts[i].most);
    }
    static const char *const times[] = {"planning", "planning CPU", "first task after"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        text time = {.size = 0};
        CHECK(json_get_text(facts, times[i], &time, &here.err) == FIRN_OK);
        CHECK(text_ends_with(time, TEXT("ms")) && !text_equal(time, TEXT("0.00ms")));
    }
    arena_close(&memory);
    scene_close(&here);
}
