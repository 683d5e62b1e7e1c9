#include "formats/parquet/pq_bloom.h"

#include <assert.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"

#define BLOCK_WORDS 8

static const uint32_t salts[BLOCK_WORDS] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                            0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

uint64_t pq_bloom_hash_of(bytes value) {
    return hash_xxh64(value);
}

// Where the hash's block begins: the upper half scaled to the number of blocks.
static size_t block_at(size_t size, uint64_t hash) {
    const uint64_t blocks = size / PQ_BLOOM_BLOCK_BYTES;
    return (size_t)(((hash >> 32) * blocks) >> 32) * PQ_BLOOM_BLOCK_BYTES;
}

WRAPS static uint32_t bit_of(uint64_t hash, size_t word) {
    return UINT32_C(1) << (((uint32_t)(hash & UINT32_MAX) * salts[word]) >> 27);
}

bool pq_bloom_may_contain(const pq_bloom *self, uint64_t hash) {
    assert(self->bitset.size >= PQ_BLOOM_BLOCK_BYTES);
    const uint8_t *block = self->bitset.data + block_at(self->bitset.size, hash);
    uint32_t missing = 0;
    for (size_t i = 0; i < BLOCK_WORDS; i++) {
        uint32_t word;
        memcpy(&word, block + i * sizeof word, sizeof word);
        missing |= bit_of(hash, i) & ~word;
    }
    return missing == 0;
}

void pq_bloom_insert(uint8_t *bitset, size_t size, uint64_t hash) {
    assert(size >= PQ_BLOOM_BLOCK_BYTES);
    uint8_t *block = bitset + block_at(size, hash);
    for (size_t i = 0; i < BLOCK_WORDS; i++) {
        uint32_t word;
        memcpy(&word, block + i * sizeof word, sizeof word);
        word |= bit_of(hash, i);
        memcpy(block + i * sizeof word, &word, sizeof word);
    }
}
