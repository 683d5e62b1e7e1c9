// Private to kernels/gather*: what AVX-512 does better than a loop.
#ifndef FIRN_KERNELS_GATHER_V4_H
#define FIRN_KERNELS_GATHER_V4_H

#include "kernels/gather.h"

#if defined(__x86_64__)
/// gather_blend_bits for widths of 4 and 8.
void gather_blend_bits_v4(uint32_t width, const void *in, bool in_is_constant, const uint64_t *bits,
                          uint32_t count, void *out);
#endif

#endif
