// Columns in the form and type that a call wants: flat, as wide as declared.
#include "expr/program_state.h"
#include "kernels/gather.h"

firn_status lift_relabel(const expr_run_call *run, const column *value, const type *to,
                         column *out) {
    *out = *value;
    out->type = to;
    if (to->child_count > 0) {
        column *children = ARENA_NEW(run->scratch, column, to->child_count);
        if (children == NULL) {
            return ARENA_FULL(run->scratch, run->err);
        }
        for (uint32_t i = 0; i < to->child_count; i++) {
            TRY(lift_relabel(run, &value->children[i], to->children[i].type, &children[i]));
        }
        out->children = children;
    }
    if (value->form == FORM_DICTIONARY) {
        dictionary *entries = ARENA_NEW(run->scratch, dictionary, 1);
        column *values = ARENA_NEW(run->scratch, column, 1);
        if (entries == NULL || values == NULL) {
            return ARENA_FULL(run->scratch, run->err);
        }
        *entries = *value->dictionary;
        TRY(lift_relabel(run, entries->values, to, values));
        entries->values = values;
        out->dictionary = entries;
    }
    return FIRN_OK;
}

// A narrow decimal in its declared width.
static firn_status widen_decimal(const expr_run_call *run, const column *value,
                                 const type *declared, column *out) {
    *out = *value;
    out->type = declared;
    const uint32_t count = value->form == FORM_CONSTANT ? 1 : value->length;
    const int64_t *narrow = value->values;
    if (type_physical(declared) == PHYSICAL_I128) {
        i128 *wide = ARENA_NEW(run->scratch, i128, count + 1);
        for (uint32_t i = 0; wide != NULL && i < count; i++) {
            wide[i] = narrow[i];
        }
        out->values = wide;
    } else {
        i256 *wide = ARENA_NEW(run->scratch, i256, count + 1);
        for (uint32_t i = 0; wide != NULL && i < count; i++) {
            wide[i] = i256_from_i64(narrow[i]);
        }
        out->values = wide;
    }
    return out->values == NULL ? ARENA_FULL(run->scratch, run->err) : FIRN_OK;
}

// The rows of a sparse scope from a dictionary; other lanes are zero.
static firn_status decode_rows(const expr_run_call *run, const column *value, row_scope *scope,
                               column *out) {
    const uint32_t width = physical_size(type_physical(value->type));
    const uint16_t *rows = scope_rows(scope, run->scratch);
    if (rows == NULL) {
        return ARENA_FULL(run->scratch, run->err);
    }
    TRY(column_new(run->scratch, value->type, value->length, out, run->err));
    memset(COLUMN_OUT(out, uint8_t), 0, (size_t)width * value->length);
    if (value->validity != NULL) { // Codes of NULLs may name no entry.
        uint16_t *valid = ARENA_NEW(run->scratch, uint16_t, scope->count + 1);
        if (valid == NULL) {
            return ARENA_FULL(run->scratch, run->err);
        }
        const uint32_t count = bits_filter_rows(value->validity, true, rows, scope->count, valid);
        gather_codes_rows(width, value->dictionary->values->values, value->values, valid, count,
                          COLUMN_OUT(out, uint8_t));
        out->validity = value->validity;
        return FIRN_OK;
    }
    gather_codes_rows(width, value->dictionary->values->values, value->values, rows, scope->count,
                      COLUMN_OUT(out, uint8_t));
    return FIRN_OK;
}

static firn_status decode(const expr_run_call *run, const column *value, row_scope *scope,
                          column *out, bool *is_everywhere) {
    const uint32_t width = physical_size(type_physical(value->type));
    const bool is_plain = value->form == FORM_DICTIONARY && width > 0 && value->children == NULL &&
                          value->dictionary->values->children == NULL;
    if (is_plain && !scope_is_dense(scope)) {
        *is_everywhere = false;
        run->state->values_decoded += scope->count;
        return decode_rows(run, value, scope, out);
    }
    *is_everywhere = true;
    run->state->values_decoded += value->length;
    if (is_plain && value->dictionary->size > 0) {
        TRY(column_new(run->scratch, value->type, value->length, out, run->err));
        gather_codes(width, value->dictionary->values->values, value->values, value->length,
                     COLUMN_OUT(out, uint8_t));
        out->validity = value->validity;
        return FIRN_OK;
    }
    return column_flatten(run->scratch, value, out, run->err);
}

firn_status lift_flatten(const expr_run_call *run, const program_node *node, const column *value,
                         row_scope *scope, column *out, bool *is_everywhere) {
    *is_everywhere = true;
    column flat = *value;
    if (value->form > FORM_CONSTANT) {
        TRY(decode(run, value, scope, &flat, is_everywhere));
    }
    if (flat.type->precision != node->type->precision) {
        return widen_decimal(run, &flat, node->type, out);
    }
    *out = flat;
    return FIRN_OK;
}
