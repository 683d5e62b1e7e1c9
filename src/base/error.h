// The sentence that explains a failed status, with one "while ..." line per layer it passed.
//
//     corrupt: bit width 40 is above 32
//       while decoding dictionary indexes of column "region", page 3
//       while reading s3://lake/sales/part-0001.parquet
//
// A firn_error is a fixed buffer: reporting "out of memory" must not need memory. The function that
// finds the fault leaves with FAIL (or FAIL_SQL, which knows the place in the SQL text); a layer
// above that knows a name the reader needs adds one line with err_while; everybody else passes the
// status on with TRY. Inside firn `err` is never NULL; engine/ sees to that.
#ifndef FIRN_BASE_ERROR_H
#define FIRN_BASE_ERROR_H

#include "base/compiler.h"
#include "firn.h" // For firn_status and firn_error, which callers of the library see as well.

#define ERR_INIT ((firn_error)FIRN_ERROR_INIT)

/// Position of an error that is not about a place in the SQL text.
#define NO_POSITION UINT64_MAX

/// Records the root cause and is `status`, so that a fault is one line where it is found:
///
///     return FAIL(err, FIRN_CORRUPT, "bit width %u is above 32", width);
///
/// A macro, because then the compiler sees that the returned value is not FIRN_OK. With a plain
/// function GCC warns, at every caller, that out parameters may be uninitialised.
#define FAIL(err, status, ...) (err_set((err), (status), __VA_ARGS__), (firn_status)(status))

/// The same with an SQLSTATE such as "42703" and the byte of the SQL text that is at fault;
/// UINT32_MAX is NO_POSITION, too.
#define FAIL_SQL(err, status, state, position, ...)                                                \
    (err_set_sql((err), (status), (state), (position), __VA_ARGS__), (firn_status)(status))

/// Replaces whatever `err` held. `status` must not be FIRN_OK. Called through FAIL. Fills in the
/// status's usual SQLSTATE.
void err_set(firn_error *err, firn_status status, const char *format, ...) PRINTF_LIKE(3, 4);

/// As err_set, with SQLSTATE and position. Called through FAIL_SQL.
void err_set_sql(firn_error *err, firn_status status, const char *state, uint64_t position,
                 const char *format, ...) PRINTF_LIKE(5, 6);

/// Adds a line "  while <text>". Call it on the way out, only where the layer knows a name (file,
/// column, table) that the reader of the message needs. `err` must hold an error.
void err_while(firn_error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/// Sets the hint: what the reader can do, such as "write CAST(x AS DOUBLE)".
void err_hint(firn_error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/// For a failure that was expected and is none here, such as a file that may be missing: if
/// `status` is `expected` it is forgotten, also by `err`, which held no error before, and the
/// answer is FIRN_OK; else the answer is `status`.
firn_status err_forgive(firn_error *err, firn_status status, firn_status expected);

/// Whether `status` says nothing of what was looked at, but only that it was not looked at to the
/// end: memory was refused, or somebody cancelled. Never to be taken for "no".
static inline bool status_is_refusal(firn_status status) {
    return status == FIRN_NO_MEMORY || status == FIRN_CANCELLED;
}

/// The word for a status at the start of a text, such as "corrupt". Never NULL. Static storage.
const char *status_name(firn_status status);

/// Leaves the function if `expression` failed. Only for functions that own nothing that must be
/// released: memory from an arena needs no release, so most functions qualify.
#define TRY(expression)                                                                            \
    do {                                                                                           \
        firn_status try_status = (expression);                                                     \
        if (try_status != FIRN_OK) {                                                               \
            return try_status;                                                                     \
        }                                                                                          \
    } while (0)

#endif
