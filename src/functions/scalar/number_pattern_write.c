// Writing numbers by their patterns. Which blanks stand where follows PostgreSQL's to the letter: a
// column of numbers that are written by one pattern is as wide for each.
#include "functions/scalar/number_pattern.h"

#define ROMAN_SIZE_MAX 15 // MMMDCCCLXXXVIII

typedef struct number_writer {
    const number_pattern *pattern;
    text_builder *out;
    const char *number; // Digits and a point, NUL behind.
    const char *at;     // The next one.
    const char *last;   // With FM and a point: the last digit that is written; NULL: all are.
    char sign;
    bool is_bracket;
    bool sign_is_written;
    bool has_digit; // Is a digit before the place?
    number_sign_place place;
    uint32_t done;   // Digits and points of the pattern.
    int64_t count;   // How many places there are, less one ...
    uint32_t blanks; // ... of which as many are before the number.
    uint32_t zero_from;
} number_writer;

static void put_sign(number_writer *self) {
    text_append_char(self->out, self->sign);
    self->sign_is_written = true;
}

// "9.9" shows 0.1 as .1
static bool is_zero_before_point(const number_writer *self) {
    return self->pattern->zero_from == 0 && self->at == self->number && *self->number == '0' &&
           self->pattern->digits_behind != 0;
}

static bool is_last_the_point(const number_writer *self) {
    return self->last != NULL && *self->last == '.';
}

static void put_sign_before(number_writer *self) {
    const bool is_bare = self->pattern->is_bare;
    const bool is_due = self->done >= self->blanks ||
                        (self->pattern->zero_from > 0 && self->zero_from == self->done);
    if (self->sign_is_written || !is_due ||
        (is_zero_before_point(self) && !is_last_the_point(self))) {
        return;
    }
    if (self->place != SIGN_BY_ITSELF) {
        if (self->place == SIGN_BEFORE) {
            put_sign(self);
        }
    } else if (self->is_bracket) {
        text_append_char(self->out, self->sign == '+' ? ' ' : '<');
        self->sign_is_written = true;
    } else if (self->sign == '-') {
        put_sign(self);
    } else {
        if (!is_bare) {
            text_append_char(self->out, ' ');
        }
        self->sign_is_written = true;
    }
}

static void put_digit(number_writer *self, bool is_zero) {
    const bool is_bare = self->pattern->is_bare;
    if (*self->at == '.') {
        if (!is_last_the_point(self) || is_bare) {
            text_append_char(self->out, '.');
        }
    } else if (self->last != NULL && self->at > self->last && !is_zero) {
        // A zero that FM drops.
    } else if (is_zero_before_point(self)) {
        if (!is_bare) {
            text_append_char(self->out, ' ');
        } else if (is_last_the_point(self)) {
            text_append_char(self->out, '0');
        }
    } else if (*self->at != '\0') {
        text_append_char(self->out, *self->at);
        self->has_digit = true;
    }
    self->at += *self->at != '\0';
}

static void put_sign_behind(number_writer *self) {
    int64_t end = self->count + (self->blanks > 0) + self->pattern->is_decimal;
    if (self->last != NULL && self->last == self->at) {
        end = self->done;
    }
    if ((int64_t)self->done + 1 != end) {
        return;
    }
    if (self->sign_is_written && self->is_bracket) {
        text_append_char(self->out, self->sign == '+' ? ' ' : '>');
    } else if (self->place == SIGN_BEHIND) {
        text_append_char(self->out, self->sign);
    }
}

static void put_place(number_writer *self, bool is_zero) {
    const bool fills = self->pattern->zero_from > 0;
    self->has_digit = false;
    put_sign_before(self);
    if (self->done >= self->blanks) {
        put_digit(self, is_zero);
    } else if (!fills || self->zero_from > self->done) {
        if (!self->pattern->is_bare) {
            text_append_char(self->out, ' ');
        }
    } else {
        text_append_char(self->out, '0');
        self->has_digit = true;
    }
    put_sign_behind(self);
    self->done++;
}

static void put_ordinal(number_writer *self, bool is_lower) {
    static const char endings[][2][3] = {{"TH", "th"}, {"ST", "st"}, {"ND", "nd"}, {"RD", "rd"}};
    const size_t size = strlen(self->number);
    if (self->pattern->is_roman || size == 0 || self->sign == '-' || self->pattern->is_decimal ||
        self->number[size - 1] < '0' || self->number[size - 1] > '9') {
        return;
    }
    const uint32_t last = (uint32_t)(self->number[size - 1] - '0');
    const bool is_teen = size > 1 && self->number[size - 2] == '1';
    text_append(self->out, text_of(endings[is_teen || last > 3 ? 0 : last][is_lower]));
}

// A sign of its own, if it is that of the number.
static void put_if_sign(number_writer *self, char sign) {
    if (self->sign == sign) {
        text_append_char(self->out, sign);
    } else if (!self->pattern->is_bare) {
        text_append_char(self->out, ' ');
    }
}

static void put_roman(number_writer *self, bool is_lower) {
    const size_t size = strlen(self->number);
    for (size_t i = size; i < ROMAN_SIZE_MAX && !self->pattern->is_bare; i++) {
        text_append_char(self->out, ' ');
    }
    for (size_t i = 0; i < size; i++) {
        const char byte = self->number[i];
        text_append_char(self->out, (char)(is_lower && byte != '#' ? byte | 0x20 : byte));
    }
}

static void put_item(number_writer *self, const number_item *item) {
    const bool is_bare = self->pattern->is_bare;
    switch ((int)item->field) {
    case NUMBER_FIELD_LITERAL:
        text_append(self->out, item->literal);
        break;
    case NUMBER_FIELD_DIGIT:
    case NUMBER_FIELD_ZERO:
    case NUMBER_FIELD_POINT:
        if (!self->pattern->is_roman) {
            put_place(self, item->field == NUMBER_FIELD_ZERO);
        }
        break;
    case NUMBER_FIELD_COMMA:
        if (self->has_digit || !is_bare) {
            text_append_char(self->out, self->has_digit ? ',' : ' ');
        }
        break;
    case NUMBER_FIELD_MONEY: // No currency is the session's.
        text_append_char(self->out, ' ');
        break;
    case NUMBER_FIELD_ROMAN:
    case NUMBER_FIELD_ROMAN_LOWER:
        put_roman(self, item->field == NUMBER_FIELD_ROMAN_LOWER);
        break;
    case NUMBER_FIELD_ORDINAL:
    case NUMBER_FIELD_ORDINAL_LOWER:
        put_ordinal(self, item->field == NUMBER_FIELD_ORDINAL_LOWER);
        break;
    case NUMBER_FIELD_MINUS:
        put_if_sign(self, '-');
        break;
    case NUMBER_FIELD_PLUS:
        put_if_sign(self, '+');
        break;
    case NUMBER_FIELD_EACH_SIGN:
        text_append_char(self->out, self->sign);
        break;
    default:
        break;
    }
}

static void put_items(number_writer *self) {
    for (uint32_t i = 0; i < self->pattern->count; i++) {
        put_item(self, &self->pattern->items[i]);
    }
}

// The last digit behind the point that is written with FM: none of the zeros at the end, but those
// where the pattern has 0.
static const char *last_digit(const number_writer *self, size_t size) {
    const char *point = memchr(self->number, '.', size);
    if (point == NULL) {
        return NULL;
    }
    const char *last = self->number + size - 1;
    while (*last == '0' && last > point) {
        last--;
    }
    if (self->pattern->zero_to > self->blanks) {
        const size_t place = self->pattern->zero_to - self->blanks;
        const char *zero = self->number + (place < size - 1 ? place : size - 1);
        last = last > zero ? last : zero;
    }
    return last;
}

// As many # as there are places, where the number is too long for them.
static text overflown(const number_pattern *self, arena *memory) {
    const size_t size = (size_t)self->digits_before + self->digits_behind + 1;
    char *data = ARENA_NEW(memory, char, size + 1);
    if (data != NULL) {
        memset(data, '#', size);
        data[self->digits_before] = '.';
        data[size] = '\0';
    }
    return (text){.data = data, .size = size};
}

void number_pattern_write(const number_pattern *self, text digits, bool is_negative,
                          text_builder *out) {
    if (self->is_exponent) {
        text_append(out, digits);
        return;
    }
    const char *point = digits.size == 0 ? NULL : memchr(digits.data, '.', digits.size);
    const size_t before = point == NULL ? digits.size : (size_t)(point - digits.data);
    uint32_t blanks = 0;
    if (before < self->digits_before) {
        blanks = self->digits_before - (uint32_t)before;
    } else if (before > self->digits_before) {
        digits = overflown(self, out->memory);
    }
    char *number = digits.data == NULL ? NULL : ARENA_NEW(out->memory, char, digits.size + 1);
    if (number == NULL) {
        out->is_full = true;
        return;
    }
    memcpy(number, digits.data, digits.size);
    number[digits.size] = '\0';
    number_writer writer = {.pattern = self,
                            .out = out,
                            .number = number,
                            .at = number,
                            .sign = is_negative ? '-' : '+',
                            .is_bracket = self->is_bracket && (is_negative || !self->is_bare),
                            .place = self->sign,
                            .count = (int64_t)self->digits_before + self->digits_behind - 1,
                            .blanks = blanks,
                            .zero_from = self->zero_from - (self->zero_from > 0)};
    if (self->has_plus || self->has_minus) {
        writer.sign_is_written = !self->has_plus || self->has_minus;
    } else {
        writer.sign_is_written = !is_negative && self->is_bare && self->sign == SIGN_BY_ITSELF;
        if (self->sign == SIGN_BEFORE && self->digits_before == self->digits_before_sign) {
            writer.place = SIGN_BEHIND;
        }
    }
    if (self->is_bare && self->is_decimal) {
        writer.last = last_digit(&writer, digits.size);
    }
    writer.count += !writer.sign_is_written && blanks == 0;
    put_items(&writer);
}

void number_pattern_write_roman(const number_pattern *self, int64_t number, text_builder *out) {
    static const struct {
        int64_t value;
        const char *letters;
    } steps[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"},
                 {90, "XC"},  {50, "L"},   {40, "XL"}, {10, "X"},   {9, "IX"},
                 {5, "V"},    {4, "IV"},   {1, "I"}};
    char letters[ROMAN_SIZE_MAX + 1] = "###############";
    if (number >= 1 && number <= 3999) {
        size_t size = 0;
        for (size_t i = 0; number > 0;) {
            if (number < steps[i].value) {
                i++;
                continue;
            }
            number -= steps[i].value;
            for (const char *at = steps[i].letters; *at != '\0'; at++) {
                letters[size++] = *at;
            }
        }
        letters[size] = '\0';
    }
    number_writer writer = {.pattern = self, .out = out, .number = letters, .sign = ' '};
    put_items(&writer);
}
