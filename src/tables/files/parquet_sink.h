// How rows get into Parquet files: the sink of a parquet_target.
#ifndef FIRN_TABLES_FILES_PARQUET_SINK_H
#define FIRN_TABLES_FILES_PARQUET_SINK_H

#include "tables/row_change.h"

extern const row_sink_kind parquet_sink_kind;

#endif
