// Partition values of columns are those of their values one by one; and some are those that
// PyIceberg 0.12 gives.
#include "tables/iceberg/iceberg_transform_column.h"

#include <stdio.h>

#include "base/test.h"

#define MEMORY_LIMIT ((size_t)64 << 20)
#define ROWS 300

static i128 random_number(const type *of, uint64_t *seed) {
    const int64_t some = (int64_t)test_random(seed) >> (test_random(seed) % 64);
    if (of->id == TYPE_DECIMAL && of->precision > 18) {
        return (i128)some * 1000003;
    }
    return type_physical(of) == PHYSICAL_I32 ? (int32_t)(some % 1000000000) : some / 10;
}

static void fill(column *out, arena *memory, uint64_t *seed) {
    static const char *const words[] = {"", "a", "\xc3\xa4\xe6\x97\xa5x", "longer than inline is",
                                        "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80tail"};
    for (uint32_t i = 0; i < out->length; i++) {
        const i128 number = random_number(out->type, seed);
        switch ((int)type_physical(out->type)) {
        case PHYSICAL_I32:
            COLUMN_OUT(out, int32_t)[i] = (int32_t)number;
            break;
        case PHYSICAL_I64:
            COLUMN_OUT(out, int64_t)[i] = (int64_t)number;
            break;
        case PHYSICAL_I128:
            COLUMN_OUT(out, i128)[i] = number;
            break;
        default: {
            const char *word =
                out->type->id == TYPE_UUID ? "0123456789abcdef" : words[test_random(seed) % 5];
            CHECK(string_new(memory, word, strlen(word), &COLUMN_OUT(out, string_value)[i]));
            break;
        }
        }
        if (test_random(seed) % 4 == 0) {
            CHECK(column_set_null(memory, out, i));
        }
    }
}

static void check_column(const ice_transform *transform, const type *of, arena *memory,
                         uint64_t *seed) {
    firn_error err = ERR_INIT;
    column source;
    column out;
    REQUIRE(column_new(memory, of, ROWS, &source, &err) == FIRN_OK);
    fill(&source, memory, seed);
    if (transform->kind == ICE_IDENTITY || test_random(seed) % 3 == 0) {
        source.form = FORM_CONSTANT;
    }
    REQUIRE(ice_transform_column(transform, &source, TEXT("c"), memory, &out, &err) == FIRN_OK);
    CHECK(out.length == ROWS && type_equal(out.type, ice_transform_result(transform, of)));
    for (uint32_t i = 0; i < ROWS; i++) {
        const ice_scalar value = ice_scalar_of_column(&source, i);
        const ice_scalar want = ice_transform_apply(transform, of, &value, memory);
        const ice_scalar got = ice_scalar_of_column(&out, i);
        CHECK(got.kind == want.kind);
        CHECK(got.kind == ICE_SCALAR_NULL || ice_scalar_compare(&got, &want) == 0);
    }
}

TEST(ice_transform_column_is_apply_of_every_row) {
    uint64_t seed = UINT64_C(20261127);
    printf("    seed %llu\n", (unsigned long long)seed);
    arena memory = arena_open(MEMORY_LIMIT);
    const type *types[] = {
        TYPE_OF(INTEGER),
        TYPE_OF(BIGINT),
        TYPE_OF(DATE),
        TYPE_OF(TIME),
        TYPE_OF(TIMESTAMP),
        TYPE_OF(TIMESTAMPTZ),
        type_temporal(TYPE_TIMESTAMP, UNIT_NANO),
        TYPE_OF(VARCHAR),
        TYPE_OF(BINARY),
        TYPE_OF(UUID),
        type_decimal(&memory, 9, 2),
        type_decimal(&memory, 18, 4),
        type_decimal(&memory, 38, 10),
    };
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        for (int kind = ICE_IDENTITY; kind < ICE_VOID; kind++) {
            static const int32_t widths[] = {1, 3, 16, 1000};
            for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
                const ice_transform transform = {.kind = (ice_transform_kind)kind,
                                                 .width = widths[k]};
                if (ice_transform_result(&transform, types[i]) != NULL) {
                    check_column(&transform, types[i], &memory, &seed);
                    count++;
                }
            }
        }
    }
    CHECK(count > 150);
    arena_close(&memory);
}

TEST(ice_transform_column_says_which_row_has_no_value) {
    arena memory = arena_open(MEMORY_LIMIT);
    firn_error err = ERR_INIT;
    column source;
    column out;
    REQUIRE(column_new(&memory, TYPE_OF(BIGINT), 3, &source, &err) == FIRN_OK);
    COLUMN_OUT(&source, int64_t)[0] = INT64_MIN;
    COLUMN_OUT(&source, int64_t)[1] = INT64_MAX;
    COLUMN_OUT(&source, int64_t)[2] = INT64_MIN + 1;
    CHECK(column_set_null(&memory, &source, 0));
    const ice_transform cut = {.kind = ICE_TRUNCATE, .width = 10};
    CHECK(ice_transform_column(&cut, &source, TEXT("c"), &memory, &out, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "-9223372036854775807 in column \"c\" has no partition: truncate of "
                           "it is beyond the range of BIGINT") != NULL);
    err = ERR_INIT;
    source.type = TYPE_OF(TIMESTAMP);
    const ice_transform hour = {.kind = ICE_HOUR};
    CHECK(ice_transform_column(&hour, &source, TEXT("c"), &memory, &out, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "hour of it is beyond the range of INTEGER") != NULL);
    err = ERR_INIT;
    const ice_transform later = {.kind = ICE_UNKNOWN};
    CHECK(ice_transform_column(&later, &source, TEXT("c"), &memory, &out, &err) ==
          FIRN_UNSUPPORTED);
    const ice_transform none = {.kind = ICE_VOID};
    CHECK(ice_transform_column(&none, &source, TEXT("c"), &memory, &out, &err) == FIRN_OK);
    CHECK(out.length == 3 && !column_is_valid(&out, 1));
    arena_close(&memory);
}
