// Staged creates: what a server would make of a new table. Nothing is left behind; the commit that
// follows makes the table.
#include "catalogs/catalog_location.h"
#include "catalogs/rest_client_private.h"
#include "catalogs/rest_client_storage.h"
#include "tables/iceberg/iceberg_schema_write.h"

static text property_of(const table_definition *wanted, text key) {
    for (size_t i = 0; i < wanted->property_count; i++) {
        if (text_equal(text_of(wanted->properties[i].key), key)) {
            return text_of(wanted->properties[i].value);
        }
    }
    return (text){.size = 0};
}

// The columns as a schema; the server gives its own ids anyway.
static firn_status write_schema(json_writer *out, const table_definition *wanted, arena *memory,
                                firn_error *err) {
    const bool is_3 = text_equal(property_of(wanted, TEXT("format-version")), TEXT("3"));
    ice_schema made = {.id = 0};
    int32_t last_id = 0;
    TRY(ice_schema_assign(&wanted->columns, NULL, is_3 ? 3 : 2, memory, &last_id, &made.columns,
                          err));
    ice_schema_write(out, &made);
    return FIRN_OK;
}

static firn_status write_create(object_name name, const table_definition *wanted, arena *memory,
                                rest_call *call, firn_error *err) {
    text_builder json = text_builder_open(memory);
    json_writer out = json_writer_into(&json, 0);
    json_begin_object(&out);
    json_write_key(&out, TEXT("name"));
    json_write_text(&out, name.name);
    if (wanted->location.size > 0) {
        json_write_key(&out, TEXT("location"));
        json_write_text(&out, wanted->location);
    }
    json_write_key(&out, TEXT("schema"));
    TRY(write_schema(&out, wanted, memory, err));
    json_write_key(&out, TEXT("stage-create"));
    json_write_bool(&out, true);
    json_write_key(&out, TEXT("properties"));
    json_begin_object(&out);
    for (size_t i = 0; i < wanted->property_count; i++) {
        json_write_key(&out, text_of(wanted->properties[i].key));
        json_write_text(&out, text_of(wanted->properties[i].value));
    }
    json_end_object(&out);
    json_end_object(&out);
    json_writer_finish(&out);
    text body;
    TRY(text_builder_finish(&json, &body, err));
    call->has_body = true;
    call->body = bytes_of_text(body);
    return FIRN_OK;
}

// What was wanted, and what the server adds to it.
static firn_status merge_properties(const json_node *metadata, const table_definition *wanted,
                                    arena *memory, table_definition *out, firn_error *err) {
    const json_node *added = NULL;
    TRY(json_want_object(metadata, "properties", &added, err));
    const size_t most = wanted->property_count + (added == NULL ? 0 : added->count);
    firn_option *items = ARENA_NEW(memory, firn_option, most + 1);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    size_t count = wanted->property_count;
    for (size_t i = 0; i < count; i++) {
        items[i] = wanted->properties[i];
    }
    for (const json_node *each = added == NULL ? NULL : added->first; each != NULL;
         each = each->next) {
        text key;
        text value;
        TRY(json_as_text(each, &value, err));
        if (property_of(wanted, each->key).data == NULL) {
            TRY(text_copy(memory, each->key, &key, err));
            TRY(text_copy(memory, value, &value, err));
            items[count++] = (firn_option){.key = key.data, .value = value.data};
        }
    }
    out->properties = items;
    out->property_count = count;
    return FIRN_OK;
}

typedef struct staging {
    rest_client *client;
    object_name name;
    const table_definition *wanted;
    arena *memory;
    const cancel_flag *cancel;
} staging;

static firn_status read_staged(const staging *self, bytes body, table_definition *out,
                               firn_error *err) {
    arena *memory = self->memory;
    loaded_table staged;
    const json_node *metadata;
    text location;
    TRY(rest_read_table(body, memory, &staged, err));
    rest_owns_put(&self->client->owns, self->name, &staged); // For the commit.
    // What is written before it.
    TRY(rest_storage_set(self->client, self->name, &staged, memory, err));
    TRY(json_tree_read(memory, staged.metadata, &metadata, err));
    TRY(json_get_text(metadata, "location", &location, err));
    if (location.size == 0) {
        return FAIL(err, FIRN_CORRUPT, "the staged table has no location");
    }
    TRY(text_copy(memory, location, &out->location, err));
    return merge_properties(metadata, self->wanted, memory, out, err);
}

static firn_status ask_server(const staging *self, table_definition *out, http_answer *answer,
                              firn_error *err) {
    rest_client *client = self->client;
    const rest_load what = {.space = self->name.space, .name = self->name.name};
    rest_call call = {.method = "POST", .has_table_ask = true};
    text_builder path = rest_space_path_open(client, self->memory, self->name.space);
    text_append(&path, TEXT("/tables"));
    TRY(text_builder_finish(&path, &call.path, err));
    TRY(rest_name_table(self->memory, &what, "new table", &call.subject, err));
    TRY(write_create(self->name, self->wanted, self->memory, &call, err));
    TRY(rest_session_call(&client->session, &call, self->memory, self->cancel, answer, err));
    return rest_while_reading(read_staged(self, answer->body, out, err), client, call.subject,
                              self->memory, err);
}

// Where a table of that name is; it is replaced in its place.
static firn_status find_table(const staging *self, text *out, firn_error *err) {
    const rest_load what = {
        .space = self->name.space, .name = self->name.name, .only_referenced = true};
    loaded_table found;
    const json_node *metadata;
    TRY(rest_client_load(self->client, &what, self->memory, &found, self->cancel, err));
    TRY(json_tree_read(self->memory, found.metadata, &metadata, err));
    return json_get_text(metadata, "location", out, err);
}

static firn_status choose_location(const staging *self, bool is_taken, table_definition *out,
                                   firn_error *err) {
    if (is_taken && self->wanted->location.size == 0) {
        return find_table(self, &out->location, err);
    }
    catalog_properties of_space;
    TRY(rest_client_namespace_properties(self->client, self->name.space, self->memory, &of_space,
                                         self->cancel, err));
    const location_parts parts = {.given = self->wanted->location,
                                  .of_namespace =
                                      catalog_property_find(&of_space, TEXT("location")),
                                  .name = self->name};
    return catalog_location_new(&parts, self->memory, &out->location, err);
}

firn_status rest_client_stage(rest_client *self, object_name name, const table_definition *wanted,
                              arena *memory, table_definition *out, const cancel_flag *cancel,
                              firn_error *err) {
    *out = *wanted;
    TRY(rest_client_connect(self, cancel, err));
    TRY(rest_check_name(self, name, err));
    const staging stage = {
        .client = self, .name = name, .wanted = wanted, .memory = memory, .cancel = cancel};
    http_answer answer = {.status = 0};
    if (!rest_client_can(self, REST_CREATE_TABLE)) {
        return choose_location(&stage, false, out, err);
    }
    const firn_status status = ask_server(&stage, out, &answer, err);
    const bool is_taken = answer.status == 409;
    // Not every server stages, and those that do not say so in different ways.
    if (is_taken || answer.status == 405 || answer.status == 406 || answer.status == 501) {
        *out = *wanted;
        TRY(err_forgive(err, status, status));
        return choose_location(&stage, is_taken, out, err);
    }
    if (status == FIRN_NOT_FOUND) {
        memcpy(err->sqlstate, "3F000", sizeof "3F000");
    }
    return status;
}
