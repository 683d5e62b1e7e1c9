// Arbitrary bytes as an Avro container file.
//
// Oracle: the plainest reader of values and the compiled plans agree: what the one reads, the
// others pass and slice to the same place; a plan that picks every field with an id gets the same
// bytes twice. A window that grows step by step finds the same blocks as the whole file.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/avro/avro_file.h"
#include "formats/avro/avro_plain_read.h"
#include "formats/avro/avro_plan.h"

#define MEMORY_MAX ((size_t)64 << 20)
#define VALUES_MAX 2000
#define SLOTS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

typedef struct plans {
    const avro_plan *skip;
    const avro_plan *slice;
    const avro_plan *fields; // NULL: the top is no record with ids.
    avro_slot slots[SLOTS_MAX];
    int32_t ids[SLOTS_MAX];
} plans;

static bool make_plans(arena *memory, const avro_schema *schema, plans *out) {
    static const avro_slot whole = {.want = AVRO_WANT_SLICE};
    firn_error err = ERR_INIT;
    *out = (plans){0};
    if (avro_plan_compile(memory, schema, NULL, 0, 0, &out->skip, &err) != FIRN_OK ||
        avro_plan_compile(memory, schema, &whole, 1, 0, &out->slice, &err) != FIRN_OK) {
        return false;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; schema->kind == AVRO_RECORD && i < schema->count; i++) {
        if (schema->fields[i].id >= 0 && count < SLOTS_MAX) {
            out->ids[count] = schema->fields[i].id;
            out->slots[count] =
                (avro_slot){.path = &out->ids[count], .path_length = 1, .want = AVRO_WANT_SLICE};
            count += 1;
        }
    }
    if (avro_plan_compile(memory, schema, out->slots, count, 0, &out->fields, &err) != FIRN_OK) {
        out->fields = NULL; // Two fields have the same id.
    }
    return true;
}

static void check_value(const plans *self, const avro_schema *schema, byte_reader *in, bool *good) {
    firn_error err = ERR_INIT;
    byte_reader skipped = *in;
    byte_reader sliced = *in;
    byte_reader picked = *in;
    const uint8_t *start = in->at;
    uint64_t count = 0;
    *good = avro_plain_read(schema, in, 0, &count, &err) == FIRN_OK;
    if (!*good) {
        return;
    }
    // What does not agree is a block of items whose size is not that of the items.
    firn_error skip_err = ERR_INIT;
    avro_value value;
    avro_value values[SLOTS_MAX];
    const bool skips = avro_plan_read(self->skip, &skipped, NULL, &skip_err) == FIRN_OK;
    const bool slices = avro_plan_read(self->slice, &sliced, &value, &err) == FIRN_OK;
    expect(skips == slices);
    if (skips) {
        expect(skipped.at == sliced.at);
        expect(value.is_null || value.data.data >= start);
        *good = skipped.at == in->at;
    } else {
        *good = false;
    }
    if (skips && self->fields != NULL) {
        expect(avro_plan_read(self->fields, &picked, values, &err) == FIRN_OK);
        expect(picked.at == skipped.at);
    }
}

static void check_values(const avro_header *header, const avro_schema *schema, bytes rest,
                         arena *memory, codec_scratch *scratch) {
    plans all;
    if (!make_plans(memory, schema, &all)) {
        return;
    }
    arena block_memory = arena_open(MEMORY_MAX);
    size_t total = 0;
    size_t wanted = 0;
    bool good = true;
    while (good && rest.size > 0 && total < VALUES_MAX) {
        avro_block block;
        firn_error err = ERR_INIT;
        arena_reset(&block_memory);
        const codec_growth growth = {.memory = &block_memory, .size_max = (size_t)1 << 20};
        bytes values;
        if (avro_block_read(header, rest, &block, &wanted, &err) != FIRN_OK || wanted > 0 ||
            avro_block_decode(header, &block, &growth, scratch, &values, &err) != FIRN_OK) {
            break;
        }
        byte_reader in = reader_open(values);
        for (uint64_t i = 0; good && i < block.count && total < VALUES_MAX; i++) {
            check_value(&all, schema, &in, &good);
            total += 1;
        }
        rest = (bytes){.data = rest.data + block.size, .size = rest.size - block.size};
    }
    arena_close(&block_memory);
}

// The header from a window that grows by what is asked for.
static bool grow_header(bytes file, arena *memory, avro_header *out) {
    size_t shown = 0;
    for (;;) {
        size_t wanted = 0;
        firn_error err = ERR_INIT;
        if (avro_header_read((bytes){.data = file.data, .size = shown}, memory, out, &wanted,
                             &err) != FIRN_OK) {
            return false;
        }
        if (wanted == 0) {
            return true;
        }
        expect(wanted > shown);
        if (wanted > file.size) {
            return false;
        }
        shown = wanted;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const bytes file = {.data = data, .size = size};
    arena memory = arena_open(MEMORY_MAX);
    arena block = arena_open(MEMORY_MAX);
    codec_scratch scratch = codec_scratch_open(MEMORY_MAX);
    firn_error err = ERR_INIT;
    avro_header header = {0};
    size_t wanted = 0;
    const bool whole =
        avro_header_read(file, &memory, &header, &wanted, &err) == FIRN_OK && wanted == 0;
    avro_header grown = {0};
    const bool stepwise = grow_header(file, &memory, &grown);
    expect(whole == stepwise);
    if (whole) {
        expect(header.size == grown.size && header.size <= size);
        const avro_schema *schema;
        if (avro_schema_read(&memory, header.schema_json, &schema, &err) == FIRN_OK) {
            (void)avro_schema_has_ids(schema);
            const bytes rest = {.data = data + header.size, .size = size - header.size};
            check_values(&header, schema, rest, &memory, &scratch);
        }
        avro_walk walk;
        if (avro_walk_open(&walk, file, &memory, &block, &scratch, &err) == FIRN_OK &&
            avro_walk_next(&walk, &err) == FIRN_OK && walk.has_value) {
            expect(walk.in.at <= walk.in.end);
        }
    }
    codec_scratch_close(&scratch);
    arena_close(&block);
    arena_close(&memory);
    return 0;
}
