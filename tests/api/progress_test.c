// How far a statement is: firn_statement_progress before, while and after it runs.
#include "scene.h"

#define FLIGHT_COUNT 336776

TEST(progress_ends_with_everything_read) {
    scene here;
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    firn_progress progress = FIRN_PROGRESS_INIT;
    REQUIRE(scene_open(&here, "2"));
    REQUIRE(firn_prepare(here.session, "SELECT CAST(sum(distance) AS BIGINT) FROM " FLIGHTS,
                         FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    firn_statement_progress(statement, &progress);
    CHECK(progress.share < 0 && progress.rows == 0 && progress.changed_rows == -1);
    REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
    firn_statement_progress(statement, &progress);
    CHECK(progress.share <= 1);
    CHECK(scene_sum(&rows, &err) == INT64_C(350217607));
    firn_statement_progress(statement, &progress);
    CHECK(progress.rows == FLIGHT_COUNT);
    CHECK(progress.bytes > 0);
    CHECK(progress.spilled_bytes == 0);
    CHECK(progress.share > 0.999 && progress.share <= 1);
    rows.release(&rows);
    firn_statement_close(statement);
    scene_close(&here);
}

TEST(progress_of_a_part_is_a_share) {
    scene here;
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    firn_progress progress = FIRN_PROGRESS_INIT;
    struct ArrowArray batch = {0};
    REQUIRE(scene_open(&here, "1"));
    REQUIRE(firn_prepare(here.session, "SELECT distance FROM " FLIGHTS " LIMIT 1",
                         FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
    REQUIRE(rows.get_next(&rows, &batch) == 0 && batch.release != NULL);
    batch.release(&batch);
    firn_statement_progress(statement, &progress);
    CHECK(progress.rows < FLIGHT_COUNT);
    CHECK(progress.share < 1);
    rows.release(&rows);
    firn_statement_close(statement);
    scene_close(&here);
}

TEST(progress_counts_changed_rows) {
    scene here;
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    firn_progress progress = FIRN_PROGRESS_INIT;
    REQUIRE(scene_open(&here, "1"));
    REQUIRE(scene_execute(here.session, "CREATE TABLE t (n BIGINT)"));
    REQUIRE(firn_prepare(here.session, "INSERT INTO t SELECT n FROM generate_series(1, 5000) s(n)",
                         FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
    CHECK(scene_sum(&rows, &err) == 5000);
    firn_statement_progress(statement, &progress);
    CHECK(progress.changed_rows == 5000);
    rows.release(&rows);
    firn_statement_close(statement);
    scene_close(&here);
}

// Files that partitions rule out are no work, and of many files not all have told their rows.
TEST(progress_ends_at_one_whatever_was_passed_over_or_not_opened) {
#define A "'tests/data/parquet/lines/a.parquet'"
#define FIVE A "," A "," A "," A "," A
    static const char *const queries[] = {
        "SELECT count(id) FROM read_parquet('tests/data/parquet/lines/[ab].parquet', "
        "filename := true) WHERE filename = " A,
        "SELECT count(id) FROM read_parquet([" FIVE "," FIVE "," FIVE "," FIVE "]) WHERE id > 0",
    };
#undef FIVE
#undef A
    static const int64_t counts[] = {3, 60};
    scene here;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(scene_open(&here, "1"));
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        firn_statement *statement = NULL;
        struct ArrowArrayStream rows = {0};
        firn_progress progress = FIRN_PROGRESS_INIT;
        REQUIRE(firn_prepare(here.session, queries[i], FIRN_NUL_TERMINATED, &statement, NULL,
                             &err) == FIRN_OK);
        REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
        CHECK(scene_sum(&rows, &err) == counts[i]);
        firn_statement_progress(statement, &progress);
        CHECK(progress.share > 0.999 && progress.share <= 1);
        rows.release(&rows);
        firn_statement_close(statement);
    }
    scene_close(&here);
}
