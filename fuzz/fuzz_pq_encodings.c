// Arbitrary bytes as the values of a page. The first byte says of which encoding, the second the
// width, the third how they are read.
//
// Oracle: the slow decoders of pq_slow_decoders.h for hybrid runs and DELTA_BINARY_PACKED; for the
// others reading in one call and in portions with skips in between give the same values. What the
// slow decoder reads the fast one reads as well.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/parquet/pq_slow_decoders.h"
#include "formats/parquet/pq_values.h"

#define VALUES 700
#define WIDTH_MAX 20
#define MEMORY_LIMIT ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

typedef struct shape {
    int32_t encoding;
    pq_type type;
} shape;

static const shape shapes[] = {
    {PQ_ENCODING_RLE_DICTIONARY, PQ_INT32},
    {PQ_ENCODING_DELTA_BINARY_PACKED, PQ_INT32},
    {PQ_ENCODING_DELTA_BINARY_PACKED, PQ_INT64},
    {PQ_ENCODING_PLAIN, PQ_BYTE_ARRAY},
    {PQ_ENCODING_DELTA_LENGTH_BYTE_ARRAY, PQ_BYTE_ARRAY},
    {PQ_ENCODING_DELTA_BYTE_ARRAY, PQ_BYTE_ARRAY},
    {PQ_ENCODING_DELTA_BYTE_ARRAY, PQ_FIXED},
    {PQ_ENCODING_BYTE_STREAM_SPLIT, PQ_FIXED},
    {PQ_ENCODING_RLE, PQ_BOOLEAN},
    {PQ_ENCODING_PLAIN, PQ_BOOLEAN},
    {PQ_ENCODING_PLAIN, PQ_FIXED},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

// Values as one array of bytes or strings, whatever their form.
typedef struct decoded {
    uint32_t codes[VALUES + PQ_UNPACK_SPARE];
    uint64_t bits[VALUES / 64 + 2];
    string_value strings[VALUES];
    uint8_t fixed[VALUES * WIDTH_MAX + PQ_PAD];
} decoded;

// Reads `count` values to place `at`.
static firn_status read_some(pq_values *in, uint32_t at, uint32_t count, arena *memory,
                             decoded *out) {
    firn_error err = ERR_INIT;
    const uint8_t *raw;
    _Alignas(8) static uint8_t scratch[VALUES * WIDTH_MAX + PQ_PAD];
    switch (in->form) {
    case PQ_VALUES_CODES:
        return pq_values_codes(in, count, out->codes + at, &err);
    case PQ_VALUES_BITS:
        return pq_values_bits(in, count, out->bits, at, &err);
    case PQ_VALUES_STRINGS:
        return pq_values_strings(in, count, memory, out->strings + at, &err);
    case PQ_VALUES_FIXED:
        TRY(pq_values_fixed(in, count, scratch, &raw, &err));
        if (count > 0) {
            memcpy(out->fixed + (size_t)at * in->width, raw, (size_t)count * in->width);
        }
        return FIRN_OK;
    }
    return FIRN_INTERNAL;
}

static bool same(const pq_values *in, uint32_t i, const decoded *left, const decoded *right) {
    switch (in->form) {
    case PQ_VALUES_CODES:
        return left->codes[i] == right->codes[i];
    case PQ_VALUES_BITS:
        return (left->bits[i / 64] >> i % 64 & 1) == (right->bits[i / 64] >> i % 64 & 1);
    case PQ_VALUES_STRINGS:
        return string_equal(&left->strings[i], &right->strings[i]);
    case PQ_VALUES_FIXED:
        return memcmp(left->fixed + (size_t)i * in->width, right->fixed + (size_t)i * in->width,
                      in->width) == 0;
    }
    return false;
}

// How many of the first VALUES values can be read, by halving.
static uint32_t readable(const pq_values *start, arena *memory, decoded *out) {
    uint32_t low = 0;
    uint32_t high = VALUES;
    while (low < high) {
        const uint32_t middle = low + (high - low + 1) / 2;
        pq_values in = *start;
        if (read_some(&in, 0, middle, memory, out) == FIRN_OK) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

static void check_slow(const shape *is, bytes page, uint32_t count, const decoded *whole) {
    static int64_t longs[VALUES];
    static uint32_t words[VALUES];
    if (is->encoding == PQ_ENCODING_DELTA_BINARY_PACKED) {
        const size_t slow = slow_delta(page, VALUES, longs, NULL);
        must(slow != SIZE_MAX && slow >= count);
        for (uint32_t i = 0; i < count; i++) {
            const size_t width = is->type == PQ_INT32 ? 4 : 8;
            must(memcmp(whole->fixed + i * width, &longs[i], width) == 0);
        }
        must(slow - count < 512); // The fast one fails for a whole step.
    }
    if (is->encoding == PQ_ENCODING_RLE_DICTIONARY && page.size > 0) {
        const bytes runs = {.data = page.data + 1, .size = page.size - 1};
        must(slow_hybrid(runs, page.data[0], VALUES, words) >= count);
        must(memcmp(words, whole->codes, count * sizeof *words) == 0);
    }
}

static void check(const shape *is, uint32_t width, uint32_t portion, bytes page) {
    static decoded whole;
    static decoded parts;
    const pq_leaf leaf = {.type = is->type, .width = width};
    firn_error err = ERR_INIT;
    pq_values start;
    arena memory = arena_open(MEMORY_LIMIT);
    uint8_t *room = ARENA_NEW(&memory, uint8_t, page.size + PQ_DELTA_BYTES_ROOM);
    if (room == NULL || pq_values_open(&start, is->encoding, &leaf, page, UINT32_C(1) << 31, room,
                                       &err) != FIRN_OK) {
        arena_close(&memory);
        return;
    }
    const uint32_t count = readable(&start, &memory, &whole);
    pq_values in = start;
    must(read_some(&in, 0, count, &memory, &whole) == FIRN_OK);
    check_slow(is, page, count, &whole);
    in = start;
    for (uint32_t at = 0; at < count; portion = portion * 5 % 131 + 1) {
        const uint32_t take = portion < count - at ? portion : count - at;
        if (portion % 3 == 0) {
            must(pq_values_skip(&in, take, &err) == FIRN_OK);
        } else {
            must(read_some(&in, at, take, &memory, &parts) == FIRN_OK);
            for (uint32_t i = at; i < at + take; i++) {
                must(same(&in, i, &whole, &parts));
            }
        }
        at += take;
    }
    arena_close(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3) {
        return 0;
    }
    const shape *is = &shapes[data[0] % SHAPES];
    uint32_t width = 1 + data[1] % WIDTH_MAX;
    width = is->type == PQ_INT32 ? 4 : is->type == PQ_INT64 ? 8 : width;
    // A page has a pad behind it; what lies behind that must not be read.
    const size_t page_size = size - 3;
    uint8_t *page = calloc(page_size + PQ_PAD, 1);
    if (page == NULL) {
        return 0;
    }
    memcpy(page, data + 3, page_size);
    check(is, width, 1 + data[2] % 131, (bytes){.data = page, .size = page_size});
    free(page);
    return 0;
}
