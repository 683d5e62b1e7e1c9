// INTERVAL: months, days and nanoseconds apart, with PostgreSQL's arithmetic.
//
// The three parts don't mix until something says so: a month has 28 to 31 days when added to a
// date, 30 when compared; a day has 23 to 25 hours in some time zones, 24 when compared.
#ifndef FIRN_BASE_INTERVAL_H
#define FIRN_BASE_INTERVAL_H

#include "base/calendar.h"
#include "base/wide.h"

/// Months, days and nanoseconds apart, as Arrow's month_day_nano.
typedef struct interval_value {
    int32_t months;
    int32_t days;
    int64_t nanos;
} interval_value;

/// Nanoseconds with months of 30 days and days of 24 hours: what intervals are compared by. Equal
/// intervals have equal lengths.
i128 interval_length(interval_value value);

/// Negative, 0 or positive.
int interval_compare(interval_value left, interval_value right);

bool interval_add_fits(interval_value left, interval_value right, interval_value *out);
bool interval_sub_fits(interval_value left, interval_value right, interval_value *out);
bool interval_neg_fits(interval_value value, interval_value *out);

/// value * factor, value / divisor. A fraction of a month becomes days, that of a day becomes time,
/// which is rounded to microseconds unless `value` has finer time itself. False also for a factor
/// that is no number and a divisor of 0.
bool interval_multiply_fits(interval_value value, double factor, interval_value *out);
bool interval_divide_fits(interval_value value, double divisor, interval_value *out);

/// justify_hours: whole days of time become days. justify_days: 30 days become a month.
/// justify_interval: both, and all parts get the same sign.
bool interval_justify_hours_fits(interval_value value, interval_value *out);
bool interval_justify_days_fits(interval_value value, interval_value *out);
bool interval_justify_fits(interval_value value, interval_value *out);

/// Cuts away what is smaller than the field, toward zero. False if the field is not one of
/// NANOSECOND to MILLENNIUM; WEEK is none either, as months hold no whole weeks.
bool interval_truncate(calendar_field field, interval_value value, interval_value *out);

/// A field, as calendar_extract: years and months of the months, the days, hours to nanoseconds of
/// the time; all with their sign. False if intervals have no such field.
bool interval_extract(calendar_field field, interval_value value, int64_t *out);
/// The same with fractions; epoch counts years of 365.25 days and months of 30.
bool interval_extract_f64(calendar_field field, interval_value value, double *out);

// ---- With timestamps ---------------------------------------------------------------------------

/// Adds the months (to the last day of the month if there is no such day), then the days, then the
/// time; on a clock without jumps. base/zone.h has the one for time zones.
bool interval_add_to_timestamp_fits(interval_value value, int64_t timestamp, time_unit unit,
                                    int64_t *out);

/// left - right, in days and time.
bool interval_between_fits(int64_t left, int64_t right, time_unit unit, interval_value *out);

/// age(left, right): the years, months, days and time that lie between on the calendar.
bool interval_age_fits(int64_t left, int64_t right, time_unit unit, interval_value *out);

#endif
