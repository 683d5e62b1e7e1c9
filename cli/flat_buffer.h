// Writes FlatBuffers (https://flatbuffers.dev/internals/), as far as Arrow's IPC messages need
// them.
//
// As in every FlatBuffers builder the buffer grows from its end to its front and what is referred
// to is written first, so a place is told by its distance from the end.
#ifndef FIRN_CLI_FLAT_BUFFER_H
#define FIRN_CLI_FLAT_BUFFER_H

#include <stddef.h>
#include <stdint.h>

enum { FLAT_FIELDS_MAX = 8 };

/// Distance from the end of the buffer; 0 is "none".
typedef size_t flat_place;

typedef struct flat_buffer {
    uint8_t *data;
    size_t capacity;
    size_t used;
    flat_place fields[FLAT_FIELDS_MAX]; // Of the table that is being written.
    size_t field_count;
    flat_place table_end;
} flat_buffer;

flat_place cli_flat_string(flat_buffer *self, const char *data, size_t size);
/// A vector of places of strings or tables.
flat_place cli_flat_vector(flat_buffer *self, const flat_place *items, size_t count);
/// A vector of structs of 8-byte members.
flat_place cli_flat_structs(flat_buffer *self, const void *items, size_t count, size_t size);

/// A table: begin, then its fields in any order, then end. Tables do not nest while being written.
void cli_flat_begin(flat_buffer *self);
void cli_flat_field(flat_buffer *self, size_t slot, uint64_t value, size_t size);
/// Leaves the field out when `place` is 0.
void cli_flat_reference(flat_buffer *self, size_t slot, flat_place place);
flat_place cli_flat_end(flat_buffer *self);

/// Writes the root reference. The message is then the last `used` bytes: a multiple of 8.
const uint8_t *cli_flat_finish(flat_buffer *self, flat_place root);
void cli_flat_reset(flat_buffer *self);
void cli_flat_close(flat_buffer *self);

#endif
