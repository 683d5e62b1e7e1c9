// Sorting the rows of a run: an array of (key prefix, row pointer) is moved, not the rows.
#ifndef FIRN_EXEC_SORT_ENTRIES_H
#define FIRN_EXEC_SORT_ENTRIES_H

#include "exec/sort/sort_bits.h"
#include "exec/sort/sort_run.h"

/// Sorts entries in place. Errors: FIRN_CANCELLED, those of reading blobs.
firn_status sort_entries(const row_store *store, sort_entry *entries, uint64_t count,
                         const cancel_flag *cancel, arena *scratch, firn_error *err);
/// The same for keys of a fixed size. The prefixes become the numbers of the keys.
firn_status sort_entries_packed(const row_store *store, const sort_packing *packing,
                                sort_entry *entries, uint64_t count, const cancel_flag *cancel,
                                arena *scratch, firn_error *err);
/// The prefixes of such entries become those of the keys again.
firn_status sort_entries_unpack(const row_store *store, sort_entry *entries, uint64_t count,
                                const cancel_flag *cancel, firn_error *err);

#endif
