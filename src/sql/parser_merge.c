// MERGE INTO t USING source ON condition WHEN ... THEN ...
#include "sql/parser_private.h"

// MATCHED, NOT MATCHED [BY TARGET], NOT MATCHED BY SOURCE: WHEN is taken.
static firn_status parse_match(sql_parser *self, sql_merge_match *out, firn_error *err) {
    const bool is_negated = parser_accept_word(self, KW_NOT);
    TRY(parser_expect_word(self, KW_MATCHED, err));
    *out = is_negated ? SQL_MERGE_NOT_MATCHED : SQL_MERGE_MATCHED;
    if (!is_negated || !parser_accept_word(self, KW_BY)) {
        return FIRN_OK;
    }
    if (parser_accept_word(self, KW_SOURCE)) {
        *out = SQL_MERGE_NOT_MATCHED_BY_SOURCE;
        return FIRN_OK;
    }
    return parser_expect_word(self, KW_TARGET, err);
}

static bool accept_star(sql_parser *self) {
    const bool is_star = parser_at_operator(self, SQL_OP_MULTIPLY);
    if (is_star) {
        parser_advance(self);
    }
    return is_star;
}

// UPDATE SET a = b, UPDATE SET *, UPDATE *: UPDATE is taken.
static firn_status parse_update(sql_parser *self, sql_merge_when *when, firn_error *err) {
    when->action = SQL_MERGE_UPDATE;
    when->is_star = accept_star(self);
    if (when->is_star) {
        return FIRN_OK;
    }
    TRY(parser_expect_word(self, KW_SET, err));
    when->is_star = accept_star(self);
    return when->is_star ? FIRN_OK : sql_parse_assignments(self, &when->assignments, err);
}

// INSERT (a, b) VALUES (c, d), INSERT *, INSERT DEFAULT VALUES: INSERT is taken.
static firn_status parse_insert(sql_parser *self, sql_merge_when *when, firn_error *err) {
    when->action = SQL_MERGE_INSERT;
    when->is_star = accept_star(self);
    if (when->is_star || parser_accept_words(self, KW_DEFAULT, KW_VALUES)) {
        return FIRN_OK;
    }
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        TRY(parser_expect_name_list(self, "the name of a column", &when->columns, err));
    }
    TRY(parser_expect_word(self, KW_VALUES, err));
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    const uint32_t start = self->token.position;
    TRY(sql_parse_expr_list(self, &when->values, err));
    if (when->columns.count > 0 && when->columns.count != when->values.count) {
        return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, start, "%zu values for %zu columns",
                        when->values.count, when->columns.count);
    }
    return parser_expect(self, TOKEN_RIGHT_PAREN, err);
}

// Which actions a match allows: there is no row to insert where one matched, and none to change
// where none did.
static firn_status check_action(const sql_merge_when *when, uint32_t position, firn_error *err) {
    const bool inserts = when->action == SQL_MERGE_INSERT;
    const bool is_new = when->match == SQL_MERGE_NOT_MATCHED;
    if (when->action == SQL_MERGE_NOTHING || inserts == is_new) {
        return FIRN_OK;
    }
    return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, position,
                    is_new ? "UPDATE or DELETE behind WHEN NOT MATCHED, allowed is INSERT"
                           : "INSERT where a row of the table is there, allowed are UPDATE and "
                             "DELETE");
}

static firn_status parse_when(sql_parser *self, const sql_merge_when **out, firn_error *err) {
    sql_merge_when when = {.node = PART_AT(SQL_MERGE_WHEN, self->token.position)};
    TRY(parser_expect_word(self, KW_WHEN, err));
    TRY(parse_match(self, &when.match, err));
    if (parser_accept_word(self, KW_AND)) {
        TRY(sql_parse_expr(self, &when.condition, err));
    }
    TRY(parser_expect_word(self, KW_THEN, err));
    const uint32_t position = self->token.position;
    if (parser_accept_word(self, KW_UPDATE)) {
        TRY(parse_update(self, &when, err));
    } else if (parser_accept_word(self, KW_INSERT)) {
        TRY(parse_insert(self, &when, err));
    } else if (parser_accept_word(self, KW_DELETE)) {
        when.action = SQL_MERGE_DELETE;
    } else if (parser_accept_words(self, KW_DO, KW_NOTHING)) {
        when.action = SQL_MERGE_NOTHING;
    } else {
        return parser_unexpected(self, "UPDATE, DELETE, INSERT or DO NOTHING behind THEN", err);
    }
    TRY(check_action(&when, position, err));
    return KEEP(self, when, out, err);
}

firn_status sql_parse_merge(sql_parser *self, uint32_t start, const sql_with *with,
                            const sql_statement **out, firn_error *err) {
    sql_merge merge = {.node = STATEMENT_AT(SQL_MERGE, start), .with = with};
    parser_advance(self);
    TRY(parser_expect_word(self, KW_INTO, err));
    TRY(sql_parse_target(self, true, &merge.table, err));
    TRY(parser_expect_word(self, KW_USING, err));
    TRY(sql_parse_relation(self, &merge.source, err));
    TRY(parser_expect_word(self, KW_ON, err));
    TRY(sql_parse_expr(self, &merge.on, err));
    const size_t mark = parser_mark(self);
    do {
        const sql_merge_when *when;
        TRY(parse_when(self, &when, err));
        TRY(parser_push(self, when, err));
    } while (parser_at_word(self, KW_WHEN));
    TRY(parser_take_list(self, mark, &merge.whens, err));
    TRY(sql_parse_returning(self, &merge.returning, err));
    return KEEP(self, merge, out, err);
}
