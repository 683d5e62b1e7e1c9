// Statements about the session: SET, RESET, SHOW, USE, ATTACH, DETACH, transactions.
#include "sql/parser_private.h"

static bool is_name(const sql_token *token) {
    return token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED;
}

// ---- SET, RESET, SHOW --------------------------------------------------------------------------

static sql_set_scope accept_scope(sql_parser *self) {
    const sql_token *behind = parser_peek(self, 1);
    if (!is_name(behind)) {
        return SQL_SCOPE_UNSAID; // SET local = 1: a setting of that name.
    }
    if (behind->keyword == KW_TO) {
        return SQL_SCOPE_UNSAID;
    }
    if (parser_accept_word(self, KW_SESSION)) {
        return SQL_SCOPE_SESSION;
    }
    if (parser_accept_word(self, KW_LOCAL)) {
        return SQL_SCOPE_LOCAL;
    }
    return parser_accept_word(self, KW_GLOBAL) ? SQL_SCOPE_GLOBAL : SQL_SCOPE_UNSAID;
}

// TIME ZONE is the setting TimeZone.
static firn_status parse_setting(sql_parser *self, sql_names *out, bool *is_zone, firn_error *err) {
    const uint32_t start = self->token.position;
    *is_zone = parser_accept_words(self, KW_TIME, KW_ZONE);
    if (!*is_zone) {
        return parser_expect_path(self, "a setting", out, err);
    }
    const size_t mark = self->name_count;
    const sql_name name = {
        .value = TEXT("TimeZone"), .position = start, .length = parser_end(self) - start};
    TRY(parser_push_name(self, name, err));
    return parser_take_names(self, mark, out, err);
}

firn_status sql_parse_set(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_set set = {.node = STATEMENT_AT(SQL_SET, self->token.position)};
    bool is_zone;
    parser_advance(self);
    set.scope = accept_scope(self);
    TRY(parse_setting(self, &set.name, &is_zone, err));
    if (parser_at_operator(self, SQL_OP_EQUAL)) {
        parser_advance(self);
    } else if (!parser_accept_word(self, KW_TO) && !is_zone) {
        return parser_unexpected(self, "\"=\" or TO", err);
    }
    if (!parser_accept_word(self, KW_DEFAULT)) {
        const size_t mark = parser_mark(self);
        do {
            const sql_expr *value;
            TRY(sql_parse_setting_value(self, &value, err));
            TRY(parser_push(self, value, err));
        } while (parser_accept(self, TOKEN_COMMA));
        TRY(parser_take_list(self, mark, &set.values, err));
    }
    return KEEP(self, set, out, err);
}

firn_status sql_parse_reset(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_reset reset = {.node = STATEMENT_AT(SQL_RESET, self->token.position)};
    bool is_zone;
    parser_advance(self);
    if (!parser_accept_word(self, KW_ALL)) {
        TRY(parse_setting(self, &reset.name, &is_zone, err));
    }
    return KEEP(self, reset, out, err);
}

static const struct {
    uint16_t keyword;
    uint8_t what;
} show_words[] = {
    {KW_CATALOGS, SQL_SHOW_CATALOGS},     {KW_SCHEMAS, SQL_SHOW_SCHEMAS},
    {KW_NAMESPACES, SQL_SHOW_SCHEMAS},    {KW_DATABASES, SQL_SHOW_SCHEMAS},
    {KW_TABLES, SQL_SHOW_TABLES},         {KW_VIEWS, SQL_SHOW_VIEWS},
    {KW_COLUMNS, SQL_SHOW_COLUMNS},       {KW_FUNCTIONS, SQL_SHOW_FUNCTIONS},
    {KW_SETTINGS, SQL_SHOW_ALL_SETTINGS},
};

// What stands behind SHOW; the setting when it is none of the words.
static firn_status parse_show_what(sql_parser *self, sql_show *show, firn_error *err) {
    bool is_zone;
    if (parser_accept_word(self, KW_ALL)) {
        (void)parser_accept_word(self, KW_SETTINGS);
        show->what = SQL_SHOW_ALL_SETTINGS;
        return FIRN_OK;
    }
    if (parser_accept_word(self, KW_CREATE)) {
        show->what = SQL_SHOW_CREATE_TABLE;
        if (parser_accept_word(self, KW_VIEW)) {
            show->what = SQL_SHOW_CREATE_VIEW;
        } else {
            TRY(parser_expect_word(self, KW_TABLE, err));
        }
        return parser_expect_path(self, "a table", &show->name, err);
    }
    for (size_t i = 0; i < sizeof show_words / sizeof show_words[0]; i++) {
        if (parser_accept_word(self, (sql_keyword)show_words[i].keyword)) {
            show->what = (sql_show_what)show_words[i].what;
            return FIRN_OK;
        }
    }
    return parse_setting(self, &show->name, &is_zone, err);
}

firn_status sql_parse_show(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_show show = {.node = STATEMENT_AT(SQL_SHOW, self->token.position)};
    parser_advance(self);
    TRY(parse_show_what(self, &show, err));
    const bool has_from = show.what == SQL_SHOW_SCHEMAS || show.what == SQL_SHOW_TABLES ||
                          show.what == SQL_SHOW_VIEWS || show.what == SQL_SHOW_COLUMNS;
    if (has_from && (parser_accept_word(self, KW_FROM) || parser_accept_word(self, KW_IN))) {
        TRY(parser_expect_path(self, "a name", &show.name, err));
    } else if (show.what == SQL_SHOW_COLUMNS) {
        return parser_unexpected(self, "FROM and a table", err);
    }
    if (show.what != SQL_SHOW_SETTING && parser_accept_word(self, KW_LIKE)) {
        TRY(sql_parse_string(self, "a pattern in single quotes", &show.pattern, err));
    }
    return KEEP(self, show, out, err);
}

// ---- USE, ATTACH, DETACH -----------------------------------------------------------------------

firn_status sql_parse_use(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_use use = {.node = STATEMENT_AT(SQL_USE, self->token.position)};
    parser_advance(self);
    TRY(parser_expect_path(self, "a catalog or schema", &use.name, err));
    return KEEP(self, use, out, err);
}

firn_status sql_parse_attach(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_attach attach = {.node = STATEMENT_AT(SQL_ATTACH, self->token.position)};
    parser_advance(self);
    attach.or_replace = parser_accept_words(self, KW_OR, KW_REPLACE);
    (void)parser_accept_word(self, KW_DATABASE);
    attach.if_not_exists = parser_accept_words(self, KW_IF, KW_NOT);
    if (attach.if_not_exists) {
        TRY(parser_expect_word(self, KW_EXISTS, err));
    }
    TRY(sql_parse_place(self, &attach.place, err));
    if (parser_accept_word(self, KW_AS)) {
        TRY(parser_expect_name(self, "an alias of the catalog", &attach.alias, err));
    }
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        self->hides_values = true;
        TRY(sql_parse_options(self, true, &attach.options, err));
        self->hides_values = false;
    }
    return KEEP(self, attach, out, err);
}

firn_status sql_parse_detach(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_detach detach = {.node = STATEMENT_AT(SQL_DETACH, self->token.position)};
    parser_advance(self);
    if (parser_at_word(self, KW_DATABASE) && is_name(parser_peek(self, 1))) {
        parser_advance(self);
    }
    detach.if_exists = parser_accept_words(self, KW_IF, KW_EXISTS);
    TRY(parser_expect_name(self, "an attached catalog", &detach.name, err));
    return KEEP(self, detach, out, err);
}

// ---- Transactions ------------------------------------------------------------------------------

static firn_status parse_isolation(sql_parser *self, sql_isolation *out, firn_error *err) {
    if (parser_accept_words(self, KW_READ, KW_UNCOMMITTED)) {
        *out = SQL_ISOLATION_READ_UNCOMMITTED;
    } else if (parser_accept_words(self, KW_READ, KW_COMMITTED)) {
        *out = SQL_ISOLATION_READ_COMMITTED;
    } else if (parser_accept_words(self, KW_REPEATABLE, KW_READ)) {
        *out = SQL_ISOLATION_REPEATABLE_READ;
    } else if (parser_accept_word(self, KW_SNAPSHOT)) {
        *out = SQL_ISOLATION_SNAPSHOT;
    } else if (parser_accept_word(self, KW_SERIALIZABLE)) {
        *out = SQL_ISOLATION_SERIALIZABLE;
    } else {
        return parser_unexpected(self,
                                 "READ UNCOMMITTED, READ COMMITTED, REPEATABLE READ, SNAPSHOT or "
                                 "SERIALIZABLE",
                                 err);
    }
    return FIRN_OK;
}

// READ ONLY, READ WRITE, ISOLATION LEVEL x, with or without commas between.
static firn_status parse_modes(sql_parser *self, sql_transaction *transaction, firn_error *err) {
    for (;;) {
        if (parser_accept_words(self, KW_READ, KW_ONLY)) {
            transaction->access = SQL_ACCESS_READ_ONLY;
        } else if (parser_accept_words(self, KW_READ, KW_WRITE)) {
            transaction->access = SQL_ACCESS_READ_WRITE;
        } else if (parser_accept_words(self, KW_ISOLATION, KW_LEVEL)) {
            TRY(parse_isolation(self, &transaction->isolation, err));
        } else {
            return FIRN_OK;
        }
        (void)parser_accept(self, TOKEN_COMMA);
    }
}

static void skip_transaction_word(sql_parser *self) {
    if (!parser_accept_word(self, KW_TRANSACTION)) {
        (void)parser_accept_word(self, KW_WORK);
    }
}

firn_status sql_parse_transaction(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_transaction transaction = {.node = STATEMENT_AT(SQL_TRANSACTION, self->token.position)};
    const sql_keyword word = (sql_keyword)self->token.keyword;
    bool has_savepoint = word == KW_SAVEPOINT || word == KW_RELEASE;
    parser_advance(self);
    if (word == KW_BEGIN || word == KW_START) {
        transaction.action = SQL_TRANSACTION_BEGIN;
        if (word == KW_START) {
            TRY(parser_expect_word(self, KW_TRANSACTION, err));
        } else {
            skip_transaction_word(self);
        }
        TRY(parse_modes(self, &transaction, err));
    } else if (word == KW_COMMIT) {
        transaction.action = SQL_TRANSACTION_COMMIT;
        skip_transaction_word(self);
    } else if (word == KW_ROLLBACK) {
        transaction.action = SQL_TRANSACTION_ROLLBACK;
        skip_transaction_word(self);
        has_savepoint = parser_accept_word(self, KW_TO);
        transaction.action = has_savepoint ? SQL_TRANSACTION_ROLLBACK_TO : SQL_TRANSACTION_ROLLBACK;
    } else {
        transaction.action =
            word == KW_SAVEPOINT ? SQL_TRANSACTION_SAVEPOINT : SQL_TRANSACTION_RELEASE;
    }
    if (has_savepoint) {
        if (word != KW_SAVEPOINT && is_name(parser_peek(self, 1))) {
            (void)parser_accept_word(self, KW_SAVEPOINT);
        }
        TRY(parser_expect_name(self, "the name of a savepoint", &transaction.savepoint, err));
    }
    return KEEP(self, transaction, out, err);
}
