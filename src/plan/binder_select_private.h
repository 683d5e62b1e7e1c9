// Private to plan/binder_select.c and binder_select_group.c: a SELECT while it is bound.
#ifndef FIRN_PLAN_BINDER_SELECT_PRIVATE_H
#define FIRN_PLAN_BINDER_SELECT_PRIVATE_H

#include "plan/binder_private.h"

typedef struct select_item {
    expr *value;
    text name;
    bool is_aggregate; // Aggregates were met in it: GROUP BY ALL leaves it out.
} select_item;

typedef struct select_build {
    binder *self;
    select_state *state;
    scope *input;
    plan_node *node;
    uint32_t item_count;
    select_item *items;
    name_index item_names; // Made when ORDER BY first asks.
    expr_list keys;
    expr_index key_index;
    u32_list key_ids;
    id_set ungrouped; // Columns of the input that are no keys.
    u32_list sets;    // Bit masks of keys, if there are grouping sets.
    bool has_group_by;
    bool is_branch; // Untyped literals of the select list take the other side's types.
    expr *having;
    const sql_list *order;
    sort_key_list sort;
} select_build;

/// The item at that place of the select list.
firn_status select_item_at(select_build *build, uint64_t ordinal, const sql_expr *written,
                           expr **out);
firn_status select_bind_group_by(select_build *build);
/// Puts the aggregate node over `build->node` and rewrites what stands above it.
firn_status select_build_aggregate(select_build *build);
/// Makes of each GROUPING(…) what it comes to over `aggregate`; an error where it is none.
firn_status select_answer_groupings(select_build *build, plan_node *aggregate);
/// A visitor with a select_build: puts that in. False without memory.
bool select_replace_groupings(void *user, expr **slot);
/// Puts the UNNEST nodes of the select list over `build->node`.
firn_status select_unnest(select_build *build);
/// The same, where a key of GROUP BY needs them: below the aggregate.
firn_status select_unnest_keys(select_build *build);

#endif
