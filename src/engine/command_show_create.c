// SHOW CREATE TABLE and VIEW: the statement that would make such a thing again, under the name that
// was asked for. Of an Iceberg table its partitions are those that new rows get, and its write
// order is a statement behind.
#include "engine/objects.h"
#include "sql/printer.h"
#include "tables/transaction.h"

static void put(text_builder *out, const char *words) {
    text_append(out, text_of(words));
}

static void put_path(text_builder *out, const sql_names *path) {
    for (size_t i = 0; i < path->count; i++) {
        put(out, i == 0 ? "" : ".");
        sql_print_name(out, &path->items[i]);
    }
}

static void put_text(text_builder *out, const char *word, text value) {
    if (value.size > 0) {
        put(out, word);
        sql_print_string(out, value);
    }
}

static void put_type(text_builder *out, const type *of, const column_note *inside);

static void put_fields(text_builder *out, const type *of, const column_note *inside) {
    for (uint32_t i = 0; i < of->child_count; i++) {
        const field *each = &of->children[i];
        const column_note note = inside == NULL ? (column_note){0} : inside[i];
        put(out, i == 0 ? "" : ", ");
        sql_print_known_name(out, each->name);
        put(out, " ");
        put_type(out, each->type, note.children);
        put(out, each->is_nullable ? "" : " NOT NULL");
        put_text(out, " COMMENT ", note.comment);
    }
}

// As CREATE TABLE takes it: that elements of lists and values of maps are there has no words.
// Recursion is bounded by TYPE_DEPTH_MAX.
static void put_type(text_builder *out, const type *of, const column_note *inside) {
    switch ((int)of->id) {
    case TYPE_LIST:
        put_type(out, of->children[0].type, inside == NULL ? NULL : inside[0].children);
        put(out, "[]");
        return;
    case TYPE_MAP:
        put(out, "MAP(");
        put_type(out, of->children[0].type, inside == NULL ? NULL : inside[0].children);
        put(out, ", ");
        put_type(out, of->children[1].type, inside == NULL ? NULL : inside[1].children);
        put(out, ")");
        return;
    case TYPE_STRUCT:
        put(out, "STRUCT(");
        put_fields(out, of, inside);
        put(out, ")");
        return;
    default:
        type_print(of, out);
    }
}

static void put_columns(text_builder *out, const table_snapshot *table) {
    for (uint32_t i = 0; i < table->columns.count; i++) {
        const field *each = &table->columns.fields[i];
        const column_note note = table->notes == NULL ? (column_note){0} : table->notes[i];
        put(out, i == 0 ? "" : ", ");
        sql_print_known_name(out, each->name);
        put(out, " ");
        put_type(out, each->type, note.children);
        put(out, each->is_nullable ? "" : " NOT NULL");
        if (note.default_value.size > 0) {
            put(out, " DEFAULT ");
            text_append(out, note.default_value);
        }
        put_text(out, " COMMENT ", note.comment);
    }
}

// "bucket[16]" of a column is bucket(16, id); "" and "identity" are the column.
static void put_key(text_builder *out, const text_list *path, text transform) {
    const char *width = memchr(transform.data, '[', transform.size);
    const size_t word_size = width == NULL ? transform.size : (size_t)(width - transform.data);
    const bool is_plain = word_size == 0 || text_equal(transform, TEXT("identity"));
    if (!is_plain) {
        text_append(out, text_slice(transform, 0, word_size));
        put(out, "(");
    }
    if (width != NULL) {
        text_append(out, text_slice(transform, word_size + 1, transform.size - 1));
        put(out, ", ");
    }
    for (uint32_t i = 0; i < path->count; i++) {
        put(out, i == 0 ? "" : ".");
        sql_print_known_name(out, path->items[i]);
    }
    put(out, is_plain ? "" : ")");
}

static void put_partitions(text_builder *out, const table_definition *said) {
    for (uint32_t i = 0; i < said->partition_count; i++) {
        put(out, i == 0 ? " PARTITIONED BY (" : ", ");
        put_key(out, &said->partitions[i].path, said->partitions[i].transform);
    }
    put(out, said->partition_count > 0 ? ")" : "");
}

static void put_properties(text_builder *out, const firn_option *properties, size_t count) {
    for (size_t i = 0; i < count; i++) {
        put(out, i == 0 ? " WITH (" : ", ");
        sql_print_string(out, text_of(properties[i].key));
        put(out, " = ");
        sql_print_string(out, text_of(properties[i].value));
    }
    put(out, count > 0 ? ")" : "");
}

// How ORDERED BY is said so that rows come together as they do now.
static const char *order_words(const table_definition *said) {
    for (size_t i = 0; i < said->property_count; i++) {
        const text value = text_of(said->properties[i].value);
        if (text_equal(text_of(said->properties[i].key), TEXT("write.distribution-mode"))) {
            return text_equal(value, TEXT("hash"))   ? " WRITE DISTRIBUTED BY PARTITION ORDERED BY "
                   : text_equal(value, TEXT("none")) ? " WRITE LOCALLY ORDERED BY "
                                                     : " WRITE ORDERED BY ";
        }
    }
    return " WRITE ORDERED BY ";
}

// A statement of its own: CREATE TABLE has no words for it.
static void put_order(text_builder *out, const sql_names *path, const table_definition *said) {
    if (said->order_count == 0) {
        return;
    }
    put(out, "; ALTER TABLE ");
    put_path(out, path);
    for (uint32_t i = 0; i < said->order_count; i++) {
        const order_key *each = &said->order[i];
        put(out, i == 0 ? order_words(said) : ", ");
        put_key(out, &each->path, each->transform);
        put(out, each->is_descending ? " DESC" : "");
        put(out, each->nulls_first ? " NULLS FIRST" : " NULLS LAST");
    }
}

static firn_status print_table(run *self, const sql_names *path, const table_snapshot *table,
                               text_builder *out, firn_error *err) {
    table_definition said;
    if (table->kind->define == NULL) {
        return FAIL_SQL(err, FIRN_INVALID, "42809", path->items[0].position,
                        "\"%.*s\" was not made by CREATE TABLE",
                        TEXT_ARGS(path->items[path->count - 1].value));
    }
    TRY(table->kind->define(table, &self->memory, &said, err));
    put(out,
        text_equal(table->ref.catalog, TEXT("temp")) ? "CREATE TEMPORARY TABLE " : "CREATE TABLE ");
    put_path(out, path);
    put(out, " (");
    put_columns(out, table);
    put(out, ")");
    if (said.format.size > 0) {
        put(out, " USING ");
        sql_print_known_name(out, said.format);
    }
    put_partitions(out, &said);
    put_text(out, " LOCATION ", said.location);
    put_text(out, " COMMENT ", said.comment);
    put_properties(out, said.properties, said.property_count);
    put_order(out, path, &said);
    return FIRN_OK;
}

static void print_view(const sql_names *path, const view_definition *view, text_builder *out) {
    put(out, view->sees_temporary ? "CREATE TEMPORARY VIEW " : "CREATE VIEW ");
    put_path(out, path);
    for (uint32_t i = 0; i < view->columns.count; i++) {
        put(out, i == 0 ? " (" : ", ");
        sql_print_known_name(out, view->columns.items[i]);
    }
    put(out, view->columns.count > 0 ? ")" : "");
    put_text(out, " COMMENT ", view->comment);
    put_properties(out, view->properties, view->property_count);
    put(out, " AS ");
    text_append(out, view->sql);
}

firn_status command_show_create(run *self, const sql_show *written, firn_error *err) {
    const char *const names[] = {"definition"};
    const table_version now = {.kind = VERSION_CURRENT};
    const bind_env env = session_bind_env(self);
    bound_object found = {0};
    text_builder out = text_builder_open(&self->memory);
    TRY(env.find(self, &written->name, &now, NULL, &self->memory, &found, err));
    firn_status status = FIRN_OK;
    if (found.snapshot != NULL) {
        status = print_table(self, &written->name, found.snapshot, &out, err);
        table_snapshot_release(found.snapshot);
    } else {
        print_view(&written->name, found.view, &out);
    }
    TRY(status);
    text made;
    listing *rows;
    TRY(text_builder_finish(&out, &made, err));
    TRY(listing_open(self, names, 1, &rows, err));
    TRY(listing_add(rows, &made, err));
    return listing_finish(rows, err);
}
