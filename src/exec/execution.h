// One run of a plan: what its operators share, and nothing of it lies in the plan.
#ifndef FIRN_EXEC_EXECUTION_H
#define FIRN_EXEC_EXECUTION_H

#include "expr/program.h"
#include "plan/plan.h"

struct io;
struct pool;
struct spill; // memory/spill.h: the query's temporary file.
struct scheduler;
struct task_group;
struct codec_scratch;

/// Settings of a run, taken from the session when the statement starts.
typedef struct run_options {
    uint32_t threads;
    uint64_t memory_limit;
    text temp_directory;
    bool preserve_order;
    uint32_t batch_rows; ///< BATCH_ROWS, or 3 in the test mode `tiny`.
    uint32_t test_modes; ///< Bits of exec/test_modes.h.
} run_options;

/// What a node did, for EXPLAIN ANALYZE; summed over workers when they end.
typedef struct node_statistics {
    uint64_t rows_out;
    uint64_t batches_out;
    int64_t cpu_ns;
    uint64_t memory_peak;
    uint64_t spilled_bytes;
    uint64_t values_decoded;
    scan_counters scan;
} node_statistics;

typedef struct execution {
    const plan *plan;
    const run_options *options;
    const statement_context *context;
    cancel_flag cancel;  ///< Parent: the statement's.
    arena memory;        ///< Of operators' shared state; charged to the query's pool.
    struct pool *pool;   ///< The query's node of the pool tree; keepers open theirs below it
                         ///< (POOL_STATE) and get their pages from that: memory/page.h.
    struct spill *spill; ///< One temporary file, made at its first use.
    struct io *io;
    struct scheduler *scheduler;
    struct task_group *group;      ///< The query in the scheduler.
    uint32_t worker_count;         ///< How many workers may run a pipeline at once.
    table_snapshot *const *tables; ///< By plan table number; retained by the execution.
    dynamic_filters dynamic;
    struct codec_scratch **codecs; ///< By worker.
    node_statistics *statistics;   ///< By node number.
} execution;

#endif
