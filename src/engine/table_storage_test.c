// What a REST server says of the storage of its tables, as the stores see it that read and write
// their files: the server is a script that applies the updates it is sent, the storage is in
// memory.
#include <stdio.h>
#include <string.h>

#include "base/host.h"
#include "engine/scene_testing.h"
#include "io/fake_net.h"
#include "io/io.h"
#include "io/memory_store.h"
#include "io/test_folder.h"
#include "tables/iceberg/iceberg_metadata_write.h"

#define ATTACH                                                                                     \
    "ATTACH 'http://catalog' AS lake (PROPERTIES MAP {'s3.endpoint': 'http://given', "             \
    "'s3.region': 'given', 's3.proxy': 'given', 's3.sse.key': 'hidden-given'})"
#define SECRET "hidden-" // In every value that is to be shown nowhere.

typedef struct server {
    arena memory;
    test_folder folder; // Of metadata files, which whoever writes reads: on this machine.
    uint32_t version;
    text metadata; // Of the table; size 0: there is none.
    uint32_t load_count;
    uint32_t whole_count; // Loads that were not answered by 304.
    int64_t end_ms;       // When the keys end.
    uint32_t wrong_count; // Requests without the header that is wanted.
    const char *delegation;
    bool is_telling; // Commits are refused with a secret in the words.
} server;

static text format(server *self, const char *words, text first, text second) {
    text_builder out = text_builder_open(&self->memory);
    firn_error err = FIRN_ERROR_INIT;
    text made = {.size = 0};
    for (const char *at = words; *at != '\0'; at++) {
        if (*at == '@' || *at == '#') {
            text_append(&out, *at == '@' ? first : second);
        } else {
            text_append_char(&out, *at);
        }
    }
    CHECK(text_builder_finish(&out, &made, &err) == FIRN_OK);
    return made;
}

// Where the metadata is, as JSON.
static text location_of(server *self) {
    char path[512];
    (void)snprintf(path, sizeof path, "\"%s/v%u.metadata.json\"", self->folder.path, self->version);
    return format(self, "@", text_of(path), TEXT(""));
}

static void keep_metadata(server *self, text json) {
    self->metadata = json;
    self->version += 1;
    const text quoted = location_of(self);
    const text path = format(self, "@", text_slice(quoted, 1, quoted.size - 1), TEXT(""));
    FILE *file = fopen(path.data, "w");
    REQUIRE(file != NULL);
    CHECK(fwrite(json.data, 1, json.size, file) == json.size && fclose(file) == 0);
}

// The answer about the table: keys that tell the number of the load.
static text loaded(server *self, const char *metadata) {
    char numbers[96];
    (void)snprintf(numbers, sizeof numbers, "%u", self->whole_count);
    const text number = format(self, "@", text_of(numbers), (text){.size = 0});
    (void)snprintf(numbers, sizeof numbers, "%lld", (long long)self->end_ms);
    const text keys =
        format(self,
               "\"config\":{\"s3.region\":\"table\",\"s3.access-key-id\":\"" SECRET "table\","
               "\"token\":\"" SECRET "token\",\"s3.session-token-expires-at-ms\":\"#\"},"
               "\"storage-credentials\":[{\"prefix\":\"s3://w/t/data\",\"config\":{"
               "\"s3.access-key-id\":\"" SECRET "data-@\"}},{\"prefix\":\"s3\",\"config\":{"
               "\"s3.access-key-id\":\"" SECRET "any-@\"}}]",
               number, format(self, "@", text_of(numbers), (text){.size = 0}));
    return format(self, "{\"metadata-location\":@,#}", location_of(self),
                  format(self, "\"metadata\":@,#",
                         metadata == NULL ? self->metadata : text_of(metadata), keys));
}

static text applied(server *self, bytes body) {
    firn_error err = FIRN_ERROR_INIT;
    const json_node *commit = NULL;
    const json_node *updates = NULL;
    const json_node *old = NULL;
    text_builder json = text_builder_open(&self->memory);
    json_writer out = json_writer_into(&json, 0);
    text list = {.size = 0};
    ice_changed changed = {.timestamp_ms = 0};
    const bytes copy = bytes_of_text(format(self, "@", text_of_bytes(body), TEXT("")));
    CHECK(json_tree_read(&self->memory, copy, &commit, &err) == FIRN_OK);
    CHECK(json_get_array(commit, "updates", &updates, &err) == FIRN_OK);
    json_write_node(&out, updates);
    json_writer_finish(&out);
    CHECK(text_builder_finish(&json, &list, &err) == FIRN_OK);
    if (self->metadata.size > 0) {
        CHECK(json_tree_read(&self->memory, bytes_of_text(self->metadata), &old, &err) == FIRN_OK);
    }
    CHECK(ice_metadata_change(old, list, &(ice_change){.now_ms = host_time_us() / 1000},
                              &self->memory, &changed, &err) == FIRN_OK);
    keep_metadata(self, changed.json);
    return format(self, "{\"metadata-location\":#,\"metadata\":@}", self->metadata,
                  location_of(self));
}

static void answer_load(server *self, const net_call *call, fake_answer *out, text *body) {
    self->load_count += 1;
    if (self->metadata.size == 0) {
        out->status = 404;
        return;
    }
    out->headers[0] = (net_header){.name = TEXT("ETag"), .value = TEXT("\"e\"")};
    out->header_count = 1;
    // What has not changed is not sent, whatever has become of its keys.
    if (fake_header(call, TEXT("If-None-Match")).size > 0) {
        out->status = 304;
        return;
    }
    self->whole_count += 1;
    *body = loaded(self, NULL);
}

static void script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    server *self = user;
    const text url = text_of(call->url);
    const bool is_post = strcmp(call->method, "POST") == 0;
    text body = TEXT("{}");
    (void)number;
    out->status = 200;
    const bool is_table = text_find(url, TEXT("/tables/t")) < url.size;
    const bool is_stage = is_post && text_ends_with(url, TEXT("/tables"));
    const text delegation = fake_header(call, TEXT("X-Iceberg-Access-Delegation"));
    if ((is_table && !is_post) || is_stage) {
        self->wrong_count += text_equal(delegation, text_of(self->delegation)) ? 0 : 1;
    }
    if (text_find(url, TEXT("/v1/config")) < url.size) {
        body = TEXT("{\"defaults\":{\"s3.region\":\"default\",\"s3.endpoint\":\"http://default\","
                    "\"client.region\":\"default\"},\"overrides\":{\"s3.proxy\":\"override\"}}");
    } else if (text_find(url, TEXT("/tables?")) < url.size) {
        body = TEXT("{\"identifiers\":[{\"namespace\":[\"ns\"],\"name\":\"t\"}]}");
    } else if (is_stage) {
        body = loaded(self, "{\"location\":\"s3://w/t\",\"properties\":{"
                            "\"write.metadata.path\":\"s3://meta/t\"}}");
    } else if (is_table && !is_post) {
        answer_load(self, call, out, &body);
    } else if (is_table && self->is_telling) {
        out->status = 400;
        body = TEXT("{\"error\":{\"message\":\"no access with " SECRET "data-1\",\"type\":\"x\","
                    "\"code\":400}}");
    } else if (is_table) {
        body = applied(self, call->body);
    } else if (text_find(url, TEXT("/namespaces/ns")) == url.size) {
        body = TEXT("{\"namespaces\":[[\"ns\"]]}");
    }
    out->body = bytes_of_text(body);
}

// What the storage was told of the paths of one request.
typedef struct seen {
    uint32_t count; // Requests.
    uint32_t data_count;
    uint32_t writes;
    uint32_t wrong_count;
    char data_key[64]; // With which a data file was last asked for.
} seen;

static text value_of(const io_storage_found *known, const char *key) {
    for (uint32_t i = 0; i < known->properties.count; i++) {
        if (text_equal(known->properties.items[i].key, text_of(key))) {
            return known->properties.items[i].value;
        }
    }
    return TEXT("");
}

static void look(void *user, const char *what, text path, const io_storage_found *known) {
    static const struct {
        const char *key;
        const char *value;
    } rows[] = {{"client.region", "default"},   {"s3.endpoint", "http://given"},
                {"s3.region", "table"},         {"s3.proxy", "override"},
                {"s3.sse.key", "hidden-given"}, {"token", ""}};
    seen *self = user;
    bool is_right = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        is_right = is_right && text_equal(value_of(known, rows[i].key), text_of(rows[i].value));
    }
    const text key = value_of(known, "s3.access-key-id");
    const bool is_data = text_starts_with(path, TEXT("s3://w/t/data/"));
    is_right =
        is_right && text_starts_with(key, is_data ? TEXT(SECRET "data-") : TEXT(SECRET "any-"));
    if (is_data) {
        (void)snprintf(self->data_key, sizeof self->data_key, "%.*s", TEXT_ARGS(key));
        self->data_count += 1;
    }
    self->writes += strcmp(what, "write") == 0 ? 1 : 0;
    self->count += 1;
    self->wrong_count += is_right ? 0 : 1;
    if (!is_right) {
        (void)fprintf(stderr, "not with what is known: %s %.*s\n", what, TEXT_ARGS(path));
    }
}

typedef struct stage {
    scene scene;
    fake_net net;
    memory_store store;
    server server;
    seen seen;
} stage;

static void stage_open(stage *self) {
    *self = (stage){
        .server = {.memory = arena_open((size_t)64 << 20), .delegation = "vended-credentials"}};
    self->server.end_ms = host_time_us() / 1000 + 3600000;
    self->server.folder = test_folder_open("table_storage");
    fake_net_begin(&self->net, script, &self->server);
    memory_store_begin(&self->store, look, &self->seen);
    const firn_option uncached = {"block_cache", "off"};
    REQUIRE(scene_open(&self->scene, &uncached, 1));
    io_close(self->scene.engine->io); // Nobody has used it yet.
    const io_options how = {
        .has_thread = true, .net = fake_net_module(), .store = memory_store_kind()};
    REQUIRE(io_open(&how, &self->scene.engine->io, &self->scene.err) == FIRN_OK);
}

static void stage_close(stage *self) {
    CHECK(self->seen.wrong_count == 0 && self->server.wrong_count == 0);
    scene_close(&self->scene);
    memory_store_end(&self->store);
    fake_net_end(&self->net);
    test_folder_close(&self->server.folder);
    arena_close(&self->server.memory);
}

static bool runs(stage *self, const char *sql) {
    const firn_status status = scene_execute(&self->scene, sql);
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s: %s\n", sql, self->scene.err.text);
    }
    return status == FIRN_OK;
}

static bool reads(stage *self, const char *key) {
    const uint32_t before = self->seen.data_count;
    const bool is_read = runs(self, "SELECT * FROM lake.ns.t") &&
                         runs(self, "SELECT 1/(count(*) - 1) FROM (SELECT a + 0 FROM lake.ns.t)");
    if (is_read && (self->seen.data_count == before || strcmp(self->seen.data_key, key) != 0)) {
        (void)fprintf(stderr, "%u files, \"%s\"\n", self->seen.data_count - before,
                      self->seen.data_key);
        return false;
    }
    return is_read;
}

TEST(stores_see_what_the_catalog_says_of_a_table) {
    static stage s;
    stage_open(&s);
    REQUIRE(runs(&s, ATTACH));
    // What is written before there is a table: as the staged one has it.
    REQUIRE(runs(&s, "CREATE TABLE lake.ns.t AS SELECT 1 AS a UNION ALL SELECT 2"));
    CHECK(s.seen.writes >= 3 && s.seen.data_count > 0);
    CHECK(strcmp(s.seen.data_key, SECRET "data-0") == 0);
    CHECK(reads(&s, SECRET "data-1"));
    const uint32_t loads = s.server.load_count;
    CHECK(reads(&s, SECRET "data-1")); // 304: the keys are still good.
    CHECK(s.server.load_count > loads && s.server.whole_count == 1);
    // Four minutes before their end the table is had anew.
    REQUIRE(runs(&s, "DETACH lake"));
    s.server.end_ms = host_time_us() / 1000 + 240000;
    REQUIRE(runs(&s, ATTACH));
    CHECK(runs(&s, "SELECT * FROM lake.ns.t"));
    CHECK(runs(&s, "SELECT * FROM lake.ns.t"));
    CHECK(s.server.whole_count == 3 && strcmp(s.seen.data_key, SECRET "data-3") == 0);
    CHECK(runs(&s, "INSERT INTO lake.ns.t VALUES (3)"));
    CHECK(strcmp(s.seen.data_key, SECRET "data-1") != 0);
    stage_close(&s);
}

TEST(detached_catalogs_leave_no_keys_behind) {
    static stage s;
    stage_open(&s);
    REQUIRE(runs(&s, ATTACH));
    REQUIRE(runs(&s, "CREATE TABLE lake.ns.t AS SELECT 1 AS a"));
    io_storage_found known;
    io *files = s.scene.engine->io;
    CHECK(io_storage_find(files, TEXT("s3://w/t/x"), &s.server.memory, &known, &s.scene.err) ==
          FIRN_OK);
    CHECK(known.version > 0);
    REQUIRE(runs(&s, "DETACH lake"));
    CHECK(io_storage_find(files, TEXT("s3://w/t/x"), &s.server.memory, &known, &s.scene.err) ==
          FIRN_OK);
    CHECK(known.version == 0);
    stage_close(&s);
}

TEST(access_delegation_is_what_headers_say) {
    static const struct {
        const char *options;
        const char *sent;
    } rows[] = {
        {"", "vended-credentials"},
        {"(HEADERS MAP {'x-iceberg-access-delegation': 'remote-signing'})", "remote-signing"},
        {"(HEADERS MAP {'X-Iceberg-Access-Delegation': ''})", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static stage s;
        char sql[256];
        stage_open(&s);
        s.server.delegation = rows[i].sent;
        (void)snprintf(sql, sizeof sql, "ATTACH 'http://catalog' AS lake %s", rows[i].options);
        REQUIRE(runs(&s, sql));
        CHECK(scene_execute(&s.scene, "SELECT * FROM lake.ns.t") == FIRN_NOT_FOUND);
        CHECK(s.server.load_count > 0);
        stage_close(&s);
    }
}

// Everything that a statement answers, as one text.
static bool answers_hold(stage *self, const char *sql, const char *words) {
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    bool holds = false;
    if (firn_query(self->scene.session, sql, FIRN_NUL_TERMINATED, &rows, &self->scene.err) !=
        FIRN_OK) {
        (void)fprintf(stderr, "%s: %s\n", sql, self->scene.err.text);
        return true;
    }
    while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        for (int64_t i = 0; i < batch.n_children; i++) {
            const struct ArrowArray *child = batch.children[i];
            if (child->n_buffers == 3 && child->length > 0) { // Texts.
                const int32_t *ends = child->buffers[1];
                const text whole = {.data = child->buffers[2], .size = (size_t)ends[child->length]};
                holds = holds || text_find(whole, text_of(words)) < whole.size;
            }
        }
        batch.release(&batch);
    }
    rows.release(&rows);
    return holds;
}

TEST(keys_of_storages_are_shown_nowhere) {
    static const char *const statements[] = {
        "SHOW CATALOGS",
        "SHOW TABLES FROM lake.ns",
        "SHOW CREATE TABLE lake.ns.t",
        "SHOW ALL SETTINGS",
        "DESCRIBE lake.ns.t",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM information_schema.columns",
        "SELECT * FROM information_schema.schemata",
        "EXPLAIN SELECT * FROM lake.ns.t",
        "EXPLAIN (VERBOSE) SELECT * FROM lake.ns.t WHERE a > 1",
        "EXPLAIN ANALYZE SELECT * FROM lake.ns.t",
    };
    static stage s;
    stage_open(&s);
    REQUIRE(runs(&s, ATTACH));
    REQUIRE(runs(&s, "CREATE TABLE lake.ns.t AS SELECT 1 AS a"));
    CHECK(answers_hold(&s, "SELECT 'x' AS a UNION ALL SELECT 'hidden-y'", SECRET));
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (answers_hold(&s, statements[i], SECRET)) {
            (void)fprintf(stderr, "%s\n", statements[i]);
            CHECK(false);
        }
    }
    // The server repeats one of them: neither its words nor the key are told.
    s.server.is_telling = true;
    CHECK(runs(&s, "SELECT * FROM lake.ns.t"));
    CHECK(scene_execute(&s.scene, "INSERT INTO lake.ns.t VALUES (3)") == FIRN_INVALID);
    CHECK(strstr(s.scene.err.text, SECRET) == NULL);
    CHECK(strstr(s.scene.err.text, "holds a secret") != NULL);
    CHECK(strstr(s.scene.err.hint, SECRET) == NULL);
    stage_close(&s);
}
