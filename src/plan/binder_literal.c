// Literals, types as written, and casts: explicit, implicit, and to what several values have in
// common. An untyped string literal keeps the type `type_unknown` until its surroundings say what
// it is; then it is read as that, and an error shows its place.
#include <assert.h>

#include "base/number_text.h"
#include "expr/cast.h"
#include "plan/binder_private.h"

bool bind_is_unknown(const expr *value) {
    return value->type == &type_unknown;
}

static uint64_t place(uint32_t position) {
    return position == UINT32_MAX ? NO_POSITION : position;
}

firn_status bind_settle(binder *self, expr **value) {
    if (bind_is_unknown(*value)) {
        return bind_coerce(self, *value, TYPE_OF(VARCHAR), (*value)->position, value);
    }
    return FIRN_OK;
}

// ---- Literals --------------------------------------------------------------------------------

static firn_status literal_of(binder *self, const type *type, const void *value, size_t size,
                              uint32_t position, expr **out) {
    column *row = ARENA_NEW(self->memory, column, 1);
    *out = expr_new(self->memory, EXPR_LITERAL, type);
    if (row == NULL || *out == NULL) {
        return binder_full(self);
    }
    TRY(column_new(self->memory, type, 1, row, self->err));
    memcpy(COLUMN_OUT(row, uint8_t), value, size);
    row->form = FORM_CONSTANT;
    (*out)->literal_.value = (literal){.value = row};
    (*out)->position = position;
    return FIRN_OK;
}

// INTEGER if it fits, else BIGINT, else DECIMAL(38, 0).
static firn_status integer_literal(binder *self, text digits, uint32_t position, expr **out) {
    int64_t narrow;
    if (number_parse_i64(digits, &narrow) == NUMBER_OK) {
        if (narrow >= INT32_MIN && narrow <= INT32_MAX) { // Signs come with their literal.
            const int32_t value = (int32_t)narrow;
            return literal_of(self, TYPE_OF(INTEGER), &value, sizeof value, position, out);
        }
        return literal_of(self, TYPE_OF(BIGINT), &narrow, sizeof narrow, position, out);
    }
    i128 wide;
    if (number_parse_decimal128(digits, 38, 0, &wide) != NUMBER_OK) {
        return FAIL_SQL(self->err, FIRN_INVALID, "22003", position, "%.*s has more than 38 digits",
                        TEXT_ARGS(digits));
    }
    const type *type = type_decimal(self->memory, 38, 0);
    return type == NULL ? binder_full(self)
                        : literal_of(self, type, &wide, sizeof wide, position, out);
}

// 1.10 is DECIMAL(3, 2).
static firn_status decimal_literal(binder *self, text digits, uint32_t position, expr **out) {
    const size_t point = text_find(digits, TEXT("."));
    const size_t scale = digits.size - point - 1;
    size_t first = 0;
    while (first < point && digits.data[first] == '0') {
        first++;
    }
    size_t precision = point - first + scale;
    precision = precision == 0 ? 1 : precision;
    if (precision > DECIMAL_PRECISION_MAX) {
        return FAIL_SQL(self->err, FIRN_INVALID, "22003", position, "%.*s has more than %d digits",
                        TEXT_ARGS(digits), DECIMAL_PRECISION_MAX);
    }
    const type *type = type_decimal(self->memory, (uint8_t)precision, (uint8_t)scale);
    expr *string = expr_string(self->memory, TYPE_OF(VARCHAR), digits);
    if (type == NULL || string == NULL) {
        return binder_full(self);
    }
    string->position = position;
    return bind_cast(self, string, type, false, position, out);
}

static firn_status string_literal(binder *self, const type *type, text value, uint32_t position,
                                  expr **out) {
    *out = expr_string(self->memory, type, value);
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->position = position;
    return FIRN_OK;
}

firn_status bind_literal(binder *self, const sql_literal *written, expr **out) {
    const uint32_t position = written->node.position;
    switch (written->kind) {
    case SQL_LITERAL_NULL:
        *out = expr_null(self->memory, TYPE_OF(NULL));
        break;
    case SQL_LITERAL_TRUE:
    case SQL_LITERAL_FALSE:
        *out = expr_bool(self->memory, written->kind == SQL_LITERAL_TRUE);
        break;
    case SQL_LITERAL_INTEGER:
        return integer_literal(self, written->value, position, out);
    case SQL_LITERAL_DECIMAL:
        return decimal_literal(self, written->value, position, out);
    case SQL_LITERAL_DOUBLE: {
        double value;
        if (number_parse_f64(written->value, &value) != NUMBER_OK) {
            return FAIL_SQL(self->err, FIRN_INVALID, "22003", position,
                            "%.*s is out of range for DOUBLE", TEXT_ARGS(written->value));
        }
        return literal_of(self, TYPE_OF(DOUBLE), &value, sizeof value, position, out);
    }
    case SQL_LITERAL_STRING:
        return string_literal(self, &type_unknown, written->value, position, out);
    case SQL_LITERAL_BLOB:
        return string_literal(self, TYPE_OF(BINARY), written->value, position, out);
    case SQL_LITERAL_BITS:
        return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", position,
                        "bit strings are not supported");
    }
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->position = position;
    return FIRN_OK;
}

firn_status bind_typed_literal(binder *self, const sql_typed_literal *written, expr **out) {
    const type *type;
    expr *string;
    TRY(bind_type(written->type, self->memory, &type, self->err));
    TRY(string_literal(self, TYPE_OF(VARCHAR), written->value, written->node.position, &string));
    return bind_cast(self, string, type, false, written->node.position, out);
}

// INTERVAL '3' DAY reads '3 day'; INTERVAL x DAY multiplies.
firn_status bind_interval(binder *self, scope *names, const sql_interval *written, expr **out) {
    const uint32_t position = written->node.position;
    expr *value;
    TRY(bind_expr(self, names, written->value, &value));
    if (value->kind == EXPR_LITERAL && type_category_of(value->type) == CATEGORY_TEXT &&
        !value->literal_.value.is_null) {
        const text digits = string_text(COLUMN_VALUES(value->literal_.value.value, string_value));
        text whole = digits;
        const bool is_plain = digits.size > 0 && written->to_unit == SQL_UNIT_NONE &&
                              text_find(digits, TEXT(":")) == digits.size;
        if (written->unit != SQL_UNIT_NONE && is_plain) {
            TRY(text_format(self->memory, &whole, self->err, "%.*s %s", TEXT_ARGS(digits),
                            sql_unit_text(written->unit)));
        } else if (written->to_unit == SQL_UNIT_MONTH) {
            const size_t dash = text_find(digits, TEXT("-"));
            if (dash > 0 && dash < digits.size) { // '1-2' YEAR TO MONTH
                TRY(text_format(self->memory, &whole, self->err, "%.*s year %.*s month",
                                TEXT_ARGS(text_slice(digits, 0, dash)),
                                TEXT_ARGS(text_slice(digits, dash + 1, digits.size))));
            }
        }
        TRY(string_literal(self, TYPE_OF(VARCHAR), whole, position, &value));
        return bind_cast(self, value, TYPE_OF(INTERVAL), false, position, out);
    }
    if (written->unit == SQL_UNIT_NONE) {
        return bind_cast(self, value, TYPE_OF(INTERVAL), false, position, out);
    }
    text one;
    TRY(text_format(self->memory, &one, self->err, "1 %s", sql_unit_text(written->unit)));
    expr *unit;
    TRY(string_literal(self, TYPE_OF(VARCHAR), one, position, &unit));
    TRY(bind_cast(self, unit, TYPE_OF(INTERVAL), false, position, &unit));
    expr *args[2] = {unit, value};
    return bind_function(self, "*", args, 2, position, out);
}

// ---- Types -----------------------------------------------------------------------------------

typedef struct type_name {
    const char *word;
    type_id id;
    time_unit unit;
} type_name;

static const type_name type_names[] = {
    {"boolean", TYPE_BOOLEAN, UNIT_MICRO},
    {"bool", TYPE_BOOLEAN, UNIT_MICRO},
    {"tinyint", TYPE_TINYINT, UNIT_MICRO},
    {"int1", TYPE_TINYINT, UNIT_MICRO},
    {"smallint", TYPE_SMALLINT, UNIT_MICRO},
    {"int2", TYPE_SMALLINT, UNIT_MICRO},
    {"integer", TYPE_INTEGER, UNIT_MICRO},
    {"int", TYPE_INTEGER, UNIT_MICRO},
    {"int4", TYPE_INTEGER, UNIT_MICRO},
    {"bigint", TYPE_BIGINT, UNIT_MICRO},
    {"int8", TYPE_BIGINT, UNIT_MICRO},
    {"long", TYPE_BIGINT, UNIT_MICRO},
    {"utinyint", TYPE_UTINYINT, UNIT_MICRO},
    {"usmallint", TYPE_USMALLINT, UNIT_MICRO},
    {"uinteger", TYPE_UINTEGER, UNIT_MICRO},
    {"uint", TYPE_UINTEGER, UNIT_MICRO},
    {"ubigint", TYPE_UBIGINT, UNIT_MICRO},
    {"float16", TYPE_FLOAT16, UNIT_MICRO},
    {"halffloat", TYPE_FLOAT16, UNIT_MICRO},
    {"real", TYPE_REAL, UNIT_MICRO},
    {"float", TYPE_REAL, UNIT_MICRO},
    {"float4", TYPE_REAL, UNIT_MICRO},
    {"double", TYPE_DOUBLE, UNIT_MICRO},
    {"float8", TYPE_DOUBLE, UNIT_MICRO},
    {"decimal", TYPE_DECIMAL, UNIT_MICRO},
    {"numeric", TYPE_DECIMAL, UNIT_MICRO},
    {"dec", TYPE_DECIMAL, UNIT_MICRO},
    {"date", TYPE_DATE, UNIT_MICRO},
    {"time", TYPE_TIME, UNIT_MICRO},
    {"time_ms", TYPE_TIME, UNIT_MILLI},
    {"time_ns", TYPE_TIME, UNIT_NANO},
    {"timestamp", TYPE_TIMESTAMP, UNIT_MICRO},
    {"datetime", TYPE_TIMESTAMP, UNIT_MICRO},
    {"timestamp_s", TYPE_TIMESTAMP, UNIT_SECOND},
    {"timestamp_ms", TYPE_TIMESTAMP, UNIT_MILLI},
    {"timestamp_us", TYPE_TIMESTAMP, UNIT_MICRO},
    {"timestamp_ns", TYPE_TIMESTAMP, UNIT_NANO},
    {"timestamptz", TYPE_TIMESTAMPTZ, UNIT_MICRO},
    {"timestamptz_s", TYPE_TIMESTAMPTZ, UNIT_SECOND},
    {"timestamptz_ms", TYPE_TIMESTAMPTZ, UNIT_MILLI},
    {"timestamptz_ns", TYPE_TIMESTAMPTZ, UNIT_NANO},
    {"interval", TYPE_INTERVAL, UNIT_MICRO},
    {"varchar", TYPE_VARCHAR, UNIT_MICRO},
    {"text", TYPE_VARCHAR, UNIT_MICRO},
    {"string", TYPE_VARCHAR, UNIT_MICRO},
    {"char", TYPE_VARCHAR, UNIT_MICRO},
    {"character", TYPE_VARCHAR, UNIT_MICRO},
    {"bpchar", TYPE_VARCHAR, UNIT_MICRO},
    {"binary", TYPE_BINARY, UNIT_MICRO},
    {"blob", TYPE_BINARY, UNIT_MICRO},
    {"bytea", TYPE_BINARY, UNIT_MICRO},
    {"varbinary", TYPE_BINARY, UNIT_MICRO},
    {"uuid", TYPE_UUID, UNIT_MICRO},
    {"json", TYPE_JSON, UNIT_MICRO},
    {"null", TYPE_NULL, UNIT_MICRO},
};

// Modifier i as a number up to `most`.
static firn_status modifier(const sql_type *written, size_t i, uint32_t least, uint32_t most,
                            uint32_t *out, firn_error *err) {
    const sql_literal *literal = sql_literal_of(written->modifiers.items[i]);
    int64_t number;
    if (literal->kind != SQL_LITERAL_INTEGER ||
        number_parse_i64(literal->value, &number) != NUMBER_OK || number < least || number > most) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", literal->node.position,
                        "%.*s takes a number from %u to %u here", TEXT_ARGS(written->name.value),
                        least, most);
    }
    *out = (uint32_t)number;
    return FIRN_OK;
}

static firn_status decimal_type(const sql_type *written, arena *memory, const type **out,
                                firn_error *err) {
    uint32_t precision = DECIMAL_PRECISION_I128;
    uint32_t scale = written->modifiers.count == 0 ? 10 : 0;
    if (written->modifiers.count > 0) {
        TRY(modifier(written, 0, 1, DECIMAL_PRECISION_MAX, &precision, err));
    }
    if (written->modifiers.count > 1) {
        TRY(modifier(written, 1, 0, precision, &scale, err));
    }
    *out = type_decimal(memory, (uint8_t)precision, (uint8_t)scale);
    return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

static firn_status with_modifiers(const sql_type *written, const type_name *name, arena *memory,
                                  const type **out, firn_error *err) {
    uint32_t number;
    switch ((int)name->id) {
    case TYPE_DECIMAL:
        return decimal_type(written, memory, out, err);
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        *out = type_temporal(name->id, name->unit);
        if (written->modifiers.count > 0) { // TIMESTAMP(9)
            TRY(modifier(written, 0, 0, 9, &number, err));
            // The unit that has the digits; between two the finer one.
            const time_unit unit = number > 6   ? UNIT_NANO
                                   : number > 3 ? UNIT_MICRO
                                   : number > 0 ? UNIT_MILLI
                                                : UNIT_SECOND;
            *out = type_temporal(name->id,
                                 name->id == TYPE_TIME && unit == UNIT_SECOND ? UNIT_MILLI : unit);
        }
        return FIRN_OK;
    case TYPE_BINARY:
        *out = TYPE_OF(BINARY);
        if (written->modifiers.count > 0 && text_equal(written->name.value, TEXT("binary"))) {
            TRY(modifier(written, 0, 1, INT32_MAX, &number, err));
            *out = type_binary(memory, number);
        }
        return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
    case TYPE_REAL:
        *out = TYPE_OF(REAL);
        if (written->modifiers.count > 0) { // FLOAT(53)
            TRY(modifier(written, 0, 1, 53, &number, err));
            *out = number > 24 ? TYPE_OF(DOUBLE) : TYPE_OF(REAL);
        }
        return FIRN_OK;
    default:
        *out = &type_constants[name->id];
        return FIRN_OK;
    }
}

static firn_status named_type(const sql_type *written, arena *memory, const type **out,
                              firn_error *err) {
    const size_t count = sizeof type_names / sizeof type_names[0];
    for (size_t i = 0; i < count; i++) {
        if (text_equal_nocase(written->name.value, text_of(type_names[i].word))) {
            return with_modifiers(written, &type_names[i], memory, out, err);
        }
    }
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "42704", written->node.position,
                                  "there is no type \"%.*s\"", TEXT_ARGS(written->name.value));
    nearest_name near = nearest_to(written->name.value);
    for (size_t i = 0; i < count; i++) {
        nearest_offer(&near, text_of(type_names[i].word));
    }
    (void)nearest_hint(&near, err);
    return status;
}

static firn_status struct_type(const sql_type *written, arena *memory, const type **out,
                               firn_error *err) {
    field *fields = ARENA_NEW(memory, field, written->fields.count + 1);
    if (fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (size_t i = 0; i < written->fields.count; i++) {
        const sql_field_definition *each = sql_field_definition_of(written->fields.items[i]);
        fields[i] = (field){.name = each->name.value, .is_nullable = !each->is_not_null, .id = -1};
        TRY(bind_type(each->type, memory, &fields[i].type, err));
    }
    *out = type_struct(memory, (uint32_t)written->fields.count, fields);
    return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

firn_status bind_type(const sql_type *written, arena *memory, const type **out, firn_error *err) {
    const type *element;
    const type *key;
    if (written->node.height > TYPE_DEPTH_MAX) {
        return FAIL_SQL(err, FIRN_INVALID, "54001", written->node.position,
                        "a type nested deeper than %d", TYPE_DEPTH_MAX);
    }
    switch (written->kind) {
    case SQL_TYPE_NAMED:
        return named_type(written, memory, out, err);
    case SQL_TYPE_INTERVAL:
        *out = TYPE_OF(INTERVAL);
        return FIRN_OK;
    case SQL_TYPE_LIST:
        TRY(bind_type(written->element, memory, &element, err));
        *out = type_list(memory, element);
        break;
    case SQL_TYPE_STRUCT:
        return struct_type(written, memory, out, err);
    case SQL_TYPE_MAP:
        TRY(bind_type(written->key, memory, &key, err));
        TRY(bind_type(written->element, memory, &element, err));
        *out = type_map(memory, key, element);
        break;
    }
    return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

// ---- Casts -----------------------------------------------------------------------------------

static bool literal_i64(const expr *value, int64_t *out) {
    if (value->kind != EXPR_LITERAL || value->literal_.value.is_null) {
        return false;
    }
    const column *row = value->literal_.value.value;
    switch ((int)type_physical(value->type)) {
    case PHYSICAL_I32:
        *out = *COLUMN_VALUES(row, int32_t);
        return type_category_of(value->type) == CATEGORY_INTEGER;
    case PHYSICAL_I64:
        *out = *COLUMN_VALUES(row, int64_t);
        return type_category_of(value->type) == CATEGORY_INTEGER;
    default:
        return false;
    }
}

static firn_status new_cast(binder *self, expr *value, const type *to, bool is_try,
                            bool is_implicit, uint32_t position, expr **out) {
    int64_t number;
    if (to->id == TYPE_BIGINT && literal_i64(value, &number)) { // What long lists are full of.
        *out = expr_i64(self->memory, to, number);
        if (*out == NULL) {
            return binder_full(self);
        }
        (*out)->position = position;
        return FIRN_OK;
    }
    expr *made = expr_new(self->memory, EXPR_CAST, to);
    if (made == NULL) {
        return binder_full(self);
    }
    made->cast_.arg = value;
    made->cast_.is_try = is_try;
    made->cast_.is_implicit = is_implicit;
    made->position = position;
    *out = made;
    if (value->kind != EXPR_LITERAL || cast_find(value->type, to).is_stable) {
        return FIRN_OK;
    }
    // A constant is cast now; a failure is told when (and only if) a row reaches it.
    expr *folded;
    TRY(expr_try_fold(made, self->env->context, self->memory, &folded, self->err));
    if (folded != NULL) {
        folded->position = position;
        *out = folded;
    }
    return FIRN_OK;
}

// What an unknown literal or parameter turns into when its type becomes known.
static firn_status become(binder *self, expr *value, const type *to, uint32_t position,
                          expr **out) {
    if (value->kind == EXPR_PARAMETER) {
        const type **known = &self->parameters.types[value->parameter_.index];
        if (*known != NULL) { // By another place, such as a copy of this one.
            value->type = *known;
            return bind_coerce(self, value, to, position, out);
        }
        value->type = to;
        *known = to;
        *out = value;
        return FIRN_OK;
    }
    expr *known = expr_copy(self->memory, value);
    if (known == NULL) {
        return binder_full(self);
    }
    known->type = TYPE_OF(VARCHAR);
    if (value->kind == EXPR_LITERAL && !value->literal_.value.is_null) {
        column *row = ARENA_NEW(self->memory, column, 1);
        if (row == NULL) {
            return binder_full(self);
        }
        *row = *value->literal_.value.value;
        row->type = TYPE_OF(VARCHAR);
        known->literal_.value.value = row;
    }
    *out = known;
    if (to->id == TYPE_VARCHAR) {
        return FIRN_OK;
    }
    if (cast_find(TYPE_OF(VARCHAR), to).kind == CAST_NONE) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42846", place(position),
                        "a text cannot be read as %.*s", TEXT_ARGS(type_text(to, self->memory)));
    }
    return new_cast(self, known, to, false, false,
                    value->position == UINT32_MAX ? position : value->position, out);
}

bool bind_must_cast(const type *from, const type *to) {
    return !type_same_values(from, to) || cast_find(from, to).kind != CAST_SAME ||
           type_names_differ(from, to);
}

firn_status bind_cast(binder *self, expr *value, const type *to, bool is_try, uint32_t position,
                      expr **out) {
    if (bind_is_unknown(value) && (!is_try || value->kind == EXPR_PARAMETER)) {
        return become(self, value, to, position, out);
    }
    TRY(bind_settle(self, &value));
    const cast_rule rule = cast_find(value->type, to);
    if (rule.kind == CAST_SAME && !type_names_differ(value->type, to)) {
        *out = value;
        return FIRN_OK;
    }
    if (rule.kind == CAST_NONE) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42846", place(position),
                        "there is no cast from %.*s to %.*s",
                        TEXT_ARGS(type_text(value->type, self->memory)),
                        TEXT_ARGS(type_text(to, self->memory)));
    }
    return new_cast(self, value, to, is_try, false, position, out);
}

firn_status bind_coerce(binder *self, expr *value, const type *to, uint32_t position, expr **out) {
    if (bind_is_unknown(value)) {
        return become(self, value, to, position, out);
    }
    const cast_rule rule = cast_find(value->type, to);
    if (rule.kind == CAST_SAME && !type_names_differ(value->type, to)) {
        *out = value;
        return FIRN_OK;
    }
    if (rule.kind < CAST_ASSIGNMENT) {
        firn_status status = FAIL_SQL(self->err, FIRN_INVALID, "42804", place(position),
                                      "%.*s is given where %.*s is needed",
                                      TEXT_ARGS(type_text(value->type, self->memory)),
                                      TEXT_ARGS(type_text(to, self->memory)));
        err_hint(self->err, "write CAST(... AS %.*s)", TEXT_ARGS(type_text(to, self->memory)));
        return status;
    }
    return new_cast(self, value, to, false, true, value->position, out);
}

// Makes a common type hold an untyped literal as it is written.
static firn_status widen_for(binder *self, const expr *literal, const type **common) {
    const type *exact;
    const type *joined;
    if (*common == NULL) {
        return FIRN_OK;
    }
    TRY(bind_exact_type(self, literal, *common, &exact));
    TRY(type_common(*common, exact, self->memory, &joined, self->err));
    *common = joined == NULL ? *common : joined;
    return FIRN_OK;
}

firn_status bind_common(binder *self, expr **values, uint32_t count, const char *what,
                        uint32_t position, const type **out) {
    const type *common = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (values[i] == NULL) { // It did not fit where it was made.
            return binder_full(self);
        }
        const type *each = values[i]->type;
        if (bind_is_unknown(values[i])) {
            continue;
        }
        if (common == NULL || common->id == TYPE_NULL) {
            common = each;
            continue;
        }
        const type *joined;
        TRY(type_common(common, each, self->memory, &joined, self->err));
        if (joined == NULL) {
            firn_status status = FAIL_SQL(self->err, FIRN_INVALID, "42804", place(position),
                                          "%s has both %.*s and %.*s", what,
                                          TEXT_ARGS(type_text(common, self->memory)),
                                          TEXT_ARGS(type_text(each, self->memory)));
            err_hint(self->err, "write CAST around one of them");
            return status;
        }
        common = joined;
    }
    bool has_unknown = false;
    for (uint32_t i = 0; i < count; i++) {
        if (bind_is_unknown(values[i])) {
            has_unknown = true;
            TRY(widen_for(self, values[i], &common));
        }
    }
    if (common == NULL || (common->id == TYPE_NULL && has_unknown)) {
        common = TYPE_OF(VARCHAR); // Nothing but untyped literals.
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(bind_coerce(self, values[i], common, position, &values[i]));
    }
    *out = common;
    return FIRN_OK;
}
