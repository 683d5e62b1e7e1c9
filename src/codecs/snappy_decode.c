// The decoder of Snappy blocks. Every step proves its own bounds:
//
//     run            steps through up to three blocks in turn. How many steps are safe is computed
//                    before: none takes more than STEP_IN_MAX bytes or touches more than
//                    STEP_OUT_MAX, so inside the loop only a copy's distance is compared.
//     take_element   decodes any one element, byte-exact: rare elements, and the last few of a
//                    block, where a step would read or write past the end.
//
// A step copies 16 bytes where 1 to 16 are wanted. The bytes too many land where the next elements
// go, never behind the output and its slack.
#include "codecs/snappy.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"

// A literal of 60 bytes with its tag is 61, and the 5 behind it are loaded as the next element.
#define STEP_IN_MAX 66
// 64 bytes of a copy, rounded up by a 16-byte store; in pairs a literal of 60 before it.
#define STEP_OUT_MAX_TAGS 80
#define STEP_OUT_MAX_PAIRS 144

#define LANES 3 // With a fourth, the positions no longer fit the registers.

// What a tag says.
typedef struct element {
    uint8_t advance; // From this tag to the next. 0: only take_element knows.
    uint8_t length;
    uint8_t overlap; // A copy from less than this far back reads what it writes. 0 for literals.
    uint8_t offset_bits; // Of the offset, in the bytes behind the tag.
    uint16_t offset_high;
} element;

#define AT_MOST_16(n) ((n) < 16 ? (n) : 16)
#define LITERAL(tag)                                                                               \
    {.advance = (tag) >> 2 < 60 ? ((tag) >> 2) + 2 : 0,                                            \
     .length = (tag) >> 2 < 60 ? ((tag) >> 2) + 1 : 0}
#define COPY_1(tag)                                                                                \
    {.advance = 2,                                                                                 \
     .length = 4 + ((tag) >> 2 & 7),                                                               \
     .overlap = 4 + ((tag) >> 2 & 7),                                                              \
     .offset_bits = 8,                                                                             \
     .offset_high = (tag) >> 5 << 8}
#define COPY_2(tag)                                                                                \
    {.advance = 3,                                                                                 \
     .length = ((tag) >> 2) + 1,                                                                   \
     .overlap = AT_MOST_16(((tag) >> 2) + 1),                                                      \
     .offset_bits = 16}
#define COPY_4(tag) {.advance = 0}
#define TAGS_4(tag) LITERAL(tag), COPY_1((tag) + 1), COPY_2((tag) + 2), COPY_4((tag) + 3)
#define TAGS_16(tag) TAGS_4(tag), TAGS_4((tag) + 4), TAGS_4((tag) + 8), TAGS_4((tag) + 12)
#define TAGS_64(tag) TAGS_16(tag), TAGS_16((tag) + 16), TAGS_16((tag) + 32), TAGS_16((tag) + 48)
static const element elements[256] = {TAGS_64(0), TAGS_64(64), TAGS_64(128), TAGS_64(192)};

// Multiplied by the first `offset` bytes as a number, gives 8 bytes of them repeated; and how far
// to go on so that the next 8 bytes are the same.
static const uint64_t repeat_factor[9] = {
    0,
    UINT64_C(0x0101010101010101),
    UINT64_C(0x0001000100010001),
    UINT64_C(0x0001000001000001),
    UINT64_C(0x0000000100000001),
    UINT64_C(0x0000010000000001),
    UINT64_C(0x0001000000000001),
    UINT64_C(0x0100000000000001),
    1,
};
static const uint8_t repeat_step[9] = {0, 8, 8, 6, 8, 5, 6, 7, 8};

// A block on its way. `in` may pass in_end and `out` out_end only where padding and slack are; that
// is looked at after each run.
typedef struct stream {
    const uint8_t *in;
    const uint8_t *in_end;
    uint8_t *out;
    uint8_t *out_end;
    const uint8_t *out_begin;
    size_t padding; // At most what is useful.
    size_t slack;
    size_t index; // Of the block, for messages.
} stream;

typedef struct cursor {
    const uint8_t *in;
    uint8_t *out;
} cursor;

static ALWAYS_INLINE uint32_t load_u32(const uint8_t *from) {
    uint32_t value;
    memcpy(&value, from, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    return value;
}

static ALWAYS_INLINE void copy_16(uint8_t *to, const uint8_t *from) {
    uint8_t block[16]; // Between load and store, because the two may overlap.
    memcpy(block, from, sizeof block);
    memcpy(to, block, sizeof block);
}

// Copies 1 to 64 bytes, up to 15 too many.
static ALWAYS_INLINE void copy_64(uint8_t *to, const uint8_t *from, size_t size) {
    copy_16(to, from);
    if (size > 16) {
        copy_16(to + 16, from + 16);
        if (size > 32) {
            copy_16(to + 32, from + 32);
            copy_16(to + 48, from + 48);
        }
    }
}

// Copies `length` bytes from `offset` (1 to 15) back, so that they repeat. Up to 15 too many.
WRAPS static ALWAYS_INLINE void repeat(uint8_t *out, size_t offset, size_t length) {
    if (offset > 8) {
        for (size_t at = 0; at < length; at += 8) {
            memcpy(out + at, out + at - offset, 8);
        }
        return;
    }
    uint8_t word[8] = {0};
    uint64_t pattern;
    memcpy(word, out - offset, sizeof word);
    memcpy(&pattern, word, sizeof pattern);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    pattern = __builtin_bswap64(pattern);
#endif
    pattern = (pattern & UINT64_MAX >> (64 - 8 * offset)) * repeat_factor[offset];
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    pattern = __builtin_bswap64(pattern);
#endif
    const size_t step = repeat_step[offset];
    if (step == 8) {
        for (size_t at = 0; at < length; at += 16) {
            memcpy(out + at, &pattern, 8);
            memcpy(out + at + 8, &pattern, 8);
        }
    } else {
        for (size_t at = 0; at < length; at += step) {
            memcpy(out + at, &pattern, 8);
        }
    }
}

// Takes a copy of the common kinds, or in the shape of tags also a short literal. False if it is
// for take_element; nothing is taken then.
static ALWAYS_INLINE bool step_tag(cursor *at, const uint8_t *out_begin, bool takes_literals) {
    const uint8_t *in = at->in;
    uint8_t *out = at->out;
    const uint32_t tag = *in;
    const element *kind = &elements[tag];
    const uint32_t mask = (uint32_t)((UINT64_C(1) << kind->offset_bits) - 1);
    const size_t offset = kind->offset_high + (size_t)(load_u32(in + 1) & mask);
    const size_t length = kind->length;
    if (UNLIKELY(kind->advance == 0) || UNLIKELY(offset > (size_t)(out - out_begin))) {
        return false;
    }
    if (!takes_literals && UNLIKELY((tag & 3) == 0)) {
        return false;
    }
    if (UNLIKELY(offset < kind->overlap)) {
        if (offset == 0) {
            return false;
        }
        repeat(out, offset, length);
    } else {
        const uint8_t *from = takes_literals && (tag & 3) == 0 ? in + 1 : out - offset;
        copy_64(out, from, length);
    }
    at->in = in + kind->advance;
    at->out = out + length;
    return true;
}

// Takes a short literal, if there is one, and the copy behind it.
static ALWAYS_INLINE bool step_pair(cursor *at, const uint8_t *out_begin) {
    const uint32_t tag = *at->in;
    const size_t length = (tag & 3) == 0 ? (tag >> 2) + 1 : 0;
    if (UNLIKELY(length > 60)) {
        return false;
    }
    copy_64(at->out, at->in + 1, length);
    at->in += length + ((tag & 3) == 0 ? 1 : 0); // By arithmetic: a branch here is a coin toss.
    at->out += length;
    return step_tag(at, out_begin, false);
}

// How many steps stay inside the block, its padding and its slack. While less than that many were
// taken, neither the input nor the output is at its end. A pair must not begin on the last element,
// so pairs get no padding.
static ALWAYS_INLINE size_t safe_steps(const stream *self, bool in_pairs) {
    const size_t step_out = in_pairs ? STEP_OUT_MAX_PAIRS : STEP_OUT_MAX_TAGS;
    if (self->in >= self->in_end || self->out >= self->out_end) {
        return 0;
    }
    const size_t slack = self->slack < step_out ? self->slack : step_out - 1;
    const size_t in_left = (size_t)(self->in_end - self->in) + (in_pairs ? 0 : self->padding);
    const size_t out_left = (size_t)(self->out_end - self->out) + slack;
    const size_t in_steps = in_left / STEP_IN_MAX;
    const size_t out_steps = out_left / step_out;
    return in_steps < out_steps ? in_steps : out_steps;
}

static ALWAYS_INLINE bool step(cursor *at, const uint8_t *out_begin, bool in_pairs) {
    return in_pairs ? step_pair(at, out_begin) : step_tag(at, out_begin, true);
}

// Steps that are safe for all of the first `width` blocks.
static ALWAYS_INLINE size_t safe_steps_of_all(const stream *streams, size_t width, bool in_pairs) {
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < width; i++) {
        const size_t steps = safe_steps(&streams[i], in_pairs);
        least = steps < least ? steps : least;
    }
    return least;
}

// Steps through `width` blocks until one of them has no safe step left (NULL) or stands before an
// element for take_element (that block). Inlined for each width and shape.
static ALWAYS_INLINE stream *run(stream *streams, const size_t width, const bool in_pairs) {
    stream *const first = streams;
    stream *const second = width > 1 ? streams + 1 : streams;
    stream *const third = width > 2 ? streams + 2 : streams;
    cursor at_first = {first->in, first->out};
    cursor at_second = {second->in, second->out};
    cursor at_third = {third->in, third->out};
    stream *stuck = NULL;
    size_t steps = safe_steps_of_all(streams, width, in_pairs);
    while (steps > 0 && stuck == NULL) {
        for (; steps > 0; steps--) {
            if (UNLIKELY(!step(&at_first, first->out_begin, in_pairs))) {
                stuck = first;
                break;
            }
            if (width > 1 && UNLIKELY(!step(&at_second, second->out_begin, in_pairs))) {
                stuck = second;
                break;
            }
            if (width > 2 && UNLIKELY(!step(&at_third, third->out_begin, in_pairs))) {
                stuck = third;
                break;
            }
        }
        if (width > 2) {
            third->in = at_third.in;
            third->out = at_third.out;
        }
        if (width > 1) {
            second->in = at_second.in;
            second->out = at_second.out;
        }
        first->in = at_first.in;
        first->out = at_first.out;
        steps = safe_steps_of_all(streams, width, in_pairs);
    }
    return stuck;
}

// Apart from each other, because inlined into one function they would share its registers.
#define NOINLINE __attribute__((noinline))
NOINLINE static stream *run_tags_1(stream *streams) {
    return run(streams, 1, false);
}
NOINLINE static stream *run_tags_2(stream *streams) {
    return run(streams, 2, false);
}
NOINLINE static stream *run_tags_3(stream *streams) {
    return run(streams, 3, false);
}
NOINLINE static stream *run_pairs_1(stream *streams) {
    return run(streams, 1, true);
}
NOINLINE static stream *run_pairs_2(stream *streams) {
    return run(streams, 2, true);
}
NOINLINE static stream *run_pairs_3(stream *streams) {
    return run(streams, 3, true);
}

static stream *(*const run_tags[LANES])(stream *) = {run_tags_1, run_tags_2, run_tags_3};
static stream *(*const run_pairs[LANES])(stream *) = {run_pairs_1, run_pairs_2, run_pairs_3};

// `count` bytes, at most 4, little-endian.
static uint32_t load_le(bytes raw) {
    uint32_t value = 0;
    for (size_t i = 0; i < raw.size; i++) {
        value |= (uint32_t)raw.data[i] << (8 * i);
    }
    return value;
}

static firn_status take_literal(stream *self, byte_reader *in, uint32_t tag, firn_error *err) {
    size_t length = (tag >> 2) + (size_t)1;
    if (length > 60) {
        bytes raw;
        TRY(reader_take(in, length - 60, &raw, err));
        length = load_le(raw) + (size_t)1;
    }
    const size_t room = (size_t)(self->out_end - self->out);
    if (length > reader_left(in) || length > room) {
        return FAIL(err, FIRN_CORRUPT,
                    "literal of %zu bytes, with %zu left of the input and room for %zu", length,
                    reader_left(in), room);
    }
    bytes literal;
    TRY(reader_take(in, length, &literal, err));
    memcpy(self->out, literal.data, length);
    self->out += length;
    return FIRN_OK;
}

static firn_status take_copy(stream *self, byte_reader *in, uint32_t tag, firn_error *err) {
    const uint32_t kind = tag & 3;
    bytes raw;
    TRY(reader_take(in, kind == 3 ? 4 : kind, &raw, err));
    const size_t offset = load_le(raw) | (kind == 1 ? tag >> 5 << 8 : 0);
    const size_t length = kind == 1 ? 4 + (tag >> 2 & 7) : (tag >> 2) + 1;
    const size_t done = (size_t)(self->out - self->out_begin);
    const size_t room = (size_t)(self->out_end - self->out);
    if (offset == 0 || offset > done) {
        return FAIL(err, FIRN_CORRUPT, "copy from %zu bytes back, 1 to %zu are allowed there",
                    offset, done);
    }
    if (length > room) {
        return FAIL(err, FIRN_CORRUPT, "copy of %zu bytes, room for %zu", length, room);
    }
    for (size_t i = 0; i < length; i++) {
        self->out[i] = self->out[(ptrdiff_t)i - (ptrdiff_t)offset];
    }
    self->out += length;
    return FIRN_OK;
}

// Decodes the element at self->in, whatever it is, without touching a byte too many.
static firn_status take_element(stream *self, firn_error *err) {
    if (self->in > self->in_end || self->out > self->out_end) {
        return FAIL(err, FIRN_CORRUPT, "the last element goes past the end");
    }
    byte_reader in = {.at = self->in, .end = self->in_end};
    bytes tag;
    TRY(reader_take(&in, 1, &tag, err));
    if ((tag.data[0] & 3) == 0) {
        TRY(take_literal(self, &in, tag.data[0], err));
    } else {
        TRY(take_copy(self, &in, tag.data[0], err));
    }
    self->in = in.at;
    return FIRN_OK;
}

// Decodes the rest of a block whose end is near.
static firn_status finish_stream(stream *self, firn_error *err) {
    for (;;) {
        const stream *stuck = run_tags_1(self);
        if (stuck == NULL) {
            break;
        }
        TRY(take_element(self, err));
    }
    while (self->in < self->in_end) {
        TRY(take_element(self, err));
    }
    if (self->in > self->in_end || self->out > self->out_end) {
        return FAIL(err, FIRN_CORRUPT, "the last element goes past the end");
    }
    if (self->out < self->out_end) {
        return FAIL(err, FIRN_CORRUPT, "the block ends %zu bytes early",
                    (size_t)(self->out_end - self->out));
    }
    return FIRN_OK;
}

static firn_status open_stream(const snappy_block *block, size_t index, stream *out,
                               firn_error *err) {
    byte_reader in = reader_open(block->in);
    uint32_t size;
    TRY(reader_varint32(&in, &size, err));
    if (size != block->out_size) {
        return FAIL(err, FIRN_CORRUPT, "the block says that it holds %u bytes, %zu are expected",
                    size, block->out_size);
    }
    const size_t padding = block->padding;
    *out = (stream){
        .in = in.at,
        .in_end = in.end,
        .out = block->out,
        .out_end = size == 0 ? block->out : block->out + size,
        .out_begin = block->out,
        .padding = padding < STEP_IN_MAX ? padding : STEP_IN_MAX - 1,
        .slack = block->slack,
        .index = index,
    };
    return FIRN_OK;
}

// Pairs pay when most copies come behind a short literal, as they do in integers that differ in
// their low bytes.
static snappy_shape guess_shape(const stream *self) {
    const uint8_t *in = self->in;
    uint32_t copy_count = 0;
    uint32_t pair_count = 0;
    uint32_t long_count = 0;
    bool after_literal = false;
    for (uint32_t seen = 0; seen < 256 && in < self->in_end; seen++) {
        const element *kind = &elements[*in];
        const size_t left = (size_t)(self->in_end - in);
        size_t advance = kind->advance;
        if (*in == 60 << 2 && left > 1) { // A block often begins with a longer literal.
            advance = in[1] + (size_t)3;
        } else if (*in == 61 << 2 && left > 2) {
            advance = (in[1] | (size_t)in[2] << 8) + 4;
        }
        if (advance == 0 || advance >= left) {
            break;
        }
        if ((*in & 3) == 0) {
            long_count += advance > 17;
            after_literal = true;
        } else {
            copy_count += 1;
            pair_count += after_literal;
            after_literal = false;
        }
        in += advance;
    }
    return pair_count * 2 > copy_count && long_count * 8 < pair_count ? SNAPPY_SHAPE_PAIRS
                                                                      : SNAPPY_SHAPE_TAGS;
}

// The blocks being decoded, at most LANES at a time.
typedef struct lanes {
    stream streams[LANES];
    size_t width;
    snappy_shape shape;
} lanes;

// Decodes until a lane's block is at its end, and ends that one. `at` says which, also on error.
static firn_status finish_one(lanes *self, size_t *at, firn_error *err) {
    const bool in_pairs = self->shape == SNAPPY_SHAPE_PAIRS;
    for (;;) {
        stream *stuck = (in_pairs ? run_pairs : run_tags)[self->width - 1](self->streams);
        if (stuck == NULL) {
            break;
        }
        *at = (size_t)(stuck - self->streams);
        TRY(take_element(stuck, err));
    }
    size_t lane = 0;
    while (safe_steps(&self->streams[lane], in_pairs) > 0) {
        lane += 1;
        assert(lane < self->width); // run ended because one of them has none left.
    }
    *at = lane;
    return finish_stream(&self->streams[lane], err);
}

firn_status snappy_decode(const snappy_block *blocks, size_t count, snappy_shape shape,
                          firn_error *err) {
    lanes self = {.shape = shape};
    size_t next = 0;
    size_t failed = 0;
    firn_status status = FIRN_OK;
    while (status == FIRN_OK && (next < count || self.width > 0)) {
        if (self.width < LANES && next < count) {
            failed = next;
            status = open_stream(&blocks[next], next, &self.streams[self.width], err);
            if (status == FIRN_OK && self.shape == SNAPPY_SHAPE_GUESS) {
                self.shape = guess_shape(&self.streams[0]);
            }
            self.width += 1;
            next += 1;
        } else {
            size_t lane = 0;
            status = finish_one(&self, &lane, err);
            failed = self.streams[lane].index;
            self.width -= 1;
            self.streams[lane] = self.streams[self.width];
        }
    }
    if (status != FIRN_OK) {
        err_while(err, "decoding snappy block %zu of %zu", failed + 1, count);
    }
    return status;
}

firn_status snappy_decoded_size(bytes in, size_t *out, firn_error *err) {
    byte_reader reader = reader_open(in);
    uint32_t size;
    TRY(reader_varint32(&reader, &size, err));
    *out = size;
    return FIRN_OK;
}

size_t snappy_decoded_size_max(size_t size) {
    // 64 bytes from 3; the literal that a copy needs before it is in the 64 of rounding up.
    return size > SIZE_MAX / 32 ? SIZE_MAX : size / 3 * 64 + 64;
}
