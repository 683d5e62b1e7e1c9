#include "exec/aggregate/aggregation.h"

#define BLOCK_BYTES ((size_t)16 << 10)
#define STEP_MAX ((uint64_t)256 << 10) // Of what is kept for a batch: longer values come rarely.

struct aggregate_block {
    aggregate_block *next;
    aggregate_block *before;
    size_t capacity;
    size_t filled; // This header included.
};

static size_t bytes_of(uint32_t size) {
    return ((size_t)size + 7) / 8 * 8;
}

// A block of its own, which is given back alone.
static bool is_long(uint32_t size) {
    return bytes_of(size) > BLOCK_BYTES - sizeof(aggregate_block);
}

static aggregate_block *take_block(aggregate_heap *self, size_t size) {
    size_t capacity = 0;
    aggregate_block *block = pool_block_take_urgent(self->keeper, size, &capacity);
    if (block == NULL) {
        self->refused = size;
        return NULL;
    }
    *block = (aggregate_block){.capacity = capacity, .filled = sizeof *block};
    self->size += capacity;
    return block;
}

static void put_first(aggregate_block **list, aggregate_block *block) {
    block->next = *list;
    if (*list != NULL) {
        (*list)->before = block;
    }
    *list = block;
}

static void *allocate(state_heap *base, uint32_t size) {
    aggregate_heap *self = (aggregate_heap *)base; // `base` is its first member.
    const size_t wanted = bytes_of(size);
    if (is_long(size)) {
        aggregate_block *block = take_block(self, wanted + sizeof *block);
        if (block == NULL) {
            return NULL;
        }
        put_first(&self->long_blocks, block);
        return block + 1;
    }
    aggregate_block *block = self->blocks;
    if (block == NULL || wanted > block->capacity - block->filled) {
        block = self->spares;
        if (block != NULL) {
            self->spares = block->next;
        } else {
            block = take_block(self, BLOCK_BYTES);
        }
        if (block == NULL) {
            return NULL;
        }
        put_first(&self->blocks, block);
        self->filled += block->capacity;
    }
    void *out = (uint8_t *)block + block->filled;
    block->filled += wanted;
    return out;
}

static void give_block(aggregate_heap *self, aggregate_block *block) {
    self->size -= block->capacity;
    pool_block_give(self->keeper, block, block->capacity);
}

static void release(state_heap *base, void *data, uint32_t size) {
    aggregate_heap *self = (aggregate_heap *)base;
    if (data == NULL || !is_long(size)) {
        return;
    }
    aggregate_block *block = (aggregate_block *)data - 1;
    *(block->before == NULL ? &self->long_blocks : &block->before->next) = block->next;
    if (block->next != NULL) {
        block->next->before = block->before;
    }
    give_block(self, block);
}

aggregate_heap aggregate_heap_open(pool *keeper) {
    return (aggregate_heap){.base = {.allocate = allocate, .release = release}, .keeper = keeper};
}

static void give_all(aggregate_heap *self, aggregate_block **list) {
    while (*list != NULL) {
        aggregate_block *block = *list;
        *list = block->next;
        give_block(self, block);
    }
}

void aggregate_heap_end(aggregate_heap *self) {
    give_all(self, &self->spares);
    self->step = 0;
}

void aggregate_heap_close(aggregate_heap *self) {
    give_all(self, &self->blocks);
    give_all(self, &self->long_blocks);
    aggregate_heap_end(self);
    self->filled = 0;
}

static uint64_t kept_of(const aggregate_heap *self) {
    return self->step < STEP_MAX ? self->step : STEP_MAX;
}

static uint64_t room_of(const aggregate_block *list) {
    uint64_t room = 0;
    for (; list != NULL; list = list->next) {
        room += list->capacity - list->filled;
    }
    return room;
}

static void put_spare(aggregate_heap *self, aggregate_block *block) {
    block->filled = sizeof *block;
    block->next = self->spares;
    self->spares = block;
}

void aggregate_heap_clear(aggregate_heap *self) {
    uint64_t room = room_of(self->spares);
    while (room < kept_of(self) && self->blocks != NULL) {
        aggregate_block *block = self->blocks;
        self->blocks = block->next;
        put_spare(self, block);
        room += block->capacity - block->filled;
    }
    give_all(self, &self->blocks);
    give_all(self, &self->long_blocks);
    self->filled = 0;
}

void aggregate_heap_lend(aggregate_heap *from, aggregate_heap *to) {
    for (aggregate_block *each = from->spares; each != NULL; each = each->next) {
        from->size -= each->capacity;
        to->size += each->capacity;
    }
    to->spares = from->spares;
    from->spares = NULL;
    to->step = from->step;
}

bool aggregate_heap_reserve(aggregate_heap *self) {
    uint64_t room = room_of(self->spares);
    room += self->blocks == NULL ? 0 : self->blocks->capacity - self->blocks->filled;
    while (room < kept_of(self)) {
        aggregate_block *block = take_block(self, BLOCK_BYTES);
        if (block == NULL) {
            return false;
        }
        put_spare(self, block);
        room += block->capacity - block->filled;
    }
    return true;
}
