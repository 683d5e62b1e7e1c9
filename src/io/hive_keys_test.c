#include "io/hive_keys.h"

#include "base/test.h"

TEST(hive_keys_are_read_from_folder_names) {
    arena memory = arena_open((size_t)1 << 16);
    firn_error err = ERR_INIT;
    hive_keys keys;
    REQUIRE(
        hive_keys_read(
            TEXT("file:/lake/region=EU%2FDE/k%3D1=a=b/x=__HIVE_DEFAULT_PARTITION__/e=/p=1.parquet"),
            &memory, &keys, &err) == FIRN_OK);
    REQUIRE(keys.count == 4);
    CHECK(text_equal(keys.items[0].name, TEXT("region")));
    CHECK(text_equal(keys.items[0].value, TEXT("EU/DE")));
    CHECK(text_equal(keys.items[1].name, TEXT("k=1")));
    CHECK(text_equal(keys.items[1].value, TEXT("a=b")));
    CHECK(keys.items[2].is_null && keys.items[2].value.size == 0);
    CHECK(!keys.items[3].is_null && keys.items[3].value.size == 0);
    arena_close(&memory);
}

TEST(hive_keys_ignore_what_is_no_key) {
    const text paths[] = {TEXT("/a/b.parquet"), TEXT("x=1"), TEXT("/=1/b"), TEXT(""), TEXT("/"),
                          TEXT("http://h/a/b")};
    arena memory = arena_open((size_t)1 << 16);
    firn_error err = ERR_INIT;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        hive_keys keys;
        REQUIRE(hive_keys_read(paths[i], &memory, &keys, &err) == FIRN_OK);
        CHECK(keys.count == 0);
    }
    arena_close(&memory);
}
