// Runs a scenario again and again while the first, second, third … call of a kind to the system
// fails: each time the answer is right or there is one clean error; nothing is left behind; the
// same session then answers rightly.
//
// Each time has an engine of its own, so that threads are started and catalogs read anew. "Nothing
// left behind" means: bytes taken from the pool as before, and once the engine is closed as many
// open files, threads, bytes of heap and mapped pages as before it was opened; no name in the
// folder of temporary files.
#ifndef FIRN_TESTS_FAULTS_FAULT_SWEEP_H
#define FIRN_TESTS_FAULTS_FAULT_SWEEP_H

#include "base/host.h"
#include "firn.h"

/// What is run and fails somewhere.
typedef struct fault_scenario {
    const char *name;
    const char *memory_limit;
    /// Statements whose rows together are the answer, all BIGINT or VARCHAR; NULL ends them.
    const char *const *statements;
    /// Takes back what a failed or finished attempt has done to the session, or NULL.
    const char *undo;
    /// The last statement's stream is released after so many batches; 0: read to its end.
    uint32_t batches_wanted;
    /// Each kind of call that must have occurred, so that no scenario loses its subject unnoticed.
    unsigned kinds;
    /// Kinds of calls after whose failure something may also be not found.
    unsigned may_hide;
} fault_scenario;

/// As FIRN_FAULT has it.
const char *fault_word(host_call kind);
/// Whether an error is what one may be when a call of that kind failed: one that says so.
bool fault_is_clean(host_call kind, const firn_error *err);

#define FAULT_KIND(name) (1U << HOST_##name)

/// Fails every call of every kind with one thread, thread starts with three, allocations and reads
/// with two as well. The n are all up to 200 and then every 17th;
/// FIRN_FAULTS=all: all, FIRN_FAULTS=few: every 20th.
void fault_sweep(const fault_scenario *scenario);

#endif
