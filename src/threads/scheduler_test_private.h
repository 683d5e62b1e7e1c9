// What the two test files of the scheduler share: a task that counts its slices.
#ifndef FIRN_THREADS_SCHEDULER_TEST_PRIVATE_H
#define FIRN_THREADS_SCHEDULER_TEST_PRIVATE_H

#include "base/host.h"
#include "base/test.h"
#include "threads/scheduler.h"

static inline scheduler *open_scheduler(const scheduler_options *options) {
    firn_error err = ERR_INIT;
    scheduler *self = NULL;
    CHECK(scheduler_open(options, &self, &err) == FIRN_OK);
    return self;
}

static inline task_group *open_group(scheduler *owner) {
    firn_error err = ERR_INIT;
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

static inline task_answer run_counter(task *self) {
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

static inline bool is_zero(void *user) {
    return atomic_load((atomic_uint *)user) == 0;
}

static inline void begin_counter(counter *self, uint32_t distance, unsigned slices,
                                 atomic_uint *left) {
    *self = (counter){
        .task = {.run = run_counter, .distance = distance}, .slices_wanted = slices, .left = left};
    atomic_fetch_add(left, 1);
}

#endif
