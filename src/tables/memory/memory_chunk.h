// The rows of tables in memory: chunks, each one block of memory of just the size that it needs.
//
// A chunk never changes and is shared by reference count: between a table, what the table was a
// moment ago, and snapshots of it. Thin ones are joined by making another; one that loses rows
// gives its columns to another, which has a selection, as long as half of its rows are left.
#ifndef FIRN_TABLES_MEMORY_CHUNK_H
#define FIRN_TABLES_MEMORY_CHUNK_H

#include <stdatomic.h>

#include "column/batch.h"

struct pool;

#define CHUNK_THIN_ROWS (BATCH_ROWS / 4) ///< Fewer are joined with others.
#define CHUNK_THIN_BYTES (BATCH_BYTES / 4)

typedef struct chunk {
    atomic_uint references;
    struct pool *pool;
    size_t capacity;     ///< Of its block.
    batch rows;          ///< Flat, up to BATCH_ROWS; with a selection where it lost rows.
    uint64_t number;     ///< Of the chunks of its worker: for those of one sequence.
    struct chunk *whole; ///< Whose columns it has, all of whose rows count; NULL: they are its own.
} chunk;

/// Where the rows of chunks are charged, and what errors call it.
typedef struct chunk_home {
    struct pool *pool;
    const schema *columns; ///< Whose types the rows get: those of a batch die with its plan.
    text table;
} chunk_home;

/// A copy of the rows that count. What is made on the way is in `scratch`, which the caller
/// rewinds.
///
/// Errors: FIRN_NO_MEMORY, which names the table; FIRN_CANCELLED by the flag of `scratch`.
firn_status chunk_make(const chunk_home *home, arena *scratch, const batch *rows, chunk **out,
                       firn_error *err);
/// The same of several batches, one behind the other, at most BATCH_ROWS together: flat ones
/// without selection, as chunks have and batch_copy makes. It has the sequence of the first.
firn_status chunk_join(const chunk_home *home, arena *scratch, const batch *const *parts,
                       uint32_t count, chunk **out, firn_error *err);
/// Some of the rows of a chunk: `selection`, ascending, is of its columns' rows, and copied. Takes
/// few bytes, and keeps those of the chunk. Errors: FIRN_NO_MEMORY.
firn_status chunk_cut(const chunk_home *home, chunk *from, const uint16_t *selection,
                      uint32_t count, chunk **out, firn_error *err);
chunk *chunk_retain(chunk *self);
void chunk_release(chunk *self); ///< NULL does nothing.

/// How many rows count.
static inline uint32_t chunk_rows(const chunk *self) {
    return self->rows.selected_count;
}

/// Bytes that it keeps, about.
static inline size_t chunk_bytes(const chunk *self) {
    return self->whole == NULL ? self->capacity : self->whole->capacity;
}

/// Is it worth joining with others?
static inline bool chunk_is_thin(const chunk *self) {
    return chunk_rows(self) < CHUNK_THIN_ROWS && chunk_bytes(self) < CHUNK_THIN_BYTES;
}

// ---- Lists --------------------------------------------------------------------------------------

/// A growing list of chunks, with a reference to each.
typedef struct chunk_list {
    uint64_t count, capacity;
    chunk *items[];
} chunk_list;

/// Adds a chunk, whose reference goes over. *list may be NULL.
firn_status chunk_list_add(chunk_list **list, chunk *made, firn_error *err);
void chunk_list_close(chunk_list *self); ///< NULL does nothing.
/// Joins neighbours that are thin, as far as they fit; others stay. Where there is no memory to
/// join some they stay as well.
void chunk_list_compact(chunk_list *self, const chunk_home *home);

// ---- Tails --------------------------------------------------------------------------------------

/// The newest chunks of a table, all thin: those that statements of few rows left. They come in
/// classes of size, each four times the one below, with at most three of a class, so that every
/// row is copied once a class, and there are about a dozen chunks. Immutable, shared.
typedef struct chunk_tail {
    atomic_uint references;
    uint32_t count;
    chunk *items[];
} chunk_tail;

/// The tail of a table after `from` to the last of `added` came behind `old` (NULL: none), which
/// stay as they are. Where there is no memory to join some they stay side by side.
firn_status chunk_tail_add(const chunk_tail *old, const chunk_list *added, uint64_t from,
                           const chunk_home *home, chunk_tail **out, firn_error *err);
/// The first of these are no longer thin, or stand before such a one: they leave the tail.
uint32_t chunk_tail_settled_count(const chunk_tail *self);
/// Takes the first `count` away; only of one that nobody shares.
void chunk_tail_drop(chunk_tail *self, uint32_t count);
chunk_tail *chunk_tail_retain(chunk_tail *self); ///< NULL is none.
void chunk_tail_release(chunk_tail *self);       ///< NULL does nothing.

#endif
