#include "tables/files/table_refs.h"

#include "memory/json_tree.h"
#include "tables/iceberg/iceberg_snapshot.h"

// ---- Parquet -----------------------------------------------------------------------------------

firn_status parquet_ref_options(const io_paths *patterns, const parquet_files_options *options,
                                arena *memory, text *out, firn_error *err) {
    text_builder builder = text_builder_open(memory);
    json_writer json = json_writer_into(&builder, 0);
    json_begin_object(&json);
    json_write_key(&json, TEXT("paths"));
    json_begin_array(&json);
    for (uint32_t i = 0; i < patterns->count; i++) {
        json_write_text(&json, patterns->items[i]);
    }
    json_end_array(&json);
    if (options->hive != HIVE_AUTO) {
        json_write_key(&json, TEXT("hive_partitioning"));
        json_write_bool(&json, options->hive == HIVE_ON);
    }
#define X(name, member)                                                                            \
    if (options->member) {                                                                         \
        json_write_key(&json, TEXT(#name));                                                        \
        json_write_bool(&json, true);                                                              \
    }
    PARQUET_FLAG_LIST(X)
#undef X
    json_end_object(&json);
    json_writer_finish(&json);
    return text_builder_finish(&builder, out, err);
}

// All paths of the patterns, one behind the other.
static firn_status match(const json_node *patterns, const file_env *env, arena *memory,
                         parquet_files_paths *out, firn_error *err) {
    text *written = ARENA_NEW(memory, text, (size_t)patterns->count + 1);
    if (written == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = (parquet_files_paths){.patterns = {.items = written}};
    for (const json_node *each = patterns->first; each != NULL; each = each->next) {
        text *pattern = &written[out->patterns.count++];
        TRY(json_as_text(each, pattern, err));
        io_paths found;
        TRY(io_glob(env->io, *pattern, env->cancel, memory, &found, err));
        text *all = ARENA_NEW(memory, text, (size_t)out->files.count + found.count + 1);
        if (all == NULL) {
            return ARENA_FULL(memory, err);
        }
        if (out->files.count > 0) {
            memcpy(all, out->files.items, out->files.count * sizeof *all);
        }
        if (found.count > 0) {
            memcpy(all + out->files.count, found.items, found.count * sizeof *all);
        }
        out->files = (io_paths){.count = out->files.count + found.count, .items = all};
    }
    return FIRN_OK;
}

static firn_status open_parquet(const table_ref *ref, const json_node *json, const file_env *env,
                                arena *memory, table_snapshot **out, firn_error *err) {
    parquet_files_options options = {.hive = HIVE_AUTO};
    const json_node *patterns = NULL;
    parquet_files_paths paths;
    TRY(json_get_array(json, "paths", &patterns, err));
    TRY(match(patterns, env, memory, &paths, err));
    if (paths.files.count == 0) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "58P01", NO_POSITION, "no file matches \"%.*s\"",
                        TEXT_ARGS(ref->name));
    }
    if (json_find(json, "hive_partitioning") != NULL) {
        bool is_on;
        TRY(json_get_bool(json, "hive_partitioning", &is_on, err));
        options.hive = is_on ? HIVE_ON : HIVE_OFF;
    }
#define X(name, member) TRY(json_want_bool(json, #name, &options.member, err));
    PARQUET_FLAG_LIST(X)
#undef X
    return parquet_files_open(&paths, ref->name, &options, env, out, err);
}

// ---- Iceberg -----------------------------------------------------------------------------------

static bool is_wanted(const table_ref *ref, const table_snapshot *found) {
    return found->ref.snapshot_id == ref->snapshot_id && found->ref.schema_id == ref->schema_id;
}

// The metadata file is pinned: what is current in it is what was current, unless the ref is of
// another snapshot or another state of the schema.
static firn_status open_iceberg(const table_ref *ref, const json_node *json, const file_env *env,
                                table_snapshot **out, firn_error *err) {
    table_version version = {.kind = VERSION_CURRENT, .number = ref->snapshot_id};
    ice_open what = {
        .pool = env->pool, .catalog = ref->catalog, .name = ref->name, .version = &version};
    TRY(json_get_text(json, "metadata", &what.location, err));
    if (json_find(json, "from-snapshot-id") != NULL) {
        TRY(json_get_i64(json, "from-snapshot-id", &version.from_snapshot_id, err));
        version.is_incremental = true;
        version.to_snapshot_id = ref->snapshot_id;
        return ice_table_open(env->io, &what, env->cancel, out, err);
    }
    TRY(ice_table_open(env->io, &what, env->cancel, out, err));
    if (is_wanted(ref, *out)) {
        return FIRN_OK;
    }
    table_snapshot_release(*out);
    *out = NULL;
    version.kind = VERSION_SNAPSHOT;
    TRY(ice_table_open(env->io, &what, env->cancel, out, err));
    if (is_wanted(ref, *out)) {
        return FIRN_OK;
    }
    table_snapshot_release(*out);
    *out = NULL;
    return FAIL(err, FIRN_NOT_FOUND, "\"%.*s\" has no snapshot %lld with the schema %d",
                TEXT_ARGS(ref->name), (long long)ref->snapshot_id, ref->schema_id);
}

firn_status table_ref_open(const table_ref *ref, const file_env *env, arena *memory,
                           table_snapshot **out, firn_error *err) {
    *out = NULL;
    if (ref->local != 0) {
        return FAIL(err, FIRN_UNSUPPORTED,
                    "the table \"%.*s\" belongs to a session, which alone can open it",
                    TEXT_ARGS(ref->name));
    }
    const bool is_parquet = text_equal(ref->kind, TEXT("parquet"));
    if (!is_parquet && !text_equal(ref->kind, TEXT("iceberg"))) {
        return FAIL(err, FIRN_UNSUPPORTED, "a plan with a table of the unknown kind \"%.*s\"",
                    TEXT_ARGS(ref->kind));
    }
    const json_node *json;
    const bytes options = {.data = (const uint8_t *)ref->options.data, .size = ref->options.size};
    TRY(json_tree_read(memory, options, &json, err));
    return is_parquet ? open_parquet(ref, json, env, memory, out, err)
                      : open_iceberg(ref, json, env, out, err);
}
