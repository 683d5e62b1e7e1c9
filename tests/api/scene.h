// What the programs of tests/api share: an engine with a session, queries answered as text, and
// what a finished query must have given back. On internals only to count: memory, threads.
#ifndef FIRN_TESTS_API_SCENE_H
#define FIRN_TESTS_API_SCENE_H

#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "base/test.h"
#include "column/arrow.h"
#include "engine/objects.h"
#include "firn.h"

#define SCENE_TEXT_MAX 4096
#define FLIGHTS "read_parquet('examples/data/nycflights13/flights.parquet')"

typedef struct scene {
    firn_engine *engine;
    firn_session *session;
    char text[SCENE_TEXT_MAX]; ///< Of the newest answer or error.
} scene;

/// Opens with `threads` workers; options is a NULL-terminated list of keys and values, or NULL.
static inline bool scene_open_with(scene *self, const char *threads, const char *const *options) {
    firn_error err = FIRN_ERROR_INIT;
    firn_option list[8] = {{"threads", threads}};
    size_t count = 1;
    for (; options != NULL && options[0] != NULL; options += 2) {
        list[count++] = (firn_option){options[0], options[1]};
    }
    *self = (scene){0};
    const bool is_open = firn_engine_open(list, count, &self->engine, &err) == FIRN_OK &&
                         firn_session_open(self->engine, &self->session, &err) == FIRN_OK;
    if (!is_open) {
        printf("%s\n", err.text);
    }
    return is_open;
}

static inline bool scene_open(scene *self, const char *threads) {
    return scene_open_with(self, threads, NULL);
}

static inline void scene_close(scene *self) {
    firn_session_close(self->session);
    firn_engine_close(self->engine);
    *self = (scene){0};
}

/// Opens a stream; on failure prints the error and answers false.
static inline bool scene_query(firn_session *session, const char *sql,
                               struct ArrowArrayStream *out) {
    firn_error err = FIRN_ERROR_INIT;
    const bool is_good = firn_query(session, sql, FIRN_NUL_TERMINATED, out, &err) == FIRN_OK;
    if (!is_good) {
        printf("%s\n    %s\n", err.text, sql);
    }
    return is_good;
}

/// Runs a script; on failure prints the error and answers false.
static inline bool scene_execute(firn_session *session, const char *sql) {
    firn_error err = FIRN_ERROR_INIT;
    const bool is_good = firn_execute(session, sql, FIRN_NUL_TERMINATED, NULL, &err) == FIRN_OK;
    if (!is_good) {
        printf("%s\n    %s\n", err.text, sql);
    }
    return is_good;
}

static inline int64_t rows_int64(const struct ArrowArray *rows, int64_t column, int64_t row) {
    const struct ArrowArray *values = rows->children[column];
    return ((const int64_t *)values->buffers[1])[values->offset + rows->offset + row];
}

/// Pulls a stream of one BIGINT to its end; the sum of its values, or -1 and `err`.
static inline int64_t scene_sum(struct ArrowArrayStream *rows, firn_error *err) {
    int64_t sum = 0;
    for (;;) {
        struct ArrowArray batch = {0};
        if (rows->get_next(rows, &batch) != 0) {
            (void)firn_stream_error(rows, err);
            return -1;
        }
        if (batch.release == NULL) {
            return sum;
        }
        for (int64_t i = 0; i < batch.length; i++) {
            sum += rows_int64(&batch, 0, i);
        }
        batch.release(&batch);
    }
}

/// The BIGINT in the first row; -1 and `err` where the query fails.
static inline int64_t scene_number(firn_session *session, const char *sql, firn_error *err) {
    struct ArrowArrayStream rows = {0};
    if (firn_query(session, sql, FIRN_NUL_TERMINATED, &rows, err) != FIRN_OK) {
        return -1;
    }
    const int64_t sum = scene_sum(&rows, err);
    rows.release(&rows);
    return sum;
}

/// Bytes that queries and sessions hold, without what tables in memory do.
static inline uint64_t scene_pool_bytes(const scene *self) {
    return pool_used(self->engine->pool) - pool_used(self->engine->tables);
}

static inline firn_status scene_count_entry(void *user, const char *name, bool is_folder,
                                            firn_error *err) {
    (void)name;
    (void)is_folder;
    (void)err;
    *(uint32_t *)user += 1;
    return FIRN_OK;
}

/// Entries of a folder, or UINT32_MAX.
static inline uint32_t scene_entry_count(const char *folder) {
    firn_error err = ERR_INIT;
    uint32_t count = 0;
    return host_list(folder, scene_count_entry, &count, &err) == FIRN_OK ? count : UINT32_MAX;
}

/// Threads of the whole process, of whoever started them.
static inline uint32_t scene_thread_count(void) {
    return scene_entry_count("/proc/self/task");
}

#endif
