// The transaction that a statement's changes belong to: the session's between BEGIN and COMMIT, or
// one of its own, which is committed when the statement has done everything else.
//
//     BEGIN        the session has a transaction block; nothing is asked of anybody
//     statements   read through it (what they touched first is pinned), change through it
//     COMMIT       transaction_commit; after a failed statement only ROLLBACK is left (25P02)
//
// Catalogs without a committer (memory, temporary) stand outside: what is done to them takes effect
// at once, and is refused inside of a block where it could not be taken back.
#ifndef FIRN_ENGINE_TRANSACTIONS_H
#define FIRN_ENGINE_TRANSACTIONS_H

#include "engine/objects.h"
#include "tables/transaction.h"

/// The transaction that changes of `of` belong to, begun if there is none yet: of the session's
/// block, or of this statement. `of` has a committer and is not read-only.
///
/// Errors: FIRN_UNSUPPORTED if the block or statement changes another catalog already.
firn_status run_transaction_of(run *self, catalog *of, transaction **out, firn_error *err);

/// A table or view as this statement sees it: through the session's block or the statement's own
/// transaction if one of them is of this catalog, else what the catalog has now.
firn_status run_load(run *self, catalog *of, object_name name, const table_version *version,
                     arena *memory, catalog_object *out, firn_error *err);

/// Commits the statement's own transaction, if it has one; does nothing inside of a block. The last
/// step of a statement.
firn_status run_commit_transaction(run *self, firn_error *err);

#endif
