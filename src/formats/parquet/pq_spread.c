#include "formats/parquet/pq_spread.h"

#include <assert.h>

#include "formats/parquet/pq_spread_table.h"

const pq_spread_kernels *pq_spread_kernels_at(isa_level level) {
    static const pq_spread_kernels *const kernels[ISA_COUNT] = {
        [ISA_BASE] = &pq_spread_kernels_base,
#if defined(__x86_64__)
        [ISA_V3] = &pq_spread_kernels_v3,
        [ISA_V4] = &pq_spread_kernels_v4,
#endif
    };
    assert(level < ISA_COUNT && kernels[level] != NULL);
    return kernels[level];
}

void pq_spread(void *values, uint32_t size, const uint64_t *validity, uint32_t row_count) {
    const pq_spread_kernels *kernels = pq_spread_kernels_at(isa_best());
    switch (size) {
    case 1:
        kernels->size_1(values, validity, row_count);
        break;
    case 2:
        kernels->size_2(values, validity, row_count);
        break;
    case 4:
        kernels->size_4(values, validity, row_count);
        break;
    case 8:
        kernels->size_8(values, validity, row_count);
        break;
    case 16:
        kernels->size_16(values, validity, row_count);
        break;
    default:
        assert(size == 32);
        kernels->size_32(values, validity, row_count);
        break;
    }
}

void pq_spread_bits(uint64_t *values, const uint64_t *validity, uint32_t row_count) {
    pq_spread_kernels_at(isa_best())->bits(values, validity, row_count);
}
