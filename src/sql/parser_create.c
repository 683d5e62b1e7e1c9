// CREATE and DROP of tables, views and schemas; COMMENT ON.
#include "sql/parser_private.h"

// ---- Tables ------------------------------------------------------------------------------------

// (columns and constraints)
static firn_status parse_table_elements(sql_parser *self, sql_create_table *create,
                                        firn_error *err) {
    const size_t mark = parser_mark(self);
    const sql_constraint *constraints = NULL;
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    do {
        TRY(sql_parse_table_constraint(self, &constraints, err));
        if (constraints != NULL) {
            break;
        }
        const sql_column_definition *column;
        TRY(sql_parse_column_definition(self, false, &column, err));
        TRY(parser_push(self, column, err));
    } while (parser_accept(self, TOKEN_COMMA));
    TRY(parser_take_list(self, mark, &create->columns, err));
    while (constraints != NULL) {
        TRY(parser_push(self, constraints, err));
        constraints = NULL;
        if (parser_accept(self, TOKEN_COMMA)) {
            TRY(sql_parse_table_constraint(self, &constraints, err));
            if (constraints == NULL) {
                return parser_unexpected(self, "another constraint of the table", err);
            }
        }
    }
    TRY(parser_take_list(self, mark, &create->constraints, err));
    return parser_accept(self, TOKEN_RIGHT_PAREN)
               ? FIRN_OK
               : parser_unexpected(self, "\",\" or \")\" behind a column", err);
}

static firn_status parse_partitioned_by(sql_parser *self, sql_list *out, firn_error *err) {
    parser_advance(self);
    TRY(parser_expect_word(self, KW_BY, err));
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(sql_parse_expr_list(self, out, err));
    return parser_expect(self, TOKEN_RIGHT_PAREN, err);
}

// One clause behind the columns; `*found` is false when there is none that was not there before.
static firn_status parse_table_clause(sql_parser *self, sql_create_table *create, bool *found,
                                      firn_error *err) {
    *found = true;
    const bool has_format = create->format.value.size > 0;
    const bool has_properties = create->properties.count > 0;
    if (!has_format && parser_accept_word(self, KW_USING)) {
        return parser_expect_name(self, "a table format such as iceberg", &create->format, err);
    }
    if (!has_format && parser_accept_words(self, KW_STORED, KW_AS)) {
        return parser_expect_name(self, "a table format such as iceberg", &create->format, err);
    }
    if (create->partitioned_by.count == 0 && parser_at_word(self, KW_PARTITIONED)) {
        return parse_partitioned_by(self, &create->partitioned_by, err);
    }
    if (create->location == NULL && parser_accept_word(self, KW_LOCATION)) {
        return sql_parse_place(self, &create->location, err);
    }
    if (create->comment == NULL && parser_accept_word(self, KW_COMMENT)) {
        return sql_parse_string(self, "a comment in single quotes", &create->comment, err);
    }
    if (!has_properties &&
        (parser_accept_word(self, KW_WITH) || parser_accept_word(self, KW_TBLPROPERTIES) ||
         parser_accept_word(self, KW_OPTIONS))) {
        return sql_parse_options(self, true, &create->properties, err);
    }
    *found = false;
    return FIRN_OK;
}

// AS query [WITH [NO] DATA]
static firn_status parse_as_query(sql_parser *self, sql_create_table *create, firn_error *err) {
    if (!parser_accept_word(self, KW_AS)) {
        return FIRN_OK;
    }
    TRY(sql_parse_query(self, &create->query, err));
    if (parser_accept_word(self, KW_WITH)) {
        create->with_no_data = parser_accept_word(self, KW_NO);
        TRY(parser_expect_word(self, KW_DATA, err));
    }
    return FIRN_OK;
}

static firn_status check_table(const sql_create_table *create, sql_parser *self, firn_error *err) {
    if (create->query != NULL) {
        return FIRN_OK;
    }
    for (size_t i = 0; i < create->columns.count; i++) {
        const sql_column_definition *column = sql_column_definition_of(create->columns.items[i]);
        if (column->type == NULL) {
            const sql_name name = column->path.items[0];
            return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, name.position + name.length,
                            "expected the type of column \"%.*s\"", TEXT_ARGS(name.value));
        }
    }
    if (create->columns.count == 0 && !create->is_external && create->location == NULL) {
        return parser_unexpected(self, "the columns of the table in parentheses, or AS and a query",
                                 err);
    }
    return FIRN_OK;
}

static firn_status accept_if_not_exists(sql_parser *self, bool *found, firn_error *err) {
    *found = parser_accept_words(self, KW_IF, KW_NOT);
    return *found ? parser_expect_word(self, KW_EXISTS, err) : FIRN_OK;
}

// What stands between CREATE and the word that says what is created.
typedef struct create_words {
    uint32_t start;
    bool or_replace;
    bool is_temporary;
    bool is_external;
} create_words;

static firn_status parse_create_table(sql_parser *self, create_words words,
                                      const sql_statement **out, firn_error *err) {
    sql_create_table create = {.node = STATEMENT_AT(SQL_CREATE_TABLE, words.start),
                               .or_replace = words.or_replace,
                               .is_temporary = words.is_temporary,
                               .is_external = words.is_external};
    TRY(accept_if_not_exists(self, &create.if_not_exists, err));
    TRY(parser_expect_path(self, "the name of a table", &create.table, err));
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        TRY(parse_table_elements(self, &create, err));
    }
    bool found;
    do {
        TRY(parse_table_clause(self, &create, &found, err));
    } while (found);
    TRY(parse_as_query(self, &create, err));
    TRY(check_table(&create, self, err));
    return KEEP(self, create, out, err);
}

// ---- Views and schemas -------------------------------------------------------------------------

static firn_status parse_create_view(sql_parser *self, create_words words, bool is_recursive,
                                     const sql_statement **out, firn_error *err) {
    sql_create_view create = {.node = STATEMENT_AT(SQL_CREATE_VIEW, words.start),
                              .or_replace = words.or_replace,
                              .is_temporary = words.is_temporary,
                              .is_recursive = is_recursive};
    TRY(accept_if_not_exists(self, &create.if_not_exists, err));
    TRY(parser_expect_path(self, "the name of a view", &create.view, err));
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        TRY(parser_expect_name_list(self, "the name of a column", &create.columns, err));
    }
    if (parser_accept_word(self, KW_COMMENT)) {
        TRY(sql_parse_string(self, "a comment in single quotes", &create.comment, err));
    }
    if (parser_accept_word(self, KW_WITH) || parser_accept_word(self, KW_TBLPROPERTIES)) {
        TRY(sql_parse_options(self, true, &create.properties, err));
    }
    TRY(parser_expect_word(self, KW_AS, err));
    TRY(sql_parse_query(self, &create.query, err));
    return KEEP(self, create, out, err);
}

static firn_status parse_create_schema(sql_parser *self, uint32_t start, const sql_statement **out,
                                       firn_error *err) {
    sql_create_schema create = {.node = STATEMENT_AT(SQL_CREATE_SCHEMA, start)};
    TRY(accept_if_not_exists(self, &create.if_not_exists, err));
    TRY(parser_expect_path(self, "the name of a schema", &create.schema, err));
    if (parser_accept_word(self, KW_COMMENT)) {
        TRY(sql_parse_string(self, "a comment in single quotes", &create.comment, err));
    }
    if (parser_accept_word(self, KW_LOCATION)) {
        TRY(sql_parse_place(self, &create.location, err));
    }
    if (parser_accept_word(self, KW_WITH)) {
        (void)parser_accept_word(self, KW_DBPROPERTIES);
        TRY(sql_parse_options(self, true, &create.properties, err));
    }
    return KEEP(self, create, out, err);
}

// TABLE, VIEW, SCHEMA, NAMESPACE, DATABASE; false when none of them is next.
static bool accept_object(sql_parser *self, sql_object *out) {
    switch (self->token.keyword) {
    case KW_TABLE:
        *out = SQL_OBJECT_TABLE;
        break;
    case KW_VIEW:
        *out = SQL_OBJECT_VIEW;
        break;
    case KW_SCHEMA:
    case KW_NAMESPACE:
    case KW_DATABASE:
        *out = SQL_OBJECT_SCHEMA;
        break;
    default:
        return false;
    }
    parser_advance(self);
    return true;
}

firn_status sql_parse_create(sql_parser *self, const sql_statement **out, firn_error *err) {
    create_words words = {.start = self->token.position};
    parser_advance(self);
    words.or_replace = parser_accept_words(self, KW_OR, KW_REPLACE);
    words.is_temporary =
        parser_accept_word(self, KW_TEMPORARY) || parser_accept_word(self, KW_TEMP);
    words.is_external = parser_accept_word(self, KW_EXTERNAL);
    const bool is_recursive = parser_accept_word(self, KW_RECURSIVE);
    sql_object object;
    if (is_recursive) {
        TRY(parser_expect_word(self, KW_VIEW, err));
        return parse_create_view(self, words, is_recursive, out, err);
    }
    if (accept_object(self, &object)) {
        if (object == SQL_OBJECT_TABLE) {
            return parse_create_table(self, words, out, err);
        }
        if (object == SQL_OBJECT_VIEW && !words.is_external) {
            return parse_create_view(self, words, is_recursive, out, err);
        }
        if (object == SQL_OBJECT_SCHEMA && !words.or_replace && !words.is_temporary) {
            return parse_create_schema(self, words.start, out, err);
        }
    }
    return parser_unexpected(self, "TABLE, VIEW or SCHEMA behind CREATE", err);
}

// ---- DROP, COMMENT ON --------------------------------------------------------------------------

firn_status sql_parse_drop(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_drop drop = {.node = STATEMENT_AT(SQL_DROP, self->token.position)};
    const size_t mark = parser_mark(self);
    parser_advance(self);
    if (!accept_object(self, &drop.object)) {
        return parser_unexpected(self, "TABLE, VIEW or SCHEMA behind DROP", err);
    }
    drop.if_exists = parser_accept_words(self, KW_IF, KW_EXISTS);
    do {
        sql_object_name name = {.node = PART_AT(SQL_OBJECT_NAME, self->token.position)};
        const sql_object_name *kept;
        TRY(parser_expect_path(self, "a name", &name.path, err));
        TRY(KEEP(self, name, &kept, err));
        TRY(parser_push(self, kept, err));
    } while (parser_accept(self, TOKEN_COMMA));
    TRY(parser_take_list(self, mark, &drop.names, err));
    if (parser_accept_word(self, KW_CASCADE)) {
        drop.behavior = SQL_DROP_CASCADE;
    } else if (parser_accept_word(self, KW_RESTRICT)) {
        drop.behavior = SQL_DROP_RESTRICT;
    }
    drop.is_purge = drop.object == SQL_OBJECT_TABLE && parser_accept_word(self, KW_PURGE);
    return KEEP(self, drop, out, err);
}

firn_status sql_parse_comment_on(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_comment_on comment = {.node = STATEMENT_AT(SQL_COMMENT_ON, self->token.position)};
    parser_advance(self);
    TRY(parser_expect_word(self, KW_ON, err));
    if (parser_accept_word(self, KW_COLUMN)) {
        comment.object = SQL_OBJECT_COLUMN;
    } else if (!accept_object(self, &comment.object)) {
        return parser_unexpected(self, "TABLE, COLUMN, VIEW or SCHEMA behind COMMENT ON", err);
    }
    TRY(parser_expect_path(self, "a name", &comment.name, err));
    TRY(parser_expect_word(self, KW_IS, err));
    if (!parser_accept_word(self, KW_NULL)) {
        TRY(sql_parse_string(self, "a comment in single quotes, or NULL", &comment.comment, err));
    }
    return KEEP(self, comment, out, err);
}
