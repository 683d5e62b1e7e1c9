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
/// Whether the bytes are those of an equal value.
bool row_nested_equal(const uint8_t *value, const column *self, uint32_t lane, cancel_watch *watch);
/// A flat column of values; NULL where values[k] is NULL.
firn_status row_nested_gather(const type *type, const uint8_t *const *values, uint32_t count,
                              arena *memory, column *out, firn_error *err);

#endif
