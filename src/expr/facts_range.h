// Private to expr/facts*: what values an expression can have in a unit of rows.
#ifndef FIRN_EXPR_FACTS_RANGE_H
#define FIRN_EXPR_FACTS_RANGE_H

#include "expr/facts.h"

/// Every row is NULL, NaN or a value between the bounds, as far as they are known.
typedef struct value_range {
    const type *type;
    const column *minimum; ///< One row; NULL: unknown, anything.
    const column *maximum;
    bool may_be_value; ///< May a row be there and not NaN?
    bool may_be_null;
    bool may_be_nan;
    uint32_t column_id; ///< Of a plain column, so that bloom filters can be asked; else UINT32_MAX.
} value_range;

typedef struct facts_call {
    const unit_facts *facts;
    arena *scratch;
    uint32_t depth; ///< Levels left to look into.
} facts_call;

value_range facts_range_of(const facts_call *call, const expr *what);

#endif
