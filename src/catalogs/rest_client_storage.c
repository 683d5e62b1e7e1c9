#include "catalogs/rest_client_storage.h"

#include "base/host.h"
#include "base/number_text.h"
#include "catalogs/rest_client_private.h"
#include "catalogs/rest_kept.h"

#define MINUTE_MS INT64_C(60000)
#define BEFORE_END_MS (5 * MINUTE_MS) // As Java has it.
#define WITHOUT_END_MS (15 * MINUTE_MS)
#define NAME_BYTES_MAX ((size_t)64 << 10)

static uint32_t count_of(const io_properties *properties) {
    uint32_t out = 0;
    for (uint32_t i = 0; i < properties->count; i++) {
        out += io_property_is_storage(properties->items[i].key) ? 1 : 0;
    }
    return out;
}

static void append(io_properties *to, const io_properties *from) {
    for (uint32_t i = 0; i < from->count; i++) {
        if (io_property_is_storage(from->items[i].key)) {
            to->items[to->count++] = from->items[i];
        }
    }
}

// When the first of the keys ends; INT64_MAX: there are none, or they do not say. Whether there are
// any keys.
static bool find_end(const io_properties *properties, int64_t *end_ms) {
    bool has_keys = false;
    for (uint32_t i = 0; i < properties->count; i++) {
        const io_property *each = &properties->items[i];
        int64_t at;
        if (!io_property_is_storage(each->key)) {
            continue;
        }
        has_keys = has_keys || io_property_is_secret(each->key);
        // "s3.session-token-expires-at-ms", "adls.sas-token-expires-at-ms.<account>",
        // "gcs.oauth2.token-expires-at", which is in milliseconds too.
        if (text_find(each->key, TEXT("expires-at")) < each->key.size &&
            number_parse_i64(each->value, &at) == NUMBER_OK && at < *end_ms) {
            *end_ms = at;
        }
    }
    return has_keys;
}

static int64_t again_ms(const loaded_table *table) {
    int64_t end_ms = INT64_MAX;
    bool has_keys = find_end(&table->config, &end_ms);
    for (uint32_t i = 0; i < table->credential_count; i++) {
        has_keys = find_end(&table->credentials[i].properties, &end_ms) || has_keys;
    }
    if (end_ms != INT64_MAX) {
        return end_ms < BEFORE_END_MS ? 0 : end_ms - BEFORE_END_MS;
    }
    return has_keys ? host_time_us() / 1000 + WITHOUT_END_MS : INT64_MAX;
}

// Only what stores use: a catalog's own tokens go nowhere.
static firn_status only_storage(const io_properties *from, arena *memory, io_properties *out,
                                firn_error *err) {
    *out = (io_properties){.items = ARENA_NEW(memory, io_property, (size_t)count_of(from) + 1)};
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    append(out, from);
    return FIRN_OK;
}

firn_status rest_storage_set(rest_client *self, object_name name, loaded_table *table,
                             arena *memory, firn_error *err) {
    const io_properties *general = &self->session.options.properties;
    io_storage said = {.owner = self,
                       .root_count = table->roots.count,
                       .roots = table->roots.items,
                       .credential_count = table->credential_count};
    table->again_ms = again_ms(table);
    TRY(rest_name_key(name, memory, &said.name, err));
    const size_t most = (size_t)count_of(general) + count_of(&table->config);
    said.properties.items = ARENA_NEW(memory, io_property, most + 1);
    io_credential *credentials =
        ARENA_NEW(memory, io_credential, (size_t)table->credential_count + 1);
    if (said.properties.items == NULL || credentials == NULL) {
        return ARENA_FULL(memory, err);
    }
    append(&said.properties, general);
    append(&said.properties, &table->config);
    for (uint32_t i = 0; i < table->credential_count; i++) {
        const io_credential *each = &table->credentials[i];
        credentials[i].prefix = each->prefix;
        TRY(only_storage(&each->properties, memory, &credentials[i].properties, err));
    }
    said.credentials = credentials;
    return io_storage_set(self->session.files, &said, err);
}

bool rest_storage_knows(rest_client *self, object_name name) {
    arena memory = arena_open(NAME_BYTES_MAX);
    firn_error ignored = ERR_INIT;
    text key;
    const bool knows = rest_name_key(name, &memory, &key, &ignored) == FIRN_OK &&
                       io_storage_knows(self->session.files, self, key);
    arena_close(&memory);
    return knows;
}
