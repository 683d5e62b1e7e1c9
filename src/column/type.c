#include "column/type.h"

#include <assert.h>

#include "base/hash.h"
#include "column/value.h"

#define TYPE(name, text, phys, category, bytes)                                                    \
    [TYPE_##name] = {.id = TYPE_##name, .unit = UNIT_MICRO},
const type type_constants[TYPE_COUNT] = {
#include "column/types.def"
};
#undef TYPE

typedef struct type_row {
    const char *name;
    physical layout;
    type_category category;
    bool equal_is_bytes;
} type_row;

#define TYPE(id, text, phys, category, bytes)                                                      \
    [TYPE_##id] = {text, PHYSICAL_##phys, CATEGORY_##category, bytes},
static const type_row rows[TYPE_COUNT] = {
#include "column/types.def"
};
#undef TYPE

// The units that are not the constants' microseconds.
#define UNIT_ROW(type_id_, unit_) {.id = (type_id_), .unit = (unit_)}
static const type temporal_types[3][4] = {
    {UNIT_ROW(TYPE_TIME, UNIT_SECOND), UNIT_ROW(TYPE_TIME, UNIT_MILLI),
     UNIT_ROW(TYPE_TIME, UNIT_MICRO), UNIT_ROW(TYPE_TIME, UNIT_NANO)},
    {UNIT_ROW(TYPE_TIMESTAMP, UNIT_SECOND), UNIT_ROW(TYPE_TIMESTAMP, UNIT_MILLI),
     UNIT_ROW(TYPE_TIMESTAMP, UNIT_MICRO), UNIT_ROW(TYPE_TIMESTAMP, UNIT_NANO)},
    {UNIT_ROW(TYPE_TIMESTAMPTZ, UNIT_SECOND), UNIT_ROW(TYPE_TIMESTAMPTZ, UNIT_MILLI),
     UNIT_ROW(TYPE_TIMESTAMPTZ, UNIT_MICRO), UNIT_ROW(TYPE_TIMESTAMPTZ, UNIT_NANO)},
};

static type *new_type(arena *memory, type value) {
    type *out = ARENA_NEW(memory, type, 1);
    if (out != NULL) {
        *out = value;
    }
    return out;
}

const type *type_decimal(arena *memory, uint8_t precision, uint8_t scale) {
    assert(precision > 0 && precision <= DECIMAL_PRECISION_MAX && scale <= precision);
    return new_type(
        memory,
        (type){.id = TYPE_DECIMAL, .precision = precision, .scale = scale, .unit = UNIT_MICRO});
}

const type *type_binary(arena *memory, uint32_t width) {
    return new_type(memory, (type){.id = TYPE_BINARY, .width = width, .unit = UNIT_MICRO});
}

const type *type_temporal(type_id id, time_unit unit) {
    assert(id == TYPE_TIME || id == TYPE_TIMESTAMP || id == TYPE_TIMESTAMPTZ);
    return &temporal_types[id - TYPE_TIME][unit];
}

const type *type_struct(arena *memory, uint32_t count, const field *fields) {
    field *copies = ARENA_NEW(memory, field, count == 0 ? 1 : count);
    if (copies == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        copies[i] = fields[i];
    }
    return new_type(
        memory,
        (type){.id = TYPE_STRUCT, .unit = UNIT_MICRO, .child_count = count, .children = copies});
}

const type *type_list(arena *memory, const type *element) {
    field *child = ARENA_NEW(memory, field, 1);
    if (child == NULL) {
        return NULL;
    }
    *child = (field){.name = TEXT("element"), .type = element, .is_nullable = true, .id = -1};
    return new_type(
        memory, (type){.id = TYPE_LIST, .unit = UNIT_MICRO, .child_count = 1, .children = child});
}

const type *type_map(arena *memory, const type *key, const type *value) {
    field *children = ARENA_NEW(memory, field, 2);
    if (children == NULL) {
        return NULL;
    }
    children[0] = (field){.name = TEXT("key"), .type = key, .is_nullable = false, .id = -1};
    children[1] = (field){.name = TEXT("value"), .type = value, .is_nullable = true, .id = -1};
    return new_type(
        memory, (type){.id = TYPE_MAP, .unit = UNIT_MICRO, .child_count = 2, .children = children});
}

firn_status type_copy(arena *memory, const type *self, const type **out, firn_error *err) {
    type *copy = new_type(memory, *self);
    if (copy == NULL) {
        return ARENA_FULL(memory, err);
    }
    schema children = {.count = self->child_count, .fields = self->children};
    TRY(schema_copy(memory, &children, &children, err));
    copy->children = children.fields;
    *out = copy;
    return FIRN_OK;
}

firn_status schema_copy(arena *memory, const schema *self, schema *out, firn_error *err) {
    field *fields = ARENA_NEW(memory, field, self->count == 0 ? 1 : self->count);
    if (fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->count; i++) {
        fields[i] = self->fields[i];
        TRY(text_copy(memory, self->fields[i].name, &fields[i].name, err));
        TRY(type_copy(memory, self->fields[i].type, &fields[i].type, err));
    }
    *out = (schema){.count = self->count, .fields = fields};
    return FIRN_OK;
}

static bool types_match(const type *left, const type *right, bool with_names) {
    if (left == right) {
        return true;
    }
    if (left->id != right->id || left->child_count != right->child_count ||
        left->width != right->width) {
        return false;
    }
    if (left->id == TYPE_DECIMAL &&
        (left->precision != right->precision || left->scale != right->scale)) {
        return false;
    }
    if ((left->id == TYPE_TIME || left->id == TYPE_TIMESTAMP || left->id == TYPE_TIMESTAMPTZ) &&
        left->unit != right->unit) {
        return false;
    }
    for (uint32_t i = 0; i < left->child_count; i++) {
        const field *l = &left->children[i];
        const field *r = &right->children[i];
        if (!types_match(l->type, r->type, with_names) ||
            (with_names && (!text_equal(l->name, r->name) || l->is_nullable != r->is_nullable))) {
            return false;
        }
    }
    return true;
}

bool type_equal(const type *left, const type *right) {
    return types_match(left, right, true);
}

bool type_same_values(const type *left, const type *right) {
    return types_match(left, right, false);
}

bool type_are_bytes(const type *left, const type *right) {
    return left->id == TYPE_BINARY && right->id == TYPE_BINARY;
}

bool type_names_differ(const type *left, const type *right) {
    if (left == right || left->child_count != right->child_count) {
        return false;
    }
    for (uint32_t i = 0; i < left->child_count; i++) {
        if ((left->id == TYPE_STRUCT &&
             !text_equal(left->children[i].name, right->children[i].name)) ||
            type_names_differ(left->children[i].type, right->children[i].type)) {
            return true;
        }
    }
    return false;
}

uint64_t type_hash(const type *self) {
    uint64_t hash = hash_u32((uint32_t)self->id << 24 | (uint32_t)self->precision << 16 |
                             (uint32_t)self->scale << 8 | (uint32_t)self->unit);
    hash = hash_combine(hash, hash_u32(self->width));
    for (uint32_t i = 0; i < self->child_count; i++) {
        hash = hash_combine(hash, type_hash(self->children[i].type));
    }
    return hash;
}

physical type_physical(const type *self) {
    if (self->id != TYPE_DECIMAL) {
        // TIME in milliseconds is Arrow's time32.
        return self->id == TYPE_TIME && self->unit <= UNIT_MILLI ? PHYSICAL_I32
                                                                 : rows[self->id].layout;
    }
    if (self->precision <= 9) {
        return PHYSICAL_I32;
    }
    if (self->precision <= DECIMAL64_DIGITS_MAX) {
        return PHYSICAL_I64;
    }
    return self->precision <= DECIMAL_PRECISION_I128 ? PHYSICAL_I128 : PHYSICAL_I256;
}

type_category type_category_of(const type *self) {
    return rows[self->id].category;
}

bool type_equal_is_bytes(const type *self) {
    if (!type_is_nested(self)) {
        return rows[self->id].equal_is_bytes;
    }
    return false; // List slices and struct children have no bytes of their own to compare.
}

bool type_has_order_number(const type *self) {
    switch ((int)type_physical(self)) {
    case PHYSICAL_STRING:
        return type_equal_is_bytes(self);
    case PHYSICAL_LIST:
    case PHYSICAL_STRUCT:
    case PHYSICAL_NONE:
    case PHYSICAL_COUNT:
        return false;
    default:
        return true;
    }
}

bool type_equal_is_same(const type *self) {
    bool is_same = type_is_nested(self) || rows[self->id].equal_is_bytes;
    for (uint32_t i = 0; i < self->child_count && is_same; i++) {
        is_same = type_equal_is_same(self->children[i].type);
    }
    return is_same;
}

uint32_t physical_size(physical kind) {
    switch (kind) {
#define X(name, word, c_type)                                                                      \
    case PHYSICAL_##name:                                                                          \
        return (uint32_t)sizeof(c_type);
        PHYSICAL_FIXED_LIST(X)
#undef X
    case PHYSICAL_NONE:
    case PHYSICAL_BIT:
    case PHYSICAL_STRUCT:
    case PHYSICAL_COUNT:
        break;
    }
    return 0;
}

bool physical_is_integer(physical kind) {
    switch ((int)kind) {
#define X(name, word, c_type) case PHYSICAL_##name:
        PHYSICAL_INTEGER_LIST(X)
#undef X
        return true;
    default:
        return false;
    }
}

static const char *unit_suffix(time_unit unit) {
    static const char *const suffixes[] = {"_S", "_MS", "", "_NS"};
    return suffixes[unit];
}

static bool is_plain_name(text name) {
    bool is_plain = name.size > 0 && !(name.data[0] >= '0' && name.data[0] <= '9');
    for (size_t i = 0; i < name.size && is_plain; i++) {
        const uint8_t byte = (uint8_t)name.data[i];
        const uint8_t lower = byte | 0x20;
        is_plain = byte >= 0x80 || byte == '_' || (lower >= 'a' && lower <= 'z') ||
                   (byte >= '0' && byte <= '9');
    }
    return is_plain;
}

// As SQL reads it: quoted where it must be.
static void print_field_name(text name, text_builder *out) {
    if (is_plain_name(name)) {
        text_append(out, name);
        return;
    }
    text_append_char(out, '"');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '"') {
            text_append_char(out, '"');
        }
        text_append_char(out, name.data[i]);
    }
    text_append_char(out, '"');
}

static void print_struct(const type *self, text_builder *out) {
    text_append(out, TEXT("STRUCT("));
    for (uint32_t i = 0; i < self->child_count; i++) {
        if (i > 0) {
            text_append(out, TEXT(", "));
        }
        print_field_name(self->children[i].name, out);
        text_append_char(out, ' ');
        type_print(self->children[i].type, out);
    }
    text_append_char(out, ')');
}

void type_print(const type *self, text_builder *out) {
    const char *name = rows[self->id].name;
    switch ((int)self->id) {
    case TYPE_DECIMAL:
        text_append_format(out, "DECIMAL(%u,%u)", self->precision, self->scale);
        return;
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
        text_append_format(out, "%s%s", name, unit_suffix(self->unit));
        return;
    case TYPE_TIMESTAMPTZ:
        if (self->unit == UNIT_MICRO) {
            text_append(out, text_of(name));
        } else {
            text_append_format(out, "TIMESTAMPTZ%s", unit_suffix(self->unit));
        }
        return;
    case TYPE_BINARY:
        text_append(out, text_of(name));
        if (self->width > 0) {
            text_append_format(out, "(%u)", self->width);
        }
        return;
    case TYPE_LIST:
        type_print(self->children[0].type, out);
        text_append(out, TEXT("[]"));
        return;
    case TYPE_STRUCT:
        print_struct(self, out);
        return;
    case TYPE_MAP:
        text_append(out, TEXT("MAP("));
        type_print(self->children[0].type, out);
        text_append(out, TEXT(", "));
        type_print(self->children[1].type, out);
        text_append_char(out, ')');
        return;
    default:
        text_append(out, text_of(name));
    }
}

text type_text(const type *self, arena *memory) {
    text_builder builder = text_builder_open(memory);
    type_print(self, &builder);
    text out;
    firn_error err = ERR_INIT;
    return text_builder_finish(&builder, &out, &err) == FIRN_OK ? out : TEXT("?");
}
