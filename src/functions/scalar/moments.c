// Moments: now and today, dates and times made of numbers, time zones, OVERLAPS.
#include <math.h>

#include "base/zone.h"
#include "expr/session_zone.h"
#include "functions/scalar/row_values.h"
#include "functions/scalar/zone_argument.h"

#define DAY_MICROS (CALENDAR_DAY_SECONDS * 1000000)

// ---- Now -------------------------------------------------------------------------------------

static int64_t now_micros(const function_call *call) {
    return call->context == NULL ? 0 : call->context->now_us;
}

static int64_t local_micros(const function_call *call) {
    zone_cursor cursor = session_zone_cursor(call->context);
    int64_t local = now_micros(call);
    (void)zone_to_local_fits(&cursor, local, UNIT_MICRO, &local); // The clock is far from the ends.
    return local;
}

static uint32_t fill_i64(function_call *call, int64_t value, column *out) {
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int64_t)[row] = value;
    }
    return call->count;
}

// CURRENT_TIMESTAMP(digits): rounded to that many behind the second.
static uint32_t fill_rounded(function_call *call, const column *const *args, int64_t value,
                             column *out) {
    const i64_rows digits = i64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        const int64_t count = i64_at(digits, row);
        int64_t factor = 1;
        for (int64_t i = count < 0 ? 0 : count; i < 6; i++) {
            factor *= 10;
        }
        COLUMN_OUT(out, int64_t)[row] = calendar_floor_div(value + factor / 2, factor) * factor;
    }
    return call->count;
}

static uint32_t now(function_call *call, const column *const *args, column *out) {
    return call->arg_count == 0 ? fill_i64(call, now_micros(call), out)
                                : fill_rounded(call, args, now_micros(call), out);
}

static uint32_t local_now(function_call *call, const column *const *args, column *out) {
    return call->arg_count == 0 ? fill_i64(call, local_micros(call), out)
                                : fill_rounded(call, args, local_micros(call), out);
}

static uint32_t time_now(function_call *call, const column *const *args, column *out) {
    const int64_t time = calendar_floor_mod(local_micros(call), DAY_MICROS);
    return call->arg_count == 0 ? fill_i64(call, time, out) : fill_rounded(call, args, time, out);
}

static uint32_t today(function_call *call, const column *const *args, column *out) {
    (void)args;
    const int64_t days = calendar_floor_div(local_micros(call), DAY_MICROS);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int32_t)[row] = (int32_t)days;
    }
    return call->count;
}

const scalar_function function_now = {
    .name = "now",
    .aliases = "current_timestamp transaction_timestamp statement_timestamp get_current_timestamp",
    .category = "datetime",
    .summary = "when the statement started: the same in all of it",
    .examples = (const char *const[]){"now() = current_timestamp", "true",
                                      "now() > TIMESTAMPTZ '2020-01-01'", "true",
                                      "now(0) = date_trunc('second', now(0))", "true",
                                      "typeof(now())", "TIMESTAMP WITH TIME ZONE",
                                      "now('x'::VARCHAR)", "error: no \"now\" takes", NULL},
    .flags = FUNCTION_STABLE,
    .overloads =
        (const overload[]){
            {.signature = "TIMESTAMPTZ <-", .kernel = now},
            {.signature = "TIMESTAMPTZ <- BIGINT",
             .kernel = now,
             .flags_set = FUNCTION_NULL_STRICT},
            {0},
        },
};

const scalar_function function_localtimestamp = {
    .name = "localtimestamp",
    .category = "datetime",
    .summary = "when the statement started, on the session's clock",
    .examples =
        (const char *const[]){"localtimestamp = now()::TIMESTAMP", "true", "typeof(localtimestamp)",
                              "TIMESTAMP", "localtimestamp('x'::VARCHAR)", "error: ", NULL},
    .flags = FUNCTION_STABLE,
    .overloads =
        (const overload[]){
            {.signature = "TIMESTAMP <-", .kernel = local_now},
            {.signature = "TIMESTAMP <- BIGINT",
             .kernel = local_now,
             .flags_set = FUNCTION_NULL_STRICT},
            {0},
        },
};

const scalar_function function_current_date = {
    .name = "current_date",
    .aliases = "today",
    .category = "datetime",
    .summary = "the date on which the statement started, on the session's clock",
    .examples =
        (const char *const[]){"current_date = now()::DATE", "true",
                              "current_date > DATE '2020-01-01'", "true", "typeof(current_date)",
                              "DATE", "today(1)", "error: no \"current_date\" takes", NULL},
    .flags = FUNCTION_STABLE,
    .overloads = (const overload[]){{.signature = "DATE <-", .kernel = today}, {0}},
};

const scalar_function function_current_time = {
    .name = "current_time",
    .aliases = "localtime get_current_time",
    .category = "datetime",
    .summary = "the time of the day at which the statement started, on the session's clock",
    .examples =
        (const char *const[]){"current_time = localtimestamp::TIME", "true", "typeof(current_time)",
                              "TIME", "current_time(6) = localtime(6)", "true", NULL},
    .flags = FUNCTION_STABLE,
    .overloads =
        (const overload[]){
            {.signature = "TIME <-", .kernel = time_now},
            {.signature = "TIME <- BIGINT", .kernel = time_now, .flags_set = FUNCTION_NULL_STRICT},
            {0},
        },
};

// ---- Made of numbers ---------------------------------------------------------------------------

static bool days_of_fields(int64_t year, int64_t month, int64_t day, int64_t *out) {
    if (year < -5000000 || year > 5000000 || year == 0 || month < 1 || month > 12 || day < 1 ||
        day > 31) {
        return false;
    }
    const calendar_date date = {.year = year < 0 ? year + 1 : year, // -1 is 1 BC.
                                .month = (int32_t)month,
                                .day = (int32_t)day};
    *out = calendar_date_exists(date) ? calendar_days_of(date) : 0;
    return calendar_date_exists(date);
}

static bool micros_of_fields(int64_t hour, int64_t minute, double second, int64_t *out) {
    if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || !(second >= 0) || second > 60) {
        return false;
    }
    *out = (hour * 3600 + minute * 60) * 1000000 + (int64_t)rint(second * 1e6);
    return *out <= DAY_MICROS;
}

static uint32_t make_date(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        int64_t days;
        if (!days_of_fields(i64_at(i64_rows_of(args[0]), row), i64_at(i64_rows_of(args[1]), row),
                            i64_at(i64_rows_of(args[2]), row), &days) ||
            days < INT32_MIN || days > INT32_MAX) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, int32_t)[row] = (int32_t)days;
    }
    return call->count;
}

static uint32_t make_time(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        if (!micros_of_fields(i64_at(i64_rows_of(args[0]), row), i64_at(i64_rows_of(args[1]), row),
                              f64_at(f64_rows_of(args[2]), row), &COLUMN_OUT(out, int64_t)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static uint32_t make_timestamp(function_call *call, const column *const *args, column *out) {
    zone_cursor cursor = session_zone_cursor(call->context);
    FOR_ROWS(call, row) {
        int64_t days;
        int64_t micros;
        int64_t *result = &COLUMN_OUT(out, int64_t)[row];
        if (!days_of_fields(i64_at(i64_rows_of(args[0]), row), i64_at(i64_rows_of(args[1]), row),
                            i64_at(i64_rows_of(args[2]), row), &days) ||
            !micros_of_fields(i64_at(i64_rows_of(args[3]), row), i64_at(i64_rows_of(args[4]), row),
                              f64_at(f64_rows_of(args[5]), row), &micros) ||
            __builtin_mul_overflow(days, DAY_MICROS, result) ||
            __builtin_add_overflow(*result, micros, result)) {
            return ROW_VISIT(row);
        }
        if (call->result->id == TYPE_TIMESTAMPTZ &&
            !zone_to_utc_fits(&cursor, *result, UNIT_MICRO, result)) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static void explain_fields(const function_call *call, const column *const *args, uint32_t row,
                           firn_error *err) {
    text_builder fields = text_builder_open(call->scratch);
    for (uint32_t i = 0; i < call->arg_count; i++) {
        text_append(&fields, i == 0 ? TEXT("") : TEXT(", "));
        column_print_row(args[i], row & column_mask(args[i]), &fields);
    }
    text shown = TEXT("?");
    firn_error ignored = ERR_INIT;
    (void)(text_builder_finish(&fields, &shown, &ignored) == FIRN_OK);
    err_set_sql(err, FIRN_INVALID, "22008", NO_POSITION, "there is no %.*s of %.*s",
                TEXT_ARGS(type_text(call->result, call->scratch)), TEXT_ARGS(shown));
}

#define MAKE_FLAGS (FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL)

const scalar_function function_make_date = {
    .name = "make_date",
    .category = "datetime",
    .summary = "the date of a year, month and day",
    .examples =
        (const char *const[]){
            "make_date(2020, 2, 29)", "2020-02-29", "make_date(-44, 3, 15)", "0044-03-15 BC",
            "make_date(1, 1, 1)", "0001-01-01", "make_date(2020, NULL, 1)", "NULL",
            "make_date(2021, 2, 29)", "error: there is no DATE of 2021, 2, 29",
            "make_date('a'::VARCHAR, 1, 1)", "error: no \"make_date\" takes", NULL},
    .flags = MAKE_FLAGS,
    .overloads =
        (const overload[]){{.signature = "DATE <- BIGINT, BIGINT, BIGINT", .kernel = make_date},
                           {0}},
    .explain_failure = explain_fields,
};

const scalar_function function_make_time = {
    .name = "make_time",
    .category = "datetime",
    .summary = "the time of an hour, minute and second",
    .examples = (const char *const[]){"make_time(8, 15, 23.5)", "08:15:23.5", "make_time(0, 0, 0)",
                                      "00:00:00", "make_time(24, 0, 0)", "24:00:00",
                                      "make_time(1, NULL, 0)", "NULL", "make_time(24, 0, 1)",
                                      "error: there is no TIME of 24, 0", "make_time(true, 1, 1)",
                                      "error: no \"make_time\" takes", NULL},
    .flags = MAKE_FLAGS,
    .overloads =
        (const overload[]){{.signature = "TIME <- BIGINT, BIGINT, DOUBLE", .kernel = make_time},
                           {0}},
    .explain_failure = explain_fields,
};

static uint32_t micros_kernel(function_call *call, const column *const *args, column *out) {
    const i64_rows values = i64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int64_t)[row] = i64_at(values, row);
    }
    return call->count;
}

const scalar_function function_make_timestamp = {
    .name = "make_timestamp",
    .category = "datetime",
    .summary = "the timestamp of a year, month, day, hour, minute and second; or of microseconds "
               "since 1970",
    .examples =
        (const char *const[]){"make_timestamp(2013, 7, 15, 8, 15, 23.5)", "2013-07-15 08:15:23.5",
                              "make_timestamp(1000000)", "1970-01-01 00:00:01",
                              "make_timestamp(2020, 12, 31, 24, 0, 0)", "2021-01-01 00:00:00",
                              "make_timestamp(2020, 1, 1, NULL, 0, 0)", "NULL",
                              "make_timestamp(2020, 13, 1, 0, 0, 0)",
                              "error: there is no TIMESTAMP of 2020, 13", "make_timestamp(true)",
                              "error: no \"make_timestamp\" takes", NULL},
    .flags = MAKE_FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "TIMESTAMP <- BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, DOUBLE",
             .kernel = make_timestamp},
            {.signature = "TIMESTAMP <- BIGINT",
             .kernel = micros_kernel,
             .flags_cleared = FUNCTION_CAN_FAIL},
            {0},
        },
    .explain_failure = explain_fields,
};

const scalar_function function_make_timestamptz = {
    .name = "make_timestamptz",
    .category = "datetime",
    .summary = "the instant at which the session's clock shows a year, month, day, hour, minute "
               "and second",
    .examples =
        (const char *const[]){"make_timestamptz(2013, 7, 15, 8, 15, 23.5)",
                              "2013-07-15 08:15:23.5+00",
                              "make_timestamptz(2020, 1, 1, NULL, 0, 0)", "NULL",
                              "make_timestamptz(2020, 13, 1, 0, 0, 0)", "error: there is no", NULL},
    .flags = MAKE_FLAGS | FUNCTION_STABLE,
    .overloads =
        (const overload[]){
            {.signature = "TIMESTAMPTZ <- BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, DOUBLE",
             .kernel = make_timestamp},
            {0},
        },
    .explain_failure = explain_fields,
};

// ---- Units since 1970 --------------------------------------------------------------------------

static uint32_t since_1970(function_call *call, const column *arg, time_unit to, column *out) {
    FOR_ROWS(call, row) {
        const uint32_t lane = row & column_mask(arg);
        int64_t *result = &COLUMN_OUT(out, int64_t)[row];
        if (arg->type->id == TYPE_DATE
                ? __builtin_mul_overflow((int64_t)COLUMN_VALUES(arg, int32_t)[lane],
                                         CALENDAR_DAY_SECONDS * calendar_units_per_second(to),
                                         result)
                : !calendar_rescale_fits(COLUMN_VALUES(arg, int64_t)[lane], arg->type->unit, to,
                                         result)) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static uint32_t from_millis(function_call *call, const column *const *args, column *out) {
    const i64_rows values = i64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        if (!calendar_rescale_fits(i64_at(values, row), UNIT_MILLI, UNIT_MICRO,
                                   &COLUMN_OUT(out, int64_t)[row])) {
            return ROW_VISIT(row);
        }
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

#define SINCE(word, UNIT, summary_, extra, ...)                                                    \
    static uint32_t word##_kernel(function_call *call, const column *const *args, column *out) {   \
        return since_1970(call, args[0], UNIT, out);                                               \
    }                                                                                              \
    const scalar_function function_##word = {                                                      \
        .name = #word,                                                                             \
        .category = "datetime",                                                                    \
        .summary = summary_,                                                                       \
        .examples = (const char *const[]){__VA_ARGS__, NULL},                                      \
        .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,                   \
        .overloads =                                                                               \
            (const overload[]){                                                                    \
                {.signature = "BIGINT <- DATE", .kernel = word##_kernel},                          \
                {.signature = "BIGINT <- TIMESTAMP(u)", .kernel = word##_kernel},                  \
                {.signature = "BIGINT <- TIMESTAMPTZ(u)", .kernel = word##_kernel},                \
                extra,                                                                             \
                {0},                                                                               \
            },                                                                                     \
        .explain_failure = explain_range,                                                          \
    };
#define NO_MORE {0}
#define FROM_MILLIS {.signature = "TIMESTAMP <- BIGINT", .kernel = from_millis}

SINCE(epoch_ms, UNIT_MILLI, "milliseconds since 1970; of a number the timestamp", FROM_MILLIS,
      "epoch_ms(TIMESTAMP '1970-01-01 00:00:01.5')", "1500", "epoch_ms(1500)",
      "1970-01-01 00:00:01.5", "epoch_ms(DATE '1969-12-31')", "-86400000", "epoch_ms(NULL::DATE)",
      "NULL", "epoch_ms(9223372036854775807)", "error: out of range", "epoch_ms(true)",
      "error: no \"epoch_ms\" takes")
SINCE(epoch_us, UNIT_MICRO, "microseconds since 1970", NO_MORE,
      "epoch_us(TIMESTAMP '1970-01-01 00:00:01.5')", "1500000", "epoch_us(DATE '1970-01-02')",
      "86400000000", "epoch_us(NULL::DATE)", "NULL", "epoch_us(true)",
      "error: no \"epoch_us\" takes")
SINCE(epoch_ns, UNIT_NANO, "nanoseconds since 1970", NO_MORE,
      "epoch_ns(TIMESTAMP '1970-01-01 00:00:01.5')", "1500000000", "epoch_ns(NULL::DATE)", "NULL",
      "epoch_ns(TIMESTAMP '9999-01-01')", "error: out of range", "epoch_ns(true)",
      "error: no \"epoch_ns\" takes")

// ---- timezone ----------------------------------------------------------------------------------

static uint32_t timezone_kernel(function_call *call, const column *const *args, column *out) {
    const text_rows names = text_rows_of(args[0]);
    const i64_rows values = i64_rows_of(args[1]);
    const time_unit unit = args[1]->type->unit;
    const bool is_local = args[1]->type->id == TYPE_TIMESTAMP;
    FOR_ROWS(call, row) {
        zone_cursor *cursor = zone_memo_find(call->local, text_at(names, row));
        int64_t *result = &COLUMN_OUT(out, int64_t)[row];
        if (cursor == NULL && ((zone_memo *)call->local)->is_refused) {
            return KERNEL_NO_MEMORY;
        }
        if (cursor == NULL ||
            !(is_local ? zone_to_utc_fits(cursor, i64_at(values, row), unit, result)
                       : zone_to_local_fits(cursor, i64_at(values, row), unit, result))) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static void explain_zone(const function_call *call, const column *const *args, uint32_t row,
                         firn_error *err) {
    const text name = text_at(text_rows_of(args[0]), row);
    if (zone_memo_find(call->local, name) == NULL) {
        zone_memo_say_missing(name, call->scratch, err);
        return;
    }
    explain_range(call, args, row, err);
}

const scalar_function function_timezone = {
    .name = "timezone",
    .category = "datetime",
    .summary = "AT TIME ZONE: what a zone's clock shows at an instant, or the instant at which it "
               "shows a timestamp",
    .examples =
        (const char *const[]){"TIMESTAMP '2020-06-01 12:00:00' AT TIME ZONE 'Europe/Berlin'",
                              "2020-06-01 10:00:00+00",
                              "TIMESTAMPTZ '2020-06-01 12:00:00+00' AT TIME ZONE 'Europe/Berlin'",
                              "2020-06-01 14:00:00",
                              "timezone('+05:30', TIMESTAMPTZ '2020-01-01 00:00:00+00')",
                              "2020-01-01 05:30:00", "DATE '2020-01-01' AT TIME ZONE 'EST'",
                              "2020-01-01 05:00:00+00", "NULL::TIMESTAMP AT TIME ZONE 'UTC'",
                              "NULL", "TIMESTAMP '2020-01-01' AT TIME ZONE 'Nowhere/Land'",
                              "error: there is no time zone \"Nowhere/Land\"", "timezone('UTC', 1)",
                              "error: no \"timezone\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){
            {.signature = "TIMESTAMPTZ(u) <- VARCHAR, TIMESTAMP(u)", .kernel = timezone_kernel},
            {.signature = "TIMESTAMP(u) <- VARCHAR, TIMESTAMPTZ(u)", .kernel = timezone_kernel},
            {0},
        },
    .open = zone_argument_open,
    .explain_failure = explain_zone,
};

// ---- OVERLAPS --------------------------------------------------------------------------------

typedef struct stretch {
    bool is_known; // One end of it at least, which then is `from`.
    bool has_end;
    int64_t from;
    int64_t to;
} stretch;

static stretch stretch_of(const column *from, const column *to, uint32_t row) {
    const bool has_first = column_is_valid(from, row);
    const bool has_second = column_is_valid(to, row);
    const int64_t first = i64_at(i64_rows_of(from), row);
    const int64_t second = i64_at(i64_rows_of(to), row);
    const bool is_turned = has_first ? has_second && second < first : has_second;
    return (stretch){.is_known = has_first || has_second,
                     .has_end = has_first && has_second,
                     .from = is_turned ? second : first,
                     .to = is_turned ? first : second};
}

typedef enum overlap { APART, TOGETHER, NOT_KNOWN } overlap;

// A stretch holds its start but not its end, unless it is a moment. With one end unknown the other
// may decide alone, as PostgreSQL has it.
static overlap overlap_of(stretch left, stretch right) {
    if (!left.is_known || !right.is_known) {
        return NOT_KNOWN;
    }
    if (left.from == right.from) {
        return left.has_end && right.has_end ? TOGETHER : NOT_KNOWN;
    }
    const stretch earlier = left.from < right.from ? left : right;
    const stretch later = left.from < right.from ? right : left;
    if (!earlier.has_end) {
        return NOT_KNOWN;
    }
    return later.from < earlier.to ? TOGETHER : (later.has_end ? APART : NOT_KNOWN);
}

static uint32_t overlaps(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        const overlap found =
            overlap_of(stretch_of(args[0], args[1], row), stretch_of(args[2], args[3], row));
        put_bit(out, row, found == TOGETHER);
        if (found == NOT_KNOWN && !column_set_null(call->scratch, out, row)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

const scalar_function function_overlaps = {
    .name = "overlaps",
    .category = "datetime",
    .summary = "(a, b) OVERLAPS (c, d): whether two stretches of time have a moment in common",
    .examples =
        (const char *const[]){"overlaps(DATE '2020-01-01', DATE '2020-02-01', DATE "
                              "'2020-01-31', DATE '2020-03-01')",
                              "true",
                              "overlaps(DATE '2020-01-01', DATE '2020-02-01', DATE "
                              "'2020-02-01', DATE '2020-03-01')",
                              "false",
                              "overlaps(DATE '2020-02-01', DATE '2020-01-01', DATE "
                              "'2020-01-15', DATE '2020-01-15')",
                              "true",
                              "overlaps(NULL, DATE '2020-02-01', DATE '2020-02-01', DATE "
                              "'2020-03-01')",
                              "NULL",
                              "(DATE '2020-01-01', INTERVAL '30 days') OVERLAPS (DATE "
                              "'2020-01-30', DATE '2020-02-01')",
                              "true",
                              "overlaps(DATE '2020-01-10', DATE '2020-01-01', DATE "
                              "'2020-01-05', NULL)",
                              "true", "overlaps(1, 2, 3, 4)", "error: no \"overlaps\" takes", NULL},
    .flags = FUNCTION_PURE,
    .overloads =
        (const overload[]){
            {.signature = "BOOLEAN <- TIMESTAMP(u), TIMESTAMP(u), TIMESTAMP(u), TIMESTAMP(u)",
             .kernel = overlaps},
            {.signature =
                 "BOOLEAN <- TIMESTAMPTZ(u), TIMESTAMPTZ(u), TIMESTAMPTZ(u), TIMESTAMPTZ(u)",
             .kernel = overlaps},
            {0},
        },
};
