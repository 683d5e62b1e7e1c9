// justify_days, justify_hours, justify_interval: an interval whose parts are carried over.
#include "functions/scalar/row_values.h"

typedef bool (*justification)(interval_value value, interval_value *out);

static uint32_t justify(function_call *call, const column *arg, justification change, column *out) {
    const interval_rows values = interval_rows_of(arg);
    FOR_ROWS(call, row) {
        if (!change(interval_at(values, row), &COLUMN_OUT(out, interval_value)[row])) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static void explain_range(const function_call *call, const column *const *args, uint32_t row,
                          firn_error *err) {
    (void)call;
    (void)args;
    (void)row;
    err_set_sql(err, FIRN_INVALID, "22008", NO_POSITION, "the result is out of range for INTERVAL");
}

#define JUSTIFY_FUNCTION(word, change, summary_, ...)                                              \
    static uint32_t word##_kernel(function_call *call, const column *const *args, column *out) {   \
        return justify(call, args[0], change, out);                                                \
    }                                                                                              \
    const scalar_function function_##word = {                                                      \
        .name = #word,                                                                             \
        .category = "datetime",                                                                    \
        .summary = summary_,                                                                       \
        .examples = (const char *const[]){__VA_ARGS__, NULL},                                      \
        .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,                                         \
        .overloads =                                                                               \
            (const overload[]){{.signature = "INTERVAL <- INTERVAL", .kernel = word##_kernel},     \
                               {0}},                                                               \
        .explain_failure = explain_range,                                                          \
    };
JUSTIFY_FUNCTION(justify_days, interval_justify_days_fits,
                 "an interval in which each 30 days are a month",
                 "justify_days(INTERVAL '35 days')", "1 mon 5 days",
                 "justify_days(INTERVAL '1 mon -1 days')", "29 days",
                 "justify_days(INTERVAL '29 days 30 hours')", "29 days 30:00:00",
                 "justify_days(NULL)", "NULL", "justify_days(1)",
                 "error: no \"justify_days\" takes")
JUSTIFY_FUNCTION(justify_hours, interval_justify_hours_fits,
                 "an interval in which each 24 hours are a day",
                 "justify_hours(INTERVAL '27 hours')", "1 day 03:00:00",
                 "justify_hours(INTERVAL '1 day -1 hours')", "23:00:00",
                 "justify_hours(INTERVAL '40 days 23 hours')", "40 days 23:00:00",
                 "justify_hours(NULL)", "NULL", "justify_hours(1)",
                 "error: no \"justify_hours\" takes")
JUSTIFY_FUNCTION(
    justify_interval, interval_justify_fits,
    "an interval in which each 24 hours are a day, each 30 days a month, and all parts "
    "have one sign",
    "justify_interval(INTERVAL '1 mon -1 hour')", "29 days 23:00:00",
    "justify_interval(INTERVAL '59 days 25 hours')", "2 mons 01:00:00",
    "justify_interval(INTERVAL '0 days')", "00:00:00", "justify_interval(NULL)", "NULL",
    "justify_interval(1)", "error: no \"justify_interval\" takes")
