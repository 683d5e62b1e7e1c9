// firn: an in-process lakehouse engine. This is the whole public interface.
//
//     #include <firn.h>
//     #include <stdio.h>
//
//     int main(void) {
//         firn_engine *engine = NULL;
//         firn_session *session = NULL;
//         struct ArrowArrayStream rows;
//         struct ArrowArray batch;
//         firn_error error = FIRN_ERROR_INIT;
//         if (firn_engine_open(NULL, 0, &engine, &error) == FIRN_OK &&
//             firn_session_open(engine, &session, &error) == FIRN_OK &&
//             firn_query(session, "SELECT 42 AS answer", FIRN_NUL_TERMINATED, &rows, &error) ==
//                 FIRN_OK) {
//             while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
//                 const int32_t *answer = batch.children[0]->buffers[1];
//                 for (int64_t i = 0; i < batch.length; i++) {
//                     printf("%d\n", answer[batch.children[0]->offset + i]);
//                 }
//                 batch.release(&batch);
//             }
//             (void)firn_stream_error(&rows, &error); // A stream that failed ends early.
//             rows.release(&rows);
//         }
//         if (error.status != FIRN_OK) {
//             fprintf(stderr, "%s\n", error.text);
//         }
//         firn_session_close(session);
//         firn_engine_close(engine);
//         return error.status == FIRN_OK ? 0 : 1;
//     }
//
// Four kinds of objects: an engine (settings, threads, caches), sessions of an engine (catalogs,
// temporary tables, time zone), prepared statements of a session, and streams of rows, which are
// plain ArrowArrayStream of the Arrow C stream interface
// (https://arrow.apache.org/docs/format/CStreamInterface.html).
//
// Rules that hold for every function here:
//   - A function that can fail returns firn_status and has a `firn_error *err` as last parameter.
//     It may be NULL when the caller does not want the sentence; else FIRN_ERROR_INIT set it up.
//     Whatever it says of a status, FIRN_INVALID (an argument that is NULL and must not be, an
//     object in use by another thread or of a parent process), FIRN_NO_MEMORY and FIRN_CANCELLED
//     (the engine is closed) may always come.
//   - An object handed out through a `firn_x **out` belongs to the caller, who ends it with
//     firn_x_close(x); closing NULL does nothing. On failure *out is NULL, and what is handed out
//     into memory of the caller has release NULL.
//   - Children keep their parents alive: any order of closing is right, and batches outlive all.
//   - Text in is UTF-8 and borrowed for the call: keys and names end in NUL; SQL is pointer and
//     size, where the size may be FIRN_NUL_TERMINATED.
//   - Threads: an engine may be used from any thread at any time; a session with its statements
//     from one thread at a time; a stream is pulled by one thread at a time, which need not be its
//     session's, while the session runs other statements. Cancel, progress and releasing a stream:
//     any thread, any time. A second thread in a session or statement gets FIRN_INVALID, in a
//     stream EBUSY. Callbacks of a call (a stream that is registered) may use the session again.
//   - Where NULL is not allowed it is FIRN_INVALID; functions without a status then do nothing.
//   - Settings are text: see `SHOW ALL SETTINGS` for their names, values and meaning. Of the
//     engine are memory_limit, threads, temp_directory and http_timeout, whoever sets them; the
//     others are a session's, which begins with its engine's, and a statement's, which begins with
//     its session's.
//   - The library touches no signal handler, locale, umask or working directory, and starts no
//     thread before a statement needs one. In a forked child every call with what the parent
//     opened answers an error, and closing it does nothing; it may open an engine of its own.
#ifndef FIRN_H
#define FIRN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define FIRN_VERSION_MAJOR 0
#define FIRN_VERSION_MINOR 1
#define FIRN_VERSION_PATCH 0

#if defined(__GNUC__)
#define FIRN_API __attribute__((visibility("default")))
#else
#define FIRN_API
#endif

// On an enum: a caller that ignores a returned value of this type is warned. Clang only.
#if defined(__clang__)
#define FIRN_MUST_CHECK __attribute__((warn_unused_result))
#else
#define FIRN_MUST_CHECK
#endif

/// As the size of a text: it ends at its first NUL.
#define FIRN_NUL_TERMINATED SIZE_MAX

/// Why a function failed, as far as a program can act on it. The numbers never change.
typedef enum FIRN_MUST_CHECK firn_status {
    FIRN_OK = 0,
    FIRN_NO_MEMORY = 1,   ///< The memory limit of the query was reached, or the system refused.
    FIRN_INVALID = 2,     ///< The request is wrong: bad SQL, bad option, unknown column, bad value.
    FIRN_NOT_FOUND = 3,   ///< No such table, file or object.
    FIRN_CORRUPT = 4,     ///< Stored data breaks its own format.
    FIRN_UNSUPPORTED = 5, ///< Valid, but firn does not implement it.
    FIRN_IO = 6,          ///< The disk or the network failed; trying again may help.
    FIRN_CONFLICT = 7,    ///< Another writer committed first, and what it did does not go with what
                          ///< we did, or there was one each time; nothing of ours was written.
    FIRN_CANCELLED = 8,   ///< The caller asked the query to stop.
    FIRN_INTERNAL = 9,    ///< A bug in firn. Please report it with the text of the error.
    FIRN_COMMIT_UNKNOWN = 10 ///< The commit may have happened or not, or yet happen: no answer came
                             ///< and reading back did not tell. Read the table to know; running
                             ///< the statement again may do it twice.
} firn_status;

#define FIRN_ERROR_TEXT_MAX 1024
#define FIRN_ERROR_HINT_MAX 256

/// Why a function failed, for people. Memory of the caller; needs no release, may be reused.
///
///     corrupt: dictionary index of 40 bits, at most 32 are allowed
///       while reading column "region" of row group 2
///       while scanning s3://lake/sales/part-0001.parquet
typedef struct firn_error {
    uint32_t size; ///< sizeof(firn_error) of the caller, set by FIRN_ERROR_INIT: lets it grow.
    firn_status status;
    char sqlstate[6];               ///< Five characters of SQL, "" if none.
    bool retryable;                 ///< Trying the same again may help.
    uint64_t position;              ///< Byte of the SQL text that is at fault, UINT64_MAX if none.
    size_t length;                  ///< Bytes in `text`, without the final NUL.
    char text[FIRN_ERROR_TEXT_MAX]; ///< UTF-8. Ends in "..." if there was more to say.
    char hint[FIRN_ERROR_HINT_MAX]; ///< What to do about it, "" if nothing is known.
    uint64_t reserved[8];
} firn_error;
#define FIRN_ERROR_INIT {sizeof(firn_error), FIRN_OK, "", false, UINT64_MAX, 0, "", "", {0}}

// The C data and stream interfaces of Apache Arrow, which every Arrow library declares under these
// guards: whoever comes first, it is the same
// (https://arrow.apache.org/docs/format/CDataInterface.html says what the members mean).
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif // ARROW_C_DATA_INTERFACE

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif // ARROW_C_STREAM_INTERFACE

/// Settings, threads, caches and the shared catalog `memory`. Usually one per program.
typedef struct firn_engine firn_engine;

/// Catalogs, temporary tables, settings and transaction of one user of an engine. Between the
/// statements BEGIN and COMMIT or ROLLBACK all statements are one transaction, also prepared ones;
/// else each is one of its own. After one that failed only ROLLBACK is left (SQLSTATE 25P02).
/// Closing rolls back.
typedef struct firn_session firn_session;

/// A prepared statement.
typedef struct firn_statement firn_statement;

/// A setting as text. Comes in arrays, so it never grows.
typedef struct firn_option {
    const char *key;
    const char *value;
} firn_option;

/// How far a statement is. Set `size` with FIRN_PROGRESS_INIT.
typedef struct firn_progress {
    uint32_t size;
    double share;           ///< 0 to 1, -1 when nothing is known.
    uint64_t rows;          ///< Rows read by scans, or made by generate_series and range, so far.
    uint64_t bytes;         ///< Bytes read by scans so far; 0 where they read no files.
    uint64_t spilled_bytes; ///< Bytes written to temporary files so far.
    int64_t changed_rows;   ///< Rows inserted, updated or deleted; -1 for a query.
    uint64_t reserved[8];
} firn_progress;
#define FIRN_PROGRESS_INIT {sizeof(firn_progress), -1, 0, 0, 0, -1, {0}}

/// The version of the library that is running, such as "0.1.0". It may differ from the
/// FIRN_VERSION_* macros, which say what the program was compiled against. Static storage. Any
/// thread.
FIRN_API const char *firn_version(void);

// ---- Engines -----------------------------------------------------------------------------------

/// Opens an engine. Starts no thread and opens no file.
///
/// @param options `count` settings, such as {"memory_limit", "512MB"}; NULL when count is 0.
/// @param out     The engine, the caller's until firn_engine_close.
/// @returns FIRN_OK, FIRN_INVALID (unknown setting or bad value; the hint names the nearest one),
///          FIRN_NOT_FOUND (a time zone of that name), FIRN_NO_MEMORY.
///
/// @code
///     const firn_option options[] = {{"memory_limit", "512MB"}, {"threads", "4"}};
///     firn_engine *engine;
///     firn_error error = FIRN_ERROR_INIT;
///     if (firn_engine_open(options, 2, &engine, &error) != FIRN_OK) {
///         fprintf(stderr, "%s\n%s\n", error.text, error.hint);
///     }
/// @endcode
FIRN_API firn_status firn_engine_open(const firn_option *options, size_t count, firn_engine **out,
                                      firn_error *err);

/// Ends an engine: cancels what runs and joins the workers. Open sessions, statements and streams
/// stay valid objects, to be closed as ever, whose calls answer FIRN_CANCELLED; batches handed out
/// stay readable. Any thread; no other call may use the engine itself afterwards.
FIRN_API void firn_engine_close(firn_engine *engine);

/// Sets one setting of the engine. Four belong to it alone, "(engine)" in SHOW ALL SETTINGS:
/// memory_limit, threads, temp_directory and http_timeout hold for all statements that start later,
/// and a smaller memory_limit makes running ones shrink. The others, those of firn_statement_set
/// among them, are what sessions begin with that are opened later. Any thread.
///
/// @returns FIRN_OK, FIRN_INVALID (the text says what is allowed, the hint the nearest name),
///          FIRN_NOT_FOUND (a time zone of that name), after which the setting is as before.
FIRN_API firn_status firn_engine_set(firn_engine *engine, const char *key, const char *value,
                                     firn_error *err);

/// Reads one setting of the engine as text, with `auto` and shares of the machine as what they come
/// to. Any thread.
///
/// @param value Memory of the caller, or NULL to ask for the size alone.
/// @param size  In: bytes at `value`. Out: bytes needed, with the final NUL. When it is too small
///              or `value` is NULL nothing is written and the answer is FIRN_OK all the same.
/// @returns FIRN_OK, FIRN_INVALID (no such setting; the hint names the nearest one).
///
/// @code
///     char value[64];
///     size_t size = sizeof value;
///     if (firn_engine_get(engine, "threads", value, &size, NULL) == FIRN_OK &&
///         size <= sizeof value) {
///         puts(value);
///     }
/// @endcode
FIRN_API firn_status firn_engine_get(firn_engine *engine, const char *key, char *value,
                                     size_t *size, firn_error *err);

/// Gives free memory and caches back to the system until at most `keep_bytes` are held, as far as
/// running statements and tables in memory allow. Any thread.
FIRN_API void firn_engine_trim(firn_engine *engine, uint64_t keep_bytes);

// ---- Sessions ----------------------------------------------------------------------------------

/// Opens a session: current catalog `memory`, schema `main`, settings as the engine's. Any thread.
///
/// @param out The session, the caller's until firn_session_close. It keeps the engine alive.
/// @returns FIRN_OK, FIRN_NO_MEMORY, FIRN_CANCELLED (the engine is closed).
FIRN_API firn_status firn_session_open(firn_engine *engine, firn_session **out, firn_error *err);

/// Ends a session: its temporary tables and attached catalogs go; its open streams and statements
/// go on until they are released. From one thread, in no call of the session.
FIRN_API void firn_session_close(firn_session *session);

/// Sets one setting of the session, as SQL's SET does, for statements that are prepared or run
/// later; prepared statements keep what they have. One of the four that belong to the engine (see
/// firn_engine_set) is set there, for all its sessions.
///
/// @returns FIRN_OK, FIRN_INVALID as firn_engine_set, FIRN_NOT_FOUND (a time zone of that name).
FIRN_API firn_status firn_session_set(firn_session *session, const char *key, const char *value,
                                      firn_error *err);

/// Reads one setting as the session sees it; `value`, `size` and errors as in firn_engine_get.
FIRN_API firn_status firn_session_get(firn_session *session, const char *key, char *value,
                                      size_t *size, firn_error *err);

/// Stops every running statement of the session: their calls and streams answer FIRN_CANCELLED
/// (ECANCELED) within 50 ms. Statements that start later are not touched. Any thread, also while
/// another is in a call of the session.
FIRN_API void firn_session_cancel(firn_session *session);

// ---- SQL ---------------------------------------------------------------------------------------

/// Runs one SQL statement and hands out its rows as an Arrow stream.
///
/// The statement is parsed, bound and planned before the function returns; data is read only when
/// the caller asks the stream for batches, on the engine's workers and the caller's own thread.
/// The batches live until their own release callback is called, even after the stream is released
/// and the engine is closed. INSERT, CREATE TABLE AS and their like run before the function
/// returns and hand out one row with the column `count`; what gives no rows hands out an empty
/// stream without columns.
///
/// @param sql `size` bytes, one statement, with or without a final ';'. It has no parameters.
/// @param out Uninitialised memory of the caller. On success it holds a stream that the caller
///            must release; on failure out->release is NULL.
/// @returns FIRN_OK or the status of the fault. Failures while data is read come out of the
///          stream: get_next returns EINVAL, EIO, ENOMEM or ECANCELED, get_last_error the text, and
///          firn_stream_error the whole error. A stream that failed says the same again and again.
///          One that failed, was cancelled or came to its end holds no memory of the query any
///          more.
///
/// @code
///     static const char sql[] = "SELECT region, SUM(revenue) FROM sales GROUP BY region";
///     struct ArrowArrayStream rows;
///     struct ArrowArray batch;
///     firn_error error = FIRN_ERROR_INIT;
///     if (firn_query(session, sql, sizeof sql - 1, &rows, &error) != FIRN_OK) {
///         fprintf(stderr, "%s\n", error.text);
///         return 1;
///     }
///     while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
///         // A struct array: batch.length rows, batch.children[i] is column i.
///         batch.release(&batch);
///     }
///     (void)firn_stream_error(&rows, &error);
///     rows.release(&rows);
/// @endcode
FIRN_API firn_status firn_query(firn_session *session, const char *sql, size_t size,
                                struct ArrowArrayStream *out, firn_error *err);

/// Runs a script: any number of statements separated by ';'. Rows of queries are thrown away. Stops
/// at the first fault; what earlier statements did stays done, but inside of BEGIN and COMMIT.
///
/// @param changed_rows May be NULL. Out: rows changed by all statements together, also by those
///                     before a fault.
/// @returns FIRN_OK or the status of the first fault, of which err->position is the byte in the
///          whole text.
///
/// @code
///     int64_t changed = 0;
///     if (firn_execute(session, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (2)",
///                      FIRN_NUL_TERMINATED, &changed, &error) == FIRN_OK) {
///         printf("%lld rows\n", (long long)changed);
///     }
/// @endcode
FIRN_API firn_status firn_execute(firn_session *session, const char *sql, size_t size,
                                  int64_t *changed_rows, firn_error *err);

/// Prepares the first statement of a text: parses it, finds its tables and types. Each run plans
/// anew with the bound values as constants.
///
/// Every run sees tables as they are when it begins. Only what prepare has just found is not asked
/// for again: the first run takes it over, without reading footers or asking catalogs a second
/// time, if it begins within 20 ms of prepare's return, no statement or call has changed tables,
/// names or settings in any session of the engine since, local files are the same in name, size and
/// time, and the bound values have the types of firn_statement_parameters. Its now() is then the
/// moment of prepare. What others commit to an attached catalog within those 20 ms is seen by the
/// next run.
///
/// @param out  The statement, the caller's until firn_statement_close; it keeps the session alive
///             and has the settings that the session has now. NULL with FIRN_OK when the text holds
///             no statement at all.
/// @param used May be NULL, then anything behind the first statement is an error. Out: where the
///             next statement begins; equal to the size when nothing but blanks and comments is
///             left.
/// @returns FIRN_OK or the status of the fault: FIRN_INVALID for wrong SQL, FIRN_NOT_FOUND for what
///          it names and there is not, and what reading a catalog or a footer may say.
///
/// @code
///     for (size_t at = 0, used; at < size; at += used) { // Statement by statement.
///         firn_statement *statement;
///         if (firn_prepare(session, sql + at, size - at, &statement, &used, &error) != FIRN_OK) {
///             break;
///         }
///         // firn_statement_run …
///         firn_statement_close(statement);
///     }
/// @endcode
FIRN_API firn_status firn_prepare(firn_session *session, const char *sql, size_t size,
                                  firn_statement **out, size_t *used, firn_error *err);

// ---- Statements --------------------------------------------------------------------------------

/// Ends a statement. Its open streams go on. From one thread, in no call of the statement.
FIRN_API void firn_statement_close(firn_statement *statement);

/// Sets an option of one statement for its later runs: TimeZone, preserve_order, block_cache or
/// another setting of the session but search_path, or what its results look like in Arrow, where
/// readers do not take everything:
///
///     arrow.strings       utf8 | large | view       utf8, large_utf8, utf8_view
///     arrow.intervals     native | text             month_day_nano, or text
///     arrow.float16       native | float32          halffloat, or float32
///     arrow.decimals      native | text             of more than 38 digits: decimal256, or text
///     arrow.lists         list | large              list, large_list
///     arrow.dictionaries  plain | keep              text, or int32 codes of a batch's texts
///     arrow.batch_rows    1 to 16777216             a batch ends with the block of 2048 rows
///                                                   that reaches it; 65536
///
/// The first value is the default. firn_session_set takes them too, for all statements to come.
///
/// @returns FIRN_OK, FIRN_INVALID (no such option or value, or a setting of the engine; the hint
///          says what is allowed), after which the option is as before.
FIRN_API firn_status firn_statement_set(firn_statement *statement, const char *key,
                                        const char *value, firn_error *err);

/// The parameters of the statement as a struct schema, one field a parameter in order ($1 first),
/// called $1, $2 … A parameter that may be anything where it stands is a text, as a literal in
/// quotes there is; one that is not mentioned, but has a later one behind it, has the type null. A
/// value of another type may be bound all the same.
///
/// @param out Uninitialised memory of the caller, who releases it on success.
FIRN_API firn_status firn_statement_parameters(firn_statement *statement, struct ArrowSchema *out,
                                               firn_error *err);

/// The result as a struct schema, as the options of firn_statement_set make it; one without fields
/// when the statement gives no rows.
///
/// @param out Uninitialised memory of the caller, who releases it on success.
FIRN_API firn_status firn_statement_schema(firn_statement *statement, struct ArrowSchema *out,
                                           firn_error *err);

/// Binds one row of parameters for the next runs, in the place of what was bound before. A text
/// where the statement wants another type is read as a text literal would be, by the run.
///
/// @param types A struct schema, one field a parameter, in their order; names do not matter.
/// @param rows  A struct array of one row of it. Both are taken over on success only.
/// @returns FIRN_OK, FIRN_INVALID (another number of fields or rows, arrays that break Arrow's
///          rules), FIRN_UNSUPPORTED (a type that firn does not have).
FIRN_API firn_status firn_statement_bind(firn_statement *statement, struct ArrowSchema *types,
                                         struct ArrowArray *rows, firn_error *err);

/// Binds many rows, in the place of what was bound before: the next run executes the statement once
/// for each row and concatenates the rows that come out. Later runs want to be bound anew.
///
/// @param rows A stream of structs as in firn_statement_bind, taken over on success. It is pulled
///             and released by whoever pulls the result. What is wrong with it, the run says.
FIRN_API firn_status firn_statement_bind_stream(firn_statement *statement,
                                                struct ArrowArrayStream *rows, firn_error *err);

/// Runs the statement; `out`, errors and when data is read as in firn_query. It may run again while
/// earlier streams are open, which keep the values that they were run with.
///
/// @returns Also FIRN_INVALID when a parameter has no value, or one that is not of its type.
///
/// @code
///     firn_statement *statement;
///     struct ArrowArrayStream rows;
///     if (firn_prepare(session, "SELECT * FROM t WHERE a > $1", FIRN_NUL_TERMINATED, &statement,
///                      NULL, &error) == FIRN_OK) {
///         // `types` and `values`: a struct schema and array, made by any Arrow library.
///         if (firn_statement_bind(statement, &types, &values, &error) == FIRN_OK &&
///             firn_statement_run(statement, &rows, &error) == FIRN_OK) {
///             rows.release(&rows); // Or pull it, as with firn_query.
///         }
///         firn_statement_close(statement);
///     }
/// @endcode
FIRN_API firn_status firn_statement_run(firn_statement *statement, struct ArrowArrayStream *out,
                                        firn_error *err);

/// Stops the running streams of the statement, as firn_session_cancel. Any thread; the statement
/// must not be closed meanwhile.
FIRN_API void firn_statement_cancel(firn_statement *statement);

/// Says how far the newest run is. Any thread; the statement must not be closed meanwhile.
///
/// @param out Set up with FIRN_PROGRESS_INIT. As that leaves it when nothing has run.
FIRN_API void firn_statement_progress(firn_statement *statement, firn_progress *out);

// ---- Streams -----------------------------------------------------------------------------------

/// The full error behind the errno of the stream's last get_next.
///
/// @param stream A stream of firn's own that is not released. By the thread that pulls it.
/// @param out    Becomes a copy; its status is FIRN_OK when nothing failed.
/// @returns FIRN_OK, FIRN_INVALID (`stream` is none of firn's; then `out` says so).
FIRN_API firn_status firn_stream_error(struct ArrowArrayStream *stream, firn_error *out);

/// Makes a foreign stream readable as the temporary table `name` of the session, in the place of
/// one that is called so. It can be read once; a second reading is an error that says so.
///
/// Any layout of the Arrow columnar format is taken as the type of its values: large, fixed-size
/// and view forms, dictionaries, runs, decimals of 32 to 256 bits, dates as milliseconds; durations
/// are INTERVAL. Unions, decimals of a negative scale and fixed-size bytes of no size are not.
///
/// @param source Taken over on success: pulled by the query that reads the table, on one thread at
///               a time, and released when the table is dropped or replaced, or the session closed.
/// @returns FIRN_OK, FIRN_INVALID (no name, or a stream that is released), FIRN_UNSUPPORTED (a type
///          that firn does not have), or what the stream's get_schema says.
///
/// @code
///     struct ArrowArrayStream source = {0}; // Filled by any Arrow library, or by firn_query.
///     if (firn_register_stream(session, "incoming", &source, &error) == FIRN_OK) {
///         // SELECT … FROM incoming
///     }
/// @endcode
FIRN_API firn_status firn_register_stream(firn_session *session, const char *name,
                                          struct ArrowArrayStream *source, firn_error *err);

#if defined(__cplusplus)
}
#endif

#endif
