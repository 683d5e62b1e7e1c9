// The columns that an Avro file has by itself, without a table that says what they should be.
//
//     int, long, float, double, boolean, string, bytes   as they are called in SQL
//     fixed(n)             BINARY(n); decimal, uuid, date, times and timestamps by logical type
//     timestamp-*          TIMESTAMPTZ, or TIMESTAMP where adjust-to-utc is false
//     local-timestamp-*    TIMESTAMP
//     enum                 VARCHAR
//     array, map           LIST, MAP with VARCHAR keys; array with logicalType map: MAP
//     record               STRUCT
//     union with null      the other type, nullable
//     union of int and long, or of float and double    the wider of the two
//     any other union      STRUCT of nullable members "member0", "member1", …, one of them set
//
// A schema that is no record becomes one column, "value".
#ifndef FIRN_FORMATS_AVRO_AVRO_TYPES_H
#define FIRN_FORMATS_AVRO_AVRO_TYPES_H

#include "column/type.h"
#include "formats/avro/avro_schema.h"

/// The columns of a file with this schema, with their field ids, in `memory`.
///
/// Borrows: names of `file`.
/// Errors:  FIRN_UNSUPPORTED if a record contains itself or types are nested too deep,
///          FIRN_NO_MEMORY.
firn_status avro_types_of(arena *memory, const avro_schema *file, schema *out, firn_error *err);

/// The type of one value; *is_nullable says whether it is in a union with null.
firn_status avro_type_of(arena *memory, const avro_schema *value, const type **out,
                         bool *is_nullable, firn_error *err);

/// `value` as a record: itself, or one made in `memory` with it as the field "value".
firn_status avro_record_of(arena *memory, const avro_schema *value, const avro_schema **out,
                           firn_error *err);

/// How many branches of a union are not null.
uint32_t avro_choice_count(const avro_schema *value);

/// The unit of a time or timestamp; false for other logical types.
bool avro_unit_of(avro_logical logical, time_unit *out);

#endif
