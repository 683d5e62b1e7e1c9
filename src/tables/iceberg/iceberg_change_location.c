// Where the files of a change go, and which of them it has written.
#include "io/io_path.h"
#include "memory/arena_grow.h"
#include "tables/iceberg/iceberg_change_private.h"

#define HASH_BITS 20 // Of a name; as folders: 0110/1010/0011/00101001
#define HASH_FOLDER_SIZE 4
#define HASH_FOLDER_COUNT 3

static_assert(HASH_BITS + HASH_FOLDER_COUNT + 1 == ICE_HASHED_FOLDERS_SIZE, "with the NUL");

// ---- Names -------------------------------------------------------------------------------------

static firn_status location_of(const json_node *root, text *out, firn_error *err) {
    TRY(json_get_text(root, "location", out, err));
    *out = io_path_unslashed(*out);
    return FIRN_OK;
}

firn_status ice_metadata_folder(const json_node *root, arena *memory, text *out, firn_error *err) {
    const text chosen = ice_root_property(root, "write.metadata.path");
    text location;
    if (chosen.size > 0) {
        return text_copy(memory, io_path_unslashed(chosen), out, err);
    }
    TRY(location_of(root, &location, err));
    return text_format(memory, out, err, "%.*s/metadata", TEXT_ARGS(location));
}

// The folder of data files, and whether hashed folders come below it.
static firn_status data_folder(const json_node *root, bool is_hashed, arena *memory, text *out,
                               firn_error *err) {
    static const char *const keys[] = {"write.data.path", "write.object-storage.path",
                                       "write.folder-storage.path"};
    text location;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const text chosen = ice_root_property(root, keys[i]);
        if (chosen.size > 0 && (is_hashed || i != 1)) {
            return text_copy(memory, io_path_unslashed(chosen), out, err);
        }
    }
    TRY(location_of(root, &location, err));
    return text_format(memory, out, err, "%.*s/data", TEXT_ARGS(location));
}

// The last two parts of the table's location, which go into paths that are not below it.
static text context_of(text location) {
    size_t from = location.size;
    for (int slashes = 0; from > 0; from--) {
        if (location.data[from - 1] == '/' && ++slashes == 2) {
            break;
        }
    }
    return text_slice(location, from, location.size);
}

void ice_hashed_folders(text name, char out[ICE_HASHED_FOLDERS_SIZE]) {
    const ice_scalar value = {.kind = ICE_SCALAR_BYTES, .data = bytes_of_text(name)};
    int32_t hash = 0;
    (void)ice_hash(TYPE_OF(VARCHAR), &value, &hash);
    for (int i = 0; i < HASH_BITS; i++) {
        if (i > 0 && i % HASH_FOLDER_SIZE == 0 && i <= HASH_FOLDER_SIZE * HASH_FOLDER_COUNT) {
            *out++ = '/';
        }
        *out++ = ((uint32_t)hash >> (HASH_BITS - 1 - i) & 1) != 0 ? '1' : '0';
    }
    *out = '\0';
}

static firn_status hashed_path(const json_node *root, text folder, text partition, text name,
                               arena *memory, text *out, firn_error *err) {
    char hash[ICE_HASHED_FOLDERS_SIZE];
    text location;
    text below = name;
    const bool has_partitions = ice_root_flag(root, "write.object-storage.partitioned-paths", true);
    TRY(location_of(root, &location, err));
    if (has_partitions && partition.size > 0) {
        TRY(text_format(memory, &below, err, "%.*s/%.*s", TEXT_ARGS(partition), TEXT_ARGS(name)));
    }
    ice_hashed_folders(below, hash);
    if (!text_starts_with(folder, location)) {
        return text_format(memory, out, err, "%.*s/%s/%.*s/%.*s", TEXT_ARGS(folder), hash,
                           TEXT_ARGS(context_of(location)), TEXT_ARGS(below));
    }
    return text_format(memory, out, err, "%.*s/%s%c%.*s", TEXT_ARGS(folder), hash,
                       has_partitions ? '/' : '-', TEXT_ARGS(below));
}

firn_status ice_change_data_path(const table_change *base, text partition, uint64_t number,
                                 const char *ending, arena *memory, text *out, firn_error *err) {
    const ice_table_change *self = (const ice_table_change *)base; // Its first member.
    const json_node *root = self->play.root;
    const bool is_hashed = ice_root_flag(root, "write.object-storage.enabled", false);
    char uuid[ICE_UUID_SIZE + 1];
    text folder;
    text name;
    TRY(ice_uuid_make(uuid, err));
    TRY(data_folder(root, is_hashed, memory, &folder, err));
    TRY(text_format(memory, &name, err, "00000-%llu-%s.%s", (unsigned long long)number, uuid,
                    ending[0] == '.' ? ending + 1 : ending));
    if (is_hashed) {
        return hashed_path(root, folder, partition, name, memory, out, err);
    }
    return text_format(memory, out, err, "%.*s/%.*s%s%.*s", TEXT_ARGS(folder), TEXT_ARGS(partition),
                       partition.size > 0 ? "/" : "", TEXT_ARGS(name));
}

// ---- What was written --------------------------------------------------------------------------

firn_status ice_change_note(ice_table_change *self, ice_written_kind kind, text path,
                            firn_error *err) {
    ice_written *items = ARENA_GROW(&self->memory, ice_written, self->written, self->written_count,
                                    1, &self->written_capacity);
    if (items == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    self->written = items;
    items[self->written_count] = (ice_written){.kind = kind};
    TRY(text_copy(&self->memory, path, &items[self->written_count].path, err));
    self->written_count++;
    return FIRN_OK;
}

firn_status ice_change_write(ice_table_change *self, ice_written_kind kind, text path,
                             bytes content, firn_error *err) {
    TRY(ice_change_note(self, kind, path, err)); // Before: a fault may leave it behind.
    const firn_status status = io_put_later(self->env->io, path, content, err);
    if (status != FIRN_OK) {
        io_path_while(err, "writing", path);
    }
    return status;
}

firn_status ice_change_sync(ice_table_change *self, arena *scratch, firn_error *err) {
    const uint32_t count = self->written_count - self->synced_count;
    text *paths = ARENA_NEW(scratch, text, (size_t)count + 1);
    if (paths == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        paths[i] = self->written[self->synced_count + i].path;
    }
    TRY(io_sync(self->env->io, paths, count, ice_change_cancel(self), err));
    self->synced_count = self->written_count;
    return FIRN_OK;
}

// Whether it is the folder or one below it.
static bool is_in(text path, text folder) {
    return folder.size > 0 && text_starts_with(path, folder) &&
           (path.size == folder.size || path.data[folder.size] == '/');
}

void ice_change_remove_folders(const table_change *base, text path) {
    const ice_table_change *self = (const ice_table_change *)base; // Its first member.
    firn_error ignored = ERR_INIT;
    text folder = io_path_folder(path);
    // With the '/' behind it, so that no file of that name is removed.
    while (is_in(folder, self->new_folder) &&
           io_remove(self->env->io, text_slice(path, 0, folder.size + 1), &ignored) == FIRN_OK) {
        folder = io_path_folder(folder);
    }
}

void ice_change_unwrite(ice_table_change *self, uint32_t count) {
    while (self->written_count > count) {
        const text path = self->written[--self->written_count].path;
        firn_error ignored = ERR_INIT; // What stays is an orphan that nobody names.
        (void)io_remove(self->env->io, path, &ignored);
        ice_change_remove_folders(&self->base, path);
    }
    self->synced_count =
        self->synced_count < self->written_count ? self->synced_count : self->written_count;
}
