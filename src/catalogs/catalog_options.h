// The options of ATTACH, alike for every kind of catalog, read from text.
#ifndef FIRN_CATALOGS_CATALOG_OPTIONS_H
#define FIRN_CATALOGS_CATALOG_OPTIONS_H

#include "io/io_storage.h"
#include "io/net_module.h"
#include "memory/arena.h"

// Kinds of catalogs, as bits.
typedef enum catalog_kind_bit {
    CATALOG_REST = 1,
    CATALOG_SQLITE = 2,
    CATALOG_FOLDER = 4,
    CATALOG_ANY = 7,
} catalog_kind_bit;

/// What was given; all else is empty, 0 or false.
typedef struct catalog_options {
    text warehouse;
    text catalog_name;
    text token;
    text credential;
    text scope;
    text oauth2_server_uri;
    net_header *headers;
    uint32_t header_count;
    io_properties properties;
    uint32_t connect_timeout_ms;
    uint32_t request_timeout_ms;
    bool is_read_only;
} catalog_options;

/// What people call a catalog of one kind: "REST catalog".
const char *catalog_kind_words(catalog_kind_bit kind);

#define CATALOG_OPTION_COUNT 11 // Rows of catalog_options.def.
/// The name of an option of any kind of catalog, in capitals; `index` is below the count.
const char *catalog_option_name(size_t index);

/// Reads options for a catalog of one kind. Names are taken in any case. Values:
///     HEADERS            a JSON object of texts: {"X-Tenant": "seven"}
///     PROPERTIES         likewise, of keys that stores use (io/io_storage.h)
///     …_TIMEOUT          a whole number of seconds, or with a unit: 500ms, 5s, 2min
///     READ_ONLY          true, false, or empty, which is true
///
/// Borrows: keys and values, as long as `out`.
/// Errors:  FIRN_INVALID: unknown (the hint names the nearest, or all), not for this kind, given
/// twice, a
///          bad value. The text never holds a value that may be secret.
firn_status catalog_options_read(const firn_option *options, size_t count, catalog_kind_bit kind,
                                 arena *memory, catalog_options *out, firn_error *err);

#endif
