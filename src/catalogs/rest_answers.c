#include "catalogs/rest_answers.h"

#include "io/uri.h"
#include "memory/json_tree.h"

#define SEPARATOR_DEFAULT "%1F"
#define ROOT_COUNT_MAX 8

static const struct {
    text path;
    bool is_granted;
} endpoints[REST_ENDPOINT_COUNT] = {
#define X(name, path_text, granted)                                                                \
    [REST_##name] = {.path = {.data = (path_text), .size = sizeof(path_text) - 1},                 \
                     .is_granted = (granted)},
    REST_ENDPOINT_LIST(X)
#undef X
};

static firn_status read_object(bytes json, arena *memory, const json_node **out, firn_error *err) {
    TRY(json_tree_read(memory, json, out, err));
    return json_as_object(*out, err);
}

// A property is a text. Some servers write numbers and booleans as what they are; those are taken
// as they are written, so no digit is lost.
static firn_status read_scalar(const json_node *node, text *out, firn_error *err) {
    if (node->kind == JSON_NUMBER) {
        *out = node->value;
        return FIRN_OK;
    }
    if (node->kind == JSON_TRUE || node->kind == JSON_FALSE) {
        *out = node->kind == JSON_TRUE ? TEXT("true") : TEXT("false");
        return FIRN_OK;
    }
    return json_as_text(node, out, err);
}

static firn_status read_properties(const json_node *object, arena *memory, catalog_properties *out,
                                   firn_error *err) {
    *out = (catalog_properties){.count = 0};
    if (object == NULL || object->count == 0) {
        return FIRN_OK;
    }
    out->items = ARENA_NEW(memory, catalog_property, object->count);
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (const json_node *member = object->first; member != NULL; member = member->next) {
        if (member->kind == JSON_NULL) {
            continue;
        }
        catalog_property *property = &out->items[out->count];
        property->key = member->key;
        TRY(read_scalar(member, &property->value, err));
        out->count += 1;
    }
    return FIRN_OK;
}

static firn_status read_texts(const json_node *array, arena *memory, text_list *out,
                              firn_error *err) {
    *out = (text_list){.count = 0};
    TRY(json_as_array(array, err));
    if (array->count == 0) {
        return FIRN_OK;
    }
    out->items = ARENA_NEW(memory, text, array->count);
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (const json_node *item = array->first; item != NULL; item = item->next) {
        TRY(json_as_text(item, &out->items[out->count], err));
        out->count += 1;
    }
    return FIRN_OK;
}

// ---- Configuration -----------------------------------------------------------------------------

static uint64_t granted_endpoints(void) {
    uint64_t bits = 0;
    for (uint32_t i = 0; i < REST_ENDPOINT_COUNT; i++) {
        bits |= endpoints[i].is_granted ? UINT64_C(1) << i : 0;
    }
    return bits;
}

static firn_status read_endpoints(const json_node *array, uint64_t *out, firn_error *err) {
    *out = 0;
    for (const json_node *item = array->first; item != NULL; item = item->next) {
        text path;
        TRY(json_as_text(item, &path, err));
        for (uint32_t i = 0; i < REST_ENDPOINT_COUNT; i++) {
            *out |= text_equal(path, endpoints[i].path) ? UINT64_C(1) << i : 0;
        }
    }
    return FIRN_OK;
}

static text merged(const rest_config *config, text key) {
    const text value = catalog_property_find(&config->overrides, key);
    return value.size > 0 ? value : catalog_property_find(&config->defaults, key);
}

// It goes into paths as it is, so it must be something a path may hold, and no '/'.
static firn_status check_separator(text separator, firn_error *err) {
    for (size_t i = 0; i < separator.size; i++) {
        const char byte = separator.data[i];
        const bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                               (byte >= '0' && byte <= '9');
        if (!is_letter && memchr("%-._~", byte, 5) == NULL) {
            return FAIL(err, FIRN_CORRUPT,
                        "the server's namespace-separator \"%.*s\" holds \"%c\", letters, digits "
                        "and %%-._~ are allowed",
                        TEXT_ARGS(separator), byte);
        }
    }
    if (separator.size == 0 || separator.size > REST_SEPARATOR_MAX) {
        return FAIL(err, FIRN_CORRUPT,
                    "the server's namespace-separator has %zu bytes, 1 to %d are allowed",
                    separator.size, REST_SEPARATOR_MAX);
    }
    return FIRN_OK;
}

firn_status rest_read_config(bytes json, arena *memory, rest_config *out, firn_error *err) {
    *out = (rest_config){.endpoints = granted_endpoints()};
    const json_node *object;
    TRY(read_object(json, memory, &object, err));
    const json_node *defaults = NULL;
    const json_node *overrides = NULL;
    const json_node *paths = NULL;
    TRY(json_want_object(object, "defaults", &defaults, err));
    TRY(json_want_object(object, "overrides", &overrides, err));
    TRY(json_want_array(object, "endpoints", &paths, err));
    TRY(read_properties(defaults, memory, &out->defaults, err));
    TRY(read_properties(overrides, memory, &out->overrides, err));
    if (paths != NULL) {
        TRY(read_endpoints(paths, &out->endpoints, err));
    } else if (text_equal(merged(out, TEXT("view-endpoints-supported")), TEXT("true"))) {
        out->endpoints |= UINT64_C(1) << REST_LIST_VIEWS | UINT64_C(1) << REST_LOAD_VIEW;
    }
    const json_node *lifetime = json_find(object, "idempotency-key-lifetime");
    out->knows_keys = lifetime != NULL && lifetime->kind == JSON_STRING && lifetime->value.size > 0;
    out->prefix = merged(out, TEXT("prefix"));
    out->separator = merged(out, TEXT("namespace-separator"));
    if (out->separator.size == 0) {
        out->separator = TEXT(SEPARATOR_DEFAULT);
    }
    TRY(check_separator(out->separator, err));
    return uri_decode(out->separator, memory, &out->separates, err);
}

// ---- Lists -------------------------------------------------------------------------------------

firn_status rest_read_namespaces(bytes json, arena *memory, namespace_path **out, uint32_t *count,
                                 text *next_page, firn_error *err) {
    *out = NULL;
    *count = 0;
    *next_page = (text){.size = 0};
    const json_node *object;
    const json_node *list;
    TRY(read_object(json, memory, &object, err));
    TRY(json_get_array(object, "namespaces", &list, err));
    TRY(json_want_text(object, "next-page-token", next_page, err));
    if (list->count == 0) {
        return FIRN_OK;
    }
    *out = ARENA_NEW(memory, namespace_path, list->count);
    if (*out == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (const json_node *item = list->first; item != NULL; item = item->next) {
        text_list levels = {0};
        TRY(read_texts(item, memory, &levels, err));
        (*out)[*count] = (namespace_path){.count = levels.count, .items = levels.items};
        if (levels.count == 0) {
            return json_node_fail(item, err, "has no level, at least one is needed");
        }
        *count += 1;
    }
    return FIRN_OK;
}

firn_status rest_read_identifiers(bytes json, arena *memory, text_list *out, text *next_page,
                                  firn_error *err) {
    *out = (text_list){.count = 0};
    *next_page = (text){.size = 0};
    const json_node *object;
    const json_node *list;
    TRY(read_object(json, memory, &object, err));
    TRY(json_get_array(object, "identifiers", &list, err));
    TRY(json_want_text(object, "next-page-token", next_page, err));
    if (list->count == 0) {
        return FIRN_OK;
    }
    out->items = ARENA_NEW(memory, text, list->count);
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (const json_node *item = list->first; item != NULL; item = item->next) {
        TRY(json_get_text(item, "name", &out->items[out->count], err));
        out->count += 1;
    }
    return FIRN_OK;
}

// ---- Tables ------------------------------------------------------------------------------------

// Reads the value of a key, such as "config", as a tree: those are small, unlike the metadata.
static firn_status read_subtree(json_reader *in, const json_token *key, arena *memory,
                                const json_node **out, firn_error *err) {
    const uint8_t *begin = in->at; // Behind the ':'.
    TRY(json_skip(in, key, err));
    return json_tree_read(memory, (bytes){.data = begin, .size = (size_t)(in->at - begin)}, out,
                          err);
}

static firn_status read_credentials(const json_node *array, arena *memory, loaded_table *out,
                                    firn_error *err) {
    if (array->kind == JSON_NULL) {
        return FIRN_OK;
    }
    TRY(json_as_array(array, err));
    if (array->count == 0) {
        return FIRN_OK;
    }
    out->credentials = ARENA_NEW(memory, io_credential, array->count);
    if (out->credentials == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (const json_node *item = array->first; item != NULL; item = item->next) {
        io_credential *credential = &out->credentials[out->credential_count];
        const json_node *config = NULL;
        TRY(json_get_text(item, "prefix", &credential->prefix, err));
        TRY(json_get_object(item, "config", &config, err));
        TRY(read_properties(config, memory, &credential->properties, err));
        out->credential_count += 1;
    }
    return FIRN_OK;
}

static firn_status read_location(json_reader *in, arena *memory, text *out, firn_error *err) {
    json_token token;
    TRY(json_next(in, &token, err));
    if (token.kind == JSON_NULL) {
        return FIRN_OK; // Staged.
    }
    if (token.kind != JSON_STRING) {
        return json_fail(in, token.position, err,
                         "\"metadata-location\" is %s, a string is required",
                         json_kind_words(token.kind));
    }
    char *data = ARENA_NEW(memory, char, token.raw.size + 1);
    if (data == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = (text){.data = data, .size = json_unescape(&token, data)};
    return FIRN_OK;
}

// Adds where files lie, if that is said as it should be: what is not is told by who reads metadata.
static void add_root(const json_node *place, loaded_table *out) {
    if (place != NULL && place->kind == JSON_STRING && place->value.size > 0 &&
        out->roots.count < ROOT_COUNT_MAX) {
        out->roots.items[out->roots.count++] = place->value;
    }
}

// Finds the roots in the metadata; all else is skipped.
static firn_status read_metadata(json_reader *in, arena *memory, loaded_table *out,
                                 firn_error *err) {
    static const char *const places[] = {"write.data.path", "write.metadata.path",
                                         "write.object-storage.path", "write.folder-storage.path"};
    json_token token;
    out->roots = (text_list){.items = ARENA_NEW(memory, text, ROOT_COUNT_MAX)};
    if (out->roots.items == NULL) {
        return ARENA_FULL(memory, err);
    }
    TRY(json_next(in, &token, err));
    while (token.kind == JSON_KEY) {
        const json_node *tree = NULL;
        const bool is_location = json_token_is(&token, TEXT("location"));
        if (is_location || json_token_is(&token, TEXT("properties"))) {
            TRY(read_subtree(in, &token, memory, &tree, err));
        } else {
            TRY(json_skip(in, &token, err));
        }
        if (is_location) {
            add_root(tree, out);
        }
        for (size_t i = 0; !is_location && tree != NULL && tree->kind == JSON_OBJECT &&
                           i < sizeof places / sizeof *places;
             i++) {
            add_root(json_find(tree, places[i]), out);
        }
        TRY(json_next(in, &token, err));
    }
    return FIRN_OK;
}

static firn_status read_table_member(json_reader *in, const json_token *key, bytes json,
                                     arena *memory, loaded_table *out, firn_error *err) {
    const json_node *tree = NULL;
    if (json_token_is(key, TEXT("metadata"))) {
        json_token object;
        TRY(json_read(in, JSON_OBJECT, &object, err));
        const uint8_t *begin = json.data + object.position;
        TRY(read_metadata(in, memory, out, err));
        out->metadata = (bytes){.data = begin, .size = (size_t)(in->at - begin)};
        return FIRN_OK;
    }
    if (json_token_is(key, TEXT("metadata-location"))) {
        return read_location(in, memory, &out->metadata_location, err);
    }
    if (json_token_is(key, TEXT("config"))) {
        TRY(read_subtree(in, key, memory, &tree, err));
        if (tree->kind == JSON_NULL) {
            return FIRN_OK;
        }
        TRY(json_as_object(tree, err));
        return read_properties(tree, memory, &out->config, err);
    }
    if (json_token_is(key, TEXT("storage-credentials"))) {
        TRY(read_subtree(in, key, memory, &tree, err));
        out->credential_count = 0;
        return read_credentials(tree, memory, out, err);
    }
    return json_skip(in, key, err);
}

firn_status rest_read_table(bytes json, arena *memory, loaded_table *out, firn_error *err) {
    *out = (loaded_table){.again_ms = INT64_MAX};
    json_reader in = json_reader_open(json);
    json_token token;
    TRY(json_read(&in, JSON_OBJECT, &token, err));
    TRY(json_next(&in, &token, err));
    while (token.kind == JSON_KEY) {
        TRY(read_table_member(&in, &token, json, memory, out, err));
        TRY(json_next(&in, &token, err));
    }
    TRY(json_next(&in, &token, err)); // Nothing may stand behind it.
    if (out->metadata.size == 0) {
        return FAIL(err, FIRN_CORRUPT, "missing \"metadata\"");
    }
    return FIRN_OK;
}

firn_status rest_read_properties(bytes json, arena *memory, catalog_properties *out,
                                 firn_error *err) {
    const json_node *object;
    const json_node *properties = NULL;
    TRY(read_object(json, memory, &object, err));
    TRY(json_want_object(object, "properties", &properties, err));
    return read_properties(properties, memory, out, err);
}

// ---- Tokens and refusals -----------------------------------------------------------------------

firn_status rest_read_token(bytes json, arena *memory, rest_token *out, firn_error *err) {
    *out = (rest_token){.has_lifetime = false};
    const json_node *object;
    TRY(read_object(json, memory, &object, err));
    TRY(json_get_text(object, "access_token", &out->token, err));
    TRY(json_want_text(object, "token_type", &out->type, err));
    // What says no whole number of seconds says nothing: the server tells when it is over (401).
    int64_t lifetime = -1;
    firn_error ignored = ERR_INIT;
    (void)json_want_i64(object, "expires_in", &lifetime, &ignored);
    if (out->token.size == 0) {
        return FAIL(err, FIRN_CORRUPT, "\"access_token\" is empty");
    }
    out->has_lifetime = lifetime >= 0;
    out->lifetime_s = lifetime >= 0 ? (uint64_t)lifetime : 0;
    return FIRN_OK;
}

void rest_read_refusal(bytes body, arena *memory, rest_refusal *out) {
    *out = (rest_refusal){.type = {.size = 0}};
    firn_error ignored = ERR_INIT;
    const json_node *object;
    if (read_object(body, memory, &object, &ignored) != FIRN_OK) {
        return;
    }
    const json_node *error = json_find(object, "error");
    if (error == NULL) {
        return;
    }
    const bool is_token_server = error->kind == JSON_STRING;
    const json_node *kind = is_token_server ? error : json_find(error, "type");
    const json_node *message =
        is_token_server ? json_find(object, "error_description") : json_find(error, "message");
    if (kind != NULL && kind->kind == JSON_STRING) {
        out->type = kind->value;
    }
    if (message != NULL && message->kind == JSON_STRING) {
        out->message = message->value;
    }
}
