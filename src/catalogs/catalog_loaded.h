// What a catalog client says about a table or view: where its metadata is, and what comes with it.
#ifndef FIRN_CATALOGS_CATALOG_LOADED_H
#define FIRN_CATALOGS_CATALOG_LOADED_H

#include "base/bytes.h"
#include "base/text.h"
#include "io/io_storage.h"
#include "memory/arena.h"
#include "tables/catalog.h"

typedef io_property catalog_property;
typedef io_properties catalog_properties;

typedef struct loaded_table {
    bool is_view;
    bool is_unchanged;         // The server says so, and nothing else is filled in.
    text metadata_location;    // Empty only for what a REST server has staged and not committed.
    text previous_location;    // SQLite catalogs; else empty.
    bytes metadata;            // The JSON itself, if the catalog sent it; else size 0: read it.
    catalog_properties config; // Of this table: storage keys, perhaps a token of its own.
    uint32_t credential_count;
    io_credential *credentials;
    text_list roots;  // Where its files lie: its location, and where properties send them.
    int64_t again_ms; // Since 1970: when its keys are to be had anew; INT64_MAX: never.
    text etag;        // What to ask with next time, or empty.
} loaded_table;

/// The same as options, copied. NULL if there are none.
firn_status catalog_properties_as_options(const catalog_properties *self, arena *memory,
                                          firn_option **out, firn_error *err);

/// The value of a key, or empty. Of several the last.
static inline text catalog_property_find(const catalog_properties *self, text key) {
    for (uint32_t i = self->count; i > 0; i--) {
        if (text_equal(self->items[i - 1].key, key)) {
            return self->items[i - 1].value;
        }
    }
    return (text){.size = 0};
}

#endif
