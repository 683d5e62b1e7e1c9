// What is known of the storages where tables lie: keys, regions, end points. Catalogs say it, table
// by table, and a store asks for it by the path of what it opens, lists, writes or removes; nobody
// in between carries it.
//
//     catalog ─ io_storage_set(table's roots, properties, credentials) ─┐
//                                                                      io
//     store ─── io_storage_find(path) ─────────────────────────────────┘
//
// Which is meant: of the tables that have a root in front of a path the one with the longest, of
// equal ones what was said last. A path that lies below no root has no properties.
//
// Which value counts: of one key the last in `properties`, unless the credential whose prefix is
// the longest in front of the path has the key too.
//
// Nothing of it is ever in a message. Bounded: what was not asked for longest is forgotten first.
#ifndef FIRN_IO_IO_STORAGE_H
#define FIRN_IO_IO_STORAGE_H

#include "io/io.h"

typedef struct io_property {
    text key; // As Iceberg calls it: "s3.access-key-id".
    text value;
} io_property;

typedef struct io_properties {
    uint32_t count;
    io_property *items;
} io_properties;

/// Properties of the paths that begin with `prefix`, letter by letter, whatever it ends with.
typedef struct io_credential {
    text prefix;
    io_properties properties;
} io_credential;

/// What is said of the files of one table.
typedef struct io_storage {
    const void *owner; // Who says it.
    text name;         // Of the table, as the owner tells its tables apart.
    uint32_t root_count;
    const text *roots; // Folders below which its files lie. Prefixes of credentials that name a
                       // bucket count too. What names none, such as "s3://" or "/", does not.
    io_properties properties;
    uint32_t credential_count;
    const io_credential *credentials;
} io_storage;

#define IO_STORAGE_COUNT 1024                    // Tables.
#define IO_STORAGE_BYTES_MAX ((size_t)256 << 10) // Of one.
#define IO_STORAGE_PROPERTY_COUNT_MAX 512        // Of one, and of a credential.

/// Keeps a copy in place of what the owner has said of that name. Where there is no root, no
/// property and no credential, that is forgotten. Errors: FIRN_INVALID (too much), FIRN_NO_MEMORY.
/// The old one is forgotten then too.
firn_status io_storage_set(io *self, const io_storage *said, firn_error *err);
/// Whether something is kept that the owner has said of that name; it counts as asked for.
bool io_storage_knows(io *self, const void *owner, text name);
/// Forgets all that an owner has said.
void io_storage_drop(io *self, const void *owner);

typedef struct io_storage_found {
    uint64_t version;         // Another one whenever something was said anew; 0: nothing is known.
    io_properties properties; // Each key once.
} io_storage_found;

/// What is known of a path, copied to `memory`. Any thread.
firn_status io_storage_find(io *self, text path, arena *memory, io_storage_found *out,
                            firn_error *err);

/// Whether a property is one that stores use: `s3.…`, `client.region`, `io-impl` …
bool io_property_is_storage(text key);
/// Whether its value is to be shown to nobody.
bool io_property_is_secret(text key);

#endif
