// The function contract: what a scalar function is.
//
// A function is one file under functions/scalar/ that defines one `const scalar_function` and one
// row of functions/functions.def. Everything else is derived: look-up by name, overload resolution,
// SHOW FUNCTIONS, the reference page, and tests from its examples.
//
//     static uint32_t sign_i32(function_call *call, const column *const *args, column *out) {
//         const int32_t *in = COLUMN_VALUES(args[0], int32_t);
//         const uint32_t mask = column_mask(args[0]);
//         int8_t *result = COLUMN_OUT(out, int8_t);
//         FOR_ROWS(call, row) { result[row] = ... in[row & mask] ...; }
//         return call->count;
//     }
//
// A kernel computes the rows it is given and returns how many it did: all, or the number k of the
// first row (the k-th one visited) whose value SQL forbids: overflow, division by zero, a bad cast.
// It writes no text; the caller makes the error from that row's values, or makes the row NULL under
// TRY and goes on behind it. KERNEL_NO_MEMORY says the scratch arena is full.
//
// A kernel that may work on one row for more than a few milliseconds asks function_is_stopped, and
// leaves off where it is: what a kernel answers after the statement was stopped is thrown away.
//
// A kernel that can fail may be run over rows whose answer nobody needs (all lanes at once are
// faster than a list), as long as its arguments are of fixed width: a failure there is no error,
// the caller then runs it again over exactly the rows that SQL reaches. Under TRY it is called
// again for the rows behind the failing one, so it writes the rows of its call and leaves others
// alone.
#ifndef FIRN_EXPR_FUNCTION_H
#define FIRN_EXPR_FUNCTION_H

#include "base/mutex.h"
#include "column/batch.h"

#define KERNEL_NO_MEMORY UINT32_MAX

/// What a statement knows and functions may ask: one value a statement, part of the plan's run.
typedef struct statement_context {
    int64_t now_us;          ///< now(): start of the statement, UTC.
    const struct zone *zone; ///< The session's TimeZone; base/zone.h.
    text zone_name;
    text user, catalog, schema; ///< current_user, current_catalog, current_schema.
    text version;
    uint64_t seed; ///< random(): mixed with a worker's counter.
    const cancel_flag *cancel;
} statement_context;

typedef struct function_call function_call;

/// A lambda argument, as the kernel of a function of lists sees it: `x -> x + 1` in `f(l, x -> x +
/// 1)`. Only functions of tests take one yet. Columns of the row that the body mentions are handled
/// inside.
typedef struct function_lambda function_lambda;
struct function_lambda {
    uint32_t parameter_count;
    const type *result; ///< Of the body.
    /// Computes the body for `count` elements: those of the rows of the call, no others.
    /// `parameters`: one flat column of `count` lanes for each parameter (any count, not only a
    /// batch's; of the pattern's type or what the list holds). `owners[i]`: which visit of the call
    /// (ROW_VISIT) element i belongs to, ascending. `out`: flat, `count` rows, in call->scratch.
    /// Answers as a kernel does: `count`, or the first element whose value SQL forbids; the kernel
    /// then returns `owners[that]`, and the error will be the body's.
    uint32_t (*run)(function_lambda *self, function_call *call, const column *parameters,
                    const uint32_t *owners, uint32_t count, column *out);
};

struct function_call {
    const void *bound; ///< What `bind` made: plain data, NULL if there is no bind.
    void *local;       ///< What `open` made, one a worker; NULL if there is no open.
    const statement_context *context;
    arena *scratch; ///< For results; lives as long as the batch.
    const type *result;
    const type *const *types; ///< Of the arguments, as the kernel sees them (after casts).
    uint32_t arg_count;
    const uint16_t *rows; ///< The rows to compute, ascending; NULL: 0 to count - 1.
    uint32_t count;       ///< How many rows to compute.
    uint32_t length;      ///< Lanes of each flat column; a row number is below it.
    /// By argument: the lambda, whose args[i] is NULL, or NULL. NULL: no argument is a lambda.
    function_lambda *const *lambdas;
};

/// The flag of the call's statement; NULL if there is none.
static inline const cancel_flag *function_cancel(const function_call *self) {
    return self == NULL || self->context == NULL ? NULL : self->context->cancel;
}

/// Is nobody waiting for the result any more? `self` may be NULL: somebody is. Whatever the kernel
/// answers then is not looked at.
static inline bool function_is_stopped(const function_call *self) {
    return cancel_is_raised(function_cancel(self));
}

/// Visits the rows of a call. Two loops in hot kernels (with and without list) are worth their
/// lines only where a benchmark says so; templates in kernels/ have them.
#define FOR_ROWS(call, row)                                                                        \
    for (uint32_t row##_k = 0, row;                                                                \
         row##_k < (call)->count &&                                                                \
         ((row = (call)->rows == NULL ? row##_k : (call)->rows[row##_k]), true);                   \
         row##_k++)
/// In FOR_ROWS: which row of the visit this is, the value to return at a failure.
#define ROW_VISIT(row) row##_k

/// `args` are FLAT or CONSTANT (all CONSTANT only when the caller wants one row: count is 1; a
/// volatile function is asked for every row whatever its arguments are). `out`
/// is flat, `length` lanes, with room for values when its type is fixed-width, bit or string;
/// children of nested results are the kernel's to build in call->scratch. With
/// FUNCTION_NULL_STRICT the caller sets the validity (AND of the arguments') before, the kernel
/// sees only non-NULL rows if the function can fail, else any lane, and may add NULLs with
/// column_set_null. Without it the kernel looks at validity itself.
typedef uint32_t (*scalar_kernel)(function_call *call, const column *const *args, column *out);

typedef enum function_flags {
    FUNCTION_PURE = 0,          ///< Same arguments, same value, for ever.
    FUNCTION_STABLE = 1 << 0,   ///< Same within a statement: now(), current_schema().
    FUNCTION_VOLATILE = 1 << 1, ///< Different each time: random(). Never folded, moved or shared.
    FUNCTION_NULL_STRICT = 1 << 2, ///< NULL if any argument is NULL.
    FUNCTION_CAN_FAIL = 1 << 3,    ///< Some non-NULL arguments are an error.
    FUNCTION_MONOTONE = 1 << 4,    ///< Ascending in its first argument, the others constant.
    FUNCTION_DICTIONARY = 1 << 5,  ///< Maps equal entries to entries: a dictionary stays one.
    FUNCTION_COMMUTES = 1 << 6,    ///< Two arguments may be swapped.
    /// IS NULL: looks at which arguments are NULL, never at values.
    FUNCTION_VALIDITY_ONLY = 1 << 7,
    FUNCTION_INTERNAL = 1 << 8, ///< Only the optimizer calls it: users are not told of it.
} function_flags;

struct expr; // expr/expr.h

/// What binding a call with given argument types needs and gives.
typedef struct function_bind_call {
    const type *const *types;       ///< Types of the arguments, after the overload's casts.
    const struct expr *const *args; ///< Constants can be seen: EXPR_LITERAL, cast already.
    uint32_t arg_count;
    arena *memory;      ///< Of the plan; for the result type and bound state.
    const type *result; ///< In: the overload's result, NULL if it says "?". Out.
    void *bound;        ///< Out: plain data, `bound_size` bytes, no pointers.
    uint32_t bound_size;
    const type **wanted; ///< Out, optional: types to cast the arguments to.
} function_bind_call;

/// One way to call a function. `signature` is "RESULT <- ARG, ARG, ..." in the pattern language
/// (functions/overload.h reads it):
///     INTEGER            this type after implicit casts: the SQL names of column/types.def, and
///                        TIMESTAMPTZ. BINARY takes any width. TIME, TIMESTAMP: microseconds
///     T, U, V            any type, the same wherever the letter stands (the smallest common type)
///     LIST<T>, MAP<T,U>  patterns inside; STRUCT alone: any struct
///     DECIMAL(p,s)       any decimal; integers become one. Letters or numbers; the same letters
///                        twice: the same type. In the result also sums: DECIMAL(38,s),
///                        DECIMAL(p+1,s). DECIMAL(*): any, and no name for it
///     TIMESTAMP(u)       any unit; the same for TIME(u), TIMESTAMPTZ(u); u in the result
///     TIMESTAMP(m)       the same, but microseconds at least
///     ANY                anything, unrelated to others; as it is, without a cast
///     LAMBDA(T)->U       a lambda of as many parameters; its body gives U
///     ARG...             the last argument, one or more times;  ARG...?  zero or more times
///     ?                  as result: bind decides
/// An overload without arguments is "RESULT <-".
typedef struct overload {
    const char *signature;
    scalar_kernel kernel;
    firn_status (*bind)(function_bind_call *call, firn_error *err); ///< May be NULL.
    uint32_t flags_set, flags_cleared; ///< Where this overload differs from the function.
    /// Decimal arithmetic and comparison with more than 18 declared digits somewhere: the same in
    /// 64 bits. Decimal arguments and results have int64_t values then (their columns' type is
    /// DECIMAL(18, their declared scale)); a result that does not fit is a failing row, and the
    /// whole batch is done by `kernel`.
    scalar_kernel narrow_kernel;
    /// With these arguments (types, literals) it cannot fail although FUNCTION_CAN_FAIL is set: a
    /// sum whose type has room for every value, a division by a constant. NULL: it may.
    bool (*cannot_fail)(const struct expr *call);
} overload;

typedef struct scalar_function {
    const char *name;     ///< Lower case; operators by their sign, such as "+".
    const char *aliases;  ///< Further names, separated by blanks; NULL for none.
    const char *category; ///< math, string, datetime, conditional, list, struct, map, comparison …
    const char *summary;  ///< A sentence without "returns".
    const char *const *examples; ///< SQL, expected text ("NULL", "error: words"), …, NULL. Tests.
    uint32_t flags;
    const overload *overloads; ///< Until one without signature.
    /// Per worker: what cannot be plain data, such as a compiled pattern. Freed with `memory`.
    firn_status (*open)(const function_bind_call *bound, arena *memory, void **local,
                        firn_error *err);
    void (*close)(void *local); ///< For what `memory` does not free; may be NULL.
    /// Adds what an error in these argument values should say, such as "division by zero"; NULL:
    /// the layer above says "value out of range".
    void (*explain_failure)(const function_call *call, const column *const *args, uint32_t row,
                            firn_error *err);
} scalar_function;

#endif
