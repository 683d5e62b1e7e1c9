#include "formats/parquet/write/pw_statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/half.h"
#include "base/test.h"
#include "base/utf8.h"
#include "formats/parquet/write/pw_schema.h"
#include "formats/parquet/write/pw_statistics_table.h"

#define ROWS_MAX 400

typedef struct sample {
    arena memory;
    firn_error err;
    const type *of;
    const pq_schema *tree;
    const pq_leaf *leaf;
    column given;
} sample;

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

static sample sample_open(const type *of) {
    sample s = {.memory = arena_open(1 << 22), .err = ERR_INIT, .of = of};
    const field top = {.name = TEXT("a"), .type = of, .is_nullable = true, .id = -1};
    const schema columns = {.count = 1, .fields = &top};
    const pw_schema *made;
    must(pw_schema_make(&columns, &s.memory, &made, &s.err) == FIRN_OK);
    s.tree = made->tree;
    s.leaf = &made->tree->leaves[0];
    return s;
}

static bytes bytes_of(const char *content) {
    return (bytes){.data = (const uint8_t *)content, .size = strlen(content)};
}

static bool are_equal(bytes left, bytes right) {
    return text_equal(text_of_bytes(left), text_of_bytes(right));
}

// ---- Random values -----------------------------------------------------------------------------

// From few to many bytes, many with the same start; code points on both sides of every border.
static void random_string(sample *s, string_value *out, uint64_t *seed) {
    static const uint32_t codes[] = {'a',    'b',    0,      0x7f,    0x80,     0x7ff,   0x800,
                                     0xd7ff, 0xe000, 0xffff, 0x10000, 0x10fffe, 0x10ffff};
    const bool is_text = s->of->id == TYPE_VARCHAR || s->of->id == TYPE_JSON;
    const uint32_t kinds = test_random(seed) % 2 == 0 ? 2 : 13;
    const size_t count = s->of->id == TYPE_UUID ? 16
                         : s->of->width > 0     ? s->of->width
                                                : test_random(seed) % 24;
    char content[24 * UTF8_SIZE_MAX];
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t code = codes[test_random(seed) % kinds];
        if (is_text) {
            size += utf8_encode(code, content + size);
        } else {
            content[size] = (char)(code == 0x10ffff ? 0xff : code & 0xff);
            size += 1;
        }
    }
    must(string_new(&s->memory, content, size, out));
}

// Numbers around 0, or anything: infinities and NaNs too.
static void random_number(sample *s, void *values, uint32_t i, uint64_t *seed) {
    const uint32_t size = physical_size(type_physical(s->of));
    uint8_t *at = (uint8_t *)values + (size_t)i * size;
    const uint64_t random = test_random(seed);
    const bool is_small = test_random(seed) % 2 == 0;
    const uint64_t digits =
        s->of->id == TYPE_DECIMAL && s->of->precision < 19 ? u64_power_of_ten[s->of->precision]
        : s->of->id == TYPE_TIME
            ? (uint64_t)(CALENDAR_DAY_SECONDS * calendar_units_per_second(s->of->unit))
            : UINT64_C(1) << 62;
    if (type_category_of(s->of) == CATEGORY_FLOAT) {
        const double number = (double)(int64_t)(random % 7) - 3;
        const float single = (float)number;
        const uint16_t half = half_of_float(single);
        memcpy(at,
               is_small ? (size == 8   ? (const void *)&number
                           : size == 4 ? (const void *)&single
                                       : (const void *)&half)
                        : &random,
               size);
        return;
    }
    i256 value = i256_from_i64((int64_t)(random % digits) * (random >> 63 != 0 ? 1 : -1));
    value = is_small ? i256_from_i64((int64_t)(random % 7) - 3) : value;
    if (s->of->id == TYPE_DECIMAL && s->of->precision > 38 && !is_small) {
        i256 wide = value;
        must(i256_mul_fits(value, i256_from_i64(1234567890123456789), &wide));
        value = wide;
    }
    if (type_category_of(s->of) == CATEGORY_INTEGER && !is_small) {
        value.limb[0] = random;
    }
    memcpy(at, &value, size);
}

static void fill(sample *s, uint32_t count, uint64_t *seed) {
    must(column_new(&s->memory, s->of, count, &s->given, &s->err) == FIRN_OK);
    for (uint32_t i = 0; i < count; i++) {
        if (s->of->id == TYPE_BOOLEAN) {
            bitmap_put(COLUMN_OUT(&s->given, uint64_t), i, test_random(seed) % 16 == *seed % 16);
        } else if (type_physical(s->of) == PHYSICAL_STRING) {
            random_string(s, &COLUMN_OUT(&s->given, string_value)[i], seed);
        } else {
            random_number(s, COLUMN_OUT(&s->given, void), i, seed);
        }
    }
}

static bool is_nan(const sample *s, uint32_t row) {
    switch ((int)s->of->id) {
    case TYPE_FLOAT16:
        return isnan(half_to_float(COLUMN_VALUES(&s->given, uint16_t)[row])) != 0;
    case TYPE_REAL:
        return isnan(COLUMN_VALUES(&s->given, float)[row]) != 0;
    case TYPE_DOUBLE:
        return isnan(COLUMN_VALUES(&s->given, double)[row]) != 0;
    default:
        return false;
    }
}

// One value as PLAIN bytes; zeros of floats as -0 or +0.
static bytes plain_of(sample *s, uint32_t row, bool is_low) {
    pw_values stored;
    must(pw_store(s->leaf, &s->given, &row, 1, &s->memory, &stored, &s->err) == FIRN_OK);
    if (stored.type == PQ_BYTE_ARRAY) {
        return (bytes){.data = (const uint8_t *)string_data(stored.strings),
                       .size = stored.strings->size};
    }
    const uint32_t size = stored.type == PQ_BOOLEAN ? 1 : pw_values_size(stored.type, stored.width);
    uint8_t *out = ARENA_NEW(&s->memory, uint8_t, size);
    must(out != NULL);
    memcpy(out, stored.data, size);
    out[0] = stored.type == PQ_BOOLEAN ? out[0] & 1 : out[0];
    if (type_category_of(s->of) == CATEGORY_FLOAT) {
        bool is_zero = (out[size - 1] & 0x7f) == 0;
        for (uint32_t i = 0; i + 1 < size; i++) {
            is_zero = is_zero && out[i] == 0;
        }
        out[size - 1] = is_zero ? (is_low ? 0x80 : 0) : out[size - 1];
    }
    return (bytes){.data = out, .size = size};
}

// Adds the rows in parts, some of them through statistics of their own, as pages and chunks do.
static void add_all(sample *s, uint32_t count, pw_statistics *all, uint64_t *seed) {
    for (uint32_t from = 0; from < count;) {
        const uint32_t size = (uint32_t)(test_random(seed) % (count - from)) + 1;
        uint32_t rows[ROWS_MAX];
        for (uint32_t i = 0; i < size; i++) {
            rows[i] = from + i;
        }
        pw_values stored;
        must(pw_store(s->leaf, &s->given, rows, size, &s->memory, &stored, &s->err) == FIRN_OK);
        if (test_random(seed) % 2 == 0) {
            must(pw_statistics_add(all, s->leaf, &stored, 2, &s->err) == FIRN_OK);
        } else {
            pw_statistics page = pw_statistics_open(&s->memory);
            must(pw_statistics_add(&page, s->leaf, &stored, 2, &s->err) == FIRN_OK);
            must(pw_statistics_merge(all, s->leaf, &page, &s->err) == FIRN_OK);
        }
        all->null_count -= 2;
        from += size;
    }
}

static bool is_whole_right(sample *s, uint32_t count, const pq_bounds *found) {
    uint32_t low = UINT32_MAX;
    uint32_t high = UINT32_MAX;
    uint64_t nan_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (is_nan(s, i)) {
            nan_count += 1;
            continue;
        }
        low = low == UINT32_MAX || column_compare_rows(&s->given, i, &s->given, low) < 0 ? i : low;
        high =
            high == UINT32_MAX || column_compare_rows(&s->given, i, &s->given, high) > 0 ? i : high;
    }
    const bool has_bounds = low != UINT32_MAX;
    return found->has_minimum == has_bounds && found->has_maximum == has_bounds &&
           found->minimum_is_exact == has_bounds && found->maximum_is_exact == has_bounds &&
           found->nan_count == nan_count &&
           found->has_nan_count == (type_category_of(s->of) == CATEGORY_FLOAT) &&
           (!has_bounds || (are_equal(found->minimum, plain_of(s, low, true)) &&
                            are_equal(found->maximum, plain_of(s, high, false))));
}

// Shortened bounds exclude nothing, are short, exact only if they are the whole ones, and text.
static bool is_short_right(sample *s, uint32_t count, const pq_bounds *whole,
                           const pq_bounds *found, uint32_t bytes_max) {
    const bool is_text = s->of->id == TYPE_VARCHAR || s->of->id == TYPE_JSON;
    bool right = true;
    if (found->has_minimum) {
        right = right && (s->leaf->type != PQ_BYTE_ARRAY || found->minimum.size <= bytes_max) &&
                (!is_text || utf8_is_valid(found->minimum)) &&
                found->minimum_is_exact == are_equal(found->minimum, whole->minimum);
        right =
            right && text_starts_with(text_of_bytes(whole->minimum), text_of_bytes(found->minimum));
    }
    if (found->has_maximum) {
        right = right && (s->leaf->type != PQ_BYTE_ARRAY || found->maximum.size <= bytes_max) &&
                (!is_text || utf8_is_valid(found->maximum)) &&
                found->maximum_is_exact == are_equal(found->maximum, whole->maximum);
    }
    for (uint32_t i = 0; i < count && right; i++) {
        right = is_nan(s, i) ||
                ((!found->has_minimum ||
                  pw_statistics_compare(s->leaf, found->minimum, plain_of(s, i, true)) <= 0) &&
                 (!found->has_maximum ||
                  pw_statistics_compare(s->leaf, found->maximum, plain_of(s, i, false)) >= 0));
    }
    return right && found->minimum_is_exact <= found->has_minimum &&
           found->maximum_is_exact <= found->has_maximum;
}

static bool are_same(bool left_is, bytes left, bool right_is, bytes right) {
    return left_is == right_is && (!left_is || are_equal(left, right));
}

// What is written into a footer is believed by the reader, all of it.
static bool is_believed(const sample *s, const pq_bounds *made) {
    pq_column_order order = {.present = 0};
    pq_column_order_set_type_defined(&order);
    const pq_metadata metadata = {.file = {.column_orders = {.count = 1, .items = &order}},
                                  .schema = s->tree};
    pq_statistics written = {.present = 0,
                             .null_count = (int64_t)made->null_count,
                             .max_value = made->maximum,
                             .min_value = made->minimum,
                             .is_max_value_exact = made->maximum_is_exact,
                             .is_min_value_exact = made->minimum_is_exact,
                             .nan_count = (int64_t)made->nan_count};
    pq_statistics_set_null_count(&written);
    if (made->has_maximum) {
        pq_statistics_set_max_value(&written);
        pq_statistics_set_is_max_value_exact(&written);
    }
    if (made->has_minimum) {
        pq_statistics_set_min_value(&written);
        pq_statistics_set_is_min_value_exact(&written);
    }
    if (made->has_nan_count) {
        pq_statistics_set_nan_count(&written);
    }
    const pq_bounds read = pq_bounds_of(&metadata, 0, &written);
    return are_same(made->has_minimum, made->minimum, read.has_minimum, read.minimum) &&
           are_same(made->has_maximum, made->maximum, read.has_maximum, read.maximum) &&
           read.minimum_is_exact == made->minimum_is_exact &&
           read.maximum_is_exact == made->maximum_is_exact && read.has_null_count &&
           read.null_count == made->null_count && read.has_nan_count == made->has_nan_count &&
           read.nan_count == made->nan_count;
}

// The order of bounds is that of the values.
static bool is_order_right(sample *s, uint32_t count, uint64_t *seed) {
    bool right = true;
    for (uint32_t k = 0; k < 50 && count > 0; k++) {
        const uint32_t left = (uint32_t)(test_random(seed) % count);
        const uint32_t other = (uint32_t)(test_random(seed) % count);
        const int order = column_compare_rows(&s->given, left, &s->given, other);
        right =
            right && (is_nan(s, left) || is_nan(s, other) ||
                      pw_statistics_compare(s->leaf, plain_of(s, left, true),
                                            plain_of(s, other, true)) == (order > 0) - (order < 0));
    }
    return right;
}

static bool check_random(const type *of, uint64_t seed) {
    sample s = sample_open(of);
    const uint32_t count = (uint32_t)(test_random(&seed) % (seed % 3 == 0 ? 5 : ROWS_MAX));
    fill(&s, count, &seed);
    pw_statistics all = pw_statistics_open(&s.memory);
    add_all(&s, count, &all, &seed);
    pq_bounds whole;
    pq_bounds found;
    bool right =
        pw_statistics_bounds(&all, s.leaf, UINT32_MAX, &s.memory, &whole, &s.err) == FIRN_OK &&
        is_whole_right(&s, count, &whole) && all.value_count == count && whole.has_null_count &&
        whole.null_count == 0;
    for (uint32_t bytes_max = 1; bytes_max < 12 && right; bytes_max++) {
        right =
            pw_statistics_bounds(&all, s.leaf, bytes_max, &s.memory, &found, &s.err) == FIRN_OK &&
            is_short_right(&s, count, &whole, &found, bytes_max) && is_believed(&s, &found);
    }
    right = right && is_order_right(&s, count, &seed);
    arena_close(&s.memory);
    return right;
}

TEST(pw_statistics_bound_what_is_there_and_nothing_more) {
    static const type_id ids[] = {TYPE_BOOLEAN, TYPE_TINYINT,  TYPE_SMALLINT,  TYPE_INTEGER,
                                  TYPE_BIGINT,  TYPE_UTINYINT, TYPE_USMALLINT, TYPE_UINTEGER,
                                  TYPE_UBIGINT, TYPE_FLOAT16,  TYPE_REAL,      TYPE_DOUBLE,
                                  TYPE_DATE,    TYPE_TIME,     TYPE_TIMESTAMP, TYPE_TIMESTAMPTZ,
                                  TYPE_VARCHAR, TYPE_BINARY,   TYPE_JSON,      TYPE_UUID};
    arena memory = arena_open(1 << 20);
    const type *types[40];
    size_t count = 0;
    for (; count < sizeof ids / sizeof *ids; count++) {
        types[count] = &type_constants[ids[count]];
    }
    static const uint8_t precisions[] = {3, 9, 10, 18, 19, 25, 38, 39, 60, 76};
    for (size_t i = 0; i < sizeof precisions; i++) {
        types[count++] = type_decimal(&memory, precisions[i], 1);
    }
    static const uint8_t widths[] = {1, 2, 7, 8, 9, 15, 16, 17, 23};
    for (size_t i = 0; i < sizeof widths; i++) {
        types[count++] = type_binary(&memory, widths[i]);
    }
    for (size_t i = 0; i < count; i++) {
        for (uint64_t round = 1; round <= 60; round++) {
            const uint64_t seed = round * 1000 + i;
            const bool right = check_random(types[i], seed);
            CHECK(right);
            if (!right) {
                const text name = type_text(types[i], &memory);
                printf("%.*s, seed %llu\n", TEXT_ARGS(name), (unsigned long long)seed);
            }
        }
    }
    arena_close(&memory);
}

// Every level against the plainest loop: any bits, with few or many NaNs.
TEST(pw_statistics_kernels_agree) {
    uint64_t seed = 5;
    for (uint32_t count = 0; count < 150; count++) {
        double doubles[150];
        float floats[150];
        pw_float_keys wide = {.low = INT64_MAX, .high = INT64_MIN};
        pw_float_keys narrow = {.low = INT32_MAX, .high = INT32_MIN};
        for (uint32_t i = 0; i < count; i++) {
            int64_t bits = (int64_t)(test_random(&seed) & test_random(&seed));
            bits = test_random(&seed) % (1 + count % 3) == 0 ? bits : bits | INT64_C(0x7ff) << 52;
            memcpy(&doubles[i], &bits, sizeof bits);
            floats[i] = (float)doubles[i];
            int32_t small;
            memcpy(&small, &floats[i], sizeof small);
            bits = bits < 0 ? bits ^ INT64_MAX : bits;
            small = small < 0 ? small ^ INT32_MAX : small;
            if (isnan(doubles[i])) {
                wide.nan_count += 1;
                narrow.nan_count += 1;
                continue;
            }
            wide.low = bits < wide.low ? bits : wide.low;
            wide.high = bits > wide.high ? bits : wide.high;
            narrow.low = small < narrow.low ? small : narrow.low;
            narrow.high = small > narrow.high ? small : narrow.high;
        }
        for (int level = 0; level <= (int)isa_best(); level++) {
            const pw_statistics_kernels *kernels = pw_statistics_kernels_at((isa_level)level);
            const pw_float_keys f64 = kernels->f64((const int64_t *)(const void *)doubles, count);
            const pw_float_keys f32 = kernels->f32((const int32_t *)(const void *)floats, count);
            CHECK(f64.low == wide.low && f64.high == wide.high && f64.nan_count == wide.nan_count);
            CHECK(f32.low == narrow.low && f32.high == narrow.high &&
                  f32.nan_count == narrow.nan_count);
        }
    }
}

// ---- By hand -----------------------------------------------------------------------------------

static firn_status add_doubles(pw_statistics *self, const pq_leaf *leaf, const double *numbers,
                               uint32_t count, firn_error *err) {
    const pw_values values = {.type = PQ_DOUBLE, .count = count, .data = numbers};
    return pw_statistics_add(self, leaf, &values, 1, err);
}

static double double_of(bytes value) {
    double out = 0;
    must(value.size == sizeof out);
    memcpy(&out, value.data, sizeof out);
    return out;
}

TEST(pw_statistics_leave_nan_out_and_widen_zeros) {
    sample s = sample_open(TYPE_OF(DOUBLE));
    pw_statistics all = pw_statistics_open(&s.memory);
    pq_bounds found;
    const double nans[] = {(double)NAN, (double)NAN};
    REQUIRE(add_doubles(&all, s.leaf, NULL, 0, &s.err) == FIRN_OK);
    REQUIRE(pw_statistics_bounds(&all, s.leaf, 8, &s.memory, &found, &s.err) == FIRN_OK);
    CHECK(!found.has_minimum && !found.has_maximum && found.null_count == 1 &&
          found.has_nan_count && found.nan_count == 0);
    REQUIRE(add_doubles(&all, s.leaf, nans, 2, &s.err) == FIRN_OK);
    REQUIRE(pw_statistics_bounds(&all, s.leaf, 8, &s.memory, &found, &s.err) == FIRN_OK);
    CHECK(!found.has_minimum && !found.has_maximum && found.nan_count == 2 &&
          !found.minimum_is_exact && all.value_count == 2);
    const double zeros[] = {0.0, (double)NAN, 0.0};
    REQUIRE(add_doubles(&all, s.leaf, zeros, 3, &s.err) == FIRN_OK);
    REQUIRE(pw_statistics_bounds(&all, s.leaf, 1, &s.memory, &found, &s.err) == FIRN_OK);
    CHECK(found.nan_count == 3 && double_of(found.minimum) == 0 && double_of(found.maximum) == 0);
    CHECK(signbit(double_of(found.minimum)) && !signbit(double_of(found.maximum)));
    CHECK(found.minimum_is_exact && found.maximum_is_exact);
    const double more[] = {-0.0, (double)INFINITY, -1};
    REQUIRE(add_doubles(&all, s.leaf, more, 3, &s.err) == FIRN_OK);
    REQUIRE(pw_statistics_bounds(&all, s.leaf, 1, &s.memory, &found, &s.err) == FIRN_OK);
    CHECK(double_of(found.minimum) == -1 && isinf(double_of(found.maximum)));
    CHECK(found.null_count == 4);
    pw_statistics_reset(&all);
    CHECK(!all.has_bounds && all.value_count + all.null_count + all.nan_count == 0);
    REQUIRE(add_doubles(&all, s.leaf, more, 1, &s.err) == FIRN_OK);
    REQUIRE(pw_statistics_bounds(&all, s.leaf, 1, &s.memory, &found, &s.err) == FIRN_OK);
    CHECK(signbit(double_of(found.minimum)) && !signbit(double_of(found.maximum)));
    arena_close(&s.memory);
}

TEST(pw_statistics_of_halves_know_infinity_and_zero) {
    const struct {
        uint16_t halves[4];
        uint16_t low, high;
        uint64_t nan_count;
    } cases[] = {
        {{0x7c00, 0x7e00, 0x0000, 0xfc01}, 0x8000, 0x7c00, 2}, // Infinity, NaN, 0, NaN
        {{0xfc00, 0x8000, 0x8001, 0x8000}, 0xfc00, 0x0000, 0}, // -infinity, -0, below 0
        {{0x8002, 0x8001, 0x7c01, 0x8003}, 0x8003, 0x8001, 1},
        {{0x0001, 0x3c00, 0x0002, 0x3bff}, 0x0001, 0x3c00, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sample s = sample_open(TYPE_OF(FLOAT16));
        const pw_values values = {
            .type = PQ_FIXED, .width = 2, .count = 4, .data = cases[i].halves};
        pw_statistics all = pw_statistics_open(&s.memory);
        pq_bounds found;
        REQUIRE(pw_statistics_add(&all, s.leaf, &values, 0, &s.err) == FIRN_OK);
        REQUIRE(pw_statistics_bounds(&all, s.leaf, 64, &s.memory, &found, &s.err) == FIRN_OK);
        CHECK(found.minimum.size == 2 && memcmp(found.minimum.data, &cases[i].low, 2) == 0);
        CHECK(found.maximum.size == 2 && memcmp(found.maximum.data, &cases[i].high, 2) == 0);
        CHECK(found.nan_count == cases[i].nan_count);
        arena_close(&s.memory);
    }
}

TEST(pw_statistics_of_types_without_order_are_counts) {
    const type *types[] = {TYPE_OF(INTERVAL), TYPE_OF(NULL)};
    for (size_t i = 0; i < 2; i++) {
        sample s = sample_open(types[i]);
        static const uint8_t intervals[24] = {1};
        const pw_values values = {.type = s.leaf->type,
                                  .width = i == 0 ? 12 : 0,
                                  .count = i == 0 ? 2 : 0,
                                  .fixed = intervals};
        pw_statistics all = pw_statistics_open(&s.memory);
        pq_bounds found;
        REQUIRE(pw_statistics_add(&all, s.leaf, &values, 3, &s.err) == FIRN_OK);
        REQUIRE(pw_statistics_bounds(&all, s.leaf, 64, &s.memory, &found, &s.err) == FIRN_OK);
        CHECK(!found.has_minimum && !found.has_maximum && !found.has_nan_count);
        CHECK(found.has_null_count && found.null_count == 3 && all.value_count == values.count);
        CHECK(pw_statistics_compare(s.leaf, bytes_of("a"), bytes_of("b")) == 0);
        arena_close(&s.memory);
    }
}

// Where the first four, sixteen or all bytes are the same.
TEST(pw_statistics_of_texts_with_the_same_start) {
#define LONG "0123456789abcdef"
    const string_value cases[][4] = {
        // Lowest, highest, between.
        {string_of("a", 1), string_of("a\0\0", 3), string_of("a\0", 2), string_of("a", 1)},
        {string_of("", 0), string_of("\0\0\0\0\0", 5), string_of("\0", 1), string_of("", 0)},
        {string_of("abcd", 4), string_of("abce\0", 5), string_of("abce", 4), string_of("abcd", 4)},
        {string_of(LONG "a", 17), string_of(LONG "c", 17), string_of(LONG "b", 17),
         string_of(LONG "b", 17)},
        {string_of(LONG, 16), string_of(LONG "\0\0", 18), string_of(LONG "\0", 17),
         string_of(LONG, 16)},
        {string_of(LONG LONG "a", 33), string_of(LONG LONG "c", 33), string_of(LONG LONG "ba", 34),
         string_of(LONG LONG "ab", 34)},
        {string_of(LONG "a" LONG "a", 34), string_of(LONG "b" LONG, 33),
         string_of(LONG "a" LONG "b", 34), string_of(LONG "a" LONG "aa", 35)},
        {string_of(LONG LONG LONG LONG LONG, 79), string_of(LONG LONG LONG LONG LONG "b", 81),
         string_of(LONG LONG LONG LONG LONG, 80), string_of(LONG LONG LONG LONG LONG "a", 81)},
        {string_of(LONG, 15), string_of(LONG "0", 17), string_of(LONG, 16), string_of(LONG, 15)},
        {string_of("0123456789ab", 12), string_of("0123456789abc\0", 14),
         string_of("0123456789abc", 13), string_of("0123456789ab\0", 13)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (uint32_t order = 0; order < 24; order++) { // All of them.
            string_value values[4];
            uint32_t left[4] = {0, 1, 2, 3};
            for (uint32_t k = 0, rest = order; k < 4; k++) {
                const uint32_t pick = rest % (4 - k);
                rest /= 4 - k;
                values[k] = cases[i][left[pick]];
                left[pick] = left[3 - k];
            }
            sample s = sample_open(TYPE_OF(BINARY));
            const pw_values stored = {.type = PQ_BYTE_ARRAY, .count = 4, .strings = values};
            pw_statistics all = pw_statistics_open(&s.memory);
            REQUIRE(pw_statistics_add(&all, s.leaf, &stored, 0, &s.err) == FIRN_OK);
            CHECK(text_equal(text_of_bytes(byte_output_bytes(&all.minimum)),
                             string_text(&cases[i][0])));
            CHECK(text_equal(text_of_bytes(byte_output_bytes(&all.maximum)),
                             string_text(&cases[i][1])));
            arena_close(&s.memory);
        }
    }
}

typedef struct short_case {
    const char *value;
    uint32_t bytes_max;
    const char *minimum; // NULL: none.
    const char *maximum;
} short_case;

static void check_short(const type *of, const short_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        sample s = sample_open(of);
        const bytes whole = bytes_of(cases[i].value);
        const string_value value = string_of(cases[i].value, (uint32_t)whole.size);
        const pw_values values = {.type = PQ_BYTE_ARRAY, .count = 1, .strings = &value};
        pw_statistics all = pw_statistics_open(&s.memory);
        pq_bounds found;
        REQUIRE(pw_statistics_add(&all, s.leaf, &values, 0, &s.err) == FIRN_OK);
        REQUIRE(pw_statistics_bounds(&all, s.leaf, cases[i].bytes_max, &s.memory, &found, &s.err) ==
                FIRN_OK);
        CHECK(found.has_minimum == (cases[i].minimum != NULL));
        CHECK(found.has_maximum == (cases[i].maximum != NULL));
        CHECK(!found.has_minimum || are_equal(found.minimum, bytes_of(cases[i].minimum)));
        CHECK(!found.has_maximum || are_equal(found.maximum, bytes_of(cases[i].maximum)));
        const bool is_exact = whole.size <= cases[i].bytes_max;
        CHECK(found.minimum_is_exact == is_exact && found.maximum_is_exact == is_exact);
        arena_close(&s.memory);
    }
}

#define LAST "\xf4\x8f\xbf\xbf"          // U+10FFFF
#define BEFORE_SURROGATES "\xed\x9f\xbf" // U+D7FF
TEST(pw_statistics_shorten_text_at_code_points) {
    const short_case cases[] = {
        {"", 1, "", ""},
        {"abc", 3, "abc", "abc"},
        {"abcd", 3, "abc", "abd"},
        {"ab\xc3\xa4", 3, "ab", "ac"},               // Not half of a code point.
        {"\xc3\xa4", 1, NULL, NULL},                 // Not even one fits.
        {"a\x7fz", 2, "a\x7f", "b"},                 // U+0080 takes a byte more ...
        {"a\x7f\xc3\xa4", 3, "a\x7f", "a\xc2\x80"},  // ... which there is here, ...
        {"a\x7f\x7fz", 3, "a\x7f\x7f", "a\xc2\x80"}, // ... and here once one is dropped.
        {"a\xdf\xbfz", 3, "a\xdf\xbf", "b"},         // U+07FF
        {"a" BEFORE_SURROGATES "z", 4, "a" BEFORE_SURROGATES, "a\xee\x80\x80"},
        {"a\xef\xbf\xbfz", 4, "a\xef\xbf\xbf", "b"}, // U+FFFF
        {"a\xef\xbf\xbf\xc3\xa4", 5, "a\xef\xbf\xbf", "a\xf0\x90\x80\x80"},
        {"a" LAST "z", 5, "a" LAST, "b"},
        {LAST LAST "z", 8, LAST LAST, NULL},
        {LAST "z", 3, NULL, NULL},
    };
    check_short(TYPE_OF(VARCHAR), cases, sizeof cases / sizeof *cases);
    check_short(TYPE_OF(JSON), cases, sizeof cases / sizeof *cases);
}

TEST(pw_statistics_shorten_bytes_anywhere) {
    const short_case cases[] = {
        {"", 1, "", ""},
        {"abc", 3, "abc", "abc"},
        {"abcd", 3, "abc", "abd"},
        {"ab\xc3\xa4", 3, "ab\xc3", "ab\xc4"},
        {"a\xff\xffz", 3, "a\xff\xff", "b"},
        {"\xff\xff", 1, "\xff", NULL},
        {"a\xfez", 2, "a\xfe", "a\xff"},
    };
    check_short(TYPE_OF(BINARY), cases, sizeof cases / sizeof *cases);
}

// Readers drop bounds of another size than the values have.
TEST(pw_statistics_do_not_shorten_values_of_one_size) {
    arena memory = arena_open(1 << 20);
    const struct {
        const type *of;
        bool has_bounds;
    } cases[] = {{TYPE_OF(UUID), false},
                 {type_binary(&memory, 5), false},
                 {type_binary(&memory, 4), true},
                 {type_decimal(&memory, 38, 0), true},
                 {TYPE_OF(BIGINT), true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sample s = sample_open(cases[i].of);
        static const uint8_t zeros[16];
        const pw_values values = {
            .type = s.leaf->type, .width = s.leaf->width, .count = 1, .fixed = zeros};
        pw_statistics all = pw_statistics_open(&s.memory);
        pq_bounds found;
        REQUIRE(pw_statistics_add(&all, s.leaf, &values, 0, &s.err) == FIRN_OK);
        REQUIRE(pw_statistics_bounds(&all, s.leaf, 4, &s.memory, &found, &s.err) == FIRN_OK);
        CHECK(found.has_minimum == cases[i].has_bounds && found.has_maximum == cases[i].has_bounds);
        CHECK(!found.has_minimum || found.minimum.size == s.leaf->width);
        arena_close(&s.memory);
    }
    arena_close(&memory);
}

TEST(pw_statistics_say_when_memory_is_full) {
    sample s = sample_open(TYPE_OF(BINARY));
    static const char content[5000] = "a";
    const string_value value = string_of(content, sizeof content);
    const pw_values values = {.type = PQ_BYTE_ARRAY, .count = 1, .strings = &value};
    arena small = arena_open(3000);
    pw_statistics all = pw_statistics_open(&small);
    CHECK(pw_statistics_add(&all, s.leaf, &values, 0, &s.err) == FIRN_NO_MEMORY);
    all = pw_statistics_open(&s.memory);
    REQUIRE(pw_statistics_add(&all, s.leaf, &values, 0, &s.err) == FIRN_OK);
    pq_bounds found;
    CHECK(pw_statistics_bounds(&all, s.leaf, 4000, &small, &found, &s.err) == FIRN_NO_MEMORY);
    cancel_flag flag = {0};
    cancel_raise(&flag);
    s.memory.cancel = &flag;
    CHECK(pw_statistics_add(&all, s.leaf, &values, 0, &s.err) == FIRN_CANCELLED);
    arena_close(&small);
    arena_close(&s.memory);
}
