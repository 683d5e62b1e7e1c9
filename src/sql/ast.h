// The syntax tree: what the parser makes of one SQL statement. It says what was written, nothing of
// what it means: no table, type or function is looked up here.
//
// The nodes and their members stand in ast_nodes.def; read that file next to this one. Each node is
// a struct that begins with a sql_node, so a `const sql_expr *` is a `const sql_node *` and becomes
// the real thing like this:
//
//     switch (sql_expr_kind_of(expr)) {
//     case SQL_BINARY: {
//         const sql_binary *binary = sql_binary_of(expr);
//
// What the parser promises, so that whoever walks a tree need not check it again:
//   - A tree is at most SQL_DEPTH_MAX nodes high, so recursion over it is bounded. Three kinds lean
//     to the left without a bound and do not count as higher: the left sides of sql_binary,
//     sql_join and sql_set_operation (a + b + c + ... with 10,000 terms). Walk those down in a
//     loop.
//   - Every list that the grammar wants non-empty is; every child without "NULL" in its comment, or
//     that the syntax demands, is there.
//   - The tree never changes once made, so any number of threads may read it.
//
// Borrows: texts and names point into the SQL text or into the arena that was given to the parser;
// both must live as long as the tree.
#ifndef FIRN_SQL_AST_H
#define FIRN_SQL_AST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/text.h"

/// The greatest height of a tree and the deepest nesting that the parser follows.
#define SQL_DEPTH_MAX 500

/// Which of the five families in ast_nodes.def a node belongs to.
typedef enum sql_family {
    SQL_FAMILY_EXPR,
    SQL_FAMILY_RELATION,
    SQL_FAMILY_BODY,
    SQL_FAMILY_STATEMENT,
    SQL_FAMILY_PART,
} sql_family;

/// The header of every node. `position` and `length` are the bytes of the SQL text it was made of.
typedef struct sql_node {
    uint8_t family;  // A sql_family.
    uint8_t kind;    // A sql_expr_kind, sql_relation_kind, ... of that family.
    uint16_t height; // Nodes on the longest way down, this one included, at most SQL_DEPTH_MAX.
    uint32_t position;
    uint32_t length;
} sql_node;

// Which family of nodes a pointer may lead to. The compiler takes them for one type; the functions
// sql_*_kind_of and sql_*_of below check the family in test builds.
typedef sql_node sql_expr;      // EXPR in ast_nodes.def
typedef sql_node sql_relation;  // RELATION
typedef sql_node sql_body;      // BODY
typedef sql_node sql_statement; // STATEMENT

typedef struct sql_list {
    size_t count;
    const sql_node *const *items COUNTED_BY(count);
} sql_list;

/// An identifier. Unquoted ones match without regard to case; `value` is as it was written.
typedef struct sql_name {
    text value; // Without quotes, "" inside undone. Size 0: not written.
    uint32_t position;
    uint32_t length;
    bool is_quoted;
} sql_name;

/// A dotted name, outermost first, or a list of names.
typedef struct sql_names {
    size_t count;
    const sql_name *items COUNTED_BY(count);
} sql_names;

typedef enum sql_literal_kind {
    SQL_LITERAL_NULL,    // No value.
    SQL_LITERAL_TRUE,    // No value.
    SQL_LITERAL_FALSE,   // No value.
    SQL_LITERAL_INTEGER, // Decimal digits, also for 0x1F, 0o17, 0b11 and 1_000. Never signed.
    SQL_LITERAL_DECIMAL, // Digits with a point: 1.10, .5, 7.
    SQL_LITERAL_DOUBLE,  // Digits with an exponent: 1e3, 1.5E-3
    SQL_LITERAL_STRING,  // UTF-8 without NUL, escapes undone.
    SQL_LITERAL_BLOB,    // X'1F': the bytes, here 0x1F.
    SQL_LITERAL_BITS,    // B'101': the digits.
} sql_literal_kind;

// Operators between two operands: constant, how it is written, how it binds (see binding.h).
// LIKE and its kin are operators only in sql_quantified; elsewhere they are a sql_like.
#define SQL_OPERATORS(X)                                                                           \
    X(SQL_OP_NONE, "", NONE)                                                                       \
    X(SQL_OP_ADD, "+", ADDITIVE)                                                                   \
    X(SQL_OP_SUBTRACT, "-", ADDITIVE)                                                              \
    X(SQL_OP_MULTIPLY, "*", MULTIPLICATIVE)                                                        \
    X(SQL_OP_DIVIDE, "/", MULTIPLICATIVE)                                                          \
    X(SQL_OP_INTEGER_DIVIDE, "//", MULTIPLICATIVE)                                                 \
    X(SQL_OP_MODULO, "%", MULTIPLICATIVE)                                                          \
    X(SQL_OP_POWER, "^", POWER)                                                                    \
    X(SQL_OP_EQUAL, "=", COMPARISON)                                                               \
    X(SQL_OP_NOT_EQUAL, "<>", COMPARISON)                                                          \
    X(SQL_OP_LESS, "<", COMPARISON)                                                                \
    X(SQL_OP_LESS_EQUAL, "<=", COMPARISON)                                                         \
    X(SQL_OP_GREATER, ">", COMPARISON)                                                             \
    X(SQL_OP_GREATER_EQUAL, ">=", COMPARISON)                                                      \
    X(SQL_OP_IS_DISTINCT, "IS DISTINCT FROM", IS)                                                  \
    X(SQL_OP_IS_NOT_DISTINCT, "IS NOT DISTINCT FROM", IS)                                          \
    X(SQL_OP_CONCAT, "||", OTHER)                                                                  \
    X(SQL_OP_BIT_AND, "&", OTHER)                                                                  \
    X(SQL_OP_BIT_OR, "|", OTHER)                                                                   \
    X(SQL_OP_BIT_XOR, "#", OTHER)                                                                  \
    X(SQL_OP_SHIFT_LEFT, "<<", OTHER)                                                              \
    X(SQL_OP_SHIFT_RIGHT, ">>", OTHER)                                                             \
    X(SQL_OP_MATCH, "~", OTHER)                                                                    \
    X(SQL_OP_MATCH_NOCASE, "~*", OTHER)                                                            \
    X(SQL_OP_NOT_MATCH, "!~", OTHER)                                                               \
    X(SQL_OP_NOT_MATCH_NOCASE, "!~*", OTHER)                                                       \
    X(SQL_OP_ARROW, "->", OTHER)                                                                   \
    X(SQL_OP_ARROW_TEXT, "->>", OTHER)                                                             \
    X(SQL_OP_HASH_ARROW, "#>", OTHER)                                                              \
    X(SQL_OP_HASH_ARROW_TEXT, "#>>", OTHER)                                                        \
    X(SQL_OP_CONTAINS, "@>", OTHER)                                                                \
    X(SQL_OP_CONTAINED, "<@", OTHER)                                                               \
    X(SQL_OP_OVERLAP, "&&", OTHER)                                                                 \
    X(SQL_OP_STARTS_WITH, "^@", OTHER)                                                             \
    X(SQL_OP_OVERLAPS, "OVERLAPS", LIKE)                                                           \
    X(SQL_OP_AT_TIME_ZONE, "AT TIME ZONE", TIME_ZONE)                                              \
    X(SQL_OP_LIKE, "LIKE", LIKE)                                                                   \
    X(SQL_OP_NOT_LIKE, "NOT LIKE", LIKE)                                                           \
    X(SQL_OP_ILIKE, "ILIKE", LIKE)                                                                 \
    X(SQL_OP_NOT_ILIKE, "NOT ILIKE", LIKE)

typedef enum sql_operator {
#define X(constant, spelling, binding) constant,
    SQL_OPERATORS(X)
#undef X
} sql_operator;

typedef enum sql_unary_operator {
    SQL_UNARY_MINUS,
    SQL_UNARY_PLUS,
    SQL_UNARY_NOT,
    SQL_UNARY_BIT_NOT, // ~
} sql_unary_operator;

typedef enum sql_is_test { SQL_IS_NULL, SQL_IS_TRUE, SQL_IS_FALSE, SQL_IS_UNKNOWN } sql_is_test;

typedef enum sql_like_kind { SQL_LIKE_LIKE, SQL_LIKE_ILIKE, SQL_LIKE_SIMILAR } sql_like_kind;

// Units of intervals, in singular; also what the printer writes.
#define SQL_UNITS(X)                                                                               \
    X(SQL_UNIT_NONE, "")                                                                           \
    X(SQL_UNIT_YEAR, "YEAR")                                                                       \
    X(SQL_UNIT_MONTH, "MONTH")                                                                     \
    X(SQL_UNIT_DAY, "DAY")                                                                         \
    X(SQL_UNIT_HOUR, "HOUR")                                                                       \
    X(SQL_UNIT_MINUTE, "MINUTE")                                                                   \
    X(SQL_UNIT_SECOND, "SECOND")                                                                   \
    X(SQL_UNIT_MILLENNIUM, "MILLENNIUM")                                                           \
    X(SQL_UNIT_CENTURY, "CENTURY")                                                                 \
    X(SQL_UNIT_DECADE, "DECADE")                                                                   \
    X(SQL_UNIT_QUARTER, "QUARTER")                                                                 \
    X(SQL_UNIT_WEEK, "WEEK")                                                                       \
    X(SQL_UNIT_MILLISECOND, "MILLISECOND")                                                         \
    X(SQL_UNIT_MICROSECOND, "MICROSECOND")                                                         \
    X(SQL_UNIT_NANOSECOND, "NANOSECOND")

typedef enum sql_unit {
#define X(constant, spelling) constant,
    SQL_UNITS(X)
#undef X
} sql_unit;

/// How a call was written. The arguments are always in the order of the plain function:
typedef enum sql_call_syntax {
    SQL_CALL_PLAIN,     // f(a, b)
    SQL_CALL_WORD,      // CURRENT_DATE, CURRENT_TIMESTAMP(3): current_timestamp([3])
    SQL_CALL_EXTRACT,   // EXTRACT(year FROM a):               extract('year', a)
    SQL_CALL_SUBSTRING, // SUBSTRING(a FROM b FOR c):          substring(a, b[, c])
    SQL_CALL_POSITION,  // POSITION(a IN b):                   position(a, b)
    SQL_CALL_TRIM,      // TRIM(LEADING b FROM a):             ltrim(a[, b]); btrim, rtrim
    SQL_CALL_OVERLAY,   // OVERLAY(a PLACING b FROM c FOR d):  overlay(a, b, c[, d])
} sql_call_syntax;

typedef enum sql_null_treatment {
    SQL_NULLS_UNSAID,
    SQL_NULLS_IGNORE,
    SQL_NULLS_RESPECT,
} sql_null_treatment;

typedef enum sql_subquery_kind {
    SQL_SUBQUERY_SCALAR,
    SQL_SUBQUERY_EXISTS,
    SQL_SUBQUERY_ARRAY,
} sql_subquery_kind;

typedef enum sql_grouping_kind {
    SQL_GROUPING_EMPTY, // (): no items
    SQL_GROUPING_SETS,
    SQL_GROUPING_ROLLUP,
    SQL_GROUPING_CUBE,
} sql_grouping_kind;

typedef enum sql_join_kind {
    SQL_JOIN_INNER,
    SQL_JOIN_LEFT,
    SQL_JOIN_RIGHT,
    SQL_JOIN_FULL,
    SQL_JOIN_CROSS,
    SQL_JOIN_LEFT_SEMI, // Also SEMI JOIN.
    SQL_JOIN_RIGHT_SEMI,
    SQL_JOIN_LEFT_ANTI, // Also ANTI JOIN.
    SQL_JOIN_RIGHT_ANTI,
    SQL_JOIN_POSITIONAL, // Row by row, as DuckDB has it.
} sql_join_kind;

typedef enum sql_set_operator { SQL_UNION, SQL_INTERSECT, SQL_EXCEPT } sql_set_operator;

typedef enum sql_type_kind {
    SQL_TYPE_NAMED,    // name, modifiers
    SQL_TYPE_INTERVAL, // unit, to_unit
    SQL_TYPE_LIST,     // element; modifiers holds the 3 of T[3]
    SQL_TYPE_STRUCT,   // fields
    SQL_TYPE_MAP,      // key, element
} sql_type_kind;

typedef enum sql_direction {
    SQL_DIRECTION_UNSAID,
    SQL_DIRECTION_ASC,
    SQL_DIRECTION_DESC,
} sql_direction;

typedef enum sql_null_order {
    SQL_NULL_ORDER_UNSAID,
    SQL_NULL_ORDER_FIRST,
    SQL_NULL_ORDER_LAST,
} sql_null_order;

typedef enum sql_frame_unit {
    SQL_FRAME_ROWS,
    SQL_FRAME_RANGE,
    SQL_FRAME_GROUPS,
} sql_frame_unit;

typedef enum sql_frame_bound {
    SQL_BOUND_UNBOUNDED_PRECEDING,
    SQL_BOUND_PRECEDING, // With an offset.
    SQL_BOUND_CURRENT_ROW,
    SQL_BOUND_FOLLOWING, // With an offset.
    SQL_BOUND_UNBOUNDED_FOLLOWING,
} sql_frame_bound;

typedef enum sql_frame_exclude {
    SQL_EXCLUDE_NO_OTHERS,
    SQL_EXCLUDE_CURRENT_ROW,
    SQL_EXCLUDE_GROUP,
    SQL_EXCLUDE_TIES,
} sql_frame_exclude;

typedef enum sql_materialized {
    SQL_MATERIALIZED_UNSAID,
    SQL_MATERIALIZED_YES,
    SQL_MATERIALIZED_NO,
} sql_materialized;

typedef enum sql_constraint_kind {
    SQL_CONSTRAINT_PRIMARY_KEY, // columns
    SQL_CONSTRAINT_UNIQUE,      // columns
    SQL_CONSTRAINT_CHECK,       // check
    SQL_CONSTRAINT_FOREIGN_KEY, // columns, referenced_table, referenced_columns
} sql_constraint_kind;

typedef enum sql_merge_match {
    SQL_MERGE_MATCHED,
    SQL_MERGE_NOT_MATCHED, // Also NOT MATCHED BY TARGET.
    SQL_MERGE_NOT_MATCHED_BY_SOURCE,
} sql_merge_match;

typedef enum sql_merge_action {
    SQL_MERGE_UPDATE,
    SQL_MERGE_INSERT,
    SQL_MERGE_DELETE,
    SQL_MERGE_NOTHING, // DO NOTHING
} sql_merge_action;

/// What one action of ALTER does, and the members of sql_alter_action that it fills.
typedef enum sql_alter_kind {
    SQL_ALTER_RENAME,                  // new_path: RENAME TO a.b
    SQL_ALTER_ADD_COLUMNS,             // definitions, if_not_exists
    SQL_ALTER_DROP_COLUMN,             // column, if_exists
    SQL_ALTER_RENAME_COLUMN,           // column, name
    SQL_ALTER_COLUMN_TYPE,             // column, type, value (USING)
    SQL_ALTER_COLUMN_SET_DEFAULT,      // column, value
    SQL_ALTER_COLUMN_DROP_DEFAULT,     // column
    SQL_ALTER_COLUMN_SET_NOT_NULL,     // column
    SQL_ALTER_COLUMN_DROP_NOT_NULL,    // column
    SQL_ALTER_COLUMN_COMMENT,          // column, comment
    SQL_ALTER_COLUMN_MOVE,             // column, is_first or after
    SQL_ALTER_ADD_PARTITION_FIELD,     // value, name (AS name)
    SQL_ALTER_DROP_PARTITION_FIELD,    // value; a bare name is a sql_column
    SQL_ALTER_REPLACE_PARTITION_FIELD, // value, new_value, name (AS name)
    SQL_ALTER_WRITE_ORDER,           // order_by, is_locally, is_by_partition; WRITE UNORDERED: none
    SQL_ALTER_SET_IDENTIFIER_FIELDS, // fields
    SQL_ALTER_DROP_IDENTIFIER_FIELDS, // fields
    SQL_ALTER_SET_PROPERTIES,         // options
    SQL_ALTER_UNSET_PROPERTIES,       // options without values, if_exists
    SQL_ALTER_SET_LOCATION,           // value
    SQL_ALTER_ADD_CONSTRAINT,         // constraint
    SQL_ALTER_DROP_CONSTRAINT,        // name, if_exists
    SQL_ALTER_CREATE_BRANCH,          // name, value (version), retention, or_replace, if_not_exists
    SQL_ALTER_REPLACE_BRANCH,         // name, value, retention
    SQL_ALTER_DROP_BRANCH,            // name, if_exists
    SQL_ALTER_CREATE_TAG,             // as CREATE_BRANCH
    SQL_ALTER_REPLACE_TAG,            // as REPLACE_BRANCH
    SQL_ALTER_DROP_TAG,               // name, if_exists
} sql_alter_kind;

typedef enum sql_object {
    SQL_OBJECT_TABLE,
    SQL_OBJECT_VIEW,
    SQL_OBJECT_SCHEMA, // Also NAMESPACE and DATABASE.
    SQL_OBJECT_COLUMN, // COMMENT ON COLUMN
} sql_object;

typedef enum sql_drop_behavior {
    SQL_DROP_UNSAID,
    SQL_DROP_RESTRICT,
    SQL_DROP_CASCADE,
} sql_drop_behavior;

typedef enum sql_transaction_action {
    SQL_TRANSACTION_BEGIN,
    SQL_TRANSACTION_COMMIT,
    SQL_TRANSACTION_ROLLBACK,
    SQL_TRANSACTION_SAVEPOINT,
    SQL_TRANSACTION_RELEASE,     // RELEASE [SAVEPOINT] x
    SQL_TRANSACTION_ROLLBACK_TO, // ROLLBACK TO [SAVEPOINT] x
} sql_transaction_action;

typedef enum sql_isolation {
    SQL_ISOLATION_UNSAID,
    SQL_ISOLATION_READ_UNCOMMITTED,
    SQL_ISOLATION_READ_COMMITTED,
    SQL_ISOLATION_REPEATABLE_READ,
    SQL_ISOLATION_SNAPSHOT,
    SQL_ISOLATION_SERIALIZABLE,
} sql_isolation;

typedef enum sql_access_mode {
    SQL_ACCESS_UNSAID,
    SQL_ACCESS_READ_ONLY,
    SQL_ACCESS_READ_WRITE,
} sql_access_mode;

typedef enum sql_set_scope {
    SQL_SCOPE_UNSAID,
    SQL_SCOPE_SESSION,
    SQL_SCOPE_LOCAL,
    SQL_SCOPE_GLOBAL,
} sql_set_scope;

typedef enum sql_show_what {
    SQL_SHOW_SETTING,      // name
    SQL_SHOW_ALL_SETTINGS, // SHOW ALL, SHOW ALL SETTINGS, SHOW SETTINGS
    SQL_SHOW_CATALOGS,
    SQL_SHOW_SCHEMAS, // name: a catalog. Also NAMESPACES and DATABASES.
    SQL_SHOW_TABLES,  // name: a schema
    SQL_SHOW_VIEWS,   // name: a schema
    SQL_SHOW_COLUMNS, // name: a table
    SQL_SHOW_FUNCTIONS,
    SQL_SHOW_CREATE_TABLE, // name: a table
    SQL_SHOW_CREATE_VIEW,  // name: a view
} sql_show_what;

typedef enum sql_expr_kind {
#define EXPR(type, kind) kind,
#include "sql/ast_nodes.def"
} sql_expr_kind;

typedef enum sql_relation_kind {
#define RELATION(type, kind) kind,
#include "sql/ast_nodes.def"
} sql_relation_kind;

typedef enum sql_body_kind {
#define BODY(type, kind) kind,
#include "sql/ast_nodes.def"
} sql_body_kind;

typedef enum sql_statement_kind {
#define STATEMENT(type, kind) kind,
#include "sql/ast_nodes.def"
} sql_statement_kind;

typedef enum sql_part_kind {
#define PART(type, kind) kind,
#include "sql/ast_nodes.def"
} sql_part_kind;

#define NODE(type, kind) typedef struct type type;
#include "sql/ast_nodes.def"

#define NODE(type, kind)                                                                           \
    struct type {                                                                                  \
        sql_node node;
#define END(type)                                                                                  \
    }                                                                                              \
    ;
#define CHILD(type, name) const type *name;
#define LIST(type, name) sql_list name;
#define NAME(name) sql_name name;
#define NAMES(name) sql_names name;
#define VALUE(name) text name;
#define NUMBER(name) uint32_t name;
#define FLAG(name) bool name;
#define ENUM(type, name) type name;
#include "sql/ast_nodes.def"

// const sql_binary *sql_binary_of(const sql_node *node), and so on for every node: the node as what
// it is. Asking for something else is a bug of ours.
#define SQL_DEFINE_OF(type, family_of_type, constant)                                              \
    static inline const type *type##_of(const sql_node *node) {                                    \
        assert(node->family == (family_of_type) && node->kind == (constant));                      \
        return (const type *)(const void *)node;                                                   \
    }
#define EXPR(type, kind) SQL_DEFINE_OF(type, SQL_FAMILY_EXPR, kind)
#define RELATION(type, kind) SQL_DEFINE_OF(type, SQL_FAMILY_RELATION, kind)
#define BODY(type, kind) SQL_DEFINE_OF(type, SQL_FAMILY_BODY, kind)
#define STATEMENT(type, kind) SQL_DEFINE_OF(type, SQL_FAMILY_STATEMENT, kind)
#define PART(type, kind) SQL_DEFINE_OF(type, SQL_FAMILY_PART, kind)
#include "sql/ast_nodes.def"

// The kind of a node of a family, for a switch that the compiler checks for completeness.
static inline sql_expr_kind sql_expr_kind_of(const sql_expr *expr) {
    assert(expr->family == SQL_FAMILY_EXPR);
    return (sql_expr_kind)expr->kind;
}
static inline sql_relation_kind sql_relation_kind_of(const sql_relation *relation) {
    assert(relation->family == SQL_FAMILY_RELATION);
    return (sql_relation_kind)relation->kind;
}
static inline sql_body_kind sql_body_kind_of(const sql_body *body) {
    assert(body->family == SQL_FAMILY_BODY);
    return (sql_body_kind)body->kind;
}
static inline sql_statement_kind sql_statement_kind_of(const sql_statement *statement) {
    assert(statement->family == SQL_FAMILY_STATEMENT);
    return (sql_statement_kind)statement->kind;
}

/// Whether `node` is an expression of that kind. NULL is none.
static inline bool sql_is_expr(const sql_node *node, sql_expr_kind kind) {
    return node != NULL && node->family == SQL_FAMILY_EXPR && node->kind == kind;
}

/// Whether two trees say the same: same nodes, names as written, values; positions do not count.
/// Both may be NULL.
bool sql_equal(const sql_node *left, const sql_node *right);

/// Called with each child; false stops the visit.
typedef bool (*sql_visitor)(const sql_node *child, void *user);

/// Calls `visit` for each direct child of `node` in the order of ast_nodes.def. False when a visit
/// said so. A tool for questions such as "is there an aggregate in it"; whoever goes down with it
/// must walk left-leaning chains itself if it may meet long ones (see above).
bool sql_visit_children(const sql_node *node, sql_visitor visit, void *user);

/// The height that `node` has by its children: see sql_node.
uint32_t sql_height(const sql_node *node);

/// The name of the node's struct without "sql_", such as "binary". Never NULL. Static storage.
const char *sql_node_name(const sql_node *node);

/// As SQL writes it, such as "<=". Never NULL. Static storage.
const char *sql_operator_text(sql_operator op);

/// As SQL writes it, such as "YEAR"; "" for SQL_UNIT_NONE. Static storage.
const char *sql_unit_text(sql_unit unit);

#endif
