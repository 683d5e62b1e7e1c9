// Untyped literals beside a type that would round them: '1.005' beside DECIMAL(9,2), a moment with
// microseconds beside TIMESTAMP(3). Such a literal is a value of a wider type, as PostgreSQL's
// numeric and timestamp are; who compares or adds finds the type that holds both.
#include "base/date_text.h"
#include "base/number_text.h"
#include "plan/binder_private.h"

static firn_status decimal_of_text(text written, const type *to, arena *memory, const type **out,
                                   firn_error *err) {
    int64_t whole;
    int64_t scale;
    if (!number_decimal_digits(written, &whole, &scale) ||
        (scale <= to->scale && whole <= to->precision - to->scale) ||
        whole + scale > DECIMAL_PRECISION_MAX) {
        return FIRN_OK;
    }
    *out = type_decimal(memory, (uint8_t)(whole + scale), (uint8_t)scale);
    return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

// The microseconds of a text within its second, or within its day: zones are whole seconds off.
static bool micros_of_text(text written, type_id id, int64_t *out) {
    date_parts parts;
    if (id == TYPE_TIME) {
        return date_parse_time(written, UNIT_MICRO, out) == DATE_OK;
    }
    if (date_parse_parts(written, &parts) != DATE_OK) {
        return false;
    }
    *out = (parts.moment.nanos + 500) / 1000;
    return true;
}

firn_status bind_type_of_text(text written, const type *to, arena *memory, const type **out,
                              firn_error *err) {
    int64_t micros;
    *out = to;
    switch ((int)to->id) {
    case TYPE_DECIMAL:
        return decimal_of_text(written, to, memory, out, err);
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        if (to->unit < UNIT_MICRO && micros_of_text(written, to->id, &micros) &&
            micros %
                    (calendar_units_per_second(UNIT_MICRO) / calendar_units_per_second(to->unit)) !=
                0) {
            *out = type_temporal(to->id, UNIT_MICRO);
        }
        return FIRN_OK;
    default:
        return FIRN_OK;
    }
}

firn_status bind_exact_type(binder *self, const expr *value, const type *to, const type **out) {
    *out = to;
    if (!bind_is_unknown(value) || value->kind != EXPR_LITERAL || value->literal_.value.is_null) {
        return FIRN_OK;
    }
    return bind_type_of_text(string_text(COLUMN_VALUES(value->literal_.value.value, string_value)),
                             to, self->memory, out, self->err);
}
