// The half of the REST client that writes. What a refusal means is rest_session_call's; what an
// answer leaves open is decided here.
#include "base/host.h"
#include "catalogs/rest_client_private.h"
#include "memory/json_tree.h"

#define KEY_TRIES 2 // Under one Idempotency-Key.

// ---- Requests ----------------------------------------------------------------------------------

// Whether a request that failed may have been done, now or later. A proxy answers 408 and 503 as
// well when it lost the server behind it.
static bool is_unsure(const http_answer *answer) {
    return answer->status == 0
               ? answer->may_be_done
               : answer->status == 408 || (answer->status >= 500 && answer->status != 501);
}

// A key of the request, if the server knows keys: a UUID of version 7.
static firn_status make_key(const rest_client *self, arena *memory, text *out, firn_error *err) {
    *out = (text){.size = 0};
    if (!self->config.knows_keys) {
        return FIRN_OK;
    }
    uint8_t random[10];
    TRY(host_random(random, sizeof random, err));
    const uint64_t ms = (uint64_t)host_time_us() / 1000;
    text_builder key = text_builder_open(memory);
    text_append_format(&key, "%08llx-%04llx-7%01x%02x-%02x%02x-", (unsigned long long)(ms >> 16),
                       (unsigned long long)(ms & 0xffff), random[0] & 15, random[1],
                       0x80 | (random[2] & 0x3f), random[3]);
    for (size_t i = 4; i < sizeof random; i++) {
        text_append_format(&key, "%02x", random[i]);
    }
    return text_builder_finish(&key, out, err);
}

// Sends a request that changes something. *unsure_before: a try before the one that is answered may
// have been done.
static firn_status send_write(rest_client *self, rest_call *call, arena *memory,
                              http_answer *answer, bool *unsure_before, firn_error *err) {
    *unsure_before = false;
    *answer = (http_answer){.status = 0}; // What fails before it is sent is sure.
    const int64_t begin_ns = host_clock_ns();
    const uint32_t total_ms = call->total_ms;
    TRY(make_key(self, memory, &call->key, err));
    for (int try = 1;; try++) {
        const firn_status status =
            rest_session_call(&self->session, call, memory, NULL, answer, err);
        const int64_t spent_ms = (host_clock_ns() - begin_ns) / 1000000;
        const bool has_time = total_ms == 0 || spent_ms < (int64_t)total_ms;
        if (status == FIRN_OK || !is_unsure(answer) || call->key.size == 0 || try == KEY_TRIES ||
            !has_time) {
            return status;
        }
        *unsure_before = true;
        call->total_ms = total_ms == 0 ? 0 : total_ms - (uint32_t)spent_ms;
    }
}

static firn_status say_state(firn_status status, const char *state, firn_error *err) {
    memcpy(err->sqlstate, state, strlen(state) + 1);
    return status;
}

firn_status rest_send_command(rest_client *self, rest_call *call, const refusal_states *states,
                              arena *memory, firn_error *err) {
    http_answer answer;
    bool unsure_before;
    const firn_status status = send_write(self, call, memory, &answer, &unsure_before, err);
    if (status == FIRN_OK) {
        return FIRN_OK;
    }
    if (unsure_before || is_unsure(&answer)) {
        const firn_error cause = *err;
        return FAIL(err, FIRN_COMMIT_UNKNOWN, "%s, and whether it was done is not known",
                    cause.text);
    }
    return status == FIRN_NOT_FOUND  ? say_state(status, states->missing, err)
           : status == FIRN_CONFLICT ? say_state(status, states->taken, err)
                                     : status;
}

firn_status rest_must_have(rest_client *self, rest_endpoint endpoint, const char *what,
                           firn_error *err) {
    TRY(rest_client_connect(self, NULL, err));
    return rest_client_can(self, endpoint)
               ? FIRN_OK
               : FAIL(err, FIRN_UNSUPPORTED, "the server of catalog \"%.*s\" cannot %s",
                      TEXT_ARGS(self->session.options.alias), what);
}

firn_status rest_take_body(text_builder *json, rest_call *call, firn_error *err) {
    text body;
    TRY(text_builder_finish(json, &body, err));
    call->has_body = true;
    call->body = bytes_of_text(body);
    return FIRN_OK;
}

static void write_levels(json_writer *out, namespace_path space) {
    json_begin_array(out);
    for (uint32_t i = 0; i < space.count; i++) {
        json_write_text(out, space.items[i]);
    }
    json_end_array(out);
}

static void write_name(json_writer *out, object_name name) {
    json_begin_object(out);
    json_write_key(out, TEXT("namespace"));
    write_levels(out, name.space);
    json_write_key(out, TEXT("name"));
    json_write_text(out, name.name);
    json_end_object(out);
}

static void write_properties(json_writer *out, const firn_option *items, size_t count) {
    json_begin_object(out);
    for (size_t i = 0; i < count; i++) {
        json_write_key(out, text_of(items[i].key));
        json_write_text(out, text_of(items[i].value));
    }
    json_end_object(out);
}

// ---- Namespaces --------------------------------------------------------------------------------

static firn_status write_change(namespace_path space, const namespace_change *change, arena *memory,
                                rest_call *call, firn_error *err) {
    text_builder json = text_builder_open(memory);
    json_writer out = json_writer_into(&json, 0);
    json_begin_object(&out);
    if (change->is_new) {
        json_write_key(&out, TEXT("namespace"));
        write_levels(&out, space);
        json_write_key(&out, TEXT("properties"));
    } else {
        json_write_key(&out, TEXT("removals"));
        json_begin_array(&out);
        for (size_t i = 0; i < change->properties.removed_count; i++) {
            json_write_text(&out, text_of(change->properties.removed[i]));
        }
        json_end_array(&out);
        json_write_key(&out, TEXT("updates"));
    }
    write_properties(&out, change->properties.set, change->properties.set_count);
    json_end_object(&out);
    json_writer_finish(&out);
    return rest_take_body(&json, call, err);
}

static firn_status change_space(rest_client *self, namespace_path space,
                                const namespace_change *change, arena *memory, firn_error *err) {
    static const refusal_states states = {.missing = "3F000", .taken = "42P06"};
    rest_call call = {.method = "POST"};
    text_builder path =
        change->is_new ? rest_path_open(self, memory) : rest_space_path_open(self, memory, space);
    text_append(&path, change->is_new ? TEXT("namespaces") : TEXT("/properties"));
    TRY(text_builder_finish(&path, &call.path, err));
    TRY(rest_name_space(memory, space, &call.subject, err));
    TRY(write_change(space, change, memory, &call, err));
    return rest_send_command(self, &call, &states, memory, err);
}

firn_status rest_client_change_namespace(rest_client *self, namespace_path space,
                                         const namespace_change *change, firn_error *err) {
    TRY(change->is_new ? rest_must_have(self, REST_CREATE_NAMESPACE, "make namespaces", err)
                       : rest_must_have(self, REST_UPDATE_NAMESPACE, "change namespaces", err));
    TRY(rest_check_space(self, space, err));
    arena memory = arena_open(CLIENT_MEMORY_LIMIT);
    const firn_status status = change_space(self, space, change, &memory, err);
    arena_close(&memory);
    return status;
}

static firn_status drop_space(rest_client *self, namespace_path space, arena *memory,
                              firn_error *err) {
    static const refusal_states states = {.missing = "3F000", .taken = "2BP01"};
    rest_call call = {.method = "DELETE"};
    text_builder path = rest_space_path_open(self, memory, space);
    TRY(text_builder_finish(&path, &call.path, err));
    TRY(rest_name_space(memory, space, &call.subject, err));
    const firn_status status = rest_send_command(self, &call, &states, memory, err);
    // 409, or 400 of older servers.
    if (status == FIRN_CONFLICT ||
        (status == FIRN_INVALID && strstr(err->text, "NamespaceNotEmpty") != NULL)) {
        const firn_error cause = *err;
        (void)FAIL_SQL(err, FIRN_INVALID, "2BP01", NO_POSITION, "%s", cause.text);
        err_hint(err, "drop what is in it first");
        return FIRN_INVALID;
    }
    return status;
}

firn_status rest_client_drop_namespace(rest_client *self, namespace_path space, firn_error *err) {
    TRY(rest_must_have(self, REST_DROP_NAMESPACE, "drop namespaces", err));
    TRY(rest_check_space(self, space, err));
    arena memory = arena_open(CLIENT_MEMORY_LIMIT);
    const firn_status status = drop_space(self, space, &memory, err);
    arena_close(&memory);
    return status;
}

// ---- Tables and views --------------------------------------------------------------------------

firn_status rest_place(rest_client *self, object_name name, bool is_view, const char *query,
                       arena *memory, rest_call *call, firn_error *err) {
    const rest_load what = {.space = name.space, .name = name.name};
    TRY(rest_check_name(self, name, err));
    text_builder path = rest_space_path_open(self, memory, name.space);
    text_append(&path, is_view ? TEXT("/views/") : TEXT("/tables/"));
    uri_append_encoded(&path, name.name);
    text_append(&path, text_of(query));
    TRY(text_builder_finish(&path, &call->path, err));
    return rest_name_table(memory, &what, is_view ? "view" : "table", &call->subject, err);
}

static firn_status place_drop(rest_client *self, object_name name, bool is_view, bool purges,
                              arena *memory, rest_call *call, firn_error *err) {
    *call = (rest_call){.method = "DELETE"};
    return rest_place(self, name, is_view,
                      is_view  ? ""
                      : purges ? "?purgeRequested=true"
                               : "?purgeRequested=false",
                      memory, call, err);
}

firn_status rest_client_drop(rest_client *self, object_name name, bool is_view, bool purges,
                             firn_error *err) {
    static const refusal_states states = {.missing = "42P01", .taken = "40001"};
    TRY(is_view ? rest_must_have(self, REST_DROP_VIEW, "drop views", err)
                : rest_must_have(self, REST_DROP_TABLE, "drop tables", err));
    arena memory = arena_open(CLIENT_MEMORY_LIMIT);
    rest_call call;
    firn_status status = place_drop(self, name, is_view, purges, &memory, &call, err);
    if (status == FIRN_OK) {
        status = rest_send_command(self, &call, &states, &memory, err);
    }
    arena_close(&memory);
    return status;
}

static firn_status rename_object(rest_client *self, object_name from, object_name to, bool is_view,
                                 arena *memory, firn_error *err) {
    static const refusal_states states = {.missing = "42P01", .taken = "42P07"};
    rest_call call = {.method = "POST"};
    TRY(rest_check_name(self, to, err));
    TRY(rest_place(self, from, is_view, "", memory, &call, err)); // Its subject.
    text_builder path = rest_path_open(self, memory);
    text_append(&path, is_view ? TEXT("views/rename") : TEXT("tables/rename"));
    TRY(text_builder_finish(&path, &call.path, err));
    text_builder json = text_builder_open(memory);
    json_writer out = json_writer_into(&json, 0);
    json_begin_object(&out);
    json_write_key(&out, TEXT("source"));
    write_name(&out, from);
    json_write_key(&out, TEXT("destination"));
    write_name(&out, to);
    json_end_object(&out);
    json_writer_finish(&out);
    TRY(rest_take_body(&json, &call, err));
    const firn_status status = rest_send_command(self, &call, &states, memory, err);
    return status == FIRN_NOT_FOUND && strstr(err->text, "NoSuchNamespace") != NULL
               ? say_state(status, "3F000", err)
               : status;
}

firn_status rest_client_rename(rest_client *self, object_name from, object_name to, bool is_view,
                               firn_error *err) {
    TRY(is_view ? rest_must_have(self, REST_RENAME_VIEW, "rename views", err)
                : rest_must_have(self, REST_RENAME_TABLE, "rename tables", err));
    arena memory = arena_open(CLIENT_MEMORY_LIMIT);
    const firn_status status = rename_object(self, from, to, is_view, &memory, err);
    arena_close(&memory);
    return status;
}

// ---- Commits -----------------------------------------------------------------------------------

void rest_write_change(json_writer *out, object_name name, text requirements, text updates) {
    json_begin_object(out);
    json_write_key(out, TEXT("identifier"));
    write_name(out, name);
    json_write_key(out, TEXT("requirements"));
    json_write_raw(out, requirements);
    json_write_key(out, TEXT("updates"));
    json_write_raw(out, updates);
    json_end_object(out);
}

static void write_part(json_writer *out, const commit_part *part) {
    rest_write_change(out, part->name, part->updates.requirements, part->updates.updates);
}

static firn_status write_commit(const commit_parts *parts, arena *memory, rest_call *call,
                                firn_error *err) {
    text_builder json = text_builder_open(memory);
    json_writer out = json_writer_into(&json, 0);
    if (parts->count == 1) {
        write_part(&out, &parts->items[0]);
    } else {
        json_begin_object(&out);
        json_write_key(&out, TEXT("table-changes"));
        json_begin_array(&out);
        for (uint32_t i = 0; i < parts->count; i++) {
            write_part(&out, &parts->items[i]);
        }
        json_end_array(&out);
        json_end_object(&out);
    }
    json_writer_finish(&out);
    return rest_take_body(&json, call, err);
}

static firn_status place_many(rest_client *self, const commit_parts *parts, arena *memory,
                              rest_call *call, firn_error *err) {
    for (uint32_t i = 0; i < parts->count; i++) {
        TRY(rest_check_name(self, parts->items[i].name, err));
        if (parts->items[i].kind == PART_DROP) {
            const firn_status status =
                FAIL(err, FIRN_UNSUPPORTED,
                     "a REST catalog cannot drop a table together with changes of others");
            err_hint(err, "COMMIT the changes first");
            return status;
        }
    }
    text_builder path = rest_path_open(self, memory);
    text_append(&path, TEXT("transactions/commit"));
    TRY(text_builder_finish(&path, &call->path, err));
    return text_format(memory, &call->subject, err, "the commit of %u tables", parts->count);
}

// Of several tables, and a drop, none has a say of its own.
static firn_status place_commit(rest_client *self, const commit_parts *parts, arena *memory,
                                rest_call *call, rest_own *own, firn_error *err) {
    const commit_part *first = &parts->items[0];
    if (parts->count > 1) {
        TRY(rest_must_have(self, REST_COMMIT_TRANSACTION, "commit several tables at once", err));
        TRY(place_many(self, parts, memory, call, err));
    } else if (first->kind == PART_DROP) {
        TRY(rest_must_have(self, REST_DROP_TABLE, "drop tables", err));
        return place_drop(self, first->name, false, first->purges, memory, call, err);
    } else {
        TRY(rest_must_have(self, REST_UPDATE_TABLE, "change tables", err));
        TRY(rest_place(self, first->name, false, "", memory, call, err));
        TRY(rest_owns_find(&self->owns, first->name, memory, own, err));
        call->own = own;
    }
    return write_commit(parts, memory, call, err);
}

// Whether "not found" is a table that was there, and not the namespace of one that is made, nor a
// table that is dropped.
static bool misses_changed(const commit_parts *parts, const firn_error *err) {
    bool has_change = false;
    bool has_other = false;
    for (uint32_t i = 0; i < parts->count; i++) {
        const bool is_change = parts->items[i].kind == PART_CHANGE;
        has_change = has_change || is_change;
        has_other = has_other || !is_change;
    }
    return has_change && (!has_other || strstr(err->text, "NoSuchTable") != NULL);
}

firn_status rest_client_commit(rest_client *self, const commit_parts *parts, uint32_t deadline_ms,
                               commit_answer *out, firn_error *err) {
    *out = COMMIT_DONE;
    if (parts->count == 0) {
        return FIRN_OK;
    }
    arena memory = arena_open(COMMIT_MEMORY_LIMIT);
    const uint32_t total_ms = deadline_ms == UINT32_MAX ? 0 : deadline_ms == 0 ? 1 : deadline_ms;
    rest_call call = {.method = "POST"};
    rest_own own;
    firn_status status = place_commit(self, parts, &memory, &call, &own, err);
    if (status == FIRN_OK) {
        http_answer answer;
        bool unsure_before;
        call.total_ms = total_ms;
        status = send_write(self, &call, &memory, &answer, &unsure_before, err);
        if (status != FIRN_OK && (unsure_before || is_unsure(&answer))) {
            *out = COMMIT_UNKNOWN; // Also a 409: perhaps it met what the first try did.
            status = err_forgive(err, status, status);
        } else if (answer.status == 409 ||
                   (status == FIRN_NOT_FOUND && misses_changed(parts, err))) {
            *out = COMMIT_CONFLICT;
            status = err_forgive(err, status, status);
        } else if (status == FIRN_NOT_FOUND) {
            status = say_state(status, "42P01", err);
        }
    }
    arena_close(&memory);
    return status;
}
