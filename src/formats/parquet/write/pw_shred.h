// Takes a column apart into its leaves: which entries a leaf has, and which lanes are its values.
//
// An entry of a leaf is a value, a NULL, or the place of a list that is empty or NULL. Levels say
// which (pq_schema.h); the values are lanes of the leaf's column. Rows are taken in selection
// order. Columns of numbers without NULLs cost nothing: they have neither levels nor a list of
// lanes.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_SHRED_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_SHRED_H

#include "column/batch.h"
#include "formats/parquet/write/pw_schema.h"

/// Some rows of a leaf. Borrows from the batch and from the arena it was made in.
typedef struct pw_entries {
    uint32_t row_count;
    uint32_t entry_count;       ///< row_count unless the leaf is in a list.
    uint32_t value_count;       ///< Entries that are values.
    const uint8_t *definitions; ///< A level an entry; NULL: all of them values.
    const uint8_t *repetitions; ///< NULL: the leaf is in no list.
    const column *values;       ///< In any form.
    const uint32_t *rows;       ///< Of `values`, value_count of them, in any order where lists
                                ///< lie so; NULL: rows 0, 1, 2, …
} pw_entries;

/// Takes the rows of column `column_index` that count apart: out[i] is leaf
/// tree->root.children[column_index].first_leaf + i. Lists of many elements make many entries; the
/// caller hands in fewer rows where that matters (pw_shred_rows).
///
/// Errors: FIRN_INVALID (SQLSTATE 23502) names the field for a NULL in one that is not nullable,
///         (54000) for more entries than UINT32_MAX; FIRN_NO_MEMORY; FIRN_CANCELLED. In a struct or
///         list that is NULL, or an element that no row has, nothing counts as NULL.
/// Cost:   of a column without lists, nothing if there are no NULLs and no selection.
firn_status pw_shred(const pw_schema *schema, uint32_t column_index, const batch *rows,
                     arena *scratch, pw_entries *out, firn_error *err);

/// Of the rows that count, how many of the first have together at most `entries` entries in any
/// leaf of the column; at least 1, if there is one.
/// Cost: that of the lists of these rows; of columns without lists nothing.
uint32_t pw_shred_rows(const pw_schema *schema, uint32_t column_index, const batch *rows,
                       uint32_t entries);

#endif
