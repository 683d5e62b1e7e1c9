// firn's types as the schema of a Parquet file.
//
//     TINYINT … UBIGINT     INT32, INT64 with INTEGER(width, sign)
//     FLOAT16               FIXED(2) FLOAT16
//     DECIMAL(p ≤ 9, ≤ 18)  INT32, INT64; above: FIXED, of as few bytes as p digits need
//     DATE, TIME, TIMESTAMP INT32 DATE; TIME and TIMESTAMP by unit; seconds as milliseconds
//     INTERVAL              FIXED(12) INTERVAL: months, days, milliseconds
//     VARCHAR, JSON         BYTE_ARRAY STRING, JSON
//     BINARY, BINARY(n)     BYTE_ARRAY, FIXED(n)
//     UUID                  FIXED(16) UUID
//     NULL                  INT32 UNKNOWN, optional
//     LIST, MAP, STRUCT     the three-level forms; elements are called "element", "key", "value"
//
// Logical types, and the converted type beside where one exists that means the same. Columns and
// children that are nullable are optional; field ids are written where there are any.
//
// Specification: apache/parquet-format, LogicalTypes.md.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_SCHEMA_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_SCHEMA_H

#include "column/type.h"
#include "formats/parquet/pq_schema.h"

typedef struct pw_schema {
    schema columns;                  ///< What is written, copied.
    pq_schema_element_list elements; ///< For the footer.
    const pq_schema *tree;           ///< The same as readers see it: one node a column, one leaf a
                                     ///< leaf, levels.
    const type *const *leaf_types;   ///< firn's type of each leaf.
    const text *const *leaf_paths;   ///< Names from the column down, as path_in_schema has them.
    const uint32_t *leaf_depths;     ///< How many names.
} pw_schema;

/// Makes it in `memory`.
///
/// Errors: FIRN_UNSUPPORTED for a STRUCT without fields, which Parquet has no form for;
///         FIRN_INVALID for two fields of one name in a struct; FIRN_NO_MEMORY.
firn_status pw_schema_make(const schema *columns, arena *memory, const pw_schema **out,
                           firn_error *err);

#endif
