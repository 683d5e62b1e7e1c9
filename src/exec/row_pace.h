// How many rows an operator evaluates at a time, so that long values do not fill the memory: a
// batch is 2,048 rows, and `repeat(x, 30000)` makes 60 MB of them.
//
// What a call took says how many rows the next one may be: it begins with one, which shows what a
// call takes anyhow, and grows by steps as long as rows are short. Nearly all batches are then
// taken whole.
#ifndef FIRN_EXEC_ROW_PACE_H
#define FIRN_EXEC_ROW_PACE_H

#include "exec/execution.h"

typedef struct row_pace {
    uint64_t most;  ///< Bytes that a call may take.
    uint64_t fixed; ///< That a call of one row took.
    uint32_t rows;  ///< For the next call.
} row_pace;

row_pace row_pace_open(const execution *run);
/// How many of `left` rows to evaluate now; at least one.
uint32_t row_pace_rows(const row_pace *self, uint32_t left);
/// `rows` of them took so many bytes.
void row_pace_learn(row_pace *self, uint32_t rows, uint64_t bytes);

#endif
