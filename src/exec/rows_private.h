// What the files rows_*.c share.
//
//     rows_layout.c   what a row looks like
//     rows_page.c     pages, lists of them, to the spill file and back
//     rows_blob.c     heap bytes that do not fit into a page
//     rows_write.c    from batches to rows
//     rows_gather.c   from rows to columns
//     rows_repeated.c the same where rows come many times (rows_repeated.h)
//     rows_match.c    are keys equal?
//     rows_nested.c   lists, maps and structs as bytes
#ifndef FIRN_EXEC_ROWS_PRIVATE_H
#define FIRN_EXEC_ROWS_PRIVATE_H

#include "exec/rows.h"

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
/// The heap bytes of a row: behind it, in the blob, or read back into `scratch`.
firn_status row_heap_read(const row_store *self, const uint8_t *row, arena *scratch,
                          const uint8_t **out, firn_error *err);

// ---- Nested values: see rows_nested.c for the bytes ---------------------------------------------

// What is made of them is good for nothing once the flag of `watch` is raised.

/// Bytes that the value of a lane of a flat column takes; UINT64_MAX if it is above 4 GiB.
uint64_t row_nested_size(const column *self, uint32_t lane, cancel_watch *watch);
/// Writes them; the end.
uint8_t *row_nested_write(const column *self, uint32_t lane, uint8_t *out, cancel_watch *watch);
/// Whether the bytes are those of an equal value.
bool row_nested_equal(const uint8_t *value, const column *self, uint32_t lane, cancel_watch *watch);
/// A flat column of values; NULL where values[k] is NULL.
firn_status row_nested_gather(const type *type, const uint8_t *const *values, uint32_t count,
                              arena *memory, column *out, firn_error *err);

#endif
