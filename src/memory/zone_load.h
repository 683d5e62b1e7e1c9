// Time zones by name, kept in an arena.
#ifndef FIRN_MEMORY_ZONE_LOAD_H
#define FIRN_MEMORY_ZONE_LOAD_H

#include "base/zone.h"
#include "memory/arena.h"

/// The zone of a name as the setting TimeZone has it: UTC, +05:30, Europe/Berlin.
///
/// Errors:  FIRN_NOT_FOUND if there is no such zone, FIRN_CORRUPT if its file is damaged,
///          FIRN_NO_MEMORY.
/// Cost:    reads a file unless the name is an offset; whoever asks often keeps the answer.
firn_status zone_load(arena *memory, text name, const zone **out, firn_error *err);

/// The zone of a name in AT TIME ZONE or behind a timestamp: abbreviations such as CET come first,
/// with their fixed offset, as in PostgreSQL.
firn_status zone_load_or_abbreviation(arena *memory, text name, const zone **out, firn_error *err);

#endif
