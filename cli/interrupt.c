#include "interrupt.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { REPEAT_NS = 20 * 1000 * 1000, STACK_SIZE = 256 * 1024 };

static struct {
    pthread_mutex_t lock;  // Guards what follows.
    firn_session *session; // Not closed while it is being cancelled.
    bool is_raised;        // The descriptor is readable as long as this is true.
    int descriptor;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .descriptor = -1};

/// Takes one Ctrl-C, or none on a repetition, and cancels what runs. Returns whether the interrupt
/// is still unanswered. Cancelling touches what runs at that moment; a statement that was just
/// about to start would go on, so it is repeated until the main thread has seen the interrupt.
static bool cancel_running(bool is_new) {
    (void)pthread_mutex_lock(&state.lock);
    if (is_new && state.is_raised) {
        _exit(CLI_EXIT_INTERRUPTED);
    }
    if (is_new) {
        state.is_raised = true;
        const uint64_t one = 1;
        (void)!write(state.descriptor, &one, sizeof one);
    }
    const bool is_raised = state.is_raised;
    if (is_raised && state.session != NULL) {
        firn_session_cancel(state.session);
    }
    (void)pthread_mutex_unlock(&state.lock);
    return is_raised;
}

static void *listen_for_interrupts(void *user) {
    (void)user;
    sigset_t wanted;
    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGINT);
    const struct timespec repeat = {.tv_nsec = REPEAT_NS};
    bool is_raised = false;
    for (;;) {
        const int signal_number = sigtimedwait(&wanted, NULL, is_raised ? &repeat : NULL);
        is_raised = cancel_running(signal_number == SIGINT);
    }
    return NULL;
}

bool cli_interrupt_start(void) {
    sigset_t blocked;
    sigset_t before;
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGINT);
    state.descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (state.descriptor < 0 || pthread_sigmask(SIG_BLOCK, &blocked, &before) != 0) {
        return false;
    }
    pthread_attr_t attributes;
    pthread_t listener;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    const int fault = pthread_create(&listener, &attributes, listen_for_interrupts, NULL);
    (void)pthread_attr_destroy(&attributes);
    if (fault != 0) {
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return fault == 0;
}

void cli_interrupt_watch(firn_session *session) {
    (void)pthread_mutex_lock(&state.lock);
    state.session = session;
    (void)pthread_mutex_unlock(&state.lock);
}

bool cli_interrupted(void) {
    (void)pthread_mutex_lock(&state.lock);
    const bool is_raised = state.is_raised;
    (void)pthread_mutex_unlock(&state.lock);
    return is_raised;
}

void cli_interrupt_clear(void) {
    (void)pthread_mutex_lock(&state.lock);
    uint64_t count = 0;
    (void)!read(state.descriptor, &count, sizeof count);
    state.is_raised = false;
    (void)pthread_mutex_unlock(&state.lock);
}

bool cli_interrupt_wait(int descriptor) {
    struct pollfd waited[] = {{.fd = descriptor, .events = POLLIN},
                              {.fd = state.descriptor, .events = POLLIN}};
    while (poll(waited, 2, -1) < 0) {
        if (errno != EINTR) {
            return true; // Reading says what is wrong.
        }
    }
    return !cli_interrupted();
}
