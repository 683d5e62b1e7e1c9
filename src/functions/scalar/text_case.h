// Upper and lower case of code points, one to one: the length in code points never changes.
#ifndef FIRN_FUNCTIONS_SCALAR_TEXT_CASE_H
#define FIRN_FUNCTIONS_SCALAR_TEXT_CASE_H

#include "base/utf8.h"

typedef enum text_case { TEXT_LOWER, TEXT_UPPER } text_case;

/// Bytes that text_case_write needs at most.
static inline size_t text_case_size_max(size_t size) {
    return size * 2; // Two bytes may become three: U+023A, U+0250.
}

/// Writes the text in that case; the size.
size_t text_case_write(text value, text_case to, char *out);

#endif
