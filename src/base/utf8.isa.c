// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's table.
//
// With AVX2, validation looks at 32 bytes at once: every error shows in two neighbouring bytes,
// that is in three half bytes. Three table look-ups by half byte give the errors that each of them
// still allows; the bits that all three have in common are the errors there are (J. Keiser, D.
// Lemire, "Validating UTF-8 in less than one instruction per byte", 2021). Only whether third and
// fourth bytes of a code point are continuations needs a look two and three bytes back.
#include <string.h>

#include "base/utf8_table.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define BLOCK 32

static bool ISA_NAME(is_ascii)(const uint8_t *data, size_t size) {
    uint64_t all = 0;
    size_t at = 0;
    for (; size - at >= BLOCK; at += BLOCK) {
        uint64_t words[BLOCK / 8];
        memcpy(words, data + at, sizeof words);
        all |= words[0] | words[1] | words[2] | words[3];
        if ((all & UINT64_C(0x8080808080808080)) != 0) {
            return false;
        }
    }
    for (; at < size; at++) {
        all |= (uint64_t)(data[at] & 0x80);
    }
    return all == 0 || (all & UINT64_C(0x8080808080808080)) == 0;
}

// Counts in bytes for as long as these can't wrap, so that the inner loop stays in vectors of
// bytes.
static size_t ISA_NAME(count)(const uint8_t *data, size_t size) {
    size_t count = 0;
    size_t at = 0;
    while (size - at >= BLOCK) {
        uint8_t lanes[BLOCK] = {0};
        size_t blocks = (size - at) / BLOCK;
        blocks = blocks < UINT8_MAX ? blocks : UINT8_MAX;
        for (size_t block = 0; block < blocks; block++, at += BLOCK) {
            for (size_t lane = 0; lane < BLOCK; lane++) {
                lanes[lane] = (uint8_t)(lanes[lane] + utf8_is_boundary(data[at + lane]));
            }
        }
        for (size_t lane = 0; lane < BLOCK; lane++) {
            count += lanes[lane];
        }
    }
    for (; at < size; at++) {
        count += utf8_is_boundary(data[at]);
    }
    return count;
}

#if defined(__AVX2__)

// What is wrong with a byte and the one before it; one bit each.
enum {
    TOO_SHORT = 1 << 0,         // A lead, and no continuation behind it.
    TOO_LONG = 1 << 1,          // ASCII, and a continuation behind it.
    OVERLONG_3 = 1 << 2,        // E0 with 80-9F.
    SURROGATE = 1 << 3,         // ED with A0-BF.
    OVERLONG_2 = 1 << 4,        // C0 or C1.
    TOO_LARGE = 1 << 5,         // F4 with 90-BF, F5-FF with 90-BF.
    TOO_LARGE_80 = 1 << 6,      // F5-FF with 80-8F; and
    OVERLONG_4 = 1 << 6,        // F0 with 80-8F: no half bytes are common to both.
    TWO_CONTINUATIONS = 1 << 7, // Right only as third or fourth byte.
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS, // Says nothing of the low half.
};

// The 16 answers of a look-up by half byte, in both lanes.
#define LOOK_UP(...) _mm256_broadcastsi128_si256(_mm_setr_epi8(__VA_ARGS__))
#define BIT(value) (char)(value)

static __m256i errors_by_pair(__m256i input, __m256i before) {
    const __m256i half = _mm256_set1_epi8(0x0f);
    const __m256i first_high = LOOK_UP(
        TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, // ASCII
        BIT(TWO_CONTINUATIONS), BIT(TWO_CONTINUATIONS), BIT(TWO_CONTINUATIONS),
        BIT(TWO_CONTINUATIONS), TOO_SHORT | OVERLONG_2, TOO_SHORT,
        TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | TOO_LARGE_80 | OVERLONG_4);
    const __m256i first_low =
        LOOK_UP(BIT(ANY_LOW | OVERLONG_3 | OVERLONG_2 | OVERLONG_4), BIT(ANY_LOW | OVERLONG_2),
                BIT(ANY_LOW), BIT(ANY_LOW), BIT(ANY_LOW | TOO_LARGE),
                BIT(ANY_LOW | TOO_LARGE | TOO_LARGE_80), BIT(ANY_LOW | TOO_LARGE | TOO_LARGE_80),
                BIT(ANY_LOW | TOO_LARGE | TOO_LARGE_80), BIT(ANY_LOW | TOO_LARGE | TOO_LARGE_80),
                BIT(ANY_LOW | TOO_LARGE | TOO_LARGE_80), BIT(ANY_LOW | TOO_LARGE | TOO_LARGE_80),
                BIT(ANY_LOW | TOO_LARGE | TOO_LARGE_80), BIT(ANY_LOW | TOO_LARGE | TOO_LARGE_80),
                BIT(ANY_LOW | TOO_LARGE | TOO_LARGE_80 | SURROGATE),
                BIT(ANY_LOW | TOO_LARGE | TOO_LARGE_80), BIT(ANY_LOW | TOO_LARGE | TOO_LARGE_80));
    const int continuation = TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS;
    const __m256i second_high = LOOK_UP(
        TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
        BIT(continuation | OVERLONG_3 | TOO_LARGE_80 | OVERLONG_4),
        BIT(continuation | OVERLONG_3 | TOO_LARGE), BIT(continuation | SURROGATE | TOO_LARGE),
        BIT(continuation | SURROGATE | TOO_LARGE), TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT);
    const __m256i before_high = _mm256_and_si256(_mm256_srli_epi16(before, 4), half);
    const __m256i input_high = _mm256_and_si256(_mm256_srli_epi16(input, 4), half);
    const __m256i by_first =
        _mm256_and_si256(_mm256_shuffle_epi8(first_high, before_high),
                         _mm256_shuffle_epi8(first_low, _mm256_and_si256(before, half)));
    return _mm256_and_si256(by_first, _mm256_shuffle_epi8(second_high, input_high));
}

// The block as seen `count` bytes earlier: its bytes moved up, those of the block before moved in.
#define EARLIER(input, last, count)                                                                \
    _mm256_alignr_epi8((input), _mm256_permute2x128_si256((last), (input), 0x21), 16 - (count))

static __m256i errors_of_block(__m256i input, __m256i last) {
    const __m256i pairs = errors_by_pair(input, EARLIER(input, last, 1));
    // The top bit stays where two bytes back is a lead of 3 or 4, or three back a lead of 4.
    const __m256i third =
        _mm256_subs_epu8(EARLIER(input, last, 2), _mm256_set1_epi8((char)(0xe0 - 0x80)));
    const __m256i fourth =
        _mm256_subs_epu8(EARLIER(input, last, 3), _mm256_set1_epi8((char)(0xf0 - 0x80)));
    const __m256i wanted =
        _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)TWO_CONTINUATIONS));
    // Two continuations, where they are wanted, are right; where not, or where missing, wrong.
    return _mm256_xor_si256(pairs, wanted);
}

static bool ISA_NAME(is_valid)(const uint8_t *data, size_t size) {
    // Subtracting leaves something where one of the last three bytes leads beyond the block.
    const __m256i complete = _mm256_setr_epi8(
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
        -1, -1, -1, -1, -1, -1, (char)(0xf0 - 1), (char)(0xe0 - 1), (char)(0xc0 - 1));
    __m256i errors = _mm256_setzero_si256();
    __m256i last = _mm256_setzero_si256();
    __m256i open = _mm256_setzero_si256();
    // One round more than there are full blocks: the rest, with zeros behind that end it.
    for (size_t at = 0; at <= size; at += BLOCK) {
        uint8_t tail[BLOCK] = {0};
        const uint8_t *from = data + at;
        if (size - at < BLOCK) {
            memcpy(tail, data + at, size - at);
            from = tail;
        }
        const __m256i input = _mm256_loadu_si256((const __m256i *)(const void *)from);
        if (_mm256_movemask_epi8(input) == 0) {
            errors = _mm256_or_si256(errors, open);
        } else {
            errors = _mm256_or_si256(errors, errors_of_block(input, last));
        }
        open = _mm256_subs_epu8(input, complete);
        last = input;
    }
    return _mm256_testz_si256(errors, errors) != 0;
}

#else

static bool ISA_NAME(is_valid)(const uint8_t *data, size_t size) {
    size_t at = 0;
    while (at < size) {
        uint64_t words[2];
        if (size - at >= sizeof words) {
            memcpy(words, data + at, sizeof words);
            if (((words[0] | words[1]) & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof words;
                continue;
            }
        }
        const size_t step = utf8_sequence(data + at, size - at);
        if (step == 0) {
            return false;
        }
        at += step;
    }
    return true;
}

#endif

const utf8_table ISA_NAME(utf8_table) = {
    .is_valid = ISA_NAME(is_valid),
    .is_ascii = ISA_NAME(is_ascii),
    .count = ISA_NAME(count),
};
