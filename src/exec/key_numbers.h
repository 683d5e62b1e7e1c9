// Keys of several columns as one integer, by which groups are found without a hash: each column's
// values get small numbers, and those are put side by side.
//
//     number   ┌ column 0 ┬ column 1 ┬ … ┐        0 is NULL's in each column
//     integers, dates, booleans, short decimals   value - lowest + 1
//     text                                        as the values came: 1, 2, 3 …
//
// Columns grow wider as values come; then every number made before means nothing any more, and the
// owner asks again for its rows. Text is only numbered where it comes as a dictionary, once for
// each entry, or where the owner numbers groups it already has.
#ifndef FIRN_EXEC_KEY_NUMBERS_H
#define FIRN_EXEC_KEY_NUMBERS_H

#include "column/column.h"

typedef struct key_numbers key_numbers;

/// Whether values of this type can be numbered.
bool key_numbers_take(const type *key);

firn_status key_numbers_open(const type *const *types, uint32_t count, pool *query,
                             key_numbers **out, firn_error *err);
void key_numbers_close(key_numbers *self); ///< NULL does nothing.

typedef enum key_answer {
    KEYS_NUMBERED,
    KEYS_MOVED, ///< Other numbers hold from now on: those of earlier rows are void. Ask again.
    KEYS_TOO_MANY,
} key_answer;

/// Rows whose keys are to be numbered.
typedef struct key_rows {
    const column *columns; ///< Any form but RUNS.
    const uint16_t *rows;  ///< NULL: rows 0 to count - 1.
    uint32_t count;
    bool allows_text; ///< Flat text is numbered too, row by row.
} key_rows;

/// The number of each row.
firn_status key_numbers_of(key_numbers *self, const key_rows *in, int64_t *out, key_answer *answer,
                           arena *scratch, firn_error *err);

/// Values of lanes of flat integers, dates and the like as 64-bit integers.
void key_widen(physical layout, const void *values, const uint32_t *lanes, uint32_t count,
               int64_t *out);

#endif
