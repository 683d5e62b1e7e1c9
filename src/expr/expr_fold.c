// Constant expressions, evaluated now.
#include "expr/program.h"

firn_status expr_fold(const expr *self, const statement_context *context, arena *memory, expr **out,
                      firn_error *err) {
    const input_layout nothing = {.count = 0};
    expr_program *program;
    if (self->kind == EXPR_LITERAL) {
        *out = expr_copy(memory, self);
        return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
    }
    TRY(expr_compile(&self, 1, &nothing, memory, &program, err));
    expr_state *state;
    TRY(expr_open(program, context, NULL, memory, &state, err));
    const batch one_row = batch_of(NULL, 0, 1);
    column value;
    firn_status status = expr_run(state, &one_row, memory, &value, err);
    if (status == FIRN_OK) {
        value.type = self->type;
        status = expr_literal_of(memory, &value, 0, out, err);
    }
    if (status == FIRN_OK) {
        (*out)->position = self->position;
    }
    expr_close(state);
    return status;
}
