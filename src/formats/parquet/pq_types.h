// firn's types for the columns of a Parquet file.
//
// A file written from Arrow carries its Arrow schema under a key; where the Parquet schema says
// less it fills in (pq_arrow_hint.h).
#ifndef FIRN_FORMATS_PARQUET_PQ_TYPES_H
#define FIRN_FORMATS_PARQUET_PQ_TYPES_H

#include "column/type.h"
#include "formats/parquet/pq_metadata.h"

typedef struct pq_type_options {
    bool binary_as_string; // BYTE_ARRAY without annotation is VARCHAR.
    bool int96_in_micros;  // INT96 is TIMESTAMP and not TIMESTAMP_NS: reaches beyond the year 2262.
    bool ignore_arrow_hint; // Do not look at the Arrow schema.
} pq_type_options;

/// The types of everything in a file: one field per child of the schema's root, with field ids; and
/// the type of each leaf by its number.
typedef struct pq_file_types {
    schema columns;
    const type *const *leaves;
} pq_file_types;

/// Finds the types, in `memory`.
///
/// Errors: FIRN_CORRUPT for a DECIMAL with an impossible precision or scale; FIRN_UNSUPPORTED for
///         one of more than 76 digits, for nesting deeper than TYPE_DEPTH_MAX; FIRN_NO_MEMORY.
firn_status pq_types_find(const pq_metadata *metadata, const pq_type_options *options,
                          arena *memory, pq_file_types *out, firn_error *err);

#endif
