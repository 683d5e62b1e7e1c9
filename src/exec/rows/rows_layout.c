// What a row looks like: wide values first, so that nothing is lost between them.
#include <assert.h>

#include "exec/rows/rows_private.h"

uint32_t row_value_size(const type *self) {
    const physical kind = type_physical(self);
    if (kind == PHYSICAL_LIST || kind == PHYSICAL_STRUCT) {
        return sizeof(row_slice);
    }
    return kind == PHYSICAL_BIT ? 1 : physical_size(kind);
}

static bool has_heap(const type *self) {
    const physical kind = type_physical(self);
    return kind == PHYSICAL_STRING || kind == PHYSICAL_LIST || kind == PHYSICAL_STRUCT;
}

// Are values equal exactly if their bytes in a row are?
static bool is_plain(const type *self) {
    bool all = type_is_nested(self) || type_equal_is_bytes(self);
    for (uint32_t i = 0; i < self->child_count; i++) {
        all = all && is_plain(self->children[i].type);
    }
    return all;
}

// Places the columns whose values have `width` bytes; 8 stands for 8 and more.
static uint32_t place(const row_layout *self, uint32_t width, uint32_t at, uint32_t *offsets) {
    for (uint32_t i = 0; i < self->column_count; i++) {
        const uint32_t size = row_value_size(self->types[i]);
        if (size == width || (width == 8 && size > 8)) {
            offsets[i] = at;
            at += size;
        }
    }
    return at;
}

static firn_status make_null_row(row_layout *self, arena *memory, firn_error *err) {
    uint8_t *row = ARENA_NEW(memory, uint8_t, self->size);
    if (row == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(row, 0, self->size);
    if (self->heap_offset != ROW_NONE) {
        row_heap_put(self, row, (row_heap){.blob = ROW_NONE});
    }
    self->null_row = row;
    return FIRN_OK;
}

firn_status row_layout_make(const type *const *types, uint32_t count, bool has_hash,
                            uint32_t extra_size, arena *memory, row_layout *out, firn_error *err) {
    assert(extra_size % 8 == 0);
    uint32_t *offsets = ARENA_NEW(memory, uint32_t, (size_t)count + 1);
    if (offsets == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = (row_layout){.column_count = count,
                        .types = types,
                        .offsets = offsets,
                        .extra_offset = has_hash ? sizeof(uint64_t) : 0,
                        .extra_size = extra_size,
                        .heap_offset = ROW_NONE,
                        .has_hash = has_hash,
                        .is_plain = true};
    uint32_t at = out->extra_offset + extra_size;
    for (uint32_t i = 0; i < count; i++) {
        offsets[i] = at; // Of columns without values.
        out->is_plain = out->is_plain && is_plain(types[i]);
        if (has_heap(types[i]) && out->heap_offset == ROW_NONE) {
            out->heap_offset = at;
            at += (uint32_t)sizeof(row_heap);
        }
    }
    for (uint32_t width = 8; width > 0; width /= 2) {
        at = place(out, width, at, offsets);
    }
    out->validity_offset = at;
    out->tail_offset = at;
    at += (count + 7) / 8;
    out->size = (at + 7) / 8 * 8;
    out->size = out->size == 0 ? 8 : out->size; // A row without columns still is one.
    return make_null_row(out, memory, err);
}

void row_layout_move_validity(row_layout *self, uint32_t offset, uint32_t size) {
    assert(offset + size <= self->extra_offset + self->extra_size);
    if ((self->column_count + 7) / 8 <= size) {
        self->validity_offset = offset;
        self->size = (self->tail_offset + 7) / 8 * 8;
    }
}
