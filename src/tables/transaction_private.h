// What a transaction consists of: shared by transaction.c, which fills it, and
// transaction_commit.c.
#ifndef FIRN_TABLES_TRANSACTION_PRIVATE_H
#define FIRN_TABLES_TRANSACTION_PRIVATE_H

#include "tables/transaction.h"

/// A table as it was when it was first looked at.
typedef struct pinned_table {
    struct pinned_table *next;
    object_name name;
    table_snapshot *snapshot;
} pinned_table;

/// A change, and whether it ends in DROP TABLE. Of changes with the same name the last one counts:
/// the others were dropped or replaced.
typedef struct changed_table {
    struct changed_table *before;
    object_name name;
    table_change *change;
    commit_form form;
    uint64_t dropped_by; ///< The step that dropped it; NOT_DROPPED: none.
    bool is_idle;        ///< There was nothing to commit of it.
    bool is_purged;
    text location; ///< Of its files, if it is purged.
} changed_table;

#define NOT_DROPPED UINT64_MAX

struct transaction {
    catalog *of;
    const transaction_env *env;
    arena memory;
    pinned_table *pins;
    changed_table *last;
    uint32_t change_count; ///< All, also those that others of the same name came after.
    uint64_t step_count;
    bool is_broken; ///< Something could not be undone.
    bool is_over;   ///< It was committed, or that was tried.
};

static inline bool changed_is_dropped(const changed_table *self) {
    return self->dropped_by != NOT_DROPPED;
}

/// The newest change of a table of that name, or NULL.
changed_table *transaction_find(const transaction *self, object_name name);
/// Whether a commit says something of it: it is the newest of its name, and the table is there
/// before or after.
bool transaction_counts(const transaction *self, const changed_table *each);

static inline const cancel_flag *transaction_cancel(const transaction *self) {
    return self->env->context == NULL ? NULL : self->env->context->cancel;
}

#endif
