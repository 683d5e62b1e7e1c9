#include "flat_buffer.h"

#include <stdlib.h>
#include <string.h>

#include "byte_sink.h"

static void grow(flat_buffer *self, size_t size) {
    if (self->capacity - self->used >= size) {
        return;
    }
    size_t capacity = self->capacity == 0 ? 1024 : self->capacity;
    while (capacity - self->used < size) {
        capacity *= 2;
    }
    uint8_t *data = cli_allocate(capacity, 1);
    if (self->used > 0) {
        memcpy(data + capacity - self->used, self->data + self->capacity - self->used, self->used);
    }
    free(self->data);
    self->data = data;
    self->capacity = capacity;
}

static void put(flat_buffer *self, const void *data, size_t size) {
    grow(self, size);
    self->used += size;
    if (size > 0) {
        memcpy(self->data + self->capacity - self->used, data, size);
    }
}

/// Pads so that after `size` more bytes the place is a multiple of `alignment` (a power of two).
static void align(flat_buffer *self, size_t size, size_t alignment) {
    static const uint8_t zeros[8] = {0};
    put(self, zeros, (alignment - (self->used + size) % alignment) % alignment);
}

static void put_number(flat_buffer *self, uint64_t value, size_t size) {
    align(self, size, size);
    put(self, &value, size); // Little endian, as all machines that firn runs on.
}

/// A reference is the distance from itself forward to what it refers to.
static void put_reference(flat_buffer *self, flat_place place) {
    align(self, 4, 4);
    put_number(self, self->used + 4 - place, 4);
}

flat_place cli_flat_string(flat_buffer *self, const char *data, size_t size) {
    align(self, size + 1, 4);
    put(self, "", 1);
    put(self, data, size);
    put_number(self, size, 4);
    return self->used;
}

flat_place cli_flat_vector(flat_buffer *self, const flat_place *items, size_t count) {
    align(self, 4 * count, 4);
    for (size_t i = count; i > 0; i--) {
        put_reference(self, items[i - 1]);
    }
    put_number(self, count, 4);
    return self->used;
}

flat_place cli_flat_structs(flat_buffer *self, const void *items, size_t count, size_t size) {
    align(self, count * size, 8);
    put(self, items, count * size);
    put_number(self, count, 4);
    return self->used;
}

void cli_flat_begin(flat_buffer *self) {
    memset(self->fields, 0, sizeof self->fields);
    self->field_count = 0;
    self->table_end = self->used;
}

static void note_field(flat_buffer *self, size_t slot) {
    self->fields[slot] = self->used;
    if (slot >= self->field_count) {
        self->field_count = slot + 1;
    }
}

void cli_flat_field(flat_buffer *self, size_t slot, uint64_t value, size_t size) {
    put_number(self, value, size);
    note_field(self, slot);
}

void cli_flat_reference(flat_buffer *self, size_t slot, flat_place place) {
    if (place != 0) {
        put_reference(self, place);
        note_field(self, slot);
    }
}

flat_place cli_flat_end(flat_buffer *self) {
    put_number(self, 0, 4); // The distance to the vtable, filled in below.
    const flat_place table = self->used;
    for (size_t i = self->field_count; i > 0; i--) {
        const flat_place field = self->fields[i - 1];
        put_number(self, field == 0 ? 0 : table - field, 2);
    }
    put_number(self, table - self->table_end, 2);
    put_number(self, 4 + 2 * self->field_count, 2);
    const uint32_t distance = (uint32_t)(self->used - table);
    memcpy(self->data + self->capacity - table, &distance, sizeof distance);
    return table;
}

const uint8_t *cli_flat_finish(flat_buffer *self, flat_place root) {
    align(self, 4, 8);
    put_number(self, self->used + 4 - root, 4);
    return self->data + self->capacity - self->used;
}

void cli_flat_reset(flat_buffer *self) {
    self->used = 0;
}

void cli_flat_close(flat_buffer *self) {
    free(self->data);
    *self = (flat_buffer){0};
}
