#include "tables/files/file_tables.h"

#include "base/host.h"
#include "io/io_path.h"
#include "tables/files/parquet_files.h"
#include "tables/iceberg/iceberg_scan.h"
#include "tables/table_functions.h"

#define NAME_SHOWN_MAX 2048

static firn_status read_bool(const table_argument *arg, bool *out, firn_error *err) {
    if (arg->type->id != TYPE_BOOLEAN || arg->value.is_null) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION, "%.*s takes true or false",
                        TEXT_ARGS(arg->name));
    }
    *out = bitmap_get(arg->value.value->values, 0);
    return FIRN_OK;
}

static firn_status read_hive(const table_argument *arg, hive_mode *out, firn_error *err) {
    if (arg->type->id == TYPE_VARCHAR && !arg->value.is_null &&
        text_equal_nocase(string_text(COLUMN_VALUES(arg->value.value, string_value)),
                          TEXT("auto"))) {
        *out = HIVE_AUTO;
        return FIRN_OK;
    }
    bool is_on;
    TRY(read_bool(arg, &is_on, err));
    *out = is_on ? HIVE_ON : HIVE_OFF;
    return FIRN_OK;
}

static firn_status check_once(table_arguments args, uint32_t index, firn_error *err) {
    const table_argument *arg = &args.items[index];
    for (uint32_t i = 0; i < index; i++) {
        if (text_equal_nocase(args.items[i].name, arg->name)) {
            return FAIL_SQL(err, FIRN_INVALID, "22023", arg->position,
                            "the argument \"%.*s\" is given twice", TEXT_ARGS(arg->name));
        }
    }
    return FIRN_OK;
}

static firn_status read_option(const table_argument *arg, parquet_files_options *out,
                               firn_error *err) {
    if (text_equal_nocase(arg->name, TEXT("hive_partitioning"))) {
        return read_hive(arg, &out->hive, err);
    }
#define X(word, member)                                                                            \
    if (text_equal_nocase(arg->name, TEXT(#word))) {                                               \
        return read_bool(arg, &out->member, err);                                                  \
    }
    PARQUET_FLAG_LIST(X)
#undef X
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "42883", NO_POSITION,
                                  "read_parquet has no option \"%.*s\"", TEXT_ARGS(arg->name));
    table_option_hint("read_parquet", arg->name, err);
    return status;
}

typedef struct path_list {
    arena *memory;
    parquet_files_paths paths;
} path_list;

static firn_status add_paths(path_list *self, io_paths *list, const io_paths *added,
                             firn_error *err) {
    text *items = ARENA_NEW(self->memory, text, (size_t)list->count + added->count);
    if (items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    if (list->count > 0) {
        memcpy(items, list->items, list->count * sizeof *items);
    }
    memcpy(items + list->count, added->items, added->count * sizeof *items);
    *list = (io_paths){.count = list->count + added->count, .items = items};
    return FIRN_OK;
}

static firn_status add_pattern(path_list *self, text pattern, const file_env *env,
                               firn_error *err) {
    io_paths found;
    TRY(io_glob(env->io, pattern, env->cancel, self->memory, &found, err));
    if (found.count == 0) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "58P01", NO_POSITION, "no file matches \"%.*s\"",
                        TEXT_ARGS(pattern));
    }
    TRY(add_paths(self, &self->paths.files, &found, err));
    return add_paths(self, &self->paths.patterns, &(io_paths){.count = 1, .items = &pattern}, err);
}

// 'pattern', or a list of them.
static firn_status read_paths(const table_argument *arg, path_list *out, const file_env *env,
                              firn_error *err) {
    const column *value = arg->value.value;
    if (!arg->value.is_null && arg->type->id == TYPE_VARCHAR) {
        return add_pattern(out, string_text(COLUMN_VALUES(value, string_value)), env, err);
    }
    const bool is_list = !arg->value.is_null && arg->type->id == TYPE_LIST;
    const list_value slice = is_list ? *COLUMN_VALUES(value, list_value) : (list_value){.size = 0};
    if (is_list && slice.size == 0) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                        "read_parquet takes at least one path, the list is empty");
    }
    if (!is_list || arg->type->children[0].type->id != TYPE_VARCHAR) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                        "read_parquet takes a path or a list of paths");
    }
    const column *paths = &value->children[0];
    for (uint32_t i = 0; i < slice.size; i++) {
        if (!column_is_valid(paths, slice.offset + i)) {
            return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                            "read_parquet takes a path or a list of paths, path %u is NULL", i + 1);
        }
        TRY(add_pattern(out, string_text(&COLUMN_VALUES(paths, string_value)[slice.offset + i]),
                        env, err));
    }
    return FIRN_OK;
}

static firn_status open_parquet(table_arguments args, const file_env *env, arena *memory,
                                table_snapshot **out, firn_error *err) {
    parquet_files_options options = {.hive = HIVE_AUTO};
    path_list paths = {.memory = memory};
    text name = TEXT("");
    for (uint32_t i = 0; i < args.count; i++) {
        const table_argument *arg = &args.items[i];
        if (arg->name.size > 0) {
            TRY(check_once(args, i, err));
            TRY(at_argument(arg, read_option(arg, &options, err), err));
            continue;
        }
        TRY(at_argument(arg, read_paths(arg, &paths, env, err), err));
        if (arg->type->id == TYPE_VARCHAR) {
            name = string_text(COLUMN_VALUES(arg->value.value, string_value));
        }
    }
    const io_paths *files = &paths.paths.files;
    bool is_named = files->count > 0;
    for (uint32_t i = 0; i < files->count; i++) {
        is_named &= files->items[i].size > 0;
    }
    if (!is_named) {
        return FAIL_SQL(err, FIRN_INVALID, "42883", NO_POSITION, "read_parquet needs a path");
    }
    char shown[NAME_SHOWN_MAX]; // Plans and errors show the name.
    name = io_path_shown(name.size > 0 ? name : files->items[0], shown, sizeof shown);
    return parquet_files_open(&paths.paths, name, &options, env, out, err);
}

// What is there under the name; false if nothing is, or if it is not of this machine.
static bool find_local(text path, host_stat *out) {
    char name[IO_LOCAL_PATH_MAX];
    firn_error ignored = ERR_INIT;
    return io_path_is_local(path) && io_path_local(path, name, &ignored) == FIRN_OK &&
           host_path_stat(name, out, &ignored) == FIRN_OK;
}

static firn_status no_file(text path, firn_error *err) {
    char buffer[NAME_SHOWN_MAX];
    const text shown = io_path_shown(path, buffer, sizeof buffer);
    if (path.size == 0) {
        return FAIL_SQL(err, FIRN_INVALID, "42P01", NO_POSITION, "the name of the file is empty");
    }
    char local[IO_LOCAL_PATH_MAX];
    if (io_path_is_local(path)) {
        TRY(io_path_local(path, local, err)); // What is no path is no folder either.
    }
    host_stat there = {.is_file = true};
    const bool is_there = find_local(path, &there);
    if (is_there && !there.is_file && !there.is_folder) {
        return FAIL(err, FIRN_IO, "\"%.*s\" is a pipe, socket or device, not a file",
                    TEXT_ARGS(shown));
    }
    (void)FAIL_SQL(err, FIRN_INVALID, "42P01", NO_POSITION,
                   there.is_folder ? "\"%.*s\" is a folder, a file is needed"
                                   : "\"%.*s\" is no file that can be read",
                   TEXT_ARGS(shown));
    const bool is_folder = text_ends_with(path, TEXT("/"));
    const text last = io_path_name(path);
    // What has no dot is meant as a folder, unless it is a file.
    if (there.is_folder || is_folder || (!is_there && text_find(last, TEXT(".")) == last.size)) {
        err_hint(err, "the files below a folder are '%.*s%s%s*.parquet'", TEXT_ARGS(shown),
                 is_folder ? "" : "/", text_equal(last, TEXT("**")) ? "" : "**/");
        return FIRN_INVALID;
    }
    err_hint(err, "files in FROM end in .parquet; read_parquet takes files of any name, and "
                  "patterns such as 'folder/*.parquet'");
    return FIRN_INVALID;
}

firn_status file_table_open(text function, table_arguments args, const file_env *env, arena *memory,
                            bool *found, table_snapshot **out, firn_error *err) {
    if (text_equal_nocase(function, TEXT("iceberg_scan"))) {
        *found = true;
        return ice_scan_open(args, env, memory, out, err);
    }
    bool is_parquet = text_equal_nocase(function, TEXT("read_parquet")) ||
                      text_equal_nocase(function, TEXT("parquet_scan"));
    if (function.size == 0) {
        const text path =
            io_path_object(string_text(COLUMN_VALUES(args.items[0].value.value, string_value)));
        is_parquet = text_ends_with_nocase(path, TEXT(".parquet")) ||
                     text_ends_with_nocase(path, TEXT(".parq"));
        if (!is_parquet) {
            return no_file(path, err);
        }
    }
    *found = is_parquet;
    return is_parquet ? open_parquet(args, env, memory, out, err) : FIRN_OK;
}
