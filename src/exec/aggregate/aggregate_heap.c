#include "exec/aggregate/aggregation.h"

#define BLOCK_BYTES ((size_t)16 << 10)

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
        block = take_block(self, BLOCK_BYTES);
        if (block == NULL) {
            return NULL;
        }
        put_first(&self->blocks, block);
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

void aggregate_heap_close(aggregate_heap *self) {
    give_all(self, &self->blocks);
    give_all(self, &self->long_blocks);
}
