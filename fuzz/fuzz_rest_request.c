// Arbitrary bytes as names and properties of what a REST catalog server is asked to change.
//
// The first three bytes say what the server is like, what it is asked, and which status it answers
// with. Then come texts, each behind a byte with its length: two levels of a namespace, a name, two
// levels and a name again, a key, a value, and the name of a column.
//
// Oracle: what a server reads out of a request is what was asked for. Its URL has no byte that a
// URL may not have, and no segment of its path is changed or taken out on the way ("", ".", "..");
// the segments, decoded and taken apart where the server does it, are the names again; the body is
// JSON with the same names. What cannot be said so is refused before anything is sent.
#include "base/utf8.h"
#include "catalogs/rest_client.h"
#include "io/uri.h"
#include "memory/json_tree.h"
#include "memory/text_builder.h"
#include "rest_server.h"

#define MEMORY_MAX ((size_t)64 << 20)
#define SEGMENTS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// ---- What is asked -----------------------------------------------------------------------------

enum {
    ASKED_MAKE_SPACE,
    ASKED_CHANGE_SPACE,
    ASKED_DROP_SPACE,
    ASKED_DROP,
    ASKED_DROP_VIEW,
    ASKED_RENAME,
    ASKED_STAGE,
    ASKED_COMMIT,
    ASKED_COMMIT_TWO,
    ASKED_LOAD,
    ASKED_LIST,
    ASKED_CREATE_VIEW,
    ASKED_REPLACE_VIEW,
    ASKED_CHANGE_VIEW,
    ASKED_COUNT,
};

typedef struct scene {
    arena memory;
    text left;      // Of the input.
    uint32_t what;  // ASKED_x
    text separator; // Decoded.
    text prefix;
    text levels[2];
    text other_levels[2];
    object_name name;
    object_name other;
    char key[256];
    char value[256];
    text column;
    bool is_asking; // Behind the configuration.
} scene;

static scene *current;

static text next_text(scene *self) {
    const size_t wanted = self->left.size == 0 ? 0 : (uint8_t)self->left.data[0];
    const size_t from = self->left.size == 0 ? 0 : 1;
    const size_t to = self->left.size < from + wanted ? self->left.size : from + wanted;
    const text out = text_slice(self->left, from, to);
    self->left = text_slice(self->left, to, self->left.size);
    return out;
}

static object_name next_name(scene *self, text *levels) {
    levels[0] = next_text(self);
    levels[1] = next_text(self);
    const uint32_t count = levels[1].size > 0 ? 2 : 1;
    return (object_name){.space = {.count = count, .items = levels}, .name = next_text(self)};
}

static void next_word(scene *self, char *out, size_t capacity) {
    const text word = next_text(self);
    const size_t size = word.size < capacity ? word.size : capacity - 1;
    memcpy(out, word.size > 0 ? word.data : "", size);
    out[size] = '\0'; // A NUL in it ends it.
    if (!utf8_is_valid((bytes){.data = (const uint8_t *)out, .size = strlen(out)})) {
        out[0] = '\0'; // Statements are UTF-8.
    }
}

// ---- What the server reads ---------------------------------------------------------------------

static text decoded(text value) {
    text out = {.size = 0};
    firn_error err = ERR_INIT;
    expect(uri_decode(value, &current->memory, &out, &err) == FIRN_OK);
    return out;
}

// A segment of a path, taken apart as the server does it.
static void expect_levels(text segment, namespace_path wanted) {
    text rest = decoded(segment);
    for (uint32_t i = 0; i < wanted.count; i++) {
        const size_t end = text_find(rest, current->separator);
        const bool is_last = i + 1 == wanted.count;
        expect((end == rest.size) == is_last);
        expect(text_equal(text_slice(rest, 0, end), wanted.items[i]));
        rest = text_slice(rest, is_last ? end : end + current->separator.size, rest.size);
    }
}

static uint32_t take_path(const char *url, text *segments) {
    const text all = text_of(url);
    for (size_t i = 0; i < all.size; i++) {
        expect(all.data[i] > ' ' && all.data[i] < 0x7f &&
               strchr("\"<>\\^`{|}#", all.data[i]) == NULL);
    }
    expect(text_starts_with(all, TEXT("http://h/v1/")));
    text rest = text_slice(all, 12, text_find(all, TEXT("?")));
    uint32_t count = 0;
    for (bool is_last = false; !is_last;) {
        const size_t end = text_find(rest, TEXT("/"));
        const text segment = text_slice(rest, 0, end);
        const text plain = decoded(segment);
        expect(plain.size > 0 && !text_equal(plain, TEXT(".")) && !text_equal(plain, TEXT("..")));
        expect(count < SEGMENTS_MAX);
        segments[count++] = segment;
        is_last = end == rest.size;
        rest = text_slice(rest, is_last ? end : end + 1, rest.size);
    }
    return count;
}

static void expect_name(const json_node *found, object_name wanted) {
    const json_node *space = json_find(found, "namespace");
    const json_node *name = json_find(found, "name");
    expect(space != NULL && space->kind == JSON_ARRAY && space->count == wanted.space.count);
    uint32_t i = 0;
    for (const json_node *level = space->first; level != NULL; level = level->next) {
        expect(level->kind == JSON_STRING && text_equal(level->value, wanted.space.items[i++]));
    }
    expect(name != NULL && text_equal(name->value, wanted.name));
}

static void expect_pair(const json_node *object) {
    expect(object != NULL && object->kind == JSON_OBJECT && object->count == 1);
    expect(text_equal(object->first->key, text_of(current->key)));
    expect(text_equal(object->first->value, text_of(current->value)));
}

static void expect_view(const json_node *body) {
    const json_node *version = json_find(body, "view-version");
    const json_node *columns = json_find(json_find(body, "schema"), "fields");
    expect(text_equal(json_find(body, "name")->value, current->name.name));
    expect(text_equal(json_find(columns->first, "name")->value, current->column));
    expect(json_find(version, "default-namespace")->count == current->name.space.count);
    expect(text_equal(json_find(json_find(version, "representations")->first, "sql")->value,
                      text_of(current->value)));
}

static void see_body(const json_node *body) {
    const scene *self = current;
    const json_node *first = NULL;
    switch (self->what) {
    case ASKED_MAKE_SPACE:
        expect(json_find(body, "namespace")->count == self->name.space.count);
        expect_pair(json_find(body, "properties"));
        break;
    case ASKED_CHANGE_SPACE:
        expect_pair(json_find(body, "updates"));
        expect(json_find(body, "removals")->count == 1);
        expect(text_equal(json_find(body, "removals")->first->value, text_of(self->key)));
        break;
    case ASKED_RENAME:
        expect_name(json_find(body, "source"), self->name);
        expect_name(json_find(body, "destination"), self->other);
        break;
    case ASKED_STAGE:
        expect(text_equal(json_find(body, "name")->value, self->name.name));
        first = json_find(json_find(body, "schema"), "fields")->first;
        expect(text_equal(json_find(first, "name")->value, self->column));
        expect(json_find(body, "stage-create")->kind == JSON_TRUE);
        break;
    case ASKED_COMMIT:
        expect_name(json_find(body, "identifier"), self->name);
        break;
    case ASKED_REPLACE_VIEW:
        if (json_find(body, "identifier") != NULL) {
            expect_name(json_find(body, "identifier"), self->name);
            break;
        } // There is none of that name.
        expect_view(body);
        break;
    case ASKED_CREATE_VIEW:
        expect_view(body);
        break;
    case ASKED_CHANGE_VIEW:
        expect_name(json_find(body, "identifier"), self->name);
        first = json_find(body, "updates")->first;
        expect_pair(json_find(first, "updates"));
        expect(json_find(first->next, "removals")->count == 1);
        expect(text_equal(json_find(first->next, "removals")->first->value, TEXT("old")));
        break;
    case ASKED_COMMIT_TWO:
        first = json_find(body, "table-changes")->first;
        expect_name(json_find(first, "identifier"), self->name);
        expect_name(json_find(first->next, "identifier"), self->other);
        break;
    default:
        expect(false); // Has none.
    }
}

// Where each request goes: what stands behind the namespace, or instead of it.
static void see_path(const net_call *call) {
    const scene *self = current;
    text at[SEGMENTS_MAX];
    uint32_t count = take_path(call->url, at);
    uint32_t i = 0;
    if (self->prefix.size > 0) {
        expect(count > 2 && text_equal(at[0], TEXT("p")) && text_equal(at[1], TEXT("q%20r")));
        i = 2;
    }
    if (self->what == ASKED_RENAME || self->what == ASKED_COMMIT_TWO) {
        expect(count - i == 2);
        expect(text_equal(at[i + 1], self->what == ASKED_RENAME ? TEXT("rename") : TEXT("commit")));
        return;
    }
    expect(text_equal(at[i++], TEXT("namespaces")));
    if (self->what == ASKED_MAKE_SPACE) {
        expect(i == count);
        return;
    }
    expect(i < count);
    expect_levels(at[i++], self->name.space);
    if (i < count && self->what != ASKED_CHANGE_SPACE) {
        expect(text_equal(at[i], TEXT("tables")) || text_equal(at[i], TEXT("views")));
        i += 1;
        if (i < count) {
            expect(text_equal(decoded(at[i++]), self->name.name));
        }
    } else if (i < count) {
        expect(text_equal(at[i++], TEXT("properties")));
    }
    expect(i == count);
    const bool is_named = self->what == ASKED_DROP || self->what == ASKED_DROP_VIEW ||
                          self->what == ASKED_COMMIT || self->what == ASKED_LOAD;
    expect(!is_named || text_equal(decoded(at[count - 1]), self->name.name));
}

static void see(const net_call *call) {
    if (!current->is_asking) {
        return; // The configuration.
    }
    see_path(call);
    if (call->has_body) {
        const json_node *body;
        firn_error err = ERR_INIT;
        expect(json_tree_read(&current->memory, call->body, &body, &err) == FIRN_OK);
        see_body(body);
    }
}

// ---- Asking ------------------------------------------------------------------------------------

static firn_status ask_commit(scene *self, rest_client *client, firn_error *err) {
    commit_part parts[2] = {{.name = self->name, .form = COMMIT_UPDATES, .kind = PART_CHANGE},
                            {.name = self->other, .form = COMMIT_UPDATES, .kind = PART_CHANGE}};
    commit_answer answer;
    for (int i = 0; i < 2; i++) {
        parts[i].updates.requirements = TEXT("[]");
        parts[i].updates.updates = TEXT("[{\"action\":\"assign-uuid\"}]");
    }
    return rest_client_commit(
        client, &(commit_parts){.count = self->what == ASKED_COMMIT ? 1 : 2, .items = parts},
        UINT32_MAX, &answer, err);
}

static firn_status ask_stage(scene *self, rest_client *client, firn_error *err) {
    const field column = {.name = self->column, .type = TYPE_OF(BIGINT), .is_nullable = true};
    const firn_option property = {.key = self->key, .value = self->value};
    const table_definition wanted = {
        .columns = {.count = 1, .fields = &column}, .property_count = 1, .properties = &property};
    table_definition out;
    return rest_client_stage(client, self->name, &wanted, &self->memory, &out, NULL, err);
}

static firn_status ask_view(scene *self, rest_client *client, firn_error *err) {
    const field column = {.name = self->column, .type = TYPE_OF(BIGINT), .is_nullable = true};
    const firn_option property = {.key = self->key, .value = self->value};
    const new_view wanted = {.as = {.sql = text_of(self->value),
                                    .space = self->name.space,
                                    .property_count = 1,
                                    .properties = &property},
                             .columns = {.count = 1, .fields = &column},
                             .version = TEXT("1")};
    const view_change change = {.kind = self->what == ASKED_REPLACE_VIEW ? VIEW_CREATE_OR_REPLACE
                                                                         : VIEW_CREATE,
                                .view = &wanted};
    commit_options retry = commit_options_usual();
    return rest_client_change_view(client, self->name, &change, &self->memory, &retry, err);
}

static firn_status ask(scene *self, rest_client *client, firn_error *err) {
    const firn_option set = {.key = self->key, .value = self->value};
    const char *const removed[] = {self->key};
    const namespace_change make = {.is_new = true, .properties = {.set_count = 1, .set = &set}};
    const namespace_change change = {
        .properties = {.set_count = 1, .set = &set, .removed_count = 1, .removed = removed}};
    const char *const old[] = {"old", "none"};
    const property_change of_view = {
        .set_count = 1, .set = &set, .removed_count = 2, .removed = old};
    const view_change view = {.kind = VIEW_PROPERTIES, .properties = &of_view};
    commit_options retry = commit_options_usual();
    const rest_load what = {.space = self->name.space, .name = self->name.name};
    loaded_table table;
    catalog_entry_list entries;
    switch (self->what) {
    case ASKED_MAKE_SPACE:
        return rest_client_change_namespace(client, self->name.space, &make, err);
    case ASKED_CHANGE_SPACE:
        return rest_client_change_namespace(client, self->name.space, &change, err);
    case ASKED_DROP_SPACE:
        return rest_client_drop_namespace(client, self->name.space, err);
    case ASKED_DROP:
    case ASKED_DROP_VIEW:
        return rest_client_drop(client, self->name, self->what == ASKED_DROP_VIEW, true, err);
    case ASKED_RENAME:
        return rest_client_rename(client, self->name, self->other, false, err);
    case ASKED_STAGE:
        return ask_stage(self, client, err);
    case ASKED_COMMIT:
    case ASKED_COMMIT_TWO:
        return ask_commit(self, client, err);
    case ASKED_CREATE_VIEW:
    case ASKED_REPLACE_VIEW:
        return ask_view(self, client, err);
    case ASKED_CHANGE_VIEW:
        return rest_client_change_view(client, self->name, &view, &self->memory, &retry, err);
    case ASKED_LOAD:
        return rest_client_load(client, &what, &self->memory, &table, NULL, err);
    default:
        return rest_client_list(client, self->name.space, &self->memory, &entries, NULL, err);
    }
}

static void answer_with(scene *self, uint8_t kind, uint8_t status) {
    static const char *const separators[] = {"%1F", "%2E", ".", "--", "a-a"};
    static const char *const statuses[] = {"200", "204", "404", "409", "503", "400", "405", "000"};
    const char *separator = separators[kind % 5];
    const bool has_prefix = (kind & 64) != 0;
    text_builder out = text_builder_open(&self->memory);
    firn_error err = ERR_INIT;
    text_append_format(&out,
                       "200{\"overrides\":{\"namespace-separator\":\"%s\"%s},%s\"endpoints\":["
                       "\"POST /v1/{prefix}/namespaces\","
                       "\"DELETE /v1/{prefix}/namespaces/{namespace}\","
                       "\"POST /v1/{prefix}/namespaces/{namespace}/properties\","
                       "\"POST /v1/{prefix}/namespaces/{namespace}/tables\","
                       "\"POST /v1/{prefix}/namespaces/{namespace}/tables/{table}\","
                       "\"DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}\","
                       "\"POST /v1/{prefix}/tables/rename\","
                       "\"POST /v1/{prefix}/transactions/commit\","
                       "\"GET /v1/{prefix}/namespaces/{namespace}/views\","
                       "\"GET /v1/{prefix}/namespaces/{namespace}/views/{view}\","
                       "\"POST /v1/{prefix}/namespaces/{namespace}/views\","
                       "\"POST /v1/{prefix}/namespaces/{namespace}/views/{view}\","
                       "\"DELETE /v1/{prefix}/namespaces/{namespace}/views/{view}\"]}",
                       separator, has_prefix ? ",\"prefix\":\"p/q r\"" : "",
                       (kind & 128) != 0 ? "\"idempotency-key-lifetime\":\"PT1H\"," : "");
    for (int i = 0; i < 3; i++) {
        text_append_format(
            &out,
            "\x1e%s{\"identifiers\":[],\"metadata\":{\"location\":\"l\",\"view-uuid\":"
            "\"u\",\"current-version-id\":1,\"schemas\":[],\"versions\":[{"
            "\"version-id\":1,\"schema-id\":0,\"representations\":[]}],\"properties\":{\"old\":"
            "\"x\"}}}",
            statuses[(status >> (i * 2)) % 8]);
    }
    expect(text_builder_finish(&out, &server.left, &err) == FIRN_OK);
    self->separator = decoded(text_of(separator));
    self->prefix = has_prefix ? TEXT("p/q r") : (text){.size = 0};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3) {
        return 0;
    }
    scene s = {.memory = arena_open(MEMORY_MAX),
               .what = data[1] % ASKED_COUNT,
               .left = {.data = (const char *)data + 3, .size = size - 3}};
    current = &s;
    server = (net_client){.seen = see};
    answer_with(&s, data[0], data[2]);
    s.name = next_name(&s, s.levels);
    s.other = next_name(&s, s.other_levels);
    next_word(&s, s.key, sizeof s.key);
    next_word(&s, s.value, sizeof s.value);
    s.column = next_text(&s);
    if (!utf8_is_valid((bytes){.data = (const uint8_t *)s.column.data, .size = s.column.size})) {
        s.column = TEXT("x");
    }
    firn_error err = ERR_INIT;
    io *files = NULL;
    rest_client *client = NULL;
    const io_options how = {.net = &server_module, .retry_pause_ms = 1, .retry_count = 1};
    const rest_options options = {.alias = TEXT("lake"), .uri = TEXT("http://h")};
    expect(io_open(&how, &files, &err) == FIRN_OK);
    expect(rest_client_open(files, &options, &client, &err) == FIRN_OK);
    expect(rest_client_connect(client, NULL, &err) == FIRN_OK);
    s.is_asking = true;
    const firn_status status = ask(&s, client, &err);
    expect(status == FIRN_OK || (err.status == status && err.length > 0));
    rest_client_close(client);
    io_close(files);
    arena_close(&s.memory);
    return 0;
}
