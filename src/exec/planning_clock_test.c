#include "exec/planning_clock.h"

#include "base/test.h"

#define MS INT64_C(1000000)

static bool says(const planning_clock *clock, text wanted) {
    arena memory = arena_open((size_t)1 << 16);
    text_builder out = text_builder_open(&memory);
    planning_clock_report(clock, &out);
    const bool is_it = text_equal((text){.data = out.data, .size = out.size}, wanted);
    arena_close(&memory);
    return is_it;
}

TEST(planning_clock_counts_waiting_but_not_what_lies_between_tasks) {
    planning_clock clock = {0};
    // Another thread goes on: its CPU time has another zero.
    planning_clock_enter(&clock, 100 * MS, 7 * MS);
    planning_clock_leave(&clock, PLANNING_WAIT, 102 * MS, 8 * MS);
    planning_clock_enter(&clock, 130 * MS, 500 * MS);
    planning_clock_leave(&clock, PLANNING_TASK, 131 * MS, 501 * MS);
    CHECK(says(&clock, TEXT(" planning=31.00ms planning CPU=2.00ms first task after=31.00ms")));
    planning_clock_enter(&clock, 900 * MS, 9 * MS);
    planning_clock_leave(&clock, PLANNING_TASK, 901 * MS, 10 * MS);
    planning_clock_enter(&clock, 950 * MS, 9 * MS);
    planning_clock_leave(&clock, PLANNING_OVER, 950 * MS, 9 * MS);
    CHECK(says(&clock, TEXT(" planning=32.00ms planning CPU=3.00ms first task after=31.00ms")));
}

TEST(planning_clock_is_silent_where_there_is_nothing_to_tell) {
    planning_clock clock = {0};
    CHECK(says(&clock, TEXT("")));
    planning_clock_enter(&clock, MS, MS);
    planning_clock_leave(&clock, PLANNING_TASK, MS + 9999, MS + 9999);
    CHECK(says(&clock, TEXT("")));
}

TEST(planning_clock_has_no_first_task_where_all_is_passed_over) {
    planning_clock clock = {0};
    planning_clock_enter(&clock, 0, 0);
    planning_clock_leave(&clock, PLANNING_OVER, 5 * MS, 3 * MS);
    CHECK(says(&clock, TEXT(" planning=5.00ms planning CPU=3.00ms")));
}
