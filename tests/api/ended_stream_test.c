// A stream that failed, was cancelled or came to its end gives back at once what its query held: it
// may be kept for long, by an exception or a pool of readers, and others need the memory.
#include <errno.h>

#include "memory/pool.h"
#include "scene.h"

#define LIMITED ((const char *const[]){"memory_limit", "64MB", NULL})
// Holds most of the limit once its first batch was handed out, and more rows are to come.
#define LARGE_SORT                                                                                 \
    "SELECT n, repeat('v', 100) || n AS v FROM generate_series(1, 200000) AS g(n) ORDER BY v DESC"
// Hands out some batches and fails.
#define LARGE_FAILURE                                                                              \
    "SELECT 1 // (n - 5) AS x FROM (SELECT n FROM (SELECT n, repeat('v', 100) || n AS v "          \
    "FROM generate_series(1, 200000) AS g(n)) ORDER BY v DESC, n)"
// Cannot be written out, and needs most of the limit.
#define NEEDS_MOST                                                                                 \
    "SELECT CAST(length(max(t)) AS BIGINT) FROM (SELECT repeat('w', 12000000) || n AS t "          \
    "FROM generate_series(1, 2) AS g(n))"

static bool pull_one(struct ArrowArrayStream *rows) {
    struct ArrowArray batch = {0};
    const bool is_there = rows->get_next(rows, &batch) == 0 && batch.release != NULL;
    if (is_there) {
        batch.release(&batch);
    }
    return is_there;
}

// Pulls until no batch comes any more; the code of the last call.
static int pull_all(struct ArrowArrayStream *rows) {
    for (;;) {
        struct ArrowArray batch = {0};
        const int code = rows->get_next(rows, &batch);
        if (code != 0 || batch.release == NULL) {
            return code;
        }
        batch.release(&batch);
    }
}

// What a stream may still hold: its columns.
#define KEPT_BYTES_MAX ((uint64_t)64 << 10)

static bool is_given_back(const scene *self, uint64_t before) {
    const uint64_t now = scene_pool_bytes(self);
    if (now > before + KEPT_BYTES_MAX) {
        printf("%llu bytes, before %llu\n", (unsigned long long)now, (unsigned long long)before);
    }
    return now <= before + KEPT_BYTES_MAX;
}

static void check_room_for_others(const scene *self) {
    firn_session *other = NULL;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(firn_session_open(self->engine, &other, &err) == FIRN_OK);
    CHECK(scene_number(other, NEEDS_MOST, &err) == 12000001);
    firn_session_close(other);
}

static bool says(struct ArrowArrayStream *rows, firn_status status) {
    firn_error err = FIRN_ERROR_INIT;
    return firn_stream_error(rows, &err) == FIRN_OK && err.status == status;
}

static int64_t column_count(struct ArrowArrayStream *rows) {
    struct ArrowSchema columns = {0};
    if (rows->get_schema(rows, &columns) != 0) {
        return -1;
    }
    const int64_t count = columns.n_children;
    columns.release(&columns);
    return count;
}

TEST(a_stream_that_nobody_pulls_gives_back_what_it_held_when_its_session_is_cancelled) {
    scene self;
    REQUIRE(scene_open_with(&self, "2", LIMITED));
    const uint64_t before = scene_pool_bytes(&self);
    struct ArrowArrayStream rows = {0};
    REQUIRE(scene_query(self.session, LARGE_SORT, &rows));
    CHECK(pull_one(&rows));
    // Half of the limit; less if one thread had most rows and wrote them out.
    CHECK(scene_pool_bytes(&self) > before + ((uint64_t)4 << 20));
    firn_session_cancel(self.session);
    CHECK(is_given_back(&self, before));
    check_room_for_others(&self);
    CHECK(pull_all(&rows) == ECANCELED && says(&rows, FIRN_CANCELLED));
    CHECK(pull_all(&rows) == ECANCELED && says(&rows, FIRN_CANCELLED));
    CHECK(column_count(&rows) == 2);
    rows.release(&rows);
    CHECK(scene_pool_bytes(&self) == before);
    scene_close(&self);
}

TEST(a_stream_that_failed_holds_its_error_only) {
    scene self;
    REQUIRE(scene_open_with(&self, "2", LIMITED));
    const uint64_t before = scene_pool_bytes(&self);
    struct ArrowArrayStream rows = {0};
    REQUIRE(scene_query(self.session, LARGE_FAILURE, &rows));
    CHECK(pull_all(&rows) == EINVAL);
    CHECK(is_given_back(&self, before));
    check_room_for_others(&self);
    CHECK(pull_all(&rows) == EINVAL && says(&rows, FIRN_INVALID));
    CHECK(strstr(rows.get_last_error(&rows), "division by zero") != NULL);
    CHECK(column_count(&rows) == 1);
    rows.release(&rows);
    CHECK(scene_pool_bytes(&self) == before);
    scene_close(&self);
}

// What a statement does inside its call may fail too, and the statement is used again.
TEST(a_prepared_insert_that_failed_holds_nothing) {
    scene self;
    REQUIRE(scene_open_with(&self, "2", LIMITED));
    REQUIRE(scene_execute(self.session, "CREATE TABLE t (x BIGINT)"));
    firn_statement *statement = NULL;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(firn_prepare(self.session, "INSERT INTO t " LARGE_FAILURE, FIRN_NUL_TERMINATED,
                         &statement, NULL, &err) == FIRN_OK);
    const uint64_t before = scene_pool_bytes(&self);
    struct ArrowArrayStream rows = {0};
    CHECK(firn_statement_run(statement, &rows, &err) == FIRN_INVALID && rows.release == NULL);
    CHECK(is_given_back(&self, before));
    CHECK(scene_number(self.session, "SELECT count(*) FROM t", &err) == 0);
    check_room_for_others(&self);
    firn_statement_close(statement);
    scene_close(&self);
}

// Also a constant that planning has made, and how far it was is still known.
TEST(a_stream_that_came_to_its_end_holds_nothing) {
    scene self;
    REQUIRE(scene_open_with(&self, "2", LIMITED));
    firn_statement *statement = NULL;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(firn_prepare(self.session,
                         "SELECT n, length(repeat('c', 8000000) || n) AS c, upper(repeat('d', "
                         "1000)) AS d FROM generate_series(1, 3) AS g(n) ORDER BY n",
                         FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    struct ArrowArrayStream rows = {0};
    REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
    const uint64_t before = scene_pool_bytes(&self);
    CHECK(before > 8000000);
    CHECK(pull_all(&rows) == 0);
    CHECK(scene_pool_bytes(&self) < (uint64_t)1 << 20);
    firn_progress progress = FIRN_PROGRESS_INIT;
    firn_statement_progress(statement, &progress);
    CHECK(progress.size == sizeof progress && progress.rows == 3 && progress.share > 0.999);
    CHECK(pull_all(&rows) == 0 && says(&rows, FIRN_OK) && column_count(&rows) == 3);
    rows.release(&rows);
    firn_statement_close(statement);
    scene_close(&self);
}

// ---- While others are at work ------------------------------------------------------------------

typedef struct puller {
    struct ArrowArrayStream *rows;
    int code;
} puller;

static void pull(void *user) {
    puller *self = user;
    self->code = pull_all(self->rows);
}

// One thread pulls, another cancels, a third looks how far it is: whoever is last gives back.
TEST(a_stream_may_be_cancelled_between_two_pulls_of_another_thread) {
    scene self;
    REQUIRE(scene_open_with(&self, "2", LIMITED));
    firn_statement *statement = NULL;
    firn_error err = FIRN_ERROR_INIT;
    REQUIRE(firn_prepare(self.session,
                         "SELECT n, repeat('v', 10) || n AS v FROM generate_series(1, 3000000) AS "
                         "g(n)",
                         FIRN_NUL_TERMINATED, &statement, NULL, &err) == FIRN_OK);
    const uint64_t before = scene_pool_bytes(&self);
    for (int i = 0; i < 20; i++) {
        struct ArrowArrayStream rows = {0};
        REQUIRE(firn_statement_run(statement, &rows, &err) == FIRN_OK);
        puller state = {.rows = &rows};
        host_thread *thread = NULL;
        REQUIRE(host_thread_start(pull, &state, &thread, &err) == FIRN_OK);
        firn_progress progress = FIRN_PROGRESS_INIT;
        for (int k = 0; k < i; k++) {
            firn_statement_progress(statement, &progress);
        }
        if (i % 2 == 0) {
            firn_statement_cancel(statement);
        } else {
            firn_session_cancel(self.session);
        }
        host_thread_join(thread);
        CHECK(state.code == ECANCELED || state.code == 0);
        CHECK(is_given_back(&self, before));
        rows.release(&rows);
    }
    firn_statement_close(statement);
    scene_close(&self);
}

static void cancel(void *user) {
    firn_session_cancel(user);
}

TEST(a_stream_may_be_released_while_it_is_cancelled) {
    scene self;
    REQUIRE(scene_open_with(&self, "2", LIMITED));
    const uint64_t before = scene_pool_bytes(&self);
    for (int i = 0; i < 30; i++) {
        struct ArrowArrayStream rows = {0};
        host_thread *thread = NULL;
        firn_error err = FIRN_ERROR_INIT;
        REQUIRE(
            scene_query(self.session, "SELECT n FROM generate_series(1, 300000) AS g(n)", &rows));
        CHECK(pull_one(&rows));
        REQUIRE(host_thread_start(cancel, self.session, &thread, &err) == FIRN_OK);
        if (i % 3 > 0) {
            (void)pull_one(&rows);
        }
        rows.release(&rows);
        host_thread_join(thread);
        CHECK(scene_pool_bytes(&self) == before);
    }
    scene_close(&self);
}

// A foreign stream whose get_next cancels the query that reads it, from inside of it.
typedef struct nested {
    firn_session *session;
    int calls;
} nested;

static int nested_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
    struct ArrowArrayStream rows = {0};
    const nested *state = self->private_data;
    if (!scene_query(state->session, "SELECT CAST(1 AS BIGINT) AS n", &rows)) {
        return EINVAL;
    }
    const int code = rows.get_schema(&rows, out);
    rows.release(&rows);
    return code;
}

static int nested_next(struct ArrowArrayStream *self, struct ArrowArray *out) {
    nested *state = self->private_data;
    *out = (struct ArrowArray){0};
    state->calls++;
    firn_session_cancel(state->session);
    return 0;
}

static void nested_release(struct ArrowArrayStream *self) {
    self->release = NULL;
}

TEST(a_query_may_be_cancelled_by_a_stream_that_it_reads) {
    for (int i = 0; i < 10; i++) {
        scene self;
        firn_error err = FIRN_ERROR_INIT;
        REQUIRE(scene_open_with(&self, "2", LIMITED));
        nested state = {.session = self.session};
        struct ArrowArrayStream source = {.get_schema = nested_schema,
                                          .get_next = nested_next,
                                          .release = nested_release,
                                          .private_data = &state};
        REQUIRE(firn_register_stream(self.session, "source", &source, &err) == FIRN_OK);
        struct ArrowArrayStream rows = {0};
        REQUIRE(scene_query(self.session,
                            "SELECT n FROM (SELECT n FROM source UNION ALL SELECT n FROM "
                            "generate_series(1, 1000000) AS g(n)) AS q WHERE n % 7 = 3",
                            &rows));
        const int code = pull_all(&rows);
        CHECK(code == ECANCELED || (code == 0 && state.calls == 0));
        rows.release(&rows);
        scene_close(&self);
    }
}
