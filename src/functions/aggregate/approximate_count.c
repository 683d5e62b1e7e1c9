// approx_count_distinct: up to EXACT_MAX hashes are kept as they are, and the answer is exact.
// Beyond that there is a sketch (base/distinct_sketch.h). Hashes are the same on each machine, and
// what order and what workers saw the values makes no difference.
#include "base/distinct_sketch.h"
#include "functions/aggregate/fold.h"

#define REGISTER_COUNT DISTINCT_SKETCH_SIZE
#define EXACT_MAX 64U

typedef struct sketch {
    uint32_t size;     // Bytes that are in use: 8 a hash, or REGISTER_COUNT.
    uint32_t capacity; // Bytes at data.
    char *data;        // Of the call's heap; of an imported state: of the column.
} sketch;

static bool is_exact(const sketch *self) {
    return self->size < REGISTER_COUNT;
}

// Room for `size` bytes; what is there stays. False when the heap is full.
static bool reserve(sketch *self, uint32_t size, const aggregate_call *call) {
    if (size <= self->capacity) {
        return true;
    }
    char *data = call->heap->allocate(call->heap, size);
    if (data == NULL) {
        return false;
    }
    if (self->size > 0) {
        memcpy(data, self->data, self->size);
    }
    call->heap->release(call->heap, self->capacity == 0 ? NULL : self->data, self->capacity);
    self->data = data;
    self->capacity = size;
    return true;
}

static void put_register(sketch *self, uint64_t hash) {
    distinct_sketch_put((uint8_t *)self->data, hash);
}

static bool make_registers(sketch *self, const aggregate_call *call) {
    uint64_t hashes[EXACT_MAX];
    const uint32_t count = self->size / 8;
    if (count > 0) {
        memcpy(hashes, self->data, self->size);
    }
    self->size = 0;
    if (!reserve(self, REGISTER_COUNT, call)) {
        return false;
    }
    self->size = REGISTER_COUNT;
    memset(self->data, 0, REGISTER_COUNT);
    for (uint32_t i = 0; i < count; i++) {
        put_register(self, hashes[i]);
    }
    return true;
}

static bool put_hash(sketch *self, uint64_t hash, const aggregate_call *call) {
    if (is_exact(self)) {
        const uint32_t count = self->size / 8;
        uint64_t is_there = 0;
        for (uint32_t i = 0; i < count; i++) {
            uint64_t known;
            memcpy(&known, self->data + (size_t)i * 8, 8);
            is_there |= known == hash;
        }
        if (is_there != 0) {
            return true;
        }
        if (count < EXACT_MAX) {
            const uint32_t room = count == 0 ? 8 : self->size * 2;
            if (self->size == self->capacity && !reserve(self, room, call)) {
                return false;
            }
            memcpy(self->data + self->size, &hash, 8);
            self->size += 8;
            return true;
        }
        if (!make_registers(self, call)) {
            return false;
        }
    }
    put_register(self, hash);
    return true;
}

static bool add(sketch *self, const aggregate_call *call, const column *const *args, uint32_t k) {
    cancel_watch watch = {.cancel = call->scratch->cancel};
    const uint64_t hash = column_hash_row_watched(args[0], fold_lane(call, args[0], k), &watch);
    return put_hash(self, distinct_sketch_mix(hash), call);
}

static bool merge(sketch *target, const sketch *source, const aggregate_call *call) {
    if (is_exact(source)) {
        for (uint32_t i = 0; i < source->size / 8; i++) {
            uint64_t hash;
            memcpy(&hash, source->data + (size_t)i * 8, 8);
            if (!put_hash(target, hash, call)) {
                return false;
            }
        }
        return true;
    }
    if (is_exact(target) && !make_registers(target, call)) {
        return false;
    }
    for (uint32_t i = 0; i < REGISTER_COUNT; i++) {
        const char other = source->data[i];
        target->data[i] = target->data[i] > other ? target->data[i] : other;
    }
    return true;
}

static fold_answer value_of(const sketch *self, const aggregate_call *call, column *out,
                            uint32_t k) {
    (void)call;
    COLUMN_OUT(out, int64_t)
    [k] = is_exact(self) ? self->size / 8 : distinct_sketch_estimate((const uint8_t *)self->data);
    return FOLD_GOOD;
}

FOLD_UPDATE_OR(approximate, sketch, add, KERNEL_NO_MEMORY)
FOLD_UPDATE_ONE_OR(approximate, sketch, add, KERNEL_NO_MEMORY)
FOLD_COMBINE_OR(approximate, sketch, merge, KERNEL_NO_MEMORY)
FOLD_FINISH(approximate, sketch, value_of)

static uint32_t approximate_export(aggregate_call *call, void *const *states, uint32_t offset,
                                   column *out) {
    for (uint32_t k = 0; k < call->count; k++) {
        const sketch *self = fold_state(states, k, offset);
        COLUMN_OUT(out, string_value)[k] = string_of(self->data, self->size);
    }
    return call->count;
}

static uint32_t approximate_import(aggregate_call *call, const column *const *columns,
                                   void *const *states, uint32_t offset) {
    for (uint32_t k = 0; k < call->count; k++) {
        const string_value *value =
            &COLUMN_VALUES(columns[0], string_value)[k & column_mask(columns[0])];
        // Merging only reads its source. States of other machines are no more than these.
        const sketch source = {.size = value->size, .data = (char *)(uintptr_t)string_data(value)};
        if (value->size > REGISTER_COUNT ||
            (value->size < REGISTER_COUNT && value->size > EXACT_MAX * 8)) {
            return k;
        }
        if (!merge(fold_state(states, k, offset), &source, call)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

const aggregate_function aggregate_approx_count_distinct = {
    .name = "approx_count_distinct",
    .aliases = "approx_distinct",
    .category = "aggregate",
    .summary = "about how many different values there are, in 4 KiB of memory a group: exact up to "
               "64, beyond that with a standard error of 1.6 %",
    .examples =
        (const char *const[]){"approx_count_distinct(x) <- (1), (2), (2), (NULL)", "2",
                              "approx_count_distinct(x) <- ('a'), ('b'), ('a'), ('')", "3",
                              "approx_count_distinct(x) <- (NULL)", "0",
                              "approx_count_distinct(x) <- (0.0::DOUBLE), (-0.0::DOUBLE)", "1",
                              "approx_count_distinct(x) <- ([1]), ([1, 2]), ([1])", "2", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_EMPTY_IS_ZERO | AGGREGATE_DISTINCT_IS_SAME,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "BIGINT <- ANY",
             .state_columns = "BINARY",
             .state_has_heap = true,
             FOLD_MEMBERS(approximate, sketch)},
            {0},
        },
};
