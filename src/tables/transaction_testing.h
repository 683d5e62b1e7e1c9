// For tests of transactions: a small table format and a small catalog, both in memory, and what the
// transaction over them is made of. A table is numbers; rows are added and taken away.
//
// The functions of tables/transaction.h have other names in the files that include this: the
// engine's own come under theirs.
#ifndef FIRN_TABLES_TRANSACTION_TESTING_H
#define FIRN_TABLES_TRANSACTION_TESTING_H

// NOLINTBEGIN(readability-identifier-naming): they are names of functions.
#define transaction_begin fake_transaction_begin
#define transaction_load fake_transaction_load
#define transaction_change fake_transaction_change
#define transaction_create fake_transaction_create
#define transaction_drop fake_transaction_drop
#define transaction_has_changes fake_transaction_has_changes
#define transaction_mark_take fake_transaction_mark_take
#define transaction_undo_to fake_transaction_undo_to
#define transaction_commit fake_transaction_commit
#define transaction_close fake_transaction_close
// NOLINTEND(readability-identifier-naming)
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
} stored;

// What the next commits come to: done or not, and what the server says of it.
typedef struct script {
    bool is_lost;  // No answer comes.
    bool does_not; // Though it would fit.
} script;

typedef struct fake_catalog {
    catalog base;
    stored tables[TABLES_MAX];
    uint32_t table_count_max;
    const script *scripts;
    uint32_t script_count;
    uint32_t commit_count;
    uint64_t last_id;
} fake_catalog;

// Steps of one statement have one number, so that they can be undone together.
typedef struct step {
    enum { STEP_ADD, STEP_TAKE } kind;
    int64_t value; // Of STEP_TAKE: the position.
    uint64_t number;
} step;

typedef struct change {
    table_change base;
    bool is_dropped;
    uint32_t step_count;
    step steps[STEPS_MAX];
    uint64_t id; // Of the commit that it is part of.
    commit_answer settled;
    bool is_settled;
} change;

struct transaction {
    catalog *of;
    arena memory;
    uint64_t step_number;
    uint32_t change_count;
    change *changes[TABLES_MAX];
    uint32_t pin_count;
    object_name pinned[TABLES_MAX];
    table_snapshot *pins[TABLES_MAX];
};

static inline change *change_of(table_change *self) {
    return (change *)(void *)self;
}

/// The catalog's kind: tables `t`, `u` … of fake_catalog.
extern const catalog_kind fake_catalogs;
/// The format, and its sink.
extern const table_kind fake_tables;
extern const row_sink_kind fake_sink;

/// The table of that name, NULL if there is none.
stored *fake_find(fake_catalog *self, text name);

#endif
