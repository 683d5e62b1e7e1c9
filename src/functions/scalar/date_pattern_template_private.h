// Private to date_pattern_template*: what a text told by a template.
#ifndef FIRN_FUNCTIONS_SCALAR_DATE_PATTERN_TEMPLATE_PRIVATE_H
#define FIRN_FUNCTIONS_SCALAR_DATE_PATTERN_TEMPLATE_PRIVATE_H

#include "functions/scalar/date_pattern.h"

// What was read so far; 0: not told.
typedef struct template_fields {
    int64_t hour;
    int64_t minute;
    int64_t second;
    int64_t second_of_day;
    int64_t millis;
    int64_t micros;
    uint32_t precision;  // Digits behind the second that remain.
    int64_t day_of_week; // 1 = Sunday.
    int64_t day;
    int64_t day_of_year;
    int64_t month;
    int64_t year;
    int64_t week;
    int64_t week_of_month;
    int64_t century;
    int64_t julian;
    int64_t zone_sign;
    int64_t zone_hours;
    int64_t zone_minutes;
    int64_t is_bc;
    int64_t is_pm;
    bool is_12;
    bool has_short_year; // Two digits or one, which a century completes.
    bool has_zone;       // By its name or whole offset.
    int32_t zone_seconds;
    pattern_calendar calendar;
} template_fields;

/// The moment that fields tell. DATE_RANGE if there is none such.
date_answer template_fields_moment(const template_fields *self, clock_moment *out, bool *has_offset,
                                   pattern_failure *failure);

#endif
