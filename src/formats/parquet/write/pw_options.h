// What the writer of a Parquet file is told.
//
// Defaults are what reads fast and is small (pw_options_default). Encodings are chosen from the
// data among those that the readers of the file know: of a table's there are some in Java that know
// PLAIN and dictionaries only, so tables are written with less than files of one's own
// (docs/decisions/parquet_encodings.md).
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_OPTIONS_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_OPTIONS_H

#include "codecs/codec.h"
#include "column/type.h"
#include "formats/parquet/pq_format.h"

/// Encodings that a writer may choose from besides PLAIN, as bits.
typedef enum pw_encodings {
    PW_DICTIONARY = 1 << 0,     // RLE_DICTIONARY
    PW_DELTA_INTEGERS = 1 << 1, // DELTA_BINARY_PACKED
    PW_DELTA_BYTES = 1 << 2,    // DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY
    PW_SPLIT = 1 << 3,          // BYTE_STREAM_SPLIT
    PW_RLE_BOOLEANS = 1 << 4,   // RLE of BOOLEAN
} pw_encodings;
#define PW_ENCODINGS_JAVA ((uint32_t)PW_DICTIONARY)
#define PW_ENCODINGS_ALL ((uint32_t)(1 << 5) - 1)

/// How compressed.
typedef enum pw_codec_choice {
    PW_CODEC_CHOSEN, ///< By chunk: `codec` where its first page shows that it pays, none elsewhere.
    PW_CODEC_GIVEN,  ///< All pages with `codec`.
} pw_codec_choice;

/// Of which statistics are written.
typedef enum pw_statistics_mode {
    PW_STATISTICS_NONE,
    PW_STATISTICS_COUNTS, ///< NULLs and NaNs.
    PW_STATISTICS_BOUNDS, ///< And bounds: text and bytes of up to `bound_bytes`, longer ones
                          ///< shortened.
} pw_statistics_mode;

/// Of one leaf, where it differs.
typedef struct pw_leaf_options {
    bool has_bloom;
    double bloom_rate;     ///< False positives, above 0 and below 1; 0.01 is usual.
    uint64_t bloom_values; ///< Distinct values that are expected; 0: as many as there are.
    pw_statistics_mode statistics;
    uint32_t bound_bytes; ///< At least 1.
    uint32_t encodings;   ///< pw_encodings.
} pw_leaf_options;

typedef struct pw_sorting {
    uint32_t leaf;
    bool is_descending;
    bool nulls_first;
} pw_sorting;

typedef struct pw_key_value {
    text key;
    text value;
} pw_key_value;

// A page's size takes 31 bits in the file, and the last value may go beyond what is asked for.
#define PW_PAGE_BYTES_MAX (UINT32_C(1) << 30)
#define PW_PAGE_ROWS_MAX (UINT32_C(1) << 30)
#define PW_BLOOM_BYTES_MAX (UINT32_C(128) << 20) // The format's.

/// Plain data, borrowed by what is made with it.
typedef struct pw_options {
    uint64_t group_bytes; ///< A row group ends when its encoded pages have reached it, ...
    uint64_t group_rows;  ///< ... or its rows.
    uint32_t page_bytes;  ///< Before compression; likewise for pages. At most PW_PAGE_BYTES_MAX.
    uint32_t page_rows;   ///< At most PW_PAGE_ROWS_MAX.
    uint32_t dictionary_bytes; ///< A larger dictionary is given up. At most PW_PAGE_BYTES_MAX.
    uint32_t bloom_bytes_max;  ///< Of one chunk's filter: 32 to PW_BLOOM_BYTES_MAX.
    pw_codec_choice codec_choice;
    codec codec;     ///< NONE, SNAPPY, GZIP, ZSTD or LZ4 (Parquet's LZ4_RAW).
    int codec_level; ///< 0: the codec's own.
    bool has_page_index;
    bool has_checksums;
    pw_leaf_options leaf;          ///< Of all leaves ...
    const pw_leaf_options *leaves; ///< ... or, if not NULL, one a leaf.
    uint32_t sorting_count;
    const pw_sorting *sorting; ///< The rows are sorted so: written into each row group.
    text created_by;           ///< "": not said.
    uint32_t key_value_count;
    const pw_key_value *key_values;
} pw_options;

/// 128 MiB or 1 Mi rows a group; 1 MiB or 20,000 rows a page; dictionaries and bloom filters of up
/// to 1 MiB; ZSTD where it pays; all encodings; page index, checksums, no bloom filters, bounds
/// of 64 bytes; created by firn and its version, without which readers in Java distrust bounds.
pw_options pw_options_default(void);

/// Errors: FIRN_INVALID (SQLSTATE 22023) names the option that is out of its range.
firn_status pw_options_check(const pw_options *self, uint32_t leaf_count, firn_error *err);

#endif
