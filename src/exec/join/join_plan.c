#include "exec/join/join_plan.h"

#include <assert.h>

#include "exec/rows/rows_repeated.h"
#include "kernels/bits.h"

typedef struct kind_row {
    bool left_survives;
    bool right_survives;
    bool may_prune;
} kind_row;

static const kind_row kinds[] = {
#define X(name, words, left, right, right_out, prune) [JOIN_##name] = {left, right, prune},
    JOIN_KIND_LIST(X)
#undef X
};

// ---- Compiling ---------------------------------------------------------------------------------

static join_column column_of(join_plan *self, uint32_t id, const type *type) {
    join_column out = {.type = type, .number = join_side_find(&self->left, id)};
    if (out.number == ROW_NONE) {
        out.is_right = true;
        out.number = join_side_find(&self->right, id);
    }
    if (out.number != ROW_NONE) {
        join_side_want(out.is_right ? &self->right : &self->left, out.number);
        if (out.is_right) {
            out.number = self->right.row_columns[out.number];
        }
    }
    return out;
}

static firn_status open_outputs(join_plan *self, arena *memory, firn_error *err) {
    plan_columns columns;
    TRY(plan_outputs(self->node, memory, &columns, err));
    self->outputs = ARENA_NEW(memory, join_column, columns.count + 1);
    if (self->outputs == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < columns.count; i++) {
        const plan_column *each = &columns.items[i];
        if (self->kind == JOIN_MARK && each->id == self->node->join_.mark_id) {
            self->has_mark = true;
            continue;
        }
        const join_column found = column_of(self, each->id, each->type);
        if (found.number == ROW_NONE) {
            return FAIL(err, FIRN_INTERNAL, "a join hands out column %u that no side has",
                        each->id);
        }
        self->outputs[self->output_count++] = found;
    }
    return FIRN_OK;
}

static firn_status open_residual(join_plan *self, arena *memory, firn_error *err) {
    TRY(join_split_open(&self->split, self->node, self->null_aware, &self->left, &self->right,
                        memory, err));
    const expr *residual = self->split.rest;
    if (residual == NULL) {
        return FIRN_OK;
    }
    self->reads_left = expr_is_volatile(residual);
    self->reads_right = self->reads_left;
    id_set mentioned = {.memory = memory};
    TRY(expr_columns(residual, &mentioned, err));
    const uint32_t most = self->left.input_count + self->right.input_count + 1;
    self->residual_inputs = ARENA_NEW(memory, join_column, most);
    uint32_t *ids = ARENA_NEW(memory, uint32_t, most);
    if (self->residual_inputs == NULL || ids == NULL) {
        return ARENA_FULL(memory, err);
    }
    const join_side *sides[2] = {&self->left, &self->right};
    for (uint32_t side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < sides[side]->input_count; i++) {
            const uint32_t id = sides[side]->ids[i];
            if (id_set_has(&mentioned, id)) {
                *(side == 0 ? &self->reads_left : &self->reads_right) = true;
                ids[self->residual_count] = id;
                self->residual_inputs[self->residual_count++] =
                    column_of(self, id, sides[side]->types[i]);
            }
        }
    }
    input_layout layout = {.count = self->residual_count, .ids = ids};
    TRY(input_layout_index(&layout, memory, err));
    return expr_compile(&residual, 1, &layout, memory, &self->residual, err);
}

static firn_status open_keys(join_plan *self, arena *memory, firn_error *err) {
    const u32_list *null_equal = &self->node->join_.null_equal;
    const uint32_t count = self->right.key_count;
    self->null_equal = ARENA_NEW(memory, bool, count + 1);
    if (self->null_equal == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        self->null_equal[i] = i < null_equal->count && null_equal->items[i] != 0;
    }
    return FIRN_OK;
}

firn_status join_plan_open(const plan_node *node, execution *run, uint32_t right_extra,
                           arena *memory, join_plan *out, firn_error *err) {
    const join_kind kind = (join_kind)node->join_.join;
    *out = (join_plan){
        .node = node,
        .run = run,
        .kind = kind,
        .left_survives = kinds[kind].left_survives,
        .right_survives = kinds[kind].right_survives,
        .may_prune = kinds[kind].may_prune,
        .is_first_match = kind == JOIN_SEMI || kind == JOIN_ANTI || kind == JOIN_MARK,
        .null_aware = node->join_.null_aware && (kind == JOIN_ANTI || kind == JOIN_MARK),
    };
    TRY(join_side_open(&out->left, node->join_.left, &node->join_.left_keys, memory, err));
    TRY(join_side_open(&out->right, node->join_.right, &node->join_.right_keys, memory, err));
    TRY(open_keys(out, memory, err));
    TRY(open_outputs(out, memory, err));
    TRY(open_residual(out, memory, err));
    const bool has_keys = out->right.key_count > 0;
    TRY(join_side_lay_out(&out->left, has_keys, 0, memory, err));
    return join_side_lay_out(&out->right, has_keys, right_extra, memory, err);
}

firn_status join_plan_open_residual(const join_plan *self, arena *memory, expr_state **out,
                                    firn_error *err) {
    *out = NULL;
    return self->residual == NULL ? FIRN_OK
                                  : expr_open(self->residual, self->run->context,
                                              &self->run->dynamic, memory, out, err);
}

uint32_t join_plan_valid_keys(const join_plan *self, const column *keys, uint16_t *lanes,
                              uint32_t count) {
    for (uint32_t i = 0; i < self->right.key_count; i++) {
        const column *key = &keys[i];
        if (self->null_equal[i] || (key->validity == NULL && key->type->id != TYPE_NULL)) {
            continue;
        }
        if (key->form == FORM_CONSTANT || key->type->id == TYPE_NULL) {
            count = column_is_valid(key, 0) ? count : 0;
        } else {
            count = bits_filter_rows(key->validity, true, lanes, count, lanes);
        }
    }
    return count;
}

// ---- Pairs -------------------------------------------------------------------------------------

// Both sides of pairs, from which columns are taken.
typedef struct pair_sides {
    const batch *left;
    repeated_lanes lanes;
    repeated_rows rows;
} pair_sides;

static firn_status open_sides(const join_pairs *pairs, arena *scratch, pair_sides *out,
                              firn_error *err) {
    uint32_t *lanes = ARENA_NEW(scratch, uint32_t, (size_t)pairs->count + 1);
    if (lanes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t k = 0; k < pairs->count; k++) {
        lanes[k] = pairs->lanes[k];
    }
    *out = (pair_sides){
        .left = pairs->left,
        .lanes = {.lanes = lanes, .count = pairs->count, .text_bytes = REPEATED_TEXT_BYTES},
        .rows = {.store = pairs->store, .rows = pairs->rows, .count = pairs->count}};
    return FIRN_OK;
}

// One column of pairs, made from the right, taken from the left in its form.
static firn_status pair_column(const join_column *from, pair_sides *pairs, arena *scratch,
                               column *out, firn_error *err) {
    if (from->is_right) {
        return repeated_rows_gather(&pairs->rows, from->number, scratch, out, err);
    }
    return repeated_lanes_take(&pairs->lanes, &pairs->left->columns[from->number], scratch, out,
                               err);
}

// The residual's columns.
static firn_status residual_batch(const join_plan *self, const join_pairs *pairs, arena *scratch,
                                  batch *out, firn_error *err) {
    column *columns = ARENA_NEW(scratch, column, self->residual_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    pair_sides sides;
    TRY(open_sides(pairs, scratch, &sides, err));
    for (uint32_t i = 0; i < self->residual_count; i++) {
        TRY(pair_column(&self->residual_inputs[i], &sides, scratch, &columns[i], err));
    }
    *out = batch_of(columns, self->residual_count, pairs->count);
    return FIRN_OK;
}

firn_status join_batch_judge(expr_state *residual, const batch *input, uint8_t *truth,
                             arena *scratch, firn_error *err) {
    column value;
    TRY(expr_run(residual, input, scratch, &value, err));
    if (value.form > FORM_CONSTANT) {
        const column packed = value;
        TRY(column_flatten(scratch, &packed, &value, err));
    }
    const uint32_t mask = column_mask(&value);
    for (uint32_t k = 0; k < input->selected_count; k++) {
        const uint32_t row = batch_row(input, k);
        uint8_t said = JOIN_UNKNOWN;
        if (value.type->id != TYPE_NULL && column_row_is_valid(&value, row)) {
            said = bitmap_get(value.values, row & mask) ? JOIN_TRUE : JOIN_FALSE;
        }
        truth[k] = said < truth[k] ? said : truth[k];
    }
    return FIRN_OK;
}

firn_status join_pairs_judge(const join_plan *self, expr_state *residual, const join_pairs *pairs,
                             uint8_t *truth, arena *scratch, firn_error *err) {
    if (residual == NULL || pairs->count == 0) {
        return FIRN_OK;
    }
    batch input;
    TRY(residual_batch(self, pairs, scratch, &input, err));
    return join_batch_judge(residual, &input, truth, scratch, err);
}

firn_status join_pairs_filter(const join_plan *self, expr_state *residual, join_pairs *pairs,
                              arena *scratch, firn_error *err) {
    if (residual == NULL || pairs->count == 0) {
        return FIRN_OK;
    }
    batch input;
    TRY(residual_batch(self, pairs, scratch, &input, err));
    const uint16_t *selection;
    uint32_t count;
    TRY(expr_filter(residual, &input, scratch, &selection, &count, err));
    for (uint32_t k = 0; selection != NULL && k < count; k++) {
        pairs->lanes[k] = pairs->lanes[selection[k]];
        pairs->rows[k] = pairs->rows[selection[k]];
    }
    pairs->count = count;
    return FIRN_OK;
}

// ---- Batches -----------------------------------------------------------------------------------

static column *new_columns(const join_plan *self, arena *scratch) {
    return ARENA_NEW(scratch, column, self->output_count + 2);
}

static void hand_out(batch *out, const column *columns, uint32_t column_count, uint32_t row_count,
                     const uint16_t *selection, uint32_t selected_count) {
    const batch_sequence sequence = out->sequence;
    *out = batch_of(columns, column_count, row_count);
    out->selection = selection;
    out->selected_count = selected_count;
    out->sequence = sequence;
}

// Are the pairs all rows of the left batch, in order?
static bool is_whole(const join_pairs *pairs) {
    if (pairs->count != pairs->left->row_count) {
        return false;
    }
    for (uint32_t k = 0; k < pairs->count; k++) {
        if (pairs->lanes[k] != k) {
            return false;
        }
    }
    return true;
}

firn_status join_output_pairs(const join_plan *self, const join_pairs *pairs, arena *scratch,
                              batch *out, firn_error *err) {
    column *columns = new_columns(self, scratch);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    const bool shares_left = is_whole(pairs);
    pair_sides sides;
    if (self->output_count > 0) {
        TRY(open_sides(pairs, scratch, &sides, err));
    }
    for (uint32_t i = 0; i < self->output_count; i++) {
        const join_column *from = &self->outputs[i];
        if (shares_left && !from->is_right) {
            columns[i] = pairs->left->columns[from->number];
        } else {
            TRY(pair_column(from, &sides, scratch, &columns[i], err));
        }
    }
    hand_out(out, columns, self->output_count, pairs->count, NULL, pairs->count);
    return FIRN_OK;
}

firn_status join_output_lanes(const join_plan *self, const row_store *store, const batch *left,
                              const uint8_t *const *rows, arena *scratch, batch *out,
                              firn_error *err) {
    column *columns = new_columns(self, scratch);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    repeated_rows right = {
        .store = store, .rows = rows, .count = left->row_count, .has_gaps = !self->left_survives};
    for (uint32_t i = 0; i < self->output_count; i++) {
        const join_column *from = &self->outputs[i];
        if (from->is_right) {
            TRY(repeated_rows_gather(&right, from->number, scratch, &columns[i], err));
        } else {
            columns[i] = left->columns[from->number];
        }
    }
    hand_out(out, columns, self->output_count, left->row_count, left->selection,
             left->selected_count);
    return FIRN_OK;
}

firn_status join_output_left(const join_plan *self, const batch *left, const column *mark,
                             arena *scratch, batch *out, firn_error *err) {
    column *columns = new_columns(self, scratch);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    uint32_t count = self->output_count;
    for (uint32_t i = 0; i < self->output_count; i++) {
        const join_column *from = &self->outputs[i];
        if (from->is_right) {
            TRY(column_new_null(scratch, from->type, left->row_count, &columns[i], err));
        } else {
            columns[i] = left->columns[from->number];
        }
    }
    if (mark != NULL && self->has_mark) {
        columns[count++] = *mark;
    }
    hand_out(out, columns, count, left->row_count, left->selection, left->selected_count);
    return FIRN_OK;
}

static firn_status output_mark(const join_plan *self, const join_decision *decided, arena *scratch,
                               batch *out, firn_error *err) {
    const uint32_t rows = decided->left->row_count;
    column mark;
    TRY(column_new(scratch, TYPE_OF(BOOLEAN), rows, &mark, err));
    memcpy(COLUMN_OUT(&mark, uint64_t), decided->matched, BITMAP_WORDS(rows) * sizeof(uint64_t));
    uint64_t *validity = NULL;
    for (size_t word = 0; word < BITMAP_WORDS(rows); word++) {
        const uint64_t unknown = decided->undecided[word] & ~decided->matched[word];
        if (unknown != 0 && validity == NULL) {
            validity = column_validity_out(scratch, &mark);
            if (validity == NULL) {
                return ARENA_FULL(scratch, err);
            }
        }
        if (validity != NULL) {
            validity[word] = ~unknown;
        }
    }
    const batch left = join_selected(decided->left, decided->selected, decided->selected_count);
    return join_output_left(self, &left, &mark, scratch, out, err);
}

firn_status join_output_decided(const join_plan *self, const join_decision *decided, arena *scratch,
                                batch *out, firn_error *err) {
    if (self->kind == JOIN_MARK) {
        return output_mark(self, decided, scratch, out, err);
    }
    const bool is_semi = self->kind == JOIN_SEMI;
    uint32_t kept = bits_filter_rows(decided->matched, is_semi, decided->selected,
                                     decided->selected_count, decided->selected);
    if (!is_semi) {
        kept =
            bits_filter_rows(decided->undecided, false, decided->selected, kept, decided->selected);
    }
    const batch left = join_selected(decided->left, decided->selected, kept);
    return kept == 0 ? FIRN_OK : join_output_left(self, &left, NULL, scratch, out, err);
}

firn_status join_output_right(const join_plan *self, const row_store *store,
                              const uint8_t *const *rows, uint32_t count, arena *scratch,
                              batch *out, firn_error *err) {
    column *columns = new_columns(self, scratch);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < self->output_count; i++) {
        const join_column *from = &self->outputs[i];
        if (from->is_right) {
            TRY(rows_gather(store, from->number, rows, count, scratch, &columns[i], err));
        } else {
            TRY(column_new_null(scratch, from->type, count, &columns[i], err));
        }
    }
    hand_out(out, columns, self->output_count, count, NULL, count);
    return FIRN_OK;
}
