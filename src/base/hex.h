// Bytes as text: plain hexadecimal digits, and SQL's form of BINARY values.
//
// SQL shows `\x1fae`. It reads that, upper or lower case, with blanks between bytes if you like,
// and PostgreSQL's older form too: any text without `\x` in front stands for its own bytes, `\\`
// for a backslash and `\ooo` (three octal digits, at most 377) for any byte.
#ifndef FIRN_BASE_HEX_H
#define FIRN_BASE_HEX_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/text.h"

/// Writes two lower-case digits a byte: 2 * input.size characters.
void hex_print(bytes input, char *out);

/// Reads digits of either case, two a byte, into out: input.size / 2 bytes. False if a character is
/// no digit or one is left over.
bool hex_parse(text input, uint8_t *out);

/// Writes `\x` and the digits: 2 + 2 * input.size characters, the size returned.
size_t blob_print(bytes input, char *out);

/// Reads SQL's forms into `out`, which has room for input.size bytes. False if a digit is missing
/// or a backslash stands before something else.
bool blob_parse(text input, uint8_t *out, size_t *size);

#endif
