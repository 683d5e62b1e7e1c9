// What was decoded from files that have not changed, kept for the next query.
//
// A block is what somebody made of the bytes at one offset of one file: a header of his own and a
// body. Whoever finds one holds it until he lets go; blocks that nobody holds are dropped, the
// longest unused first, when memory is wanted elsewhere. Nothing is kept at the first touch: a part
// of a file that is read once costs nothing but a mark that it was.
//
// Threads: any. The cache's lock has rank CACHE; memory is taken and given back without it.
#ifndef FIRN_IO_BLOCK_CACHE_H
#define FIRN_IO_BLOCK_CACHE_H

#include "io/io.h"
#include "memory/pool.h"

typedef struct block_cache block_cache;

#define CACHED_HEADER_MAX 256 ///< Bytes that a block's maker may keep beside its body.

typedef struct cached_block {
    bytes body;
    _Alignas(16) uint8_t header[CACHED_HEADER_MAX];
} cached_block;

/// Takes what it keeps from a pool of its own below `engine`, which outlives it.
/// Errors: FIRN_NO_MEMORY.
firn_status block_cache_open(pool *engine, block_cache **out, firn_error *err);
/// Nobody holds a block any more. NULL: nothing.
void block_cache_close(block_cache *self);

/// A number for this content of the file, the same for every opening; 0 if it must not be cached
/// (its identity is not certain), or if `self` is NULL.
uint64_t block_cache_file(block_cache *self, io_file *file);

/// A number for a query that begins: what it reads twice is no reason to keep it.
uint32_t block_cache_query(block_cache *self);

/// Says that the part of a file that begins at `offset` is read by a query. True if another query
/// has read it before: then it is worth keeping. Now and then a part is forgotten.
bool block_cache_touch(block_cache *self, uint64_t file, uint64_t offset, uint32_t query);

/// The block of an offset, held; NULL if there is none.
cached_block *block_cache_find(block_cache *self, uint64_t file, uint64_t offset);

/// Room for a block whose body has `size` bytes and begins `skew` bytes (below 64) behind a cache
/// line, with `pad` zero bytes behind it. NULL if there is no memory for it. The caller fills body
/// and header and puts it.
cached_block *block_cache_new(block_cache *self, size_t size, size_t skew, size_t pad);
/// Makes a block findable; the caller holds it no more. If somebody else was first, it is dropped.
void block_cache_put(block_cache *self, cached_block *block, uint64_t file, uint64_t offset);

/// Lets a found block go. NULL: nothing.
void block_cache_release(block_cache *self, cached_block *block);

typedef struct block_cache_report {
    uint64_t found, missed; ///< Questions after the first touch.
    uint64_t blocks;
    uint64_t used_bytes;
} block_cache_report;
block_cache_report block_cache_describe(block_cache *self);

#endif
