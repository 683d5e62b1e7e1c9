// From the fields of a text to a moment: as PostgreSQL completes and checks them.
#include "functions/scalar/date_pattern_template_private.h"

#define JULIAN_OF_1970 INT64_C(2440588)

static date_answer out_of_range(pattern_failure *failure, const char *what, const char *why) {
    *failure = (pattern_failure){.field = text_of(what), .why = why};
    return DATE_RANGE;
}

// The year as astronomers count; 0, the one before 1, if it is not told.
static int64_t year_of(const template_fields *read) {
    const int64_t century = read->is_bc != 0 ? -read->century : read->century;
    if (read->year == 0) {
        return century == 0 ? 0 : century > 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
    }
    if (read->century != 0 && read->has_short_year) {
        const int64_t within = read->year % 100;
        return within == 0   ? century * 100 + (century < 0)
               : century > 0 ? (century - 1) * 100 + within
                             : (century + 1) * 100 - within + 1;
    }
    const int64_t year = read->is_bc != 0 ? -read->year : read->year;
    return year < 0 ? year + 1 : year;
}

// The day of the week that ISO's week of a year tells.
static int64_t day_of_week(const template_fields *read, int64_t isoyear) {
    const int64_t monday =
        calendar_week_start((calendar_week){.year = isoyear, .week = 1}) + (read->week - 1) * 7;
    const int64_t weekday = read->day_of_week;
    return weekday == 0 ? monday : weekday > 1 ? monday + weekday - 2 : monday + 6;
}

typedef struct template_date {
    int64_t year;
    int64_t month;
    int64_t day;
} template_date;

static template_date date_at(int64_t days) {
    const calendar_date date = calendar_date_of(days);
    return (template_date){.year = date.year, .month = date.month, .day = date.day};
}

// Gives a month and a day where they are not told.
static void apply_day_of_year(template_date *date, int64_t day_of_year) {
    int64_t month = 1;
    int64_t before = 0; // Days of the months before it.
    while (month <= 12 && day_of_year > before + calendar_month_days(date->year, (int32_t)month)) {
        before += calendar_month_days(date->year, (int32_t)month);
        month++;
    }
    date->month = date->month <= 1 ? month : date->month;
    date->day = date->day <= 1 ? day_of_year - before : date->day;
}

static date_answer days_of(const template_fields *read, int64_t *out, pattern_failure *failure) {
    template_date date = {.year = year_of(read), .month = 1, .day = 1};
    bool has_year = read->year != 0 || read->century != 0;
    int64_t day_of_year = read->day_of_year;
    int64_t day = read->day;
    if (read->julian != 0) {
        date = date_at(read->julian - JULIAN_OF_1970);
        has_year = true;
    }
    if (read->week != 0 && read->calendar == PATTERN_ISO_YEAR) {
        date = date_at(day_of_week(read, date.year));
        has_year = true;
    } else if (read->week != 0) {
        day_of_year = (read->week - 1) * 7 + 1;
    }
    if (read->week_of_month != 0) {
        day = (read->week_of_month - 1) * 7 + 1;
    }
    date.day = day != 0 ? day : date.day;
    date.month = read->month != 0 ? read->month : date.month;
    if (day_of_year != 0 && (date.month <= 1 || date.day <= 1)) {
        if (date.year == 0 && read->is_bc == 0) {
            return out_of_range(failure, "DDD", "needs a year");
        }
        if (read->calendar == PATTERN_ISO_YEAR) {
            const calendar_week first = {.year = date.year, .week = 1};
            date = date_at(calendar_week_start(first) + day_of_year - 1);
        } else {
            apply_day_of_year(&date, day_of_year);
        }
    }
    if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31 ||
        (has_year && date.day > calendar_month_days(date.year, (int32_t)date.month))) {
        return DATE_RANGE;
    }
    const calendar_date first = {.year = date.year, .month = (int32_t)date.month, .day = 1};
    *out = calendar_days_of(first) + date.day - 1;
    return DATE_OK;
}

static date_answer nanos_of(const template_fields *read, int64_t *out, pattern_failure *failure) {
    const int64_t of_day = read->second_of_day;
    const int64_t second = read->second != 0 ? read->second : of_day % 60;
    const int64_t minute = read->minute != 0 ? read->minute : of_day / 60 % 60;
    int64_t hour = read->hour != 0 ? read->hour : of_day / 3600;
    if (read->is_12) {
        if (hour < 1 || hour > 12) {
            return out_of_range(failure, "HH12", "is from 1 to 12");
        }
        hour = hour % 12 + (read->is_pm != 0 ? 12 : 0);
    }
    const int64_t micros = read->millis * 1000 + read->micros;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 ||
        micros < 0 || micros > 999999) {
        return DATE_RANGE;
    }
    int64_t unit = 1;
    for (uint32_t i = read->precision; i != 0 && i < 6; i++) {
        unit *= 10;
    }
    const int64_t rounded = (micros + unit / 2) / unit * unit;
    *out = ((hour * 3600 + minute * 60 + second) * 1000000 + rounded) * 1000;
    return DATE_OK;
}

static date_answer offset_of(const template_fields *read, clock_moment *out, bool *has_offset) {
    *has_offset = read->has_zone || read->zone_sign != 0;
    out->offset_seconds = read->zone_seconds;
    if (!read->has_zone && *has_offset) {
        if (read->zone_hours < 0 || read->zone_hours > 15 || read->zone_minutes < 0 ||
            read->zone_minutes > 59) {
            return DATE_RANGE;
        }
        out->offset_seconds =
            (int32_t)(read->zone_sign * (read->zone_hours * 60 + read->zone_minutes) * 60);
    }
    return DATE_OK;
}

date_answer template_fields_moment(const template_fields *self, clock_moment *out, bool *has_offset,
                                   pattern_failure *failure) {
    *out = (clock_moment){0};
    date_answer answer = days_of(self, &out->moment.days, failure);
    if (answer == DATE_OK) {
        answer = nanos_of(self, &out->moment.nanos, failure);
    }
    return answer == DATE_OK ? offset_of(self, out, has_offset) : answer;
}
