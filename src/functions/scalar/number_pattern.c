// Taking patterns of numbers apart.
#include "functions/scalar/number_pattern.h"

#include "base/utf8.h"

typedef enum number_word {
    WORD_NONE,
    WORD_NINE,
    WORD_ZERO,
    WORD_POINT,
    WORD_COMMA,
    WORD_MONEY,
    WORD_BLANK, // B, SP: taken and forgotten, as PostgreSQL does.
    WORD_BARE,
    WORD_SIGN,
    WORD_MINUS,
    WORD_PLUS,
    WORD_EACH_SIGN,
    WORD_BRACKET,
    WORD_ROMAN,
    WORD_ORDINAL,
    WORD_SHIFT,
    WORD_EXPONENT
} number_word;

static const struct {
    const char *word; // All capitals, or all small letters.
    number_word is;
    number_field field;
} words[] = {
    {"9", WORD_NINE, NUMBER_FIELD_DIGIT},          {"0", WORD_ZERO, NUMBER_FIELD_ZERO},
    {".", WORD_POINT, NUMBER_FIELD_POINT},         {"D", WORD_POINT, NUMBER_FIELD_POINT},
    {",", WORD_COMMA, NUMBER_FIELD_COMMA},         {"G", WORD_COMMA, NUMBER_FIELD_COMMA},
    {"L", WORD_MONEY, NUMBER_FIELD_MONEY},         {"B", WORD_BLANK, NUMBER_FIELD_NOTHING},
    {"FM", WORD_BARE, NUMBER_FIELD_NOTHING},       {"MI", WORD_MINUS, NUMBER_FIELD_MINUS},
    {"PL", WORD_PLUS, NUMBER_FIELD_PLUS},          {"PR", WORD_BRACKET, NUMBER_FIELD_NOTHING},
    {"RN", WORD_ROMAN, NUMBER_FIELD_ROMAN},        {"SG", WORD_EACH_SIGN, NUMBER_FIELD_EACH_SIGN},
    {"SP", WORD_BLANK, NUMBER_FIELD_NOTHING},      {"S", WORD_SIGN, NUMBER_FIELD_NOTHING},
    {"TH", WORD_ORDINAL, NUMBER_FIELD_ORDINAL},    {"V", WORD_SHIFT, NUMBER_FIELD_NOTHING},
    {"EEEE", WORD_EXPONENT, NUMBER_FIELD_NOTHING},
};

// Does a pattern go on with a word, in capitals or in small letters?
static bool begins_with(text pattern, size_t at, const char *word, bool *is_lower) {
    const size_t size = strlen(word);
    if (pattern.size - at < size) {
        return false;
    }
    bool is_upper = true;
    *is_lower = true;
    for (size_t i = 0; i < size; i++) {
        const char byte = word[i];
        const bool is_letter = byte >= 'A' && byte <= 'Z';
        is_upper = is_upper && pattern.data[at + i] == byte;
        *is_lower = *is_lower && is_letter && pattern.data[at + i] == (byte | 0x20);
    }
    return is_upper || *is_lower;
}

static number_word word_at(text pattern, size_t *at, number_field *field) {
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        bool is_lower;
        if (begins_with(pattern, *at, words[i].word, &is_lower)) {
            *at += strlen(words[i].word);
            *field = words[i].field;
            if (is_lower && (*field == NUMBER_FIELD_ROMAN || *field == NUMBER_FIELD_ORDINAL)) {
                (*field)++;
            }
            return words[i].is;
        }
    }
    return WORD_NONE;
}

static const char *add_digit(number_pattern *self, bool is_zero) {
    if (self->is_bracket) {
        return "digits stand before PR";
    }
    if (self->shift > 0 && !is_zero) { // Set by V to one more than there are.
        self->shift++;
        return NULL;
    }
    if (is_zero && self->zero_from == 0 && !self->is_decimal) {
        self->zero_from = self->digits_before + 1;
    }
    if (self->is_decimal) {
        self->digits_behind++;
    } else {
        self->digits_before++;
    }
    self->zero_to = is_zero ? self->digits_before + self->digits_behind : self->zero_to;
    return NULL;
}

static const char *add_sign(number_pattern *self, number_word word) {
    const bool is_s = word == WORD_SIGN;
    if (self->sign != SIGN_BY_ITSELF) {
        return is_s ? "S can stand only once" : "S cannot stand beside PL, MI, SG or PR";
    }
    if ((is_s || word == WORD_BRACKET) && (self->has_plus || self->has_minus)) {
        return is_s ? "S cannot stand beside PL, MI, SG or PR"
                    : "PR cannot stand beside PL, MI or SG";
    }
    if (is_s && self->is_bracket) {
        return "S cannot stand beside PL, MI, SG or PR";
    }
    if (is_s) {
        self->sign = self->is_decimal ? SIGN_BEHIND : SIGN_BEFORE;
        self->digits_before_sign = self->digits_before;
    }
    self->is_bracket |= word == WORD_BRACKET;
    self->has_minus |= word == WORD_MINUS || word == WORD_EACH_SIGN;
    self->has_plus |= word == WORD_PLUS || word == WORD_EACH_SIGN;
    return NULL;
}

static const char *add_point(number_pattern *self) {
    if (self->is_decimal) {
        return "there can be only one point";
    }
    if (self->shift > 0) {
        return "V cannot stand beside a point";
    }
    self->is_decimal = true;
    return NULL;
}

static const char *add_exponent(number_pattern *self) {
    if (self->is_bare || self->sign != SIGN_BY_ITSELF || self->is_bracket || self->has_minus ||
        self->has_plus || self->is_roman || self->shift > 0) {
        return "EEEE stands beside digits and points only";
    }
    self->is_exponent = true;
    return NULL;
}

// What a word says of the others; why it cannot stand there, or NULL.
static const char *add_word(number_pattern *self, number_word word) {
    if (self->is_exponent) {
        return "EEEE stands last";
    }
    switch ((int)word) {
    case WORD_NINE:
    case WORD_ZERO:
        return add_digit(self, word == WORD_ZERO);
    case WORD_POINT:
        return add_point(self);
    case WORD_BARE:
        self->is_bare = true;
        return NULL;
    case WORD_SIGN:
    case WORD_MINUS:
    case WORD_PLUS:
    case WORD_EACH_SIGN:
    case WORD_BRACKET:
        return add_sign(self, word);
    case WORD_ROMAN:
        self->is_roman = true;
        return NULL;
    case WORD_SHIFT:
        self->shift = self->shift == 0 ? 1 : self->shift;
        return self->is_decimal ? "V cannot stand beside a point" : NULL;
    case WORD_EXPONENT:
        return add_exponent(self);
    default:
        return NULL;
    }
}

static void add_literal(number_item *items, number_pattern *out, text pattern, size_t *at) {
    const size_t from = *at;
    (void)utf8_next(pattern, at);
    items[out->count++] = (number_item){.literal = text_slice(pattern, from, *at)};
}

// "Text in quotes", where a backslash makes the next character literal; the place behind it.
static size_t add_quoted(number_item *items, number_pattern *out, text pattern, size_t at) {
    for (at++; at < pattern.size && pattern.data[at] != '"';) {
        at += pattern.data[at] == '\\' && at + 1 < pattern.size;
        add_literal(items, out, pattern, &at);
    }
    return at < pattern.size ? at + 1 : at;
}

bool number_pattern_make(text pattern, arena *memory, number_pattern *out) {
    number_item *items = ARENA_NEW(memory, number_item, pattern.size + 1);
    *out = (number_pattern){.items = items};
    if (items == NULL) {
        return false;
    }
    for (size_t at = 0; at < pattern.size && out->fault == NULL;) {
        number_field field;
        const number_word word = word_at(pattern, &at, &field);
        if (word != WORD_NONE) {
            out->fault = add_word(out, word);
            items[out->count++] = (number_item){.field = field};
        } else if (pattern.data[at] == '"') {
            at = add_quoted(items, out, pattern, at);
        } else {
            at += pattern.data[at] == '\\' && at + 1 < pattern.size && pattern.data[at + 1] == '"';
            add_literal(items, out, pattern, &at);
        }
    }
    out->shift -= out->shift > 0;
    out->digits_before += out->shift;
    return true;
}
