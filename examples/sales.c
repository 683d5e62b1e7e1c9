// Revenue by region of the Iceberg table db.sales in a catalog:
//
//     sales http://127.0.0.1:8181          a REST catalog
//     sales sqlite:warehouse/catalog.db    a SQLite file, as PyIceberg and Java share it
#include <firn.h>
#include <stdio.h>

static const char query[] = "SELECT region, CAST(SUM(revenue) AS DOUBLE) AS revenue "
                            "FROM sales GROUP BY region ORDER BY region";

static void print_batch(const struct ArrowArray *batch) {
    const struct ArrowArray *region = batch->children[0];
    const struct ArrowArray *revenue = batch->children[1];
    const int32_t *ends = (const int32_t *)region->buffers[1] + region->offset;
    const double *sums = (const double *)revenue->buffers[1] + revenue->offset;
    for (int64_t row = 0; row < batch->length; row++) {
        printf("%.*s\t%.2f\n", (int)(ends[row + 1] - ends[row]),
               (const char *)region->buffers[2] + ends[row], sums[row]);
    }
}

int main(int argc, char **argv) {
    firn_engine *engine = NULL;
    firn_session *session = NULL;
    firn_error error = FIRN_ERROR_INIT;
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    char attach[1024];
    (void)snprintf(attach, sizeof attach, "ATTACH '%s' AS lake (TYPE iceberg); USE lake.db",
                   argc > 1 ? argv[1] : "http://127.0.0.1:8181");
    firn_status status = firn_engine_open(NULL, 0, &engine, &error);
    status = status ? status : firn_session_open(engine, &session, &error);
    status = status ? status : firn_execute(session, attach, FIRN_NUL_TERMINATED, NULL, &error);
    status = status ? status : firn_query(session, query, FIRN_NUL_TERMINATED, &rows, &error);
    while (status == FIRN_OK && rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        print_batch(&batch);
        batch.release(&batch);
    }
    if (status == FIRN_OK) {
        status = firn_stream_error(&rows, &error); // A stream that failed ends early.
        rows.release(&rows);
    }
    if (error.status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
    }
    firn_session_close(session);
    firn_engine_close(engine);
    return error.status == FIRN_OK ? 0 : 1;
}
