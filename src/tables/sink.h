// Writing: the sink of row changes and the transaction it belongs to (ENGINE.md 6).
//
// INSERT, UPDATE, DELETE and MERGE are one plan whose rows end in **one sink and one commit**. A
// row change is (action, row identity, new columns). The row identity is one 64-bit number: the
// ordinal of the file in the pinned scan (24 bits) and the position in it (40 bits).
#ifndef FIRN_TABLES_SINK_H
#define FIRN_TABLES_SINK_H

#include "tables/catalog.h"

#define ROW_ID_POSITION_BITS 40
#define ROW_ID_FILE_MAX ((UINT64_C(1) << 24) - 1)

typedef enum row_action { ROW_INSERT, ROW_DELETE, ROW_UPDATE } row_action;

typedef struct row_sink row_sink;
typedef struct row_sink_worker row_sink_worker;
typedef struct transaction transaction;

/// What a commit came to.
typedef enum commit_answer {
    COMMIT_DONE,
    COMMIT_CONFLICT, ///< Somebody else was first; nothing of ours was done.
    COMMIT_UNKNOWN,  ///< No answer: read back and decide.
} commit_answer;

/// Which operation the changes are, as the formats distinguish them.
typedef enum change_kind {
    CHANGE_APPEND,
    CHANGE_DELETE,
    CHANGE_UPDATE,
    CHANGE_MERGE,
    CHANGE_OVERWRITE,
} change_kind;

/// A sink for one statement's changes of one table. Workers push in parallel, each into its own
/// local part; `finish` gathers the parts into the transaction. Nothing is visible before commit.
typedef struct row_sink_kind {
    const char *name;
    firn_status (*open)(transaction *changes, table_snapshot *base, change_kind kind,
                        const schema *columns, const scan_env *env, row_sink **out,
                        firn_error *err);
    firn_status (*open_worker)(row_sink *self, const scan_env *env, row_sink_worker **out,
                               firn_error *err);
    /// `rows`: the table's columns; for changes of rows, two more behind: action (TINYINT, a
    /// row_action) and row identity (UBIGINT). Copies what it keeps.
    firn_status (*push)(row_sink_worker *self, const batch *rows, firn_error *err);
    firn_status (*finish_worker)(row_sink_worker *self, firn_error *err);
    void (*close_worker)(row_sink_worker *self); ///< Instead of finish_worker, or after it.
    firn_status (*finish)(row_sink *self, uint64_t *changed_rows, firn_error *err);
    void (*close)(row_sink *self); ///< Without finish: what was written is removed again.
} row_sink_kind;

/// A session's transaction: pins snapshots at first touch and gathers changes per catalog.
typedef struct transaction_kind {
    firn_status (*begin)(catalog *self, transaction **out, firn_error *err);
    /// The snapshot that this transaction sees, own uncommitted changes included.
    firn_status (*see)(transaction *self, namespace_path space, text name, table_snapshot **out,
                       firn_error *err);
    firn_status (*commit)(transaction *self, commit_answer *answer, firn_error *err);
    void (*rollback)(transaction *self);
} transaction_kind;

#endif
