#include "formats/parquet/pq_level_kernels.h"

#include <assert.h>

#include "formats/parquet/pq_level_kernels_table.h"

const pq_level_kernels *pq_level_kernels_at(isa_level level) {
    static const pq_level_kernels *const kernels[ISA_COUNT] = {
        [ISA_BASE] = &pq_level_kernels_base,
#if defined(__x86_64__)
        [ISA_V3] = &pq_level_kernels_v3,
        [ISA_V4] = &pq_level_kernels_v4,
#endif
    };
    assert(level < ISA_COUNT && kernels[level] != NULL);
    return kernels[level];
}

const pq_level_kernels *pq_level_kernels_best(void) {
    return pq_level_kernels_at(isa_best());
}
