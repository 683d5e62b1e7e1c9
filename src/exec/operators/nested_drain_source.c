// Join without keys: right rows that found no partner. A task is a page.
#include "exec/join/nested_state.h"

typedef struct nested_drain {
    nested_state *owner;
    nested_cursor cursor;
    bool has_number;
    bool is_running;
    uint64_t number; // Of the task, which is the page.
} nested_drain;

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    nested_drain *self = ARENA_NEW(memory, nested_drain, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (nested_drain){.owner = shared};
    *local = self;
    return nested_cursor_open(&self->cursor, shared, memory, err);
}

static firn_status unmatched(nested_drain *self, arena *scratch, batch *output, firn_error *err) {
    nested_state *owner = self->owner;
    const uint32_t most = owner->run->options->batch_rows;
    uint8_t **rows = ARENA_NEW(scratch, uint8_t *, most);
    if (rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    uint32_t count;
    uint64_t first;
    TRY(nested_cursor_next(&self->cursor, rows, most, &count, &first, err));
    if (count == 0) {
        self->is_running = false;
        return FIRN_OK;
    }
    uint32_t kept = 0;
    for (uint32_t k = 0; k < count; k++) {
        rows[kept] = rows[k];
        kept += nested_is_marked(owner, first + k) ? 0 : 1;
    }
    return kept == 0 ? FIRN_OK
                     : join_output_right(&owner->plan, &owner->rows, (const uint8_t *const *)rows,
                                         kept, scratch, output, err);
}

static firn_status next(op_call *call, batch *output, step_answer *out, firn_error *err) {
    nested_drain *self = call->local;
    nested_state *owner = self->owner;
    *out = STEP_NEXT;
    if (!self->is_running) {
        if (!self->has_number) {
            self->number = atomic_fetch_add(&owner->next_page, 1);
            self->has_number = true;
        }
        if (!owner->plan.right_survives || self->number >= owner->list_count) {
            *out = STEP_DONE;
            return FIRN_OK;
        }
        if (!op_begin_task(call, self->number)) {
            *out = STEP_WAIT;
            return FIRN_OK;
        }
        self->has_number = false;
        self->is_running = true;
        nested_cursor_seek(&self->cursor, self->number, self->number + 1);
    }
    TRY(unmatched(self, call->scratch, output, err));
    output->sequence.task = self->number;
    if (!self->is_running) {
        op_end_task(call, self->number);
    }
    return FIRN_OK;
}

static void close_worker(void *local) {
    nested_drain *self = local;
    if (self != NULL) {
        nested_cursor_close(&self->cursor);
    }
}

const operator_kind operator_nested_drain_source = {
    .name = "NestedLoopDrain",
    .open = op_open_kept,
    .open_worker = open_worker,
    .next = next,
    .close_worker = close_worker,
};
