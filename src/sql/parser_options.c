// Options in parentheses: WITH ('format-version' = '2'), COPY ... (FORMAT parquet, PARTITION_BY
// (a)).
#include "sql/parser_private.h"

// 'text', "quoted", word, dotted.words: one name, dots and all.
static firn_status parse_key(sql_parser *self, sql_name *out, firn_error *err) {
    if (parser_at_string(self)) {
        const sql_literal *key;
        TRY(sql_parse_string(self, "an option", &key, err));
        *out = (sql_name){.value = key->value,
                          .position = key->node.position,
                          .length = key->node.length,
                          .is_quoted = true};
        return out->value.size > 0 ? FIRN_OK
                                   : FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, out->position,
                                              "an option without a name");
    }
    TRY(parser_expect_label(self, "an option", out, err));
    while (!out->is_quoted && parser_at(self, TOKEN_DOT) &&
           parser_peek(self, 1)->kind == TOKEN_WORD) {
        parser_advance(self);
        parser_advance(self);
        out->length = parser_end(self) - out->position;
        out->value = text_slice(self->sql, out->position, parser_end(self));
    }
    return FIRN_OK;
}

// A bare word that ends the option is a word even where SQL has a use for it: FORMAT table.
static bool at_bare_word(sql_parser *self) {
    const sql_token *behind = parser_peek(self, 1);
    const bool is_literal = parser_at_word(self, KW_TRUE) || parser_at_word(self, KW_FALSE) ||
                            parser_at_word(self, KW_NULL);
    return parser_at(self, TOKEN_WORD) && !is_literal &&
           (behind->kind == TOKEN_COMMA || behind->kind == TOKEN_RIGHT_PAREN ||
            behind->kind == TOKEN_SEMICOLON || behind->kind == TOKEN_END);
}

firn_status sql_parse_setting_value(sql_parser *self, const sql_expr **out, firn_error *err) {
    if (!at_bare_word(self)) {
        return sql_parse_expr(self, out, err);
    }
    sql_column word = {.node = EXPR_AT(SQL_COLUMN, self->token.position)};
    const size_t mark = self->name_count;
    sql_name name;
    TRY(parser_take_name(self, &name, err));
    TRY(parser_push_name(self, name, err));
    TRY(parser_take_names(self, mark, &word.path, err));
    return KEEP(self, word, out, err);
}

static firn_status parse_option(sql_parser *self, bool values_allowed, const sql_option **out,
                                firn_error *err) {
    sql_option option = {.node = PART_AT(SQL_OPTION, self->token.position)};
    TRY(parse_key(self, &option.key, err));
    if (values_allowed && !parser_at(self, TOKEN_COMMA) && !parser_at(self, TOKEN_RIGHT_PAREN)) {
        if (parser_at_operator(self, SQL_OP_EQUAL) || parser_at(self, TOKEN_NAMED)) {
            parser_advance(self);
        }
        TRY(sql_parse_setting_value(self, &option.value, err));
    }
    return KEEP(self, option, out, err);
}

firn_status sql_parse_options(sql_parser *self, bool values_allowed, sql_list *out,
                              firn_error *err) {
    const size_t mark = parser_mark(self);
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    do {
        const sql_option *option;
        TRY(parse_option(self, values_allowed, &option, err));
        TRY(parser_push(self, option, err));
    } while (parser_accept(self, TOKEN_COMMA));
    if (!parser_accept(self, TOKEN_RIGHT_PAREN)) {
        return parser_unexpected(self, "\",\" or \")\" behind an option", err);
    }
    return parser_take_list(self, mark, out, err);
}
