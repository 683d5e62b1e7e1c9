// What the files rows_*.c share.
//
//     rows_layout.c   what a row looks like
//     rows_page.c     pages, lists of them, to the spill file and back
//     rows_blob.c     heap bytes that do not fit into a page
//     rows_write.c    from batches to rows
//     rows_gather.c   from rows to columns
//     rows_repeated.c the same where rows come many times (rows_repeated.h)
//     rows_match.c    are keys equal?
//     rows_nested.h   lists, maps and structs as bytes
#ifndef FIRN_EXEC_ROWS_PRIVATE_H
#define FIRN_EXEC_ROWS_PRIVATE_H

#include "exec/rows/rows.h"
#include "exec/rows/rows_nested.h"

static inline void row_heap_put(const row_layout *self, uint8_t *row, row_heap heap) {
    memcpy(row + self->heap_offset, &heap, sizeof heap);
}

static inline string_value row_string(const uint8_t *value) {
    string_value out;
    memcpy(&out, value, sizeof out);
    return out;
}

/// The offset of a long string in the heap, which stands where columns have the pointer.
static inline uint64_t row_string_offset(const uint8_t *value) {
    uint64_t offset;
    memcpy(&offset, value + 8, sizeof offset);
    return offset;
}

static inline row_slice row_slice_of(const uint8_t *value) {
    row_slice out;
    memcpy(&out, value, sizeof out);
    return out;
}

/// Where a long string lies in the heap.
static inline row_slice row_string_slice(const uint8_t *value) {
    return (row_slice){.offset = (uint32_t)row_string_offset(value),
                       .size = row_string(value).size};
}

/// A value of a row becomes a string over its heap bytes.
static inline string_value row_string_at(const uint8_t *value, const uint8_t *heap) {
    string_value out = row_string(value);
    if (!string_is_inline(&out)) {
        out.data = (const char *)heap + row_string_offset(value);
    }
    return out;
}

/// Bytes of a value in a row.
uint32_t row_value_size(const type *self);

/// Writes a page that is in no list, as one of `list`. The page stays the caller's.
firn_status row_page_write(row_store *store, row_pages *list, spill_desk *desk, row_page *page,
                           firn_error *err);

// ---- Blobs -------------------------------------------------------------------------------------

/// A new blob of `size` bytes. `*memory` is where they belong, or NULL if the keeper refuses them:
/// then row_blob_write follows.
firn_status row_blob_new(row_store *self, uint32_t size, uint32_t *number, uint8_t **memory,
                         firn_error *err);
firn_status row_blob_write(row_store *self, uint32_t number, bytes content, firn_error *err);
bool row_blob_is_in_memory(const row_store *self, uint32_t number);
/// A part of the heap bytes of a row: behind it, in the blob, or read back into `scratch`, and no
/// more of the blob than that.
firn_status row_heap_read(const row_store *self, const uint8_t *row, row_slice part, arena *scratch,
                          const uint8_t **out, firn_error *err);

#endif
