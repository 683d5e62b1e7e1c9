#include "base/test.h"
#include "column/arrow.h"
#include "firn.h"

// How far scans are is known while they run, not only when they are over.
TEST(progress_of_a_scan_rises_with_each_of_its_tasks) {
    firn_error err = FIRN_ERROR_INIT;
    const firn_option options[] = {{"threads", "1"}};
    firn_engine *engine = NULL;
    firn_session *session = NULL;
    REQUIRE(firn_engine_open(options, 1, &engine, &err) == FIRN_OK);
    REQUIRE(firn_session_open(engine, &session, &err) == FIRN_OK);
    CHECK(firn_execute(session,
                       "CREATE TABLE t AS SELECT x FROM generate_series(1, 1000000) AS s(x)",
                       FIRN_NUL_TERMINATED, NULL, &err) == FIRN_OK);
    firn_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    REQUIRE(firn_prepare(session, "SELECT x FROM t", FIRN_NUL_TERMINATED, &statement, NULL, &err) ==
            FIRN_OK);
    REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
    uint64_t before = 0;
    uint64_t steps = 0;
    for (;;) {
        struct ArrowArray batch = {0};
        REQUIRE(rows.get_next(&rows, &batch) == 0);
        firn_progress progress = FIRN_PROGRESS_INIT;
        firn_statement_progress(statement, &progress);
        CHECK(progress.rows >= before);
        steps += progress.rows > before;
        before = progress.rows;
        if (batch.release == NULL) {
            break;
        }
        batch.release(&batch);
    }
    CHECK(before == 1000000);
    CHECK(steps > 2);
    rows.release(&rows);
    firn_statement_close(statement);
    firn_session_close(session);
    firn_engine_close(engine);
}

// Sources that read nothing count what they make: numbers, and times about.
TEST(progress_of_a_series_is_how_much_of_it_was_made) {
    static const struct {
        const char *sql;
        uint64_t rows;
        double half_least, half_most;
    } cases[] = {
        {"SELECT x FROM generate_series(1, 1000000) AS s(x)", 1000000, 0.4, 0.6},
        {"SELECT x FROM range(1000000, 0, -1) AS s(x)", 1000000, 0.4, 0.6},
        {"SELECT x FROM generate_series(TIMESTAMP '0001-01-01', TIMESTAMP '9999-12-31', "
         "INTERVAL '1 month') AS s(x)",
         119988, 0.4, 0.6},
        {"SELECT x FROM generate_series(1, 0) AS s(x)", 0, -1, -1},
    };
    firn_error err = FIRN_ERROR_INIT;
    const firn_option options[] = {{"threads", "1"}, {"arrow.batch_rows", "2048"}};
    firn_engine *engine = NULL;
    firn_session *session = NULL;
    REQUIRE(firn_engine_open(options, 2, &engine, &err) == FIRN_OK);
    REQUIRE(firn_session_open(engine, &session, &err) == FIRN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        firn_statement *statement = NULL;
        struct ArrowArrayStream rows = {0};
        REQUIRE(firn_prepare(session, cases[i].sql, FIRN_NUL_TERMINATED, &statement, NULL, &err) ==
                FIRN_OK);
        REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
        firn_progress progress = FIRN_PROGRESS_INIT;
        double half = -1;
        uint64_t seen = 0;
        for (;;) {
            struct ArrowArray batch = {0};
            REQUIRE(rows.get_next(&rows, &batch) == 0);
            firn_statement_progress(statement, &progress);
            if (batch.release == NULL) {
                break;
            }
            seen += (uint64_t)batch.length;
            half = half < 0 && seen * 2 >= cases[i].rows ? progress.share : half;
            batch.release(&batch);
        }
        CHECK(progress.rows == cases[i].rows && progress.bytes == 0);
        CHECK(half >= cases[i].half_least && half <= cases[i].half_most);
        CHECK(cases[i].rows == 0 ? progress.share < 0 : progress.share > 0.999);
        rows.release(&rows);
        firn_statement_close(statement);
    }
    firn_session_close(session);
    firn_engine_close(engine);
}
