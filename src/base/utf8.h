// UTF-8: proof that bytes are it, and code points of texts for which that was proved.
//
// Outside bytes pass utf8_is_valid once, at the door; everything else here trusts its input. To
// prove many strings that lie one behind another (a Parquet page without its lengths, a column's
// buffer), prove the whole run and then that no string begins in the middle of a code point with
// utf8_is_boundary: that is one test a string instead of one call.
#ifndef FIRN_BASE_UTF8_H
#define FIRN_BASE_UTF8_H

#include <assert.h>

#include "base/bytes.h"
#include "base/isa.h"
#include "base/text.h"

#define UTF8_CODE_MAX 0x10FFFF
#define UTF8_SIZE_MAX 4 // Bytes of one code point.

/// Whether the bytes are UTF-8: shortest forms, no surrogates, nothing above UTF8_CODE_MAX.
/// Cost: 0.03 to 0.15 ns a byte where the machine has AVX2.
bool utf8_is_valid(bytes input);

/// How many bytes from the start are UTF-8: input.size, or where the first bad sequence begins. For
/// messages.
size_t utf8_valid_size(bytes input);

/// utf8_is_valid as compiled for one instruction set: for tests and benchmarks.
bool utf8_is_valid_at(isa_level level, bytes input);

// ---- Of valid text -----------------------------------------------------------------------------

/// Whether a code point begins with this byte.
static inline bool utf8_is_boundary(uint8_t byte) {
    return (byte & 0xc0) != 0x80;
}

/// Whether all bytes are ASCII, so that bytes and code points are the same.
bool utf8_is_ascii(text input);

/// The count of code points.
size_t utf8_count(text input);

/// Where code point `index`, counted from 0, begins; input.size if there are not so many.
size_t utf8_offset(text input, size_t index);

/// The code point at byte `*at`, which is below input.size; moves `*at` behind it.
static inline uint32_t utf8_next(text input, size_t *at) {
    assert(*at < input.size);
    const char *from = input.data + *at;
    const uint32_t first = (uint8_t)from[0];
    if (first < 0x80) {
        *at += 1;
        return first;
    }
    if (first < 0xe0) {
        *at += 2;
        return (first & 0x1f) << 6 | ((uint8_t)from[1] & 0x3f);
    }
    if (first < 0xf0) {
        *at += 3;
        return (first & 0x0f) << 12 | ((uint32_t)(uint8_t)from[1] & 0x3f) << 6 |
               ((uint8_t)from[2] & 0x3f);
    }
    *at += 4;
    return (first & 0x07) << 18 | ((uint32_t)(uint8_t)from[1] & 0x3f) << 12 |
           ((uint32_t)(uint8_t)from[2] & 0x3f) << 6 | ((uint8_t)from[3] & 0x3f);
}

/// The code point that ends before byte `*at`, which is above 0; moves `*at` to its start.
static inline uint32_t utf8_previous(text input, size_t *at) {
    assert(*at > 0 && *at <= input.size);
    size_t from = *at - 1;
    while (from > 0 && !utf8_is_boundary((uint8_t)input.data[from])) {
        from -= 1;
    }
    *at = from;
    size_t behind = from;
    return utf8_next(input, &behind);
}

/// Whether a number is a code point that text may hold: not a surrogate, not too large.
static inline bool utf8_is_code(uint32_t code) {
    return code <= UTF8_CODE_MAX && (code < 0xd800 || code > 0xdfff);
}

/// Writes a code point; the count of bytes, 0 if `code` is none (see utf8_is_code).
size_t utf8_encode(uint32_t code, char out[UTF8_SIZE_MAX]);

/// bytes_raise of text: the last code point that can be raised is, those behind it are dropped. It
/// may grow a byte, where `capacity` has room. The size that is left; 0 if none can be.
size_t utf8_raise(char *data, size_t size, size_t capacity);

#endif
