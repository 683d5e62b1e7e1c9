// Dates and times cut to a field or counted in it: date_trunc, date_bin, date_diff, last_day; age.
#include "base/zone.h"
#include "expr/session_zone.h"
#include "functions/scalar/row_values.h"
#include "functions/scalar/zone_argument.h"

#define DAY_MICROS (CALENDAR_DAY_SECONDS * 1000000)

// ---- The field, a constant or not --------------------------------------------------------------

// Reads a constant field into the bound state; CALENDAR_FIELD_COUNT if it is none.
static firn_status bind_truncated(function_bind_call *call, firn_error *err) {
    calendar_field field = CALENDAR_FIELD_COUNT;
    text word;
    if (call->args != NULL && literal_text(call->args[0], &word) &&
        (!calendar_field_of(word, &field) || !calendar_field_is_truncated(field))) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                        "nothing is cut to \"%.*s\", but to microsecond, millisecond, second, "
                        "minute, hour, day, week, month, quarter, year, decade, century, "
                        "millennium",
                        TEXT_ARGS(word));
    }
    uint32_t *bound = ARENA_NEW(call->memory, uint32_t, 1);
    if (bound == NULL) {
        return ARENA_FULL(call->memory, err);
    }
    *bound = field;
    call->bound = bound;
    call->bound_size = sizeof *bound;
    return FIRN_OK;
}

static calendar_field bound_field(const function_call *call) {
    uint32_t field;
    memcpy(&field, call->bound, sizeof field);
    return (calendar_field)field;
}

static bool field_of_row(calendar_field known, const column *words, uint32_t row,
                         calendar_field *out) {
    *out = known;
    return known != CALENDAR_FIELD_COUNT ||
           (calendar_field_of(text_at(text_rows_of(words), row), out) &&
            calendar_field_is_truncated(*out));
}

// ---- date_trunc ------------------------------------------------------------------------------

static uint32_t truncate_dates(function_call *call, const column *const *args, column *out) {
    const calendar_field known = bound_field(call);
    const i32_rows days = i32_rows_of(args[1]);
    FOR_ROWS(call, row) {
        calendar_field field;
        if (!field_of_row(known, args[0], row, &field) ||
            __builtin_mul_overflow(calendar_truncate_days(field, i32_at(days, row)), DAY_MICROS,
                                   &COLUMN_OUT(out, int64_t)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static uint32_t truncate_timestamps(function_call *call, const column *const *args, column *out) {
    const calendar_field known = bound_field(call);
    const i64_rows values = i64_rows_of(args[1]);
    const time_unit unit = args[1]->type->unit;
    FOR_ROWS(call, row) {
        calendar_field field;
        if (!field_of_row(known, args[0], row, &field) ||
            !calendar_truncate_fits(field, i64_at(values, row), unit,
                                    &COLUMN_OUT(out, int64_t)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static uint32_t truncate_instants(function_call *call, const column *const *args, column *out) {
    const calendar_field known = bound_field(call);
    const i64_rows values = i64_rows_of(args[1]);
    const time_unit unit = args[1]->type->unit;
    zone_cursor cursor = session_zone_cursor(call->context);
    FOR_ROWS(call, row) {
        calendar_field field;
        if (!field_of_row(known, args[0], row, &field) ||
            !zone_truncate_fits(&cursor, field, i64_at(values, row), unit,
                                &COLUMN_OUT(out, int64_t)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

// On the clocks of a zone that an argument names.
static uint32_t truncate_in_zone(function_call *call, const column *const *args, column *out) {
    const calendar_field known = bound_field(call);
    const i64_rows values = i64_rows_of(args[1]);
    const text_rows names = text_rows_of(args[2]);
    const time_unit unit = args[1]->type->unit;
    FOR_ROWS(call, row) {
        calendar_field field;
        zone_cursor *cursor = zone_memo_find(call->local, text_at(names, row));
        if (cursor == NULL && ((zone_memo *)call->local)->is_refused) {
            return KERNEL_NO_MEMORY;
        }
        if (cursor == NULL || !field_of_row(known, args[0], row, &field) ||
            !zone_truncate_fits(cursor, field, i64_at(values, row), unit,
                                &COLUMN_OUT(out, int64_t)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static uint32_t truncate_intervals(function_call *call, const column *const *args, column *out) {
    const calendar_field known = bound_field(call);
    const interval_rows values = interval_rows_of(args[1]);
    FOR_ROWS(call, row) {
        calendar_field field;
        if (!field_of_row(known, args[0], row, &field) ||
            !interval_truncate(field, interval_at(values, row),
                               &COLUMN_OUT(out, interval_value)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static void explain_truncation(const function_call *call, const column *const *args, uint32_t row,
                               firn_error *err) {
    const text word = text_at(text_rows_of(args[0]), row);
    calendar_field field;
    if (!field_of_row(CALENDAR_FIELD_COUNT, args[0], row, &field)) {
        err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION, "nothing is cut to \"%.*s\"",
                    TEXT_ARGS(word));
        return;
    }
    if (call->arg_count == 3) {
        const text name = text_at(text_rows_of(args[2]), row);
        if (zone_memo_find(call->local, name) == NULL) {
            zone_memo_say_missing(name, call->scratch, err);
            return;
        }
    }
    if (args[1]->type->id == TYPE_INTERVAL) {
        err_set_sql(err, FIRN_INVALID, "0A000", NO_POSITION,
                    "an interval is not cut to \"%.*s\", months hold no whole weeks",
                    TEXT_ARGS(word));
        return;
    }
    err_set_sql(err, FIRN_INVALID, "22008", NO_POSITION, "the result is out of range for %.*s",
                TEXT_ARGS(type_text(call->result, call->scratch)));
}

const scalar_function function_date_trunc = {
    .name = "date_trunc",
    .aliases = "datetrunc",
    .category = "datetime",
    .summary = "the start of the field in which a date or time lies; weeks start on Monday",
    .examples = (const char *const[]){"date_trunc('month', DATE '1995-03-15')",
                                      "1995-03-01 00:00:00",
                                      "date_trunc('hour', TIMESTAMP '2020-01-01 10:20:30')",
                                      "2020-01-01 10:00:00",
                                      "date_trunc('week', TIMESTAMP '2021-01-03 10:00:00')",
                                      "2020-12-28 00:00:00",
                                      "date_trunc('quarter', DATE '2020-08-20')",
                                      "2020-07-01 00:00:00",
                                      "date_trunc('day', TIMESTAMPTZ '2020-01-01 23:00:00+02')",
                                      "2020-01-01 00:00:00+00",
                                      "date_trunc('day', TIMESTAMPTZ '2020-01-01 23:00Z', 'CET')",
                                      "2020-01-01 23:00:00+00",
                                      "date_trunc('day', TIMESTAMPTZ '2020-01-01', 'Nowhere')",
                                      "error: there is no time zone",
                                      "date_trunc('century', DATE '2000-01-01')",
                                      "1901-01-01 00:00:00",
                                      "date_trunc('hour', INTERVAL '2 days 03:04:05')",
                                      "2 days 03:00:00",
                                      "date_trunc('day', NULL::DATE)",
                                      "NULL",
                                      "date_trunc('dow', DATE '2020-01-01')",
                                      "error: nothing is cut to",
                                      "date_trunc('day', 5)",
                                      "error: no \"date_trunc\" takes",
                                      NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "TIMESTAMP <- VARCHAR, DATE",
             .kernel = truncate_dates,
             .bind = bind_truncated},
            {.signature = "TIMESTAMP(u) <- VARCHAR, TIMESTAMP(u)",
             .kernel = truncate_timestamps,
             .bind = bind_truncated},
            {.signature = "TIMESTAMPTZ(u) <- VARCHAR, TIMESTAMPTZ(u)",
             .kernel = truncate_instants,
             .bind = bind_truncated,
             .flags_set = FUNCTION_STABLE},
            {.signature = "TIMESTAMPTZ(u) <- VARCHAR, TIMESTAMPTZ(u), VARCHAR",
             .kernel = truncate_in_zone,
             .bind = bind_truncated},
            {.signature = "INTERVAL <- VARCHAR, INTERVAL",
             .kernel = truncate_intervals,
             .bind = bind_truncated},
            {0},
        },
    .open = zone_argument_open,
    .explain_failure = explain_truncation,
};

// ---- date_bin --------------------------------------------------------------------------------

// Nanoseconds of the days and time of a stride; 0 if it has months or is not above zero.
static i128 stride_nanos(interval_value stride) {
    const i128 nanos = (i128)stride.days * CALENDAR_DAY_NANOS + stride.nanos;
    return stride.months != 0 || nanos < 0 ? 0 : nanos;
}

static bool bin(interval_value stride, int64_t value, int64_t origin, time_unit unit,
                int64_t *out) {
    const i128 per_unit = 1000000000 / calendar_units_per_second(unit);
    const i128 nanos = stride_nanos(stride);
    const i128 step = nanos / per_unit;
    if (step == 0) {
        return false;
    }
    const i128 distance = (i128)value - origin;
    const i128 rest = distance % step < 0 ? distance % step + step : distance % step;
    const i128 start = value - rest;
    *out = (int64_t)(start < INT64_MIN ? 0 : start);
    return start >= INT64_MIN;
}

static uint32_t date_bin(function_call *call, const column *const *args, column *out) {
    const interval_rows strides = interval_rows_of(args[0]);
    const i64_rows values = i64_rows_of(args[1]);
    const bool has_origin = call->arg_count == 3;
    const i64_rows origins = i64_rows_of(args[has_origin ? 2 : 1]);
    const time_unit unit = call->result->unit;
    FOR_ROWS(call, row) {
        if (!bin(interval_at(strides, row), i64_at(values, row),
                 has_origin ? i64_at(origins, row) : 0, unit, &COLUMN_OUT(out, int64_t)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static void explain_bin(const function_call *call, const column *const *args, uint32_t row,
                        firn_error *err) {
    (void)call;
    if (stride_nanos(interval_at(interval_rows_of(args[0]), row)) == 0) {
        err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION,
                    "a stride must be above zero and without months or years");
        return;
    }
    err_set_sql(err, FIRN_INVALID, "22008", NO_POSITION, "the start is out of range");
}

const scalar_function function_date_bin = {
    .name = "date_bin",
    .category = "datetime",
    .summary = "the start of the stretch of a stride's length, counted from an origin (1970 if it "
               "is left out), in which a timestamp lies",
    .examples =
        (const char *const[]){
            "date_bin(INTERVAL '15 minutes', TIMESTAMP '2020-02-11 15:44', TIMESTAMP '2001-01-01')",
            "2020-02-11 15:30:00", "date_bin(INTERVAL '1 day', TIMESTAMP '1969-12-31 12:00:00')",
            "1969-12-31 00:00:00", "date_bin(INTERVAL '1 hour', NULL::TIMESTAMP)", "NULL",
            "date_bin(INTERVAL '1 month', TIMESTAMP '2020-01-01')",
            "error: a stride must be above zero and without months", "date_bin(1, 2)",
            "error: no \"date_bin\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){
            {.signature = "TIMESTAMP(u) <- INTERVAL, TIMESTAMP(u)", .kernel = date_bin},
            {.signature = "TIMESTAMP(u) <- INTERVAL, TIMESTAMP(u), TIMESTAMP(u)",
             .kernel = date_bin},
            {.signature = "TIMESTAMPTZ(u) <- INTERVAL, TIMESTAMPTZ(u)", .kernel = date_bin},
            {.signature = "TIMESTAMPTZ(u) <- INTERVAL, TIMESTAMPTZ(u), TIMESTAMPTZ(u)",
             .kernel = date_bin},
            {0},
        },
    .explain_failure = explain_bin,
};

// ---- date_diff -------------------------------------------------------------------------------

// Which one of a field's stretches a moment lies in, counted from some stretch.
static int64_t count_of(calendar_field field, calendar_moment moment) {
    const calendar_date date = calendar_date_of(moment.days);
    const int64_t months = date.year * 12 + date.month - 1;
    switch ((int)field) {
    case CALENDAR_MICROSECOND:
        return moment.days * DAY_MICROS + moment.nanos / 1000;
    case CALENDAR_MILLISECOND:
        return moment.days * (CALENDAR_DAY_SECONDS * 1000) + moment.nanos / 1000000;
    case CALENDAR_SECOND:
        return moment.days * CALENDAR_DAY_SECONDS + moment.nanos / 1000000000;
    case CALENDAR_MINUTE:
        return moment.days * 1440 + moment.nanos / INT64_C(60000000000);
    case CALENDAR_HOUR:
        return moment.days * 24 + moment.nanos / INT64_C(3600000000000);
    case CALENDAR_WEEK:
        return calendar_floor_div(moment.days + 3, 7); // 1970-01-01 was a Thursday.
    case CALENDAR_MONTH:
        return months;
    case CALENDAR_QUARTER:
        return calendar_floor_div(months, 3);
    case CALENDAR_YEAR:
        return date.year;
    case CALENDAR_DECADE:
        return calendar_floor_div(date.year, 10);
    case CALENDAR_CENTURY:
        return calendar_floor_div(date.year - 1, 100);
    case CALENDAR_MILLENNIUM:
        return calendar_floor_div(date.year - 1, 1000);
    default:
        return moment.days;
    }
}

static calendar_moment moment_at(const column *values, uint32_t row) {
    const uint32_t lane = row & column_mask(values);
    if (values->type->id == TYPE_DATE) {
        return (calendar_moment){.days = COLUMN_VALUES(values, int32_t)[lane]};
    }
    return calendar_moment_of(COLUMN_VALUES(values, int64_t)[lane], values->type->unit);
}

static uint32_t date_diff(function_call *call, const column *const *args, column *out) {
    const calendar_field known = bound_field(call);
    FOR_ROWS(call, row) {
        calendar_field field;
        if (!field_of_row(known, args[0], row, &field) || field == CALENDAR_NANOSECOND) {
            return ROW_VISIT(row);
        }
        const calendar_moment from = moment_at(args[1], row);
        const calendar_moment to = moment_at(args[2], row);
        // Micros of days beyond the years of any TIMESTAMP.
        if (field <= CALENDAR_MILLISECOND && args[1]->type->id == TYPE_DATE &&
            (from.days < -100000000 || from.days > 100000000 || to.days < -100000000 ||
             to.days > 100000000)) {
            return ROW_VISIT(row);
        }
        if (__builtin_sub_overflow(count_of(field, to), count_of(field, from),
                                   &COLUMN_OUT(out, int64_t)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

const scalar_function function_date_diff = {
    .name = "date_diff",
    .aliases = "datediff",
    .category = "datetime",
    .summary = "how many borders of a field lie between two dates or times: date_diff('day', from, "
               "to)",
    .examples =
        (const char *const[]){
            "date_diff('day', DATE '2020-02-28', DATE '2020-03-01')", "2",
            "date_diff('year', DATE '2019-12-31', DATE '2020-01-01')", "1",
            "date_diff('hour', '2020-01-01 10:59'::TIMESTAMP, '2020-01-01 09:01')", "-1",
            "date_diff('week', DATE '2020-01-05', DATE '2020-01-06')", "1",
            "date_diff('month', NULL::DATE, DATE '2020-01-01')", "NULL",
            "date_diff('dow', DATE '2020-01-01', DATE '2020-01-01')",
            "error: ", "date_diff('day', 1, 2)", "error: no \"date_diff\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){
            {.signature = "BIGINT <- VARCHAR, DATE, DATE",
             .kernel = date_diff,
             .bind = bind_truncated},
            {.signature = "BIGINT <- VARCHAR, TIMESTAMP(u), TIMESTAMP(u)",
             .kernel = date_diff,
             .bind = bind_truncated},
            {.signature = "BIGINT <- VARCHAR, TIMESTAMPTZ(u), TIMESTAMPTZ(u)",
             .kernel = date_diff,
             .bind = bind_truncated},
            {0},
        },
};

// ---- last_day, age -----------------------------------------------------------------------------

static uint32_t last_day(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        calendar_date date = calendar_date_of(moment_at(args[0], row).days);
        date.day = calendar_month_days(date.year, date.month);
        const int64_t days = calendar_days_of(date);
        if (days > INT32_MAX || days < INT32_MIN) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, int32_t)[row] = (int32_t)days;
    }
    return call->count;
}

static void explain_range(const function_call *call, const column *const *args, uint32_t row,
                          firn_error *err) {
    (void)args;
    (void)row;
    err_set_sql(err, FIRN_INVALID, "22008", NO_POSITION, "the result is out of range for %.*s",
                TEXT_ARGS(type_text(call->result, call->scratch)));
}

const scalar_function function_last_day = {
    .name = "last_day",
    .category = "datetime",
    .summary = "the last day of the month",
    .examples =
        (const char *const[]){"last_day(DATE '2020-02-10')", "2020-02-29",
                              "last_day(TIMESTAMP '2021-02-10 10:00:00')", "2021-02-28",
                              "last_day(DATE '2020-12-31')", "2020-12-31", "last_day(NULL::DATE)",
                              "NULL", "last_day(1)", "error: no \"last_day\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_MONOTONE | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "DATE <- DATE", .kernel = last_day},
            {.signature = "DATE <- TIMESTAMP(u)", .kernel = last_day},
            {0},
        },
    .explain_failure = explain_range,
};

static uint32_t age(function_call *call, const column *const *args, column *out) {
    const i64_rows lefts = i64_rows_of(args[0]);
    const i64_rows rights = i64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        if (!interval_age_fits(i64_at(lefts, row), i64_at(rights, row), args[0]->type->unit,
                               &COLUMN_OUT(out, interval_value)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

// Instants count by the session's clock: a day is one although it has 25 hours.
static uint32_t age_of_instants(function_call *call, const column *const *args, column *out) {
    const i64_rows lefts = i64_rows_of(args[0]);
    const i64_rows rights = i64_rows_of(args[1]);
    const time_unit unit = args[0]->type->unit;
    zone_cursor left_cursor = session_zone_cursor(call->context);
    zone_cursor right_cursor = left_cursor;
    FOR_ROWS(call, row) {
        int64_t left;
        int64_t right;
        if (!zone_to_local_fits(&left_cursor, i64_at(lefts, row), unit, &left) ||
            !zone_to_local_fits(&right_cursor, i64_at(rights, row), unit, &right) ||
            !interval_age_fits(left, right, unit, &COLUMN_OUT(out, interval_value)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

// Midnight of today on the session's clock.
static int64_t midnight(const function_call *call, time_unit unit) {
    zone_cursor cursor = session_zone_cursor(call->context);
    const int64_t now = call->context == NULL ? 0 : call->context->now_us;
    const int64_t seconds = calendar_floor_div(now, 1000000);
    const int64_t days =
        calendar_floor_div(seconds + zone_offset_of_utc(&cursor, seconds), CALENDAR_DAY_SECONDS);
    return days * CALENDAR_DAY_SECONDS * calendar_units_per_second(unit);
}

static uint32_t age_of_today(function_call *call, const column *const *args, column *out) {
    const i64_rows values = i64_rows_of(args[0]);
    const time_unit unit = args[0]->type->unit;
    const int64_t today = midnight(call, unit);
    FOR_ROWS(call, row) {
        if (!interval_age_fits(today, i64_at(values, row), unit,
                               &COLUMN_OUT(out, interval_value)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

const scalar_function function_age = {
    .name = "age",
    .category = "datetime",
    .summary = "the years, months, days and time between two timestamps; from one to today's start",
    .examples =
        (const char *const[]){
            "age(TIMESTAMP '2001-04-10', TIMESTAMP '1957-06-13')", "43 years 9 mons 27 days",
            "age(DATE '2020-03-01', DATE '2020-02-28')", "2 days",
            "age(TIMESTAMPTZ '2020-02-01', TIMESTAMPTZ '2020-01-01')", "1 mon",
            "age(DATE '2020-01-01', DATE '2020-01-01')", "00:00:00", "age(current_date)",
            "00:00:00", "age(NULL::DATE)", "NULL", "age(1)", "error: no \"age\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){
            {.signature = "INTERVAL <- TIMESTAMP(u), TIMESTAMP(u)", .kernel = age},
            {.signature = "INTERVAL <- TIMESTAMPTZ(u), TIMESTAMPTZ(u)",
             .kernel = age_of_instants,
             .flags_set = FUNCTION_STABLE},
            {.signature = "INTERVAL <- TIMESTAMP(u)",
             .kernel = age_of_today,
             .flags_set = FUNCTION_STABLE},
            {0},
        },
    .explain_failure = explain_range,
};
