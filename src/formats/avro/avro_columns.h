// Avro data files as columns: the rows of blocks, decoded into the columns that somebody wants.
//
//     compile   once per pair of file schema and wanted columns; any number of threads read with it
//     begin     a set of columns to be filled, in the scratch of one batch
//     read      some rows of a decompressed block, as often as there is room
//     finish    the columns
//
// Fields are found by id, as Iceberg projects, or by name; what is wanted of them may be less than
// there is (structs may lack fields) or wider:
//
//     int → BIGINT            float → DOUBLE         string ↔ bytes
//     date → timestamp        times and timestamps to a finer unit
//     decimal(p, s) → DECIMAL(more digits, s)        null → anything
//     fixed, string → UUID    enum → VARCHAR         a field → the same, nullable
//     array → LIST            map, or array of records of two → MAP
//     record → STRUCT         unions as avro_types.h says
//
// Any other pair is refused when it is compiled. Fields that the file lacks are null, or what
// options.missing says. Strings and bytes point into the block and are not copied; text is proved
// to be UTF-8.
#ifndef FIRN_FORMATS_AVRO_AVRO_COLUMNS_H
#define FIRN_FORMATS_AVRO_AVRO_COLUMNS_H

#include "base/bytes.h"
#include "column/column.h"
#include "formats/avro/avro_schema.h"

typedef struct avro_columns avro_columns;
typedef struct avro_rows avro_rows;

typedef struct avro_columns_options {
    bool by_name; // Fields are found by their (original) names instead of their ids.
    /// What a field is that the file lacks, at any depth: a column of its type and one row that
    /// stays as long as the plan. NULL, and NULL as an answer: null.
    const column *(*missing)(void *user, const field *wanted);
    void *user;
} avro_columns_options;

/// Makes a plan that turns values of `file` into the columns of `wanted`. A file whose schema is no
/// record has one field, "value".
///
/// Borrows: `file` and `wanted`, as long as the plan is used. The plan lies in `memory`.
/// Errors:  FIRN_UNSUPPORTED, with the name, for a field that cannot become what is wanted,
///          FIRN_NO_MEMORY.
firn_status avro_columns_compile(arena *memory, const avro_schema *file, const schema *wanted,
                                 const avro_columns_options *options, const avro_columns **out,
                                 firn_error *err);

/// Whether the file has the column; else it is what options.missing said.
bool avro_columns_has(const avro_columns *self, uint32_t index);

/// Begins a set of columns for at most `capacity` rows. All of it lies in `scratch`.
firn_status avro_rows_begin(const avro_columns *self, arena *scratch, uint32_t capacity,
                            avro_rows **out, firn_error *err);

/// Adds the next `count` rows of a block; there must be room.
///
/// Borrows: the bytes of the block, as long as the columns are used.
/// Errors:  FIRN_CORRUPT (with the field's name) for bytes that are no such values, text that is
///          not UTF-8, decimals with too many digits; FIRN_NO_MEMORY. The columns are then lost.
firn_status avro_rows_read(avro_rows *self, byte_reader *in, uint32_t count, firn_error *err);

/// Passes over the next `count` rows of a block.
firn_status avro_rows_skip(avro_rows *self, byte_reader *in, uint64_t count, firn_error *err);

/// Rows added so far.
uint32_t avro_rows_count(const avro_rows *self);

/// Hands out the columns, one for each wanted one. Flat, but for constants that the file lacks.
firn_status avro_rows_finish(avro_rows *self, const column **out, firn_error *err);

#endif
