// Casts of a column that is part of a nested one. A single list may have millions of elements, and
// no more of them than a piece is done between two looks at whether somebody still waits.
#include "expr/cast_private.h"

#define PIECE_ROWS (UINT32_C(1) << 16) // Row numbers of a call fit; bits begin at a word.

static bool relabel(arena *memory, const column *from, const type *to, column *out) {
    *out = *from;
    out->type = to;
    if (to->child_count == 0) {
        return true;
    }
    column *children = ARENA_NEW(memory, column, to->child_count);
    for (uint32_t i = 0; children != NULL && i < to->child_count; i++) {
        if (!relabel(memory, &from->children[i], to->children[i].type, &children[i])) {
            return false;
        }
    }
    out->children = children;
    return children != NULL;
}

// Which rows are cast: those that are needed and not NULL. NULL if it is all of them.
static bool rows_to_cast(arena *memory, const column *from, const uint64_t *is_needed,
                         const uint64_t **out) {
    *out = from->validity != NULL ? from->validity : is_needed;
    if (from->validity == NULL || is_needed == NULL) {
        return true;
    }
    const size_t words = BITMAP_WORDS(from->length);
    uint64_t *both = ARENA_NEW(memory, uint64_t, words + 1);
    for (size_t i = 0; both != NULL && i < words; i++) {
        both[i] = from->validity[i] & is_needed[i];
    }
    *out = both;
    return both != NULL;
}

static function_call call_within(const function_call *call, const column *from, const type *to) {
    return (function_call){.context = call->context,
                           .scratch = call->scratch,
                           .result = to,
                           .types = &from->type,
                           .arg_count = 1,
                           .count = from->length,
                           .length = from->length};
}

// To nested: the kernel asks which rows are valid, and casts pieces of the leaves.
static bool cast_whole(const function_call *call, const column *from, const type *to,
                       const uint64_t *is_cast, column *out, uint32_t *bad) {
    firn_error ignored = ERR_INIT;
    column source = *from;
    source.validity = is_cast;
    const column *const args[] = {&source};
    function_call inner = call_within(call, from, to);
    if (column_new(call->scratch, to, from->length, out, &ignored) != FIRN_OK) {
        return false;
    }
    out->validity = is_cast;
    *bad = cast_kernel(from->type, to)(&inner, args, out);
    return *bad != KERNEL_NO_MEMORY;
}

// ---- In pieces ---------------------------------------------------------------------------------

typedef struct piece_cast {
    const function_call *call;
    const column *from;
    scalar_kernel kernel;
    const uint64_t *is_cast;
    uint16_t *rows; // Room for those of a piece.
    column *out;
} piece_cast;

// The rows of a piece that are cast; false if it is all of them.
static bool list_rows(const piece_cast *self, uint32_t base, uint32_t length, uint32_t *count) {
    *count = 0;
    if (self->is_cast == NULL) {
        return false;
    }
    for (uint32_t row = 0; row < length; row++) {
        self->rows[*count] = (uint16_t)row;
        *count += bitmap_get(self->is_cast, base + row) ? 1 : 0;
    }
    return *count < length;
}

// A NULL that the kernel made of a value is one of the whole column.
static bool keep_nulls(const piece_cast *self, const column *piece, uint32_t base) {
    if (piece->validity == NULL) {
        return true;
    }
    uint64_t *bits = column_validity_out(self->call->scratch, self->out);
    for (size_t i = 0; bits != NULL && i < BITMAP_WORDS(piece->length); i++) {
        bits[base / 64 + i] &= piece->validity[i];
    }
    return bits != NULL;
}

// Rows [base, base + length); `*bad` is set if one of them fails.
static bool cast_piece(const piece_cast *self, uint32_t base, uint32_t length, uint32_t *bad) {
    firn_error ignored = ERR_INIT;
    const type *to = self->out->type;
    column source;
    column result;
    column values = *self->from;
    values.validity = NULL;
    if (column_slice(self->call->scratch, &values, base, length, &source, &ignored) != FIRN_OK ||
        column_slice(self->call->scratch, self->out, base, length, &result, &ignored) != FIRN_OK) {
        return false;
    }
    result.validity = NULL; // The kernel's own.
    column_clear(&result);
    uint32_t count;
    function_call inner = call_within(self->call, &source, to);
    if (list_rows(self, base, length, &count)) {
        inner.rows = self->rows;
        inner.count = count;
    }
    const column *const args[] = {&source};
    const uint32_t done = inner.count == 0 ? 0 : self->kernel(&inner, args, &result);
    if (done == KERNEL_NO_MEMORY) {
        return false;
    }
    if (done < inner.count) {
        *bad = base + (inner.rows == NULL ? done : inner.rows[done]);
    }
    return keep_nulls(self, &result, base);
}

static bool cast_pieces(const function_call *call, const column *from, const type *to,
                        const uint64_t *is_cast, column *out, uint32_t *bad) {
    firn_error ignored = ERR_INIT;
    piece_cast work = {.call = call,
                       .from = from,
                       .kernel = cast_kernel(from->type, to),
                       .is_cast = is_cast,
                       .out = out,
                       .rows = ARENA_NEW(call->scratch, uint16_t, PIECE_ROWS)};
    if (work.rows == NULL ||
        column_new_unset(call->scratch, to, from->length, out, &ignored) != FIRN_OK) {
        return false;
    }
    if (is_cast != NULL) {
        uint64_t *bits = column_validity_out(call->scratch, out);
        if (bits == NULL) {
            return false;
        }
        bitmap_copy(is_cast, 0, from->length, bits);
    }
    for (uint32_t base = 0; base < from->length && *bad == from->length; base += PIECE_ROWS) {
        const uint32_t left = from->length - base;
        if (function_is_stopped(call) ||
            !cast_piece(&work, base, left < PIECE_ROWS ? left : PIECE_ROWS, bad)) {
            return false;
        }
    }
    return true;
}

// Of type NULL there is nothing but NULL: the first row that is something else is bad.
static bool cast_to_null(const function_call *call, const column *from, const type *to,
                         const uint64_t *is_needed, column *out, uint32_t *bad) {
    firn_error ignored = ERR_INIT;
    const uint64_t *is_cast;
    if (!rows_to_cast(call->scratch, from, is_needed, &is_cast)) {
        return false;
    }
    uint32_t row = 0;
    while (row < from->length && is_cast != NULL && !bitmap_get(is_cast, row)) {
        row++;
    }
    *bad = row;
    return column_new_null(call->scratch, to, from->length, out, &ignored) == FIRN_OK;
}

bool cast_column(const function_call *call, const column *from, const type *to,
                 const uint64_t *is_needed, column *out, uint32_t *bad) {
    *bad = from->length;
    if (cast_find(from->type, to).kind == CAST_SAME) {
        return relabel(call->scratch, from, to, out);
    }
    if (to->id == TYPE_NULL) {
        return cast_to_null(call, from, to, is_needed, out, bad);
    }
    if (from->type->id == TYPE_NULL) {
        firn_error ignored = ERR_INIT;
        column null;
        return column_new_null(call->scratch, to, from->length, &null, &ignored) == FIRN_OK &&
               column_flatten(call->scratch, &null, out, &ignored) == FIRN_OK;
    }
    const uint64_t *is_cast;
    if (!rows_to_cast(call->scratch, from, is_needed, &is_cast)) {
        return false;
    }
    return to->child_count > 0 ? cast_whole(call, from, to, is_cast, out, bad)
                               : cast_pieces(call, from, to, is_cast, out, bad);
}
