#include "formats/parquet/write/pw_pack.h"

#include <assert.h>

#include "formats/parquet/write/pw_pack_table.h"

const pw_pack_kernels *pw_pack_at(isa_level level) {
    static const pw_pack_kernels *const kernels[ISA_COUNT] = {
        [ISA_BASE] = &pw_pack_kernels_base,
#if defined(__x86_64__)
        [ISA_V3] = &pw_pack_kernels_v3,
        [ISA_V4] = &pw_pack_kernels_v4,
#endif
    };
    assert(level < ISA_COUNT && kernels[level] != NULL);
    return kernels[level];
}

const pw_pack_kernels *pw_pack(void) {
    return pw_pack_at(isa_best());
}
