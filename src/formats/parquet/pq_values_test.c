#include "formats/parquet/pq_values.h"

#include <string.h>

#include "base/test.h"
#include "column/column.h"

// A page with the pad that every page has behind it.
#define PAGE(...)                                                                                  \
    ((bytes){.data = (const uint8_t[sizeof((uint8_t[]){__VA_ARGS__}) + PQ_PAD]){__VA_ARGS__},      \
             .size = sizeof((uint8_t[]){__VA_ARGS__})})

static pq_leaf leaf_of(pq_type type, uint32_t width) {
    return (pq_leaf){.type = type, .width = width};
}

TEST(pq_plain_bytes_point_into_the_page) {
    const bytes page = PAGE(2, 0, 0, 0, 'a', 'b', 0, 0, 0, 0, 13, 0, 0, 0, '0', '1', '2', '3', '4',
                            '5', '6', '7', '8', '9', 'a', 'b', 'c', 3, 0, 0, 0, 'x', 'y', 'z');
    firn_error err = ERR_INIT;
    byte_reader in = reader_open(page);
    string_value out[4];
    REQUIRE(pq_plain_bytes_read(&in, 4, out, &err) == FIRN_OK);
    CHECK(reader_left(&in) == 0);
    const string_value ab = string_of("ab", 2);
    const string_value empty = string_of("", 0);
    const string_value xyz = string_of("xyz", 3);
    if (string_is_inline(&xyz)) {
        CHECK(memcmp(&out[0], &ab, sizeof ab) == 0); // Unused bytes are zero.
        CHECK(memcmp(&out[3], &xyz, sizeof xyz) == 0);
    }
    CHECK(memcmp(&out[1], &empty, sizeof empty) == 0);
    CHECK(string_equal(&out[0], &ab) && string_equal(&out[3], &xyz));
    CHECK(out[2].size == 13 && string_data(&out[2]) == (const char *)page.data + 14);
    in = reader_open(page);
    REQUIRE(pq_plain_bytes_skip(&in, 3, &err) == FIRN_OK);
    REQUIRE(pq_plain_bytes_read(&in, 1, out, &err) == FIRN_OK);
    CHECK(string_equal(&out[0], &xyz));
    CHECK(pq_plain_bytes_read(&in, 1, out, &err) == FIRN_CORRUPT);
}

TEST(pq_fixed_bytes_are_viewed_at_every_width) {
    uint8_t values[20 * 3 + PQ_PAD];
    for (size_t i = 0; i < sizeof values; i++) {
        values[i] = (uint8_t)(i * 7 + 1);
    }
    for (uint32_t width = 1; width <= 20; width++) {
        string_value out[3];
        pq_fixed_bytes_view(values, width, 3, out);
        for (uint32_t i = 0; i < 3; i++) {
            const string_value expected = string_of((const char *)values + i * width, width);
            CHECK(memcmp(&out[i], &expected, sizeof expected) == 0);
        }
    }
}

// "Hello", "World", "Foobar", "ABCDEF": the example of the format's specification.
static const uint8_t delta_lengths_page[] = {
    0x80, 0x01, 4,   4,   10,  2,   1,   0,   0,   0,   0x02, 0,   0,   0,   'H', 'e', 'l', 'l',
    'o',  'W',  'o', 'r', 'l', 'd', 'F', 'o', 'o', 'b', 'a',  'r', 'A', 'B', 'C', 'D', 'E', 'F'};

TEST(pq_delta_lengths_reads_and_skips) {
    uint8_t page[sizeof delta_lengths_page + PQ_PAD] = {0};
    memcpy(page, delta_lengths_page, sizeof delta_lengths_page);
    // Sizes 5, 5, 6, 6: differences 0, 1, 0, above the least one (0) in one bit each.
    page[5] = 0;
    firn_error err = ERR_INIT;
    const bytes input = {.data = page, .size = sizeof delta_lengths_page};
    for (uint32_t start = 0; start <= 4; start++) {
        static const char *const words[] = {"Hello", "World", "Foobar", "ABCDEF"};
        pq_delta_lengths in;
        string_value out[4];
        REQUIRE(pq_delta_lengths_open(&in, input, &err) == FIRN_OK);
        REQUIRE(pq_delta_lengths_skip(&in, start, &err) == FIRN_OK);
        REQUIRE(pq_delta_lengths_read(&in, 4 - start, out, &err) == FIRN_OK);
        for (uint32_t i = start; i < 4; i++) {
            CHECK(text_equal(string_text(&out[i - start]), text_of(words[i])));
        }
        CHECK(pq_delta_lengths_read(&in, 1, out, &err) == FIRN_CORRUPT);
    }
    pq_delta_lengths in;
    string_value out[4];
    REQUIRE(pq_delta_lengths_open(&in, (bytes){.data = page, .size = input.size - 1}, &err) ==
            FIRN_OK);
    CHECK(pq_delta_lengths_read(&in, 4, out, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "value of 6 bytes, 5 are left") != NULL);
}

// A miniblock sequence with the given small values, written by hand: block 128, 4 miniblocks, one
// used, 5 bits a difference, least difference -20.
static size_t write_small_delta(uint8_t *out, const uint8_t *values, size_t count) {
    const uint8_t head[] = {0x80, 0x01, 4, (uint8_t)count, (uint8_t)(values[0] * 2)};
    memcpy(out, head, sizeof head);
    const uint8_t block[] = {39, 5, 0, 0, 0};
    memcpy(out + sizeof head, block, sizeof block);
    uint8_t *packed = out + sizeof head + sizeof block;
    memset(packed, 0, 20);
    for (size_t i = 1; i < count; i++) {
        const uint32_t above = (uint32_t)(values[i] - values[i - 1] + 20);
        for (size_t bit = 0; bit < 5; bit++) {
            const size_t to = (i - 1) * 5 + bit;
            packed[to / 8] = (uint8_t)(packed[to / 8] | (above >> bit & 1) << (to % 8));
        }
    }
    return sizeof head + sizeof block + 20;
}

static size_t write_delta_bytes(uint8_t *page, const uint8_t *prefixes, const uint8_t *suffixes,
                                size_t count, const char *data) {
    size_t size = write_small_delta(page, prefixes, count);
    size += write_small_delta(page + size, suffixes, count);
    memcpy(page + size, data, strlen(data));
    return size + strlen(data);
}

TEST(pq_delta_bytes_puts_values_together) {
    static const char *const words[] = {"axis", "axle", "babble", "babyhood-and-more", "babyhood"};
    const uint8_t prefixes[] = {0, 2, 0, 3, 8};
    const uint8_t suffixes[] = {4, 2, 6, 14, 0};
    uint8_t page[300 + PQ_PAD] = {0};
    const size_t size =
        write_delta_bytes(page, prefixes, suffixes, 5, "axislebabbleyhood-and-more");
    arena memory = arena_open(1 << 16);
    firn_error err = ERR_INIT;
    _Alignas(4) uint8_t room[300 + PQ_DELTA_BYTES_ROOM];
    for (uint32_t start = 0; start <= 5; start++) {
        pq_delta_bytes in;
        string_value out[5];
        REQUIRE(pq_delta_bytes_open(&in, (bytes){.data = page, .size = size}, room, &err) ==
                FIRN_OK);
        REQUIRE(pq_delta_bytes_skip(&in, start, &err) == FIRN_OK);
        uint32_t fits;
        REQUIRE(start == 5 || pq_delta_bytes_measure(&in, 5 - start, 18, &fits, &err) == FIRN_OK);
        static const uint32_t fit_expected[] = {3, 2, 1, 1, 1};
        CHECK(start == 5 || fits == fit_expected[start]);
        REQUIRE(pq_delta_bytes_read(&in, 5 - start, &memory, out, &err) == FIRN_OK);
        for (uint32_t i = start; i < 5; i++) {
            CHECK(text_equal(string_text(&out[i - start]), text_of(words[i])));
        }
        CHECK(pq_delta_bytes_read(&in, 1, &memory, out, &err) == FIRN_CORRUPT);
    }
    // A first value cannot begin with bytes of one before.
    const uint8_t wrong[] = {1, 2, 0, 3, 8};
    const size_t wrong_size =
        write_delta_bytes(page, wrong, suffixes, 5, "axislebabbleyhood-and-more");
    pq_delta_bytes in;
    string_value out[5];
    REQUIRE(pq_delta_bytes_open(&in, (bytes){.data = page, .size = wrong_size}, room, &err) ==
            FIRN_OK);
    CHECK(pq_delta_bytes_read(&in, 5, &memory, out, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "value begins with 1 bytes of the one before, which has 0") != NULL);
    arena_close(&memory);
}

TEST(pq_split_joins_every_width_at_every_level) {
    uint8_t data[16 * 100];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 31 + i / 256);
    }
    const uint32_t widths[] = {1, 2, 3, 4, 5, 7, 8, 12, 16};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        const uint32_t width = widths[w];
        for (int level = 0; level <= (int)isa_best(); level++) {
            uint8_t out[16 * 100];
            pq_split_kernel_at((isa_level)level)(data + 3, 100, width, 97, out);
            bool same = true;
            for (size_t i = 0; i < 97; i++) {
                for (size_t k = 0; k < width; k++) {
                    same = same && out[i * width + k] == data[3 + k * 100 + i];
                }
            }
            CHECK(same);
        }
    }
}

TEST(pq_values_reads_and_skips_split_pages) {
    uint8_t page[4 * 10 + PQ_PAD] = {0};
    for (uint8_t i = 0; i < 40; i++) {
        page[i] = i;
    }
    const pq_leaf leaf = leaf_of(PQ_FLOAT, 4);
    firn_error err = ERR_INIT;
    pq_values in;
    uint8_t scratch[40 + PQ_PAD];
    const uint8_t *out;
    REQUIRE(pq_values_open(&in, PQ_ENCODING_BYTE_STREAM_SPLIT, &leaf,
                           (bytes){.data = page, .size = 40}, UINT32_MAX, NULL, &err) == FIRN_OK);
    REQUIRE(pq_values_skip(&in, 7, &err) == FIRN_OK);
    REQUIRE(pq_values_fixed(&in, 3, scratch, &out, &err) == FIRN_OK);
    CHECK(out[0] == 7 && out[1] == 17 && out[2] == 27 && out[3] == 37 && out[8] == 9);
    CHECK(pq_values_fixed(&in, 1, scratch, &out, &err) == FIRN_CORRUPT);
    CHECK(pq_values_skip(&in, 1, &err) == FIRN_CORRUPT);
}

TEST(pq_values_reads_booleans_in_both_encodings) {
    const pq_leaf leaf = leaf_of(PQ_BOOLEAN, 1);
    const bytes plain = PAGE(0xA5, 0x03);
    const bytes runs = PAGE(4, 0, 0, 0, 3, 0xA5, 4, 1);
    for (int i = 0; i < 2; i++) {
        firn_error err = ERR_INIT;
        pq_values in;
        uint64_t bits[2] = {0, 0};
        REQUIRE(pq_values_open(&in, i == 0 ? PQ_ENCODING_PLAIN : PQ_ENCODING_RLE, &leaf,
                               i == 0 ? plain : runs, UINT32_MAX, NULL, &err) == FIRN_OK);
        REQUIRE(pq_values_skip(&in, 2, &err) == FIRN_OK);
        REQUIRE(pq_values_bits(&in, 8, bits, 60, &err) == FIRN_OK);
        CHECK(bits[0] >> 60 == 0x9 && (bits[1] & 0xf) == 0xe); // 1010 0101, 11 without two.
    }
}

TEST(pq_values_takes_plain_numbers_without_copying) {
    const bytes page = PAGE(1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0);
    const pq_leaf leaf = leaf_of(PQ_INT32, 4);
    firn_error err = ERR_INIT;
    pq_values in;
    const uint8_t *out;
    REQUIRE(pq_values_open(&in, PQ_ENCODING_PLAIN, &leaf, page, UINT32_MAX, NULL, &err) == FIRN_OK);
    REQUIRE(pq_values_skip(&in, 1, &err) == FIRN_OK);
    REQUIRE(pq_values_fixed(&in, 1, NULL, &out, &err) == FIRN_OK);
    CHECK(out == page.data + 4);
    CHECK(pq_values_fixed(&in, 1, NULL, &out, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "1 values wanted, 0 are left in the page") != NULL);
}

TEST(pq_values_refuses_encodings_that_the_type_does_not_have) {
    const struct {
        int32_t encoding;
        pq_type type;
        const char *message;
    } cases[] = {
        {PQ_ENCODING_DELTA_BINARY_PACKED, PQ_FLOAT,
         "DELTA_BINARY_PACKED (5) of values of type FLOAT"},
        {PQ_ENCODING_RLE, PQ_INT32, "encoding RLE (3)"},
        {PQ_ENCODING_BYTE_STREAM_SPLIT, PQ_BYTE_ARRAY, "encoding BYTE_STREAM_SPLIT (9)"},
        {PQ_ENCODING_DELTA_LENGTH_BYTE_ARRAY, PQ_FIXED, "DELTA_LENGTH_BYTE_ARRAY (6)"},
        {PQ_ENCODING_RLE_DICTIONARY, PQ_BOOLEAN, "RLE_DICTIONARY (8)"},
        {PQ_ENCODING_RLE_DICTIONARY, PQ_INT32, "without a dictionary"},
        {1, PQ_INT32, "encoding unknown (1)"},
        {-1, PQ_INT32, "encoding unknown (-1)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        firn_error err = ERR_INIT;
        const pq_leaf leaf = leaf_of(cases[i].type, 4);
        pq_values in;
        CHECK(pq_values_open(&in, cases[i].encoding, &leaf, PAGE(0, 0), UINT32_MAX, NULL, &err) ==
              FIRN_CORRUPT);
        CHECK(strstr(err.text, cases[i].message) != NULL);
    }
}
