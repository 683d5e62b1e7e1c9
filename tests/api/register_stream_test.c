// A foreign Arrow stream as a table, through firn.h alone: the stream of another session's query is
// read, filtered and joined; a second reading and a broken stream are errors that say what
// happened.
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "column/arrow.h"
#include "firn.h"

// An engine and two sessions, of which the second makes the streams that the first reads.
typedef struct scene {
    firn_engine *engine;
    firn_session *session;
    firn_session *other;
} scene;

static bool scene_open(scene *self) {
    firn_error err = FIRN_ERROR_INIT;
    *self = (scene){0};
    const bool is_open = firn_engine_open(NULL, 0, &self->engine, &err) == FIRN_OK &&
                         firn_session_open(self->engine, &self->session, &err) == FIRN_OK &&
                         firn_session_open(self->engine, &self->other, &err) == FIRN_OK;
    if (!is_open) {
        printf("%s\n", err.text);
    }
    return is_open;
}

static void scene_close(scene *self) {
    firn_session_close(self->other);
    firn_session_close(self->session);
    firn_engine_close(self->engine);
}

static bool open_rows(firn_session *session, const char *sql, struct ArrowArrayStream *out) {
    firn_error err = FIRN_ERROR_INIT;
    const bool is_good = firn_query(session, sql, FIRN_NUL_TERMINATED, out, &err) == FIRN_OK;
    if (!is_good) {
        printf("%s\n", err.text);
    }
    return is_good;
}

// The BIGINT of the first row; -1 and `err` where the query fails.
static int64_t number_of(firn_session *session, const char *sql, firn_error *err) {
    struct ArrowArrayStream rows = {0};
    if (firn_query(session, sql, FIRN_NUL_TERMINATED, &rows, err) != FIRN_OK) {
        return -1;
    }
    struct ArrowArray batch = {0};
    int64_t value = -1;
    if (rows.get_next(&rows, &batch) != 0) {
        (void)firn_stream_error(&rows, err);
    } else if (batch.release != NULL) {
        const int64_t *values = batch.children[0]->buffers[1];
        value = values[batch.children[0]->offset];
        batch.release(&batch);
    }
    rows.release(&rows);
    return value;
}

static void reads_once(firn_session *session, firn_session *other) {
    firn_error err = FIRN_ERROR_INIT;
    struct ArrowArrayStream source = {0};
    CHECK(open_rows(other,
                    "SELECT n, CAST(n AS VARCHAR) AS t, n % 7 AS k "
                    "FROM generate_series(1, 100000) s(n)",
                    &source));
    CHECK(firn_register_stream(session, "s", &source, &err) == FIRN_OK);
    CHECK(source.release == NULL); // Taken over.
    CHECK(number_of(session, "SELECT n FROM s WHERE t = '77777' AND k = 0", &err) == 77777);
    CHECK(number_of(session, "SELECT n FROM s", &err) == -1);
    CHECK(strstr(err.text, "can be read once") != NULL);
}

// A WITH query that several parts read runs once all the same, though it is but a scan.
static void is_kept_for_all_readers(firn_session *session, firn_session *other) {
    firn_error err = FIRN_ERROR_INIT;
    struct ArrowArrayStream source = {0};
    CHECK(open_rows(other, "SELECT n FROM generate_series(1, 1000) s(n)", &source));
    CHECK(firn_register_stream(session, "kept", &source, &err) == FIRN_OK);
    CHECK(number_of(session,
                    "WITH w AS (SELECT n FROM kept) SELECT (SELECT count(*) FROM w WHERE n < 11) "
                    "+ (SELECT max(n) FROM w)",
                    &err) == 1010);
}

static void filters_and_joins(firn_session *session, firn_session *other) {
    firn_error err = FIRN_ERROR_INIT;
    struct ArrowArrayStream source = {0};
    CHECK(open_rows(other, "SELECT n, CAST(n AS VARCHAR) AS t FROM generate_series(1, 100000) s(n)",
                    &source));
    CHECK(firn_register_stream(session, "s", &source, &err) == FIRN_OK); // Replaces the other.
    CHECK(number_of(session, "SELECT n FROM s WHERE t = '77777'", &err) == 77777);

    CHECK(open_rows(other, "SELECT * FROM (VALUES (1, 10), (2, 20), (3, NULL)) v(id, worth)",
                    &source));
    CHECK(firn_register_stream(session, "worths", &source, &err) == FIRN_OK);
    CHECK(number_of(session,
                    "SELECT CAST(r.worth AS BIGINT) FROM (VALUES (2), (5)) l(id) "
                    "JOIN worths r ON r.id = l.id",
                    &err) == 20);
}

// ---- A stream that breaks ----------------------------------------------------------------------

static struct ArrowArrayStream inner;
static unsigned releases;

static int broken_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
    (void)self;
    return inner.get_schema(&inner, out);
}

static int broken_next(struct ArrowArrayStream *self, struct ArrowArray *out) {
    (void)self;
    (void)out;
    return EIO;
}

static const char *broken_words(struct ArrowArrayStream *self) {
    (void)self;
    return "the well ran dry";
}

static void broken_release(struct ArrowArrayStream *self) {
    releases++;
    inner.release(&inner);
    self->release = NULL;
}

static void passes_errors_on(firn_session *session, firn_session *other) {
    firn_error err = FIRN_ERROR_INIT;
    CHECK(open_rows(other, "SELECT CAST(1 AS BIGINT) AS n", &inner));
    struct ArrowArrayStream source = {.get_schema = broken_schema,
                                      .get_next = broken_next,
                                      .get_last_error = broken_words,
                                      .release = broken_release};
    CHECK(firn_register_stream(session, "", &source, &err) == FIRN_INVALID);
    CHECK(source.release != NULL); // Still the caller's.
    CHECK(firn_register_stream(session, "dry", &source, &err) == FIRN_OK);
    CHECK(number_of(session, "SELECT n FROM dry", &err) == -1);
    CHECK(strstr(err.text, "the well ran dry") != NULL);
}

TEST(register_stream_is_read_once_filtered_and_joined) {
    scene here;
    REQUIRE(scene_open(&here));
    reads_once(here.session, here.other);
    is_kept_for_all_readers(here.session, here.other);
    filters_and_joins(here.session, here.other);
    scene_close(&here);
}

TEST(register_stream_passes_errors_on) {
    scene here;
    REQUIRE(scene_open(&here));
    releases = 0;
    passes_errors_on(here.session, here.other);
    scene_close(&here);
    CHECK(releases == 1);
}
