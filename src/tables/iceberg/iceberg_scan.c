#include "tables/iceberg/iceberg_scan.h"

#include "memory/text_builder.h"
#include "tables/iceberg/hadoop_version.h"
#include "tables/iceberg/iceberg_value.h"
#include "tables/table_functions.h"

typedef struct scan_options {
    text path;
    bool has_path;
    bool has_version; // Of the three ways to name one.
    bool has_from;
    bool has_to;
    table_version version;
} scan_options;

static firn_status fail_value(const table_argument *arg, const char *wanted, firn_error *err) {
    return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                    "argument \"%.*s\" of iceberg_scan is not %s", TEXT_ARGS(arg->name), wanted);
}

static firn_status take_number(const table_argument *arg, int64_t *out, firn_error *err) {
    if (arg->value.is_null || type_category_of(arg->type) != CATEGORY_INTEGER ||
        !physical_is_integer(type_physical(arg->type))) {
        return fail_value(arg, "a snapshot id", err);
    }
    *out = column_lane_integer(arg->value.value, 0);
    const bool is_whole = type_physical(arg->type) != PHYSICAL_U64 || *out >= 0;
    return is_whole ? FIRN_OK : fail_value(arg, "a snapshot id", err);
}

static firn_status take_text(const table_argument *arg, text *out, firn_error *err) {
    if (arg->value.is_null || type_category_of(arg->type) != CATEGORY_TEXT) {
        return fail_value(arg, "a text", err);
    }
    *out = string_text(&COLUMN_VALUES(arg->value.value, string_value)[0]);
    return FIRN_OK;
}

// Microseconds of an instant; the binder has made one of whatever was written.
static firn_status take_time(const table_argument *arg, int64_t *out, firn_error *err) {
    if (arg->value.is_null || arg->type->id != TYPE_TIMESTAMPTZ || arg->type->unit != UNIT_MICRO) {
        return fail_value(arg, "a timestamp", err);
    }
    *out = COLUMN_VALUES(arg->value.value, int64_t)[0];
    return FIRN_OK;
}

static firn_status set_version(scan_options *self, int kind, firn_error *err) {
    if (self->has_version) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                        "iceberg_scan takes one of snapshot_id, ref and timestamp");
    }
    self->has_version = true;
    self->version.kind = kind == VERSION_SNAPSHOT ? VERSION_SNAPSHOT
                         : kind == VERSION_REF    ? VERSION_REF
                                                  : VERSION_TIMESTAMP;
    return FIRN_OK;
}

static firn_status take_named(scan_options *self, const table_argument *arg, firn_error *err) {
    if (text_equal_nocase(arg->name, TEXT("snapshot_id"))) {
        TRY(set_version(self, VERSION_SNAPSHOT, err));
        return take_number(arg, &self->version.number, err);
    }
    if (text_equal_nocase(arg->name, TEXT("ref"))) {
        TRY(set_version(self, VERSION_REF, err));
        return take_text(arg, &self->version.ref, err);
    }
    if (text_equal_nocase(arg->name, TEXT("timestamp"))) {
        TRY(set_version(self, VERSION_TIMESTAMP, err));
        return take_time(arg, &self->version.number, err);
    }
    if (text_equal_nocase(arg->name, TEXT("from_snapshot_id"))) {
        self->has_from = true;
        return take_number(arg, &self->version.from_snapshot_id, err);
    }
    if (text_equal_nocase(arg->name, TEXT("to_snapshot_id"))) {
        self->has_to = true;
        return take_number(arg, &self->version.to_snapshot_id, err);
    }
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "42883", NO_POSITION,
                                  "iceberg_scan has no argument \"%.*s\"", TEXT_ARGS(arg->name));
    table_option_hint("iceberg_scan", arg->name, err);
    return status;
}

static firn_status take_arguments(scan_options *self, table_arguments args, firn_error *err) {
    for (uint32_t i = 0; i < args.count; i++) {
        if (args.items[i].name.size > 0) {
            TRY(at_argument(&args.items[i], take_named(self, &args.items[i], err), err));
            continue;
        }
        if (self->has_path || args.items[i].value.is_null ||
            type_category_of(args.items[i].type) != CATEGORY_TEXT) {
            return FAIL_SQL(err, FIRN_INVALID, "42883", args.items[i].position,
                            "iceberg_scan takes one path and named arguments");
        }
        self->has_path = true;
        TRY(take_text(&args.items[i], &self->path, err));
    }
    if (!self->has_path || self->path.size == 0) {
        return FAIL_SQL(err, FIRN_INVALID, "42883", NO_POSITION, "iceberg_scan needs a path");
    }
    if ((self->has_from || self->has_to) && (self->has_version || !self->has_from)) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                        "to_snapshot_id needs from_snapshot_id, and both exclude snapshot_id, ref "
                        "and timestamp");
    }
    self->version.is_incremental = self->has_from;
    if (!self->has_to) {
        self->version.to_snapshot_id = -1; // The current one.
    }
    return FIRN_OK;
}

// A metadata file by its name, else a folder.
static bool is_metadata_file(text path) {
    return text_ends_with(path, TEXT(".metadata.json")) ||
           text_ends_with(path, TEXT(".metadata.json.gz")) || text_ends_with(path, TEXT(".json"));
}

firn_status ice_scan_open(table_arguments args, const file_env *env, arena *memory,
                          table_snapshot **out, firn_error *err) {
    scan_options options = {.has_path = false};
    TRY(take_arguments(&options, args, err));
    text location = options.path;
    if (!is_metadata_file(location)) {
        TRY(hadoop_current_metadata(env->io, location, env->cancel, memory, &location, err));
    }
    const ice_open what = {
        .pool = env->pool, .location = location, .name = options.path, .version = &options.version};
    return ice_table_open(env->io, &what, env->cancel, out, err);
}
