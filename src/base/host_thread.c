// Threads of the host interface.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/host.h"

// The same everywhere: a C library's default may be 128 KiB, or whatever `ulimit -s` says.
#define STACK_BYTES ((size_t)8 << 20)

struct host_thread {
    pthread_t id;
    void (*run)(void *user);
    void *user;
};

static atomic_uint_fast32_t thread_count; // Started and not joined; only tests look, ...
static atomic_uint_fast32_t thread_most;  // ... also at the most there were.

static void note_thread(void) {
    const uint_fast32_t count = atomic_fetch_add(&thread_count, 1) + 1;
    uint_fast32_t most = atomic_load(&thread_most);
    while (count > most && !atomic_compare_exchange_weak(&thread_most, &most, count)) {
    }
}

static void *enter(void *argument) {
    const host_thread *self = argument;
    self->run(self->user);
    return NULL;
}

// Creates the pthread with all signals blocked, so that the program's handlers run on its own
// threads. 0 or the number of the error.
static int create(host_thread *self) {
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return error;
    }
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error == 0) {
        error = pthread_create(&self->id, &attributes, enter, self);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    return error;
}

firn_status host_thread_start(void (*run)(void *user), void *user, host_thread **out,
                              firn_error *err) {
    *out = NULL;
    host_thread *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory for a thread");
    }
    *self = (host_thread){.run = run, .user = user};
    const int error = host_fault(HOST_THREAD) ? EAGAIN : create(self);
    if (error != 0) {
        host_free(self);
        return FAIL(err, FIRN_NO_MEMORY, "the system gives no thread: %s", strerror(error));
    }
    (void)pthread_setname_np(self->id, "firn");
    note_thread();
    *out = self;
    return FIRN_OK;
}

uint64_t host_thread_id(void) {
    const pthread_t here = pthread_self(); // A number or a pointer, as the C library likes.
    uint64_t id = 0;
    memcpy(&id, &here, sizeof here);
    return id;
}

void host_thread_join(host_thread *thread) {
    if (thread != NULL) {
        (void)pthread_join(thread->id, NULL);
        atomic_fetch_sub(&thread_count, 1);
        host_free(thread);
    }
}

uint32_t host_thread_count(void) {
    return (uint32_t)atomic_load(&thread_count);
}

uint32_t host_thread_most(void) {
    return (uint32_t)atomic_load(&thread_most);
}

void host_thread_most_reset(void) {
    atomic_store(&thread_most, atomic_load(&thread_count));
}
