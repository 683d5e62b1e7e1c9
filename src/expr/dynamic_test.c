// What a filter says of the bounds of a row group, against the values that it lets through.
#include "expr/dynamic.h"

#include "base/test.h"

#define BITS 200

static column one_of(const int64_t *value) {
    return (column){.type = TYPE_OF(BIGINT), .form = FORM_FLAT, .length = 1, .values = value};
}

static verdict verdict_of(const dynamic_content *content, int64_t low, int64_t high) {
    const column minimum = one_of(&low);
    const column maximum = one_of(&high);
    const column_facts facts = {.minimum = &minimum, .maximum = &maximum};
    const column_facts *const keys[] = {&facts};
    return dynamic_evaluate(content, keys);
}

TEST(dynamic_bitmaps_prune_ranges_without_a_key_and_no_other) {
    static const int64_t firsts[] = {INT64_MIN, INT64_MIN + 1, -100, 0, 1, INT64_MAX - BITS + 1};
    static const uint32_t set[] = {0, 3, 64, 127, 199};
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        uint64_t bitmap[BITMAP_WORDS(BITS)] = {0};
        for (size_t k = 0; k < sizeof set / sizeof set[0]; k++) {
            bitmap_set(bitmap, set[k]);
        }
        const dynamic_content content = {
            .key_count = 1, .bitmap = bitmap, .bitmap_first = firsts[i], .bitmap_bits = BITS};
        for (uint32_t from = 0; from < BITS; from++) {
            bool has_key = false;
            for (uint32_t to = from; to < BITS; to++) {
                has_key |= bitmap_get(bitmap, to);
                CHECK(verdict_of(&content, firsts[i] + from, firsts[i] + to) ==
                      (has_key ? VERDICT_MAYBE : VERDICT_NEVER));
            }
        }
        CHECK(verdict_of(&content, INT64_MIN, INT64_MAX) == VERDICT_MAYBE);
        CHECK(verdict_of(&content, INT64_MIN, firsts[i]) == VERDICT_MAYBE);
        CHECK(verdict_of(&content, firsts[i], INT64_MAX) == VERDICT_MAYBE);
    }
}
