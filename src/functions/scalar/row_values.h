// Values of rows as kernels of scalar functions read and write them.
//
// Arguments are FLAT or CONSTANT: a reader keeps the values and the mask, so that the loop over
// rows has no branch. Results of text are carved from large pieces of the scratch arena: no
// allocation a row, and none for what fits into the value.
#ifndef FIRN_FUNCTIONS_SCALAR_ROW_VALUES_H
#define FIRN_FUNCTIONS_SCALAR_ROW_VALUES_H

#include "base/utf8.h"
#include "expr/expr.h"
#include "expr/function.h"

#define X(name, word, c_type)                                                                      \
    typedef struct word##_rows {                                                                   \
        const c_type *values;                                                                      \
        uint32_t mask;                                                                             \
    } word##_rows;                                                                                 \
    static inline word##_rows word##_rows_of(const column *arg) {                                  \
        return (word##_rows){.values = arg->values, .mask = column_mask(arg)};                     \
    }                                                                                              \
    static inline c_type word##_at(word##_rows self, uint32_t row) {                               \
        return self.values[row & self.mask];                                                       \
    }
X(I32, i32, int32_t)
X(I64, i64, int64_t)
X(F32, f32, float)
X(F64, f64, double)
X(INTERVAL, interval, interval_value)
X(LIST, list, list_value)
#undef X

typedef struct text_rows {
    const string_value *values;
    uint32_t mask;
} text_rows;

static inline text_rows text_rows_of(const column *arg) {
    return (text_rows){.values = arg->values, .mask = column_mask(arg)};
}

static inline text text_at(text_rows self, uint32_t row) {
    return string_text(&self.values[row & self.mask]);
}

static inline bool bit_at(const column *arg, uint32_t row) {
    return bitmap_get(arg->values, row & column_mask(arg));
}

static inline void put_bit(column *out, uint32_t row, bool value) {
    bitmap_put(COLUMN_OUT(out, uint64_t), row, value);
}

/// A value that points into bytes of an argument, which live as long as the result.
static inline void put_slice(column *out, uint32_t row, text value) {
    COLUMN_OUT(out, string_value)[row] = string_of(value.data, (uint32_t)value.size);
}

/// Binds a function that makes a text of any number of arguments, which it takes as text.
static inline firn_status bind_as_text(function_bind_call *call, firn_error *err) {
    const type **wanted = ARENA_NEW(call->memory, const type *, call->arg_count + 1);
    if (wanted == NULL) {
        return ARENA_FULL(call->memory, err);
    }
    for (uint32_t i = 0; i < call->arg_count; i++) {
        wanted[i] = TYPE_OF(VARCHAR);
    }
    call->wanted = wanted;
    call->result = TYPE_OF(VARCHAR);
    return FIRN_OK;
}

// ---- Texts of any length ------------------------------------------------------------------------
//
// Loops that take a text piece by piece look between two pieces at who still waits.

#define TEXT_LOOK_EVERY ((size_t)1 << 20) ///< Bytes of a piece.

/// The next piece of a text (or BINARY) from byte `*at` on, which moves behind it: whole
/// characters. False at the end, and where the statement was stopped.
static inline bool text_next_piece(const function_call *call, text value, size_t *at, text *out) {
    const size_t from = *at;
    if (from >= value.size || (from > 0 && function_is_stopped(call))) {
        return false;
    }
    size_t to = value.size;
    if (to - from > TEXT_LOOK_EVERY) {
        to = from + TEXT_LOOK_EVERY;
        while (to > from + TEXT_LOOK_EVERY - UTF8_SIZE_MAX &&
               !utf8_is_boundary((uint8_t)value.data[to])) {
            to--;
        }
    }
    *out = text_slice(value, from, to);
    *at = to;
    return true;
}

/// utf8_count of a value.
static inline size_t text_code_count(const function_call *call, text value) {
    if (value.size <= TEXT_LOOK_EVERY) {
        return utf8_count(value);
    }
    size_t count = 0;
    size_t at = 0;
    text piece;
    while (text_next_piece(call, value, &at, &piece)) {
        count += utf8_count(piece);
    }
    return count;
}

/// utf8_offset in a value.
static inline size_t text_code_offset(const function_call *call, text value, size_t index) {
    if (value.size <= TEXT_LOOK_EVERY) {
        return utf8_offset(value, index);
    }
    size_t at = 0;
    text piece;
    while (index > 0 && text_next_piece(call, value, &at, &piece)) {
        const size_t count = utf8_count(piece);
        if (count >= index) {
            return at - piece.size + utf8_offset(piece, index);
        }
        index -= count;
    }
    return at;
}

// ---- Texts that are made -----------------------------------------------------------------------

#define TEXT_SINK_PIECE ((size_t)4096)
#define TEXT_RESULT_SIZE_MAX ((size_t)1 << 30) ///< What repeat, lpad … may make.

/// Room for texts, piece by piece.
typedef struct text_sink {
    arena *memory;
    const function_call *call;
    char *at;
    size_t left;
} text_sink;

static inline text_sink text_sink_of(const function_call *call) {
    return (text_sink){.memory = call->scratch, .call = call};
}

/// Room for `size` bytes, kept only by text_sink_take. NULL when memory is full, or the statement
/// was stopped.
static inline char *text_sink_room(text_sink *self, size_t size) {
    if (size > self->left || self->at == NULL) {
        const size_t piece = size > TEXT_SINK_PIECE ? size : TEXT_SINK_PIECE;
        self->at = function_is_stopped(self->call) ? NULL : ARENA_NEW(self->memory, char, piece);
        self->left = self->at == NULL ? 0 : piece;
    }
    return self->at;
}

/// Copies a text to `out`. False: the statement was stopped.
static inline bool text_put(const function_call *call, char *out, text value) {
    return cancel_copy(function_cancel(call), out, value.data, value.size);
}

/// The value of the first `size` bytes of the room.
static inline string_value text_sink_take(text_sink *self, size_t size) {
    const string_value made = string_of(self->at, (uint32_t)size);
    if (!string_is_inline(&made)) {
        self->at += size;
        self->left -= size;
    }
    return made;
}

static inline bool text_sink_put(text_sink *self, column *out, uint32_t row, text value) {
    char *room = text_sink_room(self, value.size);
    if (room == NULL) {
        return false;
    }
    if (value.size > 0) {
        memcpy(room, value.data, value.size);
    }
    COLUMN_OUT(out, string_value)[row] = text_sink_take(self, value.size);
    return true;
}

// ---- Constants -------------------------------------------------------------------------------

/// Is an argument a literal that is not NULL? Its one value then is `*out`.
static inline bool literal_column(const expr *arg, const column **out) {
    while (arg->kind == EXPR_CAST && arg->cast_.is_implicit &&
           type_same_values(arg->type, arg->cast_.arg->type)) {
        arg = arg->cast_.arg;
    }
    if (arg->kind != EXPR_LITERAL || arg->literal_.value.is_null) {
        return false;
    }
    *out = arg->literal_.value.value;
    return true;
}

static inline bool literal_text(const expr *arg, text *out) {
    const column *value;
    if (!literal_column(arg, &value) || type_physical(value->type) != PHYSICAL_STRING) {
        return false;
    }
    *out = string_text(COLUMN_VALUES(value, string_value));
    return true;
}

#endif
