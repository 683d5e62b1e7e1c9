// The sentences of syntax errors: what was expected, what is there, and what may have been meant.
#include "sql/parser_private.h"
#include "sql/token_text.h"

#define FOUND_SIZE_MAX 40

// The words that begin statements, and those that begin the clauses behind them.
static const sql_keyword statement_words[] = {
    KW_SELECT,  KW_WITH,      KW_VALUES,   KW_FROM,      KW_TABLE,      KW_CREATE,   KW_DROP,
    KW_ALTER,   KW_INSERT,    KW_UPDATE,   KW_DELETE,    KW_MERGE,      KW_TRUNCATE, KW_COPY,
    KW_BEGIN,   KW_COMMIT,    KW_ROLLBACK, KW_SET,       KW_RESET,      KW_SHOW,     KW_USE,
    KW_ATTACH,  KW_DETACH,    KW_DESCRIBE, KW_EXPLAIN,   KW_PREPARE,    KW_EXECUTE,  KW_CALL,
    KW_ANALYZE, KW_SAVEPOINT, KW_COMMENT,  KW_SUMMARIZE, KW_DEALLOCATE,
};
static const sql_keyword clause_words[] = {
    KW_FROM, KW_WHERE,  KW_GROUP,     KW_HAVING,  KW_ORDER,  KW_LIMIT,   KW_OFFSET, KW_UNION,
    KW_JOIN, KW_LEFT,   KW_RIGHT,     KW_INNER,   KW_CROSS,  KW_VALUES,  KW_USING,  KW_SELECT,
    KW_SET,  KW_EXCEPT, KW_INTERSECT, KW_QUALIFY, KW_WINDOW, KW_BETWEEN, KW_AND,
};

static text token_text(const sql_parser *self, const sql_token *token) {
    return text_slice(self->sql, token->position, (size_t)token->position + token->length);
}

// The keyword of the list that `word` is a misspelling of, KW_NONE if it is like none of them.
static sql_keyword nearest(const sql_keyword *list, size_t count, text word) {
    sql_keyword best = KW_NONE;
    size_t best_distance = word.size < 3 ? 0 : word.size < 6 ? 2 : 3; // Must be below that.
    for (size_t i = 0; i < count; i++) {
        const size_t distance = text_distance(sql_keyword_text(list[i]), word);
        if (distance < best_distance && distance > 0) {
            best = list[i];
            best_distance = distance;
        }
    }
    return best;
}

static void hint_did_you_mean(firn_error *err, sql_keyword keyword) {
    if (keyword != KW_NONE) {
        err_hint(err, "did you mean %s?", sql_keyword_text(keyword).data);
    }
}

// As many bytes of a token as a message can hold, cut between two characters.
static text shorten(text value) {
    if (value.size <= FOUND_SIZE_MAX) {
        return value;
    }
    size_t size = FOUND_SIZE_MAX;
    while (size > 0 && ((uint8_t)value.data[size] & 0xc0) == 0x80) {
        size -= 1;
    }
    return text_slice(value, 0, size);
}

static firn_status fail_expected(sql_parser *self, const char *expected, firn_error *err) {
    const sql_token *token = &self->token;
    if (token->kind == TOKEN_END) {
        return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, token->position,
                        "expected %s, found the end of the text", expected);
    }
    if (token->kind == TOKEN_STRING || token->kind == TOKEN_ESCAPE_STRING ||
        token->kind == TOKEN_DOLLAR_STRING) {
        // Its content is not repeated: in ATTACH it may be a secret.
        return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, token->position,
                        "expected %s, found a text in quotes", expected);
    }
    if (self->hides_values &&
        (token->kind == TOKEN_QUOTED || (token->kind == TOKEN_WORD && token->keyword == KW_NONE) ||
         token->kind == TOKEN_INTEGER || token->kind == TOKEN_DECIMAL ||
         token->kind == TOKEN_DOUBLE || token->kind == TOKEN_BLOB || token->kind == TOKEN_BITS)) {
        return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, token->position,
                        "expected %s, found something else", expected);
    }
    if (token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED) {
        text name;
        TRY(sql_token_name(self->sql, token, self->memory, &name, err)); // Is it a text at all?
    }
    const text whole = token_text(self, token);
    const text found = shorten(whole);
    return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, token->position, "expected %s, found \"%.*s%s\"",
                    expected, TEXT_ARGS(found), found.size < whole.size ? "..." : "");
}

// Whether what comes behind a word would come behind a name: then the word was meant as one.
static bool is_behind_name(const sql_token *token) {
    switch ((sql_token_kind)token->kind) {
    case TOKEN_COMMA:
    case TOKEN_DOT:
    case TOKEN_SEMICOLON:
    case TOKEN_RIGHT_PAREN:
    case TOKEN_OPERATOR:
    case TOKEN_CAST:
    case TOKEN_END:
        return true;
    case TOKEN_WORD:
        return token->keyword == KW_FROM || token->keyword == KW_AS || token->keyword == KW_WHERE ||
               token->keyword == KW_IS;
    case TOKEN_WRONG:
    case TOKEN_QUOTED:
    case TOKEN_INTEGER:
    case TOKEN_DECIMAL:
    case TOKEN_DOUBLE:
    case TOKEN_STRING:
    case TOKEN_ESCAPE_STRING:
    case TOKEN_DOLLAR_STRING:
    case TOKEN_BLOB:
    case TOKEN_BITS:
    case TOKEN_PARAMETER:
    case TOKEN_COLON:
    case TOKEN_ASSIGN:
    case TOKEN_NAMED:
    case TOKEN_LEFT_PAREN:
    case TOKEN_LEFT_BRACKET:
    case TOKEN_RIGHT_BRACKET:
    case TOKEN_LEFT_BRACE:
    case TOKEN_RIGHT_BRACE:
    case TOKEN_KIND_COUNT:
        break;
    }
    return false;
}

firn_status parser_unexpected(sql_parser *self, const char *expected, firn_error *err) {
    if (self->token.kind == TOKEN_WRONG) {
        sql_lexer again = {.sql = self->sql, .at = self->token.position};
        sql_token token;
        const firn_status status = sql_lexer_next(&again, &token, err);
        if (status != FIRN_OK && self->hides_values) {
            const uint64_t position = err->position;
            return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, position,
                            "the value of an option is no SQL; as a text it must be in quotes");
        }
        TRY(status);
    }
    return fail_expected(self, expected, err);
}

firn_status parser_unexpected_name(sql_parser *self, const char *expected, firn_error *err) {
    firn_status status = parser_unexpected(self, expected, err);
    const sql_token token = self->token;
    if (token.keyword != KW_NONE && is_behind_name(parser_peek(self, 1))) {
        const text word = token_text(self, &token);
        err_hint(err, "%s is a word of SQL; as a name it must be quoted: \"%.*s\"",
                 sql_keyword_text((sql_keyword)token.keyword).data, TEXT_ARGS(word));
    }
    return status;
}

static sql_keyword nearest_clause(const sql_parser *self, const sql_token *token) {
    if (token->kind != TOKEN_WORD || token->keyword != KW_NONE) {
        return KW_NONE;
    }
    return nearest(clause_words, sizeof clause_words / sizeof clause_words[0],
                   token_text(self, token));
}

firn_status parser_unexpected_rest(sql_parser *self, firn_error *err) {
    firn_status status = parser_unexpected(self, "\";\" or the end of the statement", err);
    sql_keyword meant = nearest_clause(self, &self->token);
    if (meant == KW_NONE) {
        // SELECT a FORM t: FORM was taken as an alias, and t is what is wrong.
        meant = nearest_clause(self, &self->last);
    }
    if (err->hint[0] == '\0') {
        hint_did_you_mean(err, meant);
    }
    return status;
}

firn_status parser_unexpected_statement(sql_parser *self, firn_error *err) {
    if (self->token.kind != TOKEN_WORD) {
        return parser_unexpected(self, "a statement", err);
    }
    firn_status status = fail_expected(self, "a statement", err);
    hint_did_you_mean(err,
                      nearest(statement_words, sizeof statement_words / sizeof statement_words[0],
                              token_text(self, &self->token)));
    return status;
}

firn_status parser_enter(sql_parser *self, firn_error *err) {
    if (self->depth == SQL_DEPTH_MAX) {
        return FAIL_SQL(err, FIRN_INVALID, SQL_TOO_COMPLEX, self->token.position,
                        "nested more than %d levels deep", SQL_DEPTH_MAX);
    }
    self->depth += 1;
    return FIRN_OK;
}
