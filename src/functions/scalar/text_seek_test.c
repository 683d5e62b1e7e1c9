#include "functions/scalar/text_seek.h"

#include "base/test.h"
#include "functions/scalar/like_pattern.h"

static size_t seek_plainly(text whole, text needle, size_t from) {
    for (size_t at = from; at + needle.size <= whole.size; at++) {
        if (memcmp(whole.data + at, needle.data, needle.size) == 0) {
            return at;
        }
    }
    return TEXT_NOWHERE;
}

TEST(text_seek_finds_what_a_plain_loop_finds) {
    char bytes[90];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)('a' + (i * i / 3) % 3);
    }
    for (size_t size = 0; size <= sizeof bytes; size++) {
        const text whole = {.data = bytes, .size = size};
        for (size_t length = 1; length <= 20 && length <= size; length++) {
            for (size_t start = 0; start + length <= sizeof bytes; start += 7) {
                const text needle = {.data = bytes + start, .size = length};
                const size_t from = start % (size + 1);
                CHECK(text_seek(whole, needle, from) == seek_plainly(whole, needle, from));
            }
        }
    }
    CHECK(text_seek(TEXT("abc"), TEXT(""), 2) == 2);
    CHECK(text_seek(TEXT("abc"), TEXT("abcd"), 0) == TEXT_NOWHERE);
    CHECK(text_count_places(NULL, TEXT("aaaa"), TEXT("aa")) == 2);
    CHECK(text_count_places(NULL, TEXT("aaaa"), TEXT("")) == 0);
}

// LIKE as the standard says it, by recursion; no escapes, one byte a character.
static bool like_plainly(text value, text pattern) {
    if (pattern.size == 0) {
        return value.size == 0;
    }
    const text rest = text_slice(pattern, 1, pattern.size);
    if (pattern.data[0] == '%') {
        for (size_t at = 0; at <= value.size; at++) {
            if (like_plainly(text_slice(value, at, value.size), rest)) {
                return true;
            }
        }
        return false;
    }
    return value.size > 0 && (pattern.data[0] == '_' || pattern.data[0] == value.data[0]) &&
           like_plainly(text_slice(value, 1, value.size), rest);
}

// Digits of `number` to base 4 as letters of an alphabet.
static text spell(uint32_t number, const char *alphabet, char *out) {
    size_t size = 0;
    for (; number > 1; number /= 4) {
        out[size++] = alphabet[number % 4];
    }
    return (text){.data = out, .size = size};
}

TEST(like_pattern_matches_as_the_standard_says) {
    arena memory = arena_open(SIZE_MAX);
    for (uint32_t p = 1; p < 4096; p += 3) {
        char pattern_bytes[16];
        const text pattern = spell(p, "%_ab", pattern_bytes);
        like_pattern made;
        REQUIRE(like_pattern_make(pattern, TEXT(""), &memory, &made) == LIKE_OK);
        for (uint32_t v = 1; v < 1024; v += 5) {
            char value_bytes[16];
            const text value = spell(v, "abab", value_bytes);
            CHECK(like_pattern_matches(&made, value, NULL) == like_plainly(value, pattern));
        }
        arena_reset(&memory);
    }
    arena_close(&memory);
}
