#include "io/uri.h"

#include "base/test.h"

TEST(uri_encodes_what_it_must_and_decodes_it_again) {
    char all[256];
    for (int i = 0; i < 256; i++) {
        all[i] = (char)(unsigned char)i;
    }
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = ERR_INIT;
    text_builder builder = text_builder_open(&memory);
    uri_append_encoded(&builder, (text){.data = all, .size = 256});
    text encoded;
    REQUIRE(text_builder_finish(&builder, &encoded, &err) == FIRN_OK);
    CHECK(encoded.size == 66 + (256 - 66) * 3);
    text decoded;
    REQUIRE(uri_decode(encoded, &memory, &decoded, &err) == FIRN_OK);
    CHECK(decoded.size == 256 && memcmp(decoded.data, all, 256) == 0);
    arena_close(&memory);
}

TEST(uri_decodes_only_whole_escapes) {
    const struct {
        text encoded;
        text decoded;
    } cases[] = {
        {TEXT("a%20b"), TEXT("a b")},
        {TEXT("100%"), TEXT("100%")},
        {TEXT("%4"), TEXT("%4")},
        {TEXT("%zz"), TEXT("%zz")},
        {TEXT("%c3%A4+"), TEXT("\xc3\xa4+")},
        {TEXT("%%41"), TEXT("%A")},
        {TEXT(""), TEXT("")},
    };
    arena memory = arena_open((size_t)1 << 16);
    firn_error err = ERR_INIT;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text decoded;
        REQUIRE(uri_decode(cases[i].encoded, &memory, &decoded, &err) == FIRN_OK);
        CHECK(text_equal(decoded, cases[i].decoded));
    }
    arena_close(&memory);
}

TEST(uri_repair_leaves_what_is_encoded) {
    arena memory = arena_open((size_t)1 << 16);
    firn_error err = ERR_INIT;
    text_builder builder = text_builder_open(&memory);
    uri_append_repaired(&builder, TEXT("http://h/a b/%20/\xc3\xa4?x=\"1\"&y=2"));
    text url;
    REQUIRE(text_builder_finish(&builder, &url, &err) == FIRN_OK);
    CHECK(text_equal(url, TEXT("http://h/a%20b/%20/%C3%A4?x=%221%22&y=2")));
    arena_close(&memory);
}
