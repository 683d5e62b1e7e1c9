#include "tables/iceberg/iceberg_metadata_parts.h"

#define PROPERTY_SHOWN_MAX ((size_t)1 << 10)

// The members of an array of objects.
typedef struct node_list {
    const json_node *first;
    uint32_t count;
} node_list;

static firn_status objects_of(const json_node *list, node_list *out, firn_error *err) {
    *out = (node_list){.first = list->first, .count = list->count};
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        TRY(json_as_object(each, err));
    }
    return FIRN_OK;
}

// ---- Partition specs ---------------------------------------------------------------------------

// Of several columns nothing is known.
static firn_status read_source(const json_node *node, int32_t *source_id, ice_transform *transform,
                               firn_error *err) {
    const json_node *sources = NULL;
    TRY(json_want_array(node, "source-ids", &sources, err));
    if (sources == NULL || json_find(node, "source-id") != NULL) {
        return json_get_i32(node, "source-id", source_id, err);
    }
    *source_id = -1;
    if (sources->count == 1) {
        return json_as_i32(sources->first, source_id, err);
    }
    *transform = (ice_transform){.kind = ICE_UNKNOWN, .width = 1};
    return FIRN_OK;
}

typedef struct spec_reader {
    const json_node *root;
    arena *memory;
    ice_metadata *out;
} spec_reader;

// `list` is an array of partition fields.
static firn_status read_spec_fields(const spec_reader *self, const json_node *list, ice_spec *out,
                                    firn_error *err) {
    node_list nodes;
    TRY(objects_of(list, &nodes, err));
    ice_partition_field *fields =
        ARENA_NEW(self->memory, ice_partition_field, (size_t)nodes.count + 1);
    if (fields == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (const json_node *each = nodes.first; each != NULL; each = each->next) {
        ice_partition_field *made = &fields[out->count];
        text transform;
        *made = (ice_partition_field){.field_id = 1000 + (int32_t)out->count};
        TRY(json_get_text(each, "transform", &transform, err));
        TRY(json_get_text(each, "name", &made->name, err));
        TRY(text_copy(self->memory, made->name, &made->name, err));
        if (self->out->format_version > 1) {
            TRY(json_get_i32(each, "field-id", &made->field_id, err));
        } else {
            TRY(json_want_i32(each, "field-id", &made->field_id, err));
        }
        made->transform = ice_transform_read(transform);
        TRY(read_source(each, &made->source_id, &made->transform, err));
        out->count++;
    }
    out->fields = fields;
    return FIRN_OK;
}

static firn_status read_list(const spec_reader *self, const json_node *list, ice_spec *specs,
                             firn_error *err) {
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        const json_node *fields;
        ice_spec *made = &specs[self->out->spec_count];
        *made = (ice_spec){.id = 0};
        TRY(json_as_object(each, err));
        TRY(json_get_i32(each, "spec-id", &made->id, err));
        TRY(json_get_array(each, "fields", &fields, err));
        TRY(read_spec_fields(self, fields, made, err));
        self->out->spec_count++;
    }
    return FIRN_OK;
}

firn_status ice_read_specs(const json_node *root, arena *memory, ice_metadata *out,
                           firn_error *err) {
    const spec_reader self = {.root = root, .memory = memory, .out = out};
    const json_node *list = NULL;
    const json_node *single = NULL;
    TRY(json_want_array(root, "partition-specs", &list, err));
    TRY(json_want_array(root, "partition-spec", &single, err));
    int32_t default_id = 0;
    if (out->format_version > 1 || single == NULL) {
        int32_t last;
        TRY(json_get_array(root, "partition-specs", &list, err));
        TRY(json_get_i32(root, "default-spec-id", &default_id, err));
        TRY(out->format_version > 1 ? json_get_i32(root, "last-partition-id", &last, err)
                                    : FIRN_OK);
    } else {
        TRY(json_want_i32(root, "default-spec-id", &default_id, err));
    }
    const uint32_t count = list == NULL ? 1 : list->count;
    ice_spec *specs = ARENA_NEW(memory, ice_spec, (size_t)count + 1);
    if (specs == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->specs = specs;
    if (list == NULL) {
        specs[0] = (ice_spec){.id = 0};
        out->spec_count = 1;
        return read_spec_fields(&self, single, &specs[0], err);
    }
    TRY(read_list(&self, list, specs, err));
    out->default_spec_id = default_id;
    if (ice_metadata_spec(out, default_id) == NULL) {
        return FAIL(err, FIRN_CORRUPT, "\"default-spec-id\" is %d, there is no such spec",
                    default_id);
    }
    return FIRN_OK;
}

// ---- The sort order ----------------------------------------------------------------------------

static firn_status read_words(const json_node *node, ice_order_field *out, firn_error *err) {
    text direction;
    text nulls;
    TRY(json_get_text(node, "direction", &direction, err));
    TRY(json_get_text(node, "null-order", &nulls, err));
    out->is_descending = text_equal_nocase(direction, TEXT("desc"));
    out->nulls_first = text_equal_nocase(nulls, TEXT("nulls-first"));
    if (!out->is_descending && !text_equal_nocase(direction, TEXT("asc"))) {
        return json_node_fail(node, err, "has \"direction\" \"%.*s\", asc or desc is allowed",
                              TEXT_ARGS(direction));
    }
    if (!out->nulls_first && !text_equal_nocase(nulls, TEXT("nulls-last"))) {
        return json_node_fail(node, err,
                              "has \"null-order\" \"%.*s\", nulls-first or nulls-last is allowed",
                              TEXT_ARGS(nulls));
    }
    return FIRN_OK;
}

static firn_status read_order(const json_node *node, arena *memory, ice_order *out,
                              firn_error *err) {
    const json_node *list;
    node_list nodes;
    TRY(json_get_array(node, "fields", &list, err));
    TRY(objects_of(list, &nodes, err));
    ice_order_field *fields = ARENA_NEW(memory, ice_order_field, (size_t)nodes.count + 1);
    if (fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (const json_node *each = nodes.first; each != NULL; each = each->next) {
        ice_order_field *made = &fields[out->count];
        text transform;
        *made = (ice_order_field){.source_id = 0};
        TRY(json_get_text(each, "transform", &transform, err));
        made->transform = ice_transform_read(transform);
        TRY(read_source(each, &made->source_id, &made->transform, err));
        TRY(read_words(each, made, err));
        out->count++;
    }
    out->fields = fields;
    return FIRN_OK;
}

firn_status ice_read_order(const json_node *root, arena *memory, ice_metadata *out,
                           firn_error *err) {
    const json_node *list = NULL;
    int32_t wanted = 0;
    if (out->format_version == 1) {
        TRY(json_want_array(root, "sort-orders", &list, err));
        TRY(json_want_i32(root, "default-sort-order-id", &wanted, err));
    } else {
        TRY(json_get_array(root, "sort-orders", &list, err));
        TRY(json_get_i32(root, "default-sort-order-id", &wanted, err));
    }
    out->order = (ice_order){.id = 0};
    for (const json_node *each = list == NULL ? NULL : list->first; each != NULL;
         each = each->next) {
        int32_t id;
        TRY(json_as_object(each, err));
        TRY(json_get_i32(each, "order-id", &id, err));
        if (id == wanted && id != 0) {
            out->order.id = id;
            return read_order(each, memory, &out->order, err);
        }
    }
    return FIRN_OK; // Nobody reads by it, and rows without an order are right.
}

// ---- Properties --------------------------------------------------------------------------------

// What readers and writers of rows obey, and what SHOW CREATE tells. All others are long, and of
// use to those only who change the table.
static bool is_kept(text key, text value) {
    static const char *const beginnings[] = {"write.", "commit.", "history."};
    static const char *const names[] = {ICE_NAME_MAPPING, "gc.enabled", "comment"};
    bool is_wanted = value.size <= PROPERTY_SHOWN_MAX;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        is_wanted |= text_starts_with(key, text_of(beginnings[i]));
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        is_wanted |= text_equal(key, text_of(names[i]));
    }
    return is_wanted;
}

static firn_status read_mapping(text value, arena *memory, ice_metadata *out, firn_error *err) {
    const bytes json = {.size = value.size, .data = (const uint8_t *)value.data};
    const json_node *list;
    firn_status status = json_tree_read(memory, json, &list, err);
    status = status == FIRN_OK ? ice_mapping_read(list, memory, &out->mapping, err) : status;
    if (status != FIRN_OK) {
        err_while(err, "reading the property \"%s\"", ICE_NAME_MAPPING);
    }
    return status;
}

firn_status ice_read_properties(const json_node *root, arena *memory, ice_metadata *out,
                                firn_error *err) {
    const json_node *properties = NULL;
    TRY(json_want_object(root, "properties", &properties, err));
    const uint32_t count = properties == NULL ? 0 : properties->count;
    ice_property *made = ARENA_NEW(memory, ice_property, (size_t)count + 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->properties = made;
    for (const json_node *each = count == 0 ? NULL : properties->first; each != NULL;
         each = each->next) {
        text value;
        TRY(json_as_text(each, &value, err));
        if (text_equal(each->key, TEXT(ICE_NAME_MAPPING))) {
            TRY(read_mapping(value, memory, out, err));
        } else if (is_kept(each->key, value)) {
            ice_property *next = &made[out->property_count++];
            TRY(text_copy(memory, each->key, &next->key, err));
            TRY(text_copy(memory, value, &next->value, err));
        }
    }
    return FIRN_OK;
}

// Of several of one name the last.
bool ice_metadata_property(const ice_metadata *self, text key, text *out) {
    for (uint32_t i = self->property_count; i > 0; i--) {
        if (text_equal(self->properties[i - 1].key, key)) {
            *out = self->properties[i - 1].value;
            return true;
        }
    }
    return false;
}
