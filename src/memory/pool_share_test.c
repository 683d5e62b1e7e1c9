// Who may have how much when several want it.
#include <string.h>

#include "base/host.h"
#include "base/test.h"
#include "memory/arena.h"
#include "memory/page.h"
#include "memory/pool.h"

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

static bool is_near(uint64_t value, uint64_t expected) {
    return value + 64 >= expected && value <= expected + 64; // Rounding of the shares.
}

// A limit of which keepers may have exactly `size`.
static uint64_t limit_for(uint64_t size) {
    return size + (size >= 120 * M ? 8 * M : size / 15);
}

TEST(pool_share_gives_who_wants_little_what_it_wants_and_the_rest_equally) {
    pool *engine = open_engine(limit_for(90 * M));
    pool *query = open_below(engine, POOL_QUERY, 0);
    pool *small = open_below(query, POOL_STATE, 0);
    pool *large = open_below(query, POOL_STATE, 0);
    pool *huge = open_below(query, POOL_STATE, 0);
    pool_want(small, 10 * M);
    CHECK(pool_target(small) == 90 * M); // While all get what they want, no one is held back.
    pool_want(large, 70 * M);
    pool_want(huge, 500 * M);
    CHECK(is_near(pool_target(large), 40 * M) && is_near(pool_target(huge), 40 * M));
    CHECK(pool_target(small) >= 10 * M);
    pool_want(small, 35 * M); // More than a third.
    CHECK(is_near(pool_target(small), 30 * M) && is_near(pool_target(huge), 30 * M));
    pool_close(huge); // The others grow again.
    CHECK(is_near(pool_target(large), 55 * M) && pool_target(small) >= 35 * M);
    pool_settle(large);
    CHECK(pool_target(small) == 90 * M);
    pool_close(large);
    pool_close(small);
    pool_close(query);
    pool_close(engine);
}

TEST(pool_share_leaves_to_a_keeper_what_it_holds) {
    pool *engine = open_engine(limit_for(90 * M));
    pool *query = open_below(engine, POOL_QUERY, 0);
    pool *build = open_below(query, POOL_STATE, 1 * M);
    pool *group = open_below(query, POOL_STATE, 1 * M);
    pool_want(build, 70 * M);
    pool_want(group, 70 * M);
    CHECK(is_near(pool_target(build), 45 * M));
    CHECK(pool_room(build) == 89 * M);
    CHECK(pool_take(build, 40 * M));
    CHECK(pool_hold(build, 60 * M)); // It will need 20 MB more, and cannot shrink.
    CHECK(is_near(pool_target(group), 30 * M) && pool_room(group) == 30 * M);
    CHECK(pool_take(group, 30 * M) && !pool_take(group, M));
    CHECK(pool_take(build, 20 * M)); // It is there.
    CHECK(!pool_hold(build, 61 * M) && pool_excess(build) == 0);
    pool_give(build, 60 * M);
    CHECK(pool_hold(build, 0)); // Back to its minimum.
    pool_settle(build);
    CHECK(pool_target(group) >= 70 * M && pool_take(group, 59 * M));
    CHECK(pool_take(build, 1 * M));
    pool_give(group, 89 * M);
    pool_give(build, 1 * M);
    pool_close(build);
    pool_close(group);
    pool_close(query);
    pool_close(engine);
}

TEST(pool_room_is_within_the_limits_above) {
    pool *engine = open_engine(limit_for(90 * M));
    pool *query = open_below(engine, POOL_QUERY, 0);
    pool *keeper = open_below(query, POOL_STATE, 1 * M);
    pool_limit_set(query, 20 * M);
    CHECK(pool_take(query, 5 * M) && pool_take(keeper, 2 * M));
    CHECK(pool_room(keeper) == 15 * M);
    pool_give(query, 5 * M);
    pool_give(keeper, 2 * M);
    pool_close(keeper);
    pool_close(query);
    pool_close(engine);
}

TEST(pool_share_is_between_queries_first) {
    pool *engine = open_engine(limit_for(80 * M));
    pool *one = open_below(engine, POOL_QUERY, 0);
    pool *two = open_below(engine, POOL_QUERY, 0);
    pool *keepers[4];
    for (size_t i = 0; i < 4; i++) { // One query has one keeper, the other three.
        keepers[i] = open_below(i == 0 ? one : two, POOL_STATE, 0);
        pool_want(keepers[i], 1000 * M);
    }
    CHECK(is_near(pool_target(keepers[0]), 40 * M));
    for (size_t i = 1; i < 4; i++) {
        CHECK(is_near(pool_target(keepers[i]), 40 * M / 3));
    }
    pool_limit_set(two, 30 * M); // What it may not have goes to the other.
    CHECK(is_near(pool_target(keepers[0]), 50 * M) && is_near(pool_target(keepers[1]), 10 * M));
    pool_limit_set(two, UINT64_MAX);
    pool_limit_set(engine, limit_for(40 * M));
    CHECK(is_near(pool_target(keepers[0]), 20 * M));
    for (size_t i = 0; i < 4; i++) {
        pool_close(keepers[i]);
    }
    pool_close(one);
    pool_close(two);
    pool_close(engine);
}

TEST(pool_share_never_goes_below_a_minimum) {
    pool *engine = open_engine(limit_for(30 * M));
    pool *query = open_below(engine, POOL_QUERY, 0);
    CHECK(pool_reserve(query, 24 * M, 0));
    pool *rich = open_below(query, POOL_STATE, 20 * M);
    pool *poor = open_below(query, POOL_STATE, 4 * M);
    pool_want(rich, 100 * M);
    pool_want(poor, 100 * M);
    CHECK(pool_target(rich) == 20 * M && is_near(pool_target(poor), 10 * M));
    pool_close(rich);
    pool_close(poor);
    pool_close(query);
    pool_close(engine);
}

TEST(pool_keeper_that_is_refused_takes_its_share_from_the_greedy) {
    pool *engine = open_engine(limit_for(30 * M));
    pool *one = open_below(engine, POOL_QUERY, 0);
    pool *two = open_below(engine, POOL_QUERY, 0);
    pool *greedy = open_below(one, POOL_STATE, 0);
    pool *late = open_below(two, POOL_STATE, 0);
    while (pool_take(greedy, 64 * K)) {
    }
    CHECK(pool_used(greedy) == 30 * M && pool_excess(greedy) == 0);
    uint64_t refusals = 0;
    while (pool_used(late) + 64 * K <= 15 * M) { // Both look: one asks, the other shrinks.
        refusals += !pool_take(late, 64 * K);
        while (pool_excess(greedy) > 0) {
            pool_give(greedy, 64 * K);
        }
        REQUIRE(refusals < 100);
    }
    CHECK(refusals < 20); // Doubling, not page by page.
    CHECK(pool_used(greedy) >= 14 * M);
    pool_give(late, pool_used(late));
    pool_close(late);
    CHECK(pool_target(greedy) == 30 * M);
    pool_give(greedy, pool_used(greedy));
    pool_close(greedy);
    pool_close(one);
    pool_close(two);
    pool_close(engine);
}

TEST(pool_keeps_a_headroom_for_what_is_no_keeper) {
    pool *engine = open_engine(32 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    pool *keeper = open_below(query, POOL_STATE, 0);
    while (pool_take(keeper, 64 * K)) {
    }
    CHECK(pool_used(keeper) == 30 * M);
    CHECK(pool_take(query, 1 * M));           // A plan, a scratch arena.
    CHECK(pool_take_urgent(keeper, 100 * K)); // A list of spilled pages.
    CHECK(pool_excess(keeper) >= 1 * M);      // It is asked to make up for both.
    CHECK(!pool_take_urgent(keeper, 2 * M));
    pool_give(query, 1 * M);
    pool_give(keeper, pool_used(keeper));
    pool_close(keeper);
    pool_close(query);
    pool_close(engine);
}

// ---- Caches ------------------------------------------------------------------------------------

typedef struct cache {
    pool *memory;
    uint64_t used;
    uint64_t pinned;
    int calls;
} cache;

static void shrink(void *user, uint64_t size) {
    cache *self = user;
    self->calls += 1;
    uint64_t wanted = (size + 64 * K - 1) / (64 * K) * (64 * K);
    wanted = wanted > self->used - self->pinned ? self->used - self->pinned : wanted;
    self->used -= wanted;
    pool_give(self->memory, wanted);
}

static void cache_open(cache *self, pool *engine, uint64_t min_bytes) {
    const pool_options options = {.kind = POOL_CACHE,
                                  .name = "cache",
                                  .min_bytes = min_bytes,
                                  .shrink = shrink,
                                  .user = self};
    CHECK(pool_open(engine, &options, &self->memory, &err) == FIRN_OK);
}

static void cache_fill(cache *self) {
    while (pool_take(self->memory, 64 * K)) {
        self->used += 64 * K;
    }
}

TEST(pool_caches_give_way_before_states_and_plans) {
    pool *engine = open_engine(limit_for(30 * M));
    cache first = {0};
    cache second = {0};
    cache_open(&first, engine, 0);
    cache_open(&second, engine, 2 * M);
    cache_fill(&first);
    CHECK(pool_used(engine) >= 28 * M);
    CHECK(first.calls == 0); // No cache pushes a cache.
    pool *query = open_below(engine, POOL_QUERY, 0);
    pool *keeper = open_below(query, POOL_STATE, 0);
    uint64_t taken = 0;
    while (pool_take(keeper, 64 * K)) {
        taken += 64 * K;
    }
    CHECK(is_near(taken, 28 * M) && first.used == 0);
    CHECK(first.calls > 0 && first.calls < 40); // In large steps.
    pool_give(keeper, taken);
    pool_settle(keeper);
    cache_fill(&first);
    first.calls = 0;
    CHECK(pool_take(query, 12 * M)); // More than the headroom.
    CHECK(first.calls > 0);
    pool_give(query, 12 * M);
    cache_fill(&first);
    first.pinned = first.used;
    CHECK(!pool_take(query, 12 * M)); // A cache that cannot is asked once.
    first.pinned = 0;
    CHECK(first.used > 0);
    pool_trim(engine, 5 * M);
    CHECK(pool_used(engine) <= 5 * M);
    pool_close(keeper);
    pool_close(query);
    shrink(&first, UINT64_MAX / 2);
    pool_close(first.memory);
    pool_close(second.memory);
    pool_close(engine);
}

TEST(pool_caches_give_way_before_a_query_begins) {
    pool *engine = open_engine(limit_for(30 * M));
    cache only = {0};
    cache_open(&only, engine, 0);
    cache_fill(&only);
    pool *query = open_below(engine, POOL_QUERY, 0);
    CHECK(pool_reserve(query, 10 * M, 10 * M));
    CHECK(only.calls > 0 && is_near(only.used, 12 * M));
    pool *waiting = open_below(engine, POOL_QUERY, 0);
    CHECK(pool_reserve_wait(waiting, 6 * M, 3 * M, 0, NULL, &err) == FIRN_OK);
    CHECK(only.used <= 3 * M); // By then its target is less.
    shrink(&only, UINT64_MAX / 2);
    pool_close(waiting);
    pool_close(query);
    pool_close(only.memory);
    pool_close(engine);
}

TEST(pool_read_ahead_gets_what_states_leave_and_caches_get_the_rest) {
    pool *engine = open_engine(limit_for(30 * M));
    pool *query = open_below(engine, POOL_QUERY, 0);
    pool *state = open_below(query, POOL_STATE, 0);
    pool *ahead = open_below(query, POOL_READ_AHEAD, 0);
    pool *block_cache = open_below(engine, POOL_CACHE, 0);
    pool_want(ahead, 20 * M);
    pool_want(block_cache, 20 * M);
    CHECK(pool_target(ahead) >= 20 * M && is_near(pool_target(block_cache), 10 * M));
    pool_want(state, 25 * M);
    CHECK(pool_target(state) >= 25 * M && is_near(pool_target(ahead), 5 * M));
    CHECK(is_near(pool_target(block_cache), 0));
    pool_close(state);
    pool_close(ahead);
    pool_close(block_cache);
    pool_close(query);
    pool_close(engine);
}

TEST(pool_test_mode_refuses_every_second_request_above_the_minimum) {
    pool *engine = open_engine(64 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    CHECK(pool_reserve(query, 128 * K, 0));
    pool *keeper = open_below(query, POOL_STATE, 128 * K);
    pool_refuse_for_test(engine, true);
    CHECK(pool_take(keeper, 64 * K) && pool_take(keeper, 64 * K));
    for (int i = 0; i < 3; i++) {
        CHECK(!pool_take(keeper, 64 * K));
        CHECK(pool_take(keeper, 64 * K));
    }
    CHECK(pool_take_urgent(keeper, 100));
    CHECK(pool_take(query, 1000));
    pool_give(query, 1000);
    pool_give(keeper, pool_used(keeper));
    pool_close(keeper);
    pool_close(query);
    pool_close(engine);
}

// ---- All at once -------------------------------------------------------------------------------

typedef struct job {
    pool *engine;
    uint64_t seed;
    firn_status status;
    uint64_t pages_had;
} job;

#define JOB_PAGES 900

// A query that holds pages as the protocol says: asks, and puts pages back while it is over.
static void run_job(void *user) {
    job *self = user;
    firn_error own = FIRN_ERROR_INIT;
    pool *query = NULL;
    pool *keeper = NULL;
    const uint64_t min_bytes = keeper_min_bytes(1, 0);
    self->status =
        pool_open(self->engine, &(pool_options){.kind = POOL_QUERY, .name = "query"}, &query, &own);
    if (self->status == FIRN_OK) {
        self->status = pool_reserve_wait(query, min_bytes, 0, UINT32_MAX, NULL, &own);
    }
    page_size_set(query, 16 * K);
    if (self->status == FIRN_OK) {
        const pool_options options = {.kind = POOL_STATE, .name = "keeper", .min_bytes = min_bytes};
        self->status = pool_open(query, &options, &keeper, &own);
    }
    void *pages[JOB_PAGES];
    size_t count = 0;
    for (uint32_t step = 0; self->status == FIRN_OK && step < 4000; step++) {
        void *page = count < JOB_PAGES ? page_get(keeper) : NULL;
        if (page != NULL) {
            memset(page, (int)self->seed, 16 * K);
            pages[count] = page;
            count += 1;
            self->pages_had += 1;
        } else if (count < min_bytes / (16 * K)) {
            self->status = FIRN_INTERNAL; // A minimum is never refused.
        }
        while (count > 0 && (pool_excess(keeper) > 0 || (step + self->seed) % 700 == 0)) {
            count -= 1;
            page_put(keeper, pages[count]);
        }
    }
    while (count > 0) {
        count -= 1;
        page_put(keeper, pages[count]);
    }
    pool_close(keeper);
    pool_close(query);
}

TEST(pool_many_queries_at_once_stay_below_the_limit) {
    pool *engine = open_engine(8 * M);
    job jobs[12];
    host_thread *threads[4];
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < 4; i++) {
            jobs[round * 4 + i] = (job){.engine = engine, .seed = round * 4 + i};
            REQUIRE(host_thread_start(run_job, &jobs[round * 4 + i], &threads[i], &err) == FIRN_OK);
        }
        for (size_t i = 0; i < 4; i++) {
            host_thread_join(threads[i]);
            CHECK(jobs[round * 4 + i].status == FIRN_OK);
            CHECK(jobs[round * 4 + i].pages_had > 100);
        }
    }
    pool_report report;
    pool_describe(engine, &report);
    CHECK(report.resident_peak <= 8 * M && report.committed == 0 && report.used == 0);
    pool_close(engine);
}

// ---- Waiting for keepers -----------------------------------------------------------------------

typedef struct wanted {
    pool *query;
    uint64_t bytes;
    bool is_taken;
    atomic_bool is_over;
} wanted;

static void take_wanted(void *user) {
    wanted *self = user;
    self->is_taken = pool_take(self->query, self->bytes);
    atomic_store(&self->is_over, true);
}

TEST(pool_take_of_a_query_waits_while_keepers_give_back) {
    pool *engine = open_engine(16 * M);
    pool *greedy = open_below(engine, POOL_QUERY, 0);
    pool *keeper = open_below(greedy, POOL_STATE, 0);
    pool *other = open_below(engine, POOL_QUERY, 0);
    const cancel_flag cancel = {.parent = NULL};
    CHECK(pool_take(keeper, 14 * M));
    CHECK(!pool_take(other, 8 * M)); // It was not told that it may wait.
    pool_cancel_set(other, &cancel);
    wanted want = {.query = other, .bytes = 8 * M};
    host_thread *thread = NULL;
    REQUIRE(host_thread_start(take_wanted, &want, &thread, &err) == FIRN_OK);
    uint64_t held = 14 * M;
    while (!atomic_load(&want.is_over)) {
        if (pool_excess(keeper) > 0) { // It falls by what is waited for.
            pool_give(keeper, M);
            held -= M;
        }
        host_sleep_ms(1);
    }
    host_thread_join(thread);
    CHECK(want.is_taken && held <= 8 * M && pool_used(engine) <= 16 * M);
    pool_give(keeper, held);
    pool_give(other, 8 * M);
    pool_close(keeper);
    pool_close(greedy);
    pool_close(other);
    pool_close(engine);
}

TEST(pool_take_of_a_query_does_not_wait_for_ever) {
    pool *engine = open_engine(16 * M);
    pool *greedy = open_below(engine, POOL_QUERY, 0);
    pool *keeper = open_below(greedy, POOL_STATE, 0);
    pool *other = open_below(engine, POOL_QUERY, 0);
    cancel_flag cancel = {.parent = NULL};
    CHECK(pool_take(keeper, 14 * M));
    pool_cancel_set(other, &cancel);
    CHECK(!pool_take(other, 8 * M)); // Nobody gives anything back.
    cancel_raise(&cancel);
    const int64_t begun_ns = host_cpu_ns();
    CHECK(!pool_take(other, 8 * M));
    CHECK(host_cpu_ns() - begun_ns < INT64_C(1000000000));
    pool_give(keeper, 14 * M);
    pool_close(keeper);
    pool_close(greedy);
    pool_close(other);
    pool_close(engine);
}

typedef struct planned {
    arena memory;
    bool is_made;
    atomic_bool is_over;
} planned;

static void make_plan(void *user) {
    planned *self = user;
    self->is_made = ARENA_NEW(&self->memory, char, M) != NULL;
    atomic_store(&self->is_over, true);
}

// It has no reserve yet, and others may have been promised everything.
TEST(pool_plan_of_a_statement_waits_while_others_go_on) {
    pool *engine = open_engine(16 * M);
    pool *session = open_below(engine, POOL_SESSION, 0);
    pool *other = open_below(engine, POOL_QUERY, 0);
    cancel_flag cancel = {.parent = NULL};
    CHECK(pool_reserve(other, 0, 16 * M) && pool_take(other, 15 * M));
    planned plan = {.memory = arena_open_in(session, SIZE_MAX)};
    CHECK(ARENA_NEW(&plan.memory, char, M) == NULL); // Nobody could stop it.
    plan.memory.cancel = &cancel;
    host_thread *thread = NULL;
    REQUIRE(host_thread_start(make_plan, &plan, &thread, &err) == FIRN_OK);
    for (int i = 0; i < 100; i++) {
        CHECK(pool_take(other, 512 * K));
        pool_give(other, 512 * K);
        CHECK(!atomic_load(&plan.is_over));
        host_sleep_ms(5);
    }
    pool_give(other, 15 * M);
    pool_close(other);
    host_thread_join(thread);
    CHECK(plan.is_made);
    other = open_below(engine, POOL_QUERY, 0);
    CHECK(pool_reserve(other, 0, 14 * M));
    CHECK(ARENA_NEW(&plan.memory, char, 2 * M) == NULL); // That one stands still.
    cancel_raise(&cancel);
    CHECK(ARENA_NEW(&plan.memory, char, 2 * M) == NULL);
    pool_close(other);
    arena_close(&plan.memory);
    pool_close(session);
    pool_close(engine);
}

TEST(pool_reserve_is_what_a_query_once_took_until_its_phase_is_over) {
    pool *engine = open_engine(16 * M);
    pool *query = open_below(engine, POOL_QUERY, 0);
    const cancel_flag cancel = {.parent = NULL};
    pool_cancel_set(query, &cancel);
    CHECK(pool_reserve(query, 0, 2 * M));
    CHECK(pool_take(query, 6 * M));
    pool_give(query, 6 * M);
    pool_report report;
    pool_describe(engine, &report);
    CHECK(report.committed == 6 * M && report.used == 0);
    pool_reserve_lower(query, M);
    pool_describe(engine, &report);
    CHECK(report.committed == M);
    pool_close(query);
    pool_close(engine);
}

TEST(pool_headroom_is_for_one_of_the_queries_that_run_at_once) {
    pool *engine = open_engine(16 * M); // Its headroom is one.
    pool *favoured = open_below(engine, POOL_QUERY, 0);
    pool *other = open_below(engine, POOL_QUERY, 0);
    const cancel_flag cancel = {.parent = NULL};
    pool_cancel_set(favoured, &cancel);
    pool_cancel_set(other, &cancel);
    CHECK(pool_take(other, 8 * M));
    CHECK(pool_take(favoured, 7 * M + 256 * K));
    wanted want = {.query = other, .bytes = 256 * K};
    host_thread *thread = NULL;
    REQUIRE(host_thread_start(take_wanted, &want, &thread, &err) == FIRN_OK);
    for (int i = 0; i < 100; i++) { // It waits for as long as that one goes on.
        CHECK(pool_take(favoured, 512 * K));
        pool_give(favoured, 512 * K);
        CHECK(!atomic_load(&want.is_over));
        host_sleep_ms(5);
    }
    pool_give(favoured, 7 * M + 256 * K);
    pool_close(favoured);
    host_thread_join(thread);
    CHECK(want.is_taken);
    pool_give(other, 8 * M + 256 * K);
    pool_close(other);
    pool_close(engine);
}

TEST(pool_headroom_goes_to_another_query_when_its_own_stands_still) {
    pool *engine = open_engine(16 * M);
    pool *idle = open_below(engine, POOL_QUERY, 0);
    pool *other = open_below(engine, POOL_QUERY, 0);
    const cancel_flag cancel = {.parent = NULL};
    pool_cancel_set(idle, &cancel);
    pool_cancel_set(other, &cancel);
    CHECK(pool_take(other, 8 * M) && pool_take(idle, 7 * M + 256 * K));
    CHECK(pool_take(other, 256 * K));
    CHECK(pool_take(other, 512 * K) && !pool_take(idle, 512 * K)); // The rest of it.
    pool_give(idle, 7 * M + 256 * K);
    pool_give(other, 8 * M + 768 * K);
    pool_close(idle);
    pool_close(other);
    CHECK(pool_used(engine) == 0);
    pool_close(engine);
}
