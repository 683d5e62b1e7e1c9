#include "formats/parquet/write/pw_delta.h"

#include <assert.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "formats/parquet/write/pw_delta_table.h"
#include "formats/parquet/write/pw_pack.h"

// Of a block: least difference, widths, and all values with 64 bits.
#define BLOCK_HEAD_BYTES_MAX (10 + PW_DELTA_MINIBLOCKS)
#define BLOCK_BYTES_MAX (BLOCK_HEAD_BYTES_MAX + PW_DELTA_BLOCK * 8 + PW_PACK_SPARE)

const pw_delta_kernels *pw_delta_kernels_at(isa_level level) {
    static const pw_delta_kernels *const kernels[ISA_COUNT] = {
        [ISA_BASE] = &pw_delta_kernels_base,
#if defined(__x86_64__)
        [ISA_V3] = &pw_delta_kernels_v3,
        [ISA_V4] = &pw_delta_kernels_v4,
#endif
    };
    assert(level < ISA_COUNT && kernels[level] != NULL);
    return kernels[level];
}

static bool put_header(byte_output *out, uint32_t count, int64_t first) {
    return byte_output_varint(out, PW_DELTA_BLOCK) &&
           byte_output_varint(out, PW_DELTA_MINIBLOCKS) && byte_output_varint(out, count) &&
           byte_output_zigzag(out, first);
}

static ALWAYS_INLINE uint32_t width_of(uint64_t bits) {
    return bits == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(bits);
}

// Room for what follows the head of a block, whose size it sets. Miniblocks without values have no
// bits.
static uint8_t *put_head(byte_output *out, int64_t least, const uint64_t *bits, uint32_t *widths) {
    if (byte_output_room(out, BLOCK_BYTES_MAX) == NULL || !byte_output_zigzag(out, least)) {
        return NULL;
    }
    uint8_t *to = byte_output_room(out, BLOCK_BYTES_MAX - 10);
    for (uint32_t m = 0; to != NULL && m < PW_DELTA_MINIBLOCKS; m++) {
        widths[m] = width_of(bits[m]);
        *to++ = (uint8_t)widths[m];
        out->size += 1;
    }
    return to;
}

firn_status pw_delta_put_i32(byte_output *out, const int32_t *values, uint32_t count,
                             firn_error *err) {
    const pw_delta_kernels *kernels = pw_delta_kernels_at(isa_best());
    const pw_pack_kernels *pack = pw_pack();
    if (!put_header(out, count, count == 0 ? 0 : values[0])) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    for (uint32_t at = 1; at < count; at += min_u32(PW_DELTA_BLOCK, count - at)) {
        UNINITIALISED uint32_t above[PW_DELTA_BLOCK];
        uint32_t bits[PW_DELTA_MINIBLOCKS];
        uint32_t widths[PW_DELTA_MINIBLOCKS];
        const uint32_t step = min_u32(PW_DELTA_BLOCK, count - at);
        const int64_t least = kernels->i32(values + at - 1, step, above, bits);
        uint8_t *to =
            put_head(out, least, (const uint64_t[]){bits[0], bits[1], bits[2], bits[3]}, widths);
        if (to == NULL) {
            return BYTE_OUTPUT_FULL(out, err);
        }
        for (uint32_t m = 0; m < PW_DELTA_MINIBLOCKS; m++) {
            const size_t size = (size_t)PW_DELTA_MINIBLOCK / 8 * widths[m];
            pack->u32(above + (size_t)m * PW_DELTA_MINIBLOCK, PW_DELTA_MINIBLOCK, widths[m], to);
            to += size;
            out->size += size;
        }
    }
    return FIRN_OK;
}

firn_status pw_delta_put_i64(byte_output *out, const int64_t *values, uint32_t count,
                             firn_error *err) {
    const pw_delta_kernels *kernels = pw_delta_kernels_at(isa_best());
    const pw_pack_kernels *pack = pw_pack();
    if (!put_header(out, count, count == 0 ? 0 : values[0])) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    for (uint32_t at = 1; at < count; at += min_u32(PW_DELTA_BLOCK, count - at)) {
        UNINITIALISED uint64_t above[PW_DELTA_BLOCK];
        uint64_t bits[PW_DELTA_MINIBLOCKS];
        uint32_t widths[PW_DELTA_MINIBLOCKS];
        const uint32_t step = min_u32(PW_DELTA_BLOCK, count - at);
        const int64_t least = kernels->i64(values + at - 1, step, above, bits);
        uint8_t *to = put_head(out, least, bits, widths);
        if (to == NULL) {
            return BYTE_OUTPUT_FULL(out, err);
        }
        for (uint32_t m = 0; m < PW_DELTA_MINIBLOCKS; m++) {
            const size_t size = (size_t)PW_DELTA_MINIBLOCK / 8 * widths[m];
            pack->u64(above + (size_t)m * PW_DELTA_MINIBLOCK, PW_DELTA_MINIBLOCK, widths[m], to);
            to += size;
            out->size += size;
        }
    }
    return FIRN_OK;
}
