// Restoring the order of a source in a sink that needs it.
//
// Workers take scan tasks in rising order but finish them in any. The gate knows which are
// unfinished; a sink that needs order keeps what belongs behind the oldest unfinished task, and a
// source does not begin a task too far ahead of it, so that little has to be kept.
#ifndef FIRN_EXEC_ORDER_H
#define FIRN_EXEC_ORDER_H

#include "column/batch.h"
#include "threads/scheduler.h"

#define ORDER_CHAIN_SHIFT 40 ///< A task number is chain << 40 | number within the chain.

typedef struct order_gate order_gate;

/// For `chain_count` chains (all unfinished) and at most `worker_count` tasks at once, in `memory`.
firn_status order_gate_open(arena *memory, uint32_t chain_count, uint32_t worker_count,
                            order_gate **out, firn_error *err);
void order_gate_close(order_gate *self); ///< NULL does nothing.

/// May this task (whole number) begin, or is it too far ahead? If not, `waiter` is fired when it
/// may.
bool order_gate_begin(order_gate *self, uint64_t task, wakeup *waiter);
/// Has `waiter` fired at the next end of a task or chain, which may move the watermark.
void order_gate_watch(order_gate *self, wakeup *waiter);
/// All rows of the task have reached the sink.
void order_gate_end(order_gate *self, uint64_t task);
/// One more worker is through with the chain; once `worker_count` of them are, it begins no more
/// tasks. Workers that join later find none left.
void order_gate_end_chain(order_gate *self, uint32_t chain, uint32_t worker_count);
/// Everything before this task number is complete; UINT64_MAX when all is.
uint64_t order_gate_watermark(order_gate *self);

#endif
