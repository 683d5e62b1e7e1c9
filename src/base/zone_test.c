#include "base/zone.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/host.h"
#include "base/test.h"

// ---- A file made by hand ------------------------------------------------------------------------

typedef struct zone_file {
    uint8_t data[600];
    size_t size;
} zone_file;

static void put(zone_file *self, const void *bytes_in, size_t size) {
    if (size > 0 && size <= sizeof self->data - self->size) {
        memcpy(self->data + self->size, bytes_in, size);
        self->size += size;
    }
}

static void put_number(zone_file *self, int64_t value, size_t size) {
    for (size_t i = size; i > 0; i--) {
        const uint8_t byte = (uint8_t)((uint64_t)value >> (8 * (i - 1)) & 0xff);
        put(self, &byte, 1);
    }
}

typedef struct zone_sample {
    const int64_t *times;
    const uint8_t *kinds_at;
    uint32_t count;
    uint32_t leap_count;
} zone_sample;

// Kinds: 0 local mean time +00:20, 1 winter +01, 2 summer +02.
static void put_block(zone_file *self, char version, const zone_sample *sample, size_t time_size) {
    static const char words[] = "LMT\0CET\0CEST";
    put(self, "TZif", 4);
    put(self, &version, 1);
    put(self, (const char[15]){0}, 15);
    put_number(self, 0, 4);
    put_number(self, 0, 4);
    put_number(self, sample->leap_count, 4);
    put_number(self, sample->count, 4);
    put_number(self, 3, 4);
    put_number(self, sizeof words, 4);
    for (uint32_t i = 0; i < sample->count; i++) {
        put_number(self, sample->times[i], time_size);
    }
    put(self, sample->kinds_at, sample->count);
    const struct {
        int32_t offset;
        uint8_t is_summer;
        uint8_t word;
    } kinds[] = {{1200, 0, 0}, {3600, 0, 4}, {7200, 1, 8}};
    for (size_t i = 0; i < 3; i++) {
        put_number(self, kinds[i].offset, 4);
        put(self, &kinds[i].is_summer, 1);
        put(self, &kinds[i].word, 1);
    }
    put(self, words, sizeof words);
    for (uint32_t i = 0; i < sample->leap_count; i++) {
        put(self, (const char[12]){0}, time_size + 4);
    }
}

static const int64_t sample_times[] = {-1000000, 0, 10000000, 20000000};
static const uint8_t sample_kinds[] = {1, 2, 1, 2};

static zone_file make_file(char version, const char *rule) {
    const zone_sample sample = {sample_times, sample_kinds, 4, 0};
    const zone_sample none = {NULL, NULL, 0, 0};
    zone_file self = {.size = 0};
    put_block(&self, version, version == 0 ? &sample : &none, 4);
    if (version != 0) {
        put_block(&self, version, &sample, 8);
        put(&self, rule, strlen(rule));
    }
    return self;
}

static bytes content(const zone_file *self) {
    return (bytes){.data = self->data, .size = self->size};
}

TEST(zone_reads_files_of_every_version) {
    for (int version = 0; version < 3; version++) {
        const zone_file file = make_file("\0"
                                         "23"[version],
                                         "\nCET-1CEST,M3.5.0,M10.5.0/3\n");
        firn_error err = ERR_INIT;
        zone berlin;
        REQUIRE(zone_open(&berlin, content(&file), &err) == FIRN_OK);
        const struct {
            int64_t at;
            int64_t from;
            int64_t until;
            int32_t offset;
            const char *word;
        } rows[] = {{-1000001, INT64_MIN, -1000000, 1200, "LMT"},
                    {INT64_MIN, INT64_MIN, -1000000, 1200, "LMT"},
                    {-1000000, -1000000, 0, 3600, "CET"},
                    {0, 0, 10000000, 7200, "CEST"},
                    {19999999, 10000000, 20000000, 3600, "CET"}};
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            zone_period period;
            zone_period_of(&berlin, rows[i].at, &period);
            CHECK(period.from == rows[i].from && period.until == rows[i].until);
            CHECK(period.offset_seconds == rows[i].offset);
            CHECK(text_equal(period.word, text_of(rows[i].word)));
            CHECK(period.is_summer == (rows[i].offset == 7200));
        }
        zone_period last;
        zone_period_of(&berlin, 1600000000, &last); // 2020-09-13
        CHECK(last.offset_seconds == 7200 && last.is_summer);
        CHECK(version == 0 ? last.until == INT64_MAX : last.until == 1603587600);
    }
}

TEST(zone_without_a_rule_keeps_its_last_offset) {
    const zone_file file = make_file('2', "\n\n");
    firn_error err = ERR_INIT;
    zone found;
    zone_period period;
    REQUIRE(zone_open(&found, content(&file), &err) == FIRN_OK);
    zone_period_of(&found, 5000000000, &period);
    CHECK(period.offset_seconds == 7200 && period.until == INT64_MAX && period.from == 20000000);
}

TEST(zone_refuses_what_is_corrupt) {
    static const int64_t falling[] = {5, 4};
    static const int64_t beyond[] = {INT64_MAX};
    static const uint8_t unknown[] = {3, 3};
    const struct {
        const char *message;
        zone_sample sample;
        const char *rule;
        firn_status status;
    } rows[] = {
        {"transition 1 of a time zone is not after the last",
         {falling, sample_kinds, 2, 0},
         "\n\n",
         FIRN_CORRUPT},
        {"transition 0 of a time zone is out of all time",
         {beyond, sample_kinds, 1, 0},
         "\n\n",
         FIRN_CORRUPT},
        {"transition 0 of a time zone to offset 3 of 3",
         {sample_times, unknown, 2, 0},
         "\n\n",
         FIRN_CORRUPT},
        {"counts leap seconds", {sample_times, sample_kinds, 2, 2}, "\n\n", FIRN_UNSUPPORTED},
        {"without a last line", {sample_times, sample_kinds, 2, 0}, "", FIRN_CORRUPT},
        {"without a last line", {sample_times, sample_kinds, 2, 0}, "\nUTC0", FIRN_CORRUPT},
        {"without a last line", {sample_times, sample_kinds, 2, 0}, "UTC0\n", FIRN_CORRUPT},
        {"the rule \"CET\"", {sample_times, sample_kinds, 2, 0}, "\nCET\n", FIRN_CORRUPT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const zone_sample none = {NULL, NULL, 0, 0};
        zone_file file = {.size = 0};
        put_block(&file, '2', &none, 4);
        put_block(&file, '2', &rows[i].sample, 8);
        put(&file, rows[i].rule, strlen(rows[i].rule));
        firn_error err = ERR_INIT;
        zone found;
        CHECK(zone_open(&found, content(&file), &err) == rows[i].status);
        CHECK(strstr(err.text, rows[i].message) != NULL);
    }
    // Cut off anywhere, and with each byte of the second header changed.
    const zone_file whole = make_file('2', "\nUTC0\n");
    for (size_t size = 0; size < whole.size; size++) {
        zone_file file = whole;
        file.size = size;
        firn_error err = ERR_INIT;
        zone found;
        CHECK(zone_open(&found, content(&file), &err) == FIRN_CORRUPT);
    }
    for (size_t at = 0; at < whole.size; at++) {
        zone_file file = whole;
        file.data[at] ^= 0x80;
        firn_error err = ERR_INIT;
        zone found;
        zone_period period;
        if (zone_open(&found, content(&file), &err) == FIRN_OK) {
            zone_period_of(&found, 15000000, &period);
        }
    }
}

// ---- Rules --------------------------------------------------------------------------------------

TEST(zone_rules_change_the_clocks_when_they_say) {
    const struct {
        const char *rule;
        const char *utc; // The first instant of the period ...
        int32_t offset;  // ... and its offset.
    } rows[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2021-03-28 01:00:00", 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2021-10-31 01:00:00", 3600},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "9999-10-31 01:00:00", 3600},
        {"EST5EDT,M3.2.0,M11.1.0", "2021-03-14 07:00:00", -14400},
        {"EST5EDT,M3.2.0,M11.1.0", "2021-11-07 06:00:00", -18000},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2021-10-02 16:00:00", 39600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2022-04-02 16:00:00", 36000},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2021-10-31 01:00:00", 0},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2022-03-27 01:00:00", 3600},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31 01:00:00", -3600},
        {"IST-2IDT,M3.4.4/26,M10.5.0", "2021-03-26 00:00:00", 10800},
        {"<+0330>-3:30<+0430>,J79/24,J263/24", "2021-03-20 20:30:00", 16200},
        {"<+0330>-3:30<+0430>,J79/24,J263/24", "2024-09-20 19:30:00", 12600},
        {"XXX0YYY,59,J90", "2021-03-01 02:00:00", 3600},
        {"XXX0YYY,59,J90", "2024-02-29 02:00:00", 3600},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        zone found = {.has_rule = true};
        zone_period period;
        int64_t at = 0;
        REQUIRE(zone_rule_parse(text_of(rows[i].rule), &found.rule));
        REQUIRE(date_parse_timestamp(text_of(rows[i].utc), UNIT_SECOND, &at) == DATE_OK);
        zone_period_of(&found, at, &period);
        CHECK(period.offset_seconds == rows[i].offset && period.from == at);
        zone_period_of(&found, at - 1, &period);
        CHECK(period.offset_seconds != rows[i].offset && period.until == at);
    }
}

TEST(zone_rules_of_eternal_summer_never_leave_it) {
    zone found = {.has_rule = true};
    REQUIRE(zone_rule_parse(TEXT("XXX3EDT4,0/0,J365/23"), &found.rule));
    zone_period period;
    for (int64_t at = 1600000000; at < 1700000000; at += 86400) {
        zone_period_of(&found, at, &period);
        CHECK(period.offset_seconds == -14400 && period.is_summer);
    }
}

TEST(zone_rules_that_are_none_are_refused) {
    static const char *const wrong[] = {"",
                                        "C",
                                        "CE-1",
                                        "CET",
                                        "CET-",
                                        "CET-1:",
                                        "CET-25",
                                        "CET-1:60",
                                        "CET-1CEST",
                                        "CET-1CEST,M3.5.0",
                                        "CET-1CEST,M3.5.0,",
                                        "CET-1CEST,M13.5.0,M10.5.0",
                                        "CET-1CEST,M3.6.0,M10.5.0",
                                        "CET-1CEST,M3.0.0,M10.5.0",
                                        "CET-1CEST,M3.5.7,M10.5.0",
                                        "CET-1CEST,M3.5,M10.5.0",
                                        "CET-1CEST,J0,J1",
                                        "CET-1CEST,J366,J1",
                                        "CET-1CEST,366,1",
                                        "CET-1CEST,M3.5.0/168,M10.5.0",
                                        "CET-1CEST,M3.5.0,M10.5.0x",
                                        "<CET-1",
                                        "<>-1",
                                        "CET-1CEST;M3.5.0,M10.5.0",
                                        "CET-1CEST99,M3.5.0,M10.5.0"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        zone_rule rule;
        CHECK(!zone_rule_parse(text_of(wrong[i]), &rule));
    }
    zone_rule rule;
    CHECK(zone_rule_parse(TEXT("<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45:30"), &rule));
    CHECK(rule.offset_seconds == 45900 && rule.summer_offset_seconds == 49500);
    CHECK(rule.summer_end.seconds == 13530 && text_equal(rule.word, TEXT("+1245")));
    CHECK(!zone_rule_parse((text){0}, &rule));
}

// ---- Names --------------------------------------------------------------------------------------

static int32_t offset_at_zero(const zone *self) {
    zone_period period;
    zone_period_of(self, 0, &period);
    CHECK(period.from == INT64_MIN && period.until == INT64_MAX);
    return period.offset_seconds;
}

TEST(zone_offsets_and_abbreviations_need_no_file) {
    const struct {
        const char *name;
        int32_t offset;
        bool is_offset;
        bool is_abbreviation;
    } rows[] = {
        {"UTC", 0, true, true},
        {"utc", 0, true, true},
        {"z", 0, true, true},
        {"GMT", 0, true, true},
        {"+05:30", 19800, true, false},
        {"-03", -10800, true, false},
        {"+0530", 19800, true, false},
        {"-1", -3600, true, false},
        {"+15:59:59", 57599, true, false},
        {"+16", 0, false, false},
        {"+", 0, false, false},
        {"05:30", 0, false, false},
        {"+05:30x", 0, false, false},
        {"", 0, false, false},
        {"CEST", 7200, false, true},
        {"est", -18000, false, true},
        {"NPT", 20700, false, true},
        {"Europe/Berlin", 0, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        zone found;
        CHECK(zone_of_offset(text_of(rows[i].name), &found) == rows[i].is_offset);
        CHECK(!rows[i].is_offset || offset_at_zero(&found) == rows[i].offset);
        CHECK(zone_of_abbreviation(text_of(rows[i].name), &found) == rows[i].is_abbreviation);
        CHECK(!rows[i].is_abbreviation || offset_at_zero(&found) == rows[i].offset);
    }
    zone found;
    CHECK(!zone_of_offset((text){0}, &found) && !zone_of_abbreviation((text){0}, &found));
    CHECK(offset_at_zero(&zone_utc) == 0);
}

TEST(zone_names_that_lead_elsewhere_are_not_found) {
    static const char *const wrong[] = {
        "",
        ".",
        "..",
        "../zoneinfo/UTC",
        "/etc/passwd",
        "Europe/../UTC",
        "Europe/",
        "Europe//Berlin",
        "Europe",
        "a\\b",
        "UTC\n",
        "Nowhere/Else",
        "zone.tab",
        "A23456789012345678901234567890123456789012345678901234567890123456789"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint8_t file[ZONE_FILE_SIZE_MAX];
        size_t size = 0;
        firn_error err = ERR_INIT;
        char own[ZONE_NAME_SIZE_MAX + 1];
        CHECK(zone_file_read(text_of(wrong[i]), own, file, &size, &err) == FIRN_NOT_FOUND);
        CHECK(strstr(err.text, "there is no time zone \"") != NULL);
    }
    uint8_t file[ZONE_FILE_SIZE_MAX];
    size_t size = 0;
    firn_error err = ERR_INIT;
    char own[ZONE_NAME_SIZE_MAX + 1];
    const text nul = {.data = "UTC\0x", .size = 5};
    CHECK(zone_file_read(nul, own, file, &size, &err) == FIRN_NOT_FOUND);
}

// ---- With the system's files, where there are any ----------------------------------------------

static bool open_named(const char *name, uint8_t *file, zone *out) {
    size_t size = 0;
    firn_error err = ERR_INIT;
    char own[ZONE_NAME_SIZE_MAX + 1];
    return zone_file_read(text_of(name), own, file, &size, &err) == FIRN_OK &&
           zone_open(out, (bytes){.data = file, .size = size}, &err) == FIRN_OK;
}

static bool has_files(void) {
    host_stat unused;
    firn_error err = ERR_INIT;
    return host_path_stat("/usr/share/zoneinfo/Europe/Berlin", &unused, &err) == FIRN_OK;
}

TEST(zone_agrees_with_the_c_library) {
    static const char *const names[] = {
        "Europe/Berlin", "America/New_York",  "Asia/Kolkata",      "Australia/Lord_Howe",
        "Asia/Tehran",   "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia",
        "Europe/Dublin", "Asia/Gaza",         "America/St_Johns",  "Antarctica/Troll",
        "Etc/GMT+5",     "Pacific/Chatham",   "Africa/Monrovia"};
    if (!has_files()) {
        return;
    }
    uint64_t seed = 16;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint8_t file[ZONE_FILE_SIZE_MAX];
        zone found;
        REQUIRE(open_named(names[i], file, &found));
        REQUIRE(setenv("TZ", names[i], 1) == 0);
        tzset();
        zone_cursor cursor = zone_cursor_open(&found);
        int64_t at = -5000000000;
        while (at < 9000000000) {
            const time_t clock = at;
            struct tm expected;
            REQUIRE(localtime_r(&clock, &expected) != NULL);
            REQUIRE(zone_offset_of_utc(&cursor, at) == expected.tm_gmtoff);
            CHECK(cursor.period.is_summer == (expected.tm_isdst > 0));
            CHECK(text_equal(cursor.period.word, text_of(expected.tm_zone)));
            at += (int64_t)(test_random(&seed) % 8000000);
        }
    }
    (void)unsetenv("TZ");
    tzset();
}

TEST(zone_names_are_found_in_any_case) {
    static const char *const names[] = {"europe/berlin", "AMERICA/NEW_YORK", "etc/gmt+5", "cet",
                                        "us/pacific"};
    uint8_t file[ZONE_FILE_SIZE_MAX];
    zone found;
    for (size_t i = 0; has_files() && i < sizeof names / sizeof *names; i++) {
        CHECK(open_named(names[i], file, &found));
    }
}

TEST(zone_local_times_in_gaps_and_overlaps_are_postgresqls) {
    const struct {
        const char *name;
        const char *local;
        const char *utc;
    } rows[] = {
        {"Europe/Berlin", "2020-03-29 01:59:59", "2020-03-29 00:59:59"},
        {"Europe/Berlin", "2020-03-29 02:00:00", "2020-03-29 01:00:00"},
        {"Europe/Berlin", "2020-03-29 02:30:00", "2020-03-29 01:30:00"},
        {"Europe/Berlin", "2020-03-29 03:00:00", "2020-03-29 01:00:00"},
        {"Europe/Berlin", "2020-10-25 01:59:59", "2020-10-24 23:59:59"},
        {"Europe/Berlin", "2020-10-25 02:30:00", "2020-10-25 01:30:00"},
        {"Europe/Berlin", "2020-10-25 03:00:00", "2020-10-25 02:00:00"},
        {"America/New_York", "2099-03-08 02:30:00", "2099-03-08 07:30:00"},
        {"Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30 22:00:00"},
        {"Europe/Dublin", "2020-10-25 01:30:00", "2020-10-25 01:30:00"},
    };
    for (size_t i = 0; has_files() && i < sizeof rows / sizeof *rows; i++) {
        uint8_t file[ZONE_FILE_SIZE_MAX];
        zone found;
        int64_t local = 0;
        int64_t expected = 0;
        int64_t utc = 0;
        REQUIRE(open_named(rows[i].name, file, &found));
        zone_cursor cursor = zone_cursor_open(&found);
        REQUIRE(date_parse_timestamp(text_of(rows[i].local), UNIT_MICRO, &local) == DATE_OK);
        REQUIRE(date_parse_timestamp(text_of(rows[i].utc), UNIT_MICRO, &expected) == DATE_OK);
        CHECK(zone_to_utc_fits(&cursor, local, UNIT_MICRO, &utc) && utc == expected);
        // A warm cursor says the same.
        CHECK(zone_to_utc_fits(&cursor, local, UNIT_MICRO, &utc) && utc == expected);
        (void)zone_offset_of_local(&cursor, 0);
        CHECK(zone_to_utc_fits(&cursor, local, UNIT_MICRO, &utc) && utc == expected);
    }
}

// ---- Timestamps ---------------------------------------------------------------------------------

static int64_t micros(const char *input) {
    int64_t value = 0;
    CHECK(date_parse_timestamp(text_of(input), UNIT_MICRO, &value) == DATE_OK);
    return value;
}

// Central Europe by rule alone.
static zone central_europe(void) {
    zone self = {.has_rule = true};
    CHECK(zone_rule_parse(TEXT("CET-1CEST,M3.5.0,M10.5.0/3"), &self.rule));
    return self;
}

TEST(zone_intervals_count_days_on_the_clock_and_hours_as_they_pass) {
    const zone berlin = central_europe();
    const struct {
        const char *from;
        const char *value;
        const char *to;
    } rows[] = {
        {"2020-03-28 12:00:00+01", "1 day", "2020-03-29 12:00:00+02"},
        {"2020-03-28 12:00:00+01", "24 hours", "2020-03-29 13:00:00+02"},
        {"2020-10-24 12:00:00+02", "1 day", "2020-10-25 12:00:00+01"},
        {"2020-02-29 02:30:00+01", "1 mon", "2020-03-29 03:30:00+02"},
        {"2020-10-25 02:30:00+02", "1 hour", "2020-10-25 02:30:00+01"},
        {"2020-01-31 00:00:00+01", "1 mon -1 day 00:00:01", "2020-02-28 00:00:01+01"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        zone_cursor cursor = zone_cursor_open(&berlin);
        interval_value value;
        int64_t out = 0;
        REQUIRE(date_parse_interval(text_of(rows[i].value), &value) == DATE_OK);
        CHECK(zone_add_interval_fits(&cursor, value, micros(rows[i].from), UNIT_MICRO, &out));
        CHECK(out == micros(rows[i].to));
    }
    zone_cursor cursor = zone_cursor_open(&berlin);
    int64_t out = 7;
    CHECK(!zone_add_interval_fits(&cursor, (interval_value){1, 0, 0}, INT64_MAX, UNIT_MICRO, &out));
    CHECK(!zone_add_interval_fits(&cursor, (interval_value){0, 0, 1000}, INT64_MAX, UNIT_MICRO,
                                  &out));
    CHECK(!zone_to_local_fits(&cursor, INT64_MAX, UNIT_SECOND, &out) && out == 7);
    CHECK(!zone_to_utc_fits(&cursor, INT64_MIN, UNIT_SECOND, &out) && out == 7);
}

TEST(zone_truncation_is_local) {
    const zone berlin = central_europe();
    const struct {
        calendar_field field;
        const char *from;
        const char *to;
    } rows[] = {
        {CALENDAR_DAY, "2020-06-01 00:30:00+02", "2020-06-01 00:00:00+02"},
        {CALENDAR_DAY, "2020-03-29 12:00:00+02", "2020-03-29 00:00:00+01"},
        {CALENDAR_MONTH, "2020-03-31 12:00:00+02", "2020-03-01 00:00:00+01"},
        {CALENDAR_HOUR, "2020-10-25 02:30:00+02", "2020-10-25 02:00:00+02"},
        {CALENDAR_HOUR, "2020-10-25 02:30:00+01", "2020-10-25 02:00:00+01"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        zone_cursor cursor = zone_cursor_open(&berlin);
        int64_t out = 0;
        CHECK(zone_truncate_fits(&cursor, rows[i].field, micros(rows[i].from), UNIT_MICRO, &out));
        CHECK(out == micros(rows[i].to));
    }
}

static date_answer parse_at(zone_cursor *self, text input, int64_t *out) {
    date_parts parts;
    zone named;
    const date_answer answer = date_parse_parts(input, &parts);
    const bool is_known = answer == DATE_OK && parts.zone == DATE_ZONE_NAME &&
                          zone_of_abbreviation(parts.zone_name, &named);
    return answer != DATE_OK
               ? answer
               : zone_timestamp_of_parts(self, &parts, is_known ? &named : NULL, UNIT_MICRO, out);
}

TEST(zone_texts_without_an_offset_are_local) {
    const zone berlin = central_europe();
    const zone_cursor fresh = zone_cursor_open(&berlin);
    const struct {
        const char *input;
        const char *utc;
    } rows[] = {
        {"2020-06-01 12:00:00", "2020-06-01 10:00:00"},
        {"2020-01-01", "2019-12-31 23:00:00"},
        {"2020-06-01 12:00:00Z", "2020-06-01 12:00:00"},
        {"2020-06-01 12:00:00+05:30", "2020-06-01 06:30:00"},
        {"2020-06-01 12:00:00 EST", "2020-06-01 17:00:00"},
        {"2020-10-25 02:30:00.5", "2020-10-25 01:30:00.5"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        zone_cursor cursor = fresh;
        int64_t out = 0;
        CHECK(parse_at(&cursor, text_of(rows[i].input), &out) == DATE_OK);
        CHECK(out == micros(rows[i].utc));
    }
    zone_cursor cursor = fresh;
    int64_t out = 7;
    const text named = TEXT("2020-06-01 12:00:00 Mars/Olympus");
    CHECK(parse_at(&cursor, named, &out) == DATE_SYNTAX);
    CHECK(parse_at(&cursor, TEXT("x"), &out) == DATE_SYNTAX && out == 7);
    date_parts parts;
    const zone mars = zone_fixed(-60);
    REQUIRE(date_parse_parts(named, &parts) == DATE_OK);
    CHECK(zone_timestamp_of_parts(&cursor, &parts, &mars, UNIT_MICRO, &out) == DATE_OK);
    CHECK(out == micros("2020-06-01 12:01:00"));
}
