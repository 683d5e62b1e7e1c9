// Queries over files on a server that answers after 50 ms, on a network without sockets: many reads
// are on their way at once, with no more threads than workers and one for the network.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "base/test.h"
#include "column/arrow.h"
#include "engine/objects.h"
#include "io/fake_net.h"
#include "io/io.h"

#define FILE_COUNT 48
#define READS_MIN 32
// Enough work that several threads take part.
#define SELECT_COUNTS                                                                              \
    "SELECT CAST(sum(c) AS BIGINT) FROM (SELECT time_hour, origin, count(temp) AS c FROM "
#define FILE_PATH "examples/data/nycflights13/weather.parquet"

static bool read_file(bytes *out) {
    firn_error err = FIRN_ERROR_INIT;
    host_file file;
    host_stat found;
    if (host_open(FILE_PATH, HOST_MODE_READ, &file, &err) != FIRN_OK) {
        return false;
    }
    uint8_t *data = NULL;
    if (host_file_stat(file, &found, &err) == FIRN_OK) {
        data = host_alloc((size_t)found.size);
    }
    const bool is_read =
        data != NULL && host_read(file, 0, (size_t)found.size, data, &err) == FIRN_OK;
    host_close(&file);
    *out = (bytes){.data = data, .size = is_read ? (size_t)found.size : 0};
    return is_read;
}

static int64_t number_of(firn_session *session, const char *sql) {
    firn_error err = FIRN_ERROR_INIT;
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    int64_t out = -1;
    if (firn_query(session, sql, FIRN_NUL_TERMINATED, &rows, &err) != FIRN_OK) {
        printf("%s\n", err.text);
        return -1;
    }
    if (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        out = ((const int64_t *)batch.children[0]->buffers[1])[0];
        batch.release(&batch);
    }
    rows.release(&rows);
    return out;
}

static void query_files(const char *threads, fake_object *object, int64_t wanted) {
    char sql[4096] = SELECT_COUNTS "read_parquet([";
    for (int i = 0; i < FILE_COUNT; i++) {
        const size_t size = strlen(sql);
        (void)snprintf(sql + size, sizeof sql - size, "%s'http://server/%d.parquet'",
                       i == 0 ? "" : ", ", i);
    }
    const size_t end = strlen(sql);
    (void)snprintf(sql + end, sizeof sql - end, "]) GROUP BY 1, 2)");
    fake_net net;
    firn_engine *engine = NULL;
    firn_session *session = NULL;
    firn_error err = FIRN_ERROR_INIT;
    const firn_option option = {"threads", threads};
    host_thread_most_reset();
    const uint32_t before = host_thread_most();
    fake_net_begin(&net, fake_object_script, object);
    fake_net_gather(&net, READS_MIN, 500);
    REQUIRE(firn_engine_open(&option, 1, &engine, &err) == FIRN_OK);
    io_close(engine->io); // Nobody has used it yet.
    REQUIRE(io_open(&(io_options){.has_thread = true, .net = fake_net_module()}, &engine->io,
                    &err) == FIRN_OK);
    REQUIRE(firn_session_open(engine, &session, &err) == FIRN_OK);
    CHECK(number_of(session, sql) == wanted * FILE_COUNT);
    firn_session_close(session);
    firn_engine_close(engine);
    CHECK(net.moving_count_max >= READS_MIN);
    // The caller's thread is a worker that nobody starts; the network has one.
    const uint32_t started = host_thread_most() - before;
    printf("     %s threads: %u started, %u reads at once\n", threads, started,
           net.moving_count_max);
    CHECK(started >= 1 && started <= (uint32_t)strtoul(threads, NULL, 10));
    fake_net_end(&net);
}

TEST(queries_keep_32_reads_in_flight_with_workers_and_one_thread) {
    fake_object *object = host_alloc(sizeof *object);
    firn_error err = FIRN_ERROR_INIT;
    firn_engine *engine = NULL;
    firn_session *session = NULL;
    *object = (fake_object){.etag = "\"1\"", .pause_ms = 50};
    REQUIRE(read_file(&object->content));
    REQUIRE(firn_engine_open(NULL, 0, &engine, &err) == FIRN_OK);
    REQUIRE(firn_session_open(engine, &session, &err) == FIRN_OK);
    const int64_t rows = number_of(session, SELECT_COUNTS "'" FILE_PATH "' GROUP BY 1, 2)");
    firn_session_close(session);
    firn_engine_close(engine);
    CHECK(rows > 0);
    query_files("2", object, rows);
    query_files("4", object, rows);
    host_free((void *)(uintptr_t)object->content.data);
    host_free(object);
}
