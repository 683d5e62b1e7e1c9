#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault_text.h"
#include "interrupt.h"
#include "moment_text.h"
#include "progress.h"

enum { READ_SIZE = 1 << 16, ZONE_NAME_MAX = 128, SETTING_SIZE = 16 };

static void report(cli_script *self, const firn_error *err, const char *sql, size_t size) {
    cli_sink text = {.fd = STDERR_FILENO};
    if (self->results.format->is_json) {
        cli_sink_char(&text, '{');
        cli_fault_fields(&text, err);
        cli_sink_text(&text, "}\n");
    } else {
        cli_fault_lines(&text, err, sql, size, self->file);
    }
    (void)cli_sink_flush(&text);
    cli_sink_close(&text);
}

static void set_fault(firn_error *err, firn_status status, const char *text) {
    *err = (firn_error)FIRN_ERROR_INIT;
    err->status = status;
    err->length = (size_t)snprintf(err->text, sizeof err->text, "%s", text);
}

static void set_output_fault(const cli_results *results, firn_error *err) {
    char words[160];
    (void)snprintf(words, sizeof words, "writing the results: %s", strerror(results->out.fault));
    set_fault(err, FIRN_IO, words);
}

void cli_stream_fault(struct ArrowArrayStream *stream, int code, firn_error *err) {
    if (firn_stream_error(stream, err) == FIRN_OK && err->status != FIRN_OK) {
        return;
    }
    const char *text = stream->get_last_error(stream);
    set_fault(err, code == ECANCELED ? FIRN_CANCELLED : FIRN_INTERNAL,
              text == NULL ? strerror(code) : text);
}

/// Instants are shown in the session's zone, which a SET may have changed.
static void follow_zone(cli_script *self, const cell_type *type) {
    for (size_t i = 0; i < type->child_count; i++) {
        if (type->children[i].is_zoned) {
            char zone[ZONE_NAME_MAX] = "";
            size_t size = sizeof zone;
            if (firn_session_get(self->session, "TimeZone", zone, &size, NULL) == FIRN_OK &&
                size <= sizeof zone && zone[0] != '\0') {
                cli_moment_zone(zone);
            }
            return;
        }
        follow_zone(self, &type->children[i]);
    }
}

/// The head of a result is written with its first rows, or at its end: a query that fails before it
/// has any leaves nothing that looks like an empty result.
static firn_status begin_result(cli_script *self, bool *has_begun, firn_error *err) {
    cli_results *results = &self->results;
    if (*has_begun) {
        return FIRN_OK;
    }
    *has_begun = true;
    results->format->begin(results);
    if (results->fault != NULL) {
        set_fault(err, FIRN_UNSUPPORTED, results->fault);
        return FIRN_UNSUPPORTED;
    }
    return FIRN_OK;
}

/// Reads the stream to its end; each batch goes to the format, unless `has_begun` is NULL.
static firn_status read_batches(cli_script *self, struct ArrowArrayStream *stream, bool *has_begun,
                                firn_error *err) {
    cli_results *results = &self->results;
    for (;;) {
        struct ArrowArray batch = {0};
        const int code = stream->get_next(stream, &batch);
        if (code != 0) {
            cli_stream_fault(stream, code, err);
            return err->status;
        }
        firn_status status = has_begun == NULL ? FIRN_OK : begin_result(self, has_begun, err);
        if (batch.release == NULL) {
            return status;
        }
        if (has_begun != NULL && status == FIRN_OK) {
            results->format->batch(results, &batch);
            results->row_count += (uint64_t)batch.length;
        }
        batch.release(&batch);
        if (status != FIRN_OK) {
            return status;
        }
        if (results->out.fault != 0) {
            set_output_fault(results, err);
            return FIRN_IO;
        }
        if (cli_interrupted()) {
            set_fault(err, FIRN_CANCELLED, "cancelled");
            return FIRN_CANCELLED;
        }
    }
}

static firn_status show_result(cli_script *self, struct ArrowArrayStream *stream,
                               const struct ArrowSchema *schema, firn_error *err) {
    cli_results *results = &self->results;
    cell_type type = {0};
    const char *refused = NULL;
    firn_status status = FIRN_OK;
    if (!cli_cell_type_read(schema, &type, &refused)) {
        set_fault(err, FIRN_UNSUPPORTED, "");
        err->length =
            (size_t)snprintf(err->text, sizeof err->text,
                             "the command line can't show the Arrow type \"%s\"", refused);
        status = FIRN_UNSUPPORTED;
        goto done;
    }
    if (results->format->takes_one && results->result_count > 0) {
        set_fault(err, FIRN_INVALID, "");
        err->length = (size_t)snprintf(err->text, sizeof err->text,
                                       "the format \"%s\" takes one result and this is the second",
                                       results->format->name);
        (void)snprintf(err->hint, sizeof err->hint, "use --format ndjson or csv");
        status = FIRN_INVALID;
        goto done;
    }
    follow_zone(self, &type);
    results->result_count += 1;
    results->row_count = 0;
    results->schema = schema;
    results->type = &type;
    results->fault = NULL;
    bool has_begun = false;
    status = read_batches(self, stream, &has_begun, err);
    if (has_begun) {
        results->format->end(results, status == FIRN_OK);
    }
    if (!cli_sink_flush(&results->out) && status == FIRN_OK) {
        set_output_fault(results, err);
        status = FIRN_IO;
    }
done:
    cli_cell_type_close(&type);
    return status;
}

static void show_count(const cli_script *self, int64_t count) {
    if (!self->arguments->is_quiet && !self->is_silent) {
        (void)fprintf(stderr, "%" PRId64 " row%s changed\n", count, count == 1 ? "" : "s");
    }
}

static bool wants_progress(const cli_script *self) {
    char value[SETTING_SIZE] = "";
    size_t size = sizeof value;
    const firn_status status = firn_session_get(self->session, "progress", value, &size, NULL);
    return status != FIRN_OK || strcmp(value, "off") != 0;
}

/// Runs one statement and shows what it gives: rows, a count of changed rows, or nothing.
static firn_status run_statement(cli_script *self, firn_statement *statement, firn_error *err) {
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
        goto done;
    }
    firn_progress progress = FIRN_PROGRESS_INIT;
    firn_statement_progress(statement, &progress);
    const bool is_change = progress.changed_rows >= 0;
    if (schema.n_children == 0 || is_change || self->is_silent) {
        status = read_batches(self, &stream, NULL, err);
        cli_progress_end();
        if (status == FIRN_OK && is_change) {
            show_count(self, progress.changed_rows);
        }
    } else {
        status = show_result(self, &stream, &schema, err);
    }
done:
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    stream.release(&stream);
    return status;
}

cli_outcome cli_script_run(cli_script *self, const char *sql, size_t size) {
    size_t at = 0;
    firn_status status = FIRN_OK;
    firn_error err = FIRN_ERROR_INIT;
    while (status == FIRN_OK && at < size && !cli_interrupted()) {
        firn_statement *statement = NULL;
        size_t used = 0;
        status = firn_prepare(self->session, sql + at, size - at, &statement, &used, &err);
        if (status == FIRN_OK && statement == NULL) {
            break; // Nothing but blanks and comments is left.
        }
        if (status == FIRN_OK) {
            if (cli_progress_is_allowed() && wants_progress(self)) {
                cli_progress_begin(statement);
            }
            status = run_statement(self, statement, &err);
            cli_progress_end();
        }
        firn_statement_close(statement);
        if (status != FIRN_OK) {
            break;
        }
        at += used;
    }
    if (cli_interrupted()) {
        return CLI_INTERRUPTED;
    }
    if (status != FIRN_OK) {
        if (err.position != UINT64_MAX) {
            err.position += at;
        }
        if (self->results.out.fault != EPIPE) { // Nobody reads any more: that is no fault.
            report(self, &err, sql, size);
        }
        return CLI_FAILED;
    }
    return CLI_DONE;
}

bool cli_read_all(int descriptor, cli_sink *out) {
    while (cli_interrupt_wait(descriptor)) {
        char *to = cli_sink_reserve(out, READ_SIZE);
        const ssize_t count = read(descriptor, to, READ_SIZE);
        if (count == 0) {
            return true;
        }
        if (count > 0) {
            out->size += (size_t)count;
        } else if (errno != EINTR) {
            return false;
        }
    }
    errno = EINTR;
    return false;
}

cli_outcome cli_script_run_file(cli_script *self, const char *path) {
    const bool is_input = strcmp(path, "-") == 0;
    const int descriptor = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    cli_sink text = CLI_SINK_MEMORY;
    cli_outcome outcome = CLI_FAILED;
    if (descriptor >= 0 && cli_read_all(descriptor, &text)) {
        const char *outer = self->file;
        self->file = is_input ? NULL : path;
        outcome = cli_script_run(self, text.data == NULL ? "" : text.data, text.size);
        self->file = outer;
    } else if (cli_interrupted()) {
        outcome = CLI_INTERRUPTED;
    } else {
        firn_error err = FIRN_ERROR_INIT;
        set_fault(&err, FIRN_IO, "");
        err.length = (size_t)snprintf(err.text, sizeof err.text, "file \"%s\" can't be read: %s",
                                      path, strerror(errno));
        report(self, &err, "", 0);
    }
    if (descriptor >= 0 && !is_input) {
        (void)close(descriptor);
    }
    cli_sink_close(&text);
    return outcome;
}
