// Text to lists, maps and structs: `[1, 2, NULL]`, `{a: 1, b: x}`, `{k: v}`; words and strings in
// quotes may stand for text. A row's text is cut into the texts of its elements; all elements of
// all rows together are a column of text, which is then cast like any other.
#include "expr/cast_private.h"

#define PIECE_WORK 64 // Of a watch: what a piece costs beside its bytes.

// The pieces of all rows so far, for one child.
typedef struct piece_list {
    uint32_t count;
    uint32_t capacity;
    text *items; ///< data NULL: the value NULL.
} piece_list;

static bool add_piece(function_call *call, piece_list *self, text piece) {
    if (self->count == self->capacity) {
        const uint32_t capacity = self->capacity == 0 ? 64 : self->capacity * 2;
        text *items = ARENA_NEW(call->scratch, text, capacity);
        if (items == NULL || capacity < self->capacity ||
            !cancel_copy(function_cancel(call), items, self->items, self->count * sizeof *items)) {
            return false;
        }
        self->items = items;
        self->capacity = capacity;
    }
    self->items[self->count++] = piece;
    return true;
}

// ---- Cutting ---------------------------------------------------------------------------------

typedef struct cutter {
    text input;
    size_t at;
    function_call *call;
    cancel_watch watch; // Over pieces: they may be many.
} cutter;

static bool is_stopped(cutter *self) {
    return cancel_watch_is_raised(&self->watch, PIECE_WORK);
}

static bool is_blank(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static void skip_blanks(cutter *self) {
    while (self->at < self->input.size && is_blank(self->input.data[self->at])) {
        self->at++;
    }
}

static bool take_byte(cutter *self, char byte) {
    skip_blanks(self);
    if (self->at == self->input.size || self->input.data[self->at] != byte) {
        return false;
    }
    self->at++;
    return true;
}

// Where the string in quotes that begins at `at` ends; SIZE_MAX if it does not.
static size_t quoted_end(text input, size_t at, bool *is_as_written) {
    const char quote = input.data[at++];
    *is_as_written = true;
    while (at < input.size) {
        const char byte = input.data[at];
        const bool is_doubled = byte == quote && at + 1 < input.size && input.data[at + 1] == quote;
        if (byte == quote && !is_doubled) {
            return at;
        }
        const bool is_escape = is_doubled || (byte == '\\' && at + 1 < input.size);
        *is_as_written &= !is_escape;
        at += is_escape ? 2 : 1;
    }
    return SIZE_MAX;
}

// A string in quotes; inside, a backslash or a doubled quote stands for the character behind it.
static bool take_quoted(cutter *self, text *out) {
    bool is_as_written;
    const size_t end = quoted_end(self->input, self->at, &is_as_written);
    if (end == SIZE_MAX) {
        return false;
    }
    const text inner = text_slice(self->input, self->at + 1, end);
    const char quote = self->input.data[self->at];
    self->at = end + 1;
    *out = inner;
    if (is_as_written) {
        return true;
    }
    char *plain = ARENA_NEW(self->call->scratch, char, inner.size);
    size_t size = 0;
    for (size_t i = 0; plain != NULL && i < inner.size; i++) {
        if ((inner.data[i] == '\\' || inner.data[i] == quote) && i + 1 < inner.size) {
            i++;
        }
        plain[size++] = inner.data[i];
    }
    *out = (text){.data = plain, .size = size};
    return plain != NULL;
}

// An unquoted piece ends at a comma, colon or bracket outside of all brackets it opened itself.
static bool take_plain(cutter *self, bool stops_at_colon, text *out) {
    const size_t from = self->at;
    uint32_t depth = 0;
    char quote = '\0';
    for (; self->at < self->input.size; self->at++) {
        const char byte = self->input.data[self->at];
        if (quote != '\0') {
            quote = byte == quote ? '\0' : quote;
            self->at += byte == '\\' && self->at + 1 < self->input.size;
        } else if (depth > 0 && (byte == '\'' || byte == '"')) {
            quote = byte;
        } else if (byte == '[' || byte == '{') {
            depth++;
        } else if (depth > 0 && (byte == ']' || byte == '}')) {
            depth--;
        } else if (depth == 0 &&
                   (byte == ',' || byte == ']' || byte == '}' || (stops_at_colon && byte == ':'))) {
            break;
        }
    }
    size_t to = self->at;
    while (to > from && is_blank(self->input.data[to - 1])) {
        to--;
    }
    *out = text_slice(self->input, from, to);
    return depth == 0 && quote == '\0' && to > from;
}

static bool take_piece(cutter *self, bool is_name, text *out) {
    skip_blanks(self);
    if (self->at < self->input.size &&
        (self->input.data[self->at] == '\'' || self->input.data[self->at] == '"')) {
        return take_quoted(self, out);
    }
    if (!take_plain(self, is_name, out)) {
        return false;
    }
    if (!is_name && text_equal_nocase(*out, TEXT("NULL"))) {
        *out = (text){.data = NULL, .size = 0};
    }
    return true;
}

static bool is_at_end(cutter *self) {
    skip_blanks(self);
    return self->at == self->input.size;
}

static bool cut_list(cutter *self, piece_list *elements) {
    if (!take_byte(self, '[')) {
        return false;
    }
    if (take_byte(self, ']')) {
        return is_at_end(self);
    }
    do {
        text piece;
        if (!take_piece(self, false, &piece) || !add_piece(self->call, elements, piece)) {
            return false;
        }
    } while (take_byte(self, ',') && !is_stopped(self));
    return take_byte(self, ']') && is_at_end(self);
}

static bool cut_map(cutter *self, piece_list *keys, piece_list *values) {
    if (!take_byte(self, '{')) {
        return false;
    }
    if (take_byte(self, '}')) {
        return is_at_end(self);
    }
    do {
        text key;
        text value;
        if (!take_piece(self, true, &key) || !take_byte(self, ':') ||
            !take_piece(self, false, &value) || !add_piece(self->call, keys, key) ||
            !add_piece(self->call, values, value)) {
            return false;
        }
    } while (take_byte(self, ',') && !is_stopped(self));
    return take_byte(self, '}') && is_at_end(self);
}

// Fields by name, each once; missing ones are NULL.
static bool cut_struct(cutter *self, const type *of, piece_list *fields, uint64_t *is_given) {
    memset(is_given, 0, BITMAP_WORDS(of->child_count) * sizeof *is_given);
    if (!take_byte(self, '{')) {
        return false;
    }
    for (uint32_t i = 0; i < of->child_count; i++) {
        if (!add_piece(self->call, &fields[i], (text){.data = NULL, .size = 0})) {
            return false;
        }
    }
    if (take_byte(self, '}')) {
        return is_at_end(self);
    }
    do {
        text name;
        text value;
        if (!take_piece(self, true, &name) || !take_byte(self, ':') ||
            !take_piece(self, false, &value)) {
            return false;
        }
        uint32_t i = 0;
        while (i < of->child_count && !text_equal_nocase(of->children[i].name, name)) {
            i++;
        }
        if (i == of->child_count || bitmap_get(is_given, i)) {
            return false;
        }
        bitmap_set(is_given, i);
        fields[i].items[fields[i].count - 1] = value;
    } while (take_byte(self, ',') && !is_stopped(self));
    return take_byte(self, '}') && is_at_end(self);
}

// ---- Casting the pieces ----------------------------------------------------------------------

// All pieces of a child as a column of its type; `*bad` is the first that is no such value.
static bool cast_pieces(function_call *call, const piece_list *pieces, const type *to, column *out,
                        uint32_t *bad) {
    firn_error ignored = ERR_INIT;
    column texts;
    if (column_new_unset(call->scratch, TYPE_OF(VARCHAR), pieces->count, &texts, &ignored) !=
        FIRN_OK) {
        return false;
    }
    cancel_watch watch = {.cancel = function_cancel(call)};
    for (uint32_t i = 0; i < pieces->count; i++) {
        if (cancel_watch_is_raised(&watch, PIECE_WORK)) {
            return false;
        }
        const text piece = pieces->items[i];
        if (piece.data == NULL) {
            COLUMN_OUT(&texts, string_value)[i] = (string_value){0};
            if (!column_set_null(call->scratch, &texts, i)) {
                return false;
            }
        } else {
            COLUMN_OUT(&texts, string_value)[i] = string_of(piece.data, (uint32_t)piece.size);
        }
    }
    return cast_column(call, &texts, to, NULL, out, bad);
}

// ---- Rows ------------------------------------------------------------------------------------

typedef struct nested_build {
    function_call *call;
    piece_list *children;
    uint32_t *owners; ///< By piece of child 0 (struct: by row): which row.
    uint64_t *is_given;
} nested_build;

static bool cut_row(nested_build *self, text input, column *out, uint32_t row) {
    cutter state = {
        .input = input, .call = self->call, .watch = {.cancel = function_cancel(self->call)}};
    const uint32_t before = self->children[0].count;
    switch ((int)out->type->id) {
    case TYPE_LIST:
        if (!cut_list(&state, &self->children[0])) {
            return false;
        }
        break;
    case TYPE_MAP:
        if (!cut_map(&state, &self->children[0], &self->children[1])) {
            return false;
        }
        break;
    default:
        return cut_struct(&state, out->type, self->children, self->is_given);
    }
    COLUMN_OUT(out, list_value)[row] = (list_value){before, self->children[0].count - before};
    return true;
}

// Structs have a piece for every row, given or not.
static bool pad_struct(nested_build *self, const column *out, uint32_t row) {
    for (uint32_t i = 0; out->type->id == TYPE_STRUCT && i < out->type->child_count; i++) {
        while (self->children[i].count < row) {
            if (!add_piece(self->call, &self->children[i], (text){.data = NULL})) {
                return false;
            }
        }
    }
    return true;
}

// The row of piece `piece` of a child.
static uint32_t owner_of(const column *out, uint32_t piece) {
    if (out->type->id == TYPE_STRUCT) {
        return piece;
    }
    for (uint32_t row = 0; row < out->length; row++) {
        const list_value slice = COLUMN_VALUES(out, list_value)[row];
        if (piece >= slice.offset && piece - slice.offset < slice.size) {
            return row;
        }
    }
    return 0;
}

static bool cast_children(nested_build *self, column *out, uint32_t *bad) {
    const type *of = out->type;
    column *children = ARENA_NEW(self->call->scratch, column, of->child_count + 1);
    if (children == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < of->child_count; i++) {
        uint32_t piece;
        if (!cast_pieces(self->call, &self->children[i], of->children[i].type, &children[i],
                         &piece)) {
            return false;
        }
        if (piece < self->children[i].count) {
            const uint32_t row = owner_of(out, piece);
            *bad = row < *bad ? row : *bad;
        }
    }
    out->children = children;
    return true;
}

static bool open_build(nested_build *self, function_call *call, const type *of) {
    *self = (nested_build){.call = call};
    self->children = ARENA_NEW(call->scratch, piece_list, of->child_count + 1);
    self->is_given = ARENA_NEW(call->scratch, uint64_t, BITMAP_WORDS(of->child_count) + 1);
    if (self->children == NULL || self->is_given == NULL) {
        return false;
    }
    memset(self->children, 0, (of->child_count + 1) * sizeof *self->children);
    return true;
}

uint32_t cast_text_to_nested(function_call *call, const column *const *args, column *out) {
    nested_build build;
    if (!open_build(&build, call, out->type)) {
        return KERNEL_NO_MEMORY;
    }
    const uint32_t mask = column_mask(args[0]);
    const string_value *values = args[0]->values;
    uint32_t bad_row = UINT32_MAX;
    FOR_ROWS(call, row) {
        if (!pad_struct(&build, out, row)) {
            return KERNEL_NO_MEMORY;
        }
        if (!column_row_is_valid(args[0], row)) {
            continue;
        }
        if (!cut_row(&build, string_text(&values[row & mask]), out, row)) {
            bad_row = row;
            break;
        }
    }
    uint32_t bad_child = UINT32_MAX;
    if (!pad_struct(&build, out, out->length) || !cast_children(&build, out, &bad_child)) {
        return KERNEL_NO_MEMORY;
    }
    const uint32_t bad = bad_child < bad_row ? bad_child : bad_row;
    FOR_ROWS(call, row) {
        if (row == bad) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}
