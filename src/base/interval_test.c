#include "base/interval.h"

#include <string.h>

#include "base/date_text.h"
#include "base/test.h"

static interval_value interval_of(const char *input) {
    interval_value value = {0};
    CHECK(date_parse_interval(text_of(input), &value) == DATE_OK);
    return value;
}

static int64_t timestamp_of(const char *input) {
    int64_t value = 0;
    CHECK(date_parse_timestamp(text_of(input), UNIT_MICRO, &value) == DATE_OK);
    return value;
}

// Whether an answer that fits is printed so; "ERR" for one that does not fit.
static bool shows(bool fits, interval_value value, const char *expected) {
    char out[INTERVAL_TEXT_SIZE_MAX];
    const size_t size = fits ? date_print_interval(value, out) : 3;
    const char *found = fits ? out : "ERR";
    if (size == strlen(expected) && memcmp(found, expected, size) == 0) {
        return true;
    }
    (void)fprintf(stderr, "\"%.*s\" instead of \"%s\"\n", (int)size, found, expected);
    return false;
}

TEST(interval_compares_with_months_of_30_days_and_days_of_24_hours) {
    CHECK(interval_compare(interval_of("1 month"), interval_of("30 days")) == 0);
    CHECK(interval_compare(interval_of("24 hours"), interval_of("1 day")) == 0);
    CHECK(interval_compare(interval_of("1 month"), interval_of("31 days")) < 0);
    CHECK(interval_compare(interval_of("1 day 1 us"), interval_of("1 day")) > 0);
    CHECK(interval_compare(interval_of("-1 month"), interval_of("1 hour")) < 0);
    const interval_value least = {INT32_MIN, INT32_MIN, INT64_MIN};
    const interval_value most = {INT32_MAX, INT32_MAX, INT64_MAX};
    CHECK(interval_compare(least, most) < 0 && interval_length(least) < interval_length(most));
}

TEST(interval_sums_report_each_part_that_overflows) {
    const interval_value one[] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    const interval_value most = {INT32_MAX, INT32_MAX, INT64_MAX};
    const interval_value least = {INT32_MIN, INT32_MIN, INT64_MIN};
    interval_value out = {7, 7, 7};
    for (size_t i = 0; i < 3; i++) {
        CHECK(!interval_add_fits(most, one[i], &out) && !interval_sub_fits(least, one[i], &out));
        CHECK(interval_sub_fits(most, one[i], &out) && interval_add_fits(least, one[i], &out));
    }
    CHECK(!interval_neg_fits(least, &out) && interval_neg_fits(most, &out));
    CHECK(out.months == -INT32_MAX && out.days == -INT32_MAX && out.nanos == -INT64_MAX);
}

TEST(interval_multiplies_and_divides_as_postgresql_does) {
    static const struct {
        const char *value;
        char operator;
        double number;
        const char *expected;
    } rows[] = {
        {"1 mon", '*', 0.3, "9 days"},
        {"1 mon", '*', 1.5, "1 mon 15 days"},
        {"1 year 1 day 1 sec", '*', 2, "2 years 2 days 00:00:02"},
        {"1 day", '*', 0.1, "02:24:00"},
        {"-1 mons 2 days", '*', 2.5, "-2 mons -10 days"},
        {"1 mon", '/', 7, "4 days 06:51:25.6896"},
        {"1 year", '/', 5, "2 mons 12 days"},
        {"10 days", '/', 4, "2 days 12:00:00"},
        {"1 day", '/', 7, "03:25:42.857143"},
        {"-1 hour", '/', 3, "-00:20:00"},
        {"1 mon", '/', 2, "15 days"},
        {"200000000 days", '*', 100, "ERR"},
        {"1 sec", '*', 1e20, "ERR"},
        {"1 day", '/', 0, "ERR"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        interval_value out = {0};
        const interval_value value = interval_of(rows[i].value);
        const bool fits = rows[i].operator == '*'
                              ? interval_multiply_fits(value, rows[i].number, &out)
                              : interval_divide_fits(value, rows[i].number, &out);
        CHECK(shows(fits, out, rows[i].expected));
    }
}

TEST(interval_multiplies_whole_numbers_exactly_and_keeps_nanoseconds) {
    interval_value out = {0};
    CHECK(interval_multiply_fits((interval_value){0, 0, 3002399751580331}, 3, &out));
    CHECK(out.nanos == 9007199254740993);
    CHECK(interval_multiply_fits((interval_value){0, 0, 3}, 0.5, &out) && out.nanos == 2);
    CHECK(!interval_multiply_fits((interval_value){0, 0, INT64_MAX}, 2, &out));
    CHECK(!interval_multiply_fits((interval_value){INT32_MAX, 0, 0}, 2, &out));
    CHECK(!interval_multiply_fits((interval_value){0, 0, INT64_MAX}, 1.5, &out));
    CHECK(!interval_multiply_fits((interval_value){INT32_MAX, 0, 0}, 1.5, &out));
    CHECK(!interval_multiply_fits((interval_value){1, 0, 0}, __builtin_nan(""), &out));
    CHECK(!interval_multiply_fits((interval_value){1, 0, 0}, __builtin_inf(), &out));
    CHECK(!interval_divide_fits((interval_value){1, 0, 0}, __builtin_nan(""), &out));
    CHECK(interval_divide_fits((interval_value){1, 1, 1}, __builtin_inf(), &out));
    CHECK(out.months == 0 && out.days == 0 && out.nanos == 0);
}

TEST(interval_justifies_as_postgresql_does) {
    static const struct {
        const char *value;
        const char *hours;
        const char *days;
        const char *both;
    } rows[] = {
        {"27 hours", "1 day 03:00:00", "27:00:00", "1 day 03:00:00"},
        {"-27 hours", "-1 days -03:00:00", "-27:00:00", "-1 days -03:00:00"},
        {"1 day -27 hours", "-03:00:00", "1 day -27:00:00", "-03:00:00"},
        {"35 days", "35 days", "1 mon 5 days", "1 mon 5 days"},
        {"-35 days 1 mon", "1 mon -35 days", "-5 days", "-5 days"},
        {"1 mon -1 hour", "1 mon -01:00:00", "1 mon -01:00:00", "29 days 23:00:00"},
        {"1 mon -1 day", "1 mon -1 days", "29 days", "29 days"},
        {"-1 mon 1 hour", "-1 mons +01:00:00", "-1 mons +01:00:00", "-29 days -23:00:00"},
        {"2 days -1 hour", "1 day 23:00:00", "2 days -01:00:00", "1 day 23:00:00"},
        {"-2 days 25 hours", "-23:00:00", "-2 days +25:00:00", "-23:00:00"},
        {"1 year 40 days 50 hours", "1 year 42 days 02:00:00", "1 year 1 mon 10 days 50:00:00",
         "1 year 1 mon 12 days 02:00:00"},
        {"-40 days 1 year", "1 year -40 days", "10 mons 20 days", "10 mons 20 days"},
        {"0 days", "00:00:00", "00:00:00", "00:00:00"},
        {"2147483647 days 24 hours", "ERR", "5965232 years 4 mons 7 days 24:00:00",
         "5965232 years 4 mons 8 days"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        interval_value out = {0};
        const interval_value value = interval_of(rows[i].value);
        CHECK(shows(interval_justify_hours_fits(value, &out), out, rows[i].hours));
        CHECK(shows(interval_justify_days_fits(value, &out), out, rows[i].days));
        CHECK(shows(interval_justify_fits(value, &out), out, rows[i].both));
    }
}

TEST(interval_extracts_what_postgresql_does) {
    static const calendar_field fields[] = {
        CALENDAR_MICROSECOND, CALENDAR_MILLISECOND, CALENDAR_SECOND,  CALENDAR_MINUTE,
        CALENDAR_HOUR,        CALENDAR_DAY,         CALENDAR_MONTH,   CALENDAR_QUARTER,
        CALENDAR_YEAR,        CALENDAR_DECADE,      CALENDAR_CENTURY, CALENDAR_MILLENNIUM,
        CALENDAR_EPOCH};
#define FIELDS (sizeof fields / sizeof *fields)
    static const struct {
        const char *input;
        int64_t expected[FIELDS];
    } rows[] = {
        {"13 years 5 mons 40 days 30:05:06.789",
         {6789000, 6789, 6, 5, 30, 40, 5, 2, 13, 1, 0, 0, 426773106}},
        {"-1 years -2 mons -3 days -04:05:06.5",
         {-6500000, -6500, -6, -5, -4, -3, -2, 1, -1, 0, 0, 0, -37015506}},
        {"1234 years", {0, 0, 0, 0, 0, 0, 0, 1, 1234, 123, 12, 1, 38942078400}},
        {"0 days", {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}},
        {"-13 mons 1 day", {0, 0, 0, 0, 0, 1, -1, 1, -1, 0, 0, 0, -34063200}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const interval_value value = interval_of(rows[i].input);
        for (size_t j = 0; j < FIELDS; j++) {
            int64_t out = 0;
            double number = 0;
            CHECK(interval_extract(fields[j], value, &out) && out == rows[i].expected[j]);
            CHECK(interval_extract_f64(fields[j], value, &number));
            CHECK((int64_t)number == rows[i].expected[j]);
        }
    }
    int64_t out = 0;
    double number = 0;
    const interval_value value = interval_of("1 year 1 mon 1 day 00:00:01.5");
    CHECK(interval_extract_f64(CALENDAR_SECOND, value, &number) && number == 1.5);
    CHECK(interval_extract_f64(CALENDAR_EPOCH, value, &number) && number == 34236001.5);
    CHECK(interval_extract(CALENDAR_NANOSECOND, value, &out) && out == 1500000000);
    CHECK(!interval_extract(CALENDAR_DOW, value, &out) &&
          !interval_extract(CALENDAR_WEEK, value, &out));
    CHECK(!interval_extract_f64(CALENDAR_JULIAN, value, &number));
}

TEST(interval_truncates_as_postgresql_does) {
    static const struct {
        const char *input;
        const char *field;
        const char *expected;
    } rows[] = {
        {"13 years 5 mons 40 days 30:05:06.789", "second", "13 years 5 mons 40 days 30:05:06"},
        {"13 years 5 mons 40 days 30:05:06.789", "minute", "13 years 5 mons 40 days 30:05:00"},
        {"13 years 5 mons 40 days 30:05:06.789", "hour", "13 years 5 mons 40 days 30:00:00"},
        {"13 years 5 mons 40 days 30:05:06.789", "day", "13 years 5 mons 40 days"},
        {"13 years 5 mons 40 days 30:05:06.789", "month", "13 years 5 mons"},
        {"13 years 5 mons 40 days 30:05:06.789", "quarter", "13 years 3 mons"},
        {"13 years 5 mons 40 days 30:05:06.789", "year", "13 years"},
        {"13 years 5 mons 40 days 30:05:06.789", "decade", "10 years"},
        {"13 years 5 mons 40 days 30:05:06.789", "century", "00:00:00"},
        {"13 years 5 mons 40 days 30:05:06.789", "millennium", "00:00:00"},
        {"-1 years -2 mons -3 days -04:05:06.5", "second", "-1 years -2 mons -3 days -04:05:06"},
        {"-1 years -2 mons -3 days -04:05:06.5", "minute", "-1 years -2 mons -3 days -04:05:00"},
        {"-1 years -2 mons -3 days -04:05:06.5", "hour", "-1 years -2 mons -3 days -04:00:00"},
        {"-1 years -2 mons -3 days -04:05:06.5", "day", "-1 years -2 mons -3 days"},
        {"-1 years -2 mons -3 days -04:05:06.5", "month", "-1 years -2 mons"},
        {"-1 years -2 mons -3 days -04:05:06.5", "quarter", "-1 years"},
        {"-1 years -2 mons -3 days -04:05:06.5", "year", "-1 years"},
        {"-1 years -2 mons -3 days -04:05:06.5", "decade", "00:00:00"},
        {"-1 years -2 mons -3 days -04:05:06.5", "century", "00:00:00"},
        {"-1 years -2 mons -3 days -04:05:06.5", "millennium", "00:00:00"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        calendar_field field;
        interval_value out = {0};
        REQUIRE(calendar_field_of(text_of(rows[i].field), &field));
        CHECK(shows(interval_truncate(field, interval_of(rows[i].input), &out), out,
                    rows[i].expected));
    }
    interval_value out = {0};
    CHECK(!interval_truncate(CALENDAR_WEEK, out, &out) &&
          !interval_truncate(CALENDAR_DOW, out, &out));
}

TEST(interval_adds_to_timestamps_as_postgresql_does) {
    static const struct {
        const char *timestamp;
        const char *value;
        const char *expected;
    } rows[] = {
        {"2020-01-31", "1 mon", "2020-02-29 00:00:00"},
        {"2020-01-31", "1 mon 1 day", "2020-03-01 00:00:00"},
        {"2020-03-31", "-1 mon", "2020-02-29 00:00:00"},
        {"2019-03-31", "-1 mon", "2019-02-28 00:00:00"},
        {"2020-02-29", "1 year", "2021-02-28 00:00:00"},
        {"2020-02-29", "-4 years", "2016-02-29 00:00:00"},
        {"2000-01-01", "-1 us", "1999-12-31 23:59:59.999999"},
        {"0001-01-01", "-1 day", "0001-12-31 00:00:00 BC"},
        {"2020-01-01 12:00", "-36 hours", "2019-12-31 00:00:00"},
        {"2020-10-31", "4 mons -31 days 00:00:01.5", "2021-01-28 00:00:01.5"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t out = 0;
        CHECK(interval_add_to_timestamp_fits(interval_of(rows[i].value),
                                             timestamp_of(rows[i].timestamp), UNIT_MICRO, &out));
        CHECK(out == timestamp_of(rows[i].expected));
    }
    int64_t out = 7;
    const interval_value most = {INT32_MAX, INT32_MAX, INT64_MAX};
    const interval_value least = {INT32_MIN, INT32_MIN, INT64_MIN};
    CHECK(!interval_add_to_timestamp_fits(most, 0, UNIT_MICRO, &out));
    CHECK(!interval_add_to_timestamp_fits(least, INT64_MIN, UNIT_SECOND, &out));
    CHECK(!interval_add_to_timestamp_fits(most, INT64_MAX, UNIT_SECOND, &out) && out == 7);
    CHECK(interval_add_to_timestamp_fits(most, 0, UNIT_SECOND, &out));
    CHECK(interval_add_to_timestamp_fits((interval_value){0, 0, 1500}, 0, UNIT_MICRO, &out));
    CHECK(out == 2);
}

TEST(interval_between_timestamps_and_age_are_postgresqls) {
    static const struct {
        const char *left;
        const char *right;
        const char *age;
        const char *between;
    } rows[] = {
        {"2001-04-10", "1957-06-13", "43 years 9 mons 27 days", "16007 days"},
        {"2020-03-01", "2020-01-31", "1 mon 1 day", "30 days"},
        {"2020-01-31", "2020-03-01", "-1 mons -1 days", "-30 days"},
        {"2019-03-01", "2019-02-28", "1 day", "1 day"},
        {"2020-02-29", "2019-02-28", "1 year 1 day", "366 days"},
        {"2020-01-01 00:00", "2019-12-31 23:59:59", "00:00:01", "00:00:01"},
        {"2019-12-31 23:59:59", "2020-01-01 00:00", "-00:00:01", "-00:00:01"},
        {"2020-05-15", "2020-05-15", "00:00:00", "00:00:00"},
        {"2020-12-31 12:00", "2020-11-30 13:00", "1 mon 23:00:00", "30 days 23:00:00"},
        {"2000-01-01", "0044-03-15 BC", "2042 years 9 mons 17 days", "746117 days"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        interval_value out = {0};
        const int64_t left = timestamp_of(rows[i].left);
        const int64_t right = timestamp_of(rows[i].right);
        CHECK(shows(interval_age_fits(left, right, UNIT_MICRO, &out), out, rows[i].age));
        CHECK(shows(interval_between_fits(left, right, UNIT_MICRO, &out), out, rows[i].between));
    }
    interval_value out = {0};
    CHECK(!interval_between_fits(INT64_MAX, INT64_MIN, UNIT_SECOND, &out));
    CHECK(!interval_age_fits(INT64_MAX, INT64_MIN, UNIT_SECOND, &out));
    CHECK(interval_between_fits(INT64_MAX, INT64_MIN, UNIT_MICRO, &out));
    CHECK(interval_age_fits(INT64_MIN, INT64_MAX, UNIT_NANO, &out) && out.months == -584 * 12 - 6);
}
