#include "exec/sort/sort_bits.h"

#include <assert.h>

#define GAP_MAX 4 // So many equal bits between two that differ are taken along: fewer pieces.

void sort_bits_note(sort_bits *self, const uint8_t *keys, uint32_t count) {
    const size_t size = self->word_count * sizeof(uint64_t);
    assert(self->word_count <= SORT_WORDS_MAX);
    if (count == 0) {
        return;
    }
    for (uint32_t w = 0; w < self->word_count; w++) {
        const uint8_t *at = keys + w * sizeof(uint64_t);
        uint64_t any = self->any[w];
        uint64_t all = self->has_keys ? self->all[w] : UINT64_MAX;
        for (uint32_t k = 0; k < count; k++) {
            uint64_t word;
            __builtin_memcpy(&word, at + k * size, sizeof word);
            any |= word;
            all &= word;
        }
        self->any[w] = any;
        self->all[w] = all;
    }
    self->has_keys = true;
}

void sort_bits_add(sort_bits *self, const sort_bits *other) {
    assert(self->word_count == other->word_count);
    if (!other->has_keys) {
        return;
    }
    for (uint32_t w = 0; w < self->word_count; w++) {
        self->any[w] |= other->any[w];
        self->all[w] = self->has_keys ? self->all[w] & other->all[w] : other->all[w];
    }
    self->has_keys = true;
}

// Takes the pieces of a word, from its highest bit down, while there is room for `left` bits; how
// many are left then. Bits for which there was no room stay in `*differing`.
static uint32_t take_word(sort_packing *self, uint32_t word, uint64_t *differing, uint32_t left) {
    while (*differing != 0 && left > 0) {
        const uint32_t top = 63 - (uint32_t)__builtin_clzll(*differing);
        uint32_t low = top;
        for (;;) {
            const uint64_t below = *differing & ((UINT64_C(1) << low) - 1);
            const uint32_t next = below == 0 ? 0 : 63 - (uint32_t)__builtin_clzll(below);
            if (below == 0 || low - next - 1 > GAP_MAX || top - next >= left) {
                break;
            }
            low = next;
        }
        *differing &= (UINT64_C(1) << low) - 1;
        const uint32_t width = top - low + 1;
        self->pieces[self->piece_count++] =
            (sort_piece){.word = (uint8_t)word, .shift = (uint8_t)low, .width = (uint8_t)width};
        left -= width;
    }
    return left;
}

sort_packing sort_packing_of(const sort_bits *bits) {
    sort_packing packing = {.is_whole = true};
    uint32_t left = 64;
    for (uint32_t w = 0; w < bits->word_count; w++) {
        uint64_t differing = __builtin_bswap64(bits->any[w] ^ bits->all[w]);
        left = bits->has_keys ? take_word(&packing, w, &differing, left) : left;
        packing.is_whole &= differing == 0 || !bits->has_keys;
    }
    packing.below = (uint8_t)(left == 64 ? 0 : left);
    return packing;
}
