// Reading dates, times and timestamps.
#include "base/date_text.h"

#include "base/date_cursor.h"
#include "base/zone.h"

#define NANOS_PER_SECOND INT64_C(1000000000)
#define YEAR_MAX INT64_C(300000000000) // What calendar_days_of takes.

// ---- Dates -------------------------------------------------------------------------------------

typedef struct date_fields {
    calendar_date date;
    bool has_sign; // Then the year is astronomical.
} date_fields;

// Reads `count` digits at a place; false if there are others.
static bool digits_at(const char *at, size_t count, int64_t *value) {
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (!date_is_digit(at[i])) {
            return false;
        }
        sum = sum * 10 + (at[i] - '0');
    }
    *value = sum;
    return true;
}

// The form that nearly all dates have: YYYY-MM-DD. False if it is another.
static bool read_plain_date(date_cursor *self, date_fields *out) {
    const char *at = self->at;
    int64_t year;
    int64_t month;
    int64_t day;
    if (self->end - at < 10 || at[4] != '-' || at[7] != '-' || !digits_at(at, 4, &year) ||
        !digits_at(at + 5, 2, &month) || !digits_at(at + 8, 2, &day) ||
        (self->end - at > 10 && date_is_digit(at[10]))) {
        return false;
    }
    self->at += 10;
    *out = (date_fields){.date = {.year = year, .month = (int32_t)month, .day = (int32_t)day}};
    return true;
}

static date_answer read_date(date_cursor *self, date_fields *out) {
    if (read_plain_date(self, out)) {
        return DATE_OK;
    }
    const bool is_negative = date_peek(self) == '-';
    out->has_sign = is_negative || date_peek(self) == '+';
    self->at += out->has_sign;
    int64_t year;
    const int64_t year_digits = date_take_digits(self, &year);
    int64_t month = 0;
    int64_t day = 0;
    const char separator = date_peek(self);
    if (year_digits == 8 && !out->has_sign && separator != '-' && separator != '/') {
        month = year / 100 % 100; // YYYYMMDD
        day = year % 100;
        year /= 10000;
    } else {
        if (year_digits < 4 || (separator != '-' && separator != '/')) {
            return DATE_SYNTAX;
        }
        self->at += 1;
        const int64_t month_digits = date_take_digits(self, &month);
        if (month_digits < 1 || month_digits > 2 || !date_take(self, separator)) {
            return DATE_SYNTAX;
        }
        const int64_t day_digits = date_take_digits(self, &day);
        if (day_digits < 1 || day_digits > 2) {
            return DATE_SYNTAX;
        }
    }
    if (year > YEAR_MAX) {
        return DATE_RANGE;
    }
    out->date = (calendar_date){
        .year = is_negative ? -year : year, .month = (int32_t)month, .day = (int32_t)day};
    return DATE_OK;
}

// Takes "BC" or "AD" and tells whether all is read.
static date_answer finish_date(date_cursor *self, date_fields *fields, int64_t *days) {
    date_skip_blanks(self);
    if (date_take_this_word(self, "BC")) {
        if (fields->has_sign || fields->date.year == 0) {
            return DATE_RANGE;
        }
        fields->date.year = 1 - fields->date.year;
    } else {
        (void)date_take_this_word(self, "AD");
    }
    if (!date_at_end(self)) {
        return DATE_SYNTAX;
    }
    if (!calendar_date_exists(fields->date)) {
        return DATE_RANGE;
    }
    *days = calendar_days_of(fields->date);
    return DATE_OK;
}

// ---- Times of the day --------------------------------------------------------------------------

typedef struct time_fields {
    int64_t hour;
    int64_t minute;
    int64_t second;
    int64_t nanos;
    bool has_tenth;
} time_fields;

// One or two digits.
static bool take_two_digits(date_cursor *self, int64_t *value) {
    const int64_t count = date_take_digits(self, value);
    return count == 1 || count == 2;
}

// "HH:MM[:SS[.f]]", or hour, minute and second together as in T030405.
static bool read_clock(date_cursor *self, bool takes_compact, time_fields *out) {
    const char *at = self->at;
    if (self->end - at >= 8 && at[2] == ':' && at[5] == ':' && digits_at(at, 2, &out->hour) &&
        digits_at(at + 3, 2, &out->minute) && digits_at(at + 6, 2, &out->second) &&
        (self->end - at == 8 || !date_is_digit(at[8]))) {
        self->at += 8; // The form that nearly all times have.
        return !date_take(self, '.') || date_take_fraction(self, &out->nanos, &out->has_tenth) > 0;
    }
    const int64_t hour_digits = date_take_digits(self, &out->hour);
    if (takes_compact && (hour_digits == 4 || hour_digits == 6)) {
        if (hour_digits == 6) {
            out->second = out->hour % 100;
            out->hour /= 100;
        }
        out->minute = out->hour % 100;
        out->hour /= 100;
    } else {
        if (hour_digits < 1 || hour_digits > 2 || !date_take(self, ':') ||
            !take_two_digits(self, &out->minute)) {
            return false;
        }
        if (!date_take(self, ':')) {
            return true;
        }
        if (!take_two_digits(self, &out->second)) {
            return false;
        }
    }
    return !date_take(self, '.') || date_take_fraction(self, &out->nanos, &out->has_tenth) > 0;
}

// The hours of a clock with a.m. and p.m.; false if there is no such hour.
static bool apply_half(bool is_afternoon, time_fields *out) {
    if (out->hour > 12) {
        return false;
    }
    out->hour = out->hour % 12 + (is_afternoon ? 12 : 0);
    return true;
}

static date_answer read_time(date_cursor *self, bool takes_compact, int64_t *nanos,
                             bool *has_tenth) {
    time_fields fields = {0};
    if (!read_clock(self, takes_compact, &fields)) {
        return DATE_SYNTAX;
    }
    date_cursor ahead = *self;
    date_skip_blanks(&ahead);
    const bool is_morning = date_take_this_word(&ahead, "AM");
    if (is_morning || date_take_this_word(&ahead, "PM")) {
        *self = ahead;
        if (!apply_half(!is_morning, &fields)) {
            return DATE_RANGE;
        }
    }
    // A second 60 is the next minute; 24:00:00 the next day, and nothing is later.
    if (fields.hour > 24 || fields.minute > 59 || fields.second > 60 ||
        (fields.hour == 24 && (fields.minute | fields.second | fields.nanos) != 0)) {
        return DATE_RANGE;
    }
    *nanos =
        ((fields.hour * 60 + fields.minute) * 60 + fields.second) * NANOS_PER_SECOND + fields.nanos;
    *has_tenth = fields.has_tenth;
    return DATE_OK;
}

// ---- Zones -------------------------------------------------------------------------------------

static bool is_name_byte(char byte) {
    return date_is_letter(byte) || date_is_digit(byte) || byte == '/' || byte == '_' ||
           byte == '-' || byte == '+';
}

static date_answer read_zone(date_cursor *self, date_parts *out) {
    date_skip_blanks(self);
    const char first = date_peek(self);
    if (first == '+' || first == '-') {
        bool is_known;
        out->zone = DATE_ZONE_OFFSET;
        if (date_take_offset(self, &out->offset_seconds, &is_known)) {
            return DATE_OK;
        }
        return is_known ? DATE_RANGE : DATE_SYNTAX;
    }
    date_cursor ahead = *self;
    if (!date_is_letter(first) || date_take_this_word(&ahead, "BC") ||
        date_take_this_word(&ahead, "AD")) {
        return DATE_OK;
    }
    const char *from = self->at;
    while (self->at < self->end && is_name_byte(*self->at)) {
        self->at += 1;
    }
    out->zone_name = (text){.data = from, .size = (size_t)(self->at - from)};
    out->zone = DATE_ZONE_NAME;
    static const char *const names_of_utc[] = {"Z", "UTC", "GMT", "Zulu"};
    for (size_t i = 0; i < sizeof names_of_utc / sizeof *names_of_utc; i++) {
        if (text_equal_nocase(out->zone_name, text_of(names_of_utc[i]))) {
            out->zone = DATE_ZONE_OFFSET;
        }
    }
    return DATE_OK;
}

// ---- Interface ---------------------------------------------------------------------------------

date_answer date_parse_parts(text input, date_parts *out) {
    date_cursor at = date_cursor_open(input);
    *out = (date_parts){.zone = DATE_ZONE_NONE};
    if (date_take_this_word(&at, "epoch")) {
        out->zone = DATE_ZONE_OFFSET; // It is one moment everywhere.
        return date_at_end(&at) ? DATE_OK : DATE_SYNTAX;
    }
    date_fields fields;
    date_answer answer = read_date(&at, &fields);
    if (answer != DATE_OK) {
        return answer;
    }
    const bool has_t = date_take(&at, 'T') || date_take(&at, 't');
    date_skip_blanks(&at);
    if (has_t || date_is_digit(date_peek(&at))) {
        answer = read_time(&at, has_t, &out->moment.nanos, &out->has_tenth);
        if (answer == DATE_OK) {
            answer = read_zone(&at, out);
        }
        if (answer != DATE_OK) {
            return answer;
        }
    }
    return finish_date(&at, &fields, &out->moment.days);
}

date_answer date_parts_timestamp(const date_parts *parts, int32_t offset_seconds, time_unit unit,
                                 int64_t *out) {
    calendar_moment moment = parts->moment;
    moment.nanos -= offset_seconds * NANOS_PER_SECOND;
    moment.nanos += parts->has_tenth && unit == UNIT_NANO; // Coarser units look at fewer digits.
    return calendar_timestamp_fits(moment, unit, out) ? DATE_OK : DATE_RANGE;
}

date_answer date_parse_timestamp(text input, time_unit unit, int64_t *out) {
    date_parts parts;
    const date_answer answer = date_parse_parts(input, &parts);
    if (answer != DATE_OK) {
        return answer;
    }
    if (parts.zone == DATE_ZONE_NAME) {
        return DATE_SYNTAX;
    }
    return date_parts_timestamp(&parts, parts.offset_seconds, unit, out);
}

date_answer date_parse_date(text input, int32_t *out) {
    date_parts parts;
    const date_answer answer = date_parse_parts(input, &parts);
    if (answer != DATE_OK) {
        return answer;
    }
    if (parts.moment.days < INT32_MIN || parts.moment.days > INT32_MAX) {
        return DATE_RANGE;
    }
    *out = (int32_t)parts.moment.days;
    return DATE_OK;
}

date_answer date_parse_time(text input, time_unit unit, int64_t *out) {
    date_cursor at = date_cursor_open(input);
    date_parts parts = {.zone = DATE_ZONE_NONE};
    const bool has_t = date_take(&at, 'T') || date_take(&at, 't');
    date_answer answer = read_time(&at, has_t, &parts.moment.nanos, &parts.has_tenth);
    if (answer == DATE_OK) {
        answer = read_zone(&at, &parts); // PostgreSQL takes it for TIME, too, and forgets it.
    }
    if (answer != DATE_OK) {
        return answer;
    }
    zone named; // A region's offset would need a date.
    if (!date_at_end(&at) ||
        (parts.zone == DATE_ZONE_NAME && !zone_of_abbreviation(parts.zone_name, &named))) {
        return DATE_SYNTAX;
    }
    int64_t value;
    answer = date_parts_timestamp(&parts, 0, unit, &value);
    if (answer == DATE_OK && value > CALENDAR_DAY_SECONDS * calendar_units_per_second(unit)) {
        return DATE_RANGE; // 23:59:60.5
    }
    if (answer == DATE_OK) {
        *out = value;
    }
    return answer;
}
