// What stands in FROM: tables with time travel, files, queries, table functions, and joins.
#include "sql/parser_private.h"

// ---- Tables ------------------------------------------------------------------------------------

// Takes the words before the version, if they are there: FOR VERSION AS OF, also FOR SYSTEM_VERSION
// and without FOR. `*is_time`: it was TIMESTAMP or SYSTEM_TIME.
static bool accept_time_travel(sql_parser *self, bool *is_time) {
    const bool has_for = parser_at_word(self, KW_FOR);
    const uint32_t at = has_for ? 1 : 0;
    const sql_keyword word =
        (sql_keyword)(has_for ? parser_peek(self, 1)->keyword : self->token.keyword);
    *is_time = word == KW_TIMESTAMP || word == KW_SYSTEM_TIME;
    if ((!*is_time && word != KW_VERSION && word != KW_SYSTEM_VERSION) ||
        parser_peek(self, at + 1)->keyword != KW_AS ||
        parser_peek(self, at + 2)->keyword != KW_OF) {
        return false;
    }
    for (uint32_t i = 0; i < at + 3; i++) {
        parser_advance(self);
    }
    return true;
}

// AT (VERSION => 1), AT (TIMESTAMP => ts).
static bool accept_at(sql_parser *self, bool *is_time) {
    if (!parser_at_word(self, KW_AT) || parser_peek(self, 1)->kind != TOKEN_LEFT_PAREN ||
        parser_peek(self, 3)->kind != TOKEN_NAMED) {
        return false;
    }
    const sql_keyword word = (sql_keyword)parser_peek(self, 2)->keyword;
    *is_time = word == KW_TIMESTAMP;
    if (!*is_time && word != KW_VERSION) {
        return false;
    }
    for (uint32_t i = 0; i < 4; i++) {
        parser_advance(self);
    }
    return true;
}

static firn_status parse_time_travel(sql_parser *self, sql_table *table, firn_error *err) {
    bool is_time;
    if (table->version != NULL || table->timestamp != NULL) {
        return FIRN_OK;
    }
    if (accept_time_travel(self, &is_time)) {
        return sql_parse_expr_above(self, SQL_BIND_OTHER,
                                    is_time ? &table->timestamp : &table->version, err);
    }
    if (accept_at(self, &is_time)) {
        TRY(sql_parse_expr(self, is_time ? &table->timestamp : &table->version, err));
        return parser_expect(self, TOKEN_RIGHT_PAREN, err);
    }
    return parser_at_word(self, KW_FOR)
               ? parser_unexpected(self, "FOR VERSION AS OF or FOR TIMESTAMP AS OF", err)
               : FIRN_OK;
}

// TABLESAMPLE [method] (10 [PERCENT | ROWS]) [REPEATABLE (seed)], or nothing.
static firn_status parse_sample(sql_parser *self, const sql_sample **out, firn_error *err) {
    sql_sample sample = {.node = PART_AT(SQL_SAMPLE, self->token.position)};
    if (*out != NULL || !parser_accept_word(self, KW_TABLESAMPLE)) {
        return FIRN_OK;
    }
    if (!parser_at(self, TOKEN_LEFT_PAREN)) {
        TRY(parser_expect_name(self, "\"(\" or a method such as BERNOULLI", &sample.method, err));
    }
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(sql_parse_expr(self, &sample.amount, err));
    sample.is_rows = parser_accept_word(self, KW_ROWS);
    if (!sample.is_rows) {
        (void)parser_accept_word(self, KW_PERCENT);
    }
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    if (parser_accept_word(self, KW_REPEATABLE)) {
        TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
        TRY(sql_parse_expr(self, &sample.seed, err));
        TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    }
    return KEEP(self, sample, out, err);
}

// Whether the word is no alias but begins a join: ASOF JOIN, SEMI JOIN ...
static bool at_soft_join(sql_parser *self) {
    switch (self->token.keyword) {
    case KW_SEMI:
    case KW_ANTI:
    case KW_POSITIONAL:
        return parser_peek(self, 1)->keyword == KW_JOIN;
    case KW_ASOF: {
        const sql_keyword next = (sql_keyword)parser_peek(self, 1)->keyword;
        return next == KW_JOIN || next == KW_LEFT || next == KW_RIGHT || next == KW_INNER ||
               next == KW_FULL || next == KW_SEMI || next == KW_ANTI;
    }
    default:
        return false;
    }
}

// [AS] name [(a, b)], or nothing. `is_update`: SET ends the table.
static firn_status parse_table_alias(sql_parser *self, bool is_update, sql_name *alias,
                                     sql_names *columns, firn_error *err) {
    if (parser_accept_word(self, KW_AS)) {
        TRY(parser_expect_name(self, "an alias of the table", alias, err));
    } else if (parser_at_alias(self) && !at_soft_join(self) &&
               !(is_update && parser_at_word(self, KW_SET))) {
        TRY(parser_take_name(self, alias, err));
    } else {
        return FIRN_OK;
    }
    return parser_at(self, TOKEN_LEFT_PAREN)
               ? parser_expect_name_list(self, "the name of a column", columns, err)
               : FIRN_OK;
}

static firn_status parse_table_name(sql_parser *self, sql_table *table, firn_error *err) {
    if (parser_at_string(self)) {
        return sql_parse_string(self, "a file", &table->file, err);
    }
    if (parser_at_word(self, KW_VALUES) && parser_peek(self, 1)->kind == TOKEN_LEFT_PAREN) {
        firn_status status = parser_unexpected(self, "a table", err);
        err_hint(err, "put VALUES with its rows in parentheses");
        return status;
    }
    return parser_expect_path(self, "a table", &table->path, err);
}

firn_status sql_parse_table(sql_parser *self, const sql_table **out, firn_error *err) {
    sql_table table = {.node = RELATION_AT(SQL_TABLE, self->token.position)};
    TRY(parse_table_name(self, &table, err));
    TRY(parse_time_travel(self, &table, err));
    return KEEP(self, table, out, err);
}

firn_status sql_parse_target(sql_parser *self, bool has_alias, const sql_table **out,
                             firn_error *err) {
    sql_table table = {.node = RELATION_AT(SQL_TABLE, self->token.position)};
    TRY(parser_expect_path(self, "a table", &table.path, err));
    if (has_alias) {
        TRY(parse_table_alias(self, true, &table.alias, &table.columns, err));
    }
    return KEEP(self, table, out, err);
}

// ---- One item ----------------------------------------------------------------------------------

static firn_status parse_derived_rest(sql_parser *self, sql_derived *derived,
                                      const sql_relation **out, firn_error *err) {
    TRY(parse_sample(self, &derived->sample, err));
    TRY(parse_table_alias(self, false, &derived->alias, &derived->columns, err));
    TRY(parse_sample(self, &derived->sample, err));
    return KEEP(self, *derived, out, err);
}

// f(...) [WITH ORDINALITY] [AS a (x, y)]: behind the name, "(" is next.
static firn_status parse_table_function(sql_parser *self, uint32_t start, sql_names path,
                                        bool is_lateral, const sql_relation **out,
                                        firn_error *err) {
    sql_table_function function = {.node = RELATION_AT(SQL_TABLE_FUNCTION, start),
                                   .is_lateral = is_lateral};
    const sql_expr *call;
    TRY(sql_parse_call(self, start, path, NULL, &call, err));
    function.call = sql_call_of(call);
    function.with_ordinality = parser_accept_words(self, KW_WITH, KW_ORDINALITY);
    TRY(parse_sample(self, &function.sample, err));
    TRY(parse_table_alias(self, false, &function.alias, &function.columns, err));
    TRY(parse_sample(self, &function.sample, err));
    return KEEP(self, function, out, err);
}

NEVER_INLINE static firn_status parse_named(sql_parser *self, uint32_t start, bool is_lateral,
                                            const sql_relation **out, firn_error *err) {
    sql_table table = {.node = RELATION_AT(SQL_TABLE, start)};
    TRY(parse_table_name(self, &table, err));
    if (table.file == NULL && parser_at(self, TOKEN_LEFT_PAREN)) {
        return parse_table_function(self, start, table.path, is_lateral, out, err);
    }
    if (is_lateral) {
        return parser_unexpected(self, "\"(\" of a query or function behind LATERAL", err);
    }
    TRY(parse_time_travel(self, &table, err));
    TRY(parse_sample(self, &table.sample, err));
    TRY(parse_table_alias(self, false, &table.alias, &table.columns, err));
    TRY(parse_time_travel(self, &table, err));
    TRY(parse_sample(self, &table.sample, err));
    return KEEP(self, table, out, err);
}

static firn_status parse_joins(sql_parser *self, uint32_t start, const sql_relation **left,
                               firn_error *err);

// (a JOIN b) AS c (x, y): the alias becomes the join's.
NEVER_INLINE static firn_status parse_alias_of_join(sql_parser *self, uint32_t start,
                                                    const sql_relation **relation,
                                                    firn_error *err) {
    sql_name alias = {0};
    sql_names columns = {0};
    if (sql_relation_kind_of(*relation) != SQL_JOIN) {
        return FIRN_OK;
    }
    TRY(parse_table_alias(self, false, &alias, &columns, err));
    if (alias.value.size == 0) {
        return FIRN_OK;
    }
    sql_join join = *sql_join_of(*relation);
    if (join.alias.value.size > 0) {
        return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, alias.position,
                        "a second alias for a join that is \"%.*s\"", TEXT_ARGS(join.alias.value));
    }
    join.node.position = start;
    join.alias = alias;
    join.columns = columns;
    return KEEP(self, join, relation, err);
}

// A query or a join in parentheses; "(" is next. Exactly one of both is filled.
static firn_status parse_parentheses(sql_parser *self, const sql_query **query,
                                     const sql_relation **relation, firn_error *err) {
    *query = NULL;
    *relation = NULL;
    TRY(parser_enter(self, err));
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    const uint32_t start = self->token.position;
    if (parser_at_query(self)) {
        TRY(sql_parse_query(self, query, err));
    } else if (!parser_at(self, TOKEN_LEFT_PAREN)) {
        TRY(sql_parse_relation(self, relation, err));
    } else {
        // ((SELECT 1) UNION SELECT 2), ((SELECT 1)), ((SELECT 1) a JOIN b), ((a JOIN b) JOIN c)
        TRY(parse_parentheses(self, query, relation, err));
        if (*query != NULL && parser_at_query_rest(self)) {
            TRY(sql_parse_query_rest(self, start, *query, query, err));
        } else if (*query != NULL && !parser_at(self, TOKEN_RIGHT_PAREN)) {
            sql_derived derived = {.node = RELATION_AT(SQL_DERIVED, start), .query = *query};
            TRY(parse_derived_rest(self, &derived, relation, err));
            *query = NULL;
        }
        if (*relation != NULL) {
            TRY(parse_alias_of_join(self, start, relation, err));
            TRY(parse_joins(self, start, relation, err));
        }
    }
    parser_leave(self);
    return parser_expect(self, TOKEN_RIGHT_PAREN, err);
}

static firn_status parse_item(sql_parser *self, const sql_relation **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const bool is_lateral = parser_accept_word(self, KW_LATERAL);
    if (!parser_at(self, TOKEN_LEFT_PAREN)) {
        return parse_named(self, start, is_lateral, out, err);
    }
    sql_derived derived = {.node = RELATION_AT(SQL_DERIVED, start), .is_lateral = is_lateral};
    TRY(parse_parentheses(self, &derived.query, out, err));
    if (derived.query != NULL) {
        return parse_derived_rest(self, &derived, out, err);
    }
    if (is_lateral) {
        return parser_unexpected(self, "a query in the parentheses behind LATERAL", err);
    }
    return parse_alias_of_join(self, start, out, err);
}

// ---- Joins -------------------------------------------------------------------------------------

// SEMI or ANTI behind LEFT, RIGHT or nothing; else an outer join with an optional OUTER.
static sql_join_kind parse_side(sql_parser *self, sql_join_kind outer, sql_join_kind semi,
                                sql_join_kind anti) {
    if (parser_accept_word(self, KW_SEMI)) {
        return semi;
    }
    if (parser_accept_word(self, KW_ANTI)) {
        return anti;
    }
    (void)parser_accept_word(self, KW_OUTER);
    return outer;
}

static bool at_join(sql_parser *self) {
    switch (self->token.keyword) {
    case KW_JOIN:
    case KW_INNER:
    case KW_LEFT:
    case KW_RIGHT:
    case KW_FULL:
    case KW_CROSS:
    case KW_NATURAL:
        return true;
    default:
        return at_soft_join(self);
    }
}

// The words up to JOIN, one of which is next.
static firn_status parse_join_words(sql_parser *self, sql_join *join, firn_error *err) {
    join->is_natural = parser_accept_word(self, KW_NATURAL);
    join->is_asof = !join->is_natural && parser_accept_word(self, KW_ASOF);
    const bool is_plain = !join->is_natural && !join->is_asof;
    if (is_plain && parser_accept_word(self, KW_CROSS)) {
        join->kind = SQL_JOIN_CROSS;
    } else if (is_plain && parser_accept_word(self, KW_POSITIONAL)) {
        join->kind = SQL_JOIN_POSITIONAL;
    } else if (parser_accept_word(self, KW_LEFT)) {
        join->kind = parse_side(self, SQL_JOIN_LEFT, SQL_JOIN_LEFT_SEMI, SQL_JOIN_LEFT_ANTI);
    } else if (parser_accept_word(self, KW_RIGHT)) {
        join->kind = parse_side(self, SQL_JOIN_RIGHT, SQL_JOIN_RIGHT_SEMI, SQL_JOIN_RIGHT_ANTI);
    } else if (parser_accept_word(self, KW_FULL)) {
        join->kind = SQL_JOIN_FULL;
        (void)parser_accept_word(self, KW_OUTER);
    } else if (parser_accept_word(self, KW_SEMI)) {
        join->kind = SQL_JOIN_LEFT_SEMI;
    } else if (parser_accept_word(self, KW_ANTI)) {
        join->kind = SQL_JOIN_LEFT_ANTI;
    } else {
        join->kind = SQL_JOIN_INNER;
        (void)parser_accept_word(self, KW_INNER);
    }
    return parser_expect_word(self, KW_JOIN, err);
}

static firn_status parse_join(sql_parser *self, uint32_t start, const sql_relation **left,
                              firn_error *err) {
    sql_join join = {.node = RELATION_AT(SQL_JOIN, start), .left = *left};
    TRY(parse_join_words(self, &join, err));
    const uint32_t right_start = self->token.position;
    TRY(parse_item(self, &join.right, err));
    const bool has_condition =
        !join.is_natural && join.kind != SQL_JOIN_CROSS && join.kind != SQL_JOIN_POSITIONAL;
    if (has_condition) {
        // a JOIN b JOIN c ON x ON y: the first ON belongs to the inner join.
        TRY(parser_enter(self, err));
        while (at_join(self)) {
            TRY(parse_join(self, right_start, &join.right, err));
        }
        parser_leave(self);
        if (parser_accept_word(self, KW_ON)) {
            TRY(sql_parse_expr(self, &join.on, err));
        } else if (parser_accept_word(self, KW_USING)) {
            TRY(parser_expect_name_list(self, "a column of both tables", &join.using, err));
        } else {
            firn_status status = parser_unexpected(self, "ON or USING of the join", err);
            err_hint(err, "a join without a condition is a CROSS JOIN");
            return status;
        }
    }
    return KEEP(self, join, left, err);
}

static firn_status parse_joins(sql_parser *self, uint32_t start, const sql_relation **left,
                               firn_error *err) {
    while (at_join(self)) {
        TRY(parse_join(self, start, left, err));
    }
    return FIRN_OK;
}

firn_status sql_parse_relation(sql_parser *self, const sql_relation **out, firn_error *err) {
    const uint32_t start = self->token.position;
    TRY(parse_item(self, out, err));
    return parse_joins(self, start, out, err);
}

firn_status sql_parse_from_list(sql_parser *self, sql_list *out, firn_error *err) {
    const size_t mark = parser_mark(self);
    do {
        const sql_relation *relation;
        TRY(sql_parse_relation(self, &relation, err));
        TRY(parser_push(self, relation, err));
    } while (parser_accept(self, TOKEN_COMMA));
    return parser_take_list(self, mark, out, err);
}
