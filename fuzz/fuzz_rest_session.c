// Arbitrary bytes as a whole talk with a REST catalog server: what it answers, one after the other,
// while a client connects, gets tokens, lists, and loads a table.
//
// The first byte says what the client was told (token, credential, header, https).
// The rest is what the server answers (rest_server.h).
//
// Oracle: every call ends in a value that can be read to its end or in an error with words, in a
// bounded number of requests; keys of a storage that a table came with are known from then on; no
// message ever holds the client's secret, whatever the server says.
// (If the client was told it: else it is a word like any other.)
#include "catalogs/rest_client_storage.h"
#include "rest_server.h"

#define MEMORY_MAX ((size_t)64 << 20)
#define SECRET "hunter22secret"

// Bits of the first byte.
#define HAS_CREDENTIAL 4
#define HAS_TOKEN 8
#define HAS_HEADER 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// ---- The client --------------------------------------------------------------------------------

// Reads every byte of a text, for the sanitizers to look.
static void touch(text value) {
    volatile uint32_t sum = 0;
    for (size_t i = 0; i < value.size; i++) {
        sum = (sum + (unsigned char)value.data[i]) & 0xffff;
    }
}

static bool knows_secret; // This input's client.

static bool is_answered(firn_status status, const firn_error *err) {
    if (status != FIRN_OK) {
        expect(err->status == status && err->length > 0);
        expect(!knows_secret ||
               (strstr(err->text, SECRET) == NULL && strstr(err->hint, SECRET) == NULL));
    }
    return status == FIRN_OK;
}

static void ask_lists(rest_client *client, namespace_path space, arena *memory) {
    firn_error err = ERR_INIT;
    namespace_path *spaces;
    uint32_t count;
    bool has = false;
    catalog_properties properties;
    catalog_entry_list entries;
    if (is_answered(rest_client_namespaces(client, space, memory, &spaces, &count, NULL, &err),
                    &err)) {
        for (uint32_t i = 0; i < count; i++) {
            touch(spaces[i].items[spaces[i].count - 1]);
        }
    }
    err = ERR_INIT;
    (void)is_answered(rest_client_has_namespace(client, space, &has, NULL, &err), &err);
    err = ERR_INIT;
    if (is_answered(
            rest_client_namespace_properties(client, space, memory, &properties, NULL, &err),
            &err)) {
        for (uint32_t i = 0; i < properties.count; i++) {
            touch(properties.items[i].value);
        }
    }
    err = ERR_INIT;
    if (is_answered(rest_client_list(client, space, memory, &entries, NULL, &err), &err)) {
        for (uint32_t i = 0; i < entries.count; i++) {
            touch(entries.items[i].name);
        }
    }
}

static void ask_table(rest_client *client, namespace_path space, arena *memory) {
    for (int i = 0; i < 3; i++) {
        firn_error err = ERR_INIT;
        loaded_table table;
        const rest_load what = {.space = space,
                                .name = TEXT("t"),
                                .etag = i == 2 ? TEXT("\"e\"") : (text){.size = 0},
                                .only_referenced = i == 1};
        if (is_answered(rest_client_load(client, &what, memory, &table, NULL, &err), &err)) {
            touch((text){.data = (const char *)table.metadata.data, .size = table.metadata.size});
            touch(table.metadata_location);
            const object_name name = {.space = what.space, .name = what.name};
            const bool knows = rest_storage_knows(client, name);
            const bool has_keys = table.again_ms != INT64_MAX && table.roots.count > 0;
            expect(table.is_unchanged || knows || !has_keys);
        }
    }
}

static rest_options options_of(uint8_t bits) {
    static net_header header;
    header = (net_header){.name = TEXT("X-Key"), .value = TEXT(SECRET)};
    return (rest_options){
        .alias = TEXT("lake"),
        .uri = (bits & 1) != 0 ? TEXT("https://h/api/") : TEXT("http://h"),
        .warehouse = (bits & 2) != 0 ? TEXT("s3://w/ x") : (text){.size = 0},
        .credential = (bits & HAS_CREDENTIAL) != 0 ? TEXT("id:" SECRET) : (text){.size = 0},
        .token = (bits & HAS_TOKEN) != 0 ? TEXT(SECRET) : (text){.size = 0},
        .oauth2_server_uri = (bits & 16) != 0 ? TEXT("tokens") : (text){.size = 0},
        .headers = &header,
        .header_count = (bits & HAS_HEADER) != 0 ? 1 : 0,
        .wants_credentials = (bits & 64) != 0,
    };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    server = (net_client){.left = {.data = (const char *)data + 1, .size = size - 1}};
    knows_secret = (data[0] & (HAS_CREDENTIAL | HAS_TOKEN | HAS_HEADER)) != 0;
    arena memory = arena_open(MEMORY_MAX);
    firn_error err = ERR_INIT;
    io *files = NULL;
    rest_client *client = NULL;
    const io_options how = {.net = &server_module, .retry_pause_ms = 1, .retry_count = 1};
    expect(io_open(&how, &files, &err) == FIRN_OK);
    const rest_options options = options_of(data[0]);
    expect(rest_client_open(files, &options, &client, &err) == FIRN_OK);
    if (is_answered(rest_client_connect(client, NULL, &err), &err)) {
        text levels[] = {TEXT("a"), TEXT("b c")};
        const namespace_path space = {.count = 2, .items = levels};
        ask_lists(client, (namespace_path){.count = 0}, &memory);
        ask_lists(client, space, &memory);
        ask_table(client, space, &memory);
    }
    rest_client_close(client);
    io_close(files);
    arena_close(&memory);
    return 0;
}
