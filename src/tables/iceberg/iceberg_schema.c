#include "tables/iceberg/iceberg_schema.h"

#include <stdlib.h>

#include "memory/arena_grow.h"
#include "tables/iceberg/iceberg_value.h"

#define ICE_FIELDS_MAX 1000000

typedef struct schema_reader {
    arena *memory;
    uint32_t depth;
    uint32_t id_count;
    uint32_t id_capacity;
    int32_t *ids;
    uint32_t default_count;
    uint32_t default_capacity;
    ice_default *defaults;
} schema_reader;

// ---- Primitive types ---------------------------------------------------------------------------

static text trimmed(text value) {
    while (value.size > 0 && (value.data[0] == ' ' || value.data[0] == '\t')) {
        value.data++;
        value.size--;
    }
    while (value.size > 0 &&
           (value.data[value.size - 1] == ' ' || value.data[value.size - 1] == '\t')) {
        value.size--;
    }
    return value;
}

// The text between `open` and `close` behind a word: "9, 2" of "decimal(9, 2)".
static bool inside_brackets(text name, text word, char open, char close, text *out) {
    if (!text_starts_with(name, word) || name.data[name.size - 1] != close) {
        return false;
    }
    const text rest = trimmed(text_slice(name, word.size, name.size));
    if (rest.size < 2 || rest.data[0] != open) {
        return false;
    }
    *out = text_slice(rest, 1, rest.size - 1);
    return true;
}

static firn_status read_decimal(const json_node *node, text inside, arena *memory, const type **out,
                                firn_error *err) {
    const size_t comma = text_find(inside, TEXT(","));
    int64_t precision = 0;
    int64_t scale = 0;
    if (comma == inside.size ||
        number_parse_i64(trimmed(text_slice(inside, 0, comma)), &precision) != NUMBER_OK ||
        number_parse_i64(trimmed(text_slice(inside, comma + 1, inside.size)), &scale) !=
            NUMBER_OK) {
        return json_node_fail(node, err, "is \"decimal(%.*s)\", not a type", TEXT_ARGS(inside));
    }
    if (precision < 1 || precision > 38 || scale < 0 || scale > precision) {
        return json_node_fail(node, err,
                              "is a decimal of precision %lld and scale %lld, at most 38 digits "
                              "with the scale not above them are allowed",
                              (long long)precision, (long long)scale);
    }
    *out = type_decimal(memory, (uint8_t)precision, (uint8_t)scale);
    return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

static firn_status read_fixed(const json_node *node, text inside, arena *memory, const type **out,
                              firn_error *err) {
    int64_t size = 0;
    if (number_parse_i64(trimmed(inside), &size) != NUMBER_OK || size < 1 || size > INT32_MAX) {
        return json_node_fail(node, err,
                              "is \"fixed[%.*s]\", a length of 1 to 2147483647 is allowed",
                              TEXT_ARGS(inside));
    }
    *out = type_binary(memory, (uint32_t)size);
    return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

static firn_status read_primitive(const json_node *node, arena *memory, const type **out,
                                  firn_error *err) {
    text name;
    TRY(json_as_text(node, &name, err));
    name = trimmed(name);
    const struct {
        text word;
        const type *is;
    } plain[] = {
        {TEXT("boolean"), TYPE_OF(BOOLEAN)},
        {TEXT("int"), TYPE_OF(INTEGER)},
        {TEXT("long"), TYPE_OF(BIGINT)},
        {TEXT("float"), TYPE_OF(REAL)},
        {TEXT("double"), TYPE_OF(DOUBLE)},
        {TEXT("date"), TYPE_OF(DATE)},
        {TEXT("time"), TYPE_OF(TIME)},
        {TEXT("timestamp"), TYPE_OF(TIMESTAMP)},
        {TEXT("timestamptz"), TYPE_OF(TIMESTAMPTZ)},
        {TEXT("timestamp_ns"), type_temporal(TYPE_TIMESTAMP, UNIT_NANO)},
        {TEXT("timestamptz_ns"), type_temporal(TYPE_TIMESTAMPTZ, UNIT_NANO)},
        {TEXT("string"), TYPE_OF(VARCHAR)},
        {TEXT("uuid"), TYPE_OF(UUID)},
        {TEXT("binary"), TYPE_OF(BINARY)},
        {TEXT("unknown"), TYPE_OF(NULL)},
        {TEXT("geometry"), &ice_geometry},
        {TEXT("geography"), &ice_geometry},
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (text_equal(name, plain[i].word)) {
            *out = plain[i].is;
            return FIRN_OK;
        }
    }
    text inside;
    if (inside_brackets(name, TEXT("decimal"), '(', ')', &inside)) {
        return read_decimal(node, inside, memory, out, err);
    }
    if (inside_brackets(name, TEXT("fixed"), '[', ']', &inside)) {
        return read_fixed(node, inside, memory, out, err);
    }
    if (inside_brackets(name, TEXT("geometry"), '(', ')', &inside) ||
        inside_brackets(name, TEXT("geography"), '(', ')', &inside)) {
        *out = &ice_geometry;
        return FIRN_OK;
    }
    if (text_equal(name, TEXT("variant"))) {
        return FAIL(err, FIRN_UNSUPPORTED, "the type \"variant\" is not read");
    }
    return json_node_fail(node, err, "is \"%.*s\", not a type", TEXT_ARGS(name));
}

// ---- Nested types ------------------------------------------------------------------------------

static firn_status take_id(schema_reader *self, int32_t id, firn_error *err) {
    int32_t *ids =
        ARENA_GROW(self->memory, int32_t, self->ids, self->id_count, 1, &self->id_capacity);
    if (ids == NULL || self->id_capacity > ICE_FIELDS_MAX) {
        return ARENA_FULL(self->memory, err);
    }
    self->ids = ids;
    self->ids[self->id_count++] = id;
    return FIRN_OK;
}

static firn_status read_type(schema_reader *self, const json_node *node, const type **out,
                             firn_error *err);

static firn_status add_default(schema_reader *self, const json_node *node, const field *of,
                               firn_error *err) {
    const json_node *value = json_find(node, "initial-default");
    if (value == NULL || value->kind == JSON_NULL || type_is_nested(of->type)) {
        return FIRN_OK;
    }
    ice_default *defaults = ARENA_GROW(self->memory, ice_default, self->defaults,
                                       self->default_count, 1, &self->default_capacity);
    if (defaults == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    self->defaults = defaults;
    ice_default *made = &self->defaults[self->default_count];
    made->field_id = of->id;
    TRY(ice_value_of_json(of->type, value, self->memory, &made->value, err));
    self->default_count++;
    return FIRN_OK;
}

static firn_status read_fields(schema_reader *self, const json_node *node, schema *out,
                               firn_error *err) {
    const json_node *list;
    TRY(json_get_array(node, "fields", &list, err));
    field *fields = ARENA_NEW(self->memory, field, (size_t)list->count + 1);
    if (fields == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    *out = (schema){.fields = fields};
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        field *made = &fields[out->count];
        bool is_required;
        text name;
        TRY(json_as_object(each, err));
        TRY(json_get_i32(each, "id", &made->id, err));
        TRY(json_get_text(each, "name", &name, err));
        TRY(json_get_bool(each, "required", &is_required, err));
        TRY(text_copy(self->memory, name, &made->name, err));
        TRY(take_id(self, made->id, err));
        const json_node *kind = json_find(each, "type");
        if (kind == NULL) {
            return json_node_fail(each, err, "has no \"type\"");
        }
        TRY(read_type(self, kind, &made->type, err));
        made->is_nullable = !is_required || made->type->id == TYPE_NULL;
        TRY(add_default(self, each, made, err));
        out->count++;
    }
    return FIRN_OK;
}

// The element of a list, the key or value of a map.
static firn_status read_part(schema_reader *self, const json_node *node, const char *part,
                             field *out, firn_error *err) {
    text key;
    TRY(text_format(self->memory, &key, err, "%s-id", part));
    TRY(json_get_i32(node, key.data, &out->id, err));
    TRY(take_id(self, out->id, err));
    bool is_required = true;
    if (strcmp(part, "key") != 0) {
        TRY(text_format(self->memory, &key, err, "%s-required", part));
        TRY(json_get_bool(node, key.data, &is_required, err));
    }
    const json_node *kind = json_find(node, part);
    if (kind == NULL) {
        return json_node_fail(node, err, "has no \"%s\"", part);
    }
    out->is_nullable = !is_required;
    return read_type(self, kind, &out->type, err);
}

// A type whose children have ids, which the constructors of column/type.h do not take.
static firn_status with_children(schema_reader *self, type_id id, uint32_t count,
                                 const field *children, const type **out, firn_error *err) {
    type *made = ARENA_NEW(self->memory, type, 1);
    field *copy = ARENA_NEW(self->memory, field, (size_t)count + 1);
    if (made == NULL || copy == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    if (count > 0) {
        memcpy(copy, children, count * sizeof *copy);
    }
    *made = (type){.id = id, .child_count = count, .children = copy};
    *out = made;
    return FIRN_OK;
}

static firn_status read_nested(schema_reader *self, const json_node *node, const type **out,
                               firn_error *err) {
    text kind;
    TRY(json_as_object(node, err));
    TRY(json_get_text(node, "type", &kind, err));
    if (text_equal(kind, TEXT("struct"))) {
        schema fields;
        TRY(read_fields(self, node, &fields, err));
        return with_children(self, TYPE_STRUCT, fields.count, fields.fields, out, err);
    }
    if (text_equal(kind, TEXT("list"))) {
        field element = {.name = TEXT("element")};
        TRY(read_part(self, node, "element", &element, err));
        return with_children(self, TYPE_LIST, 1, &element, out, err);
    }
    if (text_equal(kind, TEXT("map"))) {
        field parts[2] = {{.name = TEXT("key")}, {.name = TEXT("value")}};
        TRY(read_part(self, node, "key", &parts[0], err));
        TRY(read_part(self, node, "value", &parts[1], err));
        return with_children(self, TYPE_MAP, 2, parts, out, err);
    }
    return json_node_fail(node, err, "is \"%.*s\", not a type", TEXT_ARGS(kind));
}

// Recursion is bounded by TYPE_DEPTH_MAX.
static firn_status read_type(schema_reader *self, const json_node *node, const type **out,
                             firn_error *err) {
    if (node->kind == JSON_STRING) {
        return read_primitive(node, self->memory, out, err);
    }
    if (self->depth == TYPE_DEPTH_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "types are nested more than %d deep", TYPE_DEPTH_MAX);
    }
    self->depth++;
    TRY(read_nested(self, node, out, err));
    self->depth--;
    return FIRN_OK;
}

// The SQL of a value of a column: 5, 'x', '2020-01-01'.
static firn_status print_value(const type *of, const json_node *node, arena *memory, text *out,
                               firn_error *err) {
    const column *value;
    TRY(ice_value_of_json(of, node, memory, &value, err));
    text_builder plain = text_builder_open(memory);
    column_print_row(value, 0, &plain);
    const type_category category = type_category_of(of);
    const bool is_bare = category == CATEGORY_INTEGER || category == CATEGORY_DECIMAL ||
                         category == CATEGORY_BOOLEAN;
    text_builder quoted = text_builder_open(memory);
    text_append(&quoted, is_bare ? TEXT("") : TEXT("'"));
    for (size_t i = 0; i < plain.size; i++) {
        text_append(&quoted, !is_bare && plain.data[i] == '\'' ? TEXT("'") : TEXT(""));
        text_append_char(&quoted, plain.data[i]);
    }
    text_append(&quoted, is_bare ? TEXT("") : TEXT("'"));
    return text_builder_finish(&quoted, out, err);
}

static firn_status read_doc(const json_node *node, arena *memory, text *out, firn_error *err) {
    const json_node *doc = json_find(node, "doc");
    text words;
    if (doc == NULL || doc->kind != JSON_STRING) {
        return FIRN_OK;
    }
    TRY(json_as_text(doc, &words, err));
    return text_copy(memory, words, out, err);
}

// Docs inside of a type, whose JSON was read already: it is as the type is. Recursion is bounded by
// TYPE_DEPTH_MAX.
static firn_status read_docs_inside(const json_node *node, const type *of, arena *memory,
                                    const column_note **out, firn_error *err) {
    static const char *const parts[] = {"key", "value"};
    if (!type_is_nested(of)) {
        return FIRN_OK;
    }
    column_note *made = ARENA_NEW(memory, column_note, (size_t)of->child_count + 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    const json_node *fields = of->id == TYPE_STRUCT ? json_find(node, "fields") : NULL;
    const json_node *each = fields == NULL ? NULL : fields->first;
    for (uint32_t i = 0; i < of->child_count; i++) {
        const json_node *inside;
        made[i] = (column_note){0};
        if (of->id == TYPE_STRUCT) {
            TRY(read_doc(each, memory, &made[i].comment, err));
            inside = json_find(each, "type");
            each = each->next;
        } else {
            inside = json_find(node, of->id == TYPE_LIST ? "element" : parts[i]);
        }
        TRY(read_docs_inside(inside, of->children[i].type, memory, &made[i].children, err));
    }
    *out = made;
    return FIRN_OK;
}

static firn_status read_notes(const json_node *node, arena *memory, ice_schema *out,
                              firn_error *err) {
    const json_node *list;
    TRY(json_get_array(node, "fields", &list, err));
    column_note *notes = ARENA_NEW(memory, column_note, (size_t)list->count + 1);
    if (notes == NULL) {
        return ARENA_FULL(memory, err);
    }
    uint32_t count = 0;
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        column_note *made = &notes[count];
        const type *of = out->columns.fields[count++].type;
        const json_node *value = json_find(each, "write-default");
        *made = (column_note){0};
        TRY(read_doc(each, memory, &made->comment, err));
        TRY(read_docs_inside(json_find(each, "type"), of, memory, &made->children, err));
        if (value != NULL && value->kind != JSON_NULL && !type_is_nested(of)) {
            TRY(print_value(of, value, memory, &made->default_value, err));
        }
    }
    out->notes = notes;
    return FIRN_OK;
}

static int compare_ids(const void *left, const void *right) {
    const int32_t l = *(const int32_t *)left;
    const int32_t r = *(const int32_t *)right;
    return (l > r) - (l < r);
}

firn_status ice_schema_read(const json_node *node, arena *memory, ice_schema *out,
                            firn_error *err) {
    schema_reader self = {.memory = memory};
    *out = (ice_schema){.id = 0};
    text kind = TEXT("struct");
    TRY(json_as_object(node, err));
    TRY(json_want_text(node, "type", &kind, err));
    if (!text_equal(kind, TEXT("struct"))) {
        return json_node_fail(node, err, "is a \"%.*s\", a schema is a struct", TEXT_ARGS(kind));
    }
    TRY(json_want_i32(node, "schema-id", &out->id, err));
    TRY(read_fields(&self, node, &out->columns, err));
    TRY(read_notes(node, memory, out, err));
    if (self.id_count > 1) {
        qsort(self.ids, self.id_count, sizeof *self.ids, compare_ids);
    }
    for (uint32_t i = 1; i < self.id_count; i++) {
        if (self.ids[i] == self.ids[i - 1]) {
            return json_node_fail(node, err, "has field id %d twice", self.ids[i]);
        }
    }
    out->defaults = self.defaults;
    out->default_count = self.default_count;
    return FIRN_OK;
}

const field *ice_schema_find(const schema *self, int32_t field_id) {
    for (uint32_t i = 0; i < self->count; i++) {
        const field *each = &self->fields[i];
        if (each->id == field_id) {
            return each;
        }
        const schema below = {.count = each->type->child_count, .fields = each->type->children};
        const field *found = ice_schema_find(&below, field_id);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

const column *ice_schema_default(const ice_schema *self, int32_t field_id) {
    for (uint32_t i = 0; i < self->default_count; i++) {
        if (self->defaults[i].field_id == field_id) {
            return self->defaults[i].value;
        }
    }
    return NULL;
}
