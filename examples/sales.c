// Revenue by region of the Iceberg table db.sales of a catalog:
//
//     sales http://127.0.0.1:8181          a REST catalog
//     sales sqlite:warehouse/catalog.db    a SQLite catalog
//     sales                                a table in memory, to try it without any
#include <firn.h>
#include <stdio.h>

#include "arrow_c.h"

static const char query[] = "SELECT region, CAST(SUM(revenue) AS VARCHAR) AS revenue "
                            "FROM sales GROUP BY region ORDER BY region";
static const char in_memory[] = "CREATE TABLE sales AS SELECT * FROM (VALUES ('north', 12.50), "
                                "('south', 7.25), ('north', 3.00)) AS t(region, revenue)";

/// Text `row` of a utf8 column.
static void print_text(const struct ArrowArray *column, int64_t row, const char *end) {
    const int32_t *offsets = (const int32_t *)column->buffers[1] + column->offset + row;
    printf("%.*s%s", (int)(offsets[1] - offsets[0]), (const char *)column->buffers[2] + offsets[0],
           end);
}

static firn_status print_sales(firn_session *session, firn_error *error) {
    struct ArrowArrayStream rows;
    firn_status status = firn_query(session, query, sizeof query - 1, &rows, error);
    if (status != FIRN_OK) {
        return status;
    }
    struct ArrowArray batch = {0};
    while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        for (int64_t row = 0; row < batch.length; row++) {
            print_text(batch.children[0], row, "\t");
            print_text(batch.children[1], row, "\n");
        }
        batch.release(&batch);
    }
    status = firn_stream_error(&rows, error); // A stream that failed ends early.
    rows.release(&rows);
    return status == FIRN_OK ? error->status : status;
}

int main(int argc, char **argv) {
    char setup[1024];
    firn_engine *engine = NULL;
    firn_session *session = NULL;
    firn_error error = FIRN_ERROR_INIT;
    (void)snprintf(setup, sizeof setup, "ATTACH '%s' AS lake (TYPE iceberg); USE lake.db",
                   argc > 1 ? argv[1] : "");
    firn_status status = firn_engine_open(NULL, 0, &engine, &error);
    if (status == FIRN_OK) {
        status = firn_session_open(engine, &session, &error);
    }
    if (status == FIRN_OK) {
        status =
            firn_execute(session, argc > 1 ? setup : in_memory, FIRN_NUL_TERMINATED, NULL, &error);
    }
    if (status == FIRN_OK) {
        status = print_sales(session, &error);
    }
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
    }
    firn_session_close(session);
    firn_engine_close(engine);
    return status == FIRN_OK ? 0 : 1;
}
