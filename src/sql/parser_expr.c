// Expressions by precedence climbing (Pratt): an operand, then operators as long as they bind
// tightly enough. Chains of one operator are a loop, not a recursion.
#include "sql/parser_private.h"

// What goes on an expression from the left.
typedef enum infix {
    INFIX_NONE,
    INFIX_OPERATOR, // The token's operator; LIKE as ~~.
    INFIX_CAST,
    INFIX_AND,
    INFIX_OR,
    INFIX_IS,
    INFIX_ISNULL,
    INFIX_NOTNULL,
    INFIX_IN,
    INFIX_BETWEEN,
    INFIX_LIKE,
    INFIX_ILIKE,
    INFIX_SIMILAR,
    INFIX_OVERLAPS,
    INFIX_COLLATE,
    INFIX_AT_TIME_ZONE,
} infix;

static const struct {
    uint16_t keyword;
    uint8_t infix;
    uint8_t binding;
} infix_words[] = {
    {KW_AND, INFIX_AND, SQL_BIND_AND},
    {KW_OR, INFIX_OR, SQL_BIND_OR},
    {KW_IS, INFIX_IS, SQL_BIND_IS},
    {KW_IN, INFIX_IN, SQL_BIND_LIKE},
    {KW_LIKE, INFIX_LIKE, SQL_BIND_LIKE},
    {KW_BETWEEN, INFIX_BETWEEN, SQL_BIND_LIKE},
    {KW_ILIKE, INFIX_ILIKE, SQL_BIND_LIKE},
    {KW_SIMILAR, INFIX_SIMILAR, SQL_BIND_LIKE},
    {KW_OVERLAPS, INFIX_OVERLAPS, SQL_BIND_LIKE},
    {KW_ISNULL, INFIX_ISNULL, SQL_BIND_IS},
    {KW_NOTNULL, INFIX_NOTNULL, SQL_BIND_IS},
    {KW_COLLATE, INFIX_COLLATE, SQL_BIND_COLLATE},
    {KW_AT, INFIX_AT_TIME_ZONE, SQL_BIND_TIME_ZONE},
};

static infix infix_of_word(const sql_token *token, sql_binding *binding) {
    for (size_t i = 0; i < sizeof infix_words / sizeof infix_words[0]; i++) {
        if (infix_words[i].keyword == token->keyword) {
            *binding = (sql_binding)infix_words[i].binding;
            return (infix)infix_words[i].infix;
        }
    }
    return INFIX_NONE;
}

// What the next token does to the expression before it, and how tightly. `*is_negated`: NOT stands
// before it.
static infix next_infix(sql_parser *self, sql_binding *binding, bool *is_negated) {
    *is_negated = false;
    if (self->token.op != SQL_OP_NONE) {
        *binding = sql_operator_binding((sql_operator)self->token.op);
        *binding = *binding == SQL_BIND_LIKE ? SQL_BIND_OTHER : *binding; // ~~
        return INFIX_OPERATOR;
    }
    if (parser_at(self, TOKEN_CAST)) {
        *binding = SQL_BIND_CAST;
        return INFIX_CAST;
    }
    if (self->token.keyword == KW_NONE) {
        return INFIX_NONE;
    }
    if (parser_at_word(self, KW_NOT)) {
        const infix found = infix_of_word(parser_peek(self, 1), binding);
        *is_negated = true;
        return found == INFIX_IN || found == INFIX_BETWEEN || found == INFIX_LIKE ||
                       found == INFIX_ILIKE || found == INFIX_SIMILAR
                   ? found
                   : INFIX_NONE;
    }
    if (parser_at_word(self, KW_SIMILAR) && parser_peek(self, 1)->keyword != KW_TO) {
        return INFIX_NONE; // SUBSTRING(s SIMILAR pattern ESCAPE sign)
    }
    if (parser_at_word(self, KW_AT) && parser_peek(self, 1)->keyword != KW_TIME) {
        return INFIX_NONE;
    }
    return infix_of_word(&self->token, binding);
}

static firn_status parse_binary(sql_parser *self, uint32_t start, sql_operator op,
                                sql_binding binding, const sql_expr **left, firn_error *err) {
    sql_binary binary = {.node = EXPR_AT(SQL_BINARY, start), .op = op, .left = *left};
    TRY(sql_parse_expr_above(self, sql_binding_above(binding), &binary.right, err));
    return KEEP(self, binary, left, err);
}

static bool at_quantifier(const sql_parser *self) {
    return parser_at_word(self, KW_ANY) || parser_at_word(self, KW_SOME) ||
           parser_at_word(self, KW_ALL);
}

// (query), (a) or (a, b): behind IN and ANY. Exactly one of both is filled.
static firn_status parse_candidates(sql_parser *self, const sql_query **query, sql_list *items,
                                    firn_error *err) {
    const sql_expr *first;
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(sql_parse_query_or_expr(self, query, &first, err));
    if (*query == NULL) {
        const size_t mark = parser_mark(self);
        TRY(parser_push(self, first, err));
        while (parser_accept(self, TOKEN_COMMA)) {
            TRY(sql_parse_expr(self, &first, err));
            TRY(parser_push(self, first, err));
        }
        TRY(parser_take_list(self, mark, items, err));
    }
    return parser_expect(self, TOKEN_RIGHT_PAREN, err);
}

// = ANY (...), < ALL (...): the quantifier is next.
static firn_status parse_quantified(sql_parser *self, uint32_t start, sql_operator op,
                                    const sql_expr **left, firn_error *err) {
    sql_quantified quantified = {.node = EXPR_AT(SQL_QUANTIFIED, start),
                                 .op = op,
                                 .is_all = parser_at_word(self, KW_ALL),
                                 .left = *left};
    parser_advance(self);
    TRY(parse_candidates(self, &quantified.query, &quantified.items, err));
    return KEEP(self, quantified, left, err);
}

// LIKE and its kin, behind the operator.
static firn_status parse_like(sql_parser *self, uint32_t start, sql_like_kind kind, bool is_negated,
                              const sql_expr **left, firn_error *err) {
    if (at_quantifier(self) && kind != SQL_LIKE_SIMILAR) {
        const sql_operator op = kind == SQL_LIKE_LIKE ? is_negated ? SQL_OP_NOT_LIKE : SQL_OP_LIKE
                                : is_negated          ? SQL_OP_NOT_ILIKE
                                                      : SQL_OP_ILIKE;
        return parse_quantified(self, start, op, left, err);
    }
    sql_like like = {
        .node = EXPR_AT(SQL_LIKE, start), .kind = kind, .is_negated = is_negated, .operand = *left};
    TRY(sql_parse_expr_above(self, sql_binding_above(SQL_BIND_LIKE), &like.pattern, err));
    if (parser_accept_word(self, KW_ESCAPE)) {
        TRY(sql_parse_expr_above(self, sql_binding_above(SQL_BIND_LIKE), &like.escape, err));
    }
    return KEEP(self, like, left, err);
}

static bool at_comparison(const sql_parser *self) {
    return self->token.op != SQL_OP_NONE &&
           sql_operator_binding((sql_operator)self->token.op) == SQL_BIND_COMPARISON;
}

// An operator of symbols, which is next.
NEVER_INLINE static firn_status parse_operator(sql_parser *self, uint32_t start,
                                               sql_binding binding, const sql_expr **left,
                                               firn_error *err) {
    const sql_operator op = (sql_operator)self->token.op;
    parser_advance(self);
    if (op == SQL_OP_LIKE || op == SQL_OP_ILIKE) {
        const sql_like_kind kind = op == SQL_OP_LIKE ? SQL_LIKE_LIKE : SQL_LIKE_ILIKE;
        return parse_like(self, start, kind, false, left, err);
    }
    if (op == SQL_OP_NOT_LIKE || op == SQL_OP_NOT_ILIKE) {
        const sql_like_kind kind = op == SQL_OP_NOT_LIKE ? SQL_LIKE_LIKE : SQL_LIKE_ILIKE;
        return parse_like(self, start, kind, true, left, err);
    }
    if (at_quantifier(self)) {
        TRY(parse_quantified(self, start, op, left, err));
    } else {
        TRY(parse_binary(self, start, op, binding, left, err));
    }
    if (binding == SQL_BIND_COMPARISON && at_comparison(self)) {
        firn_status status = FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, self->token.position,
                                      "\"%s\" behind a comparison, which do not chain",
                                      sql_operator_text((sql_operator)self->token.op));
        err_hint(err, "join comparisons by AND, or put one of them in parentheses");
        return status;
    }
    return FIRN_OK;
}

// IS is taken.
static firn_status parse_is(sql_parser *self, uint32_t start, const sql_expr **left,
                            firn_error *err) {
    const bool is_negated = parser_accept_word(self, KW_NOT);
    if (parser_accept_word(self, KW_DISTINCT)) {
        TRY(parser_expect_word(self, KW_FROM, err));
        return parse_binary(self, start, is_negated ? SQL_OP_IS_NOT_DISTINCT : SQL_OP_IS_DISTINCT,
                            SQL_BIND_IS, left, err);
    }
    sql_is is = {.node = EXPR_AT(SQL_IS, start), .is_negated = is_negated, .operand = *left};
    if (parser_accept_word(self, KW_NULL)) {
        is.test = SQL_IS_NULL;
    } else if (parser_accept_word(self, KW_TRUE)) {
        is.test = SQL_IS_TRUE;
    } else if (parser_accept_word(self, KW_FALSE)) {
        is.test = SQL_IS_FALSE;
    } else if (parser_accept_word(self, KW_UNKNOWN)) {
        is.test = SQL_IS_UNKNOWN;
    } else {
        return parser_unexpected(self, "NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM behind IS",
                                 err);
    }
    return KEEP(self, is, left, err);
}

static firn_status keep_null_test(sql_parser *self, uint32_t start, bool is_negated,
                                  const sql_expr **left, firn_error *err) {
    sql_is is = {.node = EXPR_AT(SQL_IS, start),
                 .test = SQL_IS_NULL,
                 .is_negated = is_negated,
                 .operand = *left};
    return KEEP(self, is, left, err);
}

// BETWEEN is taken.
static firn_status parse_between(sql_parser *self, uint32_t start, bool is_negated,
                                 const sql_expr **left, firn_error *err) {
    sql_between between = {.node = EXPR_AT(SQL_BETWEEN, start),
                           .is_negated = is_negated,
                           .is_symmetric = parser_accept_word(self, KW_SYMMETRIC),
                           .operand = *left};
    (void)parser_accept_word(self, KW_ASYMMETRIC);
    TRY(sql_parse_expr_above(self, sql_binding_above(SQL_BIND_LIKE), &between.low, err));
    TRY(parser_expect_word(self, KW_AND, err));
    TRY(sql_parse_expr_above(self, sql_binding_above(SQL_BIND_LIKE), &between.high, err));
    return KEEP(self, between, left, err);
}

// IN is taken.
static firn_status parse_in(sql_parser *self, uint32_t start, bool is_negated,
                            const sql_expr **left, firn_error *err) {
    sql_in in = {.node = EXPR_AT(SQL_IN, start), .is_negated = is_negated, .operand = *left};
    TRY(parse_candidates(self, &in.query, &in.items, err));
    return KEEP(self, in, left, err);
}

// a AND b AND c: one node. The operator is next.
static firn_status parse_logical(sql_parser *self, uint32_t start, bool is_or,
                                 const sql_expr **left, firn_error *err) {
    const sql_keyword word = is_or ? KW_OR : KW_AND;
    const sql_binding binding = is_or ? SQL_BIND_OR : SQL_BIND_AND;
    const size_t mark = parser_mark(self);
    TRY(parser_push(self, *left, err));
    while (parser_accept_word(self, word)) {
        const sql_expr *operand;
        TRY(sql_parse_expr_above(self, sql_binding_above(binding), &operand, err));
        TRY(parser_push(self, operand, err));
    }
    sql_logical logical = {.node = EXPR_AT(SQL_LOGICAL, start), .is_or = is_or};
    TRY(parser_take_list(self, mark, &logical.operands, err));
    return KEEP(self, logical, left, err);
}

// :: is taken.
static firn_status parse_cast(sql_parser *self, uint32_t start, const sql_expr **left,
                              firn_error *err) {
    sql_cast cast = {.node = EXPR_AT(SQL_CAST, start), .operand = *left};
    TRY(sql_parse_type_name(self, &cast.type, err));
    return KEEP(self, cast, left, err);
}

static firn_status parse_collate(sql_parser *self, uint32_t start, const sql_expr **left,
                                 firn_error *err) {
    sql_collate collate = {.node = EXPR_AT(SQL_COLLATE, start), .operand = *left};
    TRY(parser_expect_path(self, "a collation", &collate.collation, err));
    return KEEP(self, collate, left, err);
}

// Takes the operator and what belongs to it; `*left` becomes the whole.
NEVER_INLINE static firn_status parse_infix(sql_parser *self, uint32_t start, infix found,
                                            bool is_negated, const sql_expr **left,
                                            firn_error *err) {
    if (found == INFIX_AND || found == INFIX_OR) {
        return parse_logical(self, start, found == INFIX_OR, left, err);
    }
    if (is_negated) {
        parser_advance(self);
    }
    parser_advance(self);
    switch (found) {
    case INFIX_CAST:
        return parse_cast(self, start, left, err);
    case INFIX_IS:
        return parse_is(self, start, left, err);
    case INFIX_ISNULL:
        return keep_null_test(self, start, false, left, err);
    case INFIX_NOTNULL:
        return keep_null_test(self, start, true, left, err);
    case INFIX_IN:
        return parse_in(self, start, is_negated, left, err);
    case INFIX_BETWEEN:
        return parse_between(self, start, is_negated, left, err);
    case INFIX_LIKE:
        return parse_like(self, start, SQL_LIKE_LIKE, is_negated, left, err);
    case INFIX_ILIKE:
        return parse_like(self, start, SQL_LIKE_ILIKE, is_negated, left, err);
    case INFIX_SIMILAR:
        TRY(parser_expect_word(self, KW_TO, err));
        return parse_like(self, start, SQL_LIKE_SIMILAR, is_negated, left, err);
    case INFIX_OVERLAPS:
        return parse_binary(self, start, SQL_OP_OVERLAPS, SQL_BIND_LIKE, left, err);
    case INFIX_COLLATE:
        return parse_collate(self, start, left, err);
    case INFIX_AT_TIME_ZONE:
        TRY(parser_expect_word(self, KW_TIME, err));
        TRY(parser_expect_word(self, KW_ZONE, err));
        return parse_binary(self, start, SQL_OP_AT_TIME_ZONE, SQL_BIND_TIME_ZONE, left, err);
    case INFIX_AND:
    case INFIX_OR:
    case INFIX_OPERATOR:
    case INFIX_NONE:
        break;
    }
    return FIRN_OK; // The caller sees to these.
}

static firn_status parse_infixes(sql_parser *self, uint32_t start, sql_binding least,
                                 const sql_expr **left, firn_error *err) {
    while (!sql_is_expr(*left, SQL_STAR)) { // t.* is no operand: LIKE behind it is a clause of it.
        sql_binding binding = SQL_BIND_NONE;
        bool is_negated;
        const infix found = next_infix(self, &binding, &is_negated);
        if (found == INFIX_NONE || binding < least) {
            return FIRN_OK;
        }
        if (found == INFIX_OPERATOR) {
            TRY(parse_operator(self, start, binding, left, err));
        } else {
            TRY(parse_infix(self, start, found, is_negated, left, err));
        }
    }
    return FIRN_OK;
}

// -a, +a, ~a, NOT a: the operator is next.
NEVER_INLINE static firn_status parse_unary(sql_parser *self, sql_unary_operator op,
                                            sql_binding binding, const sql_expr **out,
                                            firn_error *err) {
    sql_unary unary = {.node = EXPR_AT(SQL_UNARY, self->token.position), .op = op};
    parser_advance(self);
    TRY(sql_parse_expr_above(self, binding, &unary.operand, err));
    return KEEP(self, unary, out, err);
}

static firn_status parse_operand(sql_parser *self, const sql_expr **out, firn_error *err) {
    if (parser_at_operator(self, SQL_OP_SUBTRACT)) {
        return parse_unary(self, SQL_UNARY_MINUS, SQL_BIND_UNARY, out, err);
    }
    if (parser_at_word(self, KW_NOT)) {
        return parse_unary(self, SQL_UNARY_NOT, SQL_BIND_NOT, out, err);
    }
    if (parser_at_operator(self, SQL_OP_ADD)) {
        return parse_unary(self, SQL_UNARY_PLUS, SQL_BIND_UNARY, out, err);
    }
    if (parser_at_operator(self, SQL_OP_MATCH)) {
        // ~a | b is (~a) | b, but ~a + b is ~(a + b).
        return parse_unary(self, SQL_UNARY_BIT_NOT, sql_binding_above(SQL_BIND_OTHER), out, err);
    }
    return sql_parse_primary(self, out, err);
}

firn_status sql_parse_expr_above(sql_parser *self, sql_binding least, const sql_expr **out,
                                 firn_error *err) {
    const uint32_t start = self->token.position;
    const sql_expr *left;
    TRY(parser_enter(self, err));
    TRY(parse_operand(self, &left, err));
    TRY(parse_infixes(self, start, least, &left, err));
    parser_leave(self);
    *out = left;
    return FIRN_OK;
}

firn_status sql_parse_expr(sql_parser *self, const sql_expr **out, firn_error *err) {
    return sql_parse_expr_above(self, SQL_BIND_OR, out, err);
}

firn_status sql_parse_expr_rest(sql_parser *self, uint32_t start, const sql_expr *left,
                                const sql_expr **out, firn_error *err) {
    TRY(sql_parse_postfix(self, start, left, &left, err));
    TRY(parse_infixes(self, start, SQL_BIND_OR, &left, err));
    *out = left;
    return FIRN_OK;
}

firn_status sql_parse_expr_list(sql_parser *self, sql_list *out, firn_error *err) {
    const size_t mark = parser_mark(self);
    do {
        const sql_expr *expr;
        TRY(sql_parse_expr(self, &expr, err));
        TRY(parser_push(self, expr, err));
    } while (parser_accept(self, TOKEN_COMMA));
    return parser_take_list(self, mark, out, err);
}

// ---- Parentheses -------------------------------------------------------------------------------

firn_status sql_parse_subquery(sql_parser *self, uint32_t start, sql_subquery_kind kind,
                               const sql_query *query, const sql_expr **out, firn_error *err) {
    sql_subquery subquery = {.node = EXPR_AT(SQL_SUBQUERY, start), .kind = kind, .query = query};
    return KEEP(self, subquery, out, err);
}

firn_status sql_parse_query_or_expr(sql_parser *self, const sql_query **query,
                                    const sql_expr **expr, firn_error *err) {
    *query = NULL;
    *expr = NULL;
    if (parser_at_query(self)) {
        return sql_parse_query(self, query, err);
    }
    if (!parser_at(self, TOKEN_LEFT_PAREN)) {
        return sql_parse_expr(self, expr, err);
    }
    // ((SELECT 1) UNION SELECT 2) is a query, ((SELECT 1)) too, ((SELECT 1) + 2) is none.
    const uint32_t start = self->token.position;
    TRY(parser_enter(self, err));
    TRY(sql_parse_parentheses(self, query, expr, err));
    parser_leave(self);
    if (*query != NULL) {
        if (parser_at_query_rest(self)) {
            return sql_parse_query_rest(self, start, *query, query, err);
        }
        if (parser_at(self, TOKEN_RIGHT_PAREN)) {
            return FIRN_OK;
        }
        TRY(sql_parse_subquery(self, start, SQL_SUBQUERY_SCALAR, *query, expr, err));
        *query = NULL;
    }
    return sql_parse_expr_rest(self, start, *expr, expr, err);
}

firn_status sql_parse_parentheses(sql_parser *self, const sql_query **query, const sql_expr **expr,
                                  firn_error *err) {
    const uint32_t start = self->token.position;
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(sql_parse_query_or_expr(self, query, expr, err));
    const bool is_row = *query == NULL && parser_at(self, TOKEN_COMMA);
    sql_row row = {.node = EXPR_AT(SQL_ROW, start)};
    if (is_row) {
        const size_t mark = parser_mark(self);
        TRY(parser_push(self, *expr, err));
        while (parser_accept(self, TOKEN_COMMA)) {
            const sql_expr *item;
            TRY(sql_parse_expr(self, &item, err));
            TRY(parser_push(self, item, err));
        }
        TRY(parser_take_list(self, mark, &row.items, err));
    }
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    return is_row ? KEEP(self, row, expr, err) : FIRN_OK;
}
