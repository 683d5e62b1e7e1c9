// The constants of `x IN (1, 2, 3)`, ready to be looked up: few ones by comparison, integers of a
// small range as a bitmap, others in a hash table.
#ifndef FIRN_EXPR_IN_SET_H
#define FIRN_EXPR_IN_SET_H

#include "column/column.h"

typedef struct in_set in_set;

/// `values`: a flat column without NULLs, in no order. Kept by the set.
firn_status in_set_build(arena *memory, const column *values, const in_set **out, firn_error *err);

/// Sets the bits of the rows whose value is in the set; NULLs are not looked at. `arg` is FLAT or
/// CONSTANT (one row then), of the set's type; `rows` NULL: all `length` lanes. Clean. False when
/// `scratch` is full.
bool in_set_find(const in_set *self, const column *arg, const uint16_t *rows, uint32_t count,
                 uint32_t length, arena *scratch, uint64_t *out);

/// Is row `row` of a column in the set? Any form.
bool in_set_has(const in_set *self, const column *arg, uint32_t row);
const column *in_set_values(const in_set *self);

#endif
