// Views of a REST catalog that are made, get another query or other properties.
#include "catalogs/rest_client_private.h"
#include "memory/json_tree.h"
#include "tables/iceberg/iceberg_view_write.h"

static firn_status create(rest_client *self, object_name name, const new_view *view, arena *memory,
                          firn_error *err) {
    static const refusal_states states = {.missing = "3F000", .taken = "42P07"};
    const rest_load what = {.space = name.space, .name = name.name};
    rest_call call = {.method = "POST", .has_body = true};
    text body;
    TRY(rest_must_have(self, REST_CREATE_VIEW, "make views", err));
    TRY(rest_check_name(self, name, err));
    text_builder path = rest_space_path_open(self, memory, name.space);
    text_append(&path, TEXT("/views"));
    TRY(text_builder_finish(&path, &call.path, err));
    TRY(rest_name_table(memory, &what, "new view", &call.subject, err));
    TRY(ice_view_request(view, name.name, memory, &body, err));
    call.body = bytes_of_text(body);
    return rest_send_command(self, &call, &states, memory, err);
}

static firn_status update(rest_client *self, object_name name, const ice_view_change *change,
                          arena *memory, firn_error *err) {
    static const refusal_states states = {.missing = "40001", .taken = "40001"};
    rest_call call = {.method = "POST"};
    TRY(rest_must_have(self, REST_UPDATE_VIEW, "change views", err));
    TRY(rest_place(self, name, true, "", memory, &call, err));
    text_builder json = text_builder_open(memory);
    json_writer out = json_writer_into(&json, 0);
    rest_write_change(&out, name, change->requirements, change->updates);
    json_writer_finish(&out);
    TRY(rest_take_body(&json, &call, err));
    const firn_status status = rest_send_command(self, &call, &states, memory, err);
    if (status != FIRN_NOT_FOUND) {
        return status;
    }
    const firn_error cause = *err; // It was there just now.
    return FAIL(err, FIRN_CONFLICT, "%s", cause.text);
}

static firn_status find(rest_client *self, object_name name, arena *memory, loaded_table *out,
                        firn_error *err) {
    const rest_load what = {.space = name.space, .name = name.name};
    *out = (loaded_table){.is_view = false};
    TRY(rest_client_load(self, &what, memory, out, NULL, err));
    return out->is_view ? FIRN_OK : catalog_say_other_kind(name.name, true, NULL, err);
}

firn_status rest_client_change_view(rest_client *self, object_name name, const view_change *wanted,
                                    arena *memory, commit_options *retry, firn_error *err) {
    loaded_table found;
    ice_view_change change;
    if (wanted->kind == VIEW_CREATE) {
        return create(self, name, wanted->view, memory, err);
    }
    const firn_status status = find(self, name, memory, &found, err);
    if (status == FIRN_NOT_FOUND && wanted->kind == VIEW_CREATE_OR_REPLACE) {
        TRY(err_forgive(err, status, FIRN_NOT_FOUND));
        return create(self, name, wanted->view, memory, err);
    }
    TRY(status);
    TRY(ice_view_next(wanted, found.metadata, memory, &change, err));
    *retry = change.retry;
    return change.is_empty ? FIRN_OK : update(self, name, &change, memory, err);
}
