#include "tables/iceberg/iceberg_metrics.h"

#include "base/test.h"

#define MEMORY_LIMIT ((size_t)4 << 20)

static bytes raw(const char *data, size_t size) {
    return (bytes){.data = (const uint8_t *)data, .size = size};
}

// A report of one leaf with these bounds.
static ice_column_metric metric_of(const ice_leaf *leaf, bytes low, bytes high, arena *memory) {
    const pw_leaf_report of_leaf = {.size = 70,
                                    .entry_count = 9,
                                    .null_count = 2,
                                    .nan_count = 1,
                                    .has_minimum = low.data != NULL,
                                    .has_maximum = high.data != NULL,
                                    .minimum = low,
                                    .maximum = high};
    const int64_t offset = 4;
    const pw_report report = {.size = 500,
                              .row_count = 9,
                              .group_count = 1,
                              .group_offsets = &offset,
                              .leaf_count = 1,
                              .leaves = &of_leaf};
    const ice_leaf_list leaves = {.count = 1, .items = (ice_leaf *)(uintptr_t)leaf};
    ice_file file = {.size = 0};
    firn_error err = ERR_INIT;
    CHECK(ice_metrics_of(&leaves, &report, memory, &file, &err) == FIRN_OK);
    CHECK(file.size == 500 && file.row_count == 9 && file.split_offsets[0] == 4);
    return file.metric_count == 1 ? file.metrics[0] : (ice_column_metric){.field_id = -1};
}

static bool is_bytes(bytes value, const char *data, size_t size) {
    return value.data != NULL && value.size == size && memcmp(value.data, data, size) == 0;
}

TEST(ice_metrics_modes_are_read) {
    static const struct {
        const char *word;
        ice_metrics_kind kind;
        uint32_t length;
        bool is_one;
    } rows[] = {
        {"none", ICE_METRICS_NONE, 0, true},
        {"Counts", ICE_METRICS_COUNTS, 0, true},
        {"full", ICE_METRICS_FULL, 0, true},
        {"truncate(16)", ICE_METRICS_TRUNCATE, 16, true},
        {"TRUNCATE(1)", ICE_METRICS_TRUNCATE, 1, true},
        {"truncate(0)", 0, 0, false},
        {"truncate()", 0, 0, false},
        {"truncate(-1)", 0, 0, false},
        {"truncate(9999999999)", 0, 0, false},
        {"truncate", 0, 0, false},
        {"", 0, 0, false},
        {"bounds", 0, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ice_metrics_mode mode = {.kind = ICE_METRICS_NONE};
        CHECK(ice_metrics_mode_read(text_of(rows[i].word), &mode) == rows[i].is_one);
        CHECK(!rows[i].is_one || (mode.kind == rows[i].kind && mode.length == rows[i].length));
    }
}

TEST(ice_metrics_cut_texts_as_java_does) {
    static const struct {
        const char *stored;
        uint32_t length;
        const char *low;
        const char *high; // NULL: none.
    } rows[] = {
        {"abc", 3, "abc", "abc"},
        {"abcd", 3, "abc", "abd"},
        {"", 3, "", ""},
        {"\xc3\xa4\xc3\xb6\xc3\xbc", 2, "\xc3\xa4\xc3\xb6", "\xc3\xa4\xc3\xb7"},
        {"a\x7f!", 2, "a\x7f", "a\xc2\x80"},                  // A byte more.
        {"\xed\x9f\xbf!", 1, "\xed\x9f\xbf", "\xee\x80\x80"}, // Over the surrogates.
        {"a\xf4\x8f\xbf\xbf!", 2, "a\xf4\x8f\xbf\xbf", "b"},
        {"\xf4\x8f\xbf\xbf!", 1, "\xf4\x8f\xbf\xbf", NULL},
    };
    const field column = {.name = TEXT("a"), .type = TYPE_OF(VARCHAR), .id = 7};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena memory = arena_open(MEMORY_LIMIT);
        const ice_leaf leaf = {.is = &column,
                               .mode = {.kind = ICE_METRICS_TRUNCATE, .length = rows[i].length}};
        const bytes stored = raw(rows[i].stored, strlen(rows[i].stored));
        const ice_column_metric got = metric_of(&leaf, stored, stored, &memory);
        CHECK(got.field_id == 7 && got.size == 70 && got.value_count == 9);
        CHECK(got.null_count == 2 && got.nan_count == -1);
        CHECK(is_bytes(got.low, rows[i].low, strlen(rows[i].low)));
        CHECK(rows[i].high == NULL ? got.high.data == NULL
                                   : is_bytes(got.high, rows[i].high, strlen(rows[i].high)));
        arena_close(&memory);
    }
}

TEST(ice_metrics_cut_bytes_and_nothing_else) {
    arena memory = arena_open(MEMORY_LIMIT);
    const field binary = {.type = TYPE_OF(BINARY), .id = 1};
    const ice_metrics_mode two = {.kind = ICE_METRICS_TRUNCATE, .length = 2};
    ice_leaf leaf = {.is = &binary, .mode = two};
    ice_column_metric got =
        metric_of(&leaf, raw("\x01\xff\x03", 3), raw("\x01\xff\x03", 3), &memory);
    CHECK(is_bytes(got.low, "\x01\xff", 2) && is_bytes(got.high, "\x02", 1));
    got = metric_of(&leaf, raw("\xff\xff\x03", 3), raw("\xff\xff\x03", 3), &memory);
    CHECK(is_bytes(got.low, "\xff\xff", 2) && got.high.data == NULL);
    leaf.mode = (ice_metrics_mode){.kind = ICE_METRICS_FULL};
    got = metric_of(&leaf, raw("\x01\xff\x03", 3), raw("\x01\xff\x03", 3), &memory);
    CHECK(is_bytes(got.low, "\x01\xff\x03", 3) && is_bytes(got.high, "\x01\xff\x03", 3));
    const type *fixed = type_binary(&memory, 3);
    const field of_fixed = {.type = fixed, .id = 1};
    leaf = (ice_leaf){.is = &of_fixed, .mode = two};
    got = metric_of(&leaf, raw("abc", 3), raw("abd", 3), &memory);
    CHECK(is_bytes(got.low, "abc", 3) && is_bytes(got.high, "abd", 3));
    const field number = {.type = TYPE_OF(DOUBLE), .id = 1};
    leaf = (ice_leaf){.is = &number, .mode = two};
    got = metric_of(&leaf, raw("\0\0\0\0\0\0\0\x80", 8), raw("\0\0\0\0\0\0\0\0", 8), &memory);
    CHECK(is_bytes(got.low, "\0\0\0\0\0\0\0\x80", 8) && got.nan_count == 1);
    const field shape = {.type = &ice_geometry, .id = 1};
    leaf = (ice_leaf){.is = &shape, .mode = two};
    got = metric_of(&leaf, raw("abc", 3), raw("abc", 3), &memory);
    CHECK(got.low.data == NULL && got.high.data == NULL && got.value_count == 9);
    arena_close(&memory);
}

TEST(ice_metrics_turn_decimals_around) {
    arena memory = arena_open(MEMORY_LIMIT);
    const field small = {.type = type_decimal(&memory, 9, 2), .id = 1};
    ice_leaf leaf = {.is = &small, .mode = ICE_METRICS_USUAL};
    // -1 and 1000 as INT32.
    ice_column_metric got =
        metric_of(&leaf, raw("\xff\xff\xff\xff", 4), raw("\xe8\x03\0\0", 4), &memory);
    CHECK(is_bytes(got.low, "\xff", 1) && is_bytes(got.high, "\x03\xe8", 2));
    const field wide = {.type = type_decimal(&memory, 20, 2), .id = 1};
    leaf.is = &wide;
    got = metric_of(&leaf, raw("\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9),
                    raw("\0\0\0\0\0\0\0\0\x80", 9), &memory);
    CHECK(is_bytes(got.low, "\xff\x7f", 2) && is_bytes(got.high, "\0\x80", 2));
    arena_close(&memory);
}

TEST(ice_metrics_have_modes_and_stop_at_lists) {
    arena memory = arena_open(MEMORY_LIMIT);
    const field number = {.type = TYPE_OF(INTEGER), .id = 3};
    const bytes one = raw("\x01\0\0\0", 4);
    ice_leaf leaf = {.is = &number, .mode = {.kind = ICE_METRICS_NONE}};
    ice_column_metric got = metric_of(&leaf, one, one, &memory);
    CHECK(got.size == 70 && got.value_count == -1 && got.null_count == -1 && got.low.data == NULL);
    leaf.mode.kind = ICE_METRICS_COUNTS;
    got = metric_of(&leaf, one, one, &memory);
    CHECK(got.value_count == 9 && got.null_count == 2 && got.low.data == NULL);
    leaf = (ice_leaf){.is = &number, .is_repeated = true, .mode = ICE_METRICS_USUAL};
    got = metric_of(&leaf, one, one, &memory);
    CHECK(got.value_count == 9 && got.low.data == NULL && got.high.data == NULL);
    leaf.is_repeated = false;
    got = metric_of(&leaf, (bytes){.data = NULL}, (bytes){.data = NULL}, &memory);
    CHECK(got.value_count == 9 && got.low.data == NULL && got.high.data == NULL);
    arena_close(&memory);
}

TEST(ice_leaves_have_names_and_ranks) {
    arena memory = arena_open(MEMORY_LIMIT);
    firn_error err = ERR_INIT;
    const field inner[] = {{.name = TEXT("x"), .type = TYPE_OF(INTEGER), .id = 5},
                           {.name = TEXT("y"), .type = TYPE_OF(INTEGER), .id = 6}};
    const type *pair = type_struct(&memory, 2, inner);
    const field fields[] = {
        {.name = TEXT("s"), .type = pair, .id = 1},
        {.name = TEXT("l"), .type = type_list(&memory, pair), .id = 2},
        {.name = TEXT("m"), .type = type_map(&memory, TYPE_OF(VARCHAR), TYPE_OF(DATE)), .id = 3},
        {.name = TEXT("a"), .type = TYPE_OF(BIGINT), .id = 4}};
    static const struct {
        const char *name;
        bool is_repeated;
        uint32_t rank;
    } wanted[] = {{"s.x", false, 1},        {"s.y", false, 2},  {"l.element.x", true, 3},
                  {"l.element.y", true, 4}, {"m.key", true, 5}, {"m.value", true, 6},
                  {"a", false, 0}};
    ice_leaf_list leaves;
    const schema columns = {.count = 4, .fields = fields};
    REQUIRE(ice_leaves_of(&columns, &memory, &leaves, &err) == FIRN_OK);
    REQUIRE(leaves.count == 7);
    for (uint32_t i = 0; i < 7; i++) {
        CHECK(text_equal(leaves.items[i].name, text_of(wanted[i].name)));
        CHECK(leaves.items[i].is_repeated == wanted[i].is_repeated);
        CHECK(leaves.items[i].rank == wanted[i].rank);
    }
    arena_close(&memory);
}
