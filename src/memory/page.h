// Pages: where everything that an operator keeps lies, and directories: the only contiguous blocks.
//
// All keepers of a query share one page size of 16, 32 or 64 KiB, chosen once from the memory that
// one worker can count on; only a keeper whose rows do not fit into such a page has larger ones, of
// up to 1 MiB. A page of up to 64 KiB is aligned to its size, so `address & ~(size - 1)` is its
// start. Rows on it are addressed by offsets: a page may be written to the spill file and come back
// elsewhere.
//
// Threads: as pool.h.
#ifndef FIRN_MEMORY_PAGE_H
#define FIRN_MEMORY_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/pool.h"

#define PAGE_BYTES_MIN ((size_t)16 << 10)
#define PAGE_BYTES_MAX ((size_t)64 << 10)
#define PAGE_BYTES_WIDEST ((size_t)1 << 20) // Of a keeper of wide rows.

/// Pages a worker keeps back for a split, and the read page and the compress page.
#define PAGE_SPLIT_COUNT 16
#define PAGE_KEPT_COUNT (PAGE_SPLIT_COUNT + 2)

#define PARTITION_COUNT_DEFAULT 128
#define PARTITION_COUNT_MAX 256

// ---- Sizes -------------------------------------------------------------------------------------

/// The page size for keepers of whose target `share_bytes` fall to one worker: the largest power of
/// two up to 1/512 of it, from 16 to 64 KiB.
size_t page_size_for(uint64_t share_bytes);

/// How many partitions such a keeper has: 128, or as many fewer as let all open pages of a worker
/// lie in a third of its share; at least 16. With a known state size (0: unknown) up to 256, so
/// that a partition fits into the share and need not be split, for which open pages may take half
/// of it, or down to 32, so that it has some pages.
uint32_t partition_count_for(uint64_t share_bytes, size_t page_size, uint64_t state_bytes);

/// What a keeper takes with so many partitions, all of them open and nothing else in memory.
uint64_t partitions_bytes(uint32_t workers, size_t page_size, uint32_t partition_count);

/// Makes sure that a worker of the keeper has a page for each of its partitions, with up to
/// `partition_count` of them, a power of two; fewer where that much is not free. Pages that hold
/// few rows would go to the file else. Returns how many; pool_hold with 0 ends it.
uint32_t partitions_hold(pool *keeper, uint32_t workers, uint32_t partition_count);

/// The page size of a keeper whose pages must have `bytes` at least: `size`, or a larger one where
/// that is too small, up to PAGE_BYTES_WIDEST.
size_t page_size_fit(size_t size, uint64_t bytes);

/// On pages of which size minima count, of keepers whose pages must have `bytes` at least: the
/// smallest, or that of wide rows, which fit into no page that memory alone would choose.
size_t page_size_least(uint64_t bytes);

/// min_bytes of a spilling keeper whose pages must have `page_bytes` at least: 16 partition pages
/// and the kept ones of the least size, and 96 KiB.
uint64_t keeper_min_bytes(uint32_t workers, uint64_t page_bytes);

// ---- Pages -------------------------------------------------------------------------------------

/// Sets the page size of a query. Before the first page_get.
void page_size_set(pool *query, size_t size);

/// The page size of a keeper (pool_options), or of the query that `self` belongs to; 64 KiB if
/// nobody set it.
size_t page_size_of(const pool *self);

/// A page, not initialised; NULL if the keeper is at its target or the pool has none: write out the
/// page that just filled and reuse that.
void *page_get(pool *self);

/// A page for work that could not go on without: as pool_take_urgent.
void *page_get_urgent(pool *self);

/// Gives a page back; NULL does nothing.
void page_put(pool *self, void *page);

// ---- Directories -------------------------------------------------------------------------------

/// Contiguous zeroed memory: hash directories, bitmaps, counters.
typedef struct directory {
    pool *owner;
    void *data;      // NULL: none is open.
    size_t size;     // Bytes asked for.
    size_t capacity; // Bytes taken.
} directory;

/// Opens one. False if the pool refuses; then `out->data` is NULL.
bool directory_open(pool *owner, size_t size, directory *out);
bool directory_open_urgent(pool *owner, size_t size, directory *out);

/// Frees the old memory and takes new of `size` bytes, zeroed: no moment needs both. False if the
/// pool refuses the difference; then everything is as it was. False with data == NULL if the
/// system refused.
bool directory_regrow(directory *self, size_t size);
bool directory_regrow_urgent(directory *self, size_t size);

/// Zeroes it again.
void directory_clear(directory *self);

void directory_close(directory *self);

#endif
