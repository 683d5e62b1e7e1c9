#include "catalogs/catalog_location.h"

#include "io/io_path.h"
#include "memory/text_builder.h"

firn_status catalog_location_of(text given, arena *memory, text *out, firn_error *err) {
    const text location = io_path_unslashed(given);
    if (io_path_scheme(location).size > 0 || text_starts_with(location, TEXT("/"))) {
        return text_copy(memory, location, out, err);
    }
    char whole[IO_LOCAL_PATH_MAX];
    TRY(io_path_whole(location, whole, err));
    return text_format(memory, out, err, "file://%s", whole);
}

// A level is one folder: "..", a slash or nothing at all would be another one.
static firn_status append_level(text_builder *path, text level, firn_error *err) {
    const bool leads_away = level.size == 0 || text_equal(level, TEXT(".")) ||
                            text_equal(level, TEXT("..")) ||
                            text_find(level, TEXT("/")) < level.size;
    if (leads_away) {
        const firn_status status = FAIL(
            err, FIRN_INVALID, "\"%.*s\" is no name of a folder for a new table", TEXT_ARGS(level));
        err_hint(err, "LOCATION says where the table lies");
        return status;
    }
    text_append_char(path, '/');
    text_append(path, level);
    return FIRN_OK;
}

firn_status catalog_location_new(const location_parts *self, arena *memory, text *out,
                                 firn_error *err) {
    if (self->given.size > 0) {
        return catalog_location_of(self->given, memory, out, err);
    }
    const bool is_below = self->of_namespace.size > 0;
    const text root = is_below ? self->of_namespace : self->warehouse;
    if (root.size == 0) {
        const firn_status status = FAIL(err, FIRN_INVALID, "nothing says where a new table lies");
        err_hint(err, "ATTACH takes WAREHOUSE, CREATE TABLE takes LOCATION");
        return status;
    }
    text start;
    text_builder path = text_builder_open(memory);
    TRY(catalog_location_of(root, memory, &start, err));
    text_append(&path, text_equal(start, TEXT("/")) ? TEXT("") : start);
    for (uint32_t i = 0; i < self->name.space.count && !is_below; i++) {
        TRY(append_level(&path, self->name.space.items[i], err));
    }
    TRY(append_level(&path, self->name.name, err));
    return text_builder_finish(&path, out, err);
}
