// What the files of the parser share: the parser itself, its tokens, how nodes and lists are made,
// and the productions that one file calls in another.
//
//     parser.c             the three entries, tokens, names, lists
//     parser_error.c       the sentences of syntax errors
//     parser_expr.c        operators by binding (Pratt), parentheses, rows
//     parser_primary.c     literals, names, CASE, CAST, brackets
//     parser_call.c        calls, and the functions that have a syntax of their own
//     parser_window.c      OVER, WINDOW, frames, ORDER BY
//     parser_type.c        types, intervals
//     parser_query.c       WITH, SELECT, set operations, LIMIT
//     parser_select.c      the clauses of one SELECT
//     parser_from.c        tables, joins
//     parser_statement.c   which statement it is; EXPLAIN, PREPARE, transactions ...
//     parser_create.c parser_column.c parser_alter.c       CREATE, DROP, ALTER
//     parser_change.c parser_merge.c parser_copy.c         INSERT, UPDATE, DELETE, MERGE, COPY
//     parser_session.c     SET, SHOW, USE, ATTACH ...
//
// The parser goes by one token: every production begins at `self->token` and ends behind what it
// took. Where the lexer fails stands a TOKEN_WRONG, which no production takes: so sooner or later
// it is unexpected, and then parser_unexpected tells what the lexer said.
//
// NEVER_INLINE stands where a compiler would put the locals of a rare branch into the frame of a
// function that recurses: with it SQL_DEPTH_MAX levels take less than 600 KB of stack.
#ifndef FIRN_SQL_PARSER_PRIVATE_H
#define FIRN_SQL_PARSER_PRIVATE_H

#include "sql/ast.h"
#include "sql/binding.h"
#include "sql/lexer.h"
#include "sql/parser.h"

#define SQL_SYNTAX "42601"
#define SQL_TOO_COMPLEX "54001"

#define PARSER_TOKENS_AHEAD 8
#define PARSER_NODES_ROOM 64
#define PARSER_NAMES_ROOM 16

typedef struct sql_parser {
    text sql;
    arena *memory;
    sql_lexer lexer;
    sql_token token;                      // The next one, not taken yet.
    sql_token ahead[PARSER_TOKENS_AHEAD]; // The ones behind it that were looked at.
    uint32_t ahead_count;
    sql_token last;           // The one taken before.
    uint32_t depth;           // Of productions that hold each other.
    uint32_t parameter_count; // How many ? there were.
    bool has_numbers;         // There were $1 or $name.
    bool hides_values;        // What is read now may be a secret: errors do not repeat it.

    // Lists that are being read, one on top of the other.
    const sql_node **nodes;
    size_t node_count;
    size_t node_capacity;
    sql_name *names;
    size_t name_count;
    size_t name_capacity;
    const sql_node *node_room[PARSER_NODES_ROOM];
    sql_name name_room[PARSER_NAMES_ROOM];
    firn_error ignored; // Of tokens that are only looked at.
} sql_parser;

// ---- Tokens ------------------------------------------------------------------------------------

/// Takes the token.
void parser_advance(sql_parser *self);

/// The token `ahead` behind the next one; from the end of the statement on always that.
const sql_token *parser_peek(sql_parser *self, uint32_t ahead);

static inline bool parser_at(const sql_parser *self, sql_token_kind kind) {
    return self->token.kind == kind;
}
static inline bool parser_at_word(const sql_parser *self, sql_keyword keyword) {
    return self->token.keyword == keyword;
}
static inline bool parser_at_operator(const sql_parser *self, sql_operator op) {
    return self->token.op == op;
}

/// Whether the next words are these.
bool parser_at_words(sql_parser *self, sql_keyword first, sql_keyword second);

/// Takes the token if it is that one.
static inline bool parser_accept(sql_parser *self, sql_token_kind kind) {
    if (!parser_at(self, kind)) {
        return false;
    }
    parser_advance(self);
    return true;
}
static inline bool parser_accept_word(sql_parser *self, sql_keyword keyword) {
    if (!parser_at_word(self, keyword)) {
        return false;
    }
    parser_advance(self);
    return true;
}
bool parser_accept_words(sql_parser *self, sql_keyword first, sql_keyword second);

/// Takes the token, which must be that one.
firn_status parser_expect(sql_parser *self, sql_token_kind kind, firn_error *err);
firn_status parser_expect_word(sql_parser *self, sql_keyword keyword, firn_error *err);

/// The byte behind the last token taken.
static inline uint32_t parser_end(const sql_parser *self) {
    return self->last.position + self->last.length;
}

// ---- Errors (parser_error.c) -------------------------------------------------------------------

/// Fails: `expected` was expected, such as "an expression", and something else is there.
firn_status parser_unexpected(sql_parser *self, const char *expected, firn_error *err);

/// The same where a name could stand: says that a reserved word must be quoted, if it may be one.
firn_status parser_unexpected_name(sql_parser *self, const char *expected, firn_error *err);

/// Fails at what stands behind a whole statement; says which word may have been meant.
firn_status parser_unexpected_rest(sql_parser *self, firn_error *err);

/// Fails at a statement that begins with no word that begins statements.
firn_status parser_unexpected_statement(sql_parser *self, firn_error *err);

/// Fails if productions hold each other too deeply; else counts one more, until parser_leave.
firn_status parser_enter(sql_parser *self, firn_error *err);
static inline void parser_leave(sql_parser *self) {
    self->depth -= 1;
}

// ---- Names -------------------------------------------------------------------------------------

/// Whether the token can be a name of a column or table.
bool parser_at_name(const sql_parser *self);
/// Whether it can be an alias without AS.
bool parser_at_alias(const sql_parser *self);
/// Whether it can be a name behind AS or a dot.
static inline bool parser_at_label(const sql_parser *self) {
    return parser_at(self, TOKEN_WORD) || parser_at(self, TOKEN_QUOTED);
}

/// Takes the token, a word or quoted name, as a name.
firn_status parser_take_name(sql_parser *self, sql_name *out, firn_error *err);
/// The same when it can be a name, else an error that says `what` was expected.
firn_status parser_expect_name(sql_parser *self, const char *what, sql_name *out, firn_error *err);
firn_status parser_expect_label(sql_parser *self, const char *what, sql_name *out, firn_error *err);
/// A dotted name.
firn_status parser_expect_path(sql_parser *self, const char *what, sql_names *out, firn_error *err);
/// (a, b, c)
firn_status parser_expect_name_list(sql_parser *self, const char *what, sql_names *out,
                                    firn_error *err);
/// [AS] name, or nothing.
firn_status parser_alias(sql_parser *self, sql_name *out, firn_error *err);

// ---- Nodes and lists ---------------------------------------------------------------------------

// The header of a node that begins at byte `start`.
#define EXPR_AT(kind_of_node, start) {SQL_FAMILY_EXPR, (kind_of_node), 0, (start), 0}
#define RELATION_AT(kind_of_node, start) {SQL_FAMILY_RELATION, (kind_of_node), 0, (start), 0}
#define BODY_AT(kind_of_node, start) {SQL_FAMILY_BODY, (kind_of_node), 0, (start), 0}
#define STATEMENT_AT(kind_of_node, start) {SQL_FAMILY_STATEMENT, (kind_of_node), 0, (start), 0}
#define PART_AT(kind_of_node, start) {SQL_FAMILY_PART, (kind_of_node), 0, (start), 0}

/// Keeps a node that was filled on the stack, which ends behind the last token taken:
///
///     sql_is is = {.node = EXPR_AT(SQL_IS, start), .test = SQL_IS_NULL, .operand = operand};
///     return KEEP(self, is, out, err);
#define KEEP(self, filled, out, err)                                                               \
    parser_keep((self), &(filled).node, sizeof(filled), (const void **)(out), (err))

firn_status parser_keep(sql_parser *self, sql_node *node, size_t size, const void **out,
                        firn_error *err);

/// A list is read as: mark, push each, take from the mark on.
static inline size_t parser_mark(const sql_parser *self) {
    return self->node_count;
}
firn_status parser_push(sql_parser *self, const void *node, firn_error *err);
firn_status parser_take_list(sql_parser *self, size_t mark, sql_list *out, firn_error *err);

firn_status parser_push_name(sql_parser *self, sql_name name, firn_error *err);
firn_status parser_take_names(sql_parser *self, size_t mark, sql_names *out, firn_error *err);

// ---- Productions -------------------------------------------------------------------------------

// parser_expr.c
firn_status sql_parse_expr(sql_parser *self, const sql_expr **out, firn_error *err);
/// Only operators that bind at least as tightly as `least`.
firn_status sql_parse_expr_above(sql_parser *self, sql_binding least, const sql_expr **out,
                                 firn_error *err);
/// Goes on behind `left`, which began at byte `start`: subscripts, then operators.
firn_status sql_parse_expr_rest(sql_parser *self, uint32_t start, const sql_expr *left,
                                const sql_expr **out, firn_error *err);
/// a, b, c
firn_status sql_parse_expr_list(sql_parser *self, sql_list *out, firn_error *err);
/// What begins behind an open parenthesis that may hold either; one of both is filled.
firn_status sql_parse_query_or_expr(sql_parser *self, const sql_query **query,
                                    const sql_expr **expr, firn_error *err);
/// "(" is next: a query, an expression or a row in parentheses.
firn_status sql_parse_parentheses(sql_parser *self, const sql_query **query, const sql_expr **expr,
                                  firn_error *err);
firn_status sql_parse_subquery(sql_parser *self, uint32_t start, sql_subquery_kind kind,
                               const sql_query *query, const sql_expr **out, firn_error *err);

// parser_primary.c
firn_status sql_parse_primary(sql_parser *self, const sql_expr **out, firn_error *err);
/// Subscripts, slices and fields behind `operand`.
firn_status sql_parse_postfix(sql_parser *self, uint32_t start, const sql_expr *operand,
                              const sql_expr **out, firn_error *err);
/// "*" is next.
firn_status sql_parse_star(sql_parser *self, uint32_t start, sql_names qualifier,
                           const sql_expr *operand, const sql_expr **out, firn_error *err);
/// A text, of whatever quotes.
firn_status sql_parse_string(sql_parser *self, const char *what, const sql_literal **out,
                             firn_error *err);
/// A number without sign.
firn_status sql_parse_number(sql_parser *self, const char *what, const sql_literal **out,
                             firn_error *err);
static inline bool parser_at_string(const sql_parser *self) {
    return parser_at(self, TOKEN_STRING) || parser_at(self, TOKEN_ESCAPE_STRING) ||
           parser_at(self, TOKEN_DOLLAR_STRING);
}
/// A text, or a parameter for one.
firn_status sql_parse_place(sql_parser *self, const sql_expr **out, firn_error *err);

// parser_call.c
/// "(" is next, behind the name of a function. `first` is an argument before the written ones, or
/// NULL.
firn_status sql_parse_call(sql_parser *self, uint32_t start, sql_names path, const sql_expr *first,
                           const sql_expr **out, firn_error *err);
/// Functions with a syntax of their own; `*out` is NULL when none begins here.
firn_status sql_parse_special_call(sql_parser *self, const sql_expr **out, firn_error *err);
/// One argument: an expression, name => value, a lambda, *.
firn_status sql_parse_argument(sql_parser *self, const sql_expr **out, firn_error *err);

// parser_window.c
firn_status sql_parse_over(sql_parser *self, const sql_window **out, firn_error *err);
/// "(" is next.
firn_status sql_parse_window(sql_parser *self, const sql_window **out, firn_error *err);
/// ORDER BY and its items, or nothing.
firn_status sql_parse_order_by(sql_parser *self, sql_list *out, firn_error *err);
firn_status sql_parse_order_items(sql_parser *self, sql_list *out, firn_error *err);

// parser_type.c
/// A type without [] behind it.
firn_status sql_parse_simple_type(sql_parser *self, const sql_type **out, firn_error *err);
firn_status sql_parse_type_name(sql_parser *self, const sql_type **out, firn_error *err);
/// SQL_UNIT_NONE if the token is none; takes nothing.
sql_unit sql_unit_of(const sql_token *token);
/// unit [TO unit], or nothing.
firn_status sql_parse_units(sql_parser *self, sql_unit *unit, sql_unit *to_unit, firn_error *err);

// parser_query.c
/// Whether a query begins here: SELECT, WITH, VALUES, FROM, TABLE; not for "(".
bool parser_at_query(sql_parser *self);
firn_status sql_parse_query(sql_parser *self, const sql_query **out, firn_error *err);
/// The same when WITH, if there was any, is taken.
firn_status sql_parse_query_behind_with(sql_parser *self, uint32_t start, const sql_with *with,
                                        const sql_query **out, firn_error *err);
/// Goes on behind a query that stood in parentheses: set operations, ORDER BY, LIMIT.
firn_status sql_parse_query_rest(sql_parser *self, uint32_t start, const sql_query *query,
                                 const sql_query **out, firn_error *err);
/// Whether something that goes on a query is next.
bool parser_at_query_rest(const sql_parser *self);
/// "(" query ")"
firn_status sql_parse_query_in_parentheses(sql_parser *self, const sql_query **out,
                                           firn_error *err);
/// WITH and its queries, or nothing.
firn_status sql_parse_with(sql_parser *self, const sql_with **out, firn_error *err);

// parser_select.c
/// SELECT, FROM or TABLE is next.
firn_status sql_parse_select(sql_parser *self, const sql_body **out, firn_error *err);
/// "*" is next: it and its EXCLUDE, REPLACE, RENAME, LIKE.
firn_status sql_parse_select_star(sql_parser *self, const sql_expr **out, firn_error *err);
/// What may follow a star, in the order in which it must.
firn_status sql_parse_star_clauses(sql_parser *self, const sql_star *bare, const sql_expr **out,
                                   firn_error *err);
firn_status sql_parse_select_items(sql_parser *self, sql_list *out, firn_error *err);
/// RETURNING and its items, or nothing.
firn_status sql_parse_returning(sql_parser *self, sql_list *out, firn_error *err);

// parser_from.c
/// a, b JOIN c ...
firn_status sql_parse_from_list(sql_parser *self, sql_list *out, firn_error *err);
/// One item between commas, with its joins.
firn_status sql_parse_relation(sql_parser *self, const sql_relation **out, firn_error *err);
/// A table by name, without time travel, with an alias if `has_alias`.
firn_status sql_parse_target(sql_parser *self, bool has_alias, const sql_table **out,
                             firn_error *err);
/// What DESCRIBE takes: a name or a file, with time travel.
firn_status sql_parse_table(sql_parser *self, const sql_table **out, firn_error *err);

// Statements. Each begins at its first word.
firn_status sql_parse_any_statement(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_create(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_alter(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_drop(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_comment_on(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_insert(sql_parser *self, uint32_t start, const sql_with *with,
                             const sql_statement **out, firn_error *err);
firn_status sql_parse_update(sql_parser *self, uint32_t start, const sql_with *with,
                             const sql_statement **out, firn_error *err);
firn_status sql_parse_delete(sql_parser *self, uint32_t start, const sql_with *with,
                             const sql_statement **out, firn_error *err);
firn_status sql_parse_merge(sql_parser *self, uint32_t start, const sql_with *with,
                            const sql_statement **out, firn_error *err);
/// a = 1, (b, c) = (2, 3)
firn_status sql_parse_assignments(sql_parser *self, sql_list *out, firn_error *err);
firn_status sql_parse_truncate(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_copy(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_set(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_reset(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_show(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_use(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_attach(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_detach(sql_parser *self, const sql_statement **out, firn_error *err);
firn_status sql_parse_transaction(sql_parser *self, const sql_statement **out, firn_error *err);

// parser_options.c
/// An expression, or a bare word whatever it means elsewhere.
firn_status sql_parse_setting_value(sql_parser *self, const sql_expr **out, firn_error *err);
/// "(" key = value, key value, key ")"; with `values_allowed` false only keys.
firn_status sql_parse_options(sql_parser *self, bool values_allowed, sql_list *out,
                              firn_error *err);

// parser_column.c
/// name type and what follows: NOT NULL, DEFAULT, COMMENT, constraints.
firn_status sql_parse_column_definition(sql_parser *self, bool is_added,
                                        const sql_column_definition **out, firn_error *err);
/// A constraint of a table; `*out` is NULL when none begins here.
firn_status sql_parse_table_constraint(sql_parser *self, const sql_constraint **out,
                                       firn_error *err);

#endif
