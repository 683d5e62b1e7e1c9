// Reading intervals: units in words, clocks, years and months, ISO 8601.
#include <assert.h>

#include "base/date_cursor.h"
#include "base/date_text.h"

// A number's whole part has at most 18 digits, so one number adds less than 10^31 to a sum; sums
// beyond this are out of range in any case and stop before they could overflow.
#define SUM_MAX ((i128)1 << 100)
#define ONE INT64_C(1000000000000000000) // Fractions count in 10^-18.
#define MONTH_DAYS 30
#define NANOS_PER_SECOND INT64_C(1000000000)

// The interval while it is put together; wide, so that only the end must be checked.
typedef struct interval_sum {
    i128 months;
    i128 days;
    i128 nanos;
} interval_sum;

typedef struct interval_reader {
    date_cursor at;
    calendar_field first; // Of INTERVAL '...' FIRST TO LAST; COUNT when nothing is said.
    calendar_field last;
    interval_sum sum;
} interval_reader;

// A number as written: sign, whole part, fraction.
typedef struct interval_number {
    bool is_negative;
    bool has_fraction;
    int64_t whole;
    int64_t fraction; // In 10^-18.
} interval_number;

// ---- Sums --------------------------------------------------------------------------------------

// A fraction of `size`, rounded half up; both are positive.
static i128 share(i128 fraction, int64_t size) {
    return (fraction * size + ONE / 2) / ONE;
}

static void add_days(interval_sum *sum, i128 days, i128 fraction) {
    sum->days += days;
    sum->nanos += share(fraction, CALENDAR_DAY_NANOS);
}

// A fraction of a month is one of 30 days.
static void add_months(interval_sum *sum, i128 months, i128 fraction) {
    const i128 days = fraction * MONTH_DAYS;
    sum->months += months;
    add_days(sum, days / ONE, days % ONE);
}

// Adds a number of a field. False if sums get out of hand.
static bool add_number(interval_sum *sum, calendar_field field, const interval_number *number) {
    const i128 whole = number->whole;
    const i128 fraction = number->fraction;
    interval_sum part = {0};
    if (calendar_nanos_in(field) > 0) {
        part.nanos = whole * calendar_nanos_in(field) + share(fraction, calendar_nanos_in(field));
    } else if (field == CALENDAR_DAY) {
        add_days(&part, whole, fraction);
    } else if (field == CALENDAR_WEEK) {
        add_days(&part, whole * 7 + fraction * 7 / ONE, fraction * 7 % ONE);
    } else if (field == CALENDAR_MONTH || field == CALENDAR_QUARTER) {
        const i128 months = fraction * calendar_months_in(field);
        add_months(&part, whole * calendar_months_in(field) + months / ONE, months % ONE);
    } else { // A fraction of years is whole months.
        part.months =
            whole * calendar_months_in(field) + share(fraction, calendar_months_in(field));
    }
    const int sign = number->is_negative ? -1 : 1;
    sum->months += sign * part.months;
    sum->days += sign * part.days;
    sum->nanos += sign * part.nanos;
    return sum->months < SUM_MAX && sum->months > -SUM_MAX && sum->days < SUM_MAX &&
           sum->days > -SUM_MAX && sum->nanos < SUM_MAX && sum->nanos > -SUM_MAX;
}

// ---- Pieces ------------------------------------------------------------------------------------

// [+-]digits[.digits]; false if no digit is there.
static bool read_number(date_cursor *at, interval_number *out) {
    *out = (interval_number){.is_negative = date_peek(at) == '-'};
    at->at += out->is_negative || date_peek(at) == '+';
    int64_t digits = date_take_digits(at, &out->whole);
    if (date_take(at, '.')) {
        out->has_fraction = true;
        int64_t count = 0;
        for (; at->at < at->end && date_is_digit(*at->at); at->at++) {
            if (count < 18) {
                out->fraction = out->fraction * 10 + (*at->at - '0');
            }
            count += 1;
        }
        for (int64_t missing = count; missing < 18; missing++) {
            out->fraction *= 10;
        }
        digits += count;
    }
    return digits > 0;
}

static date_answer add(interval_reader *self, calendar_field field, const interval_number *number) {
    if (number->whole == INT64_MAX || !add_number(&self->sum, field, number)) {
        return DATE_LARGE;
    }
    return DATE_OK;
}

// What follows "h" or "m" of a clock: ":mm[:ss[.f]]". Of two parts they are hours and minutes, but
// minutes and seconds if the second has a fraction or the interval begins with minutes.
static date_answer read_clock(interval_reader *self, const interval_number *first) {
    interval_number second;
    interval_number third = {0};
    if (first->has_fraction || !date_take(&self->at, ':') || !date_is_digit(date_peek(&self->at)) ||
        !read_number(&self->at, &second)) {
        return DATE_SYNTAX;
    }
    const bool has_third = !second.has_fraction && date_take(&self->at, ':');
    if (has_third && (!date_is_digit(date_peek(&self->at)) || !read_number(&self->at, &third))) {
        return DATE_SYNTAX;
    }
    if (second.whole > 59 || third.whole > 60) { // Second 60 is the next minute.
        return DATE_RANGE;
    }
    second.is_negative = first->is_negative;
    third.is_negative = first->is_negative;
    const bool begins_with_minutes =
        !has_third &&
        (second.has_fraction || (self->first == CALENDAR_MINUTE && self->last == CALENDAR_SECOND));
    const calendar_field fields[] = {CALENDAR_HOUR, CALENDAR_MINUTE, CALENDAR_SECOND,
                                     CALENDAR_SECOND};
    const calendar_field *field = fields + begins_with_minutes;
    date_answer answer = add(self, field[0], first);
    answer = answer == DATE_OK ? add(self, field[1], &second) : answer;
    return answer == DATE_OK ? add(self, field[2], &third) : answer;
}

// What follows the years of "1-2": the months.
static date_answer read_months(interval_reader *self, const interval_number *years) {
    self->at.at += 1; // The hyphen.
    interval_number months;
    if (!date_is_digit(date_peek(&self->at)) || !read_number(&self->at, &months) ||
        months.has_fraction || years->has_fraction) {
        return DATE_SYNTAX;
    }
    if (months.whole > 11) {
        return DATE_RANGE;
    }
    months.is_negative = years->is_negative;
    const date_answer answer = add(self, CALENDAR_YEAR, years);
    return answer == DATE_OK ? add(self, CALENDAR_MONTH, &months) : answer;
}

// Whether a clock such as "4:05" begins here.
static bool is_clock_ahead(date_cursor at) {
    int64_t unused;
    if (date_peek(&at) == '-' || date_peek(&at) == '+') {
        at.at += 1;
    }
    return date_take_digits(&at, &unused) > 0 && date_peek(&at) == ':';
}

// A number and what follows: a clock, months, a unit, or nothing.
static date_answer read_piece(interval_reader *self) {
    interval_number number;
    if (!read_number(&self->at, &number)) {
        return DATE_SYNTAX;
    }
    if (date_peek(&self->at) == ':') {
        return read_clock(self, &number);
    }
    if (date_peek(&self->at) == '-') {
        return read_months(self, &number);
    }
    date_skip_blanks(&self->at);
    if (date_at_end(&self->at)) {
        return add(self, self->last == CALENDAR_FIELD_COUNT ? CALENDAR_SECOND : self->last,
                   &number);
    }
    if (is_clock_ahead(self->at)) {
        return add(self, CALENDAR_DAY, &number);
    }
    calendar_field field;
    if (!calendar_field_of(date_take_word(&self->at), &field) || field > CALENDAR_MILLENNIUM) {
        return DATE_SYNTAX;
    }
    return add(self, field, &number);
}

// Words and clocks up to the end, "ago" last.
static date_answer read_pieces(interval_reader *self) {
    if (date_take(&self->at, '@')) {
        date_skip_blanks(&self->at);
    }
    do {
        const date_answer answer = read_piece(self);
        if (answer != DATE_OK) {
            return answer;
        }
        // A clock or number is followed by a blank; a unit may be followed by the next number.
        const bool is_split = date_is_blank(date_peek(&self->at));
        if (!is_split && !date_at_end(&self->at) && date_is_digit(self->at.at[-1])) {
            return DATE_SYNTAX;
        }
        date_skip_blanks(&self->at);
        date_cursor ahead = self->at;
        if (text_equal_nocase(date_take_word(&ahead), TEXT("ago")) && date_at_end(&ahead)) {
            self->at = ahead;
            self->sum.months = -self->sum.months;
            self->sum.days = -self->sum.days;
            self->sum.nanos = -self->sum.nanos;
        }
    } while (!date_at_end(&self->at)); // Each piece takes a digit at least.
    return DATE_OK;
}

// ---- ISO 8601 ----------------------------------------------------------------------------------

static bool iso_field(char letter, bool is_time, calendar_field *out) {
    switch (letter | 0x20) {
    case 'y':
        *out = CALENDAR_YEAR;
        return !is_time;
    case 'm':
        *out = is_time ? CALENDAR_MINUTE : CALENDAR_MONTH;
        return true;
    case 'w':
        *out = CALENDAR_WEEK;
        return !is_time;
    case 'd':
        *out = CALENDAR_DAY;
        return !is_time;
    case 'h':
        *out = CALENDAR_HOUR;
        return is_time;
    case 's':
        *out = CALENDAR_SECOND;
        return is_time;
    default:
        return false;
    }
}

// The other form, P0001-02-03T04:05:06: what follows the years, or after T the hours.
static date_answer read_iso_separated(interval_reader *self, const interval_number *first,
                                      bool is_time) {
    if (is_time) {
        return read_clock(self, first);
    }
    date_answer answer = read_months(self, first);
    if (answer == DATE_OK && date_take(&self->at, '-')) {
        interval_number days;
        if (!date_is_digit(date_peek(&self->at)) || !read_number(&self->at, &days)) {
            return DATE_SYNTAX;
        }
        days.is_negative = first->is_negative;
        answer = add(self, CALENDAR_DAY, &days);
    }
    return answer;
}

// Behind the P.
static date_answer read_iso(interval_reader *self) {
    bool is_time = false;
    do {
        if (!is_time && (date_take(&self->at, 'T') || date_take(&self->at, 't'))) {
            is_time = true;
        }
        interval_number number;
        calendar_field field;
        date_answer answer = DATE_OK;
        if (!read_number(&self->at, &number)) {
            return DATE_SYNTAX;
        }
        if (date_peek(&self->at) == (is_time ? ':' : '-')) {
            answer = read_iso_separated(self, &number, is_time);
        } else if (iso_field(date_peek(&self->at), is_time, &field)) {
            self->at.at += 1;
            answer = add(self, field, &number);
        } else {
            return DATE_SYNTAX;
        }
        if (answer != DATE_OK) {
            return answer;
        }
    } while (!date_at_end(&self->at)); // Each round takes a digit at least.
    return DATE_OK;
}

// ---- Interface ---------------------------------------------------------------------------------

static date_answer read_interval(text input, calendar_field first, calendar_field last,
                                 interval_value *out) {
    interval_reader self = {.at = date_cursor_open(input), .first = first, .last = last};
    const bool is_iso = date_take(&self.at, 'P') || date_take(&self.at, 'p');
    const date_answer answer = is_iso ? read_iso(&self) : read_pieces(&self);
    if (answer != DATE_OK) {
        return answer;
    }
    const interval_sum sum = self.sum;
    if (sum.months < INT32_MIN || sum.months > INT32_MAX || sum.days < INT32_MIN ||
        sum.days > INT32_MAX || sum.nanos < INT64_MIN || sum.nanos > INT64_MAX) {
        return DATE_LARGE;
    }
    *out = (interval_value){
        .months = (int32_t)sum.months, .days = (int32_t)sum.days, .nanos = (int64_t)sum.nanos};
    return DATE_OK;
}

date_answer date_parse_interval(text input, interval_value *out) {
    return read_interval(input, CALENDAR_FIELD_COUNT, CALENDAR_FIELD_COUNT, out);
}

date_answer date_parse_interval_between(text input, calendar_field first, calendar_field last,
                                        interval_value *out) {
    assert(first >= CALENDAR_SECOND && first <= CALENDAR_MILLENNIUM);
    assert(last >= CALENDAR_SECOND && last <= CALENDAR_MILLENNIUM);
    interval_value whole = {0};
    const date_answer answer = read_interval(input, first, last, &whole);
    if (answer != DATE_OK) {
        return answer;
    }
    *out = whole;
    if (last > CALENDAR_SECOND) { // A WEEK cuts as a day: no field is lost above it.
        (void)interval_truncate(last == CALENDAR_WEEK ? CALENDAR_DAY : last, whole, out);
    }
    return DATE_OK;
}
