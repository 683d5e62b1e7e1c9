// A column put together from parts: each gives the rows of its scope (the arms of a CASE). Rows
// that no part gives are NULL.
#ifndef FIRN_EXPR_ROW_MERGE_H
#define FIRN_EXPR_ROW_MERGE_H

#include "expr/row_scope.h"

typedef struct row_merge {
    arena *memory;
    const type *type;
    uint32_t length;
    column out;
    uint64_t *is_valid; ///< Rows that have a value so far.
    // Nested types: the parts, side by side, and which of their rows each row is.
    uint32_t part_count;
    uint32_t part_capacity;
    column *parts; ///< Flat.
    uint32_t *taken;
} row_merge;

/// For at most `part_count` parts of `length` lanes.
firn_status row_merge_open(row_merge *self, const type *of, uint32_t length, uint32_t part_count,
                           arena *memory, firn_error *err);
/// `value`: of the type, any form, `length` lanes. Rows are not given twice.
firn_status row_merge_add(row_merge *self, const column *value, row_scope *scope, firn_error *err);
firn_status row_merge_finish(row_merge *self, column *out, firn_error *err);

/// Flat columns one behind the other, as one flat column: strings still point to the same bytes.
firn_status columns_concat(arena *memory, const type *of, const column *parts, uint32_t count,
                           column *out, firn_error *err);

#endif
