// Queries: WITH, set operations by precedence, ORDER BY, LIMIT. One SELECT is parser_select.c's.
#include "sql/parser_private.h"

bool parser_at_query(sql_parser *self) {
    switch (self->token.keyword) {
    case KW_SELECT:
    case KW_WITH:
    case KW_FROM:
    case KW_TABLE:
        return true;
    case KW_VALUES:
        return parser_peek(self, 1)->kind == TOKEN_LEFT_PAREN;
    default:
        return false;
    }
}

bool parser_at_query_rest(const sql_parser *self) {
    switch (self->token.keyword) {
    case KW_UNION:
    case KW_INTERSECT:
    case KW_EXCEPT:
    case KW_ORDER:
    case KW_LIMIT:
    case KW_OFFSET:
    case KW_FETCH:
        return true;
    default:
        return false;
    }
}

firn_status sql_parse_query_in_parentheses(sql_parser *self, const sql_query **out,
                                           firn_error *err) {
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(sql_parse_query(self, out, err));
    return parser_expect(self, TOKEN_RIGHT_PAREN, err);
}

// ---- WITH --------------------------------------------------------------------------------------

static firn_status parse_cte(sql_parser *self, const sql_cte **out, firn_error *err) {
    sql_cte cte = {.node = PART_AT(SQL_CTE, self->token.position)};
    TRY(parser_enter(self, err));
    TRY(parser_expect_name(self, "the name of a query", &cte.name, err));
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        TRY(parser_expect_name_list(self, "the name of a column", &cte.columns, err));
    }
    TRY(parser_expect_word(self, KW_AS, err));
    if (parser_accept_word(self, KW_MATERIALIZED)) {
        cte.materialized = SQL_MATERIALIZED_YES;
    } else if (parser_accept_words(self, KW_NOT, KW_MATERIALIZED)) {
        cte.materialized = SQL_MATERIALIZED_NO;
    }
    TRY(sql_parse_query_in_parentheses(self, &cte.query, err));
    parser_leave(self);
    return KEEP(self, cte, out, err);
}

firn_status sql_parse_with(sql_parser *self, const sql_with **out, firn_error *err) {
    *out = NULL;
    if (!parser_at_word(self, KW_WITH)) {
        return FIRN_OK;
    }
    sql_with with = {.node = PART_AT(SQL_WITH, self->token.position)};
    const size_t mark = parser_mark(self);
    parser_advance(self);
    with.is_recursive = parser_accept_word(self, KW_RECURSIVE);
    do {
        const sql_cte *cte;
        TRY(parse_cte(self, &cte, err));
        TRY(parser_push(self, cte, err));
    } while (parser_accept(self, TOKEN_COMMA));
    TRY(parser_take_list(self, mark, &with.ctes, err));
    return KEEP(self, with, out, err);
}

// ---- Set operations ----------------------------------------------------------------------------

// A query in parentheses as a part of another: nothing but its body if that is all there is.
static const sql_body *body_of(const sql_query *query) {
    const bool is_bare = query->with == NULL && query->order_by.count == 0 &&
                         query->limit == NULL && query->offset == NULL;
    return is_bare ? query->body : &query->node;
}

static firn_status parse_values_row(sql_parser *self, const sql_row **out, firn_error *err) {
    sql_row row = {.node = EXPR_AT(SQL_ROW, self->token.position)};
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(sql_parse_expr_list(self, &row.items, err));
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    return KEEP(self, row, out, err);
}

NEVER_INLINE static firn_status parse_values(sql_parser *self, const sql_body **out,
                                             firn_error *err) {
    sql_values values = {.node = BODY_AT(SQL_VALUES, self->token.position)};
    const size_t mark = parser_mark(self);
    size_t width = 0;
    parser_advance(self);
    do {
        const sql_row *row;
        TRY(parse_values_row(self, &row, err));
        width = width == 0 ? row->items.count : width;
        if (row->items.count != width) {
            return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, row->node.position,
                            "a row of VALUES with %zu columns, the first has %zu", row->items.count,
                            width);
        }
        TRY(parser_push(self, row, err));
    } while (parser_accept(self, TOKEN_COMMA));
    TRY(parser_take_list(self, mark, &values.rows, err));
    return KEEP(self, values, out, err);
}

// SELECT, VALUES, TABLE, or a query in parentheses.
static firn_status parse_part(sql_parser *self, const sql_body **out, firn_error *err) {
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        const sql_query *query;
        TRY(sql_parse_query_in_parentheses(self, &query, err));
        *out = body_of(query);
        return FIRN_OK;
    }
    if (parser_at_word(self, KW_VALUES)) {
        return parse_values(self, out, err);
    }
    if (parser_at_word(self, KW_SELECT) || parser_at_word(self, KW_FROM) ||
        parser_at_word(self, KW_TABLE)) {
        return sql_parse_select(self, out, err);
    }
    return parser_unexpected(self, "a query", err);
}

// INTERSECT binds tighter than UNION and EXCEPT.
static uint32_t set_binding(const sql_parser *self) {
    if (parser_at_word(self, KW_INTERSECT)) {
        return 2;
    }
    return parser_at_word(self, KW_UNION) || parser_at_word(self, KW_EXCEPT) ? 1 : 0;
}

// Goes on behind `*left` with operators that bind at least as tightly as `least`.
static firn_status parse_set_rest(sql_parser *self, uint32_t start, uint32_t least,
                                  const sql_body **left, firn_error *err) {
    for (;;) {
        const uint32_t binding = set_binding(self);
        if (binding == 0 || binding < least) {
            return FIRN_OK;
        }
        sql_set_operation operation = {.node = BODY_AT(SQL_SET_OPERATION, start),
                                       .op = parser_at_word(self, KW_UNION)    ? SQL_UNION
                                             : parser_at_word(self, KW_EXCEPT) ? SQL_EXCEPT
                                                                               : SQL_INTERSECT,
                                       .left = *left};
        parser_advance(self);
        operation.is_all = parser_accept_word(self, KW_ALL);
        if (!operation.is_all) {
            (void)parser_accept_word(self, KW_DISTINCT);
        }
        operation.is_by_name = parser_accept_words(self, KW_BY, KW_NAME);
        const uint32_t right_start = self->token.position;
        TRY(parse_part(self, &operation.right, err));
        if (binding == 1) {
            TRY(parse_set_rest(self, right_start, 2, &operation.right, err));
        }
        TRY(KEEP(self, operation, left, err));
    }
}

// ---- ORDER BY, LIMIT ---------------------------------------------------------------------------

// Whether "50 %" stands here and ends the clause; % is an operator as well.
static bool at_percentage(sql_parser *self) {
    if ((!parser_at(self, TOKEN_INTEGER) && !parser_at(self, TOKEN_DECIMAL)) ||
        parser_peek(self, 1)->op != SQL_OP_MODULO) {
        return false;
    }
    const sql_token *behind = parser_peek(self, 2);
    return behind->kind == TOKEN_END || behind->kind == TOKEN_SEMICOLON ||
           behind->kind == TOKEN_RIGHT_PAREN || behind->keyword == KW_OFFSET;
}

static firn_status parse_limit(sql_parser *self, sql_query *query, firn_error *err) {
    parser_advance(self);
    if (parser_accept_word(self, KW_ALL)) {
        return FIRN_OK;
    }
    if (at_percentage(self)) {
        const sql_literal *number;
        TRY(sql_parse_number(self, "a percentage", &number, err));
        parser_advance(self);
        query->limit = &number->node;
        query->is_limit_percent = true;
        return FIRN_OK;
    }
    TRY(sql_parse_expr(self, &query->limit, err));
    query->is_limit_percent = parser_accept_word(self, KW_PERCENT);
    return FIRN_OK;
}

static firn_status parse_offset(sql_parser *self, sql_query *query, firn_error *err) {
    parser_advance(self);
    TRY(sql_parse_expr(self, &query->offset, err));
    if (!parser_accept_word(self, KW_ROWS)) {
        (void)parser_accept_word(self, KW_ROW);
    }
    return FIRN_OK;
}

// FETCH {FIRST | NEXT} [n [PERCENT]] {ROW | ROWS} {ONLY | WITH TIES}
static firn_status parse_fetch(sql_parser *self, sql_query *query, firn_error *err) {
    const uint32_t start = self->token.position;
    parser_advance(self);
    if (!parser_accept_word(self, KW_FIRST)) {
        TRY(parser_expect_word(self, KW_NEXT, err));
    }
    if (parser_at_word(self, KW_ROW) || parser_at_word(self, KW_ROWS)) {
        sql_literal one = {
            .node = EXPR_AT(SQL_LITERAL, start), .kind = SQL_LITERAL_INTEGER, .value = TEXT("1")};
        TRY(KEEP(self, one, &query->limit, err));
    } else {
        TRY(sql_parse_expr(self, &query->limit, err));
        query->is_limit_percent = parser_accept_word(self, KW_PERCENT);
    }
    if (!parser_accept_word(self, KW_ROWS)) {
        TRY(parser_expect_word(self, KW_ROW, err));
    }
    if (parser_accept_words(self, KW_WITH, KW_TIES)) {
        query->with_ties = true;
        return FIRN_OK;
    }
    return parser_accept_word(self, KW_ONLY)
               ? FIRN_OK
               : parser_unexpected(self, "ONLY or WITH TIES behind FETCH", err);
}

// ORDER BY, LIMIT, OFFSET, FETCH; the last three in any order, each once.
static firn_status parse_tail(sql_parser *self, sql_query *query, firn_error *err) {
    bool has_limit = false;
    bool has_offset = false;
    TRY(sql_parse_order_by(self, &query->order_by, err));
    for (;;) {
        const bool is_fetch = parser_at_word(self, KW_FETCH);
        if (!has_limit && (is_fetch || parser_at_word(self, KW_LIMIT))) {
            has_limit = true;
            TRY(is_fetch ? parse_fetch(self, query, err) : parse_limit(self, query, err));
        } else if (!has_offset && parser_at_word(self, KW_OFFSET)) {
            has_offset = true;
            TRY(parse_offset(self, query, err));
        } else {
            break;
        }
    }
    const bool has_tail = has_limit || has_offset || query->order_by.count > 0;
    if (has_tail && set_binding(self) > 0) {
        firn_status status = parser_unexpected(self, "the end of the query", err);
        err_hint(err, "put parentheses around a query with ORDER BY or LIMIT that is a part of "
                      "UNION, INTERSECT or EXCEPT");
        return status;
    }
    return FIRN_OK;
}

static firn_status keep_query(sql_parser *self, sql_query *query, const sql_query **out,
                              firn_error *err) {
    TRY(parse_tail(self, query, err));
    const sql_body *body = body_of(query);
    if (body == query->body && sql_body_kind_of(body) == SQL_QUERY) {
        *out = sql_query_of(body); // Parentheses around all of it.
        return FIRN_OK;
    }
    return KEEP(self, *query, out, err);
}

firn_status sql_parse_query_behind_with(sql_parser *self, uint32_t start, const sql_with *with,
                                        const sql_query **out, firn_error *err) {
    sql_query query = {.node = BODY_AT(SQL_QUERY, start), .with = with};
    TRY(parser_enter(self, err));
    const uint32_t body_start = self->token.position;
    TRY(parse_part(self, &query.body, err));
    TRY(parse_set_rest(self, body_start, 1, &query.body, err));
    TRY(keep_query(self, &query, out, err));
    parser_leave(self);
    return FIRN_OK;
}

firn_status sql_parse_query(sql_parser *self, const sql_query **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const sql_with *with;
    TRY(sql_parse_with(self, &with, err));
    return sql_parse_query_behind_with(self, start, with, out, err);
}

firn_status sql_parse_query_rest(sql_parser *self, uint32_t start, const sql_query *query,
                                 const sql_query **out, firn_error *err) {
    sql_query whole = {.node = BODY_AT(SQL_QUERY, start), .body = body_of(query)};
    TRY(parse_set_rest(self, start, 1, &whole.body, err));
    return keep_query(self, &whole, out, err);
}
