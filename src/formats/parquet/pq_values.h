// The values of one data page, whatever their encoding: one place that knows which encodings a
// physical type may have.
//
// Values come out in the form that is cheapest for the encoding, and the caller asks which:
//
//     PQ_VALUES_FIXED     `width` bytes each as PLAIN stores them; PLAIN itself is not even copied
//     PQ_VALUES_BITS      booleans as a bitmap
//     PQ_VALUES_STRINGS   string values that point into the page (DELTA_BYTE_ARRAY: into an arena)
//     PQ_VALUES_CODES     indexes into the chunk's dictionary, by pq_codes.h
//
// NULLs are not among the values: only what the definition levels call present is stored.
#ifndef FIRN_FORMATS_PARQUET_PQ_VALUES_H
#define FIRN_FORMATS_PARQUET_PQ_VALUES_H

#include "formats/parquet/pq_bytes.h"
#include "formats/parquet/pq_codes.h"
#include "formats/parquet/pq_schema.h"
#include "formats/parquet/pq_split.h"

typedef enum pq_values_form {
    PQ_VALUES_FIXED,
    PQ_VALUES_BITS,
    PQ_VALUES_STRINGS,
    PQ_VALUES_CODES
} pq_values_form;

/// The position in the values of a page. Plain data; owns nothing. May not be moved while in use by
/// DELTA_BYTE_ARRAY only in so far as `room` stays the caller's.
typedef struct pq_values {
    pq_values_form form;
    int32_t encoding; // One that was checked.
    uint32_t width;   // FIXED: bytes a value.
    union {
        byte_reader plain;
        struct { // PLAIN booleans: `bit` is the next one.
            bytes data;
            size_t bit;
        } bits;
        pq_hybrid runs; // RLE booleans.
        pq_codes codes;
        pq_delta delta;
        pq_delta_lengths delta_lengths;
        pq_delta_bytes delta_bytes;
        pq_split split;
    } as;
} pq_values;

/// Whether pq_values_open will need `room` for this encoding.
bool pq_values_need_room(int32_t encoding);

/// Starts at the first value of `page`: a page's body behind the levels, readable for PQ_PAD bytes
/// behind its end. `dictionary_size` is UINT32_MAX if the chunk has no dictionary so far.
///
/// Keeps:  `room`, page.size + PQ_DELTA_BYTES_ROOM bytes, aligned to 4, when pq_values_need_room
/// says so, else NULL. Errors: FIRN_CORRUPT if the encoding is unknown or not allowed for the
/// leaf's type, or the page
///         needs a dictionary that is not there; what the encodings' headers hold.
firn_status pq_values_open(pq_values *self, int32_t encoding, const pq_leaf *leaf, bytes page,
                           uint32_t dictionary_size, uint8_t *room, firn_error *err);

/// Of form FIXED: the next `count` values. They lie in the page or in `scratch`, which has room for
/// count * width + PQ_PAD bytes, and are readable for PQ_PAD bytes behind.
firn_status pq_values_fixed(pq_values *self, uint32_t count, uint8_t *scratch, const uint8_t **out,
                            firn_error *err);

/// Of form BITS: the next `count` values to bit `at` on, as pq_hybrid_read_bits does.
firn_status pq_values_bits(pq_values *self, uint32_t count, uint64_t *out, size_t at,
                           firn_error *err);

/// Of form STRINGS: the next `count` values; `memory` is for what does not lie in the page.
firn_status pq_values_strings(pq_values *self, uint32_t count, arena *memory, string_value *out,
                              firn_error *err);

/// Of form CODES: the next `count` codes; room for count + PQ_UNPACK_SPARE.
static inline firn_status pq_values_codes(pq_values *self, uint32_t count, uint32_t *out,
                                          firn_error *err) {
    assert(self->form == PQ_VALUES_CODES);
    return pq_codes_read(&self->as.codes, count, out, err);
}

/// Passes over `count` values. Cost: nothing for PLAIN numbers and BYTE_STREAM_SPLIT, a look at
/// each run for codes, at each size for PLAIN byte arrays; decoding for the delta encodings.
firn_status pq_values_skip(pq_values *self, uint64_t count, firn_error *err);

#endif
