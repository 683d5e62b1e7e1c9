// The engine of a test file: runs a text of statements and keeps the last result as texts.
#ifndef FIRN_TESTS_SLT_ENGINE_H
#define FIRN_TESTS_SLT_ENGINE_H

#include <stdint.h>

#include "byte_sink.h"
#include "firn.h"
#include "slt_compare.h"

enum { SLT_CONNECTIONS_MAX = 16, SLT_NAME_SIZE = 64 };

typedef struct slt_result {
    size_t column_count;
    slt_class *classes;
    size_t row_count;
    cli_sink text;  // Of all values, one behind the other.
    cli_sink cells; // For each value: where its text ends, as size_t; SIZE_MAX bit set for NULL.
    int64_t changed_rows;
} slt_result;

typedef struct slt_connection {
    char name[SLT_NAME_SIZE];
    firn_session *session;
} slt_connection;

typedef struct slt_engine {
    firn_engine *engine;
    slt_connection connections[SLT_CONNECTIONS_MAX];
    size_t connection_count;
    slt_result result;
} slt_engine;

/// Opens an engine with the settings. False with the fault in `err`.
bool slt_engine_open(slt_engine *self, const firn_option *settings, size_t count, firn_error *err);
void slt_engine_close(slt_engine *self);

/// The session of that name, opened when it is first asked for; the engine's.
bool slt_engine_session(slt_engine *self, const char *name, firn_session **out, firn_error *err);

/// Runs all statements of `sql` in the session of that name; `self->result` is the last one's.
/// False with the fault in `err`.
bool slt_engine_run(slt_engine *self, const char *connection, const char *sql, size_t size,
                    firn_error *err);

/// Reads a stream to its end: `self->result` is its rows. The stream stays the caller's.
bool slt_engine_read(slt_engine *self, struct ArrowArrayStream *stream, firn_error *err);

/// Values of a row of the last result, `column_count` of them.
void slt_result_row(const slt_result *result, size_t row, slt_value *out);

#endif
