// The plainest reader of Avro values there is, which tests and the fuzz target compare the others
// with. It follows the specification word by word and counts what it sees.
#ifndef FIRN_FORMATS_AVRO_AVRO_PLAIN_READ_H
#define FIRN_FORMATS_AVRO_AVRO_PLAIN_READ_H

#include "formats/avro/avro_reader.h"
#include "formats/avro/avro_schema.h"

#define AVRO_PLAIN_DEPTH_MAX 150

/// Reads one value and adds the values in it, itself included, to *count.
static firn_status avro_plain_read(const avro_schema *schema, byte_reader *in, uint32_t depth,
                                   uint64_t *count, firn_error *err);

static firn_status avro_plain_items(const avro_schema *schema, byte_reader *in, uint32_t depth,
                                    uint64_t *count, firn_error *err) {
    const bool is_map = schema->kind == AVRO_MAP;
    avro_items items = {.item_size_min = schema->element->size_min + (is_map ? 1 : 0)};
    bool has_item;
    TRY(avro_items_next(&items, in, &has_item, err));
    while (has_item) {
        if (is_map) {
            bytes key;
            TRY(avro_read_bytes(in, &key, err));
        }
        TRY(avro_plain_read(schema->element, in, depth + 1, count, err));
        TRY(avro_items_next(&items, in, &has_item, err));
    }
    return FIRN_OK;
}

static firn_status avro_plain_read(const avro_schema *schema, byte_reader *in, uint32_t depth,
                                   uint64_t *count, firn_error *err) {
    if (depth > AVRO_PLAIN_DEPTH_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "too deep");
    }
    *count += 1;
    bool flag;
    int64_t number;
    uint32_t choice;
    float single;
    double real;
    bytes data;
    switch (schema->kind) {
    case AVRO_NULL:
        return FIRN_OK;
    case AVRO_BOOLEAN:
        return avro_read_boolean(in, &flag, err);
    case AVRO_INT:
    case AVRO_LONG:
        return avro_read_long(in, &number, err);
    case AVRO_FLOAT:
        return avro_read_float(in, &single, err);
    case AVRO_DOUBLE:
        return avro_read_double(in, &real, err);
    case AVRO_BYTES:
    case AVRO_STRING:
        return avro_read_bytes(in, &data, err);
    case AVRO_FIXED:
        return reader_take(in, schema->size, &data, err);
    case AVRO_ENUM:
        return avro_read_choice(in, schema->count, &choice, err);
    case AVRO_UNION:
        TRY(avro_read_choice(in, schema->count, &choice, err));
        return avro_plain_read(schema->choices[choice], in, depth + 1, count, err);
    case AVRO_RECORD:
        for (uint32_t i = 0; i < schema->count; i++) {
            TRY(avro_plain_read(schema->fields[i].schema, in, depth + 1, count, err));
        }
        return FIRN_OK;
    case AVRO_ARRAY:
    case AVRO_MAP:
        return avro_plain_items(schema, in, depth, count, err);
    case AVRO_KIND_COUNT:
        break;
    }
    return FAIL(err, FIRN_INTERNAL, "no kind");
}

#endif
