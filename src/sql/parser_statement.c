// Which statement begins here; and those that hold other statements or little at all.
#include "base/nearest.h"
#include "sql/parser_private.h"

static firn_status parse_query_statement(sql_parser *self, uint32_t start, const sql_with *with,
                                         const sql_statement **out, firn_error *err) {
    sql_query_statement statement = {.node = STATEMENT_AT(SQL_QUERY_STATEMENT, start)};
    TRY(sql_parse_query_behind_with(self, start, with, &statement.query, err));
    return KEEP(self, statement, out, err);
}

// What WITH may stand before; `with` is NULL when there is none.
static firn_status parse_with_statement(sql_parser *self, const sql_statement **out,
                                        firn_error *err) {
    const uint32_t start = self->token.position;
    const sql_with *with;
    TRY(sql_parse_with(self, &with, err));
    switch (self->token.keyword) {
    case KW_INSERT:
        return sql_parse_insert(self, start, with, out, err);
    case KW_UPDATE:
        return sql_parse_update(self, start, with, out, err);
    case KW_DELETE:
        return sql_parse_delete(self, start, with, out, err);
    case KW_MERGE:
        return sql_parse_merge(self, start, with, out, err);
    default:
        return parse_query_statement(self, start, with, out, err);
    }
}

// ---- EXPLAIN, DESCRIBE -------------------------------------------------------------------------

static firn_status unknown_explain_option(sql_parser *self, firn_error *err) {
    if (self->token.kind != TOKEN_WORD && self->token.kind != TOKEN_QUOTED) {
        return parser_unexpected(self, "ANALYZE, VERBOSE or FORMAT", err);
    }
    const sql_token *token = &self->token;
    const text name =
        text_slice(self->sql, token->position, (size_t)token->position + token->length);
    firn_status status = FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, self->token.position,
                                  "EXPLAIN has no option \"%.*s\"", TEXT_ARGS(name));
    nearest_name near = nearest_to(name);
    nearest_offer(&near, TEXT("ANALYZE"));
    nearest_offer(&near, TEXT("VERBOSE"));
    nearest_offer(&near, TEXT("FORMAT"));
    if (!nearest_hint(&near, err)) {
        err_hint(err, "there are ANALYZE, VERBOSE and FORMAT");
    }
    return status;
}

// (VERBOSE, ANALYZE false, FORMAT json): "(" is taken.
static firn_status parse_explain_options(sql_parser *self, sql_explain *explain, firn_error *err) {
    do {
        bool *flag = NULL;
        if (parser_accept_word(self, KW_FORMAT)) {
            TRY(parser_expect_label(self, "a format", &explain->format, err));
            continue;
        }
        if (parser_accept_word(self, KW_ANALYZE)) {
            flag = &explain->is_analyze;
        } else if (parser_accept_word(self, KW_VERBOSE)) {
            flag = &explain->is_verbose;
        } else {
            return unknown_explain_option(self, err);
        }
        *flag = !parser_accept_word(self, KW_FALSE);
        if (*flag) {
            (void)parser_accept_word(self, KW_TRUE);
        }
    } while (parser_accept(self, TOKEN_COMMA));
    return parser_expect(self, TOKEN_RIGHT_PAREN, err);
}

// Whether "(" begins options, and not a query in parentheses.
static bool at_explain_options(sql_parser *self) {
    const sql_token *first = parser_peek(self, 1);
    const sql_keyword word = (sql_keyword)first->keyword;
    const bool begins_query = word == KW_SELECT || word == KW_WITH || word == KW_VALUES ||
                              word == KW_FROM || word == KW_TABLE;
    return parser_at(self, TOKEN_LEFT_PAREN) && first->kind == TOKEN_WORD && !begins_query;
}

static firn_status parse_explain(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_explain explain = {.node = STATEMENT_AT(SQL_EXPLAIN, self->token.position)};
    parser_advance(self);
    if (at_explain_options(self)) {
        parser_advance(self);
        TRY(parse_explain_options(self, &explain, err));
    } else {
        explain.is_verbose = parser_accept_word(self, KW_VERBOSE);
        explain.is_analyze = parser_accept_word(self, KW_ANALYZE);
        explain.is_verbose |= parser_accept_word(self, KW_VERBOSE);
        if (parser_accept_word(self, KW_FORMAT)) {
            TRY(parser_expect_label(self, "a format", &explain.format, err));
        }
    }
    TRY(sql_parse_any_statement(self, &explain.statement, err));
    return KEEP(self, explain, out, err);
}

static firn_status parse_describe(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_describe describe = {.node = STATEMENT_AT(SQL_DESCRIBE, self->token.position),
                             .is_summary = parser_at_word(self, KW_SUMMARIZE)};
    parser_advance(self);
    const sql_token *behind = parser_peek(self, 1);
    const bool has_name =
        behind->kind == TOKEN_WORD || behind->kind == TOKEN_QUOTED || behind->kind == TOKEN_STRING;
    if (parser_at(self, TOKEN_LEFT_PAREN) ||
        (parser_at_query(self) && !parser_at_word(self, KW_TABLE))) {
        TRY(sql_parse_query(self, &describe.query, err));
        return KEEP(self, describe, out, err);
    }
    if (has_name && !parser_accept_word(self, KW_TABLE) && !parser_accept_word(self, KW_EXTENDED)) {
        (void)parser_accept_word(self, KW_FORMATTED);
    }
    TRY(sql_parse_table(self, &describe.table, err));
    return KEEP(self, describe, out, err);
}

// ---- PREPARE, EXECUTE, DEALLOCATE, CALL --------------------------------------------------------

static firn_status parse_prepare(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_prepare prepare = {.node = STATEMENT_AT(SQL_PREPARE, self->token.position)};
    parser_advance(self);
    TRY(parser_expect_name(self, "the name of a prepared statement", &prepare.name, err));
    if (parser_accept(self, TOKEN_LEFT_PAREN)) {
        const size_t mark = parser_mark(self);
        do {
            const sql_type *type;
            TRY(sql_parse_type_name(self, &type, err));
            TRY(parser_push(self, type, err));
        } while (parser_accept(self, TOKEN_COMMA));
        TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
        TRY(parser_take_list(self, mark, &prepare.types, err));
    }
    TRY(parser_expect_word(self, KW_AS, err));
    TRY(sql_parse_any_statement(self, &prepare.statement, err));
    return KEEP(self, prepare, out, err);
}

static firn_status parse_execute(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_execute execute = {.node = STATEMENT_AT(SQL_EXECUTE, self->token.position)};
    parser_advance(self);
    TRY(parser_expect_name(self, "the name of a prepared statement", &execute.name, err));
    if (parser_accept(self, TOKEN_LEFT_PAREN) && !parser_accept(self, TOKEN_RIGHT_PAREN)) {
        const size_t mark = parser_mark(self);
        do {
            const sql_expr *argument;
            TRY(sql_parse_argument(self, &argument, err));
            TRY(parser_push(self, argument, err));
        } while (parser_accept(self, TOKEN_COMMA));
        TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
        TRY(parser_take_list(self, mark, &execute.arguments, err));
    }
    return KEEP(self, execute, out, err);
}

static firn_status parse_deallocate(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_deallocate deallocate = {.node = STATEMENT_AT(SQL_DEALLOCATE, self->token.position)};
    parser_advance(self);
    if (parser_at_word(self, KW_PREPARE) && parser_peek(self, 1)->kind != TOKEN_END &&
        parser_peek(self, 1)->kind != TOKEN_SEMICOLON) {
        parser_advance(self);
    }
    if (!parser_accept_word(self, KW_ALL)) {
        TRY(parser_expect_name(self, "the name of a prepared statement, or ALL", &deallocate.name,
                               err));
    }
    return KEEP(self, deallocate, out, err);
}

static firn_status parse_call_statement(sql_parser *self, const sql_statement **out,
                                        firn_error *err) {
    sql_call_statement statement = {.node = STATEMENT_AT(SQL_CALL_STATEMENT, self->token.position)};
    sql_names path;
    const sql_expr *call;
    parser_advance(self);
    const uint32_t start = self->token.position;
    TRY(parser_expect_path(self, "the name of a procedure", &path, err));
    TRY(sql_parse_call(self, start, path, NULL, &call, err));
    statement.call = sql_call_of(call);
    return KEEP(self, statement, out, err);
}

// ANALYZE [VERBOSE], ANALYZE t (a, b), ANALYZE TABLE t COMPUTE STATISTICS [FOR COLUMNS a, b]
static firn_status parse_analyze(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_analyze analyze = {.node = STATEMENT_AT(SQL_ANALYZE, self->token.position)};
    parser_advance(self);
    (void)parser_accept_word(self, KW_VERBOSE);
    (void)parser_accept_word(self, KW_TABLE);
    if (parser_at(self, TOKEN_SEMICOLON) || parser_at(self, TOKEN_END)) {
        return KEEP(self, analyze, out, err);
    }
    TRY(parser_expect_path(self, "a table", &analyze.table, err));
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        TRY(parser_expect_name_list(self, "the name of a column", &analyze.columns, err));
    } else if (parser_accept_words(self, KW_COMPUTE, KW_STATISTICS) &&
               parser_accept_word(self, KW_FOR) && !parser_accept_words(self, KW_ALL, KW_COLUMNS)) {
        const size_t mark = self->name_count;
        TRY(parser_expect_word(self, KW_COLUMNS, err));
        do {
            sql_name name;
            TRY(parser_expect_name(self, "the name of a column", &name, err));
            TRY(parser_push_name(self, name, err));
        } while (parser_accept(self, TOKEN_COMMA));
        TRY(parser_take_names(self, mark, &analyze.columns, err));
    }
    return KEEP(self, analyze, out, err);
}

// ---- All of them -------------------------------------------------------------------------------

typedef firn_status (*statement_parser)(sql_parser *self, const sql_statement **out,
                                        firn_error *err);

static const struct {
    uint16_t keyword;
    statement_parser parse;
} statements[] = {
    {KW_SELECT, parse_with_statement},
    {KW_WITH, parse_with_statement},
    {KW_INSERT, parse_with_statement},
    {KW_UPDATE, parse_with_statement},
    {KW_DELETE, parse_with_statement},
    {KW_MERGE, parse_with_statement},
    {KW_VALUES, parse_with_statement},
    {KW_FROM, parse_with_statement},
    {KW_TABLE, parse_with_statement},
    {KW_CREATE, sql_parse_create},
    {KW_DROP, sql_parse_drop},
    {KW_ALTER, sql_parse_alter},
    {KW_COMMENT, sql_parse_comment_on},
    {KW_TRUNCATE, sql_parse_truncate},
    {KW_COPY, sql_parse_copy},
    {KW_SET, sql_parse_set},
    {KW_RESET, sql_parse_reset},
    {KW_SHOW, sql_parse_show},
    {KW_USE, sql_parse_use},
    {KW_ATTACH, sql_parse_attach},
    {KW_DETACH, sql_parse_detach},
    {KW_BEGIN, sql_parse_transaction},
    {KW_START, sql_parse_transaction},
    {KW_COMMIT, sql_parse_transaction},
    {KW_ROLLBACK, sql_parse_transaction},
    {KW_SAVEPOINT, sql_parse_transaction},
    {KW_RELEASE, sql_parse_transaction},
    {KW_EXPLAIN, parse_explain},
    {KW_DESCRIBE, parse_describe},
    {KW_DESC, parse_describe},
    {KW_SUMMARIZE, parse_describe},
    {KW_PREPARE, parse_prepare},
    {KW_EXECUTE, parse_execute},
    {KW_DEALLOCATE, parse_deallocate},
    {KW_CALL, parse_call_statement},
    {KW_ANALYZE, parse_analyze},
};

firn_status sql_parse_any_statement(sql_parser *self, const sql_statement **out, firn_error *err) {
    statement_parser parse = NULL;
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        parse = parse_with_statement;
    }
    const uint16_t word = self->token.keyword;
    for (size_t i = 0; word != KW_NONE && i < sizeof statements / sizeof statements[0]; i++) {
        if (statements[i].keyword == word) {
            parse = statements[i].parse;
            break;
        }
    }
    if (parse == NULL) {
        return parser_unexpected_statement(self, err);
    }
    TRY(parser_enter(self, err));
    TRY(parse(self, out, err));
    parser_leave(self);
    return FIRN_OK;
}
