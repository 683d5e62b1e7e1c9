// Calls of functions, and the functions to which SQL gives a syntax of their own. The latter become
// ordinary calls: EXTRACT(year FROM d) is extract('year', d); `syntax` remembers the writing.
#include "sql/parser_private.h"

// ---- Arguments ---------------------------------------------------------------------------------

static bool is_literal_token(const sql_token *token) {
    switch ((sql_token_kind)token->kind) {
    case TOKEN_INTEGER:
    case TOKEN_STRING:
    case TOKEN_ESCAPE_STRING:
    case TOKEN_DOLLAR_STRING:
    case TOKEN_PARAMETER:
        return true;
    case TOKEN_END:
    case TOKEN_WRONG:
    case TOKEN_WORD:
    case TOKEN_QUOTED:
    case TOKEN_DECIMAL:
    case TOKEN_DOUBLE:
    case TOKEN_BLOB:
    case TOKEN_BITS:
    case TOKEN_OPERATOR:
    case TOKEN_COMMA:
    case TOKEN_DOT:
    case TOKEN_SEMICOLON:
    case TOKEN_COLON:
    case TOKEN_CAST:
    case TOKEN_ASSIGN:
    case TOKEN_NAMED:
    case TOKEN_LEFT_PAREN:
    case TOKEN_RIGHT_PAREN:
    case TOKEN_LEFT_BRACKET:
    case TOKEN_RIGHT_BRACKET:
    case TOKEN_LEFT_BRACE:
    case TOKEN_RIGHT_BRACE:
    case TOKEN_KIND_COUNT:
        break;
    }
    return false;
}

// The body of a lambda whose parameters are on the stack of names from `mark` on.
static firn_status parse_lambda_body(sql_parser *self, uint32_t start, size_t mark,
                                     const sql_expr **out, firn_error *err) {
    sql_lambda lambda = {.node = EXPR_AT(SQL_LAMBDA, start)};
    TRY(parser_take_names(self, mark, &lambda.parameters, err));
    TRY(sql_parse_expr(self, &lambda.body, err));
    return KEEP(self, lambda, out, err);
}

// LAMBDA x, y: body
NEVER_INLINE static firn_status parse_lambda_word(sql_parser *self, const sql_expr **out,
                                                  firn_error *err) {
    const uint32_t start = self->token.position;
    const size_t mark = self->name_count;
    parser_advance(self);
    do {
        sql_name name;
        TRY(parser_expect_name(self, "a parameter of the lambda", &name, err));
        TRY(parser_push_name(self, name, err));
    } while (parser_accept(self, TOKEN_COMMA));
    TRY(parser_expect(self, TOKEN_COLON, err));
    return parse_lambda_body(self, start, mark, out, err);
}

static bool push_parameter(sql_parser *self, const sql_expr *expr, firn_status *status,
                           firn_error *err) {
    if (!sql_is_expr(expr, SQL_COLUMN) || sql_column_of(expr)->path.count != 1) {
        return false;
    }
    *status = parser_push_name(self, sql_column_of(expr)->path.items[0], err);
    return *status == FIRN_OK;
}

// (x, y) -> body, when `expr` is what stood in the parentheses and "->" is next. `*out` is NULL
// when it is not a list of names: then "->" is the operator.
NEVER_INLINE static firn_status parse_lambda_of_row(sql_parser *self, uint32_t start,
                                                    const sql_expr *expr, const sql_expr **out,
                                                    firn_error *err) {
    const size_t mark = self->name_count;
    firn_status status = FIRN_OK;
    *out = NULL;
    bool are_names = true;
    if (sql_is_expr(expr, SQL_ROW)) {
        const sql_list items = sql_row_of(expr)->items;
        are_names = items.count > 0;
        for (size_t i = 0; i < items.count && are_names; i++) {
            are_names = push_parameter(self, items.items[i], &status, err);
        }
    } else {
        are_names =
            !is_literal_token(parser_peek(self, 1)) && push_parameter(self, expr, &status, err);
    }
    TRY(status);
    if (!are_names) {
        self->name_count = mark;
        return FIRN_OK;
    }
    parser_advance(self);
    return parse_lambda_body(self, start, mark, out, err);
}

// An argument that begins with "(".
NEVER_INLINE static firn_status parse_parentheses_argument(sql_parser *self, const sql_expr **out,
                                                           firn_error *err) {
    const uint32_t start = self->token.position;
    const sql_query *query;
    const sql_expr *expr;
    TRY(sql_parse_parentheses(self, &query, &expr, err));
    if (query != NULL) {
        TRY(sql_parse_subquery(self, start, SQL_SUBQUERY_SCALAR, query, &expr, err));
    } else if (parser_at_operator(self, SQL_OP_ARROW)) {
        TRY(parse_lambda_of_row(self, start, expr, out, err));
        if (*out != NULL) {
            return FIRN_OK;
        }
    }
    return sql_parse_expr_rest(self, start, expr, out, err);
}

// An argument that begins with a name and "->": a lambda, unless a literal follows, for then "->"
// takes a member out of a JSON value. See README.md.
NEVER_INLINE static firn_status parse_lambda(sql_parser *self, const sql_expr **out,
                                             firn_error *err) {
    const uint32_t start = self->token.position;
    const size_t mark = self->name_count;
    sql_name name;
    TRY(parser_take_name(self, &name, err));
    TRY(parser_push_name(self, name, err));
    parser_advance(self);
    return parse_lambda_body(self, start, mark, out, err);
}

NEVER_INLINE static firn_status parse_named_argument(sql_parser *self, const sql_expr **out,
                                                     firn_error *err) {
    sql_named_argument argument = {.node = EXPR_AT(SQL_NAMED_ARGUMENT, self->token.position)};
    TRY(parser_take_name(self, &argument.name, err));
    parser_advance(self);
    TRY(sql_parse_expr(self, &argument.value, err));
    return KEEP(self, argument, out, err);
}

// LAMBDA x: or LAMBDA x, and not a column of that name.
static bool at_lambda_word(sql_parser *self) {
    if (!parser_at_word(self, KW_LAMBDA)) {
        return false;
    }
    const sql_token *first = parser_peek(self, 1);
    const sql_token *second = parser_peek(self, 2);
    const bool is_name = first->kind == TOKEN_QUOTED ||
                         (first->kind == TOKEN_WORD &&
                          sql_keyword_use_of((sql_keyword)first->keyword) <= KEYWORD_LABEL);
    return is_name && (second->kind == TOKEN_COLON || second->kind == TOKEN_COMMA);
}

firn_status sql_parse_argument(sql_parser *self, const sql_expr **out, firn_error *err) {
    if (parser_at_operator(self, SQL_OP_MULTIPLY)) {
        return sql_parse_select_star(self, out, err);
    }
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        return parse_parentheses_argument(self, out, err);
    }
    if (!parser_at_label(self)) {
        return sql_parse_expr(self, out, err);
    }
    const sql_token behind = *parser_peek(self, 1);
    if (behind.kind == TOKEN_NAMED || behind.kind == TOKEN_ASSIGN) {
        return parse_named_argument(self, out, err);
    }
    if (behind.op == SQL_OP_ARROW && parser_at_name(self) &&
        !is_literal_token(parser_peek(self, 2))) {
        return parse_lambda(self, out, err);
    }
    if (at_lambda_word(self)) {
        return parse_lambda_word(self, out, err);
    }
    TRY(sql_parse_expr(self, out, err));
    return sql_is_expr(*out, SQL_STAR) ? sql_parse_star_clauses(self, sql_star_of(*out), out, err)
                                       : FIRN_OK;
}

// ---- Calls -------------------------------------------------------------------------------------

// Letters of an unquoted function name are as good in either case; the tree has the lower one.
static firn_status lower_name(sql_parser *self, sql_names path, sql_names *out, firn_error *err) {
    const sql_name *last = &path.items[path.count - 1];
    bool has_upper = false;
    for (size_t i = 0; i < last->value.size && !last->is_quoted; i++) {
        has_upper |= last->value.data[i] >= 'A' && last->value.data[i] <= 'Z';
    }
    *out = path;
    if (!has_upper) {
        return FIRN_OK;
    }
    char *lower = ARENA_NEW(self->memory, char, last->value.size);
    sql_name *names = ARENA_NEW(self->memory, sql_name, path.count);
    if (lower == NULL || names == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (size_t i = 0; i < last->value.size; i++) {
        const char byte = last->value.data[i];
        lower[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
    }
    memcpy(names, path.items, path.count * sizeof names[0]);
    names[path.count - 1].value.data = lower;
    *out = (sql_names){.count = path.count, .items = names};
    return FIRN_OK;
}

static bool accept_null_treatment(sql_parser *self, sql_null_treatment *nulls) {
    if (parser_accept_words(self, KW_IGNORE, KW_NULLS)) {
        *nulls = SQL_NULLS_IGNORE;
        return true;
    }
    if (parser_accept_words(self, KW_RESPECT, KW_NULLS)) {
        *nulls = SQL_NULLS_RESPECT;
        return true;
    }
    return false;
}

// STRUCT(a AS x): the alias names the argument.
static firn_status parse_argument_alias(sql_parser *self, const sql_expr **argument,
                                        firn_error *err) {
    sql_named_argument named = {.node = EXPR_AT(SQL_NAMED_ARGUMENT, (*argument)->position),
                                .value = *argument};
    parser_advance(self);
    TRY(parser_expect_label(self, "the name of a field", &named.name, err));
    return KEEP(self, named, argument, err);
}

// "," and more arguments, what may follow them, and the closing parenthesis. The list of arguments
// began at `mark`.
static firn_status parse_more_arguments(sql_parser *self, sql_call *call, size_t mark,
                                        bool is_struct, firn_error *err) {
    while (parser_accept(self, TOKEN_COMMA)) {
        const sql_expr *argument;
        TRY(sql_parse_argument(self, &argument, err));
        if (is_struct && parser_at_word(self, KW_AS)) {
            TRY(parse_argument_alias(self, &argument, err));
        }
        TRY(parser_push(self, argument, err));
    }
    TRY(parser_take_list(self, mark, &call->arguments, err));
    TRY(sql_parse_order_by(self, &call->order_by, err));
    (void)accept_null_treatment(self, &call->nulls);
    if (!parser_accept(self, TOKEN_RIGHT_PAREN)) {
        return parser_unexpected(self, "\",\" or \")\" in the arguments of a function", err);
    }
    return FIRN_OK;
}

// What stands between the parentheses, and the closing one.
static firn_status parse_arguments(sql_parser *self, sql_call *call, const sql_expr *first,
                                   bool is_struct, firn_error *err) {
    const size_t mark = parser_mark(self);
    if (first != NULL) {
        TRY(parser_push(self, first, err));
    }
    const sql_token *behind = parser_peek(self, 1);
    if (behind->kind != TOKEN_NAMED && behind->kind != TOKEN_ASSIGN) {
        call->is_distinct = parser_accept_word(self, KW_DISTINCT);
        if (!call->is_distinct) {
            (void)parser_accept_word(self, KW_ALL);
        }
    }
    const bool has_more = !parser_at(self, TOKEN_RIGHT_PAREN) && !parser_at_word(self, KW_ORDER);
    if (has_more || call->is_distinct) {
        const sql_expr *argument;
        TRY(sql_parse_argument(self, &argument, err));
        if (is_struct && parser_at_word(self, KW_AS)) {
            TRY(parse_argument_alias(self, &argument, err));
        }
        TRY(parser_push(self, argument, err));
    }
    return parse_more_arguments(self, call, mark, is_struct, err);
}

static firn_status parse_within_group(sql_parser *self, sql_call *call, firn_error *err) {
    parser_advance(self);
    TRY(parser_expect_word(self, KW_GROUP, err));
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    if (!parser_at_word(self, KW_ORDER)) {
        return parser_unexpected(self, "ORDER BY in WITHIN GROUP", err);
    }
    TRY(sql_parse_order_by(self, &call->within_group, err));
    return parser_expect(self, TOKEN_RIGHT_PAREN, err);
}

// What may follow the arguments.
static firn_status parse_call_clauses(sql_parser *self, sql_call *call, firn_error *err) {
    if (parser_at_words(self, KW_WITHIN, KW_GROUP)) {
        TRY(parse_within_group(self, call, err));
    }
    if (parser_at_word(self, KW_FILTER) && parser_peek(self, 1)->kind == TOKEN_LEFT_PAREN) {
        parser_advance(self);
        parser_advance(self);
        (void)parser_accept_word(self, KW_WHERE);
        TRY(sql_parse_expr(self, &call->filter, err));
        TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    }
    if (call->nulls == SQL_NULLS_UNSAID) {
        (void)accept_null_treatment(self, &call->nulls);
    }
    if (parser_at_word(self, KW_OVER)) {
        TRY(sql_parse_over(self, &call->over, err));
    }
    return FIRN_OK;
}

firn_status sql_parse_call(sql_parser *self, uint32_t start, sql_names path, const sql_expr *first,
                           const sql_expr **out, firn_error *err) {
    sql_call call = {.node = EXPR_AT(SQL_CALL, start)};
    TRY(lower_name(self, path, &call.path, err));
    const bool is_struct = path.count == 1 && text_equal(call.path.items[0].value, TEXT("struct"));
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(parse_arguments(self, &call, first, is_struct, err));
    TRY(parse_call_clauses(self, &call, err));
    return KEEP(self, call, out, err);
}

// ---- Functions with a syntax of their own ------------------------------------------------------

static firn_status keep_special(sql_parser *self, uint32_t start, text name, sql_call_syntax syntax,
                                size_t mark, const sql_expr **out, firn_error *err) {
    sql_call call = {.node = EXPR_AT(SQL_CALL, start), .syntax = syntax};
    const size_t name_mark = self->name_count;
    const sql_name function = {
        .value = name, .position = start, .length = parser_end(self) - start};
    TRY(parser_push_name(self, function, err));
    TRY(parser_take_names(self, name_mark, &call.path, err));
    TRY(parser_take_list(self, mark, &call.arguments, err));
    return KEEP(self, call, out, err);
}

// CURRENT_DATE, CURRENT_TIMESTAMP(3). The word is next.
static firn_status parse_word_call(sql_parser *self, text name, const sql_expr **out,
                                   firn_error *err) {
    const uint32_t start = self->token.position;
    const size_t mark = parser_mark(self);
    parser_advance(self);
    if (parser_accept(self, TOKEN_LEFT_PAREN)) {
        if (!parser_at(self, TOKEN_RIGHT_PAREN)) {
            const sql_literal *digits;
            TRY(sql_parse_number(self, "how many digits of a second", &digits, err));
            TRY(parser_push(self, digits, err));
        }
        TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    }
    return keep_special(self, start, name, SQL_CALL_WORD, mark, out, err);
}

static const struct {
    uint16_t keyword;
    text name;
} word_calls[] = {
    {KW_CURRENT_DATE, {"current_date", 12}},
    {KW_CURRENT_TIMESTAMP, {"current_timestamp", 17}},
    {KW_CURRENT_TIME, {"current_time", 12}},
    {KW_LOCALTIME, {"localtime", 9}},
    {KW_LOCALTIMESTAMP, {"localtimestamp", 14}},
    {KW_CURRENT_USER, {"current_user", 12}},
    {KW_SESSION_USER, {"session_user", 12}},
    {KW_CURRENT_ROLE, {"current_role", 12}},
    {KW_CURRENT_CATALOG, {"current_catalog", 15}},
    {KW_CURRENT_SCHEMA, {"current_schema", 14}},
};

static firn_status push_argument(sql_parser *self, firn_error *err) {
    const sql_expr *argument;
    TRY(sql_parse_argument(self, &argument, err));
    return parser_push(self, argument, err);
}

static firn_status push_expr(sql_parser *self, firn_error *err) {
    const sql_expr *expr;
    TRY(sql_parse_expr(self, &expr, err));
    return parser_push(self, expr, err);
}

// EXTRACT(field FROM a): the word is next and FROM is where it belongs.
static firn_status parse_extract(sql_parser *self, const sql_expr **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const size_t mark = parser_mark(self);
    parser_advance(self);
    parser_advance(self);
    const sql_literal *field;
    if (parser_at_string(self)) {
        TRY(sql_parse_string(self, "a field", &field, err));
    } else {
        sql_name name;
        sql_literal literal = {.node = EXPR_AT(SQL_LITERAL, self->token.position),
                               .kind = SQL_LITERAL_STRING};
        TRY(parser_expect_label(self, "a field such as YEAR", &name, err));
        literal.value = name.value;
        TRY(KEEP(self, literal, &field, err));
    }
    TRY(parser_push(self, field, err));
    TRY(parser_expect_word(self, KW_FROM, err));
    TRY(push_expr(self, err));
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    return keep_special(self, start, TEXT("extract"), SQL_CALL_EXTRACT, mark, out, err);
}

// FROM a [FOR b] or FOR b [FROM a] behind SUBSTRING(s; pushed as a, b.
static firn_status parse_from_for(sql_parser *self, firn_error *err) {
    if (parser_accept_word(self, KW_FROM)) {
        TRY(push_expr(self, err));
        return parser_accept_word(self, KW_FOR) ? push_expr(self, err) : FIRN_OK;
    }
    const uint32_t start = self->token.position;
    const sql_expr *length;
    parser_advance(self);
    TRY(sql_parse_expr(self, &length, err));
    if (parser_accept_word(self, KW_FROM)) {
        TRY(push_expr(self, err));
    } else {
        const sql_literal *kept;
        sql_literal one = {
            .node = EXPR_AT(SQL_LITERAL, start), .kind = SQL_LITERAL_INTEGER, .value = TEXT("1")};
        TRY(KEEP(self, one, &kept, err));
        TRY(parser_push(self, kept, err));
    }
    return parser_push(self, length, err);
}

// SIMILAR a ESCAPE b behind SUBSTRING(s: the same as FROM a FOR b; pushed as a, b.
static firn_status parse_similar_escape(sql_parser *self, firn_error *err) {
    parser_advance(self);
    TRY(push_expr(self, err));
    TRY(parser_expect_word(self, KW_ESCAPE, err));
    return push_expr(self, err);
}

// Goes on behind f(first when that showed no syntax of its own.
static firn_status parse_plain_rest(sql_parser *self, uint32_t start, text name, size_t mark,
                                    const sql_expr **out, firn_error *err) {
    sql_call call = {.node = EXPR_AT(SQL_CALL, start)};
    const size_t name_mark = self->name_count;
    const sql_name function = {.value = name, .position = start, .length = (uint32_t)name.size};
    TRY(parser_push_name(self, function, err));
    TRY(parser_take_names(self, name_mark, &call.path, err));
    TRY(parse_more_arguments(self, &call, mark, false, err));
    TRY(parse_call_clauses(self, &call, err));
    return KEEP(self, call, out, err);
}

// SUBSTRING(a FROM b FOR c), SUBSTRING(a SIMILAR b ESCAPE c), SUBSTRING(a, b, c): the word and "("
// are next.
static firn_status parse_substring(sql_parser *self, const sql_expr **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const size_t mark = parser_mark(self);
    const text name = TEXT("substring");
    parser_advance(self);
    parser_advance(self);
    TRY(push_argument(self, err));
    if (parser_at_word(self, KW_SIMILAR)) {
        TRY(parse_similar_escape(self, err));
    } else if (parser_at_word(self, KW_FROM) || parser_at_word(self, KW_FOR)) {
        TRY(parse_from_for(self, err));
    } else {
        return parse_plain_rest(self, start, name, mark, out, err);
    }
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    return keep_special(self, start, name, SQL_CALL_SUBSTRING, mark, out, err);
}

// POSITION(a IN b), POSITION(a, b): the word and "(" are next.
static firn_status parse_position(sql_parser *self, const sql_expr **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const size_t mark = parser_mark(self);
    const text name = TEXT("position");
    parser_advance(self);
    parser_advance(self);
    const uint32_t first_start = self->token.position;
    const sql_expr *first;
    // Tighter than IN, so that the word is left for us.
    TRY(sql_parse_expr_above(self, sql_binding_above(SQL_BIND_LIKE), &first, err));
    if (!parser_at_word(self, KW_IN)) {
        TRY(sql_parse_expr_rest(self, first_start, first, &first, err));
        TRY(parser_push(self, first, err));
        return parse_plain_rest(self, start, name, mark, out, err);
    }
    parser_advance(self);
    TRY(parser_push(self, first, err));
    TRY(push_expr(self, err));
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    return keep_special(self, start, name, SQL_CALL_POSITION, mark, out, err);
}

// TRIM([LEADING | TRAILING | BOTH] [chars] FROM a), TRIM(a), TRIM(a, chars): the word and "(" are
// next.
static firn_status parse_trim(sql_parser *self, const sql_expr **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const size_t mark = parser_mark(self);
    parser_advance(self);
    parser_advance(self);
    text name = TEXT("btrim");
    const sql_token *behind = parser_peek(self, 1);
    const bool is_side = behind->kind != TOKEN_COMMA && behind->kind != TOKEN_RIGHT_PAREN &&
                         behind->kind != TOKEN_DOT && behind->kind != TOKEN_OPERATOR;
    bool has_side = false;
    if (is_side && parser_accept_word(self, KW_LEADING)) {
        name = TEXT("ltrim");
        has_side = true;
    } else if (is_side && parser_accept_word(self, KW_TRAILING)) {
        name = TEXT("rtrim");
        has_side = true;
    } else {
        has_side = is_side && parser_accept_word(self, KW_BOTH);
    }
    const sql_expr *characters = NULL;
    if (!parser_at_word(self, KW_FROM)) {
        TRY(has_side ? sql_parse_expr(self, &characters, err)
                     : sql_parse_argument(self, &characters, err));
    }
    const bool is_plain =
        !has_side && (!parser_at_word(self, KW_FROM) || sql_is_expr(characters, SQL_LAMBDA));
    if (is_plain) {
        TRY(parser_push(self, characters, err));
        return parse_plain_rest(self, start, TEXT("trim"), mark, out, err);
    }
    if (parser_accept_word(self, KW_FROM)) {
        TRY(push_expr(self, err));
        if (characters != NULL) {
            TRY(parser_push(self, characters, err));
        }
    } else {
        // TRIM(LEADING a), as PostgreSQL takes it: a is what is trimmed.
        TRY(parser_push(self, characters, err));
        if (parser_accept(self, TOKEN_COMMA)) {
            TRY(push_expr(self, err));
        }
    }
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    return keep_special(self, start, name, SQL_CALL_TRIM, mark, out, err);
}

// OVERLAY(a PLACING b FROM c [FOR d]), OVERLAY(a, b, c, d): the word and "(" are next.
static firn_status parse_overlay(sql_parser *self, const sql_expr **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const size_t mark = parser_mark(self);
    const text name = TEXT("overlay");
    parser_advance(self);
    parser_advance(self);
    TRY(push_argument(self, err));
    if (!parser_accept_word(self, KW_PLACING)) {
        return parse_plain_rest(self, start, name, mark, out, err);
    }
    TRY(push_expr(self, err));
    TRY(parser_expect_word(self, KW_FROM, err));
    TRY(push_expr(self, err));
    if (parser_accept_word(self, KW_FOR)) {
        TRY(push_expr(self, err));
    }
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    return keep_special(self, start, name, SQL_CALL_OVERLAY, mark, out, err);
}

firn_status sql_parse_special_call(sql_parser *self, const sql_expr **out, firn_error *err) {
    const sql_keyword word = (sql_keyword)self->token.keyword;
    *out = NULL;
    for (size_t i = 0; i < sizeof word_calls / sizeof word_calls[0]; i++) {
        if (word_calls[i].keyword == word) {
            return parse_word_call(self, word_calls[i].name, out, err);
        }
    }
    if (parser_peek(self, 1)->kind != TOKEN_LEFT_PAREN) {
        return FIRN_OK;
    }
    const sql_token *second = parser_peek(self, 2);
    const sql_token *third = parser_peek(self, 3);
    if (word == KW_EXTRACT) {
        return third->keyword == KW_FROM && second->kind != TOKEN_RIGHT_PAREN
                   ? parse_extract(self, out, err)
                   : FIRN_OK;
    }
    if (second->kind == TOKEN_RIGHT_PAREN || second->keyword == KW_DISTINCT ||
        second->keyword == KW_ORDER || third->kind == TOKEN_NAMED || third->kind == TOKEN_ASSIGN) {
        return FIRN_OK; // Nothing special about position(a => 1), trim(DISTINCT a).
    }
    if (word == KW_POSITION && (third->op == SQL_OP_ARROW || second->keyword == KW_LAMBDA)) {
        return FIRN_OK; // A lambda.
    }
    if (word == KW_SUBSTRING) {
        return parse_substring(self, out, err);
    }
    if (word == KW_POSITION) {
        return parse_position(self, out, err);
    }
    if (word == KW_TRIM) {
        return parse_trim(self, out, err);
    }
    if (word == KW_OVERLAY) {
        return parse_overlay(self, out, err);
    }
    return FIRN_OK;
}
