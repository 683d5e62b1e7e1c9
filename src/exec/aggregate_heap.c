#include "exec/aggregation.h"

#define BLOCK_BYTES ((size_t)16 << 10)

struct aggregate_block {
    aggregate_block *next;
    size_t capacity;
    size_t filled; // This header included.
};

static aggregate_block *add_block(aggregate_heap *self, size_t size) {
    size_t capacity = 0;
    aggregate_block *block = pool_block_take_urgent(self->keeper, size, &capacity);
    if (block == NULL) {
        return NULL;
    }
    *block = (aggregate_block){.capacity = capacity, .filled = sizeof *block};
    self->size += capacity;
    // A block for one long string stays behind the one that is being filled.
    if (self->blocks != NULL && size > BLOCK_BYTES) {
        block->next = self->blocks->next;
        self->blocks->next = block;
    } else {
        block->next = self->blocks;
        self->blocks = block;
    }
    return block;
}

static void *allocate(state_heap *base, uint32_t size) {
    aggregate_heap *self = (aggregate_heap *)base; // `base` is its first member.
    const size_t wanted = ((size_t)size + 7) / 8 * 8;
    aggregate_block *block = self->blocks;
    if (block == NULL || wanted > block->capacity - block->filled) {
        const size_t needed = wanted + sizeof *block;
        block = add_block(self, needed < BLOCK_BYTES ? BLOCK_BYTES : needed);
        if (block == NULL) {
            return NULL;
        }
    }
    void *out = (uint8_t *)block + block->filled;
    block->filled += wanted;
    return out;
}

aggregate_heap aggregate_heap_open(pool *keeper) {
    return (aggregate_heap){.base = {.allocate = allocate}, .keeper = keeper};
}

void aggregate_heap_close(aggregate_heap *self) {
    while (self->blocks != NULL) {
        aggregate_block *block = self->blocks;
        self->blocks = block->next;
        pool_block_give(self->keeper, block, block->capacity);
    }
    self->size = 0;
}
