// Which of a chunk's or page's statistics may be believed.
//
// A writer's minimum and maximum mean something only with the order that it used:
//   - min_value and max_value: the order that `column_orders` of the file names, if it is defined
//     for the column's type. INTERVAL, geometry, INT96 (unless named) and unknown types have none.
//   - the deprecated min and max: the signed order of the physical type, whatever the logical type
//     is. They are believed where both agree: signed integers, floats, booleans, decimals in
//     integers; never for bytes, where old writers compared signed and some wrote garbage.
// Further: bounds of the wrong size are dropped; so are floating-point bounds that are NaN; a zero
// bound counts as the zero of the sign that makes it wider; bounds of bytes may be shortened unless
// the writer says they are exact.
//
// Specification: apache/parquet-format, parquet.thrift: ColumnOrder, Statistics.
#ifndef FIRN_FORMATS_PARQUET_PQ_BOUNDS_H
#define FIRN_FORMATS_PARQUET_PQ_BOUNDS_H

#include "formats/parquet/pq_metadata.h"

// How values of a leaf compare.
typedef enum pq_order {
    PQ_ORDER_NONE,
    PQ_ORDER_BOOLEAN,
    PQ_ORDER_SIGNED,     // INT32, INT64
    PQ_ORDER_UNSIGNED,   // The same, unsigned.
    PQ_ORDER_FLOAT,      // FLOAT, DOUBLE
    PQ_ORDER_FLOAT16,    // FIXED(2)
    PQ_ORDER_BYTES,      // Unsigned, byte by byte; shorter first.
    PQ_ORDER_BIG_ENDIAN, // Two's complement, highest byte first.
    PQ_ORDER_INT96       // Day, then nanoseconds.
} pq_order;

/// The order of a leaf's values, by its type and meaning.
pq_order pq_order_of(const pq_leaf *leaf);

/// What may be believed. Bounds hold values as PLAIN encoding stores them, byte arrays without
/// their length.
typedef struct pq_bounds {
    bool has_minimum;
    bool has_maximum;
    bool minimum_is_exact; // The value occurs.
    bool maximum_is_exact;
    bool has_null_count;
    bool has_nan_count;
    bytes minimum;
    bytes maximum;
    uint64_t null_count;
    uint64_t nan_count;
} pq_bounds;

/// The believable part of a chunk's or page's statistics.
pq_bounds pq_bounds_of(const pq_metadata *metadata, uint32_t leaf, const pq_statistics *statistics);

/// The bounds of page `page` by the column index. `*is_null_page` says that it holds only NULLs.
pq_bounds pq_bounds_of_page(const pq_metadata *metadata, uint32_t leaf,
                            const pq_column_index *index, size_t page, bool *is_null_page);

#endif
