#include "base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/shown_address.h"
#include "base/utf8.h"

// Status, word, SQLSTATE that programs expect when nothing more exact is known.
#define STATUS_LIST(X)                                                                             \
    X(FIRN_OK, "ok", "00000")                                                                      \
    X(FIRN_NO_MEMORY, "out of memory", "53200")                                                    \
    X(FIRN_INVALID, "invalid", "22000")                                                            \
    X(FIRN_NOT_FOUND, "not found", "42704")                                                        \
    X(FIRN_CORRUPT, "corrupt", "XX001")                                                            \
    X(FIRN_UNSUPPORTED, "unsupported", "0A000")                                                    \
    X(FIRN_IO, "i/o", "58030")                                                                     \
    X(FIRN_CONFLICT, "conflict", "40001")                                                          \
    X(FIRN_CANCELLED, "cancelled", "57014")                                                        \
    X(FIRN_INTERNAL, "internal", "XX000")                                                          \
    X(FIRN_COMMIT_UNKNOWN, "commit unknown", "08007")

const char *status_name(firn_status status) {
    switch (status) { // No default: the compiler names the status that is forgotten here.
#define X(value, word, state)                                                                      \
    case value:                                                                                    \
        return word;
        STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

static const char *status_sqlstate(firn_status status) {
    switch (status) {
#define X(value, word, state)                                                                      \
    case value:                                                                                    \
        return state;
        STATUS_LIST(X)
#undef X
    }
    return "XX000";
}

// Names of files and words of other libraries may be of any bytes; what a message says is UTF-8: a
// question mark stands for each byte that is part of none, also where a text was cut.
static void make_utf8(char *from, size_t size) {
    for (size_t at = 0; at < size;) {
        at += utf8_valid_size((bytes){.data = (const uint8_t *)from + at, .size = size - at});
        if (at < size) {
            from[at++] = '?';
        }
    }
}

// Appends to err->text; on overflow the last bytes become "..." and later appends do nothing.
PRINTF_LIKE(2, 0)
static void append_list(firn_error *err, const char *format, va_list args) {
    assert(err->length < FIRN_ERROR_TEXT_MAX);
    const size_t room = FIRN_ERROR_TEXT_MAX - err->length;
    char *from = err->text + err->length;
    const int wanted = vsnprintf(from, room, format, args);
    if (wanted < 0) {
        *from = '\0';
        return;
    }
    const bool fits = (size_t)wanted < room;
    const size_t size =
        fits ? hide_addresses(from, (size_t)wanted) : hide_cut_addresses(from, room - 1);
    from[size] = '\0';
    err->length += size;
    if (!fits) {
        memcpy(err->text + err->length - 3, "...", 4);
    }
    make_utf8(err->text, err->length); // The dots may have cut what stood before.
}

PRINTF_LIKE(2, 3)
static void append(firn_error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    append_list(err, format, args);
    va_end(args);
}

// Empties `err` and begins its text with the word of the status.
static void start(firn_error *err, firn_status status, const char *state, uint64_t position) {
    assert(status != FIRN_OK);
    err->status = status;
    err->length = 0;
    err->hint[0] = '\0';
    err->position = position == UINT32_MAX ? NO_POSITION : position; // As expressions say none.
    err->retryable = status == FIRN_IO || status == FIRN_CONFLICT;
    memcpy(err->sqlstate, state, sizeof err->sqlstate - 1);
    err->sqlstate[sizeof err->sqlstate - 1] = '\0';
    append(err, "%s: ", status_name(status));
}

void err_set(firn_error *err, firn_status status, const char *format, ...) {
    start(err, status, status_sqlstate(status), NO_POSITION);
    va_list args;
    va_start(args, format);
    append_list(err, format, args);
    va_end(args);
}

void err_set_sql(firn_error *err, firn_status status, const char *state, uint64_t position,
                 const char *format, ...) {
    assert(strlen(state) == sizeof err->sqlstate - 1);
    start(err, status, state, position);
    va_list args;
    va_start(args, format);
    append_list(err, format, args);
    va_end(args);
}

void err_while(firn_error *err, const char *format, ...) {
    assert(err->status != FIRN_OK);
    append(err, "\n  while ");
    va_list args;
    va_start(args, format);
    append_list(err, format, args);
    va_end(args);
}

firn_status err_forgive(firn_error *err, firn_status status, firn_status expected) {
    if (status == FIRN_OK || status != expected) {
        return status;
    }
    *err = ERR_INIT;
    return FIRN_OK;
}

void err_hint(firn_error *err, const char *format, ...) {
    assert(err->status != FIRN_OK);
    va_list args;
    va_start(args, format);
    const int wanted = vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
    const size_t had = strlen(err->hint);
    const bool fits = wanted >= 0 && (size_t)wanted == had;
    err->hint[fits ? hide_addresses(err->hint, had) : hide_cut_addresses(err->hint, had)] = '\0';
    make_utf8(err->hint, strlen(err->hint));
}
