#include "session_mode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell_text.h"
#include "fault_text.h"
#include "moment_text.h"
#include "request.h"
#include "script.h"
#include "type_name.h"

enum { ZONE_NAME_MAX = 128 };

/// A session by the name of its connection; the default one's is empty.
typedef struct named_session {
    char *name;
    firn_session *session;
} named_session;

typedef struct server {
    const cli_arguments *arguments;
    firn_engine *engine;
    named_session *sessions;
    size_t session_count;
    cli_sink answer;
    cli_sink cell; // Scratch: one value.
} server;

// ---- Sessions ----------------------------------------------------------------------------------

static firn_status session_of(server *self, const cli_sink *name, firn_session **out,
                              firn_error *err) {
    const size_t size = name->size;
    for (size_t i = 0; i < self->session_count; i++) {
        if (cli_sink_is(name, self->sessions[i].name)) {
            *out = self->sessions[i].session;
            return FIRN_OK;
        }
    }
    firn_status status = FIRN_OK;
    if (self->engine == NULL) {
        status = firn_engine_open(self->arguments->settings, self->arguments->setting_count,
                                  &self->engine, err);
    }
    if (status == FIRN_OK) {
        status = firn_session_open(self->engine, out, err);
    }
    if (status == FIRN_OK) {
        self->sessions =
            cli_reallocate(self->sessions, self->session_count + 1, sizeof *self->sessions);
        char *copy = cli_allocate(size + 1, 1);
        if (size > 0) {
            memcpy(copy, name->data, size);
        }
        self->sessions[self->session_count] = (named_session){.name = copy, .session = *out};
        self->session_count += 1;
    }
    return status;
}

static void close_sessions(server *self) {
    for (size_t i = 0; i < self->session_count; i++) {
        firn_session_close(self->sessions[i].session);
        free(self->sessions[i].name);
    }
    self->session_count = 0;
}

static void forget_everything(server *self) {
    close_sessions(self);
    firn_engine_close(self->engine);
    self->engine = NULL;
}

// ---- Answers -----------------------------------------------------------------------------------

static void answer_fault(server *self, const firn_error *err) {
    cli_sink_reset(&self->answer);
    cli_sink_char(&self->answer, '{');
    cli_fault_fields(&self->answer, err);
    cli_sink_char(&self->answer, '}');
}

static void answer_refusal(server *self, const char *text, const char *code) {
    firn_error err = FIRN_ERROR_INIT;
    (void)snprintf(err.text, sizeof err.text, "%s", text);
    (void)snprintf(err.sqlstate, sizeof err.sqlstate, "%s", code);
    answer_fault(self, &err);
}

static void write_columns(server *self, const cell_type *type) {
    cli_sink *out = &self->answer;
    cli_sink_text(out, "{\"columns\":[");
    for (size_t i = 0; i < type->child_count; i++) {
        const cell_type *column = &type->children[i];
        cli_sink_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        cli_json_string(out, column->name, strlen(column->name));
        cli_sink_text(out, ",\"type\":");
        cli_sink_reset(&self->cell);
        cli_type_name(&self->cell, column);
        cli_json_string(out, self->cell.data, self->cell.size);
        cli_sink_char(out, '}');
    }
    cli_sink_text(out, "],\"rows\":[");
}

static void write_rows(server *self, const cell_type *type, const struct ArrowArray *batch,
                       bool is_first) {
    cli_sink *out = &self->answer;
    for (int64_t row = 0; row < batch->length; row++) {
        cli_sink_text(out, is_first && row == 0 ? "[" : ",[");
        for (size_t i = 0; i < type->child_count; i++) {
            const cell value = cli_cell_of_column(type, batch, i, row);
            cli_sink_text(out, i > 0 ? "," : "");
            if (cli_cell_is_null(value)) {
                cli_sink_text(out, "null");
                continue;
            }
            cli_sink_reset(&self->cell);
            cli_cell_write_text(&self->cell, value);
            cli_json_string(out, self->cell.data == NULL ? "" : self->cell.data, self->cell.size);
        }
        cli_sink_char(out, ']');
    }
}

/// Reads the stream to its end; the rows go to the answer when `type` is given.
static firn_status read_rows(server *self, struct ArrowArrayStream *stream, const cell_type *type,
                             firn_error *err) {
    bool is_first = true;
    for (;;) {
        struct ArrowArray batch = {0};
        const int code = stream->get_next(stream, &batch);
        if (code != 0) {
            cli_stream_fault(stream, code, err);
            return err->status;
        }
        if (batch.release == NULL) {
            return FIRN_OK;
        }
        if (type != NULL) {
            write_rows(self, type, &batch, is_first);
            is_first = is_first && batch.length == 0;
        }
        batch.release(&batch);
    }
}

static void follow_zone(firn_session *session) {
    char zone[ZONE_NAME_MAX] = "";
    size_t size = sizeof zone;
    if (firn_session_get(session, "TimeZone", zone, &size, NULL) == FIRN_OK &&
        size <= sizeof zone && zone[0] != '\0') {
        cli_moment_zone(zone);
    }
}

/// Writes the answer of a statement that ran: columns and rows, or the count of changed rows.
static firn_status answer_stream(server *self, firn_statement *statement,
                                 struct ArrowArrayStream *stream, const struct ArrowSchema *schema,
                                 firn_error *err) {
    firn_progress progress = FIRN_PROGRESS_INIT;
    firn_statement_progress(statement, &progress);
    cli_sink_reset(&self->answer);
    if (schema->n_children == 0 || progress.changed_rows >= 0) {
        const firn_status status = read_rows(self, stream, NULL, err);
        cli_sink_text(&self->answer, "{\"columns\":[],\"rows\":[]");
        if (progress.changed_rows >= 0) {
            cli_sink_format(&self->answer, ",\"count\":%" PRId64, progress.changed_rows);
        }
        cli_sink_char(&self->answer, '}');
        return status;
    }
    cell_type type = {0};
    const char *refused = NULL;
    firn_status status = FIRN_UNSUPPORTED;
    if (cli_cell_type_read(schema, &type, &refused)) {
        write_columns(self, &type);
        status = read_rows(self, stream, &type, err);
        cli_sink_text(&self->answer, "]}");
    } else {
        (void)snprintf(err->text, sizeof err->text, "Arrow type \"%s\" can't be shown", refused);
    }
    cli_cell_type_close(&type);
    return status;
}

static firn_status run_statement(server *self, firn_statement *statement, firn_error *err) {
    struct ArrowArrayStream stream = {0};
    struct ArrowSchema schema = {0};
    firn_status status = firn_statement_run(statement, &stream, err);
    if (status != FIRN_OK) {
        return status;
    }
    const int code = stream.get_schema(&stream, &schema);
    if (code != 0) {
        cli_stream_fault(&stream, code, err);
        status = err->status;
    } else {
        status = answer_stream(self, statement, &stream, &schema, err);
        schema.release(&schema);
    }
    stream.release(&stream);
    return status;
}

static void run_sql(server *self, const cli_request *request) {
    firn_session *session = NULL;
    firn_error err = FIRN_ERROR_INIT;
    size_t at = 0;
    firn_status status = session_of(self, &request->connection, &session, &err);
    cli_sink_reset(&self->answer);
    cli_sink_text(&self->answer, "{\"columns\":[],\"rows\":[]}");
    while (status == FIRN_OK && at < request->sql.size) {
        firn_statement *statement = NULL;
        size_t used = 0;
        follow_zone(session);
        status = firn_prepare(session, request->sql.data + at, request->sql.size - at, &statement,
                              &used, &err);
        if (status == FIRN_OK && statement == NULL) {
            break;
        }
        if (status == FIRN_OK) {
            status = run_statement(self, statement, &err);
        }
        firn_statement_close(statement);
        at += status == FIRN_OK ? used : 0;
    }
    if (status != FIRN_OK) {
        err.position += err.position == UINT64_MAX ? 0 : at;
        answer_fault(self, &err);
    }
}

static void serve(server *self, const char *line, size_t size) {
    cli_request request;
    const char *wrong = NULL;
    const cli_request_answer read = cli_request_read(line, size, &request, &wrong);
    if (read == CLI_REQUEST_NO_OBJECT) {
        answer_refusal(self, "the request is no JSON object on one line", "08P01");
    } else if (read == CLI_REQUEST_NO_TEXT) {
        char words[64];
        (void)snprintf(words, sizeof words, "\"%s\" of the request is no text", wrong);
        answer_refusal(self, words, "08P01");
    } else if (request.sql.data != NULL) {
        run_sql(self, &request);
    } else if (cli_sink_is(&request.operation, "reset")) {
        forget_everything(self);
        cli_sink_reset(&self->answer);
        cli_sink_text(&self->answer, "{\"columns\":[],\"rows\":[]}");
    } else if (cli_sink_is(&request.operation, "reconnect")) {
        close_sessions(self);
        cli_sink_reset(&self->answer);
        cli_sink_text(&self->answer, "{\"columns\":[],\"rows\":[]}");
    } else {
        answer_refusal(self, "a request has \"sql\", or \"op\" with \"reset\" or \"reconnect\"",
                       "0A000");
    }
    cli_request_close(&request);
    cli_sink_char(&self->answer, '\n');
}

/// Reads the next line into `input`, whose first `*taken` bytes are done with. False at the end.
static bool next_line(cli_sink *input, size_t *taken, const char **line, size_t *size) {
    if (*taken > 0) {
        memmove(input->data, input->data + *taken, input->size - *taken);
        input->size -= *taken;
    }
    *taken = 0;
    size_t searched = 0;
    for (;;) {
        const char *end = input->size == searched
                              ? NULL
                              : memchr(input->data + searched, '\n', input->size - searched);
        if (end != NULL) {
            *line = input->data;
            *size = (size_t)(end - input->data);
            *taken = *size + 1;
            return true;
        }
        searched = input->size;
        char *to = cli_sink_reserve(input, 1 << 16);
        const ssize_t count = read(STDIN_FILENO, to, 1 << 16);
        if (count > 0) {
            input->size += (size_t)count;
        } else if (count == 0 && input->size > 0) {
            cli_sink_char(input, '\n'); // The last line may lack its end.
        } else if (count == 0 || errno != EINTR) {
            return false;
        }
    }
}

int cli_session_mode(const cli_arguments *arguments) {
    server self = {
        .arguments = arguments, .answer = {.fd = STDOUT_FILENO}, .cell = CLI_SINK_MEMORY};
    cli_sink input = CLI_SINK_MEMORY;
    size_t taken = 0;
    const char *line = NULL;
    size_t size = 0;
    bool goes_on = true;
    firn_error err = FIRN_ERROR_INIT;
    if (firn_engine_open(arguments->settings, arguments->setting_count, &self.engine, &err) !=
        FIRN_OK) {
        return cli_fault_of_engine(&err);
    }
    while (goes_on && next_line(&input, &taken, &line, &size)) {
        if (size > 0) {
            self.answer.fd = -1; // Nothing goes out before the answer is known to be whole.
            serve(&self, line, size);
            self.answer.fd = STDOUT_FILENO;
            goes_on = cli_sink_flush(&self.answer);
        }
    }
    forget_everything(&self);
    free(self.sessions);
    cli_sink_close(&self.answer);
    cli_sink_close(&self.cell);
    cli_sink_close(&input);
    return goes_on ? 0 : 1;
}
