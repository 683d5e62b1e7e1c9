// Schemas, specs and sort orders of metadata that is changed.
#include "tables/iceberg/iceberg_metadata_private.h"

#define PARTITION_ID_FIRST 1000

// A list of things with ids, such as schemas.
typedef struct id_list {
    const char *list;
    const char *id;
    int32_t id_min; // Of new ones.
} id_list;

static const id_list schema_list = {"schemas", "schema-id", 0};
static const id_list spec_list = {"partition-specs", "spec-id", 0};
static const id_list order_list = {"sort-orders", "order-id", 1};

static const json_node *without(metadata_change *self, const json_node *node, const char *key) {
    return json_edit_member(&self->edit, node, text_of(key), NULL);
}

// Adds `added` to a list, or finds its equal there; *out is what it has become.
static firn_status add_to_list(metadata_change *self, const id_list *to, const json_node *added,
                               int32_t id_min, last_added *out, firn_error *err) {
    const json_node *list = NULL;
    int64_t last = id_min - 1;
    TRY(json_want_array(self->root, to->list, &list, err));
    const json_node *bare = without(self, added, to->id);
    TRY(json_edit_check(&self->edit, err));
    for (const json_node *each = list == NULL ? NULL : list->first; each != NULL;
         each = each->next) {
        int64_t other = 0;
        TRY(json_as_object(each, err));
        TRY(json_want_i64(each, to->id, &other, err));
        const json_node *beside = without(self, each, to->id);
        TRY(json_edit_check(&self->edit, err));
        if (json_nodes_equal(beside, bare) && other >= INT32_MIN && other <= INT32_MAX) {
            *out = (last_added){.id = (int32_t)other, .is_known = true};
            self->said = NULL;
            return FIRN_OK;
        }
        last = other > last ? other : last;
    }
    if (last >= INT32_MAX) {
        return FAIL(err, FIRN_INVALID, "the table has no free \"%s\" left", to->id);
    }
    *out = (last_added){.id = (int32_t)last + 1};
    const json_node *numbered =
        json_edit_member(&self->edit, added, text_of(to->id), json_edit_i64(&self->edit, out->id));
    TRY(json_edit_check(&self->edit, err));
    change_put(self, to->list, json_edit_append(&self->edit, list, numbered));
    return json_edit_check(&self->edit, err);
}

// The id that an update means, of one that is there.
static firn_status chosen_id(metadata_change *self, const json_node *update, const char *member,
                             const id_list *of, last_added last, int32_t *out, firn_error *err) {
    TRY(json_get_i32(update, member, out, err));
    if (*out == -1) {
        *out = last.id;
        if (last.id == ICE_NONE_ADDED) {
            return FAIL(err, FIRN_INVALID, "\"%s\" is -1, and none was added", member);
        }
        if (last.is_known) {
            self->said = json_edit_member(&self->edit, update, text_of(member),
                                          json_edit_i64(&self->edit, last.id));
        }
    }
    return change_find(self, of->list, of->id, *out) != NULL
               ? FIRN_OK
               : FAIL(err, FIRN_INVALID, "\"%s\" is %d, the table has none such", member, *out);
}

firn_status change_add_schema(metadata_change *self, const json_node *update, firn_error *err) {
    const json_node *schema;
    ice_schema read;
    int64_t last;
    TRY(json_get_object(update, "schema", &schema, err));
    TRY(ice_schema_read(schema, self->edit.memory, &read, err));
    TRY(change_number(self, "last-column-id", 0, &last, err));
    int64_t said = last;
    TRY(json_want_i64(update, "last-column-id", &said, err));
    const int64_t used = ice_schema_last_id(&read.columns);
    last = said > last ? said : last;
    last = used > last ? used : last;
    if (last > INT32_MAX) {
        return FAIL(err, FIRN_INVALID, "\"last-column-id\" is %lld, at most %d is allowed",
                    (long long)last, INT32_MAX);
    }
    TRY(add_to_list(self, &schema_list, schema, schema_list.id_min, &self->last_schema, err));
    change_put_number(self, "last-column-id", last);
    return FIRN_OK;
}

firn_status change_set_current_schema(metadata_change *self, const json_node *update,
                                      firn_error *err) {
    int32_t id;
    TRY(chosen_id(self, update, "schema-id", &schema_list, self->last_schema, &id, err));
    change_put_number(self, "current-schema-id", id);
    return FIRN_OK;
}

// ---- Specs -------------------------------------------------------------------------------------

// The id of an equal field of any spec; -1: there is none.
static int64_t known_field(const metadata_change *self, const json_node *field) {
    const json_node *source = json_find(field, "source-id");
    const json_node *transform = json_find(field, "transform");
    const json_node *specs = json_find(self->root, "partition-specs");
    for (const json_node *spec = specs == NULL ? NULL : specs->first; spec != NULL;
         spec = spec->next) {
        const json_node *fields = json_find(spec, "fields");
        for (const json_node *each = fields == NULL ? NULL : fields->first; each != NULL;
             each = each->next) {
            const json_node *other = json_find(each, "source-id");
            const json_node *word = json_find(each, "transform");
            int64_t id = -1;
            firn_error ignored = ERR_INIT;
            if (source != NULL && transform != NULL && other != NULL && word != NULL &&
                json_nodes_equal(source, other) && json_nodes_equal(transform, word) &&
                json_want_i64(each, "field-id", &id, &ignored) == FIRN_OK && id >= 0) {
                return id;
            }
        }
    }
    return -1;
}

static firn_status has_column(const metadata_change *self, int32_t id, firn_error *err) {
    const json_node *schemas = json_find(self->root, "schemas");
    for (const json_node *each = schemas == NULL ? NULL : schemas->first; each != NULL;
         each = each->next) {
        ice_schema read;
        firn_error ignored = ERR_INIT;
        const firn_status status = ice_schema_read(each, self->edit.memory, &read, &ignored);
        if (status_is_refusal(status)) {
            *err = ignored;
            return status;
        }
        if (status == FIRN_OK && ice_schema_find(&read.columns, id) != NULL) {
            return FIRN_OK;
        }
    }
    return FAIL(err, FIRN_INVALID, "\"source-id\" is %d, the table has no such column", id);
}

static firn_status check_transform(const json_node *field, firn_error *err) {
    text transform;
    TRY(json_get_text(field, "transform", &transform, err));
    return ice_transform_read(transform).kind != ICE_UNKNOWN
               ? FIRN_OK
               : FAIL(err, FIRN_UNSUPPORTED, "the transform \"%.*s\" is not known",
                      TEXT_ARGS(transform));
}

static firn_status check_names(const json_node *fields, firn_error *err) {
    for (const json_node *each = fields->first; each != NULL; each = each->next) {
        text name;
        TRY(json_get_text(each, "name", &name, err));
        for (const json_node *other = each->next; other != NULL; other = other->next) {
            text beside;
            TRY(json_get_text(other, "name", &beside, err));
            if (text_equal(name, beside)) {
                return FAIL(err, FIRN_INVALID, "two partition fields are called \"%.*s\"",
                            TEXT_ARGS(name));
            }
        }
    }
    return FIRN_OK;
}

// A field with its id.
static firn_status take_field(metadata_change *self, const json_node *field, int64_t *last,
                              const json_node **out, firn_error *err) {
    int32_t source;
    int64_t id = -1;
    TRY(json_as_object(field, err));
    TRY(json_get_i32(field, "source-id", &source, err));
    TRY(check_transform(field, err));
    TRY(has_column(self, source, err));
    TRY(json_want_i64(field, "field-id", &id, err));
    const int64_t known = id < 0 ? known_field(self, field) : id;
    id = known >= 0 ? known : *last + 1;
    if (id >= INT32_MAX) {
        return FAIL(err, FIRN_INVALID, "\"field-id\" is %lld, below %d is allowed", (long long)id,
                    INT32_MAX);
    }
    *last = id > *last ? id : *last;
    *out = json_edit_member(&self->edit, field, TEXT("field-id"), json_edit_i64(&self->edit, id));
    return json_edit_check(&self->edit, err);
}

firn_status change_add_spec(metadata_change *self, const json_node *update, firn_error *err) {
    const json_node *spec;
    const json_node *fields;
    int64_t last;
    TRY(json_get_object(update, "spec", &spec, err));
    TRY(json_get_array(spec, "fields", &fields, err));
    TRY(change_number(self, "last-partition-id", PARTITION_ID_FIRST - 1, &last, err));
    const json_node *made = json_edit_array(&self->edit);
    for (const json_node *each = fields->first; each != NULL; each = each->next) {
        const json_node *field;
        TRY(take_field(self, each, &last, &field, err));
        made = json_edit_append(&self->edit, made, field);
        TRY(json_edit_check(&self->edit, err));
    }
    TRY(check_names(fields, err));
    const json_node *added = json_edit_member(&self->edit, spec, TEXT("fields"), made);
    TRY(json_edit_check(&self->edit, err));
    TRY(add_to_list(self, &spec_list, added, spec_list.id_min, &self->last_spec, err));
    change_put_number(self, "last-partition-id", last);
    return FIRN_OK;
}

firn_status change_set_default_spec(metadata_change *self, const json_node *update,
                                    firn_error *err) {
    int32_t id;
    TRY(chosen_id(self, update, "spec-id", &spec_list, self->last_spec, &id, err));
    change_put_number(self, "default-spec-id", id);
    return FIRN_OK;
}

// ---- Sort orders -------------------------------------------------------------------------------

firn_status change_add_order(metadata_change *self, const json_node *update, firn_error *err) {
    const json_node *order;
    const json_node *fields;
    TRY(json_get_object(update, "sort-order", &order, err));
    TRY(json_get_array(order, "fields", &fields, err));
    for (const json_node *each = fields->first; each != NULL; each = each->next) {
        int32_t source;
        TRY(json_as_object(each, err));
        TRY(json_get_i32(each, "source-id", &source, err));
        TRY(check_transform(each, err));
        TRY(has_column(self, source, err));
    }
    // 0 is what has no order, and nothing else.
    return add_to_list(self, &order_list, order, fields->count == 0 ? 0 : order_list.id_min,
                       &self->last_order, err);
}

firn_status change_set_default_order(metadata_change *self, const json_node *update,
                                     firn_error *err) {
    int32_t id;
    TRY(chosen_id(self, update, "sort-order-id", &order_list, self->last_order, &id, err));
    change_put_number(self, "default-sort-order-id", id);
    return FIRN_OK;
}

// ---- Old forms ---------------------------------------------------------------------------------

static firn_status list_schema(metadata_change *self, firn_error *err) {
    const json_node *single = NULL;
    int64_t id = 0;
    if (json_find(self->root, "schemas") != NULL) {
        return FIRN_OK;
    }
    TRY(json_get_object(self->root, "schema", &single, err));
    TRY(json_want_i64(single, "schema-id", &id, err));
    const json_node *numbered =
        json_edit_member(&self->edit, single, TEXT("schema-id"), json_edit_i64(&self->edit, id));
    TRY(json_edit_check(&self->edit, err));
    change_put(self, "schemas", json_edit_append(&self->edit, NULL, numbered));
    change_put_number(self, "current-schema-id", id);
    return json_edit_check(&self->edit, err);
}

static firn_status list_spec(metadata_change *self, firn_error *err) {
    const json_node *single = NULL;
    int64_t last = PARTITION_ID_FIRST - 1;
    if (json_find(self->root, "partition-specs") != NULL) {
        return FIRN_OK;
    }
    TRY(json_get_array(self->root, "partition-spec", &single, err));
    const json_node *fields = json_edit_array(&self->edit);
    for (const json_node *each = single->first; each != NULL; each = each->next) {
        int64_t id = last + 1;
        TRY(json_as_object(each, err));
        TRY(json_want_i64(each, "field-id", &id, err));
        last = id > last && id < INT32_MAX ? id : last;
        const json_node *field =
            json_edit_member(&self->edit, each, TEXT("field-id"), json_edit_i64(&self->edit, id));
        TRY(json_edit_check(&self->edit, err));
        fields = json_edit_append(&self->edit, fields, field);
    }
    const json_node *spec =
        json_edit_member(&self->edit, NULL, TEXT("spec-id"), json_edit_i64(&self->edit, 0));
    TRY(json_edit_check(&self->edit, err));
    spec = json_edit_member(&self->edit, spec, TEXT("fields"), fields);
    TRY(json_edit_check(&self->edit, err));
    change_put(self, "partition-specs", json_edit_append(&self->edit, NULL, spec));
    change_put_number(self, "default-spec-id", 0);
    change_put_number(self, "last-partition-id", last);
    return json_edit_check(&self->edit, err);
}

static firn_status list_order(metadata_change *self, firn_error *err) {
    if (json_find(self->root, "sort-orders") != NULL) {
        return FIRN_OK;
    }
    const json_node *order =
        json_edit_member(&self->edit, NULL, TEXT("order-id"), json_edit_i64(&self->edit, 0));
    TRY(json_edit_check(&self->edit, err));
    order = json_edit_member(&self->edit, order, TEXT("fields"), json_edit_array(&self->edit));
    TRY(json_edit_check(&self->edit, err));
    change_put(self, "sort-orders", json_edit_append(&self->edit, NULL, order));
    change_put_number(self, "default-sort-order-id", 0);
    return json_edit_check(&self->edit, err);
}

// v1 wrote no last-partition-id at first.
static firn_status last_partition(metadata_change *self, firn_error *err) {
    int64_t last = -1;
    TRY(json_want_i64(self->root, "last-partition-id", &last, err));
    if (last >= 0) {
        return FIRN_OK;
    }
    last = PARTITION_ID_FIRST - 1;
    const json_node *specs = NULL;
    TRY(json_get_array(self->root, "partition-specs", &specs, err));
    for (const json_node *spec = specs->first; spec != NULL; spec = spec->next) {
        const json_node *fields;
        TRY(json_get_array(spec, "fields", &fields, err));
        for (const json_node *each = fields->first; each != NULL; each = each->next) {
            int64_t id = -1;
            TRY(json_want_i64(each, "field-id", &id, err));
            last = id > last && id < INT32_MAX ? id : last;
        }
    }
    change_put_number(self, "last-partition-id", last);
    return FIRN_OK;
}

static firn_status main_ref(metadata_change *self, firn_error *err) {
    int64_t current;
    const json_node *refs = NULL;
    TRY(change_number(self, "current-snapshot-id", ICE_NO_SNAPSHOT, &current, err));
    TRY(json_want_object(self->root, "refs", &refs, err));
    if (current == ICE_NO_SNAPSHOT || (refs != NULL && json_find(refs, "main") != NULL)) {
        return FIRN_OK;
    }
    const json_node *ref = json_edit_member(&self->edit, NULL, TEXT("snapshot-id"),
                                            json_edit_i64(&self->edit, current));
    TRY(json_edit_check(&self->edit, err));
    ref = json_edit_member(&self->edit, ref, TEXT("type"),
                           json_edit_text(&self->edit, TEXT("branch")));
    TRY(json_edit_check(&self->edit, err));
    change_put(self, "refs", json_edit_member(&self->edit, refs, TEXT("main"), ref));
    return json_edit_check(&self->edit, err);
}

firn_status change_normalize(metadata_change *self, firn_error *err) {
    TRY(list_schema(self, err));
    TRY(list_spec(self, err));
    TRY(list_order(self, err));
    TRY(last_partition(self, err));
    return main_ref(self, err);
}
