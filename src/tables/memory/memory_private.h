// What a table in memory is made of, for what reads it and for its sink.
#ifndef FIRN_TABLES_MEMORY_PRIVATE_H
#define FIRN_TABLES_MEMORY_PRIVATE_H

#include "tables/memory/memory_chunk.h"
#include "tables/memory/memory_table.h"

// The chunks of a table between two changes of its rows: INSERT adds to it, what takes rows away
// makes another one. Tables and snapshots share it.
typedef struct chunk_store {
    atomic_uint references;
    chunk_list *chunks; ///< Replaced by a larger copy when full; snapshots read a prefix of theirs.
    chunk_list **old;   ///< Lists that snapshots may still read, without references of their own.
    uint32_t old_count;
} chunk_store;

firn_status chunk_store_open(chunk_store **out, firn_error *err);
chunk_store *chunk_store_retain(chunk_store *self);
void chunk_store_release(chunk_store *self); ///< NULL does nothing.
/// All chunks at once: those of the tail, which is replaced, go behind the store's if chunks come
/// that stay as they are. Errors leave both as they were.
firn_status chunk_store_add(chunk_store *self, chunk_tail **tail, const chunk_list *added,
                            const chunk_home *home, firn_error *err);

struct memory_table {
    atomic_uint references;
    arena memory;
    text catalog;
    text name; ///< `lock` guards it; of the snapshot's what reads and inserts takes.
    text comment;
    schema columns;
    column_note *notes; ///< NULL: nothing is said of any column.
    struct pool *pool;
    mutex lock; ///< Guards what follows; the store's lists too.
    chunk_store *store;
    chunk_tail *tail; ///< Behind the store's chunks; NULL: nothing.
    uint64_t row_count;
    uint64_t change_count; ///< Statements that took rows away.
};

typedef struct memory_snapshot {
    table_snapshot base;
    memory_table *table;
    chunk_store *store; ///< Which keeps `chunks`.
    chunk_list *chunks;
    uint64_t chunk_count; ///< Of `chunks`.
    chunk_tail *tail;
    uint64_t change_count; ///< Of the table then.
} memory_snapshot;

/// Makes the chunks of a statement visible, but for the count of rows.
firn_status memory_table_add(memory_table *self, const chunk_list *added, const chunk_home *home,
                             firn_error *err) REQUIRES(&self->lock);

/// The rows of chunk `number` of a snapshot, those of the tail behind the others.
const batch *memory_snapshot_rows(const memory_snapshot *self, uint64_t number);

/// table_kind.bounds: of integers, dates and times.
void memory_table_bounds(const table_snapshot *base, uint32_t column, const cancel_flag *cancel,
                         arena *memory, column_facts *out);

extern const row_sink_kind memory_sink_kind;

#endif
