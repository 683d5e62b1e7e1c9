#include "formats/parquet/pq_codes.h"

#include <assert.h>

firn_status pq_codes_open(pq_codes *self, bytes page, uint32_t dictionary_size, firn_error *err) {
    uint32_t width = 0;
    bytes runs = page;
    if (page.size > 0) {
        width = page.data[0];
        runs = (bytes){.size = page.size - 1, .data = page.data + 1};
    }
    if (width > PQ_HYBRID_BITS_MAX) {
        return FAIL(err, FIRN_CORRUPT, "dictionary index of %u bits, at most %d are allowed", width,
                    PQ_HYBRID_BITS_MAX);
    }
    *self = (pq_codes){.runs = pq_hybrid_open(runs, width), .dictionary_size = dictionary_size};
    return FIRN_OK;
}

static firn_status check_code(const pq_codes *self, uint32_t code, firn_error *err) {
    if (code >= self->dictionary_size) {
        return FAIL(err, FIRN_CORRUPT, "index %u in a dictionary of %u values", code,
                    self->dictionary_size);
    }
    return FIRN_OK;
}

firn_status pq_codes_read(pq_codes *self, uint32_t count, uint32_t *out, firn_error *err) {
    TRY(pq_hybrid_read_u32(&self->runs, count, out, err));
    // One pass over the batch instead of one branch per value: it becomes a vector maximum.
    return count > 0 ? check_code(self, self->runs.kernels->highest(out, count), err) : FIRN_OK;
}

firn_status pq_codes_take_repeated(pq_codes *self, uint32_t count_max, uint32_t *code,
                                   uint32_t *count, firn_error *err) {
    bool is_repeated;
    TRY(pq_hybrid_peek(&self->runs, &is_repeated, code, count, err));
    if (!is_repeated) {
        *count = 0;
        return FIRN_OK;
    }
    pq_run run;
    TRY(pq_hybrid_take(&self->runs, count_max, &run, err));
    assert(run.is_repeated && run.value == *code);
    *count = run.count;
    return check_code(self, run.value, err);
}
