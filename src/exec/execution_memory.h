// What a run reserves of the memory limit before it begins, and with how many workers.
#ifndef FIRN_EXEC_EXECUTION_MEMORY_H
#define FIRN_EXEC_EXECUTION_MEMORY_H

#include "exec/execution.h"

/// Reserves the minima of the keepers that are alive at once and what scans and batches on their
/// way take, with fewer workers where that does not fit; sets worker count, page size and permits.
/// The pipelines are built, and nothing has run.
///
/// Errors: FIRN_NO_MEMORY if it does not fit even with one worker, or others keep it too long;
///         FIRN_CANCELLED.
firn_status execution_reserve(execution *self, firn_error *err);

struct pipeline;
/// All chains of a pipeline ran. After the last one that reads files, what was reserved for readers
/// is given back: others wait for it, and keepers may have it.
void execution_chains_ended(execution *self, const struct pipeline *which);

/// What a reader of a scan cannot do without, about.
uint64_t execution_scan_bytes(const execution *self, const plan_node *node);

#endif
