#include "formats/parquet/pq_types.h"

#include <assert.h>

#include "formats/parquet/pq_annotation.h"
#include "formats/parquet/pq_arrow_hint.h"

#define UUID_WIDTH 16

typedef struct finding {
    const pq_type_options *options;
    const pq_schema *schema;
    const type **leaves;
    arena *memory;
} finding;

static firn_status full(const finding *self, const type *made, const type **out, firn_error *err) {
    if (made == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    *out = made;
    return FIRN_OK;
}

static firn_status find_decimal(const finding *self, const pq_annotation *annotation,
                                const type **out, firn_error *err) {
    const int32_t precision = annotation->precision;
    const int32_t scale = annotation->scale;
    if (precision < 1 || scale < 0 || scale > precision) {
        return FAIL(err, FIRN_CORRUPT, "DECIMAL(%d,%d)", precision, scale);
    }
    if (precision > DECIMAL_PRECISION_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "DECIMAL(%d,%d), at most %d digits are possible",
                    precision, scale, DECIMAL_PRECISION_MAX);
    }
    return full(self, type_decimal(self->memory, (uint8_t)precision, (uint8_t)scale), out, err);
}

static const type *integer_type(uint32_t bits, bool is_signed) {
    switch (bits) {
    case 8:
        return is_signed ? TYPE_OF(TINYINT) : TYPE_OF(UTINYINT);
    case 16:
        return is_signed ? TYPE_OF(SMALLINT) : TYPE_OF(USMALLINT);
    case 32:
        return is_signed ? TYPE_OF(INTEGER) : TYPE_OF(UINTEGER);
    default:
        return is_signed ? TYPE_OF(BIGINT) : TYPE_OF(UBIGINT);
    }
}

static const type *temporal_type(const pq_annotation *annotation, const pq_arrow_hint *hint) {
    static const time_unit units[] = {
        [PQ_MILLIS] = UNIT_MILLI, [PQ_MICROS] = UNIT_MICRO, [PQ_NANOS] = UNIT_NANO};
    const time_unit unit = units[annotation->unit];
    if (annotation->meaning == PQ_MEANS_TIME) {
        return type_temporal(TYPE_TIME, unit);
    }
    const bool is_hinted = hint != NULL && hint->kind == PQ_HINT_TIMESTAMP;
    const bool is_utc = is_hinted ? hint->has_zone : annotation->is_utc;
    return type_temporal(is_utc ? TYPE_TIMESTAMPTZ : TYPE_TIMESTAMP, unit);
}

// A leaf without annotation: its physical type, and what the hint adds.
static firn_status find_plain(const finding *self, const pq_leaf *leaf, const pq_arrow_hint *hint,
                              const type **out, firn_error *err) {
    const bool is_hinted = hint != NULL && hint->kind == PQ_HINT_INTEGER;
    switch (leaf->type) {
    case PQ_BOOLEAN:
        *out = TYPE_OF(BOOLEAN);
        return FIRN_OK;
    case PQ_INT32:
        *out = is_hinted && hint->bits <= 32 ? integer_type(hint->bits, hint->is_signed)
                                             : TYPE_OF(INTEGER);
        return FIRN_OK;
    case PQ_INT64:
        *out = is_hinted && !hint->is_signed && (hint->bits == 32 || hint->bits == 64)
                   ? integer_type(hint->bits, false)
                   : TYPE_OF(BIGINT);
        return FIRN_OK;
    case PQ_INT96:
        *out =
            type_temporal(TYPE_TIMESTAMP, self->options->int96_in_micros ? UNIT_MICRO : UNIT_NANO);
        return FIRN_OK;
    case PQ_FLOAT:
        *out = TYPE_OF(REAL);
        return FIRN_OK;
    case PQ_DOUBLE:
        *out = TYPE_OF(DOUBLE);
        return FIRN_OK;
    case PQ_BYTE_ARRAY:
        *out = self->options->binary_as_string ? TYPE_OF(VARCHAR) : TYPE_OF(BINARY);
        return FIRN_OK;
    case PQ_FIXED:
        if (hint != NULL && text_equal(hint->extension, TEXT("arrow.uuid")) &&
            leaf->width == UUID_WIDTH) {
            *out = TYPE_OF(UUID);
            return FIRN_OK;
        }
        return full(self, type_binary(self->memory, leaf->width), out, err);
    case PQ_TYPE_COUNT:
        break;
    }
    return FAIL(err, FIRN_INTERNAL, "physical type %d", (int)leaf->type);
}

static firn_status find_leaf(const finding *self, const pq_leaf *leaf, const pq_arrow_hint *hint,
                             const type **out, firn_error *err) {
    const pq_annotation annotation = pq_annotation_of(leaf->element);
    switch (annotation.meaning) {
    case PQ_MEANS_PLAIN:
        return find_plain(self, leaf, hint, out, err);
    case PQ_MEANS_DECIMAL:
        return find_decimal(self, &annotation, out, err);
    case PQ_MEANS_STRING:
    case PQ_MEANS_ENUM:
        *out = TYPE_OF(VARCHAR);
        return FIRN_OK;
    case PQ_MEANS_JSON:
        *out = TYPE_OF(JSON);
        return FIRN_OK;
    case PQ_MEANS_BSON:
    case PQ_MEANS_GEOMETRY:
    case PQ_MEANS_GEOGRAPHY:
        *out = TYPE_OF(BINARY);
        return FIRN_OK;
    case PQ_MEANS_UUID:
        *out = TYPE_OF(UUID);
        return FIRN_OK;
    case PQ_MEANS_DATE:
        *out = TYPE_OF(DATE);
        return FIRN_OK;
    case PQ_MEANS_TIME:
    case PQ_MEANS_TIMESTAMP:
        *out = temporal_type(&annotation, hint);
        return FIRN_OK;
    case PQ_MEANS_INTEGER:
        *out = integer_type(annotation.bits, annotation.is_signed);
        return FIRN_OK;
    case PQ_MEANS_FLOAT16:
        *out = TYPE_OF(FLOAT16);
        return FIRN_OK;
    case PQ_MEANS_INTERVAL:
        *out = TYPE_OF(INTERVAL);
        return FIRN_OK;
    case PQ_MEANS_NULL:
        *out = TYPE_OF(NULL);
        return FIRN_OK;
    }
    return FAIL(err, FIRN_INTERNAL, "meaning %d", (int)annotation.meaning);
}

// Recursion is bounded: a node's depth by the schema's, a type's by TYPE_DEPTH_MAX.
static firn_status find_node(const finding *self, const pq_node *node, const pq_arrow_hint *hint,
                             uint32_t depth, const type **out, firn_error *err);

static firn_status find_children(const finding *self, const pq_node *node,
                                 const pq_arrow_hint *hint, uint32_t depth, field **out,
                                 firn_error *err) {
    field *fields = ARENA_NEW(self->memory, field, node->child_count);
    if (fields == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    // Arrow's map holds a struct of key and value.
    const pq_arrow_hint *inner = node->kind == PQ_NODE_MAP ? pq_arrow_hint_child(hint, 0) : hint;
    for (uint32_t i = 0; i < node->child_count; i++) {
        const pq_node *child = &node->children[i];
        fields[i] = (field){.name = child->name,
                            .is_nullable = child->is_nullable,
                            .id = child->has_field_id ? child->field_id : -1};
        const pq_arrow_hint *child_hint = pq_arrow_hint_child(inner, i);
        const firn_status status =
            find_node(self, child, child_hint, depth + 1, &fields[i].type, err);
        if (status != FIRN_OK) {
            if (depth == 0) {
                err_while(err, "finding the type of column \"%.*s\"", TEXT_ARGS(child->name));
            }
            return status;
        }
    }
    *out = fields;
    return FIRN_OK;
}

// A map whose entries have no values is a list of its keys.
static const type *nested_type(const finding *self, const pq_node *node, field *fields) {
    if (node->kind == PQ_NODE_STRUCT) {
        return type_struct(self->memory, (uint32_t)node->child_count, fields);
    }
    static const char *const names[] = {"key", "value"};
    const bool is_map = node->kind == PQ_NODE_MAP && node->child_count == 2;
    for (uint32_t i = 0; i < node->child_count; i++) {
        fields[i].name = is_map ? text_of(names[i]) : TEXT("element");
    }
    type *made = ARENA_NEW(self->memory, type, 1);
    if (made != NULL) {
        *made = (type){.id = is_map ? TYPE_MAP : TYPE_LIST,
                       .unit = UNIT_MICRO,
                       .child_count = (uint32_t)node->child_count,
                       .children = fields};
    }
    return made;
}

static firn_status find_node(const finding *self, const pq_node *node, const pq_arrow_hint *hint,
                             uint32_t depth, const type **out, firn_error *err) {
    if (depth > TYPE_DEPTH_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "nested deeper than %d", TYPE_DEPTH_MAX);
    }
    if (node->kind == PQ_NODE_LEAF) {
        const pq_leaf *leaf = &self->schema->leaves[node->first_leaf];
        TRY(find_leaf(self, leaf, hint, out, err));
        self->leaves[node->first_leaf] = *out;
        return FIRN_OK;
    }
    field *fields;
    TRY(find_children(self, node, hint, depth, &fields, err));
    return full(self, nested_type(self, node, fields), out, err);
}

firn_status pq_types_find(const pq_metadata *metadata, const pq_type_options *options,
                          arena *memory, pq_file_types *out, firn_error *err) {
    const pq_schema *tree = metadata->schema;
    const finding self = {
        .options = options,
        .schema = tree,
        .leaves = ARENA_NEW(memory, const type *, tree->leaf_count + 1),
        .memory = memory,
    };
    if (self.leaves == NULL) {
        return ARENA_FULL(memory, err);
    }
    const pq_arrow_hint *hint = NULL;
    if (!options->ignore_arrow_hint) {
        hint = pq_arrow_hint_read(pq_metadata_value(metadata, TEXT("ARROW:schema")), memory);
    }
    field *fields;
    TRY(find_children(&self, &tree->root, hint, 0, &fields, err));
    out->columns = (struct schema){.count = (uint32_t)tree->root.child_count, .fields = fields};
    out->leaves = self.leaves;
    return FIRN_OK;
}
