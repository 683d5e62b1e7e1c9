// A LIKE pattern, taken apart once and matched with many texts.
//
// It is cut at its `%` into pieces. The first one stands at the start of the text and the last one
// at its end unless a `%` is there; those between are looked for one behind another, each at its
// first place, which is enough since `%` takes anything. A piece without `_` is plain bytes and is
// found by text_seek; in others `_` takes one code point.
#ifndef FIRN_FUNCTIONS_SCALAR_LIKE_PATTERN_H
#define FIRN_FUNCTIONS_SCALAR_LIKE_PATTERN_H

#include "expr/function.h"

typedef struct like_piece {
    text plain;          ///< The bytes, those under a `_` being 0.
    const bool *is_any;  ///< By byte: is it a `_`? NULL: none is.
    uint32_t code_count; ///< Code points it takes.
} like_piece;

typedef struct like_pattern {
    const like_piece *pieces;
    uint32_t piece_count;  ///< 0: the pattern is `%`s only, or empty.
    bool is_open_at_start; ///< A `%` comes first.
    bool is_open_at_end;
} like_pattern;

typedef enum like_answer {
    LIKE_OK,
    LIKE_CUT_ESCAPE, ///< The escape character is the last one.
    LIKE_BAD_ESCAPE, ///< It is more than one character.
    LIKE_NO_MEMORY
} like_answer;

/// Takes a pattern apart. `escape`: one code point, or empty for none. What it makes is in
/// `memory`.
like_answer like_pattern_make(text pattern, text escape, arena *memory, like_pattern *out);
/// `call`: whose value it is; NULL if of none. If its statement was stopped the answer means
/// nothing.
bool like_pattern_matches(const like_pattern *self, text value, const function_call *call);

/// Is this a pattern that can be taken apart?
bool like_pattern_is_good(text pattern, text escape);

#endif
