#include "exec/join/join_table.h"

#include <assert.h>

// ---- Directories -------------------------------------------------------------------------------

static uint64_t slot_count_for(uint64_t row_count) {
    uint64_t count = 16;
    while (count < row_count + row_count / 4) {
        count *= 2;
    }
    return count;
}

uint64_t join_slots_bytes(const row_layout *layout, uint64_t row_count) {
    return slot_count_for(row_count) * sizeof(uint64_t) * (join_has_groups(layout) ? 2 : 1);
}

bool join_slots_open(join_slots *self, const row_store *store, uint64_t row_count, bool is_urgent) {
    pool *keeper = store->keeper;
    const uint64_t count = slot_count_for(row_count);
    const size_t size = join_slots_bytes(store->layout, row_count);
    if (!(is_urgent ? directory_open_urgent(keeper, size, &self->memory)
                    : directory_open(keeper, size, &self->memory))) {
        self->slots = NULL;
        return false;
    }
    self->slots = self->memory.data;
    self->groups = join_has_groups(store->layout) ? self->slots + count : NULL;
    self->mask = count - 1;
    return true;
}

void join_slots_close(join_slots *self) {
    if (self->memory.data != NULL) {
        directory_close(&self->memory);
    }
    *self = (join_slots){0};
}

#define ROWS_AT_ONCE 256

static void set_link(const row_layout *layout, uint8_t *row, uint64_t next) {
    join_link *link = join_link_of(layout, row);
    const uint64_t mark = atomic_load_explicit(link, memory_order_relaxed) & JOIN_MATCHED;
    atomic_store_explicit(link, mark | next, memory_order_relaxed);
}

// Can any left row equal it?
static bool can_match(const join_plan *plan, const uint8_t *row) {
    for (uint32_t i = 0; i < plan->right.key_count; i++) {
        if (!plan->null_equal[i] && !row_is_valid(&plan->right.layout, row, i)) {
            return false;
        }
    }
    return true;
}

WRAPS static uint64_t index_of(const join_table *self, int64_t value) {
    return (uint64_t)value - (uint64_t)self->first;
}

static void add_hashed(join_slots *slots, const row_layout *layout, uint8_t *row) {
    const uint64_t hash = row_hash(row);
    uint64_t *slot = &slots->slots[hash & slots->mask];
    set_link(layout, row, *slot & JOIN_POINTER_MASK);
    *slot = (*slot & ~JOIN_POINTER_MASK) | join_slot_bits(hash) | (uint64_t)(uintptr_t)row;
}

static void add_to_group(join_slots *slots, const row_layout *layout, uint8_t *row) {
    uint64_t *slot = &slots->groups[row_hash(row) >> JOIN_GROUP_SHIFT & slots->mask];
    memcpy(row_extra(layout, row) + JOIN_LINK_BYTES, slot, sizeof *slot);
    *slot = (uint64_t)(uintptr_t)row;
}

// A value outside of the range was never announced: then the array stays as it is, and the row is
// found nowhere. The bounds are those of the rows themselves, so it cannot be.
static void add_direct(join_table *self, const join_plan *plan, uint8_t *row) {
    const row_layout *layout = &plan->right.layout;
    const uint64_t index =
        index_of(self, join_key_of_row(layout, plan->right.column_types[0], 0, row));
    assert(index < self->range);
    if (index >= self->range) {
        return;
    }
    if (self->lookup == JOIN_LOOKUP_BITMAP) {
        _Atomic(uint64_t) *word = (_Atomic(uint64_t) *)self->array.data + index / 64;
        atomic_fetch_or_explicit(word, UINT64_C(1) << (index % 64), memory_order_relaxed);
        return;
    }
    uint64_t *head = (uint64_t *)self->array.data + index;
    if (*head != 0) {
        atomic_store_explicit(&self->has_chains, true, memory_order_relaxed);
    }
    set_link(layout, row, *head);
    *head = (uint64_t)(uintptr_t)row;
}

void join_table_add_page(join_table *self, const join_plan *plan, uint32_t part, row_page *page,
                         bool direct) {
    const row_layout *layout = &plan->right.layout;
    uint8_t *rows[ROWS_AT_ONCE];
    uint32_t at = 0;
    uint32_t count;
    while ((count = row_page_rows(page, layout, &at, rows, ROWS_AT_ONCE)) > 0) {
        for (uint32_t k = 0; k < count; k++) {
            if (!plan->null_aware && !can_match(plan, rows[k])) {
                continue;
            }
            if (direct) {
                add_direct(self, plan, rows[k]);
            } else {
                add_hashed(&self->parts[part], layout, rows[k]);
            }
            if (self->parts[part].groups != NULL) {
                add_to_group(&self->parts[part], layout, rows[k]);
            }
        }
    }
}

// ---- Integer keys ------------------------------------------------------------------------------

int64_t join_key_of_row(const row_layout *layout, const type *of, uint32_t number,
                        const uint8_t *row) {
    const uint8_t *value = row + layout->offsets[number];
    switch ((int)type_physical(of)) {
#define X(NAME, word, c_type)                                                                      \
    case PHYSICAL_##NAME: {                                                                        \
        c_type out;                                                                                \
        memcpy(&out, value, sizeof out);                                                           \
        return (int64_t)out;                                                                       \
    }
        PHYSICAL_INTEGER_LIST(X)
#undef X
    default:
        assert(false);
        return 0;
    }
}

const uint8_t *join_table_head_of(const join_table *self, const join_plan *plan, uint32_t part,
                                  const uint8_t *row) {
    uint64_t slot = 0;
    if (self->lookup == JOIN_LOOKUP_HASH) {
        const join_slots *slots = &self->parts[part];
        slot = slots->slots[row_hash(row) & slots->mask];
    } else if (self->lookup == JOIN_LOOKUP_DIRECT) {
        const int64_t key =
            join_key_of_row(&plan->right.layout, plan->right.column_types[0], 0, row);
        const uint64_t index = index_of(self, key);
        slot = index < self->range ? ((const uint64_t *)self->array.data)[index] : 0;
    }
    return (const uint8_t *)(uintptr_t)(slot & JOIN_POINTER_MASK);
}

// The flat values behind a column and how its rows find them.
typedef struct integer_source {
    const void *values;
    const uint32_t *codes;
    uint32_t mask; // 0: one value for all.
} integer_source;

static integer_source source_of(const column *keys) {
    integer_source out = {.values = keys->values, .mask = UINT32_MAX};
    if (keys->form == FORM_DICTIONARY) {
        out.codes = keys->values;
        out.values = keys->dictionary->values->values;
    } else if (keys->form == FORM_CONSTANT) {
        out.mask = 0;
    }
    return out;
}

void join_key_values(const column *keys, const uint16_t *lanes, uint32_t count, int64_t *out) {
    const integer_source source = source_of(keys);
    switch ((int)type_physical(keys->type)) {
#define X(NAME, word, c_type)                                                                      \
    case PHYSICAL_##NAME: {                                                                        \
        const c_type *in = source.values;                                                          \
        if (source.codes != NULL) {                                                                \
            for (uint32_t k = 0; k < count; k++) {                                                 \
                out[k] = (int64_t)in[source.codes[lanes[k]]];                                      \
            }                                                                                      \
        } else {                                                                                   \
            for (uint32_t k = 0; k < count; k++) {                                                 \
                out[k] = (int64_t)in[lanes[k] & source.mask];                                      \
            }                                                                                      \
        }                                                                                          \
        return;                                                                                    \
    }
        PHYSICAL_INTEGER_LIST(X)
#undef X
    default:
        assert(false);
    }
}

static void add_bound(join_bounds *self, int64_t value) {
    self->low = self->count == 0 || value < self->low ? value : self->low;
    self->high = self->count == 0 || value > self->high ? value : self->high;
    self->count++;
}

void join_bounds_add(join_bounds *self, const column *keys, const uint16_t *lanes, uint32_t count) {
    if (!self->is_known) {
        return;
    }
    const bool is_wide = type_physical(keys->type) == PHYSICAL_U64;
    const bool is_constant = keys->form == FORM_CONSTANT;
    for (uint32_t from = 0; from < count; from += ROWS_AT_ONCE) {
        int64_t values[ROWS_AT_ONCE];
        const uint32_t size = count - from < ROWS_AT_ONCE ? count - from : ROWS_AT_ONCE;
        join_key_values(keys, lanes + from, size, values);
        for (uint32_t k = 0; k < size; k++) {
            if (keys->validity == NULL ||
                bitmap_get(keys->validity, is_constant ? 0 : lanes[from + k])) {
                self->is_known = self->is_known && !(is_wide && values[k] < 0);
                add_bound(self, values[k]);
            }
        }
    }
}

void join_bounds_merge(join_bounds *self, const join_bounds *other) {
    self->is_known = self->is_known && other->is_known;
    if (other->count > 0) {
        const uint64_t count = self->count + other->count;
        add_bound(self, other->low);
        add_bound(self, other->high);
        self->count = count;
    }
}

WRAPS uint64_t join_bounds_range(const join_bounds *self) {
    if (!self->is_known || self->count == 0) {
        return UINT64_MAX;
    }
    const uint64_t distance = (uint64_t)self->high - (uint64_t)self->low;
    return distance == UINT64_MAX ? distance : distance + 1;
}

// ---- Looking up --------------------------------------------------------------------------------

void join_table_heads(const join_table *self, const uint64_t *hashes, uint32_t count,
                      const uint8_t **heads) {
    for (uint32_t k = 0; k < count; k++) {
        const uint64_t hash = hashes[k];
        const join_slots *part = &self->parts[join_table_part(self, hash)];
        const uint64_t slot = part->slots[hash & part->mask];
        const uint64_t bits = join_slot_bits(hash);
        const uint64_t pointer = (slot & bits) == bits ? slot & JOIN_POINTER_MASK : 0;
        heads[k] = (const uint8_t *)(uintptr_t)pointer;
    }
}

void join_table_groups(const join_table *self, const uint64_t *hashes, uint32_t count,
                       const uint8_t **heads) {
    for (uint32_t k = 0; k < count; k++) {
        const join_slots *part = &self->parts[join_table_part(self, hashes[k])];
        heads[k] = NULL;
        if (part->groups != NULL) { // Else it is spilled.
            const uint64_t slot = part->groups[hashes[k] >> JOIN_GROUP_SHIFT & part->mask];
            heads[k] = (const uint8_t *)(uintptr_t)slot;
        }
    }
}

WRAPS void join_table_heads_direct(const join_table *self, const int64_t *values, uint32_t count,
                                   const uint8_t **heads) {
    const uint64_t *array = self->array.data;
    const uint64_t first = (uint64_t)self->first;
    for (uint32_t k = 0; k < count; k++) {
        const uint64_t index = (uint64_t)values[k] - first;
        const uint64_t pointer = index < self->range ? array[index] : 0;
        heads[k] = (const uint8_t *)(uintptr_t)pointer;
    }
}

WRAPS void join_table_bits(const join_table *self, const int64_t *values, const uint16_t *lanes,
                           uint32_t count, uint64_t *matched) {
    const uint64_t *bitmap = self->array.data;
    const uint64_t first = (uint64_t)self->first;
    for (uint32_t k = 0; k < count; k++) {
        const uint64_t index = (uint64_t)values[k] - first;
        if (index < self->range && bitmap_get(bitmap, index)) {
            bitmap_set(matched, lanes[k]);
        }
    }
}
