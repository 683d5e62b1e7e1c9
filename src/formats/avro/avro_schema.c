#include "formats/avro/avro_schema.h"

#include <assert.h>
#include <limits.h>

#include "base/checked.h"
#include "base/hash.h"
#include "memory/json_tree.h"

#define TABLE_COUNT_MIN 16

// Named types that were declared so far: a hash table with linear probing, at most half full.
typedef struct name_table {
    avro_schema **slots;
    uint32_t slot_count; // A power of two, or 0.
    uint32_t used_count;
} name_table;

typedef struct schema_reader {
    arena *memory;
    name_table names;
    uint32_t record_count;
    uint32_t depth;
} schema_reader;

static firn_status read_type(schema_reader *self, const json_node *node, text space,
                             const avro_schema **out, firn_error *err);

// ---- Names -----------------------------------------------------------------------------------

static uint32_t first_slot(const name_table *self, text name) {
    return (uint32_t)(hash_bytes(name.data, name.size) & (self->slot_count - 1));
}

// The slot that holds `name`, or the empty one where it belongs.
static avro_schema **find_slot(const name_table *self, text name) {
    uint32_t at = first_slot(self, name);
    while (self->slots[at] != NULL && !text_equal(self->slots[at]->name, name)) {
        at = (at + 1) & (self->slot_count - 1);
    }
    return &self->slots[at];
}

static avro_schema *find_named(const name_table *self, text name) {
    return self->slot_count == 0 ? NULL : *find_slot(self, name);
}

static firn_status grow_names(schema_reader *self, firn_error *err) {
    name_table *names = &self->names;
    name_table wider = {
        .slot_count = names->slot_count == 0 ? TABLE_COUNT_MIN : names->slot_count * 2,
        .used_count = names->used_count,
    };
    wider.slots = ARENA_NEW(self->memory, avro_schema *, wider.slot_count);
    if (wider.slots == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memset(wider.slots, 0, wider.slot_count * sizeof *wider.slots);
    for (uint32_t i = 0; i < names->slot_count; i++) {
        if (names->slots[i] != NULL) {
            *find_slot(&wider, names->slots[i]->name) = names->slots[i];
        }
    }
    *names = wider;
    return FIRN_OK;
}

// Enters a named type. One that is declared again replaces the first from there on: some writers
// repeat a fixed type at each place instead of naming it.
static firn_status declare(schema_reader *self, avro_schema *schema, firn_error *err) {
    if (self->names.used_count >= self->names.slot_count / 2) {
        TRY(grow_names(self, err));
    }
    avro_schema **slot = find_slot(&self->names, schema->name);
    self->names.used_count += *slot == NULL ? 1 : 0;
    *slot = schema;
    return FIRN_OK;
}

static bool has_dot(text name) {
    return text_find(name, TEXT(".")) < name.size;
}

// A name with the namespace of where it stands, unless it has its own.
static firn_status full_name(schema_reader *self, text name, text space, text *out,
                             firn_error *err) {
    if (space.size == 0 || has_dot(name)) {
        *out = name;
        return FIRN_OK;
    }
    return text_format(self->memory, out, err, "%.*s.%.*s", TEXT_ARGS(space), TEXT_ARGS(name));
}

// The namespace that a full name ends its last dot of; "" if it has none.
static text space_of(text name) {
    size_t end = name.size;
    while (end > 0 && name.data[end - 1] != '.') {
        end -= 1;
    }
    return text_slice(name, 0, end > 0 ? end - 1 : 0);
}

// The texts of an array of JSON strings; `space` is put before each (NULL: they are no names).
static firn_status read_texts(schema_reader *self, const json_node *list, const text *space,
                              const text **out, uint32_t *count, firn_error *err) {
    text *texts = ARENA_NEW(self->memory, text, list->count);
    if (texts == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    uint32_t at = 0;
    for (const json_node *node = list->first; node != NULL; node = node->next) {
        TRY(json_as_text(node, &texts[at], err));
        if (space != NULL) {
            TRY(full_name(self, texts[at], *space, &texts[at], err));
        }
        at += 1;
    }
    *out = texts;
    *count = at;
    return FIRN_OK;
}

static firn_status read_aliases(schema_reader *self, const json_node *node, const text *space,
                                const text **out, uint32_t *count, firn_error *err) {
    const json_node *list = json_find(node, "aliases");
    if (list == NULL || list->kind != JSON_ARRAY) {
        return FIRN_OK;
    }
    return read_texts(self, list, space, out, count, err);
}

// ---- Attributes ------------------------------------------------------------------------------

// An attribute of Iceberg's; one of another program that is called the same is ignored.
static int32_t read_id(const json_node *node, const char *key) {
    const json_node *value = json_find(node, key);
    int64_t number;
    if (value == NULL || value->kind != JSON_NUMBER ||
        number_parse_i64(value->value, &number) != NUMBER_OK || number < 0 || number > INT32_MAX) {
        return AVRO_ID_NONE;
    }
    return (int32_t)number;
}

static uint32_t read_count(const json_node *node, const char *key) {
    const int32_t value = read_id(node, key);
    return value < 0 ? 0 : (uint32_t)value;
}

// Whether a logical type may stand on what it stands on.
static bool logical_fits(const avro_schema *schema, avro_logical logical) {
    const avro_kind kind = schema->kind;
    switch (logical) {
    case AVRO_LOGICAL_DECIMAL:
        return kind == AVRO_BYTES || kind == AVRO_FIXED;
    case AVRO_LOGICAL_UUID:
        return kind == AVRO_STRING || (kind == AVRO_FIXED && schema->size == 16);
    case AVRO_LOGICAL_DATE:
    case AVRO_LOGICAL_TIME_MILLIS:
        return kind == AVRO_INT;
    case AVRO_LOGICAL_TIME_MICROS:
    case AVRO_LOGICAL_TIME_NANOS:
    case AVRO_LOGICAL_TIMESTAMP_MILLIS:
    case AVRO_LOGICAL_TIMESTAMP_MICROS:
    case AVRO_LOGICAL_TIMESTAMP_NANOS:
    case AVRO_LOGICAL_LOCAL_TIMESTAMP_MILLIS:
    case AVRO_LOGICAL_LOCAL_TIMESTAMP_MICROS:
    case AVRO_LOGICAL_LOCAL_TIMESTAMP_NANOS:
        return kind == AVRO_LONG;
    case AVRO_LOGICAL_DURATION:
        return kind == AVRO_FIXED && schema->size == 12;
    case AVRO_LOGICAL_MAP:
        return kind == AVRO_ARRAY && schema->element->kind == AVRO_RECORD &&
               schema->element->count == 2;
    case AVRO_LOGICAL_VARIANT:
        return kind == AVRO_RECORD;
    case AVRO_LOGICAL_NONE:
    case AVRO_LOGICAL_COUNT:
        break;
    }
    return false;
}

// The most digits that every number of them fits into `size` bytes of two's complement.
static uint32_t digits_of(uint32_t size) {
    return size == 0 ? 0 : (uint32_t)(((uint64_t)size * 8 - 1) * 30103 / 100000);
}

static void read_decimal(const json_node *node, avro_schema *schema) {
    const uint32_t precision = read_count(node, "precision");
    const uint32_t scale = read_count(node, "scale");
    const bool fits = schema->kind != AVRO_FIXED || precision <= digits_of(schema->size);
    if (precision > 0 && scale <= precision && fits) {
        schema->logical = AVRO_LOGICAL_DECIMAL;
        schema->precision = precision;
        schema->scale = scale;
    }
}

static void read_logical(const json_node *node, avro_schema *schema) {
    static const char *const words[AVRO_LOGICAL_COUNT] = {
#define X(name, word) [AVRO_LOGICAL_##name] = word,
        AVRO_LOGICAL_LIST(X)
#undef X
    };
    const json_node *value = json_find(node, "logicalType");
    if (value == NULL || value->kind != JSON_STRING) {
        return;
    }
    for (int i = AVRO_LOGICAL_NONE + 1; i < (int)AVRO_LOGICAL_COUNT; i++) {
        const avro_logical logical = (avro_logical)i;
        if (!text_equal(value->value, text_of(words[i])) || !logical_fits(schema, logical)) {
            continue;
        }
        if (logical == AVRO_LOGICAL_DECIMAL) {
            read_decimal(node, schema);
        } else {
            schema->logical = logical;
        }
    }
    const json_node *adjust = json_find(node, "adjust-to-utc");
    if (adjust != NULL && adjust->kind == JSON_TRUE) {
        schema->adjust = AVRO_ADJUST_TO_UTC;
    } else if (adjust != NULL && adjust->kind == JSON_FALSE) {
        schema->adjust = AVRO_ADJUST_NOT;
    }
}

// ---- Types -----------------------------------------------------------------------------------

static bool find_kind(text word, avro_kind *out) {
    static const char *const words[AVRO_KIND_COUNT] = {
#define X(name, word) word,
        AVRO_KIND_LIST(X)
#undef X
    };
    for (int i = 0; i < (int)AVRO_KIND_COUNT; i++) {
        if (text_equal(word, text_of(words[i]))) {
            *out = (avro_kind)i;
            return true;
        }
    }
    if (text_equal(word, TEXT("error"))) { // A record in protocols.
        *out = AVRO_RECORD;
        return true;
    }
    return false;
}

static bool is_primitive(avro_kind kind) {
    return kind <= AVRO_STRING;
}

static uint32_t primitive_size_min(avro_kind kind) {
    switch ((int)kind) {
    case AVRO_NULL:
        return 0;
    case AVRO_FLOAT:
        return 4;
    case AVRO_DOUBLE:
        return 8;
    default:
        return 1;
    }
}

static firn_status new_schema(schema_reader *self, avro_kind kind, avro_schema **out,
                              firn_error *err) {
    *out = ARENA_NEW(self->memory, avro_schema, 1);
    if (*out == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    **out = (avro_schema){
        .kind = kind,
        .size_min = primitive_size_min(kind),
        .element_id = AVRO_ID_NONE,
        .key_id = AVRO_ID_NONE,
        .value_id = AVRO_ID_NONE,
    };
    return FIRN_OK;
}

// Reads name, namespace and aliases, and makes the type known under its name.
static firn_status read_name(schema_reader *self, const json_node *node, text space,
                             avro_schema *schema, firn_error *err) {
    text name;
    TRY(json_get_text(node, "name", &name, err));
    text own_space = space;
    TRY(json_want_text(node, "namespace", &own_space, err));
    TRY(full_name(self, name, own_space, &schema->name, err));
    own_space = space_of(schema->name);
    TRY(read_aliases(self, node, &own_space, &schema->aliases, &schema->alias_count, err));
    return declare(self, schema, err);
}

static firn_status read_field(schema_reader *self, const json_node *node, text space,
                              avro_field *out, firn_error *err) {
    TRY(json_as_object(node, err));
    *out = (avro_field){.id = read_id(node, "field-id")};
    TRY(json_get_text(node, "name", &out->name, err));
    out->original_name = out->name;
    const json_node *original = json_find(node, "iceberg-field-name");
    if (original != NULL && original->kind == JSON_STRING) {
        out->original_name = original->value;
    }
    TRY(read_aliases(self, node, NULL, &out->aliases, &out->alias_count, err));
    const json_node *type = json_find(node, "type");
    if (type == NULL) {
        return json_node_fail(node, err, "has no \"type\"");
    }
    return read_type(self, type, space, &out->schema, err);
}

static firn_status read_record(schema_reader *self, const json_node *node, text space,
                               avro_schema *schema, firn_error *err) {
    TRY(read_name(self, node, space, schema, err));
    schema->number = self->record_count++;
    const json_node *list;
    TRY(json_get_array(node, "fields", &list, err));
    avro_field *fields = ARENA_NEW(self->memory, avro_field, list->count);
    if (fields == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    // A field of a record that is being read counts as 1 byte, as new_schema set it: it refers to
    // itself, so somewhere in it is a union, array or map.
    uint64_t size_min = 0;
    uint32_t count = 0;
    for (const json_node *field = list->first; field != NULL; field = field->next) {
        TRY(read_field(self, field, space_of(schema->name), &fields[count], err));
        size_min += fields[count].schema->size_min;
        count += 1;
    }
    schema->fields = fields;
    schema->count = count;
    schema->size_min = size_min < UINT32_MAX ? (uint32_t)size_min : UINT32_MAX;
    return FIRN_OK;
}

static firn_status read_enum(schema_reader *self, const json_node *node, text space,
                             avro_schema *schema, firn_error *err) {
    TRY(read_name(self, node, space, schema, err));
    const json_node *list;
    TRY(json_get_array(node, "symbols", &list, err));
    schema->size_min = 1;
    return read_texts(self, list, NULL, &schema->symbols, &schema->count, err);
}

static firn_status read_fixed(schema_reader *self, const json_node *node, text space,
                              avro_schema *schema, firn_error *err) {
    TRY(read_name(self, node, space, schema, err));
    int32_t size;
    TRY(json_get_i32(node, "size", &size, err));
    if (size < 0) {
        return json_node_fail(json_find(node, "size"), err, "is %d, at least 0 is allowed", size);
    }
    schema->size = (uint32_t)size;
    schema->size_min = schema->size;
    return FIRN_OK;
}

static firn_status read_element(schema_reader *self, const json_node *node, const char *key,
                                text space, avro_schema *schema, firn_error *err) {
    const json_node *element = json_find(node, key);
    if (element == NULL) {
        return json_node_fail(node, err, "has no \"%s\"", key);
    }
    schema->size_min = 1;
    schema->element_id = read_id(node, "element-id");
    schema->key_id = read_id(node, "key-id");
    schema->value_id = read_id(node, "value-id");
    return read_type(self, element, space, &schema->element, err);
}

static firn_status read_union(schema_reader *self, const json_node *list, text space,
                              const avro_schema **out, firn_error *err) {
    avro_schema *schema;
    TRY(new_schema(self, AVRO_UNION, &schema, err));
    const avro_schema **choices = ARENA_NEW(self->memory, const avro_schema *, list->count);
    if (choices == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (const json_node *node = list->first; node != NULL; node = node->next) {
        TRY(read_type(self, node, space, &choices[schema->count], err));
        schema->count += 1;
    }
    schema->choices = choices;
    *out = schema;
    return FIRN_OK;
}

// A primitive by its word, or a type that was declared before by its name.
static firn_status read_reference(schema_reader *self, const json_node *node, text space,
                                  const avro_schema **out, firn_error *err) {
    const text word = node->value;
    avro_kind kind;
    if (find_kind(word, &kind) && is_primitive(kind)) {
        avro_schema *schema;
        TRY(new_schema(self, kind, &schema, err));
        *out = schema;
        return FIRN_OK;
    }
    text name;
    TRY(full_name(self, word, space, &name, err));
    avro_schema *named = find_named(&self->names, name);
    if (named == NULL) {
        named = find_named(&self->names, word);
    }
    if (named == NULL) {
        return json_node_fail(node, err, "is \"%.*s\", which is no type that was declared before",
                              TEXT_ARGS(word));
    }
    named->is_shared = true;
    *out = named;
    return FIRN_OK;
}

static firn_status read_object(schema_reader *self, const json_node *node, text space,
                               const avro_schema **out, firn_error *err) {
    const json_node *type = json_find(node, "type");
    if (type == NULL) {
        return json_node_fail(node, err, "has no \"type\"");
    }
    avro_kind kind;
    if (type->kind != JSON_STRING || !find_kind(type->value, &kind)) {
        return read_type(self, type, space, out, err); // {"type": {"type": ...}} or a name.
    }
    avro_schema *schema;
    TRY(new_schema(self, kind, &schema, err));
    *out = schema;
    switch ((int)kind) {
    case AVRO_RECORD:
        TRY(read_record(self, node, space, schema, err));
        break;
    case AVRO_ENUM:
        TRY(read_enum(self, node, space, schema, err));
        break;
    case AVRO_FIXED:
        TRY(read_fixed(self, node, space, schema, err));
        break;
    case AVRO_ARRAY:
        TRY(read_element(self, node, "items", space, schema, err));
        break;
    case AVRO_MAP:
        TRY(read_element(self, node, "values", space, schema, err));
        break;
    case AVRO_UNION:
        return json_node_fail(type, err, "is \"union\"; a union is written as an array");
    default:
        break;
    }
    read_logical(node, schema);
    return FIRN_OK;
}

static firn_status read_type(schema_reader *self, const json_node *node, text space,
                             const avro_schema **out, firn_error *err) {
    if (self->depth == AVRO_DEPTH_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "types nested more than %d deep", AVRO_DEPTH_MAX);
    }
    self->depth += 1;
    firn_status status;
    switch ((int)node->kind) {
    case JSON_STRING:
        status = read_reference(self, node, space, out, err);
        break;
    case JSON_OBJECT:
        status = read_object(self, node, space, out, err);
        break;
    case JSON_ARRAY:
        status = read_union(self, node, space, out, err);
        break;
    default:
        status =
            json_node_fail(node, err, "is %s, a type is required", json_kind_words(node->kind));
        break;
    }
    self->depth -= 1;
    return status;
}

firn_status avro_schema_read(arena *memory, bytes json, const avro_schema **out, firn_error *err) {
    const json_node *root;
    firn_status status = json_tree_read(memory, json, &root, err);
    if (status == FIRN_OK) {
        schema_reader self = {.memory = memory};
        status = read_type(&self, root, TEXT(""), out, err);
        assert(status != FIRN_OK || self.depth == 0);
    }
    if (status != FIRN_OK) {
        err_while(err, "reading the Avro schema");
    }
    return status;
}

// ---- Looking -----------------------------------------------------------------------------------

text avro_schema_text(const avro_schema *self) {
    static const char *const words[AVRO_KIND_COUNT] = {
#define X(name, word) word,
        AVRO_KIND_LIST(X)
#undef X
    };
    assert(self->kind < AVRO_KIND_COUNT);
    return self->name.size > 0 ? self->name : text_of(words[self->kind]);
}

const avro_field *avro_field_by_id(const avro_schema *self, int32_t id) {
    for (uint32_t i = 0; self->kind == AVRO_RECORD && i < self->count; i++) {
        if (self->fields[i].id == id) {
            return &self->fields[i];
        }
    }
    return NULL;
}

const avro_field *avro_field_by_name(const avro_schema *self, text name) {
    for (uint32_t i = 0; self->kind == AVRO_RECORD && i < self->count; i++) {
        if (text_equal(self->fields[i].original_name, name)) {
            return &self->fields[i];
        }
    }
    return NULL;
}

const avro_schema *avro_option_of(const avro_schema *self, uint32_t *null_branch) {
    if (self->kind != AVRO_UNION || self->count != 2) {
        return NULL;
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (self->choices[i]->kind == AVRO_NULL && self->choices[1 - i]->kind != AVRO_NULL) {
            *null_branch = i;
            return self->choices[1 - i];
        }
    }
    return NULL;
}

// Does not enter types that are referred to by name: they may lie on a cycle, and whatever has ids
// has one on the way to them.
static bool has_ids(const avro_schema *self, uint32_t depth) {
    if (self->element_id >= 0 || self->key_id >= 0 || self->value_id >= 0) {
        return true;
    }
    if (depth == 0) {
        return false;
    }
    bool found =
        self->element != NULL && !self->element->is_shared && has_ids(self->element, depth - 1);
    for (uint32_t i = 0; !found && i < self->count; i++) {
        if (self->kind == AVRO_RECORD) {
            found = self->fields[i].id >= 0 || (!self->fields[i].schema->is_shared &&
                                                has_ids(self->fields[i].schema, depth - 1));
        } else if (self->kind == AVRO_UNION) {
            found = !self->choices[i]->is_shared && has_ids(self->choices[i], depth - 1);
        }
    }
    return found;
}

bool avro_schema_has_ids(const avro_schema *self) {
    return has_ids(self, AVRO_DEPTH_MAX);
}
