// Parameters through firn.h: $1 and ? wherever an expression may stand, with values that another
// query makes, and what is said where a value or a type does not fit.
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "column/arrow.h"
#include "firn.h"
#include "scene.h"

// Binds the one row that `values` gives.
static firn_status bind_row(firn_session *session, firn_statement *statement, const char *values,
                            firn_error *err) {
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema types = {0};
    struct ArrowArray row = {0};
    firn_status status = firn_query(session, values, FIRN_NUL_TERMINATED, &rows, err);
    if (status != FIRN_OK) {
        return status;
    }
    CHECK(rows.get_schema(&rows, &types) == 0);
    CHECK(rows.get_next(&rows, &row) == 0 && row.release != NULL);
    rows.release(&rows);
    status = firn_statement_bind(statement, &types, &row, err);
    if (status != FIRN_OK) {
        types.release(&types);
        row.release(&row);
    }
    return status;
}

// The VARCHAR of the first row; "NULL" for NULL, "none" if there is no row.
static firn_status first_text(struct ArrowArrayStream *rows, char *out, size_t size,
                              firn_error *err) {
    struct ArrowArray batch = {0};
    firn_status status = FIRN_OK;
    (void)snprintf(out, size, "none");
    if (rows->get_next(rows, &batch) != 0) {
        (void)firn_stream_error(rows, err);
        status = err->status;
    } else if (batch.release != NULL) {
        const struct ArrowArray *column = batch.children[0];
        const uint8_t *validity = column->buffers[0];
        const int32_t *offsets = (const int32_t *)column->buffers[1] + column->offset;
        const char *data = column->buffers[2];
        if (validity != NULL && (validity[column->offset / 8] >> (column->offset % 8) & 1) == 0) {
            (void)snprintf(out, size, "NULL");
        } else {
            (void)snprintf(out, size, "%.*s", offsets[1] - offsets[0], data + offsets[0]);
        }
        batch.release(&batch);
    }
    rows->release(rows);
    return status;
}

// Prepares, binds and runs; the text of the first value.
static firn_status answer(firn_session *session, const char *sql, const char *values, char *out,
                          size_t size, firn_error *err) {
    firn_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    firn_status status = firn_prepare(session, sql, FIRN_NUL_TERMINATED, &statement, NULL, err);
    if (status == FIRN_OK && values != NULL) {
        status = bind_row(session, statement, values, err);
    }
    if (status == FIRN_OK) {
        status = firn_statement_run(statement, &rows, err);
    }
    firn_statement_close(statement);
    return status == FIRN_OK ? first_text(&rows, out, size, err) : status;
}

typedef struct parameter_case {
    const char *sql, *values, *wanted;
} parameter_case;

static const parameter_case good[] = {
    {"SELECT CAST($1 + 1 AS VARCHAR)", "SELECT 5", "6"},
    {"SELECT ? || ?", "SELECT 'a', 'b'", "ab"},
    {"SELECT $2 || $1 || $2", "SELECT 'a', 'b'", "bab"},
    {"SELECT $1", "SELECT 'text'", "text"},
    {"SELECT CAST($1 AS VARCHAR)", "SELECT NULL", "NULL"},
    {"SELECT CAST($1 AS VARCHAR)", "SELECT CAST(NULL AS INTEGER)", "NULL"},
    {"SELECT CAST(sum(x) AS VARCHAR) FROM numbers WHERE x > $1", "SELECT 7", "27"},
    {"SELECT CAST(sum(x) AS VARCHAR) FROM numbers WHERE x > $1", "SELECT '7'", "27"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM numbers WHERE x IN ($1, $2, 3)", "SELECT 1, 1", "2"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM numbers WHERE x BETWEEN ? AND ?", "SELECT 2, 4", "3"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM numbers WHERE s LIKE $1", "SELECT 's1%'", "2"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM numbers WHERE x = $1 OR $1 IS NULL",
     "SELECT CAST(NULL AS BIGINT)", "10"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM (SELECT x FROM numbers LIMIT $1 OFFSET $2)",
     "SELECT 3, 8", "2"},
    {"SELECT CASE WHEN x = $1 THEN $2 ELSE 'other' END FROM numbers WHERE x = 2", "SELECT 2, 'two'",
     "two"},
    {"SELECT CAST(CAST($1 AS DATE) + 1 AS VARCHAR)", "SELECT DATE '2020-02-28'", "2020-02-29"},
    {"SELECT CAST(max(x) AS VARCHAR) FROM numbers n WHERE EXISTS "
     "(SELECT 1 FROM numbers m WHERE m.x = n.x + $1)",
     "SELECT 4", "6"},
    {"SELECT CAST(x AS VARCHAR) FROM numbers WHERE (x, s) = ($1, $2)", "SELECT 3, 's3'", "3"},
    {"SELECT CAST($1[2] AS VARCHAR)", "SELECT [10, 20]", "20"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM (SELECT x FROM numbers UNION SELECT $1)", "SELECT 99",
     "11"},
    {"SELECT CAST(sum(v) AS VARCHAR) FROM (VALUES ($1), ($2), (1)) t(v)", "SELECT 5, 6", "12"},
    {"SELECT s FROM numbers ORDER BY x = $1 DESC, x LIMIT 1", "SELECT 5", "s5"},
    {"SELECT coalesce($1, 'nothing')", "SELECT CAST(NULL AS VARCHAR)", "nothing"},
    {"SELECT CAST(x / $1 AS VARCHAR) FROM numbers WHERE x = 10", "SELECT 4", "2"},
    {"SELECT CAST($1 AS VARCHAR)", "SELECT 1.50", "1.50"},
    // Of functions of numbers the one of DOUBLE is meant until a value is there.
    {"SELECT CAST(round($1, 1) AS VARCHAR)", "SELECT 2.25", "2.3"},
    {"SELECT CAST(round($1, 1) AS VARCHAR)", "SELECT '2.25'", "2.3"},
    {"SELECT CAST(abs($1) AS VARCHAR)", "SELECT CAST(-5 AS INTEGER)", "5"},
    {"SELECT CAST(abs($1) AS VARCHAR)", "SELECT '-1.5'", "1.5"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM (VALUES (1.00), (1.01)) t(x) WHERE x > $1",
     "SELECT '1.005'", "1"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM (VALUES (1.00), (1.01)) t(x) WHERE x < $1",
     "SELECT '120'", "2"},
    // Texts beside times of milliseconds and seconds are not rounded to them.
    {"SELECT CAST(count(*) AS VARCHAR) FROM (VALUES (TIMESTAMP(3) '2020-01-01 00:00:00.001')) t(x) "
     "WHERE x = $1",
     "SELECT '2020-01-01 00:00:00.0009'", "0"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM (VALUES (TIMESTAMP(3) '2020-01-01 00:00:00.001')) t(x) "
     "WHERE x > $1",
     "SELECT '2020-01-01 00:00:00.0009'", "1"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM (VALUES (TIMESTAMP(3) '2020-01-01 00:00:00.001')) t(x) "
     "WHERE x = $1",
     "SELECT '2020-01-01 00:00:00.001'", "1"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM (VALUES (TIMESTAMP(0) '2020-01-01 00:00:01')) t(x) "
     "WHERE x IN ($1, $2)",
     "SELECT '2020-01-01 00:00:00.7', '2020-01-01T00:00:01Z'", "1"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM (VALUES (TIMESTAMPTZ(3) '2020-01-01 "
     "00:00:00.001+00')) t(x) WHERE x BETWEEN $1 AND $2",
     "SELECT '2020-01-01 02:00:00.0011+02', '2020-01-01 00:00:01'", "0"},
    {"SELECT CAST(count(*) AS VARCHAR) FROM (VALUES (TIME(3) '10:00:00.001')) t(x) WHERE x = $1",
     "SELECT '10:00:00.0011'", "0"},
};

TEST(parameters_stand_wherever_an_expression_may) {
    scene here;
    char got[128];
    REQUIRE(scene_open(&here, "2"));
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(firn_execute(here.session,
                         "CREATE TABLE numbers (x BIGINT, s VARCHAR); INSERT INTO numbers "
                         "SELECT n, 's' || n FROM generate_series(1, 10) g(n)",
                         FIRN_NUL_TERMINATED, NULL, &err) == FIRN_OK);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        firn_error fault = FIRN_ERROR_INIT;
        const firn_status status =
            answer(here.session, good[i].sql, good[i].values, got, sizeof got, &fault);
        if (status != FIRN_OK || strcmp(got, good[i].wanted) != 0) {
            printf("%s with %s: %s\n", good[i].sql, good[i].values,
                   status == FIRN_OK ? got : fault.text);
        }
        CHECK(status == FIRN_OK && strcmp(got, good[i].wanted) == 0);
    }
    scene_close(&here);
}

static const parameter_case wrong[] = {
    {"SELECT $1 || $2", "SELECT 'a'", "2"},
    {"SELECT $1 || $2", NULL, "parameter"},
    {"SELECT 1 + $1", "SELECT 'abc'", "abc"},
    {"SELECT $1 / 0", "SELECT 1", "zero"},
    {"SELECT $0", NULL, "0"},
    {"SELECT $70000", NULL, "65535"},
    {"SELECT x FROM generate_series(1, 3) t(x) LIMIT $1", "SELECT -1", "negative"},
    {"SELECT $1", "SELECT 'a', 'b'", "2"},
};

TEST(parameters_that_do_not_fit_are_refused) {
    scene here;
    char got[128];
    REQUIRE(scene_open(&here, "2"));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        firn_error fault = FIRN_ERROR_INIT;
        const firn_status status =
            answer(here.session, wrong[i].sql, wrong[i].values, got, sizeof got, &fault);
        const bool is_told = status != FIRN_OK && strstr(fault.text, wrong[i].wanted) != NULL;
        if (!is_told) {
            printf("%s: %s\n", wrong[i].sql, status == FIRN_OK ? got : fault.text);
        }
        CHECK(is_told);
    }
    scene_close(&here);
}

TEST(parameters_have_the_types_that_the_statement_says) {
    static const char *const formats[] = {"i", "u", "tdD", "l", "b"};
    scene here;
    REQUIRE(scene_open(&here, "2"));
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    REQUIRE(firn_prepare(here.session,
                         "SELECT 1 FROM (SELECT CAST(1 AS INTEGER) AS i, 'x' AS s, "
                         "DATE '2020-01-01' AS d, CAST(1 AS BIGINT) AS b) q "
                         "WHERE i = $1 AND s LIKE $2 AND d < $3 AND b + 1 > $4 AND $5",
                         FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    struct ArrowSchema types = {0};
    REQUIRE(firn_statement_parameters(statement, &types, &err) == FIRN_OK);
    CHECK(types.n_children == 5);
    for (int64_t i = 0; i < types.n_children && i < 5; i++) {
        if (strcmp(types.children[i]->format, formats[i]) != 0) {
            printf("$%d: %s\n", (int)i + 1, types.children[i]->format);
        }
        CHECK(strcmp(types.children[i]->format, formats[i]) == 0);
    }
    types.release(&types);
    firn_statement_close(statement);
    scene_close(&here);
}
