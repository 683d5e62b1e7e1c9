#include "memory/byte_output.h"

#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"

#define CAPACITY_MIN 256
#define VARINT_BYTES_MAX 10

uint8_t *byte_output_room(byte_output *self, size_t size) {
    size_t wanted;
    if (!add_fits(self->size, size, &wanted)) {
        return NULL;
    }
    if (wanted <= self->capacity && self->data != NULL) {
        return self->data + self->size;
    }
    size_t capacity;
    if (!mul_fits(self->capacity, 2, &capacity)) {
        capacity = wanted;
    }
    capacity = capacity < CAPACITY_MIN ? CAPACITY_MIN : capacity;
    capacity = capacity < wanted ? wanted : capacity;
    uint8_t *data = ARENA_NEW(self->memory, uint8_t, capacity);
    if (data == NULL || !cancel_copy(self->memory->cancel, data, self->data, self->size)) {
        return NULL;
    }
    self->data = data;
    self->capacity = capacity;
    return data + self->size;
}

bool byte_output_put(byte_output *self, bytes content) {
    if (content.size == 0) {
        return true;
    }
    uint8_t *room = byte_output_room(self, content.size);
    if (room == NULL || !cancel_copy(self->memory->cancel, room, content.data, content.size)) {
        return false;
    }
    self->size += content.size;
    return true;
}

bool byte_output_varint(byte_output *self, uint64_t value) {
    uint8_t *room = byte_output_room(self, VARINT_BYTES_MAX);
    if (room == NULL) {
        return false;
    }
    uint8_t *at = room;
    while (value >= 0x80) {
        *at++ = (uint8_t)(0x80 | (value & 0x7f));
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    self->size += (size_t)(at - room);
    return true;
}

WRAPS bool byte_output_zigzag(byte_output *self, int64_t value) {
    const uint64_t raw = (uint64_t)value;
    const uint64_t sign = value < 0 ? UINT64_MAX : 0;
    return byte_output_varint(self, (raw << 1) ^ sign);
}
