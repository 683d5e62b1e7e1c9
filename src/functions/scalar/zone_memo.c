#include "functions/scalar/zone_memo.h"

#include "memory/zone_load.h"

struct zone_memo {
    arena *memory;
    text name; // Of the zone last asked for; empty: none yet.
    char bytes[ZONE_NAME_SIZE_MAX];
    zone_cursor cursor;
};

firn_status zone_memo_open(const function_bind_call *bound, arena *memory, void **local,
                           firn_error *err) {
    (void)bound;
    zone_memo *memo = ARENA_NEW(memory, zone_memo, 1);
    if (memo == NULL) {
        return ARENA_FULL(memory, err);
    }
    *memo = (zone_memo){.memory = memory};
    *local = memo;
    return FIRN_OK;
}

zone_cursor *zone_memo_find(zone_memo *self, text name) {
    if (self->name.size > 0 && text_equal(self->name, name)) {
        return &self->cursor;
    }
    firn_error ignored = ERR_INIT;
    const zone *found;
    if (name.size == 0 || name.size > sizeof self->bytes ||
        zone_load_or_abbreviation(self->memory, name, &found, &ignored) != FIRN_OK) {
        return NULL;
    }
    memcpy(self->bytes, name.data, name.size);
    self->name = (text){.data = self->bytes, .size = name.size};
    self->cursor = zone_cursor_open(found);
    return &self->cursor;
}
