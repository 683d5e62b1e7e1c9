#include "memory/page.h"

#include <string.h>

#include "base/host.h"
#include "base/test.h"

#define K ((uint64_t)1024)
#define M (K * 1024)

static firn_error err = FIRN_ERROR_INIT;

// An engine with one query and one keeper.
typedef struct fixture {
    pool *engine;
    pool *query;
    pool *keeper;
} fixture;

static fixture fixture_open(uint64_t limit) {
    fixture self = {0};
    CHECK(pool_open_engine(limit, &self.engine, &err) == FIRN_OK);
    pool_options options = {.kind = POOL_QUERY, .name = "query"};
    CHECK(pool_open(self.engine, &options, &self.query, &err) == FIRN_OK);
    options = (pool_options){.kind = POOL_STATE, .name = "group by"};
    CHECK(pool_open(self.query, &options, &self.keeper, &err) == FIRN_OK);
    return self;
}

static void fixture_close(fixture *self) {
    CHECK(pool_used(self->engine) == 0);
    pool_close(self->keeper);
    pool_close(self->query);
    pool_close(self->engine);
}

TEST(page_sizes_follow_the_share_of_a_worker) {
    CHECK(page_size_for(0) == 16 * K);
    CHECK(page_size_for(16 * M - 1) == 16 * K);
    CHECK(page_size_for(16 * M) == 32 * K);
    CHECK(page_size_for(32 * M) == 64 * K);
    CHECK(page_size_for(UINT64_MAX) == 64 * K);
}

TEST(page_partition_counts_leave_room_for_what_is_kept) {
    CHECK(partition_count_for(128 * M, 64 * K, 0) == 128);
    CHECK(partition_count_for(4 * M, 16 * K, 0) == 64);
    CHECK(partition_count_for(2 * M, 16 * K, 0) == 16);
    CHECK(partition_count_for(100 * K, 16 * K, 0) == 16);
    CHECK(partition_count_for(64 * M, 64 * K, 100 * M) == 128);
    CHECK(partition_count_for(64 * M, 64 * K, 20 * M) == 64);
    CHECK(partition_count_for(64 * M, 64 * K, 8 * M) == 32);
    CHECK(partition_count_for(64 * M, 64 * K, 1) == 32);
    CHECK(partition_count_for(64 * M, 64 * K, 8000 * M) == 256);  // 1.3 * 125 = 162.
    CHECK(partition_count_for(16 * M, 32 * K, 16000 * M) == 128); // 256 pages are too many.
    CHECK(partition_count_for(0, 16 * K, 1) == 16);
    CHECK(partition_count_for(3 * M, 16 * K, 2 * M) == 32);
    CHECK(partition_count_for(3 * M, 16 * K, 200 * M) == 64); // 32 would surely be split.
}

TEST(page_minima_are_as_measured) {
    CHECK(keeper_min_bytes(1, 0) == 34 * 16 * K + 96 * K);
    CHECK(keeper_min_bytes(16, 64 * K) == 16 * keeper_min_bytes(1, 0));
    CHECK(keeper_min_bytes(1, 64 * K + 1) == 34 * 128 * K + 96 * K);
    CHECK(keeper_min_bytes(2, 1 * M) == 2 * (34 * 1 * M + 96 * K));
    CHECK(keeper_min_bytes(1, 1 * M + 1) == keeper_min_bytes(1, 0)); // It never begins.
}

TEST(page_sizes_grow_for_what_must_fit) {
    CHECK(page_size_fit(16 * K, 0) == 16 * K && page_size_fit(64 * K, 64 * K) == 64 * K);
    CHECK(page_size_fit(16 * K, 16 * K + 1) == 32 * K);
    CHECK(page_size_fit(64 * K, 80 * K) == 128 * K);
    CHECK(page_size_fit(32 * K, 1 * M) == 1 * M && page_size_fit(32 * K, 9 * M) == 1 * M);
    CHECK(page_size_least(64 * K) == 16 * K && page_size_least(300 * K) == 512 * K);
}

TEST(pages_of_a_keeper_may_be_larger_than_those_of_its_query) {
    for (size_t size = 128 * K; size <= 1 * M; size *= 2) {
        fixture self = fixture_open(8 * M);
        page_size_set(self.query, 16 * K);
        pool *wide;
        const pool_options options = {.kind = POOL_STATE, .name = "sort", .page_size = size};
        REQUIRE(pool_open(self.query, &options, &wide, &err) == FIRN_OK);
        CHECK(page_size_of(wide) == size && page_size_of(self.keeper) == 16 * K);
        uint8_t *pages[64] = {0};
        size_t count = 0;
        for (void *page = page_get(wide); page != NULL; page = page_get(wide)) {
            REQUIRE(count < 64);
            memset(page, (int)count, size);
            pages[count++] = page;
        }
        CHECK(count > 0 && pool_used(wide) == count * size);
        void *small = page_get_urgent(self.keeper);
        CHECK(small != NULL && pool_used(self.keeper) == 16 * K);
        page_put(self.keeper, small);
        page_put(wide, pages[0]);
        pages[0] = page_get(wide);
        CHECK(pages[0] != NULL);
        for (size_t i = 0; i < count; i++) {
            CHECK(i == 0 || (pages[i][0] == (uint8_t)i && pages[i][size - 1] == (uint8_t)i));
            page_put(wide, pages[i]);
        }
        pool_report report;
        pool_describe(self.engine, &report);
        CHECK(report.resident_peak <= 8 * M);
        pool_close(wide);
        fixture_close(&self);
    }
}

TEST(page_get_stops_at_the_limit_and_goes_on_after_a_put) {
    for (size_t size = 16 * K; size <= 64 * K; size *= 2) {
        fixture self = fixture_open(4 * M);
        page_size_set(self.query, size);
        CHECK(page_size_of(self.keeper) == size && page_size_of(self.query) == size);
        uint8_t *pages[300] = {0};
        size_t count = 0;
        for (void *page = page_get(self.keeper); page != NULL; page = page_get(self.keeper)) {
            REQUIRE(count < 300 && (uintptr_t)page % size == 0);
            memset(page, (int)count, size);
            pages[count] = page;
            count += 1;
        }
        CHECK(count == (4 * M - 256 * K) / size);
        CHECK(pool_used(self.keeper) == count * size);
        page_put(self.keeper, pages[0]);
        pages[0] = page_get(self.keeper);
        CHECK(pages[0] != NULL);
        for (size_t i = 0; i < count; i++) {
            CHECK(i == 0 || (pages[i][0] == (uint8_t)i && pages[i][size - 1] == (uint8_t)i));
            page_put(self.keeper, pages[i]);
        }
        page_put(self.keeper, NULL);
        fixture_close(&self);
    }
}

static bool is_zero(const directory *self) {
    const uint8_t *at = self->data;
    for (size_t i = 0; i < self->size; i++) {
        if (at[i] != 0) {
            return false;
        }
    }
    return true;
}

TEST(directory_is_zeroed_whenever_it_is_opened_grown_or_cleared) {
    fixture self = fixture_open(32 * M);
    const size_t sizes[] = {100, 16 * K, 100 * K, 1 * M, 5 * M};
    for (int round = 0; round < 2; round++) { // The second time from memory that was used.
        for (size_t i = 0; i < 5; i++) {
            directory slots;
            REQUIRE(directory_open(self.keeper, sizes[i], &slots));
            CHECK(is_zero(&slots) && slots.size == sizes[i]);
            memset(slots.data, 0xff, slots.size);
            directory_clear(&slots);
            CHECK(is_zero(&slots));
            memset(slots.data, 0xff, slots.size);
            REQUIRE(directory_regrow(&slots, sizes[i] * 2));
            CHECK(is_zero(&slots) && slots.size == sizes[i] * 2);
            memset(slots.data, 0xff, slots.size);
            directory_close(&slots);
            directory_close(&slots);
        }
    }
    fixture_close(&self);
}

TEST(directory_grows_where_old_and_new_together_would_not_fit) {
    fixture self = fixture_open(16 * M);
    directory slots;
    REQUIRE(directory_open(self.keeper, 6 * M, &slots));
    CHECK(directory_regrow(&slots, 12 * M));
    memset(slots.data, 1, slots.size);
    CHECK(!directory_regrow(&slots, 24 * M));
    CHECK(slots.size == 12 * M && ((uint8_t *)slots.data)[12 * M - 1] == 1); // As it was.
    directory other;
    CHECK(!directory_open(self.keeper, 8 * M, &other) && other.data == NULL);
    pool_report report;
    pool_describe(self.engine, &report);
    CHECK(report.resident_peak <= 16 * M);
    directory_close(&slots);
    fixture_close(&self);
}
