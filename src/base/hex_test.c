#include "base/hex.h"

#include <string.h>

#include "base/test.h"

TEST(hex_every_byte_round_trips) {
    uint8_t all[256];
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (uint8_t)i;
    }
    char printed[2 + 2 * sizeof all];
    const bytes input = {.data = all, .size = sizeof all};
    REQUIRE(blob_print(input, printed) == sizeof printed);
    CHECK(memcmp(printed, "\\x000102", 8) == 0 && memcmp(printed + 510, "feff", 4) == 0);
    uint8_t back[sizeof printed];
    size_t size = 0;
    REQUIRE(blob_parse((text){.data = printed, .size = sizeof printed}, back, &size));
    CHECK(size == sizeof all && memcmp(back, all, sizeof all) == 0);
    REQUIRE(hex_parse((text){.data = printed + 2, .size = 512}, back));
    CHECK(memcmp(back, all, sizeof all) == 0);
    CHECK(blob_print((bytes){0}, printed) == 2 && hex_parse((text){0}, back));
}

TEST(hex_blob_reads_the_forms_of_sql) {
    const struct {
        text input;
        bool is_right;
        text bytes;
    } rows[] = {
        {TEXT("\\xDEad"), true, TEXT("\xde\xad")},
        {TEXT("\\x"), true, TEXT("")},
        {TEXT("\\x 01 02\n03 "), true, TEXT("\1\2\3")},
        {TEXT(""), true, TEXT("")},
        {TEXT("abc"), true, TEXT("abc")},
        {TEXT("a\\\\b"), true, TEXT("a\\b")},
        {TEXT("\\000\\377z"), true, TEXT("\0\xffz")},
        {TEXT("\\x1"), false, TEXT("")},
        {TEXT("\\x1 2"), false, TEXT("")},
        {TEXT("\\xag"), false, TEXT("")},
        {TEXT("\\x0@"), false, TEXT("")},
        {TEXT("\\"), false, TEXT("")},
        {TEXT("\\00"), false, TEXT("")},
        {TEXT("\\400"), false, TEXT("")},
        {TEXT("\\008"), false, TEXT("")},
        {TEXT("a\\n"), false, TEXT("")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t out[16];
        size_t size = 0;
        REQUIRE(rows[i].input.size <= sizeof out);
        CHECK(blob_parse(rows[i].input, out, &size) == rows[i].is_right);
        CHECK(size == rows[i].bytes.size && memcmp(out, rows[i].bytes.data, size) == 0);
    }
    uint8_t out[4];
    CHECK(!hex_parse(TEXT("123"), out) && !hex_parse(TEXT("1g"), out) &&
          !hex_parse(TEXT("/0"), out));
}
