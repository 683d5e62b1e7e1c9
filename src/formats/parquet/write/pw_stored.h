// Values as Parquet stores them: the input of every encoding.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_STORED_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_STORED_H

#include "column/column.h"
#include "formats/parquet/pq_schema.h"

/// An array of stored values. Which member counts says `type`.
typedef struct pw_values {
    pq_type type;
    uint32_t width; ///< PQ_FIXED: bytes a value.
    uint32_t count;
    union {
        const void *data;
        const uint64_t *bits;        ///< PQ_BOOLEAN: a bit a value, as in columns.
        const int32_t *i32;          ///< PQ_INT32, and PQ_FLOAT by its bits.
        const int64_t *i64;          ///< PQ_INT64, and PQ_DOUBLE by its bits.
        const string_value *strings; ///< PQ_BYTE_ARRAY.
        const uint8_t *fixed;        ///< PQ_FIXED: one behind the other.
    };
} pw_values;

/// Bytes of one value in the array; 0 for PQ_BOOLEAN.
static inline uint32_t pw_values_size(pq_type type, uint32_t width) {
    switch (type) {
    case PQ_INT32:
    case PQ_FLOAT:
        return 4;
    case PQ_INT64:
    case PQ_DOUBLE:
        return 8;
    case PQ_INT96:
        return 12;
    case PQ_BYTE_ARRAY:
        return sizeof(string_value);
    case PQ_FIXED:
        return width;
    case PQ_BOOLEAN:
    case PQ_TYPE_COUNT:
        break;
    }
    return 0;
}

/// The stored form of rows of a flat or constant column, for a leaf that pw_schema_make made for
/// its type: integers widen, decimals turn big-endian, seconds become milliseconds, intervals
/// become months, days and milliseconds. Shares the column's values where they are the same.
/// `rows`: NULL: rows 0 to count - 1. None of the rows is NULL.
///
/// Errors: FIRN_INVALID (SQLSTATE 22003) for a value that the stored form cannot hold: an interval
///         that is negative or not of whole milliseconds, seconds beyond the range, the time 24:00;
///         (22026) for bytes of another size than BINARY(n) has; FIRN_NO_MEMORY.
/// Cost:   below 1 ns a value; nothing where values are shared.
firn_status pw_store(const pq_leaf *leaf, const column *values, const uint32_t *rows,
                     uint32_t count, arena *scratch, pw_values *out, firn_error *err);

#endif
