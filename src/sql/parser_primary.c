// Operands: literals, names, brackets, CASE, CAST, and what stands behind any of them.
#include "sql/parser_private.h"
#include "sql/token_text.h"

// ---- Literals ----------------------------------------------------------------------------------

static firn_status keep_literal(sql_parser *self, uint32_t start, sql_literal_kind kind, text value,
                                const sql_literal **out, firn_error *err) {
    sql_literal literal = {.node = EXPR_AT(SQL_LITERAL, start), .kind = kind, .value = value};
    return KEEP(self, literal, out, err);
}

static firn_status parse_word_literal(sql_parser *self, sql_literal_kind kind,
                                      const sql_literal **out, firn_error *err) {
    const uint32_t start = self->token.position;
    parser_advance(self);
    return keep_literal(self, start, kind, (text){0}, out, err);
}

firn_status sql_parse_string(sql_parser *self, const char *what, const sql_literal **out,
                             firn_error *err) {
    if (!parser_at_string(self)) {
        return parser_unexpected(self, what, err);
    }
    const uint32_t start = self->token.position;
    text value;
    TRY(sql_token_string(self->sql, &self->token, self->memory, &value, err));
    parser_advance(self);
    return keep_literal(self, start, SQL_LITERAL_STRING, value, out, err);
}

static bool at_number(const sql_parser *self) {
    return parser_at(self, TOKEN_INTEGER) || parser_at(self, TOKEN_DECIMAL) ||
           parser_at(self, TOKEN_DOUBLE);
}

firn_status sql_parse_number(sql_parser *self, const char *what, const sql_literal **out,
                             firn_error *err) {
    if (!at_number(self)) {
        return parser_unexpected(self, what, err);
    }
    const sql_token token = self->token;
    text value;
    TRY(sql_token_number(self->sql, &token, self->memory, &value, err));
    parser_advance(self);
    const sql_literal_kind kind = token.kind == TOKEN_INTEGER   ? SQL_LITERAL_INTEGER
                                  : token.kind == TOKEN_DECIMAL ? SQL_LITERAL_DECIMAL
                                                                : SQL_LITERAL_DOUBLE;
    return keep_literal(self, token.position, kind, value, out, err);
}

static firn_status parse_bytes(sql_parser *self, const sql_literal **out, firn_error *err) {
    const sql_token token = self->token;
    text value;
    TRY(sql_token_bytes(self->sql, &token, self->memory, &value, err));
    parser_advance(self);
    return keep_literal(self, token.position,
                        token.kind == TOKEN_BLOB ? SQL_LITERAL_BLOB : SQL_LITERAL_BITS, value, out,
                        err);
}

// ?, $1, $name. A statement either counts by ? or names them.
NEVER_INLINE static firn_status parse_parameter(sql_parser *self, const sql_expr **out,
                                                firn_error *err) {
    const sql_token token = self->token;
    const text raw = sql_token_raw(self->sql, &token);
    sql_parameter parameter = {.node = EXPR_AT(SQL_PARAMETER, token.position)};
    const bool is_counted = raw.data[0] == '?';
    if (is_counted ? self->has_numbers : self->parameter_count > 0) {
        return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, token.position,
                        "parameters written ? and parameters written $ in one statement");
    }
    parser_advance(self);
    if (is_counted) {
        self->parameter_count += 1;
        parameter.number = self->parameter_count;
        return KEEP(self, parameter, out, err);
    }
    self->has_numbers = true;
    if (raw.data[1] < '0' || raw.data[1] > '9') {
        parameter.name = (sql_name){.value = text_slice(raw, 1, raw.size),
                                    .position = token.position,
                                    .length = token.length};
        return KEEP(self, parameter, out, err);
    }
    for (size_t i = 1; i < raw.size && parameter.number <= UINT16_MAX; i++) {
        parameter.number = parameter.number * 10 + (uint32_t)(raw.data[i] - '0');
    }
    if (parameter.number == 0 || parameter.number > UINT16_MAX) {
        return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, token.position,
                        "parameter \"%.*s\", they count from 1 to %d", TEXT_ARGS(raw), UINT16_MAX);
    }
    return KEEP(self, parameter, out, err);
}

firn_status sql_parse_place(sql_parser *self, const sql_expr **out, firn_error *err) {
    if (parser_at(self, TOKEN_PARAMETER)) {
        return parse_parameter(self, out, err);
    }
    const sql_literal *literal;
    TRY(sql_parse_string(self, "a path or address in single quotes", &literal, err));
    *out = &literal->node;
    return FIRN_OK;
}

// ---- Brackets ----------------------------------------------------------------------------------

// "[" is next.
static firn_status parse_array(sql_parser *self, uint32_t start, const sql_expr **out,
                               firn_error *err) {
    sql_array array = {.node = EXPR_AT(SQL_ARRAY, start)};
    TRY(parser_expect(self, TOKEN_LEFT_BRACKET, err));
    if (!parser_at(self, TOKEN_RIGHT_BRACKET)) {
        TRY(sql_parse_expr_list(self, &array.items, err));
    }
    TRY(parser_expect(self, TOKEN_RIGHT_BRACKET, err));
    return KEEP(self, array, out, err);
}

// ARRAY[...], ARRAY(query), else the function array(...).
static firn_status parse_array_word(sql_parser *self, const sql_expr **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const size_t mark = self->name_count;
    sql_name name;
    TRY(parser_take_name(self, &name, err));
    if (parser_at(self, TOKEN_LEFT_BRACKET)) {
        return parse_array(self, start, out, err);
    }
    if (!parser_at(self, TOKEN_LEFT_PAREN)) {
        return parser_unexpected(self, "\"[\" or \"(\" behind ARRAY", err);
    }
    const sql_token *behind = parser_peek(self, 1);
    if (behind->keyword == KW_SELECT || behind->keyword == KW_WITH || behind->keyword == KW_FROM ||
        behind->keyword == KW_VALUES || behind->keyword == KW_TABLE) {
        const sql_query *query;
        TRY(sql_parse_query_in_parentheses(self, &query, err));
        return sql_parse_subquery(self, start, SQL_SUBQUERY_ARRAY, query, out, err);
    }
    sql_names path;
    name.value = TEXT("array");
    TRY(parser_push_name(self, name, err));
    TRY(parser_take_names(self, mark, &path, err));
    return sql_parse_call(self, start, path, NULL, out, err);
}

// 'name': value or name: value
static firn_status parse_struct_field(sql_parser *self, const sql_named_argument **out,
                                      firn_error *err) {
    sql_named_argument field = {.node = EXPR_AT(SQL_NAMED_ARGUMENT, self->token.position)};
    if (parser_at_string(self)) {
        const sql_literal *name;
        TRY(sql_parse_string(self, "a field", &name, err));
        if (name->value.size == 0) {
            return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, name->node.position,
                            "a field without a name");
        }
        field.name = (sql_name){.value = name->value,
                                .position = name->node.position,
                                .length = name->node.length,
                                .is_quoted = true};
    } else {
        TRY(parser_expect_label(self, "the name of a field", &field.name, err));
    }
    TRY(parser_expect(self, TOKEN_COLON, err));
    TRY(sql_parse_expr(self, &field.value, err));
    return KEEP(self, field, out, err);
}

NEVER_INLINE static firn_status parse_struct(sql_parser *self, const sql_expr **out,
                                             firn_error *err) {
    sql_struct fields = {.node = EXPR_AT(SQL_STRUCT, self->token.position)};
    const size_t mark = parser_mark(self);
    TRY(parser_expect(self, TOKEN_LEFT_BRACE, err));
    do {
        const sql_named_argument *field;
        TRY(parse_struct_field(self, &field, err));
        TRY(parser_push(self, field, err));
    } while (parser_accept(self, TOKEN_COMMA));
    TRY(parser_expect(self, TOKEN_RIGHT_BRACE, err));
    TRY(parser_take_list(self, mark, &fields.fields, err));
    return KEEP(self, fields, out, err);
}

// MAP {key: value, ...}; MAP is next.
NEVER_INLINE static firn_status parse_map(sql_parser *self, const sql_expr **out, firn_error *err) {
    sql_map map = {.node = EXPR_AT(SQL_MAP, self->token.position)};
    const size_t mark = parser_mark(self);
    parser_advance(self);
    TRY(parser_expect(self, TOKEN_LEFT_BRACE, err));
    while (!parser_at(self, TOKEN_RIGHT_BRACE)) {
        sql_map_entry entry = {.node = PART_AT(SQL_MAP_ENTRY, self->token.position)};
        const sql_map_entry *kept;
        TRY(sql_parse_expr(self, &entry.key, err));
        TRY(parser_expect(self, TOKEN_COLON, err));
        TRY(sql_parse_expr(self, &entry.value, err));
        TRY(KEEP(self, entry, &kept, err));
        TRY(parser_push(self, kept, err));
        if (!parser_accept(self, TOKEN_COMMA)) {
            break;
        }
    }
    TRY(parser_expect(self, TOKEN_RIGHT_BRACE, err));
    TRY(parser_take_list(self, mark, &map.entries, err));
    return KEEP(self, map, out, err);
}

// ROW (a, b): ROW is next.
NEVER_INLINE static firn_status parse_row(sql_parser *self, const sql_expr **out, firn_error *err) {
    sql_row row = {.node = EXPR_AT(SQL_ROW, self->token.position)};
    parser_advance(self);
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    if (!parser_at(self, TOKEN_RIGHT_PAREN)) {
        TRY(sql_parse_expr_list(self, &row.items, err));
    }
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    return KEEP(self, row, out, err);
}

static firn_status parse_parentheses(sql_parser *self, const sql_expr **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const sql_query *query;
    TRY(sql_parse_parentheses(self, &query, out, err));
    return query == NULL ? FIRN_OK
                         : sql_parse_subquery(self, start, SQL_SUBQUERY_SCALAR, query, out, err);
}

// ---- Behind an operand -------------------------------------------------------------------------

// [index], [from:to], [from:to:step]: "[" is next.
NEVER_INLINE static firn_status parse_subscript(sql_parser *self, uint32_t start,
                                                const sql_expr **operand, firn_error *err) {
    const sql_expr *first = NULL;
    parser_advance(self);
    if (!parser_at(self, TOKEN_COLON)) {
        TRY(sql_parse_expr(self, &first, err));
    }
    if (parser_accept(self, TOKEN_RIGHT_BRACKET)) {
        sql_subscript subscript = {
            .node = EXPR_AT(SQL_SUBSCRIPT, start), .operand = *operand, .index = first};
        return KEEP(self, subscript, operand, err);
    }
    sql_slice slice = {.node = EXPR_AT(SQL_SLICE, start), .operand = *operand, .from = first};
    if (!parser_accept(self, TOKEN_COLON)) {
        return parser_unexpected(self, "\"]\" or \":\"", err);
    }
    if (!parser_at(self, TOKEN_COLON) && !parser_at(self, TOKEN_RIGHT_BRACKET)) {
        TRY(sql_parse_expr(self, &slice.to, err));
    }
    if (parser_accept(self, TOKEN_COLON)) {
        TRY(sql_parse_expr(self, &slice.step, err));
    }
    TRY(parser_expect(self, TOKEN_RIGHT_BRACKET, err));
    return KEEP(self, slice, operand, err);
}

// .name, .function(...), .*: the dot is next.
NEVER_INLINE static firn_status parse_dot(sql_parser *self, uint32_t start,
                                          const sql_expr **operand, firn_error *err) {
    parser_advance(self);
    if (parser_at_operator(self, SQL_OP_MULTIPLY)) {
        return sql_parse_star(self, start, (sql_names){0}, *operand, operand, err);
    }
    sql_name name;
    const bool is_keyword = self->token.keyword != KW_NONE;
    TRY(parser_expect_label(self, "a field, a function or \"*\" behind the dot", &name, err));
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        const size_t mark = self->name_count;
        sql_names path;
        name.is_quoted |= is_keyword; // As f(x) it might be something else than a call.
        TRY(parser_push_name(self, name, err));
        TRY(parser_take_names(self, mark, &path, err));
        return sql_parse_call(self, start, path, *operand, operand, err);
    }
    sql_field field = {.node = EXPR_AT(SQL_FIELD, start), .operand = *operand, .name = name};
    return KEEP(self, field, operand, err);
}

firn_status sql_parse_postfix(sql_parser *self, uint32_t start, const sql_expr *operand,
                              const sql_expr **out, firn_error *err) {
    for (;;) {
        if (parser_at(self, TOKEN_LEFT_BRACKET)) {
            TRY(parse_subscript(self, start, &operand, err));
        } else if (parser_at(self, TOKEN_DOT)) {
            TRY(parse_dot(self, start, &operand, err));
        } else {
            *out = operand;
            return FIRN_OK;
        }
    }
}

// ---- CASE, CAST, EXISTS ------------------------------------------------------------------------

static firn_status parse_when(sql_parser *self, const sql_when **out, firn_error *err) {
    sql_when when = {.node = PART_AT(SQL_WHEN, self->token.position)};
    TRY(parser_expect_word(self, KW_WHEN, err));
    TRY(sql_parse_expr(self, &when.condition, err));
    TRY(parser_expect_word(self, KW_THEN, err));
    TRY(sql_parse_expr(self, &when.result, err));
    return KEEP(self, when, out, err);
}

NEVER_INLINE static firn_status parse_case(sql_parser *self, const sql_expr **out,
                                           firn_error *err) {
    sql_case whole = {.node = EXPR_AT(SQL_CASE, self->token.position)};
    const size_t mark = parser_mark(self);
    parser_advance(self);
    if (!parser_at_word(self, KW_WHEN)) {
        TRY(sql_parse_expr(self, &whole.operand, err));
    }
    do {
        const sql_when *when;
        TRY(parse_when(self, &when, err));
        TRY(parser_push(self, when, err));
    } while (parser_at_word(self, KW_WHEN));
    TRY(parser_take_list(self, mark, &whole.whens, err));
    if (parser_accept_word(self, KW_ELSE)) {
        TRY(sql_parse_expr(self, &whole.otherwise, err));
    }
    if (!parser_accept_word(self, KW_END)) {
        return parser_unexpected(self, "WHEN, ELSE or END of CASE", err);
    }
    return KEEP(self, whole, out, err);
}

NEVER_INLINE static firn_status parse_cast(sql_parser *self, bool is_try, const sql_expr **out,
                                           firn_error *err) {
    sql_cast cast = {.node = EXPR_AT(SQL_CAST, self->token.position), .is_try = is_try};
    parser_advance(self);
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(sql_parse_expr(self, &cast.operand, err));
    TRY(parser_expect_word(self, KW_AS, err));
    TRY(sql_parse_type_name(self, &cast.type, err));
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    return KEEP(self, cast, out, err);
}

static firn_status parse_exists(sql_parser *self, const sql_expr **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const sql_query *query;
    parser_advance(self);
    TRY(sql_parse_query_in_parentheses(self, &query, err));
    return sql_parse_subquery(self, start, SQL_SUBQUERY_EXISTS, query, out, err);
}

// ---- Names and typed literals ------------------------------------------------------------------

// type 'text': the type is next.
NEVER_INLINE static firn_status parse_typed_literal(sql_parser *self, const sql_expr **out,
                                                    firn_error *err) {
    sql_typed_literal typed = {.node = EXPR_AT(SQL_TYPED_LITERAL, self->token.position)};
    const sql_literal *literal;
    TRY(sql_parse_simple_type(self, &typed.type, err));
    TRY(sql_parse_string(self, "a text in single quotes behind the type", &literal, err));
    typed.value = literal->value;
    return KEEP(self, typed, out, err);
}

// DECIMAL(10, 2) '1.5' was read as a call; it is a type and a text.
NEVER_INLINE static firn_status parse_modified_type(sql_parser *self, const sql_call *call,
                                                    const sql_expr **out, firn_error *err) {
    bool is_type = call->path.count == 1 && !call->is_distinct && call->order_by.count == 0 &&
                   call->within_group.count == 0 && call->filter == NULL && call->over == NULL &&
                   call->nulls == SQL_NULLS_UNSAID;
    for (size_t i = 0; i < call->arguments.count; i++) {
        is_type = is_type && sql_is_expr(call->arguments.items[i], SQL_LITERAL);
    }
    if (!is_type) {
        return FIRN_OK; // The text is somebody else's, or wrong.
    }
    sql_type type = {.node = PART_AT(SQL_TYPE, call->node.position),
                     .name = call->path.items[0],
                     .modifiers = call->arguments};
    sql_typed_literal typed = {.node = EXPR_AT(SQL_TYPED_LITERAL, call->node.position)};
    const sql_literal *value;
    TRY(KEEP(self, type, &typed.type, err));
    TRY(sql_parse_string(self, "a text", &value, err));
    typed.value = value->value;
    return KEEP(self, typed, out, err);
}

static bool is_string(const sql_token *token) {
    return token->kind == TOKEN_STRING || token->kind == TOKEN_ESCAPE_STRING ||
           token->kind == TOKEN_DOLLAR_STRING;
}

// Whether a type of several words begins here that a text may follow, such as TIMESTAMP(3) WITH
// TIME ZONE. A type of one word is recognised by the text.
static bool at_long_type(sql_parser *self) {
    const sql_keyword word = (sql_keyword)self->token.keyword;
    if (word == KW_TIMESTAMP || word == KW_TIME) {
        const bool has_digits = parser_peek(self, 1)->kind == TOKEN_LEFT_PAREN &&
                                parser_peek(self, 2)->kind == TOKEN_INTEGER &&
                                parser_peek(self, 3)->kind == TOKEN_RIGHT_PAREN;
        const uint32_t behind = has_digits ? 4 : 1;
        const sql_token *next = parser_peek(self, behind);
        const bool has_zone = next->keyword == KW_WITH || next->keyword == KW_WITHOUT;
        return (has_zone && parser_peek(self, behind + 1)->keyword == KW_TIME) ||
               (has_digits && is_string(next));
    }
    const sql_keyword second = (sql_keyword)parser_peek(self, 1)->keyword;
    return (word == KW_DOUBLE && second == KW_PRECISION) ||
           ((word == KW_CHARACTER || word == KW_CHAR || word == KW_NCHAR || word == KW_BIT) &&
            second == KW_VARYING) ||
           (word == KW_NATIONAL && (second == KW_CHARACTER || second == KW_CHAR));
}

// INTERVAL '1 day', INTERVAL '3' DAY, INTERVAL 3 DAY, INTERVAL (a + 1) DAY. `*out` is NULL when
// INTERVAL, which is next, is but a name.
NEVER_INLINE static firn_status parse_interval(sql_parser *self, const sql_expr **out,
                                               firn_error *err) {
    sql_interval interval = {.node = EXPR_AT(SQL_INTERVAL, self->token.position)};
    const sql_token *value = parser_peek(self, 1);
    const bool is_text = is_string(value);
    const bool is_value = value->kind == TOKEN_INTEGER || value->kind == TOKEN_DECIMAL ||
                          value->kind == TOKEN_DOUBLE || value->kind == TOKEN_PARAMETER ||
                          value->kind == TOKEN_LEFT_PAREN;
    *out = NULL;
    if (!is_text && !is_value) {
        return FIRN_OK;
    }
    parser_advance(self);
    TRY(sql_parse_primary(self, &interval.value, err));
    TRY(sql_parse_units(self, &interval.unit, &interval.to_unit, err));
    if (interval.unit == SQL_UNIT_NONE && !is_text) {
        return parser_unexpected(self, "a unit such as DAY behind INTERVAL", err);
    }
    return KEEP(self, interval, out, err);
}

firn_status sql_parse_star(sql_parser *self, uint32_t start, sql_names qualifier,
                           const sql_expr *operand, const sql_expr **out, firn_error *err) {
    sql_star star = {.node = EXPR_AT(SQL_STAR, start), .qualifier = qualifier, .operand = operand};
    parser_advance(self);
    return KEEP(self, star, out, err);
}

// a, a.b.c, a.b.*, f(...), s.f(...), type 'text'.
static firn_status parse_name(sql_parser *self, const sql_expr **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const size_t mark = self->name_count;
    const sql_token behind = *parser_peek(self, 1);
    const bool is_function = behind.kind == TOKEN_LEFT_PAREN && parser_at_label(self) &&
                             sql_keyword_use_of((sql_keyword)self->token.keyword) == KEYWORD_JOIN;
    const bool is_values = behind.kind == TOKEN_LEFT_PAREN && parser_at_word(self, KW_VALUES);
    if (is_values || (!is_function && !parser_at_name(self))) {
        return parser_unexpected_name(self, "an expression", err);
    }
    if (is_string(&behind) || (self->token.keyword != KW_NONE && at_long_type(self))) {
        return parse_typed_literal(self, out, err);
    }
    sql_name name;
    sql_names path;
    TRY(parser_take_name(self, &name, err));
    TRY(parser_push_name(self, name, err));
    while (parser_accept(self, TOKEN_DOT)) {
        if (parser_at_operator(self, SQL_OP_MULTIPLY)) {
            TRY(parser_take_names(self, mark, &path, err));
            return sql_parse_star(self, start, path, NULL, out, err);
        }
        TRY(parser_expect_label(self, "a name or \"*\" behind the dot", &name, err));
        TRY(parser_push_name(self, name, err));
    }
    TRY(parser_take_names(self, mark, &path, err));
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        TRY(sql_parse_call(self, start, path, NULL, out, err));
        return parser_at_string(self) ? parse_modified_type(self, sql_call_of(*out), out, err)
                                      : FIRN_OK;
    }
    sql_column column = {.node = EXPR_AT(SQL_COLUMN, start), .path = path};
    return KEEP(self, column, out, err);
}

// An operand that begins with a keyword; `*out` is NULL when the word is but a name.
static firn_status parse_keyword(sql_parser *self, const sql_expr **out, firn_error *err) {
    const sql_keyword word = (sql_keyword)self->token.keyword;
    *out = NULL;
    if (word == KW_CASE) {
        return parse_case(self, out, err);
    }
    if (word == KW_CAST) {
        return parse_cast(self, false, out, err);
    }
    if (word == KW_INTERVAL) {
        return parse_interval(self, out, err);
    }
    if (word == KW_ARRAY) {
        return parse_array_word(self, out, err);
    }
    if (word == KW_DEFAULT) {
        sql_default value = {.node = EXPR_AT(SQL_DEFAULT, self->token.position)};
        parser_advance(self);
        return KEEP(self, value, out, err);
    }
    const sql_token *behind = parser_peek(self, 1);
    if (word == KW_MAP && behind->kind == TOKEN_LEFT_BRACE) {
        return parse_map(self, out, err);
    }
    if (behind->kind == TOKEN_LEFT_PAREN) {
        if (word == KW_EXISTS) {
            return parse_exists(self, out, err);
        }
        if (word == KW_ROW) {
            return parse_row(self, out, err);
        }
        if (word == KW_TRY_CAST || word == KW_SAFE_CAST) {
            return parse_cast(self, true, out, err);
        }
    }
    return sql_parse_special_call(self, out, err);
}

static firn_status parse_atom(sql_parser *self, const sql_expr **out, firn_error *err) {
    const sql_literal *literal = NULL;
    firn_status status = FIRN_OK;
    switch ((sql_token_kind)self->token.kind) {
    case TOKEN_WORD:
        if (parser_at_word(self, KW_NULL)) {
            status = parse_word_literal(self, SQL_LITERAL_NULL, &literal, err);
        } else if (parser_at_word(self, KW_TRUE)) {
            status = parse_word_literal(self, SQL_LITERAL_TRUE, &literal, err);
        } else if (parser_at_word(self, KW_FALSE)) {
            status = parse_word_literal(self, SQL_LITERAL_FALSE, &literal, err);
        } else {
            *out = NULL;
            if (self->token.keyword != KW_NONE) {
                TRY(parse_keyword(self, out, err));
            }
            return *out == NULL ? parse_name(self, out, err) : FIRN_OK;
        }
        break;
    case TOKEN_QUOTED:
        return parse_name(self, out, err);
    case TOKEN_INTEGER:
    case TOKEN_DECIMAL:
    case TOKEN_DOUBLE:
        status = sql_parse_number(self, "a number", &literal, err);
        break;
    case TOKEN_STRING:
    case TOKEN_ESCAPE_STRING:
    case TOKEN_DOLLAR_STRING:
        status = sql_parse_string(self, "a text", &literal, err);
        break;
    case TOKEN_BLOB:
    case TOKEN_BITS:
        status = parse_bytes(self, &literal, err);
        break;
    case TOKEN_PARAMETER:
        return parse_parameter(self, out, err);
    case TOKEN_LEFT_PAREN:
        return parse_parentheses(self, out, err);
    case TOKEN_LEFT_BRACKET:
        return parse_array(self, self->token.position, out, err);
    case TOKEN_LEFT_BRACE:
        return parse_struct(self, out, err);
    case TOKEN_END:
    case TOKEN_WRONG:
    case TOKEN_OPERATOR:
    case TOKEN_COMMA:
    case TOKEN_DOT:
    case TOKEN_SEMICOLON:
    case TOKEN_COLON:
    case TOKEN_CAST:
    case TOKEN_ASSIGN:
    case TOKEN_NAMED:
    case TOKEN_RIGHT_PAREN:
    case TOKEN_RIGHT_BRACKET:
    case TOKEN_RIGHT_BRACE:
    case TOKEN_KIND_COUNT:
        return parser_unexpected(self, "an expression", err);
    }
    *out = (const sql_expr *)literal;
    return status;
}

firn_status sql_parse_primary(sql_parser *self, const sql_expr **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const sql_expr *atom;
    TRY(parse_atom(self, &atom, err));
    if (self->token.kind != TOKEN_LEFT_BRACKET && self->token.kind != TOKEN_DOT) {
        *out = atom;
        return FIRN_OK;
    }
    return sql_parse_postfix(self, start, atom, out, err);
}
