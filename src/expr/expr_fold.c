// Constant expressions, evaluated now.
#include "expr/program.h"

// A value that was copied and its children are of the types of the expression, which stay.
static void set_types(column *self, const type *declared) {
    self->type = declared;
    for (uint32_t i = 0; i < declared->child_count; i++) {
        set_types((column *)(uintptr_t)&self->children[i], declared->children[i].type);
    }
}

// `scratch` holds the program and whatever it makes.
static firn_status evaluate(const expr *self, const statement_context *context, arena *memory,
                            arena *scratch, expr **out, firn_error *err) {
    const input_layout nothing = {.count = 0};
    expr_program *program;
    TRY(expr_compile(&self, 1, &nothing, scratch, &program, err));
    expr_state *state;
    TRY(expr_open(program, context, NULL, scratch, &state, err));
    const batch one_row = batch_of(NULL, 0, 1);
    column value;
    firn_status status = expr_run(state, &one_row, scratch, &value, err);
    if (status == FIRN_OK) {
        value.type = self->type;
        status = expr_literal_of(memory, &value, 0, out, err);
    }
    expr_close(state);
    return status;
}

firn_status expr_fold(const expr *self, const statement_context *context, arena *memory, expr **out,
                      firn_error *err) {
    if (self->kind == EXPR_LITERAL) {
        *out = expr_copy(memory, self);
        return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
    }
    arena scratch = arena_open_in(memory->owner, SIZE_MAX);
    scratch.cancel = memory->cancel;
    const firn_status status = evaluate(self, context, memory, &scratch, out, err);
    arena_close(&scratch);
    if (status == FIRN_OK) {
        (*out)->position = self->position;
        if (!(*out)->literal_.value.is_null) {
            set_types((column *)(uintptr_t)(*out)->literal_.value.value, self->type);
        }
    }
    return status;
}

firn_status expr_try_fold(const expr *self, const statement_context *context, arena *memory,
                          expr **out, firn_error *err) {
    firn_error said = ERR_INIT;
    const firn_status status = expr_fold(self, context, memory, out, &said);
    if (status_is_refusal(status)) {
        *err = said;
        return status;
    }
    if (status != FIRN_OK) {
        *out = NULL;
    }
    return FIRN_OK;
}
