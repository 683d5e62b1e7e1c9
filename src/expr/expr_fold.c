// Constant expressions, evaluated now.
#include "expr/program.h"

#define COPIED_AT_ONCE ((size_t)1 << 20) // Bytes between two looks at who still waits.

// A literal of the only row; texts of any length are copied piece by piece.
static firn_status literal_of(arena *memory, const column *value, const cancel_flag *cancel,
                              expr **out, firn_error *err) {
    const bool is_text = type_physical(value->type) == PHYSICAL_STRING && column_is_valid(value, 0);
    const column *held = value->form == FORM_DICTIONARY ? value->dictionary->values : value;
    const text whole =
        is_text ? string_text(&COLUMN_VALUES(held, string_value)[column_lane(value, 0)]) : TEXT("");
    if (whole.size <= COPIED_AT_ONCE) {
        return expr_literal_of(memory, value, 0, out, err);
    }
    char *copy = ARENA_NEW(memory, char, whole.size);
    string_value *row = ARENA_NEW(memory, string_value, 1);
    column *constant = ARENA_NEW(memory, column, 1);
    *out = expr_null(memory, value->type);
    if (copy == NULL || row == NULL || constant == NULL || *out == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (size_t at = 0; at < whole.size; at += COPIED_AT_ONCE) {
        const size_t left = whole.size - at;
        TRY(cancel_check(cancel, err));
        memcpy(copy + at, whole.data + at, left < COPIED_AT_ONCE ? left : COPIED_AT_ONCE);
    }
    *row = string_of(copy, (uint32_t)whole.size);
    *constant = (column){.type = value->type, .form = FORM_CONSTANT, .length = 1, .values = row};
    (*out)->literal_.value = (literal){.value = constant};
    return FIRN_OK;
}

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
        const cancel_flag *cancel = context == NULL ? NULL : context->cancel;
        status = literal_of(memory, &value, cancel, out, err);
    }
    if (status == FIRN_OK) {
        (*out)->position = self->position;
    }
    expr_close(state);
    return status;
}
