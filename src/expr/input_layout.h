// Where columns are in a batch: which position has the column of an id.
#ifndef FIRN_EXPR_INPUT_LAYOUT_H
#define FIRN_EXPR_INPUT_LAYOUT_H

#include "memory/arena.h"

#define NO_PLACE UINT32_MAX

/// ids[i] is the id of column i; no id stands twice but for the same values.
typedef struct input_layout {
    uint32_t count;
    const uint32_t *ids;
    const uint32_t *slots; ///< Positions by hash of their ids, made by input_layout_index; or NULL.
    uint32_t slot_mask;
} input_layout;

/// Lets input_layout_find answer at once where there are many columns. In `memory`.
firn_status input_layout_index(input_layout *self, arena *memory, firn_error *err);

/// The position of a column, the first if there are several; NO_PLACE if it is not there.
/// Cost: a few steps with an index, else up to all of the columns.
uint32_t input_layout_find(const input_layout *self, uint32_t id);

#endif
