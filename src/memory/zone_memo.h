// Time zones that texts name, each looked up once.
#ifndef FIRN_MEMORY_ZONE_MEMO_H
#define FIRN_MEMORY_ZONE_MEMO_H

#include "memory/zone_load.h"

struct zone_memo_entry;

typedef struct zone_memo {
    arena *memory;
    struct zone_memo_entry *entries; // The last one asked for is the first.
    text missing;                    // The last name that no zone has, in missing_bytes.
    char missing_bytes[ZONE_NAME_SIZE_MAX];
    bool is_refused; // Memory was: then a zone may be there that is not found.
} zone_memo;

/// Borrows: `memory`, where the zones found are; there are as many as there are names of zones.
zone_memo zone_memo_make(arena *memory);

/// A cursor at the zone of a name as AT TIME ZONE has it; NULL if there is no such zone. It stays
/// valid.
zone_cursor *zone_memo_find(zone_memo *self, text name);
/// The error of a name that is none, with a hint at the one that may be meant.
void zone_memo_say_missing(text name, arena *scratch, firn_error *err);

#endif
