// Values moved by row number or code: out[k] = in[rows[k]] and its kin, for fixed widths of 1, 2,
// 4, 8, 16 and 32 bytes. Plain loops: gather instructions gain less than a tenth.
#ifndef FIRN_KERNELS_GATHER_H
#define FIRN_KERNELS_GATHER_H

#include <stdbool.h>
#include <stdint.h>

/// out[k] = in[rows[k]].
void gather_rows(uint32_t width, const void *in, const uint16_t *rows, uint32_t count, void *out);
/// out[i] = in[codes[i]]: a dictionary made flat.
void gather_codes(uint32_t width, const void *in, const uint32_t *codes, uint32_t count, void *out);
/// out[rows[k]] = in[codes[rows[k]]]: only the rows that count; others stay as they are.
void gather_codes_rows(uint32_t width, const void *in, const uint32_t *codes, const uint16_t *rows,
                       uint32_t count, void *out);
/// out[rows[k]] = in[rows[k]]: an arm of a CASE into the result.
void gather_blend(uint32_t width, const void *in, const uint16_t *rows, uint32_t count, void *out);
/// out[i] = in[i] (or in[0]) where bit i is set: the same for many rows.
void gather_blend_bits(uint32_t width, const void *in, bool in_is_constant, const uint64_t *bits,
                       uint32_t count, void *out);
/// out[rows[k]] = *value.
void gather_fill(uint32_t width, const void *value, const uint16_t *rows, uint32_t count,
                 void *out);
/// out[i] = *value for all i below count.
void gather_repeat(uint32_t width, const void *value, uint32_t count, void *out);

#endif
