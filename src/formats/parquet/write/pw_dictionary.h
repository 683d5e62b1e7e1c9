// The dictionary of a chunk while it is written: values → codes, in order of first occurrence.
//
// Values are compared as they are stored, bit by bit: -0.0 and 0.0, and NaNs of different bits, are
// entries of their own. Entries are what becomes the dictionary page, so they can be given back
// when the dictionary is given up.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_DICTIONARY_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_DICTIONARY_H

#include "formats/parquet/write/pw_stored.h"

/// Of an index whose value has not been met (pw_dictionary_translate).
#define PW_NO_CODE UINT32_MAX

/// Owned by one chunk; one thread at a time. Its memory is in the arena that it was opened with:
/// what it has outgrown stays there as well, no more than what it has. There is no close.
typedef struct pw_dictionary pw_dictionary;

/// `width`: PQ_FIXED: bytes a value. Dictionary pages have at most 2 GiB, whatever `bytes_max`.
/// Errors: FIRN_NO_MEMORY. Not for PQ_BOOLEAN.
firn_status pw_dictionary_open(arena *memory, pq_type type, uint32_t width, uint64_t bytes_max,
                               pw_dictionary **out, firn_error *err);

/// Codes of `values`, those that are new become entries and are copied. Stops before the first
/// value whose entry would make the dictionary page larger than bytes_max: `*taken` says how many
/// have codes. Errors: FIRN_NO_MEMORY, FIRN_CANCELLED, after which the dictionary is as it was
/// before.
/// Cost: a nanosecond or two a number, three or four a short string; eight equal numbers one.
firn_status pw_dictionary_codes(pw_dictionary *self, const pw_values *values, uint32_t *codes,
                                uint32_t *taken, firn_error *err);

/// The same for values that are a dictionary's already: codes of entries[indexes[i]] for `count`
/// indexes. `map` remembers the code of each entry of theirs, so that none is looked up twice; the
/// caller fills it with PW_NO_CODE, entries->count of them, and keeps it as long as it likes. Only
/// entries that are met become entries here.
/// Cost: less than a nanosecond an index.
typedef struct pw_coded {
    const pw_values *entries;
    uint32_t *map;
    const uint32_t *indexes; ///< Below entries->count.
    uint32_t count;
} pw_coded;
firn_status pw_dictionary_translate(pw_dictionary *self, const pw_coded *values, uint32_t *codes,
                                    uint32_t *taken, firn_error *err);

/// The entries, valid until the next call of pw_dictionary_codes or pw_dictionary_translate.
pw_values pw_dictionary_entries(const pw_dictionary *self);
/// Bytes of the dictionary page.
uint64_t pw_dictionary_bytes(const pw_dictionary *self);
/// Values behind codes: for an encoding that takes over. The array lies in `scratch`, bytes of
/// strings in the dictionary. Errors: FIRN_NO_MEMORY.
firn_status pw_dictionary_values(const pw_dictionary *self, const uint32_t *codes, uint32_t count,
                                 arena *scratch, pw_values *out, firn_error *err);

#endif
