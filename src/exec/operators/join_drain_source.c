// Join, what is left when the left side is through: spilled partitions, and build rows that found
// no partner. A task is one partition.
#include "exec/join/join_drain.h"

typedef struct drain_local {
    join_state *owner;
    join_drain drain;
    bool has_number; // The next task has its number already.
    bool is_running;
    uint64_t number;
    // Build rows of a partition in memory:
    uint32_t part;
    row_page *page; // NULL: it is not such a task.
    uint32_t page_at;
} drain_local;

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    drain_local *self = ARENA_NEW(memory, drain_local, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (drain_local){.owner = shared};
    *local = self;
    return join_drain_open(&self->drain, shared, memory, err);
}

// A partition in memory that may have rows without partner.
static bool take_part(drain_local *self) {
    join_state *owner = self->owner;
    while (owner->plan.right_survives) {
        const uint32_t part = (uint32_t)atomic_fetch_add(&owner->next_part, 1);
        if (part >= owner->part_count) {
            return false;
        }
        if (!atomic_load(&owner->parts[part].is_spilled) && owner->parts[part].rows.first != NULL) {
            self->part = part;
            self->page = owner->parts[part].rows.first;
            self->page_at = 0;
            return true;
        }
    }
    return false;
}

static firn_status take_task(drain_local *self, op_call *call, step_answer *out, firn_error *err) {
    join_state *owner = self->owner;
    if (!self->has_number) {
        bool found = take_part(self);
        if (!found && owner->spilled_part_count > 0) {
            TRY(join_drain_take(&self->drain, &found, err));
        }
        if (!found) {
            *out = STEP_DONE;
            return FIRN_OK;
        }
        self->number = atomic_fetch_add(&owner->next_task, 1);
        self->has_number = true;
    }
    if (!op_begin_task(call, self->number)) {
        *out = STEP_WAIT;
        return FIRN_OK;
    }
    self->has_number = false;
    self->is_running = true;
    return FIRN_OK;
}

static firn_status next_unmatched(drain_local *self, op_call *call, batch *output,
                                  firn_error *err) {
    join_state *owner = self->owner;
    const row_layout *layout = &owner->plan.right.layout;
    const uint32_t most = owner->run->options->batch_rows;
    uint8_t **rows = ARENA_NEW(call->scratch, uint8_t *, most);
    if (rows == NULL) {
        return ARENA_FULL(call->scratch, err);
    }
    uint32_t kept = 0;
    while (self->page != NULL && kept < most) {
        const uint32_t count =
            row_page_rows(self->page, layout, &self->page_at, rows + kept, most - kept);
        if (count == 0) {
            self->page = self->page->next;
            self->page_at = 0;
        }
        const uint32_t end = kept + count;
        for (uint32_t k = kept; k < end; k++) {
            rows[kept] = rows[k];
            kept += join_row_is_matched(layout, rows[k]) ? 0 : 1;
        }
    }
    return kept == 0 ? FIRN_OK
                     : join_output_right(&owner->plan, &owner->rows, (const uint8_t *const *)rows,
                                         kept, call->scratch, output, err);
}

static firn_status next(op_call *call, batch *output, step_answer *out, firn_error *err) {
    drain_local *self = call->local;
    *out = STEP_NEXT;
    if (!self->is_running) {
        TRY(take_task(self, call, out, err));
        if (*out != STEP_NEXT) {
            return FIRN_OK;
        }
    }
    if (self->page != NULL) {
        TRY(next_unmatched(self, call, output, err));
    } else if (self->drain.phase != JOIN_DRAIN_DONE) {
        TRY(join_drain_next(&self->drain, call->scratch, output, err));
    }
    output->sequence.task = self->number;
    if (output->selected_count == 0 && self->page == NULL && self->drain.phase == JOIN_DRAIN_DONE) {
        join_drain_end(&self->drain);
        op_end_task(call, self->number);
        self->is_running = false;
    }
    return FIRN_OK;
}

static void close_worker(void *local) {
    drain_local *self = local;
    if (self != NULL) {
        join_drain_close(&self->drain);
    }
}

static void release(void *shared) {
    join_state_release(shared);
}

const operator_kind operator_join_drain_source = {
    .name = "JoinDrain",
    .open = op_open_kept,
    .open_worker = open_worker,
    .next = next,
    .release = release,
    .close_worker = close_worker,
};
