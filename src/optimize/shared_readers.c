#include "optimize/shared_readers.h"

#include "memory/arena_grow.h"

static bool note_place(shared_readers *self, plan_node **slot) {
    plan_node ***places = ARENA_GROW(self->self->memory, plan_node **, self->places, self->count, 1,
                                     &self->place_capacity);
    if (places == NULL) {
        return false;
    }
    self->places = places;
    places[self->count++] = slot;
    return true;
}

static bool note_reader(shared_readers *self, plan_node *scan, expr *filter) {
    shared_reader *items = ARENA_GROW(self->self->memory, shared_reader, self->items,
                                      self->reader_count, 1, &self->reader_capacity);
    if (items == NULL) {
        return false;
    }
    const uint32_t slot = scan->shared_scan_.slot;
    self->items = items;
    items[self->reader_count++] = (shared_reader){.scan = scan, .filter = filter, .slot = slot};
    if (slot < self->slot_count) {
        self->counts[slot]++;
    }
    return true;
}

// False: there is no memory.
static bool look(void *user, plan_node **slot) {
    plan_node *node = *slot;
    if (node->kind == PLAN_SHARED) {
        return look(user, &node->shared_.body) && note_place(user, slot) &&
               look(user, &node->shared_.definition);
    }
    if (node->kind == PLAN_FILTER && node->filter_.input->kind == PLAN_SHARED_SCAN) {
        return note_reader(user, node->filter_.input, node->filter_.predicate);
    }
    if (node->kind == PLAN_SHARED_SCAN) {
        return note_reader(user, node, NULL);
    }
    return plan_visit_children(node, look, user);
}

firn_status shared_readers_find(shared_readers *self, plan_node **root) {
    if (self->slot_count < self->self->plan->shared_count) {
        self->slot_count = self->self->plan->shared_count;
        self->counts = ARENA_NEW(self->self->memory, uint32_t, self->slot_count);
        if (self->counts == NULL) {
            return rewrite_full(self->self);
        }
    }
    self->count = 0;
    self->reader_count = 0;
    for (uint32_t i = 0; i < self->slot_count; i++) {
        self->counts[i] = 0;
    }
    TRY(rewrite_check(self->self));
    return look(self, root) ? FIRN_OK : rewrite_full(self->self);
}

uint32_t shared_readers_count(const shared_readers *self, uint32_t slot) {
    return slot < self->slot_count ? self->counts[slot] : 0;
}
