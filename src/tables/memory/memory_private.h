// What a table in memory is made of, for what reads it and for its sink.
#ifndef FIRN_TABLES_MEMORY_PRIVATE_H
#define FIRN_TABLES_MEMORY_PRIVATE_H

#include "tables/memory/memory_chunk.h"
#include "tables/memory/memory_table.h"

struct memory_table {
    atomic_uint references;
    arena memory;
    text catalog;
    text name; ///< `lock` guards it; of the snapshot's what reads and inserts takes.
    text comment;
    schema columns;
    column_note *notes; ///< NULL: nothing is said of any column.
    struct pool *pool;
    mutex lock;         ///< Guards what follows.
    chunk_list *chunks; ///< Replaced by a larger copy when full; snapshots read a prefix of theirs.
    chunk_list **old;   ///< Lists that snapshots may still read, without references of their own.
    uint32_t old_count;
    chunk_tail *tail; ///< Behind `chunks`; NULL: nothing.
    uint64_t row_count;
};

typedef struct memory_snapshot {
    table_snapshot base;
    memory_table *table; ///< Which keeps `chunks`.
    chunk_list *chunks;
    uint64_t chunk_count; ///< Of `chunks`.
    chunk_tail *tail;
} memory_snapshot;

extern const row_sink_kind memory_sink_kind;

#endif
