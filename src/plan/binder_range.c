// Comparisons of moments with constants that their type cannot hold: TIMESTAMP_NS ends in 2262, and
// a DATE goes further than a TIMESTAMP. No conversion decides them, but the side on which the
// constant lies: it becomes the last value of the type on that side, and the operator with it.
#include <string.h>

#include "expr/cast.h"
#include "plan/binder_private.h"

// Whether a comparison with something above all values of the type holds, unless the value is NULL.
static bool holds_above(const char *name) {
    return name[0] == '<'; // <, <=, <>
}

static bool holds_below(const char *name) {
    return name[0] == '>' || strcmp(name, "<>") == 0;
}

static bool is_comparison(const char *name) {
    return name[0] == '=' || name[0] == '<' || name[0] == '>' ||
           strcmp(name, "is_distinct_from") == 0 || strcmp(name, "is_not_distinct_from") == 0;
}

static const char *mirrored(const char *name) {
    static const char *const pairs[][2] = {{"<", ">"}, {"<=", ">="}, {">", "<"}, {">=", "<="}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (strcmp(name, pairs[i][0]) == 0) {
            return pairs[i][1];
        }
    }
    return name;
}

// Whether a constant of another type cannot be a value of this one, and on which side it lies.
static firn_status lies_beyond(binder *self, const expr *value, const expr *constant, bool *out,
                               bool *is_above) {
    *out = false;
    if (type_category_of(value->type) != CATEGORY_DATETIME ||
        type_category_of(constant->type) != CATEGORY_DATETIME ||
        type_equal(value->type, constant->type) || !expr_is_constant(constant) ||
        expr_is_volatile(constant)) {
        return FIRN_OK;
    }
    const type *common;
    TRY(type_common_compared(value->type, constant->type, self->memory, &common, self->err));
    if (common == NULL || !type_equal(common, value->type) || common->id == TYPE_DATE) {
        return FIRN_OK;
    }
    firn_error ignored = ERR_INIT;
    expr *literal;
    expr *cast;
    TRY(expr_try_fold(constant, self->env->context, self->memory, &literal, self->err));
    if (literal == NULL || literal->kind != EXPR_LITERAL || literal->literal_.value.is_null) {
        return FIRN_OK; // What fails here fails again where it is told.
    }
    firn_error *const told = self->err;
    self->err = &ignored;
    firn_status status = bind_cast(self, literal, common, false, UINT32_MAX, &cast);
    self->err = told;
    // A cast that stays a call fails where a row gets there, or hangs on the session's zone.
    if (status == FIRN_OK && cast->kind != EXPR_LITERAL) {
        status = expr_fold(cast, self->env->context, self->memory, &cast, &ignored);
    }
    if (status_is_refusal(status)) {
        *self->err = ignored;
        return status;
    }
    const column *held = literal->literal_.value.value;
    *is_above = column_lane_integer(held, 0) > 0;
    *out = status == FIRN_INVALID;
    return FIRN_OK;
}

firn_status bind_beyond_range(binder *self, const char *name, expr *left, expr *right,
                              uint32_t position, expr **out) {
    *out = NULL;
    if (!is_comparison(name)) {
        return FIRN_OK;
    }
    bool is_beyond;
    bool is_above;
    TRY(lies_beyond(self, left, right, &is_beyond, &is_above));
    if (!is_beyond) {
        TRY(lies_beyond(self, right, left, &is_beyond, &is_above));
        if (!is_beyond) {
            return FIRN_OK;
        }
        left = right;
        name = mirrored(name);
    }
    if (name[0] == 'i') {
        *out = expr_bool(self->memory, strcmp(name, "is_distinct_from") == 0);
        return *out == NULL ? binder_full(self) : FIRN_OK;
    }
    expr *args[2] = {left, expr_i64(self->memory, left->type, is_above ? INT64_MAX : INT64_MIN)};
    if (args[1] == NULL) {
        return binder_full(self);
    }
    const char *test = is_above ? (holds_above(name) ? "<=" : ">") : holds_below(name) ? ">=" : "<";
    return bind_function(self, test, args, 2, position, out);
}
