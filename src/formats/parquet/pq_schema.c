#include "formats/parquet/pq_schema.h"

#include <assert.h>

#include "memory/text_builder.h"

typedef struct building {
    const pq_schema_element_list *elements;
    uint32_t *end; // Per element: the index behind its subtree.
    pq_schema *schema;
    arena *memory;
} building;

// Where an element lies: its index and the levels of what surrounds it.
typedef struct place {
    uint32_t index;
    uint8_t definition;
    uint8_t repetition;
} place;

static const pq_schema_element *element_at(const building *self, uint32_t index) {
    assert(index < self->elements->count);
    return &self->elements->items[index];
}

static text element_name(const pq_schema_element *element) {
    return (text){.data = (const char *)element->name.data, .size = element->name.size};
}

static bool is_leaf(const pq_schema_element *element) {
    return pq_schema_element_has_type(element);
}

static bool is_repeated(const pq_schema_element *element) {
    return pq_schema_element_has_repetition(element) && element->repetition == PQ_REPEATED;
}

static uint32_t child_count(const pq_schema_element *element) {
    return is_leaf(element) ? 0 : (uint32_t)element->child_count;
}

// ---- What the file says, checked ----------------------------------------------------------------

static firn_status check_leaf(const pq_schema_element *element, firn_error *err) {
    const text name = element_name(element);
    if (element->type < 0 || element->type >= PQ_TYPE_COUNT) {
        return FAIL(err, FIRN_CORRUPT, "column \"%.*s\" has the unknown type %d", TEXT_ARGS(name),
                    element->type);
    }
    if (element->type == PQ_FIXED && element->type_length <= 0) {
        return FAIL(err, FIRN_CORRUPT, "column \"%.*s\" has values of %d bytes", TEXT_ARGS(name),
                    element->type_length);
    }
    return FIRN_OK;
}

static firn_status check_element(const pq_schema_element *element, bool is_root, firn_error *err) {
    const text name = element_name(element);
    if (is_leaf(element) && !is_root) {
        TRY(check_leaf(element, err));
    } else if (is_leaf(element) || element->child_count < 0 ||
               (element->child_count == 0 && !is_root)) {
        return FAIL(err, FIRN_CORRUPT, "group \"%.*s\" of the schema has %d children",
                    TEXT_ARGS(name), element->child_count);
    }
    if (!is_root && (element->repetition < PQ_REQUIRED || element->repetition > PQ_REPEATED)) {
        return FAIL(err, FIRN_CORRUPT, "column \"%.*s\" has the unknown repetition %d",
                    TEXT_ARGS(name), element->repetition);
    }
    return FIRN_OK;
}

// Fills self->end. A stack of the groups that are open, with the children they still wait for.
static firn_status measure(building *self, firn_error *err) {
    uint32_t open[PQ_SCHEMA_DEPTH_MAX + 1];
    uint32_t wanted[PQ_SCHEMA_DEPTH_MAX + 1];
    uint32_t depth = 0;
    const uint32_t count = (uint32_t)self->elements->count;
    for (uint32_t i = 0; i < count; i++) {
        const pq_schema_element *element = element_at(self, i);
        TRY(check_element(element, i == 0, err));
        if (i > 0 && depth == 0) {
            return FAIL(err, FIRN_CORRUPT, "schema of %u elements ends after %u", count, i);
        }
        if (depth > 0) {
            wanted[depth - 1] -= 1;
        }
        self->end[i] = i + 1;
        if (child_count(element) > 0) {
            if (depth == PQ_SCHEMA_DEPTH_MAX + 1) {
                return FAIL(err, FIRN_CORRUPT, "schema nested deeper than %d", PQ_SCHEMA_DEPTH_MAX);
            }
            open[depth] = i;
            wanted[depth] = child_count(element);
            depth += 1;
        }
        while (depth > 0 && wanted[depth - 1] == 0) {
            self->end[open[depth - 1]] = i + 1;
            depth -= 1;
        }
    }
    if (depth > 0 || count == 0) {
        return FAIL(err, FIRN_CORRUPT, "schema ends within a group");
    }
    return FIRN_OK;
}

// ---- The tree -----------------------------------------------------------------------------------

static bool says_list(const pq_schema_element *element) {
    return (pq_schema_element_has_logical_type(element) &&
            pq_logical_type_has_list(&element->logical_type)) ||
           (pq_schema_element_has_converted_type(element) &&
            element->converted_type == PQ_CONVERTED_LIST);
}

static bool says_map(const pq_schema_element *element) {
    return (pq_schema_element_has_logical_type(element) &&
            pq_logical_type_has_map(&element->logical_type)) ||
           (pq_schema_element_has_converted_type(element) &&
            (element->converted_type == PQ_CONVERTED_MAP ||
             element->converted_type == PQ_CONVERTED_MAP_KEY_VALUE));
}

// True if the repeated child of a LIST group is itself the element, not a wrapper around it.
static bool is_two_level(const building *self, uint32_t list, uint32_t repeated) {
    const pq_schema_element *child = element_at(self, repeated);
    if (is_leaf(child) || child_count(child) != 1) {
        return true;
    }
    if (is_repeated(element_at(self, repeated + 1)) && (says_list(child) || says_map(child))) {
        return true;
    }
    const text name = element_name(child);
    const text outer = element_name(element_at(self, list));
    const text tuple = TEXT("_tuple");
    return text_equal(name, TEXT("array")) ||
           (name.size == outer.size + tuple.size && text_starts_with(name, outer) &&
            text_ends_with(name, tuple));
}

static firn_status build_node(building *self, place at, pq_node *out, firn_error *err);
static firn_status build_content(building *self, place at, pq_node *out, firn_error *err);

// A node without children at `at`, whose own repetition is dealt with.
static pq_node plain_node(const building *self, place at, pq_node_kind kind) {
    const pq_schema_element *element = element_at(self, at.index);
    return (pq_node){
        .kind = kind,
        .has_field_id = pq_schema_element_has_field_id(element),
        .definition = at.definition,
        .repetition = at.repetition,
        .field_id = element->field_id,
        .first_leaf = (uint32_t)self->schema->leaf_count,
        .name = element_name(element),
        .element = element,
    };
}

static firn_status new_children(building *self, pq_node *node, uint32_t count, firn_error *err) {
    pq_node *children = ARENA_NEW(self->memory, pq_node, count);
    if (children == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    node->child_count = count;
    node->children = children;
    return FIRN_OK;
}

static firn_status build_leaf(building *self, place at, pq_node *out, firn_error *err) {
    static const uint32_t widths[PQ_TYPE_COUNT] = {
        [PQ_BOOLEAN] = 1, [PQ_INT32] = 4, [PQ_INT64] = 8,
        [PQ_INT96] = 12,  [PQ_FLOAT] = 4, [PQ_DOUBLE] = 8,
    };
    *out = plain_node(self, at, PQ_NODE_LEAF);
    out->leaf_count = 1;
    pq_schema *schema = self->schema;
    assert(schema->leaf_count < self->elements->count);
    const pq_type type = (pq_type)out->element->type;
    const uint32_t index = out->first_leaf;
    schema->leaf_count += 1;
    schema->leaves[index] = (pq_leaf){
        .node = out,
        .element = out->element,
        .type = type,
        .width = type == PQ_FIXED ? (uint32_t)out->element->type_length : widths[type],
        .definition_max = at.definition,
        .repetition_max = at.repetition,
    };
    (void)err;
    return FIRN_OK;
}

static firn_status build_struct(building *self, place at, pq_node *out, firn_error *err) {
    *out = plain_node(self, at, PQ_NODE_STRUCT);
    TRY(new_children(self, out, child_count(out->element), err));
    uint32_t index = at.index + 1;
    for (size_t i = 0; i < out->child_count; i++) {
        const place child = {index, at.definition, at.repetition};
        TRY(build_node(self, child, &out->children[i], err));
        index = self->end[index];
    }
    return FIRN_OK;
}

// `at` is the LIST group, the element behind it the repeated one.
static firn_status build_list(building *self, place at, pq_node *out, firn_error *err) {
    *out = plain_node(self, at, PQ_NODE_LIST);
    out->element_definition = (uint8_t)(at.definition + 1);
    TRY(new_children(self, out, 1, err));
    place child = {at.index + 1, out->element_definition, (uint8_t)(at.repetition + 1)};
    if (is_two_level(self, at.index, child.index)) {
        return build_content(self, child, &out->children[0], err);
    }
    child.index += 1;
    return build_node(self, child, &out->children[0], err);
}

static firn_status build_map(building *self, place at, pq_node *out, firn_error *err) {
    *out = plain_node(self, at, PQ_NODE_MAP);
    out->element_definition = (uint8_t)(at.definition + 1);
    TRY(new_children(self, out, child_count(element_at(self, at.index + 1)), err));
    place child = {at.index + 2, out->element_definition, (uint8_t)(at.repetition + 1)};
    for (size_t i = 0; i < out->child_count; i++) {
        TRY(build_node(self, child, &out->children[i], err));
        child.index = self->end[child.index];
    }
    return FIRN_OK;
}

// A repeated field outside any LIST: a list that is never NULL and whose elements are never NULL.
static firn_status build_repeated(building *self, place at, pq_node *out, firn_error *err) {
    *out = plain_node(self, at, PQ_NODE_LIST);
    out->element_definition = (uint8_t)(at.definition + 1);
    TRY(new_children(self, out, 1, err));
    const place child = {at.index, out->element_definition, (uint8_t)(at.repetition + 1)};
    return build_content(self, child, &out->children[0], err);
}

// Builds what an element holds, its repetition being dealt with.
static firn_status build_content(building *self, place at, pq_node *out, firn_error *err) {
    const pq_schema_element *element = element_at(self, at.index);
    if (is_leaf(element)) {
        return build_leaf(self, at, out, err);
    }
    firn_status status = FIRN_OK;
    const pq_schema_element *child =
        child_count(element) == 1 ? element_at(self, at.index + 1) : NULL;
    const bool has_entries = child != NULL && is_repeated(child);
    if (has_entries && says_list(element)) {
        status = build_list(self, at, out, err);
    } else if (has_entries && says_map(element) && !is_leaf(child) && child_count(child) <= 2) {
        status = build_map(self, at, out, err);
    } else {
        status = build_struct(self, at, out, err);
    }
    out->leaf_count = (uint32_t)self->schema->leaf_count - out->first_leaf;
    return status;
}

// Recursion is bounded by PQ_SCHEMA_DEPTH_MAX, which `measure` checked.
static firn_status build_node(building *self, place at, pq_node *out, firn_error *err) {
    const pq_schema_element *element = element_at(self, at.index);
    if (is_repeated(element)) {
        TRY(build_repeated(self, at, out, err));
        out->leaf_count = (uint32_t)self->schema->leaf_count - out->first_leaf;
        return FIRN_OK;
    }
    const bool is_optional = element->repetition == PQ_OPTIONAL;
    at.definition = (uint8_t)(at.definition + is_optional);
    TRY(build_content(self, at, out, err));
    out->is_nullable = is_optional;
    return FIRN_OK;
}

firn_status pq_schema_build(const pq_schema_element_list *elements, arena *memory,
                            const pq_schema **out, firn_error *err) {
    if (elements->count > INT32_MAX) {
        return FAIL(err, FIRN_CORRUPT, "schema of %zu elements", elements->count);
    }
    building self = {.elements = elements, .memory = memory};
    self.end = ARENA_NEW(memory, uint32_t, elements->count);
    self.schema = ARENA_NEW(memory, pq_schema, 1);
    pq_leaf *leaves = ARENA_NEW(memory, pq_leaf, elements->count);
    if (self.end == NULL || self.schema == NULL || leaves == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self.schema = (pq_schema){.leaves = NULL};
    TRY(measure(&self, err));
    self.schema->leaves = leaves;
    TRY(build_struct(&self, (place){0}, &self.schema->root, err));
    self.schema->root.leaf_count = (uint32_t)self.schema->leaf_count;
    *out = self.schema;
    return FIRN_OK;
}

firn_status pq_schema_leaf_path(const pq_schema *self, uint32_t leaf, arena *memory, text *out,
                                firn_error *err) {
    assert(leaf < self->leaf_count);
    text_builder path = text_builder_open(memory);
    const pq_node *node = &self->root;
    while (node->kind != PQ_NODE_LEAF) {
        size_t i = 0;
        while (leaf >= node->children[i].first_leaf + node->children[i].leaf_count) {
            i += 1;
            assert(i < node->child_count);
        }
        node = &node->children[i];
        if (path.size > 0) {
            text_append_char(&path, '.');
        }
        text_append(&path, node->name);
    }
    return text_builder_finish(&path, out, err);
}
