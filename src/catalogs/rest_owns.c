#include "catalogs/rest_owns.h"

#include "catalogs/rest_kept.h"

#define HEADER "header."

void rest_owns_open(rest_owns *self) {
    *self = (rest_owns){.clock = 0};
    mutex_begin(&self->lock, MUTEX_CATALOG);
}

static void forget(rest_owns_entry *entry) {
    if (entry->key.size > 0) {
        arena memory = entry->memory;
        *entry = (rest_owns_entry){.used = 0};
        arena_close(&memory);
    }
}

void rest_owns_close(rest_owns *self) {
    mutex_lock(&self->lock);
    for (size_t i = 0; i < REST_OWNS_COUNT; i++) {
        forget(&self->entries[i]);
    }
    mutex_unlock(&self->lock);
    mutex_end(&self->lock);
}

static rest_owns_entry *find(rest_owns *self, text key) REQUIRES(&self->lock) {
    for (size_t i = 0; i < REST_OWNS_COUNT; i++) {
        if (self->entries[i].key.size > 0 && text_equal(self->entries[i].key, key)) {
            self->entries[i].used = ++self->clock;
            return &self->entries[i];
        }
    }
    return NULL;
}

static firn_status copy_own(const rest_own *from, arena *memory, rest_own *out, firn_error *err) {
    *out = (rest_own){.header_count = 0};
    TRY(text_copy(memory, from->token, &out->token, err));
    out->headers = ARENA_NEW(memory, net_header, (size_t)from->header_count + 1);
    out->secrets = ARENA_NEW(memory, text, (size_t)from->secret_count + 1);
    if (out->headers == NULL || out->secrets == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (; out->secret_count < from->secret_count; out->secret_count++) {
        const uint32_t at = out->secret_count;
        TRY(text_copy(memory, from->secrets[at], &out->secrets[at], err));
    }
    for (; out->header_count < from->header_count; out->header_count++) {
        const net_header *each = &from->headers[out->header_count];
        net_header *made = &out->headers[out->header_count];
        TRY(text_copy(memory, each->name, &made->name, err));
        TRY(text_copy(memory, each->value, &made->value, err));
    }
    return FIRN_OK;
}

firn_status rest_owns_find(rest_owns *self, object_name name, arena *memory, rest_own *out,
                           firn_error *err) {
    *out = (rest_own){.header_count = 0};
    text key;
    TRY(rest_name_key(name, memory, &key, err));
    mutex_lock(&self->lock);
    const rest_owns_entry *entry = find(self, key);
    const firn_status status = entry == NULL ? FIRN_OK : copy_own(&entry->own, memory, out, err);
    mutex_unlock(&self->lock);
    return status;
}

// HTTP would refuse the whole request.
static bool is_sendable(text name, text value) {
    bool is = name.size > 0;
    for (size_t i = 0; i < name.size; i++) {
        const char byte = name.data[i];
        is = is && byte > ' ' && byte < 0x7f && memchr("\"(),/:;<=>?@[\\]{}", byte, 17) == NULL;
    }
    for (size_t i = 0; i < value.size; i++) {
        const unsigned char byte = (unsigned char)value.data[i];
        is = is && (byte >= ' ' || byte == '\t') && byte != 0x7f;
    }
    return is;
}

static bool is_secret(const catalog_property *property) {
    return io_property_is_storage(property->key) && io_property_is_secret(property->key);
}

static uint32_t secrets_in(const catalog_properties *properties, text *out) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < properties->count; i++) {
        if (is_secret(&properties->items[i])) {
            if (out != NULL) {
                out[count] = properties->items[i].value;
            }
            count += 1;
        }
    }
    return count;
}

// How many secrets the keys of a table are; `out` NULL: only counted.
static uint32_t secrets_of(const loaded_table *table, text *out) {
    uint32_t count = secrets_in(&table->config, out);
    for (uint32_t i = 0; i < table->credential_count; i++) {
        count += secrets_in(&table->credentials[i].properties, out == NULL ? NULL : out + count);
    }
    return count;
}

static firn_status read_own(const loaded_table *table, arena *memory, rest_own *out,
                            firn_error *err) {
    const catalog_properties *config = &table->config;
    rest_own read = {.token = catalog_property_find(config, TEXT("token"))};
    read.token = is_sendable(TEXT("token"), read.token) ? read.token : (text){.size = 0};
    read.headers = ARENA_NEW(memory, net_header, (size_t)config->count + 1);
    read.secrets = ARENA_NEW(memory, text, (size_t)secrets_of(table, NULL) + 1);
    if (read.headers == NULL || read.secrets == NULL) {
        return ARENA_FULL(memory, err);
    }
    read.secret_count = secrets_of(table, read.secrets);
    for (uint32_t i = 0; i < config->count; i++) {
        const text key = config->items[i].key;
        const text value = config->items[i].value;
        const bool is_header = text_starts_with(key, TEXT(HEADER));
        const text name = text_slice(key, is_header ? sizeof HEADER - 1 : 0, key.size);
        if (is_header && is_sendable(name, value)) {
            read.headers[read.header_count++] = (net_header){.name = name, .value = value};
        }
    }
    return copy_own(&read, memory, out, err);
}

static bool says_something(const loaded_table *table) {
    const catalog_properties *config = &table->config;
    bool is = secrets_of(table, NULL) > 0;
    for (uint32_t i = 0; i < config->count; i++) {
        is = is || text_equal(config->items[i].key, TEXT("token")) ||
             text_starts_with(config->items[i].key, TEXT(HEADER));
    }
    return is;
}

static rest_owns_entry *take_place(rest_owns *self) REQUIRES(&self->lock) {
    rest_owns_entry *place = &self->entries[0];
    for (size_t i = 0; i < REST_OWNS_COUNT && place->key.size > 0; i++) {
        rest_owns_entry *each = &self->entries[i];
        place = each->key.size == 0 || each->used < place->used ? each : place;
    }
    forget(place);
    return place;
}

void rest_owns_put(rest_owns *self, object_name name, const loaded_table *table) {
    firn_error ignored = ERR_INIT;
    rest_owns_entry made = {.memory = arena_open(REST_OWN_BYTES_MAX)};
    const bool is_keyed = rest_name_key(name, &made.memory, &made.key, &ignored) == FIRN_OK;
    const bool is_wanted = is_keyed && says_something(table) &&
                           read_own(table, &made.memory, &made.own, &ignored) == FIRN_OK;
    mutex_lock(&self->lock);
    rest_owns_entry *known = is_keyed ? find(self, made.key) : NULL;
    if (known != NULL) {
        forget(known);
    }
    if (is_wanted) {
        made.used = ++self->clock;
        *take_place(self) = made;
        made.memory = arena_open(0);
    }
    mutex_unlock(&self->lock);
    arena_close(&made.memory);
}
