#include "memory/page.h"

#include <assert.h>
#include <string.h>

#include "memory/slab.h"

#define SHARE_PAGES 512
#define PARTITION_COUNT_MIN 16
#define PARTITION_COUNT_SMALL 32 // Of a state that is known to be small: estimates may be wrong.
#define PARTITION_PAGES 4        // That each of those is to have.
// What open pages may take of a share: more where fewer partitions would surely be split, and all
// their rows written again.
#define OPEN_SHARE 3
#define OPEN_SHARE_WANTED 2
#define KEEPER_EXTRA ((uint64_t)96 << 10)

// ---- Sizes -------------------------------------------------------------------------------------

size_t page_size_for(uint64_t share_bytes) {
    size_t size = PAGE_BYTES_MIN;
    while (size < PAGE_BYTES_MAX && size * 2 <= share_bytes / SHARE_PAGES) {
        size *= 2;
    }
    return size;
}

uint32_t partition_count_for(uint64_t share_bytes, size_t page_size, uint64_t state_bytes) {
    // Without a split each partition of the state must fit: count >= 1.3 * state / share.
    uint32_t count = PARTITION_COUNT_DEFAULT;
    const uint64_t shares = share_bytes == 0 ? 0 : state_bytes / share_bytes;
    const uint64_t wanted = shares + shares * 3 / 10;
    while (count < PARTITION_COUNT_MAX && count < wanted) {
        count *= 2;
    }
    while (count > PARTITION_COUNT_SMALL && state_bytes > 0 &&
           state_bytes / count < (uint64_t)page_size * PARTITION_PAGES) {
        count /= 2; // Else most of what a worker touches is the ends of its pages.
    }
    while (count > PARTITION_COUNT_MIN &&
           (count + PAGE_KEPT_COUNT) * (uint64_t)page_size >
               share_bytes / (count <= wanted ? OPEN_SHARE_WANTED : OPEN_SHARE)) {
        count /= 2;
    }
    return count;
}

uint64_t partitions_bytes(uint32_t workers, size_t page_size, uint32_t partition_count) {
    const uint64_t pages = partition_count + PAGE_KEPT_COUNT;
    return workers * (pages * page_size + KEEPER_EXTRA);
}

uint32_t partitions_hold(pool *keeper, uint32_t workers, uint32_t partition_count) {
    const size_t page_size = page_size_of(keeper);
    uint32_t count = partition_count;
    while (count > PARTITION_COUNT_MIN &&
           !pool_hold(keeper, partitions_bytes(workers, page_size, count))) {
        count /= 2;
    }
    return count;
}

size_t page_size_fit(size_t size, uint64_t bytes) {
    while (size < bytes && size < PAGE_BYTES_WIDEST) {
        size *= 2;
    }
    return size;
}

size_t page_size_least(uint64_t bytes) {
    // No page is large enough for what fits into none: that is said when the keeper opens.
    const bool is_wide = bytes > PAGE_BYTES_MAX && bytes <= PAGE_BYTES_WIDEST;
    return is_wide ? page_size_fit(PAGE_BYTES_MAX, bytes) : PAGE_BYTES_MIN;
}

uint64_t keeper_min_bytes(uint32_t workers, uint64_t page_bytes) {
    return partitions_bytes(workers, page_size_least(page_bytes), PARTITION_COUNT_MIN);
}

// ---- Pages -------------------------------------------------------------------------------------

void page_size_set(pool *query, size_t size) {
    assert(size >= PAGE_BYTES_MIN && size <= PAGE_BYTES_MAX && (size & (size - 1)) == 0);
    pool_page_size_set(query, size);
}

size_t page_size_of(const pool *self) {
    const size_t size = pool_page_size(self);
    return size == 0 ? PAGE_BYTES_MAX : size;
}

void *page_get(pool *self) {
    return pool_page_take(self, page_size_of(self));
}

void *page_get_urgent(pool *self) {
    return pool_page_take_urgent(self, page_size_of(self));
}

void page_put(pool *self, void *page) {
    if (page != NULL) {
        pool_page_give(self, page, page_size_of(self));
    }
}

// ---- Directories -------------------------------------------------------------------------------

// Only a fresh mapping is zeroed already.
static void zero_reused(directory *self) {
    if (self->capacity <= SLAB_PIECE_MAX) {
        memset(self->data, 0, self->size);
    }
}

static bool is_opened(directory *self) {
    if (self->data != NULL) {
        zero_reused(self);
    }
    return self->data != NULL;
}

bool directory_open(pool *owner, size_t size, directory *out) {
    *out = (directory){.owner = owner, .size = size};
    out->data = pool_block_take(owner, size, &out->capacity);
    return is_opened(out);
}

bool directory_open_urgent(pool *owner, size_t size, directory *out) {
    *out = (directory){.owner = owner, .size = size};
    out->data = pool_block_take_urgent(owner, size, &out->capacity);
    return is_opened(out);
}

static bool regrown(directory *self, size_t size, bool is_replaced) {
    if (is_replaced) {
        self->size = size;
        zero_reused(self);
    }
    return is_replaced;
}

bool directory_regrow(directory *self, size_t size) {
    assert(self->data != NULL);
    return regrown(self, size, pool_block_replace(self->owner, &self->data, &self->capacity, size));
}

bool directory_regrow_urgent(directory *self, size_t size) {
    assert(self->data != NULL);
    return regrown(self, size,
                   pool_block_replace_urgent(self->owner, &self->data, &self->capacity, size));
}

void directory_clear(directory *self) {
    memset(self->data, 0, self->size);
}

void directory_close(directory *self) {
    pool_block_give(self->owner, self->data, self->capacity);
    self->data = NULL;
}
