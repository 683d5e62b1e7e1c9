// What tables keep their chunks in, and how chunks come into it.
#include "base/host.h"
#include "tables/memory/memory_private.h"

firn_status chunk_store_open(chunk_store **out, firn_error *err) {
    chunk_store *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (chunk_store){.chunks = NULL};
    atomic_init(&self->references, 1);
    *out = self;
    return FIRN_OK;
}

chunk_store *chunk_store_retain(chunk_store *self) {
    (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

void chunk_store_release(chunk_store *self) {
    if (self == NULL ||
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (uint32_t i = 0; i < self->old_count; i++) {
        host_free(self->old[i]);
    }
    host_free(self->old);
    chunk_list_close(self->chunks);
    host_free(self);
}

// ---- Adding -------------------------------------------------------------------------------------

// How many of the chunks stay as they are; those behind them are thin.
static uint64_t settled_count(const chunk_list *added) {
    uint64_t count = added->count;
    while (count > 0 && chunk_is_thin(added->items[count - 1])) {
        count--;
    }
    return count;
}

// Makes room for `more` chunks. A list that snapshots may read is kept until the store goes.
static firn_status reserve(chunk_store *self, uint64_t more, firn_error *err) {
    chunk_list *list = self->chunks;
    const uint64_t count = list == NULL ? 0 : list->count;
    if (more == 0 || (list != NULL && more <= list->capacity - count)) {
        return FIRN_OK;
    }
    const uint64_t capacity = (count + more) * 2;
    chunk_list *grown = host_alloc(sizeof *grown + capacity * sizeof(chunk *));
    chunk_list **old = host_alloc(((size_t)self->old_count + 1) * sizeof(chunk_list *));
    if (grown == NULL || old == NULL) {
        host_free(grown);
        host_free(old);
        return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for a list of chunks");
    }
    *grown = (chunk_list){.count = count, .capacity = capacity};
    if (self->old_count > 0) {
        memcpy(old, self->old, self->old_count * sizeof(chunk_list *));
    }
    host_free(self->old);
    self->old = old;
    if (list != NULL) {
        memcpy(grown->items, list->items, count * sizeof(chunk *));
        self->old[self->old_count++] = list;
    }
    self->chunks = grown;
    return FIRN_OK;
}

static void append(chunk_store *self, chunk *const *chunks, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        self->chunks->items[self->chunks->count++] = chunk_retain(chunks[i]);
    }
}

firn_status chunk_store_add(chunk_store *self, chunk_tail **tail, const chunk_list *added,
                            const chunk_home *home, firn_error *err) {
    const uint64_t settled = settled_count(added);
    chunk_tail *old = *tail;
    chunk_tail *next;
    TRY(chunk_tail_add(settled > 0 ? NULL : old, added, settled, home, &next, err));
    const uint64_t before = settled > 0 && old != NULL ? old->count : 0;
    const uint32_t joined = chunk_tail_settled_count(next);
    const firn_status status = reserve(self, before + settled + joined, err);
    if (status != FIRN_OK) {
        chunk_tail_release(next);
        return status;
    }
    if (before > 0) {
        append(self, old->items, before);
    }
    append(self, added->items, settled);
    append(self, next->items, joined);
    chunk_tail_drop(next, joined);
    chunk_tail_release(old);
    *tail = next;
    return FIRN_OK;
}

firn_status memory_table_add(memory_table *self, const chunk_list *added, const chunk_home *home,
                             firn_error *err) {
    return chunk_store_add(self->store, &self->tail, added, home, err);
}
