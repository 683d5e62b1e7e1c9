// Forms of Arrow that firn never hands out and takes all the same, as their plain types: decimals
// of 32 and 64 bits, dates as milliseconds, views of lists, runs. Arrays are laid out by hand as
// the Arrow columnar format says, each with an offset, a NULL and no byte more than it needs.
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "column/arrow.h"
#include "firn.h"

static void release_schema(struct ArrowSchema *self) {
    self->release = NULL;
}

static void release_array(struct ArrowArray *self) {
    self->release = NULL;
}

// A stream of one batch of one column "c".
typedef struct one_column {
    struct ArrowSchema types;
    struct ArrowArray rows;
    bool is_read;
} one_column;

static int give_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
    const one_column *column = self->private_data;
    static struct ArrowSchema *children[1];
    children[0] = (struct ArrowSchema *)(uintptr_t)&column->types;
    *out = (struct ArrowSchema){
        .format = "+s", .n_children = 1, .children = children, .release = release_schema};
    return 0;
}

static int give_rows(struct ArrowArrayStream *self, struct ArrowArray *out) {
    one_column *column = self->private_data;
    static struct ArrowArray *children[1];
    static const void *buffers[1];
    children[0] = &column->rows;
    *out = (struct ArrowArray){0};
    if (!column->is_read) {
        *out = (struct ArrowArray){.length = column->rows.length,
                                   .n_buffers = 1,
                                   .buffers = buffers,
                                   .n_children = 1,
                                   .children = children,
                                   .release = release_array};
    }
    column->is_read = true;
    return 0;
}

static const char *say_nothing(struct ArrowArrayStream *self) {
    (void)self;
    return NULL;
}

static void release_stream(struct ArrowArrayStream *self) {
    self->release = NULL;
}

// The type of "c" and its values as text with blanks between, NULL for none; or the error.
static const char *show(struct ArrowSchema types, struct ArrowArray rows) {
    static char shown[1024];
    one_column column = {.types = types, .rows = rows};
    struct ArrowArrayStream source = {.get_schema = give_schema,
                                      .get_next = give_rows,
                                      .get_last_error = say_nothing,
                                      .release = release_stream,
                                      .private_data = &column};
    firn_error err = FIRN_ERROR_INIT;
    firn_engine *engine = NULL;
    firn_session *session = NULL;
    struct ArrowArrayStream answer = {0};
    struct ArrowArray batch = {0};
    bool is_good = firn_engine_open(NULL, 0, &engine, &err) == FIRN_OK &&
                   firn_session_open(engine, &session, &err) == FIRN_OK &&
                   firn_register_stream(session, "s", &source, &err) == FIRN_OK &&
                   firn_query(session,
                              "SELECT max(typeof(c)) || ': ' || string_agg(coalesce(CAST(c AS "
                              "VARCHAR), 'NULL'), ' ') FROM s",
                              FIRN_NUL_TERMINATED, &answer, &err) == FIRN_OK;
    if (is_good && answer.get_next(&answer, &batch) != 0) {
        is_good = false;
        (void)firn_stream_error(&answer, &err);
    }
    if (is_good && batch.release != NULL) {
        const int32_t *offsets = batch.children[0]->buffers[1];
        const char *data = batch.children[0]->buffers[2];
        (void)snprintf(shown, sizeof shown, "%.*s", offsets[1] - offsets[0], data + offsets[0]);
        batch.release(&batch);
    } else {
        (void)snprintf(shown, sizeof shown, "%s", err.text);
    }
    if (answer.release != NULL) {
        answer.release(&answer);
    }
    firn_session_close(session);
    firn_engine_close(engine);
    return shown;
}

static struct ArrowSchema typed(const char *format) {
    return (struct ArrowSchema){
        .format = format, .name = "c", .flags = ARROW_FLAG_NULLABLE, .release = release_schema};
}

static struct ArrowArray laid(int64_t length, int64_t offset, int64_t n_buffers,
                              const void **buffers) {
    return (struct ArrowArray){.length = length,
                               .offset = offset,
                               .null_count = -1,
                               .n_buffers = n_buffers,
                               .buffers = buffers,
                               .release = release_array};
}

static const uint8_t third_is_null = 0xFB; // Of rows 0, 1, 2, ….

static void is_shown(struct ArrowSchema types, struct ArrowArray rows, const char *expected) {
    const char *shown = show(types, rows);
    if (strcmp(shown, expected) != 0) {
        printf("%s, expected %s\n", shown, expected);
    }
    CHECK(strcmp(shown, expected) == 0);
}

TEST(decimals_of_32_and_64_bits_are_decimals) {
    const int32_t narrow[] = {99, 150, 7, -1};
    const int64_t middle[] = {99, 150, 7, -123456789012};
    is_shown(typed("d:5,2,32"), laid(3, 1, 2, (const void *[]){&third_is_null, narrow}),
             "DECIMAL(5,2): 1.50 NULL -0.01");
    is_shown(typed("d:12,2,64"), laid(3, 1, 2, (const void *[]){&third_is_null, middle}),
             "DECIMAL(12,2): 1.50 NULL -1234567890.12");
    CHECK(strstr(show(typed("d:12,2,48"), laid(3, 1, 2, (const void *[]){NULL, middle})),
                 "which firn has no type for") != NULL);
    CHECK(strstr(show(typed("d:2,0,32"), laid(3, 0, 2, (const void *[]){NULL, narrow})),
                 "more digits than its type") != NULL);
}

TEST(dates_as_milliseconds_are_dates) {
    const int64_t millis[] = {5, 86400000, 0, -86400000, -1};
    is_shown(typed("tdm"), laid(4, 1, 2, (const void *[]){&third_is_null, millis}),
             "DATE: 1970-01-02 NULL 1969-12-31 1969-12-31");
    const int64_t beyond = INT64_MAX;
    CHECK(strstr(show(typed("tdm"), laid(1, 0, 2, (const void *[]){NULL, &beyond})),
                 "a date beyond all years") != NULL);
}

// Rows of a view may lie anywhere, in any order, and share elements.
TEST(views_of_lists_are_lists) {
    const int64_t values[] = {1, 2, 3, 4, 5};
    struct ArrowSchema child_type = typed("l");
    struct ArrowArray child = laid(5, 0, 2, (const void *[]){NULL, values});
    struct ArrowSchema *child_types[] = {&child_type};
    struct ArrowArray *children[] = {&child};
    struct ArrowSchema types = typed("+vl");
    types.n_children = 1;
    types.children = child_types;
    const int32_t offsets[] = {0, 3, 77, 1, 0};
    const int32_t sizes[] = {1, 2, 77, 3, 0};
    struct ArrowArray rows = laid(4, 1, 3, (const void *[]){&third_is_null, offsets, sizes});
    rows.n_children = 1;
    rows.children = children;
    is_shown(types, rows, "BIGINT[]: [4, 5] NULL [2, 3, 4] []");
    const int64_t wide_offsets[] = {0, 3, 77, 1, 0};
    const int64_t wide_sizes[] = {1, 2, 77, 3, 0};
    types.format = "+vL";
    rows.buffers = (const void *[]){&third_is_null, wide_offsets, wide_sizes};
    is_shown(types, rows, "BIGINT[]: [4, 5] NULL [2, 3, 4] []");
    const int64_t beyond[] = {1, 2, 77, 5, 0};
    rows.buffers = (const void *[]){&third_is_null, wide_offsets, beyond};
    CHECK(strstr(show(types, rows), "too few rows") != NULL);
    rows.buffers = (const void *[]){&third_is_null, wide_offsets, NULL};
    CHECK(strstr(show(types, rows), "no sizes") != NULL);
}

TEST(runs_are_the_values_that_they_repeat) {
    const int32_t ends[] = {2, 3, 7};
    const int64_t values[] = {10, 20, 30};
    const uint8_t second_is_null = 0xFD;
    struct ArrowSchema types = typed("+r");
    struct ArrowSchema end_type = typed("i");
    struct ArrowSchema value_type = typed("l");
    struct ArrowSchema *child_types[] = {&end_type, &value_type};
    types.n_children = 2;
    types.children = child_types;
    struct ArrowArray end_rows = laid(3, 0, 2, (const void *[]){NULL, ends});
    struct ArrowArray value_rows = laid(3, 0, 2, (const void *[]){&second_is_null, values});
    struct ArrowArray *children[] = {&end_rows, &value_rows};
    struct ArrowArray rows = laid(5, 1, 0, NULL);
    rows.n_children = 2;
    rows.children = children;
    is_shown(types, rows, "BIGINT: 10 NULL 30 30 30");
    rows.length = 7;
    CHECK(strstr(show(types, rows), "runs that end before") != NULL);
    rows.length = 5;
    const int16_t narrow[] = {2, 3, 7};
    end_type.format = "s";
    end_rows.buffers = (const void *[]){NULL, narrow};
    is_shown(types, rows, "BIGINT: 10 NULL 30 30 30");
    const int16_t negative[] = {2, -1, -5};
    end_rows.buffers = (const void *[]){NULL, negative};
    CHECK(strstr(show(types, rows), "a run that ends behind") != NULL);
    end_type.format = "u";
    CHECK(strstr(show(types, rows), "runs without ends") != NULL);
}

TEST(names_are_utf8) {
    const int64_t values[] = {1};
    struct ArrowSchema types = typed("l");
    types.name = "\xff";
    CHECK(strstr(show(types, laid(1, 0, 2, (const void *[]){NULL, values})),
                 "the name of column \"?\" is not UTF-8") != NULL);
}
