// The rows of a sort in order: merges its runs, range by range of their keys; each range is a task.
#include "exec/operator.h"
#include "exec/sort/sort_state.h"

typedef struct sort_reader {
    sort_state *owner;
    arena memory; // Of the range.
    sort_merge merge;
    bool is_running, is_waiting;
    uint32_t range;
    uint32_t part;
    uint64_t to_skip, left; // Rows of the range before, and within, OFFSET and LIMIT.
} sort_reader;

static firn_status open_worker(void *shared, uint32_t worker, arena *memory, void **local,
                               firn_error *err) {
    (void)worker;
    sort_reader *self = ARENA_NEW(memory, sort_reader, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    sort_state *owner = shared;
    *self = (sort_reader){.owner = owner, .memory = execution_arena(owner->run, SIZE_MAX)};
    *local = self;
    return FIRN_OK;
}

static void close_worker(void *local) {
    sort_reader *self = local;
    if (self != NULL) {
        sort_merge_close(&self->merge);
        arena_close(&self->memory);
    }
}

static firn_status begin_range(sort_reader *self, firn_error *err) {
    sort_state *owner = self->owner;
    arena_reset(&self->memory);
    sort_input *inputs = ARENA_NEW(&self->memory, sort_input, owner->run_count + 1);
    if (inputs == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    uint64_t rank = 0; // Of the range's first row; with a limit several ranges have only runs that
                       // lie in memory.
    for (uint32_t i = 0; i < owner->run_count; i++) {
        inputs[i].run = owner->ordered[i];
        TRY(sort_state_range(owner, self->range, inputs[i].run, &self->memory, &inputs[i].range,
                             err));
        rank += inputs[i].range.from;
    }
    self->to_skip = owner->offset > rank ? owner->offset - rank : 0;
    self->left = owner->wanted > rank + self->to_skip ? owner->wanted - rank - self->to_skip : 0;
    return sort_merge_open(&owner->store, inputs, owner->run_count, &self->memory, &self->merge,
                           err);
}

// Gathers the columns of rows that stay where they are until they are gathered.
static firn_status gather(const sort_state *owner, uint8_t *const *rows, uint32_t count,
                          arena *scratch, batch *out, firn_error *err) {
    column *columns = ARENA_NEW(scratch, column, owner->width + 1);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < owner->width; i++) {
        TRY(sort_columns_gather(owner, i, (const uint8_t *const *)rows, count, scratch, &columns[i],
                                err));
    }
    *out = batch_of(columns, owner->width, count);
    return FIRN_OK;
}

// Takes the next range. False: there is none, or it must wait.
static bool takes_range(sort_reader *self, op_call *call, step_answer *out) {
    sort_state *owner = self->owner;
    if (!self->is_waiting) {
        self->range = atomic_fetch_add(&owner->next_range, 1);
    }
    if (self->range >= sort_state_range_count(owner)) {
        *out = STEP_DONE;
        return false;
    }
    self->is_waiting = !op_begin_task(call, self->range);
    *out = self->is_waiting ? STEP_WAIT : STEP_NEXT;
    return !self->is_waiting;
}

// The rows of the range were all handed on. The last one to end gives the memory of the runs back.
static void end_range(sort_reader *self, op_call *call) {
    sort_state *owner = self->owner;
    sort_merge_close(&self->merge);
    self->is_running = false;
    op_end_task(call, self->range);
    if (atomic_fetch_add(&owner->ended_ranges, 1) + 1 == sort_state_range_count(owner)) {
        sort_state_empty(owner);
    }
}

// Cuts what OFFSET and LIMIT take away from `count` rows; where they begin then.
static uint32_t cut(sort_reader *self, uint32_t *count) {
    const uint32_t from = self->to_skip < *count ? (uint32_t)self->to_skip : *count;
    *count -= from;
    *count = self->left < *count ? (uint32_t)self->left : *count;
    self->to_skip -= from;
    self->left -= *count;
    return from;
}

static firn_status next(op_call *call, batch *output, step_answer *out, firn_error *err) {
    sort_reader *self = call->local;
    sort_state *owner = self->owner;
    *out = STEP_NEXT;
    if (!self->is_running) {
        if (!takes_range(self, call, out)) {
            return FIRN_OK;
        }
        self->is_running = true;
        self->part = 0;
        TRY(begin_range(self, err));
    }
    const uint32_t room = call->run->options->batch_rows;
    uint8_t **rows = ARENA_NEW(call->scratch, uint8_t *, room);
    if (rows == NULL) {
        return ARENA_FULL(call->scratch, err);
    }
    uint32_t count = 0;
    if (self->left > 0) {
        TRY(sort_merge_take(&self->merge, rows, room, &count, call->scratch, err));
    }
    if (count == 0) {
        end_range(self, call);
        return FIRN_OK;
    }
    const uint32_t from = cut(self, &count);
    if (count > 0) {
        TRY(gather(owner, &rows[from], count, call->scratch, output, err));
        output->sequence = (batch_sequence){.task = self->range, .part = self->part++};
    }
    return FIRN_OK;
}

static void release(void *shared) {
    sort_state_release(shared);
}

const operator_kind operator_sort_source = {
    .name = "Sort",
    .open = op_open_kept,
    .open_worker = open_worker,
    .next = next,
    .release = release,
    .close_worker = close_worker,
};
