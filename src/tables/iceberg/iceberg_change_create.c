// All of a new table, or of one in the place of another, as updates of its metadata.
#include "tables/iceberg/iceberg_change_private.h"
#include "tables/iceberg/iceberg_columns.h"

#define VERSION_DEFAULT 2

// What Java keeps for itself: facts about a table that look like properties.
static bool is_reserved(text key) {
    static const char *const keys[] = {
        "uuid",     "snapshot-count",           "current-schema", "current-snapshot-id",
        "location", "current-snapshot-summary", "format",         "current-snapshot-timestamp-ms",
        "provider", "default-partition-spec",   "sort-order",     "default-sort-order",
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (text_equal(key, text_of(keys[i]))) {
            return true;
        }
    }
    return false;
}

firn_status ice_property_check(text key, text value, firn_error *err) {
    int64_t number;
    if (is_reserved(key)) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                        "the property \"%.*s\" is reserved", TEXT_ARGS(key));
    }
    if (text_equal(key, TEXT(ICE_FORMAT_VERSION))) {
        if (number_parse_i64(value, &number) != NUMBER_OK || number < 1) {
            return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                            "\"format-version\" is \"%.*s\", 1 or 2 is allowed", TEXT_ARGS(value));
        }
        if (number > 2) {
            return FAIL(err, FIRN_UNSUPPORTED, "tables of version %lld are not written, at most 2",
                        (long long)number);
        }
    }
    return FIRN_OK;
}

typedef struct wanted_table {
    int32_t version;
    size_t property_count;
    const firn_option *properties; ///< Those that the table keeps.
} wanted_table;

static firn_status take_properties(const table_definition *wanted, arena *memory, wanted_table *out,
                                   firn_error *err) {
    firn_option *kept = ARENA_NEW(memory, firn_option, wanted->property_count + 2);
    if (kept == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (size_t i = 0; i < wanted->property_count; i++) {
        const firn_option *each = &wanted->properties[i];
        TRY(ice_property_check(text_of(each->key), text_of(each->value), err));
        int64_t version;
        if (text_equal(text_of(each->key), TEXT(ICE_FORMAT_VERSION))) {
            (void)number_parse_i64(text_of(each->value), &version); // It was checked.
            out->version = (int32_t)version;
        } else {
            kept[out->property_count++] = *each;
        }
    }
    if (wanted->comment.size > 0) {
        text comment;
        TRY(text_copy(memory, wanted->comment, &comment, err));
        kept[out->property_count++] = (firn_option){.key = "comment", .value = comment.data};
    }
    out->properties = kept;
    return FIRN_OK;
}

// The fields that a replaced table of version 1 keeps, since its partition values go by position:
// void, until one of the new ones is the same.
static firn_status keep_fields(const ice_spec *before, const schema *columns, arena *memory,
                               ice_partition_field *fields, firn_error *err) {
    for (uint32_t i = 0; i < before->count; i++) {
        fields[i] = before->fields[i];
        fields[i].transform = (ice_transform){.kind = ICE_VOID, .width = 1};
        const field *called =
            ice_column_find(columns, (text_list){.count = 1, .items = &fields[i].name});
        if (called != NULL && called->id != before->fields[i].source_id) {
            TRY(ice_partition_give_name(1, &fields[i], before->fields[i].name, memory, err));
        }
    }
    return FIRN_OK;
}

static firn_status make_spec(const ice_play *play, int32_t version, const table_definition *wanted,
                             const schema *columns, arena *memory, ice_spec *out, firn_error *err) {
    static const ice_spec none = {.count = 0};
    const ice_metadata *metadata = &play->metadata;
    const bool is_kept = play->root != NULL && version == 1;
    const ice_spec *before =
        is_kept ? ice_metadata_spec(metadata, metadata->default_spec_id) : &none;
    const size_t room = (size_t)before->count + wanted->partition_count + 1;
    ice_partition_field *fields = ARENA_NEW(memory, ice_partition_field, room);
    int32_t last;
    if (fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = (ice_spec){.id = 0, .count = before->count, .fields = fields};
    TRY(keep_fields(before, columns, memory, fields, err));
    TRY(ice_partition_last_id(metadata, play->root, &last, err));
    for (uint32_t i = 0; i < wanted->partition_count; i++) {
        ice_partition_field *made = &fields[out->count];
        TRY(ice_partition_make(columns, &wanted->partitions[i], false, memory, made, err));
        TRY(ice_partition_give_name(before->count, fields, made->name, memory, err));
        TRY(ice_partition_check(columns, out, made, err));
        uint32_t at = 0;
        while (at < before->count && !ice_partition_equal(&before->fields[at], made)) {
            at++;
        }
        if (at < before->count) {
            made->field_id = fields[at].field_id;
            fields[at] = *made;
            continue;
        }
        TRY(ice_partition_number(metadata, made, &last, err));
        out->count++;
    }
    return FIRN_OK;
}

static firn_status check_defaults(const table_definition *wanted, int32_t version,
                                  firn_error *err) {
    for (uint32_t i = 0; wanted->notes != NULL && i < wanted->columns.count; i++) {
        if (wanted->notes[i].default_value.size > 0) {
            return FAIL(err, FIRN_UNSUPPORTED, "columns of tables of version %d have no defaults",
                        version);
        }
    }
    return FIRN_OK;
}

firn_status ice_play_create(const ice_play *play, const table_definition *wanted, arena *memory,
                            ice_updates *updates, firn_error *err) {
    const bool is_new = play->root == NULL;
    wanted_table table = {.version = is_new ? VERSION_DEFAULT : play->metadata.format_version};
    ice_schema columns = {.id = 0, .notes = wanted->notes};
    ice_spec spec;
    ice_order order;
    int32_t last = 0;
    char uuid[ICE_UUID_SIZE + 1];
    TRY(take_properties(wanted, memory, &table, err));
    TRY(check_defaults(wanted, table.version, err));
    TRY(is_new ? FIRN_OK : json_want_i32(play->root, "last-column-id", &last, err));
    // As Java does, what is called alike stays the same column: branches and tags have its values.
    const ice_schema *before =
        is_new ? NULL : ice_metadata_schema(&play->metadata, play->metadata.current_schema_id);
    TRY(ice_schema_assign(&wanted->columns, before == NULL ? NULL : &before->columns, table.version,
                          memory, &last, &columns.columns, err));
    TRY(ice_columns_check(&columns.columns, err));
    TRY(make_spec(play, table.version, wanted, &columns.columns, memory, &spec, err));
    TRY(ice_order_make(&columns.columns, wanted->order_count, wanted->order, memory, &order, err));
    if (is_new) {
        text copy;
        TRY(ice_uuid_make(uuid, err));
        TRY(text_copy(memory, text_of(uuid), &copy, err));
        if (wanted->location.size == 0) {
            return FAIL(err, FIRN_INVALID, "a new table needs a location");
        }
        ice_update_assign_uuid(updates, copy);
    }
    ice_update_upgrade(updates, table.version);
    ice_update_add_schema(updates, &columns, last);
    ice_update_set_current_schema(updates, -1);
    ice_update_add_spec(updates, &spec, memory);
    ice_update_set_default_spec(updates, -1);
    ice_update_add_order(updates, &order, memory);
    ice_update_set_default_order(updates, -1);
    if (!is_new) {
        ice_update_remove_ref(updates, ICE_MAIN);
    }
    if (wanted->location.size > 0) {
        ice_update_set_location(updates, wanted->location);
    }
    ice_update_set_properties(updates, table.property_count, table.properties);
    return FIRN_OK;
}
