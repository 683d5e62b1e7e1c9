// One run of a plan: what its operators share, and nothing of it lies in the plan.
#ifndef FIRN_EXEC_EXECUTION_H
#define FIRN_EXEC_EXECUTION_H

#include "base/mutex.h"
#include "exec/scan_permits.h"
#include "expr/program.h"
#include "plan/plan.h"

struct io;
struct block_cache;
struct pool;
struct spill; // memory/spill.h: the query's temporary file.
struct scheduler;
struct spill_area; // memory/spill.h: the engine's.
struct task_group;
struct codec_scratch;
struct row_files; // tables/row_change.h

/// The sink of an INSERT whose rows are all there and not visible yet. There is none where rows end
/// in a change: that has them when the plan has run.
typedef struct ended_sink {
    const struct row_sink_kind *kind; ///< NULL: there is none.
    struct row_sink *sink;
} ended_sink;

/// Settings of a run, taken from the session when the statement starts.
typedef struct run_options {
    uint32_t threads; ///< The engine's.
    bool preserve_order;
    uint32_t batch_rows; ///< BATCH_ROWS, or 3 in the test mode `tiny`.
    uint32_t test_modes; ///< Bits of exec/test_modes.h.
} run_options;

/// What a node did, for EXPLAIN ANALYZE; summed over workers when they end.
typedef struct node_statistics {
    uint64_t rows_out;
    uint64_t batches_out;
    int64_t cpu_ns;
    uint64_t memory_peak;    ///< Of its keeper.
    uint64_t spilled_bytes;  ///< Written to the spill file.
    uint64_t values_decoded; ///< Made flat: out of pages, dictionaries, runs.
} node_statistics;

struct pipeline;
struct op_instance;
struct result;

typedef struct execution {
    const plan *plan;
    const run_options *options; ///< Of `run_options`.
    run_options run_options;
    const statement_context *context;
    cancel_flag cancel;  ///< Parent: the statement's.
    arena memory;        ///< Of what is made before pipelines start, by one thread; charged to the
                         ///< query's pool. Whoever needs more later has an arena of its own.
    struct pool *pool;   ///< The query's node of the pool tree.
    struct spill *spill; ///< One temporary file, made at its first use.
    struct io *io;
    struct block_cache *cache; ///< NULL: nothing that scans decode is kept.
    uint32_t cache_query;      ///< This run's number there.
    struct scheduler *scheduler;
    struct task_group *group;      ///< The query in the scheduler.
    uint32_t worker_count;         ///< How many workers may run a pipeline at once.
    scan_permits permits;          ///< To read files.
    uint64_t reader_bytes;         ///< What one reader may keep, about.
    uint64_t own_without_readers;  ///< Reserve of the query once no pipeline reads files.
    atomic_uint reading_left;      ///< Pipelines that read files and have chains to run.
    table_snapshot *const *tables; ///< By plan table number; retained by the execution.
    struct table_change *change;   ///< As in the request.
    uint32_t isolation;
    dynamic_filters dynamic;
    void **node_state;   ///< By node number: the shared state of a node that several
                         ///< operators serve (build and probe, sink and source).
    void **shared_slots; ///< By shared subplan slot: its buffer.
    node_statistics **worker_statistics; ///< By worker and node number; summed up at the end.
    uint32_t node_count;                 ///< Node numbers are at most this.
    bool is_analyzed;                    ///< EXPLAIN ANALYZE: measure time per operator.
    struct result *result; ///< Where finished batches wait for the reader; exec/result.h.
    // The pipelines (exec/pipeline.h).
    struct pipeline *pipelines;
    struct op_instance *instances;
    struct op_instance *closing; // Those of them that have something to close.
    uint32_t pipeline_count;
    uint32_t pipelines_left; ///< Not done yet; under the lock.
    mutex lock;
    struct row_files *row_files; ///< Of the scan that hands out row ids; NULL: none does.
    ended_sink ended;            ///< Of an INSERT, once it has ended; under the lock.
    // The first failure; under the lock.
    firn_error error;
} execution;

/// What a run is made from. Everything outlives the execution but `options` and `arrow`, which are
/// copied.
typedef struct execution_request {
    const plan *plan; ///< Numbered; its root is an OUTPUT.
    const run_options *options;
    const struct arrow_options *arrow;
    const statement_context *context;
    const cancel_flag *cancel; ///< The statement's.
    struct pool *pool;         ///< The session's.
    struct io *io;
    struct block_cache *cache; ///< NULL: what scans decode is not kept.
    struct scheduler *scheduler;
    struct spill_area *spill_area;
    table_snapshot *const *tables; ///< By plan table number; retained.
    struct table_change *change; ///< Where the rows of an INSERT end (tables/transaction.h), which
                                 ///< outlives their sink. NULL: its own commit makes them visible.
    uint32_t isolation;          ///< Of the INSERT: an `isolation` (tables/row_change.h).
    bool is_analyzed;
} execution_request;

/// Opens operators, reserves the minimum of memory and starts the pipelines that can start. Reads
/// nothing yet.
firn_status execution_open(const execution_request *request, execution **out, firn_error *err);
/// Stops what runs, closes operators and gives everything back. Batches handed out stay valid. NULL
/// does nothing.
void execution_close(execution *self);

/// Stops it: the reader's next call answers FIRN_CANCELLED. Any thread.
void execution_cancel(execution *self);

struct ArrowArray;
/// The next batch of the result, in the caller's thread, which works on the query meanwhile.
/// out->release is NULL at the end. `outer` is the flag of a query that reads this one, or NULL:
/// when it is raised the call ends with FIRN_CANCELLED, and this query stays as it is.
firn_status execution_next(execution *self, const cancel_flag *outer, struct ArrowArray *out,
                           firn_error *err);

/// Hands out the sink of an INSERT that has ended; may outlive the execution. Whoever takes it
/// commits or closes it; what nobody takes is closed with the execution, and nothing was inserted.
ended_sink execution_take_sink(execution *self);
/// Commits it, if there is one, and closes it in any case.
firn_status ended_sink_commit(const ended_sink *self, firn_error *err);
void ended_sink_close(const ended_sink *self);

/// Adds up what node `number` did so far. Exact after the last batch.
void execution_statistics(execution *self, uint32_t number, node_statistics *out);
/// Lets every operator of a node say what it did: `key=value` pairs.
void execution_report(execution *self, uint32_t number, text_builder *out);
void execution_progress(execution *self, firn_progress *out);

/// An empty arena of the query's memory, which stops growing when the query is stopped: what holds
/// one row may be large, and loops over it look at the arena's flag.
arena execution_arena(execution *self, size_t limit);

/// Records the first failure, stops everything else. `err` is copied. Any thread.
void execution_fail(execution *self, const firn_error *err);
bool execution_has_failed(execution *self);

#endif
