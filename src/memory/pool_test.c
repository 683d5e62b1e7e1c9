#include "memory/pool.h"

#include <string.h>

#include "base/compiler.h"
#include "base/host.h"
#include "base/test.h"
#include "memory/page.h"

#define K ((uint64_t)1024)
#define M (K * 1024)

static firn_error err = FIRN_ERROR_INIT;

static pool *open_engine(uint64_t limit) {
    pool *engine = NULL;
    CHECK(pool_open_engine(limit, &engine, &err) == FIRN_OK);
    return engine;
}

static pool *open_below(pool *parent, pool_kind kind, uint64_t min_bytes) {
    pool *self = NULL;
    const pool_options options = {.kind = kind, .name = "test", .min_bytes = min_bytes};
    CHECK(pool_open(parent, &options, &self, &err) == FIRN_OK);
    return self;
}

static pool_report describe(pool *self) {
    pool_report report;
    pool_describe(self, &report);
    return report;
}

// Takes pages until the keeper is told no; the list of them.
typedef struct page_stack {
    pool *owner;
    void *pages[4096];
    size_t count;
} page_stack;

static void fill(page_stack *self, size_t at_most) {
    for (size_t i = 0; i < at_most && self->count < 4096; i++) {
        void *page = page_get(self->owner);
        if (page == NULL) {
            return;
        }
        memset(page, 1, 64);
        self->pages[self->count] = page;
        self->count += 1;
    }
}

static void put_excess(page_stack *self, uint64_t excess) {
    for (uint64_t put = 0; put < excess && self->count > 0; put += page_size_of(self->owner)) {
        self->count -= 1;
        page_put(self->owner, self->pages[self->count]);
    }
}

static void empty(page_stack *self) {
    put_excess(self, UINT64_MAX / 2);
}

// ---- The tree ----------------------------------------------------------------------------------

TEST(pool_counts_along_the_path_to_the_root) {
    pool *engine = open_engine(64 * M);
    pool *session = open_below(engine, POOL_SESSION, 0);
    pool *query = open_below(session, POOL_QUERY, 0);
    pool *keeper = open_below(query, POOL_STATE, 0);
    CHECK(pool_take(query, 1000));
    CHECK(pool_take(keeper, 500));
    CHECK(pool_used(keeper) == 500 && pool_used(query) == 1500 && pool_used(session) == 1500);
    CHECK(pool_used(engine) == 1500);
    pool_give(keeper, 500);
    CHECK(pool_used(engine) == 1000 && pool_peak(engine) == 1500 && pool_peak(keeper) == 500);
    pool_give(query, 1000);
    const pool_report report = describe(keeper);
    CHECK(report.committed == 0 && report.used == 0 && report.resident == 0);
    CHECK(pool_engine(keeper) == engine && strcmp(pool_name(keeper), "test") == 0);
    pool_close(keeper);
    pool_close(query);
    pool_close(session);
    pool_close(engine);
    pool_close(NULL);
}

TEST(pool_lives_until_what_was_taken_is_given_back) {
    pool *engine = open_engine(64 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    pool *keeper = open_below(query, POOL_STATE, 0);
    size_t capacity = 0;
    char *block = pool_block_take(keeper, 100000, &capacity);
    REQUIRE(block != NULL);
    pool_close(engine);
    pool_close(query);
    pool_close(keeper);
    memset(block, 1, 100000);
    pool_block_give(keeper, block, capacity); // The last one frees the whole tree: no leak.
}

TEST(pool_stops_at_the_limit_and_says_the_numbers) {
    pool *engine = open_engine(10 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    CHECK(pool_take(query, 6 * M));
    CHECK(!pool_take(query, 5 * M));
    CHECK(!pool_take(query, UINT64_MAX));
    CHECK(!pool_take(query, UINT64_MAX - 6 * M + 1)); // Unchecked, the sum would be 0.
    CHECK(POOL_FULL(query, 5 * M, &err) == FIRN_NO_MEMORY);
    CHECK(strstr(err.text, "test asks for 5242880 bytes; of memory_limit 10485760, 6291456 are") !=
          NULL);
    CHECK(strstr(err.hint, "memory_limit") != NULL);
    pool_limit_set(engine, 11 * M);
    CHECK(pool_limit(engine) == 11 * M);
    CHECK(pool_take(query, 5 * M));
    pool_give(query, 11 * M);
    pool_limit_set(query, 1 * M); // Its own, below the engine's.
    CHECK(!pool_take(query, 2 * M));
    CHECK(pool_take(query, 1 * M));
    pool_give(query, 1 * M);
    pool_close(query);
    pool_close(engine);
}

TEST(pool_survives_a_system_that_refuses) {
    pool *engine = NULL;
    host_fault_set(HOST_ALLOC, 1);
    CHECK(pool_open_engine(M, &engine, &err) == FIRN_NO_MEMORY);
    CHECK(engine == NULL);
    engine = open_engine(64 * M);
    pool *query = NULL;
    host_fault_set(HOST_ALLOC, 1);
    const pool_options options = {.kind = POOL_QUERY, .name = "test"};
    CHECK(pool_open(engine, &options, &query, &err) == FIRN_NO_MEMORY);
    CHECK(query == NULL);
    query = open_below(engine, POOL_QUERY, 0);
    size_t capacity = 0;
    host_fault_set(HOST_ALLOC, 1);
    CHECK(pool_block_take(query, 100, &capacity) == NULL);
    host_fault_set(HOST_MAP, 1);
    CHECK(pool_block_take(query, 100 * K, &capacity) == NULL);
    host_fault_set(HOST_MAP, 1);
    CHECK(pool_block_take(query, 10 * M, &capacity) == NULL);
    host_fault_set(HOST_MAP, 1);
    CHECK(page_get(query) == NULL);
    host_fault_set(HOST_MAP, 0);
    CHECK(pool_used(engine) == 0 && describe(engine).resident == 0);
    pool_close(query);
    pool_close(engine);
}

// ---- Blocks ------------------------------------------------------------------------------------

TEST(pool_blocks_of_every_size_are_aligned_and_counted) {
    pool *engine = open_engine(64 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    const size_t sizes[] = {0,     1,      64,      16320,         16321,   16384,
                            16385, 100000, 1 << 20, (1 << 20) + 1, 2 << 20, (3 << 20) + 5};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t capacity = 0;
        uint8_t *block = pool_block_take(query, sizes[i], &capacity);
        REQUIRE(block != NULL);
        CHECK((uintptr_t)block % 64 == 0 && capacity >= sizes[i]);
        CHECK(capacity < sizes[i] + 16 * K && pool_used(query) == capacity);
        memset(block, 1, sizes[i]);
#if ASAN_ENABLED
        CHECK(capacity == sizes[i] || __asan_address_is_poisoned(block + sizes[i]));
#endif
        pool_block_give(query, block, capacity);
        CHECK(pool_used(query) == 0);
    }
    size_t capacity = 0;
    CHECK(pool_block_take(query, SIZE_MAX - 10, &capacity) == NULL);
    CHECK(pool_block_take(query, SIZE_MAX - 10000, &capacity) == NULL);
    pool_block_give(query, NULL, 0);
    pool_close(query);
    pool_close(engine);
}

TEST(pool_blocks_are_replaced_with_the_difference_only) {
    pool *engine = open_engine(10 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    size_t capacity = 0;
    void *block = pool_block_take(query, 6 * M, &capacity);
    REQUIRE(block != NULL);
    CHECK(!pool_block_replace(query, &block, &capacity, 11 * M));
    CHECK(block != NULL && capacity == 6 * M);
    CHECK(pool_block_replace(query, &block, &capacity, 9 * M)); // 6 + 9 are more than the limit.
    CHECK(capacity == 9 * M && pool_used(query) == 9 * M);
    CHECK(describe(engine).resident_peak <= 10 * M);
    CHECK(pool_block_replace(query, &block, &capacity, 1000));
    CHECK(pool_used(query) == capacity);
    host_fault_set(HOST_MAP, 1);
    CHECK(!pool_block_replace(query, &block, &capacity, 5 * M));
    host_fault_set(HOST_MAP, 0);
    CHECK(block == NULL && pool_used(query) == 0);
    pool_close(query);
    pool_close(engine);
}

TEST(pool_free_memory_makes_room_and_resident_stays_below_the_limit) {
    pool *engine = open_engine(16 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    page_size_set(query, 64 * K);
    page_stack stack = {.owner = open_below(query, POOL_STATE, 0)};
    fill(&stack, 4096);
    CHECK(stack.count == 15 * 16);                // All but the headroom of 1 MiB.
    for (size_t i = 0; i < stack.count; i += 2) { // Holes everywhere: no slab is empty.
        page_put(stack.owner, stack.pages[i]);
        stack.pages[i] = NULL;
    }
    CHECK(describe(engine).resident >= 15 * M);
    size_t capacity = 0;
    void *directory_like = pool_block_take(stack.owner, 7 * M, &capacity);
    CHECK(directory_like != NULL);
    const pool_report report = describe(engine);
    CHECK(report.resident <= 16 * M && report.resident_peak <= 16 * M);
    pool_block_give(stack.owner, directory_like, capacity);
    for (size_t i = 1; i < stack.count; i += 2) {
        page_put(stack.owner, stack.pages[i]);
    }
    pool_close(stack.owner);
    pool_close(query);
    CHECK(describe(engine).resident <= 2 * M); // An eighth of the limit is kept warm.
    pool_trim(engine, 0);
    CHECK(describe(engine).resident == 0);
    pool_close(engine);
}

TEST(pool_has_room_for_what_comes_back) {
    pool *engine = open_engine(8 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    void *blocks[20];
    size_t capacity = 0;
    for (size_t i = 0; i < 20; i++) {
        blocks[i] = pool_block_take(query, 500 * K, &capacity);
        REQUIRE(blocks[i] != NULL);
        CHECK(pool_block_hand_out(query, capacity) == engine);
    }
    for (size_t i = 0; i < 20; i++) {
        pool_block_give_handed_out(engine, blocks[i], capacity);
    }
    CHECK(describe(engine).resident <= 8 * M && describe(engine).resident_peak <= 8 * M);
    pool_close(query);
    pool_close(engine);
}

TEST(pool_forgets_what_is_handed_out_and_outlives_its_end_for_it) {
    pool *engine = open_engine(8 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    void *blocks[20];
    size_t capacity = 0;
    for (size_t i = 0; i < 20; i++) { // More than the limit in all.
        blocks[i] = pool_block_take(query, 500 * K, &capacity);
        REQUIRE(blocks[i] != NULL);
        CHECK(pool_block_hand_out(query, capacity) == engine);
    }
    CHECK(pool_used(engine) == 0 && describe(engine).resident <= 8 * M);
    pool_close(query);
    pool_close(engine);
    for (size_t i = 0; i < 20; i++) {
        pool_block_give_handed_out(engine, blocks[i], capacity);
    }
}

// ---- Reserves ----------------------------------------------------------------------------------

TEST(pool_reserve_is_there_when_it_is_needed) {
    pool *engine = open_engine(16 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    pool *other = open_below(engine, POOL_QUERY, 0);
    CHECK(pool_reserve(query, 4 * M, 2 * M));
    CHECK(!pool_reserve(other, 11 * M, 0));
    page_size_set(other, 64 * K);
    page_stack stack = {.owner = open_below(other, POOL_STATE, 0)};
    fill(&stack, 4096);
    CHECK(stack.count == 9 * 16);
    pool *keeper = open_below(query, POOL_STATE, 4 * M); // Out of the reserve.
    CHECK(pool_take(keeper, 4 * M));
    CHECK(pool_take(query, 2 * M));
    CHECK(describe(engine).committed <= 16 * M);
    CHECK(!pool_take(keeper, 64 * K));   // Above its minimum there is nothing now ...
    CHECK(pool_excess(stack.owner) > 0); // ... but others are asked to shrink.
    pool_options options = {.kind = POOL_STATE, .name = "sort", .min_bytes = 8 * M};
    pool *refused = NULL;
    CHECK(pool_open(query, &options, &refused, &err) == FIRN_NO_MEMORY && refused == NULL);
    CHECK(strstr(err.text, "reserving the minimum of sort") != NULL);
    pool_give(keeper, 4 * M);
    pool_give(query, 2 * M);
    pool_close(keeper);
    CHECK(pool_used(query) == 0 && describe(engine).committed == 15 * M); // The reserve goes on.
    pool *next_phase = open_below(query, POOL_STATE, 5 * M);
    pool_close(next_phase);
    pool_close(query);
    empty(&stack);
    pool_close(stack.owner);
    pool_close(other);
    CHECK(describe(engine).committed == 0);
    pool_close(engine);
}

TEST(pool_reserve_of_keepers_is_not_used_up_by_the_query_itself) {
    pool *engine = open_engine(16 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    CHECK(pool_reserve(query, 6 * M, 2 * M));
    CHECK(pool_take(query, 10 * M) && !pool_take(query, 64 * K)); // Six are its keepers'.
    pool *first = open_below(query, POOL_STATE, 4 * M);
    CHECK(pool_take(first, 4 * M));
    CHECK(!pool_take(query, 64 * K));
    pool *second = open_below(query, POOL_STATE, 2 * M);
    CHECK(pool_take(second, 2 * M));
    pool_give(first, 4 * M);
    pool_give(second, 2 * M);
    pool_give(query, 10 * M);
    pool_close(first);
    pool_close(second);
    CHECK(describe(engine).committed == 8 * M); // As at first.
    pool_close(query);
    pool_close(engine);
}

TEST(pool_urgent_requests_may_use_what_the_own_query_was_promised) {
    pool *engine = open_engine(16 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    pool *other = open_below(engine, POOL_QUERY, 0);
    CHECK(pool_reserve(query, 2 * M, 6 * M) && pool_reserve(other, 0, 4 * M));
    pool *keeper = open_below(query, POOL_STATE, 1 * M);
    CHECK(pool_take_urgent(keeper, 5 * M)); // All that was promised to nobody.
    CHECK(!pool_take(keeper, 64 * K));
    CHECK(pool_take_urgent(keeper, 6 * M));  // What the query was given for itself …
    CHECK(!pool_take_urgent(keeper, 2 * M)); // … and for keepers to come, but no more:
    CHECK(pool_used(engine) == 11 * M);
    CHECK(describe(engine).committed == 16 * M); // Nothing is promised twice:
    CHECK(pool_take(other, 4 * M));              // others find theirs …
    pool_give(keeper, 2 * M);
    pool_give(keeper, 5 * M); // (The first two of these are what others can have.)
    CHECK(pool_take(other, 1 * M) && describe(engine).committed <= 16 * M); // … and what is free.
    pool_give(other, 1 * M);
    CHECK(pool_take_urgent(keeper, 7 * M));
    CHECK(pool_take(query, 1 * M) && !pool_take(query, 64 * K));
    CHECK(describe(engine).resident_peak <= 16 * M);
    pool_give(keeper, 11 * M);
    CHECK(pool_take(query, 5 * M)); // As at first.
    pool_give(query, 6 * M);
    pool_give(other, 4 * M);
    pool_close(keeper);
    pool_close(query);
    pool_close(other);
    CHECK(describe(engine).committed == 0);
    pool_close(engine);
}

TEST(pool_targets_stand_when_a_keeper_has_what_another_was_promised) {
    pool *engine = open_engine(3 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    pool *greedy = open_below(query, POOL_STATE, 1 * M);
    pool *idle = open_below(query, POOL_STATE, 1 * M);
    CHECK(pool_take_urgent(greedy, 3 * M)); // A third of it is the other's minimum.
    pool_want(greedy, 4 * M);               // Shares are made anew, of what is not fixed: all.
    CHECK(describe(engine).committed == 3 * M);
    CHECK(pool_target(greedy) > 1 * M && pool_target(idle) > 1 * M);
    CHECK(pool_room(greedy) > 1 * M);
    pool_give(greedy, 3 * M);
    pool_close(greedy);
    pool_close(idle);
    pool_close(query);
    pool_close(engine);
}

TEST(pool_reserve_wait_refuses_what_can_never_fit) {
    pool *engine = open_engine(16 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    CHECK(pool_take(engine, 2 * M));
    CHECK(pool_reserve_wait(query, 15 * M, 0, UINT32_MAX, NULL, &err) == FIRN_NO_MEMORY);
    CHECK(strstr(err.text, "needs at least 17825792 bytes, memory_limit is 16777216") != NULL);
    pool *other = open_below(engine, POOL_QUERY, 0);
    CHECK(pool_reserve(other, 10 * M, 0));
    CHECK(pool_reserve_wait(query, 8 * M, 0, 30, NULL, &err) == FIRN_NO_MEMORY);
    CHECK(strstr(err.text, "for 30 ms") != NULL);
    cancel_flag cancel = {0};
    cancel_raise(&cancel);
    CHECK(pool_reserve_wait(query, 8 * M, 0, UINT32_MAX, &cancel, &err) == FIRN_CANCELLED);
    CHECK(pool_reserve_wait(query, 4 * M, 0, 0, NULL, &err) == FIRN_OK); // Free: no waiting.
    pool_give(engine, 2 * M);
    pool_close(other);
    pool_close(query);
    pool_close(engine);
}

typedef struct waiter {
    pool *query;
    uint64_t bytes;
    firn_status status;
    atomic_uint *order;
    unsigned place;
} waiter;

static void wait_for_reserve(void *user) {
    waiter *self = user;
    firn_error own = FIRN_ERROR_INIT;
    self->status = pool_reserve_wait(self->query, self->bytes, 0, UINT32_MAX, NULL, &own);
    self->place = atomic_fetch_add(self->order, 1);
}

TEST(pool_reserve_wait_is_first_come_first_served_and_makes_others_shrink) {
    pool *engine = open_engine(16 * M);
    pool *greedy = open_below(engine, POOL_QUERY, 0);
    page_size_set(greedy, 64 * K);
    page_stack stack = {.owner = open_below(greedy, POOL_STATE, 0)};
    fill(&stack, 4096);
    atomic_uint order = 0;
    waiter large = {.query = open_below(engine, POOL_QUERY, 0), .bytes = 8 * M, .order = &order};
    waiter small = {.query = open_below(engine, POOL_QUERY, 0), .bytes = 2 * M, .order = &order};
    host_thread *threads[2];
    REQUIRE(host_thread_start(wait_for_reserve, &large, &threads[0], &err) == FIRN_OK);
    while (describe(engine).waiting_count < 1) {
        host_sleep_ms(1);
    }
    REQUIRE(host_thread_start(wait_for_reserve, &small, &threads[1], &err) == FIRN_OK);
    while (describe(engine).waiting_count < 2) {
        host_sleep_ms(1);
    }
    CHECK(!pool_reserve(greedy, 64 * K, 0)); // Nobody overtakes.
    CHECK(page_get(stack.owner) == NULL);
    CHECK(pool_excess(stack.owner) == 8 * M); // 15 of 16 are used, 8 are waited for.
    put_excess(&stack, 3 * M);                // Enough for the small one only.
    host_sleep_ms(30);
    CHECK(atomic_load(&order) == 0);
    while (atomic_load(&order) < 2) {
        put_excess(&stack, pool_excess(stack.owner));
        host_sleep_ms(1);
    }
    host_thread_join(threads[0]);
    host_thread_join(threads[1]);
    CHECK(large.status == FIRN_OK && small.status == FIRN_OK);
    CHECK(describe(engine).waiting_count == 0 && describe(engine).committed <= 16 * M);
    empty(&stack);
    pool_close(stack.owner);
    pool_close(greedy);
    pool_close(large.query);
    pool_close(small.query);
    pool_close(engine);
}
