// Lists, maps and structs as bytes, for rows and states that keep one value: see rows_nested.c for
// how they look.
#ifndef FIRN_EXEC_ROWS_NESTED_H
#define FIRN_EXEC_ROWS_NESTED_H

#include "column/column.h"

// What is made of them is good for nothing once the flag of `watch` is raised.

/// Bytes that the value of a lane of a flat column takes; UINT64_MAX if it is above 4 GiB.
uint64_t row_nested_size(const column *self, uint32_t lane, cancel_watch *watch);
/// Writes them; the end.
uint8_t *row_nested_write(const column *self, uint32_t lane, uint8_t *out, cancel_watch *watch);
/// Whether the bytes are those of an equal value; then `*at` moves behind them.
bool row_nested_equal_at(const uint8_t **at, const column *self, uint32_t lane,
                         cancel_watch *watch);
/// A flat column of values; NULL where values[k] is NULL.
firn_status row_nested_gather(const type *type, const uint8_t *const *values, uint32_t count,
                              arena *memory, column *out, firn_error *err);

// ---- Many at a time
// ------------------------------------------------------------------------------

/// Adds to sizes[i] what the value of lanes[i] takes, if it is not NULL: UINT64_MAX as above.
void row_nested_add_sizes(const column *self, const uint32_t *lanes, uint32_t count,
                          uint64_t *sizes, cancel_watch *watch);
/// Writes the values of lanes, none of them NULL, to out[i], which moves behind it.
void row_nested_write_all(const column *self, const uint32_t *lanes, uint32_t count, uint8_t **out,
                          cancel_watch *watch);

/// Bytes of values, and values that may be equal to them.
typedef struct row_nested_pairs {
    const uint8_t **at; ///< Of the i-th pair.
    uint32_t *lanes;
    uint16_t *numbers; ///< The caller's.
    uint32_t count;
    cancel_watch *watch;
} row_nested_pairs;

/// Keeps the pairs of equal values, in their order. For values that are not NULL, nor long.
void row_nested_match(row_nested_pairs *self, const column *values);

#endif
