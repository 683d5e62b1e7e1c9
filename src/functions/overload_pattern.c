// The pattern language of signatures (expr/function.h): read, matched with types, turned into
// types.
#include "expr/cast.h"
#include "functions/overload_private.h"

// ---- Reading ---------------------------------------------------------------------------------

typedef struct pattern_reader {
    const char *at;
    signature *out;
    uint32_t depth;
} pattern_reader;

static void skip_blanks(pattern_reader *self) {
    while (*self->at == ' ') {
        self->at++;
    }
}

// Signatures are read for each call of a statement: what stands there mostly differs at once.
static bool take(pattern_reader *self, const char *words) {
    skip_blanks(self);
    const char *at = self->at;
    for (; *words != '\0'; words++, at++) {
        if (*at != *words) {
            return false;
        }
    }
    self->at = at;
    return true;
}

static bool is_upper(char byte) {
    return byte >= 'A' && byte <= 'Z';
}

static bool is_lower(char byte) {
    return byte >= 'a' && byte <= 'z';
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool add_letter(char letters[2], char letter) {
    for (int i = 0; i < 2; i++) {
        if (letters[i] == '\0') {
            letters[i] = letter;
            return true;
        }
    }
    return false;
}

static bool read_sum(pattern_reader *self, pattern_sum *out) {
    *out = (pattern_sum){.number = 0};
    bool is_minus = false;
    do {
        skip_blanks(self);
        if (is_digit(*self->at)) {
            int16_t number = 0;
            while (is_digit(*self->at) && number < 100) {
                number = (int16_t)(number * 10 + (*self->at++ - '0'));
            }
            out->number = (int16_t)(out->number + (is_minus ? -number : number));
        } else if (is_lower(*self->at) || *self->at == '*') {
            if (!add_letter(is_minus ? out->minus : out->plus, *self->at++)) {
                return false;
            }
        } else {
            return false;
        }
        is_minus = false;
        if (take(self, "-")) {
            is_minus = true;
        } else if (!take(self, "+")) {
            return true;
        }
    } while (true);
}

static bool read_pattern(pattern_reader *self, uint8_t *out);

// Children up to `end`, separated by commas.
static bool read_children(pattern_reader *self, pattern *parent, const char *end) {
    if (take(self, end)) {
        return true;
    }
    do {
        if (parent->child_count >= PATTERN_CHILDREN_MAX ||
            !read_pattern(self, &parent->children[parent->child_count])) {
            return false;
        }
        parent->child_count++;
    } while (take(self, ","));
    return take(self, end);
}

static bool read_decimal(pattern_reader *self, pattern *out) {
    out->kind = PATTERN_DECIMAL;
    if (take(self, "(*)")) {
        out->precision.plus[0] = '*';
        out->scale.plus[0] = '*';
        return true;
    }
    return take(self, "(") && read_sum(self, &out->precision) && take(self, ",") &&
           read_sum(self, &out->scale) && take(self, ")");
}

static bool read_lambda(pattern_reader *self, pattern *out) {
    out->kind = PATTERN_LAMBDA;
    if (!take(self, "(") || !read_children(self, out, ")") || !take(self, "->") ||
        out->child_count >= PATTERN_CHILDREN_MAX ||
        !read_pattern(self, &out->children[out->child_count])) {
        return false;
    }
    out->child_count++;
    return true;
}

// The type of a SQL name of types.def that stands next, blanks in it included.
static bool read_type_name(pattern_reader *self, pattern *out) {
    static const struct {
        const char *name;
        size_t size;
        type_id id;
    } names[] = {
#define TYPE(id_, name_, physical_, category_, bytes_) {name_, sizeof(name_) - 1, TYPE_##id_},
#include "column/types.def"
#undef TYPE
        {"TIMESTAMPTZ", sizeof "TIMESTAMPTZ" - 1, TYPE_TIMESTAMPTZ},
    };
    size_t longest = 0;
    skip_blanks(self);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const size_t size = names[i].size;
        if (*self->at == *names[i].name && size > longest &&
            strncmp(self->at, names[i].name, size) == 0 && !is_upper(self->at[size])) {
            longest = size;
            out->id = names[i].id;
        }
    }
    self->at += longest;
    return longest > 0;
}

static bool read_typed(pattern_reader *self, pattern *out) {
    if (!read_type_name(self, out)) {
        return false;
    }
    switch ((int)out->id) {
    case TYPE_DECIMAL:
        return read_decimal(self, out);
    case TYPE_LIST:
        out->kind = PATTERN_LIST;
        return take(self, "<") && read_children(self, out, ">") && out->child_count == 1;
    case TYPE_MAP:
        out->kind = PATTERN_MAP;
        return take(self, "<") && read_children(self, out, ">") && out->child_count == 2;
    case TYPE_STRUCT:
        out->kind = PATTERN_STRUCT;
        return true;
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        if (take(self, "(")) {
            out->kind = PATTERN_UNIT;
            skip_blanks(self);
            out->letter = *self->at;
            if (!is_lower(out->letter)) {
                return false;
            }
            self->at++;
            return take(self, ")");
        }
        break;
    default:
        break;
    }
    out->kind = PATTERN_TYPE;
    return true;
}

static bool read_pattern(pattern_reader *self, uint8_t *out) {
    signature *into = self->out;
    if (into->node_count >= PATTERN_NODES_MAX || self->depth > PATTERN_CHILDREN_MAX) {
        return false;
    }
    const uint32_t index = into->node_count++;
    pattern node = {.kind = PATTERN_ANY};
    *out = (uint8_t)index;
    self->depth++;
    bool is_good = true;
    skip_blanks(self);
    if (take(self, "?")) {
        node.kind = PATTERN_ASK;
    } else if (take(self, "LAMBDA")) {
        is_good = read_lambda(self, &node);
    } else if (is_upper(self->at[0]) && !is_upper(self->at[1])) {
        node.kind = PATTERN_LETTER;
        node.letter = *self->at++;
    } else if (!take(self, "ANY")) {
        is_good = read_typed(self, &node);
    }
    self->depth--;
    into->nodes[index] = node;
    return is_good;
}

static bool read_args(pattern_reader *self) {
    signature *out = self->out;
    skip_blanks(self);
    if (*self->at == '\0') {
        return true;
    }
    do {
        if (out->is_variadic || out->arg_count >= SIGNATURE_ARGS_MAX ||
            !read_pattern(self, &out->args[out->arg_count])) {
            return false;
        }
        out->arg_count++;
        out->is_variadic = take(self, "...");
        out->may_lack_last = out->is_variadic && take(self, "?");
    } while (take(self, ","));
    skip_blanks(self);
    return *self->at == '\0';
}

bool signature_parse(const char *source, signature *out) {
    *out = (signature){.node_count = 0};
    pattern_reader reader = {.at = source, .out = out};
    return read_pattern(&reader, &out->result) && take(&reader, "<-") && read_args(&reader);
}

bool signature_parse_list(const char *source, signature *out) {
    *out = (signature){.node_count = 0};
    pattern_reader reader = {.at = source, .out = out};
    return read_args(&reader);
}

const pattern *signature_arg(const signature *self, uint32_t index) {
    assert(self->arg_count > 0);
    const uint32_t last = self->arg_count - 1;
    return &self->nodes[self->args[index < last ? index : last]];
}

bool signature_takes_count(const signature *self, uint32_t arg_count) {
    if (!self->is_variadic) {
        return arg_count == self->arg_count;
    }
    return arg_count + (self->may_lack_last ? 1 : 0) >= self->arg_count;
}

// ---- Letters ---------------------------------------------------------------------------------

static bool sums_equal(pattern_sum left, pattern_sum right) {
    return memcmp(left.plus, right.plus, sizeof left.plus) == 0 &&
           memcmp(left.minus, right.minus, sizeof left.minus) == 0 && left.number == right.number;
}

// The types both fit into; `*fits` is false if there is none. Either may be NULL.
static firn_status join_types(bindings *self, const type *known, const type *actual,
                              const type **out, bool *fits, firn_error *err) {
    if (known == NULL) {
        *out = actual;
        return FIRN_OK;
    }
    const type *common = NULL;
    if (self->is_comparison) {
        TRY(type_common_compared(known, actual, self->memory, &common, err));
    } else {
        TRY(type_common(known, actual, self->memory, &common, err));
    }
    if (common == NULL) {
        *fits = false;
        return FIRN_OK;
    }
    *out = common;
    return FIRN_OK;
}

static firn_status unify_decimal(bindings *self, const pattern *with, const type *actual,
                                 bool *fits, firn_error *err) {
    const type *decimal = type_as_decimal(actual);
    if (with->precision.plus[0] == '*' || decimal == NULL) {
        return FIRN_OK; // Each its own; or no decimal, and then there is no cast to it either.
    }
    for (uint32_t i = 0; i < self->decimal_count; i++) {
        if (sums_equal(self->decimals[i].precision, with->precision) &&
            sums_equal(self->decimals[i].scale, with->scale)) {
            return join_types(self, self->decimals[i].type, decimal, &self->decimals[i].type, fits,
                              err);
        }
    }
    if (self->decimal_count == DECIMAL_GROUPS_MAX) {
        *fits = false;
        return FIRN_OK;
    }
    self->decimals[self->decimal_count].precision = with->precision;
    self->decimals[self->decimal_count].scale = with->scale;
    self->decimals[self->decimal_count++].type = decimal;
    return FIRN_OK;
}

// An 'm' is microseconds at least.
static time_unit unit_for(char letter, time_unit unit) {
    return letter == 'm' && unit < UNIT_MICRO ? UNIT_MICRO : unit;
}

static void unify_unit(bindings *self, const pattern *with, const type *actual) {
    if (type_category_of(actual) != CATEGORY_DATETIME) {
        return;
    }
    const time_unit unit = unit_for(with->letter, actual->unit);
    for (uint32_t i = 0; i < self->unit_count; i++) {
        if (self->units[i].letter == with->letter) {
            if (unit > self->units[i].unit) {
                self->units[i].unit = unit;
            }
            return;
        }
    }
    if (self->unit_count < UNITS_MAX) {
        self->units[self->unit_count].letter = with->letter;
        self->units[self->unit_count++].unit = unit;
    }
}

firn_status bindings_unify(bindings *self, const signature *in, const pattern *with,
                           const type *actual, bool *fits, firn_error *err) {
    if (actual->id == TYPE_NULL) {
        return FIRN_OK;
    }
    switch (with->kind) {
    case PATTERN_LETTER: {
        const type **slot = &self->letters[with->letter - 'A'];
        return join_types(self, *slot, actual, slot, fits, err);
    }
    case PATTERN_LIST:
    case PATTERN_MAP:
        if (actual->id != (with->kind == PATTERN_LIST ? TYPE_LIST : TYPE_MAP)) {
            *fits = false;
            return FIRN_OK;
        }
        for (uint32_t i = 0; i < with->child_count && *fits; i++) {
            TRY(bindings_unify(self, in, &in->nodes[with->children[i]], actual->children[i].type,
                               fits, err));
        }
        return FIRN_OK;
    case PATTERN_DECIMAL:
        return unify_decimal(self, with, actual, fits, err);
    case PATTERN_UNIT:
        unify_unit(self, with, actual);
        return FIRN_OK;
    case PATTERN_TYPE:
    case PATTERN_ANY:
    case PATTERN_ASK:
    case PATTERN_STRUCT:
    case PATTERN_LAMBDA:
        break;
    }
    return FIRN_OK;
}

// ---- Types of patterns -----------------------------------------------------------------------

// The value of a letter of DECIMAL(p,s): a precision or a scale, wherever it stands in a group.
static int32_t letter_value(const bindings *self, char letter) {
    for (uint32_t i = 0; i < self->decimal_count; i++) {
        if (self->decimals[i].precision.plus[0] == letter) {
            return self->decimals[i].type->precision;
        }
        if (self->decimals[i].scale.plus[0] == letter) {
            return self->decimals[i].type->scale;
        }
    }
    return 0;
}

static int32_t sum_value(const bindings *self, pattern_sum sum) {
    int32_t value = sum.number;
    for (int i = 0; i < 2; i++) {
        value += sum.plus[i] == '\0' ? 0 : letter_value(self, sum.plus[i]);
        value -= sum.minus[i] == '\0' ? 0 : letter_value(self, sum.minus[i]);
    }
    return value;
}

static int32_t within(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

static firn_status decimal_type(bindings *self, const pattern *of, const type *own,
                                const type **out, firn_error *err) {
    const type *decimal = own == NULL ? NULL : type_as_decimal(own);
    if (of->precision.plus[0] == '*') {
        static const type widest = {
            .id = TYPE_DECIMAL, .precision = DECIMAL_PRECISION_I128, .scale = 10};
        *out = decimal == NULL ? &widest : decimal;
        return FIRN_OK;
    }
    int32_t precision = sum_value(self, of->precision);
    int32_t scale = sum_value(self, of->scale);
    if (precision == 0) { // Nothing told: NULL or an unknown literal.
        precision = DECIMAL_PRECISION_I128;
        scale = 10;
    }
    const int32_t cap =
        precision > DECIMAL_PRECISION_I128 ? DECIMAL_PRECISION_MAX : DECIMAL_PRECISION_I128;
    scale = within(scale, 0, cap);
    precision = within(precision, scale > 1 ? scale : 1, cap);
    *out = type_decimal(self->memory, (uint8_t)precision, (uint8_t)scale);
    return *out == NULL ? ARENA_FULL(self->memory, err) : FIRN_OK;
}

static const type *unit_type(const bindings *self, const pattern *of) {
    time_unit unit = UNIT_MICRO;
    for (uint32_t i = 0; i < self->unit_count; i++) {
        if (self->units[i].letter == of->letter) {
            unit = self->units[i].unit;
        }
    }
    return type_temporal(of->id, unit);
}

firn_status bindings_type(bindings *self, const signature *in, const pattern *of, const type *own,
                          const type **out, firn_error *err) {
    const type *children[2] = {NULL, NULL};
    *out = NULL;
    switch (of->kind) {
    case PATTERN_TYPE:
        // BINARY takes any width: the same values.
        *out = of->id == TYPE_BINARY && own != NULL && own->id == TYPE_BINARY
                   ? own
                   : &type_constants[of->id];
        return FIRN_OK;
    case PATTERN_LETTER: {
        const type *known = self->letters[of->letter - 'A'];
        *out = known == NULL ? TYPE_OF(VARCHAR) : known;
        return FIRN_OK;
    }
    case PATTERN_ANY:
    case PATTERN_STRUCT:
        *out = own;
        return FIRN_OK;
    case PATTERN_ASK:
        return FIRN_OK;
    case PATTERN_LIST:
    case PATTERN_MAP:
        for (uint32_t i = 0; i < of->child_count; i++) {
            TRY(bindings_type(self, in, &in->nodes[of->children[i]], NULL, &children[i], err));
            if (children[i] == NULL) {
                children[i] = TYPE_OF(VARCHAR);
            }
        }
        *out = of->kind == PATTERN_LIST ? type_list(self->memory, children[0])
                                        : type_map(self->memory, children[0], children[1]);
        return *out == NULL ? ARENA_FULL(self->memory, err) : FIRN_OK;
    case PATTERN_DECIMAL:
        return decimal_type(self, of, own, out, err);
    case PATTERN_UNIT:
        *out = unit_type(self, of);
        return FIRN_OK;
    case PATTERN_LAMBDA:
        return bindings_type(self, in, &in->nodes[of->children[of->child_count - 1]], own, out,
                             err);
    }
    return FIRN_OK;
}
