#include "base/text.h"

#include <stdint.h>

#include "base/test.h"

static const text nothing = {0};

TEST(text_equal_knows_nul_bytes_and_empty_texts) {
    CHECK(text_equal(TEXT("a\0b"), TEXT("a\0b")));
    CHECK(!text_equal(TEXT("a\0b"), TEXT("a\0c")));
    CHECK(!text_equal(TEXT("a"), TEXT("ab")));
    CHECK(text_equal(nothing, TEXT("")));
    CHECK(text_equal(text_of("main"), TEXT("main")));
}

TEST(text_compare_is_bytewise_and_prefixes_come_first) {
    const text sorted[] = {TEXT(""), TEXT("A"), TEXT("a"), TEXT("a\0"), TEXT("ab"), TEXT("\xc3")};
    const size_t count = sizeof sorted / sizeof *sorted;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            const int order = text_compare(sorted[i], sorted[j]);
            CHECK((order < 0) == (i < j) && (order > 0) == (i > j));
        }
    }
    CHECK(text_compare(nothing, TEXT("")) == 0);
}

TEST(text_equal_nocase_folds_ascii_letters_only) {
    CHECK(text_equal_nocase(TEXT("SELECT"), TEXT("sElEcT")));
    CHECK(!text_equal_nocase(TEXT("["), TEXT("{"))); // They differ by the same bit as a and A.
    CHECK(!text_equal_nocase(TEXT("\xc3\x84"), TEXT("\xc3\xa4")));
    CHECK(!text_equal_nocase(TEXT("a"), TEXT("ab")));
    CHECK(text_hash_nocase(TEXT("SELECT")) == text_hash_nocase(TEXT("sElEcT")));
    CHECK(text_hash_nocase(TEXT("[")) != text_hash_nocase(TEXT("{")));
    CHECK(text_hash_nocase(TEXT("")) != text_hash_nocase(TEXT("a")));
}

TEST(text_find_says_where_or_the_size) {
    CHECK(text_find(TEXT("abcabd"), TEXT("abd")) == 3);
    CHECK(text_find(TEXT("abc"), TEXT("abcd")) == 3);
    CHECK(text_find(TEXT("abc"), TEXT("x")) == 3);
    CHECK(text_find(TEXT("abc"), TEXT("")) == 0);
    CHECK(text_find(nothing, TEXT("")) == 0);
    CHECK(text_find(nothing, TEXT("a")) == 0);
}

TEST(text_slices_and_their_ends) {
    const text whole = TEXT("part-0001.parquet");
    CHECK(text_starts_with(whole, TEXT("part-")) && !text_starts_with(whole, TEXT("Part-")));
    CHECK(text_ends_with(whole, TEXT(".parquet")) && !text_ends_with(whole, TEXT(".orc")));
    CHECK(!text_starts_with(TEXT("a"), whole) && !text_ends_with(TEXT("a"), whole));
    CHECK(text_starts_with(whole, nothing) && text_ends_with(whole, nothing));
    CHECK(text_equal(text_slice(whole, 5, 9), TEXT("0001")));
    CHECK(text_slice(nothing, 0, 0).size == 0);
}

TEST(text_distance_counts_edits) {
    static const struct {
        const char *left;
        const char *right;
        size_t expected;
    } rows[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"region", "REGION", 0},
        {"regoin", "region", 1},
        {"region", "r", 5},
        {"kitten", "sitting", 3},
        {"ab", "ba", 1},
        {"ca", "abc", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const text left = text_of(rows[i].left);
        const text right = text_of(rows[i].right);
        CHECK(text_distance(left, right) == rows[i].expected);
        CHECK(text_distance(right, left) == rows[i].expected);
    }
    char long_name[65] = {0};
    CHECK(text_distance((text){.data = long_name, .size = 65}, TEXT("a")) == SIZE_MAX);
    CHECK(text_distance((text){.data = long_name, .size = 64}, TEXT("a")) == 64);
}
