// What every sink looks at before it takes rows.
#ifndef FIRN_TABLES_ROW_CHECK_H
#define FIRN_TABLES_ROW_CHECK_H

#include "tables/table.h"

/// Are there NULLs in columns that are NOT NULL? What is inside columns is not looked at.
/// `positions`: as in row_sink_request. Errors: FIRN_INVALID (23502) names the column.
firn_status row_check_nulls(const schema *columns, const uint32_t *positions, const batch *rows,
                            firn_error *err);

#endif
