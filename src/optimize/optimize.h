// The optimizer: a bound plan → the plan that runs.
//
// One file per rule, in the order of rules.def. A rule takes the root through a slot, rewrites what
// it knows better and leaves a plan with the same result. What rules share (splitting conjuncts,
// replacing columns, which ids a subplan needs) is in rewrite.h; how many rows to expect in
// estimate.h.
#ifndef FIRN_OPTIMIZE_OPTIMIZE_H
#define FIRN_OPTIMIZE_OPTIMIZE_H

#include "plan/plan.h"

typedef struct optimizer {
    arena *memory; ///< Of the plan.
    plan *plan;
    const statement_context *context; ///< For folding; its values become constants of this run.
    table_snapshot *const *tables;    ///< By the plan's table numbers.
    uint64_t memory_bytes;            ///< What the run may hold; 0: not known.
    firn_error *err;
    /// EXPLAIN (VERBOSE): told after each rule that changed something. May be NULL.
    void (*watch)(void *user, const char *rule, const plan *changed);
    void *user;
} optimizer;

/// Optimizes self->plan in place and numbers its nodes.
/// Errors: FIRN_NO_MEMORY; FIRN_INVALID for what only shows here (a constant LIMIT that fails);
///         FIRN_CANCELLED once the context's flag is raised. Rules look at it at each node, and
///         where they take long without allocating.
firn_status optimize(optimizer *self);

/// Estimates the rows of an optimized plan again for EXPLAIN: with what tables know of themselves
/// that was not read because it chooses nothing.
firn_status optimize_show_rows(optimizer *self);

// The rules: `firn_status rule_<word>(optimizer *self, plan_node **root)`.
#define RULE(word, text) firn_status rule_##word(optimizer *self, plan_node **root);
#include "optimize/rules.def"
#undef RULE

#endif
