// Writing by a pattern.
#include <stdlib.h>

#include "functions/scalar/date_pattern.h"

static const char *const month_names[] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
static const char *const roman_months[] = {"I",   "II",   "III", "IV", "V",  "VI",
                                           "VII", "VIII", "IX",  "X",  "XI", "XII"};
static const char *const day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};

typedef struct pattern_writer {
    char *out;
    size_t size;
} pattern_writer;

static void put(pattern_writer *self, const char *data, size_t size) {
    if (size > 0) {
        memcpy(self->out + self->size, data, size);
        self->size += size;
    }
}

// A name in its case, filled with blanks to `width`.
static void put_name(pattern_writer *self, const pattern_item *item, const char *name,
                     size_t letters, size_t width) {
    for (size_t i = 0; i < letters; i++) {
        const char byte = name[i];
        const bool is_upper =
            item->letters == PATTERN_UPPER || (item->letters == PATTERN_TITLE && i == 0);
        const bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
        self->out[self->size++] = (char)(!is_letter ? byte : is_upper ? byte & ~0x20 : byte | 0x20);
    }
    for (size_t i = letters; i < width && !item->is_bare; i++) {
        self->out[self->size++] = ' ';
    }
}

static void put_ordinal(pattern_writer *self, pattern_ordinal ordinal, uint64_t magnitude) {
    static const char words[][2][3] = {{"TH", "th"}, {"ST", "st"}, {"ND", "nd"}, {"RD", "rd"}};
    const uint64_t last = magnitude % 10;
    const bool is_teen = magnitude / 10 % 10 == 1;
    if (ordinal != PATTERN_NO_ORDINAL) {
        put(self, words[is_teen || last > 3 ? 0 : last][ordinal == PATTERN_ORDINAL_LOWER], 2);
    }
}

static void put_number(pattern_writer *self, const pattern_item *item, int64_t value,
                       uint32_t width) {
    char digits[24];
    const uint64_t magnitude = value < 0 ? (uint64_t)-(value + 1) + 1 : (uint64_t)value;
    uint64_t rest = magnitude;
    size_t from = sizeof digits;
    do {
        digits[--from] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    while ((!item->is_bare || item->is_wide) && sizeof digits - from < width) {
        digits[--from] = '0';
    }
    if (value < 0) {
        digits[--from] = '-';
    }
    put(self, digits + from, sizeof digits - from);
    put_ordinal(self, item->ordinal, magnitude);
}

// 2,020: thousands without zeros in front, always with a comma.
static void put_year_comma(pattern_writer *self, const pattern_item *item, int64_t year) {
    const pattern_item plain = {0};
    put_number(self, &plain, year / 1000, 1);
    put(self, ",", 1);
    put_number(self, &plain, year % 1000, 3);
    put_ordinal(self, item->ordinal, (uint64_t)year);
}

// Of hours, with or without minutes if there are any.
static void put_offset(pattern_writer *self, const pattern_item *item, int32_t seconds,
                       bool has_minutes) {
    const pattern_item plain = {.is_bare = item->is_bare, .is_wide = item->is_wide};
    const int32_t minutes = abs(seconds) / 60;
    put(self, seconds < 0 ? "-" : "+", 1);
    put_number(self, &plain, minutes / 60, 2);
    if (has_minutes && minutes % 60 != 0) {
        put(self, ":", 1);
        put_number(self, &(pattern_item){0}, minutes % 60, 2);
    }
}

// Where the day stands in its week and its year.
static void write_day_within(pattern_writer *self, const pattern_item *item, int64_t days,
                             int32_t of_year) {
    const int32_t weekday = calendar_weekday(days);
    const char *day = day_names[weekday];
    switch ((int)item->field) {
    case PATTERN_FIELD_DAY_NAME:
        put_name(self, item, day, strlen(day), 9);
        break;
    case PATTERN_FIELD_DAY_SHORT:
        put_name(self, item, day, 3, 3);
        break;
    case PATTERN_FIELD_DAY_OF_YEAR:
        put_number(self, item, of_year, 3);
        break;
    case PATTERN_FIELD_DAY_OF_ISOYEAR:
        put_number(self, item,
                   (int64_t)(calendar_week_of(days).week - 1) * 7 + (weekday + 6) % 7 + 1, 3);
        break;
    case PATTERN_FIELD_DOW:
        put_number(self, item, weekday, 1);
        break;
    case PATTERN_FIELD_DOW_FROM_1:
        put_number(self, item, weekday + 1, 1);
        break;
    case PATTERN_FIELD_ISODOW:
        put_number(self, item, weekday == 0 ? 7 : weekday, 1);
        break;
    case PATTERN_FIELD_JULIAN:
        put_number(self, item, days + 2440588, 1); // Of 1970-01-01.
        break;
    case PATTERN_FIELD_WEEK:
        put_number(self, item, (of_year - 1) / 7 + 1, 2);
        break;
    case PATTERN_FIELD_WEEK_SUNDAY:
        put_number(self, item, (of_year + 6 - weekday) / 7, 2);
        break;
    case PATTERN_FIELD_WEEK_MONDAY:
        put_number(self, item, (of_year + 6 - (weekday + 6) % 7) / 7, 2);
        break;
    default: // PATTERN_FIELD_ISOWEEK
        put_number(self, item, calendar_week_of(days).week, 2);
        break;
    }
}

// Years as they are counted: without sign before the first.
static int64_t counted(int64_t year) {
    return year > 0 ? year : 1 - year;
}

// What a time of no day shows of it: nothing but zeros, and the first week.
static void write_no_day(pattern_writer *self, const pattern_item *item) {
    switch ((int)item->field) {
    case PATTERN_FIELD_QUARTER:
    case PATTERN_FIELD_MONTH_ROMAN:
        break;
    case PATTERN_FIELD_YEAR_COMMA:
        put_year_comma(self, item, 0);
        break;
    case PATTERN_FIELD_YEAR:
        put_number(self, item, 0, 4);
        break;
    case PATTERN_FIELD_YEAR_3:
    case PATTERN_FIELD_DAY_OF_YEAR:
        put_number(self, item, 0, 3);
        break;
    case PATTERN_FIELD_YEAR_1:
        put_number(self, item, 0, 1);
        break;
    case PATTERN_FIELD_WEEK:
        put_number(self, item, 1, 2);
        break;
    case PATTERN_FIELD_WEEK_OF_MONTH:
        put_number(self, item, 1, 1);
        break;
    default: // PATTERN_FIELD_CENTURY, _YEAR_2, _MONTH, _DAY
        put_number(self, item, 0, 2);
        break;
    }
}

static void write_isoyear(pattern_writer *self, const pattern_item *item, int64_t year) {
    switch ((int)item->field) {
    case PATTERN_FIELD_ISOYEAR:
        put_number(self, item, year, 4);
        break;
    case PATTERN_FIELD_ISOYEAR_3:
        put_number(self, item, year % 1000, 3);
        break;
    case PATTERN_FIELD_ISOYEAR_2:
        put_number(self, item, year % 100, 2);
        break;
    default:
        put_number(self, item, year % 10, 1);
        break;
    }
}

static void write_day(pattern_writer *self, const pattern_item *item, int64_t days) {
    const calendar_date date = calendar_date_of(days);
    const int64_t year = counted(date.year);
    const char *month = month_names[date.month - 1];
    const char *roman = roman_months[date.month - 1];
    switch ((int)item->field) {
    case PATTERN_FIELD_YEAR:
        put_number(self, item, year, 4);
        break;
    case PATTERN_FIELD_YEAR_COMMA:
        put_year_comma(self, item, year);
        break;
    case PATTERN_FIELD_YEAR_3:
        put_number(self, item, year % 1000, 3);
        break;
    case PATTERN_FIELD_YEAR_2:
        put_number(self, item, year % 100, 2);
        break;
    case PATTERN_FIELD_YEAR_1:
        put_number(self, item, year % 10, 1);
        break;
    case PATTERN_FIELD_ISOYEAR:
    case PATTERN_FIELD_ISOYEAR_3:
    case PATTERN_FIELD_ISOYEAR_2:
    case PATTERN_FIELD_ISOYEAR_1:
        write_isoyear(self, item, counted(calendar_week_of(days).year));
        break;
    case PATTERN_FIELD_CENTURY: // -01: the first one BC.
        put_number(self, item, date.year > 0 ? (year + 99) / 100 : -((year + 99) / 100), 2);
        break;
    case PATTERN_FIELD_QUARTER:
        put_number(self, item, (date.month + 2) / 3, 1);
        break;
    case PATTERN_FIELD_MONTH:
        put_number(self, item, date.month, 2);
        break;
    case PATTERN_FIELD_MONTH_NAME:
        put_name(self, item, month, strlen(month), 9);
        break;
    case PATTERN_FIELD_MONTH_SHORT:
        put_name(self, item, month, 3, 3);
        break;
    case PATTERN_FIELD_MONTH_ROMAN:
        put_name(self, item, roman, strlen(roman), 4);
        break;
    case PATTERN_FIELD_DAY:
        put_number(self, item, date.day, 2);
        break;
    case PATTERN_FIELD_WEEK_OF_MONTH:
        put_number(self, item, (date.day - 1) / 7 + 1, 1);
        break;
    case PATTERN_FIELD_ERA:
        put_name(self, item, date.year > 0 ? "AD" : "BC", 2, 2);
        break;
    case PATTERN_FIELD_ERA_DOTS:
        put_name(self, item, date.year > 0 ? "A.D." : "B.C.", 4, 4);
        break;
    default:
        write_day_within(self, item, days, calendar_day_of_year(date));
        break;
    }
}

// What a clock shows, of a day or of an interval, whose parts have the sign of the whole.
static void write_clock(pattern_writer *self, const pattern_item *item, int64_t nanos) {
    const int64_t seconds = nanos / 1000000000;
    int64_t fraction = nanos % 1000000000;
    const int64_t hour = seconds / 3600;
    switch ((int)item->field) {
    case PATTERN_FIELD_HOUR:
        put_number(self, item, hour, 2);
        break;
    case PATTERN_FIELD_HOUR_12:
        put_number(self, item, hour % 12 == 0 ? 12 : hour % 12, 2);
        break;
    case PATTERN_FIELD_MINUTE:
        put_number(self, item, seconds / 60 % 60, 2);
        break;
    case PATTERN_FIELD_SECOND:
        put_number(self, item, seconds % 60, 2);
        break;
    case PATTERN_FIELD_MILLI:
    case PATTERN_FIELD_FRACTION:
        for (uint32_t i = item->digits; i < 9; i++) {
            fraction /= 10;
        }
        put_number(self, item, fraction, item->digits);
        break;
    case PATTERN_FIELD_SECOND_OF_DAY:
        put_number(self, item, seconds, 1);
        break;
    case PATTERN_FIELD_MERIDIEM:
        put_name(self, item, hour % 24 < 12 ? "AM" : "PM", 2, 2);
        break;
    case PATTERN_FIELD_MERIDIEM_DOTS:
        put_name(self, item, hour % 24 < 12 ? "A.M." : "P.M.", 4, 4);
        break;
    default: // PATTERN_FIELD_FIXED
        break;
    }
}

static void write_time(pattern_writer *self, const pattern_item *item, const clock_moment *moment) {
    const calendar_moment at = moment->moment;
    switch ((int)item->field) {
    case PATTERN_FIELD_EPOCH:
        put_number(self, item,
                   at.days * CALENDAR_DAY_SECONDS + at.nanos / 1000000000 - moment->offset_seconds,
                   1);
        break;
    case PATTERN_FIELD_ZONE_WORD:
        put_name(self, item, moment->zone_word.data, moment->zone_word.size, 0);
        break;
    case PATTERN_FIELD_ZONE_HOURS:
        put_offset(self, item, moment->offset_seconds, false);
        break;
    case PATTERN_FIELD_ZONE_MINUTES:
        put_number(self, &(pattern_item){0}, abs(moment->offset_seconds) / 60 % 60, 2);
        break;
    case PATTERN_FIELD_ZONE_OFFSET:
        put_offset(self, item, moment->offset_seconds, true);
        break;
    default:
        write_clock(self, item, at.nanos);
        break;
    }
}

// ---- Intervals ---------------------------------------------------------------------------------

// A sign takes the place of a zero here, as in PostgreSQL.
static void put_signed(pattern_writer *self, const pattern_item *item, int64_t value,
                       uint32_t width) {
    put_number(self, item, value, width - (value < 0));
}

// Parts of an interval count by themselves: 14 months are a year and two months.
static void write_interval_days(pattern_writer *self, const pattern_item *item,
                                const interval_value *value) {
    const int64_t year = value->months / 12;
    const int32_t month = value->months % 12;
    const int64_t all_days = (int64_t)value->months * 30 + value->days;
    const int32_t roman = month > 0 ? month - 1 : month < 0 ? 12 + month : year > 0 ? 11 : 0;
    switch ((int)item->field) {
    case PATTERN_FIELD_YEAR:
        put_number(self, item, year, 4);
        break;
    case PATTERN_FIELD_YEAR_COMMA:
        put_number(self, &(pattern_item){0}, year / 1000, 1);
        put(self, ",", 1);
        put_signed(self, &(pattern_item){.ordinal = item->ordinal}, year % 1000, 3);
        break;
    case PATTERN_FIELD_YEAR_3:
        put_number(self, item, year % 1000, 3);
        break;
    case PATTERN_FIELD_YEAR_2:
        put_number(self, item, year % 100, 2);
        break;
    case PATTERN_FIELD_YEAR_1:
        put_number(self, item, year % 10, 1);
        break;
    case PATTERN_FIELD_CENTURY:
        put_number(self, item, year / 100, 2);
        break;
    case PATTERN_FIELD_QUARTER:
        if (month != 0) {
            put_number(self, item, (month - 1) / 3 + 1, 1);
        }
        break;
    case PATTERN_FIELD_MONTH:
        put_number(self, item, month, 2);
        break;
    case PATTERN_FIELD_MONTH_ROMAN:
        if (value->months != 0) {
            put_name(self, item, roman_months[roman], strlen(roman_months[roman]), 4);
        }
        break;
    case PATTERN_FIELD_DAY:
        put_signed(self, item, value->days, 2);
        break;
    case PATTERN_FIELD_DAY_OF_YEAR:
        put_signed(self, item, all_days, 3);
        break;
    case PATTERN_FIELD_WEEK:
        put_signed(self, item, (all_days - 1) / 7 + 1, 2);
        break;
    default: // PATTERN_FIELD_WEEK_OF_MONTH
        put_number(self, item, ((int64_t)value->days - 1) / 7 + 1, 1);
        break;
    }
}

size_t date_pattern_size_max(const date_pattern *self, size_t word_size) {
    size_t size = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        const pattern_item *item = &self->items[i];
        size += item->field == PATTERN_FIELD_LITERAL     ? item->literal.size
                : item->field == PATTERN_FIELD_ZONE_WORD ? word_size
                                                         : DATE_PATTERN_ITEM_SIZE_MAX;
    }
    return size;
}

size_t date_pattern_write(const date_pattern *self, const clock_moment *moment, char *out) {
    pattern_writer writer = {.out = out};
    for (uint32_t i = 0; i < self->count; i++) {
        const pattern_item *item = &self->items[i];
        if (item->field == PATTERN_FIELD_LITERAL) {
            put(&writer, item->literal.data, item->literal.size);
        } else if (moment->interval != NULL) {
            if (item->field < PATTERN_FIELD_HOUR) {
                write_interval_days(&writer, item, moment->interval);
            } else {
                write_clock(&writer, item, moment->interval->nanos);
            }
        } else if (item->field < PATTERN_FIELD_HOUR && moment->is_time && self->is_template) {
            write_no_day(&writer, item);
        } else if (item->field < PATTERN_FIELD_HOUR) {
            write_day(&writer, item, moment->moment.days);
        } else {
            write_time(&writer, item, moment);
        }
    }
    return writer.size;
}
