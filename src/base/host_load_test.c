#include <limits.h>
#include <string.h>

#include "base/host.h"
#include "base/test.h"

static firn_error err = FIRN_ERROR_INIT;

TEST(host_own_path_is_that_of_this_program) {
    char path[PATH_MAX];
    REQUIRE(host_own_path(path, sizeof path));
    CHECK(path[0] == '/');
    host_stat stat;
    CHECK(host_path_stat(path, &stat, &err) == FIRN_OK && stat.size > 0);
    CHECK(!host_own_path(path, 4)); // Does not fit.
}

TEST(host_load_finds_functions_and_says_what_is_missing) {
    host_function *found;
    CHECK(host_load("/nowhere/x.so", "f", &found, &err) == FIRN_NOT_FOUND);
    CHECK(found == NULL && strstr(err.text, "/nowhere/x.so") != NULL);
    CHECK(host_load("/etc/passwd", "f", &found, &err) == FIRN_UNSUPPORTED);
    CHECK(strstr(err.text, "/etc/passwd") != NULL);
}
