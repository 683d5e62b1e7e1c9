// The Avro schema of manifests, as Iceberg's Java library writes it: what a manifest says of itself
// and the partition record that its spec gives.
//
// Names of partition fields become valid by Avro's own rules, since several readers know no others:
// `a b` is `a_x20b`, with the property `iceberg-field-name`. Readers go by ids.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_MANIFEST_SCHEMA_H
#define FIRN_TABLES_ICEBERG_ICEBERG_MANIFEST_SCHEMA_H

#include "tables/iceberg/iceberg_manifest_list.h"

/// The JSON of the schema, in `memory`. `results` are the types of the partition fields' values.
firn_status ice_manifest_schema(int32_t format_version, const ice_spec *spec,
                                const type *const *results, arena *memory, text *out,
                                firn_error *err);

/// How many bytes a fixed of these partition values has: decimals the fewest for their precision,
/// UUIDs 16, BINARY(n) n; 0: they are no fixed.
uint32_t ice_avro_fixed_size(const type *of);

/// Appends `name` made a valid Avro name.
void ice_avro_name(text name, text_builder *out);

#endif
