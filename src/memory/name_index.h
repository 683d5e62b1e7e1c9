// Names in the order in which they were added, found without regard to (ASCII) case: columns of a
// scope or a table, WITH queries, aliases. Several may be the same.
#ifndef FIRN_MEMORY_NAME_INDEX_H
#define FIRN_MEMORY_NAME_INDEX_H

#include "base/text.h"
#include "memory/arena.h"

#define NO_NAME UINT32_MAX

typedef struct name_index_entry {
    text name;     // Borrowed.
    uint32_t next; // The next one of the same name; NO_NAME: none.
    uint32_t last; // Of the first of a name: the last one.
} name_index_entry;

typedef struct name_index {
    uint32_t count; ///< Names are numbered from 0 on.
    uint32_t capacity;
    name_index_entry *entries;
    uint32_t *slots; // The first of each name by its hash.
    uint32_t slot_mask;
} name_index;

/// Adds a name, which gets the number `count`. A zeroed index is empty. In `memory`; the name's
/// bytes live as long.
firn_status name_index_add(name_index *self, text name, arena *memory, firn_error *err);

/// The first of that name, in any case, and the one after `number`, in rising order; NO_NAME if
/// there is none.
uint32_t name_index_first(const name_index *self, text name);
uint32_t name_index_next(const name_index *self, uint32_t number);

#endif
