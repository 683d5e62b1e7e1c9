// Types, and CREATE, DROP, ALTER, COMMENT ON.
#include "sql/printer_private.h"

// ---- Types -------------------------------------------------------------------------------------

void print_units(text_builder *out, sql_unit unit, sql_unit to_unit) {
    if (unit != SQL_UNIT_NONE) {
        text_append_format(out, " %s", sql_unit_text(unit));
    }
    if (to_unit != SQL_UNIT_NONE) {
        text_append_format(out, " TO %s", sql_unit_text(to_unit));
    }
}

// The tree has unquoted names of types in lower case; people expect them in capitals.
static void print_type_name(text_builder *out, const sql_name *name) {
    if (name->is_quoted) {
        sql_print_name(out, name);
        return;
    }
    for (size_t i = 0; i < name->value.size; i++) {
        const char byte = name->value.data[i];
        text_append_char(out, byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte);
    }
}

void print_type(text_builder *out, const sql_type *type) {
    switch (type->kind) {
    case SQL_TYPE_NAMED:
        print_type_name(out, &type->name);
        print_options(out, "", type->modifiers);
        break;
    case SQL_TYPE_INTERVAL:
        put(out, "INTERVAL");
        print_units(out, type->unit, type->to_unit);
        break;
    case SQL_TYPE_LIST:
        print_type(out, type->element);
        put(out, "[");
        print_list(out, type->modifiers);
        put(out, "]");
        break;
    case SQL_TYPE_STRUCT:
        put(out, "STRUCT");
        print_list_in_parentheses(out, type->fields);
        break;
    case SQL_TYPE_MAP:
        put(out, "MAP(");
        print_type(out, type->key);
        put(out, ", ");
        print_type(out, type->element);
        put(out, ")");
        break;
    }
}

// ---- Columns and constraints -------------------------------------------------------------------

static void print_references(text_builder *out, const sql_constraint *constraint) {
    put(out, "REFERENCES ");
    print_path(out, constraint->referenced_table);
    print_columns(out, constraint->referenced_columns);
}

void print_constraint(text_builder *out, const sql_constraint *constraint) {
    if (constraint->name.value.size > 0) {
        put(out, "CONSTRAINT ");
        sql_print_name(out, &constraint->name);
        put(out, " ");
    }
    switch (constraint->kind) {
    case SQL_CONSTRAINT_PRIMARY_KEY:
        put(out, "PRIMARY KEY");
        print_columns(out, constraint->columns);
        break;
    case SQL_CONSTRAINT_UNIQUE:
        put(out, "UNIQUE");
        print_columns(out, constraint->columns);
        break;
    case SQL_CONSTRAINT_CHECK:
        print_expr_clause(out, "CHECK (", constraint->check);
        put(out, ")");
        break;
    case SQL_CONSTRAINT_FOREIGN_KEY:
        put_if(out, constraint->columns.count > 0, "FOREIGN KEY");
        print_columns(out, constraint->columns);
        put_if(out, constraint->columns.count > 0, " ");
        print_references(out, constraint);
        break;
    }
}

static void print_place(text_builder *out, bool is_first, const sql_name *after) {
    put_if(out, is_first, " FIRST");
    if (after->value.size > 0) {
        put(out, " AFTER ");
        sql_print_name(out, after);
    }
}

void print_column_definition(text_builder *out, const sql_column_definition *column) {
    print_path(out, column->path);
    if (column->type != NULL) {
        put(out, " ");
        print_type(out, column->type);
    }
    put_if(out, column->is_not_null, " NOT NULL");
    print_expr_clause(out, " DEFAULT ", column->default_value);
    print_expr_clause(out, " GENERATED ALWAYS AS (", column->generated);
    put_if(out, column->generated != NULL, ")");
    put_if(out, column->is_identity, " GENERATED ALWAYS AS IDENTITY");
    print_literal_clause(out, " COMMENT ", column->comment);
    for (size_t i = 0; i < column->constraints.count; i++) {
        put(out, " ");
        sql_print_node(out, column->constraints.items[i]);
    }
    print_place(out, column->is_first, &column->after);
}

// ---- CREATE ------------------------------------------------------------------------------------

void print_create_table(text_builder *out, const sql_create_table *create) {
    put(out, create->or_replace ? "CREATE OR REPLACE " : "CREATE ");
    put_if(out, create->is_temporary, "TEMPORARY ");
    put_if(out, create->is_external, "EXTERNAL ");
    put(out, create->if_not_exists ? "TABLE IF NOT EXISTS " : "TABLE ");
    print_path(out, create->table);
    const bool has_elements = create->columns.count > 0 || create->constraints.count > 0;
    put_if(out, has_elements, " (");
    print_list(out, create->columns);
    put_if(out, create->columns.count > 0 && create->constraints.count > 0, ", ");
    print_list(out, create->constraints);
    put_if(out, has_elements, ")");
    if (create->format.value.size > 0) {
        put(out, " USING ");
        sql_print_name(out, &create->format);
    }
    print_options(out, " PARTITIONED BY ", create->partitioned_by);
    print_expr_clause(out, " LOCATION ", create->location);
    print_literal_clause(out, " COMMENT ", create->comment);
    print_options(out, " WITH ", create->properties);
    if (create->query != NULL) {
        put(out, " AS ");
        sql_print_query(out, create->query);
        put_if(out, create->with_no_data, " WITH NO DATA");
    }
}

void print_create_view(text_builder *out, const sql_create_view *create) {
    put(out, create->or_replace ? "CREATE OR REPLACE " : "CREATE ");
    put_if(out, create->is_temporary, "TEMPORARY ");
    put_if(out, create->is_recursive, "RECURSIVE ");
    put(out, create->if_not_exists ? "VIEW IF NOT EXISTS " : "VIEW ");
    print_path(out, create->view);
    print_columns(out, create->columns);
    print_literal_clause(out, " COMMENT ", create->comment);
    print_options(out, " WITH ", create->properties);
    put(out, " AS ");
    sql_print_query(out, create->query);
}

void print_create_schema(text_builder *out, const sql_create_schema *create) {
    put(out, create->if_not_exists ? "CREATE SCHEMA IF NOT EXISTS " : "CREATE SCHEMA ");
    print_path(out, create->schema);
    print_literal_clause(out, " COMMENT ", create->comment);
    print_expr_clause(out, " LOCATION ", create->location);
    print_options(out, " WITH ", create->properties);
}

static const char *object_word(sql_object object) {
    switch (object) {
    case SQL_OBJECT_TABLE:
        return "TABLE ";
    case SQL_OBJECT_VIEW:
        return "VIEW ";
    case SQL_OBJECT_SCHEMA:
        return "SCHEMA ";
    case SQL_OBJECT_COLUMN:
        return "COLUMN ";
    }
    return "";
}

void print_drop(text_builder *out, const sql_drop *drop) {
    put(out, "DROP ");
    put(out, object_word(drop->object));
    put_if(out, drop->if_exists, "IF EXISTS ");
    print_list(out, drop->names);
    put_if(out, drop->behavior == SQL_DROP_CASCADE, " CASCADE");
    put_if(out, drop->behavior == SQL_DROP_RESTRICT, " RESTRICT");
    put_if(out, drop->is_purge, " PURGE");
}

void print_comment_on(text_builder *out, const sql_comment_on *comment) {
    put(out, "COMMENT ON ");
    put(out, object_word(comment->object));
    print_path(out, comment->name);
    put(out, " IS ");
    put_if(out, comment->comment == NULL, "NULL");
    print_literal_clause(out, "", comment->comment);
}

// ---- ALTER -------------------------------------------------------------------------------------

void print_retention(text_builder *out, const sql_retention *retention) {
    print_literal_clause(out, " RETAIN ", retention->retain);
    print_units(out, retention->retain_unit, SQL_UNIT_NONE);
    put_if(out, retention->retain != NULL, "S");
    put_if(out, retention->snapshots != NULL || retention->age != NULL, " WITH SNAPSHOT RETENTION");
    print_literal_clause(out, " ", retention->snapshots);
    put_if(out, retention->snapshots != NULL, " SNAPSHOTS");
    print_literal_clause(out, " ", retention->age);
    print_units(out, retention->age_unit, SQL_UNIT_NONE);
    put_if(out, retention->age != NULL, "S");
}

static const char *reference_words(const sql_alter_action *action) {
    switch ((uint32_t)action->kind) {
    case SQL_ALTER_CREATE_BRANCH:
        return action->or_replace ? "CREATE OR REPLACE BRANCH " : "CREATE BRANCH ";
    case SQL_ALTER_REPLACE_BRANCH:
        return "REPLACE BRANCH ";
    case SQL_ALTER_DROP_BRANCH:
        return "DROP BRANCH ";
    case SQL_ALTER_CREATE_TAG:
        return action->or_replace ? "CREATE OR REPLACE TAG " : "CREATE TAG ";
    case SQL_ALTER_REPLACE_TAG:
        return "REPLACE TAG ";
    default:
        return "DROP TAG ";
    }
}

// What is done to a branch or tag.
static void print_reference(text_builder *out, const sql_alter_action *action) {
    put(out, reference_words(action));
    put_if(out, action->if_not_exists, "IF NOT EXISTS ");
    put_if(out, action->if_exists, "IF EXISTS ");
    sql_print_name(out, &action->name);
    if (action->value != NULL) {
        put(out, " AS OF VERSION ");
        print_operand(out, action->value, SQL_BIND_OTHER);
    }
    if (action->retention != NULL) {
        print_retention(out, action->retention);
    }
}

static void print_add_columns(text_builder *out, const sql_alter_action *action) {
    const bool has_parentheses = action->definitions.count > 1;
    put(out, has_parentheses ? "ADD COLUMNS " : "ADD COLUMN ");
    put_if(out, action->if_not_exists, "IF NOT EXISTS ");
    put_if(out, has_parentheses, "(");
    print_list(out, action->definitions);
    put_if(out, has_parentheses, ")");
}

static void print_alter_column(text_builder *out, const sql_alter_action *action) {
    put(out, "ALTER COLUMN ");
    print_path(out, action->column);
    switch ((uint32_t)action->kind) {
    case SQL_ALTER_COLUMN_TYPE:
        put(out, " TYPE ");
        print_type(out, action->type);
        print_expr_clause(out, " USING ", action->value);
        break;
    case SQL_ALTER_COLUMN_SET_DEFAULT:
        print_expr_clause(out, " SET DEFAULT ", action->value);
        break;
    case SQL_ALTER_COLUMN_DROP_DEFAULT:
        put(out, " DROP DEFAULT");
        break;
    case SQL_ALTER_COLUMN_SET_NOT_NULL:
        put(out, " SET NOT NULL");
        break;
    case SQL_ALTER_COLUMN_DROP_NOT_NULL:
        put(out, " DROP NOT NULL");
        break;
    case SQL_ALTER_COLUMN_COMMENT:
        print_literal_clause(out, " COMMENT ", action->comment);
        break;
    default:
        print_place(out, action->is_first, &action->after);
        break;
    }
}

static void print_partition_field(text_builder *out, const sql_alter_action *action,
                                  const char *words) {
    print_expr_clause(out, words, action->value);
    print_expr_clause(out, " WITH ", action->new_value);
    if (action->name.value.size > 0) {
        put(out, " AS ");
        sql_print_name(out, &action->name);
    }
}

static void print_write_order(text_builder *out, const sql_alter_action *action) {
    put(out, action->is_by_partition ? "WRITE DISTRIBUTED BY PARTITION" : "WRITE");
    put_if(out, action->is_locally, " LOCALLY");
    put(out, action->order_by.count > 0 ? " ORDERED BY " : " UNORDERED");
    print_list(out, action->order_by);
}

static void print_change_of_names(text_builder *out, const sql_alter_action *action) {
    switch ((uint32_t)action->kind) {
    case SQL_ALTER_RENAME:
        put(out, "RENAME TO ");
        print_path(out, action->new_path);
        break;
    case SQL_ALTER_RENAME_COLUMN:
        put(out, "RENAME COLUMN ");
        print_path(out, action->column);
        put(out, " TO ");
        sql_print_name(out, &action->name);
        break;
    case SQL_ALTER_DROP_COLUMN:
        put(out, action->if_exists ? "DROP COLUMN IF EXISTS " : "DROP COLUMN ");
        print_path(out, action->column);
        break;
    default:
        put(out, action->if_exists ? "DROP CONSTRAINT IF EXISTS " : "DROP CONSTRAINT ");
        sql_print_name(out, &action->name);
        break;
    }
}

void print_alter_action(text_builder *out, const sql_alter_action *action) {
    switch (action->kind) {
    case SQL_ALTER_RENAME:
    case SQL_ALTER_RENAME_COLUMN:
    case SQL_ALTER_DROP_COLUMN:
    case SQL_ALTER_DROP_CONSTRAINT:
        print_change_of_names(out, action);
        break;
    case SQL_ALTER_ADD_COLUMNS:
        print_add_columns(out, action);
        break;
    case SQL_ALTER_COLUMN_TYPE:
    case SQL_ALTER_COLUMN_SET_DEFAULT:
    case SQL_ALTER_COLUMN_DROP_DEFAULT:
    case SQL_ALTER_COLUMN_SET_NOT_NULL:
    case SQL_ALTER_COLUMN_DROP_NOT_NULL:
    case SQL_ALTER_COLUMN_COMMENT:
    case SQL_ALTER_COLUMN_MOVE:
        print_alter_column(out, action);
        break;
    case SQL_ALTER_ADD_PARTITION_FIELD:
        print_partition_field(out, action, "ADD PARTITION FIELD ");
        break;
    case SQL_ALTER_DROP_PARTITION_FIELD:
        print_partition_field(out, action, "DROP PARTITION FIELD ");
        break;
    case SQL_ALTER_REPLACE_PARTITION_FIELD:
        print_partition_field(out, action, "REPLACE PARTITION FIELD ");
        break;
    case SQL_ALTER_WRITE_ORDER:
        print_write_order(out, action);
        break;
    case SQL_ALTER_SET_IDENTIFIER_FIELDS:
        put(out, "SET IDENTIFIER FIELDS ");
        print_list(out, action->fields);
        break;
    case SQL_ALTER_DROP_IDENTIFIER_FIELDS:
        put(out, "DROP IDENTIFIER FIELDS ");
        print_list(out, action->fields);
        break;
    case SQL_ALTER_SET_PROPERTIES:
        print_options(out, "SET TBLPROPERTIES ", action->options);
        break;
    case SQL_ALTER_UNSET_PROPERTIES:
        print_options(out,
                      action->if_exists ? "UNSET TBLPROPERTIES IF EXISTS " : "UNSET TBLPROPERTIES ",
                      action->options);
        break;
    case SQL_ALTER_SET_LOCATION:
        print_expr_clause(out, "SET LOCATION ", action->value);
        break;
    case SQL_ALTER_ADD_CONSTRAINT:
        put(out, "ADD ");
        print_constraint(out, action->constraint);
        break;
    case SQL_ALTER_CREATE_BRANCH:
    case SQL_ALTER_REPLACE_BRANCH:
    case SQL_ALTER_DROP_BRANCH:
    case SQL_ALTER_CREATE_TAG:
    case SQL_ALTER_REPLACE_TAG:
    case SQL_ALTER_DROP_TAG:
        print_reference(out, action);
        break;
    }
}

void print_alter(text_builder *out, const sql_alter *alter) {
    put(out, "ALTER ");
    put(out, object_word(alter->object));
    put_if(out, alter->if_exists, "IF EXISTS ");
    print_path(out, alter->name);
    if (alter->query != NULL) {
        put(out, " AS ");
        sql_print_query(out, alter->query);
    }
    put_if(out, alter->actions.count > 0, " ");
    print_list(out, alter->actions);
}
