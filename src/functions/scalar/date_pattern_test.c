#include "functions/scalar/date_pattern.h"

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
