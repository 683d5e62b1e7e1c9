#include "formats/parquet/pq_convert.h"

#include <string.h>

#include "base/test.h"

#define VALUES 50

static pq_leaf leaf_of(pq_type kind, uint32_t width) {
    static const pq_node node = {.name = {.data = "a", .size = 1}};
    return (pq_leaf){.node = &node, .type = kind, .width = width};
}

// Values of `width` bytes, highest first, that fit `precision` digits; -1, 0 and the limits too.
static void fill_decimals(uint32_t width, uint8_t precision, uint64_t *seed, i256 *values,
                          uint8_t *raw) {
    for (size_t i = 0; i < VALUES; i++) {
        uint8_t big[32];
        const uint8_t fill = test_random(seed) % 2 == 0 ? 0 : 0xff;
        memset(big, fill, sizeof big);
        const size_t used = i % (width + 1);
        for (size_t k = 0; k < used; k++) {
            big[31 - k] = (uint8_t)(test_random(seed) & 0xff);
        }
        const bytes all = {.data = big, .size = sizeof big};
        if (!i256_from_big_endian(all, &values[i]) || !i256_has_digits(values[i], precision) ||
            !i256_to_big_endian(values[i], width, raw + i * width)) {
            values[i] = i256_from_i64(i % 2 == 0 ? -1 : 0);
            CHECK(i256_to_big_endian(values[i], width, raw + i * width));
        }
    }
}

static i256 decimal_at(const void *values, uint32_t size, size_t i) {
    return size == 4    ? i256_from_i64(((const int32_t *)values)[i])
           : size == 8  ? i256_from_i64(((const int64_t *)values)[i])
           : size == 16 ? i256_from_i128(((const i128 *)values)[i])
                        : ((const i256 *)values)[i];
}

TEST(pq_convert_reads_decimals_of_every_width) {
    uint64_t seed = 1;
    arena memory = arena_open(1 << 20);
    for (uint32_t width = 1; width <= 32; width++) {
        const uint8_t precisions[] = {1, 5, 9, 10, 18, 19, 38, 39, 76};
        for (size_t p = 0; p < sizeof precisions; p++) {
            const type *own = type_decimal(&memory, precisions[p], 0);
            const pq_leaf leaf = leaf_of(PQ_FIXED, width);
            const pq_leaf bytes_leaf = leaf_of(PQ_BYTE_ARRAY, 0);
            i256 values[VALUES];
            uint8_t raw[VALUES * 32 + PQ_PAD];
            string_value views[VALUES];
            fill_decimals(width, precisions[p], &seed, values, raw);
            pq_fixed_bytes_view(raw, width, VALUES, views);
            firn_error err = ERR_INIT;
            pq_conversion fixed;
            pq_conversion strings;
            _Alignas(32) uint8_t out[VALUES * 32];
            _Alignas(32) uint8_t out_strings[VALUES * 32];
            REQUIRE(pq_conversion_find(&leaf, own, own, &fixed, &err) == FIRN_OK);
            REQUIRE(pq_conversion_find(&bytes_leaf, own, own, &strings, &err) == FIRN_OK);
            CHECK(fixed.fixed(&fixed, raw, VALUES, out) == VALUES);
            CHECK(strings.strings(&strings, views, VALUES, out_strings) == VALUES);
            bool same = true;
            for (size_t i = 0; i < VALUES; i++) {
                same = same && i256_equal(decimal_at(out, fixed.size, i), values[i]);
                same = same && i256_equal(decimal_at(out_strings, fixed.size, i), values[i]);
            }
            CHECK(same);
        }
    }
    arena_close(&memory);
}

TEST(pq_convert_finds_the_first_decimal_with_too_many_digits) {
    arena memory = arena_open(1 << 20);
    const uint8_t precisions[] = {3, 9, 12, 18, 30};
    for (size_t p = 0; p < sizeof precisions; p++) {
        const type *own = type_decimal(&memory, precisions[p], 1);
        for (uint32_t width = 2; width <= 20; width++) {
            const pq_leaf leaf = leaf_of(PQ_FIXED, width);
            i256 beyond;
            uint8_t raw[3 * 20 + PQ_PAD] = {0};
            CHECK(i256_add_fits(i256_power_of_ten[precisions[p]], I256_ZERO, &beyond));
            if (!i256_to_big_endian(beyond, width, raw + 2 * width)) {
                continue; // No value of this width has too many digits.
            }
            firn_error err = ERR_INIT;
            pq_conversion in;
            _Alignas(32) uint8_t out[3 * 32];
            REQUIRE(pq_conversion_find(&leaf, own, own, &in, &err) == FIRN_OK);
            CHECK(in.fixed(&in, raw, 3, out) == 2);
        }
    }
    arena_close(&memory);
}

TEST(pq_convert_widens_decimals) {
    arena memory = arena_open(1 << 20);
    const int32_t ints[] = {12345, -1, 999999999};
    const int64_t longs[] = {12345, -1, 999999999};
    const uint8_t targets[][2] = {{9, 0}, {12, 3}, {18, 9}, {38, 9}, {76, 20}};
    for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
        const type *own = type_decimal(&memory, 9, 0);
        const type *target = type_decimal(&memory, targets[t][0], targets[t][1]);
        for (int is_long = 0; is_long < 2; is_long++) {
            const pq_leaf leaf =
                leaf_of(is_long ? PQ_INT64 : PQ_INT32, is_long ? sizeof(int64_t) : sizeof(int32_t));
            const void *values = is_long ? (const void *)longs : (const void *)ints;
            uint8_t raw[3 * 8 + PQ_PAD];
            memcpy(raw, values, 3 * leaf.width);
            firn_error err = ERR_INIT;
            pq_conversion in;
            _Alignas(32) uint8_t out[3 * 32];
            REQUIRE(pq_conversion_find(&leaf, own, target, &in, &err) == FIRN_OK);
            REQUIRE(in.fixed(&in, raw, 3, out) == 3);
            for (size_t i = 0; i < 3; i++) {
                i256 expected;
                CHECK(i256_rescale_fits(i256_from_i64(ints[i]), 0, targets[t][1], &expected));
                CHECK(i256_equal(decimal_at(out, in.size, i), expected));
            }
        }
    }
    firn_error err = ERR_INIT;
    pq_conversion in;
    const pq_leaf leaf = leaf_of(PQ_INT32, 4);
    CHECK(pq_conversion_find(&leaf, type_decimal(&memory, 9, 2), type_decimal(&memory, 9, 3), &in,
                             &err) == FIRN_UNSUPPORTED);
    CHECK(strstr(err.text, "column \"a\" is DECIMAL(9,2), not DECIMAL(9,3)") != NULL);
    arena_close(&memory);
}

TEST(pq_convert_reads_int96_toward_the_past) {
    // 2000-01-01 12:00:00.000000001, 1969-12-31 23:59:59.999999999, a day far away.
    uint8_t raw[3 * 12 + PQ_PAD] = {0};
    const int64_t nanos[] = {INT64_C(43200000000001), INT64_C(86399999999999), 0};
    const int32_t days[] = {2451545, 2440587, INT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        memcpy(raw + 12 * i, &nanos[i], 8);
        memcpy(raw + 12 * i + 8, &days[i], 4);
    }
    const pq_leaf leaf = leaf_of(PQ_INT96, 12);
    const type *own = type_temporal(TYPE_TIMESTAMP, UNIT_NANO);
    firn_error err = ERR_INIT;
    pq_conversion in;
    int64_t out[3];
    REQUIRE(pq_conversion_find(&leaf, own, own, &in, &err) == FIRN_OK);
    CHECK(in.fixed(&in, raw, 3, out) == 2); // The third one is beyond the year 2262.
    CHECK(out[0] == INT64_C(946728000000000001) && out[1] == -1);
    REQUIRE(pq_conversion_find(&leaf, own, type_temporal(TYPE_TIMESTAMPTZ, UNIT_MICRO), &in,
                               &err) == FIRN_OK);
    // What Spark writes for +290000-12-30 23:00: everything wrapped around.
    const int64_t wrapped_nanos = INT64_C(-32509551616000);
    const int32_t wrapped_days = -105862232;
    memcpy(raw + 24, &wrapped_nanos, 8);
    memcpy(raw + 32, &wrapped_days, 4);
    CHECK(in.fixed(&in, raw, 3, out) == 3);
    CHECK(out[0] == INT64_C(946728000000000) && out[1] == -1);
    CHECK(out[2] == INT64_C(9089380393200000000));
}

TEST(pq_convert_reads_small_things) {
    uint8_t raw[24 + PQ_PAD] = {0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0x34, 0x12, 0, 0,
                                2,    0,    0,    0,    1,    0, 0, 0, 5,    0,    0, 0};
    firn_error err = ERR_INIT;
    pq_conversion in;
    const pq_leaf leaf = leaf_of(PQ_INT32, 4);
    int8_t small[3];
    REQUIRE(pq_conversion_find(&leaf, TYPE_OF(TINYINT), TYPE_OF(TINYINT), &in, &err) == FIRN_OK);
    CHECK(in.fixed(&in, raw, 3, small) == 3);
    CHECK(small[0] == -1 && small[1] == -128 && small[2] == 0x34);
    int16_t shorts[3];
    REQUIRE(pq_conversion_find(&leaf, TYPE_OF(SMALLINT), TYPE_OF(SMALLINT), &in, &err) == FIRN_OK);
    CHECK(in.fixed(&in, raw, 3, shorts) == 3);
    CHECK(shorts[0] == -1 && shorts[1] == 128 && shorts[2] == 0x1234);
    int64_t longs[3];
    REQUIRE(pq_conversion_find(&leaf, TYPE_OF(INTEGER), TYPE_OF(BIGINT), &in, &err) == FIRN_OK);
    CHECK(in.fixed(&in, raw, 3, longs) == 3);
    CHECK(longs[0] == -1 && longs[1] == 128);
    REQUIRE(pq_conversion_find(&leaf, TYPE_OF(UINTEGER), TYPE_OF(BIGINT), &in, &err) == FIRN_OK);
    CHECK(in.fixed(&in, raw, 1, longs) == 1 && longs[0] == UINT32_MAX);
    REQUIRE(pq_conversion_find(&leaf, type_temporal(TYPE_TIME, UNIT_MILLI),
                               type_temporal(TYPE_TIME, UNIT_NANO), &in, &err) == FIRN_OK);
    CHECK(in.fixed(&in, raw + 4, 1, longs) == 1 && longs[0] == 128000000);
    CHECK(in.fixed(&in, raw, 1, longs) == 0); // -1 ms is of no day.
    REQUIRE(pq_conversion_find(&leaf, type_temporal(TYPE_TIME, UNIT_MILLI),
                               type_temporal(TYPE_TIME, UNIT_MILLI), &in, &err) == FIRN_OK);
    const int32_t times[] = {0, 86400000, 86400001};
    int32_t same[3];
    CHECK(in.keeps_bytes && in.fixed(&in, (const uint8_t *)times, 3, same) == 2);
    CHECK(same[1] == 86400000);
    const pq_leaf interval = leaf_of(PQ_FIXED, 12);
    interval_value intervals[2];
    REQUIRE(pq_conversion_find(&interval, TYPE_OF(INTERVAL), TYPE_OF(INTERVAL), &in, &err) ==
            FIRN_OK);
    CHECK(in.fixed(&in, raw + 12, 1, intervals) == 1);
    CHECK(intervals[0].months == 2 && intervals[0].days == 1 && intervals[0].nanos == 5000000);
    CHECK(in.fixed(&in, raw, 2, intervals) == 0); // -1 months.
    CHECK(!pq_can_convert(&leaf, TYPE_OF(INTEGER), TYPE_OF(SMALLINT)));
    CHECK(!pq_can_convert(&leaf, TYPE_OF(DATE), TYPE_OF(INTEGER)));
}
