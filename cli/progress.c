#include "progress.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000L

enum { FIRST_MS = 1000, NEXT_MS = 200, STACK_SIZE = 64 * 1024, LINE_MAX_SIZE = 200 };

static const char wipe[] = "\r\x1b[2K";

static struct {
    pthread_mutex_t lock; // Guards what follows, and the terminal while a line is drawn.
    pthread_cond_t changed;
    firn_statement *statement; // NULL: none is watched.
    struct timespec began;
    bool is_allowed;
    bool is_running; // The thread.
    bool is_drawn;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

// ---- Words -------------------------------------------------------------------------------------

/// A number of three digits with a unit; `units` ends in NULL.
static void scaled(cli_sink *out, uint64_t number, double step, const char *const *units) {
    double value = (double)number;
    while (value >= 999.5 && units[1] != NULL) {
        value /= step;
        units++;
    }
    const bool is_whole = (double)number < 999.5 || value >= 99.95;
    cli_sink_format(out, "%.*f%s", is_whole ? 0 : 1, value, units[0]);
}

void cli_progress_words(cli_sink *out, const firn_progress *progress, double seconds) {
    static const char *const counts[] = {"", " thousand", " million", " billion", NULL};
    static const char *const sizes[] = {" B", " KiB", " MiB", " GiB", " TiB", NULL};
    if (progress->share >= 0) {
        cli_sink_format(out, "%.0f %%, ", progress->share * 100);
    }
    // Not all that makes rows reads bytes, and not all counts what it makes.
    if (progress->rows > 0) {
        scaled(out, progress->rows, 1000, counts);
        cli_sink_text(out, progress->bytes > 0 ? " rows and " : " rows, ");
    }
    if (progress->bytes > 0) {
        scaled(out, progress->bytes, 1024, sizes);
        cli_sink_text(out, " read, ");
    }
    if (progress->spilled_bytes > 0) {
        scaled(out, progress->spilled_bytes, 1024, sizes);
        cli_sink_text(out, " spilled, ");
    }
    cli_sink_format(out, "%.0f s", seconds);
}

// ---- Drawing -----------------------------------------------------------------------------------

static void say(const char *data, size_t size) {
    (void)!write(STDERR_FILENO, data, size);
}

static double seconds_since(const struct timespec *began) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

/// Under the lock.
static void draw(void) {
    cli_sink line = CLI_SINK_MEMORY;
    firn_progress progress = FIRN_PROGRESS_INIT;
    firn_statement_progress(state.statement, &progress);
    cli_sink_text(&line, wipe);
    cli_progress_words(&line, &progress, seconds_since(&state.began));
    say(line.data, line.size);
    state.is_drawn = true;
    cli_sink_close(&line);
}

/// Waits under the lock; false once the time is over.
static bool wait_change(int milliseconds) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += (long)(milliseconds % 1000) * 1000 * 1000;
    if (until.tv_nsec >= NS_PER_S) {
        until.tv_nsec -= NS_PER_S;
        until.tv_sec += 1;
    }
    return pthread_cond_timedwait(&state.changed, &state.lock, &until) != ETIMEDOUT;
}

static void *draw_lines(void *user) {
    (void)user;
    (void)pthread_mutex_lock(&state.lock);
    for (;;) {
        while (state.statement == NULL) {
            (void)pthread_cond_wait(&state.changed, &state.lock);
        }
        // A change is another statement, or none: the first second begins anew.
        if (!wait_change(state.is_drawn ? NEXT_MS : FIRST_MS) && state.statement != NULL) {
            draw();
        }
    }
    return NULL;
}

/// Under the lock. Signals stay with the threads that had them.
static bool start_thread(void) {
    pthread_condattr_t clock;
    pthread_attr_t attributes;
    pthread_t drawer;
    sigset_t all;
    sigset_t before;
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&state.changed, &clock);
    (void)pthread_condattr_destroy(&clock);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    const int fault = pthread_create(&drawer, &attributes, draw_lines, NULL);
    (void)pthread_attr_destroy(&attributes);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return fault == 0;
}

void cli_progress_allow(bool is_allowed) {
    state.is_allowed = is_allowed;
}

bool cli_progress_is_allowed(void) {
    return state.is_allowed;
}

void cli_progress_begin(firn_statement *statement) {
    (void)pthread_mutex_lock(&state.lock);
    state.is_running = state.is_running || start_thread();
    if (state.is_running) {
        (void)clock_gettime(CLOCK_MONOTONIC, &state.began);
        state.statement = statement;
        (void)pthread_cond_signal(&state.changed);
    }
    (void)pthread_mutex_unlock(&state.lock);
}

void cli_progress_end(void) {
    (void)pthread_mutex_lock(&state.lock);
    if (state.statement != NULL) {
        state.statement = NULL;
        (void)pthread_cond_signal(&state.changed);
    }
    if (state.is_drawn) {
        say(wipe, sizeof wipe - 1);
        state.is_drawn = false;
    }
    (void)pthread_mutex_unlock(&state.lock);
}
