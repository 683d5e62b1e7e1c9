// Casts between lists, maps and structs: their children are cast. Elements that no row of the call
// refers to, and NULLs, are left out.
#include "expr/cast_private.h"

static void set_bits(uint64_t *bits, size_t from, size_t count) {
    for (; count > 0 && from % 64 != 0; count--) {
        bitmap_set(bits, from++);
    }
    memset(bits + from / 64, 0xff, count / 64 * sizeof *bits);
    for (from += count / 64 * 64, count %= 64; count > 0; count--) {
        bitmap_set(bits, from++);
    }
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
        set_bits(bits, slice.offset, slice.size);
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
