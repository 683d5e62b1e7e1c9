// Numbers of one width as numbers of a wider one, where nothing can go wrong: the casts that stand
// around every second comparison and sum. Loops over whole columns.
#ifndef FIRN_KERNELS_WIDEN_H
#define FIRN_KERNELS_WIDEN_H

#include "base/isa.h"
#include "column/column.h"

/// `count` values from `in` to `out`.
typedef void (*widen_kernel)(const void *in, size_t count, void *out);

/// For I8 to U32 to I64 and F64, I64 to F64 (rounded), F32 to F64; NULL for other pairs.
widen_kernel widen_kernel_for(physical from, physical to);
widen_kernel widen_kernel_at(isa_level level, physical from, physical to);

/// out[i] = in[i] / power, if all are below 2^53, so that one division rounds right; else false.
bool widen_decimals(const int64_t *in, size_t count, double power, double *out);

#endif
