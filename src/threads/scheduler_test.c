#include "threads/scheduler.h"

#include <string.h>

#include "base/host.h"
#include "base/test.h"
#include "threads/scheduler_test_private.h"

static firn_error err = FIRN_ERROR_INIT;

// ---- One thread --------------------------------------------------------------------------------

TEST(scheduler_with_one_thread_makes_none_and_runs_everything_in_the_caller) {
    const uint32_t threads_before = host_thread_count();
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = 1});
    task_group *group = open_group(owner);
    atomic_uint left = 0;
    counter tasks[20];
    for (size_t i = 0; i < 20; i++) {
        begin_counter(&tasks[i], (uint32_t)i * 3, 5, &left);
        task_group_submit(group, &tasks[i].task, true);
    }
    CHECK(host_thread_count() == threads_before && scheduler_thread_count(owner) == 0);
    CHECK(atomic_load(&left) == 20); // Nothing has run yet.
    task_group_run_until(group, is_zero, &left);
    for (size_t i = 0; i < 20; i++) {
        CHECK(atomic_load(&tasks[i].slices) == 5);
    }
    CHECK(host_thread_count() == threads_before);
    CHECK(task_group_cpu_ns(group) >= 0);
    task_group_close(group);
    scheduler_close(owner);
    scheduler_close(NULL);
    task_group_close(NULL);
}

typedef struct diary {
    uint32_t distances[64];
    size_t count;
} diary;

static void write_diary(counter *self) {
    diary *book = self->user;
    book->distances[book->count] = self->task.distance;
    book->count += 1;
}

static void run_diary(diary *book, uint64_t seed, const uint32_t *distances, size_t count) {
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = 4, .order_seed = seed});
    task_group *group = open_group(owner);
    atomic_uint left = 0;
    counter tasks[32];
    *book = (diary){0};
    for (size_t i = 0; i < count; i++) {
        begin_counter(&tasks[i], distances[i], 2, &left);
        tasks[i].at_slice = write_diary;
        tasks[i].user = book;
        task_group_submit(group, &tasks[i].task, seed != 0);
    }
    task_group_run_until(group, is_zero, &left);
    CHECK(scheduler_thread_count(owner) == 0);
    task_group_close(group);
    scheduler_close(owner);
}

TEST(scheduler_takes_the_task_nearest_the_result) {
    static const uint32_t distances[] = {3, 100, 0, 7, 1, 31};
    static const uint32_t expected[] = {0, 0, 1, 1, 3, 3, 7, 7};
    diary book;
    run_diary(&book, 0, distances, 6);
    CHECK(book.count == 12 && memcmp(book.distances, expected, sizeof expected) == 0);
}

TEST(scheduler_takes_turns_among_equals) {
    static const uint32_t distances[] = {40, 50, 60}; // All are "far".
    static const uint32_t expected[] = {40, 50, 60, 40, 50, 60};
    diary book;
    run_diary(&book, 0, distances, 3);
    CHECK(book.count == 6 && memcmp(book.distances, expected, sizeof expected) == 0);
}

TEST(scheduler_with_a_seed_is_random_and_repeatable_on_one_thread) {
    uint32_t distances[16];
    for (uint32_t i = 0; i < 16; i++) {
        distances[i] = i;
    }
    diary first;
    diary again;
    diary other;
    run_diary(&first, 7, distances, 16);
    run_diary(&again, 7, distances, 16);
    run_diary(&other, 8, distances, 16);
    CHECK(first.count == 32);
    CHECK(memcmp(&first, &again, sizeof first) == 0);
    CHECK(memcmp(&first, &other, sizeof first) != 0);
}

// ---- Several threads ---------------------------------------------------------------------------

// Whoever comes waits, once, until as many are inside as are wanted: a busy machine may give the
// threads their turns late.
typedef struct meeting {
    atomic_uint inside;
    atomic_uint most;
    unsigned wanted;
    int64_t until_ns; // Not longer than this.
} meeting;

static meeting begin_meeting(unsigned wanted) {
    return (meeting){.wanted = wanted, .until_ns = host_clock_ns() + INT64_C(20000000000)};
}

static void meet(counter *self) {
    meeting *place = self->user;
    const unsigned now = atomic_fetch_add(&place->inside, 1) + 1;
    unsigned most = atomic_load(&place->most);
    while (now > most && !atomic_compare_exchange_weak(&place->most, &most, now)) {
    }
    do {
        host_sleep_ms(2);
    } while (atomic_load(&place->most) < place->wanted && host_clock_ns() < place->until_ns);
    atomic_fetch_sub(&place->inside, 1);
}

static unsigned most_at_once(uint32_t threads, uint32_t limit, bool may_start_thread,
                             unsigned wanted) {
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = threads});
    task_group *group = open_group(owner);
    if (limit > 0) {
        task_group_limit_set(group, limit);
    }
    meeting place = begin_meeting(wanted);
    atomic_uint left = 0;
    counter tasks[12];
    for (size_t i = 0; i < 12; i++) {
        begin_counter(&tasks[i], 0, 5, &left);
        tasks[i].at_slice = meet;
        tasks[i].user = &place;
        task_group_submit(group, &tasks[i].task, may_start_thread);
    }
    task_group_run_until(group, is_zero, &left);
    CHECK(scheduler_thread_count(owner) <= threads - 1);
    task_group_close(group);
    scheduler_close(owner);
    return atomic_load(&place.most);
}

TEST(scheduler_runs_as_many_tasks_at_once_as_there_are_threads) {
    CHECK(most_at_once(4, 0, true, 4) == 4);
    CHECK(most_at_once(4, 2, true, 2) == 2);
    CHECK(most_at_once(4, 0, false, 1) == 1); // Not worth a thread.
}

TEST(scheduler_goes_on_when_the_system_gives_no_thread) {
    host_fault_set(HOST_THREAD, 1);
    CHECK(most_at_once(2, 0, true, 1) >= 1);
    host_fault_set(HOST_THREAD, 0);
}

TEST(scheduler_ends_threads_that_are_too_many) {
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = 4});
    task_group *group = open_group(owner);
    for (int round = 0; round < 3; round++) {
        scheduler_set_threads(owner, 4);
        meeting place = begin_meeting(1);
        atomic_uint left = 0;
        counter tasks[6];
        for (size_t i = 0; i < 6; i++) {
            begin_counter(&tasks[i], 0, 3, &left);
            tasks[i].at_slice = meet;
            tasks[i].user = &place;
            task_group_submit(group, &tasks[i].task, true);
        }
        task_group_run_until(group, is_zero, &left);
        CHECK(scheduler_thread_count(owner) >= 1);
        scheduler_set_threads(owner, 1);
        while (scheduler_thread_count(owner) > 0) {
            host_sleep_ms(1);
        }
    }
    task_group_close(group);
    scheduler_close(owner);
    CHECK(host_thread_count() == 0);
}

static void burn(counter *self) {
    (void)self;
    const int64_t until = host_cpu_ns() + 200000;
    while (host_cpu_ns() < until) {
    }
}

typedef struct race {
    counter tasks[4];
    atomic_uint left;
    task_group *group;
} race;

static void start_race(race *self, scheduler *owner, size_t count) {
    *self = (race){.group = open_group(owner)};
    for (size_t i = 0; i < count; i++) {
        begin_counter(&self->tasks[i], 0, 1000000, &self->left);
        self->tasks[i].at_slice = burn;
        task_group_submit(self->group, &self->tasks[i].task, true);
    }
}

typedef struct used_cpu {
    int64_t early_ns;
    int64_t late_ns;
} used_cpu;

// Both of one moment: asked again where this thread stood still between the two.
static used_cpu used_by(const race *early, const race *late) {
    used_cpu now;
    do {
        now.late_ns = task_group_cpu_ns(late->group);
        now.early_ns = task_group_cpu_ns(early->group);
    } while (task_group_cpu_ns(late->group) - now.late_ns > 1000000);
    return now;
}

TEST(scheduler_lets_two_groups_share_fairly) {
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = 2});
    race early;
    race late;
    start_race(&early, owner, 4); // One thread works on it, nobody is inside.
    host_sleep_ms(20);
    start_race(&late, owner, 2); // Fewer tasks, and later: from now on half of the time.
    const used_cpu before = used_by(&early, &late);
    used_cpu now = before;
    while (now.late_ns - before.late_ns < 30000000) {
        host_sleep_ms(1);
        now = used_by(&early, &late);
    }
    const double share =
        (double)(now.early_ns - before.early_ns) / (double)(now.late_ns - before.late_ns);
    CHECK(share > 0.6 && share < 1.6);
    task_group_close(early.group);
    task_group_close(late.group);
    scheduler_close(owner);
}

TEST(scheduler_opening_survives_a_system_that_refuses) {
    scheduler *owner = NULL;
    host_fault_set(HOST_ALLOC, 1);
    CHECK(scheduler_open(&(scheduler_options){.threads = 1}, &owner, &err) == FIRN_NO_MEMORY);
    CHECK(owner == NULL);
    owner = open_scheduler(&(scheduler_options){.threads = 1});
    task_group *group = NULL;
    host_fault_set(HOST_ALLOC, 1);
    CHECK(task_group_open(owner, &group, &err) == FIRN_NO_MEMORY && group == NULL);
    host_fault_set(HOST_ALLOC, 0);
    scheduler_close(owner);
}
