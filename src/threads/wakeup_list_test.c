#include "threads/wakeup_list.h"

#include "threads/scheduler_test_private.h"

static firn_error err = FIRN_ERROR_INIT;

static task_answer count_and_wait(task *self) {
    counter *one = (counter *)self;
    atomic_fetch_add(&one->slices, 1);
    return TASK_WAIT;
}

static bool have_all_run(void *user) {
    const counter *each = user;
    return atomic_load(&each[0].slices) > 0 && atomic_load(&each[1].slices) > 0;
}

static void run_what_is_ready(task_group *group) {
    counter last; // Behind all others.
    atomic_uint left = 0;
    begin_counter(&last, 9, 1, &left);
    task_group_submit(group, &last.task, false);
    task_group_run_until(group, is_zero, &left);
}

TEST(wakeup_list_fires_each_once_but_who_was_forgotten) {
    scheduler *owner = open_scheduler(&(scheduler_options){.threads = 1});
    task_group *group = open_group(owner);
    counter both[2] = {{.task = {.run = count_and_wait}}, {.task = {.run = count_and_wait}}};
    task_group_submit(group, &both[0].task, false);
    task_group_submit(group, &both[1].task, false);
    task_group_run_until(group, have_all_run, both);

    arena memory = arena_open(SIZE_MAX);
    wakeup_list list;
    REQUIRE(wakeup_list_open(2, &memory, &list, &err) == FIRN_OK);
    wakeup_list_fire(&list); // Nobody.
    wakeup_list_add(&list, &both[0].task.wakeup);
    wakeup_list_add(&list, &both[1].task.wakeup);
    wakeup_list_add(&list, &both[1].task.wakeup);
    wakeup_list_forget(&list, &both[0].task.wakeup);
    wakeup_list_add(&list, &both[1].task.wakeup); // Not into the free place.
    wakeup_list_fire(&list);
    run_what_is_ready(group);
    CHECK(atomic_load(&both[0].slices) == 1);
    CHECK(atomic_load(&both[1].slices) == 2);

    wakeup_list_add(&list, &both[0].task.wakeup);
    wakeup_list_fire(&list);
    wakeup_list_fire(&list);
    run_what_is_ready(group);
    CHECK(atomic_load(&both[0].slices) == 2);
    CHECK(atomic_load(&both[1].slices) == 2);
    task_group_close(group);
    scheduler_close(owner);
    arena_close(&memory);
}
