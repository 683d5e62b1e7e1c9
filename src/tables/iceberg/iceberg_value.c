#include "tables/iceberg/iceberg_value.h"

#include "base/date_text.h"
#include "base/hex.h"
#include "base/utf8.h"

const type ice_geometry = {.id = TYPE_BINARY, .unit = UNIT_MICRO};

ice_scalar_kind ice_scalar_kind_of(const type *self) {
    if (self == &ice_geometry) {
        return ICE_SCALAR_NONE;
    }
    switch (type_category_of(self)) {
    case CATEGORY_BOOLEAN:
    case CATEGORY_INTEGER:
    case CATEGORY_DECIMAL:
        return ICE_SCALAR_NUMBER;
    case CATEGORY_DATETIME:
        return self->id == TYPE_INTERVAL ? ICE_SCALAR_NONE : ICE_SCALAR_NUMBER;
    case CATEGORY_FLOAT:
        return ICE_SCALAR_REAL;
    case CATEGORY_TEXT:
    case CATEGORY_BINARY:
    case CATEGORY_UUID:
        return ICE_SCALAR_BYTES;
    case CATEGORY_NULL:
    case CATEGORY_NESTED:
        break;
    }
    return ICE_SCALAR_NONE;
}

static const ice_scalar none = {.kind = ICE_SCALAR_NONE};

static ice_scalar scalar_number(i128 value) {
    return (ice_scalar){.kind = ICE_SCALAR_NUMBER, .number = value};
}

// Two's complement, highest byte first, up to 16 bytes.
static ice_scalar big_endian(bytes value) {
    if (value.size == 0) {
        return none;
    }
    const uint8_t fill = (value.data[0] & 0x80) != 0 ? 0xff : 0;
    u128 number = fill == 0 ? 0 : ~(u128)0;
    for (size_t i = 0; i < value.size; i++) {
        if (i + 16 < value.size) {
            if (value.data[i] != fill) {
                return none;
            }
            continue;
        }
        number = (u128)(((number & (~(u128)0 >> 8)) << 8) | value.data[i]);
    }
    i128 out;
    memcpy(&out, &number, sizeof out);
    if (value.size > 16 && (out < 0) != (fill != 0)) {
        return none;
    }
    return scalar_number(out);
}

static uint64_t little_endian(bytes value) {
    uint64_t out = 0;
    for (size_t i = value.size; i > 0; i--) {
        out = (out & (UINT64_MAX >> 8)) << 8 | value.data[i - 1];
    }
    return out;
}

// A number of 32 bits where the type may have had 64 only since: of a timestamp it counts days.
static ice_scalar scalar_narrow(const type *of, int32_t value) {
    if (of->id == TYPE_TIMESTAMP || of->id == TYPE_TIMESTAMPTZ) {
        return scalar_number((i128)value * CALENDAR_DAY_SECONDS *
                             calendar_units_per_second(of->unit));
    }
    return scalar_number(value);
}

static ice_scalar scalar_integer(const type *of, bytes value) {
    if (value.size == 4) {
        const uint32_t raw = (uint32_t)little_endian(value);
        int32_t out;
        memcpy(&out, &raw, sizeof out);
        return scalar_narrow(of, out);
    }
    if (value.size != 8 || type_physical(of) != PHYSICAL_I64) {
        return none;
    }
    const uint64_t raw = little_endian(value);
    int64_t out;
    memcpy(&out, &raw, sizeof out);
    return scalar_number(out);
}

static ice_scalar scalar_real(bytes value, bool is_double) {
    if (value.size == 4) {
        const uint32_t raw = (uint32_t)little_endian(value);
        float out;
        memcpy(&out, &raw, sizeof out);
        return (ice_scalar){.kind = ICE_SCALAR_REAL, .real = (double)out};
    }
    if (value.size != 8 || !is_double) {
        return none;
    }
    const uint64_t raw = little_endian(value);
    double out;
    memcpy(&out, &raw, sizeof out);
    return (ice_scalar){.kind = ICE_SCALAR_REAL, .real = out};
}

static ice_scalar scalar_bytes(const type *of, bytes value) {
    if ((of->id == TYPE_UUID && value.size != 16) ||
        (of->id == TYPE_VARCHAR && !utf8_is_valid(value))) {
        return none;
    }
    return (ice_scalar){.kind = ICE_SCALAR_BYTES, .data = value};
}

ice_scalar ice_scalar_of_bytes(const type *of, bytes value) {
    switch (ice_scalar_kind_of(of)) {
    case ICE_SCALAR_NUMBER:
        if (of->id == TYPE_BOOLEAN) {
            return value.size == 1 ? scalar_number(value.data[0] != 0) : none;
        }
        return of->id == TYPE_DECIMAL ? big_endian(value) : scalar_integer(of, value);
    case ICE_SCALAR_REAL:
        return scalar_real(value, of->id == TYPE_DOUBLE);
    case ICE_SCALAR_BYTES:
        return scalar_bytes(of, value);
    case ICE_SCALAR_NONE:
    case ICE_SCALAR_NULL:
        break;
    }
    return none;
}

ice_scalar ice_scalar_of_avro(const type *of, const avro_value *value, const avro_schema *found) {
    const ice_scalar_kind kind = ice_scalar_kind_of(of);
    if (value->is_null || found == NULL) {
        return (ice_scalar){.kind = found == NULL ? ICE_SCALAR_NONE : ICE_SCALAR_NULL};
    }
    switch (found->kind) {
    case AVRO_BOOLEAN:
    case AVRO_LONG:
        return kind == ICE_SCALAR_NUMBER ? scalar_number(value->number) : none;
    case AVRO_INT:
        return kind == ICE_SCALAR_NUMBER ? scalar_narrow(of, (int32_t)value->number) : none;
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return kind == ICE_SCALAR_REAL ? (ice_scalar){.kind = ICE_SCALAR_REAL, .real = value->real}
                                       : none;
    case AVRO_STRING:
    case AVRO_BYTES:
    case AVRO_FIXED:
        if (of->id == TYPE_DECIMAL) {
            return big_endian(value->data);
        }
        return kind == ICE_SCALAR_BYTES ? scalar_bytes(of, value->data) : none;
    case AVRO_NULL:
    case AVRO_RECORD:
    case AVRO_ENUM:
    case AVRO_ARRAY:
    case AVRO_MAP:
    case AVRO_UNION:
    case AVRO_KIND_COUNT:
        break;
    }
    return none;
}

// ---- Columns -----------------------------------------------------------------------------------

static bool put_number(column *out, i128 value) {
    switch ((int)type_physical(out->type)) {
    case PHYSICAL_BIT:
        bitmap_put(COLUMN_OUT(out, uint64_t), 0, value != 0);
        return true;
    case PHYSICAL_I32:
        if (value < INT32_MIN || value > INT32_MAX) {
            return false;
        }
        COLUMN_OUT(out, int32_t)[0] = (int32_t)value;
        return true;
    case PHYSICAL_I64:
        if (value < INT64_MIN || value > INT64_MAX) {
            return false;
        }
        COLUMN_OUT(out, int64_t)[0] = (int64_t)value;
        return true;
    case PHYSICAL_I128:
        COLUMN_OUT(out, i128)[0] = value;
        return true;
    default: // Iceberg has no others.
        return false;
    }
}

firn_status ice_scalar_column(const type *of, const ice_scalar *value, arena *memory,
                              const column **out, firn_error *err) {
    *out = NULL;
    if (value->kind == ICE_SCALAR_NONE ||
        (value->kind != ICE_SCALAR_NULL && value->kind != ice_scalar_kind_of(of))) {
        return FIRN_OK;
    }
    column *made = ARENA_NEW(memory, column, 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    if (value->kind == ICE_SCALAR_NULL) {
        TRY(column_new_null(memory, of, 1, made, err));
        *out = made;
        return FIRN_OK;
    }
    TRY(column_new(memory, of, 1, made, err));
    bool is_put = true;
    if (value->kind == ICE_SCALAR_NUMBER) {
        is_put = put_number(made, value->number);
    } else if (value->kind == ICE_SCALAR_REAL) {
        if (of->id == TYPE_DOUBLE) {
            COLUMN_OUT(made, double)[0] = value->real;
        } else {
            COLUMN_OUT(made, float)[0] = (float)value->real;
        }
    } else if (!string_new(memory, (const char *)value->data.data, value->data.size,
                           COLUMN_OUT(made, string_value))) {
        return ARENA_FULL(memory, err);
    }
    made->form = FORM_CONSTANT;
    *out = is_put ? made : NULL;
    return FIRN_OK;
}

const column *ice_scalar_try_column(const type *of, const ice_scalar *value, arena *memory) {
    const column *made;
    firn_error ignored = ERR_INIT;
    return ice_scalar_column(of, value, memory, &made, &ignored) == FIRN_OK ? made : NULL;
}

ice_scalar ice_scalar_of_column(const column *self, uint32_t row) {
    const uint32_t lane = row & column_mask(self);
    if (!column_row_is_valid(self, row)) {
        return (ice_scalar){.kind = ICE_SCALAR_NULL};
    }
    switch ((int)type_physical(self->type)) {
    case PHYSICAL_BIT:
        return scalar_number(bitmap_get(self->values, lane));
    case PHYSICAL_I32:
        return scalar_number(COLUMN_VALUES(self, int32_t)[lane]);
    case PHYSICAL_I64:
        return scalar_number(COLUMN_VALUES(self, int64_t)[lane]);
    case PHYSICAL_I128:
        return scalar_number(COLUMN_VALUES(self, i128)[lane]);
    case PHYSICAL_F32:
        return (ice_scalar){.kind = ICE_SCALAR_REAL,
                            .real = (double)COLUMN_VALUES(self, float)[lane]};
    case PHYSICAL_F64:
        return (ice_scalar){.kind = ICE_SCALAR_REAL, .real = COLUMN_VALUES(self, double)[lane]};
    case PHYSICAL_STRING: {
        const text value = string_text(&COLUMN_VALUES(self, string_value)[lane]);
        return (ice_scalar){.kind = ICE_SCALAR_BYTES,
                            .data = {.data = (const uint8_t *)value.data, .size = value.size}};
    }
    default: // Iceberg has no others.
        return none;
    }
}

void ice_scalar_key(const ice_scalar *self, text_builder *out) {
    char head[1 + sizeof(i128)] = {(char)self->kind};
    size_t size = 1;
    text data = {0};
    if (self->kind == ICE_SCALAR_NUMBER) {
        memcpy(head + 1, &self->number, sizeof self->number);
        size += sizeof self->number;
    } else if (self->kind == ICE_SCALAR_REAL) {
        const double real = self->real == 0 ? 0 : self->real; // -0 is 0.
        memcpy(head + 1, &real, sizeof real);
        size += sizeof real;
    } else if (self->kind == ICE_SCALAR_BYTES) {
        memcpy(head + 1, &self->data.size, sizeof self->data.size);
        size += sizeof self->data.size;
        data = text_of_bytes(self->data);
    }
    text_append(out, (text){.data = head, .size = size});
    text_append(out, data);
}

// ---- JSON --------------------------------------------------------------------------------------

static bool parse_time(const type *of, text value, int64_t *out) {
    int32_t days = 0;
    switch ((int)of->id) {
    case TYPE_DATE:
        if (date_parse_date(value, &days) != DATE_OK) {
            return false;
        }
        *out = days;
        return true;
    case TYPE_TIME:
        return date_parse_time(value, of->unit, out) == DATE_OK;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return date_parse_timestamp(value, of->unit, out) == DATE_OK;
    default:
        return false;
    }
}

// The bytes behind a text: hexadecimal digits of binary types, with or without hyphens of a UUID.
static firn_status parse_hex(const type *of, const json_node *node, arena *memory, bytes *out,
                             firn_error *err) {
    char *digits = ARENA_NEW(memory, char, node->value.size + 1);
    uint8_t *data = ARENA_NEW(memory, uint8_t, node->value.size + 1);
    if (digits == NULL || data == NULL) {
        return ARENA_FULL(memory, err);
    }
    size_t count = 0;
    for (size_t i = 0; i < node->value.size; i++) {
        if (of->id != TYPE_UUID || node->value.data[i] != '-') {
            digits[count++] = node->value.data[i];
        }
    }
    *out = (bytes){.size = count / 2, .data = data};
    if (!hex_parse((text){.data = digits, .size = count}, data) ||
        (of->id == TYPE_UUID && out->size != 16) ||
        (of->id == TYPE_BINARY && of->width != 0 && out->size != of->width)) {
        return json_node_fail(node, err, "is \"%.*s\", not bytes of its type",
                              TEXT_ARGS(node->value));
    }
    return FIRN_OK;
}

static firn_status scalar_of_text(const type *of, const json_node *node, arena *memory,
                                  ice_scalar *out, firn_error *err) {
    int64_t number = 0;
    i128 wide = 0;
    *out = none;
    if (of->id == TYPE_VARCHAR) {
        const bytes data = {.size = node->value.size, .data = (const uint8_t *)node->value.data};
        *out = (ice_scalar){.kind = ICE_SCALAR_BYTES, .data = data};
    } else if (of->id == TYPE_DECIMAL) {
        if (number_parse_decimal128(node->value, of->precision, of->scale, &wide) == NUMBER_OK) {
            *out = scalar_number(wide);
        }
    } else if (ice_scalar_kind_of(of) == ICE_SCALAR_BYTES) {
        out->kind = ICE_SCALAR_BYTES;
        return parse_hex(of, node, memory, &out->data, err);
    } else if (parse_time(of, node->value, &number)) {
        *out = scalar_number(number);
    }
    return FIRN_OK;
}

firn_status ice_value_of_json(const type *of, const json_node *node, arena *memory,
                              const column **out, firn_error *err) {
    ice_scalar value = none;
    int64_t number = 0;
    double real = 0;
    const ice_scalar_kind kind = ice_scalar_kind_of(of);
    if (node->kind == JSON_STRING) {
        TRY(scalar_of_text(of, node, memory, &value, err));
    } else if (node->kind == JSON_NULL) {
        value.kind = ICE_SCALAR_NULL;
    } else if (of->id == TYPE_BOOLEAN && (node->kind == JSON_TRUE || node->kind == JSON_FALSE)) {
        value = scalar_number(node->kind == JSON_TRUE);
    } else if (node->kind == JSON_NUMBER && kind == ICE_SCALAR_REAL) {
        TRY(json_as_f64(node, &real, err));
        value = (ice_scalar){.kind = ICE_SCALAR_REAL, .real = real};
    } else if (node->kind == JSON_NUMBER && type_category_of(of) == CATEGORY_INTEGER) {
        TRY(json_as_i64(node, &number, err));
        value = scalar_number(number);
    }
    TRY(ice_scalar_column(of, &value, memory, out, err));
    if (*out == NULL) {
        const text is = type_text(of, memory);
        return json_node_fail(node, err, "is no default of type %.*s", TEXT_ARGS(is));
    }
    return FIRN_OK;
}
