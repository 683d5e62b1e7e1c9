// Puts the columns of a pick together from the entries that its leaves gathered.
#ifndef FIRN_FORMATS_PARQUET_PQ_NESTED_H
#define FIRN_FORMATS_PARQUET_PQ_NESTED_H

#include "formats/parquet/pq_leaf.h"
#include "formats/parquet/pq_pick.h"

/// The column of `row_count` rows that `pick` makes of what `readers` gathered: all of them the
/// same rows. It lives in `scratch` and in the readers' gathered values.
///
/// Errors: FIRN_CORRUPT if leaves that share a list or a struct disagree about its shape;
///         FIRN_NO_MEMORY.
firn_status pq_nested_column(const pq_pick *pick, pq_leaf_reader *const *readers,
                             uint32_t row_count, arena *scratch, column *out, firn_error *err);

#endif
