// Writes manifest lists: which manifests a snapshot has, and what is said of each.
//
// Specification: apache/iceberg, format/spec.md, "Manifest Lists".
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_MANIFEST_LIST_WRITE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_MANIFEST_LIST_WRITE_H

#include "formats/avro/avro_write.h"
#include "tables/iceberg/iceberg_manifest_list.h"

typedef struct ice_list_wanted {
    int32_t format_version; ///< 1 or 2.
    int64_t snapshot_id;
    int64_t parent_id;       ///< ICE_NO_SNAPSHOT: none.
    int64_t sequence_number; ///< Of the snapshot: what new manifests get. Unused in v1.
    uint32_t count;
    const ice_manifest *manifests; ///< In this order: newest first.
    uint8_t sync[AVRO_SYNC_SIZE];  ///< Random.
} ice_list_wanted;

/// Writes a list into `memory`: manifests of ice_manifest_writer_finish and such as
/// ice_manifest_list_read gave, also of an older version.
///
/// Errors: FIRN_UNSUPPORTED for version 3, and for manifests of which too little is known: their
///         size, or in version 2 their counts (lists of old version 1 writers); FIRN_NO_MEMORY.
firn_status ice_manifest_list_write(const ice_list_wanted *wanted, arena *memory,
                                    codec_scratch *codecs, bytes *out, firn_error *err);

#endif
