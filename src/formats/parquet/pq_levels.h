// The repetition and definition levels of one data page.
//
//     page v1   [size, repetition levels] [size, definition levels] values    compressed as a whole
//     page v2    repetition levels         definition levels        values    sizes in the header
//
// A stream whose maximum is 0 is not stored at all. Levels are runs (pq_hybrid.h); the BIT_PACKED
// encoding of very old files packs them from the highest bit of each byte on, without a size.
//
// Specification: apache/parquet-format, README.md "Data Pages", Encodings.md.
#ifndef FIRN_FORMATS_PARQUET_PQ_LEVELS_H
#define FIRN_FORMATS_PARQUET_PQ_LEVELS_H

#include "formats/parquet/pq_hybrid.h"
#include "formats/parquet/pq_metadata.h"

typedef struct pq_level_stream {
    pq_hybrid runs;
    bytes packed;   // BIT_PACKED: all levels of the page.
    size_t bit;     // BIT_PACKED: where the next one is.
    uint8_t max;    // 0: all levels are 0 and nothing is stored.
    uint8_t width;  // Bits of a level.
    bool is_legacy; // BIT_PACKED.
} pq_level_stream;

/// The position in the levels of one page. Plain data, owns nothing.
typedef struct pq_levels {
    pq_level_stream repetition;
    pq_level_stream definition;
    uint32_t left; // Entries of the page not yet taken.
} pq_levels;

/// Starts at the first entry of a page. `input` is the page's body, decompressed; of a v2 page it
/// is enough that it begins with the levels. It must be readable for PQ_PAD bytes behind its end.
/// `*size` says how many bytes the levels take: the values follow.
///
/// Errors: FIRN_CORRUPT if levels are larger than the body or their encoding is unknown.
firn_status pq_levels_open(pq_levels *self, const pq_page *page, const pq_leaf *leaf, bytes input,
                           size_t *size, firn_error *err);

/// True if every entry that is left is a value: no NULLs, no empty lists. Looks at the run at hand
/// only, so false says nothing.
bool pq_levels_are_all_present(const pq_levels *self);

/// Takes the levels of the next `count` entries (at most `left`); both arrays have room for
/// count + PQ_UNPACK_SPARE. A stream that is not stored gives zeros.
///
/// Errors: FIRN_CORRUPT if they end early or a level is above its maximum.
firn_status pq_levels_read(pq_levels *self, uint32_t count, uint8_t *repetition,
                           uint8_t *definition, firn_error *err);

/// For leaves outside lists: takes `count` entries (at most `left`) and sets bit `at` + i of
/// `validity` where entry i is a value. Bits before `at` stay, those behind the last one are
/// garbage up to the end of their word. `*present` counts the values. `scratch` has room for count
/// + PQ_UNPACK_SPARE levels.
firn_status pq_levels_read_validity(pq_levels *self, uint32_t count, uint64_t *validity, size_t at,
                                    uint8_t *scratch, uint32_t *present, firn_error *err);

/// Takes `count` entries (at most `left`) and says how many of them are values.
firn_status pq_levels_skip(pq_levels *self, uint32_t count, uint32_t *present, firn_error *err);

#endif
