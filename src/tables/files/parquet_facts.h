// What the footer of a Parquet file says of a row group, as facts for the pruning evaluator.
#ifndef FIRN_TABLES_FILES_PARQUET_FACTS_H
#define FIRN_TABLES_FILES_PARQUET_FACTS_H

#include "expr/dynamic.h"
#include "expr/facts.h"
#include "formats/parquet/pq_file.h"
#include "formats/parquet/pq_pick.h"

/// Facts about one row group, for the columns of a scan. Plain data in an arena.
typedef struct parquet_facts {
    unit_facts base;
    uint32_t count;
    const uint32_t *ids;
    column_facts *columns;
    bool *is_known;
} parquet_facts;

/// The columns of a scan: where each comes from in a file, and its id in the query.
typedef struct parquet_columns {
    uint32_t count;
    const pq_pick *picks;
    const uint32_t *ids;
} parquet_columns;

/// Facts for these columns; nested ones and what is not in the file have none, constants have
/// themselves.
firn_status parquet_facts_make(const pq_file *file, uint32_t row_group,
                               const parquet_columns *columns, const dynamic_filters *filters,
                               arena *memory, parquet_facts *out, firn_error *err);

/// What holds for a column of several row groups; zeroed at first.
typedef struct parquet_column_sum {
    column_facts facts;
    bool has_any;    ///< There was a row group …
    bool has_values; ///< … with a value that is not NULL.
} parquet_column_sum;

/// Adds the row groups of a file to facts about a column of the table.
void parquet_column_facts(const pq_file *file, const pq_pick *pick, arena *memory,
                          parquet_column_sum *sum);

#endif
