// Reads the values of one leaf of a row group as columns.
//
// Two ways, by the leaf:
//   - outside lists a row is an entry. pq_leaf_available says how many rows the page at hand still
//     has (its header is enough for that), and pq_leaf_read makes a column of that many or fewer:
//     it points into the page where the page's bytes are the values, and keeps dictionary codes.
//   - inside lists a row is any number of entries and may go on in the next page. pq_leaf_pull
//     gathers the entries of some rows, with values one behind another; pq_nest_* makes columns of
//     them.
// Rows that nobody wants are passed over by pq_leaf_skip, which costs nothing until the next read:
// pages that lie wholly in what is skipped are not even decompressed.
#ifndef FIRN_FORMATS_PARQUET_PQ_LEAF_H
#define FIRN_FORMATS_PARQUET_PQ_LEAF_H

#include "formats/parquet/pq_dictionary.h"
#include "formats/parquet/pq_levels.h"
#include "formats/parquet/pq_nest.h"
#include "formats/parquet/pq_page_index.h"
#include "formats/parquet/pq_values.h"

#define PQ_LEVEL_STEP 1024

// Entries of whole rows, gathered from any number of pages.
typedef struct pq_gathered {
    uint8_t *repetition;
    uint8_t *definition;
    uint32_t count;
    uint32_t capacity;
    void *values; // Those that are there, converted, one behind another.
    uint32_t value_count;
    uint32_t value_capacity;
} pq_gathered;

// How many row groups' chunks are begun together: their dictionaries are decoded together.
#define PQ_GROUPS_AHEAD 3

// The leaf's column chunk of one row group.
typedef struct pq_chunk {
    pq_pages pages;
    pq_dictionary dictionary;
    uint64_t row_count; // Of the row group.
    uint64_t identity;  // Of the dictionary.
    bool keeps_codes;   // The dictionary is small enough to be handed on.
    bool is_prepared;   // The dictionary is to be committed.
} pq_chunk;

typedef struct pq_leaf_reader {
    pq_target target;
    uint32_t index;      // Of the leaf in the schema.
    bool reads_values;   // False: only levels are wanted, for the shape of what lies above.
    bool is_nested;      // Inside lists, or below a struct: pulled.
    uint32_t slot_count; // Of `chunks`: 1 to PQ_GROUPS_AHEAD.
    pq_chunk *chunks;
    pq_chunk *chunk;                // The one that is read.
    const pq_offset_index *offsets; // Where its pages are; NULL: not known.
    uint64_t rows_taken;            // Of it, read or passed over, pending skips not counted.
    uint64_t skip;                  // Rows to pass over before the next read.
    // The page at hand.
    bool is_open;
    bool is_all_present;
    bool is_ascii; // All of its text is.
    pq_levels levels;
    pq_values values;
    pq_block room; // For DELTA_BYTE_ARRAY.
    // Inside lists.
    arena memory; // Of `gathered`.
    pq_gathered gathered;
    uint32_t rows_begun;       // Of those being pulled.
    uint32_t page_value_start; // The first of gathered.values from the page at hand.
    uint32_t level_from;       // Levels read ahead of their values.
    uint32_t level_to;
    uint8_t *repetition; // PQ_LEVEL_STEP and PQ_UNPACK_SPARE more of each.
    uint8_t *definition;
} pq_leaf_reader;

/// Sets a reader up that can do nothing yet.
void pq_leaf_open(pq_leaf_reader *self, const pq_target *target, uint32_t index, bool is_nested);
/// Gives it what it reads with: `chunks` for so many row groups begun together, which live as long
/// as `memory`. Must not move afterwards.
///
/// Errors: FIRN_NO_MEMORY; it can be closed.
firn_status pq_leaf_attach(pq_leaf_reader *self, const pq_pages_options *options, pq_chunk *chunks,
                           uint32_t slot_count, arena *memory, firn_error *err);
void pq_leaf_close(pq_leaf_reader *self);

/// Begins the chunk of a row group in place `slot`; `identity` is the number of its dictionary.
/// Asks for the first bytes.
firn_status pq_leaf_begin(pq_leaf_reader *self, const pq_metadata *metadata, uint32_t row_group,
                          uint32_t slot, uint64_t identity, firn_error *err);

/// Peeks at the first page of the chunk in `slot`.
firn_status pq_leaf_peek_first(pq_leaf_reader *self, uint32_t slot, pq_answer *answer,
                               firn_error *err);

/// If that is a dictionary: says what is to be decoded. Else `blocks` stays empty.
firn_status pq_leaf_prepare_dictionary(pq_leaf_reader *self, uint32_t slot, pq_blocks *blocks,
                                       firn_error *err);
/// After the blocks were decoded.
firn_status pq_leaf_commit_dictionary(pq_leaf_reader *self, uint32_t slot, firn_error *err);

/// Reads the chunk in `slot` from now on, from its first row. `offsets`, which may be NULL, lives
/// as long as the chunk is read.
void pq_leaf_enter(pq_leaf_reader *self, uint32_t slot, const pq_offset_index *offsets);

/// Passes over the next `rows` rows.
static inline void pq_leaf_skip(pq_leaf_reader *self, uint64_t rows) {
    self->skip += rows;
}

// ---- Outside lists -----------------------------------------------------------------------------

/// How many rows can be read from the page at hand; at least one. There must be rows left.
///
/// Errors: FIRN_CORRUPT, also if the row group has more rows than the leaf has entries; FIRN_IO ...
firn_status pq_leaf_available(pq_leaf_reader *self, uint32_t *rows, pq_answer *answer,
                              firn_error *err);

/// The next `count` rows (at most what is available) as a column, FLAT, DICTIONARY or CONSTANT. It
/// lives in the page at hand, the dictionary and `scratch`.
firn_status pq_leaf_read(pq_leaf_reader *self, uint32_t count, arena *scratch, column *out,
                         firn_error *err);

/// Takes the next `count` rows and makes a column of rows[0 ... row_count) of them, ascending.
firn_status pq_leaf_read_rows(pq_leaf_reader *self, uint32_t count, const uint16_t *rows,
                              uint32_t row_count, arena *scratch, column *out, firn_error *err);

// ---- Inside lists ------------------------------------------------------------------------------

/// Begins to gather rows; what was gathered before is gone.
void pq_leaf_pull_begin(pq_leaf_reader *self);

/// Gathers until there are `rows` rows in self->gathered. To be called again after PQ_WAIT. What it
/// gathered lives until pq_leaf_pull_begin.
firn_status pq_leaf_pull(pq_leaf_reader *self, uint32_t rows, pq_answer *answer, firn_error *err);

// ---- For both ----------------------------------------------------------------------------------

/// Peeks at the next data page.
firn_status pq_leaf_peek(pq_leaf_reader *self, pq_answer *answer, firn_error *err);
/// Opens the page that was peeked: levels and values stand at its start.
firn_status pq_leaf_open_page(pq_leaf_reader *self, firn_error *err);
/// Between pages: goes to the page that holds the next wanted row, if that is farther on and an
/// index says where it is.
void pq_leaf_seek(pq_leaf_reader *self);
/// Leaves the page at hand.
void pq_leaf_pass_page(pq_leaf_reader *self);
/// Reads `count` values that are there into `out`, converted, one behind another, with room for
/// count values and PQ_UNPACK_SPARE more. Booleans go to bit `at` on.
firn_status pq_leaf_read_values(pq_leaf_reader *self, uint32_t count, arena *scratch, void *out,
                                size_t at, firn_error *err);

#endif
