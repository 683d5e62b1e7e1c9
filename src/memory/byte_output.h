// Bytes that grow in an arena: what encoders write to.
#ifndef FIRN_MEMORY_BYTE_OUTPUT_H
#define FIRN_MEMORY_BYTE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "memory/arena.h"

/// Starts as {.memory = arena}. A larger array leaves the old one behind in the arena. Capacities
/// at least double, so all of them together take less than four times the size, or than twice the
/// largest room that was asked for.
typedef struct byte_output {
    arena *memory;
    uint8_t *data;
    size_t size;
    size_t capacity;
} byte_output;

/// Room for `size` more bytes behind those in use, for the caller to fill; it then adds what it
/// filled to `size`. Valid until the next call. NULL, and nothing has changed, if memory is full.
uint8_t *byte_output_room(byte_output *self, size_t size);
/// Says so: `return BYTE_OUTPUT_FULL(out, err);`
#define BYTE_OUTPUT_FULL(self, err) ARENA_FULL((self)->memory, (err))
/// Appends. False if memory is full.
bool byte_output_put(byte_output *self, bytes content);
/// Appends a number in 7-bit groups, lowest first (LEB128); with sign: zigzag.
bool byte_output_varint(byte_output *self, uint64_t value);
bool byte_output_zigzag(byte_output *self, int64_t value);
static inline bytes byte_output_bytes(const byte_output *self) {
    return (bytes){.data = self->data, .size = self->size};
}

#endif
