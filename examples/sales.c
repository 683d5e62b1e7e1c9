// Revenue by region of the Iceberg table db.sales: sales [REST catalog, or sqlite:FILE]
#include <firn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What a sum is its type's format says: 'l' a BIGINT, 'g' a DOUBLE, "d:38,2" a DECIMAL of 2
// decimals.
static double sum_at(const void *values, int64_t at, const char *format) {
    __extension__ const __int128 *decimals = values;
    double unit = 1;
    for (long i = *format == 'd' ? strtol(strchr(format, ',') + 1, NULL, 10) : 0; i > 0; i--) {
        unit *= 10;
    }
    return *format == 'd'   ? (double)decimals[at] / unit
           : *format == 'l' ? (double)((const int64_t *)values)[at]
                            : ((const double *)values)[at];
}

static void print_value(const struct ArrowArray *column, int64_t row, const char *format) {
    const int64_t at = column->offset + row;
    const uint8_t *valid = column->buffers[0]; // A bit for each row, or NULL: all are.
    const int32_t *ends = column->buffers[1];
    if (valid != NULL && (valid[at / 8] >> at % 8 & 1) == 0) {
        printf("NULL");
    } else if (*format == 'u') {
        printf("%.*s", ends[at + 1] - ends[at], (const char *)column->buffers[2] + ends[at]);
    } else {
        printf("%.2f", sum_at(ends, at, format));
    }
}

int main(int argc, char **argv) {
    char attach[8192]; // A location that is cut off is an error of its SQL.
    (void)snprintf(attach, sizeof attach, "ATTACH '%s' AS lake; USE lake.db",
                   argc > 1 ? argv[1] : "http://127.0.0.1:8181");
    firn_engine *engine = NULL;
    firn_session *session = NULL;
    firn_error error = FIRN_ERROR_INIT;
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema types = {0};
    struct ArrowArray batch = {0};
    if (firn_engine_open(NULL, 0, &engine, &error) == FIRN_OK &&
        firn_session_open(engine, &session, &error) == FIRN_OK &&
        firn_execute(session, attach, FIRN_NUL_TERMINATED, NULL, &error) == FIRN_OK &&
        firn_query(session, "SELECT region, SUM(revenue) FROM sales GROUP BY region",
                   FIRN_NUL_TERMINATED, &rows, &error) == FIRN_OK &&
        rows.get_schema(&rows, &types) == 0) {
        while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
            for (int64_t i = 0; i < batch.length * 2; i++) {
                print_value(batch.children[i % 2], i / 2, types.children[i % 2]->format);
                putchar("\t\n"[i % 2]);
            }
            batch.release(&batch);
        }
        types.release(&types);
    }
    if (rows.release != NULL) {
        (void)firn_stream_error(&rows, &error); // A stream that failed ends early.
        rows.release(&rows);
    }
    firn_session_close(session);
    firn_engine_close(engine);
    return error.status == FIRN_OK ? 0 : fprintf(stderr, "%s\n", error.text) != 0;
}
