#include "formats/parquet/pq_codes.h"

#include <string.h>

#include "base/compiler.h"
#include "base/test.h"
#include "column/column.h"

// A page with the pad that every page has behind it.
#define PAGE(...)                                                                                  \
    ((bytes){.data = (const uint8_t[sizeof((uint8_t[]){__VA_ARGS__}) + PQ_PAD]){__VA_ARGS__},      \
             .size = sizeof((uint8_t[]){__VA_ARGS__})})

TEST(pq_codes_reads_a_repeated_run) {
    // 3 bits wide; header 5 << 1; value 6.
    firn_error err = ERR_INIT;
    pq_codes in;
    REQUIRE(pq_codes_open(&in, PAGE(3, 10, 6), 7, &err) == FIRN_OK);
    uint32_t out[5 + PQ_UNPACK_SPARE];
    REQUIRE(pq_codes_read(&in, 5, out, &err) == FIRN_OK);
    for (int i = 0; i < 5; i++) {
        CHECK(out[i] == 6);
    }
}

TEST(pq_codes_reads_a_packed_run_in_any_portion) {
    // The example of the format's specification: 0..7 in 3 bits each.
    const bytes page = PAGE(3, 3, 0x88, 0xC6, 0xFA);
    for (uint32_t portion = 1; portion <= 8; portion++) {
        firn_error err = ERR_INIT;
        pq_codes in;
        REQUIRE(pq_codes_open(&in, page, 8, &err) == FIRN_OK);
        uint32_t out[8 + PQ_UNPACK_SPARE];
        for (uint32_t at = 0; at < 8; at += portion) {
            const uint32_t take = 8 - at < portion ? 8 - at : portion;
            REQUIRE(pq_codes_read(&in, take, out + at, &err) == FIRN_OK);
        }
        for (uint32_t i = 0; i < 8; i++) {
            CHECK(out[i] == i);
        }
    }
}

TEST(pq_codes_reads_a_width_of_zero) {
    // A dictionary of one value needs no bits: one packed group of 8, no bytes.
    firn_error err = ERR_INIT;
    pq_codes in;
    REQUIRE(pq_codes_open(&in, PAGE(0, 3), 1, &err) == FIRN_OK);
    uint32_t out[8 + PQ_UNPACK_SPARE];
    REQUIRE(pq_codes_read(&in, 8, out, &err) == FIRN_OK);
    CHECK(out[0] == 0 && out[7] == 0);
    CHECK(pq_codes_read(&in, 1, out, &err) == FIRN_CORRUPT);
}

WRAPS static uint32_t mix(uint32_t i) {
    return (i + 1) * UINT32_C(2654435761) ^ i;
}

#define PACKED_VALUES 24
#define ALL_VALUES (PACKED_VALUES + 5)

// A packed run of 24 values, then a repeated run of 5, written the slow way, bit by bit.
static size_t write_runs(uint32_t width, uint8_t *page) {
    const uint32_t mask = UINT32_MAX >> (32 - width);
    size_t size = 0;
    page[size++] = (uint8_t)width;
    page[size++] = PACKED_VALUES / 8 << 1 | 1;
    for (uint32_t bit = 0; bit < PACKED_VALUES * width; bit++) {
        const uint32_t one = (mix(bit / width) & mask) >> (bit % width) & 1;
        page[size + bit / 8] = (uint8_t)(page[size + bit / 8] | one << (bit % 8));
    }
    size += (size_t)PACKED_VALUES / 8 * width;
    page[size++] = (ALL_VALUES - PACKED_VALUES) << 1;
    for (uint32_t byte = 0; byte < (width + 7) / 8; byte++) {
        page[size++] = (uint8_t)((mix(99) & mask) >> (8 * byte) & 0xff);
    }
    return size;
}

TEST(pq_codes_round_trips_every_width_from_every_place) {
    for (uint32_t width = 1; width <= 31; width++) {
        const uint32_t mask = UINT32_MAX >> (32 - width);
        uint8_t page[200 + PQ_PAD] = {0};
        const bytes input = {.data = page, .size = write_runs(width, page)};
        for (uint32_t start = 0; start < ALL_VALUES; start++) {
            firn_error err = ERR_INIT;
            pq_codes in;
            REQUIRE(pq_codes_open(&in, input, UINT32_C(1) << 31, &err) == FIRN_OK);
            uint32_t out[ALL_VALUES + PQ_UNPACK_SPARE];
            REQUIRE(pq_codes_skip(&in, start, &err) == FIRN_OK);
            REQUIRE(pq_codes_read(&in, ALL_VALUES - start, out, &err) == FIRN_OK);
            bool same = true;
            for (uint32_t i = start; i < ALL_VALUES; i++) {
                same = same && out[i - start] == (mix(i < PACKED_VALUES ? i : 99) & mask);
            }
            CHECK(same);
            CHECK(reader_left(&in.runs.in) == 0);
        }
    }
}

TEST(pq_hybrid_reads_bits_from_and_to_every_place) {
    // 16 packed bits, 70 ones, 24 packed bits, 5 zeros.
    const bytes page = PAGE(5, 0xA5, 0x0F, 0x8c, 1, 1, 7, 0x12, 0x34, 0x56, 10, 0);
    const uint32_t all = 16 + 70 + 24 + 5;
    firn_error err = ERR_INIT;
    uint8_t expected[115 + PQ_UNPACK_SPARE];
    pq_hybrid in = pq_hybrid_open(page, 1);
    REQUIRE(pq_hybrid_read_u8(&in, all, expected, &err) == FIRN_OK);
    CHECK(expected[0] == 1 && expected[1] == 0 && expected[16] == 1 && expected[85] == 1);
    for (uint32_t start = 0; start < all; start++) {
        uint64_t bitmap[4] = {0, 0, 0, 0};
        const size_t at = start % 67;
        pq_fill_bits(bitmap, 0, at, true);
        in = pq_hybrid_open(page, 1);
        uint32_t ones;
        uint32_t ones_expected = 0;
        REQUIRE(pq_hybrid_skip(&in, start, &err) == FIRN_OK);
        REQUIRE(pq_hybrid_read_bits(&in, all - start, bitmap, at, &ones, &err) == FIRN_OK);
        bool same = true;
        for (uint32_t i = start; i < all; i++) {
            same = same && bitmap_get(bitmap, at + i - start) == (expected[i] != 0);
            ones_expected += expected[i];
        }
        for (uint32_t i = 0; i < at; i++) {
            same = same && bitmap_get(bitmap, i);
        }
        CHECK(same && ones == ones_expected);
    }
}

TEST(pq_codes_hands_out_repetitions) {
    const bytes page = PAGE(3, 10, 6, 3, 0x88, 0xC6, 0xFA);
    firn_error err = ERR_INIT;
    pq_codes in;
    uint32_t code;
    uint32_t count;
    REQUIRE(pq_codes_open(&in, page, 8, &err) == FIRN_OK);
    REQUIRE(pq_codes_take_repeated(&in, 3, &code, &count, &err) == FIRN_OK);
    CHECK(code == 6 && count == 3);
    REQUIRE(pq_codes_take_repeated(&in, 3, &code, &count, &err) == FIRN_OK);
    CHECK(code == 6 && count == 2);
    REQUIRE(pq_codes_take_repeated(&in, 3, &code, &count, &err) == FIRN_OK);
    CHECK(count == 0);
}

// Each row is a page that must be refused, and words that must be in the message.
TEST(pq_codes_refuses_what_is_corrupt) {
    const struct {
        bytes page;
        uint32_t dictionary_size;
        const char *message;
    } cases[] = {
        {{0}, 8, "varint is cut off"},
        {PAGE(33, 2, 0), 8, "index of 33 bits"},
        {PAGE(3), 8, "varint is cut off"},
        {PAGE(3, 0, 0), 8, "run without values"},
        {PAGE(3, 1), 8, "run without values"},
        {PAGE(3, 2), 8, "1 bytes wanted, 0 left"},
        {PAGE(3, 3), 8, "packed run of 1 groups of 3 bits in 0 bytes"},
        {PAGE(3, 2, 7), 7, "index 7 in a dictionary of 7 values"},
        {PAGE(3, 2, 9), 100, "repeated value 9 does not fit 3 bits"},
        {PAGE(3, 0xff, 0xff, 0xff, 0xff, 0x1f), 8, "varint does not fit 32 bits"},
        {PAGE(3, 2, 0), 0, "index 0 in a dictionary of 0 values"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        firn_error err = ERR_INIT;
        pq_codes in;
        uint32_t out[1 + PQ_UNPACK_SPARE];
        firn_status status = pq_codes_open(&in, cases[i].page, cases[i].dictionary_size, &err);
        if (status == FIRN_OK) {
            status = pq_codes_read(&in, 1, out, &err);
        }
        CHECK(status == FIRN_CORRUPT);
        CHECK(strstr(err.text, cases[i].message) != NULL);
    }
}

TEST(pq_codes_reads_a_last_run_that_is_cut_at_a_value) {
    // One group of 8 values of 3 bits announced, two bytes there: 5 values.
    firn_error err = ERR_INIT;
    pq_codes in;
    uint32_t out[8 + PQ_UNPACK_SPARE];
    REQUIRE(pq_codes_open(&in, PAGE(3, 3, 0x88, 0xC6), 8, &err) == FIRN_OK);
    REQUIRE(pq_codes_read(&in, 5, out, &err) == FIRN_OK);
    CHECK(out[0] == 0 && out[4] == 4);
    CHECK(pq_codes_read(&in, 1, out, &err) == FIRN_CORRUPT);
}
