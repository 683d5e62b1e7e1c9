// Slabs: 2 MiB of memory each, of which pages and blocks are cut.
//
// A slab is aligned to its size, so the system can back it with one huge page, and holds pieces of
// one class only. It is divided into 128 granules of 16 KiB, with a bit for "free" and a bit for
// "resident" each. Taking prefers the fullest slab, so that empty ones appear: those are what is
// given back to the system. Only if there is none are free granules of used slabs given back; that
// splits the huge page, and such a slab stays in small pages until it is empty and unmapped.
//
//     new ──take──▶ used (some granules free) ◀──▶ full
//                     │ last piece given
//                     ▼
//                   empty: kept, or unmapped (always if it was in small pages)
//
// Threads: none of this locks; pool.c calls it under the lock of its tree.
#ifndef FIRN_MEMORY_SLAB_H
#define FIRN_MEMORY_SLAB_H

#include <stddef.h>
#include <stdint.h>

#define SLAB_BYTES ((size_t)2 << 20)
#define SLAB_GRANULE ((size_t)16 << 10)
#define SLAB_GRANULE_COUNT ((uint32_t)128)
/// The largest piece.
#define SLAB_PIECE_MAX ((size_t)1 << 20)

typedef struct slab slab;

typedef enum slab_class {
    SLAB_PAGES_16K, // Pieces of one size, aligned to it.
    SLAB_PAGES_32K,
    SLAB_PAGES_64K,
    SLAB_BLOCKS, // Pieces of any number of granules up to SLAB_PIECE_MAX.
    SLAB_CLASS_COUNT,
} slab_class;

// By the number of free granules, in powers of two: 1, 2-3, ... 64-127.
#define SLAB_BUCKET_COUNT 7

typedef struct slab_store {
    slab *lists[SLAB_CLASS_COUNT][SLAB_BUCKET_COUNT]; // Used slabs with free granules.
    slab *empty;                                      // Whole and resident.
    slab **table;                                     // By address: open addressing; NULL is free.
    size_t table_size;
    size_t slab_count;
    uint64_t resident; // Bytes of all slabs that the system backs.
    uint64_t taken;    // Bytes of pieces that are out.
} slab_store;

/// Takes a piece of `size` bytes, a multiple of the granule that suits the class, growing
/// `resident` by at most `room`. NULL if there is none, or the system refuses.
void *slab_take(slab_store *self, slab_class class, size_t size, uint64_t room);

/// Gives a piece back, which stays resident.
void slab_give(slab_store *self, void *piece, size_t size);

/// Gives empty slabs back to the system until `wanted` bytes are reached or none is left. Returns
/// how much it was.
uint64_t slab_release_empty(slab_store *self, uint64_t wanted);

/// The same with free granules of used slabs.
uint64_t slab_release_granules(slab_store *self, uint64_t wanted);

/// Unmaps everything. Nothing may be out.
void slab_store_end(slab_store *self);

#endif
