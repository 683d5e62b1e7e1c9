#include "formats/parquet/write/pw_split.h"

#include <assert.h>

#include "formats/parquet/write/pw_split_table.h"

pw_split_kernel pw_split_kernel_at(isa_level level) {
    static const pw_split_kernel kernels[ISA_COUNT] = {
        [ISA_BASE] = split_part_base,
#if defined(__x86_64__)
        [ISA_V3] = split_part_v3,
        [ISA_V4] = split_part_v4,
#endif
    };
    assert(level < ISA_COUNT && kernels[level] != NULL);
    return kernels[level];
}

firn_status pw_put_split(byte_output *out, const pw_values *values, firn_error *err) {
    assert(values->type != PQ_BOOLEAN && values->type != PQ_BYTE_ARRAY);
    const uint32_t width = pw_values_size(values->type, values->width);
    const uint64_t size = (uint64_t)width * values->count;
    uint8_t *to = size > SIZE_MAX ? NULL : byte_output_room(out, (size_t)size);
    if (to == NULL) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    if (size > 0) {
        pw_split_kernel_at(isa_best())(values->data, values->count, width, values->count, to);
        out->size += (size_t)size;
    }
    return FIRN_OK;
}
