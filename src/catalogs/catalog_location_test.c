#include "catalogs/catalog_location.h"

#include <stdio.h>

#include "base/host.h"
#include "base/test.h"

static firn_error err = FIRN_ERROR_INIT;

TEST(catalog_location_of_is_whole) {
    char here[4096];
    REQUIRE(host_path_absolute("wh", here, sizeof here, &err) == FIRN_OK);
    char url[4200];
    (void)snprintf(url, sizeof url, "file://%s", here);
    const struct {
        const char *given;
        const char *found;
    } cases[] = {
        {"/lake/wh", "/lake/wh"},
        {"/lake/wh//", "/lake/wh"},
        {"/", "/"},
        {"file:///lake/", "file:///lake"},
        {"s3://b/wh", "s3://b/wh"},
        {"wh", url},
        {"./wh/", url},
    };
    arena memory = arena_open((size_t)1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text found;
        REQUIRE(catalog_location_of(text_of(cases[i].given), &memory, &found, &err) == FIRN_OK);
        CHECK(text_equal(found, text_of(cases[i].found)));
    }
    arena_close(&memory);
}

TEST(catalog_location_new_is_given_or_below_something) {
    text levels[] = {TEXT("a"), TEXT("b")};
    const namespace_path ab = {.count = 2, .items = levels};
    const struct {
        const char *given;
        const char *of_namespace;
        const char *warehouse;
        const char *name;
        const char *found; // NULL: what must be in the error.
        const char *words;
    } cases[] = {
        {"/x/", "/n", "/w", "t", "/x", NULL},
        {"", "/n/", "/w", "t", "/n/t", NULL},
        {"", "", "/w", "t", "/w/a/b/t", NULL},
        {"", "", "/", "t", "/a/b/t", NULL},
        {"", "", "", "t", NULL, "nothing says where"},
        {"", "", "/w", "..", NULL, "\"..\" is no name of a folder"},
        {"", "", "/w", "x/y", NULL, "\"x/y\" is no name of a folder"},
        {"", "/n", "", "", NULL, "\"\" is no name of a folder"},
    };
    arena memory = arena_open((size_t)1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const location_parts parts = {.given = text_of(cases[i].given),
                                      .of_namespace = text_of(cases[i].of_namespace),
                                      .warehouse = text_of(cases[i].warehouse),
                                      .name = {.space = ab, .name = text_of(cases[i].name)}};
        text found;
        const firn_status status = catalog_location_new(&parts, &memory, &found, &err);
        if (cases[i].found != NULL) {
            CHECK(status == FIRN_OK && text_equal(found, text_of(cases[i].found)));
        } else {
            CHECK(status == FIRN_INVALID && strstr(err.text, cases[i].words) != NULL);
            CHECK(strstr(err.hint, "LOCATION") != NULL);
        }
    }
    arena_close(&memory);
}
