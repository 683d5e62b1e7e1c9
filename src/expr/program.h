// Expressions compiled for running: a short program of kernel calls over registers.
//
// Compilation maps column ids to positions in the input batch, finds common subexpressions, decides
// what runs lazily (arms of CASE, COALESCE, AND, OR that can fail), and orders conjuncts: fallible
// ones behind infallible ones and among themselves as written; infallible ones are reordered at run
// time by measured selectivity per cost. A program is read-only and shared by workers; an
// expr_state is one worker's registers.
//
// **Forms.** Only expr/lift.c looks at forms. All arguments constant: one row. One varying argument
// that is a dictionary (or runs), the rest constant: once per entry that occurs, cached by the
// dictionary's identity. Else flat into scratch.
//
// **Errors are lazy**: only rows that SQL reaches are evaluated by fallible kernels.
#ifndef FIRN_EXPR_PROGRAM_H
#define FIRN_EXPR_PROGRAM_H

#include "expr/dynamic.h"
#include "expr/expr.h"
#include "expr/input_layout.h"

typedef struct expr_program expr_program;
typedef struct expr_state expr_state;

/// Compiles `roots` into one program, in `memory`. An id that the layout lacks is FIRN_INTERNAL.
firn_status expr_compile(const expr *const *roots, uint32_t count, const input_layout *layout,
                         arena *memory, expr_program **out, firn_error *err);

/// Lets root `root` come out as DECIMAL(18, s), 64-bit values, instead of the wider DECIMAL(p, s)
/// that it is declared as, for batches where every value fits: for aggregates, which then add
/// 64-bit numbers. Look at the column's type. Call it before the program is opened.
void expr_allow_narrow(expr_program *self, uint32_t root);

/// A worker's state: registers, caches, function locals, in `memory`. `context` and `filters` (the
/// execution's, for EXPR_DYNAMIC; NULL: every row passes) outlive it.
firn_status expr_open(const expr_program *program, const statement_context *context,
                      const dynamic_filters *filters, arena *memory, expr_state **out,
                      firn_error *err);
void expr_close(expr_state *self); ///< Ends function locals; NULL does nothing.

/// Values of all roots for the rows of `in` that count: columns of in->row_count lanes, in any
/// form, in `scratch`. A root that is just a column is that column, form and all.
firn_status expr_run(expr_state *self, const batch *in, arena *scratch, column *out,
                     firn_error *err);

/// For a program of one BOOLEAN root: the rows of `in` that count and for which it is true, as a
/// list in `scratch`. `*selection` is NULL when all rows of the batch are selected.
firn_status expr_filter(expr_state *self, const batch *in, arena *scratch,
                        const uint16_t **selection, uint32_t *selected_count, firn_error *err);

/// Evaluates a constant expression now; a literal in `memory`. Fails as the evaluation does.
firn_status expr_fold(const expr *self, const statement_context *context, arena *memory, expr **out,
                      firn_error *err);

/// The same where a failure is told when, and only if, a row gets there: `*out` is NULL then. Fails
/// only as memory does, or because the statement is to stop.
firn_status expr_try_fold(const expr *self, const statement_context *context, arena *memory,
                          expr **out, firn_error *err);

/// How many values were decoded from dictionaries and runs into flat columns so far, for EXPLAIN
/// ANALYZE.
uint64_t expr_values_decoded(const expr_state *self);

#endif
