// Private to kernels/bits*: what AVX-512 does better than a loop.
#ifndef FIRN_KERNELS_BITS_V4_H
#define FIRN_KERNELS_BITS_V4_H

#include "kernels/bits.h"

#define BITS_IN_REGISTER_MAX 512   // Entries whose bits fit one register, ...
#define BITS_IN_REGISTERS_MAX 4096 // ... and eight.

#if defined(__x86_64__)
uint32_t bits_to_rows_v4(const uint64_t *bits, uint32_t rows, uint16_t *out);
void bits_of_codes_v4(const uint64_t *table, uint32_t entries, const uint32_t *codes, uint32_t rows,
                      uint64_t *out);
void bits_of_many_codes_v4(const uint64_t *table, uint32_t entries, const uint32_t *codes,
                           uint32_t rows, uint64_t *out);
#endif

#endif
