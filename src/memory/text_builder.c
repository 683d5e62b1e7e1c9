#include "memory/text_builder.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/checked.h"
#include "base/hex.h"

#define CAPACITY_MIN 64
#define ENCODED_AT_ONCE 768 // A multiple of 3: base64 has no rest between.

text_builder text_builder_open(arena *memory) {
    return (text_builder){.memory = memory};
}

// Makes room for `more` bytes and a NUL. False, once and for all, when the arena refuses.
static bool make_room(text_builder *self, size_t more) {
    size_t wanted;
    if (self->is_full || !add_fits(self->size, more, &wanted) || !add_fits(wanted, 1, &wanted)) {
        self->is_full = true;
        return false;
    }
    if (wanted <= self->capacity) {
        return true;
    }
    size_t capacity;
    if (!mul_fits(self->capacity, 2, &capacity)) {
        capacity = wanted;
    }
    capacity = capacity < CAPACITY_MIN ? CAPACITY_MIN : capacity;
    capacity = capacity < wanted ? wanted : capacity;
    char *data = ARENA_NEW(self->memory, char, capacity);
    if (data == NULL || !cancel_copy(self->memory->cancel, data, self->data, self->size)) {
        self->is_full = true;
        return false;
    }
    self->data = data;
    self->capacity = capacity;
    return true;
}

void text_append(text_builder *self, text value) {
    if (value.size > 0 && make_room(self, value.size)) {
        self->is_full =
            !cancel_copy(self->memory->cancel, self->data + self->size, value.data, value.size);
        self->size += value.size;
    }
}

void text_append_char(text_builder *self, char byte) {
    text_append(self, (text){.data = &byte, .size = 1});
}

// In runs, between which the text may be told to stop.
static void append_encoded(text_builder *self, bytes value, bool is_hex) {
    for (size_t at = 0; at < value.size && !self->is_full; at += ENCODED_AT_ONCE) {
        char room[2 * ENCODED_AT_ONCE];
        const size_t left = value.size - at;
        const bytes run = {.data = value.data + at,
                           .size = left < ENCODED_AT_ONCE ? left : ENCODED_AT_ONCE};
        size_t size = 2 * run.size;
        if (is_hex) {
            hex_print(run, room);
        } else {
            size = base64_print(run, room);
        }
        text_append(self, (text){.data = room, .size = size});
    }
}

void text_append_hex(text_builder *self, bytes value) {
    append_encoded(self, value, true);
}

void text_append_base64(text_builder *self, bytes value) {
    append_encoded(self, value, false);
}

PRINTF_LIKE(2, 0)
static void append_list(text_builder *self, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    const int wanted = vsnprintf(NULL, 0, format, args);
    if (wanted > 0 && make_room(self, (size_t)wanted)) {
        (void)vsnprintf(self->data + self->size, (size_t)wanted + 1, format, again);
        self->size += (size_t)wanted;
    }
    va_end(again);
}

void text_append_format(text_builder *self, const char *format, ...) {
    va_list args;
    va_start(args, format);
    append_list(self, format, args);
    va_end(args);
}

firn_status text_builder_finish(text_builder *self, text *out, firn_error *err) {
    if (!make_room(self, 0)) {
        return ARENA_FULL(self->memory, err);
    }
    self->data[self->size] = '\0';
    *out = (text){.data = self->data, .size = self->size};
    return FIRN_OK;
}

firn_status text_copy(arena *memory, text value, text *out, firn_error *err) {
    size_t wanted;
    char *data = add_fits(value.size, 1, &wanted) ? ARENA_NEW(memory, char, wanted) : NULL;
    if (data == NULL || !cancel_copy(memory->cancel, data, value.data, value.size)) {
        return ARENA_FULL(memory, err);
    }
    data[value.size] = '\0';
    *out = (text){.data = data, .size = value.size};
    return FIRN_OK;
}

firn_status bytes_copy(arena *memory, bytes value, bytes *out, firn_error *err) {
    text copy;
    TRY(text_copy(memory, text_of_bytes(value), &copy, err));
    *out = (bytes){.size = copy.size, .data = (const uint8_t *)copy.data};
    return FIRN_OK;
}

firn_status text_format(arena *memory, text *out, firn_error *err, const char *format, ...) {
    text_builder builder = text_builder_open(memory);
    va_list args;
    va_start(args, format);
    append_list(&builder, format, args);
    va_end(args);
    return text_builder_finish(&builder, out, err);
}
