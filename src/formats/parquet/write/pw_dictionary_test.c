#include "formats/parquet/write/pw_dictionary.h"

#include <string.h>

#include "base/compiler.h"
#include "base/test.h"

#define VALUES 3000
#define WIDTH_MAX 40
#define LIMIT ((size_t)64 << 20)
#define PLENTY (UINT64_C(1) << 40)

static firn_error err = FIRN_ERROR_INIT;

static bool is_same(const pw_values *values, uint32_t i, const pw_values *others, uint32_t k) {
    if (values->type == PQ_BYTE_ARRAY) {
        return text_equal(string_text(&values->strings[i]), string_text(&others->strings[k]));
    }
    const size_t size = pw_values_size(values->type, values->width);
    return memcmp(values->fixed + i * size, others->fixed + k * size, size) == 0;
}

static uint64_t plain_bytes(const pw_values *values) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < values->count; i++) {
        sum += values->type == PQ_BYTE_ARRAY ? 4 + (uint64_t)values->strings[i].size
                                             : pw_values_size(values->type, values->width);
    }
    return sum;
}

// That codes name equal entries, that these all differ, and come in order of first occurrence.
static void check(const pw_dictionary *self, const pw_values *values, const uint32_t *codes) {
    const pw_values entries = pw_dictionary_entries(self);
    bool is_right = true;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < values->count; i++) {
        REQUIRE(codes[i] < entries.count && codes[i] <= seen);
        seen = codes[i] == seen ? seen + 1 : seen;
        is_right = is_right && is_same(values, i, &entries, codes[i]);
    }
    CHECK(is_right && seen == entries.count);
    CHECK(pw_dictionary_bytes(self) == plain_bytes(&entries));
    uint32_t again = 0;
    for (uint32_t i = 1; i < entries.count && i < 60; i++) { // Enough to find double ones.
        for (uint32_t k = 0; k < i; k++) {
            again += is_same(&entries, i, &entries, k);
        }
    }
    CHECK(again == 0);
}

// As many values at `from` on.
static pw_values slice(const pw_values *values, uint32_t from, uint32_t count) {
    pw_values out = *values;
    out.count = count;
    out.data = values->fixed + (size_t)from * pw_values_size(values->type, values->width);
    return out;
}

// Hands in portions of all sizes.
static void check_portions(const pw_values *values, arena *memory) {
    static uint32_t codes[VALUES];
    pw_dictionary *self;
    REQUIRE(pw_dictionary_open(memory, values->type, values->width, PLENTY, &self, &err) ==
            FIRN_OK);
    CHECK(pw_dictionary_entries(self).count == 0 && pw_dictionary_bytes(self) == 0);
    uint32_t step = 0;
    for (uint32_t at = 0; at < values->count; at += step) {
        step = step + 1 < values->count - at ? step + 1 : values->count - at;
        const pw_values part = slice(values, at, step);
        uint32_t taken;
        REQUIRE(pw_dictionary_codes(self, &part, codes + at, &taken, &err) == FIRN_OK);
        CHECK(taken == step);
    }
    check(self, values, codes);
    pw_values back;
    REQUIRE(pw_dictionary_values(self, codes, values->count, memory, &back, &err) == FIRN_OK);
    CHECK(back.count == values->count && back.type == values->type);
    bool is_right = true;
    for (uint32_t i = 0; i < values->count; i++) {
        is_right = is_right && is_same(&back, i, values, i);
    }
    CHECK(is_right);
}

// `distinct` different values at most, in runs of up to `run_max`, of `size` bytes each.
static void fill(uint8_t *out, size_t size, uint64_t distinct, uint64_t run_max, uint64_t *seed) {
    for (size_t i = 0; i < VALUES;) {
        uint64_t number = test_random(seed) % distinct;
        for (uint64_t left = 1 + test_random(seed) % run_max; left > 0 && i < VALUES; left--) {
            uint64_t mixed = number; // The same bytes for the same number.
            for (size_t k = 0; k < size; k++) {
                out[i * size + k] = (uint8_t)(k < 2 ? number >> (8 * k) : mixed % 3);
                mixed /= 2;
            }
            i += 1;
        }
    }
}

static const struct {
    uint64_t distinct, run_max;
} shapes[] = {{1, 1}, {2, 1}, {7, 1}, {7, 40}, {300, 3}, {60000, 1}, {60000, 20}};
#define SHAPES (sizeof shapes / sizeof *shapes)

TEST(pw_dictionary_codes_numbers_and_bytes_of_every_width) {
    _Alignas(8) static uint8_t data[VALUES * WIDTH_MAX];
    static const pq_type types[] = {PQ_INT32, PQ_INT64, PQ_INT96, PQ_FLOAT, PQ_DOUBLE};
    uint64_t seed = 51;
    for (size_t s = 0; s < SHAPES; s++) {
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            arena memory = arena_open(LIMIT);
            fill(data, pw_values_size(types[t], 0), shapes[s].distinct, shapes[s].run_max, &seed);
            const pw_values values = {.type = types[t], .count = VALUES, .data = data};
            check_portions(&values, &memory);
            arena_close(&memory);
        }
        for (uint32_t width = 1; width <= WIDTH_MAX; width++) {
            arena memory = arena_open(LIMIT);
            fill(data, width, shapes[s].distinct, shapes[s].run_max, &seed);
            const pw_values values = {
                .type = PQ_FIXED, .width = width, .count = VALUES, .data = data};
            check_portions(&values, &memory);
            arena_close(&memory);
        }
    }
}

// Numbers around `around` that lie in a window which widens, with one far away at times.
WRAPS static void fill_near(int64_t *out, uint64_t around, uint32_t turn, uint64_t *seed) {
    for (uint64_t i = 0; i < VALUES; i++) {
        const uint64_t widest = turn % 2 == 0 ? 10 + i : 5000;
        const uint64_t step = turn == 3   ? i
                              : turn == 4 ? -i
                                          : test_random(seed) % widest - widest / 2;
        const bool is_far = turn == 5 && i % 700 == 699;
        out[i] = (int64_t)(around + (is_far ? test_random(seed) : step));
    }
}

TEST(pw_dictionary_codes_numbers_that_lie_near_each_other) {
    static const int64_t arounds[] = {0,         1000000,   -70000,   INT32_MAX,
                                      INT32_MIN, INT64_MAX, INT64_MIN};
    static int64_t longs[VALUES];
    static int32_t ints[VALUES];
    uint64_t seed = 57;
    for (uint32_t a = 0; a < sizeof arounds / sizeof *arounds; a++) {
        for (uint32_t turn = 0; turn < 6; turn++) {
            fill_near(longs, (uint64_t)arounds[a], turn, &seed);
            for (uint32_t i = 0; i < VALUES; i++) {
                ints[i] = (int32_t)(uint32_t)(uint64_t)longs[i];
            }
            arena memory = arena_open(LIMIT);
            const pw_values wide = {.type = PQ_INT64, .count = VALUES, .i64 = longs};
            const pw_values narrow = {.type = PQ_INT32, .count = VALUES, .i32 = ints};
            check_portions(&wide, &memory);
            check_portions(&narrow, &memory);
            arena_close(&memory);
        }
    }
}

// Strings that end where their bytes end.
static void fill_strings(string_value *out, uint64_t distinct, uint64_t run_max, uint32_t size_max,
                         arena *memory, uint64_t *seed) {
    for (uint32_t i = 0; i < VALUES;) {
        const uint64_t number = test_random(seed) % distinct;
        for (uint64_t left = 1 + test_random(seed) % run_max; left > 0 && i < VALUES; left--) {
            const uint32_t size = (uint32_t)(number * 7 % (size_max + 1));
            char *data = ARENA_NEW(memory, char, size);
            for (uint32_t k = 0; k < size; k++) {
                data[k] = (char)('a' + (k + 3 < size ? 0 : number >> (4 * (size - k - 1)) & 15));
            }
            out[i++] = string_of(data, size);
        }
    }
}

TEST(pw_dictionary_codes_strings) {
    static string_value strings[VALUES];
    static const uint32_t size_maxes[] = {0, 3, 12, 13, 20, 64, 300};
    uint64_t seed = 52;
    for (size_t s = 0; s < SHAPES; s++) {
        for (size_t z = 0; z < sizeof size_maxes / sizeof *size_maxes; z++) {
            arena memory = arena_open(LIMIT);
            fill_strings(strings, shapes[s].distinct, shapes[s].run_max, size_maxes[z], &memory,
                         &seed);
            const pw_values values = {.type = PQ_BYTE_ARRAY, .count = VALUES, .strings = strings};
            check_portions(&values, &memory);
            arena_close(&memory);
        }
    }
}

TEST(pw_dictionary_tells_values_apart_bit_by_bit) {
    arena memory = arena_open(LIMIT);
    const double zeros[] = {0.0, -0.0, 0.0, 1.0, -0.0};
    const uint32_t expected[] = {0, 1, 0, 2, 1};
    const pw_values values = {.type = PQ_DOUBLE, .count = 5, .data = zeros};
    pw_dictionary *self;
    uint32_t codes[5];
    uint32_t taken;
    REQUIRE(pw_dictionary_open(&memory, PQ_DOUBLE, 0, PLENTY, &self, &err) == FIRN_OK);
    REQUIRE(pw_dictionary_codes(self, &values, codes, &taken, &err) == FIRN_OK);
    CHECK(memcmp(codes, expected, sizeof codes) == 0);
    // Zeros behind the end of a string belong to no string.
    const string_value strings[] = {string_of("a", 1), string_of("a\0", 2), string_of("", 0),
                                    string_of("\0", 1), string_of("a", 1)};
    const uint32_t strings_expected[] = {0, 1, 2, 3, 0};
    const pw_values texts = {.type = PQ_BYTE_ARRAY, .count = 5, .strings = strings};
    REQUIRE(pw_dictionary_open(&memory, PQ_BYTE_ARRAY, 0, PLENTY, &self, &err) == FIRN_OK);
    REQUIRE(pw_dictionary_codes(self, &texts, codes, &taken, &err) == FIRN_OK);
    CHECK(memcmp(codes, strings_expected, sizeof codes) == 0);
    arena_close(&memory);
}

TEST(pw_dictionary_stops_before_its_page_grows_too_large) {
    arena memory = arena_open(LIMIT);
    static int64_t numbers[VALUES];
    for (int64_t i = 0; i < VALUES; i++) {
        numbers[i] = i / 2;
    }
    static uint32_t codes[VALUES];
    uint32_t taken;
    pw_dictionary *self;
    REQUIRE(pw_dictionary_open(&memory, PQ_INT64, 0, 8 * 1000 + 7, &self, &err) == FIRN_OK);
    pw_values values = {.type = PQ_INT64, .count = VALUES, .i64 = numbers};
    REQUIRE(pw_dictionary_codes(self, &values, codes, &taken, &err) == FIRN_OK);
    CHECK(taken == 2000 && pw_dictionary_bytes(self) == 8000);
    // Those that are known are still taken.
    REQUIRE(pw_dictionary_codes(self, &values, codes, &taken, &err) == FIRN_OK);
    CHECK(taken == 2000 && codes[1999] == 999 && pw_dictionary_entries(self).count == 1000);
    // Strings count with their sizes; one that is longer than all is not looked at.
    string_value strings[] = {string_of("0123456789abcdef", 16), string_of("x", 1),
                              string_of("0123456789abcdef", 16), string_of("yz", 2)};
    values = (pw_values){.type = PQ_BYTE_ARRAY, .count = 4, .strings = strings};
    REQUIRE(pw_dictionary_open(&memory, PQ_BYTE_ARRAY, 0, 25, &self, &err) == FIRN_OK);
    REQUIRE(pw_dictionary_codes(self, &values, codes, &taken, &err) == FIRN_OK);
    CHECK(taken == 3 && pw_dictionary_bytes(self) == 25 && codes[2] == 0);
    // Not even the first one fits.
    REQUIRE(pw_dictionary_open(&memory, PQ_BYTE_ARRAY, 0, 21, &self, &err) == FIRN_OK);
    const string_value two[] = {string_of("0123456789abcdef++", 18), string_of("x", 1)};
    const pw_values long_first = {.type = PQ_BYTE_ARRAY, .count = 2, .strings = two};
    REQUIRE(pw_dictionary_codes(self, &long_first, codes, &taken, &err) == FIRN_OK);
    CHECK(taken == 0 && pw_dictionary_entries(self).count == 0);
    const pw_values one = {.type = PQ_FIXED,
                           .width = 22,
                           .count = 1,
                           .fixed = (const uint8_t *)"0123456789abcdef++++++"};
    REQUIRE(pw_dictionary_open(&memory, PQ_FIXED, 22, 21, &self, &err) == FIRN_OK);
    REQUIRE(pw_dictionary_codes(self, &one, codes, &taken, &err) == FIRN_OK);
    CHECK(taken == 0 && pw_dictionary_entries(self).count == 0);
    REQUIRE(pw_dictionary_open(&memory, PQ_BYTE_ARRAY, 0, 25, &self, &err) == FIRN_OK);
    REQUIRE(pw_dictionary_codes(self, &values, codes, &taken, &err) == FIRN_OK);
    strings[0].size = UINT32_MAX;
    REQUIRE(pw_dictionary_codes(self, &values, codes, &taken, &err) == FIRN_OK);
    CHECK(taken == 0);
    arena_close(&memory);
}

// With ever more memory, until there is enough: each time the dictionary is what it was.
TEST(pw_dictionary_is_as_before_when_memory_is_full) {
    static string_value strings[VALUES];
    static uint32_t codes[VALUES];
    static uint32_t map[VALUES];
    static uint32_t indexes[VALUES];
    arena bytes_of = arena_open(LIMIT);
    uint64_t seed = 53;
    fill_strings(strings, 60000, 1, 60, &bytes_of, &seed);
    const pw_values all = {.type = PQ_BYTE_ARRAY, .count = VALUES, .strings = strings};
    const pw_values some = slice(&all, 0, 100);
    uint32_t failures = 0;
    for (uint32_t i = 0; i < VALUES; i++) {
        indexes[i] = i;
    }
    for (size_t limit = 80000; limit < 2000000 && failures < 1000; limit += 20000) {
        for (uint32_t way = 0; way < 2; way++) {
            arena memory = arena_open(limit);
            pw_dictionary *self;
            uint32_t taken;
            REQUIRE(pw_dictionary_open(&memory, PQ_BYTE_ARRAY, 0, PLENTY, &self, &err) == FIRN_OK);
            REQUIRE(pw_dictionary_codes(self, &some, codes, &taken, &err) == FIRN_OK);
            const uint32_t entries = pw_dictionary_entries(self).count;
            const uint64_t bytes = pw_dictionary_bytes(self);
            memset(map, 0xff, sizeof map);
            const pw_coded coded = {
                .entries = &all, .map = map, .indexes = indexes, .count = VALUES};
            const firn_status status =
                way == 0 ? pw_dictionary_codes(self, &all, codes, &taken, &err)
                         : pw_dictionary_translate(self, &coded, codes, &taken, &err);
            if (status == FIRN_OK) {
                check(self, &all, codes);
            } else {
                failures += 1;
                CHECK(status == FIRN_NO_MEMORY);
                CHECK(pw_dictionary_entries(self).count == entries);
                CHECK(pw_dictionary_bytes(self) == bytes);
                uint32_t unknown = 0;
                for (uint32_t i = 0; i < VALUES; i++) {
                    CHECK(map[i] == PW_NO_CODE || map[i] < entries);
                    unknown += map[i] == PW_NO_CODE;
                }
                CHECK(unknown > 0);
                REQUIRE(pw_dictionary_codes(self, &some, codes, &taken, &err) == FIRN_OK);
                CHECK(taken == some.count && pw_dictionary_entries(self).count == entries);
                check(self, &some, codes);
            }
            arena_close(&memory);
        }
    }
    CHECK(failures > 4);
    arena_close(&bytes_of);
}

TEST(pw_dictionary_translates_codes_of_another_one) {
    arena memory = arena_open(LIMIT);
    const int32_t entries[] = {50, 60, 70, 80};
    const uint32_t indexes[] = {3, 3, 0, 1, 3, 0};
    const uint32_t expected[] = {1, 1, 2, 0, 1, 2};
    const int32_t sixty = 60;
    uint32_t map[4] = {PW_NO_CODE, PW_NO_CODE, PW_NO_CODE, PW_NO_CODE};
    uint32_t codes[6];
    uint32_t taken;
    pw_dictionary *self;
    REQUIRE(pw_dictionary_open(&memory, PQ_INT32, 0, 12, &self, &err) == FIRN_OK);
    const pw_values one = {.type = PQ_INT32, .count = 1, .i32 = &sixty};
    REQUIRE(pw_dictionary_codes(self, &one, codes, &taken, &err) == FIRN_OK);
    const pw_values theirs = {.type = PQ_INT32, .count = 4, .i32 = entries};
    pw_coded coded = {.entries = &theirs, .map = map, .indexes = indexes, .count = 6};
    REQUIRE(pw_dictionary_translate(self, &coded, codes, &taken, &err) == FIRN_OK);
    CHECK(taken == 6 && memcmp(codes, expected, sizeof codes) == 0);
    CHECK(map[2] == PW_NO_CODE); // Was not met, so it is no entry.
    const pw_values mine = pw_dictionary_entries(self);
    CHECK(mine.count == 3 && mine.i32[0] == 60 && mine.i32[1] == 80 && mine.i32[2] == 50);
    // A fourth entry does not fit.
    const uint32_t more[] = {0, 2, 1};
    coded = (pw_coded){.entries = &theirs, .map = map, .indexes = more, .count = 3};
    REQUIRE(pw_dictionary_translate(self, &coded, codes, &taken, &err) == FIRN_OK);
    CHECK(taken == 1 && codes[0] == 2 && map[2] == PW_NO_CODE);
    arena_close(&memory);
}

// What was outgrown is no more than what there is.
TEST(pw_dictionary_leaves_little_behind) {
    static int64_t numbers[VALUES];
    static uint32_t codes[VALUES];
    arena memory = arena_open(LIMIT);
    uint32_t taken;
    pw_dictionary *self;
    REQUIRE(pw_dictionary_open(&memory, PQ_INT64, 0, PLENTY, &self, &err) == FIRN_OK);
    for (int64_t part = 0; part < 100; part++) {
        for (int64_t i = 0; i < VALUES; i++) {
            numbers[i] = part * VALUES + i;
        }
        const pw_values values = {.type = PQ_INT64, .count = VALUES, .i64 = numbers};
        REQUIRE(pw_dictionary_codes(self, &values, codes, &taken, &err) == FIRN_OK);
    }
    // 300,000 entries: capacity 2^19 of 8 bytes, 2^20 slots of 4, twice that with what was left.
    CHECK(pw_dictionary_entries(self).count == 300000 && memory.used < (size_t)18 << 20);
    arena_close(&memory);
}
