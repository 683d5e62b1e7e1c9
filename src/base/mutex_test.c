#include "base/mutex.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/host.h"
#include "base/test.h"

static firn_error err = FIRN_ERROR_INIT;

typedef struct counter {
    mutex lock;
    condition changed;
    int value GUARDED_BY(&lock);
} counter;

// Nobody else knows the counter yet.
NO_LOCK_CHECK static void counter_begin(counter *self) {
    mutex_begin(&self->lock, MUTEX_LEAF);
    condition_begin(&self->changed);
    self->value = 0;
}

static void counter_end(counter *self) {
    condition_end(&self->changed);
    mutex_end(&self->lock);
}

static void count_up(void *user) {
    counter *self = user;
    for (int i = 0; i < 1000; i++) {
        mutex_lock(&self->lock);
        self->value += 1;
        mutex_unlock(&self->lock);
    }
    condition_wake_all(&self->changed);
}

TEST(mutex_lets_one_thread_in_and_condition_wakes) {
    counter self;
    counter_begin(&self);
    host_thread *threads[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        REQUIRE(host_thread_start(count_up, &self, &threads[i], &err) == FIRN_OK);
    }
    mutex_lock(&self.lock);
    while (self.value < 4000) {
        condition_wait(&self.changed, &self.lock, 100);
    }
    CHECK(self.value == 4000);
    mutex_unlock(&self.lock);
    for (size_t i = 0; i < 4; i++) {
        host_thread_join(threads[i]);
    }
    counter_end(&self);
}

TEST(condition_wait_ends_at_its_time) {
    counter self;
    counter_begin(&self);
    mutex_lock(&self.lock);
    const int64_t before = host_clock_ns();
    while (host_clock_ns() - before < 20000000) { // Waking for no reason is allowed.
        condition_wait(&self.changed, &self.lock, 20);
    }
    mutex_unlock(&self.lock);
    CHECK(host_clock_ns() - before < INT64_C(5000000000));
    counter_end(&self);
}

#if !defined(NDEBUG)
typedef enum misuse {
    WRONG_ORDER,
    SAME_RANK,
    SLEEP_WITH_TWO,
    NOT_HELD,
    RIGHT_ORDER,
    SLEEP_HOLDING
} misuse;

NO_LOCK_CHECK static void use(misuse how) {
    mutex outer;
    mutex inner;
    mutex other;
    condition never;
    mutex_begin(&outer, MUTEX_QUERY);
    mutex_begin(&inner, MUTEX_POOL);
    mutex_begin(&other, MUTEX_POOL);
    condition_begin(&never);
    switch (how) {
    case WRONG_ORDER:
        mutex_lock(&inner);
        mutex_lock(&outer);
        break;
    case SAME_RANK:
        mutex_lock(&inner);
        mutex_lock(&other);
        break;
    case SLEEP_WITH_TWO:
        mutex_lock(&outer);
        mutex_lock(&inner);
        condition_wait(&never, &inner, 1);
        break;
    case SLEEP_HOLDING:
        mutex_lock(&outer);
        mutex_lock(&inner);
        condition_wait_holding(&never, &inner, 1);
        break;
    case NOT_HELD:
        mutex_unlock(&inner);
        break;
    case RIGHT_ORDER:
        mutex_lock(&outer);
        mutex_lock(&inner);
        mutex_unlock(&outer); // In which order they are given back does not matter.
        mutex_unlock(&inner);
        mutex_lock(&outer);
        mutex_unlock(&outer);
        break;
    }
}

// Does a process that does this end by abort? Without cores and messages.
static bool stops(misuse how) {
    const pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) != NULL) {
            use(how);
        }
        _exit(0);
    }
    int result = 0;
    const pid_t ended = waitpid(child, &result, 0);
    return ended == child && !(WIFEXITED(result) && WEXITSTATUS(result) == 0);
}

TEST(mutex_stops_what_could_deadlock) {
    CHECK(!stops(RIGHT_ORDER));
    CHECK(!stops(SLEEP_HOLDING));
    CHECK(stops(WRONG_ORDER));
    CHECK(stops(SAME_RANK));
    CHECK(stops(SLEEP_WITH_TWO));
    CHECK(stops(NOT_HELD));
}
#endif

TEST(cancel_flag_hears_its_parent) {
    cancel_flag session = {0};
    cancel_flag query = {.parent = &session};
    CHECK(cancel_check(NULL, &err) == FIRN_OK);
    CHECK(cancel_check(&query, &err) == FIRN_OK);
    cancel_raise(&session);
    CHECK(cancel_check(&query, &err) == FIRN_CANCELLED);
    cancel_flag other = {0};
    cancel_raise(&other);
    CHECK(cancel_is_raised(&other));
}

TEST(cancel_watch_says_so_again_and_again_once_the_flag_was_seen) {
    cancel_flag flag = {0};
    cancel_watch watch = {.cancel = &flag};
    CHECK(!cancel_watch_is_raised(&watch, CANCEL_LOOK_EVERY));
    cancel_raise(&flag);
    CHECK(!cancel_watch_is_raised(&watch, CANCEL_LOOK_EVERY - 1)); // It does not look each time.
    CHECK(cancel_watch_is_raised(&watch, 1));
    CHECK(cancel_watch_is_raised(&watch, 0));
    CHECK(!cancel_watch_is_raised(NULL, SIZE_MAX));
}

TEST(cancel_copy_and_compare_leave_off_when_the_flag_is_raised) {
    static char left[3 * CANCEL_COPY_STEP];
    static char right[3 * CANCEL_COPY_STEP];
    cancel_flag flag = {0};
    cancel_watch watch = {.cancel = &flag};
    left[0] = 'a';
    left[sizeof left - 1] = 'z';
    CHECK(cancel_copy(&flag, right, left, sizeof left));
    CHECK(cancel_watch_compare(&watch, left, right, sizeof left) == 0);
    right[sizeof right - 1] = 'y';
    CHECK(cancel_watch_compare(&watch, left, right, sizeof left) > 0);
    CHECK(cancel_watch_compare(NULL, right, left, sizeof left) < 0);
    cancel_raise(&flag);
    CHECK(cancel_watch_compare(&watch, left, right, sizeof left) == 0); // Not so far.
    CHECK(!cancel_copy(&flag, right, left, sizeof left));
    CHECK(right[sizeof right - 1] == 'y');
    CHECK(cancel_copy(&flag, right, left, CANCEL_COPY_STEP)); // Small ones are done.
}
