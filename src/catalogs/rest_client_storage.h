// What a REST server says of the storage of its tables, on its way to the stores (io/io_storage.h).
//
// Of one key counts, as in Java, the last of: "defaults" of /v1/config, PROPERTIES of ATTACH,
// "overrides" of /v1/config, "config" of the table, the credential of the longest prefix.
#ifndef FIRN_CATALOGS_REST_CLIENT_STORAGE_H
#define FIRN_CATALOGS_REST_CLIENT_STORAGE_H

#include "catalogs/rest_client.h"

/// Hands on what came with a table that was loaded or staged; `table->again_ms` says then when that
/// is to be had anew: five minutes before the first key ends, or in a quarter of an hour if there
/// are keys that do not say when they end.
/// Errors: as io_storage_set.
firn_status rest_storage_set(rest_client *self, object_name name, loaded_table *table,
                             arena *memory, firn_error *err);
/// Whether what was handed on of a table is still there.
bool rest_storage_knows(rest_client *self, object_name name);

#endif
