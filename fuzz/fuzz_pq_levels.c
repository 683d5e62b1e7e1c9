// Arbitrary bytes as the levels of a page.
//
// Oracle: the slow hybrid decoder; reading in one call and in portions with skips in between; a
// validity bitmap says what the levels say.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/parquet/pq_levels.h"
#include "formats/parquet/pq_slow_decoders.h"

#define ENTRIES 700

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

static void check_slow(const pq_level_stream *stream, uint32_t count, const uint8_t *levels) {
    static uint32_t slow[ENTRIES];
    if (stream->max == 0 || stream->is_legacy) {
        return;
    }
    const bytes runs = {.data = stream->runs.in.at, .size = reader_left(&stream->runs.in)};
    must(slow_hybrid(runs, stream->width, count, slow) == count);
    for (uint32_t i = 0; i < count; i++) {
        must(slow[i] == levels[i]);
    }
}

static void check_parts(pq_levels in, uint32_t count, uint32_t portion, const uint8_t *repetition,
                        const uint8_t *definition) {
    static uint8_t levels[2][ENTRIES + PQ_UNPACK_SPARE];
    uint64_t validity[ENTRIES / 64 + 2] = {0};
    firn_error err = ERR_INIT;
    const uint8_t max = in.definition.max;
    for (uint32_t at = 0; at < count; portion = portion * 5 % 131 + 1) {
        const uint32_t take = portion < count - at ? portion : count - at;
        uint32_t present = 0;
        uint32_t expected = 0;
        for (uint32_t i = at; i < at + take; i++) {
            expected += definition[i] == max;
        }
        if (portion % 3 == 0) {
            must(pq_levels_skip(&in, take, &present, &err) == FIRN_OK);
            must(present == expected);
        } else if (portion % 3 == 1 && in.repetition.max == 0) {
            must(!pq_levels_are_all_present(&in) || in.left > count - at || expected == take);
            must(pq_levels_read_validity(&in, take, validity, at, levels[0], &present, &err) ==
                 FIRN_OK);
            must(present == expected);
            for (uint32_t i = at; i < at + take; i++) {
                must((validity[i / 64] >> i % 64 & 1) == (definition[i] == max));
            }
        } else {
            must(pq_levels_read(&in, take, levels[0], levels[1], &err) == FIRN_OK);
            must(memcmp(levels[0], repetition + at, take) == 0);
            must(memcmp(levels[1], definition + at, take) == 0);
        }
        at += take;
    }
}

static void check(const pq_page *page, const pq_leaf *leaf, bytes body, uint32_t portion) {
    static uint8_t repetition[ENTRIES + PQ_UNPACK_SPARE];
    static uint8_t definition[ENTRIES + PQ_UNPACK_SPARE];
    firn_error err = ERR_INIT;
    pq_levels in;
    size_t size;
    if (pq_levels_open(&in, page, leaf, body, &size, &err) != FIRN_OK) {
        return;
    }
    must(size <= body.size);
    pq_levels whole = in;
    if (pq_levels_read(&whole, page->value_count, repetition, definition, &err) != FIRN_OK) {
        return;
    }
    check_slow(&in.repetition, page->value_count, repetition);
    check_slow(&in.definition, page->value_count, definition);
    check_parts(in, page->value_count, portion, repetition, definition);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 6) {
        return 0;
    }
    const pq_leaf leaf = {.definition_max = data[0] % 8, .repetition_max = data[1] % 4};
    const uint32_t count = (uint32_t)(data[2] * 256 + data[3]) % ENTRIES;
    const size_t body_size = size - 6;
    const pq_page page = {
        .value_count = count,
        .is_v2 = (data[4] & 1) != 0,
        .definition_encoding = (data[4] & 2) != 0 ? PQ_ENCODING_BIT_PACKED : PQ_ENCODING_RLE,
        .repetition_encoding = (data[4] & 4) != 0 ? PQ_ENCODING_BIT_PACKED : PQ_ENCODING_RLE,
        .definition_size = (uint32_t)(body_size / 2),
        .repetition_size = (uint32_t)(body_size - body_size / 2),
    };
    uint8_t *body = calloc(body_size + PQ_PAD, 1);
    if (body == NULL) {
        return 0;
    }
    memcpy(body, data + 6, body_size);
    check(&page, &leaf, (bytes){.data = body, .size = body_size}, 1 + data[5] % 131);
    free(body);
    return 0;
}
