// Ctrl-C at any moment of what the program `firn` does: it says so by its exit, within 50 ms.
//
// Each scenario runs once to its end to learn how long it takes, then it is interrupted at moments
// spread over that time. One that was faster is interrupted earlier.
#include "cancel_scene.h"
#include "hanging_server.h"
#include "wide_text.h"

#include <spawn.h>

#define MOMENT_US_MAX 150000 // Later ones cost time only.
#define LISTENING_MS_MAX 60000
#define LISTENING_THREADS 2
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef LISTENING_THREADS
#define LISTENING_THREADS 3 // ThreadSanitizer has one of its own.
#endif
#endif

// The program beside this one, which is built with it; false where it is not there.
static bool find_program(char path[4096]) {
    if (!host_own_path(path, 4000)) {
        return false;
    }
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return false;
    }
    memcpy(slash, "/firn", sizeof "/firn");
    return access(path, X_OK) == 0;
}

// It has a thread for Ctrl-C, which it starts before anything else.
static void wait_until_it_listens(pid_t child) {
    char folder[64];
    (void)snprintf(folder, sizeof folder, "/proc/%d/task", (int)child);
    for (int i = 0; i < LISTENING_MS_MAX && scene_entry_count(folder) < LISTENING_THREADS; i++) {
        host_sleep_ms(1);
    }
}

extern char **environ;

// What it runs: with "-c" SQL, with "-f" a file of it.
typedef struct program_work {
    const char *option, *value;
} program_work;

static pid_t spawn_program(const char *path, const char *threads, program_work what) {
    const char *const arguments[] = {path,        "--format", "csv",       "--output", "/dev/null",
                                     "--threads", threads,    what.option, what.value, NULL};
    pid_t child = 0;
    CHECK(posix_spawn(&child, path, NULL, NULL, (char *const *)(uintptr_t)arguments, environ) == 0);
    wait_until_it_listens(child);
    return child;
}

static int exit_of(pid_t child) {
    int result = 0;
    CHECK(waitpid(child, &result, 0) == child);
    return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

// Interrupts a run after so long; whether it was still running.
static bool interrupt(const char *path, const char *threads, program_work what, int64_t moment_us,
                      stop_times *times) {
    const pid_t child = spawn_program(path, threads, what);
    sleep_us(moment_us);
    const asked then = ask_now();
    CHECK(kill(child, SIGINT) == 0);
    const int code = exit_of(child);
    const int64_t took = took_ms(&then, host_clock_ns());
    CHECK(code == 130 || code == 0);
    if (code == 130) {
        add_time(times, took);
    }
    return code == 130;
}

static void interrupt_everywhere(const void *user, stop_times *all) {
    const char *path = user;
    for (size_t k = 0; k < SCENARIO_COUNT; k++) {
        stop_times times = {0};
        const program_work what = {"-c", scenarios[k].sql};
        const int64_t began_ns = host_clock_ns();
        CHECK(exit_of(spawn_program(path, "2", what)) == 0);
        int64_t moment_us = (host_clock_ns() - began_ns) / 1000;
        moment_us = moment_us < MOMENT_US_MAX ? moment_us : MOMENT_US_MAX;
        for (int64_t i = 0; i < TRIES; i++) {
            const char *threads = i % 2 == 0 ? "2" : "1";
            int64_t wait_us = moment_us * i / TRIES;
            for (int again = 0; again < AGAIN_MAX && times.count == i; again++) {
                (void)interrupt(path, threads, what, wait_us, &times);
                wait_us /= 2; // It was faster.
            }
        }
        print_times(&times, scenarios[k].name);
        CHECK(times.count == TRIES);
        add_times(all, &times);
    }
}

TEST(cancel_by_interrupting_the_program) {
    char path[4096];
    REQUIRE(find_program(path));
    check_rounds(interrupt_everywhere, path);
}

static void interrupt_while_it_hangs(const void *user, stop_times *all) {
    const char *path = user;
    static const char *const forms[] = {
        "SELECT * FROM '@/silent.parquet'",
        "SELECT sum(distance) FROM '@/stuck.parquet'",
        "ATTACH '@/silent' AS lake (TYPE iceberg)",
        "ATTACH '@' AS lake (TYPE iceberg); SELECT * FROM lake.db.sales",
    };
    hanging_server server;
    REQUIRE(hanging_server_open(&server));
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
        char sql[HANGING_SQL_MAX];
        stop_times times = {0};
        for (int64_t i = 0; i < (SERIES_TRIES + 3) / 4; i++) {
            const program_work what = {"-c", hanging_sql(&server, forms[k], sql)};
            CHECK(interrupt(path, i % 2 == 0 ? "2" : "1", what, 5000 + 2000 * i, &times));
        }
        print_times(&times, forms[k]);
        add_times(all, &times);
    }
    hanging_server_close(&server);
}

TEST(cancel_by_interrupting_the_program_while_a_server_hangs) {
    char path[4096];
    REQUIRE(find_program(path));
    check_rounds(interrupt_while_it_hangs, path);
}

// Seconds of parsing, binding and optimizing: it is interrupted long before it begins to run.
static const wide_text wide_texts[] = {
    {"SELECT 1", " + #", ""},
    {"SELECT count(*) FROM range(9) t(x) WHERE x = 0", " OR (x = # AND x < 5)", ""},
};
#define WIDE_COUNT 200000

static bool write_file(const char *path, const wide_text *of) {
    char *sql = wide_text_spell(of, WIDE_COUNT);
    FILE *file = fopen(path, "w");
    bool is_good = sql != NULL && file != NULL && fputs(sql, file) >= 0;
    is_good = file != NULL && fclose(file) == 0 && is_good;
    free(sql);
    return is_good;
}

static void interrupt_while_it_plans(const void *user, stop_times *all) {
    const char *path = user;
    char file[] = "/tmp/firn_wide_XXXXXX";
    const int handle = mkstemp(file);
    REQUIRE(handle >= 0);
    (void)close(handle);
    for (size_t k = 0; k < sizeof wide_texts / sizeof *wide_texts; k++) {
        stop_times times = {0};
        REQUIRE(write_file(file, &wide_texts[k]));
        for (int64_t i = 0; i < (SERIES_TRIES + 1) / 2; i++) {
            const program_work what = {"-f", file};
            CHECK(interrupt(path, i % 2 == 0 ? "2" : "1", what, 5000 + 4000 * i, &times));
        }
        print_times(&times, wide_texts[k].repeated);
        add_times(all, &times);
    }
    CHECK(unlink(file) == 0);
}

TEST(cancel_by_interrupting_the_program_while_it_plans) {
    char path[4096];
    REQUIRE(find_program(path));
    check_rounds(interrupt_while_it_plans, path);
}
