// Single values: bounds and partition values as bytes, in Avro, in JSON; and as columns of one row.
//
// An `ice_scalar` is what arithmetic is done on: the number behind integers, dates, times and
// decimals, the bytes behind everything else that has some.
//
// Specification: apache/iceberg, format/spec.md, Appendix D.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_VALUE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_VALUE_H

#include "column/column.h"
#include "formats/avro/avro_plan.h"
#include "memory/json_tree.h"

typedef enum ice_scalar_kind {
    ICE_SCALAR_NONE, ///< Nothing is known.
    ICE_SCALAR_NULL,
    ICE_SCALAR_NUMBER, ///< BOOLEAN, integers, dates, times, decimals (unscaled).
    ICE_SCALAR_REAL,
    ICE_SCALAR_BYTES, ///< VARCHAR, BINARY, UUID.
} ice_scalar_kind;

typedef struct ice_scalar {
    ice_scalar_kind kind;
    i128 number;
    double real;
    bytes data; ///< Borrowed.
} ice_scalar;

/// Of geometry and geography columns: bytes (WKB) without an order, since their bounds are corners
/// of a box and not a least and a greatest value. Told from BINARY by its address.
extern const type ice_geometry;

/// The kind of values of a type; NONE for nested types, NULL and geometry.
ice_scalar_kind ice_scalar_kind_of(const type *self);

/// A value from its bytes. Narrower forms of promoted columns are taken: 4 bytes of an int where
/// the column is BIGINT now, of a date where it is TIMESTAMP, a float where it is DOUBLE, decimals
/// of any length. NONE if the bytes are no value of the type.
ice_scalar ice_scalar_of_bytes(const type *of, bytes value);

/// The bytes of a value, as bounds have it, in `memory`. Those of texts and binaries are the
/// scalar's own.
///
/// Errors: FIRN_INVALID if it is no value of the type (NULL, NONE, another kind, too large).
firn_status ice_scalar_bytes(const type *of, const ice_scalar *value, arena *memory, bytes *out,
                             firn_error *err);

/// The fewest bytes of two's complement that hold a number, highest first; how many.
size_t ice_decimal_bytes(i128 value, uint8_t out[16]);

/// Order of two values of one kind, as bounds have it: numbers by size, bytes as they lie.
int ice_scalar_compare(const ice_scalar *left, const ice_scalar *right);

/// A value of a partition tuple: `want` is how the plan read it, `found` its Avro schema.
ice_scalar ice_scalar_of_avro(const type *of, const avro_value *value, const avro_schema *found);

/// A column of one row, in `memory`; `*out` is NULL if the value is none of that type. Bytes are
/// copied. A scalar NULL gives a NULL.
firn_status ice_scalar_column(const type *of, const ice_scalar *value, arena *memory,
                              const column **out, firn_error *err);
/// The same where it may stay unknown: NULL if memory is short, too.
const column *ice_scalar_try_column(const type *of, const ice_scalar *value, arena *memory);

/// The scalar of row `row` of a flat or constant column.
ice_scalar ice_scalar_of_column(const column *self, uint32_t row);

/// Appends the value in a form that is equal for equal values, whatever widths they were read with.
void ice_scalar_key(const ice_scalar *self, text_builder *out);

/// A default value. FIRN_CORRUPT if the JSON is no value of the type.
firn_status ice_value_of_json(const type *of, const json_node *node, arena *memory,
                              const column **out, firn_error *err);

#endif
