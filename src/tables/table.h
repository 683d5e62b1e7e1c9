// What a table is to the engine: one interface between formats and everything above.
//
//     table ─ resolve ─► snapshot ─ plan ─► stream of scan tasks ─ open ─► reader ─ next ─► batches
//
// A **snapshot** is immutable: schema, facts, and how to plan a scan of it. Planning **streams**:
// the first file is read while later manifests are still being planned. A **task** is plain data
// (file, row groups, deletes, constants, mapping). A **reader** runs one task for one worker: it
// applies the pushed filters exactly, skips what statistics, page index, bloom filters and
// dictionaries rule out, decodes filter columns first and the others for surviving rows only;
// deletes and schema evolution happen inside, no operator knows of either.
//
// A table kind (iceberg, files, memory, stream …) fills `table_kind`; whoever resolves a name (a
// catalog, file_table_open) names it in the snapshot that comes of it.
#ifndef FIRN_TABLES_TABLE_H
#define FIRN_TABLES_TABLE_H

#include "expr/dynamic.h"

struct pool;          // memory/pool.h
struct io;            // io/io.h
struct wakeup;        // threads/scheduler.h: fired when a waiting call should be tried again.
struct codec_scratch; // codecs/codec.h
struct table_definition;
struct table_version; // tables/transaction.h

typedef struct table_kind table_kind;
typedef struct table_snapshot table_snapshot;
typedef struct scan_planner scan_planner;
typedef struct scan_reader scan_reader;

/// How a table is named in a plan: data that another process could resolve again.
typedef struct table_ref {
    text kind;           ///< Of the table kind: "iceberg", "parquet", "memory" …
    text catalog;        ///< "" for table functions and temporary things.
    text name;           ///< Dotted name without the catalog (and `main`), or the path or pattern.
    text options;        ///< Kind-specific JSON: metadata location, globs, reader options.
    int64_t snapshot_id; ///< -1: none or the kind has no snapshots.
    int32_t schema_id;   ///< -1 likewise.
    uint32_t local; ///< Number of a session's thing, 0 if none; such plans are never sent away.
} table_ref;

/// A column that a scan hands out (or only filters by): a top-level column or a nested field.
typedef struct scan_column {
    uint32_t id; ///< Column id in the query.
    /// Child positions from the table's schema downwards; path[0] is the column.
    const uint32_t *path;
    uint32_t path_length;
    const type *type; ///< Of what it hands out: nested types may lack fields nobody asked for.
    text name;        ///< For messages.
} scan_column;

/// What a scan is asked for. Lives as long as the plan.
typedef struct scan_request {
    uint32_t column_count;
    /// The first `output_count` are handed out, in this order; the rest is needed by filters only.
    const scan_column *columns;
    uint32_t output_count;
    expr_list filters;  ///< Conjuncts over column ids, EXPR_DYNAMIC among them. All applied.
    uint64_t limit;     ///< No more rows than this are needed; UINT64_MAX if unknown.
    bool needs_row_ids; ///< Also hand out, as the last column, the 64-bit row identity.
} scan_request;

/// What a running scan may use. One per worker, but `shared` parts are the query's.
typedef struct scan_env {
    struct io *io;             ///< The engine's door to bytes.
    struct block_cache *cache; ///< Where readers keep what they decoded; NULL: nowhere.
    uint32_t cache_query;      ///< This query's number there.
    struct pool *pool;         ///< To charge pages and buffers to.
    const statement_context *context;
    const dynamic_filters *dynamic; ///< May be NULL.
    const cancel_flag *cancel;
    struct wakeup *wakeup;        ///< Fired when an answer SCAN_WAIT should be tried again.
    struct codec_scratch *codecs; ///< This worker's; NULL in planners.
    struct row_files *row_files;  ///< With needs_row_ids: where files get their ordinals
                                  ///< (tables/row_change.h).
    uint32_t batch_rows;          ///< BATCH_ROWS, or 3 in the test mode `tiny`.
    uint32_t workers;             ///< How many may scan at once.
    uint64_t reader_bytes; ///< What one reader may keep, about; 0: as much as serves it best.
} scan_env;

typedef enum scan_answer {
    SCAN_READY, ///< The output is filled.
    SCAN_END,   ///< There is no more.
    SCAN_WAIT,  ///< Nothing now; env->wakeup will fire.
} scan_answer;

/// A unit of work. Plain data in the planner's memory, valid until the planner is closed; the kind
/// knows its layout behind these members.
typedef struct scan_task {
    uint64_t number; ///< Ascends in the table's order: becomes the batches' sequence.task.
    uint64_t row_estimate;
    uint64_t bytes; ///< To be read, about: for balancing and progress.
    text name;      ///< File path, for messages and tests.
} scan_task;

/// Counters for EXPLAIN ANALYZE: X(member, words). Planners and readers add, the operator sums up.
#define SCAN_COUNTER_LIST(X)                                                                       \
    X(manifests, "manifests")                                                                      \
    X(manifests_pruned, "manifests pruned")                                                        \
    X(manifest_bytes, "manifest bytes")                                                            \
    X(files, "files")                                                                              \
    X(files_pruned_partition, "files pruned by partition")                                         \
    X(files_pruned_bounds, "files pruned by bounds")                                               \
    X(files_pruned_dynamic, "files pruned by dynamic filters")                                     \
    X(files_covered, "files covered")                                                              \
    X(row_groups, "row groups")                                                                    \
    X(row_groups_pruned_statistics, "row groups pruned by statistics")                             \
    X(row_groups_pruned_bloom, "row groups pruned by bloom filters")                               \
    X(row_groups_pruned_dictionary, "row groups pruned by dictionaries")                           \
    X(row_groups_pruned_dynamic, "row groups pruned by dynamic filters")                           \
    X(pages, "pages")                                                                              \
    X(pages_cached, "pages cached")                                                                \
    X(pages_pruned, "pages skipped")                                                               \
    X(pages_pruned_index, "pages pruned by the page index")                                        \
    X(bytes_read, "bytes read")                                                                    \
    X(rows_read, "rows read")                                                                      \
    X(rows_deleted, "rows deleted")                                                                \
    X(rows_filtered, "rows filtered")                                                              \
    X(values_decoded, "values decoded")                                                            \
    X(delete_files, "delete files")

typedef struct scan_counters {
#define X(member, words) uint64_t member;
    SCAN_COUNTER_LIST(X)
#undef X
} scan_counters;

/// What is said of a column besides its type.
typedef struct column_note {
    text default_value; ///< SQL of what INSERT puts where it is given nothing; empty: NULL.
    text comment;       ///< Empty: none.
    /// Of what is inside of it, one for each child of its type, comments alone; NULL: nothing.
    const struct column_note *children;
} column_note;

/// A resolved table. Reference-counted, any thread; immutable.
struct table_snapshot {
    const table_kind *kind;
    atomic_uint references;
    schema columns;           ///< With field ids where the format has them.
    const column_note *notes; ///< One for each column; NULL: nothing is said of any.
    table_ref ref;
    exact_u64 row_count; ///< Exact only if metadata may answer COUNT(*): no deletes.
    estimate rows;
    uint64_t facts_bytes; ///< To be read, about, when facts are first asked for; 0: at hand.
    arena memory;         ///< Of this struct's data; closed with it.
};

struct table_kind {
    const char *name;
    bool is_read_once; ///< A second scan of a snapshot fails.
    bool keeps_pages;  ///< Its readers keep pages: where memory is short few may be open at once.
    /// Facts about a column over the whole snapshot, NULL if nothing is known, or not before
    /// `cancel` was raised. In the snapshot.
    const column_facts *(*facts)(const table_snapshot *self, uint32_t column,
                                 const cancel_flag *cancel);
    /// Bounds of a column by looking at all its values, for what is worth that; in `memory` or the
    /// snapshot, without those that are not known, or not before `cancel` was raised. NULL: values
    /// are not at hand.
    void (*bounds)(const table_snapshot *self, uint32_t column, const cancel_flag *cancel,
                   arena *memory, column_facts *out);
    /// What CREATE TABLE would say of it besides its columns (tables/transaction.h); in `memory` or
    /// the snapshot. NULL: no CREATE TABLE made it.
    firn_status (*define)(const table_snapshot *self, arena *memory, struct table_definition *out,
                          firn_error *err);
    /// Whether what was opened a moment ago still lies there, as far as this machine can tell: no
    /// request is made. NULL: it cannot have changed by itself.
    bool (*is_current)(const table_snapshot *self, struct io *io, const cancel_flag *cancel);
    /// The same table at another version, as the metadata tells that this snapshot was opened
    /// with: what a transaction pinned has one past and the same branches for all its statements.
    /// The caller releases *out. NULL: there is no other version.
    firn_status (*at)(table_snapshot *self, const struct table_version *version,
                      const cancel_flag *cancel, table_snapshot **out, firn_error *err);
    /// Begins planning. `request` and `env` outlive the planner.
    firn_status (*plan)(table_snapshot *self, const scan_request *request, const scan_env *env,
                        scan_planner **out, firn_error *err);
    /// The next task. One caller at a time (the scan operator holds a lock), any thread. Must not
    /// block on remote reads: SCAN_WAIT.
    firn_status (*planner_next)(scan_planner *self, const scan_task **out, scan_answer *answer,
                                firn_error *err);
    void (*planner_counters)(const scan_planner *self, scan_counters *add_to);
    void (*planner_close)(scan_planner *self); ///< NULL does nothing.
    /// Opens a task for one worker; reads nothing yet. `env` outlives the reader.
    firn_status (*open)(table_snapshot *self, const scan_request *request, const scan_task *task,
                        const scan_env *env, scan_reader **out, firn_error *err);
    /// Opens the reader for the next task in the place of the old one, keeping its buffers. NULL if
    /// the kind has nothing to keep: then close and open.
    firn_status (*reopen)(scan_reader *self, const scan_task *task, firn_error *err);
    /// The next batch, with a selection where rows were filtered; valid until the next call. The
    /// sequence's part counts up from 0. `scratch` is rewound by the caller between batches.
    firn_status (*next)(scan_reader *self, arena *scratch, batch *out, scan_answer *answer,
                        firn_error *err);
    void (*counters)(const scan_reader *self, scan_counters *add_to);
    void (*close)(scan_reader *self);        ///< NULL does nothing. Drops reads under way.
    void (*free)(table_snapshot *self);      ///< At the last release.
    const struct row_sink_kind *sink;        ///< How rows get into it (tables/row_change.h); NULL:
                                             ///< read-only.
    const struct table_change_kind *changes; ///< How it changes in transactions
                                             ///< (tables/transaction.h); NULL: it does not.
};

table_snapshot *table_snapshot_retain(table_snapshot *self);
void table_snapshot_release(table_snapshot *self); ///< NULL does nothing.

#endif
