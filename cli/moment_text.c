#include "moment_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "printed_number.h"

enum { DAY_SECONDS = 86400, ZONE_NAME_MAX = 128 };

// The zone of the session whose results are shown; the command line shows one at a time.
static struct {
    char name[ZONE_NAME_MAX];
    bool is_named; // Known to the C library, which has its rules; else `seconds` is all there is.
    int32_t seconds;
} zone = {.name = "UTC"};

static const int64_t scales[] = {1, 0, 0, 1000, 0, 0, 1000000, 0, 0, 1000000000};

static int64_t floor_divide(int64_t value, int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

// What floor_divide leaves; the floor times the divisor may be no number.
static int64_t floor_rest(int64_t value, int64_t divisor) {
    const int64_t rest = value % divisor;
    return rest < 0 ? rest + divisor : rest;
}

void cli_moment_zone(const char *name) {
    if (strcmp(zone.name, name) == 0) {
        return;
    }
    (void)snprintf(zone.name, sizeof zone.name, "%s", name);
    zone.is_named = false;
    zone.seconds = 0;
    if (name[0] == '+' || name[0] == '-') {
        char *end = NULL;
        const long hours = strtol(name + 1, &end, 10);
        const long minutes = *end == ':' ? strtol(end + 1, &end, 10) : 0;
        const long seconds = *end == ':' ? strtol(end + 1, NULL, 10) : 0;
        const long size = (hours * 60 + minutes) * 60 + seconds;
        zone.seconds = (int32_t)(name[0] == '-' ? -size : size);
    } else if (strcmp(name, "UTC") != 0) {
        char value[ZONE_NAME_MAX + 1];
        (void)snprintf(value, sizeof value, ":%s", name);
        (void)setenv("TZ", value, 1);
        tzset();
        zone.is_named = true;
    }
}

/// How far the zone is from UTC at an instant, in seconds.
static int32_t zone_offset(int64_t seconds) {
    const time_t instant = (time_t)seconds;
    struct tm local;
    if (!zone.is_named || localtime_r(&instant, &local) == NULL) {
        return zone.seconds;
    }
    return (int32_t)local.tm_gmtoff;
}

/// Days since 1970-01-01 to year, month, day of the proleptic Gregorian calendar: counted in eras
/// of 400 years that begin on a 1st of March, so that the leap day comes last.
/// Returns whether the year is one before Christ, which SQL style says at the very end.
static bool write_day(cli_sink *out, int64_t days, moment_style style) {
    const int64_t shifted = days + 719468;
    const int64_t era = floor_divide(shifted, 146097);
    const int64_t day_of_era = shifted - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month_from_march = (5 * day_of_year + 2) / 153;
    const int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    if (year < 0 && style == MOMENT_ISO) {
        cli_sink_char(out, '-');
    } else if (year > 9999 && style == MOMENT_ISO) {
        cli_sink_char(out, '+');
    }
    const bool is_before = year <= 0 && style == MOMENT_SQL;
    const uint64_t shown = (uint64_t)(is_before ? 1 - year : year < 0 ? -year : year);
    if (shown > 9999) {
        cli_number_uint(out, shown);
    } else {
        cli_number_padded(out, shown, 4);
    }
    cli_sink_char(out, '-');
    cli_number_padded(out, (uint64_t)month, 2);
    cli_sink_char(out, '-');
    cli_number_padded(out, (uint64_t)day, 2);
    return is_before;
}

static void write_era(cli_sink *out, bool is_before) {
    if (is_before) {
        cli_sink_format(out, " BC");
    }
}

void cli_moment_date(cli_sink *out, int64_t days, moment_style style) {
    write_era(out, write_day(out, days, style));
}

static void write_fraction(cli_sink *out, int64_t fraction, int32_t digits, moment_style style) {
    if (digits == 0 || (style == MOMENT_SQL && fraction == 0)) {
        return;
    }
    if (style == MOMENT_SQL) {
        while (fraction % 10 == 0) {
            fraction /= 10;
            digits -= 1;
        }
    }
    cli_sink_char(out, '.');
    cli_number_padded(out, (uint64_t)fraction, digits);
}

static void write_clock(cli_sink *out, int64_t seconds) {
    if (seconds >= INT64_C(100) * 3600) {
        cli_number_uint(out, (uint64_t)(seconds / 3600)); // Only in intervals.
    } else {
        cli_number_padded(out, (uint64_t)(seconds / 3600), 2);
    }
    cli_sink_char(out, ':');
    cli_number_padded(out, (uint64_t)(seconds / 60 % 60), 2);
    cli_sink_char(out, ':');
    cli_number_padded(out, (uint64_t)(seconds % 60), 2);
}

void cli_moment_time(cli_sink *out, int64_t value, int32_t digits, moment_style style) {
    const int64_t seconds = floor_divide(value, scales[digits]);
    write_clock(out, seconds < 0 ? 0 : seconds);
    write_fraction(out, floor_rest(value, scales[digits]), digits, style);
}

static void write_offset(cli_sink *out, int32_t seconds) {
    cli_sink_char(out, seconds < 0 ? '-' : '+');
    const uint64_t size = (uint64_t)labs((long)seconds);
    cli_number_padded(out, size / 3600, 2);
    if (size % 3600 != 0) {
        cli_sink_char(out, ':');
        cli_number_padded(out, size / 60 % 60, 2);
    }
    if (size % 60 != 0) {
        cli_sink_char(out, ':');
        cli_number_padded(out, size % 60, 2);
    }
}

void cli_moment_timestamp(cli_sink *out, int64_t value, int32_t digits, bool is_zoned,
                          moment_style style) {
    int64_t seconds = floor_divide(value, scales[digits]);
    const int64_t fraction = floor_rest(value, scales[digits]);
    const int32_t offset = is_zoned && style == MOMENT_SQL ? zone_offset(seconds) : 0;
    // Only a TIMESTAMPTZ_S at the very end of its range could overflow here.
    seconds = __builtin_add_overflow(seconds, offset, &seconds) ? INT64_MAX : seconds;
    const int64_t days = floor_divide(seconds, DAY_SECONDS);
    const bool is_before = write_day(out, days, style);
    cli_sink_char(out, style == MOMENT_SQL ? ' ' : 'T');
    write_clock(out, seconds - days * (int64_t)DAY_SECONDS);
    write_fraction(out, fraction, digits, style);
    if (is_zoned && style == MOMENT_SQL) {
        write_offset(out, offset);
    } else if (is_zoned) {
        cli_sink_char(out, 'Z');
    }
    write_era(out, is_before);
}

/// One part such as "2 mons"; a positive one behind a negative one shows its sign.
static void write_part(cli_sink *out, int64_t value, const char *unit, bool *is_first,
                       bool *after_negative) {
    if (value == 0) {
        return;
    }
    cli_sink_format(out, "%s%s%lld %s%s", *is_first ? "" : " ",
                    *after_negative && value > 0 ? "+" : "", (long long)value, unit,
                    value == 1 ? "" : "s");
    *is_first = false;
    *after_negative = value < 0;
}

void cli_moment_interval(cli_sink *out, int32_t months, int32_t days, int64_t nanoseconds) {
    bool is_first = true;
    bool after_negative = false;
    write_part(out, months / 12, "year", &is_first, &after_negative);
    write_part(out, months % 12, "mon", &is_first, &after_negative);
    write_part(out, days, "day", &is_first, &after_negative);
    if (nanoseconds == 0 && !is_first) {
        return;
    }
    cli_sink_text(out, is_first ? "" : " ");
    cli_sink_text(out, nanoseconds < 0 ? "-" : after_negative ? "+" : "");
    const uint64_t size = nanoseconds < 0 ? ~(uint64_t)nanoseconds + 1 : (uint64_t)nanoseconds;
    write_clock(out, (int64_t)(size / 1000000000));
    write_fraction(out, (int64_t)(size % 1000000000), 9, MOMENT_SQL);
}
