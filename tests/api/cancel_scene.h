// What the tests of cancelling share: queries that take a moment, what must be as before when one
// was stopped, and a thread that pulls.
//
// The issue is 50 ms in the release build, of 95 tries in 100. A try whose query had ended before
// it was asked to is none, and is made again. Others may be at work on this machine: of what was
// spent while somebody waited for a processor up to 100 ms are not counted, and where too many are
// late all are tried again. So nothing that hangs passes, however busy it is. In builds with
// assertions or sanitizers the clock is not looked at, and there are fewer tries.
#ifndef FIRN_TESTS_API_CANCEL_SCENE_H
#define FIRN_TESTS_API_CANCEL_SCENE_H

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "scene.h"

#if defined(NDEBUG)
#define TRIES 7          // Of each scenario.
#define LARGE_TRIES 3    // Of each scenario with one large value.
#define SERIES_TRIES 100 // Of all that are alike.
#define HAS_CLOCK true
#else
#define TRIES 2
#define LARGE_TRIES 1
#define SERIES_TRIES 6
#define HAS_CLOCK false
#endif
#define ANSWER_MS_MAX 50
#define BUSY_MS_MAX 100
#define ROUNDS 3
#define AGAIN_MAX 20 // Tries for one that counts.

#define SERIES(count) "generate_series(1, " #count ") s(n)"
#define EIGHT(file) file ", " file ", " file ", " file ", " file ", " file ", " file ", " file
#define FLIGHTS_FILE "'examples/data/nycflights13/flights.parquet'"
#define LARGE "SELECT * FROM iceberg_scan('tests/data/iceberg/large')"

typedef struct scenario {
    const char *name;
    const char *sql;
    const char *memory_limit;
} scenario;

static const scenario scenarios[] = {
    {"scan",
     "SELECT CAST(sum(distance) AS BIGINT) FROM read_parquet([" EIGHT(
         FLIGHTS_FILE) "]) "
                       "WHERE tailnum LIKE '%N1%' OR dest LIKE '%A%'",
     "1GB"},
    {"Iceberg scan with deletes",
     "SELECT CAST(sum(id) + count(note) AS BIGINT) FROM (" LARGE " UNION ALL " LARGE
     " UNION ALL " LARGE " UNION ALL " LARGE ")",
     "1GB"},
    {"sort", "SELECT n FROM " SERIES(200000) " ORDER BY (n * 7919) % 1000003, n", "1GB"},
    {"sort of texts",
     "SELECT n FROM " SERIES(120000) " ORDER BY CAST((n * 7919) % 1000003 AS VARCHAR) || "
                                     "'abcdefghijkl', n",
     "1GB"},
    {"sort that spills", "SELECT n FROM " SERIES(600000) " ORDER BY (n * 7919) % 1000003, n",
     "32MB"},
    {"aggregation",
     "SELECT CAST(sum(c) AS BIGINT) FROM (SELECT n % 300000 AS k, count(*) AS c, max(n) "
     "FROM " SERIES(1000000) " GROUP BY 1)",
     "1GB"},
    {"aggregation that spills",
     "SELECT CAST(sum(c) AS BIGINT) FROM (SELECT n % 600000 AS k, count(*) AS c, max(n) "
     "FROM " SERIES(1200000) " GROUP BY 1)",
     "32MB"},
    {"join build",
     "SELECT CAST(count(*) AS BIGINT) FROM generate_series(1, 500000) a(n) JOIN "
     "(SELECT n * 3 AS m FROM generate_series(1, 500000) b(n)) ON a.n = m",
     "1GB"},
    {"join that spills",
     "SELECT CAST(count(*) AS BIGINT) FROM generate_series(1, 800000) a(n) JOIN "
     "(SELECT n * 3 AS m FROM generate_series(1, 800000) b(n)) ON a.n = m",
     "32MB"},
    {"nested loop",
     "SELECT CAST(count(*) AS BIGINT) FROM generate_series(1, 4000) a(n), "
     "generate_series(1, 4000) b(n) WHERE a.n * b.n % 1000 = b.n + 7",
     "1GB"},
    {"long texts",
     "SELECT max(length(replace(repeat('ab', 2000000 + CAST(n AS INTEGER)), 'a', 'xx'))) "
     "FROM " SERIES(3),
     "1GB"},
    {"texts compared",
     "SELECT max(levenshtein(repeat('ab', 1500 + CAST(n AS INTEGER)), repeat('ba', 1500))) "
     "FROM " SERIES(3),
     "1GB"},
    {"lists sorted", "SELECT max(len(list_sort(range(1, 100000 + n)))) FROM " SERIES(3), "1GB"},
    {"regular expressions",
     "SELECT max(length(regexp_replace(repeat('ab', 100000 + CAST(n AS INTEGER)), 'a', 'xx', "
     "'g'))) FROM " SERIES(5),
     "1GB"},
    {"rows handed out", "SELECT n FROM " SERIES(3000000), "1GB"},
};
#define SCENARIO_COUNT (sizeof scenarios / sizeof scenarios[0])

// One value each that takes long, so that what stops only between two values is late every time.
#if HAS_CLOCK
#define HUGE_COUNT "20000000"
#define MANY_COUNT "6000000"
#else
#define HUGE_COUNT "700000"
#define MANY_COUNT "100000"
#endif
#define OF_TEXT(value, text)                                                                       \
    {value,                                                                                        \
     "SELECT " value " FROM (SELECT repeat('" text "', " HUGE_COUNT " + n) AS s "                  \
     "FROM generate_series(0, 0) g(n)) AS t",                                                      \
     "3GB"}
#define OF_LIST(value)                                                                             \
    {value,                                                                                        \
     "SELECT " value " FROM (SELECT range(n, " MANY_COUNT " + n) AS l "                            \
     "FROM generate_series(0, 0) g(n)) AS t",                                                      \
     "3GB"}

#define OF_LISTS(clause)                                                                           \
    {clause,                                                                                       \
     "SELECT len(l) FROM (SELECT range(0, " MANY_COUNT " / 2 + n) AS l "                           \
     "FROM generate_series(0, 1) g(n)) AS t " clause,                                              \
     "3GB"}

static const scenario large_values[] = {
    OF_TEXT("length(repeat(s, 10))", "ab "),
    OF_TEXT("length(regexp_replace(s, 'x', 'y', 'g') || s)", "ab "),
    OF_TEXT("length(regexp_replace(s, 'b', 'yy', 'g'))", "ab "),
    OF_TEXT("regexp_count(s, 'a')", "ab "),
    OF_TEXT("len(regexp_split_to_array(s, ' '))", "ab "),
    OF_TEXT("length(replace(s, 'b', 'yy'))", "ab "),
    OF_TEXT("length(translate(s, 'ab', 'x'))", "ab "),
    OF_TEXT("length(lpad(s, 600000000, 'xyz'))", "ab "),
    OF_TEXT("length(reverse(s))", "ab "),
    OF_TEXT("length(upper(s))", "éb"),
    OF_TEXT("length(initcap(s))", "ab "),
    OF_TEXT("md5(s)", "ab "),
    OF_TEXT("length(sha256(s))", "ab "),
    OF_TEXT("length(encode(s, 'base64'))", "ab "),
    OF_TEXT("len(string_to_array(s, ' '))", "ab "),
    OF_TEXT("split_part(s, ' ', 19999999)", "ab "),
    OF_TEXT("split_part(s, ' ', -5)", "ab "),
    OF_TEXT("length(right(s, 35000000))", "éb"),
    OF_TEXT("length(trim(s))", "  "),
    OF_TEXT("s LIKE '%a_x%'", "ab "),
    OF_TEXT("s ILIKE '%x%'", "ab "),
    OF_LIST("len(list_sort(l))"),
    OF_LIST("list_unique(l)"),
    OF_LIST("len(list_reverse(l))"),
    OF_LIST("len(list_concat(l, l))"),
    OF_LIST("length(array_to_string(l, ', '))"),
    OF_LIST("list_position(l, -1)"),
    OF_LIST("len(CAST(l AS DOUBLE[]))"),
    OF_LIST("length(CAST(l AS VARCHAR))"),
    OF_LIST("len(CAST('[' || array_to_string(l, ',') || ']' AS BIGINT[]))"),
    OF_TEXT("s LIKE s", "ab "),
    OF_TEXT("length(max(repeat(s, 5)))", "ab "),
    OF_LIST("l = list_concat(l, [])"),
    OF_LIST("hash(l)"),
    OF_LIST("len(max(l))"),
    OF_LIST("l"),
    OF_LISTS("ORDER BY l DESC"),
    OF_LISTS("GROUP BY l"),
};
#define LARGE_VALUE_COUNT (sizeof large_values / sizeof large_values[0])

static inline uint32_t kept_files_max(const scenario *self) {
    return strstr(self->sql, "iceberg_scan") != NULL ? 64 : 0;
}

static inline const scenario *scenario_of(const char *name) {
    const scenario *found = scenarios;
    while (strcmp(found->name, name) != 0) {
        found++;
    }
    return found;
}

/// A moment in which something was asked to stop.
typedef struct asked {
    int64_t at_ns;
    int64_t busy_us; // busy_us() of then.
} asked;

/// Microseconds so far in which any program waited for a processor; 0 where the system does not
/// say.
static inline int64_t busy_us(void) {
    long long total = 0;
    FILE *file = fopen("/proc/pressure/cpu", "r");
    if (file != NULL) {
        (void)!fscanf(file, "some avg10=%*f avg60=%*f avg300=%*f total=%lld", &total);
        (void)fclose(file);
    }
    return total;
}

static inline asked ask_now(void) {
    const int64_t busy = busy_us();
    return (asked){.at_ns = host_clock_ns(), .busy_us = busy};
}

/// Milliseconds from then to `ended_ns`, at the most.
static inline int64_t took_ms(const asked *self, int64_t ended_ns) {
    const int64_t took = (ended_ns - self->at_ns) / 1000000;
    if (took <= ANSWER_MS_MAX) {
        return took < 0 ? 0 : took;
    }
    const int64_t busy = (busy_us() - self->busy_us) / 1000;
    return took - (busy < BUSY_MS_MAX ? busy : BUSY_MS_MAX);
}

/// How long stopping took, of several tries.
typedef struct stop_times {
    uint32_t count;
    uint32_t late_count;
    int64_t latest_ms;
} stop_times;

static inline void add_time(stop_times *self, int64_t took_ms) {
    self->count += 1;
    self->late_count += took_ms > ANSWER_MS_MAX;
    self->latest_ms = took_ms > self->latest_ms ? took_ms : self->latest_ms;
}

/// Adds a try, if its query was at work when it was asked to stop.
static inline bool add_try(stop_times *self, const asked *then, int64_t ended_ns) {
    if (ended_ns <= then->at_ns) {
        return false;
    }
    add_time(self, took_ms(then, ended_ns));
    return true;
}

static inline void add_times(stop_times *self, const stop_times *others) {
    self->count += others->count;
    self->late_count += others->late_count;
    self->latest_ms = others->latest_ms > self->latest_ms ? others->latest_ms : self->latest_ms;
}

static inline void print_times(const stop_times *self, const char *name) {
    printf("     %-26s %lld ms at most to stop, %u of %u late\n", name, (long long)self->latest_ms,
           self->late_count, self->count);
}

/// Checks that 95 of the 100 that a round adds to `all` were in time, where time counts.
static inline void check_rounds(void (*round)(const void *user, stop_times *all),
                                const void *user) {
    bool is_in_time = false;
    for (int i = 0; i < ROUNDS && !is_in_time; i++) {
        stop_times all = {0};
        round(user, &all);
        print_times(&all, "all");
        CHECK(!HAS_CLOCK || all.count >= 100);
        is_in_time = !HAS_CLOCK || all.late_count * 20 <= all.count;
    }
    CHECK(is_in_time);
}

// ---- What must be as before --------------------------------------------------------------------

typedef struct before {
    uint32_t files;
    uint32_t kept_files_max; // Handles of immutable files, of one file perhaps several, stay open.
    char folder[64];
} before;

static inline bool begin(scene *here, const char *threads, const char *memory_limit, before *out) {
    (void)snprintf(out->folder, sizeof out->folder, "/tmp/firn_cancel_XXXXXX");
    if (mkdtemp(out->folder) == NULL) {
        return false;
    }
    // What the cache keeps is no query's.
    const char *const options[] = {
        "memory_limit", memory_limit, "temp_directory", out->folder, "block_cache", "off", NULL};
    const bool is_open = scene_open_with(here, threads, options);
    out->files = scene_entry_count("/proc/self/fd");
    out->kept_files_max = 0;
    return is_open;
}

static inline void check_given_back(const scene *here, const before *was, const char *name) {
    const uint64_t bytes = scene_pool_bytes(here);
    if (bytes != 0) {
        printf("%s: %llu bytes are still taken\n", name, (unsigned long long)bytes);
    }
    CHECK(bytes == 0);
    CHECK(spill_area_bytes(here->engine->spill) == 0);
    CHECK(scene_entry_count(was->folder) == 0);
    const uint32_t files = scene_entry_count("/proc/self/fd");
    CHECK(files >= was->files && files <= was->files + was->kept_files_max);
    firn_error err = FIRN_ERROR_INIT;
    CHECK(scene_number(here->session, "SELECT CAST(41 + 1 AS BIGINT)", &err) == 42);
}

static inline void end(scene *here, const before *was) {
    scene_close(here);
    CHECK(host_thread_count() == 0);
    CHECK(rmdir(was->folder) == 0);
}

// ---- A thread that pulls -----------------------------------------------------------------------

typedef struct puller {
    struct ArrowArrayStream rows;
    firn_session *session; // With `script`, which is executed instead.
    const char *script;
    firn_error err;
    int code;
    int64_t ended_ns;
    atomic_bool has_ended;
} puller;

static inline void pull(void *user) {
    puller *self = user;
    self->code = 0;
    if (self->script != NULL) {
        self->code = firn_execute(self->session, self->script, FIRN_NUL_TERMINATED, NULL,
                                  &self->err) == FIRN_OK
                         ? 0
                         : EINVAL;
    }
    for (bool is_end = self->script != NULL; !is_end;) {
        struct ArrowArray batch = {0};
        self->code = self->rows.get_next(&self->rows, &batch);
        is_end = self->code != 0 || batch.release == NULL;
        if (batch.release != NULL) {
            batch.release(&batch);
        }
    }
    if (self->code != 0 && self->script == NULL) {
        (void)firn_stream_error(&self->rows, &self->err);
    }
    if (self->script == NULL) {
        self->rows.release(&self->rows);
    }
    self->ended_ns = host_clock_ns();
    atomic_store(&self->has_ended, true);
}

static inline bool start(puller *self, const scene *here, const scenario *what,
                         host_thread **thread) {
    firn_error err = FIRN_ERROR_INIT;
    *self = (puller){.session = here->session, .err = FIRN_ERROR_INIT};
    return scene_query(here->session, what->sql, &self->rows) &&
           host_thread_start(pull, self, thread, &err) == FIRN_OK;
}

// How long the whole query takes, in microseconds; also shows that it works.
static inline int64_t time_whole(const scene *here, const scenario *what) {
    puller self;
    host_thread *thread = NULL;
    const int64_t began_ns = host_clock_ns();
    if (!start(&self, here, what, &thread)) {
        return 0;
    }
    host_thread_join(thread);
    if (self.code != 0) {
        printf("%s: %s\n", what->name, self.err.text);
        return 0;
    }
    return (self.ended_ns - began_ns) / 1000;
}

static inline void sleep_us(int64_t us) {
    (void)usleep((useconds_t)us);
}

/// Cancels the session of a statement that runs inside its call until it ends: it may not have
/// begun when first asked. Adds the time from then on.
static inline bool cancel_until_ended(puller *self, host_thread *thread, stop_times *times) {
    const asked then = ask_now();
    while (!atomic_load(&self->has_ended)) {
        firn_session_cancel(self->session);
        host_sleep_ms(1);
    }
    host_thread_join(thread);
    return add_try(times, &then, self->ended_ns);
}

#endif
