// The row store: where everything that an operator keeps lies (groups, build sides, sort runs,
// DISTINCT, collected values), as rows on pages.
//
//     page   ┌ header ┬ row ┬ row ┬ row ┬ … ┬ free ┐      16, 32 or 64 KiB; of wide rows to 1 MiB
//     row    ┌ hash? ┬ extra? ┬ heap? ┬ values ┬ validity ┬─┬ heap bytes ┐
//              8       n        8       by type  a bit each   strings, nested values
//
// Rows are 8-aligned and lie one behind another; without a heap all have the same size. A row
// points only into itself (strings are offsets into its own heap bytes), so a row is moved by
// copying row_bytes of it, and a page may be written out and come back at any address. A row whose
// heap bytes do not fit into a page keeps them in a **blob** of its store: one block of memory, or
// pieces in the spill file when memory is refused; such a row is moved like any other, inside its
// store.
//
// Who does what:
//     row_layout   what a row looks like; made once, read-only
//     row_store    shared by the workers of an operator: layout, keeper, spill file, blobs
//     row_pages    a list of pages in memory and of spilled ones: one partition's
//     row_writer   a worker's: puts rows of batches, or other rows, into partitions by hash and
//                  writes out pages when memory is refused
// and the loops over rows: rows_gather (back to columns), rows_match (are the keys equal?).
//
// Pages are taken back from a row_pages one by one, in memory first, then spilled ones into a page
// of the caller: row_pages_pop, row_pages_read.
//
// Threads: a store may be used by all workers at once; a writer and a row_pages by one at a time.
// Rows and pages in memory may be read by any number of threads while nobody writes or spills them.
#ifndef FIRN_EXEC_ROWS_H
#define FIRN_EXEC_ROWS_H

#include "base/mutex.h"
#include "column/column.h"
#include "memory/page.h"
#include "memory/spill.h"

#define ROW_NONE UINT32_MAX

// ---- Layout -------------------------------------------------------------------------------------

typedef struct row_layout {
    uint32_t column_count;
    const type *const *types; ///< Borrowed from the plan.
    const uint32_t *offsets;  ///< Of each column's value in the row.
    uint32_t size;            ///< Of the row without heap bytes; a multiple of 8.
    uint32_t extra_offset;    ///< 8-aligned; 0 or 8.
    uint32_t extra_size;      ///< A multiple of 8.
    uint32_t heap_offset;     ///< Of its row_heap; ROW_NONE: rows of this layout have no heap.
    uint32_t validity_offset; ///< Bit c % 8 of byte c / 8 set: column c is not NULL.
    uint32_t tail_offset;     ///< Behind all values.
    bool has_hash;            ///< At offset 0.
    bool is_plain;            ///< Equal rows have equal bytes behind the extra ones.
    const uint8_t *null_row;  ///< A row whose columns are all NULL, for what has no match.
} row_layout;

/// Bytes of strings and nested values of a row: behind it, or in a blob.
typedef struct row_heap {
    uint32_t size;
    uint32_t blob; ///< ROW_NONE: the bytes lie behind the row.
} row_heap;

/// Lays out rows of `count` columns with `extra_size` bytes for the operator (chain pointers,
/// states, marks). In `memory`. Value of a column: as in flat columns (BOOLEAN: a byte); strings:
/// string_value whose `data` is an offset into the heap; nested: a row_slice of the heap.
firn_status row_layout_make(const type *const *types, uint32_t count, bool has_hash,
                            uint32_t extra_size, arena *memory, row_layout *out, firn_error *err);

/// From now on validity is in the `size` bytes at `offset`, which their owner leaves free of hash
/// or extra bytes, if it has room there: rows are shorter by what it took behind the values.
void row_layout_move_validity(row_layout *self, uint32_t offset, uint32_t size);

typedef struct row_slice {
    uint32_t offset;
    uint32_t size;
} row_slice;

static inline uint64_t row_hash(const uint8_t *row) { // Of a layout with has_hash.
    uint64_t hash;
    memcpy(&hash, row, sizeof hash);
    return hash;
}
static inline void row_hash_set(uint8_t *row, uint64_t hash) {
    memcpy(row, &hash, sizeof hash);
}
static inline uint8_t *row_extra(const row_layout *self, uint8_t *row) {
    return row + self->extra_offset;
}
static inline bool row_is_valid(const row_layout *self, const uint8_t *row, uint32_t column) {
    return (row[self->validity_offset + column / 8] >> (column % 8) & 1) != 0;
}
static inline row_heap row_heap_of(const row_layout *self, const uint8_t *row) {
    row_heap heap;
    memcpy(&heap, row + self->heap_offset, sizeof heap);
    return heap;
}
/// Bytes that a row takes on its page, its heap included.
static inline uint32_t row_bytes(const row_layout *self, const uint8_t *row) {
    if (self->heap_offset == ROW_NONE) {
        return self->size;
    }
    const row_heap heap = row_heap_of(self, row);
    return heap.blob == ROW_NONE ? self->size + (heap.size + 7) / 8 * 8 : self->size;
}

// ---- Pages --------------------------------------------------------------------------------------

typedef struct row_page {
    uint32_t row_count;
    uint32_t filled;       ///< Bytes, this header included.
    struct row_page *next; ///< In its row_pages. Means nothing in a page that was read back.
} row_page;
#define ROW_PAGE_HEADER ((uint32_t)sizeof(row_page))

/// What a page must have for a row of a layout, if not for its heap.
static inline uint64_t row_page_bytes(const row_layout *self) {
    return ROW_PAGE_HEADER + (uint64_t)self->size;
}

/// Begins an empty page in any 8-aligned memory: a page_get, or a smaller unit of a sort run.
row_page *row_page_begin(void *memory);
/// Copies a row onto a page of `capacity` bytes; where it lies then, or NULL if it does not fit.
uint8_t *row_page_add(row_page *self, size_t capacity, const row_layout *layout,
                      const uint8_t *row);
/// The next rows of a page, at most `max`. `*at` is the offset of the next one, 0 at first. How
/// many: 0 at the end. `out` points into the page.
uint32_t row_page_rows(row_page *self, const row_layout *layout, uint32_t *at, uint8_t **out,
                       uint32_t max);

/// Pages of one partition. Zeroed memory with `spilled.owner` set is an empty list.
typedef struct row_pages {
    row_page *first; ///< In memory, the page being filled first.
    row_page *last;
    uint32_t page_count; ///< In memory.
    uint64_t row_count;  ///< In memory.
    spill_list spilled;
    uint64_t spilled_rows;
} row_pages;

// ---- Store --------------------------------------------------------------------------------------

typedef struct row_blob row_blob;

/// Rows of one layout, and what several workers share about them.
typedef struct row_store {
    const row_layout *layout;
    pool *keeper; ///< All pages and blobs are taken from it.
    spill *spill;
    size_t page_size;
    atomic_uint_fast64_t spilled_bytes; ///< Of pages and blobs written out so far.
    // Blobs, for rows_blob.c.
    mutex lock;
    row_blob *blobs GUARDED_BY(&lock);
    uint32_t blob_count GUARDED_BY(&lock);
    uint32_t blob_room GUARDED_BY(&lock);   ///< How many `blobs` holds.
    size_t blob_capacity GUARDED_BY(&lock); ///< Bytes taken for them.
} row_store;

/// Opens the keeper of an operator whose pages must have `page_bytes` at least.
firn_status row_keeper_open(pool *query, const char *name, uint64_t min_bytes, uint64_t page_bytes,
                            pool **out, firn_error *err);
/// Rows fit into pages of the keeper, if not their heaps.
///
/// Errors: FIRN_UNSUPPORTED if such a row fits into no page at all.
firn_status row_store_open(const row_layout *layout, pool *keeper, spill *spill, row_store *out,
                           firn_error *err);
/// Frees the blobs. All row_pages are closed before. Zeroed memory is a closed store.
void row_store_close(row_store *self);
/// Writes blobs out while the keeper is over its target. While nobody reads or writes rows.
firn_status row_store_shrink(row_store *self, firn_error *err);
/// Writes the blob of a row out, if it has one in memory; forgets the blob of a row that is gone.
/// While nobody else reads this row.
firn_status row_store_write_blob(row_store *self, const uint8_t *row, firn_error *err);
void row_store_drop_blob(row_store *self, const uint8_t *row);

/// Takes the first page in memory out of a list; the caller gives it back with page_put. NULL if
/// there is none.
row_page *row_pages_pop(row_pages *self);
/// Adds a page in memory to a list that owns it from then on: as the one to be filled, or last.
void row_pages_push(row_pages *self, row_page *page);
void row_pages_push_last(row_pages *self, row_page *page);
/// Reads the next spilled page into `into` (page_size bytes) and frees its place in the file;
/// `*found` is false when there is none left.
firn_status row_pages_read(row_store *store, row_pages *self, spill_desk *desk, void *into,
                           bool *found, firn_error *err);
/// Reads the same page (number `index` of self->spilled) without freeing it.
firn_status row_pages_peek(row_store *store, const row_pages *self, size_t index, spill_desk *desk,
                           void *into, firn_error *err);
/// Reads a page that is in no list, from its place in the file.
firn_status row_page_read(const row_store *store, spill_desk *desk, spill_slot slot, row_page *into,
                          firn_error *err);
/// Moves all of `from` to `self`.
firn_status row_pages_append(row_pages *self, row_pages *from, firn_error *err);
/// Writes out pages in memory until `keep_count` are left: the page being filled goes last.
firn_status row_pages_spill(row_store *store, row_pages *self, spill_desk *desk,
                            uint32_t keep_count, firn_error *err);
/// Gives pages and places in the file back.
void row_pages_close(row_store *store, row_pages *self);

// ---- Writing ------------------------------------------------------------------------------------

/// Puts rows into 2^n partitions by their hash: `bits_before` top bits of it are skipped (those of
/// the partition that is being split), the next n say which partition.
typedef struct row_writer {
    row_store *store;
    uint32_t part_count;
    uint32_t shift;
    row_pages *parts;
    spill_desk desk;
    bool may_spill; ///< True at first. False: append stops short instead of writing a page out.
    bool stops_at_blobs; ///< Append stops behind a row whose blob must go to the file: scratch
                         ///< memory is needed for one of them at a time.
    row_page *spares;    ///< Pages kept back (row_writer_keep), used when the keeper refuses.
    bool prefers_spares; ///< They are used before the keeper is asked.
    uint32_t page_max;   ///< In memory: more are not asked for, so that other workers find theirs.
    uint32_t page_count; ///< In memory, as of the last look and what was added since.
    uint64_t row_count;
} row_writer;

/// part_count 1: everything into one list, no hash needed. Lists in `memory`.
firn_status row_writer_open(row_store *store, uint32_t part_count, uint32_t bits_before,
                            arena *memory, row_writer *out, firn_error *err);
/// Gives everything back that nobody took over. Zeroed memory is a closed writer.
void row_writer_close(row_writer *self);
/// Takes up to `count` pages ahead, for a time when the keeper refuses: a split never asks the pool
/// for pages. False if fewer could be had.
bool row_writer_keep(row_writer *self, uint32_t count);
/// To be called between batches: writes out pages of the largest partitions while the keeper is
/// over its target.
firn_status row_writer_look(row_writer *self, firn_error *err);

/// Writes out all pages in memory; up to `spare_count` of them stay as spares.
firn_status row_writer_spill(row_writer *self, uint32_t spare_count, firn_error *err);

static inline uint32_t row_writer_part(const row_writer *self, uint64_t hash) {
    return self->part_count == 1 ? 0 : (uint32_t)(hash >> self->shift) & (self->part_count - 1);
}

/// Rows of a batch to be appended. `columns` are the layout's, in any form but RUNS.
typedef struct row_input {
    const column *columns;
    const uint16_t *rows; ///< NULL: rows 0 to count - 1.
    uint32_t count;
    const uint64_t *hashes; ///< hashes[k] of the k-th row; NULL: none are needed.
    uint32_t next;          ///< 0 at first; row_writer_append advances it.
} row_input;

/// Makes those flat that are RUNS: neither rows nor their keys are made of them.
firn_status rows_flatten_runs(column *columns, uint32_t count, arena *scratch, firn_error *err);

/// Appends rows from in->next on: all that are left, or as many as go before a full page must be
/// written out. out_rows[k] for the k-th row is where it lies, until the next call with this
/// writer. Extra bytes are not initialised. Call again while in->next < in->count:
///
///     while (in.next < in.count) {
///         const uint32_t from = in.next;
///         TRY(row_writer_append(&writer, &in, rows, scratch, err));
///         ... rows[from] to rows[in.next - 1] have room for states ...
///     }
///
/// With may_spill false in->next may stay as it is: memory is refused.
firn_status row_writer_append(row_writer *self, row_input *in, uint8_t **out_rows, arena *scratch,
                              firn_error *err);
/// Orders the rows of an input that are left by partition, if the writer has fewer pages than
/// partitions: in any other order a page would be written out for nearly every row. For callers to
/// whom it is the same which row is which.
firn_status row_writer_order(const row_writer *self, row_input *in, arena *scratch,
                             firn_error *err);
/// Copies rows of the same store, whatever page they lie on, by hashes[k] of the k-th row, or NULL:
/// by the hash that it holds (partition 0 of 1 needs none). `*next` as in->next.
firn_status row_writer_copy(row_writer *self, uint8_t *const *rows, const uint64_t *hashes,
                            uint32_t count, uint32_t *next, firn_error *err);

/// The same for one row; `*out` is where it lies then, NULL if memory is refused and may_spill is
/// false.
firn_status row_writer_copy_row(row_writer *self, const uint8_t *row, uint8_t **out,
                                firn_error *err);

// ---- Rows and columns ---------------------------------------------------------------------------

/// Column `number` of rows as a flat column in `memory`: strings point into the pages (or blobs in
/// memory), which must stay; nested values and blobs that were written out are copied. Rows may be
/// layout->null_row.
firn_status rows_gather(const row_store *self, uint32_t number, const uint8_t *const *rows,
                        uint32_t count, arena *memory, column *out, firn_error *err);

/// How many of the rows, at least one, can be gathered before more than `most` bytes of them come
/// back from the spill file, which are copied.
uint32_t rows_readable(const row_store *self, const uint8_t *const *rows, uint32_t count,
                       uint64_t most);

/// Pairs of a row and a row of a batch whose keys may be equal.
typedef struct row_pairs {
    const row_store *store;
    uint32_t key_count;
    const uint32_t *key_columns; ///< Which column of the row each key is; NULL: 0, 1, 2 …
    const column *keys;          ///< Of the batch; any form but RUNS.
    const bool *null_equal;      ///< By key; NULL: NULL equals NULL in all of them.
    const uint8_t *const *rows;  ///< rows[k] …
    const uint16_t *lanes;       ///< … and row lanes[k] of the batch; NULL: row k.
} row_pairs;

/// Of the pairs numbered pairs[0] to pairs[count - 1], keeps the equal ones in `pairs`, in order,
/// and puts the others into `rest` (room for `count`; NULL: drops them). NaN equals NaN, -0.0
/// equals 0.0, intervals by length. `*equal_count`: how many are kept.
firn_status rows_match(const row_pairs *self, uint16_t *pairs, uint32_t count, uint16_t *rest,
                       uint32_t *equal_count, arena *scratch, firn_error *err);

/// Are all columns of two rows of a store equal? NULL equals NULL; else as rows_match.
firn_status rows_equal(const row_store *self, const uint8_t *left, const uint8_t *right,
                       arena *scratch, bool *out, firn_error *err);

/// Total order of a column of two rows, as column_compare_rows.
firn_status rows_compare(const row_store *self, uint32_t number, const uint8_t *left,
                         const uint8_t *right, arena *scratch, int *out, firn_error *err);

#endif
