// Which type the INT96 timestamps of a file have.
//
// INT96 counts nanoseconds of a day and days, and reaches farther than TIMESTAMP_NS (1677 to 2262)
// does. Nothing in the schema says whether a file makes use of that; Spark, which writes them to
// this day, means microseconds. So the first values of each such column are looked at: if they all
// fit the type is TIMESTAMP_NS, which keeps every digit, else TIMESTAMP.
#ifndef FIRN_TABLES_FILES_PARQUET_INT96_H
#define FIRN_TABLES_FILES_PARQUET_INT96_H

#include "formats/parquet/pq_file.h"

/// Whether the first row group's first values of a column of INT96 lie beyond TIMESTAMP_NS. Waits
/// for the bytes; reads nothing if there is no such column, or only the first page and the
/// dictionary of each.
///
/// Errors: FIRN_IO, FIRN_NO_MEMORY, FIRN_CANCELLED; what is damaged is found by who reads it.
firn_status parquet_int96_is_far(pq_file *file, pool *owner, const cancel_flag *cancel,
                                 bool *is_far, firn_error *err);

#endif
