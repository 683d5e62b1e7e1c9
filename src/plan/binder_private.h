// Private to plan/binder*: the state of one bind, scopes, and what the files ask of each other.
//
//     binder.c          entry, constants, result columns
//     binder_scope.c    names to columns
//     binder_from.c     FROM: tables, table functions, WITH
//     binder_join.c     joins
//     binder_select.c   SELECT: WHERE, the select list, HAVING, DISTINCT
//     binder_select_group.c    GROUP BY
//     binder_order.c    whole queries: ORDER BY, LIMIT
//     binder_set.c      UNION, INTERSECT, EXCEPT
//     binder_values.c   VALUES
//     binder_expr.c     expressions
//     binder_compare.c  rows, BETWEEN, IN, ANY and ALL
//     binder_range.c    constants beyond the range of what they are compared with
//     binder_subquery.c subqueries
//     binder_call.c     calls, aggregates, operators
//     binder_literal.c  literals, types, casts
//     binder_default.c  DEFAULT of columns
//     binder_change.c   DELETE, UPDATE
//     binder_merge.c    MERGE
//     binder_overwrite.c INSERT OVERWRITE, REPLACE WHERE
#ifndef FIRN_PLAN_BINDER_PRIVATE_H
#define FIRN_PLAN_BINDER_PRIVATE_H

#include "base/nearest.h"
#include "expr/expr_index.h"
#include "expr/id_set.h"
#include "expr/program.h"
#include "functions/overload.h"
#include "functions/registry.h"
#include "memory/name_index.h"
#include "plan/bind.h"
#include "tables/row_change.h"

#define BIND_VIEW_DEPTH_MAX 32
#define BIND_RELATIONS_MAX 20000 ///< In FROM clauses of one statement.
#define BIND_NESTING_MAX 1000    ///< Joins of one FROM, set operations that cannot be merged.

/// The type of an untyped string literal or parameter, told from VARCHAR by its address.
extern const type type_unknown;

typedef struct scope_column {
    text name;
    text table;     ///< Alias of the relation it comes from, "" if none.
    bool is_hidden; ///< Not found by its bare name: merged by USING. t.name still finds it.
    uint32_t id;
    const type *type;
} scope_column;

typedef struct scope_relation {
    text alias;
    text_list path; ///< catalog.schema.table: longer qualifiers match its end.
    uint32_t first, count;
} scope_relation;

/// The columns that names may mean at some place of a query.
typedef struct scope {
    struct scope *outer; ///< Of the enclosing query: its columns make a subquery correlated.
    uint32_t count, capacity;
    scope_column *columns;
    name_index names; ///< Of the columns; of the newest ones not before scope_index.
    id_set ids;       ///< Likewise.
    uint32_t relation_count, relation_capacity;
    scope_relation *relations;
    struct select_state *select; ///< Aliases and aggregates of the SELECT it belongs to, or NULL.
    bool is_lambda;              ///< Its columns are the parameters of a lambda.
} scope;

/// A WITH query: bound once at its first reference, or anew each time if it is correlated.
typedef struct cte {
    const sql_cte *written;
    struct cte_group *group;
    uint32_t number; ///< In the group.
    struct cte *older;
    scope *outer;        ///< Where it was defined.
    struct cte *visible; ///< CTEs that it may mention.
    const view_definition *view;
    plan_node *definition;
    plan_columns columns;
    uint32_t slot;
    uint32_t reference_count;
    plan_node *only_reference;
    bool is_inlined;
} cte;

/// A correlated WITH query where it was read: its own plan there.
typedef struct inlined_cte {
    const cte *query;
    const plan_node *node;
    const struct inlined_cte *older;
} inlined_cte;

/// The queries of one WITH, by name.
typedef struct cte_group {
    name_index names;
    cte **items; ///< By number.
    cte *older;  ///< Of the clauses around it, newest first.
} cte_group;

/// What is gathered while the expressions of one SELECT are bound.
typedef struct select_state {
    const sql_select *written;
    scope *input;
    bool allows_aggregates;
    bool allows_unnest;
    text clause;          ///< For messages: "WHERE", "GROUP BY" …
    uint32_t alias_depth; ///< Guards aliases that mention each other.
    uint32_t alias_uses;  ///< And those that multiply.
    expr_list aggregates; ///< EXPR_AGGREGATE each.
    expr_index aggregate_index;
    u32_list aggregate_ids;
    expr_list groupings; ///< The keys of each GROUPING(…) as a row; then what it comes to.
    u32_list grouping_ids;
    expr_list unnested; ///< The list of each unnest(…) in the select list.
    u32_list unnested_ids;
    struct numbered_query *queries; ///< Its subqueries, if it groups.
    name_index aliases; ///< Of its items, "" where there is none; made at the first use.
} select_state;

/// A subquery of a select that groups: in the same words it is the same (expr.h).
typedef struct numbered_query {
    const sql_query *written;
    uint32_t number;
    struct numbered_query *older;
} numbered_query;

typedef struct binder {
    arena *memory;
    const bind_env *env;
    firn_error *err;
    uint32_t next_id;
    uint32_t slot_count, shared_count;
    uint32_t numbered_count; ///< Of numbered_query.
    uint32_t table_count, table_capacity;
    table_ref *tables;
    table_snapshot **snapshots;
    bind_parameters parameters;
    cte *ctes;                   ///< Visible here, newest first.
    const inlined_cte *inlined;  ///< Newest first.
    const view_definition *view; ///< Inside which names are looked for; NULL: the session's.
    uint32_t view_depth;
    uint32_t relation_count;
    bool is_branch; ///< The next SELECT is a side of a set operation: literals stay untyped.
    /// INSERT … VALUES: which column each value of a row is for, UINT32_MAX if none; else NULL.
    const uint32_t *inserted;
    uint32_t inserted_count;
    const table_snapshot *target; ///< Of INSERT: the table they are of.
    bind_origin_list origins;
} binder;

/// A query's rows: its plan and the columns it hands out, in order, with their names.
typedef struct bound_query {
    plan_node *node;
    plan_columns columns;
} bound_query;

// binder.c
uint32_t binder_new_id(binder *self);
firn_status binder_node(binder *self, plan_kind kind, plan_node **out);
firn_status binder_full(binder *self);
firn_status binder_check(binder *self); ///< FIRN_CANCELLED if the statement is to stop.
/// Grows a list: a copy with room for one more in front of which `count` items stand.
void *binder_grow(binder *self, const void *items, uint32_t count, uint32_t *capacity, size_t size);
firn_status expr_list_add(binder *self, expr_list *list, expr *value);
firn_status u32_list_add(binder *self, u32_list *list, uint32_t value);
firn_status plan_columns_add(binder *self, plan_columns *list, plan_column value);
/// A projection of `values` with new ids over `input`.
firn_status binder_project(binder *self, plan_node *input, const expr_list *values,
                           const u32_list *ids, plan_node **out);
/// Computes below a sort what keys of it are no plain columns, which they then are: *out is
/// `input`, or a projection over it that also has `columns`.
firn_status binder_compute_keys(binder *self, const plan_columns *columns, sort_key *keys,
                                uint32_t count, plan_node *input, plan_node **out);

/// The columns of a table by name, for the next two.
firn_status binder_index_columns(binder *self, const schema *target, name_index *out);
/// The last column of that name; UINT32_MAX if there is none.
uint32_t binder_find_column(const name_index *target, const sql_name *name);
firn_status binder_say_no_column(binder *self, const schema *target, const sql_name *name,
                                 uint64_t position);
/// What fills a column: the value, cast to its type where it must be. Errors, also those of rows,
/// name the column and have this position.
firn_status binder_fill(binder *self, const field *into, expr *value, uint32_t position,
                        expr **out);
/// Sorts rows that come into a table where its sink wishes partitions to lie together, or an order
/// in them. `sources`: by column of the table, which of the query's fills it; UINT32_MAX: none.
/// *is_clustered: it did, for nothing but partitions.
firn_status binder_cluster(binder *self, table_snapshot *target, change_kind kind,
                           const uint32_t *sources, bound_query *query, bool *is_clustered);
/// A sink as a query of one column: its count.
firn_status binder_count(binder *self, plan_node *insert, bound_query *out);

// binder_overwrite.c
/// INSERT OVERWRITE: adds action and row id to the values, and says what goes.
firn_status bind_overwrite(binder *self, const insert_target *into, expr_list *values,
                           plan_node *insert);
/// INSERT … REPLACE WHERE: the rows of the table that go, beside those of `node` that come.
firn_status bind_replaced(binder *self, const insert_target *into, plan_node *insert,
                          plan_node **node);

// binder_change.c
firn_status bind_change_body(binder *self, const sql_statement *written,
                             const change_target *target, bound_query *out);

/// Takes a snapshot over; also on failure.
firn_status binder_add_table(binder *self, table_snapshot *table, uint32_t *out);

// binder_origin.c
/// Hands out a position that stands for the origin.
firn_status binder_add_origin(binder *self, bind_origin origin, uint32_t *out);
/// Says which column of the target of INSERT a value does not fit, if it does not.
firn_status binder_while_filling(binder *self, const field *into, firn_status status);
/// Errors of an expression say this place, but for parts that have an origin.
void binder_place_all(expr **value, uint32_t position);
/// Every expression of a view's plan has the view as origin.
firn_status binder_mark_view(binder *self, const view_definition *view, plan_node **node);

// binder_scope.c
scope *scope_new(binder *self, scope *outer);
firn_status scope_add(binder *self, scope *into, scope_column column);
firn_status scope_add_relation(binder *self, scope *into, text alias, text_list path,
                               uint32_t first);
firn_status scope_add_all(binder *self, scope *into, const scope *from);
/// The columns of a query as a relation of the scope, renamed by `names`.
firn_status scope_add_query(binder *self, scope *into, const plan_columns *columns, text alias,
                            text_list path, const sql_names *names, uint32_t position);
/// Before scope_first_named, and before `ids` is looked at: adds those of new columns.
firn_status scope_index(binder *self, scope *of);
/// Columns of that name, in rising order; NO_NAME when there is none (any more).
uint32_t scope_first_named(const scope *from, const sql_name *name);
uint32_t scope_next_named(const scope *from, const sql_name *name, uint32_t column);
/// An error if a relation of that name stands in the scope already.
firn_status scope_check_name(binder *self, const scope *among, const scope_relation *made,
                             uint32_t position);
/// What a dotted name means: a column, and how many names of the path it used up (the rest are
/// struct fields). *out is NULL if nothing fits here or in outer scopes.
firn_status scope_find(binder *self, scope *from, const sql_names *path, scope_column *out,
                       size_t *used, bool *found);
firn_status scope_say_missing(binder *self, scope *from, const sql_names *path);
/// The relation of that alias, innermost query first, and the scope it is of; NULL if there is
/// none.
const scope_relation *scope_find_relation(const scope *from, const sql_name *name,
                                          const scope **owner);
/// Adds a hint to the error, which says that there is no relation of that name.
void scope_propose_relation(binder *self, const scope *from, text name);
/// Does a name as written mean this one? Quoted: exactly; else without case.
bool name_matches(const sql_name *written, text name);

// binder_from.c
/// A view is bound in the place where it was defined: its own catalog, no outer columns, no CTEs.
firn_status binder_view(binder *self, const view_definition *view, bound_query *out);
/// The rows of a table, which is taken over; also on failure.
firn_status binder_scan(binder *self, table_snapshot *table, bound_query *out);
firn_status bind_from(binder *self, const sql_list *relations, scope *into, plan_node **out);
/// Counts an item of FROM; an error when there are too many.
firn_status bind_count_relation(binder *self, uint32_t position);
/// One item of FROM or one side of a join. `left`: what LATERAL sees.
firn_status bind_relation(binder *self, const sql_relation *written, scope *left, scope *into,
                          plan_node **out);
firn_status bind_with(binder *self, const sql_with *with, scope *outer);
/// Puts shared subplans above `node` for the CTEs newer than `until`, and forgets these.
firn_status bind_end_with(binder *self, cte *until, plan_node **node);

// binder_join.c
firn_status bind_join(binder *self, const sql_join *written, scope *left, scope *into,
                      plan_node **out);
/// A join; a dependent one if the right side mentions columns of the left.
firn_status bind_new_join(binder *self, plan_node *left, plan_node *right, join_kind kind,
                          expr *condition, plan_node **out);
/// The columns that a plan mentions and does not make.
firn_status bind_free_ids(binder *self, plan_node *node, id_set *out);

// binder_order.c
firn_status bind_query_body(binder *self, const sql_query *query, scope *outer, bound_query *out);
/// A query, SELECT, set operation or VALUES. `order` is for a SELECT, whose input it may mention.
firn_status bind_body(binder *self, const sql_body *body, const sql_list *order, scope *outer,
                      bound_query *out);
/// Whether a key of ORDER BY or GROUP BY is a whole number written out, which names a column by its
/// position; what is beyond UINT32_MAX stays so.
bool bind_ordinal(const sql_expr *written, uint64_t *out);
firn_status bind_sort_keys(binder *self, const sql_list *order, const plan_columns *columns,
                           scope *names, sort_key_list *out);

// binder_set.c, binder_values.c
firn_status bind_set_operation(binder *self, const sql_set_operation *written, scope *outer,
                               bound_query *out);
firn_status bind_values(binder *self, const sql_values *written, scope *outer, bound_query *out);
/// Casts the columns of a query to `types`, names kept, where they differ.
firn_status bind_cast_columns(binder *self, bound_query *query, const type *const *types,
                              uint32_t position);

// binder_select.c
/// `order` and the rest of the query belong to the SELECT: its ORDER BY sees its input.
firn_status bind_select(binder *self, const sql_select *select, const sql_list *order, scope *outer,
                        bound_query *out);
sort_key sort_key_of(const sql_order_item *item, expr *value);

// binder_expr.c
firn_status bind_expr(binder *self, scope *names, const sql_expr *written, expr **out);
/// As bind_expr, then BOOLEAN (unknown literals are cast; else an error naming `clause`).
firn_status bind_predicate(binder *self, scope *names, const sql_expr *written, text clause,
                           expr **out);
firn_status bind_exprs(binder *self, scope *names, const sql_list *written, expr_list *out);
/// Field `name` of a struct value, or what else `a.b` means.
firn_status bind_field(binder *self, expr *value, const sql_name *name, expr **out);
/// Which field of a STRUCT it is: the one that is called exactly so, else the first but for case.
/// UINT32_MAX: there is none.
uint32_t bind_find_field(const type *of, const sql_name *name);
/// AND or OR of two.
firn_status bind_and_or(binder *self, expr_kind kind, expr *left, expr *right, expr **out);
firn_status bind_not(binder *self, expr *value, uint32_t position, expr **out);
firn_status bind_not_if(binder *self, bool is_negated, uint32_t position, expr **value);
firn_status bind_call2(binder *self, const char *name, expr *left, expr *right, uint32_t position,
                       expr **out);
/// The function's name behind an operator.
const char *bind_operator_name(sql_operator op);
firn_status bind_operator(binder *self, sql_operator op, expr *left, expr *right, uint32_t position,
                          expr **out);

// binder_compare.c
/// The values of a row written (a, b), or of one value.
firn_status bind_row_items(binder *self, scope *names, const sql_expr *written, expr_list *out);
firn_status bind_compare_rows(binder *self, scope *names, const sql_binary *written, expr **out);
/// The type in which a value is compared with all items: VARCHAR if all are untyped, NULL if they
/// have none in common.
firn_status bind_compared_type(binder *self, const expr *value, const expr_list *items,
                               const type **out);
firn_status bind_between(binder *self, scope *names, const sql_between *written, expr **out);
firn_status bind_in(binder *self, scope *names, const sql_in *written, expr **out);
firn_status bind_quantified(binder *self, scope *names, const sql_quantified *written, expr **out);

// binder_range.c
/// A comparison with a constant that the other side's type cannot hold; *out is NULL for all
/// others.
firn_status bind_beyond_range(binder *self, const char *name, expr *left, expr *right,
                              uint32_t position, expr **out);

// binder_subquery.c
firn_status bind_subquery(binder *self, scope *names, const sql_subquery *written, expr **out);
/// left op ANY|ALL (query), or left op (query) of SUBQUERY_SCALAR: both sides brought to what they
/// are compared as.
firn_status bind_compare_query(binder *self, scope *names, const sql_expr *left,
                               const sql_query *query, const char *comparison, subquery_kind kind,
                               expr **out);
/// left op ANY|ALL (list): a subquery over the list's elements.
firn_status bind_compare_list(binder *self, expr *left, expr *list, const char *comparison,
                              subquery_kind kind, uint32_t position, expr **out);
/// A second copy of a bound expression, with subqueries of its own.
firn_status bind_copy(binder *self, const expr *value, expr **out);

// binder_select_grouping.c
/// GROUPING(…): a column that select_answer_groupings gives its meaning.
firn_status bind_grouping(binder *self, scope *names, const sql_call *written, expr **out);

// binder_call.c
firn_status bind_call(binder *self, scope *names, const sql_call *written, expr **out);
/// Does an expression mention one of these columns?
firn_status bind_mentions(binder *self, const expr *value, const u32_list *ids, bool *out);
/// A call of a function that exists, by name, with bound arguments.
firn_status bind_function(binder *self, const char *name, expr **args, uint32_t count,
                          uint32_t position, expr **out);

// binder_literal.c
firn_status bind_literal(binder *self, const sql_literal *written, expr **out);
firn_status bind_typed_literal(binder *self, const sql_typed_literal *written, expr **out);
firn_status bind_interval(binder *self, scope *names, const sql_interval *written, expr **out);
/// Whether values of a type must be cast to be of another: those with fields in another order.
bool bind_must_cast(const type *from, const type *to);
/// Casts as CAST does; folds constants so that errors show their place.
firn_status bind_cast(binder *self, expr *value, const type *to, bool is_try, uint32_t position,
                      expr **out);
/// Implicitly, or for assignment; an error names both types.
firn_status bind_coerce(binder *self, expr *value, const type *to, uint32_t position, expr **out);
/// Brings all to their smallest common type.
firn_status bind_common(binder *self, expr **values, uint32_t count, const char *what,
                        uint32_t position, const type **out);
bool bind_is_unknown(const expr *value);
/// Unknown literals become VARCHAR: for results.
firn_status bind_settle(binder *self, expr **value);

/// Is one of `ids`, which rise as they were made, in the set?
bool bind_has_any(const id_set *used, const u32_list *ids);

// binder_owner.c
/// The query that an aggregate belongs to. `before`: binder.inlined when its call began.
firn_status bind_find_owner(binder *self, scope *names, expr *call, const inlined_cte *before,
                            select_state **out);

// binder_exact.c
/// The type in which an untyped literal is read where `to` is wanted: `to`, or a wider one if it
/// would round.
firn_status bind_exact_type(binder *self, const expr *value, const type *to, const type **out);

// binder_default.c
/// What INSERT puts into a column that it is given nothing for. Errors of it say `position`.
firn_status bind_default_value(binder *self, const table_snapshot *table, uint32_t column,
                               uint32_t position, expr **out);

// binder_nested.c
firn_status bind_case(binder *self, scope *names, const sql_case *written, expr **out);
firn_status bind_array(binder *self, scope *names, const sql_list *items, uint32_t position,
                       expr **out);
firn_status bind_struct(binder *self, scope *names, const sql_struct *written, expr **out);
firn_status bind_map(binder *self, scope *names, const sql_map *written, expr **out);
firn_status bind_row(binder *self, scope *names, const sql_row *written, expr **out);
firn_status bind_subscript(binder *self, scope *names, const sql_subscript *written, expr **out);
firn_status bind_slice(binder *self, scope *names, const sql_slice *written, expr **out);
firn_status bind_collate(binder *self, scope *names, const sql_collate *written, expr **out);
firn_status bind_written_cast(binder *self, scope *names, const sql_cast *written, expr **out);

#endif
