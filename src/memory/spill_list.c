// Lists of slots, and runs that lie in extents.
#include <assert.h>
#include <string.h>

#include "memory/spill_private.h"

#define LIST_CAPACITY_MIN 8

// ---- Lists -------------------------------------------------------------------------------------

// Room for `count` slots. Grows in memory that is closed to keepers if need be: the list grows just
// when its owner shrinks.
static firn_status reserve(spill_list *self, size_t count, firn_error *err) {
    if (count <= self->capacity) {
        return FIRN_OK;
    }
    size_t capacity = self->capacity == 0 ? LIST_CAPACITY_MIN : self->capacity * 2;
    capacity = capacity < count ? count : capacity;
    const size_t size = capacity * sizeof *self->slots;
    if (!pool_take_urgent(self->owner, size)) {
        return POOL_FULL(self->owner, size, err);
    }
    spill_slot *slots = host_alloc(size);
    if (slots == NULL) {
        pool_give(self->owner, size);
        return FAIL(err, FIRN_NO_MEMORY, "no memory for a list of %zu spilled pages", capacity);
    }
    if (self->count > 0) {
        memcpy(slots, self->slots, self->count * sizeof *slots);
    }
    host_free(self->slots);
    pool_give(self->owner, self->capacity * sizeof *slots);
    self->slots = slots;
    self->capacity = capacity;
    return FIRN_OK;
}

firn_status spill_list_push(spill_list *self, spill_slot slot, firn_error *err) {
    TRY(reserve(self, self->count + 1, err));
    self->slots[self->count] = slot;
    self->count += 1;
    return FIRN_OK;
}

firn_status spill_list_append(spill_list *self, spill_list *from, firn_error *err) {
    if (self->capacity == 0 && self->owner == from->owner) {
        *self = *from;
        *from = (spill_list){.owner = self->owner};
        return FIRN_OK;
    }
    if (from->count > 0) {
        TRY(reserve(self, self->count + from->count, err));
        memcpy(self->slots + self->count, from->slots, from->count * sizeof *from->slots);
        self->count += from->count;
    }
    spill_list_close(from);
    return FIRN_OK;
}

void spill_list_close(spill_list *self) {
    if (self->capacity > 0) {
        host_free(self->slots);
        pool_give(self->owner, self->capacity * sizeof *self->slots);
    }
    *self = (spill_list){.owner = self->owner};
}

// ---- Runs --------------------------------------------------------------------------------------

spill_run spill_run_open(pool *owner) {
    return (spill_run){.units = {.owner = owner}, .extents = {.owner = owner}};
}

// Where the newest extent ends; 0 without one.
static uint64_t extent_end(const spill_run *self) {
    if (self->extents.count == 0) {
        return 0;
    }
    return self->extents.slots[self->extents.count - 1].offset_steps + SPILL_EXTENT_STEPS;
}

static firn_status add_extent(spill *self, spill_run *run, firn_error *err) {
    uint64_t offset = 0;
    TRY(spill_take(self, SPILL_EXTENT_STEPS, &offset, err));
    const spill_slot extent = spill_slot_at(offset, SPILL_EXTENT_BYTES, false);
    const firn_status status = spill_list_push(&run->extents, extent, err);
    if (status != FIRN_OK) {
        spill_give(self, offset, SPILL_EXTENT_STEPS);
        return status;
    }
    run->end_steps = offset;
    return FIRN_OK;
}

firn_status spill_run_write(spill *self, spill_desk *desk, spill_run *run, bytes unit,
                            firn_error *err) {
    assert(unit.size > 0 && unit.size <= SPILL_PAGE_BYTES_MAX);
    TRY(reserve(&run->units, run->units.count + 1, err));
    bool is_packed;
    const bytes stored = spill_choose(self, desk, unit, &is_packed);
    const uint64_t steps = spill_steps(stored.size);
    if (run->end_steps + steps > extent_end(run)) {
        TRY(add_extent(self, run, err));
    }
    TRY(spill_put(self, run->end_steps, stored, unit.size, err));
    const spill_slot slot = spill_slot_at(run->end_steps, stored.size, is_packed);
    run->end_steps += steps;
    return spill_list_push(&run->units, slot, err);
}

size_t spill_run_offset(const spill_run *run, size_t first, size_t index) {
    assert(first <= index && index < run->units.count);
    const spill_slot *slots = run->units.slots;
    return (size_t)(slots[index].offset_steps - slots[first].offset_steps) * SPILL_STEP;
}

// Bytes in the file from the start of one unit to the end of another behind it.
static size_t span_size(const spill_run *run, size_t first, size_t last) {
    return spill_run_offset(run, first, last) + run->units.slots[last].size;
}

size_t spill_run_span(const spill_run *run, size_t first, size_t capacity) {
    const spill_slot *slots = run->units.slots;
    if (first >= run->units.count) {
        return 0;
    }
    size_t end = first + 1;
    while (end < run->units.count &&
           slots[end].offset_steps ==
               slots[end - 1].offset_steps + spill_steps(slots[end - 1].size) &&
           span_size(run, first, end) <= capacity) {
        end += 1;
    }
    return end - first;
}

firn_status spill_run_read(spill *self, const spill_run *run, size_t first, size_t count, void *out,
                           firn_error *err) {
    assert(count > 0 && first + count <= run->units.count);
    const size_t size = span_size(run, first, first + count - 1);
    const uint64_t offset = run->units.slots[first].offset_steps * SPILL_STEP;
    return spill_get(self, offset, size, out, err);
}

void spill_run_free(spill *self, spill_run *run) {
    for (size_t i = 0; i < run->extents.count; i++) {
        spill_give(self, run->extents.slots[i].offset_steps, SPILL_EXTENT_STEPS);
    }
    spill_list_close(&run->units);
    spill_list_close(&run->extents);
    run->end_steps = 0;
}
