// The encoder of Snappy blocks: greedy, one table of where each hash of 4 bytes was last seen.
//
// The input is cut into fragments of 64 KiB, so that a position fits 16 bits in the table and a
// copy's distance fits the 2-byte form. Where nothing repeats, the search takes longer and longer
// strides, so that incompressible bytes cost little.
#include <assert.h>
#include <string.h>

#include "base/compiler.h"
#include "codecs/snappy.h"

#define FRAGMENT_MAX ((size_t)1 << 16)
#define MATCH_MIN 4
// Positions this close to the end of a fragment are not searched, so that 8-byte loads stay inside.
#define TAIL 15
// Strides begin at 1 and grow by 1 each 32 misses.
#define STRIDE_SHIFT 5

// One fragment on its way.
typedef struct fragment {
    const uint8_t *begin;
    const uint8_t *end;
    const uint8_t *search_end; // No search begins at or behind it.
    uint16_t *positions;       // By hash, from `begin`.
    uint32_t hash_bits;
} fragment;

static inline uint32_t load_u32(const uint8_t *from) {
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline uint64_t load_u64(const uint8_t *from) {
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

WRAPS static inline uint32_t hash(uint32_t four_bytes, uint32_t bits) {
    return (four_bytes * UINT32_C(2654435761)) >> (32 - bits);
}

// Looks up who had the same hash before `at`, and enters `at` instead.
static inline const uint8_t *exchange(const fragment *self, const uint8_t *at) {
    uint16_t *slot = &self->positions[hash(load_u32(at), self->hash_bits)];
    const uint8_t *before = self->begin + *slot;
    *slot = (uint16_t)(at - self->begin);
    return before;
}

// How many bytes are equal from `left` and `right` on, up to `end` (of `right`, the later one).
static inline size_t match_size(const uint8_t *left, const uint8_t *right, const uint8_t *end) {
    const uint8_t *const start = right;
    while (end - right >= 8) {
        const uint64_t differ = load_u64(left) ^ load_u64(right);
        if (differ != 0) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
            const int bits = __builtin_clzll(differ);
#else
            const int bits = __builtin_ctzll(differ);
#endif
            return (size_t)(right - start) + (size_t)bits / 8;
        }
        left += 8;
        right += 8;
    }
    while (right < end && *left == *right) {
        left += 1;
        right += 1;
    }
    return (size_t)(right - start);
}

static uint8_t *put_literal(uint8_t *out, const uint8_t *from, size_t size) {
    const size_t stored = size - 1;
    if (stored < 60) {
        *out++ = (uint8_t)(stored << 2);
    } else {
        const uint32_t width = stored < 0x100 ? 1 : 2; // A fragment is at most 64 KiB.
        *out++ = (uint8_t)((59 + width) << 2);
        *out++ = (uint8_t)(stored & 0xff);
        if (width == 2) {
            *out++ = (uint8_t)(stored >> 8);
        }
    }
    memcpy(out, from, size);
    return out + size;
}

static inline uint8_t *put_copy_2(uint8_t *out, size_t offset, size_t size) {
    out[0] = (uint8_t)((size - 1) << 2 | 2);
    out[1] = (uint8_t)(offset & 0xff);
    out[2] = (uint8_t)(offset >> 8);
    return out + 3;
}

static uint8_t *put_copy(uint8_t *out, size_t offset, size_t size) {
    while (size >= 68) {
        out = put_copy_2(out, offset, 64);
        size -= 64;
    }
    if (size > 64) { // So that at least the 4 bytes of the short form are left.
        out = put_copy_2(out, offset, 60);
        size -= 60;
    }
    if (size < 12 && offset < 2048) {
        *out++ = (uint8_t)((offset >> 8) << 5 | (size - 4) << 2 | 1);
        *out++ = (uint8_t)(offset & 0xff);
        return out;
    }
    return put_copy_2(out, offset, size);
}

// The first position from `at` on whose 4 bytes were seen before; NULL if there is none.
static const uint8_t *search(const fragment *self, const uint8_t *at, const uint8_t **match) {
    for (size_t misses = (size_t)1 << STRIDE_SHIFT; at < self->search_end; misses++) {
        const uint8_t *before = exchange(self, at);
        if (load_u32(before) == load_u32(at) && before < at) {
            *match = before;
            return at;
        }
        const size_t stride = misses >> STRIDE_SHIFT;
        if (stride >= (size_t)(self->search_end - at)) {
            break;
        }
        at += stride;
    }
    return NULL;
}

static uint8_t *put_fragment(const fragment *self, uint8_t *out) {
    const uint8_t *done = self->begin; // All before it is written.
    const uint8_t *match = NULL;
    const uint8_t *at = search(self, self->begin, &match);
    while (at != NULL) {
        if (at > done) {
            out = put_literal(out, done, (size_t)(at - done));
        }
        // Copies that follow each other without a literal between.
        do {
            const size_t size =
                MATCH_MIN + match_size(match + MATCH_MIN, at + MATCH_MIN, self->end);
            out = put_copy(out, (size_t)(at - match), size);
            at += size;
            done = at;
            if (at >= self->search_end) {
                break;
            }
            (void)exchange(self, at - 1);
            match = exchange(self, at);
        } while (load_u32(match) == load_u32(at));
        at = at < self->search_end ? search(self, at + 1, &match) : NULL;
    }
    if (done < self->end) {
        out = put_literal(out, done, (size_t)(self->end - done));
    }
    return out;
}

size_t snappy_encoded_size_max(size_t size) {
    // A copy is never longer than what it stands for, and pays for the tag of a literal of at most
    // 60 bytes before it; a longer literal has up to 2 bytes more. The rest is the varint and the
    // last literal of each fragment.
    return size > UINT32_MAX ? SIZE_MAX : 32 + size + size / 16;
}

size_t snappy_encode(bytes in, uint8_t *out, snappy_table *table) {
    assert(in.size <= UINT32_MAX);
    uint8_t *at = out;
    size_t size = in.size;
    for (; size >= 0x80; size >>= 7) {
        *at++ = (uint8_t)(size | 0x80);
    }
    *at++ = (uint8_t)size;
    for (size_t from = 0; from < in.size; from += FRAGMENT_MAX) {
        const size_t left = in.size - from;
        const size_t part = left < FRAGMENT_MAX ? left : FRAGMENT_MAX;
        uint32_t hash_bits = 8; // A small input does not pay for clearing a big table.
        while (hash_bits < SNAPPY_TABLE_BITS && (size_t)1 << hash_bits < part) {
            hash_bits += 1;
        }
        memset(table->positions, 0, ((size_t)1 << hash_bits) * sizeof *table->positions);
        const fragment self = {
            .begin = in.data + from,
            .end = in.data + from + part,
            .search_end = in.data + from + (part > TAIL ? part - TAIL : 0),
            .positions = table->positions,
            .hash_bits = hash_bits,
        };
        at = put_fragment(&self, at);
    }
    return (size_t)(at - out);
}
