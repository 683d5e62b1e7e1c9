#include "catalogs/hadoop_write.h"

#include <inttypes.h>

#include "base/host.h"
#include "catalogs/catalog_location.h"
#include "io/io_path.h"
#include "memory/text_builder.h"
#include "tables/iceberg/hadoop_version.h"

#define CALL_MEMORY_LIMIT ((size_t)64 << 20)
#define DEPTH_MAX 64

// ---- Namespaces --------------------------------------------------------------------------------

static firn_status local_path(const hadoop_folder *self, namespace_path space, text name,
                              char out[IO_LOCAL_PATH_MAX], firn_error *err) {
    arena memory = arena_open(CALL_MEMORY_LIMIT);
    text path;
    firn_status status = hadoop_folder_path(self, space, name, &memory, &path, err);
    if (status == FIRN_OK) {
        status = io_path_local(path, out, err);
    }
    arena_close(&memory);
    return status;
}

static text last_level(namespace_path space) {
    return space.items[space.count - 1];
}

firn_status hadoop_create_namespace(const hadoop_folder *self, namespace_path space,
                                    firn_error *err) {
    char path[IO_LOCAL_PATH_MAX];
    host_stat found;
    if (space.count == 0) {
        return FAIL(err, FIRN_INVALID, "a namespace without a level, at least one is needed");
    }
    TRY(local_path(self, space, (text){.size = 0}, path, err));
    const firn_status status = host_path_stat(path, &found, err);
    if (status == FIRN_OK) {
        return FAIL_SQL(err, FIRN_CONFLICT, "42P06", NO_POSITION,
                        "\"%.*s\" exists already in catalog \"%.*s\"", TEXT_ARGS(last_level(space)),
                        TEXT_ARGS(self->alias));
    }
    TRY(err_forgive(err, status, FIRN_NOT_FOUND));
    return host_make_folder(path, err);
}

static firn_status count_entry(void *user, const char *name, bool is_folder, firn_error *err) {
    (void)name;
    (void)is_folder;
    (void)err;
    *(uint32_t *)user += 1;
    return FIRN_OK;
}

firn_status hadoop_drop_namespace(const hadoop_folder *self, namespace_path space,
                                  firn_error *err) {
    char path[IO_LOCAL_PATH_MAX];
    bool exists;
    uint32_t count = 0;
    if (space.count == 0) {
        return FAIL(err, FIRN_INVALID, "a namespace without a level, at least one is needed");
    }
    TRY(hadoop_folder_has_namespace(self, space, &exists, NULL, err));
    if (!exists) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "3F000", NO_POSITION,
                        "there is no schema \"%.*s\" in catalog \"%.*s\"",
                        TEXT_ARGS(last_level(space)), TEXT_ARGS(self->alias));
    }
    TRY(local_path(self, space, (text){.size = 0}, path, err));
    TRY(host_list(path, count_entry, &count, err));
    if (count > 0) {
        const firn_status status =
            FAIL_SQL(err, FIRN_INVALID, "2BP01", NO_POSITION,
                     "the folder of schema \"%.*s\" is not empty", TEXT_ARGS(last_level(space)));
        err_hint(err, "drop what is in it first");
        return status;
    }
    return host_remove(path, err);
}

// ---- Dropping ----------------------------------------------------------------------------------

typedef struct name_list {
    arena *memory;
    struct name_item {
        struct name_item *next;
        text name;
    } *first;
} name_list;

static firn_status keep_name(void *user, const char *name, bool is_folder, firn_error *err) {
    (void)is_folder;
    name_list *self = user;
    struct name_item *item = ARENA_NEW(self->memory, struct name_item, 1);
    if (item == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    TRY(text_copy(self->memory, text_of(name), &item->name, err));
    item->next = self->first;
    self->first = item;
    return FIRN_OK;
}

// A folder and all below it. Links are removed, and what they lead to is not.
static firn_status remove_tree(const char *path, uint32_t depth, arena *memory, firn_error *err) {
    firn_error ignored = ERR_INIT;
    if (host_remove(path, &ignored) == FIRN_OK) {
        return FIRN_OK; // A file, a link, an empty folder.
    }
    host_stat found;
    TRY(host_path_stat(path, &found, err));
    if (!found.is_folder || depth == DEPTH_MAX) {
        return host_remove(path, err);
    }
    // Names first: a folder that changes while it is listed may be listed in part.
    name_list names = {.memory = memory};
    TRY(host_list(path, keep_name, &names, err));
    for (const struct name_item *each = names.first; each != NULL; each = each->next) {
        text below;
        TRY(text_format(memory, &below, err, "%s/%.*s", path, TEXT_ARGS(each->name)));
        TRY(remove_tree(below.data, depth + 1, memory, err));
    }
    return host_remove(path, err);
}

// A name that no list shows, beside the folder.
static firn_status hidden_path(const char *path, arena *memory, text *out, firn_error *err) {
    uint64_t chance;
    const text whole = text_of(path);
    const text folder = io_path_folder(whole);
    TRY(host_random(&chance, sizeof chance, err));
    return text_format(memory, out, err, "%.*s/.dropped-%.*s-%016" PRIx64, TEXT_ARGS(folder),
                       TEXT_ARGS(io_path_name(whole)), chance);
}

static firn_status drop_folder(const char *path, arena *memory, firn_error *err) {
    text hidden;
    TRY(hidden_path(path, memory, &hidden, err));
    TRY(host_rename(path, hidden.data, err));
    // The table is gone. What cannot be removed is an orphan.
    firn_error ignored = ERR_INIT;
    (void)(remove_tree(hidden.data, 0, memory, &ignored) == FIRN_OK);
    return FIRN_OK;
}

firn_status hadoop_drop_table(const hadoop_folder *self, object_name name, firn_error *err) {
    arena memory = arena_open(CALL_MEMORY_LIMIT);
    char path[IO_LOCAL_PATH_MAX];
    loaded_table now;
    firn_status status = hadoop_folder_load(self, name.space, name.name, &memory, &now, NULL, err);
    status = status == FIRN_OK ? local_path(self, name.space, name.name, path, err) : status;
    status = status == FIRN_OK ? drop_folder(path, &memory, err) : status;
    arena_close(&memory);
    return status;
}

// ---- Commits -----------------------------------------------------------------------------------

firn_status hadoop_stage(const hadoop_folder *self, object_name name,
                         const table_definition *wanted, arena *memory, table_definition *out,
                         const cancel_flag *cancel, firn_error *err) {
    bool exists;
    text folder;
    *out = *wanted;
    TRY(hadoop_folder_has_namespace(self, name.space, &exists, cancel, err));
    if (!exists) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "3F000", NO_POSITION,
                        "there is no such schema in catalog \"%.*s\"", TEXT_ARGS(self->alias));
    }
    TRY(hadoop_folder_path(self, name.space, name.name, memory, &folder, err));
    TRY(catalog_location_of(folder, memory, &out->location, err));
    text given = {.size = 0};
    if (wanted->location.size > 0) {
        TRY(catalog_location_of(wanted->location, memory, &given, err));
    }
    if (given.size > 0 && !text_equal(given, out->location)) {
        const firn_status status =
            FAIL(err, FIRN_UNSUPPORTED,
                 "a table of a catalog of folders lies in its own folder, which is \"%.*s\"",
                 TEXT_ARGS(out->location));
        err_hint(err, "leave LOCATION out");
        return status;
    }
    return FIRN_OK;
}

// A path from the root on, whatever form it is in.
static firn_status whole_path(text location, char out[IO_LOCAL_PATH_MAX], firn_error *err) {
    char path[IO_LOCAL_PATH_MAX];
    TRY(io_path_local(location, path, err));
    const char *start = path;
    while (strncmp(start, "./", 2) == 0) {
        start += 2;
    }
    return host_path_absolute(start, out, IO_LOCAL_PATH_MAX, err);
}

typedef struct numbering {
    const hadoop_folder *folder;
    const commit_part *part;
    arena *memory;
    text table;                       // Its folder.
    uint64_t version;                 // The new one.
    char made[IO_LOCAL_PATH_MAX];     // What the change wrote.
    char numbered[IO_LOCAL_PATH_MAX]; // What it is to be called.
} numbering;

// Whether the table is as it was seen; then also the number of the next version.
static firn_status see_current(numbering *self, bool *fits, firn_error *err) {
    const commit_part *part = self->part;
    text current;
    // Where there is no hint, what the change has just written looks like a version.
    const firn_status status = hadoop_current_metadata_but(self->folder->files, self->table,
                                                           io_path_name(part->pointer.new_location),
                                                           NULL, self->memory, &current, err);
    if (status == FIRN_NOT_FOUND) {
        *fits = part->kind == PART_CREATE;
        self->version = 1;
        return err_forgive(err, status, FIRN_NOT_FOUND);
    }
    TRY(status);
    *fits = false;
    if (part->kind == PART_CREATE) {
        return FIRN_OK;
    }
    char seen[IO_LOCAL_PATH_MAX];
    char found[IO_LOCAL_PATH_MAX];
    TRY(whole_path(part->pointer.old_location, seen, err));
    TRY(whole_path(current, found, err));
    *fits = strcmp(seen, found) == 0;
    if (*fits && (!hadoop_version_of(io_path_name(current), &self->version) ||
                  self->version == UINT64_MAX)) {
        return FAIL(err, FIRN_CORRUPT, "\"%.*s\" has no number", TEXT_ARGS(current));
    }
    self->version += 1;
    return FIRN_OK;
}

// The number in whatever form the file is packed: its name says so.
static const char *ending_of(text made) {
    return text_ends_with(made, TEXT(".gz.metadata.json"))   ? ".gz.metadata.json"
           : text_ends_with(made, TEXT(".metadata.json.gz")) ? ".metadata.json.gz"
                                                             : ".metadata.json";
}

static firn_status name_number(numbering *self, bool *is_free, firn_error *err) {
    static const char *const endings[] = {".metadata.json", ".gz.metadata.json",
                                          ".metadata.json.gz"};
    const char *ending = ending_of(self->part->pointer.new_location);
    *is_free = true;
    TRY(io_path_local(self->part->pointer.new_location, self->made, err));
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        text path;
        bool exists;
        TRY(text_format(self->memory, &path, err, "%.*s/metadata/v%" PRIu64 "%s",
                        TEXT_ARGS(self->table), self->version, endings[i]));
        TRY(io_exists(self->folder->files, path, NULL, &exists, err));
        *is_free = *is_free && !exists;
        if (strcmp(endings[i], ending) == 0) {
            TRY(io_path_local(path, self->numbered, err));
        }
    }
    return FIRN_OK;
}

// Java's local file system keeps a checksum beside each file, which would not fit the new hint. Of
// use to readers, but none of them needs it: what fails here is not told.
static void write_hint(const numbering *self) {
    firn_error ignored = ERR_INIT;
    text path;
    text number;
    const bool has_texts =
        text_format(self->memory, &path, &ignored, "%.*s/metadata/.version-hint.text.crc",
                    TEXT_ARGS(self->table)) == FIRN_OK &&
        text_format(self->memory, &number, &ignored, "%" PRIu64, self->version) == FIRN_OK;
    if (has_texts) {
        (void)(io_remove(self->folder->files, path, &ignored) == FIRN_OK);
        (void)(text_format(self->memory, &path, &ignored, "%.*s/metadata/version-hint.text",
                           TEXT_ARGS(self->table)) == FIRN_OK &&
               io_put(self->folder->files, path,
                      (bytes){.data = (const uint8_t *)number.data, .size = number.size},
                      &ignored) == FIRN_OK);
    }
}

// Whether two names are of one file.
static bool are_one(const char *left, const char *right) {
    host_stat of_left;
    host_stat of_right;
    firn_error ignored = ERR_INIT;
    return host_path_stat(left, &of_left, &ignored) == FIRN_OK &&
           host_path_stat(right, &of_right, &ignored) == FIRN_OK && of_left.inode == of_right.inode;
}

static firn_status give_number(numbering *self, commit_answer *answer, firn_error *err) {
    const firn_status status = host_link(self->made, self->numbered, err);
    if (status == FIRN_CONFLICT) {
        *answer = COMMIT_CONFLICT;
        return err_forgive(err, status, FIRN_CONFLICT);
    }
    if (status != FIRN_OK) {
        // The name may be there, and not yet on disk for certain.
        *answer = COMMIT_UNKNOWN;
        return are_one(self->made, self->numbered) ? err_forgive(err, status, status) : status;
    }
    *answer = COMMIT_DONE;
    write_hint(self);
    firn_error ignored = ERR_INIT;
    (void)(host_remove(self->made, &ignored) == FIRN_OK); // One name is enough.
    return FIRN_OK;
}

static firn_status commit_part_of(numbering *self, commit_answer *answer, firn_error *err) {
    const object_name name = self->part->name;
    bool fits;
    bool exists;
    *answer = COMMIT_CONFLICT;
    TRY(hadoop_folder_has_namespace(self->folder, name.space, &exists, NULL, err));
    if (!exists) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "3F000", NO_POSITION,
                        "there is no such schema in catalog \"%.*s\"",
                        TEXT_ARGS(self->folder->alias));
    }
    TRY(hadoop_folder_path(self->folder, name.space, name.name, self->memory, &self->table, err));
    TRY(see_current(self, &fits, err));
    if (!fits) {
        return FIRN_OK;
    }
    if (self->part->kind == PART_DROP) {
        TRY(hadoop_drop_table(self->folder, name, err));
        *answer = COMMIT_DONE;
        return FIRN_OK;
    }
    bool is_free;
    TRY(name_number(self, &is_free, err));
    return is_free ? give_number(self, answer, err) : FIRN_OK;
}

firn_status hadoop_commit(const hadoop_folder *self, const commit_parts *parts,
                          commit_answer *answer, firn_error *err) {
    *answer = COMMIT_DONE;
    if (parts->count == 0) {
        return FIRN_OK;
    }
    if (parts->count > 1) {
        const firn_status status =
            FAIL(err, FIRN_UNSUPPORTED, "a catalog of folders changes one table at once");
        err_hint(err, "COMMIT after each");
        return status;
    }
    arena memory = arena_open(CALL_MEMORY_LIMIT);
    numbering own = {.folder = self, .part = &parts->items[0], .memory = &memory};
    const firn_status status = commit_part_of(&own, answer, err);
    arena_close(&memory);
    return status;
}
