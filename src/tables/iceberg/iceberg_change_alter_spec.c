// Alterations of partition fields.
//
// Version 1 has its partition values by position: a field is never taken out, it becomes void.
#include "tables/iceberg/iceberg_change_alter.h"
#include "tables/iceberg/iceberg_columns.h"

typedef struct spec_edit {
    ice_play *play;
    const schema *columns;
    ice_spec spec;
    ice_partition_field *fields; // Of `spec`.
    int32_t last_id;
} spec_edit;

static firn_status no_field(const spec_edit *self, text name, firn_error *err) {
    const firn_status status =
        FAIL_SQL(err, FIRN_NOT_FOUND, "42704", NO_POSITION,
                 "the table has no partition field \"%.*s\"", TEXT_ARGS(name));
    nearest_name near = nearest_to(name);
    for (uint32_t i = 0; i < self->spec.count; i++) {
        nearest_offer(&near, self->spec.fields[i].name);
    }
    (void)nearest_hint(&near, err);
    return status;
}

// The field that is meant: by its name, or by what it is made of.
static firn_status find_wanted(spec_edit *self, const partition_field *wanted, text name,
                               uint32_t *out, firn_error *err) {
    ice_partition_field made = {.field_id = -1};
    const text called = wanted->name.size > 0 ? wanted->name : name;
    const bool is_named = wanted->path.count == 0;
    if (!is_named) {
        TRY(ice_partition_make(self->columns, wanted, true, &self->play->memory, &made, err));
    }
    for (uint32_t i = 0; i < self->spec.count; i++) {
        const ice_partition_field *each = &self->fields[i];
        if (each->transform.kind != ICE_VOID &&
            (is_named ? text_equal(each->name, called) : ice_partition_equal(each, &made))) {
            *out = i;
            return FIRN_OK;
        }
    }
    return no_field(self, is_named ? called : made.name, err);
}

static void take_out(spec_edit *self, uint32_t at) {
    if (self->play->metadata.format_version == 1) {
        self->fields[at].transform = (ice_transform){.kind = ICE_VOID, .width = 1};
        return;
    }
    memmove(&self->fields[at], &self->fields[at + 1],
            (self->spec.count - at - 1) * sizeof *self->fields);
    self->spec.count--;
}

static firn_status put_in(spec_edit *self, const partition_field *wanted, firn_error *err) {
    ice_partition_field *made = &self->fields[self->spec.count];
    TRY(ice_partition_make(self->columns, wanted, true, &self->play->memory, made, err));
    TRY(ice_partition_give_name(self->spec.count, self->fields, made->name, &self->play->memory,
                                err));
    TRY(ice_partition_check(self->columns, &self->spec, made, err));
    TRY(ice_partition_number(&self->play->metadata, made, &self->last_id, err));
    self->spec.count++;
    return FIRN_OK;
}

static firn_status begin(spec_edit *self, ice_play *play, firn_error *err) {
    const ice_metadata *metadata = &play->metadata;
    const ice_spec *now = ice_metadata_spec(metadata, metadata->default_spec_id);
    *self = (spec_edit){
        .play = play,
        .columns = &ice_metadata_schema(metadata, metadata->current_schema_id)->columns,
        .fields = ARENA_NEW(&play->memory, ice_partition_field, (size_t)now->count + 1)};
    if (self->fields == NULL) {
        return ARENA_FULL(&play->memory, err);
    }
    for (uint32_t i = 0; i < now->count; i++) {
        self->fields[i] = now->fields[i];
        if (now->fields[i].transform.kind == ICE_UNKNOWN) {
            return FAIL(err, FIRN_UNSUPPORTED,
                        "the partition field \"%.*s\" has a transform that is not known",
                        TEXT_ARGS(now->fields[i].name));
        }
    }
    self->spec = (ice_spec){.id = now->id, .count = now->count, .fields = self->fields};
    return ice_partition_last_id(metadata, play->root, &self->last_id, err);
}

firn_status ice_alter_spec(ice_play *play, const alteration *wanted, ice_updates *updates,
                           firn_error *err) {
    spec_edit self;
    uint32_t at = 0;
    TRY(begin(&self, play, err));
    if (wanted->kind != ALTER_ADD_PARTITION) {
        TRY(find_wanted(&self, &wanted->partition, wanted->name, &at, err));
        take_out(&self, at);
    }
    if (wanted->kind != ALTER_DROP_PARTITION) {
        TRY(put_in(&self,
                   wanted->kind == ALTER_ADD_PARTITION ? &wanted->partition : &wanted->replacement,
                   err));
    }
    ice_update_add_spec(updates, &self.spec, &play->memory);
    ice_update_set_default_spec(updates, -1);
    return FIRN_OK;
}
