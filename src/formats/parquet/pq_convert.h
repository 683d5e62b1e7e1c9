// Turns values as Parquet stores them into values as firn's columns hold them.
//
// Most are the same bytes. The others: small integers in INT32, decimals as big-endian bytes,
// INT96 timestamps, intervals, fixed-length bytes; and widenings that table formats allow a column
// to go through, or that files beside each other need: to wider integers, decimals and DOUBLE, from
// days to timestamps, to finer ones.
#ifndef FIRN_FORMATS_PARQUET_PQ_CONVERT_H
#define FIRN_FORMATS_PARQUET_PQ_CONVERT_H

#include "column/type.h"
#include "column/value.h"
#include "formats/parquet/pq_bytes.h"
#include "formats/parquet/pq_schema.h"

typedef struct pq_conversion pq_conversion;

/// Converts `count` values, `self->width` bytes each at `raw` (unaligned, readable for PQ_PAD bytes
/// behind), to `out`. Returns the number of the first one that does not fit, or `count`.
typedef uint32_t (*pq_convert_function)(const pq_conversion *self, const uint8_t *raw,
                                        uint32_t count, void *out);

/// The same for byte arrays.
typedef uint32_t (*pq_convert_strings_function)(const pq_conversion *self, const string_value *raw,
                                                uint32_t count, void *out);

struct pq_conversion {
    pq_convert_function fixed;           // NULL: the same bytes.
    pq_convert_strings_function strings; // Of byte arrays; NULL: the same values.
    uint32_t width;                      // Bytes of a stored value; 0 for byte arrays.
    uint32_t size;                       // Bytes of a converted one.
    bool keeps_bytes;                    // `fixed` only checks: may be asked with `out` = `raw`.
    int64_t factor;                      // Timestamps: units of the target in one stored.
    int64_t limit;                       // Times: a day in stored units. Integers: the most.
    bool is_unsigned;                    // Integers, as stored.
    int32_t scale_step;                  // Decimals: digits to add behind the point, or there are.
    uint8_t precision;                   // Decimals: of the target; 0: nothing to check.
};

/// How values of a leaf become values of type `target`, which is the leaf's own type
/// (pq_type_of_leaf) or a wider one.
///
/// Errors: FIRN_UNSUPPORTED with both types if there is no such conversion.
firn_status pq_conversion_find(const pq_leaf *leaf, const type *own, const type *target,
                               pq_conversion *out, firn_error *err);

/// Whether the leaf's values of type `own` can be had as `target` at all.
bool pq_can_convert(const pq_leaf *leaf, const type *own, const type *target);

#endif
