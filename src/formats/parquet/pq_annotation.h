// What the bytes of a leaf mean: its logical type, or the converted type of older files, as one
// answer.
//
// An annotation that the format does not allow on the leaf's physical type is ignored, as the
// format asks of readers: the values are then what the physical type says.
#ifndef FIRN_FORMATS_PARQUET_PQ_ANNOTATION_H
#define FIRN_FORMATS_PARQUET_PQ_ANNOTATION_H

#include "formats/parquet/pq_format.h"

typedef enum pq_meaning {
    PQ_MEANS_PLAIN, // No annotation, or one that nobody knows.
    PQ_MEANS_STRING,
    PQ_MEANS_ENUM,
    PQ_MEANS_JSON,
    PQ_MEANS_BSON,
    PQ_MEANS_UUID,
    PQ_MEANS_DECIMAL,
    PQ_MEANS_DATE,
    PQ_MEANS_TIME,
    PQ_MEANS_TIMESTAMP,
    PQ_MEANS_INTEGER,
    PQ_MEANS_FLOAT16,
    PQ_MEANS_INTERVAL,
    PQ_MEANS_NULL, // Only NULLs.
    PQ_MEANS_GEOMETRY,
    PQ_MEANS_GEOGRAPHY
} pq_meaning;

typedef enum pq_unit { PQ_MILLIS, PQ_MICROS, PQ_NANOS } pq_unit;

typedef struct pq_annotation {
    pq_meaning meaning;
    pq_unit unit;      // TIME, TIMESTAMP.
    bool is_utc;       // TIME, TIMESTAMP.
    bool is_signed;    // INTEGER.
    uint8_t bits;      // INTEGER: 8, 16, 32, 64.
    int32_t precision; // DECIMAL, as the file says it: not checked.
    int32_t scale;
} pq_annotation;

/// The meaning of a leaf.
pq_annotation pq_annotation_of(const pq_schema_element *leaf);

#endif
