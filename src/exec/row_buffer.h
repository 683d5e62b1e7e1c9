// Batches kept in the order of their source, for operators that need rows again later: shared
// subplans, limits inside a query.
//
// Rows are copied into arenas that are charged to the query. Workers append in parallel, each to
// its own list; when all are merged the lists are put in order, and any number of readers may read.
#ifndef FIRN_EXEC_ROW_BUFFER_H
#define FIRN_EXEC_ROW_BUFFER_H

#include "exec/operator.h"

typedef struct row_buffer row_buffer;

/// In `run`'s memory.
firn_status row_buffer_open(execution *run, row_buffer **out, firn_error *err);
void row_buffer_close(row_buffer *self); ///< NULL does nothing.
/// Copies the rows of a batch that count into worker `worker`'s list.
firn_status row_buffer_push(row_buffer *self, uint32_t worker, const batch *rows, firn_error *err);
/// All workers are through: puts the batches in order. One thread.
firn_status row_buffer_finish(row_buffer *self, firn_error *err);
uint64_t row_buffer_rows(const row_buffer *self);
uint32_t row_buffer_batches(const row_buffer *self); ///< After finish.
/// Batch `index`, in order. Lives as long as the buffer.
const batch *row_buffer_batch(const row_buffer *self, uint32_t index);

#endif
