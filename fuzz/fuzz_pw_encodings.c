// Arbitrary bytes as values that are encoded. The first byte says how, the second the width, the
// third how large a dictionary may be; the rest are the values.
//
// Oracle: pq_values reads back what was written, the slow decoders of pq_slow_decoders.h likewise;
// the codes of a dictionary lead to the values they stand for, and it takes as many as fit.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/parquet/pq_slow_decoders.h"
#include "formats/parquet/pq_values.h"
#include "formats/parquet/write/pw_delta.h"
#include "formats/parquet/write/pw_dictionary.h"
#include "formats/parquet/write/pw_hybrid.h"
#include "formats/parquet/write/pw_split.h"
#include "formats/parquet/write/pw_strings.h"

#define VALUES 5000
#define WIDTH_MAX 40
#define MEMORY_LIMIT ((size_t)64 << 20)

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
    {PQ_ENCODING_PLAIN, PQ_BOOLEAN},
    {PQ_ENCODING_RLE, PQ_BOOLEAN},
    {PQ_ENCODING_PLAIN, PQ_BYTE_ARRAY},
    {PQ_ENCODING_PLAIN, PQ_FIXED},
    {PQ_ENCODING_DELTA_BINARY_PACKED, PQ_INT32},
    {PQ_ENCODING_DELTA_BINARY_PACKED, PQ_INT64},
    {PQ_ENCODING_DELTA_LENGTH_BYTE_ARRAY, PQ_BYTE_ARRAY},
    {PQ_ENCODING_DELTA_BYTE_ARRAY, PQ_BYTE_ARRAY},
    {PQ_ENCODING_DELTA_BYTE_ARRAY, PQ_FIXED},
    {PQ_ENCODING_BYTE_STREAM_SPLIT, PQ_FIXED},
    {PQ_ENCODING_RLE_DICTIONARY, PQ_INT32},
    {PQ_ENCODING_RLE_DICTIONARY, PQ_DOUBLE},
    {PQ_ENCODING_RLE_DICTIONARY, PQ_FIXED},
    {PQ_ENCODING_RLE_DICTIONARY, PQ_BYTE_ARRAY},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void *take(arena *memory, size_t count, size_t size) {
    void *out = arena_alloc(memory, count, size);
    must(out != NULL);
    return out;
}

// ---- Values from bytes -------------------------------------------------------------------------

// Each is two bytes, how many of the value before stay and how many of the next bytes follow them.
static pw_values read_strings(bytes from, arena *memory) {
    string_value *out = take(memory, VALUES, sizeof *out);
    uint32_t count = 0;
    for (size_t at = 0; count < VALUES && from.size - at >= 2; count++) {
        const string_value none = {.size = 0};
        const string_value *before = count == 0 ? &none : &out[count - 1];
        const size_t kept = from.data[at] < before->size ? from.data[at] : before->size;
        const size_t left = from.size - at - 2;
        const size_t added = from.data[at + 1] < left ? from.data[at + 1] : left;
        char *data = take(memory, kept + added, 1);
        memcpy(data, string_data(before), kept);
        if (added > 0) {
            memcpy(data + kept, from.data + at + 2, added);
        }
        out[count] = string_of(data, (uint32_t)(kept + added));
        at += 2 + added;
    }
    return (pw_values){.type = PQ_BYTE_ARRAY, .count = count, .strings = out};
}

static pw_values read_values(pq_type type, uint32_t width, bytes from, arena *memory) {
    if (type == PQ_BYTE_ARRAY) {
        return read_strings(from, memory);
    }
    uint8_t *copy = take(memory, from.size, 1); // Aligned, as values are.
    if (from.size > 0) {
        memcpy(copy, from.data, from.size);
    }
    const size_t size = pw_values_size(type, width);
    const size_t all = type == PQ_BOOLEAN ? from.size * 8 - from.size % 8 : from.size / size;
    const size_t count = all < VALUES ? all : VALUES;
    return (pw_values){.type = type, .width = width, .count = (uint32_t)count, .data = copy};
}

// ---- Encoding ----------------------------------------------------------------------------------

typedef struct page {
    bytes body;
    uint32_t count;
    const uint32_t *codes; // Of a dictionary.
    uint32_t dictionary_size;
} page;

static bool same(const pw_values *left, uint32_t i, const pw_values *right, uint32_t k) {
    if (left->type == PQ_BYTE_ARRAY) {
        return text_equal(string_text(&left->strings[i]), string_text(&right->strings[k]));
    }
    const size_t size = pw_values_size(left->type, left->width);
    return memcmp(left->fixed + i * size, right->fixed + k * size, size) == 0;
}

static void encode_codes(byte_output *out, const pw_values *values, uint64_t bytes_max, page *made,
                         arena *memory) {
    firn_error err = ERR_INIT;
    pw_dictionary *dictionary;
    uint32_t *codes = take(memory, values->count, sizeof *codes);
    must(pw_dictionary_open(memory, values->type, values->width, bytes_max, &dictionary, &err) ==
         FIRN_OK);
    must(pw_dictionary_codes(dictionary, values, codes, &made->count, &err) == FIRN_OK);
    const pw_values entries = pw_dictionary_entries(dictionary);
    must(pw_dictionary_bytes(dictionary) == pw_plain_size(&entries));
    must(pw_dictionary_bytes(dictionary) <= bytes_max);
    for (uint32_t i = 0; i < made->count; i++) {
        must(codes[i] < entries.count && same(values, i, &entries, codes[i]));
    }
    if (made->count < values->count) { // That one is no entry, and there is no room for it.
        for (uint32_t k = 0; k < entries.count; k++) {
            must(!same(values, made->count, &entries, k));
        }
        const size_t size = pw_values_size(values->type, values->width);
        const uint64_t more =
            values->type == PQ_BYTE_ARRAY ? 4 + (uint64_t)values->strings[made->count].size : size;
        must(pw_dictionary_bytes(dictionary) + more > bytes_max);
    }
    const uint32_t width = pw_width_of(entries.count == 0 ? 0 : entries.count - 1);
    const uint8_t head = (uint8_t)width;
    must(byte_output_put(out, (bytes){.data = &head, .size = 1}));
    must(pw_hybrid_put_u32(out, codes, made->count, width, &err) == FIRN_OK);
    made->codes = codes;
    made->dictionary_size = entries.count;
}

static void encode_runs(byte_output *out, const pw_values *values) {
    firn_error err = ERR_INIT;
    const uint8_t no_size[4] = {0};
    must(byte_output_put(out, (bytes){.data = no_size, .size = sizeof no_size}));
    must(pw_hybrid_put_bits(out, values->bits, values->count, &err) == FIRN_OK);
    const uint32_t size = (uint32_t)(out->size - sizeof no_size);
    memcpy(out->data, &size, sizeof size);
}

static page encode(const shape *is, const pw_values *values, uint64_t bytes_max, arena *memory) {
    firn_error err = ERR_INIT;
    byte_output out = {.memory = memory};
    page made = {.count = values->count, .dictionary_size = UINT32_MAX};
    switch (is->encoding) {
    case PQ_ENCODING_PLAIN:
        must(pw_put_plain(&out, values, &err) == FIRN_OK);
        must(out.size == pw_plain_size(values));
        break;
    case PQ_ENCODING_RLE:
        encode_runs(&out, values);
        break;
    case PQ_ENCODING_DELTA_BINARY_PACKED:
        must((is->type == PQ_INT32
                  ? pw_delta_put_i32(&out, values->i32, values->count, &err)
                  : pw_delta_put_i64(&out, values->i64, values->count, &err)) == FIRN_OK);
        break;
    case PQ_ENCODING_DELTA_LENGTH_BYTE_ARRAY:
        must(pw_put_delta_lengths(&out, values, memory, &err) == FIRN_OK);
        break;
    case PQ_ENCODING_DELTA_BYTE_ARRAY:
        must(pw_put_delta_bytes(&out, values, memory, &err) == FIRN_OK);
        break;
    case PQ_ENCODING_BYTE_STREAM_SPLIT:
        must(pw_put_split(&out, values, &err) == FIRN_OK);
        break;
    default:
        encode_codes(&out, values, bytes_max, &made, memory);
        break;
    }
    uint8_t *body = take(memory, out.size + PQ_PAD, 1);
    memset(body + out.size, 0xee, PQ_PAD);
    if (out.size > 0) {
        memcpy(body, out.data, out.size);
    }
    made.body = (bytes){.data = body, .size = out.size};
    return made;
}

// ---- Decoding ----------------------------------------------------------------------------------

static void check_slow(const shape *is, const page *made, const pw_values *values, arena *memory) {
    if (is->encoding == PQ_ENCODING_DELTA_BINARY_PACKED) {
        int64_t *longs = take(memory, VALUES, sizeof *longs);
        size_t rest = 0;
        must(slow_delta(made->body, VALUES, longs, &rest) == made->count);
        must(rest == made->body.size);
        for (uint32_t i = 0; i < made->count; i++) {
            const size_t width = is->type == PQ_INT32 ? 4 : 8;
            must(memcmp(values->fixed + i * width, &longs[i], width) == 0);
        }
    }
    if (is->encoding == PQ_ENCODING_RLE_DICTIONARY) {
        uint32_t *words = take(memory, VALUES, sizeof *words);
        const bytes runs = {.data = made->body.data + 1, .size = made->body.size - 1};
        must(slow_hybrid(runs, made->body.data[0], made->count, words) == made->count);
        must(memcmp(words, made->codes, made->count * sizeof *words) == 0);
    }
}

static void check_decoded(pq_values *in, const page *made, const pw_values *values, arena *memory) {
    firn_error err = ERR_INIT;
    pw_values read = *values;
    const uint32_t count = made->count;
    if (in->form == PQ_VALUES_CODES) {
        uint32_t *codes = take(memory, (size_t)count + PQ_UNPACK_SPARE, sizeof *codes);
        must(pq_values_codes(in, count, codes, &err) == FIRN_OK);
        must(memcmp(codes, made->codes, count * sizeof *codes) == 0);
        return;
    }
    if (in->form == PQ_VALUES_BITS) {
        uint64_t *bits = take(memory, VALUES / 64 + 2, sizeof *bits);
        must(pq_values_bits(in, count, bits, 0, &err) == FIRN_OK);
        for (uint32_t i = 0; i < count; i++) {
            must((bits[i / 64] >> i % 64 & 1) == (values->fixed[i / 8] >> i % 8 & 1));
        }
        return;
    }
    if (in->form == PQ_VALUES_STRINGS) {
        string_value *strings = take(memory, count, sizeof *strings);
        must(pq_values_strings(in, count, memory, strings, &err) == FIRN_OK);
        read.strings = strings;
    } else {
        uint8_t *scratch = take(memory, (size_t)count * in->width + PQ_PAD, 1);
        must(pq_values_fixed(in, count, scratch, &read.fixed, &err) == FIRN_OK);
    }
    for (uint32_t i = 0; i < count; i++) {
        must(same(values, i, &read, i));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3) {
        return 0;
    }
    const shape *is = &shapes[data[0] % SHAPES];
    const uint32_t width = 1 + data[1] % WIDTH_MAX;
    const uint64_t bytes_max = data[2] < 128 ? UINT64_MAX : (uint64_t)(data[2] - 128) * 8;
    arena memory = arena_open(MEMORY_LIMIT);
    const pw_values values =
        read_values(is->type, width, (bytes){.data = data + 3, .size = size - 3}, &memory);
    const page made = encode(is, &values, bytes_max, &memory);
    check_slow(is, &made, &values, &memory);
    const uint32_t leaf_width = is->type == PQ_BOOLEAN      ? 1
                                : is->type == PQ_BYTE_ARRAY ? 0
                                                            : pw_values_size(is->type, width);
    const pq_leaf leaf = {.type = is->type, .width = leaf_width};
    uint8_t *room = pq_values_need_room(is->encoding)
                        ? take(&memory, made.body.size + PQ_DELTA_BYTES_ROOM, 1)
                        : NULL;
    firn_error err = ERR_INIT;
    pq_values in;
    must(pq_values_open(&in, is->encoding, &leaf, made.body, made.dictionary_size, room, &err) ==
         FIRN_OK);
    check_decoded(&in, &made, &values, &memory);
    arena_close(&memory);
    return 0;
}
