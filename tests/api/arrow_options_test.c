// What the options arrow.* of a statement make of its results: the formats that they say, batches
// of the size they say, and rows that are the same whatever they say. The rows go back in as a
// registered stream, which is how a reader of such layouts sees them.
#include "scene.h"

#define ROWS_TEXT_MAX 4096

// All that an option changes, and NULL, in one row of texts.
static const char everything[] =
    "SELECT * FROM (VALUES (1, 'short', 'a text of more than twelve bytes', X'00ff',"
    " INTERVAL '1 year 2 days 03:04:05.000006', CAST(0.1 AS FLOAT16),"
    " CAST('-123456789012345678901234567890123456789012.34' AS DECIMAL(50, 2)), [1, NULL, 3],"
    " [['x'], []], {'a': 'b', 'c': [CAST(1 AS DECIMAL(40, 1))]}, MAP {'k': 'v'}),"
    " (2, '', NULL, X'', INTERVAL '-1 day', CAST('-inf' AS FLOAT16), CAST(0 AS DECIMAL(50, 2)), [],"
    " NULL, {'a': NULL, 'c': NULL}, MAP {}),"
    " (3, NULL, 'short', NULL, NULL, NULL, NULL, NULL, [NULL], NULL, NULL))"
    " AS t(i, s, l, b, iv, h, d, li, ll, st, m) ORDER BY i";

// The first cells of a column of texts, one behind another.
static void append_cells(const struct ArrowArray *column, char *out) {
    const int32_t *offsets = (const int32_t *)column->buffers[1] + column->offset;
    const char *data = column->buffers[2];
    size_t used = strlen(out);
    for (int64_t row = 0; row < column->length; row++) {
        const size_t size = (size_t)(offsets[row + 1] - offsets[row]);
        if (used + size + 2 < ROWS_TEXT_MAX) {
            memcpy(out + used, data + offsets[row], size);
            used += size;
            out[used++] = '\n';
            out[used] = '\0';
        }
    }
}

// Rows of a query of one column of texts; false, and the error is printed, if it fails.
static bool read_texts(firn_session *session, const char *sql, char *out) {
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    out[0] = '\0';
    if (!scene_query(session, sql, &rows)) {
        return false;
    }
    int code = rows.get_next(&rows, &batch);
    while (code == 0 && batch.release != NULL) {
        append_cells(batch.children[0], out);
        batch.release(&batch);
        code = rows.get_next(&rows, &batch);
    }
    if (code != 0) {
        printf("%s\n", rows.get_last_error(&rows));
    }
    rows.release(&rows);
    return code == 0;
}

// The query's rows under an option as the registered stream "back".
static bool send_back(firn_session *session, const char *sql, const firn_option *option) {
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    const bool is_sent =
        firn_prepare(session, sql, FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK &&
        firn_statement_set(statement, option->key, option->value, &err) == FIRN_OK &&
        firn_statement_run(statement, &rows, &err) == FIRN_OK &&
        firn_register_stream(session, "back", &rows, &err) == FIRN_OK;
    if (!is_sent) {
        printf("%s = %s: %s\n", option->key, option->value, err.text);
    }
    firn_statement_close(statement);
    return is_sent;
}

#define AS_TEXT                                                                                    \
    "concat_ws(';', i, coalesce(s, '-'), coalesce(l, '-'), coalesce(CAST(b AS VARCHAR), '-'),"     \
    " coalesce(CAST(iv AS VARCHAR), '-'), coalesce(CAST(CAST(h AS REAL) AS VARCHAR), '-'),"        \
    " coalesce(CAST(d AS VARCHAR), '-'), coalesce(CAST(li AS VARCHAR), '-'),"                      \
    " coalesce(CAST(ll AS VARCHAR), '-'), coalesce(CAST(st AS VARCHAR), '-'),"                     \
    " coalesce(CAST(m AS VARCHAR), '-'))"

TEST(arrow_options_change_how_rows_lie_and_not_what_they_are) {
    static const firn_option options[] = {
        {"arrow.strings", "utf8"},        {"arrow.strings", "large"},
        {"arrow.strings", "view"},        {"arrow.intervals", "native"},
        {"arrow.intervals", "text"},      {"arrow.float16", "native"},
        {"arrow.float16", "float32"},     {"arrow.decimals", "native"},
        {"arrow.decimals", "text"},       {"arrow.lists", "list"},
        {"arrow.lists", "large"},         {"arrow.dictionaries", "plain"},
        {"arrow.dictionaries", "keep"},   {"arrow.batch_rows", "1"},
        {"arrow.batch_rows", "16777216"},
    };
    static char wanted[ROWS_TEXT_MAX];
    static char got[ROWS_TEXT_MAX];
    scene here;
    REQUIRE(scene_open(&here, "1"));
    char sql[ROWS_TEXT_MAX];
    (void)snprintf(sql, sizeof sql, "SELECT " AS_TEXT " FROM (%s)", everything);
    REQUIRE(read_texts(here.session, sql, wanted));
    REQUIRE(strstr(wanted, "a text of more than twelve bytes") != NULL);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        REQUIRE(send_back(here.session, everything, &options[i]));
        REQUIRE(read_texts(here.session, "SELECT " AS_TEXT " FROM back", got));
        if (strcmp(got, wanted) != 0) {
            printf("%s = %s\n got    %s\n wanted %s\n", options[i].key, options[i].value, got,
                   wanted);
            CHECK(false);
        }
    }
    scene_close(&here);
}

typedef struct kept {
    char format[8];       // Of the column.
    char value_format[8]; // Of its dictionary, "" if it has none.
    int64_t longest;      // The most rows of a batch.
    int64_t rows;
    int64_t entries; // Of the first batch's dictionary.
} kept;

static kept look_at(firn_session *session, const char *sql, const firn_option *options,
                    size_t count) {
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema types = {0};
    struct ArrowArray batch = {0};
    kept out = {.entries = -1};
    CHECK(firn_prepare(session, sql, FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    for (size_t i = 0; i < count; i++) {
        CHECK(firn_statement_set(statement, options[i].key, options[i].value, &err) == FIRN_OK);
    }
    const bool is_running = firn_statement_run(statement, &rows, &err) == FIRN_OK &&
                            rows.get_schema(&rows, &types) == 0;
    CHECK(is_running);
    if (!is_running) {
        firn_statement_close(statement);
        return out;
    }
    const struct ArrowSchema *column = types.children[0];
    (void)snprintf(out.format, sizeof out.format, "%s", column->format);
    if (column->dictionary != NULL) {
        (void)snprintf(out.value_format, sizeof out.value_format, "%s", column->dictionary->format);
    }
    while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        out.longest = batch.length > out.longest ? batch.length : out.longest;
        out.rows += batch.length;
        if (out.entries < 0 && batch.children[0]->dictionary != NULL) {
            out.entries = batch.children[0]->dictionary->length;
        }
        batch.release(&batch);
    }
    types.release(&types);
    rows.release(&rows);
    firn_statement_close(statement);
    return out;
}

TEST(arrow_options_keep_dictionaries_where_files_have_them) {
    static const char sql[] = "SELECT carrier FROM " FLIGHTS;
    static const firn_option options[] = {{"arrow.dictionaries", "keep"},
                                          {"arrow.strings", "large"}};
    scene here;
    REQUIRE(scene_open(&here, "1"));
    const kept plain = look_at(here.session, sql, options, 0);
    CHECK(strcmp(plain.format, "u") == 0 && plain.value_format[0] == '\0' && plain.entries == -1);
    const kept small = look_at(here.session, sql, options, 1);
    CHECK(strcmp(small.format, "i") == 0 && strcmp(small.value_format, "u") == 0);
    CHECK(small.entries > 1 && small.entries < 100 && small.rows == plain.rows);
    const kept large = look_at(here.session, sql, options, 2);
    CHECK(strcmp(large.value_format, "U") == 0 && large.entries == small.entries);
    scene_close(&here);
}

TEST(arrow_options_bound_the_rows_of_a_batch) {
    static const char *const rows[] = {"1", "100", "2048", "16777216"};
    static const int64_t most[] = {1, 100, 2048, 10000};
    scene here;
    REQUIRE(scene_open(&here, "1"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const firn_option option = {"arrow.batch_rows", rows[i]};
        const kept seen = look_at(here.session, "SELECT i FROM range(10000) AS r(i)", &option, 1);
        CHECK(seen.rows == 10000);
        // Rows come in blocks of up to 2048; the one that reaches the bound is the last.
        CHECK(seen.longest < most[i] + 2048 && seen.longest >= most[i]);
    }
    scene_close(&here);
}

TEST(arrow_options_hold_for_later_runs_of_their_statement_alone) {
    scene here;
    firn_error err = FIRN_ERROR_INIT;
    firn_statement *statement = NULL;
    struct ArrowSchema before = {0};
    struct ArrowSchema after = {0};
    REQUIRE(scene_open(&here, "1"));
    REQUIRE(firn_prepare(here.session, "SELECT 'a'", FIRN_NUL_TERMINATED, &statement, NULL, &err) ==
            FIRN_OK);
    REQUIRE(firn_statement_schema(statement, &before, &err) == FIRN_OK);
    REQUIRE(firn_statement_set(statement, "arrow.strings", "view", &err) == FIRN_OK);
    // What is refused leaves what was set.
    CHECK(firn_statement_set(statement, "arrow.strings", "small", &err) == FIRN_INVALID);
    REQUIRE(firn_statement_schema(statement, &after, &err) == FIRN_OK);
    CHECK(strcmp(before.children[0]->format, "u") == 0);
    CHECK(strcmp(after.children[0]->format, "vu") == 0);
    CHECK(strcmp(look_at(here.session, "SELECT 'a'", NULL, 0).format, "u") == 0);
    before.release(&before);
    after.release(&after);
    firn_statement_close(statement);
    scene_close(&here);
}
