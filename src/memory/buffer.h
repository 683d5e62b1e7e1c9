// Reference-counted bytes: column data in flight, Arrow buffers, cached blocks, I/O buffers.
//
// A buffer has BUFFER_PAD zeroed bytes behind its capacity, so that unpackers and copies may read
// beyond the end. It is written by the one who opened it, until it is shared; then it never
// changes.
//
// Threads: retain and release from any thread at any time.
#ifndef FIRN_MEMORY_BUFFER_H
#define FIRN_MEMORY_BUFFER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "memory/pool.h"

#define BUFFER_PAD 64

typedef struct buffer {
    uint8_t *data;   // Aligned to 64 bytes, unless it is foreign.
    size_t size;     // Bytes in use; the owner may set it up to `capacity`.
    size_t capacity; // Room, without the pad.

    // For buffer.c only.
    atomic_uint_fast32_t references;
    pool *owner; // NULL: counted nowhere.
    size_t taken;
    bool is_handed_out;
    void (*release)(void *user); // Foreign memory only.
    void *user;
} buffer;

/// Opens a buffer with room for `size` bytes, not initialised but for the pad. `owner` may be NULL:
/// then nothing counts it.
///
/// Owns:   the caller has the one reference.
/// Errors: FIRN_NO_MEMORY.
firn_status buffer_open(pool *owner, size_t size, buffer **out, firn_error *err);

/// Wraps memory of somebody else; `release(user)` is called once, by whichever thread releases
/// last. Such a buffer has no pad. On failure `release` is not called.
firn_status buffer_wrap(bytes data, void (*release)(void *user), void *user, buffer **out,
                        firn_error *err);

/// A buffer with a copy of `data`.
firn_status buffer_copy(pool *owner, bytes data, buffer **out, firn_error *err);

/// One more reference. NULL gives NULL.
buffer *buffer_retain(buffer *self);

/// One reference less; the last one frees. NULL does nothing.
void buffer_release(buffer *self);

/// Stops counting the buffer: it now belongs to the caller of the library, whose collecting of
/// results must not use up the limit of the engine. It may outlive the engine. Before it is shared.
void buffer_hand_out(buffer *self);

/// Counts it against another pool of the same tree: into a cache, out of a query. False if that
/// pool refuses; then nothing changed.
bool buffer_move(buffer *self, pool *owner);

/// True if nobody else can see it, so that it may be written again.
bool buffer_is_sole(const buffer *self);

#endif
