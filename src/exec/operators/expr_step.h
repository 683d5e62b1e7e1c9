// What the steps that work by expressions have in common: each worker's state of them.
#ifndef FIRN_EXEC_OPERATORS_EXPR_STEP_H
#define FIRN_EXEC_OPERATORS_EXPR_STEP_H

#include "exec/operator.h"

/// The first member of what such a step keeps per worker.
typedef struct expr_step {
    expr_state *state; // NULL until it is open.
} expr_step;

firn_status expr_step_open(expr_step *self, expr_program *program, execution *run, arena *memory,
                           firn_error *err);

/// Members of operator_kind; `local` begins with an expr_step.
uint64_t expr_step_decoded(const void *local);
void expr_step_close(void *local);

#endif
