// The dictionary of a chunk while it is written: values → codes, in order of first occurrence.
//
// Values are compared as they are stored, bit by bit: -0.0 and 0.0, and NaNs of different bits, are
// entries of their own. Entries are what becomes the dictionary page, so they can be given back
// when the dictionary is given up.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_DICTIONARY_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_DICTIONARY_H

#include "formats/parquet/write/pw_stored.h"

/// Owned by one chunk; one thread at a time. Its memory is in the arena that it was opened with.
typedef struct pw_dictionary pw_dictionary;

/// Errors: FIRN_NO_MEMORY. Not for PQ_BOOLEAN.
firn_status pw_dictionary_open(arena *memory, pq_type type, uint32_t width, uint64_t bytes_max,
                               pw_dictionary **out, firn_error *err);

/// Codes of `values`, those that are new become entries and are copied. Stops before the first
/// value whose entry would make the dictionary page larger than bytes_max: `*taken` says how many
/// have codes. Errors: FIRN_NO_MEMORY, after which the dictionary is as it was before.
firn_status pw_dictionary_codes(pw_dictionary *self, const pw_values *values, uint32_t *codes,
                                uint32_t *taken, firn_error *err);

/// The entries, valid until the next call of pw_dictionary_codes.
pw_values pw_dictionary_entries(const pw_dictionary *self);
/// Bytes of the dictionary page.
uint64_t pw_dictionary_bytes(const pw_dictionary *self);
/// Values behind codes: for an encoding that takes over.
firn_status pw_dictionary_values(const pw_dictionary *self, const uint32_t *codes, uint32_t count,
                                 arena *scratch, pw_values *out, firn_error *err);

#endif
