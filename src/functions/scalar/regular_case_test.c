#include "functions/scalar/regular_case.h"

#include <string.h>

#include "base/test.h"

static bool is_written(const char *pattern, bool is_caseless, const char *wanted) {
    char out[128];
    const text whole = text_of(pattern);
    memset(out, 0, sizeof out);
    regular_write_case(whole, is_caseless, out);
    return whole.size == strlen(wanted) && memcmp(out, wanted, whole.size) == 0;
}

TEST(classes_of_case_are_letters_where_case_is_not_looked_at) {
    CHECK(is_written("[[:upper:]]\\p{Lu}", false, "[[:upper:]]\\p{Lu}"));
    CHECK(is_written("[[:upper:]]\\p{Lu}", true, "[\\p{L&___}]\\p{L&}"));
    CHECK(is_written("[^][:^lower:]\\P{Ll}x]", true, "[^]\\P{L&____}\\P{L&}x]"));
    CHECK(is_written("[[:alpha:][:lower:]]", true, "[[:alpha:]\\p{L&___}]"));
    CHECK(is_written("[:upper:]", true, "[:upper:]")); // Brackets around some letters.
    CHECK(is_written("\\[[[:upper:]]", true, "\\[[\\p{L&___}]"));
    CHECK(is_written("\\\\p{Lu}\\Q\\p{Lu}\\E\\p{Lu}", true, "\\\\p{Lu}\\Q\\p{Lu}\\E\\p{L&}"));
    CHECK(is_written("\\p{^Lu}\\p{Greek}", true, "\\P{L&_}\\p{Greek}"));
}

TEST(case_is_that_of_the_group) {
    CHECK(is_written("\\p{Lu}(?i)\\p{Lu}", false, "\\p{Lu}(?i)\\p{L&}"));
    CHECK(is_written("(?i:\\p{Lu})\\p{Lu}", false, "(?i:\\p{L&})\\p{Lu}"));
    CHECK(is_written("((?i)\\p{Lu})\\p{Lu}", false, "((?i)\\p{L&})\\p{Lu}"));
    CHECK(is_written("(?-i:\\p{Lu}(\\p{Lu}))\\p{Lu}", true, "(?-i:\\p{Lu}(\\p{Lu}))\\p{L&}"));
    CHECK(is_written("(?s-i)\\p{Lu}", true, "(?s-i)\\p{Lu}"));
    CHECK(is_written("(?<i>\\p{Lu})(?P<i>\\p{Lu})", false, "(?<i>\\p{Lu})(?P<i>\\p{Lu})"));
    CHECK(is_written("(?=\\p{Lu})(?#(?i)\\p{Lu})\\p{Lu}", false,
                     "(?=\\p{Lu})(?#(?i)\\p{Lu})\\p{Lu}"));
    CHECK(is_written("(?^)\\p{Lu}", true, "(?^)\\p{Lu}"));
}

TEST(what_ends_too_early_is_left) {
    static const char *const patterns[] = {"[", "[^", "[[:upper", "\\",  "\\p{", "(?", "(?i",
                                           "(", ")",  "))",       "\\Q", "(?#",  "[]", "[[:"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        CHECK(is_written(patterns[i], true, patterns[i]));
    }
    char deep[700];
    char out[sizeof deep];
    memset(deep, '(', 300);
    memset(deep + 300, ')', 400);
    regular_write_case((text){.data = deep, .size = sizeof deep}, true, out);
    CHECK(memcmp(deep, out, sizeof deep) == 0);
}
