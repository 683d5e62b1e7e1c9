// The property schema.name-mapping.default, by which files without ids are read, after a column
// came or got another name: as Java's MappingUtil.update has it. Old names stay, unless a column
// that is new or newly called so has them now; what was never mapped stays so.
#include "memory/json_edit.h"
#include "tables/iceberg/iceberg_change_alter.h"

#define MAPPING "schema.name-mapping.default"
#define PARTS_MAX 2 // Of a map: key and value.

typedef struct remapping {
    json_editor edit;
    int32_t last_id;    // Before: ids above are of new columns.
    int64_t renamed_id; // -1: none.
} remapping;

// A field of a struct, or what a list or map consists of.
typedef struct part {
    int64_t id;
    text name;
    const json_node *type;
} part;

typedef struct part_list {
    uint32_t count;
    part *items;
} part_list;

static text kind_of(const json_node *type) {
    const json_node *kind =
        type == NULL || type->kind != JSON_OBJECT ? NULL : json_find(type, "type");
    return kind == NULL || kind->kind != JSON_STRING ? (text){.size = 0} : kind->value;
}

static firn_status add_part(const json_node *of, const char *id_key, text name,
                            const char *type_key, part_list *out, firn_error *err) {
    part *made = &out->items[out->count];
    *made = (part){.name = name, .type = json_find(of, type_key)};
    TRY(json_get_i64(of, id_key, &made->id, err));
    out->count++;
    return FIRN_OK;
}

static firn_status parts_of(remapping *self, const json_node *type, part_list *out,
                            firn_error *err) {
    const text kind = kind_of(type);
    const json_node *fields = NULL;
    *out = (part_list){.count = 0};
    if (text_equal(kind, TEXT("struct"))) {
        TRY(json_get_array(type, "fields", &fields, err));
    }
    out->items = ARENA_NEW(self->edit.memory, part,
                           (fields == NULL ? 0 : (size_t)fields->count) + PARTS_MAX);
    if (out->items == NULL) {
        return ARENA_FULL(self->edit.memory, err);
    }
    for (const json_node *each = fields == NULL ? NULL : fields->first; each != NULL;
         each = each->next) {
        text name;
        TRY(json_get_text(each, "name", &name, err));
        TRY(add_part(each, "id", name, "type", out, err));
    }
    if (text_equal(kind, TEXT("list"))) {
        TRY(add_part(type, "element-id", TEXT("element"), "element", out, err));
    } else if (text_equal(kind, TEXT("map"))) {
        TRY(add_part(type, "key-id", TEXT("key"), "key", out, err));
        TRY(add_part(type, "value-id", TEXT("value"), "value", out, err));
    }
    return FIRN_OK;
}

static bool is_changed(const remapping *self, const part *of) {
    return of->id > self->last_id || of->id == self->renamed_id;
}

// Whether another part has that name since now.
static bool is_taken(const remapping *self, const part_list *parts, int64_t id, text name) {
    for (uint32_t i = 0; i < parts->count; i++) {
        if (parts->items[i].id != id && is_changed(self, &parts->items[i]) &&
            text_equal(parts->items[i].name, name)) {
            return true;
        }
    }
    return false;
}

static const json_node *names_of(remapping *self, const json_node *entry, int64_t id,
                                 const part *renamed, const part_list *parts) {
    const json_node *was = json_find(entry, "names");
    const json_node *made = json_edit_array(&self->edit);
    bool has_new = renamed == NULL;
    for (const json_node *each = was == NULL || was->kind != JSON_ARRAY ? NULL : was->first;
         each != NULL && !self->edit.is_full; each = each->next) {
        if (each->kind == JSON_STRING && !is_taken(self, parts, id, each->value)) {
            made = json_edit_append(&self->edit, made, each);
            has_new = has_new || text_equal(each->value, renamed->name);
        }
    }
    return has_new || self->edit.is_full
               ? made
               : json_edit_append(&self->edit, made, json_edit_text(&self->edit, renamed->name));
}

static firn_status map_parts(remapping *self, const json_node *mapped, const json_node *type,
                             const json_node **out, firn_error *err);

// With what is inside of it, if that is mapped or new.
static firn_status put_inside(remapping *self, const json_node *entry, const json_node *type,
                              const json_node **out, firn_error *err) {
    const json_node *inside;
    TRY(map_parts(self, json_find(entry, "fields"), type, &inside, err));
    *out =
        inside->count == 0 ? entry : json_edit_member(&self->edit, entry, TEXT("fields"), inside);
    return json_edit_check(&self->edit, err);
}

static firn_status map_entry(remapping *self, const json_node *entry, const part_list *parts,
                             const json_node **out, firn_error *err) {
    const part *of = NULL;
    int64_t id = -1; // A name that is of no field.
    TRY(json_want_i64(entry, "field-id", &id, err));
    for (uint32_t i = 0; i < parts->count; i++) {
        of = parts->items[i].id == id ? &parts->items[i] : of;
    }
    const part *renamed = of != NULL && id == self->renamed_id ? of : NULL;
    const json_node *names = names_of(self, entry, id, renamed, parts);
    TRY(json_edit_check(&self->edit, err));
    *out = json_edit_member(&self->edit, entry, TEXT("names"), names);
    TRY(json_edit_check(&self->edit, err));
    return of == NULL ? FIRN_OK : put_inside(self, *out, of->type, out, err);
}

static firn_status add_entry(remapping *self, const part *of, const json_node **out,
                             firn_error *err) {
    json_editor *edit = &self->edit;
    const json_node *names = json_edit_array(edit);
    TRY(json_edit_check(edit, err));
    names = json_edit_append(edit, names, json_edit_text(edit, of->name));
    const json_node *made = json_edit_object(edit);
    TRY(json_edit_check(edit, err));
    made = json_edit_member(edit, made, TEXT("field-id"), json_edit_i64(edit, of->id));
    TRY(json_edit_check(edit, err));
    made = json_edit_member(edit, made, TEXT("names"), names);
    TRY(json_edit_check(edit, err));
    return put_inside(self, made, of->type, out, err);
}

// What is mapped of the parts of a type, as it is to be. Recursion is bounded by the schema's
// depth.
static firn_status map_parts(remapping *self, const json_node *mapped, const json_node *type,
                             const json_node **out, firn_error *err) {
    part_list parts;
    const json_node *one;
    const json_node *made = json_edit_array(&self->edit);
    TRY(parts_of(self, type, &parts, err));
    TRY(json_edit_check(&self->edit, err));
    for (const json_node *each = mapped == NULL || mapped->kind != JSON_ARRAY ? NULL
                                                                              : mapped->first;
         each != NULL; each = each->next) {
        TRY(each->kind == JSON_OBJECT ? map_entry(self, each, &parts, &one, err)
                                      : FAIL(err, FIRN_CORRUPT, "a mapping is no object"));
        made = json_edit_append(&self->edit, made, one);
        TRY(json_edit_check(&self->edit, err));
    }
    for (uint32_t i = 0; i < parts.count; i++) {
        if (parts.items[i].id > self->last_id) {
            TRY(add_entry(self, &parts.items[i], &one, err));
            made = json_edit_append(&self->edit, made, one);
            TRY(json_edit_check(&self->edit, err));
        }
    }
    *out = made;
    return FIRN_OK;
}

firn_status ice_alter_mapping(ice_play *play, const json_node *schema, int32_t last_id,
                              int64_t renamed_id, ice_updates *updates, firn_error *err) {
    const text was = ice_root_property(play->root, MAPPING);
    remapping self = {
        .edit = {.memory = &play->memory}, .last_id = last_id, .renamed_id = renamed_id};
    const json_node *mapped;
    const json_node *now;
    text json;
    if (was.size == 0) {
        return FIRN_OK;
    }
    const firn_status status = json_tree_read(&play->memory, bytes_of_text(was), &mapped, err);
    if (status != FIRN_OK || mapped->kind != JSON_ARRAY) {
        return status_is_refusal(status) ? status : err_forgive(err, status, status); // It stays.
    }
    TRY(map_parts(&self, mapped, schema, &now, err));
    if (json_nodes_equal(mapped, now)) {
        return FIRN_OK;
    }
    text_builder builder = text_builder_open(&play->memory);
    json_writer writer = json_writer_into(&builder, 0);
    json_write_node(&writer, now);
    json_writer_finish(&writer);
    TRY(text_builder_finish(&builder, &json, err));
    const firn_option option = {.key = MAPPING, .value = json.data};
    ice_update_set_properties(updates, 1, &option);
    return FIRN_OK;
}
