// Text compared: the first eight bytes (size and four letters) settle most rows.
#include "base/compiler.h"
#include "kernels/compare_table.h"

// The first four bytes as a number whose order is the text's, as far as four bytes tell.
static inline uint32_t prefix_of(const string_value *self) {
    uint32_t prefix;
    memcpy(&prefix, self->prefix, sizeof prefix);
    return __builtin_bswap32(prefix);
}

static inline bool is_below(const string_value *left, const string_value *right,
                            cancel_watch *watch) {
    const uint32_t l = prefix_of(left);
    const uint32_t r = prefix_of(right);
    return l != r ? l < r : string_compare_watched(left, right, watch) < 0;
}

static inline bool holds(const string_value *left, const string_value *right, compare_op op,
                         cancel_watch *watch) {
    return op == COMPARE_EQ   ? string_equal_watched(left, right, watch)
           : op == COMPARE_LT ? is_below(left, right, watch)
                              : !is_below(right, left, watch);
}

// Inline strings are equal exactly if their sixteen bytes are.
static inline bool equals_words(const string_value *self, const uint64_t words[2]) {
    uint64_t own[2];
    memcpy(own, self, sizeof own);
    return ((own[0] ^ words[0]) | (own[1] ^ words[1])) == 0;
}

#define FOR_WORDS(condition)                                                                       \
    for (size_t first = 0; first < count; first += 64) {                                           \
        const size_t end = count - first < 64 ? count - first : 64;                                \
        uint64_t word = 0;                                                                         \
        for (size_t i = 0; i < end; i++) {                                                         \
            word |= (uint64_t)(condition) << i;                                                    \
        }                                                                                          \
        mask[first / 64] = word;                                                                   \
    }

void compare_strings(const string_value *left, const string_value *right, bool right_is_constant,
                     size_t count, compare_op op, uint64_t *mask, cancel_watch *watch) {
    if (right_is_constant && op == COMPARE_EQ && string_is_inline(right)) {
        uint64_t words[2];
        memcpy(words, right, sizeof words);
        FOR_WORDS(equals_words(&left[first + i], words))
    } else if (right_is_constant) {
        FOR_WORDS(holds(&left[first + i], right, op, watch))
    } else {
        FOR_WORDS(holds(&left[first + i], &right[first + i], op, watch))
    }
}
