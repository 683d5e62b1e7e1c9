// Schemas, partition specs and sort orders as the JSON of Iceberg metadata; the counterpart of
// iceberg_schema.h.
//
// A new table's columns get ids as Java gives them: first the columns of a struct, then what is
// inside each of them.
//
//     (a INTEGER, s STRUCT(x INTEGER), b VARCHAR[])    a 1, s 2, b 3, s.x 4, b.element 5
//
// Types that Iceberg lacks become the next one that holds all their values: TINYINT, SMALLINT,
// UTINYINT, USMALLINT int; UINTEGER long; UBIGINT decimal(20, 0); FLOAT16 float; JSON string;
// TIME and TIMESTAMP of other units those of microseconds, but for TIME_NS, which has none, and
// TIMESTAMP_NS.
//
// Specification: apache/iceberg, format/spec.md, Appendix C.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_SCHEMA_WRITE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_SCHEMA_WRITE_H

#include "tables/iceberg/iceberg_metadata.h"

/// The columns that a table gets for columns that are wanted: types that Iceberg has. A field that
/// is called as one of `base`, at the same place, has its id; others get ids above *last_id, which
/// becomes the last one given. In `memory`; names are borrowed. `base` may be NULL.
///
/// Errors: FIRN_UNSUPPORTED for a type that has no counterpart (INTERVAL, decimals of more than 38
///         digits, TIME_NS, timestamps of nanoseconds before version 3), with the column's name;
///         FIRN_INVALID if ids run out.
firn_status ice_schema_assign(const schema *wanted, const schema *base, int32_t format_version,
                              arena *memory, int32_t *last_id, schema *out, firn_error *err);

/// The greatest id in a schema, at any depth; 0 if it has no fields.
int32_t ice_schema_last_id(const schema *self);

/// Writes a schema as an object with its "schema-id". Its types are such as ice_schema_assign or
/// ice_schema_read give; comments come from self->notes, which may be NULL. Defaults are not
/// written: versions 1 and 2 have none.
void ice_schema_write(json_writer *out, const ice_schema *self);

/// Writes a type: a text, or an object if it is nested.
void ice_type_write(json_writer *out, const type *self);

/// Writes the fields of a spec, or a spec. `memory` is for scratch.
void ice_spec_write_fields(json_writer *out, const ice_spec *self, arena *memory);
void ice_spec_write(json_writer *out, const ice_spec *self, arena *memory);

/// Writes a sort order.
void ice_order_write(json_writer *out, const ice_order *self, arena *memory);

#endif
