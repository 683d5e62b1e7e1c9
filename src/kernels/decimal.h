// Whole numbers with a decimal point: integers (scale 0) and decimals of 32 to 256 bits, moved from
// one width and scale to another. Inside, a few hundred values at a time are loaded into 64, 128 or
// 256 bits, whichever surely holds them, scaled there, checked and stored.
#ifndef FIRN_KERNELS_DECIMAL_H
#define FIRN_KERNELS_DECIMAL_H

#include "column/column.h"

/// How numbers lie and what they mean: value / 10^scale.
typedef struct decimal_format {
    physical layout;    ///< I8 to U64, I128, I256.
    uint32_t precision; ///< Digits at most; 0: as many as the layout holds.
    uint32_t scale;
} decimal_format;

/// The format of an integer or DECIMAL type.
decimal_format decimal_format_of(const type *self);

/// Values to convert: out[row] from in[row & mask] for the rows of a list, or 0 to count - 1.
typedef struct decimal_conversion {
    decimal_format from;
    decimal_format to;
    const void *in;
    uint32_t mask;
    const uint16_t *rows;
    uint32_t count;
} decimal_conversion;

/// Digits that are cut off round, a half away from zero. Answers `count`, or the first visit whose
/// value does not fit; the rows before it are done.
uint32_t decimal_convert(const decimal_conversion *call, void *out);

#endif
