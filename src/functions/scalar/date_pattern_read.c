// Reading by strftime's patterns, and parts that templates share.
#include "functions/scalar/date_pattern.h"

#define STRICT_YEAR 1900 // Where strptime has no other, as in DuckDB ...
#define LENIENT_YEAR 1   // ... and to_date.

static const char month_words[] = "januaryfebruarymarchaprilmayjunejulyaugustseptemberoctober"
                                  "novemberdecember";
static const uint8_t month_sizes[] = {7, 8, 5, 5, 3, 4, 4, 6, 9, 7, 8, 8};
static const char day_words[] = "sundaymondaytuesdaywednesdaythursdayfridaysaturday";
static const uint8_t day_sizes[] = {6, 6, 7, 9, 8, 6, 8};

// What was read so far; what no field told keeps its start.
typedef struct read_fields {
    int64_t year;
    int64_t month;
    int64_t day;
    int64_t day_of_year; // 0: not told.
    int64_t week;        // -1: not told; counted as `week_kind` says.
    int64_t weekday;     // -1: not told; 0 = Sunday.
    pattern_field week_kind;
    bool has_date; // A month, a day or a day of the year.
    int64_t hour;
    int64_t minute;
    int64_t second;
    int64_t nanos;
    int64_t epoch;
    int32_t offset_seconds;
    bool has_offset;
    bool has_epoch;
    bool is_12;
    bool is_pm;
    bool is_bc;
} read_fields;

// At most `width` digits.
static bool take_number(date_cursor *in, uint32_t width, int64_t *out) {
    uint32_t count = 0;
    *out = 0;
    while (count < width && date_is_digit(date_peek(in))) {
        *out = *out * 10 + (*in->at++ - '0');
        count++;
    }
    return count > 0;
}

// Digits behind the second: the first one counts tenths.
static bool take_fraction(date_cursor *in, uint32_t width, int64_t *nanos) {
    int64_t scale = 1000000000;
    *nanos = 0;
    uint32_t count = 0;
    while (count < width && date_is_digit(date_peek(in))) {
        scale /= 10;
        *nanos += (*in->at++ - '0') * scale;
        count++;
    }
    return count > 0;
}

static bool starts_nocase(const date_cursor *in, text word) {
    return (size_t)(in->end - in->at) >= word.size &&
           text_equal_nocase((text){.data = in->at, .size = word.size}, word);
}

// A name of a list, whole or its first three letters; its number from 0.
static bool take_name(date_cursor *in, const char *all, const uint8_t *sizes, uint32_t count,
                      bool is_short, int64_t *out) {
    size_t from = 0;
    for (uint32_t i = 0; i < count; i++) {
        const text word = {.data = all + from, .size = is_short ? 3 : sizes[i]};
        if (starts_nocase(in, word)) {
            in->at += word.size;
            *out = i;
            return true;
        }
        from += sizes[i];
    }
    return false;
}

bool date_pattern_take_month(date_cursor *in, bool is_short, int64_t *out) {
    return take_name(in, month_words, month_sizes, 12, is_short, out);
}

bool date_pattern_take_weekday(date_cursor *in, bool is_short, int64_t *out) {
    return take_name(in, day_words, day_sizes, 7, is_short, out);
}

uint32_t date_pattern_take_word(date_cursor *in, const char *const *words, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const text word = text_of(words[i]);
        if (starts_nocase(in, word)) {
            in->at += word.size;
            return i;
        }
    }
    return count;
}

bool date_pattern_take_zone(date_cursor *in, int32_t *offset_seconds) {
    bool is_known;
    if (date_take_offset(in, offset_seconds, &is_known)) {
        return true;
    }
    const text word = date_take_word(in);
    zone found;
    if (word.size == 0 || (!zone_of_offset(word, &found) && !zone_of_abbreviation(word, &found))) {
        return false;
    }
    *offset_seconds = found.rule.offset_seconds;
    return true;
}

static bool take_year(date_cursor *in, uint32_t width, read_fields *out) {
    const bool is_minus = width >= 4 && date_take(in, '-');
    if (!take_number(in, width, &out->year)) {
        return false;
    }
    if (width < 4) { // Of 1969 to 2068, as in POSIX.
        out->year += out->year < 69 ? 2000 : 1900;
    }
    out->is_bc |= is_minus;
    return true;
}

static bool take_week(date_cursor *in, pattern_field kind, read_fields *out) {
    out->week_kind = kind;
    return take_number(in, 2, &out->week);
}

static bool take_weekday(date_cursor *in, const pattern_item *item, read_fields *out) {
    if (item->field == PATTERN_FIELD_DOW || item->field == PATTERN_FIELD_ISODOW) {
        const bool is_taken = take_number(in, 1, &out->weekday) && out->weekday <= 7;
        out->weekday %= 7;
        return is_taken;
    }
    return date_pattern_take_weekday(in, item->field == PATTERN_FIELD_DAY_SHORT, &out->weekday);
}

// `is_followed`: the next field stands right behind, so a year has four digits.
static bool read_day_field(date_cursor *in, const pattern_item *item, bool is_followed,
                           read_fields *out) {
    switch ((int)item->field) {
    case PATTERN_FIELD_ISOYEAR:
        out->week_kind = PATTERN_FIELD_ISOWEEK;
        return take_year(in, is_followed ? 4 : 6, out);
    case PATTERN_FIELD_YEAR:
        return take_year(in, is_followed ? 4 : 6, out);
    case PATTERN_FIELD_YEAR_2:
        return take_year(in, 2, out);
    case PATTERN_FIELD_MONTH:
        out->has_date = true;
        return take_number(in, 2, &out->month);
    case PATTERN_FIELD_MONTH_NAME:
    case PATTERN_FIELD_MONTH_SHORT:
        out->has_date = true;
        if (!date_pattern_take_month(in, item->field == PATTERN_FIELD_MONTH_SHORT, &out->month)) {
            return false;
        }
        out->month++;
        return true;
    case PATTERN_FIELD_DAY:
        out->has_date = true;
        return take_number(in, 2, &out->day);
    case PATTERN_FIELD_DAY_OF_YEAR:
        out->has_date = true;
        return take_number(in, 3, &out->day_of_year);
    case PATTERN_FIELD_WEEK_SUNDAY:
    case PATTERN_FIELD_WEEK_MONDAY:
    case PATTERN_FIELD_ISOWEEK:
        return take_week(in, item->field, out);
    default:
        return take_weekday(in, item, out);
    }
}

static bool read_time_field(date_cursor *in, const pattern_item *item, read_fields *out) {
    static const char *const halves[] = {"am", "pm"};
    uint32_t half;
    switch ((int)item->field) {
    case PATTERN_FIELD_HOUR:
        return take_number(in, 2, &out->hour);
    case PATTERN_FIELD_HOUR_12:
        out->is_12 = true;
        return take_number(in, 2, &out->hour);
    case PATTERN_FIELD_MINUTE:
        return take_number(in, 2, &out->minute);
    case PATTERN_FIELD_SECOND:
        return take_number(in, 2, &out->second);
    case PATTERN_FIELD_FRACTION:
        return take_fraction(in, item->digits, &out->nanos);
    case PATTERN_FIELD_EPOCH:
        out->has_epoch = true;
        return take_number(in, 12, &out->epoch);
    case PATTERN_FIELD_MERIDIEM:
        half = date_pattern_take_word(in, halves, 2);
        out->is_pm = half == 1;
        return half < 2;
    default:
        out->has_offset = date_pattern_take_zone(in, &out->offset_seconds);
        return out->has_offset;
    }
}

// Strictly, a literal is itself; else any one byte, and blanks come and go, as in a template.
static bool read_literal(date_cursor *in, text literal, bool is_strict) {
    for (size_t i = 0; i < literal.size; i++) {
        if (is_strict) {
            if (!date_take(in, literal.data[i])) {
                return false;
            }
            continue;
        }
        const char byte = date_peek(in);
        if (date_is_blank(literal.data[i])) {
            date_skip_blanks(in);
        } else if (!date_at_end(in) && !date_is_digit(byte) &&
                   (!date_is_letter(byte) || byte == literal.data[i])) {
            in->at++;
        }
    }
    return true;
}

// The day that a week of the year tells, where no month and no day do.
static bool day_of_week_fits(const read_fields *read, int64_t year, int64_t *out) {
    const int64_t jan_1 = calendar_days_of((calendar_date){.year = year, .month = 1, .day = 1});
    const int64_t from_monday = read->weekday < 0 ? 0 : (read->weekday + 6) % 7;
    const int64_t from_sunday = read->weekday < 0 ? 0 : read->weekday;
    const int64_t week = read->week < 0 ? 1 : read->week;
    if (read->week_kind == PATTERN_FIELD_ISOWEEK) {
        const calendar_week first = {.year = year, .week = 1};
        *out = calendar_week_start(first) + (week - 1) * 7 + from_monday;
        return week >= 1 && week <= 53;
    }
    // Week 1 begins with the first Sunday or Monday, week 0 is what comes before.
    const int64_t start = read->week_kind == PATTERN_FIELD_WEEK_SUNDAY ? 0 : 1;
    const int64_t first = jan_1 + calendar_floor_mod(start - calendar_weekday(jan_1), 7);
    *out = first + (week - 1) * 7 + (start == 0 ? from_sunday : from_monday);
    return week <= 53;
}

static date_answer moment_of(const read_fields *read, clock_moment *out) {
    int64_t hour = read->hour;
    if (read->is_12) {
        if (hour < 1 || hour > 12) {
            return DATE_RANGE;
        }
        hour = hour % 12 + (read->is_pm ? 12 : 0);
    }
    if (hour > 24 || read->minute > 59 || read->second > 59) {
        return DATE_RANGE;
    }
    const calendar_date date = {.year = read->is_bc ? 1 - read->year : read->year,
                                .month = (int32_t)read->month,
                                .day = (int32_t)read->day};
    if (!calendar_date_exists(date) || read->day_of_year > 366) {
        return DATE_RANGE;
    }
    int64_t days = calendar_days_of(date);
    if (read->day_of_year > 0) {
        days = calendar_days_of((calendar_date){.year = date.year, .month = 1, .day = 1}) +
               read->day_of_year - 1;
        if (calendar_date_of(days).year != date.year) {
            return DATE_RANGE;
        }
    }
    if (!read->has_date && read->week_kind != PATTERN_FIELD_LITERAL &&
        !day_of_week_fits(read, date.year, &days)) {
        return DATE_RANGE;
    }
    int64_t seconds = hour * 3600 + read->minute * 60 + read->second;
    if (read->has_epoch) {
        days = 0;
        seconds = read->epoch;
    }
    days += calendar_floor_div(seconds, CALENDAR_DAY_SECONDS);
    seconds = calendar_floor_mod(seconds, CALENDAR_DAY_SECONDS);
    out->moment = (calendar_moment){.days = days, .nanos = seconds * 1000000000 + read->nanos};
    out->offset_seconds = read->offset_seconds;
    return DATE_OK;
}

date_answer date_pattern_read(const date_pattern *self, text input, bool is_strict,
                              clock_moment *out, bool *has_offset, pattern_failure *failure) {
    *failure = (pattern_failure){.why = NULL};
    if (self->is_template) {
        return date_pattern_read_template(self, input, out, has_offset, failure);
    }
    date_cursor in = date_cursor_open(input);
    read_fields read = {.year = is_strict ? STRICT_YEAR : LENIENT_YEAR,
                        .month = 1,
                        .day = 1,
                        .week = -1,
                        .weekday = -1};
    for (uint32_t i = 0; i < self->count; i++) {
        const pattern_item *item = &self->items[i];
        if (item->field == PATTERN_FIELD_LITERAL) {
            if (!read_literal(&in, item->literal, is_strict)) {
                return DATE_SYNTAX;
            }
            continue;
        }
        if (!is_strict) {
            date_skip_blanks(&in);
            if (date_at_end(&in)) {
                break; // What is not there keeps its start.
            }
        }
        const bool is_day = item->field < PATTERN_FIELD_HOUR;
        const bool is_followed = i + 1 < self->count && item[1].field != PATTERN_FIELD_LITERAL;
        if (!(is_day ? read_day_field(&in, item, is_followed, &read)
                     : read_time_field(&in, item, &read))) {
            return DATE_SYNTAX;
        }
    }
    if (is_strict && !date_at_end(&in)) {
        return DATE_SYNTAX;
    }
    *has_offset = read.has_offset;
    return moment_of(&read, out);
}
