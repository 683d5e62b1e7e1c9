// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's kernels.
//
// Values are narrowed to the lanes of 8, 16 or 32 bits that they fit, and the lanes of a 64-bit
// word are pushed together in log steps: words of 8, 4 or 2 values, in loops that compilers make
// vectors of. So what is left to write is chunks of whole bytes (widths up to 8) or of 33 to 64
// bits, for which a loop with the width as a constant does.
#include <string.h>

#include "base/compiler.h"
#include "base/isa.h"
#include "formats/parquet/write/pw_pack_table.h"

#define BLOCK_VALUES 256
#define GROUP 8 // As many chunks make whole bytes at any width.

// ---- Chunks of 33 to 64 bits -------------------------------------------------------------------

typedef struct packing {
    uint8_t *out;
    uint64_t word;
    uint32_t fill; // Bits in use of `word`, below 64.
} packing;

WRAPS static ALWAYS_INLINE void put_chunk(packing *self, uint64_t chunk, uint32_t width) {
    self->word |= chunk << self->fill;
    self->fill += width;
    if (self->fill >= 64) {
        memcpy(self->out, &self->word, sizeof self->word);
        self->out += sizeof self->word;
        self->fill -= 64;
        self->word = self->fill == 0 ? 0 : chunk >> (width - self->fill);
    }
}

// `width` is a constant in every caller, so no branch and no counter is left of the above.
static ALWAYS_INLINE void pack_groups_of(const uint64_t *chunks, size_t count, uint8_t *out,
                                         uint32_t width) {
    for (size_t i = 0; i < count; i += GROUP) {
        packing group = {.out = out};
        put_chunk(&group, chunks[i], width);
        put_chunk(&group, chunks[i + 1], width);
        put_chunk(&group, chunks[i + 2], width);
        put_chunk(&group, chunks[i + 3], width);
        put_chunk(&group, chunks[i + 4], width);
        put_chunk(&group, chunks[i + 5], width);
        put_chunk(&group, chunks[i + 6], width);
        put_chunk(&group, chunks[i + 7], width);
        if (group.fill > 0) {
            memcpy(group.out, &group.word, sizeof group.word);
        }
        out += width;
    }
}

#define PACK_GROUPS(w)                                                                             \
    case w:                                                                                        \
        pack_groups_of(chunks, count, out, w);                                                     \
        break;
#define PACK_GROUPS_4(w) PACK_GROUPS(w) PACK_GROUPS(w + 1) PACK_GROUPS(w + 2) PACK_GROUPS(w + 3)

// `count` is rounded up to a group.
static void pack_chunks(const uint64_t *chunks, size_t count, uint32_t width, uint8_t *out) {
    switch (width) {
        PACK_GROUPS_4(33)
        PACK_GROUPS_4(37)
        PACK_GROUPS_4(41)
        PACK_GROUPS_4(45)
        PACK_GROUPS_4(49)
        PACK_GROUPS_4(53)
        PACK_GROUPS_4(57)
        PACK_GROUPS_4(61)
    default:
        break;
    }
}

// ---- Lanes of 8, 16 and 32 bits ----------------------------------------------------------------

static ALWAYS_INLINE uint64_t load_u64(const void *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

// The lower of each two lanes of `lane` bits stays, the higher one moves down behind its `width`
// bits. `low` masks the lower lanes.
static ALWAYS_INLINE uint64_t push(uint64_t word, uint64_t low, uint32_t lane, uint32_t width) {
    return (word & low) | (word >> lane & low) << width;
}

// Words of 8 lanes, whose 8 * width bits are whole bytes. The output is written in rising order,
// 8 bytes each time.
static void pack_lanes_8(const uint8_t *lanes, size_t count, uint32_t width, uint8_t *out) {
    UNINITIALISED uint64_t chunks[BLOCK_VALUES / 8];
    for (size_t i = 0; i < count / 8; i++) {
        uint64_t word = load_u64(lanes + 8 * i);
        word = push(word, UINT64_C(0x00ff00ff00ff00ff), 8, width);
        word = push(word, UINT64_C(0x0000ffff0000ffff), 16, 2 * width);
        chunks[i] = push(word, UINT32_MAX, 32, 4 * width);
    }
    for (size_t i = 0; i < count / 8; i++) {
        memcpy(out + i * width, &chunks[i], sizeof *chunks);
    }
}

// Fills the last group of chunks up with zeros.
static void pack_block(uint64_t *chunks, size_t count, uint32_t width, uint8_t *out) {
    for (size_t i = count; i % GROUP != 0; i++) {
        chunks[i] = 0;
    }
    pack_chunks(chunks, count, width, out);
}

static void pack_lanes_16(const uint16_t *lanes, size_t count, uint32_t width, uint8_t *out) {
    UNINITIALISED uint64_t chunks[BLOCK_VALUES / 4];
    for (size_t i = 0; i < count / 4; i++) {
        uint64_t word = load_u64(lanes + 4 * i);
        word = push(word, UINT64_C(0x0000ffff0000ffff), 16, width);
        chunks[i] = push(word, UINT32_MAX, 32, 2 * width);
    }
    pack_block(chunks, count / 4, 4 * width, out);
}

static void pack_lanes_32(const uint32_t *lanes, size_t count, uint32_t width, uint8_t *out) {
    UNINITIALISED uint64_t chunks[BLOCK_VALUES / 2];
    for (size_t i = 0; i < count / 2; i++) {
        chunks[i] = push(load_u64(lanes + 2 * i), UINT32_MAX, 32, width);
    }
    pack_block(chunks, count / 2, 2 * width, out);
}

// ---- Kernels -----------------------------------------------------------------------------------

#define NARROW(from, to)                                                                           \
    static ALWAYS_INLINE void narrow_##from##_##to(const uint##from##_t *values, size_t count,     \
                                                   uint##to##_t *out) {                            \
        for (size_t i = 0; i < count; i++) {                                                       \
            out[i] = (uint##to##_t)values[i];                                                      \
        }                                                                                          \
    }
NARROW(32, 8)
NARROW(32, 16)
NARROW(64, 8)
NARROW(64, 16)
NARROW(64, 32)

static void pack_u32_block(const uint32_t *values, size_t count, uint32_t width, uint8_t *out) {
    if (width <= 8) {
        UNINITIALISED uint8_t lanes[BLOCK_VALUES];
        narrow_32_8(values, count, lanes);
        pack_lanes_8(lanes, count, width, out);
    } else if (width <= 16) {
        UNINITIALISED uint16_t lanes[BLOCK_VALUES];
        narrow_32_16(values, count, lanes);
        pack_lanes_16(lanes, count, width, out);
    } else {
        pack_lanes_32(values, count, width, out);
    }
}

static void pack_u64_block(const uint64_t *values, size_t count, uint32_t width, uint8_t *out) {
    if (width <= 8) {
        UNINITIALISED uint8_t lanes[BLOCK_VALUES];
        narrow_64_8(values, count, lanes);
        pack_lanes_8(lanes, count, width, out);
    } else if (width <= 16) {
        UNINITIALISED uint16_t lanes[BLOCK_VALUES];
        narrow_64_16(values, count, lanes);
        pack_lanes_16(lanes, count, width, out);
    } else {
        UNINITIALISED uint32_t lanes[BLOCK_VALUES];
        narrow_64_32(values, count, lanes);
        pack_lanes_32(lanes, count, width, out);
    }
}

static ALWAYS_INLINE size_t block_at(size_t at, size_t count) {
    return count - at < BLOCK_VALUES ? count - at : BLOCK_VALUES;
}

static void ISA_NAME(pack_u8)(const uint8_t *values, size_t count, uint32_t width, uint8_t *out) {
    for (size_t i = 0; i < count && width > 0; i += BLOCK_VALUES) {
        pack_lanes_8(values + i, block_at(i, count), width, out + i / 8 * width);
    }
}

static void ISA_NAME(pack_u32)(const uint32_t *values, size_t count, uint32_t width, uint8_t *out) {
    for (size_t i = 0; i < count && width > 0; i += BLOCK_VALUES) {
        pack_u32_block(values + i, block_at(i, count), width, out + i / 8 * width);
    }
}

static void ISA_NAME(pack_u64)(const uint64_t *values, size_t count, uint32_t width, uint8_t *out) {
    if (width > 32) {
        pack_chunks(values, count, width, out);
        return;
    }
    for (size_t i = 0; i < count && width > 0; i += BLOCK_VALUES) {
        pack_u64_block(values + i, block_at(i, count), width, out + i / 8 * width);
    }
}

const pw_pack_kernels ISA_NAME(pw_pack_kernels) = {
    .u8 = ISA_NAME(pack_u8),
    .u32 = ISA_NAME(pack_u32),
    .u64 = ISA_NAME(pack_u64),
};
