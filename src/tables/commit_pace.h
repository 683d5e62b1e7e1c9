// How often and how long a commit is tried: attempts, with pauses that grow between them, until a
// deadline. Of tables (transaction_commit.c) and of views (catalogs/view_commit.c).
#ifndef FIRN_TABLES_COMMIT_PACE_H
#define FIRN_TABLES_COMMIT_PACE_H

#include "base/error.h"
#include "base/mutex.h"

typedef struct commit_options {
    uint32_t attempts_max; ///< Here and below 0: as the properties of what is committed say.
    uint32_t pause_ms_min, pause_ms_max;
    uint32_t deadline_ms; ///< For all attempts together; UINT32_MAX: none.
} commit_options;

/// Iceberg's usual ones: 5 attempts, pauses of 100 ms to 1 minute, 30 minutes.
commit_options commit_options_usual(void);

typedef struct commit_pace {
    commit_options options;
    int64_t begun_ns;
    uint32_t attempts; ///< So far; whoever tries counts them.
    const cancel_flag *cancel;
} commit_pace;

/// Begins now, with the usual options. Keeps `cancel`, which may be NULL.
commit_pace commit_pace_begin(const cancel_flag *cancel);
/// Takes other options, which hold from the beginning: at least one attempt, and pauses.
void commit_pace_take(commit_pace *self, const commit_options *options);
/// What is left until the deadline; UINT32_MAX: there is none.
uint32_t commit_pace_left_ms(const commit_pace *self);
/// Whether no attempt may follow.
bool commit_pace_is_over(const commit_pace *self);
/// Waits before the next attempt, at most until the deadline. Each pause is twice the one before,
/// between half and the whole of that by chance, so that many writers do not come back together.
/// Errors: as cancel_check.
firn_status commit_pace_rest(const commit_pace *self, firn_error *err);

#endif
