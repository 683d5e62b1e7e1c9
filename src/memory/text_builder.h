// Text that grows at its end, inside an arena: messages, printed plans, JSON, SQL.
//
// Running out of memory is remembered, not returned by every append: text_builder_finish tells.
#ifndef FIRN_MEMORY_TEXT_BUILDER_H
#define FIRN_MEMORY_TEXT_BUILDER_H

#include "base/bytes.h"
#include "base/text.h"
#include "memory/arena.h"

typedef struct text_builder {
    arena *memory; // Keeps the text; older, smaller copies stay in it until it is reset.
    char *data;
    size_t size;
    size_t capacity;
    bool is_full; // An append did not fit, or the arena's flag was raised; the text is cut there.
} text_builder;

text_builder text_builder_open(arena *memory);
void text_append(text_builder *self, text value);
void text_append_char(text_builder *self, char byte);
void text_append_format(text_builder *self, const char *format, ...) PRINTF_LIKE(2, 3);
void text_append_hex(text_builder *self, bytes value);    ///< Two digits a byte.
void text_append_base64(text_builder *self, bytes value); ///< With padding.
/// The text so far, which also ends in a NUL behind its size. FIRN_NO_MEMORY if an append failed.
firn_status text_builder_finish(text_builder *self, text *out, firn_error *err);

/// A copy of `value` in `memory` with a NUL behind it. FIRN_NO_MEMORY if it does not fit.
firn_status text_copy(arena *memory, text value, text *out, firn_error *err);
/// The same of bytes.
firn_status bytes_copy(arena *memory, bytes value, bytes *out, firn_error *err);
/// Formats into `memory`, with a NUL behind.
firn_status text_format(arena *memory, text *out, firn_error *err, const char *format, ...)
    PRINTF_LIKE(4, 5);

#endif
