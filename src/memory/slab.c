#include "memory/slab.h"

#include <assert.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "base/host.h"

#define TABLE_SIZE_MIN 64
#define SEARCH_MAX 32 // Slabs of a bucket that are looked into for a long enough run.

__extension__ typedef unsigned __int128 granules; // Bit i: granule i.

struct slab {
    uint8_t *base;
    granules free;
    granules resident;
    slab *next;
    slab *previous;
    slab_class class;
    uint32_t free_count;
    bool is_small_paged; // Huge pages are forbidden, because parts were given back.
    bool is_listed;
};

// `count` bits from `first` on.
static granules bits(uint32_t first, uint32_t count) {
    const granules all = ~(granules)0;
    return count == 0 ? 0 : (all >> (SLAB_GRANULE_COUNT - count)) << first;
}

static uint32_t lowest_bit(granules set) {
    const uint64_t low = (uint64_t)set;
    return low != 0 ? (uint32_t)__builtin_ctzll(low)
                    : 64 + (uint32_t)__builtin_ctzll((uint64_t)(set >> 64));
}

static uint32_t count_bits(granules set) {
    return (uint32_t)__builtin_popcountll((uint64_t)set) +
           (uint32_t)__builtin_popcountll((uint64_t)(set >> 64));
}

// ---- Slabs by address --------------------------------------------------------------------------

static size_t table_start(const slab_store *self, const uint8_t *base) {
    return hash_u64((uintptr_t)base / SLAB_BYTES) & (self->table_size - 1);
}

static void table_put(slab_store *self, slab *added) {
    size_t at = table_start(self, added->base);
    while (self->table[at] != NULL) {
        at = (at + 1) & (self->table_size - 1);
    }
    self->table[at] = added;
}

static size_t table_find(const slab_store *self, const uint8_t *base) {
    size_t at = table_start(self, base);
    while (self->table[at]->base != base) {
        at = (at + 1) & (self->table_size - 1);
    }
    return at;
}

// Closes the gap by moving back what was displaced over it.
static void table_remove(slab_store *self, const slab *removed) {
    const size_t mask = self->table_size - 1;
    size_t gap = table_find(self, removed->base);
    self->table[gap] = NULL;
    for (size_t at = (gap + 1) & mask; self->table[at] != NULL; at = (at + 1) & mask) {
        const size_t start = table_start(self, self->table[at]->base);
        const size_t distance_now = (at + self->table_size - start) & mask;
        const size_t distance_gap = (at + self->table_size - gap) & mask;
        if (distance_now >= distance_gap) {
            self->table[gap] = self->table[at];
            self->table[at] = NULL;
            gap = at;
        }
    }
}

// Room for one more; half of the table stays free.
static bool table_grow(slab_store *self) {
    if ((self->slab_count + 1) * 2 <= self->table_size) {
        return true;
    }
    const size_t size = self->table_size == 0 ? TABLE_SIZE_MIN : self->table_size * 2;
    slab **table = (slab **)host_alloc(size * sizeof *table);
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        table[i] = NULL;
    }
    slab **before = self->table;
    const size_t size_before = self->table_size;
    self->table = table;
    self->table_size = size;
    for (size_t i = 0; i < size_before; i++) {
        if (before[i] != NULL) {
            table_put(self, before[i]);
        }
    }
    host_free((void *)before);
    return true;
}

// ---- Lists by fullness -------------------------------------------------------------------------

static uint32_t bucket_of(uint32_t free_count) {
    assert(free_count > 0 && free_count < SLAB_GRANULE_COUNT);
    return 31 - (uint32_t)__builtin_clz(free_count);
}

static void list_enter(slab **head, slab *entering) {
    entering->previous = NULL;
    entering->next = *head;
    if (*head != NULL) {
        (*head)->previous = entering;
    }
    *head = entering;
    entering->is_listed = true;
}

static void list_leave(slab **head, slab *leaving) {
    if (leaving->previous == NULL) {
        *head = leaving->next;
    } else {
        leaving->previous->next = leaving->next;
    }
    if (leaving->next != NULL) {
        leaving->next->previous = leaving->previous;
    }
    leaving->is_listed = false;
}

// The list a slab belongs to by its free granules; NULL for a full one.
static slab **list_of(slab_store *self, const slab *one) {
    if (one->free_count == 0) {
        return NULL;
    }
    if (one->free_count == SLAB_GRANULE_COUNT) {
        return &self->empty;
    }
    return &self->lists[one->class][bucket_of(one->free_count)];
}

// Moves a slab to its list after its free granules changed from `before`.
static void relist(slab_store *self, slab *one, uint32_t before) {
    const uint32_t now = one->free_count;
    one->free_count = before;
    slab **from = list_of(self, one);
    one->free_count = now;
    slab **to = list_of(self, one);
    if (one->is_listed && from == to) {
        return;
    }
    if (one->is_listed) {
        list_leave(from, one);
    }
    if (to != NULL) {
        list_enter(to, one);
    }
}

// ---- Mapping -----------------------------------------------------------------------------------

static void slab_unmap(slab_store *self, slab *one) {
    assert(one->free_count == SLAB_GRANULE_COUNT && !one->is_listed);
    table_remove(self, one);
    self->slab_count -= 1;
    self->resident -= count_bits(one->resident) * SLAB_GRANULE;
    ASAN_UNPOISON(one->base, SLAB_BYTES);
    host_unmap(one->base, SLAB_BYTES);
    host_free(one);
}

// Maps a slab; without the room for all of it, one in small pages that is resident nowhere yet.
static slab *slab_map(slab_store *self, bool is_whole) {
    slab *one = table_grow(self) ? host_alloc(sizeof *one) : NULL;
    if (one == NULL) {
        return NULL;
    }
    uint8_t *base = host_map(SLAB_BYTES, SLAB_BYTES);
    if (base == NULL) {
        host_free(one);
        return NULL;
    }
    *one = (slab){
        .base = base,
        .free = bits(0, SLAB_GRANULE_COUNT),
        .resident = is_whole ? bits(0, SLAB_GRANULE_COUNT) : 0,
        .free_count = SLAB_GRANULE_COUNT,
        .is_small_paged = !is_whole,
    };
    if (!is_whole) {
        host_forbid_huge(base, SLAB_BYTES);
    }
    ASAN_POISON(base, SLAB_BYTES);
    table_put(self, one);
    self->slab_count += 1;
    self->resident += is_whole ? SLAB_BYTES : 0;
    return one;
}

// ---- Taking and giving -------------------------------------------------------------------------

// Where a piece of `count` granules may begin among the granules of `set`.
static granules starts_of(granules set, slab_class class, uint32_t count) {
    for (uint32_t have = 1; have < count;) {
        const uint32_t step = have < count - have ? have : count - have;
        set &= set >> step;
        have += step;
    }
    static const granules aligned_2 = ~(granules)0 / 3;  // Every second bit,
    static const granules aligned_4 = ~(granules)0 / 15; // every fourth.
    switch (class) {
    case SLAB_PAGES_32K:
        return set & aligned_2;
    case SLAB_PAGES_64K:
        return set & aligned_4;
    case SLAB_PAGES_16K:
    case SLAB_BLOCKS:
    case SLAB_CLASS_COUNT:
        break;
    }
    return set;
}

// Cuts a piece out of a slab if it has one, best of resident granules.
static void *cut(slab_store *self, slab *one, uint32_t count, uint64_t room) {
    granules starts = starts_of(one->free & one->resident, one->class, count);
    if (starts == 0) {
        starts = starts_of(one->free, one->class, count);
    }
    if (starts == 0) {
        return NULL;
    }
    const uint32_t first = lowest_bit(starts);
    const granules piece = bits(first, count);
    const uint64_t more = count_bits(piece & ~one->resident) * SLAB_GRANULE;
    if (more > room) {
        return NULL;
    }
    const uint32_t before = one->free_count;
    one->free &= ~piece;
    one->resident |= piece;
    one->free_count -= count;
    self->resident += more;
    self->taken += count * SLAB_GRANULE;
    relist(self, one, before);
    uint8_t *result = one->base + first * SLAB_GRANULE;
    ASAN_UNPOISON(result, count * SLAB_GRANULE);
    return result;
}

void *slab_take(slab_store *self, slab_class class, size_t size, uint64_t room) {
    assert(size > 0 && size % SLAB_GRANULE == 0 && size <= SLAB_PIECE_MAX);
    const uint32_t count = (uint32_t)(size / SLAB_GRANULE);
    for (uint32_t bucket = bucket_of(count); bucket < SLAB_BUCKET_COUNT; bucket++) {
        slab *one = self->lists[class][bucket];
        for (uint32_t i = 0; one != NULL && i < SEARCH_MAX; i++) {
            slab *next = one->next;
            void *piece = one->free_count >= count ? cut(self, one, count, room) : NULL;
            if (piece != NULL) {
                return piece;
            }
            one = next;
        }
    }
    slab *one = self->empty;
    if (one != NULL) {
        list_leave(&self->empty, one);
    } else if (room >= size) {
        one = slab_map(self, room >= SLAB_BYTES);
    }
    if (one == NULL) {
        return NULL;
    }
    one->class = class;
    return cut(self, one, count, room);
}

void slab_give(slab_store *self, void *piece, size_t size) {
    uint8_t *start = piece;
    uint8_t *base = start - (uintptr_t)start % SLAB_BYTES;
    slab *one = self->table[table_find(self, base)];
    const uint32_t count = (uint32_t)(size / SLAB_GRANULE);
    const granules given = bits((uint32_t)((size_t)(start - base) / SLAB_GRANULE), count);
    assert((one->free & given) == 0); // Else it was given back before.
    const uint32_t before = one->free_count;
    one->free |= given;
    one->free_count += count;
    self->taken -= size;
    ASAN_POISON(start, size);
    relist(self, one, before);
    if (one->free_count == SLAB_GRANULE_COUNT && one->is_small_paged) {
        list_leave(&self->empty, one);
        slab_unmap(self, one);
    }
}

// ---- Back to the system ------------------------------------------------------------------------

uint64_t slab_release_empty(slab_store *self, uint64_t wanted) {
    uint64_t released = 0;
    while (released < wanted && self->empty != NULL) {
        slab *one = self->empty;
        list_leave(&self->empty, one);
        slab_unmap(self, one);
        released += SLAB_BYTES;
    }
    return released;
}

// Gives free granules of one slab back, whole runs, until `wanted` bytes are reached.
static uint64_t release_of(slab_store *self, slab *one, uint64_t wanted) {
    uint64_t released = 0;
    granules left = one->free & one->resident;
    if (left != 0 && !one->is_small_paged) {
        one->is_small_paged = true;
        host_forbid_huge(one->base, SLAB_BYTES); // Else the system would fill the holes again.
    }
    while (left != 0 && released < wanted) {
        const uint32_t first = lowest_bit(left);
        const granules rest = ~left >> first; // Its lowest bit ends the run.
        const uint32_t end = rest == 0 ? SLAB_GRANULE_COUNT : first + lowest_bit(rest);
        const size_t size = (end - first) * SLAB_GRANULE;
        ASAN_UNPOISON(one->base + first * SLAB_GRANULE, size);
        host_discard(one->base + first * SLAB_GRANULE, size);
        ASAN_POISON(one->base + first * SLAB_GRANULE, size);
        one->resident &= ~bits(first, end - first);
        left &= ~bits(first, end - first);
        released += size;
    }
    self->resident -= released;
    return released;
}

uint64_t slab_release_granules(slab_store *self, uint64_t wanted) {
    uint64_t released = 0;
    for (uint32_t bucket = SLAB_BUCKET_COUNT; bucket > 0; bucket--) { // The emptiest first.
        for (size_t class = 0; class < SLAB_CLASS_COUNT; class++) {
            slab *one = self->lists[class][bucket - 1];
            for (; one != NULL && released < wanted; one = one->next) {
                released += release_of(self, one, wanted - released);
            }
        }
    }
    return released;
}

void slab_store_end(slab_store *self) {
    assert(self->taken == 0);
    (void)slab_release_empty(self, UINT64_MAX);
    assert(self->slab_count == 0 && self->resident == 0);
    host_free((void *)self->table);
    self->table = NULL;
    self->table_size = 0;
}
