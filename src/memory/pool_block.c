// Blocks and pages, and the memory that the system really gave.
//
//     capacity   < 16 KiB      host_alloc
//               ≤ 1 MiB       granules of slabs, kept warm when they are given back
//               > 1 MiB       a mapping of its own, huge pages from 2 MiB up
#include <assert.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "base/host.h"
#include "memory/pool_private.h"

#define ALIGNMENT ((size_t)64)
#define MAP_ALIGNMENT ((size_t)4096)

uint64_t pool_resident(const pool_root *root) {
    return root->slabs.resident + root->outside - root->handed_out;
}

void pool_note_resident(pool_root *root) {
    root->resident_peak = most(root->resident_peak, pool_resident(root));
}

void pool_make_room(pool_root *root, uint64_t size) {
    const uint64_t limit = root_limit(root);
    uint64_t excess = minus(pool_resident(root) + size, limit);
    if (excess > 0) {
        excess = minus(excess, slab_release_empty(&root->slabs, excess));
        if (excess > 0) {
            (void)slab_release_granules(&root->slabs, excess);
        }
    }
}

// A piece of a slab, for which `size` bytes were charged. Whatever is free elsewhere makes room.
static void *take_piece(pool_root *root, slab_class class, size_t size) {
    uint64_t room = minus(root_limit(root), pool_resident(root));
    void *piece = slab_take(&root->slabs, class, size, room);
    if (piece == NULL && room < size) {
        pool_make_room(root, size);
        room = minus(root_limit(root), pool_resident(root));
        piece = slab_take(&root->slabs, class, size, room);
    }
    pool_note_resident(root);
    return piece;
}

static bool round_up(size_t size, size_t step, size_t *out) {
    size_t padded;
    if (!add_fits(size, step - 1, &padded)) {
        return false;
    }
    *out = padded - padded % step;
    return true;
}

// What is taken for a block of `size` bytes. False if that wraps.
static bool capacity_for(size_t size, size_t *capacity) {
    size = size == 0 ? 1 : size;
    if (!round_up(size, ALIGNMENT, capacity)) {
        return false;
    }
    if (*capacity < SLAB_GRANULE) {
        return true;
    }
    return round_up(size, *capacity <= SLAB_PIECE_MAX ? SLAB_GRANULE : MAP_ALIGNMENT, capacity);
}

// The memory of a block that is charged; the system may refuse.
static void *allocate(pool_root *root, size_t capacity) {
    if (capacity >= SLAB_GRANULE && capacity <= SLAB_PIECE_MAX) {
        return take_piece(root, SLAB_BLOCKS, capacity);
    }
    pool_make_room(root, capacity);
    void *block = NULL;
    if (capacity < SLAB_GRANULE) {
        block = host_alloc_aligned(ALIGNMENT, capacity);
    } else {
        block = host_map(capacity, capacity >= HOST_HUGE_PAGE ? HOST_HUGE_PAGE : MAP_ALIGNMENT);
    }
    root->outside += block == NULL ? 0 : capacity;
    pool_note_resident(root);
    return block;
}

static void deallocate(pool_root *root, void *block, size_t capacity) {
    ASAN_UNPOISON(block, capacity);
    if (capacity >= SLAB_GRANULE && capacity <= SLAB_PIECE_MAX) {
        slab_give(&root->slabs, block, capacity);
        return;
    }
    root->outside -= capacity;
    if (capacity < SLAB_GRANULE) {
        host_free(block);
    } else {
        host_unmap(block, capacity);
    }
}

// Under AddressSanitizer what is behind the bytes asked for is not to be touched.
static void poison_rest(void *block, size_t size, size_t capacity) {
    uint8_t *start = block;
    ASAN_UNPOISON(start, size);
    ASAN_POISON(start + size, capacity - size);
}

// Lets go of the lock with the block for `size` bytes, which was charged if `is_charged`.
NO_LOCK_CHECK static void *finish_take(pool *self, size_t size, size_t capacity, bool is_charged) {
    pool_root *root = self->root;
    void *block = is_charged ? allocate(root, capacity) : NULL;
    if (is_charged && block == NULL) {
        pool_uncharge(self, capacity);
    }
    mutex_unlock(&root->lock);
    if (block != NULL) {
        poison_rest(block, size, capacity);
    }
    return block;
}

NO_LOCK_CHECK static void *block_take(pool *self, size_t size, take_mode mode, size_t *capacity) {
    if (!capacity_for(size, capacity)) {
        return NULL;
    }
    mutex_lock(&self->root->lock);
    return finish_take(self, size, *capacity, pool_charge(self, *capacity, mode));
}

void *pool_block_take(pool *self, size_t size, size_t *capacity) {
    return block_take(self, size, TAKE_NORMAL, capacity);
}

void *pool_block_take_urgent(pool *self, size_t size, size_t *capacity) {
    return block_take(self, size, TAKE_URGENT, capacity);
}

NO_LOCK_CHECK void *pool_block_take_patient(pool *self, size_t size, size_t *capacity,
                                            const cancel_flag *cancel) {
    if (!capacity_for(size, capacity)) {
        return NULL;
    }
    mutex_lock(&self->root->lock);
    return finish_take(self, size, *capacity,
                       pool_charge_patient(self, *capacity, TAKE_URGENT, cancel));
}

NO_LOCK_CHECK void pool_block_give(pool *self, void *block, size_t capacity) {
    if (block == NULL) {
        return;
    }
    pool_root *root = self->root;
    mutex_lock(&root->lock);
    deallocate(root, block, capacity);
    pool_uncharge(self, capacity);
    pool_unlock(self);
}

static bool block_replace(pool *self, void **block, size_t *capacity, size_t size, take_mode mode) {
    pool_root *root = self->root;
    size_t wanted;
    if (!capacity_for(size, &wanted)) {
        return false;
    }
    mutex_lock(&root->lock);
    const bool is_charged = wanted <= *capacity || pool_charge(self, wanted - *capacity, mode);
    if (is_charged) {
        deallocate(root, *block, *capacity);
        *block = allocate(root, wanted);
        if (*block == NULL) {
            pool_uncharge(self, most(wanted, *capacity));
        } else if (wanted < *capacity) {
            pool_uncharge(self, *capacity - wanted);
        }
        *capacity = *block == NULL ? 0 : wanted;
    }
    mutex_unlock(&root->lock);
    if (!is_charged || *block == NULL) {
        return false;
    }
    poison_rest(*block, size, wanted);
    return true;
}

bool pool_block_replace(pool *self, void **block, size_t *capacity, size_t size) {
    return block_replace(self, block, capacity, size, TAKE_NORMAL);
}

bool pool_block_replace_urgent(pool *self, void **block, size_t *capacity, size_t size) {
    return block_replace(self, block, capacity, size, TAKE_URGENT);
}

NO_LOCK_CHECK bool pool_block_move(pool *from, pool *to, size_t capacity) {
    pool_root *root = from->root;
    assert(root == to->root);
    mutex_lock(&root->lock);
    const bool is_moved = pool_charge(to, capacity, TAKE_NORMAL);
    if (is_moved) {
        pool_uncharge(from, capacity);
    }
    pool_unlock(from);
    return is_moved;
}

NO_LOCK_CHECK pool *pool_block_hand_out(pool *self, size_t capacity) {
    pool_root *root = self->root;
    mutex_lock(&root->lock);
    root->handed_out += capacity;
    pool_uncharge(self, capacity);
    pool_unlock(self);
    return &root->top;
}

NO_LOCK_CHECK void pool_block_give_handed_out(pool *engine, void *block, size_t capacity) {
    pool_root *root = engine->root;
    mutex_lock(&root->lock);
    deallocate(root, block, capacity);
    root->handed_out -= capacity;
    pool_make_room(root, 0);   // What the caller had counts again, where it stays resident.
    if (root->top.is_closed) { // Nobody will use it again.
        (void)slab_release_empty(&root->slabs, UINT64_MAX);
    }
    pool_unlock(engine);
}

// ---- Pages -------------------------------------------------------------------------------------

static slab_class class_of(size_t size) {
    switch (size) {
    case (size_t)16 << 10:
        return SLAB_PAGES_16K;
    case (size_t)32 << 10:
        return SLAB_PAGES_32K;
    case (size_t)64 << 10:
        return SLAB_PAGES_64K;
    default: // Few and of many sizes: slabs of their own would stay empty.
        assert(size <= SLAB_PIECE_MAX);
        return SLAB_BLOCKS;
    }
}

static void *page_take(pool *self, size_t size, take_mode mode) {
    pool_root *root = self->root;
    void *page = NULL;
    mutex_lock(&root->lock);
    if (pool_charge(self, size, mode)) {
        page = take_piece(root, class_of(size), size);
        if (page == NULL) {
            pool_uncharge(self, size);
        }
    }
    mutex_unlock(&root->lock);
    return page;
}

void *pool_page_take(pool *self, size_t size) {
    return page_take(self, size, TAKE_NORMAL);
}

void *pool_page_take_urgent(pool *self, size_t size) {
    return page_take(self, size, TAKE_URGENT);
}

NO_LOCK_CHECK void pool_page_give(pool *self, void *page, size_t size) {
    pool_root *root = self->root;
    mutex_lock(&root->lock);
    slab_give(&root->slabs, page, size);
    pool_uncharge(self, size);
    pool_unlock(self);
}

static const pool *query_of(const pool *self) {
    while (self->options.kind >= POOL_STATE && self->parent != NULL) {
        self = self->parent;
    }
    return self;
}

size_t pool_page_size(const pool *self) {
    const size_t own = self->options.page_size;
    return own != 0 ? own : query_of(self)->page_size;
}

void pool_page_size_set(pool *query, size_t size) {
    assert(!is_keeper(query) && (query->page_size == 0 || query->page_size == size));
    query->page_size = size;
}
