// Packing pages with LZ4: a block of the worker's keeper holds the compressor's state and one
// packed page. A packed page saves a fifth or is not worth unpacking, so it never needs more than
// 4/5.
#include <assert.h>
#include <lz4.h>
#include <string.h>

#include "memory/spill_private.h"

#define PACKED_BYTES_MAX (SPILL_PACK_BYTES_MAX / 5 * 4)

// Bytes for the state in front of the packed page.
static size_t state_size(void) {
    return ((size_t)LZ4_sizeofState() + 63) / 64 * 64;
}

spill_desk spill_desk_open(pool *owner) {
    return (spill_desk){.owner = owner};
}

void spill_desk_close(spill_desk *self) {
    pool_block_give(self->owner, self->block, self->capacity);
    self->block = NULL;
}

static bool desk_is_ready(spill_desk *self) {
    if (self->block == NULL) {
        self->block =
            pool_block_take_urgent(self->owner, state_size() + PACKED_BYTES_MAX, &self->capacity);
    }
    return self->block != NULL;
}

uint8_t *spill_desk_room(spill_desk *self) {
    return desk_is_ready(self) ? self->block + state_size() : NULL;
}

bool spill_pack(spill_desk *desk, bytes page, bytes *out) {
    assert(page.size > 0 && page.size <= SPILL_PACK_BYTES_MAX);
    const size_t room = page.size / 5 * 4;
    if (room == 0 || !desk_is_ready(desk)) {
        return false;
    }
    uint8_t *packed = desk->block + state_size();
    const int size = LZ4_compress_fast_extState(desk->block, (const char *)page.data,
                                                (char *)packed, (int)page.size, (int)room, 1);
    *out = (bytes){.data = packed, .size = size > 0 ? (size_t)size : 0};
    return size > 0;
}

firn_status spill_unpack(spill_slot slot, const void *stored, void *out, size_t capacity,
                         size_t *size, firn_error *err) {
    if (!slot.is_packed) {
        if (slot.size > capacity) {
            return FAIL(err, FIRN_CORRUPT, "a spilled page of %llu bytes, at most %zu are expected",
                        (unsigned long long)slot.size, capacity);
        }
        if (stored != out) {
            memcpy(out, stored, slot.size);
        }
        *size = slot.size;
        return FIRN_OK;
    }
    const int limit = capacity > SPILL_PACK_BYTES_MAX ? (int)SPILL_PACK_BYTES_MAX : (int)capacity;
    const int got = LZ4_decompress_safe(stored, out, (int)slot.size, limit);
    if (got <= 0) {
        return FAIL(err, FIRN_CORRUPT, "a spilled page of %llu packed bytes cannot be unpacked",
                    (unsigned long long)slot.size);
    }
    *size = (size_t)got;
    return FIRN_OK;
}
