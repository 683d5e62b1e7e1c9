#include "formats/avro/avro_reader.h"

#include <string.h>

#include "base/test.h"

#define BYTES(...)                                                                                 \
    ((bytes){.data = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((uint8_t[]){__VA_ARGS__})})

WRAPS static size_t put_number(uint8_t *to, int64_t value) {
    uint64_t zigzag = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
    size_t size = 0;
    while (zigzag >= 0x80) {
        to[size++] = (uint8_t)((zigzag & 0x7f) | 0x80);
        zigzag >>= 7;
    }
    to[size++] = (uint8_t)zigzag;
    return size;
}

TEST(avro_reader_reads_the_numbers_of_the_specification) {
    const struct {
        bytes input;
        int64_t wanted;
    } cases[] = {
        {BYTES(0x00), 0},
        {BYTES(0x01), -1},
        {BYTES(0x02), 1},
        {BYTES(0x03), -2},
        {BYTES(0x7f), -64},
        {BYTES(0x80, 0x01), 64},
        {BYTES(0x80, 0x00), 0}, // Longer than it need be.
        {BYTES(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), INT64_MAX},
        {BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), INT64_MIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        firn_error err = ERR_INIT;
        byte_reader in = reader_open(cases[i].input);
        int64_t value = 77;
        CHECK(avro_read_long(&in, &value, &err) == FIRN_OK);
        CHECK(value == cases[i].wanted);
        CHECK(reader_left(&in) == 0);
    }
}

TEST(avro_reader_reads_every_primitive) {
    firn_error err = ERR_INIT;
    byte_reader in = reader_open(
        BYTES(1, 0, 0, 0x80, 0x3f, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 6, 'f', 'o', 'o', 0x04, 0x05));
    bool flag = false;
    float single = 0;
    double real = 0;
    bytes data = {0};
    uint32_t choice = 0;
    int32_t number = 0;
    CHECK(avro_read_boolean(&in, &flag, &err) == FIRN_OK && flag);
    CHECK(avro_read_float(&in, &single, &err) == FIRN_OK && single == 1.0F);
    CHECK(avro_read_double(&in, &real, &err) == FIRN_OK && real == 1.5);
    REQUIRE(avro_read_bytes(&in, &data, &err) == FIRN_OK && data.size == 3);
    REQUIRE(data.data != NULL);
    CHECK(memcmp(data.data, "foo", 3) == 0);
    CHECK(avro_read_choice(&in, 3, &choice, &err) == FIRN_OK && choice == 2);
    CHECK(avro_read_int(&in, &number, &err) == FIRN_OK && number == -3);
    CHECK(reader_left(&in) == 0);
}

typedef firn_status (*read_one)(byte_reader *in, firn_error *err);

static firn_status one_long(byte_reader *in, firn_error *err) {
    int64_t value;
    return avro_read_long(in, &value, err);
}
static firn_status one_int(byte_reader *in, firn_error *err) {
    int32_t value;
    return avro_read_int(in, &value, err);
}
static firn_status one_boolean(byte_reader *in, firn_error *err) {
    bool value;
    return avro_read_boolean(in, &value, err);
}
static firn_status one_bytes(byte_reader *in, firn_error *err) {
    bytes value;
    return avro_read_bytes(in, &value, err);
}
static firn_status one_choice(byte_reader *in, firn_error *err) {
    uint32_t value;
    return avro_read_choice(in, 3, &value, err);
}
static firn_status items_of_two_bytes(byte_reader *in, firn_error *err) {
    avro_items items = {.item_size_min = 2};
    bool has_item;
    return avro_items_next(&items, in, &has_item, err);
}
static firn_status items_without_content(byte_reader *in, firn_error *err) {
    avro_items items = {0};
    bool has_item = true;
    while (has_item) {
        TRY(avro_items_next(&items, in, &has_item, err));
    }
    return FIRN_OK;
}

TEST(avro_reader_refuses_what_is_corrupt) {
    const struct {
        read_one read;
        bytes input;
        const char *message;
    } cases[] = {
        {one_long, {0}, "number is cut off, 0 bytes left"},
        {one_long, BYTES(0x80, 0x80), "number is cut off, 2 bytes left"},
        {one_long, BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02),
         "number does not fit 64 bits"},
        {one_long, BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
         "number does not fit 64 bits"},
        {one_int, BYTES(0x80, 0x80, 0x80, 0x80, 0x10), "int of value 2147483648"},
        {one_boolean, BYTES(2), "boolean of value 2"},
        {one_bytes, BYTES(4, 'x'), "size 2, 1 bytes left"},
        {one_bytes, BYTES(1), "size -1, 0 bytes left"},
        {one_choice, BYTES(6), "number 3 of a union or enum of 3"},
        {one_choice, BYTES(1), "number -1 of a union or enum of 3"},
        {items_of_two_bytes, BYTES(4, 1, 1, 1), "block of 2 items in 3 bytes"},
        {items_of_two_bytes, BYTES(1, 4, 1), "block of size 2, 1 bytes left"},
        {items_of_two_bytes, BYTES(1, 1, 1), "block of size -1"},
        {items_of_two_bytes, BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0),
         "block of size 0"},
        {items_without_content, BYTES(0xc0, 0x3e, 0xc0, 0x3e, 0xc0, 0x3e, 0),
         "more than 4096 items without content"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        firn_error err = ERR_INIT;
        byte_reader in = reader_open(cases[i].input);
        CHECK(cases[i].read(&in, &err) != FIRN_OK);
        CHECK(strstr(err.text, cases[i].message) != NULL);
    }
}

TEST(avro_reader_counts_items_of_all_blocks) {
    // 2 items, then one in a block with a size, then the end.
    byte_reader in = reader_open(BYTES(4, 10, 12, 1, 2, 14, 0));
    firn_error err = ERR_INIT;
    avro_items items = {.item_size_min = 1};
    bool has_item = false;
    for (int64_t wanted = 5; wanted <= 7; wanted++) {
        REQUIRE(avro_items_next(&items, &in, &has_item, &err) == FIRN_OK && has_item);
        int64_t value = 0;
        REQUIRE(avro_read_long(&in, &value, &err) == FIRN_OK);
        CHECK(value == wanted);
    }
    REQUIRE(avro_items_next(&items, &in, &has_item, &err) == FIRN_OK);
    CHECK(!has_item && reader_left(&in) == 0);
}

TEST(avro_reader_passes_numbers_as_it_reads_them) {
    uint64_t seed = 1;
    for (int round = 0; round < 300; round++) {
        uint8_t data[64 * AVRO_NUMBER_BYTES_MAX];
        size_t ends[65] = {0};
        const uint32_t count = (uint32_t)(test_random(&seed) % 65);
        for (uint32_t i = 0; i < count; i++) {
            const int64_t value = (int64_t)(test_random(&seed) >> (test_random(&seed) % 64));
            ends[i + 1] = ends[i] + put_number(data + ends[i], value);
        }
        for (uint32_t pass = 0; pass <= count; pass++) {
            firn_error err = ERR_INIT;
            byte_reader in = reader_open((bytes){.data = data, .size = ends[count]});
            REQUIRE(avro_skip_numbers(&in, pass, &err) == FIRN_OK);
            CHECK((size_t)(in.at - data) == ends[pass]);
        }
        firn_error err = ERR_INIT;
        byte_reader in = reader_open((bytes){.data = data, .size = ends[count]});
        CHECK(avro_skip_numbers(&in, count + 1, &err) == FIRN_CORRUPT);
    }
}
