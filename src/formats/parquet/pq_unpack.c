#include "formats/parquet/pq_unpack.h"

#include <assert.h>

#include "formats/parquet/pq_unpack_table.h"

const pq_unpack_kernels *pq_unpack_at(isa_level level) {
    static const pq_unpack_kernels *const kernels[ISA_COUNT] = {
        [ISA_BASE] = &pq_unpack_kernels_base,
#if defined(__x86_64__)
        [ISA_V3] = &pq_unpack_kernels_v3,
        [ISA_V4] = &pq_unpack_kernels_v4,
#endif
    };
    assert(level < ISA_COUNT && kernels[level] != NULL);
    return kernels[level];
}

const pq_unpack_kernels *pq_unpack(void) {
    return pq_unpack_at(isa_best());
}
