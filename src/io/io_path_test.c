#include "io/io_path.h"

#include "base/test.h"

TEST(io_path_scheme_is_only_what_is_meant_as_one) {
    const struct {
        text path;
        text scheme;
    } cases[] = {
        {TEXT("/x"), TEXT("")},
        {TEXT("x.parquet"), TEXT("")},
        {TEXT("a:b"), TEXT("")},
        {TEXT("12:00://x"), TEXT("")},
        {TEXT("://x"), TEXT("")},
        {TEXT("http:"), TEXT("")},
        {TEXT("file:/x"), TEXT("file")},
        {TEXT("file:///x"), TEXT("file")},
        {TEXT("https://h/x"), TEXT("https")},
        {TEXT("s3a://b/x"), TEXT("s3a")},
        {TEXT(""), TEXT("")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(text_equal(io_path_scheme(cases[i].path), cases[i].scheme));
    }
}

TEST(io_path_takes_paths_apart) {
    const struct {
        text path;
        text folder;
        text name;
    } cases[] = {
        {TEXT("/a/b/c"), TEXT("/a/b"), TEXT("c")}, {TEXT("/a"), TEXT("/"), TEXT("a")},
        {TEXT("a"), TEXT("."), TEXT("a")},         {TEXT("/a/b/"), TEXT("/a"), TEXT("b")},
        {TEXT("a//b"), TEXT("a"), TEXT("b")},      {TEXT("/"), TEXT("/"), TEXT("")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(text_equal(io_path_folder(cases[i].path), cases[i].folder));
        CHECK(text_equal(io_path_name(cases[i].path), cases[i].name));
    }
}

TEST(io_size_shown_counts_whole_megabytes) {
    char buffer[IO_SIZE_TEXT];
    CHECK(strcmp(io_size_shown(0, buffer), "0 bytes") == 0);
    CHECK(strcmp(io_size_shown(999, buffer), "999 bytes") == 0);
    CHECK(strcmp(io_size_shown((uint64_t)512 << 20, buffer), "512 MB") == 0);
    CHECK(strcmp(io_size_shown(((uint64_t)1 << 30) - 1, buffer), "1073741823 bytes") == 0);
    CHECK(strcmp(io_size_shown(UINT64_MAX, buffer), "18446744073709551615 bytes") == 0);
}

TEST(io_path_shown_hides_what_may_be_secret) {
    const struct {
        text path;
        text shown;
    } cases[] = {
        {TEXT("/a?b"), TEXT("/a?b")},
        {TEXT("http://h/x?X-Amz-Signature=abc"), TEXT("http://h/x")},
        {TEXT("https://user:pass@h:80/x#frag"), TEXT("https://h:80/x")},
        {TEXT("https://u:p@ss@h/x@y"), TEXT("https://h/x@y")},
        {TEXT("http://h?x=/@"), TEXT("http://h")},
        {TEXT("http://"), TEXT("http://")},
        {TEXT("ftp://u:p@h/x"), TEXT("ftp://h/x")},
        {TEXT("s3://bucket/a?b#c@d"), TEXT("s3://bucket/a?b#c@d")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char buffer[64];
        CHECK(text_equal(io_path_shown(cases[i].path, buffer, sizeof buffer), cases[i].shown));
    }
    char small[10];
    CHECK(text_equal(io_path_shown(TEXT("http://host/long"), small, sizeof small),
                     TEXT("http://hos")));
    char tiny[4];
    CHECK(text_equal(io_path_shown(TEXT("http://h/x?s=1"), tiny, sizeof tiny), TEXT("http")));
}

TEST(io_path_whole_is_one_form_of_a_local_path) {
    static const struct {
        const char *path, *whole; // Without '/' in front: below the working folder.
    } cases[] = {
        {"/x/y", "/x/y"},
        {"file:/x//y", "/x/y"},
        {"file:///x/y", "/x/y"},
        {"/", "/"},
        {"file://localhost//x/", "/x/"},
        {"./x//y", "x/y"},
        {"././/x/../y", "x/../y"},
        {"x", "x"},
    };
    firn_error err = FIRN_ERROR_INIT;
    char here[IO_LOCAL_PATH_MAX];
    char whole[IO_LOCAL_PATH_MAX];
    REQUIRE(io_path_whole(TEXT("./x"), here, &err) == FIRN_OK && here[0] == '/');
    const size_t folder = strlen(here) - 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        REQUIRE(io_path_whole(text_of(cases[i].path), whole, &err) == FIRN_OK);
        const bool is_whole = cases[i].whole[0] == '/';
        CHECK(is_whole || strncmp(whole, here, folder) == 0);
        CHECK(strcmp(whole + (is_whole ? 0 : folder), cases[i].whole) == 0);
    }
    CHECK(io_path_whole(TEXT("file://else/x"), whole, &err) == FIRN_INVALID);
    CHECK(text_equal(io_path_unslashed(TEXT("a/b//")), TEXT("a/b")));
    CHECK(text_equal(io_path_unslashed(TEXT("//")), TEXT("/")));
    CHECK(io_path_unslashed(TEXT("")).size == 0);
}
