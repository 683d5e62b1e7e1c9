// Options of ATTACH that are not written in SQL, by the alias of the catalog: secrets above all.
//
//     ATTACH 'https://catalog' AS lake        what is written here counts first, then
//     FIRN_CATALOG__LAKE__TOKEN=…             the environment: in capitals, '_' for other signs,
//     FIRN_CONFIG=/etc/firn.ini               then the section of a file:
//         # comment                               [lake]
//         ; comment                               credential = id:secret
#ifndef FIRN_CATALOGS_CATALOG_CONFIG_H
#define FIRN_CATALOGS_CATALOG_CONFIG_H

#include "catalogs/catalog_options.h"
#include "io/io.h"
#include "memory/arena.h"

typedef struct option_list {
    size_t count;
    firn_option *items;
} option_list;

/// Where to look, and for which kind of catalog; tests have their own environment.
typedef struct catalog_config {
    io *files;
    const char *(*environment)(const char *name);
    const char *(*environment_at)(size_t index); // "NAME=value"; NULL behind the last.
    catalog_kind_bit kind;
} catalog_config;

/// Makes `out` of `given` and of what stands outside and is not among it. Everything but the keys
/// and values of `given` is in `memory`.
///
/// Errors: FIRN_INVALID with the file's line or the variable's name, never with what they say, also
///         of a variable of the catalog that names no option; those of io.
firn_status catalog_config_add(const catalog_config *self, text alias, option_list given,
                               arena *memory, option_list *out, firn_error *err);

#endif
