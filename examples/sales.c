// Revenue by region of the Iceberg table db.sales in a catalog:
//
//     sales http://127.0.0.1:8181          a REST catalog
//     sales sqlite:warehouse/catalog.db    a SQLite file, as PyIceberg and Java share it
#include <firn.h>
#include <stdio.h>
#include <string.h>

static const char query[] = "SELECT region, SUM(revenue) FROM sales GROUP BY region";

// A decimal is a number of 16 bytes that counts units of its last digit.
static void print_decimal(const void *bytes, int scale) {
    __extension__ __int128 value;
    memcpy(&value, bytes, sizeof value);
    char digits[64];
    char *first = &digits[sizeof digits - 1];
    *first = '\0';
    const int sign = value < 0 ? -1 : 1;
    for (int place = 0; place <= scale || value != 0; place++, value /= 10) {
        if (place == scale && scale > 0) {
            *--first = '.';
        }
        *--first = (char)('0' + (int)(value % 10) * sign);
    }
    printf("%s%s", sign < 0 ? "-" : "", first);
}

// What the type's format says it is: "u" is text, "d:38,2" a decimal, "g" a double.
static void print_value(const struct ArrowArray *column, int64_t row, const char *format) {
    const int64_t at = column->offset + row;
    const uint8_t *valid = column->buffers[0]; // A bit for each row, or NULL: all are.
    int scale = 0;
    if (valid != NULL && (valid[at / 8] >> at % 8 & 1) == 0) {
        printf("NULL");
    } else if (format[0] == 'u') {
        const int32_t *ends = (const int32_t *)column->buffers[1] + at;
        printf("%.*s", (int)(ends[1] - ends[0]), (const char *)column->buffers[2] + ends[0]);
    } else if (sscanf(format, "d:%*d,%d", &scale) == 1) {
        print_decimal((const char *)column->buffers[1] + at * 16, scale);
    } else {
        printf("%.2f", ((const double *)column->buffers[1])[at]);
    }
}

static void print_rows(struct ArrowArrayStream *rows) {
    struct ArrowSchema types;
    struct ArrowArray batch;
    if (rows->get_schema(rows, &types) != 0) {
        return;
    }
    while (rows->get_next(rows, &batch) == 0 && batch.release != NULL) {
        for (int64_t row = 0; row < batch.length; row++) {
            print_value(batch.children[0], row, types.children[0]->format);
            printf("\t");
            print_value(batch.children[1], row, types.children[1]->format);
            printf("\n");
        }
        batch.release(&batch);
    }
    types.release(&types);
}

int main(int argc, char **argv) {
    const char *location = argc > 1 ? argv[1] : "http://127.0.0.1:8181";
    char attach[8192];
    const int size = snprintf(attach, sizeof attach,
                              "ATTACH '%s' AS lake (TYPE iceberg); USE lake.db", location);
    firn_engine *engine = NULL;
    firn_session *session = NULL;
    struct ArrowArrayStream rows;
    firn_error error = FIRN_ERROR_INIT;
    if (size >= (int)sizeof attach) {
        (void)fprintf(stderr, "%d bytes are too long for a location\n", size);
        return 1;
    }
    if (firn_engine_open(NULL, 0, &engine, &error) == FIRN_OK &&
        firn_session_open(engine, &session, &error) == FIRN_OK &&
        firn_execute(session, attach, FIRN_NUL_TERMINATED, NULL, &error) == FIRN_OK &&
        firn_query(session, query, FIRN_NUL_TERMINATED, &rows, &error) == FIRN_OK) {
        print_rows(&rows);
        (void)firn_stream_error(&rows, &error); // A stream that failed ends early.
        rows.release(&rows);
    }
    firn_session_close(session);
    firn_engine_close(engine);
    if (error.status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
    }
    return error.status == FIRN_OK ? 0 : 1;
}
