// Rows in order although several threads make them.
#include "column/arrow.h"
#include "engine/scene_testing.h"

static bool open_with(scene *self, const char *preserve_order) {
    const firn_option options[] = {{"threads", "4"}, {"preserve_order", preserve_order}};
    return scene_open(self, options, 2);
}

// The first column counts from 1 up; how many rows there are, 0 if they are out of order. Batches
// have no offset of their own and columns as long as they are: consumers of record batches ask for
// that.
static int64_t count_rows(const scene *self, const char *sql) {
    firn_error err = FIRN_ERROR_INIT;
    struct ArrowArrayStream rows = {0};
    if (firn_query(self->session, sql, FIRN_NUL_TERMINATED, &rows, &err) != FIRN_OK) {
        return -1;
    }
    int64_t next = 1;
    bool is_ordered = true;
    for (;;) {
        struct ArrowArray batch = {0};
        if (rows.get_next(&rows, &batch) != 0 || batch.release == NULL) {
            break;
        }
        const int64_t *values = batch.children[0]->buffers[1];
        is_ordered &= batch.offset == 0 && batch.children[0]->length == batch.length;
        for (int64_t i = 0; i < batch.length; i++) {
            is_ordered &= values[batch.children[0]->offset + i] == next++;
        }
        batch.release(&batch);
    }
    rows.release(&rows);
    return is_ordered ? next - 1 : 0;
}

TEST(order_by_holds_also_where_the_order_of_files_does_not_matter) {
    scene self;
    REQUIRE(open_with(&self, "false"));
    CHECK(count_rows(&self, "SELECT 300001 - x FROM generate_series(1, 300000) AS t(x) "
                            "ORDER BY x DESC") == 300000);
    CHECK(count_rows(&self, "SELECT 300001 - x FROM generate_series(1, 300000) AS t(x) "
                            "ORDER BY x DESC LIMIT 150000") == 150000);
    CHECK(count_rows(&self, "SELECT x - 5 FROM (SELECT x FROM (SELECT (x * 7919) % 300000 AS x "
                            "FROM generate_series(1, 300000) AS t(x)) AS q ORDER BY x "
                            "OFFSET 6) AS r") == 299994);
    scene_close(&self);
}

TEST(order_of_sources_holds_over_unions_and_limits) {
    scene self;
    REQUIRE(open_with(&self, "true"));
    for (uint32_t i = 0; i < 5; i++) {
        CHECK(count_rows(&self, "SELECT x FROM generate_series(1, 200000) AS t(x) UNION ALL "
                                "SELECT x FROM generate_series(200001, 400000) AS t(x) UNION ALL "
                                "SELECT x FROM generate_series(400001, 400010) AS t(x)") == 400010);
        CHECK(count_rows(&self, "SELECT x FROM (SELECT x FROM generate_series(1, 300000) AS t(x) "
                                "LIMIT 200000) AS q UNION ALL "
                                "SELECT x FROM generate_series(200001, 200100) AS t(x)") == 200100);
    }
    scene_close(&self);
}

// Rows of the second input are there before it is known how many the first one has.
TEST(order_of_sources_holds_where_limits_cut_batches) {
    scene self;
    REQUIRE(open_with(&self, "true"));
    for (uint32_t i = 0; i < 50; i++) {
        CHECK(count_rows(&self,
                         "SELECT x - 1010 FROM (SELECT x FROM generate_series(1, 2000000) AS "
                         "t(x) WHERE x % 2000000 = 1009 UNION ALL "
                         "SELECT x FROM generate_series(1010, 1100) AS t(x)) AS q "
                         "LIMIT 50 OFFSET 2") == 50);
        CHECK(count_rows(&self, "SELECT x FROM (SELECT x FROM generate_series(1, 2000000) AS "
                                "t(x) WHERE x % 2000000 = 1 UNION ALL "
                                "SELECT x FROM generate_series(2, 1100) AS t(x)) AS q "
                                "LIMIT 50") == 50);
    }
    scene_close(&self);
}
