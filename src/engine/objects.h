// The objects behind firn.h, and what the files of engine/ ask of each other.
//
//     engine.c      firn_engine_*            settings.c   names and values of settings
//     session.c     firn_session_*           places.c     where a name may be
//     catalog_set.c what is attached         names.c      names to tables, for the binder
//     propose.c     names that were meant    spelling.c   names whatever their case
//     catalog_walk.c what is in a catalog    information_schema.c its tables
//     transactions.c BEGIN to COMMIT, and the transaction of a statement
//     statement.c   firn_query, firn_execute, firn_prepare, firn_statement_*
//     statement_bind.c values for parameters
//     prepared_binding.c what prepare found out, for the run that follows at once
//     many.c        a statement over many rows of parameters
//     run.c         one run of a statement: bind, optimize, execute, stream
//     stream.c      ArrowArrayStream over a run
//     command*.c    statements that are no queries; command_define.h what they say of tables
//     explain_json.c, measured_plan.c what EXPLAIN prints
//     listing.c     small tables of text: SHOW, DESCRIBE, EXPLAIN, information_schema
//
// Lifetimes: children retain parents; the last release frees. A run is held by its stream and,
// while it is the newest, by its statement.
#ifndef FIRN_ENGINE_OBJECTS_H
#define FIRN_ENGINE_OBJECTS_H

#include "base/mutex.h"
#include "engine/settings.h"
#include "exec/execution.h"
#include "memory/pool.h"
#include "memory/spill.h"
#include "plan/bind.h"
#include "tables/catalog.h"
#include "tables/transaction.h"
#include "threads/scheduler.h"

typedef struct attached {
    atomic_uint references;
    catalog *catalog;
    bool is_owned; ///< Closed with the last reference: not `memory` and `temp`.
    text alias;
    arena memory;
} attached;

/// Immutable.
typedef struct catalog_set {
    atomic_uint references;
    uint32_t count;
    attached *items[]; ///< Newest first; `memory` and `temp` are always there.
} catalog_set;

/// Who is inside an object that one thread at a time may use: a second thread gets an error.
typedef struct caller_check {
    atomic_uint_least64_t thread; ///< 0: nobody.
    uint32_t depth;               ///< Of the thread inside: its callbacks may call again.
} caller_check;

/// One for each folder that temp_directory has named.
typedef struct spill_place {
    struct spill_place *older;
    spill_area *area;
    char folder[SETTING_TEXT_MAX];
} spill_place;

struct firn_engine {
    atomic_uint references;
    uint32_t process; ///< The process that opened it: a forked child is refused.
    unsigned test_modes;
    atomic_bool is_closed;
    struct pool *pool;
    struct pool *tables; ///< What tables in memory are charged to.
    spill_place *spills; ///< `lock` guards the list and which one is in use.
    spill_area *spill;
    scheduler *scheduler;
    struct io *io;
    struct block_cache *cache;
    catalog *memory; ///< The catalog `memory`.
    zone_cache zones;
    atomic_uint_least64_t changes; ///< Of tables, names and settings, by any session: see
                                   ///< engine_note_change.
    mutex lock;
    settings settings;
    firn_session *sessions; ///< Open ones, to be cancelled at close.
};

struct firn_session {
    atomic_uint references;
    firn_engine *engine;
    struct pool *pool;
    caller_check caller;
    settings settings;
    catalog *temporary;
    arena memory; ///< Of current names; nothing in it is freed before the end.
    mutex lock;   ///< Guards what follows: runs of other threads begin with it.
    catalog_set *catalogs;
    text current_catalog; ///< In `memory`.
    text search_path;     ///< Likewise: schemas of it, separated by commas, the current one first.
    struct transaction_block *block; ///< Between BEGIN and COMMIT; else NULL.
    struct run *runs;                ///< Running ones, to be cancelled.
    firn_session *previous, *next;
};

typedef struct stream_state stream_state;

/// One run of a statement, from its text to the last batch.
typedef struct run {
    atomic_uint references;
    firn_session *session;
    firn_statement *statement; ///< Whose syntax tree the plan may point into; or NULL.
    catalog_set *catalogs;     ///< The session's when it began.
    arena memory;              ///< Plan, texts, everything but what operators keep.
    settings settings;
    run_options options;
    statement_context context;
    cancel_flag cancel;
    text search_path;    ///< The session's when it began.
    bool is_description; ///< Only the columns are wanted: SHOW asks no catalog for their rows.
    bool is_bound;       ///< `bound` is there already, found by prepare.
    bool needs_change;   ///< What is bound is good for a description only: rows are going to be
                         ///< changed in a transaction, which the run begins.
    struct transaction_block *block; ///< The session's when it began; NULL: none.
    struct transaction_block *own;   ///< The statement's own transaction; NULL: none.
    struct table_change *change;     ///< Where changed rows end, of one of them; NULL: the sink's
                                     ///< own commit makes them visible. By run_set_change.
    bool is_changing;                ///< A change of the block, which must not end meanwhile.
    bool is_inside;                  ///< Of the block, which is no other thread's meanwhile.
    const statement_context *outer_context; ///< Who was there before: its callback runs this one.
    const struct object_place *replaced;    ///< CREATE OR REPLACE TABLE … AS: to its query the name
    table_snapshot *replaced_as;            ///< still means this. NULL: nothing is replaced.
    struct defined_view *defined;           ///< The view whose query is bound now; NULL: none is.
    bind_result bound;
    mutex lock;           ///< Guards the pointer below against cancelling from other threads.
    execution *execution; ///< NULL when there is no result, or none but `counted`.
    bool is_idle;         ///< Of a stream that nobody pulls now; under the lock, as what follows.
    bool is_ending;       ///< Whoever cancelled it closes its execution now.
    firn_progress ended;  ///< How far its execution was when it was closed.
    stream_state *stream; ///< Room for one (stream_reserve); or NULL.
    struct ArrowArray counted; ///< The result of a statement that changed rows, until it is taken.
    schema columns;            ///< Of the result; no columns: a statement without rows.
    atomic_int_least64_t changed_rows; ///< -1 for queries. Progress looks at it from any thread.
    struct run *previous, *next;
} run;

/// One row of parameters.
typedef struct bound_row {
    arena memory;
    bind_parameters parameters;
    literal *values;
} bound_row;

/// A run that knows what it will do, and when it was found out.
typedef struct prepared_binding {
    run *run;         ///< NULL: none.
    uint64_t changes; ///< engine_changes before it was made.
    int64_t made_ns;  ///< When it was ready.
} prepared_binding;

/// Runs and streams of a statement retain it; it keeps its newest run, so closing lets go of that.
struct firn_statement {
    atomic_uint references;
    firn_session *session;
    caller_check caller;
    arena memory;
    text sql;
    const sql_statement *written;
    settings settings;          ///< The session's, with options of the statement.
    bind_parameters parameters; ///< As the statement says.
    schema columns;
    bound_row bound;
    struct ArrowArrayStream rows; ///< Of bind_stream; release is NULL if none.
    mutex lock;                   ///< Guards what follows.
    prepared_binding prepared;
    run *newest;
    uint64_t cancel_count; ///< Calls of firn_statement_cancel.
    bool is_closed;
};

// engine.c
firn_error *err_or(firn_error *given, firn_error *own); ///< Never NULL; cleared.
/// On success empties `err` of what was tried in vain on the way. Returns the status.
firn_status err_done(firn_status status, firn_error *err);
bool engine_is_ours(const firn_engine *self);                 ///< Not of a parent process.
firn_status engine_check(firn_engine *self, firn_error *err); ///< NULL? Forked? Closed?
/// FIRN_INVALID if `given` is NULL: `name` as in firn.h.
firn_status check_given(const void *given, const char *name, firn_error *err);
firn_status caller_enter(caller_check *self, const char *what, firn_error *err);
void caller_leave(caller_check *self);
void engine_release(firn_engine *self);
firn_status engine_set(firn_engine *self, text key, text value, firn_error *err);
/// The area of temporary files as temp_directory says now. Lives as long as the engine.
spill_area *engine_spill(firn_engine *self);

// prepared_binding.c
/// Tables, names or settings change: called before and after whatever does it. Any thread.
void engine_note_change(firn_engine *self);
uint64_t engine_changes(const firn_engine *self);
/// Keeps a bound run, whose reference it takes over. `changes`: from before it was bound.
void prepared_keep(firn_statement *self, run *taken, uint64_t changes);
/// Takes it out, if a run that begins now with parameters of these types would find the same; else
/// NULL. There is none afterwards. Any thread.
run *prepared_take(firn_statement *self, const bind_parameters *given);
void prepared_drop(firn_statement *self);

// session.c
firn_status session_set(firn_session *self, text key, text value, firn_error *err);
/// Back to the default.
firn_status session_reset(firn_session *self, text key, firn_error *err);
firn_session *session_retain(firn_session *self);
void session_release(firn_session *self);
void session_add_run(firn_session *self, run *added);
void session_remove_run(firn_session *self, run *removed);
/// Stops what runs, as firn_session_cancel, but gives nothing back.
void session_stop_runs(firn_session *self);
/// NULL? Else what engine_check says, and nobody else may be inside until session_leave.
firn_status session_enter(firn_session *self, firn_error *err);
void session_leave(firn_session *self);
firn_status session_attach(firn_session *self, text alias, text location,
                           const firn_option *options, size_t count, const cancel_flag *cancel,
                           firn_error *err);
firn_status session_detach(firn_session *self, const sql_name *name, firn_error *err);
/// What a setting is, resolved where it says "auto" or a share; `out` has SETTING_TEXT_MAX bytes.
void session_setting(firn_session *self, setting_id id, char *out);
/// FIRN_NOT_FOUND for a name of a catalog, or of a schema in `place`, with the one that was meant.
firn_status session_say_no_catalog(const catalog_set *among, const sql_name *name, firn_error *err);
firn_status session_say_no_space(const catalog_set *among, const sql_names *path,
                                 const struct object_place *place, arena *memory,
                                 const cancel_flag *cancel, firn_error *err);
/// `memory` is the run's.
firn_status session_use(firn_session *self, const sql_names *path, arena *memory,
                        const cancel_flag *cancel, firn_error *err);

// catalog_set.c
/// `taken` is the attached's on success.
firn_status attached_open(catalog *taken, bool is_owned, text alias, attached **out,
                          firn_error *err);
void attached_release(attached *self); ///< NULL does nothing.
catalog_set *catalog_set_retain(catalog_set *self);
void catalog_set_release(catalog_set *self); ///< NULL does nothing.
/// Another set with one more, or one less; `self` may be NULL in the first.
firn_status catalog_set_with(const catalog_set *self, attached *added, catalog_set **out,
                             firn_error *err);
firn_status catalog_set_without(const catalog_set *self, const attached *removed, catalog_set **out,
                                firn_error *err);
/// What is attached under that name; NULL if nothing is.
const attached *catalog_set_find(const catalog_set *self, const sql_name *name);
catalog *catalog_set_catalog(const catalog_set *self, const sql_name *name);

// places.c
/// Where a new or existing object of that name belongs: catalog, schema, last name.
typedef struct object_place {
    catalog *catalog;
    object_name object;
    // What spell_place found out:
    bool is_spelled;           ///< `object` is spelled as the catalog does, other than written.
    bool is_listed;            ///< It was asked, whatever came of it:
    catalog_entry_list listed; ///< What is in the schema.
} object_place;
/// A view that is being made: what its query reads is looked at.
typedef struct defined_view {
    object_place place;
    bool is_shared;            ///< Programs without this session read it too.
    const view_definition *as; ///< Bound as those who read it do; NULL: as it is written.
    uint32_t count, capacity;
    struct defined_name *names; ///< Those in its own query, in order.
} defined_view;
typedef struct defined_name {
    const sql_names *path;
    object_place place; ///< Where it was found.
} defined_name;
#define OBJECT_PLACES_MAX (SEARCH_PATH_MAX + 2)
typedef struct object_places {
    size_t count;
    size_t told; ///< The one whose words are told when nothing is found in any.
    object_place items[OBJECT_PLACES_MAX];
} object_places;
/// Whether the catalog's default schema is `main`: others have none.
bool session_has_main(const firn_session *self, const catalog *each);
/// The catalog that a name begins with; NULL if that is none. `inside`: in the query of that view,
/// or NULL.
catalog *session_named_catalog(const run *user, const sql_name *name,
                               const view_definition *inside);
/// Names as the levels of a schema, in `memory`.
firn_status session_levels(const sql_name *names, size_t count, arena *memory, namespace_path *out,
                           firn_error *err);
/// Where an existing object of that name may be, the likeliest first.
firn_status session_places(run *user, const sql_names *path, const view_definition *inside,
                           arena *memory, object_places *out, firn_error *err);
firn_status session_place(run *user, const sql_names *path, bool is_temporary, object_place *out,
                          firn_error *err);
/// The place of something in a schema of that name: only catalog and schema are of use.
firn_status session_place_in(run *user, const sql_names *space, object_place *out, firn_error *err);
/// The place of a schema to be made or dropped: a name of one part is one of the current catalog,
/// whatever catalogs are called.
firn_status session_schema_place(run *user, const sql_names *schema, object_place *out,
                                 firn_error *err);

// names.c
bind_env session_bind_env(run *user);
/// The whole path of what was found there: catalog, schema, name.
firn_status session_name_place(firn_session *self, const object_place *found, arena *memory,
                               text_list *out, firn_error *err);
/// A table or view that is there: its place, as the catalog spells it, and what it is.
/// FIRN_NOT_FOUND with a hint.
firn_status session_find(run *user, const sql_names *path, object_place *place, catalog_object *out,
                         firn_error *err);
/// The same of a table whose rows are to be changed: t.branch_x is the table at its branch x.
/// `ref`: x; "": none was named.
firn_status session_find_rows(run *user, const sql_names *path, object_place *place, text *ref,
                              catalog_object *out, firn_error *err);
/// What is at a place, which gets the catalog's spelling if it is not there as it is written.
firn_status session_load_at(run *user, object_place *place, catalog_object *out, firn_error *err);
/// Whether two places are those of the same table or view. `is_spelled`: both were found and are
/// spelled as their catalog does, so that case counts; else it counts where both are in quotes.
bool session_is_same_place(const object_place *left, const object_place *right, bool is_spelled);
/// FIRN_INVALID if a name of two parts is schema.name of the current catalog and catalog.name too.
firn_status session_check_name(run *user, const sql_names *path, firn_error *err);
/// Adds a hint to `err`, which says that nothing of that name is in these places.
void session_propose(run *user, const sql_names *path, const object_places *places,
                     firn_error *err);
/// Does the name say a table of information_schema?
bool session_is_information_schema(const sql_names *path);
/// Is it information_schema, which every catalog has and none knows of?
bool session_space_is_listed(const namespace_path *space);

// run.c
firn_status run_open(firn_session *session, const settings *with, run **out, firn_error *err);
run *run_retain(run *self);
/// False if its last reference has gone: another thread is freeing it.
bool run_retain_living(run *self);
void run_cancel(run *self); ///< Any thread.
/// A stream's caller comes in to pull, which alone works with the execution until it is idle again.
void run_set_idle(run *self, bool is_idle);
/// Cancelled, idle, and with something to give back?
bool run_is_left(run *self);
/// Gives back what the execution of a run that is left holds. Any thread that works for no query.
void run_end_left(run *self);
/// Gives back everything but columns and progress: nothing more will come. By who pulls.
void run_finish(run *self);
/// How far it is, or was. Any thread. Leaves `out` where nothing has run.
void run_progress(run *self, firn_progress *out);
void run_release(run *self); ///< NULL does nothing.
typedef void (*plan_watch)(void *user, const char *rule, const plan *changed);
/// Puts values in the place of parameters and optimizes self->bound. `watch` may be NULL.
firn_status run_optimize(run *self, const literal *values, uint32_t value_count, plan_watch watch,
                         void *user, firn_error *err);
/// Estimates its rows again, for who reads it.
firn_status run_show_rows(run *self, firn_error *err);
/// Starts the optimized plan.
firn_status run_execute(run *self, bool is_analyzed, firn_error *err);
/// Both. `values` may be NULL.
firn_status run_start(run *self, const literal *values, uint32_t value_count, bool is_analyzed,
                      firn_error *err);
/// execution_next of the running plan, whose errors name the view or column they are of.
firn_status run_next(run *self, const cancel_flag *outer, struct ArrowArray *out, firn_error *err);
/// Runs a statement of any kind: afterwards the run has a result to stream, or none.
firn_status run_statement(run *self, const sql_statement *statement, const bind_parameters *known,
                          const literal *values, firn_error *err);
/// Makes the rows of what was started, which are one batch, the result before anything is
/// committed: as run_count.
firn_status run_keep_rows(run *self, firn_error *err);
/// Makes one row with the column `count` the result: how many rows were changed. Nothing is asked
/// for when it is read, which so cannot fail.
firn_status run_count(run *self, firn_error *err);
/// Ends the execution, with all that works for it; afterwards a change that it wrote into can be
/// closed. With the sink of an INSERT that was drained.
ended_sink run_end(run *self);
/// Makes the rows of an INSERT that was drained visible, if it is one, and ends its execution: the
/// last step, after which a statement must not fail.
firn_status run_commit(run *self, firn_error *err);
/// Runs what is bound, a statement that changes rows, until they are there; also on failure nothing
/// works for it any more. `is_counted`: with run_count, and their number in changed_rows;
/// else there is no result.
firn_status run_change(run *self, const literal *values, uint32_t value_count, bool is_counted,
                       firn_error *err);
/// Pulls everything and throws it away; `count` columns are added up into changed_rows.
firn_status run_drain(run *self, firn_error *err);

// stream.c
/// Who is inside a stream: one thread may pull while another releases it. Starts with one holder,
/// the stream itself.
typedef struct stream_guard {
    atomic_bool is_pulled; // Somebody is inside get_next.
    atomic_uint holders;   // Who is inside, and the stream while it is not released.
} stream_guard;
/// Begins a get_next; false if a thread is inside already (EBUSY). Either way leave afterwards.
bool stream_guard_enter(stream_guard *self);
/// Ends it, as far as it was entered. True if that was the last holder, who ends the stream.
bool stream_guard_leave(stream_guard *self, bool was_entered);
/// Makes room for what stream_open needs, which then cannot fail.
firn_status stream_reserve(run *self, firn_error *err);
/// Takes the reference over, also on failure.
firn_status stream_open(run *taken, struct ArrowArrayStream *out, firn_error *err);
/// The errno of a status, for streams.
int stream_errno(firn_status status);
/// get_next of any stream; one of firn's own also stops waiting when `outer` is raised.
int stream_pull(struct ArrowArrayStream *source, const cancel_flag *outer, struct ArrowArray *out);

// statement.c, statement_bind.c, and many.c: a statement that runs once for each of many rows.
/// Is it there, its engine open, and nobody inside on another thread? Then leave it afterwards.
firn_status statement_enter(firn_statement *self, firn_error *err);
void statement_leave(firn_statement *self);
/// Runs with one row of parameters. Any thread, as long as the row and `with` are the caller's.
firn_status statement_run_once(firn_statement *self, const settings *with, const bound_row *row,
                               run **out, firn_error *err);
/// Row `row` of a struct array becomes what is bound, a value for each parameter of the statement;
/// what was bound before is gone.
firn_status bound_row_set(bound_row *self, const firn_statement *of,
                          const struct ArrowSchema *types, const struct ArrowArray *rows,
                          uint64_t row, firn_error *err);
void bound_row_close(bound_row *self);
firn_statement *statement_retain(firn_statement *self);
void statement_release(firn_statement *self); ///< NULL does nothing.
uint64_t statement_cancel_count(firn_statement *self);
firn_status many_open(firn_statement *self, struct ArrowArrayStream *out, firn_error *err);
/// The error of a stream that many_open made; NULL if it is another one.
const firn_error *many_error(const struct ArrowArrayStream *stream);

// command.c and its siblings: a statement that is no query. `self` has its result afterwards.
firn_status command_run(run *self, const sql_statement *statement, const bind_parameters *known,
                        const literal *values, firn_error *err);
/// What a catalog cannot do, or what cannot be done to information_schema; `what` is the statement.
firn_status command_refuse_catalog(const catalog *target, uint32_t position, const char *what,
                                   firn_error *err);
firn_status command_refuse_listed(const sql_names *path, const char *what, firn_error *err);
firn_status command_create_table(run *self, const sql_create_table *written,
                                 const bind_parameters *known, const literal *values,
                                 firn_error *err);
firn_status command_create_view(run *self, const sql_create_view *written, firn_error *err);
/// A table of CREATE TABLE AS that nobody sees yet.
typedef struct staged_table {
    object_place place;
    bool replaces;
    table_snapshot *made; ///< NULL if there is none.
    // In catalogs with transactions:
    table_snapshot *replaced; ///< What had the name; NULL: nothing.
    table_change *change;
    transaction *owner;
    transaction_mark mark; ///< Of before it was made.
} staged_table;
/// CREATE TABLE AS until self->bound inserts its rows; command_publish_table is the rest, then
/// command_close_staged. On failure there is nothing to close.
firn_status command_stage_table(run *self, const sql_create_table *written,
                                const bind_parameters *known, staged_table *out, firn_error *err);
firn_status command_publish_table(run *self, staged_table *staged, firn_error *err);
/// Undoes what was not published, once nothing runs any more. A zeroed one is fine.
void command_close_staged(run *self, staged_table *staged);
firn_status command_create_schema(run *self, const sql_create_schema *written, firn_error *err);
firn_status command_alter_schema(run *self, const sql_alter *written, firn_error *err);
/// Of a schema that is there.
firn_status command_change_schema(run *self, const sql_names *path, uint32_t position,
                                  const namespace_change *change, firn_error *err);
firn_status command_drop(run *self, const sql_drop *written, firn_error *err);
firn_status command_alter(run *self, const sql_alter *written, firn_error *err);
firn_status command_alter_view(run *self, const sql_alter *written, firn_error *err);
/// Properties of a view that is there; `word`: of the statement, ALTER or COMMENT ON.
firn_status command_change_view(run *self, const sql_names *path, const char *word,
                                const property_change *change, firn_error *err);
/// Whether what was found is what a statement, which begins with `word`, is about.
firn_status command_check_kind(const catalog_object *found, bool is_view, text name,
                               const char *word, firn_error *err);
/// ALTER … RENAME TO.
firn_status command_rename(run *self, const sql_alter *written, const sql_names *to,
                           firn_error *err);
firn_status command_comment_on(run *self, const sql_comment_on *written, firn_error *err);
firn_status command_call(run *self, const sql_call_statement *written, firn_error *err);
/// The columns of its result, in `memory`.
firn_status command_call_columns(const sql_call_statement *written, arena *memory, schema *out,
                                 firn_error *err);
/// The table whose rows a statement changes, as it sees it; `statement` is what it is called. The
/// caller releases it.
firn_status command_find_target(run *self, const sql_names *path, uint32_t position,
                                const char *statement, change_target *out, firn_error *err);
/// The first half of command_change; nothing to do in a run that is bound.
firn_status command_bind_change(run *self, const sql_statement *statement,
                                const bind_parameters *known, firn_error *err);
/// DELETE, UPDATE, MERGE.
firn_status command_change(run *self, const sql_statement *statement, const bind_parameters *known,
                           const literal *values, firn_error *err);
firn_status command_truncate(run *self, const sql_truncate *written, firn_error *err);
/// The first half of command_insert; nothing to do in a run that is bound.
firn_status command_bind_insert(run *self, const sql_insert *written, const bind_parameters *known,
                                firn_error *err);
firn_status command_insert(run *self, const sql_insert *written, const bind_parameters *known,
                           const literal *values, firn_error *err);
/// The query that COPY … TO copies.
firn_status command_copy_query(run *self, const sql_copy *written, const sql_query **out,
                               firn_error *err);
/// COPY … TO until self->bound is its plan.
firn_status command_bind_copy(run *self, const sql_copy *written, const bind_parameters *known,
                              firn_error *err);
firn_status command_copy(run *self, const sql_copy *written, const bind_parameters *known,
                         const literal *values, firn_error *err);
/// The text of a constant; a bare word is one too.
firn_status command_constant_text(run *self, const sql_expr *written, text *out, firn_error *err);
firn_status command_explain(run *self, const sql_explain *written, const bind_parameters *known,
                            const literal *values, firn_error *err);
firn_status command_show(run *self, const sql_show *written, firn_error *err);
firn_status command_show_create(run *self, const sql_show *written, firn_error *err);
firn_status command_describe(run *self, const sql_describe *written, firn_error *err);
/// `columns`: of the table or query that is described.
firn_status command_summarize(run *self, const sql_describe *written, const schema *columns,
                              firn_error *err);

// listing.c: rows of texts as a result.
typedef struct listing listing;
/// `names` are the columns, all VARCHAR; in the run's memory.
firn_status listing_open(run *self, const char *const *names, uint32_t count, listing **out,
                         firn_error *err);
/// One row; a text with data NULL is NULL.
/// Leaves out rows whose cell `column` is not LIKE the pattern; NULL: none. Before the first row.
firn_status listing_only(listing *self, uint32_t column, const sql_literal *pattern,
                         firn_error *err);
firn_status listing_add(listing *self, const text *values, firn_error *err);
/// Its rows as plan data, with their schema.
firn_status listing_rows(listing *self, column_data_list *rows, schema *columns, firn_error *err);
/// Makes it the result of the run.
firn_status listing_finish(listing *self, firn_error *err);
#endif
