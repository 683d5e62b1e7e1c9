#include "base/calendar.h"

#include <math.h>
#include <string.h>

#include "base/date_text.h"
#include "base/test.h"

TEST(calendar_agrees_with_counting_days_one_by_one) {
    // From 1500 BC to 2500 AD.
    calendar_date date = {.year = -1500, .month = 1, .day = 1};
    int64_t days = calendar_days_of(date);
    int32_t of_year = 1;
    while (date.year <= 2500) {
        const calendar_date found = calendar_date_of(days);
        REQUIRE(found.year == date.year && found.month == date.month && found.day == date.day);
        REQUIRE(calendar_days_of(date) == days);
        REQUIRE(calendar_day_of_year(date) == of_year);
        days += 1;
        date.day += 1;
        of_year += 1;
        const int leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
        const int lengths[] = {31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        REQUIRE(calendar_month_days(date.year, date.month) == lengths[date.month - 1]);
        if (date.day > lengths[date.month - 1]) {
            date.day = 1;
            date.month += 1;
        }
        if (date.month > 12) {
            date.month = 1;
            date.year += 1;
            of_year = 1;
        }
    }
    CHECK(calendar_days_of((calendar_date){.year = 1970, .month = 1, .day = 1}) == 0);
}

TEST(calendar_days_far_away_come_back) {
    uint64_t seed = 13;
    for (int i = 0; i < 20000; i++) {
        const int64_t days = (int64_t)(test_random(&seed) >> 17) >> (test_random(&seed) % 40);
        const int64_t signed_days = i % 2 == 0 ? days : -days;
        const calendar_date date = calendar_date_of(signed_days);
        CHECK(calendar_date_exists(date) && calendar_days_of(date) == signed_days);
        const calendar_week week = calendar_week_of(signed_days);
        const int64_t monday = calendar_week_start(week);
        CHECK(monday <= signed_days && signed_days < monday + 7 && calendar_weekday(monday) == 1);
    }
    // Where the fast way ends, and the days of an int32.
    static const int64_t edges[] = {INT32_MIN, INT32_MAX, (1 << 29) - 1000000,
                                    -(1 << 29) - 1000000};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        for (int64_t days = edges[i]; days < edges[i] + 2000000; days += 997) {
            const calendar_date date = calendar_date_of(days);
            REQUIRE(calendar_date_exists(date) && calendar_days_of(date) == days);
        }
    }
}

TEST(calendar_weeks_are_those_of_iso_8601) {
    const struct {
        calendar_date date;
        int64_t year;
        int32_t week;
        int32_t weekday;
    } rows[] = {
        {{2020, 12, 31}, 2020, 53, 4}, {{2021, 1, 3}, 2020, 53, 0}, {{2021, 1, 4}, 2021, 1, 1},
        {{2018, 12, 31}, 2019, 1, 1},  {{2000, 1, 1}, 1999, 52, 6}, {{0, 12, 31}, 0, 52, 0},
        {{1970, 1, 1}, 1970, 1, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int64_t days = calendar_days_of(rows[i].date);
        const calendar_week week = calendar_week_of(days);
        CHECK(week.year == rows[i].year && week.week == rows[i].week);
        CHECK(calendar_weekday(days) == rows[i].weekday);
    }
}

TEST(calendar_months_clamp_to_the_last_day) {
    const struct {
        calendar_date from;
        int64_t months;
        calendar_date to;
    } rows[] = {
        {{2020, 1, 31}, 1, {2020, 2, 29}},   {{2019, 1, 31}, 1, {2019, 2, 28}},
        {{2020, 3, 31}, -1, {2020, 2, 29}},  {{2020, 1, 15}, -1, {2019, 12, 15}},
        {{2020, 2, 29}, 12, {2021, 2, 28}},  {{2020, 2, 29}, -48, {2016, 2, 29}},
        {{2020, 12, 31}, 0, {2020, 12, 31}}, {{1, 1, 1}, -1, {0, 12, 1}},
        {{2020, 1, 1}, 25, {2022, 2, 1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const calendar_date moved = calendar_add_months(rows[i].from, rows[i].months);
        CHECK(moved.year == rows[i].to.year && moved.month == rows[i].to.month &&
              moved.day == rows[i].to.day);
    }
    int32_t days = 7;
    CHECK(!calendar_date_add_months_fits(INT32_MAX, 1, &days));
    CHECK(!calendar_date_add_months_fits(INT32_MIN, -1, &days));
    CHECK(!calendar_date_add_months_fits(0, INT64_MAX, &days) && days == 7);
    CHECK(calendar_date_add_months_fits(0, -1, &days) && days == -31);
}

TEST(calendar_moments_split_below_1970_too) {
    const struct {
        int64_t value;
        time_unit unit;
        int64_t days;
        int64_t nanos;
    } rows[] = {
        {0, UNIT_NANO, 0, 0},
        {-1, UNIT_NANO, -1, CALENDAR_DAY_NANOS - 1},
        {-1, UNIT_SECOND, -1, CALENDAR_DAY_NANOS - 1000000000},
        {86400000, UNIT_MILLI, 1, 0},
        {INT64_MIN, UNIT_NANO, -106752, 763145224192},
        {INT64_MAX, UNIT_MICRO, 106751991, 14454775807000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const calendar_moment moment = calendar_moment_of(rows[i].value, rows[i].unit);
        CHECK(moment.days == rows[i].days && moment.nanos == rows[i].nanos);
        int64_t back = 0;
        CHECK(calendar_timestamp_fits(moment, rows[i].unit, &back) && back == rows[i].value);
    }
    int64_t out = 7;
    CHECK(!calendar_timestamp_fits((calendar_moment){106752, 0}, UNIT_NANO, &out) && out == 7);
    CHECK(calendar_timestamp_fits((calendar_moment){0, 1499}, UNIT_MICRO, &out) && out == 1);
    CHECK(calendar_timestamp_fits((calendar_moment){0, 1500}, UNIT_MICRO, &out) && out == 2);
    CHECK(calendar_timestamp_fits((calendar_moment){0, -1500}, UNIT_MICRO, &out) && out == -1);
    CHECK(calendar_timestamp_fits((calendar_moment){0, -1501}, UNIT_MICRO, &out) && out == -2);
}

TEST(calendar_units_convert_with_overflow_reported) {
    int64_t out = 7;
    CHECK(calendar_rescale_fits(-5, UNIT_SECOND, UNIT_NANO, &out) && out == -5000000000);
    CHECK(calendar_rescale_fits(1500, UNIT_MILLI, UNIT_SECOND, &out) && out == 2);
    CHECK(calendar_rescale_fits(-1500, UNIT_MILLI, UNIT_SECOND, &out) && out == -1);
    CHECK(calendar_rescale_fits(INT64_MIN, UNIT_MICRO, UNIT_MICRO, &out) && out == INT64_MIN);
    CHECK(calendar_rescale_fits(INT64_MAX, UNIT_NANO, UNIT_SECOND, &out) && out == 9223372037);
    CHECK(!calendar_rescale_fits(INT64_MAX, UNIT_SECOND, UNIT_MILLI, &out) && out == 9223372037);
}

// ---- Fields ------------------------------------------------------------------------------------

static int64_t timestamp_of(const char *input) {
    int64_t value = 0;
    CHECK(date_parse_timestamp(text_of(input), UNIT_MICRO, &value) == DATE_OK);
    return value;
}

TEST(calendar_extracts_what_postgresql_does) {
    static const calendar_field fields[] = {
        CALENDAR_MICROSECOND, CALENDAR_MILLISECOND, CALENDAR_SECOND, CALENDAR_MINUTE,
        CALENDAR_HOUR,        CALENDAR_DAY,         CALENDAR_WEEK,   CALENDAR_MONTH,
        CALENDAR_QUARTER,     CALENDAR_YEAR,        CALENDAR_DECADE, CALENDAR_CENTURY,
        CALENDAR_MILLENNIUM,  CALENDAR_DOW,         CALENDAR_ISODOW, CALENDAR_DOY,
        CALENDAR_ISOYEAR,     CALENDAR_JULIAN,      CALENDAR_EPOCH};
#define FIELDS (sizeof fields / sizeof *fields)
    static const struct {
        const char *input;
        int64_t expected[FIELDS];
    } rows[] = {
        {"2000-01-01 00:00:00",
         {0, 0, 0, 0, 0, 1, 52, 1, 1, 2000, 200, 20, 2, 6, 6, 1, 1999, 2451545, 946684800}},
        {"1999-12-31 23:59:59.5",
         {59500000, 59500, 59, 59, 23, 31, 52, 12, 4, 1999, 199, 20, 2, 5, 5, 365, 1999, 2451544,
          946684799}},
        {"2001-02-16 20:38:40.123456",
         {40123456, 40123, 40, 38, 20, 16, 7, 2, 1, 2001, 200, 21, 3, 5, 5, 47, 2001, 2451957,
          982355920}},
        {"1900-02-28",
         {0, 0, 0, 0, 0, 28, 9, 2, 1, 1900, 190, 19, 2, 3, 3, 59, 1900, 2415079, -2203977600}},
        {"2100-03-01 12:00",
         {0, 0, 0, 0, 12, 1, 9, 3, 1, 2100, 210, 21, 3, 1, 1, 60, 2100, 2488129, 4107585600}},
        {"0001-01-01", {0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1721426, -62135596800}},
        {"0001-12-31 23:59:59 BC",
         {59000000, 59000, 59, 59, 23, 31, 52, 12, 4, -1, 0, -1, -1, 0, 7, 366, -1, 1721425,
          -62135596801}},
        {"0002-06-15 BC",
         {0, 0, 0, 0, 0, 15, 24, 6, 2, -2, -1, -1, -1, 2, 2, 166, -2, 1720860, -62184499200}},
        {"0044-03-15 01:02:03.5 BC",
         {3500000, 3500, 3, 2, 1, 15, 11, 3, 1, -44, -5, -1, -1, 5, 5, 74, -44, 1705428,
          -63517820277}},
        {"0100-12-31",
         {0, 0, 0, 0, 0, 31, 52, 12, 4, 100, 10, 1, 1, 5, 5, 365, 100, 1757949, -58980009600}},
        {"0101-01-01",
         {0, 0, 0, 0, 0, 1, 52, 1, 1, 101, 10, 2, 1, 6, 6, 1, 100, 1757950, -58979923200}},
        {"0101-06-01 BC",
         {0, 0, 0, 0, 0, 1, 22, 6, 2, -101, -10, -2, -1, 5, 5, 152, -101, 1684687, -65309846400}},
        {"1970-01-01", {0, 0, 0, 0, 0, 1, 1, 1, 1, 1970, 197, 20, 2, 4, 4, 1, 1970, 2440588, 0}},
        {"1969-12-31 23:59:59.5",
         {59500000, 59500, 59, 59, 23, 31, 1, 12, 4, 1969, 196, 20, 2, 3, 3, 365, 1970, 2440587,
          -1}},
        {"2020-12-31",
         {0, 0, 0, 0, 0, 31, 53, 12, 4, 2020, 202, 21, 3, 4, 4, 366, 2020, 2459215, 1609372800}},
        {"2021-01-03 10:00",
         {0, 0, 0, 0, 10, 3, 53, 1, 1, 2021, 202, 21, 3, 0, 7, 3, 2020, 2459218, 1609668000}},
        {"2018-12-31",
         {0, 0, 0, 0, 0, 31, 1, 12, 4, 2018, 201, 21, 3, 1, 1, 365, 2019, 2458484, 1546214400}},
        {"294246-12-31 23:59:59.5",
         {59500000, 59500, 59, 59, 23, 31, 53, 12, 4, 294246, 29424, 2943, 295, 4, 4, 365, 294246,
          109192569, 9223371244799}},
        {"4713-01-01 BC",
         {0, 0, 0, 0, 0, 1, 1, 1, 1, -4713, -472, -48, -5, 4, 4, 1, -4713, 38, -210863520000}},
        {"1000-05-05",
         {0, 0, 0, 0, 0, 5, 19, 5, 2, 1000, 100, 10, 1, 1, 1, 125, 1000, 2086427, -30599510400}},
        {"1001-05-05",
         {0, 0, 0, 0, 0, 5, 19, 5, 2, 1001, 100, 11, 2, 2, 2, 125, 1001, 2086792, -30567974400}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int64_t value = timestamp_of(rows[i].input);
        const calendar_moment moment = calendar_moment_of(value, UNIT_MICRO);
        for (size_t j = 0; j < FIELDS; j++) {
            if (calendar_extract(fields[j], moment, 0) != rows[i].expected[j]) {
                (void)fprintf(stderr, "%s of %s\n", calendar_field_word(fields[j]), rows[i].input);
                CHECK(false);
            }
            CHECK(floor(calendar_extract_f64(fields[j], moment, 0)) == (double)rows[i].expected[j]);
        }
    }
}

TEST(calendar_extracts_fractions_zones_and_what_postgresql_has_not) {
    const calendar_moment moment =
        calendar_moment_of(timestamp_of("2001-02-16 18:38:40.123456"), UNIT_MICRO);
    CHECK(calendar_extract_f64(CALENDAR_SECOND, moment, 0) == 40.123456);
    CHECK(calendar_extract_f64(CALENDAR_MILLISECOND, moment, 0) == 40123.456);
    CHECK(calendar_extract_f64(CALENDAR_MICROSECOND, moment, 0) == 40123456);
    CHECK(calendar_extract_f64(CALENDAR_EPOCH, moment, 0) == 982348720.123456);
    CHECK(calendar_extract_f64(CALENDAR_EPOCH, moment, 3600) == 982345120.123456);
    CHECK(calendar_extract(CALENDAR_EPOCH, moment, 3600) == 982345120);
    CHECK(fabs(calendar_extract_f64(CALENDAR_JULIAN, moment, 0) - 2451957.7768533) < 1e-6);
    CHECK(calendar_extract(CALENDAR_NANOSECOND, moment, 0) == 40123456000);
    CHECK(calendar_extract(CALENDAR_TIMEZONE, moment, -12600) == -12600);
    CHECK(calendar_extract(CALENDAR_TIMEZONE_HOUR, moment, -12600) == -3);
    CHECK(calendar_extract(CALENDAR_TIMEZONE_MINUTE, moment, -12600) == -30);
    CHECK(calendar_extract(CALENDAR_ERA, moment, 0) == 1);
    CHECK(calendar_extract(CALENDAR_YEARWEEK, moment, 0) == 200107);
    const calendar_moment before = calendar_moment_of(timestamp_of("0002-06-15 BC"), UNIT_MICRO);
    CHECK(calendar_extract(CALENDAR_ERA, before, 0) == 0);
    CHECK(calendar_extract(CALENDAR_YEARWEEK, before, 0) == -224);
}

TEST(calendar_truncates_as_postgresql_does) {
    static const struct {
        const char *input;
        const char *field;
        const char *expected;
    } rows[] = {
        {"1999-12-31 23:59:59.5", "second", "1999-12-31 23:59:59"},
        {"1999-12-31 23:59:59.5", "week", "1999-12-27 00:00:00"},
        {"1999-12-31 23:59:59.5", "quarter", "1999-10-01 00:00:00"},
        {"1999-12-31 23:59:59.5", "year", "1999-01-01 00:00:00"},
        {"1999-12-31 23:59:59.5", "decade", "1990-01-01 00:00:00"},
        {"1999-12-31 23:59:59.5", "century", "1901-01-01 00:00:00"},
        {"1999-12-31 23:59:59.5", "millennium", "1001-01-01 00:00:00"},
        {"2001-02-16 20:38:40.123456", "second", "2001-02-16 20:38:40"},
        {"2001-02-16 20:38:40.123456", "week", "2001-02-12 00:00:00"},
        {"2001-02-16 20:38:40.123456", "quarter", "2001-01-01 00:00:00"},
        {"2001-02-16 20:38:40.123456", "year", "2001-01-01 00:00:00"},
        {"2001-02-16 20:38:40.123456", "decade", "2000-01-01 00:00:00"},
        {"2001-02-16 20:38:40.123456", "century", "2001-01-01 00:00:00"},
        {"2001-02-16 20:38:40.123456", "millennium", "2001-01-01 00:00:00"},
        {"0001-12-31 23:59:59 BC", "second", "0001-12-31 23:59:59 BC"},
        {"0001-12-31 23:59:59 BC", "week", "0001-12-25 00:00:00 BC"},
        {"0001-12-31 23:59:59 BC", "quarter", "0001-10-01 00:00:00 BC"},
        {"0001-12-31 23:59:59 BC", "year", "0001-01-01 00:00:00 BC"},
        {"0001-12-31 23:59:59 BC", "decade", "0001-01-01 00:00:00 BC"},
        {"0001-12-31 23:59:59 BC", "century", "0100-01-01 00:00:00 BC"},
        {"0001-12-31 23:59:59 BC", "millennium", "1000-01-01 00:00:00 BC"},
        {"0002-06-15 BC", "second", "0002-06-15 00:00:00 BC"},
        {"0002-06-15 BC", "week", "0002-06-14 00:00:00 BC"},
        {"0002-06-15 BC", "quarter", "0002-04-01 00:00:00 BC"},
        {"0002-06-15 BC", "year", "0002-01-01 00:00:00 BC"},
        {"0002-06-15 BC", "decade", "0011-01-01 00:00:00 BC"},
        {"0002-06-15 BC", "century", "0100-01-01 00:00:00 BC"},
        {"0002-06-15 BC", "millennium", "1000-01-01 00:00:00 BC"},
        {"0044-03-15 01:02:03.5 BC", "second", "0044-03-15 01:02:03 BC"},
        {"0044-03-15 01:02:03.5 BC", "week", "0044-03-11 00:00:00 BC"},
        {"0044-03-15 01:02:03.5 BC", "quarter", "0044-01-01 00:00:00 BC"},
        {"0044-03-15 01:02:03.5 BC", "year", "0044-01-01 00:00:00 BC"},
        {"0044-03-15 01:02:03.5 BC", "decade", "0051-01-01 00:00:00 BC"},
        {"0044-03-15 01:02:03.5 BC", "century", "0100-01-01 00:00:00 BC"},
        {"0044-03-15 01:02:03.5 BC", "millennium", "1000-01-01 00:00:00 BC"},
        {"0100-12-31", "second", "0100-12-31 00:00:00"},
        {"0100-12-31", "week", "0100-12-27 00:00:00"},
        {"0100-12-31", "quarter", "0100-10-01 00:00:00"},
        {"0100-12-31", "year", "0100-01-01 00:00:00"},
        {"0100-12-31", "decade", "0100-01-01 00:00:00"},
        {"0100-12-31", "century", "0001-01-01 00:00:00"},
        {"0100-12-31", "millennium", "0001-01-01 00:00:00"},
        {"0101-06-01 BC", "second", "0101-06-01 00:00:00 BC"},
        {"0101-06-01 BC", "week", "0101-05-28 00:00:00 BC"},
        {"0101-06-01 BC", "quarter", "0101-04-01 00:00:00 BC"},
        {"0101-06-01 BC", "year", "0101-01-01 00:00:00 BC"},
        {"0101-06-01 BC", "decade", "0101-01-01 00:00:00 BC"},
        {"0101-06-01 BC", "century", "0200-01-01 00:00:00 BC"},
        {"0101-06-01 BC", "millennium", "1000-01-01 00:00:00 BC"},
        {"2021-01-03 10:00", "second", "2021-01-03 10:00:00"},
        {"2021-01-03 10:00", "week", "2020-12-28 00:00:00"},
        {"2021-01-03 10:00", "quarter", "2021-01-01 00:00:00"},
        {"2021-01-03 10:00", "year", "2021-01-01 00:00:00"},
        {"2021-01-03 10:00", "decade", "2020-01-01 00:00:00"},
        {"2021-01-03 10:00", "century", "2001-01-01 00:00:00"},
        {"2021-01-03 10:00", "millennium", "2001-01-01 00:00:00"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        calendar_field field;
        int64_t out = 0;
        REQUIRE(calendar_field_of(text_of(rows[i].field), &field));
        REQUIRE(calendar_truncate_fits(field, timestamp_of(rows[i].input), UNIT_MICRO, &out));
        CHECK(out == timestamp_of(rows[i].expected));
    }
}

TEST(calendar_truncates_in_every_unit_and_reports_what_is_before_all_timestamps) {
    int64_t out = 7;
    CHECK(!calendar_truncate_fits(CALENDAR_SECOND, INT64_MIN, UNIT_NANO, &out));
    CHECK(!calendar_truncate_fits(CALENDAR_DAY, INT64_MIN, UNIT_SECOND, &out));
    CHECK(!calendar_truncate_fits(CALENDAR_WEEK, INT64_MIN, UNIT_MICRO, &out));
    CHECK(!calendar_truncate_fits(CALENDAR_MILLENNIUM, INT64_MIN, UNIT_MILLI, &out));
    CHECK(calendar_truncate_fits(CALENDAR_NANOSECOND, -1, UNIT_NANO, &out) && out == -1);
    CHECK(calendar_truncate_fits(CALENDAR_MICROSECOND, -1, UNIT_NANO, &out) && out == -1000);
    CHECK(calendar_truncate_fits(CALENDAR_MICROSECOND, -1, UNIT_MILLI, &out) && out == -1);
    CHECK(calendar_truncate_fits(CALENDAR_MILLISECOND, 1999, UNIT_MICRO, &out) && out == 1000);
    CHECK(calendar_truncate_fits(CALENDAR_SECOND, -1, UNIT_SECOND, &out) && out == -1);
    CHECK(calendar_truncate_fits(CALENDAR_HOUR, -1, UNIT_SECOND, &out) && out == -3600);
    CHECK(calendar_truncate_fits(CALENDAR_MONTH, INT64_MAX, UNIT_SECOND, &out));
    CHECK(calendar_truncate_days(CALENDAR_HOUR, 5) == 5 &&
          calendar_truncate_days(CALENDAR_WEEK, 0) == -3);
}

TEST(calendar_fields_have_all_their_names) {
    static const struct {
        const char *word;
        calendar_field field;
    } rows[] = {
        {"Year", CALENDAR_YEAR},     {"YRS", CALENDAR_YEAR},    {"m", CALENDAR_MINUTE},
        {"mon", CALENDAR_MONTH},     {"c", CALENDAR_CENTURY},   {"us", CALENDAR_MICROSECOND},
        {"dayofweek", CALENDAR_DOW}, {"weekday", CALENDAR_DOW}, {"millennia", CALENDAR_MILLENNIUM}};
    calendar_field field;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(calendar_field_of(text_of(rows[i].word), &field) && field == rows[i].field);
    }
    for (int i = 0; i < (int)CALENDAR_FIELD_COUNT; i++) {
        const char *word = calendar_field_word((calendar_field)i);
        CHECK(calendar_field_of(text_of(word), &field) && field == (calendar_field)i);
    }
    CHECK(!calendar_field_of(TEXT(""), &field) && !calendar_field_of(TEXT("fortnight"), &field));
    CHECK(calendar_field_is_truncated(CALENDAR_WEEK) && !calendar_field_is_truncated(CALENDAR_DOW));
}
