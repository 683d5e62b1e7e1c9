// Plans: plain data, from the binder's first tree to what the executor runs.
//
// A plan holds no open file, thread or pointer into a session. Tables are numbers into the plan's
// list of table_ref; session things are refs with a `local` number; functions are names once
// encoded; dynamic filters and shared subplans are slot numbers whose content lives in the
// execution. So any plan can be printed, compared, copied, encoded, sent and run elsewhere.
//
// Column ids are unique in the plan (expr/expr.h). What a node hands out is told by plan_outputs.
//
// The same nodes serve before and after optimization: the optimizer moves, rewrites and annotates
// (join sides, keys, Top-N limits, dynamic filter slots); exec/ cuts the result into pipelines.
// SUBQUERY expressions and DEPENDENT_JOIN nodes are gone after unnesting.
#ifndef FIRN_PLAN_PLAN_H
#define FIRN_PLAN_PLAN_H

#include "expr/aggregate.h"
#include "expr/expr.h"
#include "expr/id_set.h"
#include "tables/table.h"

typedef struct plan_node plan_node;

typedef struct plan_list {
    uint32_t count;
    plan_node **items;
} plan_list;
typedef struct scan_column_list {
    uint32_t count;
    scan_column *items;
} scan_column_list;
typedef struct column_data_list { // Flat columns of equal length in the plan's arena.
    uint32_t count;
    const column *items;
} column_data_list;

// Kind, word, what EXPLAIN calls it, what it is.
#define PLAN_KIND_LIST(X)                                                                          \
    X(SCAN, scan, "Scan", "rows of a table, filtered")                                             \
    X(VALUES, values, "Values", "constant rows; one row without columns for no FROM")              \
    X(TABLE_FUNCTION, table_function, "TableFunction", "generate_series and its like")             \
    X(FILTER, filter, "Filter", "rows for which the predicate is true")                            \
    X(PROJECT, project, "Project", "computed columns; hands out only its own ids")                 \
    X(JOIN, join, "Join", "the build side is the right one")                                       \
    X(DEPENDENT_JOIN, dependent_join, "DependentJoin", "right side mentions left's columns")       \
    X(AGGREGATE, aggregate, "Aggregate", "groups and aggregates; DISTINCT has no aggregates")      \
    X(SORT, sort, "Sort", "ordered rows; with a limit: Top-N")                                     \
    X(LIMIT, limit, "Limit", "LIMIT and OFFSET")                                                   \
    X(UNION, union, "Union", "all rows of several inputs")                                         \
    X(REPEAT, repeat, "Repeat", "each row as often as a BIGINT says: INTERSECT ALL, EXCEPT ALL")   \
    X(NUMBER, number, "Number", "a BIGINT more, different in each row, in no order")               \
    X(UNNEST, unnest, "Unnest", "a row per list element; several lists in step")                   \
    X(WINDOW, window, "Window", "window functions over partitions")                                \
    X(SHARED, shared, "Shared", "runs a subplan once for all its SharedScans; then its body")      \
    X(SHARED_SCAN, shared_scan, "SharedScan", "rows of a shared subplan")                          \
    X(RECURSIVE, recursive, "Recursive", "recursive CTE: seed, then step until nothing is new")    \
    X(SINGLE_ROW, single_row, "SingleRow", "an error if there are two rows: scalar subquery")      \
    X(CHANGE_ONCE, change_once, "ChangeOnce", "an error if a row id comes twice")                  \
    X(INSERT, insert, "Insert", "rows into a table's sink; hands out one count")                   \
    X(OUTPUT, output, "Output", "the root of a query: result columns in order, with names")

#define X(NAME, word, label, text) PLAN_##NAME,
typedef enum plan_kind { PLAN_KIND_LIST(X) PLAN_KIND_COUNT } plan_kind;
#undef X

// Join kinds: name, words, does the left side's unmatched row survive, the right side's, does the
// join hand out right columns, may a dynamic filter of build keys prune the probe (left) side.
#define JOIN_KIND_LIST(X)                                                                          \
    X(INNER, "inner", false, false, true, true)                                                    \
    X(LEFT, "left", true, false, true, false)                                                      \
    X(RIGHT, "right", false, true, true, true)                                                     \
    X(FULL, "full", true, true, true, false)                                                       \
    X(SEMI, "semi", false, false, false, true)                                                     \
    X(ANTI, "anti", true, false, false, false)                                                     \
    X(RIGHT_SEMI, "right semi", false, false, true, true)                                          \
    X(RIGHT_ANTI, "right anti", false, true, true, true)                                           \
    X(MARK, "mark", true, false, false, false)                                                     \
    X(SINGLE, "single", true, false, true, false)                                                  \
    X(CROSS, "cross", false, false, true, false)
// MARK hands out left's columns and one BOOLEAN `mark_id`: true if a match exists, NULL if
// undecided (with null_aware: a NULL on either side that might have matched), else false. SINGLE is
// LEFT that fails at a second match. RIGHT_SEMI and RIGHT_ANTI hand out right's columns only.
#define X(name, words, left_survives, right_survives, right_out, may_prune) JOIN_##name,
typedef enum join_kind { JOIN_KIND_LIST(X) JOIN_KIND_COUNT } join_kind;
#undef X

#define NO_SLOT UINT32_MAX

// Fields per node: FIELD(kind, name).
#define PLAN_SCAN_FIELDS(FIELD)                                                                    \
    FIELD(U32, table)            /* Which of the plan's table refs. */                             \
    FIELD(SCAN_COLUMNS, columns) /* All, filters' included. */                                     \
    FIELD(U32, output_count)     /* The first ones are handed out. */                              \
    FIELD(EXPRS, filters)        /* Conjuncts. */                                                  \
    FIELD(U64, limit)            /* UINT64_MAX: none. */                                           \
    FIELD(U32, row_id)           /* UBIGINT behind the outputs; NO_SLOT: not asked for. */
#define PLAN_VALUES_FIELDS(FIELD)                                                                  \
    FIELD(U32S, ids) FIELD(COLUMNS_DATA, columns) FIELD(U64, row_count)
#define PLAN_TABLE_FUNCTION_FIELDS(FIELD)                                                          \
    FIELD(TEXT, function) FIELD(EXPRS, args) FIELD(U32S, ids) FIELD(SCHEMA, columns)
#define PLAN_FILTER_FIELDS(FIELD) FIELD(PLAN, input) FIELD(EXPR, predicate)
#define PLAN_PROJECT_FIELDS(FIELD) FIELD(PLAN, input) FIELD(U32S, ids) FIELD(EXPRS, values)
#define PLAN_JOIN_FIELDS(FIELD)                                                                    \
    FIELD(PLAN, left)                                                                              \
    FIELD(PLAN, right)                                                                             \
    FIELD(U32, join) /* join_kind */                                                               \
    FIELD(EXPRS, left_keys)                                                                        \
    FIELD(EXPRS, right_keys) /* Equal in pairs. */                                                 \
    FIELD(U32S, null_equal)  /* Per key pair: 1 if NULL equals NULL. */                            \
    FIELD(EXPR, residual)    /* The rest of ON, over both sides; NULL if none. */                  \
    FIELD(U32, mark_id)                                                                            \
    FIELD(BOOL, null_aware) /* ANTI, MARK: a NULL beside an unmatched key leaves it undecided. */  \
    FIELD(U32S, dynamic_slots) /* Per key pair: a filter for scans of the left, or NO_SLOT. */     \
    FIELD(BOOL, is_pruned)                                                                         \
    FIELD(U32S, outputs) /* If is_pruned: only these ids are handed out. */                        \
    FIELD(U64, build_estimate)
#define PLAN_DEPENDENT_JOIN_FIELDS(FIELD)                                                          \
    FIELD(PLAN, left)                                                                              \
    FIELD(PLAN, right)                                                                             \
    FIELD(U32, join) FIELD(EXPR, condition) FIELD(U32, mark_id) FIELD(BOOL, null_aware)
#define PLAN_AGGREGATE_FIELDS(FIELD)                                                               \
    FIELD(PLAN, input)                                                                             \
    FIELD(U32S, key_ids)                                                                           \
    FIELD(EXPRS, keys)                                                                             \
    FIELD(U32S, ids)                                                                               \
    FIELD(EXPRS, aggregates) /* EXPR_AGGREGATE each. */                                            \
    FIELD(U32S, sets)        /* GROUPING SETS: a bitmask of keys each; empty: one of all. */       \
    FIELD(U32, set_id)       /* INTEGER column: which set the row is of; NO_SLOT if not asked. */  \
    FIELD(U64, group_limit)  /* Any so many groups will do; 0: all. */                             \
    FIELD(U64, group_estimate)
#define PLAN_SORT_FIELDS(FIELD)                                                                    \
    FIELD(PLAN, input)                                                                             \
    FIELD(SORT_KEYS, keys) FIELD(U64, limit) FIELD(U64, offset) FIELD(U32, dynamic_slot)
#define PLAN_LIMIT_FIELDS(FIELD) FIELD(PLAN, input) FIELD(EXPR, limit) FIELD(EXPR, offset)
// inputs' columns by position: input_ids has count(inputs) * count(ids) ids, input after input.
#define PLAN_UNION_FIELDS(FIELD)                                                                   \
    FIELD(PLANS, inputs) FIELD(U32S, ids) FIELD(U32S, input_ids) FIELD(SCHEMA, columns)
#define PLAN_REPEAT_FIELDS(FIELD) FIELD(PLAN, input) FIELD(EXPR, times)
#define PLAN_NUMBER_FIELDS(FIELD) FIELD(PLAN, input) FIELD(U32, id)
#define PLAN_UNNEST_FIELDS(FIELD)                                                                  \
    FIELD(PLAN, input)                                                                             \
    FIELD(EXPRS, lists)                                                                            \
    FIELD(U32S, ids)                                                                               \
    FIELD(U32, ordinality_id)                                                                      \
    FIELD(BOOL, keeps_empty) /* LEFT JOIN UNNEST: a row of NULLs for an empty list. */
#define PLAN_WINDOW_FIELDS(FIELD)                                                                  \
    FIELD(PLAN, input)                                                                             \
    FIELD(U32S, ids)                                                                               \
    FIELD(EXPRS, functions)                                                                        \
    FIELD(EXPRS, partition)                                                                        \
    FIELD(SORT_KEYS, order)                                                                        \
    FIELD(U32, frame_unit)                                                                         \
    FIELD(U32, frame_start)                                                                        \
    FIELD(U32, frame_end) FIELD(EXPR, start_offset) FIELD(EXPR, end_offset) FIELD(U32, exclusion)
#define PLAN_SHARED_FIELDS(FIELD)                                                                  \
    FIELD(U32, slot)                                                                               \
    FIELD(BOOL, is_wanted) /* MATERIALIZED: however many read it. */                               \
    FIELD(PLAN, definition) FIELD(PLAN, body)
#define PLAN_SHARED_SCAN_FIELDS(FIELD)                                                             \
    FIELD(U32, slot)                                                                               \
    FIELD(U32S, ids) FIELD(U32S, source_ids) FIELD(SCHEMA, columns) FIELD(EXPR, filter)
#define PLAN_RECURSIVE_FIELDS(FIELD)                                                               \
    FIELD(U32, slot)                                                                               \
    FIELD(PLAN, seed)                                                                              \
    FIELD(PLAN, step)                                                                              \
    FIELD(U32S, ids) FIELD(U32S, input_ids) FIELD(SCHEMA, columns) FIELD(BOOL, is_distinct)
#define PLAN_SINGLE_ROW_FIELDS(FIELD) FIELD(PLAN, input)
// A row may be changed once: the number of its id in `id`. ROW_ID_NONE may come any number of
// times.
#define PLAN_CHANGE_ONCE_FIELDS(FIELD) FIELD(PLAN, input) FIELD(U32, id)
// `input_ids`: of the table's columns; for all changes but CHANGE_APPEND of action and row id
// behind them. `positions`: in the statement, of what fills each column; UINT32_MAX: nowhere.
// `is_clustered`: the rows are sorted for nothing but that partitions lie together. `fan_out`: they
// are not, for there are so many partitions at most, and the sink takes them side by side; 0: it
// does not.
#define PLAN_INSERT_FIELDS(FIELD)                                                                  \
    FIELD(PLAN, input)                                                                             \
    FIELD(U32, table)                                                                              \
    FIELD(U32, change)    /* change_kind */                                                        \
    FIELD(U32, overwrite) /* overwrite_kind, with CHANGE_OVERWRITE. */                             \
    FIELD(BOOL, is_clustered)                                                                      \
    FIELD(U32, fan_out)                                                                            \
    FIELD(U32S, input_ids) FIELD(U32S, positions) FIELD(U32, id)
#define PLAN_OUTPUT_FIELDS(FIELD) FIELD(PLAN, input) FIELD(U32S, ids) FIELD(SCHEMA, columns)

#define FIELD_TYPE_PLANS plan_list
#define FIELD_TYPE_SCAN_COLUMNS scan_column_list
#define FIELD_TYPE_COLUMNS_DATA column_data_list

#define PLAN_MEMBER(kind, name) FIELD_TYPE_##kind name;
struct plan_node {
    plan_kind kind;
    uint32_t number;     ///< Unique in the plan, in EXPLAIN's order; 0 until plan_number ran.
    double row_estimate; ///< Set by the optimizer; negative: unknown. Not compared.
    uint32_t position;   ///< In the statement, of what fails of its own; UINT32_MAX: nowhere.
    union {
#define X(NAME, word, label, text)                                                                 \
    struct {                                                                                       \
        PLAN_##NAME##_FIELDS(PLAN_MEMBER)                                                          \
    } word##_;
        PLAN_KIND_LIST(X)
#undef X
    };
};

/// A whole plan: the root and what its numbers mean.
typedef struct plan {
    plan_node *root;
    uint32_t table_count;
    table_ref *tables;
    uint32_t id_count;     ///< Column ids are below it.
    uint32_t slot_count;   ///< Dynamic filter slots are below it.
    uint32_t shared_count; ///< Shared subplan slots are below it.
} plan;

plan_node *plan_new(arena *memory, plan_kind kind); ///< NULL when full.
/// Does a node fail of its own, at its position? A single join does, at a second row.
bool plan_has_position(const plan_node *self);
/// Are LIMIT and OFFSET of a limit node numbers (or NULL), not columns of its input?
bool plan_limit_is_known(const plan_node *limit);

/// A column that a node hands out.
typedef struct plan_column {
    uint32_t id;
    const type *type;
    text name; ///< "" if it has none.
} plan_column;
typedef struct plan_columns {
    uint32_t count;
    uint32_t capacity; // As in expr_list.
    plan_column *items;
} plan_columns;

/// What a node hands out, in order. In `memory`.
firn_status plan_outputs(const plan_node *self, arena *memory, plan_columns *out, firn_error *err);
firn_status plan_output_ids(const plan_node *self, id_set *out, firn_error *err);
/// The same in their order.
firn_status plan_output_list(const plan_node *self, arena *memory, u32_list *out, firn_error *err);

/// Direct inputs and expressions, each through its slot, so that they can be replaced.
typedef bool (*plan_visit)(void *user, plan_node **child);
bool plan_visit_children(plan_node *self, plan_visit visit, void *user);
bool plan_visit_exprs(plan_node *self, expr_visit visit, void *user);

bool plan_equal(const plan_node *left, const plan_node *right);
/// The numbers that a copy takes new ones from, and what it made of the old ones.
typedef struct plan_renaming {
    uint32_t *next_id;      ///< The plan's id_count.
    uint32_t *shared_count; ///< The plan's.
    uint32_t *ids;          ///< By old id: itself; afterwards the new one of every id made inside.
    uint32_t id_count;
} plan_renaming;
/// A deep copy with new column ids and shared slots: for a subplan that stands twice.
firn_status plan_copy_renamed(arena *memory, const plan_node *self, plan_renaming *renaming,
                              plan_node **out, firn_error *err);
void plan_number(plan_node *root);

/// What EXPLAIN adds behind a node's own line: estimates, measurements.
typedef void (*plan_notes)(void *user, const plan_node *node, text_builder *out);
/// EXPLAIN's text: one node a line, children indented. `notes` may be NULL.
void plan_print(const plan *self, plan_notes notes, void *user, text_builder *out);
/// Of a node's line, what stands behind its label. `names`: plan_names of the plan.
void plan_print_details(const plan *self, const plan_node *node, const expr_names *names,
                        text_builder *out);
/// What columns that have no name are called by: what computes them, unless it is long. In
/// `memory`; none if that is full.
expr_names plan_names(const plan *self, arena *memory);
const char *plan_kind_label(plan_kind kind); ///< "HashJoin" and so on. Static storage.

/// Does the plan hang together? FIRN_CORRUPT says what does not. See plan_check.c.
firn_status plan_check(const plan *self, arena *memory, firn_error *err);

/// Bytes of a plan, with a version; and back. Unknown node, function or version: FIRN_UNSUPPORTED
/// by name. Everything is checked: the bytes may come from anywhere.
#define PLAN_ENCODING_VERSION 1
struct function_lookup { ///< How decode finds functions by name (functions/ fills it).
    const scalar_function *(*scalar)(text name);
    const aggregate_function *(*aggregate)(text name);
};
firn_status plan_encode(const plan *self, arena *memory, bytes *out, firn_error *err);
firn_status plan_decode(bytes encoded, const struct function_lookup *functions, arena *memory,
                        plan *out, firn_error *err);

#endif
