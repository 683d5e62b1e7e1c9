// Private to base/utf8*: the tables that the builds of utf8.isa.c export.
#ifndef FIRN_BASE_UTF8_TABLE_H
#define FIRN_BASE_UTF8_TABLE_H

#include "base/utf8.h"

typedef struct utf8_table {
    bool (*is_valid)(const uint8_t *data, size_t size);
    bool (*is_ascii)(const uint8_t *data, size_t size);
    size_t (*count)(const uint8_t *data, size_t size);
} utf8_table;

extern const utf8_table utf8_table_base;
#if defined(__x86_64__)
extern const utf8_table utf8_table_v3;
extern const utf8_table utf8_table_v4;
#endif

/// The size of the sequence that begins `data`, or 0 if it is no code point. `size` is above 0.
static inline size_t utf8_sequence(const uint8_t *data, size_t size) {
    const uint8_t first = data[0];
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) { // A continuation, an overlong form, or too large.
        return 0;
    }
    const size_t wanted = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size < wanted) {
        return 0;
    }
    for (size_t i = 1; i < wanted; i++) {
        if (utf8_is_boundary(data[i])) {
            return 0;
        }
    }
    // What the second byte must be besides: not overlong, no surrogate, not above 10FFFF.
    const bool is_out = (first == 0xe0 && data[1] < 0xa0) || (first == 0xed && data[1] > 0x9f) ||
                        (first == 0xf0 && data[1] < 0x90) || (first == 0xf4 && data[1] > 0x8f);
    return is_out ? 0 : wanted;
}

#endif
