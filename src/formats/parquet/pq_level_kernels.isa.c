// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's kernels.
#include "base/compiler.h"
#include "base/isa.h"
#include "formats/parquet/pq_level_kernels_table.h"
#include "formats/parquet/pq_level_word.h"

static size_t ISA_NAME(level_at_least)(const uint8_t *levels, size_t count, uint8_t least,
                                       uint64_t *out) {
    size_t set = 0;
    for (size_t at = 0; at < count; at += WORD_LEVELS) {
        const uint64_t word = at_least_word(levels + at, least) & first_bits(count - at);
        out[at / WORD_LEVELS] = word;
        set += (size_t)__builtin_popcountll(word);
    }
    return set;
}

static size_t ISA_NAME(level_count_zero)(const uint8_t *levels, size_t count) {
    size_t zeros = 0;
    for (size_t at = 0; at < count; at += WORD_LEVELS) {
        const uint64_t word = ~at_least_word(levels + at, 1) & first_bits(count - at);
        zeros += (size_t)__builtin_popcountll(word);
    }
    return zeros;
}

static size_t ISA_NAME(level_find_zero)(const uint8_t *levels, size_t count, size_t n) {
    for (size_t at = 0; at < count; at += WORD_LEVELS) {
        uint64_t word = ~at_least_word(levels + at, 1) & first_bits(count - at);
        const size_t zeros = (size_t)__builtin_popcountll(word);
        if (n < zeros) {
            for (; n > 0; n--) {
                word &= word - 1;
            }
            return at + (size_t)__builtin_ctzll(word);
        }
        n -= zeros;
    }
    return count;
}

static uint8_t ISA_NAME(level_highest)(const uint8_t *levels, size_t count) {
    uint8_t highest = 0;
    for (size_t i = 0; i < count; i++) {
        highest = levels[i] > highest ? levels[i] : highest;
    }
    return highest;
}

const pq_level_kernels ISA_NAME(pq_level_kernels) = {
    .at_least = ISA_NAME(level_at_least),
    .count_zero = ISA_NAME(level_count_zero),
    .find_zero = ISA_NAME(level_find_zero),
    .highest = ISA_NAME(level_highest),
};
