// Arbitrary bytes as a bloom filter and as values that are looked for in it. The first byte says of
// how many blocks it is, the second how long the values are.
//
// Oracle: what was put in is found from then on, a value that was found already changes nothing,
// and the bits of a value lie in one block, one in each word, and in an empty filter alone.
#include <stdlib.h>
#include <string.h>

#include "formats/parquet/pq_bloom.h"

#define BLOCKS_MAX 8
#define WORD_BYTES sizeof(uint32_t)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

static void check_alone(size_t size, uint64_t hash) {
    uint8_t bits[BLOCKS_MAX * PQ_BLOOM_BLOCK_BYTES] = {0};
    const pq_bloom filter = {.bitset = {.data = bits, .size = size}};
    size_t blocks = 0;
    must(!pq_bloom_may_contain(&filter, hash));
    pq_bloom_insert(bits, size, hash);
    must(pq_bloom_may_contain(&filter, hash));
    for (size_t at = 0; at < size; at += PQ_BLOOM_BLOCK_BYTES) {
        int words = 0;
        for (size_t i = 0; i < PQ_BLOOM_BLOCK_BYTES; i += WORD_BYTES) {
            uint32_t word;
            memcpy(&word, bits + at + i, sizeof word);
            must(__builtin_popcount(word) <= 1);
            words += word != 0;
        }
        must(words == 0 || words == PQ_BLOOM_BLOCK_BYTES / WORD_BYTES);
        blocks += words != 0;
    }
    must(blocks == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    uint8_t bits[BLOCKS_MAX * PQ_BLOOM_BLOCK_BYTES] = {0};
    uint8_t before[sizeof bits];
    const size_t filter_size = (1 + data[0] % (size_t)BLOCKS_MAX) * PQ_BLOOM_BLOCK_BYTES;
    const size_t value_size = data[1] % 20U;
    const pq_bloom filter = {.bitset = {.data = bits, .size = filter_size}};
    const size_t stored = size - 2 < filter_size ? size - 2 : filter_size;
    memcpy(bits, data + 2, stored); // Of fewer bytes: the rest is empty.
    bytes rest = {.data = data + 2 + stored, .size = size - 2 - stored};
    const bytes values = rest;
    while (rest.size > value_size) {
        const uint64_t hash = pq_bloom_hash_of((bytes){.data = rest.data, .size = value_size});
        const bool was_there = pq_bloom_may_contain(&filter, hash);
        memcpy(before, bits, sizeof bits);
        pq_bloom_insert(bits, filter_size, hash);
        must(pq_bloom_may_contain(&filter, hash));
        must(was_there == (memcmp(before, bits, sizeof bits) == 0));
        check_alone(filter_size, hash);
        rest.data += value_size + 1;
        rest.size -= value_size + 1;
    }
    for (rest = values; rest.size > value_size;) {
        const bytes value = {.data = rest.data, .size = value_size};
        must(pq_bloom_may_contain(&filter, pq_bloom_hash_of(value)));
        rest.data += value_size + 1;
        rest.size -= value_size + 1;
    }
    return 0;
}
