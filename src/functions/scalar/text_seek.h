// Where a text stands in another: LIKE, position, replace, contains.
//
// Sixteen places at a time are asked for the first and the last byte of what is looked for; only
// where both are right the rest is compared.
#ifndef FIRN_FUNCTIONS_SCALAR_TEXT_SEEK_H
#define FIRN_FUNCTIONS_SCALAR_TEXT_SEEK_H

#include "base/text.h"
#include "expr/function.h"

#define TEXT_NOWHERE SIZE_MAX

/// The place of `needle` in `whole` from byte `from` on; TEXT_NOWHERE if it is not there. An empty
/// one is at `from`. `from` is at most the size.
size_t text_seek(text whole, text needle, size_t from);
#define TEXT_SOUGHT_AT_ONCE ((size_t)1 << 20) ///< Bytes; each place may cost a comparison of all.

/// text_find_place in what is longer than TEXT_SOUGHT_AT_ONCE.
size_t text_find_place_far(const function_call *call, text whole, text needle, size_t from);

/// text_seek for a value of a call, which may be long: TEXT_NOWHERE also where the statement was
/// stopped.
static inline size_t text_find_place(const function_call *call, text whole, text needle,
                                     size_t from) {
    return whole.size - from <= TEXT_SOUGHT_AT_ONCE || needle.size == 0
               ? text_seek(whole, needle, from)
               : text_find_place_far(call, whole, needle, from);
}

/// The count of places, none overlapping another; of an empty text 0.
size_t text_count_places(const function_call *call, text whole, text needle);

#endif
