#include "base/nearest.h"

#include <string.h>

#include "base/test.h"

static const char *const names[] = {"region", "revenue", "a",        "sin",    "sum",
                                    "Sum",    "integer", "uinteger", "threads"};

TEST(nearest_proposes_what_is_written_alike_and_nothing_else) {
    static const struct {
        const char *written;
        const char *hint;
    } rows[] = {
        {"regoin", "did you mean \"region\"?"},
        {"REGIO", "did you mean \"region\"?"},
        {"intege", "did you mean \"integer\"?"},
        {"sun", "did you mean \"sin\", \"sum\" or \"Sum\"?"},
        {"nope", ""},
        {"tread", "did you mean \"threads\"?"},
        {"sang", ""},   // "sin" is two of its four letters away,
        {"vanuos", ""}, // "revenue" more than two of six.
        {"intogor", "did you mean \"integer\"?"},
        {"b", ""},
        {"", ""},
        {"A", "did you mean \"a\"?"},
        {"a", ""}, // That is what was written.
        {"completely_different_and_long", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        firn_error err = ERR_INIT;
        nearest_name near = nearest_to(text_of(rows[i].written));
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            nearest_offer(&near, text_of(names[k]));
            nearest_offer(&near, text_of(names[k]));
        }
        err_set(&err, FIRN_NOT_FOUND, "there is no \"%s\"", rows[i].written);
        CHECK(nearest_hint(&near, &err) == (rows[i].hint[0] != '\0'));
        if (strcmp(err.hint, rows[i].hint) != 0) {
            printf("%s: %s\n", rows[i].written, err.hint);
            CHECK(false);
        }
    }
}

TEST(nearest_hint_is_cut_where_names_are_long) {
    firn_error err = ERR_INIT;
    err_set(&err, FIRN_NOT_FOUND, "there is none");
    char first[65] = {0};
    memset(first, 'x', 60);
    nearest_name near = nearest_to(text_of(first));
    near.count = NEAREST_MAX;
    char longest[600] = {0};
    memset(longest, 'y', sizeof longest - 1);
    for (size_t i = 0; i < NEAREST_MAX; i++) {
        near.found[i] = text_of(longest);
    }
    CHECK(nearest_hint(&near, &err));
    CHECK(strlen(err.hint) < FIRN_ERROR_HINT_MAX);
}
