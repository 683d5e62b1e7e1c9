// Unnest: a row per list element; several lists in step, shorter ones padded with NULL.
#include "exec/operators/expr_step.h"
#include "exec/rows/rows_repeated.h"

typedef struct unnest_shared {
    expr_program *program;
    execution *run;
    uint32_t list_count;
    bool has_ordinality, keeps_empty;
} unnest_shared;

typedef struct unnest_local {
    expr_step base;   // First.
    uint32_t next;    // Which of the rows that count is being unnested.
    uint32_t element; // Of that row.
    bool is_begun;
    const column *carried; // The input's columns, in the form in which they are repeated.
    column lists[];
} unnest_local;

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    unnest_shared *self = ARENA_NEW(&run->memory, unnest_shared, 1);
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    const expr_list *lists = &node->unnest_.lists;
    *self = (unnest_shared){.run = run,
                            .list_count = lists->count,
                            .has_ordinality = node->unnest_.ordinality_id != NO_SLOT,
                            .keeps_empty = node->unnest_.keeps_empty};
    TRY(expr_compile((const expr *const *)lists->items, lists->count, input, &run->memory,
                     &self->program, err));
    *shared = self;
    return FIRN_OK;
}

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    const unnest_shared *owner = shared;
    unnest_local *self =
        arena_alloc(memory, 1, sizeof(unnest_local) + owner->list_count * sizeof(column));
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (unnest_local){.base = {0}};
    *local = self;
    return expr_step_open(&self->base, owner->program, owner->run, memory, err);
}

// The longest list of a row.
static uint32_t length_of(const unnest_local *self, uint32_t list_count, uint32_t row) {
    uint32_t longest = 0;
    for (uint32_t i = 0; i < list_count; i++) {
        const column *list = &self->lists[i];
        if (column_row_is_valid(list, row)) {
            const uint32_t size = COLUMN_VALUES(list, list_value)[row & column_mask(list)].size;
            longest = size > longest ? size : longest;
        }
    }
    return longest;
}

typedef struct picked {
    uint32_t count;
    uint32_t *rows;     // Of the input.
    uint32_t *elements; // Of the row's lists.
} picked;

static void pick(unnest_local *self, const unnest_shared *owner, const batch *input, uint32_t room,
                 picked *out) {
    out->count = 0;
    while (out->count < room && self->next < input->selected_count) {
        const uint32_t row = batch_row(input, self->next);
        uint32_t length = length_of(self, owner->list_count, row);
        length = length == 0 && owner->keeps_empty ? 1 : length;
        if (self->element == length) {
            self->next++;
            self->element = 0;
            continue;
        }
        out->rows[out->count] = row;
        out->elements[out->count++] = self->element++;
    }
}

// Element k of each picked row's list, NULL where the list is shorter.
static firn_status take_elements(const column *list, const picked *rows, arena *scratch,
                                 column *out, firn_error *err) {
    uint32_t *elements = ARENA_NEW(scratch, uint32_t, rows->count + 1);
    if (elements == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        elements[i] = UINT32_MAX;
        if (column_row_is_valid(list, rows->rows[i])) {
            const list_value slice =
                COLUMN_VALUES(list, list_value)[rows->rows[i] & column_mask(list)];
            if (rows->elements[i] < slice.size) {
                elements[i] = slice.offset + rows->elements[i];
            }
        }
    }
    return column_take(scratch, &list->children[0], elements, rows->count, out, err);
}

// NULL in the row that stands for an empty list.
static firn_status add_ordinality(const unnest_local *self, uint32_t list_count, const picked *rows,
                                  arena *scratch, column *out, firn_error *err) {
    TRY(column_new(scratch, TYPE_OF(BIGINT), rows->count, out, err));
    for (uint32_t i = 0; i < rows->count; i++) {
        COLUMN_OUT(out, int64_t)[i] = (int64_t)rows->elements[i] + 1;
        if (rows->elements[i] == 0 && length_of(self, list_count, rows->rows[i]) == 0 &&
            !column_set_null(scratch, out, i)) {
            return ARENA_FULL(scratch, err);
        }
    }
    return FIRN_OK;
}

static bool has_short_texts(const column *flat) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < flat->length; i++) {
        bytes += COLUMN_VALUES(flat, string_value)[i].size;
    }
    return bytes < (uint64_t)flat->length * REPEATED_TEXT_BYTES;
}

// Short texts are entries of one dictionary for all outputs of an input: whoever computes with them
// does it once. What is long is found out for each output (rows_repeated.h), so that entries of
// other rows cost nothing there.
static firn_status carry(unnest_local *self, const batch *input, arena *scratch, firn_error *err) {
    column *carried = ARENA_NEW(scratch, column, input->column_count + 1);
    uint32_t *codes = ARENA_NEW(scratch, uint32_t, input->row_count + 1);
    if (carried == NULL || codes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < input->row_count; i++) {
        codes[i] = i;
    }
    for (uint32_t i = 0; i < input->column_count; i++) {
        const column *from = &input->columns[i];
        carried[i] = *from;
        if (from->form == FORM_FLAT && type_physical(from->type) == PHYSICAL_STRING &&
            has_short_texts(from)) {
            TRY(column_of_entries(scratch, from, codes, from->length, &carried[i], err));
        }
    }
    self->carried = carried;
    return FIRN_OK;
}

// The lists of an input's rows, once for all the outputs that they make.
static firn_status begin_input(unnest_local *self, const unnest_shared *owner, const batch *input,
                               arena *scratch, firn_error *err) {
    TRY(expr_run(self->base.state, input, scratch, self->lists, err));
    for (uint32_t i = 0; i < owner->list_count; i++) {
        if (self->lists[i].form > FORM_CONSTANT) {
            const column coded = self->lists[i];
            TRY(column_flatten(scratch, &coded, &self->lists[i], err));
        }
    }
    self->next = 0;
    self->element = 0;
    self->is_begun = true;
    return carry(self, input, scratch, err);
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    const unnest_shared *owner = call->shared;
    unnest_local *self = call->local;
    arena *scratch = call->scratch;
    if (!self->is_begun) {
        TRY(begin_input(self, owner, input, scratch, err));
        call->kept = arena_mark_take(scratch);
    }
    const uint32_t room = call->run->options->batch_rows;
    picked rows = {.rows = ARENA_NEW(scratch, uint32_t, room),
                   .elements = ARENA_NEW(scratch, uint32_t, room)};
    const uint32_t width = input->column_count + owner->list_count + 1;
    column *columns = ARENA_NEW(scratch, column, width);
    if (rows.rows == NULL || rows.elements == NULL || columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    pick(self, owner, input, room, &rows);
    uint32_t made = 0;
    repeated_lanes repeated = {.lanes = rows.rows, .count = rows.count};
    for (uint32_t i = 0; i < input->column_count; i++) {
        TRY(repeated_lanes_take(&repeated, &self->carried[i], scratch, &columns[made++], err));
    }
    for (uint32_t i = 0; i < owner->list_count; i++) {
        TRY(take_elements(&self->lists[i], &rows, scratch, &columns[made++], err));
    }
    if (owner->has_ordinality) {
        TRY(add_ordinality(self, owner->list_count, &rows, scratch, &columns[made++], err));
    }
    const batch_sequence sequence = output->sequence;
    *output = batch_of(columns, made, rows.count);
    output->sequence = sequence;
    *out = self->next < input->selected_count ? STEP_MORE : STEP_NEXT;
    self->is_begun = *out == STEP_MORE;
    return FIRN_OK;
}

const operator_kind operator_unnest_step = {
    .name = "Unnest",
    .keeps_order = true,
    .takes_forms = true,
    .open = open_shared,
    .open_worker = open_worker,
    .push = push,
    .decoded = expr_step_decoded,
    .close_worker = expr_step_close,
};
