// Arbitrary bytes as SQL statements.
//
// Oracle: what parses, prints as a text that parses to an equal tree, and printing that gives the
// same text again. What does not parse has an error with SQLSTATE and a position in the text; what
// stands behind the next semicolon is the next statement.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sql/round_trip.h"

#define MEMORY_MAX ((size_t)256 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const firn_error *err, size_t size) {
    if (err->status != FIRN_INVALID || strlen(err->sqlstate) != 5 || err->position > size) {
        abort();
    }
}

static void check_printed(text printed, arena *memory) {
    firn_error err = ERR_INIT;
    size_t used;
    text again;
    if (sql_round_trip(printed, 0, memory, &again, &used, &err) != ROUND_TRIP_SAME ||
        !text_equal(printed, again)) {
        abort();
    }
}

static size_t behind_semicolon(text sql, size_t at) {
    while (at < sql.size && sql.data[at] != ';') {
        at += 1;
    }
    return at < sql.size ? at + 1 : at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const text sql = {.data = (const char *)data, .size = size};
    arena memory = arena_open(MEMORY_MAX);
    size_t at = 0;
    while (at < size) {
        firn_error err = ERR_INIT;
        text printed;
        const size_t before = at;
        switch (sql_round_trip(sql, at, &memory, &printed, &at, &err)) {
        case ROUND_TRIP_SAME:
            check_printed(printed, &memory);
            break;
        case ROUND_TRIP_NONE:
        case ROUND_TRIP_NO_MEMORY:
            at = size;
            break;
        case ROUND_TRIP_REFUSED:
            check_error(&err, size);
            at = behind_semicolon(sql, before > err.position ? before : err.position);
            break;
        case ROUND_TRIP_UNREADABLE:
        case ROUND_TRIP_OTHER:
            abort();
        }
        if (at <= before) {
            abort();
        }
    }
    arena_close(&memory);
    return 0;
}
