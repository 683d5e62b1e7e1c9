// One SELECT with its clauses, in either order: SELECT a FROM t WHERE b, FROM t SELECT a WHERE b.
#include "sql/parser_private.h"

// ---- The list ----------------------------------------------------------------------------------

// EXCLUDE (a, t.b), EXCLUDE a; also EXCEPT (a).
static firn_status parse_exclude(sql_parser *self, sql_list *out, firn_error *err) {
    const size_t mark = parser_mark(self);
    parser_advance(self);
    const bool has_parentheses = parser_accept(self, TOKEN_LEFT_PAREN);
    do {
        sql_column column = {.node = EXPR_AT(SQL_COLUMN, self->token.position)};
        const sql_column *kept;
        TRY(parser_expect_path(self, "a column", &column.path, err));
        TRY(KEEP(self, column, &kept, err));
        TRY(parser_push(self, kept, err));
    } while (has_parentheses && parser_accept(self, TOKEN_COMMA));
    if (has_parentheses) {
        TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    }
    return parser_take_list(self, mark, out, err);
}

// REPLACE (a + 1 AS a), RENAME (a AS b): one or several, the parentheses may miss around one.
static firn_status parse_replacements(sql_parser *self, bool is_rename, sql_list *out,
                                      firn_error *err) {
    const size_t mark = parser_mark(self);
    parser_advance(self);
    const bool has_parentheses = parser_accept(self, TOKEN_LEFT_PAREN);
    do {
        sql_select_item item = {.node = PART_AT(SQL_SELECT_ITEM, self->token.position)};
        const sql_select_item *kept;
        if (is_rename) {
            sql_column column = {.node = EXPR_AT(SQL_COLUMN, self->token.position)};
            TRY(parser_expect_path(self, "a column", &column.path, err));
            TRY(KEEP(self, column, &item.value, err));
        } else {
            TRY(sql_parse_expr(self, &item.value, err));
        }
        TRY(parser_expect_word(self, KW_AS, err));
        TRY(parser_expect_label(self, "the name of a column", &item.alias, err));
        TRY(KEEP(self, item, &kept, err));
        TRY(parser_push(self, kept, err));
    } while (has_parentheses && parser_accept(self, TOKEN_COMMA));
    if (has_parentheses) {
        TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    }
    return parser_take_list(self, mark, out, err);
}

firn_status sql_parse_star_clauses(sql_parser *self, const sql_star *bare, const sql_expr **out,
                                   firn_error *err) {
    sql_star star = *bare;
    if (parser_at_word(self, KW_LIKE) || parser_at_word(self, KW_ILIKE)) {
        star.is_pattern_nocase = parser_at_word(self, KW_ILIKE);
        parser_advance(self);
        const sql_literal *pattern;
        TRY(sql_parse_string(self, "a pattern in single quotes", &pattern, err));
        star.pattern = &pattern->node;
    }
    const bool has_list = parser_peek(self, 1)->kind == TOKEN_LEFT_PAREN;
    if (parser_at_word(self, KW_EXCLUDE) || (parser_at_word(self, KW_EXCEPT) && has_list)) {
        TRY(parse_exclude(self, &star.exclude, err));
    }
    if (parser_at_word(self, KW_REPLACE)) {
        TRY(parse_replacements(self, false, &star.replace, err));
    }
    if (parser_at_word(self, KW_RENAME)) {
        TRY(parse_replacements(self, true, &star.rename, err));
    }
    return KEEP(self, star, out, err);
}

firn_status sql_parse_select_star(sql_parser *self, const sql_expr **out, firn_error *err) {
    sql_star star = {.node = EXPR_AT(SQL_STAR, self->token.position)};
    parser_advance(self);
    return sql_parse_star_clauses(self, &star, out, err);
}

static firn_status parse_select_item(sql_parser *self, const sql_select_item **out,
                                     firn_error *err) {
    sql_select_item item = {.node = PART_AT(SQL_SELECT_ITEM, self->token.position)};
    if (parser_at_operator(self, SQL_OP_MULTIPLY)) {
        TRY(sql_parse_select_star(self, &item.value, err));
        return KEEP(self, item, out, err);
    }
    TRY(sql_parse_expr(self, &item.value, err));
    if (sql_is_expr(item.value, SQL_STAR)) {
        TRY(sql_parse_star_clauses(self, sql_star_of(item.value), &item.value, err));
        return KEEP(self, item, out, err);
    }
    TRY(parser_alias(self, &item.alias, err));
    return KEEP(self, item, out, err);
}

// Whether a comma before the next token ends the list, as in SELECT a, b, FROM t.
static bool ends_list(const sql_parser *self) {
    return parser_at_word(self, KW_FROM) || parser_at(self, TOKEN_END) ||
           parser_at(self, TOKEN_SEMICOLON) || parser_at(self, TOKEN_RIGHT_PAREN);
}

firn_status sql_parse_select_items(sql_parser *self, sql_list *out, firn_error *err) {
    const size_t mark = parser_mark(self);
    do {
        const sql_select_item *item;
        TRY(parse_select_item(self, &item, err));
        TRY(parser_push(self, item, err));
    } while (parser_accept(self, TOKEN_COMMA) && !ends_list(self));
    return parser_take_list(self, mark, out, err);
}

firn_status sql_parse_returning(sql_parser *self, sql_list *out, firn_error *err) {
    return parser_accept_word(self, KW_RETURNING) ? sql_parse_select_items(self, out, err)
                                                  : FIRN_OK;
}

// ---- GROUP BY ----------------------------------------------------------------------------------

static firn_status parse_grouping_element(sql_parser *self, const sql_expr **out, firn_error *err);

static firn_status parse_grouping_list(sql_parser *self, sql_list *out, firn_error *err) {
    const size_t mark = parser_mark(self);
    do {
        const sql_expr *element;
        TRY(parse_grouping_element(self, &element, err));
        TRY(parser_push(self, element, err));
    } while (parser_accept(self, TOKEN_COMMA));
    return parser_take_list(self, mark, out, err);
}

// The word or words before the parentheses are taken.
static firn_status parse_grouping(sql_parser *self, uint32_t start, sql_grouping_kind kind,
                                  const sql_expr **out, firn_error *err) {
    sql_grouping grouping = {.node = EXPR_AT(SQL_GROUPING, start), .kind = kind};
    TRY(parser_enter(self, err));
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(parse_grouping_list(self, &grouping.items, err));
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    parser_leave(self);
    return KEEP(self, grouping, out, err);
}

static firn_status parse_grouping_element(sql_parser *self, const sql_expr **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const sql_token behind = *parser_peek(self, 1);
    if (parser_at(self, TOKEN_LEFT_PAREN) && behind.kind == TOKEN_RIGHT_PAREN) {
        sql_grouping empty = {.node = EXPR_AT(SQL_GROUPING, start), .kind = SQL_GROUPING_EMPTY};
        parser_advance(self);
        parser_advance(self);
        return KEEP(self, empty, out, err);
    }
    if (parser_accept_words(self, KW_GROUPING, KW_SETS)) {
        return parse_grouping(self, start, SQL_GROUPING_SETS, out, err);
    }
    if (behind.kind == TOKEN_LEFT_PAREN) {
        if (parser_accept_word(self, KW_ROLLUP)) {
            return parse_grouping(self, start, SQL_GROUPING_ROLLUP, out, err);
        }
        if (parser_accept_word(self, KW_CUBE)) {
            return parse_grouping(self, start, SQL_GROUPING_CUBE, out, err);
        }
    }
    return sql_parse_expr(self, out, err);
}

static firn_status parse_group_by(sql_parser *self, sql_select *select, firn_error *err) {
    parser_advance(self);
    TRY(parser_expect_word(self, KW_BY, err));
    select->is_group_all = parser_accept_word(self, KW_ALL);
    return select->is_group_all ? FIRN_OK : parse_grouping_list(self, &select->group_by, err);
}

// ---- The other clauses -------------------------------------------------------------------------

static firn_status parse_windows(sql_parser *self, sql_list *out, firn_error *err) {
    const size_t mark = parser_mark(self);
    parser_advance(self);
    do {
        sql_named_window named = {.node = PART_AT(SQL_NAMED_WINDOW, self->token.position)};
        const sql_named_window *kept;
        TRY(parser_expect_name(self, "the name of a window", &named.name, err));
        TRY(parser_expect_word(self, KW_AS, err));
        TRY(sql_parse_window(self, &named.window, err));
        TRY(KEEP(self, named, &kept, err));
        TRY(parser_push(self, kept, err));
    } while (parser_accept(self, TOKEN_COMMA));
    return parser_take_list(self, mark, out, err);
}

static firn_status parse_distinct(sql_parser *self, sql_select *select, firn_error *err) {
    if (parser_accept_word(self, KW_ALL) || !parser_accept_word(self, KW_DISTINCT)) {
        return FIRN_OK;
    }
    select->is_distinct = true;
    if (!parser_accept_word(self, KW_ON)) {
        return FIRN_OK;
    }
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(sql_parse_expr_list(self, &select->distinct_on, err));
    return parser_expect(self, TOKEN_RIGHT_PAREN, err);
}

// SELECT [DISTINCT] items; SELECT is taken.
static firn_status parse_items(sql_parser *self, sql_select *select, firn_error *err) {
    TRY(parse_distinct(self, select, err));
    return sql_parse_select_items(self, &select->items, err);
}

static firn_status keep_star_item(sql_parser *self, uint32_t start, sql_list *out,
                                  firn_error *err) {
    sql_star star = {.node = EXPR_AT(SQL_STAR, start)};
    sql_select_item item = {.node = PART_AT(SQL_SELECT_ITEM, start)};
    const sql_select_item *kept;
    const size_t mark = parser_mark(self);
    TRY(KEEP(self, star, &item.value, err));
    TRY(KEEP(self, item, &kept, err));
    TRY(parser_push(self, kept, err));
    return parser_take_list(self, mark, out, err);
}

static firn_status parse_clauses(sql_parser *self, sql_select *select, firn_error *err) {
    if (parser_accept_word(self, KW_WHERE)) {
        TRY(sql_parse_expr(self, &select->where, err));
    }
    if (parser_at_word(self, KW_GROUP)) {
        TRY(parse_group_by(self, select, err));
    }
    if (parser_accept_word(self, KW_HAVING)) {
        TRY(sql_parse_expr(self, &select->having, err));
    }
    if (parser_at_word(self, KW_WINDOW)) {
        TRY(parse_windows(self, &select->windows, err));
    }
    if (parser_accept_word(self, KW_QUALIFY)) {
        TRY(sql_parse_expr(self, &select->qualify, err));
    }
    if (parser_at_word(self, KW_WINDOW) && select->windows.count == 0) {
        TRY(parse_windows(self, &select->windows, err));
    }
    return FIRN_OK;
}

// TABLE t is SELECT * FROM t.
static firn_status parse_table_query(sql_parser *self, sql_select *select, firn_error *err) {
    const uint32_t start = self->token.position;
    const size_t mark = parser_mark(self);
    const sql_table *table;
    parser_advance(self);
    TRY(sql_parse_table(self, &table, err));
    TRY(parser_push(self, table, err));
    TRY(parser_take_list(self, mark, &select->from, err));
    return keep_star_item(self, start, &select->items, err);
}

firn_status sql_parse_select(sql_parser *self, const sql_body **out, firn_error *err) {
    const uint32_t start = self->token.position;
    sql_select select = {.node = BODY_AT(SQL_SELECT, start)};
    if (parser_at_word(self, KW_TABLE)) {
        TRY(parse_table_query(self, &select, err));
        return KEEP(self, select, out, err);
    }
    if (parser_accept_word(self, KW_SELECT)) {
        TRY(parse_items(self, &select, err));
        if (parser_accept_word(self, KW_FROM)) {
            TRY(sql_parse_from_list(self, &select.from, err));
        }
    } else {
        TRY(parser_expect_word(self, KW_FROM, err));
        TRY(sql_parse_from_list(self, &select.from, err));
        if (parser_accept_word(self, KW_SELECT)) {
            TRY(parse_items(self, &select, err));
        } else {
            TRY(keep_star_item(self, start, &select.items, err));
        }
    }
    TRY(parse_clauses(self, &select, err));
    return KEEP(self, select, out, err);
}
