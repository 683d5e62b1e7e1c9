// How many rows of a batch an operator that writes them out may get at a time. A batch of plain
// long texts ends early (BATCH_BYTES); one of a dictionary, runs or a constant does not, because
// its texts are there once: as rows, 2,048 texts of 20 KB are 40 MB.
#ifndef FIRN_EXEC_BATCH_SLICER_H
#define FIRN_EXEC_BATCH_SLICER_H

#include "exec/execution.h"

#define SLICER_DICTIONARIES 16

typedef struct batch_slicer {
    uint64_t most; ///< Bytes of a slice, about.
    /// The longest entry of dictionaries that came lately.
    struct {
        uint64_t identity;
        uint64_t longest;
    } known[SLICER_DICTIONARIES];
} batch_slicer;

batch_slicer batch_slicer_open(const execution *run);
/// At least one; `input->selected_count` of nearly all batches.
uint32_t batch_slicer_rows(batch_slicer *self, const batch *input);

#endif
