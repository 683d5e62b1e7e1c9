#include "formats/ipc/ipc_flat.h"

#include <string.h>

#include "base/checked.h"

#define CAPACITY_MIN 1024

static bool grow(ipc_flat *self, size_t size) {
    size_t wanted;
    if (self->is_full || !add_fits(self->used, size, &wanted) || wanted > INT32_MAX) {
        self->is_full = true; // References are 32 bits.
        return false;
    }
    if (wanted <= self->capacity) {
        return true;
    }
    size_t capacity = self->capacity == 0 ? CAPACITY_MIN : self->capacity;
    while (capacity < wanted) {
        capacity *= 2;
    }
    uint8_t *data = ARENA_NEW(self->memory, uint8_t, capacity);
    if (data == NULL) {
        self->is_full = true;
        return false;
    }
    if (self->used > 0) {
        memcpy(data + capacity - self->used, self->data + self->capacity - self->used, self->used);
    }
    self->data = data;
    self->capacity = capacity;
    return true;
}

static void put(ipc_flat *self, const void *data, size_t size) {
    if (size > 0 && grow(self, size)) {
        self->used += size;
        memcpy(self->data + self->capacity - self->used, data, size);
    }
}

// Pads so that after `size` more bytes the place is a multiple of `alignment` (a power of two).
static void align(ipc_flat *self, size_t size, size_t alignment) {
    static const uint8_t zeros[8] = {0};
    put(self, zeros, (alignment - (self->used + size) % alignment) % alignment);
}

static void put_number(ipc_flat *self, uint64_t value, size_t size) {
    align(self, size, size);
    put(self, &value, size); // Little endian, as all machines that firn runs on.
}

// A reference is the distance from itself forward to what it refers to.
static void put_reference(ipc_flat *self, ipc_place place) {
    align(self, 4, 4);
    put_number(self, self->used + 4 - place, 4);
}

ipc_place ipc_flat_string(ipc_flat *self, text value) {
    align(self, value.size + 1, 4);
    put(self, "", 1);
    put(self, value.data, value.size);
    put_number(self, value.size, 4);
    return self->used;
}

ipc_place ipc_flat_vector(ipc_flat *self, const ipc_place *items, size_t count) {
    align(self, 4 * count, 4);
    for (size_t i = count; i > 0; i--) {
        put_reference(self, items[i - 1]);
    }
    put_number(self, count, 4);
    return self->used;
}

ipc_place ipc_flat_structs(ipc_flat *self, const void *items, size_t count, size_t size) {
    align(self, count * size, 8);
    put(self, items, count * size);
    put_number(self, count, 4);
    return self->used;
}

void ipc_flat_begin(ipc_flat *self) {
    memset(self->fields, 0, sizeof self->fields);
    self->field_count = 0;
    self->table_end = self->used;
}

static void note_field(ipc_flat *self, size_t slot) {
    self->fields[slot] = self->used;
    if (slot >= self->field_count) {
        self->field_count = slot + 1;
    }
}

void ipc_flat_field(ipc_flat *self, size_t slot, uint64_t value, size_t size) {
    put_number(self, value, size);
    note_field(self, slot);
}

void ipc_flat_reference(ipc_flat *self, size_t slot, ipc_place place) {
    if (place != 0) {
        put_reference(self, place);
        note_field(self, slot);
    }
}

ipc_place ipc_flat_end(ipc_flat *self) {
    put_number(self, 0, 4); // The distance to the vtable, filled in below.
    const ipc_place table = self->used;
    for (size_t i = self->field_count; i > 0; i--) {
        const ipc_place field = self->fields[i - 1];
        put_number(self, field == 0 ? 0 : table - field, 2);
    }
    put_number(self, table - self->table_end, 2);
    put_number(self, 4 + 2 * self->field_count, 2);
    if (!self->is_full) {
        const uint32_t distance = (uint32_t)(self->used - table);
        memcpy(self->data + self->capacity - table, &distance, sizeof distance);
    }
    return table;
}

firn_status ipc_flat_finish(ipc_flat *self, ipc_place root, bytes *out, firn_error *err) {
    align(self, 4, 8);
    put_number(self, self->used + 4 - root, 4);
    if (self->is_full) {
        return self->used + CAPACITY_MIN > INT32_MAX
                   ? FAIL(err, FIRN_UNSUPPORTED, "a message of Arrow IPC of more than 2 GiB")
                   : ARENA_FULL(self->memory, err);
    }
    *out = (bytes){.data = self->data + self->capacity - self->used, .size = self->used};
    return FIRN_OK;
}
