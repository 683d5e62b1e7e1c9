#include "tables/iceberg/iceberg_schema_write.h"

#include <stdio.h>

#include "memory/name_index.h"

// ---- Ids ---------------------------------------------------------------------------------------

typedef struct assigner {
    arena *memory;
    int32_t *last_id;
    int32_t format_version;
    text column; // For messages.
    uint32_t depth;
} assigner;

static firn_status no_type(const assigner *self, const type *of, const char *hint,
                           firn_error *err) {
    const text is = type_text(of, self->memory);
    const firn_status status =
        FAIL(err, FIRN_UNSUPPORTED,
             "column \"%.*s\" has type %.*s, which Iceberg tables of version %d have not",
             TEXT_ARGS(self->column), TEXT_ARGS(is), self->format_version);
    if (hint != NULL) {
        err_hint(err, "%s", hint);
    }
    return status;
}

static firn_status plain_type(const assigner *self, const type *of, const type **out,
                              firn_error *err) {
    *out = of;
    switch (of->id) {
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_UTINYINT:
    case TYPE_USMALLINT:
        *out = TYPE_OF(INTEGER);
        return FIRN_OK;
    case TYPE_UINTEGER:
        *out = TYPE_OF(BIGINT);
        return FIRN_OK;
    case TYPE_UBIGINT:
        *out = type_decimal(self->memory, 20, 0);
        return *out == NULL ? ARENA_FULL(self->memory, err) : FIRN_OK;
    case TYPE_FLOAT16:
        *out = TYPE_OF(REAL);
        return FIRN_OK;
    case TYPE_JSON:
        *out = TYPE_OF(VARCHAR);
        return FIRN_OK;
    case TYPE_TIME:
        if (of->unit == UNIT_NANO) {
            return no_type(self, of, "CAST it to microseconds", err);
        }
        *out = TYPE_OF(TIME);
        return FIRN_OK;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        if (of->unit == UNIT_NANO && self->format_version < 3) {
            return no_type(self, of, "CAST it to microseconds", err);
        }
        *out = type_temporal(of->id, of->unit == UNIT_NANO ? UNIT_NANO : UNIT_MICRO);
        return FIRN_OK;
    case TYPE_DECIMAL:
        return of->precision > DECIMAL_PRECISION_I128
                   ? no_type(self, of, "CAST it to at most 38 digits", err)
                   : FIRN_OK;
    case TYPE_BOOLEAN:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
    case TYPE_REAL:
    case TYPE_DOUBLE:
    case TYPE_DATE:
    case TYPE_VARCHAR:
    case TYPE_BINARY:
    case TYPE_UUID:
        return FIRN_OK;
    case TYPE_NULL:
    case TYPE_INTERVAL:
    case TYPE_LIST:
    case TYPE_STRUCT:
    case TYPE_MAP:
    case TYPE_COUNT:
        break;
    }
    return no_type(self, of, NULL, err);
}

// For each field the one of `base` in whose place it is: called alike, or the same part of a list
// or map. NULL: it is new.
static firn_status find_same(assigner *self, type_id parent, const schema *wanted,
                             const schema *base, const field **out, firn_error *err) {
    name_index names = {.count = 0};
    for (uint32_t i = 0; i < base->count && parent == TYPE_STRUCT; i++) {
        TRY(name_index_add(&names, base->fields[i].name, self->memory, err));
    }
    for (uint32_t i = 0; i < wanted->count; i++) {
        const text name = wanted->fields[i].name;
        uint32_t at = parent == TYPE_STRUCT ? name_index_first(&names, name) : i;
        while (parent == TYPE_STRUCT && at != NO_NAME && !text_equal(base->fields[at].name, name)) {
            at = name_index_next(&names, at); // The index is of names in any case.
        }
        out[i] = at < base->count ? &base->fields[at] : NULL;
    }
    return FIRN_OK;
}

// Ids of all fields of one struct, list or map come before those inside of them. Recursion is
// bounded by TYPE_DEPTH_MAX.
static firn_status assign_fields(assigner *self, type_id parent, const schema *wanted,
                                 const schema *base, const field **out, firn_error *err) {
    const uint32_t count = wanted->count;
    field *made = ARENA_NEW(self->memory, field, (size_t)count + 1);
    const field **same = ARENA_NEW(self->memory, const field *, (size_t)count + 1);
    if (made == NULL || same == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    TRY(find_same(self, parent, wanted, base, same, err));
    if (self->depth > TYPE_DEPTH_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "types are nested more than %d deep", TYPE_DEPTH_MAX);
    }
    self->depth++;
    for (uint32_t i = 0; i < count; i++) {
        if (*self->last_id == INT32_MAX) {
            return FAIL(err, FIRN_INVALID, "the table has had as many columns as there are ids");
        }
        made[i] = wanted->fields[i];
        made[i].id = same[i] != NULL ? same[i]->id : ++*self->last_id;
    }
    for (uint32_t i = 0; i < count; i++) {
        const type *of = wanted->fields[i].type;
        if (self->depth == 1) {
            self->column = made[i].name;
        }
        if (!type_is_nested(of)) {
            TRY(plain_type(self, of, &made[i].type, err));
            continue;
        }
        type *copy = ARENA_NEW(self->memory, type, 1);
        if (copy == NULL) {
            return ARENA_FULL(self->memory, err);
        }
        *copy = *of;
        const bool is_alike = same[i] != NULL && same[i]->type->id == of->id;
        const schema inside = {.count = of->child_count, .fields = of->children};
        const schema inside_base = {.count = is_alike ? same[i]->type->child_count : 0,
                                    .fields = is_alike ? same[i]->type->children : NULL};
        TRY(assign_fields(self, of->id, &inside, &inside_base, &copy->children, err));
        made[i].type = copy;
    }
    self->depth--;
    *out = made;
    return FIRN_OK;
}

firn_status ice_schema_assign(const schema *wanted, const schema *base, int32_t format_version,
                              arena *memory, int32_t *last_id, schema *out, firn_error *err) {
    static const schema none = {.count = 0};
    assigner self = {.memory = memory, .last_id = last_id, .format_version = format_version};
    out->count = wanted->count;
    return assign_fields(&self, TYPE_STRUCT, wanted, base == NULL ? &none : base, &out->fields,
                         err);
}

int32_t ice_schema_last_id(const schema *self) {
    int32_t last = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        const field *each = &self->fields[i];
        const schema below = {.count = each->type->child_count, .fields = each->type->children};
        const int32_t inside = ice_schema_last_id(&below);
        last = each->id > last ? each->id : last;
        last = inside > last ? inside : last;
    }
    return last;
}

// ---- JSON --------------------------------------------------------------------------------------

static void write_texts(json_writer *out, const char *key, text value) {
    json_write_key(out, text_of(key));
    json_write_text(out, value);
}

static void write_number(json_writer *out, const char *key, int64_t value) {
    json_write_key(out, text_of(key));
    json_write_i64(out, value);
}

static void write_bool(json_writer *out, const char *key, bool value) {
    json_write_key(out, text_of(key));
    json_write_bool(out, value);
}

static void write_fields(json_writer *out, uint32_t count, const field *fields,
                         const column_note *notes) {
    json_write_key(out, TEXT("fields"));
    json_begin_array(out);
    for (uint32_t i = 0; i < count; i++) {
        json_begin_object(out);
        write_number(out, "id", fields[i].id);
        write_texts(out, "name", fields[i].name);
        write_bool(out, "required", !fields[i].is_nullable);
        json_write_key(out, TEXT("type"));
        ice_type_write(out, fields[i].type);
        if (notes != NULL && notes[i].comment.size > 0) {
            write_texts(out, "doc", notes[i].comment);
        }
        json_end_object(out);
    }
    json_end_array(out);
}

static void write_part(json_writer *out, const char *part, const field *of, bool says_required) {
    char key[32];
    (void)snprintf(key, sizeof key, "%s-id", part);
    write_number(out, key, of->id);
    json_write_key(out, text_of(part));
    ice_type_write(out, of->type);
    if (says_required) {
        (void)snprintf(key, sizeof key, "%s-required", part);
        write_bool(out, key, !of->is_nullable);
    }
}

static void write_nested(json_writer *out, const type *self) {
    json_begin_object(out);
    if (self->id == TYPE_LIST) {
        write_texts(out, "type", TEXT("list"));
        write_part(out, "element", &self->children[0], true);
    } else if (self->id == TYPE_MAP) {
        write_texts(out, "type", TEXT("map"));
        write_part(out, "key", &self->children[0], false);
        write_part(out, "value", &self->children[1], true);
    } else {
        write_texts(out, "type", TEXT("struct"));
        write_fields(out, self->child_count, self->children, NULL);
    }
    json_end_object(out);
}

// The word of a type without parameters.
static const char *plain_word(const type *self) {
    const bool is_nano = self->unit == UNIT_NANO;
    switch ((int)self->id) {
    case TYPE_BOOLEAN:
        return "boolean";
    case TYPE_INTEGER:
        return "int";
    case TYPE_BIGINT:
        return "long";
    case TYPE_REAL:
        return "float";
    case TYPE_DOUBLE:
        return "double";
    case TYPE_DATE:
        return "date";
    case TYPE_TIME:
        return "time";
    case TYPE_TIMESTAMP:
        return is_nano ? "timestamp_ns" : "timestamp";
    case TYPE_TIMESTAMPTZ:
        return is_nano ? "timestamptz_ns" : "timestamptz";
    case TYPE_UUID:
        return "uuid";
    case TYPE_VARCHAR:
        return "string";
    case TYPE_NULL:
        return "unknown";
    default:
        return self == &ice_geometry ? "geometry" : "binary";
    }
}

// Recursion is bounded by TYPE_DEPTH_MAX.
void ice_type_write(json_writer *out, const type *self) {
    char words[32];
    if (type_is_nested(self)) {
        write_nested(out, self);
        return;
    }
    if (self->id == TYPE_DECIMAL) {
        (void)snprintf(words, sizeof words, "decimal(%u, %u)", self->precision, self->scale);
    } else if (self->id == TYPE_BINARY && self->width > 0) {
        (void)snprintf(words, sizeof words, "fixed[%u]", self->width);
    } else {
        (void)snprintf(words, sizeof words, "%s", plain_word(self));
    }
    json_write_text(out, text_of(words));
}

void ice_schema_write(json_writer *out, const ice_schema *self) {
    json_begin_object(out);
    write_texts(out, "type", TEXT("struct"));
    write_number(out, "schema-id", self->id);
    write_fields(out, self->columns.count, self->columns.fields, self->notes);
    json_end_object(out);
}

static void write_transform(json_writer *out, const ice_transform *of, arena *memory) {
    text_builder words = text_builder_open(memory);
    ice_transform_print(of, &words);
    write_texts(out, "transform", (text){.data = words.data, .size = words.size});
}

void ice_spec_write_fields(json_writer *out, const ice_spec *self, arena *memory) {
    json_begin_array(out);
    for (uint32_t i = 0; i < self->count; i++) {
        const ice_partition_field *of = &self->fields[i];
        json_begin_object(out);
        write_texts(out, "name", of->name);
        write_transform(out, &of->transform, memory);
        write_number(out, "source-id", of->source_id);
        write_number(out, "field-id", of->field_id);
        json_end_object(out);
    }
    json_end_array(out);
}

void ice_spec_write(json_writer *out, const ice_spec *self, arena *memory) {
    json_begin_object(out);
    write_number(out, "spec-id", self->id);
    json_write_key(out, TEXT("fields"));
    ice_spec_write_fields(out, self, memory);
    json_end_object(out);
}

void ice_order_write(json_writer *out, const ice_order *self, arena *memory) {
    json_begin_object(out);
    write_number(out, "order-id", self->id);
    json_write_key(out, TEXT("fields"));
    json_begin_array(out);
    for (uint32_t i = 0; i < self->count; i++) {
        const ice_order_field *of = &self->fields[i];
        json_begin_object(out);
        write_transform(out, &of->transform, memory);
        write_number(out, "source-id", of->source_id);
        write_texts(out, "direction", of->is_descending ? TEXT("desc") : TEXT("asc"));
        write_texts(out, "null-order", of->nulls_first ? TEXT("nulls-first") : TEXT("nulls-last"));
        json_end_object(out);
    }
    json_end_array(out);
    json_end_object(out);
}
