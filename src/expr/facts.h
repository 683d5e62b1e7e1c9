// What is known about data without reading it, and the one evaluator that prunes with it.
//
// Three kinds of knowledge, as three C types, because confusing them gives wrong answers: an
// **exact** fact may answer a query (COUNT from metadata), a **bound** may prune, an **estimate**
// only guides costs. Combining yields the weaker kind; nothing makes a stronger one.
#ifndef FIRN_EXPR_FACTS_H
#define FIRN_EXPR_FACTS_H

#include "expr/expr.h"

typedef struct exact_u64 {
    bool is_known;
    uint64_t value;
} exact_u64;
typedef struct bound_u64 { // The truth is at most `value`.
    bool is_known;
    uint64_t value;
} bound_u64;
typedef struct estimate {
    bool is_known;
    double value;
} estimate;

static inline bound_u64 bound_of_exact(exact_u64 fact) {
    return (bound_u64){.is_known = fact.is_known, .value = fact.value};
}
static inline estimate estimate_of_bound(bound_u64 fact) {
    return (estimate){.is_known = fact.is_known, .value = (double)fact.value};
}

/// Bounds of the non-NULL (and, for floats, non-NaN unless has_nan_order) values of a column in
/// some unit (file, row group, page, partition). Either side may be unknown.
typedef struct column_facts {
    const column *minimum; ///< One row of the column's type, NULL if unknown; a lower bound.
    const column *maximum; ///< The same; an upper bound.
    bool minimum_is_exact; ///< The value occurs (not truncated).
    bool maximum_is_exact;
    exact_u64 null_count;
    exact_u64 nan_count; ///< Floats: unknown means there may be NaN.
    bool may_have_null;  ///< False only if proved; true when unknown.
    estimate distinct;   ///< NDV.
} column_facts;

/// Facts about one unit of rows. `find` gives those of a column id, or NULL: nothing is known.
typedef struct unit_facts unit_facts;
struct unit_facts {
    exact_u64 row_count;
    const column_facts *(*find)(const unit_facts *self, uint32_t column_id);
    /// Could this value of the column be in the unit? Bloom filters, dictionaries. NULL: not known.
    bool (*may_contain)(const unit_facts *self, uint32_t column_id, const column *value,
                        uint32_t row);
    /// The execution's, for EXPR_DYNAMIC; NULL: every row passes.
    const struct dynamic_filters *filters;
};

typedef enum verdict {
    VERDICT_NEVER, ///< No row can make the predicate true: skip the unit.
    VERDICT_MAYBE,
    VERDICT_ALWAYS, ///< Every row makes it true: the predicate need not run.
} verdict;

/// Can the predicate be true, must it be, for rows of the unit? Understands comparisons of a column
/// (or a monotone function or cast of one) with constants, IN, IS [NOT] NULL, LIKE 'prefix%', AND,
/// OR, NOT, dynamic filters' ranges; anything else is MAYBE. Three-valued logic; NaN is above all.
/// Never fails: what it cannot decide, also for lack of memory, is MAYBE.
verdict facts_evaluate(const expr *predicate, const unit_facts *facts, arena *scratch);

#endif
