// What a worker remembers of the time zones that an argument names.
#ifndef FIRN_FUNCTIONS_SCALAR_ZONE_ARGUMENT_H
#define FIRN_FUNCTIONS_SCALAR_ZONE_ARGUMENT_H

#include "expr/function.h"
#include "memory/zone_memo.h"

/// As `open` of a function: makes a zone_memo in `memory`.
firn_status zone_argument_open(const function_bind_call *bound, arena *memory, void **local,
                               firn_error *err);

#endif
