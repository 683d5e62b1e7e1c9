#include "formats/parquet/write/pw_stored.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "formats/parquet/pq_convert.h"
#include "formats/parquet/write/pw_schema.h"

#define ROWS 300

typedef struct sample {
    arena memory;
    firn_error err;
    const pq_leaf *leaf;
} sample;

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

static sample sample_open(const type *of) {
    sample s = {.memory = arena_open(1 << 22), .err = ERR_INIT};
    const field top = {.name = TEXT("a"), .type = of, .is_nullable = true, .id = -1};
    const schema columns = {.count = 1, .fields = &top};
    const pw_schema *made;
    must(pw_schema_make(&columns, &s.memory, &made, &s.err) == FIRN_OK);
    s.leaf = &made->tree->leaves[0];
    return s;
}

// A number of at most so many digits; the limits often.
static i256 random_decimal(uint32_t precision, uint64_t *seed) {
    i256 most = I256_ZERO;
    must(i256_sub_fits(i256_power_of_ten[precision], i256_from_i64(1), &most));
    const uint64_t kind = test_random(seed) % 8;
    i256 value = kind < 2 ? most : kind == 2 ? I256_ZERO : i256_from_i64(-1);
    if (kind > 3) {
        value = i256_power_of_ten[test_random(seed) % precision];
        const bool fits =
            i256_sub_fits(value, i256_from_i64((int64_t)(test_random(seed) % 10)), &value);
        must(fits);
    }
    i256 negative = value;
    must(i256_neg_fits(value, &negative));
    return test_random(seed) % 2 == 0 ? value : negative;
}

static void random_string(arena *memory, const type *of, string_value *out, uint64_t *seed) {
    char content[64];
    for (size_t i = 0; i < sizeof content; i++) {
        content[i] = (char)('a' + test_random(seed) % 26);
    }
    const size_t size = of->id == TYPE_UUID ? 16
                        : of->width > 0     ? of->width
                                            : test_random(seed) % sizeof content;
    must(string_new(memory, content, size, out));
}

static void random_value(arena *memory, const type *of, void *values, uint32_t i, uint64_t *seed) {
    static const uint64_t borders[] = {0,         UINT64_MAX, INT64_MAX,  (uint64_t)INT64_MIN,
                                       INT32_MAX, UINT32_MAX, 0x80000000, 0x80,
                                       0x7f,      0xffff,     0x8000,     0x7fff};
    const uint64_t random =
        test_random(seed) % 2 == 0 ? test_random(seed) : borders[test_random(seed) % 12];
    const uint32_t size = physical_size(type_physical(of));
    uint8_t *at = (uint8_t *)values + (size_t)i * size;
    if (of->id == TYPE_DECIMAL) {
        const i256 value = random_decimal(of->precision, seed);
        memcpy(at, &value, size); // The low bytes.
    } else if (of->id == TYPE_BOOLEAN) {
        bitmap_put(values, i, random % 2 != 0);
    } else if (of->id == TYPE_INTERVAL) {
        ((interval_value *)values)[i] =
            (interval_value){.months = (int32_t)(random & INT32_MAX),
                             .days = (int32_t)(test_random(seed) & INT32_MAX),
                             .nanos = (int64_t)(uint32_t)(random >> 7 & UINT32_MAX) * 1000000};
    } else if (type_physical(of) == PHYSICAL_STRING) {
        random_string(memory, of, &((string_value *)values)[i], seed);
    } else if (of->id == TYPE_TIME) {
        const int64_t time = (int64_t)(random % 86400);
        memcpy(at, &time, size);
    } else if (of->unit == UNIT_SECOND && size == 8) {
        const int64_t time = (int64_t)random / 1000;
        memcpy(at, &time, size);
    } else {
        memcpy(at, &random, size);
    }
}

// The values as the reader makes them again.
static column read_back(sample *self, const pw_values *stored, const type *as) {
    column out;
    must(column_new(&self->memory, as, stored->count, &out, &self->err) == FIRN_OK);
    if (stored->type == PQ_BOOLEAN) {
        bitmap_copy(stored->bits, 0, stored->count, COLUMN_OUT(&out, uint64_t));
        return out;
    }
    const size_t size = (size_t)stored->count * pw_values_size(stored->type, stored->width);
    pq_conversion in;
    must(pq_conversion_find(self->leaf, as, as, &in, &self->err) == FIRN_OK);
    if (stored->type == PQ_BYTE_ARRAY || in.fixed == NULL) {
        memcpy(COLUMN_OUT(&out, uint8_t), stored->data, size);
        return out;
    }
    uint8_t *raw = ARENA_NEW(&self->memory, uint8_t, size + PQ_PAD);
    must(raw != NULL);
    memcpy(raw, stored->data, size);
    memset(raw + size, 0, PQ_PAD);
    must(in.fixed(&in, raw, stored->count, COLUMN_OUT(&out, uint8_t)) == stored->count);
    return out;
}

// Seconds of a column as milliseconds.
static column in_millis(arena *memory, const column *of, const type *as) {
    firn_error err = ERR_INIT;
    column out;
    must(column_new(memory, as, of->length, &out, &err) == FIRN_OK);
    out.form = of->form;
    for (uint32_t i = 0; i < (of->form == FORM_CONSTANT ? 1 : of->length); i++) {
        if (as->id == TYPE_TIME) {
            COLUMN_OUT(&out, int32_t)[i] = COLUMN_VALUES(of, int32_t)[i] * 1000;
        } else {
            COLUMN_OUT(&out, int64_t)[i] = COLUMN_VALUES(of, int64_t)[i] * 1000;
        }
    }
    return out;
}

static void check_rows(sample *s, const column *given, const column *expected, const uint32_t *rows,
                       uint32_t count) {
    pw_values stored;
    REQUIRE(pw_store(s->leaf, given, rows, count, &s->memory, &stored, &s->err) == FIRN_OK);
    REQUIRE(stored.count == count && stored.type == s->leaf->type);
    if (count == 0) {
        return;
    }
    const column back = read_back(s, &stored, expected->type);
    bool same = true;
    for (uint32_t i = 0; i < count; i++) {
        same = same && column_rows_equal(&back, i, expected, rows == NULL ? i : rows[i]);
    }
    CHECK(same);
    // What needs no conversion is shared.
    const bool is_same_form =
        type_same_values(given->type, expected->type) &&
        pw_values_size(stored.type, stored.width) == physical_size(type_physical(given->type));
    const bool is_swapped = given->type->id == TYPE_DECIMAL && stored.type == PQ_FIXED;
    const bool is_plain = rows == NULL && (given->form == FORM_FLAT || count == 1);
    const bool is_bytes =
        type_physical(given->type) == PHYSICAL_STRING && stored.type == PQ_FIXED; // BINARY(16)
    CHECK(!is_same_form || is_swapped || is_bytes || !is_plain || stored.data == given->values ||
          stored.type == PQ_BOOLEAN);
}

static void check_type(const type *of, const type *as, uint64_t seed) {
    sample s = sample_open(of);
    column given;
    REQUIRE(column_new(&s.memory, of, ROWS, &given, &s.err) == FIRN_OK);
    for (uint32_t i = 0; i < ROWS; i++) {
        random_value(&s.memory, of, COLUMN_OUT(&given, void), i, &seed);
    }
    column expected = type_equal(of, as) ? given : in_millis(&s.memory, &given, as);
    uint32_t rows[ROWS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        rows[count] = i;
        count += test_random(&seed) % 3 == 0;
    }
    rows[count] = 7; // Not in order, and once more.
    check_rows(&s, &given, &expected, NULL, ROWS);
    check_rows(&s, &given, &expected, NULL, 1);
    check_rows(&s, &given, &expected, NULL, 0);
    check_rows(&s, &given, &expected, rows, count + 1);
    given.form = FORM_CONSTANT;
    expected.form = FORM_CONSTANT;
    check_rows(&s, &given, &expected, NULL, ROWS);
    check_rows(&s, &given, &expected, NULL, 1);
    check_rows(&s, &given, &expected, rows, count);
    arena_close(&s.memory);
}

TEST(pw_stored_values_are_read_back) {
    static const type_id ids[] = {
        TYPE_BOOLEAN,   TYPE_TINYINT,  TYPE_SMALLINT, TYPE_INTEGER, TYPE_BIGINT, TYPE_UTINYINT,
        TYPE_USMALLINT, TYPE_UINTEGER, TYPE_UBIGINT,  TYPE_FLOAT16, TYPE_REAL,   TYPE_DOUBLE,
        TYPE_DATE,      TYPE_INTERVAL, TYPE_VARCHAR,  TYPE_BINARY,  TYPE_JSON,   TYPE_UUID};
    arena memory = arena_open(1 << 20);
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        const type *of = &type_constants[ids[i]];
        check_type(of, of, seed + i);
    }
    for (uint8_t precision = 1; precision <= DECIMAL_PRECISION_MAX; precision++) {
        const type *of = type_decimal(&memory, precision, precision / 2);
        check_type(of, of, seed + precision);
    }
    for (uint32_t width = 1; width < 40; width++) {
        const type *of = type_binary(&memory, width);
        check_type(of, of, seed + width);
    }
    static const type_id temporal[] = {TYPE_TIME, TYPE_TIMESTAMP, TYPE_TIMESTAMPTZ};
    for (size_t i = 0; i < 3; i++) {
        for (int unit = UNIT_SECOND; unit <= UNIT_NANO; unit++) {
            const time_unit stored = unit == UNIT_SECOND ? UNIT_MILLI : (time_unit)unit;
            check_type(type_temporal(temporal[i], (time_unit)unit),
                       type_temporal(temporal[i], stored), seed + i);
        }
    }
    arena_close(&memory);
}

TEST(pw_stored_null_has_no_values) {
    sample s = sample_open(TYPE_OF(NULL));
    column nulls;
    REQUIRE(column_new_null(&s.memory, TYPE_OF(NULL), 5, &nulls, &s.err) == FIRN_OK);
    pw_values stored;
    CHECK(pw_store(s.leaf, &nulls, NULL, 0, &s.memory, &stored, &s.err) == FIRN_OK);
    CHECK(stored.type == PQ_INT32 && stored.count == 0);
    arena_close(&s.memory);
}

typedef struct refused {
    const type *of;
    const void *values; // The second one is at fault.
    const char *state;
    const char *message;
} refused;

static void check_refused(const refused *at) {
    sample s = sample_open(at->of);
    const column given = {.type = at->of, .length = 2, .values = at->values};
    const uint32_t second = 1;
    pw_values stored;
    CHECK(pw_store(s.leaf, &given, NULL, 1, &s.memory, &stored, &s.err) == FIRN_OK);
    CHECK(pw_store(s.leaf, &given, NULL, 2, &s.memory, &stored, &s.err) == FIRN_INVALID);
    CHECK(strcmp(s.err.sqlstate, at->state) == 0);
    CHECK(strstr(s.err.text, at->message) != NULL);
    CHECK(pw_store(s.leaf, &given, &second, 1, &s.memory, &stored, &s.err) == FIRN_INVALID);
    arena_close(&s.memory);
}

TEST(pw_stored_refuses_what_has_no_form) {
    arena memory = arena_open(1 << 20);
    const int64_t most = INT64_MAX / 1000;
    const int64_t least = INT64_MIN / 1000;
    const int64_t late[] = {most, most + 1};
    const int64_t early[] = {least, least - 1};
    const int32_t seconds[] = {86399, 86400};
    const int32_t millis[] = {86399999, 86400000};
    const int64_t micros[] = {INT64_C(86399999999), INT64_C(86400000000)};
    const int64_t nanos[] = {INT64_C(86399999999999), INT64_C(86400000000000)};
    const interval_value longest = {INT32_MAX, INT32_MAX, INT64_C(4294967295) * 1000000};
    const interval_value intervals[][2] = {
        {longest, {-1, 2, 3000000}},
        {longest, {1, -2, 3000000}},
        {longest, {1, 2, -3000000}},
        {longest, {1, 2, 3000001}},
        {{0}, {1, 2, longest.nanos + 1000000}},
    };
    const string_value texts[] = {string_of("four", 4), string_of("three", 5)};
    const string_value short_texts[] = {string_of("four", 4), string_of("two", 3)};
    const i128 wide[] = {i128_power_of_ten[19] - 1, (i128)1 << 71}; // Of 9 bytes.
    const i256 wider[] = {i256_from_i64(-1), I256_MAX};
    const refused cases[] = {
        {type_temporal(TYPE_TIMESTAMP, UNIT_SECOND), late, "22003",
         "TIMESTAMP_S of 9223372036854776 seconds in \"a\": too many milliseconds"},
        {type_temporal(TYPE_TIMESTAMPTZ, UNIT_SECOND), early, "22003", "-9223372036854776 seconds"},
        {type_temporal(TYPE_TIME, UNIT_SECOND), seconds, "22003", "24:00:00 in \"a\""},
        {type_temporal(TYPE_TIME, UNIT_MILLI), millis, "22003", "TIME_MS 24:00:00 in \"a\""},
        {TYPE_OF(TIME), micros, "22003", "TIME 24:00:00 in \"a\": in Parquet"},
        {type_temporal(TYPE_TIME, UNIT_NANO), nanos, "22003", "TIME_NS 24:00:00 in \"a\""},
        {TYPE_OF(INTERVAL), intervals[0], "22003",
         "INTERVAL of -1 months, 2 days, 3000000 nanoseconds in \"a\": Parquet has"},
        {TYPE_OF(INTERVAL), intervals[1], "22003", "1 months, -2 days"},
        {TYPE_OF(INTERVAL), intervals[2], "22003", "-3000000 nanoseconds"},
        {TYPE_OF(INTERVAL), intervals[3], "22003", "3000001 nanoseconds"},
        {TYPE_OF(INTERVAL), intervals[4], "22003", "4294967296000000 nanoseconds"},
        {type_binary(&memory, 4), texts, "22026", "5 bytes in \"a\", each value has 4"},
        {type_binary(&memory, 4), short_texts, "22026", "3 bytes in \"a\""},
        {type_decimal(&memory, 19, 2), wide, "22003", "more digits than DECIMAL(19,2)"},
        {type_decimal(&memory, 40, 2), wider, "22003", "more digits than DECIMAL(40,2)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_refused(&cases[i]);
    }
    arena_close(&memory);
}

TEST(pw_stored_says_when_memory_is_full) {
    const type *types[] = {TYPE_OF(TINYINT),  TYPE_OF(BIGINT),
                           TYPE_OF(BOOLEAN),  TYPE_OF(UUID),
                           TYPE_OF(INTERVAL), type_temporal(TYPE_TIMESTAMP, UNIT_SECOND)};
    static const uint64_t values[4 * 20000]; // Zeros of any type.
    static const uint32_t rows[20000];
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        sample s = sample_open(types[i]);
        arena small = arena_open(1000);
        const column given = {.type = types[i], .length = 20000, .values = values};
        pw_values stored;
        CHECK(pw_store(s.leaf, &given, rows, 20000, &small, &stored, &s.err) == FIRN_NO_MEMORY);
        arena_close(&small);
        arena_close(&s.memory);
    }
}
