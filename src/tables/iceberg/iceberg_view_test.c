#include "tables/iceberg/iceberg_view.h"

#include "base/test.h"

static firn_error err = FIRN_ERROR_INIT;

#define VIEW(default_catalog, representations)                                                     \
    "{\"view-uuid\":\"u\",\"format-version\":1,\"location\":\"/v\",\"current-version-id\":2,"      \
    "\"schemas\":[{\"schema-id\":7,\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"a\","      \
    "\"required\":false,\"type\":\"int\"},{\"id\":2,\"name\":\"b\",\"required\":false,"            \
    "\"type\":\"string\"}]}],\"versions\":[{\"version-id\":1,\"schema-id\":7},"                    \
    "{\"version-id\":2,\"schema-id\":7," default_catalog                                           \
    "\"default-namespace\":[\"x\",\"y.z\"],\"representations\":[" representations "]}]}"

#define SPARK "{\"type\":\"sql\",\"sql\":\"SELECT spark\",\"dialect\":\"spark\"}"
#define OURS "{\"type\":\"sql\",\"sql\":\"SELECT ours\",\"dialect\":\"Firn\"}"
#define TRINO "{\"type\":\"sql\",\"sql\":\"SELECT trino\",\"dialect\":\"trino\"}"

static firn_status read(const char *json, arena *memory, view_definition **out) {
    const bytes file = {.data = (const uint8_t *)json, .size = strlen(json)};
    return ice_view_read(file, TEXT("lake"), memory, out, &err);
}

TEST(iceberg_view_prefers_our_sql_to_that_of_spark_to_any_other) {
    const struct {
        const char *json;
        text sql;
        text dialect;
    } cases[] = {
        {VIEW("", TRINO "," SPARK "," OURS), TEXT("SELECT ours"), TEXT("")},
        {VIEW("", TRINO "," SPARK), TEXT("SELECT spark"), TEXT("spark")},
        {VIEW("", TRINO), TEXT("SELECT trino"), TEXT("trino")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena memory = arena_open((size_t)1 << 20);
        view_definition *view;
        REQUIRE(read(cases[i].json, &memory, &view) == FIRN_OK);
        CHECK(text_equal(view->sql, cases[i].sql) && text_equal(view->dialect, cases[i].dialect));
        REQUIRE(view->columns.count == 2 && view->space.count == 2);
        CHECK(text_equal(view->columns.items[1], TEXT("b")));
        CHECK(text_equal(view->space.items[1], TEXT("y.z")));
        arena_close(&memory);
    }
}

TEST(iceberg_view_names_its_default_catalog_and_the_one_that_holds_it) {
    const struct {
        const char *json;
        text catalog;
    } cases[] = {
        {VIEW("", OURS), TEXT("lake")},
        {VIEW("\"default-catalog\":null,", OURS), TEXT("lake")},
        {VIEW("\"default-catalog\":\"prod\",", OURS), TEXT("prod")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena memory = arena_open((size_t)1 << 20);
        view_definition *view;
        REQUIRE(read(cases[i].json, &memory, &view) == FIRN_OK);
        CHECK(text_equal(view->catalog, cases[i].catalog));
        CHECK(text_equal(view->owner, TEXT("lake")));
        arena_close(&memory);
    }
}

TEST(iceberg_view_says_what_it_lacks) {
    const struct {
        const char *json;
        const char *words;
    } cases[] = {
        {"[]", "object"},
        {"{}", "current-version-id"},
        {VIEW("", ""), "no SQL"},
        {VIEW("", "{\"type\":\"plan\",\"dialect\":\"x\"}"), "no SQL"},
        {VIEW("\"default-catalog\":3,", OURS), "default-catalog"},
        {"{\"current-version-id\":3,\"versions\":[{\"version-id\":1}]}", "version-id\" 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena memory = arena_open((size_t)1 << 20);
        view_definition *view;
        CHECK(read(cases[i].json, &memory, &view) != FIRN_OK);
        CHECK(strstr(err.text, cases[i].words) != NULL);
        arena_close(&memory);
    }
}
