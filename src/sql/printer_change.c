// INSERT, UPDATE, DELETE, MERGE, COPY.
#include "sql/printer_private.h"

static void print_with_clause(text_builder *out, const sql_with *with) {
    if (with != NULL) {
        print_with(out, with);
        put(out, " ");
    }
}

void print_returning(text_builder *out, sql_list returning) {
    put_if(out, returning.count > 0, " RETURNING ");
    print_list(out, returning);
}

static void print_relations(text_builder *out, const char *words, sql_list relations) {
    put_if(out, relations.count > 0, words);
    print_list(out, relations);
}

void print_insert(text_builder *out, const sql_insert *insert) {
    print_with_clause(out, insert->with);
    put(out, insert->is_overwrite ? "INSERT OVERWRITE " : "INSERT INTO ");
    print_relation(out, &insert->table->node);
    print_columns(out, insert->columns);
    put_if(out, insert->is_by_name, " BY NAME");
    // In parentheses, because the query behind it may begin with one.
    print_expr_clause(out, " REPLACE WHERE (", insert->replace_where);
    put_if(out, insert->replace_where != NULL, ")");
    put(out, insert->query == NULL ? " DEFAULT VALUES" : " ");
    if (insert->query != NULL) {
        sql_print_query(out, insert->query);
    }
    print_returning(out, insert->returning);
}

void print_assignment(text_builder *out, const sql_assignment *assignment) {
    if (assignment->targets.count == 1) {
        print_list(out, assignment->targets);
    } else {
        print_list_in_parentheses(out, assignment->targets);
    }
    print_expr_clause(out, " = ", assignment->value);
}

void print_update(text_builder *out, const sql_update *update) {
    print_with_clause(out, update->with);
    put(out, "UPDATE ");
    print_relation(out, &update->table->node);
    put(out, " SET ");
    print_list(out, update->assignments);
    print_relations(out, " FROM ", update->from);
    print_expr_clause(out, " WHERE ", update->where);
    print_returning(out, update->returning);
}

void print_delete(text_builder *out, const sql_delete *delete) {
    print_with_clause(out, delete->with);
    put(out, "DELETE FROM ");
    print_relation(out, &delete->table->node);
    print_relations(out, " USING ", delete->using);
    print_expr_clause(out, " WHERE ", delete->where);
    print_returning(out, delete->returning);
}

static void print_merge_insert(text_builder *out, const sql_merge_when *when) {
    put(out, "INSERT");
    if (when->is_star) {
        put(out, " *");
    } else if (when->values.count == 0) {
        put(out, " DEFAULT VALUES");
    } else {
        print_columns(out, when->columns);
        put(out, " VALUES ");
        print_list_in_parentheses(out, when->values);
    }
}

void print_merge_when(text_builder *out, const sql_merge_when *when) {
    put(out, when->match == SQL_MERGE_MATCHED       ? "WHEN MATCHED"
             : when->match == SQL_MERGE_NOT_MATCHED ? "WHEN NOT MATCHED"
                                                    : "WHEN NOT MATCHED BY SOURCE");
    print_expr_clause(out, " AND ", when->condition);
    put(out, " THEN ");
    switch (when->action) {
    case SQL_MERGE_UPDATE:
        put(out, when->is_star ? "UPDATE SET *" : "UPDATE SET ");
        print_list(out, when->assignments);
        break;
    case SQL_MERGE_INSERT:
        print_merge_insert(out, when);
        break;
    case SQL_MERGE_DELETE:
        put(out, "DELETE");
        break;
    case SQL_MERGE_NOTHING:
        put(out, "DO NOTHING");
        break;
    }
}

void print_merge(text_builder *out, const sql_merge *merge) {
    print_with_clause(out, merge->with);
    put(out, "MERGE INTO ");
    print_relation(out, &merge->table->node);
    put(out, " USING ");
    print_relation(out, merge->source);
    print_expr_clause(out, " ON ", merge->on);
    for (size_t i = 0; i < merge->whens.count; i++) {
        put(out, " ");
        sql_print_node(out, merge->whens.items[i]);
    }
    print_returning(out, merge->returning);
}

void print_copy(text_builder *out, const sql_copy *copy) {
    put(out, "COPY ");
    if (copy->query != NULL) {
        put(out, "(");
        sql_print_query(out, copy->query);
        put(out, ")");
    } else {
        print_path(out, copy->table);
        print_columns(out, copy->columns);
    }
    print_expr_clause(out, copy->is_from ? " FROM " : " TO ", copy->place);
    print_options(out, " ", copy->options);
}
