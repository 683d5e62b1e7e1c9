#include "catalogs/catalogs.h"

#define CATALOG(word) extern const catalog_kind word##_catalog_kind;
#include "catalogs/catalogs.def"
#undef CATALOG

static const catalog_kind *const kinds[] = {
#define CATALOG(word) &word##_catalog_kind,
#include "catalogs/catalogs.def"
#undef CATALOG
    NULL,
};

firn_status catalog_open(text alias, text location, const firn_option *options, size_t count,
                         struct io *io, catalog **out, firn_error *err) {
    for (const catalog_kind *const *kind = kinds; *kind != NULL; kind++) {
        if ((*kind)->recognises(location)) {
            return (*kind)->open(alias, location, options, count, io, out, err);
        }
    }
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "42704", NO_POSITION, "\"%.*s\" is no catalog",
                                  TEXT_ARGS(location));
    err_hint(err, "ATTACH takes 'sqlite:FILE', 'https://…' of a REST catalog, or a folder");
    return status;
}
