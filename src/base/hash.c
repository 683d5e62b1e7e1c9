// XXH64, from its specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): four lanes of
// 8 bytes over stripes of 32, joined, then the rest by 8, 4 and 1 bytes, then a final mix.
#include "base/hash.h"

#define PRIME_1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME_2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define PRIME_3 UINT64_C(0x165667B19E3779F9)
#define PRIME_4 UINT64_C(0x85EBCA77C2B2AE63)
#define PRIME_5 UINT64_C(0x27D4EB2F165667C5)

WRAPS static inline uint64_t rotate(uint64_t value, uint32_t bits) {
    return value << bits | value >> (64 - bits);
}

WRAPS static inline uint64_t round_of(uint64_t lane, uint64_t input) {
    return rotate(lane + input * PRIME_2, 31) * PRIME_1;
}

WRAPS static inline uint64_t join_lane(uint64_t state, uint64_t lane) {
    return (state ^ round_of(0, lane)) * PRIME_1 + PRIME_4;
}

// The lanes over all whole stripes, joined. `*at` goes behind the last stripe.
WRAPS static uint64_t hash_stripes(const uint8_t **at, size_t stripe_count) {
    uint64_t lanes[4] = {PRIME_1 + PRIME_2, PRIME_2, 0, 0 - PRIME_1};
    const uint8_t *input = *at;
    for (size_t i = 0; i < stripe_count; i++) {
        for (size_t lane = 0; lane < 4; lane++) {
            lanes[lane] = round_of(lanes[lane], hash_load64(input + lane * 8));
        }
        input += 32;
    }
    *at = input;
    uint64_t state =
        rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
    for (size_t lane = 0; lane < 4; lane++) {
        state = join_lane(state, lanes[lane]);
    }
    return state;
}

WRAPS uint64_t hash_xxh64(bytes data) {
    const uint8_t *at = data.data;
    size_t left = data.size;
    uint64_t state = left >= 32 ? hash_stripes(&at, left / 32) : PRIME_5;
    state += data.size;
    left %= 32;
    for (; left >= 8; left -= 8, at += 8) {
        state = rotate(state ^ round_of(0, hash_load64(at)), 27) * PRIME_1 + PRIME_4;
    }
    if (left >= 4) {
        state = rotate(state ^ hash_load32(at) * PRIME_1, 23) * PRIME_2 + PRIME_3;
        at += 4;
        left -= 4;
    }
    for (; left > 0; left--, at++) {
        state = rotate(state ^ *at * PRIME_5, 11) * PRIME_1;
    }
    state = (state ^ state >> 33) * PRIME_2;
    state = (state ^ state >> 29) * PRIME_3;
    return state ^ state >> 32;
}

#define LOOK_EVERY 256 // Words.

uint64_t hash_bytes_watched(const void *data, size_t size, cancel_watch *watch) {
    const uint8_t *at = data;
    uint64_t state = hash_begin(size);
    size_t left = size;
    for (; left > 16; left -= 16) {
        if (left / 16 % LOOK_EVERY == 0 && cancel_watch_is_raised(watch, LOOK_EVERY)) {
            return state;
        }
        state = hash_word(state, at);
        at += 16;
    }
    return hash_end(state, at, left);
}
