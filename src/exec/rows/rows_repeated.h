// Rows that come many times in one batch, as joins and unnest hand them out: their lists, structs
// and long texts are taken once and become the entries of a dictionary, so that whoever computes
// with them does it once for each. Columns of short values, and rows that hardly repeat, are taken
// one by one.
//
// The same for rows of a batch (lanes) and for rows of a row store. Whether and how they repeat is
// found out when the first column asks for it.
#ifndef FIRN_EXEC_ROWS_REPEATED_H
#define FIRN_EXEC_ROWS_REPEATED_H

#include "exec/rows/rows.h"

/// Texts of so many bytes each are long.
#define REPEATED_TEXT_BYTES 64

typedef enum repeated_answer { REPEATED_UNKNOWN, REPEATED_NO, REPEATED_YES } repeated_answer;

/// Rows of a batch; equal ones lie side by side.
typedef struct repeated_lanes {
    const uint32_t *lanes;
    uint32_t count;
    uint32_t text_bytes; ///< Texts shorter than that are taken one by one.
    repeated_answer repeats;
    uint32_t *distinct;
    uint32_t distinct_count;
    uint32_t *codes; ///< By row: which of the distinct ones.
} repeated_lanes;

/// These rows of a column, as column_take takes them.
firn_status repeated_lanes_take(repeated_lanes *self, const column *from, arena *memory,
                                column *out, firn_error *err);

/// Rows of a store, in any order; its null_row may be among them.
typedef struct repeated_rows {
    const row_store *store;
    const uint8_t *const *rows;
    uint32_t count;
    bool has_gaps; ///< Where a row is null_row nobody looks, so any other one will do.
    repeated_answer repeats;
    const uint8_t **distinct;
    uint32_t distinct_count;
    uint32_t *codes;
} repeated_rows;

/// Column `number` of these rows, as rows_gather gathers it.
firn_status repeated_rows_gather(repeated_rows *self, uint32_t number, arena *memory, column *out,
                                 firn_error *err);

#endif
