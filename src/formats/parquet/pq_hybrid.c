#include "formats/parquet/pq_hybrid.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"

#define GROUP_VALUES 8
#define WORD_BITS 64

// ---- Bits ------------------------------------------------------------------------------------

static uint64_t load_u64(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

// Writes the low `count` bits of `bits` (1 to 64, those above it clear) at bit `at`, which may
// cross a word. Garbles what is behind.
WRAPS static void put_bits(uint64_t *bitmap, size_t at, uint64_t bits, uint32_t count) {
    const uint32_t shift = (uint32_t)(at % WORD_BITS);
    uint64_t *word = bitmap + at / WORD_BITS;
    const uint64_t before = (UINT64_C(1) << shift) - 1;
    word[0] = (word[0] & before) | bits << shift;
    if (shift + count > WORD_BITS) {
        word[1] = bits >> (WORD_BITS - shift);
    }
}

uint32_t pq_copy_bits(const uint8_t *packed, size_t from, size_t count, uint64_t *bitmap,
                      size_t at) {
    // 56 bits a step: an 8-byte load holds them whatever bit of a byte they begin at.
    const uint32_t step_max = 56;
    uint32_t ones = 0;
    while (count > 0) {
        const uint32_t step = count < step_max ? (uint32_t)count : step_max;
        const uint64_t bits =
            load_u64(packed + from / 8) >> (from % 8) & ((UINT64_C(1) << step) - 1);
        put_bits(bitmap, at, bits, step);
        ones += (uint32_t)__builtin_popcountll(bits);
        from += step;
        at += step;
        count -= step;
    }
    return ones;
}

void pq_fill_bits(uint64_t *bitmap, size_t at, size_t count, bool value) {
    const uint64_t pattern = value ? UINT64_MAX : 0;
    while (count > 0) {
        const uint32_t room = (uint32_t)(WORD_BITS - at % WORD_BITS);
        const uint32_t step = count < room ? (uint32_t)count : room;
        put_bits(bitmap, at, pattern >> (WORD_BITS - step), step);
        at += step;
        count -= step;
    }
}

// ---- Runs ------------------------------------------------------------------------------------

// Little-endian, 0 to 4 bytes.
static uint32_t load_le(bytes raw) {
    assert(raw.size <= 4);
    uint32_t value = 0;
    for (size_t i = 0; i < raw.size; i++) {
        value |= (uint32_t)raw.data[i] << (8 * i);
    }
    return value;
}

static firn_status enter_packed_run(pq_hybrid *self, uint64_t group_count, firn_error *err) {
    const uint64_t wanted = group_count * self->width; // At most 2^31 groups of 32 bytes.
    const size_t left = reader_left(&self->in);
    const size_t size = wanted < left ? (size_t)wanted : left;
    bytes raw;
    TRY(reader_take(&self->in, size, &raw, err));
    const bool is_whole = size == wanted;
    self->packed = raw.data;
    self->packed_at = 0;
    self->packed_left = is_whole ? group_count * GROUP_VALUES : size * 8 / self->width;
    if (self->packed_left == 0) {
        return FAIL(err, FIRN_CORRUPT, "packed run of %llu groups of %u bits in %zu bytes",
                    (unsigned long long)group_count, self->width, size);
    }
    return FIRN_OK;
}

// Enters the next run. A run without values is refused, so that every run entered delivers one.
static firn_status enter_run(pq_hybrid *self, firn_error *err) {
    assert(self->repeat_left == 0 && self->packed_left == 0);
    uint32_t header;
    TRY(reader_varint32(&self->in, &header, err));
    const uint32_t length = header >> 1;
    if (length == 0) {
        return FAIL(err, FIRN_CORRUPT, "run without values");
    }
    if ((header & 1) == 1) {
        return enter_packed_run(self, length, err);
    }
    bytes raw;
    TRY(reader_take(&self->in, (self->width + 7) / 8, &raw, err));
    const uint32_t value = load_le(raw);
    if (self->width < PQ_HYBRID_BITS_MAX && value >> self->width != 0) {
        return FAIL(err, FIRN_CORRUPT, "repeated value %u does not fit %u bits", value,
                    self->width);
    }
    self->repeat_left = length;
    self->repeat_value = value;
    return FIRN_OK;
}

static void take_packed(pq_hybrid *self, uint32_t count) {
    assert(count <= self->packed_left);
    const uint64_t at = (uint64_t)self->packed_at + count;
    self->packed_left -= count;
    self->packed_at = (uint32_t)(at % GROUP_VALUES);
    if (self->packed_left > 0) { // A group is `width` bytes.
        self->packed += at / GROUP_VALUES * self->width;
    }
}

firn_status pq_hybrid_take(pq_hybrid *self, uint32_t count_max, pq_run *out, firn_error *err) {
    assert(count_max > 0);
    if (self->repeat_left == 0 && self->packed_left == 0) {
        TRY(enter_run(self, err));
    }
    if (self->repeat_left > 0) {
        const uint32_t count =
            self->repeat_left < count_max ? (uint32_t)self->repeat_left : count_max;
        *out = (pq_run){.is_repeated = true, .count = count, .value = self->repeat_value};
        self->repeat_left -= count;
        return FIRN_OK;
    }
    const uint32_t count = self->packed_left < count_max ? (uint32_t)self->packed_left : count_max;
    *out = (pq_run){.count = count, .at = self->packed_at, .packed = self->packed};
    take_packed(self, count);
    return FIRN_OK;
}

firn_status pq_hybrid_peek(pq_hybrid *self, bool *is_repeated, uint32_t *value, uint32_t *count,
                           firn_error *err) {
    if (self->repeat_left == 0 && self->packed_left == 0) {
        TRY(enter_run(self, err));
    }
    *is_repeated = self->repeat_left > 0;
    *value = self->repeat_value;
    const uint64_t left = self->repeat_left + self->packed_left;
    *count = left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
    return FIRN_OK;
}

firn_status pq_hybrid_skip(pq_hybrid *self, uint64_t count, firn_error *err) {
    while (count > 0) {
        pq_run run;
        TRY(pq_hybrid_take(self, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX, &run, err));
        count -= run.count;
    }
    return FIRN_OK;
}

// ---- Values ----------------------------------------------------------------------------------

// A run that begins inside a group: the values up to the next group are unpacked apart.
static uint32_t head_of(const pq_run *run) {
    return run->at == 0 ? 0 : min_u32(run->count, GROUP_VALUES - run->at);
}

static void unpack_u32_run(const pq_hybrid *self, const pq_run *run, uint32_t *out) {
    const pq_unpack_kernels *kernels = self->kernels;
    const uint32_t width = self->width;
    const uint32_t head = head_of(run);
    const uint8_t *packed = run->packed;
    if (head > 0) {
        UNINITIALISED uint32_t group[GROUP_VALUES + PQ_UNPACK_SPARE];
        kernels->u32(packed, width, GROUP_VALUES, group);
        memcpy(out, group + run->at, head * sizeof *out);
        packed += width;
    }
    if (run->count > head) {
        kernels->u32(packed, width, run->count - head, out + head);
    }
}

static void unpack_u8_run(const pq_hybrid *self, const pq_run *run, uint8_t *out) {
    const pq_unpack_kernels *kernels = self->kernels;
    const uint32_t width = self->width;
    const uint32_t head = head_of(run);
    const uint8_t *packed = run->packed;
    if (head > 0) {
        UNINITIALISED uint8_t group[GROUP_VALUES + PQ_UNPACK_SPARE];
        kernels->u8(packed, width, GROUP_VALUES, group);
        memcpy(out, group + run->at, head);
        packed += width;
    }
    if (run->count > head) {
        kernels->u8(packed, width, run->count - head, out + head);
    }
}

firn_status pq_hybrid_read_u32(pq_hybrid *self, uint32_t count, uint32_t *out, firn_error *err) {
    while (count > 0) {
        pq_run run;
        TRY(pq_hybrid_take(self, count, &run, err));
        if (run.is_repeated) {
            for (uint32_t i = 0; i < run.count; i++) {
                out[i] = run.value;
            }
        } else {
            unpack_u32_run(self, &run, out);
        }
        out += run.count;
        count -= run.count;
    }
    return FIRN_OK;
}

firn_status pq_hybrid_read_u8(pq_hybrid *self, uint32_t count, uint8_t *out, firn_error *err) {
    assert(self->width <= 8);
    while (count > 0) {
        pq_run run;
        TRY(pq_hybrid_take(self, count, &run, err));
        if (run.is_repeated) {
            memset(out, (int)run.value, run.count);
        } else {
            unpack_u8_run(self, &run, out);
        }
        out += run.count;
        count -= run.count;
    }
    return FIRN_OK;
}

firn_status pq_hybrid_read_bits(pq_hybrid *self, uint32_t count, uint64_t *bitmap, size_t at,
                                uint32_t *ones, firn_error *err) {
    assert(self->width == 1);
    *ones = 0;
    while (count > 0) {
        pq_run run;
        TRY(pq_hybrid_take(self, count, &run, err));
        if (run.is_repeated) {
            pq_fill_bits(bitmap, at, run.count, run.value != 0);
            *ones += run.value != 0 ? run.count : 0;
        } else {
            *ones += pq_copy_bits(run.packed, run.at, run.count, bitmap, at);
        }
        at += run.count;
        count -= run.count;
    }
    return FIRN_OK;
}
