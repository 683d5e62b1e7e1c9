#include "slt_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "script.h"
#include "slt_answer.h"

enum { INCLUDE_DEPTH_MAX = 8, VARIABLES_MAX = 16, PATH_SIZE = 1024 };

typedef struct loop_variable {
    slt_text name;
    char value[SLT_NAME_SIZE * 4];
} loop_variable;

typedef struct slt_runner {
    const slt_options *options;
    slt_engine engine;
    slt_counts counts;
    loop_variable variables[VARIABLES_MAX];
    size_t variable_count;
    bool is_left_out; // The next record, by a condition.
    char connection[SLT_NAME_SIZE];
    bool is_halted;
    cli_sink completed; // The file with its answers filled in.
    size_t copied;      // How much of the file is in it.
} slt_runner;

static void run_text(slt_runner *self, const char *path, slt_reader *reader, int depth);

// ---- Variables ---------------------------------------------------------------------------------

static const char *value_of(const slt_runner *self, slt_text name, char *scratch, size_t size) {
    for (size_t i = self->variable_count; i > 0; i--) {
        if (slt_same(self->variables[i - 1].name, name)) {
            return self->variables[i - 1].value;
        }
    }
    if (name.size >= size) {
        return NULL;
    }
    memcpy(scratch, name.data, name.size);
    scratch[name.size] = '\0';
    return getenv(scratch);
}

/// Puts the values of ${NAME} into a text. False if a name has none; `why` tells which.
static bool fill_in(const slt_runner *self, slt_text text, cli_sink *out, cli_sink *why) {
    cli_sink_reset(out);
    for (size_t at = 0; at < text.size;) {
        const char *end = NULL;
        if (text.data[at] == '$' && at + 1 < text.size && text.data[at + 1] == '{') {
            end = memchr(text.data + at, '}', text.size - at);
        }
        if (end == NULL) {
            cli_sink_char(out, text.data[at]);
            at += 1;
            continue;
        }
        const slt_text name = {text.data + at + 2, (size_t)(end - text.data) - at - 2};
        char scratch[SLT_NAME_SIZE];
        const char *value = value_of(self, name, scratch, sizeof scratch);
        if (value == NULL) {
            cli_sink_format(why, "no value for ${%.*s}", (int)name.size, name.data);
            return false;
        }
        cli_sink_text(out, value);
        at = (size_t)(end - text.data) + 1;
    }
    return true;
}

// ---- Records -----------------------------------------------------------------------------------

static bool has_label(const slt_runner *self, slt_text label) {
    if (label.size == 4 && memcmp(label.data, "firn", 4) == 0) {
        return true;
    }
    for (size_t i = 0; i < self->options->label_count; i++) {
        const char *known = self->options->labels[i];
        if (strlen(known) == label.size && memcmp(known, label.data, label.size) == 0) {
            return true;
        }
    }
    return false;
}

/// Whether a fault is the one that is expected: its text holds the words, or matches the pattern.
static bool is_expected_fault(slt_text wanted, const firn_error *err) {
    cli_sink text = CLI_SINK_MEMORY;
    cli_sink_format(&text, "%s\nhint: %s\nsqlstate: %s", err->text, err->hint, err->sqlstate);
    cli_sink_char(&text, '\0');
    char *pattern = cli_allocate(wanted.size + 1, 1);
    if (wanted.size > 0) {
        memcpy(pattern, wanted.data, wanted.size);
    }
    bool agrees = strstr(text.data, pattern) != NULL;
    regex_t compiled;
    if (!agrees && regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0) {
        agrees = regexec(&compiled, text.data, 0, NULL, 0) == 0;
        regfree(&compiled);
    }
    free(pattern);
    cli_sink_close(&text);
    return agrees;
}

static bool is_left_out(const slt_runner *self, const cli_sink *sql) {
    if (self->options->leave_out == NULL) {
        return false;
    }
    char *text = cli_allocate(sql->size + 1, 1);
    if (sql->size > 0) {
        memcpy(text, sql->data, sql->size);
    }
    const bool matches = regexec(self->options->leave_out, text, 0, NULL, 0) == 0;
    free(text);
    return matches;
}

/// Fills the answer of a record into the completed file.
static void complete(slt_runner *self, const slt_reader *reader, const slt_record *record) {
    cli_sink *out = &self->completed;
    const size_t sql_end = (size_t)(record->sql.data + record->sql.size - reader->text.data);
    cli_sink_write(out, reader->text.data + self->copied, sql_end - self->copied);
    cli_sink_text(out, "\n----\n");
    slt_answer_write(record, &self->engine.result, out);
    self->copied = reader->at;
}

static void report(slt_runner *self, const char *path, const slt_record *record, bool is_passed,
                   const cli_sink *why) {
    self->counts.passed += is_passed;
    self->counts.failed += !is_passed;
    if (!is_passed) {
        printf("FAIL %s:%zu: %.*s\n%.*s\n\n", path, record->line, (int)why->size, why->data,
               (int)record->sql.size, record->sql.data);
    } else if (self->options->is_verbose) {
        printf("ok   %s:%zu\n", path, record->line);
    }
}

/// Whether the record went as it says; `why` tells what did not.
static bool check(slt_runner *self, const slt_record *record, const cli_sink *sql, cli_sink *why) {
    firn_error err = FIRN_ERROR_INIT;
    const bool is_done =
        slt_engine_run(&self->engine, self->connection, sql->data, sql->size, &err);
    if (!is_done && record->expect == SLT_ERROR) {
        if (is_expected_fault(record->error, &err)) {
            return true;
        }
        cli_sink_format(why, "another error: %s", err.text);
        return false;
    }
    if (!is_done) {
        cli_sink_format(why, "%s%s%s", err.text, err.hint[0] == '\0' ? "" : "\nhint: ", err.hint);
        return false;
    }
    if (record->expect == SLT_ERROR) {
        cli_sink_text(why, "no error");
        return false;
    }
    if (record->expect == SLT_COUNT) {
        const long long wanted = strtoll(record->words[2].data, NULL, 10);
        cli_sink_format(why, "%lld changed rows, expected %lld",
                        (long long)self->engine.result.changed_rows, wanted);
        return self->engine.result.changed_rows == wanted;
    }
    if (record->kind == SLT_STATEMENT || self->options->completes) {
        return true;
    }
    cli_sink answer = CLI_SINK_MEMORY;
    const bool agrees =
        fill_in(self, record->answer, &answer, why) &&
        slt_answer_agrees(record, (slt_text){answer.data, answer.size}, &self->engine.result, why);
    cli_sink_close(&answer);
    return agrees;
}

static void run_record(slt_runner *self, const char *path, const slt_reader *reader,
                       const slt_record *record, int depth) {
    cli_sink sql = CLI_SINK_MEMORY;
    cli_sink why = CLI_SINK_MEMORY;
    if (!fill_in(self, record->sql, &sql, &why)) {
        report(self, path, record, false, &why);
    } else if (!is_left_out(self, &sql)) {
        slt_before_fn *before = self->options->before;
        const bool is_passed = (before == NULL || before(&self->engine, self->connection, record,
                                                         (slt_text){sql.data, sql.size}, &why)) &&
                               check(self, record, &sql, &why);
        if (is_passed && self->options->completes && record->kind == SLT_QUERY &&
            record->expect == SLT_OK && depth == 0 && self->variable_count == 0) {
            complete(self, reader, record);
        }
        report(self, path, record, is_passed, &why);
    }
    cli_sink_close(&sql);
    cli_sink_close(&why);
}

static void fail_record(slt_runner *self, const char *path, const slt_record *record,
                        const char *text) {
    cli_sink why = CLI_SINK_MEMORY;
    cli_sink_text(&why, text);
    if (record->word_count > 0) {
        cli_sink_format(&why, " \"%.*s\"", (int)record->words[0].size, record->words[0].data);
    }
    report(self, path, record, false, &why);
    cli_sink_close(&why);
}

// ---- Loops and files ---------------------------------------------------------------------------

/// Moves behind the endloop that belongs to the loop just begun.
static void skip_loop(slt_reader *reader) {
    slt_record record;
    size_t depth = 1;
    do {
        slt_record_next(reader, &record);
        depth += record.kind == SLT_LOOP || record.kind == SLT_FOREACH;
        depth -= record.kind == SLT_ENDLOOP;
    } while (depth > 0 && record.kind != SLT_END);
}

static void run_loop(slt_runner *self, const char *path, slt_reader *reader,
                     const slt_record *record, int depth) {
    const bool counts = record->kind == SLT_LOOP;
    const slt_reader body = *reader;
    skip_loop(reader);
    if (record->word_count < (counts ? 4 : 2) || self->variable_count == VARIABLES_MAX) {
        fail_record(self, path, record, "a loop that is not whole:");
        return;
    }
    const long long first = counts ? strtoll(record->words[2].data, NULL, 10) : 2;
    const long long end =
        counts ? strtoll(record->words[3].data, NULL, 10) : (long long)record->word_count;
    loop_variable *variable = &self->variables[self->variable_count];
    self->variable_count += 1;
    variable->name = record->words[1];
    for (long long i = first; i < end && !self->is_halted; i++) {
        if (counts) {
            (void)snprintf(variable->value, sizeof variable->value, "%lld", i);
        } else {
            (void)snprintf(variable->value, sizeof variable->value, "%.*s",
                           (int)record->words[i].size, record->words[i].data);
        }
        slt_reader again = body;
        run_text(self, path, &again, depth);
    }
    self->variable_count -= 1;
}

static bool read_file(const char *path, cli_sink *out) {
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return false;
    }
    const bool is_read = cli_read_all(descriptor, out);
    (void)close(descriptor);
    return is_read;
}

static void run_include(slt_runner *self, const char *path, const slt_record *record, int depth) {
    char target[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    const int folder = slash == NULL ? 0 : (int)(slash - path) + 1;
    cli_sink text = CLI_SINK_MEMORY;
    if (record->word_count > 1) {
        (void)snprintf(target, sizeof target, "%.*s%.*s", folder, path, (int)record->words[1].size,
                       record->words[1].data);
    }
    if (record->word_count < 2 || depth == INCLUDE_DEPTH_MAX || !read_file(target, &text)) {
        fail_record(self, path, record, "a file that can't be read:");
    } else {
        slt_reader reader = {.text = {text.data, text.size}};
        run_text(self, target, &reader, depth + 1);
    }
    cli_sink_close(&text);
}

/// Runs records up to the end of the text or of the loop it is the body of.
static void run_text(slt_runner *self, const char *path, slt_reader *reader, int depth) {
    for (;;) {
        slt_record record;
        slt_record_next(reader, &record);
        if (record.kind == SLT_END || record.kind == SLT_ENDLOOP || self->is_halted) {
            return;
        }
        if (record.kind == SLT_CONDITION && record.word_count > 1) {
            const bool is_only = record.words[0].data[0] == 'o';
            self->is_left_out |= has_label(self, record.words[1]) != is_only;
            continue;
        }
        if (record.kind == SLT_CONNECTION && record.word_count > 1) {
            (void)snprintf(self->connection, sizeof self->connection, "%.*s",
                           (int)record.words[1].size, record.words[1].data);
            continue;
        }
        const bool runs = !self->is_left_out;
        self->is_left_out = false;
        if (record.kind == SLT_LOOP || record.kind == SLT_FOREACH) {
            if (runs) {
                run_loop(self, path, reader, &record, depth);
            } else {
                skip_loop(reader);
            }
        } else if (runs && record.kind == SLT_HALT) {
            self->is_halted = true;
        } else if (runs && record.kind == SLT_INCLUDE) {
            run_include(self, path, &record, depth);
        } else if (runs && (record.kind == SLT_STATEMENT || record.kind == SLT_QUERY)) {
            run_record(self, path, reader, &record, depth);
        } else if (runs) {
            fail_record(self, path, &record, "not known:");
        }
        self->connection[0] = '\0';
    }
}

static bool write_file(const char *path, const cli_sink *text) {
    cli_sink out = {.fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)};
    if (out.fd < 0) {
        return false;
    }
    cli_sink_write(&out, text->data, text->size);
    const bool is_written = cli_sink_flush(&out);
    cli_sink_close(&out);
    return close(out.fd) == 0 && is_written;
}

slt_counts slt_run_file(const char *path, const slt_options *options) {
    slt_runner self = {.options = options, .completed = CLI_SINK_MEMORY};
    cli_sink text = CLI_SINK_MEMORY;
    firn_error err = FIRN_ERROR_INIT;
    if (!read_file(path, &text)) {
        printf("FAIL %s: %s\n", path, strerror(errno));
        self.counts.failed = 1;
    } else if (!slt_engine_open(&self.engine, options->settings, options->setting_count, &err)) {
        printf("FAIL %s: %s\n", path, err.text);
        self.counts.failed = 1;
    } else {
        slt_reader reader = {.text = {text.data == NULL ? "" : text.data, text.size}};
        run_text(&self, path, &reader, 0);
        if (options->completes && self.copied > 0) {
            cli_sink_write(&self.completed, text.data + self.copied, text.size - self.copied);
            if (!write_file(path, &self.completed)) {
                printf("FAIL %s: %s\n", path, strerror(errno));
                self.counts.failed += 1;
            }
        }
    }
    slt_engine_close(&self.engine);
    cli_sink_close(&self.completed);
    cli_sink_close(&text);
    return self.counts;
}
