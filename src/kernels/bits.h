// Bitmaps, one bit a row, and lists of row numbers: the two ways to say which rows.
//
// Row 0 is bit 0 of word 0. A bitmap of n rows has BITMAP_WORDS(n) words. Where a function says
// that it needs **clean** bitmaps, the bits behind the last row are 0; results always are clean.
// Lists are ascending uint16 row numbers, as in batches.
#ifndef FIRN_KERNELS_BITS_H
#define FIRN_KERNELS_BITS_H

#include "column/column.h"

/// Clears the bits behind the last row.
static inline void bits_clean(uint64_t *bits, uint32_t rows) {
    if (rows % 64 != 0) {
        bits[rows / 64] &= (UINT64_C(1) << (rows % 64)) - 1;
    }
}

/// All rows set, clean.
static inline void bits_fill(uint64_t *bits, uint32_t rows) {
    memset(bits, 0xff, BITMAP_WORDS(rows) * sizeof *bits);
    bits_clean(bits, rows);
}

static inline void bits_clear(uint64_t *bits, uint32_t rows) {
    memset(bits, 0, BITMAP_WORDS(rows) * sizeof *bits);
}

// Word by word; `out` may be one of the inputs.
static inline void bits_and(const uint64_t *left, const uint64_t *right, uint32_t rows,
                            uint64_t *out) {
    for (size_t word = 0; word < BITMAP_WORDS(rows); word++) {
        out[word] = left[word] & right[word];
    }
}
static inline void bits_or(const uint64_t *left, const uint64_t *right, uint32_t rows,
                           uint64_t *out) {
    for (size_t word = 0; word < BITMAP_WORDS(rows); word++) {
        out[word] = left[word] | right[word];
    }
}
/// left and not right.
static inline void bits_and_not(const uint64_t *left, const uint64_t *right, uint32_t rows,
                                uint64_t *out) {
    for (size_t word = 0; word < BITMAP_WORDS(rows); word++) {
        out[word] = left[word] & ~right[word];
    }
}
/// Clean, whatever the input.
static inline void bits_not(const uint64_t *in, uint32_t rows, uint64_t *out) {
    for (size_t word = 0; word < BITMAP_WORDS(rows); word++) {
        out[word] = ~in[word];
    }
    bits_clean(out, rows);
}

/// Is any bit set? Needs a clean bitmap.
bool bits_any(const uint64_t *bits, uint32_t rows);
/// Are all rows set?
bool bits_all(const uint64_t *bits, uint32_t rows);

/// The set rows as a list; `out` has room for `rows` numbers. How many. Needs a clean bitmap of at
/// most 65,536 rows.
uint32_t bits_to_rows(const uint64_t *bits, uint32_t rows, uint16_t *out);
/// The bitmap of a list.
void bits_of_rows(const uint16_t *list, uint32_t count, uint32_t rows, uint64_t *out);
/// Those of a list whose bit is set (`is_set`) or clear; `out` may be `list`. How many.
uint32_t bits_filter_rows(const uint64_t *bits, bool is_set, const uint16_t *list, uint32_t count,
                          uint16_t *out);
/// Bit list[k] of `out` becomes bit k of `dense`; `out` was cleared before.
void bits_scatter(const uint64_t *dense, const uint16_t *list, uint32_t count, uint64_t *out);
/// Bit k of `out` is bit list[k] of `bits`. Clean.
void bits_gather(const uint64_t *bits, const uint16_t *list, uint32_t count, uint64_t *out);
/// One bit for every code: that of its entry in `table`, a bitmap of `entries` bits. Codes are
/// below `entries`. Clean.
void bits_of_codes(const uint64_t *table, uint32_t entries, const uint32_t *codes, uint32_t rows,
                   uint64_t *out);

#endif
