// ALTER TABLE, VIEW, SCHEMA: the words of PostgreSQL for columns, those of Spark for partition
// fields, write order, identifier fields, branches and tags.
#include "sql/parser_private.h"

// Pushes an action that ends here.
static firn_status push_action(sql_parser *self, sql_alter_action *action, firn_error *err) {
    const sql_alter_action *kept;
    TRY(KEEP(self, *action, &kept, err));
    return parser_push(self, kept, err);
}

static bool accept_if_exists(sql_parser *self) {
    return parser_accept_words(self, KW_IF, KW_EXISTS);
}

// Takes the name of a branch, tag, constraint or partition field.
static firn_status parse_name(sql_parser *self, sql_alter_action *action, const char *what,
                              firn_error *err) {
    return parser_expect_name(self, what, &action->name, err);
}

// AS name, or nothing.
static firn_status parse_field_alias(sql_parser *self, sql_alter_action *action, firn_error *err) {
    return parser_accept_word(self, KW_AS)
               ? parse_name(self, action, "the name of a partition field", err)
               : FIRN_OK;
}

// ---- Branches and tags -------------------------------------------------------------------------

static firn_status parse_age_unit(sql_parser *self, sql_unit *out, firn_error *err) {
    *out = sql_unit_of(&self->token);
    if (*out != SQL_UNIT_DAY && *out != SQL_UNIT_HOUR && *out != SQL_UNIT_MINUTE) {
        return parser_unexpected(self, "DAYS, HOURS or MINUTES", err);
    }
    parser_advance(self);
    return FIRN_OK;
}

// WITH SNAPSHOT RETENTION [5 SNAPSHOTS] [2 DAYS], at least one of both; behind RETENTION.
static firn_status parse_snapshot_retention(sql_parser *self, sql_retention *retention,
                                            firn_error *err) {
    const sql_literal *number;
    TRY(sql_parse_number(self, "a number of snapshots or days", &number, err));
    if (parser_accept_word(self, KW_SNAPSHOTS)) {
        retention->snapshots = number;
        if (!parser_at(self, TOKEN_INTEGER)) {
            return FIRN_OK;
        }
        TRY(sql_parse_number(self, "a number of days", &number, err));
    }
    retention->age = number;
    return parse_age_unit(self, &retention->age_unit, err);
}

// [RETAIN 7 DAYS] [WITH SNAPSHOT RETENTION ...]
static firn_status parse_retention(sql_parser *self, const sql_retention **out, firn_error *err) {
    sql_retention retention = {.node = PART_AT(SQL_RETENTION, self->token.position)};
    if (parser_accept_word(self, KW_RETAIN)) {
        TRY(sql_parse_number(self, "a number of days", &retention.retain, err));
        TRY(parse_age_unit(self, &retention.retain_unit, err));
    }
    if (parser_accept_words(self, KW_WITH, KW_SNAPSHOT)) {
        TRY(parser_expect_word(self, KW_RETENTION, err));
        TRY(parse_snapshot_retention(self, &retention, err));
    }
    const bool is_empty =
        retention.retain == NULL && retention.snapshots == NULL && retention.age == NULL;
    return is_empty ? FIRN_OK : KEEP(self, retention, out, err);
}

// [IF NOT EXISTS] name [AS OF VERSION n] [RETAIN ...]; BRANCH or TAG is taken.
static firn_status parse_reference(sql_parser *self, sql_alter_action *action, firn_error *err) {
    if (parser_accept_words(self, KW_IF, KW_NOT)) {
        TRY(parser_expect_word(self, KW_EXISTS, err));
        action->if_not_exists = true;
    }
    TRY(parse_name(self, action, "the name of a branch or tag", err));
    if (parser_accept_words(self, KW_AS, KW_OF)) {
        TRY(parser_expect_word(self, KW_VERSION, err));
        TRY(sql_parse_expr_above(self, SQL_BIND_OTHER, &action->value, err));
    }
    TRY(parse_retention(self, &action->retention, err));
    return push_action(self, action, err);
}

// Which of two kinds BRANCH or TAG, which must be next, makes of an action.
static firn_status parse_reference_word(sql_parser *self, sql_alter_action *action,
                                        sql_alter_kind branch, sql_alter_kind tag,
                                        firn_error *err) {
    if (parser_accept_word(self, KW_BRANCH)) {
        action->kind = branch;
        return FIRN_OK;
    }
    action->kind = tag;
    return parser_accept_word(self, KW_TAG) ? FIRN_OK
                                            : parser_unexpected(self, "BRANCH or TAG", err);
}

// ---- RENAME, ADD, DROP -------------------------------------------------------------------------

static firn_status parse_rename(sql_parser *self, sql_alter_action *action, firn_error *err) {
    if (parser_accept_word(self, KW_TO)) {
        action->kind = SQL_ALTER_RENAME;
        TRY(parser_expect_path(self, "the new name", &action->new_path, err));
        return push_action(self, action, err);
    }
    action->kind = SQL_ALTER_RENAME_COLUMN;
    if (parser_peek(self, 1)->keyword != KW_TO) {
        (void)parser_accept_word(self, KW_COLUMN);
    }
    TRY(parser_expect_path(self, "TO or a column behind RENAME", &action->column, err));
    TRY(parser_expect_word(self, KW_TO, err));
    TRY(parse_name(self, action, "the new name", err));
    return push_action(self, action, err);
}

// Takes the optional COLUMN or COLUMNS, which may also be the name of a column.
static void skip_column_word(sql_parser *self) {
    const bool is_word = parser_at_word(self, KW_COLUMN) || parser_at_word(self, KW_COLUMNS);
    const sql_token *behind = parser_peek(self, 1);
    if (is_word && (behind->kind == TOKEN_LEFT_PAREN || behind->kind == TOKEN_QUOTED ||
                    behind->kind == TOKEN_WORD)) {
        parser_advance(self);
    }
}

static firn_status parse_add_columns(sql_parser *self, sql_alter_action *action, firn_error *err) {
    const size_t mark = parser_mark(self);
    action->kind = SQL_ALTER_ADD_COLUMNS;
    skip_column_word(self);
    if (parser_accept_words(self, KW_IF, KW_NOT)) {
        TRY(parser_expect_word(self, KW_EXISTS, err));
        action->if_not_exists = true;
    }
    const bool has_parentheses = parser_accept(self, TOKEN_LEFT_PAREN);
    do {
        const sql_column_definition *column;
        TRY(sql_parse_column_definition(self, true, &column, err));
        TRY(parser_push(self, column, err));
    } while (has_parentheses && parser_accept(self, TOKEN_COMMA));
    if (has_parentheses) {
        TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    }
    TRY(parser_take_list(self, mark, &action->definitions, err));
    return push_action(self, action, err);
}

static firn_status parse_add(sql_parser *self, sql_alter_action *action, firn_error *err) {
    if (parser_accept_words(self, KW_PARTITION, KW_FIELD)) {
        action->kind = SQL_ALTER_ADD_PARTITION_FIELD;
        TRY(sql_parse_expr(self, &action->value, err));
        TRY(parse_field_alias(self, action, err));
        return push_action(self, action, err);
    }
    TRY(sql_parse_table_constraint(self, &action->constraint, err));
    if (action->constraint != NULL) {
        action->kind = SQL_ALTER_ADD_CONSTRAINT;
        return push_action(self, action, err);
    }
    return parse_add_columns(self, action, err);
}

// a.b, c.d: identifier fields.
static firn_status parse_fields(sql_parser *self, sql_list *out, firn_error *err) {
    const size_t mark = parser_mark(self);
    do {
        sql_column column = {.node = EXPR_AT(SQL_COLUMN, self->token.position)};
        const sql_column *kept;
        TRY(parser_expect_path(self, "a column", &column.path, err));
        TRY(KEEP(self, column, &kept, err));
        TRY(parser_push(self, kept, err));
    } while (parser_accept(self, TOKEN_COMMA));
    return parser_take_list(self, mark, out, err);
}

// One action for each column.
static firn_status parse_drop_columns(sql_parser *self, sql_alter_action *action, firn_error *err) {
    action->kind = SQL_ALTER_DROP_COLUMN;
    skip_column_word(self);
    action->if_exists = accept_if_exists(self);
    const bool has_parentheses = parser_accept(self, TOKEN_LEFT_PAREN);
    do {
        TRY(parser_expect_path(self, "a column", &action->column, err));
        TRY(push_action(self, action, err));
    } while (has_parentheses && parser_accept(self, TOKEN_COMMA));
    return has_parentheses ? parser_expect(self, TOKEN_RIGHT_PAREN, err) : FIRN_OK;
}

static firn_status parse_drop(sql_parser *self, sql_alter_action *action, firn_error *err) {
    const sql_token behind = *parser_peek(self, 1);
    const bool has_name = behind.kind == TOKEN_WORD || behind.kind == TOKEN_QUOTED;
    if (parser_accept_words(self, KW_PARTITION, KW_FIELD)) {
        action->kind = SQL_ALTER_DROP_PARTITION_FIELD;
        TRY(sql_parse_expr(self, &action->value, err));
        return push_action(self, action, err);
    }
    if (parser_accept_words(self, KW_IDENTIFIER, KW_FIELDS)) {
        action->kind = SQL_ALTER_DROP_IDENTIFIER_FIELDS;
        TRY(parse_fields(self, &action->fields, err));
        return push_action(self, action, err);
    }
    if (has_name && (parser_at_word(self, KW_BRANCH) || parser_at_word(self, KW_TAG))) {
        TRY(parse_reference_word(self, action, SQL_ALTER_DROP_BRANCH, SQL_ALTER_DROP_TAG, err));
        action->if_exists = accept_if_exists(self);
        TRY(parse_name(self, action, "the name of a branch or tag", err));
        return push_action(self, action, err);
    }
    if (has_name && parser_accept_word(self, KW_CONSTRAINT)) {
        action->kind = SQL_ALTER_DROP_CONSTRAINT;
        action->if_exists = accept_if_exists(self);
        TRY(parse_name(self, action, "the name of a constraint", err));
        return push_action(self, action, err);
    }
    return parse_drop_columns(self, action, err);
}

// ---- ALTER COLUMN ------------------------------------------------------------------------------

static firn_status parse_column_type(sql_parser *self, sql_alter_action *action, firn_error *err) {
    action->kind = SQL_ALTER_COLUMN_TYPE;
    TRY(sql_parse_type_name(self, &action->type, err));
    return parser_accept_word(self, KW_USING) ? sql_parse_expr(self, &action->value, err) : FIRN_OK;
}

static firn_status parse_column_set(sql_parser *self, sql_alter_action *action, firn_error *err) {
    if (parser_accept_word(self, KW_DEFAULT)) {
        action->kind = SQL_ALTER_COLUMN_SET_DEFAULT;
        return sql_parse_expr(self, &action->value, err);
    }
    if (parser_accept_words(self, KW_NOT, KW_NULL)) {
        action->kind = SQL_ALTER_COLUMN_SET_NOT_NULL;
        return FIRN_OK;
    }
    if (parser_accept_words(self, KW_DATA, KW_TYPE)) {
        return parse_column_type(self, action, err);
    }
    return parser_unexpected(self, "DEFAULT, NOT NULL or DATA TYPE behind SET", err);
}

static firn_status parse_column_change(sql_parser *self, sql_alter_action *action,
                                       firn_error *err) {
    if (parser_accept_word(self, KW_TYPE)) {
        return parse_column_type(self, action, err);
    }
    if (parser_accept_word(self, KW_SET)) {
        return parse_column_set(self, action, err);
    }
    if (parser_accept_words(self, KW_DROP, KW_DEFAULT)) {
        action->kind = SQL_ALTER_COLUMN_DROP_DEFAULT;
        return FIRN_OK;
    }
    if (parser_accept_words(self, KW_DROP, KW_NOT)) {
        action->kind = SQL_ALTER_COLUMN_DROP_NOT_NULL;
        return parser_expect_word(self, KW_NULL, err);
    }
    if (parser_accept_word(self, KW_COMMENT)) {
        action->kind = SQL_ALTER_COLUMN_COMMENT;
        return sql_parse_string(self, "a comment in single quotes", &action->comment, err);
    }
    action->kind = SQL_ALTER_COLUMN_MOVE;
    action->is_first = parser_accept_word(self, KW_FIRST);
    if (action->is_first) {
        return FIRN_OK;
    }
    if (parser_accept_word(self, KW_AFTER)) {
        return parser_expect_name(self, "the column before", &action->after, err);
    }
    return parser_unexpected(self, "TYPE, SET, DROP, COMMENT, FIRST or AFTER", err);
}

static firn_status parse_alter_column(sql_parser *self, sql_alter_action *action, firn_error *err) {
    skip_column_word(self);
    TRY(parser_expect_path(self, "a column", &action->column, err));
    TRY(parse_column_change(self, action, err));
    return push_action(self, action, err);
}

// ---- The other actions -------------------------------------------------------------------------

static firn_status parse_replace(sql_parser *self, sql_alter_action *action, firn_error *err) {
    if (!parser_accept_words(self, KW_PARTITION, KW_FIELD)) {
        TRY(parse_reference_word(self, action, SQL_ALTER_REPLACE_BRANCH, SQL_ALTER_REPLACE_TAG,
                                 err));
        return parse_reference(self, action, err);
    }
    action->kind = SQL_ALTER_REPLACE_PARTITION_FIELD;
    TRY(sql_parse_expr(self, &action->value, err));
    TRY(parser_expect_word(self, KW_WITH, err));
    TRY(sql_parse_expr(self, &action->new_value, err));
    TRY(parse_field_alias(self, action, err));
    return push_action(self, action, err);
}

// WRITE [DISTRIBUTED BY PARTITION] [LOCALLY] ORDERED BY a, b DESC; WRITE UNORDERED
static firn_status parse_write(sql_parser *self, sql_alter_action *action, firn_error *err) {
    action->kind = SQL_ALTER_WRITE_ORDER;
    if (parser_accept_word(self, KW_DISTRIBUTED)) {
        TRY(parser_expect_word(self, KW_BY, err));
        TRY(parser_expect_word(self, KW_PARTITION, err));
        action->is_by_partition = true;
    }
    action->is_locally = parser_accept_word(self, KW_LOCALLY);
    if (parser_accept_word(self, KW_ORDERED)) {
        TRY(parser_expect_word(self, KW_BY, err));
        TRY(sql_parse_order_items(self, &action->order_by, err));
    } else if (action->is_locally ||
               (!parser_accept_word(self, KW_UNORDERED) && !action->is_by_partition)) {
        return parser_unexpected(self, "ORDERED BY, UNORDERED or DISTRIBUTED BY PARTITION", err);
    }
    return push_action(self, action, err);
}

static firn_status parse_set(sql_parser *self, sql_alter_action *action, firn_error *err) {
    if (parser_accept_words(self, KW_IDENTIFIER, KW_FIELDS)) {
        action->kind = SQL_ALTER_SET_IDENTIFIER_FIELDS;
        TRY(parse_fields(self, &action->fields, err));
        return push_action(self, action, err);
    }
    if (parser_accept_word(self, KW_LOCATION)) {
        action->kind = SQL_ALTER_SET_LOCATION;
        TRY(sql_parse_place(self, &action->value, err));
        return push_action(self, action, err);
    }
    action->kind = SQL_ALTER_SET_PROPERTIES;
    if (!parser_accept_word(self, KW_TBLPROPERTIES) && !parser_accept_word(self, KW_DBPROPERTIES) &&
        !parser_accept_word(self, KW_PROPERTIES) && !parser_at(self, TOKEN_LEFT_PAREN)) {
        return parser_unexpected(self, "TBLPROPERTIES, IDENTIFIER FIELDS or LOCATION behind SET",
                                 err);
    }
    TRY(sql_parse_options(self, true, &action->options, err));
    return push_action(self, action, err);
}

static firn_status parse_unset(sql_parser *self, sql_alter_action *action, firn_error *err) {
    action->kind = SQL_ALTER_UNSET_PROPERTIES;
    if (!parser_accept_word(self, KW_TBLPROPERTIES) && !parser_accept_word(self, KW_DBPROPERTIES) &&
        !parser_accept_word(self, KW_PROPERTIES)) {
        return parser_unexpected(self, "TBLPROPERTIES behind UNSET", err);
    }
    action->if_exists = accept_if_exists(self);
    TRY(sql_parse_options(self, false, &action->options, err));
    return push_action(self, action, err);
}

static firn_status parse_action(sql_parser *self, firn_error *err) {
    sql_alter_action action = {.node = PART_AT(SQL_ALTER_ACTION, self->token.position)};
    const sql_keyword word = (sql_keyword)self->token.keyword;
    switch ((uint32_t)word) {
    case KW_RENAME:
        parser_advance(self);
        return parse_rename(self, &action, err);
    case KW_ADD:
        parser_advance(self);
        return parse_add(self, &action, err);
    case KW_DROP:
        parser_advance(self);
        return parse_drop(self, &action, err);
    case KW_ALTER:
        parser_advance(self);
        return parse_alter_column(self, &action, err);
    case KW_CREATE:
        parser_advance(self);
        action.or_replace = parser_accept_words(self, KW_OR, KW_REPLACE);
        TRY(parse_reference_word(self, &action, SQL_ALTER_CREATE_BRANCH, SQL_ALTER_CREATE_TAG,
                                 err));
        return parse_reference(self, &action, err);
    case KW_REPLACE:
        parser_advance(self);
        return parse_replace(self, &action, err);
    case KW_WRITE:
        parser_advance(self);
        return parse_write(self, &action, err);
    case KW_SET:
        parser_advance(self);
        return parse_set(self, &action, err);
    case KW_UNSET:
        parser_advance(self);
        return parse_unset(self, &action, err);
    default:
        return parser_unexpected(
            self, "ADD, DROP, RENAME, ALTER, REPLACE, CREATE, WRITE, SET or UNSET", err);
    }
}

firn_status sql_parse_alter(sql_parser *self, const sql_statement **out, firn_error *err) {
    sql_alter alter = {.node = STATEMENT_AT(SQL_ALTER, self->token.position)};
    parser_advance(self);
    if (parser_accept_word(self, KW_TABLE)) {
        alter.object = SQL_OBJECT_TABLE;
    } else if (parser_accept_word(self, KW_VIEW)) {
        alter.object = SQL_OBJECT_VIEW;
    } else if (parser_accept_word(self, KW_SCHEMA) || parser_accept_word(self, KW_NAMESPACE) ||
               parser_accept_word(self, KW_DATABASE)) {
        alter.object = SQL_OBJECT_SCHEMA;
    } else {
        return parser_unexpected(self, "TABLE, VIEW or SCHEMA behind ALTER", err);
    }
    alter.if_exists = accept_if_exists(self);
    TRY(parser_expect_path(self, "a name", &alter.name, err));
    if (alter.object == SQL_OBJECT_VIEW && parser_accept_word(self, KW_AS)) {
        TRY(sql_parse_query(self, &alter.query, err));
        return KEEP(self, alter, out, err);
    }
    const size_t mark = parser_mark(self);
    do {
        TRY(parse_action(self, err));
    } while (parser_accept(self, TOKEN_COMMA));
    TRY(parser_take_list(self, mark, &alter.actions, err));
    return KEEP(self, alter, out, err);
}
