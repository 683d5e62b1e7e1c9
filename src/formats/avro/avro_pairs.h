// The pairs of a map, read without a plan: Iceberg's metrics have one per column and file, so that
// a scan's planning spends most of its time in them.
//
//     avro_pairs pairs;
//     if (avro_pairs_open(&pairs, plan->found[i], values[i].data)) {
//         TRY(avro_pairs_next(&pairs, err));
//         while (pairs.has_pair) {
//             ... pairs.key, pairs.number or pairs.data ...
//             TRY(avro_pairs_next(&pairs, err));
//         }
//     }
#ifndef FIRN_FORMATS_AVRO_AVRO_PAIRS_H
#define FIRN_FORMATS_AVRO_AVRO_PAIRS_H

#include "formats/avro/avro_reader.h"
#include "formats/avro/avro_schema.h"

typedef struct avro_pairs {
    bool has_pair;
    bool has_data; // Values are bytes or strings: in `data`. Else they are numbers.
    int64_t key;
    int64_t number;
    bytes data; // Points into the slice.
    byte_reader in;
    avro_items items;
} avro_pairs;

/// Starts before the first pair of a slice (AVRO_WANT_SLICE) of this schema. False if that is no
/// array of records of two fields, an int or long and an int, long, bytes or string.
static inline bool avro_pairs_open(avro_pairs *self, const avro_schema *of, bytes slice) {
    if (of->kind != AVRO_ARRAY || of->element->kind != AVRO_RECORD || of->element->count != 2) {
        return false;
    }
    const avro_kind key = of->element->fields[0].schema->kind;
    const avro_kind value = of->element->fields[1].schema->kind;
    *self = (avro_pairs){
        .has_data = value == AVRO_BYTES || value == AVRO_STRING,
        .in = reader_open(slice),
        .items = {.item_size_min = 2},
    };
    return (key == AVRO_INT || key == AVRO_LONG) &&
           (self->has_data || value == AVRO_INT || value == AVRO_LONG);
}

/// Goes to the next pair. Errors: FIRN_CORRUPT.
static inline firn_status avro_pairs_next(avro_pairs *self, firn_error *err) {
    TRY(avro_items_next(&self->items, &self->in, &self->has_pair, err));
    if (!self->has_pair) {
        return FIRN_OK;
    }
    TRY(avro_read_long(&self->in, &self->key, err));
    return self->has_data ? avro_read_bytes(&self->in, &self->data, err)
                          : avro_read_long(&self->in, &self->number, err);
}

#endif
