#include "base/utf8.h"

#include <string.h>

#include "base/test.h"

// The plainest proof: decode by the definition, encode again, compare.
static bool plain_is_valid(const uint8_t *data, size_t size) {
    for (size_t at = 0; at < size;) {
        const uint8_t first = data[at];
        const size_t count = first < 0x80   ? 1
                             : first < 0xc0 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf8 ? 4
                                            : 0;
        if (count == 0 || size - at < count) {
            return false;
        }
        uint32_t code = count == 1 ? first : first & (0x7fU >> count);
        for (size_t i = 1; i < count; i++) {
            if (data[at + i] < 0x80 || data[at + i] > 0xbf) {
                return false;
            }
            code = code << 6 | (data[at + i] & 0x3f);
        }
        char again[UTF8_SIZE_MAX];
        if (utf8_encode(code, again) != count || memcmp(again, data + at, count) != 0) {
            return false;
        }
        at += count;
    }
    return true;
}

static bool all_levels_agree(const uint8_t *data, size_t size) {
    const bytes input = {.data = data, .size = size};
    const bool expected = plain_is_valid(data, size);
    for (int level = 0; level <= (int)isa_best(); level++) {
        if (utf8_is_valid_at((isa_level)level, input) != expected) {
            return false;
        }
    }
    return utf8_is_valid(input) == expected && (utf8_valid_size(input) == size) == expected;
}

TEST(utf8_every_code_point_encodes_and_comes_back) {
    for (uint32_t code = 0; code <= UTF8_CODE_MAX; code++) {
        char out[UTF8_SIZE_MAX];
        const size_t size = utf8_encode(code, out);
        if (code >= 0xd800 && code <= 0xdfff) {
            CHECK(size == 0 && !utf8_is_code(code));
            continue;
        }
        const text one = {.data = out, .size = size};
        size_t at = 0;
        REQUIRE(utf8_is_valid((bytes){.data = (const uint8_t *)out, .size = size}));
        REQUIRE(utf8_next(one, &at) == code && at == size);
        REQUIRE(utf8_previous(one, &at) == code && at == 0);
    }
    char out[UTF8_SIZE_MAX];
    CHECK(utf8_encode(UTF8_CODE_MAX + 1, out) == 0 && utf8_encode(UINT32_MAX, out) == 0);
}

// Each sequence that a byte may lead, with ordinary text around, at a border of blocks and at the
// end.
TEST(utf8_validation_agrees_with_plain_code_on_all_short_sequences) {
    static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                    0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xff};
    for (uint32_t pair = 0; pair < 65536; pair++) {
        uint8_t input[80];
        memset(input, 'a', sizeof input);
        const uint8_t third = edges[pair % sizeof edges];
        const uint8_t fourth = edges[pair / sizeof edges % sizeof edges];
        const size_t at = 28 + pair % 5;
        const uint8_t sequence[] = {(uint8_t)(pair >> 8), (uint8_t)(pair & 0xff), third, fourth};
        memcpy(input + at, sequence, sizeof sequence);
        for (size_t kept = 1; kept <= 4; kept++) {
            REQUIRE(all_levels_agree(input, at + kept));
            REQUIRE(all_levels_agree(sequence, kept));
        }
        REQUIRE(all_levels_agree(input, sizeof input));
        memset(input + at + 2, 0x80, 2);
        REQUIRE(all_levels_agree(input, sizeof input));
    }
}

TEST(utf8_validation_agrees_with_plain_code_on_damaged_text) {
    uint64_t seed = 11;
    int valid = 0;
    for (int i = 0; i < 20000; i++) {
        char input[200];
        size_t size = 0;
        const uint64_t wide = test_random(&seed) % 4;
        while (size < 100 + (size_t)(i % 90)) {
            const uint64_t bits = test_random(&seed);
            const uint32_t limit = bits % 4 > wide ? 0x80 : 1U << (7 + bits / 4 % 4 * 5 % 15);
            size += utf8_encode((uint32_t)(bits >> 32) % limit, input + size);
        }
        for (uint64_t damage = test_random(&seed) % 3; damage > 0; damage--) {
            input[test_random(&seed) % size] = (char)(test_random(&seed) & 0xff);
        }
        REQUIRE(all_levels_agree((const uint8_t *)input, size));
        valid += utf8_is_valid((bytes){.data = (const uint8_t *)input, .size = size});
    }
    CHECK(valid > 2000 && valid < 18000);
}

TEST(utf8_valid_size_is_where_the_first_bad_sequence_begins) {
    const struct {
        text input;
        size_t valid;
    } rows[] = {
        {TEXT(""), 0},
        {TEXT("abc"), 3},
        {TEXT("ab\x80"), 2},
        {TEXT("\xc3\xa4\xc3"), 2},
        {TEXT("\xe2\x82"), 0},
        {TEXT("\xe2\x82\xac\xed\xa0\x80"), 3},
        {TEXT("0123456789012345678901234567890123456789\xff"), 40},
        {TEXT("0123456789012345678901234567890123456\xf0\x9f\x98\x80"), 41},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const text input = rows[i].input;
        CHECK(utf8_valid_size(bytes_of_text(input)) == rows[i].valid);
    }
    CHECK(utf8_is_valid((bytes){0}) && utf8_valid_size((bytes){0}) == 0);
}

TEST(utf8_counts_code_points_and_finds_them) {
    char input[4 * 2000];
    size_t starts[2001];
    size_t size = 0;
    uint64_t seed = 12;
    for (size_t i = 0; i < 2000; i++) {
        static const uint32_t codes[] = {'a', 'z', 0xe4, 0x20ac, 0x1f600};
        starts[i] = size;
        const uint64_t choice = test_random(&seed) % 20;
        size += utf8_encode(codes[choice < 5 ? choice : 0], input + size);
    }
    starts[2000] = size;
    for (size_t from = 0; from < 2000; from += 17) {
        for (size_t to = from; to < 2000; to += 111) {
            const text part = {.data = input + starts[from], .size = starts[to] - starts[from]};
            CHECK(utf8_count(part) == to - from);
            CHECK(utf8_offset(part, to - from) == part.size);
            CHECK(utf8_offset(part, (to - from) / 2) ==
                  starts[from + (to - from) / 2] - starts[from]);
            CHECK(utf8_is_ascii(part) == (part.size == to - from));
        }
    }
    CHECK(utf8_count((text){0}) == 0 && utf8_is_ascii((text){0}));
    CHECK(utf8_offset((text){0}, 3) == 0 && utf8_offset(TEXT("ab"), 9) == 2);
    CHECK(utf8_offset(TEXT("0123456789"), 9) == 9);
}

TEST(utf8_counts_runs_longer_than_a_byte_counts) {
    static char input[300 * 32];
    memset(input, 'x', sizeof input);
    CHECK(utf8_count((text){.data = input, .size = sizeof input}) == sizeof input);
}

TEST(utf8_raise_raises_the_last_code_point_that_can_be) {
    static const struct {
        const char *text;
        size_t capacity;
        const char *raised;
    } cases[] = {
        {"", 8, ""},
        {"ab", 2, "ac"},
        {"a\x7f", 3, "a\xc2\x80"},
        {"a\x7f", 2, "b"}, // It would grow.
        {"a\u07ff", 4, "a\u0800"},
        {"\ud7ff", 3, "\ue000"},
        {"a\U0010ffff", 8, "b"},
        {"\U0010ffff\U0010ffff", 8, ""},
        {"\x7f", 1, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[16];
        memcpy(text, cases[i].text, strlen(cases[i].text) + 1);
        const size_t size = utf8_raise(text, strlen(text), cases[i].capacity);
        CHECK(size == strlen(cases[i].raised) && memcmp(text, cases[i].raised, size) == 0);
    }
    uint8_t data[] = {1, 0xff, 0xff};
    CHECK(bytes_raise(data, sizeof data) == 1 && data[0] == 2);
    data[0] = 0xff;
    CHECK(bytes_raise(data, sizeof data) == 0 && bytes_raise(data, 0) == 0);
}
