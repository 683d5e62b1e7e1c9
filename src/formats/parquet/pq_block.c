#include "formats/parquet/pq_block.h"

#include <assert.h>
#include <string.h>

firn_status pq_block_reserve(pq_block *self, pool *owner, size_t size, size_t kept,
                             firn_error *err) {
    assert(kept <= self->size);
    if (size <= self->size) {
        return FIRN_OK;
    }
    pq_block grown = {.size = size};
    if (kept == 0) { // No moment needs both.
        pq_block_close(self, owner);
    }
    grown.data = pool_block_take(owner, size, &grown.capacity);
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
