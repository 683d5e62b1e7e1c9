#include "exec/join/join_run_probe.h"

join_run_probe join_run_probe_open(const join_plan *plan, uint32_t most, arena *memory) {
    return (join_run_probe){.plan = plan, .memory = memory, .most = most};
}

static firn_status open_first(join_run_probe *self, firn_error *err) {
    arena *memory = self->memory;
    self->cursors = ARENA_NEW(memory, range_cursor, self->most);
    self->indexes = ARENA_NEW(memory, const range_index *, self->most);
    if (self->cursors == NULL || self->indexes == NULL) {
        return ARENA_FULL(memory, err);
    }
    return self->plan->split.key_count == 0
               ? FIRN_OK
               : range_bounding_open(&self->bounding, self->plan, self->most, memory, err);
}

void join_run_probe_close(join_run_probe *self) {
    range_bounding_close(&self->bounding);
}

// What of the run of row number `k` lies between its bounds. False: nothing.
static bool seek(join_run_probe *self, uint32_t k, const join_run *run) {
    const range_bounding *bounding = &self->bounding;
    range_cursor *at = &self->cursors[k];
    at->next = run->entries.from;
    at->end = run->entries.end;
    if (bounding->split == NULL) {
        return true;
    }
    range_index_seek_run(run->index, &bounding->firsts[k], at);
    return !bounding->is_null[k] && at->next < at->end;
}

firn_status join_run_probe_begin(join_run_probe *self, const join_runs *runs, const batch *looking,
                                 const uint8_t **heads, bool *is_found, arena *scratch,
                                 firn_error *err) {
    *is_found = true;
    if (self->indexes == NULL) {
        TRY(open_first(self, err));
    }
    if (self->bounding.split != NULL) {
        TRY(range_bounding_find(&self->bounding, looking, self->cursors, is_found, scratch, err));
    }
    self->is_alike = true;
    self->is_whole = self->plan->residual == NULL || self->bounding.is_whole;
    for (uint32_t k = 0; *is_found && k < looking->selected_count; k++) {
        const join_run *run = join_runs_find(runs, heads[k]);
        self->indexes[k] = run == NULL ? NULL : run->index;
        self->is_whole &= run != NULL;
        self->is_alike &= run != NULL && run->entries.is_alike;
        if (run != NULL && !seek(self, k, run)) {
            heads[k] = NULL;
        }
    }
    return FIRN_OK;
}
