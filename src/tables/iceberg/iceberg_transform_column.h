// Partition values of whole columns: what each row of a batch is written under.
//
// The same values as ice_transform_apply gives one by one, in loops over flat columns.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_TRANSFORM_COLUMN_H
#define FIRN_TABLES_ICEBERG_ICEBERG_TRANSFORM_COLUMN_H

#include "tables/iceberg/iceberg_transform.h"

/// The partition values of the rows of `source`, as a flat or constant column in `memory`: of the
/// type that ice_transform_result says, which of `day` is INTEGER; of `void` NULLs of the source
/// type. NULL gives NULL. Texts and binaries point to the bytes of the source, or lie inside the
/// values.
///
/// Borrows: `source`, a flat or constant column of the name `name`, as long as *out is used.
/// Errors:  FIRN_UNSUPPORTED if the type has no such transform, or it is not known;
///          ice_transform_beyond; FIRN_NO_MEMORY.
/// Cost:    O(rows), of texts O(bytes) at most.
firn_status ice_transform_column(const ice_transform *self, const column *source, text name,
                                 arena *memory, column *out, firn_error *err);

/// FIRN_INVALID (22003), which names the value of a row and its column: it is beyond the range of
/// the transform, as are hours of times far away, and truncated numbers below the least of their
/// type.
firn_status ice_transform_beyond(const ice_transform *self, const column *source, uint32_t row,
                                 text name, arena *memory, firn_error *err);

/// The same up to the first row whose value is beyond the range; *done rows are before it, all of
/// them if there is none.
firn_status ice_transform_column_until(const ice_transform *self, const column *source,
                                       arena *memory, column *out, uint32_t *done, firn_error *err);

#endif
