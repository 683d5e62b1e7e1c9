// One block: the header in its first cache line or two, then the data, then the pad.
#include "memory/buffer.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "base/host.h"

#define ALIGNMENT ((size_t)64)
#define HEADER_SIZE ((sizeof(buffer) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

static firn_status full(pool *owner, size_t size, firn_error *err) {
    if (owner == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory for a buffer of %zu bytes", size);
    }
    return POOL_FULL(owner, size, err);
}

firn_status buffer_open(pool *owner, size_t size, buffer **out, firn_error *err) {
    *out = NULL;
    size_t total;
    if (!add_fits(size, HEADER_SIZE + BUFFER_PAD, &total)) {
        return FAIL(err, FIRN_NO_MEMORY, "a buffer of %zu bytes cannot exist", size);
    }
    size_t taken = total;
    buffer *self = owner == NULL ? host_alloc_aligned(ALIGNMENT, total)
                                 : pool_block_take(owner, total, &taken);
    if (self == NULL) {
        return full(owner, size, err);
    }
    uint8_t *data = (uint8_t *)self + HEADER_SIZE;
    *self = (buffer){.data = data, .size = size, .capacity = size, .owner = owner, .taken = taken};
    atomic_init(&self->references, 1);
    memset(data + size, 0, BUFFER_PAD);
    *out = self;
    return FIRN_OK;
}

firn_status buffer_wrap(bytes data, void (*release)(void *user), void *user, buffer **out,
                        firn_error *err) {
    assert(release != NULL);
    buffer *self = host_alloc(sizeof *self);
    *out = self;
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory for a buffer");
    }
    // Nobody writes through it: foreign memory is shared from the start.
    uint8_t *start = NULL;
    memcpy((void *)&start, (const void *)&data.data, sizeof start);
    *self = (buffer){
        .data = start, .size = data.size, .capacity = data.size, .release = release, .user = user};
    atomic_init(&self->references, 1);
    return FIRN_OK;
}

firn_status buffer_copy(pool *owner, bytes data, buffer **out, firn_error *err) {
    TRY(buffer_open(owner, data.size, out, err));
    if (data.size > 0) {
        memcpy((*out)->data, data.data, data.size);
    }
    return FIRN_OK;
}

buffer *buffer_retain(buffer *self) {
    if (self != NULL) {
        // Whoever calls has a reference, so nothing needs to be ordered.
        (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    }
    return self;
}

void buffer_release(buffer *self) {
    if (self == NULL) {
        return;
    }
    // The release of each pairs with the acquire of the last one: it sees all that others wrote.
    const uint64_t before = atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1) {
        return;
    }
    if (self->release != NULL) {
        self->release(self->user);
        host_free(self);
    } else if (self->owner == NULL) {
        host_free(self);
    } else if (self->is_handed_out) {
        pool_block_give_handed_out(self->owner, self, self->taken);
    } else {
        pool_block_give(self->owner, self, self->taken);
    }
}

void buffer_hand_out(buffer *self) {
    if (self->owner != NULL && !self->is_handed_out) {
        self->owner = pool_block_hand_out(self->owner, self->taken);
        self->is_handed_out = true;
    }
}

bool buffer_move(buffer *self, pool *owner) {
    assert(self->owner != NULL && !self->is_handed_out);
    if (!pool_block_move(self->owner, owner, self->taken)) {
        return false;
    }
    self->owner = owner;
    return true;
}

bool buffer_is_sole(const buffer *self) {
    return self->release == NULL &&
           atomic_load_explicit(&self->references, memory_order_acquire) == 1;
}
