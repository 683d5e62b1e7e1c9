// Typed expressions: plain data, in the arena of their plan.
//
// Columns are named by **ids that are unique in the query**: whoever makes a column (a scan, a
// projection, an aggregate) gives it a new id, and everybody above refers to that id. So moving an
// expression through the plan never renumbers anything, and a correlated subquery simply mentions
// an id that its own inputs don't make. Positions in batches exist only after compilation
// (expr/program.h).
//
// Each node's fields stand once, in the lists below; struct members, printing, equality, hashing,
// copying, encoding and decoding all come from them (plan/plan.h).
#ifndef FIRN_EXPR_EXPR_H
#define FIRN_EXPR_EXPR_H

#include "expr/function.h"

typedef struct expr expr;
struct plan_node; // plan/plan.h; only EXPR_SUBQUERY points there, and no subquery survives
                  // optimize/.

typedef struct expr_list {
    uint32_t count;
    uint32_t capacity; ///< Room behind `items` that the list may grow into; 0: none is known.
    expr **items;
} expr_list;

/// A constant: one row of a column of its type, in the plan's arena.
typedef struct literal {
    bool is_null;
    const column *value; ///< CONSTANT, length 1; NULL when is_null.
} literal;

#define EXPR_KIND_LIST(X)                                                                          \
    X(COLUMN, column, "a column of an input, by id")                                               \
    X(LITERAL, literal, "a constant")                                                              \
    X(PARAMETER, parameter, "$n; replaced by a literal before planning")                           \
    X(CALL, call, "a scalar function, operators included")                                         \
    X(CAST, cast, "CAST, TRY_CAST and implicit casts")                                             \
    X(AND, and, "conjunction; arguments are flat: none is an AND")                                 \
    X(OR, or, "disjunction, flat likewise")                                                        \
    X(CASE, case, "WHEN condition THEN value pairs, ELSE")                                         \
    X(COALESCE, coalesce, "the first that is not NULL; later ones are not reached")                \
    X(IN, in, "argument in a list of constants")                                                   \
    X(TRY, try, "NULL where the argument fails")                                                   \
    X(DYNAMIC, dynamic, "a dynamic filter's slot applied to its columns")                          \
    X(LAMBDA, lambda, "a function over list elements: parameters are column ids")                  \
    X(SUBQUERY, subquery, "scalar, EXISTS, IN, ANY, ALL; removed by unnesting")                    \
    X(AGGREGATE, aggregate, "an aggregate call; only inside an Aggregate or Window node's list")

#define X(name, word, text) EXPR_##name,
typedef enum expr_kind { EXPR_KIND_LIST(X) EXPR_KIND_COUNT } expr_kind;
#undef X

typedef enum subquery_kind {
    SUBQUERY_SCALAR, ///< At most one row, else an error: its column, or args compare with it.
    SUBQUERY_EXISTS,
    SUBQUERY_ANY, ///< args compare (operator) with any row; IN is = ANY.
    SUBQUERY_ALL,
} subquery_kind;

typedef struct sort_key {
    expr *value;
    bool is_descending;
    bool nulls_first;
} sort_key;
typedef struct sort_key_list {
    uint32_t count;
    sort_key *items;
} sort_key_list;

struct aggregate_function;
struct aggregate_overload;

// Node-specific fields: FIELD(kind of field, name). The kinds are those of plan/plan.h.
#define EXPR_COLUMN_FIELDS(FIELD) FIELD(U32, id) FIELD(TEXT, name)
#define EXPR_LITERAL_FIELDS(FIELD) FIELD(LITERAL, value)
#define EXPR_PARAMETER_FIELDS(FIELD) FIELD(U32, index)
#define EXPR_CALL_FIELDS(FIELD)                                                                    \
    FIELD(FUNCTION, function) FIELD(U32, overload) FIELD(EXPRS, args) FIELD(BYTES, bound)
#define EXPR_CAST_FIELDS(FIELD) FIELD(EXPR, arg) FIELD(BOOL, is_try) FIELD(BOOL, is_implicit)
#define EXPR_AND_FIELDS(FIELD) FIELD(EXPRS, args)
#define EXPR_OR_FIELDS(FIELD) FIELD(EXPRS, args)
#define EXPR_CASE_FIELDS(FIELD) FIELD(EXPRS, conditions) FIELD(EXPRS, values) FIELD(EXPR, otherwise)
#define EXPR_COALESCE_FIELDS(FIELD) FIELD(EXPRS, args)
#define EXPR_IN_FIELDS(FIELD)                                                                      \
    FIELD(EXPR, arg) FIELD(COLUMN_DATA, values) FIELD(BOOL, has_null) FIELD(BOOL, is_negated)
#define EXPR_TRY_FIELDS(FIELD) FIELD(EXPR, arg)
#define EXPR_DYNAMIC_FIELDS(FIELD) FIELD(U32, slot) FIELD(EXPRS, args)
#define EXPR_LAMBDA_FIELDS(FIELD) FIELD(U32S, parameters) FIELD(EXPR, body)
#define EXPR_SUBQUERY_FIELDS(FIELD)                                                                \
    FIELD(U32, subquery)                                                                           \
    FIELD(TEXT, comparison)                                                                        \
    FIELD(EXPRS, args)                                                                             \
    FIELD(PLAN, plan)                                                                              \
    FIELD(U32S, outer_ids) /* Columns of the queries around it that the plan mentions. */          \
    FIELD(U32, same)       /* Not 0: those of this number were written alike in one scope. */
#define EXPR_AGGREGATE_FIELDS(FIELD)                                                               \
    FIELD(AGGREGATE, function)                                                                     \
    FIELD(U32, overload)                                                                           \
    FIELD(EXPRS, args)                                                                             \
    FIELD(BYTES, bound) FIELD(BOOL, is_distinct) FIELD(EXPR, filter) FIELD(SORT_KEYS, order)

typedef struct u32_list {
    uint32_t count;
    uint32_t capacity; // As in expr_list.
    uint32_t *items;
} u32_list;

// The C type of each kind of field.
#define FIELD_TYPE_U32 uint32_t
#define FIELD_TYPE_U64 uint64_t
#define FIELD_TYPE_I64 int64_t
#define FIELD_TYPE_BOOL bool
#define FIELD_TYPE_TEXT text
#define FIELD_TYPE_BYTES bytes
#define FIELD_TYPE_TYPE const type *
#define FIELD_TYPE_SCHEMA schema
#define FIELD_TYPE_LITERAL literal
#define FIELD_TYPE_COLUMN_DATA const column * // A flat column in the plan's arena.
#define FIELD_TYPE_EXPR expr *
#define FIELD_TYPE_EXPRS expr_list
#define FIELD_TYPE_U32S u32_list
#define FIELD_TYPE_SORT_KEYS sort_key_list
#define FIELD_TYPE_FUNCTION const scalar_function *
#define FIELD_TYPE_AGGREGATE const struct aggregate_function *
#define FIELD_TYPE_PLAN struct plan_node *

#define EXPR_MEMBER(kind, name) FIELD_TYPE_##kind name;
/// Positions from here to UINT32_MAX are no bytes of the SQL text: what is numbered so stands in a
/// view, or is for a column, that an error names (bind_say_origin).
#define EXPR_ORIGINS_MAX 0xFFFFU
#define EXPR_ORIGIN_FIRST (UINT32_MAX - EXPR_ORIGINS_MAX)

struct expr {
    expr_kind kind;
    const type *type;  ///< Of the value.
    uint32_t position; ///< Byte of the SQL text it came from, UINT32_MAX if none. Not compared.
    union {
#define X(NAME, word, text)                                                                        \
    struct {                                                                                       \
        EXPR_##NAME##_FIELDS(EXPR_MEMBER)                                                          \
    } word##_;
        EXPR_KIND_LIST(X)
#undef X
    };
};

/// Constructors; NULL when `memory` is full.
expr *expr_new(arena *memory, expr_kind kind, const type *type);
expr *expr_column(arena *memory, uint32_t id, text name, const type *type);
expr *expr_null(arena *memory, const type *type);
expr *expr_bool(arena *memory, bool value);
expr *expr_i64(arena *memory, const type *type, int64_t value); ///< Any integer or temporal type.
expr *expr_string(arena *memory, const type *type, text value); ///< Copies the bytes.
expr *expr_and(arena *memory, expr *left,
               expr *right);                           ///< Flattens; either may be NULL: the other.
expr *expr_or(arena *memory, expr *left, expr *right); ///< Likewise.
/// A flat AND of one or more.
expr *expr_and_all(arena *memory, expr *const *items, uint32_t count);
/// The argument itself if the types have the same values.
expr *expr_cast(arena *memory, expr *arg, const type *to, bool is_try, bool is_implicit);
/// A resolved call (functions/overload.h makes it); copies the list, keeps the arguments.
expr *expr_call(arena *memory, const scalar_function *function, uint32_t overload, const type *type,
                expr *const *args, uint32_t arg_count);
/// A literal of row `row` of any column.
firn_status expr_literal_of(arena *memory, const column *source, uint32_t row, expr **out,
                            firn_error *err);

bool expr_equal(const expr *left, const expr *right); ///< Same value always: position not compared.
uint64_t expr_hash(const expr *self);
expr *expr_copy(arena *memory,
                const expr *self); ///< Deep; NULL when full. Subquery plans are shared.

/// Calls `visit` for each direct child, until it returns false. Children may be replaced through
/// the slot. Plans of subqueries are not entered.
typedef bool (*expr_visit)(void *user, expr **child);
bool expr_visit_children(expr *self, expr_visit visit, void *user);

/// Can evaluating it (the whole tree) raise an error? Volatile? Constant (no column, no volatile)?
bool expr_can_fail(const expr *self);
bool expr_is_volatile(const expr *self);
/// Are there values of any length on the way to its own: texts, lists, structs that are no columns?
bool expr_makes_long_values(const expr *self);
bool expr_is_constant(const expr *self);
/// Flags of a call's overload: the function's with the overload's changes.
uint32_t expr_call_flags(const expr *self);
/// Is it a call of the scalar function of that name, such as "="?
bool expr_is_call(const expr *self, const char *name);
/// The same of an aggregate.
bool expr_is_aggregate(const expr *self, const char *name);
/// Adds the ids of all columns in it, subqueries' outer ones included, to a set.
struct id_set;
firn_status expr_columns(const expr *self, struct id_set *out, firn_error *err);

/// SQL-like text for EXPLAIN and messages: `l_quantity < 24 AND l_discount BETWEEN …`.
void expr_print(const expr *self, text_builder *out);
/// What columns without a name of their own are called, by id; "" is #id.
typedef struct expr_names {
    uint32_t count;
    const text *by_id;
} expr_names;
void expr_print_named(const expr *self, const expr_names *names, text_builder *out);
/// The same, in parentheses unless it holds together beside any operator.
void expr_print_as_operand(const expr *self, const expr_names *names, text_builder *out);
text expr_text(const expr *self, arena *memory);

/// The error of a subquery as a value that gave two rows. `position`: of the subquery in the
/// statement; UINT32_MAX: nowhere.
firn_status expr_say_second_row(uint32_t position, firn_error *err);

#endif
