// A plan cut into pipelines, and one run of them.
//
//     scan ─ filter ─ probe ─ project ─► aggregate        aggregate ─ sort ─► …
//            (chain of pipeline 1)       (its sink)       (a chain of pipeline 2)
//
// A **chain** is a source and steps; all chains of a pipeline end in its sink. Several chains come
// from UNION ALL (each input is one) and from joins that have something left when the probe side is
// through (unmatched build rows, spilled partitions): a *drain* chain begins only when all chains
// before it in the list are done. A pipeline begins when those it depends on are done.
#ifndef FIRN_EXEC_PIPELINE_H
#define FIRN_EXEC_PIPELINE_H

#include "exec/operator.h"
#include "exec/order.h"
#include "threads/scheduler.h"

typedef struct pipeline pipeline;
typedef struct pipeline_worker pipeline_worker;

typedef struct op_instance {
    const operator_kind *kind;
    const plan_node *node;
    pipeline *pipeline;
    void *shared;
    uint32_t local_index;       ///< Where a worker of the pipeline finds its local.
    atomic_bool is_done;        ///< It answered STEP_DONE to somebody: nobody needs to feed it.
    struct op_instance *next;   ///< The downstream one; the sink has none.
    uint32_t step_count;        ///< Steps from here to the sink, itself among them.
    struct op_instance *beside; ///< In its pipeline's list of instances.
    struct op_instance *listed; ///< In the execution's list of all instances.
    struct op_instance *closed_after; ///< In its list of those whose operator has a `close`.
} op_instance;

typedef struct chain {
    op_instance *source; ///< Its `next` leads through the steps to the sink.
    bool is_drain;       ///< Begins when all chains before it are done.
    uint32_t number;     ///< In its pipeline.
    uint32_t step_count;
    struct chain *following;
} chain;

struct pipeline {
    execution *run;
    uint32_t number;
    uint32_t distance; ///< From the result, in pipelines.
    chain *first_chain;
    chain *last_chain;
    uint32_t chain_count;
    op_instance *instances; ///< All of its chains, and the sink.
    op_instance *sink;
    uint32_t local_count; ///< Instances that a worker needs locals for.
    uint32_t step_count_max;
    order_gate *order;   ///< NULL unless the sink needs order.
    pipeline *following; ///< In the execution's list.
    // Dependencies.
    uint32_t waits_for; ///< Pipelines not done yet; under the execution's lock.
    bool starts_first;  ///< It waited for nothing from the beginning.
    struct pipeline_link *dependents;
    // Running.
    mutex lock;
    pipeline_worker **workers; ///< run->worker_count slots.
    uint32_t worker_count;     ///< Workers started.
    uint32_t ended_count;      ///< Workers that merged.
    bool is_merging;           ///< One of them does.
    chain *stage; ///< First chain of the stage that runs, up to the next drain; NULL: all ran.
    uint32_t stage_number;
    uint32_t arrived_count; ///< Workers that are through with the stage.
    // Finishing: rounds of tasks that run in parallel.
    finish_plan finish;
    arena finish_memory;
    struct finish_runner *runners;
    uint32_t runner_count;
    atomic_uint next_task;
    uint32_t runners_left; ///< Under the lock.
};

typedef struct pipeline_link {
    pipeline *target;
    bool is_ready; ///< The target waited for nothing else.
    struct pipeline_link *following;
} pipeline_link;

/// Cuts `root` (an OUTPUT or INSERT tree) into pipelines with `sink` at the end of the last one,
/// and opens all operators. On failure what was opened is closed by execution_close.
firn_status pipelines_build(execution *run, const plan_node *root, firn_error *err);

/// Makes every pipeline ready that waits for nothing. The rest follows by itself.
void pipelines_start(execution *run);

/// A worker's slice of a pipeline as a scheduler task (exec/driver.c). Without a lock: it may wait
/// for memory.
firn_status pipeline_worker_open(pipeline *owner, pipeline_worker **out, firn_error *err);
/// Makes it one of the workers, at the stage that runs.
void pipeline_worker_join(pipeline *owner, pipeline_worker *self) REQUIRES(&owner->lock);
void pipeline_worker_close(pipeline_worker *self); ///< NULL does nothing.
task *pipeline_worker_task(pipeline_worker *self);

/// The first worker has worked for a while: as many more as may run begin as well.
void pipeline_add_workers(pipeline *self);
/// The last worker has merged: runs the sink's finish, then what depends on the pipeline.
void pipeline_finish(pipeline *self);
/// Ends what pipeline_finish started. After the execution's task group is closed.
void pipeline_close(pipeline *self);

#endif
