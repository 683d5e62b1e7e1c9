// Private to column/arrow*: how types lie in Arrow arrays.
#ifndef FIRN_COLUMN_ARROW_PRIVATE_H
#define FIRN_COLUMN_ARROW_PRIVATE_H

#include "column/arrow.h"

#define ARROW_FORMAT_MAX 32

typedef enum arrow_layout {
    ARROW_LAYOUT_NULL,
    ARROW_LAYOUT_BITS,
    ARROW_LAYOUT_FIXED,        // validity, values
    ARROW_LAYOUT_FIXED_BYTES,  // the same, from strings
    ARROW_LAYOUT_STRING,       // validity, int32 offsets, bytes
    ARROW_LAYOUT_LARGE_STRING, // int64 offsets
    ARROW_LAYOUT_VIEW,         // validity, views, bytes, sizes of bytes
    ARROW_LAYOUT_LIST,         // validity, int32 offsets; a child. Maps too.
    ARROW_LAYOUT_LARGE_LIST,
    ARROW_LAYOUT_STRUCT,
    ARROW_LAYOUT_CODES, // validity, int32 codes; a dictionary of strings
} arrow_layout;

arrow_layout arrow_layout_of(const type *self, const arrow_options *options);
/// The unit of a letter of a format: s, m, u, n. False if it is another one.
bool arrow_unit_of(char letter, time_unit *out);
/// How the texts of a dictionary lie.
arrow_options arrow_options_of_entries(const arrow_options *self);
/// Bytes of a value of the layouts FIXED and FIXED_BYTES.
uint32_t arrow_fixed_width(const type *self, const arrow_options *options);

/// Bytes of a value of a decimal's format, by the bits behind its second comma (16 without it); 0:
/// none that Arrow knows.
uint32_t arrow_decimal_width(const char *format);

// ---- Foreign arrays ----------------------------------------------------------------------------

/// A part of an array with its schema: `count` rows from row `from` of its buffers, whose offset is
/// included. Borrowed.
typedef struct arrow_source {
    const struct ArrowSchema *schema;
    const struct ArrowArray *array;
    uint64_t from;
    uint32_t count;
} arrow_source;

/// FIRN_INVALID: "the Arrow array of column … has `what`".
firn_status arrow_broken(const arrow_source *self, const char *what, firn_error *err);
/// Does it hold its rows and, if there are any and `buffers` is above 1, a second buffer?
firn_status arrow_check_array(const arrow_source *self, int64_t buffers, firn_error *err);
/// An int32 or int64 of a buffer of offsets; what is negative comes out behind all memory.
uint64_t arrow_offset_at(const void *offsets, uint64_t row, bool is_large);
/// The values of all types that have no children and no dictionary, into a flat column that has its
/// validity. Texts are borrowed.
firn_status arrow_import_values(const arrow_source *self, column *out, firn_error *err);

#endif
