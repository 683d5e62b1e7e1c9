// States that hold one value of any type that is not nested: the lowest, the highest, the first.
//
//     fixed width   has_value, then the value as in a flat column (BOOLEAN: a byte)
//     strings       a held_string; the bytes of long ones in the call's heap
//
// Both go out as one column of the type, NULL for no value.
#ifndef FIRN_FUNCTIONS_AGGREGATE_HELD_VALUE_H
#define FIRN_FUNCTIONS_AGGREGATE_HELD_VALUE_H

#include "functions/aggregate/fold.h"

typedef struct held_fixed {
    uint64_t has_value; ///< 0, HELD_VALUE or HELD_NULL (first(), last()).
    uint64_t value[4];  ///< As many bytes as the type has.
} held_fixed;

typedef struct held_string {
    string_value value;
    uint32_t has_value;
    uint32_t capacity; ///< Bytes at value.data, if it is long.
} held_string;

#define HELD_VALUE 1
#define HELD_NULL 2

/// state_size_for of held_fixed.
uint32_t held_size(const type *const *types);

/// Copies a lane of a flat or constant column of fixed width.
static inline void held_take(const column *values, uint32_t lane, void *out) {
    const physical kind = type_physical(values->type);
    const size_t width = physical_size(kind);
    if (kind == PHYSICAL_BIT) {
        *(uint8_t *)out = bitmap_get(values->values, lane);
    } else if (width > 0) {
        memcpy(out, COLUMN_VALUES(values, char) + lane * width, width);
    }
}

/// Puts a copy of a string into a state. False when the heap is full.
bool held_string_put(held_string *self, const string_value *value, state_heap *heap);

/// Negative, 0 or positive, as the value of one state is below, equal to or above the other's.
int held_compare(const type *type, const void *left, const void *right);

// finish and export_state; held_*_export goes out as one column.
uint32_t held_fixed_finish(aggregate_call *call, void *const *states, uint32_t offset, column *out);
uint32_t held_fixed_export(aggregate_call *call, void *const *states, uint32_t offset, column *out);
uint32_t held_string_finish(aggregate_call *call, void *const *states, uint32_t offset,
                            column *out);
uint32_t held_string_export(aggregate_call *call, void *const *states, uint32_t offset,
                            column *out);
/// The k-th state of an imported column. A string points to the column's bytes.
held_fixed held_fixed_import(const column *values, uint32_t k);
held_string held_string_import(const column *values, uint32_t k);

#endif
