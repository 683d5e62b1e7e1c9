// The content of position delete files: positions by data file.
//
// Writers sort them by path and position (Iceberg specification, "Position Delete Files"), so that
// those of a data file come in one piece and are kept as they come. What comes otherwise is put
// together at the end.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_POSITION_LIST_H
#define FIRN_TABLES_ICEBERG_ICEBERG_POSITION_LIST_H

#include "column/batch.h"
#include "tables/iceberg/iceberg_delete.h"

typedef struct ice_position_path {
    text path;
    uint64_t hash;
    uint64_t first; ///< Its positions are [first, first + count) of all, once it is finished.
    uint64_t count;
    bool is_sorted;
} ice_position_path;

typedef struct ice_position_piece {
    ice_position_path *path;
    uint64_t count;
} ice_position_piece;

/// All of it is in `memory`, which is borrowed.
typedef struct ice_position_list {
    arena *memory;
    uint32_t path_count;
    uint32_t slot_count;
    ice_position_path **slots; ///< By hash.
    uint32_t piece_count;
    uint32_t piece_capacity;
    ice_position_piece *pieces;
    uint64_t count;
    uint64_t capacity;
    uint64_t *positions;
} ice_position_list;

/// `expected`: about how many positions will come; a hint from outside, which may be wrong.
firn_status ice_position_list_open(arena *memory, uint64_t expected, ice_position_list *out,
                                   firn_error *err);
/// Adds rows of two columns: file_path (VARCHAR) and pos (BIGINT), any form. FIRN_CORRUPT for NULLs
/// and negative positions.
firn_status ice_position_list_add(ice_position_list *self, const batch *rows, arena *scratch,
                                  firn_error *err);
/// No more come.
firn_status ice_position_list_finish(ice_position_list *self, firn_error *err);
ice_positions ice_position_list_find(const ice_position_list *self, text path);

#endif
