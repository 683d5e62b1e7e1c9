// Batches to Arrow arrays: a tree of growing buffers, one node per column or child.
#include <assert.h>

#include "base/host.h"
#include "column/arrow_export.h"

#define LANES_AT_ONCE BATCH_ROWS
#define COLUMNS_AT_ONCE 256 // Between two looks at whether the statement is to stop.

struct arrow_builder {
    arena memory;
    arrow_node root;
    arrow_options options;
    arrow_options entries; // Of dictionaries.
};

// ---- Nested -------------------------------------------------------------------------------------

static firn_status push_lanes(arrow_node *self, const column *flat, const uint32_t *lanes,
                              uint32_t count, firn_error *err);

// Rows `rows` of a child that may have NULLs of its own.
static firn_status push_rows(arrow_node *self, const column *child, const uint32_t *rows,
                             uint32_t count, firn_error *err) {
    uint32_t lanes[LANES_AT_ONCE];
    const column *flat = child->form == FORM_DICTIONARY ? child->dictionary->values : child;
    while (count > 0) {
        const uint32_t now = count < LANES_AT_ONCE ? count : LANES_AT_ONCE;
        for (uint32_t i = 0; i < now; i++) {
            lanes[i] = rows[i] == LANE_NULL || !column_is_valid(child, rows[i])
                           ? LANE_NULL
                           : column_lane(child, rows[i]);
        }
        TRY(push_lanes(self, flat, lanes, now, err));
        rows += now;
        count -= now;
    }
    return FIRN_OK;
}

static firn_status push_slice(arrow_node *self, const column *list, list_value slice,
                              firn_error *err) {
    uint32_t rows[LANES_AT_ONCE];
    // A map's entries are a struct without NULLs; its children are ours directly.
    arrow_node *targets = list->type->id == TYPE_MAP ? self->children[0].children : self->children;
    for (uint32_t at = 0; at < slice.size;) {
        TRY(cancel_check(self->options->cancel, err));
        const uint32_t now = slice.size - at < LANES_AT_ONCE ? slice.size - at : LANES_AT_ONCE;
        for (uint32_t i = 0; i < now; i++) {
            rows[i] = slice.offset + at + i;
        }
        for (uint32_t child = 0; child < list->type->child_count; child++) {
            TRY(push_rows(&targets[child], &list->children[child], rows, now, err));
        }
        at += now;
    }
    if (list->type->id == TYPE_MAP) {
        self->children[0].length += slice.size;
    }
    return FIRN_OK;
}

static firn_status push_lists(arrow_node *self, const column *flat, const uint32_t *lanes,
                              uint32_t count, firn_error *err) {
    TRY(arrow_node_begin_offsets(self, count, err));
    for (uint32_t i = 0; i < count; i++) {
        if (lanes[i] != LANE_NULL) {
            TRY(push_slice(self, flat, COLUMN_VALUES(flat, list_value)[lanes[i]], err));
        }
        if (self->layout == ARROW_LAYOUT_LIST && self->children[0].length > INT32_MAX) {
            return FAIL(err, FIRN_INVALID, "lists of over 2^31 elements in one batch");
        }
        arrow_node_put_offset(self, self->length + i + 1, self->children[0].length);
    }
    return FIRN_OK;
}

static firn_status push_lanes(arrow_node *self, const column *flat, const uint32_t *lanes,
                              uint32_t count, firn_error *err) {
    if (self->layout == ARROW_LAYOUT_NULL) {
        self->null_count += count;
    } else {
        TRY(arrow_node_push_validity(self, lanes, count, err));
    }
    if (self->layout == ARROW_LAYOUT_LIST || self->layout == ARROW_LAYOUT_LARGE_LIST) {
        TRY(push_lists(self, flat, lanes, count, err));
    } else if (self->layout == ARROW_LAYOUT_STRUCT) {
        for (uint32_t child = 0; child < self->child_count; child++) {
            TRY(push_rows(&self->children[child], &flat->children[child], lanes, count, err));
        }
    } else {
        TRY(arrow_node_push_values(self, flat, lanes, count, err));
    }
    self->length += count;
    return FIRN_OK;
}

// ---- The builder --------------------------------------------------------------------------------

static firn_status open_node(arrow_builder *owner, const type *type, struct pool *pool,
                             arrow_node *out, firn_error *err) {
    const uint32_t child_count = type->id == TYPE_MAP ? 1 : type->child_count;
    arrow_node *children = ARENA_NEW(&owner->memory, arrow_node, child_count + 1);
    if (children == NULL) {
        return ARENA_FULL(&owner->memory, err);
    }
    *out = (arrow_node){.type = type,
                        .options = &owner->options,
                        .pool = pool,
                        .layout = arrow_layout_of(type, &owner->options),
                        .width = arrow_fixed_width(type, &owner->options),
                        .child_count = child_count,
                        .children = children};
    if (out->layout == ARROW_LAYOUT_CODES) {
        out->entries = ARENA_NEW(&owner->memory, arrow_node, 1);
        if (out->entries == NULL) {
            return ARENA_FULL(&owner->memory, err);
        }
        *out->entries = (arrow_node){.type = type,
                                     .options = &owner->entries,
                                     .pool = pool,
                                     .layout = arrow_layout_of(type, &owner->entries)};
    }
    if (type->id == TYPE_MAP) {
        struct type *pair = ARENA_NEW(&owner->memory, struct type, 1);
        if (pair == NULL) {
            return ARENA_FULL(&owner->memory, err);
        }
        *pair = (struct type){.id = TYPE_STRUCT, .child_count = 2, .children = type->children};
        return open_node(owner, pair, pool, &out->children[0], err);
    }
    for (uint32_t i = 0; i < type->child_count; i++) {
        TRY(open_node(owner, type->children[i].type, pool, &out->children[i], err));
    }
    return FIRN_OK;
}

firn_status arrow_builder_open(const schema *self, const arrow_options *options, struct pool *pool,
                               arrow_builder **out, firn_error *err) {
    arena memory = arena_open(SIZE_MAX);
    memory.cancel = options->cancel;
    arrow_builder *made = ARENA_NEW(&memory, arrow_builder, 1);
    type *row = ARENA_NEW(&memory, type, 1);
    if (made == NULL || row == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *row = (type){.id = TYPE_STRUCT, .child_count = self->count, .children = self->fields};
    *made = (arrow_builder){
        .memory = memory, .options = *options, .entries = arrow_options_of_entries(options)};
    if (made->options.batch_rows == 0) {
        made->options.batch_rows = ARROW_BATCH_ROWS_DEFAULT;
    }
    firn_status status = open_node(made, row, pool, &made->root, err);
    if (status != FIRN_OK) { // No node has a buffer yet, and some are not open.
        memory = made->memory;
        arena_close(&memory);
        return status;
    }
    *out = made;
    return FIRN_OK;
}

firn_status arrow_builder_push(arrow_builder *self, const batch *rows, firn_error *err) {
    uint32_t numbers[LANES_AT_ONCE];
    assert(rows->column_count == self->root.child_count && rows->selected_count <= LANES_AT_ONCE);
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        numbers[k] = batch_row(rows, k);
    }
    for (uint32_t i = 0; i < rows->column_count; i++) {
        TRY(i % COLUMNS_AT_ONCE == 0 ? cancel_check(self->options.cancel, err) : FIRN_OK);
        TRY(push_rows(&self->root.children[i], &rows->columns[i], numbers, rows->selected_count,
                      err));
    }
    self->root.length += rows->selected_count;
    return FIRN_OK;
}

uint64_t arrow_builder_rows(const arrow_builder *self) {
    return self->root.length;
}

static uint64_t size_of(const buffer *self) {
    return self == NULL ? 0 : self->size;
}

static uint64_t bytes_of(const arrow_node *self) {
    uint64_t bytes = size_of(self->validity) + size_of(self->values) + size_of(self->bytes) +
                     (self->entries == NULL ? 0 : bytes_of(self->entries));
    for (uint32_t i = 0; i < self->child_count; i++) {
        bytes += bytes_of(&self->children[i]);
    }
    return bytes;
}

bool arrow_builder_is_full(const arrow_builder *self) {
    const uint64_t bytes_max = self->options.batch_bytes;
    bool is_full = self->root.length >= self->options.batch_rows ||
                   (bytes_max != 0 && bytes_of(&self->root) >= bytes_max);
    for (uint32_t i = 0; i < self->root.child_count; i++) {
        const arrow_node *given = &self->root.children[i];
        const arrow_node *child = given->entries == NULL ? given : given->entries;
        is_full |= child->bytes != NULL && child->bytes->size > ARROW_STRING_BYTES_MAX / 16;
    }
    return is_full;
}

static void empty_node(arrow_node *self) {
    buffer_release(self->validity);
    buffer_release(self->values);
    buffer_release(self->bytes);
    buffer_release(self->slots);
    self->validity = NULL;
    self->values = NULL;
    self->bytes = NULL;
    self->slots = NULL;
    self->length = 0;
    self->null_count = 0;
    const uint32_t count = self->child_count;
    for (uint32_t i = 0; i < count; i++) {
        empty_node(&self->children[i]);
    }
    if (self->entries != NULL) {
        empty_node(self->entries);
    }
}

void arrow_builder_close(arrow_builder *self) {
    if (self != NULL) {
        if (self->root.children != NULL) {
            empty_node(&self->root);
        }
        arena memory = self->memory; // It holds `self`.
        arena_close(&memory);
    }
}

// ---- Handing out --------------------------------------------------------------------------------

// What an exported array keeps alive. Behind it lie its children's structs and pointers.
typedef struct array_block {
    buffer *buffers[3];
    const void *pointers[4];
    int64_t view_sizes[1];
    uint32_t child_count;
    struct ArrowArray *children;
    struct ArrowArray **child_pointers;
    struct ArrowArray dictionary; // Of codes, else without release.
} array_block;

static void release_array(struct ArrowArray *self) {
    array_block *block = self->private_data;
    for (uint32_t i = 0; i < block->child_count; i++) {
        if (block->children[i].release != NULL) {
            block->children[i].release(&block->children[i]);
        }
    }
    if (block->dictionary.release != NULL) {
        block->dictionary.release(&block->dictionary);
    }
    for (int i = 0; i < 3; i++) {
        buffer_release(block->buffers[i]);
    }
    host_free(block);
    self->release = NULL;
}

static array_block *new_block(uint32_t child_count) {
    const size_t size = sizeof(array_block) + (size_t)child_count * (sizeof(struct ArrowArray) +
                                                                     sizeof(struct ArrowArray *));
    array_block *block = host_alloc(size);
    if (block != NULL) {
        memset(block, 0, size);
        block->children = (struct ArrowArray *)(void *)(block + 1);
        block->child_pointers = (struct ArrowArray **)(void *)(block->children + child_count);
    }
    return block;
}

// Which buffers a layout has; offsets and values must be there even for no rows.
static firn_status fill_buffers(arrow_node *self, array_block *block, int64_t *count,
                                firn_error *err) {
    const bool has_offsets =
        self->layout == ARROW_LAYOUT_STRING || self->layout == ARROW_LAYOUT_LARGE_STRING ||
        self->layout == ARROW_LAYOUT_LIST || self->layout == ARROW_LAYOUT_LARGE_LIST;
    if (has_offsets && self->values == NULL) {
        TRY(arrow_node_begin_offsets(self, 0, err));
    }
    if (self->values == NULL && self->layout != ARROW_LAYOUT_NULL &&
        self->layout != ARROW_LAYOUT_STRUCT) {
        TRY(arrow_node_reserve(self, &self->values, 8, err));
        assert(self->values != NULL);
    }
    const bool has_bytes = self->layout == ARROW_LAYOUT_STRING ||
                           self->layout == ARROW_LAYOUT_LARGE_STRING ||
                           self->layout == ARROW_LAYOUT_VIEW;
    if (has_bytes && self->bytes == NULL) {
        TRY(arrow_node_reserve(self, &self->bytes, 8, err));
        assert(self->bytes != NULL);
    }
    buffer *const all[3] = {self->validity, self->values, self->bytes};
    for (int i = 0; i < 3; i++) {
        block->buffers[i] = buffer_retain(all[i]);
        if (all[i] != NULL) {
            buffer_hand_out(all[i]);
            block->pointers[i] = all[i]->data;
        }
    }
    switch (self->layout) {
    case ARROW_LAYOUT_NULL:
        *count = 0;
        break;
    case ARROW_LAYOUT_STRUCT:
        *count = 1;
        break;
    case ARROW_LAYOUT_VIEW:
        block->view_sizes[0] = (int64_t)self->bytes->size;
        block->pointers[3] = block->view_sizes;
        *count = 4;
        break;
    case ARROW_LAYOUT_STRING:
    case ARROW_LAYOUT_LARGE_STRING:
        *count = 3;
        break;
    case ARROW_LAYOUT_BITS:
    case ARROW_LAYOUT_FIXED:
    case ARROW_LAYOUT_FIXED_BYTES:
    case ARROW_LAYOUT_LIST:
    case ARROW_LAYOUT_LARGE_LIST:
    case ARROW_LAYOUT_CODES:
        *count = 2;
        break;
    }
    return FIRN_OK;
}

static firn_status finish_node(arrow_node *self, struct ArrowArray *out, firn_error *err) {
    *out = (struct ArrowArray){0};
    array_block *block = new_block(self->child_count);
    if (block == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for an array");
    }
    *out = (struct ArrowArray){.length = (int64_t)self->length,
                               .null_count = (int64_t)self->null_count,
                               .n_children = self->child_count,
                               .buffers = block->pointers,
                               .children = block->child_pointers,
                               .release = release_array,
                               .private_data = block};
    firn_status status = fill_buffers(self, block, &out->n_buffers, err);
    for (uint32_t i = 0; i < self->child_count && status == FIRN_OK; i++) {
        status = i % COLUMNS_AT_ONCE == 0 ? cancel_check(self->options->cancel, err) : FIRN_OK;
        if (status == FIRN_OK) {
            block->child_pointers[i] = &block->children[i];
            status = finish_node(&self->children[i], &block->children[i], err);
            block->child_count++;
        }
    }
    if (status == FIRN_OK && self->entries != NULL) {
        out->dictionary = &block->dictionary;
        status = finish_node(self->entries, &block->dictionary, err);
    }
    if (status != FIRN_OK) {
        release_array(out);
    }
    return status;
}

firn_status arrow_builder_finish(arrow_builder *self, struct ArrowArray *out, firn_error *err) {
    firn_status status = finish_node(&self->root, out, err);
    empty_node(&self->root);
    return status;
}

void arrow_rows_cut(struct ArrowArray *rows, uint64_t from, uint64_t count) {
    assert(rows->offset == 0 && from + count <= (uint64_t)rows->length);
    for (int64_t i = 0; i < rows->n_children && count < (uint64_t)rows->length; i++) {
        struct ArrowArray *each = rows->children[i];
        const bool is_all_null = each->null_count == each->length;
        each->offset += (int64_t)from;
        each->length = (int64_t)count;
        each->null_count = is_all_null ? each->length : each->null_count == 0 ? 0 : -1;
    }
    rows->length = (int64_t)count;
}
