#include "functions/aggregate/held_value.h"

#include <assert.h>

uint32_t held_size(const type *const *types) {
    const physical kind = type_physical(types[0]);
    const uint32_t width = kind == PHYSICAL_BIT ? 1 : physical_size(kind);
    return 8 + (width + 7) / 8 * 8;
}

static char *held_bytes(const held_string *self) {
    return (char *)(uintptr_t)self->value.data;
}

bool held_string_put(held_string *self, const string_value *value, const aggregate_call *call) {
    self->has_value = HELD_VALUE;
    if (string_is_inline(value)) {
        self->value = *value;
        self->capacity = 0;
        return true;
    }
    char *bytes = self->capacity >= value->size ? held_bytes(self) : NULL;
    if (bytes == NULL) {
        const uint32_t room = held_room(self->capacity, value->size);
        call->heap->release(call->heap, self->capacity == 0 ? NULL : held_bytes(self),
                            self->capacity);
        self->capacity = 0;
        bytes = call->heap->allocate(call->heap, room);
        if (bytes == NULL) {
            return false;
        }
        self->capacity = room;
    }
    (void)cancel_copy(call->scratch->cancel, bytes, value->data, value->size);
    self->value = string_of(bytes, value->size);
    return true;
}

int held_compare(const type *type, const void *left, const void *right) {
    if (type_physical(type) == PHYSICAL_BIT) {
        return (int)*(const uint8_t *)left - (int)*(const uint8_t *)right;
    }
    _Alignas(32) char values[2][sizeof(i256)];
    const size_t width = physical_size(type_physical(type));
    assert(width <= sizeof values[0]);
    memcpy(values[0], left, width);
    memcpy(values[1], right, width);
    const column one = {.type = type, .form = FORM_CONSTANT, .length = 1, .values = values[0]};
    const column two = {.type = type, .form = FORM_CONSTANT, .length = 1, .values = values[1]};
    return column_compare_rows(&one, 0, &two, 0);
}

// ---- States as columns --------------------------------------------------------------------------

uint32_t held_fixed_finish(aggregate_call *call, void *const *states, uint32_t offset,
                           column *out) {
    const physical kind = type_physical(out->type);
    const size_t width = physical_size(kind);
    if (kind == PHYSICAL_NONE) {
        return call->count;
    }
    for (uint32_t k = 0; k < call->count; k++) {
        const held_fixed *state = fold_state(states, k, offset);
        if (state->has_value != HELD_VALUE) {
            if (!fold_set_null(call, out, k)) {
                return KERNEL_NO_MEMORY;
            }
        } else if (kind == PHYSICAL_BIT) {
            bitmap_put(COLUMN_OUT(out, uint64_t), k, *(const uint8_t *)state->value != 0);
        } else {
            memcpy(COLUMN_OUT(out, char) + k * width, state->value, width);
        }
    }
    return call->count;
}

uint32_t held_fixed_export(aggregate_call *call, void *const *states, uint32_t offset,
                           column *out) {
    return held_fixed_finish(call, states, offset, out);
}

// The bytes are copied: a batch that is handed out outlives the heap of its partition.
uint32_t held_string_finish(aggregate_call *call, void *const *states, uint32_t offset,
                            column *out) {
    for (uint32_t k = 0; k < call->count; k++) {
        const held_string *state = fold_state(states, k, offset);
        string_value *value = &COLUMN_OUT(out, string_value)[k];
        if (state->has_value != HELD_VALUE) {
            if (!fold_set_null(call, out, k)) {
                return KERNEL_NO_MEMORY;
            }
        } else if (!string_new(call->scratch, string_data(&state->value), state->value.size,
                               value)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

uint32_t held_string_export(aggregate_call *call, void *const *states, uint32_t offset,
                            column *out) {
    for (uint32_t k = 0; k < call->count; k++) {
        const held_string *state = fold_state(states, k, offset);
        COLUMN_OUT(out, string_value)[k] = state->value;
        if (state->has_value != HELD_VALUE && !fold_set_null(call, out, k)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

held_fixed held_fixed_import(const column *values, uint32_t k) {
    held_fixed out = {0};
    if (values->type->id != TYPE_NULL && column_row_is_valid(values, k)) {
        out.has_value = HELD_VALUE;
        held_take(values, k & column_mask(values), out.value);
    }
    return out;
}

held_string held_string_import(const column *values, uint32_t k) {
    held_string out = {0};
    if (column_row_is_valid(values, k)) {
        out.has_value = HELD_VALUE;
        out.value = COLUMN_VALUES(values, string_value)[k & column_mask(values)];
    }
    return out;
}
