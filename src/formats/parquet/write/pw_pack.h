// Packs numbers into a fixed count of bits, lowest bit first: the inverse of pq_unpack.h.
//
// `count` is a multiple of 8, so whole bytes come out: count / 8 * width. Kernels may write up to
// PW_PACK_SPARE bytes more. Bits of a value above `width` are zero: the caller has looked.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_PACK_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/isa.h"

#define PW_PACK_SPARE 64

typedef struct pw_pack_kernels {
    void (*u8)(const uint8_t *values, size_t count, uint32_t width, uint8_t *out);   // 0 to 8
    void (*u32)(const uint32_t *values, size_t count, uint32_t width, uint8_t *out); // 0 to 32
    void (*u64)(const uint64_t *values, size_t count, uint32_t width, uint8_t *out); // 0 to 64
} pw_pack_kernels;

/// The kernels for this machine; for one level, for tests.
const pw_pack_kernels *pw_pack(void);
const pw_pack_kernels *pw_pack_at(isa_level level);

#endif
