#include "threads/scheduler.h"

#include <string.h>

#include "base/host.h"
#include "base/test.h"

static firn_error err = FIRN_ERROR_INIT;

static scheduler *open_scheduler(const scheduler_options *options) {
    scheduler *self = NULL;
    CHECK(scheduler_open(options, &self, &err) == FIRN_OK);
    return self;
}

static task_group *open_group(scheduler *owner) {
    task_group *self = NULL;
    CHECK(task_group_open(owner, &self, &err) == FIRN_OK);
    return self;
}

// A task that counts its slices; what it answers is told by the test.
typedef struct counter {
    task task; // First.
    atomic_uint slices;
    unsigned slices_wanted;
    atomic_uint *left; // Goes down when it is done.
    void (*at_slice)(struct counter *self);
    void *user;
} counter;

static task_answer run_counter(task *self) {
    counter *one = (counter *)self;
    const unsigned slices = atomic_fetch_add(&one->slices, 1) + 1;
    if (one->at_slice != NULL) {
        one->at_slice(one);
    }
    if (slices < one->slices_wanted) {
        return TASK_AGAIN;
    }
    atomic_fetch_sub(one->left, 1);
    return TASK_DONE;
}

static bool is_zero(void *user) {
    return atomic_load((atomic_uint *)user) == 0;
}

static void begin_counter(counter *self, uint32_t distance, unsigned slices, atomic_uint *left) {
    *self = (counter){
        .task = {.run = run_counter, .distance = distance}, .slices_wanted = slices, .left = left};
    atomic_fetch_add(left, 1);
}

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

// ---- Waiting -----------------------------------------------------------------------------------

// Two tasks that hand a ball to each other: each throw is one fire.
typedef struct player {
    task task;
    struct player *other;
    atomic_bool has_ball;
    unsigned throws_left;
    unsigned slices;
    atomic_uint *left;
} player;

static task_answer play(task *self) {
    player *one = (player *)self;
    one->slices += 1;
    if (!atomic_exchange(&one->has_ball, false)) {
        return TASK_WAIT;
    }
    const bool is_last = one->throws_left == 0;
    if (!is_last) {
        one->throws_left -= 1;
    }
    atomic_store(&one->other->has_ball, true);
    wakeup_fire(&one->other->task.wakeup);
    if (is_last) {
        atomic_fetch_sub(one->left, 1);
        return TASK_DONE;
    }
    return TASK_WAIT;
}

static void play_game(uint32_t threads, unsigned throws) {
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = threads});
    task_group *group = open_group(owner);
    atomic_uint left = 2;
    player players[2];
    for (size_t i = 0; i < 2; i++) {
        players[i] = (player){
            .task = {.run = play}, .other = &players[1 - i], .throws_left = throws, .left = &left};
    }
    atomic_store(&players[0].has_ball, true);
    task_group_submit(group, &players[0].task, true);
    task_group_submit(group, &players[1].task, true);
    task_group_run_until(group, is_zero, &left);
    for (size_t i = 0; i < 2; i++) {
        CHECK(players[i].throws_left == 0);
        // Awake without the ball at most once per throw: before it, or between fire and run.
        CHECK(players[i].slices <= 2 * (throws + 1) + 1);
    }
    task_group_close(group);
    scheduler_close(owner);
}

TEST(wakeup_is_not_lost_between_running_and_parking) {
    play_game(1, 1000);
    play_game(2, 20000);
    play_game(4, 5000);
}

static task_answer wait_for_ever(task *self) {
    counter *one = (counter *)self;
    atomic_fetch_add(&one->slices, 1);
    return TASK_WAIT;
}

static bool has_run_thrice(void *user) {
    return atomic_load(&((counter *)user)->slices) >= 3;
}

static bool has_run(void *user) {
    return atomic_load(&((counter *)user)->slices) >= 1;
}

TEST(wakeup_fires_count_once_and_do_no_harm_otherwise) {
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = 1});
    task_group *group = open_group(owner);
    counter one = {.task = {.run = wait_for_ever}};
    wakeup_fire(&one.task.wakeup); // Never submitted.
    task_group_submit(group, &one.task, false);
    wakeup_fire(&one.task.wakeup); // Ready.
    task_group_run_until(group, has_run, &one);
    CHECK(atomic_load(&one.slices) == 1);
    for (int i = 0; i < 5; i++) {
        wakeup_fire(&one.task.wakeup); // Parked: once.
    }
    one.slices_wanted = 2;
    atomic_uint never = 0;
    task_group_run_until(group, is_zero, &never);
    CHECK(atomic_load(&one.slices) == 1); // The condition held before.
    task_group_wake_all(group);
    task_group_notify(group);
    wakeup_fire(&one.task.wakeup);
    counter last;
    atomic_uint left = 0;
    begin_counter(&last, 9, 1, &left);
    task_group_submit(group, &last.task, false);
    task_group_run_until(group, is_zero, &left);
    CHECK(atomic_load(&one.slices) == 2);
    wakeup_fire(&last.task.wakeup); // Done.
    task_group_close(group);
    wakeup_fire(&one.task.wakeup); // Forgotten.
    scheduler_close(owner);
}

static void fire_later(void *user) {
    counter *one = user;
    for (int i = 0; i < 2; i++) {
        host_sleep_ms(3);
        wakeup_fire(&one->task.wakeup);
    }
}

TEST(scheduler_caller_sleeps_until_another_thread_fires) {
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = 1});
    task_group *group = open_group(owner);
    counter one = {.task = {.run = wait_for_ever}};
    task_group_submit(group, &one.task, false);
    host_thread *thread;
    REQUIRE(host_thread_start(fire_later, &one, &thread, &err) == FIRN_OK);
    const int64_t cpu_before = host_cpu_ns();
    task_group_run_until(group, has_run_thrice, &one);
    CHECK(host_cpu_ns() - cpu_before < 5000000); // It slept.
    host_thread_join(thread);
    task_group_close(group);
    scheduler_close(owner);
}

typedef struct transfer {
    counter *waiting;
    int calls;
} transfer;

static void drive(void *user, uint32_t timeout_ms) {
    transfer *self = user;
    self->calls += 1;
    CHECK(timeout_ms > 0 && timeout_ms < 50);
    if (self->calls % 5 == 0) { // Something arrived.
        wakeup_fire(&self->waiting->task.wakeup);
    }
}

TEST(scheduler_caller_drives_transfers_while_nothing_is_ready) {
    counter one = {.task = {.run = wait_for_ever}};
    transfer moving = {.waiting = &one};
    scheduler *owner =
        open_scheduler(&(scheduler_options){.threads = 1, .idle = drive, .user = &moving});
    task_group *group = open_group(owner);
    task_group_submit(group, &one.task, false);
    task_group_run_until(group, has_run_thrice, &one);
    CHECK(moving.calls == 10);
    task_group_close(group);
    scheduler_close(owner);
}

// ---- Several threads ---------------------------------------------------------------------------

typedef struct meeting {
    atomic_uint inside;
    atomic_uint most;
} meeting;

static void meet(counter *self) {
    meeting *place = self->user;
    const unsigned now = atomic_fetch_add(&place->inside, 1) + 1;
    unsigned most = atomic_load(&place->most);
    while (now > most && !atomic_compare_exchange_weak(&place->most, &most, now)) {
    }
    host_sleep_ms(2);
    atomic_fetch_sub(&place->inside, 1);
}

static unsigned most_at_once(uint32_t threads, uint32_t limit, bool may_start_thread) {
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = threads});
    task_group *group = open_group(owner);
    if (limit > 0) {
        task_group_limit_set(group, limit);
    }
    meeting place = {0};
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
    CHECK(most_at_once(4, 0, true) == 4);
    CHECK(most_at_once(4, 2, true) <= 2);
    CHECK(most_at_once(4, 0, false) == 1); // Not worth a thread.
}

TEST(scheduler_goes_on_when_the_system_gives_no_thread) {
    host_fault_set(HOST_THREAD, 1);
    CHECK(most_at_once(2, 0, true) >= 1);
    host_fault_set(HOST_THREAD, 0);
}

TEST(scheduler_ends_threads_that_are_too_many) {
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = 4});
    task_group *group = open_group(owner);
    for (int round = 0; round < 3; round++) {
        scheduler_set_threads(owner, 4);
        meeting place = {0};
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

TEST(scheduler_lets_two_groups_share_fairly) {
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = 2});
    race early;
    race late;
    start_race(&early, owner, 4); // One thread works on it, nobody is inside.
    host_sleep_ms(20);
    start_race(&late, owner, 2); // Fewer tasks, and later: from now on half of the time.
    const int64_t early_before = task_group_cpu_ns(early.group);
    while (task_group_cpu_ns(late.group) < 30000000) {
        host_sleep_ms(1);
    }
    const double share = (double)(task_group_cpu_ns(early.group) - early_before) /
                         (double)task_group_cpu_ns(late.group);
    CHECK(share > 0.6 && share < 1.6);
    task_group_close(early.group);
    task_group_close(late.group);
    scheduler_close(owner);
}

// ---- Cancelling and closing --------------------------------------------------------------------

typedef struct stopper {
    task_group *group;
    cancel_flag flag;
    atomic_uint left;
    counter tasks[8];
} stopper;

static task_answer wait_until_cancelled(task *self) {
    counter *one = (counter *)self;
    stopper *all = one->user;
    atomic_fetch_add(&one->slices, 1);
    if (!cancel_is_raised(&all->flag)) {
        return TASK_WAIT;
    }
    atomic_fetch_sub(&all->left, 1);
    return TASK_DONE;
}

static void cancel_later(void *user) {
    stopper *self = user;
    cancel_raise(&self->flag);
    task_group_wake_all(self->group);
}

TEST(scheduler_cancel_wakes_what_is_parked_or_about_to_park) {
    for (int round = 0; round < 200; round++) {
        scheduler *owner = open_scheduler(&(scheduler_options){.threads = 3});
        stopper self = {.group = open_group(owner), .left = 8};
        host_thread *thread;
        for (size_t i = 0; i < 8; i++) {
            self.tasks[i] = (counter){.task = {.run = wait_until_cancelled}, .user = &self};
            task_group_submit(self.group, &self.tasks[i].task, round % 2 == 0);
        }
        REQUIRE(host_thread_start(cancel_later, &self, &thread, &err) == FIRN_OK);
        task_group_run_until(self.group, is_zero, &self.left);
        for (size_t i = 0; i < 8; i++) {
            CHECK(atomic_load(&self.tasks[i].slices) >= 1);
        }
        host_thread_join(thread);
        task_group_close(self.group);
        scheduler_close(owner);
    }
}

TEST(scheduler_close_of_a_group_forgets_what_has_not_run) {
    for (int round = 0; round < 20; round++) {
        scheduler *owner = open_scheduler(&(scheduler_options){.threads = 3});
        task_group *group = open_group(owner);
        atomic_uint left = 0;
        counter tasks[6];
        counter parked = {.task = {.run = wait_for_ever}};
        task_group_submit(group, &parked.task, true);
        for (size_t i = 0; i < 6; i++) {
            begin_counter(&tasks[i], 1, 1000000, &left);
            task_group_submit(group, &tasks[i].task, true);
        }
        if (round % 2 == 0) {
            host_sleep_ms(1);
        }
        task_group_close(group);
        const unsigned slices = atomic_load(&tasks[0].slices);
        wakeup_fire(&parked.task.wakeup);
        host_sleep_ms(1);
        CHECK(atomic_load(&tasks[0].slices) == slices);
        scheduler_close(owner);
    }
    CHECK(host_thread_count() == 0);
}

// A task that makes more tasks, as the finish of an operator does.
typedef struct maker {
    counter first;
    counter others[16];
    task_group *group;
    atomic_uint left;
} maker;

static void make_others(counter *self) {
    maker *all = self->user;
    for (size_t i = 0; i < 16; i++) {
        begin_counter(&all->others[i], 1, 3, &all->left);
        task_group_submit(all->group, &all->others[i].task, true);
    }
}

TEST(scheduler_tasks_submit_tasks) {
    for (uint32_t threads = 1; threads <= 4; threads++) {
        scheduler *owner = open_scheduler(&(scheduler_options){.threads = threads});
        maker all = {.group = open_group(owner)};
        begin_counter(&all.first, 0, 1, &all.left);
        all.first.at_slice = make_others;
        all.first.user = &all;
        task_group_submit(all.group, &all.first.task, true);
        task_group_run_until(all.group, is_zero, &all.left);
        for (size_t i = 0; i < 16; i++) {
            CHECK(atomic_load(&all.others[i].slices) == 3);
        }
        task_group_close(all.group);
        scheduler_close(owner);
    }
}

// A query inside a task of another one, on the same engine.
static void run_inner(counter *self) {
    scheduler *owner = self->user;
    task_group *group = open_group(owner);
    atomic_uint left = 0;
    counter tasks[3];
    for (size_t i = 0; i < 3; i++) {
        begin_counter(&tasks[i], 0, 4, &left);
        task_group_submit(group, &tasks[i].task, true);
    }
    task_group_run_until(group, is_zero, &left);
    task_group_close(group);
}

TEST(scheduler_groups_nest) {
    for (uint32_t threads = 1; threads <= 3; threads++) {
        scheduler *owner = open_scheduler(&(scheduler_options){.threads = threads});
        task_group *group = open_group(owner);
        atomic_uint left = 0;
        counter tasks[3];
        for (size_t i = 0; i < 3; i++) {
            begin_counter(&tasks[i], 0, 2, &left);
            tasks[i].at_slice = run_inner;
            tasks[i].user = owner;
            task_group_submit(group, &tasks[i].task, true);
        }
        task_group_run_until(group, is_zero, &left);
        task_group_close(group);
        scheduler_close(owner);
    }
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
