// The types that results have: the common type of two, and those of decimal arithmetic.
#include "expr/cast.h"

static firn_status new_decimal(arena *memory, uint32_t precision, uint32_t scale, const type **out,
                               firn_error *err) {
    *out = type_decimal(memory, (uint8_t)precision, (uint8_t)scale);
    return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

static uint32_t larger(uint32_t left, uint32_t right) {
    return left > right ? left : right;
}

// Results are no wider than 38 digits unless somebody declared more.
static uint32_t precision_cap(const type *left, const type *right) {
    const bool is_wide =
        left->precision > DECIMAL_PRECISION_I128 || right->precision > DECIMAL_PRECISION_I128;
    return is_wide ? DECIMAL_PRECISION_MAX : DECIMAL_PRECISION_I128;
}

static firn_status common_decimal(const type *left, const type *right, uint32_t cap, arena *memory,
                                  const type **out, firn_error *err) {
    const type *l = type_as_decimal(left);
    const type *r = type_as_decimal(right);
    const uint32_t scale = larger(l->scale, r->scale);
    const uint32_t whole =
        larger((uint32_t)l->precision - l->scale, (uint32_t)r->precision - r->scale);
    if (cap == 0) {
        cap = precision_cap(l, r);
    }
    const uint32_t precision = whole + scale < cap ? whole + scale : cap;
    return new_decimal(memory, larger(precision, 1), scale, out, err);
}

// Two different integer types.
static firn_status common_integer(const type *left, const type *right, uint32_t cap, arena *memory,
                                  const type **out, firn_error *err) {
    static const type_id candidates[] = {TYPE_TINYINT,  TYPE_SMALLINT, TYPE_INTEGER,
                                         TYPE_BIGINT,   TYPE_UTINYINT, TYPE_USMALLINT,
                                         TYPE_UINTEGER, TYPE_UBIGINT};
    const type *best = NULL;
    uint32_t best_cost = UINT32_MAX;
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        const type *candidate = &type_constants[candidates[i]];
        const cast_rule l = cast_find(left, candidate);
        const cast_rule r = cast_find(right, candidate);
        if (l.kind >= CAST_IMPLICIT && r.kind >= CAST_IMPLICIT && l.cost + r.cost < best_cost) {
            best = candidate;
            best_cost = l.cost + r.cost;
        }
    }
    if (best == NULL) { // Unsigned 64-bit with a signed type.
        return common_decimal(left, right, cap, memory, out, err);
    }
    *out = best;
    return FIRN_OK;
}

static firn_status common_number(const type *left, const type *right, uint32_t cap, arena *memory,
                                 const type **out, firn_error *err) {
    const type_category l = type_category_of(left);
    const type_category r = type_category_of(right);
    if (l == CATEGORY_FLOAT && r == CATEGORY_FLOAT) {
        *out = left->id > right->id ? left : right; // In the order of their widths.
        return FIRN_OK;
    }
    if (l == CATEGORY_FLOAT || r == CATEGORY_FLOAT) {
        *out = TYPE_OF(DOUBLE);
        return FIRN_OK;
    }
    if (l == CATEGORY_INTEGER && r == CATEGORY_INTEGER) {
        return common_integer(left, right, cap, memory, out, err);
    }
    return common_decimal(left, right, cap, memory, out, err);
}

static const type *common_datetime(const type *left, const type *right) {
    const time_unit finer = left->unit > right->unit ? left->unit : right->unit;
    if (left->id == right->id) {
        return type_temporal(left->id, finer); // They differ in the unit only.
    }
    const type *later = left->id > right->id ? left : right;
    const type *earlier = later == left ? right : left;
    if (later->id != TYPE_TIMESTAMP && later->id != TYPE_TIMESTAMPTZ) {
        return NULL;
    }
    if (earlier->id == TYPE_DATE) {
        return later;
    }
    return earlier->id == TYPE_TIMESTAMP ? type_temporal(later->id, finer) : NULL;
}

typedef struct common_rules {
    uint32_t decimal_cap; ///< 0: 38, or 76 if one is declared wider.
    bool text_yields;     ///< VARCHAR takes the other's type.
} common_rules;

static firn_status common_type(const type *left, const type *right, common_rules rules,
                               arena *memory, const type **out, firn_error *err);

// Children of the common type of two lists, maps or structs, by position; `fields` has room.
static firn_status common_children(const type *left, const type *right, common_rules rules,
                                   arena *memory, field *fields, firn_error *err) {
    const bool by_name = cast_struct_by_name(right, left);
    for (uint32_t i = 0; i < left->child_count; i++) {
        const uint32_t source = cast_struct_source(right, left, by_name, i);
        fields[i] = left->children[i];
        fields[i].is_nullable |= right->children[source].is_nullable;
        TRY(common_type(left->children[i].type, right->children[source].type, rules, memory,
                        &fields[i].type, err));
    }
    return FIRN_OK;
}

static firn_status common_nested(const type *left, const type *right, common_rules rules,
                                 arena *memory, const type **out, firn_error *err) {
    if (left->child_count != right->child_count || cast_struct_crosses(right, left)) {
        return FIRN_OK;
    }
    field *fields = ARENA_NEW(memory, field, left->child_count + 1);
    if (fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    TRY(common_children(left, right, rules, memory, fields, err));
    for (uint32_t i = 0; i < left->child_count; i++) {
        if (fields[i].type == NULL) {
            return FIRN_OK;
        }
    }
    const type *made = NULL;
    if (left->id == TYPE_LIST) {
        made = type_list(memory, fields[0].type);
    } else if (left->id == TYPE_MAP) {
        made = type_map(memory, fields[0].type, fields[1].type);
    } else {
        made = type_struct(memory, left->child_count, fields);
    }
    *out = made;
    return made == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

static bool is_number(const type *self) {
    const type_category category = type_category_of(self);
    return category == CATEGORY_INTEGER || category == CATEGORY_FLOAT ||
           category == CATEGORY_DECIMAL;
}

// The other's type if one is VARCHAR and the other may be compared with text.
static const type *type_beside_text(const type *left, const type *right) {
    const type *other = left->id == TYPE_VARCHAR ? right : left;
    if (left->id != TYPE_VARCHAR && right->id != TYPE_VARCHAR) {
        return NULL;
    }
    const type_category category = type_category_of(other);
    const bool yields = is_number(other) || category == CATEGORY_DATETIME ||
                        category == CATEGORY_BOOLEAN || category == CATEGORY_UUID;
    return yields ? other : NULL;
}

static firn_status common_type(const type *left, const type *right, common_rules rules,
                               arena *memory, const type **out, firn_error *err) {
    *out = NULL;
    if (type_equal(left, right) || right->id == TYPE_NULL) {
        *out = left;
    } else if (left->id == TYPE_NULL) {
        *out = right;
    } else if (is_number(left) && is_number(right)) {
        return common_number(left, right, rules.decimal_cap, memory, out, err);
    } else if (type_category_of(left) == CATEGORY_DATETIME &&
               type_category_of(right) == CATEGORY_DATETIME) {
        *out = common_datetime(left, right);
    } else if (type_category_of(left) == CATEGORY_TEXT &&
               type_category_of(right) == CATEGORY_TEXT) {
        *out = TYPE_OF(VARCHAR);
    } else if (left->id == TYPE_BINARY && right->id == TYPE_BINARY) {
        *out = TYPE_OF(BINARY);
    } else if (left->id == right->id && type_is_nested(left)) {
        return common_nested(left, right, rules, memory, out, err);
    } else if (rules.text_yields) {
        *out = type_beside_text(left, right);
    }
    return FIRN_OK;
}

firn_status type_common(const type *left, const type *right, arena *memory, const type **out,
                        firn_error *err) {
    return common_type(left, right, (common_rules){0}, memory, out, err);
}

firn_status type_common_compared(const type *left, const type *right, arena *memory,
                                 const type **out, firn_error *err) {
    const common_rules rules = {.decimal_cap = DECIMAL_PRECISION_MAX, .text_yields = true};
    return common_type(left, right, rules, memory, out, err);
}

firn_status type_of_decimals(decimal_operation operation, const type *left, const type *right,
                             arena *memory, const type **out, firn_error *err) {
    const uint32_t cap = precision_cap(left, right);
    const uint32_t scale = larger(left->scale, right->scale);
    const uint32_t left_whole = (uint32_t)left->precision - left->scale;
    const uint32_t right_whole = (uint32_t)right->precision - right->scale;
    uint32_t precision = cap;
    switch (operation) {
    case DECIMAL_ADD:
        precision = larger(left_whole, right_whole) + scale + 1;
        break;
    case DECIMAL_REMAINDER:
        precision = larger((left_whole < right_whole ? left_whole : right_whole) + scale, 1);
        break;
    case DECIMAL_DIVIDE:
        return new_decimal(memory, cap, larger(left->scale, 16), out, err);
    case DECIMAL_MULTIPLY: {
        const uint32_t product_scale = (uint32_t)left->scale + right->scale;
        if (product_scale > cap) {
            const firn_status status = FAIL_SQL(
                err, FIRN_INVALID, "22003", NO_POSITION,
                "a product of DECIMAL(%u,%u) and DECIMAL(%u,%u) has %u digits behind the point, at "
                "most %u are allowed",
                left->precision, left->scale, right->precision, right->scale, product_scale, cap);
            err_hint(err, "CAST one side to fewer digits, or to DOUBLE");
            return status;
        }
        precision = (uint32_t)left->precision + right->precision + 1;
        return new_decimal(memory, precision < cap ? precision : cap, product_scale, out, err);
    }
    }
    return new_decimal(memory, precision < cap ? precision : cap, scale, out, err);
}
