#include "formats/parquet/pq_pick.h"

#include <assert.h>

typedef struct picking {
    const pq_file *file;
    pq_match match;
    arena *memory;
} picking;

pq_file_field pq_file_column(const pq_file *self, uint32_t i) {
    assert(i < self->types.columns.count);
    return (pq_file_field){.node = &self->metadata->schema->root.children[i],
                           .type = self->types.columns.fields[i].type};
}

static bool is_wanted(const pq_node *node, pq_match match, text name, int32_t id) {
    return match == PQ_MATCH_ID ? node->has_field_id && node->field_id == id
                                : text_equal(node->name, name);
}

pq_file_field pq_file_find(const pq_file *self, pq_match match, text name, int32_t id) {
    for (uint32_t i = 0; i < self->types.columns.count; i++) {
        if (is_wanted(&self->metadata->schema->root.children[i], match, name, id)) {
            return pq_file_column(self, i);
        }
    }
    return (pq_file_field){.node = NULL};
}

pq_file_field pq_file_find_child(const pq_file_field *parent, pq_match match, text name,
                                 int32_t id) {
    for (uint32_t i = 0; i < parent->type->child_count; i++) {
        if (is_wanted(&parent->node->children[i], match, name, id)) {
            return (pq_file_field){.node = &parent->node->children[i],
                                   .type = parent->type->children[i].type};
        }
    }
    return (pq_file_field){.node = NULL};
}

firn_status pq_pick_null(const type *kind, arena *memory, pq_pick *out, firn_error *err) {
    column *value = ARENA_NEW(memory, column, 1);
    if (value == NULL) {
        return ARENA_FULL(memory, err);
    }
    TRY(column_new_null(memory, kind, 1, value, err));
    *out = pq_pick_constant(value);
    return FIRN_OK;
}

pq_pick pq_pick_constant(const column *value) {
    return (pq_pick){.kind = PQ_PICK_CONSTANT, .type = value->type, .constant = value};
}

pq_pick pq_pick_position(void) {
    return (pq_pick){.kind = PQ_PICK_POSITION, .type = TYPE_OF(UBIGINT)};
}

static firn_status fail_types(const picking *self, const pq_file_field *from, const type *wanted,
                              firn_error *err) {
    const text is = type_text(from->type, self->memory);
    const text want = type_text(wanted, self->memory);
    return FAIL(err, FIRN_UNSUPPORTED, "column \"%.*s\" is %.*s, not %.*s",
                TEXT_ARGS(from->node->name), TEXT_ARGS(is), TEXT_ARGS(want));
}

// Recursion follows the file's schema, whose depth is bounded.
static firn_status pick(const picking *self, const pq_file_field *from, const type *wanted,
                        pq_pick *out, firn_error *err);

static firn_status new_children(const picking *self, pq_pick *out, uint32_t count,
                                firn_error *err) {
    out->children = ARENA_NEW(self->memory, pq_pick, count == 0 ? 1 : count);
    if (out->children == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    out->child_count = count;
    return FIRN_OK;
}

static firn_status pick_struct(const picking *self, const pq_file_field *from, const type *wanted,
                               pq_pick *out, firn_error *err) {
    out->kind = PQ_PICK_STRUCT;
    TRY(new_children(self, out, wanted->child_count, err));
    for (uint32_t i = 0; i < wanted->child_count; i++) {
        const field *child = &wanted->children[i];
        // The file's own type: by position, since names need not be unique. Another may have more.
        const pq_file_field found =
            wanted == from->type
                ? (pq_file_field){.node = &from->node->children[i], .type = child->type}
                : pq_file_find_child(from, self->match, child->name, child->id);
        if (found.node == NULL) {
            TRY(pq_pick_null(child->type, self->memory, &out->children[i], err));
        } else {
            TRY(pick(self, &found, child->type, &out->children[i], err));
        }
    }
    return FIRN_OK;
}

// A list's element, a map's key and value: by position.
static firn_status pick_list(const picking *self, const pq_file_field *from, const type *wanted,
                             pq_pick *out, firn_error *err) {
    out->kind = PQ_PICK_LIST;
    TRY(new_children(self, out, wanted->child_count, err));
    for (uint32_t i = 0; i < wanted->child_count; i++) {
        const pq_file_field child = {.node = &from->node->children[i],
                                     .type = from->type->children[i].type};
        TRY(pick(self, &child, wanted->children[i].type, &out->children[i], err));
    }
    return FIRN_OK;
}

static firn_status pick(const picking *self, const pq_file_field *from, const type *wanted,
                        pq_pick *out, firn_error *err) {
    *out = (pq_pick){.type = wanted, .node = from->node};
    if (from->node->kind == PQ_NODE_LEAF) {
        const pq_leaf *leaf = &self->file->metadata->schema->leaves[from->node->first_leaf];
        out->kind = PQ_PICK_LEAF;
        out->target = (pq_target){.leaf = leaf, .type = wanted};
        return pq_conversion_find(leaf, from->type, wanted, &out->target.conversion, err);
    }
    if (from->type->id != wanted->id) {
        return fail_types(self, from, wanted, err);
    }
    return from->type->id == TYPE_STRUCT ? pick_struct(self, from, wanted, out, err)
                                         : pick_list(self, from, wanted, out, err);
}

firn_status pq_pick_make(const pq_file *file, const pq_file_field *from, const type *wanted,
                         pq_match match, arena *memory, pq_pick *out, firn_error *err) {
    const picking self = {.file = file, .match = match, .memory = memory};
    return pick(&self, from, wanted == NULL ? from->type : wanted, out, err);
}
