// The session's time zone, as functions, casts and operators of one statement ask for it.
#ifndef FIRN_EXPR_SESSION_ZONE_H
#define FIRN_EXPR_SESSION_ZONE_H

#include "base/zone.h"
#include "expr/function.h"

/// A cursor in the zone of the statement's session; in UTC where there is none. Borrows the zone.
static inline zone_cursor session_zone_cursor(const statement_context *context) {
    return zone_cursor_open(context == NULL || context->zone == NULL ? &zone_utc : context->zone);
}

#endif
