// Which metadata file of an Iceberg table folder is the current one.
//
//     table/metadata/version-hint.text        "3": at least this version exists
//     table/metadata/v3.metadata.json         or v3.gz.metadata.json, v3.metadata.json.gz
//     table/metadata/00003-<uuid>.metadata.json   what other catalogs write; found without a hint
//
// The hint is written after the version it names, so it may be late: versions are tried from it
// upwards until one is missing. Without a usable hint the folder is listed and the greatest version
// taken, of the first form if there is any: one of the last may be a commit that has not come to
// its end. <uuid>.metadata.json is no version at all.
#ifndef FIRN_TABLES_ICEBERG_HADOOP_VERSION_H
#define FIRN_TABLES_ICEBERG_HADOOP_VERSION_H

#include "io/io.h"

/// Finds the current metadata file below `table`, a folder with or without '/' at its end.
///
/// Errors: FIRN_NOT_FOUND if there is no metadata file (the text names the folder); those of io.
firn_status hadoop_current_metadata(io *files, text table, const cancel_flag *cancel, arena *memory,
                                    text *out, firn_error *err);

/// The same, as if the metadata file of the name `skipped` were not there: it is being committed.
firn_status hadoop_current_metadata_but(io *files, text table, text skipped,
                                        const cancel_flag *cancel, arena *memory, text *out,
                                        firn_error *err);

/// The version a metadata file's name tells: 3 for "v3.metadata.json" and "00003-x.metadata.json",
/// also packed. False if it is no name of a metadata file.
bool hadoop_version_of(text name, uint64_t *out);

#endif
