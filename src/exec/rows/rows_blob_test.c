// Whether blobs are kept in memory.
#include "base/test.h"
#include "exec/rows/rows_private.h"

#define M ((uint64_t)1 << 20)
#define BLOB_BYTES ((uint64_t)200 << 10)

static firn_error err = FIRN_ERROR_INIT;

// What a cache has taken, and gives back when it is asked.
typedef struct cache {
    pool *memory;
    uint64_t used;
} cache;

static void shrink(void *user, uint64_t size) {
    cache *self = user;
    const uint64_t given = size < self->used ? size : self->used;
    self->used -= given;
    pool_give(self->memory, given);
}

static void fill(cache *self, pool *engine) {
    const pool_options options = {
        .kind = POOL_CACHE, .name = "cache", .shrink = shrink, .user = self};
    CHECK(pool_open(engine, &options, &self->memory, &err) == FIRN_OK);
    while (pool_take(self->memory, M)) {
        self->used += M;
    }
}

TEST(rows_blobs_stay_in_memory_that_caches_can_give_back) {
    arena memory = arena_open(SIZE_MAX);
    const type *const types[] = {TYPE_OF(VARCHAR)};
    const spill_options options = {.folder = "/tmp", .form = SPILL_RAW};
    pool *engine;
    pool *query;
    pool *keeper;
    spill_area *area;
    spill *file;
    row_layout layout;
    row_store store;
    cache blocks = {.used = 0};
    REQUIRE(pool_open_engine(64 * M, &engine, &err) == FIRN_OK);
    const pool_options of_query = {.kind = POOL_QUERY, .name = "query"};
    REQUIRE(pool_open(engine, &of_query, &query, &err) == FIRN_OK);
    REQUIRE(spill_area_open(engine, &options, &area, &err) == FIRN_OK);
    REQUIRE(spill_open(area, query, &file, &err) == FIRN_OK);
    REQUIRE(row_layout_make(types, 1, false, 0, &memory, &layout, &err) == FIRN_OK);
    REQUIRE(row_keeper_open(query, "rows", 0, row_page_bytes(&layout), &keeper, &err) == FIRN_OK);
    REQUIRE(row_store_open(&layout, keeper, file, &store, &err) == FIRN_OK);
    fill(&blocks, engine);
    const uint64_t before = blocks.used;
    CHECK(before > 48 * M);
    pool_want(keeper, 64 * M);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t number;
        uint8_t *block;
        REQUIRE(row_blob_new(&store, (uint32_t)BLOB_BYTES, &number, &block, &err) == FIRN_OK);
        CHECK(row_blob_is_in_memory(&store, number) == (block != NULL));
        kept += block != NULL;
    }
    CHECK(kept * BLOB_BYTES > 10 * M && blocks.used < before);
    CHECK(kept * BLOB_BYTES <= 32 * M); // The rest is left to pages.
    row_store_close(&store);
    pool_give(blocks.memory, blocks.used);
    spill_close(file);
    spill_area_close(area);
    pool_close(blocks.memory);
    pool_close(keeper);
    pool_close(query);
    CHECK(pool_used(engine) == 0);
    pool_close(engine);
    arena_close(&memory);
}
