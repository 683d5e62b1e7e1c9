// Whole trees over one column: where it is a dictionary, a tree is evaluated once for each entry
// and its rows look the result up. lift.c does the same for single calls; what is more than that,
// such as `day >= $1 AND day < $2` or an IN, would go through rows once for each of its parts.
//
//     tree ─ compiled twice ─┬─ node `plain`, over the batch            other forms
//                            └─ program `body`, over one column         dictionaries
#include "expr/id_set.h"
#include "expr/program_state.h"
#include "kernels/gather.h"

#define ENTRIES_MAX UINT32_C(65536) // Row numbers of a batch are 16 bits.
#define ENTRIES_A_ROW 4             // A table is made once a row has asked for so many entries.

// ---- Which trees --------------------------------------------------------------------------------

typedef struct tree_look {
    uint32_t column; // NO_INDEX: none yet.
    uint32_t operation_count;
} tree_look;

static bool look_at(void *user, expr **slot) {
    tree_look *self = user;
    const expr *node = *slot;
    switch (node->kind) {
    case EXPR_COLUMN:
        if (self->column != NO_INDEX && self->column != node->column_.id) {
            return false;
        }
        self->column = node->column_.id;
        return true;
    case EXPR_LITERAL:
        return true;
    case EXPR_CALL:
    case EXPR_CAST:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_CASE:
    case EXPR_COALESCE:
        self->operation_count++;
        break;
    case EXPR_IN: // Worth it by itself: no call does it by entry.
        self->operation_count += 2;
        break;
    case EXPR_PARAMETER:
    case EXPR_TRY:
    case EXPR_DYNAMIC:
    case EXPR_LAMBDA:
    case EXPR_SUBQUERY:
    case EXPR_AGGREGATE:
    case EXPR_KIND_COUNT:
        return false;
    }
    return expr_visit_children(*slot, look_at, user);
}

bool lift_tree_column(const expr *source, uint32_t *column, uint32_t *operation_count) {
    const physical layout = type_physical(source->type);
    if (source->kind == EXPR_COLUMN || source->kind == EXPR_LITERAL ||
        type_is_nested(source->type) ||
        (layout != PHYSICAL_BIT && (physical_size(layout) == 0 || layout == PHYSICAL_STRING)) ||
        expr_can_fail(source) || expr_is_volatile(source)) {
        return false;
    }
    tree_look look = {.column = NO_INDEX};
    expr *root = (expr *)(uintptr_t)source;
    if (!look_at(&look, &root) || look.column == NO_INDEX) {
        return false;
    }
    *column = look.column;
    *operation_count = look.operation_count;
    return true;
}

// ---- Tables -------------------------------------------------------------------------------------

void tree_table_close(tree_table *self) {
    expr_close(self->body);
    arena_close(&self->memory);
}

// Runs the body over one column; the result is flat, in scratch memory.
static firn_status run_body(const expr_run_call *run, const tree_info *info, tree_table *table,
                            const column *values, column *out) {
    expr_state *state = run->state;
    if (table->body == NULL) {
        TRY(expr_open(info->body, state->context, state->filters, state->memory, &table->body,
                      run->err));
    }
    const batch in = batch_of((column *)(uintptr_t)values, 1, values->length);
    column result;
    TRY(expr_run(table->body, &in, run->scratch, &result, run->err));
    return column_flatten(run->scratch, &result, out, run->err);
}

static firn_status keep(const expr_run_call *run, tree_table *table, const column *result) {
    const uint32_t width = physical_size(type_physical(result->type));
    const size_t words = BITMAP_WORDS(result->length);
    const size_t size = width == 0 ? words * sizeof(uint64_t) : (size_t)width * result->length;
    void *values = arena_alloc(&table->memory, size + 8, 1);
    uint64_t *validity =
        result->validity == NULL ? NULL : ARENA_NEW(&table->memory, uint64_t, words + 1);
    if (values == NULL || (validity == NULL && result->validity != NULL)) {
        return ARENA_FULL(&table->memory, run->err);
    }
    memcpy(values, result->values, size);
    if (validity != NULL) {
        memcpy(validity, result->validity, words * sizeof *validity);
    }
    table->results = (column){.type = result->type,
                              .form = FORM_FLAT,
                              .length = result->length,
                              .values = values,
                              .validity = validity};
    table->is_known = true;
    return FIRN_OK;
}

// *is_known: the table has the results of all entries.
static firn_status find_results(const expr_run_call *run, const tree_info *info, tree_table *table,
                                const dictionary *entries, uint32_t row_count) {
    if (table->identity != entries->identity) {
        arena_reset(&table->memory);
        table->identity = entries->identity;
        table->asked_rows = 0;
        table->is_known = false;
    }
    table->asked_rows += row_count;
    if (table->is_known || table->asked_rows * ENTRIES_A_ROW < entries->size) {
        return FIRN_OK;
    }
    column values = *entries->values;
    values.length = entries->size;
    column result;
    TRY(run_body(run, info, table, &values, &result));
    return keep(run, table, &result);
}

// What NULL gives.
static firn_status find_null_result(const expr_run_call *run, const tree_info *info,
                                    tree_table *table, const type *source) {
    if (table->knows_null) {
        return FIRN_OK;
    }
    column null;
    column result;
    TRY(column_new_null(run->scratch, source, 1, &null, run->err));
    TRY(run_body(run, info, table, &null, &result));
    const uint32_t width = physical_size(type_physical(result.type));
    table->null_is_valid = column_is_valid(&result, 0);
    if (width == 0) {
        table->null_value[0] = bitmap_get(result.values, 0);
    } else {
        memcpy(table->null_value, result.values, width);
    }
    table->knows_null = true;
    return FIRN_OK;
}

// ---- Rows ---------------------------------------------------------------------------------------

// Puts what NULL gives into the rows that are NULL.
static void set_nulls(const tree_table *table, const column *source, column *out,
                      uint64_t *validity) {
    const uint32_t width = physical_size(type_physical(out->type));
    const uint64_t *valid = source->validity;
    for (size_t word = 0; word < BITMAP_WORDS(source->length); word++) {
        validity[word] =
            table->null_is_valid ? validity[word] | ~valid[word] : validity[word] & valid[word];
        if (width == 0) {
            uint64_t *bits = COLUMN_OUT(out, uint64_t);
            bits[word] =
                table->null_value[0] != 0 ? bits[word] | ~valid[word] : bits[word] & valid[word];
        }
    }
    for (uint32_t row = 0; row < source->length && width > 0; row++) {
        if (!bitmap_get(valid, row)) {
            memcpy(COLUMN_OUT(out, uint8_t) + (size_t)row * width, table->null_value, width);
        }
    }
}

static firn_status rows_of_table(const expr_run_call *run, const tree_table *table,
                                 const column *source, column *out) {
    const column *results = &table->results;
    const uint32_t length = source->length;
    TRY(column_new(run->scratch, results->type, length, out, run->err));
    if (type_physical(results->type) == PHYSICAL_BIT) {
        bits_of_codes(results->values, results->length, source->values, length,
                      COLUMN_OUT(out, uint64_t));
    } else {
        gather_codes(physical_size(type_physical(results->type)), results->values, source->values,
                     length, COLUMN_OUT(out, uint8_t));
    }
    if (results->validity == NULL && (source->validity == NULL)) {
        return FIRN_OK;
    }
    uint64_t *validity = column_validity_out(run->scratch, out);
    if (validity == NULL) {
        return ARENA_FULL(run->scratch, run->err);
    }
    if (results->validity != NULL) {
        bits_of_codes(results->validity, results->length, source->values, length, validity);
    }
    if (source->validity != NULL) {
        set_nulls(table, source, out, validity);
    }
    return FIRN_OK;
}

firn_status lift_tree(const expr_run_call *run, const program_node *node, row_scope *scope,
                      column *out, bool *is_everywhere) {
    const tree_info *info = node->tree;
    const column *source = &run->in->columns[info->column];
    tree_table *table = &run->state->trees[info->slot];
    const bool may_lift = source->form == FORM_DICTIONARY && source->dictionary->identity != 0 &&
                          source->dictionary->size > 0 && source->dictionary->size <= ENTRIES_MAX;
    if (may_lift) {
        TRY(find_results(run, info, table, source->dictionary, scope->count));
    }
    if (!may_lift || !table->is_known) {
        const column *value;
        const uint32_t plain = node->children[0];
        TRY(program_value(run, plain, scope, &value));
        *out = *value;
        *is_everywhere = run->state->registers[plain].computed.is_everywhere;
        return FIRN_OK;
    }
    if (source->validity != NULL) {
        TRY(find_null_result(run, info, table, source->type));
    }
    *is_everywhere = true;
    return rows_of_table(run, table, source, out);
}
