#include "io/io_storage.h"

#include "io/io_path.h"
#include "io/io_storages.h"
#include "memory/text_builder.h"

#define FOUND_BYTES_MAX (2 * IO_STORAGE_BYTES_MAX)

// ---- Keys --------------------------------------------------------------------------------------

bool io_property_is_storage(text key) {
    static const char *const heads[] = {"s3.",     "gcs.",    "adls.",     "client.",
                                        "signer.", "io-impl", "py-io-impl"};
    bool is = false;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        is = is || text_starts_with(key, text_of(heads[i]));
    }
    return is;
}

bool io_property_is_secret(text key) {
    static const char *const words[] = {"secret",     "token", "password",
                                        "credential", "sas-",  "-key"};
    bool is = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        is = is || text_find(key, text_of(words[i])) < key.size;
    }
    return is && text_find(key, TEXT("expires-at")) == key.size;
}

// ---- The memory of it --------------------------------------------------------------------------

void io_storages_open(io_storages *self) {
    *self = (io_storages){.memory = arena_open(IO_STORAGE_COUNT * sizeof(storage_entry) * 2)};
    mutex_begin(&self->lock, MUTEX_IO);
}

static void forget(storage_entry *entry) {
    if (entry->said.owner != NULL) {
        arena memory = entry->memory;
        *entry = (storage_entry){.version = 0};
        arena_close(&memory);
    }
}

void io_storages_close(io_storages *self) {
    mutex_lock(&self->lock);
    for (size_t i = 0; self->entries != NULL && i < IO_STORAGE_COUNT; i++) {
        forget(&self->entries[i]);
    }
    arena_close(&self->memory);
    mutex_unlock(&self->lock);
    mutex_end(&self->lock);
}

static storage_entry *find_entry(io_storages *self, const void *owner, text name)
    REQUIRES(&self->lock) {
    for (size_t i = 0; self->entries != NULL && i < IO_STORAGE_COUNT; i++) {
        storage_entry *each = &self->entries[i];
        if (each->said.owner == owner && text_equal(each->said.name, name)) {
            return each;
        }
    }
    return NULL;
}

// A free entry, or that which was not asked for longest, which is forgotten. NULL: no memory.
static storage_entry *take_place(io_storages *self) REQUIRES(&self->lock) {
    if (self->entries == NULL) {
        self->entries = ARENA_NEW(&self->memory, storage_entry, IO_STORAGE_COUNT);
        if (self->entries == NULL) {
            return NULL;
        }
        memset(self->entries, 0, IO_STORAGE_COUNT * sizeof *self->entries);
    }
    storage_entry *place = &self->entries[0];
    for (size_t i = 0; i < IO_STORAGE_COUNT && place->said.owner != NULL; i++) {
        storage_entry *each = &self->entries[i];
        place = each->said.owner == NULL || each->used < place->used ? each : place;
    }
    forget(place);
    return place;
}

// ---- Saying ------------------------------------------------------------------------------------

static firn_status copy_items(const io_properties *from, arena *memory, io_properties *out,
                              firn_error *err) {
    *out = (io_properties){.count = 0};
    if (from->count == 0) {
        return FIRN_OK;
    }
    out->items = ARENA_NEW(memory, io_property, from->count);
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (; out->count < from->count; out->count++) {
        TRY(text_copy(memory, from->items[out->count].key, &out->items[out->count].key, err));
        TRY(text_copy(memory, from->items[out->count].value, &out->items[out->count].value, err));
    }
    return FIRN_OK;
}

static firn_status copy_properties(const io_properties *from, arena *memory, io_properties *out,
                                   firn_error *err) {
    return from->count <= IO_STORAGE_PROPERTY_COUNT_MAX
               ? copy_items(from, memory, out, err)
               : FAIL(err, FIRN_INVALID, "the storage of a table has %u properties, %d are allowed",
                      from->count, IO_STORAGE_PROPERTY_COUNT_MAX);
}

static firn_status copy_roots(const io_storage *from, arena *memory, io_storage *out,
                              firn_error *err) {
    text *roots = ARENA_NEW(memory, text, (size_t)from->root_count + 1);
    if (roots == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < from->root_count; i++) {
        TRY(text_copy(memory, io_path_unslashed(from->roots[i]), &roots[i], err));
    }
    out->roots = roots;
    out->root_count = from->root_count;
    return FIRN_OK;
}

static firn_status copy_said(const io_storage *from, arena *memory, io_storage *out,
                             firn_error *err) {
    *out = (io_storage){.owner = from->owner};
    TRY(text_copy(memory, from->name, &out->name, err));
    TRY(copy_roots(from, memory, out, err));
    TRY(copy_properties(&from->properties, memory, &out->properties, err));
    io_credential *credentials =
        ARENA_NEW(memory, io_credential, (size_t)from->credential_count + 1);
    if (credentials == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < from->credential_count; i++) {
        TRY(text_copy(memory, from->credentials[i].prefix, &credentials[i].prefix, err));
        TRY(copy_properties(&from->credentials[i].properties, memory, &credentials[i].properties,
                            err));
    }
    out->credentials = credentials;
    out->credential_count = from->credential_count;
    return FIRN_OK;
}

static firn_status fail_copy(firn_status status, const arena *memory, firn_error *err) {
    char limit[IO_SIZE_TEXT];
    return status == FIRN_NO_MEMORY && arena_is_at_limit(memory)
               ? FAIL(err, FIRN_INVALID,
                      "the properties of the storage of a table take more than the allowed %s",
                      io_size_shown(memory->limit, limit))
               : status;
}

firn_status io_storage_set(io *self, const io_storage *said, firn_error *err) {
    io_storages *all = io_storages_of(self);
    storage_entry made = {.memory = arena_open(IO_STORAGE_BYTES_MAX)};
    const bool has_place = said->root_count + said->credential_count > 0;
    const bool is_wanted = has_place && said->properties.count + said->credential_count > 0;
    firn_status status = is_wanted ? copy_said(said, &made.memory, &made.said, err) : FIRN_OK;
    status = fail_copy(status, &made.memory, err);
    mutex_lock(&all->lock);
    storage_entry *known = find_entry(all, said->owner, said->name);
    if (known != NULL) {
        forget(known);
    }
    storage_entry *place = NULL;
    if (is_wanted && status == FIRN_OK) {
        place = take_place(all);
        status = place == NULL ? ARENA_FULL(&all->memory, err) : FIRN_OK;
    }
    if (place != NULL) {
        all->clock += 1;
        made.version = all->clock;
        made.used = all->clock;
        *place = made;
        made.memory = arena_open(0);
    }
    mutex_unlock(&all->lock);
    arena_close(&made.memory);
    return status;
}

bool io_storage_knows(io *self, const void *owner, text name) {
    io_storages *all = io_storages_of(self);
    mutex_lock(&all->lock);
    storage_entry *known = find_entry(all, owner, name);
    if (known != NULL) {
        known->used = ++all->clock;
    }
    mutex_unlock(&all->lock);
    return known != NULL;
}

void io_storage_drop(io *self, const void *owner) {
    io_storages *all = io_storages_of(self);
    mutex_lock(&all->lock);
    for (size_t i = 0; all->entries != NULL && i < IO_STORAGE_COUNT; i++) {
        if (all->entries[i].said.owner == owner) {
            forget(&all->entries[i]);
        }
    }
    mutex_unlock(&all->lock);
}

// ---- Asking ------------------------------------------------------------------------------------

// How much of a path a root is; 0 if the path is not below it, or the root means any path.
static size_t covered(text path, text root) {
    const text folder = io_path_unslashed(root);
    const text scheme = io_path_scheme(folder);
    const size_t head = scheme.size == 0 ? 1 : scheme.size + sizeof "://" - 1;
    const bool is_below = folder.size > head &&
                          folder.data[folder.size - 1] != ':' && // "s3:///" is any place.
                          text_starts_with(path, folder) &&
                          (path.size == folder.size || path.data[folder.size] == '/');
    return is_below ? folder.size : 0;
}

// "s3" as well as "s3://": of a credential only what stands behind counts as a place.
static bool names_place(text prefix) {
    const size_t colon = text_find(prefix, TEXT("://"));
    return colon < prefix.size && prefix.size > colon + sizeof "://" - 1;
}

static size_t covered_by(const io_storage *said, text path) {
    size_t out = 0;
    for (uint32_t i = 0; i < said->root_count; i++) {
        const size_t each = covered(path, said->roots[i]);
        out = each > out ? each : out;
    }
    for (uint32_t i = 0; i < said->credential_count; i++) {
        const text prefix = said->credentials[i].prefix;
        const size_t each = names_place(prefix) ? covered(path, prefix) : 0;
        out = each > out ? each : out;
    }
    return out;
}

static storage_entry *entry_of(io_storages *self, text path) REQUIRES(&self->lock) {
    storage_entry *out = NULL;
    size_t longest = 0;
    for (size_t i = 0; self->entries != NULL && i < IO_STORAGE_COUNT; i++) {
        storage_entry *each = &self->entries[i];
        const size_t size = each->said.owner == NULL ? 0 : covered_by(&each->said, path);
        if (size > longest || (size > 0 && size == longest && each->version > out->version)) {
            out = each;
            longest = size;
        }
    }
    return out;
}

static const io_credential *credential_of(const io_storage *said, text path) {
    const io_credential *out = NULL;
    for (uint32_t i = 0; i < said->credential_count; i++) {
        const io_credential *each = &said->credentials[i];
        if (text_starts_with(path, each->prefix) &&
            (out == NULL || each->prefix.size > out->prefix.size)) {
            out = each;
        }
    }
    return out;
}

static void put(io_properties *to, const io_property *property) {
    uint32_t at = 0;
    while (at < to->count && !text_equal(to->items[at].key, property->key)) {
        at += 1;
    }
    to->items[at] = *property;
    to->count = at == to->count ? to->count + 1 : to->count;
}

static firn_status merge(const io_storage *said, text path, arena *memory, io_properties *out,
                         firn_error *err) {
    const io_credential *credential = credential_of(said, path);
    const io_properties own =
        credential == NULL ? (io_properties){.count = 0} : credential->properties;
    io_properties merged = {
        .items = ARENA_NEW(memory, io_property, (size_t)said->properties.count + own.count + 1)};
    if (merged.items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < said->properties.count; i++) {
        put(&merged, &said->properties.items[i]);
    }
    for (uint32_t i = 0; i < own.count; i++) {
        put(&merged, &own.items[i]);
    }
    return copy_items(&merged, memory, out, err);
}

// The caller's memory may have to be waited for, which is not done under the lock.
firn_status io_storage_find(io *self, text path, arena *memory, io_storage_found *out,
                            firn_error *err) {
    io_storages *all = io_storages_of(self);
    arena own = arena_open(FOUND_BYTES_MAX);
    io_properties merged = {.count = 0};
    firn_status status = FIRN_OK;
    *out = (io_storage_found){.version = 0};
    mutex_lock(&all->lock);
    storage_entry *entry = entry_of(all, path);
    if (entry != NULL) {
        entry->used = ++all->clock;
        out->version = entry->version;
        status = merge(&entry->said, path, &own, &merged, err);
    }
    mutex_unlock(&all->lock);
    status = status == FIRN_OK ? copy_items(&merged, memory, &out->properties, err) : status;
    arena_close(&own);
    return status;
}
