// The footer of a Parquet file, page headers and index structures: found, read and checked.
//
//     "PAR1"  column chunks  [indexes, bloom filters]  footer  footer size (4 bytes)  "PAR1"
//
// What comes out of here has been checked once: every chunk's byte range lies inside the file,
// every row group has one chunk per leaf of the schema and the leaf's type, counts are not
// negative. The content of pages is not looked at.
//
// Specification: apache/parquet-format, README.md, PageIndex.md, BloomFilter.md.
#ifndef FIRN_FORMATS_PARQUET_PQ_METADATA_H
#define FIRN_FORMATS_PARQUET_PQ_METADATA_H

#include "formats/parquet/pq_schema.h"

#define PQ_MAGIC_SIZE 4
// The end of a file: footer size and magic.
#define PQ_TAIL_SIZE 8
// A page header longer than this is refused; only its statistics make it long.
#define PQ_PAGE_HEADER_SIZE_MAX (UINT32_C(16) << 20)

typedef struct pq_metadata {
    pq_file_metadata file;
    const pq_schema *schema;
    uint64_t file_size;
} pq_metadata;

/// Where a footer lies.
typedef struct pq_footer_place {
    uint64_t offset;
    uint32_t size;
} pq_footer_place;

/// Says where the footer is, from the last PQ_TAIL_SIZE bytes of a file.
///
/// Errors: FIRN_CORRUPT if this is no Parquet file or the footer would begin before its start;
///         FIRN_UNSUPPORTED if the footer is encrypted.
firn_status pq_footer_find(bytes tail, uint64_t file_size, pq_footer_place *out, firn_error *err);

/// Reads and checks a footer; `*out` lies in `memory`.
///
/// Borrows: `footer` as long as the metadata is used: names and bounds point into it.
/// Errors:  FIRN_CORRUPT; FIRN_UNSUPPORTED if columns lie in other files; FIRN_NO_MEMORY. Encrypted
///          columns are not an error until somebody reads them: see pq_chunk_check.
/// Cost:    about 150 ns per column chunk.
firn_status pq_metadata_read(bytes footer, uint64_t file_size, arena *memory,
                             const pq_metadata **out, firn_error *err);

/// The value of a key in the file's key-value metadata, or an empty text.
text pq_metadata_value(const pq_metadata *self, text key);

/// The bytes of one column chunk: dictionary page, if any, and data pages.
typedef struct pq_chunk_range {
    uint64_t offset;
    uint64_t size;
} pq_chunk_range;

/// Where chunk `leaf` of a row group lies; inside the file.
pq_chunk_range pq_chunk_place(const pq_metadata *self, uint32_t row_group, uint32_t leaf);

/// Whether the chunk can be read at all.
/// Errors: FIRN_UNSUPPORTED if it is encrypted or its codec is unknown.
firn_status pq_chunk_check(const pq_metadata *self, uint32_t row_group, uint32_t leaf,
                           firn_error *err);

static inline const pq_column_metadata *pq_chunk_metadata(const pq_metadata *self,
                                                          uint32_t row_group, uint32_t leaf) {
    return &self->file.row_groups.items[row_group].columns.items[leaf].metadata;
}

/// What the footer says of a chunk's values; `present` is 0 if nothing, or if that is damaged.
pq_statistics pq_chunk_statistics(const pq_metadata *self, uint32_t row_group, uint32_t leaf);

/// A page, from its header, checked.
typedef struct pq_page {
    pq_page_type type; // DATA and DATA_V2 are both PQ_PAGE_DATA here; see is_v2.
    bool is_v2;
    bool is_compressed; // False: the body is stored as it is, whatever the chunk's codec.
    bool has_crc;
    uint32_t crc;
    uint32_t header_size; // Of the header itself.
    uint32_t body_size;   // Behind the header, as stored.
    uint32_t plain_size;  // Of the body, decompressed.
    uint32_t value_count; // Entries (values, NULLs and empty lists), or entries of the dictionary.
    int32_t encoding;     // Of the values; a pq_encoding if somebody knows it.
    int32_t definition_encoding; // v1.
    int32_t repetition_encoding; // v1.
    uint32_t definition_size;    // v2: bytes of levels at the body's start: repetition first.
    uint32_t repetition_size;
    uint32_t row_count;       // v2 only; 0 in v1, which does not say.
    pq_statistics statistics; // Present words 0 if there are none.
} pq_page;

/// Reads the page header at the start of `input`.
///
/// Errors: FIRN_CORRUPT, also when `input` is too short; `*is_short` says that more bytes might
///         help.
firn_status pq_page_header_read(bytes input, pq_page *out, bool *is_short, firn_error *err);

/// Reads an offset index and checks it: pages ascend, lie inside the file, begin at rows below
/// `row_count`, the first at row 0.
firn_status pq_offset_index_read(bytes input, uint64_t file_size, uint64_t row_count, arena *memory,
                                 pq_offset_index *out, firn_error *err);

/// Reads a column index and checks that its lists have `page_count` elements.
firn_status pq_column_index_read(bytes input, size_t page_count, arena *memory,
                                 pq_column_index *out, firn_error *err);

/// Reads a bloom filter's header at the start of `input`; `*bitset` is its offset there.
///
/// Errors: FIRN_CORRUPT (size not a multiple of 32, or not in the range that exists);
///         FIRN_UNSUPPORTED for another algorithm, hash or compression.
firn_status pq_bloom_header_read(bytes input, pq_bloom_header *out, size_t *bitset,
                                 firn_error *err);

#endif
