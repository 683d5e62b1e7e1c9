// The time zones that an engine's sessions use: each is loaded once and lives as long as the
// engine.
#ifndef FIRN_ENGINE_ZONE_CACHE_H
#define FIRN_ENGINE_ZONE_CACHE_H

#include "base/mutex.h"
#include "base/zone.h"
#include "memory/arena.h"

typedef struct zone_cache {
    mutex lock;
    arena memory;
    struct zone_entry *entries;
} zone_cache;

void zone_cache_begin(zone_cache *self);
void zone_cache_end(zone_cache *self);
/// The zone of a name; FIRN_NOT_FOUND if there is none. Lives until zone_cache_end.
firn_status zone_cache_find(zone_cache *self, text name, const zone **out, firn_error *err);

#endif
