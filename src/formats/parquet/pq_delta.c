#include "formats/parquet/pq_delta.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "formats/parquet/pq_delta_kernels.h"

#define GROUP_VALUES 8 // As many as make whole bytes at any width.
#define MINIBLOCK_MULTIPLE 32
#define STEP_VALUES 512
#define VARINT_BYTES_MAX 10
#define WIDTH_MAX 64

static firn_status read_varint64(byte_reader *in, uint64_t *out, firn_error *err) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < VARINT_BYTES_MAX; i++) {
        bytes raw;
        TRY(reader_take(in, 1, &raw, err));
        const uint64_t part = raw.data[0];
        if (i == VARINT_BYTES_MAX - 1 && part > 1) {
            break;
        }
        value |= (part & 0x7f) << (7 * i);
        if (part < 0x80) {
            *out = value;
            return FIRN_OK;
        }
    }
    return FAIL(err, FIRN_CORRUPT, "varint does not fit 64 bits");
}

static firn_status read_zigzag(byte_reader *in, uint64_t *out, firn_error *err) {
    uint64_t raw;
    TRY(read_varint64(in, &raw, err));
    *out = (raw >> 1) ^ ((raw & 1) == 0 ? 0 : UINT64_MAX);
    return FIRN_OK;
}

firn_status pq_delta_open(pq_delta *self, bytes input, firn_error *err) {
    byte_reader in = reader_open(input);
    uint32_t block_values;
    uint32_t miniblock_count;
    uint64_t count;
    uint64_t first;
    TRY(reader_varint32(&in, &block_values, err));
    TRY(reader_varint32(&in, &miniblock_count, err));
    TRY(read_varint64(&in, &count, err));
    TRY(read_zigzag(&in, &first, err));
    if (miniblock_count == 0 || block_values % miniblock_count != 0 ||
        block_values / miniblock_count % MINIBLOCK_MULTIPLE != 0 || block_values == 0) {
        return FAIL(err, FIRN_CORRUPT, "delta block of %u values in %u miniblocks", block_values,
                    miniblock_count);
    }
    if (count > UINT32_MAX) {
        return FAIL(err, FIRN_CORRUPT, "%llu delta values in a page", (unsigned long long)count);
    }
    *self = (pq_delta){
        .in = in,
        .miniblock_values = block_values / miniblock_count,
        .miniblock_count = miniblock_count,
        .miniblock = miniblock_count,
        .has_first = count > 0,
        .left = count,
        .last = first,
        .unpack = pq_unpack(),
        .sums = pq_delta_kernels_best(),
    };
    self->at = self->miniblock_values;
    return FIRN_OK;
}

static firn_status enter_block(pq_delta *self, firn_error *err) {
    bytes widths;
    TRY(read_zigzag(&self->in, &self->least, err));
    TRY(reader_take(&self->in, self->miniblock_count, &widths, err));
    self->widths = widths.data;
    self->miniblock = 0;
    return FIRN_OK;
}

// Enters the next miniblock, which holds at least one value.
static firn_status enter_miniblock(pq_delta *self, firn_error *err) {
    assert(self->left > 0 && !self->has_first);
    if (self->miniblock == self->miniblock_count) {
        TRY(enter_block(self, err));
    }
    self->width = self->widths[self->miniblock];
    if (self->width > WIDTH_MAX) {
        return FAIL(err, FIRN_CORRUPT, "delta of %u bits, at most %d are allowed", self->width,
                    WIDTH_MAX);
    }
    // Writers that do not fill up the last miniblock are forgiven.
    const uint64_t values =
        self->left < self->miniblock_values ? self->left : self->miniblock_values;
    const uint64_t needed = (values * self->width + 7) / 8;
    const uint64_t whole = (uint64_t)self->miniblock_values / 8 * self->width;
    const size_t left = reader_left(&self->in);
    if (needed > left) {
        return FAIL(err, FIRN_CORRUPT, "delta miniblock of %llu bytes, %zu are left",
                    (unsigned long long)needed, left);
    }
    bytes packed;
    TRY(reader_take(&self->in, whole < left ? (size_t)whole : left, &packed, err));
    self->packed = packed.data;
    self->at = 0;
    self->miniblock += 1;
    return FIRN_OK;
}

// How many values of the current miniblock come next, up to `count`; enters one if needed.
static firn_status next_step(pq_delta *self, uint64_t count, uint32_t *step, firn_error *err) {
    if (count > self->left) {
        return FAIL(err, FIRN_CORRUPT, "%llu delta values wanted, %llu are left",
                    (unsigned long long)count, (unsigned long long)self->left);
    }
    if (self->at == self->miniblock_values) {
        TRY(enter_miniblock(self, err));
    }
    const uint32_t room = min_u32(STEP_VALUES, self->miniblock_values - self->at);
    *step = count < room ? (uint32_t)count : room;
    return FIRN_OK;
}

// Unpacks `step` differences; returns where in `out` they begin, which is inside the first group.
static uint32_t unpack_u32_step(const pq_delta *self, uint32_t step, uint32_t *out) {
    const uint32_t head = self->at % GROUP_VALUES;
    const uint8_t *group = self->packed + (size_t)(self->at / GROUP_VALUES) * self->width;
    self->unpack->u32(group, self->width, head + step, out);
    return head;
}

static uint32_t unpack_u64_step(const pq_delta *self, uint32_t step, uint64_t *out) {
    const uint32_t head = self->at % GROUP_VALUES;
    const uint8_t *group = self->packed + (size_t)(self->at / GROUP_VALUES) * self->width;
    self->unpack->u64(group, self->width, head + step, out);
    return head;
}

#define SCRATCH_VALUES (STEP_VALUES + GROUP_VALUES + PQ_UNPACK_SPARE)

// Sums of `step` values into `out`, which has room for them rounded up to 16.
static void sum_i64_step(pq_delta *self, uint32_t step, int64_t *out) {
    if (self->width <= 32) {
        UNINITIALISED uint32_t deltas[SCRATCH_VALUES];
        const uint32_t from = unpack_u32_step(self, step, deltas);
        self->last = self->sums->sum_u32_i64(deltas + from, step, self->least, self->last, out);
    } else {
        UNINITIALISED uint64_t deltas[SCRATCH_VALUES];
        const uint32_t from = unpack_u64_step(self, step, deltas);
        self->last = self->sums->sum_u64_i64(deltas + from, step, self->least, self->last, out);
    }
    self->at += step;
    self->left -= step;
}

static void sum_i32_step(pq_delta *self, uint32_t step, int32_t *out) {
    UNINITIALISED uint32_t deltas[SCRATCH_VALUES];
    uint32_t from;
    if (self->width <= 32) {
        from = unpack_u32_step(self, step, deltas);
    } else { // Only the low half of a difference matters.
        UNINITIALISED uint64_t wide[SCRATCH_VALUES];
        from = unpack_u64_step(self, step, wide);
        for (uint32_t i = 0; i < step; i++) {
            deltas[from + i] = (uint32_t)(wide[from + i] & UINT32_MAX);
        }
    }
    self->last = self->sums->sum_u32_i32(deltas + from, step, self->least, self->last, out);
    self->at += step;
    self->left -= step;
}

// The first value stands in the header. True if it was due.
static bool take_first(pq_delta *self) {
    const bool was_due = self->has_first;
    self->has_first = false;
    self->left -= was_due;
    return was_due;
}

firn_status pq_delta_read_i64(pq_delta *self, uint32_t count, int64_t *out, firn_error *err) {
    if (count > 0 && take_first(self)) {
        *out++ = (int64_t)self->last;
        count -= 1;
    }
    while (count > 0) {
        uint32_t step;
        TRY(next_step(self, count, &step, err));
        if (step % 16 == 0) {
            sum_i64_step(self, step, out);
        } else { // The kernels fill whole registers; `out` ends at the last value.
            UNINITIALISED int64_t rounded[STEP_VALUES + 16];
            sum_i64_step(self, step, rounded);
            memcpy(out, rounded, step * sizeof *out);
        }
        out += step;
        count -= step;
    }
    return FIRN_OK;
}

firn_status pq_delta_read_i32(pq_delta *self, uint32_t count, int32_t *out, firn_error *err) {
    if (count > 0 && take_first(self)) {
        *out++ = (int32_t)(uint32_t)(self->last & UINT32_MAX);
        count -= 1;
    }
    while (count > 0) {
        uint32_t step;
        TRY(next_step(self, count, &step, err));
        if (step % 16 == 0) {
            sum_i32_step(self, step, out);
        } else {
            UNINITIALISED int32_t rounded[STEP_VALUES + 16];
            sum_i32_step(self, step, rounded);
            memcpy(out, rounded, step * sizeof *out);
        }
        out += step;
        count -= step;
    }
    return FIRN_OK;
}

WRAPS static uint64_t add_step(pq_delta *self, uint32_t step) {
    uint64_t sum = self->least * step;
    if (self->width <= 32) {
        UNINITIALISED uint32_t deltas[SCRATCH_VALUES];
        const uint32_t from = unpack_u32_step(self, step, deltas);
        for (uint32_t i = 0; i < step; i++) {
            sum += deltas[from + i];
        }
    } else {
        UNINITIALISED uint64_t deltas[SCRATCH_VALUES];
        const uint32_t from = unpack_u64_step(self, step, deltas);
        for (uint32_t i = 0; i < step; i++) {
            sum += deltas[from + i];
        }
    }
    return self->last + sum;
}

firn_status pq_delta_skip(pq_delta *self, uint64_t count, firn_error *err) {
    if (count > 0 && take_first(self)) {
        count -= 1;
    }
    while (count > 0) {
        uint32_t step;
        TRY(next_step(self, count, &step, err));
        self->last = add_step(self, step);
        self->at += step;
        self->left -= step;
        count -= step;
    }
    return FIRN_OK;
}

firn_status pq_delta_rest(const pq_delta *self, bytes *out, firn_error *err) {
    pq_delta walk = *self;
    assert(walk.has_first || walk.left == 0);
    (void)take_first(&walk);
    while (walk.left > 0) {
        TRY(enter_miniblock(&walk, err));
        const uint64_t values =
            walk.left < walk.miniblock_values ? walk.left : walk.miniblock_values;
        walk.left -= values;
    }
    *out = (bytes){.size = reader_left(&walk.in), .data = walk.in.at};
    return FIRN_OK;
}
