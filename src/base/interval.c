#include "base/interval.h"

#include <assert.h>
#include <math.h>

#define NANOS_PER_SECOND INT64_C(1000000000)
#define MONTH_DAYS 30
#define YEAR_MONTHS 12

// ---- Whole numbers -----------------------------------------------------------------------------

i128 interval_length(interval_value value) {
    const int64_t days = (int64_t)value.months * MONTH_DAYS + value.days;
    return (i128)days * CALENDAR_DAY_NANOS + value.nanos;
}

int interval_compare(interval_value left, interval_value right) {
    const i128 l = interval_length(left);
    const i128 r = interval_length(right);
    return (l > r) - (l < r);
}

// Stores the three parts if each fits its width.
static bool parts_fit(int64_t months, int64_t days, i128 nanos, interval_value *out) {
    if (months < INT32_MIN || months > INT32_MAX || days < INT32_MIN || days > INT32_MAX ||
        nanos < INT64_MIN || nanos > INT64_MAX) {
        return false;
    }
    *out =
        (interval_value){.months = (int32_t)months, .days = (int32_t)days, .nanos = (int64_t)nanos};
    return true;
}

bool interval_add_fits(interval_value left, interval_value right, interval_value *out) {
    return parts_fit((int64_t)left.months + right.months, (int64_t)left.days + right.days,
                     (i128)left.nanos + right.nanos, out);
}

bool interval_sub_fits(interval_value left, interval_value right, interval_value *out) {
    return parts_fit((int64_t)left.months - right.months, (int64_t)left.days - right.days,
                     (i128)left.nanos - right.nanos, out);
}

bool interval_neg_fits(interval_value value, interval_value *out) {
    return interval_sub_fits((interval_value){0}, value, out);
}

// ---- Fractions ---------------------------------------------------------------------------------

static bool is_in_i32(double value) {
    return value > -2147483649.0 && value < 2147483648.0;
}

// Where binary fractions of a part that should be whole are rounding noise.
static double without_noise(double value) {
    return rint(value * 1e6) / 1e6;
}

// The three parts scaled: whole months and days, the rest carried down as PostgreSQL does.
static bool carry_fits(double months, double days, double nanos, bool is_fine,
                       interval_value *out) {
    if (!is_in_i32(months) || !is_in_i32(days)) {
        return false;
    }
    const double whole_months = trunc(months);
    const double whole_days = trunc(days);
    const double month_days = without_noise((months - whole_months) * MONTH_DAYS);
    double seconds = (days - whole_days + month_days - trunc(month_days)) * 86400;
    seconds = is_fine ? rint(seconds * 1e9) / 1e9 : without_noise(seconds);
    const double carried = trunc(seconds / 86400); // A fraction of a month and one of a day.
    seconds -= carried * 86400;
    const double step = is_fine ? 1 : 1000;
    const double time = rint((nanos + seconds * 1e9) / step) * step;
    if (!(time >= -0x1p63 && time < 0x1p63)) {
        return false;
    }
    return parts_fit((int64_t)whole_months, (int64_t)(whole_days + carried + trunc(month_days)),
                     (int64_t)time, out);
}

bool interval_multiply_fits(interval_value value, double factor, interval_value *out) {
    if (!isfinite(factor)) {
        return false;
    }
    if (factor == rint(factor) && fabs(factor) < 0x1p53) { // Exact.
        const int64_t whole = (int64_t)factor;
        int64_t months;
        int64_t days;
        i128 nanos;
        return !__builtin_mul_overflow((int64_t)value.months, whole, &months) &&
               !__builtin_mul_overflow((int64_t)value.days, whole, &days) &&
               i128_mul_fits(value.nanos, whole, &nanos) && parts_fit(months, days, nanos, out);
    }
    return carry_fits(value.months * factor, value.days * factor, (double)value.nanos * factor,
                      value.nanos % 1000 != 0, out);
}

bool interval_divide_fits(interval_value value, double divisor, interval_value *out) {
    if (isnan(divisor) || divisor == 0) {
        return false;
    }
    return carry_fits(value.months / divisor, value.days / divisor, (double)value.nanos / divisor,
                      value.nanos % 1000 != 0, out);
}

// ---- Moving between the parts ------------------------------------------------------------------

// Gives two neighbouring parts, of which `size` smaller ones make a larger one, the same sign.
static void same_sign(int64_t *large, int64_t *small, int64_t size) {
    if (*large > 0 && *small < 0) {
        *small += size;
        *large -= 1;
    } else if (*large < 0 && *small > 0) {
        *small -= size;
        *large += 1;
    }
}

bool interval_justify_hours_fits(interval_value value, interval_value *out) {
    int64_t days = value.days + value.nanos / CALENDAR_DAY_NANOS;
    int64_t nanos = value.nanos % CALENDAR_DAY_NANOS;
    same_sign(&days, &nanos, CALENDAR_DAY_NANOS);
    return parts_fit(value.months, days, nanos, out);
}

bool interval_justify_days_fits(interval_value value, interval_value *out) {
    int64_t months = (int64_t)value.months + value.days / MONTH_DAYS;
    int64_t days = value.days % MONTH_DAYS;
    same_sign(&months, &days, MONTH_DAYS);
    return parts_fit(months, days, value.nanos, out);
}

bool interval_justify_fits(interval_value value, interval_value *out) {
    int64_t days = value.days + value.nanos / CALENDAR_DAY_NANOS;
    int64_t nanos = value.nanos % CALENDAR_DAY_NANOS;
    int64_t months = value.months + days / MONTH_DAYS;
    days %= MONTH_DAYS;
    // Days and time together against the months, then against each other.
    if (months > 0 && (days < 0 || (days == 0 && nanos < 0))) {
        days += MONTH_DAYS;
        months -= 1;
    } else if (months < 0 && (days > 0 || (days == 0 && nanos > 0))) {
        days -= MONTH_DAYS;
        months += 1;
    }
    same_sign(&days, &nanos, CALENDAR_DAY_NANOS);
    return parts_fit(months, days, nanos, out);
}

// ---- Fields ------------------------------------------------------------------------------------

bool interval_truncate(calendar_field field, interval_value value, interval_value *out) {
    if (calendar_months_in(field) > 0) {
        *out = (interval_value){.months = value.months / calendar_months_in(field) *
                                          calendar_months_in(field)};
        return true;
    }
    if (field == CALENDAR_DAY) {
        *out = (interval_value){.months = value.months, .days = value.days};
        return true;
    }
    if (calendar_nanos_in(field) > 0) {
        *out = value;
        out->nanos = value.nanos / calendar_nanos_in(field) * calendar_nanos_in(field);
        return true;
    }
    return false;
}

bool interval_extract(calendar_field field, interval_value value, int64_t *out) {
    const int64_t in_minute = value.nanos % calendar_nanos_in(CALENDAR_MINUTE);
    if (field <= CALENDAR_SECOND) {
        *out = in_minute / calendar_nanos_in(field);
    } else if (field == CALENDAR_MINUTE) {
        *out = value.nanos / calendar_nanos_in(CALENDAR_MINUTE) % 60;
    } else if (field == CALENDAR_HOUR) {
        *out = value.nanos / calendar_nanos_in(CALENDAR_HOUR);
    } else if (field == CALENDAR_DAY) {
        *out = value.days;
    } else if (field == CALENDAR_MONTH) {
        *out = value.months % YEAR_MONTHS;
    } else if (field == CALENDAR_QUARTER) {
        *out = value.months % YEAR_MONTHS / 3 + 1;
    } else if (calendar_months_in(field) > 0) {
        *out = value.months / calendar_months_in(field);
    } else if (field == CALENDAR_EPOCH) {
        double seconds;
        (void)interval_extract_f64(field, value, &seconds);
        *out = (int64_t)trunc(seconds); // Far from the ends: 2^31 months are 10^16 seconds.
    } else {
        return false;
    }
    return true;
}

bool interval_extract_f64(calendar_field field, interval_value value, double *out) {
    const int64_t in_minute = value.nanos % calendar_nanos_in(CALENDAR_MINUTE);
    if (field <= CALENDAR_SECOND) {
        *out = (double)in_minute / (double)calendar_nanos_in(field);
        return true;
    }
    if (field == CALENDAR_EPOCH) {
        // Years of 365.25 days are a whole number of seconds, 31,557,600.
        const int64_t years = value.months / YEAR_MONTHS;
        const int64_t months = value.months % YEAR_MONTHS;
        const int64_t days = months * MONTH_DAYS + value.days;
        const int64_t seconds = years * 31557600 + days * CALENDAR_DAY_SECONDS;
        const i128 nanos = (i128)seconds * NANOS_PER_SECOND + value.nanos;
        const i128 micros = nanos / 1000;
        *out = nanos % 1000 == 0 ? (double)micros / 1e6 : (double)nanos / 1e9;
        return true;
    }
    int64_t whole = 0;
    const bool is_known = interval_extract(field, value, &whole);
    *out = (double)whole;
    return is_known;
}

// ---- With timestamps ---------------------------------------------------------------------------

bool interval_add_to_timestamp_fits(interval_value value, int64_t timestamp, time_unit unit,
                                    int64_t *out) {
    calendar_moment moment = calendar_moment_of(timestamp, unit);
    if (value.months != 0) {
        const calendar_date date = calendar_date_of(moment.days);
        moment.days = calendar_days_of(calendar_add_months(date, value.months));
    }
    // The time of the interval in days and the rest, so that the sum of the two can't overflow.
    moment.days += value.days + value.nanos / CALENDAR_DAY_NANOS;
    moment.nanos += value.nanos % CALENDAR_DAY_NANOS;
    return calendar_timestamp_fits(moment, unit, out);
}

bool interval_between_fits(int64_t left, int64_t right, time_unit unit, interval_value *out) {
    const int64_t per_second = calendar_units_per_second(unit);
    const int64_t per_day = per_second * CALENDAR_DAY_SECONDS;
    const i128 difference = (i128)left - right;
    const int64_t nanos = (int64_t)(difference % per_day) * (NANOS_PER_SECOND / per_second);
    return parts_fit(0, (int64_t)(difference / per_day), nanos, out);
}

bool interval_age_fits(int64_t left, int64_t right, time_unit unit, interval_value *out) {
    const bool is_negative = left < right;
    const calendar_moment late = calendar_moment_of(is_negative ? right : left, unit);
    const calendar_moment early = calendar_moment_of(is_negative ? left : right, unit);
    const calendar_date late_date = calendar_date_of(late.days);
    const calendar_date early_date = calendar_date_of(early.days);
    int64_t nanos = late.nanos - early.nanos;
    int64_t days = late_date.day - early_date.day;
    int64_t months =
        (late_date.year - early_date.year) * YEAR_MONTHS + late_date.month - early_date.month;
    if (nanos < 0) {
        nanos += CALENDAR_DAY_NANOS;
        days -= 1;
    }
    if (days < 0) { // The days of the month that is not whole: that of the earlier date.
        days += calendar_month_days(early_date.year, early_date.month);
        months -= 1;
    }
    return is_negative ? parts_fit(-months, -days, -(i128)nanos, out)
                       : parts_fit(months, days, nanos, out);
}
