#include "exec/aggregate/aggregate_choice.h"

#include <assert.h>

#include "exec/rows/rows_nested.h"
#include "functions/aggregate/held_value.h"

#define HELD_NULL 2 // Beside HELD_VALUE: the row that is chosen has no value.

typedef struct choice_state {
    uint32_t has_value; // 0: no row yet; HELD_VALUE or HELD_NULL.
    uint32_t pending;   // One more than the number of a row of this batch that is to be copied.
    uint64_t task;
    uint64_t part; // And row.
} choice_state;

typedef struct choice_text {
    string_value value;
    char *bytes; // Where a long value lies, or its like did before.
    uint32_t capacity;
    uint32_t padding;
} choice_text;

// Rows of a batch, or of imported states, that are compared with what is held.
typedef struct choosing {
    const aggregate_chooser *chooser;
    aggregate_call *call;
    cancel_watch watch;
} choosing;

static void *keys_of(choice_state *state) {
    return state + 1;
}

static void *value_of(const aggregate_chooser *chooser, choice_state *state) {
    return (char *)state + chooser->value_offset;
}

// ---- Texts --------------------------------------------------------------------------------------

// Room for `size` bytes that a value may be written to; NULL if there is no memory.
static char *make_room(choice_text *self, uint32_t size, state_heap *heap) {
    if (self->capacity < size) {
        const uint32_t room = held_room(self->capacity, size);
        heap->release(heap, self->bytes, self->capacity);
        self->capacity = 0;
        self->bytes = heap->allocate(heap, room);
        self->capacity = self->bytes == NULL ? 0 : room;
    }
    return self->bytes;
}

static bool put_text(choice_text *self, const string_value *value, const choosing *from) {
    if (string_is_inline(value)) {
        self->value = *value;
        return true;
    }
    char *bytes = make_room(self, value->size, from->call->heap);
    if (bytes == NULL) {
        return false;
    }
    (void)cancel_copy(from->watch.cancel, bytes, value->data, value->size);
    self->value = string_of(bytes, value->size);
    return true;
}

static bool put_nested(choice_text *self, const column *values, uint32_t lane, choosing *from) {
    const uint64_t size = row_nested_size(values, lane, &from->watch);
    char small[STRING_INLINE_MAX + 1];
    char *bytes = small;
    if (size > UINT32_MAX) {
        return false;
    }
    if (size > STRING_INLINE_MAX) {
        bytes = make_room(self, (uint32_t)size, from->call->heap);
        if (bytes == NULL) {
            return false;
        }
    }
    (void)row_nested_write(values, lane, (uint8_t *)bytes, &from->watch);
    self->value = string_of(bytes, (uint32_t)size);
    return true;
}

// ---- Which is ahead -----------------------------------------------------------------------------

// A row that may be chosen: `keys` as in a state.
typedef struct candidate {
    uint64_t task;
    uint64_t part;
    const void *keys;
} candidate;

static int compare_keys(choosing *self, const void *left, const void *right) {
    const aggregate_chooser *chooser = self->chooser;
    return chooser->keys_are_text    ? string_compare_watched(left, right, &self->watch)
           : chooser->keys_size == 0 ? 0
                                     : memcmp(left, right, chooser->keys_size);
}

static bool is_ahead(choosing *self, const candidate *row, choice_state *state) {
    if (state->has_value == 0) {
        return true;
    }
    int order = compare_keys(self, row->keys, keys_of(state));
    if (order == 0) {
        order = (row->task > state->task) - (row->task < state->task);
    }
    if (order == 0) {
        order = (row->part > state->part) - (row->part < state->part);
    }
    return self->chooser->takes_last ? order > 0 : order < 0;
}

// All but the bytes of texts: keys that are texts are the candidate's.
static void take_candidate(const choosing *self, const candidate *row, choice_state *state) {
    state->task = row->task;
    state->part = row->part;
    if (self->chooser->keys_are_text) {
        memcpy(keys_of(state), row->keys, sizeof(string_value));
    } else if (self->chooser->keys_size > 0) {
        memcpy(keys_of(state), row->keys, self->chooser->keys_size);
    }
}

// ---- Rows of a batch ----------------------------------------------------------------------------

// The keys of the rows that are looked at: of the k-th at data + k * stride.
typedef struct batch_keys {
    const char *data;
    size_t stride;
    bool is_by_row; // Not by k.
} batch_keys;

static firn_status encode_keys(const aggregate_context *self, const aggregate_chooser *chooser,
                               aggregate_values *values, const aggregate_rows *rows,
                               uint32_t row_count, batch_keys *out) {
    arena *scratch = self->scratch;
    *out = (batch_keys){0};
    if (chooser->key_count == 0) {
        return FIRN_OK;
    }
    column *keys = ARENA_NEW(scratch, column, chooser->key_count);
    if (keys == NULL) {
        return ARENA_FULL(scratch, self->err);
    }
    for (uint32_t i = 0; i < chooser->key_count; i++) {
        const column *key = &values->columns[chooser->keys[i]];
        if (key->form == FORM_RUNS) {
            TRY(aggregate_value_flat(values, chooser->keys[i], scratch, &key, self->err));
        }
        keys[i] = *key;
    }
    const batch in = {.row_count = row_count,
                      .column_count = chooser->key_count,
                      .columns = keys,
                      .selection = rows->rows,
                      .selected_count = rows->count};
    if (chooser->keys_are_text) {
        column *encoded = ARENA_NEW(scratch, column, 1);
        if (encoded == NULL) {
            return ARENA_FULL(scratch, self->err);
        }
        TRY(sort_keys_encode(keys, chooser->orders, chooser->key_count, &in, scratch, encoded,
                             self->err));
        *out = (batch_keys){
            .data = encoded->values, .stride = sizeof(string_value), .is_by_row = true};
        return FIRN_OK;
    }
    uint32_t *lanes = ARENA_NEW(scratch, uint32_t, rows->count);
    uint8_t *encoded = ARENA_NEW(scratch, uint8_t, (size_t)rows->count * chooser->keys_size);
    if (lanes == NULL || encoded == NULL) {
        return ARENA_FULL(scratch, self->err);
    }
    sort_keys_encode_fixed(keys, chooser->orders, chooser->key_count, &in, chooser->keys_size,
                           lanes, encoded);
    *out = (batch_keys){.data = (const char *)encoded, .stride = chooser->keys_size};
    return FIRN_OK;
}

static bool put_value(choosing *self, const column *values, uint32_t row, choice_state *state) {
    const aggregate_chooser *chooser = self->chooser;
    void *out = value_of(chooser, state);
    if (values->type->id == TYPE_NULL || !column_row_is_valid(values, row)) {
        state->has_value = HELD_NULL;
        return true;
    }
    state->has_value = HELD_VALUE;
    const uint32_t lane = row & column_mask(values);
    if (chooser->value_is_nested) {
        return put_nested(out, values, lane, self);
    }
    if (chooser->value_is_text) {
        return put_text(out, &COLUMN_VALUES(values, string_value)[lane], self);
    }
    held_take(values, lane, out);
    return true;
}

// The row that a state waits for, if it is row k.
static bool settle(choosing *self, const column *values, uint32_t k, uint32_t row,
                   choice_state *state) {
    if (state->pending != k + 1) {
        return true;
    }
    state->pending = 0;
    if (self->chooser->keys_are_text) {
        choice_text *keys = keys_of(state);
        const string_value borrowed = keys->value;
        if (!put_text(keys, &borrowed, self)) {
            return false;
        }
    }
    return put_value(self, values, row, state);
}

firn_status aggregate_choose(const aggregate_context *self, const aggregate_slot *slot,
                             aggregate_values *values, const aggregate_rows *rows) {
    aggregate_call call = aggregate_call_of(self, slot);
    choosing state = {
        .chooser = slot->chooser, .call = &call, .watch = {.cancel = self->scratch->cancel}};
    const column *arg;
    batch_keys keys;
    TRY(aggregate_value_flat(values, slot->args[0], self->scratch, &arg, self->err));
    TRY(encode_keys(self, slot->chooser, values, rows, arg->length, &keys));
    const uint32_t offset = self->shape->table.extra_offset + slot->state_offset;
    const uint64_t part = (uint64_t)self->sequence.part << 32;
    for (uint32_t k = 0; k < rows->count; k++) {
        const uint32_t row = rows->rows == NULL ? k : rows->rows[k];
        choice_state *held =
            (void *)((rows->groups == NULL ? rows->single : rows->groups[k]) + offset);
        const candidate found = {
            .task = self->sequence.task,
            .part = part | (self->sequence.first + row),
            .keys =
                keys.data == NULL ? NULL : keys.data + (keys.is_by_row ? row : k) * keys.stride};
        if (is_ahead(&state, &found, held)) {
            take_candidate(&state, &found, held);
            held->has_value = HELD_NULL;
            held->pending = k + 1;
        }
    }
    for (uint32_t k = 0; k < rows->count; k++) {
        const uint32_t row = rows->rows == NULL ? k : rows->rows[k];
        choice_state *held =
            (void *)((rows->groups == NULL ? rows->single : rows->groups[k]) + offset);
        if (!settle(&state, arg, k, row, held)) {
            return aggregate_fail(self, slot, KERNEL_NO_MEMORY);
        }
    }
    return FIRN_OK;
}

// ---- States -------------------------------------------------------------------------------------

static choosing choosing_of(aggregate_call *call) {
    return (choosing){
        .chooser = call->bound, .call = call, .watch = {.cancel = call->scratch->cancel}};
}

// Texts of `source` are copied.
static bool merge(choosing *self, choice_state *target, choice_state *source) {
    const aggregate_chooser *chooser = self->chooser;
    const candidate row = {.task = source->task, .part = source->part, .keys = keys_of(source)};
    if (source->has_value == 0 || !is_ahead(self, &row, target)) {
        return true;
    }
    take_candidate(self, &row, target);
    target->has_value = source->has_value;
    if (chooser->keys_are_text &&
        !put_text(keys_of(target), &((choice_text *)keys_of(source))->value, self)) {
        return false;
    }
    void *value = value_of(chooser, target);
    if (source->has_value == HELD_NULL) {
        return true;
    }
    if (chooser->value_is_text) {
        return put_text(value, &((choice_text *)value_of(chooser, source))->value, self);
    }
    memcpy(value, value_of(chooser, source), chooser->value_size);
    return true;
}

static uint32_t combine(aggregate_call *call, void *const *targets, void *const *sources,
                        uint32_t offset) {
    choosing self = choosing_of(call);
    for (uint32_t k = 0; k < call->count; k++) {
        if (!merge(&self, fold_state(targets, k, offset), fold_state(sources, k, offset))) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

static bool finish_fixed(const choosing *self, choice_state *state, uint32_t k, column *out) {
    const physical kind = type_physical(out->type);
    const size_t width = physical_size(kind);
    const void *value = value_of(self->chooser, state);
    if (state->has_value != HELD_VALUE) {
        return fold_set_null(self->call, out, k);
    }
    if (kind == PHYSICAL_BIT) {
        bitmap_put(COLUMN_OUT(out, uint64_t), k, *(const uint8_t *)value != 0);
    } else if (width > 0) {
        memcpy(COLUMN_OUT(out, char) + k * width, value, width);
    }
    return true;
}

// Nested values: the columns that come of them point into states, so they are copied.
static uint32_t finish_nested(const choosing *self, void *const *states, uint32_t offset,
                              column *out) {
    aggregate_call *call = self->call;
    const uint8_t **values = ARENA_NEW(call->scratch, const uint8_t *, (size_t)call->count + 1);
    if (values == NULL) {
        return KERNEL_NO_MEMORY;
    }
    for (uint32_t k = 0; k < call->count; k++) {
        choice_state *state = fold_state(states, k, offset);
        const choice_text *value = value_of(self->chooser, state);
        values[k] =
            state->has_value == HELD_VALUE ? (const uint8_t *)string_data(&value->value) : NULL;
    }
    column gathered;
    firn_error err = ERR_INIT;
    return row_nested_gather(out->type, values, call->count, call->scratch, &gathered, &err) ==
                       FIRN_OK &&
                   column_copy(call->scratch, &gathered, out, &err) == FIRN_OK
               ? call->count
               : KERNEL_NO_MEMORY;
}

static uint32_t finish(aggregate_call *call, void *const *states, uint32_t offset, column *out) {
    const choosing self = choosing_of(call);
    if (self.chooser->value_is_nested) {
        return finish_nested(&self, states, offset, out);
    }
    for (uint32_t k = 0; k < call->count; k++) {
        choice_state *state = fold_state(states, k, offset);
        const choice_text *value = value_of(self.chooser, state);
        const bool is_text = self.chooser->value_is_text && state->has_value == HELD_VALUE;
        if (is_text ? !string_new(call->scratch, string_data(&value->value), value->value.size,
                                  &COLUMN_OUT(out, string_value)[k])
                    : !finish_fixed(&self, state, k, out)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

// ---- States as columns: has_value, task, part, keys, value --------------------------------------

#define COLUMN_HAS 0
#define COLUMN_TASK 1
#define COLUMN_PART 2
#define COLUMN_KEYS 3
#define COLUMN_VALUE 4
#define COLUMN_COUNT 5

static string_value exported_keys(const aggregate_chooser *chooser, choice_state *state) {
    return chooser->keys_are_text ? ((choice_text *)keys_of(state))->value
                                  : string_of(keys_of(state), chooser->keys_size);
}

// Texts point into the states.
static uint32_t export_state(aggregate_call *call, void *const *states, uint32_t offset,
                             column *out) {
    const choosing self = choosing_of(call);
    column *values = &out[COLUMN_VALUE];
    for (uint32_t k = 0; k < call->count; k++) {
        choice_state *state = fold_state(states, k, offset);
        COLUMN_OUT(&out[COLUMN_HAS], uint8_t)[k] = (uint8_t)state->has_value;
        COLUMN_OUT(&out[COLUMN_TASK], uint64_t)[k] = state->task;
        COLUMN_OUT(&out[COLUMN_PART], uint64_t)[k] = state->part;
        COLUMN_OUT(&out[COLUMN_KEYS], string_value)
        [k] = exported_keys(self.chooser, state);
        const choice_text *value = value_of(self.chooser, state);
        if (self.chooser->value_is_text && state->has_value == HELD_VALUE) {
            COLUMN_OUT(values, string_value)[k] = value->value;
        } else if (!finish_fixed(&self, state, k, values)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

// A state whose texts are those of the columns.
static void imported(const aggregate_chooser *chooser, const column *const *columns, uint32_t k,
                     choice_state *out) {
    const column *keys = columns[COLUMN_KEYS];
    const column *values = columns[COLUMN_VALUE];
    const string_value *key = &COLUMN_VALUES(keys, string_value)[k & column_mask(keys)];
    memset(out, 0, chooser->state_size);
    out->has_value =
        COLUMN_VALUES(columns[COLUMN_HAS], uint8_t)[k & column_mask(columns[COLUMN_HAS])];
    out->task =
        COLUMN_VALUES(columns[COLUMN_TASK], uint64_t)[k & column_mask(columns[COLUMN_TASK])];
    out->part =
        COLUMN_VALUES(columns[COLUMN_PART], uint64_t)[k & column_mask(columns[COLUMN_PART])];
    if (chooser->keys_are_text) {
        memcpy(keys_of(out), key, sizeof *key);
    } else if (chooser->keys_size > 0 && out->has_value != 0) {
        memcpy(keys_of(out), string_data(key), chooser->keys_size);
    }
    if (out->has_value != HELD_VALUE) {
        return;
    }
    const uint32_t lane = k & column_mask(values);
    if (chooser->value_is_text) {
        memcpy(value_of(chooser, out), &COLUMN_VALUES(values, string_value)[lane],
               sizeof(string_value));
    } else {
        held_take(values, lane, value_of(chooser, out));
    }
}

static uint32_t import_state(aggregate_call *call, const column *const *columns,
                             void *const *states, uint32_t offset) {
    choosing self = choosing_of(call);
    _Alignas(16) uint8_t source[CHOICE_STATE_MAX];
    for (uint32_t k = 0; k < call->count; k++) {
        imported(self.chooser, columns, k, (void *)source);
        if (!merge(&self, fold_state(states, k, offset), (void *)source)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

// ---- What an aggregate needs --------------------------------------------------------------------

static const aggregate_overload plain = {.combine = combine,
                                         .finish = finish,
                                         .export_state = export_state,
                                         .import_state = import_state};
static const aggregate_overload heaped = {.state_has_heap = true,
                                          .combine = combine,
                                          .finish = finish,
                                          .export_state = export_state,
                                          .import_state = import_state};

static void lay_out(aggregate_chooser *self) {
    const physical kind = type_physical(self->value);
    const uint32_t width = kind == PHYSICAL_BIT ? 1 : physical_size(kind);
    self->value_is_nested = kind == PHYSICAL_LIST || kind == PHYSICAL_STRUCT;
    self->value_is_text = self->value_is_nested || kind == PHYSICAL_STRING;
    self->value_size = self->value_is_text ? (uint32_t)sizeof(choice_text) : (width + 7) / 8 * 8;
    self->value_offset = (uint32_t)sizeof(choice_state) +
                         (self->keys_are_text ? (uint32_t)sizeof(choice_text) : self->keys_size);
    self->state_size = self->value_offset + self->value_size;
    assert(self->state_size <= CHOICE_STATE_MAX);
}

static firn_status export_types(const aggregate_chooser *self, arena *memory, schema *out,
                                firn_error *err) {
    field *fields = ARENA_NEW(memory, field, COLUMN_COUNT);
    if (fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    fields[COLUMN_HAS] = (field){.type = TYPE_OF(UTINYINT)};
    fields[COLUMN_TASK] = (field){.type = TYPE_OF(UBIGINT)};
    fields[COLUMN_PART] = (field){.type = TYPE_OF(UBIGINT)};
    fields[COLUMN_KEYS] = (field){.type = TYPE_OF(BINARY)};
    fields[COLUMN_VALUE] = (field){.type = self->value_is_nested ? TYPE_OF(BINARY) : self->value};
    *out = (schema){.fields = fields, .count = COLUMN_COUNT};
    return FIRN_OK;
}

firn_status aggregate_chooser_make(aggregate_slot *slot, const aggregate_choice *choice,
                                   const chooser_keys *keys, arena *memory, firn_error *err) {
    aggregate_chooser *self = ARENA_NEW(memory, aggregate_chooser, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (aggregate_chooser){.takes_last = choice->takes_last,
                                .value = slot->types[0],
                                .key_count = keys->count,
                                .keys = keys->roots,
                                .orders = keys->orders};
    self->keys_size = sort_keys_fixed_size(keys->types, keys->count);
    self->keys_are_text = keys->count > 0 && self->keys_size == 0;
    lay_out(self);
    slot->chooser = self;
    slot->overload = self->keys_are_text || self->value_is_text ? &heaped : &plain;
    slot->state_size = self->state_size;
    slot->is_fold = true;
    return slot->overload->state_has_heap ? export_types(self, memory, &slot->exported, err)
                                          : FIRN_OK;
}
