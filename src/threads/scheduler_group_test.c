// Waiting and waking, cancelling, closing, and groups inside tasks.
#include "base/host.h"
#include "base/test.h"
#include "threads/scheduler.h"
#include "threads/scheduler_test_private.h"

static firn_error err = FIRN_ERROR_INIT;

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

// Two tasks that have swapped threads: the first, for which no thread may start, parks on the
// engine thread, and the second fires it from the caller's thread and goes on.
typedef struct swapped {
    counter first;
    counter second;
    uint64_t first_thread;
    uint64_t second_thread;
    bool ran_beside;
} swapped;

static bool wait_for(const atomic_uint *what, unsigned wanted) {
    for (int i = 0; i < 5000 && atomic_load(what) < wanted; i++) {
        host_sleep_ms(1);
    }
    return atomic_load(what) >= wanted;
}

static task_answer park_once(task *self) {
    counter *one = (counter *)self;
    swapped *both = one->user;
    if (atomic_fetch_add(&one->slices, 1) > 0) {
        atomic_fetch_sub(one->left, 1);
        return TASK_DONE;
    }
    both->first_thread = host_thread_id();
    CHECK(wait_for(&both->second.slices, 1));
    return TASK_WAIT;
}

static void fire_and_go_on(counter *self) {
    swapped *both = self->user;
    both->second_thread = host_thread_id();
    host_sleep_ms(20); // It has parked, and its thread is idle.
    wakeup_fire(&both->first.task.wakeup);
    both->ran_beside = wait_for(&both->first.slices, 2);
}

TEST(wakeup_fired_by_the_caller_wakes_the_idle_thread) {
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = 2});
    task_group *group = open_group(owner);
    atomic_uint left = 0;
    swapped both;
    begin_counter(&both.first, 0, 2, &left);
    both.first.task.run = park_once;
    both.first.user = &both;
    begin_counter(&both.second, 0, 1, &left);
    both.second.at_slice = fire_and_go_on;
    both.second.user = &both;
    task_group_submit(group, &both.first.task, false);
    task_group_submit(group, &both.second.task, true);
    REQUIRE(wait_for(&both.first.slices, 1));
    task_group_run_until(group, is_zero, &left);
    CHECK(both.first_thread != host_thread_id() && both.second_thread == host_thread_id());
    CHECK(both.ran_beside);
    task_group_close(group);
    scheduler_close(owner);
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

// Two fires before the task has run count once: it is fired until it has run.
static void fire_later(void *user) {
    counter *one = user;
    while (!has_run_thrice(one)) {
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
