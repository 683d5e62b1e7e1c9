// Schemas of Iceberg metadata as firn's, with the field ids that everything hangs on.
//
//     boolean, int, long, float, double, date, string   BOOLEAN, INTEGER, BIGINT, REAL, DOUBLE …
//     decimal(p, s), fixed[n], binary, uuid             DECIMAL(p,s), BINARY(n), BINARY, UUID
//     time, timestamp[_ns], timestamptz[_ns]            TIME, TIMESTAMP[_NS], TIMESTAMPTZ[_NS]
//     unknown; geometry, geography                      NULL; BINARY (WKB)
//     list, map, struct                                 LIST, MAP, STRUCT
//
// Specification: apache/iceberg, format/spec.md, "Schemas and Data Types", Appendix C.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_SCHEMA_H
#define FIRN_TABLES_ICEBERG_ICEBERG_SCHEMA_H

#include "column/column.h"
#include "memory/json_tree.h"
#include "tables/table.h"

/// What a field is in files that were written before it was added.
typedef struct ice_default {
    int32_t field_id;
    const column *value; ///< One row.
} ice_default;

typedef struct ice_schema {
    int32_t id;
    schema columns;
    uint32_t default_count;
    const ice_default *defaults;
    const column_note *notes; ///< One for each column: its doc, and what new rows have there.
} ice_schema;

/// Reads a schema into `memory`. Texts are copied.
///
/// Errors: FIRN_CORRUPT (types that are none, ids twice or missing, defaults of another type),
///         FIRN_UNSUPPORTED (variant), FIRN_NO_MEMORY.
firn_status ice_schema_read(const json_node *node, arena *memory, ice_schema *out, firn_error *err);

/// The field with an id anywhere in the schema, or NULL.
const field *ice_schema_find(const schema *self, int32_t field_id);

/// The default of a field, or NULL.
const column *ice_schema_default(const ice_schema *self, int32_t field_id);

#endif
