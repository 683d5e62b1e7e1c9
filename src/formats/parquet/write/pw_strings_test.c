#include "formats/parquet/write/pw_strings.h"

#include <string.h>

#include "base/test.h"
#include "formats/parquet/pq_bytes.h"

#define VALUES 700
#define LIMIT ((size_t)64 << 20)

static const uint32_t counts[] = {0,   1,   2,   7,   8,   9,   31,  32,  33, 127,
                                  128, 129, 255, 256, 257, 503, 512, 513, 700};
#define COUNTS (sizeof counts / sizeof *counts)

static bytes page_of(const byte_output *out, arena *memory) {
    uint8_t *data = ARENA_NEW(memory, uint8_t, out->size + PQ_PAD);
    memset(data + out->size, 0xee, PQ_PAD);
    if (out->size > 0) {
        memcpy(data, out->data, out->size);
    }
    return (bytes){.data = data, .size = out->size};
}

static bool same(const string_value *left, const string_value *right, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!text_equal(string_text(&left[i]), string_text(&right[i]))) {
            return false;
        }
    }
    return true;
}

// Strings of up to `size_max` bytes of `letters` different ones; each begins as the one before, as
// far as chance has it. The bytes end where they end, so that reading on is found.
static void fill(string_value *out, uint32_t size_max, uint32_t letters, arena *memory,
                 uint64_t *seed) {
    for (uint32_t i = 0; i < VALUES; i++) {
        const uint32_t size = (uint32_t)(test_random(seed) % (size_max + 1));
        char *data = ARENA_NEW(memory, char, size);
        const uint32_t kept = i == 0 ? 0 : (uint32_t)(test_random(seed) % (out[i - 1].size + 1));
        for (uint32_t k = 0; k < size; k++) {
            data[k] = k < kept ? string_data(&out[i - 1])[k]
                               : (char)(test_random(seed) % letters + (letters > 200 ? 0 : 'a'));
        }
        out[i] = string_of(data, size);
    }
}

static void check_plain(const pw_values *values, arena *memory) {
    firn_error err = ERR_INIT;
    static string_value read[VALUES];
    byte_output out = {.memory = memory};
    REQUIRE(pw_put_plain(&out, values, &err) == FIRN_OK);
    CHECK(out.size == pw_plain_size(values));
    byte_reader in = reader_open(page_of(&out, memory));
    REQUIRE(pq_plain_bytes_read(&in, values->count, read, &err) == FIRN_OK);
    CHECK(same(read, values->strings, values->count) && reader_left(&in) == 0);
}

static void check_delta_lengths(const pw_values *values, arena *memory) {
    firn_error err = ERR_INIT;
    static string_value read[VALUES];
    byte_output out = {.memory = memory};
    REQUIRE(pw_put_delta_lengths(&out, values, memory, &err) == FIRN_OK);
    pq_delta_lengths in;
    REQUIRE(pq_delta_lengths_open(&in, page_of(&out, memory), &err) == FIRN_OK);
    REQUIRE(pq_delta_lengths_read(&in, values->count, read, &err) == FIRN_OK);
    CHECK(same(read, values->strings, values->count) && reader_left(&in.data) == 0);
}

static void check_delta_bytes(const pw_values *values, arena *memory) {
    firn_error err = ERR_INIT;
    static string_value read[VALUES];
    byte_output out = {.memory = memory};
    REQUIRE(pw_put_delta_bytes(&out, values, memory, &err) == FIRN_OK);
    const bytes page = page_of(&out, memory);
    uint8_t *room = ARENA_NEW(memory, uint8_t, page.size + PQ_DELTA_BYTES_ROOM);
    pq_delta_bytes in;
    REQUIRE(pq_delta_bytes_open(&in, page, room, &err) == FIRN_OK);
    REQUIRE(pq_delta_bytes_read(&in, values->count, memory, read, &err) == FIRN_OK);
    CHECK(same(read, values->strings, values->count) && reader_left(&in.data) == 0);
    uint64_t whole = 0;
    for (uint32_t i = 0; i < values->count; i++) {
        whole += values->strings[i].size;
    }
    CHECK(page.size <= whole + 40 + (size_t)values->count * 16);
}

TEST(pw_strings_round_trip_in_every_encoding) {
    static string_value strings[VALUES];
    static const uint32_t size_maxes[] = {0, 1, 4, 11, 12, 13, 16, 31, 33, 64, 70, 200};
    uint64_t seed = 31;
    for (size_t s = 0; s < sizeof size_maxes / sizeof *size_maxes; s++) {
        for (uint32_t letters = 1; letters <= 256; letters *= 16) {
            arena memory = arena_open(LIMIT);
            fill(strings, size_maxes[s], letters, &memory, &seed);
            for (size_t c = 0; c < COUNTS; c++) {
                const pw_values values = {
                    .type = PQ_BYTE_ARRAY, .count = counts[c], .strings = strings};
                const arena_mark mark = arena_mark_take(&memory);
                check_plain(&values, &memory);
                check_delta_lengths(&values, &memory);
                check_delta_bytes(&values, &memory);
                arena_rewind(&memory, mark);
            }
            arena_close(&memory);
        }
    }
}

// Prefixes are compared and bytes copied in steps.
TEST(pw_strings_round_trip_very_long_values) {
    arena memory = arena_open(LIMIT);
    const uint32_t size = 3 * (uint32_t)CANCEL_COPY_STEP + 5;
    char *data = ARENA_NEW(&memory, char, size);
    char *other = ARENA_NEW(&memory, char, size);
    memset(data, 'x', size);
    memset(other, 'x', size);
    other[size - 2] = 'y';
    string_value strings[] = {string_of(data, size), string_of(other, size), string_of("", 0),
                              string_of(other, size - 1), string_of(data, size)};
    const pw_values values = {.type = PQ_BYTE_ARRAY, .count = 5, .strings = strings};
    check_plain(&values, &memory);
    check_delta_lengths(&values, &memory);
    arena_close(&memory);
    memory = arena_open(2 * LIMIT);
    data = ARENA_NEW(&memory, char, size);
    memset(data, 'x', size);
    strings[0] = string_of(data, size);
    strings[1] = string_of(data, size - 1);
    strings[2] = string_of(data + 1, size - 1);
    const pw_values alike = {.type = PQ_BYTE_ARRAY, .count = 3, .strings = strings};
    firn_error err = ERR_INIT;
    byte_output out = {.memory = &memory};
    REQUIRE(pw_put_delta_bytes(&out, &alike, &memory, &err) == FIRN_OK);
    CHECK(out.size < size + 1000);
    check_delta_bytes(&alike, &memory);
    arena_close(&memory);
}

TEST(pw_strings_fixed_widths_round_trip) {
    static uint8_t fixed[VALUES * 40];
    static uint8_t read[VALUES * 40];
    uint64_t seed = 33;
    for (uint32_t width = 1; width <= 40; width++) {
        for (size_t i = 0; i < (size_t)VALUES * width; i++) {
            fixed[i] = (uint8_t)(test_random(&seed) % 2);
        }
        for (size_t c = 0; c < COUNTS; c++) {
            arena memory = arena_open(LIMIT);
            firn_error err = ERR_INIT;
            const uint32_t count = counts[c];
            const pw_values values = {
                .type = PQ_FIXED, .width = width, .count = count, .fixed = fixed};
            byte_output out = {.memory = &memory};
            REQUIRE(pw_put_delta_bytes(&out, &values, &memory, &err) == FIRN_OK);
            const bytes page = page_of(&out, &memory);
            uint8_t *room = ARENA_NEW(&memory, uint8_t, page.size + PQ_DELTA_BYTES_ROOM);
            pq_delta_bytes in;
            REQUIRE(pq_delta_bytes_open(&in, page, room, &err) == FIRN_OK);
            REQUIRE(pq_delta_bytes_read_fixed(&in, count, width, read, &err) == FIRN_OK);
            CHECK(memcmp(read, fixed, (size_t)count * width) == 0);
            byte_output plain = {.memory = &memory};
            REQUIRE(pw_put_plain(&plain, &values, &err) == FIRN_OK);
            CHECK(plain.size == (size_t)count * width && plain.size == pw_plain_size(&values));
            CHECK(plain.size == 0 || memcmp(plain.data, fixed, plain.size) == 0);
            arena_close(&memory);
        }
    }
}

#define BYTES(...)                                                                                 \
    ((bytes){.data = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((uint8_t[]){__VA_ARGS__})})

static bool holds(const byte_output *out, bytes expected) {
    return out->size == expected.size && memcmp(out->data, expected.data, expected.size) == 0;
}

TEST(pw_strings_write_what_the_specification_says) {
    arena memory = arena_open(LIMIT);
    firn_error err = ERR_INIT;
    { // Its example of lengths: "Hello", "World", "Foobar", "ABCDEF".
        const string_value strings[] = {string_of("Hello", 5), string_of("World", 5),
                                        string_of("Foobar", 6), string_of("ABCDEF", 6)};
        const pw_values values = {.type = PQ_BYTE_ARRAY, .count = 4, .strings = strings};
        byte_output out = {.memory = &memory};
        REQUIRE(pw_put_delta_lengths(&out, &values, &memory, &err) == FIRN_OK);
        // Differences 0, 1, 0 above the least one (0), in one bit each: 0b010.
        CHECK(holds(&out, BYTES(0x80, 0x01, 4, 4, 10, 0, 1, 0, 0, 0, 0x02, 0, 0, 0, 'H', 'e', 'l',
                                'l', 'o', 'W', 'o', 'r', 'l', 'd', 'F', 'o', 'o', 'b', 'a', 'r',
                                'A', 'B', 'C', 'D', 'E', 'F')));
    }
    { // Its example of prefixes: 0, 2, 0, 3; rests of 4, 2, 6, 5 bytes.
        const string_value strings[] = {string_of("axis", 4), string_of("axle", 4),
                                        string_of("babble", 6), string_of("babyhood", 8)};
        const pw_values values = {.type = PQ_BYTE_ARRAY, .count = 4, .strings = strings};
        byte_output out = {.memory = &memory};
        REQUIRE(pw_put_delta_bytes(&out, &values, &memory, &err) == FIRN_OK);
        // Differences 2, -2, 3 are 4, 0, 5 above -2, in 3 bits: 0b101000100. Of the rests -2, 4,
        // -1 are 0, 6, 1 above -2: 0b001110000.
        CHECK(holds(&out, BYTES(0x80, 0x01, 4, 4, 0, 3, 3, 0, 0, 0, 0x44, 1, 0, 0, 0, 0, 0, 0, 0, 0,
                                0, 0, //
                                0x80, 0x01, 4, 4, 8, 3, 3, 0, 0, 0, 0x70, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                0, 0, //
                                'a', 'x', 'i', 's', 'l', 'e', 'b', 'a', 'b', 'b', 'l', 'e', 'y',
                                'h', 'o', 'o', 'd')));
    }
    { // PLAIN: sizes of 4 bytes.
        const string_value strings[] = {string_of("ab", 2), string_of("", 0),
                                        string_of("thirteen byte", 13)};
        const pw_values values = {.type = PQ_BYTE_ARRAY, .count = 3, .strings = strings};
        byte_output out = {.memory = &memory};
        REQUIRE(pw_put_plain(&out, &values, &err) == FIRN_OK);
        CHECK(holds(&out, BYTES(2, 0, 0, 0, 'a', 'b', 0, 0, 0, 0, 13, 0, 0, 0, 't', 'h', 'i', 'r',
                                't', 'e', 'e', 'n', ' ', 'b', 'y', 't', 'e')));
    }
    { // PLAIN of booleans: bits behind the last one are zero.
        const uint64_t bits[] = {UINT64_MAX};
        const pw_values values = {.type = PQ_BOOLEAN, .count = 11, .bits = bits};
        byte_output out = {.memory = &memory};
        REQUIRE(pw_put_plain(&out, &values, &err) == FIRN_OK);
        CHECK(holds(&out, BYTES(0xff, 0x07)));
        CHECK(pw_plain_size(&values) == 2);
    }
    { // PLAIN of numbers.
        const int64_t numbers[] = {1, -2};
        const pw_values values = {.type = PQ_INT64, .count = 2, .i64 = numbers};
        byte_output out = {.memory = &memory};
        REQUIRE(pw_put_plain(&out, &values, &err) == FIRN_OK);
        CHECK(holds(&out,
                    BYTES(1, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)));
    }
    arena_close(&memory);
}

TEST(pw_strings_refuse_what_parquet_has_no_size_for) {
    arena memory = arena_open(LIMIT);
    string_value strings[] = {string_of("a", 1), string_of("0123456789abcdef", 16)};
    strings[1].size = UINT32_C(1) << 31; // Nobody reads that far.
    const pw_values values = {.type = PQ_BYTE_ARRAY, .count = 2, .strings = strings};
    byte_output out = {.memory = &memory};
    firn_error err = ERR_INIT;
    CHECK(pw_put_plain(&out, &values, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "a value of 2147483648 bytes") != NULL);
    CHECK(pw_put_delta_lengths(&out, &values, &memory, &err) == FIRN_INVALID);
    CHECK(pw_put_delta_bytes(&out, &values, &memory, &err) == FIRN_INVALID);
    CHECK(out.size == 0);
    arena_close(&memory);
}

TEST(pw_strings_say_when_memory_is_full) {
    arena memory = arena_open(LIMIT);
    arena little = arena_open(2000);
    static string_value strings[VALUES];
    uint64_t seed = 34;
    fill(strings, 30, 20, &memory, &seed);
    const pw_values values = {.type = PQ_BYTE_ARRAY, .count = VALUES, .strings = strings};
    firn_error err = ERR_INIT;
    byte_output out = {.memory = &little};
    CHECK(pw_put_plain(&out, &values, &err) == FIRN_NO_MEMORY);
    CHECK(pw_put_delta_lengths(&out, &values, &memory, &err) == FIRN_NO_MEMORY);
    CHECK(pw_put_delta_bytes(&out, &values, &memory, &err) == FIRN_NO_MEMORY);
    byte_output wide = {.memory = &memory};
    CHECK(pw_put_delta_lengths(&wide, &values, &little, &err) == FIRN_NO_MEMORY);
    CHECK(pw_put_delta_bytes(&wide, &values, &little, &err) == FIRN_NO_MEMORY);
    arena_close(&little);
    arena_close(&memory);
}
