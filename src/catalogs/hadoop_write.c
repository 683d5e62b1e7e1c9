#include "catalogs/hadoop_write.h"

#include <inttypes.h>

#include "base/host.h"
#include "catalogs/catalog_location.h"
#include "io/io_path.h"
#include "memory/text_builder.h"
#include "tables/iceberg/hadoop_version.h"

#define CALL_MEMORY_LIMIT ((size_t)64 << 20)
#define DEPTH_MAX 64
#define DROPPED ".dropped-"

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

// What lies in a table's folder goes with the table.
static firn_status refuse_in_table(const hadoop_folder *self, namespace_path space,
                                   firn_error *err) {
    arena memory = arena_open(CALL_MEMORY_LIMIT);
    bool is_in_table;
    const firn_status status =
        hadoop_folder_is_in_table(self, space, &memory, &is_in_table, NULL, err);
    arena_close(&memory);
    return status != FIRN_OK ? status
           : is_in_table     ? FAIL_SQL(err, FIRN_INVALID, "42809", NO_POSITION,
                                        "schema \"%.*s\" would lie in the folder of a table",
                                        TEXT_ARGS(last_level(space)))
                             : FIRN_OK;
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
    TRY(refuse_in_table(self, space, err));
    return host_make_folder(path, err);
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

// ".dropped-" and 16 hexadecimal digits: a name that no list shows.
static bool is_leftover(text name) {
    const size_t start = sizeof DROPPED - 1;
    bool is_hex = name.size == start + 16 && text_starts_with(name, TEXT(DROPPED));
    for (size_t i = start; i < name.size && is_hex; i++) {
        const char byte = name.data[i];
        is_hex = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
    }
    return is_hex;
}

// Beside the folder.
static firn_status hidden_path(const char *path, arena *memory, text *out, firn_error *err) {
    uint64_t chance;
    TRY(host_random(&chance, sizeof chance, err));
    return text_format(memory, out, err, "%.*s/" DROPPED "%016" PRIx64,
                       TEXT_ARGS(io_path_folder(text_of(path))), chance);
}

static bool is_there(const char *path) {
    host_stat found;
    firn_error ignored = ERR_INIT;
    return host_path_stat(path, &found, &ignored) == FIRN_OK;
}

static firn_status drop_folder(const char *path, arena *memory, firn_error *err) {
    text hidden;
    TRY(hidden_path(path, memory, &hidden, err));
    firn_status status = host_rename(path, hidden.data, err);
    status = status == FIRN_OK ? host_sync_folder_of(hidden.data, err) : status;
    if (status != FIRN_OK && !is_there(hidden.data)) { // That name is nobody else's.
        return status;
    }
    // The table is gone, if not yet on disk for certain. What cannot be removed is an orphan.
    firn_error ignored = ERR_INIT;
    (void)(remove_tree(hidden.data, 0, memory, &ignored) == FIRN_OK);
    return err_forgive(err, status, status);
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

static firn_status count_entry(void *user, const char *name, bool is_folder, firn_error *err) {
    (void)name;
    (void)is_folder;
    (void)err;
    *(uint32_t *)user += 1;
    return FIRN_OK;
}

// What drops could not remove is nobody's.
static firn_status remove_leftovers(const char *path, firn_error *err) {
    arena memory = arena_open(CALL_MEMORY_LIMIT);
    name_list names = {.memory = &memory};
    firn_status status = host_list(path, keep_name, &names, err);
    for (const struct name_item *each = names.first; each != NULL && status == FIRN_OK;
         each = each->next) {
        text below;
        if (is_leftover(each->name)) {
            status = text_format(&memory, &below, err, "%s/%.*s", path, TEXT_ARGS(each->name));
            status = status == FIRN_OK ? remove_tree(below.data, 0, &memory, err) : status;
        }
    }
    arena_close(&memory);
    return status;
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
    TRY(remove_leftovers(path, err));
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

// ---- Commits -----------------------------------------------------------------------------------

// Whether a table may be made there: a folder is a schema or a table, and who drops the table
// removes all that is in it.
static firn_status check_place(const hadoop_folder *self, object_name name, text folder,
                               arena *memory, const cancel_flag *cancel, firn_error *err) {
    bool exists;
    bool is_in_table;
    bool is_schema;
    TRY(hadoop_folder_has_namespace(self, name.space, &exists, cancel, err));
    TRY(hadoop_folder_is_in_table(self, name.space, memory, &is_in_table, cancel, err));
    if (!exists || is_in_table) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "3F000", NO_POSITION,
                        "there is no such schema in catalog \"%.*s\"", TEXT_ARGS(self->alias));
    }
    TRY(hadoop_folder_holds_tables(self, folder, &is_schema, cancel, err));
    return is_schema ? FAIL_SQL(err, FIRN_CONFLICT, "42P07", NO_POSITION,
                                "\"%.*s\" exists already: it is a schema, and not empty",
                                TEXT_ARGS(name.name))
                     : FIRN_OK;
}

firn_status hadoop_stage(const hadoop_folder *self, object_name name,
                         const table_definition *wanted, arena *memory, table_definition *out,
                         const cancel_flag *cancel, firn_error *err) {
    text folder;
    *out = *wanted;
    TRY(hadoop_folder_path(self, name.space, name.name, memory, &folder, err));
    TRY(check_place(self, name, folder, memory, cancel, err));
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
    TRY(io_path_whole(part->pointer.old_location, seen, err));
    TRY(io_path_whole(current, found, err));
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
               io_put(self->folder->files, path, bytes_of_text(number), &ignored) == FIRN_OK);
    }
}

typedef enum named_file {
    NAMED_NONE, // Nothing is called so.
    NAMED_OTHER,
    NAMED_SAME,
    NAMED_UNKNOWN,
} named_file;

// What is called `name`: the file `made`, or another?
static named_file named_by(const char *name, const char *made) {
    host_stat of_name;
    host_stat of_made;
    firn_error ignored = ERR_INIT;
    const firn_status status = host_path_stat(name, &of_name, &ignored);
    if (status != FIRN_OK) {
        return status == FIRN_NOT_FOUND ? NAMED_NONE : NAMED_UNKNOWN;
    }
    return host_path_stat(made, &of_made, &ignored) != FIRN_OK ? NAMED_UNKNOWN
           : of_name.inode == of_made.inode                    ? NAMED_SAME
                                                               : NAMED_OTHER;
}

firn_status hadoop_give_name(const char *made, const char *numbered, commit_answer *answer,
                             firn_error *err) {
    *answer = COMMIT_DONE;
    firn_status status = host_link(made, numbered, err);
    status = status == FIRN_OK ? host_sync_folder_of(numbered, err) : status;
    if (status == FIRN_OK) {
        return FIRN_OK;
    }
    const named_file found = named_by(numbered, made);
    if (status == FIRN_CONFLICT) {
        // Ours: a server of files was asked twice as its answer was lost. It has it on disk.
        *answer = found == NAMED_SAME    ? COMMIT_DONE
                  : found == NAMED_OTHER ? COMMIT_CONFLICT
                                         : COMMIT_UNKNOWN;
        return err_forgive(err, status, FIRN_CONFLICT);
    }
    // The name may be there, and not yet on disk for certain.
    const bool is_certain = found == NAMED_NONE || found == NAMED_OTHER;
    *answer = is_certain ? COMMIT_CONFLICT : COMMIT_UNKNOWN;
    return is_certain ? status : err_forgive(err, status, status);
}

static firn_status give_number(numbering *self, commit_answer *answer, firn_error *err) {
    TRY(hadoop_give_name(self->made, self->numbered, answer, err));
    if (*answer != COMMIT_DONE) {
        return FIRN_OK;
    }
    write_hint(self);
    firn_error ignored = ERR_INIT;
    (void)(host_remove(self->made, &ignored) == FIRN_OK); // One name is enough.
    return FIRN_OK;
}

static firn_status commit_part_of(numbering *self, commit_answer *answer, firn_error *err) {
    const object_name name = self->part->name;
    bool fits;
    *answer = COMMIT_CONFLICT;
    TRY(hadoop_folder_path(self->folder, name.space, name.name, self->memory, &self->table, err));
    if (self->part->kind == PART_CREATE) { // Of others there is a table, or it does not fit.
        TRY(check_place(self->folder, name, self->table, self->memory, NULL, err));
    }
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
