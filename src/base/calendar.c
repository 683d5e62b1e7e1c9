#include "base/calendar.h"

#include <assert.h>

#include "base/compiler.h"
#include "base/wide.h"

int64_t calendar_units_per_second(time_unit unit) {
    static const int64_t units[] = {1, 1000, 1000000, 1000000000};
    return units[unit];
}

// ---- Days --------------------------------------------------------------------------------------
//
// Years are counted from March, so that the leap day is the last of a year, and centuries, years
// and months come out of multiplications (C. Neri, L. Schneider, "Euclidean affine functions and
// their application to calendar algorithms", 2022). Adding whole cycles of 400 years makes all
// positive.

#define CYCLE_DAYS 146097
#define DAYS_TO_1970 719468  // From March 1st of year 0.
#define CYCLES_32 3670       // Puts 1970 in the middle of 30 bits.
#define CYCLES_64 1000000000 // More than any year here lies below 0.

// Of days since March 1st of a year far below 0, whose multiple by 4 fits 32 bits.
static calendar_date date_of_near(uint32_t days) {
    const uint32_t quarters = 4 * days + 3;
    const uint32_t century = quarters / CYCLE_DAYS;
    const uint32_t in_century = quarters % CYCLE_DAYS / 4;
    // (4 * d + 3) / 1461 is the year of the century, what is left over the day of the year.
    const uint64_t product = UINT64_C(2939745) * (4 * in_century + 3);
    const uint32_t year = 100 * century + (uint32_t)(product >> 32);
    const uint32_t in_year = (uint32_t)(product & UINT32_MAX) / 2939745 / 4;
    const uint32_t months = 2141 * in_year + 197913; // Month in the upper, day in the lower half.
    const bool is_next_year = in_year >= 306;        // January and February.
    return (calendar_date){
        .year = (int64_t)year - (int64_t)CYCLES_32 * 400 + is_next_year,
        .month = (int32_t)(months >> 16) - (is_next_year ? 12 : 0),
        .day = (int32_t)((months & 0xffff) / 2141) + 1,
    };
}

calendar_date calendar_date_of(int64_t days) {
    const int64_t near = days + DAYS_TO_1970 + (int64_t)CYCLES_32 * CYCLE_DAYS;
    if (LIKELY(near >= 0 && near < INT64_C(1) << 30)) {
        return date_of_near((uint32_t)near);
    }
    // The same day of the first cycle after 1970, and the cycles between.
    const int64_t cycles = calendar_floor_div(days, CYCLE_DAYS);
    calendar_date date = calendar_date_of(days - cycles * CYCLE_DAYS);
    date.year += cycles * 400;
    return date;
}

int64_t calendar_days_of(calendar_date date) {
    assert(date.month >= 1 && date.month <= 12);
    const bool is_next_year = date.month <= 2;
    const int64_t cycles_years = (int64_t)CYCLES_64 * 400;
    const uint64_t year = (uint64_t)(date.year + cycles_years - is_next_year);
    const uint64_t month = (uint64_t)date.month + (is_next_year ? 12 : 0);
    const uint64_t century = year / 100;
    const uint64_t days = 1461 * year / 4 - century + century / 4 + (979 * month - 2919) / 32 +
                          (uint64_t)(date.day - 1);
    return (int64_t)days - DAYS_TO_1970 - (int64_t)CYCLES_64 * CYCLE_DAYS;
}

int32_t calendar_month_days(int64_t year, int32_t month) {
    assert(month >= 1 && month <= 12);
    if (month == 2) {
        return calendar_is_leap(year) ? 29 : 28;
    }
    return 30 + ((month ^ month >> 3) & 1); // Odd to July, even from August.
}

int32_t calendar_day_of_year(calendar_date date) {
    const calendar_date first = {.year = date.year, .month = 1, .day = 1};
    return (int32_t)(calendar_days_of(date) - calendar_days_of(first)) + 1;
}

calendar_week calendar_week_of(int64_t days) {
    // A week belongs to the year of its Thursday.
    const int64_t thursday = days - (calendar_weekday(days) + 6) % 7 + 3;
    const calendar_date date = calendar_date_of(thursday);
    return (calendar_week){.year = date.year, .week = (calendar_day_of_year(date) - 1) / 7 + 1};
}

int64_t calendar_week_start(calendar_week week) {
    const int64_t fourth =
        calendar_days_of((calendar_date){.year = week.year, .month = 1, .day = 4});
    return fourth - (calendar_weekday(fourth) + 6) % 7 + ((int64_t)week.week - 1) * 7;
}

calendar_date calendar_add_months(calendar_date date, int64_t months) {
    const int64_t total = date.month - 1 + months;
    date.year += calendar_floor_div(total, 12);
    date.month = (int32_t)calendar_floor_mod(total, 12) + 1;
    const int32_t last = calendar_month_days(date.year, date.month);
    date.day = date.day < last ? date.day : last;
    return date;
}

bool calendar_date_add_months_fits(int32_t days, int64_t months, int32_t *out) {
    // All dates lie within 12 million years; more months than that leave them in any case.
    if (months > INT32_MAX || months < INT32_MIN) {
        return false;
    }
    const int64_t moved = calendar_days_of(calendar_add_months(calendar_date_of(days), months));
    if (moved < INT32_MIN || moved > INT32_MAX) {
        return false;
    }
    *out = (int32_t)moved;
    return true;
}

// ---- Timestamps --------------------------------------------------------------------------------

calendar_moment calendar_moment_of(int64_t value, time_unit unit) {
    const int64_t per_second = calendar_units_per_second(unit);
    const int64_t per_day = per_second * CALENDAR_DAY_SECONDS;
    return (calendar_moment){
        .days = calendar_floor_div(value, per_day),
        .nanos = calendar_floor_mod(value, per_day) * (1000000000 / per_second),
    };
}

// The nearest multiple, a half up.
static i128 round_nanos(i128 nanos, int64_t step) {
    const i128 moved = nanos + step / 2;
    return moved / step - (moved % step < 0);
}

static bool narrow_fits(i128 value, int64_t *out) {
    if (value < INT64_MIN || value > INT64_MAX) {
        return false;
    }
    *out = (int64_t)value;
    return true;
}

bool calendar_timestamp_fits(calendar_moment moment, time_unit unit, int64_t *out) {
    const int64_t per_second = calendar_units_per_second(unit);
    const int64_t per_day = per_second * CALENDAR_DAY_SECONDS;
    const i128 time = round_nanos(moment.nanos, 1000000000 / per_second);
    return narrow_fits((i128)moment.days * per_day + time, out);
}

bool calendar_rescale_fits(int64_t value, time_unit from, time_unit to, int64_t *out) {
    const int64_t old = calendar_units_per_second(from);
    const int64_t new = calendar_units_per_second(to);
    return narrow_fits(new >= old ? (i128)value * (new / old) : round_nanos(value, old / new), out);
}
