// Keys of a fixed size as one number each: of their bytes only those bits in which any two keys of
// a sort differ, which are mostly fewer than 64. Bits that are the same in all keys do not decide,
// so the numbers order as the keys do.
//
// Every worker notes the bits of the keys it gathers; when all are there, they are put together,
// and what the runs in memory are sorted and merged by is taken out of the keys.
#ifndef FIRN_EXEC_SORT_BITS_H
#define FIRN_EXEC_SORT_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SORT_WORDS_MAX 16 // Of 8 bytes, of a key.

/// Zeroed memory with `word_count` set knows no key.
typedef struct sort_bits {
    uint32_t word_count;
    bool has_keys;
    uint64_t any[SORT_WORDS_MAX]; ///< Bits that are set in any key,
    uint64_t all[SORT_WORDS_MAX]; ///< and in all of them. As words lie in memory.
} sort_bits;

/// Notes keys of `word_count` * 8 bytes that lie one behind the other.
void sort_bits_note(sort_bits *self, const uint8_t *keys, uint32_t count);
/// Adds what another one knows.
void sort_bits_add(sort_bits *self, const sort_bits *other);

/// Neighbouring bits of a word of a key.
typedef struct sort_piece {
    uint8_t word;
    uint8_t shift;
    uint8_t width;
} sort_piece;

typedef struct sort_packing {
    bool is_whole; ///< Keys whose numbers are equal are equal.
    uint8_t piece_count;
    uint8_t below; ///< Bits of a number below the last piece.
    sort_piece pieces[64];
} sort_packing;

sort_packing sort_packing_of(const sort_bits *bits);

/// The number of a key.
static inline uint64_t sort_pack(const sort_packing *self, const uint8_t *key) {
    uint64_t packed = 0;
    for (uint32_t i = 0; i < self->piece_count; i++) {
        const sort_piece piece = self->pieces[i];
        uint64_t word;
        __builtin_memcpy(&word, key + (size_t)piece.word * sizeof word, sizeof word);
        word = __builtin_bswap64(word) >> piece.shift;
        const uint64_t mask = UINT64_MAX >> (64 - piece.width);
        // In two steps: a piece may be a whole word.
        packed = packed << (piece.width - 1) << 1 | (word & mask);
    }
    return packed << self->below;
}

#endif
