// Hashes of values: joins, groups, partitions, exchange, look-up tables.
//
// All but hash_xxh64 are firn's own and may change between plan versions; within one they give the
// same number on every machine, because exchange partitions by them. Both ends of the 64 bits are
// good: partitions take the top bits, tables the bottom ones. They are no defence against somebody
// who chooses keys to collide; a table that meets a long chain splits by other bits and stays
// right.
#ifndef FIRN_BASE_HASH_H
#define FIRN_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "base/mutex.h"

#define HASH_MULTIPLIER UINT64_C(0xd6e8feb86659fd93)
#define HASH_MULTIPLIER_COMBINE UINT64_C(0xbf58476d1ce4e5b9)
#define HASH_SECRET_A UINT64_C(0x9e3779b97f4a7c15)
#define HASH_SECRET_B UINT64_C(0xa0761d6478bd642f)
/// The hash of NULL: any number that no small value hashes to.
#define HASH_NULL UINT64_C(0x71a35d0e2c9b4f86)

/// Hash of a value of 64 bits: two rounds of multiply and xor-shift, which compilers turn into
/// SIMD. A bijection: different values never share all 64 bits.
WRAPS static inline uint64_t hash_u64(uint64_t value) {
    value ^= value >> 32;
    value *= HASH_MULTIPLIER;
    value ^= value >> 32;
    value *= HASH_MULTIPLIER;
    return value ^ value >> 32;
}

/// Hash of a value of at most 32 bits; the same number as hash_u64 of it, in one step less.
WRAPS static inline uint64_t hash_u32(uint32_t value) {
    uint64_t wide = (uint64_t)value * HASH_MULTIPLIER;
    wide ^= wide >> 32;
    wide *= HASH_MULTIPLIER;
    return wide ^ wide >> 32;
}

/// Joins the hash of a further column to the hash of those before it; the order matters.
WRAPS static inline uint64_t hash_combine(uint64_t before, uint64_t next) {
    return (before * HASH_MULTIPLIER_COMBINE) ^ next;
}

// Both halves of the 128-bit product folded together: the strongest cheap mix of two words.
WRAPS static inline uint64_t hash_fold(uint64_t left, uint64_t right) {
    __extension__ typedef unsigned __int128 wide;
    const wide product = (wide)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_load64(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t hash_load32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

/// The hash of a text is made of its size, of its words of 16 bytes, and of its last 1 to 16 bytes.
static inline uint64_t hash_begin(size_t size) {
    return HASH_SECRET_A ^ size;
}

WRAPS static inline uint64_t hash_word(uint64_t state, const uint8_t *at) {
    return hash_fold(hash_load64(at) ^ state, hash_load64(at + 8) ^ HASH_SECRET_B);
}

/// `left` is at most 16: of what is longer, what is behind all words that end before its last byte.
WRAPS static inline uint64_t hash_end(uint64_t state, const uint8_t *at, size_t left) {
    // As two words that may overlap.
    uint64_t first = 0;
    uint64_t second = 0;
    if (left >= 8) {
        first = hash_load64(at);
        second = hash_load64(at + left - 8);
    } else if (left >= 4) {
        first = hash_load32(at);
        second = hash_load32(at + left - 4);
    } else if (left > 0) {
        first = (uint64_t)at[0] << 16 | (uint64_t)at[left / 2] << 8 | at[left - 1];
    }
    const uint64_t mixed = hash_fold(first ^ state, second ^ HASH_SECRET_B);
    return hash_fold(mixed ^ HASH_SECRET_A, state ^ HASH_SECRET_B);
}

/// Hash of text or binary of any size.
WRAPS static inline uint64_t hash_bytes(const void *data, size_t size) {
    const uint8_t *at = data;
    uint64_t state = hash_begin(size);
    size_t left = size;
    for (; left > 16; left -= 16) {
        state = hash_word(state, at);
        at += 16;
    }
    return hash_end(state, at, left);
}

/// The same, where it may be long: any number once the flag of `watch` is raised.
uint64_t hash_bytes_watched(const void *data, size_t size, cancel_watch *watch);

/// XXH64 with seed 0, as the bloom filters of Parquet and Puffin ask for.
uint64_t hash_xxh64(bytes data);

#endif
