#include "exec/operators/expr_step.h"

firn_status expr_step_open(expr_step *self, expr_program *program, execution *run, arena *memory,
                           firn_error *err) {
    return expr_open(program, run->context, &run->dynamic, memory, &self->state, err);
}

uint64_t expr_step_decoded(const void *local) {
    const expr_step *self = local;
    return self->state == NULL ? 0 : expr_values_decoded(self->state);
}

void expr_step_close(void *local) {
    expr_step *self = local;
    if (self != NULL) {
        expr_close(self->state);
    }
}
