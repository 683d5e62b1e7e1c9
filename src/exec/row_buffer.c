#include "exec/row_buffer.h"

#include "memory/pool.h"

#define MEMORY_MAX ((size_t)1 << 40)

typedef struct kept {
    batch rows;
    struct kept *following; // The one that came before, while it is in a worker's list.
} kept;

typedef struct part {
    arena memory;
    kept *newest;
    uint32_t count;
    uint64_t row_count;
} part;

struct row_buffer {
    execution *run;
    part *parts;
    const batch **ordered;
    uint32_t count;
    uint64_t row_count;
};

firn_status row_buffer_open(execution *run, row_buffer **out, firn_error *err) {
    row_buffer *self = ARENA_NEW(&run->memory, row_buffer, 1);
    part *parts = ARENA_NEW(&run->memory, part, run->worker_count);
    if (self == NULL || parts == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    for (uint32_t i = 0; i < run->worker_count; i++) {
        parts[i] = (part){.memory = arena_open_in(run->pool, MEMORY_MAX)};
    }
    *self = (row_buffer){.run = run, .parts = parts};
    *out = self;
    return FIRN_OK;
}

void row_buffer_close(row_buffer *self) {
    for (uint32_t i = 0; self != NULL && i < self->run->worker_count; i++) {
        arena_close(&self->parts[i].memory);
    }
}

firn_status row_buffer_push(row_buffer *self, uint32_t worker, const batch *rows, firn_error *err) {
    part *mine = &self->parts[worker];
    kept *made = ARENA_NEW(&mine->memory, kept, 1);
    if (made == NULL) {
        return ARENA_FULL(&mine->memory, err);
    }
    TRY(batch_copy(&mine->memory, rows, &made->rows, err));
    made->following = mine->newest;
    mine->newest = made;
    mine->count++;
    mine->row_count += made->rows.row_count;
    return FIRN_OK;
}

static bool is_before(const batch *left, const batch *right) {
    if (left->sequence.task != right->sequence.task) {
        return left->sequence.task < right->sequence.task;
    }
    return left->sequence.part < right->sequence.part;
}

// Merges two neighbouring sorted stretches through `room`.
static void merge(const batch **items, uint32_t middle, uint32_t end, const batch **room) {
    uint32_t left = 0;
    uint32_t right = middle;
    for (uint32_t i = 0; i < end; i++) {
        const bool takes_right =
            left == middle || (right < end && is_before(items[right], items[left]));
        room[i] = takes_right ? items[right++] : items[left++];
    }
    memcpy(items, room, end * sizeof *items);
}

// Stable: batches of one task come in their order already, which several parts of a number keep.
static void sort(const batch **items, uint32_t count, const batch **room) {
    if (count < 2) {
        return;
    }
    const uint32_t middle = count / 2;
    sort(items, middle, room);
    sort(items + middle, count - middle, room);
    merge(items, middle, count, room);
}

firn_status row_buffer_finish(row_buffer *self, firn_error *err) {
    for (uint32_t i = 0; i < self->run->worker_count; i++) {
        self->count += self->parts[i].count;
        self->row_count += self->parts[i].row_count;
    }
    arena *memory = &self->parts[0].memory; // The execution's is not to be touched at this time.
    self->ordered = ARENA_NEW(memory, const batch *, self->count + 1);
    const batch **room = ARENA_NEW(memory, const batch *, self->count + 1);
    if (self->ordered == NULL || room == NULL) {
        return ARENA_FULL(memory, err);
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < self->run->worker_count; i++) {
        at += self->parts[i].count;
        uint32_t slot = at;
        for (const kept *each = self->parts[i].newest; each != NULL; each = each->following) {
            self->ordered[--slot] = &each->rows;
        }
    }
    sort(self->ordered, self->count, room);
    return FIRN_OK;
}

uint64_t row_buffer_rows(const row_buffer *self) {
    return self->row_count;
}

uint32_t row_buffer_batches(const row_buffer *self) {
    return self->count;
}

const batch *row_buffer_batch(const row_buffer *self, uint32_t index) {
    return self->ordered[index];
}
