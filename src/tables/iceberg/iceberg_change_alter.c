// ALTER TABLE and the procedures that change metadata.
#include "tables/iceberg/iceberg_change_alter.h"
#include "tables/iceberg/iceberg_columns.h"

static firn_status upgrade(const ice_play *play, text value, ice_updates *updates,
                           firn_error *err) {
    int64_t version = 0;
    TRY(ice_property_check(TEXT(ICE_FORMAT_VERSION), value, err));
    (void)number_parse_i64(value, &version); // It was checked.
    if (version < play->metadata.format_version) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                        "a table of version %d cannot become one of version %lld",
                        play->metadata.format_version, (long long)version);
    }
    if (version > play->metadata.format_version) {
        ice_update_upgrade(updates, (int32_t)version);
    }
    return FIRN_OK;
}

static firn_status set_property(ice_play *play, const alteration *wanted, ice_updates *updates,
                                firn_error *err) {
    const firn_option option = {.key = wanted->name.data, .value = wanted->comment.data};
    if (text_equal(wanted->name, TEXT(ICE_FORMAT_VERSION))) {
        return upgrade(play, wanted->comment, updates, err);
    }
    TRY(ice_property_check(wanted->name, wanted->comment, err));
    if (strlen(option.key) != wanted->name.size || strlen(option.value) != wanted->comment.size) {
        return FAIL_SQL(err, FIRN_INVALID, "22021", NO_POSITION, "a property holds a zero byte");
    }
    ice_update_set_properties(updates, 1, &option); // Copies end in a NUL.
    return FIRN_OK;
}

static firn_status unset_property(const alteration *wanted, ice_updates *updates, firn_error *err) {
    TRY(ice_property_check(wanted->name, TEXT("1"), err));
    ice_update_remove_properties(updates, 1, &wanted->name);
    return FIRN_OK;
}

static firn_status write_order(ice_play *play, const alteration *wanted, ice_updates *updates,
                               firn_error *err) {
    const ice_metadata *metadata = &play->metadata;
    const ice_schema *now = ice_metadata_schema(metadata, metadata->current_schema_id);
    ice_order order;
    TRY(ice_order_make(&now->columns, wanted->order_count, wanted->order, &play->memory, &order,
                       err));
    ice_update_add_order(updates, &order, &play->memory);
    ice_update_set_default_order(updates, -1);
    return FIRN_OK;
}

// CREATE BRANCH where there was no snapshot that it could begin at when the statement ran.
static bool is_first_branch(const ice_play *play, const alteration *wanted) {
    bool is_tag;
    return !wanted->is_tag && wanted->snapshot_id < 0 && wanted->only_if != REF_EXISTING &&
           ice_play_ref(&play->metadata, wanted->name, &is_tag) == ICE_NO_SNAPSHOT;
}

firn_status ice_play_alter(ice_table_change *self, ice_play *play, const ice_step *step,
                           ice_played *out, ice_updates *updates, firn_error *err) {
    const alteration *wanted = step->alteration;
    switch (wanted->kind) {
    case ALTER_ADD_COLUMN:
    case ALTER_DROP_COLUMN:
    case ALTER_RENAME_COLUMN:
    case ALTER_COLUMN_TYPE:
    case ALTER_COLUMN_NULLABLE:
    case ALTER_COLUMN_DEFAULT:
    case ALTER_COLUMN_COMMENT:
    case ALTER_COLUMN_PLACE:
        return ice_alter_schema(self, play, wanted, updates, err);
    case ALTER_ADD_PARTITION:
    case ALTER_DROP_PARTITION:
    case ALTER_REPLACE_PARTITION:
        return ice_alter_spec(play, wanted, updates, err);
    case ALTER_WRITE_ORDER:
        return write_order(play, wanted, updates, err);
    case ALTER_SET_PROPERTY:
        return set_property(play, wanted, updates, err);
    case ALTER_UNSET_PROPERTY:
        return unset_property(wanted, updates, err);
    case ALTER_SET_LOCATION:
        ice_update_set_location(updates, wanted->name);
        return FIRN_OK;
    case ALTER_CHERRYPICK:
        return ice_alter_pick(self, play, step, out, updates, err);
    case ALTER_SET_REF:
        if (is_first_branch(play, wanted)) {
            return ice_alter_first_branch(self, play, step, out, updates, err);
        }
        return ice_alter_ref(self, play, wanted, updates, err);
    case ALTER_DROP_REF:
    case ALTER_ROLLBACK:
    case ALTER_FAST_FORWARD:
    case ALTER_EXPIRE:
        return ice_alter_ref(self, play, wanted, updates, err);
    case ALTER_UPGRADE:
        break;
    }
    return upgrade(play, wanted->name, updates, err);
}
