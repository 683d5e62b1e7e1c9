// Opening catalogs: ATTACH finds the kind by TYPE or by what the location looks like.
#ifndef FIRN_CATALOGS_CATALOGS_H
#define FIRN_CATALOGS_CATALOGS_H

#include "tables/catalog.h"

/// Whether the kind of catalog that a location is has this option and can read its value; where it
/// is none, whether any kind does. Errors: FIRN_INVALID.
firn_status catalog_option_check(const firn_option *option, text alias, text location,
                                 arena *memory, firn_error *err);

/// Opens a catalog. The option TYPE, if given, names the kind of its tables.
/// Errors: FIRN_INVALID for unknown options or kinds; whatever opening meets.
firn_status catalog_open(text alias, text location, const firn_option *options, size_t count,
                         struct io *io, catalog **out, firn_error *err);

#endif
