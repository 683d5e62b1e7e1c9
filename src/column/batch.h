// What flows between operators: some columns, how many rows, which of them count, and where they
// come from.
#ifndef FIRN_COLUMN_BATCH_H
#define FIRN_COLUMN_BATCH_H

#include "column/column.h"

#ifndef BATCH_ROWS
#define BATCH_ROWS 2048 // The test mode `tiny` makes sources hand out 3 rows.
#endif
#define BATCH_BYTES (UINT32_C(1) << 20) // A batch of long strings ends early.

/// Where a batch stands in the order of its source: sinks that need order restore it by this.
/// `task` counts scan tasks (the driver adds the chain in the top bits), `part` the batches of a
/// task; both ascend in file order.
typedef struct batch_sequence {
    uint64_t task;
    uint32_t part;
    uint32_t first; ///< Number of row 0 in the part, which is more than this batch after a slice.
} batch_sequence;

typedef struct batch {
    uint32_t row_count; ///< Length of every column; at most BATCH_ROWS.
    uint32_t column_count;
    const column *columns;     ///< The producer's, until it is called again.
    const uint16_t *selection; ///< Ascending numbers of the rows that count; NULL: all of them.
    uint32_t selected_count;   ///< Rows that count.
    batch_sequence sequence;
} batch;

/// A batch of all rows.
static inline batch batch_of(const column *columns, uint32_t column_count, uint32_t row_count) {
    return (batch){.row_count = row_count,
                   .column_count = column_count,
                   .columns = columns,
                   .selected_count = row_count};
}

/// The number of the k-th row that counts.
static inline uint32_t batch_row(const batch *self, uint32_t k) {
    return self->selection == NULL ? k : self->selection[k];
}

/// Of the rows that count, those numbered `from` to `from + count - 1` alone. Copies no values; the
/// selection may be in `memory`.
firn_status batch_part(arena *memory, const batch *self, uint32_t from, uint32_t count, batch *out,
                       firn_error *err);
/// The same as a batch of its own, no longer than it has to be: what is made of it is as small as
/// its rows are few. Its columns may be in `memory`; row 0 is the row of `self` by which
/// sequence.first has grown.
firn_status batch_slice(arena *memory, const batch *self, uint32_t from, uint32_t count, batch *out,
                        firn_error *err);
/// A batch without selection: selected rows are taken together. Shares columns when all rows count.
firn_status batch_compact(arena *memory, const batch *self, batch *out, firn_error *err);
/// A deep, compact copy that depends on `memory` only.
firn_status batch_copy(arena *memory, const batch *self, batch *out, firn_error *err);
/// Prints the rows that count, for debuggers: `call batch_print(b)`.
void batch_print(const batch *self);

#endif
