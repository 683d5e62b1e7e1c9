// Bytes as text: base64 with '+', '/' and padding, without line ends.
#ifndef FIRN_BASE_BASE64_H
#define FIRN_BASE_BASE64_H

#include "base/bytes.h"

/// The characters of so many bytes.
static inline size_t base64_size(size_t size) {
    return size / 3 * 4 + (size % 3 > 0 ? 4 : 0);
}

/// Writes base64_size(input.size) characters, which is returned.
size_t base64_print(bytes input, char *out);

/// What a digit stands for, 0 to 63; -1 of other characters, '=' among them.
int32_t base64_value(char digit);

#endif
