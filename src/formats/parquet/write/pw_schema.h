// firn's types as the schema of a Parquet file.
//
//     BOOLEAN, REAL, DOUBLE    BOOLEAN, FLOAT, DOUBLE
//     INTEGER, BIGINT          INT32, INT64, which mean just that
//     other integers           INT32, INT64 with INTEGER(width, sign)
//     FLOAT16                  FIXED(2) FLOAT16
//     DECIMAL(p ≤ 9, ≤ 18)     INT32, INT64; above: FIXED, of as few bytes as p digits need
//     DATE                     INT32 DATE
//     TIME, TIMESTAMP          TIME, TIMESTAMP in milli-, micro-, nanoseconds; seconds as
//     TIMESTAMPTZ              milliseconds; WITH TIME ZONE is isAdjustedToUTC, TIME never is, nor
//                              may it be 24:00
//     INTERVAL                 FIXED(12) INTERVAL: months, days, milliseconds
//     VARCHAR, JSON            BYTE_ARRAY STRING, JSON
//     BINARY, BINARY(n)        BYTE_ARRAY, FIXED(n)
//     UUID                     FIXED(16) UUID
//     NULL                     INT32 UNKNOWN, always optional
//     LIST, MAP, STRUCT        the three-level forms; elements are called "element", "key",
//                              "value", whatever the type calls them
//
// Logical types, and the converted type beside where one exists: also for times and timestamps
// without zone, as the format asks of writers, although the converted type says UTC. (INTERVAL has
// only a converted type.) Columns and children that are nullable are optional, but keys of maps
// never are; field ids are written where there are any.
//
// What a reader gets back differs in: TIMESTAMP_S, TIMESTAMPTZ_S and TIME in seconds are in
// milliseconds, INTERVALs have lost the nanoseconds that pw_stored.h refuses, names and nullability
// of keys and elements are the format's. Nothing else is lost without a key ARROW:schema.
//
// Specification: apache/parquet-format, LogicalTypes.md.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_SCHEMA_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_SCHEMA_H

#include "column/type.h"
#include "formats/parquet/pq_schema.h"

/// The names from a column down to a leaf, as path_in_schema has them: of a list of numbers
/// "tags", "list", "element".
typedef struct pw_path {
    uint32_t count;
    const text *names;
} pw_path;

typedef struct pw_schema {
    schema columns;                  ///< What is written, copied.
    pq_schema_element_list elements; ///< For the footer.
    const pq_schema *tree;           ///< The same as readers see it, with levels: children of a
                                     ///< node are those of its type, in order.
    const type *const *leaf_types;   ///< firn's type of each leaf.
    const pw_path *leaf_paths;       ///< Likewise its path.
} pw_schema;

/// Makes it in `memory`.
///
/// Errors: FIRN_UNSUPPORTED for a STRUCT without fields, which Parquet has no form for, and for
///         more than PQ_SCHEMA_DEPTH_MAX names from a column to a leaf;
///         FIRN_INVALID (SQLSTATE 42701) for two columns, or two fields of a struct, of one name;
///         FIRN_NO_MEMORY.
firn_status pw_schema_make(const schema *columns, arena *memory, const pw_schema **out,
                           firn_error *err);

#endif
