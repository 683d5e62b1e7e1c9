// Dictionary codes of several columns as one number a row: the place of their combination.
#ifndef FIRN_KERNELS_NUMBER_CODES_H
#define FIRN_KERNELS_NUMBER_CODES_H

#include <stdint.h>

#include "base/isa.h"

/// numbers[i] = i % copies * step; `copies` is a power of two.
void number_copies(uint32_t copies, uint32_t step, uint32_t count, uint32_t *numbers);

/// numbers[i] += codes[i] * stride, without a look at overflow: of lanes that nobody asks for,
/// codes may be anything.
void number_codes(const uint32_t *codes, uint32_t stride, uint32_t count, uint32_t *numbers);

typedef struct number_codes_kernels {
    void (*copies)(uint32_t copies, uint32_t step, uint32_t count, uint32_t *numbers);
    void (*codes)(const uint32_t *codes, uint32_t stride, uint32_t count, uint32_t *numbers);
} number_codes_kernels;

/// For tests. The machine must be able to run `level`.
const number_codes_kernels *number_codes_kernels_at(isa_level level);

#endif
