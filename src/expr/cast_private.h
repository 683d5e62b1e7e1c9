// Private to expr/cast*: the kernels by what they convert. Each is a scalar_kernel of one argument,
// strict in NULL; types are in call->types[0] and call->result.
#ifndef FIRN_EXPR_CAST_PRIVATE_H
#define FIRN_EXPR_CAST_PRIVATE_H

#include "base/zone.h"
#include "expr/cast.h"
#include "memory/zone_memo.h"

/// Numbers and BOOLEAN among each other.
scalar_kernel cast_number_kernel(const type *from, const type *to);
/// DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL among each other.
scalar_kernel cast_time_kernel(const type *from, const type *to);
/// Anything to VARCHAR; VARCHAR to anything.
scalar_kernel cast_to_text_kernel(const type *from);
scalar_kernel cast_from_text_kernel(const type *to);
/// VARCHAR to a list, map or struct; these among each other.
uint32_t cast_text_to_nested(function_call *call, const column *const *args, column *out);
uint32_t cast_nested(function_call *call, const column *const *args, column *out);
/// BINARY and UUID among each other, and BINARY to a fixed width.
uint32_t cast_bytes(function_call *call, const column *const *args, column *out);

/// Reads a text as a DATE, TIME, TIMESTAMP, TIMESTAMPTZ or INTERVAL into row `row` of `out`.
/// `zones` are those that texts name.
bool cast_read_time(zone_cursor *cursor, zone_memo *zones, text input, column *out, uint32_t row);

/// Casts a column that is part of a nested one: flat, any length. `is_needed` (NULL: all) are the
/// rows that matter; others and NULLs are NULL in `out`. `*bad` is the first row that fails, or
/// from->length. False when call->scratch is full.
bool cast_column(const function_call *call, const column *from, const type *to,
                 const uint64_t *is_needed, column *out, uint32_t *bad);

#endif
