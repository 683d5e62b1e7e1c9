// Lists of chunks, and how thin ones are joined: those of one statement that are neighbours, and
// those that statements of few rows leave at the end of a table.
#include "base/host.h"
#include "memory/pool.h"
#include "tables/memory/memory_chunk.h"

#define SCRATCH_MAX ((size_t)1 << 40) // The pool is what limits it.
#define CLASS_RATIO 4                 // As many chunks of a class become one of the next.

// ---- Lists --------------------------------------------------------------------------------------

firn_status chunk_list_add(chunk_list **list, chunk *made, firn_error *err) {
    chunk_list *old = *list;
    if (old == NULL || old->count == old->capacity) {
        const uint64_t capacity = old == NULL ? 16 : old->capacity * 2;
        chunk_list *grown = host_alloc(sizeof *grown + capacity * sizeof(chunk *));
        if (grown == NULL) {
            return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for a list of chunks");
        }
        *grown = (chunk_list){.count = 0, .capacity = capacity};
        if (old != NULL) {
            memcpy(grown->items, old->items, old->count * sizeof(chunk *));
            grown->count = old->count;
            host_free(old);
        }
        *list = grown;
    }
    (*list)->items[(*list)->count++] = made;
    return FIRN_OK;
}

void chunk_list_close(chunk_list *self) {
    for (uint64_t i = 0; self != NULL && i < self->count; i++) {
        chunk_release(self->items[i]);
    }
    host_free(self);
}

// ---- Joining ------------------------------------------------------------------------------------

// The rows of a chunk without a selection; NULL: there is no memory for it.
static const batch *whole_rows(const chunk *of, arena *scratch) {
    firn_error err = ERR_INIT;
    if (of->rows.selection == NULL) {
        return &of->rows;
    }
    batch *copy = ARENA_NEW(scratch, batch, 1);
    return copy != NULL && batch_copy(scratch, &of->rows, copy, &err) == FIRN_OK ? copy : NULL;
}

// Several chunks as one, or NULL: there is no memory for it, and they stay as they are.
static chunk *try_join(chunk *const *chunks, uint32_t count, const chunk_home *home) {
    arena scratch = arena_open_in(home->pool, SCRATCH_MAX);
    const batch **parts = ARENA_NEW(&scratch, const batch *, count);
    chunk *joined = NULL;
    bool is_full = false;
    firn_error err = ERR_INIT;
    if (parts != NULL) {
        for (uint32_t i = 0; i < count; i++) {
            parts[i] = whole_rows(chunks[i], &scratch);
            is_full |= parts[i] == NULL;
        }
        if (!is_full && chunk_join(home, &scratch, parts, count, &joined, &err) == FIRN_OK) {
            joined->number = chunks[0]->number;
        }
    }
    arena_close(&scratch);
    return joined;
}

// How much chunks would be together.
typedef struct weight {
    uint64_t rows;
    size_t bytes;
} weight;

static weight weight_with(weight self, const chunk *more) {
    return (weight){.rows = self.rows + chunk_rows(more), .bytes = self.bytes + chunk_bytes(more)};
}

static bool is_one_chunk(weight self) {
    return self.rows <= BATCH_ROWS && self.bytes <= BATCH_BYTES;
}

void chunk_list_compact(chunk_list *self, const chunk_home *home) {
    uint64_t kept = 0;
    uint64_t next = 0;
    while (next < self->count) {
        const uint64_t first = next;
        weight sum = {0};
        do {
            sum = weight_with(sum, self->items[next++]);
        } while (next < self->count && chunk_is_thin(self->items[next - 1]) &&
                 chunk_is_thin(self->items[next]) &&
                 is_one_chunk(weight_with(sum, self->items[next])));
        const uint32_t count = (uint32_t)(next - first);
        chunk *joined = count < 2 ? NULL : try_join(&self->items[first], count, home);
        for (uint64_t i = first; i < next; i++) {
            if (joined == NULL) {
                self->items[kept++] = self->items[i];
            } else {
                chunk_release(self->items[i]);
            }
        }
        if (joined != NULL) {
            self->items[kept++] = joined;
        }
    }
    self->count = kept;
}

// ---- Tails --------------------------------------------------------------------------------------

// 0: up to 3 rows, 1: up to 15, …
static uint32_t class_of(uint64_t rows) {
    uint32_t number = 0;
    for (; rows >= CLASS_RATIO; rows /= CLASS_RATIO) {
        number++;
    }
    return number;
}

static uint32_t class_at(const chunk_tail *self, uint32_t i) {
    return class_of(chunk_rows(self->items[i]));
}

// From which chunk on the last ones become one: smaller ones before a larger one, and so many of
// one class that together they are of the next.
static uint32_t first_to_join(const chunk_tail *self) {
    uint32_t first = self->count - 1;
    weight sum = weight_with((weight){0}, self->items[first]);
    for (;;) {
        const uint32_t number = class_of(sum.rows);
        uint32_t from = first;
        weight more = sum;
        while (from > 0 && class_at(self, from - 1) <= number &&
               is_one_chunk(weight_with(more, self->items[from - 1]))) {
            more = weight_with(more, self->items[--from]);
        }
        const bool has_smaller = from < first && class_at(self, first - 1) < number;
        if (class_of(more.rows) == number && !has_smaller) {
            return first;
        }
        first = from;
        sum = more;
    }
}

static void join_last(chunk_tail *self, const chunk_home *home) {
    const uint32_t first = first_to_join(self);
    const uint32_t count = self->count - first;
    chunk *joined = count < 2 ? NULL : try_join(&self->items[first], count, home);
    if (joined != NULL) {
        for (uint32_t i = first; i < self->count; i++) {
            chunk_release(self->items[i]);
        }
        self->items[first] = joined;
        self->count = first + 1;
    }
}

firn_status chunk_tail_add(const chunk_tail *old, const chunk_list *added, uint64_t from,
                           const chunk_home *home, chunk_tail **out, firn_error *err) {
    const uint64_t before = old == NULL ? 0 : old->count;
    const uint64_t count = before + (added->count - from);
    chunk_tail *made = host_alloc(sizeof *made + count * sizeof(chunk *));
    if (made == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for a list of chunks");
    }
    made->count = 0;
    atomic_init(&made->references, 1);
    for (uint64_t i = 0; i < before; i++) {
        made->items[made->count++] = chunk_retain(old->items[i]);
    }
    for (uint64_t i = from; i < added->count; i++) {
        made->items[made->count++] = chunk_retain(added->items[i]);
        join_last(made, home);
    }
    *out = made;
    return FIRN_OK;
}

uint32_t chunk_tail_settled_count(const chunk_tail *self) {
    uint32_t count = self->count;
    while (count > 0 && chunk_is_thin(self->items[count - 1])) {
        count--;
    }
    return count;
}

void chunk_tail_drop(chunk_tail *self, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        chunk_release(self->items[i]);
    }
    self->count -= count;
    memmove(self->items, self->items + count, self->count * sizeof(chunk *));
}

chunk_tail *chunk_tail_retain(chunk_tail *self) {
    if (self != NULL) {
        (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    }
    return self;
}

void chunk_tail_release(chunk_tail *self) {
    if (self == NULL ||
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (uint32_t i = 0; i < self->count; i++) {
        chunk_release(self->items[i]);
    }
    host_free(self);
}
