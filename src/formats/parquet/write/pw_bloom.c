#include "formats/parquet/write/pw_bloom.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "formats/parquet/pq_bloom.h"
#include "formats/parquet/pq_bounds.h"

#define BITS_PER_VALUE 16 // More than any usual rate asks for.

firn_status pw_bloom_open(const pw_options *options, const pw_leaf_options *leaf, arena *memory,
                          pw_bloom *out, firn_error *err) {
    *out = (pw_bloom){.size = PQ_BLOOM_BLOCK_BYTES};
    if (!leaf->has_bloom) {
        return FIRN_OK;
    }
    const uint64_t wanted =
        leaf->bloom_values > 0 && leaf->bloom_values < UINT64_MAX / BITS_PER_VALUE
            ? leaf->bloom_values * BITS_PER_VALUE / 8
            : UINT64_MAX;
    while (out->size <= options->bloom_bytes_max / 2 && out->size < wanted) {
        out->size *= 2;
    }
    out->bitset = ARENA_NEW(memory, uint8_t, out->size);
    if (out->bitset == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(out->bitset, 0, out->size);
    return FIRN_OK;
}

// Bits that are equal to a float's, of the same size; how many there are.
static uint32_t equal_floats(bytes value, uint64_t out[2]) {
    uint64_t bits = 0;
    assert(value.size == 2 || value.size == 4 || value.size == 8);
    memcpy(&bits, value.data, value.size);
    const uint32_t mantissa = value.size == 2 ? 10 : value.size == 4 ? 23 : 52;
    const uint64_t sign = UINT64_C(1) << (value.size * 8 - 1);
    const uint64_t infinity = (sign - 1) & ~((UINT64_C(1) << mantissa) - 1);
    const uint64_t magnitude = bits & ~sign;
    if (magnitude != 0 && magnitude <= infinity) {
        return 0;
    }
    out[0] = magnitude == 0 ? 0 : infinity | UINT64_C(1) << (mantissa - 1); // Quiet.
    out[1] = out[0] | sign;
    return 2;
}

static void insert(pw_bloom *self, bytes value) {
    pq_bloom_insert(self->bitset, self->size, pq_bloom_hash_of(value));
}

void pw_bloom_add(pw_bloom *self, const pq_leaf *leaf, const pw_values *values) {
    if (self->bitset == NULL) {
        return;
    }
    const pq_order order = pq_order_of(leaf);
    const bool is_float = order == PQ_ORDER_FLOAT || order == PQ_ORDER_FLOAT16;
    const size_t size = pw_values_size(values->type, values->width);
    for (uint32_t i = 0; i < values->count; i++) {
        bytes value = {.data = (const uint8_t *)values->data + i * size, .size = size};
        if (values->type == PQ_BYTE_ARRAY) {
            const string_value *text = &values->strings[i];
            value = (bytes){.data = (const uint8_t *)string_data(text), .size = text->size};
        }
        insert(self, value);
        uint64_t equal[2];
        const uint32_t more = is_float ? equal_floats(value, equal) : 0;
        for (uint32_t k = 0; k < more; k++) {
            insert(self, (bytes){.data = (const uint8_t *)&equal[k], .size = value.size});
        }
    }
}

static uint64_t ones_of(const uint8_t *bitset, size_t size) {
    uint64_t ones = 0;
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bitset + at, sizeof word);
        ones += (uint64_t)__builtin_popcountll(word);
    }
    return ones;
}

// The share of bits of the filter of half the size that are set.
static double folded_share(const uint8_t *bitset, size_t size) {
    uint64_t ones = 0;
    for (size_t at = 0; at < size; at += 2 * (size_t)PQ_BLOOM_BLOCK_BYTES) {
        uint64_t both[2][PQ_BLOOM_BLOCK_BYTES / sizeof(uint64_t)];
        memcpy(both, bitset + at, sizeof both);
        for (size_t i = 0; i < PQ_BLOOM_BLOCK_BYTES / sizeof(uint64_t); i++) {
            ones += (uint64_t)__builtin_popcountll(both[0][i] | both[1][i]);
        }
    }
    return (double)ones / ((double)size / 2 * 8);
}

void pw_bloom_fold(pw_bloom *self, double rate) {
    if (self->bitset == NULL) {
        return;
    }
    if (ones_of(self->bitset, self->size) == 0) {
        self->size = PQ_BLOOM_BLOCK_BYTES;
        return;
    }
    // A value that is not there has its eight bits set with this chance.
    while (self->size > PQ_BLOOM_BLOCK_BYTES &&
           pow(folded_share(self->bitset, self->size), 8) <= rate) {
        for (size_t at = 0; at < self->size; at += 2 * (size_t)PQ_BLOOM_BLOCK_BYTES) {
            for (size_t i = 0; i < PQ_BLOOM_BLOCK_BYTES; i++) {
                self->bitset[at / 2 + i] =
                    self->bitset[at + i] | self->bitset[at + PQ_BLOOM_BLOCK_BYTES + i];
            }
        }
        self->size /= 2;
    }
}
