#include "kernels/number_codes.h"

#include "kernels/number_codes_table.h"

static const number_codes_kernels *const tables[ISA_COUNT] = {
    [ISA_BASE] = &number_codes_table_base,
#if defined(__x86_64__)
    [ISA_V3] = &number_codes_table_v3,
    [ISA_V4] = &number_codes_table_v4,
#endif
};

const number_codes_kernels *number_codes_kernels_at(isa_level level) {
    return tables[level];
}

void number_copies(uint32_t copies, uint32_t step, uint32_t count, uint32_t *numbers) {
    tables[isa_best()]->copies(copies, step, count, numbers);
}

void number_codes(const uint32_t *codes, uint32_t stride, uint32_t count, uint32_t *numbers) {
    tables[isa_best()]->codes(codes, stride, count, numbers);
}
