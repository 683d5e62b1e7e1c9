// What a join node asks for, compiled: its two sides, the rest of the condition, and how pairs of
// rows become batches. Read-only while the join runs; the hash join and the nested loop share it.
#ifndef FIRN_EXEC_JOIN_PLAN_H
#define FIRN_EXEC_JOIN_PLAN_H

#include "exec/join/join_split.h"

/// Where a column of an output (or of the residual's input) comes from.
typedef struct join_column {
    const type *type;
    bool is_right;
    uint32_t number; ///< Left: input position. Right: row column.
} join_column;

typedef struct join_plan {
    const plan_node *node;
    execution *run;
    join_kind kind;
    bool left_survives;  ///< A left row without a match is handed out.
    bool right_survives; ///< The same for the right side.
    bool is_first_match; ///< SEMI, ANTI, MARK: one match of a left row is enough.
    bool may_prune;      ///< May a filter made of right keys drop left rows?
    bool null_aware;
    bool *null_equal; ///< By key.
    join_side left;
    join_side right;
    uint32_t output_count;
    join_column *outputs; ///< Without MARK's own column, which is the last one handed out.
    bool has_mark;
    expr_program *residual; ///< NULL: none.
    uint32_t residual_count;
    join_column *residual_inputs;
    bool reads_left;  ///< Does the residual hang on the left row?
    bool reads_right; ///< On the right one?
    join_split split; ///< Without keys.
} join_plan;

/// Compiles a join. `right_extra` bytes of a right row are the operator's.
firn_status join_plan_open(const plan_node *node, execution *run, uint32_t right_extra,
                           arena *memory, join_plan *out, firn_error *err);
/// A worker's state of the residual; NULL in *out if there is none.
firn_status join_plan_open_residual(const join_plan *self, arena *memory, expr_state **out,
                                    firn_error *err);

/// Of `lanes`, keeps the rows whose keys can equal something; how many.
uint32_t join_plan_valid_keys(const join_plan *self, const column *keys, uint16_t *lanes,
                              uint32_t count);

/// Pairs of a row of the left batch and a right row.
typedef struct join_pairs {
    const row_store *store;
    const batch *left;
    uint16_t *lanes;
    const uint8_t **rows;
    uint32_t count;
} join_pairs;

/// Keeps the pairs for which the residual is true.
firn_status join_pairs_filter(const join_plan *self, expr_state *residual, join_pairs *pairs,
                              arena *scratch, firn_error *err);
/// What a condition says of a pair; AND is the least of two.
enum { JOIN_FALSE, JOIN_UNKNOWN, JOIN_TRUE };
/// truth[k] becomes at most what the residual says of pair k.
firn_status join_pairs_judge(const join_plan *self, expr_state *residual, const join_pairs *pairs,
                             uint8_t *truth, arena *scratch, firn_error *err);
/// The same for a batch of the residual's columns.
firn_status join_batch_judge(expr_state *residual, const batch *input, uint8_t *truth,
                             arena *scratch, firn_error *err);
/// Hands pairs out. The sequence of `out` stays.
firn_status join_output_pairs(const join_plan *self, const join_pairs *pairs, arena *scratch,
                              batch *out, firn_error *err);
/// Hands out the rows of the left batch that count, as they lie, each beside rows[lane]; there is
/// one for every lane, null_row where a lane does not count.
firn_status join_output_lanes(const join_plan *self, const row_store *store, const batch *left,
                              const uint8_t *const *rows, arena *scratch, batch *out,
                              firn_error *err);
/// Hands out the rows of the left batch that count, without a partner; `mark` is MARK's column, or
/// NULL.
firn_status join_output_left(const join_plan *self, const batch *left, const column *mark,
                             arena *scratch, batch *out, firn_error *err);
/// A batch of which other rows count.
static inline batch join_selected(const batch *of, const uint16_t *selection, uint32_t count) {
    batch out = *of;
    out.selection = selection;
    out.selected_count = count;
    return out;
}
/// What became of the rows of a left batch; bitmaps by lane.
typedef struct join_decision {
    const batch *left;
    uint16_t *selected; ///< Changed: it becomes the selection of the output.
    uint32_t selected_count;
    const uint64_t *matched;
    const uint64_t *undecided;
} join_decision;
/// Hands out what SEMI, ANTI or MARK make of them.
firn_status join_output_decided(const join_plan *self, const join_decision *decided, arena *scratch,
                                batch *out, firn_error *err);
/// Hands out right rows without a partner.
firn_status join_output_right(const join_plan *self, const row_store *store,
                              const uint8_t *const *rows, uint32_t count, arena *scratch,
                              batch *out, firn_error *err);

#endif
