// INSERT, UPDATE, DELETE, TRUNCATE. WITH, where it may stand, was read by the caller.
#include "sql/parser_private.h"

// ---- INSERT ------------------------------------------------------------------------------------

// (a, b), unless the parenthesis begins the query.
static firn_status parse_columns(sql_parser *self, sql_names *out, firn_error *err) {
    const sql_token *behind = parser_peek(self, 1);
    if (out->count > 0 || !parser_at(self, TOKEN_LEFT_PAREN) || behind->kind == TOKEN_LEFT_PAREN ||
        behind->keyword == KW_SELECT || behind->keyword == KW_WITH || behind->keyword == KW_FROM ||
        behind->keyword == KW_TABLE ||
        (behind->keyword == KW_VALUES && parser_peek(self, 2)->kind == TOKEN_LEFT_PAREN)) {
        return FIRN_OK;
    }
    return parser_expect_name_list(self, "the name of a column", out, err);
}

firn_status sql_parse_insert(sql_parser *self, uint32_t start, const sql_with *with,
                             const sql_statement **out, firn_error *err) {
    sql_insert insert = {.node = STATEMENT_AT(SQL_INSERT, start), .with = with};
    parser_advance(self);
    insert.is_overwrite = parser_accept_word(self, KW_OVERWRITE);
    if (!parser_accept_word(self, KW_INTO) && !insert.is_overwrite) {
        return parser_unexpected(self, "INTO or OVERWRITE behind INSERT", err);
    }
    (void)parser_accept_word(self, KW_TABLE);
    TRY(sql_parse_target(self, false, &insert.table, err));
    TRY(parse_columns(self, &insert.columns, err));
    insert.is_by_name = parser_accept_words(self, KW_BY, KW_NAME);
    if (!insert.is_overwrite && parser_accept_words(self, KW_REPLACE, KW_WHERE)) {
        TRY(sql_parse_expr(self, &insert.replace_where, err));
    }
    if (parser_accept_words(self, KW_DEFAULT, KW_VALUES)) {
        if (insert.columns.count > 0 || insert.is_overwrite || insert.is_by_name) {
            return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, self->last.position,
                            "DEFAULT VALUES goes with INSERT INTO and without columns");
        }
    } else {
        TRY(sql_parse_query(self, &insert.query, err));
    }
    TRY(sql_parse_returning(self, &insert.returning, err));
    return KEEP(self, insert, out, err);
}

// ---- UPDATE, DELETE, TRUNCATE ------------------------------------------------------------------

static firn_status push_column(sql_parser *self, firn_error *err) {
    sql_column column = {.node = EXPR_AT(SQL_COLUMN, self->token.position)};
    const sql_column *kept;
    TRY(parser_expect_path(self, "a column", &column.path, err));
    TRY(KEEP(self, column, &kept, err));
    return parser_push(self, kept, err);
}

// a.b = value, (a, b) = value
static firn_status parse_assignment(sql_parser *self, const sql_assignment **out, firn_error *err) {
    sql_assignment assignment = {.node = PART_AT(SQL_ASSIGNMENT, self->token.position)};
    const size_t mark = parser_mark(self);
    if (parser_accept(self, TOKEN_LEFT_PAREN)) {
        do {
            TRY(push_column(self, err));
        } while (parser_accept(self, TOKEN_COMMA));
        TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    } else {
        TRY(push_column(self, err));
    }
    TRY(parser_take_list(self, mark, &assignment.targets, err));
    if (!parser_at_operator(self, SQL_OP_EQUAL)) {
        return parser_unexpected(self, "\"=\"", err);
    }
    parser_advance(self);
    TRY(sql_parse_expr(self, &assignment.value, err));
    return KEEP(self, assignment, out, err);
}

firn_status sql_parse_assignments(sql_parser *self, sql_list *out, firn_error *err) {
    const size_t mark = parser_mark(self);
    do {
        const sql_assignment *assignment;
        TRY(parse_assignment(self, &assignment, err));
        TRY(parser_push(self, assignment, err));
    } while (parser_accept(self, TOKEN_COMMA));
    return parser_take_list(self, mark, out, err);
}

firn_status sql_parse_update(sql_parser *self, uint32_t start, const sql_with *with,
                             const sql_statement **out, firn_error *err) {
    sql_update update = {.node = STATEMENT_AT(SQL_UPDATE, start), .with = with};
    parser_advance(self);
    TRY(sql_parse_target(self, true, &update.table, err));
    TRY(parser_expect_word(self, KW_SET, err));
    TRY(sql_parse_assignments(self, &update.assignments, err));
    if (parser_accept_word(self, KW_FROM)) {
        TRY(sql_parse_from_list(self, &update.from, err));
    }
    if (parser_accept_word(self, KW_WHERE)) {
        TRY(sql_parse_expr(self, &update.where, err));
    }
    TRY(sql_parse_returning(self, &update.returning, err));
    return KEEP(self, update, out, err);
}

firn_status sql_parse_delete(sql_parser *self, uint32_t start, const sql_with *with,
                             const sql_statement **out, firn_error *err) {
    sql_delete delete = {.node = STATEMENT_AT(SQL_DELETE, start), .with = with};
    parser_advance(self);
    TRY(parser_expect_word(self, KW_FROM, err));
    TRY(sql_parse_target(self, true, &delete.table, err));
    if (parser_accept_word(self, KW_USING)) {
        TRY(sql_parse_from_list(self, &delete.using, err));
    }
    if (parser_accept_word(self, KW_WHERE)) {
        TRY(sql_parse_expr(self, &delete.where, err));
    }
    TRY(sql_parse_returning(self, &delete.returning, err));
    return KEEP(self, delete, out, err);
}

firn_status sql_parse_truncate(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_truncate truncate = {.node = STATEMENT_AT(SQL_TRUNCATE, self->token.position)};
    parser_advance(self);
    (void)parser_accept_word(self, KW_TABLE);
    TRY(parser_expect_path(self, "a table", &truncate.table, err));
    return KEEP(self, truncate, out, err);
}
