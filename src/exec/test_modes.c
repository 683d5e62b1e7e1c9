#include "exec/test_modes.h"

unsigned test_modes_parse(text words) {
    static const text names[] = {
#define X(NAME, word, explanation) {#word, sizeof #word - 1},
        TEST_MODE_LIST(X)
#undef X
    };
    unsigned modes = 0;
    size_t from = 0;
    for (size_t i = 0; i <= words.size; i++) {
        if (i < words.size && words.data[i] != ',' && words.data[i] != ' ') {
            continue;
        }
        for (unsigned mode = 0; mode < TEST_MODE_COUNT; mode++) {
            if (text_equal(text_slice(words, from, i), names[mode])) {
                modes |= 1u << mode;
            }
        }
        from = i + 1;
    }
    return modes;
}
