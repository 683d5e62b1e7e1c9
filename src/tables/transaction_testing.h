// For tests of transactions: a small table format and a small catalog, both in memory. A table is
// numbers; rows are added and taken away.
#ifndef FIRN_TABLES_TRANSACTION_TESTING_H
#define FIRN_TABLES_TRANSACTION_TESTING_H

#include "tables/transaction.h"

#include <string.h>

#include "base/host.h"
#include "base/test.h"

#define ROWS_MAX 64
#define STEPS_MAX 64
#define TABLES_MAX 4
#define MEMORY_LIMIT ((size_t)1 << 20)

// A state of a table: numbers, and the ids of the commits that made it.
typedef struct state {
    uint32_t count;
    int64_t values[ROWS_MAX];
    uint64_t version; // Also how many ids there are.
    uint64_t ids[ROWS_MAX];
    uint64_t deletions; // Versions that took rows away.
} state;

typedef struct snapshot {
    table_snapshot base;
    state state;
} snapshot;

static inline const state *state_of(const table_snapshot *self) {
    return &((const snapshot *)(const void *)self)->state;
}

typedef struct stored {
    text name; // Of size 0: none.
    state now;
    char spelled[8]; // What `name` is of a new one.
} stored;

// What the next commits come to: done or not, and what the server says of it.
typedef struct script {
    bool is_lost;      // No answer comes.
    bool does_not;     // Though it would fit.
    firn_status fails; // Nothing was asked of anybody.
} script;

typedef struct fake_catalog {
    catalog base;
    stored tables[TABLES_MAX];
    uint32_t table_count_max;
    const script *scripts;
    uint32_t script_count;
    uint32_t commit_count;
    uint32_t purge_count;
    firn_status load_fails; // What load answers instead, this many times from the next one on.
    uint32_t load_fail_count;
    uint32_t load_count; // How often a table was asked for.
    // Before each commit, as long as there are some: others add a row to the table `t`, or take its
    // first one away, or drop it.
    enum { OTHERS_REST, OTHERS_ADD, OTHERS_TAKE, OTHERS_DROP } others;
    uint32_t others_count;
    cancel_flag *stopped_by_commit; // Raised by a commit.
    int64_t refused_ns;             // When it last said COMMIT_CONFLICT; 0: not yet.
    int64_t pause_ns;               // From then to the first load after it.
} fake_catalog;

// Steps of one statement have one number, so that they can be undone together.
typedef struct step {
    enum { STEP_ADD, STEP_TAKE } kind;
    int64_t value; // Of STEP_TAKE: the position.
    uint64_t number;
} step;

typedef struct change {
    table_change base;
    uint32_t step_count;
    step steps[STEPS_MAX];
    uint64_t id; // Of the commit that it is part of.
    uint64_t prepare_count;
    bool has_place; // It was opened with the location of a table.
} change;

// What was settled of the change that was settled last, and how many were closed without that.
extern commit_answer fake_settled;
extern uint32_t fake_settle_count;
extern uint32_t fake_open_count; // Changes that are not closed.
extern isolation fake_isolation; // That the last sink was opened with.
static inline change *change_of(table_change *self) {
    return (change *)(void *)self;
}

/// The catalog's kind: tables `t`, `u` … of fake_catalog.
extern const catalog_kind fake_catalogs;
/// The format, and its sink.
extern const table_kind fake_tables;
extern const table_change_kind fake_changes;
extern const row_sink_kind fake_sink;

/// The table of that name, NULL if there is none.
stored *fake_find(fake_catalog *self, text name);

#endif
