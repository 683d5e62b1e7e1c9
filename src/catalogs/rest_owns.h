// What a REST server has said of single tables beside their metadata, for the requests about them
// (rest_own): `config` of a loaded or staged table, of which "token" and "header.*" matter here,
// and which keys of its storage no message may hold.
//
// Bounded; what was not asked for longest goes first, and then the session's own token does.
#ifndef FIRN_CATALOGS_REST_OWNS_H
#define FIRN_CATALOGS_REST_OWNS_H

#include "base/mutex.h"
#include "catalogs/catalog_loaded.h"
#include "catalogs/rest_session.h"
#include "tables/catalog.h"

#define REST_OWNS_COUNT 64
#define REST_OWN_BYTES_MAX ((size_t)128 << 10) // Of one table; what is larger is not kept.

typedef struct rest_owns_entry {
    arena memory; // Of all below.
    text key;     // Size 0: free.
    rest_own own;
    uint64_t used; // When it was last asked for.
} rest_owns_entry;

/// Any thread.
typedef struct rest_owns {
    mutex lock;
    uint64_t clock GUARDED_BY(&lock);
    rest_owns_entry entries[REST_OWNS_COUNT] GUARDED_BY(&lock);
} rest_owns;

void rest_owns_open(rest_owns *self);
void rest_owns_close(rest_owns *self);

/// What is known of a table, copied to `memory`; empty if that is nothing.
firn_status rest_owns_find(rest_owns *self, object_name name, arena *memory, rest_own *out,
                           firn_error *err);
/// Keeps what came with a table in place of what was known.
void rest_owns_put(rest_owns *self, object_name name, const loaded_table *table);

#endif
