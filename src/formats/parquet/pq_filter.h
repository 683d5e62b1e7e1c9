// The filters of a scan, ready to run on batches: one stage a conjunct (conjuncts over the same
// columns share one), in an order that is watched.
//
// A stage names the columns it needs, so that the reader decodes those of the first stage for all
// rows, and those of later ones for the rows that are left. Stages that cannot fail are put in the
// order that drops most rows for their time; those that can fail stay behind them, as written.
#ifndef FIRN_FORMATS_PARQUET_PQ_FILTER_H
#define FIRN_FORMATS_PARQUET_PQ_FILTER_H

#include "expr/program.h"

/// What is asked of the rows.
typedef struct pq_filter_options {
    expr_list conjuncts; // Over column ids; all must be true. EXPR_DYNAMIC among them.
    const uint32_t *ids; // The column id of each pick of the reader.
    const statement_context *context;
    const dynamic_filters *dynamic; // May be NULL.
} pq_filter_options;

typedef struct pq_filter_stage {
    const expr *predicate; // Its conjuncts.
    expr_program *program;
    expr_state *state;
    uint32_t column_count;
    uint32_t *columns; // Positions among the picks, ascending.
    bool can_fail;
    bool may_tighten; // Has a dynamic filter: what passes now may not do so later.
    // Rows in and out, time for reading columns and running; halved at each decision.
    uint64_t rows_in;
    uint64_t rows_out;
    int64_t time_ns;
    // Row groups whose dictionary was asked, and those that this left out.
    uint32_t dictionary_tries;
    uint32_t dictionary_hits;
} pq_filter_stage;

typedef struct pq_filter {
    uint32_t stage_count;
    pq_filter_stage *stages; // As written.
    uint32_t *order;         // Numbers of stages.
    uint32_t infallible_count;
    uint32_t run_count; // Batches.
} pq_filter;

/// Compiles the conjuncts, in `memory`. `pick_count` says how many ids there are.
///
/// Keeps:  the options' context and dynamic filters.
/// Errors: what compiling says; FIRN_NO_MEMORY.
firn_status pq_filter_open(pq_filter *self, const pq_filter_options *options, uint32_t pick_count,
                           arena *memory, firn_error *err);
void pq_filter_close(pq_filter *self);

/// The k-th stage to run.
static inline pq_filter_stage *pq_filter_stage_at(pq_filter *self, uint32_t k) {
    return &self->stages[self->order[k]];
}

/// Counts a batch, and decides the order anew from time to time.
void pq_filter_watch(pq_filter *self);

#endif
