// Casts between lists, maps and structs: their children are cast. Elements that no row of the call
// refers to, and NULLs, are left out.
#include "expr/cast_private.h"

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

// The rows that are needed and not NULL, one behind the other, through the kernel; then each row
// takes its result from there. `rows` and `places` have room for all rows.
static bool cast_dense(const function_call *call, const column *from, const type *to,
                       const uint32_t *rows, uint32_t count, column *out, uint32_t *bad) {
    firn_error ignored = ERR_INIT;
    column dense;
    column result;
    if (column_take(call->scratch, from, rows, count, &dense, &ignored) != FIRN_OK ||
        column_new(call->scratch, to, count, &result, &ignored) != FIRN_OK) {
        return false;
    }
    dense.validity = NULL;
    const column *const args[] = {&dense};
    function_call inner = {.context = call->context,
                           .scratch = call->scratch,
                           .result = to,
                           .types = &from->type,
                           .arg_count = 1,
                           .count = count,
                           .length = count};
    const uint32_t done = cast_kernel(from->type, to)(&inner, args, &result);
    if (done == KERNEL_NO_MEMORY) {
        return false;
    }
    if (done < count) {
        *bad = rows[done];
        return true;
    }
    uint32_t *places = ARENA_NEW(call->scratch, uint32_t, from->length + 1);
    if (places == NULL) {
        return false;
    }
    memset(places, 0xff, from->length * sizeof *places);
    for (uint32_t k = 0; k < count; k++) {
        places[rows[k]] = k;
    }
    return column_take(call->scratch, &result, places, from->length, out, &ignored) == FIRN_OK;
}

bool cast_column(const function_call *call, const column *from, const type *to,
                 const uint64_t *is_needed, column *out, uint32_t *bad) {
    *bad = from->length;
    if (cast_find(from->type, to).kind == CAST_SAME) {
        return relabel(call->scratch, from, to, out);
    }
    uint32_t *rows = ARENA_NEW(call->scratch, uint32_t, from->length + 1);
    if (rows == NULL) {
        return false;
    }
    uint32_t count = 0;
    for (uint32_t row = 0; row < from->length; row++) {
        rows[count] = row;
        count +=
            column_is_valid(from, row) && (is_needed == NULL || bitmap_get(is_needed, row)) ? 1 : 0;
    }
    if (count == 0) {
        firn_error ignored = ERR_INIT;
        column null;
        return column_new_null(call->scratch, to, from->length, &null, &ignored) == FIRN_OK &&
               column_flatten(call->scratch, &null, out, &ignored) == FIRN_OK;
    }
    return cast_dense(call, from, to, rows, count, out, bad);
}

// The elements that the call's rows refer to.
static uint64_t *needed_elements(const function_call *call, const column *lists) {
    const uint32_t length = lists->children[0].length;
    const uint32_t mask = column_mask(lists);
    uint64_t *bits = ARENA_NEW(call->scratch, uint64_t, BITMAP_WORDS(length) + 1);
    if (bits == NULL) {
        return NULL;
    }
    memset(bits, 0, BITMAP_WORDS(length) * sizeof *bits);
    FOR_ROWS(call, row) {
        if (!column_row_is_valid(lists, row)) {
            continue;
        }
        const list_value slice = COLUMN_VALUES(lists, list_value)[row & mask];
        for (uint32_t i = 0; i < slice.size; i++) {
            bitmap_set(bits, slice.offset + i);
        }
    }
    return bits;
}

static uint64_t *needed_fields(const function_call *call, const column *structs) {
    uint64_t *bits = ARENA_NEW(call->scratch, uint64_t, BITMAP_WORDS(call->length) + 1);
    if (bits == NULL) {
        return NULL;
    }
    memset(bits, 0, BITMAP_WORDS(call->length) * sizeof *bits);
    FOR_ROWS(call, row) {
        if (column_row_is_valid(structs, row)) {
            bitmap_set(bits, row & column_mask(structs));
        }
    }
    return bits;
}

// The visit whose row refers to element (or, of a struct, is row) `bad`.
static uint32_t visit_of(const function_call *call, const column *parent, uint32_t bad) {
    const uint32_t mask = column_mask(parent);
    FOR_ROWS(call, row) {
        if (parent->type->id == TYPE_STRUCT) {
            if ((row & mask) == bad) {
                return ROW_VISIT(row);
            }
            continue;
        }
        const list_value slice = COLUMN_VALUES(parent, list_value)[row & mask];
        if (bad >= slice.offset && bad - slice.offset < slice.size) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

uint32_t cast_nested(function_call *call, const column *const *args, column *out) {
    const column *from = args[0];
    const type *to = call->result;
    column *children = ARENA_NEW(call->scratch, column, to->child_count + 1);
    const uint64_t *needed =
        from->type->id == TYPE_STRUCT ? needed_fields(call, from) : needed_elements(call, from);
    if (children == NULL || needed == NULL) {
        return KERNEL_NO_MEMORY;
    }
    uint32_t first_bad = call->count;
    const bool by_name = cast_struct_by_name(from->type, to);
    for (uint32_t i = 0; i < to->child_count; i++) {
        column child = from->children[cast_struct_source(from->type, to, by_name, i)];
        if (from->type->id == TYPE_STRUCT) {
            child.length = from->form == FORM_CONSTANT ? 1 : call->length;
        }
        uint32_t bad;
        if (!cast_column(call, &child, to->children[i].type, needed, &children[i], &bad)) {
            return KERNEL_NO_MEMORY;
        }
        if (bad < child.length) {
            const uint32_t visit = visit_of(call, from, bad);
            first_bad = visit < first_bad ? visit : first_bad;
        }
    }
    if (first_bad < call->count) {
        return first_bad;
    }
    if (to->id != TYPE_STRUCT) {
        FOR_ROWS(call, row) {
            COLUMN_OUT(out, list_value)
            [row] = COLUMN_VALUES(from, list_value)[row & column_mask(from)];
        }
    }
    out->children = children;
    return call->count;
}
