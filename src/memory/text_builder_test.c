#include "memory/text_builder.h"

#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/test.h"

static firn_error err = FIRN_ERROR_INIT;

TEST(text_builder_appends_and_ends_in_nul) {
    arena scratch = arena_open((size_t)1 << 20);
    text_builder builder = text_builder_open(&scratch);
    text out;
    REQUIRE(text_builder_finish(&builder, &out, &err) == FIRN_OK);
    CHECK(out.size == 0 && out.data[0] == '\0');
    text_append(&builder, TEXT("SELECT"));
    text_append_char(&builder, ' ');
    text_append_format(&builder, "%d + %s", 41, "one");
    text_append(&builder, TEXT(""));
    text_append_format(&builder, "%s", "");
    REQUIRE(text_builder_finish(&builder, &out, &err) == FIRN_OK);
    CHECK(text_equal(out, TEXT("SELECT 41 + one")));
    CHECK(strlen(out.data) == out.size);
    arena_close(&scratch);
}

TEST(text_builder_grows_over_every_capacity) {
    arena scratch = arena_open((size_t)1 << 20);
    text_builder builder = text_builder_open(&scratch);
    for (int i = 0; i < 10000; i++) {
        text_append_char(&builder, (char)('a' + i % 26));
    }
    text out;
    REQUIRE(text_builder_finish(&builder, &out, &err) == FIRN_OK);
    CHECK(out.size == 10000);
    for (size_t i = 0; i < out.size; i++) {
        REQUIRE(out.data[i] == (char)('a' + i % 26));
    }
    arena_close(&scratch);
}

TEST(text_builder_remembers_that_it_was_full) {
    arena scratch = arena_open(5000);
    text_builder builder = text_builder_open(&scratch);
    text_append(&builder, TEXT("fits"));
    for (int i = 0; i < 300; i++) {
        text_append(&builder, TEXT("thirty-two bytes, again and again"));
    }
    CHECK(builder.is_full);
    const size_t size = builder.size;
    text_append(&builder, TEXT("x"));
    CHECK(builder.size == size); // Nothing comes behind a gap.
    text out;
    CHECK(text_builder_finish(&builder, &out, &err) == FIRN_NO_MEMORY);
    arena_close(&scratch);
}

TEST(text_copy_and_format_end_in_nul) {
    arena scratch = arena_open((size_t)1 << 20);
    text out;
    REQUIRE(text_copy(&scratch, (text){.data = "abcdef", .size = 3}, &out, &err) == FIRN_OK);
    CHECK(out.size == 3 && strcmp(out.data, "abc") == 0);
    const uint8_t raw[] = {1, 0, 2};
    bytes copy = {.size = 0};
    REQUIRE(bytes_copy(&scratch, (bytes){.size = 3, .data = raw}, &copy, &err) == FIRN_OK);
    CHECK(copy.size == 3 && copy.data != raw && memcmp(copy.data, raw, 3) == 0);
    REQUIRE(text_format(&scratch, &out, &err, "%s.%s", "main", "sales") == FIRN_OK);
    CHECK(out.size == 10 && strcmp(out.data, "main.sales") == 0);
    arena_close(&scratch);
    scratch = arena_open(16);
    CHECK(text_copy(&scratch, TEXT("abc"), &out, &err) == FIRN_NO_MEMORY);
    CHECK(text_format(&scratch, &out, &err, "%d", 1) == FIRN_NO_MEMORY);
    arena_close(&scratch);
}

TEST(text_append_hex_and_base64_go_on_behind_each_run) {
    arena scratch = arena_open((size_t)1 << 20);
    uint8_t data[2000];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    static const size_t sizes[] = {1, 2, 767, 768, 769, 1536, 2000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const bytes value = {.data = data, .size = sizes[i]};
        text_builder hex = text_builder_open(&scratch);
        text_builder base64 = text_builder_open(&scratch);
        text_append_hex(&hex, value);
        text_append_base64(&base64, value);
        char expected[4000];
        hex_print(value, expected);
        CHECK(hex.size == 2 * value.size && memcmp(expected, hex.data, hex.size) == 0);
        CHECK(base64.size == base64_print(value, expected));
        CHECK(memcmp(expected, base64.data, base64.size) == 0);
    }
    arena_close(&scratch);
    scratch = arena_open(1024);
    text_builder builder = text_builder_open(&scratch);
    text_append_hex(&builder, (bytes){.data = data, .size = sizeof data});
    CHECK(builder.is_full);
    arena_close(&scratch);
}
