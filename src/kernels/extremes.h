// The smallest and the largest value of some rows, as SQL orders them: NaN is above all numbers,
// text by bytes, intervals by length. NULLs are left out.
#ifndef FIRN_KERNELS_EXTREMES_H
#define FIRN_KERNELS_EXTREMES_H

#include "base/isa.h"
#include "column/column.h"

/// Rows of the smallest and the largest value among the rows of a list (NULL: the first `count`) of
/// a column of any form and type. False, with nothing written, if all are NULL. Of equal values the
/// first row.
bool extremes_rows(const column *self, const uint16_t *rows, uint32_t count, uint32_t *smallest,
                   uint32_t *largest);

/// The values themselves, for numbers that lie in a flat column without NULLs: I8 to F64. `count`
/// is 1 or more; `smallest` and `largest` have room for one value. NULL if the type has no such
/// loop.
typedef void (*extremes_kernel)(const void *values, size_t count, void *smallest, void *largest);
extremes_kernel extremes_kernel_for(physical layout);
extremes_kernel extremes_kernel_at(isa_level level, physical layout);

#endif
