// Writes FlatBuffers (https://flatbuffers.dev/internals/), as far as Arrow's IPC messages need
// them.
//
// As in every FlatBuffers builder the buffer grows from its end to its front and what is referred
// to is written first, so a place is told by its distance from the end. Running out of memory is
// remembered, and ipc_flat_finish tells.
#ifndef FIRN_FORMATS_IPC_IPC_FLAT_H
#define FIRN_FORMATS_IPC_IPC_FLAT_H

#include "base/bytes.h"
#include "base/text.h"
#include "memory/arena.h"

#define IPC_FLAT_FIELDS_MAX 8

/// Distance from the end of the buffer; 0 is "none".
typedef size_t ipc_place;

/// Starts as {.memory = arena}.
typedef struct ipc_flat {
    arena *memory;
    uint8_t *data;
    size_t capacity;
    size_t used;
    bool is_full;
    ipc_place fields[IPC_FLAT_FIELDS_MAX]; // Of the table that is being written.
    size_t field_count;
    ipc_place table_end;
} ipc_flat;

ipc_place ipc_flat_string(ipc_flat *self, text value);
/// A vector of places of strings or tables.
ipc_place ipc_flat_vector(ipc_flat *self, const ipc_place *items, size_t count);
/// A vector of structs with members of up to 8 bytes.
ipc_place ipc_flat_structs(ipc_flat *self, const void *items, size_t count, size_t size);

/// A table: begin, then its fields in any order, then end. Tables do not nest while being written.
void ipc_flat_begin(ipc_flat *self);
void ipc_flat_field(ipc_flat *self, size_t slot, uint64_t value, size_t size);
/// Leaves the field out when `place` is 0.
void ipc_flat_reference(ipc_flat *self, size_t slot, ipc_place place);
ipc_place ipc_flat_end(ipc_flat *self);

/// Writes the root reference: the bytes, a multiple of 8. FIRN_NO_MEMORY.
firn_status ipc_flat_finish(ipc_flat *self, ipc_place root, bytes *out, firn_error *err);

#endif
