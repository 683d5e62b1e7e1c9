// Text of numbers, in the form that `CAST(x AS VARCHAR)` gives.
#ifndef FIRN_CLI_PRINTED_NUMBER_H
#define FIRN_CLI_PRINTED_NUMBER_H

#include "byte_sink.h"

typedef enum float_width { FLOAT_HALF, FLOAT_SINGLE, FLOAT_DOUBLE } float_width;

void cli_number_int(cli_sink *out, int64_t value);
void cli_number_uint(cli_sink *out, uint64_t value);
/// Exactly `digits` decimal digits, with zeros in front.
void cli_number_padded(cli_sink *out, uint64_t value, int digits);

/// The shortest digits that read back the same at that width: `1.0`, `0.1`, `1e-05`, `1e+16`. Only
/// for finite values.
void cli_number_float(cli_sink *out, double value, float_width width);

/// A decimal of `size` bytes (4, 8, 16, 32, little endian, two's complement) with all digits of
/// its scale; a negative scale adds zeros.
void cli_number_decimal(cli_sink *out, const void *bytes, size_t size, int32_t scale);

#endif
