// Ranges of columns, constants, and of ascending functions and casts of them: those of their
// bounds.
#include "expr/facts_range.h"

#include <math.h>

#include "expr/cast.h"
#include "expr/program.h"

static value_range unknown_range(const type *of) {
    return (value_range){.type = of,
                         .may_be_value = true,
                         .may_be_null = true,
                         .may_be_nan = type_category_of(of) == CATEGORY_FLOAT,
                         .column_id = UINT32_MAX};
}

static bool is_nan(const column *value) {
    switch ((int)value->type->id) {
    case TYPE_DOUBLE:
        return isnan(COLUMN_VALUES(value, double)[0]);
    case TYPE_REAL:
        return isnan(COLUMN_VALUES(value, float)[0]);
    case TYPE_FLOAT16:
        return (COLUMN_VALUES(value, uint16_t)[0] & 0x7fff) > 0x7c00;
    default:
        return false;
    }
}

static value_range range_of_literal(const expr *what) {
    value_range out = {.type = what->type, .column_id = UINT32_MAX};
    if (what->literal_.value.is_null) {
        out.may_be_null = true;
        return out;
    }
    const column *value = what->literal_.value.value;
    if (is_nan(value)) {
        out.may_be_nan = true;
        return out;
    }
    out.may_be_value = true;
    out.minimum = value;
    out.maximum = value;
    return out;
}

// A bound that is of the column's type and a number; others tell nothing.
static const column *usable_bound(const column *bound, const type *of) {
    const bool is_usable = bound != NULL && type_same_values(bound->type, of) &&
                           column_is_valid(bound, 0) && !is_nan(bound);
    return is_usable ? bound : NULL;
}

static value_range range_of_column(const facts_call *call, const expr *what) {
    value_range out = unknown_range(what->type);
    out.column_id = what->column_.id;
    const column_facts *known = call->facts->find(call->facts, what->column_.id);
    if (known == NULL) {
        return out;
    }
    out.minimum = usable_bound(known->minimum, what->type);
    out.maximum = usable_bound(known->maximum, what->type);
    const exact_u64 nulls = known->null_count;
    out.may_be_null = known->may_have_null && !(nulls.is_known && nulls.value == 0);
    const exact_u64 rows = call->facts->row_count;
    const bool is_counted = nulls.is_known && rows.is_known;
    const bool is_all_null = is_counted && nulls.value >= rows.value;
    const exact_u64 nans = known->nan_count;
    const bool is_none_left =
        is_counted && nans.is_known && (is_all_null || nans.value >= rows.value - nulls.value);
    out.may_be_value = !is_all_null && !is_none_left;
    if (is_all_null || (nans.is_known && nans.value == 0)) {
        out.may_be_nan = false;
    }
    return out;
}

// The bound behind a cast or function, or NULL when that fails or is NULL.
static const column *image_of(const facts_call *call, const expr *what, const expr *arg,
                              const column *bound) {
    static const statement_context no_context = {.now_us = 0};
    if (bound == NULL) {
        return NULL;
    }
    expr *literal;
    expr *folded;
    firn_error ignored = ERR_INIT;
    if (expr_literal_of(call->scratch, bound, 0, &literal, &ignored) != FIRN_OK) {
        return NULL;
    }
    expr whole = *what;
    expr *args[8];
    if (what->kind == EXPR_CAST) {
        whole.cast_.arg = literal;
    } else {
        for (uint32_t i = 0; i < what->call_.args.count; i++) {
            args[i] = what->call_.args.items[i] == arg ? literal : what->call_.args.items[i];
        }
        whole.call_.args.items = args;
    }
    if (expr_fold(&whole, &no_context, call->scratch, &folded, &ignored) != FIRN_OK ||
        folded->literal_.value.is_null) {
        return NULL;
    }
    return is_nan(folded->literal_.value.value) ? NULL : folded->literal_.value.value;
}

// The range of an ascending expression of `arg`: what it makes of the bounds.
static value_range range_of_image(const facts_call *call, const expr *what, const expr *arg,
                                  bool may_make_null) {
    const facts_call inner = {call->facts, call->scratch, call->depth - 1};
    const value_range from = facts_range_of(&inner, arg);
    value_range out = unknown_range(what->type);
    if (from.may_be_nan) {
        return out; // What becomes of NaN is the function's matter.
    }
    out.minimum = image_of(call, what, arg, from.minimum);
    out.maximum = image_of(call, what, arg, from.maximum);
    const bool is_whole = out.minimum != NULL && out.maximum != NULL;
    out.may_be_null = from.may_be_null || may_make_null;
    out.may_be_value = from.may_be_value;
    out.may_be_nan &= !is_whole; // Between numbers there are numbers.
    return out;
}

// An ascending function whose other arguments are constants, without anything to open.
static bool is_ascending_call(const expr *what) {
    if (what->call_.args.count == 0 || what->call_.args.count > 8) {
        return false;
    }
    const uint32_t flags = expr_call_flags(what);
    const uint32_t wanted = FUNCTION_MONOTONE | FUNCTION_NULL_STRICT;
    if ((flags & wanted) != wanted || (flags & (FUNCTION_STABLE | FUNCTION_VOLATILE)) != 0 ||
        what->call_.function->open != NULL) {
        return false;
    }
    for (uint32_t i = 1; i < what->call_.args.count; i++) {
        const expr *other = what->call_.args.items[i];
        if (!expr_is_constant(other) || other->kind == EXPR_LAMBDA) {
            return false;
        }
    }
    return true;
}

value_range facts_range_of(const facts_call *call, const expr *what) {
    if (call->depth == 0) {
        return unknown_range(what->type);
    }
    switch (what->kind) {
    case EXPR_LITERAL:
        return range_of_literal(what);
    case EXPR_COLUMN:
        return range_of_column(call, what);
    case EXPR_CAST: {
        if (what->type->id == TYPE_BINARY && what->type->width == 0 &&
            what->cast_.arg->type->id == TYPE_BINARY) { // The same bytes.
            const facts_call inner = {call->facts, call->scratch, call->depth - 1};
            return facts_range_of(&inner, what->cast_.arg);
        }
        const cast_rule rule = cast_find(what->cast_.arg->type, what->type);
        if (rule.is_monotone && !rule.is_stable) {
            return range_of_image(call, what, what->cast_.arg, what->cast_.is_try);
        }
        break;
    }
    case EXPR_CALL:
        if (is_ascending_call(what)) {
            // It may make NULL of a value.
            return range_of_image(call, what, what->call_.args.items[0], true);
        }
        break;
    case EXPR_PARAMETER:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_CASE:
    case EXPR_COALESCE:
    case EXPR_IN:
    case EXPR_TRY:
    case EXPR_DYNAMIC:
    case EXPR_LAMBDA:
    case EXPR_SUBQUERY:
    case EXPR_AGGREGATE:
    case EXPR_KIND_COUNT:
        break;
    }
    return unknown_range(what->type);
}
