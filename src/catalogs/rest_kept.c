#include "catalogs/rest_kept.h"

#include "memory/text_builder.h"

#define LEVEL_END '\x1f'
#define KEY_BYTES_MAX ((size_t)64 << 10)

void rest_kept_open(rest_kept *self) {
    *self = (rest_kept){.clock = 0};
    mutex_begin(&self->lock, MUTEX_CATALOG);
}

static void forget(rest_kept *self, rest_kept_entry *entry) REQUIRES(&self->lock) {
    if (entry->key.size > 0) {
        self->bytes -= entry->metadata.size;
        arena memory = entry->memory;
        *entry = (rest_kept_entry){.used = 0};
        arena_close(&memory);
    }
}

void rest_kept_close(rest_kept *self) {
    mutex_lock(&self->lock);
    for (size_t i = 0; i < REST_KEPT_COUNT; i++) {
        forget(self, &self->entries[i]);
    }
    mutex_unlock(&self->lock);
    mutex_end(&self->lock);
}

firn_status rest_name_key(object_name name, arena *memory, text *out, firn_error *err) {
    text_builder key = text_builder_open(memory);
    for (uint32_t i = 0; i < name.space.count; i++) {
        text_append(&key, name.space.items[i]);
        text_append_char(&key, LEVEL_END);
    }
    text_append(&key, name.name);
    return text_builder_finish(&key, out, err);
}

static rest_kept_entry *find(rest_kept *self, text key) REQUIRES(&self->lock) {
    for (size_t i = 0; i < REST_KEPT_COUNT; i++) {
        if (self->entries[i].key.size > 0 && text_equal(self->entries[i].key, key)) {
            self->entries[i].used = ++self->clock;
            return &self->entries[i];
        }
    }
    return NULL;
}

firn_status rest_kept_etag(rest_kept *self, object_name name, int64_t now_ms, arena *memory,
                           text *out, bool *has_keys, firn_error *err) {
    *out = (text){.size = 0};
    text key;
    TRY(rest_name_key(name, memory, &key, err));
    mutex_lock(&self->lock);
    const rest_kept_entry *entry = find(self, key);
    const bool is_good = entry != NULL && now_ms < entry->again_ms;
    const firn_status status = is_good ? text_copy(memory, entry->etag, out, err) : FIRN_OK;
    *has_keys = entry != NULL && entry->again_ms != INT64_MAX;
    mutex_unlock(&self->lock);
    return status;
}

firn_status rest_kept_take(rest_kept *self, object_name name, text etag, arena *memory,
                           loaded_table *out, bool *found, firn_error *err) {
    *out = (loaded_table){.is_view = false};
    *found = false;
    text key;
    firn_status status = FIRN_OK;
    TRY(rest_name_key(name, memory, &key, err));
    mutex_lock(&self->lock);
    const rest_kept_entry *entry = find(self, key);
    if (entry != NULL && text_equal(entry->etag, etag)) {
        *found = true;
        status = text_copy(memory, entry->metadata_location, &out->metadata_location, err);
        status =
            status == FIRN_OK ? bytes_copy(memory, entry->metadata, &out->metadata, err) : status;
    }
    mutex_unlock(&self->lock);
    return status;
}

// Room for so many bytes and one entry.
static rest_kept_entry *make_room(rest_kept *self, size_t size) REQUIRES(&self->lock) {
    for (;;) {
        rest_kept_entry *unused = NULL;
        rest_kept_entry *oldest = NULL;
        for (size_t i = 0; i < REST_KEPT_COUNT; i++) {
            rest_kept_entry *each = &self->entries[i];
            if (each->key.size == 0) {
                unused = each;
            } else if (oldest == NULL || each->used < oldest->used) {
                oldest = each;
            }
        }
        if (unused != NULL && (oldest == NULL || self->bytes + size <= REST_KEPT_BYTES_MAX)) {
            return unused;
        }
        forget(self, oldest);
    }
}

static firn_status fill(rest_kept_entry *out, object_name name, const loaded_table *table,
                        firn_error *err) {
    TRY(rest_name_key(name, &out->memory, &out->key, err));
    out->again_ms = table->again_ms;
    TRY(text_copy(&out->memory, table->etag, &out->etag, err));
    TRY(text_copy(&out->memory, table->metadata_location, &out->metadata_location, err));
    return bytes_copy(&out->memory, table->metadata, &out->metadata, err);
}

void rest_kept_put(rest_kept *self, object_name name, const loaded_table *table) {
    firn_error ignored = ERR_INIT;
    const size_t size = table->metadata.size;
    const bool is_wanted =
        table->etag.size > 0 && size > 0 && size <= REST_KEPT_BYTES_MAX / 4 && !table->is_view;
    rest_kept_entry made = {.memory = arena_open(size + KEY_BYTES_MAX)};
    const firn_status status = is_wanted ? fill(&made, name, table, &ignored)
                                         : rest_name_key(name, &made.memory, &made.key, &ignored);
    mutex_lock(&self->lock);
    rest_kept_entry *known = made.key.size > 0 ? find(self, made.key) : NULL;
    if (known != NULL) {
        forget(self, known);
    }
    if (is_wanted && status == FIRN_OK) {
        rest_kept_entry *entry = make_room(self, size);
        made.used = ++self->clock;
        *entry = made;
        self->bytes += size;
        made.memory = arena_open(0);
    }
    mutex_unlock(&self->lock);
    arena_close(&made.memory);
}
