// Time zones that an argument names: looked up once while the name stays the same.
#ifndef FIRN_FUNCTIONS_SCALAR_ZONE_MEMO_H
#define FIRN_FUNCTIONS_SCALAR_ZONE_MEMO_H

#include "base/zone.h"
#include "expr/function.h"

/// What a worker remembers.
typedef struct zone_memo zone_memo;

/// As `open` of a function: makes a zone_memo in `memory`.
firn_status zone_memo_open(const function_bind_call *bound, arena *memory, void **local,
                           firn_error *err);

/// A cursor at the zone of a name as AT TIME ZONE has it: the last one, if the name is the same.
/// NULL if there is no such zone; it is valid until the next call.
zone_cursor *zone_memo_find(zone_memo *self, text name);

#endif
