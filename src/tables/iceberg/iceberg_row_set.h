// Rows of one file by position: those that a statement takes away.
//
// A page is about 65,536 rows. It is a sorted list of 16-bit numbers while it has few, else bits.
// So a set takes at most a bit a row of the file, and 24 bytes a page; of few rows two to four
// bytes a row.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_ROW_SET_H
#define FIRN_TABLES_ICEBERG_ICEBERG_ROW_SET_H

#include "memory/arena.h"

typedef struct ice_row_page ice_row_page;

typedef struct ice_row_set {
    uint64_t count;     ///< Of its rows.
    uint64_t row_count; ///< Of the file's.
    ice_row_page *pages;
} ice_row_set;

/// An empty set, in `memory`.
firn_status ice_row_set_open(ice_row_set *self, uint64_t row_count, arena *memory, firn_error *err);
/// Adds a position below row_count; *is_new is false if it was there.
firn_status ice_row_set_add(ice_row_set *self, uint64_t position, arena *memory, bool *is_new,
                            firn_error *err);
bool ice_row_set_has(const ice_row_set *self, uint64_t position);
/// Takes positions in order from *from on, which becomes where those behind them begin: as many as
/// there are or fit into `room`.
uint32_t ice_row_set_take(const ice_row_set *self, uint64_t *from, int64_t *out, uint32_t room);

#endif
