// Values as text and as JSON.
#ifndef FIRN_CLI_CELL_TEXT_H
#define FIRN_CLI_CELL_TEXT_H

#include "byte_sink.h"
#include "cells.h"

/// The value as `CAST(x AS VARCHAR)` gives it: `1.50`, `\x0aff`, `[1, 2, NULL]`, `{a: 1}`. NULL is
/// written as "NULL"; callers that show it otherwise ask first.
void cli_cell_write_text(cli_sink *out, cell value);

/// The value as JSON: numbers, true, false, null; all else as strings (decimals, moments, binary in
/// hex, NaN and infinities); lists as arrays, structs as objects, maps as arrays of [key, value].
void cli_cell_write_json(cli_sink *out, cell value);

/// A text as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
void cli_json_string(cli_sink *out, const char *data, size_t size);

/// The length of the UTF-8 sequence at `data`, 0 if it is none.
size_t cli_utf8_size(const char *data, size_t size);

#endif
