// Which casts there are, what they cost, and which can fail. The kernels are in cast_kernel.c.
#include "expr/cast.h"

#define CASTS(from, cells) [TYPE_##from] = (cells),
static const char *const matrix[TYPE_COUNT] = {
#include "expr/casts.def"
};
#undef CASTS

// The cell of a pair: blanks between the cells are for the eye.
static char cell_of(type_id from, type_id to) {
    uint32_t seen = 0;
    for (const char *at = matrix[from]; *at != '\0'; at++) {
        if (*at != ' ' && seen++ == (uint32_t)to) {
            return *at;
        }
    }
    assert(false && "a row of casts.def has a cell per type");
    return '.';
}

static const cast_rule same = {.kind = CAST_SAME, .is_monotone = true};
static const cast_rule none = {.kind = CAST_NONE};

// Digits before the point that an integer type can have; a decimal's are its own.
static uint32_t whole_digits(const type *self) {
    const type *decimal = type_as_decimal(self);
    return (uint32_t)decimal->precision - decimal->scale;
}

static const type integers_as_decimals[] = {
    {.id = TYPE_DECIMAL, .precision = 3, .unit = UNIT_MICRO},
    {.id = TYPE_DECIMAL, .precision = 5, .unit = UNIT_MICRO},
    {.id = TYPE_DECIMAL, .precision = 10, .unit = UNIT_MICRO},
    {.id = TYPE_DECIMAL, .precision = 19, .unit = UNIT_MICRO},
    {.id = TYPE_DECIMAL, .precision = 20, .unit = UNIT_MICRO},
};

const type *type_as_decimal(const type *self) {
    switch ((int)self->id) {
    case TYPE_TINYINT:
    case TYPE_UTINYINT:
        return &integers_as_decimals[0];
    case TYPE_SMALLINT:
    case TYPE_USMALLINT:
        return &integers_as_decimals[1];
    case TYPE_INTEGER:
    case TYPE_UINTEGER:
        return &integers_as_decimals[2];
    case TYPE_BIGINT:
        return &integers_as_decimals[3];
    case TYPE_UBIGINT:
        return &integers_as_decimals[4];
    case TYPE_DECIMAL:
        return self;
    default:
        return NULL;
    }
}

// ---- The same kind of type with other parameters ---------------------------------------------

static cast_rule between_decimals(const type *from, const type *to) {
    if (from->precision == to->precision && from->scale == to->scale) {
        return same;
    }
    const bool fits = whole_digits(to) >= whole_digits(from);
    const bool keeps_all = fits && to->scale >= from->scale;
    // Rounding may carry into one more digit: 9.99 as DECIMAL(2,1) is 10.0.
    const bool carries = to->scale < from->scale && whole_digits(to) == whole_digits(from);
    return (cast_rule){.kind = keeps_all ? CAST_IMPLICIT : CAST_ASSIGNMENT,
                       .cost = keeps_all ? 1 : 0,
                       .can_fail = !fits || carries,
                       .is_monotone = true};
}

static cast_rule between_units(const type *from, const type *to) {
    if (from->unit == to->unit) {
        return same;
    }
    const bool keeps_all = to->unit > from->unit;
    return (cast_rule){.kind = keeps_all ? CAST_IMPLICIT : CAST_ASSIGNMENT,
                       .cost = keeps_all ? 1 : 0,
                       .can_fail = from->id != TYPE_TIME && keeps_all,
                       .is_monotone = true};
}

static cast_rule between_binaries(const type *from, const type *to) {
    if (from->width == to->width || to->width == 0) {
        return from->width == to->width ? same : (cast_rule){.kind = CAST_SAME, .cost = 0};
    }
    return (cast_rule){.kind = from->width == 0 ? CAST_ASSIGNMENT : CAST_NONE, .can_fail = true};
}

// The weakest of a nested type's child casts decides.
static cast_rule weaker(cast_rule left, cast_rule right) {
    return (cast_rule){.kind = left.kind < right.kind ? left.kind : right.kind,
                       .cost = left.cost > right.cost ? left.cost : right.cost,
                       .can_fail = left.can_fail || right.can_fail,
                       .is_stable = left.is_stable || right.is_stable};
}

// The field of that name, UINT32_MAX if there is none; it is most often at `place`.
static uint32_t find_field(const type *from, text name, uint32_t place) {
    if (place < from->child_count && text_equal_nocase(from->children[place].name, name)) {
        return place;
    }
    for (uint32_t i = 0; i < from->child_count; i++) {
        if (text_equal_nocase(from->children[i].name, name)) {
            return i;
        }
    }
    return UINT32_MAX;
}

bool cast_struct_by_name(const type *from, const type *to) {
    if (to->id != TYPE_STRUCT) {
        return false;
    }
    for (uint32_t i = 0; i < to->child_count; i++) {
        if (find_field(from, to->children[i].name, i) == UINT32_MAX) {
            return false;
        }
    }
    return true;
}

bool cast_struct_crosses(const type *from, const type *to) {
    if (to->id != TYPE_STRUCT || cast_struct_by_name(from, to)) {
        return false;
    }
    for (uint32_t i = 0; i < to->child_count; i++) {
        const uint32_t found = find_field(from, to->children[i].name, i);
        if (found != UINT32_MAX && found != i) {
            return true;
        }
    }
    return false;
}

uint32_t cast_struct_source(const type *from, const type *to, bool by_name, uint32_t index) {
    return by_name ? find_field(from, to->children[index].name, index) : index;
}

static cast_rule between_nested(const type *from, const type *to) {
    if (from->child_count != to->child_count || cast_struct_crosses(from, to)) {
        return none;
    }
    const bool by_name = cast_struct_by_name(from, to);
    cast_rule rule = {.kind = CAST_SAME};
    for (uint32_t i = 0; i < to->child_count; i++) {
        const uint32_t source = cast_struct_source(from, to, by_name, i);
        const cast_rule child = cast_find(from->children[source].type, to->children[i].type);
        rule = weaker(rule, child);
        if (source != i && rule.kind == CAST_SAME) {
            rule.kind = CAST_IMPLICIT; // The fields stand in another order.
            rule.cost = 1;
        }
    }
    if (rule.kind == CAST_IMPLICIT && rule.cost == 0) {
        rule.cost = 1;
    }
    return rule;
}

static cast_rule same_id(const type *from, const type *to) {
    switch ((int)from->id) {
    case TYPE_DECIMAL:
        return between_decimals(from, to);
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return between_units(from, to);
    case TYPE_BINARY:
        return between_binaries(from, to);
    case TYPE_LIST:
    case TYPE_STRUCT:
    case TYPE_MAP:
        return between_nested(from, to);
    default:
        return same;
    }
}

// ---- Different types -------------------------------------------------------------------------

static bool is_integer(const type *self) {
    return type_category_of(self) == CATEGORY_INTEGER;
}

// The range of an integer type, as powers: smallest and largest value.
static void integer_range(type_id id, i128 *low, i128 *high) {
    static const uint8_t bits[] = {8, 16, 32, 64};
    const bool is_unsigned = id >= TYPE_UTINYINT;
    const uint32_t width = bits[id - (is_unsigned ? TYPE_UTINYINT : TYPE_TINYINT)];
    *high = ((i128)1 << (is_unsigned ? width : width - 1)) - 1;
    *low = is_unsigned ? 0 : -*high - 1;
}

static bool integer_can_overflow(const type *from, const type *to) {
    i128 low;
    i128 high;
    i128 to_low;
    i128 to_high;
    integer_range(to->id, &to_low, &to_high);
    if (is_integer(from)) {
        integer_range(from->id, &low, &high);
        return low < to_low || high > to_high;
    }
    const uint32_t digits = whole_digits(from); // DECIMAL. Rounding may carry into one more digit.
    if (digits >= DECIMAL128_DIGITS_MAX) {
        return true;
    }
    high = i128_power_of_ten[digits];
    return high > to_high || -high < to_low;
}

// Whether a number may be beyond the greatest of a float type: 65504 of FLOAT16, 3.4e38 of REAL.
static bool float_can_overflow(const type *from, const type *to) {
    if (to->id == TYPE_DOUBLE || type_category_of(from) == CATEGORY_BOOLEAN) {
        return false;
    }
    if (type_category_of(from) == CATEGORY_FLOAT) {
        return to->id < from->id; // In the order of their widths.
    }
    return whole_digits(from) > (to->id == TYPE_REAL ? 38 : 4);
}

static bool number_can_fail(const type *from, const type *to) {
    const type_category source = type_category_of(from);
    switch ((int)type_category_of(to)) {
    case CATEGORY_INTEGER:
        return source == CATEGORY_FLOAT ||
               (source != CATEGORY_BOOLEAN && integer_can_overflow(from, to));
    case CATEGORY_DECIMAL:
        if (source == CATEGORY_FLOAT) {
            return true;
        }
        return whole_digits(to) < (source == CATEGORY_BOOLEAN ? 1 : whole_digits(from));
    case CATEGORY_FLOAT:
        return float_can_overflow(from, to);
    default:
        return false; // To BOOLEAN.
    }
}

static bool different_can_fail(const type *from, const type *to) {
    if (from->id == TYPE_NULL || to->id == TYPE_VARCHAR) {
        return false;
    }
    switch ((int)type_category_of(from)) {
    case CATEGORY_BOOLEAN:
    case CATEGORY_INTEGER:
    case CATEGORY_FLOAT:
    case CATEGORY_DECIMAL:
        return number_can_fail(from, to);
    case CATEGORY_DATETIME:
        if (to->id == TYPE_TIME || to->id == TYPE_INTERVAL) {
            return from->id == TYPE_TIMESTAMPTZ;
        }
        // A date has 32 bits of days: those of microseconds always fit.
        return to->id != TYPE_DATE || from->id == TYPE_TIMESTAMPTZ || from->unit < UNIT_MICRO;
    case CATEGORY_UUID:
        return to->id == TYPE_BINARY && to->width != 0 && to->width != 16;
    default:
        return true; // Text, binary.
    }
}

static bool is_number(const type *self) {
    const type_category category = type_category_of(self);
    return category == CATEGORY_INTEGER || category == CATEGORY_FLOAT ||
           category == CATEGORY_DECIMAL;
}

// Ascending, so that bounds become bounds: not where text or zones are involved.
static bool different_is_monotone(const type *from, const type *to) {
    const bool is_date_pair = (from->id == TYPE_DATE && to->id == TYPE_TIMESTAMP) ||
                              (from->id == TYPE_TIMESTAMP && to->id == TYPE_DATE);
    return (is_number(from) && is_number(to)) || is_date_pair;
}

static bool has_zone(const type *self) {
    if (self->id == TYPE_TIMESTAMPTZ) {
        return true;
    }
    for (uint32_t i = 0; i < self->child_count; i++) {
        if (has_zone(self->children[i].type)) {
            return true;
        }
    }
    return false;
}

cast_rule cast_find(const type *from, const type *to) {
    if (from == to) {
        return same; // However many fields there are.
    }
    const char cell = cell_of(from->id, to->id);
    cast_rule rule = {.kind = CAST_NONE};
    switch (cell) {
    case '.':
        return from->id == to->id ? same : none;
    case '=':
        return same_id(from, to);
    case 'e':
        rule.kind = CAST_EXPLICIT;
        break;
    case 'a':
        rule.kind = CAST_ASSIGNMENT;
        break;
    default:
        rule.kind = CAST_IMPLICIT;
        rule.cost = (uint32_t)(cell - '0');
    }
    rule.can_fail = different_can_fail(from, to);
    rule.is_stable = has_zone(from) || has_zone(to);
    rule.is_monotone = different_is_monotone(from, to);
    return rule;
}
