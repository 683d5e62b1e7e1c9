#include "functions/scalar/zone_argument.h"

firn_status zone_argument_open(const function_bind_call *bound, arena *memory, void **local,
                               firn_error *err) {
    (void)bound;
    zone_memo *memo = ARENA_NEW(memory, zone_memo, 1);
    if (memo == NULL) {
        return ARENA_FULL(memory, err);
    }
    *memo = zone_memo_make(memory);
    *local = memo;
    return FIRN_OK;
}
