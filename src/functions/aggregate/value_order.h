// Values of a column in order, as far as somebody asks: selecting one by rank, sorting all. A value
// goes as a number that orders like it, or like its beginning, and the row where it is.
#ifndef FIRN_FUNCTIONS_AGGREGATE_VALUE_ORDER_H
#define FIRN_FUNCTIONS_AGGREGATE_VALUE_ORDER_H

#include "column/column.h"

typedef struct ordered_value {
    uint64_t number;
    uint32_t row;
} ordered_value;

typedef struct value_order {
    const column *values; ///< Flat or constant, without NULL.
    bool is_exact;        ///< value_order_is_exact of their type.
    cancel_watch watch;   ///< Once its flag is raised, any order will do.
    uint64_t seed;
} value_order;

/// Whether values of a type are equal where their numbers are.
bool value_order_is_exact(const type *of);

value_order value_order_of(const column *values, const cancel_flag *cancel);

/// The values of rows `from` to from + count - 1.
void value_order_list(const value_order *self, uint32_t from, uint32_t count, ordered_value *out);

/// Puts the value that belongs at `rank` there, lower ones before it, higher ones behind it.
void value_order_select(value_order *self, ordered_value *items, uint32_t count, uint32_t rank);

/// The row of the value that belongs at `rank` among those of rows `from` to from + count - 1.
/// Lists but a few of many. False: no memory.
bool value_order_find(value_order *self, uint32_t from, uint32_t count, uint32_t rank,
                      arena *scratch, uint32_t *out);

/// Sorts; where they are then: in `items` or in `spare`, which has as much room.
ordered_value *value_order_sort(value_order *self, ordered_value *items, ordered_value *spare,
                                uint32_t count);

/// Negative, 0 or positive, as the one is below, equal to or above the other.
int value_order_compare(value_order *self, const ordered_value *left, const ordered_value *right);

#endif
