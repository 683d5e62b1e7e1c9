#include "base/date_text.h"

#include <string.h>

#include "base/test.h"

// Whether an answer is printed so; "ERR" stands for one that is none.
static bool shows(bool is_right, const char *out, size_t size, const char *expected) {
    const char *found = is_right ? out : "ERR";
    const size_t found_size = is_right ? size : 3;
    if (found_size == strlen(expected) && memcmp(found, expected, found_size) == 0) {
        return true;
    }
    (void)fprintf(stderr, "\"%.*s\" instead of \"%s\"\n", (int)found_size, found, expected);
    return false;
}

TEST(date_text_reads_and_prints_dates) {
    static const struct {
        const char *input;
        const char *expected;
    } rows[] = {
        {"2020-01-02", "2020-01-02"},
        {"2020-1-2", "2020-01-02"},
        {"2020/01/02", "2020-01-02"},
        {"20200102", "2020-01-02"},
        {"12020-01-02", "12020-01-02"},
        {"0044-03-15 BC", "0044-03-15 BC"},
        {"0044-03-15BC", "0044-03-15 BC"},
        {"2020-01-02 AD", "2020-01-02"},
        {"0001-01-01", "0001-01-01"},
        {"0001-01-01 BC", "0001-01-01 BC"},
        {"2020-02-30", "ERR"},
        {"2020-13-01", "ERR"},
        {"2020-00-01", "ERR"},
        {"2021-02-29", "ERR"},
        {"1900-02-29", "ERR"},
        {"2000-02-29", "2000-02-29"},
        {"5874897-12-31", "5874897-12-31"},
        {"2020-01-02 03:04:05", "2020-01-02"},
        {"2020-01-02T03:04:05Z", "2020-01-02"},
        {"  2020-01-02  ", "2020-01-02"},
        {"", "ERR"},
        {"x", "ERR"},
        {"2020-01", "ERR"},
        {"2020-01-02x", "ERR"},
        {"2020-01-02 25:00", "ERR"},
        {"4713-01-01 BC", "4713-01-01 BC"},
        {"0000-01-01", "0001-01-01 BC"},
        {"-0043-03-15", "0044-03-15 BC"},
        {"+12345-01-02", "12345-01-02"},
        {"5881580-07-11", "5881580-07-11"},
        {"5881580-07-12", "ERR"},
        {"-5877641-06-23", "5877642-06-23 BC"},
        {"-5877641-06-22", "ERR"},
        {"-0043-03-15 BC", "ERR"},
        {"0000-01-01 BC", "ERR"},
        {"1/8/1999", "ERR"},
        {"99-01-08", "ERR"},
        {"2020-01/02", "ERR"},
        {"2020-001-02", "ERR"},
        {"2020-01-002", "ERR"},
        {"300000000001-01-01", "ERR"},
        {"99999999999999999999-01-01", "ERR"},
        {"99999999999999999999-02-30 BC", "ERR"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t days = 0;
        char out[DATE_TEXT_SIZE_MAX];
        const bool is_right = date_parse_date(text_of(rows[i].input), &days) == DATE_OK;
        CHECK(shows(is_right, out, date_print_date(days, out), rows[i].expected));
    }
}

TEST(date_text_reads_and_prints_timestamps) {
    static const struct {
        const char *input;
        const char *expected;
    } rows[] = {
        {"2020-01-02 03:04:05", "2020-01-02 03:04:05"},
        {"2020-01-02 03:04:05.5", "2020-01-02 03:04:05.5"},
        {"2020-01-02T03:04:05.123456", "2020-01-02 03:04:05.123456"},
        {"2020-01-02t03:04", "2020-01-02 03:04:00"},
        {"2020-01-02", "2020-01-02 00:00:00"},
        {"2020-01-02 3:4:5", "2020-01-02 03:04:05"},
        {"2020-01-02 03:04:05.1234564", "2020-01-02 03:04:05.123456"},
        {"2020-01-02 23:59:59.9999999", "2020-01-03 00:00:00"},
        {"2020-01-02 24:00:00", "2020-01-03 00:00:00"},
        {"2020-01-02 24:00:01", "ERR"},
        {"2020-01-02 23:59:60", "2020-01-03 00:00:00"},
        {"2020-01-02 12:30 AM", "2020-01-02 00:30:00"},
        {"2020-01-02 12:30 pm", "2020-01-02 12:30:00"},
        {"2020-01-02 1:30:15.5PM", "2020-01-02 13:30:15.5"},
        {"2020-01-02 13:30 PM", "ERR"},
        {"20200102T030405.25", "2020-01-02 03:04:05.25"},
        {"epoch", "1970-01-01 00:00:00"},
        {"0044-03-15 12:00:00 BC", "0044-03-15 12:00:00 BC"},
        {"2020-01-02 03:04:05Z", "2020-01-02 03:04:05"},
        {"294246-12-31 23:59:59.999999", "294246-12-31 23:59:59.999999"},
        {"2020-01-02 03", "ERR"},
        {"2020-01-02 03:60", "ERR"},
        {"2020-01-02 03:04:61", "ERR"},
        {"2020-01-02  03:04:05", "2020-01-02 03:04:05"},
        {"2020-01-02 03:04:05.1234565", "2020-01-02 03:04:05.123457"},
        {"2020-01-02 03:04:05.12345649999999999", "2020-01-02 03:04:05.123456"},
        {"20200102T030405", "2020-01-02 03:04:05"},
        {"294247-01-10 04:00:54.775807", "294247-01-10 04:00:54.775807"},
        {"294247-01-10 04:00:54.775808", "ERR"},
        {"-290308-12-21 19:59:05.224192", "290309-12-21 19:59:05.224192 BC"},
        {"-290308-12-21 19:59:05.224191", "ERR"},
        {"2020-01-02 03:04:05 Europe/Berlin", "ERR"},
        {"2020-01-02T", "ERR"},
        {"2020-01-02 03:04:05.", "ERR"},
        {"2020-01-02 03:04:", "ERR"},
        {"2020-01-02 003:04", "ERR"},
        {"2020-01-02 03:004", "ERR"},
        {"2020-01-02 03:04:05 6", "ERR"},
        {"2020-01-02 03:04:05 AD", "2020-01-02 03:04:05"},
        {"epochs", "ERR"},
        {"epoch 1", "ERR"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = 0;
        char out[DATE_TEXT_SIZE_MAX];
        const bool is_right =
            date_parse_timestamp(text_of(rows[i].input), UNIT_MICRO, &value) == DATE_OK;
        const size_t size = date_print_timestamp(value, UNIT_MICRO, &DATE_STYLE_SQL, out);
        CHECK(shows(is_right, out, size, rows[i].expected));
    }
}

TEST(date_text_offsets_give_the_time_in_utc) {
    static const struct {
        const char *input;
        const char *expected;
    } rows[] = {
        {"2020-01-02 03:04:05+02", "2020-01-02 01:04:05+00"},
        {"2020-01-02 03:04:05 +02", "2020-01-02 01:04:05+00"},
        {"2020-01-02 03:04:05-0330", "2020-01-02 06:34:05+00"},
        {"2020-01-02 03:04:05+05:45", "2020-01-01 21:19:05+00"},
        {"2020-01-02 03:04:05+01:02:03", "2020-01-02 02:02:02+00"},
        {"2020-01-02 03:04:05+16", "ERR"},
        {"2020-01-02 03:04:05+15:59", "2020-01-01 11:05:05+00"},
        {"2020-01-02 03:04:05+2:60", "ERR"},
        {"2020-01-02T03:04:05Z", "2020-01-02 03:04:05+00"},
        {"2020-01-02 03:04:05 UTC", "2020-01-02 03:04:05+00"},
        {"2020-01-02 03:04:05 gmt", "2020-01-02 03:04:05+00"},
        {"0001-01-01 00:00:00+01", "0001-12-31 23:00:00+00 BC"},
        {"0044-03-15 12:00:00+01 BC", "0044-03-15 11:00:00+00 BC"},
        {"2020-01-02 03:04:05+", "ERR"},
        {"2020-01-02 03:04:05+023", "ERR"},
        {"2020-01-02 03:04:05+02:3", "ERR"},
        {"2020-01-02 03:04:05zulu", "2020-01-02 03:04:05+00"},
        {"2020-01-02 03:04+2", "2020-01-02 01:04:00+00"},
        {"2020-01-02 03:04:05+02:30 AD", "2020-01-02 00:34:05+00"},
    };
    date_style style = DATE_STYLE_SQL;
    style.has_offset = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = 0;
        char out[DATE_TEXT_SIZE_MAX];
        const bool is_right =
            date_parse_timestamp(text_of(rows[i].input), UNIT_MICRO, &value) == DATE_OK;
        const size_t size = date_print_timestamp(value, UNIT_MICRO, &style, out);
        CHECK(shows(is_right, out, size, rows[i].expected));
    }
}

TEST(date_text_answers_tell_wrong_forms_from_wrong_values) {
    static const struct {
        const char *input;
        date_answer answer;
    } rows[] = {
        {"x", DATE_SYNTAX},
        {"2020-01-02 3", DATE_SYNTAX},
        {"2020-02-30", DATE_RANGE},
        {"2020-01-01 25:00", DATE_RANGE},
        {"2020-01-01 00:00+16", DATE_RANGE},
        {"999999-01-01", DATE_RANGE},
        {"2020-01-01 00:00 Nowhere/Else", DATE_SYNTAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = 7;
        CHECK(date_parse_timestamp(text_of(rows[i].input), UNIT_MICRO, &value) == rows[i].answer);
        CHECK(value == 7);
    }
    date_parts parts;
    CHECK(date_parse_parts(TEXT("2020-01-02 03:04:05 Etc/GMT+5 BC"), &parts) == DATE_OK);
    CHECK(parts.zone == DATE_ZONE_NAME && text_equal(parts.zone_name, TEXT("Etc/GMT+5")));
    CHECK(date_parse_parts(TEXT("2020-01-02 03:04:05 BC"), &parts) == DATE_OK);
    CHECK(parts.zone == DATE_ZONE_NONE);
}

TEST(date_text_rounds_to_each_unit) {
    static const struct {
        const char *input;
        int64_t expected[4];
    } rows[] = {
        {"1970-01-01 00:00:00.4999999999", {0, 500, 500000, 500000000}},
        {"1970-01-01 00:00:00.5", {1, 500, 500000, 500000000}},
        {"1970-01-01 00:00:00.0005004999999999", {0, 1, 500, 500500}},
        {"1970-01-01 00:00:00.1234567894", {0, 123, 123457, 123456789}},
        {"1970-01-01 00:00:00.1234567895", {0, 123, 123457, 123456790}},
        {"1969-12-31 23:59:59.5", {0, -500, -500000, -500000000}},
        {"1969-12-31 23:59:59.4999", {-1, -500, -500100, -500100000}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int unit = 0; unit < 4; unit++) {
            int64_t value = 0;
            CHECK(date_parse_timestamp(text_of(rows[i].input), (time_unit)unit, &value) == DATE_OK);
            CHECK(value == rows[i].expected[unit]);
        }
    }
    int64_t value = 0;
    CHECK(date_parse_timestamp(TEXT("2262-04-11 23:47:16.854775807"), UNIT_NANO, &value) ==
          DATE_OK);
    CHECK(value == INT64_MAX);
    CHECK(date_parse_timestamp(TEXT("2262-04-11 23:47:16.8547758075"), UNIT_NANO, &value) ==
          DATE_RANGE);
    CHECK(date_parse_timestamp(TEXT("1677-09-21 00:12:43.145224192"), UNIT_NANO, &value) ==
          DATE_OK);
    CHECK(value == INT64_MIN);
}

TEST(date_text_reads_and_prints_times_of_the_day) {
    static const struct {
        const char *input;
        const char *expected;
    } rows[] = {
        {"03:04:05", "03:04:05"},
        {"3:04", "03:04:00"},
        {"03:04:05.123456789", "03:04:05.123457"},
        {"24:00:00", "24:00:00"},
        {"24:00:00.1", "ERR"},
        {"23:59:59.9999999", "24:00:00"},
        {"23:59:60", "24:00:00"},
        {"23:59:60.5", "ERR"},
        {"00:00:60", "00:01:00"},
        {"11:30 PM", "23:30:00"},
        {"12:00am", "00:00:00"},
        {"0:15 AM", "00:15:00"},
        {"13:00 AM", "ERR"},
        {"25:00", "ERR"},
        {"12:60", "ERR"},
        {"12:00:61", "ERR"},
        {"12", "ERR"},
        {"", "ERR"},
        {"12:00 x y", "ERR"},
        {"12:00:00+02", "12:00:00"},
        {"12:00:00 CEST", "12:00:00"},
        {"12:00:00 lunch", "ERR"},
        {"T123456.5", "12:34:56.5"},
        {"2020-01-01", "ERR"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = 0;
        char out[DATE_TEXT_SIZE_MAX];
        const bool is_right =
            date_parse_time(text_of(rows[i].input), UNIT_MICRO, &value) == DATE_OK;
        const size_t size = date_print_time(value, UNIT_MICRO, &DATE_STYLE_SQL, out);
        CHECK(shows(is_right, out, size, rows[i].expected));
    }
}

TEST(date_text_prints_in_any_style) {
    static const struct {
        date_style style;
        const char *expected;
    } rows[] = {
        {{' ', DATE_DIGITS_NEEDED, false, false, 0}, "1969-12-31 23:59:59.5"},
        {{'T', 6, false, false, 0}, "1969-12-31T23:59:59.500000"},
        {{'T', 9, true, true, 0}, "1969-12-31T23:59:59.500000000+00:00"},
        {{' ', 0, true, false, 3600}, "1970-01-01 00:59:59+01"},
        {{' ', 1, true, false, -12600}, "1969-12-31 20:29:59.5-03:30"},
        {{' ', 3, true, false, 3605}, "1970-01-01 01:00:04.500+01:00:05"},
        {{' ', 3, true, true, -34}, "1969-12-31 23:59:25.500-00:00:34"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[DATE_TEXT_SIZE_MAX];
        const size_t size = date_print_timestamp(-500, UNIT_MILLI, &rows[i].style, out);
        CHECK(shows(true, out, size, rows[i].expected));
    }
    // The longest there is.
    const date_style longest = {' ', 9, true, true, -57599};
    char out[DATE_TEXT_SIZE_MAX];
    const size_t size = date_print_timestamp(INT64_MIN, UNIT_SECOND, &longest, out);
    CHECK(shows(true, out, size, "292277022658-01-26 16:29:53.000000000-15:59:59 BC"));
}

TEST(date_text_timestamps_round_trip) {
    uint64_t seed = 14;
    for (int i = 0; i < 20000; i++) {
        const int64_t value = (int64_t)test_random(&seed) >> (test_random(&seed) % 50);
        const time_unit unit = (time_unit)(i % 4);
        char out[DATE_TEXT_SIZE_MAX];
        int64_t back = 0;
        const text printed = {.data = out,
                              .size = date_print_timestamp(value, unit, &DATE_STYLE_SQL, out)};
        CHECK(date_parse_timestamp(printed, unit, &back) == DATE_OK && back == value);
    }
}

static const struct interval_row {
    const char *input;
    const char *expected;
} interval_rows[] = {
    {"1 year 2 mons 3 days 04:05:06.5", "1 year 2 mons 3 days 04:05:06.5"},
    {"1 year 2 months 3 days 4 hours 5 minutes 6.5 seconds", "1 year 2 mons 3 days 04:05:06.5"},
    {"P1Y2M3DT4H5M6.5S", "1 year 2 mons 3 days 04:05:06.5"},
    {"P1W", "7 days"},
    {"PT36H", "36:00:00"},
    {"P-1Y2M", "-10 mons"},
    {"P0001-02-03T04:05:06", "1 year 2 mons 3 days 04:05:06"},
    {"PT4:05:06", "04:05:06"},
    {"P1.5D", "1 day 12:00:00"},
    {"1-2", "1 year 2 mons"},
    {"-1-2", "-1 years -2 mons"},
    {"1-12", "ERR"},
    {"1 04:05", "1 day 04:05:00"},
    {"-1 04:05:06", "-1 days +04:05:06"},
    {"1 -04:05:06", "1 day -04:05:06"},
    {"04:05", "04:05:00"},
    {"4:5", "04:05:00"},
    {"04:05.5", "00:04:05.5"},
    {"-04:05:06.123456", "-04:05:06.123456"},
    {"100:00:00", "100:00:00"},
    {"04:60:00", "ERR"},
    {"04:05:60", "04:06:00"},
    {"1.5 weeks", "10 days 12:00:00"},
    {"1.5 months", "1 mon 15 days"},
    {"1.5 years", "1 year 6 mons"},
    {"1.04 years", "1 year"},
    {"1.5 days", "1 day 12:00:00"},
    {"-1.5 hours", "-01:30:00"},
    {"0.1 mins", "00:00:06"},
    {"1", "00:00:01"},
    {"1.5", "00:00:01.5"},
    {"-3", "-00:00:03"},
    {"2 weeks ago", "-14 days"},
    {"1 year -2 mons ago", "-10 mons"},
    {"@ 1 minute", "00:01:00"},
    {"@ 1 day ago", "-1 days"},
    {"1m", "00:01:00"},
    {"1 mon", "1 mon"},
    {"1mon2d", "1 mon 2 days"},
    {"3 decades", "30 years"},
    {"1 century", "100 years"},
    {"2 c", "200 years"},
    {"1 mil", "1000 years"},
    {"1.5 centuries", "150 years"},
    {"100 ms", "00:00:00.1"},
    {"100 us", "00:00:00.0001"},
    {"1 y 2 w", "1 year 14 days"},
    {"", "ERR"},
    {"@", "ERR"},
    {"ago", "ERR"},
    {"1 fortnight", "ERR"},
    {"1 year 2", "1 year 00:00:02"},
    {"1 2", "ERR"},
    {"year", "ERR"},
    {"1 dow", "ERR"},
    {"1 year 04", "1 year 00:00:04"},
    {"P", "ERR"},
    {"P1Y-", "ERR"},
    {"PT1Y", "ERR"},
    {"P1H", "ERR"},
    {"200000000 years", "ERR"},
    {"-178956970 years -8 mons", "-178956970 years -8 mons"},
    {"178956970 years 8 mons", "ERR"},
    {"2147483647 days", "2147483647 days"},
    {"2147483648 days", "ERR"},
    {"-2147483648 days", "-2147483648 days"},
    {"2562047:00:00", "2562047:00:00"},
    {"1 yearr", "ERR"},
    {"1e3 days", "ERR"},
    {"1:2:3:4", "ERR"},
    {"--1 day", "ERR"},
    {"P1", "ERR"},
    {"PT", "ERR"},
    {"+ 1 day", "ERR"},
    {"1 quarter", "3 mons"},
    {"0.5 quarters", "1 mon 15 days"},
    {"1 ns", "00:00:00.000000001"},
    {"0.4 ns", "00:00:00"},
    {"1 day 2 days", "3 days"},
    {"999999999999999999 years", "ERR"},
    {"9999999999999999999 years", "ERR"},
    {"2562047:47:16.854775807", "2562047:47:16.854775807"},
    {"2562047:47:16.854775808", "ERR"},
    {"-2562047:47:16.854775808", "-2562047:47:16.854775808"},
    {"1 day ago ago", "ERR"},
    {"1.5-2", "ERR"},
    {"1-2-3", "ERR"},
    {"04:05:06-1", "ERR"},
    {"04:05:06 -1", "04:05:05"},
    {"1.5:00", "ERR"},
    {"P1Y2M3DT4H5M6.5Sx", "ERR"},
};

TEST(date_text_reads_and_prints_intervals) {
    for (size_t i = 0; i < sizeof interval_rows / sizeof *interval_rows; i++) {
        interval_value value = {0};
        char out[INTERVAL_TEXT_SIZE_MAX];
        const bool is_right =
            date_parse_interval(text_of(interval_rows[i].input), &value) == DATE_OK;
        CHECK(shows(is_right, out, date_print_interval(value, out), interval_rows[i].expected));
    }
    CHECK(date_parse_interval(TEXT("1-12"), &(interval_value){0}) == DATE_RANGE);
    CHECK(date_parse_interval(TEXT("1:60"), &(interval_value){0}) == DATE_RANGE);
    CHECK(date_parse_interval(TEXT("9223372037 s"), &(interval_value){0}) == DATE_LARGE);
    CHECK(date_parse_interval(TEXT("2147483648 days"), &(interval_value){0}) == DATE_LARGE);
    CHECK(date_parse_interval(TEXT("1 s 178956971 y"), &(interval_value){0}) == DATE_LARGE);
    CHECK(date_parse_interval(TEXT("1 dow"), &(interval_value){0}) == DATE_SYNTAX);
}

TEST(date_text_interval_fields_say_what_a_number_means) {
    static const struct {
        const char *input;
        calendar_field first;
        calendar_field last;
        const char *expected;
    } rows[] = {
        {"3", CALENDAR_DAY, CALENDAR_DAY, "3 days"},
        {"1-2", CALENDAR_YEAR, CALENDAR_MONTH, "1 year 2 mons"},
        {"5", CALENDAR_YEAR, CALENDAR_MONTH, "5 mons"},
        {"1 2:03", CALENDAR_DAY, CALENDAR_MINUTE, "1 day 02:03:00"},
        {"1 2:03:04", CALENDAR_DAY, CALENDAR_HOUR, "1 day 02:00:00"},
        {"1:30", CALENDAR_MINUTE, CALENDAR_SECOND, "00:01:30"},
        {"1:30", CALENDAR_HOUR, CALENDAR_MINUTE, "01:30:00"},
        {"1:30", CALENDAR_HOUR, CALENDAR_SECOND, "01:30:00"},
        {"1 day 2 hours", CALENDAR_DAY, CALENDAR_DAY, "1 day"},
        {"1.5", CALENDAR_HOUR, CALENDAR_HOUR, "01:00:00"},
        {"1.5", CALENDAR_YEAR, CALENDAR_YEAR, "1 year"},
        {"13", CALENDAR_MONTH, CALENDAR_MONTH, "1 year 1 mon"},
        {"100", CALENDAR_SECOND, CALENDAR_SECOND, "00:01:40"},
        {"2 years 3 mons 4 days", CALENDAR_MONTH, CALENDAR_MONTH, "2 years 3 mons"},
        {"1:30:15", CALENDAR_HOUR, CALENDAR_HOUR, "01:00:00"},
        {"2 years 3 mons", CALENDAR_YEAR, CALENDAR_YEAR, "2 years"},
        {"30", CALENDAR_HOUR, CALENDAR_MINUTE, "00:30:00"},
        {"1", CALENDAR_DAY, CALENDAR_SECOND, "00:00:01"},
        {"3", CALENDAR_WEEK, CALENDAR_WEEK, "21 days"},
        {"3", CALENDAR_QUARTER, CALENDAR_QUARTER, "9 mons"},
        {"x", CALENDAR_DAY, CALENDAR_DAY, "ERR"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        interval_value value = {0};
        char out[INTERVAL_TEXT_SIZE_MAX];
        const bool is_right = date_parse_interval_between(text_of(rows[i].input), rows[i].first,
                                                          rows[i].last, &value) == DATE_OK;
        CHECK(shows(is_right, out, date_print_interval(value, out), rows[i].expected));
    }
}

TEST(date_text_intervals_round_trip) {
    uint64_t seed = 15;
    for (int i = 0; i < 20000; i++) {
        const interval_value value = {
            .months = (int32_t)((int64_t)test_random(&seed) >> (32 + test_random(&seed) % 32)),
            .days = (int32_t)((int64_t)test_random(&seed) >> (32 + test_random(&seed) % 32)),
            .nanos = (int64_t)test_random(&seed) >> (test_random(&seed) % 64)};
        char out[INTERVAL_TEXT_SIZE_MAX];
        interval_value back = {0};
        const text printed = {.data = out, .size = date_print_interval(value, out)};
        CHECK(date_parse_interval(printed, &back) == DATE_OK);
        CHECK(back.months == value.months && back.days == value.days && back.nanos == value.nanos);
    }
}
