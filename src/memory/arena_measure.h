// How much lies behind a mark of an arena: for those who do less at a time when that was a lot.
#ifndef FIRN_MEMORY_ARENA_MEASURE_H
#define FIRN_MEMORY_ARENA_MEASURE_H

#include "memory/arena.h"

/// Bytes allocated since the mark was taken, with what is left over at the ends of chunks.
size_t arena_bytes_since(const arena *self, arena_mark mark);

#endif
