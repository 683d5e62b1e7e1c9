// to_char, strftime; to_date, to_timestamp, strptime; dayname, monthname.
#include <math.h>

#include "expr/session_zone.h"
#include "functions/scalar/date_pattern.h"
#include "functions/scalar/number_format.h"
#include "functions/scalar/row_values.h"

// ---- Patterns of rows --------------------------------------------------------------------------

// The pattern of a row: taken apart again only when it changes.
typedef struct pattern_rows {
    text_rows texts;
    bool is_percent; // strftime's whatever is in it.
    text last;
    date_pattern made;
    const pattern_item *beyond_time;
} pattern_rows;

static pattern_rows patterns_of(const column *arg, bool is_percent) {
    return (pattern_rows){.texts = text_rows_of(arg), .is_percent = is_percent};
}

// NULL when memory is full.
static const date_pattern *pattern_at(pattern_rows *self, uint32_t row, arena *memory) {
    const text pattern = text_at(self->texts, row);
    if (self->made.items != NULL && text_equal(pattern, self->last)) {
        return &self->made;
    }
    const bool is_good = self->is_percent ? date_pattern_make_percent(pattern, memory, &self->made)
                                          : date_pattern_make(pattern, memory, &self->made);
    self->last = pattern;
    self->beyond_time = is_good ? date_pattern_beyond_time(&self->made) : NULL;
    return is_good ? &self->made : NULL;
}

// ---- Writing -----------------------------------------------------------------------------------

// The zone's word, or its offset if it has none.
static text zone_word(const zone_cursor *cursor) {
    return cursor->period.word.size > 0  ? cursor->period.word
           : cursor->zone->name.size > 0 ? cursor->zone->name
                                         : TEXT("UTC");
}

static clock_moment clock_at(const column *values, uint32_t row, zone_cursor *cursor) {
    const uint32_t lane = row & column_mask(values);
    const type *of = values->type;
    if (of->id == TYPE_DATE) {
        return (clock_moment){.moment = {.days = COLUMN_VALUES(values, int32_t)[lane]}};
    }
    const int64_t value = type_physical(of) == PHYSICAL_I32 ? COLUMN_VALUES(values, int32_t)[lane]
                                                            : COLUMN_VALUES(values, int64_t)[lane];
    clock_moment made = {.moment = calendar_moment_of(value, of->unit),
                         .is_time = of->id == TYPE_TIME};
    if (made.is_time) { // 24:00:00 is no day.
        made.moment.nanos += made.moment.days * CALENDAR_DAY_NANOS;
        made.moment.days = 0;
    }
    if (of->id == TYPE_TIMESTAMPTZ) {
        made.offset_seconds = zone_offset_of_utc(
            cursor, calendar_floor_div(value, calendar_units_per_second(of->unit)));
        made.zone_word = zone_word(cursor);
        made.moment.nanos += (int64_t)made.offset_seconds * 1000000000;
        made.moment.days += calendar_floor_div(made.moment.nanos, CALENDAR_DAY_NANOS);
        made.moment.nanos = calendar_floor_mod(made.moment.nanos, CALENDAR_DAY_NANOS);
    }
    return made;
}

// A date's zone is that of its midnight on the session's clock.
static void add_zone_of_date(clock_moment *self, zone_cursor *cursor) {
    const int64_t midnight = self->moment.days * CALENDAR_DAY_SECONDS;
    self->offset_seconds = zone_offset_of_local(cursor, midnight);
    (void)zone_offset_of_utc(cursor, midnight - self->offset_seconds);
    self->zone_word = zone_word(cursor);
}

static uint32_t format(function_call *call, const column *values, const column *patterns,
                       bool is_percent, column *out) {
    pattern_rows rows = patterns_of(patterns, is_percent);
    zone_cursor cursor = session_zone_cursor(call->context);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        const date_pattern *pattern = pattern_at(&rows, row, call->scratch);
        if (pattern == NULL) {
            return KERNEL_NO_MEMORY;
        }
        if (pattern->unknown.size > 0 ||
            (rows.beyond_time != NULL && values->type->id == TYPE_TIME)) {
            return ROW_VISIT(row);
        }
        clock_moment moment = clock_at(values, row, &cursor);
        if (rows.beyond_time != NULL && values->type->id == TYPE_DATE) { // It may show the zone.
            add_zone_of_date(&moment, &cursor);
        }
        const size_t size_max = date_pattern_size_max(pattern, moment.zone_word.size);
        char *room = size_max > UINT32_MAX ? NULL : text_sink_room(&sink, size_max + 1);
        if (room == NULL) {
            return KERNEL_NO_MEMORY;
        }
        COLUMN_OUT(out, string_value)
        [row] = text_sink_take(&sink, date_pattern_write(pattern, &moment, room));
    }
    return call->count;
}

static uint32_t to_char(function_call *call, const column *const *args, column *out) {
    return format(call, args[0], args[1], false, out);
}

static uint32_t interval_to_char(function_call *call, const column *const *args, column *out) {
    const interval_rows values = interval_rows_of(args[0]);
    pattern_rows rows = patterns_of(args[1], false);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        const date_pattern *pattern = pattern_at(&rows, row, call->scratch);
        if (pattern == NULL) {
            return KERNEL_NO_MEMORY;
        }
        if (pattern->unknown.size > 0 || date_pattern_beyond_interval(pattern) != NULL) {
            return ROW_VISIT(row);
        }
        const interval_value value = interval_at(values, row);
        const size_t size_max = date_pattern_size_max(pattern, 0);
        char *room = size_max > UINT32_MAX ? NULL : text_sink_room(&sink, size_max + 1);
        if (room == NULL) {
            return KERNEL_NO_MEMORY;
        }
        const clock_moment moment = {.interval = &value};
        COLUMN_OUT(out, string_value)
        [row] = text_sink_take(&sink, date_pattern_write(pattern, &moment, room));
    }
    return call->count;
}

// strftime takes its arguments in either order.
static uint32_t strftime_kernel(function_call *call, const column *const *args, column *out) {
    const bool is_first = call->types[0]->id == TYPE_VARCHAR;
    return format(call, args[is_first ? 1 : 0], args[is_first ? 0 : 1], true, out);
}

static void explain_rows(const function_call *call, pattern_rows rows, uint32_t row,
                         firn_error *err) {
    const date_pattern *pattern = pattern_at(&rows, row, call->scratch);
    if (pattern != NULL && pattern->unknown.size > 0) {
        err_set_sql(err, FIRN_INVALID, "22007", NO_POSITION,
                    "the pattern has an unknown part at \"%.*s\"", TEXT_ARGS(pattern->unknown));
    } else if (pattern != NULL && rows.beyond_time != NULL) {
        err_set_sql(err, FIRN_INVALID, "22007", NO_POSITION,
                    "a TIME has no \"%.*s\", which the pattern asks for",
                    TEXT_ARGS(rows.beyond_time->literal));
    }
}

static void explain_to_char(const function_call *call, const column *const *args, uint32_t row,
                            firn_error *err) {
    const type_id id = call->types[0]->id;
    if (id == TYPE_INTEGER || id == TYPE_DECIMAL || id == TYPE_REAL || id == TYPE_DOUBLE) {
        number_format_explain(call, args, row, err);
        return;
    }
    pattern_rows patterns = patterns_of(args[1], false);
    if (id == TYPE_INTERVAL) {
        const date_pattern *pattern = pattern_at(&patterns, row, call->scratch);
        const pattern_item *beyond = pattern == NULL ? NULL : date_pattern_beyond_interval(pattern);
        if (beyond != NULL) {
            err_set_sql(err, FIRN_INVALID, "22007", NO_POSITION,
                        "an INTERVAL has no \"%.*s\", which the pattern asks for",
                        TEXT_ARGS(beyond->literal.size > 0 ? beyond->literal : patterns.last));
            return;
        }
    }
    explain_rows(call, patterns, row, err);
}

static void explain_strftime(const function_call *call, const column *const *args, uint32_t row,
                             firn_error *err) {
    const column *patterns = call->types[1]->id == TYPE_VARCHAR ? args[1] : args[0];
    explain_rows(call, patterns_of(patterns, true), row, err);
}

#define FORMAT_FLAGS (FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL)

const scalar_function function_to_char = {
    .name = "to_char",
    .aliases = "date_format",
    .category = "datetime",
    .summary = "a date, time or interval by a pattern such as 'YYYY-MM-DD HH24:MI:SS' or "
               "'%d.%m.%Y', a number "
               "by one such as '999,990.00'",
    .examples =
        (const char *const[]){
            "to_char(TIMESTAMP '2020-03-05 14:07:09.123456', 'YYYY-MM-DD HH24:MI:SS.US')",
            "2020-03-05 14:07:09.123456",
            "to_char(TIMESTAMP '2020-03-05 14:07:09', 'FMDay, DDth FMMonth YY, HH12:MI am')",
            "Thursday, 05th March 20, 02:07 pm",
            "to_char(DATE '2020-03-05', 'MON Mon mon')",
            "MAR Mar mar",
            "to_char(DATE '2020-03-05', 'Month|Q|IW|DDD|D')",
            "March    |1|10|065|5",
            "to_char(DATE '2020-03-05', '\"Year\" YYYY')",
            "Year 2020",
            "to_char(DATE '2020-03-05', '%d.%m.%Y')",
            "05.03.2020",
            "to_char(TIMESTAMPTZ '2020-03-05 14:00:00+00', 'HH24 TZ OF')",
            "14 UTC +00",
            "to_char(DATE '0044-03-15 BC', 'YYYY BC')",
            "0044 BC",
            "to_char(DATE '2021-01-03', 'IYYY-\"W\"IW-ID, IDDD, Y,YYYth, FMRM')",
            "2020-W53-7, 371, 2,021st, I",
            "to_char(TIME '10:00', 'HH24 TMMonth')",
            "error: a TIME has no \"Month\"",
            "to_char(DATE '2020-03-05', '')",
            "",
            "to_char(NULL::DATE, 'YYYY')",
            "NULL",
            "to_char(DATE '2020-03-05', '%E')",
            "error: the pattern has an unknown part at \"%E\"",
            "to_char(INTERVAL '15 hours 2 minutes 12 seconds', 'HH24:MI:SS')",
            "15:02:12",
            "to_char(INTERVAL '1 day', 'Day')",
            "error: an INTERVAL has no \"Day\"",
            "to_char(1234567.891, '9,999,990.00')",
            " 1,234,567.89",
            "to_char(-0.5, 'FM990.990')",
            "-0.500",
            "to_char(485, 'RN')",
            "        CDLXXXV",
            "to_char(1, 'S9S')",
            "error: S can stand only once",
            "to_char(1, 2)",
            "error: no \"to_char\" takes",
            NULL},
    .flags = FORMAT_FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- DATE, VARCHAR",
             .kernel = to_char,
             .flags_set = FUNCTION_STABLE},
            {.signature = "VARCHAR <- TIMESTAMP(u), VARCHAR", .kernel = to_char},
            {.signature = "VARCHAR <- TIMESTAMPTZ(u), VARCHAR",
             .kernel = to_char,
             .flags_set = FUNCTION_STABLE},
            {.signature = "VARCHAR <- TIME(u), VARCHAR", .kernel = to_char},
            {.signature = "VARCHAR <- INTERVAL, VARCHAR", .kernel = interval_to_char},
            {.signature = "VARCHAR <- INTEGER, VARCHAR", .kernel = number_format_rows},
            {.signature = "VARCHAR <- DECIMAL(p,s), VARCHAR", .kernel = number_format_rows},
            {.signature = "VARCHAR <- REAL, VARCHAR", .kernel = number_format_rows},
            {.signature = "VARCHAR <- DOUBLE, VARCHAR", .kernel = number_format_rows},
            {0},
        },
    .explain_failure = explain_to_char,
};

const scalar_function function_strftime = {
    .name = "strftime",
    .category = "datetime",
    .summary = "a date or time by a pattern of % and letters",
    .examples =
        (const char *const[]){"strftime(DATE '1992-03-02', '%d/%m/%Y')", "02/03/1992",
                              "strftime(TIMESTAMP '1992-01-01 20:38:40', '%a, %-d %B %I:%M:%S %p')",
                              "Wed, 1 January 08:38:40 PM", "strftime('%Y%j', DATE '2020-12-31')",
                              "2020366",
                              "strftime(TIMESTAMP '2020-01-01 00:00:00.5', '%g|%f|%s|%%')",
                              "500|500000|1577836800|%", "strftime(DATE '2020-01-01', '%F %T')",
                              "2020-01-01 00:00:00", "strftime(NULL::DATE, '%Y')", "NULL",
                              "strftime(DATE '2020-01-01', '%Q')", "error: unknown part at \"%Q\"",
                              "strftime(1, '%Y')", "error: no \"strftime\" takes", NULL},
    .flags = FORMAT_FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- DATE, VARCHAR", .kernel = strftime_kernel},
            {.signature = "VARCHAR <- TIMESTAMP(u), VARCHAR", .kernel = strftime_kernel},
            {.signature = "VARCHAR <- TIMESTAMPTZ(u), VARCHAR",
             .kernel = strftime_kernel,
             .flags_set = FUNCTION_STABLE},
            {.signature = "VARCHAR <- VARCHAR, DATE", .kernel = strftime_kernel},
            {.signature = "VARCHAR <- VARCHAR, TIMESTAMP(u)", .kernel = strftime_kernel},
            {.signature = "VARCHAR <- VARCHAR, TIMESTAMPTZ(u)",
             .kernel = strftime_kernel,
             .flags_set = FUNCTION_STABLE},
            {0},
        },
    .explain_failure = explain_strftime,
};

// ---- Names -------------------------------------------------------------------------------------

static uint32_t write_name(function_call *call, const column *values, pattern_field field,
                           column *out) {
    const pattern_item item = {.field = field, .letters = PATTERN_TITLE, .is_bare = true};
    const date_pattern pattern = {.items = &item, .count = 1};
    zone_cursor cursor = session_zone_cursor(call->context);
    FOR_ROWS(call, row) {
        char name[DATE_PATTERN_ITEM_SIZE_MAX];
        const clock_moment moment = clock_at(values, row, &cursor);
        const size_t size = date_pattern_write(&pattern, &moment, name);
        if (!string_new(call->scratch, name, size, &COLUMN_OUT(out, string_value)[row])) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

static uint32_t dayname(function_call *call, const column *const *args, column *out) {
    return write_name(call, args[0], PATTERN_FIELD_DAY_NAME, out);
}

static uint32_t monthname(function_call *call, const column *const *args, column *out) {
    return write_name(call, args[0], PATTERN_FIELD_MONTH_NAME, out);
}

#define NAME_FUNCTION(word, summary_, ...)                                                         \
    const scalar_function function_##word = {                                                      \
        .name = #word,                                                                             \
        .category = "datetime",                                                                    \
        .summary = summary_,                                                                       \
        .examples = (const char *const[]){__VA_ARGS__, NULL},                                      \
        .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,                                       \
        .overloads =                                                                               \
            (const overload[]){                                                                    \
                {.signature = "VARCHAR <- DATE", .kernel = word},                                  \
                {.signature = "VARCHAR <- TIMESTAMP(u)", .kernel = word},                          \
                {.signature = "VARCHAR <- TIMESTAMPTZ(u)",                                         \
                 .kernel = word,                                                                   \
                 .flags_set = FUNCTION_STABLE},                                                    \
                {0},                                                                               \
            },                                                                                     \
    };
NAME_FUNCTION(dayname, "the English name of the day of the week", "dayname(DATE '2020-01-05')",
              "Sunday", "dayname(TIMESTAMP '2020-01-08 10:00:00')", "Wednesday",
              "dayname(NULL::DATE)", "NULL", "dayname(1)", "error: no \"dayname\" takes")
NAME_FUNCTION(monthname, "the English name of the month", "monthname(DATE '2020-09-05')",
              "September", "monthname(DATE '2020-05-31')", "May", "monthname(NULL::DATE)", "NULL",
              "monthname(1)", "error: no \"monthname\" takes")

// ---- Reading -----------------------------------------------------------------------------------

// A text in the type of the result.
static bool read_value(const function_call *call, const date_pattern *pattern, text value,
                       bool is_strict, zone_cursor *cursor, int64_t *out,
                       pattern_failure *failure) {
    clock_moment moment;
    bool has_offset;
    if (pattern->unknown.size > 0 ||
        date_pattern_read(pattern, value, is_strict, &moment, &has_offset, failure) != DATE_OK) {
        return false;
    }
    if (call->result->id == TYPE_DATE) {
        *out = moment.moment.days;
        return *out >= INT32_MIN && *out <= INT32_MAX;
    }
    if (has_offset) {
        moment.moment.nanos -= (int64_t)moment.offset_seconds * 1000000000;
    }
    return calendar_timestamp_fits(moment.moment, UNIT_MICRO, out) &&
           (call->result->id == TYPE_TIMESTAMP || has_offset ||
            zone_to_utc_fits(cursor, *out, UNIT_MICRO, out));
}

static uint32_t read_rows(function_call *call, const column *const *args, bool is_percent,
                          column *out) {
    const text_rows values = text_rows_of(args[0]);
    pattern_rows rows = patterns_of(args[1], is_percent);
    zone_cursor cursor = session_zone_cursor(call->context);
    FOR_ROWS(call, row) {
        const date_pattern *pattern = pattern_at(&rows, row, call->scratch);
        pattern_failure failure;
        int64_t value;
        if (pattern == NULL) {
            return KERNEL_NO_MEMORY;
        }
        if (!read_value(call, pattern, text_at(values, row), is_percent, &cursor, &value,
                        &failure)) {
            return ROW_VISIT(row);
        }
        if (call->result->id == TYPE_DATE) {
            COLUMN_OUT(out, int32_t)[row] = (int32_t)value;
        } else {
            COLUMN_OUT(out, int64_t)[row] = value;
        }
    }
    return call->count;
}

static uint32_t read_pattern(function_call *call, const column *const *args, column *out) {
    return read_rows(call, args, false, out);
}

static uint32_t read_percent(function_call *call, const column *const *args, column *out) {
    return read_rows(call, args, true, out);
}

static uint32_t from_seconds(function_call *call, const column *const *args, column *out) {
    const f64_rows values = f64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        const double micros = rint(f64_at(values, row) * 1e6);
        if (!(micros >= -0x1p63 && micros < 0x1p63)) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, int64_t)[row] = (int64_t)micros;
    }
    return call->count;
}

static void explain_read(const function_call *call, const column *const *args, uint32_t row,
                         firn_error *err) {
    if (call->arg_count < 2) {
        err_set_sql(err, FIRN_INVALID, "22008", NO_POSITION, "the seconds are out of range");
        return;
    }
    const text value = text_at(text_rows_of(args[0]), row);
    err_set_sql(err, FIRN_INVALID, "22007", NO_POSITION, "\"%.*s\" is no %.*s of the form \"%.*s\"",
                TEXT_ARGS(value), TEXT_ARGS(type_text(call->result, call->scratch)),
                TEXT_ARGS(text_at(text_rows_of(args[1]), row)));
    pattern_rows rows = patterns_of(args[1], false);
    const date_pattern *pattern = pattern_at(&rows, row, call->scratch);
    clock_moment moment;
    bool has_offset;
    pattern_failure failure;
    if (pattern != NULL && pattern->is_template &&
        date_pattern_read(pattern, value, false, &moment, &has_offset, &failure) != DATE_OK &&
        failure.why != NULL) {
        err_hint(err, "the field \"%.*s\" %s", TEXT_ARGS(failure.field), failure.why);
    }
}

static bool has_zone(const date_pattern *self) {
    for (uint32_t i = 0; i < self->count; i++) {
        const pattern_field field = self->items[i].field;
        if (field == PATTERN_FIELD_ZONE_WORD || field == PATTERN_FIELD_ZONE_OFFSET) {
            return true;
        }
    }
    return false;
}

// As in DuckDB, a constant pattern with a zone reads instants. One that is no constant, which
// DuckDB refuses, can't say so before it is run: what it reads is what a clock in UTC shows.
static firn_status bind_percent(function_bind_call *call, firn_error *err) {
    text pattern;
    date_pattern made = {.count = 0};
    if (call->args != NULL && literal_text(call->args[1], &pattern) &&
        !date_pattern_make_percent(pattern, call->memory, &made)) {
        return ARENA_FULL(call->memory, err);
    }
    call->result = has_zone(&made) ? TYPE_OF(TIMESTAMPTZ) : TYPE_OF(TIMESTAMP);
    return FIRN_OK;
}

const scalar_function function_to_date = {
    .name = "to_date",
    .category = "datetime",
    .summary = "the date that a text shows by a pattern",
    .examples =
        (const char *const[]){
            "to_date('05 Dec 2000', 'DD Mon YYYY')", "2000-12-05",
            "to_date('20200305', 'YYYYMMDD')", "2020-03-05", "to_date('5.3.20', 'DD.MM.YY')",
            "2020-03-05", "to_date('2020-366', 'YYYY-DDD')", "2020-12-31",
            "to_date('2020-W05-3', 'IYYY-\"W\"IW-ID')", "2020-01-29",
            "to_date('03/05/2020', '%m/%d/%Y')", "2020-03-05", "to_date(NULL, 'YYYY')", "NULL",
            "to_date('2021-02-29', 'YYYY-MM-DD')", "error: \"2021-02-29\" is no DATE",
            "to_date(1, 'YYYY')", "error: no \"to_date\" takes", NULL},
    .flags = FORMAT_FLAGS,
    .overloads =
        (const overload[]){{.signature = "DATE <- VARCHAR, VARCHAR", .kernel = read_pattern}, {0}},
    .explain_failure = explain_read,
};

const scalar_function function_to_timestamp = {
    .name = "to_timestamp",
    .category = "datetime",
    .summary = "the instant that a text shows by a pattern, or that many seconds after 1970",
    .examples =
        (const char *const[]){
            "to_timestamp('05 Dec 2000 13:14', 'DD Mon YYYY HH24:MI')", "2000-12-05 13:14:00+00",
            "to_timestamp(1284352323.5)", "2010-09-13 04:32:03.5+00",
            "to_timestamp('2020-01-01 10:00+02', 'YYYY-MM-DD HH24:MITZH')",
            "2020-01-01 08:00:00+00",
            "to_timestamp('12:05:06.25 PM 2020', 'HH12:MI:SS.MS AM YYYY')",
            "2020-01-01 12:05:06.25+00", "to_timestamp(NULL, 'YYYY')", "NULL",
            "to_timestamp('13 PM', 'HH12 AM')", "error: \"13 PM\" is no TIMESTAMP",
            "to_timestamp('inf'::DOUBLE)", "error: the seconds are out of range",
            "to_timestamp(true)", "error: no \"to_timestamp\" takes", NULL},
    .flags = FORMAT_FLAGS | FUNCTION_STABLE,
    .overloads =
        (const overload[]){
            {.signature = "TIMESTAMPTZ <- DOUBLE", .kernel = from_seconds},
            {.signature = "TIMESTAMPTZ <- VARCHAR, VARCHAR", .kernel = read_pattern},
            {0},
        },
    .explain_failure = explain_read,
};

const scalar_function function_strptime = {
    .name = "strptime",
    .category = "datetime",
    .summary = "the timestamp that a text shows by a pattern of % and letters, which must take all "
               "of it; of 1900-01-01 what the pattern leaves out. A constant pattern with %z or %Z "
               "gives TIMESTAMP WITH TIME ZONE; else TIMESTAMP, with a zone that of UTC",
    .examples =
        (const char *const[]){
            "strptime('02/03/1992', '%d/%m/%Y')", "1992-03-02 00:00:00",
            "strptime('Wed, 1 Jan 1992 08:38 PM', '%a, %-d %b %Y %I:%M %p')", "1992-01-01 20:38:00",
            "strptime('2020-01-01 00:00:00.25', '%F %T.%f')", "2020-01-01 00:00:00.25",
            "strptime('2020-W05-3', '%G-W%V-%u')", "2020-01-29 00:00:00",
            "strptime('10:20', '%H:%M')", "1900-01-01 10:20:00",
            "strptime('2020-01-01 10:00 +02', '%F %H:%M %z')", "2020-01-01 08:00:00+00",
            "strptime(NULL, '%Y')", "NULL", "strptime('2020x', '%Y')",
            "error: \"2020x\" is no TIMESTAMP of the form \"%Y\"", "strptime(1, '%Y')",
            "error: no \"strptime\" takes", NULL},
    .flags = FORMAT_FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "? <- VARCHAR, VARCHAR", .kernel = read_percent, .bind = bind_percent},
            {0}},
    .explain_failure = explain_read,
};
