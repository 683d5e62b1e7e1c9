#include "formats/parquet/pq_block.h"

#include <assert.h>
#include <string.h>

// A little more than is asked for: the next page or dictionary is about as large, and a large block
// of its own costs the system's zeroing of all of it.
firn_status pq_block_reserve(pq_block *self, pool *owner, size_t size, size_t kept,
                             firn_error *err) {
    assert(kept <= self->size);
    if (size <= self->size) {
        return FIRN_OK;
    }
    const size_t slack = size / 8 <= SIZE_MAX - size ? size / 8 : 0;
    pq_block grown = {.size = size + slack};
    if (kept == 0) { // No moment needs both.
        pq_block_close(self, owner);
    }
    grown.data = pool_block_take(owner, grown.size, &grown.capacity);
    if (grown.data == NULL) {
        grown.size = size;
        grown.data = pool_block_take(owner, size, &grown.capacity);
    }
    if (grown.data == NULL) {
        grown.data = pool_block_take_urgent(owner, size, &grown.capacity);
    }
    if (grown.data == NULL) {
        return POOL_FULL(owner, size, err);
    }
    if (kept > 0) {
        memcpy(grown.data, self->data, kept);
        pq_block_close(self, owner);
    }
    *self = grown;
    return FIRN_OK;
}

void pq_block_close(pq_block *self, pool *owner) {
    if (self->data != NULL) {
        pool_block_give(owner, self->data, self->capacity);
        *self = (pq_block){.data = NULL};
    }
}
