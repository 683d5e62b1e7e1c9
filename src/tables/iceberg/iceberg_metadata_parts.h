// Parts of table metadata that are read by themselves: partition specs, sort orders, properties.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_METADATA_PARTS_H
#define FIRN_TABLES_ICEBERG_ICEBERG_METADATA_PARTS_H

#include "tables/iceberg/iceberg_metadata.h"

/// What a reader is told by a property; not among ice_metadata.properties.
#define ICE_NAME_MAPPING "schema.name-mapping.default"

/// Each reads its part of `root` into `out`, whose format version is known; texts are copied into
/// `memory`. Errors: FIRN_CORRUPT, FIRN_NO_MEMORY.
firn_status ice_read_specs(const json_node *root, arena *memory, ice_metadata *out,
                           firn_error *err);
firn_status ice_read_order(const json_node *root, arena *memory, ice_metadata *out,
                           firn_error *err);
firn_status ice_read_properties(const json_node *root, arena *memory, ice_metadata *out,
                                firn_error *err);

#endif
