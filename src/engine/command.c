// Statements that are no queries: which function does which.
#include <assert.h>

#include "catalogs/catalogs.h"
#include "engine/propose.h"
#include "engine/spelling.h"
#include "engine/transactions.h"
#include "memory/json_tree.h"
#include "sql/printer.h"

// A map as a JSON object of texts.
static firn_status map_text(const column *map, arena *memory, text *out, firn_error *err) {
    const list_value entries = COLUMN_VALUES(map, list_value)[0];
    text_builder builder = text_builder_open(memory);
    json_writer json = json_writer_into(&builder, 0);
    json_begin_object(&json);
    for (uint32_t i = entries.offset; i < entries.offset + entries.size; i++) {
        text words[2];
        for (int side = 0; side < 2; side++) {
            text_builder word = text_builder_open(memory);
            column_print_row(&map->children[side], i, &word);
            TRY(text_builder_finish(&word, &words[side], err));
        }
        json_write_key(&json, words[0]);
        json_write_text(&json, words[1]);
    }
    json_end_object(&json);
    json_writer_finish(&json);
    return text_builder_finish(&builder, out, err);
}

firn_status command_constant_text(run *self, const sql_expr *written, text *out, firn_error *err) {
    // A bare word in SET is a text.
    if (sql_is_expr(written, SQL_COLUMN)) {
        const sql_names *path = &sql_column_of(written)->path;
        *out = path->items[path->count - 1].value;
        return FIRN_OK;
    }
    const bind_env env = session_bind_env(self);
    expr *value;
    TRY(bind_constant(written, &env, &self->memory, &value, err));
    if (value->literal_.value.is_null) {
        return FAIL_SQL(err, FIRN_INVALID, "22004", written->position, "NULL is no value here");
    }
    if (value->type->id == TYPE_MAP) {
        return map_text(value->literal_.value.value, &self->memory, out, err);
    }
    text_builder builder = text_builder_open(&self->memory);
    column_print_row(value->literal_.value.value, 0, &builder);
    return text_builder_finish(&builder, out, err);
}

static firn_status dotted(run *self, const sql_names *path, text *out, firn_error *err) {
    text_builder builder = text_builder_open(&self->memory);
    for (size_t i = 0; i < path->count; i++) {
        text_append(&builder, i == 0 ? TEXT("") : TEXT("."));
        text_append(&builder, path->items[i].value);
    }
    return text_builder_finish(&builder, out, err);
}

// ---- Settings ----------------------------------------------------------------------------------

static firn_status at_setting(firn_status status, const sql_names *name, firn_error *err) {
    if (status != FIRN_OK && name->count > 0) {
        err->position = name->items[0].position;
    }
    return status;
}

static firn_status run_set(run *self, const sql_set *written, firn_error *err) {
    text name;
    if (written->scope == SQL_SCOPE_LOCAL) {
        const firn_status status =
            FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                     "there is no SET LOCAL: a setting does not end with a transaction");
        err_hint(err, "SET holds for the session, until it is SET again or RESET");
        return status;
    }
    TRY(dotted(self, &written->name, &name, err));
    if (written->values.count == 0) {
        return at_setting(session_reset(self->session, name, err), &written->name, err);
    }
    text_builder builder = text_builder_open(&self->memory);
    for (size_t i = 0; i < written->values.count; i++) {
        text value;
        TRY(command_constant_text(self, written->values.items[i], &value, err));
        text_append(&builder, i == 0 ? TEXT("") : TEXT(","));
        text_append(&builder, value);
    }
    text whole;
    TRY(text_builder_finish(&builder, &whole, err));
    return at_setting(session_set(self->session, name, whole, err), &written->name, err);
}

static firn_status run_reset(run *self, const sql_reset *written, firn_error *err) {
    if (written->name.count == 0) {
        for (int id = 0; id < SETTING_COUNT; id++) {
            TRY(session_reset(self->session, setting_name((setting_id)id), err));
        }
        return FIRN_OK;
    }
    text name;
    TRY(dotted(self, &written->name, &name, err));
    return at_setting(session_reset(self->session, name, err), &written->name, err);
}

// ---- Catalogs ----------------------------------------------------------------------------------

static firn_status option_text(run *self, const sql_option *option, text *out, firn_error *err) {
    if (option->value == NULL) {
        *out = TEXT("true");
        return FIRN_OK;
    }
    if (command_constant_text(self, option->value, out, err) != FIRN_OK) {
        if (err->status != FIRN_INVALID || sql_is_harmless_option(option->key.value)) {
            return err->status;
        }
        // What it says may be a part of a secret.
        const firn_status status = FAIL_SQL(err, FIRN_INVALID, "22023", option->key.position,
                                            "the value of an option is a constant; as a text it "
                                            "must be in quotes");
        return status;
    }
    return FIRN_OK;
}

static text alias_of(const sql_attach *written, text location) {
    if (written->alias.value.size > 0) {
        return written->alias.value;
    }
    size_t from = location.size; // The last part of the location, without its extension.
    while (from > 0 && location.data[from - 1] != '/' && location.data[from - 1] != ':') {
        from--;
    }
    const text last = text_slice(location, from, location.size);
    return text_slice(last, 0, text_find(last, TEXT(".")));
}

static firn_status run_attach(run *self, const sql_attach *written, firn_error *err) {
    text location;
    TRY(command_constant_text(self, written->place, &location, err));
    const text alias = alias_of(written, location);
    firn_option *options = ARENA_NEW(&self->memory, firn_option, written->options.count + 1);
    if (options == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (size_t i = 0; i < written->options.count; i++) {
        const sql_option *option = sql_option_of(written->options.items[i]);
        text key;
        text value;
        TRY(text_copy(&self->memory, option->key.value, &key, err));
        TRY(option_text(self, option, &value, err));
        TRY(text_copy(&self->memory, value, &value, err)); // With a NUL behind it.
        options[i] = (firn_option){.key = key.data, .value = value.data};
        if (catalog_option_check(&options[i], alias, location, &self->memory, err) != FIRN_OK) {
            err->position = option->key.position;
            return err->status;
        }
    }
    const sql_name name = {.value = alias};
    if (catalog_set_find(self->catalogs, &name) != NULL) {
        if (written->if_not_exists) {
            return FIRN_OK;
        }
        if (written->or_replace) {
            TRY(session_detach(self->session, &name, err));
        }
    }
    firn_status status = session_attach(self->session, alias, location, options,
                                        written->options.count, &self->cancel, err);
    if (status != FIRN_OK && err->position == NO_POSITION) {
        err->position = written->place->position;
    }
    return status;
}

static firn_status run_detach(run *self, const sql_detach *written, firn_error *err) {
    if (written->if_exists && catalog_set_find(self->catalogs, &written->name) == NULL) {
        return FIRN_OK;
    }
    return session_detach(self->session, &written->name, err);
}

// ---- What cannot be done ------------------------------------------------------------------------

firn_status command_refuse_catalog(const catalog *target, uint32_t position, const char *what,
                                   firn_error *err) {
    return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", position,
                    "%s is not supported in the catalog \"%.*s\", which is %s", what,
                    TEXT_ARGS(target->alias),
                    target->is_read_only ? "read-only" : target->kind->name);
}

firn_status command_refuse_listed(const sql_names *path, const char *what, firn_error *err) {
    return FAIL_SQL(err, FIRN_INVALID, "42939", path->items[0].position,
                    "information_schema is in every catalog and only reads it: %s is not possible "
                    "there",
                    what);
}

// ---- Dispatch -----------------------------------------------------------------------------------

// A sentence for what is understood but not done.
static firn_status refuse(const sql_statement *statement, firn_error *err) {
    char words[32]; // Its name as it is written: "create_index" is CREATE INDEX.
    size_t size = 0;
    text name = text_of(sql_node_name(statement));
    const text tail = TEXT("_statement");
    if (text_ends_with(name, tail)) {
        name = text_slice(name, 0, name.size - tail.size);
    }
    for (; size < name.size && size < sizeof words; size++) {
        const char byte = name.data[size];
        words[size] = byte == '_' ? ' ' : (char)(byte & ~0x20);
    }
    return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", statement->position, "%.*s is not supported",
                    (int)size, words);
}

static bool is_change(const sql_statement *statement) {
    const int kind = (int)sql_statement_kind_of(statement);
    return kind != SQL_SHOW && kind != SQL_DESCRIBE && kind != SQL_EXPLAIN;
}

static firn_status dispatch(run *self, const sql_statement *statement, const bind_parameters *known,
                            const literal *values, firn_error *err) {
    switch ((int)sql_statement_kind_of(statement)) {
    case SQL_CREATE_TABLE:
        return command_create_table(self, sql_create_table_of(statement), known, values, err);
    case SQL_CREATE_VIEW:
        return command_create_view(self, sql_create_view_of(statement), err);
    case SQL_CREATE_SCHEMA:
        return command_create_schema(self, sql_create_schema_of(statement), err);
    case SQL_DROP:
        return command_drop(self, sql_drop_of(statement), err);
    case SQL_ALTER:
        return command_alter(self, sql_alter_of(statement), err);
    case SQL_COMMENT_ON:
        return command_comment_on(self, sql_comment_on_of(statement), err);
    case SQL_CALL_STATEMENT:
        return command_call(self, sql_call_statement_of(statement), err);
    case SQL_INSERT:
        return command_insert(self, sql_insert_of(statement), known, values, err);
    case SQL_DELETE:
    case SQL_UPDATE:
    case SQL_MERGE:
        return command_change(self, statement, known, values, err);
    case SQL_TRUNCATE:
        return command_truncate(self, sql_truncate_of(statement), err);
    case SQL_COPY:
        return command_copy(self, sql_copy_of(statement), known, values, err);
    case SQL_SET:
        return run_set(self, sql_set_of(statement), err);
    case SQL_RESET:
        return run_reset(self, sql_reset_of(statement), err);
    case SQL_SHOW:
        return command_show(self, sql_show_of(statement), err);
    case SQL_DESCRIBE:
        return command_describe(self, sql_describe_of(statement), err);
    case SQL_EXPLAIN:
        return command_explain(self, sql_explain_of(statement), known, values, err);
    case SQL_USE:
        return session_use(self->session, &sql_use_of(statement)->name, &self->memory,
                           &self->cancel, err);
    case SQL_ATTACH:
        return run_attach(self, sql_attach_of(statement), err);
    case SQL_DETACH:
        return run_detach(self, sql_detach_of(statement), err);
    case SQL_TRANSACTION:
        return command_transaction(self, sql_transaction_of(statement), err);
    default:
        return refuse(statement, err);
    }
}

firn_status command_run(run *self, const sql_statement *statement, const bind_parameters *known,
                        const literal *values, firn_error *err) {
    if (!is_change(statement)) {
        return dispatch(self, statement, known, values, err);
    }
    firn_engine *engine = self->session->engine;
    engine_note_change(engine);
    firn_status status = dispatch(self, statement, known, values, err);
    status = status == FIRN_OK ? run_commit_transaction(self, err) : status;
    engine_note_change(engine);
    return status;
}
