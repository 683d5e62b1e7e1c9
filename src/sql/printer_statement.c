// The statements about the session, and which statement is printed how.
#include "sql/printer_private.h"

static void print_transaction(text_builder *out, const sql_transaction *transaction) {
    static const char *const isolations[] = {
        [SQL_ISOLATION_UNSAID] = "",
        [SQL_ISOLATION_READ_UNCOMMITTED] = " ISOLATION LEVEL READ UNCOMMITTED",
        [SQL_ISOLATION_READ_COMMITTED] = " ISOLATION LEVEL READ COMMITTED",
        [SQL_ISOLATION_REPEATABLE_READ] = " ISOLATION LEVEL REPEATABLE READ",
        [SQL_ISOLATION_SNAPSHOT] = " ISOLATION LEVEL SNAPSHOT",
        [SQL_ISOLATION_SERIALIZABLE] = " ISOLATION LEVEL SERIALIZABLE",
    };
    switch (transaction->action) {
    case SQL_TRANSACTION_BEGIN:
        put(out, "BEGIN");
        break;
    case SQL_TRANSACTION_COMMIT:
        put(out, "COMMIT");
        break;
    case SQL_TRANSACTION_ROLLBACK:
        put(out, "ROLLBACK");
        break;
    case SQL_TRANSACTION_SAVEPOINT:
        put(out, "SAVEPOINT ");
        break;
    case SQL_TRANSACTION_RELEASE:
        put(out, "RELEASE SAVEPOINT ");
        break;
    case SQL_TRANSACTION_ROLLBACK_TO:
        put(out, "ROLLBACK TO SAVEPOINT ");
        break;
    }
    if (transaction->savepoint.value.size > 0) {
        sql_print_name(out, &transaction->savepoint);
    }
    put(out, isolations[transaction->isolation]);
    put_if(out, transaction->access == SQL_ACCESS_READ_ONLY, " READ ONLY");
    put_if(out, transaction->access == SQL_ACCESS_READ_WRITE, " READ WRITE");
}

static void print_set(text_builder *out, const sql_set *set) {
    static const char *const scopes[] = {
        [SQL_SCOPE_UNSAID] = "SET ",
        [SQL_SCOPE_SESSION] = "SET SESSION ",
        [SQL_SCOPE_LOCAL] = "SET LOCAL ",
        [SQL_SCOPE_GLOBAL] = "SET GLOBAL ",
    };
    put(out, scopes[set->scope]);
    print_path(out, set->name);
    put(out, set->values.count == 0 ? " = DEFAULT" : " = ");
    print_list(out, set->values);
}

static void print_show(text_builder *out, const sql_show *show) {
    static const char *const words[] = {
        [SQL_SHOW_SETTING] = "SHOW ",
        [SQL_SHOW_ALL_SETTINGS] = "SHOW ALL SETTINGS",
        [SQL_SHOW_CATALOGS] = "SHOW CATALOGS",
        [SQL_SHOW_SCHEMAS] = "SHOW SCHEMAS",
        [SQL_SHOW_TABLES] = "SHOW TABLES",
        [SQL_SHOW_VIEWS] = "SHOW VIEWS",
        [SQL_SHOW_COLUMNS] = "SHOW COLUMNS",
        [SQL_SHOW_FUNCTIONS] = "SHOW FUNCTIONS",
        [SQL_SHOW_CREATE_TABLE] = "SHOW CREATE TABLE ",
        [SQL_SHOW_CREATE_VIEW] = "SHOW CREATE VIEW ",
    };
    const bool has_from = show->what == SQL_SHOW_SCHEMAS || show->what == SQL_SHOW_TABLES ||
                          show->what == SQL_SHOW_VIEWS || show->what == SQL_SHOW_COLUMNS;
    put(out, words[show->what]);
    put_if(out, has_from && show->name.count > 0, " FROM ");
    print_path(out, show->name);
    print_literal_clause(out, " LIKE ", show->pattern);
}

bool sql_is_harmless_option(text name) {
    static const char *const names[] = {
        "TYPE",  "WAREHOUSE",         "CATALOG_NAME",    "CONNECT_TIMEOUT",
        "SCOPE", "OAUTH2_SERVER_URI", "REQUEST_TIMEOUT", "READ_ONLY",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (text_equal_nocase(name, text_of(names[i]))) {
            return true;
        }
    }
    return false;
}

// Values that are nobody's business are not printed: printed statements end up in logs.
static void print_attach_option(text_builder *out, const sql_option *option) {
    if (option->value != NULL && !sql_is_harmless_option(option->key.value)) {
        sql_print_name(out, &option->key);
        put(out, " = '***'");
        return;
    }
    print_option(out, option);
}

static void print_attach(text_builder *out, const sql_attach *attach) {
    put(out, attach->or_replace ? "ATTACH OR REPLACE " : "ATTACH ");
    put_if(out, attach->if_not_exists, "IF NOT EXISTS ");
    print_expr(out, attach->place);
    if (attach->alias.value.size > 0) {
        put(out, " AS ");
        sql_print_name(out, &attach->alias);
    }
    for (size_t i = 0; i < attach->options.count; i++) {
        put(out, i == 0 ? " (" : ", ");
        print_attach_option(out, sql_option_of(attach->options.items[i]));
    }
    put_if(out, attach->options.count > 0, ")");
}

static void print_describe(text_builder *out, const sql_describe *describe) {
    put(out, describe->is_summary ? "SUMMARIZE " : "DESCRIBE ");
    if (describe->query != NULL) {
        sql_print_query(out, describe->query);
    } else {
        put(out, "TABLE ");
        print_relation(out, &describe->table->node);
    }
}

static void print_explain(text_builder *out, const sql_explain *explain) {
    const char *separator = "EXPLAIN (";
    if (explain->is_analyze) {
        put(out, separator);
        put(out, "ANALYZE");
        separator = ", ";
    }
    if (explain->is_verbose) {
        put(out, separator);
        put(out, "VERBOSE");
        separator = ", ";
    }
    if (explain->format.value.size > 0) {
        put(out, separator);
        put(out, "FORMAT ");
        sql_print_name(out, &explain->format);
        separator = ", ";
    }
    if (separator[0] == ',') {
        put(out, ") ");
    } else if (sql_statement_kind_of(explain->statement) == SQL_ANALYZE) {
        put(out, "EXPLAIN (ANALYZE false) "); // EXPLAIN ANALYZE would be something else.
    } else {
        put(out, "EXPLAIN ");
    }
    print_statement(out, explain->statement);
}

static void print_prepare(text_builder *out, const sql_prepare *prepare) {
    put(out, "PREPARE ");
    sql_print_name(out, &prepare->name);
    print_options(out, " ", prepare->types);
    put(out, " AS ");
    print_statement(out, prepare->statement);
}

static void print_execute(text_builder *out, const sql_execute *execute) {
    put(out, "EXECUTE ");
    sql_print_name(out, &execute->name);
    if (execute->arguments.count > 0) {
        put(out, " (");
        print_arguments(out, execute->arguments);
        put(out, ")");
    }
}

static void print_analyze(text_builder *out, const sql_analyze *analyze) {
    put(out, analyze->table.count > 0 ? "ANALYZE TABLE " : "ANALYZE");
    print_path(out, analyze->table);
    print_columns(out, analyze->columns);
}

// A word and a name, or another word where there is none.
static void print_word_and_name(text_builder *out, const char *words, const sql_name *name,
                                const char *otherwise) {
    put(out, words);
    if (name->value.size > 0) {
        sql_print_name(out, name);
    } else {
        put(out, otherwise);
    }
}

static void print_session_statement(text_builder *out, const sql_statement *statement) {
    switch ((uint32_t)sql_statement_kind_of(statement)) {
    case SQL_SET:
        print_set(out, sql_set_of(statement));
        break;
    case SQL_RESET:
        put(out, sql_reset_of(statement)->name.count > 0 ? "RESET " : "RESET ALL");
        print_path(out, sql_reset_of(statement)->name);
        break;
    case SQL_SHOW:
        print_show(out, sql_show_of(statement));
        break;
    case SQL_USE:
        put(out, "USE ");
        print_path(out, sql_use_of(statement)->name);
        break;
    case SQL_ATTACH:
        print_attach(out, sql_attach_of(statement));
        break;
    case SQL_DETACH:
        print_word_and_name(out,
                            sql_detach_of(statement)->if_exists ? "DETACH IF EXISTS " : "DETACH ",
                            &sql_detach_of(statement)->name, "");
        break;
    case SQL_DESCRIBE:
        print_describe(out, sql_describe_of(statement));
        break;
    case SQL_EXPLAIN:
        print_explain(out, sql_explain_of(statement));
        break;
    case SQL_PREPARE:
        print_prepare(out, sql_prepare_of(statement));
        break;
    case SQL_EXECUTE:
        print_execute(out, sql_execute_of(statement));
        break;
    case SQL_DEALLOCATE:
        print_word_and_name(out, "DEALLOCATE ", &sql_deallocate_of(statement)->name, "ALL");
        break;
    case SQL_CALL_STATEMENT:
        put(out, "CALL ");
        print_call(out, &sql_call_statement_of(statement)->call->node);
        break;
    case SQL_ANALYZE:
        print_analyze(out, sql_analyze_of(statement));
        break;
    default:
        print_transaction(out, sql_transaction_of(statement));
        break;
    }
}

void print_statement(text_builder *out, const sql_statement *statement) {
    switch (sql_statement_kind_of(statement)) {
    case SQL_QUERY_STATEMENT:
        sql_print_query(out, sql_query_statement_of(statement)->query);
        break;
    case SQL_CREATE_TABLE:
        print_create_table(out, sql_create_table_of(statement));
        break;
    case SQL_CREATE_VIEW:
        print_create_view(out, sql_create_view_of(statement));
        break;
    case SQL_CREATE_SCHEMA:
        print_create_schema(out, sql_create_schema_of(statement));
        break;
    case SQL_DROP:
        print_drop(out, sql_drop_of(statement));
        break;
    case SQL_ALTER:
        print_alter(out, sql_alter_of(statement));
        break;
    case SQL_COMMENT_ON:
        print_comment_on(out, sql_comment_on_of(statement));
        break;
    case SQL_INSERT:
        print_insert(out, sql_insert_of(statement));
        break;
    case SQL_UPDATE:
        print_update(out, sql_update_of(statement));
        break;
    case SQL_DELETE:
        print_delete(out, sql_delete_of(statement));
        break;
    case SQL_MERGE:
        print_merge(out, sql_merge_of(statement));
        break;
    case SQL_TRUNCATE:
        put(out, "TRUNCATE TABLE ");
        print_path(out, sql_truncate_of(statement)->table);
        break;
    case SQL_COPY:
        print_copy(out, sql_copy_of(statement));
        break;
    case SQL_TRANSACTION:
    case SQL_SET:
    case SQL_RESET:
    case SQL_SHOW:
    case SQL_USE:
    case SQL_ATTACH:
    case SQL_DETACH:
    case SQL_DESCRIBE:
    case SQL_EXPLAIN:
    case SQL_PREPARE:
    case SQL_EXECUTE:
    case SQL_DEALLOCATE:
    case SQL_CALL_STATEMENT:
    case SQL_ANALYZE:
        print_session_statement(out, statement);
        break;
    }
}
