// The transaction that a statement's changes belong to: the session's between BEGIN and COMMIT, or
// one of its own, which is committed when the statement has done everything else.
//
//     BEGIN        the session has a transaction block; nothing is asked of anybody
//     statements   read through it (what they touched first is pinned), change through it
//     COMMIT       transaction_commit; after a failed statement only ROLLBACK is left (25P02)
//
// A block joins one transaction of each catalog that is read in it; tables of one of them can be
// changed. Catalogs without a committer in which tables are made at once (memory, temporary) stand
// outside: what is done to them takes effect at once, and is refused inside of a block, where it
// could not be taken back.
//
// A run belongs to the block that its session had when it began. One thread at a time uses a block:
// a second one, that pulls a statement over many rows of parameters, gets an error.
#ifndef FIRN_ENGINE_TRANSACTIONS_H
#define FIRN_ENGINE_TRANSACTIONS_H

#include "engine/objects.h"
#include "tables/row_change.h"
#include "tables/transaction.h"

typedef struct transaction_block transaction_block;

transaction_block *block_retain(transaction_block *self); ///< NULL does nothing.
void block_release(transaction_block *self);              ///< Likewise.
/// Rolls back what is open, when the session is closed.
void session_end_block(firn_session *self);
/// Is the catalog part of the session's block?
bool session_block_has(const firn_session *self, const catalog *of);

/// Before a statement: may it run in the block of its session? Errors: 25P02, 25006; 25001 for what
/// takes effect at once.
firn_status run_enter_transaction(run *self, const sql_statement *statement, firn_error *err);
/// After it: what is left of its own transaction is undone, and a block whose statement failed can
/// only be rolled back. Is `status`.
firn_status run_leave_transaction(run *self, firn_status status);

/// The same after its result was read in vain. Any thread.
void run_fail_transaction(run *self);

/// BEGIN, COMMIT, ROLLBACK.
firn_status command_transaction(run *self, const sql_transaction *written, firn_error *err);

/// From here on what this statement reads is pinned, in the block or in a transaction of its own:
/// for statements that change what they read.
firn_status run_begin_transaction(run *self, firn_error *err);

/// The transaction that changes of `of` belong to, begun if there is none yet: of the session's
/// block, or of this statement. `of` has a committer and is not read-only.
///
/// Errors: FIRN_UNSUPPORTED if the block or statement changes another catalog already; 25006.
firn_status run_transaction_of(run *self, catalog *of, transaction **out, firn_error *err);

/// A table or view as this statement sees it: through the session's block or the statement's own
/// transaction if it has one, else what the catalog has now.
firn_status run_load(run *self, catalog *of, object_name name, const table_version *version,
                     arena *memory, catalog_object *out, firn_error *err);

/// For a table whose rows this statement is going to change, and that has a sink: `table` becomes
/// what the statement sees of it, with own changes, and run.change where its rows end. Without
/// transactions (memory) both stay; that is refused inside of a block. `ref`: the branch that they
/// are of; "": none was named.
///
/// Errors: as run_transaction_of and transaction_change; then `table` is as it was.
firn_status run_open_target(run *self, const struct object_place *place, text ref, const char *what,
                            uint32_t position, table_snapshot **table, firn_error *err);

/// Rows that the plan of this run changes end there.
void run_set_change(run *self, table_change *change);

/// Refuses what takes effect at once inside of a block, where it could not be taken back (25001).
firn_status run_refuse_in_block(run *self, const char *what, uint32_t position, firn_error *err);

/// How strictly commits look at what others did: as BEGIN said, else the setting.
isolation run_isolation(const run *self);

/// Commits the statement's own transaction, if it has one; does nothing inside of a block. The last
/// step of a statement.
firn_status run_commit_transaction(run *self, firn_error *err);

#endif
