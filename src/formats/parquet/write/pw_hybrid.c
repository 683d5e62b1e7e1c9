#include "formats/parquet/write/pw_hybrid.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "formats/parquet/write/pw_pack.h"

#define GROUP 8 // As many values as make whole bytes at any width.
#define RUN_GAIN_BYTES_MIN 8
#define RUN_VALUES_MAX INT32_MAX                   // Of one repeated run.
#define PACKED_GROUPS_MAX (RUN_VALUES_MAX / GROUP) // Of one packed run.
#define HEADER_BYTES_MAX 5

typedef enum source_kind { SOURCE_U32, SOURCE_U8, SOURCE_BITS } source_kind;

typedef struct source {
    source_kind kind;
    uint32_t count;
    uint32_t width;
    const void *values; // Bits: read as bytes, the lowest bit first.
} source;

static ALWAYS_INLINE uint64_t load_u64(const void *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static ALWAYS_INLINE uint32_t value_at(const source *self, source_kind kind, size_t i) {
    switch (kind) {
    case SOURCE_U32:
        return ((const uint32_t *)self->values)[i];
    case SOURCE_U8:
        return ((const uint8_t *)self->values)[i];
    case SOURCE_BITS:
        break;
    }
    return (uint32_t)(((const uint8_t *)self->values)[i / 8] >> (i % 8) & 1);
}

// Whether all eight values of a group are `value`.
WRAPS static ALWAYS_INLINE bool group_is(const source *self, source_kind kind, size_t group,
                                         uint32_t value) {
    switch (kind) {
    case SOURCE_U32: {
        const uint32_t *eight = (const uint32_t *)self->values + group * GROUP;
        const uint64_t both = value * UINT64_C(0x100000001);
        return ((load_u64(eight) ^ both) | (load_u64(eight + 2) ^ both) |
                (load_u64(eight + 4) ^ both) | (load_u64(eight + 6) ^ both)) == 0;
    }
    case SOURCE_U8:
        return load_u64((const uint8_t *)self->values + group * GROUP) ==
               value * UINT64_C(0x0101010101010101);
    case SOURCE_BITS:
        break;
    }
    return ((const uint8_t *)self->values)[group] == (value == 0 ? 0 : UINT8_MAX);
}

// ---- Runs --------------------------------------------------------------------------------------

static bool put_header_and_value(byte_output *out, uint32_t value, uint32_t count, uint32_t width) {
    const uint8_t raw[4] = {(uint8_t)(value & 0xff), (uint8_t)(value >> 8 & 0xff),
                            (uint8_t)(value >> 16 & 0xff), (uint8_t)(value >> 24)};
    return byte_output_varint(out, (uint64_t)count << 1) &&
           byte_output_put(out, (bytes){.data = raw, .size = (width + 7) / 8});
}

static bool put_repeated(byte_output *out, uint32_t value, uint32_t count, uint32_t width) {
    for (; count > RUN_VALUES_MAX; count -= RUN_VALUES_MAX) {
        if (!put_header_and_value(out, value, RUN_VALUES_MAX, width)) {
            return false;
        }
    }
    return count == 0 || put_header_and_value(out, value, count, width);
}

// Packs values from `from` on, a multiple of eight, into `to`; the last group is filled up.
static void pack(const source *self, uint32_t from, uint32_t count, uint8_t *to) {
    const pw_pack_kernels *kernels = pw_pack();
    const uint32_t whole = count / GROUP * GROUP;
    const uint32_t left = count - whole;
    uint8_t *behind = to + (size_t)(whole / GROUP) * self->width;
    switch (self->kind) {
    case SOURCE_U32: {
        const uint32_t *values = (const uint32_t *)self->values + from;
        uint32_t last[GROUP] = {0};
        memcpy(last, values + whole, left * sizeof *values);
        kernels->u32(values, whole, self->width, to);
        kernels->u32(last, left == 0 ? 0 : GROUP, self->width, behind);
        break;
    }
    case SOURCE_U8: {
        const uint8_t *values = (const uint8_t *)self->values + from;
        uint8_t last[GROUP] = {0};
        memcpy(last, values + whole, left);
        kernels->u8(values, whole, self->width, to);
        kernels->u8(last, left == 0 ? 0 : GROUP, self->width, behind);
        break;
    }
    case SOURCE_BITS: {
        const uint8_t *values = (const uint8_t *)self->values + from / 8;
        memcpy(to, values, whole / GROUP);
        if (left > 0) {
            *behind = (uint8_t)(values[whole / GROUP] & ((1u << left) - 1));
        }
        break;
    }
    }
}

// Values [from, from + count) as packed runs; `from` is a multiple of eight.
static bool put_packed(byte_output *out, const source *self, uint32_t from, uint32_t count) {
    while (count > 0) {
        const uint32_t step = min_u32(count, PACKED_GROUPS_MAX * GROUP);
        const uint32_t groups = (uint32_t)(((uint64_t)step + GROUP - 1) / GROUP);
        const size_t size = (size_t)groups * self->width;
        if (byte_output_room(out, size + HEADER_BYTES_MAX + PW_PACK_SPARE) == NULL ||
            !byte_output_varint(out, (uint64_t)groups << 1 | 1)) {
            return false;
        }
        uint8_t *to = byte_output_room(out, size + PW_PACK_SPARE);
        if (to == NULL) {
            return false;
        }
        pack(self, from, step, to);
        out->size += size;
        from += step;
        count -= step;
    }
    return true;
}

// Whether a run of `count` values is better written as a repeated one.
static ALWAYS_INLINE bool run_pays(const source *self, uint32_t count) {
    return count == self->count ||
           (uint64_t)(count / GROUP) * self->width >= (self->width + 7) / 8 + RUN_GAIN_BYTES_MIN;
}

static ALWAYS_INLINE bool put_runs(byte_output *out, const source *self, source_kind kind) {
    const uint32_t groups = self->count / GROUP;
    uint32_t done = 0; // Values written.
    for (uint32_t g = 0; g < groups;) {
        const uint32_t value = value_at(self, kind, (size_t)g * GROUP);
        const uint32_t first = g;
        while (g < groups && group_is(self, kind, g, value)) {
            g += 1;
        }
        if (g == first) {
            g += 1;
            continue;
        }
        uint32_t end = g * GROUP;
        if (g == groups) { // Values behind the last group may belong to its run.
            while (end < self->count && value_at(self, kind, end) == value) {
                end += 1;
            }
            end = end == self->count ? end : g * GROUP;
        }
        const uint32_t from = first * GROUP;
        if (run_pays(self, end - from)) {
            if (!put_packed(out, self, done, from - done) ||
                !put_repeated(out, value, end - from, self->width)) {
                return false;
            }
            done = end;
        }
    }
    return put_packed(out, self, done, self->count - done);
}

// Fewer values than a group, all the same, are a run as well.
static bool is_short_run(const source *self) {
    for (uint32_t i = 1; i < self->count; i++) {
        if (self->count >= GROUP ||
            value_at(self, self->kind, i) != value_at(self, self->kind, 0)) {
            return false;
        }
    }
    return self->count > 0 && self->count < GROUP;
}

static firn_status put(byte_output *out, const source *self, firn_error *err) {
    bool has_room = true;
    if (self->width == 0) {
        has_room = put_repeated(out, 0, self->count, 0);
    } else if (is_short_run(self)) {
        has_room = put_repeated(out, value_at(self, self->kind, 0), self->count, self->width);
    } else {
        switch (self->kind) {
        case SOURCE_U32:
            has_room = put_runs(out, self, SOURCE_U32);
            break;
        case SOURCE_U8:
            has_room = put_runs(out, self, SOURCE_U8);
            break;
        case SOURCE_BITS:
            has_room = put_runs(out, self, SOURCE_BITS);
            break;
        }
    }
    return has_room ? FIRN_OK : BYTE_OUTPUT_FULL(out, err);
}

firn_status pw_hybrid_put_u32(byte_output *out, const uint32_t *values, uint32_t count,
                              uint32_t width, firn_error *err) {
    assert(width <= 32);
    const source from = {.kind = SOURCE_U32, .count = count, .width = width, .values = values};
    return put(out, &from, err);
}

firn_status pw_hybrid_put_u8(byte_output *out, const uint8_t *values, uint32_t count,
                             uint32_t width, firn_error *err) {
    assert(width <= 8);
    const source from = {.kind = SOURCE_U8, .count = count, .width = width, .values = values};
    return put(out, &from, err);
}

firn_status pw_hybrid_put_bits(byte_output *out, const uint64_t *bits, uint32_t count,
                               firn_error *err) {
    const source from = {.kind = SOURCE_BITS, .count = count, .width = 1, .values = bits};
    return put(out, &from, err);
}

firn_status pw_hybrid_put_repeated(byte_output *out, uint32_t value, uint32_t count, uint32_t width,
                                   firn_error *err) {
    assert(width <= 32 && (width == 32 || value >> width == 0));
    return put_repeated(out, value, count, width) ? FIRN_OK : BYTE_OUTPUT_FULL(out, err);
}
