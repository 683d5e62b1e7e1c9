// Where a text stands in another: LIKE, position, replace, contains.
//
// Sixteen places at a time are asked for the first and the last byte of what is looked for; only
// where both are right the rest is compared.
#ifndef FIRN_FUNCTIONS_SCALAR_TEXT_SEEK_H
#define FIRN_FUNCTIONS_SCALAR_TEXT_SEEK_H

#include "base/text.h"

#define TEXT_NOWHERE SIZE_MAX

/// The place of `needle` in `whole` from byte `from` on; TEXT_NOWHERE if it is not there. An empty
/// one is at `from`. `from` is at most the size.
size_t text_seek(text whole, text needle, size_t from);
/// The count of places, none overlapping another; of an empty text 0.
size_t text_seek_count(text whole, text needle);

#endif
