// Overload resolution: which signature of a function a call means, by the pattern language of
// expr/function.h and the implicit casts of expr/casts.def.
//
// Of the signatures that the arguments can be cast to implicitly, the one whose casts cost least is
// taken; an exact one costs nothing, and named types are preferred to letters, letters to ANY.
// Two that cost the same are an error that lists them, unless they differ only in what a NULL
// becomes: then the first in the list is taken. An **unknown** argument (an untyped string literal,
// a parameter without a type) takes whatever type the others suggest, else VARCHAR.
//
// Functions of category "comparison" also compare text with numbers, dates and times: the text is
// cast.
#ifndef FIRN_FUNCTIONS_OVERLOAD_H
#define FIRN_FUNCTIONS_OVERLOAD_H

#include "expr/aggregate.h"
#include "expr/expr.h"

/// A call to be resolved.
typedef struct overload_request {
    const type *const *types; ///< Of the arguments. A lambda's: of its body; NULL if not yet bound.
    expr *const *args; ///< The arguments; may be NULL when only types are known (no bind then).
    uint32_t arg_count;
    const bool *is_unknown; ///< By argument; NULL: none is.
    /// By argument: how many parameters the lambda has, 0 for what is no lambda; NULL: none is.
    const uint32_t *lambda_parameters;
    uint32_t position;    ///< Of the call in the SQL text, UINT32_MAX if none.
    const uint32_t *only; ///< The one overload that is meant, with its casts made; NULL: choose.
    /// Folds constant arguments (unless folding fails) before `bind` sees them. NULL: no folding.
    const statement_context *context;
} overload_request;

typedef struct overload_choice {
    uint32_t overload;        ///< Index in the function's list.
    const type *const *types; ///< What to cast each argument to; the own type where no cast is due.
    const type *result;
    bytes bound;    ///< What bind made, empty if nothing.
    uint32_t flags; ///< The function's with the overload's changes.
} overload_choice;

/// Chooses and binds. What it makes is in `memory`.
/// Errors: FIRN_INVALID with SQLSTATE 42883 (no signature takes these types; the candidates are
/// listed) or 42725 (ambiguous), or what bind says.
firn_status function_resolve(const scalar_function *self, const overload_request *call,
                             arena *memory, overload_choice *out, firn_error *err);
firn_status aggregate_resolve(const aggregate_function *self, const overload_request *call,
                              arena *memory, overload_choice *out, firn_error *err);

/// The types of the parameters of the lambda that is argument `index`, as far as the other
/// arguments tell: call it before binding the lambda's body, then resolve.
firn_status function_lambda_types(const scalar_function *self, const overload_request *call,
                                  uint32_t index, arena *memory, const type *const **out,
                                  firn_error *err);

/// Resolves and makes the call: an EXPR_CALL with implicit casts around the arguments.
firn_status function_call_new(const scalar_function *self, const overload_request *call,
                              arena *memory, expr **out, firn_error *err);
/// The same for the look-up of a name that exists for sure, with typed arguments: what optimizer
/// rules use to build `a = b`.
firn_status function_call_named(text name, expr *const *args, uint32_t arg_count, arena *memory,
                                expr **out, firn_error *err);
/// An EXPR_AGGREGATE; distinct, filter and order are left for the caller to set.
firn_status aggregate_call_new(const aggregate_function *self, const overload_request *call,
                               arena *memory, expr **out, firn_error *err);

/// Types that `pattern` (comma-separated, as aggregate_overload.state_columns) stands for, once the
/// overload of that signature has been chosen for these argument types. In `memory`.
firn_status overload_state_types(const char *signature, const char *pattern,
                                 const type *const *types, uint32_t arg_count, arena *memory,
                                 schema *out, firn_error *err);

#endif
