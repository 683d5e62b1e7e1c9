#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"

#define KEY_COUNT 4096
#define BUCKET_COUNT 1024

// How uneven KEY_COUNT hashes lie in BUCKET_COUNT buckets of the bits from `shift` up: chi-square
// over its expectation, near 1 for chance.
static double unevenness(const uint64_t *hashes, uint32_t shift) {
    static uint32_t buckets[BUCKET_COUNT];
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        buckets[i] = 0;
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        buckets[hashes[i] >> shift & (BUCKET_COUNT - 1)] += 1;
    }
    const double expected = (double)KEY_COUNT / BUCKET_COUNT;
    double sum = 0;
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        const double off = buckets[i] - expected;
        sum += off * off / expected;
    }
    return sum / (BUCKET_COUNT - 1);
}

static void check_even(const uint64_t *hashes) {
    const uint32_t shifts[] = {0, 16, 32, 44, 54};
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        const double value = unevenness(hashes, shifts[i]);
        CHECK(value < 1.35); // Less would be fine: sequences may lie more evenly than chance.
    }
}

TEST(hash_spreads_keys_as_people_make_them) {
    static uint64_t hashes[KEY_COUNT];
    for (uint32_t step = 1; step < 1u << 20; step *= 4) {
        for (uint32_t i = 0; i < KEY_COUNT; i++) {
            hashes[i] = hash_u32(i * step);
        }
        check_even(hashes);
        for (uint64_t i = 0; i < KEY_COUNT; i++) {
            hashes[i] = hash_u64((i * step) << 32);
        }
        check_even(hashes);
    }
    for (uint32_t i = 0; i < KEY_COUNT; i++) { // Two columns with few values each.
        hashes[i] = hash_combine(hash_u32(i % 64), hash_u32(i / 64));
    }
    check_even(hashes);
    for (uint32_t i = 0; i < KEY_COUNT; i++) { // Doubles that are whole numbers.
        const double number = i;
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        hashes[i] = hash_u64(bits);
    }
    check_even(hashes);
}

TEST(hash_of_bytes_spreads_texts_of_every_size) {
    static uint64_t hashes[KEY_COUNT];
    for (size_t size = 4; size < 70; size++) {
        char key[80];
        for (size_t i = 0; i < KEY_COUNT; i++) {
            (void)snprintf(key, sizeof key, "%0*zu", (int)size, i);
            hashes[i] = hash_bytes(key, size);
        }
        check_even(hashes);
    }
}

TEST(hash_of_bytes_sees_every_byte_and_the_size) {
    uint8_t key[100] = {0};
    for (size_t size = 1; size <= sizeof key; size++) {
        const uint64_t before = hash_bytes(key, size);
        CHECK(before != hash_bytes(key, size - 1));
        for (size_t i = 0; i < size; i++) {
            key[i] = 1;
            CHECK(hash_bytes(key, size) != before);
            key[i] = 0;
        }
    }
    CHECK(hash_bytes(NULL, 0) == hash_bytes(key, 0));
}

TEST(hash_numbers_stay_what_they_are) {
    // Partitions of an exchange depend on them: a change needs a new plan version.
    CHECK(hash_u64(42) == hash_u32(42));
    CHECK(hash_u64(UINT64_MAX) == UINT64_C(0x448e29ced4103459));
    CHECK(hash_u32(UINT32_MAX) == UINT64_C(0x41c6aec41b1456d1));
    CHECK(hash_bytes("region", 6) == UINT64_C(0x7959f808f7fe5313));
    CHECK(hash_bytes("a text of more than sixteen bytes", 33) == UINT64_C(0xef8d1c47a5cc1592));
    CHECK(hash_combine(hash_u32(1), hash_u32(2)) != hash_combine(hash_u32(2), hash_u32(1)));
}

TEST(hash_xxh64_is_the_published_one) {
    static const struct {
        size_t size;
        uint64_t expected;
    } rows[] = {
        // Of the first bytes of 0, 1, 2, ...; from libxxhash.
        {1, UINT64_C(0xe934a84adb052768)},   {3, UINT64_C(0xe5c7bb4533bc65dd)},
        {4, UINT64_C(0xffced8604453cc1e)},   {7, UINT64_C(0x14cc643f630c72d2)},
        {8, UINT64_C(0x884a173614b81b8d)},   {11, UINT64_C(0x652a564a95365aca)},
        {12, UINT64_C(0x424af23f1f08dca5)},  {15, UINT64_C(0xa948f5f0f6abac2d)},
        {16, UINT64_C(0x44b6ef2fb84169f7)},  {31, UINT64_C(0xc346d2b59b4d8ee1)},
        {32, UINT64_C(0xcbf59c5116ff32b4)},  {33, UINT64_C(0x0c535d1acafb8ead)},
        {63, UINT64_C(0xe26aa9e2a95f8e4f)},  {64, UINT64_C(0xf7c67301db6713f0)},
        {100, UINT64_C(0x6ac1e58032166597)}, {255, UINT64_C(0x0f7d97507caad693)},
    };
    uint8_t input[256];
    for (size_t i = 0; i < sizeof input; i++) {
        input[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(hash_xxh64((bytes){.data = input, .size = rows[i].size}) == rows[i].expected);
    }
    CHECK(hash_xxh64((bytes){0}) == UINT64_C(0xef46db3751d8e999));
    CHECK(hash_xxh64((bytes){.data = (const uint8_t *)"abc", .size = 3}) ==
          UINT64_C(0x44bc2cf5ad770999));
}

TEST(hash_of_long_texts_is_the_same_while_somebody_looks) {
    static uint8_t text[40000];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)(i * 7 % 251);
    }
    cancel_flag flag = {0};
    for (size_t size = 0; size < sizeof text; size = size * 3 / 2 + 1) {
        cancel_watch watch = {.cancel = &flag};
        CHECK(hash_bytes_watched(text, size, &watch) == hash_bytes(text, size));
        CHECK(hash_bytes_watched(text, size, NULL) == hash_bytes(text, size));
    }
}
