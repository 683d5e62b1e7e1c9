#include "formats/parquet/pq_split.h"

#include <assert.h>

#include "formats/parquet/pq_split_table.h"

pq_split_kernel pq_split_kernel_at(isa_level level) {
    static const pq_split_kernel kernels[ISA_COUNT] = {
        [ISA_BASE] = split_join_base,
#if defined(__x86_64__)
        [ISA_V3] = split_join_v3,
        [ISA_V4] = split_join_v4,
#endif
    };
    assert(level < ISA_COUNT && kernels[level] != NULL);
    return kernels[level];
}

firn_status pq_split_open(pq_split *self, bytes page, uint32_t width, firn_error *err) {
    assert(width > 0);
    if (page.size % width != 0) {
        return FAIL(err, FIRN_CORRUPT, "split page of %zu bytes for values of %u", page.size,
                    width);
    }
    *self = (pq_split){.data = page.data, .width = width, .count = page.size / width};
    return FIRN_OK;
}

static firn_status check_left(const pq_split *self, uint64_t count, firn_error *err) {
    if (count > self->count - self->at) {
        return FAIL(err, FIRN_CORRUPT, "%llu values wanted, %zu are left in the page",
                    (unsigned long long)count, self->count - self->at);
    }
    return FIRN_OK;
}

firn_status pq_split_read(pq_split *self, uint32_t count, uint8_t *out, firn_error *err) {
    TRY(check_left(self, count, err));
    if (count > 0) {
        pq_split_kernel_at(isa_best())(self->data + self->at, self->count, self->width, count, out);
        self->at += count;
    }
    return FIRN_OK;
}

firn_status pq_split_skip(pq_split *self, uint64_t count, firn_error *err) {
    TRY(check_left(self, count, err));
    self->at += (size_t)count;
    return FIRN_OK;
}
