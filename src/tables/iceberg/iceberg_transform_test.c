#include "tables/iceberg/iceberg_transform.h"

#include "base/hex.h"
#include "base/test.h"

static ice_scalar number(int64_t value) {
    return (ice_scalar){.kind = ICE_SCALAR_NUMBER, .number = value};
}

static ice_scalar bytes_of(const char *value) {
    return (ice_scalar){.kind = ICE_SCALAR_BYTES,
                        .data = {.size = strlen(value), .data = (const uint8_t *)value}};
}

TEST(ice_hash_gives_the_values_of_the_specification) {
    arena memory = arena_open(1 << 20);
    static const uint8_t uuid[] = {0xf7, 0x9c, 0x3e, 0x09, 0x67, 0x7c, 0x4b, 0xbd,
                                   0xa4, 0x79, 0x3f, 0x34, 0x9c, 0xb7, 0x85, 0xe7};
    static const uint8_t fixed[] = {0, 1, 2, 3};
    const struct {
        const type *of;
        ice_scalar value;
        int32_t hash;
    } rows[] = {
        {TYPE_OF(INTEGER), number(34), 2017239379},
        {TYPE_OF(BIGINT), number(34), 2017239379},
        {type_decimal(&memory, 9, 2), number(1420), -500754589},
        {TYPE_OF(DATE), number(17486), -653330422},
        {TYPE_OF(TIME), number(INT64_C(81068000000)), -662762989},
        {TYPE_OF(TIMESTAMP), number(INT64_C(1510871468000000)), -2047944441},
        {TYPE_OF(TIMESTAMPTZ), number(INT64_C(1510871468000001)), -1207196810},
        {type_temporal(TYPE_TIMESTAMP, UNIT_NANO), number(INT64_C(1510871468000001001)),
         -1207196810},
        {TYPE_OF(VARCHAR), bytes_of("iceberg"), 1210000089},
        {TYPE_OF(UUID), {.kind = ICE_SCALAR_BYTES, .data = {.size = 16, .data = uuid}}, 1488055340},
        {TYPE_OF(BINARY),
         {.kind = ICE_SCALAR_BYTES, .data = {.size = 4, .data = fixed}},
         -188683207},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t hash = 0;
        CHECK(ice_hash(rows[i].of, &rows[i].value, &hash));
        CHECK(hash == rows[i].hash);
    }
    int32_t hash;
    const ice_scalar real = {.kind = ICE_SCALAR_REAL, .real = 1};
    CHECK(!ice_hash(TYPE_OF(DOUBLE), &real, &hash));
    CHECK(!ice_hash(TYPE_OF(BOOLEAN), &rows[0].value, &hash));
    arena_close(&memory);
}

TEST(ice_transform_read_takes_what_the_specification_names) {
    const struct {
        const char *written;
        ice_transform_kind kind;
        int32_t width;
    } rows[] = {
        {"identity", ICE_IDENTITY, 1},
        {"bucket[16]", ICE_BUCKET, 16},
        {"truncate[1]", ICE_TRUNCATE, 1},
        {"year", ICE_YEAR, 1},
        {"month", ICE_MONTH, 1},
        {"day", ICE_DAY, 1},
        {"hour", ICE_HOUR, 1},
        {"void", ICE_VOID, 1},
        {"bucket[0]", ICE_UNKNOWN, 1},
        {"bucket[-1]", ICE_UNKNOWN, 1},
        {"bucket[]", ICE_UNKNOWN, 1},
        {"bucket", ICE_UNKNOWN, 1},
        {"truncate[9999999999]", ICE_UNKNOWN, 1},
        {"zorder", ICE_UNKNOWN, 1},
        {"", ICE_UNKNOWN, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const ice_transform got = ice_transform_read(text_of(rows[i].written));
        CHECK(got.kind == rows[i].kind);
        CHECK(got.width == rows[i].width);
    }
}

TEST(ice_transform_apply_gives_the_values_of_the_specification) {
    arena memory = arena_open(1 << 20);
    const type *nanos = type_temporal(TYPE_TIMESTAMP, UNIT_NANO);
    const struct {
        const char *transform;
        const type *of;
        int64_t value;
        int64_t result;
    } rows[] = {
        {"truncate[10]", TYPE_OF(INTEGER), 1, 0},
        {"truncate[10]", TYPE_OF(INTEGER), -1, -10},
        {"truncate[50]", type_decimal(&memory, 9, 2), 1065, 1050},
        {"year", TYPE_OF(DATE), -1, -1},
        {"year", TYPE_OF(DATE), 0, 0},
        {"month", TYPE_OF(DATE), 17486, 574},
        {"month", TYPE_OF(DATE), -1, -1},
        {"day", TYPE_OF(TIMESTAMP), -1, -1},
        {"day", TYPE_OF(TIMESTAMP), INT64_C(1510871468000000), 17486},
        {"hour", TYPE_OF(TIMESTAMPTZ), INT64_C(1510871468000000), 419686},
        {"hour", nanos, INT64_C(1510871468000001001), 419686},
        {"bucket[100]", TYPE_OF(INTEGER), 34, 79},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const ice_transform transform = ice_transform_read(text_of(rows[i].transform));
        const ice_scalar value = number(rows[i].value);
        const ice_scalar got = ice_transform_apply(&transform, rows[i].of, &value, &memory);
        CHECK(got.kind == ICE_SCALAR_NUMBER);
        CHECK(got.number == rows[i].result);
    }
    const ice_transform cut = {.kind = ICE_TRUNCATE, .width = 3};
    const ice_scalar word = bytes_of("日本語テキスト");
    const ice_scalar got = ice_transform_apply(&cut, TYPE_OF(VARCHAR), &word, &memory);
    CHECK(got.data.size == 9 && memcmp(got.data.data, "日本語", 9) == 0);
    arena_close(&memory);
}

static int compare(const type *of, const ice_scalar *left, const ice_scalar *right, arena *memory) {
    return column_compare_rows(ice_scalar_try_column(of, left, memory), 0,
                               ice_scalar_try_column(of, right, memory), 0);
}

// The oracle of pruning: a value lies in the range of its own partition value.
TEST(ice_transform_range_holds_every_value_of_its_partition) {
    arena memory = arena_open(64 << 20);
    static const char *const transforms[] = {
        "identity", "truncate[1]", "truncate[7]", "truncate[3]", "year", "month", "day", "hour"};
    const type *types[] = {TYPE_OF(INTEGER),
                           TYPE_OF(BIGINT),
                           TYPE_OF(DATE),
                           TYPE_OF(TIMESTAMP),
                           TYPE_OF(TIMESTAMPTZ),
                           type_temporal(TYPE_TIMESTAMP, UNIT_NANO),
                           type_decimal(&memory, 18, 3),
                           TYPE_OF(VARCHAR)};
    uint64_t seed = 5;
    uint32_t looked = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        const arena_mark mark = arena_mark_take(&memory);
        const ice_transform transform =
            ice_transform_read(text_of(transforms[test_random(&seed) % 8]));
        const type *of = types[test_random(&seed) % 8];
        static const char *const words[] = {"",    "a",      "abc",         "abcdefgh",
                                            "öäü", "öäüß日", "\x7f\x7f\x7f"};
        const uint64_t shift = test_random(&seed) % 64;
        int64_t raw = (int64_t)(test_random(&seed) >> 1) >> shift;
        raw = test_random(&seed) % 2 == 0 ? raw : -raw;
        const bool is_small = type_physical(of) == PHYSICAL_I32;
        ice_scalar value = number(is_small ? raw % INT32_MAX : raw);
        if (of->id == TYPE_VARCHAR) {
            value = bytes_of(words[test_random(&seed) % 7]);
        }
        const ice_scalar part = ice_transform_apply(&transform, of, &value, &memory);
        if (part.kind != ICE_SCALAR_NONE) {
            ice_scalar low;
            ice_scalar high;
            ice_transform_range(&transform, of, &part, &part, &memory, &low, &high);
            CHECK(low.kind == ICE_SCALAR_NONE || compare(of, &low, &value, &memory) <= 0);
            CHECK(high.kind == ICE_SCALAR_NONE || compare(of, &value, &high, &memory) <= 0);
            looked += high.kind != ICE_SCALAR_NONE;
        }
        arena_rewind(&memory, mark);
    }
    CHECK(looked > 5000);
    arena_close(&memory);
}

TEST(ice_scalar_of_bytes_takes_narrow_forms_of_promoted_columns) {
    arena memory = arena_open(1 << 20);
    const struct {
        const type *of;
        const char *hex;
        ice_scalar_kind kind;
        int64_t number;
    } rows[] = {
        {TYPE_OF(INTEGER), "2a000000", ICE_SCALAR_NUMBER, 42},
        {TYPE_OF(BIGINT), "feffffff", ICE_SCALAR_NUMBER, -2},
        {TYPE_OF(BIGINT), "feffffffffffffff", ICE_SCALAR_NUMBER, -2},
        {TYPE_OF(INTEGER), "feffffffffffffff", ICE_SCALAR_NONE, 0},
        {TYPE_OF(INTEGER), "2a", ICE_SCALAR_NONE, 0},
        {TYPE_OF(BOOLEAN), "01", ICE_SCALAR_NUMBER, 1},
        {TYPE_OF(BOOLEAN), "", ICE_SCALAR_NONE, 0},
        {type_decimal(&memory, 20, 2), "ff", ICE_SCALAR_NUMBER, -1},
        {type_decimal(&memory, 20, 2), "0100", ICE_SCALAR_NUMBER, 256},
        {type_decimal(&memory, 9, 2), "000000000000000000000000000000000000000100",
         ICE_SCALAR_NUMBER, 256},
        {type_decimal(&memory, 9, 2), "010000000000000000000000000000000000000100", ICE_SCALAR_NONE,
         0},
        {type_decimal(&memory, 9, 2), "", ICE_SCALAR_NONE, 0},
        {TYPE_OF(UUID), "00", ICE_SCALAR_NONE, 0},
        {TYPE_OF(VARCHAR), "ff", ICE_SCALAR_NONE, 0},
        {TYPE_OF(VARCHAR), "61", ICE_SCALAR_BYTES, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t data[32];
        const text hex = text_of(rows[i].hex);
        REQUIRE(hex_parse(hex, data));
        const ice_scalar got =
            ice_scalar_of_bytes(rows[i].of, (bytes){.size = hex.size / 2, .data = data});
        CHECK(got.kind == rows[i].kind);
        CHECK(got.kind != ICE_SCALAR_NUMBER || got.number == rows[i].number);
    }
    arena_close(&memory);
}
