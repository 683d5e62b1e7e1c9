// COPY (query) TO 'path' (options), COPY t FROM 'path' (options). DataFusion's STORED AS,
// PARTITIONED BY and OPTIONS become options too.
#include "sql/parser_private.h"

static firn_status push_option(sql_parser *self, uint32_t start, text key, const sql_expr *value,
                               firn_error *err) {
    sql_option option = {.node = PART_AT(SQL_OPTION, start),
                         .key = {.value = key, .position = start},
                         .value = value};
    const sql_option *kept;
    option.key.length = parser_end(self) - start;
    TRY(KEEP(self, option, &kept, err));
    return parser_push(self, kept, err);
}

// STORED AS csv: behind the words.
static firn_status parse_stored_as(sql_parser *self, uint32_t start, firn_error *err) {
    sql_column word = {.node = EXPR_AT(SQL_COLUMN, self->token.position)};
    const size_t mark = self->name_count;
    const sql_expr *value;
    sql_name name;
    TRY(parser_expect_label(self, "a format such as parquet", &name, err));
    TRY(parser_push_name(self, name, err));
    TRY(parser_take_names(self, mark, &word.path, err));
    TRY(KEEP(self, word, &value, err));
    return push_option(self, start, TEXT("FORMAT"), value, err);
}

// PARTITIONED BY (a, b): behind the words.
static firn_status parse_partitioned_by(sql_parser *self, uint32_t start, firn_error *err) {
    sql_row row = {.node = EXPR_AT(SQL_ROW, self->token.position)};
    const sql_expr *value;
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(sql_parse_expr_list(self, &row.items, err));
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    if (row.items.count == 1) {
        value = row.items.items[0];
    } else {
        TRY(KEEP(self, row, &value, err));
    }
    return push_option(self, start, TEXT("PARTITION_BY"), value, err);
}

static firn_status push_options(sql_parser *self, firn_error *err) {
    sql_list options;
    TRY(sql_parse_options(self, true, &options, err));
    for (size_t i = 0; i < options.count; i++) {
        TRY(parser_push(self, options.items[i], err));
    }
    return FIRN_OK;
}

static firn_status parse_clauses(sql_parser *self, sql_list *out, firn_error *err) {
    const size_t mark = parser_mark(self);
    for (;;) {
        const uint32_t start = self->token.position;
        if (parser_accept_words(self, KW_STORED, KW_AS)) {
            TRY(parse_stored_as(self, start, err));
        } else if (parser_accept_words(self, KW_PARTITIONED, KW_BY)) {
            TRY(parse_partitioned_by(self, start, err));
        } else if (parser_accept_word(self, KW_WITH) || parser_accept_word(self, KW_OPTIONS) ||
                   parser_at(self, TOKEN_LEFT_PAREN)) {
            TRY(push_options(self, err));
        } else {
            return parser_take_list(self, mark, out, err);
        }
    }
}

firn_status sql_parse_copy(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_copy copy = {.node = STATEMENT_AT(SQL_COPY, self->token.position)};
    parser_advance(self);
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        TRY(sql_parse_query_in_parentheses(self, &copy.query, err));
    } else {
        TRY(parser_expect_path(self, "a table, or a query in parentheses", &copy.table, err));
        if (parser_at(self, TOKEN_LEFT_PAREN)) {
            TRY(parser_expect_name_list(self, "the name of a column", &copy.columns, err));
        }
    }
    copy.is_from = copy.query == NULL && parser_accept_word(self, KW_FROM);
    if (!copy.is_from && !parser_accept_word(self, KW_TO)) {
        return parser_unexpected(self, copy.query == NULL ? "TO or FROM" : "TO", err);
    }
    TRY(sql_parse_place(self, &copy.place, err));
    TRY(parse_clauses(self, &copy.options, err));
    return KEEP(self, copy, out, err);
}
