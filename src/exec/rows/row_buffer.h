// Rows kept in the order of their source, for operators that need them again later: shared
// subplans, limits inside a query.
//
// Batches are copied as they are while the keeper has room; a worker that is refused writes all of
// its own out as pages of the row store and begins anew. Workers append in parallel, each to a list
// of its own; when all are merged the lists are put in order, and any number of readers may read.
#ifndef FIRN_EXEC_ROW_BUFFER_H
#define FIRN_EXEC_ROW_BUFFER_H

#include "exec/operator.h"

typedef struct row_buffer row_buffer;

/// For rows that `node` hands out. In `run`'s memory.
firn_status row_buffer_open(execution *run, const plan_node *node, row_buffer **out,
                            firn_error *err);
/// What its keeper can never do without.
uint64_t row_buffer_min_bytes(const row_buffer *self, uint32_t workers);
void row_buffer_close(row_buffer *self); ///< NULL does nothing.
/// Copies the rows of a batch that count into the list of call->worker.
firn_status row_buffer_push(row_buffer *self, op_call *call, const batch *rows, firn_error *err);
/// All workers are through: puts the batches in order. One thread.
firn_status row_buffer_finish(row_buffer *self, firn_error *err);
uint32_t row_buffer_batches(const row_buffer *self); ///< After finish.
/// Batch `index`, in order; what lies in the file is read into `memory`. Any thread.
firn_status row_buffer_read(const row_buffer *self, uint32_t index, arena *memory, batch *out,
                            firn_error *err);
/// Adds what it held and wrote.
void row_buffer_measure(const row_buffer *self, node_statistics *add_to);

#endif
