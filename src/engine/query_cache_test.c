// Queries over files that were read before find what was decoded then.
#include "base/test.h"
#include "column/arrow.h"
#include "engine/objects.h"
#include "io/block_cache.h"

#define FILES "tests/data/parquet/lines/*.parquet"

static bool run_sql(firn_session *session, const char *sql) {
    firn_error err = FIRN_ERROR_INIT;
    struct ArrowArrayStream rows = {0};
    if (firn_query(session, sql, FIRN_NUL_TERMINATED, &rows, &err) != FIRN_OK) {
        return false;
    }
    struct ArrowArray batch = {0};
    while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        batch.release(&batch);
        batch = (struct ArrowArray){0};
    }
    rows.release(&rows);
    return true;
}

TEST(queries_find_pages_that_two_others_have_read) {
    firn_engine *engine = NULL;
    firn_session *session = NULL;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(firn_engine_open(NULL, 0, &engine, &err) == FIRN_OK);
    REQUIRE(firn_session_open(engine, &session, &err) == FIRN_OK);
    const char *sql = "SELECT count(DISTINCT id), max(name) FROM '" FILES "'";
    REQUIRE(run_sql(session, sql));                         // In the top folder.
    CHECK(block_cache_describe(engine->cache).blocks == 0); // One query is no reason.
    CHECK(run_sql(session, sql));
    const block_cache_report filled = block_cache_describe(engine->cache);
    CHECK(filled.blocks > 0 && filled.found == 0);
    CHECK(run_sql(session, sql));
    CHECK(block_cache_describe(engine->cache).found >= filled.blocks);
    CHECK(firn_session_set(session, "block_cache", "off", &err) == FIRN_OK);
    const uint64_t before = block_cache_describe(engine->cache).found;
    CHECK(run_sql(session, sql));
    CHECK(block_cache_describe(engine->cache).found == before);
    firn_session_close(session);
    firn_engine_close(engine);
}
