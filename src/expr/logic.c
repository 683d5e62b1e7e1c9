// AND, OR, CASE, COALESCE and TRY: what decides which rows the rest of an expression is for.
#include "expr/program_state.h"
#include "expr/row_merge.h"

static firn_status new_bits(const expr_run_call *run, uint32_t rows, uint64_t **out) {
    *out = ARENA_NEW(run->scratch, uint64_t, BITMAP_WORDS(rows) + 1);
    return *out == NULL ? ARENA_FULL(run->scratch, run->err) : FIRN_OK;
}

// The rows where a BOOLEAN of any form is true, and those where it is false.
static firn_status truths_of(const expr_run_call *run, const column *value, uint64_t *is_true,
                             uint64_t *is_false) {
    const uint32_t length = value->length;
    if (value->type->id == TYPE_NULL ||
        (value->form == FORM_CONSTANT && !column_is_valid(value, 0))) {
        bits_clear(is_true, length);
        bits_clear(is_false, length);
        return FIRN_OK;
    }
    if (value->form == FORM_CONSTANT) {
        const bool holds = bitmap_get(value->values, 0);
        bits_fill(holds ? is_true : is_false, length);
        bits_clear(holds ? is_false : is_true, length);
        return FIRN_OK;
    }
    column flat;
    TRY(column_flatten(run->scratch, value, &flat, run->err));
    const uint64_t *values = flat.values;
    for (size_t word = 0; word < BITMAP_WORDS(length); word++) {
        const uint64_t valid = flat.validity == NULL ? UINT64_MAX : flat.validity[word];
        is_true[word] = values[word] & valid;
        is_false[word] = ~values[word] & valid;
    }
    bits_clean(is_true, length);
    bits_clean(is_false, length);
    return FIRN_OK;
}

// ---- AND, OR ---------------------------------------------------------------------------------

// An AND is false once an argument is, true if all are; the others are unknown. OR the other way
// round. Only rows that are not decided go on to the next argument.
firn_status logic_junction(const expr_run_call *run, const program_node *node, row_scope *scope,
                           column *out) {
    const uint32_t length = scope->length;
    const bool is_and = node->kind == NODE_AND;
    uint64_t *open;    // Rows whose arguments so far were all true (OR: all false).
    uint64_t *decided; // Rows that one argument has settled.
    uint64_t *is_true;
    uint64_t *is_false;
    TRY(new_bits(run, length, &open));
    TRY(new_bits(run, length, &decided));
    TRY(new_bits(run, length, &is_true));
    TRY(new_bits(run, length, &is_false));
    bits_fill(open, length);
    bits_clear(decided, length);
    row_scope *current = scope;
    for (uint32_t i = 0; i < node->child_count && current->count > 0; i++) {
        const column *value;
        TRY(program_value(run, node->children[i], current, &value));
        TRY(truths_of(run, value, is_true, is_false));
        const uint64_t *passes = is_and ? is_true : is_false;
        const uint64_t *settles = is_and ? is_false : is_true;
        bits_and(open, passes, length, open);
        const uint64_t *reached = scope_bits(current, run->scratch);
        row_scope *next = ARENA_NEW(run->scratch, row_scope, 1);
        if (reached == NULL || next == NULL) {
            return ARENA_FULL(run->scratch, run->err);
        }
        for (size_t word = 0; word < BITMAP_WORDS(length); word++) {
            decided[word] |= settles[word] & reached[word];
        }
        TRY(program_narrow(run, current, settles, false, next));
        current = next;
    }
    // Rows that left early are not open: what settled them did not pass.
    *out = (column){.type = node->type, .form = FORM_FLAT, .length = length};
    out->values = is_and ? open : decided;
    bits_or(open, decided, length, is_true);
    if (!bits_all(is_true, length)) {
        out->validity = is_true;
    }
    return FIRN_OK;
}

// ---- CASE, COALESCE --------------------------------------------------------------------------

// The value of an arm: any form, of the declared width.
static firn_status arm_value(const expr_run_call *run, uint32_t node, row_scope *scope,
                             const column **out) {
    TRY(program_value(run, node, scope, out));
    const type *declared = run->state->program->nodes[node].type;
    return (*out)->type->precision == declared->precision ? FIRN_OK
                                                          : program_flat(run, node, scope, out);
}

firn_status logic_case(const expr_run_call *run, const program_node *node, row_scope *scope,
                       column *out) {
    const uint32_t length = scope->length;
    row_merge merge;
    TRY(row_merge_open(&merge, node->type, length, node->child_count / 2 + 1, run->scratch,
                       run->err));
    uint64_t *is_true;
    uint64_t *is_false;
    TRY(new_bits(run, length, &is_true));
    TRY(new_bits(run, length, &is_false));
    row_scope *left = scope; // Rows that no condition has taken.
    const column *value;
    uint32_t i = 0;
    for (; i + 1 < node->child_count && left->count > 0; i += 2) {
        TRY(program_value(run, node->children[i], left, &value));
        TRY(truths_of(run, value, is_true, is_false));
        row_scope *scopes = ARENA_NEW(run->scratch, row_scope, 2);
        if (scopes == NULL) {
            return ARENA_FULL(run->scratch, run->err);
        }
        TRY(program_narrow(run, left, is_true, true, &scopes[0]));
        if (scopes[0].count > 0) {
            TRY(program_narrow(run, left, is_true, false, &scopes[1]));
            TRY(arm_value(run, node->children[i + 1], &scopes[0], &value));
            TRY(row_merge_add(&merge, value, &scopes[0], run->err));
            left = &scopes[1];
        }
    }
    if (node->child_count % 2 == 1 && left->count > 0) {
        TRY(arm_value(run, node->children[node->child_count - 1], left, &value));
        TRY(row_merge_add(&merge, value, left, run->err));
    }
    return row_merge_finish(&merge, out, run->err);
}

// The rows of the scope where a value of any form is NULL.
static firn_status find_nulls(const expr_run_call *run, const column *value, row_scope *scope,
                              row_scope *out) {
    uint64_t *bits;
    TRY(new_bits(run, scope->length, &bits));
    const bool is_null_constant = value->type->id == TYPE_NULL ||
                                  (value->form == FORM_CONSTANT && !column_is_valid(value, 0));
    if (is_null_constant) {
        bits_clear(bits, scope->length);
    } else if (value->validity == NULL || value->form == FORM_CONSTANT) {
        bits_fill(bits, scope->length);
    } else {
        memcpy(bits, value->validity, BITMAP_WORDS(scope->length) * sizeof *bits);
        bits_clean(bits, scope->length);
    }
    return program_narrow(run, scope, bits, false, out);
}

firn_status logic_coalesce(const expr_run_call *run, const program_node *node, row_scope *scope,
                           column *out) {
    row_merge merge;
    bool is_open = false;
    row_scope *left = scope;
    for (uint32_t i = 0; i < node->child_count && left->count > 0; i++) {
        const column *value;
        TRY(arm_value(run, node->children[i], left, &value));
        if (value->form == FORM_RUNS) {
            TRY(program_flat(run, node->children[i], left, &value));
        }
        row_scope *next = ARENA_NEW(run->scratch, row_scope, 1);
        if (next == NULL) {
            return ARENA_FULL(run->scratch, run->err);
        }
        TRY(find_nulls(run, value, left, next));
        if (!is_open && next->count == 0) {
            *out = *value; // The first argument is all there.
            return FIRN_OK;
        }
        if (!is_open) {
            TRY(row_merge_open(&merge, node->type, scope->length, node->child_count, run->scratch,
                               run->err));
            is_open = true;
        }
        TRY(row_merge_add(&merge, value, left, run->err)); // Rows that are NULL here come again.
        left = next;
    }
    return row_merge_finish(&merge, out, run->err);
}

// ---- TRY -------------------------------------------------------------------------------------

firn_status logic_try(const expr_run_call *run, const program_node *node, row_scope *scope,
                      column *out) {
    const column *value;
    TRY(program_value(run, node->children[0], scope, &value));
    const uint64_t *failed = run->state->try_failures[node->own_try];
    if (failed == NULL || !bits_any(failed, scope->length)) {
        *out = *value;
        return FIRN_OK;
    }
    column flat = *value;
    if (value->form == FORM_CONSTANT || value->form == FORM_RUNS) {
        TRY(column_flatten(run->scratch, value, &flat, run->err));
    }
    if (flat.form == FORM_CONSTANT) { // Of type NULL.
        *out = flat;
        return FIRN_OK;
    }
    uint64_t *validity;
    TRY(new_bits(run, scope->length, &validity));
    if (flat.validity == NULL) {
        bits_fill(validity, scope->length);
    } else {
        memcpy(validity, flat.validity, BITMAP_WORDS(scope->length) * sizeof *validity);
    }
    bits_and_not(validity, failed, scope->length, validity);
    flat.validity = validity;
    *out = flat;
    return FIRN_OK;
}
