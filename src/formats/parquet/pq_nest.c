#include "formats/parquet/pq_nest.h"

#include <assert.h>

#include "formats/parquet/pq_nest_table.h"

const pq_nest_kernels *pq_nest_at(isa_level level) {
    static const pq_nest_kernels *const kernels[ISA_COUNT] = {
        [ISA_BASE] = &pq_nest_kernels_base,
#if defined(__x86_64__)
        [ISA_V3] = &pq_nest_kernels_v3,
        [ISA_V4] = &pq_nest_kernels_v4,
#endif
    };
    assert(level < ISA_COUNT && kernels[level] != NULL);
    return kernels[level];
}

const pq_nest_kernels *pq_nest(void) {
    return pq_nest_at(isa_best());
}
