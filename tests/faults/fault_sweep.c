#include "fault_sweep.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SANITIZE_ADDRESS__)
#define HAS_HEAP_COUNT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_HEAP_COUNT 1
#endif
#endif
#if defined(HAS_HEAP_COUNT)
#include <sanitizer/allocator_interface.h>
#endif

#include "base/test.h"
#include "column/arrow.h"
#include "engine/objects.h"
#include "io/test_folder.h"
#include "memory/pool.h"

#define EVERY_UNTIL 200
#define STEP_BEHIND 17
#define STEP_OF_MANY_THREADS 7
#define STEP_OF_FEW 20

typedef struct scene {
    const fault_scenario *scenario;
    firn_engine *engine;
    firn_session *session;
    uint64_t pool_bytes; // Taken when nothing had run.
} scene;

// One sweep: which call fails, among how many threads.
typedef struct sweep {
    const fault_scenario *scenario;
    host_call kind;
    const char *threads;
    const char *folder; // Of temporary files.
    uint64_t expected;
    uint64_t old_state; // What `check` says before and after the statements.
    uint64_t new_state;
    uint32_t tried;
    uint32_t right;
} sweep;

static const char *const kind_words[] = {
#define X(name, word) #word,
    HOST_CALL_LIST(X)
#undef X
};

// ---- Answers -----------------------------------------------------------------------------------

WRAPS static void mix(uint64_t *answer, uint64_t value) {
    *answer = (*answer ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    *answer ^= *answer >> 29;
}

static bool is_valid(const struct ArrowArray *values, int64_t row) {
    const uint8_t *bits = values->buffers[0];
    const int64_t at = values->offset + row;
    return bits == NULL || (bits[at / 8] >> (at % 8) & 1) != 0;
}

static void mix_value(uint64_t *answer, const char *format, const struct ArrowArray *values,
                      int64_t row) {
    const int64_t at = values->offset + row;
    if (!is_valid(values, row)) {
        mix(answer, UINT64_C(0x6e756c6c));
    } else if (strcmp(format, "l") == 0) {
        mix(answer, (uint64_t)((const int64_t *)values->buffers[1])[at]);
    } else {
        const int32_t *offsets = values->buffers[1];
        const char *data = values->buffers[2];
        for (int32_t i = offsets[at]; i < offsets[at + 1]; i++) {
            mix(answer, (unsigned char)data[i]);
        }
    }
}

static firn_status read_rows(struct ArrowArrayStream *rows, uint32_t batches_wanted,
                             uint64_t *answer, firn_error *err) {
    struct ArrowSchema columns = {0};
    if (rows->get_schema(rows, &columns) != 0) {
        return FAIL(err, FIRN_NO_MEMORY, "the schema: %s", rows->get_last_error(rows));
    }
    firn_status status = FIRN_OK;
    for (uint32_t i = 0; batches_wanted == 0 || i < batches_wanted; i++) {
        struct ArrowArray batch = {0};
        if (rows->get_next(rows, &batch) != 0) {
            CHECK(firn_stream_error(rows, err) == FIRN_OK);
            status = err->status;
            CHECK(status != FIRN_OK && batch.release == NULL);
            break;
        }
        if (batch.release == NULL) {
            break;
        }
        for (int64_t row = 0; row < batch.length; row++) {
            for (int64_t column = 0; column < batch.n_children; column++) {
                mix_value(answer, columns.children[column]->format, batch.children[column], row);
            }
        }
        batch.release(&batch);
    }
    columns.release(&columns);
    return status;
}

static firn_status read_answer(const scene *self, const char *sql, uint32_t batches_wanted,
                               uint64_t *answer, firn_error *err) {
    struct ArrowArrayStream rows = {0};
    TRY(firn_query(self->session, sql, FIRN_NUL_TERMINATED, &rows, err));
    const firn_status status = read_rows(&rows, batches_wanted, answer, err);
    rows.release(&rows);
    return status;
}

static firn_status run_scenario(const scene *self, uint64_t *answer, firn_error *err) {
    *answer = 0;
    for (const char *const *sql = self->scenario->statements; *sql != NULL; sql++) {
        const uint32_t wanted = sql[1] == NULL ? self->scenario->batches_wanted : 0;
        TRY(read_answer(self, *sql, wanted, answer, err));
    }
    return FIRN_OK;
}

static void prepare(const scene *self) {
    for (const char *const *sql = self->scenario->before; sql != NULL && *sql != NULL; sql++) {
        firn_error err = FIRN_ERROR_INIT;
        if (firn_execute(self->session, *sql, FIRN_NUL_TERMINATED, NULL, &err) != FIRN_OK) {
            printf("before: %s: %s\n", *sql, err.text);
            CHECK(false);
        }
    }
}

// What the tables say; a transaction that a failed attempt left is given up.
static uint64_t state_of(const scene *self) {
    uint64_t answer = 0;
    firn_error err = FIRN_ERROR_INIT;
    if (self->scenario->check == NULL) {
        return 0;
    }
    if (self->scenario->before != NULL) {
        firn_error ignored = FIRN_ERROR_INIT;
        (void)(firn_execute(self->session, "ROLLBACK", FIRN_NUL_TERMINATED, NULL, &ignored) ==
               FIRN_OK);
    }
    if (read_answer(self, self->scenario->check, 0, &answer, &err) != FIRN_OK) {
        mix(&answer, UINT64_C(0x6661696c) + (uint64_t)err.status); // There is no such table.
    }
    return answer;
}

static void undo(const scene *self) {
    for (const char *const *sql = self->scenario->after; sql != NULL && *sql != NULL; sql++) {
        firn_error ignored = FIRN_ERROR_INIT;
        (void)(firn_execute(self->session, *sql, FIRN_NUL_TERMINATED, NULL, &ignored) == FIRN_OK);
    }
    if (self->scenario->undo != NULL) {
        firn_error ignored = FIRN_ERROR_INIT; // A failed attempt may have done nothing.
        (void)(firn_execute(self->session, self->scenario->undo, FIRN_NUL_TERMINATED, NULL,
                            &ignored) == FIRN_OK);
    }
}

// ---- What is held ------------------------------------------------------------------------------

typedef struct held {
    uint32_t files;
    uint32_t threads;
    uint32_t names; // In the folder of temporary files.
    uint64_t mapped_bytes;
    uint64_t heap_bytes;
} held;

static firn_status count_entry(void *user, const char *name, bool is_folder, firn_error *err) {
    (void)name;
    (void)is_folder;
    (void)err;
    *(uint32_t *)user += 1;
    return FIRN_OK;
}

static uint32_t entry_count(const char *folder) {
    firn_error err = ERR_INIT;
    uint32_t count = 0;
    CHECK(host_list(folder, count_entry, &count, &err) == FIRN_OK);
    return count;
}

typedef struct file_count {
    const char *folder;
    uint32_t files;
} file_count;

static firn_status count_file(void *user, const char *name, bool is_folder, firn_error *err) {
    file_count *self = user;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", self->folder, name);
    if (!is_folder) {
        self->files += 1;
        return FIRN_OK;
    }
    file_count below = {.folder = path};
    const firn_status status = host_list(path, count_file, &below, err);
    self->files += below.files;
    return status;
}

// Files that a scenario wrote and nobody took away.
static uint32_t written_count(const fault_scenario *scenario) {
    firn_error err = ERR_INIT;
    file_count self = {.folder = scenario->written};
    if (scenario->written != NULL) {
        CHECK(host_list(self.folder, count_file, &self, &err) == FIRN_OK);
    }
    return self.files;
}

static held count_held(const char *folder) {
    held self = {.files = entry_count("/proc/self/fd"),
                 .threads = entry_count("/proc/self/task"),
                 .names = entry_count(folder),
                 .mapped_bytes = host_mapped_bytes()};
#if defined(HAS_HEAP_COUNT)
    self.heap_bytes = __sanitizer_get_current_allocated_bytes();
#endif
    return self;
}

static bool is_same(const held *before, const held *after) {
    const bool is = before->files == after->files && before->threads >= after->threads &&
                    before->names == after->names && before->mapped_bytes == after->mapped_bytes &&
                    before->heap_bytes >= after->heap_bytes;
    if (!is) {
        printf("held before and after: files %u %u, threads %u %u, names %u %u, mapped %llu %llu, "
               "heap %llu %llu\n",
               before->files, after->files, before->threads, after->threads, before->names,
               after->names, (unsigned long long)before->mapped_bytes,
               (unsigned long long)after->mapped_bytes, (unsigned long long)before->heap_bytes,
               (unsigned long long)after->heap_bytes);
    }
    return is;
}

// ---- Sweeps ------------------------------------------------------------------------------------

static bool scene_open(scene *self, const sweep *how) {
    const firn_option options[] = {{"memory_limit", how->scenario->memory_limit},
                                   {"threads", how->threads},
                                   {"temp_directory", how->folder}};
    firn_error err = FIRN_ERROR_INIT;
    *self = (scene){.scenario = how->scenario};
    if (firn_engine_open(options, 3, &self->engine, &err) != FIRN_OK ||
        firn_session_open(self->engine, &self->session, &err) != FIRN_OK) {
        printf("%s\n", err.text);
        return false;
    }
    self->pool_bytes = pool_used(self->engine->pool);
    return true;
}

static void scene_close(scene *self) {
    firn_session_close(self->session);
    firn_engine_close(self->engine);
}

// What an error may be when a call of that kind failed: one that says so.
static bool is_clean(host_call kind, const firn_error *err) {
    const bool is_memory = kind == HOST_ALLOC || kind == HOST_MAP || kind == HOST_THREAD;
    const firn_status wanted = is_memory ? FIRN_NO_MEMORY : FIRN_IO;
    return err->status == wanted && err->length > 0 && strlen(err->text) == err->length &&
           strstr(err->text, "(null)") == NULL;
}

// Whether the session is as if nothing had happened.
static bool is_recovered(const scene *self, uint64_t expected) {
    firn_error err = FIRN_ERROR_INIT;
    uint64_t answer;
    undo(self);
    prepare(self);
    const bool is_answered = run_scenario(self, &answer, &err) == FIRN_OK && answer == expected;
    if (!is_answered) {
        printf("afterwards: %s\n", err.status == FIRN_OK ? "another answer" : err.text);
    }
    undo(self);
    firn_engine_trim(self->engine, 0);
    const uint64_t bytes = pool_used(self->engine->pool);
    if (bytes != self->pool_bytes) {
        printf("%llu bytes of the pool before, %llu afterwards\n",
               (unsigned long long)self->pool_bytes, (unsigned long long)bytes);
    }
    return is_answered && bytes == self->pool_bytes;
}

static bool may_be_missing(const sweep *self, const firn_error *err) {
    return (self->scenario->may_hide & 1U << self->kind) != 0 && err->status == FIRN_NOT_FOUND;
}

static void try_fault(sweep *self, uint64_t n) {
    const held before = count_held(self->folder);
    firn_error err = FIRN_ERROR_INIT;
    scene here;
    REQUIRE(scene_open(&here, self));
    uint64_t answer;
    const uint32_t written = written_count(self->scenario);
    prepare(&here);
    host_fault_set(self->kind, n);
    const firn_status status = run_scenario(&here, &answer, &err);
    host_fault_set(self->kind, 0);
    const uint64_t state = state_of(&here);
    bool is_good = status == FIRN_OK ? answer == self->expected && err.status == FIRN_OK
                                     : is_clean(self->kind, &err) || may_be_missing(self, &err);
    self->tried += 1;
    self->right += status == FIRN_OK;
    if (state != self->new_state && (status == FIRN_OK || state != self->old_state)) {
        printf("neither old nor new\n");
        is_good = false;
    }
    undo(&here);
    // What cannot be removed stays.
    if (written_count(self->scenario) != written && self->kind != HOST_REMOVE) {
        printf("%u files before, %u afterwards\n", written, written_count(self->scenario));
        is_good = false;
    }
    is_good = is_recovered(&here, self->expected) && is_good;
    scene_close(&here);
    held after = count_held(self->folder);
    // The system lists a thread that was joined a moment longer.
    for (int tries = 0; tries < 1000 && after.threads > before.threads; tries++) {
        host_sleep_ms(1);
        after = count_held(self->folder);
    }
    is_good = is_same(&before, &after) && is_good;
    if (!is_good) {
        printf("    %s: %s %llu of %s threads fails: %s\n", self->scenario->name,
               kind_words[self->kind], (unsigned long long)n, self->threads,
               status == FIRN_OK ? "an answer" : err.text);
    }
    CHECK(is_good);
}

static bool scenario_has_two_states(const sweep *self) {
    return self->scenario->check == NULL || self->old_state != self->new_state;
}

// The calls of a kind that the scenario makes, and its right answer; warms what a process has once.
static uint64_t count_calls(sweep *self) {
    firn_error err = FIRN_ERROR_INIT;
    scene here;
    uint64_t count = 0;
    if (!scene_open(&here, self)) {
        CHECK(false);
        return 0;
    }
    prepare(&here);
    self->old_state = state_of(&here);
    host_fault_set(self->kind, UINT64_MAX);
    CHECK(run_scenario(&here, &self->expected, &err) == FIRN_OK && err.status == FIRN_OK);
    if (err.status != FIRN_OK) {
        printf("%s: %s\n", self->scenario->name, err.text);
    }
    count = host_fault_count(self->kind);
    host_fault_set(self->kind, 0);
    self->new_state = state_of(&here);
    CHECK(scenario_has_two_states(self));
    CHECK(is_recovered(&here, self->expected));
    scene_close(&here);
    return count;
}

static uint64_t next_fault(uint64_t n, uint64_t step) {
    const char *wish = host_environment("FIRN_FAULTS");
    if (wish != NULL && strcmp(wish, "all") == 0) {
        return n + 1;
    }
    if (wish != NULL && strcmp(wish, "few") == 0) {
        return n + STEP_OF_FEW;
    }
    return n + (n < EVERY_UNTIL ? step : STEP_BEHIND * step);
}

static void sweep_kind(const fault_scenario *scenario, host_call kind, const char *threads,
                       const char *folder, uint64_t step) {
    sweep self = {.scenario = scenario, .kind = kind, .threads = threads, .folder = folder};
    const uint64_t count = count_calls(&self);
    CHECK(count > 0 || (scenario->kinds & 1U << kind) == 0);
    for (uint64_t n = 1; n <= count; n = next_fault(n, step)) {
        try_fault(&self, n);
    }
    if (count > 0) {
        printf("%s: %llu times %s with %s threads, %u failed, %u answers\n", scenario->name,
               (unsigned long long)count, kind_words[kind], threads, self.tried, self.right);
    }
}

static void wait_until(void *user) {
    const atomic_bool *is_over = user;
    while (!atomic_load(is_over)) {
        host_sleep_ms(1);
    }
}

// The C library keeps the stacks of threads that ended, with some heap each. Afterwards it has as
// many as a scenario ever needs.
static void fill_stack_cache(void) {
    host_thread *threads[8] = {NULL};
    atomic_bool is_over = false;
    firn_error err = ERR_INIT;
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        CHECK(host_thread_start(wait_until, &is_over, &threads[i], &err) == FIRN_OK);
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        host_thread_join(threads[i]);
    }
}

void fault_sweep(const fault_scenario *scenario) {
    fill_stack_cache();
    const test_folder folder = test_folder_open("faults");
    for (host_call kind = 0; kind < HOST_CALL_COUNT; kind++) {
        if (kind == HOST_THREAD) { // In this mode threads start at once, else with enough to do.
            CHECK(setenv("FIRN_TEST", "wait", 1) == 0);
            sweep_kind(scenario, kind, "3", folder.path, 1);
            CHECK(unsetenv("FIRN_TEST") == 0);
        } else {
            sweep_kind(scenario, kind, "1", folder.path, 1);
        }
    }
    // Which call fails then is chance: another reason to come again, not a reason to try all.
    sweep_kind(scenario, HOST_ALLOC, "2", folder.path, STEP_OF_MANY_THREADS);
    sweep_kind(scenario, HOST_READ, "2", folder.path, STEP_OF_MANY_THREADS);
    test_folder_close(&folder);
}
