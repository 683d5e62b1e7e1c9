// For tests and fuzzing: parses a statement, prints it, parses that, and compares the trees.
#ifndef FIRN_SQL_ROUND_TRIP_H
#define FIRN_SQL_ROUND_TRIP_H

#include "sql/parser.h"
#include "sql/printer.h"

typedef enum round_trip {
    ROUND_TRIP_SAME,
    ROUND_TRIP_NONE,       // No statement in the text.
    ROUND_TRIP_REFUSED,    // The text is an error.
    ROUND_TRIP_UNREADABLE, // The printed text is an error.
    ROUND_TRIP_OTHER,      // The printed text is another tree.
    ROUND_TRIP_NO_MEMORY,
} round_trip;

/// `*printed` is the printed text, `*used` where the next statement begins.
static inline round_trip sql_round_trip(text sql, size_t offset, arena *memory, text *printed,
                                        size_t *used, firn_error *err) {
    const sql_statement *first;
    const sql_statement *second;
    size_t ignored;
    *printed = (text){0};
    if (sql_parse_statement(sql, offset, memory, &first, used, err) != FIRN_OK) {
        return err->status == FIRN_NO_MEMORY ? ROUND_TRIP_NO_MEMORY : ROUND_TRIP_REFUSED;
    }
    if (first == NULL) {
        return ROUND_TRIP_NONE;
    }
    text_builder out = text_builder_open(memory);
    sql_print_statement(&out, first);
    if (text_builder_finish(&out, printed, err) != FIRN_OK) {
        return ROUND_TRIP_NO_MEMORY;
    }
    if (sql_parse_statement(*printed, 0, memory, &second, &ignored, err) != FIRN_OK) {
        return err->status == FIRN_NO_MEMORY ? ROUND_TRIP_NO_MEMORY : ROUND_TRIP_UNREADABLE;
    }
    if (sql_equal(first, second)) {
        return ROUND_TRIP_SAME;
    }
    // Secrets of ATTACH are not printed; the rest must be the same.
    text again = {0};
    text_builder repeated = text_builder_open(memory);
    sql_print_statement(&repeated, second);
    if (text_builder_finish(&repeated, &again, err) != FIRN_OK) {
        return ROUND_TRIP_NO_MEMORY;
    }
    const bool is_attach = sql_statement_kind_of(first) == SQL_ATTACH;
    return is_attach && text_equal(*printed, again) ? ROUND_TRIP_SAME : ROUND_TRIP_OTHER;
}

#endif
