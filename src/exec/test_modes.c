#include "exec/test_modes.h"

#include "base/nearest.h"

static const text names[] = {
#define X(NAME, word, explanation) {#word, sizeof #word - 1},
    TEST_MODE_LIST(X)
#undef X
};

static firn_status add(text word, unsigned *out, firn_error *err) {
    nearest_name near = nearest_to(word);
    for (unsigned mode = 0; mode < TEST_MODE_COUNT; mode++) {
        if (text_equal(word, names[mode])) {
            *out |= 1u << mode;
            return FIRN_OK;
        }
        nearest_offer(&near, names[mode]);
    }
    const firn_status status =
        FAIL(err, FIRN_INVALID, "FIRN_TEST has \"%.*s\", which is no test mode", TEXT_ARGS(word));
    if (!nearest_hint(&near, err)) {
        err_hint(err, "the modes are "
#define X(NAME, word, explanation) #word " "
                 TEST_MODE_LIST(X)
#undef X
                     "with commas between them");
    }
    return status;
}

firn_status test_modes_parse(text words, unsigned *out, firn_error *err) {
    size_t from = 0;
    *out = 0;
    for (size_t i = 0; i <= words.size; i++) {
        if (i < words.size && words.data[i] != ',' && words.data[i] != ' ') {
            continue;
        }
        if (i > from) {
            TRY(add(text_slice(words, from, i), out, err));
        }
        from = i + 1;
    }
    return FIRN_OK;
}
