// What CREATE TABLE would say of an Iceberg table: table_kind.define.
#include "memory/text_builder.h"
#include "tables/iceberg/iceberg_snapshot_private.h"
#include "tables/transaction.h"

// As metadata has it, but "" for the column itself.
static firn_status print_transform(const ice_transform *self, arena *memory, text *out,
                                   firn_error *err) {
    const text name = ice_transform_name(self);
    *out = self->kind == ICE_IDENTITY ? TEXT("") : name;
    return self->kind == ICE_BUCKET || self->kind == ICE_TRUNCATE
               ? text_format(memory, out, err, "%.*s[%d]", TEXT_ARGS(name), self->width)
               : FIRN_OK;
}

// The names down to the field with an id; `out` has room for TYPE_DEPTH_MAX. The depth of types is
// bounded. 0: it is not in there.
static uint32_t find_path(const field *fields, uint32_t count, int32_t id, uint32_t depth,
                          text *out) {
    for (uint32_t i = 0; i < count && depth < TYPE_DEPTH_MAX; i++) {
        const field *each = &fields[i];
        const uint32_t found =
            each->id == id
                ? depth + 1
                : find_path(each->type->children, each->type->child_count, id, depth + 1, out);
        if (found > 0) {
            out[depth] = each->name;
            return found;
        }
    }
    return 0;
}

// A column and what is made of it.
typedef struct defined_key {
    bool is_kept; // The transform says something, and the column is still there.
    text_list path;
    text words; // Of the transform.
} defined_key;

static firn_status define_key(const ice_table *self, int32_t source_id,
                              const ice_transform *transform, arena *memory, defined_key *out,
                              firn_error *err) {
    text names[TYPE_DEPTH_MAX];
    const schema *columns = &self->base.columns;
    *out = (defined_key){.is_kept = false};
    if (transform->kind == ICE_VOID || transform->kind == ICE_UNKNOWN) {
        return FIRN_OK;
    }
    const uint32_t count = find_path(columns->fields, columns->count, source_id, 0, names);
    if (count == 0) {
        return FIRN_OK;
    }
    out->path.items = ARENA_NEW(memory, text, count);
    if (out->path.items == NULL) {
        return ARENA_FULL(memory, err);
    }
    memcpy(out->path.items, names, count * sizeof *names);
    out->path.count = count;
    out->is_kept = true;
    return print_transform(transform, memory, &out->words, err);
}

// Partitions are those that new rows get.
static firn_status define_partitions(const ice_table *self, arena *memory, table_definition *out,
                                     firn_error *err) {
    const ice_metadata *metadata = &self->metadata;
    const ice_spec *spec = ice_metadata_spec(metadata, metadata->default_spec_id);
    partition_field *made = ARENA_NEW(memory, partition_field, (size_t)spec->count + 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->partitions = made;
    for (uint32_t i = 0; i < spec->count; i++) {
        const ice_partition_field *each = &spec->fields[i];
        defined_key key;
        TRY(define_key(self, each->source_id, &each->transform, memory, &key, err));
        made[out->partition_count] =
            (partition_field){.path = key.path, .transform = key.words, .name = each->name};
        out->partition_count += key.is_kept;
    }
    return FIRN_OK;
}

static firn_status define_order(const ice_table *self, arena *memory, table_definition *out,
                                firn_error *err) {
    const ice_order *order = &self->metadata.order;
    order_key *made = ARENA_NEW(memory, order_key, (size_t)order->count + 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->order = made;
    for (uint32_t i = 0; i < order->count; i++) {
        const ice_order_field *each = &order->fields[i];
        defined_key key;
        TRY(define_key(self, each->source_id, &each->transform, memory, &key, err));
        made[out->order_count] = (order_key){.path = key.path,
                                             .transform = key.words,
                                             .is_descending = each->is_descending,
                                             .nulls_first = each->nulls_first};
        out->order_count += key.is_kept;
    }
    return FIRN_OK;
}

// The version of the format and what is not said by another clause.
static firn_status define_properties(const ice_metadata *self, arena *memory, table_definition *out,
                                     firn_error *err) {
    firn_option *made = ARENA_NEW(memory, firn_option, (size_t)self->property_count + 1);
    text value;
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->properties = made;
    TRY(text_format(memory, &value, err, "%d", self->format_version));
    made[out->property_count++] = (firn_option){.key = "format-version", .value = value.data};
    for (uint32_t i = 0; i < self->property_count; i++) {
        text key;
        if (text_equal(self->properties[i].key, TEXT("comment"))) {
            out->comment = self->properties[i].value;
            continue;
        }
        TRY(text_copy(memory, self->properties[i].key, &key, err));
        TRY(text_copy(memory, self->properties[i].value, &value, err));
        made[out->property_count++] = (firn_option){.key = key.data, .value = value.data};
    }
    return FIRN_OK;
}

firn_status ice_table_define(const table_snapshot *base, arena *memory, table_definition *out,
                             firn_error *err) {
    const ice_table *self = (const ice_table *)base;
    *out = (table_definition){.format = TEXT("iceberg"),
                              .columns = base->columns,
                              .notes = base->notes,
                              .location = self->metadata.location};
    TRY(define_partitions(self, memory, out, err));
    TRY(define_order(self, memory, out, err));
    return define_properties(&self->metadata, memory, out, err);
}
