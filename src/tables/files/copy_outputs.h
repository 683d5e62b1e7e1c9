// The files of one COPY … TO: where they are written, and when they appear.
//
// Files are written under hidden names beside their places and get their own when the statement
// commits: until then, and after any fault, nothing of them can be seen.
#ifndef FIRN_TABLES_FILES_COPY_OUTPUTS_H
#define FIRN_TABLES_FILES_COPY_OUTPUTS_H

#include "tables/files/copy_target.h"

typedef struct copy_outputs copy_outputs;

/// Looks at what is there. `io` and `target` live longer.
/// Errors: FIRN_CONFLICT (58P02) if something is there and may not be replaced.
firn_status copy_outputs_open(const copy_target *target, struct io *io, struct pool *pool,
                              const cancel_flag *cancel, copy_outputs **out, firn_error *err);
/// The next file of a folder ("" without partitions): where it is written until it is finished. One
/// caller at a time, as for the others. A folder may come again.
firn_status copy_outputs_next(copy_outputs *self, text folder, text *path, firn_error *err);
/// All files are finished: gives them their names, and removes what they replace.
firn_status copy_outputs_commit(copy_outputs *self, firn_error *err);
/// Without a commit nothing stays of them, nor of folders that were made for them. NULL does
/// nothing.
void copy_outputs_close(copy_outputs *self);

#endif
