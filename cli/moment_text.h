// Text of dates, times, timestamps and intervals.
#ifndef FIRN_CLI_MOMENT_TEXT_H
#define FIRN_CLI_MOMENT_TEXT_H

#include "byte_sink.h"

typedef enum moment_style {
    MOMENT_SQL, // 2020-01-31 23:59:59.5, 2020-01-31 23:59:59+00 in the session's zone, … BC.
    MOMENT_ISO, // 2020-01-31T23:59:59.500000, …Z in UTC; all digits of the unit.
} moment_style;

void cli_moment_date(cli_sink *out, int64_t days, moment_style style);
/// `value` counts 10^-digits seconds since midnight.
void cli_moment_time(cli_sink *out, int64_t value, int32_t digits, moment_style style);
/// `value` counts 10^-digits seconds since 1970-01-01.
void cli_moment_timestamp(cli_sink *out, int64_t value, int32_t digits, bool is_zoned,
                          moment_style style);
/// As SQL has it: `1 year 2 mons 3 days 04:05:06.789`.
void cli_moment_interval(cli_sink *out, int32_t months, int32_t days, int64_t nanoseconds);

/// The zone in which SQL style shows instants: "UTC", "Europe/Berlin", "+05:30". Unknown names mean
/// UTC, because firn itself refuses them when they are set.
void cli_moment_zone(const char *name);

#endif
