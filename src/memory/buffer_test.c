#include "memory/buffer.h"

#include <string.h>

#include "base/compiler.h"
#include "base/host.h"
#include "base/test.h"

#define M ((uint64_t)1 << 20)

static firn_error err = FIRN_ERROR_INIT;

static pool *open_engine(uint64_t limit) {
    pool *engine = NULL;
    CHECK(pool_open_engine(limit, &engine, &err) == FIRN_OK);
    return engine;
}

static pool *open_query(pool *engine) {
    pool *query = NULL;
    const pool_options options = {.kind = POOL_QUERY, .name = "query"};
    CHECK(pool_open(engine, &options, &query, &err) == FIRN_OK);
    return query;
}

TEST(buffer_has_a_zeroed_pad_behind_its_bytes) {
    pool *engine = open_engine(64 * M);
    const size_t sizes[] = {0, 1, 63, 64, 16000, 16384, 100000, 1 << 20, 3 << 20};
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            buffer *self;
            REQUIRE(buffer_open(round == 0 ? NULL : engine, sizes[i], &self, &err) == FIRN_OK);
            CHECK((uintptr_t)self->data % 64 == 0 && self->capacity == sizes[i]);
            memset(self->data, 0xff, sizes[i]);
            for (size_t j = 0; j < BUFFER_PAD; j++) {
                CHECK(self->data[sizes[i] + j] == 0);
            }
            CHECK(round == 0 || pool_used(engine) >= sizes[i]);
            buffer_release(self);
        }
    }
    CHECK(pool_used(engine) == 0);
    pool_close(engine);
}

TEST(buffer_lives_until_its_last_release) {
    pool *engine = open_engine(64 * M);
    buffer *self;
    const bytes data = {.data = (const uint8_t *)"region", .size = 6};
    REQUIRE(buffer_copy(engine, data, &self, &err) == FIRN_OK);
    CHECK(buffer_is_sole(self));
    buffer *second = buffer_retain(self);
    CHECK(second == self && !buffer_is_sole(self));
    buffer_release(self);
    CHECK(memcmp(second->data, "region", 6) == 0 && buffer_is_sole(second));
    pool_close(engine); // It may go first.
    buffer_release(second);
    CHECK(buffer_retain(NULL) == NULL);
    buffer_release(NULL);
}

TEST(buffer_refuses_what_does_not_fit) {
    pool *engine = open_engine(1 * M);
    buffer *self;
    CHECK(buffer_open(engine, 2 * M, &self, &err) == FIRN_NO_MEMORY && self == NULL);
    CHECK(strstr(err.text, "memory_limit 1048576") != NULL);
    CHECK(buffer_open(engine, SIZE_MAX - 20, &self, &err) == FIRN_NO_MEMORY && self == NULL);
    CHECK(buffer_open(NULL, SIZE_MAX - 20, &self, &err) == FIRN_NO_MEMORY && self == NULL);
    host_fault_set(HOST_ALLOC, 1);
    CHECK(buffer_open(NULL, 1, &self, &err) == FIRN_NO_MEMORY && self == NULL);
    host_fault_set(HOST_ALLOC, 1);
    CHECK(buffer_wrap((bytes){0}, (void (*)(void *))host_free, NULL, &self, &err) ==
          FIRN_NO_MEMORY);
    host_fault_set(HOST_ALLOC, 0);
    pool_close(engine);
}

static void count_release(void *user) {
    *(int *)user += 1;
}

TEST(buffer_wraps_foreign_memory_and_releases_it_once) {
    static const uint8_t foreign[3] = {1, 2, 3};
    int releases = 0;
    buffer *self;
    REQUIRE(buffer_wrap((bytes){.data = foreign, .size = 3}, count_release, &releases, &self,
                        &err) == FIRN_OK);
    CHECK(self->data == foreign && self->size == 3);
    CHECK(!buffer_is_sole(self)); // Its real owner sees it as well.
    buffer_hand_out(self);        // Is counted nowhere anyway.
    buffer_release(buffer_retain(self));
    CHECK(releases == 0);
    buffer_release(self);
    CHECK(releases == 1);
}

TEST(buffer_moves_between_pools_and_out_of_them) {
    pool *engine = open_engine(64 * M);
    pool *query = open_query(engine);
    pool *small = open_query(engine);
    pool_limit_set(small, 1000);
    buffer *self;
    REQUIRE(buffer_open(query, 100000, &self, &err) == FIRN_OK);
    CHECK(!buffer_move(self, small) && pool_used(query) >= 100000);
    CHECK(buffer_move(self, engine));
    CHECK(pool_used(query) == 0 && pool_used(engine) >= 100000);
    buffer_hand_out(self);
    buffer_hand_out(self);
    CHECK(pool_used(engine) == 0);
    pool_close(query);
    pool_close(small);
    pool_close(engine);
    memset(self->data, 1, self->size); // Batches outlive everything.
    buffer_release(self);
}

static void use_and_release(void *user) {
    buffer *self = user;
    for (int i = 0; i < 1000; i++) {
        buffer *again = buffer_retain(self);
        CHECK(again->data[7] == 7);
        buffer_release(again);
    }
    buffer_release(self);
}

TEST(buffer_is_released_by_whichever_thread_is_last) {
    pool *engine = open_engine(64 * M);
    buffer *self;
    REQUIRE(buffer_open(engine, 100, &self, &err) == FIRN_OK);
    self->data[7] = 7;
    host_thread *threads[4];
    for (size_t i = 0; i < 4; i++) {
        REQUIRE(host_thread_start(use_and_release, buffer_retain(self), &threads[i], &err) ==
                FIRN_OK);
    }
    buffer_release(self);
    for (size_t i = 0; i < 4; i++) {
        host_thread_join(threads[i]);
    }
    CHECK(pool_used(engine) == 0);
    pool_close(engine);
}
