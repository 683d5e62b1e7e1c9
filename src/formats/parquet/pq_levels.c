#include "formats/parquet/pq_levels.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "formats/parquet/pq_level_kernels.h"

#define SKIP_STEP 512
#define SIZE_BYTES 4

static uint8_t width_of(uint8_t max) {
    return max == 0 ? 0 : (uint8_t)(32 - __builtin_clz(max));
}

// A stream of a v1 page: a size and runs, or legacy bits.
static firn_status open_stream(pq_level_stream *self, uint8_t max, int32_t encoding,
                               uint32_t entry_count, byte_reader *in, firn_error *err) {
    *self = (pq_level_stream){.max = max, .width = width_of(max)};
    if (max == 0) {
        return FIRN_OK;
    }
    bytes raw;
    if (encoding == PQ_ENCODING_BIT_PACKED) {
        const size_t size = ((size_t)entry_count * self->width + 7) / 8;
        self->is_legacy = true;
        return reader_take(in, size, &self->packed, err);
    }
    if (encoding != PQ_ENCODING_RLE) {
        return FAIL(err, FIRN_CORRUPT, "levels in the encoding %s (%d)", pq_encoding_name(encoding),
                    encoding);
    }
    TRY(reader_take(in, SIZE_BYTES, &raw, err));
    const uint32_t size = (uint32_t)raw.data[0] | (uint32_t)raw.data[1] << 8 |
                          (uint32_t)raw.data[2] << 16 | (uint32_t)raw.data[3] << 24;
    TRY(reader_take(in, size, &raw, err));
    self->runs = pq_hybrid_open(raw, self->width);
    return FIRN_OK;
}

static firn_status open_stream_v2(pq_level_stream *self, uint8_t max, uint32_t size,
                                  byte_reader *in, firn_error *err) {
    *self = (pq_level_stream){.max = max, .width = width_of(max)};
    bytes raw;
    TRY(reader_take(in, size, &raw, err)); // Also where a writer stored levels that are all 0.
    self->runs = pq_hybrid_open(raw, self->width);
    return FIRN_OK;
}

static firn_status open_both(pq_levels *self, const pq_page *page, const pq_leaf *leaf,
                             byte_reader *in, firn_error *err) {
    if (page->is_v2) {
        TRY(open_stream_v2(&self->repetition, leaf->repetition_max, page->repetition_size, in,
                           err));
        return open_stream_v2(&self->definition, leaf->definition_max, page->definition_size, in,
                              err);
    }
    TRY(open_stream(&self->repetition, leaf->repetition_max, page->repetition_encoding,
                    page->value_count, in, err));
    return open_stream(&self->definition, leaf->definition_max, page->definition_encoding,
                       page->value_count, in, err);
}

firn_status pq_levels_open(pq_levels *self, const pq_page *page, const pq_leaf *leaf, bytes input,
                           size_t *size, firn_error *err) {
    byte_reader in = reader_open(input);
    const firn_status status = open_both(self, page, leaf, &in, err);
    if (status != FIRN_OK) {
        err_while(err, "reading the levels of a page");
        return status;
    }
    self->left = page->value_count;
    *size = input.size - reader_left(&in);
    return FIRN_OK;
}

bool pq_levels_are_all_present(const pq_levels *self) {
    const pq_level_stream *definition = &self->definition;
    if (definition->max == 0) {
        return true;
    }
    if (definition->is_legacy || self->repetition.max > 0) {
        return false;
    }
    pq_hybrid runs = definition->runs; // A copy: the run is not taken.
    bool is_repeated;
    uint32_t value;
    uint32_t count;
    firn_error err = ERR_INIT;
    if (pq_hybrid_peek(&runs, &is_repeated, &value, &count, &err) != FIRN_OK) {
        return false; // Whoever reads will see the error.
    }
    return is_repeated && value == definition->max && count >= self->left;
}

// One level from the highest bit on.
static uint8_t legacy_level(const pq_level_stream *self, size_t bit) {
    uint32_t level = 0;
    for (uint32_t i = 0; i < self->width; i++, bit++) {
        level = level << 1 | (self->packed.data[bit / 8] >> (7 - bit % 8) & 1);
    }
    return (uint8_t)level;
}

static firn_status read_stream(pq_level_stream *self, uint32_t count, uint8_t *out,
                               firn_error *err) {
    if (self->max == 0) {
        memset(out, 0, count);
        return FIRN_OK;
    }
    if (self->is_legacy) { // All levels of the page are there: pq_levels_open measured.
        for (uint32_t i = 0; i < count; i++, self->bit += self->width) {
            out[i] = legacy_level(self, self->bit);
        }
    } else {
        TRY(pq_hybrid_read_u8(&self->runs, count, out, err));
    }
    const uint8_t highest = pq_level_kernels_best()->highest(out, count);
    if (highest > self->max) {
        return FAIL(err, FIRN_CORRUPT, "level %u, at most %u is possible", highest, self->max);
    }
    return FIRN_OK;
}

firn_status pq_levels_read(pq_levels *self, uint32_t count, uint8_t *repetition,
                           uint8_t *definition, firn_error *err) {
    assert(count <= self->left);
    TRY(read_stream(&self->repetition, count, repetition, err));
    TRY(read_stream(&self->definition, count, definition, err));
    self->left -= count;
    return FIRN_OK;
}

// Levels of more than one bit: to bytes, then to bits.
static firn_status read_validity_bytes(pq_levels *self, uint32_t count, uint64_t *validity,
                                       size_t at, uint8_t *scratch, uint32_t *present,
                                       firn_error *err) {
    TRY(read_stream(&self->definition, count, scratch, err));
    const pq_level_kernels *kernels = pq_level_kernels_best();
    *present = 0;
    for (uint32_t from = 0; from < count; from += SKIP_STEP) {
        const uint32_t step = min_u32(SKIP_STEP, count - from);
        // One word more: pq_copy_bits reads 8 bytes behind the last bit.
        uint64_t bits[SKIP_STEP / 64 + 1] = {0};
        *present += (uint32_t)kernels->at_least(scratch + from, step, self->definition.max, bits);
        (void)pq_copy_bits((const uint8_t *)bits, 0, step, validity, at + from);
    }
    return FIRN_OK;
}

firn_status pq_levels_read_validity(pq_levels *self, uint32_t count, uint64_t *validity, size_t at,
                                    uint8_t *scratch, uint32_t *present, firn_error *err) {
    assert(count <= self->left && self->repetition.max == 0);
    pq_level_stream *definition = &self->definition;
    if (definition->max == 0) {
        pq_fill_bits(validity, at, count, true);
        *present = count;
    } else if (definition->width == 1 && !definition->is_legacy) {
        TRY(pq_hybrid_read_bits(&definition->runs, count, validity, at, present, err));
    } else {
        TRY(read_validity_bytes(self, count, validity, at, scratch, present, err));
    }
    self->left -= count;
    return FIRN_OK;
}

// Values among the levels of one packed run, or of one portion of legacy bits.
static firn_status count_present(const pq_level_stream *self, const uint8_t *levels, uint32_t count,
                                 uint32_t *present, firn_error *err) {
    const pq_level_kernels *kernels = pq_level_kernels_best();
    uint64_t bits[SKIP_STEP / 64];
    *present += (uint32_t)kernels->at_least(levels, count, self->max, bits);
    const uint8_t highest = kernels->highest(levels, count);
    if (highest > self->max) {
        return FAIL(err, FIRN_CORRUPT, "level %u, at most %u is possible", highest, self->max);
    }
    return FIRN_OK;
}

firn_status pq_levels_skip(pq_levels *self, uint32_t count, uint32_t *present, firn_error *err) {
    assert(count <= self->left);
    pq_level_stream *definition = &self->definition;
    *present = definition->max == 0 ? count : 0;
    if (self->repetition.is_legacy) {
        self->repetition.bit += (size_t)count * self->repetition.width;
    } else if (self->repetition.max > 0) {
        TRY(pq_hybrid_skip(&self->repetition.runs, count, err));
    }
    self->left -= count;
    while (count > 0 && definition->max > 0) {
        UNINITIALISED uint8_t levels[SKIP_STEP + PQ_UNPACK_SPARE];
        uint32_t step = min_u32(count, SKIP_STEP);
        if (!definition->is_legacy) {
            bool is_repeated;
            uint32_t value;
            uint32_t length;
            TRY(pq_hybrid_peek(&definition->runs, &is_repeated, &value, &length, err));
            if (is_repeated) { // However long: nothing to unpack.
                step = min_u32(count, length);
                TRY(pq_hybrid_skip(&definition->runs, step, err));
                *present += value == definition->max ? step : 0;
                count -= step;
                continue;
            }
        }
        TRY(read_stream(definition, step, levels, err));
        TRY(count_present(definition, levels, step, present, err));
        count -= step;
    }
    return FIRN_OK;
}
