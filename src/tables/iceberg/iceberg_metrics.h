// What a table keeps of the columns of a file: counts and bounds, made of what the writer of the
// file reports.
//
//     mode          of write.metadata.metrics.…     kept beside the size on disk
//     none          -                               nothing
//     counts        -                               values, NULLs, NaNs
//     truncate(16)  the usual one                   counts; bounds, of texts 16 code points of them
//     full          -                               counts; bounds, whole
//
// Bounds of text and bytes that are cut: the lower one is the beginning, the upper one the
// beginning raised by one in its last place that can be. Of numbers they are never cut. Inside
// lists and maps there are counts only.
//
// Specification: apache/iceberg, format/spec.md, "Column metrics", Appendix D.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_METRICS_H
#define FIRN_TABLES_ICEBERG_ICEBERG_METRICS_H

#include "formats/parquet/write/pw_file.h"
#include "tables/iceberg/iceberg_manifest_write.h"

typedef enum ice_metrics_kind {
    ICE_METRICS_NONE,
    ICE_METRICS_COUNTS,
    ICE_METRICS_TRUNCATE,
    ICE_METRICS_FULL,
} ice_metrics_kind;

typedef struct ice_metrics_mode {
    ice_metrics_kind kind;
    uint32_t length; ///< Code points of text, bytes of others. At least 1.
} ice_metrics_mode;

#define ICE_METRICS_USUAL ((ice_metrics_mode){.kind = ICE_METRICS_TRUNCATE, .length = 16})

/// "none", "counts", "full", "truncate(16)", in any case; false if it is none.
bool ice_metrics_mode_read(text word, ice_metrics_mode *out);

/// A column without children, at any depth.
typedef struct ice_leaf {
    const field *is;
    text name;        ///< With those it is in: "address.street", "tags.element", "counts.value".
    bool is_repeated; ///< In a list or map.
    uint32_t rank;    ///< 0, 1, … in the order in which leaves get usual metrics: those of a level
                      ///< before what is nested there.
    ice_metrics_mode mode;
} ice_leaf;

typedef struct ice_leaf_list {
    uint32_t count;
    ice_leaf *items; ///< In the order of the leaves of a Parquet file.
} ice_leaf_list;

/// The leaves of a table, with the usual mode. In `memory`; fields are borrowed.
firn_status ice_leaves_of(const schema *columns, arena *memory, ice_leaf_list *out,
                          firn_error *err);

/// How long the bounds in a Parquet file must be for the bounds of a leaf to be made of them.
uint32_t ice_leaf_bound_bytes(const ice_leaf *self);

/// Fills in size, rows, metrics and split offsets of a file, in `memory`.
firn_status ice_metrics_of(const ice_leaf_list *leaves, const pw_report *report, arena *memory,
                           ice_file *out, firn_error *err);

#endif
