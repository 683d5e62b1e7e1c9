#include "tables/iceberg/iceberg_mapping.h"

#define MAPPING_DEPTH_MAX TYPE_DEPTH_MAX

static firn_status read_list(const json_node *list, uint32_t depth, arena *memory,
                             const ice_mapping **out, firn_error *err);

static firn_status read_item(const json_node *node, uint32_t depth, arena *memory, ice_mapped *out,
                             firn_error *err) {
    const json_node *names = NULL;
    const json_node *fields = NULL;
    *out = (ice_mapped){.field_id = -1};
    TRY(json_as_object(node, err));
    TRY(json_want_i32(node, "field-id", &out->field_id, err));
    TRY(json_get_array(node, "names", &names, err));
    TRY(json_want_array(node, "fields", &fields, err));
    text *copy = ARENA_NEW(memory, text, (size_t)names->count + 1);
    if (copy == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (const json_node *each = names->first; each != NULL; each = each->next) {
        text name;
        TRY(json_as_text(each, &name, err));
        TRY(text_copy(memory, name, &copy[out->name_count++], err));
    }
    out->names = copy;
    return fields == NULL ? FIRN_OK : read_list(fields, depth + 1, memory, &out->fields, err);
}

static firn_status read_list(const json_node *list, uint32_t depth, arena *memory,
                             const ice_mapping **out, firn_error *err) {
    TRY(json_as_array(list, err));
    if (depth > MAPPING_DEPTH_MAX) {
        return FAIL(err, FIRN_CORRUPT, "a name mapping is nested more than %d deep",
                    MAPPING_DEPTH_MAX);
    }
    ice_mapping *made = ARENA_NEW(memory, ice_mapping, 1);
    ice_mapped *items = ARENA_NEW(memory, ice_mapped, (size_t)list->count + 1);
    if (made == NULL || items == NULL) {
        return ARENA_FULL(memory, err);
    }
    *made = (ice_mapping){.items = items};
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        TRY(read_item(each, depth, memory, &items[made->count++], err));
    }
    *out = made;
    return FIRN_OK;
}

firn_status ice_mapping_read(const json_node *list, arena *memory, const ice_mapping **out,
                             firn_error *err) {
    return read_list(list, 0, memory, out, err);
}

// What the mapping says of a name, or NULL.
static const ice_mapped *find_name(const ice_mapping *self, text name) {
    for (uint32_t i = 0; self != NULL && i < self->count; i++) {
        for (uint32_t j = 0; j < self->items[i].name_count; j++) {
            if (text_equal(self->items[i].names[j], name)) {
                return &self->items[i];
            }
        }
    }
    return NULL;
}

const field *ice_mapping_find(const ice_mapping *self, const schema *file, int32_t id,
                              const ice_mapping **below) {
    for (uint32_t i = 0; i < file->count; i++) {
        const ice_mapped *mapped = find_name(self, file->fields[i].name);
        if (mapped != NULL && mapped->field_id == id && id >= 0) {
            *below = mapped->fields;
            return &file->fields[i];
        }
    }
    *below = NULL;
    return NULL;
}

// The parts of lists and maps have fixed names in a mapping, whatever the file calls them.
static const ice_mapping *below_part(const ice_mapping *self, const type *of, uint32_t part) {
    const text name = of->id == TYPE_LIST ? TEXT("element")
                      : part == 0         ? TEXT("key")
                                          : TEXT("value");
    const ice_mapped *mapped = find_name(self, name);
    return mapped == NULL ? NULL : mapped->fields;
}

// Recursion follows types, whose depth is bounded.
const type *ice_mapping_rename(const ice_mapping *self, const type *file, const type *wanted,
                               arena *memory) {
    if (!type_is_nested(wanted) || file->id != wanted->id) {
        return wanted;
    }
    type *made = ARENA_NEW(memory, type, 1);
    field *children = ARENA_NEW(memory, field, (size_t)wanted->child_count + 1);
    if (made == NULL || children == NULL) {
        return NULL;
    }
    *made = *wanted;
    made->children = children;
    const schema fields = {.count = file->child_count, .fields = file->children};
    for (uint32_t i = 0; i < wanted->child_count; i++) {
        const ice_mapping *below = NULL;
        const field *found = NULL;
        children[i] = wanted->children[i];
        if (wanted->id == TYPE_STRUCT) {
            found = ice_mapping_find(self, &fields, children[i].id, &below);
            // No file has a name with a NUL in it.
            children[i].name = found == NULL ? (text){.data = "\0", .size = 1} : found->name;
        } else if (i < file->child_count) {
            found = &file->children[i];
            below = below_part(self, wanted, i);
        }
        if (found != NULL) {
            children[i].type = ice_mapping_rename(below, found->type, children[i].type, memory);
        }
        if (children[i].type == NULL) {
            return NULL;
        }
    }
    return made;
}

bool ice_schema_has_ids(const schema *file) {
    for (uint32_t i = 0; i < file->count; i++) {
        const schema below = {.count = file->fields[i].type->child_count,
                              .fields = file->fields[i].type->children};
        if (file->fields[i].id >= 0 || ice_schema_has_ids(&below)) {
            return true;
        }
    }
    return false;
}
