#include "catalogs/catalogs.h"

#include "base/host.h"
#include "base/nearest.h"
#include "catalogs/catalog_config.h"
#include "catalogs/catalog_options.h"
#include "io/io_path.h"

#define CATALOG(word) extern const catalog_kind word##_catalog_kind;
#include "catalogs/catalogs.def"
#undef CATALOG

static const catalog_kind *const kinds[] = {
#define CATALOG(word) &word##_catalog_kind,
#include "catalogs/catalogs.def"
#undef CATALOG
    NULL,
};

typedef struct attach_place {
    text alias;
    text location;
} attach_place;

static bool is_type(const firn_option *option) {
    return text_equal_nocase(text_of(option->key), TEXT("TYPE"));
}

// TYPE says of which format the tables are; the catalog's kind is known by its location.
static firn_status check_type(const firn_option *option, firn_error *err) {
    const text value = text_of(option->value);
    if (text_equal_nocase(value, TEXT("iceberg"))) {
        return FIRN_OK;
    }
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                                  "TYPE is \"%.*s\", iceberg is allowed", TEXT_ARGS(value));
    nearest_name near = nearest_to(value);
    nearest_offer(&near, TEXT("iceberg"));
    (void)nearest_hint(&near, err);
    return status;
}

firn_status catalog_option_check(const firn_option *option, arena *memory, firn_error *err) {
    if (is_type(option)) {
        return check_type(option, err);
    }
    catalog_options ignored;
    return catalog_options_read(option, 1, CATALOG_ANY, memory, &ignored, err);
}

static firn_status open_by(const catalog_kind *kind, const attach_place *place,
                           const firn_option *options, size_t count, struct io *io, catalog **out,
                           firn_error *err) {
    arena memory = arena_open((size_t)4 << 20);
    option_list own = {.items = ARENA_NEW(&memory, firn_option, count + 1)};
    option_list all;
    firn_status status = own.items == NULL ? ARENA_FULL(&memory, err) : FIRN_OK;
    for (size_t i = 0; i < count && status == FIRN_OK; i++) {
        if (is_type(&options[i])) {
            status = check_type(&options[i], err);
        } else {
            own.items[own.count++] = options[i];
        }
    }
    if (status == FIRN_OK) {
        const catalog_config config = {.files = io, .environment = host_environment};
        status = catalog_config_add(&config, place->alias, own, &memory, &all, err);
    }
    if (status == FIRN_OK) {
        status = kind->open(place->alias, place->location, all.items, all.count, io, out, err);
    }
    arena_close(&memory);
    return status;
}

firn_status catalog_open(text alias, text location, const firn_option *options, size_t count,
                         struct io *io, catalog **out, firn_error *err) {
    for (const catalog_kind *const *kind = kinds; *kind != NULL; kind++) {
        if ((*kind)->recognises(location)) {
            const attach_place place = {.alias = alias, .location = location};
            return open_by(*kind, &place, options, count, io, out, err);
        }
    }
    char buffer[256];
    const text shown = io_path_shown(location, buffer, sizeof buffer);
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "42704", NO_POSITION, "\"%.*s\" is no catalog",
                                  TEXT_ARGS(shown));
    err_hint(err, "ATTACH takes 'sqlite:FILE', 'https://…' of a REST catalog, or a folder");
    return status;
}
