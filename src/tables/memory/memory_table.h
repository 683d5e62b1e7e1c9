// Tables in memory: rows in immutable chunks, appended as a whole by each INSERT.
//
// A table is a growing list of chunks and a short tail of thin ones, which are replaced by joined
// ones as rows come; a snapshot is the table, how many chunks it had when it was taken and its tail
// of that moment, so readers need no lock and see no row of a statement that came later. Chunks are
// charged to the pool that the table was made with.
#ifndef FIRN_TABLES_MEMORY_TABLE_H
#define FIRN_TABLES_MEMORY_TABLE_H

#include "tables/catalog.h"
#include "tables/row_change.h"

typedef struct memory_table memory_table;

extern const table_kind memory_table_kind;

/// An empty table, which copies its definition. `pool` outlives it. The caller has the one
/// reference.
firn_status memory_table_open(text catalog, text name, const new_table *of, struct pool *pool,
                              memory_table **out, firn_error *err);
memory_table *memory_table_retain(memory_table *self);
void memory_table_release(memory_table *self); ///< NULL does nothing.

/// What the table holds now. The caller releases the snapshot.
firn_status memory_table_snapshot(memory_table *self, table_snapshot **out, firn_error *err);

/// What CREATE TABLE said of the table; empty: nothing. Lives as long as the table.
text memory_table_comment(const memory_table *self);

/// Gives it another name; snapshots keep the one that they were taken with.
firn_status memory_table_rename(memory_table *self, text name, firn_error *err);

/// The table of a snapshot. The caller gets a reference.
memory_table *memory_table_of(table_snapshot *snapshot);

#endif
