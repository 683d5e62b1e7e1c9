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

#endif
