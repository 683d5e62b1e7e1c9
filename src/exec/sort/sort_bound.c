// What a Top-N tells the scan below it: rows whose first key lies behind that of the last row that
// is wanted come too late. A dynamic filter with one bound, which only tightens.
//
// The optimizer gives it a slot where the first key is a column of a scan. Rows with the same first
// key pass: the other keys decide; so do NULLs where they come first.
#include "exec/sort/sort_state.h"

// Published bounds stay until the end, so they are counted. Rows that come in reverse order tighten
// the bound at every cut, and no scan could skip any of them.
#define BOUNDS_MAX 256
#define BOUND_BYTES_MAX 1024 // Of a text.

// Floats are left out: NaN and zeros with a sign would have to be told apart from what files say.
static bool has_bounds(const type *of) {
    const physical layout = type_physical(of);
    return physical_is_integer(layout) || layout == PHYSICAL_I128 || layout == PHYSICAL_STRING;
}

void sort_bound_open(sort_state *self, const input_layout *input) {
    const uint32_t slot = self->node->sort_.dynamic_slot;
    self->bound_column = ROW_NONE;
    if (slot >= self->run->dynamic.count || self->key_count == 0 || !self->is_top) {
        return;
    }
    const expr *key = self->node->sort_.keys.items[0].value;
    if (key->kind == EXPR_COLUMN && has_bounds(key->type)) {
        const uint32_t place = input_layout_find(input, key->column_.id);
        self->bound_column = place == NO_PLACE ? ROW_NONE : place;
    }
}

static firn_status publish(sort_state *self, const column *bound, firn_error *err)
    REQUIRES(&self->lock) {
    const bool is_descending = self->orders[0].is_descending;
    if (self->bound != NULL) {
        const int order = column_compare_rows(bound, 0, self->bound, 0);
        if (is_descending ? order <= 0 : order >= 0) {
            return FIRN_OK;
        }
    }
    const batch one = batch_of(bound, 1, 1);
    batch kept;
    const column **list = ARENA_NEW(&self->memory, const column *, 1);
    dynamic_content *content = ARENA_NEW(&self->memory, dynamic_content, 1);
    if (list == NULL || content == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    TRY(batch_copy(&self->memory, &one, &kept, err));
    list[0] = &kept.columns[0];
    *content = (dynamic_content){.key_count = 1,
                                 .passes_null = self->orders[0].nulls_first,
                                 .minimum = is_descending ? list : NULL,
                                 .maximum = is_descending ? NULL : list};
    self->bound = list[0];
    self->bound_count++;
    // Scans acquire it (dynamic_content_of).
    atomic_store_explicit(&self->run->dynamic.slots[self->node->sort_.dynamic_slot].content,
                          content, memory_order_release);
    return FIRN_OK;
}

firn_status sort_bound_tighten(sort_state *self, const uint8_t *row, arena *scratch,
                               firn_error *err) {
    if (self->bound_column == ROW_NONE) {
        return FIRN_OK;
    }
    column bound;
    TRY(sort_columns_gather(self, self->bound_column, &row, 1, scratch, &bound, err));
    if (!column_is_valid(&bound, 0)) {
        return FIRN_OK;
    }
    if (type_physical(bound.type) == PHYSICAL_STRING &&
        COLUMN_VALUES(&bound, string_value)[0].size > BOUND_BYTES_MAX) {
        return FIRN_OK;
    }
    mutex_lock(&self->lock);
    const firn_status status =
        self->bound_count < BOUNDS_MAX ? publish(self, &bound, err) : FIRN_OK;
    mutex_unlock(&self->lock);
    return status;
}
