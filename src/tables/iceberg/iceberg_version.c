#include "tables/iceberg/iceberg_version.h"

#include <stdio.h>

#include "base/nearest.h"

static int64_t oldest_snapshot(const ice_metadata *self) {
    const ice_snapshot *oldest = &self->snapshots[0];
    for (uint32_t i = 1; i < self->snapshot_count; i++) {
        if (self->snapshots[i].timestamp_ms < oldest->timestamp_ms) {
            oldest = &self->snapshots[i];
        }
    }
    return oldest->id;
}

static firn_status find_snapshot(const ice_metadata *self, int64_t id, const ice_snapshot **out,
                                 firn_error *err) {
    *out = ice_metadata_snapshot(self, id);
    if (*out != NULL) {
        return FIRN_OK;
    }
    firn_status status = FAIL_SQL(err, FIRN_NOT_FOUND, "42704", NO_POSITION,
                                  "there is no snapshot %lld", (long long)id);
    if (self->current_snapshot_id != ICE_NO_SNAPSHOT && self->snapshot_count > 0) {
        err_hint(err, "the newest is %lld, the oldest %lld", (long long)self->current_snapshot_id,
                 (long long)oldest_snapshot(self));
    }
    return status;
}

// The branches and tags that there are, as many as fit.
static void hint_refs(const ice_metadata *self, firn_error *err) {
    char words[200] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < self->ref_count && used < sizeof words - 1; i++) {
        const int size = snprintf(words + used, sizeof words - used, "%s\"%.*s\"",
                                  i == 0 ? "" : ", ", TEXT_ARGS(self->refs[i].name));
        if (size < 0 || (size_t)size >= sizeof words - used) {
            words[used] = '\0';
            err_hint(err, "there are %s and others", words);
            return;
        }
        used += (size_t)size;
    }
    err_hint(err, self->ref_count == 0 ? "the table has none" : "there %s %s",
             self->ref_count == 1 ? "is" : "are", words);
}

static firn_status find_ref(const ice_metadata *self, text name, const ice_ref **out,
                            firn_error *err) {
    *out = NULL;
    for (uint32_t i = 0; i < self->ref_count; i++) {
        if (text_equal(self->refs[i].name, name)) {
            *out = &self->refs[i];
            return FIRN_OK;
        }
    }
    firn_status status = FAIL_SQL(err, FIRN_NOT_FOUND, "42704", NO_POSITION,
                                  "there is no branch or tag \"%.*s\"", TEXT_ARGS(name));
    nearest_name near = nearest_to(name);
    for (uint32_t i = 0; i < self->ref_count; i++) {
        nearest_offer(&near, self->refs[i].name);
    }
    if (!nearest_hint(&near, err)) {
        hint_refs(self, err);
    }
    return status;
}

static void print_time(int64_t ms, char *out, size_t size) {
    const calendar_date day = calendar_date_of(calendar_floor_div(ms, 86400000));
    const int64_t second = calendar_floor_div(ms, 1000) - calendar_floor_div(ms, 86400000) * 86400;
    (void)snprintf(out, size, "%04lld-%02d-%02d %02d:%02d:%02d", (long long)day.year, day.month,
                   day.day, (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
}

// What was current at a time: the last entry of the log that is not later.
static firn_status find_time(const ice_metadata *self, int64_t micros, const ice_snapshot **out,
                             firn_error *err) {
    const int64_t ms = calendar_floor_div(micros, 1000);
    for (uint32_t i = self->log_count; i > 0; i--) {
        if (self->log[i - 1].timestamp_ms <= ms) {
            return find_snapshot(self, self->log[i - 1].snapshot_id, out, err);
        }
    }
    firn_status status = FAIL_SQL(err, FIRN_NOT_FOUND, "42704", NO_POSITION,
                                  "the table has no snapshot that is so old");
    if (self->log_count > 0) {
        char first[64];
        print_time(self->log[0].timestamp_ms, first, sizeof first);
        err_hint(err, "its oldest known one is of %s UTC", first);
    }
    return status;
}

// The first snapshot must be an ancestor of the second.
static firn_status find_range(const ice_metadata *self, const table_version *version,
                              const ice_snapshot **out, firn_error *err) {
    const int64_t to = version->to_snapshot_id == ICE_NO_SNAPSHOT ? self->current_snapshot_id
                                                                  : version->to_snapshot_id;
    TRY(find_snapshot(self, to, out, err));
    const ice_snapshot *at = *out;
    for (uint32_t i = 0; i < self->snapshot_count && at != NULL; i++) {
        if (at->id == version->from_snapshot_id || at->parent_id == version->from_snapshot_id) {
            return FIRN_OK;
        }
        at = ice_metadata_parent(self, at);
    }
    return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                    "snapshot %lld is no ancestor of snapshot %lld",
                    (long long)version->from_snapshot_id, (long long)to);
}

static firn_status take_schema(const ice_metadata *self, const ice_snapshot *snapshot,
                               bool is_current, const ice_schema **out, firn_error *err) {
    const int32_t id = is_current || snapshot == NULL || snapshot->schema_id < 0
                           ? self->current_schema_id
                           : snapshot->schema_id;
    *out = ice_metadata_schema(self, id);
    if (*out == NULL) {
        return FAIL(err, FIRN_CORRUPT, "snapshot %lld has schema %d, there is no such schema",
                    snapshot == NULL ? -1LL : (long long)snapshot->id, id);
    }
    const firn_error *why = self->schema_errors[*out - self->schemas];
    if (why != NULL) {
        *err = *why;
        return why->status;
    }
    return FIRN_OK;
}

firn_status ice_version_resolve(const ice_metadata *self, const table_version *version,
                                const ice_snapshot **snapshot, const ice_schema **schema,
                                firn_error *err) {
    const ice_ref *ref = NULL;
    bool is_current = true;
    *snapshot = NULL;
    if (version != NULL && version->is_incremental) {
        TRY(find_range(self, version, snapshot, err));
        return take_schema(self, *snapshot, true, schema, err);
    }
    static const table_version newest = {.kind = VERSION_CURRENT};
    switch ((version == NULL ? &newest : version)->kind) {
    case VERSION_CURRENT:
        *snapshot = ice_metadata_snapshot(self, self->current_snapshot_id);
        break;
    case VERSION_SNAPSHOT:
        TRY(find_snapshot(self, version->number, snapshot, err));
        is_current = false;
        break;
    case VERSION_REF:
        TRY(find_ref(self, version->ref, &ref, err));
        TRY(find_snapshot(self, ref->snapshot_id, snapshot, err));
        is_current = !ref->is_tag;
        break;
    case VERSION_TIMESTAMP:
        TRY(find_time(self, version->number, snapshot, err));
        is_current = false;
        break;
    }
    return take_schema(self, *snapshot, is_current, schema, err);
}
