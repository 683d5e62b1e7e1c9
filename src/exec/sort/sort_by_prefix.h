// Sorting entries by nothing but their prefixes.
#ifndef FIRN_EXEC_SORT_BY_PREFIX_H
#define FIRN_EXEC_SORT_BY_PREFIX_H

#include "exec/sort/sort_run.h"

/// Sorts entries by prefix, in place. Errors: FIRN_CANCELLED.
firn_status sort_by_prefix(sort_entry *entries, uint64_t count, const cancel_flag *cancel,
                           firn_error *err);

#endif
