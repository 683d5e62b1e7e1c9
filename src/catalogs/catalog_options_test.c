#include "catalogs/catalog_options.h"

#include "base/test.h"

static firn_error err = FIRN_ERROR_INIT;

#define COUNT(array) (sizeof(array) / sizeof *(array))

TEST(catalog_options_are_read_in_any_case_and_order) {
    const firn_option options[] = {
        {"warehouse", "s3://w"},
        {"Token", "t"},
        {"CREDENTIAL", "id:secret"},
        {"scope", "s"},
        {"OAUTH2_SERVER_URI", "http"},
        {"headers", "{\"X-A\":\"1\",\"X-B\":\"\\u0032\"}"},
        {"properties", "{\"s3.region\":\"r\"}"},
        {"connect_timeout", "500ms"},
        {"REQUEST_TIMEOUT", "2min"},
        {"READ_ONLY", ""},
    };
    arena memory = arena_open((size_t)1 << 16);
    catalog_options out;
    REQUIRE(catalog_options_read(options, COUNT(options), CATALOG_REST, &memory, &out, &err) ==
            FIRN_OK);
    CHECK(text_equal(out.warehouse, TEXT("s3://w")) && text_equal(out.token, TEXT("t")));
    CHECK(text_equal(out.credential, TEXT("id:secret")) && text_equal(out.scope, TEXT("s")));
    CHECK(text_equal(out.oauth2_server_uri, TEXT("http")) && out.catalog_name.size == 0);
    CHECK(out.connect_timeout_ms == 500 && out.request_timeout_ms == 120000 && out.is_read_only);
    REQUIRE(out.header_count == 2 && out.properties.count == 1);
    CHECK(text_equal(out.properties.items[0].key, TEXT("s3.region")));
    CHECK(text_equal(out.headers[1].name, TEXT("X-B")));
    CHECK(text_equal(out.headers[1].value, TEXT("2")));
    REQUIRE(catalog_options_read(NULL, 0, CATALOG_FOLDER, &memory, &out, &err) == FIRN_OK);
    CHECK(!out.is_read_only && out.warehouse.size == 0);
    arena_close(&memory);
}

TEST(catalog_options_say_what_is_wrong_without_showing_secrets) {
    const struct {
        firn_option options[2];
        size_t count;
        catalog_kind_bit kind;
        const char *words;
        const char *hint;
    } cases[] = {
        {{{"TOKN", "hunter2"}}, 1, CATALOG_REST, "no option \"TOKN\"", "did you mean \"TOKEN\"?"},
        {{{"BOGUS", ""}},
         1,
         CATALOG_REST,
         "no option \"BOGUS\"",
         "a REST catalog has WAREHOUSE, TOKEN, CREDENTIAL, SCOPE, OAUTH2_SERVER_URI, HEADERS, "
         "PROPERTIES, CONNECT_TIMEOUT, REQUEST_TIMEOUT, READ_ONLY, TYPE"},
        {{{"something_else_altogether", ""}},
         1,
         CATALOG_FOLDER,
         "a folder has no option",
         "a folder has WAREHOUSE, READ_ONLY, TYPE"},
        {{{"TOKEN", "hunter2"}}, 1, CATALOG_SQLITE, "TOKEN is for REST catalogs only", ""},
        {{{"CATALOG_NAME", "x"}}, 1, CATALOG_REST, "is for SQLite catalogs only", ""},
        {{{"TOKEN", "hunter2"}, {"token", "hunter2"}}, 2, CATALOG_REST, "given twice", ""},
        {{{"HEADERS", "hunter2"}}, 1, CATALOG_REST, "no map of names", ""},
        {{{"HEADERS", "[\"hunter2\"]"}}, 1, CATALOG_REST, "no map of names", ""},
        {{{"HEADERS", "{\"X\":1}"}}, 1, CATALOG_REST, "header \"X\"", ""},
        {{{"PROPERTIES", "hunter2"}}, 1, CATALOG_REST, "PROPERTIES is no map of names", ""},
        {{{"PROPERTIES", "{\"s3.secret-access-key\":[\"hunter2\"]}"}},
         1,
         CATALOG_REST,
         "\"s3.secret-access-key\" of option PROPERTIES is no text",
         ""},
        {{{"PROPERTIES", "{\"token\":\"hunter2\"}"}},
         1,
         CATALOG_REST,
         "\"token\" of option PROPERTIES is of no storage",
         "s3.…, gcs.…, adls.…, client.…, signer.… and io-impl are"},
        {{{"PROPERTIES", "{}"}}, 1, CATALOG_SQLITE, "is for REST catalogs only", ""},
        {{{"READ_ONLY", "yes"}}, 1, CATALOG_FOLDER, "true and false", ""},
        {{{"CONNECT_TIMEOUT", ""}}, 1, CATALOG_REST, "no time", ""},
        {{{"CONNECT_TIMEOUT", "0"}}, 1, CATALOG_REST, "no time", ""},
        {{{"CONNECT_TIMEOUT", "-1s"}}, 1, CATALOG_REST, "no time", ""},
        {{{"CONNECT_TIMEOUT", "1.5s"}}, 1, CATALOG_REST, "no time", ""},
        {{{"CONNECT_TIMEOUT", "99999999999999999999s"}}, 1, CATALOG_REST, "no time", ""},
        {{{"CONNECT_TIMEOUT", "5h"}}, 1, CATALOG_REST, "no time", ""},
    };
    arena memory = arena_open((size_t)1 << 16);
    for (size_t i = 0; i < COUNT(cases); i++) {
        catalog_options out;
        CHECK(catalog_options_read(cases[i].options, cases[i].count, cases[i].kind, &memory, &out,
                                   &err) == FIRN_INVALID);
        CHECK(strstr(err.text, cases[i].words) != NULL && strstr(err.text, "hunter2") == NULL);
        CHECK(strcmp(err.hint, cases[i].hint) == 0);
    }
    arena_close(&memory);
}
