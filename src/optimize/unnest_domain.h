// Private to optimize/unnest_{push,group,limit,number,share,tags}.c: the domain D that travels down
// a side.
#ifndef FIRN_OPTIMIZE_UNNEST_DOMAIN_H
#define FIRN_OPTIMIZE_UNNEST_DOMAIN_H

#include "optimize/unnest.h"

typedef struct domain {
    optimizer *self;
    const plan_node *left;
    u32_list columns; // The left's columns that the right side mentions.
    u32_list tagged;  // Indexes of those that D has a tag of.
    u32_list
        outer; // What makes D: columns, their tags; numbered: and the number that it got there.
    const type **types;
    uint32_t key_first; // The columns from here on tell D's rows apart.
    bool keeps_order;   // What is above takes rows in the order in which they come.
    // Numbered: where D is kept.
    bool is_numbered;
    uint32_t slot;
    u32_list kept_ids; // As there: `outer`.
    schema kept;
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

/// The same for an aggregate with an input that mentions the domain.
firn_status domain_push_aggregate(domain *self, plan_node **slot, domain_ids *out);

/// A fresh copy of D: distinct columns of a copy of the left side, or a reader of the numbered one.
firn_status domain_new(domain *self, plan_node **out, domain_ids *made);
firn_status domain_join(domain *self, plan_node *left, plan_node *right, join_kind kind,
                        plan_node **out);
/// A copy of a subplan under new ids: `renamed` has the new one of every old one.
firn_status domain_copy(optimizer *self, const plan_node *source, plan_node **out,
                        uint32_t **renamed);
/// The deepest node of the left side that has the same values of the columns.
firn_status domain_source(optimizer *self, plan_node **left, const id_set *ids, plan_node ***out);
/// Where D must not be a copy of the left side, both read one shared subplan. *slot becomes a scan
/// of it, and *shared the node that must stand above the join; NULL if a copy is fine.
firn_status domain_share(optimizer *self, plan_node **slot, plan_node **shared);

/// Which columns of D need a tag, which the left side then hands out too: D's `outer` is known.
firn_status domain_tag(domain *self, plan_node **left, plan_node *right);
/// Where its rows are long, D gets numbers instead of being compared by value again and again: it
/// is kept, and read wherever it is needed; the left side learns its row's number there. `*shared`
/// is to stand above the join then; else NULL, and nothing changed.
firn_status domain_number(domain *self, plan_node **left, plan_node *right, plan_node **shared);
/// A reader of the D that is kept.
firn_status domain_read_numbered(domain *self, plan_node **out, domain_ids *made);

/// The left's columns, as they are called where the domain has these ids.
firn_status domain_substitution(domain *self, const domain_ids *ids, substitution *out);
/// D's columns pass a projection under their own ids.
firn_status domain_add_columns(domain *self, const domain_ids *ids, u32_list *to,
                               expr_list *values);
/// The same through an aggregate: those that tell D's rows apart as keys, others as values of the
/// group.
firn_status domain_add_keys(domain *self, const domain_ids *ids, plan_node *aggregate);
/// left's columns that tell D's rows apart = right's, NULL equal to NULL, added to a condition.
firn_status domain_equal(domain *self, const domain_ids *left, const domain_ids *right,
                         expr **condition);
firn_status domain_call(domain *self, const char *name, expr **args, uint32_t count, expr **out);

#endif
