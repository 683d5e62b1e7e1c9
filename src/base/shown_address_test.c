#include "base/shown_address.h"

#include <string.h>

#include "base/error.h"
#include "base/test.h"

TEST(addresses_are_shown_without_what_may_be_secret) {
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"", ""},
        {"://", "://"},
        {"no address? none: a@b", "no address? none: a@b"},
        {"\"https://u:pw@host/x.parquet?sig=a'b c\" is none", "\"https://host/x.parquet\" is none"},
        {"from HTTP://h?a=@b#c, and 'ftp://u:p@h/?a@b'", "from HTTP://h and 'ftp://h/?a@b'"},
        {"https://a:b@c@d/e@f#g https://h:i@j?k", "https://d/e@f https://j"},
        {"s3://bucket/a?b#c@d", "s3://bucket/a?b#c@d"},
        {"while 'https://u:p", "while 'https://u:p"},
        {"'https://u:p@h' || '?b'", "'https://h' || '?b'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[80];
        memcpy(text, cases[i].text, strlen(cases[i].text) + 1);
        const size_t size = hide_addresses(text, strlen(text));
        const bool is_right =
            size == strlen(cases[i].shown) && memcmp(text, cases[i].shown, size) == 0;
        if (!is_right) {
            printf("%.*s\n", (int)size, text);
        }
        CHECK(is_right);
    }
}

TEST(errors_and_hints_hide_what_addresses_may_have_of_secrets) {
    firn_error err = ERR_INIT;
    const char *path = "https://me:pw@host/a?sig=1";
    CHECK(FAIL(&err, FIRN_INVALID, "\"%s\" is no INTEGER", path) == FIRN_INVALID);
    err_while(&err, "reading %s, a file", path);
    err_hint(&err, "did you mean '%s'?", path);
    CHECK(strcmp(err.text, "invalid: \"https://host/a\" is no INTEGER\n  while reading "
                           "https://host/a a file") == 0);
    CHECK(err.length == strlen(err.text));
    CHECK(strcmp(err.hint, "did you mean 'https://host/a'?") == 0);
}
