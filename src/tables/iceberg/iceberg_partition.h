// Which partition rows go into: the tuples of values that a spec makes of their columns.
//
// On its way through a sink a partition is a **key**: its tuple as bytes, equal where the values
// are. ice_partition_tuple gives the values again, ice_partition_folder the usual name of their
// folder, as Java has it:
//
//     day=2024-01-31/region=a%2Fb/price_trunc=10.50/n=null
//
// Nobody may read values from such names; they are for people.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_PARTITION_H
#define FIRN_TABLES_ICEBERG_ICEBERG_PARTITION_H

#include "column/batch.h"
#include "tables/iceberg/iceberg_metadata.h"

/// A column, or a field of structs in it.
typedef struct ice_source {
    text name; ///< With those that it is in: a.b.
    uint32_t column;
    uint32_t path_count;
    const text *path;               ///< Names below the column; none: itself.
    uint32_t steps[TYPE_DEPTH_MAX]; ///< The same as numbers of children.
    const type *type;
} ice_source;

/// Where the field with an id is; false if it is nowhere but in lists and maps. `out->path` and
/// `out->name` are in `memory`. Errors: FIRN_NO_MEMORY.
firn_status ice_source_find(const schema *columns, int32_t field_id, arena *memory, ice_source *out,
                            bool *is_found, firn_error *err);
/// Its values, as a flat or constant column in `memory`; NULL where a struct above is.
firn_status ice_source_column(const ice_source *self, const column *columns, arena *memory,
                              column *out, firn_error *err);

typedef struct ice_partitioner {
    const ice_spec *spec;
    const ice_source *sources; ///< By spec field; not set of `void`.
    const type *const *results;
} ice_partitioner;

/// In `memory`. Borrows `spec` and `columns`.
///
/// Errors: FIRN_UNSUPPORTED for a transform that is not known, or that the type of its column does
///         not have; FIRN_INVALID if the column is gone.
firn_status ice_partitioner_open(const schema *columns, const ice_spec *spec, arena *memory,
                                 ice_partitioner *out, firn_error *err);

/// The partition values of all rows of a batch: one flat or constant column a spec field, in
/// `memory`. Errors: FIRN_INVALID (22003) for a value that has no partition, names it and its
/// column.
firn_status ice_partition_columns(const ice_partitioner *self, const batch *rows, arena *memory,
                                  const column **out, firn_error *err);
/// The key of a row, in `memory`.
firn_status ice_partition_pack(const ice_partitioner *self, const column *values, uint32_t row,
                               arena *memory, text *out, firn_error *err);
/// The values of a key, one a spec field, in `memory`.
firn_status ice_partition_unpack(const ice_partitioner *self, text key, arena *memory,
                                 const ice_scalar **out, firn_error *err);
/// The folder of a tuple; "" without fields. Long values are cut there.
firn_status ice_partition_folder(const ice_partitioner *self, const ice_scalar *values,
                                 arena *memory, text *out, firn_error *err);

#endif
