#include "exec/sort/sort_bits.h"

#include <string.h>

#include "base/test.h"

#define KEYS 300
#define WORDS 4

static int sign_of(int order) {
    return order < 0 ? -1 : order > 0;
}

// Keys whose bytes differ in the bits of `masks` only.
static void fill(uint8_t *keys, const uint64_t masks[WORDS], uint64_t *seed) {
    for (uint32_t i = 0; i < KEYS; i++) {
        for (uint32_t w = 0; w < WORDS; w++) {
            const uint64_t word = __builtin_bswap64((test_random(seed) & masks[w]) | ~masks[w] % 5);
            memcpy(keys + (i * WORDS + w) * sizeof word, &word, sizeof word);
        }
    }
}

static void check_order(const uint8_t *keys, const sort_packing *packing, bool is_whole) {
    const size_t size = WORDS * sizeof(uint64_t);
    CHECK(packing->is_whole == is_whole);
    for (uint32_t i = 0; i < KEYS; i++) {
        const uint8_t *left = keys + i * size;
        const uint8_t *right = keys + (i * 7 + 1) % KEYS * size;
        const uint64_t l = sort_pack(packing, left);
        const uint64_t r = sort_pack(packing, right);
        const int found = l < r ? -1 : l > r;
        CHECK(found == sign_of(memcmp(left, right, size)) || (found == 0 && !is_whole));
    }
}

TEST(sort_bits_that_differ_order_as_the_keys_do) {
    static const struct {
        uint64_t masks[WORDS];
        bool is_whole;
    } cases[] = {
        {{0, 0, 0, 0}, true},
        {{0, 0xffff, 0, UINT64_C(0xff) << 56}, true},
        {{UINT64_C(1) << 63 | 0xff, 0, 0x10, 0x7}, true},
        {{0, UINT64_MAX, 0, 0}, true},
        {{UINT64_C(1) << 63, UINT64_MAX >> 1, 0, 0}, true},
        {{UINT64_C(0x1001001001001001), UINT64_C(0x8040201008040201), 0x421, 1}, true},
        {{0xffffff, UINT64_MAX << 8, 0xffff, 0}, false},
        {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}, false},
    };
    uint64_t seed = 11;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t keys[KEYS * WORDS * sizeof(uint64_t)];
        fill(keys, cases[i].masks, &seed);
        sort_bits half = {.word_count = WORDS};
        sort_bits bits = {.word_count = WORDS};
        sort_bits_note(&half, keys, KEYS / 2);
        sort_bits_note(&bits, keys + KEYS / 2 * WORDS * sizeof(uint64_t), KEYS - KEYS / 2);
        sort_bits_add(&bits, &(sort_bits){.word_count = WORDS});
        sort_bits_add(&bits, &half);
        const sort_packing packing = sort_packing_of(&bits);
        check_order(keys, &packing, cases[i].is_whole);
    }
}

TEST(sort_bits_of_no_key_or_one_decide_nothing) {
    sort_bits bits = {.word_count = WORDS};
    CHECK(sort_packing_of(&bits).piece_count == 0);
    const uint64_t key[WORDS] = {1, 2, 3, UINT64_MAX};
    sort_bits_note(&bits, (const uint8_t *)key, 1);
    const sort_packing packing = sort_packing_of(&bits);
    CHECK(packing.is_whole && packing.piece_count == 0);
    CHECK(sort_pack(&packing, (const uint8_t *)key) == 0);
}
