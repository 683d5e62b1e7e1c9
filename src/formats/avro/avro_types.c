#include "formats/avro/avro_types.h"

// Whose type is being made, outermost first: a record among them again contains itself.
typedef struct open_record {
    const avro_schema *record;
    const struct open_record *outer;
} open_record;

static firn_status make_type(arena *memory, const avro_schema *value, const open_record *outer,
                             const type **out, bool *is_nullable, firn_error *err);

bool avro_unit_of(avro_logical logical, time_unit *out) {
    switch ((int)logical) {
    case AVRO_LOGICAL_TIME_MILLIS:
    case AVRO_LOGICAL_TIMESTAMP_MILLIS:
    case AVRO_LOGICAL_LOCAL_TIMESTAMP_MILLIS:
        *out = UNIT_MILLI;
        return true;
    case AVRO_LOGICAL_TIME_MICROS:
    case AVRO_LOGICAL_TIMESTAMP_MICROS:
    case AVRO_LOGICAL_LOCAL_TIMESTAMP_MICROS:
        *out = UNIT_MICRO;
        return true;
    case AVRO_LOGICAL_TIME_NANOS:
    case AVRO_LOGICAL_TIMESTAMP_NANOS:
    case AVRO_LOGICAL_LOCAL_TIMESTAMP_NANOS:
        *out = UNIT_NANO;
        return true;
    default:
        return false;
    }
}

static firn_status keep_type(arena *memory, type made, const type **out, firn_error *err) {
    type *copy = ARENA_NEW(memory, type, 1);
    if (copy == NULL) {
        return ARENA_FULL(memory, err);
    }
    *copy = made;
    copy->unit = UNIT_MICRO;
    *out = copy;
    return FIRN_OK;
}

// The type that a logical type says; *out stays NULL if it says nothing here.
static firn_status logical_type(arena *memory, const avro_schema *value, const type **out,
                                firn_error *err) {
    time_unit unit = UNIT_MICRO;
    const bool has_unit = avro_unit_of(value->logical, &unit);
    switch ((int)value->logical) {
    case AVRO_LOGICAL_DECIMAL:
        if (value->precision > DECIMAL_PRECISION_MAX) {
            return FIRN_OK;
        }
        return keep_type(memory,
                         (type){.id = TYPE_DECIMAL,
                                .precision = (uint8_t)value->precision,
                                .scale = (uint8_t)value->scale},
                         out, err);
    case AVRO_LOGICAL_UUID:
        *out = TYPE_OF(UUID);
        return FIRN_OK;
    case AVRO_LOGICAL_DATE:
        *out = TYPE_OF(DATE);
        return FIRN_OK;
    case AVRO_LOGICAL_DURATION:
        *out = TYPE_OF(INTERVAL);
        return FIRN_OK;
    case AVRO_LOGICAL_TIME_MILLIS:
    case AVRO_LOGICAL_TIME_MICROS:
    case AVRO_LOGICAL_TIME_NANOS:
        *out = type_temporal(TYPE_TIME, unit);
        return FIRN_OK;
    case AVRO_LOGICAL_TIMESTAMP_MILLIS:
    case AVRO_LOGICAL_TIMESTAMP_MICROS:
    case AVRO_LOGICAL_TIMESTAMP_NANOS:
        *out = type_temporal(value->adjust == AVRO_ADJUST_NOT ? TYPE_TIMESTAMP : TYPE_TIMESTAMPTZ,
                             unit);
        return FIRN_OK;
    default:
        *out = has_unit ? type_temporal(TYPE_TIMESTAMP, unit) : NULL;
        return FIRN_OK;
    }
}

static firn_status primitive_type(arena *memory, const avro_schema *value, const type **out,
                                  firn_error *err) {
    switch ((int)value->kind) {
    case AVRO_BOOLEAN:
        *out = TYPE_OF(BOOLEAN);
        return FIRN_OK;
    case AVRO_INT:
        *out = TYPE_OF(INTEGER);
        return FIRN_OK;
    case AVRO_LONG:
        *out = TYPE_OF(BIGINT);
        return FIRN_OK;
    case AVRO_FLOAT:
        *out = TYPE_OF(REAL);
        return FIRN_OK;
    case AVRO_DOUBLE:
        *out = TYPE_OF(DOUBLE);
        return FIRN_OK;
    case AVRO_BYTES:
        *out = TYPE_OF(BINARY);
        return FIRN_OK;
    case AVRO_STRING:
    case AVRO_ENUM:
        *out = TYPE_OF(VARCHAR);
        return FIRN_OK;
    case AVRO_FIXED:
        return keep_type(memory, (type){.id = TYPE_BINARY, .width = value->size}, out, err);
    default:
        *out = TYPE_OF(NULL);
        return FIRN_OK;
    }
}

// Fills in a child of a nested type, or a column.
static firn_status set_child(arena *memory, text name, int32_t id, const avro_schema *value,
                             const open_record *outer, field *out, firn_error *err) {
    *out = (field){.name = name, .id = id};
    const firn_status status = make_type(memory, value, outer, &out->type, &out->is_nullable, err);
    if (status != FIRN_OK) {
        err_while(err, "making the type of \"%.*s\"", TEXT_ARGS(name));
    }
    return status;
}

static firn_status set_fields(arena *memory, const avro_schema *record, const open_record *outer,
                              schema *out, firn_error *err) {
    for (const open_record *at = outer; at != NULL; at = at->outer) {
        if (at->record == record) {
            return FAIL(err, FIRN_UNSUPPORTED, "Avro record \"%.*s\" contains itself",
                        TEXT_ARGS(record->name));
        }
    }
    const open_record self = {.record = record, .outer = outer};
    field *fields = ARENA_NEW(memory, field, record->count == 0 ? 1 : record->count);
    if (fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < record->count; i++) {
        const avro_field *from = &record->fields[i];
        TRY(set_child(memory, from->original_name, from->id, from->schema, &self, &fields[i], err));
    }
    *out = (schema){.count = record->count, .fields = fields};
    return FIRN_OK;
}

static firn_status array_type(arena *memory, const avro_schema *value, const open_record *outer,
                              const type **out, firn_error *err) {
    if (value->logical == AVRO_LOGICAL_MAP) {
        schema pair;
        TRY(set_fields(memory, value->element, outer, &pair, err));
        return keep_type(memory, (type){.id = TYPE_MAP, .child_count = 2, .children = pair.fields},
                         out, err);
    }
    field *child = ARENA_NEW(memory, field, 1);
    if (child == NULL) {
        return ARENA_FULL(memory, err);
    }
    TRY(set_child(memory, TEXT("element"), value->element_id, value->element, outer, child, err));
    return keep_type(memory, (type){.id = TYPE_LIST, .child_count = 1, .children = child}, out,
                     err);
}

static firn_status map_type(arena *memory, const avro_schema *value, const open_record *outer,
                            const type **out, firn_error *err) {
    field *pair = ARENA_NEW(memory, field, 2);
    if (pair == NULL) {
        return ARENA_FULL(memory, err);
    }
    pair[0] = (field){.name = TEXT("key"), .type = TYPE_OF(VARCHAR), .id = value->key_id};
    TRY(set_child(memory, TEXT("value"), value->value_id, value->element, outer, &pair[1], err));
    return keep_type(memory, (type){.id = TYPE_MAP, .child_count = 2, .children = pair}, out, err);
}

uint32_t avro_choice_count(const avro_schema *value) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < value->count; i++) {
        count += value->choices[i]->kind != AVRO_NULL ? 1 : 0;
    }
    return count;
}

// The wider type, if all branches but null are plain numbers of one family; else NULL.
static const type *number_type(const avro_schema *value) {
    uint32_t integers = 0;
    uint32_t reals = 0;
    for (uint32_t i = 0; i < value->count; i++) {
        const avro_schema *choice = value->choices[i];
        const bool is_plain = choice->logical == AVRO_LOGICAL_NONE;
        integers += is_plain && (choice->kind == AVRO_INT || choice->kind == AVRO_LONG) ? 1 : 0;
        reals += is_plain && (choice->kind == AVRO_FLOAT || choice->kind == AVRO_DOUBLE) ? 1 : 0;
    }
    const uint32_t count = avro_choice_count(value);
    if (integers == count) {
        return TYPE_OF(BIGINT);
    }
    return reals == count ? TYPE_OF(DOUBLE) : NULL;
}

static firn_status union_type(arena *memory, const avro_schema *value, const open_record *outer,
                              const type **out, bool *is_nullable, firn_error *err) {
    const uint32_t count = avro_choice_count(value);
    *is_nullable = count < value->count;
    if (count == 0) {
        *out = TYPE_OF(NULL);
        return FIRN_OK;
    }
    if (count > 1) {
        *out = number_type(value);
        if (*out != NULL) {
            return FIRN_OK;
        }
    }
    field *members = ARENA_NEW(memory, field, count);
    if (members == NULL) {
        return ARENA_FULL(memory, err);
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < value->count; i++) {
        if (value->choices[i]->kind == AVRO_NULL) {
            continue;
        }
        text name;
        TRY(text_format(memory, &name, err, "member%u", used));
        TRY(set_child(memory, name, AVRO_ID_NONE, value->choices[i], outer, &members[used], err));
        members[used].is_nullable = true;
        used += 1;
    }
    if (count == 1) {
        *out = members[0].type;
        return FIRN_OK;
    }
    return keep_type(memory, (type){.id = TYPE_STRUCT, .child_count = count, .children = members},
                     out, err);
}

static firn_status make_type(arena *memory, const avro_schema *value, const open_record *outer,
                             const type **out, bool *is_nullable, firn_error *err) {
    *out = NULL;
    *is_nullable = value->kind == AVRO_NULL;
    switch ((int)value->kind) {
    case AVRO_UNION:
        return union_type(memory, value, outer, out, is_nullable, err);
    case AVRO_ARRAY:
        return array_type(memory, value, outer, out, err);
    case AVRO_MAP:
        return map_type(memory, value, outer, out, err);
    case AVRO_RECORD: {
        schema fields;
        TRY(set_fields(memory, value, outer, &fields, err));
        return keep_type(
            memory,
            (type){.id = TYPE_STRUCT, .child_count = fields.count, .children = fields.fields}, out,
            err);
    }
    default:
        TRY(logical_type(memory, value, out, err));
        return *out != NULL ? FIRN_OK : primitive_type(memory, value, out, err);
    }
}

static uint32_t depth_of(const type *self) {
    uint32_t deepest = 0;
    for (uint32_t i = 0; i < self->child_count; i++) {
        const uint32_t depth = depth_of(self->children[i].type);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

firn_status avro_type_of(arena *memory, const avro_schema *value, const type **out,
                         bool *is_nullable, firn_error *err) {
    TRY(make_type(memory, value, NULL, out, is_nullable, err));
    if (depth_of(*out) > TYPE_DEPTH_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "types nested more than %d deep", TYPE_DEPTH_MAX);
    }
    return FIRN_OK;
}

firn_status avro_record_of(arena *memory, const avro_schema *value, const avro_schema **out,
                           firn_error *err) {
    if (value->kind == AVRO_RECORD) {
        *out = value;
        return FIRN_OK;
    }
    avro_schema *record = ARENA_NEW(memory, avro_schema, 1);
    avro_field *only = ARENA_NEW(memory, avro_field, 1);
    if (record == NULL || only == NULL) {
        return ARENA_FULL(memory, err);
    }
    *only = (avro_field){
        .name = TEXT("value"),
        .original_name = TEXT("value"),
        .schema = value,
        .id = AVRO_ID_NONE,
    };
    *record = (avro_schema){
        .kind = AVRO_RECORD,
        .size_min = value->size_min,
        .count = 1,
        .fields = only,
        .element_id = AVRO_ID_NONE,
        .key_id = AVRO_ID_NONE,
        .value_id = AVRO_ID_NONE,
    };
    *out = record;
    return FIRN_OK;
}

firn_status avro_types_of(arena *memory, const avro_schema *file, schema *out, firn_error *err) {
    const avro_schema *record;
    const type *whole;
    bool is_nullable;
    TRY(avro_record_of(memory, file, &record, err));
    TRY(avro_type_of(memory, record, &whole, &is_nullable, err));
    *out = (schema){.count = whole->child_count, .fields = whole->children};
    return FIRN_OK;
}
