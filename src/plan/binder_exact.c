// Untyped literals beside a type that would round them: '1.005' beside DECIMAL(9,2), a moment with
// microseconds beside TIMESTAMP(3). Such a literal is a value of a wider type, as PostgreSQL's
// numeric and timestamp are; who compares or adds finds the type that holds both.
#include "base/number_text.h"
#include "expr/cast.h"
#include "expr/program.h"
#include "plan/binder_private.h"

firn_status bind_decimal_of_text(text written, const type *to, arena *memory, const type **out,
                                 firn_error *err) {
    int64_t whole;
    int64_t scale;
    *out = to;
    if (!number_decimal_digits(written, &whole, &scale) ||
        (scale <= to->scale && whole <= to->precision - to->scale) ||
        whole + scale > DECIMAL_PRECISION_MAX) {
        return FIRN_OK;
    }
    *out = type_decimal(memory, (uint8_t)(whole + scale), (uint8_t)scale);
    return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

static firn_status exact_moment(binder *self, text written, const type *to, const type **out) {
    const type *fine = type_temporal(to->id, UNIT_MICRO);
    const int64_t step =
        calendar_units_per_second(UNIT_MICRO) / calendar_units_per_second(to->unit);
    firn_error ignored = ERR_INIT;
    expr *value = expr_string(self->memory, TYPE_OF(VARCHAR), written);
    value = value == NULL ? NULL : expr_cast(self->memory, value, fine, false, true);
    if (value == NULL) {
        return binder_full(self);
    }
    if (expr_fold(value, self->env->context, self->memory, &value, &ignored) == FIRN_OK &&
        *COLUMN_VALUES(value->literal_.value.value, int64_t) % step != 0) {
        *out = fine;
    }
    return FIRN_OK;
}

firn_status bind_exact_type(binder *self, const expr *value, const type *to, const type **out) {
    *out = to;
    if (!bind_is_unknown(value) || value->kind != EXPR_LITERAL || value->literal_.value.is_null) {
        return FIRN_OK;
    }
    const text written = string_text(COLUMN_VALUES(value->literal_.value.value, string_value));
    switch ((int)to->id) {
    case TYPE_DECIMAL:
        return bind_decimal_of_text(written, to, self->memory, out, self->err);
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return to->unit < UNIT_MICRO ? exact_moment(self, written, to, out) : FIRN_OK;
    default:
        return FIRN_OK;
    }
}
