// A row group that is being written: a chunk for each leaf, in memory. Columns are independent of
// each other, so any number of workers may put different columns at the same time.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_GROUP_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_GROUP_H

#include "formats/parquet/write/pw_chunk.h"

typedef struct pw_group {
    arena memory;
    const pw_schema *schema;
    const pw_options *options;
    uint64_t row_count;
    uint32_t leaf_count;
    pw_chunk **chunks;
    const pw_chunk_result **results; ///< By leaf, once they are finished.
} pw_group;

/// Borrows `schema` and `options`. Errors: FIRN_NO_MEMORY.
firn_status pw_group_open(const pw_schema *schema, const pw_options *options, pool *owner,
                          pw_group **out, firn_error *err);
void pw_group_close(pw_group *self); ///< NULL does nothing.

/// Adds the rows that count, all columns. Errors: those of pw_shred and pw_chunk_put.
firn_status pw_group_put(pw_group *self, const batch *rows, pw_worker *with, firn_error *err);
/// Adds rows of one column; the caller adds to row_count once all have them.
firn_status pw_group_put_column(pw_group *self, uint32_t column, const batch *rows, pw_worker *with,
                                firn_error *err);
/// Has it reached what the options say?
bool pw_group_is_full(const pw_group *self);
firn_status pw_group_finish_column(pw_group *self, uint32_t column, pw_worker *with,
                                   firn_error *err);
firn_status pw_group_finish(pw_group *self, pw_worker *with, firn_error *err);

#endif
