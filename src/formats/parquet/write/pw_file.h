// A Parquet file that is being written: finished row groups one after the other, then indexes and
// the footer. It appears under its name when it is finished, whole.
//
//     "PAR1"  { chunks of a row group, their bloom filters } …  column indexes  offset indexes
//     footer  footer size (4 bytes)  "PAR1"
//
// Specification: apache/parquet-format, README.md.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_FILE_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_FILE_H

#include "formats/parquet/write/pw_group.h"
#include "io/io.h"

typedef struct pw_file pw_file;

/// What a table keeps of a leaf of a file.
typedef struct pw_leaf_report {
    uint64_t size;        ///< Bytes of its chunks.
    uint64_t entry_count; ///< NULLs included.
    uint64_t null_count;  ///< Entries without a value: in lists, empty ones among them.
    uint64_t nan_count;   ///< 0 without statistics.
    bool has_minimum;     ///< Of all values but NaNs; false also if there is none.
    bool has_maximum;
    bytes minimum; ///< As PLAIN stores it, shortened as the options say.
    bytes maximum;
} pw_leaf_report;

typedef struct pw_report {
    uint64_t size;
    uint64_t row_count;
    uint32_t group_count;
    const int64_t *group_offsets; ///< Where each begins: where a reader may split the file.
    uint32_t leaf_count;
    const pw_leaf_report *leaves;
} pw_report;

/// Begins a file. Borrows `schema` and `options` until it is closed. `writer` is the file's from
/// then on: closed with it, or here after an error. Errors: FIRN_NO_MEMORY; FIRN_IO.
firn_status pw_file_open(io_writer *writer, const pw_schema *schema, const pw_options *options,
                         pool *owner, pw_file **out, firn_error *err);
/// Writes a finished row group, which may be closed afterwards; one without rows is left out. One
/// thread at a time. After an error the file can only be closed.
/// Errors: FIRN_IO; FIRN_NO_MEMORY.
firn_status pw_file_add(pw_file *self, const pw_group *group, firn_error *err);
/// So many bytes are written already.
uint64_t pw_file_size(const pw_file *self);
/// Ends the file and makes it visible. `*out` lives until the file is closed; it may be NULL.
firn_status pw_file_finish(pw_file *self, const pw_report **out, firn_error *err);
/// Without a successful finish nothing of it remains. NULL does nothing.
void pw_file_close(pw_file *self);

#endif
