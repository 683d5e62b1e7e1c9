// Lambdas: the body of `x -> x + y` is a program over the elements of lists. It runs over as many
// elements as there are, a batch at a time; columns of the row around it are gathered by the row
// that an element belongs to.
#include "expr/program_state.h"
#include "expr/row_merge.h"

// Columns of elements [from, from + count): parameters, and captured values of their rows.
static firn_status element_columns(const lambda_state *self, const function_call *call,
                                   const column *parameters, const uint32_t *owners, uint32_t from,
                                   uint32_t count, column **out) {
    const lambda_info *info = self->info;
    arena *scratch = call->scratch;
    firn_error *err = self->run->err;
    column *columns = ARENA_NEW(scratch, column, info->parameter_count + info->captured_count + 1);
    uint32_t *rows = ARENA_NEW(scratch, uint32_t, count + 1);
    if (columns == NULL || rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < info->parameter_count; i++) {
        TRY(column_slice(scratch, &parameters[i], from, count, &columns[i], err));
    }
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t visit = owners[from + k];
        rows[k] = call->rows == NULL ? visit : call->rows[visit];
    }
    for (uint32_t i = 0; i < info->captured_count; i++) {
        TRY(column_take(scratch, &self->captured[i], rows, count,
                        &columns[info->parameter_count + i], err));
    }
    *out = columns;
    return FIRN_OK;
}

// The body's values for one batch of elements, flat.
static firn_status run_part(lambda_state *self, const function_call *call, column *columns,
                            uint32_t count, column *out) {
    const batch elements =
        batch_of(columns, self->info->parameter_count + self->info->captured_count, count);
    column value;
    TRY(expr_run(self->body, &elements, call->scratch, &value, self->run->err));
    return column_flatten(call->scratch, &value, out, self->run->err);
}

static uint32_t run_lambda(function_lambda *face, function_call *call, const column *parameters,
                           const uint32_t *owners, uint32_t count, column *out) {
    lambda_state *self = (lambda_state *)face;
    const uint32_t part_count = (count + BATCH_ROWS - 1) / BATCH_ROWS;
    column *parts = ARENA_NEW(call->scratch, column, part_count + 1);
    if (parts == NULL) {
        return KERNEL_NO_MEMORY;
    }
    for (uint32_t part = 0; part < part_count; part++) {
        const uint32_t from = part * BATCH_ROWS;
        const uint32_t size = count - from < BATCH_ROWS ? count - from : BATCH_ROWS;
        column *columns;
        if (element_columns(self, call, parameters, owners, from, size, &columns) != FIRN_OK) {
            return KERNEL_NO_MEMORY;
        }
        if (run_part(self, call, columns, size, &parts[part]) != FIRN_OK) {
            if (self->body->failed_row == NO_INDEX) {
                return KERNEL_NO_MEMORY;
            }
            self->has_failed = true;
            return from + self->body->failed_row;
        }
    }
    const type *result = self->info->result;
    if (columns_concat(call->scratch, result, parts, part_count, out, self->run->err) != FIRN_OK) {
        return KERNEL_NO_MEMORY;
    }
    return count;
}

firn_status lambda_open(expr_state *state, call_state *call, const call_info *info,
                        firn_error *err) {
    lambda_state **lambdas = ARENA_NEW(state->memory, lambda_state *, info->arg_count + 1);
    function_lambda **faces = ARENA_NEW(state->memory, function_lambda *, info->arg_count + 1);
    if (lambdas == NULL || faces == NULL) {
        return ARENA_FULL(state->memory, err);
    }
    for (uint32_t i = 0; i < info->arg_count; i++) {
        lambdas[i] = NULL;
        faces[i] = NULL;
    }
    call->lambdas = lambdas; // From here on lambda_close ends what was opened.
    call->call.lambdas = faces;
    for (uint32_t i = 0; i < info->arg_count; i++) {
        if (info->lambdas[i] == NULL) {
            continue;
        }
        lambda_state *lambda = ARENA_NEW(state->memory, lambda_state, 1);
        if (lambda == NULL) {
            return ARENA_FULL(state->memory, err);
        }
        *lambda = (lambda_state){.face = {.parameter_count = info->lambdas[i]->parameter_count,
                                          .result = info->lambdas[i]->result,
                                          .run = run_lambda},
                                 .info = info->lambdas[i]};
        lambdas[i] = lambda;
        faces[i] = &lambda->face;
        TRY(expr_open(info->lambdas[i]->body, state->context, state->filters, state->memory,
                      &lambda->body, err));
    }
    return FIRN_OK;
}

void lambda_close(call_state *call, const call_info *info) {
    for (uint32_t i = 0; call->lambdas != NULL && i < info->arg_count; i++) {
        if (call->lambdas[i] != NULL) {
            expr_close(call->lambdas[i]->body);
        }
    }
}
