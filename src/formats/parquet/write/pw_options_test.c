#include "formats/parquet/write/pw_options.h"

#include <math.h>
#include <string.h>

#include "base/test.h"

static firn_status check(const pw_options *options, firn_error *err) {
    *err = ERR_INIT;
    return pw_options_check(options, 3, err);
}

TEST(pw_options_have_defaults_that_are_allowed) {
    const pw_options options = pw_options_default();
    firn_error err;
    CHECK(check(&options, &err) == FIRN_OK);
    CHECK(options.group_bytes == UINT64_C(134217728) && options.group_rows == 1048576);
    CHECK(options.page_bytes == 1048576 && options.page_rows == 20000);
    CHECK(options.codec == CODEC_ZSTD && options.codec_choice == PW_CODEC_CHOSEN);
    CHECK(options.has_page_index && options.has_checksums);
    CHECK(text_starts_with(options.created_by, TEXT("firn version ")));
    CHECK(options.leaf.statistics == PW_STATISTICS_BOUNDS && options.leaf.bound_bytes == 64);
    CHECK(!options.leaf.has_bloom && options.leaf.encodings == PW_ENCODINGS_ALL);
}

TEST(pw_options_allow_what_is_at_the_limits) {
    pw_options options = pw_options_default();
    const pw_sorting sorting[] = {{.leaf = 2}, {.leaf = 0}, {.leaf = 1, .is_descending = true}};
    const pw_key_value pairs[] = {{TEXT("k"), TEXT("\xc3\xa4")}, {TEXT(""), {NULL, 0}}};
    const pw_leaf_options leaves[3] = {
        options.leaf,
        {.has_bloom = true, .bloom_rate = 1e-9},
        {.statistics = PW_STATISTICS_BOUNDS, .bound_bytes = 1, .encodings = PW_ENCODINGS_JAVA}};
    options.group_bytes = options.group_rows = 1;
    options.page_bytes = options.page_rows = 1;
    options.dictionary_bytes = 0;
    options.bloom_bytes_max = 32;
    options.codec_choice = PW_CODEC_GIVEN;
    options.codec_level = 22;
    options.leaves = leaves;
    options.sorting_count = 3;
    options.sorting = sorting;
    options.key_value_count = 2;
    options.key_values = pairs;
    firn_error err;
    CHECK(check(&options, &err) == FIRN_OK);
    options.codec_level = 12;
    static const codec codecs[] = {CODEC_NONE, CODEC_SNAPPY, CODEC_GZIP, CODEC_LZ4};
    for (size_t i = 0; i < 4; i++) {
        options.codec = codecs[i];
        CHECK(check(&options, &err) == (i < 2 ? FIRN_INVALID : FIRN_OK));
    }
}

TEST(pw_options_name_what_is_out_of_range) {
    const pw_sorting beyond = {.leaf = 3};
    const pw_sorting twice[] = {{.leaf = 1}, {.leaf = 1}};
    const pw_key_value damaged = {TEXT("k"), TEXT("\xff")};
    const pw_key_value long_key = {{"k", (size_t)INT32_MAX + 1}, TEXT("")};
    const pw_leaf_options leaves[3] = {{.encodings = 0}, {.encodings = 32}};
#define SET(member, value, message)                                                                \
    do {                                                                                           \
        pw_options options = pw_options_default();                                                 \
        options.member = value;                                                                    \
        firn_error err;                                                                            \
        CHECK(check(&options, &err) == FIRN_INVALID);                                              \
        CHECK(strcmp(err.sqlstate, "22023") == 0);                                                 \
        CHECK(strstr(err.text, message) != NULL);                                                  \
    } while (0)
    SET(group_bytes, 0, "group_bytes is 0, it may be 1 to 9223372036854775807");
    SET(group_rows, UINT64_MAX, "group_rows is 18446744073709551615");
    SET(page_bytes, PW_PAGE_BYTES_MAX + 1, "page_bytes is 1073741825, it may be 1 to 1073741824");
    SET(page_rows, 0, "page_rows is 0");
    SET(dictionary_bytes, UINT32_MAX, "dictionary_bytes is 4294967295");
    SET(bloom_bytes_max, 31, "bloom_bytes_max is 31, it may be 32 to 134217728");
    SET(codec, CODEC_BROTLI, "codec is brotli, files are written with none, snappy");
    SET(codec, CODEC_COUNT, "codec is unknown");
    SET(codec_level, 23, "codec_level is 23, with zstd it may be 0 to 22");
    SET(codec_level, -1, "codec_level is -1");
    SET(leaf, ((pw_leaf_options){.has_bloom = true}), "bloom_rate is 0, it must be above 0");
    SET(leaf, ((pw_leaf_options){.has_bloom = true, .bloom_rate = 1}), "bloom_rate is 1");
    SET(leaf, ((pw_leaf_options){.has_bloom = true, .bloom_rate = (double)NAN}), "bloom_rate is");
    SET(leaf, ((pw_leaf_options){.statistics = PW_STATISTICS_BOUNDS}), "bound_bytes is 0");
    SET(leaves, leaves,
        "encodings is 32, it may be 0 to 31\n  while looking at the options of leaf 1");
#undef SET
    pw_options options = pw_options_default();
    firn_error err;
    const uint32_t seven = 7; // Which the compiler would not let us say.
    memcpy(&options.codec_choice, &seven, sizeof seven);
    CHECK(check(&options, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "codec_choice is 7, it may be 0 to 1") != NULL);
    options = pw_options_default();
    memcpy(&options.leaf.statistics, &seven, sizeof seven);
    CHECK(check(&options, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "statistics is 7, it may be 0 to 2") != NULL);
    options = pw_options_default();
    options.sorting = &beyond;
    options.sorting_count = 1;
    CHECK(check(&options, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "sorting by leaf 3 of 3") != NULL);
    options.sorting = twice;
    options.sorting_count = 2;
    CHECK(check(&options, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "sorting by leaf 1 twice") != NULL);
    options = pw_options_default();
    options.key_value_count = 1;
    options.key_values = &damaged;
    CHECK(check(&options, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "key 0 or its value is not UTF-8") != NULL);
    options.key_values = &long_key;
    CHECK(check(&options, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "2147483648 and 0 bytes") != NULL);
}
