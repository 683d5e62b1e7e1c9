// The end of a table: DROP TABLE … PURGE.
//
// As Java's dropTable(purge): what goes is what the table's last metadata names, wherever it lies,
// and nothing else; a folder in which others put files keeps those. Data and delete files go only
// if the property gc.enabled is not "false": tables that share files with others (snapshots of
// tables of Hive) have it so.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_PURGE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_PURGE_H

#include "io/io.h"

/// Removes the files of a table that no catalog names any more: data, manifests, their lists,
/// statistics, earlier metadata, and at last the metadata file itself, so that what was interrupted
/// can be begun again. Files that are gone already are no error.
///
/// Errors: those of reading metadata (nothing was removed); FIRN_IO and the like with the first
///         file that stayed, after all others were tried; FIRN_CANCELLED.
firn_status ice_table_purge(io *files, text metadata_location, const cancel_flag *cancel,
                            firn_error *err);

#endif
