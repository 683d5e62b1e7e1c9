// Partition transforms: what a partition value says about the values behind it.
//
// Planning goes from partition values to ranges of the source column (ice_transform_range), so that
// the one pruning evaluator of expr/facts.h serves: `day` 19000 is a range of 86,400,000,000
// microseconds. A bucket is no range; it answers whether one value can be in it (ice_bucket_of).
// Every transform gives null for null and only then, but `void`, which says nothing.
//
// Specification: apache/iceberg, format/spec.md, "Partition Transforms", Appendix B.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_TRANSFORM_H
#define FIRN_TABLES_ICEBERG_ICEBERG_TRANSFORM_H

#include "tables/iceberg/iceberg_value.h"

// What metadata calls a transform.
#define ICE_TRANSFORM_LIST(X)                                                                      \
    X(IDENTITY, "identity")                                                                        \
    X(BUCKET, "bucket")                                                                            \
    X(TRUNCATE, "truncate")                                                                        \
    X(YEAR, "year")                                                                                \
    X(MONTH, "month")                                                                              \
    X(DAY, "day")                                                                                  \
    X(HOUR, "hour")                                                                                \
    X(VOID, "void")                                                                                \
    X(UNKNOWN, "unknown") // Of a later specification: says nothing.

#define X(name, word) ICE_##name,
typedef enum ice_transform_kind { ICE_TRANSFORM_LIST(X) ICE_TRANSFORM_COUNT } ice_transform_kind;
#undef X

typedef struct ice_transform {
    ice_transform_kind kind;
    int32_t width; ///< Buckets, or how long truncated values are; at least 1.
} ice_transform;

/// "bucket[16]"; anything that is none is ICE_UNKNOWN.
ice_transform ice_transform_read(text written);

/// The word of a transform without its width.
text ice_transform_name(const ice_transform *self);

/// Appends a transform as metadata has it, such as "bucket[16]".
void ice_transform_print(const ice_transform *self, text_builder *out);

/// The type of partition values; NULL if the source type has no such transform, or nothing is
/// known of the values.
const type *ice_transform_result(const ice_transform *self, const type *source);

/// The partition value of a source value. NONE if the transform says nothing or has no such value.
ice_scalar ice_transform_apply(const ice_transform *self, const type *source,
                               const ice_scalar *value, arena *memory);

/// What `truncate` leaves of a text (code points) or binary (bytes): its beginning.
bytes ice_transform_cut(const ice_transform *self, const type *source, bytes value);

/// Bounds of the source values whose partition values lie between `low` and `high`. A bound is NONE
/// where nothing is known.
void ice_transform_range(const ice_transform *self, const type *source, const ice_scalar *low,
                         const ice_scalar *high, arena *memory, ice_scalar *minimum,
                         ice_scalar *maximum);

/// The 32-bit murmur3 hash that buckets are made of. False if values of the type have none.
bool ice_hash(const type *of, const ice_scalar *value, int32_t *out);

/// The bucket of a value: 0 to `count` - 1. False as above.
bool ice_bucket_of(const type *of, const ice_scalar *value, int32_t count, int32_t *out);

#endif
