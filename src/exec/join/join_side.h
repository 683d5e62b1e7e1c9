// One input of a join as rows: which columns of it are kept, and where they are found again.
//
//     row    ┌ keys 0 … n-1 ┬ other columns of the input that somebody above needs ┐
//
// A key that is just a column of the input is not kept twice. Build rows are kept by every hash
// join, probe rows only while their partition is in the spill file.
#ifndef FIRN_EXEC_JOIN_SIDE_H
#define FIRN_EXEC_JOIN_SIDE_H

#include "exec/operator.h"
#include "exec/rows/rows.h"

typedef struct join_side {
    uint32_t input_count; ///< Columns of its input …
    const uint32_t *ids;  ///< … their ids …
    const type **types;   ///< … and types.
    input_layout input;   ///< Both numbers, to be searched.
    uint32_t key_count;
    expr_program *keys; ///< NULL: no keys.
    uint32_t column_count;
    const type **column_types; ///< Of the row.
    uint32_t *positions;       ///< Input position of row column c; ROW_NONE: only a key.
    uint32_t *row_columns;     ///< Row column of input position p; ROW_NONE: not kept.
    row_layout layout;
} join_side;

/// Compiles the keys and learns the columns of an input.
firn_status join_side_open(join_side *self, const plan_node *input_node, const expr_list *keys,
                           arena *memory, firn_error *err);
/// The position of a column id in the input, ROW_NONE if it has none.
uint32_t join_side_find(const join_side *self, uint32_t id);
/// Keeps a column of the input; before join_side_lay_out.
void join_side_want(join_side *self, uint32_t position);
firn_status join_side_lay_out(join_side *self, bool has_hash, uint32_t extra_size, arena *memory,
                              firn_error *err);

/// Evaluates the keys of a batch: columns in any form but RUNS.
firn_status join_side_keys(const join_side *self, expr_state *state, const batch *input,
                           arena *memory, column **out, firn_error *err);
/// The columns of the row for a batch with these keys.
firn_status join_side_columns(const join_side *self, const column *keys, const batch *input,
                              arena *memory, column **out, firn_error *err);
/// A batch of the input's columns made of rows; those that were not kept are NULL.
firn_status join_side_batch(const join_side *self, const row_store *store,
                            const uint8_t *const *rows, uint32_t count, arena *memory, batch *out,
                            firn_error *err);

#endif
