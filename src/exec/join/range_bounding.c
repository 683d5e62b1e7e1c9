#include "exec/join/range_bounding.h"

#include "exec/sort/order_number.h"

firn_status range_bounding_open(range_bounding *self, const join_plan *plan, uint32_t most,
                                arena *memory, firn_error *err) {
    *self = (range_bounding){
        .split = &plan->split,
        .is_whole = plan->split.bounds_are_all,
        .firsts = ARENA_NEW(memory, range_bounds, most),
        .is_null = ARENA_NEW(memory, bool, most),
        .places = ARENA_NEW(memory, uint32_t, most),
        .numbers = ARENA_NEW(memory, uint64_t, most),
    };
    if (self->firsts == NULL || self->is_null == NULL || self->places == NULL ||
        self->numbers == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < plan->split.key_count; i++) {
        self->is_whole &= order_number_is_exact(plan->split.key_types[i]);
    }
    return expr_open(plan->split.bound_values, plan->run->context, &plan->run->dynamic, memory,
                     &self->values, err);
}

void range_bounding_close(range_bounding *self) {
    expr_close(self->values);
    self->values = NULL;
}

static void narrow(range_bounds *self, const join_bound *bound, bool is_exact, uint64_t number) {
    const bool is_strict = bound->is_strict && is_exact;
    if (is_strict && number == (bound->is_lower ? UINT64_MAX : 0)) {
        *self = (range_bounds){.low = UINT64_MAX};
    } else if (bound->is_lower) {
        const uint64_t low = number + (is_strict ? 1 : 0);
        self->low = low > self->low ? low : self->low;
    } else {
        const uint64_t high = number - (is_strict ? 1 : 0);
        self->high = high < self->high ? high : self->high;
    }
}

static firn_status number_bounds(range_bounding *self, const batch *looking, column *values,
                                 range_cursor *cursors, arena *scratch, firn_error *err) {
    const join_split *split = self->split;
    const uint32_t count = looking->selected_count;
    const range_bounds all = {.high = UINT64_MAX};
    for (uint32_t k = 0; k < count; k++) {
        self->firsts[k] = all;
        cursors[k].second = all;
        self->is_null[k] = false;
    }
    TRY(rows_flatten_runs(values, split->bound_count, scratch, err));
    for (uint32_t i = 0; i < split->bound_count; i++) {
        const join_bound *bound = &split->bounds[i];
        const bool is_exact = order_number_is_exact(values[i].type);
        order_numbers_of(&values[i], looking->selection, count, self->places, self->numbers,
                         self->is_null);
        for (uint32_t k = 0; k < count; k++) {
            if (!self->is_null[k]) {
                narrow(bound->key == 0 ? &self->firsts[k] : &cursors[k].second, bound, is_exact,
                       self->numbers[k]);
            }
        }
    }
    return FIRN_OK;
}

firn_status range_bounding_find(range_bounding *self, const batch *looking, range_cursor *cursors,
                                bool *is_known, arena *scratch, firn_error *err) {
    const arena_mark mark = arena_mark_take(scratch);
    column *values = ARENA_NEW(scratch, column, self->split->bound_count);
    if (values == NULL) {
        return ARENA_FULL(scratch, err);
    }
    firn_error fault = ERR_INIT;
    const firn_status status = expr_run(self->values, looking, scratch, values, &fault);
    if (status_is_refusal(status)) {
        *err = fault;
        return status;
    }
    *is_known = status == FIRN_OK;
    if (*is_known) {
        TRY(number_bounds(self, looking, values, cursors, scratch, err));
    }
    arena_rewind(scratch, mark);
    return FIRN_OK;
}
