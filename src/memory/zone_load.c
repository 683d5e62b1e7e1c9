#include "memory/zone_load.h"

#include <string.h>

static firn_status keep(arena *memory, const zone *found, const zone **out, firn_error *err) {
    zone *kept = ARENA_NEW(memory, zone, 1);
    if (kept == NULL) {
        return ARENA_FULL(memory, err);
    }
    *kept = *found;
    *out = kept;
    return FIRN_OK;
}

static firn_status load_file(arena *memory, text name, const zone **out, firn_error *err) {
    uint8_t content[ZONE_FILE_SIZE_MAX];
    size_t size = 0;
    TRY(zone_file_read(name, content, &size, err));
    uint8_t *file = ARENA_NEW(memory, uint8_t, size);
    if (file == NULL) {
        return ARENA_FULL(memory, err);
    }
    memcpy(file, content, size);
    zone found;
    const firn_status status = zone_open(&found, (bytes){.data = file, .size = size}, err);
    if (status != FIRN_OK) {
        err_while(err, "reading time zone \"%.*s\"", TEXT_ARGS(name));
        return status;
    }
    return keep(memory, &found, out, err);
}

firn_status zone_load(arena *memory, text name, const zone **out, firn_error *err) {
    zone found;
    if (zone_of_offset(name, &found)) {
        return keep(memory, &found, out, err);
    }
    return load_file(memory, name, out, err);
}

firn_status zone_load_or_abbreviation(arena *memory, text name, const zone **out, firn_error *err) {
    zone found;
    if (zone_of_abbreviation(name, &found)) {
        return keep(memory, &found, out, err);
    }
    return zone_load(memory, name, out, err);
}
