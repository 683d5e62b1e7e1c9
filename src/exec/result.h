// The result of a query: Arrow batches that workers finished and the reader has not taken yet.
//
// The sink copies rows into Arrow arrays, one builder a worker, and queues them. With an order gate
// they leave in the order of the source; LIMIT and OFFSET of the whole query are applied here, so
// that rows stream until the limit is reached. A full queue makes workers wait, except the one
// whose rows are next: a reader that does not read costs a bounded amount of memory and no thread.
#ifndef FIRN_EXEC_RESULT_H
#define FIRN_EXEC_RESULT_H

#include "column/arrow.h"
#include "exec/operator.h"

typedef struct result result;

/// `columns` outlives it; in `run`'s memory. Reads LIMIT and OFFSET from the plan's root.
firn_status result_open(execution *run, const schema *columns, const arrow_options *options,
                        result **out, firn_error *err);
/// The gate of the last pipeline, once it is there; NULL: order does not matter.
void result_set_order(result *self, struct order_gate *order);
void result_close(result *self); ///< NULL does nothing.

/// Is there a batch to take, or will never be one more?
bool result_is_ready(result *self);
/// Takes the next batch; out->release is NULL at the end. Only when result_is_ready. False: OFFSET
/// skipped all that was there, and more will come.
bool result_take(result *self, struct ArrowArray *out);

#endif
