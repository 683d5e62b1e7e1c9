#include "catalogs/rest_kept.h"

#include <stdio.h>

#include "base/host.h"
#include "base/test.h"

static firn_error err = FIRN_ERROR_INIT;

static text levels[] = {{.data = "d", .size = 1}, {.data = "b", .size = 1}};
static const namespace_path db = {.count = 2, .items = levels};

static object_name named(const char *name) {
    return (object_name){.space = db, .name = text_of(name)};
}

static loaded_table table_of(const char *etag, const char *metadata, size_t size) {
    return (loaded_table){.metadata_location = TEXT("/m.json"),
                          .metadata = {.data = (const uint8_t *)metadata, .size = size},
                          .again_ms = INT64_MAX,
                          .etag = text_of(etag)};
}

#define NOW_MS 1000

static bool is_kept(rest_kept *kept, const char *name, const char *etag) {
    arena memory = arena_open((size_t)64 << 20);
    text found;
    bool has_keys;
    CHECK(rest_kept_etag(kept, named(name), NOW_MS, &memory, &found, &has_keys, &err) == FIRN_OK);
    const bool is = text_equal(found, text_of(etag));
    arena_close(&memory);
    return is;
}

TEST(rest_kept_gives_back_what_was_put) {
    static rest_kept kept;
    arena memory = arena_open((size_t)1 << 20);
    loaded_table out;
    bool found;
    rest_kept_open(&kept);
    CHECK(is_kept(&kept, "t", ""));
    loaded_table table = table_of("\"1\"", "{}", 2);
    rest_kept_put(&kept, named("t"), &table);
    CHECK(is_kept(&kept, "t", "\"1\"") && is_kept(&kept, "T", ""));
    CHECK(rest_kept_take(&kept, named("t"), TEXT("\"1\""), &memory, &out, &found, &err) == FIRN_OK);
    CHECK(found && text_equal(text_of_bytes(out.metadata), TEXT("{}")) &&
          text_equal(out.metadata_location, TEXT("/m.json")));
    table = table_of("\"2\"", "{ }", 3);
    rest_kept_put(&kept, named("t"), &table);
    CHECK(rest_kept_take(&kept, named("t"), TEXT("\"1\""), &memory, &out, &found, &err) == FIRN_OK);
    CHECK(!found && is_kept(&kept, "t", "\"2\""));
    // Without an ETag what was known is of no use either.
    table.etag = TEXT("");
    rest_kept_put(&kept, named("t"), &table);
    CHECK(is_kept(&kept, "t", ""));
    rest_kept_close(&kept);
    arena_close(&memory);
}

TEST(rest_kept_asks_anew_for_keys_that_end) {
    static rest_kept kept;
    arena memory = arena_open((size_t)1 << 20);
    text etag;
    bool has_keys;
    rest_kept_open(&kept);
    loaded_table table = table_of("\"1\"", "{}", 2);
    rest_kept_put(&kept, named("t"), &table);
    CHECK(rest_kept_etag(&kept, named("t"), INT64_MAX - 1, &memory, &etag, &has_keys, &err) ==
          FIRN_OK);
    CHECK(!has_keys && etag.size > 0);
    table.again_ms = NOW_MS + 1;
    rest_kept_put(&kept, named("t"), &table);
    CHECK(is_kept(&kept, "t", "\"1\""));
    CHECK(rest_kept_etag(&kept, named("t"), NOW_MS + 1, &memory, &etag, &has_keys, &err) ==
          FIRN_OK);
    CHECK(has_keys && etag.size == 0);
    rest_kept_close(&kept);
    arena_close(&memory);
}

TEST(rest_kept_is_bounded) {
    static rest_kept kept;
    static char big[REST_KEPT_BYTES_MAX / 4 + 1];
    char name[16];
    rest_kept_open(&kept);
    loaded_table table = table_of("\"1\"", "{}", 2);
    for (int i = 0; i < REST_KEPT_COUNT + 1; i++) {
        (void)snprintf(name, sizeof name, "t%d", i);
        rest_kept_put(&kept, named(name), &table);
        CHECK(is_kept(&kept, "t0", "\"1\"")); // And used again.
    }
    CHECK(is_kept(&kept, "t1", "") && is_kept(&kept, "t2", "\"1\""));
    table = table_of("\"1\"", big, sizeof big);
    rest_kept_put(&kept, named("t2"), &table); // Too large, and the old one is gone.
    CHECK(is_kept(&kept, "t2", ""));
    table = table_of("\"1\"", big, sizeof big - 1);
    for (int i = 20; i < 24; i++) {
        (void)snprintf(name, sizeof name, "t%d", i);
        rest_kept_put(&kept, named(name), &table);
        CHECK(is_kept(&kept, name, "\"1\""));
    }
    CHECK(is_kept(&kept, "t0", "") && is_kept(&kept, "t20", "\"1\"")); // Four fill it.
    rest_kept_close(&kept);
}

TEST(rest_kept_keeps_nothing_without_memory) {
    static rest_kept kept;
    rest_kept_open(&kept);
    loaded_table table = table_of("\"1\"", "{}", 2);
    bool was_kept = false;
    for (uint64_t at = 1; !was_kept; at++) {
        REQUIRE(at < 100);
        host_fault_set(HOST_ALLOC, at);
        rest_kept_put(&kept, named("t"), &table);
        host_fault_set(HOST_ALLOC, 0);
        was_kept = is_kept(&kept, "t", "\"1\"");
        CHECK(was_kept || is_kept(&kept, "t", ""));
    }
    rest_kept_close(&kept);
}
