// Writing result sets in one of the formats of --format.
#ifndef FIRN_CLI_RESULTS_H
#define FIRN_CLI_RESULTS_H

#include "byte_sink.h"
#include "cells.h"

typedef struct cli_results cli_results;

/// How result sets are written. `begin` may allocate `self->state`; `end` frees it, also after a
/// failed stream, where `is_whole` is false.
typedef struct cli_format {
    const char *name;
    bool takes_one; // The output can hold a single result set.
    bool is_json;   // Errors are written as JSON too.
    bool is_binary; // Nothing for a terminal.
    void (*begin)(cli_results *self);
    void (*batch)(cli_results *self, const struct ArrowArray *batch);
    void (*end)(cli_results *self, bool is_whole);
} cli_format;

extern const cli_format cli_format_table;
extern const cli_format cli_format_csv;
extern const cli_format cli_format_json;
extern const cli_format cli_format_ndjson;
extern const cli_format cli_format_arrow;
extern const cli_format cli_format_markdown;

struct cli_results {
    const cli_format *format;
    cli_sink out;
    uint64_t result_count;            // Result sets begun so far.
    uint64_t row_count;               // Of the current one.
    const struct ArrowSchema *schema; // Of the current one.
    const cell_type *type;            // The same, read.
    uint32_t terminal_width;          // 0: not on a terminal, everything is written whole.
    bool has_color;
    const char *fault; // Why the format can't write this result, NULL if it can.
    void *state;       // The format's.
};

/// The format of a name, NULL if there is none.
const cli_format *cli_format_of(const char *name);
/// The format of that number, NULL behind the last.
const cli_format *cli_format_at(size_t index);

/// Columns that UTF-8 text takes on a terminal.
size_t cli_text_width(const char *data, size_t size);
/// The longest beginning of the text of at most `width` columns, in bytes.
size_t cli_text_clip(const char *data, size_t size, size_t width);
/// Writes text so that it takes one line and cannot steer a terminal: control characters as \n, \t
/// or \x1b, bytes that are not UTF-8 as U+FFFD.
void cli_text_printable(cli_sink *out, const char *data, size_t size);

#endif
