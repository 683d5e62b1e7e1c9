#include "catalogs/catalogs.h"

#include "base/host.h"
#include "base/nearest.h"
#include "catalogs/catalog_config.h"
#include "catalogs/catalog_options.h"
#include "io/io_path.h"

#define CATALOG(word, bit) extern const catalog_kind word##_catalog_kind;
#include "catalogs/catalogs.def"
#undef CATALOG

typedef struct known_kind {
    const catalog_kind *kind;
    catalog_kind_bit bit;
} known_kind;

static const known_kind kinds[] = {
#define CATALOG(word, bit_) {.kind = &word##_catalog_kind, .bit = bit_},
#include "catalogs/catalogs.def"
#undef CATALOG
    {.bit = CATALOG_ANY}, // Of a location that no catalog has.
};

static const known_kind *kind_at(text location) {
    const known_kind *known = kinds;
    while (known->kind != NULL && !known->kind->recognises(location)) {
        known++;
    }
    return known;
}

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

static firn_status while_attaching(firn_status status, const known_kind *known, text alias,
                                   firn_error *err) {
    if (status == FIRN_INVALID && known->kind != NULL) {
        err_while(err, "attaching the catalog \"%.*s\", which is a %s", TEXT_ARGS(alias),
                  catalog_kind_words(known->bit));
    }
    return status;
}

firn_status catalog_option_check(const firn_option *option, text alias, text location,
                                 arena *memory, firn_error *err) {
    if (is_type(option)) {
        return check_type(option, err);
    }
    catalog_options ignored;
    const known_kind *known = kind_at(location);
    return while_attaching(catalog_options_read(option, 1, known->bit, memory, &ignored, err),
                           known, alias, err);
}

static firn_status open_by(const known_kind *known, const attach_place *place,
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
        const catalog_config config = {.files = io,
                                       .environment = host_environment,
                                       .environment_at = host_environment_at,
                                       .kind = known->bit};
        status = while_attaching(catalog_config_add(&config, place->alias, own, &memory, &all, err),
                                 known, place->alias, err);
    }
    if (status == FIRN_OK) {
        status =
            known->kind->open(place->alias, place->location, all.items, all.count, io, out, err);
    }
    arena_close(&memory);
    return status;
}

firn_status catalog_open(text alias, text location, const firn_option *options, size_t count,
                         struct io *io, catalog **out, firn_error *err) {
    const known_kind *known = kind_at(location);
    if (known->kind != NULL) {
        const attach_place place = {.alias = alias, .location = location};
        return open_by(known, &place, options, count, io, out, err);
    }
    char buffer[256];
    const text shown = io_path_shown(location, buffer, sizeof buffer);
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "42704", NO_POSITION, "\"%.*s\" is no catalog",
                                  TEXT_ARGS(shown));
    err_hint(err, "ATTACH takes 'sqlite:FILE', 'https://…' of a REST catalog, or a folder");
    return status;
}
