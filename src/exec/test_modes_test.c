#include "exec/test_modes.h"

#include "base/test.h"

static unsigned modes;
static firn_error err = FIRN_ERROR_INIT;

static firn_status parse(const char *words) {
    err = ERR_INIT;
    return test_modes_parse(text_of(words), &modes, &err);
}

TEST(test_modes_are_words_with_commas_or_blanks_between) {
    CHECK(parse("") == FIRN_OK && modes == 0);
    CHECK(parse("tiny") == FIRN_OK && modes == TEST_MODE_TINY);
    CHECK(parse("wait, plans,,spill ") == FIRN_OK);
    CHECK(modes == (TEST_MODE_WAIT | TEST_MODE_PLANS | TEST_MODE_SPILL));
}

TEST(test_modes_refuse_words_that_would_test_nothing) {
    CHECK(parse("tny") == FIRN_INVALID);
    CHECK(strstr(err.text, "FIRN_TEST has \"tny\"") != NULL);
    CHECK(strstr(err.hint, "did you mean \"tiny\"?") != NULL);
    CHECK(parse("forms,something") == FIRN_INVALID);
    CHECK(strstr(err.hint, "tiny") != NULL && strstr(err.hint, "inline") != NULL);
}
