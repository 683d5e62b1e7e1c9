// The dictionary indexes ("codes") of one data page: encodings RLE_DICTIONARY and PLAIN_DICTIONARY.
// The body is one byte, the bit width, followed by the runs of pq_hybrid.h.
//
// The promise to the layers above: every code handed out is below the dictionary's size, so that
// looking it up needs no further check.
#ifndef FIRN_FORMATS_PARQUET_PQ_CODES_H
#define FIRN_FORMATS_PARQUET_PQ_CODES_H

#include "formats/parquet/pq_hybrid.h"

/// The position inside one page. Plain data, owns nothing.
typedef struct pq_codes {
    pq_hybrid runs;
    uint32_t dictionary_size;
} pq_codes;

/// Starts at the first code of `page`, the values of a data page; readable for PQ_PAD bytes behind.
/// An empty page has no codes and is not an error until somebody reads one.
///
/// Errors: FIRN_CORRUPT if the bit width is above PQ_HYBRID_BITS_MAX.
firn_status pq_codes_open(pq_codes *self, bytes page, uint32_t dictionary_size, firn_error *err);

/// Takes the next `count` codes. `out` has room for count + PQ_UNPACK_SPARE.
///
/// Errors: FIRN_CORRUPT if the page ends early, a run is empty, or a code is not below the
///         dictionary's size. After an error neither `self` nor `out` holds anything usable.
firn_status pq_codes_read(pq_codes *self, uint32_t count, uint32_t *out, firn_error *err);

/// How many of the next values are one repeated code, up to `count_max`; 0 if they are packed. They
/// are taken.
firn_status pq_codes_take_repeated(pq_codes *self, uint32_t count_max, uint32_t *code,
                                   uint32_t *count, firn_error *err);

static inline firn_status pq_codes_skip(pq_codes *self, uint64_t count, firn_error *err) {
    return pq_hybrid_skip(&self->runs, count, err);
}

#endif
