// Arithmetic of dates, times and intervals. The calendar is base's.
#include "base/interval.h"
#include "base/zone.h"
#include "expr/session_zone.h"
#include "functions/scalar/arithmetic_kernels.h"

static int64_t units_per_day(time_unit unit) {
    return CALENDAR_DAY_SECONDS * calendar_units_per_second(unit);
}

// TIME in seconds or milliseconds has 32 bits.
static int64_t load_time(const column *values, uint32_t lane) {
    return type_physical(values->type) == PHYSICAL_I32 ? COLUMN_VALUES(values, int32_t)[lane]
                                                       : COLUMN_VALUES(values, int64_t)[lane];
}

static void store_time(column *out, uint32_t row, int64_t value) {
    if (type_physical(out->type) == PHYSICAL_I32) {
        COLUMN_OUT(out, int32_t)[row] = (int32_t)value; // Below a day's milliseconds.
    } else {
        COLUMN_OUT(out, int64_t)[row] = value;
    }
}

// ---- Dates and days --------------------------------------------------------------------------

static uint32_t shift_date(function_call *call, const column *dates, const column *days,
                           bool is_minus, column *out) {
    const int32_t *from = dates->values;
    const int64_t *by = days->values;
    const uint32_t date_mask = column_mask(dates);
    const uint32_t day_mask = column_mask(days);
    FOR_ROWS(call, row) {
        const int64_t start = from[row & date_mask];
        int64_t day;
        if (is_minus ? __builtin_sub_overflow(start, by[row & day_mask], &day)
                     : __builtin_add_overflow(start, by[row & day_mask], &day)) {
            return ROW_VISIT(row);
        }
        if (day < INT32_MIN || day > INT32_MAX) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, int32_t)[row] = (int32_t)day;
    }
    return call->count;
}

uint32_t date_plus_days(function_call *call, const column *const *args, column *out) {
    return shift_date(call, args[0], args[1], false, out);
}

uint32_t days_plus_date(function_call *call, const column *const *args, column *out) {
    return shift_date(call, args[1], args[0], false, out);
}

uint32_t date_minus_days(function_call *call, const column *const *args, column *out) {
    return shift_date(call, args[0], args[1], true, out);
}

uint32_t date_minus_date(function_call *call, const column *const *args, column *out) {
    const int32_t *left = args[0]->values;
    const int32_t *right = args[1]->values;
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int64_t)
        [row] = (int64_t)left[row & column_mask(args[0])] - right[row & column_mask(args[1])];
    }
    return call->count;
}

// ---- Timestamps and intervals ------------------------------------------------------------------

// A DATE or TIMESTAMP in the unit of the result, an instant as it is.
static bool start_of(const column *values, uint32_t lane, time_unit unit, int64_t *out) {
    if (values->type->id == TYPE_DATE) {
        const int64_t days = COLUMN_VALUES(values, int32_t)[lane];
        return !__builtin_mul_overflow(days, units_per_day(unit), out);
    }
    *out = COLUMN_VALUES(values, int64_t)[lane];
    return true;
}

static uint32_t shift_timestamp(function_call *call, const column *starts, const column *intervals,
                                bool is_minus, column *out) {
    const type *result = call->result;
    const uint32_t start_mask = column_mask(starts);
    const uint32_t interval_mask = column_mask(intervals);
    zone_cursor cursor = session_zone_cursor(call->context);
    const bool is_instant = result->id == TYPE_TIMESTAMPTZ;
    FOR_ROWS(call, row) {
        interval_value by = COLUMN_VALUES(intervals, interval_value)[row & interval_mask];
        int64_t start;
        int64_t *to = &COLUMN_OUT(out, int64_t)[row];
        if ((is_minus && !interval_neg_fits(by, &by)) ||
            !start_of(starts, row & start_mask, result->unit, &start)) {
            return ROW_VISIT(row);
        }
        const bool fits = is_instant ? zone_add_interval_fits(&cursor, by, start, result->unit, to)
                                     : interval_add_to_timestamp_fits(by, start, result->unit, to);
        if (!fits) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

uint32_t timestamp_plus_interval(function_call *call, const column *const *args, column *out) {
    return shift_timestamp(call, args[0], args[1], false, out);
}

uint32_t interval_plus_timestamp(function_call *call, const column *const *args, column *out) {
    return shift_timestamp(call, args[1], args[0], false, out);
}

uint32_t timestamp_minus_interval(function_call *call, const column *const *args, column *out) {
    return shift_timestamp(call, args[0], args[1], true, out);
}

uint32_t date_plus_interval(function_call *call, const column *const *args, column *out) {
    return shift_timestamp(call, args[0], args[1], false, out);
}

uint32_t interval_plus_date(function_call *call, const column *const *args, column *out) {
    return shift_timestamp(call, args[1], args[0], false, out);
}

uint32_t date_minus_interval(function_call *call, const column *const *args, column *out) {
    return shift_timestamp(call, args[0], args[1], true, out);
}

uint32_t timestamp_minus_timestamp(function_call *call, const column *const *args, column *out) {
    const int64_t *left = args[0]->values;
    const int64_t *right = args[1]->values;
    FOR_ROWS(call, row) {
        if (!interval_between_fits(left[row & column_mask(args[0])],
                                   right[row & column_mask(args[1])], args[0]->type->unit,
                                   &COLUMN_OUT(out, interval_value)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static uint32_t join_date_and_time(function_call *call, const column *dates, const column *times,
                                   column *out) {
    const time_unit unit = call->result->unit;
    FOR_ROWS(call, row) {
        int64_t start;
        int64_t time;
        if (!start_of(dates, row & column_mask(dates), unit, &start) ||
            !calendar_rescale_fits(load_time(times, row & column_mask(times)), times->type->unit,
                                   unit, &time) ||
            __builtin_add_overflow(start, time, &COLUMN_OUT(out, int64_t)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

uint32_t date_plus_time(function_call *call, const column *const *args, column *out) {
    return join_date_and_time(call, args[0], args[1], out);
}

uint32_t time_plus_date(function_call *call, const column *const *args, column *out) {
    return join_date_and_time(call, args[1], args[0], out);
}

// ---- Times of the day --------------------------------------------------------------------------

// Only the time of an interval counts, and the clock goes round.
static uint32_t shift_time(function_call *call, const column *times, const column *intervals,
                           bool is_minus, column *out) {
    const time_unit unit = call->result->unit;
    FOR_ROWS(call, row) {
        const interval_value by =
            COLUMN_VALUES(intervals, interval_value)[row & column_mask(intervals)];
        const int64_t part = calendar_floor_mod(by.nanos, CALENDAR_DAY_NANOS);
        int64_t nanos = 0;
        (void)calendar_rescale_fits(load_time(times, row & column_mask(times)), times->type->unit,
                                    UNIT_NANO, &nanos);
        nanos = calendar_floor_mod(is_minus ? nanos - part : nanos + part, CALENDAR_DAY_NANOS);
        int64_t value = 0;
        (void)calendar_rescale_fits(nanos, UNIT_NANO, unit, &value);
        store_time(out, row, calendar_floor_mod(value, units_per_day(unit)));
    }
    return call->count;
}

uint32_t time_plus_interval(function_call *call, const column *const *args, column *out) {
    return shift_time(call, args[0], args[1], false, out);
}

uint32_t interval_plus_time(function_call *call, const column *const *args, column *out) {
    return shift_time(call, args[1], args[0], false, out);
}

uint32_t time_minus_interval(function_call *call, const column *const *args, column *out) {
    return shift_time(call, args[0], args[1], true, out);
}

uint32_t time_minus_time(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        const int64_t left = load_time(args[0], row & column_mask(args[0]));
        const int64_t right = load_time(args[1], row & column_mask(args[1]));
        int64_t nanos = 0;
        (void)calendar_rescale_fits(left - right, args[0]->type->unit, UNIT_NANO, &nanos);
        COLUMN_OUT(out, interval_value)[row] = (interval_value){.nanos = nanos};
    }
    return call->count;
}

// ---- Intervals -------------------------------------------------------------------------------

typedef bool (*interval_operation)(interval_value left, interval_value right, interval_value *out);

static uint32_t combine(function_call *call, const column *const *args,
                        interval_operation operation, column *out) {
    const interval_value *left = args[0]->values;
    const interval_value *right = args[1]->values;
    FOR_ROWS(call, row) {
        if (!operation(left[row & column_mask(args[0])], right[row & column_mask(args[1])],
                       &COLUMN_OUT(out, interval_value)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

uint32_t interval_plus_interval(function_call *call, const column *const *args, column *out) {
    return combine(call, args, interval_add_fits, out);
}

uint32_t interval_minus_interval(function_call *call, const column *const *args, column *out) {
    return combine(call, args, interval_sub_fits, out);
}

uint32_t interval_negate(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        if (!interval_neg_fits(COLUMN_VALUES(args[0], interval_value)[row & column_mask(args[0])],
                               &COLUMN_OUT(out, interval_value)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

typedef bool (*interval_scaling)(interval_value value, double factor, interval_value *out);

static uint32_t scale(function_call *call, const column *intervals, const column *numbers,
                      interval_scaling operation, column *out) {
    FOR_ROWS(call, row) {
        const interval_value value =
            COLUMN_VALUES(intervals, interval_value)[row & column_mask(intervals)];
        const double number = COLUMN_VALUES(numbers, double)[row & column_mask(numbers)];
        if (!operation(value, number, &COLUMN_OUT(out, interval_value)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

uint32_t interval_times_number(function_call *call, const column *const *args, column *out) {
    return scale(call, args[0], args[1], interval_multiply_fits, out);
}

uint32_t number_times_interval(function_call *call, const column *const *args, column *out) {
    return scale(call, args[1], args[0], interval_multiply_fits, out);
}

uint32_t interval_by_number(function_call *call, const column *const *args, column *out) {
    return scale(call, args[0], args[1], interval_divide_fits, out);
}
