// Private to column/arrow_export*: one node of an Arrow array that grows.
//
// Rows come as lanes: for each row the number of its value in a flat column, or LANE_NULL. So
// forms, selections and NULLs are looked at once per batch, and every layout has one loop.
#ifndef FIRN_COLUMN_ARROW_EXPORT_H
#define FIRN_COLUMN_ARROW_EXPORT_H

#include "column/arrow_private.h"
#include "memory/buffer.h"

#define LANE_NULL UINT32_MAX

// The bytes of utf8 of one batch at most: offsets are 32 bits.
#define ARROW_STRING_BYTES_MAX ((uint64_t)INT32_MAX - (UINT64_C(1) << 26))

typedef struct arrow_node {
    const type *type;
    const arrow_options *options;
    struct pool *pool;
    arrow_layout layout;
    uint32_t width;
    uint64_t length;
    uint64_t null_count;
    buffer *validity; // NULL until the first NULL.
    buffer *values;   // Values, offsets or views.
    buffer *bytes;    // Of strings.
    uint32_t child_count;
    struct arrow_node *children;
    struct arrow_node *entries; // Of codes: the texts that came, each once. Else NULL.
    buffer *slots;              // A hash table of numbers of entries, from 1; 0 is free.
} arrow_node;

/// Makes the buffer in `slot` hold `size` bytes at least; what it held stays.
firn_status arrow_node_reserve(const arrow_node *self, buffer **slot, uint64_t size,
                               firn_error *err);
/// Validity of `count` more rows; its buffer is made when the first NULL comes.
firn_status arrow_node_push_validity(arrow_node *self, const uint32_t *lanes, uint32_t count,
                                     firn_error *err);
/// Values of `count` more rows of a layout without children. The length stays as it was.
firn_status arrow_node_push_values(arrow_node *self, const column *flat, const uint32_t *lanes,
                                   uint32_t count, firn_error *err);
/// Room for the offsets of `count` more rows, and the first one, which is 0.
firn_status arrow_node_begin_offsets(arrow_node *self, uint32_t count, firn_error *err);
void arrow_node_put_offset(const arrow_node *self, uint64_t row, uint64_t offset);

#endif
