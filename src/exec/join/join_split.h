// The condition of a join, without its keys, taken apart.
//
//     t.a < 0                 guard of the left side: rows that fail it are beside no right row
//     u.a > 5                 guard of the right side, likewise
//     t.a <= u.b              bound: an expression of the right side by one of the left
//     t.a <= u.b, t.s like …  the rest, which is asked of pairs; bounds are among it
//
// Guards are left of outer joins only: others push them into their inputs. Where NULL leaves rows
// undecided there are no guards, and a bound only if it is all that is asked.
//
// By the bounds right rows are found in the order of one expression, the **first key**, and, if
// there are bounds of another one too, the **second key**, by what lies between its values in that
// order: see range_index.h.
#ifndef FIRN_EXEC_JOIN_SPLIT_H
#define FIRN_EXEC_JOIN_SPLIT_H

#include "exec/join/join_side.h"

#define JOIN_RANGE_KEYS_MAX 2

/// Expressions over columns of right rows.
typedef struct join_row_program {
    expr_program *program; ///< NULL: none.
    uint32_t input_count;
    uint32_t *inputs; ///< Row columns.
} join_row_program;

/// One bound; its value for a left row is root i of `bound_values`.
typedef struct join_bound {
    uint32_t key;   ///< Of which key.
    bool is_lower;  ///< The key is above it.
    bool is_strict; ///< And not equal.
} join_bound;

typedef struct join_split {
    const expr *rest;         ///< NULL: nothing.
    expr_program *left_guard; ///< Over the left input; NULL: none.
    join_row_program right_guard;
    uint32_t key_count; ///< 0: no bounds.
    const type *key_types[JOIN_RANGE_KEYS_MAX];
    join_row_program keys;
    uint32_t bound_count;
    join_bound *bounds;
    expr_program *bound_values; ///< Over the left input.
    bool bounds_are_all;        ///< The rest is nothing but them.
} join_split;

/// Takes the condition apart and wants the row columns that it needs. With keys there are no
/// guards: all of it is the rest.
firn_status join_split_open(join_split *self, const plan_node *join, bool is_null_aware,
                            join_side *left, join_side *right, arena *memory, firn_error *err);

/// The columns of a row program's input for some rows, in `memory`.
firn_status join_row_batch(const join_row_program *self, const row_store *store,
                           const uint8_t *const *rows, uint32_t count, arena *memory, batch *out,
                           firn_error *err);

/// The guard of the right side at work.
typedef struct join_row_guarding {
    const join_split *split;
    expr_state *state; ///< NULL: all rows pass.
    const row_store *store;
} join_row_guarding;
/// Of some rows keeps those that pass. numbers[k] becomes which of them the k-th is; NULL: nobody
/// asks.
firn_status join_row_guard(const join_row_guarding *self, uint8_t **rows, uint16_t *numbers,
                           uint32_t *count, arena *memory, firn_error *err);

#endif
