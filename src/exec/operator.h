// The operator contract: a driver runs the chain; an operator never calls the next one.
//
// A plan becomes pipelines (exec/pipeline.h). A pipeline has one or more **chains**, each a source
// and steps, all ending in one **sink**. A worker runs a chain for a morsel: it asks the source for
// a batch, pushes it through the steps into the sink, and looks at what each call answers.
// Parallelism, pausing, waiting and stopping early are the driver's; operators are written as if
// there were one thread, with their state split in two:
//
//     shared   one per execution: what open made; changed only in merge, in finish's tasks, or
//              through atomics that its comment names
//     local    one per worker: everything an interrupted call needs, since a worker may leave
//              between any two calls and another go on with its locals
//
// Batches are views: an output stays valid until the same operator is called again on the same
// local; an input until the call returns STEP_NEXT. Whoever keeps rows copies them
// (exec/rows/rows.h). What a call allocates for its output comes from call->scratch, which the
// driver rewinds.
#ifndef FIRN_EXEC_OPERATOR_H
#define FIRN_EXEC_OPERATOR_H

#include "exec/execution.h"
#include "memory/page.h"

typedef enum step_answer {
    STEP_NEXT, ///< Give me (more) input. A source: my output is filled, call again.
    STEP_MORE, ///< The output is filled; call again with the same input.
    STEP_DONE, ///< I need nothing more: close everything upstream. A source: I am at the end.
    STEP_WAIT, ///< Nothing now; call->wakeup will fire. Call again with the same input then.
} step_answer;
// With any answer but STEP_WAIT the output holds rows if its selected_count is not 0; the driver
// has emptied it before the call.

typedef struct op_call {
    void *shared;
    void *local;
    execution *run;
    struct wakeup *wakeup; ///< To be fired when a STEP_WAIT should be tried again.
    arena *scratch;        ///< Rewound by the driver before the operator is called.
    arena_mark kept; ///< Where to, with the same input: a step moves it behind what is for those.
    struct order_gate *order; ///< Source: see op_begin_task. NULL when nobody needs order.
    uint32_t chain;           ///< Source: number of the chain.
    bool has_begun_task;      ///< Set by op_begin_task.
    uint64_t begun_task;
    bool has_ended_task; ///< Set by op_end_task.
    uint64_t ended_task;
    uint32_t worker; ///< 0 to run->worker_count - 1.
    bool must_wait;  ///< Set by a finish task: call it again when `wakeup` has fired.
} op_call;

/// `open` of an operator that goes on with what another one of its node keeps: that one's shared
/// state, which it left in run->node_state.
firn_status op_open_kept(const plan_node *node, const input_layout *input, execution *run,
                         void **shared, firn_error *err);

/// A source says that it begins task `number` (rising over all workers of the chain); its batches
/// carry the number as sequence.task. False: too far ahead of the slowest, answer STEP_WAIT and ask
/// again with the same number. A source whose rows have no order worth keeping numbers them anyhow.
bool op_begin_task(op_call *call, uint64_t number);
/// The same for a source of one task, 0, which the first worker to ask takes: `is_taken` is shared,
/// `is_mine` the worker's, both false at first. False: `out` is what to answer.
bool op_begin_only_task(op_call *call, atomic_bool *is_taken, bool *is_mine, step_answer *out);
/// The task handed out its last batch before this call of `next`, so all its rows have reached the
/// sink. At most once a call: answer STEP_NEXT without rows to be called again.
void op_end_task(op_call *call, uint64_t number);

/// One piece of parallel work of a finish: runs on any worker, then is done, unless it sets
/// call->must_wait.
typedef struct finish_task {
    firn_status (*run)(struct finish_task *self, op_call *call, firn_error *err);
    void *shared;
    uint64_t index; ///< Which partition, range or run.
} finish_task;

/// What finish fills in. Tasks run in parallel in any order; when all are done `then` is called
/// once (a single thread), which may add the next round of tasks, or is NULL.
typedef struct finish_plan {
    arena *memory; ///< For the tasks; lives until the pipeline is done.
    uint32_t count;
    finish_task *tasks;
    firn_status (*then)(void *shared, struct finish_plan *next, firn_error *err);
} finish_plan;

/// What an operator says of itself in EXPLAIN ANALYZE: words and numbers, in order.
typedef struct op_report {
    text_builder *out; ///< `key=value` pairs separated by blanks.
} op_report;

/// What sources have done of their work; sums over a statement.
typedef struct op_progress {
    uint64_t rows;  ///< Read.
    uint64_t bytes; ///< Read.
    double ended;   ///< Rows of tasks that ended, as estimated.
    double total;   ///< The same of everything; negative if a source does not know.
} op_progress;

/// Of one that always does what it is asked about.
bool operator_always(const void *shared);

typedef struct operator_kind {
    const char *name; ///< As EXPLAIN ANALYZE shows it.
    bool needs_order; ///< Sink: batches must be restored to source order (by sequence).
    bool keeps_order; ///< Step: output batches carry their input's sequence.
    bool takes_forms; ///< Takes DICTIONARY and RUNS columns; else the driver flattens its input.
    /// Step or sink: whether it writes out what its columns refer to, row by row. Then the driver
    /// hands it a batch in slices whose values, each as often as it occurs, are no more than a
    /// batch is (batch_slicer.h). NULL: it does not.
    bool (*writes_values)(const void *shared);
    /// What its keeper can never do without, for `workers` workers. NULL: keeps nothing.
    uint64_t (*min_bytes)(const void *shared, uint32_t workers);
    /// May run many times on one plan at the same time (recursion, several streams).
    firn_status (*open)(const plan_node *node, const input_layout *input, execution *run,
                        void **shared, firn_error *err);
    /// Sets *local, with all members zeroed, before the first call that can fail and leave
    /// something open: close_worker is called for what it was set to, also if opening fails later.
    firn_status (*open_worker)(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err);
    /// Source: the next batch.
    firn_status (*next)(op_call *call, batch *output, step_answer *out, firn_error *err);
    /// Step or sink: takes a batch. Touches call->local only. A sink leaves `output` alone.
    firn_status (*push)(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err);
    /// Step: what is left in this worker's local when there is no more input (STEP_MORE repeats,
    /// STEP_NEXT or STEP_DONE ends it). NULL: nothing is held back.
    firn_status (*flush)(op_call *call, batch *output, step_answer *out, firn_error *err);
    /// Sink with needs_order: all rows of a task (its whole number) have come from this worker.
    firn_status (*end_task)(op_call *call, uint64_t task, firn_error *err);
    /// Sink: this worker's local into shared; called once per local, under the pipeline's lock.
    firn_status (*merge)(op_call *call, firn_error *err);
    /// Sink: all locals are merged; says what parallel work makes the result. NULL: nothing.
    firn_status (*finish)(void *shared, finish_plan *out, firn_error *err);
    /// Source or step: its pipeline is done. Gives back what only its rows needed; `report`
    /// follows.
    void (*release)(void *shared);
    /// While it runs, from any thread: locks what it reads.
    void (*progress)(void *shared, op_progress *add_to);
    void (*report)(const void *shared, op_report *out);
    /// How many values this worker made flat; asked before its local is closed. NULL: none.
    uint64_t (*decoded)(const void *local);
    /// Adds what is known of it as a whole to what the driver counted.
    void (*measure)(const void *shared, node_statistics *add_to);
    void (*close_worker)(void *local); ///< NULL does nothing. Also after a fault.
    void (*close)(void *shared);       ///< After all workers' locals are closed. NULL does nothing.
} operator_kind;

/// All operators: one row each in exec/operators.def.
#define OPERATOR(word) extern const operator_kind operator_##word;
#include "exec/operators.def"
#undef OPERATOR

#endif
