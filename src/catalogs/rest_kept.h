// Tables as a REST server last sent them, to be asked for by their ETag: what has not changed is
// not sent again. Bounded; the table that was not asked for longest goes first.
//
// Only what is the same for everybody is kept: locations and metadata. Keys to the storage are with
// io, and end: a server that says 304 sends no new ones, so a table is had anew once it is time.
#ifndef FIRN_CATALOGS_REST_KEPT_H
#define FIRN_CATALOGS_REST_KEPT_H

#include "base/mutex.h"
#include "catalogs/catalog_loaded.h"
#include "memory/arena.h"
#include "tables/catalog.h"

#define REST_KEPT_COUNT 16
#define REST_KEPT_BYTES_MAX ((size_t)16 << 20) // Together; a table alone a quarter of it.

typedef struct rest_kept_entry {
    arena memory; // Of all below.
    text key;     // Size 0: free.
    text etag;
    text metadata_location;
    bytes metadata;
    int64_t again_ms; // As of a loaded_table.
    uint64_t used;    // When it was last asked for.
} rest_kept_entry;

/// Any thread.
typedef struct rest_kept {
    mutex lock;
    uint64_t clock GUARDED_BY(&lock);
    size_t bytes GUARDED_BY(&lock);
    rest_kept_entry entries[REST_KEPT_COUNT] GUARDED_BY(&lock);
} rest_kept;

/// What tells a name from all others, as one text.
firn_status rest_name_key(object_name name, arena *memory, text *out, firn_error *err);

void rest_kept_open(rest_kept *self);
void rest_kept_close(rest_kept *self);

/// The ETag of a table that is kept, in `memory`; empty if it is not, or has keys that are to be
/// had anew by `now_ms`. Whether it has keys at all.
firn_status rest_kept_etag(rest_kept *self, object_name name, int64_t now_ms, arena *memory,
                           text *out, bool *has_keys, firn_error *err);
/// The table as it was sent with that ETag, copied to `memory`. False: it is not kept any more.
firn_status rest_kept_take(rest_kept *self, object_name name, text etag, arena *memory,
                           loaded_table *out, bool *found, firn_error *err);
/// Keeps a table in place of what was known of it, if it has an ETag and is not too large.
void rest_kept_put(rest_kept *self, object_name name, const loaded_table *table);

#endif
