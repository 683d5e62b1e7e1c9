// A foreign ArrowArrayStream as a table. Its rows come once and in one order: the scan has one
// task, and a second scan is an error that says so.
#ifndef FIRN_TABLES_REGISTERED_STREAM_H
#define FIRN_TABLES_REGISTERED_STREAM_H

#include "column/arrow.h"
#include "tables/table.h"

extern const table_kind registered_stream_kind;

/// How to call get_next of a source. A source that can stops waiting when `cancel` is raised.
typedef int (*stream_pull_function)(struct ArrowArrayStream *source, const cancel_flag *cancel,
                                    struct ArrowArray *out);

/// The table `name` over `source`, which is taken over on success and released with the snapshot.
/// `pull` is called by one worker at a time, and may be called from any thread.
/// Errors: of the stream's schema; FIRN_UNSUPPORTED for types that firn has not.
firn_status registered_stream_open(text name, struct ArrowArrayStream *source,
                                   stream_pull_function pull, table_snapshot **out,
                                   firn_error *err);
/// Undoes that: `source` is the caller's again. `taken` must have no other owner.
void registered_stream_give_back(table_snapshot *taken, struct ArrowArrayStream *source);

#endif
