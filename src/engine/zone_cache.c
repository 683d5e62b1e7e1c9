#include "engine/zone_cache.h"

#include "memory/text_builder.h"
#include "memory/zone_load.h"

typedef struct zone_entry {
    text name;
    const zone *zone;
    struct zone_entry *following;
} zone_entry;

void zone_cache_begin(zone_cache *self) {
    *self = (zone_cache){.memory = arena_open((size_t)1 << 26)};
    mutex_begin(&self->lock, MUTEX_LEAF);
}

void zone_cache_end(zone_cache *self) {
    arena_close(&self->memory);
    mutex_end(&self->lock);
}

static firn_status add(zone_cache *self, text name, zone_entry **out, firn_error *err) {
    zone_entry *made = ARENA_NEW(&self->memory, zone_entry, 1);
    if (made == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *made = (zone_entry){.following = self->entries};
    TRY(text_copy(&self->memory, name, &made->name, err));
    TRY(zone_load(&self->memory, name, &made->zone, err));
    self->entries = made;
    *out = made;
    return FIRN_OK;
}

firn_status zone_cache_find(zone_cache *self, text name, const zone **out, firn_error *err) {
    firn_status status = FIRN_OK;
    mutex_lock(&self->lock);
    zone_entry *found = self->entries;
    while (found != NULL && !text_equal(found->name, name)) {
        found = found->following;
    }
    if (found == NULL) {
        status = add(self, name, &found, err);
    }
    mutex_unlock(&self->lock);
    if (status == FIRN_OK) {
        *out = found->zone;
    }
    return status;
}
