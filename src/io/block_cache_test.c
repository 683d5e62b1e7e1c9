#include "io/block_cache.h"

#include <string.h>

#include "base/test.h"
#include "io/memory_input.h"

#define LIMIT ((uint64_t)4 << 20)
#define BODY ((size_t)100000)

typedef struct scene {
    pool *engine;
    block_cache *cache;
    firn_error err;
} scene;

static void scene_open(scene *self) {
    *self = (scene){.err = ERR_INIT};
    REQUIRE(pool_open_engine(LIMIT, &self->engine, &self->err) == FIRN_OK);
    REQUIRE(block_cache_open(self->engine, &self->cache, &self->err) == FIRN_OK);
}

static void scene_close(scene *self) {
    block_cache_close(self->cache);
    CHECK(pool_used(self->engine) == 0);
    pool_close(self->engine);
}

static bool put(scene *self, uint64_t file, uint64_t offset, uint8_t value) {
    cached_block *made = block_cache_new(self->cache, BODY, 3, 64);
    if (made == NULL) {
        return false;
    }
    CHECK((uintptr_t)made->body.data % 64 == 3);
    memset((uint8_t *)(uintptr_t)made->body.data, value, BODY);
    const bytes padded = {.data = made->body.data, .size = BODY + 64};
    for (size_t i = BODY; i < padded.size; i++) {
        CHECK(padded.data[i] == 0);
    }
    made->header[0] = value;
    block_cache_put(self->cache, made, file, offset);
    return true;
}

static bool has(scene *self, uint64_t file, uint64_t offset, uint8_t value) {
    cached_block *found = block_cache_find(self->cache, file, offset);
    const bool is_right = found != NULL && found->header[0] == value && found->body.size == BODY &&
                          found->body.data[BODY - 1] == value;
    block_cache_release(self->cache, found);
    return is_right;
}

TEST(block_cache_finds_what_was_put_and_the_first_stays) {
    scene s;
    scene_open(&s);
    CHECK(block_cache_find(s.cache, 1, 4) == NULL);
    REQUIRE(put(&s, 1, 4, 10));
    const uint64_t table = pool_used(s.engine) - block_cache_describe(s.cache).used_bytes;
    REQUIRE(put(&s, 2, 4, 20));
    REQUIRE(put(&s, 1, 4, 30));
    CHECK(has(&s, 1, 4, 10));
    CHECK(has(&s, 2, 4, 20));
    CHECK(block_cache_find(s.cache, 2, 5) == NULL);
    const block_cache_report report = block_cache_describe(s.cache);
    CHECK(report.blocks == 2 && report.found == 2 && report.missed == 2);
    CHECK(report.used_bytes + table == pool_used(s.engine));
    scene_close(&s);
}

TEST(block_cache_touch_says_what_another_query_has_read) {
    scene s;
    scene_open(&s);
    const uint32_t first = block_cache_query(s.cache);
    const uint32_t second = block_cache_query(s.cache);
    CHECK(first != second);
    CHECK(!block_cache_touch(s.cache, 1, 4, first));
    CHECK(!block_cache_touch(s.cache, 1, 4, first)); // The same query, by a join with itself.
    CHECK(!block_cache_touch(s.cache, 2, 4, first));
    CHECK(block_cache_touch(s.cache, 1, 4, second));
    CHECK(block_cache_touch(s.cache, 1, 4, second));
    CHECK(!block_cache_touch(s.cache, 1, 1000, second));
    CHECK(block_cache_touch(s.cache, 2, 4, second));
    scene_close(&s);
}

TEST(block_cache_drops_the_longest_unused_that_nobody_holds) {
    scene s;
    scene_open(&s);
    uint64_t count = 0;
    while (count < 30 && put(&s, 1, count, (uint8_t)count)) {
        count++;
    }
    CHECK(count > 20);
    cached_block *held = block_cache_find(s.cache, 1, 0);
    REQUIRE(held != NULL);
    CHECK(has(&s, 1, 1, 1)); // Used just now.
    // A query wants most of the memory: the cache gives way.
    const pool_options options = {.kind = POOL_QUERY, .name = "query"};
    pool *query;
    REQUIRE(pool_open(s.engine, &options, &query, &s.err) == FIRN_OK);
    REQUIRE(pool_take(query, (uint64_t)3 << 20));
    CHECK(has(&s, 1, 1, 1));
    CHECK(!has(&s, 1, 2, 2));
    CHECK(held->body.data[0] == 0 && held->header[0] == 0);
    CHECK(pool_used(s.engine) <= LIMIT);
    block_cache_release(s.cache, held);
    pool_give(query, (uint64_t)3 << 20);
    pool_close(query);
    scene_close(&s);
}

TEST(block_cache_gives_everything_back_that_nobody_holds) {
    scene s;
    scene_open(&s);
    CHECK(!block_cache_touch(s.cache, 1, 4, 1));
    REQUIRE(put(&s, 1, 4, 10));
    cached_block *held = block_cache_find(s.cache, 1, 4);
    pool_trim(s.engine, 0);
    CHECK(pool_used(s.engine) > 0 && has(&s, 1, 4, 10));
    block_cache_release(s.cache, held);
    pool_trim(s.engine, 0);
    CHECK(pool_used(s.engine) == 0 && block_cache_find(s.cache, 1, 4) == NULL);
    CHECK(!block_cache_touch(s.cache, 1, 4, 2)); // It begins anew.
    REQUIRE(put(&s, 1, 4, 20));
    CHECK(has(&s, 1, 4, 20));
    scene_close(&s);
}

TEST(block_cache_knows_files_by_content_and_not_those_that_may_change_unseen) {
    scene s;
    scene_open(&s);
    io *files;
    REQUIRE(io_open(&(io_options){.has_thread = false}, &files, &s.err) == FIRN_OK);
    memory_input input = {.content = {.data = (const uint8_t *)"abc", .size = 3}};
    io_file *one = memory_input_open(&input, files, "one");
    io_file *same = memory_input_open(&input, files, "one");
    io_file *other = memory_input_open(&input, files, "other");
    CHECK(block_cache_file(s.cache, one) == 0);
    one->identity.mtime_ns = 5;
    same->identity.mtime_ns = 5;
    other->identity.mtime_ns = 5;
    const uint64_t number = block_cache_file(s.cache, one);
    CHECK(number != 0 && block_cache_file(s.cache, same) == number);
    CHECK(block_cache_file(s.cache, other) != number);
    same->identity.mtime_ns = 1;
    CHECK(block_cache_file(s.cache, same) != number);
    CHECK(block_cache_file(NULL, one) == 0);
    io_file_release(one);
    io_file_release(same);
    io_file_release(other);
    io_close(files);
    scene_close(&s);
}

TEST(block_cache_grows_its_table) {
    scene s;
    scene_open(&s);
    for (uint64_t i = 0; i < 3000; i++) {
        cached_block *made = block_cache_new(s.cache, 10, 0, 0);
        REQUIRE(made != NULL);
        made->header[0] = (uint8_t)i;
        block_cache_put(s.cache, made, i % 7, i * 4096);
    }
    for (uint64_t i = 0; i < 3000; i++) {
        cached_block *found = block_cache_find(s.cache, i % 7, i * 4096);
        REQUIRE(found != NULL && found->header[0] == (uint8_t)i);
        block_cache_release(s.cache, found);
    }
    scene_close(&s);
}
