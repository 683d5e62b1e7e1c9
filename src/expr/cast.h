// Casts: which there are (casts.def), what they cost, and the kernels that do them.
//
//   implicit     may be put in by the binder; has a cost for overload resolution
//   assignment   INSERT and UPDATE put it in; CAST
//   explicit     only CAST, TRY_CAST and ::
//
// A cast either gives the value or, where SQL forbids it (out of range, text that does not parse),
// a failing row; nothing wraps or saturates.
#ifndef FIRN_EXPR_CAST_H
#define FIRN_EXPR_CAST_H

#include "expr/function.h"

typedef enum cast_kind {
    CAST_NONE, ///< There is no such cast.
    CAST_EXPLICIT,
    CAST_ASSIGNMENT,
    CAST_IMPLICIT,
    CAST_SAME, ///< Same values: nothing to do (names of struct fields may differ).
} cast_kind;

typedef struct cast_rule {
    cast_kind kind;
    uint32_t cost;    ///< Of an implicit one, 1 or more; else 0.
    bool can_fail;    ///< For some value that is not NULL.
    bool is_stable;   ///< Depends on the session's time zone.
    bool is_monotone; ///< Ascending: bounds of values become bounds of results.
} cast_rule;

cast_rule cast_find(const type *from, const type *to);

/// Whether the fields of structs with as many fields go by name: every name of `to` is there,
/// whatever the case. False for lists and maps.
bool cast_struct_by_name(const type *from, const type *to);
/// Whether they go neither by name nor by position: not every name of `to` is there, but one stands
/// elsewhere, where its value would end up under another name. Such structs are not cast.
bool cast_struct_crosses(const type *from, const type *to);
/// Which field of `from` becomes field `index` of `to`; `by_name` is the answer from above.
uint32_t cast_struct_source(const type *from, const type *to, bool by_name, uint32_t index);

/// The kernel of a cast that exists: one argument, NULL_STRICT. NULL for CAST_SAME.
scalar_kernel cast_kernel(const type *from, const type *to);

/// Says why the value in row `row` cannot be cast, with its SQLSTATE: "\"abc\" is no INTEGER".
void cast_explain(const function_call *call, const column *const *args, uint32_t row,
                  firn_error *err);

// ---- Types of results ------------------------------------------------------------------------

/// The smallest type that both can be cast to implicitly: UNION, CASE, COALESCE, VALUES, lists.
/// `*out` is NULL if there is none. Integers widen, with DECIMAL they are decimals, with REAL or
/// DOUBLE the result is DOUBLE; DATE and TIMESTAMP is TIMESTAMP. Nested types by their children.
firn_status type_common(const type *left, const type *right, arena *memory, const type **out,
                        firn_error *err);
/// The type in which two values are compared: as type_common, but decimals keep every digit (up
/// to 76) and VARCHAR takes the type of a number, date, time, BOOLEAN, UUID or interval beside it.
firn_status type_common_compared(const type *left, const type *right, arena *memory,
                                 const type **out, firn_error *err);

/// DECIMAL(3, 5, 10, 19 or 20, 0) of an integer type, the type itself if it is a decimal; NULL of
/// anything else. Static or `self`.
const type *type_as_decimal(const type *self);

typedef enum decimal_operation {
    DECIMAL_ADD, ///< And subtract.
    DECIMAL_MULTIPLY,
    DECIMAL_DIVIDE,
    DECIMAL_REMAINDER,
} decimal_operation;
/// The result type of decimal arithmetic. Errors: FIRN_INVALID if the scale of a product is above
/// 38 (76), with a hint.
firn_status type_of_decimals(decimal_operation operation, const type *left, const type *right,
                             arena *memory, const type **out, firn_error *err);

#endif
