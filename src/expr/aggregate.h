// The aggregate contract: what an aggregate function is.
//
// Three kinds:
//   - **fold**: a state of fixed size per group, updated row by row, combined across workers,
//     partitions and machines, finished into a value. What a state holds beyond its size (the bytes
//     of a minimal string) lies in a heap that the operator gives. Its state goes out and comes
//     back as columns: one path for spilling, exchange and partial results.
//   - **collect**: needs all values of a group at once (median, string_agg, array_agg). There the
//     operator keeps raw (key, value) rows, sorts or makes them distinct where the call asks, and
//     hands each group's values over as one slice at the end.
//   - **choose**: the first argument of one row of the group, the first or last by some order
//     (arg_min, first): the operator keeps that row only.
// A fold called with DISTINCT or ORDER BY is fed by the operator from the collected rows, so no
// aggregate knows of either; FILTER is the operator's as well.
//
// One file under functions/aggregate/ and one row of functions/aggregates.def each.
#ifndef FIRN_EXPR_AGGREGATE_H
#define FIRN_EXPR_AGGREGATE_H

#include "base/wide.h"
#include "expr/function.h"

/// Bytes that belong to one partition of groups and are freed with it.
typedef struct state_heap state_heap;
struct state_heap {
    void *(*allocate)(state_heap *self, uint32_t size); ///< NULL when memory is refused.
    /// Gives back what `allocate` gave for that size; at once only if it is long. NULL does
    /// nothing.
    void (*release)(state_heap *self, void *data, uint32_t size);
};

typedef struct aggregate_call {
    const void *bound;
    const statement_context *context;
    arena *scratch;
    const type *result;
    const type *const *types; ///< Of the arguments.
    uint32_t arg_count;
    const uint16_t *rows; ///< The rows to take, NULL: 0 to count - 1.
    uint32_t count;
    state_heap *heap; ///< Update, combine, import: for what a state keeps outside itself.
} aggregate_call;

/// Both visit the call's rows; row k goes into the state `(char *)states[k] + offset`, for the k-th
/// visited row. NULLs: with AGGREGATE_SKIPS_NULLS the operator leaves out rows with a NULL
/// argument. Return as scalar kernels do.
typedef uint32_t (*aggregate_update)(aggregate_call *call, const column *const *args,
                                     void *const *states, uint32_t offset);
/// All rows of the call into one state: ungrouped, or a run of equal keys. May be NULL.
typedef uint32_t (*aggregate_update_one)(aggregate_call *call, const column *const *args,
                                         void *state);

/// As update_one, of rows that stand for counts[k] rows with their value each: entries of a
/// dictionary. Not for floats, whose sum hangs on the order. May be NULL; else update_one is there
/// as well.
typedef uint32_t (*aggregate_update_counted)(aggregate_call *call, const column *const *args,
                                             const uint32_t *counts, void *state);

/// Adds to a state the sum of `count` integers or decimals, in units of the argument's scale. False
/// if the state has no room for it. May be NULL; count looks at `count` only.
typedef bool (*aggregate_update_total)(i128 total, int64_t count, void *state);

typedef enum aggregate_flags {
    AGGREGATE_SKIPS_NULLS = 1 << 0,
    AGGREGATE_ORDER_MATTERS = 1 << 1,    ///< array_agg, string_agg, first: ORDER BY has an effect.
    AGGREGATE_DISTINCT_IS_SAME = 1 << 2, ///< min, any_value, bool_and: DISTINCT changes nothing.
    AGGREGATE_CAN_FAIL = 1 << 3,         ///< sum of decimals: overflow.
    AGGREGATE_EMPTY_IS_ZERO = 1 << 4,    ///< count: 0 for no rows; others are NULL.
    AGGREGATE_COLLECTS = 1 << 5,         ///< The second kind: overloads have `collect`.
    /// Takes decimals in columns that are narrower than declared (expr_allow_narrow).
    AGGREGATE_TAKES_NARROW = 1 << 6,
    /// count: looks at which arguments are NULL, never at values.
    AGGREGATE_VALIDITY_ONLY = 1 << 7,
} aggregate_flags;

/// Which row of a group is chosen: of those that are equal by all keys, the first that came, or the
/// last.
typedef struct aggregate_choice {
    bool takes_last; ///< In that order; else the first.
    bool is_by_arg;  ///< The first key is argument `key`, before those of ORDER BY.
    uint32_t key;
    bool is_descending; ///< By that argument.
} aggregate_choice;

/// Where a value lies among `count` ordered ones: `rest` of the way from that of `rank` to the
/// next.
typedef struct aggregate_place {
    uint64_t rank;
    double rest; ///< 0 to less than 1.
} aggregate_place;

typedef struct aggregate_overload {
    const char *signature;                                          ///< As expr/function.h.
    firn_status (*bind)(function_bind_call *call, firn_error *err); ///< May be NULL.
    // Fold:
    /// Bytes, a multiple of 8; states are 8-aligned (16-byte members: memcpy).
    uint32_t state_size;
    /// Where it hangs on the types of the arguments; then state_size is the most. May be NULL.
    uint32_t (*state_size_for)(const type *const *types);
    /// Types of the exported state, separated by commas, in the pattern language; "" if collected.
    const char *state_columns;
    /// The state points into call->heap: it moves by export and import only. Others may be copied
    /// as bytes.
    bool state_has_heap;
    void (*init)(void *state); ///< NULL: all zero bytes.
    aggregate_update update;
    aggregate_update_one update_one;
    aggregate_update_counted update_counted;
    aggregate_update_total update_total;
    /// Row k: target[k] takes in source[k]. Failing row as kernels.
    uint32_t (*combine)(aggregate_call *call, void *const *targets, void *const *sources,
                        uint32_t offset);
    /// Value of `call->count` states into a flat column. May fail (average out of range).
    uint32_t (*finish)(aggregate_call *call, void *const *states, uint32_t offset, column *out);
    uint32_t (*export_state)(aggregate_call *call, void *const *states, uint32_t offset,
                             column *out_columns);
    uint32_t (*import_state)(aggregate_call *call, const column *const *columns,
                             void *const *states, uint32_t offset); ///< Combines into the states.
    /// Choose; of a fold: what it is if it is called with ORDER BY or DISTINCT.
    const aggregate_choice *choice;
    // Collect: group g of call->count owns rows [ends[g - 1], ends[g]) of the flat arguments.
    uint32_t (*collect)(aggregate_call *call, const column *const *args, const uint32_t *ends,
                        column *out);
    /// Of collects whose value hangs on one place among those of the first argument: so a group
    /// need not fit into memory. Of `count` > 0 rows; `args` are those of one of them. False if SQL
    /// forbids it. Of the values there, one or two, and `rest` as second argument, if there is one,
    /// `collect` makes the value. May be NULL.
    bool (*place)(const column *const *args, uint64_t count, aggregate_place *out);
} aggregate_overload;

typedef struct aggregate_function {
    const char *name;
    const char *aliases;
    const char *category; ///< "aggregate".
    const char *summary;
    /// Over (VALUES …) AS t(x[, y]): "sum(x) <- (1), (2), (NULL)", "3".
    const char *const *examples;
    uint32_t flags;
    const aggregate_overload *overloads; ///< Until one without signature.
} aggregate_function;

#endif
