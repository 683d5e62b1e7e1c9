// How values of a dictionary are compared and hashed while it is written. For pw_dictionary.c
// alone, which they are inlined into.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_ENTRY_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_ENTRY_H

#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "column/value.h"

#define MEDIUM_MAX 32 // Bytes of values that have a hash of their own.

typedef enum entry_kind {
    ENTRY_4, // Words of 4 and 8 bytes.
    ENTRY_8,
    ENTRY_BYTES, // Of one width.
    ENTRY_STRING,
} entry_kind;

static ALWAYS_INLINE uint64_t load_word(const uint8_t *at, entry_kind kind) {
    return kind == ENTRY_4 ? hash_load32(at) : hash_load64(at);
}

static ALWAYS_INLINE uint64_t hash_word_of(uint64_t word, entry_kind kind) {
    return kind == ENTRY_4 ? hash_u32((uint32_t)word) : hash_u64(word);
}

// The places of four words that cover a value of 8 to MEDIUM_MAX bytes. They overlap, so that one
// size costs what another does and no branch hangs on it.
typedef struct four_places {
    uint32_t second, third, fourth; // The first is 0.
} four_places;

static ALWAYS_INLINE four_places places_of(uint32_t size) {
    return (four_places){
        .second = size < 16 ? size - 8 : 8,
        .third = size < 16 ? 0 : size - 16,
        .fourth = size - 8,
    };
}

static ALWAYS_INLINE uint32_t hash_of_bytes(const uint8_t *at, uint32_t size) {
    if (size < 8 || size > MEDIUM_MAX) {
        return (uint32_t)(hash_bytes(at, size) >> 32);
    }
    const four_places places = places_of(size);
    const uint64_t head = hash_fold(hash_load64(at) ^ hash_begin(size),
                                    hash_load64(at + places.second) ^ HASH_SECRET_B);
    const uint64_t tail = hash_fold(hash_load64(at + places.third) ^ HASH_SECRET_A,
                                    hash_load64(at + places.fourth) ^ HASH_MULTIPLIER);
    return (uint32_t)(hash_combine(head, tail) >> 32);
}

static ALWAYS_INLINE uint32_t hash_of_string(const string_value *value) {
    if (string_is_inline(value)) { // The 16 bytes are the value.
        const uint8_t *at = (const uint8_t *)value;
        return (uint32_t)(hash_word(HASH_SECRET_A, at) >> 32);
    }
    return hash_of_bytes((const uint8_t *)value->data, value->size);
}

static ALWAYS_INLINE bool equal_bytes(const uint8_t *left, const uint8_t *right, uint32_t size) {
    if (size < 8 || size > MEDIUM_MAX) {
        return memcmp(left, right, size) == 0;
    }
    const four_places places = places_of(size);
    return ((hash_load64(left) ^ hash_load64(right)) |
            (hash_load64(left + places.second) ^ hash_load64(right + places.second)) |
            (hash_load64(left + places.third) ^ hash_load64(right + places.third)) |
            (hash_load64(left + places.fourth) ^ hash_load64(right + places.fourth))) == 0;
}

static ALWAYS_INLINE bool equal_strings(const string_value *left, const string_value *right) {
    const uint8_t *a = (const uint8_t *)left;
    const uint8_t *b = (const uint8_t *)right;
    if (hash_load64(a) != hash_load64(b)) { // Sizes, first bytes.
        return false;
    }
    if (string_is_inline(left)) {
        return hash_load64(a + 8) == hash_load64(b + 8);
    }
    return equal_bytes((const uint8_t *)left->data, (const uint8_t *)right->data, left->size);
}

// Of ENTRY_BYTES and ENTRY_STRING.
static ALWAYS_INLINE uint32_t hash_of(const uint8_t *value, entry_kind kind, uint32_t size) {
    return kind == ENTRY_STRING ? hash_of_string((const string_value *)(const void *)value)
                                : hash_of_bytes(value, size);
}

static ALWAYS_INLINE bool is_equal(const uint8_t *left, const uint8_t *right, entry_kind kind,
                                   uint32_t size) {
    return kind == ENTRY_STRING ? equal_strings((const string_value *)(const void *)left,
                                                (const string_value *)(const void *)right)
                                : equal_bytes(left, right, size);
}

#endif
