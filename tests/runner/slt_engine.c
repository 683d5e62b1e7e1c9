#include "slt_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell_text.h"
#include "cells.h"
#include "moment_text.h"
#include "script.h"

static const size_t null_mark = (SIZE_MAX >> 1) + 1; // The highest bit of a cell's end.

// ---- Results -----------------------------------------------------------------------------------

static slt_class class_of(const cell_type *type) {
    const cell_kind kind = type->kind;
    if (kind == CELL_DICTIONARY || kind == CELL_RUNS) {
        return class_of(&type->children[0]);
    }
    if (kind == CELL_BOOLEAN) {
        return SLT_BOOLEAN;
    }
    if (kind >= CELL_INT8 && kind <= CELL_UINT64) {
        return SLT_INTEGER;
    }
    if (kind >= CELL_FLOAT16 && kind <= CELL_FLOAT64) {
        return SLT_FLOAT;
    }
    if (kind == CELL_DECIMAL) {
        return SLT_DECIMAL;
    }
    if (cli_cell_is_text(kind)) {
        return SLT_TEXT;
    }
    return cli_cell_is_binary(kind) && type->meaning == CELL_PLAIN ? SLT_BLOB : SLT_OTHER;
}

static void reset_result(slt_result *result) {
    cli_sink_reset(&result->text);
    cli_sink_reset(&result->cells);
    result->column_count = 0;
    result->row_count = 0;
    result->changed_rows = -1;
}

static void add_rows(slt_result *result, const cell_type *type, const struct ArrowArray *batch) {
    for (int64_t row = 0; row < batch->length; row++) {
        for (size_t i = 0; i < type->child_count; i++) {
            const cell value = cli_cell_of_column(type, batch, i, row);
            const bool is_null = cli_cell_is_null(value);
            if (!is_null) {
                cli_cell_write_text(&result->text, value);
            }
            const size_t end = result->text.size | (is_null ? null_mark : 0);
            cli_sink_write(&result->cells, &end, sizeof end);
        }
        result->row_count += 1;
    }
}

static size_t cell_end(const slt_result *result, size_t index) {
    size_t end = 0;
    memcpy(&end, result->cells.data + index * sizeof end, sizeof end);
    return end;
}

void slt_result_row(const slt_result *result, size_t row, slt_value *out) {
    for (size_t i = 0; i < result->column_count; i++) {
        const size_t index = row * result->column_count + i;
        const size_t begin = index == 0 ? 0 : cell_end(result, index - 1) & ~null_mark;
        const size_t end = cell_end(result, index);
        out[i] = (slt_value){.class = result->classes[i]};
        if ((end & null_mark) == 0) {
            out[i].text.data = result->text.data == NULL ? "" : result->text.data + begin;
            out[i].text.size = end - begin;
        }
    }
}

// ---- Running -----------------------------------------------------------------------------------

static firn_status read_stream(slt_engine *self, struct ArrowArrayStream *stream,
                               const struct ArrowSchema *schema, firn_error *err) {
    slt_result *result = &self->result;
    cell_type type = {0};
    const char *refused = NULL;
    firn_status status = FIRN_OK;
    if (!cli_cell_type_read(schema, &type, &refused)) {
        (void)snprintf(err->text, sizeof err->text, "Arrow type \"%s\" can't be shown", refused);
        cli_cell_type_close(&type);
        err->status = FIRN_UNSUPPORTED;
        return FIRN_UNSUPPORTED;
    }
    result->column_count = type.child_count;
    result->classes = cli_reallocate(result->classes, type.child_count, sizeof *result->classes);
    for (size_t i = 0; i < type.child_count; i++) {
        result->classes[i] = class_of(&type.children[i]);
    }
    for (;;) {
        struct ArrowArray batch = {0};
        const int code = stream->get_next(stream, &batch);
        if (code != 0) {
            cli_stream_fault(stream, code, err);
            status = err->status;
        }
        if (code != 0 || batch.release == NULL) {
            break;
        }
        add_rows(result, &type, &batch);
        batch.release(&batch);
    }
    cli_cell_type_close(&type);
    return status;
}

bool slt_engine_read(slt_engine *self, struct ArrowArrayStream *stream, firn_error *err) {
    struct ArrowSchema schema = {0};
    reset_result(&self->result);
    const int code = stream->get_schema(stream, &schema);
    if (code != 0) {
        cli_stream_fault(stream, code, err);
        return false;
    }
    const firn_status status = read_stream(self, stream, &schema, err);
    schema.release(&schema);
    return status == FIRN_OK;
}

static firn_status run_statement(slt_engine *self, firn_statement *statement, firn_error *err) {
    struct ArrowArrayStream stream = {0};
    reset_result(&self->result);
    firn_status status = firn_statement_run(statement, &stream, err);
    if (status != FIRN_OK) {
        return status;
    }
    if (!slt_engine_read(self, &stream, err)) {
        status = err->status;
    }
    stream.release(&stream);
    firn_progress progress = FIRN_PROGRESS_INIT;
    firn_statement_progress(statement, &progress);
    self->result.changed_rows = progress.changed_rows;
    return status;
}

static firn_status session_of(slt_engine *self, const char *name, firn_session **out,
                              firn_error *err) {
    for (size_t i = 0; i < self->connection_count; i++) {
        if (strcmp(self->connections[i].name, name) == 0) {
            *out = self->connections[i].session;
            return FIRN_OK;
        }
    }
    if (self->connection_count == SLT_CONNECTIONS_MAX) {
        (void)snprintf(err->text, sizeof err->text, "more than %d connections",
                       SLT_CONNECTIONS_MAX);
        return FIRN_INVALID;
    }
    const firn_status status = firn_session_open(self->engine, out, err);
    if (status == FIRN_OK) {
        slt_connection *added = &self->connections[self->connection_count];
        (void)snprintf(added->name, sizeof added->name, "%s", name);
        added->session = *out;
        self->connection_count += 1;
    }
    return status;
}

static void follow_zone(firn_session *session) {
    char zone[SLT_NAME_SIZE] = "";
    size_t size = sizeof zone;
    if (firn_session_get(session, "TimeZone", zone, &size, NULL) == FIRN_OK &&
        size <= sizeof zone && zone[0] != '\0') {
        cli_moment_zone(zone);
    }
}

bool slt_engine_open(slt_engine *self, const firn_option *settings, size_t count, firn_error *err) {
    *self = (slt_engine){0};
    self->result.text = CLI_SINK_MEMORY;
    self->result.cells = CLI_SINK_MEMORY;
    return firn_engine_open(settings, count, &self->engine, err) == FIRN_OK;
}

void slt_engine_close(slt_engine *self) {
    for (size_t i = 0; i < self->connection_count; i++) {
        firn_session_close(self->connections[i].session);
    }
    firn_engine_close(self->engine);
    cli_sink_close(&self->result.text);
    cli_sink_close(&self->result.cells);
    free(self->result.classes);
    *self = (slt_engine){0};
}

bool slt_engine_session(slt_engine *self, const char *name, firn_session **out, firn_error *err) {
    return session_of(self, name, out, err) == FIRN_OK;
}

bool slt_engine_run(slt_engine *self, const char *connection, const char *sql, size_t size,
                    firn_error *err) {
    firn_session *session = NULL;
    size_t at = 0;
    reset_result(&self->result);
    firn_status status = session_of(self, connection, &session, err);
    while (status == FIRN_OK && at < size) {
        firn_statement *statement = NULL;
        size_t used = 0;
        follow_zone(session);
        status = firn_prepare(session, sql + at, size - at, &statement, &used, err);
        if (status == FIRN_OK && statement == NULL) {
            break;
        }
        if (status == FIRN_OK) {
            status = run_statement(self, statement, err);
            follow_zone(session); // It may have been what sets it.
        }
        firn_statement_close(statement);
        at += used;
    }
    return status == FIRN_OK;
}
