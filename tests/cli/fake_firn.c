// A stand-in for the library behind the command line: firn.h over results made by hand, so that
// every rendering, fault and interrupt can be tested without an engine. "SQL" here is a word:
//
//     types, forms    the columns of fake_types.c
//     column NAME     one column of types
//     rows N          N rows of a number and a text
//     wide N          one row of N columns
//     names           two columns of the same name
//     text HEX        one text
//     count N         N changed rows
//     nothing         no result at all
//     fail            a fault with a position, a hint and context
//     break N         N rows and then a fault
//     crash           ends the process by a signal
//     sleep FILE      waits to be cancelled, and makes an empty file when it begins
//     slow            one row after more than a second, when it was asked for progress
//     slow rows       the same, which reads no bytes; slow nothing: nor counts rows
//     slow unwatched  the same without waiting for that
//     settings        what the engine was opened with
//     set KEY VALUE   a setting of the session
#include "firn.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fake_columns.h"

enum { WORDS_MAX = 256, BATCH_ROWS = 1000, TEXT_SIZE = 4096, SETTINGS_SIZE = 1024 };

struct firn_engine {
    char settings[SETTINGS_SIZE];
};

struct firn_session {
    firn_engine *engine;
    char zone[64];
    atomic_bool is_cancelled;
    atomic_bool is_watched; // Somebody has asked how far it is.
    firn_error last;
};

struct firn_statement {
    firn_session *session;
    char word[WORDS_MAX];
    char argument[TEXT_SIZE];
};

typedef struct fake_stream {
    firn_session *session;
    const fake_column *columns;
    int64_t column_count;
    int64_t rows_left;
    int64_t rows_done;
    bool counts; // The rows are numbers and their text, made batch by batch.
    bool breaks;
    bool sleeps;
    fake_column own[FAKE_CHILDREN_MAX];
    int64_t numbers[BATCH_ROWS];
    int32_t offsets[BATCH_ROWS + 1];
    char text[TEXT_SIZE + BATCH_ROWS * 24];
} fake_stream;

static firn_status fault(firn_error *err, firn_status status, const char *text) {
    if (err != NULL) {
        *err = (firn_error)FIRN_ERROR_INIT;
        err->status = status;
        err->length = (size_t)snprintf(err->text, sizeof err->text, "%s", text);
    }
    return status;
}

// ---- Engine and session ------------------------------------------------------------------------

const char *firn_version(void) {
    return "0.1.0";
}

firn_status firn_engine_open(const firn_option *options, size_t count, firn_engine **out,
                             firn_error *err) {
    *out = NULL;
    firn_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        return fault(err, FIRN_NO_MEMORY, "no memory");
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].key, "thread") == 0) {
            free(engine);
            (void)fault(err, FIRN_INVALID, "invalid: unknown setting \"thread\"");
            (void)snprintf(err->hint, sizeof err->hint, "did you mean \"threads\"?");
            return FIRN_INVALID;
        }
        const size_t used = strlen(engine->settings);
        (void)snprintf(engine->settings + used, sizeof engine->settings - used, "%s=%s ",
                       options[i].key, options[i].value);
    }
    *out = engine;
    return FIRN_OK;
}

void firn_engine_close(firn_engine *engine) {
    free(engine);
}

firn_status firn_session_open(firn_engine *engine, firn_session **out, firn_error *err) {
    *out = calloc(1, sizeof **out);
    if (*out == NULL) {
        return fault(err, FIRN_NO_MEMORY, "no memory");
    }
    (*out)->engine = engine;
    (void)snprintf((*out)->zone, sizeof(*out)->zone, "UTC");
    return FIRN_OK;
}

void firn_session_close(firn_session *session) {
    free(session);
}

firn_status firn_session_set(firn_session *session, const char *key, const char *value,
                             firn_error *err) {
    (void)session;
    return strcmp(key, "arrow.batch_rows") == 0 && strtol(value, NULL, 10) > 0
               ? FIRN_OK
               : fault(err, FIRN_INVALID, "unknown setting");
}

firn_status firn_session_get(firn_session *session, const char *key, char *value, size_t *size,
                             firn_error *err) {
    const bool is_off = strstr(session->engine->settings, "progress=off") != NULL;
    const char *found = strcmp(key, "progress") == 0   ? (is_off ? "off" : "auto")
                        : strcmp(key, "TimeZone") == 0 ? session->zone
                                                       : NULL;
    if (found == NULL) {
        return fault(err, FIRN_INVALID, "unknown setting");
    }
    const size_t needed = strlen(found) + 1;
    if (value != NULL && *size >= needed) {
        memcpy(value, found, needed);
    }
    *size = needed;
    return FIRN_OK;
}

void firn_session_cancel(firn_session *session) {
    atomic_store(&session->is_cancelled, true);
}

// ---- Statements --------------------------------------------------------------------------------

firn_status firn_prepare(firn_session *session, const char *sql, size_t size, firn_statement **out,
                         size_t *used, firn_error *err) {
    *out = NULL;
    size_t begin = 0;
    while (begin < size && (strchr(" \r\n\t;", sql[begin]) != NULL)) {
        begin += 1;
    }
    size_t end = begin;
    while (end < size && sql[end] != ';') {
        end += 1;
    }
    *used = end < size ? end + 1 : size;
    if (begin == size) {
        return FIRN_OK;
    }
    if (size - begin >= 4 && strncmp(sql + begin, "fail", 4) == 0) {
        (void)fault(err, FIRN_INVALID,
                    "invalid: column \"regoin\" does not exist\n  while binding the select list");
        err->position = begin + 5;
        (void)snprintf(err->sqlstate, sizeof err->sqlstate, "42703");
        (void)snprintf(err->hint, sizeof err->hint, "did you mean \"region\"?");
        return FIRN_INVALID;
    }
    firn_statement *statement = calloc(1, sizeof *statement);
    if (statement == NULL) {
        return fault(err, FIRN_NO_MEMORY, "no memory");
    }
    statement->session = session;
    char text[TEXT_SIZE];
    (void)snprintf(text, sizeof text, "%.*s", (int)(end - begin), sql + begin);
    char *blank = strpbrk(text, " \r\n");
    if (blank != NULL) {
        *blank = '\0';
        (void)snprintf(statement->argument, sizeof statement->argument, "%s", blank + 1);
    }
    (void)snprintf(statement->word, sizeof statement->word, "%.*s", (int)sizeof statement->word - 1,
                   text);
    *out = statement;
    return FIRN_OK;
}

void firn_statement_close(firn_statement *statement) {
    free(statement);
}

void firn_statement_progress(firn_statement *statement, firn_progress *out) {
    out->changed_rows = -1;
    if (strcmp(statement->word, "count") == 0) {
        out->changed_rows = strtoll(statement->argument, NULL, 10);
    }
    if (strcmp(statement->word, "slow") == 0) {
        atomic_store(&statement->session->is_watched, true);
        const char *argument = statement->argument;
        const bool is_plain = strcmp(argument, "rows") != 0 && strcmp(argument, "nothing") != 0;
        out->share = is_plain ? 0.25 : -1;
        out->rows = strcmp(argument, "nothing") != 0 ? 1234567 : 0;
        out->bytes = is_plain ? UINT64_C(3) << 30 : 0;
        out->spilled_bytes = is_plain ? 2048 : 0;
    }
}

// ---- Streams -----------------------------------------------------------------------------------

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    const fake_stream *self = stream->private_data;
    fake_result_schema(self->columns, self->column_count, out);
    return 0;
}

/// Fills the own columns with the next numbers and their text.
static int64_t next_rows(fake_stream *self) {
    const int64_t count = self->rows_left < BATCH_ROWS ? self->rows_left : BATCH_ROWS;
    int32_t used = 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t number = self->rows_done + i + 1;
        self->numbers[i] = number;
        self->offsets[i] = used;
        used += snprintf(self->text + used, 24, "row %lld", (long long)number);
    }
    self->offsets[count] = used;
    self->own[0].length = count;
    self->own[1].length = count;
    return count;
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    fake_stream *self = stream->private_data;
    *out = (struct ArrowArray){0};
    while (self->sleeps) {
        const struct timespec pause = {.tv_nsec = 1000000};
        (void)nanosleep(&pause, NULL);
        if (atomic_load(&self->session->is_cancelled)) {
            (void)fault(&self->session->last, FIRN_CANCELLED, "cancelled: the query was stopped");
            atomic_store(&self->session->is_cancelled, false);
            return ECANCELED;
        }
    }
    if (self->rows_left == 0) {
        if (self->breaks) {
            (void)fault(&self->session->last, FIRN_CORRUPT,
                        "corrupt: page ends early\n  while reading part-1.parquet");
            return EIO;
        }
        return 0;
    }
    const int64_t count = self->counts ? next_rows(self) : self->rows_left;
    fake_result_batch(self->columns, self->column_count, count, out);
    self->rows_left -= count;
    self->rows_done += count;
    return 0;
}

static const char *stream_fault(struct ArrowArrayStream *stream) {
    return ((fake_stream *)stream->private_data)->session->last.text;
}

static void stream_release(struct ArrowArrayStream *stream) {
    free(stream->private_data);
    stream->release = NULL;
}

static void set_rows(fake_stream *self, int64_t count) {
    self->own[0] = (fake_column){
        .name = "n", .format = "l", .buffers = {NULL, self->numbers}, .buffer_count = 2};
    self->own[1] = (fake_column){.name = "label",
                                 .format = "u",
                                 .buffers = {NULL, self->offsets, self->text},
                                 .buffer_count = 3};
    self->columns = self->own;
    self->column_count = 2;
    self->rows_left = count;
    self->counts = true;
}

static void set_text(fake_stream *self, const char *text, size_t size) {
    memcpy(self->text, text, size);
    self->offsets[1] = (int32_t)size;
    self->own[0] = (fake_column){.name = "text",
                                 .format = "u",
                                 .buffers = {NULL, self->offsets, self->text},
                                 .buffer_count = 3,
                                 .length = 1};
    self->columns = self->own;
    self->column_count = 1;
    self->rows_left = 1;
}

static void set_hex(fake_stream *self, const char *hex) {
    char text[TEXT_SIZE / 2];
    size_t size = 0;
    while (hex[0] != '\0' && hex[1] != '\0' && size < sizeof text) {
        const char pair[3] = {hex[0], hex[1], '\0'};
        text[size] = (char)strtoul(pair, NULL, 16);
        size += 1;
        hex += 2;
    }
    set_text(self, text, size);
}

static void set_wide(fake_stream *self, int64_t count) {
    static const char *const names[] = {"first_column", "second_column", "third_column",
                                        "fourth_column"};
    for (int64_t i = 0; i < count; i++) {
        self->own[i] = (fake_column){.name = names[i % 4],
                                     .format = "l",
                                     .buffers = {NULL, self->numbers},
                                     .buffer_count = 2,
                                     .length = 1};
    }
    self->numbers[0] = 1234567890123;
    self->columns = self->own;
    self->column_count = count;
    self->rows_left = 1;
}

/// One column of the types, found by its name.
static bool set_column(fake_stream *self, const char *name) {
    int64_t count = 0;
    const fake_column *types = fake_types(&count);
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(types[i].name, name) == 0) {
            self->columns = &types[i];
            self->column_count = 1;
            self->rows_left = 3;
            return true;
        }
    }
    return false;
}

/// More than a second, and until somebody has asked how far it is, unless nobody will.
static void pause_until_watched(const firn_statement *statement) {
    const bool is_unwatched = statement->argument[0] != '\0';
    const struct timespec pause = {.tv_nsec = 500 * 1000 * 1000};
    atomic_store(&statement->session->is_watched, is_unwatched);
    for (int i = 0; i < 3 || (i < 120 && !atomic_load(&statement->session->is_watched)); i++) {
        (void)nanosleep(&pause, NULL);
    }
}

static void tell_begin(const char *path) {
    FILE *file = path[0] == '\0' ? NULL : fopen(path, "w");
    if (file != NULL) {
        (void)fclose(file);
    }
}

static firn_status fill_stream(firn_statement *statement, fake_stream *self, firn_error *err) {
    const char *word = statement->word;
    const int64_t number = strtoll(statement->argument, NULL, 10);
    if (strcmp(word, "types") == 0 || strcmp(word, "forms") == 0) {
        self->columns =
            word[0] == 't' ? fake_types(&self->column_count) : fake_forms(&self->column_count);
        self->rows_left = 3;
    } else if (strcmp(word, "column") == 0 && set_column(self, statement->argument)) {
        self->rows_done = 0;
    } else if (strcmp(word, "rows") == 0 || strcmp(word, "break") == 0) {
        set_rows(self, number);
        self->breaks = word[0] == 'b';
    } else if (strcmp(word, "crash") == 0) {
        abort();
    } else if (strcmp(word, "sleep") == 0) {
        set_rows(self, 0);
        self->sleeps = true;
        tell_begin(statement->argument);
    } else if (strcmp(word, "slow") == 0) {
        pause_until_watched(statement);
        set_rows(self, 1);
    } else if (strcmp(word, "wide") == 0 && number <= FAKE_CHILDREN_MAX) {
        set_wide(self, number);
    } else if (strcmp(word, "names") == 0) {
        set_wide(self, 2);
        self->own[1].name = self->own[0].name;
    } else if (strcmp(word, "text") == 0) {
        set_hex(self, statement->argument);
    } else if (strcmp(word, "settings") == 0) {
        set_text(self, statement->session->engine->settings,
                 strlen(statement->session->engine->settings));
    } else if (strcmp(word, "set") == 0) {
        (void)sscanf(statement->argument, "%*s %63s", statement->session->zone);
    } else if (strcmp(word, "count") != 0 && strcmp(word, "nothing") != 0) {
        return fault(err, FIRN_INVALID, "invalid: the fake does not know this word");
    }
    return FIRN_OK;
}

firn_status firn_statement_run(firn_statement *statement, struct ArrowArrayStream *out,
                               firn_error *err) {
    *out = (struct ArrowArrayStream){0};
    fake_stream *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return fault(err, FIRN_NO_MEMORY, "no memory");
    }
    self->session = statement->session;
    statement->session->last = (firn_error)FIRN_ERROR_INIT;
    atomic_store(&statement->session->is_cancelled, false);
    const firn_status status = fill_stream(statement, self, err);
    if (status != FIRN_OK) {
        free(self);
        return status;
    }
    *out = (struct ArrowArrayStream){.get_schema = stream_schema,
                                     .get_next = stream_next,
                                     .get_last_error = stream_fault,
                                     .release = stream_release,
                                     .private_data = self};
    return FIRN_OK;
}

firn_status firn_stream_error(struct ArrowArrayStream *stream, firn_error *out) {
    *out = ((fake_stream *)stream->private_data)->session->last;
    return FIRN_OK;
}
