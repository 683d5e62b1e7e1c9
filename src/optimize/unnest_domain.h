// Private to optimize/unnest_push.c and unnest_limit.c: the domain D that travels down a side.
#ifndef FIRN_OPTIMIZE_UNNEST_DOMAIN_H
#define FIRN_OPTIMIZE_UNNEST_DOMAIN_H

#include "optimize/unnest.h"

typedef struct domain {
    optimizer *self;
    const plan_node *left;
    u32_list outer; // The left's columns that make D.
    const type **types;
} domain;

// New ids that stand for the domain's columns at some place.
typedef struct domain_ids {
    u32_list items;
} domain_ids;

/// Pushes the domain into the plan in `slot`: computed for all of D at once, it hands out `out`
/// too.
firn_status domain_push(domain *self, plan_node **slot, domain_ids *out);
/// The same for a LIMIT with an input that mentions the domain.
firn_status domain_push_limit(domain *self, plan_node **slot, domain_ids *out);

/// The left's columns, as they are called where the domain has these ids.
firn_status domain_substitution(domain *self, const domain_ids *ids, substitution *out);
/// D's columns pass a projection under their own ids.
firn_status domain_add_columns(domain *self, const domain_ids *ids, u32_list *to,
                               expr_list *values);
firn_status domain_call(domain *self, const char *name, expr **args, uint32_t count, expr **out);

#endif
