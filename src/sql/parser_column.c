// Columns and constraints of CREATE TABLE and ALTER TABLE.
#include "sql/parser_private.h"

// ---- Constraints -------------------------------------------------------------------------------

// REFERENCES t (a, b) [ON DELETE ...]: REFERENCES is next.
static firn_status parse_references(sql_parser *self, sql_constraint *constraint, firn_error *err) {
    TRY(parser_expect_word(self, KW_REFERENCES, err));
    constraint->kind = SQL_CONSTRAINT_FOREIGN_KEY;
    TRY(parser_expect_path(self, "a table", &constraint->referenced_table, err));
    return parser_at(self, TOKEN_LEFT_PAREN)
               ? parser_expect_name_list(self, "the name of a column",
                                         &constraint->referenced_columns, err)
               : FIRN_OK;
}

static firn_status parse_check(sql_parser *self, sql_constraint *constraint, firn_error *err) {
    constraint->kind = SQL_CONSTRAINT_CHECK;
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(sql_parse_expr(self, &constraint->check, err));
    return parser_expect(self, TOKEN_RIGHT_PAREN, err);
}

// CONSTRAINT name, or nothing.
static firn_status parse_constraint_name(sql_parser *self, sql_name *out, firn_error *err) {
    return parser_accept_word(self, KW_CONSTRAINT)
               ? parser_expect_name(self, "the name of a constraint", out, err)
               : FIRN_OK;
}

// Whether a constraint of a table begins here rather than a column of such a name.
static bool at_table_constraint(sql_parser *self) {
    const sql_token *behind = parser_peek(self, 1);
    switch (self->token.keyword) {
    case KW_CONSTRAINT: {
        const sql_keyword third = (sql_keyword)parser_peek(self, 2)->keyword;
        return third == KW_PRIMARY || third == KW_UNIQUE || third == KW_CHECK ||
               third == KW_FOREIGN;
    }
    case KW_PRIMARY:
    case KW_FOREIGN:
        return behind->keyword == KW_KEY;
    case KW_UNIQUE:
    case KW_CHECK:
        return behind->kind == TOKEN_LEFT_PAREN;
    default:
        return false;
    }
}

firn_status sql_parse_table_constraint(sql_parser *self, const sql_constraint **out,
                                       firn_error *err) {
    sql_constraint constraint = {.node = PART_AT(SQL_CONSTRAINT, self->token.position)};
    *out = NULL;
    if (!at_table_constraint(self)) {
        return FIRN_OK;
    }
    TRY(parse_constraint_name(self, &constraint.name, err));
    if (parser_accept_words(self, KW_PRIMARY, KW_KEY)) {
        constraint.kind = SQL_CONSTRAINT_PRIMARY_KEY;
        TRY(parser_expect_name_list(self, "the name of a column", &constraint.columns, err));
    } else if (parser_accept_word(self, KW_UNIQUE)) {
        constraint.kind = SQL_CONSTRAINT_UNIQUE;
        TRY(parser_expect_name_list(self, "the name of a column", &constraint.columns, err));
    } else if (parser_accept_word(self, KW_CHECK)) {
        TRY(parse_check(self, &constraint, err));
    } else {
        TRY(parser_expect_word(self, KW_FOREIGN, err));
        TRY(parser_expect_word(self, KW_KEY, err));
        TRY(parser_expect_name_list(self, "the name of a column", &constraint.columns, err));
        TRY(parse_references(self, &constraint, err));
    }
    return KEEP(self, constraint, out, err);
}

// A constraint behind a column; `*out` is NULL when none begins here.
static firn_status parse_column_constraint(sql_parser *self, const sql_constraint **out,
                                           firn_error *err) {
    sql_constraint constraint = {.node = PART_AT(SQL_CONSTRAINT, self->token.position)};
    *out = NULL;
    TRY(parse_constraint_name(self, &constraint.name, err));
    if (parser_accept_words(self, KW_PRIMARY, KW_KEY)) {
        constraint.kind = SQL_CONSTRAINT_PRIMARY_KEY;
    } else if (parser_accept_word(self, KW_UNIQUE)) {
        constraint.kind = SQL_CONSTRAINT_UNIQUE;
    } else if (parser_accept_word(self, KW_CHECK)) {
        TRY(parse_check(self, &constraint, err));
    } else if (parser_at_word(self, KW_REFERENCES)) {
        TRY(parse_references(self, &constraint, err));
    } else if (constraint.name.value.size > 0) {
        return parser_unexpected(self, "PRIMARY KEY, UNIQUE, CHECK or REFERENCES", err);
    } else {
        return FIRN_OK;
    }
    return KEEP(self, constraint, out, err);
}

// ---- Columns -----------------------------------------------------------------------------------

// GENERATED ALWAYS AS (expr) [STORED | VIRTUAL], GENERATED {ALWAYS | BY DEFAULT} AS IDENTITY.
static firn_status parse_generated(sql_parser *self, sql_column_definition *column,
                                   firn_error *err) {
    parser_advance(self);
    if (!parser_accept_word(self, KW_ALWAYS)) {
        TRY(parser_expect_word(self, KW_BY, err));
        TRY(parser_expect_word(self, KW_DEFAULT, err));
    }
    TRY(parser_expect_word(self, KW_AS, err));
    if (parser_accept_word(self, KW_IDENTITY)) {
        column->is_identity = true;
        return FIRN_OK;
    }
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    TRY(sql_parse_expr(self, &column->generated, err));
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    if (!parser_accept_word(self, KW_STORED)) {
        (void)parser_accept_word(self, KW_VIRTUAL);
    }
    return FIRN_OK;
}

// One thing that may follow the type; false when there is none.
static firn_status parse_column_clause(sql_parser *self, sql_column_definition *column,
                                       bool is_added, bool *found, firn_error *err) {
    *found = true;
    if (parser_accept_words(self, KW_NOT, KW_NULL)) {
        column->is_not_null = true;
        return FIRN_OK;
    }
    if (parser_accept_word(self, KW_NULL)) {
        return FIRN_OK;
    }
    if (parser_accept_word(self, KW_DEFAULT)) {
        return sql_parse_expr(self, &column->default_value, err);
    }
    if (parser_accept_word(self, KW_COMMENT)) {
        return sql_parse_string(self, "a comment in single quotes", &column->comment, err);
    }
    if (parser_at_word(self, KW_GENERATED)) {
        return parse_generated(self, column, err);
    }
    if (is_added && parser_accept_word(self, KW_FIRST)) {
        column->is_first = true;
        return FIRN_OK;
    }
    if (is_added && parser_accept_word(self, KW_AFTER)) {
        return parser_expect_name(self, "the column before", &column->after, err);
    }
    const sql_constraint *constraint;
    TRY(parse_column_constraint(self, &constraint, err));
    *found = constraint != NULL;
    return *found ? parser_push(self, constraint, err) : FIRN_OK;
}

firn_status sql_parse_column_definition(sql_parser *self, bool is_added,
                                        const sql_column_definition **out, firn_error *err) {
    sql_column_definition column = {.node = PART_AT(SQL_COLUMN_DEFINITION, self->token.position)};
    const size_t mark = parser_mark(self);
    TRY(parser_expect_path(self, "the name of a column", &column.path, err));
    if (column.path.count > 1 && !is_added) {
        return FAIL_SQL(err, FIRN_INVALID, SQL_SYNTAX, column.path.items[1].position,
                        "a dotted name for a column of a new table");
    }
    if (!parser_at(self, TOKEN_COMMA) && !parser_at(self, TOKEN_RIGHT_PAREN)) {
        TRY(sql_parse_type_name(self, &column.type, err));
    } else if (is_added) {
        return parser_unexpected(self, "the type of the column", err);
    }
    bool found;
    do {
        TRY(parse_column_clause(self, &column, is_added, &found, err));
    } while (found);
    TRY(parser_take_list(self, mark, &column.constraints, err));
    return KEEP(self, column, out, err);
}
