#include "base/shown_address.h"

#include <string.h>

#include "base/error.h"
#include "base/host.h"
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
        {"'http://h/ftp://u:p@i/?a b' c?d", "'http://h/ftp://i/' c?d"},
        {"s3://a@b/http://c@d/x?y#z e#f", "s3://b/http://d/x e#f"},
        {"'s3://h/https://u:p@i?a b#c' d", "'s3://h/https://i b#c' d"},
        {"https://h?a=https://u:p@i b", "https://h b"},
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

TEST(addresses_of_a_text_that_was_cut_end_before_their_host) {
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"no address", "no address"},
        {"while 'https://u:p", "while 'https://"},
        {"while 'https://u:p w", "while 'https://"},
        {"while 'https://u:p@w", "while 'https://"},
        {"while https://u:p@h/x", "while https://h/x"},
        {"at https://h/x, s3://u:p", "at https://h/x, s3://"},
        {"at https://h then", "at https://h then"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[80];
        memcpy(text, cases[i].text, strlen(cases[i].text) + 1);
        const size_t size = hide_cut_addresses(text, strlen(text));
        CHECK(size == strlen(cases[i].shown) && memcmp(text, cases[i].shown, size) == 0);
    }
    // Wherever an error or hint is cut.
    for (int size = 0; size < FIRN_ERROR_TEXT_MAX; size++) {
        firn_error err = ERR_INIT;
        CHECK(FAIL(&err, FIRN_INVALID, "%*s https://user:secret@h", size, "") == FIRN_INVALID);
        err_hint(&err, "%*s https://user:secret@h", size, "");
        CHECK(strstr(err.text, "user") == NULL && strstr(err.hint, "user") == NULL);
    }
}

// 4 MiB each; with time that grows by the square of that this would take hours.
TEST(addresses_are_hidden_in_one_walk) {
    static const char *const parts[] = {"://",    "http://a:b@", "x://a",
                                        "'x://a", "https://h/a", "'http://\"s3://"};
    const size_t size = (size_t)4 << 20;
    char *text = host_alloc(size);
    REQUIRE(text != NULL);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const size_t part = strlen(parts[i]);
        for (size_t at = 0; at < size; at++) {
            text[at] = parts[i][at % part];
        }
        CHECK(hide_addresses(text, size) <= size);
    }
    memset(text, 'a', size);
    memcpy(text, "http://", 7);
    CHECK(hide_addresses(text, size) == size);
    host_free(text);
}
