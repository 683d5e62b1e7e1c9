// The entries, and what all the rest is made of: names, texts, lists.
#include "sql/printer.h"

#include "sql/keywords.h"
#include "sql/printer_private.h"

// ---- Names and texts ---------------------------------------------------------------------------

bool sql_name_is_word(text value) {
    if (value.size == 0 || (value.data[0] >= '0' && value.data[0] <= '9') || value.data[0] == '$') {
        return false;
    }
    for (size_t i = 0; i < value.size; i++) {
        const uint8_t byte = (uint8_t)value.data[i];
        const uint8_t lower = byte | 0x20;
        if (!(byte >= 0x80 || (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') ||
              byte == '_' || byte == '$')) {
            return false;
        }
    }
    return true;
}

// Between two `quote`; those inside are doubled.
static void print_quoted(text_builder *out, text value, char quote) {
    text_append_char(out, quote);
    size_t from = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == quote) {
            text_append(out, text_slice(value, from, i + 1));
            from = i; // The quote again.
        }
    }
    text_append(out, text_slice(value, from, value.size));
    text_append_char(out, quote);
}

void sql_print_string(text_builder *out, text value) {
    print_quoted(out, value, '\'');
}

void sql_print_name(text_builder *out, const sql_name *name) {
    if (name->is_quoted || !sql_name_is_word(name->value)) {
        print_quoted(out, name->value, '"');
    } else {
        text_append(out, name->value);
    }
}

void sql_print_known_name(text_builder *out, text name) {
    uint32_t hash = KEYWORD_HASH_START;
    for (size_t i = 0; i < name.size; i++) {
        hash = sql_keyword_hash_add(hash, (uint8_t)name.data[i]);
    }
    const sql_keyword_use use = sql_keyword_use_of(sql_keyword_find(name, hash));
    sql_print_name(out, &(sql_name){.value = name, .is_quoted = use != KEYWORD_FREE});
}

void print_path(text_builder *out, sql_names path) {
    for (size_t i = 0; i < path.count; i++) {
        put_if(out, i > 0, ".");
        sql_print_name(out, &path.items[i]);
    }
}

void print_columns(text_builder *out, sql_names names) {
    for (size_t i = 0; i < names.count; i++) {
        put(out, i == 0 ? " (" : ", ");
        sql_print_name(out, &names.items[i]);
    }
    put_if(out, names.count > 0, ")");
}

// ---- Lists and clauses -------------------------------------------------------------------------

void print_list(text_builder *out, sql_list list) {
    for (size_t i = 0; i < list.count; i++) {
        put_if(out, i > 0, ", ");
        sql_print_node(out, list.items[i]);
    }
}

void print_list_in_parentheses(text_builder *out, sql_list list) {
    put(out, "(");
    print_list(out, list);
    put(out, ")");
}

static void print_literal(text_builder *out, const sql_literal *literal) {
    switch (literal->kind) {
    case SQL_LITERAL_NULL:
        put(out, "NULL");
        break;
    case SQL_LITERAL_TRUE:
        put(out, "true");
        break;
    case SQL_LITERAL_FALSE:
        put(out, "false");
        break;
    case SQL_LITERAL_INTEGER:
    case SQL_LITERAL_DECIMAL:
    case SQL_LITERAL_DOUBLE:
        text_append(out, literal->value);
        break;
    case SQL_LITERAL_STRING:
        sql_print_string(out, literal->value);
        break;
    case SQL_LITERAL_BLOB:
        put(out, "X'");
        for (size_t i = 0; i < literal->value.size; i++) {
            text_append_format(out, "%02X", (uint8_t)literal->value.data[i]);
        }
        put(out, "'");
        break;
    case SQL_LITERAL_BITS:
        put(out, "B'");
        text_append(out, literal->value);
        put(out, "'");
        break;
    }
}

void print_literal_clause(text_builder *out, const char *words, const sql_literal *literal) {
    if (literal != NULL) {
        put(out, words);
        print_literal(out, literal);
    }
}

void print_expr_clause(text_builder *out, const char *words, const sql_expr *expr) {
    if (expr != NULL) {
        put(out, words);
        print_expr(out, expr);
    }
}

void print_options(text_builder *out, const char *words, sql_list options) {
    if (options.count > 0) {
        put(out, words);
        print_list_in_parentheses(out, options);
    }
}

void print_option(text_builder *out, const sql_option *option) {
    if (option->key.is_quoted) {
        sql_print_string(out, option->key.value);
    } else {
        text_append(out, option->key.value); // Dots and all.
    }
    print_expr_clause(out, " = ", option->value);
}

// ---- Nodes -------------------------------------------------------------------------------------

static void print_select_item(text_builder *out, const sql_select_item *item) {
    print_expr(out, item->value);
    if (item->alias.value.size > 0) {
        put(out, " AS ");
        sql_print_name(out, &item->alias);
    }
}

static void print_order_item(text_builder *out, const sql_order_item *item) {
    if (item->value == NULL) {
        put(out, "ALL");
    } else {
        print_expr(out, item->value);
    }
    put_if(out, item->direction == SQL_DIRECTION_ASC, " ASC");
    put_if(out, item->direction == SQL_DIRECTION_DESC, " DESC");
    put_if(out, item->nulls == SQL_NULL_ORDER_FIRST, " NULLS FIRST");
    put_if(out, item->nulls == SQL_NULL_ORDER_LAST, " NULLS LAST");
}

static void print_named_window(text_builder *out, const sql_named_window *named) {
    sql_print_name(out, &named->name);
    put(out, " AS ");
    print_window(out, named->window);
}

static void print_cte(text_builder *out, const sql_cte *cte) {
    sql_print_name(out, &cte->name);
    print_columns(out, cte->columns);
    put(out, " AS ");
    put_if(out, cte->materialized == SQL_MATERIALIZED_NO, "NOT ");
    put_if(out, cte->materialized != SQL_MATERIALIZED_UNSAID, "MATERIALIZED ");
    put(out, "(");
    sql_print_query(out, cte->query);
    put(out, ")");
}

static void print_field_definition(text_builder *out, const sql_field_definition *field) {
    sql_print_name(out, &field->name);
    put(out, " ");
    print_type(out, field->type);
    put_if(out, field->is_not_null, " NOT NULL");
    print_literal_clause(out, " COMMENT ", field->comment);
}

static void print_part(text_builder *out, const sql_node *part) {
    switch ((sql_part_kind)part->kind) {
    case SQL_TYPE:
        print_type(out, sql_type_of(part));
        break;
    case SQL_FIELD_DEFINITION:
        print_field_definition(out, sql_field_definition_of(part));
        break;
    case SQL_SELECT_ITEM:
        print_select_item(out, sql_select_item_of(part));
        break;
    case SQL_ORDER_ITEM:
        print_order_item(out, sql_order_item_of(part));
        break;
    case SQL_WHEN:
        print_expr_clause(out, "WHEN ", sql_when_of(part)->condition);
        print_expr_clause(out, " THEN ", sql_when_of(part)->result);
        break;
    case SQL_MAP_ENTRY:
        print_expr(out, sql_map_entry_of(part)->key);
        print_expr_clause(out, ": ", sql_map_entry_of(part)->value);
        break;
    case SQL_WINDOW:
        print_window(out, sql_window_of(part));
        break;
    case SQL_NAMED_WINDOW:
        print_named_window(out, sql_named_window_of(part));
        break;
    case SQL_FRAME:
        print_frame(out, sql_frame_of(part));
        break;
    case SQL_SAMPLE:
        print_sample(out, sql_sample_of(part));
        break;
    case SQL_WITH:
        print_with(out, sql_with_of(part));
        break;
    case SQL_CTE:
        print_cte(out, sql_cte_of(part));
        break;
    case SQL_OPTION:
        print_option(out, sql_option_of(part));
        break;
    case SQL_OBJECT_NAME:
        print_path(out, sql_object_name_of(part)->path);
        break;
    case SQL_COLUMN_DEFINITION:
        print_column_definition(out, sql_column_definition_of(part));
        break;
    case SQL_CONSTRAINT:
        print_constraint(out, sql_constraint_of(part));
        break;
    case SQL_ASSIGNMENT:
        print_assignment(out, sql_assignment_of(part));
        break;
    case SQL_MERGE_WHEN:
        print_merge_when(out, sql_merge_when_of(part));
        break;
    case SQL_ALTER_ACTION:
        print_alter_action(out, sql_alter_action_of(part));
        break;
    case SQL_RETENTION:
        print_retention(out, sql_retention_of(part));
        break;
    }
}

void sql_print_node(text_builder *out, const sql_node *node) {
    switch ((sql_family)node->family) {
    case SQL_FAMILY_EXPR:
        if (node->kind == SQL_LITERAL) {
            print_literal(out, sql_literal_of(node));
        } else {
            print_expr(out, node);
        }
        break;
    case SQL_FAMILY_RELATION:
        print_relation(out, node);
        break;
    case SQL_FAMILY_BODY:
        print_body(out, node);
        break;
    case SQL_FAMILY_STATEMENT:
        print_statement(out, node);
        break;
    case SQL_FAMILY_PART:
        print_part(out, node);
        break;
    }
}

void sql_print_statement(text_builder *out, const sql_statement *statement) {
    print_statement(out, statement);
}

void sql_print_query(text_builder *out, const sql_query *query) {
    print_body(out, &query->node);
}

void sql_print_expr(text_builder *out, const sql_expr *expr) {
    print_expr(out, expr);
}

void sql_print_type(text_builder *out, const sql_type *type) {
    print_type(out, type);
}
