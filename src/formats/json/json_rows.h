// Rows as JSON text: the same as the command line's `--format json` and `ndjson` write.
//
//     {"id":1,"price":"12.50","day":"2024-01-31","at":"2024-01-31T10:00:00.000000Z","tags":["a"]}
//
// Numbers and true, false, null as JSON has them; NaN, infinities, decimals and what JSON has no
// type for as strings, moments in ISO 8601 with all digits of their unit and in UTC; binaries in
// hexadecimal digits; maps as arrays of [key, value].
#ifndef FIRN_FORMATS_JSON_JSON_ROWS_H
#define FIRN_FORMATS_JSON_JSON_ROWS_H

#include "column/batch.h"

/// Appends the value of a row of a column in any form. Whether there was memory tells the builder.
void json_put_value(const column *self, uint32_t row, text_builder *out);

/// The names of the columns as they stand before the values: `{"id":`, `,"price":`, …
typedef struct json_rows {
    uint32_t count;
    const text *keys;
} json_rows;

/// In `memory`. Names are different from each other: whoever writes files sees to that.
firn_status json_rows_open(const schema *columns, arena *memory, json_rows *out, firn_error *err);
/// Appends the k-th row that counts, as an object.
void json_put_row(const json_rows *self, const batch *rows, uint32_t k, text_builder *out);

#endif
