#include "base/error.h"

#include <string.h>

#include "base/test.h"
#include "base/utf8.h"

static firn_status fail_below(firn_error *err) {
    return FAIL(err, FIRN_CORRUPT, "bit width %d is above %d", 40, 32);
}

static firn_status pass_on(firn_error *err, bool *went_on) {
    TRY(fail_below(err));
    *went_on = true;
    return FIRN_OK;
}

TEST(error_tells_what_and_while_doing_what) {
    firn_error err = ERR_INIT;
    bool went_on = false;
    CHECK(pass_on(&err, &went_on) == FIRN_CORRUPT);
    CHECK(!went_on);
    err_while(&err, "reading column \"%s\"", "region");
    err_while(&err, "scanning \"%s\"", "x.parquet");
    CHECK(strcmp(err.text, "corrupt: bit width 40 is above 32\n"
                           "  while reading column \"region\"\n"
                           "  while scanning \"x.parquet\"") == 0);
    CHECK(err.length == strlen(err.text));
    CHECK(err.status == FIRN_CORRUPT && strcmp(err.sqlstate, "XX001") == 0);
    CHECK(err.position == NO_POSITION && !err.retryable && err.hint[0] == '\0');
    CHECK(err.size == sizeof(firn_error));
}

TEST(error_of_sql_has_state_position_and_hint) {
    firn_error err = ERR_INIT;
    CHECK(FAIL_SQL(&err, FIRN_INVALID, "42703", 7, "there is no column \"%s\"", "rgion") ==
          FIRN_INVALID);
    err_hint(&err, "did you mean \"%s\"?", "region");
    CHECK(strcmp(err.text, "invalid: there is no column \"rgion\"") == 0);
    CHECK(strcmp(err.sqlstate, "42703") == 0 && err.position == 7);
    CHECK(strcmp(err.hint, "did you mean \"region\"?") == 0);
    CHECK(FAIL(&err, FIRN_IO, "gone") == FIRN_IO); // A new fault leaves nothing of the old one.
    CHECK(err.hint[0] == '\0' && err.position == NO_POSITION && err.retryable);
    CHECK(strcmp(err.text, "i/o: gone") == 0);
}

TEST(error_that_was_expected_is_forgotten) {
    firn_error err = ERR_INIT;
    const firn_status missing = FAIL(&err, FIRN_NOT_FOUND, "there is no \"x\"");
    CHECK(err_forgive(&err, missing, FIRN_CORRUPT) == FIRN_NOT_FOUND);
    CHECK(err.status == FIRN_NOT_FOUND && err.length > 0);
    err_hint(&err, "look elsewhere");
    CHECK(err_forgive(&err, missing, FIRN_NOT_FOUND) == FIRN_OK);
    CHECK(err.status == FIRN_OK && err.length == 0 && err.text[0] == '\0');
    CHECK(err.sqlstate[0] == '\0' && err.hint[0] == '\0' && err.position == NO_POSITION);
    CHECK(err_forgive(&err, FIRN_OK, FIRN_NOT_FOUND) == FIRN_OK);
}

TEST(error_cuts_what_is_too_long_and_stays_cut) {
    firn_error err = ERR_INIT;
    char name[2000];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    CHECK(FAIL(&err, FIRN_IO, "%s", name) == FIRN_IO);
    CHECK(err.length == FIRN_ERROR_TEXT_MAX - 1 && err.length == strlen(err.text));
    CHECK(strcmp(err.text + err.length - 4, "x...") == 0);
    err_while(&err, "doing more");
    CHECK(err.length == FIRN_ERROR_TEXT_MAX - 1 && strcmp(err.text + err.length - 4, "x...") == 0);
    err_hint(&err, "%s", name);
    CHECK(strlen(err.hint) == FIRN_ERROR_HINT_MAX - 1);
}

TEST(error_has_a_word_for_every_status) {
    for (int status = FIRN_OK; status <= FIRN_COMMIT_UNKNOWN; status++) {
        CHECK(strcmp(status_name((firn_status)status), "unknown status") != 0);
    }
    CHECK(strcmp(status_name(FIRN_CONFLICT), "conflict") == 0);
}

TEST(error_is_utf8_whatever_it_names) {
    firn_error err = ERR_INIT;
    CHECK(FAIL(&err, FIRN_IO, "cannot open \"%s\"", "a\xff\xc3z\xc3\xa9") == FIRN_IO);
    CHECK(strcmp(err.text, "i/o: cannot open \"a??z\xc3\xa9\"") == 0);
    err_hint(&err, "is it \"%s\"?", "\xe2\x82");
    CHECK(strcmp(err.hint, "is it \"??\"?") == 0);
    char name[2 * FIRN_ERROR_TEXT_MAX] = "x"; // Cut within a letter, whatever stands before.
    for (size_t i = 1; i + 2 < sizeof name; i += 2) {
        memcpy(name + i, "\xc3\xa9", 3);
    }
    for (size_t skipped = 0; skipped < 2; skipped++) {
        CHECK(FAIL(&err, FIRN_IO, "%s", name + skipped) == FIRN_IO);
        const bytes said = {.data = (const uint8_t *)err.text, .size = err.length};
        CHECK(err.length == FIRN_ERROR_TEXT_MAX - 1 && utf8_is_valid(said));
        CHECK(strcmp(err.text + err.length - 3, "...") == 0);
    }
}
