// Reading by PostgreSQL's templates, as to_date and to_timestamp of PostgreSQL 15 do.
//
// Without FX blanks before a field are skipped; a blank or another separator of the template takes
// one of the text, or nothing if none is there; any other literal takes one character, whatever it
// is, unless more was skipped than the template has. With FX each takes one character. Where the
// text ends, the fields to come are not told. A field that is 0 is not told either.
#include "base/utf8.h"
#include "functions/scalar/date_pattern_template_private.h"

typedef struct template_reader {
    date_cursor in;
    const date_pattern *pattern;
    uint32_t at; // The item.
    bool is_fixed;
    int64_t skipped; // Characters of the text beyond those that the template has there.
    template_fields read;
    pattern_failure *failure;
} template_reader;

static bool fail(template_reader *self, const char *why) {
    *self->failure = (pattern_failure){.field = self->pattern->items[self->at].literal, .why = why};
    return false;
}

// ---- Pieces ------------------------------------------------------------------------------------

static bool is_separator(char byte) {
    return byte > ' ' && byte < 0x7f && !date_is_letter(byte) && !date_is_digit(byte);
}

static void skip_blanks(template_reader *self) {
    while (!date_at_end(&self->in) && date_is_blank(*self->in.at)) {
        self->in.at++;
        self->skipped++;
    }
}

static void skip_character(date_cursor *in) {
    if (!date_at_end(in)) {
        size_t size = 0;
        (void)utf8_next((text){.data = in->at, .size = (size_t)(in->end - in->at)}, &size);
        in->at += size;
    }
}

// Whether a number ends where its digits do: behind it stands, in the template, what is none.
static bool ends_by_itself(const template_reader *self) {
    const pattern_item *item = &self->pattern->items[self->at];
    if (item->is_bare || item->ordinal != PATTERN_NO_ORDINAL ||
        self->at + 1 == self->pattern->count) {
        return true;
    }
    return item[1].field == PATTERN_FIELD_LITERAL ? !date_is_digit(item[1].literal.data[0])
                                                  : !item[1].is_numeric;
}

static bool set_field(template_reader *self, int64_t *field, int64_t value) {
    if (*field != 0 && *field != value) {
        return fail(self, "contradicts a field before it");
    }
    *field = value;
    return true;
}

// A number of `width` digits, or as many as there are if it ends by itself; `*size` of them, with
// its sign and blanks before it.
static bool take_number(template_reader *self, int64_t width, int64_t *value, int64_t *size) {
    const date_cursor before = self->in;
    date_skip_blanks(&self->in);
    const char *end = self->in.end;
    const bool is_open = ends_by_itself(self);
    if (!is_open) {
        if (end - self->in.at < width) {
            return fail(self, "needs more characters");
        }
        end = self->in.at + width;
    }
    date_cursor digits = {.at = self->in.at, .end = end};
    date_skip_blanks(&digits);
    const bool is_negative = date_peek(&digits) == '-';
    digits.at += is_negative || date_peek(&digits) == '+';
    const int64_t count = date_take_digits(&digits, value);
    if (count == 0) {
        return fail(self, "needs a number");
    }
    if (!is_open && digits.at < end) {
        return fail(self, "needs more digits");
    }
    if (*value > INT32_MAX) {
        return fail(self, "is out of range");
    }
    *value = is_negative ? -*value : *value;
    self->in.at = digits.at;
    *size = digits.at - before.at;
    return true;
}

static bool read_number(template_reader *self, int64_t width, int64_t *field) {
    int64_t value;
    int64_t size;
    return take_number(self, width, &value, &size) && set_field(self, field, value);
}

// Digits behind the second, at most `digits`, as a number of `scale` digits.
static bool read_fraction(template_reader *self, int64_t digits, int64_t scale, int64_t *field) {
    int64_t value;
    int64_t size;
    if (!take_number(self, digits, &value, &size) || !set_field(self, field, value)) {
        return false;
    }
    for (; size < scale; size++) {
        *field *= 10;
    }
    return true;
}

// One of the words; their number from 0 in `value`.
static bool take_word(template_reader *self, const char *const *words, uint32_t count,
                      uint32_t *value) {
    *value = date_pattern_take_word(&self->in, words, count);
    return *value < count || fail(self, "needs a word that the text doesn't have there");
}

// The second of two words.
static bool read_either(template_reader *self, const char *first, const char *second,
                        int64_t *field) {
    uint32_t value;
    return take_word(self, (const char *const[]){first, second}, 2, &value) &&
           set_field(self, field, value);
}

// ---- Fields ------------------------------------------------------------------------------------

// Of less than four digits: the year next to 2020 that ends so.
static bool read_short_year(template_reader *self, int64_t width) {
    int64_t year;
    int64_t size;
    if (!take_number(self, width, &year, &size) || !set_field(self, &self->read.year, year)) {
        return false;
    }
    if (size < 4) {
        year += year < 70 ? 2000 : year < 100 ? 1900 : year < 520 ? 2000 : year < 1000 ? 1000 : 0;
    }
    self->read.year = year;
    self->read.has_short_year = width < 3;
    return true;
}

// 2,020
static bool read_year_comma(template_reader *self) {
    date_cursor *in = &self->in;
    int64_t thousands;
    int64_t rest = 0;
    uint32_t count = 0;
    date_skip_blanks(in);
    if (date_take_digits(in, &thousands) == 0 || thousands > INT32_MAX / 1000 - 1 ||
        !date_take(in, ',')) {
        return fail(self, "needs thousands, a comma and three digits");
    }
    for (; count < 3 && date_is_digit(date_peek(in)); count++) {
        rest = rest * 10 + (*in->at++ - '0');
    }
    self->read.has_short_year = false;
    return count > 0 ? set_field(self, &self->read.year, thousands * 1000 + rest)
                     : fail(self, "needs thousands, a comma and three digits");
}

static bool read_month(template_reader *self, const pattern_item *item) {
    static const char *const romans[] = {"xii", "xi", "x",  "ix",  "viii", "vii",
                                         "vi",  "v",  "iv", "iii", "ii",   "i"};
    int64_t month;
    uint32_t before_last;
    if (item->field == PATTERN_FIELD_MONTH) {
        return read_number(self, 2, &self->read.month);
    }
    if (item->field == PATTERN_FIELD_MONTH_ROMAN) {
        return take_word(self, romans, 12, &before_last) &&
               set_field(self, &self->read.month, 12 - (int64_t)before_last);
    }
    const bool is_short = item->field == PATTERN_FIELD_MONTH_SHORT;
    return date_pattern_take_month(&self->in, is_short, &month)
               ? set_field(self, &self->read.month, month + 1)
               : fail(self, "needs the name of a month");
}

static bool read_weekday(template_reader *self, const pattern_item *item) {
    int64_t *field = &self->read.day_of_week;
    int64_t weekday;
    int64_t size;
    switch ((int)item->field) {
    case PATTERN_FIELD_DOW_FROM_1:
        return read_number(self, 1, field);
    case PATTERN_FIELD_ISODOW:
        if (!take_number(self, 1, &weekday, &size) || !set_field(self, field, weekday)) {
            return false;
        }
        *field = weekday >= 7 ? 1 : weekday + 1;
        return true;
    default:
        if (!date_pattern_take_weekday(&self->in, item->field == PATTERN_FIELD_DAY_SHORT,
                                       &weekday)) {
            return fail(self, "needs the name of a day");
        }
        *field = weekday + 1;
        return true;
    }
}

static bool read_day(template_reader *self, const pattern_item *item) {
    template_fields *read = &self->read;
    int64_t ignored = 0;
    switch ((int)item->field) {
    case PATTERN_FIELD_YEAR:
    case PATTERN_FIELD_ISOYEAR:
        read->has_short_year = false;
        return read_number(self, 4, &read->year);
    case PATTERN_FIELD_YEAR_COMMA:
        return read_year_comma(self);
    case PATTERN_FIELD_YEAR_3:
    case PATTERN_FIELD_ISOYEAR_3:
        return read_short_year(self, 3);
    case PATTERN_FIELD_YEAR_2:
    case PATTERN_FIELD_ISOYEAR_2:
        return read_short_year(self, 2);
    case PATTERN_FIELD_YEAR_1:
    case PATTERN_FIELD_ISOYEAR_1:
        return read_short_year(self, 1);
    case PATTERN_FIELD_CENTURY:
        return read_number(self, 2, &read->century);
    case PATTERN_FIELD_QUARTER:
        return read_number(self, 1, &ignored); // It does not tell the day; PostgreSQL's is ignored.
    case PATTERN_FIELD_MONTH:
    case PATTERN_FIELD_MONTH_NAME:
    case PATTERN_FIELD_MONTH_SHORT:
    case PATTERN_FIELD_MONTH_ROMAN:
        return read_month(self, item);
    case PATTERN_FIELD_DAY:
        return read_number(self, 2, &read->day);
    case PATTERN_FIELD_DAY_OF_YEAR:
    case PATTERN_FIELD_DAY_OF_ISOYEAR:
        return read_number(self, 3, &read->day_of_year);
    case PATTERN_FIELD_JULIAN:
        return read_number(self, 1, &read->julian);
    case PATTERN_FIELD_WEEK:
    case PATTERN_FIELD_ISOWEEK:
        return read_number(self, 2, &read->week);
    case PATTERN_FIELD_WEEK_OF_MONTH:
        return read_number(self, 1, &read->week_of_month);
    case PATTERN_FIELD_ERA:
        return read_either(self, "ad", "bc", &read->is_bc);
    case PATTERN_FIELD_ERA_DOTS:
        return read_either(self, "a.d.", "b.c.", &read->is_bc);
    default:
        return read_weekday(self, item);
    }
}

// A minus may have been skipped as a separator already.
static bool read_zone_hours(template_reader *self) {
    template_fields *read = &self->read;
    const char byte = date_peek(&self->in);
    if (byte == '+' || byte == '-' || byte == ' ') {
        read->zone_sign = byte == '-' ? -1 : 1;
        self->in.at++;
    } else {
        read->zone_sign = self->skipped > 0 && self->in.at[-1] == '-' ? -1 : 1;
    }
    return read_number(self, 2, &read->zone_hours);
}

static bool read_time(template_reader *self, const pattern_item *item) {
    template_fields *read = &self->read;
    switch ((int)item->field) {
    case PATTERN_FIELD_HOUR:
        return read_number(self, 2, &read->hour);
    case PATTERN_FIELD_HOUR_12:
        read->is_12 = true;
        return read_number(self, 2, &read->hour);
    case PATTERN_FIELD_MINUTE:
        return read_number(self, 2, &read->minute);
    case PATTERN_FIELD_SECOND:
        return read_number(self, 2, &read->second);
    case PATTERN_FIELD_MILLI:
        return read_fraction(self, 3, 3, &read->millis);
    case PATTERN_FIELD_FRACTION:
        if (item->literal.data[0] != 'U' && item->literal.data[0] != 'u') {
            read->precision = item->digits; // FF3: the moment has that many.
        }
        return read_fraction(self, item->digits, 6, &read->micros);
    case PATTERN_FIELD_SECOND_OF_DAY:
        return read_number(self, (int64_t)item->literal.size, &read->second_of_day);
    case PATTERN_FIELD_MERIDIEM:
        read->is_12 = true;
        return read_either(self, "am", "pm", &read->is_pm);
    case PATTERN_FIELD_MERIDIEM_DOTS:
        read->is_12 = true;
        return read_either(self, "a.m.", "p.m.", &read->is_pm);
    case PATTERN_FIELD_ZONE_HOURS:
        return read_zone_hours(self);
    case PATTERN_FIELD_ZONE_MINUTES:
        read->zone_sign = read->zone_sign == 0 ? 1 : read->zone_sign;
        return read_number(self, 2, &read->zone_minutes);
    case PATTERN_FIELD_FIXED:
        self->is_fixed = true;
        return true;
    default: // TZ, OF
        read->has_zone = date_pattern_take_zone(&self->in, &read->zone_seconds);
        return read->has_zone || fail(self, "needs an offset or an abbreviation of a time zone");
    }
}

static bool read_field(template_reader *self, const pattern_item *item) {
    pattern_calendar *calendar = &self->read.calendar;
    if (item->calendar != PATTERN_ANY_YEAR && *calendar != PATTERN_ANY_YEAR &&
        *calendar != item->calendar) {
        return fail(self, "mixes the fields of ISO weeks with those of the usual year");
    }
    *calendar = item->calendar != PATTERN_ANY_YEAR ? item->calendar : *calendar;
    if (!(item->field < PATTERN_FIELD_HOUR ? read_day(self, item) : read_time(self, item))) {
        return false;
    }
    if (item->ordinal != PATTERN_NO_ORDINAL &&
        (item->is_numeric || item->field == PATTERN_FIELD_FRACTION)) {
        skip_character(&self->in);
        skip_character(&self->in);
    }
    if (!self->is_fixed) {
        self->skipped = 0;
        skip_blanks(self);
    }
    return true;
}

static void read_literal(template_reader *self, const pattern_item *item) {
    const text literal = item->literal;
    size_t at = 0;
    while (at < literal.size && !date_at_end(&self->in)) {
        const char byte = literal.data[at];
        (void)utf8_next(literal, &at);
        const bool is_blank = !item->is_quoted && (date_is_blank(byte) || is_separator(byte));
        if (is_blank && !self->is_fixed) {
            self->skipped--;
            if (date_is_blank(*self->in.at) || is_separator(*self->in.at)) {
                self->in.at++;
                self->skipped++;
            }
        } else if (self->skipped > 0 && !self->is_fixed) {
            self->skipped--;
        } else {
            skip_character(&self->in);
        }
    }
}

// ---- Interface ---------------------------------------------------------------------------------

date_answer date_pattern_read_template(const date_pattern *self, text input, clock_moment *out,
                                       bool *has_offset, pattern_failure *failure) {
    const char *start = input.data == NULL ? "" : input.data;
    template_reader reader = {
        .in = {.at = start, .end = start + input.size},
        .pattern = self,
        .failure = failure,
    };
    skip_blanks(&reader);
    for (; reader.at < self->count && !date_at_end(&reader.in); reader.at++) {
        const pattern_item *item = &self->items[reader.at];
        if (item->field == PATTERN_FIELD_LITERAL) {
            read_literal(&reader, item);
            continue;
        }
        if (!reader.is_fixed) {
            skip_blanks(&reader);
        }
        if (!read_field(&reader, item)) {
            return DATE_SYNTAX;
        }
    }
    return template_fields_moment(&reader.read, out, has_offset, failure);
}
