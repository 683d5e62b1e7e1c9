// What firn.h will grow by: the functions of the next versions as they are planned, complete with
// their rules, so that what stands in firn.h leaves room for them. Nothing here is implemented,
// exported or installed; a declaration moves to firn.h, unchanged, when it works.
//
//     objects      what catalogs, schemas, tables and columns there are
//     providers    tables of the program, with push-down of columns, filters and limits
//     appenders    rows into a table without SQL
//     functions    scalar and aggregate functions of the program
//     expressions  built without text: what providers are shown and frames are made of
//     frames       lazy tables: verbs are data
//     fragments    parts of a plan for other processes (of an unstable header, firn_unstable.h)
//
// The rules of firn.h hold here too. For what the program hands in:
//   - A struct that crosses begins with its size, set by its INIT macro, and only grows. Enums that
//     cross are uint32_t members; a number that firn does not know is FIRN_INVALID, one that the
//     program does not know is to be treated like the weakest that it does.
//   - Callbacks come as a struct with `user` and `release`. firn copies the struct and calls
//     `release` exactly once, from any thread, after the last call of another callback: when the
//     thing is replaced, dropped or its owner closed, and no running query uses it any more. If
//     registering fails, nothing was taken over and `release` is not called.
//   - Callbacks are never called under a lock of firn's and may use the engine, but not the session
//     whose call they run under, unless they run on its thread. `threading` says how they bear
//     parallel calls.
//   - A callback that fails fills `err` (never NULL; text at most FIRN_ERROR_TEXT_MAX) and returns
//     its status. FIRN_CANCELLED is for when it was asked to stop.
//   - Text in callbacks' structs is NUL-terminated UTF-8 and lives as long as the call.
#ifndef FIRN_NEXT_H
#define FIRN_NEXT_H

#include "firn.h"

#if defined(__cplusplus)
extern "C" {
#endif

/// How callbacks bear being called.
typedef enum firn_threading {
    FIRN_ANY_THREAD = 0,    ///< Any number at a time, on any thread.
    FIRN_ONE_AT_A_TIME = 1, ///< One at a time, on any thread.
    FIRN_CALLER_THREAD = 2  ///< Only on the thread that is inside a call of the session or pulls
                            ///< the stream: the query has one worker.
} firn_threading;

// ---- Objects -----------------------------------------------------------------------------------

/// How deep firn_objects goes.
typedef enum firn_object_depth {
    FIRN_OBJECTS_CATALOGS = 1,
    FIRN_OBJECTS_SCHEMAS = 2,
    FIRN_OBJECTS_TABLES = 3,
    FIRN_OBJECTS_COLUMNS = 4
} firn_object_depth;

/// Which objects are wanted. Patterns are those of LIKE, with '\' as escape; NULL takes all.
typedef struct firn_objects_filter {
    uint32_t size;
    uint32_t depth; ///< A firn_object_depth.
    const char *catalog;
    const char *schema; ///< Of levels joined by '.'.
    const char *table;
    const char *column;
    const char *const *types; ///< "table", "view", "temporary table", "system table"; NULL: all.
    size_t type_count;
    uint64_t reserved[4];
} firn_objects_filter;
#define FIRN_OBJECTS_FILTER_INIT {.size = sizeof(firn_objects_filter), .depth = FIRN_OBJECTS_TABLES}

/// Lists objects, one a row, ordered by catalog, schema, table and column position:
/// catalog, schema, table, type (VARCHAR); then with FIRN_OBJECTS_COLUMNS: column (VARCHAR),
/// position (INTEGER, from 1), data_type (VARCHAR, as DESCRIBE), nullable (BOOLEAN), comment,
/// default (VARCHAR). What lies deeper than was asked is NULL; so is everything of a schema that
/// has no table. A catalog that cannot be reached is a failure, not a gap.
FIRN_API firn_status firn_objects(firn_session *session, const firn_objects_filter *filter,
                                  struct ArrowArrayStream *out, firn_error *err);

// ---- Expressions -------------------------------------------------------------------------------

/// An immutable expression over named columns, counted by references: whoever is handed one
/// releases it; functions that take expressions borrow them and retain what they keep. Any thread.
typedef struct firn_expr firn_expr;

typedef enum firn_expr_kind {
    FIRN_EXPR_OTHER = 0,     ///< Something that this program's header does not know.
    FIRN_EXPR_COLUMN = 1,    ///< firn_expr_name: the path, parts quoted where they must be.
    FIRN_EXPR_LITERAL = 2,   ///< firn_expr_value.
    FIRN_EXPR_CALL = 3,      ///< firn_expr_name: the function; children: its arguments.
    FIRN_EXPR_CAST = 4,      ///< One child; firn_expr_name: the type.
    FIRN_EXPR_TRY_CAST = 5,  ///< The same; NULL where the cast fails.
    FIRN_EXPR_ALIAS = 6,     ///< One child; firn_expr_name: its new name.
    FIRN_EXPR_CASE = 7,      ///< Children: condition, value, condition, value …, [otherwise].
    FIRN_EXPR_IN = 8,        ///< Children: what is looked for, then the list.
    FIRN_EXPR_SORT_KEY = 9,  ///< One child; firn_expr_name: "asc nulls first" and so on.
    FIRN_EXPR_WINDOW = 10,   ///< Children: the call, partition keys, sort keys.
    FIRN_EXPR_AGGREGATE = 11 ///< A call with DISTINCT, FILTER or ORDER BY; children as in a call.
} firn_expr_kind;
// Operators are calls: "=", "<>", "<", "<=", ">", ">=", "is distinct from", "and", "or", "not",
// "is null", "is not null", "+", "-", "*", "/", "%", "||", "like", "ilike", "between" …

/// Reads an expression of SQL, such as "price * 2" or "sum(x) OVER (PARTITION BY y)". Names are not
/// looked up yet. Parameters are allowed. FIRN_INVALID carries the position.
FIRN_API firn_status firn_expr_sql(const char *sql, size_t size, firn_expr **out, firn_error *err);
/// A column by its path, one part a level: {"o", "customer", "name"}.
FIRN_API firn_status firn_expr_column(const char *const *path, size_t count, firn_expr **out,
                                      firn_error *err);
/// A constant: the first row of `value`, of the type `type`. Both are taken over on success.
FIRN_API firn_status firn_expr_literal(struct ArrowSchema *type, struct ArrowArray *value,
                                       firn_expr **out, firn_error *err);
/// A call of a function or operator by its name.
FIRN_API firn_status firn_expr_call(const char *name, const firn_expr *const *arguments,
                                    size_t count, firn_expr **out, firn_error *err);
/// A cast to a type as SQL writes it. `is_try`: NULL instead of an error.
FIRN_API firn_status firn_expr_cast(const firn_expr *value, const char *type, bool is_try,
                                    firn_expr **out, firn_error *err);
/// The same value under another name.
FIRN_API firn_status firn_expr_alias(const firn_expr *value, const char *name, firn_expr **out,
                                     firn_error *err);
/// A key to sort by. `nulls_first` is -1 for SQL's default.
FIRN_API firn_status firn_expr_sort_key(const firn_expr *value, bool is_descending,
                                        int32_t nulls_first, firn_expr **out, firn_error *err);

/// A call over a window.
typedef struct firn_window {
    uint32_t size;
    const firn_expr *const *partition_by;
    size_t partition_by_count;
    const firn_expr *const *order_by; ///< Sort keys, or plain values.
    size_t order_by_count;
    const char *frame; ///< As SQL writes it: "rows between 2 preceding and current row"; or NULL.
    uint64_t reserved[4];
} firn_window;
#define FIRN_WINDOW_INIT {.size = sizeof(firn_window)}
FIRN_API firn_status firn_expr_window(const firn_expr *call, const firn_window *window,
                                      firn_expr **out, firn_error *err);

/// An aggregate with what SQL puts inside or behind its parentheses.
typedef struct firn_aggregate_call {
    uint32_t size;
    bool is_distinct;
    const firn_expr *filter; ///< NULL: all rows.
    const firn_expr *const *order_by;
    size_t order_by_count;
    uint64_t reserved[4];
} firn_aggregate_call;
#define FIRN_AGGREGATE_CALL_INIT {.size = sizeof(firn_aggregate_call)}
FIRN_API firn_status firn_expr_aggregate(const firn_expr *call, const firn_aggregate_call *with,
                                         firn_expr **out, firn_error *err);

FIRN_API firn_expr *firn_expr_retain(firn_expr *expr);
FIRN_API void firn_expr_release(firn_expr *expr); ///< NULL does nothing.
FIRN_API uint32_t firn_expr_kind_of(const firn_expr *expr);
/// Lives as long as the expression; "" where the kind has none.
FIRN_API const char *firn_expr_name(const firn_expr *expr);
FIRN_API size_t firn_expr_child_count(const firn_expr *expr);
/// Borrowed: lives as long as its parent. NULL if there is no such child.
FIRN_API const firn_expr *firn_expr_child(const firn_expr *expr, size_t index);
/// The value of a literal as one row. The caller releases both. FIRN_INVALID for other kinds.
FIRN_API firn_status firn_expr_value(const firn_expr *expr, struct ArrowSchema *type,
                                     struct ArrowArray *value, firn_error *err);
/// The expression as SQL that firn_expr_sql reads back; `size` as in firn_engine_get.
FIRN_API firn_status firn_expr_text(const firn_expr *expr, char *text, size_t *size,
                                    firn_error *err);

// ---- Tables of the program ---------------------------------------------------------------------

/// What a provider says about a filter that it is shown.
typedef enum firn_filter_use {
    FIRN_FILTER_IGNORED = 0, ///< firn filters.
    FIRN_FILTER_PARTLY = 1,  ///< Some rows are left out, firn filters the rest.
    FIRN_FILTER_EXACT = 2    ///< All rows handed out fulfil it.
} firn_filter_use;

/// What is known of a column over the whole table. What is not known keeps its INIT value.
typedef struct firn_column_facts {
    uint32_t size;
    int64_t null_count;     ///< -1: unknown.
    int64_t distinct_count; ///< An estimate; -1: unknown.
    /// One-row arrays of the column's type that bound its values; taken over. release NULL:
    /// unknown.
    struct ArrowArray *lower;
    struct ArrowArray *upper;
    bool are_bounds_exact; ///< Lower and upper occur, or are as near as can be.
    uint64_t reserved[4];
} firn_column_facts;
#define FIRN_COLUMN_FACTS_INIT                                                                     \
    {.size = sizeof(firn_column_facts), .null_count = -1, .distinct_count = -1}

/// What a scan is asked for. Borrowed by the call that gets it.
typedef struct firn_scan_request {
    uint32_t size;
    /// Positions in the schema; the streams hand out these, in this order.
    const uint32_t *columns;
    size_t column_count; ///< 0: only how many rows there are.
    /// Conjuncts over columns by name. May be ignored.
    const firn_expr *const *filters;
    size_t filter_count;
    int64_t limit;       ///< No more rows are needed, of those that fulfil all filters; -1: all.
    uint32_t parts_max;  ///< More streams than this are of no use.
    uint32_t batch_rows; ///< A good size of batches.
    uint64_t reserved[8];
} firn_scan_request;

/// A running scan, filled by `scan`. Its parts are read side by side as `threading` allows.
typedef struct firn_table_scan {
    uint32_t size;
    uint32_t part_count;
    int64_t row_estimate; ///< Of all parts, after what the filters leave; -1: unknown.
    bool is_ordered;      ///< Parts one after the other are in an order worth keeping.
    void *user;
    /// Opens part `index` as a stream; each at most once, some perhaps never.
    firn_status (*open_part)(void *user, uint32_t index, struct ArrowArrayStream *out,
                             firn_error *err);
    /// Asks running streams to stop; their get_next may answer ECANCELED. Any thread. May be NULL.
    void (*cancel)(void *user);
    void (*release)(void *user); ///< After the streams of all opened parts are released.
    uint64_t reserved[4];
} firn_table_scan;

/// A table that the program provides. Members that may be NULL say so.
typedef struct firn_table_provider {
    uint32_t size;
    uint32_t threading; ///< Of all callbacks, those of scans and their streams included.
    void *user;
    void (*release)(void *user);
    /// The struct schema of the table. Asked for once when it is registered and again before each
    /// statement that uses it: a changed schema makes prepared statements bind again.
    firn_status (*schema)(void *user, struct ArrowSchema *out, firn_error *err);
    /// How many rows: exact, or -1. May be NULL.
    int64_t (*row_count)(void *user);
    /// Facts of a column. `out` is set up. May be NULL.
    firn_status (*facts)(void *user, uint32_t column, firn_column_facts *out, firn_error *err);
    /// Begins a scan. `uses` has one firn_filter_use a filter, all FIRN_FILTER_IGNORED.
    firn_status (*scan)(void *user, const firn_scan_request *request, uint32_t *uses,
                        firn_table_scan *out, firn_error *err);
    /// Takes the rows of an INSERT: pulls `rows` to their end, and keeps either all or none. NULL:
    /// the table can only be read.
    firn_status (*insert)(void *user, struct ArrowArrayStream *rows, int64_t *row_count,
                          firn_error *err);
    uint64_t reserved[8];
} firn_table_provider;
#define FIRN_TABLE_PROVIDER_INIT {.size = sizeof(firn_table_provider)}

/// Makes a provider readable as the temporary table `name` of the session, any number of times.
/// Replaces one of that name; running queries go on with the old one.
FIRN_API firn_status firn_register_table(firn_session *session, const char *name,
                                         const firn_table_provider *provider, firn_error *err);

// ---- Appenders ---------------------------------------------------------------------------------

/// Rows on their way into one table. One thread at a time.
typedef struct firn_appender firn_appender;

/// Opens an appender for a table, named as in SQL: "lake.sales.orders".
///
/// @param types   A struct schema of what will come; columns are matched by name and cast as INSERT
///                does. Borrowed. NULL: as the table's.
/// @param options {"mode", "append" (the default) | "create" | "create_append" | "replace"},
///                {"temporary", "true"}, {"write.…", "…"} as in CREATE TABLE … WITH.
FIRN_API firn_status firn_appender_open(firn_session *session, const char *table,
                                        struct ArrowSchema *types, const firn_option *options,
                                        size_t count, firn_appender **out, firn_error *err);
/// Appends the rows of a struct array, taken over on success. May write files; nobody sees the
/// rows yet. After a failure only closing is left.
FIRN_API firn_status firn_appender_append(firn_appender *appender, struct ArrowArray *rows,
                                          firn_error *err);
/// Appends a whole stream, taken over on success.
FIRN_API firn_status firn_appender_append_stream(firn_appender *appender,
                                                 struct ArrowArrayStream *rows, firn_error *err);
/// Makes all rows visible in one commit, or leaves them to the session's transaction if one is
/// open. `row_count` may be NULL. FIRN_CONFLICT: nothing was done; FIRN_COMMIT_UNKNOWN: read the
/// table.
FIRN_API firn_status firn_appender_finish(firn_appender *appender, int64_t *row_count,
                                          firn_error *err);
/// Ends it. Without a successful finish nothing was appended and what was written is removed.
FIRN_API void firn_appender_close(firn_appender *appender);

// ---- Functions of the program ------------------------------------------------------------------

/// What firn may assume of a function. The fewer are set, the less it is moved and shared.
typedef enum firn_function_flag {
    FIRN_FUNCTION_PURE = 1,          ///< Same arguments, same value, for ever.
    FIRN_FUNCTION_STABLE = 2,        ///< The same within a statement.
    FIRN_FUNCTION_NULL_STRICT = 4,   ///< NULL in, NULL out: such rows need not be computed.
    FIRN_FUNCTION_CANNOT_FAIL = 8,   ///< For no row: it may be computed where SQL would not.
    FIRN_FUNCTION_MONOTONE = 16,     ///< Grows with its first argument: bounds of it can prune.
    FIRN_FUNCTION_ORDER_MATTERS = 32 ///< Aggregates: depends on the order of rows.
} firn_function_flag;

/// What `bind` is told and what it says.
typedef struct firn_function_bind {
    uint32_t size;
    uint32_t signature; ///< Which of the function's was chosen.
    size_t argument_count;
    struct ArrowSchema *const *arguments; ///< Their types.
    struct ArrowArray *const *constants;  ///< One row of an argument that is constant, else NULL.
    struct ArrowSchema *result;           ///< To be filled where the signature leaves it open.
    /// Plain data for the calls, at most 64 KiB: copied, and sent along with a plan. May be NULL.
    const void *state;
    size_t state_size;
    uint64_t reserved[4];
} firn_function_bind;

/// One call of a kernel: a batch of rows.
typedef struct firn_function_call {
    uint32_t size;
    const void *state; ///< What bind left.
    size_t state_size;
    void *worker; ///< What open_worker made, or NULL.
    int64_t row_count;
    size_t argument_count;
    /// As Arrow arrays of row_count rows, or of one row for constants. Borrowed.
    const struct ArrowArray *const *arguments;
    struct ArrowArray *result; ///< Scalar functions: to be filled with row_count rows.
    int64_t failed_row;        ///< On failure: the row that is at fault, else -1.
    uint64_t reserved[4];
} firn_function_call;

/// A scalar function. Names are those of SQL, looked up without regard to case.
typedef struct firn_scalar_function {
    uint32_t size;
    uint32_t threading;
    uint32_t flags; ///< firn_function_flag, added up.
    const char *name;
    const char *const *aliases; ///< NULL-terminated, or NULL.
    /// "RESULT <- ARGUMENT, …", types as in SQL; "ANY" as an argument or result is for bind to
    /// look at, a last argument with "…" may be repeated. NULL-terminated.
    const char *const *signatures;
    const char *summary;         ///< A sentence for SHOW FUNCTIONS; or NULL.
    const char *const *examples; ///< Expression, value, expression, value …, NULL; or NULL.
    void *user;
    void (*release)(void *user);
    /// May be NULL when the signature says everything.
    firn_status (*bind)(void *user, firn_function_bind *bind, firn_error *err);
    /// For each worker, with what bind left; both or none.
    firn_status (*open_worker)(void *user, const void *state, size_t state_size, void **worker,
                               firn_error *err);
    void (*close_worker)(void *user, void *worker);
    firn_status (*call)(void *user, firn_function_call *call, firn_error *err);
    uint64_t reserved[8];
} firn_scalar_function;
#define FIRN_SCALAR_FUNCTION_INIT {.size = sizeof(firn_scalar_function)}

/// Makes a function known to a session. It hides a built-in one of that name and types.
FIRN_API firn_status firn_register_function(firn_session *session,
                                            const firn_scalar_function *function, firn_error *err);

/// An aggregate. States of many groups lie in one block of memory, `state_bytes` apart: plain data
/// without pointers, moved by memcpy. What grows belongs into exported columns: firn keeps the raw
/// rows of a group instead when `update` answers FIRN_NO_MEMORY.
typedef struct firn_aggregate_function {
    uint32_t size;
    uint32_t threading;
    uint32_t flags;
    const char *name;
    const char *const *aliases;
    const char *const *signatures;
    const char *summary;
    const char *const *examples;
    size_t state_bytes;     ///< At most 4096.
    size_t state_alignment; ///< A power of two, at most 16.
    void *user;
    void (*release)(void *user);
    firn_status (*bind)(void *user, firn_function_bind *bind, firn_error *err);
    void (*begin)(void *user, const void *bound, void *state); ///< Of a group without rows.
    /// Adds each row to the state states[row].
    firn_status (*update)(void *user, const firn_function_call *call, void *const *states,
                          firn_error *err);
    /// Adds `from` to `into`: any grouping of the same rows gives the same value.
    firn_status (*combine)(void *user, const void *bound, void *into, const void *from,
                           firn_error *err);
    /// The values of `count` states as an array of the result's type.
    firn_status (*finish)(void *user, const void *bound, void *const *states, size_t count,
                          struct ArrowArray *out, firn_error *err);
    /// States as a struct array and back, for temporary files, other processes and partial results.
    firn_status (*export_schema)(void *user, const void *bound, struct ArrowSchema *out,
                                 firn_error *err);
    firn_status (*export_states)(void *user, const void *bound, void *const *states, size_t count,
                                 struct ArrowArray *out, firn_error *err);
    /// Adds row i of `rows` to states[i].
    firn_status (*import_states)(void *user, const void *bound, const struct ArrowArray *rows,
                                 void *const *states, firn_error *err);
    uint64_t reserved[8];
} firn_aggregate_function;
#define FIRN_AGGREGATE_FUNCTION_INIT {.size = sizeof(firn_aggregate_function)}

FIRN_API firn_status firn_register_aggregate(firn_session *session,
                                             const firn_aggregate_function *function,
                                             firn_error *err);

// ---- Frames ------------------------------------------------------------------------------------

/// A lazy table: a source and the verbs applied to it. Immutable; applying a verb makes another
/// one. Any thread. Holds its session, which must not be in a call while a frame is prepared.
typedef struct firn_frame firn_frame;

typedef enum firn_frame_source {
    FIRN_FRAME_TABLE = 1, ///< `text`: the name of a table or view.
    FIRN_FRAME_QUERY = 2, ///< `text`: a query.
    FIRN_FRAME_CALL = 3   ///< `text`: a table function, such as read_parquet('x/*.parquet').
} firn_frame_source;

/// A frame over a table, query or table function. Names are looked up when it is prepared.
FIRN_API firn_status firn_frame_from(firn_session *session, uint32_t source, const char *text,
                                     size_t size, firn_frame **out, firn_error *err);

/// The verbs. Which members of firn_verb each one reads stands behind it.
typedef enum firn_verb_kind {
    FIRN_VERB_SELECT = 1,       ///< exprs: the columns of the result. "*" is a column.
    FIRN_VERB_WITH_COLUMNS = 2, ///< exprs with names: added, or put in the place of that name.
    FIRN_VERB_DROP = 3,         ///< exprs: columns that go.
    FIRN_VERB_RENAME = 4,       ///< exprs: aliases of columns.
    FIRN_VERB_FILTER = 5,       ///< exprs: conjuncts.
    FIRN_VERB_AGGREGATE = 6,    ///< keys, exprs. No keys: one row.
    FIRN_VERB_SORT = 7,         ///< keys: sort keys.
    FIRN_VERB_LIMIT = 8,        ///< limit, offset.
    FIRN_VERB_DISTINCT = 9,     ///< keys: first row of each in frame order; none: whole rows.
    FIRN_VERB_JOIN = 10,        ///< other, text (kind), exprs (conditions), keys (USING columns).
    FIRN_VERB_UNION = 11,       ///< other, text: "all" | "distinct", with " by name".
    FIRN_VERB_INTERSECT = 12,   ///< other, text.
    FIRN_VERB_EXCEPT = 13,      ///< other, text.
    FIRN_VERB_UNNEST = 14,      ///< exprs: lists; a row for each element.
    FIRN_VERB_PIVOT = 15,       ///< keys: rows; exprs: what becomes columns, then aggregates;
                                ///< text: how many of the first.
    FIRN_VERB_UNPIVOT = 16,     ///< exprs: columns; text: "name column,value column".
    FIRN_VERB_SAMPLE = 17,      ///< text: as TABLESAMPLE writes it.
    FIRN_VERB_ALIAS = 18        ///< text: the name by which columns of the frame are qualified.
} firn_verb_kind;

/// One verb. What a kind does not read is ignored.
typedef struct firn_verb {
    uint32_t size;
    uint32_t kind; ///< A firn_verb_kind.
    const firn_expr *const *exprs;
    size_t expr_count;
    const firn_expr *const *keys;
    size_t key_count;
    const firn_frame *other;
    const char *text; ///< JOIN: inner, left, right, full, semi, anti, cross, asof; or NULL: inner.
    int64_t limit;    ///< -1: all.
    int64_t offset;
    uint64_t reserved[8];
} firn_verb;
#define FIRN_VERB_INIT {.size = sizeof(firn_verb), .limit = -1}

/// Another frame: `frame` with the verb applied. Everything in `verb` is borrowed.
FIRN_API firn_status firn_frame_apply(const firn_frame *frame, const firn_verb *verb,
                                      firn_frame **out, firn_error *err);
/// Makes a statement of a frame, with the same errors that its SQL would have. Parameters of its
/// expressions are those of the statement.
FIRN_API firn_status firn_frame_prepare(const firn_frame *frame, firn_statement **out,
                                        firn_error *err);
/// The frame as SQL, for people; `size` as in firn_engine_get.
FIRN_API firn_status firn_frame_text(const firn_frame *frame, char *text, size_t *size,
                                     firn_error *err);
FIRN_API void firn_frame_close(firn_frame *frame);

// ---- Fragments: firn_unstable.h ----------------------------------------------------------------

/// One part of a plan that another process can run: bytes that carry the version of the plan.
typedef struct firn_fragment {
    uint32_t size;
    uint32_t number;     ///< Of the fragment; 0 gives the rows of the statement.
    uint32_t task_count; ///< How many times it runs, with task numbers from 0.
    bool is_repeatable;  ///< Each run of a task gives each partition the same set of rows.
    const uint8_t *bytes;
    size_t byte_count;
    const uint32_t *inputs; ///< Fragments whose partition `task` a task reads.
    size_t input_count;
    uint32_t partition_count; ///< Into which its rows are divided.
    uint64_t reserved[4];
} firn_fragment;

/// Cuts a statement with bound parameters into fragments for `workers` processes; `visit` is called
/// for each, inputs first. FIRN_UNSUPPORTED names what cannot leave the process (a registered
/// stream, a temporary table).
FIRN_API firn_status firn_statement_cut(firn_statement *statement, uint32_t workers,
                                        firn_status (*visit)(void *user,
                                                             const firn_fragment *fragment,
                                                             firn_error *err),
                                        void *user, firn_error *err);

/// Runs one task of a fragment. `inputs` has one stream an input, taken over; `out` receives one
/// stream a partition. FIRN_UNSUPPORTED names the node, function or version that is not known.
FIRN_API firn_status firn_fragment_run(firn_session *session, const uint8_t *bytes, size_t size,
                                       uint32_t task, struct ArrowArrayStream *inputs,
                                       size_t input_count, struct ArrowArrayStream *out,
                                       size_t partition_count, firn_error *err);

/// Commits what the tasks of a writing statement wrote: their rows are file records, which only the
/// process that cut the statement turns into a commit.
FIRN_API firn_status firn_statement_commit(firn_statement *statement,
                                           struct ArrowArrayStream *records, int64_t *changed_rows,
                                           firn_error *err);

#if defined(__cplusplus)
}
#endif

#endif
