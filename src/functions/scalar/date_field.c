// Fields of dates and times: extract, date_part, year, month ...; date_trunc;
// date_diff.
//
// The field is a constant nearly always: bind reads it, says what the type has
// no such field of, and the kernel's loop knows it. Instants (TIMESTAMPTZ)
// count as the session's clock shows them.
#include "base/nearest.h"
#include "base/zone.h"
#include "expr/session_zone.h"
#include "functions/scalar/row_values.h"

// ---- Which field --------------------------------------------------------------------------------

typedef struct field_bound {
    uint32_t field; // calendar_field, CALENDAR_FIELD_COUNT: by row.
} field_bound;

static firn_status say_unknown(text word, firn_error *err) {
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                                  "there is no field \"%.*s\"", TEXT_ARGS(word));
    nearest_name near = nearest_to(word);
    for (uint32_t i = 0; i < CALENDAR_FIELD_COUNT; i++) {
        nearest_offer(&near, text_of(calendar_field_word((calendar_field)i)));
    }
    if (!nearest_hint(&near, err)) {
        err_hint(err, "fields are year, quarter, month, week, day, hour, minute, second, dow, doy, "
                      "epoch ...");
    }
    return status;
}

static firn_status bind_this(function_bind_call *call, calendar_field field, firn_error *err) {
    field_bound *bound = ARENA_NEW(call->memory, field_bound, 1);
    if (bound == NULL) {
        return ARENA_FULL(call->memory, err);
    }
    *bound = (field_bound){.field = field};
    call->bound = bound;
    call->bound_size = sizeof *bound;
    return FIRN_OK;
}

static calendar_field bound_field(const function_call *call) {
    field_bound bound;
    memcpy(&bound, call->bound, sizeof bound);
    return (calendar_field)bound.field;
}

// The field of a row; false if there is none of that name.
static bool field_of_row(calendar_field known, const column *words, uint32_t row,
                         calendar_field *out) {
    *out = known;
    return known != CALENDAR_FIELD_COUNT ||
           calendar_field_of(text_at(text_rows_of(words), row), out);
}

static bool is_of_clock(calendar_field field) {
    return field <= CALENDAR_HOUR || field == CALENDAR_EPOCH;
}

static bool is_zone_field(calendar_field field) {
    return field == CALENDAR_TIMEZONE || field == CALENDAR_TIMEZONE_HOUR ||
           field == CALENDAR_TIMEZONE_MINUTE;
}

static bool type_has_field(const type *of, calendar_field field) {
    int64_t ignored;
    switch ((int)of->id) {
    case TYPE_TIME:
        return is_of_clock(field);
    case TYPE_INTERVAL:
        return interval_extract(field, (interval_value){.days = 0}, &ignored);
    case TYPE_TIMESTAMPTZ:
        return true;
    default:
        return !is_zone_field(field);
    }
}

// ---- extract ------------------------------------------------------------------------------------

// A constant field; `*out` is CALENDAR_FIELD_COUNT if it is no constant.
static firn_status constant_field(const function_bind_call *call, calendar_field *out,
                                  firn_error *err) {
    text word;
    *out = CALENDAR_FIELD_COUNT;
    if (call->args == NULL || !literal_text(call->args[0], &word)) {
        return FIRN_OK;
    }
    return calendar_field_of(word, out) ? FIRN_OK : say_unknown(word, err);
}

static firn_status bind_extract_field(function_bind_call *call, const type *of,
                                      calendar_field field, firn_error *err) {
    if (field != CALENDAR_FIELD_COUNT && !type_has_field(of, field)) {
        return FAIL_SQL(err, FIRN_INVALID, "0A000", NO_POSITION, "%.*s has no field \"%s\"",
                        TEXT_ARGS(type_text(of, call->memory)), calendar_field_word(field));
    }
    call->result = field == CALENDAR_EPOCH ? TYPE_OF(DOUBLE) : TYPE_OF(BIGINT);
    return bind_this(call, field, err);
}

static firn_status bind_extract(function_bind_call *call, firn_error *err) {
    calendar_field field;
    TRY(constant_field(call, &field, err));
    return bind_extract_field(call, call->types[1], field, err);
}

// A value on a clock without jumps: its moment and what that clock is ahead of
// UTC.
typedef struct moment_reader {
    const column *values;
    uint32_t mask;
    bool is_instant;
    int64_t per_second;
    zone_cursor cursor;
} moment_reader;

static moment_reader reader_of(const function_call *call, const column *values) {
    return (moment_reader){.values = values,
                           .mask = column_mask(values),
                           .is_instant = values->type->id == TYPE_TIMESTAMPTZ,
                           .per_second = calendar_units_per_second(values->type->unit),
                           .cursor = session_zone_cursor(call->context)};
}

static calendar_moment read_moment(moment_reader *self, uint32_t row, int32_t *offset) {
    const uint32_t lane = row & self->mask;
    *offset = 0;
    if (self->values->type->id == TYPE_DATE) {
        return (calendar_moment){.days = COLUMN_VALUES(self->values, int32_t)[lane]};
    }
    if (self->values->type->id == TYPE_TIME) {
        const bool is_short = type_physical(self->values->type) == PHYSICAL_I32;
        const int64_t units = is_short ? COLUMN_VALUES(self->values, int32_t)[lane]
                                       : COLUMN_VALUES(self->values, int64_t)[lane];
        return (calendar_moment){.nanos = units * (1000000000 / self->per_second)};
    }
    const int64_t value = COLUMN_VALUES(self->values, int64_t)[lane];
    calendar_moment moment = calendar_moment_of(value, self->values->type->unit);
    if (self->is_instant) {
        *offset = zone_offset_of_utc(&self->cursor, calendar_floor_div(value, self->per_second));
        moment.nanos += (int64_t)*offset * 1000000000;
        moment.days += calendar_floor_div(moment.nanos, CALENDAR_DAY_NANOS);
        moment.nanos = calendar_floor_mod(moment.nanos, CALENDAR_DAY_NANOS);
    }
    return moment;
}

// Years, months and days of dates, the fields that most queries ask for.
static bool extract_dates(function_call *call, const column *dates, calendar_field field,
                          column *out) {
    const i32_rows days = i32_rows_of(dates);
    int64_t *result = COLUMN_OUT(out, int64_t);
    switch ((int)field) {
    case CALENDAR_YEAR:
        FOR_ROWS(call, row) {
            const int64_t year = calendar_date_of(i32_at(days, row)).year;
            result[row] = year > 0 ? year : year - 1;
        }
        return true;
    case CALENDAR_MONTH:
        FOR_ROWS(call, row) {
            result[row] = calendar_date_of(i32_at(days, row)).month;
        }
        return true;
    case CALENDAR_DAY:
        FOR_ROWS(call, row) {
            result[row] = calendar_date_of(i32_at(days, row)).day;
        }
        return true;
    default:
        return false;
    }
}

// `words`: the fields of the rows, NULL: the bound one.
static uint32_t extract_from(function_call *call, const column *words, const column *values,
                             column *out) {
    const calendar_field known = bound_field(call);
    const bool is_f64 = call->result->id == TYPE_DOUBLE;
    if (values->type->id == TYPE_DATE && !is_f64 && extract_dates(call, values, known, out)) {
        return call->count;
    }
    moment_reader reader = reader_of(call, values);
    FOR_ROWS(call, row) {
        calendar_field field;
        int32_t offset;
        if (!field_of_row(known, words, row, &field) || !type_has_field(values->type, field)) {
            return ROW_VISIT(row);
        }
        const calendar_moment moment = read_moment(&reader, row, &offset);
        if (is_f64) {
            COLUMN_OUT(out, double)
            [row] = calendar_extract_f64(field, moment, offset);
        } else {
            COLUMN_OUT(out, int64_t)[row] = calendar_extract(field, moment, offset);
        }
    }
    return call->count;
}

static uint32_t extract_from_intervals(function_call *call, const column *words,
                                       const column *values, column *out) {
    const calendar_field known = bound_field(call);
    const interval_rows intervals = interval_rows_of(values);
    FOR_ROWS(call, row) {
        const interval_value value = interval_at(intervals, row);
        calendar_field field;
        if (!field_of_row(known, words, row, &field) ||
            !(call->result->id == TYPE_DOUBLE
                  ? interval_extract_f64(field, value, &COLUMN_OUT(out, double)[row])
                  : interval_extract(field, value, &COLUMN_OUT(out, int64_t)[row]))) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static uint32_t extract_kernel(function_call *call, const column *const *args, column *out) {
    return extract_from(call, args[0], args[1], out);
}

static uint32_t extract_interval_kernel(function_call *call, const column *const *args,
                                        column *out) {
    return extract_from_intervals(call, args[0], args[1], out);
}

static bool has_constant_field(const expr *call) {
    text word;
    return literal_text(call->call_.args.items[0], &word);
}

static void explain_field(const function_call *call, const column *const *args, uint32_t row,
                          firn_error *err) {
    const text word = text_at(text_rows_of(args[0]), row);
    err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION, "%.*s has no field \"%.*s\"",
                TEXT_ARGS(type_text(call->types[1], call->scratch)), TEXT_ARGS(word));
}

#define PART(signature_, kernel_, flags_)                                                          \
    {.signature = signature_,                                                                      \
     .kernel = kernel_,                                                                            \
     .bind = bind_extract,                                                                         \
     .flags_set = flags_,                                                                          \
     .cannot_fail = has_constant_field}

const scalar_function function_extract = {
    .name = "extract",
    .aliases = "date_part datepart",
    .category = "datetime",
    .summary = "a field of a date, time or interval as a whole number; epoch "
               "as DOUBLE",
    .examples = (const char *const[]){"extract(year FROM DATE '1995-03-15')",
                                      "1995",
                                      "date_part('dow', DATE '2020-01-05')",
                                      "0",
                                      "extract(second FROM TIMESTAMP '2020-01-01 10:20:30.75')",
                                      "30",
                                      "extract(epoch FROM TIMESTAMP '1970-01-02 00:00:00.5')",
                                      "86400.5",
                                      "extract(week FROM DATE '2021-01-03')",
                                      "53",
                                      "extract(quarter FROM DATE '2020-12-31')",
                                      "4",
                                      "extract(hour FROM TIME '23:59:59')",
                                      "23",
                                      "extract(month FROM INTERVAL '2 years 3 months')",
                                      "3",
                                      "extract(day FROM NULL::DATE)",
                                      "NULL",
                                      "extract(year FROM DATE '0044-03-15 BC')",
                                      "-44",
                                      "date_part('nonsense', DATE '2020-01-01')",
                                      "error: there is no field \"nonsense\"",
                                      "extract(year FROM TIME '10:00:00')",
                                      "error: TIME has no field \"year\"",
                                      "extract(year FROM 5)",
                                      "error: no \"extract\" takes",
                                      NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            PART("? <- VARCHAR, DATE", extract_kernel, 0),
            PART("? <- VARCHAR, TIMESTAMP(u)", extract_kernel, 0),
            PART("? <- VARCHAR, TIMESTAMPTZ(u)", extract_kernel, FUNCTION_STABLE),
            PART("? <- VARCHAR, TIME(u)", extract_kernel, 0),
            PART("? <- VARCHAR, INTERVAL", extract_interval_kernel, 0),
            {0},
        },
    .explain_failure = explain_field,
};

// ---- year(x), month(x) ... ----------------------------------------------------------------------

static uint32_t part_kernel(function_call *call, const column *const *args, column *out) {
    return extract_from(call, NULL, args[0], out);
}

static uint32_t part_interval_kernel(function_call *call, const column *const *args, column *out) {
    return extract_from_intervals(call, NULL, args[0], out);
}

#define DATES(word)                                                                                \
    {.signature = "? <- DATE", .kernel = part_kernel, .bind = bind_##word},                        \
        {.signature = "? <- TIMESTAMP(u)", .kernel = part_kernel, .bind = bind_##word}, {          \
        .signature = "? <- TIMESTAMPTZ(u)", .kernel = part_kernel, .bind = bind_##word,            \
        .flags_set = FUNCTION_STABLE, .flags_cleared = FUNCTION_MONOTONE                           \
    }
#define CLOCKS(word)                                                                               \
    DATES(word), {                                                                                 \
        .signature = "? <- TIME(u)", .kernel = part_kernel, .bind = bind_##word                    \
    }
#define INTERVALS(word)                                                                            \
    {.signature = "? <- INTERVAL",                                                                 \
     .kernel = part_interval_kernel,                                                               \
     .bind = bind_##word,                                                                          \
     .flags_cleared = FUNCTION_MONOTONE}

#define FIELD_FUNCTION(word, FIELD, aliases_, summary_, flags_, overloads_, ...)                   \
    static firn_status bind_##word(function_bind_call *call, firn_error *err) {                    \
        return bind_extract_field(call, call->types[0], CALENDAR_##FIELD, err);                    \
    }                                                                                              \
    const scalar_function function_##word = {                                                      \
        .name = #word,                                                                             \
        .aliases = aliases_,                                                                       \
        .category = "datetime",                                                                    \
        .summary = summary_,                                                                       \
        .examples = (const char *const[]){__VA_ARGS__, NULL},                                      \
        .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY | (flags_),                            \
        .overloads = (const overload[]){overloads_, {0}},                                          \
    };
#define LIST(...) __VA_ARGS__

FIELD_FUNCTION(year, YEAR, NULL, "the year", FUNCTION_MONOTONE, LIST(DATES(year), INTERVALS(year)),
               "year(DATE '1998-12-01')", "1998", "year(TIMESTAMP '2020-02-29 12:00:00')", "2020",
               "year(NULL::DATE)", "NULL", "year(INTERVAL '14 months')", "1", "year(1)",
               "error: no \"year\" takes")
FIELD_FUNCTION(quarter, QUARTER, NULL, "the quarter of the year, 1 to 4", 0,
               LIST(DATES(quarter), INTERVALS(quarter)), "quarter(DATE '1998-12-01')", "4",
               "quarter(DATE '1998-03-31')", "1", "quarter(NULL::DATE)", "NULL", "quarter(1)",
               "error: no \"quarter\" takes")
FIELD_FUNCTION(month, MONTH, NULL, "the month, 1 to 12", 0, LIST(DATES(month), INTERVALS(month)),
               "month(DATE '1998-12-01')", "12", "month(TIMESTAMP '2020-02-29 12:00:00')", "2",
               "month(NULL::DATE)", "NULL", "month(1)", "error: no \"month\" takes")
FIELD_FUNCTION(week, WEEK, "weekofyear", "the week of ISO 8601, 1 to 53", 0, DATES(week),
               "week(DATE '2021-01-03')", "53", "week(DATE '2021-01-04')", "1", "week(NULL::DATE)",
               "NULL", "week(1)", "error: no \"week\" takes")
FIELD_FUNCTION(day, DAY, "dayofmonth", "the day of the month, 1 to 31", 0,
               LIST(DATES(day), INTERVALS(day)), "day(DATE '1998-12-31')", "31",
               "day(TIMESTAMP '2020-02-29 12:00:00')", "29", "day(NULL::DATE)", "NULL", "day(1)",
               "error: no \"day\" takes")
FIELD_FUNCTION(dayofweek, DOW, "weekday", "the day of the week, 0 = Sunday to 6", 0,
               DATES(dayofweek), "dayofweek(DATE '2020-01-05')", "0",
               "dayofweek(DATE '2020-01-04')", "6", "dayofweek(NULL::DATE)", "NULL", "dayofweek(1)",
               "error: no \"dayofweek\" takes")
FIELD_FUNCTION(isodow, ISODOW, NULL, "the day of the week, 1 = Monday to 7", 0, DATES(isodow),
               "isodow(DATE '2020-01-05')", "7", "isodow(NULL::DATE)", "NULL", "isodow(1)",
               "error: no \"isodow\" takes")
FIELD_FUNCTION(dayofyear, DOY, NULL, "the day of the year, 1 to 366", 0, DATES(dayofyear),
               "dayofyear(DATE '2020-12-31')", "366", "dayofyear(NULL::DATE)", "NULL",
               "dayofyear(1)", "error: no \"dayofyear\" takes")
FIELD_FUNCTION(hour, HOUR, NULL, "the hour, 0 to 23", 0, LIST(CLOCKS(hour), INTERVALS(hour)),
               "hour(TIMESTAMP '2020-01-01 23:59:58')", "23", "hour(TIME '10:20:30')", "10",
               "hour(DATE '2020-01-01')", "0", "hour(NULL::TIME)", "NULL", "hour(1)",
               "error: no \"hour\" takes")
FIELD_FUNCTION(minute, MINUTE, NULL, "the minute, 0 to 59", 0,
               LIST(CLOCKS(minute), INTERVALS(minute)), "minute(TIMESTAMP '2020-01-01 23:59:58')",
               "59", "minute(INTERVAL '90 minutes')", "30", "minute(NULL::TIME)", "NULL",
               "minute(1)", "error: no \"minute\" takes")
FIELD_FUNCTION(second, SECOND, NULL, "the whole second, 0 to 59", 0,
               LIST(CLOCKS(second), INTERVALS(second)), "second(TIMESTAMP '2020-01-01 23:59:58.9')",
               "58", "second(TIME '10:20:30')", "30", "second(NULL::TIME)", "NULL", "second(1)",
               "error: no \"second\" takes")
FIELD_FUNCTION(epoch, EPOCH, NULL, "seconds since 1970 with their fraction", 0,
               LIST(CLOCKS(epoch), INTERVALS(epoch)), "epoch(TIMESTAMP '1970-01-01 00:01:00.5')",
               "60.5", "epoch(DATE '1969-12-31')", "-86400.0", "epoch(INTERVAL '1 day')", "86400.0",
               "epoch(NULL::DATE)", "NULL", "epoch(1)", "error: no \"epoch\" takes")
