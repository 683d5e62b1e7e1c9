// Alterations of branches and tags, and of which snapshots there are.
#include "tables/iceberg/iceberg_change_alter.h"
#include "tables/iceberg/iceberg_change_rows.h"

static firn_status get_snapshot(const ice_play *play, int64_t id, const ice_snapshot **out,
                                firn_error *err) {
    *out = ice_metadata_snapshot(&play->metadata, id);
    if (*out != NULL) {
        return FIRN_OK;
    }
    return id == ICE_NO_SNAPSHOT ? FAIL_SQL(err, FIRN_NOT_FOUND, "42704", NO_POSITION,
                                            "the table has no snapshot yet")
                                 : FAIL_SQL(err, FIRN_NOT_FOUND, "42704", NO_POSITION,
                                            "there is no snapshot %lld", (long long)id);
}

static firn_status no_ref(const ice_play *play, text name, firn_error *err) {
    const firn_status status = FAIL_SQL(err, FIRN_NOT_FOUND, "42704", NO_POSITION,
                                        "there is no branch or tag \"%.*s\"", TEXT_ARGS(name));
    nearest_name near = nearest_to(name);
    for (uint32_t i = 0; i < play->metadata.ref_count; i++) {
        nearest_offer(&near, play->metadata.refs[i].name);
    }
    (void)nearest_hint(&near, err);
    return status;
}

static firn_status not_a(text name, bool is_tag, firn_error *err) {
    return FAIL_SQL(err, FIRN_INVALID, "42809", NO_POSITION, "\"%.*s\" is a %s", TEXT_ARGS(name),
                    is_tag ? "tag" : "branch");
}

bool ice_is_ancestor(const ice_metadata *metadata, int64_t old, int64_t of) {
    const ice_snapshot *at = ice_metadata_snapshot(metadata, of);
    for (uint32_t i = 0; at != NULL && i <= metadata->snapshot_count; i++) {
        if (at->id == old) {
            return true;
        }
        at = ice_metadata_parent(metadata, at);
    }
    return false;
}

void ice_alter_pin(const ice_play *play, alteration *in_out) {
    bool is_tag;
    if (in_out->kind == ALTER_SET_REF && in_out->snapshot_id < 0) {
        in_out->snapshot_id = play->metadata.current_snapshot_id;
    } else if (in_out->kind == ALTER_FAST_FORWARD) {
        in_out->snapshot_id = ice_play_ref(&play->metadata, in_out->comment, &is_tag);
    }
}

static void keep_or(int64_t given, int64_t *value) {
    if (given > 0) {
        *value = given;
    }
}

static firn_status set_ref(const ice_play *play, const alteration *wanted, ice_updates *updates,
                           firn_error *err) {
    const ice_snapshot *snapshot;
    bool is_tag;
    ice_new_ref ref = {.name = wanted->name, .is_tag = wanted->is_tag};
    const int64_t was = ice_play_ref(&play->metadata, wanted->name, &is_tag);
    TRY(get_snapshot(play, wanted->snapshot_id, &snapshot, err));
    if (was != ICE_NO_SNAPSHOT && wanted->only_if == REF_NEW) {
        return FAIL_SQL(err, FIRN_INVALID, "42710", NO_POSITION, "there is a %s \"%.*s\" already",
                        is_tag ? "tag" : "branch", TEXT_ARGS(wanted->name));
    }
    if (was == ICE_NO_SNAPSHOT && wanted->only_if == REF_EXISTING) {
        return no_ref(play, wanted->name, err);
    }
    if (was != ICE_NO_SNAPSHOT && is_tag != wanted->is_tag) {
        return not_a(wanted->name, is_tag, err);
    }
    if (wanted->is_tag &&
        (wanted->retention.snapshots_min > 0 || wanted->retention.snapshot_age_ms_max > 0)) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                        "a tag keeps one snapshot: only how long can be said");
    }
    if (wanted->only_if == REF_EXISTING) {
        ice_play_ref_settings(play, wanted->name, &ref);
    }
    ref.snapshot_id = snapshot->id;
    keep_or(wanted->retention.ref_age_ms_max, &ref.ref_age_ms_max);
    keep_or(wanted->retention.snapshot_age_ms_max, &ref.snapshot_age_ms_max);
    keep_or(wanted->retention.snapshots_min, &ref.snapshots_min);
    ice_update_set_ref(updates, &ref);
    return FIRN_OK;
}

firn_status ice_alter_first_branch(ice_table_change *change, ice_play *play, const ice_step *step,
                                   ice_played *out, ice_updates *updates, firn_error *err) {
    const alteration *wanted = step->alteration;
    ice_new_ref ref = {.name = wanted->name, .snapshot_id = step->snapshot_id};
    ice_rows_play self;
    TRY(ice_rows_begin(change, play, &play->memory, &self, err));
    self.kind = CHANGE_APPEND;
    self.branch = wanted->name;
    self.snapshot_id = step->snapshot_id;
    self.parent_id = ICE_NO_SNAPSHOT;
    TRY(ice_rows_finish(&self, out, updates, err));
    keep_or(wanted->retention.ref_age_ms_max, &ref.ref_age_ms_max);
    keep_or(wanted->retention.snapshot_age_ms_max, &ref.snapshot_age_ms_max);
    keep_or(wanted->retention.snapshots_min, &ref.snapshots_min);
    if (ref.ref_age_ms_max > 0 || ref.snapshot_age_ms_max > 0 || ref.snapshots_min > 0) {
        ice_update_set_ref(updates, &ref);
    }
    return FIRN_OK;
}

static firn_status drop_ref(const ice_play *play, const alteration *wanted, ice_updates *updates,
                            firn_error *err) {
    bool is_tag;
    if (text_equal(wanted->name, ICE_MAIN)) {
        return FAIL_SQL(err, FIRN_INVALID, "42809", NO_POSITION,
                        "the branch \"main\" cannot be dropped");
    }
    if (ice_play_ref(&play->metadata, wanted->name, &is_tag) == ICE_NO_SNAPSHOT) {
        return no_ref(play, wanted->name, err);
    }
    if (is_tag != wanted->is_tag) {
        return not_a(wanted->name, is_tag, err);
    }
    ice_update_remove_ref(updates, wanted->name);
    return FIRN_OK;
}

static firn_status roll_back(const ice_table_change *self, const ice_play *play,
                             const alteration *wanted, ice_updates *updates, firn_error *err) {
    const ice_snapshot *snapshot;
    bool is_tag;
    const int64_t now = ice_play_ref(&play->metadata, self->branch, &is_tag);
    TRY(get_snapshot(play, wanted->snapshot_id, &snapshot, err));
    if (!ice_is_ancestor(&play->metadata, snapshot->id, now)) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                        "snapshot %lld is not of the past of \"%.*s\"", (long long)snapshot->id,
                        TEXT_ARGS(self->branch));
    }
    if (snapshot->id != now) {
        ice_play_set_branch(play, self->branch, snapshot->id, updates);
    }
    return FIRN_OK;
}

static firn_status fast_forward(const ice_play *play, const alteration *wanted,
                                ice_updates *updates, firn_error *err) {
    bool is_tag;
    const int64_t to = wanted->snapshot_id;
    const int64_t from = ice_play_ref(&play->metadata, wanted->name, &is_tag);
    const ice_snapshot *snapshot;
    if (to == ICE_NO_SNAPSHOT) {
        return no_ref(play, wanted->comment, err);
    }
    TRY(get_snapshot(play, to, &snapshot, err));
    if (is_tag) {
        return not_a(wanted->name, true, err);
    }
    if (from != ICE_NO_SNAPSHOT && !ice_is_ancestor(&play->metadata, from, to)) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                        "\"%.*s\" is not of the past of \"%.*s\"", TEXT_ARGS(wanted->name),
                        TEXT_ARGS(wanted->comment));
    }
    if (from != to) {
        ice_play_set_branch(play, wanted->name, to, updates);
    }
    return FIRN_OK;
}

static firn_status expire(const ice_play *play, const alteration *wanted, ice_updates *updates,
                          firn_error *err) {
    const ice_metadata *metadata = &play->metadata;
    for (uint32_t i = 0; i < wanted->snapshot_id_count; i++) {
        const ice_snapshot *snapshot;
        TRY(get_snapshot(play, wanted->snapshot_ids[i], &snapshot, err));
        for (uint32_t j = 0; j < metadata->ref_count; j++) {
            if (metadata->refs[j].snapshot_id == snapshot->id) {
                return FAIL_SQL(err, FIRN_INVALID, "55006", NO_POSITION,
                                "snapshot %lld cannot expire, \"%.*s\" is at it",
                                (long long)snapshot->id, TEXT_ARGS(metadata->refs[j].name));
            }
        }
    }
    if (wanted->snapshot_id_count > 0) {
        ice_update_remove_snapshots(updates, wanted->snapshot_id_count, wanted->snapshot_ids);
    }
    return FIRN_OK;
}

firn_status ice_alter_ref(const ice_table_change *self, const ice_play *play,
                          const alteration *wanted, ice_updates *updates, firn_error *err) {
    switch ((int)wanted->kind) {
    case ALTER_SET_REF:
        return set_ref(play, wanted, updates, err);
    case ALTER_DROP_REF:
        return drop_ref(play, wanted, updates, err);
    case ALTER_ROLLBACK:
        return roll_back(self, play, wanted, updates, err);
    case ALTER_FAST_FORWARD:
        return fast_forward(play, wanted, updates, err);
    default:
        return expire(play, wanted, updates, err);
    }
}
