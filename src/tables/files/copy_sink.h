// How rows get into files of all formats but Parquet: the sink of a copy_target.
//
// A worker that pushes encodes its rows at once, where it is. What comes out waits for its turn
// (batch.sequence) and is then put together, in order, to **blocks** of about a megabyte:
//
//     push ─► encode ─► early ──────► block ─► pack ──────► write
//             (any)     (in order)    (full)   (any: gzip,  (one worker at a
//                                               zstd)        time, in order)
//
// So rows are encoded and blocks compressed side by side, and files are the same whatever the
// number of workers is. A compressed file is many members (gzip) or frames (zstd) one behind
// another, as both formats allow and every reader knows.
#ifndef FIRN_TABLES_FILES_COPY_SINK_H
#define FIRN_TABLES_FILES_COPY_SINK_H

#include "tables/row_change.h"

extern const row_sink_kind copy_sink_kind;

#endif
