// Lists, maps and structs as bytes of a row's heap. The bytes of a value that is not NULL:
//
//     fixed width   the value (BOOLEAN: a byte)
//     string        uint32_t size, bytes
//     LIST, MAP     uint32_t count, then per element its children one after the other, each
//                   a byte (1: there is a value) and the value
//     STRUCT        its children in the same way
//
// Written and read by the same process, so numbers are as they lie in memory. Types are at most
// TYPE_DEPTH_MAX deep, and so is the recursion.
#include "exec/rows/rows_nested.h"

#include <assert.h>

#include "base/checked.h"
#include "exec/rows/rows_private.h"

#define COPIED_PER_WORK 16 // Bytes that cost as much as an element.

// The lanes of children that a value has: of lists a range, of structs the lane itself.
static row_slice lanes_of(const column *self, uint32_t lane) {
    if (type_physical(self->type) == PHYSICAL_LIST) {
        const list_value slice = COLUMN_VALUES(self, list_value)[lane];
        return (row_slice){.offset = slice.offset, .size = slice.size};
    }
    return (row_slice){.offset = lane, .size = 1};
}

static bool is_valid(const column *self, uint32_t lane) {
    return self->type->id != TYPE_NULL &&
           (self->validity == NULL || bitmap_get(self->validity, lane));
}

uint64_t row_nested_size(const column *self, uint32_t lane, cancel_watch *watch) {
    const physical kind = type_physical(self->type);
    if (kind == PHYSICAL_STRING) {
        return sizeof(uint32_t) + COLUMN_VALUES(self, string_value)[lane].size;
    }
    if (kind != PHYSICAL_LIST && kind != PHYSICAL_STRUCT) {
        return row_value_size(self->type);
    }
    const row_slice lanes = lanes_of(self, lane);
    uint64_t size = kind == PHYSICAL_LIST ? sizeof(uint32_t) : 0;
    for (uint32_t i = 0; i < lanes.size && !cancel_watch_is_raised(watch, 1); i++) {
        for (uint32_t child = 0; child < self->type->child_count; child++) {
            const column *values = &self->children[child];
            size += 1;
            size += is_valid(values, lanes.offset + i)
                        ? row_nested_size(values, lanes.offset + i, watch)
                        : 0;
            if (size > UINT32_MAX) {
                return UINT64_MAX;
            }
        }
    }
    return size;
}

static uint8_t *put(uint8_t *out, const void *value, size_t size) {
    memcpy(out, value, size);
    return out + size;
}

static uint8_t *write_string(const string_value *value, uint8_t *out, cancel_watch *watch) {
    out = put(out, &value->size, sizeof value->size);
    (void)cancel_copy(watch->cancel, out, string_data(value), value->size);
    (void)cancel_watch_is_raised(watch, value->size / COPIED_PER_WORK);
    return out + value->size;
}

uint8_t *row_nested_write(const column *self, uint32_t lane, uint8_t *out, cancel_watch *watch) {
    const physical kind = type_physical(self->type);
    if (kind == PHYSICAL_STRING) {
        return write_string(&COLUMN_VALUES(self, string_value)[lane], out, watch);
    }
    if (kind == PHYSICAL_BIT) {
        *out = bitmap_get(self->values, lane);
        return out + 1;
    }
    if (kind != PHYSICAL_LIST && kind != PHYSICAL_STRUCT) {
        const size_t width = physical_size(kind);
        return width == 0 ? out : put(out, COLUMN_VALUES(self, uint8_t) + lane * width, width);
    }
    const row_slice lanes = lanes_of(self, lane);
    if (kind == PHYSICAL_LIST) {
        out = put(out, &lanes.size, sizeof lanes.size);
    }
    for (uint32_t i = 0; i < lanes.size && !cancel_watch_is_raised(watch, 1); i++) {
        for (uint32_t child = 0; child < self->type->child_count; child++) {
            const column *values = &self->children[child];
            const bool has_value = is_valid(values, lanes.offset + i);
            *out++ = has_value;
            out = has_value ? row_nested_write(values, lanes.offset + i, out, watch) : out;
        }
    }
    return out;
}

// ---- Equality ----------------------------------------------------------------------------------

static uint32_t take_u32(const uint8_t **at) {
    uint32_t value;
    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return value;
}

static bool scalar_equal(const uint8_t **at, const column *self, uint32_t lane,
                         cancel_watch *watch) {
    const physical kind = type_physical(self->type);
    column one = {.type = self->type, .form = FORM_CONSTANT, .length = 1};
    string_value string;
    uint64_t bit;
    _Alignas(32) uint8_t value[sizeof(i256)];
    if (kind == PHYSICAL_STRING) {
        const uint32_t size = take_u32(at);
        string = string_of((const char *)*at, size);
        *at += size;
        return string_equal_watched(&string, &COLUMN_VALUES(self, string_value)[lane], watch);
    }
    if (kind == PHYSICAL_BIT) {
        bit = **at;
        *at += 1;
        return bit == bitmap_get(self->values, lane);
    }
    const size_t width = physical_size(kind);
    if (physical_is_integer(kind)) {
        const bool is_same = memcmp(*at, COLUMN_VALUES(self, uint8_t) + lane * width, width) == 0;
        *at += width;
        return is_same;
    }
    memcpy(value, *at, width);
    *at += width;
    one.values = value;
    return column_rows_equal(&one, 0, self, lane);
}

bool row_nested_equal_at(const uint8_t **at, const column *self, uint32_t lane,
                         cancel_watch *watch) {
    const physical kind = type_physical(self->type);
    if (kind != PHYSICAL_LIST && kind != PHYSICAL_STRUCT) {
        return scalar_equal(at, self, lane, watch);
    }
    const row_slice lanes = lanes_of(self, lane);
    if (kind == PHYSICAL_LIST && take_u32(at) != lanes.size) {
        return false;
    }
    for (uint32_t i = 0; i < lanes.size && !cancel_watch_is_raised(watch, 1); i++) {
        for (uint32_t child = 0; child < self->type->child_count; child++) {
            const column *values = &self->children[child];
            const bool has_value = *(*at)++ != 0;
            if (has_value != is_valid(values, lanes.offset + i) ||
                (has_value && !row_nested_equal_at(at, values, lanes.offset + i, watch))) {
                return false;
            }
        }
    }
    return true;
}

// ---- Back to columns ----------------------------------------------------------------------------

// A column being filled: first counted, then made, then appended to value by value.
typedef struct nested_builder {
    cancel_watch *watch; // One for all.
    const type *type;
    column column;
    uint32_t length; // Rows counted, then appended.
    struct nested_builder *children;
} nested_builder;

static firn_status builder_open(const type *type, cancel_watch *watch, arena *memory,
                                nested_builder *out, firn_error *err) {
    *out = (nested_builder){.watch = watch, .type = type};
    if (type->child_count > 0) {
        out->children = ARENA_NEW(memory, nested_builder, type->child_count);
        if (out->children == NULL) {
            return ARENA_FULL(memory, err);
        }
        for (uint32_t i = 0; i < type->child_count; i++) {
            TRY(builder_open(type->children[i].type, watch, memory, &out->children[i], err));
        }
    }
    return FIRN_OK;
}

// Counts one more row. False above 2^32 rows.
static bool count_null(nested_builder *self) {
    if (self->length == UINT32_MAX) {
        return false;
    }
    self->length++;
    const bool has_rows = type_physical(self->type) == PHYSICAL_STRUCT; // Also a NULL struct.
    for (uint32_t child = 0; has_rows && child < self->type->child_count; child++) {
        if (!count_null(&self->children[child])) {
            return false;
        }
    }
    return true;
}

// The same for a value; *at moves behind it. Also false when the query was stopped.
static bool count_value(nested_builder *self, const uint8_t **at) {
    const physical kind = type_physical(self->type);
    if (self->length == UINT32_MAX) {
        return false;
    }
    self->length++;
    if (kind == PHYSICAL_STRING) {
        const uint32_t size = take_u32(at);
        *at += size;
        return true;
    }
    if (kind != PHYSICAL_LIST && kind != PHYSICAL_STRUCT) {
        *at += row_value_size(self->type);
        return true;
    }
    const uint32_t count = kind == PHYSICAL_LIST ? take_u32(at) : 1;
    for (uint32_t i = 0; i < count; i++) {
        if (cancel_watch_is_raised(self->watch, 1)) {
            return false;
        }
        for (uint32_t child = 0; child < self->type->child_count; child++) {
            nested_builder *values = &self->children[child];
            const bool has_value = *(*at)++ != 0;
            if (!(has_value ? count_value(values, at) : count_null(values))) {
                return false;
            }
        }
    }
    return true;
}

// Makes the columns for what was counted, and begins at row 0.
static firn_status make_columns(nested_builder *self, arena *memory, firn_error *err) {
    TRY(column_new(memory, self->type, self->length, &self->column, err));
    self->length = 0;
    const uint32_t child_count = self->type->child_count;
    if (child_count == 0) {
        return FIRN_OK;
    }
    column *children = ARENA_NEW(memory, column, child_count);
    if (children == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t child = 0; child < child_count; child++) {
        TRY(make_columns(&self->children[child], memory, err));
    }
    self->column.children = children; // Filled in by finish_columns.
    return FIRN_OK;
}

static void finish_columns(nested_builder *self) {
    for (uint32_t child = 0; child < self->type->child_count; child++) {
        finish_columns(&self->children[child]);
        ((column *)(uintptr_t)self->column.children)[child] = self->children[child].column;
    }
}

static bool append_null(nested_builder *self, arena *memory) {
    const physical kind = type_physical(self->type);
    const uint32_t row = self->length++;
    const size_t width = physical_size(kind);
    if (width > 0) {
        memset(COLUMN_OUT(&self->column, uint8_t) + row * width, 0, width);
    }
    for (uint32_t child = 0; kind == PHYSICAL_STRUCT && child < self->type->child_count; child++) {
        if (!append_null(&self->children[child], memory)) {
            return false;
        }
    }
    return self->type->id == TYPE_NULL || column_set_null(memory, &self->column, row);
}

static void append_scalar(nested_builder *self, uint32_t row, const uint8_t **at) {
    const physical kind = type_physical(self->type);
    if (kind == PHYSICAL_STRING) {
        const uint32_t size = take_u32(at);
        COLUMN_OUT(&self->column, string_value)[row] = string_of((const char *)*at, size);
        *at += size;
    } else if (kind == PHYSICAL_BIT) {
        bitmap_put(COLUMN_OUT(&self->column, uint64_t), row, **at != 0);
        *at += 1;
    } else {
        const size_t width = physical_size(kind);
        if (width > 0) {
            memcpy(COLUMN_OUT(&self->column, uint8_t) + row * width, *at, width);
        }
        *at += width;
    }
}

static bool append_value(nested_builder *self, const uint8_t **at, arena *memory) {
    const physical kind = type_physical(self->type);
    const uint32_t row = self->length++;
    if (kind != PHYSICAL_LIST && kind != PHYSICAL_STRUCT) {
        append_scalar(self, row, at);
        return true;
    }
    uint32_t count = 1;
    if (kind == PHYSICAL_LIST) {
        count = take_u32(at);
        COLUMN_OUT(&self->column, list_value)
        [row] = (list_value){.offset = self->children[0].length, .size = count};
    }
    for (uint32_t i = 0; i < count; i++) {
        if (cancel_watch_is_raised(self->watch, 1)) {
            return false;
        }
        for (uint32_t child = 0; child < self->type->child_count; child++) {
            nested_builder *values = &self->children[child];
            const bool has_value = *(*at)++ != 0;
            if (!(has_value ? append_value(values, at, memory) : append_null(values, memory))) {
                return false;
            }
        }
    }
    return true;
}

firn_status row_nested_gather(const type *type, const uint8_t *const *values, uint32_t count,
                              arena *memory, column *out, firn_error *err) {
    nested_builder root;
    cancel_watch watch = {.cancel = memory->cancel};
    TRY(builder_open(type, &watch, memory, &root, err));
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = values[i];
        if (!(at == NULL ? count_null(&root) : count_value(&root, &at))) {
            TRY(cancel_check(memory->cancel, err));
            return FAIL(err, FIRN_INVALID, "lists of more than %u elements", UINT32_MAX);
        }
    }
    TRY(make_columns(&root, memory, err));
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = values[i];
        if (!(at == NULL ? append_null(&root, memory) : append_value(&root, &at, memory))) {
            return ARENA_FULL(memory, err);
        }
    }
    finish_columns(&root);
    *out = root.column;
    return FIRN_OK;
}
