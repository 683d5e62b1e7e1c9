#include "formats/parquet/pq_convert_kernels.h"

#include <assert.h>

#include "formats/parquet/pq_convert_kernels_table.h"

const pq_convert_kernels *pq_convert_kernels_at(isa_level level) {
    static const pq_convert_kernels *const kernels[ISA_COUNT] = {
        [ISA_BASE] = &pq_convert_kernels_base,
#if defined(__x86_64__)
        [ISA_V3] = &pq_convert_kernels_v3,
        [ISA_V4] = &pq_convert_kernels_v4,
#endif
    };
    assert(level < ISA_COUNT && kernels[level] != NULL);
    return kernels[level];
}

const pq_convert_kernels *pq_convert_kernels_best(void) {
    return pq_convert_kernels_at(isa_best());
}
