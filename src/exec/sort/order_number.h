// Values as numbers that order like them, for joins and aggregates by order: a number of 64 bits is
// at most that of a greater value. Integers, dates and the like, floats (NaN above all, -0.0 as
// 0.0) and booleans are told apart by it; of text the first 8 bytes count, of wider numbers and
// intervals what lies within 64 bits.
#ifndef FIRN_EXEC_ORDER_NUMBER_H
#define FIRN_EXEC_ORDER_NUMBER_H

#include "column/column.h"

/// Do different values have different numbers?
bool order_number_is_exact(const type *of);

/// The numbers of rows of a column in any form but RUNS, whose type type_has_order_number. Sets
/// is_null[k] for those that have none. `lanes` is room for as many numbers.
void order_numbers_of(const column *values, const uint16_t *rows, uint32_t count, uint32_t *lanes,
                      uint64_t *out, bool *is_null);

#endif
