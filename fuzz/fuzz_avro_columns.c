// Arbitrary bytes as an Avro data file, read into the columns it has by itself.
//
// Oracle: what is read into columns ends where the plainest reader of values ends, row by row;
// every lane of every column can be read, and every list lies inside its elements. A projection to
// every other column passes to the same places.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/avro/avro_columns.h"
#include "formats/avro/avro_file.h"
#include "formats/avro/avro_plain_read.h"
#include "formats/avro/avro_types.h"

#define MEMORY_MAX ((size_t)64 << 20)
#define ROWS_MAX 200
#define FIELDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

// A number made of all bytes of all lanes.
static uint64_t touch(const column *self, uint32_t depth) {
    uint64_t sum = self->length;
    expect(depth <= TYPE_DEPTH_MAX + 1);
    const physical kind = type_physical(self->type);
    const uint32_t lanes = self->form == FORM_CONSTANT ? 1 : self->length;
    const size_t size =
        kind == PHYSICAL_BIT ? BITMAP_WORDS(lanes) * 8 : (size_t)lanes * physical_size(kind);
    for (size_t i = 0; i < size; i++) {
        sum += ((const uint8_t *)self->values)[i];
    }
    for (uint32_t row = 0; row < self->length; row++) {
        sum += column_is_valid(self, row);
    }
    for (uint32_t lane = 0; lane < lanes; lane++) {
        if (kind == PHYSICAL_STRING) {
            const text value = string_text(&COLUMN_VALUES(self, string_value)[lane]);
            for (size_t i = 0; i < value.size; i++) {
                sum += (uint8_t)value.data[i];
            }
        } else if (kind == PHYSICAL_LIST) {
            const list_value list = COLUMN_VALUES(self, list_value)[lane];
            for (uint32_t i = 0; i < self->type->child_count; i++) {
                expect((uint64_t)list.offset + list.size <= self->children[i].length);
            }
        }
    }
    for (uint32_t i = 0; i < self->type->child_count; i++) {
        expect(kind != PHYSICAL_STRUCT || self->form == FORM_CONSTANT ||
               self->children[i].length == self->length);
        expect(self->children[i].form == FORM_FLAT || self->children[i].type->id == TYPE_NULL ||
               self->form == FORM_CONSTANT);
        sum += touch(&self->children[i], depth + 1);
    }
    return sum;
}

static volatile uint64_t sink; // So that the compiler keeps the reads.

typedef struct target {
    uint32_t count; // Columns.
    const avro_columns *all;
    const avro_columns *half;
} target;

static bool compile(const avro_schema *file, arena *memory, target *out) {
    const avro_columns_options options = {.by_name = true};
    firn_error err = ERR_INIT;
    schema natural;
    if (avro_types_of(memory, file, &natural, &err) != FIRN_OK || natural.count > FIELDS_MAX) {
        return false;
    }
    schema *half = ARENA_NEW(memory, schema, 1);
    field *fields = ARENA_NEW(memory, field, FIELDS_MAX);
    if (half == NULL || fields == NULL) {
        return false;
    }
    out->count = natural.count;
    *half = (schema){.fields = fields};
    for (uint32_t i = 0; i < natural.count; i += 2) {
        fields[half->count++] = natural.fields[i];
    }
    return avro_columns_compile(memory, file, &natural, &options, &out->all, &err) == FIRN_OK &&
           avro_columns_compile(memory, file, half, &options, &out->half, &err) == FIRN_OK;
}

static void check_block(const target *self, const avro_schema *file, bytes values, uint32_t count,
                        arena *scratch) {
    firn_error err = ERR_INIT;
    avro_rows *all;
    avro_rows *half;
    arena_reset(scratch);
    if (avro_rows_begin(self->all, scratch, count, &all, &err) != FIRN_OK ||
        avro_rows_begin(self->half, scratch, count, &half, &err) != FIRN_OK) {
        return;
    }
    byte_reader plain = reader_open(values);
    byte_reader whole = plain;
    byte_reader part = plain;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t seen = 0;
        const bool plain_good = avro_plain_read(file, &plain, 0, &seen, &err) == FIRN_OK;
        if (avro_rows_read(all, &whole, 1, &err) != FIRN_OK) {
            return; // Text that is not UTF-8, decimals with too many digits: more than plain sees.
        }
        expect(plain_good && whole.at == plain.at);
        if (avro_rows_read(half, &part, 1, &err) != FIRN_OK || part.at != whole.at) {
            return; // Items are passed by the size of their block, which may be wrong.
        }
    }
    const column *columns;
    if (avro_rows_finish(all, &columns, &err) == FIRN_OK) {
        expect(avro_rows_count(all) == count);
        for (uint32_t i = 0; i < self->count; i++) {
            expect(columns[i].length == count);
            sink += touch(&columns[i], 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const bytes file = {.data = data, .size = size};
    arena memory = arena_open(MEMORY_MAX);
    arena block_memory = arena_open(MEMORY_MAX);
    arena batch_memory = arena_open(MEMORY_MAX);
    codec_scratch scratch = codec_scratch_open(MEMORY_MAX);
    firn_error err = ERR_INIT;
    avro_header header;
    const avro_schema *root;
    target self;
    size_t wanted = 0;
    if (avro_header_read(file, &memory, &header, &wanted, &err) == FIRN_OK && wanted == 0 &&
        avro_schema_read(&memory, header.schema_json, &root, &err) == FIRN_OK &&
        compile(root, &memory, &self)) {
        bytes rest = {.data = data + header.size, .size = size - header.size};
        for (int i = 0; i < 8 && rest.size > 0; i++) {
            const codec_growth growth = {.memory = &block_memory, .size_max = (size_t)1 << 20};
            avro_block block;
            bytes values;
            arena_reset(&block_memory);
            if (avro_block_read(&header, rest, &block, &wanted, &err) != FIRN_OK || wanted > 0 ||
                avro_block_decode(&header, &block, &growth, &scratch, &values, &err) != FIRN_OK) {
                break;
            }
            const uint32_t count = block.count < ROWS_MAX ? (uint32_t)block.count : ROWS_MAX;
            check_block(&self, root, values, count, &batch_memory);
            rest = (bytes){.data = rest.data + block.size, .size = rest.size - block.size};
        }
    }
    codec_scratch_close(&scratch);
    arena_close(&batch_memory);
    arena_close(&block_memory);
    arena_close(&memory);
    return 0;
}
