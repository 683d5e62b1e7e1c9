#include "catalogs/sqlite_client_private.h"

#include <stdlib.h>

#include "base/host.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "io/io_path.h"
#include "memory/arena_grow.h"
#include "memory/text_builder.h"

#define BUSY_TIMEOUT_MS 10000
#define BUSY_PAUSE_MS 5
#define CLIENT_MEMORY_LIMIT ((size_t)1 << 20)
// SQLite looks at the cancel flag after so many of its instructions: well below 10 ms.
#define LOOK_INSTRUCTIONS 20000

// ---- Errors and statements ---------------------------------------------------------------------

static firn_status status_of(int code) {
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return FIRN_NO_MEMORY;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_ERROR: // Bad SQL, which here means columns or tables of another shape.
        return FIRN_CORRUPT;
    default:
        return FIRN_IO;
    }
}

static const char *sqlstate_of(int code) {
    switch (code & 0xff) {
    case SQLITE_FULL:
        return "53100"; // disk_full
    case SQLITE_READONLY:
        return "25006"; // read_only_sql_transaction
    default:
        return NULL; // The usual one of the status.
    }
}

// A file that SQLite cannot open may be there all the same.
static bool is_missing(const sqlite_client *self, int code) {
    host_stat found;
    firn_error ignored = ERR_INIT;
    return (code & 0xff) == SQLITE_CANTOPEN &&
           host_path_stat(self->path.data, &found, &ignored) == FIRN_NOT_FOUND;
}

firn_status sqlite_client_fail(sqlite_client *self, int code, firn_error *err) {
    if ((code & 0xff) == SQLITE_INTERRUPT || cancel_is_raised(self->cancel)) {
        return FAIL(err, FIRN_CANCELLED, "the query was stopped");
    }
    if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED) {
        return FAIL(err, FIRN_IO,
                    "another program holds a lock on the catalog file \"%.*s\" for more than %u ms",
                    TEXT_ARGS(self->path), self->busy_timeout_ms);
    }
    const firn_status status = is_missing(self, code) ? FIRN_NOT_FOUND : status_of(code);
    const char *state = sqlstate_of(code);
    err_set(err, status, "the catalog file \"%.*s\": %s", TEXT_ARGS(self->path),
            sqlite3_errmsg(self->database));
    if (state != NULL) {
        memcpy(err->sqlstate, state, sizeof err->sqlstate);
    }
    return status;
}

static int on_busy(void *user, int count) {
    sqlite_client *self = user;
    const int64_t now_ns = host_clock_ns();
    if (count == 0) {
        self->busy_since_ns = now_ns;
    }
    const int64_t waited_ns = now_ns - self->busy_since_ns;
    if (cancel_is_raised(self->cancel) || waited_ns >= (int64_t)self->busy_timeout_ms * 1000000) {
        return 0;
    }
    host_sleep_ms(BUSY_PAUSE_MS);
    return 1;
}

static int on_progress(void *user) {
    const sqlite_client *self = user;
    return cancel_is_raised(self->cancel) ? 1 : 0;
}

bool sqlite_client_roll_back(sqlite_client *self) {
    self->is_stuck = sqlite3_get_autocommit(self->database) == 0 &&
                     sqlite3_exec(self->database, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK;
    return !self->is_stuck;
}

// Prepares a statement whose parameters are the texts in order.
firn_status sqlite_client_prepare(sqlite_client *self, const char *sql, const text *values,
                                  uint32_t value_count, sqlite3_stmt **out, firn_error *err) {
    *out = NULL;
    if (self->is_stuck && !sqlite_client_roll_back(self)) {
        return sqlite_client_fail(self, sqlite3_errcode(self->database), err);
    }
    int code = sqlite3_prepare_v2(self->database, sql, -1, out, NULL);
    for (uint32_t i = 0; i < value_count && code == SQLITE_OK; i++) {
        const char *data = values[i].data == NULL ? "" : values[i].data;
        code =
            sqlite3_bind_text64(*out, (int)i + 1, data, values[i].size, SQLITE_STATIC, SQLITE_UTF8);
    }
    if (code != SQLITE_OK) {
        (void)sqlite3_finalize(*out);
        *out = NULL;
        return sqlite_client_fail(self, code, err);
    }
    return FIRN_OK;
}

// The next row; *out is false behind the last one.
firn_status sqlite_client_step(sqlite_client *self, sqlite3_stmt *statement, bool *out,
                               firn_error *err) {
    const int code = sqlite3_step(statement);
    *out = code == SQLITE_ROW;
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return sqlite_client_fail(self, code, err);
    }
    return FIRN_OK;
}

firn_status sqlite_client_read_text(sqlite_client *self, sqlite3_stmt *statement, int place,
                                    arena *memory, text *out, firn_error *err) {
    const unsigned char *data = sqlite3_column_text(statement, place);
    const int size = sqlite3_column_bytes(statement, place);
    if (data == NULL || size <= 0) {
        *out = (text){.size = 0};
        return FIRN_OK;
    }
    if (!utf8_is_valid((bytes){.data = data, .size = (size_t)size})) {
        return FAIL(err, FIRN_CORRUPT, "the catalog file \"%.*s\": column \"%s\" is not UTF-8",
                    TEXT_ARGS(self->path), sqlite3_column_name(statement, place));
    }
    return text_copy(memory, (text){.data = (const char *)data, .size = (size_t)size}, out, err);
}

// ---- Opening -----------------------------------------------------------------------------------

// Whether a statement about the schema has a row.
static firn_status has_row(sqlite_client *self, const char *sql, bool *out, firn_error *err) {
    sqlite3_stmt *statement;
    TRY(sqlite_client_prepare(self, sql, NULL, 0, &statement, err));
    const firn_status status = sqlite_client_step(self, statement, out, err);
    (void)sqlite3_finalize(statement);
    return status;
}

static firn_status read_schema(sqlite_client *self, firn_error *err) {
    bool has_tables;
    TRY(has_row(self,
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'iceberg_tables'",
                &has_tables, err));
    if (!has_tables) {
        return FAIL(err, FIRN_CORRUPT,
                    "\"%.*s\" is no Iceberg catalog: it has no table \"iceberg_tables\"",
                    TEXT_ARGS(self->path));
    }
    TRY(has_row(self,
                "SELECT 1 FROM pragma_table_info('iceberg_tables') WHERE name = 'iceberg_type'",
                &self->has_kinds, err));
    return has_row(self,
                   "SELECT 1 FROM sqlite_master WHERE type = 'table' AND "
                   "name = 'iceberg_namespace_properties'",
                   &self->has_spaces, err);
}

#define TOLD_NAMES_MAX 10

// The names of the catalogs in the file: how many, the last one, whether a wanted one is among
// them, and some of them as people read them.
typedef struct held_names {
    text wanted;
    uint32_t count;
    bool has_wanted;
    text last;
    arena *scratch; // For the texts that are told.
    text_builder told;
    nearest_name near;
} held_names;

// Offers the last name where it may be told.
static firn_status offer_name(held_names *self, firn_error *err) {
    text kept;
    if (self->count > TOLD_NAMES_MAX) {
        return FIRN_OK;
    }
    TRY(text_copy(self->scratch, self->last, &kept, err));
    nearest_offer(&self->near, kept);
    return FIRN_OK;
}

static firn_status read_names(sqlite_client *self, held_names *out, firn_error *err) {
    const char *sql = self->has_spaces
                          ? "SELECT catalog_name FROM iceberg_tables UNION "
                            "SELECT catalog_name FROM iceberg_namespace_properties ORDER BY 1"
                          : "SELECT DISTINCT catalog_name FROM iceberg_tables ORDER BY 1";
    sqlite3_stmt *statement;
    TRY(sqlite_client_prepare(self, sql, NULL, 0, &statement, err));
    bool has_row = false;
    firn_status status = sqlite_client_step(self, statement, &has_row, err);
    while (status == FIRN_OK && has_row) {
        const arena_mark mark = arena_mark_take(&self->memory);
        status = sqlite_client_read_text(self, statement, 0, &self->memory, &out->last, err);
        if (status != FIRN_OK) {
            break;
        }
        out->has_wanted = out->has_wanted || text_equal(out->last, out->wanted);
        if (out->count < TOLD_NAMES_MAX) {
            text_append_format(&out->told, "%s\"%.*s\"", out->count == 0 ? "" : ", ",
                               TEXT_ARGS(out->last));
        }
        out->count += 1;
        status = offer_name(out, err);
        status = status == FIRN_OK ? sqlite_client_step(self, statement, &has_row, err) : status;
        if (status == FIRN_OK && has_row) {
            arena_rewind(&self->memory, mark);
        }
    }
    (void)sqlite3_finalize(statement);
    return status;
}

// The name of the catalog: what is asked for, else the only name in the file, else the alias. Where
// there are others and not that one, it would be an empty catalog that nobody meant.
static firn_status choose_name(sqlite_client *self, text asked, firn_error *err) {
    arena scratch = arena_open(CLIENT_MEMORY_LIMIT);
    held_names held = {.wanted = asked.size > 0 ? asked : self->alias,
                       .scratch = &scratch,
                       .told = text_builder_open(&scratch)};
    held.near = nearest_to(held.wanted);
    firn_status status = read_names(self, &held, err);
    text told = {.size = 0};
    if (status == FIRN_OK) {
        status = text_builder_finish(&held.told, &told, err);
    }
    if (status == FIRN_OK && asked.size == 0 && held.count == 1) {
        self->name = held.last;
    } else if (status == FIRN_OK && held.count > 0 && !held.has_wanted) {
        status = FAIL(err, FIRN_NOT_FOUND,
                      "the catalog file \"%.*s\" holds %.*s%s and no catalog \"%.*s\"",
                      TEXT_ARGS(self->path), TEXT_ARGS(told),
                      held.count > TOLD_NAMES_MAX ? ", …" : "", TEXT_ARGS(held.wanted));
        if (!nearest_hint(&held.near, err)) {
            err_hint(err, "CATALOG_NAME says which one is meant");
        }
    } else if (status == FIRN_OK) {
        status = text_copy(&self->memory, held.wanted, &self->name, err);
    }
    arena_close(&scratch);
    return status;
}

// SQLite itself would only say "unable to open".
static firn_status look_at_file(const sqlite_client *self, bool is_read_only, bool *exists,
                                firn_error *err) {
    host_stat found;
    firn_status status = host_path_stat(self->path.data, &found, err);
    *exists = status == FIRN_OK;
    if (status == FIRN_NOT_FOUND && !is_read_only) { // A new catalog, if it has a place.
        const text folder = io_path_folder(self->path);
        char path[IO_LOCAL_PATH_MAX];
        firn_error of_folder = ERR_INIT;
        TRY(io_path_local(folder, path, err));
        if (host_path_stat(path, &found, &of_folder) == FIRN_OK && found.is_folder) {
            return err_forgive(err, status, FIRN_NOT_FOUND);
        }
        err_hint(err, "a new catalog file is made in a folder that exists, which \"%s\" does not",
                 path);
        return status;
    }
    TRY(status);
    return found.is_folder
               ? FAIL(err, FIRN_INVALID, "\"%.*s\" is a folder, a catalog file is needed",
                      TEXT_ARGS(self->path))
               : FIRN_OK;
}

static firn_status open_database(sqlite_client *self, const sqlite_options *options,
                                 firn_error *err) {
    TRY(text_copy(&self->memory, options->path, &self->path, err));
    TRY(text_copy(&self->memory, options->alias, &self->alias, err));
    if (self->path.size == 0 || memchr(self->path.data, '\0', self->path.size) != NULL) {
        return FAIL(err, FIRN_INVALID, "the path of the catalog file is empty or holds a NUL byte");
    }
    bool exists;
    TRY(look_at_file(self, options->is_read_only, &exists, err));
    const int how = options->is_read_only ? SQLITE_OPEN_READONLY
                    : exists              ? SQLITE_OPEN_READWRITE
                                          : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    const int code = sqlite3_open_v2(self->path.data, &self->database,
                                     how | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code != SQLITE_OK) {
        return sqlite_client_fail(self, code, err);
    }
    // A file of somebody else's: no function or trigger of its schema runs, and no extension is
    // loaded.
    (void)sqlite3_db_config(self->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(self->database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(self->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_busy_handler(self->database, on_busy, self);
    sqlite3_progress_handler(self->database, LOOK_INSTRUCTIONS, on_progress, self);
    bool is_used = true;
    if (!options->is_read_only) { // A new one, or one whose maker died before it had tables.
        TRY(has_row(self, "SELECT 1 FROM sqlite_master", &is_used, err));
    }
    if (!is_used) {
        TRY(sqlite_client_make_tables(self, err));
    }
    TRY(read_schema(self, err));
    return choose_name(self, options->catalog_name, err);
}

firn_status sqlite_client_open(const sqlite_options *options, sqlite_client **out,
                               firn_error *err) {
    *out = NULL;
    arena memory = arena_open(CLIENT_MEMORY_LIMIT);
    sqlite_client *self = ARENA_NEW(&memory, sqlite_client, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (sqlite_client){.memory = memory, .cancel = options->cancel};
    self->busy_timeout_ms =
        options->busy_timeout_ms == 0 ? BUSY_TIMEOUT_MS : options->busy_timeout_ms;
    const firn_status status = open_database(self, options, err);
    self->cancel = NULL; // Of the caller's statement: it ends before the client.
    if (status != FIRN_OK) {
        sqlite_client_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

void sqlite_client_close(sqlite_client *self) {
    if (self != NULL) {
        (void)sqlite3_close(self->database); // NULL does nothing.
        arena memory = self->memory;
        arena_close(&memory);
    }
}

text sqlite_client_name(const sqlite_client *self) {
    return self->name;
}

// ---- Namespaces --------------------------------------------------------------------------------

// A level with a dot in it would be read as two.
firn_status sqlite_client_join(namespace_path space, arena *memory, text *out, firn_error *err) {
    text_builder joined = text_builder_open(memory);
    for (uint32_t i = 0; i < space.count; i++) {
        const text level = space.items[i];
        if (level.size == 0 || text_find(level, TEXT(".")) < level.size) {
            return FAIL(err, FIRN_INVALID,
                        "level \"%.*s\" of a namespace is empty or holds a dot, which a SQLite "
                        "catalog cannot tell from two levels",
                        TEXT_ARGS(level));
        }
        text_append(&joined, i > 0 ? TEXT(".") : TEXT(""));
        text_append(&joined, level);
    }
    return text_builder_finish(&joined, out, err);
}

static firn_status split_levels(text joined, arena *memory, namespace_path *out, firn_error *err) {
    uint32_t count = 1;
    for (size_t i = 0; i < joined.size; i++) {
        count += joined.data[i] == '.' ? 1 : 0;
    }
    out->items = ARENA_NEW(memory, text, count);
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->count = 0;
    for (text rest = joined; out->count < count;) {
        const size_t dot = text_find(rest, TEXT("."));
        out->items[out->count++] = text_slice(rest, 0, dot);
        rest = text_slice(rest, dot < rest.size ? dot + 1 : dot, rest.size);
    }
    return FIRN_OK;
}

// All namespaces with something in them that are `prefix` or begin with "prefix.", in bytewise
// order; all of the catalog if the prefix is empty. Bounds are half open: '/' follows '.'.
static firn_status open_spaces(sqlite_client *self, text prefix, arena *memory, sqlite3_stmt **out,
                               firn_error *err) {
    text values[4] = {self->name, prefix};
    TRY(text_format(memory, &values[2], err, "%.*s.", TEXT_ARGS(prefix)));
    TRY(text_format(memory, &values[3], err, "%.*s/", TEXT_ARGS(prefix)));
    const char *in_tables =
        "SELECT table_namespace AS space FROM iceberg_tables WHERE catalog_name = ?1 AND "
        "(?2 = '' OR table_namespace = ?2 OR (table_namespace >= ?3 AND table_namespace < ?4))";
    const char *in_spaces =
        " UNION SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = ?1 AND "
        "(?2 = '' OR namespace = ?2 OR (namespace >= ?3 AND namespace < ?4))";
    text sql;
    TRY(text_format(memory, &sql, err, "SELECT DISTINCT space FROM (%s%s) ORDER BY space",
                    in_tables, self->has_spaces ? in_spaces : ""));
    return sqlite_client_prepare(self, sql.data, values, 4, out, err);
}

typedef struct child_list {
    text *items; // Whole namespaces.
    uint32_t count;
    uint32_t capacity;
} child_list;

static firn_status add_child(child_list *self, text child, arena *memory, firn_error *err) {
    if (self->count > 0 && text_equal(self->items[self->count - 1], child)) {
        return FIRN_OK; // The rows of one child mostly follow each other.
    }
    text *items = ARENA_GROW(memory, text, self->items, self->count, 1, &self->capacity);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    self->items = items;
    self->items[self->count++] = child;
    return FIRN_OK;
}

// As much of a namespace as SQL can name: up to a level that is empty ("a..b"), and nothing of what
// is not UTF-8. Rows that are damaged so must not hide the others.
static firn_status read_space(sqlite3_stmt *statement, arena *memory, text *out, firn_error *err) {
    const unsigned char *data = sqlite3_column_text(statement, 0);
    const int size = sqlite3_column_bytes(statement, 0);
    *out = (text){.size = 0};
    if (data == NULL || size <= 0 || !utf8_is_valid((bytes){.data = data, .size = (size_t)size})) {
        return FIRN_OK;
    }
    const text whole = {.data = (const char *)data, .size = (size_t)size};
    size_t end = 0; // Behind the levels so far.
    for (size_t from = 0; from < whole.size;) {
        const size_t level = text_find(text_slice(whole, from, whole.size), TEXT("."));
        if (level == 0) {
            break;
        }
        end = from + level;
        from = end + 1;
    }
    return text_copy(memory, text_slice(whole, 0, end), out, err);
}

static int compare_children(const void *left, const void *right) {
    return text_compare(*(const text *)left, *(const text *)right);
}

// Takes the children of `prefix` out of the rows: "a.b.c" and "a.b.d" are one child "a.b" of "a".
// Other rows may stand between them ("a.b", "a.b!x", "a.b.c"), hence the sorting.
static firn_status collect_children(sqlite_client *self, sqlite3_stmt *statement, text prefix,
                                    arena *memory, child_list *out, firn_error *err) {
    const size_t start = prefix.size == 0 ? 0 : prefix.size + 1;
    bool has_row_now;
    TRY(sqlite_client_step(self, statement, &has_row_now, err));
    while (has_row_now) {
        text space;
        TRY(read_space(statement, memory, &space, err));
        if (space.size > start) { // Else it is the parent itself.
            const text below = text_slice(space, start, space.size);
            const size_t size = start + text_find(below, TEXT("."));
            TRY(add_child(out, text_slice(space, 0, size), memory, err));
        }
        TRY(sqlite_client_step(self, statement, &has_row_now, err));
    }
    if (out->count > 0) {
        qsort(out->items, out->count, sizeof *out->items, compare_children);
    }
    return FIRN_OK;
}

static firn_status split_children(const child_list *children, arena *memory, namespace_path **out,
                                  uint32_t *count, firn_error *err) {
    *out = ARENA_NEW(memory, namespace_path, (size_t)children->count + 1);
    if (*out == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < children->count; i++) {
        if (i == 0 || !text_equal(children->items[i - 1], children->items[i])) {
            TRY(split_levels(children->items[i], memory, &(*out)[*count], err));
            *count += 1;
        }
    }
    return FIRN_OK;
}

firn_status sqlite_client_namespaces(sqlite_client *self, namespace_path parent, arena *memory,
                                     namespace_path **out, uint32_t *count,
                                     const cancel_flag *cancel, firn_error *err) {
    *out = NULL;
    *count = 0;
    self->cancel = cancel;
    TRY(cancel_check(cancel, err));
    text prefix;
    sqlite3_stmt *statement;
    TRY(sqlite_client_join(parent, memory, &prefix, err));
    TRY(open_spaces(self, prefix, memory, &statement, err));
    child_list children = {.count = 0};
    const firn_status status = collect_children(self, statement, prefix, memory, &children, err);
    (void)sqlite3_finalize(statement);
    TRY(status);
    return split_children(&children, memory, out, count, err);
}

firn_status sqlite_client_has_namespace(sqlite_client *self, namespace_path space, bool *out,
                                        const cancel_flag *cancel, firn_error *err) {
    *out = false;
    self->cancel = cancel;
    TRY(cancel_check(cancel, err));
    arena memory = arena_open(CALL_MEMORY_LIMIT);
    text joined;
    sqlite3_stmt *statement = NULL;
    firn_status status = sqlite_client_join(space, &memory, &joined, err);
    if (status == FIRN_OK && joined.size == 0) {
        status = FAIL(err, FIRN_INVALID, "a namespace without a level, at least one is needed");
    }
    if (status == FIRN_OK) {
        status = open_spaces(self, joined, &memory, &statement, err);
    }
    if (status == FIRN_OK) {
        status = sqlite_client_step(self, statement, out, err);
    }
    (void)sqlite3_finalize(statement);
    arena_close(&memory);
    return status;
}

firn_status sqlite_client_must_exist(sqlite_client *self, namespace_path space, text joined,
                                     const cancel_flag *cancel, firn_error *err) {
    bool exists;
    TRY(sqlite_client_has_namespace(self, space, &exists, cancel, err));
    if (!exists) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "3F000", NO_POSITION,
                        "there is no namespace \"%.*s\" in catalog \"%.*s\"", TEXT_ARGS(joined),
                        TEXT_ARGS(self->alias));
    }
    return FIRN_OK;
}

static firn_status collect_properties(sqlite_client *self, sqlite3_stmt *statement, arena *memory,
                                      catalog_properties *out, firn_error *err) {
    uint32_t capacity = 0;
    for (;;) {
        bool has_row_now;
        TRY(sqlite_client_step(self, statement, &has_row_now, err));
        if (!has_row_now) {
            return FIRN_OK;
        }
        catalog_property *items =
            ARENA_GROW(memory, catalog_property, out->items, out->count, 1, &capacity);
        if (items == NULL) {
            return ARENA_FULL(memory, err);
        }
        out->items = items;
        catalog_property *property = &out->items[out->count];
        TRY(sqlite_client_read_text(self, statement, 0, memory, &property->key, err));
        TRY(sqlite_client_read_text(self, statement, 1, memory, &property->value, err));
        out->count += 1;
    }
}

firn_status sqlite_client_namespace_properties(sqlite_client *self, namespace_path space,
                                               arena *memory, catalog_properties *out,
                                               const cancel_flag *cancel, firn_error *err) {
    *out = (catalog_properties){.count = 0};
    text values[2] = {self->name};
    TRY(sqlite_client_join(space, memory, &values[1], err));
    TRY(sqlite_client_must_exist(self, space, values[1], cancel, err));
    if (!self->has_spaces) {
        return FIRN_OK;
    }
    sqlite3_stmt *statement;
    TRY(sqlite_client_prepare(
        self,
        "SELECT property_key, property_value FROM iceberg_namespace_properties WHERE "
        "catalog_name = ?1 AND namespace = ?2 AND property_key <> 'exists' "
        "ORDER BY property_key",
        values, 2, &statement, err));
    const firn_status status = collect_properties(self, statement, memory, out, err);
    (void)sqlite3_finalize(statement);
    return status;
}

// ---- Tables and views --------------------------------------------------------------------------

static bool is_view_word(text kind) {
    return text_equal(kind, TEXT("VIEW"));
}

static firn_status collect_entries(sqlite_client *self, sqlite3_stmt *statement, arena *memory,
                                   catalog_entry_list *out, firn_error *err) {
    uint32_t capacity = 0;
    for (;;) {
        bool has_row_now;
        TRY(sqlite_client_step(self, statement, &has_row_now, err));
        if (!has_row_now) {
            return FIRN_OK;
        }
        catalog_entry *items =
            ARENA_GROW(memory, catalog_entry, out->items, out->count, 1, &capacity);
        if (items == NULL) {
            return ARENA_FULL(memory, err);
        }
        out->items = items;
        text kind;
        catalog_entry *entry = &out->items[out->count];
        *entry = (catalog_entry){.kind = ENTRY_TABLE};
        TRY(sqlite_client_read_text(self, statement, 0, memory, &entry->name, err));
        TRY(sqlite_client_read_text(self, statement, 1, memory, &kind, err));
        entry->kind = is_view_word(kind) ? ENTRY_VIEW : ENTRY_TABLE;
        out->count += 1;
    }
}

firn_status sqlite_client_list(sqlite_client *self, namespace_path space, arena *memory,
                               catalog_entry_list *out, const cancel_flag *cancel,
                               firn_error *err) {
    *out = (catalog_entry_list){.count = 0};
    text values[2] = {self->name};
    TRY(sqlite_client_join(space, memory, &values[1], err));
    TRY(sqlite_client_must_exist(self, space, values[1], cancel, err));
    const char *sql =
        self->has_kinds
            ? "SELECT table_name, iceberg_type FROM iceberg_tables WHERE catalog_name = ?1 AND "
              "table_namespace = ?2 ORDER BY iceberg_type IS 'VIEW', table_name"
            : "SELECT table_name, NULL FROM iceberg_tables WHERE catalog_name = ?1 AND "
              "table_namespace = ?2 ORDER BY table_name";
    sqlite3_stmt *statement;
    TRY(sqlite_client_prepare(self, sql, values, 2, &statement, err));
    const firn_status status = collect_entries(self, statement, memory, out, err);
    (void)sqlite3_finalize(statement);
    return status;
}

static firn_status read_loaded(sqlite_client *self, sqlite3_stmt *statement, const text *values,
                               arena *memory, loaded_table *out, firn_error *err) {
    bool has_row_now;
    TRY(sqlite_client_step(self, statement, &has_row_now, err));
    if (!has_row_now) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "42P01", NO_POSITION,
                        "there is no table \"%.*s%s%.*s\" in catalog \"%.*s\"",
                        TEXT_ARGS(values[1]), values[1].size > 0 ? "." : "", TEXT_ARGS(values[2]),
                        TEXT_ARGS(self->alias));
    }
    text kind;
    TRY(sqlite_client_read_text(self, statement, 0, memory, &out->metadata_location, err));
    TRY(sqlite_client_read_text(self, statement, 1, memory, &out->previous_location, err));
    TRY(sqlite_client_read_text(self, statement, 2, memory, &kind, err));
    out->is_view = is_view_word(kind);
    if (out->metadata_location.size == 0) {
        return FAIL(err, FIRN_CORRUPT,
                    "table \"%.*s.%.*s\" of catalog \"%.*s\" has no metadata location",
                    TEXT_ARGS(values[1]), TEXT_ARGS(values[2]), TEXT_ARGS(self->alias));
    }
    return FIRN_OK;
}

firn_status sqlite_client_load(sqlite_client *self, namespace_path space, text name, arena *memory,
                               loaded_table *out, const cancel_flag *cancel, firn_error *err) {
    *out = (loaded_table){.is_view = false};
    self->cancel = cancel;
    TRY(cancel_check(cancel, err));
    text values[3] = {self->name, {.size = 0}, name};
    TRY(sqlite_client_join(space, memory, &values[1], err));
    const char *sql = self->has_kinds
                          ? "SELECT metadata_location, previous_metadata_location, iceberg_type "
                            "FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 "
                            "AND table_name = ?3"
                          : "SELECT metadata_location, previous_metadata_location, NULL "
                            "FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 "
                            "AND table_name = ?3";
    sqlite3_stmt *statement;
    TRY(sqlite_client_prepare(self, sql, values, 3, &statement, err));
    const firn_status status = read_loaded(self, statement, values, memory, out, err);
    (void)sqlite3_finalize(statement);
    return status;
}
