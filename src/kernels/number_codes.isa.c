// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's table.
#include "base/compiler.h"
#include "base/isa.h"
#include "kernels/number_codes_table.h"

static void ISA_NAME(number_copies)(uint32_t copies, uint32_t step, uint32_t count,
                                    uint32_t *restrict numbers) {
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = (i & (copies - 1)) * step;
    }
}

WRAPS static void ISA_NAME(number_codes)(const uint32_t *restrict codes, uint32_t stride,
                                         uint32_t count, uint32_t *restrict numbers) {
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] += codes[i] * stride;
    }
}

const number_codes_kernels ISA_NAME(number_codes_table) = {.copies = ISA_NAME(number_copies),
                                                           .codes = ISA_NAME(number_codes)};
