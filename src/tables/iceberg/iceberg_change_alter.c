#include "tables/iceberg/iceberg_change_private.h"

firn_status ice_play_alter(ice_table_change *self, ice_play *play, const alteration *wanted,
                           ice_played *out, ice_updates *updates, firn_error *err) {
    (void)self;
    (void)play;
    (void)out;
    (void)updates;
    return FAIL(err, FIRN_UNSUPPORTED, "alteration %d of Iceberg tables is not supported",
                (int)wanted->kind);
}
