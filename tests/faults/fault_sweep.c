#include "fault_sweep.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "engine/objects.h"
#include "fault_answer.h"
#include "fault_held.h"
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
    uint32_t tried;
    uint32_t right;
} sweep;

const char *fault_word(host_call kind) {
    static const char *const words[] = {
#define X(name, word) #word,
        HOST_CALL_LIST(X)
#undef X
    };
    return words[kind];
}

bool fault_is_clean(host_call kind, const firn_error *err) {
    const bool is_memory =
        kind == HOST_ALLOC || kind == HOST_ARENA || kind == HOST_MAP || kind == HOST_THREAD;
    const firn_status wanted = is_memory ? FIRN_NO_MEMORY : FIRN_IO;
    return err->status == wanted && err->length > 0 && strlen(err->text) == err->length &&
           strstr(err->text, "(null)") == NULL;
}

// ---- Answers --------------------------------------------------------------------------------

static firn_status run_scenario(const scene *self, uint64_t *answer, firn_error *err) {
    *answer = 0;
    for (const char *const *sql = self->scenario->statements; *sql != NULL; sql++) {
        const uint32_t wanted = sql[1] == NULL ? self->scenario->batches_wanted : 0;
        TRY(fault_read_answer(self->session, *sql, wanted, answer, err));
    }
    return FIRN_OK;
}

static void undo(const scene *self) {
    if (self->scenario->undo != NULL) {
        firn_error ignored = FIRN_ERROR_INIT; // A failed attempt may have done nothing.
        (void)(firn_execute(self->session, self->scenario->undo, FIRN_NUL_TERMINATED, NULL,
                            &ignored) == FIRN_OK);
    }
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

// Whether the session is as if nothing had happened.
static bool is_recovered(const scene *self, uint64_t expected) {
    firn_error err = FIRN_ERROR_INIT;
    uint64_t answer;
    undo(self);
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
    const fault_held before = fault_held_count(self->folder);
    firn_error err = FIRN_ERROR_INIT;
    scene here;
    REQUIRE(scene_open(&here, self));
    uint64_t answer;
    host_fault_set(self->kind, n);
    const firn_status status = run_scenario(&here, &answer, &err);
    host_fault_set(self->kind, 0);
    bool is_good = status == FIRN_OK
                       ? answer == self->expected && err.status == FIRN_OK
                       : fault_is_clean(self->kind, &err) || may_be_missing(self, &err);
    self->tried += 1;
    self->right += status == FIRN_OK;
    undo(&here);
    is_good = is_recovered(&here, self->expected) && is_good;
    scene_close(&here);
    is_good = fault_held_as(&before, self->folder) && is_good;
    if (!is_good) {
        printf("    %s: %s %llu of %s threads fails: %s\n", self->scenario->name,
               fault_word(self->kind), (unsigned long long)n, self->threads,
               status == FIRN_OK ? "an answer" : err.text);
    }
    CHECK(is_good);
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
    host_fault_set(self->kind, UINT64_MAX);
    CHECK(run_scenario(&here, &self->expected, &err) == FIRN_OK && err.status == FIRN_OK);
    if (err.status != FIRN_OK) {
        printf("%s: %s\n", self->scenario->name, err.text);
    }
    count = host_fault_count(self->kind);
    host_fault_set(self->kind, 0);
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
               (unsigned long long)count, fault_word(kind), threads, self.tried, self.right);
    }
}

void fault_sweep(const fault_scenario *scenario) {
    fault_held_fill_stack_cache();
    const test_folder folder = test_folder_open("faults");
    for (host_call kind = 0; kind < HOST_CALL_COUNT; kind++) {
        if (kind == HOST_ARENA && (scenario->kinds & FAULT_KIND(ARENA)) == 0) {
            continue; // Many, and of those of plans tests/faults/statements tries more.
        }
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
