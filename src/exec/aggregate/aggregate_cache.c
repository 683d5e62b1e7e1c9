#include "exec/aggregate/aggregate_cache.h"

#include "exec/aggregate/aggregate_choice.h"

#define CACHE_GROUPS 4096 // Combinations of keys.
#define KEYS_MAX 8
#define RANGE_MAX 2048   // Of one integer key.
#define PAUSE_BATCHES 64 // Between looks at keys that had too large a range.
#define TOGETHER_MAX 64  // Groups of a batch whose rows are put together.

// How a key becomes a number below `count`; the last one is NULL's.
typedef struct cache_key {
    uint64_t identity; // Of the dictionary; 0: an integer from `low` on.
    int64_t low;
    uint32_t count;
    uint32_t stride;
} cache_key;

struct aggregate_cache {
    uint32_t key_count; // 0: never of use.
    cache_key keys[KEYS_MAX];
    uint32_t combinations; // 0: none are known.
    uint32_t pause;
    uint64_t generation; // Of the table: how often it was emptied.
    uint8_t **groups;    // By combination.
};

firn_status aggregate_cache_open(const aggregate_shape *shape, arena *memory, aggregate_cache **out,
                                 firn_error *err) {
    aggregate_cache *self = ARENA_NEW(memory, aggregate_cache, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    const bool is_used =
        shape->has_groups && shape->set_count == 0 && shape->group_keys <= KEYS_MAX;
    *self = (aggregate_cache){.key_count = is_used ? shape->group_keys : 0};
    if (is_used) {
        self->groups = ARENA_NEW(memory, uint8_t *, CACHE_GROUPS);
        if (self->groups == NULL) {
            return ARENA_FULL(memory, err);
        }
    }
    *out = self;
    return FIRN_OK;
}

void aggregate_cache_clear(aggregate_cache *self) {
    self->generation++;
    for (uint32_t i = 0; i < self->combinations; i++) {
        self->groups[i] = NULL;
    }
}

// ---- Which keys --------------------------------------------------------------------------------

static uint32_t row_at(const stage_input *in, uint32_t k) {
    return in->rows == NULL ? k : in->rows[k];
}

// Lowest and highest value of the rows that count, NULLs included (any value stands there).
#define RANGE_OF(c_type)                                                                           \
    do {                                                                                           \
        const c_type *values = key->values;                                                        \
        c_type lowest = values[row_at(in, 0)];                                                     \
        c_type highest = lowest;                                                                   \
        for (uint32_t k = 1; k < in->count; k++) {                                                 \
            const c_type value = values[row_at(in, k)];                                            \
            lowest = value < lowest ? value : lowest;                                              \
            highest = value > highest ? value : highest;                                           \
        }                                                                                          \
        *low = (int64_t)lowest;                                                                    \
        *high = (int64_t)highest;                                                                  \
        return true;                                                                               \
    } while (0)

static bool range_of(const column *key, const stage_input *in, int64_t *low, int64_t *high) {
    switch ((int)type_physical(key->type)) { // Others have no small range.
    case PHYSICAL_I8:
        RANGE_OF(int8_t);
    case PHYSICAL_I16:
        RANGE_OF(int16_t);
    case PHYSICAL_I32:
        RANGE_OF(int32_t);
    case PHYSICAL_I64:
        RANGE_OF(int64_t);
    case PHYSICAL_U8:
        RANGE_OF(uint8_t);
    case PHYSICAL_U16:
        RANGE_OF(uint16_t);
    case PHYSICAL_U32:
        RANGE_OF(uint32_t);
    case PHYSICAL_BIT:
        *low = 0;
        *high = 1;
        return true;
    default:
        return false;
    }
}

// The numbers that a key's values have; those it had before if they still serve.
static bool describe_key(const column *key, const stage_input *in, const cache_key *before,
                         cache_key *out) {
    if (key->form == FORM_DICTIONARY) {
        *out =
            (cache_key){.identity = key->dictionary->identity, .count = key->dictionary->size + 1};
        return key->dictionary->size < CACHE_GROUPS;
    }
    int64_t low = 0;
    int64_t high = 0;
    if (key->form != FORM_FLAT || !range_of(key, in, &low, &high)) {
        return false;
    }
    if (before->count > 0 && before->identity == 0) { // Only ever grows.
        const int64_t last = before->low + ((int64_t)before->count - 2);
        low = before->low < low ? before->low : low;
        high = last > high ? last : high;
    }
    int64_t range;
    if (__builtin_sub_overflow(high, low, &range) || range >= RANGE_MAX) {
        return false;
    }
    *out = (cache_key){.low = low, .count = (uint32_t)range + 2};
    return true;
}

// Describes all keys of a batch; forgets the groups if a description changed.
static bool describe(aggregate_cache *self, const stage_input *in) {
    cache_key keys[KEYS_MAX];
    uint64_t combinations = 1;
    bool is_same = self->combinations > 0;
    for (uint32_t left = self->key_count; left > 0; left--) {
        const uint32_t i = left - 1;
        const cache_key *before = &self->keys[i];
        if (!describe_key(&in->columns[i], in, before, &keys[i])) {
            return false;
        }
        keys[i].stride = (uint32_t)combinations;
        combinations *= keys[i].count;
        if (combinations > CACHE_GROUPS) {
            return false;
        }
        is_same = is_same && keys[i].identity == before->identity && keys[i].low == before->low &&
                  keys[i].count == before->count;
    }
    if (!is_same) {
        memcpy(self->keys, keys, sizeof keys);
        self->combinations = (uint32_t)combinations;
        aggregate_cache_clear(self);
    }
    return true;
}

// ---- Numbers of rows ----------------------------------------------------------------------------

#define ADD_NUMBERS(c_type)                                                                        \
    do {                                                                                           \
        const c_type *values = key->values;                                                        \
        for (uint32_t k = 0; k < in->count; k++) {                                                 \
            const int64_t number = (int64_t)values[row_at(in, k)] - how->low;                      \
            out[k] = (uint16_t)(out[k] + (uint32_t)number * how->stride);                          \
        }                                                                                          \
    } while (0)

// Adds what a key's value contributes to each row's combination.
static void add_numbers(const column *key, const stage_input *in, const cache_key *how,
                        uint16_t *out) {
    if (key->form == FORM_DICTIONARY) {
        const uint32_t *codes = key->values;
        for (uint32_t k = 0; k < in->count; k++) {
            out[k] = (uint16_t)(out[k] + codes[row_at(in, k)] * how->stride);
        }
        return;
    }
    switch ((int)type_physical(key->type)) {
    case PHYSICAL_I8:
        ADD_NUMBERS(int8_t);
        break;
    case PHYSICAL_I16:
        ADD_NUMBERS(int16_t);
        break;
    case PHYSICAL_I32:
        ADD_NUMBERS(int32_t);
        break;
    case PHYSICAL_I64:
        ADD_NUMBERS(int64_t);
        break;
    case PHYSICAL_U8:
        ADD_NUMBERS(uint8_t);
        break;
    case PHYSICAL_U16:
        ADD_NUMBERS(uint16_t);
        break;
    case PHYSICAL_U32:
        ADD_NUMBERS(uint32_t);
        break;
    default:
        for (uint32_t k = 0; k < in->count; k++) {
            out[k] = (uint16_t)(out[k] + bitmap_get(key->values, row_at(in, k)) * how->stride);
        }
        break;
    }
}

// A NULL row's lane may hold anything: its number is set anew.
static void add_null_numbers(const column *key, const stage_input *in, const cache_key *how,
                             const uint16_t *before, uint16_t *out) {
    for (uint32_t k = 0; k < in->count; k++) {
        if (!bitmap_get(key->validity, row_at(in, k))) {
            out[k] = (uint16_t)(before[k] + (how->count - 1) * how->stride);
        }
    }
}

static bool number_rows(const aggregate_cache *self, const stage_input *in, arena *scratch,
                        uint16_t *out) {
    memset(out, 0, in->count * sizeof *out);
    for (uint32_t i = 0; i < self->key_count; i++) {
        const column *key = &in->columns[i];
        uint16_t *before = NULL;
        if (key->validity != NULL) {
            before = ARENA_NEW(scratch, uint16_t, in->count);
            if (before == NULL) {
                return false;
            }
            memcpy(before, out, in->count * sizeof *out);
        }
        add_numbers(key, in, &self->keys[i], out);
        if (before != NULL) {
            add_null_numbers(key, in, &self->keys[i], before, out);
        }
    }
    return true;
}

// ---- Groups ------------------------------------------------------------------------------------

typedef struct caching {
    aggregate_cache *cache;
    const stage_owner *owner;
    const aggregate_context *context;
    const uint16_t *numbers; // By k of the rows asked for.
} caching;

// New groups begin without any row in their states.
static firn_status remember(void *user, const stage_places *placed, firn_error *err) {
    const caching *self = user;
    const aggregate_context *context = self->context;
    uint8_t **extra = ARENA_NEW(context->scratch, uint8_t *, (size_t)placed->fresh_count + 1);
    if (extra == NULL) {
        return ARENA_FULL(context->scratch, err);
    }
    for (uint32_t i = 0; i < placed->fresh_count; i++) {
        extra[i] = row_extra(&context->shape->table, placed->places[placed->fresh[i]]);
    }
    aggregate_init(context->shape, extra, placed->fresh_count);
    for (uint32_t i = 0; i < placed->count; i++) {
        const uint32_t k = placed->ks == NULL ? i : placed->ks[i];
        self->cache->groups[self->numbers[k]] = placed->places[i];
    }
    return FIRN_OK;
}

static firn_status flush(void *user, aggregate_stage *stage, firn_error *err) {
    const caching *self = user;
    return self->owner->flush(self->owner->user, stage, err);
}

static firn_status append(void *user, aggregate_stage *stage, const stage_input *in,
                          firn_error *err) {
    // Groups of one row without anything in their states: they do no harm, and the rows are added
    // in another way.
    (void)user;
    (void)stage;
    (void)in;
    (void)err;
    return FIRN_OK;
}

// One row of each combination that has no group yet.
static firn_status find_unknown(const caching *self, const stage_input *in, const uint16_t *numbers,
                                stage_input *out, uint16_t **out_numbers) {
    arena *scratch = self->context->scratch;
    uint8_t **groups = self->cache->groups;
    uint8_t *const asked = (uint8_t *)self->cache; // Stands for a group that is being asked for.
    uint16_t *rows = ARENA_NEW(scratch, uint16_t, in->count);
    *out_numbers = ARENA_NEW(scratch, uint16_t, in->count);
    if (rows == NULL || *out_numbers == NULL) {
        return ARENA_FULL(scratch, self->context->err);
    }
    uint32_t count = 0;
    for (uint32_t k = 0; k < in->count; k++) {
        if (groups[numbers[k]] == NULL) {
            groups[numbers[k]] = asked;
            rows[count] = (uint16_t)row_at(in, k);
            (*out_numbers)[count++] = numbers[k];
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        groups[(*out_numbers)[i]] = NULL;
    }
    *out = (stage_input){.columns = in->columns, .rows = rows, .count = count};
    return FIRN_OK;
}

// Makes sure that all combinations of the batch have a group. *all tells; not if the table was
// emptied meanwhile.
static firn_status complete(caching *self, aggregate_stage *stage, const stage_input *in,
                            const uint16_t *numbers, bool *all) {
    stage_input unknown;
    uint16_t *unknown_numbers;
    *all = true;
    TRY(find_unknown(self, in, numbers, &unknown, &unknown_numbers));
    if (unknown.count == 0) {
        return FIRN_OK;
    }
    uint64_t *hashes = ARENA_NEW(self->context->scratch, uint64_t, unknown.count);
    if (hashes == NULL || !group_hash_rows(unknown.columns, self->cache->key_count, unknown.rows,
                                           unknown.count, self->context->scratch, hashes)) {
        return ARENA_FULL(self->context->scratch, self->context->err);
    }
    unknown.hashes = hashes;
    const uint64_t generation = self->cache->generation;
    self->numbers = unknown_numbers;
    const stage_owner owner = {.user = self,
                               .scratch = self->context->scratch,
                               .placed = remember,
                               .flush = flush,
                               .append = append};
    TRY(stage_add(stage, &unknown, &owner, self->context->err));
    *all = generation == self->cache->generation;
    for (uint32_t i = 0; i < unknown.count && *all; i++) {
        *all = self->cache->groups[unknown_numbers[i]] != NULL;
    }
    if (!*all) {
        aggregate_cache_clear(self->cache);
    }
    return FIRN_OK;
}

// ---- States ------------------------------------------------------------------------------------

// The rows of each combination one behind another, in order. How many combinations there are.
typedef struct gathering {
    uint32_t count;
    uint16_t numbers[TOGETHER_MAX];
    uint32_t ends[TOGETHER_MAX];
    uint16_t *rows;
} gathering;

// False if there are more than TOGETHER_MAX.
static bool gather(const stage_input *in, const uint16_t *numbers, uint8_t *slots, gathering *out) {
    uint32_t counts[TOGETHER_MAX] = {0};
    out->count = 0;
    for (uint32_t k = 0; k < in->count; k++) {
        const uint16_t number = numbers[k];
        if (slots[number] == UINT8_MAX) {
            if (out->count == TOGETHER_MAX) {
                return false;
            }
            out->numbers[out->count] = number;
            slots[number] = (uint8_t)out->count++;
        }
        counts[slots[number]]++;
    }
    uint32_t next[TOGETHER_MAX];
    uint32_t at = 0;
    for (uint32_t i = 0; i < out->count; i++) {
        next[i] = at;
        at += counts[i];
        out->ends[i] = at;
    }
    for (uint32_t k = 0; k < in->count; k++) {
        out->rows[next[slots[numbers[k]]]++] = (uint16_t)row_at(in, k);
    }
    return true;
}

static bool has_states(const aggregate_shape *shape) {
    for (uint32_t i = 0; i < shape->slot_count; i++) {
        if (shape->slots[i].collector == ROW_NONE) {
            return true;
        }
    }
    return false;
}

// Is a row chosen by lists or structs? Their keys are long, and rows that have one in common share
// it, of whatever groups they are: they are better looked at together.
static bool is_chosen_by_nested(const aggregate_shape *shape, const aggregate_values *values) {
    for (uint32_t i = 0; i < shape->slot_count; i++) {
        const aggregate_chooser *chooser = shape->slots[i].chooser;
        for (uint32_t k = 0; chooser != NULL && k < chooser->key_count; k++) {
            if (type_is_nested(values->columns[chooser->keys[k]].type)) {
                return true;
            }
        }
    }
    return false;
}

static firn_status update(const caching *self, const stage_input *in, const uint16_t *numbers,
                          aggregate_values *values) {
    const aggregate_context *context = self->context;
    if (!has_states(context->shape)) {
        return FIRN_OK;
    }
    arena *scratch = context->scratch;
    uint8_t *slots = ARENA_NEW(scratch, uint8_t, self->cache->combinations);
    gathering together = {.rows = ARENA_NEW(scratch, uint16_t, in->count)};
    if (slots == NULL || together.rows == NULL) {
        return ARENA_FULL(scratch, context->err);
    }
    memset(slots, UINT8_MAX, self->cache->combinations);
    if (!is_chosen_by_nested(context->shape, values) && gather(in, numbers, slots, &together)) {
        uint32_t from = 0;
        for (uint32_t i = 0; i < together.count; i++) {
            const aggregate_rows rows = {.rows =
                                             together.count == 1 ? in->rows : together.rows + from,
                                         .count = together.ends[i] - from,
                                         .single = self->cache->groups[together.numbers[i]]};
            TRY(aggregate_update_all(context, values, &rows));
            from = together.ends[i];
        }
        return FIRN_OK;
    }
    uint8_t **groups = ARENA_NEW(scratch, uint8_t *, in->count);
    if (groups == NULL) {
        return ARENA_FULL(scratch, context->err);
    }
    for (uint32_t k = 0; k < in->count; k++) {
        groups[k] = self->cache->groups[numbers[k]];
    }
    const aggregate_rows rows = {.rows = in->rows, .count = in->count, .groups = groups};
    return aggregate_update_all(context, values, &rows);
}

firn_status aggregate_cache_add(aggregate_cache *self, aggregate_stage *stage,
                                const stage_input *in, const stage_owner *owner,
                                const aggregate_context *context, aggregate_values *values,
                                bool *is_done) {
    *is_done = false;
    if (self->key_count == 0 || in->count == 0 || stage->rows_to_bypass > 0) {
        return FIRN_OK;
    }
    if (self->pause > 0) {
        self->pause--;
        return FIRN_OK;
    }
    if (!describe(self, in)) {
        self->pause = PAUSE_BATCHES;
        return FIRN_OK;
    }
    uint16_t *numbers = ARENA_NEW(context->scratch, uint16_t, in->count);
    if (numbers == NULL || !number_rows(self, in, context->scratch, numbers)) {
        return ARENA_FULL(context->scratch, context->err);
    }
    caching state = {.cache = self, .owner = owner, .context = context};
    bool all;
    TRY(complete(&state, stage, in, numbers, &all));
    if (!all) {
        return FIRN_OK;
    }
    *is_done = true;
    stage->rows_in_fill += in->count;
    return update(&state, in, numbers, values);
}
