#include "memory/zone_load.h"

#include <stdlib.h>
#include <string.h>

#include "memory/text_builder.h"

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
    char spelling[ZONE_NAME_SIZE_MAX + 1];
    size_t size = 0;
    TRY(zone_file_read(name, spelling, content, &size, err));
    uint8_t *file = ARENA_NEW(memory, uint8_t, size);
    if (file == NULL) {
        return ARENA_FULL(memory, err);
    }
    memcpy(file, content, size);
    text own;
    TRY(text_copy(memory, text_of(spelling), &own, err));
    zone found;
    const firn_status status = zone_open(&found, (bytes){.data = file, .size = size}, err);
    if (status != FIRN_OK) {
        err_while(err, "reading time zone \"%.*s\"", TEXT_ARGS(name));
        return status;
    }
    found.name = own;
    return keep(memory, &found, out, err);
}

// +05:30, as Arrow has it.
static firn_status name_offset(arena *memory, zone *self, firn_error *err) {
    const int32_t offset = self->rule.offset_seconds;
    const int32_t size = abs(offset);
    TRY(text_format(memory, &self->name, err, "%c%02d:%02d", offset < 0 ? '-' : '+', size / 3600,
                    size / 60 % 60));
    return size % 60 == 0 ? FIRN_OK
                          : text_format(memory, &self->name, err, "%.*s:%02d",
                                        TEXT_ARGS(self->name), size % 60);
}

firn_status zone_load(arena *memory, text name, const zone **out, firn_error *err) {
    zone found;
    if (zone_of_offset(name, &found)) {
        if (found.name.size == 0) {
            TRY(name_offset(memory, &found, err));
        }
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
