// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's kernels.
#include "base/compiler.h"
#include "base/isa.h"
#include "formats/parquet/pq_level_word.h"
#include "formats/parquet/pq_nest_table.h"

#if defined(__BMI2__)
#include <immintrin.h>
#endif

// The slots among entries [at, at + 64).
static ALWAYS_INLINE uint64_t slots_word(const pq_entries *entries, size_t at, pq_slots slots) {
    const uint64_t goes_on =
        at_least_word(entries->repetition + at, (uint8_t)(slots.repetition + 1));
    const uint64_t is_there = at_least_word(entries->definition + at, slots.definition);
    return ~goes_on & is_there & first_bits(entries->count - at);
}

// The bits of `bits` at the places of the set bits of `mask`, side by side.
static ALWAYS_INLINE uint64_t extract(uint64_t bits, uint64_t mask) {
#if defined(__BMI2__)
    return _pext_u64(bits, mask);
#else
    uint64_t out = 0;
    for (uint32_t to = 0; mask != 0; mask &= mask - 1, to++) {
        out |= (bits >> __builtin_ctzll(mask) & 1) << to;
    }
    return out;
#endif
}

static uint32_t ISA_NAME(nest_count)(const pq_entries *entries, pq_slots slots) {
    uint32_t count = 0;
    for (size_t at = 0; at < entries->count; at += WORD_LEVELS) {
        count += (uint32_t)__builtin_popcountll(slots_word(entries, at, slots));
    }
    return count;
}

WRAPS static uint32_t ISA_NAME(nest_validity)(const pq_entries *entries, pq_slots slots,
                                              uint8_t definition, uint64_t *validity,
                                              uint32_t *valid_count) {
    uint32_t count = 0;
    uint64_t pending = 0; // The bits of the word that is being filled.
    *valid_count = 0;
    for (size_t at = 0; at < entries->count; at += WORD_LEVELS) {
        const uint64_t mask = slots_word(entries, at, slots);
        const uint64_t valid = extract(at_least_word(entries->definition + at, definition), mask);
        const uint32_t more = (uint32_t)__builtin_popcountll(mask);
        const uint32_t shift = count % 64;
        pending |= valid << shift;
        if (shift + more >= 64) {
            validity[count / 64] = pending;
            pending = shift == 0 ? 0 : valid >> (64 - shift);
        }
        count += more;
        *valid_count += (uint32_t)__builtin_popcountll(valid);
    }
    if (count % 64 > 0) {
        validity[count / 64] = pending;
    }
    return count;
}

static uint32_t ISA_NAME(nest_lists)(const pq_entries *entries, pq_slots slots, pq_slots elements,
                                     list_value *out, uint32_t *element_count) {
    uint32_t count = 0;
    uint32_t before = 0; // Elements before these 64 entries.
    for (size_t at = 0; at < entries->count; at += WORD_LEVELS) {
        const uint64_t begins = slots_word(entries, at, slots);
        const uint64_t element = slots_word(entries, at, elements);
        for (uint64_t left = begins; left != 0; left &= left - 1) {
            const uint64_t earlier = (left & ~(left - 1)) - 1;
            out[count].offset = before + (uint32_t)__builtin_popcountll(element & earlier);
            count += 1;
        }
        before += (uint32_t)__builtin_popcountll(element);
    }
    for (uint32_t i = 0; i < count; i++) {
        out[i].size = (i + 1 < count ? out[i + 1].offset : before) - out[i].offset;
    }
    *element_count = before;
    return count;
}

const pq_nest_kernels ISA_NAME(pq_nest_kernels) = {
    .count = ISA_NAME(nest_count),
    .validity = ISA_NAME(nest_validity),
    .lists = ISA_NAME(nest_lists),
};
