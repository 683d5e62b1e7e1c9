// The rows that a statement takes away from a table in memory: DELETE, UPDATE, MERGE, INSERT
// OVERWRITE.
//
// Row ids are positions in the snapshot that the statement read. Chunks that lose rows are written
// anew, side by side, once all ids have come; the others are shared with the table as it was, which
// snapshots go on reading. Commit exchanges the table's chunks. It allows for INSERTs that came
// meanwhile, whose rows stand behind those of the snapshot, and refuses (40001) if another
// statement took rows away.
#ifndef FIRN_TABLES_MEMORY_REMOVAL_H
#define FIRN_TABLES_MEMORY_REMOVAL_H

#include "tables/memory/memory_private.h"

typedef struct memory_removal memory_removal;

/// Of what the request changes. Errors: FIRN_UNSUPPORTED for what tables in memory do not know.
firn_status memory_removal_open(const row_sink_request *request, memory_removal **out,
                                firn_error *err);
/// Notes which of the rows, whose last columns are action and row id, go, and counts those that are
/// changed. `added`: the rows that come, without these two columns; its selection is in
/// `selection`, of BATCH_ROWS. Any thread. Errors: 21000 for a row that is changed twice.
firn_status memory_removal_take(memory_removal *self, const batch *rows, uint16_t *selection,
                                batch *added, uint64_t *changed_rows, firn_error *err);
/// All ids are there: how many pieces of work there are, for memory_removal_run, side by side.
firn_status memory_removal_finish(memory_removal *self, uint32_t *piece_count, firn_error *err);
firn_status memory_removal_run(memory_removal *self, const chunk_home *home, uint32_t piece,
                               const scan_env *env, firn_error *err);
/// After all pieces: what is left of the chunks gets thin neighbours joined.
firn_status memory_removal_end(memory_removal *self, const chunk_home *home, firn_error *err);
/// Makes it visible, with the chunks that come (NULL: none). All or nothing.
/// Errors: FIRN_CONFLICT (40001), FIRN_NO_MEMORY.
firn_status memory_removal_commit(memory_removal *self, const chunk_home *home,
                                  const chunk_list *added, firn_error *err);
void memory_removal_close(memory_removal *self); ///< NULL does nothing.

#endif
