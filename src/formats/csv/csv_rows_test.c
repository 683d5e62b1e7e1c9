#include "formats/csv/csv_rows.h"

#include "base/test.h"

static firn_error err = FIRN_ERROR_INIT;

// Each text as a row of one column beside a NULL, with these options.
static text lines_of(arena *memory, const csv_options *options, const char *const *texts,
                     uint32_t count) {
    column columns[2];
    text_builder out = text_builder_open(memory);
    text whole = TEXT("failed");
    if (column_new(memory, TYPE_OF(VARCHAR), count, &columns[0], &err) != FIRN_OK ||
        column_new_null(memory, TYPE_OF(INTEGER), count, &columns[1], &err) != FIRN_OK) {
        return whole;
    }
    for (uint32_t i = 0; i < count; i++) {
        (void)string_new(memory, texts[i], strlen(texts[i]),
                         &COLUMN_OUT(&columns[0], string_value)[i]);
    }
    const batch rows = batch_of(columns, 2, count);
    for (uint32_t i = 0; i < count; i++) {
        csv_put_row(options, &rows, i, NULL, &out);
    }
    return text_builder_finish(&out, &whole, &err) == FIRN_OK ? whole : TEXT("failed");
}

TEST(fields_are_quoted_where_they_need_it) {
    static const char *const texts[] = {"plain", "",     " blank", "blank ", "a,b",
                                        "a\"b",  "a\nb", "a\rb",   "'",      "a;b"};
    arena memory = arena_open((size_t)1 << 20);
    const csv_options options = CSV_OPTIONS_DEFAULT;
    CHECK(text_equal(lines_of(&memory, &options, texts, 10),
                     TEXT("plain,\n\"\",\n\" blank\",\n\"blank \",\n\"a,b\",\n\"a\"\"b\",\n"
                          "\"a\nb\",\n\"a\rb\",\n',\na;b,\n")));
    arena_close(&memory);
}

TEST(the_signs_of_csv_can_be_others) {
    static const char *const texts[] = {"a,b", "a;b", "it's", "\"", "-", "--", ""};
    arena memory = arena_open((size_t)1 << 20);
    const csv_options options = {
        .delimiter = ';', .quote = '\'', .has_header = true, .null = TEXT("-")};
    CHECK(text_equal(lines_of(&memory, &options, texts, 7),
                     TEXT("a,b;-\n'a;b';-\n'it''s';-\n\";-\n'-';-\n--;-\n'';-\n")));
    arena_close(&memory);
}

TEST(numbers_that_hold_the_delimiter_are_quoted) {
    arena memory = arena_open((size_t)1 << 20);
    column each;
    text_builder out = text_builder_open(&memory);
    text whole;
    REQUIRE(column_new(&memory, TYPE_OF(INTEGER), 3, &each, &err) == FIRN_OK);
    COLUMN_OUT(&each, int32_t)[0] = -5;
    COLUMN_OUT(&each, int32_t)[1] = 17;
    COLUMN_OUT(&each, int32_t)[2] = 0;
    const batch rows = batch_of(&each, 1, 3);
    const csv_options options = {.delimiter = '-', .quote = '1', .null = TEXT("0")};
    for (uint32_t i = 0; i < 3; i++) {
        csv_put_row(&options, &rows, i, NULL, &out);
    }
    REQUIRE(text_builder_finish(&out, &whole, &err) == FIRN_OK);
    CHECK(text_equal(whole, TEXT("1-51\n11171\n101\n")));
    arena_close(&memory);
}

TEST(the_header_is_the_names) {
    const field fields[] = {{TEXT("id"), TYPE_OF(INTEGER), true, -1},
                            {TEXT("a,\"b\""), TYPE_OF(INTEGER), true, -1},
                            {TEXT(""), TYPE_OF(INTEGER), true, -1}};
    const schema columns = {.count = 3, .fields = fields};
    arena memory = arena_open((size_t)1 << 20);
    text_builder out = text_builder_open(&memory);
    text whole;
    csv_options options = CSV_OPTIONS_DEFAULT;
    csv_put_header(&options, &columns, &out);
    options.has_header = false;
    csv_put_header(&options, &columns, &out);
    REQUIRE(text_builder_finish(&out, &whole, &err) == FIRN_OK);
    CHECK(text_equal(whole, TEXT("id,\"a,\"\"b\"\"\",\"\"\n")));
    arena_close(&memory);
}

TEST(csv_tells_when_memory_is_full) {
    static const char *const texts[] = {"a text, and another one that is too long for the arena"};
    for (size_t limit = 4096; limit < 65536; limit += 4096) {
        arena memory = arena_open(limit);
        column each;
        text_builder out = text_builder_open(&memory);
        text whole;
        if (column_new(&memory, TYPE_OF(VARCHAR), 1, &each, &err) == FIRN_OK &&
            string_new(&memory, texts[0], strlen(texts[0]), &COLUMN_OUT(&each, string_value)[0])) {
            const batch rows = batch_of(&each, 1, 1);
            const csv_options options = CSV_OPTIONS_DEFAULT;
            for (uint32_t i = 0; i < 5000; i++) {
                csv_put_row(&options, &rows, 0, NULL, &out);
            }
            CHECK(text_builder_finish(&out, &whole, &err) == FIRN_NO_MEMORY);
        }
        arena_close(&memory);
    }
}
