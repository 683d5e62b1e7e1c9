#include "functions/scalar/date_pattern.h"

#include <stdio.h>

#include "base/test.h"

#define WORD_SIZE 200

TEST(date_pattern_makes_room_for_zone_words_of_any_size) {
    char word[WORD_SIZE];
    memset(word, 'a', sizeof word);
    const clock_moment moment = {.zone_word = {.data = word, .size = sizeof word}};
    const pattern_item items[] = {
        {.field = PATTERN_FIELD_ZONE_WORD},
        {.literal = TEXT(" and ")},
        {.field = PATTERN_FIELD_ZONE_WORD, .letters = PATTERN_LOWER},
    };
    const date_pattern pattern = {.items = items, .count = 3};
    char out[2 * WORD_SIZE + 5];
    REQUIRE(date_pattern_size_max(&pattern, sizeof word) == sizeof out);
    CHECK(date_pattern_write(&pattern, &moment, out) == sizeof out);
    CHECK(memcmp(out, "AAAA", 4) == 0 && memcmp(out + WORD_SIZE, " and aaaa", 9) == 0);
}

TEST(date_pattern_passes_unknown_letters_of_several_bytes) {
    const text patterns[] = {TEXT("C%\xce\x92"), TEXT("%-\xe2\x82\xac"), TEXT("%\xf0\x9f\x99\x82")};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        arena memory = arena_open((size_t)1 << 16);
        date_pattern made;
        REQUIRE(date_pattern_make(patterns[i], &memory, &made));
        const size_t at = text_find(patterns[i], TEXT("%"));
        CHECK(text_equal(made.unknown, text_slice(patterns[i], at, patterns[i].size)));
        CHECK(made.count == at); // What stands in front: nothing, or one literal.
        arena_close(&memory);
    }
}

TEST(date_pattern_items_fit_what_is_said_of_them) {
    for (int field = PATTERN_FIELD_YEAR; field <= PATTERN_FIELD_FIXED; field++) {
        const pattern_item item = {
            .field = (pattern_field)field, .ordinal = PATTERN_ORDINAL_UPPER, .digits = 9};
        const date_pattern pattern = {.items = &item, .count = 1};
        char out[DATE_PATTERN_ITEM_SIZE_MAX];
        const int64_t days[] = {-106751991160000, 0, 106751991160000}; // Seconds of 64 bits.
        for (size_t i = 0; i < 3; i++) {
            const clock_moment moment = {
                .moment = {.days = days[i], .nanos = CALENDAR_DAY_NANOS - 1},
                .offset_seconds = -86399};
            const size_t most = date_pattern_size_max(&pattern, 0);
            REQUIRE(most <= sizeof out);
            CHECK(date_pattern_write(&pattern, &moment, out) <= most);
        }
    }
}

// A template's text for 2020-03-05 14:07:09.523456 at +05:30.
static bool writes(const char *pattern, const char *expected) {
    arena memory = arena_open((size_t)1 << 20);
    date_pattern made;
    char out[512];
    const clock_moment moment = {
        .moment = {.days = 18326, .nanos = INT64_C(50829523456000)},
        .offset_seconds = 19800,
        .zone_word = TEXT("IST"),
    };
    const bool is_made = date_pattern_make(text_of(pattern), &memory, &made) &&
                         date_pattern_size_max(&made, moment.zone_word.size) <= sizeof out;
    const size_t size = is_made ? date_pattern_write(&made, &moment, out) : 0;
    const bool is_right = text_equal((text){.data = out, .size = size}, text_of(expected));
    arena_close(&memory);
    return is_right;
}

TEST(date_pattern_writes_templates_as_postgresql) {
    static const char *const rows[][2] = {
        {"Y,YYYth IYY IY I", "2,020th 020 20 0"},
        {"B.C. a.d. bc", "A.D. a.d. ad"},
        {"FF1 FF4 FMFF6 MS US", "5 5234 523456 523 523456"},
        {"RM|FMrm|TMMonth|Month|", "III |iii|March|March    |"},
        {"DDTH DDth FMDDth DDSP FXYYYY", "05TH 05th 5th 05 2020"},
        {"IDDD IW ID W WW D J", "067 10 4 1 10 5 2458914"},
        {"TZ tz TZH:TZM OF FMOF", "IST ist +05:30 +05:30 +5:30"},
        {"FM", ""},
        {"FMFMDD Hh \"a\\\"DD\" \\\"", "FM05 Hh a\"DD \""},
        {"\"YYYY", "YYYY"},
        {"é\"é\"", "éé"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(writes(rows[i][0], rows[i][1]));
    }
}

// What a text is read as by a template; "ERR" and the field that failed.
static bool reads(const char *input, const char *pattern, const char *expected) {
    arena memory = arena_open((size_t)1 << 20);
    date_pattern made;
    clock_moment moment;
    bool has_offset = false;
    pattern_failure failure = {.why = NULL};
    char out[128] = "";
    size_t size = 0;
    if (!date_pattern_make(text_of(pattern), &memory, &made) ||
        date_pattern_read(&made, text_of(input), false, &moment, &has_offset, &failure) !=
            DATE_OK) {
        size = (size_t)snprintf(out, sizeof out, "ERR %.*s", TEXT_ARGS(failure.field));
    } else {
        int64_t value = 0;
        date_style style = DATE_STYLE_SQL;
        style.has_offset = has_offset;
        moment.moment.nanos -= (int64_t)moment.offset_seconds * 1000000000;
        style.offset_seconds = moment.offset_seconds;
        (void)calendar_timestamp_fits(moment.moment, UNIT_MICRO, &value);
        size = date_print_timestamp(value, UNIT_MICRO, &style, out);
    }
    arena_close(&memory);
    return text_equal((text){.data = out, .size = size}, text_of(expected));
}

TEST(date_pattern_reads_templates_as_postgresql) {
    static const char *const rows[][3] = {
        {"2020-W05-3", "IYYY-\"W\"IW-ID", "2020-01-29 00:00:00"},
        {"2021-371", "IYYY-IDDD", "2022-01-09 00:00:00"},
        {"2020053", "IYYYIWID", "2020-01-29 00:00:00"},
        {"19 42", "CC YY", "1842-01-01 00:00:00"},
        {"2,020-02", "Y,YYY-MM", "2020-02-01 00:00:00"},
        {"44 b.c.", "YYYY A.D.", "0044-01-01 00:00:00 BC"},
        {"5th iv 2020", "DDth RM YYYY", "2020-04-05 00:00:00"},
        {"2020 10:00-05:30", "YYYY HH24:MITZH:TZM", "2020-01-01 10:00:00-05:30"},
        {"2020 09.1296", "YYYY SS.FF3", "2020-01-01 00:00:09.13"},
        {"2020 09.9996", "YYYY SS.FF3", "2020-01-01 00:00:10"},
        {"  2020  03", "YYYY-MM", "2020-03-01 00:00:00"},
        {"2020é03", "YYYYxMM", "2020-03-01 00:00:00"},
        {"", "YYYY", "0001-01-01 00:00:00 BC"},
        {"2020", "", "0001-01-01 00:00:00 BC"},
        {"2020-", "YYYY-MM-DD", "2020-01-01 00:00:00"},
        {"2020", "YYYYthth", "2020-01-01 00:00:00"},
        {"2020-05", "YYYY-IW", "ERR IW"},
        {"2020-05 06", "YYYY-MM MM", "ERR MM"},
        {"202", "YYYYMM", "ERR YYYY"},
        {"20x0", "YYYYMM", "ERR YYYY"},
        {"060", "ddd", "ERR DDD"},
        {"99999999999999999999", "FMYYYY", "ERR YYYY"},
        {"2147483648,1", "Y,YYY", "ERR Y,YYY"},
        {"2020-02-30", "YYYY-MM-DD", "ERR "},
        {"-", "TZH", "ERR TZH"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(reads(rows[i][0], rows[i][1], rows[i][2]));
    }
}
