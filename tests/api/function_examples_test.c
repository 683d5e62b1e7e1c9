// Runs the examples of all functions through firn.h, compared as text with what they promise: of a
// scalar function SELECT of the example, of an aggregate SELECT over the rows behind its "<-". On
// internals only to ask which functions there are.
//
//     function_examples_test [NAME]    those of one function
#include <stdio.h>
#include <string.h>

#include "column/arrow.h"
#include "firn.h"
#include "functions/registry.h"

#define SQL_SIZE_MAX 4096

typedef struct example_run {
    firn_session *session;
    unsigned done;
    unsigned failed;
} example_run;

// The one value of the first batch as text.
static bool read_value(struct ArrowArrayStream *rows, char *out, size_t room) {
    struct ArrowArray batch = {0};
    if (rows->get_next(rows, &batch) != 0) {
        const char *message = rows->get_last_error(rows);
        snprintf(out, room, "%s", message == NULL ? "?" : message);
        return false;
    }
    if (batch.release == NULL || batch.length != 1 || batch.n_children != 1) {
        snprintf(out, room, "not one row of one column");
    } else {
        const struct ArrowArray *column = batch.children[0];
        const uint8_t *validity = column->buffers[0];
        const int32_t *offsets = column->buffers[1];
        const int64_t row = column->offset;
        if (validity != NULL && (validity[row / 8] >> (row % 8) & 1) == 0) {
            snprintf(out, room, "NULL");
        } else {
            snprintf(out, room, "%.*s", (int)(offsets[row + 1] - offsets[row]),
                     (const char *)column->buffers[2] + offsets[row]);
        }
    }
    if (batch.release != NULL) {
        batch.release(&batch);
    }
    return true;
}

// The text of the example's value or of its error.
static bool evaluate(firn_session *session, const char *example, char *out, size_t room) {
    char sql[SQL_SIZE_MAX];
    const char *rows_mark = strstr(example, " <- ");
    if (rows_mark == NULL) {
        snprintf(sql, sizeof sql, "SELECT CAST((%s) AS VARCHAR)", example);
    } else {
        const int size = (int)(rows_mark - example);
        const bool is_pair = strstr(example, "y)") != NULL;
        snprintf(sql, sizeof sql, "SELECT CAST((%.*s) AS VARCHAR) FROM (VALUES %s) AS t(x%s)", size,
                 example, rows_mark + 4, is_pair ? ", y" : "");
    }
    firn_error err = FIRN_ERROR_INIT;
    struct ArrowArrayStream rows = {0};
    if (firn_query(session, sql, FIRN_NUL_TERMINATED, &rows, &err) != FIRN_OK) {
        snprintf(out, room, "%s", err.text);
        return false;
    }
    const bool is_good = read_value(&rows, out, room);
    rows.release(&rows);
    return is_good;
}

static void run_example(example_run *self, const char *name, const char *example,
                        const char *expected) {
    static const char error_mark[] = "error: ";
    char actual[SQL_SIZE_MAX];
    const bool is_value = evaluate(self->session, example, actual, sizeof actual);
    const bool wants_error = strncmp(expected, error_mark, sizeof error_mark - 1) == 0;
    const bool is_good = wants_error
                             ? !is_value && strstr(actual, expected + sizeof error_mark - 1) != NULL
                             : is_value && strcmp(actual, expected) == 0;
    self->done++;
    if (!is_good) {
        self->failed++;
        printf("FAIL %s: %s\n    gives    %s\n    promises %s\n", name, example, actual, expected);
    }
}

static void run_examples(example_run *self, const char *wanted, const char *name,
                         const char *const *examples) {
    if (wanted != NULL && strcmp(wanted, name) != 0) {
        return;
    }
    if (examples == NULL || examples[0] == NULL) {
        printf("FAIL %s: it has no examples\n", name);
        self->done++;
        self->failed++;
        return;
    }
    for (size_t k = 0; examples[k] != NULL; k += 2) {
        run_example(self, name, examples[k], examples[k + 1]);
    }
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *wanted = argc > 1 ? argv[1] : NULL;
    firn_engine *engine = NULL;
    example_run run = {0};
    firn_error err = FIRN_ERROR_INIT;
    if (firn_engine_open(NULL, 0, &engine, &err) != FIRN_OK ||
        firn_engine_set(engine, "threads", "1", &err) != FIRN_OK ||
        firn_session_open(engine, &run.session, &err) != FIRN_OK) {
        printf("%s\n", err.text);
        return 1;
    }
    for (uint32_t i = 0; i < function_count(); i++) {
        run_examples(&run, wanted, function_at(i)->name, function_at(i)->examples);
    }
    for (uint32_t i = 0; i < aggregate_count(); i++) {
        run_examples(&run, wanted, aggregate_at(i)->name, aggregate_at(i)->examples);
    }
    firn_session_close(run.session);
    firn_engine_close(engine);
    printf("%u passed, %u failed\n", run.done - run.failed, run.failed);
    return run.failed == 0 ? 0 : 1;
}
