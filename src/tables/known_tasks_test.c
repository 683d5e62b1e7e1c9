#include "tables/known_tasks.h"

#include "base/test.h"

typedef struct numbered_task {
    scan_task base;
    uint64_t first;
} numbered_task;

TEST(known_tasks_come_once_each_and_in_order) {
    firn_error err = ERR_INIT;
    scan_planner *planner = NULL;
    REQUIRE(known_tasks_open(sizeof(numbered_task), 3, &planner, &err) == FIRN_OK);
    for (uint64_t i = 0; i < 3; i++) {
        numbered_task *task = (numbered_task *)known_tasks_at(planner, i);
        CHECK(task->first == 0 && task->base.name.size == 0);
        task->first = 10 * i;
    }
    const scan_task *task = NULL;
    scan_answer answer = SCAN_WAIT;
    for (uint64_t i = 0; i < 3; i++) {
        CHECK(known_tasks_next(planner, &task, &answer, &err) == FIRN_OK && answer == SCAN_READY);
        CHECK(((const numbered_task *)task)->first == 10 * i);
    }
    for (int again = 0; again < 2; again++) {
        CHECK(known_tasks_next(planner, &task, &answer, &err) == FIRN_OK && answer == SCAN_END);
    }
    known_tasks_close(planner);
    known_tasks_close(NULL);
}

TEST(known_tasks_may_be_none_and_must_fit) {
    firn_error err = ERR_INIT;
    scan_planner *planner = NULL;
    const scan_task *task = NULL;
    scan_answer answer = SCAN_WAIT;
    REQUIRE(known_tasks_open(sizeof(scan_task), 0, &planner, &err) == FIRN_OK);
    CHECK(known_tasks_next(planner, &task, &answer, &err) == FIRN_OK && answer == SCAN_END);
    known_tasks_close(planner);
    CHECK(known_tasks_open(sizeof(scan_task), UINT64_MAX / 2, &planner, &err) == FIRN_NO_MEMORY);
}
