// Aggregates that choose one row of a group (first, arg_max): a state keeps the row's place among
// all rows, its keys as bytes that order like them, and its value.
//
//     state   whether there is a row ┬ task ┬ part, row ┬ keys ┬ value
//     keys    of fixed width: as they are; else choice_text
//     value   as in a flat column (BOOLEAN: a byte); strings, and nested values as rows_nested.h
//             writes them: choice_text
//
// A batch first finds the row of each group that is ahead at its end, and only that one's value is
// copied. What it takes the place of is reused, or given back.
#ifndef FIRN_EXEC_AGGREGATE_CHOICE_H
#define FIRN_EXEC_AGGREGATE_CHOICE_H

#include "exec/aggregate/aggregation.h"
#include "exec/sort/sort_key.h"

#define CHOICE_STATE_MAX 256 ///< Bytes of a state: keys of fixed width take 128.

/// How one aggregate chooses; read-only.
typedef struct aggregate_chooser {
    bool takes_last;
    const type *value;
    bool value_is_text;
    bool value_is_nested;
    uint32_t value_size;
    uint32_t key_count;
    const uint32_t *keys; ///< Roots.
    const sort_order *orders;
    bool keys_are_text;
    uint32_t keys_size; ///< In a state; else, and of no keys, 0.
    uint32_t value_offset;
    uint32_t state_size;
} aggregate_chooser;

typedef struct chooser_keys {
    uint32_t count;
    const uint32_t *roots;
    const type *const *types;
    const sort_order *orders;
} chooser_keys;

/// Makes the chooser of a slot, which has its arguments, and with it what its states are.
firn_status aggregate_chooser_make(aggregate_slot *slot, const aggregate_choice *choice,
                                   const chooser_keys *keys, arena *memory, firn_error *err);

/// Puts rows into states, as aggregate_update_one_slot does.
firn_status aggregate_choose(const aggregate_context *self, const aggregate_slot *slot,
                             aggregate_values *values, const aggregate_rows *rows);

#endif
